"""The pods that one PodDisruptionBudget selects, counted as they change, so that no change of one pod looks at the others.

In: each pod as it is now, or its name when it is gone. Out: how many there are, how many are healthy, who owns them.

Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from server.cluster.controllers.podfacts import ready
from server.cluster.objects import Object, controller_of
from server.cluster.selectors import Selector


class Owner(NamedTuple):
    api_version: str
    kind: str
    name: str
    uid: str


class Member(NamedTuple):
    healthy: bool
    staying: bool
    owner: Owner | None


class Members:
    """``len`` is how many there are, whatever their state."""

    def __init__(self, selector: Selector, pods: Iterable[Object]) -> None:
        self._selector = selector
        self._by_name: dict[str, Member] = {}
        self._owned: dict[Owner, dict[str, None]] = {}
        self._healthy = 0
        for pod in pods:
            self.note(pod["metadata"]["name"], pod)

    def __len__(self) -> int:
        return len(self._by_name)

    def note(self, name: str, pod: Object | None) -> bool:
        """Takes a pod as it is now (None: gone); whether that makes a difference."""
        before = self._by_name.get(name)
        now = None
        if pod is not None and self._selector.matches(pod["metadata"].get("labels")):
            staying, reference = "deletionTimestamp" not in pod["metadata"], controller_of(pod)
            owner = None if reference is None else Owner(reference["apiVersion"], reference["kind"], reference["name"], reference["uid"])
            now = Member(staying and ready(pod), staying, owner)
        if now == before:
            return False
        if before is not None:
            self._count(name, before, -1)
        if now is not None:
            self._count(name, now, 1)
        return True

    def _count(self, name: str, member: Member, sign: int) -> None:
        self._healthy += sign * member.healthy
        if sign > 0:
            self._by_name[name] = member
            if member.owner is not None:
                self._owned.setdefault(member.owner, {})[name] = None
            return
        del self._by_name[name]
        if member.owner is not None:
            names = self._owned[member.owner]
            del names[name]
            if not names:
                del self._owned[member.owner]

    def names(self) -> list[str]:
        return list(self._by_name)

    def owners(self) -> Iterator[tuple[Owner, str]]:
        """Each owner, with the name of one of its pods."""
        for owner, names in self._owned.items():
            yield owner, next(iter(names))

    def staying(self, name: str) -> bool:
        """Whether a pod is there and not being deleted."""
        member = self._by_name.get(name)
        return member is not None and member.staying

    def healthy_without(self, names: Iterable[str]) -> int:
        """How many are ready and stay, those named not counted."""
        return self._healthy - sum(member.healthy for name in names if (member := self._by_name.get(name)) is not None)
