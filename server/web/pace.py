"""A room's clock and its scene."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from server.web import asked

http = Blueprint("pace", __name__)


@http.get("/r/<name>/scene")
def get_scene(name: str) -> dict[str, Any]:
    return asked.live(name).snapshot()


@http.post("/r/<name>/clock")
def post_clock(name: str) -> dict[str, Any]:
    room = asked.room(name)
    data = asked.body()
    paused, speed = asked.given(data, "paused", bool, "true or false"), asked.given(data, "speed", (int, float), "a number")
    advance = asked.given(data, "advance", (int, float), "a number of seconds")
    if paused is not None or speed is not None:
        room.set_clock(paused, speed)
    if data.get("step"):
        room.step()
    if advance is not None:
        room.advance(advance)
    return room.clock()
