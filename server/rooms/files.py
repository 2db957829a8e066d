"""The files of a room's workstation, as the editor and HTTP see them: what lies below the home directory.

In: the workstation's ``Files``, names as paths from the home directory. Out: texts, or a ``RoomError``. The example manifests are there
from the beginning: they lie under what is written, so that a room that changes none of them keeps none of them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from server.cluster.runtime.files import Files
from server.rooms.room import RoomError

EXAMPLES = Path(__file__).parent / "examples"
DISK, HOME = "workstation", "/root"
SHOWN, DEEP = 200, 5


class GivenFiles:
    """The files of a kubectl that is run for somebody: these, to be read."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def read(self, path: str) -> str:
        if path not in self._texts:
            raise FileNotFoundError(path)
        return self._texts[path]

    def write(self, path: str, text: str) -> None:
        raise PermissionError(path)

    def exists(self, path: str) -> bool:
        return path in self._texts

    def listdir(self, path: str) -> list[str]:
        return sorted(self._texts)


def examples() -> list[dict[str, str]]:
    """The manifests that the editor offers: name, title (the first comment line) and text, in order of file name."""
    found = []
    for path in sorted(EXAMPLES.glob("*.y*ml")):
        text = path.read_text()
        first, _, rest = text.partition("\n")
        title = first.removeprefix("#").strip() if first.startswith("#") else path.stem
        found.append({"name": path.name, "title": title, "yaml": rest if first.startswith("#") else text})
    return found


def listing(files: Files) -> list[dict[str, Any]]:
    """The files below the home directory, name and size; hidden ones and very deep ones are left out."""
    found = []
    for name in _below(files, "", DEEP):
        found.append({"name": name, "size": files.stat(f"{HOME}/{name}").size})
        if len(found) == SHOWN:
            break
    return found


def _below(files: Files, folder: str, deep: int) -> Iterator[str]:
    for name in sorted(files.names(f"{HOME}/{folder}") or ()):
        if name.startswith("."):
            continue
        path = f"{folder}{name}"
        if files.kind(f"{HOME}/{path}") != "directory":
            yield path
        elif deep:
            yield from _below(files, f"{path}/", deep - 1)


def read(files: Files, name: str) -> str:
    """RoomError 404."""
    path = path_of(name)
    text = files.read(path) if files.kind(path) == "file" else None
    if text is None:
        raise RoomError(f"{name}: No such file or directory", 404)
    return text


def write(files: Files, name: str, text: str) -> None:
    """Writes a file, with its directories. RoomError where that cannot be."""
    path = path_of(name)
    fault = files.make_directory(posixpath.dirname(path), parents=True) or files.write(path, text)
    if fault:
        raise RoomError(f"{name}: {fault}", 413 if "space" in fault or "large" in fault else 400)


def remove(files: Files, name: str) -> None:
    """RoomError 404."""
    read(files, name)
    if fault := files.remove(path_of(name)):
        raise RoomError(f"{name}: {fault}")


def name_of(path: str) -> str:
    """What the editor calls a path of the disk; "" if it does not show it."""
    name = path[len(HOME) + 1:] if path.startswith(f"{HOME}/") and not path.endswith("/") else ""
    return "" if any(part.startswith(".") for part in name.split("/")) else name


def path_of(name: str) -> str:
    path = posixpath.normpath(posixpath.join(HOME, name))
    if not path.startswith(f"{HOME}/") or "\0" in path:
        raise RoomError(f"{name}: files lie below {HOME}")
    return path
