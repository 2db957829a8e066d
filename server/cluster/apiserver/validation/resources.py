"""Validation of resource quantities: names, signs, requests within limits.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.validation.fields import NOT_NEGATIVE, Errors, Object, faults, forbidden, invalid, not_found, required
from server.cluster.quantity import parse

STANDARD = ("cpu", "memory", "ephemeral-storage")
COUNTED = ("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
           "services.nodeports", "services.loadbalancers")
HUGE_PAGES = "hugepages-"


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    return is_native(name) and not name.startswith(HUGE_PAGES)


def quantity_value(name: str, value: str, path: str) -> Errors:
    amount = parse(value)
    if amount.nano < 0:
        yield invalid(path, value, NOT_NEGATIVE)
    if (name in COUNTED or is_extended(name)) and amount.milli() % 1000:
        yield invalid(path, value, "must be an integer")


def _container_resource_name(name: str, path: str) -> Errors:
    found = names.qualified_name(name)
    if found:
        yield from faults(path, name, found)
    elif "/" not in name:
        if name not in STANDARD and not name.startswith(HUGE_PAGES):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def requirements(resources: Object, path: str, claims: frozenset[str] = frozenset()) -> Errors:
    """A container's ``resources``."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in limits.items():
        at = f"{path}.limits[{name}]"
        yield from _container_resource_name(name, at)
        yield from quantity_value(name, value, at)
    for name, value in requests.items():
        at = f"{path}.requests[{name}]"
        yield from _container_resource_name(name, at)
        yield from quantity_value(name, value, at)
        if name in limits:
            request, limit = parse(value), parse(limits[name])
            if request.nano != limit.nano and not may_overcommit(name):
                yield invalid(f"{path}.requests", value, f"must be equal to {name} limit of {limits[name]}")
            elif request.nano > limit.nano:
                yield invalid(f"{path}.requests", value, f"must be less than or equal to {name} limit of {limits[name]}")
        elif not may_overcommit(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    both = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in both) and not both & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    for index, claim in enumerate(resources.get("claims") or ()):
        if not claim.get("name"):
            yield required(f"{path}.claims[{index}]")
        elif claim["name"] not in claims:
            yield not_found(f"{path}.claims[{index}]", claim["name"])
