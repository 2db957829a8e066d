"""Columns of the policy group."""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.tables.table import AGE, NAME, Column, TableOf, When
from server.cluster.objects import Object


def _disruption_budget(obj: Object, when: When) -> list[Any]:
    spec = obj.get("spec") or {}
    limits = [str(spec[field]) if spec.get(field) is not None else "N/A" for field in ("minAvailable", "maxUnavailable")]
    return [obj["metadata"]["name"], *limits, (obj.get("status") or {}).get("disruptionsAllowed", 0), when.born(obj)]


TABLES: dict[str, TableOf] = {
    "poddisruptionbudgets.policy": TableOf((
        NAME,
        Column("Min Available", "How many pods must stay available, or what share of them."),
        Column("Max Unavailable", "How many pods may be unavailable, or what share of them."),
        Column("Allowed Disruptions", "How many pods may be disrupted now.", type="integer"),
        AGE,
    ), _disruption_budget),
}
