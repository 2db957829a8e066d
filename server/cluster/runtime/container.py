"""One container: a plan that runs, seen by its programs as the machine that they run on.

A server is nothing but facts (ports, since when); any other program is the first of a ``System`` of processes on the virtual clock,
whose every point is plain data. Whoever enters a server's container finds a process table that is made then. ``dump`` and ``Runtime.resume``
carry a container over a restart of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from server.cluster.clock import Timer
from server.cluster.runtime import pids, plans
from server.cluster.runtime.console import Console
from server.cluster.runtime.container_machine import ContainerMachine
from server.cluster.runtime.container_ports import ContainerPorts
from server.cluster.runtime.files import Files
from server.cluster.runtime.images import Image
from server.cluster.runtime.logs import Line, Log
from server.cluster.runtime.mount_namespace import Mount, kept, written
from server.cluster.runtime.pages.nginx import Start
from server.cluster.runtime.pids import Pids
from server.cluster.runtime.plans import Plan
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.servers import SERVERS
from server.cluster.runtime.serving import STOPPING, Listener, in_use
from server.cluster.runtime.session import Session
from server.cluster.runtime.signals import KILL
from server.cluster.runtime.streams import Fault, Null, Stream, given_back
from server.cluster.runtime.streams import kept as kept_text
from server.cluster.runtime.system import System
from server.cluster.runtime.usage import Meter

if TYPE_CHECKING:
    from server.cluster.runtime.runtime import Runtime, Sandbox

MOST_SESSIONS = 32
MOST_POSTPONED = 32  # a save waits for so many other things that happen in the same instant


class Launch(NamedTuple):
    """What a container is started with; the same object for all replicas of a template where it can be. Memory is in bytes, CPU in
    millicores; ``user`` is the spec's runAsUser, ``cwd`` its workingDir, ``target`` the container among whose processes it is."""

    name: str
    image: Image
    plan: Plan
    mounts: tuple[Mount, ...] = ()
    memory: int | None = None
    cpu_limit: int | None = None
    cpu_request: int = 0
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    cwd: str = ""
    user: int | None = None
    read_only: bool = False
    target: str = ""


class Container(ContainerPorts, ContainerMachine):
    """``outside`` is set when a program looks at what may change without anything in the pod changing: the time, the network."""

    __slots__ = ("runtime", "sandbox", "launch", "id", "started", "finished", "code", "listeners", "_log", "_files", "_console", "_system",
                 "own_files", "frozen", "on_exit", "on_change", "stopping", "environment_of", "previous", "meter", "outside", "sessions",
                 "_saving", "_ending", "_ports", "held", "_touched", "_postponed", "pids", "first")

    def __init__(self, runtime: Runtime, sandbox: Sandbox, launch: Launch, id_: str, started: float,
                 environment: Callable[[], dict[str, str]], on_exit: Callable[[Container, int], None],
                 on_change: Callable[[Container, bool], None]) -> None:
        """``on_change(container, files)``: its program has reached another point, or (``files``) changed what others may look at."""
        self.runtime = runtime
        self.sandbox = sandbox
        self.launch = launch
        self.id = id_
        self.started = started
        self.finished: float | None = None
        self.code: int | None = None
        self.listeners: dict[Proc | None, Listener] = {}
        self.own_files: dict[str, Any] = {}
        self.frozen: dict[str, dict[str, str]] = {}
        self.held: dict[str, Any] = {}  # what its server keeps in memory, as plain data
        self.on_exit = on_exit
        self.on_change = on_change
        self.stopping = False
        self.environment_of = environment
        self.previous: Container | None = None
        self.meter: Meter | None = None
        self.outside = False
        self.sessions: list[Session] = []
        self.pids: Pids | None = None
        self.first = 1
        self._log: Log | None = None
        self._files: Files | None = None
        self._console: Console | None = None
        self._system: System | None = None
        self._saving: Timer | None = None
        self._ending: Timer | None = None
        self._ports: tuple[int, ...] = ()
        self._touched = False
        self._postponed = 0

    # its life

    def forget(self) -> None:
        """It is gone, with all that it wrote."""
        if self._log is not None:
            self._log.forget()
        self.runtime.written.used -= kept(self.own_files)
        self.runtime.written.bytes -= written(self.own_files)
        self.own_files.clear()

    @property
    def running(self) -> bool:
        return self.finished is None

    def begin(self, data: dict[str, Any] | None = None) -> None:
        """Starts what is planned, or goes on from what ``dump`` gave."""
        what = self.launch.plan
        if self.launch.target or self.sandbox.pids is not None:
            pids.join(self, len(plans.workers(what)), (data or {}).get("first"))
        if what.kind == "server":
            self._serve(what, fresh=data is None)
        elif what.kind == "program":
            self._run(what, data)
        elif what.text and data is None:
            self.write(what.text, "stdout")
            self.log.flush()
        if data is not None and what.kind != "program" and "system" in data:
            self._enter(data["system"])
        self.runtime.usage.begin(self)

    def _serve(self, what: Plan, fresh: bool) -> None:
        server = SERVERS[what.server]
        start = server.begin(self, what.ports) if server.begin is not None else Start(what.ports)
        if start.code is not None:
            self._ending = self.clock.call_later(0.1, self._ended, start.code)
            if fresh:
                self.write("".join(f"{line}\n" for line in start.lines), "stderr")
                self.log.flush()
            return
        if fresh and self.held:
            self.clock.call_later(0, self.keep)
        try:
            self.listen(None, start.ports, Listener(start.ports, self.started + server.start, start.fitted(server), None, what.argv))
        except Fault as fault:
            if fresh:
                self.write("".join(f"{line}\n" for line in in_use(what, str(fault))), "stderr")
                self.log.flush()
            self._ending = self.clock.call_later(0.5, self._ended, 1)

    def _run(self, what: Plan, data: dict[str, Any] | None) -> None:
        system = self._processes()
        if data and "system" in data:
            self.console.partial.update(given_back(data.get("partial") or {}))
            system.load(data["system"])
        else:
            system.spawn(list(what.argv), cwd=self.cwd, fds=self.console.descriptors(), pid=self.first)
            self._lead_terminal(self.console.tty, self.first)

    def _lead_terminal(self, tty: Any, group: int) -> None:
        if tty is not None:
            tty.foreground = group
            tty.on_signal = lambda signal: self.system.signal_group(tty.foreground, signal)

    @property
    def system(self) -> System:
        """Its processes; those of a server are put down when somebody looks for the first time."""
        return self._system if self._system is not None else self._enter(None)

    def _processes(self) -> System:
        system = self._system = System(self, self.console.output, self._ended, pids=self.pids, first=self.first)
        system.on_gone = self.ended_process
        self.pids = system.pids
        return system

    def _enter(self, data: dict[str, Any] | None) -> System:
        system = self._processes()
        what = self.launch.plan
        if data is not None:
            system.load(data)
        if self.first not in system.procs or not system.procs[self.first].alive:
            system.adopt(plans.titled(what) or [self.launch.name], self.cwd, self._heard, self.started, plans.workers(what),
                         plans.WORKER_USERS.get(what.server, "") if not self.files.user else "")
        return system

    def _heard(self, signal: int) -> None:
        """A signal to a server that is the first process: it ends as it does."""
        server = SERVERS[self.launch.plan.server] if self.launch.plan.kind == "server" else None
        if signal in STOPPING and server is not None and server.stop is not None and self._ending is None:
            self._ending = self.clock.call_later(server.stop[0], self._ended, server.stop[1])

    def _ended(self, code: int) -> None:
        """Its first process is over."""
        if self.finished is None:
            self.end(code)
            self.on_exit(self, code)

    def killed(self, code: int) -> None:
        """What its processes live by is gone."""
        self._ended(code)

    def end(self, code: int) -> None:
        """It is over; whoever called knows."""
        if self.finished is not None:
            return
        self.finished = self.clock.now
        pids.leave(self)
        self.code = code
        self.runtime.usage.end(self)
        if self._ports:
            self.runtime.on_end(self.sandbox.key, self._ports)
        self.listeners.clear()
        self._ports = ()
        for timer in (self._ending, self._saving):
            if timer is not None:
                timer.cancel()
        self.runtime.unsaved.pop(self, None)
        if self._system is not None:
            self._system.kill_all()
        for session in tuple(self.sessions):
            session.end(128 + KILL)
        self.sessions.clear()
        if self._console is not None:
            self._console.close()
        if self._log is not None:
            self._log.close()

    def terminate(self) -> tuple[float, int] | None:
        """SIGTERM: (seconds until it ends, exit code), or None when process 1 does not hear it, or says itself when it ends."""
        self.stopping = True
        what = self.launch.plan
        if what.kind == "server":
            return SERVERS[what.server].stop
        system = self._system
        if what.kind == "program" and system is not None and self.first in system.procs:
            system.signal(system.procs[self.first], 15)
        return None

    def dump(self) -> dict[str, Any]:
        """What cannot be read off its launch."""
        data: dict[str, Any] = {"id": self.id, "started": self.started}
        if self._system is not None and self.running and (self.launch.plan.kind == "program" or self._system.has_own()):
            data["system"] = self._system.dump()
            if self._console is not None and self._console.partial:
                data["partial"] = kept_text(self._console.partial)
        if self.own_files:
            data["files"] = dict(self.own_files)
        if self.frozen:
            data["frozen"] = dict(self.frozen)
        if self.held:
            data["held"] = deepcopy(self.held)
        if self.finished is not None:
            data["finished"], data["code"] = self.finished, self.code
        if self.stopping:
            data["stopping"] = True
        if self.first != 1:
            data["first"] = self.first
        if self.previous is not None:
            before = self.previous
            data["previous"] = {"id": before.id, "started": before.started, "finished": before.finished, "code": before.code,
                                "image": before.launch.image.text}
        return data

    @property
    def plain(self) -> bool:
        """Whether it is just what its launch says."""
        return self.launch.plan.kind != "program" and not self.own_files and not self.frozen and not self.held and self.first == 1 and (
            self._system is None or not self._system.has_own())

    # people who come in

    def execute(self, argv: list[str], session: Session, *, on_end: Callable[[int], None] | None = None) -> Proc:
        """Starts a command beside what runs. Its end is the session's. ExecFault when there is no such program, Fault when there are too
        many."""
        if sum(not each.gone for each in self.sessions) >= MOST_SESSIONS:
            raise Fault("Resource temporarily unavailable")
        system = self.system
        if session.tty is not None:
            fds: dict[int, Stream] = {0: session.tty, 1: session.tty, 2: session.tty}
        else:
            fds = {0: session.stdin.reader if session.stdin is not None else Null(), 1: session.stdout, 2: session.stderr}
        env = {**self.environment(), **({"TERM": "xterm"} if session.tty is not None else {})}
        proc = system.spawn(argv, env=env, cwd=self.cwd, fds=fds, session=True, outside=True)
        self.sessions.append(session)
        self._lead_terminal(session.tty, proc.group)

        def ended(status: int) -> None:
            if session in self.sessions:
                self.sessions.remove(session)
            session.end(status)
            if on_end is not None:
                on_end(status)

        proc.on_end = ended
        session.on_close = lambda: session.tty.hang_up() if session.tty is not None else None
        return proc

    def attach(self, session: Session) -> None:
        """Joins the session to the first process's input and output."""
        self.console.attach(session)

    @property
    def console(self) -> Console:
        if self._console is None:
            self._console = Console(self)
        return self._console

    # what its processes say

    def changed(self) -> None:
        if self._saving is None and self.finished is None and (self.launch.plan.kind == "program" or self._system is not None):
            self._saving = self.clock.call_later(0, self._save)
            self.runtime.unsaved[self] = None

    def settle(self) -> None:
        """Keeps the point that its processes have reached now, in the middle of an instant."""
        if self._saving is not None:
            self._saving.cancel()
            self._postponed = MOST_POSTPONED
            self._save()

    def _save(self) -> None:
        """Keeps the point that its processes have reached, once what happens in this instant is over."""
        if self._postponed < MOST_POSTPONED and self.clock.next_due() == self.clock.now:
            self._postponed += 1
            self._saving = self.clock.call_later(0, self._save)
            return
        self._saving, self._postponed = None, 0
        self.runtime.unsaved.pop(self, None)
        if self._log is not None:
            self._log.flush()
        touched, self._touched = self._touched, False
        self.on_change(self, touched)

    def touch(self) -> None:
        """Something that others may look at is not what it was: a file, a port, a process."""
        self._touched = True
        if self._system is None:
            self.on_change(self, True)
        else:
            self.changed()

    def burning(self) -> None:
        if self.meter is not None:
            self.runtime.usage.changed(self)

    def ended_process(self, proc: Proc) -> None:
        """A process is over: what it listened to is closed, and what others ask of the pod may have another answer."""
        self.unlisten(proc)
        if not proc.session and self.running:
            self.touch()

    def banner_of(self, what: Plan, since: float) -> list[str]:
        """The lines that a server begins its log with."""
        return list(plans.banner(what, self.image, self._moment(since), self.ip, self.hostname))

    def keep(self) -> None:
        """What its server keeps in memory has changed."""
        if self.running:
            self.on_change(self, False)

    def exit(self, code: int) -> None:
        """Its server ends by itself, once it has answered."""
        if self._ending is None:
            self._ending = self.clock.call_later(0.001, self._ended, code)

    def write(self, text: str, stream: str = "stdout") -> None:
        self.log.add(self.clock.now, text, stream)

    # what others ask

    @property
    def burn(self) -> dict[str, Any] | None:
        """What its programs take beside what it is: nanocores, bytes, since when and how fast."""
        return self._system.burn if self._system is not None else None

    @property
    def log(self) -> Log:
        if self._log is None:
            self._log = Log(f"log/{self.id}", self.runtime.state, self._banner, self.runtime.logged)
        return self._log

    def has_log(self) -> bool:
        return self._log is not None

    def _banner(self) -> list[Line]:
        what = self.launch.plan
        if what.kind != "server":
            return []
        texts = self.banner_of(what, self.started)
        if self._ending is not None and not self.listeners:
            texts = [text for text in texts if "[notice]" not in text]
        return [Line(self.started + 0.001 * number, "stdout", text) for number, text in enumerate(texts)]
