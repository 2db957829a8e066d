"""The small world of world.py with one object or two of every kind beyond it: workloads with their revisions and pods, Jobs, autoscalers,
budgets, storage (kinds.yaml). Nothing changes them by itself, so that what the real kubectl printed of them (``recordings/kinds``) stays true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from server.cluster.apiserver.client import Client

Object = dict[str, Any]
RESOURCES = {
    "StatefulSet": "statefulsets.apps", "DaemonSet": "daemonsets.apps", "ControllerRevision": "controllerrevisions.apps", "Job": "jobs.batch",
    "CronJob": "cronjobs.batch", "ReplicationController": "replicationcontrollers", "PodTemplate": "podtemplates", "Pod": "pods",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling", "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "PriorityClass": "priorityclasses.scheduling.k8s.io", "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims", "StorageClass": "storageclasses.storage.k8s.io", "CSIDriver": "csidrivers.storage.k8s.io",
    "CSINode": "csinodes.storage.k8s.io", "VolumeAttachment": "volumeattachments.storage.k8s.io",
}
CLUSTERED = {"PriorityClass", "PersistentVolume", "StorageClass", "CSIDriver", "CSINode", "VolumeAttachment"}
OBJECTS = Path(__file__).with_name("kinds.yaml")


def furnish(world: Any) -> None:
    """Puts the objects into the world; ``owned`` in one's metadata says whose it is."""
    client = Client(world.api, "builder", "kubernetes-admin")
    for given in yaml.load_all(OBJECTS.read_text(), _Loader):
        _put(client, world, given)


def _put(client: Client, world: Any, given: Object) -> None:
    kind, meta = given["kind"], dict(given["metadata"])
    namespace = "" if kind in CLUSTERED else "default"
    owner = meta.pop("owned", None)
    if owner:
        owner_kind, name = owner.split("/")
        found = world.api.lister(RESOURCES[owner_kind]).get("default", name)
        meta["ownerReferences"] = [{"apiVersion": found["apiVersion"], "kind": owner_kind, "name": name, "uid": found["metadata"]["uid"],
                                    "controller": True, "blockOwnerDeletion": True}]
    status = given.get("status")
    body = {key: value for key, value in given.items() if key != "status"}
    made = client.create(RESOURCES[kind], {**body, "metadata": {**meta, **({"namespace": namespace} if namespace else {})}})
    if status is not None:
        client.update(RESOURCES[kind], {**made, "status": {**(made.get("status") or {}), **status}}, subresource="status")


class _Loader(yaml.CSafeLoader):
    """Times stay words."""


_Loader.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
                                   for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()}
