"""Which CSI drivers each node has: a CSINode beside every Node, as its kubelet makes it when drivers register there.

In: Nodes, and the StorageClasses, CSIDrivers and volumes that name one of the drivers this cluster can run. Out: a CSINode for each node,
owned by it, with the drivers that somebody uses. How many volumes of a driver fit on a node can be set in it (``allocatable.count``).

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.objects import Key, Object, deleting, key, name, owner_reference
from server.cluster.parts import Parts
from server.cluster.store import ADDED, DELETED, Event
from server.cluster.volumes import CLASSES, CSI_NODES, DRIVERS, VOLUMES

SIMULATED = ("hostpath.csi.k8s.io", "nfs.csi.k8s.io")
MIGRATED = ("kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,kubernetes.io/gce-pd,"
            "kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume")


class CsiNodeRegistrar(Controller):
    """Keys are those of nodes."""

    name = component = "kubelet"
    reconciles = "nodes"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._nodes, self._csi_nodes = self.lister("nodes"), self.lister(CSI_NODES)
        self._used: dict[str, None] = {}
        self.watch("nodes", self._on_node)
        for resource in (CLASSES, DRIVERS, VOLUMES):
            self.watch(resource, self._on_user)
        self.watch(CSI_NODES, self._on_csi_node)

    def rebuild(self) -> None:
        for resource in (CLASSES, DRIVERS, VOLUMES):
            for obj in self.lister(resource).list():
                self._see(obj)

    def _on_node(self, event: Event) -> None:
        if event.type == ADDED:
            self.enqueue(event.key, event)

    def _on_csi_node(self, event: Event) -> None:
        if event.type == DELETED:
            self.enqueue(event.key, event)

    def _on_user(self, event: Event) -> None:
        if event.type != DELETED and self._see(event.object):
            for node in self._nodes.list():
                self.enqueue(key(node), event)

    def _see(self, obj: Object) -> bool:
        """Whether a driver is used for the first time."""
        driver = driver_of(obj)
        if driver not in SIMULATED or driver in self._used:
            return False
        self._used[driver] = None
        return True

    def reconcile(self, key: Key) -> None:
        node = self._nodes.get(*key)
        if node is None or deleting(node):
            return
        found = self._csi_nodes.get("", name(node))
        known = (found["spec"].get("drivers") or []) if found is not None else []
        missing = [{"name": driver, "nodeID": name(node), "topologyKeys": None} for driver in SIMULATED
                   if driver in self._used and all(entry["name"] != driver for entry in known)]
        if found is None:
            owner = {field: value for field, value in owner_reference({**node, "apiVersion": "v1", "kind": "Node"}).items()
                     if field not in ("controller", "blockOwnerDeletion")}
            self.client.create(CSI_NODES, {
                "metadata": {"name": name(node), "annotations": {"storage.alpha.kubernetes.io/migrated-plugins": MIGRATED},
                             "ownerReferences": [owner]},
                "spec": {"drivers": missing}})
        elif missing:
            self.client.update(CSI_NODES, {**found, "spec": {"drivers": [*known, *missing]}})


def driver_of(obj: Object) -> str:
    """The driver that a StorageClass, CSIDriver or volume names; "" for none."""
    if obj["kind"] == "CSIDriver":
        return name(obj)
    if obj["kind"] == "StorageClass":
        return obj.get("provisioner", "")
    return (obj["spec"].get("csi") or {}).get("driver", "")
