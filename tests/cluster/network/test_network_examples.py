"""The examples of Ingress and NetworkPolicy do what their comments say."""

from __future__ import annotations

from pathlib import Path

import yaml

from server.cluster.apiserver.resources import by_kind
from server.cluster.cluster import Cluster
from server.cluster.network.source import OUTSIDE, in_pod

ROOMS = Path(__file__).parents[3] / "server" / "rooms"


def applied(*paths: str) -> Cluster:
    cluster = Cluster(seed=6)
    for path in paths:
        for obj in yaml.safe_load_all((ROOMS / path).read_text()):
            row = by_kind(obj["apiVersion"], obj["kind"])
            if row.namespaced:
                obj["metadata"].setdefault("namespace", "default")
            cluster.client().create(row.key, obj)
    cluster.clock.run_for(90)
    return cluster


def test_the_shop_and_hello_are_behind_one_address():
    cluster = applied("manifests/ingress-nginx.yaml", "examples/ingress.yaml")
    address = cluster.api.lister("ingresses.networking.k8s.io").get("default", "shop")["status"]["loadBalancer"]["ingress"][0]["ip"]
    bodies = [cluster.network.request(OUTSIDE, address, 80, path=path, headers={"Host": "shop.example"}).body for path in ("/", "/hello")]
    assert "Welcome to nginx!" in bodies[0] and "Hello, world!" in bodies[1]


def test_the_database_is_closed_to_strangers():
    cluster = applied("examples/network-policy.yaml")
    for name in ("shop", "stranger"):
        cluster.client().create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": name}}, "spec": {
            "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "infinity"]}]}})
    cluster.clock.run_for(10)
    walks = [cluster.network.of_pod(("default", name)).connect("database", 6379, 2) for name in ("shop", "stranger")]
    assert [walk.error is None for walk in walks] == [True, False] and walks[1].error["hop"] == "policy"
    assert cluster.network.request(in_pod("default", "shop"), "database", 6380, timeout=2).error is not None
