"""The provisioners that come with a storage system, outside of the controller manager: a claim in, its volume out.

``PROVISIONERS`` are those that every cluster here has: Rancher's local path (a directory on the node that the pod was sent to), a CSI
driver with disks of its own that can be attached to any node, one node at a time, and the CSI driver for NFS (a directory of a share).
Each waits for the binder's annotation and, where the class says so, for the scheduler's choice of a node; it makes the
PersistentVolume with the claim's reference in it, and removes it, with its data, when it is released and is to be deleted.

Source: https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from server.cluster import volumes
from server.cluster.controllers.base import Controller
from server.cluster.controllers.volume_reclaim import empty
from server.cluster.errors import ApiError
from server.cluster.events import EventRecorder
from server.cluster.objects import Key, Object, annotations, deleting, finalizers, key, name, uid, without_finalizer
from server.cluster.parts import Parts
from server.cluster.runtime import nfs
from server.cluster.store import DELETED, Event
from server.cluster.volumes import CLAIMS, CLASSES, PROVISIONED_BY, SELECTED_NODE, VOLUMES

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
LOCAL_ROOT = "/opt/local-path-provisioner"
HOSTNAME = "kubernetes.io/hostname"
SECRETS = ("volume.kubernetes.io/provisioner-deletion-secret-name", "volume.kubernetes.io/provisioner-deletion-secret-namespace")


class Refused(Exception):
    """The claim or its class asks for what this provisioner cannot make; it says why."""


class Provisioner(NamedTuple):
    """``make(claim, class, name of the volume, node or "")`` gives the part of the volume's spec that is its own."""

    pod: str
    seconds: float
    make: Callable[[Object, Object, str, str], Object]
    csi: bool = True


def _local_path(claim: Object, storage_class: Object, volume: str, node: str) -> Object:
    if volumes.mode_of(claim) != "Filesystem":
        raise Refused("only support Filesystem volumes")
    if any(mode not in ("ReadWriteOnce", "ReadWriteOncePod") for mode in claim["spec"]["accessModes"]):
        raise Refused("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes")
    if not node:
        raise Refused("configuration error, no node was specified")
    root = (storage_class.get("parameters") or {}).get("nodePath") or LOCAL_ROOT
    path = f"{root.rstrip('/')}/{volume}_{claim['metadata']['namespace']}_{name(claim)}"
    return {"hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]}]}}}


def _disk(claim: Object, storage_class: Object, volume: str, node: str) -> Object:
    shared = [mode for mode in claim["spec"]["accessModes"] if mode == "ReadWriteMany"]
    if shared and volumes.mode_of(claim) != "Block":
        raise Refused("rpc error: code = InvalidArgument desc = cannot have multi-node writer access with a filesystem volume")
    handle = hashlib.sha256(volume.encode()).hexdigest()
    handle = "-".join((handle[:8], handle[8:12], "11ef", handle[16:20], handle[20:32]))
    return {"csi": {"driver": "hostpath.csi.k8s.io", "volumeHandle": handle, "volumeAttributes": {
        "storage.kubernetes.io/csiProvisionerIdentity": f"{_identity('hostpath.csi.k8s.io')}-hostpath.csi.k8s.io"}}}


def _nfs(claim: Object, storage_class: Object, volume: str, node: str) -> Object:
    parameters = storage_class.get("parameters") or {}
    server, share = parameters.get("server", ""), parameters.get("share", "")
    if not server:
        raise Refused("rpc error: code = InvalidArgument desc = server is a required parameter")
    if not share:
        raise Refused("rpc error: code = InvalidArgument desc = share is a required parameter")
    if fault := nfs.fault(server, share):
        raise Refused(f"rpc error: code = Internal desc = failed to mount nfs server: rpc error: code = Internal desc = mount failed: exit "
                      f"status 32\nMounting command: mount\nMounting arguments: -t nfs {server}:{share} /tmp/{volume}\nOutput: {fault}")
    return {"csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": f"{server}#{share.strip('/')}#{volume}##", "volumeAttributes": {
        "csi.storage.k8s.io/pv/name": volume, "csi.storage.k8s.io/pvc/name": name(claim),
        "csi.storage.k8s.io/pvc/namespace": claim["metadata"]["namespace"], "server": server, "share": share,
        "storage.kubernetes.io/csiProvisionerIdentity": f"{_identity('nfs.csi.k8s.io')}-nfs.csi.k8s.io", "subdir": volume}}}


def _identity(provisioner: str) -> str:
    return str(int(hashlib.sha256(provisioner.encode()).hexdigest()[:10], 16) + 1_700_000_000_000)


PROVISIONERS: dict[str, Provisioner] = {
    "rancher.io/local-path": Provisioner("local-path-provisioner-84967477f-m8pkw", 3.0, _local_path, csi=False),
    "hostpath.csi.k8s.io": Provisioner("csi-hostpathplugin-0", 1.0, _disk),
    "nfs.csi.k8s.io": Provisioner("csi-nfs-controller-6bd9d85cb-x6jdf", 1.0, _nfs),
}


class VolumeProvisioner(Controller):
    """Keys are those of claims (namespace, name) and of released volumes ("", name)."""

    name = component = "external-provisioner"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._claims, self._volumes, self._classes = (self.lister(resource) for resource in (CLAIMS, VOLUMES, CLASSES))
        self._recorders: dict[str, EventRecorder] = {}
        self.watch(CLAIMS, self._on_claim)
        self.watch(VOLUMES, self._on_volume)
        self.watch(CLASSES, self._on_class)

    def rebuild(self) -> None:
        for claim in self._claims.list():
            if self._asked(claim):
                self.enqueue(key(claim), after=self._provisioner(claim).seconds)
        for volume in self._volumes.list():
            self._see_volume(volume, None)

    # what wakes it

    def _on_claim(self, event: Event) -> None:
        if event.type == DELETED or not self._asked(event.object):
            return
        before = event.previous
        if before is None or not self._asked(before):
            self._say(event.object, "Normal", "Provisioning",
                      f'External provisioner is provisioning volume for claim "{"/".join(event.key)}"', later=event)
            self.enqueue(event.key, event, after=self._provisioner(event.object).seconds)

    def _on_volume(self, event: Event) -> None:
        if event.type != DELETED:
            self._see_volume(event.object, event)

    def _see_volume(self, volume: Object, event: Event | None) -> None:
        if annotations(volume).get(PROVISIONED_BY) in PROVISIONERS and self._abandoned(volume):
            self.enqueue(key(volume), event, after=PROVISIONERS[annotations(volume)[PROVISIONED_BY]].seconds)

    def _on_class(self, event: Event) -> None:
        """A class that was missing may have come; what was refused may be asked again."""
        if event.type != DELETED and event.object.get("provisioner") in PROVISIONERS:
            for claim in self._claims.list():
                if volumes.class_of(claim) == name(event.object) and self._asked(claim):
                    self.enqueue(key(claim), event)

    def _asked(self, claim: Object) -> bool:
        """Whether the binder, and where it must the scheduler, has said that a volume is to be made."""
        notes = annotations(claim)
        if claim["spec"].get("volumeName") or notes.get(volumes.PROVISIONERS[1]) not in PROVISIONERS or deleting(claim):
            return False
        return SELECTED_NODE in notes or not volumes.waits_for_consumer(self._classes.get("", volumes.class_of(claim)))

    def _provisioner(self, claim: Object) -> Provisioner:
        return PROVISIONERS[annotations(claim)[volumes.PROVISIONERS[1]]]

    @staticmethod
    def _abandoned(volume: Object) -> bool:
        phase = (volume.get("status") or {}).get("phase")
        policy = volume["spec"].get("persistentVolumeReclaimPolicy")
        return phase == "Released" and policy == "Delete" or deleting(volume) and phase != "Bound" and _held(volume)

    # what it does

    def reconcile(self, key: Key) -> None:
        if key[0]:
            claim = self._claims.get(*key)
            if claim is not None and self._asked(claim):
                self._make(claim)
        else:
            volume = self._volumes.get(*key)
            if volume is not None and self._abandoned(volume):
                self._remove(volume)

    def _make(self, claim: Object) -> None:
        storage_class = self._classes.get("", volumes.class_of(claim))
        volume = f"pvc-{uid(claim)}"
        if storage_class is None or self._volumes.get("", volume) is not None:
            return
        provisioner, driver = self._provisioner(claim), annotations(claim)[volumes.PROVISIONERS[1]]
        try:
            own = provisioner.make(claim, storage_class, volume, annotations(claim).get(SELECTED_NODE, ""))
        except Refused as fault:
            self._say(claim, "Warning", "ProvisioningFailed",
                      f'failed to provision volume with StorageClass "{name(storage_class)}": {fault}')
            return
        notes = {PROVISIONED_BY: driver, **(dict.fromkeys(SECRETS, "") if provisioner.csi else {})}
        spec = {"accessModes": claim["spec"]["accessModes"], "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                "claimRef": volumes.reference_to(claim), "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": name(storage_class), "volumeMode": volumes.mode_of(claim), **own}
        if storage_class.get("mountOptions"):
            spec["mountOptions"] = storage_class["mountOptions"]
        meta = {"name": volume, "annotations": notes}
        if provisioner.csi:
            meta["finalizers"] = [FINALIZER]
        self.client.create(VOLUMES, {"metadata": meta, "spec": spec})
        self._say(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {volume}")

    def _remove(self, volume: Object) -> None:
        """The data first, then the finalizer, then the object."""
        if self._attached(volume):
            self._say(volume, "Warning", "VolumeFailedDelete", f"persistentvolume {name(volume)} is still attached to node "
                      f"{self._attached(volume)}")
            self.enqueue(key(volume), after=10.0)
            return
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            empty(self.parts.disks, volume)
        if _held(volume):
            volume = self.client.update(VOLUMES, without_finalizer(volume, FINALIZER))
        if not deleting(volume):
            try:
                self.client.delete(VOLUMES, "", name(volume), uid=uid(volume))
            except ApiError as error:
                if error.code != 404:
                    raise

    def _attached(self, volume: Object) -> str:
        for attachment in self.lister(volumes.ATTACHMENTS).list() if "csi" in volume["spec"] else ():
            if attachment["spec"]["source"].get("persistentVolumeName") == name(volume):
                return attachment["spec"]["nodeName"]
        return ""

    def _say(self, obj: Object, type_: str, reason: str, message: str, later: Event | None = None) -> None:
        """An Event in the name of the provisioner's own pod; ``later`` from inside a watch, where nothing may be written."""
        if later is not None:
            self.clock.call_later(self.reaction, self._say_unless_stopped, obj, type_, reason, message)
            return
        driver = annotations(obj).get(volumes.PROVISIONERS[1]) or annotations(obj).get(PROVISIONED_BY, "")
        recorder = self._recorders.get(driver)
        if recorder is None:
            seed = hashlib.sha256(driver.encode()).hexdigest()
            unique = "-".join((seed[:8], seed[8:12], seed[12:16], seed[16:20], seed[20:32]))
            recorder = self._recorders[driver] = self.parts.recorder(self.client, f"{driver}_{PROVISIONERS[driver].pod}_{unique}")
        recorder.record(obj, type_, reason, message)

    def _say_unless_stopped(self, obj: Object, type_: str, reason: str, message: str) -> None:
        if self.running:
            self._say(obj, type_, reason, message)


def _held(volume: Object) -> bool:
    return FINALIZER in finalizers(volume)
