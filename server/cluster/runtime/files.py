"""A container's file system, as far as scripts, probes and web servers look: files and directories that are written, read and removed.

A path below a mount belongs to the mounted volume, a ``Tree`` (see ``disks``) that others may mount too; any other path is the
container's own and goes with it; how much that is has bounds, for one container and for all. The kubelet says through
``source(mount)`` what a mount shows at this moment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from server.cluster.disks import IS_DIRECTORY, LONGEST_PATH, NAME_TOO_LONG, NO_SPACE, NOT_FOUND, READ_ONLY, Tree
from server.cluster.runtime.logs import Budget

LIMIT = 64 * 1024
LARGEST, MOST_FILES = 256 * 1024, 512
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
                 changed: Callable[[], None], written: Budget | None = None) -> None:
        self.base = base
        self._written = written if written is not None else Budget()
        self._size = sum(len(path) + len(text) for path, text in own.items())
        self.own = own
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.path))
        self._source = source
        self._tell = changed
        self._followers: dict[Callable[[], None], None] = {}
        self._mine = Tree(own, "", self._put, self._drop)

    def _put(self, path: str, text: str) -> str:
        text = text[-LIMIT:]
        before = self.own.get(path)
        more = len(text) - len(before) if before is not None else len(path) + len(text)
        if len(path) > LONGEST_PATH:
            return NAME_TOO_LONG
        if more > 0 and (self._size + more > LARGEST or self._written.full or before is None and len(self.own) >= MOST_FILES):
            return NO_SPACE
        self.own[path] = text
        self._account(more)
        return ""

    def _account(self, more: int) -> None:
        self._size += more
        self._written.used += more

    def _drop(self, paths: list[str]) -> None:
        for path in paths:
            self._account(-len(path) - len(self.own.pop(path)))

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
        if path in DEVICES:
            return ""
        tree, inside = self._place(path)
        text = tree.files.get(inside)
        return self.base.get(inside) if text is None and tree is self._mine else text

    def follow(self, path: str, callback: Callable[[], None]) -> Callable[[], None]:
        """``callback()`` whenever the file may have changed, until what this returns is called."""
        tree, _ = self._place(path)
        if tree is not self._mine:
            return tree.listen(callback) if tree.listen is not None else lambda: None
        self._followers[callback] = None
        return lambda: self._followers.pop(callback, None)

    def _changed(self) -> None:
        for callback in tuple(self._followers):
            callback()
        self._tell()

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
