"""Applying the editor's YAML: a result a document, each as kubectl prints it, and for what is wrong the line and column.

The text is read once with the place of every field; each document then goes through the terminal's own ``kubectl apply``, and the
fields that an error names are looked up in the text.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from typing import Any

import orjson

from server import green
from server.cluster.process import Process
from server.cluster.yamltext import Document, load_yaml
from server.kubectl import main as kubectl
from server.kubectl.context import Context
from server.rooms.files import GivenFiles
from server.rooms.room import Room, RoomError
from server.rooms.whereabouts import faults_of, field_of

SOURCE = "manifest.yaml"
MAX_DOCUMENTS = 200
MAX_NAME = 200
DEADLINE = 30.0
TURN = 0.002


def source(name: str) -> str:
    """What kubectl calls the file: its name, where kubectl takes that for one file's and no address, folder, pattern or option."""
    plain = name.isprintable() and len(name) <= MAX_NAME and not name.startswith("-") and not name.endswith("/") and not set(name) & set(":*?[")
    return name if name and plain else SOURCE


def read(room: Room, text: str) -> list[Document]:
    """The documents of a text, the room's others coming in between. RoomError 413 if it is too large or they are too many."""
    if len(text.encode()) > room.settings.max_manifest:
        raise RoomError(f"the YAML is larger than {room.settings.max_manifest} bytes", 413)
    with room.seat():
        documents = load_yaml(text, room.settings.max_manifest, green.breather(TURN, room.pause))
    if len(documents) > MAX_DOCUMENTS:
        raise RoomError(f"more than {MAX_DOCUMENTS} documents at once", 413)
    return documents


def apply(room: Room, text: str, dry_run: bool = False, name: str = SOURCE) -> list[dict[str, Any]]:
    """Applies every document in order; one that fails does not keep the others from being applied, as in kubectl. ``name``: ``source``'s."""
    documents = read(room, text)
    if not documents:
        return [{"ok": False, "error": "error: no objects passed to apply", "line": 1, "column": 1}]
    results = []
    for document in documents:
        with room.turn():
            results.append(_unreadable(document, name) if document.error else _applied(room, document, dry_run, name))
        room.pause()
    if not dry_run:
        room.after_write()
    return results


def _unreadable(document: Document, name: str) -> dict[str, Any]:
    error = document.error
    return {"ok": False, "error": f"error: error parsing {name}: {error.message}", "line": error.line, "column": error.column}


def _applied(room: Room, document: Document, dry_run: bool, name: str) -> dict[str, Any]:
    out: list[str] = []
    err: list[str] = []
    done = green.Event()
    files = GivenFiles({name: orjson.dumps(document.obj).decode()})
    arguments = ["apply", "-f", name, *(["--dry-run=server"] if dry_run else [])]
    context = Context(room.cluster.api, room.cluster.clock, files, _Writer(out), _Writer(err))
    process = Process(room.cluster.clock, _program(arguments, context), done.send)
    with room.cluster.api.heard.quietly() if dry_run else nullcontext():
        room.instant()
    if not green.wait_for(done, DEADLINE):
        process.kill()
        return {"ok": False, "error": "podium: apply did not finish", "line": document.line, "column": 1}
    return _result(document, "".join(out), "".join(err), done.wait())


def _program(arguments: list[str], context: Context) -> Generator[Any, Any, Any]:
    return (yield from kubectl.run(arguments, context))


class _Writer:
    def __init__(self, parts: list[str]) -> None:
        self.write = parts.append


def _result(document: Document, out: str, err: str, code: Any) -> dict[str, Any]:
    obj = document.obj if isinstance(document.obj, dict) else {}
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    about = {"kind": obj.get("kind"), "name": meta.get("name"), "namespace": meta.get("namespace"), "line": document.line}
    about = {field: value for field, value in about.items() if value is not None}
    warnings = [line.removeprefix("Warning: ") for line in err.splitlines() if line.startswith("Warning: ")]
    repeats = [{"line": repeat.line, "column": repeat.column, "message": f'key "{repeat.key}" is given twice; the last one counts'}
               for repeat in document.repeated]
    if code == 0:
        return {"ok": True, "message": out.strip(), **about, **({"warnings": warnings} if warnings else {}),
                **({"repeated": repeats} if repeats else {})}
    error = "\n".join(line for line in err.splitlines() if not line.startswith("Warning: ")).strip() or f"exit code {code}"
    field = field_of(error, obj)
    line, column = document.position(field) if field else (document.line, 1)
    marks = [{"error": fault, "line": at[0], "column": at[1]} for fault, path in faults_of(error) for at in (document.position(path),)]
    return {"ok": False, "error": error, **about, "line": line, "column": column, **({"field": field} if field else {}),
            **({"marks": marks} if len(marks) > 1 else {})}
