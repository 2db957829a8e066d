"""DefaultPreemption: makes room for a pod by deleting pods of lower priority on one node.

Of the nodes that refused the pod only for what runs there, each is tried without its lower-priority pods; as many of those as
possible are put back, first those that a PodDisruptionBudget protects. The node whose victims matter least is chosen, the pod is
nominated to it and the victims are deleted; the pod itself is scheduled when they are gone. ``consider`` answers with that choice or
with why it would not help, in Kubernetes' words.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster import selectors
from server.cluster.apiserver.eviction import BUDGETS
from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Object, condition
from server.cluster.scheduler.framework import Framework, Misfit, histogram
from server.cluster.scheduler.plugins.plugin import Rejection
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import NodeInfo

NAME = "DefaultPreemption"
UNHELPFUL = Rejection(NAME, ("Preemption is not helpful for scheduling",))
NO_VICTIMS = Rejection(NAME, ("No preemption victims found for incoming pod",))
NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
CLAIMS = "no new claims to deallocate"
REASON = "PreemptionByScheduler"
LEAST_CANDIDATES, CANDIDATES_PERCENTAGE = 100, 10


class Candidate(NamedTuple):
    """``victims``, most important first; ``violations``: how many of them a PodDisruptionBudget would have kept."""

    node: NodeInfo
    victims: list[PodInfo]
    violations: int


class Budget(NamedTuple):
    """What a PodDisruptionBudget allows now."""

    namespace: str
    selector: selectors.Selector
    allowed: int
    disrupted: frozenset[str]

    def covers(self, info: PodInfo) -> bool:
        return (info.key[0] == self.namespace and bool(info.labels_key[1]) and info.key[1] not in self.disrupted
                and not self.selector.empty and self.selector.matches(dict(info.labels_key[1])))


def budgets(api: ApiServer) -> list[Budget]:
    return [Budget(budget["metadata"]["namespace"], selectors.from_object(budget["spec"].get("selector")),
                   (budget.get("status") or {}).get("disruptionsAllowed", 0),
                   frozenset((budget.get("status") or {}).get("disruptedPods") or ()))
            for budget in api.lister(BUDGETS).list()]


def consider(framework: Framework, info: PodInfo, misfit: Misfit) -> Candidate | str:
    """The node to free and whom to delete there; or the end of the FailedScheduling message."""
    refusal = _ineligible(framework, info, misfit)
    if refusal is not None:
        return f"{CLAIMS}, preemption: {refusal}"
    outcome: dict[int, Rejection] = {}
    open_nodes = []
    for slot in framework.snapshot.order:
        rejection = misfit.by_node.get(slot)
        if rejection is None or not rejection.resolvable:
            outcome[slot] = UNHELPFUL
        else:
            open_nodes.append(slot)
    candidates = _candidates(framework, info, open_nodes, outcome, len(framework.snapshot.order))
    if candidates:
        return min(candidates, key=_harm)
    return f"{CLAIMS}, preemption: 0/{misfit.nodes} nodes are available: {histogram(outcome.values())}."


def _candidates(framework: Framework, info: PodInfo, slots: list[int], outcome: dict[int, Rejection], nodes: int) -> list[Candidate]:
    """Nodes that could be freed; of many only some are tried, beginning anywhere."""
    protected = budgets(framework.api)
    wanted = min(max(nodes * CANDIDATES_PERCENTAGE // 100, LEAST_CANDIDATES), len(slots))
    start = int(framework.random.random() * len(slots)) if wanted < len(slots) else 0
    candidates: list[Candidate] = []
    harmless = False
    for slot in (*slots[start:], *slots[:start]):
        found = _victims(framework, info, framework.snapshot.slots[slot], protected)
        if isinstance(found, Rejection):
            outcome[slot] = found
            continue
        candidates.append(found)
        harmless = harmless or not found.violations
        if harmless and len(candidates) >= wanted:
            break
    return candidates


def _ineligible(framework: Framework, info: PodInfo, misfit: Misfit) -> str | None:
    if info.pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    nominated = framework.nominated.get(info.uid)
    if nominated is None:
        return None
    node = framework.snapshot.nodes.get(nominated[1])
    if node is None or node.node is None:
        return None
    rejection = misfit.by_node.get(node.slot)
    if rejection is not None and not rejection.resolvable:
        return None
    if any(other.priority < info.priority and other.deleting and _preempted(other.pod) for other in node.pods.values()):
        return TERMINATING
    return None


def _preempted(pod: Object) -> bool:
    target = condition(pod, "DisruptionTarget")
    return target is not None and target["status"] == "True" and target.get("reason") == REASON


def _victims(framework: Framework, info: PodInfo, node: NodeInfo, protected: list[Budget]) -> Candidate | Rejection:
    """Who has to go from a node; why it would be of no use."""
    lower = sorted((other for other in node.pods.values() if other.priority < info.priority), key=_importance)
    if not lower:
        return NO_VICTIMS
    snapshot = framework.snapshot
    for other in lower:
        snapshot.remove_pod(other.uid)
    rejection = framework.check(info, node)
    stay = {other.uid for other in lower}
    victims: list[PodInfo] = []
    violations = 0
    if rejection is None:
        violating, free = _violating(lower, protected)
        for group in (violating, free):
            for other in group:
                snapshot.add_pod(other, node.name)
                if framework.check(info, node) is not None:
                    snapshot.remove_pod(other.uid)
                    victims.append(other)
                    violations += group is violating
                else:
                    stay.discard(other.uid)
    for other in lower:
        if other.uid in stay:
            snapshot.add_pod(other, node.name)
    return Candidate(node, sorted(victims, key=_importance), violations) if rejection is None else rejection


def _violating(pods: list[PodInfo], protected: list[Budget]) -> tuple[list[PodInfo], list[PodInfo]]:
    """Those whose loss some budget does not allow, and the others."""
    left = [budget.allowed for budget in protected]
    violating: list[PodInfo] = []
    free: list[PodInfo] = []
    for pod in pods:
        broken = False
        for index, budget in enumerate(protected):
            if budget.covers(pod):
                left[index] -= 1
                broken = broken or left[index] < 0
        (violating if broken else free).append(pod)
    return violating, free


def _started(info: PodInfo) -> str:
    return (info.pod.get("status") or {}).get("startTime") or "9"


def _importance(info: PodInfo) -> tuple:
    """Most important first: higher priority, then running longer."""
    return -info.priority, _started(info), info.key


def _harm(candidate: Candidate) -> tuple:
    """Least first: fewest budgets broken, lowest top priority, lowest sum, fewest, and then the latest start of the most important."""
    priorities = [victim.priority for victim in candidate.victims]
    if not priorities:
        return (0, -(2**40), 0, 0, ())
    top = max(priorities)
    earliest = min(_started(victim) for victim in candidate.victims if victim.priority == top)
    return (candidate.violations, top, sum(priority + 2**31 for priority in priorities), len(priorities),
            tuple(-ord(letter) for letter in earliest))
