"""How the pods of each StatefulSet stand, by ordinal, noted as they change.

In: every change of a pod. Out: ``Members.of`` a set: one ``Member`` for each ordinal that has a pod. A set's pods are looked at once,
when it is first asked for; from then on a change costs what that one pod costs, however many there are.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster import selectors
from server.cluster.apiserver.cache import Lister
from server.cluster.clock import Clock
from server.cluster.controllers import podfacts
from server.cluster.controllers.history import POD_LABEL
from server.cluster.controllers.statefulset_identity import ordinal_in
from server.cluster.objects import Object, controller_of, deleting, labels, name, uid
from server.cluster.store import DELETED, Event


class Member(NamedTuple):
    """One pod of a set. ``pending`` has not run yet, ``ended`` will not run again, ``ready`` is running and ready."""

    ordinal: int
    pod: Object
    revision: str
    pending: bool
    ended: bool
    ready: bool
    terminating: bool

    def available_at(self, min_ready: float, clock: Clock) -> float | None:
        """The moment from which it counts as available; None while it is not ready."""
        return podfacts.available_at(self.pod, min_ready, clock) if self.ready else None

    def available(self, min_ready: float, clock: Clock) -> bool:
        if not min_ready:
            return self.ready
        moment = self.available_at(min_ready, clock)
        return moment is not None and moment <= clock.now


def member(ordinal: int, pod: Object) -> Member:
    phase = podfacts.phase(pod)
    return Member(ordinal, pod, labels(pod).get(POD_LABEL, ""), phase == "Pending", phase in podfacts.TERMINAL,
                  phase == "Running" and podfacts.ready(pod), deleting(pod))


def stands_alike(before: Object, after: Object) -> bool:
    """Whether a change of a pod is none to its set."""
    return member(0, before)._replace(pod={}) == member(0, after)._replace(pod={}) and labels(before) == labels(after)


class _Set:
    """One set's members. Its selector never changes."""

    def __init__(self, stateful_set: Object) -> None:
        self._set = stateful_set
        self._uid = uid(stateful_set)
        self._selector = selectors.from_object(stateful_set["spec"]["selector"])
        self.members: dict[int, Member] = {}
        self.strangers: dict[str, None] = {}

    def note(self, pod: Object) -> None:
        self.forget(pod)
        ordinal, reference = ordinal_in(self._set, name(pod)), controller_of(pod)
        if ordinal is None or reference is None or reference["uid"] != self._uid:
            return
        if self._selector.matches(labels(pod)):
            self.members[ordinal] = member(ordinal, pod)
        else:
            self.strangers[name(pod)] = None

    def forget(self, pod: Object) -> None:
        self.strangers.pop(name(pod), None)
        ordinal = ordinal_in(self._set, name(pod))
        if ordinal is not None:
            self.members.pop(ordinal, None)


class Members:
    """``note`` takes every watch event of pods that changes how one stands; ``clear`` begins anew."""

    def __init__(self, pods: Lister) -> None:
        self._pods = pods
        self._sets: dict[str, _Set] = {}

    def clear(self) -> None:
        self._sets = {}

    def of(self, stateful_set: Object) -> dict[int, Member]:
        return self._known(stateful_set).members

    def strangers(self, stateful_set: Object) -> bool:
        """The set controls a pod that it does not select any more."""
        return bool(self._known(stateful_set).strangers)

    def _known(self, stateful_set: Object) -> _Set:
        known = self._sets.get(uid(stateful_set))
        if known is None:
            known = self._sets[uid(stateful_set)] = _Set(stateful_set)
            for pod in self._pods.by_owner(uid(stateful_set)):
                known.note(pod)
        return known

    def note(self, event: Event) -> None:
        for version in (event.previous, event.object):
            reference = controller_of(version) if version is not None else None
            known = self._sets.get(reference["uid"]) if reference is not None else None
            if known is None:
                continue
            if event.type == DELETED:
                known.forget(event.object)
            else:
                known.note(event.object)

    def forget(self, owner: str) -> None:
        """The set is gone."""
        self._sets.pop(owner, None)
