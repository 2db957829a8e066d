"""What is said on an open connection: one HTTP request to a container, or to what a machine runs itself.

In: the walk, where it landed and what is asked. Out: the walk with status, headers and body, or with the way in which the exchange failed:
no HTTP spoken there, TLS to a plain server, a server that has more to do than it can.

Source: https://httpwg.org/specs/rfc9110.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from server.cluster.network import http_client
from server.cluster.network.connection import MACHINE, POD, Connections, Landing
from server.cluster.network.load import Load
from server.cluster.network.machine_ports import API_PORT, HTTP, HTTPS, Daemon, daemon_at
from server.cluster.network.walk import NOT_HTTP, Walk
from server.cluster.objects import key
from server.cluster.runtime.pages.site import Relayed
from server.cluster.runtime.reach import ConnectionReset
from server.cluster.runtime.runtime import ConnectionRefused, NoHttp

if TYPE_CHECKING:
    from server.cluster.runtime.reach import Talk

ANSWER_MS, JITTER_MS = 0.9, 0.5
TLS_MS = 2.0
AGENT = "curl/8.5.0"
Answer = tuple[int, dict[str, str], str]
Door = Callable[[str, str, dict[str, str], str], Answer]


class Ask(NamedTuple):
    """``log`` False leaves no trace in the server's log: a look, not a request."""

    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] | None = None
    body: str = ""
    tls: bool = False
    log: bool = True


def request_headers(host: str, port: int, headers: dict[str, str] | None, tls: bool = False) -> dict[str, str]:
    named = host if port == (443 if tls else 80) else f"{host}:{port}"
    return {"Host": named, "User-Agent": AGENT, "Accept": "*/*", **(headers or {})}


class Exchange:
    """``api(method, path, headers, body)`` is the API server's HTTPS door; ``healthy(component)`` whether a process of the control plane
    runs."""

    def __init__(self, connections: Connections, load: Load) -> None:
        self._connections = connections
        self._random = connections.random
        self.load = load
        self.api: Door = _closed
        self.healthy: Callable[[str], bool] = lambda component: True

    def takes(self, walk: Walk, landing: Landing, protocol: str = "TCP") -> bool:
        """Whether the connection is opened at all: the machine has somebody at that port."""
        if landing.kind == MACHINE and landing.handler is None and (protocol != "TCP" or self._daemon(landing) is None
                                                                    and self._connections.proxy.health_check(landing.node, landing.port) is None):
            walk.hop("node", landing.node or "", f"nothing listens on port {landing.port}")
            walk.refused("node")
            return False
        walk.connected = True
        return True

    def request(self, walk: Walk, landing: Landing, ask: Ask) -> Walk:
        if not self.takes(walk, landing):
            return walk
        if landing.handler is not None:
            return walk.not_tls("node") if ask.tls else self._over(walk, landing.handler(landing.client), ask)
        if landing.kind == POD:
            return self._container(walk, landing, ask)
        if landing.kind == MACHINE:
            return self._machine(walk, landing, ask)
        walk.hop("node", walk.address, "does not speak HTTP")
        return walk.empty()

    def _container(self, walk: Walk, landing: Landing, ask: Ask) -> Walk:
        pod, port, backend = landing.pod, landing.port, self._connections.backend
        name = "/".join(key(pod))
        walk.pod = key(pod)
        if ask.tls and not backend.speaks_tls(pod, port):
            walk.hop("pod", name, f"port {port} does not speak TLS")
            return walk.not_tls("pod")
        if ask.log and (served := self.load.served(pod, port)) < 1.0 and self._random.random() >= served:
            walk.connected = False
            walk.hop("pod", name, "has a full line of connections already: it takes no more", **self.load.figures(pod, port))
            return walk.silence("pod")
        try:
            answer = backend.http(pod, port, ask.method, ask.path, ask.headers, client=landing.client, log=ask.log, body=ask.body, tls=ask.tls)
        except ConnectionRefused:
            walk.connected = False
            walk.hop("pod", name, f"nothing listens on port {port}")
            return walk.refused("pod")
        except NoHttp:
            return self._no_http(walk, landing, ask)
        walk.status, walk.headers, walk.body = answer
        walk.ms += ANSWER_MS + JITTER_MS * (self._random.random() if ask.log else 0.5) + (TLS_MS if ask.tls else 0.0) \
            + (self.load.delay_ms(pod, port) if ask.log else 0.0)
        walk.hop("pod", name, f"answers {walk.status}", port=port, **self.load.figures(pod, port))
        if isinstance(answer, Relayed):
            self._relayed(walk, answer)
        return walk

    def _relayed(self, walk: Walk, answer: Relayed) -> None:
        """The answer comes from further on."""
        walk.ms += answer.ms
        walk.hops.extend(answer.hops)
        last = next((hop for hop in reversed(answer.hops) if hop.kind == "pod" and hop.detail and "port" in hop.detail), None)
        if last is not None:
            walk.through = (*walk.through, (walk.pod, walk.landed))
            namespace, _, name = last.what.partition("/")
            walk.pod, walk.landed = (namespace, name), last.detail["port"]
            walk.number(walk.landed)

    def _no_http(self, walk: Walk, landing: Landing, ask: Ask) -> Walk:
        """What listens there says what it says to bytes that it does not understand."""
        return self._over(walk, self._connections.backend.talk(landing.pod, landing.port, landing.client), ask)

    def _over(self, walk: Walk, talk: Talk, ask: Ask) -> Walk:
        """The request in bytes, over a conversation."""
        kind, name = ("pod", "/".join(walk.pod)) if walk.pod is not None else ("node", walk.address)
        try:
            answer = http_client.ask(talk, ask.method, ask.path, ask.headers or {}, ask.body)
        except http_client.NoResponse as fault:
            walk.hop(kind, name, f"what listens on port {walk.numbers[-1]} does not speak HTTP")
            return walk.fail(kind, NOT_HTTP, str(fault)) if str(fault) else walk.empty()
        except ConnectionReset:
            return walk.reset(kind)
        walk.status, walk.headers, walk.body = answer.status, answer.headers, answer.body
        walk.ms += ANSWER_MS + JITTER_MS * self._random.random()
        walk.hop(kind, name, f"answers {walk.status}", port=walk.numbers[-1])
        return walk

    # machines

    def _daemon(self, landing: Landing) -> Daemon | None:
        """The machine's own process at a port, if it runs."""
        loopback = landing.client.startswith("127.")
        daemon = daemon_at(landing.port, self._connections.places.is_control_plane(landing.node or ""), loopback)
        return daemon if daemon is not None and (daemon.everywhere or self.healthy(daemon.name)) else None

    def _machine(self, walk: Walk, landing: Landing, ask: Ask) -> Walk:
        node = landing.node or ""
        walk.ms += ANSWER_MS + (TLS_MS if ask.tls else 0.0)
        health = self._connections.proxy.health_check(node, landing.port)
        if health is not None:
            if ask.tls:
                return walk.not_tls("node")
            walk.hop("node", node, f"kube-proxy says how many endpoints of {'/'.join(health.service)} are here: {health.local}")
            service = json.dumps({"namespace": health.service[0], "name": health.service[1]}, indent="\t").replace("\n", "\n\t")
            walk.body = f'{{\n\t"service": {service},\n\t"localEndpoints": {health.local},\n\t"serviceProxyHealthy": true\n}}'
            walk.status = 200 if health.local else 503
            walk.headers = {**_kind("application/json"), "X-Content-Type-Options": "nosniff",
                            "X-Load-Balancing-Endpoint-Weight": str(health.local), "Content-Length": str(len(walk.body))}
            return walk
        daemon = self._daemon(landing)
        if daemon is None or daemon.speaks not in (HTTP, HTTPS):
            walk.hop("node", node, f"what listens on port {landing.port} does not speak HTTP")
            return walk.empty()
        if ask.tls and daemon.speaks == HTTP:
            return walk.not_tls("node")
        if not ask.tls and daemon.speaks == HTTPS:
            walk.hop("node", node, f"port {landing.port} speaks HTTPS")
            walk.status, walk.headers = 400, {"Connection": "close", **_kind("text/plain; charset=utf-8")}
            walk.body = "Client sent an HTTP request to an HTTPS server.\n"
            return walk
        walk.hop("node", node, f"{daemon.name} answers")
        if landing.port == API_PORT:
            walk.status, walk.headers, walk.body = self.api(ask.method, ask.path, ask.headers or {}, ask.body)
        elif daemon.speaks == HTTP:
            known = ask.path.partition("?")[0] in ("/healthz", "/livez")
            walk.status, walk.headers = 200 if known else 404, _kind("text/plain; charset=utf-8")
            walk.body = "ok" if known else "404 page not found\n"
        else:
            walk.status, walk.headers, walk.body = 401, _kind("text/plain; charset=utf-8"), "Unauthorized"
        return walk


def _kind(text: str) -> dict[str, str]:
    return {"Content-Type": text}


def _closed(method: str, path: str, headers: dict[str, str], body: str) -> Answer:
    """A machine of the control plane on which nobody has put an API server."""
    return 503, _kind("text/plain; charset=utf-8"), "Service Unavailable\n"
