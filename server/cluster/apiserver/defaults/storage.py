"""Defaults of persistent volumes, their claims and the storage group.

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field

Object = dict[str, Any]

_CLASS = {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
_DRIVER = {"attachRequired": True, "fsGroupPolicy": "ReadWriteOnceWithFSType", "podInfoOnMount": False, "requiresRepublish": False,
           "seLinuxMount": False, "storageCapacity": False}
_SOURCES = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def volume(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _volume_spec)


def _volume_spec(spec: Object) -> Object:
    spec = filled(spec, {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    for source, fields in _SOURCES.items():
        spec = with_field(spec, source, lambda value, fields=fields: filled(value, fields))
    return spec


def claim(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", claim_spec)


def claim_spec(spec: Object) -> Object:
    """The spec of a claim, also of one in a template."""
    return filled(spec, {"volumeMode": "Filesystem", "resources": {}})


def storage_class(obj: Object) -> Object:
    return filled(obj, _CLASS)


def driver(obj: Object) -> Object:
    spec = filled(obj.get("spec") or {}, _DRIVER)
    return {**obj, "spec": spec if spec.get("volumeLifecycleModes") else {**spec, "volumeLifecycleModes": ["Persistent"]}}


DEFAULTS: dict[str, Callable[[Object], Object]] = {
    "persistentvolumes": volume,
    "persistentvolumeclaims": claim,
    "storageclasses.storage.k8s.io": storage_class,
    "csidrivers.storage.k8s.io": driver,
}
