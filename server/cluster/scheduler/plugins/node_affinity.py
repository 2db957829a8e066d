"""NodeAffinity: nodeSelector and required node affinity refuse nodes, preferred terms add their weights.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from server.cluster.scheduler.plugins.plugin import NodeFilter, Rejection
from server.cluster.scheduler.podinfo import Requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot
from server.cluster.selectors import node_term_holds

_REJECTION = Rejection("NodeAffinity", ("node(s) didn't match Pod's node affinity/selector",))
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


def matches(needs: Requirements, node: NodeInfo) -> bool:
    """nodeSelector and the required terms (one of which must hold)."""
    labels = node.labels
    for key, value in needs.node_selector:
        if labels.get(key) != value:
            return False
    if not needs.node_affinity:
        return True
    required = dict(needs.node_affinity).get(REQUIRED)
    return required is None or any(node_term_holds(term, labels, node.name) for term in dict(required).get("nodeSelectorTerms") or ())


def named_nodes(needs: Requirements) -> tuple[str, ...] | None:
    """The nodes that the required terms name by ``metadata.name`` (as a DaemonSet's pods do); None unless every term names some."""
    required = dict(needs.node_affinity).get(REQUIRED) if needs.node_affinity else None
    if required is None:
        return None
    names: dict[str, None] = {}
    terms = dict(required).get("nodeSelectorTerms") or ()
    for frozen_term in terms:
        found: tuple[str, ...] | None = None
        for frozen_expression in dict(frozen_term).get("matchFields") or ():
            expression = dict(frozen_expression)
            if expression.get("key") == "metadata.name" and expression.get("operator") == "In":
                values = expression.get("values") or ()
                found = values if found is None else tuple(value for value in found if value in values)
        if found is None:
            return None
        names.update(dict.fromkeys(found))
    return tuple(names) if terms else None


class NodeAffinity(NodeFilter):
    name = "NodeAffinity"
    weight = 2
    events = {"Node": ("added", "labels")}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        return None if matches(needs, node) else _REJECTION

    def prefers(self, needs: Requirements) -> bool:
        return bool(needs.node_affinity and dict(needs.node_affinity).get(PREFERRED))

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        """Raw: the weights of the preferred terms that hold."""
        total = 0
        for frozen_term in dict(needs.node_affinity).get(PREFERRED) or ():
            term = dict(frozen_term)
            if node_term_holds(term["preference"], node.labels, node.name):
                total += term["weight"]
        return total
