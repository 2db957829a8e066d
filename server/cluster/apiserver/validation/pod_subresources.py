"""Validation of what comes through a pod's ``ephemeralcontainers`` and ``resize``.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from server.cluster.apiserver.qos import qos_class
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import Errors, FieldError, Object, forbidden, invalid
from server.cluster.apiserver.validation.pods import spec_errors
from server.cluster.apiserver.validation.specdiff import pod_spec_diff

MIRROR = "kubernetes.io/config.mirror"
MUTABLE = ("cpu", "memory")
ROOT = ""


def _mirror(pod: Object) -> bool:
    return MIRROR in (pod["metadata"].get("annotations") or {})


def ephemeral_containers(new: Object, old: Object) -> list[FieldError]:
    """They can be added; what is there stays as it is."""
    if _mirror(old):
        return [forbidden(ROOT, "static pods do not support ephemeral containers")]
    return list(_ephemeral(new, old))


def _ephemeral(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from spec_errors(new["spec"], "spec", in_pod=True)
    asked = {entry.get("name"): entry for entry in new["spec"].get("ephemeralContainers") or ()}
    for entry in old["spec"].get("ephemeralContainers") or ():
        path, name = "spec.ephemeralContainers", entry["name"]
        if name not in asked:
            yield forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n')
        elif asked[name] != entry:
            yield forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n')


def resize(new: Object, old: Object) -> list[FieldError]:
    if _mirror(old):
        return [forbidden(ROOT, "static pods cannot be resized")]
    if (old["spec"].get("os") or {}).get("name") == "windows":
        return [forbidden(ROOT, "windows pods cannot be resized")]
    return list(_resize(new, old))


def _resize(new: Object, old: Object) -> Errors:
    spec, was = new["spec"], old["spec"]
    yield from spec_errors(spec, "spec", in_pod=True)
    if qos_class(spec) != (old.get("status") or {}).get("qosClass", qos_class(was)):
        yield invalid("spec", (new.get("status") or {}).get("qosClass", ""), "Pod QOS Class may not change as a result of resizing")
    ordering = list(_ordering(spec, was))
    yield from ordering
    if ordering:
        return
    for field in ("containers", "initContainers"):
        for index, (entry, before) in enumerate(zip(spec.get(field) or (), was.get(field) or (), strict=True)):
            yield from _removed(entry.get("resources") or {}, before.get("resources") or {}, f"spec.{field}[{index}].resources")
    yield from _removed(spec.get("resources") or {}, was.get("resources") or {}, "spec.resources")
    compared = _without_compute(spec, was)
    if compared != was:
        yield forbidden("spec", f"only cpu and memory resources are mutable\n{pod_spec_diff(was, compared)}")


def _ordering(spec: Object, was: Object) -> Errors:
    for field in ("containers", "initContainers"):
        items, before = spec.get(field) or [], was.get(field) or []
        if len(items) != len(before):
            yield forbidden(f"spec.{field}", f"{field} may not be added or removed on resize")
            continue
        for index, (entry, other) in enumerate(zip(items, before, strict=True)):
            if entry.get("name") != other["name"]:
                yield forbidden(f"spec.{field}[{index}].name", f"{field} may not be renamed or reordered on resize")


def _removed(resources: Object, before: Object, path: str) -> Errors:
    for field, word in (("requests", "requests"), ("limits", "limits")):
        if any(name not in (resources.get(field) or {}) for name in before.get(field) or ()):
            yield forbidden(f"{path}.{field}", f"resource {word} cannot be removed")


def _without_compute(spec: Object, was: Object) -> Object:
    """``spec`` with the cpu and memory of ``was``, and its resize policies."""
    compared = dict(spec)
    for field in ("containers", "initContainers"):
        if field in compared:
            compared[field] = [_as_before(entry, before) for entry, before in zip(compared[field], was[field], strict=True)]
    if "resources" in compared or "resources" in was:
        compared["resources"] = _kept(compared.get("resources") or {}, was.get("resources") or {})
        if "resources" not in was and not compared["resources"]:
            del compared["resources"]
    return compared


def _as_before(entry: Object, before: Object) -> Object:
    compared = {name: value for name, value in entry.items() if name != "resizePolicy"}
    if "resizePolicy" in before:
        compared["resizePolicy"] = before["resizePolicy"]
    compared["resources"] = _kept(entry.get("resources") or {}, before.get("resources") or {})
    return compared


def _kept(resources: Object, before: Object) -> Object:
    kept = dict(resources)
    for field in ("limits", "requests"):
        other = before.get(field) or {}
        amounts = {name: value for name, value in (resources.get(field) or {}).items() if name not in MUTABLE}
        amounts.update({name: other[name] for name in MUTABLE if name in other})
        if amounts or field in before:
            kept[field] = amounts
        else:
            kept.pop(field, None)
    return kept
