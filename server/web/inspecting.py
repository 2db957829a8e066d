"""One thing of a room's cluster from every side."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.live import inspect
from server.rooms.room import RoomError
from server.web import asked

http = Blueprint("inspecting", __name__)


@http.get("/r/<name>/inspect")
def get_inspect(name: str) -> dict[str, Any]:
    room = asked.room(name)
    with room.turn():
        found = room.while_still(inspect.inspect, room.cluster, request.args.get("id", ""))
    if found is None:
        raise RoomError("there is no such thing in this cluster", 404)
    return found
