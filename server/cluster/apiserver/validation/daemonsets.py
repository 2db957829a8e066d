"""Validation of DaemonSets.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.validation import meta, pods
from server.cluster.apiserver.validation.apps import amount, never_ending, not_more_than_all, number_or_percent, parsed_selector
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    immutable,
    invalid,
    label_selector,
    not_negative,
    required,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind

_COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
           "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount")
_WRITABLE_DISK = "must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is read-only"


def create(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _spec(obj.get("spec") or {}, [])


def update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    yield from _spec(spec, ((was.get("template") or {}).get("spec") or {}).get("volumes") or [])
    yield from immutable("spec.selector", spec.get("selector"), was.get("selector"))


def status(new: Object, old: Object) -> Errors:
    said = new.get("status") or {}
    for field in _COUNTS:
        yield from not_negative(f"status.{field}", said.get(field))
    collisions = said.get("collisionCount") or 0
    if collisions < ((old.get("status") or {}).get("collisionCount") or 0):
        yield invalid("status.collisionCount", collisions, "cannot be decremented")


def _spec(spec: Object, volumes_before: list[Object]) -> Errors:
    selector, template = spec.get("selector"), spec.get("template") or {}
    yield from label_selector(selector, "spec.selector")
    parsed, labels = parsed_selector(selector), (template.get("metadata") or {}).get("labels")
    if parsed is not None and not parsed.matches(labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from pods.template(template, "spec.template")
    if (volumes := (template.get("spec") or {}).get("volumes") or []) != volumes_before:
        yield from _read_only_disks(volumes)
    yield from never_ending(template, "spec.template", "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _read_only_disks(volumes: list[Object]) -> Errors:
    for index, volume in enumerate(volumes):
        disk = volume.get("gcePersistentDisk")
        if disk is not None and not disk.get("readOnly"):
            yield invalid(f"spec.template.spec.volumes[{index}].gcePersistentDisk.readOnly", False, _WRITABLE_DISK)


def _strategy(strategy: Object, path: str) -> Errors:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        if rolling is None:
            yield required(f"{path}.rollingUpdate")
        else:
            yield from _rolling_update(rolling, f"{path}.rollingUpdate")
    elif kind != "OnDelete":
        yield unsupported(path, strategy, ("RollingUpdate", "OnDelete"))


def _rolling_update(rolling: Object, path: str) -> Errors:
    """Either some pods may be unavailable or some may be surplus; never both, never neither."""
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from number_or_percent(value, f"{path}.{field}")
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from not_more_than_all(value, f"{path}.{field}")
    if amount(unavailable) and amount(surge):
        yield invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not amount(unavailable) and not amount(surge):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


KINDS: dict[str, Kind] = {"daemonsets.apps": Kind(create, update, status)}
