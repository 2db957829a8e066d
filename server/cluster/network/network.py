"""The network of a cluster: addresses for pods, kube-proxy's rules, DNS, the load balancer, connections and traffic, on one door.

``connect`` gives it the containers and which machines are up; ``request`` makes one request; ``traffic`` makes many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.network.addresses import Addresses
from server.cluster.network.connection import Backend, Connections, Source, in_pod
from server.cluster.network.dns import Dns
from server.cluster.network.load_balancer import LoadBalancerController
from server.cluster.network.proxy import Proxy
from server.cluster.network.traffic import Traffic
from server.cluster.network.walk import Walk
from server.cluster.objects import Key
from server.cluster.parts import Parts
from server.cluster.runtime.clients import Names


class PodNetwork(NamedTuple):
    """What the programs of a pod reach, and the traffic that it makes."""

    connections: Connections
    traffic: Traffic
    source: Source

    def request(self, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None, log: bool = True) -> Walk:
        walk = self.connections.request(self.source, host, port, method, path, timeout, headers, log)
        self.traffic.made((self.source.namespace, self.source.name), walk)
        return walk

    def names(self, name: str, search: bool = True) -> Names:
        return self.connections.names(self.source, name, search)

    def domains(self) -> list[str]:
        return self.connections.dns.search_domains(self.source.namespace)


class Network:
    """``load_balancer.stop()`` leaves new LoadBalancer Services pending."""

    def __init__(self, parts: Parts) -> None:
        self.addresses = Addresses(parts.api, parts.state)
        self.proxy = Proxy(parts.api, parts.clock, parts.random)
        self.dns = Dns(parts.api)
        self.connections = Connections(parts.api, parts.random, self.proxy, self.dns)
        self.traffic = Traffic(parts, self.connections)
        self.load_balancer = LoadBalancerController(parts)

    def connect(self, backend: Backend, reachable: Callable[[str], bool]) -> None:
        """What runs in containers, and which nodes are up."""
        self.connections.backend = backend
        self.connections.reachable = reachable
        backend.outside = self.of_pod

    def of_pod(self, pod: Key) -> PodNetwork:
        """The network for the programs in a pod."""
        return PodNetwork(self.connections, self.traffic, in_pod(*pod))

    def start(self) -> None:
        self.proxy.start()
        self.connections.start()
        self.load_balancer.start()
        self.traffic.start()

    def request(self, source: Source | None, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None) -> Walk:
        """One HTTP request; ``source`` None is the terminal."""
        return self.connections.request(source, host, port, method, path, timeout, headers)
