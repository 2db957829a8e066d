"""What ``kubectl describe`` prints.

In: an object as the API server stores it and a Scope to read related objects with; out: the text, to the byte kubectl's. One file
a family of kinds, chosen in ``DESCRIBERS`` by group and kind; every kind without one is described field by field.
"""

from __future__ import annotations

from server.kubectl.describe.autoscaling import describe_autoscaler
from server.kubectl.describe.config import describe_config_map, describe_namespace, describe_secret, describe_service_account
from server.kubectl.describe.daemonset import describe_daemon_set
from server.kubectl.describe.generic import describe_generic
from server.kubectl.describe.jobs import describe_cron_job, describe_job
from server.kubectl.describe.layout import Page
from server.kubectl.describe.networking import describe_ingress, describe_ingress_class, describe_network_policy
from server.kubectl.describe.node import describe_node
from server.kubectl.describe.pod import describe_pod
from server.kubectl.describe.policies import describe_disruption_budget, describe_priority_class
from server.kubectl.describe.scope import Describer, Object, Scope
from server.kubectl.describe.service import describe_endpoint_slice, describe_endpoints, describe_service
from server.kubectl.describe.statefulset import describe_stateful_set
from server.kubectl.describe.storage import (
    describe_csi_node,
    describe_persistent_volume,
    describe_persistent_volume_claim,
    describe_storage_class,
)
from server.kubectl.describe.workloads import describe_deployment, describe_replica_set, describe_replication_controller

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
    ("", "ReplicationController"): describe_replication_controller,
    ("apps", "DaemonSet"): describe_daemon_set,
    ("", "PersistentVolume"): describe_persistent_volume,
    ("", "PersistentVolumeClaim"): describe_persistent_volume_claim,
    ("storage.k8s.io", "StorageClass"): describe_storage_class,
    ("storage.k8s.io", "CSINode"): describe_csi_node,
    ("apps", "Deployment"): describe_deployment,
    ("apps", "ReplicaSet"): describe_replica_set,
    ("autoscaling", "HorizontalPodAutoscaler"): describe_autoscaler,
    ("apps", "StatefulSet"): describe_stateful_set,
    ("networking.k8s.io", "Ingress"): describe_ingress,
    ("networking.k8s.io", "IngressClass"): describe_ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): describe_network_policy,
    ("policy", "PodDisruptionBudget"): describe_disruption_budget,
    ("scheduling.k8s.io", "PriorityClass"): describe_priority_class,
    ("batch", "CronJob"): describe_cron_job,
    ("batch", "Job"): describe_job,
    ("discovery.k8s.io", "EndpointSlice"): describe_endpoint_slice,
}


def describe(obj: Object, scope: Scope) -> str:
    group = obj["apiVersion"].rpartition("/")[0]
    page = Page()
    DESCRIBERS.get((group, obj["kind"]), describe_generic)(obj, scope, page)
    return page.text()
