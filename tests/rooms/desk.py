"""A seat at a workstation for tests: the room's shell on a cluster, in virtual time, with nothing else of a server.

``Desk(cluster).run(text)`` runs a text as ``POST /terminal`` does and gives ``Result(stdout, stderr, code)``; ``sit(text)`` runs it in front
of a terminal, where one may type.
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.runtime.signals import INT
from server.rooms import pages
from server.rooms.editing import Editing
from server.rooms.terminal import Terminal
from server.rooms.workstation import Workstation
from server.settings import Settings
from tests.kubectl.terminal import Result


class Room:
    """What a terminal needs of a room."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.settings = Settings()
        self.commands = 0
        self.paused = False

    def touch(self) -> None:
        pass

    def after_write(self) -> None:
        pass

    def instant(self) -> None:
        self.cluster.clock.run_until(self.cluster.clock.now)


class Screen:
    """A text that runs in front of a terminal."""

    def __init__(self, desk: Desk, text: str) -> None:
        self.desk = desk
        self.shown: list[str] = []
        self.code: int | None = None
        self.line = desk.terminal.start(text, self.shown.append, self.shown.append, self._ended, typed=True)

    def _ended(self, code: int) -> None:
        self.code = code

    def type(self, text: str, seconds: float = 2.0) -> str:
        """Types, lets time pass, and gives what is shown since."""
        before = len(self.shown)
        self.line.feed(text)
        self.desk.pass_(seconds)
        return "".join(self.shown[before:]).replace("\r\n", "\n")

    @property
    def text(self) -> str:
        return "".join(self.shown).replace("\r\n", "\n")


class Desk:
    def __init__(self, cluster: Cluster, fetch: bool = False) -> None:
        self.cluster = cluster
        self.room = Room(cluster)
        self.workstation = Workstation(cluster, pages.fetcher(fetch, self.room.instant), lambda: self.room.paused)
        self.edited: list[tuple[str, dict[str, Any]]] = []
        self.editing = Editing(lambda event, data: self.edited.append((event, data)))
        self.terminal = Terminal(self.room, self.workstation, editing=self.editing)

    def pass_(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)

    def run(self, text: str, stdin: str | None = None, interrupt_after: float | None = None, limit: float = 600.0) -> Result:
        out: list[str] = []
        err: list[str] = []
        codes: list[int] = []
        clock = self.cluster.clock
        if stdin is not None:
            self.workstation.files.write("/tmp/stdin", stdin)
            text = f"{text} < /tmp/stdin"
        line = self.terminal.start(text, out.append, err.append, codes.append)
        if interrupt_after is not None:
            clock.call_later(interrupt_after, self.workstation.system.signal_group, line.proc.group, INT)
        if not codes:
            clock.run_until(clock.now + limit, lambda: bool(codes))
        if not codes:
            line.stop()
            raise AssertionError(f"{text!r} still runs after {limit} virtual seconds")
        return Result("".join(out), "".join(err), codes[0])

    def said(self, text: str) -> str:
        result = self.run(text)
        return result.stdout + result.stderr

    def sit(self, text: str, seconds: float = 2.0) -> Screen:
        screen = Screen(self, text)
        self.pass_(seconds)
        return screen
