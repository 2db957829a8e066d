"""What ``kubectl rollout status`` says of a workload: its object in, a line and whether the rollout is over out. One viewer a kind.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_status/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.objects import annotations
from server.kubectl.errors import CommandError
from server.kubectl.flags import quoted

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def revision_of(obj: Object) -> int | None:
    """The revision a Deployment or ReplicaSet is at."""
    text = annotations(obj).get(REVISION, "")
    return int(text) if text.lstrip("-").isdigit() else None


def deployment_status(deployment: Object, revision: int = 0) -> tuple[str, bool]:
    """``revision`` insists on one; 0 means whichever it is."""
    meta, spec, current = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    if revision > 0:
        running = revision_of(deployment) or 0
        if revision != running:
            raise CommandError(f"desired revision ({revision}) is different from the running revision ({running})")
    if meta.get("generation", 0) > current.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    name = quoted(meta["name"])
    if any(each["type"] == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded" for each in current.get("conditions") or ()):
        raise CommandError(f"deployment {name} exceeded its progress deadline")
    wanted = spec.get("replicas", 1)
    updated, total, available = (current.get(field) or 0 for field in ("updatedReplicas", "replicas", "availableReplicas"))
    if updated < wanted:
        what = f"{updated} out of {wanted} new replicas have been updated"
    elif total > updated:
        what = f"{total - updated} old replicas are pending termination"
    elif available < updated:
        what = f"{available} of {updated} updated replicas are available"
    else:
        return f"deployment {name} successfully rolled out\n", True
    return f"Waiting for deployment {name} rollout to finish: {what}...\n", False


def stateful_set_status(stateful_set: Object, revision: int = 0) -> tuple[str, bool]:
    """Its revisions have no numbers to insist on: ``revision`` is ignored, as kubectl does."""
    spec, current = stateful_set["spec"], stateful_set.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    observed = current.get("observedGeneration", 0)
    if not observed or stateful_set["metadata"].get("generation", 0) > observed:
        return "Waiting for statefulset spec update to be observed...\n", False
    wanted, ready, updated = spec.get("replicas", 1), current.get("readyReplicas", 0), current.get("updatedReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...\n", False
    if strategy.get("rollingUpdate") is not None:
        to_update = wanted - strategy["rollingUpdate"].get("partition", 0)
        if updated < to_update:
            return f"Waiting for partitioned roll out to finish: {updated} out of {to_update} new pods have been updated...\n", False
        return f"partitioned roll out complete: {updated} new pods have been updated...\n", True
    if current.get("updateRevision") != current.get("currentRevision"):
        return f"waiting for statefulset rolling update to complete {updated} pods at revision {current.get('updateRevision', '')}...\n", False
    return (f"statefulset rolling update complete {current.get('currentReplicas', 0)} pods at revision "
            f"{current.get('currentRevision', '')}...\n", True)


def daemon_set_status(daemon_set: Object, revision: int = 0) -> tuple[str, bool]:
    """``revision`` is ignored, as of a StatefulSet."""
    current = daemon_set.get("status") or {}
    if (daemon_set["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if daemon_set["metadata"].get("generation", 0) > current.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    name = quoted(daemon_set["metadata"]["name"])
    desired, updated, available = (current.get(field, 0) for field in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"))
    if updated < desired:
        what = f"{updated} out of {desired} new pods have been updated"
    elif available < desired:
        what = f"{available} of {desired} updated pods are available"
    else:
        return f"daemon set {name} successfully rolled out\n", True
    return f"Waiting for daemon set {name} rollout to finish: {what}...\n", False


VIEWERS: dict[str, Callable[[Object, int], tuple[str, bool]]] = {
    "DaemonSet": daemon_set_status,
    "Deployment": deployment_status,
    "StatefulSet": stateful_set_status,
}
