"""DaemonSets: a pod on every node that fits, and on no other.

In: DaemonSets, their pods, and nodes. Out: a pod for each node that should have one, made for that node and bound by the scheduler; pods
deleted from nodes that should have none, with failed ones after a growing back-off; a ControllerRevision for each template; the set's
status. When every node has its pod, an update of the template goes from node to node (``daemonset_update``). ``daemonset_census``
knows how the nodes stand, so that what happens on one node costs one node's worth.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.controllers import history, podfacts
from server.cluster.controllers.base import Controller
from server.cluster.controllers.daemonset_census import Backoff, Census, Work
from server.cluster.controllers.daemonset_placement import for_node, pod_of
from server.cluster.controllers.daemonset_update import next_turn
from server.cluster.controllers.ownership import Orphans, adopters, claim, owner_of
from server.cluster.controllers.pod_control import PodControl
from server.cluster.errors import ApiError
from server.cluster.names import template_hash
from server.cluster.objects import Key, Object, annotations, controller_of, deleting, key, labels, name, namespace, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, MODIFIED, Event

BURST = 250
STATUS_BATCH = 0.0001
KIND = "DaemonSet"


class DaemonSetController(Controller):
    """``_censuses`` are by the DaemonSet's uid, each of one version of its spec; ``_backoff`` outlasts them."""

    name = "daemonset-controller"
    reconciles = "daemonsets.apps"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._sets, self._pods, self._nodes = (self.lister(resource) for resource in ("daemonsets.apps", "pods", "nodes"))
        self._revisions = self.lister(history.RESOURCE)
        self._orphan_pods, self._orphan_revisions = Orphans(self._pods), Orphans(self._revisions)
        self._pod_control = PodControl(self.client, self.record)
        self._backoff = Backoff()
        self._censuses: dict[str, Census] = {}
        self.watch("daemonsets.apps", self._on_set)
        self.watch_pods_of(KIND, self._on_pod)
        self.watch("nodes", self._on_node)
        self.watch(history.RESOURCE, self._on_revision)

    def rebuild(self) -> None:
        self._orphan_pods.rebuild()
        self._orphan_revisions.rebuild()
        self._censuses, self._backoff = {}, Backoff()

    # what wakes it

    def _on_set(self, event: Event) -> None:
        if event.type == DELETED:
            self._censuses.pop(uid(event.object), None)
            self._backoff.forget(uid(event.object))
        if event.cause.client != self.name:
            self.enqueue(key(event.object), event)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        concerned = {reference["uid"]: reference["name"] for reference in (controller_of(entry) for entry in (before, pod) if entry)
                     if reference is not None and reference["kind"] == KIND}
        for owner, its_name in concerned.items():
            if event.type == MODIFIED and _stands_alike(before, pod):
                return
            census = self._censuses.get(owner)
            if census is not None:
                census.note(key(pod), pod if event.type != DELETED else None)
            daemon_set = self._sets.get(namespace(pod), its_name)
            if event.cause.client != self.name and daemon_set is not None and uid(daemon_set) == owner:
                self.enqueue(key(daemon_set), event, after=self._patience(daemon_set, event))
        self._orphan_pods.note(event)
        if event.type != DELETED and controller_of(pod) is None and (
                before is None or controller_of(before) is not None or labels(before) != labels(pod)):
            for candidate in adopters(self._sets, pod):
                self.enqueue(key(candidate), event)

    def _patience(self, daemon_set: Object, event: Event) -> float:
        """Pods of many nodes that become ready are looked at together; one that is lost, at once."""
        if event.type == DELETED or not podfacts.active(event.object):
            return 0.0
        return (daemon_set.get("status") or {}).get("desiredNumberScheduled", 0) * STATUS_BATCH

    def _on_node(self, event: Event) -> None:
        """Only labels and taints decide where pods belong: a heartbeat or a condition wakes nobody."""
        node, before = event.object, event.previous
        if event.type == MODIFIED and labels(before) == labels(node) and before["spec"].get("taints") == node["spec"].get("taints"):
            return
        for daemon_set in self._sets.list():
            census = self._censuses.get(uid(daemon_set))
            if census is not None and census.note_node(name(node)):
                self.enqueue(key(daemon_set), event)

    def _on_revision(self, event: Event) -> None:
        """A revision that somebody else changes is looked at again: the present one is made again when it is gone."""
        self._orphan_revisions.note(event)
        daemon_set = owner_of(self._sets, KIND, event.object)
        if daemon_set is not None and event.cause.client != self.name:
            self._censuses.pop(uid(daemon_set), None)
            self.enqueue(key(daemon_set), event)

    # what it does

    def reconcile(self, key: Key) -> None:
        daemon_set = self._sets.get(*key)
        if daemon_set is None or deleting(daemon_set):
            return
        census, collisions = self._census(daemon_set)
        self._claim(daemon_set, census)
        census.refresh()
        asked = dict(census.work)
        error = self._do_work(daemon_set, census)
        census.refresh()
        if error is None and (census.spec.get("updateStrategy") or {}).get("type") == "RollingUpdate":
            turn = next_turn(census)
            error = self._sync(daemon_set, census, turn.create[:BURST], turn.delete[:BURST])
            census.refresh()
            if len(turn.create) > BURST or len(turn.delete) > BURST:
                self.enqueue(key)
        self._clean_up(daemon_set, census)
        self._update_status(daemon_set, census, collisions)
        if error is None and census.work and census.work != asked:
            self.enqueue(key)
        if (due := census.next_due()) is not None:
            self.enqueue(key, after=due - self.clock.now)
        if error is not None:
            raise error

    def _census(self, daemon_set: Object) -> tuple[Census, int]:
        """How its nodes stand, and the collisions of its revisions' names; begun anew when its spec is another."""
        collisions = (daemon_set.get("status") or {}).get("collisionCount", 0)
        census = self._censuses.get(uid(daemon_set))
        if census is None or census.spec is not daemon_set["spec"]:
            revision, collisions = self._present_revision(daemon_set, collisions)
            digest = labels(revision)[history.POD_LABEL]
            census = self._censuses[uid(daemon_set)] = Census(daemon_set, digest, self._pods, self._nodes, self.clock, self._backoff)
        return census, collisions

    def _present_revision(self, daemon_set: Object, collisions: int) -> tuple[Object, int]:
        def wanted(collisions: int) -> Object:
            digest = template_hash(daemon_set["spec"]["template"], collisions)
            return history.draft(daemon_set, digest, history.POD_LABEL, annotations(daemon_set))

        found = history.revisions(self.client, self._revisions, self._orphan_revisions, daemon_set, selectors.of_workload(daemon_set), True)
        found = [self._labelled(revision) for revision in found]
        return history.present(self.client, self._revisions, daemon_set, found, wanted, collisions)

    def _labelled(self, revision: Object) -> Object:
        """A revision that somebody made by hand gets the label that pods will be told by."""
        if history.POD_LABEL in labels(revision):
            return revision
        noted = {**labels(revision), history.POD_LABEL: name(revision)}
        return self.client.update(history.RESOURCE, {**revision, "metadata": {**revision["metadata"], "labels": noted}})

    def _claim(self, daemon_set: Object, census: Census) -> None:
        """Takes the orphans it selects and lets go of pods it no longer does."""
        strangers = [pod for pod in (self._pods.get(*where) for where in sorted(census.strangers)) if pod is not None]
        orphans = self._orphan_pods.list(namespace(daemon_set))
        if strangers or orphans:
            claim(self.client, "pods", daemon_set, selectors.of_workload(daemon_set), strangers, orphans)

    def _do_work(self, daemon_set: Object, census: Census) -> ApiError | None:
        """Nodes without their pod get one, and pods that should not be go; at most a burst of each at a time."""
        doomed: list[Object] = []
        lacking: list[str] = []
        for node in sorted(census.work):
            work = census.work[node]
            if work.create:
                lacking.append(node)
            elif len(doomed) < BURST:
                self._tell(daemon_set, census, node, work)
                doomed += [*work.failed, *work.ended, *work.surplus]
        return self._sync(daemon_set, census, lacking[:BURST], doomed)

    def _tell(self, daemon_set: Object, census: Census, node: str, work: Work) -> None:
        if work.failed:
            self._backoff.raise_(census.backoff_key(node), self.clock.now)
        for pod in work.failed:
            self.record(daemon_set, "Warning", "FailedDaemonPod",
                        f"Found failed daemon pod {'/'.join(key(pod))} on node {node}, will try to kill it")
        for pod in work.ended:
            self.record(daemon_set, "Normal", "SucceededDaemonPod",
                        f"Found succeeded daemon pod {'/'.join(key(pod))} on node {node}, will try to delete it")

    def _sync(self, daemon_set: Object, census: Census, lacking: list[str], doomed: list[Object]) -> ApiError | None:
        """Creates pods on nodes that lack one, then deletes; the first refusal is handed back."""
        pod = pod_of(daemon_set, census.digest, census.placement.tolerations) if lacking else None
        refused = self._pod_control.create_all(daemon_set, [for_node(pod, node) for node in lacking])
        kept = self._pod_control.delete_all(daemon_set, doomed)
        return refused or kept

    def _clean_up(self, daemon_set: Object, census: Census) -> None:
        """Revisions beyond ``revisionHistoryLimit`` that no pod is of any more, oldest first."""
        limit, owned = daemon_set["spec"].get("revisionHistoryLimit", 10), self._revisions.by_owner(uid(daemon_set))
        if len(owned) - 1 <= limit:
            return
        old = [revision for revision in history.ordered(owned) if labels(revision).get(history.POD_LABEL) != census.digest]
        live_labels = {labels(pod).get(history.POD_LABEL): None for pod in self._pods.by_owner(uid(daemon_set))}
        live = {name(revision): None for revision in old if labels(revision).get(history.POD_LABEL) in live_labels}
        history.truncate(self.client, old, live, max(0, limit - len(live)))

    def _update_status(self, daemon_set: Object, census: Census, collisions: int) -> None:
        desired, available = census.count(run=True), census.count(run=True, available=True)
        told = {"updatedNumberScheduled": census.count(run=True, updated=True), "numberAvailable": available,
                "numberUnavailable": desired - available, "observedGeneration": daemon_set["metadata"].get("generation", 0),
                "collisionCount": collisions}
        status: Object = {
            "currentNumberScheduled": census.count(run=True, scheduled=True), "numberMisscheduled": census.count(run=False, scheduled=True),
            "desiredNumberScheduled": desired, "numberReady": census.count(run=True, ready=True),
            **{field: number for field, number in told.items() if number}}
        if conditions := (daemon_set.get("status") or {}).get("conditions"):
            status["conditions"] = conditions
        if status != daemon_set.get("status"):
            self.client.update("daemonsets.apps", {**daemon_set, "status": status}, "status")


def _stands_alike(before: Object, after: Object) -> bool:
    """Whether the change is one that neither a count nor the place of the pod shows."""
    was, now = before["metadata"], after["metadata"]
    return (was.get("labels") == now.get("labels") and was.get("ownerReferences") == now.get("ownerReferences")
            and deleting(before) == deleting(after) and podfacts.node(before) == podfacts.node(after)
            and podfacts.phase(before) == podfacts.phase(after) and podfacts.ready_condition(before) == podfacts.ready_condition(after))
