"""What matters of any object at a glance, drawn on the canvas or not: a stored object comes in, plain rows go out.

The columns are those that ``kubectl get -o wide`` prints, in Kubernetes' own words, so that every kind says something of itself. ConfigMaps
and Secrets tell their keys; a Secret's values stay base64, as they are stored, until the page is asked to show them.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from server.cluster.apiserver import tables
from server.cluster.apiserver.resources import RESOURCES, Resource
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, controller_of
from server.live.records import compact, thing_id

KINDS = {row.kind: row for row in RESOURCES.values()}
MAX_OWNERS, MAX_PAIRS, MAX_KEYS, MAX_VALUE, MAX_CONDITIONS = 8, 100, 200, 4_000, 30
MAX_PAGE, MAX_CELL = 500, 200
UNSHOWN = ("NAME", "AGE", "CREATED AT")


def about(cluster: Cluster, row: Resource, obj: Object) -> dict[str, Any]:
    """The head and the overview of an object; absent parts are left out."""
    meta = obj["metadata"]
    clock = cluster.clock
    status = obj.get("status") or {}
    return compact({
        "resource": row.key, "short": (row.short_names or (row.singular,))[0], "uid": meta.get("uid"),
        "created": clock.seconds(meta["creationTimestamp"]),
        "deleting": clock.seconds(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        "finalizers": (meta.get("finalizers") or [])[:MAX_OWNERS] or None, "owners": owners(cluster, obj) or None,
        "labels": _pairs(meta.get("labels")), "annotations": _pairs(meta.get("annotations")), "columns": columns(cluster, row, obj),
        "conditions": _conditions(cluster, status) or None, "data": _data(obj) or None,
        "containers": _containers(obj) if row.kind == "Pod" else None})


def owners(cluster: Cluster, obj: Object) -> list[str]:
    """Ids from the object's controller up to the topmost owner, nearest first."""
    found: list[str] = []
    namespace = obj["metadata"].get("namespace", "")
    owner = controller_of(obj)
    while owner is not None and len(found) < MAX_OWNERS:
        row = KINDS.get(owner["kind"])
        where = namespace if row is None or row.namespaced else ""
        found.append(thing_id(owner["kind"], where, owner["name"]))
        above = cluster.api.lister(row.key).get(where, owner["name"]) if row is not None else None
        owner = controller_of(above) if above is not None and above["metadata"].get("uid") == owner.get("uid") else None
    return found


def columns(cluster: Cluster, row: Resource, obj: Object) -> list[dict[str, str]]:
    """What ``kubectl get -o wide`` prints of it beside its name and age."""
    table = tables.render(row.key, [obj], cluster.clock.now, cluster.clock, "None")
    cells = table["rows"][0]["cells"]
    return [{"name": column["name"], "value": _cell(cell)} for column, cell in zip(table["columnDefinitions"], cells, strict=True)
            if column["name"].upper() not in UNSHOWN and cell not in (None, "", "<none>")]


def _cell(value: Any) -> str:
    return str(value)[:MAX_CELL]


def _pairs(given: dict[str, str] | None) -> dict[str, str] | None:
    return {key: str(value)[:MAX_CELL] for key, value in list((given or {}).items())[:MAX_PAIRS]} or None


def _conditions(cluster: Cluster, status: Object) -> list[dict[str, Any]]:
    return [compact({"type": entry.get("type"), "status": entry.get("status"), "reason": entry.get("reason") or None,
                     "message": (entry.get("message") or "")[:MAX_CELL * 5] or None,
                     "since": cluster.clock.seconds(entry["lastTransitionTime"]) if entry.get("lastTransitionTime") else None})
            for entry in (status.get("conditions") or ())[:MAX_CONDITIONS] if isinstance(entry, dict)]


def _data(obj: Object) -> list[dict[str, Any]]:
    """The keys of a ConfigMap or Secret with their sizes; ``text`` is what they hold, ``secret`` what base64 stands for it."""
    if obj.get("kind") not in ("ConfigMap", "Secret"):
        return []
    hidden = obj["kind"] == "Secret"
    found = []
    for key, value in list((obj.get("data") or {}).items())[:MAX_KEYS]:
        size = len(value.encode())
        if hidden:
            try:
                size = len(base64.b64decode(value, validate=True))
            except (binascii.Error, ValueError):
                size = 0
        found.append({"key": key, "size": size, **({"secret": value} if hidden and len(value) <= MAX_VALUE else {}),
                      **({"text": value} if not hidden and len(value) <= MAX_VALUE else {})})
    return found + [{"key": key, "size": len(value) * 3 // 4, "binary": True}
                    for key, value in list((obj.get("binaryData") or {}).items())[:MAX_KEYS]]


def _containers(pod: Object) -> list[dict[str, Any]]:
    """Every container that can be read or entered, in the order in which kubectl lists them: the pod's own, then init and ephemeral ones."""
    spec, status = pod["spec"], pod.get("status") or {}
    told = {entry["name"]: entry for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
            for entry in status.get(field) or ()}
    found = []
    for field, role in (("containers", None), ("initContainers", "init"), ("ephemeralContainers", "ephemeral")):
        for entry in spec.get(field) or ():
            seen = told.get(entry["name"]) or {}
            state = seen.get("state") or {}
            name = next(iter(state), "waiting")
            resources = entry.get("resources") or {}
            found.append(compact({
                "name": entry["name"], "image": entry.get("image"), "role": role, "state": name,
                "reason": (state.get(name) or {}).get("reason"), "code": (state.get(name) or {}).get("exitCode"),
                "restarts": seen.get("restartCount", 0), "ready": bool(seen.get("ready")), "requests": resources.get("requests") or None,
                "limits": resources.get("limits") or None, "previous": True if (seen.get("lastState") or {}).get("terminated") else None,
                "probes": [name.removesuffix("Probe") for name in ("startupProbe", "readinessProbe", "livenessProbe") if entry.get(name)] or None}))
    return found[:MAX_KEYS]


# everything there is


def kinds(cluster: Cluster) -> list[dict[str, Any]]:
    """Every kind that can be listed, with how many objects there are of it."""
    return [compact({"resource": row.key, "kind": row.kind, "short": (row.short_names or (row.singular,))[0], "group": row.group or None,
                     "namespaced": row.namespaced, "count": len(cluster.api.lister(row.key))})
            for row in RESOURCES.values() if "watch" in row.verbs]


def objects(cluster: Cluster, row: Resource, namespace: str, text: str, offset: int, limit: int) -> dict[str, Any]:
    """A page of a kind's objects with the columns that ``kubectl get`` prints; ``text`` is a part of the names that are asked for."""
    found = cluster.api.lister(row.key).list(namespace or None)
    if text:
        found = [obj for obj in found if text in obj["metadata"]["name"]]
    page = found[offset:offset + min(limit, MAX_PAGE)]
    table = tables.render(row.key, page, cluster.clock.now, cluster.clock, "None", cluster.breathe)
    shown = [index for index, column in enumerate(table["columnDefinitions"]) if not column["priority"] and column["name"].upper() != "NAME"]
    return {
        "kind": row.kind, "total": len(found), "offset": offset, "columns": [table["columnDefinitions"][index]["name"] for index in shown],
        "rows": [{"id": thing_id(row.kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]),
                  "cells": [_cell(line["cells"][index]) if line["cells"][index] is not None else "" for index in shown]}
                 for obj, line in zip(page, table["rows"], strict=True)]}
