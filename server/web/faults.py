"""Chaos and machines: what is made to go wrong in a room, and what it runs on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.rooms import machines
from server.rooms.room import Room, RoomError
from server.web import asked

http = Blueprint("faults", __name__)


@http.get("/r/<name>/chaos")
def get_chaos(name: str) -> dict[str, Any]:
    room = asked.room(name)
    with room.turn():
        chaos = room.cluster.chaos
        return {"kinds": chaos.kinds(), "active": chaos.active(), "acts": chaos.acts()}


@http.post("/r/<name>/chaos")
def post_chaos(name: str) -> dict[str, Any]:
    room, data = asked.room(name), asked.body()
    fault, target = asked.given(data, "fault", str, "the name of a fault"), asked.given(data, "target", str, "what it is to strike")
    if not fault or not target:
        raise RoomError("fault and target are needed")
    params = {field: value for field, value in data.items() if field not in ("fault", "target", "by")}
    with room.turn():
        record = _chaos(room, lambda chaos: chaos.inject(fault, target, asked.by(data), **params))
    room.after_write()
    return record


@http.delete("/r/<name>/chaos")
def delete_chaos(name: str) -> dict[str, Any]:
    room, identity = asked.room(name), request.args.get("id", "")
    with room.turn():
        healed = _chaos(room, lambda chaos: [chaos.heal(identity)] if identity else chaos.heal_all())
    room.after_write()
    return {"healed": healed}


def _chaos(room: Room, function: Any) -> Any:
    """What ``function(chaos)`` gives, while nothing in the cluster is half done."""
    try:
        return room.while_still(function, room.cluster.chaos)
    except ValueError as error:
        raise RoomError(str(error)) from None


@http.get("/r/<name>/nodes")
def get_nodes(name: str) -> dict[str, Any]:
    room = asked.room(name)
    with room.turn():
        return {"nodes": machines.shown(room.cluster)}


@http.post("/r/<name>/nodes")
def post_nodes(name: str) -> dict[str, Any]:
    room, data = asked.room(name), asked.body()
    with room.turn():
        done = room.while_still(machines.act, room.cluster, data, room.settings.max_nodes, asked.by(data))
    room.after_write()
    return done
