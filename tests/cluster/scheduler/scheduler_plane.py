"""A control plane without kubelets or controllers: nodes are what a test says they are, and stay so."""

from __future__ import annotations

import random
from typing import Any

from server.cluster.apiserver.server import ApiServer
from server.cluster.bootstrap import priority_classes
from server.cluster.clock import Clock
from server.cluster.objects import condition
from server.cluster.parts import Parts
from server.cluster.scheduler.scheduler import Scheduler
from server.cluster.store import Store

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


class Plane:
    def __init__(self, seed: int = 1) -> None:
        self.clock, self.store = Clock(), Store()
        self.random = random.Random(seed)
        self.api = ApiServer(self.clock, self.store, self.random)
        self.parts = Parts(self.clock, self.api, self.random, self.store.state)
        self.client = self.parts.client("kubectl", "kubernetes-admin")
        self.scheduler = Scheduler(self.parts)
        priority_classes(self.parts)
        for name in ("default", "other"):
            self.client.create("namespaces", {"metadata": {"name": name}})
            self.client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
        self.scheduler.start()

    def node(self, name: str, cpu: str = "2", memory: str = "4Gi", pods: str = "110", labels: dict | None = None,
             taints: list | None = None, unschedulable: bool = False, **more: Any) -> None:
        spec = {**({"taints": taints} if taints else {}), **({"unschedulable": True} if unschedulable else {})}
        node = self.client.create("nodes", {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
                                            "spec": spec})
        amounts = {"cpu": cpu, "memory": memory, "pods": pods, **more.pop("extended", {})}
        status = {**(node.get("status") or {}), "capacity": amounts, "allocatable": amounts, **more}
        self.client.update("nodes", {**node, "status": status}, "status")

    def default_nodes(self) -> None:
        self.node("m-k8s", taints=[CONTROL_PLANE])
        for number in (1, 2, 3):
            self.node(f"w{number}-k8s")

    def pod(self, name: str, namespace: str = "default", labels: dict | None = None, owner: dict | None = None,
            requests: dict | None = None, **spec: Any) -> dict:
        container = {"name": "c", "image": "nginx", **({"resources": {"requests": requests}} if requests else {})}
        meta = {"name": name, "namespace": namespace, **({"labels": labels} if labels else {}),
                **({"ownerReferences": [owner]} if owner else {})}
        return self.client.create("pods", {"metadata": meta, "spec": {"containers": [container], **spec}})

    def get(self, name: str, namespace: str = "default") -> dict | None:
        return self.api.lister("pods").get(namespace, name)

    def where(self, name: str, namespace: str = "default") -> str | None:
        return self.get(name, namespace)["spec"].get("nodeName")

    def settle(self, seconds: float = 1.0) -> None:
        self.clock.run_for(seconds)

    def message(self, name: str) -> str:
        return (condition(self.get(name), "PodScheduled") or {}).get("message", "")

    def events(self, name: str) -> list[dict]:
        found = [event for event in self.api.lister("events").list() if event["involvedObject"]["name"] == name]
        return sorted(found, key=lambda event: int(event["metadata"]["resourceVersion"]))

    def finish(self, name: str, phase: str = "Succeeded") -> None:
        pod = self.get(name)
        self.client.update("pods", {**pod, "status": {**pod["status"], "phase": phase}}, "status")

    def spread(self, prefix: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for pod in self.api.lister("pods").list():
            if pod["metadata"]["name"].startswith(prefix):
                node = pod["spec"].get("nodeName")
                counts[node] = counts.get(node, 0) + 1
        return counts
