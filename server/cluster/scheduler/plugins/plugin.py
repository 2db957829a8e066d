"""What a scheduling plugin is: something that may refuse a node for a pod, may score it, and knows which events may change its mind.

``filter`` sees the pod's requirements and one node; ``score`` gives 0..100 or a raw number that ``normalized`` brings there, over the
nodes that are left. ``hint`` decides whether an event in the cluster is worth another attempt of a pod this plugin refused.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from server.cluster.objects import Object
from server.cluster.scheduler.podinfo import PodInfo, Requirements
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot

MAX_SCORE = 100


class Rejection(NamedTuple):
    """Why a node will not do. ``resolvable``: it might, were other pods not there."""

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool = False


class Check(NamedTuple):
    """A verdict over many nodes at once: those among ``slots`` (``inside``) or those not among them are refused."""

    slots: Set[int]
    inside: bool
    rejection: Rejection

    def refuses(self, slot: int) -> bool:
        return (slot in self.slots) is self.inside

    def passing(self, slots: list[int]) -> list[int]:
        refused = self.slots
        return [slot for slot in slots if slot not in refused] if self.inside else [slot for slot in slots if slot in refused]


class Scores(NamedTuple):
    """A plugin's scores, by place in the window: as it reckons them, and as 0..100."""

    raw: list[int]
    normalized: list[int]


class ClusterEvent(NamedTuple):
    """Something that changed. ``actions`` for a Node: added, allocatable, labels, taints, unschedulable, images; for a Pod: added,
    deleted, labels. ``node`` and ``before`` are the node now and as it was (None: new);
    ``pod`` and ``pod_before`` likewise. ``key`` names any other object."""

    kind: str
    actions: tuple[str, ...]
    node: NodeInfo | None = None
    before: NodeInfo | None = None
    pod: Object | None = None
    pod_before: Object | None = None
    key: tuple[str, str] | None = None

    def about(self, kind: str, *actions: str) -> bool:
        return self.kind == kind and any(action in self.actions for action in actions)


class Plugin:
    """``weight`` 0: does not score. ``events``: for each kind of object the actions that may change its mind."""

    name = ""
    weight = 0
    events: dict[str, tuple[str, ...]] = {}

    def filter(self, needs: Requirements, node: NodeInfo) -> Rejection | None:
        return None

    def score(self, needs: Requirements, node: NodeInfo, snapshot: Snapshot) -> int:
        return 0

    def checks(self, info: PodInfo, slots: list[int]) -> list[Check]:
        """Refusals of a filter that looks beyond one node, or at more of the pod than its requirements; ``slots`` are the nodes still open."""
        return []

    def interested(self, event: ClusterEvent) -> bool:
        """Whether it is worth asking ``hint`` for any pod."""
        return event.about(event.kind, *self.events.get(event.kind, ()))

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        """Whether the event, one of ``events``, is worth another attempt of a pod that this plugin refused."""
        return False


class NodeFilter(Plugin):
    """A filter that a changed node may satisfy: worth an attempt when it refuses the node no more."""

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if self.filter(info.requirements, event.node) is not None:
            return False
        return event.before is None or self.filter(info.requirements, event.before) is not None


def normalized(raw: int, highest: int, reverse: bool = False) -> int:
    """A raw score against the highest one, 0..100; reversed, the highest becomes 0."""
    if highest == 0:
        return MAX_SCORE if reverse else 0
    scaled = MAX_SCORE * raw // highest
    return MAX_SCORE - scaled if reverse else scaled
