"""CronJobs: a Job each time the schedule says so.

In: CronJobs and their Jobs. Out: Jobs named after the minute that they are for, so that no minute gets two; old finished ones deleted;
and the list of active ones. Between two moments of its schedule a CronJob costs nothing: one timer waits for the next. What is due, and
what was missed, is in ``cronjob_schedule``; the calendar is in ``server.cluster.cron``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime

from server.cluster import cron
from server.cluster.controllers import cronjob_schedule as schedules
from server.cluster.controllers.base import Controller
from server.cluster.controllers.job_status import COMPLETE, FAILED, finished
from server.cluster.controllers.pod_control import namespace_is_going
from server.cluster.cron import Schedule
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, condition_true, controller_of, controller_uid, deleting, key, name, namespace, owner_reference, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
JOBS = "jobs.batch"


class CronJobController(Controller):
    name = "cronjob-controller"
    reaction = 0.001
    reconciles = "cronjobs.batch"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._cron_jobs = self.lister("cronjobs.batch")
        self._jobs = self.lister(JOBS)
        self.watch("cronjobs.batch", self._on_cron_job)
        self.watch(JOBS, self._on_job)

    # what wakes it

    def _on_cron_job(self, event: Event) -> None:
        """Its own writes too: a Job that ended is taken off the list in one look, and its success noted in the next."""
        if event.type != DELETED:
            self.enqueue(key(event.object), event)

    def _on_job(self, event: Event) -> None:
        for version in (event.previous, event.object):
            reference = controller_of(version) if version is not None else None
            if reference is not None and reference["kind"] == "CronJob":
                self.enqueue((namespace(version), reference["name"]), event)

    # what it does

    def reconcile(self, key: Key) -> None:
        cron_job = self._cron_jobs.get(*key)
        if cron_job is None:
            return
        jobs = [job for job in self._jobs.by_owner(uid(cron_job)) if controller_uid(job) == uid(cron_job)]
        status = self._forget_old(cron_job, cron_job.get("status") or {}, jobs)
        status = self._note_ends(cron_job, status, jobs)
        error: ApiError | None = None
        try:
            status = self._run_if_due(cron_job, status)
        except ApiError as fault:
            error = fault
        if status != (cron_job.get("status") or {}):
            self.client.update("cronjobs.batch", {**cron_job, "status": status}, "status")
        if error is not None:
            raise error

    # Jobs that have ended

    def _forget_old(self, cron_job: Object, status: Object, jobs: list[Object]) -> Object:
        """Keeps so many finished Jobs, of each kind, as the history limits say."""
        for kind, field in ((COMPLETE, "successfulJobsHistoryLimit"), (FAILED, "failedJobsHistoryLimit")):
            limit = cron_job["spec"].get(field)
            ended = sorted((job for job in jobs if condition_true(job, kind)), key=_started)
            for job in ended[:len(ended) - limit] if limit is not None and len(ended) > limit else ():
                status = self._delete(cron_job, status, job)[0]
        return status

    def _delete(self, cron_job: Object, status: Object, job: Object) -> tuple[Object, ApiError | None]:
        try:
            self.client.delete(JOBS, *key(job), propagation="Background")
        except ApiError as error:
            if error.code != 404:
                self.record(cron_job, "Warning", "FailedDelete", f"Deleted job: {error.message}")
                return status, error
        self.record(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name(job)}")
        return _without_active(status, uid(job)), None

    def _note_ends(self, cron_job: Object, status: Object, jobs: list[Object]) -> Object:
        """Takes ended and missing Jobs off the list of active ones, and notes the last success."""
        for job in jobs:
            listed = any(entry["uid"] == uid(job) for entry in status.get("active") or ())
            if not listed and not finished(job):
                self.record(cron_job, "Warning", "UnexpectedJob", f"Saw a job that the controller did not create or forgot: {name(job)}")
            elif listed and finished(job):
                status = _without_active(status, uid(job))
                kind = COMPLETE if condition_true(job, COMPLETE) else FAILED
                self.record(cron_job, "Normal", "SawCompletedJob", f"Saw completed job: {name(job)}, condition: {kind}")
            elif condition_true(job, COMPLETE) and job["status"].get("completionTime", "") > status.get("lastSuccessfulTime", ""):
                status = {**status, "lastSuccessfulTime": job["status"]["completionTime"]}
        known = {uid(job) for job in jobs}
        for entry in status.get("active") or ():
            if entry["uid"] not in known:
                self.record(cron_job, "Normal", "MissingJob", f"Active job went missing: {entry['name']}")
                status = _without_active(status, entry["uid"])
        return status

    # the next one

    def _run_if_due(self, cron_job: Object, status: Object) -> Object:
        """Starts the Job of the last moment that has come, and sets the timer for the next."""
        calendar = self._calendar(cron_job) if not deleting(cron_job) else None
        if calendar is None:
            return status
        schedule, zone = calendar
        now = self.clock.epoch + timedelta(seconds=self.clock.now)
        try:
            missed = schedules.missed({**cron_job, "status": status}, now, schedule, zone, within_deadline=True)
        except schedules.InvalidSchedule as fault:
            self.record(cron_job, "Warning", "InvalidSchedule", f"invalid schedule: {cron_job['spec']['schedule']} : {fault}")
            return status
        if missed.latest is not None:
            if missed.count > schedules.MANY:
                self.record(cron_job, "Warning", "TooManyMissedTimes",
                            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
            status = self._start_job(cron_job, status, missed.latest, now, zone)
        wait = schedules.seconds_to_next({**cron_job, "status": status}, now, schedule, zone)
        if wait is not None:
            self.enqueue(key(cron_job), after=max(0.0, wait))
        return status

    def _calendar(self, cron_job: Object) -> tuple[Schedule, tzinfo] | None:
        """Its schedule and the time zone that this is in; None while it is suspended or where one of them makes no sense."""
        spec = cron_job["spec"]
        try:
            zone = cron.location(spec.get("timeZone") or "")
            return None if spec.get("suspend") else (cron.parse(spec["schedule"]), zone)
        except cron.UnknownTimeZone as fault:
            self.record(cron_job, "Warning", "UnknownTimeZone", f'invalid timeZone: "{spec["timeZone"]}": {fault}')
        except cron.ScheduleError as fault:
            self.record(cron_job, "Warning", "UnparseableSchedule", f'unparseable schedule: "{spec["schedule"]}" : {fault}')
        return None

    def _start_job(self, cron_job: Object, status: Object, moment: datetime, now: datetime, zone: tzinfo) -> Object:
        """Starts the Job of one moment, unless it is too late, is there already, or another may not run beside it."""
        spec, active = cron_job["spec"], status.get("active") or []
        deadline, planned = spec.get("startingDeadlineSeconds"), job_name(cron_job, moment)
        if deadline is not None and (now - moment).total_seconds() > deadline:
            self.record(cron_job, "Warning", "MissSchedule", f"Missed scheduled time to start a job: {format_datetime(moment)}")
            return status
        if any(entry["name"] == planned for entry in active) or status.get("lastScheduleTime") == _stamp(moment):
            return status
        if spec["concurrencyPolicy"] == "Forbid" and active:
            self.record(cron_job, "Normal", "JobAlreadyActive",
                        "Not starting job because prior execution is running and concurrency policy is Forbid")
            return status
        if spec["concurrencyPolicy"] == "Replace":
            status = self._replace(cron_job, status)
        return self._create(cron_job, status, planned, moment, zone)

    def _replace(self, cron_job: Object, status: Object) -> Object:
        for entry in status.get("active") or ():
            job = self._jobs.get(namespace(cron_job), entry["name"])
            if job is not None:
                status, error = self._delete(cron_job, status, job)
                if error is not None:
                    raise error
        return status

    def _create(self, cron_job: Object, status: Object, planned: str, moment: datetime, zone: tzinfo) -> Object:
        try:
            job = self.client.create(JOBS, job_from_template(cron_job, planned, moment, zone))
        except ApiError as error:
            job = self._jobs.get(namespace(cron_job), planned)
            if error.reason != "AlreadyExists" or job is None:
                if not namespace_is_going(error):
                    self.record(cron_job, "Warning", "FailedCreate", f"Error creating job: {error.message}")
                raise
            if controller_uid(job) != uid(cron_job):
                return status
        else:
            self.record(cron_job, "Normal", "SuccessfulCreate", f"Created job {name(job)}")
        reference = {"kind": "Job", "namespace": namespace(job), "name": name(job), "uid": uid(job), "apiVersion": job["apiVersion"],
                     "resourceVersion": job["metadata"]["resourceVersion"]}
        return {**status, "active": [*(status.get("active") or ()), reference], "lastScheduleTime": _stamp(moment)}


def job_name(cron_job: Object, moment: datetime) -> str:
    """The minutes since 1970, behind the CronJob's name."""
    return f"{name(cron_job)}-{int(moment.timestamp()) // 60}"


def job_from_template(cron_job: Object, planned: str, moment: datetime, zone: tzinfo) -> Object:
    """The Job of one moment, which it says in the schedule's own time zone."""
    template = cron_job["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    local = moment.astimezone(zone).isoformat().replace("+00:00", "Z")
    metadata: Object = {"name": planned, "namespace": namespace(cron_job), "ownerReferences": [owner_reference(cron_job)],
                        "annotations": {**(given.get("annotations") or {}), SCHEDULED_AT: local}}
    if given.get("labels"):
        metadata["labels"] = given["labels"]
    return {"metadata": metadata, "spec": template["spec"]}


def _started(job: Object) -> tuple[bool, str, str]:
    """By start; a Job that never started is the youngest."""
    start = (job.get("status") or {}).get("startTime")
    return start is None, start or "", name(job)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_active(status: Object, gone: str) -> Object:
    left = [entry for entry in status.get("active") or () if entry["uid"] != gone]
    new = {field: value for field, value in status.items() if field != "active"}
    return {**new, "active": left} if left else new
