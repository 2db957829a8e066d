"""The small vocabulary for API objects, which are plain dicts in JSON's shape and are never mutated once stored.

>>> pod = {"kind": "Pod", "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}}}
>>> replaced(pod, {("metadata", "labels"): {"app": "db"}})["metadata"]
{'name': 'web', 'namespace': 'default', 'labels': {'app': 'db'}}
>>> labels(pod)
{'app': 'web'}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]
_NOTHING: dict[str, str] = {}


def name(obj: Object) -> str:
    return obj["metadata"].get("name", "")


def namespace(obj: Object) -> str:
    return obj["metadata"].get("namespace", "")


def uid(obj: Object) -> str:
    return obj["metadata"].get("uid", "")


def key(obj: Object) -> Key:
    """(namespace, name); the namespace of a cluster-scoped object is ""."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta.get("name", "")


def labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or _NOTHING


def annotations(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or _NOTHING


def owners(obj: Object) -> list[Object]:
    return obj["metadata"].get("ownerReferences") or []


def controller_of(obj: Object) -> Object | None:
    """The owner reference that says ``controller: true``."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference
    return None


def controller_uid(obj: Object) -> str | None:
    reference = controller_of(obj)
    return reference["uid"] if reference is not None else None


def owner_reference(owner: Object, *, controller: bool = True) -> Object:
    """The reference a controller puts on what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def deleting(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def without_finalizer(obj: Object, finalizer: str) -> Object:
    return replaced(obj, {("metadata", "finalizers"): [entry for entry in finalizers(obj) if entry != finalizer] or None})


def replaced(obj: Object, changes: Mapping[str | tuple[str, ...], Any]) -> Object:
    """A new object with some paths set (None removes), sharing everything that did not change."""
    new = dict(obj)
    for path, value in changes.items():
        _set(new, (path,) if isinstance(path, str) else path, value)
    return new


def _set(into: Object, path: tuple[str, ...], value: Any) -> None:
    step = path[0]
    if len(path) > 1:
        child = into[step] = dict(into.get(step) or {})
        _set(child, path[1:], value)
    elif value is None:
        into.pop(step, None)
    else:
        into[step] = value


def condition(obj: Object, type_: str) -> Object | None:
    """The entry of ``status.conditions`` with that type."""
    for entry in (obj.get("status") or _NOTHING).get("conditions") or ():
        if entry["type"] == type_:
            return entry
    return None


def condition_true(obj: Object, type_: str) -> bool:
    entry = condition(obj, type_)
    return entry is not None and entry["status"] == "True"
