"""What one who is near to pods sees of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.live import near
from server.rooms.room import RoomError
from server.web import asked

http = Blueprint("near", __name__)


@http.get("/r/<name>/near")
def get_near(name: str) -> dict[str, Any]:
    """``?ids=`` thing ids of pods, separated by commas, ``near.MAX_PODS`` at most; ``&revision=`` as they were then."""
    room = asked.then(name)
    ids = [one for one in request.args.get("ids", "").split(",") if one]
    if len(ids) > near.MAX_PODS:
        raise RoomError(f"no more than {near.MAX_PODS} pods at once")
    with room.turn():
        return {"pods": room.while_still(near.near, room.cluster, ids)}
