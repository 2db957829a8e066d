"""A machine with files on which the tests of text programs run; it keeps standard output and errors apart, and can be restarted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.runtime.files import Files
from server.cluster.runtime.mount_namespace import BASIC
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.streams import Given, Null, Sink, Stream
from server.cluster.runtime.system import System

HOME = "/w"


class World:
    hostname, ip = "world", "10.0.0.2"

    def __init__(self, kit: str = "busybox", files: dict[str, str] | None = None, own: dict[str, Any] | None = None, now: float = 0.0) -> None:
        self.kit = kit
        self.clock = Clock()
        if now:
            self.clock.run_for(now)
        self.own = {} if own is None else own
        self.files = Files({}, self.own, (), lambda mount: Tree({}), lambda: None, layer=BASIC)
        for path, text in (files or {}).items():
            folder = f"{HOME}/{path}".rpartition("/")[0]
            self.files.make_directory(folder, parents=True)
            assert not self.files.write(f"{HOME}/{path}", text)
        self.said: list[tuple[int, str]] = []
        self.exit: int | None = None
        self.out, self.err = (Sink(name, lambda text, fd=fd: self.said.append((fd, text))) for fd, name in ((1, "stdout"), (2, "stderr")))
        self.system = System(self, lambda fd: self.err if fd == 2 else self.out, self._ended)

    def _ended(self, code: int) -> None:
        self.exit = code

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": "/root"}

    def time(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.clock.now)

    def find(self, name: str) -> Any:
        return PROGRAMS.get(name)

    def where(self, name: str) -> str:
        return ("/bin/" if self.kit == "busybox" else "/usr/bin/") + name if name in PROGRAMS else ""

    def changed(self) -> None:
        pass

    def burning(self) -> None:
        pass

    def start(self, argv: list[str], stdin: str | Stream = "", out: Stream | None = None) -> Proc:
        source = Given(stdin) if isinstance(stdin, str) else stdin
        return self.system.spawn(argv, fds={0: source, 1: out if out is not None else self.out, 2: self.err}, cwd=HOME)

    def write(self, path: str, text: str, append: bool = True) -> None:
        assert not self.files.write(f"{HOME}/{path}", text, append=append)

    def restarted(self) -> World:
        """Another one that goes on from this one's dump."""
        other = World(self.kit, None, orjson.loads(orjson.dumps(self.own)), self.clock.now)
        other.said, other.exit = self.said[:], self.exit
        other.system.load(orjson.loads(orjson.dumps(self.system.dump())))
        return other

    @property
    def out_text(self) -> str:
        return "".join(text for fd, text in self.said if fd == 1)

    @property
    def err_text(self) -> str:
        return "".join(text for fd, text in self.said if fd == 2)


def run(argv: list[str], stdin: str = "", files: dict[str, str] | None = None, kit: str = "debian",
        seconds: float = 10_000) -> tuple[int | None, str, str]:
    """(exit code, standard output, errors)."""
    world = World(kit, files or {"f": "a\nb\n"})
    world.start(argv, stdin)
    world.clock.run_for(seconds)
    return world.exit, world.out_text, world.err_text


__all__ = ["HOME", "Null", "World", "run"]
