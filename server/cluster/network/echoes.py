"""Ping and traceroute: who answers an ICMP echo, how far away he is, and which machines are on the way.

A pod answers, and a machine; a Service's address is nobody's where kube-proxy only rewrites packets (iptables), and every node's own
where it binds the addresses (ipvs); in nftables mode it is refused. A NetworkPolicy that names ports lets no echo through.

Source: https://man7.org/linux/man-pages/man8/ping.8.html
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from server.cluster.network import upstream
from server.cluster.network.connection import LOCAL_MS, NODE_MS, OUTSIDE_MS, Connections
from server.cluster.network.places import POD_NETWORK, SERVICE_NETWORK
from server.cluster.network.proxy_modes import NFTABLES
from server.cluster.network.source import Origin, Origins, Source
from server.cluster.runtime import nfs
from server.cluster.runtime.reach import Echo

FIRST_TTL = 64
UNREACHABLE, NO_NETWORK, NO_PORT = "Destination Host Unreachable", "Destination Net Unreachable", "Destination Port Unreachable"
SILENT_HOPS = 30


class _Way(NamedTuple):
    """Addresses of the routers on the way, whether the last one answers, and who says what if not."""

    routers: tuple[str, ...]
    ms: float
    answers: bool
    fault: str = ""


class Echoes:
    def __init__(self, connections: Connections, origins: Origins) -> None:
        self._connections = connections
        self._places = connections.places
        self._origins = origins

    def ping(self, source: Source, address: str) -> Echo:
        if not address:
            return Echo("", None, 0, "bad address")
        way = self._way(self._origins.of(source), address)
        if not way.answers:
            return Echo(address, None, 0, way.fault)
        return Echo(address, self._measured(way.ms), FIRST_TTL - len(way.routers))

    def trace(self, source: Source, address: str) -> list[Echo]:
        if not address:
            return []
        way = self._way(self._origins.of(source), address)
        ms = way.ms / (len(way.routers) + 1)
        found = [Echo(router, self._measured(ms * number), FIRST_TTL - number + 1) for number, router in enumerate(way.routers, 1)]
        if way.answers:
            return [*found, Echo(address, self._measured(way.ms), FIRST_TTL - len(way.routers))]
        return [*found, Echo(found[-1].address if found else "", None, 0, way.fault)] if way.fault \
            else [*found, *(Echo("", None, 0) for _ in range(SILENT_HOPS - len(found)))]

    def _measured(self, ms: float) -> float:
        return round(ms * (0.85 + 0.3 * self._connections.random.random()), 3)

    def _way(self, origin: Origin, address: str) -> _Way:
        if address.startswith("127.") or address == origin.address:
            return _Way((), LOCAL_MS, True)
        in_cluster = ipaddress.ip_address(address) in POD_NETWORK or ipaddress.ip_address(address) in SERVICE_NETWORK
        here = origin.node
        first: tuple[str, ...] = (self._places.address_of(here) or "",) if here and not origin.host else ()
        if here is None and in_cluster:
            here = self._places.terminal_node() if origin.kind == "workstation" else None
            if here is None or not self._places.reachable(here):
                return _Way((), 0.0, False, UNREACHABLE if here else "")
            first = (self._places.address_of(here) or "",)
        if (pod := self._places.pod_at(address)) is not None and here is not None:
            there = (self._places.pod(pod) or {"spec": {}})["spec"].get("nodeName", "")
            second = (self._places.address_of(there) or "",) if there != here else ()
            routers = tuple(dict.fromkeys((*first, *second)))
            if not self._allowed(origin, pod, address):
                return _Way(first, LOCAL_MS, False)
            if not self._places.crosses(here, there):
                return _Way(first, NODE_MS, False, UNREACHABLE)
            return _Way(routers, LOCAL_MS if there == here else NODE_MS, True)
        if (node := self._places.node_at(address)) is not None:
            if not self._allowed(origin, None, address):
                return _Way(first, LOCAL_MS, False)
            if node == here:
                return _Way((), LOCAL_MS, True)
            if not self._places.crosses(here, node):
                return _Way(first, NODE_MS, False, UNREACHABLE)
            return _Way(first, NODE_MS, True)
        return self._beyond(origin, here, first, address)

    def _beyond(self, origin: Origin, here: str | None, first: tuple[str, ...], address: str) -> _Way:
        """An address that neither a pod nor a machine has."""
        proxy = self._connections.proxy
        if here is not None and proxy.has_address(address):
            if address in proxy.bound_addresses(here):
                return _Way((), LOCAL_MS, True)
            return _Way(first, LOCAL_MS, False, NO_PORT if proxy.mode(here).name == NFTABLES else "")
        if not self._allowed(origin, None, address):
            return _Way(first, LOCAL_MS, False)
        if here is not None and not self._places.reachable(here):
            return _Way(first, NODE_MS, False, UNREACHABLE)
        if address == upstream.ROUTER:
            return _Way(first, NODE_MS, True)
        if address in nfs.EXPORTS:
            return _Way((*first, upstream.ROUTER), OUTSIDE_MS, True)
        owner = self._places.network_of(address)
        if owner is not None and here is not None:
            return _Way(tuple(dict.fromkeys((*first, self._places.address_of(owner) or ""))), NODE_MS, False, UNREACHABLE)
        if self._places.in_lan(address):
            return _Way(first, NODE_MS, False, UNREACHABLE)
        silent = ipaddress.ip_address(address).is_private
        return _Way((*first, upstream.ROUTER), NODE_MS, False, "" if silent else NO_NETWORK)

    def _allowed(self, origin: Origin, target: tuple[str, str] | None, address: str) -> bool:
        return self._connections.policies.verdict(origin.pod, origin.address, target, address, 0, "ICMP") is None
