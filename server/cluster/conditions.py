"""Conditions of a status, as everyone who sets one does it: each type once, with the moment since when its status is what it is.

In: an object or its conditions, and what is to be said. Out: a new list or object.

Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions

>>> was = [{"type": "Ready", "status": "True", "lastTransitionTime": "1"}, {"type": "Other", "status": "True"}]
>>> with_condition(was, {"type": "Ready", "status": "True", "lastTransitionTime": "2", "reason": "Still"})[0]
{'type': 'Ready', 'status': 'True', 'lastTransitionTime': '1', 'reason': 'Still'}
"""

from __future__ import annotations

from server.cluster.objects import Object, replaced

DISRUPTION_TARGET = "DisruptionTarget"


def with_condition(conditions: list[Object] | None, new: Object) -> list[Object]:
    """``new`` in the place of its type's condition, else last. While the status stays, so does ``lastTransitionTime``."""
    known = conditions or []
    before = next((entry for entry in known if entry["type"] == new["type"]), None)
    if before is None:
        return [*known, new]
    if before["status"] == new["status"]:
        new = {**new, "lastTransitionTime": before.get("lastTransitionTime")}
    return [new if entry is before else entry for entry in known]


def disruption_target(pod: Object, reason: str, message: str, now: str) -> Object:
    """The pod with the condition that says why it is about to be deleted."""
    target = {"type": DISRUPTION_TARGET, "status": "True", "lastProbeTime": None, "lastTransitionTime": now, "reason": reason,
              "message": message, "observedGeneration": pod["metadata"].get("generation", 1)}
    return replaced(pod, {("status", "conditions"): with_condition((pod.get("status") or {}).get("conditions"), target)})
