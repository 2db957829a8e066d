"""A Service port as kube-proxy's rules know it, and which of its endpoints a node sends connections to.

In: Services and EndpointSlices as they are stored. Out: ``Rule`` with its ``Endpoint``s; ``usable`` says which of them count on a node: ready
ones, on the node itself where the traffic policy is Local, in its zone or on it where the slices' hints say so; and while none is ready,
those that still serve while they terminate.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-policies
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from server.cluster.objects import Key, Object, key

SERVICE_NAME, OTHER_PROXY = "kubernetes.io/service-name", "service.kubernetes.io/service-proxy-name"
CLUSTER, NODE_PORT, LOAD_BALANCER, EXTERNAL = "ClusterIP", "NodePort", "LoadBalancer", "ExternalIP"
AFFINITY_SECONDS = 10800
Block = ipaddress.IPv4Network | ipaddress.IPv6Network


class Endpoint(NamedTuple):
    """Where a Service port leads: ``pod`` is (namespace, name), None for an address that is no pod's. ``zones`` and ``nodes`` are for whom
    it is meant, if the slice says so."""

    address: str
    port: int
    node: str | None
    pod: Key | None
    ready: bool
    serving: bool
    terminating: bool
    zones: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


class Rule(NamedTuple):
    """A Service port and by which of its addresses it was found (``via``). ``local``: its traffic policy there; ``ranges``: whom its load
    balancer lets in; ``keeps_source``: whether clients from outside keep their address."""

    service: Key
    via: str
    port: int
    node_port: int | None
    target: int | str
    endpoints: tuple[Endpoint, ...]
    local: bool
    sticky: float | None
    ranges: tuple[Block, ...] = ()
    keeps_source: bool = False
    name: str = ""
    protocol: str = "TCP"
    address: str | None = None

    @property
    def title(self) -> str:
        """As kube-proxy writes it: namespace/name:port."""
        return f"{self.service[0]}/{self.service[1]}{':' if self.name else ''}{self.name}"


def of_service(service: Object, slices: Iterable[Object]) -> Iterator[Rule]:
    """A rule for each of a Service's ports at each of its addresses; at a node port the address is None."""
    spec, where = service["spec"], key(service)
    if OTHER_PROXY in (service["metadata"].get("labels") or {}):
        return
    external_local, internal_local = spec.get("externalTrafficPolicy") == "Local", spec.get("internalTrafficPolicy") == "Local"
    sticky = None
    if spec.get("sessionAffinity") == "ClientIP":
        sticky = float(((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds") or AFFINITY_SECONDS)
    ranges = tuple(ipaddress.ip_network(block.strip(), strict=False) for block in spec.get("loadBalancerSourceRanges") or ())
    addresses = [(address, CLUSTER) for address in spec.get("clusterIPs") or [spec.get("clusterIP", "")] if address not in ("", "None")]
    addresses += [(address, LOAD_BALANCER) for address in ingress_addresses(service)]
    addresses += [(address, EXTERNAL) for address in spec.get("externalIPs") or ()]
    slices = list(slices)
    for port in spec.get("ports") or ():
        name = port.get("name") or ""
        rule = Rule(where, CLUSTER, port["port"], port.get("nodePort"), port.get("targetPort", port["port"]), endpoints(where, name, slices),
                    internal_local, sticky, ranges, external_local, name, port.get("protocol") or "TCP")
        for address, via in addresses:
            yield rule._replace(via=via, local=internal_local if via == CLUSTER else external_local, address=address)
        if port.get("nodePort"):
            yield rule._replace(via=NODE_PORT, local=external_local)


def ingress_addresses(service: Object) -> list[str]:
    """What a load balancer has given it."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry["ip"] for entry in ingress if entry.get("ip")]


def endpoints(service: Key, port_name: str, slices: Iterable[Object]) -> tuple[Endpoint, ...]:
    """Every endpoint of a Service port, in order of slice, ready or not."""
    found: dict[tuple[str, int], Endpoint] = {}
    for entry in slices:
        for port in entry.get("ports") or ():
            if (port.get("name") or "") != port_name or port.get("port") is None:
                continue
            for endpoint in entry.get("endpoints") or ():
                made = _endpoint(service, endpoint, port["port"])
                found.setdefault((made.address, made.port), made)
    return tuple(found.values())


def _endpoint(service: Key, endpoint: Object, port: int) -> Endpoint:
    conditions, target, hints = endpoint.get("conditions") or {}, endpoint.get("targetRef") or {}, endpoint.get("hints") or {}
    ready = conditions.get("ready", True) is not False
    pod = (target.get("namespace") or service[0], target["name"]) if target.get("kind") == "Pod" else None
    return Endpoint(endpoint["addresses"][0], port, endpoint.get("nodeName"), pod, ready, conditions.get("serving", ready) is not False,
                    conditions.get("terminating", False) is True, tuple(entry["name"] for entry in hints.get("forZones") or ()),
                    tuple(entry["name"] for entry in hints.get("forNodes") or ()))


def candidates(found: Iterable[Endpoint]) -> list[Endpoint]:
    """The ready ones, or while there are none those that still serve."""
    found = list(found)
    return [endpoint for endpoint in found if endpoint.ready] or [endpoint for endpoint in found if endpoint.serving and endpoint.terminating]


def usable(rule: Rule, node: str | None, zone: str) -> list[Endpoint]:
    """The endpoints that a node in a zone sends connections to."""
    if rule.local:
        return candidates(endpoint for endpoint in rule.endpoints if endpoint.node == node)
    return nearby(candidates(rule.endpoints), node, zone)


def nearby(found: list[Endpoint], node: str | None, zone: str) -> list[Endpoint]:
    """Those that are meant for the node or its zone, if every one says for whom it is and there is one for here.

    >>> a = Endpoint("10.0.0.1", 80, "n1", None, True, True, False, ("a",))
    >>> b, c = a._replace(zones=("b",)), a._replace(zones=())
    >>> nearby([a, b], "n1", "a") == [a], nearby([a, b], "n3", "c") == [a, b], nearby([a, c], "n1", "a") == [a, c]
    (True, True, True)
    """
    if node and found and all(endpoint.nodes for endpoint in found):
        mine = [endpoint for endpoint in found if node in endpoint.nodes]
        if mine:
            return mine
    if zone and found and all(endpoint.zones for endpoint in found):
        mine = [endpoint for endpoint in found if zone in endpoint.zones]
        if mine:
            return mine
    return found
