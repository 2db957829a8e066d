"""Stopping: one container to start it again, or the whole pod because it is deleted, done or out of time.

SIGTERM goes out at once (after a preStop hook); a program that hears it ends soon, one that does not is killed when the grace period
is over. When nothing runs any more the pod's last status is written, and a deleted pod is removed from the API server.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.errors import ApiError
from server.cluster.kubelet import containers, hooks
from server.cluster.kubelet.cell import Cell
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker
    from server.cluster.kubelet.probes import Probe

CLEANUP, SIGKILLED, DEFAULT_GRACE, TRY_AGAIN = 0.4, 137, 30, 5.0
LOST = {"exitCode": SIGKILLED, "finishedAt": None, "message": "The container could not be located when the pod was terminated",
        "reason": "ContainerStatusUnknown", "startedAt": None}
KEEPS = ("probe", "died", "exit", "stopped", "kill", "killone", "delete", "write")


def stopping(worker: PodWorker) -> bool:
    return worker.stage in ("stopping", "ended")


def grace_of(pod: Object) -> float:
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    return given if given is not None else pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE)


def begin(worker: PodWorker, pod: Object) -> None:
    """The pod is being deleted (or its grace period was shortened)."""
    if worker.stage == "ended":
        worker.changed = True
        worker.due = {"delete": worker.now + CLEANUP}
        return
    kill_at = max(worker.now, worker.kubelet.clock.seconds(pod["metadata"]["deletionTimestamp"]))
    if worker.stage == "stopping":
        if "kill" in worker.due:
            worker.at("kill", min(worker.due["kill"], max(kill_at, worker.now + 0.01)))
        return
    stop_all(worker, pod, grace_of(pod))


def stop_all(worker: PodWorker, pod: Object, grace: float) -> None:
    worker.stage = "stopping"
    worker.due = {name: moment for name, moment in worker.due.items() if name.partition(":")[0] in KEEPS}
    running = [cell for cell in worker.cells() if cell.running]
    if not running:
        return one_ended(worker, pod)
    worker.at("kill", worker.now + max(grace, 0.01))
    mains = [cell for cell in running if not cell.sidecar] or running
    for cell in mains:
        worker.record(pod, "Normal", "Killing", f"Stopping container {cell.name}", cell)
        _signal(worker, cell, grace)
    return None


def stop(worker: PodWorker, pod: Object, cell: Cell, why: str, probe: Probe | None = None) -> None:
    """Stops one container; it is started again when it has ended."""
    cell.killing = why
    spec = worker.spec(cell.name).get(f"{why}Probe") or {}
    grace = spec.get("terminationGracePeriodSeconds", pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE))
    _signal(worker, cell, grace)
    if cell.stop is None:
        worker.at(f"killone:{cell.name}", worker.now + grace)


def _signal(worker: PodWorker, cell: Cell, grace: float) -> None:
    """preStop, then SIGTERM: a program that hears it gets its moment of ending."""
    delay = min(_before_stop(worker, cell), grace)
    answer = cell.container.terminate()
    if answer is not None and delay + answer[0] <= max(grace, 0.01):
        cell.stop = [answer[1]]
        worker.at(f"stopped:{cell.name}", worker.kubelet.observed(worker.now + delay + answer[0], at_most=grace + worker.now))


def _before_stop(worker: PodWorker, cell: Cell) -> float:
    """How long the preStop hook takes."""
    hook = cell.template.lifecycle.get("preStop")
    pod = worker.pod() if hook else None
    if not hook or pod is None:
        return 0.0
    fault, seconds = hooks.run(worker, pod, cell, hook)
    if fault:
        worker.record(pod, "Warning", "FailedPreStopHook", f"PreStopHook failed: {fault}", cell)
    return seconds


def _stopped(worker: PodWorker, pod: Object, name: str) -> None:
    _end(worker, pod, name, None)


def _kill_one(worker: PodWorker, pod: Object, name: str) -> None:
    _end(worker, pod, name, SIGKILLED)


def _end(worker: PodWorker, pod: Object, name: str, code: int | None) -> None:
    cell = worker.cell(name)
    worker.due.pop(f"killone:{name}", None)
    worker.due.pop(f"stopped:{name}", None)
    if cell is None or not cell.running:
        return
    cell.container.end(cell.stop[0] if code is None and cell.stop else SIGKILLED)
    containers.ACTIONS["died"](worker, pod, cell)


def _kill(worker: PodWorker, pod: Object, name: str) -> None:
    """The grace period is over."""
    for cell in worker.cells():
        if cell.running:
            _end(worker, pod, cell.name, SIGKILLED)


def one_ended(worker: PodWorker, pod: Object) -> None:
    """One more container has ended while the pod stops."""
    running = [cell for cell in worker.cells() if cell.running]
    waiting_for = [cell for cell in running if cell.container.stopping]
    if waiting_for:
        return
    if running:
        grace = max(0.0, worker.due.get("kill", worker.now) - worker.now)
        for cell in reversed(running):
            worker.record(pod, "Normal", "Killing", f"Stopping container {cell.name}", cell)
            _signal(worker, cell, grace)
        return
    worker.due.pop("kill", None)
    _settle(worker, pod)


def finish(worker: PodWorker, pod: Object) -> None:
    """The pod has done its work, or failed for good: its sidecars go, then it is over."""
    if any(cell.running for cell in worker.cells()):
        grace = pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE)
        stop_all(worker, pod, grace)
    else:
        _settle(worker, pod)


def _settle(worker: PodWorker, pod: Object) -> None:
    """Nothing runs: the last status, the address goes back, and a deleted pod is removed."""
    worker.stage = "ended"
    deleting = "deletionTimestamp" in pod["metadata"]
    if deleting:
        had_network = worker.sandbox is not None
        for cell in worker.cells():
            if cell.terminated is None and cell.waiting is not None and had_network and (not worker.init or cell.init or cell.begun):
                cell.terminated, cell.waiting = LOST, None
        worker.due = {"delete": worker.now + CLEANUP}
    else:
        worker.due = {}
    worker.release()
    worker.kubelet.give_back(worker)
    worker.changed = True


def _delete(worker: PodWorker, pod: Object, name: str) -> None:
    client = worker.kubelet.client
    client.because = worker.because
    try:
        client.delete("pods", *worker.key, grace_period=0, uid=worker.uid)
    except ApiError as fault:
        if fault.code != 404:
            worker.at("delete", worker.now + TRY_AGAIN)


def _deadline(worker: PodWorker, pod: Object, name: str) -> None:
    if stopping(worker):
        return
    message = "Pod was active on the node longer than the specified deadline"
    worker.record(pod, "Normal", "DeadlineExceeded", message)
    worker.final = ["Failed", "DeadlineExceeded", message]
    stop_all(worker, pod, pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE))


ACTIONS = {"stopped": _stopped, "killone": _kill_one, "kill": _kill, "delete": _delete, "deadline": _deadline}
