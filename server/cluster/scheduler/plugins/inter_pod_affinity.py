"""InterPodAffinity: pods that want to be near others, or away from them, in a topology domain.

Required terms refuse nodes, in both directions: a running pod's anti-affinity keeps new pods away as well. Preferred terms, and the
required affinity of running pods (weight 1), add to or take from every node of a domain.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.node_affinity import PREFERRED, REQUIRED
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, Check, ClusterEvent, Plugin, Rejection, Scores
from server.cluster.scheduler.podinfo import LabelsKey, PodInfo
from server.cluster.scheduler.snapshot import Snapshot
from server.cluster.scheduler.topology import Tally
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


SILENT = Neighbours((), (), ())

class Theirs(NamedTuple):
    """What pods of one kind that run say of others: ``tally`` counts them, the terms are those that are about the pod in question."""

    tally: Tally
    away: tuple[Term, ...]
    scored: tuple[tuple[int, Term], ...]


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"
    weight = 2
    events = {"Node": ("added", "labels"), "Pod": ("added", "deleted", "labels")}

    def __init__(self, api: ApiServer, snapshot: Snapshot) -> None:
        self._api = api
        self._snapshot = snapshot
        self._known: dict[tuple, Neighbours] = {}
        self._about: dict[LabelsKey, tuple[int, list[Theirs]]] = {}

    def forget(self) -> None:
        """Namespaces have changed: which terms are about whom is to be worked out anew."""
        self._about.clear()

    def concerns(self, info: PodInfo) -> bool:
        """Whether this pod or one that runs has a say in where it goes."""
        return info.neighbours is not None or bool(self._snapshot.related and self._theirs(info))

    def _theirs(self, info: PodInfo) -> list[Theirs]:
        """What the pods that run say of such a pod."""
        version = self._snapshot.related_version
        known = self._about.get(info.labels_key)
        if known is not None and known[0] == version:
            return known[1]
        if len(self._about) > 4096:
            self._about.clear()
        namespace, labels = info.labels_key[0], dict(info.labels_key[1])
        found = []
        for (labels_key, affinity), tally in self._snapshot.related.items():
            terms = self._of(labels_key, affinity)
            away = tuple(term for term in terms.away if self._matches(term, namespace, labels))
            scored = tuple((weight, term) for weight, term in (*((HARD_WEIGHT, term) for term in terms.near), *terms.liked)
                           if self._matches(term, namespace, labels))
            if away or scored:
                found.append(Theirs(tally, away, scored))
        self._about[info.labels_key] = version, found
        return found

    def _of(self, labels_key: LabelsKey, frozen_affinity: tuple) -> Neighbours:
        key = (labels_key, frozen_affinity)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 4096:
                self._known.clear()
            found = self._known[key] = _neighbours(labels_key, frozen_affinity)
        return found

    def _own(self, info: PodInfo) -> Neighbours:
        return self._of(info.labels_key, info.neighbours) if info.neighbours else SILENT

    def _matches(self, term: Term, namespace: str, labels: dict[str, str]) -> bool:
        if namespace not in term.namespaces:
            if term.namespace_selector.nothing:
                return False
            found = self._api.lister("namespaces").get("", namespace)
            if found is None or not term.namespace_selector.matches(found["metadata"].get("labels")):
                return False
        return term.selector.matches(labels)

    def _count(self, *terms: Term) -> Tally:
        return self._snapshot.count(("near", terms), lambda namespace, labels: all(
            self._matches(term, namespace, labels) for term in terms), running=False)

    # filter

    def refusals(self, info: PodInfo) -> list[Check]:
        snapshot, own = self._snapshot, self._own(info)
        checks = []
        if own.near:
            together = self._count(*own.near)
            domains = [snapshot.domains(together, term.key) for term in own.near]
            if not any(domain.sums for domain in domains) and self._first(info, own):
                checks += [Check(domain.topology.missing, True, NOT_NEAR) for domain in domains if domain.topology.missing]
            else:
                checks += [Check(domain.occupied, False, NOT_NEAR) for domain in domains]
        for term in own.away:
            domain = snapshot.domains(self._count(term), term.key)
            if domain.occupied:
                checks.append(Check(domain.occupied, True, TOO_NEAR))
        for theirs in self._theirs(info):
            for term in theirs.away:
                domain = snapshot.domains(theirs.tally, term.key)
                if domain.occupied:
                    checks.append(Check(domain.occupied, True, UNWANTED))
        return checks

    def _first(self, info: PodInfo, own: Neighbours) -> bool:
        """The first of pods that want to be near each other may go anywhere."""
        labels = dict(info.labels_key[1])
        return all(self._matches(term, info.key[0], labels) for term in own.near)

    # score

    def scores(self, info: PodInfo, window: list[int]) -> Scores | None:
        """None if no term has a say."""
        weights: dict[str, dict[str, int]] = {}
        for weight, term in self._own(info).liked:
            self._weigh(weights, weight, self._count(term), term)
        for theirs in self._theirs(info):
            for weight, term in theirs.scored:
                self._weigh(weights, weight, theirs.tally, term)
        if not weights:
            return None
        raw = [0] * len(window)
        for key, by_value in weights.items():
            values = self._snapshot.topology(key).values
            raw = [number + by_value.get(values[slot], 0) for number, slot in zip(raw, window, strict=True)]
        lowest, highest = min(raw), max(raw)
        if highest == lowest:
            return Scores(raw, [0] * len(window))
        table = {value: int(MAX_SCORE * ((value - lowest) / (highest - lowest))) for value in set(raw)}
        return Scores(raw, [table[value] for value in raw])

    def _weigh(self, weights: dict[str, dict[str, int]], weight: int, tally: Tally, term: Term) -> None:
        sums = self._snapshot.domains(tally, term.key).sums
        if sums:
            by_value = weights.setdefault(term.key, {})
            for value, number in sums.items():
                by_value[value] = by_value.get(value, 0) + weight * number

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Node":
            return True
        own = self._own(info)
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
