"""The pods that a kubeadm cluster runs for itself, as data: the control plane's static pods, and CoreDNS. What runs on every
node is in ``system_daemons``.

``static_manifests(node)`` gives what lies in a machine's manifest folder; its kubelet runs that (``static_pods``).

Source: https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.kubelet.node_status import VERSION
from server.cluster.objects import Object

REGISTRY = "registry.k8s.io"
ETCD, COREDNS, CALICO = f"{REGISTRY}/etcd:3.6.8-0", f"{REGISTRY}/coredns/coredns:v1.14.2", "docker.io/calico/node:v3.31.2"
PAUSE = f"{REGISTRY}/pause:3.10.1"
KUBE_PROXY = f"{REGISTRY}/kube-proxy:{VERSION}"
CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"


class Static(NamedTuple):
    """A control-plane component: image, requested cpu and memory, command, secure port, host paths."""

    name: str
    image: str
    cpu: str
    memory: str
    command: tuple[str, ...]
    port: int
    paths: tuple[tuple[str, str, str], ...]


CERTS = ("k8s-certs", "/etc/kubernetes/pki", "DirectoryOrCreate")
STATIC = (
    Static("etcd", ETCD, "100m", "100Mi", (
        "etcd", "--advertise-client-urls=https://{ip}:2379", "--cert-file=/etc/kubernetes/pki/etcd/server.crt", "--client-cert-auth=true",
        "--data-dir=/var/lib/etcd", "--initial-cluster={node}=https://{ip}:2380", "--listen-client-urls=https://127.0.0.1:2379,https://{ip}:2379",
        "--name={node}", "--snapshot-count=10000"), 2381,
        (("etcd-certs", "/etc/kubernetes/pki/etcd", "DirectoryOrCreate"), ("etcd-data", "/var/lib/etcd", "DirectoryOrCreate"))),
    Static("kube-apiserver", f"{REGISTRY}/kube-apiserver:{VERSION}", "250m", "", (
        "kube-apiserver", "--advertise-address={ip}", "--allow-privileged=true", "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction", "--etcd-servers=https://127.0.0.1:2379", "--secure-port=6443",
        "--service-cluster-ip-range=10.96.0.0/12"), 6443, (CERTS,)),
    Static("kube-controller-manager", f"{REGISTRY}/kube-controller-manager:{VERSION}", "200m", "", (
        "kube-controller-manager", "--allocate-node-cidrs=true", "--bind-address=127.0.0.1", "--cluster-cidr=10.244.0.0/16",
        "--controllers=*,bootstrapsigner,tokencleaner", "--leader-elect=true"), 10257,
        (CERTS, ("kubeconfig", "/etc/kubernetes/controller-manager.conf", "FileOrCreate"))),
    Static("kube-scheduler", f"{REGISTRY}/kube-scheduler:{VERSION}", "100m", "", (
        "kube-scheduler", "--bind-address=127.0.0.1", "--kubeconfig=/etc/kubernetes/scheduler.conf", "--leader-elect=true"), 10259,
        (("kubeconfig", "/etc/kubernetes/scheduler.conf", "FileOrCreate"),)),
)
NODE_IMAGES = (PAUSE, KUBE_PROXY, CALICO)
CONTROL_PLANE_IMAGES = (*(entry.image for entry in STATIC), COREDNS)


def static_manifests(node: Object) -> list[Object]:
    """The files in ``/etc/kubernetes/manifests`` of a machine of the control plane; none on another."""
    if CONTROL_PLANE_ROLE not in (node["metadata"].get("labels") or {}):
        return []
    return [_static(static, node) for static in STATIC]


def _address(node: Object) -> str:
    return next(entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP")


def _static(static: Static, node: Object) -> Object:
    name = node["metadata"]["name"]
    command = [word.format(ip=_address(node), node=name) for word in static.command]
    requests = {"cpu": static.cpu, **({"memory": static.memory} if static.memory else {})}
    probe = {"host": "127.0.0.1", "path": "/livez", "port": static.port, "scheme": "HTTPS" if static.port != 2381 else "HTTP"}
    meta = {"name": static.name, "namespace": "kube-system", "labels": {"component": static.name, "tier": "control-plane"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {
        "hostNetwork": True, "priorityClassName": "system-node-critical", "priority": 2000001000,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": static.name, "image": static.image, "imagePullPolicy": "IfNotPresent", "command": command,
            "resources": {"requests": requests},
            "livenessProbe": {"failureThreshold": 8, "httpGet": probe, "initialDelaySeconds": 10, "periodSeconds": 10,
                              "timeoutSeconds": 15},
            "volumeMounts": [{"name": volume, "mountPath": path, **({"readOnly": True} if "data" not in volume else {})}
                             for volume, path, _ in static.paths]}],
        "volumes": [{"name": volume, "hostPath": {"path": path, "type": kind}} for volume, path, kind in static.paths]}}


def coredns_deployment() -> Object:
    """The cluster's DNS, as kubeadm deploys it."""
    return {
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": {"k8s-app": "kube-dns"}}, "spec": {
                "serviceAccountName": "coredns", "dnsPolicy": "Default", "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, {"effect": "NoSchedule", "key": CONTROL_PLANE_ROLE}],
                "containers": [{
                    "name": "coredns", "image": COREDNS, "imagePullPolicy": "IfNotPresent", "args": ["-conf", "/etc/coredns/Corefile"],
                    "ports": [{"containerPort": 53, "name": "dns", "protocol": "UDP"},
                              {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
                              {"containerPort": 9153, "name": "metrics", "protocol": "TCP"}],
                    "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
                    "livenessProbe": {"failureThreshold": 5, "httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"},
                                      "initialDelaySeconds": 60, "timeoutSeconds": 5},
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"}},
                    "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}]}],
                "volumes": [{"name": "config-volume",
                             "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}]}}}}
