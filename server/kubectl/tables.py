"""Asking the API server for Tables, and sorting them.

In: what is to be shown. Out: `Listed` tables, one a resource type and namespace. A watch event's row is rendered by the server's own
table code at the moment it is delivered, as the HTTP API does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from server.cluster.apiserver import tables as server_tables
from server.cluster.apiserver.resources import Resource
from server.kubectl.breath import Breathe
from server.kubectl.breath import alone as nobody_waits
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.gosort import gosort
from server.kubectl.jsonpath import JsonPath, JsonPathError, relaxed

Object = dict[str, Any]


@dataclass
class Listed:
    resource: Resource
    table: Object


def of_event(ctx: Context, resource: Resource, obj: Object, include: str = "Metadata") -> Object:
    """The table of one object as a watch sends it."""
    return server_tables.render(resource.key, [obj], now=ctx.clock.now, clock=ctx.clock, include_object=include)


def sort_rows(table: Object, expression: str, breathe: Breathe = nobody_waits) -> Object:
    """The table with its rows in order of a path in their objects; without rows when no object has it, as kubectl has it. (Of several
    tables kubectl sorts the tables themselves, and finds the path `nowhere`.)"""
    rows = table["rows"]
    if len(rows) < 2:
        return table
    try:
        keys = sort_keys([row["object"] for row in rows], expression, breathe)
    except CommandError:
        keys = None
    if keys is None:
        return {**table, "rows": []}
    order = gosort(range(len(rows)), key=lambda index: keys[index], breathe=breathe)
    return {**table, "rows": [rows[index] for index in order]}


def nowhere(expression: str) -> CommandError:
    return CommandError(f"couldn't find any field with path \"{_path(expression)}\" in the list of objects")


def sort_objects(objects: list[Object], expression: str, breathe: Breathe = nobody_waits) -> list[Object]:
    keys = sort_keys(objects, expression, breathe)
    if keys is None:
        raise nowhere(expression)
    return [objects[index] for index in gosort(range(len(objects)), key=lambda index: keys[index], breathe=breathe)]


def sort_keys(objects: list[Object], expression: str, breathe: Breathe = nobody_waits) -> list[Any] | None:
    """A comparable key for each object; None when no object has the field."""
    found = []
    try:
        path = JsonPath(_path(expression))
        for obj in objects:
            breathe()
            found.append([value for part in path.results(obj, breathe) for value in part][:1])
    except JsonPathError as error:
        raise CommandError(f"sorting error: {error}") from None
    if not any(found):
        return None
    return [_Key(values[0] if values else None) for values in found]


class _Key:
    """Ordered as kubectl's comparison has it: an object without the field is less than any, even than another such."""

    def __init__(self, value: Any):
        self.value = value

    def __lt__(self, other: _Key) -> bool:
        if self.value is None or other.value is None:
            return self.value is None
        return _compare(self.value, other.value) < 0


def _path(expression: str) -> str:
    try:
        return relaxed(expression)
    except JsonPathError as error:
        raise CommandError(str(error)) from None


def _compare(a: Any, b: Any) -> int:
    if isinstance(a, str) and isinstance(b, str):
        return _compare_text(a, b)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return (a > b) - (a < b)
    return (str(a) > str(b)) - (str(a) < str(b))


_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([numkKMGTPE]i?|[eE][+-]?\d+)?\Z")
_SUFFIX = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
           "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}


def _compare_text(a: str, b: str) -> int:
    """Quantities by value; other texts naturally, digits in them by value."""
    one, two = _quantity(a), _quantity(b)
    if one is not None and two is not None:
        return (one > two) - (one < two)
    left, right = _natural(a), _natural(b)
    return (left > right) - (left < right)


@lru_cache(maxsize=4096)
def _quantity(text: str) -> float | None:
    match = _QUANTITY.match(text)
    if not match:
        return None
    suffix = match.group(2) or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return float(text)
    return float(text[: len(text) - len(suffix)]) * _SUFFIX[suffix] if suffix in _SUFFIX else None


@lru_cache(maxsize=4096)
def _natural(text: str) -> list[tuple[int, Any]]:
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", text)]
