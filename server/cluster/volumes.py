"""The vocabulary of storage: annotations, access modes, classes, and when a volume satisfies a claim.

In: PersistentVolumes, PersistentVolumeClaims, StorageClasses as plain objects. Out: answers that the API server, the binder, the
scheduler and the kubelet must agree on.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from server.cluster import quantity, selectors
from server.cluster.objects import Object, annotations, uid

BOUND_BY_CONTROLLER, BIND_COMPLETED = "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/bind-completed"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
CLASSES, ATTACHMENTS = "storageclasses.storage.k8s.io", "volumeattachments.storage.k8s.io"
DRIVERS, CSI_NODES = "csidrivers.storage.k8s.io", "csinodes.storage.k8s.io"
VOLUMES, CLAIMS = "persistentvolumes", "persistentvolumeclaims"
PVC_FINALIZER, PV_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
SHORT_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
SOURCES = ("gcePersistentDisk", "awsElasticBlockStore", "hostPath", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "flexVolume", "cinder",
           "cephfs", "fc", "flocker", "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk", "portworxVolume", "scaleIO",
           "local", "storageos", "csi")


def access_modes(modes: Iterable[str] | None) -> str:
    """As kubectl shows them, each once, in its order.

    >>> access_modes(["ReadWriteMany", "ReadWriteOnce", "ReadWriteMany"])
    'RWO,RWX'
    """
    given = tuple(modes or ())
    return ",".join(short for mode, short in SHORT_MODES.items() if mode in given)


def class_of(obj: Object) -> str:
    """The class of a volume or claim; "" for none."""
    return class_given(obj) or ""


def class_given(obj: Object) -> str | None:
    """The class as it is given: None where nothing is said, so that the default one may be filled in."""
    beta = annotations(obj).get(BETA_CLASS)
    return beta if beta is not None else obj["spec"].get("storageClassName")


def is_default(storage_class: Object) -> bool:
    return any(annotations(storage_class).get(name) == "true" for name in DEFAULT_CLASS)


def default_class(classes: Iterable[Object]) -> Object | None:
    """The default StorageClass: the newest one that says so, of several born together the first by name."""
    found = sorted((entry for entry in classes if is_default(entry)), key=lambda entry: entry["metadata"]["name"])
    return max(found, key=lambda entry: entry["metadata"]["creationTimestamp"]) if found else None


def source_of(volume: Object) -> str:
    """Which field of a PersistentVolume's spec holds its source."""
    return next((field for field in SOURCES if volume["spec"].get(field) is not None), "")


def size_of(volume: Object) -> int:
    return quantity.value((volume["spec"].get("capacity") or {}).get("storage", 0))


def requested(claim: Object) -> int:
    return quantity.value(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))


def mode_of(obj: Object) -> str:
    return obj["spec"].get("volumeMode") or "Filesystem"


def refers_to(volume: Object, claim: Object) -> bool:
    """Whether the volume's claimRef means this claim (by name alone, when it has no uid yet)."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    meta = claim["metadata"]
    if (reference.get("namespace"), reference.get("name")) != (meta["namespace"], meta["name"]):
        return False
    return reference.get("uid", "") in ("", uid(claim))


def fully_bound(claim: Object) -> bool:
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations(claim)


def reference_to(claim: Object) -> Object:
    """What a volume's claimRef says of a claim."""
    meta = claim["metadata"]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"]}


def why_not(volume: Object, claim: Object) -> str:
    """Why a claim that names this volume cannot have it; "" if it can."""
    if size_of(volume) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if mode_of(volume) != mode_of(claim):
        return "incompatible volumeMode"
    if not _offers(volume, claim):
        return "incompatible accessMode"
    return ""


def _offers(volume: Object, claim: Object) -> bool:
    offered = volume["spec"].get("accessModes") or ()
    return all(mode in offered for mode in claim["spec"].get("accessModes") or ())


def suitable(claim: Object, volumes: Iterable[Object], *, prebound_only: bool = False) -> list[Object]:
    """The volumes that a claim may have, wherever they are: the one that is reserved for it, else those that are available and fit, the
    smallest first, those with the fewest access modes before all."""
    selector = selectors.from_object(claim["spec"]["selector"]) if claim["spec"].get("selector") is not None else None
    wanted, wanted_class, wanted_mode = requested(claim), class_of(claim), mode_of(claim)
    found: list[tuple[int, int, str, Object]] = []
    for volume in volumes:
        meta, spec = volume["metadata"], volume["spec"]
        mine = refers_to(volume, claim)
        if (spec.get("claimRef") and not mine or not _offers(volume, claim) or size_of(volume) < wanted or mode_of(volume) != wanted_mode
                or "deletionTimestamp" in meta):
            continue
        if mine:
            return [volume]
        if not (prebound_only or (volume.get("status") or {}).get("phase") != "Available" or class_of(volume) != wanted_class
                or selector is not None and not selector.matches(meta.get("labels") or {})):
            found.append((len(set(spec.get("accessModes") or ())), size_of(volume), meta["name"], volume))
    return [entry[-1] for entry in sorted(found, key=lambda entry: entry[:3])]


def best_match(claim: Object, volumes: Iterable[Object], *, prebound_only: bool = False) -> Object | None:
    """The volume for a claim, of those that are there."""
    return next(iter(suitable(claim, volumes, prebound_only=prebound_only)), None)


def node_fits(volume: Object, labels: dict[str, str], node: str = "") -> bool:
    """Whether the volume can be reached from a node with these labels."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or any(selectors.node_term_holds(term, labels, node) for term in required.get("nodeSelectorTerms") or ())


def topology_fits(storage_class: Object, labels: dict[str, str]) -> bool:
    """Whether a class may provision for a node with these labels (``allowedTopologies``)."""
    terms = storage_class.get("allowedTopologies") or ()
    return not terms or any(
        all(labels.get(entry["key"]) in (entry.get("values") or ()) for entry in term.get("matchLabelExpressions") or ()) for term in terms)


def attachment_name(source: Object, node: str) -> str:
    """The name of the VolumeAttachment of a CSI volume to a node."""
    return "csi-" + hashlib.sha256(f"{source['volumeHandle']}{source['driver']}{node}".encode()).hexdigest()


def waits_for_consumer(storage_class: Object | None) -> bool:
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def may_claim(pod: Object) -> bool:
    """False for the many pods that have no volume, or only the one with their account's token."""
    given = pod["spec"].get("volumes")
    return bool(given) and (len(given) > 1 or "projected" not in given[0])


def claims_of(pod: Object) -> list[tuple[str, str]]:
    """(volume, claim) of every PersistentVolumeClaim that a pod uses; those of its ephemeral volumes bear its name."""
    found: list[tuple[str, str]] = []
    if not may_claim(pod):
        return found
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append((volume["name"], volume["persistentVolumeClaim"].get("claimName", "")))
        elif "ephemeral" in volume:
            found.append((volume["name"], f"{pod['metadata']['name']}-{volume['name']}"))
    return found


def resized(claim: Object, size: str) -> Object:
    """The claim's status when its volume has reached ``size`` everywhere."""
    status = claim.get("status") or {}
    kept = {field: value for field, value in status.items() if field not in ("allocatedResourceStatuses", "conditions")}
    return {**kept, "capacity": {**(status.get("capacity") or {}), "storage": size}, "allocatedResources": {"storage": size}}
