"""Whether a container that has ended runs again: the pod's policy, the container's own, its rules; and its back-off.

A rule that matches the exit code comes first, then the container's ``restartPolicy``, then the pod's. The rule's action
``RestartAllContainers`` makes the whole pod begin again, init containers first, on the same node with the same address and volumes.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts and KEP-5307, KEP-5532
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet import backoff, containers, probing
from server.cluster.kubelet.cell import Cell
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

FIRST_RETRY, RESYNC, JITTER, SHOWN_AFTER = 1.0, 60.0, 1.5, 20.0
RESTART_ALL = "RestartAllContainers"
SIGKILLED = 137


def rule(cell: Cell, code: int) -> str:
    """The action of the container's first rule that speaks of this exit code; "" if none does."""
    for entry in cell.template.rules:
        codes = entry.get("exitCodes") or {}
        if (code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return entry["action"]
    return ""


def restarts(pod: Object, cell: Cell, code: int) -> bool:
    """Whether a container that ended with ``code`` is to run again."""
    if cell.ephemeral:
        return False
    if cell.sidecar or rule(cell, code):
        return True
    policy = cell.template.restart_policy or pod["spec"].get("restartPolicy", "Always")
    if cell.init and policy == "Always":
        policy = "OnFailure"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def any_again(pod: Object, cells: list[Cell]) -> bool:
    """Whether one of these, all of them down, will run again."""
    return any(cell.terminated is None or cell.again or restarts(pod, cell, cell.terminated["exitCode"]) for cell in cells)


def killed(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """The kubelet stopped it to start it again: what counts for the back-off is the end of the run before."""
    why, cell.killing = cell.killing, ""
    wanted = restarts(pod, cell, cell.terminated["exitCode"])
    cell.again = not cell.init and not wanted
    if why in ("changed", "resized"):
        cell.crash = None
        return containers.start(worker, pod, cell)
    if not restarts(pod, cell, cell.terminated["exitCode"] or 1):
        cell.again = False
        return containers.ended(worker, pod, cell)
    if len(cell.ends) < 2:
        return containers.start(worker, pod, cell)
    if backoff.remaining(cell.crash, cell.ends[0], worker.now) <= 0:
        cell.crash = backoff.raised(cell.crash, worker.now)
        return containers.start(worker, pod, cell)
    cell.again = False
    _say_back_off(worker, pod, cell)
    if not wanted:
        return containers.ended(worker, pod, cell)
    return worker.at(f"crash:{cell.name}", worker.now + FIRST_RETRY)


def crashed(worker: PodWorker, pod: Object, cell: Cell, since: float) -> None:
    if backoff.remaining(cell.crash, since, worker.now) <= 0:
        cell.crash = backoff.raised(cell.crash, worker.now)
        return containers.start(worker, pod, cell)
    return _back_off(worker, pod, cell)


def _back_off(worker: PodWorker, pod: Object, cell: Cell) -> None:
    left = backoff.remaining(cell.crash, cell.ends[-1], worker.now)
    _say_back_off(worker, pod, cell)
    worker.at(f"crash:{cell.name}", worker.now + min(left, RESYNC) * worker.chance(1, JITTER, cell.name))
    if left > SHOWN_AFTER and cell.waiting is None:
        worker.at(f"show:{cell.name}", worker.now + SHOWN_AFTER)


def _say_back_off(worker: PodWorker, pod: Object, cell: Cell) -> None:
    worker.record(pod, "Warning", "BackOff",
                  f"Back-off restarting failed container {cell.name} in pod {worker.key[1]}_{worker.key[0]}({worker.uid})",
                  cell)


def _show_crash(worker: PodWorker, pod: Object, cell: Cell) -> None:
    if cell.terminated is None and cell.waiting is None:
        return
    containers.wait(worker, cell, "CrashLoopBackOff", f"back-off {backoff.duration(cell.crash[0])} restarting failed container={cell.name} "
                    f"pod={worker.key[1]}_{worker.key[0]}({worker.uid})")


def _crash(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """A sync that finds a container down: starts it, or goes on waiting."""
    if cell.running:
        return
    worker.due.pop(f"show:{cell.name}", None)
    since = cell.ends[-1]
    fresh = cell.waiting is not None and cell.waiting[0] == "RunContainerError"
    if cell.crash is not None and not fresh:
        _show_crash(worker, pod, cell)
    if backoff.remaining(cell.crash, since, worker.now) > 0:
        return _back_off(worker, pod, cell)
    if cell.crash is not None and fresh:
        _show_crash(worker, pod, cell)
    cell.crash = backoff.raised(cell.crash, worker.now)
    return containers.start(worker, pod, cell)


# the whole pod again

def everything(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """``cell`` ended in a way that asks for all to begin again: the others are killed where they are, no hook is run."""
    worker.restarting = True
    for name in list(worker.due):
        if name.partition(":")[0] not in ("deadline", "write"):
            del worker.due[name]
    wait = backoff.remaining(cell.crash, cell.container.finished, worker.now)
    cell.crash = backoff.raised(cell.crash, worker.now) if wait <= 0 else cell.crash
    for other in worker.cells():
        if other.running:
            probing.end(worker, other)
            other.container.end(SIGKILLED)
        if other.container is not None and other.terminated is None:
            containers.note_end(worker, other)
    worker.changed = True
    worker.at(f"again:{cell.name}", worker.kubelet.observed(worker.now + max(wait, FIRST_RETRY)))


def _again(worker: PodWorker, pod: Object, cell: Cell) -> None:
    """All is down: the pod's life begins anew, but for its address, its volumes and its counts."""
    worker.restarting = False
    for other in worker.cells():
        if not other.ephemeral:
            other.begin_again("PodInitializing" if worker.init else "ContainerCreating")
    worker.changed = True
    containers.start_next(worker, pod)


def fact(under_way: bool, phase: str) -> tuple[str, bool, str, str]:
    """The condition of a pod that has such a rule."""
    if phase in ("Succeeded", "Failed"):
        return "AllContainersRestarting", False, "PodCompleted" if phase == "Succeeded" else "PodFailed", ""
    if not under_way:
        return "AllContainersRestarting", False, "", ""
    return "AllContainersRestarting", True, "RestartAllContainersStarted", "container exited with restart policy rule"


ACTIONS = {"crash": _crash, "show": _show_crash, "again": _again}
