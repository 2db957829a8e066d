"""What one step of a StatefulSet works on, and what its update strategy says to it.

Pure: the set, its two revisions and its pods as they stood when the step began.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies
"""

from __future__ import annotations

from dataclasses import dataclass

from server.cluster.controllers.rollout import scaled
from server.cluster.controllers.statefulset_members import Member
from server.cluster.objects import Object


@dataclass(slots=True)
class Step:
    """What one reconcile works on: the pods as they stood when it began, by ordinal. ``ordinals`` are those of the spec; ``surplus`` are
    the members of other ordinals, highest first."""

    stateful_set: Object
    current: Object
    update: Object
    collisions: int
    members: dict[int, Member]
    ordinals: range
    surplus: list[Member]
    renewed: int = 0

    @property
    def ordered(self) -> bool:
        return self.stateful_set["spec"].get("podManagementPolicy") != "Parallel"

    @property
    def min_ready(self) -> int:
        return self.stateful_set["spec"].get("minReadySeconds", 0)

    @property
    def strategy(self) -> Object:
        return self.stateful_set["spec"].get("updateStrategy") or {}

    @property
    def rolling(self) -> Object:
        return self.strategy.get("rollingUpdate") or {}

    def stays_back(self, ordinal: int) -> bool:
        """A new pod of this ordinal is below the partition and keeps the template that came before the latest."""
        return self.strategy.get("type") != "OnDelete" and ordinal < self.ordinals.start + self.rolling.get("partition", 0)

    def max_unavailable(self) -> int:
        """The share rounds down, as it does for Deployments, but at least one pod may be renewed."""
        return max(1, scaled(self.rolling["maxUnavailable"], len(self.ordinals), up=False))
