"""The attach/detach controller: volumes of CSI drivers that need it are attached to the nodes of the pods that use them.

In: pods with a node, their claims' volumes, VolumeAttachments. Out: a VolumeAttachment for every node where a volume is needed, which the
driver's attacher (played here too, for the drivers of this cluster) brings about; events on the pods that waited. A volume that only
one node may have waits until the other has let go: at once when the pod there is gone, after six minutes when its node is silent.

Source: https://kubernetes.io/docs/concepts/storage/volumes/#csi
"""

from __future__ import annotations

from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.controllers.csi_nodes import SIMULATED
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, condition_true, deleting, key, name, replaced, uid
from server.cluster.parts import Parts
from server.cluster.store import DELETED, MODIFIED, Event
from server.cluster.volumes import ATTACHMENTS, CLAIMS, DRIVERS, VOLUMES, attachment_name, claims_of, may_claim

ATTACHING, PATIENCE, FORCED = 0.5, 120.0, 360.0
SHARED = ("ReadWriteMany", "ReadOnlyMany")


class AttachDetachController(Controller):
    """Keys are those of volumes."""

    name = "attachdetach-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._pods, self._nodes = self.lister("pods"), self.lister("nodes")
        self._claims, self._volumes = self.lister(CLAIMS), self.lister(VOLUMES)
        self._attachments, self._drivers = self.lister(ATTACHMENTS), self.lister(DRIVERS)
        self._by_volume: dict[str, dict[str, None]] = {}
        self.watch("pods", self._on_pod)
        self.watch(CLAIMS, self._on_claim)
        self.watch(ATTACHMENTS, self._on_attachment)

    def rebuild(self) -> None:
        self._by_volume = {}
        for attachment in self._attachments.list():
            volume = attachment["spec"]["source"].get("persistentVolumeName", "")
            self._by_volume.setdefault(volume, {})[name(attachment)] = None
            self.enqueue(("", volume))
        for claim in self._claims.list():
            if claim["spec"].get("volumeName") and self._pods.by_claim(*key(claim)):
                self.enqueue(("", claim["spec"]["volumeName"]))

    # what wakes it

    def _on_pod(self, event: Event) -> None:
        pod, before = event.object, event.previous
        if event.type == MODIFIED and before["spec"] is pod["spec"] and podfacts.terminal(before) == podfacts.terminal(pod) \
                or not may_claim(pod):
            return
        for _, claim in claims_of(pod):
            found = self._claims.get(event.key[0], claim)
            if found is not None and found["spec"].get("volumeName"):
                self.enqueue(("", found["spec"]["volumeName"]), event)

    def _on_claim(self, event: Event) -> None:
        volume = event.object["spec"].get("volumeName")
        if volume and (event.previous is None or event.type == DELETED or event.previous["spec"].get("volumeName") != volume):
            self.enqueue(("", volume), event)

    def _on_attachment(self, event: Event) -> None:
        volume = event.object["spec"]["source"].get("persistentVolumeName", "")
        names = self._by_volume.setdefault(volume, {})
        if event.type == DELETED:
            names.pop(name(event.object), None)
        else:
            names[name(event.object)] = None
        self.enqueue(("", volume), event)

    # what it does

    def reconcile(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        source = volume["spec"].get("csi") if volume is not None else None
        attached = {entry["spec"]["nodeName"]: entry for entry in self._known(key[1])}
        if not source or not self._attachable(source["driver"]):
            for attachment in attached.values():
                self._detach(attachment)
            return
        needed = self._needed(volume)
        for node, attachment in attached.items():
            if deleting(attachment) or node not in needed:
                self._let_go(attachment)
            else:
                self._bring_about(attachment, needed[node], source)
        for node, pods in needed.items():
            if node in attached:
                continue
            others = list(attached)
            if others and not any(mode in SHARED for mode in volume["spec"].get("accessModes") or ()):
                self._refuse(volume, pods, [pod for other in others for pod in needed.get(other, ())])
            else:
                attached[node] = self._attach(volume, node, source)

    def _known(self, volume: str) -> list[Object]:
        found = (self._attachments.get("", entry) for entry in sorted(self._by_volume.get(volume, ())))
        return [attachment for attachment in found if attachment is not None]

    def _attachable(self, driver: str) -> bool:
        if driver == "nfs.csi.k8s.io":
            return False
        found = self._drivers.get("", driver)
        return found is None or (found.get("spec") or {}).get("attachRequired", True)

    def _needed(self, volume: Object) -> dict[str, list[Object]]:
        """The pods that use the volume, by node."""
        reference = volume["spec"].get("claimRef") or {}
        needed: dict[str, list[Object]] = {}
        for pod in self._pods.by_claim(reference.get("namespace", ""), reference.get("name", "")):
            if podfacts.node(pod) and not podfacts.terminal(pod):
                needed.setdefault(podfacts.node(pod), []).append(pod)
        return needed

    def _attach(self, volume: Object, node: str, source: Object) -> None:
        try:
            self.client.create(ATTACHMENTS, {"metadata": {"name": attachment_name(source, node)}, "spec": {
                "attacher": source["driver"], "nodeName": node, "source": {"persistentVolumeName": name(volume)}}})
        except ApiError as fault:
            if fault.reason != "AlreadyExists":
                raise

    def _bring_about(self, attachment: Object, pods: list[Object], source: Object) -> None:
        """The attacher's part: a moment after it was asked, the volume is there; a driver that nobody runs never answers."""
        if (attachment.get("status") or {}).get("attached"):
            return
        asked = self.clock.seconds(attachment["metadata"]["creationTimestamp"])
        volume = attachment["spec"]["source"]["persistentVolumeName"]
        if source["driver"] not in SIMULATED:
            if self.clock.now < asked + PATIENCE:
                self.enqueue(("", volume), after=asked + PATIENCE - self.clock.now)
            else:
                for pod in pods:
                    self.record(pod, "Warning", "FailedAttachVolume",
                                f'AttachVolume.Attach failed for volume "{volume}" : timed out waiting for external-attacher of '
                                f"{source['driver']} CSI driver to attach volume {source['volumeHandle']}")
            return
        finalizer = f"external-attacher/{source['driver'].replace('.', '-')}"
        if finalizer not in (attachment["metadata"].get("finalizers") or ()):
            self.client.update(ATTACHMENTS, replaced(attachment, {("metadata", "finalizers"): [finalizer]}))
            self.enqueue(("", volume), after=ATTACHING)
            return
        if self.clock.now < asked + ATTACHING:
            self.enqueue(("", volume), after=asked + ATTACHING - self.clock.now)
            return
        self.client.update(ATTACHMENTS, {**attachment, "status": {"attached": True}}, "status")
        for pod in pods:
            self.record(pod, "Normal", "SuccessfulAttachVolume", f'AttachVolume.Attach succeeded for volume "{volume}" ')

    def _refuse(self, volume: Object, pods: list[Object], holders: list[Object]) -> None:
        """Says once to each waiting pod who has the volume."""
        for pod in pods:
            mine = [name(holder) for holder in holders if holder["metadata"]["namespace"] == pod["metadata"]["namespace"]]
            if mine:
                why = f"Volume is already used by pod(s) {', '.join(mine)}"
            elif holders:
                why = f"Volume is already used by {len(holders)} pod(s) in different namespaces"
            else:
                why = "Volume is already exclusively attached to one node and can't be attached to another"
            self.record(pod, "Warning", "FailedAttachVolume", f'Multi-Attach error for volume "{name(volume)}" {why}')

    def _let_go(self, attachment: Object) -> None:
        """No pod needs it there. A silent node may still write to it: then it is taken away after six minutes."""
        node = self._nodes.get("", attachment["spec"]["nodeName"])
        if node is None or condition_true(node, "Ready") or deleting(attachment):
            self._detach(attachment)
            return
        waited = self.parts.state.get(f"detach/{uid(attachment)}")
        since = waited if waited is not None else self.clock.now
        if waited is None:
            self.parts.state.set(f"detach/{uid(attachment)}", since)
        if self.clock.now >= since + FORCED:
            self._detach(attachment)
        else:
            self.enqueue(("", attachment["spec"]["source"]["persistentVolumeName"]), after=since + FORCED - self.clock.now)

    def _detach(self, attachment: Object) -> None:
        self.parts.state.set(f"detach/{uid(attachment)}", None)
        try:
            if attachment["metadata"].get("finalizers"):
                attachment = self.client.update(ATTACHMENTS, replaced(attachment, {("metadata", "finalizers"): None}))
            if self._attachments.get("", name(attachment)) is not None:
                self.client.delete(ATTACHMENTS, "", name(attachment), uid=uid(attachment))
        except ApiError as fault:
            if fault.code != 404:
                raise
