"""Containers that use more memory than their limit: the kernel kills them, and they end with 137, ``OOMKilled``.

``changed`` is called when what a container uses may be another (``runtime.usage``): the moment at which it will pass its limit, if it
ever does, becomes one of the pod worker's moments. Nothing is ever measured.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.kubelet.cell import Cell
from server.cluster.objects import Object
from server.cluster.runtime.container import Container

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker

SIGKILLED, KILLED = 137, "OOMKilled"


def changed(worker: PodWorker, container: Container) -> None:
    """When will it be too much now?"""
    limit = container.launch.memory
    if limit is None:
        return
    name = f"oom:{container.launch.name}"
    moment = worker.kubelet.runtime.usage.passes(container, limit) if container.running else None
    if moment is not None:
        moment = max(worker.now, moment)
    if moment != worker.due.get(name):
        if moment is None:
            del worker.due[name]
        else:
            worker.at(name, moment)
        worker.arm()


def kill(worker: PodWorker, pod: Object, cell: Cell) -> None:
    container = cell.container
    if container is not None and container.running:
        cell.stop = [SIGKILLED, KILLED]
        container.end(SIGKILLED)
        worker.on_exit(container, SIGKILLED)


ACTIONS = {"oom": kill}
