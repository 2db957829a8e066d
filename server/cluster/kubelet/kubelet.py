"""The agent of one node: its pods' workers, its images, the moments at which it looks at its runtime.

A kubelet has no loop: events and timers of its workers wake it. What a real one would find out by asking its runtime every second is
put on that node's one-second grid (``observed``), so that what ends together is reported together.

Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from server.cluster import quantity
from server.cluster.apiserver.cache import Lister
from server.cluster.clock import Timer
from server.cluster.kubelet import node_status
from server.cluster.kubelet.admission import Request
from server.cluster.kubelet.images import Images
from server.cluster.kubelet.keeping import ENDED
from server.cluster.kubelet.node_reports import NodeReports
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.machines import NodeSpec
from server.cluster.objects import Key, Object
from server.cluster.parts import Parts
from server.cluster.runtime.pids import Pids

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

REACTION, RELIST = 0.01, 1.0
PHASES = 4
MIRROR = "kubernetes.io/config.mirror"


class Kubelet:
    """``alive`` says that the agent runs, ``powered`` that its machine does."""

    def __init__(self, manager: Kubelets, parts: Parts, spec: NodeSpec, index: int) -> None:
        self.manager = manager
        self.parts = parts
        self.spec = spec
        self.index = index
        self.name = spec.name
        self.clock = parts.clock
        self.api = parts.api
        self.state = parts.state
        self.pods: Lister | Unheard = parts.api.lister("pods")
        self.runtime = manager.runtime
        self.addresses = manager.addresses
        self.client = parts.client("kubelet", f"system:node:{self.name}")
        self.recorder = parts.recorder(self.client, "kubelet", self.name)
        self.reports = NodeReports(self)
        self.address = spec.address
        self.host_ips = [{"ip": self.address}]
        self.images = Images(parts.state, self.name, manager.registry)
        self.measure(spec)
        self.used = (0, 0, 0)
        self.workers: dict[Key, PodWorker] = {}
        self.deferred: dict[Key, None] = {}
        self.phase = index % PHASES / PHASES
        self.alive = True
        self.powered = True
        self._queue: dict[Key, None] = {}
        self._timer: Timer | None = None

    def pids_of(self, pod: Object) -> Pids | None:
        """The process name space that all containers of a pod with this spec are in; None: each has its own."""
        if pod.get("hostPID"):
            return self.runtime.host_of(self.name).system.pids
        return Pids(paused=True) if pod.get("shareProcessNamespace") else None

    def measure(self, spec: NodeSpec) -> None:
        """The machine is of this size."""
        self.spec = spec
        allocatable = node_status.capacity(spec)["allocatable"]
        self.allocatable = (quantity.milli(allocatable["cpu"]), quantity.value(allocatable["memory"]), quantity.value(allocatable["pods"]))

    def observed(self, moment: float, at_most: float | None = None) -> float:
        """When this kubelet sees what happens at ``moment``."""
        seen = math.ceil((moment - self.phase) / RELIST - 1e-9) * RELIST + self.phase
        return seen if at_most is None or seen <= at_most else max(moment, at_most)

    def observed_after(self, first: float, moment: float) -> float:
        """When it sees what happens at ``moment``, at a later look than one at ``first``."""
        return self.observed(max(moment, first + REACTION))

    def labels(self) -> dict[str, str]:
        node = self.api.lister("nodes").get("", self.name)
        return (node["metadata"].get("labels") or {}) if node is not None else {}

    # pods

    def changed(self, pod: Object, because: int | None) -> None:
        """A pod of this node is new or has changed in what it should be."""
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        worker = self.workers.get(key)
        if worker is not None and worker.static:
            return self.enqueue(key)
        if MIRROR in (meta.get("annotations") or ()):
            return self.manager.static.wipe(self, pod)
        if worker is not None and worker.uid != meta["uid"]:
            self.gone(key)
            worker = None
        if worker is None:
            worker = self.workers[key] = PodWorker(self, pod)
        worker.because = because
        return self.enqueue(key)

    def enqueue(self, key: Key) -> None:
        """The pod's worker will look at it."""
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
        """A pod of this node has left the store; a static pod has lost no more than its mirror."""
        worker = self.workers.get(key)
        if worker is not None and worker.static:
            return self.enqueue(key)
        return self.drop(key)

    def drop(self, key: Key) -> None:
        """A pod that is no more: its containers end where they are."""
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
            if self.deferred:
                self._queue.update(self.deferred)
                self._soon()

    # the node's own status

    def images_changed(self) -> None:
        """The node's list of images is written at its next status update."""
        self.reports.later()

    def say(self, type_: str, reason: str, message: str) -> None:
        """An Event about the node."""
        self.client.because = None
        self.reports.say(type_, reason, message)

    # stopping and starting the agent

    def stop(self) -> None:
        """The agent is killed; containers run on."""
        if not self.alive:
            return
        self.alive = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.reports.stop()
        for worker in self.workers.values():
            worker.wakes_at = None

    def resume(self, rebooted: str = "", because: int | str | None = None) -> None:
        """The agent starts again and carries on with what it finds; ``rebooted`` is its machine's new boot id."""
        if self.alive:
            return
        self.alive = True
        self.reports.starting, self.reports.rebooted, self.reports.because = True, rebooted, because
        for _, worker in sorted(self.workers.items()):
            if rebooted and worker.stage != ENDED:
                worker.rebooted()
        self.manager.shutdowns.over(self)

    def hear(self, because: int | str | None) -> None:
        """The API server can be reached (again): tells it how the node is, and takes up what it asks for by now."""
        self.pods = self.api.lister("pods")
        self.reports.because = because
        self.reports.now()
        there = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in self.pods.by_node(self.name)}
        for key, worker in sorted(self.workers.items()):
            pod = there.get(key)
            if pod is None or pod["metadata"]["uid"] != worker.uid:
                self.gone(key)
            else:
                worker.changed = True
                worker.because = because
                self._queue[key] = None
        for key, pod in there.items():
            if key not in self.workers:
                self.changed(pod, because)
        if self._queue:
            self._soon()
        self.images_changed()

    def unheard(self, pods: list[Object]) -> None:
        """Nothing is heard of the API server any more: these are the pods as they were last."""
        self.pods = Unheard(pods)


class Unheard:
    """The pods of a node as its kubelet last knew them."""

    def __init__(self, pods: list[Object]) -> None:
        self._pods = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in pods}

    def get(self, namespace: str, name: str) -> Object | None:
        return self._pods.get((namespace, name))

    def by_node(self, node: str) -> list[Object]:
        return list(self._pods.values())
