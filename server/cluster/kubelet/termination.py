"""Stopping: one container to start it again, or the whole pod because it is deleted, done or out of time.

A container's preStop hook comes first, then SIGTERM; a program that hears it ends soon, one that does not is killed when what is
left of the grace period (two seconds at least) is over. Sidecars wait for their turn: after all the others, the last one first.
When nothing runs any more the pod's last status is written, and a deleted pod is removed from the API server.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.errors import ApiError
from server.cluster.kubelet import containers, hooks
from server.cluster.kubelet.cell import Cell
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker
    from server.cluster.kubelet.probes import Probe

CLEANUP, SIGKILLED, DEFAULT_GRACE, TRY_AGAIN, LEAST_GRACE = 0.4, 137, 30, 5.0, 2.0
LOST = {"exitCode": SIGKILLED, "finishedAt": None, "message": "The container could not be located when the pod was terminated",
        "reason": "ContainerStatusUnknown", "startedAt": None}
DEADLINE = "Pod was active on the node longer than the specified deadline"
KEEPS = ("probe", "died", "exit", "stopped", "killone", "term", "turn", "oom", "delete", "write")


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
    if worker.stage == "stopping":
        _shorten(worker, max(0.0, worker.kubelet.clock.seconds(pod["metadata"]["deletionTimestamp"]) - worker.now))
        return
    stop_all(worker, pod, grace_of(pod))


def stop_all(worker: PodWorker, pod: Object, grace: float) -> None:
    """Every container is told to stop: hooks run at once, sidecars hear of it when their turn has come."""
    worker.stage = "stopping"
    worker.due = {name: moment for name, moment in worker.due.items() if name.partition(":")[0] in KEEPS}
    for cell in worker.cells():
        cell.again = cell.again and cell.init
    running = [cell for cell in worker.cells() if cell.running]
    if not running:
        return one_ended(worker, pod)
    waiting = any(not cell.sidecar for cell in running) or len(running) > 1
    for cell in running:
        if cell.killing and cell.container.stopping:
            _sooner(worker, f"killone:{cell.name}", max(LEAST_GRACE, grace))
            continue
        worker.record(pod, "Normal", "Killing", f"Stopping container {cell.name}", cell)
        if cell.sidecar and waiting:
            hook = _before_stop(worker, pod, cell, lambda: None)
            worker.at(f"turn:{cell.name}", worker.now + (grace if hook == float("inf") else max(grace, hook)))
        else:
            _signal(worker, pod, cell, grace)
    worker.until = worker.now + grace
    return _next_turn(worker, pod)


def stop(worker: PodWorker, pod: Object, cell: Cell, why: str, probe: Probe | None = None) -> None:
    """Stops one container; it is started again when it has ended."""
    cell.killing = why
    spec = worker.spec(cell.name).get(f"{why}Probe") or {}
    _signal(worker, pod, cell, spec.get("terminationGracePeriodSeconds", pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE)))


def _signal(worker: PodWorker, pod: Object, cell: Cell, grace: float) -> None:
    """preStop, then SIGTERM."""
    begun = worker.now

    def ended() -> None:
        """A command has come to its end before the grace period has."""
        if f"term:{cell.name}" in worker.due:
            worker.at(f"term:{cell.name}", worker.now)
            worker.at(f"killone:{cell.name}", max(worker.now + LEAST_GRACE, begun + grace))
            worker.save()
            worker.arm()

    delay = min(_before_stop(worker, pod, cell, ended), grace)
    worker.at(f"killone:{cell.name}", worker.now + delay + max(LEAST_GRACE, grace - delay))
    if delay:
        worker.at(f"term:{cell.name}", worker.now + delay)
    else:
        _term(worker, pod, cell.name)


def _term(worker: PodWorker, pod: Object, name: str) -> None:
    """SIGTERM: a program that hears it gets its moment of ending."""
    cell = worker.cell(name)
    if cell is None or not cell.running:
        return
    answer = cell.container.terminate()
    last = worker.due.get(f"killone:{name}", worker.now)
    if answer is not None and worker.now + answer[0] <= last:
        cell.stop = [answer[1]]
        worker.at(f"stopped:{name}", worker.kubelet.observed(worker.now + answer[0], at_most=last))


def _before_stop(worker: PodWorker, pod: Object, cell: Cell, then: Callable[[], None]) -> float:
    """How long the preStop hook takes; inf for a command, at whose end ``then()`` is called."""
    hook = cell.template.lifecycle.get("preStop")
    if not hook:
        return 0.0
    container = cell.container

    def told(fault: str) -> None:
        if cell.container is container and container.running:
            if fault:
                worker.record(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", cell)
            then()

    return hooks.run(worker, pod, cell, hook, told)


def _shorten(worker: PodWorker, grace: float) -> None:
    for cell in worker.cells():
        if cell.running:
            if f"turn:{cell.name}" in worker.due:
                _sooner(worker, f"turn:{cell.name}", grace)
            else:
                _sooner(worker, f"term:{cell.name}", grace, add=False)
                _sooner(worker, f"killone:{cell.name}", max(LEAST_GRACE, grace))
    worker.until = min(worker.until, worker.now + grace)


def _sooner(worker: PodWorker, name: str, delay: float, add: bool = True) -> None:
    if add or name in worker.due:
        worker.at(name, min(worker.due.get(name, worker.now + delay), worker.now + delay))


def _turn(worker: PodWorker, pod: Object, name: str) -> None:
    """A sidecar's turn to stop: its hook has run, and what is left of the grace period is its own."""
    cell = worker.cell(name)
    if cell is not None and cell.running:
        worker.at(f"killone:{name}", worker.now + max(LEAST_GRACE, worker.until - worker.now))
        _term(worker, pod, name)


def _next_turn(worker: PodWorker, pod: Object) -> None:
    """The last sidecar hears it when all others have ended, then the one before it."""
    waiting = [cell for cell in worker.cells() if cell.running and f"turn:{cell.name}" in worker.due]
    others = [cell for cell in worker.cells() if cell.running and f"turn:{cell.name}" not in worker.due]
    if waiting and not others:
        del worker.due[f"turn:{waiting[-1].name}"]
        _turn(worker, pod, waiting[-1].name)


def _stopped(worker: PodWorker, pod: Object, name: str) -> None:
    _end(worker, pod, name, None)


def _kill_one(worker: PodWorker, pod: Object, name: str) -> None:
    _end(worker, pod, name, SIGKILLED)


def _end(worker: PodWorker, pod: Object, name: str, code: int | None) -> None:
    cell = worker.cell(name)
    if cell is None or not cell.running:
        return
    cell.container.end(cell.stop[0] if code is None and cell.stop else SIGKILLED)
    containers.died(worker, pod, cell)


def one_ended(worker: PodWorker, pod: Object) -> None:
    """One more container has ended while the pod stops."""
    if any(cell.running for cell in worker.cells()):
        _next_turn(worker, pod)
    else:
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
    worker.kubelet.manager.shutdowns.ended(worker)
    worker.changed = True


def _delete(worker: PodWorker, pod: Object, name: str) -> None:
    try:
        worker.take_away()
    except ApiError as fault:
        if fault.code != 404 and worker.kubelet.client.severed is None:
            worker.at("delete", worker.now + TRY_AGAIN)


def _deadline(worker: PodWorker, pod: Object, name: str) -> None:
    if stopping(worker):
        return
    worker.record(pod, "Normal", "DeadlineExceeded", DEADLINE)
    worker.final = ["Failed", "DeadlineExceeded", DEADLINE]
    stop_all(worker, pod, pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE))


ACTIONS = {"stopped": _stopped, "killone": _kill_one, "term": _term, "turn": _turn, "delete": _delete, "deadline": _deadline}
