"""Interfaces and routes of a pod, a node and the workstation, as ``ip addr`` and ``ip route`` show them.

Pods are joined as Calico does it without an overlay: a pod has its address alone (/32) and sends all it has to 169.254.1.1, for which its
node answers; a node has an interface and a route for each of its pods, and a route to every other node's pod network.

Source: https://docs.tigera.io/calico/latest/reference/architecture/data-path
"""

from __future__ import annotations

import hashlib

from server.cluster.network.places import LAN_PREFIX, POD_NETWORK, SERVICE_NETWORK, Places
from server.cluster.network.proxy import Proxy
from server.cluster.network.source import Origin, Origins, Source
from server.cluster.objects import Key, Object, key
from server.cluster.runtime.reach import Interface, Route

LO = Interface(1, "lo", "127.0.0.1/8", "00:00:00:00:00:00", 65536)
LINK_LOCAL = "169.254.1.1"
HOST_END = "ee:ee:ee:ee:ee:ee"
FIRST_VETH = 5
IPVS_DEVICE = 4
MOST = 1000


class Links:
    def __init__(self, places: Places, origins: Origins, proxy: Proxy) -> None:
        self._places = places
        self._origins = origins
        self._proxy = proxy

    def interfaces(self, source: Source) -> list[Interface]:
        origin = self._origins.of(source)
        if origin.kind == "pod" and not origin.host:
            return [LO, Interface(2, "eth0", f"{origin.address}/32", mac(origin.address), 1500, _peer(origin.address))] if origin.address else [LO]
        found = [LO, Interface(2, "eth0", f"{origin.address}/{LAN_PREFIX}", mac(origin.address))]
        if origin.node is not None:
            addresses = self._proxy.bound_addresses(origin.node)
            found += [Interface(IPVS_DEVICE, "kube-ipvs0", f"{address}/32", mac("kube-ipvs0")) for address in addresses[:MOST]]
            found += [Interface(_peer(address), veth(pod), "", HOST_END, 1500, 2) for pod, address in self._pods(origin.node)]
        return found

    def routes(self, source: Source) -> list[Route]:
        origin = self._origins.of(source)
        if origin.kind == "pod" and not origin.host:
            return [Route("default", LINK_LOCAL, "eth0"), Route(LINK_LOCAL, "", "eth0")] if origin.address else []
        block = origin.address.rpartition(".")[0]
        found = [Route("default", f"{block}.1", "eth0"), Route(f"{block}.0/{LAN_PREFIX}", "", "eth0", origin.address)]
        return found + (self._of_workstation() if origin.kind == "workstation" else self._of_node(origin))

    def _of_workstation(self) -> list[Route]:
        gateway = self._places.address_of(self._places.terminal_node() or "")
        return [Route(str(network), gateway, "eth0") for network in (SERVICE_NETWORK, POD_NETWORK)] if gateway else []

    def _of_node(self, origin: Origin) -> list[Route]:
        others = [Route(network, address, "eth0") for name_, address in self._places.names().items()
                  if name_ != origin.node and (network := self._network(name_))]
        pods = [Route(address, "", veth(pod)) for pod, address in self._pods(origin.node or "")]
        return (others + pods)[:MOST]

    def _network(self, node: str) -> str:
        return ((self._places.node(node) or {}).get("spec") or {}).get("podCIDR", "")

    def _pods(self, node: str) -> list[tuple[Key, str]]:
        return [(key(pod), address) for pod in self._places.pods_on(node) if (address := _address(pod))]


def _address(pod: Object) -> str:
    status = pod.get("status") or {}
    gone = status.get("phase") in ("Succeeded", "Failed")
    return "" if pod["spec"].get("hostNetwork") or gone else status.get("podIP", "")


def _peer(address: str) -> int:
    """The number of a pod's interface on its node."""
    return FIRST_VETH + int(address.rpartition(".")[2])


def veth(pod: Key) -> str:
    """
    >>> veth(("default", "web"))
    'cali68caf03a5f4'
    """
    return "cali" + hashlib.sha1(".".join(pod).encode(), usedforsecurity=False).hexdigest()[:11]


def mac(address: str) -> str:
    digest = hashlib.sha256(address.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (digest[0] & 0xFC | 0x02, *digest[1:6]))


