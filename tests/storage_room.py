"""A small cluster with short ways to make volumes, claims, classes and the pods that use them, and to look at what became of them."""

from __future__ import annotations

import json

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from tests.cluster import inside

CLASSES = "storageclasses.storage.k8s.io"
ATTACHMENTS = "volumeattachments.storage.k8s.io"
LOCAL, DISK, SHARE = "rancher.io/local-path", "hostpath.csi.k8s.io", "nfs.csi.k8s.io"
SERVER = "211.183.3.100"


class Room:
    def __init__(self, workers: int = 3, seed: int = 1):
        self.use(Cluster(seed=seed, nodes=with_workers(workers), system_pods=False))

    def use(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kubectl = cluster.client()

    def reload(self) -> None:
        """The process ends and another takes up what was kept."""
        self.use(Cluster.restore(json.loads(json.dumps(self.cluster.snapshot()))))

    def run(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)

    def controller(self, name: str):
        return next(controller for controller in self.cluster.controllers if controller.name == name)

    # making

    def volume(self, name, size="1Gi", modes=("ReadWriteOnce",), storage_class="", labels=None, **spec):
        if not any(source in spec for source in ("nfs", "hostPath", "local", "csi", "awsElasticBlockStore")):
            spec["nfs"] = {"server": SERVER, "path": f"/shared/{name}"}
        return self.kubectl.create("persistentvolumes", {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": storage_class, **spec}})

    def claim(self, name, size="1Gi", modes=("ReadWriteOnce",), storage_class="", namespace="default", **spec):
        if storage_class is not None:
            spec["storageClassName"] = storage_class
        return self.kubectl.create("persistentvolumeclaims", {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}})

    def storage_class(self, name, provisioner=LOCAL, wait=False, default=False, **fields):
        note = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}} if default else {}
        return self.kubectl.create(CLASSES, {
            "metadata": {"name": name, **note}, "provisioner": provisioner,
            "volumeBindingMode": "WaitForFirstConsumer" if wait else "Immediate", **fields})

    def pod(self, name, script="sleep 100000", volumes=(), node=None, containers=None, **spec):
        """``volumes``: {volume name: (source, mount path)}, a str as the source is a claim."""
        volumes = dict(volumes)
        sources = [{"name": title, **({"persistentVolumeClaim": {"claimName": source}} if isinstance(source, str) else source)}
                   for title, (source, *_) in volumes.items()]
        mounts = [{"name": title, "mountPath": path, **(extra[0] if extra else {})} for title, (_, path, *extra) in volumes.items()]
        if node:
            spec["nodeName"] = node
        made = containers or [{"name": "c", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": mounts}]
        return self.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
                                            "spec": {"containers": made, "volumes": sources, "terminationGracePeriodSeconds": 1, **spec}})

    # looking

    def get(self, resource, name, namespace="default"):
        return self.cluster.api.lister(resource).get(namespace if resource in ("pods", "persistentvolumeclaims", "configmaps", "secrets") else "",
                                                     name)

    def list(self, resource):
        return self.cluster.api.lister(resource).list()

    def phase(self, resource, name):
        found = self.get(resource, name)
        return found["status"]["phase"] if found is not None else None

    def bound(self, claim):
        """The volume that a claim has."""
        found = self.get("persistentvolumeclaims", claim)
        return found["spec"].get("volumeName") if found["status"]["phase"] == "Bound" else None

    def volume_of(self, claim):
        return self.get("persistentvolumes", self.bound(claim))

    def node_of(self, pod):
        return self.get("pods", pod)["spec"].get("nodeName")

    def running(self, pod):
        return self.phase("pods", pod) == "Running"

    def logs(self, pod, container="c"):
        return [line.text for line in self.cluster.kubelets.runtime.logs("default", pod, container)]

    def execute(self, pod, script, container="c"):
        found = self.cluster.kubelets.runtime.container("default", pod, container)
        return inside.shell(found, script)

    def events(self, name, reason=None):
        """What has been said about an object, by reason."""
        return [event["message"] for event in self.list("events")
                if event["involvedObject"]["name"] == name and reason in (None, event["reason"])]

    def unschedulable(self, pod):
        conditions = self.get("pods", pod)["status"].get("conditions") or ()
        return next((entry["message"] for entry in conditions if entry["type"] == "PodScheduled" and entry["status"] == "False"), "")
