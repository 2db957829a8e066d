"""Node lifecycle: what becomes of a node whose kubelet falls silent, and which taints its conditions call for.

In: nodes, and the heartbeats' stops and resumptions. Out: conditions Unknown once a node has been silent for the grace period, its
pods marked not ready, and taints. A healthy node's heartbeat schedules nothing: one timer runs for a silent node, none otherwise.
Nodes get their NoExecute taints one after the other, and when whole zones are down none do.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
"""

from __future__ import annotations

from server.cluster.controllers import node_health as health
from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, key, name, replaced
from server.cluster.parts import Parts
from server.cluster.store import ADDED, DELETED, Event

GRACE_PERIOD, TAINTING_PASS = 50.0, 0.1
SCHEDULING_KEYS = (*health.CONDITION_TAINTS.values(), health.UNSCHEDULABLE)
EXECUTING_KEYS = tuple(health.NO_EXECUTE_KEYS.values())


class NodeLifecycleController(Controller):
    name = "node-controller"
    reconciles = "nodes"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._nodes = self.lister("nodes")
        self._pods = self.lister("pods")
        self._arrived: dict[str, Object] = {}
        self._left: dict[str, Object] = {}
        self._next_eviction: dict[str, float] = {}
        self._zones = health.Zones()
        self.watch("nodes", self._on_node)
        parts.heartbeats.on_change(self._on_heartbeat)

    def rebuild(self) -> None:
        self._zones = health.Zones()
        for node in self._nodes.list():
            self._zones.put(node)

    # what wakes it

    def _on_heartbeat(self, node: str) -> None:
        self.enqueue(("", node))

    def _on_node(self, event: Event) -> None:
        node = event.object
        if event.type == ADDED:
            self._arrived[name(node)] = node
        elif event.type == DELETED:
            self._left[name(node)] = node
        self.enqueue(key(node), event)
        states = self._zones.states()
        if event.type == DELETED:
            self._zones.remove(node)
        else:
            self._zones.put(node)
        if self._zones.states() != states:
            for down in self._zones.down():
                self.enqueue(("", down), event)

    # what it does

    def reconcile(self, key: Key) -> None:
        self._tell_of_comings_and_goings(key[1])
        node = self._nodes.get(*key)
        if node is None:
            return
        before, node = health.readiness(node), self._judge_silence(node)
        node = self._taint(node, "NoSchedule", SCHEDULING_KEYS, health.scheduling_taints(node))
        if health.readiness(node) != before:
            self.enqueue(key, after=TAINTING_PASS)  # by then it is known which others fell silent with it
            return
        executing = health.NO_EXECUTE_KEYS.get(health.readiness(node))
        if executing is None or self._may_evict(node, executing):
            self._taint(node, "NoExecute", EXECUTING_KEYS, [executing] if executing is not None else [])
        elif self._zones.all_down():
            self._taint(node, "NoExecute", EXECUTING_KEYS, [])

    def _tell_of_comings_and_goings(self, name: str) -> None:
        if (left := self._left.pop(name, None)) is not None:
            self.record(left, "Normal", "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
        if (arrived := self._arrived.pop(name, None)) is not None:
            self.record(arrived, "Normal", "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")

    def _judge_silence(self, node: Object) -> Object:
        """After the grace period nothing that a silent kubelet said counts any more."""
        silent_since = self.parts.heartbeats.stopped_at(name(node))
        if silent_since is None:
            return node
        due = max(silent_since, self.parts.leads_since(self.component)) + GRACE_PERIOD
        if self.clock.now < due:
            self.enqueue(key(node), after=due - self.clock.now)
            return node
        last_said = self.client.get("nodes", "", name(node)).get("status") or {}
        conditions = self._unknown(last_said.get("conditions") or [])
        if conditions is None:
            return node
        was_ready = health.readiness(node) == "True"
        self.client.because = self.parts.heartbeats.because(name(node)) or self.client.because
        node = self.client.update("nodes", replaced(node, {("status", "conditions"): conditions}), "status")
        if was_ready:
            self.record(node, "Normal", "NodeNotReady", f"Node {name(node)} status is now: NodeNotReady")
            self._mark_pods_not_ready(node)
        return node

    def _unknown(self, conditions: list[Object]) -> list[Object] | None:
        """The kubelet's conditions turned Unknown; None if they are."""
        now = self.clock.timestamp()
        known = {entry["type"]: entry for entry in conditions}
        if all(type_ in known and known[type_]["status"] == "Unknown" for type_ in health.KUBELET_CONDITIONS):
            return None
        turned = [
            {**entry, "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
             "lastTransitionTime": now} if entry["type"] in health.KUBELET_CONDITIONS and entry["status"] != "Unknown" else entry
            for entry in conditions
        ]
        never = [
            {"type": type_, "status": "Unknown", "reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status.",
             "lastHeartbeatTime": now, "lastTransitionTime": now} for type_ in health.KUBELET_CONDITIONS if type_ not in known
        ]
        return [*turned, *never]

    def _mark_pods_not_ready(self, node: Object) -> None:
        for pod in self._pods.by_node(name(node)):
            ready = podfacts.ready_condition(pod)
            if ready is None or ready["status"] == "False":
                continue
            try:
                self.client.update("pods", podfacts.with_condition(
                    pod, {**ready, "status": "False", "lastTransitionTime": self.clock.timestamp()}), "status")
            except ApiError as error:
                if error.code not in (404, 409):
                    raise
                continue
            self.record(pod, "Warning", "NodeNotReady", "Node is not ready")

    # taints

    def _taint(self, node: Object, effect: str, managed: tuple[str, ...], wanted: list[str]) -> Object:
        taints = node["spec"].get("taints") or []
        changed = health.swapped(taints, effect, managed, wanted, self.clock.timestamp())
        return node if changed == taints else self.client.update("nodes", replaced(node, {("spec", "taints"): changed or None}))

    def _may_evict(self, node: Object, executing: str) -> bool:
        """Whether it is this node's turn; if its turn comes later, it is looked at again then."""
        if any(taint["key"] == executing and taint.get("effect") == "NoExecute" for taint in node["spec"].get("taints") or ()):
            return not self._zones.all_down()
        if self._zones.all_down():
            return False
        zone = health.zone(node)
        pause = health.seconds_between_evictions(self._zones.states()[zone], self._zones.size(zone))
        if pause is None:
            return False
        free_at = self._next_eviction.get(zone, 0.0)
        if self.clock.now < free_at:
            self.enqueue(key(node), after=free_at - self.clock.now)
            return False
        self._next_eviction[zone] = self.clock.now + pause
        return True
