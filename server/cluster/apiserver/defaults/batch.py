"""Defaults of the batch group: Job and CronJob.

A Job that says neither how many pods may run at a time nor how many must succeed is one pod. The Job inside a CronJob gets the defaults
of its pod template only: the rest is filled in when it is made.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import each, filled, with_field
from server.cluster.apiserver.defaults.pods import template

Object = dict[str, Any]

MAX_INT32 = (1 << 31) - 1
_CRON_JOB = {"concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1, "jobTemplate": {}}


def job(obj: Object) -> Object:
    return labelled(with_field(filled(obj, {"spec": {}}), "spec", _job_spec))


def labelled(obj: Object) -> Object:
    """A Job without labels has those of its pods."""
    labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if not labels or obj["metadata"].get("labels"):
        return obj
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def _job_spec(spec: Object) -> Object:
    spec = _pods_of(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec = {**spec, "completions": 1}
    return filled(spec, {
        "parallelism": 1,
        "completionMode": "NonIndexed",
        "backoffLimit": 6 if spec.get("backoffLimitPerIndex") is None else MAX_INT32,
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed",
    })


def _pods_of(spec: Object) -> Object:
    """The pod template's defaults, and those of the policy about its pods."""
    spec = with_field(filled(spec, {"template": {}}), "template", template)
    return with_field(spec, "podFailurePolicy", lambda policy: with_field(policy, "rules", _rules))


_patterns = each(lambda pattern: pattern if pattern.get("status") else {**pattern, "status": "True"})
_rules = each(lambda rule: with_field(rule, "onPodConditions", _patterns))


def cron_job(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _cron_job_spec)


def _cron_job_spec(spec: Object) -> Object:
    return with_field(filled(spec, _CRON_JOB), "jobTemplate", _job_template)


def _job_template(value: Object) -> Object:
    return with_field(filled(value, {"metadata": {}, "spec": {}}), "spec", _pods_of)


DEFAULTS: dict[str, Callable[[Object], Object]] = {"jobs.batch": job, "cronjobs.batch": cron_job}
