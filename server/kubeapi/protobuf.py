"""Bodies in Kubernetes' protobuf form, which kubectl's typed commands (``create configmap``) and Go clients send: bytes in, the JSON of
the same object out, for the API server to decode as any other.

Only requests are read: answers are JSON, which those clients take as well. The numbers and kinds of fields stand in ``protobuf.tsv``.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

from __future__ import annotations

import base64
import importlib.resources
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import orjson

from server.cluster.errors import bad_request

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
MAX_DEPTH = 100
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIRE = {"s": BYTES, "y": BYTES, "i": VARINT, "b": VARINT, "f": FIXED64}
EMPTY = ("", 0, False, None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Malformed(ValueError):
    """The bytes are no such message."""


class Field(NamedTuple):
    """``many`` is "[" for a list and "{" for a map; ``rule`` is "*", "?", "+" or "" as the table says."""

    name: str
    kind: str
    many: str
    rule: str


def to_json(raw: bytes) -> bytes:
    """The JSON of a request's body. ApiError 400 when it is none of ours."""
    try:
        return orjson.dumps(_object(raw))
    except (Malformed, UnicodeDecodeError, struct.error, OverflowError) as error:
        raise bad_request(f"the body of the request is no Kubernetes object in protobuf: {error}") from error


def _object(raw: bytes) -> dict[str, Any]:
    if not raw.startswith(MAGIC):
        raise Malformed("it does not begin with k8s\\x00")
    envelope = dict(_fields(raw[len(MAGIC):]))
    type_meta = dict(_fields(_bytes(envelope.get(1, b""))))
    api_version, kind = (_bytes(type_meta.get(number, b"")).decode() for number in (1, 2))
    message = _message_of(api_version, kind)
    if message not in _messages():
        raise Malformed(f"there is no {kind} in {api_version}")
    return {"apiVersion": api_version, "kind": kind, **_decoded(message, _bytes(envelope.get(2, b"")), 0)}


def _message_of(api_version: str, kind: str) -> str:
    if kind == "DeleteOptions":
        return "meta.v1.DeleteOptions"
    group, _, version = api_version.rpartition("/")
    return f"{group.partition('.')[0] or 'core'}.{version}.{kind}"


@cache
def _messages() -> dict[str, dict[int, Field]]:
    text = (importlib.resources.files("server.kubeapi") / "protobuf.tsv").read_text()
    return dict(_message(line) for line in text.splitlines() if not line.startswith("#"))


def _message(line: str) -> tuple[str, dict[int, Field]]:
    name, _, rest = line.partition("\t")
    package = name.rpartition(".")[0]
    fields = {}
    for entry in rest.split():
        number, _, said = entry.partition("=")
        field, _, kind = said.partition(":")
        rule = kind[-1] if kind[-1] in "*?+" else ""
        kind = kind.removesuffix(rule) if rule else kind
        many = kind[0] if kind[0] in "[{" else ""
        kind = kind.removeprefix(many)
        fields[int(number)] = Field(field, package + kind if kind.startswith(".") else kind, many, rule)
    return name, fields


# bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("a number does not end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field in turn: a number for varints, else its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise Malformed(f"wire type {wire}")
        if at + size > len(data):
            raise Malformed("a field does not end")
        yield number, data[at:at + size]
        at += size


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed("a number where bytes should be")
    return value


# objects


def _decoded(message: str, data: bytes, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise Malformed("it is nested too deeply")
    fields = _messages()[message]
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.rule == "+":
            found.update(_decoded(field.kind, _bytes(value), depth + 1))
        elif field.many == "[":
            found.setdefault(field.name, []).append(_value(field.kind, value, depth))
        elif field.many == "{":
            entry = dict(_fields(_bytes(value)))
            default: int | bytes = 0 if WIRE.get(field.kind) == VARINT else b""
            found.setdefault(field.name, {})[_bytes(entry.get(1, b"")).decode()] = _value(field.kind, entry.get(2, default), depth)
        else:
            known = _value(field.kind, value, depth)
            if known is not None and not (field.rule == "?" and known in EMPTY):
                found[field.name] = known
    return found


def _value(kind: str, value: int | bytes, depth: int) -> Any:
    if kind in ("i", "b"):
        if isinstance(value, bytes):
            raise Malformed("bytes where a number should be")
        return bool(value) if kind == "b" else _signed(value)
    data = _bytes(value)
    if kind == "s":
        return data.decode()
    if kind == "y":
        return base64.b64encode(data).decode()
    if kind == "f":
        return struct.unpack("<d", data)[0]
    special = _SPECIAL.get(kind)
    return special(dict(_fields(data))) if special else _decoded(kind, data, depth + 1)


def _signed(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _quantity(fields: dict[int, Any]) -> str:
    return _bytes(fields.get(1, b"")).decode()


def _int_or_string(fields: dict[int, Any]) -> int | str:
    return _bytes(fields.get(3, b"")).decode() if fields.get(1) else _signed(fields.get(2, 0))


def _time(fields: dict[int, Any]) -> str | None:
    """RFC 3339 to the second; an empty message is no time at all."""
    return (EPOCH + timedelta(seconds=_signed(fields.get(1, 0)))).strftime("%Y-%m-%dT%H:%M:%SZ") if fields else None


def _micro_time(fields: dict[int, Any]) -> str | None:
    if not fields:
        return None
    moment = EPOCH + timedelta(seconds=_signed(fields.get(1, 0)), microseconds=_signed(fields.get(2, 0)) // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json_in(fields: dict[int, Any]) -> Any:
    raw = _bytes(fields.get(1, b""))
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError as error:
        raise Malformed(str(error)) from error


_SPECIAL = {
    "resource.Quantity": _quantity,
    "intstr.IntOrString": _int_or_string,
    "meta.v1.Time": _time,
    "meta.v1.MicroTime": _micro_time,
    "meta.v1.FieldsV1": _json_in,
    "runtime.RawExtension": _json_in,
}
