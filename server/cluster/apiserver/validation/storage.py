"""Validation of persistent volumes, their claims and the storage group.

A volume's source and a claim's spec are immutable, but for the size asked for and, once, the volume that a claim is bound to.

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
"""

from __future__ import annotations

import posixpath

from server.cluster import names
from server.cluster.apiserver.validation import meta, scheduling, volumes
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    faults,
    forbidden,
    immutable,
    invalid,
    label_name,
    label_selector,
    one_of,
    required,
    too_long,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind
from server.cluster.apiserver.validation.specdiff import struct_diff
from server.cluster.quantity import parse
from server.cluster.volumes import SOURCES

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
SINGLE = "ReadWriteOncePod"
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
IMMUTABLE_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
POSITIVE = "must be greater than zero"
MAX_PARAMETERS, MAX_PARAMETERS_SIZE = 512, 256 * 1024
MAX_DRIVER_NAME = 63


def _modes(modes: list[str] | None, path: str, missing: str) -> Errors:
    if not modes:
        yield required(path, missing)
    for mode in modes or ():
        if mode not in ACCESS_MODES:
            yield unsupported(path, mode, ACCESS_MODES)
    known = [mode for mode in modes or () if mode in ACCESS_MODES]
    if SINGLE in known and any(mode != SINGLE for mode in known):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


# volumes -----------------------------------------------------------------------------------------------------------------

def volume(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    yield from _volume_spec(obj.get("spec") or {}, "spec")


def _volume_spec(spec: Object, path: str) -> Errors:
    yield from _modes(spec.get("accessModes"), f"{path}.accessModes", "")
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield required(f"{path}.capacity")
    if "storage" not in capacity or len(capacity) > 1:
        yield unsupported(f"{path}.capacity", capacity or None, ("storage",))
    for name, amount in capacity.items():
        at = f"{path}.capacity[{name}]"
        if parse(amount).nano < 0:
            yield invalid(at, parse(amount).value(), "must be a valid resource quantity")
        if parse(amount).nano <= 0:
            yield invalid(at, str(amount), POSITIVE)
    yield from one_of(f"{path}.persistentVolumeReclaimPolicy", spec.get("persistentVolumeReclaimPolicy"), RECLAIM_POLICIES, needed=False)
    yield from _volume_affinity(spec.get("nodeAffinity"), f"{path}.nodeAffinity")
    yield from _volume_source(spec, path)
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle" and "hostPath" in spec \
            and posixpath.normpath(spec["hostPath"].get("path") or ".") == "/":
        yield forbidden(f"{path}.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    if spec.get("storageClassName"):
        yield from faults(f"{path}.storageClassName", spec["storageClassName"], names.subdomain(spec["storageClassName"]))
    yield from one_of(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES, needed=False)


def _volume_affinity(affinity: Object | None, path: str) -> Errors:
    if affinity is None:
        return
    if affinity.get("required") is None:
        yield required(f"{path}.required", "must specify required node constraints")
        return
    yield from scheduling.node_selector(affinity["required"], f"{path}.required")


def _volume_source(spec: Object, path: str) -> Errors:
    found = [source for source in SOURCES if spec.get(source) is not None]
    for index, source in enumerate(found):
        at, value = f"{path}.{source}", spec[source]
        if index:
            yield forbidden(at, "may not specify more than 1 volume type")
        elif source == "local":
            yield from _local(value, at)
            if spec.get("nodeAffinity") is None:
                yield required(f"{path}.nodeAffinity", "Local volume requires node affinity")
        elif source == "csi":
            yield from _driver_name(value.get("driver", ""), f"{at}.driver")
            if not value.get("volumeHandle"):
                yield required(f"{at}.volumeHandle")
        else:
            yield from volumes.source_of_kind(source, value, at)
    if not found:
        yield required(path, "must specify a volume type")


def _local(source: Object, path: str) -> Errors:
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from volumes.no_backsteps(f"{path}.path", source["path"])


def _driver_name(name: str, path: str) -> Errors:
    if not name:
        yield required(path)
        return
    if len(name) > MAX_DRIVER_NAME:
        yield too_long(path, MAX_DRIVER_NAME)
    yield from faults(path, name, names.subdomain(name.lower()))


def volume_update(new: Object, old: Object) -> Errors:
    yield from volume(new)
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    source, before = ({field: given[field] for field in SOURCES if field in given} for given in (spec, was))
    if source != before:
        yield forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation\n"
                        + struct_diff(before, source, "PersistentVolumeSource"))
    yield from immutable("volumeMode", spec.get("volumeMode"), was.get("volumeMode"))
    if was.get("nodeAffinity") is not None:
        yield from immutable("nodeAffinity", spec.get("nodeAffinity"), was["nodeAffinity"])


# claims ------------------------------------------------------------------------------------------------------------------

def claim(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from claim_spec(obj.get("spec") or {}, "spec")


def claim_spec(spec: Object, path: str) -> Errors:
    """The spec of a claim or of a claim template."""
    modes = spec.get("accessModes")
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    if spec.get("selector") is not None:
        yield from label_selector(spec["selector"], f"{path}.selector")
    yield from () if not modes else _modes(modes, f"{path}.accessModes", "")
    at, requests = f"{path}.resources[storage]", (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        yield required(at)
    elif parse(requests["storage"]).nano <= 0:
        yield invalid(at, str(requests["storage"]), POSITIVE)
    if spec.get("storageClassName"):
        yield from faults(f"{path}.storageClassName", spec["storageClassName"], names.subdomain(spec["storageClassName"]))
    yield from one_of(f"{path}.volumeMode", spec.get("volumeMode"), VOLUME_MODES, needed=False)
    for field in ("dataSource", "dataSourceRef"):
        if spec.get(field) is not None:
            yield from _data_source(spec[field], f"{path}.{field}")


def _data_source(source: Object, path: str) -> Errors:
    for field in ("name", "kind"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
        yield invalid(path, source.get("kind", ""), "must be 'PersistentVolumeClaim' when referencing the default apiGroup")


def claim_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was or spec == was:
        return
    yield from claim_spec(spec, "spec")
    now, before, bound = dict(spec), dict(was), (new.get("status") or {}).get("phase") == "Bound"
    if not was.get("volumeName"):
        _agree(before, now, "volumeName")
    if was.get("storageClassName") is None and spec.get("storageClassName"):
        _agree(now, before, "storageClassName")
    size, size_before = _storage(spec), _storage(was)
    if bound and (spec.get("resources") or {}).get("requests") is not None:
        requests = {**spec["resources"]["requests"]}
        if size_before is not None:
            requests["storage"] = size_before
        now["resources"] = {**spec["resources"], "requests": requests}
    if bound and spec.get("volumeAttributesClassName") is not None:
        _agree(now, before, "volumeAttributesClassName")
    if now != before:
        yield forbidden("spec", IMMUTABLE_CLAIM + struct_diff(before, now, "PersistentVolumeClaimSpec"))
    if size is not None and size_before is not None and parse(size).nano < parse(size_before).nano:
        shown = ((new.get("status") or {}).get("capacity") or {}).get("storage", "0")
        if parse(size).nano <= parse(shown).nano:
            yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    yield from immutable("volumeMode", spec.get("volumeMode"), was.get("volumeMode"))


def _agree(one: Object, other: Object, field: str) -> None:
    if field in other:
        one[field] = other[field]
    else:
        one.pop(field, None)


def _storage(spec: Object) -> str | None:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def claim_status(new: Object, old: Object) -> Errors:
    for name, amount in ((new.get("status") or {}).get("capacity") or {}).items():
        if parse(amount).nano < 0:
            yield invalid(f"status.capacity[{name}]", parse(amount).value(), "must be a valid resource quantity")


# classes and drivers -----------------------------------------------------------------------------------------------------

def storage_class(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    provisioner = obj.get("provisioner", "")
    if not provisioner:
        yield required("provisioner")
    else:
        yield from faults("provisioner", provisioner, names.qualified_name(provisioner.lower()))
    parameters = obj.get("parameters") or {}
    if len(parameters) > MAX_PARAMETERS:
        yield too_long("parameters", MAX_PARAMETERS)
    elif "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    elif sum(len(key) + len(value) for key, value in parameters.items()) > MAX_PARAMETERS_SIZE:
        yield too_long("parameters", MAX_PARAMETERS_SIZE)
    yield from one_of("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"), needed=False)
    yield from one_of("volumeBindingMode", obj.get("volumeBindingMode"), BINDING_MODES)
    for index, term in enumerate(obj.get("allowedTopologies") or ()):
        for number, expression in enumerate(term.get("matchLabelExpressions") or ()):
            at = f"allowedTopologies[{index}].matchLabelExpressions[{number}]"
            if not expression.get("values"):
                yield required(f"{at}.values")
            yield from label_name(f"{at}.key", expression.get("key", ""))


def storage_class_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if (new.get(field) or None) != (old.get(field) or None):
            yield forbidden(field, f"updates to {field} are forbidden.")
    yield from immutable("volumeBindingMode", new.get("volumeBindingMode"), old.get("volumeBindingMode"))


def driver(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    yield from _driver_name(obj["metadata"].get("name", ""), "metadata.name") if len(obj["metadata"].get("name", "")) > MAX_DRIVER_NAME else ()
    yield from _driver_spec(obj.get("spec") or {})


def _driver_spec(spec: Object) -> Errors:
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in ("Ephemeral", "Persistent"):
            yield unsupported("spec.volumeLifecycleModes", mode, ("Ephemeral", "Persistent"))
    yield from one_of("spec.fsGroupPolicy", spec.get("fsGroupPolicy"), ("File", "None", "ReadWriteOnceWithFSType"))


def driver_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    yield from _driver_spec(spec)
    for field in ("attachRequired", "volumeLifecycleModes"):
        yield from immutable(f"spec.{field}", spec.get(field), was.get(field))


def csi_node(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    yield from _node_drivers(obj)


def _node_drivers(obj: Object) -> Errors:
    seen: dict[str, None] = {}
    for index, entry in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        at = f"spec.drivers[{index}]"
        yield from _driver_name(entry.get("name", ""), f"{at}.name")
        if not entry.get("nodeID"):
            yield required(f"{at}.nodeID")
        count = (entry.get("allocatable") or {}).get("count")
        if count is not None and count < 0:
            yield invalid(f"{at}.allocatable.count", count, "must be greater than or equal to 0")
        if entry.get("name") in seen:
            yield invalid(f"{at}.name", entry["name"], "duplicate driver")
        seen[entry.get("name", "")] = None


def csi_node_update(new: Object, old: Object) -> Errors:
    """A driver that a node has may change in nothing but how many volumes it can attach there."""
    yield from meta.update(new, old)
    yield from _node_drivers(new)
    drivers = {entry.get("name"): entry for entry in (new.get("spec") or {}).get("drivers") or ()}
    for entry in (old.get("spec") or {}).get("drivers") or ():
        now = drivers.get(entry["name"])
        if now is not None and {**now, "allocatable": None} != {**entry, "allocatable": None}:
            yield invalid("spec.drivers", entry["name"], "field is immutable")


def attachment(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    spec = obj.get("spec") or {}
    if not spec.get("attacher"):
        yield required("spec.attacher")
    source = spec.get("source") or {}
    if not source.get("persistentVolumeName") and source.get("inlineVolumeSpec") is None:
        yield required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    if not spec.get("nodeName"):
        yield required("spec.nodeName")


def attachment_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from immutable("spec", new.get("spec"), old.get("spec"))


KINDS: dict[str, Kind] = {
    "persistentvolumes": Kind(volume, volume_update),
    "persistentvolumeclaims": Kind(claim, claim_update, claim_status),
    "storageclasses.storage.k8s.io": Kind(storage_class, storage_class_update),
    "csidrivers.storage.k8s.io": Kind(driver, driver_update),
    "csinodes.storage.k8s.io": Kind(csi_node, csi_node_update),
    "volumeattachments.storage.k8s.io": Kind(attachment, attachment_update),
}
