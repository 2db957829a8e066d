"""What is written outside of containers: the disks of nodes, of volumes and of the NFS server, as files that outlive pods.

A disk has a name (``node/w1-k8s``, ``csi/HANDLE``, ``nfs/SERVER``, ``pod/UID/VOLUME``) and maps absolute paths to text; a path that ends
in "/" is a directory. Everything is kept file by file in the run-time state, so it survives what the cluster survives. A ``Tree`` is the
part of a disk below a root, which is what a container mounts. Sizes are bounded: a file, a disk, and all of a room's disks together.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import NamedTuple

from server.cluster.store import State

PREFIX = "disk/"
LARGEST_FILE, LARGEST_DISK, LARGEST_ROOM = 256 * 1024, 2 * 1024 * 1024, 24 * 1024 * 1024
MOST_FILES, LONGEST_PATH = 4096, 1024
NO_SPACE, TOO_LARGE, READ_ONLY, NOT_FOUND = "No space left on device", "File too large", "Read-only file system", "No such file or directory"
IS_DIRECTORY, NAME_TOO_LONG = "Is a directory", "File name too long"


class Disks:
    def __init__(self, state: State) -> None:
        self._state = state
        self._disks: dict[str, dict[str, str]] = {}
        self._used: dict[str, int] = {}
        self._total = 0
        self._listeners: dict[str, dict[object, Callable[[], None]]] = {}
        for key, text in state.items(PREFIX):
            disk, _, path = key[len(PREFIX):].partition("\0")
            self._disks.setdefault(disk, {})[path] = text
            self._account(disk, len(path) + len(text))

    def files(self, disk: str) -> Mapping[str, str]:
        """All of a disk, to be looked at."""
        return self._disks.get(disk, _EMPTY)

    def used(self, disk: str) -> int:
        return self._used.get(disk, 0)

    def put(self, disk: str, path: str, text: str, capacity: int | None = None) -> str:
        """Writes a file (or, with a path that ends in "/", makes a directory); "" or why it could not."""
        path, text = _utf8(path), _utf8(text)
        if len(path) > LONGEST_PATH:
            return NAME_TOO_LONG
        if len(text) > LARGEST_FILE:
            return TOO_LARGE
        files = self._disks.get(disk, _EMPTY)
        old = files.get(path)
        if old == text:
            return ""
        more = len(text) - len(old) if old is not None else len(path) + len(text)
        limit = LARGEST_DISK if capacity is None else min(capacity, LARGEST_DISK)
        if more > 0 and (self.used(disk) + more > limit or self._total + more > LARGEST_ROOM or old is None and len(files) >= MOST_FILES):
            return NO_SPACE
        self._disks.setdefault(disk, {})[path] = text
        self._account(disk, more)
        self._state.set(f"{PREFIX}{disk}\0{path}", text)
        self._tell(disk)
        return ""

    def remove(self, disk: str, paths: list[str]) -> None:
        files = self._disks.get(disk)
        for path in paths:
            text = files.pop(path, None) if files is not None else None
            if text is not None:
                self._account(disk, -len(path) - len(text))
                self._state.set(f"{PREFIX}{disk}\0{path}", None)
        if files is not None and not files:
            del self._disks[disk]
            self._used.pop(disk, None)
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

    def _account(self, disk: str, more: int) -> None:
        self._used[disk] = self._used.get(disk, 0) + more
        self._total += more


_EMPTY: dict = {}


def _utf8(text: str) -> str:
    """What can be kept: text without halves of characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Tree(NamedTuple):
    """``files`` by path, of which those below ``root`` are meant. ``put`` and ``remove`` are None where nothing may be written.
    ``listen(callback)`` calls it at every change, until what it returns is called; None for what never changes."""

    files: Mapping[str, str]
    root: str = ""
    put: Callable[[str, str], str] | None = None
    remove: Callable[[list[str]], None] | None = None
    listen: Callable[[Callable[[], None]], Callable[[], None]] | None = None

    def at(self, path: str) -> str:
        """A path below the root, as the disk has it."""
        inside = posixpath.normpath("/" + path.lstrip("/"))
        return (self.root.rstrip("/") + inside).rstrip("/") or "/"

    def below(self, sub_path: str) -> Tree:
        return self._replace(root=self.at(sub_path)) if sub_path else self

    def fixed(self) -> Tree:
        """The same, for reading only."""
        return self._replace(put=None, remove=None)

    def kind(self, path: str) -> str:
        """"file", "directory" or "" for what is at a path of the disk."""
        if path in self.files:
            return "file"
        folder = path.rstrip("/") + "/"
        return "directory" if any(name.startswith(folder) for name in self.files) else ""


def tree(disks: Disks, disk: str, root: str = "/", capacity: int | None = None) -> Tree:
    """A writable view of a disk."""
    return Tree(_View(disks, disk), root, lambda path, text: disks.put(disk, path, text, capacity), lambda paths: disks.remove(disk, paths),
                lambda callback: _listening(disks, disk, callback))


def _listening(disks: Disks, disk: str, callback: Callable[[], None]) -> Callable[[], None]:
    who = object()
    disks.listen(disk, who, callback)
    return lambda: disks.unlisten(disk, who)


class _View(Mapping):
    """A disk as it is at every moment, which may begin to exist only when something is written."""

    __slots__ = ("_disks", "_disk")

    def __init__(self, disks: Disks, disk: str) -> None:
        self._disks, self._disk = disks, disk

    def __getitem__(self, path: str) -> str:
        return self._disks.files(self._disk)[path]

    def __iter__(self):
        return iter(self._disks.files(self._disk))

    def __len__(self) -> int:
        return len(self._disks.files(self._disk))
