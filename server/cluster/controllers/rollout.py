"""The arithmetic of a rollout: how many pods each ReplicaSet of a Deployment may have.

Numbers in, numbers out; nothing here reads or writes the cluster. ``maxSurge`` rounds up and ``maxUnavailable`` down, and if both
come to nothing one pod may be unavailable, or no rollout could ever begin.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment

>>> scaled("25%", 10, up=True), scaled("25%", 10, up=False), scaled(3, 10, up=True)
(3, 2, 3)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.cluster.objects import Object, annotations, name

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
DEFAULT_SHARE = "25%"


def size(workload: Object) -> int:
    """``spec.replicas`` of a Deployment or ReplicaSet."""
    replicas = workload["spec"].get("replicas")
    return 1 if replicas is None else replicas


def count(replica_sets: Iterable[Object], field: str) -> int:
    """The sum of a status field."""
    return sum((replica_set.get("status") or {}).get(field, 0) for replica_set in replica_sets)


def available(replica_set: Object) -> int:
    """Its available pods, without those that are about to go because it has been made smaller."""
    return min(size(replica_set), count([replica_set], "availableReplicas"))


def total_size(replica_sets: Iterable[Object]) -> int:
    return sum(size(replica_set) for replica_set in replica_sets)


def active(replica_sets: Iterable[Object]) -> list[Object]:
    """Those that want pods."""
    return [replica_set for replica_set in replica_sets if size(replica_set) > 0]


def scaled(value: Any, total: int, up: bool) -> int:
    """An absolute number, or a percentage of ``total`` rounded up or down."""
    if isinstance(value, str):
        percent = int(value.removesuffix("%"))
        return -(-percent * total // 100) if up else percent * total // 100
    return int(value)


def rolling(deployment: Object) -> bool:
    return strategy(deployment) == "RollingUpdate"


def strategy(deployment: Object) -> str:
    return (deployment["spec"].get("strategy") or {}).get("type") or "RollingUpdate"


def _share(deployment: Object, field: str) -> Any:
    given = ((deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}).get(field)
    return DEFAULT_SHARE if given is None else given


def max_surge(deployment: Object) -> int:
    """How many pods above the desired number there may be."""
    return scaled(_share(deployment, "maxSurge"), size(deployment), up=True) if rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    """How many of the desired number may be missing."""
    desired = size(deployment)
    if not rolling(deployment) or desired == 0:
        return 0
    unavailable = scaled(_share(deployment, "maxUnavailable"), desired, up=False)
    if unavailable == 0 and max_surge(deployment) == 0:
        unavailable = 1
    return min(unavailable, desired)


def min_available(deployment: Object) -> int:
    return size(deployment) - max_unavailable(deployment)


def new_size(deployment: Object, replica_sets: Iterable[Object], current: int) -> int:
    """What the new ReplicaSet, now of size ``current``, may grow to while ``replica_sets`` (it included) have the pods they have."""
    if not rolling(deployment):
        return size(deployment)
    room = size(deployment) + max_surge(deployment) - total_size(replica_sets)
    return current + max(0, min(room, size(deployment) - current))


def may_scale_down(deployment: Object, replica_sets: list[Object], new: Object) -> int:
    """How many old pods could go if all that is unavailable in the new ReplicaSet stayed so."""
    return total_size(replica_sets) - min_available(deployment) - (size(new) - available(new))


def cleaned_up(old: list[Object], limit: int) -> dict[str, int]:
    """New sizes by name that take away up to ``limit`` unhealthy pods, oldest ReplicaSet first."""
    sizes: dict[str, int] = {}
    for replica_set in by_age(old):
        taken = min(limit, size(replica_set) - available(replica_set))
        if taken > 0:
            sizes[name(replica_set)] = size(replica_set) - taken
            limit -= taken
    return sizes


def scaled_down(deployment: Object, replica_sets: list[Object], old: list[Object]) -> dict[str, int]:
    """New sizes by name that take away old pods, oldest ReplicaSet first, down to the fewest available pods allowed."""
    spare = sum(available(replica_set) for replica_set in replica_sets) - min_available(deployment)
    sizes: dict[str, int] = {}
    for replica_set in by_age(old):
        taken = min(size(replica_set), spare)
        if taken > 0:
            sizes[name(replica_set)] = size(replica_set) - taken
            spare -= taken
    return sizes


def proportional(deployment: Object, replica_sets: list[Object]) -> list[tuple[Object, int]]:
    """The active ReplicaSets of a Deployment that was scaled in mid-rollout, with sizes that keep their shares. The largest takes
    what rounding leaves over; between equals growth goes to the newer and shrinking to the older."""
    allowed = size(deployment) + max_surge(deployment) if size(deployment) > 0 else 0
    to_add = allowed - total_size(replica_sets)
    if to_add > 0:
        ordered = sorted(by_age(replica_sets, newest_first=True), key=size, reverse=True)
    elif to_add < 0:
        ordered = sorted(by_age(replica_sets), key=size, reverse=True)
    else:
        return [(replica_set, size(replica_set)) for replica_set in replica_sets]
    added = 0
    sizes: list[int] = []
    for replica_set in ordered:
        share = _proportion(deployment, replica_set, to_add, added)
        sizes.append(size(replica_set) + share)
        added += share
    if sizes:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return list(zip(ordered, sizes, strict=True))


def _proportion(deployment: Object, replica_set: Object, to_add: int, added: int) -> int:
    left = to_add - added
    if size(replica_set) == 0 or left == 0:
        return 0
    share = _fraction(deployment, replica_set)
    return min(share, left) if to_add > 0 else max(share, left)


def _fraction(deployment: Object, replica_set: Object) -> int:
    """By how much a ReplicaSet changes if it keeps its share of the pods that were allowed when it was last scaled."""
    if size(deployment) == 0:
        return -size(replica_set)
    before = number(annotations(replica_set).get(MAX_REPLICAS)) or (deployment.get("status") or {}).get("replicas", 0)
    if not before:
        return 0
    allowed = size(deployment) + max_surge(deployment)
    return round_half_away(size(replica_set) * allowed, before) - size(replica_set)


def round_half_away(numerator: int, denominator: int) -> int:
    """
    >>> round_half_away(5, 2), round_half_away(7, 3)
    (3, 2)
    """
    return (2 * numerator + denominator) // (2 * denominator)


def number(text: str | None) -> int | None:
    """An annotation's number; None if it is missing or none."""
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def by_age(replica_sets: Iterable[Object], newest_first: bool = False) -> list[Object]:
    """By creation, oldest first; of the same second by name."""
    ordered = sorted(replica_sets, key=name)
    return sorted(ordered, key=lambda replica_set: replica_set["metadata"].get("creationTimestamp", ""), reverse=newest_first)


def saturated(deployment: Object, new: Object | None) -> bool:
    """The new ReplicaSet has all it was meant to have, and it is available."""
    if new is None:
        return False
    desired = size(deployment)
    return (size(new) == desired and number(annotations(new).get(DESIRED_REPLICAS)) == desired
            and count([new], "availableReplicas") == desired)


def complete(deployment: Object, status: Object) -> bool:
    """Every pod is of the new template, available, and none is left over."""
    desired = size(deployment)
    return (all(status.get(field, 0) == desired for field in ("replicas", "updatedReplicas", "availableReplicas"))
            and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0))


def progressed(before: Object, after: Object) -> bool:
    """Whether a status is nearer to the end than the one before it."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_after = after.get("replicas", 0) - after.get("updatedReplicas", 0)
    return old_after < old_before or any(
        after.get(field, 0) > before.get(field, 0) for field in ("updatedReplicas", "readyReplicas", "availableReplicas"))
