"""Pods that wait to be scheduled: those to try now, those in back-off, and those no node would take.

A pod goes in with ``add`` and comes out of ``pop`` in order of priority, then of time. One that failed waits in ``unschedulable`` until
an event makes another attempt worth while (``wake``), or five minutes pass; each failure doubles its back-off from 1 to 10
seconds. When nothing else is to do, the pods in back-off need not wait it out.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable

from server.cluster.clock import Clock, Timer
from server.cluster.scheduler.podinfo import PodInfo

FIRST_BACKOFF, LAST_BACKOFF = 1.0, 10.0
FLUSH_AFTER = 300.0


class Entry:
    """A pod's way through the queue. ``refused_by``: plugins that must change their mind; ``because``: the revision that queued it."""

    __slots__ = ("info", "attempts", "queued_at", "tried_at", "state", "refused_by", "gated", "because", "failures")

    def __init__(self, info: PodInfo, now: float, because: int | None) -> None:
        self.info = info
        self.attempts = 0
        self.failures = 0
        self.queued_at = now
        self.tried_at = now
        self.state = "new"
        self.refused_by: tuple[str, ...] = ()
        self.gated = False
        self.because = because

    def backoff_ends(self) -> float:
        if not self.failures:
            return -math.inf
        return self.tried_at + min(FIRST_BACKOFF * 2 ** (self.failures - 1), LAST_BACKOFF)


class SchedulingQueue:
    """``ready()`` is called whenever a pod may be popped that could not before. ``refused`` has what waits for events, by the plugins that
    refused it."""

    def __init__(self, clock: Clock, ready: Callable[[], None]) -> None:
        self._clock = clock
        self._ready = ready
        self._sequence = 0
        self._active: list[tuple[int, float, int, Entry]] = []
        self._backoff: list[tuple[float, int, Entry]] = []
        self.entries: dict[str, Entry] = {}
        self.unschedulable: dict[str, Entry] = {}
        self.refused: dict[tuple[str, ...], dict[str, Entry]] = {}
        self._flush: Timer | None = None

    def add(self, info: PodInfo, because: int | None = None) -> Entry:
        entry = self.entries[info.uid] = Entry(info, self._clock.now, because)
        self._activate(entry)
        return entry

    def hold(self, info: PodInfo, because: int | None = None) -> Entry:
        """Takes a pod that must not be tried yet: it has scheduling gates."""
        entry = self.entries[info.uid] = Entry(info, self._clock.now, because)
        entry.gated = True
        entry.state = "unschedulable"
        self.unschedulable[info.uid] = entry
        return entry

    def remove(self, uid: str) -> None:
        entry = self.entries.pop(uid, None)
        if entry is not None:
            entry.state = "gone"
            self._leave(entry)

    def _leave(self, entry: Entry) -> None:
        """It waits for events no more."""
        uid = entry.info.uid
        if self.unschedulable.pop(uid, None) is not None and not entry.gated:
            group = self.refused[entry.refused_by]
            del group[uid]
            if not group:
                del self.refused[entry.refused_by]

    def clear(self) -> None:
        for entry in self.entries.values():
            entry.state = "gone"
        self.entries, self.unschedulable, self.refused, self._active, self._backoff = {}, {}, {}, [], []
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def pop(self) -> Entry | None:
        """The next pod to try."""
        while self._active:
            entry = heapq.heappop(self._active)[3]
            if entry.state == "active":
                return self._taken(entry)
        while self._backoff:
            entry = heapq.heappop(self._backoff)[2]
            if entry.state == "backoff":
                return self._taken(entry)
        return None

    def _taken(self, entry: Entry) -> Entry:
        entry.state = "in flight"
        entry.attempts += 1
        return entry

    def failed(self, entry: Entry, refused_by: tuple[str, ...], error: bool = False) -> None:
        """A pod comes back from a failed attempt; after an error it is tried again as soon as its back-off ends."""
        entry.tried_at = self._clock.now
        entry.failures += 1
        entry.refused_by = refused_by
        if error:
            entry.state = "waiting"
            self._clock.call_at(entry.backoff_ends(), self._after_error, entry)
            return
        entry.state = "unschedulable"
        self.unschedulable[entry.info.uid] = entry
        self.refused.setdefault(refused_by, {})[entry.info.uid] = entry
        self._flush_later(entry.tried_at + FLUSH_AFTER)

    def _after_error(self, entry: Entry) -> None:
        if entry.state == "waiting":
            self._activate(entry)

    def wake(self, entries: Iterable[Entry], because: int | None = None) -> None:
        """Pods worth another attempt: at once if their back-off is over, else when it is or nothing else is to do."""
        for entry in entries:
            if entry.state != "unschedulable" or entry.gated:
                continue
            self._leave(entry)
            entry.because = because
            if entry.backoff_ends() > self._clock.now:
                entry.state = "backoff"
                self._sequence += 1
                heapq.heappush(self._backoff, (entry.backoff_ends(), self._sequence, entry))
                self._ready()
            else:
                self._activate(entry)

    def release(self, entry: Entry, because: int | None = None) -> None:
        """The last scheduling gate is gone."""
        self._leave(entry)
        entry.gated = False
        entry.because = because
        self._activate(entry)

    def _activate(self, entry: Entry) -> None:
        entry.state = "active"
        entry.queued_at = self._clock.now
        self._sequence += 1
        heapq.heappush(self._active, (-entry.info.priority, entry.queued_at, self._sequence, entry))
        self._ready()

    def _flush_later(self, due: float) -> None:
        if self._flush is None:
            self._flush = self._clock.call_at(due, self._flush_old)

    def _flush_old(self) -> None:
        """Pods that have waited five minutes are tried again, whatever happened."""
        self._flush = None
        old = [entry for entry in self.unschedulable.values() if not entry.gated and entry.tried_at + FLUSH_AFTER <= self._clock.now]
        self.wake(old)
        waiting = [entry.tried_at for entry in self.unschedulable.values() if not entry.gated]
        if waiting:
            self._flush_later(min(waiting) + FLUSH_AFTER)
