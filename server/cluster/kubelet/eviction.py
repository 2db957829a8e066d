"""Node-pressure eviction: a kubelet whose node runs out of memory or disk ends pods, the worst first.

In: what containers use, what lies on the disk, what a fault eats. Out: the node's pressure conditions, images that nobody uses removed,
and one pod at a time Failed with the reason Evicted. A node is looked at every ten seconds only while something there grows or is
short; a condition that is over is shown for five minutes more.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from server.cluster import quantity
from server.cluster.apiserver.qos import qos_class
from server.cluster.clock import Timer
from server.cluster.kubelet import shutdown, volumes
from server.cluster.kubelet.kubelet import Kubelet
from server.cluster.kubelet.machine_room import FILL, PRESSURE
from server.cluster.kubelet.node_status import FILE_SYSTEM, KERNEL_MEMORY
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.objects import Object
from server.cluster.runtime.container import Container
from server.cluster.runtime.mount_namespace import written

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets

MONITORED, TRANSITION, GRACE = 10.0, 300.0, 1.0
MEBI = 1024**2
SYSTEM_DISK = 5 * 1024**3
MEMORY, DISK = "MemoryPressure", "DiskPressure"
LOGS_AT_MOST, MUCH = 4 * 1024**3, 64 * MEBI
RESOURCES = {MEMORY: "memory", DISK: "ephemeral-storage"}
MEMORY_THRESHOLD, DISK_THRESHOLD = 100 * MEBI, 0.15
MEMORY_TAINT = "node.kubernetes.io/memory-pressure"


class Signal(NamedTuple):
    """What there is left of something, and how much there should be: the condition that follows, in bytes."""

    condition: str
    available: int
    threshold: int

    @property
    def met(self) -> bool:
        return self.available < self.threshold


class Evictions:
    """One for all kubelets. ``pressure/NODE`` in the state is, for each condition that holds, the moment at which its threshold was met
    last (null: it is now); ``fill/NODE`` the bytes of memory and disk that a fault takes."""

    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets
        self._clock = kubelets.parts.clock
        self._state = kubelets.parts.state
        self._usage = kubelets.runtime.usage
        self._timers: dict[str, Timer] = {}

    def start(self) -> None:
        """Takes up what was being looked at."""
        self._usage.on_change(self._on_usage)
        for kubelet in self._kubelets.nodes.values():
            pressure = self._state.get(PRESSURE + kubelet.name) or {}
            overs = [since + TRANSITION for since in pressure.values() if since is not None]
            if self._grows(kubelet) or (None in pressure.values() and self._candidates(kubelet)):
                self.look(kubelet.name)
            elif overs:
                self._at(kubelet.name, max(self._clock.now, min(overs)))

    def _grows(self, kubelet: Kubelet) -> bool:
        """Whether something there still takes memory bit by bit."""
        since = self._clock.now - MONITORED
        return any(container.burn and not self._usage.steady(container, since)
                   for worker in kubelet.workers.values() for container in _containers(worker))

    def _candidates(self, kubelet: Kubelet) -> list[tuple[PodWorker, Object]]:
        return [(worker, pod) for worker, pod in shutdown.living(kubelet) if not shutdown.critical(pod)]

    def fill(self, node: str, what: str, percent: float, because: int | str | None = None) -> None:
        """Something that is no pod takes so much of a machine's memory or disk that it is so full; 0 percent ends it. ValueError if
        there is no such machine."""
        kubelet = self._kubelets.machine(node)
        kept = {name: size for name, size in (self._state.get(FILL + node) or {}).items() if name not in (what, "act")}
        self._state.set(FILL + node, kept or None)
        if percent:
            size = _memory(kubelet) if what == "memory" else _disk(kubelet)
            free = next(signal.available for signal in self.signals(kubelet) if signal.condition == (MEMORY if what == "memory" else DISK))
            kept = {**kept, what: max(0, free - int(size * (100 - percent) / 100))}
        if kept:
            self._state.set(FILL + node, {**kept, "act": because})
        self.look(node)

    def look(self, node: str) -> None:
        """Looks at a node at its kubelet's next turn."""
        if node not in self._timers:
            self._at(node, (math.floor(self._clock.now / MONITORED) + 1) * MONITORED)

    def _on_usage(self, container: Container) -> None:
        """A container began, or its program goes on: its memory is what matters here."""
        if container.burn or container.started == self._clock.now:
            self.look(container.sandbox.node)

    def _at(self, node: str, moment: float) -> None:
        if node in self._timers:
            self._timers.pop(node).cancel()
        self._timers[node] = self._clock.call_at(moment, self._turn, node)

    # what there is

    def signals(self, kubelet: Kubelet) -> list[Signal]:
        now, fill = self._clock.now, self._state.get(FILL + kubelet.name) or {}
        _, used = self._usage.node(kubelet.name, now, now)
        memory = _memory(kubelet) - used - fill.get("memory", 0)
        return [Signal(MEMORY, _whole(memory), MEMORY_THRESHOLD), self.disk(kubelet)]

    def disk(self, kubelet: Kubelet) -> Signal:
        """The one file system of a machine: images, logs, what containers write."""
        fill = self._state.get(FILL + kubelet.name) or {}
        size = _disk(kubelet)
        threshold = _whole(size * DISK_THRESHOLD)
        used = SYSTEM_DISK + sum(kubelet.images.present.values()) + fill.get("disk", 0)
        if size - used < threshold + LOGS_AT_MOST + self._kubelets.runtime.written.bytes + self._kubelets.parts.disks.bytes:
            used += sum(disk_of(container) for worker in kubelet.workers.values() for container in _containers(worker))
            used += sum(self.empty_dirs(worker) for worker in kubelet.workers.values())
            used += self._kubelets.parts.disks.used(f"node/{kubelet.name}")
        return Signal(DISK, _whole(size - used), threshold)

    def empty_dirs(self, worker: PodWorker) -> int:
        """Bytes that a pod keeps on the machine's disk beside its containers."""
        pod = worker.pod()
        return sum(self._kubelets.parts.disks.used(volumes.empty_dir(worker.uid, volume["name"]))
                   for volume in (pod["spec"].get("volumes") or () if pod is not None else ())
                   if "emptyDir" in volume and volume["emptyDir"].get("medium") != "Memory")

    def wrote(self, node: str) -> None:
        """A program there has written: looks at the node if it may be much."""
        if self._kubelets.runtime.written.bytes + self._kubelets.parts.disks.bytes > MUCH:
            self.look(node)

    # a turn

    def _turn(self, node: str) -> None:
        self._timers.pop(node, None)
        kubelet = self._kubelets.nodes.get(node)
        if kubelet is None or not kubelet.alive:
            return
        now = self._clock.now
        signals = self.signals(kubelet)
        if signals[1].met and self._clean(kubelet):
            signals[1] = self.disk(kubelet)
            pressed = {DISK: None}
        else:
            pressed = {}
        before = self._state.get(PRESSURE + node) or {}
        pressed.update({signal.condition: None for signal in signals if signal.met})
        after = dict(pressed)
        for condition, met_last in before.items():
            since = now if met_last is None else met_last
            if condition not in pressed and now < since + TRANSITION:
                after[condition] = since
        if after != before:
            self._state.set(PRESSURE + node, after or None)
            if set(after) != set(before):
                kubelet.reports.because = self._because(node)
                kubelet.reports.now()
        met = next((signal for signal in signals if signal.met), None)
        ended = met is not None and self._relieve(kubelet, met)
        overs = [since + TRANSITION for since in after.values() if since is not None]
        if ended or self._grows(kubelet) or (met is None and pressed):
            self.look(node)
        elif overs and node not in self._timers:
            self._at(node, max(now, min(overs)))

    def _clean(self, kubelet: Kubelet) -> bool:
        """Removes the images that no container uses; whether there were any."""
        used = {cell.template.reference.text for worker in kubelet.workers.values() for cell in worker.cells()
                if cell.template.reference is not None}
        if not kubelet.images.drop(used):
            return False
        kubelet.images_changed()
        return True

    def _relieve(self, kubelet: Kubelet, met: Signal) -> bool:
        """Ends the pod that is the first to go; whether there was one."""
        resource = RESOURCES[met.condition]
        kubelet.say("Warning", "EvictionThresholdMet", f"Attempting to reclaim {resource}")
        if any(worker.stage == "stopping" and worker.final and worker.final[1] == "Evicted" for worker in kubelet.workers.values()):
            return True
        ranked = sorted(((self._rank(worker, pod, resource), worker, pod) for worker, pod in self._candidates(kubelet)),
                        key=lambda entry: (entry[0], entry[1].key))
        if not ranked:
            return False
        _, worker, pod = ranked[0]
        message = (f"The node was low on resource: {resource}. Threshold quantity: {quantity.from_value(met.threshold)}, "
                   f"available: {quantity.from_value(met.available)}. {self._hungry(worker, pod, resource)}")
        worker.because = self._because(kubelet.name)
        worker.record(pod, "Warning", "Evicted", message)
        shutdown.end(worker, pod, "Evicted", message, GRACE)
        return True

    def _because(self, node: str) -> int | str | None:
        return (self._state.get(FILL + node) or {}).get("act")

    def _rank(self, worker: PodWorker, pod: Object, resource: str) -> tuple[bool, int, int]:
        """Who uses more than was asked for goes first, then the least important, then who is furthest above."""
        used = sum(self._uses(container, resource) for container in _containers(worker))
        used += self.empty_dirs(worker) if resource != "memory" else 0
        asked = sum(_asked(entry, resource) for entry in pod["spec"]["containers"])
        return not used > asked, pod["spec"].get("priority") or 0, asked - used

    def _uses(self, container: Container, resource: str) -> int:
        return self._usage.memory(container) if resource == "memory" else disk_of(container)

    def _hungry(self, worker: PodWorker, pod: Object, resource: str) -> str:
        text = ""
        for entry in pod["spec"]["containers"]:
            cell = worker.cell(entry["name"])
            if cell is None or not cell.running:
                continue
            used, asked = self._uses(cell.container, resource), _asked(entry, resource)
            if used > asked:
                shown = ((entry.get("resources") or {}).get("requests") or {}).get(resource, "0")
                text += (f"Container {entry['name']} was using {quantity.from_value(_whole(used))}, request is {shown}, "
                         f"has larger consumption of {resource}. ")
        return text

    # admission

    def fault(self, kubelet: Kubelet, pod: Object) -> tuple[str, str] | None:
        """(reason, message) why a node under pressure does not take a pod."""
        conditions = sorted(self._state.get(PRESSURE + kubelet.name) or {})
        if not conditions or shutdown.critical(pod):
            return None
        if conditions == [MEMORY] and (qos_class(pod["spec"]) != "BestEffort" or any(
                toleration.get("operator") == "Exists" and toleration.get("key", MEMORY_TAINT) == MEMORY_TAINT
            and toleration.get("effect", "NoSchedule") == "NoSchedule" for toleration in pod["spec"].get("tolerations") or ())):
            return None
        return "Evicted", f"The node had condition: [{' '.join(conditions)}]. "


def _memory(kubelet: Kubelet) -> int:
    return kubelet.spec.memory - KERNEL_MEMORY


def _disk(kubelet: Kubelet) -> int:
    return int(kubelet.spec.disk * FILE_SYSTEM)


def _whole(size: float) -> int:
    """In whole Ki, as file systems and kernels count."""
    return max(0, int(size)) // 1024 * 1024


def _containers(worker: PodWorker) -> list[Container]:
    return [cell.container for cell in worker.cells() if cell.running]


def disk_of(container: Container) -> int:
    """Bytes of its log and of what it wrote."""
    size = written(container.own_files)
    if container.has_log():
        size += sum(len(line.text) + 1 for line in container.log.all())
    return size


def _asked(entry: Object, resource: str) -> int:
    value = ((entry.get("resources") or {}).get("requests") or {}).get(resource)
    return quantity.value(value) if value is not None else 0
