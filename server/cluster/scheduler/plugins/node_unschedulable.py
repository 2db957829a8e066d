"""NodeUnschedulable: a cordoned node takes only pods that tolerate the ``unschedulable`` taint."""

from __future__ import annotations

from server.cluster.scheduler.plugins.plugin import NodeFilter, Rejection
from server.cluster.scheduler.plugins.taint_toleration import tolerated
from server.cluster.scheduler.podinfo import Requirements
from server.cluster.scheduler.snapshot import NodeInfo

UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REJECTION = Rejection("NodeUnschedulable", ("node(s) were unschedulable",))


class NodeUnschedulable(NodeFilter):
    name = "NodeUnschedulable"
    events = {"Node": ("added", "unschedulable")}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        if not node.unschedulable or tolerated(UNSCHEDULABLE, needs.tolerations):
            return None
        return _REJECTION
