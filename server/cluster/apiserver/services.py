"""Cluster IPs and node ports: what a Service is given when it is stored and gives back when it goes.

An address is taken as asked for if it is free, else drawn at random from the service network, a node port from 30000-32767. The first
256 addresses and 86 ports are left to those who ask for one by number, until nothing else is free. On an update a Service keeps what it
has, unless its new type has no use for it.

Source: https://kubernetes.io/docs/concepts/services-networking/service/ (KEP-3070 for addresses, KEP-3668 for ports)
"""

from __future__ import annotations

import bisect
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.errors import FieldError, internal, invalid
from server.cluster.objects import Key, Object, key

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

NETWORK = ipaddress.ip_network("10.96.0.0/12")
NODE_PORTS = range(30000, 32768)
FIRST_DRAWN_ADDRESS, FIRST_DRAWN_PORT = NETWORK[min(max(16, NETWORK.num_addresses // 16), 256) + 1], 30086
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
Undo = Callable[[], None]


class ServiceAllocator:
    """Which addresses and ports are taken; rebuilt from the stored Services."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._addresses: dict[str, Key] = {}
        self._ports: dict[tuple[str, int], Key] = {}
        for service in api.lister("services").list():
            self._note(service)

    def allocate(self, service: Object, old: Object | None, dry_run: bool) -> tuple[Object, Undo]:
        """The Service with its addresses and ports filled in; ApiError 422 when one is not to be had."""
        spec = dict(service["spec"])
        if spec.get("type") != "ExternalName":
            self._address(service, spec, old)
            if spec.get("type") in WITH_NODE_PORTS and spec.get("allocateLoadBalancerNodePorts", True):
                spec["ports"] = self._node_ports(service, spec.get("ports") or [], old)
            if _needs_health_port(spec) and not spec.get("healthCheckNodePort"):
                spec["healthCheckNodePort"] = self._drawn(self._free_ports("TCP", set()))
        new = {**service, "spec": spec}
        if dry_run:
            return new, lambda: None
        self._note(new)
        return new, lambda: self.release(new)

    def prepare(self, new: Object, old: Object) -> Object:
        """An update keeps the addresses and ports that the client left out, drops what the new type does not have, and is given
        what the new type needs."""
        was, spec = old["spec"], dict(new["spec"])
        external = spec.get("type") == "ExternalName"
        if external:
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                if was.get("type") != "ExternalName" and spec.get(field) == was.get(field):
                    spec.pop(field, None)
        elif was.get("type") != "ExternalName":
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if not spec.get(field) and was.get(field):
                    spec[field] = was[field]
            if spec.get("clusterIP") != was.get("clusterIP") and spec.get("clusterIPs") == was.get("clusterIPs"):
                spec["clusterIPs"] = [spec["clusterIP"]]
        if spec.get("type") in WITH_NODE_PORTS:
            spec["ports"] = _keeping_ports(spec.get("ports") or [], was.get("ports") or [])
        elif was.get("type") in WITH_NODE_PORTS:
            spec["ports"] = [_without_kept_port(port, was.get("ports") or []) for port in spec.get("ports") or []]
            if spec.get("externalTrafficPolicy") == was.get("externalTrafficPolicy"):
                spec.pop("externalTrafficPolicy", None)
            spec.pop("allocateLoadBalancerNodePorts", None)
        if not _needs_health_port(spec):
            spec.pop("healthCheckNodePort", None)
        new = {**new, "spec": spec}
        if not external and _can_allocate(spec):
            new, _ = self.allocate(new, old, dry_run=True)
        return new if new != old else old

    def claim(self, new: Object, old: Object, dry_run: bool) -> Undo:
        """Takes what an update uses and gives back what it no longer does."""
        if not dry_run:
            self.release(old)
            self._note(new)
        return lambda: None

    def release(self, service: Object) -> None:
        mine = key(service)
        for table, wanted in ((self._addresses, _addresses(service)), (self._ports, _ports(service))):
            for entry in wanted:
                if table.get(entry) == mine:
                    del table[entry]

    def _note(self, service: Object) -> None:
        mine = key(service)
        for address in _addresses(service):
            self._addresses[address] = mine
        for port in _ports(service):
            self._ports[port] = mine

    def _address(self, service: Object, spec: Object, old: Object | None) -> None:
        spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]
        spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"
        asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        if not asked:
            asked = self._free_address()
        elif asked != "None" and self._addresses.get(asked, key(service)) != key(service):
            raise _refused(service, "spec.clusterIPs", [asked], f"failed to allocate IP {asked}: provided IP is already allocated")
        elif asked != "None" and not _in_network(asked):
            raise _refused(service, "spec.clusterIPs", [asked], f"failed to allocate IP {asked}: the provided IP ({asked}) is not in the "
                           f"valid range. The range of valid IPs is {NETWORK}")
        spec["clusterIP"], spec["clusterIPs"] = asked, [asked]

    def _free_address(self) -> str:
        """One drawn at random; there are far more than a room can have Services."""
        size = int(NETWORK.broadcast_address) - int(FIRST_DRAWN_ADDRESS)
        while True:
            address = str(FIRST_DRAWN_ADDRESS + self._api.random.randrange(size))
            if address not in self._addresses:
                return address

    def _node_ports(self, service: Object, ports: list[Object], old: Object | None) -> list[Object]:
        mine = key(service)
        wanted = {(port.get("protocol", "TCP"), port["nodePort"]) for port in ports if port.get("nodePort")}
        for index, port in enumerate(ports):
            number = port.get("nodePort")
            if not number:
                continue
            if number not in NODE_PORTS:
                raise _refused(service, f"spec.ports[{index}].nodePort", number, "provided port is not in the valid range. "
                               f"The range of valid ports is {NODE_PORTS.start}-{NODE_PORTS.stop - 1}")
            if self._ports.get((port.get("protocol", "TCP"), number), mine) != mine:
                raise _refused(service, f"spec.ports[{index}].nodePort", number, "provided port is already allocated")
        filled, free = [], {}
        for port in ports:
            if not port.get("nodePort"):
                protocol = port.get("protocol", "TCP")
                if protocol not in free:
                    free[protocol] = self._free_ports(protocol, wanted)
                port = {**port, "nodePort": self._drawn(free[protocol])}
            filled.append(port)
        return filled

    def _free_ports(self, protocol: str, wanted: set[tuple[str, int]]) -> list[int]:
        return [number for number in NODE_PORTS if (protocol, number) not in self._ports and (protocol, number) not in wanted]

    def _drawn(self, free: list[int]) -> int:
        """One of the free ports, which are in order, and not free any more."""
        if not free:
            raise internal("failed to allocate a nodePort: range is full")
        kept = bisect.bisect_left(free, FIRST_DRAWN_PORT) % len(free)
        return free.pop(kept + self._api.random.randrange(len(free) - kept))


def _refused(service: Object, field: str, value: object, why: str) -> Exception:
    return invalid("Service", service["metadata"].get("name", ""), [FieldError("Invalid value", field, value, why)])


def _in_network(address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in NETWORK
    except ValueError:
        return True


def _needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _can_allocate(spec: Object) -> bool:
    """Whether the spec is whole enough to hand out to; validation says what is wrong with the others."""
    return isinstance(spec.get("ports") or [], list) and all(isinstance(port.get("port"), int) for port in spec.get("ports") or [])


def _keeping_ports(ports: list[Object], was: list[Object]) -> list[Object]:
    known = {(port.get("protocol", "TCP"), port["port"]): port["nodePort"] for port in was if port.get("nodePort")}
    kept = []
    for port in ports:
        number = known.get((port.get("protocol", "TCP"), port.get("port")))
        if not port.get("nodePort") and number and not any(other.get("nodePort") == number for other in ports):
            port = {**port, "nodePort": number}
        kept.append(port)
    return kept


def _without_kept_port(port: Object, was: list[Object]) -> Object:
    if port.get("nodePort") and any(port["nodePort"] == other.get("nodePort") for other in was):
        return {field: value for field, value in port.items() if field != "nodePort"}
    return port


def _addresses(service: Object) -> list[str]:
    return [address for address in service["spec"].get("clusterIPs") or () if address != "None"]


def _ports(service: Object) -> list[tuple[str, int]]:
    return [(port.get("protocol", "TCP"), port["nodePort"]) for port in service["spec"].get("ports") or () if port.get("nodePort")]
