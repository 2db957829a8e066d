"""Static pods: what a kubelet runs because a manifest lies in a folder of its machine, whether or not there is an API server.

In: manifests, kept in the state at ``static/NODE``. Out: a worker for each, and a mirror pod in the API server that shows it. Who
deletes the mirror deletes only the picture: the kubelet makes a new one, and the containers run on. Moving a manifest away is what
stops the pod. Whoever must know which component of the control plane runs asks ``StaticPods.runs`` and is told by ``on_change``.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.cluster.apiserver import defaults
from server.cluster.apiserver.qos import qos_class
from server.cluster.errors import ApiError
from server.cluster.kubelet import admission, containers, keeping, termination
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.pod_worker import WRITE_AGAIN, PodWorker
from server.cluster.objects import Key, Object

if TYPE_CHECKING:
    from server.cluster.kubelet.kubelet import Kubelet
    from server.cluster.kubelet.manager import Kubelets

HASH, MIRROR, SEEN, SOURCE = (f"kubernetes.io/config.{word}" for word in ("hash", "mirror", "seen", "source"))
TOLERATION = {"effect": "NoExecute", "operator": "Exists"}
STATE = "static/"
Chunks = dict[str, dict[int, list[list]]]


def pod_of(node: str, entry: dict[str, Any]) -> Object:
    """The pod that a manifest on a node means: its uid is the hash of both."""
    manifest = entry["manifest"]
    meta, spec = manifest["metadata"], manifest["spec"]
    digest = hashlib.sha256(f"{node} {json.dumps(manifest, sort_keys=True)}".encode()).hexdigest()[:32]
    annotations = {**(meta.get("annotations") or {}), HASH: digest, SEEN: entry["seen"], SOURCE: "file"}
    made = {**meta, "name": f"{meta['name']}-{node}", "namespace": meta.get("namespace", "default"), "uid": digest, "annotations": annotations}
    spec = {**spec, "nodeName": node, "tolerations": [*(spec.get("tolerations") or ()), TOLERATION]}
    pod = defaults.apply("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": spec})
    return {**pod, "status": {"phase": "Pending", "qosClass": qos_class(pod["spec"])}}


class StaticPodWorker(PodWorker):
    """``own`` is the pod as the kubelet knows it, with the status that it would like to be shown; ``shown`` is its mirror's uid."""

    __slots__ = ("own", "shown", "up")
    static = True

    def __init__(self, kubelet: Kubelet, own: Object) -> None:
        super().__init__(kubelet, own)
        self.own = own
        self.shown = ""
        self.up: dict[str, bool] = {}

    def pod(self) -> Object | None:
        """The mirror as far as it says what it should, with the kubelet's own status; else the pod itself."""
        mirror = self.mirror()
        if mirror is None:
            return self.own
        meta = {**mirror["metadata"], "uid": mirror["metadata"]["uid"]}
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
            meta.pop(field, None)
            if field in self.own["metadata"]:
                meta[field] = self.own["metadata"][field]
        return {**mirror, "metadata": meta, "status": self.own["status"]}

    def mirror(self) -> Object | None:
        """The pod in the API server that shows this one."""
        found = self.kubelet.pods.get(*self.key)
        return found if found is not None and (found["metadata"].get("annotations") or {}).get(MIRROR) == self.uid else None

    def step(self) -> None:
        self.changed = True
        super().step()

    def record(self, pod: Object, type_: str, reason: str, message: str, cell: Cell | None = None) -> None:
        """Events are about the static pod: they bear its uid, which is the mirror's annotation."""
        super().record(self.own, type_, reason, message, cell)

    def make_sandbox(self, pod: Object, ip: str = "") -> None:
        super().make_sandbox(pod, ip)
        self._name_sandbox()

    def _name_sandbox(self) -> None:
        """Others know the pod by its mirror."""
        if self.sandbox is not None:
            self.sandbox.uid = self.shown or self.uid

    def write(self) -> None:
        self.changed = False
        new = self.status_of(self.pod())
        self.own = {**self.own, "status": new}
        try:
            self._show(new)
        except ApiError:
            self.at("write", self.now + WRITE_AGAIN)

    def _show(self, status: Object) -> None:
        """Brings the mirror in line: makes it, or makes it anew when it is another's or is being deleted."""
        client, going = self.kubelet.client, "deletionTimestamp" in self.own["metadata"]
        client.because = self.because
        found, mirror = self.kubelet.pods.get(*self.key), self.mirror()
        if found is not None and (mirror is None or ("deletionTimestamp" in found["metadata"] and not going)):
            client.delete("pods", *self.key, grace_period=0, uid=found["metadata"]["uid"])
            mirror = None
        if mirror is None:
            if going:
                return
            mirror = client.create("pods", self._mirror())
        if mirror["metadata"]["uid"] != self.shown:
            self.kubelet.manager.also_known(self, mirror["metadata"]["uid"], self.shown)
            self.shown = mirror["metadata"]["uid"]
            self._name_sandbox()
        if mirror["status"] != status:
            client.update("pods", {**mirror, "status": status}, "status")

    def _mirror(self) -> Object:
        node = self.kubelet.api.lister("nodes").get("", self.kubelet.name)
        meta = {field: value for field, value in self.own["metadata"].items() if field != "uid"}
        meta["annotations"] = {**meta["annotations"], MIRROR: self.uid}
        if node is not None:
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": self.kubelet.name, "uid": node["metadata"]["uid"],
                                        "controller": True}]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": self.own["spec"]}

    def begin_anew(self) -> None:
        """It was ended for the machine's sake, and its manifest is still there: it begins again, with its counts."""
        self.final, self.disrupted = None, ""
        self.due.clear()
        status = {field: value for field, value in self.own["status"].items() if field not in ("reason", "message")}
        status["conditions"] = [entry for entry in status.get("conditions") or () if entry["type"] != "DisruptionTarget"]
        self.own = {**self.own, "status": status}
        if self.sandbox is not None:
            self.kubelet.runtime.remove(self.sandbox)
        for cell in self.cells():
            if cell.container is not None and cell.terminated is None:
                containers.note_end(self, cell)
            cell.begin_again("PodInitializing" if self.init else "ContainerCreating")
        if self.taken is None:
            self.kubelet.take(self, admission.request_of(self.lasting(), self.pod_resources))
        self.stage, self.changed, pod = keeping.WAITING, True, self.pod()
        if pod["spec"].get("volumes"):
            self._mount(pod, "mount")
        else:
            self._network(pod)
        self.finish()

    def leave(self) -> None:
        """Its manifest is gone: it stops, and its mirror goes with it."""
        if "deletionTimestamp" not in self.own["metadata"]:
            grace = self.own["spec"].get("terminationGracePeriodSeconds", termination.DEFAULT_GRACE)
            self.own = {**self.own, "metadata": {**self.own["metadata"], "deletionGracePeriodSeconds": grace,
                                                 "deletionTimestamp": self.kubelet.clock.timestamp(self.now + grace)}}

    def take_away(self) -> None:
        mirror, statics = self.mirror(), self.kubelet.manager.static
        statics.left(self)
        if mirror is not None:
            statics.wipe(self.kubelet, mirror)

    def plain(self) -> bool:
        """Never: its status may be nowhere but here."""
        return False

    def save(self) -> None:
        if self.stage == keeping.GONE:
            return
        self.kept = True
        self.kubelet.state.set(f"pod/{self.uid}", {**keeping.dump(self), "status": self.own["status"], "shown": self.shown})
        self.kubelet.manager.static.look(self)


class StaticPods:
    """Those of all machines."""

    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets
        self._state = kubelets.parts.state
        self._callbacks: list[Callable[[str], None]] = []
        self._runs: dict[str, bool] = {}

    def on_change(self, callback: Callable[[str], None]) -> None:
        """``callback(container)`` when a static pod's container of that name has ended or runs again."""
        self._callbacks.append(callback)

    def runs(self, container: str) -> bool:
        """Whether a container of that name runs, or has never been begun: only what ended is down."""
        known = self._runs.get(container)
        if known is None:
            cells = [cell for worker in self._workers() if (cell := worker.cell(container)) is not None]
            known = not any(cell.created and not cell.running for cell in cells) or any(cell.running for cell in cells)
            self._runs[container] = known
        return known

    def _workers(self) -> list[StaticPodWorker]:
        return [worker for kubelet in self._kubelets.nodes.values() if self._state.get(STATE + kubelet.name)
                for worker in kubelet.workers.values() if worker.static]

    def look(self, worker: StaticPodWorker) -> None:
        """Tells of containers that began or ended."""
        for cell in worker.main:
            if cell.created and worker.up.get(cell.name) != cell.running:
                worker.up[cell.name] = cell.running
                self._runs.clear()
                for callback in tuple(self._callbacks):
                    callback(cell.name)

    def manifests(self, node: str) -> dict[str, Object]:
        """What lies in the folder."""
        return {name: entry["manifest"] for name, entry in (self._state.get(STATE + node) or {}).items() if not entry.get("away")}

    def put(self, node: str, manifest: Object) -> None:
        """A manifest is laid into a machine's folder, or another in its place."""
        kept, name = dict(self._state.get(STATE + node) or {}), manifest["metadata"]["name"]
        if (known := kept.get(name)) is not None and known["manifest"] == manifest and not known.get("away"):
            return
        clock = self._kubelets.clock
        entry = {"manifest": manifest, "seen": clock.microtime().replace("Z", "000Z")}
        kept[name] = {**known, "away": True, "next": entry} if known is not None else entry
        self._state.set(STATE + node, kept)
        self._go(node, name)

    def remove(self, node: str, name: str) -> None:
        """A manifest is moved away."""
        kept = dict(self._state.get(STATE + node) or {})
        if name in kept:
            kept[name] = {**{field: value for field, value in kept[name].items() if field != "next"}, "away": True}
            self._state.set(STATE + node, kept)
            self._go(node, name)

    def _go(self, node: str, name: str) -> None:
        """Brings the worker of one manifest in line with it."""
        kubelet, entry = self._kubelets.nodes[node], self._state.get(STATE + node)[name]
        own = pod_of(node, entry)
        key: Key = (own["metadata"]["namespace"], own["metadata"]["name"])
        worker = kubelet.workers.get(key)
        if entry.get("away"):
            if worker is not None and worker.static:
                worker.leave()
        elif worker is None:
            kubelet.workers[key] = StaticPodWorker(kubelet, own)
        kubelet.enqueue(key)

    def left(self, worker: StaticPodWorker) -> None:
        """A pod whose manifest is away has stopped: what was laid in its place comes now."""
        node = worker.kubelet.name
        worker.kubelet.drop(worker.key)
        self._runs.clear()
        kept = dict(self._state.get(STATE + node) or {})
        for name, entry in list(kept.items()):
            if entry.get("away") and f"{name}-{node}" == worker.key[1]:
                if "next" in entry:
                    kept[name] = entry["next"]
                else:
                    del kept[name]
                self._state.set(STATE + node, kept or None)
                if "next" in entry:
                    self._go(node, name)
        for cell in worker.main:
            for callback in tuple(self._callbacks):
                callback(cell.name)

    def wipe(self, kubelet: Kubelet, mirror: Object) -> None:
        """A mirror of nothing goes, as soon as the API server can be reached, unless something stands behind it again."""
        meta = mirror["metadata"]
        key: Key = (meta["namespace"], meta["name"])
        worker = kubelet.workers.get(key)
        found = self._kubelets.parts.api.lister("pods").get(*key)
        if (worker is not None and worker.static) or found is None or found["metadata"]["uid"] != meta["uid"]:
            return
        try:
            kubelet.client.delete("pods", *key, grace_period=0, uid=meta["uid"])
        except ApiError:
            self._kubelets.clock.call_later(termination.TRY_AGAIN, self.wipe, kubelet, mirror)

    def take_up(self, kubelet: Kubelet, data: dict[str, Any], chunks: Chunks) -> None:
        """Those of a machine after a restart of the process; ``data`` is what all workers had kept."""
        for entry in (self._state.get(STATE + kubelet.name) or {}).values():
            own = pod_of(kubelet.name, entry)
            key: Key = (own["metadata"]["namespace"], own["metadata"]["name"])
            worker = kubelet.workers[key] = StaticPodWorker(kubelet, own)
            kept = data.get(f"pod/{worker.uid}")
            if kept is not None and kept["stage"] != keeping.NEW:
                worker.own, worker.shown = {**own, "status": kept["status"]}, kept["shown"]
                if worker.shown:
                    self._kubelets.also_known(worker, worker.shown, "")
                keeping.restore(worker, worker.pod(), kept, chunks)
                worker.up = {cell.name: cell.running for cell in worker.main if cell.created}
            if entry.get("away"):
                worker.leave()
            kubelet.enqueue(key)
        self._runs.clear()
