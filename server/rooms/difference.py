"""What applying a text would change: manifests in; for each document the live object and the one that Apply would leave, as YAML, out.

Both are the API server's: the live object, and its own answer to a dry run. So a default that it filled in is in both, and only what the
manifest changes differs. What always differs (resourceVersion, generation, managed fields) and status are left out.
"""

from __future__ import annotations

from typing import Any

import orjson

from server.cluster.errors import ApiError
from server.kubectl import resources
from server.kubectl.commands import diff
from server.kubectl.context import Context
from server.kubectl.errors import CommandError, Errors, render
from server.kubectl.flags import Flags
from server.kubectl.globalflags import GLOBAL_FLAGS
from server.kubectl.writing import LAST_APPLIED
from server.kubectl.yamlout import to_yaml
from server.rooms.apply import SOURCE, read
from server.rooms.files import GivenFiles
from server.rooms.room import Room
from server.rooms.whereabouts import field_of

NOISE = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink")


class _Nowhere:
    @staticmethod
    def write(text: str) -> None:
        pass


def difference(room: Room, text: str) -> list[dict[str, Any]]:
    """One entry a document: ``live`` is "" for an object that does not exist yet; ``error`` where the API server would refuse."""
    told = []
    for document in read(room, text):
        if document.error:
            error = document.error
            told.append({"error": f"error parsing {SOURCE}: {error.message}", "line": error.line, "column": error.column})
            continue
        with room.still(), room.cluster.api.heard.quietly():
            told.append({"line": document.line, **_compared(room, document)})
        room.pause()
    return told


def _compared(room: Room, document: Any) -> dict[str, Any]:
    files = GivenFiles({SOURCE: orjson.dumps(document.obj).decode()})
    context = Context(room.cluster.api, room.cluster.clock, files, _Nowhere, _Nowhere)
    command = next(command for command in diff.COMMANDS if command.name == "diff")
    obj = document.obj if isinstance(document.obj, dict) else {}
    about = {"kind": obj.get("kind"), "name": (obj.get("metadata") or {}).get("name") if isinstance(obj.get("metadata"), dict) else None}
    try:
        flags = Flags((*GLOBAL_FLAGS, *command.flags))
        found = resources.find(context, [], filenames=[SOURCE], fetch=False, validate=True)
        if found.errors:
            raise Errors(found.errors)
        shown: list[dict[str, Any]] = []
        for info in found.infos:
            live, merged = diff.versions(context, info, flags, field_validation="Strict")
            shown.append({"kind": info.resource.kind, "name": info.name, "namespace": info.namespace,
                          "live": to_yaml(_plain(live)) if live is not None else "", "merged": to_yaml(_plain(merged))})
        return shown[0] if len(shown) == 1 else {**about, **{side: "---\n".join(one[side] for one in shown) for side in ("live", "merged")}}
    except (ApiError, CommandError, Errors) as error:
        said = render(error)[0].strip()
        field = field_of(said, document.obj)
        line, column = document.position(field) if field else (document.line, 1)
        return {**about, "error": said, "line": line, "column": column}


def _plain(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in obj.get("metadata", {}).items() if key not in NOISE}
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    meta.pop("annotations", None)
    meta |= {"annotations": annotations} if annotations else {}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}
