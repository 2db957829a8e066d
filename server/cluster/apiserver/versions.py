"""Kinds that are served in another version or group than the one they are kept in.

A request comes in for such a row; what it sends is decoded as that version, converted and asked of the kind as it is kept, and
what comes back is converted again: one object, patch, list, table, watch. ``conversions`` has the two functions of each row.

Source: https://kubernetes.io/docs/reference/using-api/#api-versioning
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import orjson

from server.cluster.apiserver.conversions import CONVERSIONS, Conversion
from server.cluster.apiserver.request import DEFAULT_OPTIONS, Request, Response
from server.cluster.apiserver.resources import RESOURCES, Resource
from server.cluster.objects import Object
from server.cluster.process import Channel
from server.cluster.store import BOOKMARK, Event

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

JSON = "application/json"


def handle(api: ApiServer, row: Resource, request: Request) -> Response:
    """Answers a request for a kind in the version of ``row``."""
    conversion, kept = CONVERSIONS[row.key], RESOURCES[row.stored]
    asked = dataclasses.replace(request, resource=kept.key)
    warnings: list[str] = []
    if request.verb in ("create", "update"):
        obj, warnings = api.decoded(request, row.kind, row.api_version)
        asked = _sending(asked, kept, conversion, obj)
    elif request.verb == "patch":
        found = api.request(dataclasses.replace(asked, verb="get", raw=None, body=None, table=None, options=DEFAULT_OPTIONS)).object
        obj, warnings = api.patched(row, request, _served(row, conversion, found), row.kind, row.api_version)
        asked = _sending(dataclasses.replace(asked, verb="update"), kept, conversion, obj)
    response = api.request(asked)
    response.warnings = [*warnings, *response.warnings]
    return _converted(row, conversion, response)


def _sending(request: Request, kept: Resource, conversion: Conversion, obj: Object) -> Request:
    body = {**conversion.kept(obj), "apiVersion": kept.api_version, "kind": kept.kind}
    if request.raw is None:
        return dataclasses.replace(request, body=body)
    return dataclasses.replace(request, raw=orjson.dumps(body), content_type=JSON)


def _served(row: Resource, conversion: Conversion, obj: Object) -> Object:
    return {**conversion.served(obj), "apiVersion": row.api_version, "kind": row.kind}


def _converted(row: Resource, conversion: Conversion, response: Response) -> Response:
    response.record = response.records = None
    obj = response.object
    if response.stream is not None:
        response.stream = _stream(row, conversion, response.stream)
    elif obj.get("kind") == "Table":
        response.object = {**obj, "rows": [_row(row, conversion, entry) for entry in obj["rows"]]}
    elif obj.get("kind") == f"{row.kind}List":
        response.object = {**obj, "apiVersion": row.api_version, "items": [_served(row, conversion, item) for item in obj["items"]]}
    elif obj.get("kind") == row.kind:
        response.object = _served(row, conversion, obj)
    return response


def _row(row: Resource, conversion: Conversion, entry: Object) -> Object:
    obj = entry["object"]
    return {**entry, "object": _served(row, conversion, obj)} if obj is not None and obj.get("kind") == row.kind else entry


def _stream(row: Resource, conversion: Conversion, source: Channel) -> Channel:
    """The same events with converted objects."""
    channel = Channel(source.limit)

    def move() -> None:
        while source.items:
            event = source.items.popleft()
            if isinstance(event, Event):
                bare = event.type == BOOKMARK
                obj = {**event.object, "apiVersion": row.api_version} if bare else _served(row, conversion, event.object)
                event = event.as_type(event.type, obj)
            channel.put(event)
        if source.closed:
            channel.close(source.reason)

    channel.on_close = source.close
    source.notify(move)
    move()
    return channel
