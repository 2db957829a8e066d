"""The processes of one machine: a table of them, whom a signal reaches, and how much they may compute.

A command line becomes a program (a file with ``#!`` its interpreter); processes that have ended stay until they are waited for. Those
that compute without end have their part of each virtual second, and rest longer the longer they go on. ``dump`` is the whole table as
plain data, from which ``load`` goes on: see ``Program.resume`` for what that asks of programs.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

import orjson

from server.cluster.errno import NOT_FOUND
from server.cluster.process import Interrupted
from server.cluster.runtime import kits, stopping
from server.cluster.runtime.binaries import program_in
from server.cluster.runtime.burners import SPIN
from server.cluster.runtime.pids import Pids
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import MEMORY, ExecFault, Machine, Program
from server.cluster.runtime.signals import HARMLESS, KILL, SIGNALS, STOP
from server.cluster.runtime.streams import BrokenPipe, Endless, Fault, FileReader, FileWriter, Given, Null, Pipe, Stream, given_back, kept

MOST_ENTRIES = 256  # of the table, those that have ended and were not waited for included
MOST_PROCESSES, MOST_DESCRIPTORS, MOST_ARGUMENTS = 64, 64, 128 * 1024
SPARE = 8  # more processes for who comes in from outside: a machine that is full can still be told to kill some
BURST, BREATH, LONGEST_BREATH = 1000, 1.0, 16.0  # steps that a machine's processes make in a virtual second, and how long they rest at most
PATIENCE, TURN = 8, 64  # seconds of that after which they are slowed down; steps after which others have their turn


class System:
    """The processes of a machine. ``output(fd)`` is where its first process prints; ``on_exit(code)`` hears of that one's end."""

    def __init__(self, machine: Machine, output: Callable[[int], Stream], on_exit: Callable[[int], None] | None = None,
                 burst: int = BURST, pids: Pids | None = None, first: int = 1) -> None:
        self.machine = machine
        self.clock = machine.clock
        self.output = output
        self.on_exit = on_exit
        self.burst = burst
        self.memory = MEMORY
        self.environment: dict[str, str] = {}
        self.procs: dict[int, Proc] = {}
        self.pids = pids if pids is not None else Pids()
        self.first = first
        self.on_gone: Callable[[Proc], None] | None = None
        self._spent = 0
        self._since = -BREATH
        self._breath = BREATH
        self._turn = 0
        self._bursts = 0
        self._slowed = -BREATH
        self._sent: list[tuple[int, int]] = []  # signals on their way
        self._spinning: dict[int, float] = {}

    # birth and death

    def spawn(self, argv: list[str], *, parent: Proc | None = None, env: dict[str, str] | None = None, cwd: str = "/",
              fds: dict[int, Stream] | None = None, program: Program | None = None, state: dict[str, Any] | None = None, group: int = 0,
              session: bool = False, outside: bool = False, pid: int = 0) -> Proc:
        """Starts a process; ``outside``: for somebody who comes in, who has some room where there is none; ``pid`` if it has one already.
        ExecFault, Fault."""
        if env is None:
            env = self._given()
        if program is None:
            program, argv = self.program_of(argv, cwd, env)
        spare = SPARE if outside else 0
        if len(self.procs) >= MOST_PROCESSES + spare and (len(self.procs) >= MOST_ENTRIES + spare or sum(
                proc.alive for proc in self.procs.values()) >= MOST_PROCESSES + spare):
            raise Fault("Resource temporarily unavailable")
        if len(fds or ()) > MOST_DESCRIPTORS:
            raise Fault("Too many open files")
        pid = pid or self.pids.take()
        self.pids.reach(pid)
        proc = Proc(self, pid, parent.pid if parent is not None else 0, program, argv, env, cwd, fds or {}, state, group or pid, session)
        if parent is not None:
            proc.user = parent.user
        self.procs[pid] = proc
        proc.begin()
        return proc

    def adopt(self, argv: list[str], cwd: str, heard: Callable[[int], None], started: float, workers: tuple[str, ...] = (),
              user: str = "") -> Proc:
        """Puts down a first process that runs without any program of its own, with its workers, who are ``user``; ``heard(signal)`` is told of
        signals. A title (``nginx: master process ...``) may stand for the words."""
        first = Proc(self, self.first, 0, Program(lambda proc: 0), argv, self._given(), cwd, {1: self.output(1), 2: self.output(2)}, None,
                     self.first, False)
        first.heard, first.started, first.name = heard, started, _called(argv[0])
        first.traps = dict.fromkeys(set(SIGNALS.values()) - {KILL, STOP}, "catch")
        self.procs[first.pid] = first
        for pid, name in enumerate(workers, first.pid + 1):
            worker = Proc(self, pid, first.pid, first.program, [name], first.env, cwd, {}, None, first.pid, False)
            worker.heard, worker.started, worker.name = (lambda signal: None), started, _called(name)
            worker.traps = {KILL: "ignore"}
            worker.user = user or first.user
            self.procs[worker.pid] = worker
        self.pids.reach(first.pid + len(workers))
        return first

    def _given(self) -> dict[str, str]:
        self.environment = self.environment or self.machine.environment()
        return self.environment

    def has_own(self) -> bool:
        """Whether there are processes that neither stand for a server nor belong to a session."""
        return any(proc.alive and not proc.session and proc.heard is None for proc in self.procs.values())

    def program_of(self, argv: list[str], cwd: str, env: dict[str, str]) -> tuple[Program, list[str]]:
        """What a command line runs: (program, its words). ExecFault."""
        word, files = argv[0], self.machine.files
        if sum(len(each) for each in argv) > MOST_ARGUMENTS:
            raise ExecFault("Argument list too long", 126)
        if "/" not in word:
            found = self.machine.find(word)
            if found is not None:
                return found, argv
            paths = [posixpath.join(folder, word) for folder in env.get("PATH", "").split(":") if folder]
        else:
            paths = [posixpath.normpath(posixpath.join(cwd, word))]
            if self.machine.where(posixpath.basename(word)) in (paths[0], files.resolve(paths[0], last=False)) or (
                    posixpath.dirname(paths[0]) in ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin")
                    and files.kind(paths[0]) == "" and self.machine.where(posixpath.basename(word))):
                return self.machine.find(posixpath.basename(word)), argv
        for path in paths:
            kind = files.kind(path)
            if kind == "directory" and "/" in word or kind == "file" and not files.executable(path):
                raise ExecFault("Permission denied", 126)
            if kind == "file":
                return self._script(path, argv)
        raise ExecFault("not found" if "/" not in word else NOT_FOUND)

    def _script(self, path: str, argv: list[str]) -> tuple[Program, list[str]]:
        text = self.machine.files.read(path) or ""
        if name := program_in(text):
            called = posixpath.basename(argv[0])
            program = self.machine.binary(called if name == "busybox" else name) if name != "busybox" or called in kits.APPLETS or (
                called == "busybox") else None
            if program is None:
                raise ExecFault("applet not found")
            return program, argv
        first = text.partition("\n")[0]
        words = first[2:].split(None, 1) if first.startswith("#!") else ["/bin/sh"]
        if words and posixpath.basename(words[0]) == "env" and len(words) > 1:
            words = words[1].split(None, 1)
        program = self.machine.find(posixpath.basename(words[0])) if words else None
        if program is None:
            raise ExecFault("not found")
        return program, [*words, argv[0] if "/" in argv[0] else path, *argv[1:]]

    def ended(self, proc: Proc, status: int) -> None:
        if proc.status is not None:
            return
        proc.status = status & 255
        for stream in proc.fds.values():
            stream.close()
        proc.fds = {}
        if proc.burn is not None:
            proc.compute(None)
        if self._spinning.pop(proc.pid, None) is not None:
            self.machine.burning()
        parent = self.procs.get(proc.ppid)
        if parent is None or not parent.alive or parent.heard is not None:
            self.procs.pop(proc.pid, None)
        for child in [child for child in self.procs.values() if child.ppid == proc.pid]:
            child.ppid = 1
            stopping.orphaned(child)
            if not child.alive:
                self.procs.pop(child.pid, None)
        proc.done.open()
        self.machine.changed()
        if proc.on_end is not None:
            proc.on_end(proc.status)
        if self.on_gone is not None:
            self.on_gone(proc)
        if proc.pid == self.first and self.on_exit is not None:
            self.on_exit(proc.status)

    def crashed(self, proc: Proc, error: Exception) -> int:
        """A program that broke inside Podium says so, and ends."""
        stream = proc.fds.get(2)
        if stream is not None and not isinstance(error, Interrupted):
            try:
                stream.write(f"podium: {proc.name} failed inside Podium: {type(error).__name__}: {error}\n")
            except (Fault, BrokenPipe):
                pass
        return 130 if isinstance(error, Interrupted) else 70

    def reap(self, proc: Proc) -> None:
        if not proc.alive:
            self.procs.pop(proc.pid, None)

    def kill_all(self, status: int = 128 + KILL) -> None:
        """The machine is gone."""
        self.on_exit = None
        for proc in list(self.procs.values()):
            if proc.alive:
                proc.stop(status)
        self.procs.clear()

    def seen(self) -> list[Proc]:
        """All processes that one of these sees, in order."""
        return sorted(self.pids.everybody(self), key=lambda proc: proc.pid)

    # signals

    def signal(self, proc: Proc, signal: int) -> None:
        """Sends a signal; it comes after what happens now."""
        self._sent.append((proc.pid, signal))
        self.clock.call_later(0, self._deliver, proc, signal)

    def signal_group(self, group: int, signal: int) -> None:
        for proc in [proc for proc in self.procs.values() if proc.group == group and proc.alive]:
            self.signal(proc, signal)

    def _deliver(self, proc: Proc, signal: int) -> None:
        self._sent.remove((proc.pid, signal))
        if not proc.alive:
            return
        how = proc.traps.get(signal)
        if how == "ignore" or stopping.heard(proc, signal):
            return
        if signal == KILL:
            if proc.pid != 1:
                proc.stop(128 + KILL)
        elif how == "catch" or signal not in HARMLESS and proc.pid != 1:
            proc.raise_(signal)

    # work

    def spins(self, steps: int) -> bool:
        now = self.clock.now
        if now - self._since >= self._breath:
            if now - self._since > 2 * self._breath:
                self._breath, self._bursts = BREATH, 0
            self._since, self._spent, self._turn = now, 0, 0
        self._spent += steps
        return self._spent > self.burst or self._spent - self._turn > TURN

    def rested(self) -> None:
        """Somebody asks for more: what was done before is forgotten."""
        self._since, self._spent, self._turn, self._breath, self._bursts = self.clock.now, 0, 0, BREATH, 0

    def breath(self, pid: int) -> float:
        """How long a process that computes waits before it goes on: not at all as long as it has its part of the second, else until the
        next one; longer and longer when that goes on and on. It keeps a core busy until it has been quiet for as long again."""
        now = self.clock.now
        if self._spent <= self.burst:
            self._turn = self._spent
            return 0.0
        length = max(0.001, self._since + self._breath - now)
        if self._since != self._slowed:
            self._slowed = self._since
            self._bursts += 1
            if self._bursts > PATIENCE:
                self._breath = min(LONGEST_BREATH, self._breath * 2)
        quiet = max(BREATH, length)
        if not self._spinning:
            self.clock.call_later(length + quiet, self._calm)
        news = pid not in self._spinning
        self._spinning[pid] = now + length + quiet
        if news:
            self.machine.burning()
        return length

    def _calm(self) -> None:
        now = self.clock.now
        kept = {pid: until for pid, until in self._spinning.items() if until > now and pid in self.procs and self.procs[pid].alive}
        news, self._spinning = len(kept) != len(self._spinning), kept
        if kept:
            self.clock.call_later(min(kept.values()) - now, self._calm)
        if news:
            self.machine.burning()

    @property
    def burn(self) -> dict[str, Any] | None:
        """What all processes take together."""
        burns = [proc.burn for proc in self.procs.values() if proc.burn is not None and proc.stopped is None]
        burns.extend(SPIN.state(self._since) for _ in self._spinning)
        if len(burns) < 2:
            return burns[0] if burns else None
        together: dict[str, Any] = {"cpu": sum(burn.get("cpu", 0) for burn in burns), "since": min(burn["since"] for burn in burns)}
        if memory := sum(burn.get("memory", 0) for burn in burns):
            together |= {"memory": memory, "growth": sum(burn.get("growth", 0) for burn in burns if "memory" in burn)}
        return together

    # as data

    def dump(self) -> dict[str, Any]:
        """All processes but those of sessions, as plain data."""
        numbers: dict[int, int] = {}
        streams: list[dict[str, Any]] = []
        pipes: list[Pipe] = []

        def number(stream: Stream) -> int:
            known = numbers.get(id(stream))
            if known is None:
                pipe = getattr(stream, "pipe", None)
                if pipe is not None and pipe not in pipes:
                    pipes.append(pipe)
                    pipe.id = len(pipes)
                known = numbers[id(stream)] = len(streams)
                streams.append(stream.dump())
            return known

        procs = [proc.dump(number) for proc in self.procs.values() if proc.alive and not proc.session and proc.heard is None]
        ended = [[proc.pid, proc.ppid, proc.status] for proc in self.procs.values() if not proc.alive and not proc.session]
        data: dict[str, Any] = {"last": self.pids.last, "procs": procs, "streams": streams}
        if ended:
            data["ended"] = ended
        if signals := [entry for entry in self._sent if entry[0] in self.procs and not self.procs[entry[0]].session]:
            data["signals"] = signals
        if pipes:
            data["pipes"] = [[pipe.id, pipe.text, pipe.written, pipe.gone] for pipe in pipes]
        try:
            return orjson.loads(orjson.dumps(data))
        except TypeError:
            return {"raw": orjson.loads(orjson.dumps(kept(data)))}

    def load(self, data: dict[str, Any]) -> None:
        """Goes on from a dump."""
        if "raw" in data:
            data = given_back(data["raw"])
        self.pids.reach(data["last"])
        self.environment = self.machine.environment()
        pipes = {}
        for id_, text, written, gone in data.get("pipes") or ():
            pipes[id_] = pipe = Pipe(text, id_)
            pipe.written, pipe.gone = written, gone
        streams = [self._stream(entry, pipes) for entry in data["streams"]]
        for pid, ppid, status in data.get("ended") or ():
            self.procs[pid] = gone = Proc(self, pid, ppid, Program(lambda proc: 0), [""], {}, "/", {}, None, pid, False)
            gone.status = status
        lost = {entry["pid"] for entry in data["procs"] if entry.get("forgotten")}
        for entry in data["procs"]:
            argv, env = entry["argv"], entry.get("env", self.environment)
            try:
                program, _ = self.program_of(argv, entry["cwd"], env)
            except Fault:
                program = Program(lambda proc: 128 + KILL)
            proc = Proc(self, entry["pid"], entry["ppid"], program, argv, env, entry["cwd"],
                        {int(fd): streams[at] for fd, at in entry["fds"].items()}, dict(entry.get("state") or {}), entry["group"], False)
            proc.load(entry)
            self.procs[proc.pid] = proc
        for proc in list(self.procs.values()):
            if proc.alive:
                if proc.program.resume and proc.pid not in lost:
                    proc.begin()
                else:
                    proc.stop(128 + KILL)
        for pid, signal in data.get("signals") or ():
            if pid in self.procs:
                self.signal(self.procs[pid], signal)

    def _stream(self, data: dict[str, Any], pipes: dict[int, Pipe]) -> Stream:
        kind, files = data["kind"], self.machine.files
        if kind == "reader":
            return FileReader(files, data["path"], data["at"])
        if kind == "writer":
            return FileWriter(files, data["path"])
        if kind == "given":
            return Given(data["text"])
        if kind == "endless":
            return Endless(data["path"])
        if kind == "pipe-reader":
            return pipes[data["pipe"]].reader
        if kind == "pipe-writer":
            return pipes[data["pipe"]].writer
        return self.output(2 if data.get("name") == "stderr" else 1) if kind == "sink" else Null()


def _called(title: str) -> str:
    """The command's name in a title that a program has given itself."""
    return posixpath.basename(title.partition(": ")[0])
