"""The records of Ingresses and NetworkPolicies: what the canvas says of them."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.live.scene import Scene

INGRESSES, POLICIES = "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io"


@pytest.fixture
def cluster():
    return Cluster(3)


def seen(scene: Scene, thing: str) -> dict:
    while scene.behind:
        scene.flush()
    return scene.things[thing]


def test_an_ingress_leads_hosts_and_paths_to_services(cluster):
    scene, client = Scene(cluster), cluster.client()
    backend = {"service": {"name": "web", "port": {"name": "http"}}}
    made = client.create(INGRESSES, {"metadata": {"name": "i", "namespace": "default"}, "spec": {
        "ingressClassName": "nginx", "tls": [{"hosts": ["a.example"], "secretName": "s"}], "defaultBackend": {"resource": {"kind": "A", "name": "b"}},
        "rules": [{"host": "a.example", "http": {"paths": [{"path": "/x", "pathType": "Prefix", "backend": backend}]}},
                  {"http": {"paths": [{"pathType": "ImplementationSpecific", "backend": backend}]}}]}})
    assert seen(scene, "Ingress/default/i") == {
        "kind": "Ingress", "ns": "default", "name": "i", "class": "nginx", "default": {}, "tls": ["a.example"], "routes": [
            {"host": "a.example", "path": "/x", "type": "Prefix", "service": "Service/default/web", "port": "http"},
            {"host": "*", "path": "/", "type": "ImplementationSpecific", "service": "Service/default/web", "port": "http"}]}
    client.update(INGRESSES, {**made, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, "status")
    assert seen(scene, "Ingress/default/i")["addresses"] == ["192.0.2.1"]


def test_a_policy_says_whom_it_closes_to_whom(cluster):
    scene, client = Scene(cluster), cluster.client()
    client.create(POLICIES, {"metadata": {"name": "p", "namespace": "default"}, "spec": {
        "podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]}})
    assert seen(scene, "NetworkPolicy/default/p") == {
        "kind": "NetworkPolicy", "ns": "default", "name": "p", "pods": {"matchLabels": {"app": "db"}}, "ingress": []}
    client.patch(POLICIES, "default", "p", {"spec": {"ingress": [{"from": [
        {"podSelector": {}, "namespaceSelector": {"matchLabels": {"a": "b"}}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
        "ports": [{"port": 80}, {"port": 90, "endPort": 99, "protocol": "UDP"}, {}]}]}})
    assert seen(scene, "NetworkPolicy/default/p")["ingress"] == [{
        "peers": [{"pods": {}, "namespaces": {"matchLabels": {"a": "b"}}}, {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}],
        "ports": ["80/TCP", "90-99/UDP", "*/TCP"]}]
    client.delete(POLICIES, "default", "p")
    while scene.behind:
        scene.flush()
    assert "NetworkPolicy/default/p" not in scene.things
