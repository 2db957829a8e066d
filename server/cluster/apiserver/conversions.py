"""What the same object is in two versions: HorizontalPodAutoscaler in autoscaling/v1, Event in events.k8s.io/v1.

Each row of ``CONVERSIONS`` has two functions: ``kept`` makes of an object as it is served one as it is kept, ``served`` the other way.
What autoscaling/v1 has no field for goes into annotations, as JSON.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from server.cluster.objects import Object

METRICS, CURRENT, CONDITIONS, BEHAVIOR = (f"autoscaling.alpha.kubernetes.io/{name}" for name in
                                          ("metrics", "current-metrics", "conditions", "behavior"))
ANNOTATIONS = (METRICS, CURRENT, CONDITIONS, BEHAVIOR)


class Conversion(NamedTuple):
    kept: Callable[[Object], Object]
    served: Callable[[Object], Object]


def _without(obj: Object, *fields: str) -> Object:
    return {field: value for field, value in obj.items() if field not in fields}


def _annotated(obj: Object, values: dict[str, Any]) -> Object:
    """``obj`` with these annotations (as JSON) in the place of any that it had."""
    meta = obj.get("metadata") or {}
    annotations = _without(meta.get("annotations") or {}, *ANNOTATIONS)
    annotations |= {name: json.dumps(value, separators=(",", ":")) for name, value in values.items() if value}
    return {**obj, "metadata": {**_without(meta, "annotations"), **({"annotations": annotations} if annotations else {})}}


# HorizontalPodAutoscaler


def _is_cpu(metric: Object) -> bool:
    resource = metric.get("resource") or {}
    return metric.get("type") == "Resource" and resource.get("name") == "cpu"


def _utilization(metric: Object) -> int | None:
    return ((metric.get("resource") or {}).get("target") or {}).get("averageUtilization")


def autoscaler_v1(obj: Object) -> Object:
    """v2 to v1."""
    spec, status = obj["spec"], obj.get("status") or {}
    cpu = next((metric for metric in spec.get("metrics") or () if _is_cpu(metric) and _utilization(metric) is not None), None)
    others = [metric for metric in spec.get("metrics") or () if metric is not cpu]
    current = [metric for metric in status.get("currentMetrics") or () if metric.get("type")]
    new: Object = {"metadata": obj["metadata"], "spec": _without(spec, "metrics", "behavior")}
    if cpu is not None:
        new["spec"]["targetCPUUtilizationPercentage"] = _utilization(cpu)
    if "status" in obj:
        new["status"] = _without(status, "currentMetrics", "conditions")
        used = next((value for metric in current if _is_cpu(metric)
                     and (value := metric["resource"]["current"].get("averageUtilization")) is not None), None)
        if used is not None:
            new["status"]["currentCPUUtilizationPercentage"] = used
        new["status"].setdefault("currentReplicas", 0)
        new["status"].setdefault("desiredReplicas", 0)
    return _annotated(new, {METRICS: [_metric_v1(metric) for metric in others], CURRENT: [_current_v1(metric) for metric in current],
                            CONDITIONS: status.get("conditions"), BEHAVIOR: spec.get("behavior")})


def autoscaler_v2(obj: Object) -> Object:
    """v1 to v2."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    metrics = [_metric_v2(metric) for metric in _read(annotations, METRICS, list)]
    target = spec.get("targetCPUUtilizationPercentage")
    if target is not None:
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}})
    new = _annotated(_without(obj, "spec", "status"), {})
    new["spec"] = {**_without(spec, "targetCPUUtilizationPercentage"), **({"metrics": metrics} if metrics else {})}
    if behavior := _read(annotations, BEHAVIOR, dict):
        new["spec"]["behavior"] = behavior
    if "status" in obj:
        new["status"] = _without(status, "currentCPUUtilizationPercentage")
        if current := _read(annotations, CURRENT, list):
            new["status"]["currentMetrics"] = [_current_v2(metric) for metric in current]
        if conditions := _read(annotations, CONDITIONS, list):
            new["status"]["conditions"] = conditions
    return new


def _read(annotations: dict[str, str], name: str, type_: type) -> Any:
    """What an annotation holds; nothing if somebody wrote something else into it."""
    try:
        value = json.loads(annotations.get(name, ""))
    except (ValueError, RecursionError):
        return type_()
    fits = isinstance(value, type_) and (type_ is dict or all(isinstance(item, dict) for item in value))
    return value if fits else type_()


def _field(metric: Object) -> str:
    kind = str(metric.get("type") or "")
    return kind[:1].lower() + kind[1:]


# where v1 keeps what v2 has in (metric name, selector, described object)
_NAMES = {"pods": ("metricName", "selector", ""), "object": ("metricName", "selector", "target"),
          "external": ("metricName", "metricSelector", "")}


def _amounts(field: str, word: str) -> dict[str, str]:
    """v2's name of an amount to v1's; ``word`` is target or current."""
    names = {"averageUtilization": f"{word}AverageUtilization", "averageValue": f"{word}AverageValue", "value": f"{word}Value"}
    return names | ({"averageValue": "averageValue"} if field == "object" else {})


def _to_v1(metric: Object, word: str) -> Object:
    field = _field(metric)
    source = metric.get(field) or {}
    new = {name: source[name] for name in ("name", "container") if name in source}
    if field in _NAMES:
        name, selector, described = _NAMES[field]
        identity = source.get("metric") or {}
        new[name] = identity.get("name", "")
        if identity.get("selector") is not None:
            new[selector] = identity["selector"]
        if described:
            new[described] = source.get("describedObject") or {}
    amounts = source.get(word) or {}
    return {"type": metric.get("type", ""), field: new | {old: amounts[now] for now, old in _amounts(field, word).items() if now in amounts}}


def _to_v2(metric: Object, word: str) -> Object:
    field = _field(metric)
    source = metric.get(field) if isinstance(metric.get(field), dict) else {}
    new: Object = {name: source[name] for name in ("name", "container") if name in source}
    if field in _NAMES:
        name, selector, described = _NAMES[field]
        new["metric"] = {"name": source.get(name, ""), **({"selector": source[selector]} if selector in source else {})}
        if described:
            new["describedObject"] = source.get(described) or {}
    amounts = {now: source[old] for now, old in _amounts(field, word).items() if old in source}
    if word == "target":
        kind = "Utilization" if "averageUtilization" in amounts else "AverageValue" if "averageValue" in amounts else "Value"
        amounts = {"type": kind, **amounts}
    return {"type": metric.get("type", ""), field: {**new, word: amounts}} if field else {"type": ""}


def _metric_v1(metric: Object) -> Object:
    return _to_v1(metric, "target")


def _metric_v2(metric: Object) -> Object:
    return _to_v2(metric, "target")


def _current_v1(metric: Object) -> Object:
    return _to_v1(metric, "current")


def _current_v2(metric: Object) -> Object:
    return _to_v2(metric, "current")


# Event: (as it is kept, as it is served)

_EVENT = (("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
          ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"))


def _renamed(obj: Object, names: dict[str, str]) -> Object:
    return {names.get(field, field): value for field, value in obj.items()}


CONVERSIONS: dict[str, Conversion] = {
    "horizontalpodautoscalers.v1.autoscaling": Conversion(autoscaler_v2, autoscaler_v1),
    "events.v1.events.k8s.io": Conversion(lambda obj: _renamed(obj, {served: kept for kept, served in _EVENT}),
                                          lambda obj: _renamed(obj, dict(_EVENT))),
}
