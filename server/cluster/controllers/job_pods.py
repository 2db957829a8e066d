"""Which pods a Job has still to do with, known as they change.

In: every change of a pod. Out: a Job's pods that are not both ended and counted, so that a Job that has made ten thousand pods looks at
the hundred that run; pods that it adopts or lets go; and those that carry the tracking finalizer of a Job that no longer counts them.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.apiserver.cache import Lister
from server.cluster.apiserver.client import Client
from server.cluster.controllers import podfacts
from server.cluster.controllers.job_status import finished
from server.cluster.controllers.ownership import Orphans
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, controller_of, deleting, key, labels, namespace, owner_reference, owners, replaced, uid
from server.cluster.store import DELETED, Event

FINALIZER = "batch.kubernetes.io/job-tracking"


def tracked(pod: Object) -> bool:
    """Its end has not been counted yet."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def without_finalizer(pod: Object) -> Object:
    left = [entry for entry in pod["metadata"].get("finalizers") or () if entry != FINALIZER]
    return replaced(pod, {("metadata", "finalizers"): left or None})


def _matters(pod: Object) -> bool:
    return tracked(pod) or not podfacts.terminal(pod)


def job_reference(pod: Object) -> Object | None:
    """The reference to the Job that controls the pod."""
    reference = controller_of(pod)
    return reference if reference is not None and reference["kind"] == "Job" and reference["apiVersion"].startswith("batch/") else None


class JobPods:
    """``note`` takes every watch event of pods; ``rebuild`` begins anew from what is stored."""

    def __init__(self, pods: Lister, jobs: Lister) -> None:
        self._pods = pods
        self._jobs = jobs
        self._orphans = Orphans(pods)
        self._mattering: dict[str, dict[Key, None]] = {}

    def rebuild(self) -> None:
        self._orphans.rebuild()
        self._mattering = {}
        for pod in self._pods.list():
            self._add(pod)

    def note(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if before is None or event.type == DELETED or before["metadata"].get("ownerReferences") is not pod["metadata"].get("ownerReferences"):
            self._orphans.note(event)
        for version in (before, pod):
            reference = job_reference(version) if version is not None else None
            if reference is not None and (mattering := self._mattering.get(reference["uid"])) is not None:
                mattering.pop(key(version), None)
                if not mattering:
                    del self._mattering[reference["uid"]]
        if event.type != DELETED:
            self._add(pod)

    def _add(self, pod: Object) -> None:
        reference = job_reference(pod)
        if reference is not None and _matters(pod):
            self._mattering.setdefault(reference["uid"], {})[key(pod)] = None

    def forget(self, job: Object) -> None:
        self._mattering.pop(uid(job), None)

    def of(self, job: Object) -> list[Object]:
        """The Job's pods that matter, in order of name."""
        found = (self._pods.get(*name) for name in sorted(self._mattering.get(uid(job), ())))
        return [pod for pod in found if pod is not None]

    def claimed(self, client: Client, job: Object) -> list[Object]:
        """The same, once the Job has taken the orphans that it selects and let go of what it does not."""
        selector = selectors.from_object(job["spec"]["selector"])
        for pod in self.of(job):
            if not deleting(job) and not selector.matches(labels(pod)):
                self._release(client, job, pod)
        for pod in self._orphans.list(namespace(job)) if not deleting(job) else ():
            if not deleting(pod) and selector.matches(labels(pod)):
                finalizers = pod["metadata"].get("finalizers") or []
                client.update("pods", replaced(pod, {
                    ("metadata", "ownerReferences"): [*owners(pod), owner_reference(job)],
                    ("metadata", "finalizers"): finalizers if tracked(pod) else [*finalizers, FINALIZER]}))
        return self.of(job)

    def _release(self, client: Client, job: Object, pod: Object) -> None:
        others = [reference for reference in owners(pod) if reference["uid"] != uid(job)]
        try:
            client.update("pods", replaced(without_finalizer(pod), {("metadata", "ownerReferences"): others or None}))
        except ApiError as error:
            if error.code != 404:
                raise

    def adopters(self, pod: Object) -> list[Object]:
        """The Jobs that would take a pod that nobody owns."""
        return [job for job in self._jobs.list(namespace(pod)) if selectors.from_object(job["spec"]["selector"]).matches(labels(pod))]

    def job_of(self, pod: Object) -> Object | None:
        """The very Job that controls the pod."""
        reference = job_reference(pod)
        job = self._jobs.get(namespace(pod), reference["name"]) if reference is not None else None
        return job if job is not None and uid(job) == reference["uid"] else None

    def abandoned(self, pod: Object) -> bool:
        """Carries the finalizer, and no Job will ever take it off."""
        if not tracked(pod):
            return False
        reference = controller_of(pod)
        if reference is not None and job_reference(pod) is None:
            return False
        job = self.job_of(pod)
        return job is None or finished(job) and not managed_elsewhere(job)

    def all_abandoned(self) -> list[Object]:
        return [pod for pod in self._pods.list() if self.abandoned(pod)]


MANAGER = "kubernetes.io/job-controller"


def managed_elsewhere(job: Object) -> bool:
    """The Job is another controller's affair."""
    return job["spec"].get("managedBy", MANAGER) != MANAGER
