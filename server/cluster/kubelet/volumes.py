"""A pod's volumes on its node: what keeps one from being mounted, and the files that a container finds in it.

In: the pod, its claims and volumes, ConfigMaps and Secrets, the disks. Out: ``faults`` (why the pod must wait, in the kubelet's words)
and ``tree`` (a view of the files, which several pods may share). What is made of objects is as it was when the kubelet last looked
(``worker.frozen``, see ``volume_watch``).

Source: https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from server.cluster import quantity
from server.cluster.disks import Space, Tree, tree
from server.cluster.inodes import Node
from server.cluster.kubelet import host_files, projections
from server.cluster.objects import Object, controller_of, deleting, name, uid
from server.cluster.runtime import nfs
from server.cluster.runtime.mount_namespace import NotSimulated
from server.cluster.volumes import ATTACHMENTS, CLAIMS, CSI_NODES, DRIVERS, VOLUMES, attachment_name, claims_of, node_fits, size_of, source_of

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

PROJECTED = "projected/"  # in the state: when a volume was written anew
TOKEN_VOLUME = "kube-api-access-"  # noqa: S105
SETUP, MOUNT_DEVICE = 'MountVolume.SetUp failed for volume "{}" : {}', 'MountVolume.MountDevice failed for volume "{}" : {}'
NO_PLUGIN = ("gitRepo", "glusterfs", "flocker", "quobyte", "storageos", "scaleIO", "photonPersistentDisk", "rbd", "cephfs",
             "gcePersistentDisk", "awsElasticBlockStore", "azureDisk", "cinder", "vsphereVolume", "azureFile", "portworxVolume")
ON_DISK, IN_MEMORY = Space("/dev/sda1", "ext4"), Space("tmpfs", "tmpfs")
NFS_DISK, NFS_USED = 40 * 1024**3, 3 * 1024**3
MADE_OF_OBJECTS = ("configMap", "secret", "projected", "downwardAPI")


class Fault(NamedTuple):
    """Why a volume is not there. ``message`` is the event's, "" where nothing is said but that it takes too long; ``stage``: "mount",
    "attach" (its attachment is awaited) or "process" (the kubelet does not know yet what to mount); ``hangs``: how long the attempt takes
    to fail."""

    volume: str
    message: str
    stage: str = "mount"
    hangs: float = 0.0


def faults(worker: PodWorker, pod: Object) -> list[Fault]:
    """What cannot be set up now; what can is, on the way."""
    found = []
    claims = dict(claims_of(pod))
    for volume in pod["spec"].get("volumes") or ():
        title = volume["name"]
        if title.startswith(TOKEN_VOLUME):
            continue
        fault = _claimed(worker, pod, title, claims[title]) if title in claims else _own(worker, pod, volume)
        if fault is not None:
            found.append(fault._replace(volume=title))
    return found


def _own(worker: PodWorker, pod: Object, volume: Object) -> Fault | None:
    """A volume that the pod describes itself."""
    title, disks = volume["name"], worker.kubelet.parts.disks
    if any(field in volume for field in MADE_OF_OBJECTS):
        why = projections.missing(worker.kubelet.api, pod, volume)
        return Fault(title, SETUP.format(title, why)) if why else None
    if "hostPath" in volume:
        why = host_files.fault(disks, worker.kubelet.name, volume["hostPath"]["path"], volume["hostPath"].get("type") or "")
        return Fault(title, SETUP.format(title, why)) if why else None
    if "nfs" in volume:
        return _nfs(worker, title, volume["nfs"]["server"], volume["nfs"]["path"])
    if "csi" in volume:
        return _driver_missing(worker, title, volume["csi"]["driver"])
    return _no_plugin(title, volume)


def _claimed(worker: PodWorker, pod: Object, title: str, claim_name: str) -> Fault | None:
    """A volume that comes by way of a claim."""
    api, namespace = worker.kubelet.api, worker.key[0]
    claim = api.lister(CLAIMS).get(namespace, claim_name)
    why = ""
    if claim is None:
        why = f'failed to fetch PVC from API server: persistentvolumeclaims "{claim_name}" not found'
    elif deleting(claim) and worker.sandbox is None and not worker.mounted:
        why = "PVC is being deleted"
    elif (claim.get("status") or {}).get("phase") != "Bound" or not claim["spec"].get("volumeName"):
        why = "PVC is not bound"
    elif _is_ephemeral(pod, title) and (controller_of(claim) or {}).get("uid") != uid(pod):
        why = f"PVC {namespace}/{claim_name} was not created for pod {namespace}/{name(pod)} (pod is not owner)"
    volume = api.lister(VOLUMES).get("", claim["spec"]["volumeName"]) if not why else None
    if not why and volume is None:
        why = f'failed to fetch PV {claim["spec"]["volumeName"]} from API server: persistentvolumes "{claim["spec"]["volumeName"]}" not found'
    if why:
        return Fault(title, f"error processing PVC {namespace}/{claim_name}: {why}", "process")
    return _persistent(worker, title, volume)


def _persistent(worker: PodWorker, title: str, volume: Object) -> Fault | None:
    kind, own, disks, node = source_of(volume), name(volume), worker.kubelet.parts.disks, worker.kubelet.name
    source = volume["spec"].get(kind) or {}
    if not node_fits(volume, worker.kubelet.labels(), node):
        return Fault(title, f'MountVolume.NodeAffinity check failed for volume "{own}" : no matching NodeSelectorTerms')
    if kind == "hostPath":
        why = host_files.fault(disks, node, source["path"], source.get("type") or "")
        return Fault(title, SETUP.format(own, why)) if why else None
    if kind == "local":
        there = host_files.host_tree(disks, node, source["path"])
        if there.kind(there.root):
            return None
        return Fault(title, f'MountVolume.NewMounter initialization failed for volume "{own}" : path "{source["path"]}" does not exist')
    if kind == "nfs":
        return _nfs(worker, own, source["server"], source["path"])
    if kind == "csi":
        return _csi(worker, title, volume, source)
    return _no_plugin(own, volume["spec"])


def _csi(worker: PodWorker, title: str, volume: Object, source: Object) -> Fault | None:
    api, node, own = worker.kubelet.api, worker.kubelet.name, name(volume)
    attributes = source.get("volumeAttributes") or {}
    found = api.lister(DRIVERS).get("", source["driver"])
    needs = source["driver"] != "nfs.csi.k8s.io" and (found is None or (found.get("spec") or {}).get("attachRequired", True))
    attachment = api.lister(ATTACHMENTS).get("", attachment_name(source, node)) if needs else None
    if needs and not ((attachment or {}).get("status") or {}).get("attached"):
        return Fault(title, "", "attach")
    missing = _driver_missing(worker, own, source["driver"])
    if missing is not None:
        return missing
    if attributes.get("share"):
        why = nfs.fault(attributes.get("server", ""), attributes["share"], worker.kubelet.manager.machine_addresses())
        if why:
            return Fault(title, SETUP.format(own, "rpc error: code = Internal desc = " + _mount_failed(
                worker, own, attributes.get("server", ""), attributes["share"], why)), hangs=_hangs(why))
    return None


def _driver_missing(worker: PodWorker, title: str, driver: str) -> Fault | None:
    found = worker.kubelet.api.lister(CSI_NODES).get("", worker.kubelet.name)
    if found is not None and any(entry["name"] == driver for entry in found["spec"].get("drivers") or ()):
        return None
    return Fault(title, MOUNT_DEVICE.format(title, "kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name "
                                            f"{driver} not found in the list of registered CSI drivers"))


def _nfs(worker: PodWorker, title: str, server: str, path: str) -> Fault | None:
    why = nfs.fault(server, path, worker.kubelet.manager.machine_addresses())
    return Fault(title, SETUP.format(title, _mount_failed(worker, title, server, path, why)), hangs=_hangs(why)) if why else None


def _hangs(why: str) -> float:
    return nfs.GIVES_UP if why == nfs.UNREACHABLE else 0.0


def _mount_failed(worker: PodWorker, title: str, server: str, path: str, why: str) -> str:
    return (f"mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs {server}:{path} "
            f"/var/lib/kubelet/pods/{worker.uid}/volumes/kubernetes.io~nfs/{title}\nOutput: {why}\n")


def _no_plugin(title: str, source: Object) -> Fault | None:
    kind = next((field for field in (*NO_PLUGIN, "iscsi", "fc", "flexVolume") if field in source), "")
    if not kind:
        return None
    return Fault(title, f'failed to get Plugin from volumeSpec for volume "{title}" err=no volume plugin matched', "process")


def _is_ephemeral(pod: Object, title: str) -> bool:
    return any(volume["name"] == title and "ephemeral" in volume for volume in pod["spec"].get("volumes") or ())


# the files

def tree_of(worker: PodWorker, pod: Object, title: str) -> Tree:
    """What a container finds in the volume now; title "" is the one with the token. NotSimulated for what lies outside."""
    given = pod["spec"].get("volumes") or ()
    volume = next((entry for entry in given if entry["name"] == title or not title and entry["name"].startswith(TOKEN_VOLUME)), None)
    if volume is None:
        return Tree({})
    claim = dict(claims_of(pod)).get(title)
    if claim is not None:
        bound = worker.kubelet.api.lister(CLAIMS).get(worker.key[0], claim)
        persistent = worker.kubelet.api.lister(VOLUMES).get("", bound["spec"].get("volumeName", "")) if bound is not None else None
        if persistent is None:
            return Tree({})
        made = _persistent_tree(worker, persistent)
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
        if group is not None and "csi" in persistent["spec"]:
            made = made._replace(top={"mode": 0o2775, "gid": group})
        return made.fixed() if (volume.get("persistentVolumeClaim") or {}).get("readOnly") else made
    if "emptyDir" in volume:
        return _empty_dir(worker, pod, title, volume["emptyDir"])
    if any(field in volume for field in MADE_OF_OBJECTS):
        files = worker.frozen.get(title)
        if files is None:
            files = projections.content(worker.kubelet.api, pod, volume, worker.ip)
        return _projected(worker, pod, title, volume, files)
    return _source_tree(worker, title, volume)


def _projected(worker: PodWorker, pod: Object, title: str, volume: Object, files: dict[str, Node]) -> Tree:
    """A volume made of objects: in memory, written when the pod came or the kubelet looked last."""
    parts, group = worker.kubelet.parts, (pod["spec"].get("securityContext") or {}).get("fsGroup")
    began = parts.clock.seconds(worker.started) if worker.started else 0.0
    when = parts.clock.epoch + timedelta(seconds=(parts.state.get(PROJECTED + worker.uid) or {}).get(title, began))
    nodes = projections.atomic(files, projections.modes(volume), when, f"{worker.uid} {title}", group)
    mode = 0o777 if "configMap" in volume else 0o1777
    top = {"mode": mode | 0o2000, "gid": group} if group is not None else {"mode": mode}
    return Tree(nodes, "/", top={**top, "mtime": when.timestamp()}, space=lambda: ON_DISK if "configMap" in volume else IN_MEMORY)


def _persistent_tree(worker: PodWorker, volume: Object) -> Tree:
    source = volume["spec"].get("csi")
    if source is None:
        return _source_tree(worker, name(volume), volume["spec"])
    attributes = source.get("volumeAttributes") or {}
    if attributes.get("share"):
        path = f"{attributes['share'].rstrip('/')}/{attributes.get('subdir', '')}"
        made = _exported(worker, attributes.get("server", ""), path)
    else:
        disks, disk, size = worker.kubelet.parts.disks, f"csi/{source['volumeHandle']}", size_of(volume)
        made = tree(disks, disk, capacity=size)._replace(space=lambda: Space("/dev/sdb", "ext4", size, disks.used(disk)))
    return made.fixed() if source.get("readOnly") else made


def _exported(worker: PodWorker, server: str, path: str) -> Tree:
    """A directory of an NFS server."""
    disks, path = worker.kubelet.parts.disks, path.rstrip("/") or "/"
    return tree(disks, f"nfs/{server}", path)._replace(
        space=lambda: Space(f"{server}:{path}", "nfs4", NFS_DISK, NFS_USED + disks.used(f"nfs/{server}")))


def _source_tree(worker: PodWorker, title: str, source: Object) -> Tree:
    disks, node = worker.kubelet.parts.disks, worker.kubelet.name
    for kind in ("hostPath", "local"):
        if kind in source:
            return host_files.host_tree(disks, node, source[kind]["path"])
    if "nfs" in source:
        made = _exported(worker, source["nfs"]["server"], source["nfs"]["path"])
        return made.fixed() if source["nfs"].get("readOnly") else made
    raise NotSimulated(f'the content of volume "{title}"')


def _empty_dir(worker: PodWorker, pod: Object, title: str, source: Object) -> Tree:
    disks, disk, capacity = worker.kubelet.parts.disks, empty_dir(worker.uid, title), memory_limit(source)
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    in_memory = source.get("medium") == "Memory"
    made = tree(disks, disk, capacity=capacity)
    began = worker.kubelet.clock.seconds(worker.started) if worker.started else 0.0
    top = {"mtime": worker.kubelet.clock.epoch.timestamp() + began, "mode": 0o777 if group is None else 0o2777}
    return made._replace(top=top if group is None else {**top, "gid": group},
                         space=lambda: Space("tmpfs", "tmpfs", capacity or 0, disks.used(disk)) if in_memory else Space("/dev/sda1", "ext4"))


def empty_dir(uid_: str, title: str) -> str:
    """The disk of an emptyDir."""
    return f"pod/{uid_}/{title}"


def memory_limit(source: Object) -> int | None:
    """What fits into an emptyDir in memory; one on disk grows until its pod is evicted."""
    limit = source.get("sizeLimit")
    return quantity.value(limit) if source.get("medium") == "Memory" and limit is not None and quantity.value(limit) else None


def disks_of(worker: PodWorker, pod: Object) -> list[str]:
    """The disks whose changes the pod's programs may see, by name."""
    found: dict[str, None] = {}
    claims = dict(claims_of(pod))
    for volume in pod["spec"].get("volumes") or ():
        source = volume
        if volume["name"] in claims:
            claim = worker.kubelet.api.lister(CLAIMS).get(worker.key[0], claims[volume["name"]])
            persistent = worker.kubelet.api.lister(VOLUMES).get("", (claim or {"spec": {}})["spec"].get("volumeName", ""))
            source = persistent["spec"] if persistent is not None else {}
        if "nfs" in source:
            found[f"nfs/{source['nfs']['server']}"] = None
        elif "csi" in source and "volumeHandle" in source["csi"]:
            attributes = source["csi"].get("volumeAttributes") or {}
            found[f"nfs/{attributes.get('server', '')}" if attributes.get("share") else f"csi/{source['csi']['volumeHandle']}"] = None
        elif "hostPath" in source or "local" in source:
            found[f"node/{worker.kubelet.name}"] = None
    return list(found)
