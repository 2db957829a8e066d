"""What changes under a pod's volumes while it runs: mounted ConfigMaps and Secrets that are edited, disks that others write to, volumes
that are attached or have grown.

In: watch events of those kinds. Out: nothing at the moment of an edit but that the old content is kept (``worker.frozen``) until the
kubelet looks again, about a minute later; then the volume shows the new one, except where it was mounted by ``subPath``, whose
containers keep what they started with. Nothing is kept, and nothing runs, for pods whose objects do not change.

Source: https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster import quantity
from server.cluster.errors import ApiError
from server.cluster.kubelet import eviction, probing, projections, shutdown, volumes
from server.cluster.kubelet.keeping import ACTIVE, WAITING
from server.cluster.objects import Object, name
from server.cluster.store import ADDED, DELETED, Event
from server.cluster.volumes import ATTACHMENTS, CLAIMS, VOLUMES, claims_of, resized

if TYPE_CHECKING:
    from server.cluster.kubelet.manager import Kubelets
    from server.cluster.kubelet.pod_worker import PodWorker

SYNC = (1.0, 90.0)
HOUSEKEEPING = 10.0
NOTICED, GROWN, GRACE = 0.1, 1.0, 1
Source = tuple[str, str, str]


class VolumeWatch:
    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets
        self._api = kubelets.parts.api
        self._disks = kubelets.parts.disks
        self._users: dict[Source, dict[tuple[str, str, str], PodWorker]] = {}
        self._followed: dict[str, tuple[list[Source], list[str], list[str]]] = {}

    def start(self) -> None:
        self._api.watch("configmaps", self._on_source)
        self._api.watch("secrets", self._on_source)
        self._api.watch(ATTACHMENTS, self._on_attachment)
        self._api.watch(CLAIMS, self._on_claim)

    def follow(self, worker: PodWorker, pod: Object) -> None:
        """The pod's volumes are mounted."""
        sources: dict[Source, None] = {}
        for volume in pod["spec"].get("volumes") or ():
            if not volume["name"].startswith(volumes.TOKEN_VOLUME) and any(field in volume for field in volumes.MADE_OF_OBJECTS):
                sources.update(((resource, worker.key[0], source), None) for resource, source in projections.references(volume))
        for source in sources:
            self._users.setdefault(source, {})[_order(worker)] = worker
        disks = volumes.disks_of(worker, pod)
        for disk in disks:
            self._disks.listen(disk, worker.uid, lambda: self._changed(worker))
        own = [volumes.empty_dir(worker.uid, volume["name"]) for volume in pod["spec"]["volumes"] if "emptyDir" in volume]
        if sources or disks or own:
            self._followed[worker.uid] = (list(sources), disks, own)
        for volume, claim in claims_of(pod):
            found = self._api.lister(CLAIMS).get(worker.key[0], claim)
            if found is not None and _grows(found) and f"grow:{volume}" not in worker.due:
                worker.at(f"grow:{volume}", worker.now + GROWN)

    def forget(self, worker: PodWorker) -> None:
        """The pod is gone, and its emptyDirs with it."""
        sources, disks, own = self._followed.pop(worker.uid, ((), (), ()))
        for source in sources:
            users = self._users[source]
            users.pop(_order(worker), None)
            if not users:
                del self._users[source]
        for disk in disks:
            self._disks.unlisten(disk, worker.uid)
        for disk in own:
            self._disks.wipe(disk)
        if sources:
            self._kubelets.parts.state.set(volumes.PROJECTED + worker.uid, None)

    def written(self, worker: PodWorker) -> None:
        """A program of the pod has written: what it keeps on the disk is measured at the kubelet's next round."""
        pod = worker.pod()
        self._kubelets.evictions.wrote(worker.kubelet.name)
        if "measure:" not in worker.due and pod is not None and (any(
                (volume.get("emptyDir") or {}).get("sizeLimit") is not None for volume in pod["spec"].get("volumes") or ())
                or any(_storage_limit(entry) for entry in pod["spec"]["containers"])):
            worker.at("measure:", worker.now + HOUSEKEEPING)

    def _changed(self, worker: PodWorker) -> None:
        """Somebody else wrote to a disk that the pod sees: its probes may answer otherwise."""
        probing.rouse(worker)
        worker.arm()

    # ConfigMaps and Secrets

    def _on_source(self, event: Event) -> None:
        key = (event.resource, event.key[0], event.key[1])
        for _, worker in sorted(self._users.get(key, {}).items()):
            pod = worker.pod()
            for volume in (pod["spec"].get("volumes") or ()) if pod is not None else ():
                if any(field in volume for field in volumes.MADE_OF_OBJECTS) and key[::2] in projections.references(volume):
                    self._source_changed(worker, pod, volume, event)
            worker.save()
            worker.arm()

    def _source_changed(self, worker: PodWorker, pod: Object, volume: Object, event: Event) -> None:
        title = volume["name"]
        if title not in worker.frozen:
            instead = {(event.resource, event.key[1]): event.previous or {"kind": event.object["kind"]}}
            worker.frozen[title] = projections.content(self._api, pod, volume, worker.ip, instead)
        if event.type == DELETED or event.type == ADDED and event.object.get("immutable"):
            return
        if worker.stage == ACTIVE and f"refresh:{title}" not in worker.due:
            worker.at(f"refresh:{title}", worker.now + worker.chance(*SYNC, f"refresh {title}"))

    def refresh(self, worker: PodWorker, pod: Object, title: str) -> None:
        """The kubelet looks again: the volume shows what the objects say now."""
        volume = next((entry for entry in pod["spec"].get("volumes") or () if entry["name"] == title), None)
        if volume is None or title not in worker.frozen:
            return
        why = projections.missing(self._api, pod, volume)
        if why:
            worker.record(pod, "Warning", "FailedMount", volumes.SETUP.format(title, why))
            return
        old = worker.frozen[title]
        for container in worker.sandbox.containers.values() if worker.sandbox is not None else ():
            for mount in container.launch.mounts:
                if mount.volume == title and mount.sub_path and container.running:
                    container.frozen.setdefault(mount.path, old)
        del worker.frozen[title]
        state, key = self._kubelets.parts.state, volumes.PROJECTED + worker.uid
        state.set(key, {**(state.get(key) or {}), title: worker.now})
        probing.rouse(worker)

    # attachments and sizes

    def _on_attachment(self, event: Event) -> None:
        if event.type == DELETED or not (event.object.get("status") or {}).get("attached"):
            return
        kubelet = self._kubelets.nodes.get(event.object["spec"]["nodeName"])
        for worker in list(kubelet.workers.values()) if kubelet is not None else ():
            if worker.stage == WAITING and "mount" in worker.due:
                worker.at("mount", min(worker.due["mount"], worker.now + NOTICED))
                worker.save()
                worker.arm()

    def _on_claim(self, event: Event) -> None:
        if event.type == DELETED or not _grows(event.object) or event.previous is not None and _grows(event.previous):
            return
        for pod in self._api.lister("pods").by_claim(*event.key):
            worker = self._kubelets.worker(*(pod["metadata"][field] for field in ("namespace", "name")))
            if worker is None or worker.stage != ACTIVE:
                continue
            for volume, claim in claims_of(pod):
                if claim == event.key[1]:
                    worker.at(f"grow:{volume}", worker.now + GROWN)
            worker.save()
            worker.arm()

    def grow(self, worker: PodWorker, pod: Object, title: str) -> None:
        """Resizes the file system of a volume that has become bigger."""
        claim = self._api.lister(CLAIMS).get(worker.key[0], dict(claims_of(pod)).get(title, ""))
        volume = self._api.lister(VOLUMES).get("", claim["spec"].get("volumeName", "")) if claim is not None else None
        if volume is None or not _grows(claim):
            return
        size = volume["spec"]["capacity"]["storage"]
        try:
            worker.kubelet.client.update(CLAIMS, {**claim, "status": resized(claim, size)}, "status")
        except ApiError:
            return
        text = f'MountVolume.NodeExpandVolume succeeded for volume "{name(volume)}" {worker.kubelet.name}'
        for obj in (pod, claim):
            worker.record(obj, "Normal", "FileSystemResizeSuccessful", text)

    # emptyDirs

    def measure(self, worker: PodWorker, pod: Object, _: str) -> None:
        """Evicts the pod when an emptyDir on disk, a container or all of it has become bigger than it may."""
        for volume in pod["spec"].get("volumes") or ():
            source = volume.get("emptyDir") or {}
            limit = quantity.value(source.get("sizeLimit") or 0)
            if limit and source.get("medium") != "Memory" and self._disks.used(volumes.empty_dir(worker.uid, volume["name"])) > limit:
                return self._evict(worker, pod, f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{source["sizeLimit"]}". ')
        limits = {entry["name"]: _storage_limit(entry) for entry in pod["spec"]["containers"]}
        if not any(limits.values()):
            return None
        used = {cell.name: eviction.disk_of(cell.container) for cell in worker.cells() if cell.running}
        total = sum(limits.values())
        if all(limits.values()) and sum(used.values()) + self._kubelets.evictions.empty_dirs(worker) > total:
            return self._evict(worker, pod, "Pod ephemeral local storage usage exceeds the total limit of containers "
                               f"{quantity.from_value(total)}. ")
        for name_, limit in limits.items():
            if limit and used.get(name_, 0) > limit:
                return self._evict(worker, pod, f'Container {name_} exceeded its local ephemeral storage limit "{quantity.from_value(limit)}". ')
        return None

    def _evict(self, worker: PodWorker, pod: Object, message: str) -> None:
        worker.record(pod, "Warning", "Evicted", message)
        shutdown.end(worker, pod, "Evicted", message, GRACE)


def _storage_limit(container: Object) -> int:
    """Bytes of its node's disk that a container may use; 0 for no limit."""
    return quantity.value(((container.get("resources") or {}).get("limits") or {}).get("ephemeral-storage") or 0)


def _order(worker: PodWorker) -> tuple[str, str, str]:
    return (worker.kubelet.name, *worker.key)


def _grows(claim: Object) -> bool:
    statuses: dict[str, Any] = (claim.get("status") or {}).get("allocatedResourceStatuses") or {}
    return statuses.get("storage") == "NodeResizePending"
