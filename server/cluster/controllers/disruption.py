"""PodDisruptionBudgets: how many of the pods that a budget selects may be evicted now.

In: budgets, and the pods they select as they come, become ready and go. Out: a budget's status. ``expectedPods`` is how many there
should be (the size that the pods' owners ask for, where the budget speaks of a share or of ``maxUnavailable``), ``desiredHealthy`` how
many must stay, ``disruptionsAllowed`` the rest. The eviction API counts that down and notes the pod in ``disruptedPods``; a pod noted
there no longer counts as healthy, and if it is still there after two minutes its eviction is taken to have failed.

Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
"""

from __future__ import annotations

from typing import Any

from server.cluster import selectors
from server.cluster.apiserver.eviction import BUDGETS, budgets_of, with_allowed, with_condition
from server.cluster.apiserver.resources import by_kind
from server.cluster.controllers.base import Controller
from server.cluster.controllers.disruption_members import Members, Owner
from server.cluster.controllers.ownership import owner_of
from server.cluster.controllers.rollout import scaled, size
from server.cluster.objects import Key, Object, key, name, namespace, replaced, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

DELETION_TIMEOUT = 120.0
COMPONENT = "controllermanager"


class Unknown(Exception):
    """The number of pods there should be cannot be told."""


class DisruptionController(Controller):
    """``_members`` are the pods of each budget, by namespace and name; ``_told`` the pods of which it has said that several budgets
    select them."""

    name = "disruption-controller"
    reconciles = BUDGETS

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.events = parts.recorder(self.client, COMPONENT)
        self._members: dict[str, dict[str, Members]] = {}
        self._told: dict[str, None] = {}
        self.watch(BUDGETS, self._on_budget)
        self.watch("pods", self._on_pod)

    def rebuild(self) -> None:
        self._members, self._told = {}, {}
        for budget in self.lister(BUDGETS).list():
            self._take(budget)

    # what wakes it

    def _take(self, budget: Object) -> None:
        """Counts the budget's pods anew."""
        where, selector = namespace(budget), selectors.from_object(budget["spec"].get("selector"))
        self._members.setdefault(where, {})[name(budget)] = Members(selector, self.lister("pods").select(where, selector))

    def _on_budget(self, event: Event) -> None:
        where, own_name = event.key
        if event.type is DELETED:
            self._members[where].pop(own_name, None)
            if not self._members[where]:
                del self._members[where]
            return
        before = event.previous
        if before is None or before["spec"].get("selector") != event.object["spec"].get("selector"):
            self._take(event.object)
        self.enqueue(event.key, event)

    def _on_pod(self, event: Event) -> None:
        where, pod_name = event.key
        for own_name, members in self._members.get(where, {}).items():
            if members.note(pod_name, None if event.type is DELETED else event.object):
                self.enqueue((where, own_name), event)

    # one budget

    def reconcile(self, key: Key) -> None:
        budget = self.lister(BUDGETS).get(*key)
        if budget is None:
            return
        members = self._members[key[0]][key[1]]
        if not len(members):
            self.record(budget, "Normal", "NoPods", "No matching pods found")
        self._tell_of_others(key, members)
        try:
            expected, desired = self._expected(budget, members)
        except Unknown as fault:
            self.record(budget, "Warning", "CalculateExpectedPodCountFailed",
                        f"Failed to calculate the number of expected pods: {fault}")
            self._write(budget, {**budget["status"], "disruptionsAllowed": 0,
                                 "conditions": with_condition(self.api, budget, "False", "SyncFailed", str(fault))})
            return
        disrupted = self._disrupted(budget, members)
        healthy = members.healthy_without(disrupted)
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        self._write(budget, {
            "observedGeneration": budget["metadata"]["generation"], **({"disruptedPods": disrupted} if disrupted else {}),
            "disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected,
            "conditions": with_allowed(self.api, budget, allowed)})
        if disrupted:
            first = min(map(self.clock.seconds, disrupted.values()))
            self.enqueue(key, after=first + DELETION_TIMEOUT + self.reaction - self.clock.now)

    def _write(self, budget: Object, status: Object) -> None:
        if status != budget["status"]:
            self.client.update(BUDGETS, replaced(budget, {"status": status}), "status")

    def _expected(self, budget: Object, members: Members) -> tuple[int, int]:
        """(how many pods there should be, how many of them must be healthy)."""
        most, least = budget["spec"].get("maxUnavailable"), budget["spec"].get("minAvailable")
        if most is not None:
            expected = self._asked_for(members, budget)
            return expected, max(expected - scaled(most, expected, up=True), 0)
        if isinstance(least, str):
            expected = self._asked_for(members, budget)
            return expected, scaled(least, expected, up=True)
        return (0, 0) if least is None else (len(members), least)

    def _asked_for(self, members: Members, budget: Object) -> int:
        """The size that the owners of the pods ask for; pods without an owner do not count."""
        sizes: dict[str, int] = {}
        for owner, pod_name in members.owners():
            found = self._scale(namespace(budget), owner)
            if found is None:
                raise Unknown(f'found no controllers for pod "{pod_name}"')
            sizes[found[0]] = found[1]
        return sum(sizes.values())

    def _scale(self, where: str, owner: Owner) -> tuple[str, int] | None:
        """The uid and size of what asks for the pods: a ReplicaSet's Deployment, or the owner itself."""
        row = by_kind(owner.api_version, owner.kind)
        if row is None:
            raise Unknown(f'no matches for kind "{owner.kind}" in version "{owner.api_version}"')
        if row.subresource("scale") is None:
            raise Unknown(f"{row.key} does not implement the scale subresource")
        found = self.lister(row.key).get(where, owner.name)
        if found is None or uid(found) != owner.uid:
            return None
        found = owner_of(self.lister("deployments.apps"), "Deployment", found) or found
        return uid(found), size(found)

    def _disrupted(self, budget: Object, members: Members) -> dict[str, Any]:
        """Pods whose eviction has been allowed and who are still there, for two minutes."""
        kept = {}
        for pod_name, at in sorted((budget["status"].get("disruptedPods") or {}).items()):
            if not members.staying(pod_name):
                continue
            if self.clock.seconds(at) + DELETION_TIMEOUT >= self.clock.now:
                kept[pod_name] = at
                continue
            pod = self.lister("pods").get(namespace(budget), pod_name)
            self.record(pod, "Warning", "NotDeleted", f"Pod was expected by PDB {'/'.join(key(budget))} to be deleted but it wasn't")
        return kept

    def _tell_of_others(self, budget: Key, members: Members) -> None:
        """Says once of each pod that several budgets select it: none of them can be evicted."""
        if len(self._members[budget[0]]) < 2:
            return
        for pod_name in members.names():
            pod = self.lister("pods").get(budget[0], pod_name)
            if pod is None or uid(pod) in self._told:
                continue
            several = budgets_of(self.api, pod)
            if len(several) > 1:
                self._told[uid(pod)] = None
                self.record(pod, "Warning", "MultiplePodDisruptionBudgets", f'Pod "{budget[0]}"/"{pod_name}" matches multiple '
                            f'PodDisruptionBudgets.  Chose "{name(several[0])}" arbitrarily.')
