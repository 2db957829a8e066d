"""What can be done with a volume whose claim is gone: its files removed (Recycle), or the volume with them (Delete).

In: the volume; out: "" when it is done, else why not, in the words of the volume plugins. Only hostPath and NFS volumes can be recycled,
and only hostPath volumes below /tmp can be deleted without a provisioner, as in Kubernetes.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
"""

from __future__ import annotations

from server.cluster.disks import Disks
from server.cluster.objects import Object
from server.cluster.volumes import source_of

HOST_PATH_DELETABLE = "/tmp/"  # noqa: S108


def recycle(disks: Disks, volume: Object) -> str:
    kind = source_of(volume)
    if kind not in ("nfs", "hostPath"):
        return "No recycler plugin found for the volume!"
    empty(disks, volume)
    return ""


def delete(disks: Disks, volume: Object) -> str:
    if source_of(volume) != "hostPath":
        return (f'error getting deleter volume plugin for volume "{volume["metadata"]["name"]}": no deletable volume plugin matched')
    path = volume["spec"]["hostPath"]["path"]
    if not path.startswith(HOST_PATH_DELETABLE) or path == HOST_PATH_DELETABLE:
        return f"host_path deleter only supports /tmp/.+ but received provided {path}"
    empty(disks, volume)
    return ""


def empty(disks: Disks, volume: Object) -> None:
    """Removes the files of a volume, wherever they are."""
    spec, kind = volume["spec"], source_of(volume)
    if kind == "nfs":
        disks.wipe(f"nfs/{spec['nfs']['server']}", spec["nfs"]["path"])
    elif kind in ("hostPath", "local"):
        for disk in disks.names("node/"):
            disks.wipe(disk, spec[kind]["path"])
    elif kind == "csi":
        handle = spec["csi"].get("volumeHandle", "")
        attributes = spec["csi"].get("volumeAttributes") or {}
        if attributes.get("share"):
            disks.wipe(f"nfs/{attributes.get('server', '')}", f"{attributes['share'].rstrip('/')}/{attributes.get('subdir', '')}".rstrip("/"))
        else:
            disks.wipe(f"csi/{handle}")
