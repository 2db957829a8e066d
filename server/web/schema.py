"""What the editor asks for: Kubernetes' types, names that are there to be referred to, what Apply would change, and everything as YAML."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from server.cluster.apiserver.resources import RESOURCES
from server.rooms import definitions, difference, export, gallery
from server.rooms.room import RoomError
from server.web import asked, assets

http = Blueprint("schema", __name__)
MOST_NAMES, MOST_OBJECTS, MOST_CHOSEN = 200, 2_000, 500
BY_KIND = {row.kind: row for row in RESOURCES.values()}


@http.get("/r/<name>/schema")
def get_schema(name: str) -> Response:
    """Every kind; with ``definition=`` a kind's types."""
    asked.room(name)
    root = request.args.get("definition", "")
    bundle = definitions.bundle(root) if root else definitions.index()
    if bundle is None:
        raise RoomError("there is no such definition of a kind", 404)
    return assets.answered(bundle.body, "application/json", tag=bundle.tag, packed=bundle.packed)


@http.get("/r/<name>/names")
def get_names(name: str) -> dict[str, Any]:
    """Names of a ``kind`` in a ``namespace``; with ``of=`` one object's keys (of a ConfigMap or a Secret); with ``labels=1`` the labels
    that objects of the kind have, each with its values."""
    room = asked.room(name)
    row = BY_KIND.get(request.args.get("kind", ""))
    if row is None:
        raise RoomError("kind: there is no such kind", 404)
    namespace, of = request.args.get("namespace", ""), request.args.get("of", "")
    with room.turn():
        lister = room.cluster.api.lister(row.key)
        if of:
            obj = lister.get(namespace if row.namespaced else "", of) or {}
            return {"names": sorted({*(obj.get("data") or {}), *(obj.get("binaryData") or {})})[:MOST_NAMES]}
        found = lister.list(namespace if row.namespaced else "")[:MOST_OBJECTS]
        if not request.args.get("labels"):
            return {"names": [obj["metadata"]["name"] for obj in found[:MOST_NAMES]]}
        labels: dict[str, set[str]] = {}
        for obj in found:
            for key, value in (obj["metadata"].get("labels") or {}).items():
                if len(labels) < MOST_NAMES or key in labels:
                    labels.setdefault(key, set()).add(value)
        return {"labels": {key: sorted(values)[:MOST_NAMES] for key, values in sorted(labels.items())}}


@http.post("/r/<name>/diff")
def post_diff(name: str) -> dict[str, Any]:
    room = asked.room(name)
    text = asked.text("YAML")
    with room.asked():
        return {"documents": difference.difference(room, text)}


@http.get("/r/<name>/export")
def get_export(name: str) -> Response:
    """All that people made; of one ``namespace``; or only what ``id=Kind/namespace/name`` names, which may be given often."""
    room = asked.room(name)
    chosen = frozenset(request.args.getlist("id"))
    if len(chosen) > MOST_CHOSEN:
        raise RoomError(f"more than {MOST_CHOSEN} objects chosen", 413)
    with room.long_turn():
        text = export.export(room.cluster, request.args.get("namespace", ""), chosen, room.cluster.api.breathe)
    return Response(text, mimetype="application/yaml", headers={"Content-Disposition": f'attachment; filename="{room.name}.yaml"'})


@http.get("/r/<name>/examples")
def get_examples(name: str) -> Response:
    asked.room(name)
    bundle = gallery.bundle()
    return assets.answered(bundle.body, "application/json", tag=bundle.tag, packed=bundle.packed)
