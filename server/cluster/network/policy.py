"""NetworkPolicies: whether packets may go from one address to another, as the nodes' packet filters decide it.

In: NetworkPolicies, pods' and namespaces' labels, by watch. Out: ``verdict`` of a connection that is being opened: None, or the
``Denial`` that drops its packets. A pod that no policy of a direction selects is open in that direction; policies that select it add up.
Pods in the host's network stand outside, a pod always reaches itself and its own node, and replies belong to their connection.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Key, Object, key
from server.cluster.selectors import Selector, from_object
from server.cluster.store import DELETED, Event, Watch

POLICIES = "networkpolicies.networking.k8s.io"
INGRESS, EGRESS = "ingress", "egress"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Denial(NamedTuple):
    """Why packets are dropped: ``policies`` are those that isolate the pod in that direction."""

    direction: str
    policies: tuple[Key, ...]
    reason: str


class Peer(NamedTuple):
    """The other end that a rule allows: an ``ipBlock``, or pods by their own labels and those of their namespace."""

    pods: Selector | None = None
    namespaces: Selector | None = None
    block: Network | None = None
    without: tuple[Network, ...] = ()


class Port(NamedTuple):
    """``first`` is a name, or the first number of a range that ends with ``last``; None is every port of the protocol."""

    protocol: str
    first: int | str | None
    last: int | None


class Rule(NamedTuple):
    """Both must hold; None is everybody, or every port of every protocol."""

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None


class Policy(NamedTuple):
    """``rules`` has a direction only if the policy isolates in it."""

    key: Key
    pods: Selector
    rules: dict[str, tuple[Rule, ...]]


class End(NamedTuple):
    """One end of a connection; ``pod`` is None for an address that policies do not know as a pod's."""

    pod: Object | None
    address: str
    node: str | None

    @property
    def text(self) -> str:
        return f"{'/'.join(key(self.pod))} ({self.address})" if self.pod is not None else self.address


class Policies:
    """Every policy by namespace, and for each pod that was asked about those that select it."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._pods = api.lister("pods")
        self._nodes = api.lister("nodes")
        self._namespaces = api.lister("namespaces")
        self._policies: dict[str, dict[str, Policy]] = {}
        self._selecting: dict[Key, tuple[Policy, ...]] = {}
        self._watches: list[Watch] = []
        self._changed: list[Callable[[], None]] = []
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for policy in self._api.lister(POLICIES).list():
            self._note(policy)
        self._follow()
        self._api.watch(POLICIES, self._on_policy)

    def on_change(self, callback: Callable[[], None]) -> None:
        """``callback()`` whenever verdicts may have become others."""
        self._changed.append(callback)

    def verdict(self, source: Key | None, source_address: str, target: Key | None, target_address: str, port: int,
                protocol: str = "TCP") -> Denial | None:
        """What stops a connection, None if nothing does. ``target`` is where kube-proxy sends it; ``source_address`` is the one that the
        target's node sees: behind another node's masquerading, before its own. Pods' keys are None for nodes and what is outside."""
        if not self._policies or source is not None and source == target:
            return None
        client, server = self._end(source, source_address), self._end(target, target_address)
        return self._denial(EGRESS, client, server, server, port, protocol) or self._denial(INGRESS, server, client, server, port, protocol)

    @property
    def active(self) -> bool:
        """Whether there is any policy at all."""
        return bool(self._policies)

    def selecting(self, pod: Key) -> tuple[Key, ...]:
        """The policies that apply to a pod, in order of name."""
        found = self._pods.get(*pod) if self._policies else None
        return tuple(policy.key for policy in self._of(found)) if found is not None and not _on_host(found) else ()

    def _end(self, pod: Key | None, address: str) -> End:
        found = self._pods.get(*pod) if pod is not None else None
        node = found["spec"].get("nodeName") if found is not None else None
        return End(None if found is not None and _on_host(found) else found, address, node)

    def _denial(self, direction: str, mine: End, peer: End, server: End, port: int, protocol: str) -> Denial | None:
        if mine.pod is None or self._is_own_node(mine, peer):
            return None
        isolating = [policy for policy in self._of(mine.pod) if direction in policy.rules]
        if not isolating or any(self._allows(rule, policy.key[0], peer, server, port, protocol)
                                for policy in isolating for rule in policy.rules[direction]):
            return None
        names = ", ".join("/".join(policy.key) for policy in isolating)
        way = "from" if direction == INGRESS else "to"
        return Denial(direction, tuple(policy.key for policy in isolating),
                      f"{'/'.join(key(mine.pod))} is isolated for {direction} by {names}, and no rule allows {protocol} port {port} "
                      f"{way} {peer.text}")

    def _is_own_node(self, mine: End, peer: End) -> bool:
        """Whether the peer is the pod's own machine, or something in its network."""
        if peer.pod is not None or mine.node is None:
            return False
        if peer.node is not None:
            return peer.node == mine.node
        node = self._nodes.get("", mine.node)
        return node is not None and peer.address in _addresses(node)

    def _allows(self, rule: Rule, namespace: str, peer: End, server: End, port: int, protocol: str) -> bool:
        return (rule.ports is None or any(_is_port(each, server.pod, port, protocol) for each in rule.ports)) \
            and (rule.peers is None or any(self._is_peer(each, namespace, peer) for each in rule.peers))

    def _is_peer(self, peer: Peer, namespace: str, end: End) -> bool:
        if peer.block is not None:
            address = _parsed(end.address)
            return address is not None and address in peer.block and not any(address in each for each in peer.without)
        if end.pod is None:
            return False
        meta = end.pod["metadata"]
        if peer.namespaces is None:
            if meta["namespace"] != namespace:
                return False
        else:
            found = self._namespaces.get("", meta["namespace"])
            if found is None or not peer.namespaces.matches(found["metadata"].get("labels")):
                return False
        return peer.pods is None or peer.pods.matches(meta.get("labels"))

    def _of(self, pod: Object) -> tuple[Policy, ...]:
        where = key(pod)
        known = self._selecting.get(where)
        if known is None:
            policies = self._policies.get(where[0]) or {}
            labels = pod["metadata"].get("labels")
            known = self._selecting[where] = tuple(policies[name] for name in sorted(policies) if policies[name].pods.matches(labels))
        return known

    # what may change a verdict

    def _on_policy(self, event: Event) -> None:
        policy, before = event.object, event.previous
        if event.type is not DELETED and before is not None and before["spec"] == policy["spec"]:
            return
        namespace, name = key(policy)
        for pod in [pod for pod in self._selecting if pod[0] == namespace]:
            del self._selecting[pod]
        if event.type is DELETED:
            self._policies[namespace].pop(name, None)
            if not self._policies[namespace]:
                del self._policies[namespace]
        else:
            self._note(policy)
        self._follow()
        self._tell()

    def _note(self, policy: Object) -> None:
        namespace, name = key(policy)
        self._policies.setdefault(namespace, {})[name] = _compiled(policy)

    def _follow(self) -> None:
        """Labels matter only as long as there is a policy."""
        if self._policies and not self._watches:
            self._watches = [self._api.watch("pods", self._on_pod), self._api.watch("namespaces", self._on_namespace)]
        elif self._watches and not self._policies:
            for watch in self._watches:
                watch.stop()
            self._watches = []
            self._selecting = {}

    def _on_pod(self, event: Event) -> None:
        if event.type is DELETED:
            self._selecting.pop(key(event.object), None)
        elif event.previous is not None and _labels(event.previous) != _labels(event.object):
            self._selecting.pop(key(event.object), None)
            self._tell()

    def _on_namespace(self, event: Event) -> None:
        if event.previous is not None and event.type is not DELETED and _labels(event.previous) != _labels(event.object):
            self._tell()

    def _tell(self) -> None:
        for callback in tuple(self._changed):
            callback()


def _compiled(policy: Object) -> Policy:
    spec = policy["spec"]
    types = [direction.lower() for direction in spec.get("policyTypes") or ()]
    return Policy(key(policy), from_object(spec.get("podSelector") or {}), {
        direction: tuple(_rule(rule, "from" if direction == INGRESS else "to") for rule in spec.get(direction) or ())
        for direction in (INGRESS, EGRESS) if direction in types})


def _rule(rule: Object, field: str) -> Rule:
    return Rule(tuple(_peer(peer) for peer in rule[field]) if rule.get(field) else None,
                tuple(Port(port.get("protocol") or "TCP", port.get("port"), port.get("endPort")) for port in rule["ports"])
                if rule.get("ports") else None)


def _peer(peer: Object) -> Peer:
    if (block := peer.get("ipBlock")) is not None:
        return Peer(block=_network(block["cidr"]), without=tuple(_network(each) for each in block.get("except") or ()))
    pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    return Peer(from_object(pods) if pods is not None else None, from_object(namespaces) if namespaces is not None else None)


def _network(cidr: str) -> Network:
    return ipaddress.ip_network(cidr, strict=False)


@lru_cache(maxsize=4096)
def _parsed(address: str) -> Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _is_port(rule: Port, server: Object | None, port: int, protocol: str) -> bool:
    if rule.protocol != protocol:
        return False
    if isinstance(rule.first, str):
        return server is not None and port in _called(server, rule.first, protocol)
    return rule.first is None or rule.first <= port <= (rule.last or rule.first)


def _called(pod: Object, name: str, protocol: str) -> list[int]:
    """The numbers of a pod's ports of a name."""
    spec = pod["spec"]
    sidecars = [container for container in spec.get("initContainers") or () if container.get("restartPolicy") == "Always"]
    return [entry["containerPort"] for container in (*spec["containers"], *sidecars) for entry in container.get("ports") or ()
            if entry.get("name") == name and (entry.get("protocol") or "TCP") == protocol]


def _on_host(pod: Object) -> bool:
    return bool(pod["spec"].get("hostNetwork"))


def _labels(obj: Object) -> dict[str, str] | None:
    return obj["metadata"].get("labels")


def _addresses(node: Object) -> list[str]:
    """What a machine sends from: its own addresses, and its end of the pods' network."""
    found = [entry["address"] for entry in (node.get("status") or {}).get("addresses") or ()]
    cidrs = (node.get("spec") or {}).get("podCIDRs") or ()
    return [*found, *(str(next(_network(cidr).hosts())) for cidr in cidrs)]
