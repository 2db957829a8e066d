"""What nodes say to pods with the same requirements, kept until a node changes.

A ``Verdicts`` has, for each node, either the rejection of the first plugin that refuses it or the part of the score that depends on
that node alone. It follows the snapshot's log, so scheduling one more like pod redoes one node: the one the last pod went to.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from server.cluster.scheduler.plugins.image_locality import ImageLocality
from server.cluster.scheduler.plugins.node_affinity import NodeAffinity, matches, named_nodes
from server.cluster.scheduler.plugins.node_ports import NodePorts
from server.cluster.scheduler.plugins.node_resources import NodeResourcesBalancedAllocation, NodeResourcesFit, balance, fits, least_allocated
from server.cluster.scheduler.plugins.node_unschedulable import NodeUnschedulable
from server.cluster.scheduler.plugins.plugin import Rejection
from server.cluster.scheduler.plugins.taint_toleration import TaintToleration
from server.cluster.scheduler.podinfo import Requirements
from server.cluster.scheduler.snapshot import Snapshot

UNSCHEDULABLE, TAINTS, AFFINITY = NodeUnschedulable(), TaintToleration(), NodeAffinity()
PORTS, FIT, BALANCE, IMAGES = NodePorts(), NodeResourcesFit(), NodeResourcesBalancedAllocation(), ImageLocality()
BY_NODE = (UNSCHEDULABLE, TAINTS, AFFINITY)
NOT_NAMED = Rejection(AFFINITY.name, (f"node(s) didn't satisfy plugin(s) [{AFFINITY.name}]",))


class Verdicts:
    """By slot: ``rejections``, ``fit`` (LeastAllocated) and ``base`` (that and balance); ``feasible``: slots in ``order`` without a rejection.
    ``groups`` is PodTopologySpread's: which nodes count for such a pod."""

    def __init__(self, snapshot: Snapshot, needs: Requirements) -> None:
        self.needs = needs
        self.named = named_nodes(needs)
        self.prefers = AFFINITY.prefers(needs)
        self.rejections: list[Rejection | None] = []
        self.fit: list[int] = []
        self.base: list[int] = []
        self.groups: dict[tuple, tuple[int, dict[str, list[int]]]] = {}
        self.feasible: list[int] = []
        self.version = 0
        self.avoided: dict[int, int] = {}
        self._snapshot = snapshot
        self._by_node: list[Rejection | None] = []
        self._generations: list[int] = []
        self._liked: tuple[int, list[int]] = (-1, [])
        self._image_scores: dict[int, int] = {}
        self._images_version = -1
        self._images_known = False
        self._epoch = -1
        self._seen = 0
        self._frozen: tuple[int, tuple[Rejection | None, ...]] = (-1, ())

    def refresh(self) -> None:
        """Catches up with the snapshot."""
        snapshot = self._snapshot
        snapshot.settle()
        end = snapshot.log_start + len(snapshot.log)
        if self._epoch != snapshot.epoch or self._seen < snapshot.log_start or end - self._seen > len(snapshot.order):
            self._rebuild()
        else:
            for slot in dict.fromkeys(snapshot.log[self._seen - snapshot.log_start:]):
                self.update(slot)
        self._seen = end

    def _rebuild(self) -> None:
        snapshot = self._snapshot
        missing = len(snapshot.slots) - len(self.rejections)
        self.rejections += [None] * missing
        self.fit += [0] * missing
        self.base += [0] * missing
        self._by_node += [None] * missing
        self._generations += [-1] * missing
        self._epoch = snapshot.epoch
        self.version += 1
        self.feasible = []
        if self.named is not None:
            self.rejections = [NOT_NAMED] * len(snapshot.slots)
        for slot in snapshot.order if self.named is None else self._named_slots():
            self._judge(slot)
            if self.rejections[slot] is None:
                self.feasible.append(slot)

    def _named_slots(self) -> list[int]:
        """A pod that names its nodes, as a DaemonSet's does, has the others refused without a look at them."""
        nodes, rank = self._snapshot.nodes, self._snapshot.rank
        found = [nodes[name].slot for name in self.named or () if name in nodes and nodes[name].node is not None]
        return sorted(found, key=rank.__getitem__)

    def update(self, slot: int) -> None:
        """Judges one node again."""
        snapshot = self._snapshot
        if slot >= len(self.rejections) or snapshot.slots[slot].node is None:
            return
        if self.named is not None and snapshot.slots[slot].name not in self.named:
            return
        before = self.rejections[slot]
        self._judge(slot)
        now = self.rejections[slot]
        if before is not now:
            self.version += 1
            if before is None:
                del self.feasible[bisect_left(self.feasible, snapshot.rank[slot], key=snapshot.rank.__getitem__)]
            elif now is None:
                insort(self.feasible, slot, key=snapshot.rank.__getitem__)

    def _judge(self, slot: int) -> None:
        needs, node = self.needs, self._snapshot.slots[slot]
        if self._generations[slot] != node.generation:
            self._generations[slot] = node.generation
            self._judge_node(slot)
        rejection = self._by_node[slot]
        if rejection is None:
            if needs.host_ports:
                rejection = PORTS.filter(needs, node)
            if rejection is None and (fits(needs.demand, node) or (rejection := FIT.filter(needs, node)) is None):
                fit = self.fit[slot] = least_allocated(needs.demand, node)
                self.base[slot] = fit + balance(needs.demand, node)
        self.rejections[slot] = rejection

    def _judge_node(self, slot: int) -> None:
        """What depends on the Node object alone."""
        needs, node = self.needs, self._snapshot.slots[slot]
        rejection = None
        for plugin in BY_NODE:
            rejection = plugin.filter(needs, node)
            if rejection is not None:
                break
        self._by_node[slot] = rejection
        count = TAINTS.score(needs, node, self._snapshot) if node.taints else 0
        if count:
            self.avoided[slot] = count
        else:
            self.avoided.pop(slot, None)

    def frozen(self) -> tuple[Rejection | None, ...]:
        """``rejections`` as they are now, the same tuple as long as they are."""
        if self._frozen[0] != self.version:
            self._frozen = self.version, tuple(self.rejections)
        return self._frozen[1]

    def liked(self) -> list[int]:
        """The raw NodeAffinity scores of all nodes."""
        snapshot = self._snapshot
        if self._liked[0] != snapshot.nodes_version:
            self._liked = snapshot.nodes_version, [
                AFFINITY.score(self.needs, node, snapshot) if node.node is not None else 0 for node in snapshot.slots]
        return self._liked[1]

    def images(self) -> bool:
        """Whether images make a difference now."""
        snapshot = self._snapshot
        if self._images_version != snapshot.images_version:
            self._images_version = snapshot.images_version
            self._images_known = IMAGES.known(self.needs, snapshot)
            self._image_scores.clear()
        return self._images_known

    def image_score(self, slot: int) -> int:
        score = self._image_scores.get(slot)
        if score is None:
            score = self._image_scores[slot] = IMAGES.score(self.needs, self._snapshot.slots[slot], self._snapshot)
        return score

    def included(self, slot: int, honor_affinity: bool, honor_taints: bool) -> bool:
        """Whether a node counts for a topology spread constraint of such a pod."""
        node = self._snapshot.slots[slot]
        if honor_affinity and (self.needs.node_selector or self.needs.node_affinity) and not matches(self.needs, node):
            return False
        return not honor_taints or TAINTS.filter(self.needs, node) is None
