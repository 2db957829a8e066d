"""One connection, from where it starts to whoever takes it, by the way it really goes.

``Connections.open`` takes the sender and an address, finds who handles it (a node's kube-proxy rules, a node's own port, a pod, the
router), picks an endpoint, asks the NetworkPolicies and crosses to the node; each step is a ``Hop`` of the walk. Out: a ``Landing``, or
None with the error in the walk. What happens on the open connection is ``exchange``'s. What runs in containers is asked of a ``Backend``.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

import ipaddress
import random as random_module
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from server.cluster.network import upstream
from server.cluster.network.machine_ports import daemon_at, listens_at, target_of_host_port
from server.cluster.network.places import POD_NETWORK, SERVICE_NETWORK, Places
from server.cluster.network.policy import EGRESS, Denial, Policies
from server.cluster.network.proxy import DROPPED, REJECTED, Proxy
from server.cluster.network.rules import CLUSTER, LOAD_BALANCER, Endpoint, Rule
from server.cluster.network.source import Origin, Origins
from server.cluster.network.walk import Walk
from server.cluster.objects import Key, Object, key
from server.cluster.runtime import nfs

if TYPE_CHECKING:
    from server.cluster.runtime.reach import Talk
    from server.cluster.runtime.serving import Listener

    Listening = Callable[[int], Listener | None]

LOCAL_MS, NODE_MS, OUTSIDE_MS = 0.05, 0.45, 1.4
POD, MACHINE, ROUTER, WORKSTATION = "pod", "machine", "router", "workstation"
LOOPBACK = "127.0.0.1"
NFS_PORTS = (22, 111, 2049)


class Backend(Protocol):
    """The containers."""

    def listening(self, pod: Object, port: int) -> bool: ...

    def speaks_tls(self, pod: Object, port: int) -> bool: ...

    def talk(self, pod: Object, port: int, client: str = "") -> Talk: ...

    def http(self, pod: Object, port: int, method: str, path: str, headers: dict[str, str] | None = None, *, client: str = "",
             log: bool = True, body: str = "", tls: bool = False) -> tuple[int, dict[str, str], str]: ...


class Landing(NamedTuple):
    """Who took the connection: a port of a pod, of a machine, of the router or of the workstation; ``client`` is the sender's address as
    it is seen there; ``handler`` is a program of somebody's session that has opened the port."""

    kind: str
    port: int
    client: str
    node: str | None = None
    pod: Object | None = None
    handler: Callable[[str], Talk] | None = None


class Connections:
    """``hosts`` are the machines on which people's programs may listen: a node by its name, the workstation by its own."""

    def __init__(self, random: random_module.Random, places: Places, origins: Origins, proxy: Proxy, policies: Policies) -> None:
        self.random = random
        self.places = places
        self.origins = origins
        self.proxy = proxy
        self.policies = policies
        self.backend: Backend | None = None
        self.hosts: dict[str, Listening] = {}

    def open(self, walk: Walk, origin: Origin, address: str, port: int, protocol: str = "TCP") -> Landing | None:
        walk.address = address
        walk.number(port)
        trip = Trip(walk, origin, port, protocol)
        if address.startswith("127."):
            return self._to_itself(trip)
        if origin.kind == "pod" and not origin.node:
            walk.hop("pod", origin.name, "is no more")
            return _lost(walk.silence("pod"))
        rule = self.proxy.rule(address, port, protocol)
        if origin.node is not None:
            return self._from_node(trip, origin.node, address, rule)
        if rule is not None and rule.via != CLUSTER:
            return self._from_outside(trip, rule)
        if (node := self.places.node_at(address)) is not None:
            return self._to_node(trip, None, node)
        if origin.kind == "workstation" and _in_cluster(address):
            return self._by_gateway(trip, address, rule)
        if origin.kind == "workstation" and address == origin.address:
            return self._to_itself(trip)
        if origin.kind == "workstation" and address == upstream.ROUTER:
            return self._to_router(trip)
        if _in_cluster(address):
            walk.hop("node", address, "is an address inside the cluster: nobody outside knows the way")
            return _lost(walk.silence("service" if self.proxy.has_address(address) else "node"))
        return self._elsewhere(trip, None, address)

    def alive(self, pod: Key, port: int) -> bool:
        """Whether a pod is there and takes connections."""
        found = self.places.pod(pod)
        return found is not None and self.backend.listening(found, port)

    # where it starts

    def _from_node(self, trip: Trip, here: str, address: str, rule: Rule | None) -> Landing | None:
        """Sent by a node or one of its pods: that node's rules come first."""
        walk = trip.walk
        if rule is not None:
            return self._through_service(trip, here, rule)
        if (pod := self.places.pod_at(address)) is not None:
            return self._to_pod(trip, here, pod, trip.port, trip.origin.address, address)
        if (node := self.places.node_at(address)) is not None:
            return self._to_node(trip, here, node)
        if self.proxy.has_address(address):
            walk.hop("service", f"{address}:{trip.port}", "nothing is served on that port")
            return _lost(walk.refused("service") if self.proxy.rejects_other_ports(here) else walk.silence("service"))
        if (owner := self.places.network_of(address)) is not None:
            walk.hop("node", owner, f"no pod has {address}")
            walk.node = owner
            return _lost(walk.no_route("pod"))
        return self._elsewhere(trip, here, address)

    def _from_outside(self, trip: Trip, rule: Rule) -> Landing | None:
        """A load balancer's or external address, which some node takes."""
        walk = trip.walk
        entries = self.entry_nodes(rule)
        if not entries:
            walk.hop("service", "/".join(rule.service), "no node takes connections from the load balancer")
            return _lost(walk.silence("node"))
        entry = entries[int(self.random.random() * len(entries))]
        return self.enter(trip, entry, rule)

    def enter(self, trip: Trip, entry: str, rule: Rule) -> Landing | None:
        """The connection comes to a node from outside."""
        walk = trip.walk
        walk.ms += OUTSIDE_MS
        walk.hop("node", entry, "takes the connection from the load balancer", entries=len(self.entry_nodes(rule)))
        if not self.places.reachable(entry):
            walk.node = entry
            return _lost(walk.silence("node"))
        return self._through_service(trip, entry, rule)

    def _by_gateway(self, trip: Trip, address: str, rule: Rule | None) -> Landing | None:
        """From the workstation, whose routes lead by way of the control plane's node."""
        gateway = self.places.terminal_node()
        if gateway is None or not self.places.reachable(gateway):
            trip.walk.hop("node", gateway or "", "does not answer")
            return _lost(trip.walk.no_route("node"))
        trip.walk.ms += LOCAL_MS
        return self._from_node(trip, gateway, address, rule)

    def _to_itself(self, trip: Trip) -> Landing | None:
        origin, walk = trip.origin, trip.walk
        if origin.kind == "pod" and not origin.host and origin.pod is not None:
            return self._to_pod(trip, origin.node, origin.pod, trip.port, LOOPBACK, LOOPBACK)
        if origin.node is not None:
            rule = self.proxy.node_port(trip.port, trip.protocol)
            if rule is not None and not self.proxy.rejects_other_ports(origin.node):
                walk.hop("node", origin.node, f"port {trip.port} is a node port")
                return self.to_endpoint(trip, origin.node, rule._replace(local=False))
            return self._on_machine(trip, origin.node, origin.node, loopback=True)
        if origin.kind == "workstation" and (landing := self._session(trip, WORKSTATION, LOOPBACK)) is not None:
            return landing
        walk.hop("node", origin.name or origin.kind, f"nothing listens on port {trip.port}")
        return _lost(walk.refused("node"))

    def _session(self, trip: Trip, host: str, client: str) -> Landing | None:
        """A program that somebody has started on a machine and that listens there."""
        listening = self.hosts.get(host)
        listener = listening(trip.port) if listening is not None and trip.protocol == "TCP" else None
        if listener is None or listener.handler is None:
            return None
        trip.walk.hop("node", host, f"a program listens on port {trip.port}")
        return Landing(MACHINE, trip.port, client, host, None, listener.handler)

    def _elsewhere(self, trip: Trip, here: str | None, address: str) -> Landing | None:
        """An address that is nobody's here: in the nodes' network nobody answers for it, beyond is no network."""
        walk = trip.walk
        if here is not None:
            if (denial := self._denied(trip, None, address, trip.origin.address)) is not None:
                return self._dropped(trip, denial)
            if not self.places.reachable(here):
                walk.hop("node", here, "is cut off")
                return _lost(walk.no_route("node"))
        if address == upstream.ROUTER:
            return self._to_router(trip)
        if address in nfs.EXPORTS:
            return self._to_nfs(trip)
        if address == self.origins.workstation_address() and trip.origin.kind != "outside":
            if (landing := self._session(trip, WORKSTATION, trip.origin.address)) is not None:
                return landing
            walk.hop("node", WORKSTATION, f"nothing listens on port {trip.port}")
            return _lost(walk.refused("node"))
        walk.hop("node", address, "nobody has this address" if self.places.in_lan(address) else "the router has no way there")
        if self.places.in_lan(address) and trip.origin.kind != "outside":
            return _lost(walk.no_route("node"))
        return _lost(walk.silence("node") if ipaddress.ip_address(address).is_private else walk.no_network("node"))

    def _to_nfs(self, trip: Trip) -> Landing | None:
        """The NFS server, which is a machine beyond the router."""
        trip.walk.ms += OUTSIDE_MS
        if trip.port in NFS_PORTS:
            trip.walk.hop("node", trip.walk.address, "is the NFS server")
            return Landing(ROUTER, trip.port, trip.origin.address)
        trip.walk.hop("node", trip.walk.address, f"nothing listens on port {trip.port}")
        return _lost(trip.walk.refused("node"))

    def _to_router(self, trip: Trip) -> Landing | None:
        trip.walk.ms += NODE_MS
        if trip.port == 53:
            trip.walk.hop("node", upstream.ROUTER, "is the name server of the nodes' network")
            return Landing(ROUTER, trip.port, trip.origin.address)
        trip.walk.hop("node", upstream.ROUTER, f"nothing listens on port {trip.port}")
        return _lost(trip.walk.refused("node"))

    # Services

    def entry_nodes(self, rule: Rule) -> list[str]:
        """The nodes over which clients from outside are spread; with a Local policy, those that have an endpoint."""
        names = self.places.entry_nodes()
        return [name for name in names if self.proxy.usable(rule, name)] or names if rule.local else names

    def _through_service(self, trip: Trip, here: str, rule: Rule) -> Landing | None:
        origin = trip.origin
        if not self.admits(rule, origin):
            trip.walk.service = rule.service
            trip.walk.hop("service", "/".join(rule.service), f"{origin.address} is in none of its loadBalancerSourceRanges: dropped",
                          ranges=[str(block) for block in rule.ranges])
            return _lost(trip.walk.silence("service"))
        if rule.via != CLUSTER and origin.node is not None:
            rule = rule._replace(local=False)
        return self.to_endpoint(trip, here, rule)

    def admits(self, rule: Rule, origin: Origin) -> bool:
        """Whether a load balancer's Service takes connections from that address."""
        if not rule.ranges or rule.via != LOAD_BALANCER:
            return True
        address = ipaddress.ip_address(origin.address or "0.0.0.0")
        return any(address in block for block in rule.ranges)

    def way_in_ms(self, origin: Origin, here: str) -> float:
        """To the node whose rules a connection meets."""
        return OUTSIDE_MS if origin.node is None else 0.0 if origin.node == here else NODE_MS

    def to_endpoint(self, trip: Trip, here: str, rule: Rule) -> Landing | None:
        """A node's rules for a Service port."""
        walk, name = trip.walk, "/".join(rule.service)
        walk.service = rule.service
        walk.number(rule.port)
        client = "workstation" if trip.origin.kind == "workstation" else trip.origin.kind
        chosen = self.proxy.choose(rule, here, trip.origin.address or f"{client}/{trip.origin.name}")
        if chosen == REJECTED:
            walk.hop("service", name, "has no ready endpoint: the connection is rejected", node=here, via=rule.via)
            return _lost(walk.refused("endpoints"))
        if chosen == DROPPED:
            walk.hop("service", name, f"has no endpoint on {here} and its traffic policy is Local: dropped", node=here, via=rule.via)
            return _lost(walk.silence("endpoints"))
        walk.hop("service", name, f"{chosen.address}:{chosen.port}", **self.proxy.explain(rule, here, chosen))
        return self.to_chosen(trip, here, rule, chosen)

    def to_chosen(self, trip: Trip, here: str, rule: Rule, chosen: Endpoint) -> Landing | None:
        """On to the endpoint that the node has picked; the sender's address is rewritten where answers would not find back otherwise."""
        walk, origin = trip.walk, trip.origin
        walk.number(chosen.port)
        masked = rule.via != CLUSTER and not rule.keeps_source or rule.via == CLUSTER and (origin.kind != "pod" or origin.host)
        hairpin = origin.pod is not None and origin.pod == chosen.pod
        client = (self.places.address_of(here) or "") if masked or hairpin else origin.address
        if chosen.pod is not None:
            walk.pod = chosen.pod
            return self._to_pod(trip, here, chosen.pod, chosen.port, client, chosen.address)
        node = self.places.node_at(chosen.address)
        if node is not None:
            if (denial := self._denied(trip, None, chosen.address, client, chosen.port)) is not None:
                return self._dropped(trip, denial)
            return self._on_machine(trip._replace(port=chosen.port), here, node)
        if (pod := self.places.pod_at(chosen.address)) is not None:
            return self._to_pod(trip, here, pod, chosen.port, client, chosen.address)
        return self._elsewhere(trip._replace(port=chosen.port), here, chosen.address)

    # where it ends

    def _to_node(self, trip: Trip, here: str | None, node: str) -> Landing | None:
        """A node's own address: a node port, or something that runs on the machine."""
        walk = trip.walk
        walk.node = node
        walk.ms += OUTSIDE_MS if here is None else LOCAL_MS if here == node else NODE_MS
        if (denial := self._denied(trip, None, self.places.address_of(node) or "", trip.origin.address)) is not None:
            return self._dropped(trip, denial)
        if not self.places.crosses(here, node):
            walk.hop("node", node, "does not answer")
            return _lost(walk.no_route("node"))
        rule = self.proxy.node_port(trip.port, trip.protocol)
        if rule is None:
            return self._on_machine(trip, here, node)
        walk.hop("node", node, f"port {trip.port} is a node port")
        return self.to_endpoint(trip, node, rule._replace(local=False) if here == node else rule)

    def _on_machine(self, trip: Trip, here: str | None, node: str, loopback: bool = False) -> Landing | None:
        """A port of the machine: a pod in the host's network, a host port, or what the machine itself runs."""
        walk = trip.walk
        walk.node = node
        if not self.places.crosses(here, node):
            walk.hop("node", node, "does not answer")
            return _lost(walk.no_route("node"))
        client = trip.origin.address if not loopback else LOOPBACK
        if trip.protocol == "TCP" and daemon_at(trip.port, self.places.is_control_plane(node), loopback) is not None:
            return Landing(MACHINE, trip.port, client, node)
        for pod in self.places.pods_on(node):
            if pod["spec"].get("hostNetwork"):
                if listens_at(self.backend, pod, trip.port, trip.protocol):
                    walk.pod = key(pod)
                    return self._land(trip, here, pod, trip.port, client)
                continue
            target = target_of_host_port(pod, trip.port, trip.protocol, LOOPBACK if loopback else walk.address)
            if target is not None:
                walk.hop("node", node, f"port {trip.port} is a host port of {'/'.join(key(pod))}")
                return self._to_pod(trip, node, key(pod), target, self.places.address_of(node) or "" if loopback else client)
        return self._session(trip, node, client) or Landing(MACHINE, trip.port, client, node)

    def _to_pod(self, trip: Trip, here: str | None, where: Key, port: int, client: str, address: str = "") -> Landing | None:
        """``address``: the one that the connection was sent to, which the pod may have lost."""
        walk = trip.walk
        walk.pod = where
        pod = self.places.pod(where)
        if pod is None or address not in ("", LOOPBACK) and (pod.get("status") or {}).get("podIP") != address:
            walk.hop("pod", "/".join(where), "is gone")
            walk.node = self.places.network_of(address) if address else None
            return _lost(walk.no_route("pod"))
        walk.node = node = pod["spec"].get("nodeName", "")
        denial = None
        if LOOPBACK not in (client, address):
            denial = self._denied(trip, where, address or (pod.get("status") or {}).get("podIP", ""), client, port)
        if denial is not None:
            return self._dropped(trip, denial)
        if not self.places.crosses(here, node):
            walk.hop("node", node, "does not answer")
            return _lost(walk.no_route("node"))
        return self._land(trip, here, pod, port, client)

    def _land(self, trip: Trip, here: str | None, pod: Object, port: int, client: str) -> Landing | None:
        walk = trip.walk
        walk.number(port)
        walk.landed = port
        walk.node = node = pod["spec"].get("nodeName", "")
        walk.ms += LOCAL_MS if here == node else NODE_MS
        if not listens_at(self.backend, pod, port, trip.protocol):
            walk.hop("pod", "/".join(key(pod)), f"nothing listens on port {port}" + ("" if trip.protocol == "TCP" else f"/{trip.protocol}"))
            return _lost(walk.refused("pod"))
        return Landing(POD, port, client, node, pod)

    # policies

    def _denied(self, trip: Trip, target: Key | None, address: str, client: str, port: int | None = None) -> Denial | None:
        """Asked after the destination is rewritten; where another node has rewritten the sender's address, the target sees only that (its
        own node asks before it does so)."""
        origin, port = trip.origin, trip.port if port is None else port
        pod = self.places.pod(target) if target is not None else None
        if client == origin.address or pod is not None and client == self.places.address_of(pod["spec"].get("nodeName", "")):
            return self.policies.verdict(origin.pod, origin.address, target, address, port, trip.protocol)
        sent = self.policies.verdict(origin.pod, origin.address, target, address, port, trip.protocol) if origin.pod is not None else None
        if sent is not None and sent.direction == EGRESS:
            return sent
        if origin.pod is not None and origin.pod == target:
            return None
        return self.policies.verdict(None, client, target, address, port, trip.protocol)

    def _dropped(self, trip: Trip, denial: Denial) -> None:
        trip.walk.hop("policy", ", ".join("/".join(policy) for policy in denial.policies), f"drops the packets: {denial.reason}",
                      direction=denial.direction, policies=["/".join(policy) for policy in denial.policies])
        return _lost(trip.walk.silence("policy"))


class Trip(NamedTuple):
    """A connection on its way: ``port`` is the one that it goes to at the moment."""

    walk: Walk
    origin: Origin
    port: int
    protocol: str





def _lost(walk: Walk) -> None:
    """It ends here: the walk knows why."""
    return None


def _in_cluster(address: str) -> bool:
    number = ipaddress.ip_address(address)
    return number in POD_NETWORK or number in SERVICE_NETWORK
