"""Patches: an object and a patch in, a new object that shares what did not change out; the very same object if nothing did.

JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch, which merges lists by the keys that the schema
tells. Errors are worded and coded as the API server's. The number of operations, their depth and what copies add up to are bounded.

Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

import json
from typing import Any

from server.cluster import gojson, schema
from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH
from server.cluster.apiserver.strategic import PatchError, merge_strategic, same
from server.cluster.errors import ApiError, bad_request, request_too_large

MAX_BYTES = 3 * 1024 * 1024
MAX_OPERATIONS = 10_000
MAX_DEPTH = 100
MAX_COPIED = 200_000

Object = dict[str, Any]


def apply(content_type: str, old: Object, patch: bytes | dict | list, api_version: str, kind: str) -> Object:
    """``old`` patched. ApiError 400, 413 or 422 when the patch is no patch, too large, or does not fit."""
    before = "" if content_type not in (JSON_PATCH, MERGE_PATCH) else "error decoding patch: "
    value = _loaded(patch, before) if isinstance(patch, bytes) else patch
    if content_type == JSON_PATCH:
        return _json_patch(old, value)
    if not isinstance(value, dict):
        found = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(value), "number")
        raise bad_request(f"{before}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")
    if content_type == MERGE_PATCH:
        return merge(old, value)
    group, _, version = api_version.rpartition("/")
    type_ = schema.for_gvk(group, version, kind)
    if type_ is None:
        raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "
                       "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")
    try:
        return merge_strategic(old, value, type_)
    except PatchError as error:
        raise ApiError(error.code, "BadRequest" if error.code == 400 else "", str(error)) from None


def _loaded(raw: bytes, before: str) -> Any:
    if len(raw) > MAX_BYTES:
        raise request_too_large(MAX_BYTES)
    try:
        return gojson.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise bad_request(f"{before}invalid UTF-8") from None
    except gojson.JsonError as error:
        raise bad_request(f"{before}{error}") from None


# merge patch -------------------------------------------------------------------------------------------------------------

def merge(old: Any, patch: Any) -> Any:
    """
    >>> old = {"a": {"b": 1, "c": 2}, "d": [1]}
    >>> new = merge(old, {"a": {"b": None}, "d": [1]})
    >>> new, merge(old, {"a": {"c": 2}}) is old
    ({'a': {'c': 2}, 'd': [1]}, True)
    """
    if not isinstance(patch, dict):
        return old if same(old, patch) else patch
    known = old if isinstance(old, dict) else {}
    new: dict[str, Any] | None = None if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            if key in known:
                new = dict(known) if new is None else new
                new.pop(key, None)
            continue
        had = known.get(key)
        merged = merge(had, value)
        if merged is not had or key not in known:
            new = dict(known) if new is None else new
            new[key] = merged
    return old if new is None else new


# JSON patch --------------------------------------------------------------------------------------------------------------

class _Unfit(Exception):
    """An operation that cannot be done; the API server does not say which."""


def _json_patch(old: Object, operations: Any) -> Object:
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        found = {dict: "object", str: "string", bool: "bool", type(None): "null"}.get(type(operations), "number")
        if isinstance(operations, list):
            raise bad_request("json: cannot unmarshal into Go value of type jsonpatch.Operation")
        raise bad_request(f"json: cannot unmarshal {found} into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: The allowed maximum operations in a JSON patch is "
                       f"{MAX_OPERATIONS}, got {len(operations)}")
    new: Any = old
    copied = 0
    try:
        for operation in operations:
            if operation.get("op") == "copy":
                copied += _weight(_get(new, _pointer(operation.get("from"))), MAX_COPIED - copied)
            new = _operate(new, operation)
    except _Unfit:
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {}) from None
    if not isinstance(new, dict):
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})
    return old if same(new, old) else new


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    op, path = operation.get("op"), _pointer(operation.get("path"))
    if op in ("add", "replace", "test") and "value" not in operation and op != "test":
        raise _Unfit
    if op == "add":
        return _set(document, path, operation["value"], insert=True)
    if op == "replace":
        _get(document, path)
        return _set(document, path, operation["value"], insert=False)
    if op == "remove":
        return _remove(document, path)
    if op == "test":
        try:
            found = _get(document, path)
        except _Unfit:
            found = None
        if not _equal(found, operation.get("value")):
            raise _Unfit
        return document
    if op in ("move", "copy"):
        source = _pointer(operation.get("from"))
        value = _get(document, source)
        if op == "move":
            if path[:len(source)] == source and path != source:
                raise _Unfit
            document = _remove(document, source)
        return _set(document, path, value, insert=True)
    raise _Unfit


def _pointer(path: Any) -> tuple[str, ...]:
    if not isinstance(path, str) or (path and path[0] != "/"):
        raise _Unfit
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])
    if len(steps) > MAX_DEPTH:
        raise _Unfit
    return steps


def _index(step: str, length: int) -> int:
    try:
        number = int(step) if step.removeprefix("-").isdigit() else length
    except ValueError:
        raise _Unfit from None
    if number < 0:
        number += length
    if not 0 <= number < length:
        raise _Unfit
    return number


def _get(document: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list):
            document = document[_index(step, len(document))]
        else:
            raise _Unfit
    return document


def _set(document: Any, path: tuple[str, ...], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(document, dict):
        if rest and step not in document:
            raise _Unfit
        return {**document, step: _set(document.get(step), rest, value, insert=insert)}
    if not isinstance(document, list):
        raise _Unfit
    new = list(document)
    if not rest and insert:
        new.insert(len(new) if step == "-" else _index(step, len(new) + 1), value)
    else:
        at = _index(step, len(new))
        new[at] = _set(new[at], rest, value, insert=insert)
    return new


def _remove(document: Any, path: tuple[str, ...]) -> Any:
    if not path:
        raise _Unfit
    step, rest = path[0], path[1:]
    if isinstance(document, dict):
        if step not in document:
            raise _Unfit
        if rest:
            return {**document, step: _remove(document[step], rest)}
        return {key: value for key, value in document.items() if key != step}
    if not isinstance(document, list):
        raise _Unfit
    at = _index(step, len(document))
    return [*document[:at], *([_remove(document[at], rest)] if rest else []), *document[at + 1:]]


def _equal(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _weight(value: Any, limit: int) -> int:
    """How many values there are in a value; _Unfit above the limit."""
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        count += 1
        if count > limit:
            raise _Unfit
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count
