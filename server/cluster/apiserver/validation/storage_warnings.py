"""Warnings about volumes, claims and classes: what is deprecated, and what this cluster accepts but does not act on.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.apiserver.validation.fields import Object
from server.cluster.quantity import parse

BETA_CLASS, RECYCLE = "volume.beta.kubernetes.io/storage-class", "The Recycle reclaim policy is deprecated. Instead, the recommended approach is "\
    "to use dynamic provisioning."
BETA_NOTES = {BETA_CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
              "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead'}
NODE_LABELS = {
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
}
IN_TREE = {
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+", "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+", "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+", "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+", "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
}
NOT_SIMULATED = {
    "dataSource": "copying from a data source is not simulated; a new volume is empty",
    "dataSourceRef": "copying from a data source is not simulated; a new volume is empty",
    "volumeAttributesClassName": "volume attributes classes are not simulated",
}
OPTIONS = "mount options are kept, but nothing follows from them here"
BLOCK = "raw block devices are not simulated; containers find nothing at their devicePath"


def warnings(resource_key: str, obj: Object) -> list[str]:
    return list({"persistentvolumes": _volume, "persistentvolumeclaims": _claim, "storageclasses.storage.k8s.io": _class}[resource_key](obj))


RESOURCES = ("persistentvolumes", "persistentvolumeclaims", "storageclasses.storage.k8s.io")


def _notes(obj: Object) -> Iterator[str]:
    for note in obj["metadata"].get("annotations") or {}:
        if note in BETA_NOTES:
            yield f"metadata.annotations[{note}]: {BETA_NOTES[note]}"


def _volume(volume: Object) -> Iterator[str]:
    spec = volume.get("spec") or {}
    yield from _notes(volume)
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield f"spec.persistentVolumeReclaimPolicy: {RECYCLE}"
    for index, term in enumerate(((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()):
        for number, expression in enumerate(term.get("matchExpressions") or ()):
            if expression.get("key") in NODE_LABELS:
                yield (f"spec.nodeAffinity.required.nodeSelectorTerms[{index}].matchExpressions[{number}].key: "
                       f"{expression['key']} is {NODE_LABELS[expression['key']]}")
    for kind, text in IN_TREE.items():
        if kind in spec:
            yield f"spec.{kind}: {text}"
    yield from _fraction((spec.get("capacity") or {}).get("storage"), "spec.capacity[storage]")
    if spec.get("volumeMode") == "Block":
        yield f"spec.volumeMode: {BLOCK}"
    if spec.get("mountOptions"):
        yield f"spec.mountOptions: {OPTIONS}"


def _claim(claim: Object) -> Iterator[str]:
    spec = claim.get("spec") or {}
    yield from _notes(claim)
    yield from _fraction(((spec.get("resources") or {}).get("requests") or {}).get("storage"), "spec.resources.requests[storage]")
    for field, text in NOT_SIMULATED.items():
        if spec.get(field):
            yield f"spec.{field}: {text}"
    if spec.get("volumeMode") == "Block":
        yield f"spec.volumeMode: {BLOCK}"


def _class(storage_class: Object) -> Iterator[str]:
    if storage_class.get("mountOptions"):
        yield f"mountOptions: {OPTIONS}"
    for index, term in enumerate(storage_class.get("allowedTopologies") or ()):
        for number, expression in enumerate(term.get("matchLabelExpressions") or ()):
            if expression.get("key") in NODE_LABELS:
                yield (f"allowedTopologies[{index}].matchLabelExpressions[{number}].key: {expression['key']} is "
                       f"{NODE_LABELS[expression['key']]}")


def _fraction(amount: str | None, path: str) -> Iterator[str]:
    if amount is not None and parse(amount).milli() % 1000:
        yield f'{path}: fractional byte value "{amount}" is invalid, must be an integer'
