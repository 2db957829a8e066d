"""A pod's quality of service class, from its containers' cpu and memory.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from __future__ import annotations

from server.cluster.objects import Object
from server.cluster.quantity import parse

COMPUTE = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """``Guaranteed`` when every container limits both and requests as much, ``BestEffort`` when none says anything, else ``Burstable``.
    Resources of the pod as a whole are asked instead of its containers'."""
    whole = spec.get("resources")
    if whole and any(name in (whole.get(part) or {}) for part in ("limits", "requests") for name in COMPUTE):
        return _class([{"resources": whole}])
    return _class([*(spec.get("containers") or ()), *(spec.get("initContainers") or ())])


def _class(containers: list[Object]) -> str:
    says_anything, guaranteed = False, True
    for container in containers:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in COMPUTE:
            limit, request = limits.get(name), requests.get(name)
            if limit is not None or request is not None:
                says_anything = True
            if limit is None or (request is not None and parse(request) != parse(limit)):
                guaranteed = False
    if not says_anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
