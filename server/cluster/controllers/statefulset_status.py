"""What a StatefulSet reports: how many pods it has, how they stand, and which templates they are of.

Pure: the pods as they stood when a step began in, the status out. A rolling update is over when every pod is of the latest template and
ready: then that template becomes the current one.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetStatus
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from server.cluster.clock import Clock
from server.cluster.controllers import statefulset_identity as identity
from server.cluster.controllers.statefulset_members import Member
from server.cluster.objects import Object


def counted(stateful_set: Object, members: Collection[Member], current: str, update: str, collisions: int, renewed: int,
            clock: Clock) -> Object:
    """``current`` and ``update`` are names of revisions; ``renewed`` pods of the current one were deleted in this step."""
    spec = stateful_set["spec"]
    tally = Counter((member.revision, member.terminating, member.ready) for member in members)
    ready = sum(number for (_, _, is_ready), number in tally.items() if is_ready)
    updated, currently = _staying(tally, update), _staying(tally, current) - renewed
    min_ready = spec.get("minReadySeconds", 0)
    available = sum(member.available(min_ready, clock) for member in members) if min_ready else ready
    strategy = (spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
    if strategy == "RollingUpdate" and updated == ready == len(members) == identity.size(stateful_set):
        current, currently = update, updated
    numbers = {"readyReplicas": ready, "currentReplicas": currently, "updatedReplicas": updated}
    return {
        "observedGeneration": stateful_set["metadata"].get("generation", 0),
        "replicas": len(members),
        **{field: number for field, number in numbers.items() if number},
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": collisions,
        "availableReplicas": available,
    }


def _staying(tally: Counter[tuple[str, bool, bool]], revision: str) -> int:
    return tally[revision, False, False] + tally[revision, False, True]
