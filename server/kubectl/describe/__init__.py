"""What ``kubectl describe`` prints.

In: an object as the API server stores it and a Scope to read related objects with; out: the text, to the byte kubectl's. One file
a family of kinds, chosen in ``DESCRIBERS`` by group and kind; every kind without one is described field by field.
"""

from __future__ import annotations

from server.kubectl.describe.config import describe_config_map, describe_namespace, describe_secret, describe_service_account
from server.kubectl.describe.generic import describe_generic
from server.kubectl.describe.layout import Page
from server.kubectl.describe.node import describe_node
from server.kubectl.describe.pod import describe_pod
from server.kubectl.describe.scope import Describer, Object, Scope
from server.kubectl.describe.service import describe_endpoint_slice, describe_endpoints, describe_service
from server.kubectl.describe.workloads import describe_deployment, describe_replica_set

__all__ = ["DESCRIBERS", "Scope", "describe"]

DESCRIBERS: dict[tuple[str, str], Describer] = {
    ("", "Pod"): describe_pod,
    ("", "Node"): describe_node,
    ("", "Namespace"): describe_namespace,
    ("", "Service"): describe_service,
    ("", "Endpoints"): describe_endpoints,
    ("", "ConfigMap"): describe_config_map,
    ("", "Secret"): describe_secret,
    ("", "ServiceAccount"): describe_service_account,
    ("apps", "Deployment"): describe_deployment,
    ("apps", "ReplicaSet"): describe_replica_set,
    ("discovery.k8s.io", "EndpointSlice"): describe_endpoint_slice,
}


def describe(obj: Object, scope: Scope) -> str:
    group = obj["apiVersion"].rpartition("/")[0]
    page = Page()
    DESCRIBERS.get((group, obj["kind"]), describe_generic)(obj, scope, page)
    return page.text()
