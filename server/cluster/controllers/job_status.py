"""What a Job says of itself: its conditions, and the accounts by which no pod's end is counted twice.

A pod carries the finalizer ``batch.kubernetes.io/job-tracking`` until its end is in the Job's status. First its uid is written into
``uncountedTerminatedPods``, then the finalizer comes off, then the counter goes up and the uid goes: whatever dies in between, the
next reconcile carries on. An indexed Job's successes need no uids, for an index can be done only once.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from server.cluster.controllers.job_indexes import Intervals, text, total
from server.cluster.objects import Object, condition_true

COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"
SUCCESS_MET, FAILURE_TARGET = "SuccessCriteriaMet", "FailureTarget"


class Outcome(NamedTuple):
    """How a Job ends, before it has ended: ``kind`` is SuccessCriteriaMet or FailureTarget."""

    kind: str
    reason: str
    message: str

    @property
    def final(self) -> str:
        return COMPLETE if self.kind == SUCCESS_MET else FAILED


COMPLETED = Outcome(SUCCESS_MET, "CompletionsReached", "Reached expected number of succeeded pods")
TOO_MANY_FAILURES = Outcome(FAILURE_TARGET, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LONG = Outcome(FAILURE_TARGET, "DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES = Outcome(FAILURE_TARGET, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
INDEXES_FAILED = Outcome(FAILURE_TARGET, "FailedIndexes", "Job has failed indexes")


def finished(job: Object) -> bool:
    return condition_true(job, COMPLETE) or condition_true(job, FAILED)


def finished_at(job: Object) -> str | None:
    """When it completed or failed; None while it has not."""
    for entry in (job.get("status") or {}).get("conditions") or ():
        if entry["type"] in (COMPLETE, FAILED) and entry["status"] == "True":
            return entry["lastTransitionTime"]
    return None


def decided(job: Object) -> Outcome | None:
    """The outcome that the Job's conditions announce already."""
    for kind in (SUCCESS_MET, FAILURE_TARGET):
        for entry in (job.get("status") or {}).get("conditions") or ():
            if entry["type"] == kind and entry["status"] == "True":
                return Outcome(kind, entry.get("reason", ""), entry.get("message", ""))
    return None


def with_condition(status: Object, kind: str, value: str, reason: str, message: str, now: str) -> Object:
    """The status with a condition; the same status if it says so already, or would only begin with a "False"."""
    conditions = status.get("conditions") or []
    old = next((entry for entry in conditions if entry["type"] == kind), None)
    if old is None and value == "False":
        return status
    if old is not None and (old["status"], old.get("reason", ""), old.get("message", "")) == (value, reason, message):
        return status
    new = {"type": kind, "status": value, "lastProbeTime": now, "lastTransitionTime": now, "reason": reason, "message": message}
    return {**status, "conditions": [*(new if entry is old else entry for entry in conditions), *([new] if old is None else [])]}


def uncounted(status: Object) -> Object:
    return status.get("uncountedTerminatedPods") or {}


def noted(status: Object, succeeded: list[str], failed: list[str]) -> Object:
    """With the uids of pods whose ends are to be counted."""
    before = uncounted(status)
    lists = {"succeeded": [*(before.get("succeeded") or ()), *succeeded], "failed": [*(before.get("failed") or ()), *failed]}
    return {**status, "uncountedTerminatedPods": {field: uids for field, uids in lists.items() if uids}}


def counted(status: Object, held: Container[str]) -> Object:
    """With those counted that no finalizer holds any more; the same status if there are none."""
    before, left = uncounted(status), {}
    new = dict(status)
    for field in ("succeeded", "failed"):
        uids = before.get(field) or []
        waiting = [uid for uid in uids if uid in held]
        if waiting:
            left[field] = waiting
        if len(waiting) != len(uids):
            new[field] = status.get(field, 0) + len(uids) - len(waiting)
    if left == before:
        return status
    return {**new, "uncountedTerminatedPods": left}


def with_number(status: Object, field: str, number: int) -> Object:
    """The status with a count, which is left out when it is nil."""
    if number:
        return {**status, field: number}
    return {entry: value for entry, value in status.items() if entry != field}


def with_indexes(status: Object, done: Intervals, lost: Intervals | None) -> Object:
    """An indexed Job's successes are its indexes; ``lost`` is None where indexes have no tries of their own."""
    status = with_number(status, "succeeded", total(done))
    status = {field: value for field, value in status.items() if field != "completedIndexes"}
    if done:
        status["completedIndexes"] = text(done)
    if lost is not None:
        status["failedIndexes"] = text(lost)
    return status
