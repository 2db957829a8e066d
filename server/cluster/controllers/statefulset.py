"""StatefulSets: pods with a place, a name and storage of their own, started and stopped in order.

In: StatefulSets, their pods and claims. Out: one pod for each ordinal, made after its claims; pods deleted; a ControllerRevision for each
template; the set's status. ``reconcile`` makes one step and is woken by what the step causes. OrderedReady: the lowest ordinal that is
not available is waited for before anything else happens, and surplus pods go one by one from the highest. Parallel: all at once, in
growing batches. Only when the numbers are right is a pod of an old template deleted, so that it comes back with the new one.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from server.cluster import selectors
from server.cluster.controllers import history
from server.cluster.controllers import statefulset_identity as identity
from server.cluster.controllers.base import Controller
from server.cluster.controllers.ownership import Orphans, adopters, claim, owner_of
from server.cluster.controllers.pod_control import slow_start
from server.cluster.controllers.statefulset_claims import Claims
from server.cluster.controllers.statefulset_members import Member, Members, stands_alike
from server.cluster.controllers.statefulset_status import counted
from server.cluster.controllers.statefulset_step import Step
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, controller_of, deleting, key, name, namespace, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

KIND = "StatefulSet"
BURST = 500
STATUS_BATCH = 0.001
LONGEST_BATCH = 1.0


class StatefulSetController(Controller):
    """``_upheld`` is the version of each pod that was found to be as it should, and the spec by which; ``_firm`` the ordinal below which
    all pods of an ordered set are settled, and the spec by which: both only spare it looking again."""

    name = "statefulset-controller"
    reconciles = "statefulsets.apps"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._sets = self.lister("statefulsets.apps")
        self._pods = self.lister("pods")
        self._revisions = self.lister(history.RESOURCE)
        self._orphan_pods, self._orphan_revisions = Orphans(self._pods), Orphans(self._revisions)
        self._members = Members(self._pods)
        self._claims = Claims(self.client, self.lister("persistentvolumeclaims"), self.record)
        self._upheld: dict[str, tuple[Object, Object]] = {}
        self._firm: dict[str, tuple[Object, int]] = {}
        self.watch("statefulsets.apps", self._on_set)
        self.watch_pods_of(KIND, self._on_pod)
        self.watch("persistentvolumeclaims", self._on_claim)
        self.watch(history.RESOURCE, self._on_revision)

    def rebuild(self) -> None:
        self._orphan_pods.rebuild()
        self._orphan_revisions.rebuild()
        self._members.clear()
        self._upheld, self._firm = {}, {}

    # what wakes it

    def _on_set(self, event: Event) -> None:
        if event.type == DELETED:
            self._members.forget(uid(event.object))
            self._firm.pop(uid(event.object), None)
        if event.cause.client != self.name:
            self.enqueue(key(event.object), event)

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        owners_changed = before is None or event.type == DELETED or _owners(before) != _owners(pod)
        if owners_changed:
            self._orphan_pods.note(event)
        elif stands_alike(before, pod):
            return
        self._members.note(event)
        if event.type == DELETED:
            self._upheld.pop(uid(pod), None)
        if before is not None and owners_changed:
            self._enqueue_owner(before, event)
        if controller_of(pod) is not None:
            self._enqueue_owner(pod, event)
        else:
            self._enqueue_adopters(pod, event)

    def _enqueue_owner(self, dependent: Object, event: Event) -> None:
        """The set that owns the pod or revision. The pods of a Parallel set become ready together, and are looked at together."""
        owner = owner_of(self._sets, KIND, dependent)
        if owner is None:
            return
        self._loosen(owner, dependent)
        gathered = owner["spec"].get("podManagementPolicy") == "Parallel" and event.type != DELETED
        self.enqueue(key(owner), event, after=min(LONGEST_BATCH, identity.size(owner) * STATUS_BATCH) if gathered else 0.0)

    def _loosen(self, owner: Object, changed: Object) -> None:
        """From this pod on the set has to be looked at again."""
        known, ordinal = self._firm.get(uid(owner)), identity.ordinal_in(owner, name(changed))
        if known is not None and ordinal is not None and ordinal < known[1]:
            self._firm[uid(owner)] = known[0], ordinal

    def _enqueue_adopters(self, orphan: Object, event: Event) -> None:
        for candidate in adopters(self._sets, orphan):
            self.enqueue(key(candidate), event)

    def _on_claim(self, event: Event) -> None:
        """A claim that is gone may have been waited for, or may be missed by a pod that has not started."""
        claim_name, where = name(event.object), namespace(event.object)
        ordinal = claim_name.rpartition("-")[2]
        if event.type != DELETED or not ordinal.isdigit():
            return
        for candidate in self._sets.list(where):
            if any(identity.claim_name(template, candidate, int(ordinal)) == claim_name for template in identity.claim_templates(candidate)):
                self.enqueue(key(candidate), event)

    def _on_revision(self, event: Event) -> None:
        self._orphan_revisions.note(event)
        if event.cause.client == self.name:
            return
        if event.type == DELETED or controller_of(event.object) is None:
            self._enqueue_adopters(event.object, event)
        else:
            self._enqueue_owner(event.object, event)

    # what it does

    def reconcile(self, key: Key) -> None:
        stateful_set = self._sets.get(*key)
        if stateful_set is None:
            return
        if deleting(stateful_set):
            self._report_leaving(stateful_set)
            return
        selector = selectors.from_object(stateful_set["spec"]["selector"])
        found = history.revisions(self.client, self._revisions, self._orphan_revisions, stateful_set, selector, release=False)
        self._claim_pods(stateful_set, selector)
        step = self._begin(stateful_set, found)
        failure: ApiError | None = None
        try:
            if self._fill(step) and self._shrink(step):
                self._renew(step)
        except ApiError as error:
            failure = error
        status = self._report(step)
        self._forget_revisions(step, found, status)
        self._wake_when_available(step)
        if failure is not None:
            raise failure

    def _claim_pods(self, stateful_set: Object, selector: selectors.Selector) -> None:
        """Adopts pods that are called as the set's are and match, and lets go of those that match no more."""
        orphans = [pod for pod in self._orphan_pods.list(namespace(stateful_set))
                   if identity.ordinal_in(stateful_set, name(pod)) is not None]
        if orphans or self._members.strangers(stateful_set):
            claim(self.client, "pods", stateful_set, selector, self._pods.by_owner(uid(stateful_set)), orphans)

    def _begin(self, stateful_set: Object, found: list[Object]) -> Step:
        status = stateful_set.get("status") or {}
        update, collisions = history.present(
            self.client, self._revisions, stateful_set, found, lambda collisions: _draft(stateful_set, collisions),
            status.get("collisionCount", 0))
        current = next((entry for entry in found if name(entry) == status.get("currentRevision")), update)
        members, ordinals = dict(self._members.of(stateful_set)), identity.ordinals(stateful_set)
        surplus = [members[ordinal] for ordinal in sorted((ordinal for ordinal in members if ordinal not in ordinals), reverse=True)]
        return Step(stateful_set, current, update, collisions, members, ordinals, surplus)

    # the numbers

    def _fill(self, step: Step) -> bool:
        """Every ordinal has its pod, or an ordered set has to wait for one (False)."""
        if step.ordered:
            return self._fill_in_order(step)
        missing = list(islice((ordinal for ordinal in step.ordinals if ordinal not in step.members), BURST + 1))
        if len(missing) > BURST:
            self.enqueue(key(step.stateful_set))
        there = [ordinal for ordinal in step.members if ordinal in step.ordinals]
        self._act_on_all(sorted([*there, *missing[:BURST]]), lambda ordinal: self._settle(step, ordinal))
        return True

    def _fill_in_order(self, step: Step) -> bool:
        """Begins where the last time ended: below that all are settled, and a change of one of them would have been seen."""
        spec, owner = step.stateful_set["spec"], uid(step.stateful_set)
        known = self._firm.get(owner)
        firm = max(known[1], step.ordinals.start) if known is not None and known[0] is spec else step.ordinals.start
        waiting = next((ordinal for ordinal in range(firm, step.ordinals.stop) if not self._settle(step, ordinal)), None)
        self._firm[owner] = spec, step.ordinals.stop if waiting is None else waiting
        return waiting is None

    def _settle(self, step: Step, ordinal: int) -> bool:
        """Does for one ordinal what can be done now. Whether the next may follow: it is available, and as it should be."""
        stateful_set, replica = step.stateful_set, step.members.get(ordinal)
        if replica is None:
            if not self._claims.stale(stateful_set, ordinal):
                self._create(step, ordinal)
            return False
        if replica.ended:
            if not replica.terminating:
                self._delete(stateful_set, replica)
            return False
        if replica.pending:
            self._claims.create_missing(stateful_set, ordinal)
            self._claims.correct_owners(stateful_set, replica.pod, ordinal)
        if step.ordered and not self._dependable(step, replica):
            return False
        self._uphold(stateful_set, replica)
        return True

    def _shrink(self, step: Step) -> bool:
        """No pod is too many, or an ordered set has to wait for one (False)."""
        stateful_set = step.stateful_set
        for surplus in step.surplus:
            if not self._claims.owned_as_asked(stateful_set, surplus.pod, surplus.ordinal):
                self._claims.correct_owners(stateful_set, surplus.pod, surplus.ordinal)
        if not step.ordered:
            going = [surplus for surplus in step.surplus if not surplus.terminating]
            self._act_on_all(going, lambda surplus: self._delete(stateful_set, surplus))
            return True
        if not step.surplus:
            return True
        highest = step.surplus[0]
        broken = next((entry for entry in reversed(step.surplus) if not self._dependable(step, entry)), None)
        if not highest.terminating and (highest is broken or highest.available(step.min_ready, self.clock)):
            self._delete(stateful_set, highest)
        return False

    def _dependable(self, step: Step, member: Member) -> bool:
        return not member.terminating and member.available(step.min_ready, self.clock)

    def _act_on_all(self, items: list, act: Callable) -> None:
        failure = slow_start(items, act)
        if failure is not None:
            raise failure

    # the template

    def _renew(self, step: Step) -> None:
        """Deletes pods of another template than the latest, from the highest ordinal down to the partition: one at a time, each when the
        one before it is available again; or as many as ``maxUnavailable`` leaves room for."""
        if step.strategy.get("type") == "OnDelete":
            return
        open_to_it = step.ordinals[step.rolling.get("partition", 0):]
        if step.rolling.get("maxUnavailable") is not None:
            self._renew_many(step, open_to_it)
            return
        for ordinal in reversed(open_to_it):
            replica = step.members.get(ordinal)
            if replica is not None and replica.revision != name(step.update) and not replica.terminating:
                self._renew_one(step, replica)
                return
            if replica is None or not self._dependable(step, replica):
                return

    def _renew_many(self, step: Step, open_to_it: range) -> None:
        """An old pod that is unavailable anyway takes no room."""
        dependable = {ordinal for ordinal, member in step.members.items() if ordinal in step.ordinals and self._dependable(step, member)}
        room = step.max_unavailable() - (len(step.ordinals) - len(dependable))
        for ordinal in sorted(step.members, reverse=True):
            replica = step.members[ordinal]
            if ordinal not in open_to_it or replica.revision == name(step.update) or replica.terminating:
                continue
            if ordinal in dependable:
                room -= 1
                if room < 0:
                    continue
            self._renew_one(step, replica)

    def _renew_one(self, step: Step, replica: Member) -> None:
        self._delete(step.stateful_set, replica)
        step.renewed += replica.revision == name(step.current)

    # one pod

    def _create(self, step: Step, ordinal: int) -> None:
        stateful_set, called = step.stateful_set, identity.pod_name(step.stateful_set, ordinal)
        revision = step.current if step.stays_back(ordinal) else step.update
        template = stateful_set["spec"]["template"] if revision is step.update else history.template(revision)
        try:
            self._claims.create_missing(stateful_set, ordinal)
            pod = self.client.create("pods", identity.pod(stateful_set, template, ordinal, name(revision)))
            self._claims.correct_owners(stateful_set, pod, ordinal)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                self.record(stateful_set, "Warning", "FailedCreate",
                            f"Create Pod {called} in StatefulSet {name(stateful_set)} failed error: {error.message}")
            raise
        self.record(stateful_set, "Normal", "SuccessfulCreate", f"Create Pod {called} in StatefulSet {name(stateful_set)} successful")

    def _delete(self, stateful_set: Object, member: Member) -> None:
        about = f"Delete Pod {name(member.pod)} in StatefulSet {name(stateful_set)}"
        try:
            self.client.delete("pods", *key(member.pod))
        except ApiError as error:
            self.record(stateful_set, "Warning", "FailedDelete", f"{about} failed error: {error.message}")
            raise
        self.record(stateful_set, "Normal", "SuccessfulDelete", f"{about} successful")

    def _uphold(self, stateful_set: Object, member: Member) -> None:
        """The pod has the identity of its ordinal and its claims have the owners they should have. Looked at once for each version."""
        known = self._upheld.get(uid(member.pod))
        if known is not None and known[0] is member.pod and known[1] is stateful_set["spec"]:
            return
        owned = self._claims.owned_as_asked(stateful_set, member.pod, member.ordinal)
        itself = identity.is_itself(stateful_set, member.pod)
        if not (owned and itself):
            self._mend(stateful_set, member, itself)
        self._upheld[uid(member.pod)] = member.pod, stateful_set["spec"]

    def _mend(self, stateful_set: Object, member: Member, itself: bool) -> None:
        about = f"Update Pod {name(member.pod)} in StatefulSet {name(stateful_set)}"
        try:
            if not itself:
                self._claims.create_missing(stateful_set, member.ordinal)
            self._claims.correct_owners(stateful_set, member.pod, member.ordinal)
            if not itself:
                self.client.update("pods", identity.as_itself(stateful_set, self._pods.get(*key(member.pod))))
        except ApiError as error:
            self.record(stateful_set, "Warning", "FailedUpdate", f"{about} failed error: {error.message}")
            raise
        self.record(stateful_set, "Normal", "SuccessfulUpdate", f"{about} successful")

    # what is told and kept

    def _report(self, step: Step) -> Object:
        status = counted(step.stateful_set, step.members.values(), name(step.current), name(step.update), step.collisions, step.renewed,
                         self.clock)
        self._write_status(step.stateful_set, status)
        return status

    def _report_leaving(self, stateful_set: Object) -> None:
        """A set that is being deleted does nothing any more but say how many pods it still has."""
        was = stateful_set.get("status") or {}
        self._write_status(stateful_set, counted(
            stateful_set, self._members.of(stateful_set).values(), was.get("currentRevision", ""), was.get("updateRevision", ""),
            was.get("collisionCount", 0), 0, self.clock))

    def _write_status(self, stateful_set: Object, status: Object) -> None:
        if status != stateful_set.get("status"):
            self.client.update("statefulsets.apps", {**stateful_set, "status": status}, "status")

    def _forget_revisions(self, step: Step, found: list[Object], status: Object) -> None:
        limit = step.stateful_set["spec"].get("revisionHistoryLimit")
        if limit is not None and len(found) <= limit:
            return
        live = {status["currentRevision"], status["updateRevision"], *(member.revision for member in step.members.values())}
        history.truncate(self.client, found, live, 10 if limit is None else limit)

    def _wake_when_available(self, step: Step) -> None:
        """The next moment at which a ready pod has been ready for long enough."""
        if not step.min_ready:
            return
        now = self.clock.now
        moments = [moment for member in step.members.values() if (moment := member.available_at(step.min_ready, self.clock)) is not None]
        if due := min((moment for moment in moments if moment > now), default=None):
            self.enqueue(key(step.stateful_set), after=due - now)


def _owners(obj: Object) -> list[Object] | None:
    return obj["metadata"].get("ownerReferences")


def _draft(stateful_set: Object, collisions: int) -> Object:
    digest = history.data_hash(history.template_patch(stateful_set), collisions)
    return history.draft(stateful_set, digest, history.HASH_LABEL, stateful_set["metadata"].get("annotations") or {})
