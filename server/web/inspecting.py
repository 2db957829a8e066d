"""One thing of a room's cluster from every side, what it uses now, and lists of everything there is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from server.live import about, inspect, metrics
from server.rooms.room import RoomError
from server.web import asked

MAX_TEXT = 253
http = Blueprint("inspecting", __name__)


@http.get("/r/<name>/inspect")
def get_inspect(name: str) -> dict[str, Any]:
    """``?id=Kind/namespace/name``, ``&parts=`` some of about, yaml, describe, events and why, separated by commas."""
    room = asked.then(name)
    asked_for = [part for part in request.args.get("parts", "").split(",") if part]
    if unknown := [part for part in asked_for if part not in inspect.PARTS]:
        raise RoomError(f"parts are {', '.join(inspect.PARTS)}, not {unknown[0][:MAX_TEXT]}")
    with room.turn():
        found = room.while_still(inspect.inspect, room.cluster, request.args.get("id", ""), asked_for or inspect.PARTS)
    if found is None:
        raise RoomError("there is no such thing in this cluster", 404)
    return found


@http.get("/r/<name>/metrics")
def get_metrics(name: str) -> dict[str, Any]:
    """``?id=`` of a thing of which something is measured, ``&since=`` the virtual second from which on its CPU is told."""
    room = asked.then(name)
    with room.turn():
        found = room.while_still(metrics.metrics, room.cluster, request.args.get("id", ""), request.args.get("since", type=float))
    if found is None:
        raise RoomError("nothing is measured of this, or it is not there", 404)
    return found


@http.get("/r/<name>/objects")
def get_objects(name: str) -> dict[str, Any]:
    """Without ``?resource=`` the kinds with their counts; with it a page of its objects: ``&namespace=``, ``&name=`` a part of their names,
    ``&offset=``, ``&limit=``."""
    room = asked.then(name)
    resource = request.args.get("resource", "")
    row = about.RESOURCES.get(resource)
    if resource and (row is None or "watch" not in row.verbs):
        raise RoomError(f"there is no resource {resource[:MAX_TEXT]} that could be listed", 404)
    offset, limit = request.args.get("offset", 0, type=int), request.args.get("limit", 100, type=int)
    if offset < 0 or not 1 <= limit <= about.MAX_PAGE:
        raise RoomError(f"offset must be 0 or more and limit from 1 to {about.MAX_PAGE}")
    with room.turn(), room.still():
        if row is None:
            return {"kinds": about.kinds(room.cluster)}
        return about.objects(room.cluster, row, request.args.get("namespace", "")[:MAX_TEXT],
                                request.args.get("name", "")[:MAX_TEXT], offset, limit)
