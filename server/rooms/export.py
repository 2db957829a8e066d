"""Everything that people made in a room, as YAML that makes it again: objects in, one text of many documents out.

What the cluster makes by itself is left out: status, what the API server counts, addresses and nodes that were assigned, defaults (a field
goes only if defaulting brings back the very same value), what has an owner, and what every new cluster has. Namespaces come first, then
what others refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from server.cluster.apiserver import defaults
from server.cluster.apiserver.resources import RESOURCES, Resource
from server.cluster.cluster import Cluster
from server.kubectl.yamlout import to_yaml
from server.rooms.room import RoomError

Object = dict[str, Any]
Place = tuple[str | int, ...]
ORDER = ("Namespace", "PriorityClass", "StorageClass", "CSIDriver", "IngressClass", "PersistentVolume", "ServiceAccount", "ConfigMap", "Secret",
         "PersistentVolumeClaim", "Service", "Endpoints", "EndpointSlice")
LEFT_OUT = {"events", "nodes", "componentstatuses", "csinodes.storage.k8s.io", "volumeattachments.storage.k8s.io", "leases.coordination.k8s.io",
            "controllerrevisions.apps"}
SYSTEM_NAMESPACES = {"kube-system", "kube-public", "kube-node-lease"}
GIVEN = {("Namespace", "default"), ("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("PriorityClass", "system-cluster-critical"),
         ("PriorityClass", "system-node-critical")}
GIVEN_IN_DEFAULT = {("Service", "kubernetes"), ("Endpoints", "kubernetes"), ("EndpointSlice", "kubernetes")}
META = {"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
        "ownerReferences", "finalizers"}
NOTED = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision",
         "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/", "deprecated.daemonset.template.generation",
         "endpoints.kubernetes.io/", "batch.kubernetes.io/cronjob-scheduled-timestamp", "autoscaling.alpha.kubernetes.io/")
NAME_LABEL = "kubernetes.io/metadata.name"
MOST, LARGEST = 5_000, 8 * 1024 * 1024
TELLING = {"replicas", "selector", "containers", "template"}  # told even where they are what defaulting would give
MOST_TRIED = 400


def export(cluster: Cluster, namespace: str = "", chosen: frozenset[str] = frozenset(), breathe: Callable[[], None] = lambda: None) -> str:
    """All of it, or one namespace's, or only the ``chosen`` (``Kind/namespace/name``). RoomError 413 for more than one text should hold."""
    texts: list[str] = []
    size = 0
    for number, (row, obj) in enumerate(found(cluster, namespace, chosen)):
        if number >= MOST:
            raise RoomError(f"more than {MOST} objects: export one namespace at a time", 413)
        texts.append(to_yaml(clean(row, obj)))
        size += len(texts[-1])
        if size > LARGEST:
            raise RoomError(f"more than {LARGEST} bytes: export one namespace at a time", 413)
        breathe()
    return "---\n".join(texts)


def found(cluster: Cluster, namespace: str = "", chosen: frozenset[str] = frozenset()) -> Iterator[tuple[Resource, Object]]:
    rows = [row for row in RESOURCES.values() if row.key not in LEFT_OUT and "create" in row.verbs]
    rows.sort(key=lambda row: (ORDER.index(row.kind) if row.kind in ORDER else len(ORDER), row.kind))
    for row in rows:
        if namespace and not row.namespaced and row.kind != "Namespace":
            continue
        for obj in cluster.api.lister(row.key).list(namespace if row.namespaced else ""):
            meta = obj["metadata"]
            if row.kind == "Namespace" and namespace not in ("", meta["name"]):
                continue
            if chosen and f"{row.kind}/{meta.get('namespace', '')}/{meta['name']}" not in chosen:
                continue
            if made(cluster, row, obj):
                yield row, obj


def made(cluster: Cluster, row: Resource, obj: Object) -> bool:
    """Whether a person made it."""
    meta = obj["metadata"]
    name, namespace = meta["name"], meta.get("namespace", "")
    if namespace in SYSTEM_NAMESPACES or (row.kind == "Namespace" and name in SYSTEM_NAMESPACES) or (row.kind, name) in GIVEN:
        return False
    if namespace == "default" and (row.kind, name) in GIVEN_IN_DEFAULT:
        return False
    if meta.get("ownerReferences") or meta.get("deletionTimestamp"):
        return False
    annotations, labels = meta.get("annotations") or {}, meta.get("labels") or {}
    if "kubernetes.io/config.mirror" in annotations or "pv.kubernetes.io/provisioned-by" in annotations:
        return False
    if row.kind == "EndpointSlice" and labels.get("endpointslice.kubernetes.io/managed-by", "").endswith("k8s.io"):
        return False
    if row.kind == "Endpoints":
        service = cluster.api.lister("services").get(namespace, name)
        return service is None or not service["spec"].get("selector")
    if row.kind == "PersistentVolumeClaim":
        return not _of_a_stateful_set(cluster, namespace, name)
    return not (row.kind == "Secret" and obj.get("type") == "kubernetes.io/service-account-token")


def _of_a_stateful_set(cluster: Cluster, namespace: str, claim: str) -> bool:
    """Whether a StatefulSet makes the claim for one of its pods: they are named TEMPLATE-SET-NUMBER, and have no owner by default."""
    base, _, number = claim.rpartition("-")
    return number.isdigit() and any(
        base == f"{template['metadata']['name']}-{one['metadata']['name']}"
        for one in cluster.api.lister("statefulsets.apps").list(namespace) for template in one["spec"].get("volumeClaimTemplates") or ())


def clean(row: Resource, obj: Object) -> Object:
    """What one would write to make it."""
    meta = obj["metadata"]
    kept = {key: value for key, value in meta.items() if key not in META and value not in ({}, [], None)}
    if annotations := {key: value for key, value in (meta.get("annotations") or {}).items() if not key.startswith(NOTED)}:
        kept["annotations"] = annotations
    else:
        kept.pop("annotations", None)
    if labels := {key: value for key, value in (meta.get("labels") or {}).items() if not (row.kind == "Namespace" and key == NAME_LABEL)}:
        kept["labels"] = _without_job(labels) if row.kind == "Job" else labels
    if not labels or not kept["labels"]:
        kept.pop("labels", None)
    written = {"apiVersion": row.api_version, "kind": row.kind, "metadata": kept,
               **{key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}}
    if isinstance(obj.get("spec"), dict):
        written["spec"] = _spec(row, obj, dict(obj["spec"]))
    written = pruned(row.key, written)
    return {key: value for key, value in written.items() if key != "spec" or value not in ({}, None)}


def _spec(row: Resource, obj: Object, spec: Object) -> Object:
    """A spec without what the cluster assigned."""
    if row.kind == "Namespace":
        return {}
    if row.kind == "Service":
        if spec.get("clusterIP") != "None":
            spec.pop("clusterIP", None)
            spec.pop("clusterIPs", None)
    elif row.kind == "Pod":
        spec = _pod(spec)
    elif row.kind == "PersistentVolumeClaim":
        if "pv.kubernetes.io/bound-by-controller" in (obj["metadata"].get("annotations") or {}):
            spec.pop("volumeName", None)
    elif row.kind == "PersistentVolume":
        if reference := spec.get("claimRef"):
            if "pv.kubernetes.io/bound-by-controller" in (obj["metadata"].get("annotations") or {}):
                spec.pop("claimRef")
            else:
                spec["claimRef"] = {key: value for key, value in reference.items() if key not in ("uid", "resourceVersion")}
    elif row.kind == "Job" and not spec.get("manualSelector"):
        spec = _job(spec)
    return spec


def _job(spec: Object) -> Object:
    meta = spec["template"].get("metadata") or {}
    labels = _without_job(meta.get("labels") or {})
    rest = {key: value for key, value in meta.items() if key != "labels"}
    template = {**spec["template"], "metadata": {**rest, **({"labels": labels} if labels else {})}}
    return {**{key: value for key, value in spec.items() if key not in ("selector", "template")}, "template": template}


def _without_job(labels: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not key.startswith("batch.kubernetes.io/") and key not in ("controller-uid", "job-name")}


def _pod(spec: Object) -> Object:
    """As its author wrote it, before admission added the token's volume, tolerations, a priority and a node."""
    tokens = {volume["name"] for volume in spec.get("volumes") or () if volume["name"].startswith("kube-api-access-")}
    spec = {key: value for key, value in spec.items()
            if key not in ("nodeName", "priority", "preemptionPolicy", "enableServiceLinks") and key != "serviceAccount"}
    if spec.get("serviceAccountName") == "default":
        spec.pop("serviceAccountName")
    spec["volumes"] = [volume for volume in spec.get("volumes") or () if volume["name"] not in tokens]
    spec["tolerations"] = [one for one in spec.get("tolerations") or () if not (
        one.get("tolerationSeconds") == 300 and one.get("key") in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"))]
    for field in ("containers", "initContainers"):
        if spec.get(field):
            mounts = [[mount for mount in one.get("volumeMounts") or () if mount["name"] not in tokens] for one in spec[field]]
            spec[field] = [{**{key: value for key, value in one.items() if key != "volumeMounts"}, **({"volumeMounts": left} if left else {})}
                           for one, left in zip(spec[field], mounts, strict=True)]
    spec.pop("ephemeralContainers", None)
    return {key: value for key, value in spec.items() if key not in ("volumes", "tolerations") or value}


def pruned(key: str, obj: Object) -> Object:
    """The object without what defaulting brings back: a field goes if without it the whole is defaulted to the same."""
    if key not in defaults.DEFAULTS:
        return obj
    whole = defaults.apply(key, obj)
    gone: set[Place] = set()
    for place in list(_places(obj, ()))[:MOST_TRIED]:
        if any(place[:length] in gone for length in range(1, len(place))):
            continue
        if defaults.apply(key, _less(obj, gone | {place})) == whole:
            gone.add(place)
    return _less(obj, gone)


def _places(value: Any, path: Place) -> Iterator[Place]:
    """Where fields are that may have been filled in, the outer ones first."""
    if isinstance(value, dict):
        for key, one in value.items():
            if not path and key in ("apiVersion", "kind", "metadata"):
                continue
            if key not in TELLING and len(path) > 0:
                yield (*path, key)
            yield from _places(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _places(one, (*path, index))


def _less(value: Any, gone: set[Place], path: Place = ()) -> Any:
    if isinstance(value, dict):
        return {key: _less(one, gone, (*path, key)) for key, one in value.items() if (*path, key) not in gone}
    if isinstance(value, list):
        return [_less(one, gone, (*path, index)) for index, one in enumerate(value)]
    return value
