"""PodTopologySpread: keeps like pods evenly over zones and nodes.

A pod's own ``DoNotSchedule`` constraints refuse nodes, its ``ScheduleAnyway`` ones score them. A pod without any that belongs to a
Service or a ReplicaSet (or the like) gets the system's two: soft, over hostnames (skew 3) and zones (skew 5). How many like pods are on
each node is read from the snapshot's standing counts.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, Check, ClusterEvent, Plugin, Rejection, Scores
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import HOSTNAME, ZONE, Count, Snapshot
from server.cluster.selectors import EQUALS, Requirement, Selector, from_labels, from_object

if TYPE_CHECKING:
    from server.cluster.scheduler.verdicts import Verdicts

SKEWED = Rejection("PodTopologySpread", ("node(s) didn't match pod topology spread constraints",), resolvable=True)
UNLABELLED = Rejection("PodTopologySpread", ("node(s) didn't match pod topology spread constraints (missing required label)",))
SYSTEM_DEFAULTS = ((HOSTNAME, 3), (ZONE, 5))
OWNERS = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps", "ReplicationController": "replicationcontrollers"}


class Constraint(NamedTuple):
    """``self_match``: the pod itself counts where it goes. Without ``honor_*`` nodes that cannot take the pod count as well."""

    key: str
    max_skew: int
    hard: bool
    selector: Selector
    min_domains: int
    honor_affinity: bool
    honor_taints: bool
    self_match: bool


class Spread(NamedTuple):
    """What applies to one kind of pod. ``strict``: nodes without all the topology keys score nothing."""

    namespace: str
    hard: tuple[Constraint, ...]
    soft: tuple[Constraint, ...]
    strict: bool


class PodTopologySpread(Plugin):
    name = "PodTopologySpread"
    weight = 2
    events = {"Node": ("added", "deleted", "labels"), "Pod": ("added", "deleted", "labels")}

    def __init__(self, api: ApiServer, snapshot: Snapshot) -> None:
        self._api = api
        self._snapshot = snapshot
        self._known: dict[tuple, Spread | None] = {}
        self._counts: dict[tuple[str, Selector], Count] = {}

    def forget(self) -> None:
        """Services or the like have changed: what applies to whom is to be worked out anew."""
        self._known.clear()

    def of(self, info: PodInfo) -> Spread | None:
        key = (info.labels_key, info.spreading or info.owner, info.spreading and info.requirements.node_affinity)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) > 4096:
                self._known.clear()
            spread = self._known[key] = self._own(info) if info.spreading else self._default(info)
            return spread

    def _own(self, info: PodInfo) -> Spread:
        labels = dict(info.labels_key[1])
        found = []
        for entry in info.pod["spec"]["topologySpreadConstraints"]:
            selector = from_object(entry.get("labelSelector"))
            extra = tuple(Requirement(key, EQUALS, (labels[key],)) for key in entry.get("matchLabelKeys") or () if key in labels)
            if extra and not selector.nothing:
                selector = Selector((*selector.requirements, *extra))
            found.append(Constraint(
                entry["topologyKey"], entry["maxSkew"], entry["whenUnsatisfiable"] == "DoNotSchedule", selector,
                entry.get("minDomains") or 1, entry.get("nodeAffinityPolicy", "Honor") == "Honor",
                entry.get("nodeTaintsPolicy", "Ignore") == "Honor", selector.matches(labels)))
        return Spread(info.key[0], tuple(constraint for constraint in found if constraint.hard),
                      tuple(constraint for constraint in found if not constraint.hard), strict=True)

    def _default(self, info: PodInfo) -> Spread | None:
        selector = self._siblings(info)
        if selector is None:
            return None
        return Spread(info.key[0], (), tuple(Constraint(key, skew, False, selector, 1, True, False, True) for key, skew in SYSTEM_DEFAULTS),
                      strict=False)

    def _siblings(self, info: PodInfo) -> Selector | None:
        """What selects the pod's like: the Services that select it and the selector of its owner."""
        labels = dict(info.labels_key[1])
        merged: dict[str, str] = {}
        for service in self._api.lister("services").list(info.key[0]):
            wanted = service["spec"].get("selector")
            if wanted and all(labels.get(key) == value for key, value in wanted.items()):
                merged.update(wanted)
        requirements = from_labels(merged).requirements
        if info.owner is not None and (resource := OWNERS.get(info.owner[0])) in RESOURCES:
            owner = self._api.lister(resource).get(info.key[0], info.owner[1])
            if owner is not None:
                selector = owner["spec"].get("selector")
                own = from_labels(selector) if resource == "replicationcontrollers" else from_object(selector)
                requirements += own.requirements
        return Selector(requirements) if requirements else None

    def _count(self, spread: Spread, constraint: Constraint) -> Count:
        key = (spread.namespace, constraint.selector)
        count = self._counts.get(key)
        if count is None or not count.live:
            if len(self._counts) > 4096:
                self._counts.clear()
            namespace, selector = key
            empty = selector.empty or selector.nothing
            count = self._counts[key] = self._snapshot.count(
                ("spread", *key), lambda where, labels: not empty and where == namespace and selector.matches(labels), running=True)
        return count

    # filter

    def refusals(self, spread: Spread, verdicts: Verdicts) -> list[Check]:
        """What refuses nodes now."""
        checks = []
        for constraint in spread.hard:
            topology = self._snapshot.topology(constraint.key)
            if topology.missing:
                checks.append(Check(topology.missing, True, UNLABELLED))
            sums, least = self._limit(spread, constraint, verdicts)
            most = constraint.max_skew + least - constraint.self_match
            crowded = [value for value, number in sums.items() if number > most]
            if crowded:
                checks.append(Check(frozenset().union(*[topology.slots[value] for value in crowded]), True, SKEWED))
        return checks

    def _limit(self, spread: Spread, constraint: Constraint, verdicts: Verdicts) -> tuple[dict[str, int], int]:
        """Pods by domain, and the least of them; domains without pods may be left out."""
        count = self._count(spread, constraint)
        groups = self._groups(constraint, spread.hard, verdicts)
        if groups is None:
            domains = self._snapshot.domains(count, constraint.key)
            sums, number = domains.sums, len(domains.topology.slots)
        else:
            on = count.on
            sums, number = {value: sum([on[slot] for slot in slots]) for value, slots in groups.items()}, len(groups)
        if number < constraint.min_domains or len(sums) < number:
            return sums, 0
        return sums, min(sums.values(), default=0)

    def _groups(self, constraint: Constraint, others: tuple[Constraint, ...], verdicts: Verdicts) -> dict[str, list[int]] | None:
        """The nodes that count, by domain; None if all do that have the label."""
        snapshot = self._snapshot
        needs = verdicts.needs
        picky = constraint.honor_affinity and bool(needs.node_selector or needs.node_affinity) or constraint.honor_taints
        if not picky and not any(snapshot.topology(other.key).missing for other in others if other.key != constraint.key):
            return None
        key = (constraint.key, constraint.honor_affinity, constraint.honor_taints, tuple(other.key for other in others))
        known = verdicts.groups.get(key)
        if known is not None and known[0] == snapshot.nodes_version:
            return known[1]
        missing = set().union(*[snapshot.topology(other.key).missing for other in others])
        groups: dict[str, list[int]] = {}
        for value, slots in snapshot.topology(constraint.key).slots.items():
            counting = [slot for slot in slots if slot not in missing
                        and verdicts.included(slot, constraint.honor_affinity, constraint.honor_taints)]
            if counting:
                groups[value] = counting
        verdicts.groups[key] = snapshot.nodes_version, groups
        return groups

    # score

    def scores(self, spread: Spread, window: list[int], verdicts: Verdicts) -> Scores | None:
        """None if nothing soft applies."""
        soft = spread.soft
        if not soft:
            return None
        topologies = [self._snapshot.topology(constraint.key) for constraint in soft]
        if not spread.strict and not topologies[1].slots and not topologies[0].missing:
            return self._scores_by_node(spread, soft[0], window)
        ignored = set().union(*[topology.missing for topology in topologies]).intersection(window) if spread.strict else set()
        parts = [self._part(spread, constraint, window, ignored, verdicts) for constraint in soft]
        if len(parts) == 1:
            raw = [int(part + 0.5) for part in parts[0]]
        else:
            raw = [int(sum(values) + 0.5) for values in zip(*parts, strict=True)]
        counted = [value for slot, value in zip(window, raw, strict=True) if slot not in ignored] if ignored else raw
        if not counted:
            return Scores(raw, [0] * len(window))
        highest, lowest = max(counted), min(counted)
        if highest == 0:
            return Scores(raw, [0 if slot in ignored else MAX_SCORE for slot in window])
        table = {value: MAX_SCORE * (highest + lowest - value) // highest for value in set(raw)}
        if not ignored:
            return Scores(raw, [table[value] for value in raw])
        return Scores(raw, [0 if slot in ignored else table[value] for slot, value in zip(window, raw, strict=True)])

    def _scores_by_node(self, spread: Spread, constraint: Constraint, window: list[int]) -> Scores:
        """The common case, in which every node is a domain and there are no others."""
        on = self._count(spread, constraint).on
        numbers = [on[slot] for slot in window]
        weight, base = math.log(len(window) + 2), constraint.max_skew - 1
        raw = {number: int(number * weight + base + 0.5) for number in set(numbers)}
        highest, lowest = max(raw.values()), min(raw.values())
        table = {number: MAX_SCORE * (highest + lowest - value) // highest for number, value in raw.items()}
        return Scores([raw[number] for number in numbers], [table[number] for number in numbers])

    def _part(self, spread: Spread, constraint: Constraint, window: list[int], ignored: set[int], verdicts: Verdicts) -> list[float]:
        """One constraint's raw share for each slot."""
        snapshot, base = self._snapshot, constraint.max_skew - 1
        count, values = self._count(spread, constraint), snapshot.topology(constraint.key).values
        if constraint.key == HOSTNAME:
            on, weight = count.on, math.log(len(window) - len(ignored) + 2)
            shares = {number: number * weight + base for number in {on[slot] for slot in window}}
            return [shares[on[slot]] if values[slot] is not None else 0.0 for slot in window]
        domains = {values[slot] for slot in window if slot not in ignored} if ignored else {values[slot] for slot in window}
        different = len(domains)
        domains.discard(None)
        if not domains:
            return [0.0] * len(window)
        groups = self._groups(constraint, spread.soft if spread.strict else (constraint,), verdicts)
        if groups is None:
            sums = snapshot.domains(count, constraint.key).sums
        else:
            on = count.on
            sums = {value: sum([on[slot] for slot in groups.get(value, ())]) for value in sorted(domains)}
        weight = math.log(different + 2)
        shares: dict[str | None, float] = {value: sums.get(value, 0) * weight + base for value in domains}
        shares.setdefault(None, 0.0)
        return [shares.get(values[slot], 0.0) for slot in window]

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Node":
            return True
        spread = self.of(info)
        if spread is None or event.pod is None or event.pod["metadata"]["namespace"] != spread.namespace:
            return False
        versions = [pod["metadata"].get("labels") for pod in (event.pod, event.pod_before) if pod is not None]
        return any(constraint.selector.matches(labels) for constraint in spread.hard for labels in versions)
