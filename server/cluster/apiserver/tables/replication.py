"""Columns of the core group's workloads."""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.apiserver.tables.table import AGE, CORE, NAME, Column, TableOf, When, containers, template_columns
from server.cluster.objects import Object


def _replication_controller(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        when.born(obj),
        *containers(spec.get("template")),
        printing.labels(spec.get("selector")),
    ]


def _pod_template(obj: Object, when: When) -> list[Any]:
    template = obj.get("template") or {}
    return [obj["metadata"]["name"], *containers(template), printing.labels((template.get("metadata") or {}).get("labels"))]


TABLES: dict[str, TableOf] = {
    "replicationcontrollers": TableOf((
        NAME,
        Column("Desired", f"{CORE}ReplicationControllerSpec:replicas", type="integer"),
        Column("Current", f"{CORE}ReplicationControllerStatus:replicas", type="integer"),
        Column("Ready", f"{CORE}ReplicationControllerStatus:readyReplicas", type="integer"),
        AGE,
        *template_columns(f"{CORE}ReplicationControllerSpec:selector"),
    ), _replication_controller),
    "podtemplates": TableOf((
        NAME,
        Column("Containers", "The containers of the pod template, by name."),
        Column("Images", "The image of each container of the pod template."),
        Column("Pod Labels", "The labels that pods of this template get."),
    ), _pod_template),
}
