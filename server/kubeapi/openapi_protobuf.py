"""The OpenAPI v2 document in the only form that kubectl asks for it: protobuf, as gnostic defines it.

In: the document as plain data. Out: its bytes. kubectl reads them when it meets a kind that OpenAPI v3 does not have, to
find out that there is none here either.

Source: https://github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto
"""

from __future__ import annotations

from typing import Any

import orjson

# what is asked for, and the same as a type that can stand in a header
ACCEPTED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
MEDIA_TYPE = ACCEPTED.replace("@", ".")

# field numbers by message
_DOCUMENT = {"swagger": 1, "info": 2, "paths": 8, "definitions": 9}
_INFO = {"title": 1, "version": 2}
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_PATH_PARAMETERS = 9
_OPERATION = {"tags": 1, "operationId": 5, "produces": 6, "consumes": 7, "parameters": 8, "responses": 9, "extensions": 13}
_PARAMETER = {"required": 1, "in": 2, "name": 4}
_BODY = {"name": 2, "in": 3, "required": 4, "schema": 5}
_SUBSCHEMA = {"query": 3, "path": 4}
_TYPE = {"query": 6, "path": 5}
_SCHEMA = {"$ref": 1, "format": 2, "description": 4, "required": 19, "enum": 20, "additionalProperties": 21, "type": 22, "items": 23,
           "properties": 25, "extensions": 31}


def encode(document: dict[str, Any]) -> bytes:
    """The document's bytes."""
    return b"".join((
        _text(_DOCUMENT["swagger"], document["swagger"]),
        _bytes(_DOCUMENT["info"], b"".join(_text(_INFO[key], document["info"][key]) for key in _INFO)),
        _bytes(_DOCUMENT["paths"], b"".join(_bytes(2, _named(path, _path(item))) for path, item in document["paths"].items())),
        _bytes(_DOCUMENT["definitions"], _schemas(document["definitions"])),
    ))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _true(number: int) -> bytes:
    return _varint(number << 3) + b"\x01"


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _bytes(2, value)


def _any(value: Any) -> bytes:
    """A value of any kind, as YAML; JSON is YAML."""
    return _bytes(2, orjson.dumps(value))


def _extensions(number: int, owner: dict[str, Any]) -> bytes:
    return b"".join(_bytes(number, _named(key, _any(value))) for key, value in owner.items() if key.startswith("x-"))


def _schemas(schemas: dict[str, Any]) -> bytes:
    return b"".join(_bytes(1, _named(name, _schema(schema))) for name, schema in schemas.items())


def _schema(schema: dict[str, Any]) -> bytes:
    parts = [_text(_SCHEMA[key], schema[key]) for key in ("$ref", "format", "description") if key in schema]
    parts += [_text(_SCHEMA["required"], name) for name in schema.get("required", ())]
    parts += [_bytes(_SCHEMA["enum"], _any(value)) for value in schema.get("enum", ())]
    if "additionalProperties" in schema:
        parts.append(_bytes(_SCHEMA["additionalProperties"], _bytes(1, _schema(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(_bytes(_SCHEMA["type"], _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_bytes(_SCHEMA["items"], _bytes(1, _schema(schema["items"]))))
    if "properties" in schema:
        parts.append(_bytes(_SCHEMA["properties"], _schemas(schema["properties"])))
    return b"".join((*parts, _extensions(_SCHEMA["extensions"], schema)))


def _path(item: dict[str, Any]) -> bytes:
    operations = [_bytes(number, _operation(item[method])) for method, number in _METHODS.items() if method in item]
    return b"".join((*operations, *(_bytes(_PATH_PARAMETERS, _parameter(entry)) for entry in item["parameters"])))


def _operation(operation: dict[str, Any]) -> bytes:
    return b"".join((
        *(_text(_OPERATION["tags"], tag) for tag in operation["tags"]),
        _text(_OPERATION["operationId"], operation["operationId"]),
        *(_text(_OPERATION[key], type_) for key in ("produces", "consumes") for type_ in operation[key]),
        *(_bytes(_OPERATION["parameters"], _parameter(entry)) for entry in operation["parameters"]),
        _bytes(_OPERATION["responses"], _responses(operation["responses"])),
        _extensions(_OPERATION["extensions"], operation),
    ))


def _parameter(entry: dict[str, Any]) -> bytes:
    """An item that holds a parameter that is either the body or one of the query or path."""
    where = entry["in"]
    if where == "body":
        body = _text(_BODY["name"], entry["name"]) + _text(_BODY["in"], where) + _bytes(_BODY["schema"], _schema(entry["schema"]))
        return _bytes(1, _bytes(1, body + (_true(_BODY["required"]) if entry.get("required") else b"")))
    parts = _true(_PARAMETER["required"]) if entry.get("required") else b""
    parts += _text(_PARAMETER["in"], where) + _text(_PARAMETER["name"], entry["name"]) + _text(_TYPE[where], entry["type"])
    return _bytes(1, _bytes(2, _bytes(_SUBSCHEMA[where], parts)))


def _responses(responses: dict[str, Any]) -> bytes:
    return b"".join(_bytes(1, _named(code, _response(entry))) for code, entry in responses.items())


def _response(entry: dict[str, Any]) -> bytes:
    return _bytes(1, _text(1, entry["description"]) + _bytes(2, _bytes(1, _schema(entry["schema"]))))
