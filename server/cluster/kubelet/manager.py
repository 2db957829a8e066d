"""All kubelets of a cluster: one watch on pods and one on nodes, told on to the node that it concerns.

Machines join here, lose and get back their power here, and after a restart of the process every pod is taken up again where it was:
from what its worker had kept, or, for one that simply ran, from its status.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Protocol

from server.cluster.apiserver.request import Options, Response
from server.cluster.kubelet import hardware, keeping, logs, memory, node_status, streaming
from server.cluster.kubelet.agenda import Agenda
from server.cluster.kubelet.eviction import Evictions
from server.cluster.kubelet.keeping import ACTIVE, NEW, WAITING
from server.cluster.kubelet.kubelet import MIRROR, Kubelet
from server.cluster.kubelet.machine_room import UNHEARD, MachineRoom
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.kubelet.registry import Registry
from server.cluster.kubelet.shutdown import Shutdowns
from server.cluster.kubelet.static_pods import StaticPods
from server.cluster.kubelet.volume_watch import VolumeWatch
from server.cluster.objects import Object, key
from server.cluster.parts import Parts
from server.cluster.runtime.container import Container
from server.cluster.runtime.figures import MILLI
from server.cluster.runtime.runtime import Runtime
from server.cluster.store import ADDED, DELETED, Event

CLIENT = "kubelet"
LEASES = "leases.coordination.k8s.io"


class Addresses(Protocol):
    """Who gives pods their addresses."""

    def allocate(self, node: str) -> str: ...

    def release(self, ip: str) -> None: ...


class Kubelets(MachineRoom):
    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        super().__init__(parts)
        self.clock = parts.clock
        self.addresses = addresses
        self.agenda = Agenda(parts.clock)
        self.runtime = Runtime(parts.clock, parts.state)
        self.runtime.reachable = self.powered
        self.runtime.usage.cores = self._cores
        self.runtime.hardware = lambda node: hardware.facts(self, node)
        self.runtime.security = lambda pod, container: hardware.security(self, pod, container)
        self.runtime.usage.on_change(self._usage_changed)
        self.on_change(self.runtime.usage.resized)
        self.registry = Registry()
        self.forced_probes: dict[tuple[str, str, str, str], bool] = {}
        self.evictions = Evictions(self)
        self.shutdowns = Shutdowns(self)
        self.volumes = VolumeWatch(self)
        self.static = StaticPods(self)
        self._workers: dict[str, PodWorker] = {}
        self._running = False

    def start(self) -> None:
        """Begins, and takes up whatever ran before."""
        if self._running:
            return
        self._running = True
        api, state = self.parts.api, self.parts.state
        kept = {}
        for name, value in state.items("pod/"):
            kept[name] = deepcopy(value)
            self.parts.breathe()
        chunks = _chunks(state.items("log/"))
        for spec, index in self._machines():
            kubelet = self._join(spec, index)
            self.static.take_up(kubelet, kept, chunks)
            for pod in kubelet.pods.by_node(spec.name):
                self._take_up(kubelet, pod, kept.get(f"pod/{pod['metadata']['uid']}"), chunks)
                self.parts.breathe()
            node = api.lister("nodes").get("", spec.name)
            if node is not None and kubelet.alive and node["status"].get("images") != kubelet.images.listed():
                kubelet.images_changed()
        self.evictions.start()
        self.shutdowns.start()
        for kubelet in self.nodes.values():
            kubelet.reports.take_up()
        self.volumes.start()
        api.watch(LEASES, self._on_lease)
        api.watch("nodes", self._on_node)
        api.watch("pods", self._on_pod)

    def _take_up(self, kubelet: Kubelet, pod: Object, data: dict[str, Any] | None, chunks: dict[str, dict[int, list[list]]]) -> None:
        if key(pod) in kubelet.workers:
            return None
        if MIRROR in (pod["metadata"].get("annotations") or ()):
            return kubelet.changed(pod, None)
        status = pod.get("status") or {}
        if data is None and status.get("phase") != "Running":
            if status.get("phase") not in ("Succeeded", "Failed"):
                kubelet.changed(pod, None)
            return
        worker = kubelet.workers[key(pod)] = PodWorker(kubelet, pod)
        if data is not None and data["stage"] == NEW:
            kubelet.changed(pod, None)
        else:
            keeping.restore(worker, pod, data, chunks)
            behind = status.get("observedGeneration") != pod["metadata"].get("generation")
            if worker.stage in (WAITING, ACTIVE) and (data is not None or behind or "deletionTimestamp" in pod["metadata"]):
                worker.changed = True
                kubelet.changed(pod, None)

    # what happens in the store

    def _on_pod(self, event: Event) -> None:
        pod = event.object
        node = pod["spec"].get("nodeName")
        kubelet = self.nodes.get(node) if node else None
        if kubelet is None or kubelet.state.get(UNHEARD + node) is not None:
            return
        if event.type is DELETED:
            kubelet.gone(key(pod))
            return
        previous = event.previous
        if previous is not None:
            if event.cause.client == CLIENT:
                return
            now, was = pod["metadata"], previous["metadata"]
            if (pod["spec"] is previous["spec"] and now.get("deletionTimestamp") == was.get("deletionTimestamp")
                    and now.get("deletionGracePeriodSeconds") == was.get("deletionGracePeriodSeconds")
                    and not pod["spec"].get("readinessGates")):
                return
        kubelet.changed(pod, event.revision)

    def _on_node(self, event: Event) -> None:
        """A Node that has no machine behind it is never heard of."""
        name = event.object["metadata"]["name"]
        if name not in self.nodes:
            if event.type is ADDED:
                self.parts.heartbeats.stop(name)
            elif event.type is DELETED:
                self.parts.heartbeats.resume(name)

    def _on_lease(self, event: Event) -> None:
        """A Lease that was deleted is made again at its next renewal."""
        if event.type is DELETED and event.key[0] == node_status.LEASE_NAMESPACE and event.key[1] in self.nodes:
            self.clock.call_later(node_status.LEASE_PERIOD, self.renew, event.key[1])

    def _cores(self, node: str) -> int:
        """What a machine has, in nanocores."""
        return self.nodes[node].spec.cpu * 1000 * MILLI

    def _usage_changed(self, container: Container) -> None:
        """A container may come to use more memory than it may, or not any more."""
        if container.launch.memory is None:
            return
        kubelet = self.nodes.get(container.sandbox.node)
        worker = kubelet.workers.get(container.sandbox.key) if kubelet is not None else None
        if worker is not None:
            memory.changed(worker, container)

    def kill_container(self, namespace: str, pod: str, container: str, code: int = 137) -> bool:
        """Its main process is killed from outside; whether there was one."""
        found = self.runtime.container(namespace, pod, container)
        if found is None or not found.running:
            return False
        found.end(code)
        found.on_exit(found, code)
        return True

    # what others ask

    def present(self, resource: str, obj: Object) -> Object:
        """``obj`` with the heartbeats that its kubelet has sent by now."""
        if resource == "nodes" or resource == LEASES:
            return node_status.present(self.clock, resource, obj, self.parts.heartbeats.stopped_at(obj["metadata"]["name"]))
        return obj

    def logs(self, pod: Object, options: Options) -> Response:
        """The ``log`` subresource."""
        return logs.answer(self, pod, options)

    def streams(self, what: str, pod: Object, options: Options) -> Response:
        """The ``exec``, ``attach`` and ``portforward`` subresources."""
        return streaming.answer(self, what, pod, options)

    def worker(self, namespace: str, name: str) -> PodWorker | None:
        pod = self.parts.api.lister("pods").get(namespace, name)
        kubelet = self.nodes.get(pod["spec"].get("nodeName", "")) if pod is not None else None
        return kubelet.workers.get((namespace, name)) if kubelet is not None else None

    def machine_addresses(self) -> tuple[str, ...]:
        """The addresses of the cluster's machines."""
        return tuple(kubelet.address for kubelet in self.nodes.values())

    def progress(self, uid: str) -> dict[str, dict[str, float]]:
        """What a pod waits for: {"pull": {from, until}} and {"backoff": {from, until}} in virtual seconds."""
        worker = self._workers.get(uid)
        return worker.progress() if worker is not None else {}

    def remember(self, worker: PodWorker) -> None:
        self._workers[worker.uid] = worker

    def also_known(self, worker: PodWorker, uid: str, before: str) -> None:
        """A static pod is known by its mirror's uid too."""
        self._workers.pop(before, None)
        self._workers[uid] = worker

    def forget(self, worker: PodWorker) -> None:
        self._workers.pop(worker.uid, None)


def _chunks(items: list[tuple[str, Any]]) -> dict[str, dict[int, list[list]]]:
    """Log chunks by container id and number."""
    found: dict[str, dict[int, list[list]]] = {}
    for name, rows in items:
        _, id_, number = name.split("/")
        found.setdefault(id_, {})[int(number)] = rows
    return found
