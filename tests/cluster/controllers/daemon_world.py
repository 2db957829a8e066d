"""A World for DaemonSets: its scheduler binds a pod to the node it is meant for, if that node takes it."""

from __future__ import annotations

import yaml
from controllers_world import World, node

from server.cluster.controllers.daemonset import DaemonSetController
from server.cluster.controllers.daemonset_placement import Placement, node_of
from server.cluster.controllers.podfacts import available_at
from server.cluster.controllers.taint_eviction import tolerates
from server.cluster.objects import labels, name, replaced

DAEMON_SET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: default}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
"""


class DaemonWorld(World):
    def _bind(self, where) -> None:
        pod = self.pod(where[1], where[0])
        if pod is None or pod["spec"].get("nodeName"):
            return
        wanted = node_of(pod)
        target = self.api.lister("nodes").get("", wanted or "")
        if target is None or not self._takes(target, pod):
            self.clock.call_later(5, self._bind, where)
            return
        self.kubectl.bind(*where, wanted)
        self.clock.call_later(self.start_delay, self._run_pod, where, pod["metadata"]["uid"])

    def _takes(self, target, pod) -> bool:
        return all(taint["effect"] == "PreferNoSchedule" or any(tolerates(toleration, taint) for toleration in pod["spec"]["tolerations"])
                   for taint in target["spec"].get("taints") or ())

    def restarted(self) -> DaemonWorld:
        return DaemonWorld(snapshot={"time": self.clock.now, "store": self.store.dump()}, start_delay=self.start_delay)

    @property
    def controller(self) -> DaemonSetController:
        return next(entry for entry in self.controllers if isinstance(entry, DaemonSetController))

    def create(self, strategy: dict | None = None, pod: dict | None = None, **spec) -> dict:
        manifest = yaml.safe_load(DAEMON_SET)
        manifest["spec"] |= spec
        manifest["spec"]["template"]["spec"] |= pod or {}
        if strategy is not None:
            manifest["spec"]["updateStrategy"] = strategy if "type" in strategy else {"type": "RollingUpdate", "rollingUpdate": strategy}
        return self.kubectl.create("daemonsets.apps", manifest)

    def add_node(self, name: str, **spec) -> None:
        self.kubectl.create("nodes", {**node(name), "spec": spec})

    def edit_node(self, name: str, **spec) -> None:
        present = self.get("nodes", name, "")
        self.kubectl.update("nodes", {**present, "spec": {**present["spec"], **spec}})

    def label_node(self, name: str, **values) -> None:
        self.kubectl.patch("nodes", "", name, {"metadata": {"labels": values}})

    def daemon_set(self, name: str = "agent") -> dict:
        return self.get("daemonsets.apps", name)

    def edit(self, path: tuple, value) -> None:
        self.kubectl.update("daemonsets.apps", replaced(self.daemon_set(), {("spec", *path): value}))

    def set_image(self, image: str, name: str = "agent") -> None:
        self.edit(("template", "spec", "containers"), [{"name": "agent", "image": image}])

    def ready_to_run(self, pod_node: str) -> bool:
        present = self.get("nodes", pod_node, "")
        return present is not None and Placement(self.daemon_set()).on(present).run

    def on(self, node_name: str) -> list:
        """The active pods of a node."""
        return [pod for pod in self.active() if node_of(pod) == node_name]

    def nodes_with_pods(self) -> list[str]:
        return sorted(node_of(pod) for pod in self.active())

    def is_available(self, pod: dict) -> bool:
        moment = available_at(pod, self.daemon_set()["spec"].get("minReadySeconds", 0), self.clock)
        return moment is not None and moment <= self.clock.now

    def counts(self) -> dict[str, int]:
        status = self.daemon_set()["status"]
        return {short: status.get(field, 0) for short, field in (
            ("desired", "desiredNumberScheduled"), ("current", "currentNumberScheduled"), ("ready", "numberReady"),
            ("updated", "updatedNumberScheduled"), ("available", "numberAvailable"), ("unavailable", "numberUnavailable"),
            ("misscheduled", "numberMisscheduled"))}

    def revisions(self) -> list:
        return sorted(self.api.lister("controllerrevisions.apps").list("default"), key=lambda entry: entry["revision"])


def images(pods: list) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods)


def digest(pod: dict) -> str:
    return labels(pod)["controller-revision-hash"]


__all__ = ["DaemonWorld", "digest", "images", "name"]
