"""A pod worker as plain data: what is kept of it beside the pod's status, and the worker that is built again from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.clock import Clock
from server.cluster.kubelet import admission, containers, resizing
from server.cluster.kubelet.template import template_of
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

NEW, WAITING, ACTIVE, STOPPING, ENDED, GONE = "new", "waiting", "active", "stopping", "ended", "gone"
MOUNT_FIRST = 0.5


def dump(worker: PodWorker) -> dict[str, Any]:
    """Everything that ``restore`` needs beside the pod itself."""
    made = worker.sandbox.containers if worker.sandbox is not None else {}
    data: dict[str, Any] = {"stage": worker.stage, "due": dict(worker.due), "ip": worker.ip, "started": worker.started,
                            "cells": {cell.name: cell.dump(made.get(cell.name)) for cell in worker.cells()}}
    for cell in worker.cells():
        if cell.template.given is not (worker.specs[cell.name].get("resources") or {}) and cell.template.given != worker.specs[cell.name].get(
                "resources", {}):
            data["cells"][cell.name]["allocated"] = cell.template.given
    for field in ("until", "restarting", "pending", "resizing", "pod_resources"):
        value = getattr(worker, field)
        if value is not None and value is not False and value != 0.0:
            data[field] = value
    if worker.final:
        data["final"] = worker.final
    if worker.disrupted:
        data["disrupted"] = worker.disrupted
    if worker.mount_delay != MOUNT_FIRST:
        data["mount"] = worker.mount_delay
    if worker.frozen:
        data["frozen"] = dict(worker.frozen)
    if worker.sandbox is not None:
        data["network"] = worker.holding
    return data


def restore(worker: PodWorker, pod: Object, data: dict[str, Any] | None, chunks: dict[str, dict[int, list[list]]]) -> None:
    """Takes up a pod that ran before this process did: from ``data`` (what ``dump`` gave), or from its status alone."""
    worker.read(pod)
    status = pod["status"]
    worker.started = status.get("startTime", "")
    ip = status.get("podIP", "")
    network = bool(ip)
    if data is None:
        worker.stage = ACTIVE
        data = {"cells": {entry["name"]: _running_cell(worker.kubelet.clock, entry) for entry in status.get("containerStatuses") or ()}}
    else:
        worker.kept = True
        worker.stage, worker.due, ip, worker.started = data["stage"], dict(data["due"]), data["ip"], data["started"]
        worker.final = data.get("final")
        worker.disrupted = data.get("disrupted", "")
        worker.until, worker.restarting = data.get("until", 0.0), data.get("restarting", False)
        worker.pending, worker.resizing = data.get("pending"), data.get("resizing")
        worker.pod_resources = data.get("pod_resources")
        worker.mount_delay = data.get("mount", MOUNT_FIRST)
        worker.frozen = dict(data.get("frozen") or {})
        network = "network" in data
    if network:
        worker.make_sandbox(pod, ip)
        worker.holding = worker.holding and data.get("network", True)
    for cell in worker.cells():
        saved = data["cells"].get(cell.name) or {}
        if not saved:
            continue
        cell.load(saved)
        if "allocated" in saved and saved["allocated"] != cell.template.resources:
            cell.template = template_of({**worker.specs[cell.name], "resources": saved["allocated"]})
        if "container" in saved:
            containers.take_up(worker, cell, saved, chunks)
    if worker.stage != ENDED:
        worker.kubelet.take(worker, admission.request_of(worker.lasting(), worker.pod_resources))
    if worker.pending and worker.pending[0] == resizing.DEFERRED:
        worker.kubelet.deferred[worker.key] = None
    worker.arm()


def _running_cell(clock: Clock, entry: Object) -> dict[str, Any]:
    """The saved form of a container that simply runs."""
    running = (entry.get("state") or {}).get("running") or {}
    allocated = {"allocated": entry["resources"]} if entry.get("resources") else {}
    return {**allocated, "ready": entry["ready"], "started": entry.get("started", True), "restarts": entry["restartCount"], "begun": True,
            "created": True, "shown_image": (entry["image"], entry["imageID"]), "image": entry["image"],
            "container": {"id": entry["containerID"].removeprefix("containerd://"), "started": clock.seconds(running["startedAt"])}}
