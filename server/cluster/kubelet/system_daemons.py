"""The agents that run on every node, as data: kube-proxy as kubeadm deploys it and calico-node as Calico's manifest does.

Both are DaemonSets in ``kube-system``: a node that joins gets its own from the DaemonSet controller, whatever its taints.

Source: https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/#proxy
"""

from __future__ import annotations

from typing import Any

from server.cluster.kubelet.system_pods import CALICO, KUBE_PROXY
from server.cluster.objects import Object

_PROXY_CONFIG = ("apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\nclientConnection:\n"
                 "  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\nclusterCIDR: 10.244.0.0/16\nkind: KubeProxyConfiguration\nmode: \"\"\n")
_ANYWHERE = [{"operator": "Exists"}]
_ANYWHERE_BY_EFFECT = [{"effect": "NoSchedule", "operator": "Exists"}, {"key": "CriticalAddonsOnly", "operator": "Exists"},
                       {"effect": "NoExecute", "operator": "Exists"}]


def config_map() -> Object:
    """What kube-proxy is told."""
    return {"metadata": {"name": "kube-proxy", "namespace": "kube-system", "labels": {"app": "kube-proxy"}},
            "data": {"config.conf": _PROXY_CONFIG}}


def daemon_sets() -> list[Object]:
    return [_kube_proxy(), _calico()]


def _daemon_set(name: str, pod: dict[str, Any]) -> Object:
    labels = {"k8s-app": name}
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": name, "hostNetwork": True, "priorityClassName": "system-node-critical",
                "nodeSelector": {"kubernetes.io/os": "linux"}, **pod}}}}


def _kube_proxy() -> Object:
    return _daemon_set("kube-proxy", {
        "tolerations": _ANYWHERE,
        "containers": [{
            "name": "kube-proxy", "image": KUBE_PROXY, "imagePullPolicy": "IfNotPresent", "securityContext": {"privileged": True},
            "command": ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf", "--hostname-override=$(NODE_NAME)"],
            "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "volumeMounts": [{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"},
                             {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
                             {"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": True}]}],
        "volumes": [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}},
                    {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
                    {"name": "lib-modules", "hostPath": {"path": "/lib/modules", "type": ""}}]})


def _calico() -> Object:
    return _daemon_set("calico-node", {
        "tolerations": _ANYWHERE_BY_EFFECT, "terminationGracePeriodSeconds": 0,
        "containers": [{
            "name": "calico-node", "image": CALICO, "imagePullPolicy": "IfNotPresent", "securityContext": {"privileged": True},
            "resources": {"requests": {"cpu": "250m"}},
            "env": [{"name": "NODENAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "volumeMounts": [{"name": "var-run-calico", "mountPath": "/var/run/calico"}]}],
        "volumes": [{"name": "var-run-calico", "hostPath": {"path": "/var/run/calico", "type": "DirectoryOrCreate"}}]})
