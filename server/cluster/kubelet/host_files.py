"""What a new node's disk holds, as far as hostPath and local volumes look: the usual directories and a few files; and how a path is
checked against the type that a hostPath volume asks for.

Source: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
"""

from __future__ import annotations

import posixpath
from functools import lru_cache

from server.cluster.disks import Disks, Space, Tree, tree
from server.cluster.inodes import Layer, Layers

DIRECTORIES = (
    "/bin", "/boot", "/dev", "/etc", "/etc/cni/net.d", "/etc/kubernetes", "/etc/kubernetes/manifests", "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd", "/etc/ssl/certs", "/home", "/lib",
    "/lib/modules", "/media", "/mnt", "/mnt/data", "/mnt/disks", "/mnt/disks/ssd1", "/mnt/disks/vol1", "/opt", "/opt/cni/bin", "/proc",
    "/root", "/run", "/run/containerd", "/sbin", "/srv", "/sys", "/sys/fs/cgroup", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local",
    "/usr/share/ca-certificates", "/usr/share/zoneinfo", "/var", "/var/lib", "/var/lib/containerd", "/var/lib/docker/containers",
    "/var/lib/etcd", "/var/lib/kubelet", "/var/log", "/var/log/containers", "/var/log/pods", "/var/run", "/var/run/calico", "/var/lib/calico")
PLAIN_FILES = {"/etc/hosts": "127.0.0.1 localhost\n", "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
               "/etc/resolv.conf": "nameserver 192.168.1.1\n", "/etc/localtime": "", "/run/xtables.lock": "",
               **dict.fromkeys((f"/etc/kubernetes/{name}.conf" for name in ("controller-manager", "kubelet", "scheduler")), ""),
               "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n"}
SOCKETS = ("/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock")
CHARACTER_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/kmsg", "/dev/tty", "/dev/fuse")
BLOCK_DEVICES = ("/dev/sda", "/dev/sda1")
BASE = {**{f"{path}/": "" for path in DIRECTORIES}, **PLAIN_FILES, **dict.fromkeys((*SOCKETS, *CHARACTER_DEVICES, *BLOCK_DEVICES), "")}
HOST = Layer(BASE)
_SPECIAL = {"Socket": (SOCKETS, "socket file"), "CharDevice": (CHARACTER_DEVICES, "character device"),
            "BlockDevice": (BLOCK_DEVICES, "block device")}


@lru_cache(maxsize=1024)
def _named(node: str) -> Layers:
    return Layers(Layer({"/etc/hostname": f"{node}\n"}), HOST)


def host_tree(disks: Disks, node: str, path: str) -> Tree:
    """The part of a node's disk below a path."""
    mine = tree(disks, f"node/{node}", posixpath.normpath(path))
    return mine._replace(under=_named(node), space=lambda: Space("/dev/sda1", "ext4"))


def fault(disks: Disks, node: str, path: str, type_: str) -> str:
    """Why a path is not what is asked for; it is made where the type says so."""
    there = host_tree(disks, node, path)
    path = there.root
    kind = there.kind(path)
    if type_ in _SPECIAL:
        paths, word = _SPECIAL[type_]
        return "" if path in paths else f"hostPath type check failed: {path} is not a {word}"
    if type_ == "Directory" or type_ == "DirectoryOrCreate" and kind == "file":
        return "" if kind == "directory" else f"hostPath type check failed: {path} is not a directory"
    if type_ == "File" or type_ == "FileOrCreate" and kind == "directory":
        return "" if kind == "file" else f"hostPath type check failed: {path} is not a file"
    if type_ == "FileOrCreate" and not kind:
        parent = posixpath.dirname(path)
        if there.kind(parent) != "directory":
            return f"open {path}: no such file or directory"
        return there.put(path, "")
    return there.put(f"{path}/", "") if not kind and path != "/" else ""
