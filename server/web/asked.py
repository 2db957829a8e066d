"""What every address of the rooms' HTTP interface asks of a request: which room, its JSON body, and a value of the kind it must be.

Each raises ``RoomError``, which ``app`` answers with its status and ``{"error": ...}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request

from server.live.hub import RoomLive
from server.rooms.past import Past
from server.rooms.room import Room, RoomError

if TYPE_CHECKING:
    from server.app import Podium


def podium() -> Podium:
    return current_app.podium


def room(name: str) -> Room:
    return podium().rooms.get(name, request.args.get("key"))


def live(name: str) -> RoomLive:
    return podium().lives[room(name).name]


def then(name: str) -> Room | Past:
    """The room, or what it was at ``?revision=``: what a read is of."""
    at = revision()
    return room(name) if at is None else live(name).pasts.of(at)


def base() -> str:
    return (current_app.podium.settings.public_url or request.host_url).rstrip("/")


def links(of: Room) -> dict[str, str]:
    """Where a room is found."""
    at = base()
    return {"room": of.name, "key": of.key, "url": f"{at}/r/{of.name}?key={of.key}", "kubernetes": f"{at}/r/{of.name}/k8s/{of.key}"}


def revision() -> int | None:
    """The kept revision that a read is about, None for now."""
    given = request.args.get("revision")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise RoomError("revision must be a whole number")
    return int(given)


def body() -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object."""
    if not request.get_data(cache=True).strip():
        return {}
    data = request.get_json(force=True, silent=True)
    if not isinstance(data, dict):
        raise RoomError("the body must be a JSON object")
    return data


def text(what: str) -> str:
    """The request's body as text; ``what`` is named to who sent something else."""
    try:
        return request.get_data().decode()
    except UnicodeDecodeError:
        raise RoomError(f"the {what} is not UTF-8 text") from None


def given(data: dict[str, Any], name: str, kinds: type | tuple[type, ...], what: str) -> Any:
    value = data.get(name)
    if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)):
        raise RoomError(f"{name} must be {what}")
    return value


def by(data: dict[str, Any]) -> str:
    return (given(data, "by", str, "a name") or "")[:100]
