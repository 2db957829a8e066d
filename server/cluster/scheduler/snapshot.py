"""The scheduler's picture of the cluster: nodes, what runs and is about to run on them, and how pods with given labels are spread.

Watch events come in (``set_node``, ``add_pod``, ...), and so do the scheduler's own decisions before the API has confirmed them. Out
comes a ``NodeInfo`` per node with integer sums, ``Count``s of pods by selector and node, and ``log``: the slots of nodes in the order
they changed, so that whoever caches something per node redoes only what changed since it last looked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster import quantity
from server.cluster.objects import Object
from server.cluster.scheduler.podinfo import LabelsKey, PodInfo
from server.cluster.scheduler.topology import Domains, Tally, Topology

LOG_LIMIT, MOST_TOPOLOGIES = 50_000, 256
ZONE, REGION, HOSTNAME = "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "kubernetes.io/hostname"
FACTS = ("allocatable", "labels", "taints", "unschedulable", "images")
_EMPTY: dict[str, Any] = {}
_NONE: list[Any] = []


class NodeInfo:
    """One node: what it has, what is asked of it, who is there. ``slot`` is its place in every per-node list, for good."""

    __slots__ = ("slot", "name", "node", "labels", "taints", "unschedulable", "images", "facts", "cpu", "memory", "storage", "extended",
                 "pods_limit", "used_cpu", "used_memory", "used_storage", "used_extended", "scored_cpu", "scored_memory", "pods", "ports",
                 "generation")

    def __init__(self, slot: int, name: str) -> None:
        self.slot, self.name = slot, name
        self.node: Object | None = None
        self.labels: dict[str, str] = _EMPTY
        self.taints: list[Object] = _NONE
        self.unschedulable = False
        self.images: list[Object] = _NONE
        self.facts: tuple = ()
        self.cpu = self.memory = self.storage = self.pods_limit = 0
        self.extended: dict[str, int] = _EMPTY
        self.used_cpu = self.used_memory = self.used_storage = self.scored_cpu = self.scored_memory = 0
        self.used_extended: dict[str, int] = {}
        self.pods: dict[str, PodInfo] = {}
        self.ports: dict[tuple[str, str, int], int] = {}
        self.generation = 0

    def set_node(self, node: Object) -> tuple[str, ...]:
        """Takes a new version of the Node; which of its facts changed (allocatable, labels, taints, unschedulable, images)."""
        spec, status = node.get("spec") or _EMPTY, node.get("status") or _EMPTY
        facts = (status.get("allocatable") or status.get("capacity") or _EMPTY, node["metadata"].get("labels") or _EMPTY,
                 spec.get("taints") or _NONE, spec.get("unschedulable", False), status.get("images") or _NONE)
        self.node = node
        if not self.facts:
            changed = FACTS
        else:
            changed = tuple(name for name, old, new in zip(FACTS, self.facts, facts, strict=True) if old is not new and old != new)
        self.facts = facts
        if changed:
            self.generation += changed != ("images",)
            _, self.labels, self.taints, self.unschedulable, self.images = facts
            if "allocatable" in changed:
                self._allocate(facts[0])
        return changed

    def _allocate(self, amounts: dict[str, str]) -> None:
        self.cpu = quantity.milli(amounts.get("cpu", 0))
        self.memory = quantity.value(amounts.get("memory", 0))
        self.storage = quantity.value(amounts.get("ephemeral-storage", 0))
        self.pods_limit = quantity.value(amounts.get("pods", 0))
        self.extended = {name: quantity.value(text) for name, text in amounts.items()
                         if name not in ("cpu", "memory", "ephemeral-storage", "pods")}

    def clear_node(self) -> None:
        self.node, self.facts, self.images = None, (), _NONE
        self.generation += 1

    def add(self, info: PodInfo) -> None:
        self.pods[info.uid] = info
        self._count(info, 1)

    def remove(self, info: PodInfo) -> None:
        del self.pods[info.uid]
        self._count(info, -1)

    def _count(self, info: PodInfo, sign: int) -> None:
        needs = info.requirements
        demand = needs.demand
        self.used_cpu += sign * demand.cpu
        self.used_memory += sign * demand.memory
        self.scored_cpu += sign * demand.scored_cpu
        self.scored_memory += sign * demand.scored_memory
        self.used_storage += sign * demand.storage
        for name, amount in demand.extended:
            self.used_extended[name] = self.used_extended.get(name, 0) + sign * amount
        for port in needs.host_ports:
            count = self.ports.get(port, 0) + sign
            if count:
                self.ports[port] = count
            else:
                self.ports.pop(port, None)


class Count(Tally):
    """How many pods a predicate over (namespace, labels) counts on each node. ``running``: pods being deleted do not count. One that is
    no longer ``live`` is not kept up and has to be asked for again."""

    __slots__ = ("matches", "running", "live")

    def __init__(self, matches: Callable[[str, dict[str, str]], bool], running: bool, slots: int) -> None:
        super().__init__([0] * slots)
        self.matches = matches
        self.running = running
        self.live = True


class _Group:
    """Pods with the same namespace and labels, by node; and the Counts they count in."""

    __slots__ = ("namespace", "labels", "all", "running", "counts")

    def __init__(self, key: LabelsKey) -> None:
        self.namespace, self.labels = key[0], dict(key[1])
        self.all: dict[int, int] = {}
        self.running: dict[int, int] = {}
        self.counts: list[Count] = []


class Snapshot:
    """``order`` lists the slots of nodes that exist, zone by zone in turn, by name; ``epoch`` changes when ``order`` does."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.slots: list[NodeInfo] = []
        self.names: list[str] = []
        self.order: list[int] = []
        self.rank: list[int] = []
        self.epoch = 0
        self.log: list[int] = []
        self.log_start = 0
        self.images: dict[str, tuple[int, int]] = {}
        self.images_version = 0
        self.where: dict[str, tuple[PodInfo, NodeInfo]] = {}
        self._groups: dict[LabelsKey, _Group] = {}
        self._counts: dict[Any, Count] = {}
        self.related: dict[tuple, Tally] = {}
        self.related_version = 0
        self.nodes_version = 0
        self._stale = False
        self._topologies: dict[str, Topology] = {}

    # nodes

    def node(self, name: str) -> NodeInfo:
        """The info of a node, which may be one that pods name and nobody has seen."""
        info = self.nodes.get(name)
        if info is None:
            info = self.nodes[name] = NodeInfo(len(self.slots), name)
            self.slots.append(info)
            self.names.append(name)
            self.rank.append(0)
            for count in self._counts.values():
                count.on.append(0)
            for topology in self._topologies.values():
                topology.values.append(None)
        return info

    def set_node(self, node: Object) -> tuple[str, ...]:
        info = self.node(node["metadata"]["name"])
        known, zone, images = info.node is not None, _zone(info.labels), info.images
        changed = info.set_node(node)
        if "images" in changed:
            self._count_images(images, -1)
            self._count_images(info.images, 1)
        if "labels" in changed or not known:
            self._forget_topologies()
        if not known or zone != _zone(info.labels):
            self._stale = True
        if changed and changed != ("images",):
            self.nodes_version += 1
            self.touch(info.slot)
        return changed

    def remove_node(self, name: str) -> None:
        info = self.nodes.get(name)
        if info is not None and info.node is not None:
            self._count_images(info.images, -1)
            info.clear_node()
            self._forget_topologies()
            self.nodes_version += 1
            self._stale = True
            self.touch(info.slot)

    def settle(self) -> None:
        """Brings ``order`` up to date; to be called before a look at it."""
        if not self._stale:
            return
        self._stale = False
        self.epoch += 1
        zones: dict[str, list[NodeInfo]] = {}
        for info in sorted((info for info in self.slots if info.node is not None), key=lambda info: info.name):
            zones.setdefault(_zone(info.labels), []).append(info)
        lists = [zones[zone] for zone in sorted(zones)]
        self.order = [members[turn].slot for turn in range(max(map(len, lists), default=0)) for members in lists if turn < len(members)]
        for position, slot in enumerate(self.order):
            self.rank[slot] = position

    def topology(self, key: str) -> Topology:
        """How nodes are grouped by the value of a label."""
        topology = self._topologies.get(key)
        if topology is None:
            if len(self._topologies) > MOST_TOPOLOGIES:
                self._forget_topologies()
            topology = self._topologies[key] = Topology(key, self.slots)
        return topology

    def domains(self, tally: Tally, key: str) -> Domains:
        """What a tally counts in each domain, kept up from now on."""
        domains = tally.domains.get(key)
        if domains is None:
            domains = tally.domains[key] = Domains(self.topology(key), tally.pairs())
        return domains

    def _forget_topologies(self) -> None:
        if not self._topologies:
            return
        self._topologies.clear()
        for tally in (*self._counts.values(), *self.related.values()):
            tally.domains.clear()

    def touch(self, slot: int) -> None:
        log = self.log
        log.append(slot)
        if len(log) > LOG_LIMIT:
            self.log_start += len(log)
            log.clear()

    def _count_images(self, images: list[Object], sign: int) -> None:
        """Keeps size and number of nodes of each image that nodes say they have."""
        for image in images:
            for name in image.get("names") or ():
                number = self.images.get(name, (0, 0))[1] + sign
                if number:
                    self.images[name] = image.get("sizeBytes", 0), number
                else:
                    self.images.pop(name, None)
        self.images_version += 1

    # pods

    def add_pod(self, info: PodInfo, node_name: str) -> None:
        node = self.node(node_name)
        self.where[info.uid] = (info, node)
        node.add(info)
        self._tally(info, node.slot, 1, not info.deleting)
        self.touch(node.slot)

    def remove_pod(self, uid: str) -> PodInfo | None:
        known = self.where.pop(uid, None)
        if known is None:
            return None
        info, node = known
        node.remove(info)
        self._tally(info, node.slot, -1, not info.deleting)
        self.touch(node.slot)
        return info

    def _tally(self, info: PodInfo, slot: int, sign: int, running: bool) -> None:
        group = self._groups.get(info.labels_key)
        if group is None:
            group = self._groups[info.labels_key] = _Group(info.labels_key)
            group.counts = [count for count in self._counts.values() if count.matches(group.namespace, group.labels)]
        _change(group.all, slot, sign)
        if running:
            _change(group.running, slot, sign)
        for count in group.counts:
            if running or not count.running:
                count.change(slot, sign)
        if not group.all and not sign > 0:
            del self._groups[info.labels_key]
        if info.neighbours is not None:
            self._relate((info.labels_key, info.neighbours), slot, sign)

    def _relate(self, key: tuple, slot: int, sign: int) -> None:
        """Counts a pod that has something to say of others near it."""
        tally = self.related.get(key)
        if tally is None:
            tally = self.related[key] = Tally({})
            self.related_version += 1
        tally.change(slot, sign)
        if not tally.on:
            del self.related[key]
            self.related_version += 1

    def count(self, key: Any, matches: Callable[[str, dict[str, str]], bool], running: bool) -> Count:
        """The standing count with that (hashable) key, made if there is none."""
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) > 4096:
                self.forget_counts()
            count = self._counts[key] = Count(matches, running, len(self.slots))
            for group in self._groups.values():
                if matches(group.namespace, group.labels):
                    group.counts.append(count)
                    for slot, number in (group.running if running else group.all).items():
                        count.on[slot] += number
        return count

    def forget_counts(self) -> None:
        for count in self._counts.values():
            count.live = False
        self._counts.clear()
        for group in self._groups.values():
            group.counts = []


def _zone(labels: dict[str, str]) -> str:
    region, zone = labels.get(REGION, ""), labels.get(ZONE, "")
    return f"{region}:\x00:{zone}" if region or zone else ""


def _change(by_slot: dict[int, int], slot: int, sign: int) -> None:
    number = by_slot.get(slot, 0) + sign
    if number:
        by_slot[slot] = number
    else:
        by_slot.pop(slot, None)
