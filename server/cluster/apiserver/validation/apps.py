"""Validation of the apps group: Deployment and ReplicaSet.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster import names, selectors
from server.cluster.apiserver.validation import meta, pods
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    forbidden,
    immutable,
    invalid,
    label_selector,
    not_negative,
    required,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind

_PERCENT = re.compile("[0-9]+%")
_PERCENT_FAULT = names.not_matching("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")


def deployment(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _deployment_spec(obj.get("spec") or {})


def deployment_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    yield from _deployment_spec(spec)
    yield from immutable("spec.selector", spec.get("selector"), was.get("selector"))


def _deployment_spec(spec: Object) -> Errors:
    path = "spec"
    yield from not_negative(f"{path}.replicas", spec.get("replicas"))
    yield from workload_selector(spec, path, "deployment")
    yield from _template(spec, path)
    yield from _strategy(spec.get("strategy") or {}, f"{path}.strategy")
    yield from not_negative(f"{path}.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative(f"{path}.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from not_negative(f"{path}.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            yield invalid(f"{path}.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _replica_set_spec(obj.get("spec") or {})


def replica_set_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    yield from _replica_set_spec(spec)
    yield from immutable("spec.selector", spec.get("selector"), was.get("selector"))


def replicas_status(new: Object, old: Object) -> Errors:
    """Counts in a workload's status: none negative, none above the whole."""
    status = new.get("status") or {}
    counts = ("replicas", "fullyLabeledReplicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
              "observedGeneration")
    for field in counts:
        yield from not_negative(f"status.{field}", status.get(field))
    whole = status.get("replicas", 0)
    for field in ("fullyLabeledReplicas", "updatedReplicas", "readyReplicas", "availableReplicas"):
        if status.get(field, 0) > whole:
            yield invalid(f"status.{field}", status[field], "cannot be greater than status.replicas")
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        yield invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas")


def _replica_set_spec(spec: Object) -> Errors:
    path = "spec"
    yield from not_negative(f"{path}.replicas", spec.get("replicas"))
    yield from not_negative(f"{path}.minReadySeconds", spec.get("minReadySeconds"))
    yield from workload_selector(spec, path, "replicaset")
    yield from _template(spec, path)


def workload_selector(spec: Object, path: str, kind: str) -> Errors:
    selector = spec.get("selector")
    if selector is None:
        yield required(f"{path}.selector")
        return
    yield from label_selector(selector, f"{path}.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(f"{path}.selector", selector, f"empty selector is invalid for {kind}")


def _template(spec: Object, path: str) -> Errors:
    if parsed_selector(spec.get("selector")) is None:
        yield invalid(f"{path}.selector", spec["selector"], "invalid label selector")
        return
    yield from selected_template(spec, path)
    yield from never_ending(spec.get("template") or {}, f"{path}.template", "ReplicaSet")


def never_ending(template: Object, path: str, kind: str) -> Errors:
    """The pods of a workload that replaces those that end must not end by themselves."""
    pod = template.get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        yield unsupported(f"{path}.spec.restartPolicy", pod.get("restartPolicy", ""), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported")


def selected_template(spec: Object, path: str) -> Errors:
    """A template that the selector beside it, which is right in itself, must select."""
    at, template = f"{path}.template", spec.get("template") or {}
    selector, about = selectors.from_object(spec.get("selector")), template.get("metadata") or {}
    if not selector.empty and not selector.matches(about.get("labels")):
        yield invalid(f"{at}.metadata.labels", about.get("labels"), "`selector` does not match template `labels`")
    yield from pods.template(template, at)


def parsed_selector(selector: Object | None) -> selectors.Selector | None:
    """The selector, None if it cannot be one."""
    for expression in (selector or {}).get("matchExpressions") or ():
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist") or names.qualified_name(expression.get("key", "")):
            return None
        if (operator in ("In", "NotIn")) != bool(values) or any(names.label_value(value) for value in values):
            return None
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        if names.qualified_name(key) or names.label_value(value):
            return None
    return selectors.from_object(selector)


# strategy ----------------------------------------------------------------------------------------------------------------

def _strategy(strategy: Object, path: str) -> Errors:
    kind, update = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if update is not None:
            yield forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate":
        if update is None:
            yield required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")
        else:
            yield from rolling_update(update, f"{path}.rollingUpdate")
    elif not kind:
        yield required(f"{path}.type", 'valid values: "Recreate", "RollingUpdate"')
    else:
        yield unsupported(f"{path}.type", kind, ("Recreate", "RollingUpdate"))


def rolling_update(update: Object, path: str) -> Errors:
    unavailable, surge = update.get("maxUnavailable", 0), update.get("maxSurge", 0)
    yield from number_or_percent(unavailable, f"{path}.maxUnavailable")
    yield from number_or_percent(surge, f"{path}.maxSurge")
    if amount(unavailable) == 0 and amount(surge) == 0:
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    yield from not_more_than_all(unavailable, f"{path}.maxUnavailable")


def amount(value: Any) -> int:
    """The number, or the number of percent; 0 for what is no percentage."""
    if isinstance(value, str):
        return int(value[:-1]) if _PERCENT.fullmatch(value) else 0
    return value


def number_or_percent(value: Any, path: str) -> Errors:
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield invalid(path, value, _PERCENT_FAULT)
    else:
        yield from not_negative(path, value)


def not_more_than_all(value: Any, path: str) -> Errors:
    if isinstance(value, str) and amount(value) > 100:
        yield invalid(path, value, "must not be greater than 100%")


KINDS: dict[str, Kind] = {
    "deployments.apps": Kind(deployment, deployment_update, replicas_status),
    "replicasets.apps": Kind(replica_set, replica_set_update, replicas_status),
}
