"""How a source's requests divide over pods, and which of them fail and where: worked out by the rules that a single request follows.

In: a flow (a target, a rate, and who asks). Out: its paths, each with its share. Where a single request is left to chance (the node that
takes it, the endpoint that the node picks), every possibility is walked with the share that chance gives it.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from server.cluster.network.branching import Branches
from server.cluster.network.connection import Landing, Trip
from server.cluster.network.exchange import Ask, request_headers
from server.cluster.network.flows import NODE, POD, SERVICE, URL, Flow, Path, Target
from server.cluster.network.places import is_address
from server.cluster.network.proxy_modes import IPVS
from server.cluster.network.resolver import DNS_PORT
from server.cluster.network.rules import CLUSTER, EXTERNAL, LOAD_BALANCER, NODE_PORT, Endpoint, Rule
from server.cluster.network.source import Origin, on_node
from server.cluster.network.walk import Hop, Walk
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.network.network import Network

PREFERRED = (LOAD_BALANCER, EXTERNAL, NODE_PORT, CLUSTER)
MOST_TURNS = 50
T = TypeVar("T")


class Asked(NamedTuple):
    """What the sender has heard of DNS: ``addresses`` of the name, and how long that took."""

    name: str
    addresses: tuple[str, ...]
    hops: tuple[Hop, ...]
    ms: float


class Aim(NamedTuple):
    """A moment's meaning of a target: the address that is asked under which name, and the sender; ``rule`` where the target is a Service
    without an address of its own that the sender could use."""

    origin: Origin
    host: str
    address: str
    port: int
    rule: Rule | None = None
    asked: Asked | None = None

    def walk(self) -> Walk:
        walk = Walk(self.host, self.port)
        if self.asked is not None:
            walk.hops.extend(self.asked.hops)
            walk.ms += self.asked.ms
        return walk


class Ways:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._connections = network.connections
        self._places = network.places
        self._proxy = network.proxy
        self._known: dict[tuple, list[tuple[float, Walk]]] = {}
        self._rate, self._part, self._outer = 0.0, 1.0, 1.0

    def paths(self, flow: Flow) -> list[Path]:
        self._known.clear()
        self._rate, self._part, self._outer = flow.rate, 1.0, 1.0
        paths: dict[tuple, Path] = {}
        for share, walk in self._branches(flow):
            path = _path(share, walk)
            known = paths.get(path.way)
            paths[path.way] = path if known is None or not share else known._replace(
                share=known.share + share, ms=known.ms if known.ms == path.ms else (known.ms * known.share + path.ms * share) / (known.share + share))
        return list(paths.values())

    def _branches(self, flow: Flow) -> Iterator[tuple[float, Walk]]:
        for part, asked in self._hears(flow):
            aims = list(self.aims(flow, asked))
            if not aims:
                yield part, self.unresolved(flow, asked)
            for weight, aim in self._alike(aims, aims[0].rule if aims else None, lambda aim: self._places.node_at(aim.address) or aim.origin.node):
                self._outer = weight * part
                for share, walk in self._from(aim, flow.target):
                    yield share * weight * part, walk

    def _alike(self, ways: list[T], rule: Rule | None, node: Callable[[T], str | None]) -> Iterator[tuple[float, T]]:
        """Each way in with its share; where all nodes treat a Service's connections alike, one stands for all that can be reached."""
        uniform = rule is not None and not rule.local and rule.sticky is None and not self._network.policies.active \
            and not self._proxy.modes.any(IPVS) and not any(endpoint.zones or endpoint.nodes for endpoint in rule.endpoints)
        alike = [way for way in ways if uniform and (at := node(way)) is not None and self._places.reachable(at)]
        if alike:
            yield len(alike) / len(ways), alike[0]
        for way in ways:
            if not alike or not ((at := node(way)) is not None and self._places.reachable(at)):
                yield 1 / len(ways), way

    def unresolved(self, flow: Flow, asked: Asked | None) -> Walk:
        walk = Aim(None, asked.name if asked is not None else flow.target.host or flow.target.key[1], "", flow.target.port, None, asked).walk()
        if asked is None:
            walk.hop("dns", walk.host, "no such name")
        return walk.unresolved()

    # names

    def _name(self, flow: Flow) -> str:
        """What a pod that is told to send requests asks DNS for; a program has asked for what it wanted already."""
        if flow.source.kind != "pod" or flow.program:
            return ""
        if flow.target.kind == SERVICE:
            return f"{flow.target.key[1]}.{flow.target.key[0]}.svc"
        return flow.target.host if flow.target.kind == URL and not is_address(flow.target.host) else ""

    def hear(self, flow: Flow) -> Asked | None:
        """Asks DNS as a request's sender does before it sends."""
        name = self._name(flow)
        if not name:
            return None
        addresses, found = self._network.resolver.addresses(flow.source, name)
        hops = self._network.resolver.told(found, addresses) if found is not None else ()
        return Asked(name, addresses, tuple(hops), found.seconds * 1000 if found is not None else 0.0)

    def _hears(self, flow: Flow) -> Iterator[tuple[float, Asked | None]]:
        """What the senders of many requests hear of DNS; where its servers are not all well, by which of them is asked."""
        if not self._name(flow):
            yield 1.0, None
            return
        branches, heard, well = Branches(), {}, self._dns_is_well(flow)
        self._proxy.deciding, self._network.resolver.quiet = branches, True
        try:
            for _ in range(MOST_TURNS):
                asked = self.hear(flow)
                known = heard.setdefault((frozenset(asked.addresses), round(asked.ms)), [0.0, asked])
                known[0] += branches.share
                if well or not branches.turn():
                    break
        finally:
            self._proxy.deciding, self._network.resolver.quiet = None, False
        whole = sum(share for share, _ in heard.values())
        for share, asked in heard.values():
            yield share / whole, asked

    def _dns_is_well(self, flow: Flow) -> bool:
        """Whether it makes no difference which of the DNS servers is asked."""
        origin, servers = self._network.origins.of(flow.source), self._network.resolver.conf(flow.source).servers
        rule = self._proxy.rule(servers[0], DNS_PORT, "UDP") if servers else None
        if rule is None or origin.node is None:
            return True
        return not self._network.policies.active and all(
            each.pod is not None and self._places.crosses(origin.node, each.node or "") and self._connections.alive(each.pod, each.port)
            for each in self._proxy.usable(rule, origin.node))

    # what a target means

    def aims(self, flow: Flow, asked: Asked | None) -> Iterator[Aim]:
        """What its requests are sent to, each as often as the others; none if there is no such name."""
        target, origin = flow.target, self._network.origins.of(flow.source)
        if asked is not None:
            for aim in self._at_service(flow, origin) if target.kind == SERVICE and asked.addresses else ():
                yield aim._replace(asked=asked)
            service = self.service(target) if target.kind == SERVICE else None
            for address in asked.addresses if service is None or service["spec"].get("type") == "ExternalName" else ():
                yield Aim(origin, asked.name, address, target.port, None, asked)
        elif target.kind == SERVICE:
            yield from self._at_service(flow, origin)
        elif target.kind == POD:
            pod = self._places.pod(target.key)
            if pod is not None and (address := (pod.get("status") or {}).get("podIP")):
                yield Aim(origin, address, address, target.port)
        elif target.kind == NODE:
            if address := self._places.address_of(target.key[1]):
                yield Aim(origin, address, address, target.port)
        else:
            for address in self._addresses(flow):
                yield Aim(origin, target.host, address, target.port)

    def _addresses(self, flow: Flow) -> tuple[str, ...]:
        """Where a URL's host leads from outside: to the Ingress that has the host."""
        host = flow.target.host
        if is_address(host):
            return (host,)
        address = self._places.address_of(host)
        return (address,) if address else self._network.ingress_addresses(host)

    def _at_service(self, flow: Flow, origin: Origin) -> Iterator[Aim]:
        """The way in that somebody outside would take; from a pod, and where there is no other, the cluster address; a headless
        Service's pods directly."""
        port, service = flow.target.port, self.service(flow.target)
        if service is None or service["spec"].get("type") == "ExternalName":
            return
        inside = flow.source.kind == "pod"
        rules = [rule for rule in self._proxy.rules_of(flow.target.key) if rule.port == port and (not inside or rule.via == CLUSTER)]
        if service["spec"].get("clusterIP") == "None":
            for address in dict.fromkeys(endpoint.address for endpoint in self._headless(service, port)):
                for sender in [origin] if inside else self._inside():
                    yield Aim(sender, address, address, port)
            return
        if not rules:
            yield Aim(origin, flow.target.key[1], "", port)
            return
        rule = min(rules, key=lambda rule: PREFERRED.index(rule.via))
        address = self._address(rule, service)
        if rule.via == NODE_PORT:
            for entry in self._connections.entry_nodes(rule):
                address = self._places.address_of(entry) or ""
                yield Aim(origin, address, address, rule.node_port or 0, rule)
        elif rule.via == CLUSTER and not inside:
            for sender in self._inside():
                yield Aim(sender, address, address, port, rule)
        else:
            yield Aim(origin, address, address, port, rule)

    def service(self, target: Target) -> Object | None:
        return self._network.api.lister("services").get(*target.key)

    def _inside(self) -> list[Origin]:
        """Somebody on each of the nodes, for what nobody outside can reach."""
        return [self._network.origins.of(on_node(name)) for name in self._places.entry_nodes()]

    def _headless(self, service: Object, port: int) -> list[Endpoint]:
        names = [entry.get("name") or "" for entry in service["spec"].get("ports") or () if entry["port"] == port] or [""]
        meta = service["metadata"]
        return [endpoint for endpoint in self._proxy.endpoints((meta["namespace"], meta["name"]), names[0]) if endpoint.ready]

    def _address(self, rule: Rule, service: Object) -> str:
        if rule.via == LOAD_BALANCER:
            return service["status"]["loadBalancer"]["ingress"][0]["ip"]
        return service["spec"]["externalIPs"][0] if rule.via == EXTERNAL else service["spec"]["clusterIP"]

    # where they go

    def _from(self, aim: Aim, target: Target) -> Iterator[tuple[float, Walk]]:
        if not aim.address:
            yield 1.0, aim.walk().silence("service")
            return
        rule = self._proxy.rule(aim.address, aim.port)
        node = self._places.node_at(aim.address)
        if rule is not None and aim.origin.node is not None:
            yield from self._at(aim, target, aim.origin.node, rule if rule.via == CLUSTER else rule._replace(local=False))
        elif rule is not None and rule.via != CLUSTER:
            entries = self._connections.entry_nodes(rule)
            for weight, entry in self._alike(entries, rule, lambda entry: entry):
                self._outer = weight
                for share, walk in self._at(aim, target, entry, rule, from_outside=True):
                    yield share * weight, walk
            if not entries:
                yield from self._look(aim, target)
        elif node is not None and (rule := self._proxy.node_port(aim.port)) is not None and self._places.crosses(aim.origin.node, node):
            yield from self._at(aim, target, node, rule._replace(local=False) if aim.origin.node == node else rule)
        else:
            yield from self._look(aim, target)

    def _at(self, aim: Aim, target: Target, here: str, rule: Rule, from_outside: bool = False) -> Iterator[tuple[float, Walk]]:
        """Each endpoint that a node may pick."""
        shares = self._proxy.shares(rule, here, aim.origin.address)
        allowed = self._connections.admits(rule, aim.origin)
        if not shares or not allowed or from_outside and not self._places.reachable(here):
            way = self._connections.enter if from_outside else self._connections.to_endpoint
            yield from self._ends(1.0, aim, target, lambda trip: way(trip, here, rule))
            return
        for endpoint, share in shares:
            self._part = share * (self._outer if rule.local else 1.0)
            for part, walk in self._at_endpoint(aim, target, here, rule, endpoint):
                yield share * part, walk

    def _at_endpoint(self, aim: Aim, target: Target, here: str, rule: Rule, endpoint: Endpoint) -> list[tuple[float, Walk]]:
        """As it was found for another node, where it makes no difference which node it is: nobody asks for the sender's address."""
        same = here == endpoint.node, endpoint.node is None or self._places.crosses(here, endpoint.node), \
            here if self._network.policies.active else ""
        where = (endpoint, rule.via, aim.port, aim.asked.ms if aim.asked is not None else 0.0, *same)
        known = self._known.get(where)
        if known is None or any(walk.error is not None and walk.host != aim.host for _, walk in known):
            known = self._known[where] = list(self._ends(1.0, aim, target, lambda trip: self._to_endpoint(trip, here, rule, endpoint)))
        return known

    def _to_endpoint(self, trip: Trip, here: str, rule: Rule, endpoint: Endpoint) -> Landing | None:
        trip.walk.service = rule.service
        trip.walk.ms += self._connections.way_in_ms(trip.origin, here)
        return self._connections.to_chosen(trip, here, rule, endpoint)

    def _look(self, aim: Aim, target: Target) -> Iterator[tuple[float, Walk]]:
        return self._ends(1.0, aim, target, lambda trip: self._connections.open(trip.walk, aim.origin, aim.address, aim.port))

    def _ends(self, share: float, aim: Aim, target: Target, way: Callable[[Trip], Landing | None]) -> Iterator[tuple[float, Walk]]:
        """Where requests on that way end, without leaving a trace; whoever passes them on decides in every way that it may."""
        branches, ends = Branches(self._rate * self._part), []
        while len(ends) < MOST_TURNS:
            with self._network.ingress.deciding(branches):
                walk = self._ask(aim, target, way)
            ends.append((branches.share, walk))
            if not branches.turn():
                break
        whole = sum(part for part, _ in ends)
        for part, walk in ends:
            yield share * part / whole, walk

    def _ask(self, aim: Aim, target: Target, way: Callable[[Trip], Landing | None]) -> Walk:
        walk = aim.walk()
        landing = way(Trip(walk, aim.origin, aim.port, "TCP"))
        if landing is None:
            return walk
        return self._network.exchange.request(walk, landing, Ask(
            "GET", target.path, request_headers(target.host or aim.host, aim.port, None), log=False))


def _path(share: float, walk: Walk) -> Path:
    error = walk.trouble
    return Path(share, walk.pod, walk.node, 0.0 if walk.error is not None else walk.ms, error, walk.landed, walk.status,
                walk.service, walk.host, walk.port, walk.through)


