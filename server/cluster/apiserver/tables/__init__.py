"""Server-printed tables: the columns `kubectl get` shows, made by the API server as ``meta.k8s.io/v1`` Tables.

In: a resource's key, its objects and the virtual time. Out: a Table (columns and rows as data) that real clients print.
A kind is one row of its group's ``TABLES``.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from server.cluster import schema
from server.cluster.apiserver.resources import served
from server.cluster.apiserver.tables import apps, autoscaling, batch, core, networking, policy, priority, replication, storage
from server.cluster.apiserver.tables.table import META, NAME, Column, TableOf, When
from server.cluster.clock import Clock
from server.cluster.objects import Object


def _anything(obj: Object, _: When) -> list[Any]:
    return [obj["metadata"].get("name", ""), obj["metadata"].get("creationTimestamp")]


BREATH = 50  # rows that are made before others have their turn


_DEFAULT = TableOf((NAME, Column("Created At", f"{META}:creationTimestamp", type="date")), _anything)
_TABLES: dict[str, TableOf] = {
    **core.TABLES, **networking.TABLES, **replication.TABLES, **apps.TABLES, **batch.TABLES, **autoscaling.TABLES, **policy.TABLES,
    **priority.TABLES, **storage.TABLES}


class Rows(Sequence[Object]):
    """A table's rows, each made anew whenever it is asked for: who reads them slowly keeps no more than the objects."""

    def __init__(self, objects: Sequence[Object], make: Callable[[Object], Object]) -> None:
        self._objects = objects
        self._make = make

    def __len__(self) -> int:
        return len(self._objects)

    def __getitem__(self, index: Any) -> Any:
        return [self._make(obj) for obj in self._objects[index]] if isinstance(index, slice) else self._make(self._objects[index])


def render(resource_key: str, objects: Sequence[Object], now: float, clock: Clock, include_object: str = "Metadata",
           breathe: Callable[[], None] | None = None, later: bool = False) -> Object:
    """The Table of some objects. ``include_object`` says what of each object its row carries: None, Metadata or Object; ``breathe()`` is
    called between many rows. ``later``: its rows are made when they are read (``Rows``)."""
    row = served(resource_key)
    resource_key = row.stored or resource_key if row else resource_key
    table = _TABLES.get(resource_key, _DEFAULT)
    when = When(now, clock)

    def make(obj: Object) -> Object:
        return _row(table, obj, when, include_object, row.kind if row else "", row.api_version if row else "")

    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": _definitions(resource_key),
        "rows": Rows(objects, make) if later else _made(objects, make, breathe),
    }


def _made(objects: Iterable[Object], make: Callable[[Object], Object], breathe: Callable[[], None] | None) -> list[Object]:
    rows = []
    for number, obj in enumerate(objects):
        if breathe is not None and number % BREATH == BREATH - 1:
            breathe()
        rows.append(make(obj))
    return rows


def _row(table: TableOf, obj: Object, when: When, include_object: str, kind: str, api_version: str) -> Object:
    row: Object = {"cells": table.cells(obj, when)}
    if table.conditions is not None and (conditions := table.conditions(obj)):
        row["conditions"] = conditions
    if include_object == "Metadata":
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    elif include_object == "Object":
        row["object"] = obj if "kind" in obj else {"kind": kind, "apiVersion": api_version, **obj}
    else:
        row["object"] = None
    return row


@cache
def _definitions(resource_key: str) -> list[Object]:
    return [
        {"name": column.name, "type": column.type, "format": column.format, "description": _description(column.said),
         "priority": column.priority}
        for column in _TABLES.get(resource_key, _DEFAULT).columns
    ]


def _description(said: str) -> str:
    if not said.startswith("io.k8s."):
        return said
    definition, _, field = said.partition(":")
    return schema.definition(definition).field(field).description
