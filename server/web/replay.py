"""The replay of one act of a room's cluster, and the acts to choose from."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.live import replay
from server.rooms.room import RoomError
from server.web import asked

http = Blueprint("replay", __name__)


def _number(name: str) -> int | None:
    given = request.args.get(name)
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 15:
        raise RoomError(f"{name} must be a number")
    return int(given)


@http.get("/r/<name>/replay")
def get_replay(name: str) -> dict[str, Any]:
    """``?revision=R``: all that the act led to of which R is a part; ``?step=R``: the contents of one step. ``heard=N`` in the place of a
    revision is a request that left none."""
    room = asked.room(name)
    revision, heard = _number("revision"), _number("heard")
    step = _number("step") if heard is None else None
    with room.long_turn():
        if heard is not None:
            found = (replay.detail_heard if "step" in request.args else replay.replay_heard)(room.cluster, heard)
        elif step is not None:
            found = replay.detail(room.cluster, step)
        else:
            found = replay.replay(room.cluster, room.cluster.store.revision if revision is None else revision)
    if found is None:
        raise RoomError("that is not kept any more: history goes back only so far", 410)
    return found


@http.get("/r/<name>/acts")
def get_acts(name: str) -> dict[str, Any]:
    room = asked.room(name)
    with room.turn():
        return room.while_still(replay.acts, room.cluster)
