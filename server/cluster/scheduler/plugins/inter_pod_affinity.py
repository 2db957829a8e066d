"""InterPodAffinity: pods that want to be near others, or away from them, in a topology domain.

Required terms refuse nodes, in both directions: a running pod's anti-affinity keeps new pods away as well. Preferred terms, and the
required affinity of running pods (weight 1), add to or take from every node of a domain.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.node_affinity import PREFERRED, REQUIRED
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import LabelsKey, PodInfo
from server.cluster.scheduler.snapshot import Count, NodeInfo, Snapshot
from server.cluster.selectors import EQUALS, NOT_IN, NOTHING, Requirement, Selector, from_expression

NOT_NEAR = Rejection("InterPodAffinity", ("node(s) didn't match pod affinity rules",))
TOO_NEAR = Rejection("InterPodAffinity", ("node(s) didn't match pod anti-affinity rules",), resolvable=True)
UNWANTED = Rejection("InterPodAffinity", ("node(s) didn't satisfy existing pods anti-affinity rules",), resolvable=True)
HARD_WEIGHT = 1


class Term(NamedTuple):
    """Pods of ``namespaces`` (or of those ``namespace_selector`` selects) that ``selector`` selects, by ``key``."""

    namespaces: tuple[str, ...]
    namespace_selector: Selector
    selector: Selector
    key: str


class Neighbours(NamedTuple):
    near: tuple[Term, ...]
    away: tuple[Term, ...]
    liked: tuple[tuple[int, Term], ...]


Domains = dict[tuple[str, str], int]


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"
    weight = 2
    events = {"Node": ("added", "labels"), "Pod": ("added", "deleted", "labels")}

    def __init__(self, api: ApiServer, snapshot: Snapshot) -> None:
        self._api = api
        self._snapshot = snapshot
        self._known: dict[tuple, Neighbours] = {}

    def concerns(self, info: PodInfo) -> bool:
        return info.neighbours is not None or bool(self._snapshot.related)

    def _of(self, labels_key: LabelsKey, frozen_affinity: tuple) -> Neighbours:
        key = (labels_key, frozen_affinity)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 4096:
                self._known.clear()
            found = self._known[key] = _neighbours(labels_key, frozen_affinity)
        return found

    def _matches(self, term: Term, namespace: str, labels: dict[str, str]) -> bool:
        if namespace not in term.namespaces:
            if term.namespace_selector.nothing:
                return False
            found = self._api.lister("namespaces").get("", namespace)
            if found is None or not term.namespace_selector.matches(found["metadata"].get("labels")):
                return False
        return term.selector.matches(labels)

    def _count(self, *terms: Term) -> Count:
        return self._snapshot.count(("near", terms), lambda namespace, labels: all(
            self._matches(term, namespace, labels) for term in terms), running=False)

    def _domains(self, key: str, on: object) -> Domains:
        """Pods by (key, value) of the domain they run in; ``on`` gives (slot, number) pairs."""
        domains: Domains = {}
        slots = self._snapshot.slots
        for slot, number in on:
            value = slots[slot].labels.get(key) if number else None
            if value is not None:
                domains[key, value] = domains.get((key, value), 0) + number
        return domains

    # filter

    def refusals(self, info: PodInfo) -> Callable[[NodeInfo], Rejection | None]:
        labels = dict(info.labels_key[1])
        own = self._of(info.labels_key, info.neighbours) if info.neighbours else Neighbours((), (), ())
        near: Domains = {}
        if own.near:
            together = self._count(*own.near)
            for term in own.near:
                near.update(self._domains(term.key, enumerate(together.on)))
        first = bool(own.near) and not near and all(self._matches(term, info.key[0], labels) for term in own.near)
        away: Domains = {}
        for term in own.away:
            away.update(self._domains(term.key, enumerate(self._count(term).on)))
        unwanted: Domains = {}
        for (labels_key, affinity), by_slot in self._snapshot.related.items():
            for term in self._of(labels_key, affinity).away:
                if self._matches(term, info.key[0], labels):
                    unwanted.update(self._domains(term.key, by_slot.items()))

        def refuse(node: NodeInfo) -> Rejection | None:
            for term in own.near:
                value = node.labels.get(term.key)
                if value is None or not first and (term.key, value) not in near:
                    return NOT_NEAR
            if away and any((term.key, node.labels.get(term.key)) in away for term in own.away):
                return TOO_NEAR
            if unwanted and any(pair in unwanted for pair in node.labels.items()):
                return UNWANTED
            return None

        return refuse

    # score

    def scores(self, info: PodInfo, window: list[int]) -> list[int] | None:
        """0..100 for each slot of the window, None if no term has a say."""
        labels = dict(info.labels_key[1])
        domains: Domains = {}

        def add(weight: int, key: str, on: object) -> None:
            for pair, number in self._domains(key, on).items():
                domains[pair] = domains.get(pair, 0) + weight * number

        if info.neighbours:
            for weight, term in self._of(info.labels_key, info.neighbours).liked:
                add(weight, term.key, enumerate(self._count(term).on))
        for (labels_key, affinity), by_slot in self._snapshot.related.items():
            theirs = self._of(labels_key, affinity)
            for weight, term in (*((HARD_WEIGHT, term) for term in theirs.near), *theirs.liked):
                if self._matches(term, info.key[0], labels):
                    add(weight, term.key, by_slot.items())
        if not domains:
            return None
        slots = self._snapshot.slots
        raw = [sum(domains.get(pair, 0) for pair in slots[slot].labels.items()) for slot in window]
        lowest, highest = min(raw), max(raw)
        if highest == lowest:
            return [0] * len(window)
        return [int(MAX_SCORE * ((value - lowest) / (highest - lowest))) for value in raw]

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Node":
            return True
        own = self._of(info.labels_key, info.neighbours) if info.neighbours else Neighbours((), (), ())
        for pod in (event.pod, event.pod_before):
            if pod is None:
                continue
            meta = pod["metadata"]
            if any(self._matches(term, meta["namespace"], meta.get("labels") or {}) for term in (*own.near, *own.away)):
                return True
        if not event.about("Pod", "deleted") or not event.pod["spec"].get("affinity"):
            return False
        gone = PodInfo(event.pod)
        labels = dict(info.labels_key[1])
        return gone.neighbours is not None and any(
            self._matches(term, info.key[0], labels) for term in self._of(gone.labels_key, gone.neighbours).away)


def _neighbours(labels_key: LabelsKey, frozen_affinity: tuple) -> Neighbours:
    near, away = (dict(part) if part else {} for part in frozen_affinity)
    terms = [tuple(_term(labels_key, term) for term in part.get(REQUIRED) or ()) for part in (near, away)]
    liked = [(sign * dict(entry)["weight"], _term(labels_key, dict(entry)["podAffinityTerm"]))
             for sign, part in ((1, near), (-1, away)) for entry in part.get(PREFERRED) or ()]
    return Neighbours(terms[0], terms[1], tuple(liked))


def _term(labels_key: LabelsKey, frozen_term: tuple) -> Term:
    term, labels = dict(frozen_term), dict(labels_key[1])
    selector = _selector(term.get("labelSelector"))
    if not selector.nothing:
        extra = [Requirement(key, EQUALS, (labels[key],)) for key in term.get("matchLabelKeys") or () if key in labels]
        extra += [Requirement(key, NOT_IN, (labels[key],)) for key in term.get("mismatchLabelKeys") or () if key in labels]
        selector = Selector((*selector.requirements, *extra)) if extra else selector
    namespaces, by_label = tuple(term.get("namespaces") or ()), _selector(term.get("namespaceSelector"))
    if not namespaces and by_label.nothing:
        namespaces = (labels_key[0],)
    return Term(namespaces, by_label, selector, term["topologyKey"])


def _selector(frozen_selector: tuple | None) -> Selector:
    """A frozen LabelSelector; None selects nothing."""
    if frozen_selector is None:
        return NOTHING
    fields = dict(frozen_selector)
    requirements = [Requirement(key, EQUALS, (value,)) for key, value in fields.get("matchLabels") or ()]
    requirements += [from_expression(dict(expression)) for expression in fields.get("matchExpressions") or ()]
    return Selector(tuple(requirements))
