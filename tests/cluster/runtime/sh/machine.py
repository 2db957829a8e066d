"""A machine on which the shell's tests run: files, programs, a clock, and what its processes print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.runtime.files import Files
from server.cluster.runtime.mount_namespace import BASIC
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.streams import Given, Sink
from server.cluster.runtime.system import System

PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    hostname, ip = "machine", "10.0.0.1"

    def __init__(self, kit: str = "busybox", own: dict[str, Any] | None = None, now: float = 0.0) -> None:
        self.kit = kit
        self.clock = Clock()
        if now:
            self.clock.run_for(now)
        self.own = {} if own is None else own
        self.files = Files({}, self.own, (), lambda mount: Tree({}), lambda: None, layer=BASIC)
        self.said: list[str] = []
        self.exit: int | None = None
        self.burns: list[Any] = []
        self.out, self.err = (Sink(name, lambda text: self.said.append(text)) for name in ("stdout", "stderr"))
        self.system = System(self, lambda fd: self.err if fd == 2 else self.out, self._ended)

    def _ended(self, code: int) -> None:
        self.exit = code

    def environment(self) -> dict[str, str]:
        return {"PATH": PATHS, "HOME": "/root"}

    def time(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.clock.now)

    def find(self, name: str) -> Any:
        return PROGRAMS.get(name)

    def where(self, name: str) -> str:
        return ("/bin/" if self.kit == "busybox" else "/usr/bin/") + name if name in PROGRAMS else ""

    def changed(self) -> None:
        pass

    def burning(self) -> None:
        self.burns.append(self.system.burn)

    def start(self, argv: list[str], stdin: str = "", cwd: str = "/tmp/w") -> Any:  # noqa: S108
        return self.system.spawn(argv, fds={0: Given(stdin), 1: self.out, 2: self.err}, cwd=cwd)

    def restarted(self) -> Machine:
        """Another one that goes on from this one's dump."""
        other = Machine(self.kit, orjson.loads(orjson.dumps(self.own)), self.clock.now)
        other.said = self.said[:]
        other.exit = self.exit
        other.system.load(orjson.loads(orjson.dumps(self.system.dump())))
        return other

    @property
    def text(self) -> str:
        return "".join(self.said)


def run(script: str, shell: str = "sh", kit: str = "busybox", stdin: str = "", seconds: float = 1000) -> tuple[int | None, str]:
    """What a script does, and how it ends."""
    machine = Machine(kit)
    for folder in ("/tmp/w", "/root", "/usr/bin"):  # noqa: S108
        machine.files.make_directory(folder, parents=True)
    machine.start([shell, "-c", script], stdin)
    machine.clock.run_for(seconds)
    return machine.exit, machine.text
