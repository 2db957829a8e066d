"""Who sends packets: somebody outside, the workstation beside the cluster, a node, or a pod; and from which machine and address.

``Source`` names them, ``Origin`` is what the network needs to know of one now: ``Origins.of`` works it out from the pod and the node.
The workstation stands in the nodes' own network and has routes to pods and Services by way of the control plane's node; what is outside
comes from the internet and has none: it reaches nodes and load balancers only.

Source: https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from server.cluster.network.places import Places
from server.cluster.objects import Key, Object, key

OUTSIDE_BLOCK = "203.0.113"
WORKSTATION_NAME, WORKSTATION_HOST = "workstation", 5


class Source(NamedTuple):
    """``kind`` is outside, workstation, node or pod."""

    kind: str
    name: str = ""
    namespace: str = "default"


OUTSIDE = Source("outside")
WORKSTATION = Source("workstation", WORKSTATION_NAME)


def on_node(name: str) -> Source:
    return Source("node", name)


def in_pod(namespace: str, name: str) -> Source:
    return Source("pod", name, namespace)


class Origin(NamedTuple):
    """``node`` is the machine whose kube-proxy handles what is sent (None: none does); ``pod`` is the sender as NetworkPolicies know it,
    ``host`` says that it sends from the machine's own address. ``name`` is "" while there is no such pod."""

    kind: str
    name: str
    address: str
    node: str | None = None
    pod: Key | None = None
    host: bool = False

    @property
    def inside(self) -> bool:
        """Whether pods' and Services' addresses mean anything to it."""
        return self.kind != "outside"


class Origins:
    def __init__(self, places: Places) -> None:
        self._places = places

    def of(self, source: Source) -> Origin:
        if source.kind == "pod":
            return self._of_pod(source)
        if source.kind == "node":
            return Origin("node", source.name, self._places.address_of(source.name) or "", source.name, None, True)
        if source.kind == "workstation":
            return Origin("workstation", WORKSTATION_NAME, self.workstation_address())
        last = 10 + zlib.crc32(source.name.encode()) % 240 if source.name else 10
        return Origin("outside", source.name, f"{OUTSIDE_BLOCK}.{last}")

    def pod(self, source: Source) -> Object | None:
        """The pod that a source is."""
        return self._places.pod((source.namespace, source.name)) if source.kind == "pod" else None

    def workstation_address(self) -> str:
        """The workstation is in the network of the control plane's node."""
        return f"{self.block()}.{WORKSTATION_HOST}"

    def block(self) -> str:
        """The first three numbers of the addresses in the network of the control plane's node."""
        node = self._places.terminal_node()
        address = self._places.address_of(node) if node is not None else None
        return (address or "192.168.1.10").rpartition(".")[0]

    def _of_pod(self, source: Source) -> Origin:
        pod = self.pod(source)
        if pod is None:
            return Origin("pod", source.name, "")
        node = pod["spec"].get("nodeName")
        host = bool(pod["spec"].get("hostNetwork"))
        address = (self._places.address_of(node) if node else "") if host else (pod.get("status") or {}).get("podIP")
        return Origin("pod", source.name, address or "", node, key(pod), host)
