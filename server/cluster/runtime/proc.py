"""One process: what it reads, prints and opens, whom it starts and waits for, how long it sleeps and computes.

What it prints is gathered and goes out whenever it waits, in the order in which it was printed. Of a filter (``Program.resume`` "input")
what it has read is remembered, so that it can be begun again: ``dump`` is a process as plain data, from which ``load`` goes on.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from server.cluster.errno import DENIED, IS_DIRECTORY, NOT_DIRECTORY, NOT_FOUND
from server.cluster.process import Gate, Pass, Process, Sleep
from server.cluster.runtime import stopping
from server.cluster.runtime.devices import device
from server.cluster.runtime.files import Files
from server.cluster.runtime.mount_namespace import READ
from server.cluster.runtime.program import Machine, OutOfMemory, Program, Signalled
from server.cluster.runtime.signals import KILL, PIPE
from server.cluster.runtime.streams import BLOCK, BrokenPipe, Fault, FileReader, FileWriter, Stream
from server.cluster.runtime.tty import Tty

if TYPE_CHECKING:
    from server.cluster.runtime.system import System

HIDDEN = 1000  # descriptors from here on are a program's own: no other is given them
MOST_RECORDED = 64 * 1024  # characters that it has read and must be told again after a restart; four times that if it forgets some
LOGGED, CARRIED = 8, 64  # lines that make a step when they are printed: to where they are written down one by one, and elsewhere


class Proc:
    """One process, as its program, its parent and ``ps`` see it."""

    __slots__ = ("system", "pid", "ppid", "group", "program", "argv", "env", "cwd", "fds", "state", "started", "status", "done", "burn",
                 "traps", "session", "name", "user", "on_end", "heard", "_buffer", "_held", "_process", "_read", "_recorded", "_replay", "_mute",
                 "_said", "_taken_up", "_stuck", "stopped")

    def __init__(self, system: System, pid: int, ppid: int, program: Program, argv: list[str], env: dict[str, str], cwd: str,
                 fds: dict[int, Stream], state: dict[str, Any] | None, group: int, session: bool) -> None:
        self.system = system
        self.pid = pid
        self.ppid = ppid
        self.group = group
        self.program = program
        self.argv = argv
        self.name = posixpath.basename(argv[0]) if argv else ""
        self.env = env
        self.cwd = cwd
        self.fds = {number: stream.open() for number, stream in fds.items()}
        self.state: dict[str, Any] = state if state is not None else {}
        self.started = system.clock.now
        self.status: int | None = None
        self.done = Gate()
        self.burn: dict[str, Any] | None = None
        self.traps: dict[int, str] = {}  # by signal: "ignore", or "catch" when ``Signalled`` is its own affair
        self.session = session
        self.user = "root"
        self.on_end: Callable[[int], None] | None = None
        self.heard: Callable[[int], None] | None = None
        self._buffer: list[tuple[int, str]] = []
        self._held = 0
        self._process: Process | None = None
        self._recorded: list[str] | None = [] if program.resume == "input" else None
        self._read = 0
        self._replay: list[str] = []
        self._mute = 0
        self._said = 0
        self._taken_up = False
        self._stuck = False
        self.stopped: stopping.Stopped | None = None

    # its life

    @property
    def alive(self) -> bool:
        return self.status is None

    @property
    def machine(self) -> Machine:
        return self.system.machine

    @property
    def args(self) -> list[str]:
        return self.argv[1:]

    @property
    def resumed(self) -> bool:
        """Whether it goes on from a dump; then ``state`` says where."""
        return self._taken_up

    def begin(self) -> None:
        self._process = Process(self.system.clock, self._run(), self._ended)

    def _run(self) -> Generator[Any, Any, int]:
        """The program, with what it has printed sent on before each of its waits."""
        code: Any = 0
        try:
            code = self.program.run(self)
            if isinstance(code, Generator):
                code = yield from self._driven(code)
            yield from self.flush()
        except Signalled as caught:
            code = 128 + caught.signal
        except BrokenPipe:
            code = 128 + PIPE
        except OutOfMemory:
            code = yield from self._failed("out of memory")
        except Fault as fault:
            code = yield from self._failed(str(fault))
        return code if isinstance(code, int) else 0

    def _failed(self, why: str) -> Generator[Any, Any, int]:
        """Says why it ends, if anybody is there to hear it."""
        self._buffer.append((2, f"{self.name}: {why}\n"))
        try:
            yield from self.flush()
        except (BrokenPipe, Fault):
            self._buffer.clear()
        return 1

    def _driven(self, program: Generator[Any, Any, int]) -> Generator[Any, Any, int]:
        send: Callable[[], Any] = lambda: next(program)  # noqa: E731
        while True:
            try:
                wait = send()
            except StopIteration as stop:
                return stop.value
            try:
                if self._buffer and not self._stuck:
                    yield from self.flush()
                self.machine.changed()
                value = yield wait
                if self.stopped is not None:
                    yield from stopping.halted(self)
            except GeneratorExit:
                program.close()
                raise
            except Exception as error:
                send = lambda error=error: program.throw(error)  # noqa: E731
            else:
                send = lambda value=value: program.send(value)  # noqa: E731

    def _ended(self, value: Any) -> None:
        if isinstance(value, Exception):
            value = self.system.crashed(self, value)
        self.system.ended(self, value if isinstance(value, int) else 128 + KILL)

    def stop(self, status: int) -> None:
        """Ends it from outside, at once."""
        process = self._process
        if process is not None and process.alive:
            process.on_exit = None
            process.kill()
        self._buffer.clear()
        self.system.ended(self, status)

    def raise_(self, signal: int) -> None:
        """Tells its program of a signal."""
        if self.heard is not None:
            self.heard(signal)
        elif self._process is not None:
            self._process.throw(Signalled(signal))

    # what it prints and reads

    def out(self, text: str) -> None:
        self.write(1, text)

    def err(self, text: str) -> None:
        self.write(2, text)

    def write(self, fd: int, text: str) -> None:
        """Gathers text for a descriptor; it goes out at the next wait, or ``flush``. OutOfMemory when it is too much to gather."""
        if not text:
            return
        self._held += len(text)
        if self._held > self.system.memory:
            self._held -= len(text)
            raise OutOfMemory
        if self._buffer and self._buffer[-1][0] == fd:
            self._buffer[-1] = (fd, self._buffer[-1][1] + text)
        else:
            self._buffer.append((fd, text))

    def flush(self) -> Generator[Any, Any, None]:
        """Sends on what was printed, waiting where a pipe is full. BrokenPipe, Fault."""
        while self._buffer:
            fd, text = self._buffer.pop(0)
            self._held -= len(text)
            if self._mute:
                hidden = min(self._mute, len(text))
                self._mute -= hidden
                self._said += hidden
                text = text[hidden:]
            stream = self.fds.get(fd)
            if stream is None or not text:
                continue
            while not _written(stream, text):
                self._buffer.insert(0, (fd, text))
                self._held += len(text)
                self._stuck = True
                try:
                    yield Pass(stream.writable)
                finally:
                    self._stuck = False
                fd, text = self._buffer.pop(0)
                self._held -= len(text)
            self._said += len(text)
            lines = LOGGED if stream.kind in ("sink", "tty") else CARRIED
            if self.spins(text.count("\n") // lines + len(text) // 1024):
                yield from self.breathe()

    def read(self, fd: int = 0, size: int = BLOCK) -> Generator[Any, Any, str]:
        """Up to ``size`` characters of a descriptor, waiting for the first; "" at the end. Fault."""
        return (yield from self._got(fd, lambda stream: stream.read(size)))

    def readline(self, fd: int = 0) -> Generator[Any, Any, str]:
        """A line with its newline, and nothing behind it: what follows is left to whoever shares the descriptor."""
        return (yield from self._got(fd, lambda stream: stream.readline()))

    def _got(self, fd: int, take: Callable[[Stream], str | None]) -> Generator[Any, Any, str]:
        if self._replay and fd == 0:
            return self._replay.pop(0)
        stream = self.fds.get(fd)
        if stream is None:
            raise Fault("Bad file descriptor")
        if self._recorded and fd == 0 and self.program.forgets is not None:
            yield from self._forget()
        while (text := take(stream)) is None:
            yield Pass(stream.readable)
        if self._recorded is not None and fd == 0:
            self._record(text)
        if self.spins(1 + len(text) // 1024):
            yield from self.breathe()
        return text

    def _record(self, text: str) -> None:
        self._recorded.append(text)
        self._read += len(text)
        if self._read > MOST_RECORDED * (1 if self.program.forgets is None else 4):
            self._recorded = None
        elif len(self._recorded) > 64:
            self._recorded = ["".join(self._recorded)]

    def _forget(self) -> Generator[Any, Any, None]:
        """It reads on: what it has dealt with, all that it printed of it gone out, need not be told again."""
        if how := self.program.forgets(self.args):
            yield from self.flush()
            rest = "".join(self._recorded or ()).rpartition("\n")[2] if how == "lines" else ""
            self._recorded, self._read, self._said = [rest] if rest else [], len(rest), 0

    def isatty(self, fd: int = 0) -> bool:
        return isinstance(self.fds.get(fd), Tty)

    @property
    def tty(self) -> Tty | None:
        """The terminal that it is in front of, if its input is one."""
        stream = self.fds.get(0)
        return stream if isinstance(stream, Tty) else None

    # files

    def path(self, path: str) -> str:
        """The absolute path of what it calls ``path``."""
        full = posixpath.normpath(posixpath.join(self.cwd, path)) if path else ""
        return f"/proc/{self.pid}{full[10:]}" if full.startswith("/proc/self/") and not full.startswith("/proc/self/fd/") else full

    @property
    def files(self) -> Files:
        return self.machine.files

    def open(self, path: str, mode: str = "r") -> Stream:
        """Opens a file to read ("r"), write ("w") or append ("a"); the caller gives it a descriptor or closes it. Fault."""
        full = self.path(path)
        if (special := device(self, full)) is not None:
            return special
        kind = self.files.kind(full)
        if kind == "directory" or not full or mode != "r" and path.endswith("/"):
            raise Fault(IS_DIRECTORY if full else NOT_FOUND)
        if mode == "r":
            if not kind:
                raise Fault(self.files.why_not(full))
            if path.endswith("/"):
                raise Fault(NOT_DIRECTORY)
            if not self.files.may(full, READ):
                raise Fault(DENIED)
            return FileReader(self.files, full)
        if fault := self.files.write(full, "", append=mode == "a"):
            raise Fault(fault)
        return FileWriter(self.files, full)

    # other processes

    def spawn(self, argv: list[str], *, env: dict[str, str] | None = None, cwd: str | None = None, fds: dict[int, Stream] | None = None,
              program: Program | None = None, state: dict[str, Any] | None = None, group: int = 0) -> Proc:
        """Starts a command as a child (``program`` and ``state`` given: that one). ExecFault when there is none, Fault when there are
        too many."""
        return self.system.spawn(argv, parent=self, env=self.env if env is None else env, cwd=cwd or self.cwd,
                                 fds=self.fds if fds is None else fds, program=program, state=state, group=group or self.group,
                                 session=self.session)

    def become(self, argv: list[str], env: dict[str, str]) -> Generator[Any, Any, int]:
        """Runs another program in its own place, as exec does: what that one returns is the exit code. ExecFault."""
        yield from self.flush()
        self.program, self.argv = self.system.program_of(argv, self.cwd, env)
        self.name, self.env, self.state, self._taken_up = posixpath.basename(self.argv[0]), env, {}, False
        self.traps = {signal: how for signal, how in self.traps.items() if how == "ignore"}
        self._recorded = [] if self.program.resume == "input" else None
        self._replay, self._mute, self._said, self._read = [], 0, 0, 0
        for fd in [fd for fd in self.fds if fd >= HIDDEN]:
            self.fds.pop(fd).close()
        code = self.program.run(self)
        return (yield from code) if isinstance(code, Generator) else code

    def wait(self, child: Proc) -> Generator[Any, Any, int]:
        """Waits for a child's end: its exit status."""
        while child.alive:
            yield Pass(child.done)
        self.system.reap(child)
        return child.status if child.status is not None else 0

    # time and work

    def sleep(self, seconds: float) -> Generator[Any, Any, None]:
        """Waits so long; a program with ``resume="state"`` that was taken up in the middle waits the rest."""
        now = self.system.clock.now
        until = self.state.pop("until", None) if self._taken_up else None
        until = now + seconds if until is None else until
        if until == float("inf"):
            yield Pass(Gate())
        self.state["until"] = until
        yield Sleep(max(0.0, until - now))
        self.state.pop("until", None)

    def spins(self, steps: int = 1) -> bool:
        """Counts work done without waiting: whether it is time to ``breathe``."""
        return self.system.spins(steps)

    def breathe(self) -> Generator[Any, Any, None]:
        """It computes without end: a core is busy until the machine's processes may go on."""
        yield Sleep(self.system.breath(self.pid))

    def compute(self, burn: dict[str, Any] | None) -> None:
        """What it takes of CPU and memory from now on (``burners.Burn.state``), None for next to nothing."""
        self.burn = burn
        self.machine.burning()

    # as data

    def dump(self, number: Callable[[Stream], int]) -> dict[str, Any]:
        data: dict[str, Any] = {"pid": self.pid, "ppid": self.ppid, "group": self.group, "argv": list(self.argv), "cwd": self.cwd,
                                "started": self.started, "fds": {str(fd): number(stream) for fd, stream in self.fds.items()}}
        if self.env is not self.system.environment:
            data["env"] = dict(self.env)
        if self.state:
            data["state"] = self.state
        if self.traps:
            data["traps"] = {str(signal): how for signal, how in self.traps.items()}
        if self.burn is not None:
            data["burn"] = self.burn
        if self.stopped is not None:
            data["stopped"] = self.stopped.waiting
        if self._recorded:
            data["read"] = list(self._recorded)
        elif self._recorded is None and self.program.resume == "input":
            data["forgotten"] = True
        if self.program.resume == "input" and (self._said or self._mute):
            data["said"] = self._said + self._mute
        if self._buffer:
            data["buffer"] = [list(entry) for entry in self._buffer]
        return data

    def load(self, data: dict[str, Any]) -> None:
        self.started = data["started"]
        self._taken_up = True
        self.traps = {int(signal): how for signal, how in (data.get("traps") or {}).items()}
        self.burn = data.get("burn")
        if "stopped" in data:
            self.stopped = stopping.Stopped()
            self.stopped.waiting.extend(data["stopped"])
        if self.program.resume == "input":
            self._replay = list(data.get("read") or ())
            self._recorded = list(self._replay)
            self._read = sum(len(text) for text in self._replay)
            self._mute = max(0, data.get("said", 0))
        else:
            self._buffer = [(fd, text) for fd, text in data.get("buffer") or ()]
            self._held = sum(len(text) for _, text in self._buffer)


def _written(stream: Stream, text: str) -> bool:
    """``write``, with a fault worded as programs do."""
    try:
        return stream.write(text)
    except Fault as fault:
        raise Fault(f"write error: {fault}") from None
