"""Which pods a shrinking ReplicaSet gives up first.

Pods that do the least come first: not yet on a node, not running, not ready; then those that cost least to delete, that share a
node with the most siblings, that have been ready and alive for the shortest time (counted in powers of two, so that equals are
spread and not always the newest go), and that restart most.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key
from math import log2

from server.cluster.clock import Clock
from server.cluster.controllers import podfacts
from server.cluster.objects import Object, annotations, uid

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def first_to_go(pods: list[Object], related: Iterable[Object], clock: Clock) -> list[Object]:
    """``pods`` in the order of their deletion; ``related`` are all pods of the same Deployment."""
    neighbours: dict[str, int] = {}
    for pod in related:
        if podfacts.active(pod):
            neighbours[podfacts.node(pod)] = neighbours.get(podfacts.node(pod), 0) + 1
    ranked = [_Ranked(pod, neighbours.get(podfacts.node(pod), 0), clock) for pod in pods]
    return [entry.pod for entry in sorted(ranked, key=cmp_to_key(_compare))]


class _Ranked:
    """One pod with everything it is judged by."""

    __slots__ = ("pod", "uid", "standing", "ready_since", "ready_magnitude", "restarts", "created", "age_magnitude")

    def __init__(self, pod: Object, neighbours: int, clock: Clock) -> None:
        ready = podfacts.ready(pod)
        self.pod = pod
        self.uid = uid(pod)
        self.standing = (bool(podfacts.node(pod)), PHASE_ORDER.get(podfacts.phase(pod), 0), ready, deletion_cost(pod), -neighbours)
        self.ready_since = podfacts.ready_condition(pod)["lastTransitionTime"] if ready else None
        self.ready_magnitude = _magnitude(self.ready_since, clock) if ready else 0
        self.restarts = max((status.get("restartCount", 0) for status in pod.get("status", {}).get("containerStatuses") or ()), default=0)
        self.created = pod["metadata"].get("creationTimestamp")
        self.age_magnitude = _magnitude(self.created, clock)


def deletion_cost(pod: Object) -> int:
    try:
        return int(annotations(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _magnitude(since: str | None, clock: Clock) -> int:
    """The power of two of the nanoseconds that have passed."""
    passed = (clock.now - clock.seconds(since)) * 1e9 if since else 0.0
    return int(log2(passed)) if passed >= 1 else -1


def _compare(a: _Ranked, b: _Ranked) -> int:
    if a.standing != b.standing:
        return -1 if a.standing < b.standing else 1
    if a.ready_since != b.ready_since:
        return _shorter_first(a.ready_magnitude, b.ready_magnitude, a, b)
    if a.restarts != b.restarts:
        return -1 if a.restarts > b.restarts else 1
    if a.created != b.created:
        return _shorter_first(a.age_magnitude, b.age_magnitude, a, b)
    return 0


def _shorter_first(a_magnitude: int, b_magnitude: int, a: _Ranked, b: _Ranked) -> int:
    if a_magnitude != b_magnitude:
        return a_magnitude - b_magnitude
    return -1 if a.uid < b.uid else 1
