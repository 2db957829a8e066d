"""A seat at the workstation beside a cluster, for tests: lines of its shell, with or without a terminal in front of it.

``run`` gives (stdout, stderr, exit code) of a line; ``sit`` starts one in front of a terminal, where the test types and reads what a person
would see. Virtual time only.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.runtime.streams import Given, Sink
from server.cluster.runtime.tty import Tty
from server.kubectl.context import Kubeconfig
from server.rooms.workstation import Workstation
from tests.kubectl.terminal import Result

HOME = "/root"


class Seat:
    """A command in front of a terminal."""

    def __init__(self, desk: Desk, line: str) -> None:
        self.clock = desk.cluster.clock
        self.shown: list[str] = []
        self.tty = Tty(self.shown.append)
        self.proc = desk.start(line, self.tty, self.tty, self.tty)
        self.settle(3)

    def settle(self, seconds: float = 1.0) -> None:
        self.clock.run_for(seconds)

    def type(self, text: str, seconds: float = 1.0) -> str:
        """What is on the screen after it was typed."""
        self.tty.feed(text)
        self.settle(seconds)
        return self.screen

    @property
    def screen(self) -> str:
        return "".join(self.shown).replace("\r\n", "\n")

    @property
    def code(self) -> int | None:
        return self.proc.status


class Desk:
    def __init__(self, cluster: Cluster, files: dict[str, str] | None = None) -> None:
        self.cluster = cluster
        self.machine = Workstation(cluster)
        self.line: Any = SimpleNamespace(terminal=SimpleNamespace(kubeconfig=Kubeconfig()))
        for name, text in (files or {}).items():
            assert not self.machine.files.make_directory(f"{HOME}/{name}".rpartition("/")[0], parents=True)
            assert not self.machine.files.write(f"{HOME}/{name}", text)

    def start(self, line: str, stdin: Any, stdout: Any, stderr: Any) -> Any:
        return self.machine.enter(["bash", "-c", line], {0: stdin, 1: stdout, 2: stderr}, self.line, cwd=HOME)

    def run(self, line: str, stdin: str = "", limit: float = 120.0) -> Result:
        out: list[str] = []
        err: list[str] = []
        proc = self.start(line, Given(stdin), Sink("stdout", out.append), Sink("stderr", err.append))
        clock = self.cluster.clock
        clock.run_until(clock.now + limit, lambda: not proc.alive)
        assert not proc.alive, f"{line!r} still runs after {limit} virtual seconds: {''.join(out)}{''.join(err)}"
        return Result("".join(out), "".join(err), proc.status)

    def sit(self, line: str) -> Seat:
        return Seat(self, line)

    def read(self, path: str) -> str | None:
        return self.machine.files.read(path if path.startswith("/") else f"{HOME}/{path}")
