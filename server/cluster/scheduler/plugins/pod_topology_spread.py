"""PodTopologySpread: keeps like pods evenly over zones and nodes.

A pod's own ``DoNotSchedule`` constraints refuse nodes, its ``ScheduleAnyway`` ones score them. A pod without any that belongs to a
Service or a ReplicaSet (or the like) gets the system's two: soft, over hostnames (skew 3) and zones (skew 5). How many like pods are on
each node is read from the snapshot's standing counts.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import HOSTNAME, ZONE, Count, NodeInfo, Snapshot
from server.cluster.selectors import EQUALS, Requirement, Selector, from_labels, from_object

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


Included = Callable[[int, bool, bool], bool]


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

    def refusals(self, spread: Spread, included: Included) -> Callable[[NodeInfo], Rejection | None] | None:
        """What refuses nodes now; None if nothing can."""
        hard = spread.hard
        if not hard:
            return None
        limits = [self._limit(spread, constraint, hard, included) for constraint in hard]

        def refuse(node: NodeInfo) -> Rejection | None:
            for constraint, (domains, least) in zip(hard, limits, strict=True):
                value = node.labels.get(constraint.key)
                if value is None:
                    return UNLABELLED
                if domains.get(value, 0) + constraint.self_match - least > constraint.max_skew:
                    return SKEWED
            return None

        return refuse

    def _limit(self, spread: Spread, constraint: Constraint, hard: tuple[Constraint, ...],
               included: Included) -> tuple[dict[str, int], int]:
        """Pods by domain, and the least of them."""
        on = self._count(spread, constraint).on
        domains: dict[str, int] = {}
        for slot in self._snapshot.order:
            labels = self._snapshot.slots[slot].labels
            if all(other.key in labels for other in hard) and included(slot, constraint.honor_affinity, constraint.honor_taints):
                value = labels[constraint.key]
                domains[value] = domains.get(value, 0) + on[slot]
        least = min(domains.values(), default=0) if len(domains) >= constraint.min_domains else 0
        return domains, least

    # score

    def scores(self, spread: Spread, window: list[int], included: Included) -> list[int] | None:
        """0..100 for each slot of the window, None if nothing soft applies."""
        soft = spread.soft
        if not soft:
            return None
        if not spread.strict and self._snapshot.labelled(ZONE) == 0 and self._snapshot.labelled(HOSTNAME) == len(self._snapshot.order):
            return self._scores_by_node(spread, soft[0], window)
        slots = self._snapshot.slots
        ignored = {slot for slot in window if any(c.key not in slots[slot].labels for c in soft)} if spread.strict else set()
        parts = [self._part(spread, constraint, window, ignored, included) for constraint in soft]
        if len(parts) == 1:
            raw = [int(part + 0.5) for part in parts[0]]
        else:
            raw = [int(sum(values) + 0.5) for values in zip(*parts, strict=True)]
        counted = [value for slot, value in zip(window, raw, strict=True) if slot not in ignored] if ignored else raw
        if not counted:
            return [0] * len(window)
        highest, lowest = max(counted), min(counted)
        if highest == 0:
            return [0 if slot in ignored else MAX_SCORE for slot in window]
        table = {value: MAX_SCORE * (highest + lowest - value) // highest for value in set(raw)}
        if not ignored:
            return [table[value] for value in raw]
        return [0 if slot in ignored else table[value] for slot, value in zip(window, raw, strict=True)]

    def _scores_by_node(self, spread: Spread, constraint: Constraint, window: list[int]) -> list[int]:
        """The common case, in which every node is a domain and there are no others."""
        on = self._count(spread, constraint).on
        numbers = [on[slot] for slot in window]
        weight, base = math.log(len(window) + 2), constraint.max_skew - 1
        highest, lowest = int(max(numbers) * weight + base + 0.5), int(min(numbers) * weight + base + 0.5)
        table = {number: MAX_SCORE * (highest + lowest - int(number * weight + base + 0.5)) // highest for number in set(numbers)}
        return [table[number] for number in numbers]

    def _part(self, spread: Spread, constraint: Constraint, window: list[int], ignored: set[int], included: Included) -> list[float]:
        """One constraint's raw share for each slot."""
        slots, base = self._snapshot.slots, constraint.max_skew - 1
        on = self._count(spread, constraint).on
        if constraint.key == HOSTNAME:
            weight = math.log(len(window) - len(ignored) + 2)
            table: dict[int, float] = {}
            part = []
            for slot in window:
                number = on[slot]
                value = table.get(number)
                if value is None:
                    value = table[number] = number * weight + base
                part.append(value if HOSTNAME in slots[slot].labels else 0.0)
            return part
        key = constraint.key
        values = [slots[slot].labels.get(key) for slot in window]
        domains: dict[Any, int] = {
            value: 0 for slot, value in zip(window, values, strict=True) if value is not None and slot not in ignored}
        if not domains:
            return [0.0] * len(window)
        keys = [other.key for other in spread.soft] if spread.strict else []
        for slot in self._snapshot.order:
            labels = slots[slot].labels
            value = labels.get(key)
            if value in domains and on[slot] and all(other in labels for other in keys) \
                    and included(slot, constraint.honor_affinity, constraint.honor_taints):
                domains[value] += on[slot]
        weight = math.log(len(domains) + 2)
        return [domains[value] * weight + base if value in domains else 0.0 for value in values]

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Node":
            return True
        spread = self.of(info)
        if spread is None or event.pod is None or event.pod["metadata"]["namespace"] != spread.namespace:
            return False
        versions = [pod["metadata"].get("labels") for pod in (event.pod, event.pod_before) if pod is not None]
        return any(constraint.selector.matches(labels) for constraint in spread.hard for labels in versions)
