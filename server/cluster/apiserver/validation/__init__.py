"""Validation: an object of a kind in, its field errors in Kubernetes' words and order out.

One module a group, one function a kind and verb; ``KINDS`` says which. Adding a kind is a function and a row here. Nothing is mutated; the
errors of a pod spec are remembered by the spec's identity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from server.cluster.apiserver.validation import apps, cluster, meta, network, pods
from server.cluster.apiserver.validation.fields import Errors, Object
from server.cluster.apiserver.validation.warnings import warnings
from server.cluster.errors import FieldError

__all__ = ["KINDS", "validate_create", "validate_status", "validate_update", "warnings"]

Check = Callable[[Object], Errors]
Compare = Callable[[Object, Object], Errors]


class Kind(NamedTuple):
    """How a kind is checked when it is made, changed, and when its status is written."""

    create: Check
    update: Compare = meta.update
    status: Compare | None = None


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
    "deployments.apps": Kind(apps.deployment, apps.deployment_update, apps.replicas_status),
    "replicasets.apps": Kind(apps.replica_set, apps.replica_set_update, apps.replicas_status),
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
