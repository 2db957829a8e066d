"""How many pods each ReplicaSet has, and how they stand, counted as they change.

In: every change of a pod that could show in its set's status. Out: ``Counts`` of a set. A set's pods are looked at once, when it is
first asked for (or its template is another); from then on a change costs what that one pod costs, however many there are.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster import selectors
from server.cluster.apiserver.cache import Lister
from server.cluster.controllers import podfacts
from server.cluster.objects import Key, Object, controller_uid, key, labels, uid
from server.cluster.store import DELETED, Event

LABELS_KEPT = 64


class Standing(NamedTuple):
    """How one pod counts. ``ready`` and ``labelled`` (has all labels of the template) are those of an active pod."""

    matches: bool
    active: bool
    ready: bool
    labelled: bool
    terminating: bool


class Counts(NamedTuple):
    """Of the pods that a set controls and selects; ``strangers`` are those that it controls and does not select."""

    active: int
    ready: int
    labelled: int
    terminating: int
    strangers: int


class _Tally:
    """One set's pods by name, and the number of pods of each standing."""

    def __init__(self, replica_set: Object) -> None:
        spec = replica_set["spec"]
        self.template = spec["template"]
        self.selector = spec["selector"]
        self._selector = selectors.of_workload(replica_set)
        self._wanted = (self.template.get("metadata") or {}).get("labels") or {}
        self._standings: dict[Key, Standing] = {}
        self._numbers: dict[Standing, int] = {}
        self._judged: dict[int, tuple[dict[str, str], bool, bool]] = {}

    def note(self, pod: Object) -> None:
        name, standing = key(pod), self._standing(pod)
        self.forget(name)
        self._standings[name] = standing
        self._numbers[standing] = self._numbers.get(standing, 0) + 1

    def forget(self, name: Key) -> None:
        standing = self._standings.pop(name, None)
        if standing is not None:
            self._numbers[standing] -= 1

    def _standing(self, pod: Object) -> Standing:
        matches, labelled = self._judge(labels(pod))
        active = podfacts.active(pod)
        return Standing(matches, active, active and podfacts.ready(pod), active and labelled, not active and podfacts.terminating(pod))

    def _judge(self, labelled: dict[str, str]) -> tuple[bool, bool]:
        """Whether the selector matches, and whether all the template's labels are there. Pods of one template share their labels."""
        known = self._judged.get(id(labelled))
        if known is None:
            if len(self._judged) >= LABELS_KEPT:
                self._judged.clear()
            full = all(labelled.get(label) == value for label, value in self._wanted.items())
            known = self._judged[id(labelled)] = labelled, self._selector.matches(labelled), full
        return known[1], known[2]

    def counts(self) -> Counts:
        ours = [(standing, number) for standing, number in self._numbers.items() if standing.matches]
        return Counts(*(sum(number for standing, number in ours if getattr(standing, field))
                        for field in ("active", "ready", "labelled", "terminating")),
                      sum(number for standing, number in self._numbers.items() if not standing.matches))


class ReplicaCounts:
    """``note`` takes every watch event that ``of`` shall know about; ``clear`` begins anew."""

    def __init__(self, pods: Lister) -> None:
        self._pods = pods
        self._tallies: dict[str, _Tally] = {}

    def clear(self) -> None:
        self._tallies = {}

    def of(self, replica_set: Object) -> Counts:
        owner = uid(replica_set)
        tally = self._tallies.get(owner)
        spec = replica_set["spec"]
        if tally is None or tally.template is not spec["template"] or tally.selector is not spec["selector"]:
            tally = self._tallies[owner] = _Tally(replica_set)
            for pod in self._pods.by_owner(owner):
                if controller_uid(pod) == owner:
                    tally.note(pod)
        return tally.counts()

    def note(self, event: Event) -> None:
        before, after = event.previous, event.object if event.type != DELETED else None
        was = controller_uid(before) if before is not None else None
        now = controller_uid(after) if after is not None else None
        if was != now and was in self._tallies:
            self._tallies[was].forget(key(before))
        if now in self._tallies:
            self._tallies[now].note(after)

    def forget(self, owner: str) -> None:
        """The set is gone."""
        self._tallies.pop(owner, None)
