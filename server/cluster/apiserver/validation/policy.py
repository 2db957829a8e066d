"""Validation of the policy group: PodDisruptionBudget.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/pod-disruption-budget-v1/
"""

from __future__ import annotations

from typing import Any

from server.cluster import names
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.apps import not_more_than_all, number_or_percent
from server.cluster.apiserver.validation.conditions import conditions
from server.cluster.apiserver.validation.fields import Errors, Object, invalid, label_selector, not_negative, unsupported
from server.cluster.apiserver.validation.kind import Kind

EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def disruption_budget(obj: Object) -> Errors:
    yield from _spec(obj.get("spec") or {})
    yield from meta.create(obj, names.path_segment, namespaced=True)


def disruption_budget_update(new: Object, old: Object) -> Errors:
    yield from _spec(new.get("spec") or {})
    yield from meta.update(new, old)


def _spec(spec: Object) -> Errors:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        yield invalid("spec", {"MinAvailable": least, "Selector": spec.get("selector"), "MaxUnavailable": most,
                               "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy")},
                      "minAvailable and maxUnavailable cannot be both set")
    yield from _share(least, "spec.minAvailable")
    yield from _share(most, "spec.maxUnavailable")
    yield from label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in EVICTION_POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES)


def _share(value: Any, path: str) -> Errors:
    if value is None:
        return
    yield from number_or_percent(value, path)
    yield from not_more_than_all(value, path)


def disruption_budget_status(new: Object, old: Object) -> Errors:
    status = new.get("status") or {}
    yield from conditions(status.get("conditions"), "status.conditions")
    for field in COUNTS:
        yield from not_negative(f"status.{field}", status.get(field))


KINDS: dict[str, Kind] = {
    "poddisruptionbudgets.policy": Kind(disruption_budget, disruption_budget_update, disruption_budget_status)}
