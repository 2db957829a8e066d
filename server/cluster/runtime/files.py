"""A machine's file system as its programs change it: writing, making, moving, removing, and the facts of what is there.

Each change gives "" or why not in the system's words (``errno``): read-only, not the user's, full, or in the way. What a machine shows and
where its paths lead is ``mount_namespace``'s. ``node`` and ``put`` carry a whole file with its facts from place to place.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html (2.3 error numbers)
"""

from __future__ import annotations

import posixpath
from typing import Any

from server.cluster import inodes
from server.cluster.disks import Tree
from server.cluster.errno import (
    BUSY,
    CROSS_DEVICE,
    DENIED,
    EXISTS,
    INVALID,
    IS_DIRECTORY,
    NAME_TOO_LONG,
    NO_SPACE,
    NOT_DIRECTORY,
    NOT_EMPTY,
    NOT_FOUND,
    NOT_PERMITTED,
    READ_ONLY,
    TOO_LARGE,
)
from server.cluster.inodes import Node
from server.cluster.runtime.mount_namespace import DEVICES, LIMIT, MOST_FILES, PATH_MAX, WRITE, Astray, MountNamespace

RING = 32 * 1024  # characters that are left of a file that grew beyond ``LIMIT``
MOST_BYTES = 1 << 50
DEEPEST = 100  # directories in one another; Linux bounds the path alone


class Files(MountNamespace):
    """What its users hold of it; see ``MountNamespace`` for how it is made."""

    def _changed(self) -> None:
        for callback in tuple(self._followers):
            callback()
        self._tell()

    def _stored(self, tree: Tree, inside: str, new: Node) -> str:
        fault = tree.put(inside, new)
        if not fault:
            self._changed()
        return fault

    def _touched(self, path: str) -> None:
        """Something came into or left a directory."""
        folder = posixpath.dirname(path)
        tree, inside = self._place(folder)
        kind, found = tree.look(inside)
        if kind == "directory" and tree.put is not None and found is not None and inside not in ("/", ""):
            own = tree.files.get(inside.rstrip("/") + "/")
            if own is not None:
                tree.put(inside.rstrip("/") + "/", inodes.changed(own, mtime=self._stamp()))

    def _stamp(self) -> float:
        return round(self.now(), 3)

    def _room(self, path: str) -> str:
        """Why nothing can be made at a path: its directory is not there, or not the user's."""
        folder = posixpath.dirname(path)
        tree, inside, kind, found, real = self._find(folder)
        if kind and kind != "directory":
            return NOT_DIRECTORY
        if not kind:
            if self.strict or tree is not self._mine:
                return NOT_DIRECTORY if self.why_not(folder) == NOT_DIRECTORY else NOT_FOUND
            return ""
        if self.user and not self.may(folder, WRITE):
            return DENIED
        return ""

    def _fresh(self, path: str, text: str = "", **facts: Any) -> dict[str, Any]:
        """A new file; in a directory with the set-group-ID bit it has that one's group."""
        folder = self.stat(posixpath.dirname(path))
        group = folder.gid if folder is not None and folder.mode & 0o2000 else self.groups[0] if self.groups else 0
        return inodes.node(text, mtime=self._stamp(), uid=self.user, gid=group, **facts)

    def write(self, path: str, text: str, append: bool = False) -> str:
        """"" or why it cannot be written."""
        if path in DEVICES:
            return ""
        try:
            tree, inside, kind, found, real = self._find(path)
        except Astray as astray:
            return str(astray)
        if kind == "directory":
            return IS_DIRECTORY
        if kind in ("char", "block", "socket", "fifo"):
            return ""
        if tree.put is None:
            return READ_ONLY
        if kind == "file":
            if self.user and not self.may(real, WRITE):
                return DENIED
            if append and not text:
                return ""
            return self._stored(tree, inside, self._rewritten(found, text, append)) if append or len(text) <= LIMIT else TOO_LARGE
        if fault := self._room(real):
            return fault
        if len(text) > LIMIT and not append:
            return TOO_LARGE
        fault = self._stored(tree, inside, self._fresh(real, text[-LIMIT:]))
        if not fault:
            self._touched(real)
        return fault

    def _rewritten(self, found: Node, text: str, append: bool) -> Node:
        facts = {} if isinstance(found, str) else {name: found[name] for name in ("mode", "uid", "gid") if name in found}
        hole, lost, sparse = 0, 0, 0
        if append:
            given = {} if isinstance(found, str) else found
            hole, lost, before = given.get("hole", 0), given.get("lost", 0), inodes.text_of(found)
            sparse = given.get("sparse", 0)
            if given.get("pad"):
                hole, lost, before = (hole + given["pad"], lost, "") if not before else (0, lost + hole + len(before) + given["pad"], "")
            text = before + text
            if len(text) > LIMIT:
                lost, hole, sparse, text = lost + hole + len(text) - RING, 0, 0, text[-RING:]
        made = inodes.node(text, hole=hole, lost=lost, sparse=min(sparse, hole), mtime=self._stamp())
        made.update(facts)
        return made

    def put(self, path: str, new: Node) -> str:
        """Makes or replaces a file as a whole, its facts included ("" or why not)."""
        try:
            tree, inside, kind, _, real = self._find(path, last=False)
        except Astray as astray:
            return str(astray)
        if kind == "directory":
            return IS_DIRECTORY
        if tree.put is None:
            return READ_ONLY
        if fault := self._room(real):
            return fault
        if inodes.held(new) > LIMIT:
            return TOO_LARGE
        fault = self._stored(tree, inside, new)
        if not fault and not kind:
            self._touched(real)
        return fault

    def node(self, path: str, follow: bool = True) -> Node | None:
        """A file as data, to be put elsewhere."""
        try:
            _, _, kind, found, _ = self._find(path, follow)
        except Astray:
            return None
        return found if kind else None

    def touch(self, path: str, mtime: float | None = None, create: bool = True, follow: bool = True) -> str:
        """Sets the time of what is there (of a link itself, not to ``follow`` it), else makes an empty file."""
        if path in DEVICES:
            return ""
        try:
            tree, inside, kind, found, real = self._find(path, follow)
        except Astray as astray:
            return str(astray)
        if not kind:
            if not create:
                return ""
            if tree.put is None:
                return self._room(real) or READ_ONLY
            fault = self._room(real) or self._stored(tree, inside, self._fresh(real) | ({"mtime": mtime} if mtime is not None else {}))
            if not fault:
                self._touched(real)
            return fault
        return self._refacted(tree, inside, kind, found, real, mtime=self._stamp() if mtime is None else mtime)

    def chmod(self, path: str, mode: int) -> str:
        return self._set(path, True, mode=mode & 0o7777)

    def chown(self, path: str, uid: int | None, gid: int | None, follow: bool = True) -> str:
        if self.user and (uid not in (None, self.user) or gid is not None and gid not in self.groups):
            return NOT_PERMITTED if self.stat(path) is not None else NOT_FOUND
        return self._set(path, follow, **({"uid": uid} if uid is not None else {}), **({"gid": gid} if gid is not None else {}))

    def _set(self, path: str, follow: bool, **facts: Any) -> str:
        try:
            tree, inside, kind, found, real = self._find(path, follow)
        except Astray as astray:
            return str(astray)
        return self._refacted(tree, inside, kind, found, real, **facts) if kind else NOT_FOUND

    def _refacted(self, tree: Tree, inside: str, kind: str, found: Node, real: str, **facts: Any) -> str:
        if tree.put is None:
            return READ_ONLY
        if self.user and inodes.facts_of(kind, found, self.born)[2] != self.user:
            return DENIED if facts.keys() == {"mtime"} else NOT_PERMITTED
        key = inside.rstrip("/") + "/" if kind == "directory" else inside
        if key == "/" and tree is not self._mine:
            return ""
        if kind == "directory" and not isinstance(found, dict):
            found = {}
        new = inodes.changed(found, **facts)
        if "mtime" not in new and not isinstance(found, str):
            new["mtime"] = self.born
        return self._stored(tree, key, new)

    def truncate(self, path: str, size: int, allocate: bool = False) -> str:
        """Makes a file exactly so long, with zeros if need be, which take room only if it is to ``allocate`` them; it is made if it is not
        there."""
        if path in DEVICES:
            return INVALID
        if not 0 <= size <= MOST_BYTES:
            return TOO_LARGE
        if fault := self.write(path, "", append=True):
            return fault
        tree, inside, kind, found, _ = self._find(path)
        if kind != "file":
            return INVALID
        if not isinstance(found, str) and found.get("lost"):
            return TOO_LARGE if size else self.write(path, "")
        given, text = ({}, found) if isinstance(found, str) else (found, inodes.text_of(found))
        hole, bytes_ = given.get("hole", 0), inodes.encoded(text) if not text.isascii() else text
        if size <= hole:
            hole, bytes_ = size, bytes_[:0]
        pad = max(0, size - hole - len(bytes_))
        bytes_ = bytes_[:size - hole]
        text = bytes_ if isinstance(bytes_, str) else inodes.decoded(bytes_)
        if not text:
            hole, pad = hole + pad, 0
        grown = max(0, size - inodes.size_of(found))
        sparse = 0 if allocate and not grown else min(hole + pad, given.get("sparse", 0) + (0 if allocate else grown))
        made = inodes.node(text, hole=hole, pad=pad, sparse=sparse, mtime=self._stamp())
        made.update({name: given[name] for name in ("mode", "uid", "gid") if name in given})
        return self._full(tree, grown if allocate else 0) or self._stored(tree, inside, made)

    def _full(self, tree: Tree, more: int) -> str:
        space = tree.space() if tree.space is not None and more > 0 else None
        return NO_SPACE if space is not None and space.size and space.used + more > space.size else ""

    def make_directory(self, path: str, parents: bool = False, mode: int | None = None) -> str:
        """"" or why it cannot be made; with ``parents`` one that is there already is fine."""
        if path.count("/") > DEEPEST or len(path) > PATH_MAX:
            return NAME_TOO_LONG
        try:
            tree, inside, kind, _, real = self._find(path)
        except Astray as astray:
            return str(astray)
        if kind:
            return "" if parents and kind == "directory" else EXISTS
        fault = self._room(real)
        if fault == NOT_FOUND and parents:
            fault = self.make_directory(posixpath.dirname(real), True)
        if fault:
            return fault
        if tree.put is None:
            return READ_ONLY
        facts = self._fresh(real)
        if mode is not None:
            facts["mode"] = mode
        if tree.under is not inodes.NOTHING and tree.under.get(inside.rstrip("/") + "/") is not None:
            facts["opaque"] = 1
        fault = self._stored(tree, inside.rstrip("/") + "/", facts)
        if not fault:
            self._touched(real)
        return fault

    def symlink(self, target: str, path: str) -> str:
        """Makes a symbolic link at a path."""
        try:
            tree, inside, kind, _, real = self._find(path, last=False)
        except Astray as astray:
            return str(astray)
        if kind:
            return EXISTS
        if tree.put is None:
            return READ_ONLY
        if fault := self._room(real):
            return fault
        fault = self._stored(tree, inside, {"link": target, **self._fresh(real)})
        if not fault:
            self._touched(real)
        return fault

    def remove(self, path: str, recursive: bool = False) -> str:
        """Removes a file or a link, or with ``recursive`` whatever it is."""
        try:
            tree, inside, kind, _, real = self._find(path, last=False)
        except Astray as astray:
            return str(astray)
        if not kind:
            return NOT_FOUND
        if kind == "directory" and not recursive:
            return IS_DIRECTORY
        if tree.remove is None or tree.put is None:
            return READ_ONLY
        top = inside == (tree.root.rstrip("/") or "/") and tree is not self._mine
        mounted = top or self._mounted_below(real) != []
        if mounted and not (top and kind == "directory"):
            return BUSY
        if self.user and not top and not self.may(posixpath.dirname(real), WRITE):
            return DENIED
        folder = inside.rstrip("/") + "/"
        fault = ""
        tree.remove([name for name in tree.all(inside) if not (top and name == folder)])
        if tree.under is not inodes.NOTHING and tree.shows(inside):
            key = folder if kind == "directory" else inside
            if tree.under.get(key) is not None:
                fault = tree.put(key, {"gone": 1})
        self._touched(real)
        self._changed()
        return fault or (BUSY if mounted else "")

    def remove_directory(self, path: str) -> str:
        """Removes an empty directory."""
        found = self.stat(path, follow=False)
        if found is None:
            return NOT_FOUND
        if found.kind != "directory":
            return NOT_DIRECTORY
        return NOT_EMPTY if self.names(path) else self.remove(path, recursive=True)

    def rename(self, old: str, new: str) -> str:
        """Moves within one file system; CROSS_DEVICE otherwise."""
        try:
            tree, inside, kind, found, real = self._find(old, last=False)
            other, into, there, _, target = self._find(new, last=False)
        except Astray as astray:
            return str(astray)
        if not kind:
            return NOT_FOUND
        if self._place_id(real) != self._place_id(target):
            return CROSS_DEVICE
        if real == target:
            return ""
        if tree.put is None:
            return READ_ONLY
        if kind == "directory" and target.startswith(real + "/"):
            return INVALID
        if there == "directory" and kind != "directory":
            return IS_DIRECTORY
        if there and there != "directory" and kind == "directory":
            return NOT_DIRECTORY
        if there == "directory" and self.names(target):
            return NOT_EMPTY
        fault = self._room(target)
        if not fault and self.user and not self.may(posixpath.dirname(real), WRITE):
            fault = DENIED
        if not fault and (inside == (tree.root.rstrip("/") or "/") or self._mounted_below(real)):
            fault = BUSY
        return fault or self._moved(tree, inside, into, kind, real, target)

    def _place_id(self, path: str) -> str:
        if path.startswith("/proc/") and (other := self.elsewhere(path)) is not None:
            return "/".join([*path.split("/", 4)[:4], other[0]._place_id(other[1]).lstrip("/")])
        return next((top for top, _ in self._points if path == top or path.startswith(top + "/")), "/")

    def _moved(self, tree: Tree, inside: str, into: str, kind: str, real: str, target: str) -> str:
        moving = self._all_below(tree, inside, kind)
        if self.stat(target, follow=False) is not None:
            self.remove(target, recursive=True)
        for key, found in moving.items():
            new = inodes.changed(found) if isinstance(found, dict) else found
            if isinstance(new, dict) and "mtime" not in new:
                new["mtime"] = self.born
            if key == inside.rstrip("/") + "/" and tree.under is not inodes.NOTHING and tree.under.get(into.rstrip("/") + "/") is not None:
                new = {**new, "opaque": 1}
            if fault := tree.put(into + key[len(inside):], new):
                return fault
        return self.remove(real, recursive=True)

    def _all_below(self, tree: Tree, path: str, kind: str) -> dict[str, Node]:
        """What is at and below a path by its key, layers and all; at most so much as may be written anew."""
        found: dict[str, Node] = {}
        waiting = [(path, kind)]
        while waiting and len(found) <= MOST_FILES:
            here, what = waiting.pop()
            node = tree.look(here)[1]
            found[here.rstrip("/") + "/" if what == "directory" else here] = (
                {key: value for key, value in node.items() if key != "opaque"} if isinstance(node, dict) else node)
            if what == "directory":
                waiting.extend((name, tree.kind(name)) for name in (posixpath.join(here, each) for each in tree.names(here)))
        return found
