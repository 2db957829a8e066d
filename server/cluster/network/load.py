"""What traffic does to a server's answers: they wait in line as it gets busy, and what it cannot do at all is never taken.

In: requests per second that reach each pod, by port (``set``), and what its container can do (``Servers``). Out: how long a request
takes there (``delay_ms``), and which share is answered (``served``). A request waits as in a queue that several cores work off (Sakasegawa's
approximation of M/M/c); beyond the capacity the line of connections that wait to be taken is full: who comes then gets no answer to
his SYN.

Source: https://en.wikipedia.org/wiki/M/M/c_queue, https://man7.org/linux/man-pages/man2/listen.2.html
"""

from __future__ import annotations

import math
from typing import Protocol

from server.cluster.network.flows import Path
from server.cluster.network.walk import SYN_GIVES_UP, TIMED_OUT
from server.cluster.objects import Key, Object

LINE = 511
BUSIEST = 0.999
Rates = dict[Key, dict[int, float]]


class Servers(Protocol):
    def work_ms(self, pod: Object, port: int) -> float:
        """What one request takes a server that has nothing else to do."""
        ...

    def capacity(self, pod: Object, port: int) -> tuple[float, float]:
        """(requests per second that it can do, cores that it does them with); infinity where requests cost nothing."""
        ...


class Pods(Protocol):
    def pod(self, where: Key) -> Object | None: ...


class Load:
    def __init__(self, pods: Pods) -> None:
        self.servers: Servers | None = None
        self._pods = pods
        self._rates: Rates = {}

    def set(self, rates: Rates) -> None:
        self._rates = rates

    def rate(self, pod: Key, port: int) -> float:
        return self._rates.get(pod, {}).get(port, 0.0)

    def busy(self, pod: Object, port: int) -> float:
        """Which part of its capacity is asked of it; more than 1 is too much."""
        meta = pod["metadata"]
        rate = self.rate((meta["namespace"], meta["name"]), port)
        return rate / self.servers.capacity(pod, port)[0] if rate else 0.0

    def served(self, pod: Object, port: int) -> float:
        """The share of requests that are answered."""
        busy = self.busy(pod, port)
        return 1.0 if busy <= 1.0 else 1.0 / busy

    def delay_ms(self, pod: Object, port: int) -> float:
        """What a request takes that is answered: its turn in the line, and the work."""
        work, busy = self.servers.work_ms(pod, port), self.busy(pod, port)
        if not busy:
            return work
        capacity, cores = self.servers.capacity(pod, port)
        return work + 1000 * waiting(busy, capacity, cores)

    def figures(self, pod: Object, port: int) -> dict[str, float]:
        """For whoever follows a request."""
        meta = pod["metadata"]
        rate = self.rate((meta["namespace"], meta["name"]), port)
        return {"rate": round(rate, 2), "busy": round(self.busy(pod, port), 3)} if rate else {}

    def applied(self, paths: list[Path]) -> list[Path]:
        """Paths as the load leaves them: slower, and in part without an answer."""
        found: list[Path] = []
        for path in paths:
            pod = self._pods.pod(path.pod) if path.pod is not None and path.port and path.status is not None else None
            served = self.served(pod, path.port) if pod is not None else 1.0
            ms = path.ms + (self.delay_ms(pod, path.port) if pod is not None else 0.0)
            found.append(path._replace(share=path.share * served, ms=ms))
            if served < 1.0:
                after = int(SYN_GIVES_UP * 1000)
                text = f"curl: ({TIMED_OUT}) Failed to connect to {path.host} port {path.asked} after {after} ms: Couldn't connect to server"
                found.append(path._replace(share=path.share * (1.0 - served), ms=0.0, status=None, error={"hop": "pod", "text": text}))
        return found


def waiting(busy: float, capacity: float, cores: float) -> float:
    """Seconds in the line; it is never longer than the line holds.

    >>> waiting(0.1, 100, 1) < waiting(0.5, 100, 1) < waiting(0.9, 100, 1) < waiting(2.0, 100, 1)
    True
    >>> waiting(5.0, 100, 1)
    5.11
    """
    if math.isinf(capacity):
        return 0.0
    full = LINE / capacity
    if busy >= BUSIEST:
        return full
    cores = max(1.0, cores)
    return min(full, busy ** math.sqrt(2 * (cores + 1)) / (busy * (1 - busy)) / capacity)
