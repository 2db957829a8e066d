"""A session at the room's workstation: text goes in, a shell runs it on the room's virtual clock, and what it prints comes out.

A session keeps its shell's variables, functions, directory and kubeconfig from one text to the next; files, ports and background jobs
are the workstation's. In front of a page the shell has a terminal (``Tty``), over HTTP it has not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server import green
from server.cluster.runtime import sh
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import PROGRAMS
from server.cluster.runtime.signals import HUP, INT, KILL
from server.cluster.runtime.streams import Fault, Null, Sink, Stream
from server.cluster.runtime.tty import MOST_HISTORY, Tty
from server.kubectl.context import Context, Kubeconfig
from server.rooms.completion import complete
from server.rooms.editing import Editing
from server.rooms.files import HOME
from server.rooms.room import Room, RoomError
from server.rooms.workstation import Workstation

CUT = "\n... output cut: it is longer than this terminal keeps\n"
MOST_LINES = 64  # of a pasted text that are tried one by one for where a command ends; beyond, ever more at once
INTERACTIVE = str.maketrans("", "", "im")  # options of the shell that a person types to
Write = Callable[[str], Any]


class Output:
    """A bounded stream: past the limit the command's output is cut, and says so once."""

    def __init__(self, write: Write, limit: int) -> None:
        self._write = write
        self._limit = limit
        self._left = limit

    def write(self, text: str) -> None:
        if len(text) <= self._left:
            self._left -= len(text)
            self._write(text)
        elif self._left >= 0:
            self._write(text[:self._left] + CUT)
            self._left = -1

    def renew(self) -> None:
        """Somebody has typed: what is printed from now on answers that."""
        self._left = self._limit


class Aside(Tty):
    """The terminal as standard error finds it: whole lines that are printed here are shown as what they are."""

    def __init__(self, tty: Tty, show: Write) -> None:
        super().__init__(show)
        self._tty = tty

    def read(self, size: int = 65_536) -> str | None:
        return self._tty.read(size)

    def readline(self) -> str | None:
        return self._tty.readline()

    def write(self, text: str) -> bool:
        return super().write(text) if text.endswith("\n") else self._tty.write(text)


class Line:
    """A text that the shell runs: its processes find it at ``proc.session``."""

    def __init__(self, terminal: Terminal, stdout: Write, stderr: Write, on_exit: Callable[[int], None], columns: int, rows: int, typed: bool,
                 editing: Editing | None) -> None:
        limit = terminal.room.settings.max_output
        self.terminal = terminal
        self.editing = editing
        self.tty: Tty | None = None
        self.proc: Proc | None = None
        self.ended = False
        self._on_exit = on_exit
        self._out, self._err = Output(stdout, limit), Output(stderr, limit)
        if typed:
            self.tty = Tty(self._out.write, columns, rows)
            self.fds: dict[int, Stream] = {0: self.tty, 1: self.tty, 2: Aside(self.tty, self._err.write)}
        else:
            self.fds = {0: Null(), 1: Sink("stdout", self._out.write), 2: Sink("stderr", self._err.write)}

    def feed(self, text: str) -> None:
        """What is typed while it runs."""
        if self.tty is not None:
            self._out.renew()
            self._err.renew()
            self.tty.feed(text)
            self.terminal.room.instant()

    def resize(self, columns: int, rows: int) -> None:
        if self.tty is not None:
            self.tty.resize(columns, rows)
            self.terminal.room.instant()

    def signal(self, signal: int) -> None:
        """A signal to what runs in the foreground."""
        system = self.terminal.workstation.system
        if self.proc is not None and not self.ended:
            system.signal_group(self.tty.foreground if self.tty is not None else self.proc.group, signal)
            self.terminal.room.instant()

    def stop(self) -> None:
        """Ctrl-C, and for what does not heed it the end."""
        for signal in (INT, KILL):
            self.signal(signal)
        if not self.ended and self.proc is not None:
            self.proc.stop(128 + KILL)

    def hang_up(self) -> None:
        """The person is gone, and all that was started here with them."""
        if self.tty is not None:
            self.tty.hang_up()
        for proc in self._procs():
            proc.system.signal(proc, HUP)
        self.terminal.room.instant()
        for proc in self._procs():
            proc.stop(128 + KILL)

    @property
    def busy(self) -> bool:
        """Whether something that was started here still runs."""
        return bool(self._procs())

    def _procs(self) -> list[Proc]:
        return [proc for proc in self.terminal.workstation.system.procs.values() if proc.session is self and proc.alive]

    @property
    def unread(self) -> str:
        """What was typed ahead of the next prompt."""
        return self.tty.unread() if self.tty is not None else ""

    def write_error(self, text: str) -> None:
        self._err.write(text)

    def finish(self, code: int) -> None:
        if not self.ended:
            self.ended = True
            self._on_exit(code)


class Terminal:
    """``editing``: the person's editor, in front of a page."""

    def __init__(self, room: Room, workstation: Workstation, server_url: str = "https://192.168.1.10:6443", editing: Editing | None = None) -> None:
        self.room = room
        self.workstation = workstation
        self.kubeconfig = Kubeconfig(server_url)
        self.carried: dict[str, Any] = {}
        self.cwd = HOME
        self.lines: list[Line] = []
        self._leader: Proc | None = None
        self.editing = editing

    @property
    def place(self) -> str:
        """Where the prompt says that it is."""
        cwd = self.cwd
        return f"~{cwd[len(HOME):]}" if cwd == HOME or cwd.startswith(f"{HOME}/") else cwd

    def start(self, text: str, stdout: Write, stderr: Write, on_exit: Callable[[int], None], *, typed: bool = False, columns: int = 80,
              rows: int = 24) -> Line:
        """Runs a text; RoomError when it is too long or too many run already."""
        settings = self.room.settings
        if len(text) > settings.max_line:
            raise RoomError(f"the line is longer than {settings.max_line} characters", 413)
        if self.room.commands >= settings.max_commands:
            raise RoomError(f"{settings.max_commands} commands are running in this room already; stop one with Ctrl-C", 429)
        self.room.touch()
        if typed:
            self.carried["history"] = [*(self.carried.get("history") or ()), *text.rstrip("\n").split("\n")][-MOST_HISTORY:]
        line = Line(self, stdout, stderr, on_exit, columns, rows, typed, self.editing)
        try:
            line.proc = proc = self._shell(text, line)
        except Fault as fault:
            raise RoomError(f"bash: fork: retry: {fault}", 429) from None
        self.room.commands += 1
        self.lines.append(line)
        proc.on_end = lambda status: self._ended(line, proc, status)
        self.room.instant()
        return line

    def _shell(self, text: str, line: Line) -> Proc:
        self.workstation.system.rested()
        options = self.carried.get("options", "").translate(INTERACTIVE) + ("im" if line.tty is not None else "i")
        state = {**sh.begin(text, self.carried), "zero": "bash", "flavor": "bash", "options": options}
        if self._leader is None or not self._leader.alive:
            self._leader = self.workstation.system.spawn(["-bash"], program=PROGRAMS["pause"], session=True)
        shell = self.workstation.enter(["bash"], line.fds, line, parent=self._leader, program=sh.SHELL, state=state, cwd=self.cwd)
        self._give_jobs(shell)
        return shell

    def _give_jobs(self, parent: Proc) -> None:
        """The jobs of the session are that process's children: the shell's that runs, or the leader's who keeps them for the next."""
        procs = self.workstation.system.procs
        for pid in [pid for job in self.carried.get("jobs") or () for pid in job["pids"] if pid in procs]:
            procs[pid].ppid = parent.pid

    def _ended(self, line: Line, proc: Proc, code: int) -> None:
        self.room.commands -= 1
        if not line.busy:
            self.lines.remove(line)
        carried = sh.carry(proc.state)
        if carried:
            self.carried, self.cwd = carried, proc.cwd
        self._give_jobs(self._leader)
        self.workstation.system.reap(proc)
        try:
            self.room.after_write()
        except RoomError as error:
            line.write_error(f"podium: {error}\n")
            code = 70
        line.finish(code)

    def run(self, text: str) -> dict[str, Any]:
        """Runs a text to its end: {stdout, stderr, exit_code}. What outlasts the room's patience is stopped (124)."""
        stdout: list[str] = []
        stderr: list[str] = []
        done = green.Event()
        line = self.start(text, stdout.append, stderr.append, lambda code: done.ready() or done.send(code))
        if self.room.wait(done):
            code = done.wait()
        else:
            line.stop()
            stderr.append(f"podium: stopped: {self.room.outlasted}\n")
            code = 124
        return {"stdout": "".join(stdout), "stderr": "".join(stderr), "exit_code": code}

    def take(self, text: str) -> tuple[str, str]:
        """(the first whole command of what was typed or pasted, what is left); ("", text) if it is not whole yet."""
        lines = text.split("\n")
        if len(text) > self.room.settings.max_line or len(lines) == 1 and not sh.incomplete(f"{text}\n"):
            return text, ""
        count = 1
        while count <= len(lines):
            first = "\n".join(lines[:count])
            if first.strip() and not sh.incomplete(f"{first}\n"):
                return first, "\n".join(lines[count:])
            count += 1 if count < MOST_LINES else max(1, min(count // 4, len(lines) - count))
        return "", text

    def complete(self, text: str, cursor: int) -> tuple[int, list[str]]:
        """(where the word at the cursor begins, what it may become)."""
        return complete(self, text, cursor)

    def context(self) -> Context:
        """What kubectl's completion looks things up with."""
        nobody = Line(self, str, str, bool, 80, 24, False, None)
        program = Program(lambda proc: 0)
        return self.workstation.context(Proc(self.workstation.system, 0, 0, program, ["kubectl"], {}, self.cwd, {}, None, 0, nobody))

    def leave(self) -> None:
        for line in tuple(self.lines):
            line.hang_up()
        if self._leader is not None:
            self._leader.stop(128 + HUP)
