"""When a CronJob is due: its last missed moment, how many it has missed, and when to look at it next.

In: a CronJob, its parsed schedule and the time. Out: datetimes in UTC. What was missed while nobody looked is made up for with one run,
the latest; ``startingDeadlineSeconds`` says how far back that may reach. How many were missed is reckoned, not counted, so that a year
of missed minutes costs no more than one.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from server.cluster.cron import Schedule
from server.cluster.objects import Object

MANY = 100
NEXT_DELTA = timedelta(milliseconds=100)
TOO_DENSE = "time difference between two schedules is less than 1 second"


class InvalidSchedule(ValueError):
    """It never comes, or comes all the time."""


class Missed(NamedTuple):
    """``latest`` is the last moment that has come since ``since`` (None: none has), ``count`` about how many have."""

    since: datetime
    latest: datetime | None
    count: int


def missed(cron_job: Object, now: datetime, schedule: Schedule, zone: tzinfo, *, within_deadline: bool) -> Missed:
    """What has come since the last run; with ``within_deadline`` only what is not too late to be started."""
    last = (cron_job.get("status") or {}).get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"]
    since = datetime.fromisoformat(last)
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if within_deadline and deadline is not None:
        since = max(since, now - timedelta(seconds=min(deadline, 10**9)))
    first = schedule.next(since, zone)
    second = schedule.next(first, zone) if first is not None else None
    if first is not None and now < first:
        return Missed(since, None, 0)
    if first is not None and second is not None and now < second:
        return Missed(since, first, 0)
    if first is None or second is None or second - first < timedelta(seconds=1):
        raise InvalidSchedule(TOO_DENSE)
    apart = round((second - first).total_seconds())
    count = int((now - first).total_seconds()) // apart + 1
    return Missed(since, _latest(first + timedelta(seconds=(count - 2) * apart), now, schedule, zone), count)


def _latest(start: datetime, now: datetime, schedule: Schedule, zone: tzinfo) -> datetime | None:
    """The last moment after ``start`` that has come."""
    latest: datetime | None = None
    moment = schedule.next(start, zone)
    while moment is not None and moment <= now:
        latest = moment
        moment = schedule.next(moment, zone)
    return latest


def seconds_to_next(cron_job: Object, now: datetime, schedule: Schedule, zone: tzinfo) -> float | None:
    """How long until the CronJob is due again; None if never."""
    try:
        found = missed(cron_job, now, schedule, zone, within_deadline=False)
        start = found.latest or (now if found.count else found.since)
    except InvalidSchedule:
        start = now
    moment = schedule.next(start, zone)
    return (moment + NEXT_DELTA - now).total_seconds() if moment is not None else None
