"""Why a thing of a room's cluster is as it is: the whole answer, for anything that is drawn or kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.live import why
from server.rooms.room import RoomError
from server.web import asked

http = Blueprint("why", __name__)


@http.get("/r/<name>/why")
def get_why(name: str) -> dict[str, Any]:
    """``?id=Kind/namespace/name``; ``&revision=`` as it was then."""
    room = asked.then(name)
    with room.turn():
        found = room.while_still(why.explain, room.cluster, request.args.get("id", ""))
    if found is None:
        raise RoomError("there is no such thing in this cluster", 404)
    return found
