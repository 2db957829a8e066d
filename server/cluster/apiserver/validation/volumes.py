"""Validation of a pod's volumes: one source each, its required fields, paths, modes and keys.

Source: https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

from collections.abc import Callable

from server.cluster import names
from server.cluster.apiserver.validation.downward import field_ref, resource_ref
from server.cluster.apiserver.validation.fields import (
    Errors,
    FieldError,
    Object,
    duplicate,
    each,
    faults,
    forbidden,
    invalid,
    label_1123,
    label_selector,
    required,
    subdomain_1123,
    unsupported,
)
from server.cluster.quantity import parse

MODE_FAULT = "must be a number between 0 and 0777 (octal), both inclusive"
HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
DOWNWARD_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")


def volumes(items: list[Object], path: str) -> tuple[dict[str, Object], list[FieldError]]:
    """The valid volumes by name, and what is wrong with the others."""
    valid: dict[str, Object] = {}
    errors: list[FieldError] = []
    for index, volume in enumerate(items):
        at, name = f"{path}[{index}]", volume.get("name", "")
        found = list(_source(volume, at))
        if not name:
            found.append(required(f"{at}.name"))
        else:
            found.extend(label_1123(f"{at}.name", name))
        if name in valid:
            found.append(duplicate(f"{at}.name", name))
        if not found:
            valid[name] = volume
        errors.extend(found)
    return valid, errors


def _source(volume: Object, path: str) -> Errors:
    sources = [field for field in volume if field != "name"]
    if not sources:
        yield required(path, "must specify a volume type")
    for index, source in enumerate(sources):
        if index:
            yield forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
            continue
        yield from source_of_kind(source, volume[source], f"{path}.{source}")


def source_of_kind(kind: str, value: Object, path: str) -> Errors:
    """One volume source: of a pod's volume or of a PersistentVolume."""
    check = _SOURCES.get(kind)
    if check is not None:
        yield from check(value, path)
    for field in _REQUIRED.get(kind, ()):
        if value.get(field) in (None, "", []):
            yield required(f"{path}.{field}")


_REQUIRED: dict[str, tuple[str, ...]] = {
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "gitRepo": ("repository",),
    "persistentVolumeClaim": ("claimName",),
    "glusterfs": ("endpoints", "path"),
    "flocker": ("datasetName",),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "quobyte": ("registry", "volume"),
    "fc": ("targetWWNs",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "scaleIO": ("gateway", "system", "volumeName"),
    "iscsi": ("targetPortal", "iqn"),
    "flexVolume": ("driver",),
    "image": ("reference",),
}


def _empty_dir(source: Object, path: str) -> Errors:
    if "sizeLimit" in source and parse(source["sizeLimit"]).nano < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(source: Object, path: str) -> Errors:
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from no_backsteps(f"{path}.path", source["path"])
    if source.get("type", "") not in HOST_PATH_TYPES:
        yield unsupported(f"{path}.type", source["type"], HOST_PATH_TYPES)


def _nfs(source: Object, path: str) -> Errors:
    if not source.get("server"):
        yield required(f"{path}.server")
    if not source.get("path"):
        yield required(f"{path}.path")
    elif not source["path"].startswith("/"):
        yield invalid(f"{path}.path", source["path"], "must be an absolute path")


def mode(path: str, value: int | None) -> Errors:
    if value is not None and not 0 <= value <= 0o777:
        yield invalid(path, value, MODE_FAULT)


def no_backsteps(path: str, value: str) -> Errors:
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def local_path(path: str, value: str) -> Errors:
    """A path below the volume's root."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def own_path(path: str, value: str) -> Errors:
    """A path below the volume's root that does not clash with what the kubelet puts there."""
    yield from local_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")


def _key_to_path(item: Object, path: str) -> Errors:
    if not item.get("key"):
        yield required(f"{path}.key")
    if not item.get("path"):
        yield required(f"{path}.path")
    else:
        yield from own_path(f"{path}.path", item["path"])
    yield from mode(f"{path}.mode", item.get("mode"))


def _keyed(name: str) -> Callable[[Object, str], Errors]:
    def check(source: Object, path: str) -> Errors:
        if not source.get(name):
            yield required(f"{path}.{name}")
        yield from mode(f"{path}.defaultMode", source.get("defaultMode"))
        yield from each(source.get("items"), f"{path}.items", _key_to_path)

    return check


def _downward_item(item: Object, path: str) -> Errors:
    if not item.get("path"):
        yield required(f"{path}.path")
    else:
        yield from own_path(f"{path}.path", item["path"])
    if "fieldRef" in item:
        yield from field_ref(item["fieldRef"], f"{path}.fieldRef", DOWNWARD_FIELDS)
        if "resourceFieldRef" in item:
            yield invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif "resourceFieldRef" in item:
        yield from resource_ref(item["resourceFieldRef"], f"{path}.resourceFieldRef", in_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from mode(f"{path}.mode", item.get("mode"))


def _downward(source: Object, path: str) -> Errors:
    yield from mode(f"{path}.defaultMode", source.get("defaultMode"))
    yield from each(source.get("items"), f"{path}.items", _downward_item)


def _projected(source: Object, path: str) -> Errors:
    yield from mode(f"{path}.defaultMode", source.get("defaultMode"))
    paths: set[str] = set()
    for index, part in enumerate(source.get("sources") or ()):
        at = f"{path}.sources[{index}]"
        kinds = list(part)
        if not kinds:
            yield required(at)
        for kind in kinds[1:]:
            yield forbidden(f"{at}.{kind}", "may not specify more than 1 volume type per source")
        if not kinds:
            continue
        kind, value = kinds[0], part[kinds[0]]
        where = f"{at}.{kind}"
        if kind in ("secret", "configMap"):
            if not value.get("name"):
                yield required(f"{where}.name")
            yield from each(value.get("items"), f"{where}.items", _key_to_path)
        elif kind == "downwardAPI":
            yield from each(value.get("items"), f"{where}.items", _downward_item)
        elif kind == "serviceAccountToken":
            yield from _token(value, where)
        elif kind == "clusterTrustBundle":
            yield from _trust_bundle(value, where)
        entries = [item.get("path", "") for item in value.get("items") or ()] or [value.get("path", "")]
        for entry in entries:
            if entry and entry in paths:
                yield invalid(at, entry, "conflicting duplicate paths")
            paths.add(entry)


def _token(token: Object, path: str) -> Errors:
    seconds = token.get("expirationSeconds", 3600)
    if seconds < 600:
        yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > 1 << 32:
        yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if not token.get("path"):
        yield required(f"{path}.path")
    else:
        yield from own_path(f"{path}.path", token["path"])


def _trust_bundle(bundle: Object, path: str) -> Errors:
    if not bundle.get("name") and not bundle.get("signerName"):
        yield required(path, "either name or signerName must be specified")
    if "labelSelector" in bundle:
        yield from label_selector(bundle["labelSelector"], f"{path}.labelSelector")
    if not bundle.get("path"):
        yield required(f"{path}.path")


def _csi(source: Object, path: str) -> Errors:
    if not source.get("driver"):
        yield required(f"{path}.driver")
    else:
        yield from subdomain_1123(f"{path}.driver", source["driver"].lower())
    reference = source.get("nodePublishSecretRef")
    if reference is not None and not reference.get("name"):
        yield required(f"{path}.nodePublishSecretRef.name")


def _ephemeral(source: Object, path: str) -> Errors:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
        return
    spec = template.get("spec") or {}
    if not spec.get("accessModes"):
        yield required(f"{path}.volumeClaimTemplate.spec.accessModes", "at least 1 access mode is required")
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        yield required(f"{path}.volumeClaimTemplate.spec.resources[storage]")


def _claim(source: Object, path: str) -> Errors:
    if source.get("claimName"):
        yield from faults(f"{path}.claimName", source["claimName"], names.subdomain(source["claimName"]))


_SOURCES: dict[str, Callable[[Object, str], Errors]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _keyed("secretName"),
    "configMap": _keyed("name"),
    "downwardAPI": _downward,
    "projected": _projected,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "csi": _csi,
    "ephemeral": _ephemeral,
}
