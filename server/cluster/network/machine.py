"""The network as the programs of one machine find it: ``runtime.reach.Reach`` for a pod, a node and the workstation.

In: what a program asks. Out: walks, lookups, conversations and tables, worked out by the network's parts; a request that a pod makes
counts as traffic of that pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.cluster.network.exchange import Ask, request_headers
from server.cluster.network.links import Links
from server.cluster.network.places import is_address
from server.cluster.network.source import Source
from server.cluster.network.walk import Walk
from server.cluster.runtime.reach import Echo, Interface, Lookup, Route, Talk

if TYPE_CHECKING:
    from server.cluster.network.connection import Landing
    from server.cluster.network.network import Network

PATH_LIMIT = 8192
LOCALHOST = ("localhost", "127.0.0.1")


class Machine(NamedTuple):
    network: Network
    source: Source

    # connections

    def request(self, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None, log: bool = True, body: str = "", tls: bool = False) -> Walk:
        ask = Ask(method, path[:PATH_LIMIT], request_headers(host, port, headers, tls), body, tls, log)
        walk, landing = self._open(host, port)
        if landing is not None:
            self.network.exchange.request(walk, landing, ask)
        if timeout is not None:
            walk.limited(timeout)
        if self.source.kind == "pod" and log:
            self.network.traffic.made((self.source.namespace, self.source.name), walk)
        return walk

    def connect(self, host: str, port: int, timeout: float | None = None, protocol: str = "TCP") -> Walk:
        walk, landing = self._open(host, port, protocol)
        if landing is not None:
            self.network.exchange.takes(walk, landing, protocol)
        return walk if timeout is None else walk.limited(timeout)

    def talk(self, host: str, port: int, timeout: float | None = None) -> tuple[Walk, Talk | None]:
        walk, landing = self._open(host, port)
        talk = self.network.talks.open(walk, landing) if landing is not None and self.network.exchange.takes(walk, landing) else None
        return (walk if timeout is None else walk.limited(timeout)), talk if walk.error is None else None

    def _open(self, host: str, port: int, protocol: str = "TCP") -> tuple[Walk, Landing | None]:
        walk = Walk(host, port)
        address = self._resolve(walk, host)
        return walk, self.network.connections.open(walk, self.network.origins.of(self.source), address, port, protocol) if address else None

    def _resolve(self, walk: Walk, host: str) -> str | None:
        if host in LOCALHOST:
            return LOCALHOST[1]
        addresses, found = self.network.resolver.addresses(self.source, host)
        if found is not None:
            walk.ms += found.seconds * 1000
            walk.hops.extend(self.network.resolver.told(found, addresses))
        if not addresses:
            walk.unresolved()
            return None
        return addresses[0]

    # names

    def lookup(self, name: str, type: str = "A", search: bool = True, server: str = "") -> Lookup:  # noqa: A002
        if server and not is_address(server):
            server = next(iter(self.resolve(server)), server)
        return self.network.resolver.lookup(self.source, name, type, search, server)

    def resolve(self, name: str) -> tuple[str, ...]:
        if name == "localhost":
            return (LOCALHOST[1],)
        return self.network.resolver.addresses(self.source, name)[0]

    def resolv_conf(self) -> str:
        return self.network.resolver.conf(self.source).text

    def hosts(self) -> str:
        return self.network.resolver.hosts(self.source)

    # links

    def ping(self, host: str) -> Echo:
        return self.network.echoes.ping(self.source, self._one(host))

    def trace(self, host: str) -> list[Echo]:
        return self.network.echoes.trace(self.source, self._one(host))

    def _one(self, host: str) -> str:
        return next(iter(self.resolve(host)), "")

    def interfaces(self) -> list[Interface]:
        return self._links.interfaces(self.source)

    def routes(self) -> list[Route]:
        return self._links.routes(self.source)

    @property
    def _links(self) -> Links:
        return self.network.links
