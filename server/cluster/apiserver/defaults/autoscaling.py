"""Defaults of the autoscaling group: one pod at least, 80% CPU, and rules for the directions that a behavior does not speak of.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#default-behavior
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled, with_field

Object = dict[str, Any]

METRICS = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]
SCALE_UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
    {"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]}
SCALE_DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def autoscaler(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _spec)


def _spec(spec: Object) -> Object:
    spec = filled(spec, {"minReplicas": 1})
    if not spec.get("metrics"):
        spec = {**spec, "metrics": METRICS}
    return with_field(spec, "behavior", _behavior)


def _behavior(behavior: Object) -> Object:
    return {**behavior, "scaleUp": filled(behavior.get("scaleUp") or {}, SCALE_UP),
            "scaleDown": filled(behavior.get("scaleDown") or {}, SCALE_DOWN)}


DEFAULTS: dict[str, Callable[[Object], Object]] = {"horizontalpodautoscalers.autoscaling": autoscaler}
