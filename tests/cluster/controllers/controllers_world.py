"""A control plane without machines: the API server and the controllers on a virtual clock, and one hand that plays scheduler and
kubelets as simply as can be. Controllers are tested against it, so that a fault found here is theirs.

Pods are bound to the nodes in turn, run after ``start_delay`` seconds, are ready at once then (unless ``broken`` says their image is
not), and are gone a second after they are deleted.
"""

from __future__ import annotations

import random

import yaml

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.controllers import CONTROLLERS
from server.cluster.objects import key, replaced
from server.cluster.parts import Parts
from server.cluster.store import ADDED, MODIFIED, Store

RESOURCES = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "Pod": "pods", "Service": "services",
             "ConfigMap": "configmaps", "Namespace": "namespaces", "Endpoints": "endpoints", "Node": "nodes"}

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.27", ports: [{name: http, containerPort: 80}]}]}
"""
REPLICA_SET = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default, labels: {team: blue}}
spec:
  selector: {app: web}
  ports: [{port: 8080, targetPort: 80}]
"""


class World:
    def __init__(self, nodes: int = 3, start_delay: float = 1.0, snapshot: dict | None = None) -> None:
        self.clock = Clock(now=snapshot["time"] if snapshot else 0.0)
        self.store = Store()
        if snapshot:
            self.store.load(snapshot["store"])
        self.api = ApiServer(self.clock, self.store, random.Random(1))
        self.parts = Parts(self.clock, self.api, random.Random(2), self.store.state)
        self.kubectl = self.parts.client("kubectl", "kubernetes-admin")
        self.start_delay = start_delay
        self.broken: tuple[str, ...] = ()
        self._turn = 0
        self._addresses = 0
        if not snapshot:
            for name in ("default", "kube-system"):
                self.kubectl.create("namespaces", {"metadata": {"name": name}})
        self.controllers = [controller(self.parts) for controller in CONTROLLERS]
        for controller in self.controllers:
            controller.start()
        self.api.watch("pods", self._on_pod)
        if not snapshot:
            for number in range(1, nodes + 1):
                self.kubectl.create("nodes", node(f"w{number}"))
            self.run(1)

    # the hand that plays scheduler and kubelets

    def _on_pod(self, event) -> None:
        pod = event.object
        if event.type == ADDED and not pod["spec"].get("nodeName"):
            self.clock.call_later(0.01, self._bind, key(pod))
        elif event.type == MODIFIED and "deletionTimestamp" in pod["metadata"] and "deletionTimestamp" not in event.previous["metadata"]:
            self.clock.call_later(1, self._end, key(pod), pod["metadata"]["uid"])

    def _bind(self, where) -> None:
        nodes = [entry["metadata"]["name"] for entry in self.api.lister("nodes").list()]
        if nodes and self.pod(where[1], where[0]) is not None:
            self._turn += 1
            self.kubectl.bind(*where, nodes[self._turn % len(nodes)])
            self.clock.call_later(self.start_delay, self._run_pod, where, self.pod(where[1], where[0])["metadata"]["uid"])

    def _run_pod(self, where, uid) -> None:
        pod = self.pod(where[1], where[0])
        if pod is None or pod["metadata"]["uid"] != uid or "deletionTimestamp" in pod["metadata"]:
            return
        if pod["spec"]["containers"][0]["image"] not in self.broken:
            self._addresses += 1
            ip = f"10.244.{self._addresses // 250}.{self._addresses % 250 + 1}"
            self.set_status(where[1], where[0], phase="Running", podIP=ip, podIPs=[{"ip": ip}], ready=True)

    def _end(self, where, uid) -> None:
        pod = self.pod(where[1], where[0])
        if pod is not None and pod["metadata"]["uid"] == uid:
            self.kubectl.delete("pods", *where, grace_period=0)

    # what tests say

    def set_status(self, name, namespace="default", ready=None, **fields) -> None:
        pod = self.pod(name, namespace)
        conditions = [entry for entry in pod["status"].get("conditions") or () if entry["type"] != "Ready"]
        if ready is not None:
            conditions.append({"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": self.clock.timestamp()})
        self.kubectl.update("pods", replaced(pod, {"status": {**pod["status"], **fields, "conditions": conditions}}), "status")

    def apply(self, manifest: str, **spec) -> dict:
        obj = None
        for document in yaml.safe_load_all(manifest):
            obj = self.kubectl.create(RESOURCES[document["kind"]], {**document, "spec": {**document.get("spec", {}), **spec}}
                                      if "spec" in document else document)
        return obj

    def run(self, seconds: float = 30) -> None:
        self.clock.run_for(seconds)

    def patch(self, resource: str, name: str, patch: dict, namespace: str = "default") -> dict:
        return self.kubectl.patch(resource, namespace, name, patch)

    def set_image(self, image: str, name: str = "web") -> None:
        deployment = self.deployment(name)
        template = deployment["spec"]["template"]
        containers = [{**container, "image": image} for container in template["spec"]["containers"]]
        self.kubectl.update("deployments.apps", replaced(deployment, {("spec", "template", "spec", "containers"): containers}))

    def scale(self, replicas: int, name: str = "web", resource: str = "deployments.apps") -> None:
        self.patch(resource, name, {"spec": {"replicas": replicas}})

    def pod(self, name: str, namespace: str = "default"):
        return self.api.lister("pods").get(namespace, name)

    def pods(self, namespace: str = "default") -> list:
        return self.api.lister("pods").list(namespace)

    def active(self, namespace: str = "default") -> list:
        return [pod for pod in self.pods(namespace)
                if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in ("Failed", "Succeeded")]

    def deployment(self, name: str = "web"):
        return self.api.lister("deployments.apps").get("default", name)

    def replica_sets(self) -> list:
        return self.api.lister("replicasets.apps").list("default")

    def replica_set(self, name: str = "web"):
        return self.api.lister("replicasets.apps").get("default", name)

    def get(self, resource: str, name: str, namespace: str = "default"):
        return self.api.lister(resource).get(namespace, name)

    def slices(self, service: str = "web") -> list:
        return [entry for entry in self.api.lister("endpointslices.discovery.k8s.io").list("default")
                if entry["metadata"]["labels"]["kubernetes.io/service-name"] == service]

    def messages(self, kind: str, name: str = "", reason: str = "") -> list[str]:
        """What events say of an object, oldest first."""
        events = [event for event in self.api.lister("events").list()
                  if event["involvedObject"]["kind"] == kind and event["involvedObject"]["name"].startswith(name)
                  and reason in ("", event["reason"])]
        return [event["message"] for event in sorted(events, key=lambda event: int(event["metadata"]["resourceVersion"]))]

    def count_writes(self, resource: str, client: str = "") -> int:
        return sum(1 for event in self.store.since(0, resource) if client in ("", event.cause.client))

    def restarted(self) -> World:
        """The same cluster in a new process."""
        return World(snapshot={"time": self.clock.now, "store": self.store.dump()}, start_delay=self.start_delay)


def node(name: str, zone: str = "") -> dict:
    conditions = [{"type": type_, "status": status, "reason": "x", "message": "x", "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                   "lastTransitionTime": "2026-01-01T00:00:00Z"}
                  for type_, status in (("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False"),
                                        ("Ready", "True"))]
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"conditions": conditions, "addresses": []}}


def conditions(obj: dict) -> dict[str, dict]:
    return {entry["type"]: entry for entry in obj["status"].get("conditions") or ()}


__all__ = ["DEPLOYMENT", "REPLICA_SET", "SERVICE", "World", "conditions", "node"]
