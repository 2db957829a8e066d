"""Traffic, one request followed, and the load balancer of a room."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from server.cluster.network.traffic import HIGHEST_RATE
from server.rooms.room import RoomError
from server.web import asked

TARGETS = "a Service as namespace/name, Pod/namespace/name, Node//name or http://host:port/path"
http = Blueprint("network", __name__)


@http.post("/r/<name>/traffic")
def post_traffic(name: str) -> dict[str, Any]:
    room, data = asked.room(name), asked.body()
    target, port, source = _aimed(data)
    rate = asked.given(data, "rate", (int, float), "requests per second")
    if not target or rate is None:
        raise RoomError(f"target ({TARGETS}) and rate (requests per second) are needed")
    if not 0 <= rate <= HIGHEST_RATE:
        raise RoomError(f"rate must be from 0 to {HIGHEST_RATE:.0f} requests per second")
    try:
        with room.turn():
            identity = room.cluster.network.traffic.aim(target, port, float(rate), source)
    except ValueError as error:
        raise RoomError(str(error)) from None
    room.after_write()
    return {"id": identity, "target": target, "rate": rate}


@http.get("/r/<name>/traffic")
def get_traffic(name: str) -> dict[str, Any]:
    room = asked.room(name)
    with room.turn():
        traffic = room.cluster.network.traffic
        return {"sources": [{**source, "counts": traffic.counts(source["name"])} for source in traffic.sources()]}


@http.post("/r/<name>/traffic/follow")
def post_follow(name: str) -> dict[str, Any]:
    """One request, with everything that was decided on its way."""
    room, data = asked.room(name), asked.body()
    target, port, source = _aimed(data)
    if not target:
        raise RoomError(f"target ({TARGETS}) is needed")
    try:
        with room.turn():
            followed = room.cluster.network.traffic.follow(target, port, source)
    except ValueError as error:
        raise RoomError(str(error)) from None
    room.after_write()
    return followed


@http.post("/r/<name>/load-balancer")
def post_load_balancer(name: str) -> dict[str, Any]:
    """Whether the cluster has a load balancer: without one, Services of that type wait for their address."""
    room = asked.room(name)
    on = asked.given(asked.body(), "on", bool, "true or false")
    with room.turn():
        balancer = room.cluster.network.load_balancer
        if on is not None:
            balancer.switch(on)
        answer = {"on": balancer.on, "pool": [balancer.pool[0], balancer.pool[-1]]}
    room.after_write()
    return answer


def _aimed(data: dict[str, Any]) -> tuple[str | None, int | None, str]:
    """(target, port, source) of a body about traffic."""
    return (asked.given(data, "target", str, TARGETS), asked.given(data, "port", int, "a port number"),
            asked.given(data, "source", str, "outside, or a pod as Pod/namespace/name") or "")
