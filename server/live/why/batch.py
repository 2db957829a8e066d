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
from server.cluster.objects import Object, condition, controller_of, controller_uid, uid
from server.live.why import pods
from server.live.why.telling import Aid, Reason, aid, fact, names, reason, scope

Told = tuple[str, list[Reason]]
MOST_PODS = 50


def job(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    failed = condition(obj, "Failed")
    made = [pod for pod in cluster.api.lister("pods").by_owner(uid(obj)) if controller_uid(pod) == uid(obj)]
    logs = aid("logs", f"kubectl logs job/{meta['name']}{scope(obj)}") if made else None
    last = next((told for pod in reversed(made[-MOST_PODS:]) if (told := pods.first(cluster, pod)) is not None), None)
    inner = {"inner": [last]} if last is not None else {}
    if failed is not None and failed["status"] == "True":
        why = failed.get("reason", "")
        facts = [fact(obj, "status.conditions[Failed].reason", why), fact(obj, "status.failed", status.get("failed", 0))]
        if why == "BackoffLimitExceeded":
            failures, aids = status.get("failed", 0), [logs, _again(obj)]
            params = {"limit": spec.get("backoffLimit", 6), "failed": failures, "count": failures}
            facts.insert(0, fact(obj, "spec.backoffLimit", spec.get("backoffLimit", 6)))
            policy = spec["template"]["spec"].get("restartPolicy", "")
            if policy == "OnFailure":
                facts.insert(1, fact(obj, "spec.template.spec.restartPolicy", policy))
                return "failed", [reason("backoff-restarts", params, facts, aids) | inner]
            return "failed", [reason("backoff-limit", params, facts, aids) | inner]
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
    held = [pod for pod in made if (pod.get("status") or {}).get("phase") not in ("Failed", "Succeeded")]
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
            | inner
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


def _again(obj: Object) -> Aid:
    """A Job's template stays as it is: it is made anew, or its CronJob is changed."""
    meta, above = obj["metadata"], controller_of(obj)
    if above is not None:
        return aid("edit-cron", f"kubectl edit {above['kind'].lower()} {above['name']}{scope(obj)}")
    return aid("remake", f"kubectl get job {meta['name']}{scope(obj)} -o yaml > {meta['name']}.yaml", file=f"{meta['name']}.yaml")


def _last(cluster: Cluster, obj: Object) -> list[Reason]:
    """The newest Job of a CronJob, if it failed, or cannot go on."""
    jobs = [one for one in cluster.api.lister("jobs.batch").by_owner(uid(obj)) if controller_uid(one) == uid(obj)]
    if not jobs:
        return []
    newest = max(jobs, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))
    name = newest["metadata"]["name"]
    question, found = job(cluster, newest)
    if question == "failed":
        failed = condition(newest, "Failed") or {}
        proof = fact(newest, "status.conditions[Failed].reason", failed.get("reason", ""))
        return [reason("cron-failed", {"job": name}, [proof]) | {"inner": found[:1]}]
    stuck = found[0].get("inner")
    proof = fact(newest, "status.active", (newest.get("status") or {}).get("active", 0))
    return [reason("cron-stuck", {"job": name}, [proof]) | {"inner": stuck}] if stuck else []


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
    found = _last(cluster, obj)
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
