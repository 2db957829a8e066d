"""Who has which address: nodes, the networks that they give to pods, pods; and between which machines packets get across.

In: nodes and pods, by watch. Out: look-ups that cost nothing, whatever the size of the cluster.

Source: https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Key, Object, condition_true, key, labels, name
from server.cluster.store import DELETED, Event

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
LAN_PREFIX = 24
POD_NETWORK, SERVICE_NETWORK = ipaddress.ip_network("10.244.0.0/16"), ipaddress.ip_network("10.96.0.0/12")


class Places:
    """``reachable(node)`` says whether packets from elsewhere come to a machine and its own get out; ``powered`` whether it runs."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._pods = api.lister("pods")
        self._nodes = api.lister("nodes")
        self.reachable: Callable[[str], bool] = lambda node: True
        self._pod_at: dict[str, Key] = {}
        self._node_at: dict[str, str] | None = None
        self._network_at: dict[tuple[int, int], str] = {}
        self._prefixes: tuple[int, ...] = ()
        self._entries: list[str] | None = None
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        for pod in self._pods.list():
            self._note(pod)
        self._api.watch("pods", self._on_pod)
        self._api.watch("nodes", self._on_node)

    # what changes

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if event.type == DELETED:
            self._forget((before or pod).get("status") or {}, key(pod))
        elif before is None or before.get("status") is not pod.get("status"):
            self._note(pod)

    def _note(self, pod: Object) -> None:
        status = pod.get("status") or {}
        address = status.get("podIP")
        if not address or pod["spec"].get("hostNetwork"):
            return
        if status.get("phase") in ("Succeeded", "Failed"):
            self._forget(status, key(pod))
        else:
            self._pod_at[address] = key(pod)

    def _forget(self, status: Object, pod: Key) -> None:
        address = status.get("podIP")
        if self._pod_at.get(address) == pod:
            del self._pod_at[address]

    def _on_node(self, event: Event) -> None:
        node, before = event.object, event.previous
        if before is None or event.type == DELETED or _standing(before) != _standing(node):
            self._node_at, self._entries = None, None

    def _index(self) -> dict[str, str]:
        if self._node_at is None:
            self._node_at, self._network_at = {}, {}
            for node in self._nodes.list():
                if address := internal_address(node):
                    self._node_at.setdefault(address, name(node))
                if cidr := (node.get("spec") or {}).get("podCIDR"):
                    network = ipaddress.ip_network(cidr)
                    self._network_at[network.prefixlen, int(network.network_address)] = name(node)
            self._prefixes = tuple(sorted({prefix for prefix, _ in self._network_at}))
        return self._node_at

    # look-ups

    def pod(self, where: Key) -> Object | None:
        return self._pods.get(*where)

    def node(self, called: str) -> Object | None:
        return self._nodes.get("", called)

    def pods_on(self, node: str) -> list[Object]:
        return self._pods.by_node(node)

    def pod_at(self, address: str) -> Key | None:
        return self._pod_at.get(address)

    def node_at(self, address: str) -> str | None:
        return self._index().get(address)

    def address_of(self, node: str) -> str | None:
        """A node's InternalIP."""
        found = self._nodes.get("", node)
        return internal_address(found) if found is not None else None

    def network_of(self, address: str) -> str | None:
        """The node whose pod network an address belongs to."""
        self._index()
        number = int(ipaddress.IPv4Address(address))
        for prefix in self._prefixes:
            owner = self._network_at.get((prefix, number >> 32 - prefix << 32 - prefix))
            if owner is not None:
                return owner
        return None

    def crosses(self, here: str | None, there: str) -> bool:
        """Whether packets get from one node (None: from elsewhere) to another."""
        return here == there or (self.reachable(there) and (here is None or self.reachable(here)))

    def terminal_node(self) -> str | None:
        """The first node of the control plane."""
        nodes = self._nodes.list()
        first = next((node for node in nodes if CONTROL_PLANE in labels(node)), nodes[0] if nodes else None)
        return name(first) if first is not None else None

    def is_control_plane(self, node: str) -> bool:
        found = self._nodes.get("", node)
        return found is not None and CONTROL_PLANE in labels(found)

    def entry_nodes(self) -> list[str]:
        """The nodes over which clients from outside are spread: ready ones, not the control plane if there are others."""
        if self._entries is None:
            nodes = [node for node in self._nodes.list() if condition_true(node, "Ready")]
            self._entries = [name(node) for node in nodes if EXCLUDED not in labels(node)] or [name(node) for node in nodes]
        return self._entries

    def names(self) -> dict[str, str]:
        """The machines by name."""
        return {found: address for address, found in self._index().items()}

    def in_lan(self, address: str) -> bool:
        """Whether an address is in the network that the nodes stand in."""
        block = address.rpartition(".")[0]
        return any(known.rpartition(".")[0] == block for known in self._index())


def internal_address(node: Object) -> str | None:
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), None)


def _standing(node: Object) -> tuple:
    """What of a node matters here."""
    return ((node.get("status") or {}).get("addresses"), (node.get("spec") or {}).get("podCIDR"), condition_true(node, "Ready"),
            labels(node))


def is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
