"""Files as data: what stands behind one path of a disk, a container or an image.

A node is a ``str`` (its text, all else as usual) or a dict: ``text``, or ``bytes`` (what is no UTF-8, a character a byte); ``hole`` and
``pad`` zeros before and after the text, of which only the number is kept (``sparse`` of them take no room on the disk); ``lost`` characters
that a file which grows for ever has forgotten at its beginning; ``mode``, ``mtime`` (Unix time), ``uid``, ``gid``; ``link``, the target of a
symbolic link; ``device``. A key that ends in "/" is a directory. ``gone`` hides what lies under it in the layer below, ``opaque`` a
directory's old contents (overlayfs).

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/sys_stat.h.html and https://docs.kernel.org/filesystems/overlayfs.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Node = str | dict[str, Any]
FILE_MODE, DIRECTORY_MODE, LINK_MODE = 0o644, 0o755, 0o777
DIRECTORY_SIZE = 4096
TYPES = {"file": 0o100000, "directory": 0o040000, "link": 0o120000, "char": 0o020000, "block": 0o060000, "fifo": 0o010000,
         "socket": 0o140000}
FACTS = ("mode", "mtime", "uid", "gid")


class Stat(NamedTuple):
    """What ``stat`` says of a path: ``kind`` is a key of ``TYPES``; ``device`` is (major, minor) of a device."""

    kind: str
    mode: int
    size: int
    mtime: float
    uid: int = 0
    gid: int = 0
    link: str = ""
    inode: int = 0
    links: int = 1
    device: tuple[int, int] = (0, 0)
    sparse: int = 0

    @property
    def blocks(self) -> int:
        """Of 512 bytes."""
        return -(-(self.size - self.sparse) // 4096) * 8 if self.kind in ("file", "directory") else 0


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def length(text: str) -> int:
    """Bytes of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def node(text: str = "", **facts: Any) -> dict[str, Any]:
    """A node in its shortest form.

    >>> node("a", mode=0o755, hole=0), node("\\udcff")
    ({'text': 'a', 'mode': 493}, {'bytes': 'ÿ'})
    """
    made: dict[str, Any] = {}
    if text:
        try:
            text.isascii() or text.encode()
            made["text"] = text
        except UnicodeEncodeError:
            made["bytes"] = text.encode("utf-8", "surrogateescape" if _escaped(text) else "replace").decode("latin-1")
    made.update({name: value for name, value in facts.items() if value or name in ("mode", "mtime")})
    return made


def _escaped(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff" for char in text)


def changed(old: Node, **facts: Any) -> dict[str, Any]:
    """The same file with other facts."""
    known = {"text": old} if isinstance(old, str) else dict(old)
    known.update(facts)
    return {name: value for name, value in known.items() if value or name in ("mode", "mtime")}


def text_of(found: Node) -> str:
    """The text that is kept of it, without its zeros."""
    if isinstance(found, str):
        return found
    if "bytes" in found:
        return decoded(found["bytes"].encode("latin-1"))
    return found.get("text", "")


def size_of(found: Node) -> int:
    """Bytes."""
    if isinstance(found, str):
        return length(found)
    if "link" in found:
        return length(found["link"])
    if "bytes" in found:
        kept = len(found["bytes"])
    else:
        kept = length(found.get("text", ""))
    return kept + found.get("hole", 0) + found.get("pad", 0) + found.get("lost", 0)


def used_of(found: Node) -> int:
    """Bytes that it takes of its disk."""
    return size_of(found) - (0 if isinstance(found, str) else found.get("sparse", 0))


def held(found: Node) -> int:
    """Characters that keeping it costs."""
    if isinstance(found, str):
        return len(found)
    return len(found.get("text", "")) + len(found.get("bytes", "")) + len(found.get("link", ""))


def hidden(found: Node) -> bool:
    return not isinstance(found, str) and "gone" in found


def kind_of(path: str, found: Node) -> str:
    if path.endswith("/"):
        return "directory"
    if isinstance(found, str):
        return "file"
    if "link" in found:
        return "link"
    return found.get("type", "char" if "device" in found else "file")


def facts_of(kind: str, found: Node, born: float) -> tuple[int, float, int, int]:
    """(mode, mtime, uid, gid)."""
    given = {} if isinstance(found, str) else found
    usual = {"directory": DIRECTORY_MODE, "link": LINK_MODE}.get(kind, FILE_MODE)
    return given.get("mode", usual), given.get("mtime", born), given.get("uid", 0), given.get("gid", 0)


class Index:
    """Which names lie in which directory of a flat table of paths; directories that only a longer path implies are there, too."""

    def __init__(self, files: Mapping[str, Node]) -> None:
        self._files = files
        self.children: dict[str, dict[str, None]] = {}
        for path in files:
            self.add(path)

    def add(self, path: str) -> None:
        path = path.rstrip("/") or "/"
        while path != "/":
            folder, name = posixpath.split(path)
            names = self.children.setdefault(folder, {})
            if name in names:
                return
            names[name] = None
            path = folder

    def remove(self, path: str) -> None:
        path = path.rstrip("/")
        while path and path != "/" and path not in self._files and f"{path}/" not in self._files and not self.children.get(path):
            self.children.pop(path, None)
            folder, name = posixpath.split(path)
            self.children.get(folder, {}).pop(name, None)
            path = folder

    def names(self, folder: str) -> Iterable[str]:
        return self.children.get(folder, ())

    def __contains__(self, folder: str) -> bool:
        return bool(self.children.get(folder))


class Layer:
    """What lies under what is written: an image's own files. Never changed."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._index = Index(nodes)

    def get(self, path: str) -> Node | None:
        """The node of a key ("/etc/hosts", "/etc/")."""
        found = self.nodes.get(path)
        if found is None and path.endswith("/") and path[:-1] in self._index:
            return {}
        return found

    def names(self, folder: str) -> Iterable[str]:
        return self._index.names(folder)


class Layers:
    """Several layers; the first one that has something shows it."""

    def __init__(self, *layers: Any) -> None:
        self._layers = layers

    def get(self, path: str) -> Node | None:
        for layer in self._layers:
            found = layer.get(path)
            if found is not None:
                return found
        return None

    def names(self, folder: str) -> Iterable[str]:
        return dict.fromkeys(name for layer in self._layers for name in layer.names(folder))


NOTHING = Layer({})
