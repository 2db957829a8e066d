"""What a Job can see of its pods at one moment: how many run, are ready, are on their way out, have newly succeeded or failed.

In: a Job and those of its pods that matter. Out: ``Facts``, with the totals that follow from the Job's status and the pods together, so
that an end that is not counted yet is known all the same, and never known twice.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.cluster.clock import Clock
from server.cluster.controllers import job_indexes as indexes
from server.cluster.controllers import podfacts
from server.cluster.controllers.job_backoff import ended_at
from server.cluster.controllers.job_pods import tracked
from server.cluster.controllers.job_status import uncounted
from server.cluster.controllers.pod_failure_policy import FAIL_INDEX, verdict
from server.cluster.objects import Object, deleting, uid


def suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend"))


def replaces_only_failed(job: Object) -> bool:
    """A pod that is going is not replaced, and not taken for failed, before it has gone."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or job["spec"].get("podFailurePolicy") is not None


def failed(job: Object, pod: Object) -> bool:
    """Counts as failed: it says so, or it is deleted before it could succeed."""
    phase = podfacts.phase(pod)
    return phase == "Failed" or deleting(pod) and phase != "Succeeded" and not replaces_only_failed(job)


def succeeded(pod: Object) -> bool:
    return podfacts.phase(pod) == "Succeeded"


@dataclass(slots=True)
class Facts:
    """``ready``, ``running`` and ``terminating`` are kept right while pods are made and deleted. ``done`` are an indexed Job's
    succeeded indexes, of which ``counted`` are in its status; ``lost`` those that have failed for good. ``held`` are failed pods, by
    index, that stay until their successor has taken over their number of failures."""

    job: Object
    pods: list[Object]
    active: list[Object] = field(default_factory=list)
    running: int = 0
    ready: int = 0
    terminating: int = 0
    new_succeeded: list[Object] = field(default_factory=list)
    new_failed: list[Object] = field(default_factory=list)
    succeeded: int = 0
    failed: int = 0
    counted: indexes.Intervals = field(default_factory=list)
    done: indexes.Intervals = field(default_factory=list)
    lost: indexes.Intervals | None = None
    held: dict[int, Object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        job, status = self.job, self.job.get("status") or {}
        self.active = [pod for pod in self.pods if podfacts.active(pod)]
        self.running = len(self.active)
        self.ready = sum(podfacts.ready(pod) for pod in self.active)
        self.terminating = sum(podfacts.terminating(pod) for pod in self.pods)
        noted = uncounted(status)
        known = {field: frozenset(noted.get(field) or ()) for field in ("succeeded", "failed")}
        for pod in self.pods:
            if not tracked(pod) or indexes.is_indexed(job) and not self.in_range(pod):
                continue
            if succeeded(pod) and uid(pod) not in known["succeeded"]:
                self.new_succeeded.append(pod)
            elif failed(job, pod) and uid(pod) not in known["failed"]:
                self.new_failed.append(pod)
        policy = job["spec"].get("podFailurePolicy")
        self.succeeded = status.get("succeeded", 0) + len(self.new_succeeded) + len(known["succeeded"])
        self.failed = status.get("failed", 0) + sum(verdict(policy, pod).counts for pod in self.new_failed) + len(known["failed"])

    def look_at_indexes(self, clock: Clock) -> None:
        """For an indexed Job: which indexes are done or lost, and which failed pods have no successor yet."""
        completions, status = self.job["spec"]["completions"], self.job.get("status") or {}
        self.counted = indexes.parsed(status.get("completedIndexes"), completions)
        fresh = [indexes.index_of(pod) for pod in self.pods if tracked(pod) and succeeded(pod) and self.in_range(pod)]
        self.done = indexes.merged(self.counted, indexes.single(fresh))
        self.succeeded = indexes.total(self.done)
        if indexes.limited_per_index(self.job):
            lost = [indexes.index_of(pod) for pod in self.pods if tracked(pod) and self.in_range(pod) and self._loses_index(pod)]
            self.lost = indexes.merged(indexes.parsed(status.get("failedIndexes"), completions), indexes.single(lost))
            self._hold(clock)

    def in_range(self, pod: Object) -> bool:
        index = indexes.index_of(pod)
        return index is not None and index < self.job["spec"]["completions"]

    def _loses_index(self, pod: Object) -> bool:
        """With this pod's failure its index has had all its tries."""
        if not failed(self.job, pod):
            return False
        found = verdict(self.job["spec"].get("podFailurePolicy"), pod)
        return found.action == FAIL_INDEX or found.counts and indexes.failures(pod) >= self.job["spec"]["backoffLimitPerIndex"]

    def _hold(self, clock: Clock) -> None:
        busy = indexes.merged(self.done, self.lost or [], indexes.single(self.indexes_of(self.active)))
        for pod in self.pods:
            index = indexes.index_of(pod)
            if not tracked(pod) or not failed(self.job, pod) or not self.in_range(pod) or indexes.has(busy, index):
                continue
            last = self.held.get(index)
            if last is None or (indexes.all_failures(last) <= indexes.all_failures(pod) and ended_at(pod, clock) >= ended_at(last, clock)):
                self.held[index] = pod

    def indexes_of(self, pods: list[Object]) -> list[int]:
        return [index for index in map(indexes.index_of, pods) if index is not None]

    def due_indexes(self, count: int) -> list[int]:
        """The lowest indexes that nobody works on and that are neither done nor lost."""
        taken = [self.done, self.lost or [], indexes.single(self.indexes_of(self.active))]
        if replaces_only_failed(self.job):
            taken.append(indexes.single(self.indexes_of([pod for pod in self.pods if podfacts.terminating(pod)])))
        return indexes.free(indexes.merged(*taken), count, self.job["spec"]["completions"])
