"""One server behind every kind of Service, clients of every kind, and the faults of the matrix.

The server is alone on w2-k8s; clients are on w1-k8s; node ports are asked at w3-k8s, which has neither.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.network.source import OUTSIDE, WORKSTATION, Source, in_pod, on_node
from server.cluster.network.walk import Walk

SOURCES: dict[str, Source] = {"outside": OUTSIDE, "workstation": WORKSTATION, "node": on_node("w1-k8s"), "pod": in_pod("default", "client"),
                              "pod-other-ns": in_pod("other", "client"), "host-pod": in_pod("default", "on-host")}
ENTRY, HOME = "192.168.1.103", "w2-k8s"


class MatrixWorld:
    def __init__(self, fault: str) -> None:
        self.cluster = Cluster(seed=3)
        self.client = self.cluster.client()
        self.network = self.cluster.network
        self.client.create("namespaces", {"metadata": {"name": "other"}})
        self.run(1)
        self.pod("server", {"app": "web"}, HOME, readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1})
        self.pod("client", {"app": "client"}, "w1-k8s")
        self.pod("client", {"app": "client"}, "w1-k8s", "other")
        self.pod("on-host", {"app": "host"}, "w1-k8s", image="busybox", command=["sleep", "3600"], hostNetwork=True)
        self.service("web", type="LoadBalancer")
        self.service("headless", clusterIP="None")
        self.client.create("services", {"metadata": {"name": "ext", "namespace": "default"},
                                        "spec": {"type": "ExternalName", "externalName": "db.nowhere.example"}})
        self.run(30)
        self.address = self.get("pods", "server")["status"]["podIP"]
        FAULTS[fault](self)

    def pod(self, name: str, labels: dict[str, str], node: str, namespace: str = "default", image: str = "nginx", hostNetwork: bool = False,
            **container: Any) -> None:
        self.client.create("pods", {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {
            "nodeName": node, "hostNetwork": hostNetwork, "containers": [{"name": "c", "image": image, **container}]}})

    def service(self, name: str, target: int = 80, **spec: Any) -> None:
        self.client.create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": target}], **spec}})

    def policy(self, name: str, pods: dict[str, str], **spec: Any) -> None:
        self.client.create("networkpolicies.networking.k8s.io", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "podSelector": {"matchLabels": pods}, "policyTypes": [kind.capitalize() for kind in spec], **spec}})

    def get(self, resource: str, name: str, namespace: str = "default") -> dict:
        return self.cluster.api.lister(resource).get(namespace, name)

    def run(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)

    def target(self, name: str) -> tuple[str, int]:
        """(host, port) of a column of the matrix."""
        spec = self.get("services", "web")["spec"]
        return {"pod-ip": lambda: (self.address, 80), "cluster-ip": lambda: (spec["clusterIP"], 80), "name": lambda: ("web.default", 80),
                "headless": lambda: ("headless.default", 80), "node-port": lambda: (ENTRY, spec["ports"][0]["nodePort"]),
                "balancer": lambda: ("192.168.1.200", 80), "ext-name": lambda: ("ext.default", 80), "no-port": lambda: (ENTRY, 31999),
                "other-port": lambda: (spec["clusterIP"], 8081), "internet": lambda: ("example.com", 80),
                "lan": lambda: ("192.168.1.77", 80)}[name]()

    def ask(self, source: str, target: str, timeout: float | None = None) -> Walk:
        host, port = self.target(target)
        return self.network.of(SOURCES[source]).request(host, port, timeout=timeout)


def _no_endpoints(world: MatrixWorld) -> None:
    for name in ("web", "headless"):
        world.client.patch("services", "default", name, {"spec": {"selector": {"app": "nobody"}}})
    world.run(5)


def _not_ready(world: MatrixWorld) -> None:
    world.cluster.chaos.inject("probe", "Pod/default/server", probe="readiness", result="fail")
    world.run(10)


def _wrong_port(world: MatrixWorld) -> None:
    for name in ("web", "headless"):
        world.client.patch("services", "default", name, {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
    world.run(5)


def _ingress(world: MatrixWorld) -> None:
    world.policy("closed", {"app": "web"}, ingress=[{"from": [{"podSelector": {}}]}])
    world.run(1)


def _egress(world: MatrixWorld) -> None:
    world.policy("shut-in", {"app": "client"}, egress=[{"ports": [{"protocol": "UDP", "port": 53}]}])
    world.run(1)


def _egress_and_dns(world: MatrixWorld) -> None:
    world.policy("shut-in", {"app": "client"}, egress=[])
    world.run(1)


def _no_coredns(world: MatrixWorld) -> None:
    world.client.patch("deployments.apps", "kube-system", "coredns", {"spec": {"replicas": 0}})
    world.run(60)


def _terminating(world: MatrixWorld) -> None:
    """It has heard its SIGTERM and goes on for a while: a last request still finds it."""
    world.client.delete("pods", "default", "server")
    world.pod("slow", {"app": "web"}, HOME, lifecycle={"preStop": {"sleep": {"seconds": 20}}})
    world.run(30)
    world.address = world.get("pods", "slow")["status"]["podIP"]
    world.client.delete("pods", "default", "slow")
    world.run(5)


FAULTS: dict[str, Callable[[MatrixWorld], Any]] = {
    "none": lambda world: None,
    "no endpoints": _no_endpoints,
    "not ready": _not_ready,
    "wrong port": _wrong_port,
    "node down": lambda world: world.cluster.chaos.inject("power", HOME),
    "node cut": lambda world: world.cluster.chaos.inject("network", HOME),
    "policy ingress": _ingress,
    "policy egress": _egress,
    "policy dns": _egress_and_dns,
    "no CoreDNS": _no_coredns,
    "terminating": _terminating,
}


@cache
def world_with(fault: str) -> MatrixWorld:
    return MatrixWorld(fault)
