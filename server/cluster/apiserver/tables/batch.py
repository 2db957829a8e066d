"""Columns of the batch group."""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.apiserver.tables.table import AGE, NAME, Column, TableOf, When, template
from server.cluster.objects import Object, condition_true, deleting

BATCH = "io.k8s.api.batch.v1."
_TEMPLATE = (Column("Containers", "Names of each container in the template.", 1),
             Column("Images", "Images referenced by each container in the template.", 1),
             Column("Selector", f"{BATCH}JobSpec:selector", 1))


def _completions(spec: Object, status: Object) -> str:
    """How many have succeeded, of how many that must."""
    succeeded, parallelism = status.get("succeeded", 0), spec.get("parallelism") or 0
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(status: Object, when: When) -> str:
    started, ended = status.get("startTime"), status.get("completionTime")
    if started is None:
        return ""
    if ended is None:
        return when.age(started)
    return printing.duration(when.clock.seconds(ended) - when.clock.seconds(started))


def _job_status(obj: Object) -> str:
    for kind in ("Complete", "Failed"):
        if condition_true(obj, kind):
            return kind
    if deleting(obj):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if condition_true(obj, kind):
            return kind
    return "Running"


def _job(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [obj["metadata"]["name"], _job_status(obj), _completions(spec, status), _duration(status, when), when.born(obj), *template(spec)]


def _cron_job(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"],
        spec["schedule"],
        spec.get("timeZone") or printing.NONE,
        "True" if spec.get("suspend") else "False",
        len(status.get("active") or ()),
        when.age(last) if last else printing.NONE,
        when.born(obj),
        *template(spec["jobTemplate"]["spec"]),
    ]


TABLES: dict[str, TableOf] = {
    "cronjobs.batch": TableOf((
        NAME,
        Column("Schedule", f"{BATCH}CronJobSpec:schedule"),
        Column("Timezone", f"{BATCH}CronJobSpec:timeZone"),
        Column("Suspend", f"{BATCH}CronJobSpec:suspend", type="boolean"),
        Column("Active", f"{BATCH}CronJobStatus:active", type="integer"),
        Column("Last Schedule", f"{BATCH}CronJobStatus:lastScheduleTime"),
        AGE,
        *_TEMPLATE,
    ), _cron_job),
    "jobs.batch": TableOf((
        NAME,
        Column("Status", "Status of the job."),
        Column("Completions", f"{BATCH}JobStatus:succeeded"),
        Column("Duration", "Time required to complete the job."),
        AGE,
        *_TEMPLATE,
    ), _job),
}
