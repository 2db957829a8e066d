"""DefaultPreemption: makes room for a pod by deleting pods of lower priority on one node.

Of the nodes that refused the pod only for what runs there, each is tried without its lower-priority pods; as many of those as
possible are put back. The node whose victims matter least is chosen, the pod is nominated to it and the victims are deleted; the pod
itself is scheduled when they are gone. ``consider`` answers with that choice or with why it would not help, in Kubernetes' words.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from __future__ import annotations

from typing import NamedTuple

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


class Candidate(NamedTuple):
    node: NodeInfo
    victims: list[PodInfo]


def consider(framework: Framework, info: PodInfo, misfit: Misfit) -> Candidate | str:
    """The node to free and whom to delete there; or the end of the FailedScheduling message."""
    refusal = _ineligible(framework, info, misfit)
    if refusal is not None:
        return f"{CLAIMS}, preemption: {refusal}"
    candidates: list[Candidate] = []
    outcome: dict[int, Rejection] = {}
    for slot in framework.snapshot.order:
        rejection = misfit.by_node.get(slot)
        if rejection is None or not rejection.resolvable:
            outcome[slot] = UNHELPFUL
            continue
        node = framework.snapshot.slots[slot]
        found = _victims(framework, info, node)
        if isinstance(found, Rejection):
            outcome[slot] = found
        else:
            candidates.append(Candidate(node, found))
    if candidates:
        return min(candidates, key=_harm)
    return f"{CLAIMS}, preemption: 0/{misfit.nodes} nodes are available: {histogram(outcome.values())}."


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
    if any(other.deleting and other.priority < info.priority for other in node.pods.values()):
        return TERMINATING
    return None


def _victims(framework: Framework, info: PodInfo, node: NodeInfo) -> list[PodInfo] | Rejection:
    """Who has to go from a node, most important first; why it would be of no use."""
    lower = [other for other in node.pods.values() if other.priority < info.priority]
    if not lower:
        return NO_VICTIMS
    snapshot = framework.snapshot
    for other in lower:
        snapshot.remove_pod(other.uid)
    victims: list[PodInfo] = []
    rejection = framework.check(info, node)
    gone = dict.fromkeys(other.uid for other in lower)
    if rejection is None:
        for other in sorted(lower, key=_importance):
            snapshot.add_pod(other, node.name)
            if framework.check(info, node) is None:
                del gone[other.uid]
            else:
                snapshot.remove_pod(other.uid)
                victims.append(other)
    for other in lower:
        if other.uid in gone:
            snapshot.add_pod(other, node.name)
    return victims if rejection is None else rejection


def _started(info: PodInfo) -> str:
    return (info.pod.get("status") or {}).get("startTime") or "9"


def _importance(info: PodInfo) -> tuple:
    """Most important first: higher priority, then running longer."""
    return -info.priority, _started(info), info.key


def _harm(candidate: Candidate) -> tuple:
    """Least first: lowest top priority, lowest sum, fewest, and then the latest start of the most important."""
    priorities = [victim.priority for victim in candidate.victims]
    if not priorities:
        return (-(2**40), 0, 0, ())
    top = max(priorities)
    earliest = min(_started(victim) for victim in candidate.victims if victim.priority == top)
    return (top, sum(priority + 2**31 for priority in priorities), len(priorities), tuple(-ord(letter) for letter in earliest))
