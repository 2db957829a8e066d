"""ReplicaSets: keep as many pods as asked for.

In: ReplicaSets and pods. Out: pods made from the template, pods deleted, and the set's status. Pods are claimed by label and
controller reference; missing ones are created in growing batches so that a refusal is not met a thousand times; surplus ones are
chosen by ``replicaset_ranking``. A pod counts as available once it has been ready for ``minReadySeconds``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.controllers.ownership import Orphans, claim
from server.cluster.controllers.replicaset_ranking import first_to_go
from server.cluster.errors import ApiError
from server.cluster.objects import Object, controller_of, deleting, key, labels, name, namespace, owner_reference, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

BURST = 500
SLOW_START = 1
STATUS_BATCH = 0.001
LONGEST_BATCH = 1.0


class ReplicaSetController(Controller):
    name = "replicaset-controller"
    reconciles = "replicasets.apps"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._sets = self.lister("replicasets.apps")
        self._pods = self.lister("pods")
        self._orphans = Orphans(self._pods)
        self.watch("replicasets.apps", self._on_replica_set)
        self.watch("pods", self._on_pod)

    def start(self) -> None:
        self._orphans.rebuild()
        super().start()

    # what wakes it

    def _on_replica_set(self, event: Event) -> None:
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
        urgent = labels_changed or event.type == DELETED or (before is not None and podfacts.active(before) != podfacts.active(pod))
        if before is not None and owners_changed:
            self._enqueue_owner(before, event, urgent=True)
        if controller_of(pod) is not None:
            self._enqueue_owner(pod, event, urgent)
        elif owners_changed or labels_changed:
            self._enqueue_adopters(pod, event)

    def _enqueue_owner(self, pod: Object, event: Event, urgent: bool) -> None:
        """The set that owns the pod: at once when pods are missing or too many, else with whatever else changes shortly after."""
        reference = controller_of(pod)
        if reference is None or reference["kind"] != "ReplicaSet":
            return
        owner = self._sets.get(namespace(pod), reference["name"])
        if owner is not None and uid(owner) == reference["uid"]:
            patience = 0.0 if urgent else min(LONGEST_BATCH, owner["spec"].get("replicas", 1) * STATUS_BATCH)
            self.enqueue(key(owner), event, after=patience)

    def _enqueue_adopters(self, pod: Object, event: Event) -> None:
        for candidate in self._sets.list(namespace(pod)):
            if selectors.from_object(candidate["spec"]["selector"]).matches(labels(pod)):
                self.enqueue(key(candidate), event)

    # what it does

    def reconcile(self, key: tuple[str, str]) -> None:
        replica_set = self._sets.get(*key)
        if replica_set is None:
            return
        selector = selectors.from_object(replica_set["spec"]["selector"])
        owned, orphans = self._pods.by_owner(uid(replica_set)), self._orphans.list(key[0])
        pods = claim(self.client, "pods", replica_set, selector, owned, orphans)
        active = [pod for pod in pods if podfacts.active(pod)]
        error = None if deleting(replica_set) else self._manage(replica_set, active)
        self._update_status(replica_set, pods, active, error)
        if error is not None:
            raise error

    def _manage(self, replica_set: Object, active: list[Object]) -> ApiError | None:
        """Creates what is missing or deletes what is too many; the first refusal is handed back."""
        missing = replica_set["spec"].get("replicas", 1) - len(active)
        if abs(missing) > BURST:
            self.enqueue(key(replica_set))
        if missing > 0:
            return self._create(replica_set, min(missing, BURST))
        if missing < 0:
            return self._delete(replica_set, active, min(-missing, BURST))
        return None

    def _create(self, replica_set: Object, count: int) -> ApiError | None:
        pod = pod_from_template(replica_set)
        batch = SLOW_START
        while count > 0:
            failure: ApiError | None = None
            for _ in range(min(batch, count)):
                failure = self._create_one(replica_set, pod) or failure
            if failure is not None:
                return None if namespace_is_going(failure) else failure
            count -= batch
            batch *= 2
        return None

    def _create_one(self, replica_set: Object, pod: Object) -> ApiError | None:
        try:
            created = self.client.create("pods", pod)
        except ApiError as error:
            if not namespace_is_going(error):
                self.record(replica_set, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self.record(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {name(created)}")
        return None

    def _delete(self, replica_set: Object, active: list[Object], count: int) -> ApiError | None:
        chosen = active if count == len(active) else first_to_go(active, self._related(replica_set), self.clock)[:count]
        failure: ApiError | None = None
        for pod in chosen:
            try:
                self.client.delete("pods", *key(pod))
            except ApiError as error:
                if error.code != 404:
                    self.record(replica_set, "Warning", "FailedDelete", f"Error deleting: {error.message}")
                    failure = failure or error
                continue
            self.record(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {name(pod)}")
        return failure

    def _related(self, replica_set: Object) -> list[Object]:
        """The pods of this set and of its siblings under the same Deployment."""
        owner = controller_of(replica_set)
        siblings = self._sets.by_owner(owner["uid"]) if owner is not None else [replica_set]
        return [pod for sibling in siblings for pod in self._pods.by_owner(uid(sibling))]

    def _update_status(self, replica_set: Object, pods: list[Object], active: list[Object], error: ApiError | None) -> None:
        status, due = self._status(replica_set, pods, active)
        conditions = self._conditions(replica_set, len(active), error)
        if conditions:
            status["conditions"] = conditions
        if due is not None:
            self.enqueue(key(replica_set), after=due - self.clock.now)
        if status != replica_set.get("status"):
            self.client.update("replicasets.apps", {**replica_set, "status": status}, "status")

    def _status(self, replica_set: Object, pods: list[Object], active: list[Object]) -> tuple[Object, float | None]:
        """The counts, and when the next ready pod becomes available."""
        spec = replica_set["spec"]
        min_ready, now = spec.get("minReadySeconds", 0), self.clock.now
        ready = available = 0
        next_due: float | None = None
        for pod in active:
            moment = podfacts.available_at(pod, min_ready, self.clock)
            if moment is None:
                continue
            ready += 1
            if moment <= now:
                available += 1
            elif next_due is None or moment < next_due:
                next_due = moment
        status: Object = {"replicas": len(active)}
        counts = {
            "fullyLabeledReplicas": _fully_labelled(active, (spec["template"].get("metadata") or {}).get("labels") or {}),
            "readyReplicas": ready,
            "availableReplicas": available,
            "observedGeneration": replica_set["metadata"].get("generation", 0),
        }
        status.update((field, count) for field, count in counts.items() if count)
        status["terminatingReplicas"] = sum(1 for pod in pods if podfacts.terminating(pod))
        return status, next_due

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


def pod_from_template(replica_set: Object) -> Object:
    """What every pod of the set is created from. Spec, labels and owner are the same objects for all of them."""
    template = replica_set["spec"]["template"]
    given = template.get("metadata") or {}
    metadata: Object = {"generateName": f"{name(replica_set)}-", "namespace": namespace(replica_set),
                        "ownerReferences": [owner_reference(replica_set)]}
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            metadata[field] = given[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def namespace_is_going(error: ApiError) -> bool:
    """Refused because the namespace is being deleted: nothing to report and nothing to try again."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in (error.details or {}).get("causes") or ())


def _fully_labelled(pods: list[Object], wanted: dict[str, str]) -> int:
    count = 0
    known: dict[int, bool] = {}
    for pod in pods:
        labelled = labels(pod)
        full = known.get(id(labelled))
        if full is None:
            full = known[id(labelled)] = all(labelled.get(label) == value for label, value in wanted.items())
        count += full
    return count


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
