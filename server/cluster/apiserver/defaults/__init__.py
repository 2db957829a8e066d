"""Defaulting: an object of a kind in, the object with what Kubernetes v1.36 fills in out; the same object when nothing is missing.

One function a kind, in the file of its API group; ``DEFAULTS`` says which. Nothing is ever mutated, and every part that needs no default
is shared. Pod specs are remembered by identity, so a thousand pods of one template are defaulted once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults import (
    apps,
    autoscaling,
    batch,
    cluster,
    daemonsets,
    network,
    networking,
    pods,
    policy,
    priority,
    replication,
    statefulsets,
    storage,
)

Object = dict[str, Any]

DEFAULTS: dict[str, Callable[[Object], Object]] = {
    "pods": pods.pod,
    "services": network.service,
    "endpoints": network.endpoints,
    "endpointslices.discovery.k8s.io": network.endpoint_slice,
    "namespaces": cluster.namespace,
    "nodes": cluster.node,
    "secrets": cluster.secret,
    "events": cluster.event,
    "statefulsets.apps": statefulsets.stateful_set,
    **daemonsets.DEFAULTS, **replication.DEFAULTS,
    **apps.DEFAULTS, **autoscaling.DEFAULTS, **batch.DEFAULTS, **networking.DEFAULTS, **policy.DEFAULTS, **priority.DEFAULTS, **storage.DEFAULTS,
}


def apply(resource_key: str, obj: Object) -> Object:
    """``obj`` with its kind's defaults. Kinds without a row have none."""
    default = DEFAULTS.get(resource_key)
    return obj if default is None else default(obj)
