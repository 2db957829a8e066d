"""A whole cluster with the notes' nginx Deployment and Service, and the means to break it."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.cluster.network.source import Source, in_pod
from server.cluster.network.walk import Walk


class World:
    def __init__(self, seed: int = 1) -> None:
        self.cluster = Cluster(seed=seed)
        self.client = self.cluster.client()
        self.network = self.cluster.network

    def deployment(self, name: str = "web", replicas: int = 2, port: int = 80, image: str = "nginx", **spec) -> None:
        self.client.create("deployments.apps", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": image, "ports": [{"containerPort": port}]}], **spec}}}})

    def service(self, name: str = "web", kind: str = "NodePort", port: int = 8080, target: int | str = 80, **spec) -> dict:
        return self.client.create("services", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "type": kind, "selector": {"app": name}, "ports": [{"port": port, "targetPort": target}], **spec}})

    def get_service(self, name: str = "web") -> dict:
        return self.cluster.api.lister("services").get("default", name)

    def node_port(self, name: str = "web") -> int:
        return self.get_service(name)["spec"]["ports"][0]["nodePort"]

    def pods(self, app: str = "web") -> list[dict]:
        found = self.cluster.api.lister("pods").list("default")
        return [pod for pod in found if pod["metadata"].get("labels", {}).get("app") == app and "deletionTimestamp" not in pod["metadata"]]

    def settle(self, seconds: float = 30) -> None:
        self.cluster.clock.run_for(seconds)

    def curl(self, host: str, port: int, source: Source | None = None, **more) -> Walk:
        return self.network.request(source, host, port, **more)

    def inside(self) -> Source:
        """A pod to ask from."""
        if self.cluster.api.lister("pods").get("default", "client") is None:
            self.client.create("pods", {"metadata": {"name": "client", "namespace": "default"},
                                        "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
            self.settle(20)
        return in_pod("default", "client")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def web(world: World) -> World:
    world.deployment()
    world.service()
    world.settle()
    return world
