"""kube-proxy: what a node does with packets for a Service's addresses and ports.

In: Services and EndpointSlices, by watch. Out: ``rule(address, port)`` and ``node_port(port)`` find the Service port that a packet is
for, ``choose`` the endpoint it goes to, or that it is rejected or dropped. Endpoints are picked at random, as in iptables mode;
``ClientIP`` affinity sticks to the first pick. Rules are worked out when first asked for and kept until the Service changes.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

import random as random_module
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.objects import Key, Object, key
from server.cluster.selectors import from_labels
from server.cluster.store import DELETED, Event

SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
REJECTED, DROPPED = "rejected", "dropped"
CLUSTER, NODE_PORT, LOAD_BALANCER, EXTERNAL = "ClusterIP", "NodePort", "LoadBalancer", "ExternalIP"


class Endpoint(NamedTuple):
    """Where a Service port leads: ``pod`` is (namespace, name), None for an address that is no pod's."""

    address: str
    port: int
    node: str | None
    pod: Key | None
    ready: bool
    serving: bool
    terminating: bool


class Rule(NamedTuple):
    """A Service port and by which of its addresses it was found (``via``)."""

    service: Key
    via: str
    port: int
    node_port: int | None
    target: int | str
    endpoints: tuple[Endpoint, ...]
    local: bool
    sticky: float | None


class Proxy:
    def __init__(self, api: ApiServer, clock: Clock, random: random_module.Random) -> None:
        self._api = api
        self._clock = clock
        self._random = random
        self._rules: dict[Key, list[tuple[tuple, Rule]]] = {}
        self._index: dict[tuple, Rule] = {}
        self._stale: dict[Key, None] = {}
        self._affinity: dict[tuple[Key, int, str], tuple[str, float]] = {}
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for service in self._api.lister("services").list():
            self._stale[key(service)] = None
        self._api.watch("services", self._on_service)
        self._api.watch(SLICES, self._on_slice)

    def _on_service(self, event: Event) -> None:
        where = key(event.object)
        self._stale[where] = None
        if event.type == DELETED:
            for known in [known for known in self._affinity if known[0] == where]:
                del self._affinity[known]

    def _on_slice(self, event: Event) -> None:
        meta = event.object["metadata"]
        if name := (meta.get("labels") or {}).get(SERVICE_NAME):
            self._stale[meta["namespace"], name] = None

    def _settle(self) -> None:
        if not self._stale:
            return
        stale, self._stale = self._stale, {}
        for where in stale:
            for index, rule in self._rules.pop(where, ()):
                if self._index.get(index) is rule:
                    del self._index[index]
        for where in sorted(stale):
            service = self._api.lister("services").get(*where)
            if service is not None and service["spec"].get("type") != "ExternalName":
                rules = self._rules[where] = self._build(service)
                for index, rule in rules:
                    self._index.setdefault(index, rule)

    def _build(self, service: Object) -> list[tuple[tuple, Rule]]:
        spec, where = service["spec"], key(service)
        external_local = spec.get("externalTrafficPolicy") == "Local"
        internal_local = spec.get("internalTrafficPolicy") == "Local"
        sticky = None
        if spec.get("sessionAffinity") == "ClientIP":
            sticky = float(((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds") or 10800)
        ingress = [entry["ip"] for entry in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
                   if entry.get("ip")]
        rules = []
        for port in spec.get("ports") or ():
            protocol = port.get("protocol") or "TCP"
            rule = Rule(where, CLUSTER, port["port"], port.get("nodePort"), port.get("targetPort", port["port"]),
                        self.endpoints(where, port.get("name") or ""), internal_local, sticky)
            addresses = [(address, CLUSTER) for address in spec.get("clusterIPs") or [spec.get("clusterIP", "")]
                         if address not in ("", "None")]
            addresses += [(address, LOAD_BALANCER) for address in ingress]
            addresses += [(address, EXTERNAL) for address in spec.get("externalIPs") or ()]
            for address, via in addresses:
                rules.append(((protocol, address, port["port"]), rule._replace(
                    via=via, local=internal_local if via == CLUSTER else external_local)))
            if port.get("nodePort"):
                rules.append(((protocol, None, port["nodePort"]), rule._replace(via=NODE_PORT, local=external_local)))
        return rules

    def endpoints(self, service: Key, port_name: str) -> tuple[Endpoint, ...]:
        """Every endpoint of a Service port, in order of slice, ready or not."""
        found: dict[tuple[str, int], Endpoint] = {}
        for entry in self._api.lister(SLICES).select(service[0], from_labels({SERVICE_NAME: service[1]})):
            for port in entry.get("ports") or ():
                if (port.get("name") or "") != port_name or port.get("port") is None:
                    continue
                for endpoint in entry.get("endpoints") or ():
                    conditions = endpoint.get("conditions") or {}
                    ready = conditions.get("ready", True) is not False
                    target = endpoint.get("targetRef") or {}
                    pod = (target.get("namespace") or service[0], target["name"]) if target.get("kind") == "Pod" else None
                    for address in endpoint["addresses"][:1]:
                        found.setdefault((address, port["port"]), Endpoint(
                            address, port["port"], endpoint.get("nodeName"), pod, ready,
                            conditions.get("serving", ready) is not False, conditions.get("terminating", False) is True))
        return tuple(found.values())

    def rule(self, address: str, port: int, protocol: str = "TCP") -> Rule | None:
        """The Service port at a cluster, load balancer or external address."""
        self._settle()
        return self._index.get((protocol, address, port))

    def has_address(self, address: str) -> bool:
        """Whether some Service has that address, on whatever port."""
        self._settle()
        return any(index[1] == address for index in self._index)

    def node_port(self, port: int, protocol: str = "TCP") -> Rule | None:
        self._settle()
        return self._index.get((protocol, None, port))

    def rules_of(self, service: Key) -> list[Rule]:
        self._settle()
        return [rule for _, rule in self._rules.get(service, ())]

    def choose(self, rule: Rule, node: str | None, client: str) -> Endpoint | str:
        """The endpoint for a new connection that a node handles; REJECTED or DROPPED when it goes nowhere."""
        usable = self.usable(rule, node)
        if not usable:
            return DROPPED if rule.local and candidates(rule.endpoints) else REJECTED
        if rule.sticky is not None:
            return self._stuck(rule, usable, client)
        return usable[int(self._random.random() * len(usable))] if len(usable) > 1 else usable[0]

    def usable(self, rule: Rule, node: str | None) -> list[Endpoint]:
        """The endpoints that a node sends connections to: ready ones, or while there are none those that still serve."""
        if rule.local:
            return candidates([endpoint for endpoint in rule.endpoints if endpoint.node == node])
        return candidates(rule.endpoints)

    def _stuck(self, rule: Rule, usable: list[Endpoint], client: str) -> Endpoint:
        now = self._clock.now
        where = (rule.service, rule.port, client)
        address, until = self._affinity.get(where, ("", 0.0))
        chosen = next((endpoint for endpoint in usable if endpoint.address == address and until > now), None)
        if chosen is None:
            chosen = usable[int(self._random.random() * len(usable))]
        self._affinity[where] = (chosen.address, now + rule.sticky)
        if len(self._affinity) > 10_000:
            self._affinity = {known: value for known, value in self._affinity.items() if value[1] > now}
        return chosen


def candidates(endpoints: object) -> list[Endpoint]:
    ready = [endpoint for endpoint in endpoints if endpoint.ready]
    return ready or [endpoint for endpoint in endpoints if endpoint.serving and endpoint.terminating]
