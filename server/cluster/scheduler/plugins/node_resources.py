"""NodeResourcesFit and NodeResourcesBalancedAllocation: is there room, how much would be left, how evenly used would the node be.

Room counts requests against allocatable. LeastAllocated scores what is left of cpu and memory (a container that asks for nothing
counts as 100m and 200 MiB); balance scores how near the two fractions in use come to each other, for pods that ask for either.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
"""

from __future__ import annotations

from server.cluster.scheduler.plugins.plugin import MAX_SCORE, ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import Demand, PodInfo, Requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot

_rejections: dict[tuple[tuple[str, ...], bool], Rejection] = {}


def fits(demand: Demand, node: NodeInfo) -> bool:
    """Whether there is surely room: the quick answer for a pod that asks for cpu and memory only."""
    return (len(node.pods) < node.pods_limit and demand.cpu <= node.cpu - node.used_cpu and demand.memory <= node.memory - node.used_memory
            and not demand.storage and not demand.extended)


def least_allocated(demand: Demand, node: NodeInfo) -> int:
    """How much of cpu and memory would be left, 0..100."""
    total = 0
    if node.cpu and (left := node.cpu - node.scored_cpu - demand.scored_cpu) > 0:
        total = left * MAX_SCORE // node.cpu
    if node.memory and (left := node.memory - node.scored_memory - demand.scored_memory) > 0:
        total += left * MAX_SCORE // node.memory
    return total // 2 if node.cpu and node.memory else total


def balance(demand: Demand, node: NodeInfo) -> int:
    """How near the used fractions of cpu and memory would be to each other, 0..100; 0 for a pod that asks for neither."""
    if not (demand.cpu or demand.memory):
        return 0
    if not (node.cpu and node.memory):
        return MAX_SCORE
    cpu, memory = (node.used_cpu + demand.cpu) / node.cpu, (node.used_memory + demand.memory) / node.memory
    if cpu > 1 or memory > 1:
        cpu, memory = min(cpu, 1), min(memory, 1)
    return int((1 - abs(cpu - memory) / 2) * MAX_SCORE)


def shortages(needs: Requirements, node: NodeInfo) -> list[tuple[str, bool]]:
    """(reason, whether freeing the node would help) for each resource there is too little of."""
    demand = needs.demand
    found = []
    if len(node.pods) + 1 > node.pods_limit:
        found.append(("Too many pods", True))
    if demand.cpu > node.cpu - node.used_cpu and demand.cpu:
        found.append(("Insufficient cpu", demand.cpu <= node.cpu))
    if demand.memory > node.memory - node.used_memory and demand.memory:
        found.append(("Insufficient memory", demand.memory <= node.memory))
    if demand.storage > node.storage - node.used_storage and demand.storage:
        found.append(("Insufficient ephemeral-storage", demand.storage <= node.storage))
    for name, amount in demand.extended:
        has = node.extended.get(name, 0)
        if amount > has - node.used_extended.get(name, 0):
            found.append((f"Insufficient {name}", amount <= has))
    return found


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"
    weight = 1
    events = {"Node": ("added", "allocatable"), "Pod": ("deleted", "resources")}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        if fits(needs.demand, node):
            return None
        found = shortages(needs, node)
        if not found:
            return None
        key = tuple(reason for reason, _ in found), all(helped for _, helped in found)
        if key not in _rejections:
            _rejections[key] = Rejection(self.name, *key)
        return _rejections[key]

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        """LeastAllocated over cpu and memory."""
        return least_allocated(needs.demand, node)

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "Pod":
            return bool(event.pod["spec"].get("nodeName") or event.pod["status"].get("nominatedNodeName"))
        empty = NodeInfo(-1, event.node.name)
        empty.set_node(event.node.node)
        if shortages(info.requirements, empty):
            return False
        return event.before is None or self._grew(info.requirements, event.before, event.node)

    def _grew(self, needs: Requirements, before: NodeInfo, now: NodeInfo) -> bool:
        demand = needs.demand
        return (now.pods_limit > before.pods_limit or demand.cpu and now.cpu > before.cpu or demand.memory and now.memory > before.memory
                or demand.storage and now.storage > before.storage
                or any(now.extended.get(name, 0) > before.extended.get(name, 0) for name, _ in demand.extended))


class NodeResourcesBalancedAllocation(Plugin):
    name = "NodeResourcesBalancedAllocation"
    weight = 1

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        return balance(needs.demand, node)
