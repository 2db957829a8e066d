"""Podium's own bounds on lists that Kubernetes leaves to the size of a request: far past what anyone has, and well before one object
could hold up a whole class.

In: a pod's spec, an object's labels, a StatefulSet's claims. Out: "Too many" errors as the API server words them.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.cluster.apiserver.validation.fields import FieldError, Object

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
LABELS, CLAIM_TEMPLATES = 1_000, 64
OF_A_POD = {**dict.fromkeys(CONTAINER_LISTS, 256), "volumes": 256, "tolerations": 1_000, "topologySpreadConstraints": 100, "hostAliases": 1_000,
            "readinessGates": 100, "schedulingGates": 100, "imagePullSecrets": 1_000, "nodeSelector": LABELS}
OF_A_CONTAINER = {"env": 5_000, "envFrom": 1_000, "ports": 1_000, "volumeMounts": 1_000, "volumeDevices": 1_000}
OF_AFFINITY = {("nodeAffinity", REQUIRED, "nodeSelectorTerms"): 1_000, ("nodeAffinity", PREFERRED): 1_000,
               **{(kind, when): 100 for kind in ("podAffinity", "podAntiAffinity") for when in (REQUIRED, PREFERRED)}}


def of_pod(spec: Object, path: str) -> list[FieldError]:
    """What there is too much of in a pod's spec."""
    return [FieldError("Too many", at, len(items), f"must have at most {most} items")
            for at, items, most in _lists(spec, path) if items and len(items) > most]


def of_list(items: Any, path: str, most: int) -> list[FieldError]:
    return [FieldError("Too many", path, len(items), f"must have at most {most} items")] if items and len(items) > most else []


def _lists(spec: Object, path: str) -> Iterator[tuple[str, Any, int]]:
    for field, most in OF_A_POD.items():
        yield f"{path}.{field}", spec.get(field), most
    for kind in CONTAINER_LISTS:
        for index, container in enumerate((spec.get(kind) or ())[:OF_A_POD[kind]]):
            for field, most in OF_A_CONTAINER.items():
                if field in container:
                    yield f"{path}.{kind}[{index}].{field}", container[field], most
    affinity = spec.get("affinity")
    for where, most in OF_AFFINITY.items() if affinity else ():
        value: Any = affinity
        for field in where:
            value = value.get(field) if value else None
        yield f"{path}.affinity.{'.'.join(where)}", value, most
