"""Which pods of a Job go first when there are too many: those that have got least far, and of an indexed Job all that have no index of
their own.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#parallel-jobs
"""

from __future__ import annotations

from server.cluster.clock import Clock
from server.cluster.controllers import job_indexes as indexes
from server.cluster.controllers import podfacts
from server.cluster.controllers.job_facts import Facts
from server.cluster.objects import Object

PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def first_to_go(facts: Facts, count: int, clock: Clock) -> list[Object]:
    """At least ``count`` of the active pods."""
    pods = sorted(facts.active, key=lambda pod: _progress(pod, clock))
    if not indexes.is_indexed(facts.job):
        return pods[:count]
    keeping: dict[int, Object] = {}
    for pod in reversed(pods):
        if facts.in_range(pod):
            keeping.setdefault(indexes.index_of(pod), pod)
    kept = {id(pod) for pod in keeping.values()}
    surplus = [pod for pod in pods if id(pod) not in kept]
    rest = [pod for pod in pods if id(pod) in kept]
    return [*surplus, *rest[:max(0, count - len(surplus))]]


def _progress(pod: Object, clock: Clock) -> tuple[bool, int, bool, float, int, float]:
    """How far a pod has got: bound, running, ready, for long, without restarts, old."""
    ready = podfacts.ready_condition(pod) if podfacts.ready(pod) else None
    restarts = max((status.get("restartCount", 0) for status in (pod.get("status") or {}).get("containerStatuses") or ()), default=0)
    return (bool(podfacts.node(pod)), PHASE_ORDER.get(podfacts.phase(pod), 0), ready is not None,
            -clock.seconds(ready["lastTransitionTime"]) if ready else 0.0, -restarts, -clock.seconds(pod["metadata"]["creationTimestamp"]))
