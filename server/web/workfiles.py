"""The files of a room's workstation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from server.rooms import files
from server.web import asked

http = Blueprint("workfiles", __name__)


@http.get("/r/<name>/files")
def get_files(name: str) -> dict[str, Any]:
    live = asked.live(name)
    with live.room.turn():
        return {"files": files.listing(live.workstation().files)}


@http.get("/r/<name>/files/<path:file>")
def get_file(name: str, file: str) -> Response:
    live = asked.live(name)
    with live.room.turn():
        return Response(files.read(live.workstation().files, file), mimetype="text/plain")


@http.put("/r/<name>/files/<path:file>")
def put_file(name: str, file: str) -> dict[str, str]:
    live = asked.live(name)
    text = asked.text("file")
    with live.room.turn():
        files.write(live.workstation().files, file, text)
    live.room.after_write()
    return {"name": file}


@http.delete("/r/<name>/files/<path:file>")
def delete_file(name: str, file: str) -> dict[str, str]:
    live = asked.live(name)
    with live.room.turn():
        files.remove(live.workstation().files, file)
    live.room.after_write()
    return {"deleted": file}
