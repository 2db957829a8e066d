"""TTL after finished: a Job with ``ttlSecondsAfterFinished`` is deleted, with its pods, so long after it has completed or failed.

In: Jobs that finish, and changes of their TTL. Out: their deletion at that moment; nothing happens before it.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.controllers.job_status import finished_at
from server.cluster.errors import ApiError
from server.cluster.objects import Key, deleting, key, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event


class TtlAfterFinishedController(Controller):
    name = "ttl-after-finished-controller"
    reconciles = "jobs.batch"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._jobs = self.lister("jobs.batch")
        self.watch("jobs.batch", self._on_job)

    def _on_job(self, event: Event) -> None:
        job = event.object
        if event.type != DELETED and job["spec"].get("ttlSecondsAfterFinished") is not None and finished_at(job) is not None:
            self.enqueue(key(job), event)

    def reconcile(self, key: Key) -> None:
        job = self._jobs.get(*key)
        ttl = job["spec"].get("ttlSecondsAfterFinished") if job is not None else None
        finished = finished_at(job) if job is not None else None
        if ttl is None or finished is None or deleting(job):
            return
        left = self.clock.seconds(finished) + ttl - self.clock.now
        if left > 0:
            self.enqueue(key, after=left)
            return
        try:
            self.client.delete("jobs.batch", *key, propagation="Foreground", uid=uid(job))
        except ApiError as error:
            if error.code not in (404, 409):
                raise
