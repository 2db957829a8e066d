"""One container: a plan that runs, seen by its programs as the machine that they run on.

A server is nothing but facts (ports, since when); a script is a process on the virtual clock whose point is saved as data before
every wait. ``dump`` and ``resume`` carry a container over a restart of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from server.cluster.disks import Tree
from server.cluster.kubelet.environment import expanded
from server.cluster.process import Process
from server.cluster.runtime.clients import Reach
from server.cluster.runtime.commands import COMMANDS, Done, OutOfMemory, Text, moment_of
from server.cluster.runtime.files import Files, Mount, NotSimulated
from server.cluster.runtime.images import Image
from server.cluster.runtime.interpreter import interpret, loud
from server.cluster.runtime.logs import Line, Log
from server.cluster.runtime.programs import Plan, banner, plan, program_kind
from server.cluster.runtime.servers import SERVERS, Server
from server.cluster.runtime.usage import Meter

if TYPE_CHECKING:
    from server.cluster.runtime.runtime import Runtime, Sandbox


TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105


class Launch(NamedTuple):
    """What a container is started with; the same object for all replicas of a template where it can be. ``environment`` and
    ``volume`` are asked only by programs that look. Memory is in bytes, CPU in millicores."""

    name: str
    image: Image
    plan: Plan
    mounts: tuple[Mount, ...] = ()
    memory: int | None = None
    cpu_limit: int | None = None
    cpu_request: int = 0


class Container:
    __slots__ = ("runtime", "sandbox", "launch", "id", "started", "finished", "code", "state", "process", "server", "ports",
                 "serving_since",
                 "_log", "_files", "own_files", "frozen", "on_exit", "on_change", "stopping", "environment_of", "previous",
                 "meter")

    def __init__(self, runtime: Runtime, sandbox: Sandbox, launch: Launch, id_: str, started: float,
                 environment: Callable[[], dict[str, str]], on_exit: Callable[[Container, int], None],
                 on_change: Callable[[Container, bool], None]) -> None:
        """``on_change(container, files)``: its program has reached another point, or (``files``) written to a file."""
        self.runtime = runtime
        self.sandbox = sandbox
        self.launch = launch
        self.id = id_
        self.started = started
        self.finished: float | None = None
        self.code: int | None = None
        self.state: dict[str, Any] | None = None
        self.process: Process | None = None
        self.server: Server | None = None
        self.ports: tuple[int, ...] = ()
        self.serving_since = 0.0
        self.own_files: dict[str, str] = {}
        self.frozen: dict[str, dict[str, str]] = {}
        self.on_exit = on_exit
        self.on_change = on_change
        self.stopping = False
        self.environment_of = environment
        self.previous: Container | None = None
        self.meter: Meter | None = None
        self._log: Log | None = None
        self._files: Files | None = None

    # its life

    def forget(self) -> None:
        """It is gone, with all that it wrote."""
        if self._log is not None:
            self._log.forget()
        self.runtime.written.used -= sum(len(path) + len(text) for path, text in self.own_files.items())
        self.own_files.clear()

    @property
    def running(self) -> bool:
        return self.finished is None

    def begin(self, state: dict[str, Any] | None = None) -> None:
        """Starts what is planned, or goes on from a saved ``state``."""
        what = self.launch.plan
        if what.kind == "server":
            self._listen(what.server, what.ports, self.started)
        elif what.kind == "script":
            self.state = state
            self.process = Process(self.runtime.clock, interpret(self, what.script, state), self._ended)
            if state and state.get("serving"):
                self.serve(state["serving"], since=state["since"])
        elif what.text and not state and self._log is None:
            self.write(what.text, "stdout")
            self.log.flush()
        self.runtime.usage.begin(self)

    def _listen(self, server: str, ports: tuple[int, ...], since: float) -> None:
        self.server = SERVERS[server]
        self.ports = ports
        self.serving_since = since + self.server.start

    def _ended(self, value: Any) -> None:
        self.process = None
        if self.finished is None:
            code = value if isinstance(value, int) else 1
            if isinstance(value, Exception):
                self.write(loud(f"this script ({value!r})"), "stderr")
                code = 127
            self.end(code)
            self.on_exit(self, code)

    def end(self, code: int) -> None:
        """It is over; whoever called knows."""
        if self.finished is not None:
            return
        self.finished = self.runtime.clock.now
        self.code = code
        self.runtime.usage.end(self)
        self.ports = ()
        self.server = None
        process, self.process = self.process, None
        if process is not None and process.alive:
            process.on_exit = None
            process.kill()
        if self._log is not None:
            self._log.close()

    def terminate(self) -> tuple[float, int] | None:
        """SIGTERM: (seconds until it ends, exit code), or None when process 1 does not hear it."""
        self.stopping = True
        if self.server is not None and (self.launch.plan.kind == "server" or (self.state or {}).get("main")):
            return self.server.stop
        return None

    def dump(self) -> dict[str, Any]:
        """What cannot be read off its launch."""
        data: dict[str, Any] = {"id": self.id, "started": self.started}
        if self.state is not None:
            data["state"] = self.state
        if self.own_files:
            data["files"] = dict(self.own_files)
        if self.frozen:
            data["frozen"] = dict(self.frozen)
        if self.finished is not None:
            data["finished"], data["code"] = self.finished, self.code
        if self.stopping:
            data["stopping"] = True
        if self.previous is not None:
            before = self.previous
            data["previous"] = {"id": before.id, "started": before.started, "finished": before.finished, "code": before.code,
                                "image": before.launch.image.text}
        return data

    # as the machine of its programs

    @property
    def hostname(self) -> str:
        return self.sandbox.hostname

    @property
    def ip(self) -> str:
        return self.sandbox.ip

    @property
    def argv(self) -> tuple[str, ...]:
        return self.launch.plan.argv

    @property
    def image_tag(self) -> str:
        return self.launch.image.reference.tag.partition(".")[0]

    @property
    def tag(self) -> str:
        return self.launch.image.reference.tag

    def began(self) -> datetime:
        return moment_of(self.runtime.clock.epoch, self.started)

    def environment(self) -> dict[str, str]:
        return self.environment_of()

    def now(self) -> float:
        return self.runtime.clock.now

    def uptime(self) -> float:
        return self.runtime.clock.now - self.started

    def time(self) -> datetime:
        return moment_of(self.runtime.clock.epoch, self.runtime.clock.now)

    @property
    def files(self) -> Files:
        if self._files is None:
            self._files = Files({"/etc/hostname": f"{self.hostname}\n"}, self.own_files, self._mounts(),
                                self._mounted_tree, self._files_changed, self.runtime.written)
        return self._files

    def _mounts(self) -> tuple[Mount, ...]:
        values = self.environment() if any(mount.expands for mount in self.launch.mounts) else {}
        token = (Mount(TOKEN_PATH, "", True),) if self.sandbox.volume_source("").files else ()
        return (*(mount._replace(sub_path=expanded(mount.sub_path, values)) if mount.expands else mount for mount in self.launch.mounts),
                *token)

    def _mounted_tree(self, mount: Mount) -> Tree:
        """What a mount shows now: the volume, or, below a ``subPath``, what the volume was when the container started."""
        kept = self.frozen.get(mount.path)
        if kept is not None:
            return Tree({f"/{name}": text for name, text in kept.items()}, "/")
        return self.sandbox.volume_source(mount.volume)

    @property
    def image(self) -> Image:
        return self.launch.image

    def network(self) -> Reach:
        return self.runtime.outside(self.sandbox.key)

    def mounted(self, path: str) -> bool:
        return any(mount.path.rstrip("/") == path for mount in self.launch.mounts)

    def _files_changed(self) -> None:
        self.on_change(self, True)

    def write(self, text: str, stream: str = "stdout") -> None:
        self.log.add(self.runtime.clock.now, text, stream)

    def save(self, state: dict[str, Any]) -> None:
        if self.server is not None and self.launch.plan.kind == "script":
            state = {**state, "serving": self.state["serving"],
                     "since": self.state["since"]} if self.state and "serving" in self.state else state
        burning, self.state = self.burn, state
        if state.get("burn") != burning:
            self.runtime.usage.changed(self)
        if self._log is not None:
            self._log.flush()
        self.on_change(self, False)

    def program(self, argv: list[str]) -> str:
        return program_kind(self.launch.image, argv)

    def serve(self, argv: list[str], since: float | None = None) -> None:
        """The script becomes a server."""
        what = plan(self.launch.image, tuple(argv), ())
        if what.kind == "server":
            since = self.runtime.clock.now if since is None else since
            self._listen(what.server, what.ports, since)
            self.state = {**(self.state or {}), "serving": list(argv), "since": since}
            self.runtime.usage.changed(self)

    def signalled(self) -> bool:
        return self.stopping

    # what others ask

    @property
    def burn(self) -> dict[str, Any] | None:
        """What its program takes beside what it is: nanocores, bytes, since when and how fast."""
        return self.state.get("burn") if self.state is not None else None

    def cpu(self) -> float:
        """Millicores that it uses now."""
        return self.runtime.usage.cpu(self)

    def memory(self) -> int:
        """Bytes that it uses now."""
        return self.runtime.usage.memory(self)

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
        texts = banner(what, self.launch.image, moment_of(self.runtime.clock.epoch, self.started), self.ip)
        return [Line(self.started + 0.001 * number, "stdout", text) for number, text in enumerate(texts)]

    def listens(self, port: int) -> bool:
        return port in self.ports and self.runtime.clock.now >= self.serving_since

    def execute(self, argv: list[str], limit: float = 1.0) -> tuple[Done, float]:
        """Runs a command to its end at once, as an exec probe does: (result, virtual seconds that it took, ``limit`` at most).
        FileNotFoundError if the image has no such program, NotSimulated if it cannot be run here."""
        kind = self.program(argv)
        if kind == "missing":
            raise FileNotFoundError(argv[0])
        if kind == "command" and argv[0].rpartition("/")[2] in COMMANDS:
            try:
                return COMMANDS[argv[0].rpartition("/")[2]](self, argv), 0.0
            except OutOfMemory:
                return Done(1, "", f"{argv[0]}: out of memory\n"), 0.0
        what = plan(self.launch.image, tuple(argv), ())
        if what.kind != "script":
            raise NotSimulated(f'"{argv[0]}"')
        return _run_apart(self, what, limit)


class _Apart:
    """A second program in a container: its output is its own."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.out = {"stdout": Text(), "stderr": Text()}
        self.elapsed = 0.0
        self.outside = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def write(self, text: str, stream: str = "stdout") -> None:
        self.out[stream] += text

    def save(self, state: dict[str, Any]) -> None:
        return None

    def serve(self, argv: list[str]) -> None:
        raise NotSimulated(f'"{argv[0]}"')

    def network(self) -> Reach:
        self.outside = True
        return self._container.network()

    def now(self) -> float:
        return self._container.now() + self.elapsed

    def signalled(self) -> bool:
        return False


def _run_apart(container: Container, what: Plan, limit: float) -> tuple[Done, float]:
    box = _Apart(container)
    steps = interpret(box, what.script)
    code = -1
    while True:
        try:
            wait = next(steps)
        except StopIteration as stop:
            code = stop.value
            break
        length = getattr(wait, "seconds", float("inf"))
        if box.elapsed + length > limit:
            box.elapsed = limit
            steps.close()
            break
        box.elapsed += length
    return Done(code, str(box.out["stdout"]), str(box.out["stderr"]), box.outside), box.elapsed
