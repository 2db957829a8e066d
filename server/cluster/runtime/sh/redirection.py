"""Redirections: what is opened for a command, and given back after it.

Descriptors that a redirection covers are kept as hidden ones of the shell (``State.hide``), and the frame says which, so that they survive
a restart like any other. What a builtin prints goes out before they change.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_07
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime.proc import HIDDEN
from server.cluster.runtime.sh import tree
from server.cluster.runtime.sh.connections import ADDRESS, dialled
from server.cluster.runtime.sh.expansion import Expansion, Going
from server.cluster.runtime.sh.state import Exec, Exit, Return, Trouble
from server.cluster.runtime.streams import Fault, FileReader, FileWriter, Given, Stream
from server.cluster.runtime.system import MOST_DESCRIPTORS

NO_FILE = frozenset({"No such file or directory", "nonexistent directory", "Not a directory"})


class Both(FileReader):
    """A file opened by ``<>``: read from its beginning, written at its end."""

    def write(self, text: str) -> bool:
        return FileWriter(self._files, self.path).write(text)


class BadRedirect(Exception):
    """It has been told; the command does not run."""


class Redirection(Expansion):
    def __init__(self, proc: Any) -> None:
        super().__init__(proc)
        self.connections: dict[str, Stream | str] = {}

    # redirections

    def targets(self, redirects: tuple[tree.Redirect, ...], frame: dict[str, Any]) -> Going:
        """Expands what the redirections name: frame["targets"]."""
        found = frame.setdefault("targets", [])
        while len(found) < len(redirects):
            redirect = redirects[len(found)]
            word = self.unit.documents[redirect.document] if redirect.document >= 0 else redirect.target
            target = yield self.string(word, frame)
            if self.flavor == "bash" and ADDRESS.fullmatch(target):
                yield self._dialled(target, frame)
            found.append(target)
            frame.pop("subs", None)

    def _dialled(self, address: str, frame: dict[str, Any]) -> Going:
        """Connects, and waits as long as that takes."""
        clock = self.proc.system.clock
        if "dialled" not in frame:
            connection, fault, length = dialled(self.proc.machine, address)
            self.connections[address] = connection or fault
            frame["dialled"] = clock.now + length
        while (left := frame["dialled"] - clock.now) > 0:
            yield Pass(Gate(), left)
        del frame["dialled"]

    def redirect(self, redirects: tuple[tree.Redirect, ...], targets: list[str]) -> dict[str, int | None]:
        """Opens them: which descriptors they covered. BadRedirect."""
        saved: dict[str, int | None] = {}
        try:
            for redirect, target in zip(redirects, targets, strict=True):
                for fd, stream in self._opened(redirect, target):
                    if str(fd) not in saved:
                        saved[str(fd)] = self._covered(fd)
                    if stream is None:
                        self.close(fd)
                    else:
                        self.install(fd, stream)
                if len(self.proc.fds) > MOST_DESCRIPTORS:
                    raise Fault("Too many open files")
        except Fault as fault:
            self.restore(saved)
            self.complain(str(fault))
            raise BadRedirect from None
        return saved

    def _covered(self, fd: int) -> int | None:
        stream = self.proc.fds.pop(fd, None)
        if stream is None:
            return None
        kept = self.hide(stream)
        stream.close()
        return kept

    def restore(self, saved: dict[str, int | None]) -> None:
        for fd, kept in saved.items():
            self.close(int(fd))
            if kept is not None and kept in self.proc.fds:
                self.proc.fds[int(fd)] = self.proc.fds.pop(kept)

    def settle(self, saved: dict[str, int | None]) -> None:
        """They stay."""
        for kept in saved.values():
            if kept is not None:
                self.close(kept)

    def _opened(self, redirect: tree.Redirect, target: str) -> list[tuple[int, Stream | None]]:
        op = redirect.op
        fd = redirect.fd if redirect.fd is not None else 0 if op[0] == "<" else 1
        if op == "<<":
            return [(fd, Given(target))]
        if op == "<<<":
            return [(fd, Given(target + "\n"))]
        if op in ("<&", ">&"):
            if target == "-":
                return [(fd, None)]
            if target.isdigit():
                stream = self.proc.fds.get(int(target)) if int(target) < HIDDEN else None
                if stream is None:
                    raise Fault(f"{target}: Bad file descriptor")
                return [(fd, stream)]
            if op == ">&" and redirect.fd is None and self.flavor != "dash":
                stream = self._file(target, "w")
                return [(1, stream), (2, stream)]
            raise Trouble("syntax error: bad fd number" if self.flavor == "ash" else "Bad fd number" if self.flavor == "dash"
                          else f"{target}: ambiguous redirect", 1 if self.flavor == "bash" else 2)
        if op in ("&>", "&>>"):
            stream = self._file(target, "a" if op == "&>>" else "w")
            return [(1, stream), (2, stream)]
        if op == ">" and self.option("C") and self.proc.files.kind(self.proc.path(target)) == "file" and not target.startswith("/dev/"):
            raise Fault(f"{target}: cannot overwrite existing file" if self.flavor == "bash" else
                        f"can't create {target}: File exists" if self.flavor == "ash" else f"cannot create {target}: File exists")
        if op == "<>":
            if not self.proc.files.kind(self.proc.path(target)) and not (self.flavor == "bash" and ADDRESS.fullmatch(target)):
                self._file(target, "a")
            stream = self._file(target, "r")
            return [(fd, Both(self.proc.files, stream.path) if isinstance(stream, FileReader) else stream)]
        return [(fd, self._file(target, {"<": "r", ">>": "a"}.get(op, "w")))]

    def _connected(self, address: str) -> Stream:
        found = self.connections.pop(address, "Connection reset by peer")
        if isinstance(found, Stream):
            return found
        if found:
            self.proc.err(f"{self.state['zero']}: connect: {found}\n")
        else:
            self.complain(f"{ADDRESS.fullmatch(address)[1]}: Name or service not known")
        raise Fault(f"{address}: {found or 'Invalid argument'}")

    def _file(self, target: str, mode: str) -> Stream:
        if self.flavor == "bash" and ADDRESS.fullmatch(target):
            return self._connected(target)
        try:
            return self.proc.open(target, mode)
        except Fault as fault:
            text = str(fault)
            if self.flavor == "bash":
                raise Fault(f"{target}: {'No such file or directory' if text in NO_FILE else text}") from None
            if text in NO_FILE:
                text = ("no such file" if mode == "r" else "nonexistent directory") if self.flavor == "ash" else (
                    "No such file" if mode == "r" else "Directory nonexistent")
            verb = ("open" if mode == "r" else "create")
            raise Fault(f"{'can' + chr(39) + 't' if self.flavor == 'ash' else 'cannot'} {verb} {target}: {text}") from None

    def redirected(self, redirects: tuple[tree.Redirect, ...], body: Callable[[], Going]) -> Going:
        """Runs a compound command with its redirections."""
        level = self.level
        frame = self.enter()
        try:
            self.pure = False
            if "saved" not in frame:
                yield self.targets(redirects, frame)
                yield self.proc.flush()
                try:
                    frame["saved"] = self.redirect(redirects, frame["targets"])
                except BadRedirect:
                    return 2 if self.flavor == "dash" else 1
            if "status" not in frame:
                try:
                    frame["status"] = yield body()
                except Exec:
                    self.settle(frame.pop("saved"))
                    raise
                except (Exit, Return, Trouble):
                    yield self.proc.flush()
                    raise
                except Exception:
                    yield self.proc.flush()
                    raise
            yield self.proc.flush()
            return frame["status"]
        finally:
            if "saved" in frame:
                self.restore(frame.pop("saved"))
            self.leave(level)
