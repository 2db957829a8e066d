"""kube-scheduler: pods without a node come in by watch, bindings go out through the API server.

Watch events keep the snapshot and the queue; a timer pops one pod at a time, ``Framework.place`` finds its node, the pod is assumed
there and bound. A pod that fits nowhere gets a FailedScheduling event and a PodScheduled condition, makes room by preemption if it
may, and waits for an event that one of the plugins that refused it cares about. Everything here is a cache: ``start`` rebuilds it.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

from __future__ import annotations

from server.cluster.apiserver import placement
from server.cluster.clock import Timer
from server.cluster.conditions import disruption_target
from server.cluster.errors import ApiError
from server.cluster.objects import Object, condition, replaced
from server.cluster.parts import Parts
from server.cluster.scheduler import preemption
from server.cluster.scheduler.attempts import Attempt, Attempts
from server.cluster.scheduler.framework import NO_NODES, Framework, Misfit, Placement
from server.cluster.scheduler.plugins.plugin import ClusterEvent
from server.cluster.scheduler.podinfo import PodInfo, labels_key, resizing
from server.cluster.scheduler.queue import Entry, SchedulingQueue
from server.cluster.scheduler.reports import Reports
from server.cluster.scheduler.snapshot import REGION, ZONE, NodeInfo, Snapshot
from server.cluster.scheduler.volume_wait import VolumeWait
from server.cluster.store import ADDED, DELETED, Event, Watch

NAME, USER = "kube-scheduler", "system:kube-scheduler"
SCHEDULER_NAME = "default-scheduler"
REACTION, PACE = 0.003, 0.0015
FINISHED = ("Succeeded", "Failed")
STORAGE = {"persistentvolumes": "PersistentVolume", "storageclasses.storage.k8s.io": "StorageClass",
           "csinodes.storage.k8s.io": "CSINode"}
WORKLOADS = ("services", "replicasets.apps", "statefulsets.apps", "replicationcontrollers")


class Scheduler:
    """``stop()`` and ``start()`` at will; pods wait while it is stopped."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._api = parts.api
        self.client = parts.client(NAME, USER)
        self._reports = Reports(parts.clock, self.client)
        self._attempts = Attempts()
        self._before: tuple[Attempts, float] | None = None
        self.running = False
        self._watches: list[Watch] = []
        self._timer: Timer | None = None
        self._reset()

    def _reset(self) -> None:
        self.snapshot = Snapshot()
        self.framework = Framework(self._api, self._parts.random, self.snapshot)
        self.queue = SchedulingQueue(self._clock, self._wake_up)
        self.waiting = VolumeWait(self._clock, self.client, self.framework.volumes)
        self._versions: dict[str, Object] = {}

    def attempt(self, uid: str) -> Attempt | None:
        """The last attempt to schedule the pod with that uid, if it is still known."""
        found = self._attempts.get(uid)
        return found if found is not None or self._before is None else next(reversed(self._recalled(uid)), None)

    def attempts(self, uid: str) -> list[Attempt]:
        """The last few attempts, oldest first."""
        return self._recalled(uid) + self._attempts.all(uid)

    def recall(self, other: Scheduler, moment: float) -> None:
        """Knows of the attempts that another made until a moment: those of a cluster that this one's was taken from."""
        self._before = other._attempts, moment

    def _recalled(self, uid: str) -> list[Attempt]:
        """Of one moment not all may have been yet: those of which the pod bears the outcome are."""
        if self._before is None:
            return []
        attempts, moment = self._before
        found = [one for one in attempts.all(uid) if one.time <= moment]
        while found and found[-1].time == moment and not self._known(found[-1]):
            found.pop()
        return found

    def _known(self, attempt: Attempt) -> bool:
        pod = self._api.lister("pods").get(*attempt.pod)
        if pod is None or attempt.node is not None:
            return pod is not None and pod["spec"].get("nodeName") == attempt.node
        told = condition(pod, "PodScheduled")
        return told is not None and told.get("message") == attempt.message

    def again(self, pod: Object) -> Attempt | None:
        """The attempt that left a pod without a node, made again for those who look: of a scheduler that was restarted since. None if what it
        would say now is not what the pod was told."""
        told = condition(pod, "PodScheduled")
        if told is None or not self.running:
            return None
        chance = self._parts.random.getstate()
        result = self.framework.place(PodInfo(pod))
        self._parts.random.setstate(chance)
        if isinstance(result, Placement) or not told.get("message", "").startswith(result.message()):
            return None
        meta, names = pod["metadata"], self.snapshot.names
        slots = dict.fromkeys(self.snapshot.order, result.whole) if result.whole is not None else result.by_node
        rejections = {names[slot]: (why.plugin, why.reasons) for slot, why in slots.items()}
        return Attempt(meta["uid"], (meta["namespace"], meta["name"]), 0, self._clock.now, None, rejections, {}, 0, 0, 0, told["message"],
                       result.nodes, result.nodes, nominated=(pod.get("status") or {}).get("nominatedNodeName"))

    def start(self) -> None:
        """Begins (again) from what the API server has now."""
        if self.running:
            return
        self.running = True
        self._reset()
        for node in self._api.lister("nodes").list():
            self.snapshot.set_node(node)
        for pod in sorted(self._api.lister("pods").list(), key=_age):
            self._see_pod(pod, None)
            self._parts.breathe()
        callbacks = {"pods": self._on_pod, "nodes": self._on_node, "namespaces": self._on_namespace,
                     "persistentvolumeclaims": self._on_claim,
                     **dict.fromkeys(STORAGE, self._on_storage), **dict.fromkeys(WORKLOADS, self._on_workload)}
        self._watches = [self._api.watch(resource, callback) for resource, callback in callbacks.items()]

    def stop(self) -> None:
        """Ends: nothing is scheduled until ``start``, and all that was cached is forgotten."""
        self.running = False
        for watch in self._watches:
            watch.stop()
        self._watches = []
        self.queue.clear()
        self.waiting.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # what changes

    def _on_pod(self, event: Event) -> None:
        if event.type == DELETED:
            self._forget_pod(event.previous or event.object, event.revision)
        else:
            self._see_pod(event.object, event.revision)

    def _see_pod(self, pod: Object, revision: int | None) -> None:
        uid = pod["metadata"]["uid"]
        seen = self._versions.get(uid)
        if seen is not None and seen["spec"] is pod["spec"] and not _differs(seen, pod):
            self._versions[uid] = pod
            known = self.snapshot.where.get(uid)
            if known is not None:
                known[0].pod = pod
            elif (entry := self.queue.entries.get(uid)) is not None:
                entry.info.pod = pod
            return
        if (pod.get("status") or {}).get("phase") in FINISHED:
            self._forget_pod(pod, revision)
            return
        self._versions[uid] = pod
        if node := pod["spec"].get("nodeName"):
            self._see_assigned(pod, node, seen, revision)
        elif pod["spec"].get("schedulerName", SCHEDULER_NAME) == SCHEDULER_NAME:
            self._see_waiting(pod, seen, revision)

    def _see_assigned(self, pod: Object, node: str, seen: Object | None, revision: int | None) -> None:
        uid = pod["metadata"]["uid"]
        self.waiting.forget(uid)
        known = self.snapshot.where.get(uid)
        if known is not None and known[1].name == node and known[0].deleting == ("deletionTimestamp" in pod["metadata"]) \
                and (seen is not None and seen["metadata"].get("labels") is pod["metadata"].get("labels")
                     or labels_key(pod["metadata"]) == known[0].labels_key) \
                and (seen is None or seen["spec"].get("containers") is pod["spec"].get("containers") and resizing(seen) == resizing(pod)):
            known[0].pod = pod
            if seen is None or not seen["spec"].get("nodeName"):
                self._tell(ClusterEvent("Pod", ("added",), pod=pod), revision)
            return
        if known is not None:
            self.snapshot.remove_pod(uid)
        else:
            self.queue.remove(uid)
            self.framework.nominated.pop(uid, None)
        info = PodInfo(pod)
        self.snapshot.add_pod(info, node)
        actions = ("added",) if known is None else ("labels",) if known[0].labels_key != info.labels_key else ("resources",)
        self._tell(ClusterEvent("Pod", actions, pod=pod, pod_before=known[0].pod if known is not None else None), revision)

    def _see_waiting(self, pod: Object, seen: Object | None, revision: int | None) -> None:
        uid, gates = pod["metadata"]["uid"], pod["spec"].get("schedulingGates")
        if nominated := (pod.get("status") or {}).get("nominatedNodeName"):
            self.framework.nominated[uid] = PodInfo(pod), nominated
        else:
            self.framework.nominated.pop(uid, None)
        entry = self.queue.entries.get(uid)
        if uid in self.waiting:
            return
        if entry is None:
            info = PodInfo(pod)
            (self.queue.hold if gates else self.queue.add)(info, revision)
            return
        before, entry.info = entry.info, PodInfo(pod)
        if entry.gated and not gates:
            self.queue.release(entry, revision)
        elif before.requirements != entry.info.requirements or before.labels_key != entry.info.labels_key:
            self.queue.wake([entry], revision)

    def _forget_pod(self, pod: Object, revision: int | None) -> None:
        uid = pod["metadata"]["uid"]
        if self._versions.pop(uid, None) is None:
            return
        self.waiting.forget(uid)
        self.queue.remove(uid)
        nominated = self.framework.nominated.pop(uid, None)
        info = self.snapshot.remove_pod(uid)
        if info is not None or nominated is not None:
            self._tell(ClusterEvent("Pod", ("deleted",), pod=pod), revision)

    def _on_node(self, event: Event) -> None:
        name = event.object["metadata"]["name"]
        if event.type == DELETED:
            self.snapshot.remove_node(name)
            self._tell(ClusterEvent("Node", ("deleted",), node=self.snapshot.nodes.get(name)), event.revision)
            return
        changed = self.snapshot.set_node(event.object)
        if not changed or not self.queue.unschedulable:
            return
        node, before = self.snapshot.nodes[name], None
        if event.type != ADDED and event.previous is not None:
            before = NodeInfo(-1, name)
            before.set_node(event.previous)
        self._tell(ClusterEvent("Node", changed if before is not None else ("added",), node=node, before=before), event.revision)

    def _on_namespace(self, event: Event) -> None:
        if event.previous is not None and event.previous["metadata"].get("labels") != event.object["metadata"].get("labels"):
            self.snapshot.forget_counts()
            self.framework.affinity.forget()

    def _on_workload(self, event: Event) -> None:
        if event.previous is None or event.type == DELETED or \
                event.previous["spec"].get("selector") != event.object["spec"].get("selector"):
            self.framework.spread.forget()

    def _on_claim(self, event: Event) -> None:
        self._tell(ClusterEvent("PersistentVolumeClaim", ("changed",), key=event.key), event.revision)
        self.waiting.changed(event.key)

    def _on_storage(self, event: Event) -> None:
        self._tell(ClusterEvent(STORAGE[event.resource], ("changed",), key=event.key), event.revision)

    def _tell(self, event: ClusterEvent, revision: int | None) -> None:
        """Queues the pods for which the event may make a difference."""
        if not self.queue.unschedulable:
            return
        plugins, snapshot = self.framework.plugins, self.snapshot
        worth: list[Entry] = []
        for refused_by, entries in self.queue.refused.items():
            asked = [plugins[name] for name in refused_by if name in plugins and plugins[name].interested(event)]
            if not refused_by:
                worth += entries.values()
            elif asked:
                worth += [entry for entry in entries.values() if any(plugin.hint(entry.info, event, snapshot) for plugin in asked)]
        if worth:
            self.queue.wake(worth, revision)

    # scheduling

    def _wake_up(self) -> None:
        if self._timer is None and self.running:
            self._timer = self._clock.call_later(REACTION, self._cycle)

    def _cycle(self) -> None:
        """One pod."""
        self._timer = None
        entry = self.queue.pop()
        if entry is None:
            return
        self._timer = self._clock.call_later(PACE, self._cycle)
        self.client.because = entry.because
        try:
            self._schedule(entry)
        finally:
            self.client.because = None

    def _schedule(self, entry: Entry) -> None:
        info = entry.info
        pod = self._api.lister("pods").get(*info.key)
        if pod is None or pod["metadata"]["uid"] != info.uid:
            self.queue.remove(info.uid)
            return
        if info.deleting:
            self.queue.remove(info.uid)
            self._reports.say(pod, "Warning", "FailedScheduling", "Scheduling", f"skip schedule deleting pod: {'/'.join(info.key)}")
            return
        result = self.framework.place(info)
        if isinstance(result, Placement):
            self._bind(entry, pod, result)
        else:
            self._fail(entry, pod, result)

    def _bind(self, entry: Entry, pod: Object, found: Placement) -> None:
        """Assumes the pod on its node; with volumes still to be bound or made, it is bound once they are."""
        info, node = entry.info, found.node
        self.queue.remove(info.uid)
        self.framework.nominated.pop(info.uid, None)
        if ZONE in node.labels or REGION in node.labels:
            info = info.relabelled(placement.with_topology(self._api, info.pod, node.name))
        self.snapshot.add_pod(info, node.name)
        if info.requirements.claims and not self.waiting.bound(info):
            try:
                fault = self.waiting.begin(info, node)
            except ApiError as error:
                fault = f"binding volumes: {error.message}"
            if fault:
                self._volumes_failed(entry, fault)
            else:
                self.waiting.wait(info, lambda: self._bind_waited(entry, found), lambda why: self._volumes_failed(entry, why))
            return
        self._bind_now(entry, found)

    def _bind_waited(self, entry: Entry, found: Placement) -> None:
        self.client.because = entry.because
        try:
            self._bind_now(entry, found)
        finally:
            self.client.because = None

    def _bind_now(self, entry: Entry, found: Placement) -> None:
        info, node = entry.info, found.node
        pod = self._api.lister("pods").get(*info.key)
        try:
            self.client.bind(info.key[0], info.key[1], node.name)
        except ApiError as error:
            self.snapshot.remove_pod(info.uid)
            self._bind_failed(entry, f'binding rejected: running Bind plugin "DefaultBinder": {error.message}')
            return
        self._attempts.placed(info.uid, info.key, entry.attempts, self._clock.now, found)
        self._reports.say(pod, "Normal", "Scheduled", "Binding",
                          f"Successfully assigned {info.key[0]}/{info.key[1]} to {node.name}")

    def _volumes_failed(self, entry: Entry, why: str) -> None:
        self.snapshot.remove_pod(entry.info.uid)
        self._bind_failed(entry, f'running PreBind plugin "VolumeBinding": {why}')

    def _bind_failed(self, entry: Entry, message: str) -> None:
        """Somebody else has bound it, or it is gone; if not, it is tried again."""
        info = entry.info
        pod = self._api.lister("pods").get(*info.key)
        if pod is None or pod["metadata"]["uid"] != info.uid or pod["spec"].get("nodeName"):
            return
        self._report(pod, message, "SchedulerError", None)
        entry.state = "in flight"
        self.queue.entries[info.uid] = entry
        self.queue.failed(entry, (), error=True)

    def _fail(self, entry: Entry, pod: Object, misfit: Misfit) -> None:
        info, message, nominated, victims = entry.info, misfit.message(), None, ()
        if message != NO_NODES:
            chosen = preemption.consider(self.framework, info, misfit)
            if isinstance(chosen, str):
                message = f"{message} {chosen}"
                if preemption.TERMINATING in message:
                    nominated = self.framework.nominated[info.uid][1]
            else:
                nominated = chosen.node.name
                victims = tuple((*victim.key, victim.priority) for victim in chosen.victims)
                self._preempt(info, pod, chosen)
        if nominated is None:
            self.framework.nominated.pop(info.uid, None)
        else:
            self.framework.nominated[info.uid] = info, nominated
        if misfit.whole is not None:
            misfit.by_node = dict.fromkeys(self.snapshot.order, misfit.whole)
        self._attempts.failed(info.uid, info.key, entry.attempts, self._clock.now, misfit, self.snapshot.names, message, nominated, victims)
        self.queue.failed(entry, misfit.plugins)
        self._report(pod, message, "Unschedulable", nominated)

    def _report(self, pod: Object, message: str, reason: str, nominated: str | None) -> None:
        """The FailedScheduling event, and the pod's condition where it says something new."""
        self._reports.say(pod, "Warning", "FailedScheduling", "Scheduling", message)
        status = pod.get("status") or {}
        before = condition(pod, "PodScheduled")
        entry = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message, "lastProbeTime": None,
                 "lastTransitionTime": self._clock.timestamp(), "observedGeneration": pod["metadata"].get("generation", 1)}
        if before is not None and before["status"] == "False":
            entry["lastTransitionTime"] = before.get("lastTransitionTime", entry["lastTransitionTime"])
        if entry == before and status.get("nominatedNodeName") == nominated:
            return
        others = [other for other in status.get("conditions") or () if other["type"] != "PodScheduled"]
        changes: dict[tuple[str, ...], object] = {("status", "conditions"): [*others, entry]}
        if status.get("nominatedNodeName") != nominated:
            changes["status", "nominatedNodeName"] = nominated
        try:
            self.client.update("pods", replaced(pod, changes), "status")
        except ApiError:
            return

    def _preempt(self, info: PodInfo, pod: Object, chosen: preemption.Candidate) -> None:
        """Deletes the victims, each with a condition and an event that say why; lesser pods that were to have the node look elsewhere."""
        for other, name in [*self.framework.nominated.values()]:
            if name == chosen.node.name and other.priority < info.priority:
                self._forget_nomination(other)
        for victim in chosen.victims:
            current = self._api.lister("pods").get(*victim.key)
            if current is None or current["metadata"]["uid"] != victim.uid or "deletionTimestamp" in current["metadata"]:
                continue
            doomed = disruption_target(current, preemption.REASON, f"{SCHEDULER_NAME}: preempting to accommodate a higher priority pod",
                                       self._clock.timestamp())
            try:
                self.client.update("pods", doomed, "status")
                self.client.delete("pods", *victim.key, uid=victim.uid)
            except ApiError:
                continue
            self._reports.say(current, "Normal", "Preempted", "Preempting", f"Preempted by pod {info.uid} on node {chosen.node.name}", pod)

    def _forget_nomination(self, info: PodInfo) -> None:
        self.framework.nominated.pop(info.uid, None)
        pod = self._api.lister("pods").get(*info.key)
        if pod is None or pod["metadata"]["uid"] != info.uid or not pod["status"].get("nominatedNodeName"):
            return
        try:
            self.client.update("pods", replaced(pod, {("status", "nominatedNodeName"): None}), "status")
        except ApiError:
            return


def _age(pod: Object) -> tuple[str, int]:
    """Oldest first; of one second, in order of writing."""
    meta = pod["metadata"]
    return meta.get("creationTimestamp") or "", int(meta["resourceVersion"])


def _differs(old: Object, new: Object) -> bool:
    """Whether a pod with the same spec has changed in something the scheduler looks at."""
    was, now = old["metadata"], new["metadata"]
    if was.get("labels") is not now.get("labels") and was.get("labels") != now.get("labels"):
        return True
    if ("deletionTimestamp" in was) != ("deletionTimestamp" in now):
        return True
    before, after = old.get("status") or {}, new.get("status") or {}
    return before.get("phase") != after.get("phase") and after.get("phase") in FINISHED \
        or before.get("nominatedNodeName") != after.get("nominatedNodeName") or resizing(old) != resizing(new)
