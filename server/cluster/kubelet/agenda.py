"""When which pod worker is to be woken: one timer for all kubelets, and at one moment an order that does not depend on history.

Workers that are due at the same moment are woken in order of node, namespace and name, so that a cluster that was restored goes on
in the same order as one that was not. ``chance`` is the kubelets' randomness in the same spirit: a number that depends on who asks,
when and for what, never on who asked before.
"""

from __future__ import annotations

import hashlib
import heapq
from typing import TYPE_CHECKING

from server.cluster.clock import Clock, Timer

if TYPE_CHECKING:
    from server.cluster.kubelet.pod_worker import PodWorker


def chance(low: float, high: float, *about: object) -> float:
    """A number between two others that is the same for the same question.

    >>> chance(0, 1, "web", 3.5) == chance(0, 1, "web", 3.5) != chance(0, 1, "web", 4.5)
    True
    """
    digest = hashlib.blake2b(repr(about).encode(), digest_size=6).digest()
    return low + (high - low) * int.from_bytes(digest, "big") / (1 << 48)


class Agenda:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, str, str, str, int, PodWorker]] = []
        self._timer: Timer | None = None

    def wake(self, worker: PodWorker, moment: float) -> None:
        """Wakes ``worker`` at ``moment``, instead of when it was to be woken before."""
        worker.wakes_at = moment
        heapq.heappush(self._heap, (moment, worker.kubelet.name, *worker.key, id(worker), worker))
        self._arm()

    def _arm(self) -> None:
        moment = self._heap[0][0]
        timer = self._timer
        if timer is not None:
            if timer.due <= moment:
                return
            timer.cancel()
        self._timer = self._clock.call_at(moment, self._run)

    def _run(self) -> None:
        self._timer = None
        heap, now = self._heap, self._clock.now
        ready: list[PodWorker] = []
        while heap and heap[0][0] <= now:
            moment, *_, worker = heapq.heappop(heap)
            if worker.wakes_at == moment:
                worker.wakes_at = None
                ready.append(worker)
        for worker in ready:
            worker.wake()
        while heap and heap[0][-1].wakes_at != heap[0][0]:
            heapq.heappop(heap)
        if heap:
            self._arm()
