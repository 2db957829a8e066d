"""What the file system of a machine shows: pathname resolution over its own tree and the volumes that are mounted into it.

A path below a mount belongs to the mounted volume, a ``Tree`` (see ``disks``) that others may mount too; any other path is the machine's
own: what its image holds, and what its programs have written over it; how much that is has bounds, for one container and for all. Symbolic
links are followed, modes and owners held to ``user``. The kubelet says through ``source(mount)`` what a mount shows now.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap04.html (pathname resolution) and mount_namespaces(7)
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from server.cluster import inodes
from server.cluster.disks import LONGEST_NAME, LONGEST_PATH, MOST_LINKS, Space, Tree
from server.cluster.errno import (
    DENIED,
    NAME_TOO_LONG,
    NO_SPACE,
    NOT_DIRECTORY,
    NOT_FOUND,
    TOO_MANY_LINKS,
)
from server.cluster.inodes import Index, Layer, Layers, Node, Stat
from server.cluster.runtime.logs import Budget
from server.cluster.runtime.streams import Fault

LIMIT = 128 * 1024  # characters of one file
LARGEST, MOST_FILES = 1024 * 1024, 1024
BASIC = Layer({"/tmp/": {"mode": 0o1777}, "/etc/": {}, "/dev/": {}, "/dev/null": {"device": [1, 3], "mode": 0o666},  # noqa: S108
               "/dev/zero": {"device": [1, 5], "mode": 0o666}, "/dev/stdout": {"link": "/proc/self/fd/1"},
               "/dev/stderr": {"link": "/proc/self/fd/2"}})
DEVICES = frozenset({"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/stdout", "/dev/stderr",
                     "/dev/stdin", "/dev/console", "/dev/ptmx"})
READ, WRITE, RUN = 4, 2, 1
PATH_MAX = 4096
DOOR, MOST_DOORS = "/root/proc/", 8  # from one process's files (/proc/NUMBER/root) to another's, each a link


class NotSimulated(Exception):
    """The path lies on something that this file system does not have."""


class Mount(NamedTuple):
    """``expands``: the sub-path has names of variables in it."""

    path: str
    volume: str
    read_only: bool
    sub_path: str = ""
    expands: bool = False


class Astray(Fault):
    """A path that leads nowhere: its links lead to each other, or it is too long."""


class MountNamespace:
    """``base`` are files that are only read (of the image, or given by the kubelet), ``layer`` what lies under them; ``own`` is what the
    machine has written, as plain data, or ``root`` the disk on which it does. ``changed()`` is called after each change of either its own
    files or a volume's; ``now()`` is Unix time, ``born`` when the image was made. Without a ``layer`` missing directories are made."""

    def __init__(self, base: Mapping[str, Node], own: dict[str, Node], mounts: tuple[Mount, ...], source: Callable[[Mount], Tree],
                 changed: Callable[[], None], written: Budget | None = None, *, layer: Any = None, root: Tree | None = None,
                 now: Callable[[], float] = lambda: 0.0, born: float = 0.0, user: int = 0, groups: tuple[int, ...] = (0,),
                 read_only: bool = False, space: Callable[[], Space] | None = None) -> None:
        self.base = base
        self.own = own
        self.now, self.born = now, born
        self.user, self.groups = user, groups
        self.mounts = mounts
        self.strict = layer is not None
        self._written = written if written is not None else Budget()
        self._held = sum(len(path) + inodes.held(found) for path, found in own.items())
        self._points: list[tuple[str, Mount]] = []
        self._source = source
        self._tell = changed
        self._followers: dict[Callable[[], None], None] = {}
        self._index: Index | None = None
        self.elsewhere: Callable[[str], tuple[Any, str] | None] = lambda path: None
        under = Layers(*([Layer(base)] if base else []), layer if layer is not None else BASIC)
        if root is not None:
            self._mine = root._replace(under=Layers(root.under, under))
        else:
            self._mine = Tree(own, "", self._put, self._drop, None, self._indexed, under)
        self._mine = self._mine._replace(space=space or self._mine.space)
        if read_only:
            self._mine = self._mine.fixed()
        points = [(self._walked(posixpath.normpath(posixpath.join("/", mount.path)), True).rstrip("/"), mount) for mount in mounts]
        self._points = sorted(points, key=lambda point: -len(point[0]))

    # what it has written itself

    def _indexed(self) -> Index:
        if self._index is None:
            self._index = Index(self.own)
        return self._index

    @property
    def size(self) -> int:
        """Bytes of all that it has written itself."""
        return written(self.own)

    def _put(self, path: str, new: Node) -> str:
        before = self.own.get(path)
        more = inodes.held(new) - inodes.held(before) if before is not None else len(path) + inodes.held(new)
        if len(path) > LONGEST_PATH or max(map(len, path.split("/"))) > LONGEST_NAME:
            return NAME_TOO_LONG
        if more > 0 and (self._held + more > LARGEST or self._written.full or before is None and len(self.own) >= MOST_FILES):
            return NO_SPACE
        self.own[path] = new
        self._written.bytes += inodes.used_of(new) - (inodes.used_of(before) if before is not None else 0)
        if before is None and self._index is not None:
            self._index.add(path)
        self._account(more)
        return ""

    def _account(self, more: int) -> None:
        self._held += more
        self._written.used += more

    def _drop(self, paths: list[str]) -> None:
        for path in paths:
            gone = self.own.pop(path)
            self._written.bytes -= inodes.used_of(gone)
            self._account(-len(path) - inodes.held(gone))
            if self._index is not None:
                self._index.remove(path)

    # where a path leads

    def _place(self, path: str) -> tuple[Tree, str]:
        """(the tree that a path lies in, the path as that tree has it)."""
        if path.startswith("/proc/") and (other := self.elsewhere(path)) is not None:
            return _told(*other, self.user)
        for top, mount in self._points:
            if path == top or path.startswith(top + "/"):
                tree = self._source(mount).below(mount.sub_path)
                return tree.fixed() if mount.read_only else tree, tree.at(path[len(top):])
        return self._mine, path

    def disk_of(self, path: str) -> tuple[str, str]:
        """(the name of the disk that a path lies on, "" where it is none of ``Disks``; the path there)."""
        tree, inside = self._place(path)
        return getattr(tree.files, "disk", ""), inside

    def _mounted_below(self, path: str) -> list[str]:
        """Names in a directory that lead to mounts."""
        if path.startswith("/proc/") and (other := self.elsewhere(path)) is not None:
            return other[0]._mounted_below(other[1])
        folder = path.rstrip("/") + "/"
        return [top[len(folder):].partition("/")[0] for top, _ in self._points if top.startswith(folder)]

    def resolve(self, path: str, last: bool = True) -> str:
        """The path without links; ``last``: the last name's, too. Fault-free: what is not there stays as it is. ``Astray``."""
        if len(path) > PATH_MAX:
            raise Astray(NAME_TOO_LONG)
        return self._walked(posixpath.normpath(posixpath.join("/", path)), last)

    def _walked(self, path: str, last: bool) -> str:
        if path.startswith("//"):
            path = path[1:]
        if path.count(DOOR) > MOST_DOORS:
            raise Astray(TOO_MANY_LINKS)
        done, left, links = "", path.split("/")[1:] if path != "/" else [], 0
        while left:
            name = left.pop(0)
            here = f"{done}/{name}"
            if left or last:
                target = self._link(here)
                if target is not None:
                    links += 1
                    if links > MOST_LINKS:
                        raise Astray(TOO_MANY_LINKS)
                    whole = posixpath.normpath(posixpath.join(done or "/", target, *left))
                    if len(whole) > PATH_MAX or whole.count(DOOR) > MOST_DOORS:
                        raise Astray(TOO_MANY_LINKS)
                    done, left = "", whole.lstrip("/").split("/") if whole.strip("/") else []
                    continue
            done = here
        return done or "/"

    def _link(self, path: str) -> str | None:
        tree, inside = self._place(path)
        found = tree.files.get(inside)
        if found is None:
            if tree.under is inodes.NOTHING:
                return None
            found = tree.under.get(inside)
            if found is None or isinstance(found, str) or "link" not in found or not tree.shows(inside) or f"{inside}/" in tree.files:
                return None
        return found.get("link") if not isinstance(found, str) else None

    def _find(self, path: str, last: bool = True) -> tuple[Tree, str, str, Any, str]:
        """(tree, path in it, kind, node, path without links)."""
        path = self.resolve(path, last)
        door = not last and path.startswith("/proc/") and path.endswith("/root")  # a link to who walks past it
        tree, inside = (self._mine, path) if door else self._place(path)
        kind, found = tree.look(inside)
        if tree is not self._mine and kind in ("", "directory") and not found and inside == (tree.root.rstrip("/") or "/"):
            kind, found = "directory", tree.top
        elif not kind and (path == "/" or self._mounted_below(path)):
            kind, found = "directory", {}
        return tree, inside, kind, found, path

    # what is there

    def stat(self, path: str, follow: bool = True, counted: bool = False) -> Stat | None:
        """None if there is no such path. ``counted``: with the number of a directory's links."""
        try:
            tree, inside, kind, found, path = self._find(path, follow)
        except Astray:
            return None
        if not kind:
            return None
        mode, mtime, uid, gid = inodes.facts_of(kind, found, self.born)
        size = inodes.DIRECTORY_SIZE if kind == "directory" else inodes.size_of(found)
        links = 1
        if kind == "directory":
            size = found.get("size", size) if isinstance(found, dict) else size
            links = 2
            if counted:
                links += sum(self._find(posixpath.join(path, name), False)[2] == "directory" for name in self.names(path) or ())
        given = found if isinstance(found, dict) else {}
        return Stat(kind, mode, size, mtime, uid, gid, given.get("link", ""), zlib.crc32(path.encode("utf-8", "replace")) % 9_000_000 + 131_072,
                    given.get("links", links), tuple(given.get("device", (0, 0))), given.get("sparse", 0))

    def kind(self, path: str) -> str:
        """"file" (devices, too), "directory" or ""; links are followed."""
        if path in DEVICES:
            return "file"
        try:
            kind = self._find(path)[2]
        except Astray:
            return ""
        return kind if kind in ("", "directory") else "" if kind == "link" else "file"

    @property
    def points(self) -> list[str]:
        """Where something is mounted, in the order of the spec."""
        known = {id(mount): top for top, mount in self._points}
        return [known[id(mount)] or "/" for mount in self.mounts]

    def why_not(self, path: str) -> str:
        """Why what is not there cannot be found."""
        try:
            self.resolve(path)
        except Astray as astray:
            return str(astray)
        folder = ""
        for name in posixpath.dirname(posixpath.normpath(posixpath.join("/", path))).split("/")[1:]:
            folder = f"{folder}/{name}"
            kind = self.kind(folder)
            if kind != "directory":
                return NOT_DIRECTORY if kind else NOT_FOUND
            if not self.may(folder, RUN):
                return DENIED
        return NOT_FOUND

    def loops(self, path: str) -> bool:
        """Whether links on the way lead in a circle."""
        try:
            self.resolve(path)
        except Astray:
            return True
        return False

    def may(self, path: str, want: int) -> bool:
        """Whether the user may READ, WRITE or RUN what is there; only what is there is asked for."""
        found = self.stat(path)
        return found is None or self._allowed(found, want)

    def _allowed(self, found: Stat, want: int) -> bool:
        if self.user == 0:
            return want != RUN or found.kind == "directory" or bool(found.mode & 0o111)
        shift = 6 if found.uid == self.user else 3 if found.gid in self.groups else 0
        return (found.mode >> shift) & want == want

    def executable(self, path: str) -> bool:
        """Whether a file may be run."""
        return self.may(path, RUN)

    def read(self, path: str) -> str | None:
        """The text of a file, as far as it is kept; None if there is none."""
        if path in DEVICES:
            return ""
        try:
            tree, _, kind, found, _ = self._find(path)
        except Astray:
            return None
        if kind != "file":
            return "" if kind in ("char", "block", "fifo", "socket") else None
        text = inodes.text_of(found)
        if isinstance(found, str) or not (found.get("hole") or found.get("pad")):
            return text
        zeros = LIMIT - len(text)
        return "\0" * min(found.get("hole", 0), zeros) + text + "\0" * min(found.get("pad", 0), zeros)

    def chunk(self, path: str, at: int, size: int) -> tuple[str, int]:
        """(up to ``size`` characters of a file from ``at``, where to go on); zeros come as they would."""
        try:
            found = self._find(path)[3]
        except Astray:
            return "", at
        if found is None or isinstance(found, str):
            part = (found or "")[at:at + size]
            return part, at + len(part)
        text, hole = inodes.text_of(found), found.get("hole", 0)
        at = max(at, found.get("lost", 0))
        start = at - found.get("lost", 0)
        if start < hole:
            part = "\0" * min(size, hole - start)
        elif start < hole + len(text):
            part = text[start - hole:start - hole + size]
        else:
            part = "\0" * max(0, min(size, hole + len(text) + found.get("pad", 0) - start))
        return part, at + len(part)

    def names(self, path: str) -> list[str] | None:
        """What lies in a directory; the path itself for a file; None if there is no such path."""
        try:
            tree, inside, kind, _, real = self._find(path)
        except Astray:
            return None
        if kind and kind != "directory":
            return [path]
        mounted = self._mounted_below(real)
        if not kind:
            return None
        return sorted({*tree.names(inside), *mounted}) if mounted else tree.names(inside)

    def follow(self, path: str, callback: Callable[[], None]) -> Callable[[], None]:
        """``callback()`` whenever the file may have changed, until what this returns is called."""
        try:
            path = self.resolve(path)
        except Astray:
            path = "/"
        tree, _ = self._place(path)
        if tree is not self._mine or self._mine.listen is not None:
            return tree.listen(callback) if tree.listen is not None else lambda: None
        self._followers[callback] = None
        return lambda: self._followers.pop(callback, None)

    def mount_of(self, path: str) -> tuple[str, Space, bool]:
        """(where the file system of a path is mounted, what it is, whether it is read-only)."""
        try:
            path = self.resolve(path)
        except Astray:
            path = "/"
        for top, mount in self._points:
            if path == top or path.startswith(top + "/"):
                tree = self._source(mount)
                return top or "/", tree.space() if tree.space is not None else Space("tmpfs", "tmpfs"), mount.read_only or tree.put is None
        return "/", self._mine.space() if self._mine.space is not None else Space("overlay", "overlay"), self._mine.put is None


def _told(other: MountNamespace, path: str, user: int) -> tuple[Tree, str]:
    """Where a path of another machine lies, for ``user`` who comes in from beside it: nothing is shown to those who may not look. That one
    is told of what is written."""
    tree, inside = other._place(path)
    if user not in (0, other.user):
        return Tree({}, "/", top={"mode": 0}), path

    def put(name: str, new: Node) -> str:
        fault = tree.put(name, new)
        other._tell()
        return fault

    def remove(names: list[str]) -> None:
        tree.remove(names)
        other._tell()

    return tree._replace(put=put if tree.put is not None else None, remove=remove if tree.remove is not None else None), inside


def written(own: Mapping[str, Node]) -> int:
    """Bytes of what a container has written itself."""
    return sum(inodes.used_of(found) for found in own.values())


def kept(own: Mapping[str, Node]) -> int:
    """Characters that keeping it costs (see ``Budget``)."""
    return sum(len(path) + inodes.held(found) for path, found in own.items())
