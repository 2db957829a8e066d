"""Disruptions that did not come: a pod that was to go and is still there two minutes later loses its DisruptionTarget.

In: pods with the condition DisruptionTarget (set by eviction or preemption, just before the deletion) that are not being deleted. Out: the
condition becomes False, so that a later failure of the pod is not taken for that disruption (as a Job's podFailurePolicy would).

Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
"""

from __future__ import annotations

from server.cluster.conditions import DISRUPTION_TARGET
from server.cluster.controllers.base import Controller
from server.cluster.controllers.podfacts import active, with_condition
from server.cluster.objects import Key, Object, condition, key
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

STALE_AFTER = 120.0


class StaleDisruptionController(Controller):
    name = "disruption-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.watch("pods", self._on_pod)

    def rebuild(self) -> None:
        for pod in self.lister("pods").list():
            self._look(pod, None)

    def _on_pod(self, event: Event) -> None:
        if event.type is not DELETED and (event.previous is None or event.previous.get("status") is not event.object.get("status")):
            self._look(event.object, event)

    def _look(self, pod: Object, event: Event | None) -> None:
        target = condition(pod, DISRUPTION_TARGET)
        if target is not None and target["status"] == "True" and active(pod):
            self.enqueue(key(pod), event, after=self._stale_at(target) - self.clock.now)

    def _stale_at(self, target: Object) -> float:
        return self.clock.seconds(target["lastTransitionTime"]) + STALE_AFTER

    def reconcile(self, key: Key) -> None:
        pod = self.lister("pods").get(*key)
        target = condition(pod, DISRUPTION_TARGET) if pod is not None and active(pod) else None
        if target is None or target["status"] != "True":
            return
        if self._stale_at(target) > self.clock.now:
            self.enqueue(key, after=self._stale_at(target) - self.clock.now)
            return
        self.client.update("pods", with_condition(pod, {**target, "status": "False", "lastTransitionTime": self.clock.timestamp()}), "status")
