"""Defaults of the scheduling group: PriorityClass.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/priority-class-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled

Object = dict[str, Any]

_PRIORITY_CLASS = {"value": 0, "preemptionPolicy": "PreemptLowerPriority"}


def priority_class(obj: Object) -> Object:
    return filled(obj, _PRIORITY_CLASS)


DEFAULTS: dict[str, Callable[[Object], Object]] = {"priorityclasses.scheduling.k8s.io": priority_class}
