"""Kubernetes' types as the editor asks for them: the root of a bundle in; its types, and every type reached from it, as JSON bytes out.

A bundle ends where another root begins (``PodSpec`` and ``ObjectMeta`` are in many kinds), so that each is sent once and kept by every
browser. The bytes depend on Kubernetes' version alone: they are made once and shared by all rooms.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from typing import Any, NamedTuple

import orjson

from server.cluster import schema
from server.cluster.apiserver import resources
from server.cluster.schema import Field, Type

SHARED = frozenset({"io.k8s.api.core.v1.PodSpec", "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"})
DEFAULT = re.compile(r"\b[Dd]efaults? (?:value )?(?:to|is) (?:an? )?[\"'`]?([A-Za-z0-9][\w./%-]*)[\"'`]?(?=[\s.,;)]|$)")
VAGUE = frozenset(("the", "a", "an", "empty", "nil", "unset", "none", "be", "set", "not", "whatever", "value", "use", "using", "this",
                   "all"))
SCALARS = {"quantity": "quantity", "int-or-string": "integer or string", "time": "time", "microtime": "time", "bytes": "base64", "raw": "any"}


class Bundle(NamedTuple):
    tag: str
    body: bytes
    packed: bytes


def bundled(value: Any) -> Bundle:
    body = orjson.dumps(value)
    return Bundle(hashlib.sha256(body).hexdigest()[:20], body, gzip.compress(body, 9, mtime=0))


@cache
def index() -> Bundle:
    """Every kind that the API server keeps: how it is named, whether it lives in a namespace, and the root of its bundle."""
    rows = [row for row in (*resources.RESOURCES.values(), *resources.VERSIONS.values()) if "create" in row.verbs]
    kinds = [{"apiVersion": row.api_version, "kind": row.kind, "plural": row.plural, "namespaced": row.namespaced, "definition": of.name}
             for row in rows if (of := schema.for_kind(row.api_version, row.kind)) is not None]
    return bundled({"version": schema.VERSION, "kinds": kinds})


@cache
def roots() -> frozenset[str]:
    return SHARED | {kind["definition"] for kind in orjson.loads(index().body)["kinds"]}


@cache
def bundle(root: str) -> Bundle | None:
    """None for what is no root."""
    if root not in roots():
        return None
    types: dict[str, Any] = {}
    left = [schema.definition(root)]
    while left:
        type_ = left.pop()
        if type_.name in types:
            continue
        types[type_.name] = {"description": type_.description, "fields": {field.name: _field(field) for field in type_.fields.values()}}
        left += [found for field in type_.fields.values() if (found := schema.inner(field.type)).kind == "object" and found.name not in roots()]
    return bundled({"root": root, "types": types})


def _field(field: Field) -> dict[str, Any]:
    """``of``: the type to look in for what is below; ``in``: how many lists ("l") and maps ("m") are around it."""
    inside = schema.inner(field.type)
    told: dict[str, Any] = {"type": shown(field.type), "description": field.description}
    if inside.kind == "object":
        told["of"] = inside.name
    if around := _around(field.type):
        told["in"] = around
    if field.required:
        told["required"] = True
    if field.enum:
        told["enum"] = list(field.enum)
    elif inside.kind == "boolean":
        told["enum"] = ["true", "false"]
    if default := default_of(field.description):
        told["default"] = default
    return told


def _around(type_: Type) -> str:
    found = ""
    while type_.kind in ("array", "map") and type_.element is not None:
        found += "l" if type_.kind == "array" else "m"
        type_ = type_.element
    return found


def shown(type_: Type) -> str:
    """A type as ``kubectl explain`` names it: ``[]Container``, ``map[string]string``."""
    if type_.kind == "array" and type_.element is not None:
        return f"[]{shown(type_.element)}"
    if type_.kind == "map" and type_.element is not None:
        return f"map[string]{shown(type_.element)}"
    return type_.short if type_.kind == "object" else SCALARS.get(type_.kind, type_.kind)


def default_of(description: str) -> str:
    """The default that Kubernetes' own description tells of; "" if it tells none in a word.

    >>> default_of("Number of desired pods. Defaults to 1."), default_of("Defaults to the empty list.")
    ('1', '')
    """
    found = DEFAULT.search(description)
    return found[1].rstrip(".") if found and found[1].lower().rstrip(".") not in VAGUE else ""
