"""What pods ask for and may use, summed as the scheduler sums it: containers together, the largest init container, overhead.

In: pods. Out: ``Amounts``, quantities by resource name in the spelling of the first that is not zero. An init container that
restarts always keeps running, so it counts with the main containers and with every init container that starts after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.cluster import quantity

Object = dict[str, Any]


class Amounts(dict[str, str]):
    """Quantities by resource name; what is absent is nothing."""

    def text(self, resource: str) -> str:
        return quantity.canonical(self.get(resource, "0"))

    def __add__(self, other: dict[str, str]) -> Amounts:
        merged = Amounts(self)
        for resource, value in other.items():
            merged[resource] = quantity.add(merged[resource], value) if resource in merged else quantity.canonical(value)
        return merged

    def at_least(self, other: dict[str, str]) -> Amounts:
        merged = Amounts(self)
        for resource, value in other.items():
            if resource not in merged or quantity.compare(value, merged[resource]) > 0:
                merged[resource] = quantity.canonical(value)
        return merged


def total(parts: Iterable[Amounts]) -> Amounts:
    return sum(parts, Amounts())


def pod_requests(pod: Object) -> Amounts:
    """
    >>> web, setup = ({"resources": {"requests": {"cpu": cpu}}} for cpu in ("100m", "1"))
    >>> pod_requests({"spec": {"containers": [web, web], "initContainers": [setup]}})
    {'cpu': '1'}
    """
    return _of_pod(pod, "requests")


def pod_limits(pod: Object) -> Amounts:
    return _of_pod(pod, "limits")


def _of_pod(pod: Object, kind: str) -> Amounts:
    spec = pod.get("spec") or {}
    amounts = total(_of_container(container, kind) for container in spec.get("containers") or ())
    kept, largest = Amounts(), Amounts()
    for container in spec.get("initContainers") or ():
        needs = _of_container(container, kind)
        if container.get("restartPolicy") == "Always":
            amounts, kept = amounts + needs, kept + needs
            largest = largest.at_least(kept)
        else:
            largest = largest.at_least(kept + needs)
    amounts = amounts.at_least(largest)
    amounts.update(((spec.get("resources") or {}).get(kind)) or {})
    overhead = spec.get("overhead") or {}
    if kind == "limits":
        overhead = {resource: value for resource, value in overhead.items() if resource in amounts}
    return amounts + overhead


def _of_container(container: Object, kind: str) -> Amounts:
    return Amounts() + ((container.get("resources") or {}).get(kind) or {})
