"""Pod garbage collection: pods whose node no longer exists are failed and removed, for no kubelet will do it.

In: deletions of nodes, and pods bound to nodes that are not there. Out: those pods gone, forty seconds after the node was missed,
which is the time a node has to come back under its name.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
"""

from __future__ import annotations

from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, key, name, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

QUARANTINE = 40.0


class PodGarbageCollector(Controller):
    """Keys are those of nodes."""

    name = "pod-garbage-collector-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._nodes = self.lister("nodes")
        self._pods = self.lister("pods")
        self.watch("nodes", self._on_node)
        self.watch("pods", self._on_pod)

    def start(self) -> None:
        if self.running:
            return
        super().start()
        for pod in self._pods.list():
            self._check(pod, None)

    def _on_node(self, event: Event) -> None:
        if event.type == DELETED and self._pods.by_node(name(event.object)):
            self.enqueue(key(event.object), event, after=QUARANTINE)

    def _on_pod(self, event: Event) -> None:
        if event.type != DELETED and (event.previous is None or event.previous["spec"] is not event.object["spec"]):
            self._check(event.object, event)

    def _check(self, pod: Object, event: Event | None) -> None:
        node = podfacts.node(pod)
        if node and self._nodes.get("", node) is None:
            self.enqueue(("", node), event, after=QUARANTINE)

    def reconcile(self, key: Key) -> None:
        if self._nodes.get(*key) is None:
            for pod in self._pods.by_node(key[1]):
                self._remove(pod)

    def _remove(self, pod: Object) -> None:
        try:
            if not podfacts.terminal(pod):
                failed = podfacts.with_condition(pod, {
                    "type": "DisruptionTarget", "status": "True", "lastProbeTime": None, "lastTransitionTime": self.clock.timestamp(),
                    "reason": "DeletionByPodGC", "message": "PodGC: node no longer exists"})
                self.client.update("pods", {**failed, "status": {**failed["status"], "phase": "Failed"}}, "status")
            self.client.delete("pods", *key(pod), grace_period=0, uid=uid(pod))
        except ApiError as error:
            if error.code != 404:
                raise
