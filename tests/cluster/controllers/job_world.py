"""A control plane with nothing but what Jobs need: the API server, the controllers of Jobs, CronJobs, TTL and garbage, and a hand that plays
scheduler and kubelets. Pods run ``run_for`` seconds after ``start_delay`` and then end as ``ends`` says (by exit code, None: not by
themselves); a deleted pod is gone after ``stop_delay``.
"""

from __future__ import annotations

import random

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.controllers.cronjob import CronJobController
from server.cluster.controllers.garbage_collector import GarbageCollector
from server.cluster.controllers.job import JobController
from server.cluster.controllers.pod_gc import PodGarbageCollector
from server.cluster.controllers.serviceaccount import ServiceAccountController
from server.cluster.controllers.ttl_after_finished import TtlAfterFinishedController
from server.cluster.objects import condition, key, replaced, uid
from server.cluster.parts import Parts
from server.cluster.store import ADDED, DELETED, Store

CONTROLLERS = (ServiceAccountController, JobController, CronJobController, TtlAfterFinishedController, PodGarbageCollector, GarbageCollector)
FINALIZER = "batch.kubernetes.io/job-tracking"


def pod_template(**spec) -> dict:
    return {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}], **spec}}


class JobWorld:
    def __init__(self, snapshot: dict | None = None) -> None:
        self.clock = Clock(now=snapshot["time"] if snapshot else 0.0)
        self.store = Store()
        if snapshot:
            self.store.load(snapshot["store"])
        self.api = ApiServer(self.clock, self.store, random.Random(self.store.revision))
        self.parts = Parts(self.clock, self.api, random.Random(-self.store.revision), self.store.state)
        self.kubectl = self.parts.client("kubectl", "kubernetes-admin")
        self.start_delay, self.run_for, self.stop_delay = 0.5, 2.0, 1.0
        self.ends = lambda pod: 0
        self.most_active: dict[str, int] = {}
        self.api.watch("pods", self._on_pod)
        if not snapshot:
            self.kubectl.create("namespaces", {"metadata": {"name": "default"}})
            self.kubectl.create("nodes", {"metadata": {"name": "w1"}})
        self.controllers = [controller(self.parts) for controller in CONTROLLERS]
        for controller in self.controllers:
            controller.start()
        if not snapshot:
            self.run(1)

    # the hand that plays scheduler and kubelets

    def _on_pod(self, event) -> None:
        pod = event.object
        if event.type == ADDED:
            self.clock.call_later(self.start_delay, self._start, key(pod), uid(pod))
        elif event.type != DELETED and "deletionTimestamp" in pod["metadata"] and "deletionTimestamp" not in event.previous["metadata"]:
            self.clock.call_later(self.stop_delay, self._gone, key(pod), uid(pod))

    def _alive(self, where, identity):
        pod = self.api.lister("pods").get(*where)
        return pod if pod is not None and uid(pod) == identity and "deletionTimestamp" not in pod["metadata"] else None

    def _start(self, where, identity) -> None:
        pod = self._alive(where, identity)
        if pod is None or pod["status"]["phase"] != "Pending":
            return
        self.kubectl.bind(*where, "w1")
        self.set_status(where[1], phase="Running", ready=True)
        code = self.ends(pod)
        if code is not None:
            self.clock.call_later(self.run_for, self._end, where, identity, code)

    def _end(self, where, identity, code) -> None:
        pod = self._alive(where, identity)
        if pod is not None and pod["status"]["phase"] == "Running":
            self.end(where[1], code)

    def _gone(self, where, identity) -> None:
        pod = self.api.lister("pods").get(*where)
        if pod is not None and uid(pod) == identity:
            if pod["status"]["phase"] in ("Pending", "Running") and pod["spec"].get("nodeName"):
                self.end(where[1], 137)
            if self.api.lister("pods").get(*where) is not None:
                self.kubectl.delete("pods", *where, grace_period=0)

    # what tests say

    def end(self, name: str, code: int) -> None:
        """The pod's container ends with an exit code."""
        now = self.clock.timestamp()
        self.set_status(name, phase="Failed" if code else "Succeeded", ready=False, containerStatuses=[{
            "name": "c", "image": "busybox", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now, "startedAt": now}}}])

    def set_status(self, name: str, ready: bool | None = None, conditions=(), **fields) -> None:
        pod = self.api.lister("pods").get("default", name)
        kept = [entry for entry in pod["status"].get("conditions") or () if entry["type"] != "Ready"]
        if ready is not None:
            kept.append({"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": self.clock.timestamp()})
        self.kubectl.update("pods", replaced(pod, {"status": {**pod["status"], **fields, "conditions": [*kept, *conditions]}}), "status")

    def job(self, name: str = "work", template: dict | None = None, **spec) -> dict:
        return self.kubectl.create("jobs.batch", {"metadata": {"name": name, "namespace": "default"},
                                                  "spec": {"template": template or pod_template(), **spec}})

    def cron_job(self, name: str = "tick", schedule: str = "*/1 * * * *", job: dict | None = None, **spec) -> dict:
        return self.kubectl.create("cronjobs.batch", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "schedule": schedule, "jobTemplate": {"spec": {"template": pod_template(), **(job or {})}}, **spec}})

    def run(self, seconds: float = 30) -> None:
        self.clock.run_for(seconds)

    def restart(self) -> JobWorld:
        """The same cluster in a new process."""
        new = JobWorld.__new__(JobWorld)
        new.__init__({"time": self.clock.now, "store": self.store.dump()})
        new.ends, new.start_delay, new.run_for, new.stop_delay = self.ends, self.start_delay, self.run_for, self.stop_delay
        for pod in new.pods():
            where, identity = key(pod), uid(pod)
            if "deletionTimestamp" in pod["metadata"]:
                new.clock.call_later(new.stop_delay, new._gone, where, identity)
            elif pod["status"]["phase"] == "Pending":
                new.clock.call_later(new.start_delay, new._start, where, identity)
            elif pod["status"]["phase"] == "Running" and (code := new.ends(pod)) is not None:
                new.clock.call_later(new.run_for, new._end, where, identity, code)
        return new

    # what tests ask

    def get(self, name: str = "work") -> dict:
        return self.api.lister("jobs.batch").get("default", name)

    def status(self, name: str = "work") -> dict:
        return self.get(name)["status"]

    def cron(self, name: str = "tick") -> dict:
        return self.api.lister("cronjobs.batch").get("default", name)

    def patch(self, name: str = "work", resource: str = "jobs.batch", **spec) -> dict:
        return self.kubectl.patch(resource, "default", name, {"spec": spec})

    def jobs(self) -> list[str]:
        return [job["metadata"]["name"] for job in self.api.lister("jobs.batch").list("default")]

    def pods(self, *phases: str) -> list[dict]:
        return [pod for pod in self.api.lister("pods").list("default") if not phases or pod["status"]["phase"] in phases]

    def active(self) -> list[dict]:
        return [pod for pod in self.pods("Pending", "Running") if "deletionTimestamp" not in pod["metadata"]]

    def held(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods() if FINALIZER in (pod["metadata"].get("finalizers") or ())]

    def conditions(self, name: str = "work") -> dict[str, tuple[str, str, str]]:
        return {entry["type"]: (entry["status"], entry.get("reason", ""), entry.get("message", ""))
                for entry in self.status(name).get("conditions") or ()}

    def condition(self, kind: str, name: str = "work") -> dict | None:
        return condition(self.get(name), kind)

    def events(self, name: str = "work") -> list[tuple[str, str, str, int]]:
        return [(event["type"], event["reason"], event["message"], event["count"]) for event in self.api.lister("events").list("default")
                if event["involvedObject"]["name"] == name]

    def reasons(self, name: str = "work") -> list[str]:
        return [reason for _, reason, _, _ in self.events(name)]
