"""The records of workloads past the Deployment, of volumes and their claims, of autoscalers and disruption budgets.

As in ``records``: an object in, what the canvas draws of it out. Pods say themselves what they mount and which ordinal they are, so
that nothing here looks at pods.
"""

from __future__ import annotations

from server.cluster.apiserver.tables.autoscaling import targets
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, condition, controller_of
from server.live.records import MESSAGE_LIMIT, Record, compact

MAX_LISTED = 50


def _common(obj: Object) -> Record:
    meta = obj["metadata"]
    owner = controller_of(obj)
    return {"kind": obj["kind"], "ns": meta.get("namespace"), "name": meta["name"],
            "owner": f"{owner['kind']}/{meta['namespace']}/{owner['name']}" if owner else None,
            "labels": meta.get("labels") or None, "system": True if meta.get("namespace") == "kube-system" else None}


def _selector(spec: Object) -> dict[str, str]:
    return (spec.get("selector") or {}).get("matchLabels") or {}


def _image(spec: Object) -> str | None:
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return containers[0].get("image")


def stateful_set(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    update = spec.get("updateStrategy") or {}
    return compact({
        **_common(obj), "replicas": spec.get("replicas", 1), "ready": status.get("readyReplicas", 0), "current": status.get("replicas", 0),
        "updated": status.get("updatedReplicas", 0), "available": status.get("availableReplicas", 0),
        "start": (spec.get("ordinals") or {}).get("start", 0), "policy": spec.get("podManagementPolicy", "OrderedReady"),
        "strategy": update.get("type", "RollingUpdate"), "partition": (update.get("rollingUpdate") or {}).get("partition") or None,
        "service": spec.get("serviceName") or None, "selector": _selector(spec), "image": _image(spec),
        "claims": [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or ()][:MAX_LISTED] or None})


def daemon_set(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    return compact({
        **_common(obj), "replicas": status.get("desiredNumberScheduled", 0), "ready": status.get("numberReady", 0),
        "current": status.get("currentNumberScheduled", 0), "updated": status.get("updatedNumberScheduled", 0),
        "available": status.get("numberAvailable", 0), "misscheduled": status.get("numberMisscheduled") or None,
        "strategy": (spec.get("updateStrategy") or {}).get("type", "RollingUpdate"), "selector": _selector(spec), "image": _image(spec)})


def replication_controller(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    return compact({**_common(obj), "replicas": spec.get("replicas", 1), "ready": status.get("readyReplicas", 0),
                     "current": status.get("replicas", 0), "selector": spec.get("selector") or {}, "image": _image(spec)})


def job(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    ended = next((entry["type"] for entry in status.get("conditions") or () if entry["type"] in ("Complete", "Failed") and entry["status"] == "True"),
                 None)
    return compact({
        **_common(obj), "replicas": spec.get("completions"), "parallelism": spec.get("parallelism", 1), "active": status.get("active", 0),
        "ready": status.get("ready", 0), "succeeded": status.get("succeeded", 0), "failed": status.get("failed", 0),
        "indexed": True if spec.get("completionMode") == "Indexed" else None, "done": status.get("completedIndexes") or None,
        "lost": status.get("failedIndexes") or None, "suspended": True if spec.get("suspend") else None,
        "ended": {"Complete": "complete", "Failed": "failed"}.get(ended or ""), "why": (condition(obj, ended) or {}).get("reason") if ended else None,
        "selector": _selector(spec), "image": _image(spec), "created": cluster.clock.seconds(obj["metadata"]["creationTimestamp"])})


def cron_job(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    last = status.get("lastScheduleTime")
    return compact({
        **_common(obj), "schedule": spec["schedule"], "zone": spec.get("timeZone"), "suspended": True if spec.get("suspend") else None,
        "policy": spec.get("concurrencyPolicy", "Allow"), "active": len(status.get("active") or ()),
        "last": cluster.clock.seconds(last) if last else None})


def autoscaler(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    active = condition(obj, "ScalingActive")
    return compact({
        **_common(obj), "target": f"{target['kind']}/{obj['metadata']['namespace']}/{target['name']}", "min": spec.get("minReplicas", 1),
        "max": spec["maxReplicas"], "current": status.get("currentReplicas", 0), "desired": status.get("desiredReplicas", 0),
        "metrics": targets(spec.get("metrics") or [], status.get("currentMetrics") or []), **_blind(active)})


def _blind(active: Object | None) -> Record:
    """Why an autoscaler does nothing, in Kubernetes' own words."""
    return {"blind": True, "why": active.get("message", "")[:MESSAGE_LIMIT]} if active is not None and active["status"] == "False" else {}


def disruption_budget(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    return compact({
        **_common(obj), "allowed": status.get("disruptionsAllowed", 0), "current": status.get("currentHealthy", 0),
        "desired": status.get("desiredHealthy", 0), "expected": status.get("expectedPods", 0), "minAvailable": spec.get("minAvailable"),
        "maxUnavailable": spec.get("maxUnavailable"), "selector": _selector(spec)})


def claim(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    volume = spec.get("volumeName")
    name = spec.get("storageClassName")
    kept = cluster.api.lister("storageclasses.storage.k8s.io").get("", name) if name and not volume else None
    return compact({
        **_common(obj), "phase": status.get("phase", "Pending"), "volume": f"PersistentVolume//{volume}" if volume else None,
        "class": spec.get("storageClassName") or None, "modes": spec.get("accessModes") or [],
        "asked": ((spec.get("resources") or {}).get("requests") or {}).get("storage"),
        "capacity": (status.get("capacity") or {}).get("storage"),
        "waits": True if kept is not None and kept.get("volumeBindingMode") == "WaitForFirstConsumer" else None,
        "unknownClass": True if name and not volume and kept is None else None,
        "terminating": True if "deletionTimestamp" in obj["metadata"] else None})


def volume(cluster: Cluster, obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    bound = spec.get("claimRef")
    source = next((field for field in ("nfs", "hostPath", "local", "csi") if field in spec), None)
    where = spec.get(source) if source else None
    return compact({
        **_common(obj), "phase": status.get("phase", "Pending"), "modes": spec.get("accessModes") or [],
        "capacity": (spec.get("capacity") or {}).get("storage"), "class": spec.get("storageClassName") or None,
        "reclaim": spec.get("persistentVolumeReclaimPolicy"), "source": source,
        "where": ":".join(filter(None, (where.get("server"), where.get("path") or where.get("driver")))) if where else None,
        "claim": f"PersistentVolumeClaim/{bound.get('namespace', '')}/{bound.get('name', '')}" if bound else None,
        "terminating": True if "deletionTimestamp" in obj["metadata"] else None})


PROJECTIONS = {
    "statefulsets.apps": stateful_set, "daemonsets.apps": daemon_set, "replicationcontrollers": replication_controller, "jobs.batch": job,
    "cronjobs.batch": cron_job, "horizontalpodautoscalers.autoscaling": autoscaler, "poddisruptionbudgets.policy": disruption_budget,
    "persistentvolumeclaims": claim, "persistentvolumes": volume,
}
