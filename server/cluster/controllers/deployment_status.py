"""What a Deployment says of itself: counts over its ReplicaSets, and the conditions Available, Progressing and ReplicaFailure.

``Progressing`` tells the story of a rollout by its reason: created or found a ReplicaSet, updated it, complete, paused, or past
``progressDeadlineSeconds`` without a step forward. A condition whose status and reason stay is left as it is; one that changes
moves to the end of the list.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

from server.cluster.clock import Clock
from server.cluster.controllers import rollout
from server.cluster.objects import Object, condition, name

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
NEW_AVAILABLE, TIMED_OUT, PAUSED = "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"
NO_DEADLINE = 2**31 - 1


def deadline(deployment: Object) -> int | None:
    """Seconds without progress after which a rollout counts as stuck; None if it never does."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds == NO_DEADLINE else seconds


def new_condition(clock: Clock, type_: str, status: str, reason: str, message: str) -> Object:
    now = clock.timestamp()
    return {"type": type_, "status": status, "lastUpdateTime": now, "lastTransitionTime": now, "reason": reason, "message": message}


def with_condition(conditions: list[Object], new: Object) -> list[Object]:
    """``conditions`` with ``new`` in the place of its type's; unchanged if it says nothing new."""
    current = next((entry for entry in conditions if entry["type"] == new["type"]), None)
    if current is not None and current["status"] == new["status"]:
        if current["reason"] == new["reason"]:
            return conditions
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return [*without(conditions, new["type"]), new]


def without(conditions: list[Object], type_: str) -> list[Object]:
    return [entry for entry in conditions if entry["type"] != type_]


def with_deployment_condition(deployment: Object, new: Object) -> Object:
    """The Deployment with the condition in its status."""
    status = deployment.get("status") or {}
    return {**deployment, "status": {**status, "conditions": with_condition(status.get("conditions") or [], new)}}


def counted(clock: Clock, deployment: Object, replica_sets: list[Object], new: Object | None) -> Object:
    """The status from what the ReplicaSets have: the counts, and whether enough pods are available."""
    status = deployment.get("status") or {}
    available = rollout.count(replica_sets, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": rollout.count(replica_sets, "replicas"),
        "updatedReplicas": rollout.count([new] if new is not None else [], "replicas"),
        "readyReplicas": rollout.count(replica_sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, rollout.total_size(replica_sets) - available),
        "collisionCount": status.get("collisionCount", 0),
    }
    result: Object = {field: value for field, value in counts.items() if value}
    result["terminatingReplicas"] = rollout.count(replica_sets, "terminatingReplicas")
    enough = available >= rollout.min_available(deployment)
    result["conditions"] = with_condition(status.get("conditions") or [], new_condition(
        clock, AVAILABLE, "True" if enough else "False",
        "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."))
    return result


def estimated(clock: Clock, deployment: Object, replica_sets: list[Object], new: Object | None) -> Object:
    """``counted``, with what it says of the rollout's progress and of refused pods."""
    status = counted(clock, deployment, replica_sets, new)
    conditions = status["conditions"]
    current = condition(deployment, PROGRESSING)
    settled = (status.get("replicas", 0) == status.get("updatedReplicas", 0) and current is not None
               and current["reason"] == NEW_AVAILABLE)
    if deadline(deployment) is None:
        conditions = without(conditions, PROGRESSING)
    elif not settled:
        conditions = _progress(clock, deployment, status, conditions, current, new)
    status["conditions"] = _failures(conditions, replica_sets, new)
    return status


def _progress(clock: Clock, deployment: Object, status: Object, conditions: list[Object], current: Object | None,
              new: Object | None) -> list[Object]:
    about = f'ReplicaSet "{name(new)}"' if new is not None else f'Deployment "{name(deployment)}"'
    if rollout.complete(deployment, status):
        return with_condition(conditions, new_condition(
            clock, PROGRESSING, "True", NEW_AVAILABLE, f"{about} has successfully progressed."))
    if rollout.progressed(deployment.get("status") or {}, status):
        step = new_condition(clock, PROGRESSING, "True", "ReplicaSetUpdated", f"{about} is progressing.")
        if current is not None and current["status"] == "True":
            step["lastTransitionTime"] = current["lastTransitionTime"]
        return [*without(conditions, PROGRESSING), step]
    if current is not None and overdue(clock, deployment, current):
        return with_condition(conditions, new_condition(
            clock, PROGRESSING, "False", TIMED_OUT, f"{about} has timed out progressing."))
    return conditions


def overdue(clock: Clock, deployment: Object, progressing: Object) -> bool:
    """The deadline has passed since the rollout last made progress."""
    if progressing["reason"] == NEW_AVAILABLE:
        return False
    return progressing["reason"] == TIMED_OUT or due(clock, deployment, progressing) < clock.now


def due(clock: Clock, deployment: Object, progressing: Object) -> float:
    return clock.seconds(progressing["lastUpdateTime"]) + (deadline(deployment) or 0)


def _failures(conditions: list[Object], replica_sets: list[Object], new: Object | None) -> list[Object]:
    """Carries over that pods of the new ReplicaSet, or else of another, are refused."""
    ordered = [*([new] if new is not None else []), *(entry for entry in replica_sets if entry is not new)]
    failure = next((found for entry in ordered if (found := condition(entry, FAILURE)) is not None), None)
    if failure is None:
        return without(conditions, FAILURE)
    since = failure["lastTransitionTime"]
    return with_condition(conditions, {**failure, "lastUpdateTime": since, "lastTransitionTime": since})
