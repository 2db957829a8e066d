"""In-place resize: a running container gets other cpu and memory, without a new pod and, if its policy allows, without a restart.

What is asked for stands in the pod's spec (written through ``pods/resize``), what the node has set aside in the cell's template, what
the container really has in ``Cell.resources`` until the two are the same. A resize that the node can never grant is Infeasible, one
that it cannot grant now Deferred: it is looked at again when a pod of the node gives something back.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ and KEP-1287
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from server.cluster import quantity
from server.cluster.kubelet import admission, termination
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.template import Template, template_of
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

INFEASIBLE, DEFERRED, ERROR = "Infeasible", "Deferred", "Error"
TRY_AGAIN = 60.0


def look(worker: PodWorker, pod: Object) -> None:
    """Compares what is asked for with what is set aside, and sets aside what can be."""
    wanted = {cell.name: template_of(worker.spec(cell.name)) for cell in worker.cells() if not cell.ephemeral}
    changed = [cell for cell in worker.cells() if not cell.ephemeral and wanted[cell.name].resources != cell.template.resources]
    pod_level = worker.asked(pod)
    if not changed and pod_level == worker.pod_resources:
        if worker.pending:
            worker.pending, worker.changed = None, True
            worker.kubelet.deferred.pop(worker.key, None)
        return
    kubelet = worker.kubelet
    request = admission.request_of([wanted.get(cell.name, cell.template) for cell in worker.lasting_cells()], pod_level)
    verdict = _verdict(worker, request)
    if verdict is not None:
        reason, message = verdict
        if worker.pending != [reason, message]:
            worker.record(pod, "Warning", f"Resize{reason}", f"Pod resize {reason}: {_summary(worker, pod, wanted, message)}")
        worker.pending, worker.changed = [reason, message], True
        if reason == DEFERRED:
            kubelet.deferred[worker.key] = None
        else:
            kubelet.deferred.pop(worker.key, None)
        return
    kubelet.deferred.pop(worker.key, None)
    kubelet.give_back(worker)
    kubelet.take(worker, request)
    worker.pending, worker.resizing, worker.changed, worker.pod_resources = None, ["", ""], True, pod_level
    for cell in changed:
        cell.resources = cell.template.resources if cell.resources is None and cell.running else cell.resources
        cell.template = wanted[cell.name]
    worker.record(pod, "Normal", "ResizeStarted", f"Pod resize started: {_summary(worker, pod, wanted)}")
    for cell in changed:
        if cell.running:
            _actuate(worker, pod, cell)
    settled(worker, pod)


def _verdict(worker: PodWorker, request: admission.Request) -> tuple[str, str] | None:
    kubelet = worker.kubelet
    cpu, memory, _ = kubelet.allocatable
    for name, asked, capacity in (("memory", request.memory, memory), ("cpu", request.cpu, cpu)):
        if asked > capacity:
            return INFEASIBLE, f"Node didn't have enough capacity: {name}, requested: {asked}, capacity: {capacity}"
    own = worker.taken or admission.NOTHING
    used_cpu, used_memory, _ = kubelet.used
    for name, asked, had, used, capacity in (("cpu", request.cpu, own.cpu, used_cpu, cpu), ("memory", request.memory, own.memory,
                                                                                           used_memory, memory)):
        if asked > had and used - had + asked > capacity:
            return DEFERRED, (f"Node didn't have enough resource: {name}, requested: {asked}, used: {used - had}, "
                              f"capacity: {capacity}")
    return None


def _actuate(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """In place, or by a restart where the container's policy wants that for what has changed."""
    policies = {entry["resourceName"]: entry["restartPolicy"] for entry in worker.spec(cell.name).get("resizePolicy") or ()}
    if any(policies.get(name) == "RestartContainer" for name in _changed(cell.resources or {}, cell.template.resources)):
        if not cell.killing:
            worker.record(pod, "Normal", "Killing", f"Container {cell.name} resize requires restart", cell)
            termination.stop(worker, pod, cell, "resized")
    else:
        worker.at(f"resize:{cell.name}", worker.kubelet.observed(worker.now))


def _changed(before: Object, after: Object) -> list[str]:
    return [name for name in ("cpu", "memory") if any((before.get(part) or {}).get(name) != (after.get(part) or {}).get(name)
                                                      for part in ("requests", "limits"))]


def _in_place(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """The runtime is told; it does not take away memory that is in use."""
    container = cell.container
    if container is None or not container.running or cell.resources is None:
        return settled(worker, pod)
    limit, used = cell.template.memory, container.memory()
    if limit is not None and used > limit and (container.launch.memory is None or limit < container.launch.memory):
        message = f"attempting to set container {json.dumps(cell.name)} memory limit ({limit}) below current usage ({used})"
        if worker.resizing != [ERROR, message]:
            worker.record(pod, "Warning", "ResizeError", f"Pod resize error: {_summary(worker, pod, {}, message)}")
            worker.resizing, worker.changed = [ERROR, message], True
        return worker.at(f"resize:{cell.name}", worker.now + TRY_AGAIN)
    cpu_limit, cpu_request = cell.template.cpu
    container.launch = container.launch._replace(memory=limit, cpu_limit=cpu_limit, cpu_request=cpu_request)
    worker.kubelet.runtime.usage.limits(container, cpu_limit, cpu_request)
    cell.resources = None
    worker.changed = True
    return settled(worker, pod)


def settled(worker: PodWorker, pod: Object) -> None:
    """Says so when everything is as it was set aside."""
    if worker.resizing is None or any(cell.resources is not None for cell in worker.cells()):
        return
    worker.resizing, worker.changed = None, True
    worker.record(pod, "Normal", "ResizeCompleted", f"Pod resize completed: {_summary(worker, pod, {})}")


def _summary(worker: PodWorker, pod: Object, templates: dict[str, Template], error: str = "") -> str:
    said: dict[str, Any] = {}
    for field, cells in (("initContainers", worker.init), ("containers", worker.main)):
        if cells:
            said[field] = [{"name": cell.name, "resources": _canonical(templates.get(cell.name, cell.template).resources)} for cell in cells]
    said["generation"] = pod["metadata"].get("generation", 1)
    if error:
        said["error"] = error
    return json.dumps(said, separators=(",", ":"))


def _canonical(resources: Object) -> Object:
    return {part: {name: quantity.canonical(value) for name, value in sorted(resources[part].items())}
            for part in ("limits", "requests") if resources.get(part)}


def facts(worker: PodWorker) -> list[tuple[str, bool, str, str]]:
    """The conditions that tell of a resize."""
    found = []
    if worker.pending:
        found.append(("PodResizePending", True, *worker.pending))
    if worker.resizing is not None:
        found.append(("PodResizeInProgress", True, *worker.resizing))
    return found


ACTIONS = {"resize": _in_place}
