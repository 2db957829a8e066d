"""The whole status of a pod, put together from what its worker knows.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet import keeping, resizing, restarting, status
from server.cluster.kubelet.template import pod_resources
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker


def status_of(worker: PodWorker, pod: Object) -> Object:
    kubelet, spec = worker.kubelet, pod["spec"]
    stamp = kubelet.clock.timestamp
    ended = worker.stage == keeping.ENDED
    again = not ended and worker.stage != keeping.STOPPING and restarting.any_again(pod, worker.main)
    phase = worker.final[0] if worker.final and ended else status.phase(worker.init, worker.main, spec.get("restartPolicy", "Always"), ended,
                                                                    again)
    shown = phase if ended or phase not in ("Succeeded", "Failed") else pod["status"].get("phase", "Pending")
    has_network = worker.sandbox is not None and not ended
    new = dict(pod["status"])
    new["conditions"] = status.conditions(pod, stamp(), _facts(worker, pod, phase, has_network))
    if worker.disrupted and ended:
        new["conditions"] = status.disrupted(pod, stamp(), new["conditions"], worker.disrupted)
    if len(worker.main) == 1:
        new["containerStatuses"] = [status.container_status(worker.main[0], worker.specs[worker.main[0].name], stamp)]
    else:
        new["containerStatuses"] = [status.container_status(cell, worker.specs[cell.name], stamp)
                                    for cell in sorted(worker.main, key=lambda cell: cell.name)]
    if worker.init:
        new["initContainerStatuses"] = [status.container_status(cell, worker.specs[cell.name], stamp) for cell in worker.init]
    if worker.ephemeral:
        new["ephemeralContainerStatuses"] = [status.container_status(cell, worker.specs[cell.name], stamp)
                                             for cell in sorted(worker.ephemeral, key=lambda cell: cell.name)]
    new["hostIP"] = kubelet.address
    new["hostIPs"] = kubelet.host_ips
    new["observedGeneration"] = pod["metadata"].get("generation", 1)
    new["phase"] = shown
    if worker.final and ended:
        _, new["reason"], new["message"] = worker.final
    if worker.ip:
        new["podIP"] = worker.ip
        new["podIPs"] = [{"ip": worker.ip}]
    new["resources"], allocated = pod_resources(worker.lasting(), worker.pod_resources)
    if allocated:
        new["allocatedResources"] = allocated
    if worker.started:
        new["startTime"] = worker.started
    return new


def _facts(worker: PodWorker, pod: Object, phase: str, has_network: bool) -> tuple[tuple[str, bool, str, str], ...]:
    found = status.facts(pod, worker.init, worker.main, phase, has_network)
    if worker.pending or worker.resizing is not None:
        found = (*resizing.facts(worker), *found)
    if worker.restarting or worker.restarts_all:
        found = (*found, restarting.fact(worker.restarting, phase))
    return found
