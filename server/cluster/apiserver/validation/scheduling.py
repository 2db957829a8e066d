"""Validation of what a pod tells the scheduler: affinity, tolerations, spread constraints, gates; and of node taints.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    duplicate,
    each,
    faults,
    forbidden,
    invalid,
    label_1123,
    label_name,
    label_selector,
    required,
    unsupported,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_REQUIRED, _PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"


# node affinity -----------------------------------------------------------------------------------------------------------

def affinity(value: Object, path: str) -> Errors:
    if node := value.get("nodeAffinity"):
        yield from _node_affinity(node, f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        if pods := value.get(field):
            yield from _pod_affinity(pods, f"{path}.{field}")


def _node_affinity(value: Object, path: str) -> Errors:
    if (selector := value.get(_REQUIRED)) is not None:
        yield from node_selector(selector, f"{path}.{_REQUIRED}")
    for index, term in enumerate(value.get(_PREFERRED) or ()):
        at = f"{path}.{_PREFERRED}[{index}]"
        if not 1 <= term.get("weight", 0) <= 100:
            yield invalid(f"{at}.weight", term.get("weight", 0), _WEIGHT)
        yield from _node_term(term.get("preference") or {}, f"{at}.preference", strict=False)


def node_selector(selector: Object, path: str) -> Errors:
    """A NodeSelector, of a pod's affinity or of a volume's."""
    terms, at = selector.get("nodeSelectorTerms") or [], f"{path}.nodeSelectorTerms"
    if not terms:
        yield required(at, "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _node_term(term, f"{at}[{index}]", strict=True)


def _node_term(term: Object, path: str, *, strict: bool) -> Errors:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        yield from _node_requirement(requirement, f"{path}.matchExpressions[{index}]", strict)
    yield from each(term.get("matchFields"), f"{path}.matchFields", _field_requirement)


def _node_requirement(requirement: Object, path: str, strict: bool) -> Errors:
    operator, values = requirement.get("operator", ""), requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from label_name(f"{path}.key", requirement.get("key", ""))
    if strict:
        for index, value in enumerate(values):
            yield from faults(f"{path}.values[{index}]", value, names.label_value(value))


def _field_requirement(requirement: Object, path: str) -> Errors:
    operator, values, key = requirement.get("operator", ""), requirement.get("values") or [], requirement.get("key", "")
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        yield required(f"{path}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
    if key != "metadata.name":
        yield invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from faults(f"{path}.values[{index}]", value, names.subdomain(value))


# pod affinity ------------------------------------------------------------------------------------------------------------

def _pod_affinity(value: Object, path: str) -> Errors:
    yield from each(value.get(_REQUIRED), f"{path}.{_REQUIRED}", _pod_term)
    for index, term in enumerate(value.get(_PREFERRED) or ()):
        at = f"{path}.{_PREFERRED}[{index}]"
        if not 1 <= term.get("weight", 0) <= 100:
            yield invalid(f"{at}.weight", term.get("weight", 0), _WEIGHT)
        yield from _pod_term(term.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")


def _pod_term(term: Object, path: str) -> Errors:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        yield from label_1123(f"{path}.namespace", name)
    yield from _label_keys(term, path)
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from label_name(f"{path}.topologyKey", key)


def _label_keys(term: Object, path: str) -> Errors:
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        if term.get(field) and term.get("labelSelector") is None:
            yield forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set")
        for index, key in enumerate(term.get(field) or ()):
            yield from label_name(f"{path}.{field}[{index}]", key)
    both = [key for key in term.get("matchLabelKeys") or () if key in (term.get("mismatchLabelKeys") or ())]
    for key in both:
        yield invalid(f"{path}.matchLabelKeys", key, "exists in both matchLabelKeys and mismatchLabelKeys")


# tolerations and taints --------------------------------------------------------------------------------------------------

def toleration(value: Object, path: str) -> Errors:
    key, operator, text = value.get("key", ""), value.get("operator", ""), value.get("value", "")
    if key:
        yield from label_name(f"{path}.key", key)
    elif operator != "Exists":
        yield invalid(f"{path}.operator", operator,
                      'operator must be Exists when `key` is empty, which means "match all values and all keys"')
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        yield invalid(f"{path}.effect", value.get("effect", ""), "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("Equal", ""):
        found = names.label_value(text)
        if found:
            yield invalid(f"{path}.operator", text, ";".join(found))
    elif operator == "Exists":
        if text:
            yield invalid(f"{path}.operator", text, "value must be empty when `operator` is 'Exists'")
    else:
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    if effect := value.get("effect"):
        yield from _effect(f"{path}.effect", effect)


def _effect(path: str, effect: str) -> Errors:
    if not effect:
        yield required(path)
    elif effect not in EFFECTS:
        yield unsupported(path, effect, EFFECTS)


def taints(items: list[Object], path: str) -> Errors:
    """A node's taints: one of each key and effect."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(items):
        at = f"{path}[{index}]"
        yield from label_name(f"{at}.key", taint.get("key", ""))
        found = names.label_value(taint.get("value", ""))
        if found:
            yield invalid(f"{at}.value", taint["value"], ";".join(found))
        yield from _effect(f"{at}.effect", taint.get("effect", ""))
        if (taint.get("key", ""), taint.get("effect", "")) in seen:
            yield duplicate(at, taint, "taints must be unique by key and effect pair")
        seen.add((taint.get("key", ""), taint.get("effect", "")))


# spread and gates --------------------------------------------------------------------------------------------------------

def spread(items: list[Object], path: str) -> Errors:
    """``topologySpreadConstraints``."""
    seen: list[tuple[str, str]] = []
    for index, constraint in enumerate(items):
        at = f"{path}[{index}]"
        if constraint.get("maxSkew", 0) <= 0:
            yield invalid(f"{at}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero")
        key, action = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if not key:
            yield required(f"{at}.topologyKey", "can not be empty")
        else:
            yield from label_name(f"{at}.topologyKey", key)
        if action not in UNSATISFIABLE:
            yield unsupported(f"{at}.whenUnsatisfiable", action, UNSATISFIABLE)
        if (key, action) in seen:
            yield duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        seen.append((key, action))
        domains = constraint.get("minDomains")
        if domains is not None:
            if domains <= 0:
                yield invalid(f"{at}.minDomains", domains, "must be greater than zero")
            if action != "DoNotSchedule":
                yield invalid(f"{at}.minDomains", domains, 'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not '
                              f'{action}')
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(field) not in (None, "Honor", "Ignore"):
                yield unsupported(f"{at}.{field}", constraint[field], ("Honor", "Ignore"))
        yield from _label_keys({key: value for key, value in constraint.items() if key != "mismatchLabelKeys"}, at)
        yield from label_selector(constraint.get("labelSelector"), f"{at}.labelSelector")


def gates(items: list[Object], path: str) -> Errors:
    """``schedulingGates``."""
    seen: set[str] = set()
    for index, gate in enumerate(items):
        name = gate.get("name", "")
        yield from faults(f"{path}[{index}]", name, names.qualified_name(name))
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
