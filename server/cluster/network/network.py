"""The network of a cluster: addresses for pods, kube-proxy's rules, DNS, policies, the load balancer, connections and traffic, on one door.

``connect`` gives it the containers and which machines are up. ``of_pod``, ``of_node`` and ``workstation`` are the network as programs on
those machines find it; ``request`` makes one request; ``traffic`` makes many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.network.addresses import Addresses
from server.cluster.network.connection import WORKSTATION as CONNECTION_WORKSTATION
from server.cluster.network.connection import Backend, Connections
from server.cluster.network.corefiles import Corefiles
from server.cluster.network.dns import Dns
from server.cluster.network.echoes import Echoes
from server.cluster.network.exchange import Exchange
from server.cluster.network.http_talk import HttpTalk
from server.cluster.network.ingress import IngressNginx
from server.cluster.network.ingress_status import IngressStatus
from server.cluster.network.links import Links
from server.cluster.network.load import Load
from server.cluster.network.load_balancer import LoadBalancerController
from server.cluster.network.machine import Machine
from server.cluster.network.places import Places
from server.cluster.network.policy import Policies
from server.cluster.network.proxy import Proxy
from server.cluster.network.resolver import Resolver
from server.cluster.network.rules_text import RulesText
from server.cluster.network.source import WORKSTATION, Origins, Source, in_pod, on_node
from server.cluster.network.talks import Talks
from server.cluster.network.traffic import Traffic
from server.cluster.network.walk import Walk
from server.cluster.objects import Key
from server.cluster.parts import Parts

if TYPE_CHECKING:
    from server.cluster.network.connection import Listening


class Network:
    """``load_balancer.switch(False)`` leaves LoadBalancer Services pending."""

    def __init__(self, parts: Parts) -> None:
        self.api = parts.api
        self.addresses = Addresses(parts.api, parts.state)
        self.places = Places(parts.api)
        self.policies = Policies(parts.api)
        self.proxy = Proxy(parts.api, parts.clock, parts.random, parts.state)
        self.dns = Dns(parts.api)
        self.origins = Origins(self.places)
        self.connections = Connections(parts.random, self.places, self.origins, self.proxy, self.policies)
        self.load = Load(self.places)
        self.exchange = Exchange(self.connections, self.load)
        self.talks = Talks(self.connections)
        self.resolver = Resolver(self.connections, self.origins, self.dns)
        self.corefiles = Corefiles(parts, self.connections)
        self.echoes = Echoes(self.connections, self.origins)
        self.rules_text = RulesText(self.proxy, self.places)
        self.links = Links(self.places, self.origins, self.proxy)
        self.load_balancer = LoadBalancerController(parts, self.origins.block)
        self.ingress = IngressNginx(parts.api, self.proxy, parts.random)
        self.ingress_status = IngressStatus(parts, self.ingress)
        self.traffic = Traffic(parts, self)

    def connect(self, backend: Backend, reachable: Callable[[str], bool]) -> None:
        """What runs in containers, and which nodes are up."""
        self.connections.backend = backend
        self.load.servers = backend
        self.places.reachable = reachable
        backend.outside = self.of_pod
        backend.relay = self.ingress.answer
        backend.conversation = HttpTalk
        backend.on_end = self.traffic.died
        self.ingress_status.backend = backend

    def start(self) -> None:
        self.places.start()
        self.policies.start()
        self.proxy.start()
        self.dns.start()
        self.corefiles.start()
        self.load_balancer.take_up()
        self.ingress.start()
        self.ingress_status.start()
        self.traffic.start()

    def of_pod(self, pod: Key) -> Machine:
        """The network for the programs in a pod."""
        return Machine(self, in_pod(*pod))

    def of_node(self, name: str, listening: Listening | None = None) -> Machine:
        """The network for a shell on a node; ``listening(port)`` is which of people's programs there takes connections."""
        if listening is not None:
            self.connections.hosts[name] = listening
        return Machine(self, on_node(name))

    def workstation(self, listening: Listening | None = None) -> Machine:
        """The network for the workstation beside the cluster, with the programs there that listen."""
        if listening is not None:
            self.connections.hosts[CONNECTION_WORKSTATION] = listening
        return Machine(self, WORKSTATION)

    def of(self, source: Source | None) -> Machine:
        """The network for any source; None is a shell on the control plane's node."""
        return Machine(self, source or on_node(self.places.terminal_node() or ""))

    def request(self, source: Source | None, host: str, port: int, method: str = "GET", path: str = "/", timeout: float | None = None,
                headers: dict[str, str] | None = None) -> Walk:
        """One HTTP request."""
        return self.of(source).request(host, port, method, path, timeout, headers)

    def ingress_addresses(self, host: str) -> tuple[str, ...]:
        """Where requests from outside for an Ingress's host are sent."""
        for ingress in self.api.lister("ingresses.networking.k8s.io").list():
            if any(rule.get("host") in (host, None, "") for rule in (ingress.get("spec") or {}).get("rules") or ()):
                balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
                if found := tuple(entry["ip"] for entry in balancer.get("ingress") or () if entry.get("ip")):
                    return found
        return ()
