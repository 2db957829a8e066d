"""A room's clock and its scene."""

from __future__ import annotations

from math import isfinite
from typing import Any

from flask import Blueprint, request

from server.live import timeline
from server.rooms import until
from server.rooms.room import RoomError
from server.web import asked

http = Blueprint("pace", __name__)


@http.get("/r/<name>/scene")
def get_scene(name: str) -> dict[str, Any]:
    live, revision, given = asked.live(name), asked.revision(), request.args.get("time", type=float)
    moment = given if given is not None and isfinite(given) else None
    if revision is None and moment is not None:
        revision = timeline.newest(live.room.cluster, moment)
    return live.snapshot() if revision is None else live.past(revision, moment)


@http.get("/r/<name>/timeline")
def get_timeline(name: str) -> dict[str, Any]:
    live = asked.live(name)
    with live.room.turn():
        return live.room.while_still(live.timeline.tell, request.args.get("since", 0, type=int))


@http.post("/r/<name>/clock")
def post_clock(name: str) -> dict[str, Any]:
    room = asked.room(name)
    data = asked.body()
    paused, speed = asked.given(data, "paused", bool, "true or false"), asked.given(data, "speed", (int, float), "a number")
    advance = asked.given(data, "advance", (int, float), "a number of seconds")
    if paused is not None or speed is not None:
        room.set_clock(paused, speed)
    goal = asked.given(data, "until", dict, "an object: what, and of which thing")
    reached = None
    if data.get("step"):
        room.step()
    if advance is not None:
        room.advance(advance)
    if goal is not None:
        reached = room.run_until(*_goal(room, goal))
    if data.get("step") or advance is not None or goal is not None:
        asked.live(name).tell_clock()
    return room.clock() if reached is None else {**room.clock(), "reached": reached}


def _goal(room: Any, goal: dict[str, Any]) -> tuple[Any, float]:
    """(what is waited for, virtual seconds at most) of a wish."""
    limit = asked.given(goal, "limit", (int, float), "a number of seconds")
    names = [asked.given(goal, field, str, "a string") or "" for field in ("what", "thing", "condition")]
    try:
        return until.goal(room.cluster, *names), until.LIMIT if limit is None else float(limit)
    except ValueError as error:
        raise RoomError(str(error)) from None
