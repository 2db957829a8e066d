"""Columns of the scheduling group."""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.tables.table import AGE, NAME, Column, TableOf, When
from server.cluster.objects import Object

CLASS = "io.k8s.api.scheduling.v1.PriorityClass"


def _priority_class(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], obj["value"], bool(obj.get("globalDefault")), when.born(obj), obj.get("preemptionPolicy", "")]


TABLES: dict[str, TableOf] = {
    "priorityclasses.scheduling.k8s.io": TableOf((
        NAME,
        Column("Value", f"{CLASS}:value", type="integer"),
        Column("Global-Default", f"{CLASS}:globalDefault", type="boolean"),
        AGE,
        Column("PreemptionPolicy", f"{CLASS}:preemptionPolicy"),
    ), _priority_class),
}
