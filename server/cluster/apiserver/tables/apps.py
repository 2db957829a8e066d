"""Columns of the apps group."""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.apiserver.tables.table import AGE, CORE, NAME, Column, TableOf, When, containers, template, template_columns
from server.cluster.objects import Object, controller_of

APPS = "io.k8s.api.apps.v1."


def _deployment(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        when.born(obj),
        *template(spec),
    ]


def _replica_set(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        when.born(obj),
        *template(spec),
    ]


def _stateful_set(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        when.born(obj),
        *containers(spec["template"]),
    ]


def _controller_revision(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], _controller(obj), obj.get("revision", 0), when.born(obj)]


def _controller(obj: Object) -> str:
    """What controls an object, as ``kind.group/name``."""
    reference = controller_of(obj)
    if reference is None:
        return "<none>"
    group = reference["apiVersion"].rpartition("/")[0]
    return f"{reference['kind']}{f'.{group}' if group else ''}".lower() + f"/{reference['name']}"


def _daemon_set(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    selector = (spec["template"].get("spec") or {}).get("nodeSelector")
    return [
        obj["metadata"]["name"],
        *(status.get(field, 0) for field in counts),
        printing.labels(selector),
        when.born(obj),
        *template(spec),
    ]


TABLES: dict[str, TableOf] = {
    "daemonsets.apps": TableOf((
        NAME,
        Column("Desired", f"{APPS}DaemonSetStatus:desiredNumberScheduled", type="integer"),
        Column("Current", f"{APPS}DaemonSetStatus:currentNumberScheduled", type="integer"),
        Column("Ready", f"{APPS}DaemonSetStatus:numberReady", type="integer"),
        Column("Up-to-date", f"{APPS}DaemonSetStatus:updatedNumberScheduled", type="integer"),
        Column("Available", f"{APPS}DaemonSetStatus:numberAvailable", type="integer"),
        Column("Node Selector", f"{CORE}PodSpec:nodeSelector"),
        AGE,
        *template_columns(f"{APPS}DaemonSetSpec:selector"),
    ), _daemon_set),
    "deployments.apps": TableOf((
        NAME,
        Column("Ready", "How many pods are ready, of how many that are wanted."),
        Column("Up-to-date", f"{APPS}DeploymentStatus:updatedReplicas"),
        Column("Available", f"{APPS}DeploymentStatus:availableReplicas"),
        AGE,
        *template_columns(f"{APPS}DeploymentSpec:selector"),
    ), _deployment),
    "replicasets.apps": TableOf((
        NAME,
        Column("Desired", f"{APPS}ReplicaSetSpec:replicas", type="integer"),
        Column("Current", f"{APPS}ReplicaSetStatus:replicas", type="integer"),
        Column("Ready", f"{APPS}ReplicaSetStatus:readyReplicas", type="integer"),
        AGE,
        *template_columns(f"{APPS}ReplicaSetSpec:selector"),
    ), _replica_set),
    "statefulsets.apps": TableOf((
        NAME,
        Column("Ready", "How many pods are ready, of how many that are wanted."),
        AGE,
        *template_columns("")[:2],
    ), _stateful_set),
    "controllerrevisions.apps": TableOf((
        NAME,
        Column("Controller", "The workload whose template this is."),
        Column("Revision", f"{APPS}ControllerRevision:revision"),
        AGE,
    ), _controller_revision),
}
