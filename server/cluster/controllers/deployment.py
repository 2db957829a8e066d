"""Deployments: a declared template and size, brought about by ReplicaSets.

In: Deployments and their ReplicaSets. Out: a ReplicaSet for each template, their sizes, and the Deployment's status. ``reconcile``
makes one step and is woken by what the step causes: a rolling update is grow the new within ``maxSurge``, shrink the old within
``maxUnavailable``, until all is new. The arithmetic is in ``rollout``, the bookkeeping of templates in ``revisions``, what it
reports in ``deployment_status``.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from __future__ import annotations

from server.cluster import selectors
from server.cluster.controllers import deployment_status as reports
from server.cluster.controllers import podfacts, revisions, rollout
from server.cluster.controllers.base import Controller
from server.cluster.controllers.ownership import Orphans, claim
from server.cluster.controllers.pod_control import namespace_is_going
from server.cluster.errors import ApiError
from server.cluster.objects import Object, annotations, condition, controller_of, deleting, key, labels, name, namespace, replaced, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event


class DeploymentController(Controller):
    name = "deployment-controller"
    reconciles = "deployments.apps"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._deployments = self.lister("deployments.apps")
        self._sets = self.lister("replicasets.apps")
        self._pods = self.lister("pods")
        self._orphans = Orphans(self._sets)
        self.watch("deployments.apps", self._on_deployment)
        self.watch("replicasets.apps", self._on_replica_set)

    def rebuild(self) -> None:
        self._orphans.rebuild()

    # what wakes it

    def _on_deployment(self, event: Event) -> None:
        self.enqueue(key(event.object), event)

    def _on_replica_set(self, event: Event) -> None:
        replica_set = event.object
        self._orphans.note(event)
        for version in (event.previous, replica_set):
            reference = controller_of(version) if version is not None else None
            if reference is not None and reference["kind"] == "Deployment":
                self.enqueue((namespace(replica_set), reference["name"]), event)
        if event.type != DELETED and controller_of(replica_set) is None:
            for candidate in self._deployments.list(namespace(replica_set)):
                if selectors.from_object(candidate["spec"]["selector"]).matches(labels(replica_set)):
                    self.enqueue(key(candidate), event)

    # what it does

    def reconcile(self, key: tuple[str, str]) -> None:
        deployment = self._deployments.get(*key)
        if deployment is None:
            return
        selector = selectors.from_object(deployment["spec"]["selector"])
        owned, orphans = self._sets.by_owner(uid(deployment)), self._orphans.list(key[0])
        replica_sets = claim(self.client, "replicasets.apps", deployment, selector, owned, orphans)
        if deleting(deployment):
            new, old = revisions.split(deployment, replica_sets)
            self._report_counts(deployment, _all(old, new), new)
            return
        deployment = self._note_pause(deployment)
        if deployment["spec"].get("paused") or _was_scaled(deployment, replica_sets):
            self._scale(deployment, replica_sets)
        elif rollout.rolling(deployment):
            self._roll(deployment, replica_sets)
        else:
            self._recreate(deployment, replica_sets)

    def _note_pause(self, deployment: Object) -> Object:
        """Says in ``Progressing`` that a rollout was paused or resumed, unless it had already timed out."""
        progressing = condition(deployment, reports.PROGRESSING)
        if reports.deadline(deployment) is None or (progressing is not None and progressing["reason"] == reports.TIMED_OUT):
            return deployment
        said = progressing is not None and progressing["reason"] == reports.PAUSED
        paused = bool(deployment["spec"].get("paused"))
        if paused == said:
            return deployment
        reason, message = (reports.PAUSED, "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
        return self._write_status(reports.with_deployment_condition(
            deployment, reports.new_condition(self.clock, reports.PROGRESSING, "Unknown", reason, message)))

    # the ways to a new size or template

    def _scale(self, deployment: Object, replica_sets: list[Object]) -> None:
        """A change of size only: the one ReplicaSet follows, or in mid-rollout all of them in proportion."""
        deployment, new, old = self._revise(deployment, replica_sets)
        for replica_set, wanted in _scaling(deployment, new, old):
            replica_set = self._resize(deployment, replica_set, wanted)
            new, old = (replica_set, old) if _is(replica_set, new) else (new, _replace(old, replica_set))
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        self._report_counts(deployment, _all(old, new), new)

    def _roll(self, deployment: Object, replica_sets: list[Object]) -> None:
        """One step of a rolling update: grow the new ReplicaSet if there is room, else shrink the old ones if enough is available."""
        begun = deployment
        deployment, new, old = self._ensure_new(deployment, replica_sets)
        wanted = min(rollout.size(deployment), rollout.new_size(deployment, _all(old, new), rollout.size(new)))
        if wanted != rollout.size(new):
            new = self._resize(deployment, new, wanted)
        else:
            shrunk = self._shrink_old(deployment, new, old)
            if shrunk is old and rollout.complete(deployment, deployment.get("status") or {}):
                self._clean_up(deployment, old)
            old = shrunk
        self._end_step(begun, deployment, _all(old, new), new)

    def _shrink_old(self, deployment: Object, new: Object, old: list[Object]) -> list[Object]:
        """Takes away unhealthy old pods first, then healthy ones down to what must stay available."""
        limit = rollout.may_scale_down(deployment, _all(old, new), new)
        if limit <= 0 or not rollout.active(old):
            return old
        for sizes in (lambda sets: rollout.cleaned_up(sets, limit), lambda sets: rollout.scaled_down(deployment, _all(sets, new), sets)):
            wanted = sizes(old)
            if wanted:
                old = [self._resize(deployment, entry, wanted[name(entry)]) if name(entry) in wanted else entry for entry in old]
        return old

    def _recreate(self, deployment: Object, replica_sets: list[Object]) -> None:
        """All old pods go, and only when none is left the new ReplicaSet grows."""
        begun = deployment
        deployment, new, old = self._revise(deployment, replica_sets)
        if rollout.active(old):
            old = [self._resize(deployment, entry, 0) if rollout.size(entry) else entry for entry in old]
        elif not self._old_pods_running(old):
            deployment, new, old = self._ensure_new(deployment, replica_sets)
            new = self._resize(deployment, new, rollout.size(deployment))
            if rollout.complete(deployment, deployment.get("status") or {}):
                self._clean_up(deployment, old)
        self._end_step(begun, deployment, _all(old, new), new)

    def _end_step(self, begun: Object, deployment: Object, replica_sets: list[Object], new: Object | None) -> None:
        """Reports, unless the step has written the Deployment already: a real controller's report is then refused as out of date
        and left to the next step."""
        if deployment is begun:
            self._report(deployment, replica_sets, new)
        else:
            self.enqueue(key(deployment))

    def _old_pods_running(self, old: list[Object]) -> bool:
        return rollout.count(old, "replicas") > 0 or any(
            not podfacts.terminal(pod) for replica_set in old for pod in self._pods.by_owner(uid(replica_set)))

    # ReplicaSets and revisions

    def _revise(self, deployment: Object, replica_sets: list[Object]) -> tuple[Object, Object | None, list[Object]]:
        """The new ReplicaSet, if there is one, brought to the latest revision, and the old ones."""
        new, old = revisions.split(deployment, replica_sets)
        if new is None:
            return deployment, None, old
        noted = revisions.revision_annotations(deployment, new, revisions.next_revision(old))
        min_ready = deployment["spec"].get("minReadySeconds") or None
        if noted != annotations(new) or (new["spec"].get("minReadySeconds") or None) != min_ready:
            new = self.client.update("replicasets.apps", replaced(new, {
                ("metadata", "annotations"): noted, ("spec", "minReadySeconds"): min_ready}))
        changed = _with_revision(deployment, annotations(new).get(revisions.REVISION))
        if reports.deadline(deployment) is not None and condition(deployment, reports.PROGRESSING) is None:
            changed = reports.with_deployment_condition(changed, reports.new_condition(
                self.clock, reports.PROGRESSING, "True", "FoundNewReplicaSet", f'Found new replica set "{name(new)}"'))
        return self._write_status(changed) if changed is not deployment else deployment, new, old

    def _ensure_new(self, deployment: Object, replica_sets: list[Object]) -> tuple[Object, Object, list[Object]]:
        """As ``_revise``, and a template that has no ReplicaSet gets one."""
        deployment, new, old = self._revise(deployment, replica_sets)
        if new is not None:
            return deployment, new, old
        wanted = revisions.new_replica_set(deployment, old)
        try:
            new = self.client.create("replicasets.apps", wanted)
        except ApiError as error:
            self._creation_failed(deployment, wanted, error)
            raise
        if size := rollout.size(new):
            self._tell_scaled(deployment, new, 0, size)
        changed = _with_revision(deployment, annotations(new).get(revisions.REVISION))
        if reports.deadline(deployment) is not None:
            changed = reports.with_deployment_condition(changed, reports.new_condition(
                self.clock, reports.PROGRESSING, "True", "NewReplicaSetCreated", f'Created new replica set "{name(new)}"'))
        return self._write_status(changed) if changed is not deployment else deployment, new, old

    def _creation_failed(self, deployment: Object, wanted: Object, error: ApiError) -> None:
        """A name that is taken is a collision of hashes, to be tried again with another; anything else is reported."""
        if error.reason == "AlreadyExists":
            status = deployment.get("status") or {}
            self._write_status({**deployment, "status": {**status, "collisionCount": status.get("collisionCount", 0) + 1}})
        elif not namespace_is_going(error):
            message = f'Failed to create new replica set "{name(wanted)}": {error.message}'
            if reports.deadline(deployment) is not None:
                self._write_status(reports.with_deployment_condition(deployment, reports.new_condition(
                    self.clock, reports.PROGRESSING, "False", "ReplicaSetCreateError", message)))
            self.record(deployment, "Warning", "ReplicaSetCreateError", message)

    def _resize(self, deployment: Object, replica_set: Object, wanted: int) -> Object:
        """The ReplicaSet with its new size, and with the Deployment's size noted on it."""
        size = rollout.size(replica_set)
        noted = {**annotations(replica_set), **revisions.replica_annotations(deployment)}
        if size == wanted and noted == annotations(replica_set):
            return replica_set
        resized = self.client.update("replicasets.apps", replaced(replica_set, {
            ("metadata", "annotations"): noted, ("spec", "replicas"): wanted}))
        if size != wanted:
            self._tell_scaled(deployment, resized, size, wanted)
        return resized

    def _tell_scaled(self, deployment: Object, replica_set: Object, before: int, after: int) -> None:
        direction = "up" if after > before else "down"
        self.record(deployment, "Normal", "ScalingReplicaSet",
                    f"Scaled {direction} replica set {name(replica_set)} from {before} to {after}")

    def _clean_up(self, deployment: Object, old: list[Object]) -> None:
        for replica_set in revisions.surplus(deployment, old):
            self.client.delete("replicasets.apps", *key(replica_set))

    # status

    def _report_counts(self, deployment: Object, replica_sets: list[Object], new: Object | None) -> None:
        status = reports.counted(self.clock, deployment, replica_sets, new)
        if status != deployment.get("status"):
            self._write_status({**deployment, "status": status})

    def _report(self, deployment: Object, replica_sets: list[Object], new: Object | None) -> None:
        """Counts and progress; a rollout that stands still is looked at again when its deadline has passed."""
        status = reports.estimated(self.clock, deployment, replica_sets, new)
        if status != deployment.get("status"):
            self._write_status({**deployment, "status": status})
            return
        progressing = condition(deployment, reports.PROGRESSING)
        if (reports.deadline(deployment) is None or progressing is None or rollout.complete(deployment, status)
                or progressing["reason"] in (reports.TIMED_OUT, reports.NEW_AVAILABLE)):
            return
        self.enqueue(key(deployment), after=reports.due(self.clock, deployment, progressing) - self.clock.now + 1)

    def _write_status(self, deployment: Object) -> Object:
        return self.client.update("deployments.apps", deployment, "status")


def _was_scaled(deployment: Object, replica_sets: list[Object]) -> bool:
    """A ReplicaSet with pods remembers another size of the Deployment."""
    for replica_set in rollout.active(replica_sets):
        desired = rollout.number(annotations(replica_set).get(rollout.DESIRED_REPLICAS))
        if desired is not None and desired != rollout.size(deployment):
            return True
    return False


def _scaling(deployment: Object, new: Object | None, old: list[Object]) -> list[tuple[Object, int]]:
    """Which ReplicaSets get which size."""
    active = rollout.active(_all(old, new))
    if len(active) <= 1:
        only = active[0] if active else new if new is not None else next(iter(rollout.by_age(old, newest_first=True)), None)
        return [(only, rollout.size(deployment))] if only is not None else []
    if rollout.saturated(deployment, new):
        return [(entry, 0) for entry in rollout.active(old)]
    return rollout.proportional(deployment, active) if rollout.rolling(deployment) else []


def _with_revision(deployment: Object, revision: str | None) -> Object:
    if revision is None or annotations(deployment).get(revisions.REVISION) == revision:
        return deployment
    return replaced(deployment, {("metadata", "annotations"): {**annotations(deployment), revisions.REVISION: revision}})


def _all(old: list[Object], new: Object | None) -> list[Object]:
    return [*old, new] if new is not None else old


def _is(replica_set: Object, other: Object | None) -> bool:
    return other is not None and uid(replica_set) == uid(other)


def _replace(replica_sets: list[Object], changed: Object) -> list[Object]:
    return [changed if _is(entry, changed) else entry for entry in replica_sets]
