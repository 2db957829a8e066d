"""When a container is asked by its probes, and what follows from the answers.

A probe is due at its container's start plus the initial delay, then every period while its answer is not settled: it fails, has not
succeeded often enough, or may change by itself. A settled success is not asked again until something in the pod changes (``rouse``).

Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from server.cluster.kubelet import containers, termination
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.probes import PATIENCE, RARE, TITLES, Probe, Result, ask, ask_command, failure
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker


def begin(worker: PodWorker, cell: Cell) -> None:
    """The container has started."""
    probes = cell.template.probes
    if not probes:
        cell.started, cell.ready = True, not (cell.init or cell.ephemeral) or cell.sidecar
        return
    kinds = [probe.kind for probe in probes]
    cell.counts = {}
    cell.started = "startup" not in kinds
    cell.ready = cell.started and "readiness" not in kinds
    for probe in probes:
        if cell.started or probe.kind == "startup":
            worker.at(f"probe:{probe.kind}:{cell.name}", worker.now + probe.delay)


def end(worker: PodWorker, cell: Cell) -> None:
    for probe in cell.template.probes:
        worker.due.pop(f"probe:{probe.kind}:{cell.name}", None)
    cell.counts = {}


def due(worker: PodWorker, pod: Object, cell: Cell, kind: str) -> None:
    """Asks one probe, and says when next."""
    probe = next((entry for entry in cell.template.probes if entry.kind == kind), None)
    if probe is None or not cell.running:
        return
    if termination.stopping(worker) and kind != "readiness":
        return
    forced = worker.kubelet.manager.forced_probes.get((*worker.key, cell.name, kind))
    if forced is not None:
        return _answered(worker, pod, cell, probe, Result(forced, "" if forced else failure(probe, worker.spec(cell.name), cell.container)))
    if probe.how != "exec":
        return _answered(worker, pod, cell, probe, ask(probe, worker.kubelet.runtime, pod, worker.spec(cell.name), cell.container))
    asked = cell.container
    worker.at(f"probe:{kind}:{cell.name}", worker.now + probe.timeout + probe.period)

    def told(result: Result) -> None:
        """The command has ended; what is asked of a container that has ended meanwhile does not count."""
        now = worker.pod()
        wanted = kind == "readiness" or not termination.stopping(worker)
        if now is not None and worker.kubelet.alive and cell.container is asked and cell.running and wanted:
            worker.due.pop(f"probe:{kind}:{cell.name}", None)
            _answered(worker, now, cell, probe, result)
            worker.finish()

    return ask_command(probe, asked, told)


def _answered(worker: PodWorker, pod: Object, cell: Cell, probe: Probe, result: Result) -> None:
    """What follows from an answer."""
    kind = probe.kind
    if not result.ok:
        says = "probe errored and resulted in unknown state" if result.errored else "probe failed"
        worker.record(pod, "Warning", "Unhealthy", f"{TITLES[kind]} {says}: {result.text}", cell)
    successes, failures = cell.counts.get(kind, (0, 0))
    successes, failures = (successes + 1, 0) if result.ok else (0, failures + 1)
    settled = result.ok and result.steady and successes >= probe.successes
    if settled:
        cell.counts.pop(kind, None)
    else:
        cell.counts[kind] = [successes, failures]
        worker.at(f"probe:{kind}:{cell.name}", _next(worker, cell, probe, result, failures))
    if result.ok and successes >= probe.successes:
        _succeeded(worker, pod, cell, kind)
    elif not result.ok and failures >= probe.failures:
        _gave_up(worker, pod, cell, kind)


def _next(worker: PodWorker, cell: Cell, probe: Probe, result: Result, failures: int) -> float:
    """One period on; rarely, once a failure that cannot change has been told as often as events are written."""
    if failures > PATIENCE and result.steady and probe.kind == "readiness" and cell.container.now() >= cell.container.serving_since:
        return worker.now + math.ceil(RARE / probe.period) * probe.period
    return worker.now + probe.period


def _succeeded(worker: PodWorker, pod: Object, cell: Cell, kind: str) -> None:
    if kind == "startup" and not cell.started:
        cell.started = True
        worker.changed = True
        others = [probe for probe in cell.template.probes if probe.kind != "startup"]
        cell.ready = all(probe.kind != "readiness" for probe in others)
        for probe in others:
            worker.at(f"probe:{probe.kind}:{cell.name}", max(worker.now, cell.container.started + probe.delay))
        if cell.init:
            containers.start_next(worker, pod)
    elif kind == "readiness" and not cell.ready:
        cell.ready = worker.changed = True


def _gave_up(worker: PodWorker, pod: Object, cell: Cell, kind: str) -> None:
    if kind == "readiness":
        if cell.ready:
            cell.ready = False
            worker.changed = True
    elif not cell.killing:
        worker.record(pod, "Normal", "Killing", f"Container {cell.name} failed {kind} probe, will be restarted", cell)
        cell.ready = False
        worker.due.pop(f"probe:{kind}:{cell.name}", None)
        probe = next(entry for entry in cell.template.probes if entry.kind == kind)
        termination.stop(worker, pod, cell, kind, probe)


def ask_again(worker: PodWorker, cell: Cell, kind: str) -> None:
    """A probe may answer otherwise from now on: it is asked at its next turn, even if it was settled."""
    if cell.running and cell.started != (kind == "startup"):
        probe = next((entry for entry in cell.template.probes if entry.kind == kind), None)
        if probe is not None:
            first = cell.container.started + probe.delay
            turns = max(0, math.floor((worker.now - first) / probe.period) + 1)
            worker.at(f"probe:{kind}:{cell.name}", first + turns * probe.period)
            worker.save()
            worker.arm()


def rouse(worker: PodWorker) -> None:
    """Something has changed in the pod: settled probes ask once more, at their next turn."""
    for cell in worker.cells():
        if not cell.running or not cell.template.probes or not cell.started:
            continue
        for probe in cell.template.probes:
            name = f"probe:{probe.kind}:{cell.name}"
            if probe.kind == "startup" or name in worker.due:
                continue
            first = cell.container.started + probe.delay
            turns = max(0, math.floor((worker.now - first) / probe.period) + 1)
            worker.at(name, first + turns * probe.period)
