"""Validation of references to a pod's own fields and resources: environment variables and downward API volumes.

Source: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
"""

from __future__ import annotations

import re

from server.cluster import names
from server.cluster.apiserver.validation.fields import Errors, Object, faults, invalid, required, unsupported

RESOURCES = ("limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory")
CONVERTIBLE = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
               "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs",
               "status.podIP", "status.podIPs")
_SUBSCRIPT = re.compile(r"(.*)\['(.*)'\]")
_BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {"cpu": ("cpu", ("1m", "1")), "memory": ("memory", _BYTE_DIVISORS),
             "ephemeral-storage": ("local ephemeral storage", _BYTE_DIVISORS)}


def field_ref(reference: Object, path: str, allowed: tuple[str, ...]) -> Errors:
    if not reference.get("apiVersion"):
        yield required(f"{path}.apiVersion")
        return
    field = reference.get("fieldPath", "")
    if not field:
        yield required(f"{path}.fieldPath")
        return
    subscript = _SUBSCRIPT.fullmatch(field)
    name = subscript[1] if subscript else field
    if reference["apiVersion"] != "v1":
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}")
    elif name not in CONVERTIBLE:
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: field label not supported: {field}")
    elif subscript:
        if name in ("metadata.annotations", "metadata.labels"):
            key = subscript[2].lower() if name == "metadata.annotations" else subscript[2]
            yield from faults(path, key, names.qualified_name(key))
        else:
            yield invalid(path, name, "does not support subscript")
    elif name not in allowed:
        yield unsupported(f"{path}.fieldPath", name, sorted(allowed))


def resource_ref(reference: Object, path: str, *, in_volume: bool = False) -> Errors:
    resource = reference.get("resource", "")
    if in_volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield unsupported(f"{path}.resource", resource, RESOURCES)
    divisor = reference.get("divisor", "0")
    if divisor in ("0", 0):
        return
    kind = resource.partition(".")[2]
    word, supported = ("hugepages", _BYTE_DIVISORS) if kind.startswith("hugepages-") else _DIVISORS.get(kind, ("", ()))
    if word and divisor not in supported:
        listed = "1m and 1" if kind == "cpu" else ", ".join(_BYTE_DIVISORS)
        yield invalid(f"{path}.divisor", resource, f"only divisor's values {listed} are supported with the {word} resource")
