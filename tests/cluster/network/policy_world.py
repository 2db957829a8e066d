"""A few namespaces, machines and pods with addresses, and nothing that moves: what NetworkPolicies are tried on.

``allowed`` decides a connection as the documentation tells it, from the objects alone and without regard to cost: the reference that
``Policies`` is held against.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""
# ruff: noqa: E501 -- a case is a row

from __future__ import annotations

import ipaddress
import random
from typing import Any

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.network.policy import Denial, Policies
from server.cluster.parts import Parts
from server.cluster.store import Store

Object = dict[str, Any]
POLICIES = "networkpolicies.networking.k8s.io"
NAMESPACES: dict[str, dict[str, str]] = {"default": {"team": "a"}, "shop": {"team": "a", "stage": "prod"}, "lab": {"team": "b"}}
NODES = {"n1": "192.168.1.101", "n2": "192.168.1.102"}
# (namespace, name): labels, node, address, in the host's network
PODS: dict[tuple[str, str], tuple[dict[str, str], str, str, bool]] = {
    ("default", "web"): ({"app": "web", "tier": "front"}, "n1", "10.244.1.2", False),
    ("default", "db"): ({"app": "db"}, "n2", "10.244.2.2", False),
    ("default", "bare"): ({}, "n1", "10.244.1.3", False),
    ("shop", "web"): ({"app": "web"}, "n2", "10.244.2.3", False),
    ("shop", "db"): ({"app": "db", "tier": "back"}, "n1", "10.244.1.4", False),
    ("lab", "client"): ({"app": "client"}, "n2", "10.244.2.4", False),
    ("default", "agent"): ({"app": "agent"}, "n1", "192.168.1.101", True),
}
OUTSIDE = "203.0.113.7"
PORTS = [{"name": "http", "containerPort": 80}, {"name": "metrics", "containerPort": 9100}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]


class World:
    def __init__(self) -> None:
        clock, store, chance = Clock(), Store(), random.Random(1)
        self.api = ApiServer(clock, store, chance)
        self.client = Parts(clock, self.api, chance, store.state).client("kubectl", "kubernetes-admin")
        for name, labels in NAMESPACES.items():
            self.client.create("namespaces", {"metadata": {"name": name, "labels": labels}})
            self.client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
        for number, (name, address) in enumerate(NODES.items(), 1):
            node = self.client.create("nodes", {"metadata": {"name": name}, "spec": {"podCIDR": f"10.244.{number}.0/24",
                                                                                     "podCIDRs": [f"10.244.{number}.0/24"]}})
            self.client.update("nodes", {**node, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}, "status")
        for where in PODS:
            self._pod(*where)
        self.policies = Policies(self.api)
        self.policies.start()
        self.told = 0
        self.policies.on_change(self._told)

    def _told(self) -> None:
        self.told += 1

    def _pod(self, namespace: str, name: str) -> None:
        labels, node, address, host = PODS[namespace, name]
        pod = self.client.create("pods", {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {
            "nodeName": node, "hostNetwork": host, "containers": [{"name": "c", "image": "nginx", "ports": [] if host else PORTS}]}})
        self.client.update("pods", {**pod, "status": {**pod["status"], "phase": "Running", "podIP": address}}, "status")

    def policy(self, name: str, namespace: str = "default", **spec: Any) -> Object:
        return self.client.create(POLICIES, {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}})

    def verdict(self, source: tuple[str, str] | str, target: tuple[str, str] | str, port: int = 80, protocol: str = "TCP") -> Denial | None:
        """Between pods, or addresses that are no pod's."""
        ends = [(end, PODS[end][2]) if isinstance(end, tuple) else (None, end) for end in (source, target)]
        return self.policies.verdict(*ends[0], *ends[1], port, protocol)


def allowed(policies: list[Object], source: tuple[str, str] | str, target: tuple[str, str] | str, port: int, protocol: str) -> bool:
    return source == target or (_open(policies, "Egress", source, target, target, port, protocol)
                                and _open(policies, "Ingress", target, source, target, port, protocol))


def _open(policies: list[Object], direction: str, mine: tuple[str, str] | str, other: tuple[str, str] | str,
          server: tuple[str, str] | str, port: int, protocol: str) -> bool:
    if isinstance(mine, str) or PODS[mine][3]:
        return True
    if _machine(other) == PODS[mine][1]:
        return True
    selecting = [policy for policy in policies if policy["metadata"]["namespace"] == mine[0]
                 and direction in _types(policy["spec"]) and _selects(policy["spec"].get("podSelector"), PODS[mine][0])]
    rules = [(rule, policy["metadata"]["namespace"]) for policy in selecting for rule in policy["spec"].get(direction.lower()) or []]
    return not selecting or any(_rule(rule, home, "from" if direction == "Ingress" else "to", other, server, port, protocol) for rule, home in rules)


def _types(spec: Object) -> list[str]:
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _machine(end: tuple[str, str] | str) -> str | None:
    """The machine that an end is, if it is one: also a pod in its network, and the machine's address among its pods."""
    if isinstance(end, tuple):
        return PODS[end][1] if PODS[end][3] else None
    return next((name for number, (name, address) in enumerate(NODES.items(), 1) if end in (address, f"10.244.{number}.1")), None)


def _rule(rule: Object, home: str, field: str, other: tuple[str, str] | str, server: tuple[str, str] | str, port: int, protocol: str) -> bool:
    peers, ports = rule.get(field) or [], rule.get("ports") or []
    return (not peers or any(_peer(peer, home, other) for peer in peers)) and (not ports or any(_port(each, server, port, protocol) for each in ports))


def _peer(peer: Object, home: str, other: tuple[str, str] | str) -> bool:
    address = ipaddress.ip_address(other if isinstance(other, str) else PODS[other][2])
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and all(address not in ipaddress.ip_network(each) for each in block.get("except") or [])
    if isinstance(other, str) or PODS[other][3]:
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], {**NAMESPACES[other[0]], "kubernetes.io/metadata.name": other[0]}):
            return False
    elif other[0] != home:
        return False
    return "podSelector" not in peer or _selects(peer["podSelector"], PODS[other][0])


def _port(wanted: Object, server: tuple[str, str] | str, port: int, protocol: str) -> bool:
    if wanted.get("protocol", "TCP") != protocol:
        return False
    first = wanted.get("port")
    if isinstance(first, str):
        declared = [] if isinstance(server, str) or PODS[server][3] else PORTS
        return any(each["name"] == first and each["containerPort"] == port and each.get("protocol", "TCP") == protocol for each in declared)
    return first is None or first <= port <= wanted.get("endPort", first)


def _selects(selector: Object | None, labels: dict[str, str]) -> bool:
    selector = selector or {}
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            return False
    for each in selector.get("matchExpressions") or []:
        value = labels.get(each["key"])
        fits = {"In": value in each.get("values", []) and value is not None, "NotIn": value is None or value not in each.get("values", []),
                "Exists": value is not None, "DoesNotExist": value is None}[each["operator"]]
        if not fits:
            return False
    return True
