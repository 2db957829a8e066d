"""How long a Job waits after failures before it tries again: ten seconds, then twice as long each time, at most ten minutes.

In: pods that have ended since the Job was last looked at. Out: how many have failed since the last success and when the last one did,
kept as plain data so that a controller that is started again goes on waiting; and the seconds that are left to wait.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.clock import Clock
from server.cluster.controllers import podfacts
from server.cluster.objects import Object, deleting

FIRST, LONGEST = 10.0, 600.0


class Backoff(NamedTuple):
    """Failures since the last success, and the virtual moment of the last of them."""

    failures: int = 0
    last: float = 0.0

    def after(self, succeeded: list[Object], failed: list[Object], clock: Clock) -> Backoff:
        """With what has ended since."""
        ends = sorted(ended_at(pod, clock) for pod in failed)
        if succeeded:
            success = max(ended_at(pod, clock) for pod in succeeded)
            ends = [end for end in ends if end > success]
            return Backoff(len(ends), ends[-1]) if ends else Backoff()
        return Backoff(self.failures + len(ends), ends[-1]) if ends else self

    def remaining(self, now: float) -> float:
        return remaining(self.failures, self.last, now)


def remaining(failures: int, last: float, now: float) -> float:
    """The seconds still to wait after so many failures, of which the last was at ``last``."""
    if not failures:
        return 0.0
    wait = min(FIRST * 2 ** min(failures - 1, 10), LONGEST)
    return max(0.0, last + wait - now)


def ended_at(pod: Object, clock: Clock) -> float:
    """When a pod ended: its last container, or when it stopped being ready, or when it was deleted."""
    status, meta = pod.get("status") or {}, pod["metadata"]
    ends = [((container.get("state") or {}).get("terminated") or {}).get("finishedAt") for container in status.get("containerStatuses") or ()]
    if ends and all(ends):
        return max(clock.seconds(end) for end in ends)
    ready = podfacts.ready_condition(pod)
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return clock.seconds(ready["lastTransitionTime"])
    if deleting(pod):
        return clock.seconds(meta["deletionTimestamp"]) - meta.get("deletionGracePeriodSeconds", 0)
    return clock.seconds(meta["creationTimestamp"])
