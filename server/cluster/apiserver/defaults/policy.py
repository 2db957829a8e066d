"""Defaults of the policy group: a PodDisruptionBudget has a spec, if an empty one.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/pod-disruption-budget-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import filled

Object = dict[str, Any]


def disruption_budget(obj: Object) -> Object:
    return filled(obj, {"spec": {}})


DEFAULTS: dict[str, Callable[[Object], Object]] = {"poddisruptionbudgets.policy": disruption_budget}
