"""Validation: an object of a kind in, its field errors in Kubernetes' words and order out.

One module a group, one function a kind and verb; ``KINDS`` says which. Adding a kind is a function and a row here. Nothing is mutated; the
errors of a pod spec are remembered by the spec's identity.
"""

from __future__ import annotations

from server.cluster.apiserver.validation import (
    apps,
    autoscaling,
    batch,
    cluster,
    daemonsets,
    meta,
    network,
    networking,
    pods,
    policy,
    priority,
    replication,
    statefulsets,
    storage,
)
from server.cluster.apiserver.validation.fields import Object
from server.cluster.apiserver.validation.kind import Kind
from server.cluster.apiserver.validation.warnings import warnings
from server.cluster.errors import FieldError

__all__ = ["KINDS", "validate_create", "validate_status", "validate_update", "warnings"]


KINDS: dict[str, Kind] = {
    "pods": Kind(pods.create, pods.update, pods.status),
    "services": Kind(network.service, network.service_update),
    "endpoints": Kind(network.endpoints, network.endpoints_update),
    "endpointslices.discovery.k8s.io": Kind(network.endpoint_slice, network.endpoint_slice_update),
    "namespaces": Kind(cluster.namespace, meta.update, cluster.namespace_status),
    "nodes": Kind(cluster.node, cluster.node_update, cluster.node_status),
    "configmaps": Kind(cluster.config_map, cluster.config_map_update),
    "secrets": Kind(cluster.secret, cluster.secret_update),
    "serviceaccounts": Kind(cluster.service_account),
    "events": Kind(cluster.event),
    "leases.coordination.k8s.io": Kind(cluster.lease, cluster.lease_update),
    **daemonsets.KINDS, **networking.KINDS, **replication.KINDS,
    **apps.KINDS, **autoscaling.KINDS, **batch.KINDS, **policy.KINDS, **priority.KINDS, **statefulsets.KINDS, **storage.KINDS,
}


def validate_create(resource_key: str, obj: Object) -> list[FieldError]:
    """The errors of a new object, named, defaulted and not yet stored."""
    return list(KINDS[resource_key].create(obj))


def validate_update(resource_key: str, new: Object, old: Object) -> list[FieldError]:
    """The errors of a new version of an object, its status as it was."""
    return list(KINDS[resource_key].update(new, old))


def validate_status(resource_key: str, new: Object, old: Object) -> list[FieldError]:
    """The errors of a new status."""
    check = KINDS[resource_key].status
    return list(check(new, old)) if check is not None else []
