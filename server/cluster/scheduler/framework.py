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
from server.cluster.scheduler.plugins.plugin import MAX_SCORE, Rejection, normalized
from server.cluster.scheduler.plugins.pod_topology_spread import PodTopologySpread
from server.cluster.scheduler.plugins.volumes import VolumeBinding
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot
from server.cluster.scheduler.verdicts import AFFINITY, BALANCE, FIT, IMAGES, PORTS, TAINTS, UNSCHEDULABLE, Verdicts

ALL_SCORED_UP_TO, LEAST_PERCENTAGE = 100, 5
NO_NODES = "no nodes available to schedule pods"


class Placement(NamedTuple):
    """``scores``: (plugin, 0..100, weight) of the chosen node; ``rejections``: (slot, why) of the others; ``considered`` were scored."""

    node: NodeInfo
    total: int
    scores: tuple[tuple[str, int, int], ...]
    considered: int
    tied: int
    rejections: dict[str, Rejection]


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
        self._api = api
        self._random = random
        self.snapshot = snapshot
        self.spread = PodTopologySpread(api, snapshot)
        self.affinity = InterPodAffinity(api, snapshot)
        self.volumes = VolumeBinding()
        self.plugins = {plugin.name: plugin for plugin in (
            UNSCHEDULABLE, TAINTS, AFFINITY, PORTS, FIT, self.volumes, self.spread, self.affinity, BALANCE, IMAGES)}
        self._verdicts: dict[int, Verdicts] = {}
        self._next_start = 0
        self._rejected: tuple[object, dict[str, Rejection]] = (None, {})
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
        self.snapshot.settle()
        order = self.snapshot.order
        if not order:
            return Misfit({}, 0)
        if info.requirements.claims:
            whole = self.volumes.reject(info, self._api)
            if whole is not None:
                return Misfit({}, len(order), whole)
        verdicts = self.verdicts(info)
        feasible = self._nominated_node(info) or verdicts.feasible
        extra: dict[int, Rejection] = {}
        spread = self.spread.of(info)
        if feasible and (spread is not None and spread.strict or self.nominated or self.affinity.concerns(info)):
            extra = self._refused(info, verdicts)
            feasible = [slot for slot in feasible if slot not in extra]
        if not feasible:
            slots = {slot: extra.get(slot) or verdicts.rejections[slot] for slot in order}
            return Misfit(self._by_name(verdicts, slots), len(order))
        window = self._window(feasible)
        totals, parts = self._scores(info, verdicts, spread, window)
        best = max(totals)
        tied = totals.count(best)
        if tied == 1:
            chosen = totals.index(best)
        else:
            pick = int(self._random.random() * tied)
            chosen = [place for place, total in enumerate(totals) if total == best][pick]
        slot = window[chosen]
        node = self.snapshot.slots[slot]
        scores = tuple([(name, part if type(part) is int else part[chosen], weight) for name, part, weight in parts])
        base = verdicts.base[slot]
        balance = BALANCE.score(info.requirements, node, self.snapshot)
        scores = (*scores, (FIT.name, base - balance, 1), (BALANCE.name, balance, 1))
        return Placement(node, sum([score * weight for _, score, weight in scores]), scores, len(window), tied,
                         self._rejections(verdicts, extra))

    def _nominated_node(self, info: PodInfo) -> list[int] | None:
        """The node that was cleared for this pod, if it will do now."""
        nominated = self.nominated.get(info.uid)
        node = self.snapshot.nodes.get(nominated[1]) if nominated is not None else None
        if node is None or node.node is None or self.check(info, node) is not None:
            return None
        return [node.slot]

    def _by_name(self, verdicts: Verdicts, rejections: dict[int, Rejection]) -> dict[int, Rejection]:
        """A pod that names its nodes is refused by all others in one word."""
        if verdicts.named is None:
            return rejections
        other = Rejection(AFFINITY.name, (f"node(s) didn't satisfy plugin(s) [{AFFINITY.name}]",))
        return {slot: rejection if self.snapshot.slots[slot].name in verdicts.named else other for slot, rejection in rejections.items()}

    def _rejections(self, verdicts: Verdicts, extra: dict[int, Rejection]) -> dict[str, Rejection]:
        """By node name; the same dict as long as nothing changes."""
        key = (id(verdicts), verdicts.version)
        if self._rejected[0] != key:
            slots = self.snapshot.slots
            self._rejected = key, {slots[slot].name: verdicts.rejections[slot] for slot in self.snapshot.order
                                   if verdicts.rejections[slot] is not None}
        if not extra:
            return self._rejected[1]
        return {**self._rejected[1], **{self.snapshot.slots[slot].name: rejection for slot, rejection in extra.items()}}

    def _refused(self, info: PodInfo, verdicts: Verdicts) -> dict[int, Rejection]:
        """Refusals by plugins that look at pods elsewhere, and by pods that wait for a node's room."""
        found: dict[int, Rejection] = {}
        checks = []
        spread = self.spread.of(info)
        if spread is not None and (check := self.spread.refusals(spread, verdicts.included)):
            checks.append(check)
        if self.affinity.concerns(info):
            checks.append(self.affinity.refusals(info))
        slots = self.snapshot.slots
        for slot in verdicts.feasible if checks else ():
            for check in checks:
                rejection = check(slots[slot])
                if rejection is not None:
                    found[slot] = rejection
                    break
        for slot in self._reserved(info):
            if verdicts.rejections[slot] is None and slot not in found:
                rejection = self._with_nominated(info, verdicts, slots[slot])
                if rejection is not None:
                    found[slot] = rejection
        return found

    def _reserved(self, info: PodInfo) -> list[int]:
        return list(dict.fromkeys(self.snapshot.nodes[name].slot for other, name in self.nominated.values()
                                  if other.uid != info.uid and other.priority >= info.priority and name in self.snapshot.nodes))

    def _with_nominated(self, info: PodInfo, verdicts: Verdicts, node: NodeInfo) -> Rejection | None:
        """The verdict of a node as if the pods nominated to it ran there."""
        waiting = [other for other, name in self.nominated.values()
                   if name == node.name and other.uid != info.uid and other.priority >= info.priority]
        for other in waiting:
            node.add(other)
        rejection = PORTS.filter(info.requirements, node) or FIT.filter(info.requirements, node)
        for other in waiting:
            node.remove(other)
        return rejection

    def check(self, info: PodInfo, node: NodeInfo) -> Rejection | None:
        """The full verdict of one node now."""
        verdicts = self.verdicts(info)
        rejection = verdicts.rejections[node.slot]
        if rejection is not None:
            return rejection
        spread = self.spread.of(info)
        refuse = self.spread.refusals(spread, verdicts.included) if spread is not None else None
        rejection = refuse(node) if refuse is not None else None
        if rejection is None and self.affinity.concerns(info):
            rejection = self.affinity.refusals(info)(node)
        if rejection is None and node.slot in self._reserved(info):
            rejection = self._with_nominated(info, verdicts, node)
        return rejection

    def _window(self, feasible: list[int]) -> list[int]:
        """The nodes to score: all of a hundred, a part of more, beginning where the last attempt ended."""
        snapshot = self.snapshot
        everything = len(snapshot.order)
        if everything <= ALL_SCORED_UP_TO:
            return feasible
        percentage = max(50 - everything // 125, LEAST_PERCENTAGE)
        wanted = max(everything * percentage // 100, ALL_SCORED_UP_TO)
        start = self._next_start % everything
        at = bisect_left(feasible, start, key=snapshot.rank.__getitem__)
        window = feasible[at:at + wanted]
        if len(window) < wanted:
            window += feasible[:min(at, wanted - len(window))]
        if len(window) == wanted:
            self._next_start = (snapshot.rank[window[-1]] + 1) % everything
        return window

    def _scores(self, info: PodInfo, verdicts: Verdicts, spread: object, window: list[int]) -> tuple[list[int], list[tuple]]:
        """Totals by place in the window, without what is the same for all, and (plugin, score or scores, weight) of each part."""
        base = verdicts.base
        totals = list(map(base.__getitem__, window))
        parts: list[tuple[str, int | list[int], int]] = []
        avoided = [verdicts.avoided.get(slot, 0) for slot in window] if verdicts.avoided else None
        if avoided and (highest := max(avoided)):
            parts.append((TAINTS.name, [normalized(count, highest, reverse=True) for count in avoided], TAINTS.weight))
        else:
            parts.append((TAINTS.name, MAX_SCORE, TAINTS.weight))
        if verdicts.prefers:
            liked = [verdicts.liked(slot) for slot in window]
            highest = max(liked)
            parts.append((AFFINITY.name, [normalized(weight, highest) for weight in liked], AFFINITY.weight))
        if spread is not None and (scores := self.spread.scores(spread, window, verdicts.included)) is not None:
            parts.append((self.spread.name, scores, self.spread.weight))
        if self.affinity.concerns(info) and (scores := self.affinity.scores(info, window)) is not None:
            parts.append((self.affinity.name, scores, self.affinity.weight))
        if verdicts.images():
            parts.append((IMAGES.name, [verdicts.image_score(slot) for slot in window], IMAGES.weight))
        for _, part, weight in parts:
            if type(part) is int:
                continue
            if weight == 2:
                totals = [total + score + score for total, score in zip(totals, part, strict=True)]
            else:
                totals = [total + score * weight for total, score in zip(totals, part, strict=True)]
        return totals, parts
