"""A pod's status as its kubelet reports it: container statuses, phase, conditions.

Facts about containers (``Cell``) come in; dicts in the API's shape come out. Everything that is the same for all replicas is shared.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.cell import Cell

EMPTY: Object = {}
RESIZE = ("PodResizePending", "PodResizeInProgress")
OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "AllContainersRestarting", *RESIZE)
_BOTH_READY = ("", "")


def container_status(cell: Cell, spec: Object, timestamp: Any) -> Object:
    """``spec`` is the container's; ``timestamp(seconds)`` prints a virtual moment."""
    made = cell.container if not cell.hook else None
    status: Object = {}
    if made is not None:
        if cell.template.allocated:
            status["allocatedResources"] = cell.template.allocated
        status["containerID"] = f"containerd://{made.id}"
        status["image"] = made.launch.image.text
        status["imageID"] = made.launch.image.id
    elif cell.last is not None:
        status["containerID"] = cell.last["containerID"]
        status["image"], status["imageID"] = cell.shown_image
    else:
        status["image"], status["imageID"] = cell.template.image, ""
    status["lastState"] = {"terminated": cell.last} if cell.last is not None else EMPTY
    status["name"] = cell.name
    status["ready"] = cell.ready
    if made is not None:
        status["resources"] = cell.template.resources if cell.resources is None else cell.resources
    status["restartCount"] = cell.restarts
    if not cell.ephemeral:
        status["started"] = cell.started
    status["state"] = state(cell, timestamp)
    mounts = spec.get("volumeMounts")
    if mounts:
        status["volumeMounts"] = [_mount(mount) for mount in mounts]
    return status


def _mount(mount: Object) -> Object:
    if mount.get("readOnly"):
        return {"mountPath": mount["mountPath"], "name": mount["name"], "readOnly": True, "recursiveReadOnly": "Disabled"}
    return {"mountPath": mount["mountPath"], "name": mount["name"]}


def state(cell: Cell, timestamp: Any) -> Object:
    if cell.waiting is not None:
        reason, message = cell.waiting
        return {"waiting": {"message": message, "reason": reason} if message else {"reason": reason}}
    if cell.terminated is not None and not (cell.again and not cell.init):
        return {"terminated": cell.terminated}
    return {"running": {"startedAt": timestamp(cell.container.started)}}


def phase(init: list[Cell], main: list[Cell], policy: str, ended: bool, again: bool) -> str:
    """``ended`` says that nothing of the pod will run again, ``again`` that one of its containers, all down, will."""
    if ended:
        cells = [*[cell for cell in init if not cell.sidecar], *main]
        return "Succeeded" if all(cell.terminated is not None and cell.terminated["exitCode"] == 0 for cell in cells) else "Failed"
    if not _main_begun(main) and any(not cell.initialized() for cell in init):
        failed = policy == "Never" and any(cell.terminated is not None and cell.terminated["exitCode"] for cell in init if not cell.sidecar)
        return "Failed" if failed else "Pending"
    running = sum(cell.running and not cell.hook for cell in init if cell.sidecar)
    stopped = succeeded = 0
    for cell in main:
        if cell.waiting is not None:
            if cell.last is None:
                return "Pending"
            stopped += 1
        elif cell.terminated is not None:
            stopped += 1
            succeeded += cell.terminated["exitCode"] == 0
        else:
            running += 1
    if running or policy == "Always" or again:
        return "Running"
    if stopped == succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _main_begun(main: list[Cell]) -> bool:
    """Whether a regular container runs or has run, since all began anew: then the pod is initialized, whatever becomes of sidecars."""
    return any(cell.waiting is None and (cell.container is not None or cell.terminated is not None) for cell in main)


def conditions(pod: Object, now: str, facts: tuple[tuple[str, bool, str, str], ...]) -> list[Object]:
    """``facts`` are (type, true, reason, message) in order; a condition whose status stays keeps its transition time. Conditions of
    others stay, first."""
    meta = pod["metadata"]
    generation = meta.get("generation", 1)
    known, made = {}, []
    for entry in (pod.get("status") or EMPTY).get("conditions") or ():
        if entry["type"] in OWNED:
            known[entry["type"]] = entry
        else:
            made.append(entry)
    for type_, true, reason, message in facts:
        status = "True" if true else "False"
        old = known.get(type_)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
        entry = {"lastProbeTime": None, "lastTransitionTime": since, "observedGeneration": generation, "status": status, "type": type_}
        if reason:
            entry["reason"] = reason
        if message:
            entry["message"] = message
        made.append(entry)
    return made


def disrupted(pod: Object, now: str, entries: list[Object], message: str) -> list[Object]:
    """The conditions of a pod that its kubelet ended for the node's sake."""
    if any(entry["type"] == "DisruptionTarget" and entry["reason"] == "TerminationByKubelet" for entry in entries):
        return entries
    return [{"lastProbeTime": None, "lastTransitionTime": now, "message": message, "observedGeneration": pod["metadata"].get("generation", 1),
             "reason": "TerminationByKubelet", "status": "True", "type": "DisruptionTarget"},
            *(entry for entry in entries if entry["type"] != "DisruptionTarget")]


def facts(pod: Object, init: list[Cell], main: list[Cell], phase_: str, sandbox: bool) -> tuple[tuple[str, bool, str, str], ...]:
    """The five conditions that a kubelet owns."""
    initialized, why = _main_begun(main) or all(cell.initialized() for cell in init), _BOTH_READY
    if phase_ == "Succeeded":
        initialized, why = True, ("PodCompleted", "")
    elif not initialized:
        names = " ".join(cell.name for cell in init if not cell.initialized())
        why = ("ContainersNotInitialized", f"containers with incomplete status: [{names}]")
    ready, why_not = _containers_ready(init, main, phase_)
    whole, whole_why = ready, why_not
    gates = pod["spec"].get("readinessGates")
    if gates and ready:
        whole, whole_why = _gates(pod, gates)
    return (("PodReadyToStartContainers", sandbox, "", ""), ("Initialized", initialized, *why), ("Ready", whole, *whole_why),
            ("ContainersReady", ready, *why_not), ("PodScheduled", True, "", ""))


def _containers_ready(init: list[Cell], main: list[Cell], phase_: str) -> tuple[bool, tuple[str, str]]:
    if phase_ == "Succeeded":
        return False, ("PodCompleted", "")
    if phase_ == "Failed":
        return False, ("PodFailed", "")
    unready = [cell.name for cell in init if cell.sidecar and not cell.ready] + [cell.name for cell in main if not cell.ready]
    if unready:
        return False, ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    return True, _BOTH_READY


def _gates(pod: Object, gates: list[Object]) -> tuple[bool, tuple[str, str]]:
    known = {entry["type"]: entry["status"] for entry in (pod.get("status") or EMPTY).get("conditions") or ()}
    faults = []
    for gate in gates:
        type_ = gate["conditionType"]
        if type_ not in known:
            faults.append(f'corresponding condition of pod readiness gate "{type_}" does not exist.')
        elif known[type_] != "True":
            faults.append(f'the status of pod readiness gate "{type_}" is not "True", but {known[type_]}')
    return not faults, ("ReadinessGatesNotReady", ", ".join(faults)) if faults else _BOTH_READY
