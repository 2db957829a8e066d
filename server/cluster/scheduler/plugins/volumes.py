"""VolumeBinding and DynamicResources, as far as a pod that needs a claim has to wait for it.

A PersistentVolumeClaim that does not exist, or is not bound yet, keeps the pod pending with the reason Kubernetes gives.
"""

from __future__ import annotations

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.apiserver.server import ApiServer
from server.cluster.scheduler.plugins.plugin import ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import Snapshot

CLAIMS = "persistentvolumeclaims"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


class VolumeBinding(Plugin):
    """Refuses the pod as a whole, before any node is looked at."""

    name = "VolumeBinding"
    events = {"PersistentVolumeClaim": ("changed",)}

    def reject(self, info: PodInfo, api: ApiServer) -> Rejection | None:
        for claim in info.requirements.claims:
            kind, _, name = claim.partition("/")
            if kind == "resource":
                return Rejection("DynamicResources", (f'resourceclaim.resource.k8s.io "{name}" not found',))
            if kind == "ephemeral":
                name = f"{info.key[1]}-{name}"
            found = api.lister(CLAIMS).get(info.key[0], name) if CLAIMS in RESOURCES else None
            if found is None:
                return Rejection(self.name, (f'persistentvolumeclaim "{name}" not found',))
            if "deletionTimestamp" in found["metadata"]:
                return Rejection(self.name, (f'persistentvolumeclaim "{name}" is being deleted',))
            if (found.get("status") or {}).get("phase") == "Lost":
                return Rejection(self.name, (f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume '
                                             f'"{found["spec"].get("volumeName", "")}"',))
            if not found["spec"].get("volumeName"):
                return Rejection(self.name, (UNBOUND,))
        return None

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        return True
