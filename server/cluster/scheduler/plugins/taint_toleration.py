"""TaintToleration: refuses a node with a NoSchedule or NoExecute taint the pod does not tolerate; prefers those with fewer
PreferNoSchedule ones.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from server.cluster.objects import Object
from server.cluster.scheduler.plugins.plugin import NodeFilter, Rejection
from server.cluster.scheduler.podinfo import Requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot

_REJECTION = Rejection("TaintToleration", ("node(s) had untolerated taint(s)",))


def tolerated(taint: Object, tolerations: tuple) -> bool:
    """Whether one of the (frozen) tolerations covers the taint."""
    return any(_covers(dict(toleration), taint) for toleration in tolerations)


def _covers(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator in ("Lt", "Gt"):
        return _compares(operator, toleration.get("value", ""), taint.get("value", ""))
    return operator == "Equal" and bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _compares(operator: str, wanted: str, found: str) -> bool:
    try:
        return int(found) < int(wanted) if operator == "Lt" else int(found) > int(wanted)
    except ValueError:
        return False


class TaintToleration(NodeFilter):
    name = "TaintToleration"
    weight = 3
    events = {"Node": ("added", "taints")}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        for taint in node.taints:
            if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerated(taint, needs.tolerations):
                return _REJECTION
        return None

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        """Raw: how many PreferNoSchedule taints are not tolerated."""
        count = 0
        for taint in node.taints:
            if taint["effect"] == "PreferNoSchedule":
                fitting = tuple(t for t in needs.tolerations if dict(t).get("effect") in (None, "", "PreferNoSchedule"))
                count += not tolerated(taint, fitting)
        return count
