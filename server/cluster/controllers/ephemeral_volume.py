"""Generic ephemeral volumes: the claim that a pod's ``ephemeral`` volume describes, made with the pod and owned by it.

In: pods that are made. Out: a PersistentVolumeClaim named after the pod and the volume; one of that name that belongs to somebody else is
left alone, and the pod waits.

Source: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, controller_uid, deleting, key, owner_reference, uid
from server.cluster.parts import Parts
from server.cluster.store import ADDED, Event
from server.cluster.volumes import CLAIMS, may_claim


class EphemeralVolumeController(Controller):
    name = "ephemeral_volume"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._pods, self._claims = self.lister("pods"), self.lister(CLAIMS)
        self.watch("pods", self._on_pod)

    def rebuild(self) -> None:
        for pod in self._pods.list():
            if _ephemeral(pod):
                self.enqueue(key(pod))

    def _on_pod(self, event: Event) -> None:
        if event.type == ADDED and may_claim(event.object) and _ephemeral(event.object):
            self.enqueue(event.key, event)

    def reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or deleting(pod):
            return
        for volume in _ephemeral(pod):
            self._make(pod, volume)

    def _make(self, pod: Object, volume: Object) -> None:
        namespace, name = key(pod)
        claim = f"{name}-{volume['name']}"
        known = self._claims.get(namespace, claim)
        if known is not None:
            if controller_uid(known) != uid(pod):
                self._say(pod, volume, f"PVC {namespace}/{claim} was not created for pod {namespace}/{name} (pod is not owner)")
            return
        template = volume["ephemeral"]["volumeClaimTemplate"]
        meta = {field: value for field, value in (template.get("metadata") or {}).items() if field in ("labels", "annotations")}
        try:
            self.client.create(CLAIMS, {"metadata": {**meta, "name": claim, "namespace": namespace,
                                                     "ownerReferences": [owner_reference(pod)]}, "spec": template["spec"]})
        except ApiError as fault:
            self._say(pod, volume, f"create PVC {claim}: {fault.message}")
            raise

    def _say(self, pod: Object, volume: Object, why: str) -> None:
        self.record(pod, "Warning", "FailedBinding", f"ephemeral volume {volume['name']}: {why}")


def _ephemeral(pod: Object) -> list[Object]:
    return [volume for volume in pod["spec"].get("volumes") or () if "ephemeral" in volume]
