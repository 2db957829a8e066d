"""Validation of the autoscaling group: HorizontalPodAutoscaler.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster import names
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import (
    NOT_NEGATIVE,
    Errors,
    Object,
    each,
    faults,
    forbidden,
    invalid,
    not_negative,
    required,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind
from server.cluster.quantity import parse

LONGEST_PERIOD, LONGEST_WINDOW = 1800, 3600
SELECT_POLICIES, POLICIES = ("Disabled", "Max", "Min"), ("Percent", "Pods")
TARGET_TYPES = ("Utilization", "Value", "AverageValue")
POSITIVE, ABOVE_ZERO = "must be positive", "must be greater than 0"
NO_RESOURCE_TARGET = "must set either a target raw value or a target utilization"
TWO_RESOURCE_TARGETS = "may not set both a target raw value and a target utilization"


def autoscaler(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _spec(obj.get("spec") or {}, "spec")


def autoscaler_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _spec(new.get("spec") or {}, "spec")


def autoscaler_status(new: Object, old: Object) -> Errors:
    status = new.get("status") or {}
    for field in ("currentReplicas", "desiredReplicas"):
        yield from not_negative(f"status.{field}", status.get(field))


def _spec(spec: Object, path: str) -> Errors:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        yield invalid(f"{path}.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid(f"{path}.maxReplicas", most, ABOVE_ZERO)
    if least is not None and most < least:
        yield invalid(f"{path}.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.get("scaleTargetRef") or {}, f"{path}.scaleTargetRef")
    yield from _metrics(spec.get("metrics") or [], f"{path}.metrics", least)
    behavior = spec.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if behavior.get(direction) is not None:
            yield from _rules(behavior[direction], f"{path}.behavior.{direction}")


def _reference(reference: Object, path: str) -> Errors:
    for field in ("kind", "name"):
        if not reference.get(field):
            yield required(f"{path}.{field}")
        else:
            yield from faults(f"{path}.{field}", reference[field], names.path_segment(reference[field]))
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")


# behavior


def _rules(rules: Object, path: str) -> Errors:
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None:
        if window < 0:
            yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
        if window > LONGEST_WINDOW:
            yield invalid(f"{path}.stabilizationWindowSeconds", window, f"must be less than or equal to {LONGEST_WINDOW}")
    if select is not None and select not in SELECT_POLICIES:
        yield unsupported(f"{path}.selectPolicy", select, SELECT_POLICIES)
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    yield from each(rules.get("policies"), f"{path}.policies", _policy)
    tolerance = rules.get("tolerance")
    if tolerance is not None and parse(tolerance).nano < 0:
        yield invalid(f"{path}.tolerance", tolerance, NOT_NEGATIVE)


def _policy(policy: Object, path: str) -> Errors:
    if policy.get("type") not in POLICIES:
        yield unsupported(f"{path}.type", policy.get("type", ""), POLICIES)
    if policy.get("value", 0) <= 0:
        yield invalid(f"{path}.value", policy.get("value", 0), "must be greater than zero")
    period = policy.get("periodSeconds", 0)
    if period <= 0:
        yield invalid(f"{path}.periodSeconds", period, "must be greater than zero")
    if period > LONGEST_PERIOD:
        yield invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {LONGEST_PERIOD}")


# metrics


def _metrics(metrics: list[Object], path: str, least: int | None) -> Errors:
    yield from each(metrics, path, _metric)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        yield forbidden(path, "must specify at least one Object or External metric to support scaling to zero replicas")


def _metric(metric: Object, path: str) -> Errors:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in TYPES:
        yield unsupported(f"{path}.type", kind, TYPES)
    present = [field for field in SOURCES if metric.get(field) is not None]
    if present:
        yield from SOURCES[present[0]](metric[present[0]], f"{path}.{present[0]}")
    expected = TYPES.get(kind)
    if expected is not None and expected not in present:
        yield required(f"{path}.{expected}", "must populate information for the given metric source")
    if len(present) != 1:
        for field in present:
            if field != expected:
                yield forbidden(f"{path}.{field}", "must populate the given metric source only")


def _object(source: Object, path: str) -> Errors:
    yield from _reference(source.get("describedObject") or {}, f"{path}.describedObject")
    yield from _identifier(source.get("metric") or {}, f"{path}.metric")
    target = source.get("target") or {}
    yield from _target(target, f"{path}.target")
    if target.get("value") is None and target.get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must set either a target value or averageValue")


def _external(source: Object, path: str) -> Errors:
    yield from _identifier(source.get("metric") or {}, f"{path}.metric")
    target = source.get("target") or {}
    yield from _target(target, f"{path}.target")
    if target.get("value") is None and target.get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must set either a target value for metric or a per-pod target")
    if target.get("value") is not None and target.get("averageValue") is not None:
        yield forbidden(f"{path}.target.value", "may not set both a target value for metric and a per-pod target")


def _pods(source: Object, path: str) -> Errors:
    yield from _identifier(source.get("metric") or {}, f"{path}.metric")
    target = source.get("target") or {}
    yield from _target(target, f"{path}.target")
    if not _is_positive(target.get("averageValue")):
        yield required(f"{path}.target.averageValue", "must specify a positive target averageValue")


def _container_resource(source: Object, path: str) -> Errors:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    if not source.get("container"):
        yield required(f"{path}.container", "must specify a container")
    yield from _resource_target(source.get("target") or {}, f"{path}.target")


def _resource(source: Object, path: str) -> Errors:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    yield from _resource_target(source.get("target") or {}, f"{path}.target")


def _resource_target(target: Object, path: str) -> Errors:
    yield from _target(target, path)
    value, utilization = target.get("averageValue"), target.get("averageUtilization")
    if utilization is None and value is None:
        yield required(f"{path}.averageUtilization", NO_RESOURCE_TARGET)
    if utilization is not None and value is not None:
        yield forbidden(f"{path}.averageValue", TWO_RESOURCE_TARGETS)


def _target(target: Object, path: str) -> Errors:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    if kind not in TARGET_TYPES:
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        if target.get(field) is not None and not _is_positive(target[field]):
            yield invalid(f"{path}.{field}", target[field], POSITIVE)
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(f"{path}.averageUtilization", utilization, ABOVE_ZERO)


def _is_positive(quantity: Any) -> bool:
    return quantity is not None and parse(quantity).nano > 0


def _identifier(metric: Object, path: str) -> Errors:
    if not metric.get("name"):
        yield required(f"{path}.name", "must specify a metric name")
    else:
        yield from faults(f"{path}.name", metric["name"], names.path_segment(metric["name"]))


SOURCES: dict[str, Callable[[Object, str], Errors]] = {
    "object": _object, "external": _external, "pods": _pods, "resource": _resource, "containerResource": _container_resource}
TYPES = {"ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods", "Resource": "resource"}
KINDS: dict[str, Kind] = {
    "horizontalpodautoscalers.autoscaling": Kind(autoscaler, autoscaler_update, autoscaler_status),
}
