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
from server.cluster.controllers.ownership import Orphans, claim, owner_of
from server.cluster.objects import Key, Object, controller_of, finalizers, key, namespace, uid, without_finalizer
from server.cluster.store import DELETED, Event

FINALIZER = "batch.kubernetes.io/job-tracking"


def tracked(pod: Object) -> bool:
    """Its end has not been counted yet."""
    return FINALIZER in finalizers(pod)


def untracked(pod: Object) -> Object:
    """The pod without the tracking finalizer."""
    return without_finalizer(pod, FINALIZER)


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
        orphans = self._orphans.list(namespace(job))
        claim(client, "pods", job, selectors.of_workload(job), self.of(job), orphans, FINALIZER)
        return self.of(job)

    def job_of(self, pod: Object) -> Object | None:
        """The very Job that controls the pod."""
        return owner_of(self._jobs, "Job", pod)

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
