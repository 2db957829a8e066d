"""Bringing a pod's volumes to its node: tries, waits, tries again, and says what is in the way.

Each failing volume is tried again after half a second, then after twice as long each time, up to two minutes; a mount that hangs counts
when it has given up. Every two minutes the kubelet says which volumes the pod still waits for.

Source: https://kubernetes.io/docs/concepts/storage/volumes/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet import volumes
from server.cluster.kubelet.keeping import MOUNT_FIRST
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

LONGEST, TIMEOUT, AGAIN = 122.0, 123.0, (10.0, 15.0)
MOMENTS = ("mount", "attach", "hang")


def mount(worker: PodWorker, pod: Object, what: str) -> bool:
    """Whether all volumes are there; ``what`` is the moment that has come: a try ("mount"), the end of one that hung ("hang"), the end of
    the kubelet's patience ("attach")."""
    faults = volumes.faults(worker, pod)
    if not faults:
        for moment in MOMENTS:
            worker.due.pop(moment, None)
        worker.mount_delay = MOUNT_FIRST
        return True
    if what == "attach":
        _impatient(worker, pod, faults)
        return False
    hanging = [fault for fault in faults if fault.hangs]
    failed = [fault for fault in faults if fault.stage == "mount" and (what == "hang" or not fault.hangs)]
    for fault in failed:
        worker.record(pod, "Warning", "FailedMount", fault.message)
    unknown = [fault for fault in faults if fault.stage == "process"]
    if unknown:
        _impatient(worker, pod, faults)
    elif "attach" not in worker.due:
        worker.at("attach", worker.now + TIMEOUT)
    if hanging and what != "hang":
        worker.at("hang", worker.now + max(fault.hangs for fault in hanging))
    if failed or unknown:
        worker.at("mount", worker.now + worker.mount_delay)
        worker.mount_delay = min(worker.mount_delay * 2, LONGEST)
    elif not hanging:
        worker.at("mount", worker.now + LONGEST)
    return False


def _impatient(worker: PodWorker, pod: Object, faults: list[volumes.Fault]) -> None:
    """The pod's sync ends without its volumes and is tried again."""
    unmounted = " ".join(sorted(fault.volume for fault in faults))
    unattached = " ".join(sorted(fault.volume for fault in faults if fault.stage == "attach"))
    unknown = [fault for fault in faults if fault.stage == "process"]
    why = ", ".join(fault.message for fault in unknown) or "context deadline exceeded"
    worker.record(pod, "Warning", "FailedMount",
                  f"Unable to attach or mount volumes: unmounted volumes=[{unmounted}], unattached volumes=[{unattached}], "
                  f"failed to process volumes=[{' '.join(sorted(fault.volume for fault in unknown))}]: {why}")
    worker.at("attach", worker.now + TIMEOUT + worker.chance(*AGAIN, "attach"))
