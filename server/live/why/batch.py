"""Why a Job has the pods it has, and when a CronJob makes the next one.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from datetime import timedelta

from server.cluster import cron
from server.cluster.cluster import Cluster
from server.cluster.controllers.cronjob_schedule import InvalidSchedule, missed, seconds_to_next
from server.cluster.controllers.job_backoff import remaining
from server.cluster.kubelet.backoff import duration
from server.cluster.objects import Object, condition, controller_uid, uid
from server.live.why import pods
from server.live.why.telling import Reason, aid, fact, names, reason, scope

Told = tuple[str, list[Reason]]


def job(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    failed = condition(obj, "Failed")
    logs = aid("logs", f"kubectl logs job/{meta['name']}{scope(obj)}")
    if failed is not None and failed["status"] == "True":
        why = failed.get("reason", "")
        facts = [fact(obj, "status.conditions[Failed].reason", why), fact(obj, "status.failed", status.get("failed", 0))]
        if why == "BackoffLimitExceeded":
            return "failed", [
                reason(
                    "backoff-limit",
                    {"limit": spec.get("backoffLimit", 6), "failed": status.get("failed", 0)},
                    [fact(obj, "spec.backoffLimit", spec.get("backoffLimit", 6)), *facts],
                    [logs],
                )
            ]
        if why == "DeadlineExceeded":
            return "failed", [
                reason(
                    "job-deadline",
                    {"seconds": spec.get("activeDeadlineSeconds", "")},
                    [fact(obj, "spec.activeDeadlineSeconds", spec.get("activeDeadlineSeconds", "")), *facts],
                    [logs],
                )
            ]
        return "failed", [reason("job-failed", {"reason": why, "message": failed.get("message", "")}, facts, [logs])]
    complete = condition(obj, "Complete")
    if complete is not None and complete["status"] == "True":
        ttl = spec.get("ttlSecondsAfterFinished")
        return "ended", [
            reason(
                "job-complete",
                {"count": status.get("succeeded", 0)},
                [
                    fact(obj, "status.succeeded", status.get("succeeded", 0)),
                    fact(obj, "spec.ttlSecondsAfterFinished", ttl) if ttl is not None else None,
                ],
                [logs],
            )
        ]
    if spec.get("suspend"):
        return "waits", [
            reason(
                "suspended",
                {},
                [fact(obj, "spec.suspend", True)],
                [aid("resume-job", f'kubectl patch job {meta["name"]}{scope(obj)} -p \'{{"spec":{{"suspend":false}}}}\'')],
            )
        ]
    held = [
        pod
        for pod in cluster.api.lister("pods").by_owner(uid(obj))
        if controller_uid(pod) == uid(obj) and (pod.get("status") or {}).get("phase") not in ("Failed", "Succeeded")
    ]
    kept = cluster.parts.state.get(f"job-backoff/{uid(obj)}")
    left = remaining(*kept, cluster.clock.now) if kept else 0.0
    if left > 0 and not held:
        return "waits", [
            reason(
                "job-backoff",
                {"left": round(left), "failed": status.get("failed", 0), "limit": spec.get("backoffLimit", 6)},
                [fact(obj, "status.failed", status.get("failed", 0)), fact(obj, "spec.backoffLimit", spec.get("backoffLimit", 6))],
                [logs],
            )
        ]
    bad = next((inner for pod in held[:20] if (inner := pods.first(cluster, pod)) is not None), None)
    params = {
        "active": status.get("active", 0),
        "parallelism": spec.get("parallelism", 1),
        "succeeded": status.get("succeeded", 0),
        "completions": spec.get("completions", "-"),
        "failed": status.get("failed", 0),
    }
    one = reason(
        "job-runs",
        params,
        [
            fact(obj, "spec.parallelism", spec.get("parallelism", 1)),
            fact(obj, "spec.completions", spec.get("completions", "-")),
            fact(obj, "status.succeeded", status.get("succeeded", 0)),
        ],
    )
    return "waits", [one | ({"inner": [bad]} if bad is not None else {})]


def cron_job(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    if spec.get("suspend"):
        return "waits", [
            reason(
                "cron-suspended",
                {},
                [fact(obj, "spec.suspend", True)],
                [aid("resume-cron", f'kubectl patch cronjob {meta["name"]}{scope(obj)} -p \'{{"spec":{{"suspend":false}}}}\'')],
            )
        ]
    try:
        schedule, zone = cron.parse(spec["schedule"]), cron.location(spec.get("timeZone") or "")
    except (cron.ScheduleError, cron.UnknownTimeZone) as fault:
        return "waits", [
            reason("cron-invalid", {"schedule": spec["schedule"], "message": str(fault)}, [fact(obj, "spec.schedule", spec["schedule"])])
        ]
    now = cluster.clock.epoch + timedelta(seconds=cluster.clock.now)
    found = []
    active = [entry["name"] for entry in status.get("active") or ()]
    if active and spec.get("concurrencyPolicy") == "Forbid":
        found.append(
            reason("cron-forbid", {"jobs": names(active)}, [fact(obj, "spec.concurrencyPolicy", "Forbid"), fact(obj, "status.active", names(active))])
        )
    try:
        late = missed(obj, now, schedule, zone, within_deadline=False)
    except InvalidSchedule:
        late = None
    if late is not None and late.count > 1:
        found.append(
            reason(
                "cron-missed",
                {"count": late.count, "deadline": spec.get("startingDeadlineSeconds", "-")},
                [
                    fact(obj, "spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds", "-")),
                    fact(obj, "status.lastScheduleTime", status.get("lastScheduleTime", "-")),
                ],
            )
        )
    wait = seconds_to_next(obj, now, schedule, zone)
    if wait is None:
        return "waits", [*found, reason("cron-never", {"schedule": spec["schedule"]}, [fact(obj, "spec.schedule", spec["schedule"])])]
    moment = schedule.next(now, zone)
    return "waits", [
        *found,
        reason(
            "cron-next",
            {
                "schedule": spec["schedule"],
                "left": duration(round(max(0.0, wait))),
                "at": moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "-",
            },
            [fact(obj, "spec.schedule", spec["schedule"]), fact(obj, "status.lastScheduleTime", status.get("lastScheduleTime", "-"))],
            [aid("run-now", f"kubectl create job {meta['name']}-now --from=cronjob/{meta['name']}{scope(obj)}")],
        ),
    ]
