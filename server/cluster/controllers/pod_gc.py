"""Pod garbage collection: pods that no kubelet will ever clear away.

In: nodes that go, pods that end, the taint ``out-of-service``. Out: removed are pods of a node that is gone (forty seconds after it was
missed, which is the time a node has to come back under its name), terminating pods of a node that is down and was declared out of
service, terminating pods that never had a node, and the oldest of finished pods when there are more than 12,500.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
"""

from __future__ import annotations

from server.cluster.conditions import disruption_target
from server.cluster.controllers import node_health, podfacts
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, deleting, key, name, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

QUARANTINE, PERIOD = 40.0, 20.0
TERMINATED_THRESHOLD = 12_500
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
STATE = "pod-gc/"
FINISHED: Key = ("", "")
UNSCHEDULED: Key = ("", "/")
NODE_GONE = ("DeletionByPodGC", "PodGC: node no longer exists")


class PodGarbageCollector(Controller):
    """Keys are those of nodes, and two of its own: finished pods, and pods that never had a node. When a node was missed is kept in the
    state."""

    name = "pod-garbage-collector-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._nodes = self.lister("nodes")
        self._pods = self.lister("pods")
        self._finished: dict[Key, None] = {}
        self._strays: dict[Key, None] = {}
        self.watch("nodes", self._on_node)
        self.watch("pods", self._on_pod)

    def rebuild(self) -> None:
        self._finished, self._strays = {}, {}
        for missed, _ in self.parts.state.items(STATE):
            self._miss(missed.removeprefix(STATE), None)
        for pod in self._pods.list():
            self._count(pod)
            self._check(pod, None)

    # what wakes it

    def _on_node(self, event: Event) -> None:
        if event.type == DELETED:
            if self._pods.by_node(name(event.object)):
                self._miss(name(event.object), event)
        elif _out_of_service(event.object):
            self._next_round(key(event.object), event)

    def _on_pod(self, event: Event) -> None:
        if event.type == DELETED:
            self._finished.pop(event.key, None)
            return
        self._count(event.object)
        before = event.previous
        if before is None or before["spec"] is not event.object["spec"] or (deleting(event.object) and not deleting(before)):
            self._check(event.object, event)

    def _count(self, pod: Object) -> None:
        if podfacts.terminal(pod) and not deleting(pod):
            self._finished[key(pod)] = None
            if len(self._finished) > TERMINATED_THRESHOLD:
                self._next_round(FINISHED)
        elif self._finished:
            self._finished.pop(key(pod), None)

    def _check(self, pod: Object, event: Event | None) -> None:
        node = podfacts.node(pod)
        found = self._nodes.get("", node) if node else None
        if node and found is None:
            self._miss(node, event)
        elif deleting(pod):
            if not node:
                self._strays[key(pod)] = None
                self._next_round(UNSCHEDULED, event)
            elif _out_of_service(found):
                self._next_round(("", node), event)

    def _miss(self, node: str, event: Event | None) -> None:
        """A node that has pods is not there: it is given a while to come back."""
        missed = self.parts.state.get(STATE + node)
        if missed is None:
            missed = {"since": self.clock.now}
            self.parts.state.set(STATE + node, missed)
        self.enqueue(("", node), event, after=missed["since"] + QUARANTINE - self.clock.now)

    def _next_round(self, key: Key, event: Event | None = None) -> None:
        self.enqueue(key, event, after=PERIOD - self.clock.now % PERIOD)

    # what it does

    def reconcile(self, key: Key) -> None:
        if key == FINISHED:
            self._remove_finished()
        elif key == UNSCHEDULED:
            strays, self._strays = self._strays, {}
            for found in strays:
                pod = self._pods.get(*found)
                if pod is not None and deleting(pod) and not podfacts.node(pod):
                    self._remove(pod)
        else:
            self._clear(key[1])

    def _remove_finished(self) -> None:
        """The evicted first, then the oldest."""
        pods = [pod for found in sorted(self._finished) if (pod := self._pods.get(*found)) is not None]
        pods.sort(key=lambda pod: (pod["status"].get("reason") != "Evicted", pod["metadata"]["creationTimestamp"]))
        for pod in pods[:max(0, len(pods) - TERMINATED_THRESHOLD)]:
            self._remove(pod)

    def _clear(self, node: str) -> None:
        found = self._nodes.get("", node)
        missed = self.parts.state.get(STATE + node)
        self.parts.state.set(STATE + node, None)
        if found is None:
            if missed is None or self.clock.now < missed["since"] + QUARANTINE:
                return
            for pod in self._pods.by_node(node):
                self._remove(pod, NODE_GONE)
        elif _out_of_service(found) and node_health.readiness(found) != "True":
            for pod in self._pods.by_node(node):
                if deleting(pod):
                    self._remove(pod)

    def _remove(self, pod: Object, why: tuple[str, str] | None = None) -> None:
        try:
            if not podfacts.terminal(pod):
                failed = disruption_target(pod, *why, self.clock.timestamp()) if why is not None else pod
                self.client.update("pods", {**failed, "status": {**failed["status"], "phase": "Failed"}}, "status")
            self.client.delete("pods", *key(pod), grace_period=0, uid=uid(pod))
        except ApiError as error:
            if error.code != 404:
                raise


def _out_of_service(node: Object | None) -> bool:
    return node is not None and any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints") or ())
