"""The agent of one node: its pods' workers, its images, the moments at which it looks at its runtime.

A kubelet has no loop: events and timers of its workers wake it. What a real one would find out by asking its runtime every second is
put on that node's one-second grid (``observed``), so that what ends together is reported together.

Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from server.cluster import quantity
from server.cluster.clock import Timer
from server.cluster.errors import ApiError
from server.cluster.kubelet import node_status
from server.cluster.kubelet.admission import Request
from server.cluster.kubelet.images import Images
from server.cluster.kubelet.keeping import ENDED
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.objects import Key, Object
from server.cluster.parts import Parts

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

REACTION, RELIST, STATUS_PERIOD = 0.01, 1.0, 10.0
PHASES = 4


class Kubelet:
    """``alive`` says that the agent runs, ``powered`` that its machine does."""

    def __init__(self, manager: Kubelets, parts: Parts, node: Object, index: int) -> None:
        self.manager = manager
        self.parts = parts
        self.name: str = node["metadata"]["name"]
        self.clock = parts.clock
        self.api = parts.api
        self.state = parts.state
        self.pods = parts.api.lister("pods")
        self.runtime = manager.runtime
        self.addresses = manager.addresses
        self.client = parts.client("kubelet", f"system:node:{self.name}")
        self.recorder = parts.recorder(self.client, "kubelet", self.name)
        self.address = next(entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP")
        self.host_ips = [{"ip": self.address}]
        self.images = Images(parts.state, self.name)
        allocatable = node["status"]["allocatable"]
        self.allocatable = (quantity.milli(allocatable["cpu"]), quantity.value(allocatable["memory"]), quantity.value(allocatable["pods"]))
        self.used = (0, 0, 0)
        self.workers: dict[Key, PodWorker] = {}
        self.phase = index % PHASES / PHASES
        self.alive = True
        self.powered = True
        self._queue: dict[Key, None] = {}
        self._timer: Timer | None = None
        self._status_timer: Timer | None = None

    def observed(self, moment: float, at_most: float | None = None) -> float:
        """When this kubelet sees what happens at ``moment``."""
        seen = math.ceil((moment - self.phase) / RELIST - 1e-9) * RELIST + self.phase
        return seen if at_most is None or seen <= at_most else max(moment, at_most)

    def labels(self) -> dict[str, str]:
        node = self.api.lister("nodes").get("", self.name)
        return (node["metadata"].get("labels") or {}) if node is not None else {}

    # pods

    def changed(self, pod: Object, because: int | None) -> None:
        """A pod of this node is new or has changed in what it should be."""
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        worker = self.workers.get(key)
        if worker is not None and worker.uid != meta["uid"]:
            self.gone(key)
            worker = None
        if worker is None:
            worker = self.workers[key] = PodWorker(self, pod)
        worker.because = because
        self._queue[key] = None
        self._soon()

    def _soon(self) -> None:
        """Works at the next tick of a hundredth of a second: a restored kubelet comes to the same one."""
        if self._timer is None and self.alive:
            self._timer = self.clock.call_at(math.floor(self.clock.now / REACTION + 1) * REACTION, self._work)

    def _work(self) -> None:
        self._timer = None
        queue, self._queue = self._queue, {}
        for key in sorted(queue):
            worker = self.workers.get(key)
            if worker is not None:
                worker.step()

    def gone(self, key: Key) -> None:
        """A pod of this node has left the store."""
        worker = self.workers.pop(key, None)
        self._queue.pop(key, None)
        if worker is not None:
            self.give_back(worker)
            worker.forget()

    def take(self, worker: PodWorker, request: Request) -> None:
        """Counts the pod's requests while it lives."""
        cpu, memory, count = self.used
        self.used = (cpu + request.cpu, memory + request.memory, count + 1)
        worker.taken = request

    def give_back(self, worker: PodWorker) -> None:
        request, worker.taken = worker.taken, None
        if request is not None:
            cpu, memory, count = self.used
            self.used = (cpu - request.cpu, memory - request.memory, count - 1)

    # the node's own status

    def images_changed(self) -> None:
        """The node's list of images is written at its next status update."""
        if self._status_timer is None and self.alive:
            due = math.floor(self.clock.now / STATUS_PERIOD + 1) * STATUS_PERIOD + self.phase
            self._status_timer = self.clock.call_at(due, self._write_images)

    def _write_images(self) -> None:
        self._status_timer = None
        node = self.api.lister("nodes").get("", self.name)
        if node is None or not self.alive:
            return
        images = self.images.listed()
        if node["status"].get("images") != images:
            self._write_node(node, {**node["status"], "images": images})

    def _write_node(self, node: Object, status: Object) -> None:
        self.client.because = None
        try:
            self.client.update("nodes", {**node, "status": status}, "status")
        except ApiError as fault:
            if fault.code != 404:
                self.images_changed()

    def say(self, type_: str, reason: str, message: str) -> None:
        """An Event about the node."""
        node = self.api.lister("nodes").get("", self.name)
        if node is not None:
            self.client.because = None
            self.recorder.record({**node, "apiVersion": "v1", "kind": "Node"}, type_, reason, message)

    # stopping and starting the agent

    def stop(self) -> None:
        """The agent is killed; containers run on."""
        if not self.alive:
            return
        self.alive = False
        for timer in (self._timer, self._status_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._status_timer = None
        for worker in self.workers.values():
            worker.wakes_at = None
        self.parts.heartbeats.stop(self.name)

    def resume(self, rebooted: str = "") -> None:
        """The agent starts again and carries on with what it finds."""
        if self.alive:
            return
        self.alive = True
        self.parts.heartbeats.resume(self.name)
        self._report_ready(rebooted)
        for key, worker in sorted(self.workers.items()):
            worker.changed = True
            if rebooted and worker.stage != ENDED:
                worker.rebooted()
            self._queue[key] = None
        if self._queue:
            self._soon()
        self.images_changed()

    def _report_ready(self, rebooted: str) -> None:
        node = self.api.lister("nodes").get("", self.name)
        if node is None:
            return
        before = {entry["type"]: entry["status"] for entry in node["status"].get("conditions") or ()}
        status = {**node["status"], "conditions": node_status.conditions(self.clock.timestamp(), node["status"].get("conditions"))}
        self.say("Normal", "Starting", "Starting kubelet.")
        if rebooted:
            status["nodeInfo"] = {**status["nodeInfo"], "bootID": rebooted}
            self.say("Warning", "Rebooted", f"Node {self.name} has been rebooted, boot id: {rebooted}")
        self.say("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
        self._write_node(node, status)
        for type_, wanted, event in (("MemoryPressure", "False", "NodeHasSufficientMemory"), ("DiskPressure", "False",
                                                                                              "NodeHasNoDiskPressure"),
                                     ("PIDPressure", "False", "NodeHasSufficientPID"), ("Ready", "True", "NodeReady")):
            if before.get(type_) != wanted:
                self.say("Normal", event, f"Node {self.name} status is now: {event}")
