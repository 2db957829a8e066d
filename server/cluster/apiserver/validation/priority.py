"""Validation of the scheduling group: PriorityClass. Names with ``system-`` are the system's own, and so are values above a billion.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/priority-class-v1/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.priorities import HIGHEST, POLICIES, SYSTEM, SYSTEM_PREFIX
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import Errors, Object, forbidden, immutable, required, unsupported
from server.cluster.apiserver.validation.kind import Kind


def priority_class(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    name = obj["metadata"].get("name", "")
    if name.startswith(SYSTEM_PREFIX):
        if fault := _not_system(obj, name):
            yield forbidden("metadata.name", f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
                                             f"{fault}")
    elif obj["value"] > HIGHEST:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")
    policy = obj.get("preemptionPolicy")
    if policy == "":
        yield required("preemptionPolicy")
    elif policy not in POLICIES:
        yield unsupported("preemptionPolicy", policy, POLICIES)


def _not_system(obj: Object, name: str) -> str:
    known = SYSTEM.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if obj["value"] != known.value:
        return f"value of {name} PriorityClass must be {known.value}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


def priority_class_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    if new["value"] != old["value"]:
        yield forbidden("value", "may not be changed in an update.")
    yield from immutable("preemptionPolicy", new.get("preemptionPolicy"), old.get("preemptionPolicy"))


KINDS: dict[str, Kind] = {"priorityclasses.scheduling.k8s.io": Kind(priority_class, priority_class_update)}
