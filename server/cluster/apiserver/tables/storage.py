"""Columns of persistent volumes, their claims and the storage group."""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.tables.table import AGE, CORE, NAME, Column, TableOf, When
from server.cluster.objects import Object
from server.cluster.printing import UNSET
from server.cluster.quantity import canonical
from server.cluster.volumes import access_modes, class_of, is_default

STORAGE = "io.k8s.api.storage.v1."


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else (obj.get("status") or {}).get("phase", "")


def _volume(obj: Object, when: When) -> list[Any]:
    spec = obj["spec"]
    claim = spec.get("claimRef")
    return [
        obj["metadata"]["name"],
        canonical((spec.get("capacity") or {}).get("storage", "0")),
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        (obj.get("status") or {}).get("reason", ""),
        when.born(obj),
        spec.get("volumeMode") or UNSET,
    ]


def _claim(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    bound = spec.get("volumeName", "")
    return [
        obj["metadata"]["name"],
        _phase(obj),
        bound,
        canonical((status.get("capacity") or {}).get("storage", "0")) if bound else "",
        access_modes(status.get("accessModes")) if bound else "",
        class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        when.born(obj),
        spec.get("volumeMode") or UNSET,
    ]


def _class(obj: Object, when: When) -> list[Any]:
    return [
        obj["metadata"]["name"] + (" (default)" if is_default(obj) else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        when.born(obj),
    ]


def _driver(obj: Object, when: When) -> list[Any]:
    spec = obj.get("spec") or {}
    tokens = [token.get("audience", "") for token in spec.get("tokenRequests") or ()]
    return [
        obj["metadata"]["name"],
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        ",".join(tokens) or UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        when.born(obj),
    ]


def _csi_node(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], len((obj.get("spec") or {}).get("drivers") or ()), when.born(obj)]


def _attachment(obj: Object, when: When) -> list[Any]:
    spec = obj["spec"]
    return [
        obj["metadata"]["name"],
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        (obj.get("status") or {}).get("attached", False),
        when.born(obj),
    ]


TABLES: dict[str, TableOf] = {
    "persistentvolumes": TableOf((
        NAME,
        Column("Capacity", f"{CORE}PersistentVolumeSpec:capacity"),
        Column("Access Modes", f"{CORE}PersistentVolumeSpec:accessModes"),
        Column("Reclaim Policy", f"{CORE}PersistentVolumeSpec:persistentVolumeReclaimPolicy"),
        Column("Status", f"{CORE}PersistentVolumeStatus:phase"),
        Column("Claim", f"{CORE}PersistentVolumeSpec:claimRef"),
        Column("StorageClass", "StorageClass of the pv"),
        Column("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
        Column("Reason", f"{CORE}PersistentVolumeStatus:reason"),
        AGE,
        Column("VolumeMode", f"{CORE}PersistentVolumeSpec:volumeMode", 1),
    ), _volume),
    "persistentvolumeclaims": TableOf((
        NAME,
        Column("Status", f"{CORE}PersistentVolumeClaimStatus:phase"),
        Column("Volume", f"{CORE}PersistentVolumeClaimSpec:volumeName"),
        Column("Capacity", f"{CORE}PersistentVolumeClaimStatus:capacity"),
        Column("Access Modes", f"{CORE}PersistentVolumeClaimStatus:accessModes"),
        Column("StorageClass", "StorageClass of the pvc"),
        Column("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
        AGE,
        Column("VolumeMode", f"{CORE}PersistentVolumeClaimSpec:volumeMode", 1),
    ), _claim),
    "storageclasses.storage.k8s.io": TableOf((
        NAME,
        Column("Provisioner", f"{STORAGE}StorageClass:provisioner"),
        Column("ReclaimPolicy", f"{STORAGE}StorageClass:reclaimPolicy"),
        Column("VolumeBindingMode", f"{STORAGE}StorageClass:volumeBindingMode"),
        Column("AllowVolumeExpansion", f"{STORAGE}StorageClass:allowVolumeExpansion"),
        AGE,
    ), _class),
    "csidrivers.storage.k8s.io": TableOf((
        NAME,
        Column("AttachRequired", f"{STORAGE}CSIDriverSpec:attachRequired", type="boolean"),
        Column("PodInfoOnMount", f"{STORAGE}CSIDriverSpec:podInfoOnMount", type="boolean"),
        Column("StorageCapacity", f"{STORAGE}CSIDriverSpec:storageCapacity", type="boolean"),
        Column("TokenRequests", f"{STORAGE}CSIDriverSpec:tokenRequests"),
        Column("RequiresRepublish", f"{STORAGE}CSIDriverSpec:requiresRepublish", type="boolean"),
        Column("Modes", f"{STORAGE}CSIDriverSpec:volumeLifecycleModes"),
        AGE,
    ), _driver),
    "csinodes.storage.k8s.io": TableOf((
        NAME, Column("Drivers", "Drivers indicates the number of CSI drivers registered on the node", type="integer"), AGE), _csi_node),
    "volumeattachments.storage.k8s.io": TableOf((
        NAME,
        Column("Attacher", f"{STORAGE}VolumeAttachmentSpec:attacher"),
        Column("PV", f"{STORAGE}VolumeAttachmentSource:persistentVolumeName"),
        Column("Node", f"{STORAGE}VolumeAttachmentSpec:nodeName"),
        Column("Attached", f"{STORAGE}VolumeAttachmentStatus:attached", type="boolean"),
        AGE,
    ), _attachment),
}
