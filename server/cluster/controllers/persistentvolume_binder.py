"""The persistent volume controller: each claim gets the volume that suits it best, each volume at most one claim.

In: PersistentVolumeClaims, PersistentVolumes, StorageClasses. Out: ``claimRef`` on the volume and ``volumeName`` on the claim, in that
order, so that a crash in between is finished and never doubled; phases on both; a request to the provisioner where no volume suits;
and what becomes of a volume when its claim is gone (``volume_reclaim``). A claim whose class waits for the first consumer is left to
the scheduler.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster import volumes
from server.cluster.controllers import volume_reclaim
from server.cluster.controllers.base import Controller
from server.cluster.controllers.volume_index import VolumeIndex
from server.cluster.objects import Key, Object, annotations, deleting, key, name, replaced, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event
from server.cluster.volumes import BIND_COMPLETED, BOUND_BY_CONTROLLER, CLAIMS, CLASSES, PROVISIONED_BY, PROVISIONERS, VOLUMES

NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
WAITING = ("Waiting for a volume to be created either by the external provisioner '{}' or manually by the system administrator. If volume "
           "creation is delayed, please verify that the provisioner is running and correctly registered.")


class PersistentVolumeBinder(Controller):
    """Keys are those of claims (namespace, name) and of volumes ("", name)."""

    name = "persistentvolume-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._claims, self._volumes, self._classes = (self.lister(resource) for resource in (CLAIMS, VOLUMES, CLASSES))
        self._pods = self.lister("pods")
        self._index = VolumeIndex()
        self.watch(CLAIMS, self._on_claim)
        self.watch(VOLUMES, self._on_volume)
        self.watch(CLASSES, self._on_class)

    def rebuild(self) -> None:
        self._index = VolumeIndex()
        for claim in self._claims.list():
            self._index.see_claim(None, claim)
            self.enqueue(key(claim))
        for volume in self._volumes.list():
            self._index.see_volume(None, volume)
            self.enqueue(key(volume))

    # what wakes it

    def _on_claim(self, event: Event) -> None:
        gone = event.type == DELETED
        self._index.see_claim(event.previous, None if gone else event.object)
        if not gone:
            self.enqueue(event.key, event)
            return
        bound = event.object["spec"].get("volumeName")
        for volume in dict.fromkeys([*([bound] if bound else []), *self._index.reserved(event.key)]):
            self.enqueue(("", volume), event)

    def _on_volume(self, event: Event) -> None:
        gone = event.type == DELETED
        self._index.see_volume(event.previous, None if gone else event.object)
        reference = event.object["spec"].get("claimRef")
        if reference:
            self.enqueue((reference.get("namespace", ""), reference.get("name", "")), event)
        if not gone:
            self.enqueue(event.key, event)
            if self._index.available(event.object):
                for claim in self._takers(event.object):
                    self.enqueue(claim, event)
        for claim in self._index.naming(event.key[1]):
            self.enqueue(claim, event)

    def _takers(self, volume: Object) -> Iterator[Key]:
        """Claims that could have the volume: no more than there are free ones, for each claim takes one of them, this or another."""
        left = len(self._index.free(volumes.class_of(volume)))
        for waiting in self._index.waiting(volumes.class_of(volume)):
            claim = self._claims.get(*waiting)
            if claim is not None and volumes.best_match(claim, [volume], prebound_only=self._delayed(claim)) is not None:
                yield waiting
                left -= 1
                if left <= 0:
                    return

    def _on_class(self, event: Event) -> None:
        for claim in (*self._index.waiting(name(event.object)), *self._index.waiting("")):
            self.enqueue(claim, event)

    # what it does

    def reconcile(self, key: Key) -> None:
        if key[0]:
            claim = self._claims.get(*key)
            if claim is not None:
                (self._keep_bound if BIND_COMPLETED in annotations(claim) else self._find_volume)(claim)
        else:
            volume = self._volumes.get(*key)
            if volume is not None:
                self._settle_volume(volume)

    # claims

    def _find_volume(self, claim: Object) -> None:
        """An unbound claim: the volume it names, else the best there is, else a new one."""
        wanted = claim["spec"].get("volumeName")
        if wanted:
            self._bind_named(claim, self._volumes.get("", wanted))
            return
        delayed = self._delayed(claim)
        volume = volumes.best_match(claim, self._candidates(claim), prebound_only=delayed)
        if volume is not None:
            self._bind(claim, volume)
        elif deleting(claim):
            return
        elif volumes.class_given(claim) is None and (default := volumes.default_class(self._classes.list())) is not None:
            self.client.update(CLAIMS, replaced(claim, {("spec", "storageClassName"): name(default)}))
        elif delayed:
            self._wait_for_consumer(claim)
            self._claim_phase(claim, "Pending")
        elif volumes.class_of(claim):
            self._provision(claim)
        else:
            self.record(claim, "Normal", "FailedBinding", NO_CLASS)
            self._claim_phase(claim, "Pending")

    def _candidates(self, claim: Object) -> list[Object]:
        names = dict.fromkeys([*self._index.reserved(key(claim)), *self._index.free(volumes.class_of(claim))])
        return [volume for entry in names if (volume := self._volumes.get("", entry)) is not None]

    def _delayed(self, claim: Object) -> bool:
        """Whether binding waits for a pod, and no node has been chosen for it yet."""
        storage_class = self._classes.get("", volumes.class_of(claim))
        return volumes.waits_for_consumer(storage_class) and volumes.SELECTED_NODE not in annotations(claim)

    def _wait_for_consumer(self, claim: Object) -> None:
        pods = [pod for pod in self._pods.by_claim(*key(claim)) if not pod["spec"].get("nodeName") and not deleting(pod)]
        if pods:
            word = "pod" if len(pods) == 1 else "pods"
            self.record(claim, "Normal", "WaitForPodScheduled",
                        f"waiting for {word} {','.join(name(pod) for pod in pods)} to be scheduled")
        else:
            self.record(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")

    def _bind_named(self, claim: Object, volume: Object | None) -> None:
        """The volume that the claim asks for by name, if it may have it."""
        if volume is None:
            self._claim_phase(claim, "Pending")
        elif not volume["spec"].get("claimRef"):
            fault = volumes.why_not(volume, claim)
            if fault:
                self.record(claim, "Warning", "VolumeMismatch", f'Cannot bind to requested volume "{name(volume)}": {fault}')
                self._claim_phase(claim, "Pending")
            else:
                self._bind(claim, volume)
        elif volumes.refers_to(volume, claim):
            self._bind(claim, volume)
        else:
            if BOUND_BY_CONTROLLER not in annotations(claim):
                self.record(claim, "Warning", "FailedBinding", f'volume "{name(volume)}" already bound to a different claim.')
            self._claim_phase(claim, "Pending")

    def _keep_bound(self, claim: Object) -> None:
        """A claim that was bound once: it is still, or it has lost its volume for good."""
        bound = claim["spec"].get("volumeName")
        volume = self._volumes.get("", bound) if bound else None
        if not bound:
            self._lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
        elif volume is None:
            self._lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        elif not volume["spec"].get("claimRef") or volume["spec"]["claimRef"].get("uid") == uid(claim):
            self._bind(claim, volume)
        else:
            self._lost(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")

    def _lost(self, claim: Object, reason: str, message: str) -> None:
        if (claim.get("status") or {}).get("phase") != "Lost":
            self._claim_phase(claim, "Lost")
            self.record(claim, "Warning", reason, message)

    def _bind(self, claim: Object, volume: Object) -> None:
        """First the volume says whose it is, then the claim, then both say that they are bound."""
        reference, changes = volume["spec"].get("claimRef"), {}
        if not reference or reference.get("uid", "") != uid(claim):
            if not volumes.refers_to(volume, claim):
                changes["metadata", "annotations"] = {**annotations(volume), BOUND_BY_CONTROLLER: "yes"}
            changes["spec", "claimRef"] = volumes.reference_to(claim)
            volume = self.client.update(VOLUMES, replaced(volume, changes))
        self._volume_phase(volume, "Bound")
        notes = {**annotations(claim), BIND_COMPLETED: "yes"}
        if claim["spec"].get("volumeName") != name(volume):
            notes[BOUND_BY_CONTROLLER] = "yes"
            claim = replaced(claim, {("spec", "volumeName"): name(volume), ("metadata", "annotations"): notes})
            claim = self.client.update(CLAIMS, claim)
        elif notes != annotations(claim):
            claim = self.client.update(CLAIMS, replaced(claim, {("metadata", "annotations"): notes}))
        self._claim_phase(claim, "Bound", volume)

    def _provision(self, claim: Object) -> None:
        """Leaves a claim to the provisioner of its class."""
        wanted = volumes.class_of(claim)
        storage_class = self._classes.get("", wanted)
        if storage_class is None:
            self.record(claim, "Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{wanted}" not found')
        elif storage_class["provisioner"].startswith("kubernetes.io/"):
            self.record(claim, "Warning", "ProvisioningFailed", f"no volume plugin matched name: {storage_class['provisioner']}")
        else:
            provisioner = storage_class["provisioner"]
            if annotations(claim).get(PROVISIONERS[1]) != provisioner:
                notes = {**annotations(claim), **dict.fromkeys(PROVISIONERS, provisioner)}
                claim = self.client.update(CLAIMS, replaced(claim, {("metadata", "annotations"): notes}))
            self.record(claim, "Normal", "ExternalProvisioning", WAITING.format(provisioner))
        self._claim_phase(claim, "Pending")

    def _claim_phase(self, claim: Object, phase: str, volume: Object | None = None) -> None:
        status = dict(claim.get("status") or {})
        fresh = status.get("phase") != phase
        status["phase"] = phase
        if volume is None:
            for field in ("accessModes", "capacity") if phase == "Pending" else ():
                status.pop(field, None)
        else:
            status["accessModes"] = volume["spec"].get("accessModes")
            if fresh or "capacity" not in status:
                status["capacity"] = volume["spec"].get("capacity")
        if status != claim.get("status"):
            self.client.update(CLAIMS, {**claim, "status": status}, "status")

    # volumes

    def _settle_volume(self, volume: Object) -> None:
        """The phase of a volume, by what has become of the claim it belongs to."""
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            self._volume_phase(volume, "Available")
            return
        claim = self._claims.get(reference.get("namespace", ""), reference.get("name", ""))
        if claim is None or uid(claim) != reference["uid"]:
            if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
                volume = self._volume_phase(volume, "Released")
            self._reclaim(volume)
        elif not claim["spec"].get("volumeName"):
            if volumes.mode_of(volume) != volumes.mode_of(claim):
                text = "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" due to incompatible volumeMode."
                self.record(volume, "Warning", "VolumeMismatch", text.format(name(claim)))
                self.record(claim, "Warning", "VolumeMismatch",
                            f'Cannot bind PersistentVolume "{name(volume)}" to requested PersistentVolumeClaim "{name(claim)}" due to '
                            "incompatible volumeMode.")
            else:
                self.enqueue(key(claim))
        elif claim["spec"]["volumeName"] == name(volume):
            self._volume_phase(volume, "Bound")
        elif PROVISIONED_BY in annotations(volume) and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._reclaim(self._volume_phase(volume, "Released"))
        else:
            self._unbind(volume)

    def _unbind(self, volume: Object) -> None:
        """The claim has taken another volume: this one is free again, or waits again for the claim that its maker meant."""
        notes = dict(annotations(volume))
        if notes.pop(BOUND_BY_CONTROLLER, None) is not None:
            reference = None
        else:
            reference = {field: value for field, value in volume["spec"]["claimRef"].items() if field not in ("uid", "resourceVersion")}
        volume = self.client.update(VOLUMES, replaced(volume, {("spec", "claimRef"): reference,
                                                               ("metadata", "annotations"): notes or None}))
        self._volume_phase(volume, "Available")

    def _volume_phase(self, volume: Object, phase: str, message: str = "") -> Object:
        status = dict(volume.get("status") or {})
        if status.get("phase") != phase:
            status["lastPhaseTransitionTime"] = self.clock.timestamp()
        status["phase"] = phase
        status.pop("message", None)
        if message:
            status["message"] = message
        if status == volume.get("status"):
            return volume
        return self.client.update(VOLUMES, {**volume, "status": status}, "status")

    def _reclaim(self, volume: Object) -> None:
        """Retained, emptied or deleted, as the volume's policy says; what has failed once is not tried again."""
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if policy == "Recycle" and (volume.get("status") or {}).get("phase") == "Released":
            fault = volume_reclaim.recycle(self.parts.disks, volume)
            if fault:
                self._volume_phase(volume, "Failed", fault)
                self.record(volume, "Warning", "VolumeFailedRecycle", fault)
            else:
                self.record(volume, "Normal", "VolumeRecycled", "Volume recycled")
                self._unbind(replaced(volume, {("metadata", "annotations"): {**annotations(volume), BOUND_BY_CONTROLLER: "yes"}}))
        elif policy == "Delete" and PROVISIONED_BY not in annotations(volume) and (volume.get("status") or {}).get("phase") == "Released" \
                and not deleting(volume):
            fault = volume_reclaim.delete(self.parts.disks, volume)
            if fault:
                self._volume_phase(volume, "Failed", fault)
                self.record(volume, "Warning", "VolumeFailedDelete", fault)
            else:
                self.client.delete(VOLUMES, "", name(volume), uid=uid(volume))
