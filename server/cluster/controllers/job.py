"""Jobs: pods that run until enough of them have succeeded.

In: Jobs and their pods. Out: pods, as many at a time as ``parallelism`` says, and the Job's status. A reconcile looks at the pods that
matter (``job_facts``), finds out whether the Job is to end and how, else makes or deletes pods, and at last takes the ends of pods into
account (``job_status``) exactly once each. A Job that ends says first how it will (SuccessCriteriaMet or FailureTarget), and Complete or
Failed only when the last pod has gone. Pod events are gathered for a second.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from server.cluster.controllers import job_indexes as indexes
from server.cluster.controllers import job_status as accounts
from server.cluster.controllers import podfacts, success_policy
from server.cluster.controllers.base import Controller
from server.cluster.controllers.job_backoff import Backoff, ended_at, remaining
from server.cluster.controllers.job_facts import Facts, failed, replaces_only_failed, succeeded, suspended
from server.cluster.controllers.job_pods import JobPods, managed_elsewhere, tracked, untracked
from server.cluster.controllers.job_ranking import first_to_go
from server.cluster.controllers.job_status import FAILED, FAILURE_TARGET, SUCCESS_MET, SUSPENDED, Outcome
from server.cluster.controllers.job_template import indexed, pod_for_index, pod_of
from server.cluster.controllers.ownership import adopters
from server.cluster.controllers.pod_control import PodControl, lasting, slow_start
from server.cluster.controllers.pod_failure_policy import FAIL_JOB, verdict
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, condition_true, deleting, key, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, MODIFIED, Event

GATHER = 1.0
MOST_AT_ONCE = 500
MOST_UNCOUNTED = 500
ABANDONED = "pod"


class JobController(Controller):
    """Keys are those of Jobs, and (``ABANDONED``, namespace, name) of pods that no Job counts any more."""

    name = "job-controller"
    reconciles = "jobs.batch"
    first_retry, last_retry = 1.0, 60.0

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._jobs = self.lister("jobs.batch")
        self._all_pods = self.lister("pods")
        self._pods = JobPods(self._all_pods, self._jobs)
        self._pod_control = PodControl(self.client, self.record)
        self.watch("jobs.batch", self._on_job)
        self.watch_pods_of("Job", self._on_pod)

    def rebuild(self) -> None:
        self._pods.rebuild()
        for pod in self._pods.all_abandoned():
            self.enqueue((ABANDONED, *key(pod)))
        alive = {uid(job) for job in self._jobs.list() if not accounts.finished(job)}
        for entry, _ in self.parts.state.items("job-backoff/"):
            if entry.partition("/")[2] not in alive:
                self.parts.state.set(entry, None)

    # what wakes it

    def _on_job(self, event: Event) -> None:
        job, before = event.object, event.previous
        if event.type == DELETED or accounts.finished(job):
            for pod in self._pods.of(job):
                if tracked(pod):
                    self.enqueue((ABANDONED, *key(pod)), event)
        if event.type == DELETED:
            self._pods.forget(job)
            self._forget_failures(job)
        elif before is None or before["metadata"].get("generation") != job["metadata"].get("generation") or deleting(job):
            self.enqueue(key(job), event)
        elif event.cause.client != self.name:
            self.enqueue(key(job), event, after=GATHER)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if before is not None and event.type != DELETED and not _standing_changed(before, pod):
            return
        self._pods.note(event)
        ours = event.cause.client == self.name and event.type == MODIFIED and not deleting(pod)
        for version in (before, pod):
            job = self._pods.job_of(version) if version is not None else None
            if job is not None and not ours:
                self.enqueue(key(job), event, after=GATHER)
        if event.type == DELETED:
            return
        if self._pods.abandoned(pod):
            self.enqueue((ABANDONED, *key(pod)), event)
        if not pod["metadata"].get("ownerReferences") and not ours:
            for job in adopters(self._jobs, pod):
                self.enqueue(key(job), event, after=GATHER)

    # what it does

    def reconcile(self, key: Key | tuple[str, str, str]) -> None:
        if len(key) == 3:
            self._let_go(*key[1:])
            return
        job = self._jobs.get(*key)
        if job is None or managed_elsewhere(job) or accounts.finished(job):
            return
        facts = Facts(job, self._pods.claimed(self.client, job))
        status = self._started(job)
        backoff = self._backoff(job).after(facts.new_succeeded, facts.new_failed, self.clock)
        if indexes.is_indexed(job):
            facts.look_at_indexes(self.clock)
        error: ApiError | None = None
        outcome = self._outcome(job, status, facts)
        if outcome is not None:
            error = self._stop(job, facts.active, facts)
            outcome = None if error is not None else outcome
        else:
            if not deleting(job):
                error = self._manage(job, facts, backoff)
                status = status if self._complete(job, facts) else self._note_suspension(job, status)
            outcome = accounts.COMPLETED if self._complete(job, facts) else None
        self._account(job, status, facts, outcome, backoff)
        if error is not None:
            raise error

    def _let_go(self, namespace: str, name: str) -> None:
        """Takes the finalizer off a pod that no Job will count any more."""
        pod = self._all_pods.get(namespace, name)
        if pod is not None and self._pods.abandoned(pod):
            self.client.update("pods", untracked(pod))

    def _started(self, job: Object) -> Object:
        status = job.get("status") or {}
        if "startTime" not in status and not suspended(job):
            status = {**status, "startTime": self.clock.timestamp()}
        return status

    # how it ends

    def _outcome(self, job: Object, status: Object, facts: Facts) -> Outcome | None:
        """How the Job ends, if it is time: what it has said already, else what its limits and policies say."""
        decided = accounts.decided(job)
        if decided is not None:
            return decided
        policy = job["spec"].get("podFailurePolicy")
        for pod in facts.pods if policy is not None else ():
            if failed(job, pod) and (found := verdict(policy, pod)).action == FAIL_JOB:
                return Outcome(FAILURE_TARGET, "PodFailurePolicy", found.message)
        if facts.failed > job["spec"]["backoffLimit"] or _restarted_too_often(job, facts.active):
            return accounts.TOO_MANY_FAILURES
        if self._past_deadline(job, status):
            return accounts.TOO_LONG
        return self._outcome_of_indexes(job, facts) if indexes.is_indexed(job) else None

    def _past_deadline(self, job: Object, status: Object) -> bool:
        """Whether ``activeDeadlineSeconds`` have passed; if not, the Job is looked at again when they will have."""
        limit = job["spec"].get("activeDeadlineSeconds")
        if limit is None or suspended(job):
            return False
        left = self.clock.seconds(status["startTime"]) + limit - self.clock.now
        if left > 0:
            self.enqueue(key(job), after=left)
        return left <= 0

    def _outcome_of_indexes(self, job: Object, facts: Facts) -> Outcome | None:
        spec, lost = job["spec"], indexes.total(facts.lost or [])
        if spec.get("maxFailedIndexes") is not None and lost > spec["maxFailedIndexes"]:
            return accounts.TOO_MANY_INDEXES
        if lost and lost + facts.succeeded >= spec["completions"]:
            return accounts.INDEXES_FAILED
        message = success_policy.met(spec.get("successPolicy"), spec["completions"], facts.done)
        return Outcome(SUCCESS_MET, "SuccessPolicy", message) if message else None

    def _complete(self, job: Object, facts: Facts) -> bool:
        """Enough have succeeded and none runs; without ``completions`` one success is enough, once all have ended."""
        completions = job["spec"].get("completions")
        return not facts.running and (facts.succeeded > 0 if completions is None else facts.succeeded >= completions)

    def _stop(self, job: Object, pods: list[Object], facts: Facts, *, uncounted: bool = False) -> ApiError | None:
        """Deletes pods; ``uncounted`` ones lose their finalizer first, so that they are not taken for failed."""
        failure: ApiError | None = None
        for pod in pods:
            try:
                if uncounted and tracked(pod):
                    pod = self.client.update("pods", untracked(pod))
                self._pod_control.delete(job, pod)
            except ApiError as error:
                if error.code != 404:
                    failure = failure or error
                    continue
            facts.running -= 1
            facts.terminating += 1
            facts.ready -= podfacts.ready(pod)
        return failure

    # how many run

    def _manage(self, job: Object, facts: Facts, backoff: Backoff) -> ApiError | None:
        """Deletes pods that are too many, or else makes those that are missing once the back-off allows it."""
        if suspended(job):
            return self._stop(job, facts.active, facts, uncounted=True)
        wanted = self._wanted(job, facts)
        surplus = first_to_go(facts, max(0, facts.running - wanted), self.clock)[:MOST_AT_ONCE]
        if surplus:
            return self._stop(job, surplus, facts, uncounted=True)
        missing = min(wanted - facts.running - (facts.terminating if replaces_only_failed(job) else 0), MOST_AT_ONCE)
        return self._create(job, self._next_pods(job, facts, backoff, missing), facts) if missing > 0 else None

    def _next_pods(self, job: Object, facts: Facts, backoff: Backoff, missing: int) -> list[Object]:
        """The pods to make now: none while the Job's back-off lasts or, where each index has its own, none for those that wait."""
        if not indexes.limited_per_index(job) and self._waits(job, backoff.remaining(self.clock.now)):
            return []
        if not indexes.is_indexed(job):
            return [pod_of(job)] * missing
        due = self._rested(job, facts.due_indexes(missing), facts)
        if facts.held:
            self.enqueue(key(job), after=GATHER)
        pod = indexed(job, pod_of(job))
        return [pod_for_index(job, pod, index, facts.held.get(index)) for index in due]

    def _wanted(self, job: Object, facts: Facts) -> int:
        """Never more than what is still to succeed; a work queue starts none after the first success."""
        completions, parallelism = job["spec"].get("completions"), job["spec"]["parallelism"]
        if completions is None:
            return facts.running if facts.succeeded else parallelism
        return max(0, min(parallelism, completions - facts.succeeded))

    def _waits(self, job: Object, seconds: float) -> bool:
        if seconds > 0:
            self.enqueue(key(job), after=max(GATHER, seconds))
        return seconds > 0

    def _rested(self, job: Object, due: list[int], facts: Facts) -> list[int]:
        """Those indexes whose own back-off is over; for the next of the others the Job is looked at again."""
        waits = {index: remaining(indexes.all_failures(pod) + 1, ended_at(pod, self.clock), self.clock.now)
                 for index, pod in facts.held.items()}
        ready = [index for index in due if not waits.get(index)]
        if len(ready) < len(due):
            self._waits(job, min(waits[index] for index in due if waits.get(index)))
        return ready

    def _create(self, job: Object, pods: list[Object], facts: Facts) -> ApiError | None:
        """Makes pods; the first refusal is handed back."""
        def create(pod: Object) -> None:
            self._pod_control.create(job, pod)
            facts.running += 1

        return lasting(slow_start(pods, create))

    def _note_suspension(self, job: Object, status: Object) -> Object:
        """Says that the Job is suspended or goes on; its time begins anew when it goes on."""
        now = self.clock.timestamp()
        if suspended(job):
            new = accounts.with_condition(status, SUSPENDED, "True", "JobSuspended", "Job suspended", now)
            if new is not status:
                self.record(job, "Normal", "Suspended", "Job suspended")
            return {field: value for field, value in new.items() if field != "startTime"} if "startTime" in new else new
        new = accounts.with_condition(status, SUSPENDED, "False", "JobResumed", "Job resumed", now)
        if new is not status:
            self.record(job, "Normal", "Resumed", "Job resumed")
        return new

    # the accounts

    def _account(self, job: Object, status: Object, facts: Facts, outcome: Outcome | None, backoff: Backoff) -> None:
        """Notes the ends of pods, takes their finalizers off, counts them, and ends the Job when nothing is left of it."""
        held = {uid(pod) for pod in facts.pods if tracked(pod)}
        status = accounts.counted({**status, "ready": facts.ready, "terminating": facts.terminating, "uncountedTerminatedPods":
                                   accounts.uncounted(status)}, held)
        status = accounts.with_number(status, "active", facts.running)
        ended, ends, left = self._ends(job, facts, outcome)
        status = accounts.noted(status, *ends)
        if indexes.is_indexed(job):
            status = accounts.with_indexes(status, facts.done, facts.lost)
        now = self.clock.timestamp()
        if outcome is not None:
            status = accounts.with_condition(status, outcome.kind, "True", outcome.reason, outcome.message, now)
        job = self._write(job, status)
        self._keep_failures(job, backoff)
        for pod in ended:
            self._take_finalizer(pod)
            held.discard(uid(pod))
        status = accounts.counted(job["status"], held)
        if left:
            self.enqueue(key(job))
        elif outcome is not None and not accounts.uncounted(status) and not facts.terminating:
            status = accounts.with_condition(status, outcome.final, "True", outcome.reason, outcome.message, now)
            if outcome.final != FAILED:
                status = {**status, "completionTime": now}
        job = self._write(job, status)
        if accounts.finished(job):
            self._report_end(job, outcome)

    def _ends(self, job: Object, facts: Facts, outcome: Outcome | None) -> tuple[list[Object], tuple[list[str], list[str]], bool]:
        """The pods whose finalizers may go, the uids that are to be counted as (succeeded, failed), and whether more are left."""
        known = {field: frozenset(accounts.uncounted(job.get("status") or {}).get(field) or ()) for field in ("succeeded", "failed")}
        ended: list[Object] = []
        successes, failures = [], []
        for pod in facts.pods:
            if not tracked(pod) or not self._may_go(job, pod, facts, outcome):
                continue
            if len(ended) == MOST_UNCOUNTED:
                return ended, (successes, failures), True
            ended.append(pod)
            if succeeded(pod) and uid(pod) not in known["failed"]:
                if not indexes.is_indexed(job) and uid(pod) not in known["succeeded"]:
                    successes.append(uid(pod))
            elif failed(job, pod) or outcome is not None and outcome.kind == FAILURE_TARGET:
                countable = not indexes.is_indexed(job) or facts.in_range(pod)
                if countable and uid(pod) not in known["failed"] and verdict(job["spec"].get("podFailurePolicy"), pod).counts:
                    failures.append(uid(pod))
        return ended, (successes, failures), False

    def _may_go(self, job: Object, pod: Object, facts: Facts, outcome: Outcome | None) -> bool:
        if deleting(job) or outcome is not None or succeeded(pod):
            return True
        index = indexes.index_of(pod)
        return failed(job, pod) and not (index in facts.held and facts.held[index] is pod)

    def _take_finalizer(self, pod: Object) -> None:
        current = self._all_pods.get(*key(pod))
        if current is None or uid(current) != uid(pod) or not tracked(current):
            return
        try:
            self.client.update("pods", untracked(current))
        except ApiError as error:
            if error.code != 404:
                raise

    def _write(self, job: Object, status: Object) -> Object:
        if status == (job.get("status") or {}):
            return job
        return self.client.update("jobs.batch", {**job, "status": status}, "status")

    def _report_end(self, job: Object, outcome: Outcome) -> None:
        self._forget_failures(job)
        if condition_true(job, FAILED):
            self.record(job, "Warning", outcome.reason, outcome.message)
            return
        completions = job["spec"].get("completions")
        if completions is not None and job["status"].get("succeeded", 0) > completions:
            self.record(job, "Warning", "TooManySucceededPods", "Too many succeeded pods running after completion count reached")
        self.record(job, "Normal", "Completed", "Job completed")

    # failures remembered between reconciles

    def _backoff(self, job: Object) -> Backoff:
        return Backoff(*self.parts.state.get(f"job-backoff/{uid(job)}", ()))

    def _keep_failures(self, job: Object, backoff: Backoff) -> None:
        if backoff != self._backoff(job):
            self.parts.state.set(f"job-backoff/{uid(job)}", list(backoff) if backoff.failures else None)

    def _forget_failures(self, job: Object) -> None:
        self.parts.state.set(f"job-backoff/{uid(job)}", None)


def _restarted_too_often(job: Object, active: list[Object]) -> bool:
    """For pods that restart their containers: the restarts count as tries."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(sum(_restarts(pod.get("status"))) for pod in active)
    limit = job["spec"]["backoffLimit"]
    return restarts >= limit if limit else restarts > 0


def _standing_changed(before: Object, pod: Object) -> bool:
    """Whether the change is one that a Job could see."""
    was, now = before["metadata"], pod["metadata"]
    for field in ("ownerReferences", "finalizers", "labels", "annotations", "deletionTimestamp"):
        if was.get(field) is not now.get(field) and was.get(field) != now.get(field):
            return True
    old, new = before.get("status"), pod.get("status")
    if old is new:
        return False
    return podfacts.phase(before) != podfacts.phase(pod) or podfacts.ready(before) != podfacts.ready(pod) or _restarts(old) != _restarts(new)


def _restarts(status: Object | None) -> list[int]:
    return [container.get("restartCount", 0) for field in ("initContainerStatuses", "containerStatuses")
            for container in (status or {}).get(field) or ()]
