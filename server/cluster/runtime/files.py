"""A container's file system, as far as scripts, probes and web servers look: files and directories that are written, read and removed.

A path below a mount belongs to the mounted volume, a ``Tree`` (see ``disks``) that others may mount too; any other path is the
container's own and goes with it. The kubelet says through ``source(mount)`` what a mount shows at this moment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from server.cluster.disks import IS_DIRECTORY, NOT_FOUND, READ_ONLY, Tree

LIMIT = 64 * 1024
EXISTS, NO_DIRECTORY = "File exists", "nonexistent directory"
DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr")


class NotSimulated(Exception):
    """The path lies on something that this file system does not have."""


class Mount(NamedTuple):
    """``expands``: the sub-path has names of variables in it."""

    path: str
    volume: str
    read_only: bool
    sub_path: str = ""
    expands: bool = False


class Files:
    """``base`` are files of the image that are only read, ``own`` what the container has written, as plain data; ``changed()`` is called
    after each change of either its own files or a volume's."""

    def __init__(self, base: dict[str, str], own: dict[str, str], mounts: tuple[Mount, ...], source: Callable[[Mount], Tree],
                 changed: Callable[[], None]) -> None:
        self.base = base
        self.own = own
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.path))
        self._source = source
        self._changed = changed
        self._mine = Tree(own, "", self._put, self._drop)

    def _put(self, path: str, text: str) -> str:
        self.own[path] = text[-LIMIT:]
        return ""

    def _drop(self, paths: list[str]) -> None:
        for path in paths:
            del self.own[path]

    def _place(self, path: str) -> tuple[Tree, str]:
        """(the tree that a path lies in, the path as that tree has it)."""
        path = posixpath.normpath(posixpath.join("/", path))
        for mount in self._mounts:
            root = mount.path.rstrip("/")
            if path == root or path.startswith(root + "/"):
                tree = self._source(mount).below(mount.sub_path)
                return tree.fixed() if mount.read_only else tree, tree.at(path[len(root):])
        return self._mine, path

    def read(self, path: str) -> str | None:
        tree, inside = self._place(path)
        text = tree.files.get(inside)
        return self.base.get(inside) if text is None and tree is self._mine else text

    def kind(self, path: str) -> str:
        """"file", "directory" or ""."""
        tree, inside = self._place(path)
        if tree is self._mine and (inside in self.base or path in DEVICES):
            return "file"
        return tree.kind(inside) or ("directory" if self.names(path) is not None else "")

    def write(self, path: str, text: str, append: bool = False) -> str:
        """"" or why it cannot be written. In a volume the directory must be there."""
        if path in DEVICES:
            return ""
        tree, inside = self._place(path)
        if tree.put is None:
            return READ_ONLY
        if tree is not self._mine:
            parent = posixpath.dirname(inside)
            if inside == tree.root or tree.kind(inside) == "directory":
                return IS_DIRECTORY
            if parent != (tree.root.rstrip("/") or "/") and tree.kind(parent) != "directory":
                return NO_DIRECTORY
        before = tree.files.get(inside)
        new = (before or "") + text if append else text
        if before == new:
            return ""
        fault = tree.put(inside, new)
        if not fault:
            self._changed()
        return fault

    def make_directory(self, path: str, parents: bool = False) -> str:
        """"" or why it cannot be made; with ``parents`` one that is there already is fine."""
        tree, inside = self._place(path)
        if self.kind(path):
            return "" if parents and self.kind(path) == "directory" else EXISTS
        if tree.put is None:
            return READ_ONLY
        parent = posixpath.dirname(inside)
        if tree is not self._mine and not parents and parent != (tree.root.rstrip("/") or "/") and tree.kind(parent) != "directory":
            return NOT_FOUND
        fault = tree.put(inside.rstrip("/") + "/", "")
        if not fault:
            self._changed()
        return fault

    def remove(self, path: str, recursive: bool = False) -> str:
        """"" or why it cannot be removed."""
        tree, inside = self._place(path)
        found = tree.kind(inside)
        if not found:
            return NOT_FOUND
        if found == "directory" and not recursive:
            return IS_DIRECTORY
        if tree.remove is None:
            return READ_ONLY
        folder = inside.rstrip("/") + "/"
        top = tree is not self._mine and inside == (tree.root.rstrip("/") or "/")
        tree.remove([name for name in tree.files if name == inside or name.startswith(folder) and not (top and name == folder)])
        self._changed()
        return ""

    def names(self, path: str) -> list[str] | None:
        """What lies in a directory; the path itself for a file; None if there is no such path."""
        tree, inside = self._place(path)
        if inside in tree.files:
            return [path]
        folder = inside.rstrip("/") + "/"
        found = sorted({name[len(folder):].split("/")[0] for name in tree.files if name.startswith(folder)} - {""})
        if found or tree is not self._mine and inside == (tree.root.rstrip("/") or "/") or tree.kind(inside) == "directory":
            return found
        return found if tree is self._mine and posixpath.normpath(posixpath.join("/", path)) in ("/", "/tmp") else None  # noqa: S108
