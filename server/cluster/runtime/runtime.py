"""The container runtime of every node: what runs, on which port it listens, how it answers, what it has logged.

Kubelets make sandboxes and start and stop containers here; the network asks ``listening`` and ``http``; ``kubectl logs`` asks
``logs``. A pod is found by its namespace and name, and only while its uid is the one that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from server.cluster.clock import Clock
from server.cluster.disks import Tree
from server.cluster.objects import Key, Object
from server.cluster.runtime import pids
from server.cluster.runtime.container import Container, Launch
from server.cluster.runtime.logs import Budget, Line
from server.cluster.runtime.mount_namespace import NotSimulated, kept, written
from server.cluster.runtime.pages.site import Answer, Relayed, Site
from server.cluster.runtime.pids import Pids
from server.cluster.runtime.procfs import Facts, Security
from server.cluster.runtime.reach import Reach, Talk
from server.cluster.runtime.servers import access_lines
from server.cluster.runtime.streams import Fault
from server.cluster.runtime.usage import Usage
from server.cluster.store import State

NO_VOLUME: Callable[[str], Tree] = lambda volume: Tree({})  # noqa: E731


class ConnectionRefused(Exception):
    """Nothing listens on that port."""


class NoHttp(Exception):
    """What listens there does not speak HTTP: it closes the connection."""


def _nowhere(pod: Key) -> Reach:
    raise NotSimulated("a network")


class Sandbox:
    """A pod's network and volumes, shared by its containers."""

    __slots__ = ("key", "uid", "node", "hostname", "ip", "containers", "volume_source", "user", "group", "forwards", "pids")

    def __init__(self, key: Key, uid: str, node: str, hostname: str, ip: str) -> None:
        self.key = key
        self.uid = uid
        self.node = node
        self.hostname = hostname
        self.ip = ip
        self.containers: dict[str, Container] = {}
        self.volume_source = NO_VOLUME
        self.user: int | None = None
        self.group: int | None = None
        self.forwards: list[Any] = []
        self.pids: Pids | None = None

    def let_go(self) -> None:
        """The whole cluster goes: its containers know nothing of it any more."""
        for container in self.containers.values():
            container.runtime = container.sandbox = None
        self.containers = {}


class Runtime:
    def __init__(self, clock: Clock, state: State) -> None:
        self.clock = clock
        self.state = state
        self._sandboxes: dict[Key, Sandbox] = {}
        self.logged, self.written = Budget(), Budget()
        self.unsaved: dict[Container, None] = {}  # whose processes have come to a point that is not kept yet
        self.usage = Usage(clock)
        self.usage.serve(self._containers)
        self.reachable: Callable[[str], bool] = lambda node: True
        self.outside: Callable[[Key], Reach] = _nowhere
        self.hardware: Callable[[str], Facts] = lambda node: Facts(uptime=clock.now)
        self.security: Callable[[Key, str], Security] = lambda pod, container: Security()
        self.host_of: Callable[[str], Any] = lambda node: None
        self.on_end: Callable[[Key, tuple[int, ...]], None] = lambda pod, ports: None
        self.conversation: Callable[[Callable[..., Answer]], Talk] | None = None
        self.relay: Callable[..., Relayed] | None = None

    # for kubelets

    def sandbox(self, key: Key, uid: str, node: str, hostname: str, ip: str) -> Sandbox:
        made = self._sandboxes[key] = Sandbox(key, uid, node, hostname, ip)
        return made

    def remove(self, sandbox: Sandbox) -> None:
        """The pod is gone, with all that its containers wrote."""
        for container in sandbox.containers.values():
            container.end(137)
            for gone in (container, container.previous):
                if gone is not None:
                    gone.forget()
        if self._sandboxes.get(sandbox.key) is sandbox:
            del self._sandboxes[sandbox.key]
        for forward in tuple(sandbox.forwards):
            forward.close()

    def start(self, sandbox: Sandbox, launch: Launch, id_: str, environment: Callable[[], dict[str, str]],
              on_exit: Callable[[Container, int], None], on_change: Callable[[Container, bool], None]) -> Container:
        """Starts a container; its end is told through ``on_exit(container, code)``. Fault when its program cannot be started."""
        container = Container(self, sandbox, launch, id_, self.clock.now, environment, on_exit, on_change)
        try:
            container.begin()
        except Fault:
            pids.leave(container)
            raise
        self._put(sandbox, container)
        return container

    def settle(self) -> None:
        """Before all is put down as data, in the middle of an instant perhaps: every container is kept as it is now."""
        for container in list(self.unsaved):
            container.settle()

    def _put(self, sandbox: Sandbox, container: Container) -> None:
        before = sandbox.containers.get(container.launch.name)
        if before is not None:
            if before.previous is not None:
                before.previous.forget()
            before.previous = None
            container.previous = before
        sandbox.containers[container.launch.name] = container

    def resume(self, sandbox: Sandbox, launch: Launch, data: dict[str, Any], chunks: dict[int, list[list]],
               environment: Callable[[], dict[str, str]], on_exit: Callable[[Container, int], None],
               on_change: Callable[[Container, bool], None]) -> Container:
        """A container as ``Container.dump`` left it, with its log's chunks; on top of the one before, if that was resumed first."""
        container = Container(self, sandbox, launch, data["id"], data["started"], environment, on_exit, on_change)
        container.own_files.update(data.get("files") or {})
        self.written.used += kept(container.own_files)
        self.written.bytes += written(container.own_files)
        container.frozen.update(data.get("frozen") or {})
        container.held.update(data.get("held") or {})
        container.stopping = data.get("stopping", False)
        if chunks:
            container.log.load(chunks)
        self._put(sandbox, container)
        if "finished" in data:
            container.finished, container.code = data["finished"], data["code"]
        else:
            container.begin(data)
        return container

    def _containers(self, pod: Key) -> list[Container]:
        sandbox = self._sandboxes.get(pod)
        return [container for container in sandbox.containers.values() if container.running] if sandbox is not None else []

    # for the network and for people

    def pod(self, pod: Object) -> Sandbox | None:
        meta = pod["metadata"]
        found = self._sandboxes.get((meta.get("namespace", ""), meta["name"]))
        return found if found is not None and found.uid == meta.get("uid") else None

    def _at(self, pod: Object, port: int) -> Container | None:
        sandbox = self.pod(pod)
        if sandbox is None or not self.reachable(sandbox.node):
            return None
        return next((container for container in sandbox.containers.values() if container.listens(port)), None)

    def listening(self, pod: Object, port: int) -> bool:
        """Whether a container of the pod takes connections on the port now."""
        return self._at(pod, port) is not None

    def work_ms(self, pod: Object, port: int) -> float:
        """How long what listens on the port computes for one request, at the pace that its CPU limit allows."""
        container = self._at(pod, port)
        return self.usage.work(container) if container is not None else 0.0

    def speaks_tls(self, pod: Object, port: int) -> bool:
        """Whether what listens on the port expects TLS."""
        container = self._at(pod, port)
        listener = container.listener(port) if container is not None else None
        return listener is not None and listener.server is not None and port in listener.server.tls

    def capacity(self, pod: Object, port: int) -> tuple[float, float]:
        """(requests per second that what listens on the port can do, the cores it has for them)."""
        container = self._at(pod, port)
        return self.usage.capacity(container) if container is not None else (float("inf"), 1.0)

    def http(self, pod: Object, port: int, method: str, path: str, headers: dict[str, str] | None = None, *, client: str = "",
             log: bool = True, body: str = "", tls: bool = False) -> Answer:
        """One request: (status, headers, body), with the lines it leaves in the container's log. ConnectionRefused, NoHttp."""
        container = self._at(pod, port)
        if container is None:
            raise ConnectionRefused(f"dial tcp {(pod.get('status') or {}).get('podIP', '')}:{port}: connect: connection refused")
        listener = container.listener(port)
        server = listener.server
        if server is None:
            return _over(listener.handler(client), method, path, headers or {})
        if server.relay and self.relay is not None:
            return self.relay(container, port, method, path, headers or {}, client, log, body, tls)
        if server.http is None:
            raise NoHttp(f"port {port} does not speak HTTP")
        headers = headers or {}
        cwd = next((owner.cwd for owner, each in container.listeners.items() if each is listener and owner is not None), container.cwd)
        site = Site(container, listener.argv or container.argv, port, client or "10.244.0.1", body, tls, cwd, headers.get("Host", ""), not log)
        answer = server.http(site, method, path, headers)
        if log:
            lines = access_lines(server, client or "10.244.0.1", container.time(), method, path, headers, answer,
                                 headers.get("Host", container.ip))
            for stream, text in lines:
                container.log.add(self.clock.now, text, stream)
            if lines:
                container.log.flush()
        return answer

    def talk(self, pod: Object, port: int, client: str = "") -> Talk:
        """Opens a connection to what listens on the port. ConnectionRefused."""
        container = self._at(pod, port)
        if container is None:
            raise ConnectionRefused(f"dial tcp {(pod.get('status') or {}).get('podIP', '')}:{port}: connect: connection refused")
        listener = container.listener(port)
        if listener.handler is not None:
            return listener.handler(client)
        if listener.server.talk is not None:
            return listener.server.talk(container)
        if listener.server.http is None and not listener.server.relay:
            return _Silent()
        return self.conversation(lambda method, path, headers, body: self.http(pod, port, method, path, headers, client=client, body=body))

    def container(self, namespace: str, pod: str, name: str, previous: bool = False) -> Container | None:
        """The container that was made last, or the one before it."""
        sandbox = self._sandboxes.get((namespace, pod))
        found = sandbox.containers.get(name) if sandbox is not None else None
        return found.previous if found is not None and previous else found

    def run(self, namespace: str, pod: str, name: str, id_: str) -> Container | None:
        """The container with that id (as in a pod's status), while it is kept."""
        found = self.container(namespace, pod, name)
        wanted = id_.removeprefix("containerd://")
        while found is not None and found.id != wanted:
            found = found.previous
        return found

    def logs(self, namespace: str, pod: str, container: str, previous: bool = False) -> Iterable[Line]:
        """What a container has logged and is still kept: (time, stream, text)."""
        found = self.container(namespace, pod, container, previous)
        return found.log.all() if found is not None else []


class _Silent:
    """A server whose protocol is not simulated: it takes what it is sent and says nothing."""

    closed = False

    def send(self, data: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        self.closed = True
        return b""


def _over(talk: Talk, method: str, path: str, headers: dict[str, str]) -> Answer:
    """One HTTP request over a connection that a program has taken. NoHttp when what comes back is none."""
    asked = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    said = talk.send(f"{method} {path} HTTP/1.1\r\n{asked}\r\n".encode("utf-8", "surrogateescape")) + talk.finish()
    head, _, body = said.decode("utf-8", "surrogateescape").replace("\r\n", "\n").partition("\n\n")
    first, *rows = head.split("\n")
    words = first.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise NoHttp(first)
    pairs = (row.partition(":") for row in rows)
    return int(words[1]), {name.strip(): value.strip() for name, _, value in pairs if name}, body
