"""NodePorts: two pods on a node cannot have the same host port."""

from __future__ import annotations

from server.cluster.scheduler.plugins.plugin import ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import PodInfo, Requirements, requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot

ANY = "0.0.0.0"
_REJECTION = Rejection("NodePorts", ("node(s) didn't have free ports for the requested pod ports",), resolvable=True)


def conflicting(wanted: tuple[tuple[str, str, int], ...], used: object) -> bool:
    """Whether a (protocol, host IP, port) is taken; 0.0.0.0 stands for every address."""
    for protocol, address, port in wanted:
        for other_protocol, other_address, other_port in used:
            if port == other_port and protocol == other_protocol and (address == other_address or ANY in (address, other_address)):
                return True
    return False


class NodePorts(Plugin):
    name = "NodePorts"
    events = {"Node": ("added",), "Pod": ("deleted",)}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        return _REJECTION if needs.host_ports and node.ports and conflicting(needs.host_ports, node.ports) else None

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Node":
            return True
        if not event.pod["spec"].get("nodeName"):
            return False
        return conflicting(info.requirements.host_ports, requirements(event.pod["spec"]).host_ports)
