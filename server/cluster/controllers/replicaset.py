"""ReplicaSets: keep as many pods as asked for.

In: ReplicaSets and pods. Out: pods made from the template, pods deleted, and the set's status. Pods are claimed by label and
controller reference (``ownership``); missing ones are created and surplus ones, chosen by ``replicaset_ranking``, deleted. A pod
counts as available once it has been ready for ``minReadySeconds``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.controllers.ownership import Orphans, adopters, claim, owner_of
from server.cluster.controllers.pod_control import PodControl, pod_from_template
from server.cluster.controllers.replica_counts import Counts, ReplicaCounts
from server.cluster.controllers.replicaset_ranking import first_to_go
from server.cluster.errors import ApiError
from server.cluster.objects import Object, controller_of, controller_uid, deleting, key, labels, namespace, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

BURST = 500
STATUS_BATCH = 0.001
LONGEST_BATCH = 1.0


class ReplicaSetController(Controller):
    """``kind`` is the kind of what it reconciles; ``tells_terminating`` says whether its status counts pods that are going."""

    name = "replicaset-controller"
    reconciles = "replicasets.apps"
    kind = "ReplicaSet"
    tells_terminating = True

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._sets = self.lister(self.reconciles)
        self._pods = self.lister("pods")
        self._orphans = Orphans(self._pods)
        self._counts = ReplicaCounts(self._pods)
        self._pod_control = PodControl(self.client, self.record)
        self.watch(self.reconciles, self._on_replica_set)
        self.watch_pods_of(self.kind, self._on_pod)

    def rebuild(self) -> None:
        self._orphans.rebuild()
        self._counts.clear()

    # what wakes it

    def _on_replica_set(self, event: Event) -> None:
        if event.type == DELETED:
            self._counts.forget(uid(event.object))
        if event.cause.client != self.name:
            self.enqueue(key(event.object), event)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        owners_changed = before is None or event.type == DELETED or _differs(before, pod, "ownerReferences")
        labels_changed = before is not None and _differs(before, pod, "labels")
        if owners_changed:
            self._orphans.note(event)
        elif not labels_changed and not _standing_changed(before, pod):
            return
        self._counts.note(event)
        urgent = labels_changed or event.type == DELETED or (before is not None and podfacts.active(before) != podfacts.active(pod))
        if before is not None and owners_changed:
            self._enqueue_owner(before, event, urgent=True)
        if controller_of(pod) is not None:
            self._enqueue_owner(pod, event, urgent)
        elif owners_changed or labels_changed:
            for candidate in adopters(self._sets, pod):
                self.enqueue(key(candidate), event)

    def _enqueue_owner(self, pod: Object, event: Event, urgent: bool) -> None:
        """The set that owns the pod: at once when pods are missing or too many, else with whatever else changes shortly after."""
        owner = owner_of(self._sets, self.kind, pod)
        if owner is not None:
            patience = 0.0 if urgent else min(LONGEST_BATCH, owner["spec"].get("replicas", 1) * STATUS_BATCH)
            self.enqueue(key(owner), event, after=patience)

    # what it does

    def reconcile(self, key: tuple[str, str]) -> None:
        replica_set = self._sets.get(*key)
        if replica_set is None:
            return
        counts = self._claimed(replica_set)
        available, due = self._available(replica_set, counts)
        error = None if deleting(replica_set) else self._manage(replica_set, counts.active)
        self._update_status(replica_set, counts, available, error)
        if due is not None:
            self.enqueue(key, after=due - self.clock.now)
        if error is not None:
            raise error

    def _claimed(self, replica_set: Object) -> Counts:
        """What the set has once it has taken the orphans it selects and let go of what it does not."""
        counts = self._counts.of(replica_set)
        owned = self._pods.by_owner(uid(replica_set)) if counts.strangers else []
        orphans = self._orphans.list(namespace(replica_set))
        if not owned and not orphans:
            return counts
        claim(self.client, "pods", replica_set, selectors.of_workload(replica_set), owned, orphans)
        return self._counts.of(replica_set)

    def _replicas(self, replica_set: Object) -> list[Object]:
        """The pods that count as its replicas, in order of name."""
        owner, selector = uid(replica_set), selectors.of_workload(replica_set)
        return [pod for pod in self._pods.by_owner(owner)
                if podfacts.active(pod) and controller_uid(pod) == owner and selector.matches(labels(pod))]

    def _manage(self, replica_set: Object, active: int) -> ApiError | None:
        """Creates what is missing or deletes what is too many; the first refusal is handed back."""
        missing = replica_set["spec"].get("replicas", 1) - active
        if abs(missing) > BURST:
            self.enqueue(key(replica_set))
        if missing > 0:
            pod = pod_from_template(replica_set, replica_set["spec"]["template"])
            return self._pod_control.create_all(replica_set, [pod] * min(missing, BURST))
        if missing < 0:
            return self._pod_control.delete_all(replica_set, self._surplus(replica_set, min(-missing, BURST)))
        return None

    def _surplus(self, replica_set: Object, count: int) -> list[Object]:
        """The replicas that can be done without best."""
        replicas = self._replicas(replica_set)
        return replicas if count == len(replicas) else first_to_go(replicas, self._related(replica_set), self.clock)[:count]

    def _related(self, replica_set: Object) -> list[Object]:
        """The pods of this set and of its siblings under the same Deployment."""
        owner = controller_of(replica_set)
        siblings = self._sets.by_owner(owner["uid"]) if owner is not None else [replica_set]
        return [pod for sibling in siblings for pod in self._pods.by_owner(uid(sibling))]

    def _update_status(self, replica_set: Object, counts: Counts, available: int, error: ApiError | None) -> None:
        numbers = {"fullyLabeledReplicas": counts.labelled, "readyReplicas": counts.ready, "availableReplicas": available,
                   "observedGeneration": replica_set["metadata"].get("generation", 0)}
        status: Object = {"replicas": counts.active, **{field: number for field, number in numbers.items() if number}}
        if self.tells_terminating:
            status["terminatingReplicas"] = counts.terminating
        conditions = self._conditions(replica_set, counts.active, error)
        if conditions:
            status["conditions"] = conditions
        if status != replica_set.get("status"):
            self.client.update(self.reconciles, {**replica_set, "status": status}, "status")

    def _available(self, replica_set: Object, counts: Counts) -> tuple[int, float | None]:
        """How many ready pods are available, and when the next one becomes so."""
        min_ready, now = replica_set["spec"].get("minReadySeconds", 0), self.clock.now
        if not min_ready or not counts.ready:
            return counts.ready, None
        moments = [podfacts.available_at(pod, min_ready, self.clock) for pod in self._replicas(replica_set) if podfacts.ready(pod)]
        return sum(moment <= now for moment in moments), min((moment for moment in moments if moment > now), default=None)

    def _conditions(self, replica_set: Object, active: int, error: ApiError | None) -> list[Object]:
        """``ReplicaFailure`` is there for as long as pods are refused."""
        conditions = (replica_set.get("status") or {}).get("conditions") or []
        failing = [condition for condition in conditions if condition["type"] == "ReplicaFailure"]
        if error is None:
            return [condition for condition in conditions if condition not in failing]
        if failing:
            return conditions
        reason = "FailedCreate" if active < replica_set["spec"].get("replicas", 1) else "FailedDelete"
        return [*conditions, {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": self.clock.timestamp(),
                              "reason": reason, "message": error.message}]


def _differs(before: Object, after: Object, field: str) -> bool:
    was, now = before["metadata"].get(field), after["metadata"].get(field)
    return was is not now and was != now


def _standing_changed(before: Object, after: Object) -> bool:
    """Whether the change is one that the set's status could show."""
    if ("deletionTimestamp" in before["metadata"]) != ("deletionTimestamp" in after["metadata"]):
        return True
    if before.get("status") is after.get("status"):
        return False
    return podfacts.phase(before) != podfacts.phase(after) or podfacts.ready(before) != podfacts.ready(after)
