"""The pod specs inside objects: where they are, and the patch that turns one into another.

In: an object that has or is a pod, and a new pod spec. Out: the new object, or a strategic merge patch that touches only what
changed, containers and variables being found by name. Used by `kubectl set`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.cluster.objects import replaced
from server.kubectl.errors import CommandError

Object = dict[str, Any]
TEMPLATE = ("spec", "template", "spec")
PATHS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",), "ReplicationController": TEMPLATE, "Deployment": TEMPLATE, "DaemonSet": TEMPLATE, "ReplicaSet": TEMPLATE,
    "StatefulSet": TEMPLATE, "Job": TEMPLATE, "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
MERGE_KEYS = {"containers": "name", "initContainers": "name", "env": "name"}


def path_of(obj: Object) -> tuple[str, ...]:
    path = PATHS.get(obj["kind"])
    if path is None:
        raise CommandError(f"the object is not a pod or does not have a pod template: *v1.{obj['kind']}")
    return path


def pod_spec(obj: Object) -> Object:
    for step in path_of(obj):
        obj = obj[step]
    return obj


def with_pod_spec(obj: Object, spec: Object) -> Object:
    return replaced(obj, {path_of(obj): spec})


def patch_of(obj: Object, spec: Object) -> Object:
    """The patch that gives the object this pod spec; {} if it has it."""
    patch: Object = difference(pod_spec(obj), spec)
    if patch:
        for step in reversed(path_of(obj)):
            patch = {step: patch}
    return patch


def difference(old: Object, new: Object) -> Object:
    """
    >>> difference({"containers": [{"name": "a", "image": "x"}], "n": 1}, {"containers": [{"name": "a", "image": "y"}]})
    {'$setElementOrder/containers': [{'name': 'a'}], 'containers': [{'name': 'a', 'image': 'y'}], 'n': None}
    """
    patch: Object = {}
    for key in [*new, *(key for key in old if key not in new)]:
        if key not in new:
            patch[key] = None
        elif old.get(key) == new[key]:
            continue
        elif key in MERGE_KEYS:
            patch[f"$setElementOrder/{key}"] = [{MERGE_KEYS[key]: each[MERGE_KEYS[key]]} for each in new[key]]
            patch[key] = _merged(old.get(key) or [], new[key], MERGE_KEYS[key])
        elif isinstance(new[key], dict) and isinstance(old.get(key), dict):
            patch[key] = difference(old[key], new[key])
        else:
            patch[key] = new[key]
    return patch


def _merged(old: list[Object], new: list[Object], merge_key: str) -> list[Object]:
    before = {each[merge_key]: each for each in old}
    kept = {each[merge_key] for each in new}
    changed = [{merge_key: each[merge_key], **difference(before.get(each[merge_key], {}), each)} for each in new
               if before.get(each[merge_key]) != each]
    return changed + [{"$patch": "delete", merge_key: name} for name in before if name not in kept]


def matching(pattern: str) -> Callable[[str], bool]:
    """Names as --containers takes them, `*` standing for anything."""
    expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
    return lambda name: expression.fullmatch(name) is not None


def containers_where(spec: Object, wanted: Callable[[str], bool]) -> list[Object]:
    """Main containers first, then init containers, as kubectl visits them."""
    return [each for field in ("containers", "initContainers") for each in spec.get(field) or () if wanted(each["name"])]


def changed_containers(spec: Object, wanted: Callable[[str], bool], change: Callable[[Object], Object]) -> Object:
    """The spec with the wanted containers changed."""
    fields = {field: [change(each) if wanted(each["name"]) else each for each in spec[field]]
              for field in ("initContainers", "containers") if spec.get(field)}
    return {**spec, **fields}
