"""Jobs and CronJobs: what they ask for, how far they have come, the pod template, events."""

from __future__ import annotations

from datetime import datetime

from server.cluster import printing
from server.cluster.objects import controller_of
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, UNSET, Page
from server.kubectl.describe.pod import describe_pod_template
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, go_bool, selector_text

SHOWN_INDEXES = 50


def describe_job(job: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = job["metadata"], job["spec"], job.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("Selector", selector_text(spec.get("selector")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    owner = controller_of(job)
    if owner:
        page.field("Controlled By", f"{owner['kind']}/{owner['name']}")
    _given(page, "Parallelism", spec.get("parallelism"))
    page.field("Completions", _or_unset(spec.get("completions")))
    _given(page, "Completion Mode", spec.get("completionMode"))
    _given(page, "Suspend", go_bool(spec["suspend"]) if "suspend" in spec else None)
    _given(page, "Backoff Limit", spec.get("backoffLimit"))
    _given(page, "TTL Seconds After Finished", spec.get("ttlSecondsAfterFinished"))
    _times(page, status)
    _given(page, "Active Deadline Seconds", _seconds(spec.get("activeDeadlineSeconds")))
    ready = "" if status.get("ready") is None else f" ({status['ready']} Ready)"
    page.field("Pods Statuses", f"{status.get('active') or 0} Active{ready} / {status.get('succeeded') or 0} Succeeded / "
                                f"{status.get('failed') or 0} Failed")
    if spec.get("completionMode") == "Indexed":
        page.field("Completed Indexes", capped(status.get("completedIndexes") or ""))
    describe_pod_template(spec["template"], page)
    describe_events_of(job, scope, page)


def _given(page: Page, label: str, value: object) -> None:
    if value is not None:
        page.field(label, value)


def _or_unset(value: object) -> object:
    return UNSET if value is None else value


def _seconds(value: int | None) -> str | None:
    return None if value is None else f"{value}s"


def _times(page: Page, status: Object) -> None:
    started, completed = status.get("startTime"), status.get("completionTime")
    if started:
        page.field("Start Time", date(started))
    if completed:
        page.field("Completed At", date(completed))
    if started and completed:
        passed = datetime.fromisoformat(completed) - datetime.fromisoformat(started)
        page.field("Duration", printing.duration(passed.total_seconds()))


def capped(indexes: str) -> str:
    """A long list of indexes ends at the first comma after so many characters.

    >>> capped("0-2,4")
    '0-2,4'
    """
    if not indexes:
        return NONE
    comma = indexes.find(",", SHOWN_INDEXES)
    return indexes if len(indexes) <= SHOWN_INDEXES or comma < 0 else indexes[:comma + 1] + "..."


def describe_cron_job(cron_job: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = cron_job["metadata"], cron_job["spec"], cron_job.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.fields((
        ("Schedule", spec["schedule"]),
        ("Concurrency Policy", spec.get("concurrencyPolicy", "")),
        ("Suspend", UNSET if "suspend" not in spec else "True" if spec["suspend"] else "False"),
        ("Time Zone", _or_unset(spec.get("timeZone"))),
        ("Successful Job History Limit", _or_unset(spec.get("successfulJobsHistoryLimit"))),
        ("Failed Job History Limit", _or_unset(spec.get("failedJobsHistoryLimit"))),
        ("Starting Deadline Seconds", _or_unset(_seconds(spec.get("startingDeadlineSeconds"))))))
    job = spec["jobTemplate"]["spec"]
    page.fields((
        ("Selector", UNSET if job.get("selector") is None else selector_text(job["selector"])),
        ("Parallelism", _or_unset(job.get("parallelism"))),
        ("Completions", _or_unset(job.get("completions")))))
    _given(page, "Active Deadline Seconds", _seconds(job.get("activeDeadlineSeconds")))
    describe_pod_template(job["template"], page)
    last = status.get("lastScheduleTime")
    page.field("Last Schedule Time", date(last) if last else UNSET)
    page.field("Active Jobs", ", ".join(entry["name"] for entry in status.get("active") or ()) or NONE)
    describe_events_of(cron_job, scope, page)
