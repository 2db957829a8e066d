"""kube-proxy: what a node does with packets for a Service's addresses and ports.

In: Services and EndpointSlices, by watch, and each node's mode. Out: ``rule(address, port)`` and ``node_port(port)`` find the Service port that
a packet is for, ``choose`` the endpoint it goes to (``balancing``), or that it is rejected or dropped. Rules are worked out when first
asked for and kept until the Service changes.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

import random as random_module
from collections.abc import Callable
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.network import rules
from server.cluster.network.balancing import Balancer
from server.cluster.network.branching import Branches
from server.cluster.network.proxy_modes import IPTABLES, IPVS, Mode, ProxyModes
from server.cluster.network.rules import SERVICE_NAME, Endpoint, Rule, candidates
from server.cluster.objects import Key, Object, key, labels
from server.cluster.selectors import from_labels
from server.cluster.store import DELETED, Event, State

SLICES = "endpointslices.discovery.k8s.io"
ZONE = "topology.kubernetes.io/zone"
REJECTED, DROPPED = "rejected", "dropped"
MOST_REMEMBERED = 10_000


class Health(NamedTuple):
    """What a health check port says of a Service on a node: how many endpoints are there."""

    service: Key
    local: int


class Proxy:
    """While ``deciding`` is set, it picks the endpoint instead of chance."""

    def __init__(self, api: ApiServer, clock: Clock, random: random_module.Random, state: State) -> None:
        self._api = api
        self._services = api.lister("services")
        self._slices = api.lister(SLICES)
        self._nodes = api.lister("nodes")
        self._rules: dict[Key, list[Rule]] = {}
        self._index: dict[tuple, Rule] = {}
        self._addresses: dict[str, int] = {}
        self._health: dict[int, Key] = {}
        self._stale: dict[Key, None] = {}
        self._usable: dict[tuple, list[Endpoint]] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._balancer = Balancer(clock, random, state)
        self.modes = ProxyModes(api, state, self._tell)
        self._started = False
        self.deciding: Branches | None = None

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for service in self._services.list():
            self._stale[key(service)] = None
        self._balancer.start()
        self.modes.start()
        self._api.watch("services", self._on_service)
        self._api.watch(SLICES, self._on_slice)

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` when a node balances in another way."""
        self._callbacks.append(callback)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()

    # rules

    def _on_service(self, event: Event) -> None:
        where = key(event.object)
        self._stale[where] = None
        if event.type == DELETED:
            self._balancer.forget(where)

    def _on_slice(self, event: Event) -> None:
        meta = event.object["metadata"]
        if name := (meta.get("labels") or {}).get(SERVICE_NAME):
            self._stale[meta["namespace"], name] = None

    def _settle(self) -> None:
        if not self._stale:
            return
        stale, self._stale = self._stale, {}
        self._usable.clear()
        for where in stale:
            self._withdraw(where)
        for where in sorted(stale):
            service = self._services.get(*where)
            if service is not None and service["spec"].get("type") != "ExternalName":
                self._publish(where, service)

    def _withdraw(self, where: Key) -> None:
        for rule in self._rules.pop(where, ()):
            if self._index.get(_place(rule)) is rule:
                del self._index[_place(rule)]
            if rule.address is not None:
                self._addresses[rule.address] -= 1
                if not self._addresses[rule.address]:
                    del self._addresses[rule.address]
        for port in [port for port, service in self._health.items() if service == where]:
            del self._health[port]

    def _publish(self, where: Key, service: Object) -> None:
        made = self._rules[where] = list(rules.of_service(service, self._slices_of(where)))
        for rule in made:
            self._index.setdefault(_place(rule), rule)
            if rule.address is not None:
                self._addresses[rule.address] = self._addresses.get(rule.address, 0) + 1
        if port := service["spec"].get("healthCheckNodePort"):
            self._health[port] = where

    def _slices_of(self, service: Key) -> list[Object]:
        return self._slices.select(service[0], from_labels({SERVICE_NAME: service[1]}))

    def endpoints(self, service: Key, port_name: str) -> tuple[Endpoint, ...]:
        """Every endpoint of a Service port, in order of slice, ready or not."""
        return rules.endpoints(service, port_name, self._slices_of(service))

    # what a packet meets

    def rule(self, address: str, port: int, protocol: str = "TCP") -> Rule | None:
        """The Service port at a cluster, load balancer or external address."""
        self._settle()
        return self._index.get((protocol, address, port))

    def node_port(self, port: int, protocol: str = "TCP") -> Rule | None:
        self._settle()
        return self._index.get((protocol, None, port))

    def has_address(self, address: str) -> bool:
        """Whether some Service has that address, on whatever port."""
        self._settle()
        return address in self._addresses

    def rules_of(self, service: Key) -> list[Rule]:
        self._settle()
        return list(self._rules.get(service, ()))

    def all_rules(self) -> list[Rule]:
        """Every rule, in order of Service."""
        self._settle()
        return [rule for where in sorted(self._rules) for rule in self._rules[where]]

    # what a node does

    def usable(self, rule: Rule, node: str | None) -> list[Endpoint]:
        """The endpoints that a node sends connections to."""
        zone = self._zone(node)
        where = (rule.service, rule.name, rule.port, rule.protocol, rule.local, node if rule.local or rule.endpoints and rule.endpoints[0].nodes
                 else None, zone)
        found = self._usable.get(where)
        if found is None:
            if len(self._usable) >= MOST_REMEMBERED:
                self._usable.clear()
            found = self._usable[where] = rules.usable(rule, node, zone)
        return found

    def choose(self, rule: Rule, node: str, client: str) -> Endpoint | str:
        """The endpoint for a new connection that a node handles; REJECTED or DROPPED when it goes nowhere."""
        found = self.usable(rule, node)
        if not found:
            return DROPPED if rule.local and candidates(rule.endpoints) else REJECTED
        if self.deciding is not None:
            return self.deciding.pick(self.shares(rule, node, client))
        return self._balancer.pick(rule, found, node, self.modes.of(node), client)

    def shares(self, rule: Rule, node: str, client: str) -> list[tuple[Endpoint, float]]:
        """The endpoints that a node picks for new connections of a client, and how often each."""
        found = self.usable(rule, node)
        return self._balancer.shares(rule, found, node, self.modes.of(node), client) if found else []

    def explain(self, rule: Rule, node: str, chosen: Endpoint) -> dict[str, object]:
        """Why that endpoint."""
        mode = self.modes.of(node)
        found = self.usable(rule, node)
        return {"node": node, "via": rule.via, "mode": mode.name, "why": self._balancer.why(rule, mode), "endpoints": len(found),
                "of": len(rule.endpoints), "policy": "Local" if rule.local else "Cluster",
                **({"terminating": True} if chosen.terminating else {})}

    def mode(self, node: str) -> Mode:
        return self.modes.of(node)

    def rejects_other_ports(self, node: str) -> bool:
        """Whether a node refuses what is sent to a Service's address on another port than the Service's; and does not serve node ports on
        its loopback address."""
        return self.modes.of(node).name != IPTABLES

    def bound_addresses(self, node: str) -> list[str]:
        """Service addresses that a node has on an interface of its own: in ipvs mode all."""
        self._settle()
        return sorted(self._addresses) if self.modes.of(node).name == IPVS else []

    def health_check(self, node: str | None, port: int) -> Health | None:
        """The Service whose health check port that is."""
        self._settle()
        service = self._health.get(port)
        if service is None or node is None:
            return None
        here = [self.usable(rule._replace(local=True), node) for rule in self._rules.get(service, ())[:1]]
        return Health(service, len(here[0]) if here else 0)

    def health_port(self, service: Key) -> int | None:
        self._settle()
        return next((port for port, known in self._health.items() if known == service), None)

    def _zone(self, node: str | None) -> str:
        found = self._nodes.get("", node) if node is not None else None
        return labels(found).get(ZONE, "") if found is not None else ""


def _place(rule: Rule) -> tuple:
    return (rule.protocol, rule.address, rule.port if rule.address is not None else rule.node_port)

