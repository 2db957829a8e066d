"""What a new cluster finds in itself: kubeadm's namespaces, Services and ConfigMaps, and the system's pods.

Everything is written by clients through the API server, like all that follows.

Source: https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.apiserver import priorities
from server.cluster.apiserver.resources import by_kind
from server.cluster.controllers import kubernetes_service
from server.cluster.kubelet import system_daemons
from server.cluster.kubelet.system_pods import coredns_deployment, static_manifests
from server.cluster.machines import PRESETS, NodeSpec
from server.cluster.metrics_server import manifests as metrics_manifests
from server.cluster.objects import Object
from server.cluster.parts import Parts

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
APISERVER, KUBEADM = kubernetes_service.USER, "kubernetes-admin"


def default_nodes() -> list[NodeSpec]:
    return PRESETS["default"]


def objects(parts: Parts) -> None:
    """Namespaces, the ``kubernetes`` and ``kube-dns`` Services, kubeadm's ConfigMaps."""
    apiserver = parts.client("kube-apiserver", APISERVER)
    for name in NAMESPACES:
        apiserver.create("namespaces", {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}})
    apiserver.create("services", kubernetes_service.objects([])["services"])
    kubeadm = parts.client("kubeadm", KUBEADM)
    kubeadm.create("services", _dns_service())
    for config_map in _config_maps():
        kubeadm.create("configmaps", config_map)


def priority_classes(parts: Parts) -> None:
    """The system's two PriorityClasses, which the API server makes whenever it starts without them."""
    apiserver, known = parts.client("kube-apiserver", APISERVER), parts.api.lister(priorities.RESOURCE)
    for row in priorities.system_classes():
        if known.get("", row["metadata"]["name"]) is None:
            apiserver.create(priorities.RESOURCE, row)


def system_pods(parts: Parts, kubelets: Kubelets) -> None:
    """The control plane's pods, DNS, and a kube-proxy and network agent on every node; and where the API server can be reached."""
    nodes = parts.api.lister("nodes").list()
    apiserver, reached = parts.client("kube-apiserver", APISERVER), kubernetes_service.objects(nodes)
    for resource in ("endpoints", kubernetes_service.SLICES):
        apiserver.create(resource, reached[resource])
    kubeadm = parts.client("kubeadm", KUBEADM)
    for account in ("coredns", "kube-proxy", "calico-node"):
        kubeadm.create("serviceaccounts", {"metadata": {"name": account, "namespace": "kube-system"}})
    for node in nodes:
        for manifest in static_manifests(node):
            kubelets.static.put(node["metadata"]["name"], manifest)
    kubeadm.create("configmaps", system_daemons.config_map())
    for daemon_set in system_daemons.daemon_sets():
        kubeadm.create("daemonsets.apps", daemon_set)
    kubeadm.create("deployments.apps", coredns_deployment())


def metrics_server(parts: Parts) -> None:
    """The add-on that ``kubectl top`` and autoscalers ask."""
    kubeadm = parts.client("kubeadm", KUBEADM)
    for manifest in metrics_manifests():
        kubeadm.create(by_kind(manifest["apiVersion"], manifest["kind"]).key, manifest)


def _dns_service() -> Object:
    return {
        "metadata": {
            "name": "kube-dns", "namespace": "kube-system",
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
            "labels": {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}},
        "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153}]}}


def _config_maps() -> list[Object]:
    corefile = (".:53 {\n    errors\n    health {\n       lameduck 5s\n    }\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n"
                "       pods insecure\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n    prometheus :9153\n"
                "    forward . /etc/resolv.conf {\n       max_concurrent 1000\n    }\n    cache 30\n    loop\n    reload\n    loadbalance\n}\n")
    cluster = ("apiVersion: kubeadm.k8s.io/v1beta4\nclusterName: kubernetes\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n"
               "networking:\n  dnsDomain: cluster.local\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/12\n")
    return [
        {"metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": corefile}},
        {"metadata": {"name": "kubeadm-config", "namespace": "kube-system"}, "data": {"ClusterConfiguration": cluster}},
    ]
