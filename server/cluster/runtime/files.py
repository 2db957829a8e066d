"""What a container has written: just enough of a file system for scripts and probes that touch, write, read and remove files.

A path below a mount of a pod's volume belongs to that volume and is seen by every container that mounts it; any other path is the
container's own and goes with it. Volumes whose content comes from elsewhere (ConfigMaps, Secrets) are read through ``source``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

LIMIT = 64 * 1024


class NotSimulated(Exception):
    """The path lies on something that this file system does not have."""


class Mount(NamedTuple):
    path: str
    volume: str
    read_only: bool
    sub_path: str = ""


class Files:
    """``base`` are files of the image that are only read. ``own`` and ``volumes`` (by volume name) map absolute paths to text and are
    plain data; ``source(volume)`` gives the files of a projected volume, None for one that is only written to, and raises NotSimulated
    for what cannot be shown."""

    def __init__(self, base: dict[str, str], own: dict[str, str], volumes: dict[str, dict[str, str]], mounts: tuple[Mount, ...],
                 source: Callable[[str], dict[str, str] | None], changed: Callable[[], None]) -> None:
        self.base = base
        self.own = own
        self.volumes = volumes
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.path))
        self._source = source
        self._changed = changed

    def _place(self, path: str) -> tuple[dict[str, str], str, bool]:
        """(the files, the path among them, whether they may be written)."""
        path = posixpath.normpath(posixpath.join("/", path))
        for mount in self._mounts:
            root = mount.path.rstrip("/")
            if path == root or path.startswith(root + "/"):
                given = self._source(mount.volume)
                inside = posixpath.normpath(f"/{mount.sub_path}/{path[len(root):]}")
                if given is not None:
                    return {f"/{name}": text for name, text in given.items()}, inside, False
                return self.volumes.setdefault(mount.volume, {}), inside, not mount.read_only
        return self.own, path, True

    def read(self, path: str) -> str | None:
        files, inside, _ = self._place(path)
        text = files.get(inside)
        return self.base.get(inside) if text is None and files is self.own else text

    def write(self, path: str, text: str, append: bool = False) -> bool:
        """False on a file system that is read-only."""
        if path in ("/dev/null", "/dev/stdout", "/dev/stderr"):
            return True
        files, inside, writable = self._place(path)
        if not writable:
            return False
        new = ((files.get(inside, "") if append else "") + text)[-LIMIT:]
        if files.get(inside) != new:
            files[inside] = new
            self._changed()
        return True

    def remove(self, path: str, recursive: bool = False) -> bool:
        files, inside, writable = self._place(path)
        below = [name for name in files if name == inside or (recursive and name.startswith(inside.rstrip("/") + "/"))]
        for name in below if writable else ():
            del files[name]
        if below and writable:
            self._changed()
        return bool(below) and writable

    def names(self, path: str) -> list[str] | None:
        """What lies in a directory; None if there is no such path."""
        files, inside, _ = self._place(path)
        if inside in files:
            return [path]
        root = inside.rstrip("/") + "/"
        found = sorted({name[len(root):].split("/")[0] for name in files if name.startswith(root)})
        mounted = files is not self.own
        return found if found or mounted or path in ("/", "/tmp", ".") else None
