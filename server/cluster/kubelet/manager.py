"""All kubelets of a cluster: one watch on pods and one on nodes, told on to the node that it concerns.

Machines join here, lose and get back their power here, and after a restart of the process every pod is taken up again where it was:
from what its worker had kept, or, for one that simply ran, from its status.
"""

from __future__ import annotations

from typing import Any, Protocol

from server.cluster.apiserver.request import Options, Response
from server.cluster.errors import ApiError
from server.cluster.kubelet import keeping, logs, node_status
from server.cluster.kubelet.agenda import Agenda
from server.cluster.kubelet.keeping import ACTIVE, NEW, WAITING
from server.cluster.kubelet.kubelet import Kubelet
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.kubelet.system_pods import CONTROL_PLANE_IMAGES, NODE_IMAGES
from server.cluster.machines import NodeSpec
from server.cluster.objects import Object, key
from server.cluster.parts import Parts
from server.cluster.runtime.images import image
from server.cluster.runtime.runtime import Runtime
from server.cluster.store import DELETED, Event

CLIENT = "kubelet"
LEASES = "leases.coordination.k8s.io"


class Addresses(Protocol):
    """Who gives pods their addresses."""

    def allocate(self, node: str) -> str: ...

    def release(self, ip: str) -> None: ...


class Kubelets:
    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self.parts = parts
        self.clock = parts.clock
        self.addresses = addresses
        self.agenda = Agenda(parts.clock)
        self.runtime = Runtime(parts.clock, parts.state)
        self.runtime.reachable = self.reachable
        self.nodes: dict[str, Kubelet] = {}
        self._workers: dict[str, PodWorker] = {}
        self._running = False

    def start(self) -> None:
        """Begins, and takes up whatever ran before."""
        if self._running:
            return
        self._running = True
        api, state = self.parts.api, self.parts.state
        kept = dict(state.items("pod/"))
        chunks = _chunks(state.items("log/"))
        for node in api.lister("nodes").list():
            self._join(node)
        for pod in api.lister("pods").list():
            kubelet = self.nodes.get(pod["spec"].get("nodeName", ""))
            if kubelet is not None:
                self._take_up(kubelet, pod, kept.get(f"pod/{pod['metadata']['uid']}"), chunks)
        api.watch("nodes", self._on_node)
        api.watch("pods", self._on_pod)

    def _take_up(self, kubelet: Kubelet, pod: Object, data: dict[str, Any] | None, chunks: dict[str, dict[int, list[list]]]) -> None:
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
            if "deletionTimestamp" in pod["metadata"] and worker.stage in (WAITING, ACTIVE):
                kubelet.changed(pod, None)

    # what happens in the store

    def _on_pod(self, event: Event) -> None:
        pod = event.object
        node = pod["spec"].get("nodeName")
        kubelet = self.nodes.get(node) if node else None
        if kubelet is None:
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
        if event.type is DELETED:
            kubelet = self.nodes.pop(event.object["metadata"]["name"], None)
            if kubelet is not None:
                for pod in list(kubelet.workers):
                    kubelet.gone(pod)
                kubelet.alive = kubelet.powered = False

    # machines

    def add_node(self, spec: NodeSpec) -> None:
        """A machine joins: its kubelet registers the Node and its Lease."""
        names = (*NODE_IMAGES, *(CONTROL_PLANE_IMAGES if spec.control_plane else ()))
        present = {image(name).text: image(name).size for name in names}
        state = self.parts.state
        index = (state.get("nodes") or {"joined": 0})["joined"]
        state.set("nodes", {"joined": index + 1})
        state.set(f"images/{spec.name}", present)
        client = self.parts.client(CLIENT, f"system:node:{spec.name}")
        node = node_status.node(spec, index, self.clock, [])
        node = client.create("nodes", node)
        kubelet = self._join(node)
        kubelet.images_changed()
        try:
            client.create(LEASES, node_status.lease(node, self.clock))
        except ApiError as fault:
            if fault.code != 409:
                raise
        if self.clock.now > 0:
            for reason, message in (("Starting", "Starting kubelet."), ("NodeReady", f"Node {spec.name} status is now: NodeReady")):
                kubelet.say("Normal", reason, message)
        for pod in self.parts.api.lister("pods").by_node(spec.name):
            kubelet.changed(pod, None)

    def _join(self, node: Object) -> Kubelet:
        name = node["metadata"]["name"]
        network = (node["spec"].get("podCIDR") or "10.244.0.0/24").split(".")
        kubelet = self.nodes[name] = Kubelet(self, self.parts, node, int(network[2]))
        if self.parts.heartbeats.stopped_at(name) is not None:
            kubelet.alive = False
            kubelet.powered = self.parts.state.get(f"power/{name}") is None
        if node["status"].get("images") != kubelet.images.listed():
            kubelet.images_changed()
        return kubelet

    def reachable(self, node: str) -> bool:
        """Whether the node's machine is on: packets reach it."""
        kubelet = self.nodes.get(node)
        return kubelet is not None and kubelet.powered

    def stop_kubelet(self, node: str) -> None:
        """The agent dies; its containers go on."""
        self.nodes[node].stop()

    def start_kubelet(self, node: str) -> None:
        self.nodes[node].resume()

    def power_off(self, node: str) -> None:
        """The machine goes dark with all that runs on it."""
        kubelet = self.nodes[node]
        kubelet.stop()
        if kubelet.powered:
            kubelet.powered = False
            self.parts.state.set(f"power/{node}", {"off": self.clock.now, "boots": self._boots(node) + 1})
            for worker in kubelet.workers.values():
                worker.power_lost()

    def power_on(self, node: str) -> None:
        kubelet = self.nodes[node]
        if not kubelet.powered:
            kubelet.powered = True
            boots = self._boots(node)
            self.parts.state.set(f"power/{node}", None)
            self.parts.state.set(f"boots/{node}", boots)
            kubelet.resume(node_status.boot_id(node, boots))

    def _boots(self, node: str) -> int:
        power = self.parts.state.get(f"power/{node}")
        return power["boots"] if power is not None else self.parts.state.get(f"boots/{node}", 0)

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

    def log_error(self, pod: Object, container: str, previous: bool = False) -> ApiError | None:
        return logs.error(self, pod, container, previous)

    def worker(self, namespace: str, name: str) -> PodWorker | None:
        pod = self.parts.api.lister("pods").get(namespace, name)
        kubelet = self.nodes.get(pod["spec"].get("nodeName", "")) if pod is not None else None
        return kubelet.workers.get((namespace, name)) if kubelet is not None else None

    def progress(self, uid: str) -> dict[str, dict[str, float]]:
        """What a pod waits for: {"pull": {from, until}} and {"backoff": {from, until}} in virtual seconds."""
        worker = self._workers.get(uid)
        return worker.progress() if worker is not None else {}

    def remember(self, worker: PodWorker) -> None:
        self._workers[worker.uid] = worker

    def forget(self, worker: PodWorker) -> None:
        self._workers.pop(worker.uid, None)


def _chunks(items: list[tuple[str, Any]]) -> dict[str, dict[int, list[list]]]:
    """Log chunks by container id and number."""
    found: dict[str, dict[int, list[list]]] = {}
    for name, rows in items:
        _, id_, number = name.split("/")
        found.setdefault(id_, {})[int(number)] = rows
    return found
