"""VolumeBinding, VolumeRestrictions, NodeVolumeLimits and VolumeZone: a pod goes where its volumes are, can be, or can be made.

``Volumes.reject`` refuses a pod as a whole (a claim is missing, or must be bound before anything else), ``checks`` single nodes, and
``decide`` says, for the node that was chosen, which claim gets which volume and which are to be provisioned there. DynamicResources is
here only as far as a pod that needs a resource claim has to wait for it.

Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster import volumes
from server.cluster.apiserver.server import ApiServer
from server.cluster.objects import Object, annotations, deleting, key, name
from server.cluster.scheduler.plugins.plugin import Check, ClusterEvent, Plugin, Rejection
from server.cluster.scheduler.podinfo import PodInfo
from server.cluster.scheduler.snapshot import NodeInfo, Snapshot
from server.cluster.volumes import CLAIMS, CLASSES, CSI_NODES, SELECTED_NODE, VOLUMES

BINDING, RESTRICTIONS, LIMITS, ZONE = "VolumeBinding", "VolumeRestrictions", "NodeVolumeLimits", "VolumeZone"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
CONFLICT, NOT_FOUND = "node(s) had volume node affinity conflict", "node(s) didn't find available persistent volumes to bind"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
ONE_POD = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
TOO_MANY, WRONG_ZONE = "node(s) exceed max volume count", "node(s) had no available volume zone"
ZONE_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
               "failure-domain.beta.kubernetes.io/region")


class Plan(NamedTuple):
    """For one node: (claim, volume) to bind, claims to provision."""

    bind: list[tuple[Object, Object]]
    provision: list[Object]


class Volumes:
    """``api`` is read, never written."""

    def __init__(self, api: ApiServer, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._pods = api.lister("pods")
        self._claims, self._volumes, self._classes = (api.lister(resource) for resource in (CLAIMS, VOLUMES, CLASSES))
        self._csi_nodes = api.lister(CSI_NODES)

    def reject(self, info: PodInfo) -> Rejection | None:
        """Why no node will do."""
        immediate = False
        for need in info.requirements.claims:
            kind, _, title = need.partition("/")
            if kind == "resource":
                return Rejection("DynamicResources", (f'resourceclaim.resource.k8s.io "{title}" not found',))
            title = title if kind == "pvc" else f"{info.key[1]}-{title}"
            claim = self._claims.get(info.key[0], title)
            if claim is None:
                missing = f'persistentvolumeclaim "{title}" not found'
                return Rejection(BINDING, (missing if kind == "pvc" else f"waiting for ephemeral volume controller to create the "
                                           f'persistentvolumeclaim "{title}"',))
            if deleting(claim):
                return Rejection(BINDING, (f'persistentvolumeclaim "{title}" is being deleted',))
            if (claim.get("status") or {}).get("phase") == "Lost":
                return Rejection(BINDING, (f'persistentvolumeclaim "{title}" bound to non-existent persistentvolume '
                                           f'"{claim["spec"].get("volumeName", "")}"',))
            immediate = immediate or not volumes.fully_bound(claim) and not self._waits(claim)
        return Rejection(BINDING, (UNBOUND,)) if immediate else None

    def _waits(self, claim: Object) -> bool:
        return not claim["spec"].get("volumeName") and volumes.waits_for_consumer(self._classes.get("", volumes.class_of(claim)))

    def claims_of(self, info: PodInfo) -> list[Object]:
        """The claims of a pod that exist."""
        titles = (need.partition("/") for need in info.requirements.claims)
        found = (self._claims.get(info.key[0], title if kind == "pvc" else f"{info.key[1]}-{title}")
                 for kind, _, title in titles if kind != "resource")
        return [claim for claim in found if claim is not None]

    def checks(self, info: PodInfo, slots: list[int]) -> list[Check]:
        """Which of the nodes in ``slots`` will not do, and why."""
        claims = self.claims_of(info)
        exclusive = self._held_elsewhere(info, claims)
        if exclusive is not None:
            return [Check(frozenset(slots), True, exclusive)]
        found: dict[Rejection, set[int]] = {}
        offers = self._offers(claims)
        for slot in slots:
            rejection = self._refused(claims, offers, self._snapshot.slots[slot])
            if rejection is not None:
                found.setdefault(rejection, set()).add(slot)
        return [Check(frozenset(refused), True, rejection) for rejection, refused in found.items()]

    def _held_elsewhere(self, info: PodInfo, claims: list[Object]) -> Rejection | None:
        """A volume for one pod only, which another pod has."""
        for claim in claims:
            if "ReadWriteOncePod" in claim["spec"]["accessModes"] and any(
                    pod["metadata"]["uid"] != info.uid and pod["metadata"]["uid"] in self._snapshot.where
                    for pod in self._pods.by_claim(*key(claim))):
                return Rejection(RESTRICTIONS, (ONE_POD,), True)
        return None

    def _offers(self, claims: list[Object]) -> list[tuple[Object, list[Object]]]:
        """The claims that are not bound, smallest first, each with the volumes that would suit it."""
        unbound = sorted((claim for claim in claims if not volumes.fully_bound(claim)), key=volumes.requested)
        known = self._volumes.list() if unbound else []
        return [(claim, [] if SELECTED_NODE in annotations(claim) else volumes.suitable(claim, known)) for claim in unbound]

    def _refused(self, claims: list[Object], offers: list[tuple[Object, list[Object]]], node: NodeInfo) -> Rejection | None:
        if self._too_many(claims, node):
            return Rejection(LIMITS, (TOO_MANY,), True)
        reasons = []
        bound = [claim for claim in claims if volumes.fully_bound(claim)]
        persistent = [self._volumes.get("", claim["spec"]["volumeName"]) for claim in bound]
        known = [volume for volume in persistent if volume is not None]
        if not all(volumes.node_fits(volume, node.labels, node.name) for volume in known):
            reasons.append(CONFLICT)
        if offers and self._decided(offers, node) is None:
            reasons.append(NOT_FOUND)
        if len(known) < len(persistent):
            reasons.append(NO_VOLUME)
        if reasons:
            return Rejection(BINDING, tuple(reasons))
        return Rejection(ZONE, (WRONG_ZONE,)) if any(_elsewhere(volume, node.labels) for volume in known) else None

    def decide(self, claims: list[Object], node: NodeInfo) -> Plan | None:
        """What is to be done with the claims that are not bound, smallest first, if the pod goes to this node; None if it cannot."""
        return self._decided(self._offers(claims), node)

    def _decided(self, offers: list[tuple[Object, list[Object]]], node: NodeInfo) -> Plan | None:
        plan, taken = Plan([], []), []
        for claim, suiting in offers:
            chosen = annotations(claim).get(SELECTED_NODE)
            if chosen and chosen != node.name:
                return None
            match = next((volume for volume in suiting if name(volume) not in taken and volumes.node_fits(volume, node.labels, node.name)), None)
            if match is not None:
                plan.bind.append((claim, match))
                taken.append(name(match))
                continue
            storage_class = self._classes.get("", volumes.class_of(claim))
            if storage_class is None or storage_class["provisioner"].startswith("kubernetes.io/") or \
                    not volumes.topology_fits(storage_class, node.labels):
                return None
            plan.provision.append(claim)
        return plan

    def _too_many(self, claims: list[Object], node: NodeInfo) -> bool:
        """Whether a driver could not attach so many volumes to the node."""
        found = self._csi_nodes.get("", node.name)
        limits = {entry["name"]: entry["allocatable"]["count"] for entry in (found["spec"].get("drivers") or () if found is not None else ())
                  if (entry.get("allocatable") or {}).get("count") is not None}
        if not limits:
            return False
        new, there = self._handles(claims), {}
        for other in node.pods.values():
            if other.requirements.claims:
                there.update(self._handles(self.claims_of(other)))
        for driver, limit in limits.items():
            wanted = [handle for handle, by in new.items() if by == driver and handle not in there]
            if wanted and len(wanted) + sum(by == driver for by in there.values()) > limit:
                return True
        return False

    def _handles(self, claims: list[Object]) -> dict[str, str]:
        """The driver of each volume of a CSI driver: by volume, or by claim where there is none yet."""
        found = {}
        for claim in claims:
            volume = self._volumes.get("", claim["spec"].get("volumeName", ""))
            if volume is not None:
                if "csi" in volume["spec"]:
                    found[name(volume)] = volume["spec"]["csi"]["driver"]
            elif (storage_class := self._classes.get("", volumes.class_of(claim))) is not None:
                found["/".join(key(claim))] = storage_class["provisioner"]
        return found


def _elsewhere(volume: Object, labels: dict[str, str]) -> bool:
    """Whether the volume's labels name another zone or region than the node's."""
    wanted = {label: value for label, value in (volume["metadata"].get("labels") or {}).items() if label in ZONE_LABELS}
    if not wanted or not any(label in labels for label in ZONE_LABELS):
        return False
    return any(labels.get(label, "") not in value.split("__") for label, value in wanted.items())


class _VolumePlugin(Plugin):
    """Refuses through ``Volumes``; wakes its pods when something of theirs changed."""

    def hint(self, info: PodInfo, event: ClusterEvent, snapshot: Snapshot) -> bool:
        if event.kind == "PersistentVolumeClaim" and event.key is not None:
            namespace, title = event.key
            return namespace == info.key[0] and any(
                title == (need.partition("/")[2] if need.startswith("pvc/") else f"{info.key[1]}-{need.partition('/')[2]}")
                for need in info.requirements.claims)
        if event.kind == "Pod":
            return bool(event.pod["spec"].get("volumes"))
        return True


class VolumeBinding(_VolumePlugin):
    name = BINDING
    events = {"PersistentVolumeClaim": ("changed",), "PersistentVolume": ("changed",), "StorageClass": ("changed",),
              "Node": ("added", "labels"), "CSINode": ("changed",)}


class VolumeRestrictions(_VolumePlugin):
    name = RESTRICTIONS
    events = {"Pod": ("deleted",), "PersistentVolumeClaim": ("changed",)}


class NodeVolumeLimits(_VolumePlugin):
    name = LIMITS
    events = {"Pod": ("deleted",), "PersistentVolumeClaim": ("changed",), "CSINode": ("changed",), "Node": ("added",)}


class VolumeZone(_VolumePlugin):
    name = ZONE
    events = {"Node": ("added", "labels"), "PersistentVolumeClaim": ("changed",), "PersistentVolume": ("changed",)}


PLUGINS = (VolumeBinding(), VolumeRestrictions(), NodeVolumeLimits(), VolumeZone())
