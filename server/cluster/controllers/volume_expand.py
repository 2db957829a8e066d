"""A claim that asks for more gets it: the volume grows, and where a file system must grow with it the kubelet does the rest.

In: bound claims whose request is above their capacity, where the class allows it. Out: conditions (Resizing, then
FileSystemResizePending), the new capacity on the volume and, where no file system has to be resized, on the claim. Volumes whose
provisioner cannot be asked to resize wait for somebody who can.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""

from __future__ import annotations

from server.cluster import quantity
from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, annotations, condition, deleting, key, name, replaced
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event
from server.cluster.volumes import CLAIMS, PROVISIONERS, VOLUMES, requested, resized, size_of, source_of

RESIZERS = {"hostpath.csi.k8s.io": True, "nfs.csi.k8s.io": False}
SECONDS = 1.0
PENDING = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."


class VolumeExpandController(Controller):
    """``RESIZERS`` says which drivers can resize, and whether a node must resize the file system afterwards."""

    name = "volume_expand"
    reconciles = CLAIMS

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._claims, self._volumes = self.lister(CLAIMS), self.lister(VOLUMES)
        self._resizers = {driver: parts.recorder(self.client, f"external-resizer {driver}") for driver in RESIZERS}
        self.watch(CLAIMS, self._on_claim)

    def _on_claim(self, event: Event) -> None:
        if event.type != DELETED and _wants_more(event.object):
            self.enqueue(event.key, event)

    def reconcile(self, key_: Key) -> None:
        claim = self._claims.get(*key_)
        if claim is None or deleting(claim) or not _wants_more(claim):
            return
        volume = self._volumes.get("", claim["spec"]["volumeName"])
        if volume is None:
            return
        driver = (volume["spec"].get("csi") or {}).get("driver", "") if source_of(volume) == "csi" else ""
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        if driver not in RESIZERS:
            if not _told(claim):
                self.record(claim, "Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC")
                self._status(claim, {"allocatedResources": {"storage": wanted}})
            return
        if size_of(volume) < requested(claim):
            self._grow(claim, volume, driver, wanted)
        elif RESIZERS[driver] and condition(claim, "FileSystemResizePending") is None:
            self._resizers[driver].record(claim, "Normal", "FileSystemResizeRequired", "Require file system resize of volume on node")
            self._status(claim, {**_allocated(wanted, "NodeResizePending"),
                                 "conditions": [self._condition("FileSystemResizePending", PENDING)]})
        elif not RESIZERS[driver]:
            self._resizers[driver].record(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded")
            self.client.update(CLAIMS, {**claim, "status": resized(claim, wanted)}, "status")

    def _grow(self, claim: Object, volume: Object, driver: str, wanted: str) -> None:
        """Says that it begins, and a moment later gives the volume its new size."""
        begun = condition(claim, "Resizing")
        if begun is None:
            self._resizers[driver].record(claim, "Normal", "Resizing", f"External resizer is resizing volume {name(volume)}")
            self._status(claim, {**_allocated(wanted, "ControllerResizeInProgress"), "conditions": [self._condition("Resizing", "")]})
            self.enqueue(key(claim), after=SECONDS)
            return
        left = self.clock.seconds(begun["lastTransitionTime"]) + SECONDS - self.clock.now
        if left > 0:
            self.enqueue(key(claim), after=left)
            return
        self.client.update(VOLUMES, replaced(volume, {("spec", "capacity", "storage"): wanted}))
        self.enqueue(key(claim))

    def _condition(self, type_: str, message: str) -> Object:
        entry = {"type": type_, "status": "True", "lastProbeTime": None, "lastTransitionTime": self.clock.timestamp()}
        return {**entry, "message": message} if message else entry

    def _status(self, claim: Object, changes: Object) -> None:
        status = {**(claim.get("status") or {}), **changes}
        self.client.update(CLAIMS, {**claim, "status": {field: value for field, value in status.items() if value is not None}}, "status")


def _allocated(size: str, state: str) -> Object:
    return {"allocatedResources": {"storage": size}, "allocatedResourceStatuses": {"storage": state}}


def _wants_more(claim: Object) -> bool:
    status = claim.get("status") or {}
    shown = (status.get("capacity") or {}).get("storage")
    return status.get("phase") == "Bound" and shown is not None and requested(claim) > quantity.value(shown) and _dynamic(claim)


def _dynamic(claim: Object) -> bool:
    return PROVISIONERS[1] in annotations(claim) or "allocatedResources" in (claim.get("status") or {})


def _told(claim: Object) -> bool:
    return ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage") == claim["spec"]["resources"]["requests"]["storage"]
