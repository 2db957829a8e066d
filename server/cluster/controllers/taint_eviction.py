"""Taint eviction: pods leave a node with NoExecute taints they do not tolerate, or no longer tolerate.

In: nodes' taints, pods' tolerations. Out: pods deleted, at once or after ``tolerationSeconds`` (admission gives every pod five
minutes for a lost node), unless the taint goes first. When a pod's wait began is kept with the cluster's state, so a restart
neither shortens nor lengthens it.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from server.cluster.conditions import disruption_target
from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, deleting, key, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

STATE = "taint-eviction/"


class TaintEvictionController(Controller):
    """Keys are those of pods, and of nodes with "" as their namespace."""

    name = "taint-eviction-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._nodes = self.lister("nodes")
        self._pods = self.lister("pods")
        self._tainted: dict[str, None] = {}
        self.watch("nodes", self._on_node)
        self.watch("pods", self._on_pod)

    def rebuild(self) -> None:
        self._tainted = {node["metadata"]["name"]: None for node in self._nodes.list() if executing_taints(node)}
        for node in self._tainted:
            self.enqueue(("", node))

    # what wakes it

    def _on_node(self, event: Event) -> None:
        node = event.object["metadata"]["name"]
        was = executing_taints(event.previous) if event.previous is not None else []
        now = executing_taints(event.object) if event.type != DELETED else []
        if now:
            self._tainted[node] = None
        else:
            self._tainted.pop(node, None)
        if was != now:
            self.enqueue(("", node), event)

    def _on_pod(self, event: Event) -> None:
        if not self._tainted or podfacts.node(event.object) not in self._tainted:
            return
        if event.type == DELETED or event.previous is None or event.previous["spec"] is not event.object["spec"]:
            self.enqueue(key(event.object), event)

    # what it does

    def reconcile(self, key: Key) -> None:
        namespace, name = key
        if not namespace:
            node = self._nodes.get("", name)
            taints = executing_taints(node) if node is not None else []
            for pod in self._pods.by_node(name):
                self._judge(pod, taints)
            return
        pod = self._pods.get(namespace, name)
        if pod is None:
            self.parts.state.set(_state_of(key), None)
            return
        node = self._nodes.get("", podfacts.node(pod))
        self._judge(pod, executing_taints(node) if node is not None else [])

    def _judge(self, pod: Object, taints: list[Object]) -> None:
        """Evicts the pod, lets it stay, or comes back when its tolerations end."""
        state = _state_of(key(pod))
        waiting = self.parts.state.get(state)
        if waiting is not None and waiting["uid"] != uid(pod):
            waiting = None
        seconds = tolerated_for(pod, taints)
        if seconds is None:
            if waiting is not None:
                self.parts.state.set(state, None)
                self.record(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {'/'.join(key(pod))}")
            return
        since = waiting["since"] if waiting is not None else self.clock.now
        if self.clock.now >= since + seconds:
            self.parts.state.set(state, None)
            self._evict(pod)
            return
        if waiting is None:
            self.parts.state.set(state, {"uid": uid(pod), "since": since})
        self.enqueue(key(pod), after=since + seconds - self.clock.now)

    def _evict(self, pod: Object) -> None:
        if deleting(pod):
            return
        self.record(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {'/'.join(key(pod))}")
        try:
            self.client.update("pods", disruption_target(
                pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", self.clock.timestamp()), "status")
            self.client.delete("pods", *key(pod), uid=uid(pod))
        except ApiError as error:
            if error.code != 404:
                raise


def executing_taints(node: Object) -> list[Object]:
    return [taint for taint in node["spec"].get("taints") or () if taint.get("effect") == "NoExecute"]


def tolerated_for(pod: Object, taints: list[Object]) -> float | None:
    """How long the pod tolerates all these taints: None for ever, 0 not at all.

    >>> pod = {"spec": {"tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 60}]}}
    >>> a, b = {"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}
    >>> tolerated_for(pod, []), tolerated_for(pod, [a]), tolerated_for(pod, [a, b])
    (None, 60.0, 0.0)
    """
    tolerations = pod["spec"].get("tolerations") or ()
    shortest: float | None = None
    for taint in taints:
        matching = [toleration for toleration in tolerations if tolerates(toleration, taint)]
        if not matching:
            return 0.0
        for toleration in matching:
            seconds = toleration.get("tolerationSeconds")
            if seconds is not None:
                shortest = min(max(0.0, float(seconds)), shortest if shortest is not None else float("inf"))
    return shortest


def tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return toleration.get("operator") in (None, "", "Equal") and toleration.get("value", "") == taint.get("value", "")


def _state_of(key: Key) -> str:
    return f"{STATE}{key[0]}/{key[1]}"
