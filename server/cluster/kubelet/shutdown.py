"""Graceful shutdown of a machine: its kubelet ends the pods in order of priority before the power goes.

In: ``begin``, when somebody shuts a machine down whose kubelet has a shutdown grace period. Out: the Node is not ready, ordinary pods
are ended first and critical ones in the time that is kept for them, each Failed with the reason Terminated, and at the end the power
is off. A machine without that setting just stops, as its kubelet is not asked. ``readmit`` is for a machine that has shrunk: what does
not fit any more is turned away.

Source: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#graceful-node-shutdown
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.clock import Timer
from server.cluster.kubelet import admission, termination
from server.cluster.kubelet.keeping import ACTIVE, ENDED, NEW, STOPPING, WAITING
from server.cluster.kubelet.kubelet import Kubelet
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

STATE = "shutdown/"
CRITICAL = 2_000_000_000
REASON, MESSAGE = "Terminated", "Pod was terminated in response to imminent node shutdown."
REJECTED = ("NodeShutdown", "Pod was rejected as the node is shutting down.")
AFTERWARDS = 1.0


def critical(pod: Object) -> bool:
    """Whether the pod may not be evicted: a static pod, or one of the system's highest priorities."""
    annotations = pod["metadata"].get("annotations") or {}
    return "kubernetes.io/config.mirror" in annotations or (pod["spec"].get("priority") or 0) >= CRITICAL


def end(worker: PodWorker, pod: Object, reason: str, message: str, grace: float, disrupted: bool = True) -> None:
    """Ends a pod for good from the kubelet's side: Failed, for this reason."""
    worker.final = ["Failed", reason, message]
    if disrupted:
        worker.disrupted = message
    termination.stop_all(worker, pod, grace)
    worker.changed = True
    worker.finish()


def living(kubelet: Kubelet) -> list[tuple[PodWorker, Object]]:
    """The pods of a kubelet that run or are about to, the oldest first."""
    found = [(worker, pod) for worker in kubelet.workers.values() if worker.stage in (NEW, WAITING, ACTIVE) and (pod := worker.pod())]
    return sorted(found, key=lambda entry: (entry[1]["metadata"]["creationTimestamp"], entry[0].key))


class Shutdowns:
    """One for all kubelets. ``shutdown/NODE`` in the state is {at, stage}: 0 ordinary pods are ended, 1 critical ones, 2 all have."""

    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets
        self._clock = kubelets.parts.clock
        self._state = kubelets.parts.state
        self._timers: dict[str, Timer] = {}

    def start(self) -> None:
        """Takes up shutdowns that are under way."""
        for name, kept in self._state.items(STATE):
            self._later(name.removeprefix(STATE), kept["until"])

    def begin(self, node: str, because: int | str | None = None) -> None:
        """Shuts the machine down."""
        kubelets = self._kubelets
        kubelet = kubelets.nodes[node]
        spec = kubelet.spec
        if not spec.shutdown_grace or not kubelet.alive:
            kubelets.power_off(node, because)
            return
        if self._state.get(STATE + node) is not None:
            return
        self._keep(node, 0, self._clock.now + spec.shutdown_grace - spec.shutdown_grace_critical, because)
        kubelet.reports.because = because
        kubelet.reports.now()
        kubelet.say("Normal", "NodeShutdown", "Shutdown manager detected shutdown event")
        self._end(kubelet, False, spec.shutdown_grace - spec.shutdown_grace_critical, because)
        self._go_on(node)

    def _keep(self, node: str, stage: int, until: float, because: int | str | None) -> None:
        self._state.set(STATE + node, {"stage": stage, "until": until, "because": because})
        self._later(node, until)

    def _later(self, node: str, moment: float) -> None:
        if node in self._timers:
            self._timers.pop(node).cancel()
        self._timers[node] = self._clock.call_at(moment, self._due, node)

    def _end(self, kubelet: Kubelet, of_critical: bool, within: float, because: int | str | None) -> None:
        for worker, pod in living(kubelet):
            if critical(pod) == of_critical:
                worker.because = because
                end(worker, pod, REASON, MESSAGE, min(termination.grace_of(pod), within))

    def ended(self, worker: PodWorker) -> None:
        """A pod has come to its end: perhaps the last that was waited for."""
        if self._state.get(STATE + worker.kubelet.name) is not None:
            self._go_on(worker.kubelet.name)

    def _go_on(self, node: str) -> None:
        """As soon as nothing of a stage is left, the next comes."""
        kept = self._state.get(STATE + node)
        left = [worker for worker in self._kubelets.nodes[node].workers.values() if worker.stage not in (ENDED, "gone")
                and (pod := worker.pod()) is not None and critical(pod) == (kept["stage"] == 1)]
        if not left:
            self._later(node, self._clock.now + AFTERWARDS)

    def _due(self, node: str) -> None:
        self._timers.pop(node, None)
        kept, kubelet = self._state.get(STATE + node), self._kubelets.nodes.get(node)
        if kept is None or kubelet is None:
            return
        if kept["stage"] == 0 and kubelet.alive:
            grace = kubelet.spec.shutdown_grace_critical
            self._keep(node, 1, self._clock.now + grace + AFTERWARDS, kept["because"])
            self._end(kubelet, True, grace, kept["because"])
            self._go_on(node)
        else:
            self._kubelets.power_off(node, kept["because"])

    def cancel(self, node: str, because: int | str | None = None) -> None:
        """The machine is not to go down after all: what has been ended stays so, what comes is taken again."""
        if self._state.get(STATE + node) is None:
            return
        self._state.set(STATE + node, None)
        if node in self._timers:
            self._timers.pop(node).cancel()
        kubelet = self._kubelets.nodes[node]
        if kubelet.alive:
            self.over(kubelet)
            kubelet.reports.because = because
            kubelet.reports.now()

    def over(self, kubelet: Kubelet) -> None:
        """Static pods that were ended for a shutdown are begun anew: their manifests are still there."""
        if self._state.get(STATE + kubelet.name) is None:
            for _, worker in sorted(kubelet.workers.items()):
                if worker.static and worker.stage in (STOPPING, ENDED) and worker.final and worker.final[1] == REASON:
                    worker.begin_anew()

    # admission

    def fault(self, kubelet: Kubelet) -> tuple[str, str] | None:
        """(reason, message) why a machine on its way down takes no pod."""
        return REJECTED if self._state.get(STATE + kubelet.name) is not None else None

    def readmit(self, kubelet: Kubelet) -> None:
        """Admits all pods once more, the oldest first, to a machine that has another size."""
        kubelet.used = (0, 0, 0)
        for worker, pod in living(kubelet):
            if worker.stage == NEW:
                continue
            request: Any = worker.taken or admission.request_of(worker.lasting())
            worker.taken = None
            fault = admission.fault(kubelet, pod, request)
            if fault is None:
                kubelet.take(worker, request)
            else:
                worker.record(pod, "Warning", *fault)
                end(worker, pod, fault[0], f"Pod was rejected: {fault[1]}", termination.grace_of(pod), disrupted=False)
