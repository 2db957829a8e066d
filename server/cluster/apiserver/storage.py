"""What the API server does to storage objects beside defaulting and validation: first status, phase times, admission.

StorageObjectInUseProtection puts finalizers on volumes and claims; DefaultStorageClass gives a claim that says nothing the cluster's
default class; PersistentVolumeClaimResize refuses what cannot grow.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.errors import forbidden
from server.cluster.objects import Object, replaced
from server.cluster.volumes import (
    CLAIMS,
    CLASSES,
    PV_FINALIZER,
    PVC_FINALIZER,
    VOLUMES,
    class_given,
    class_of,
    default_class,
    requested,
)

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

FINALIZERS = {CLAIMS: PVC_FINALIZER, VOLUMES: PV_FINALIZER}
NO_RESIZE = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"


def new_claim(api: ApiServer, claim: Object) -> Object:
    return {**claim, "status": {"phase": "Pending"}}


def new_volume(api: ApiServer, volume: Object) -> Object:
    return {**volume, "status": {"phase": "Pending", "lastPhaseTransitionTime": api.clock.timestamp()}}


def admit(api: ApiServer, resource: str, obj: Object) -> Object:
    """A new volume or claim with its finalizer, and its class."""
    finalizers, own = obj["metadata"].get("finalizers") or [], FINALIZERS[resource]
    if own not in finalizers:
        obj = replaced(obj, {("metadata", "finalizers"): [*finalizers, own]})
    if resource == CLAIMS and class_given(obj) is None:
        found = default_class(api.lister(CLASSES).list())
        if found is not None:
            obj = replaced(obj, {("spec", "storageClassName"): found["metadata"]["name"]})
    return obj


def check_resize(api: ApiServer, new: Object, old: Object) -> None:
    """ApiError when a claim asks for more than it can get."""
    if new["spec"] is old["spec"] or requested(new) <= requested(old):
        return
    name = new["metadata"]["name"]
    if (old.get("status") or {}).get("phase") != "Bound":
        raise forbidden(CLAIMS, name, "Only bound persistent volume claims can be expanded")
    found = api.lister(CLASSES).get("", class_of(new))
    if found is None or not found.get("allowVolumeExpansion"):
        raise forbidden(CLAIMS, name, NO_RESIZE)
