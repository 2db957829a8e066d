"""Validation of a Job's status: it may be written by a controller that is not ours (``managedBy``), so it has to make sense.

``RULES`` are rows: the fields or conditions of which one must have changed, for the rule to be asked, and the rule, which says what is
wrong with the new Job beside the old one.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#delegation-of-managing-a-job-object-to-external-controller
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import Errors, Object, duplicate, invalid, not_negative, required
from server.cluster.apiserver.validation.jobpolicies import IndexFault, intervals
from server.cluster.errors import OMITTED, FieldError
from server.cluster.objects import condition_true

COMPLETE, FAILED, SUCCESS, FAILURE = "Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"
CONDITIONS = (COMPLETE, FAILED, SUCCESS, FAILURE)
_PATH = "status"
Rule = Callable[[Object, Object], Errors]


def job_status(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    status, was = new.get("status") or {}, old.get("status") or {}
    for field in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from not_negative(f"{_PATH}.{field}", status.get(field))
    yield from _uncounted(status.get("uncountedTerminatedPods") or {})
    changed = {field for field in (*status, *was) if field != "conditions" and status.get(field) != was.get(field)}
    changed |= {kind for kind in CONDITIONS if condition_true(new, kind) != condition_true(old, kind)}
    if COMPLETE in changed or FAILED in changed:
        changed.add("finished")
    for watched, rule in RULES:
        if not changed.isdisjoint(watched):
            yield from rule(new, old)
    yield from _kept(new, old)


def _uncounted(uncounted: Object) -> Errors:
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(uncounted.get(field) or ()):
            path = f"{_PATH}.uncountedTerminatedPods.{field}[{index}]"
            if not uid:
                yield invalid(path, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(path, uid)
            seen.add(uid)


def _conditions(detail: str) -> FieldError:
    return invalid(f"{_PATH}.conditions", OMITTED, detail)


def _never_both(first: str, second: str) -> Rule:
    def rule(new: Object, old: Object) -> Errors:
        if condition_true(new, first) and condition_true(new, second):
            text = f"{first}=True and {second}={'True' if second == SUCCESS else 'true'}"
            yield _conditions(f"cannot set {text} conditions")

    return rule


def _not_without(later: str, earlier: str) -> Rule:
    def rule(new: Object, old: Object) -> Errors:
        if condition_true(new, later) and not condition_true(new, earlier):
            yield _conditions(f"cannot set {later}=True condition without the {earlier}=true condition")

    return rule


def _completion_time(new: Object, old: Object) -> Errors:
    complete, time = condition_true(new, COMPLETE), new["status"].get("completionTime")
    if time is not None and not complete:
        yield invalid(f"{_PATH}.completionTime", time, "cannot set completionTime when there is no Complete=True condition")
    if time is None and complete:
        yield required(f"{_PATH}.completionTime", "completionTime is required for Complete jobs")


def _order_of_times(new: Object, old: Object) -> Errors:
    start, end = new["status"].get("startTime"), new["status"].get("completionTime")
    if start is not None and end is not None and end < start:
        yield invalid(f"{_PATH}.completionTime", end, "must be equal to or after `startTime`")


def _finished(job: Object) -> bool:
    return condition_true(job, COMPLETE) or condition_true(job, FAILED)


def _none_left(field: str) -> Rule:
    def rule(new: Object, old: Object) -> Errors:
        value: Any = new["status"].get(field)
        if _finished(new) and value:
            yield invalid(f"{_PATH}.{field}", value, f"{field}>0 is invalid for finished job")

    return rule


def _nothing_uncounted(new: Object, old: Object) -> Errors:
    uncounted = new["status"].get("uncountedTerminatedPods") or {}
    if _finished(new) and (uncounted.get("succeeded") or uncounted.get("failed")):
        yield invalid(f"{_PATH}.uncountedTerminatedPods", uncounted, "must be empty for finished job")


def _started(new: Object, old: Object) -> Errors:
    if _finished(new) and new["status"].get("startTime") is None:
        yield required(f"{_PATH}.startTime", "startTime is required for finished job")


def _indexes(field: str, needs: str) -> Rule:
    """A list of indexes has to be one, below ``completions``; ``needs`` is the field of the spec without which there is none."""

    def rule(new: Object, old: Object) -> Errors:
        text, completions = new["status"].get(field), new["spec"].get("completions")
        if text is None or completions is None or new["spec"].get(needs) in (None, "NonIndexed"):
            return
        try:
            intervals(text, completions)
        except IndexFault as fault:
            yield invalid(f"{_PATH}.{field}", text, f"error parsing {field}: {fault}")

    return rule


def _only_indexed(new: Object, old: Object) -> Errors:
    text = new["status"].get("completedIndexes")
    if text and new["spec"].get("completionMode", "NonIndexed") != "Indexed":
        yield invalid(f"{_PATH}.completedIndexes", text, "cannot set non-empty completedIndexes when non-indexed completion mode")


def _only_limited(new: Object, old: Object) -> Errors:
    text = new["status"].get("failedIndexes")
    if text is not None and new["spec"].get("backoffLimitPerIndex") is None:
        yield invalid(f"{_PATH}.failedIndexes", text, "cannot set non-null failedIndexes when backoffLimitPerIndex is null")


def _no_overlap(new: Object, old: Object) -> Errors:
    completed, failed = new["status"].get("completedIndexes"), new["status"].get("failedIndexes")
    completions = new["spec"].get("completions")
    if not completed or not failed or completions is None:
        return
    try:
        spans = sorted([*intervals(completed, completions), *intervals(failed, completions)])
    except IndexFault:
        return
    for (_, last), (first, _) in zip(spans, spans[1:], strict=False):
        if first <= last:
            yield invalid(f"{_PATH}.failedIndexes", failed, f"failedIndexes and completedIndexes overlap at index: {first}")
            return


def _ready(new: Object, old: Object) -> Errors:
    ready = new["status"].get("ready")
    if ready is not None and ready > new["status"].get("active", 0):
        yield invalid(f"{_PATH}.ready", ready, "cannot set more ready pods than active")


def _start_time(new: Object, old: Object) -> Errors:
    if (old.get("status") or {}).get("startTime") is not None and not new["spec"].get("suspend"):
        yield required(f"{_PATH}.startTime", "startTime cannot be removed for unsuspended job")


RULES: tuple[tuple[frozenset[str], Rule], ...] = tuple((frozenset(watched), rule) for watched, rule in (
    ((COMPLETE, FAILED), _never_both(COMPLETE, FAILED)),
    ((COMPLETE, FAILURE), _never_both(COMPLETE, FAILURE)),
    ((COMPLETE, "completionTime"), _completion_time),
    (("startTime", "completionTime"), _order_of_times),
    ((FAILED, FAILURE), _not_without(FAILED, FAILURE)),
    ((COMPLETE, SUCCESS), _not_without(COMPLETE, SUCCESS)),
    (("finished", "active"), _none_left("active")),
    (("finished", "startTime"), _started),
    (("finished", "uncountedTerminatedPods"), _nothing_uncounted),
    (("completedIndexes",), _indexes("completedIndexes", "completionMode")),
    (("failedIndexes",), _indexes("failedIndexes", "backoffLimitPerIndex")),
    (("completedIndexes",), _only_indexed),
    (("failedIndexes",), _only_limited),
    (("completedIndexes", "failedIndexes"), _no_overlap),
    (("finished", "terminating"), _none_left("terminating")),
    (("ready", "active"), _ready),
    ((SUCCESS, FAILED), _never_both(SUCCESS, FAILED)),
    ((SUCCESS, FAILURE), _never_both(SUCCESS, FAILURE)),
    (("startTime",), _start_time),
))


def _kept(new: Object, old: Object) -> Errors:
    """What may not be taken back."""
    for kind in (FAILED, COMPLETE, FAILURE):
        if condition_true(old, kind) and not condition_true(new, kind):
            yield _conditions(f"cannot disable the terminal {kind}=True condition")
    status, was, spec = new.get("status") or {}, old.get("status") or {}, new["spec"]
    if status.get("failed", 0) < was.get("failed", 0):
        yield invalid(f"{_PATH}.failed", status.get("failed", 0), "cannot decrease the failed counter")
    elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    if not elastic and status.get("succeeded", 0) < was.get("succeeded", 0):
        yield invalid(f"{_PATH}.succeeded", status.get("succeeded", 0), "cannot decrease the succeeded counter")
    before, now = was.get("completionTime"), status.get("completionTime")
    if before is not None and now is not None and before != now:
        yield invalid(f"{_PATH}.completionTime", now, "field is immutable")
    if condition_true(old, SUCCESS) and not condition_true(new, SUCCESS):
        yield _conditions("cannot disable the SuccessCriteriaMet=True condition")
