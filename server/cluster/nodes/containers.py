"""What the container runtime of a node holds: its containers, the pause container of each pod, images; and how times are worded.

In: the node's kubelet. Out: ``Entry`` rows with the labels that the kubelet gives to its containers, the newest first.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/crictl/
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from server.cluster.kubelet.images import PAUSE
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.runtime.container import Container
from server.cluster.runtime.images import resolve
from server.cluster.runtime.references import parse

if TYPE_CHECKING:
    from server.cluster.nodes.hosts import NodeHost

CELL_PADDING = 3
UNITS = ("B", "kB", "MB", "GB", "TB")
BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


class Entry(NamedTuple):
    """``container`` is None for a pause container; ``attempt`` counts from 0."""

    id: str
    name: str
    namespace: str
    pod: str
    uid: str
    sandbox: str
    image: str
    image_id: str
    argv: tuple[str, ...]
    created: float
    finished: float | None
    code: int
    attempt: int
    container: Container | None
    worker: PodWorker

    @property
    def running(self) -> bool:
        return self.finished is None

    @property
    def labels(self) -> dict[str, str]:
        found = {"io.kubernetes.container.name": self.name if self.container is not None else "POD",
                 "io.kubernetes.pod.name": self.pod, "io.kubernetes.pod.namespace": self.namespace, "io.kubernetes.pod.uid": self.uid}
        if self.container is None:
            return {**found, "io.kubernetes.docker.type": "podsandbox"}
        return {**found, "io.kubernetes.docker.type": "container", "io.kubernetes.sandbox.id": self.sandbox,
                "annotation.io.kubernetes.container.restartCount": str(self.attempt)}


def entries(host: NodeHost) -> list[Entry]:
    """All containers of a node, pause containers too."""
    found: list[Entry] = []
    for worker in host.kubelet.workers.values() if host.kubelet is not None else ():
        if worker.sandbox is not None:
            found.extend(_of_pod(worker))
    return sorted((entry for entry in found if entry.id not in host.hidden), key=lambda entry: (-entry.created, entry.id))


def _of_pod(worker: PodWorker) -> list[Entry]:
    namespace, pod = worker.key
    sandbox = sandbox_id(worker)
    found = []
    for cell in worker.cells():
        container, attempt = worker.sandbox.containers.get(cell.name), cell.restarts
        while container is not None:
            image = container.launch.image
            found.append(Entry(container.id, cell.name, namespace, pod, worker.uid, sandbox, image.text, digest_of(image.id), container.argv,
                               container.started, container.finished, container.code or 0, attempt, container, worker))
            container, attempt = container.previous, attempt - 1
    began = worker.kubelet.clock.seconds(worker.started) if worker.started else worker.now
    running = any(entry.running for entry in found) or not found or worker.stage != "ended"
    ended = None if running else max(entry.finished for entry in found)
    pause = resolve(parse(PAUSE))
    found.append(Entry(sandbox, "POD", namespace, pod, worker.uid, sandbox, PAUSE, digest_of(pause.id), ("/pause",), began, ended, 0, 0, None,
                       worker))
    return found


def sandbox_id(worker: PodWorker) -> str:
    return hashlib.sha256(f"{worker.uid}/sandbox".encode()).hexdigest()


def digest_of(image_id: str) -> str:
    """The hexadecimal part of an image's id."""
    return image_id.rpartition("sha256:")[2]


def matching(found: list[Entry], given: str) -> list[Entry]:
    """Those whose id begins so, or whose docker name it is."""
    exact = [entry for entry in found if docker_name(entry) == given.removeprefix("/")]
    return exact or [entry for entry in found if given and entry.id.startswith(given)]


def docker_name(entry: Entry) -> str:
    return f"k8s_{entry.name}_{entry.pod}_{entry.namespace}_{entry.uid}_{entry.attempt}"


# words and tables


def ago(seconds: float) -> str:
    """A length of time in the words of docker's units.

    >>> [ago(n) for n in (0.5, 1, 59, 61, 2700, 3600, 90000, 2_000_000)]
    ['Less than a second', '1 second', '59 seconds', 'About a minute', '45 minutes', 'About an hour', '25 hours', '3 weeks']
    """
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return "1 second" if int(seconds) == 1 else f"{int(seconds)} seconds"
    minutes = int(seconds / 60)
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    return f"{hours // 24 // 30} months" if hours < 24 * 365 * 2 else f"{int(seconds / 3600) // 24 // 365} years"


def table(rows: list[tuple[str, ...]], least: int) -> str:
    """Rows in columns, as Go's tabwriter sets them with a padding of three.

    >>> table([("A", "B"), ("long cell", "c")], 5)
    'A           B\\nlong cell   c\\n'
    """
    widths = [max(least, max(len(row[column]) for row in rows) + CELL_PADDING) for column in range(len(rows[0]) - 1)]
    return "".join("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + row[-1] + "\n" for row in rows)


def size(amount: float, digits: int = 4, units: tuple[str, ...] = UNITS, base: float = 1000.0) -> str:
    """A size with so many significant digits.

    >>> size(72_400_000, 3), size(3_500_000, 4, BINARY, 1024.0), size(0)
    ('72.4MB', '3.338MiB', '0B')
    """
    step = 0
    while amount >= base and step < len(units) - 1:
        amount /= base
        step += 1
    return f"{amount:.{digits}g}{units[step]}"
