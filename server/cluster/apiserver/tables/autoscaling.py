"""Columns of the autoscaling group."""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.tables.table import AGE, NAME, Column, TableOf, When
from server.cluster.objects import Object

SHOWN = 2
_SPEC, _STATUS = (f"io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler{part}" for part in ("Spec", "Status"))


def _autoscaler(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    target, least = spec["scaleTargetRef"], spec.get("minReplicas")
    return [obj["metadata"]["name"], f"{target['kind']}/{target['name']}",
            targets(spec.get("metrics") or [], status.get("currentMetrics") or []),
            "<unset>" if least is None else str(least), spec["maxReplicas"], status.get("currentReplicas", 0), when.born(obj)]


def targets(metrics: list[Object], current: list[Object]) -> str:
    """Each metric as ``current/target``, two of them at most.

    >>> cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}}
    >>> targets([cpu, cpu, cpu], [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 10}}}])
    'cpu: 10%/50%, cpu: <unknown>/50% + 1 more...'
    """
    shown = [_metric(metric, current[index] if index < len(current) else {}) for index, metric in enumerate(metrics)]
    if not shown:
        return "<none>"
    more = f" + {len(shown) - SHOWN} more..." if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


def _metric(metric: Object, status: Object) -> str:
    kind = metric["type"]
    field = kind[:1].lower() + kind[1:]
    source, now = metric.get(field) or {}, (status.get(field) or {}).get("current") or {}
    target = source.get("target") or {}
    if kind in ("Resource", "ContainerResource"):
        if target.get("averageValue") is not None:
            return f"{source['name']}: {now.get('averageValue', '<unknown>')}/{target['averageValue']}"
        wanted, used = target.get("averageUtilization"), now.get("averageUtilization")
        return (f"{source['name']}: {'<unknown>' if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}")
    if kind == "Pods" or target.get("averageValue") is not None:
        average = "" if kind == "Pods" else " (avg)"
        return f"{now.get('averageValue', '<unknown>')}/{target.get('averageValue')}{average}"
    return f"{now.get('value', '<unknown>')}/{target.get('value')}"


TABLES: dict[str, TableOf] = {
    "horizontalpodautoscalers.autoscaling": TableOf(
        (NAME, Column("Reference", f"{_SPEC}:scaleTargetRef"), Column("Targets", f"{_SPEC}:metrics"),
         Column("MinPods", f"{_SPEC}:minReplicas"), Column("MaxPods", f"{_SPEC}:maxReplicas"),
         Column("Replicas", f"{_STATUS}:currentReplicas"), AGE), _autoscaler),
}
