"""What controllers ask of a pod: is it active, ready, available, on its way out.

Pure questions about one object; the answers decide what counts as a replica and what may be sent traffic.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

import math

from server.cluster import conditions
from server.cluster.clock import Clock
from server.cluster.objects import Object, replaced

TERMINAL = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    status = pod.get("status")
    return status.get("phase", "Pending") if status else "Pending"


def node(pod: Object) -> str:
    return pod["spec"].get("nodeName", "")


def terminal(pod: Object) -> bool:
    """All its containers have ended for good."""
    status = pod.get("status")
    return bool(status) and status.get("phase") in TERMINAL


def active(pod: Object) -> bool:
    """Counts as a replica: neither ended nor being deleted."""
    status = pod.get("status")
    return "deletionTimestamp" not in pod["metadata"] and not (status and status.get("phase") in TERMINAL)


def terminating(pod: Object) -> bool:
    """Being deleted, with containers that have not ended yet."""
    return "deletionTimestamp" in pod["metadata"] and not terminal(pod)


def ready_condition(pod: Object) -> Object | None:
    status = pod.get("status")
    for condition in (status.get("conditions") or ()) if status else ():
        if condition["type"] == "Ready":
            return condition
    return None


def ready(pod: Object) -> bool:
    status = pod.get("status")
    for condition in (status.get("conditions") or ()) if status else ():
        if condition["type"] == "Ready":
            return condition["status"] == "True"
    return False


def available_at(pod: Object, min_ready_seconds: float, clock: Clock) -> float | None:
    """The moment from which a ready pod counts as available; None while it is not ready."""
    condition = ready_condition(pod)
    if condition is None or condition["status"] != "True":
        return None
    if not min_ready_seconds:
        return -math.inf
    return clock.seconds(condition["lastTransitionTime"]) + min_ready_seconds


def with_condition(pod: Object, condition: Object) -> Object:
    """The pod with one of its conditions set."""
    return replaced(pod, {("status", "conditions"): conditions.with_condition((pod.get("status") or {}).get("conditions"), condition)})
