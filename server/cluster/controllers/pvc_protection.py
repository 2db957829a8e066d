"""A claim that a pod uses is not removed: its finalizer goes when it is being deleted and no pod needs it any more.

In: claims that are being deleted; pods that end or go. Out: the finalizer ``kubernetes.io/pvc-protection`` taken off. A pod counts from
the moment it has a node until it has ended.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from __future__ import annotations

from server.cluster.controllers import podfacts
from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, deleting, finalizers, key, without_finalizer
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event
from server.cluster.volumes import CLAIMS, PVC_FINALIZER, claims_of, may_claim


class PvcProtectionController(Controller):
    name = "pvc-protection-controller"
    reconciles = CLAIMS

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._claims = self.lister(CLAIMS)
        self._pods = self.lister("pods")
        self.watch(CLAIMS, self._on_claim)
        self.watch("pods", self._on_pod)

    def _on_claim(self, event: Event) -> None:
        if event.type != DELETED and deleting(event.object):
            self.enqueue(event.key, event)

    def _on_pod(self, event: Event) -> None:
        if (event.type == DELETED or podfacts.terminal(event.object)) and may_claim(event.object):
            for _, claim in claims_of(event.object):
                self.enqueue((event.key[0], claim), event)

    def reconcile(self, key_: Key) -> None:
        claim = self._claims.get(*key_)
        if claim is None or not deleting(claim) or PVC_FINALIZER not in finalizers(claim):
            return
        if not any(uses(pod) for pod in self._pods.by_claim(*key(claim))):
            self.client.update(CLAIMS, without_finalizer(claim, PVC_FINALIZER))


def uses(pod: Object) -> bool:
    """Whether a pod needs the claims that it names now."""
    return bool(podfacts.node(pod)) and not podfacts.terminal(pod)
