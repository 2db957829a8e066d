"""One attempt to place one pod: filter the nodes, score those that are left, pick one.

``Framework.place`` takes a ``PodInfo`` and gives a ``Placement`` (the node, each plugin's share of its score) or a ``Misfit`` (why no
node will do, in Kubernetes' words, and which plugins said so). Cached verdicts make a pod that is like the one before cheap.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

from __future__ import annotations

import random as random_module
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, Check, Rejection, normalized
from server.cluster.scheduler.plugins.pod_topology_spread import PodTopologySpread, Spread
from server.cluster.scheduler.plugins.volumes import PLUGINS as VOLUME_PLUGINS
from server.cluster.scheduler.plugins.volumes import Volumes
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot
from server.cluster.scheduler.verdicts import AFFINITY, BALANCE, FIT, IMAGES, PORTS, TAINTS, UNSCHEDULABLE, Verdicts

ALL_SCORED_UP_TO, LEAST_PERCENTAGE = 100, 5
NO_NODES = "no nodes available to schedule pods"


class Part(NamedTuple):
    """A plugin's share of the scores: one number for all of the window, or one for each of its nodes."""

    plugin: str
    weight: int
    raw: int | list[int]
    normalized: int | list[int]


class Trace(NamedTuple):
    """What was looked at: ``order`` of all nodes, of which ``tried`` were, from ``start`` on; ``rejections`` by slot, and the ``checks`` that
    came after them; ``names`` by slot."""

    names: list[str]
    order: list[int]
    start: int
    tried: int
    rejections: tuple[Rejection | None, ...]
    checks: tuple[Check, ...]


class Placement(NamedTuple):
    """``parts`` have the scores of the nodes (slots) in ``window``, ``fit`` and ``base`` those of NodeResourcesFit, and of it with the balance;
    ``chosen`` is a place in the window, ``tied`` how many had as much."""

    node: NodeInfo
    window: list[int]
    chosen: int
    tied: int
    parts: list[Part]
    fit: list[int]
    base: list[int]
    trace: Trace


@dataclass(slots=True)
class Misfit:
    """``by_node``: why each node will not do, by slot; ``whole``: why none will, when that is clear before any is looked at."""

    by_node: dict[int, Rejection]
    nodes: int
    whole: Rejection | None = None

    @property
    def plugins(self) -> tuple[str, ...]:
        """Who refused, in order of their first refusal."""
        if self.whole is not None:
            return (self.whole.plugin,)
        return tuple(dict.fromkeys(rejection.plugin for rejection in self.by_node.values()))

    def message(self) -> str:
        """How many nodes there are and how many gave each reason."""
        if not self.nodes:
            return NO_NODES
        if self.whole is not None:
            return f"0/{self.nodes} nodes are available: {', '.join(self.whole.reasons)}."
        return f"0/{self.nodes} nodes are available: {histogram(self.by_node.values())}."


def histogram(rejections: object) -> str:
    """Reasons with their numbers, sorted as text ("10 x" comes before "2 y")."""
    counts: dict[str, int] = {}
    for rejection in rejections:
        for reason in rejection.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    return ", ".join(sorted(f"{number} {reason}" for reason, number in counts.items()))


class Framework:
    def __init__(self, api: ApiServer, random: random_module.Random, snapshot: Snapshot) -> None:
        self.api = api
        self.random = random
        self.snapshot = snapshot
        self.spread = PodTopologySpread(api, snapshot)
        self.affinity = InterPodAffinity(api, snapshot)
        self.volumes = Volumes(api, snapshot)
        self.plugins = {plugin.name: plugin for plugin in (
            UNSCHEDULABLE, TAINTS, AFFINITY, PORTS, FIT, *VOLUME_PLUGINS, self.spread, self.affinity, BALANCE, IMAGES)}
        self._verdicts: dict[int, Verdicts] = {}
        self._next_start = 0
        self.nominated: dict[str, tuple[PodInfo, str]] = {}

    def verdicts(self, info: PodInfo) -> Verdicts:
        needs = info.requirements
        found = self._verdicts.get(id(needs))
        if found is None:
            if len(self._verdicts) > 512:
                self._verdicts.clear()
            found = self._verdicts[id(needs)] = Verdicts(self.snapshot, needs)
        found.refresh()
        return found

    def place(self, info: PodInfo) -> Placement | Misfit:
        """Where the pod should go, or why it cannot go anywhere."""
        snapshot = self.snapshot
        snapshot.settle()
        order = snapshot.order
        if not order:
            return Misfit({}, 0)
        if info.requirements.claims:
            whole = self.volumes.reject(info)
            if whole is not None:
                return Misfit({}, len(order), whole)
        reserved = self._reserved(info) if self.nominated else []
        nominated = self._nominated_node(info, reserved) if self.nominated else None
        verdicts = self.verdicts(info)
        spread = self.spread.of(info)
        feasible = verdicts.feasible
        checks = self._checks(info, spread, verdicts, feasible) if feasible else []
        checks += reserved
        for check in checks:
            feasible = check.passing(feasible)
        if nominated is not None:
            feasible = nominated
        if not feasible:
            return Misfit(self._by_name(verdicts, {slot: verdicts.rejections[slot] or _first(checks, slot) for slot in order}), len(order))
        window, start, tried = self._window(feasible)
        base = list(map(verdicts.base.__getitem__, window))
        totals, parts = self._scores(info, verdicts, spread, window, base)
        best = max(totals)
        tied = totals.count(best)
        chosen = totals.index(best)
        for _ in range(int(self.random.random() * tied) if tied > 1 else 0):
            chosen = totals.index(best, chosen + 1)
        trace = Trace(snapshot.names, order, start, tried, verdicts.frozen(), tuple(
            [Check(frozenset(check.slots), check.inside, check.rejection) for check in checks]) if checks else ())
        return Placement(snapshot.slots[window[chosen]], window, chosen, tied, parts, list(map(verdicts.fit.__getitem__, window)), base, trace)

    def _nominated_node(self, info: PodInfo, reserved: list[Check]) -> list[int] | None:
        """The node that was cleared for this pod, if it will do now."""
        nominated = self.nominated.get(info.uid)
        node = self.snapshot.nodes.get(nominated[1]) if nominated is not None else None
        if node is None or node.node is None or self._verdict(info, node) is not None or _first(reserved, node.slot) is not None:
            return None
        return [node.slot]

    def _by_name(self, verdicts: Verdicts, rejections: dict[int, Rejection]) -> dict[int, Rejection]:
        """A pod that names its nodes is refused by all others in one word."""
        if verdicts.named is None:
            return rejections
        other = Rejection(AFFINITY.name, (f"node(s) didn't satisfy plugin(s) [{AFFINITY.name}]",))
        return {slot: rejection if self.snapshot.slots[slot].name in verdicts.named else other for slot, rejection in rejections.items()}

    def _checks(self, info: PodInfo, spread: Spread | None, verdicts: Verdicts, feasible: list[int]) -> list[Check]:
        """Refusals by plugins that look at more than one node by itself, in their order."""
        checks = self.volumes.checks(info, feasible) if info.requirements.claims else []
        if spread is not None and spread.hard:
            checks += self.spread.refusals(spread, verdicts)
        if self.affinity.concerns(info):
            checks += self.affinity.refusals(info)
        return checks

    def _reserved(self, info: PodInfo) -> list[Check]:
        """Refusals of nodes for which pods of no lower priority are nominated, and which would not do if those ran there."""
        waiting: dict[str, list[PodInfo]] = {}
        for other, name in self.nominated.values():
            if other.uid != info.uid and other.priority >= info.priority and name in self.snapshot.nodes:
                waiting.setdefault(name, []).append(other)
        checks = []
        for name, others in waiting.items():
            node = self.snapshot.nodes[name]
            if node.node is None or self._verdict(info, node) is not None:
                continue
            for other in others:
                self.snapshot.add_pod(other, name)
            rejection = self._verdict(info, node)
            for other in others:
                self.snapshot.remove_pod(other.uid)
            if rejection is not None:
                checks.append(Check(frozenset((node.slot,)), True, rejection))
        return checks

    def _verdict(self, info: PodInfo, node: NodeInfo) -> Rejection | None:
        """The verdict of one node on the pods that are there."""
        verdicts = self.verdicts(info)
        rejection = verdicts.rejections[node.slot]
        return rejection or _first(self._checks(info, self.spread.of(info), verdicts, [node.slot]), node.slot)

    def check(self, info: PodInfo, node: NodeInfo) -> Rejection | None:
        """The full verdict of one node now."""
        return self._verdict(info, node) or (_first(self._reserved(info), node.slot) if self.nominated else None)

    def _window(self, feasible: list[int]) -> tuple[list[int], int, int]:
        """The nodes to score: all of a hundred, a part of more, beginning where the last attempt ended; that place in the order, and how
        many nodes had to be tried to find them."""
        snapshot = self.snapshot
        everything = len(snapshot.order)
        start = self._next_start % everything
        if everything <= ALL_SCORED_UP_TO:
            return feasible[:], start, everything
        percentage = max(50 - everything // 125, LEAST_PERCENTAGE)
        wanted = max(everything * percentage // 100, ALL_SCORED_UP_TO)
        at = bisect_left(feasible, start, key=snapshot.rank.__getitem__)
        window = feasible[at:at + wanted]
        if len(window) < wanted:
            window += feasible[:min(at, wanted - len(window))]
        if len(window) < wanted:
            return window, start, everything
        self._next_start = (snapshot.rank[window[-1]] + 1) % everything
        return window, start, (self._next_start - start) % everything or everything

    def _scores(self, info: PodInfo, verdicts: Verdicts, spread: Spread | None, window: list[int],
                base: list[int]) -> tuple[list[int], list[Part]]:
        """Totals by place in the window, without what is the same for all; and the parts beside ``base``."""
        totals = base
        parts: list[Part] = []
        avoided = [verdicts.avoided.get(slot, 0) for slot in window] if verdicts.avoided else None
        if avoided and (highest := max(avoided)):
            parts.append(Part(TAINTS.name, TAINTS.weight, avoided, [normalized(count, highest, reverse=True) for count in avoided]))
        else:
            parts.append(Part(TAINTS.name, TAINTS.weight, 0, MAX_SCORE))
        if verdicts.prefers:
            liked = list(map(verdicts.liked().__getitem__, window))
            highest = max(liked)
            parts.append(Part(AFFINITY.name, AFFINITY.weight, liked, [normalized(weight, highest) for weight in liked]))
        if spread is not None and (scores := self.spread.scores(spread, window, verdicts)) is not None:
            parts.append(Part(self.spread.name, self.spread.weight, *scores))
        if self.affinity.concerns(info) and (scores := self.affinity.scores(info, window)) is not None:
            parts.append(Part(self.affinity.name, self.affinity.weight, *scores))
        if verdicts.images():
            images = [verdicts.image_score(slot) for slot in window]
            parts.append(Part(IMAGES.name, IMAGES.weight, images, images))
        for part in parts:
            if type(part.normalized) is not int:
                weight = part.weight
                totals = [total + score * weight for total, score in zip(totals, part.normalized, strict=True)]
        return totals, parts


def _first(checks: list[Check], slot: int) -> Rejection | None:
    """The first refusal of a node."""
    for check in checks:
        if check.refuses(slot):
            return check.rejection
    return None
