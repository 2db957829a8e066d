"""What is written outside of containers: the disks of nodes, of volumes and of the NFS server, as files that outlive pods.

A disk has a name (``node/w1-k8s``, ``csi/HANDLE``, ``nfs/SERVER``, ``pod/UID/VOLUME``) and maps absolute paths to nodes (``inodes``); a
path that ends in "/" is a directory. Everything is kept file by file in the run-time state, so it survives what the cluster survives. A
``Tree`` is the part of a disk below a root, which is what a container mounts. What is kept is bounded: a file, a disk, and all of a
room's disks together; zeros are only counted, as bytes of the disk that they fill.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from server.cluster.errno import (
    NAME_TOO_LONG,
    NO_SPACE,
    TOO_LARGE,
)
from server.cluster.inodes import NOTHING, Index, Node, held, hidden, kind_of, node, text_of, used_of
from server.cluster.store import State

PREFIX = "disk/"
LARGEST_FILE, LARGEST_DISK, LARGEST_ROOM = 256 * 1024, 2 * 1024 * 1024, 24 * 1024 * 1024
MOST_FILES, LONGEST_PATH, LONGEST_NAME = 4096, 1024, 255
MOST_LINKS = 40


class Disks:
    def __init__(self, state: State) -> None:
        self._state = state
        self._disks: dict[str, dict[str, Node]] = {}
        self._used: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._total = 0
        self._bytes = 0
        self._indexes: dict[str, Index] = {}
        self._listeners: dict[str, dict[object, Callable[[], None]]] = {}
        for key, found in state.items(PREFIX):
            disk, _, path = key[len(PREFIX):].partition("\0")
            self._disks.setdefault(disk, {})[path] = found
            self._account(disk, len(path) + used_of(found), len(path) + held(found))

    def files(self, disk: str) -> Mapping[str, Node]:
        """All of a disk, to be looked at."""
        return self._disks.get(disk, _EMPTY)

    def index(self, disk: str) -> Index:
        """Its directories."""
        found = self._indexes.get(disk)
        if found is None:
            files = self._disks.get(disk)
            if files is None:
                return Index(_EMPTY)
            found = self._indexes[disk] = Index(files)
        return found

    def used(self, disk: str) -> int:
        """Bytes, those of names included."""
        return self._used.get(disk, 0)

    @property
    def bytes(self) -> int:
        """Of all disks together."""
        return self._bytes

    def put(self, disk: str, path: str, new: Node, capacity: int | None = None) -> str:
        """Writes a file (or, with a path that ends in "/", makes a directory); "" or why it could not."""
        path = _utf8(path)
        new = node(new) if isinstance(new, str) and _utf8(new) != new else new
        if len(path) > LONGEST_PATH or max(map(len, path.split("/"))) > LONGEST_NAME:
            return NAME_TOO_LONG
        if held(new) > LARGEST_FILE:
            return TOO_LARGE
        files = self._disks.get(disk, _EMPTY)
        old = files.get(path)
        if old == new:
            return ""
        before = (len(path) + used_of(old), len(path) + held(old)) if old is not None else (0, 0)
        more, kept = len(path) + used_of(new) - before[0], len(path) + held(new) - before[1]
        if more > 0 and capacity is not None and self.used(disk) + more > capacity:
            return NO_SPACE
        if kept > 0 and (self._held.get(disk, 0) + kept > LARGEST_DISK or self._total + kept > LARGEST_ROOM
                         or old is None and len(files) >= MOST_FILES):
            return NO_SPACE
        self._disks.setdefault(disk, {})[path] = new
        self._account(disk, more, kept)
        if old is None and disk in self._indexes:
            self._indexes[disk].add(path)
        self._state.set(f"{PREFIX}{disk}\0{path}", new)
        self._tell(disk)
        return ""

    def remove(self, disk: str, paths: list[str]) -> None:
        files = self._disks.get(disk)
        for path in paths:
            old = files.pop(path, None) if files is not None else None
            if old is not None:
                self._account(disk, -len(path) - used_of(old), -len(path) - held(old))
                if disk in self._indexes:
                    self._indexes[disk].remove(path)
                self._state.set(f"{PREFIX}{disk}\0{path}", None)
        if files is not None and not files:
            del self._disks[disk]
            self._used.pop(disk, None)
            self._held.pop(disk, None)
            self._indexes.pop(disk, None)
        if paths:
            self._tell(disk)

    def wipe(self, disk: str, root: str = "/") -> None:
        """Removes all below ``root``, and ``root`` itself."""
        below = root.rstrip("/") + "/"
        self.remove(disk, [path for path in self.files(disk) if path.startswith(below) or path == root])

    def names(self, prefix: str) -> list[str]:
        """The disks whose names begin so."""
        return sorted(disk for disk in self._disks if disk.startswith(prefix))

    def listen(self, disk: str, who: object, callback: Callable[[], None]) -> None:
        """``callback()`` whenever something on the disk changes, until ``unlisten``."""
        self._listeners.setdefault(disk, {})[who] = callback

    def unlisten(self, disk: str, who: object) -> None:
        listeners = self._listeners.get(disk)
        if listeners is not None:
            listeners.pop(who, None)
            if not listeners:
                del self._listeners[disk]

    def _tell(self, disk: str) -> None:
        for callback in tuple(self._listeners.get(disk, _EMPTY).values()):
            callback()

    def _account(self, disk: str, more: int, kept: int) -> None:
        self._used[disk] = self._used.get(disk, 0) + more
        self._held[disk] = self._held.get(disk, 0) + kept
        self._total += kept
        self._bytes += more


_EMPTY: dict = {}


def _utf8(text: str) -> str:
    """What can be kept: text without halves of characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Space(NamedTuple):
    """A file system as ``df`` and ``mount`` show it: bytes in all (0: unlimited) and in use."""

    device: str
    type: str
    size: int = 0
    used: int = 0


class Tree(NamedTuple):
    """``files`` by path, of which those below ``root`` are meant. ``put`` and ``remove`` are None where nothing may be written.
    ``listen(callback)`` calls it at every change, until what it returns is called; None for what never changes. ``index`` knows the
    directories of ``files`` (None: few files, looked through); ``under`` is what shows where nothing was written; ``top`` are facts of
    the root itself; ``space()`` says what file system it is."""

    files: Mapping[str, Node]
    root: str = ""
    put: Callable[[str, Node], str] | None = None
    remove: Callable[[list[str]], None] | None = None
    listen: Callable[[Callable[[], None]], Callable[[], None]] | None = None
    index: Callable[[], Index] | None = None
    under: Any = NOTHING
    top: Mapping[str, Any] = {}
    space: Callable[[], Space] | None = None

    def at(self, path: str) -> str:
        """A path below the root, as the disk has it."""
        inside = posixpath.normpath("/" + path.lstrip("/"))
        return (self.root.rstrip("/") + inside).rstrip("/") or "/"

    def below(self, sub_path: str) -> Tree:
        """The part at a sub-path, whose links are followed now."""
        if not sub_path:
            return self
        done, left, links = "", self.at(sub_path)[len(self.root.rstrip("/")):].strip("/").split("/"), 0
        while left:
            name = left.pop(0)
            kind, found = self.look(self.at(f"{done}/{name}"))
            if kind == "link" and links < MOST_LINKS:
                links += 1
                whole = posixpath.normpath(posixpath.join("/", done, found["link"], *left))
                done, left = "", whole.strip("/").split("/") if whole != "/" else []
            else:
                done = f"{done}/{name}"
        return self._replace(root=self.at(done or "/"), top={})

    def fixed(self) -> Tree:
        """The same, for reading only."""
        return self._replace(put=None, remove=None)

    def look(self, path: str) -> tuple[str, Any]:
        """(kind, node) of a path of the disk; ("", None) if there is nothing."""
        folder, gone = path.rstrip("/") + "/", False
        for key in (path, folder):
            found = self.files.get(key)
            if found is not None and not (gone := hidden(found)):
                return kind_of(key, found), found
        if gone:
            return "", None
        if path in self.index() if self.index is not None else any(name.startswith(folder) for name in self.files):
            return "directory", (self.under.get(folder) if self.shows(path) else None) or {}
        if self.under is NOTHING or not self.shows(path):
            return "", None
        for key in (path, folder):
            found = self.under.get(key)
            if found is not None:
                return kind_of(key, found), found
        return "", None

    def shows(self, path: str) -> bool:
        """Whether what is under the written files is to be seen there."""
        folder = posixpath.dirname(path.rstrip("/"))
        while folder and folder != "/":
            found = self.files.get(folder + "/")
            if found and not isinstance(found, str) and ("gone" in found or "opaque" in found):
                return False
            folder = posixpath.dirname(folder)
        return True

    def kind(self, path: str) -> str:
        """"file", "directory", "link", ... or "" for what is at a path of the disk."""
        return self.look(path)[0]

    def names(self, path: str) -> list[str]:
        """What lies in a directory, in order."""
        folder = path.rstrip("/") + "/"
        found: Iterable[str]
        if self.index is not None:
            found = self.index().names(path)
        else:
            found = {name[len(folder):].partition("/")[0]: None for name in self.files if name.startswith(folder) and name != folder}
        if self.under is not NOTHING:
            own = self.files.get(folder)
            if self.shows(path) and not (own and not isinstance(own, str) and "opaque" in own):
                found = dict.fromkeys((*found, *self.under.names(path)))
            return sorted(name for name in found if self.look(folder + name)[0])
        return sorted(found)

    def all(self, path: str) -> list[str]:
        """The keys of what was written at and below a path."""
        folder = path.rstrip("/") + "/"
        return [name for name in self.files if name == path or name.startswith(folder)]

    def text(self, path: str) -> str | None:
        """The text of a file that is there."""
        kind, found = self.look(path)
        return text_of(found) if kind == "file" else None


def tree(disks: Disks, disk: str, root: str = "/", capacity: int | None = None) -> Tree:
    """A writable view of a disk."""
    return Tree(_View(disks, disk), root, lambda path, new: disks.put(disk, path, new, capacity), lambda paths: disks.remove(disk, paths),
                lambda callback: _listening(disks, disk, callback), lambda: disks.index(disk))


def _listening(disks: Disks, disk: str, callback: Callable[[], None]) -> Callable[[], None]:
    who = object()
    disks.listen(disk, who, callback)
    return lambda: disks.unlisten(disk, who)


class _View(Mapping):
    """A disk as it is at every moment, which may begin to exist only when something is written."""

    __slots__ = ("_disks", "_disk")

    def __init__(self, disks: Disks, disk: str) -> None:
        self._disks, self._disk = disks, disk

    @property
    def disk(self) -> str:
        """Its name."""
        return self._disk

    def __getitem__(self, path: str) -> Node:
        return self._disks.files(self._disk)[path]

    def get(self, path: str, default: Any = None) -> Any:
        return self._disks.files(self._disk).get(path, default)

    def __iter__(self):
        return iter(self._disks.files(self._disk))

    def __len__(self) -> int:
        return len(self._disks.files(self._disk))
