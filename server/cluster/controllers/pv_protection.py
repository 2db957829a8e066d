"""A volume that is bound is not removed: its finalizer goes when it is being deleted and belongs to no claim any more.

In: volumes that are being deleted, as their phase changes. Out: the finalizer ``kubernetes.io/pv-protection`` taken off.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, deleting, finalizers, without_finalizer
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event
from server.cluster.volumes import PV_FINALIZER, VOLUMES


class PvProtectionController(Controller):
    name = "pv-protection-controller"
    reconciles = VOLUMES

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._volumes = self.lister(VOLUMES)
        self.watch(VOLUMES, self._on_volume)

    def _on_volume(self, event: Event) -> None:
        if event.type != DELETED and deleting(event.object):
            self.enqueue(event.key, event)

    def reconcile(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        if volume is None or not deleting(volume) or PV_FINALIZER not in finalizers(volume):
            return
        if (volume.get("status") or {}).get("phase") != "Bound":
            self.client.update(VOLUMES, without_finalizer(volume, PV_FINALIZER))
