"""Virtual time: the one clock of a cluster.

Callbacks go in with a due moment and come out in order of (due, order of arrival); running the clock is the only way time passes,
so a cluster can be paused, stepped, slowed and run at full speed. Nothing here knows of wall time: who paces the clock against it
lives outside the simulation (``server/rooms``). The shape is SimPy's: one heap, ``step``, ``run_until``.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any


class Timer:
    """A callback that waits for its moment; ``cancel`` makes it never happen."""

    __slots__ = ("due", "callback", "args")

    def __init__(self, due: float, callback: Callable[..., Any], args: tuple) -> None:
        self.due = due
        self.callback: Callable[..., Any] | None = callback
        self.args = args

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    @property
    def active(self) -> bool:
        return self.callback is not None


class Clock:
    """Virtual seconds since ``epoch`` (a UTC datetime with whole seconds) and what is due at which of them.

    >>> clock = Clock()
    >>> seen = []
    >>> _ = clock.call_later(2, seen.append, "b"); _ = clock.call_later(1, seen.append, "a")
    >>> clock.run_for(5); seen, clock.now
    (['a', 'b'], 5.0)
    """

    def __init__(self, epoch: datetime = datetime(2026, 1, 1, tzinfo=UTC), now: float = 0.0) -> None:
        self.epoch = epoch.replace(microsecond=0)
        self._epoch_nanoseconds = int(self.epoch.timestamp()) * 1_000_000_000
        self.now = now
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._stamps: dict[int, str] = {}

    def call_at(self, time: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Calls ``callback(*args)`` at virtual ``time``; a moment that has passed means now, after what already waits for now."""
        timer = Timer(time if time > self.now else self.now, callback, args)
        self._sequence += 1
        heapq.heappush(self._heap, (timer.due, self._sequence, timer))
        return timer

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        return self.call_at(self.now + delay, callback, *args)

    def next_due(self) -> float | None:
        """The moment of the next callback, None when nothing waits."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def step(self) -> bool:
        """Goes to the next callback and calls it; False when nothing waits."""
        if self.next_due() is None:
            return False
        due, _, timer = heapq.heappop(self._heap)
        self.now = due
        callback, args = timer.callback, timer.args
        timer.cancel()
        callback(*args)
        return True

    def run_until(self, time: float, enough: Callable[[], bool] | None = None) -> bool:
        """Runs everything due up to ``time`` and leaves ``now`` there. ``enough()`` is asked after each callback: when it says
        True the run stops where it is and the answer is False."""
        while (due := self.next_due()) is not None and due <= time:
            self.step()
            if enough is not None and enough():
                return False
        self.now = max(self.now, float(time))
        return True

    def run_for(self, seconds: float) -> None:
        self.run_until(self.now + seconds)

    def run_until_idle(self, limit: float = 86_400.0) -> bool:
        """Runs until nothing waits, for at most ``limit`` virtual seconds; True if the cluster went idle."""
        end = self.now + limit
        while (due := self.next_due()) is not None:
            if due > end:
                return False
            self.step()
        return True

    def clear(self) -> None:
        """Nothing that waits will happen."""
        self._heap.clear()

    def timestamp(self, at: float | None = None) -> str:
        """The RFC 3339 second, as in ``creationTimestamp``."""
        second = floor(self.now if at is None else at)
        stamp = self._stamps.get(second)
        if stamp is None:
            if len(self._stamps) > 4096:
                self._stamps.clear()
            stamp = self._stamps[second] = (self.epoch + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return stamp

    def microtime(self, at: float | None = None) -> str:
        """RFC 3339 with microseconds, as in a Lease's ``renewTime``."""
        moment = self.now if at is None else at
        return f"{self.timestamp(moment)[:-1]}.{int(moment % 1 * 1_000_000):06d}Z"

    def seconds(self, stamp: str) -> float:
        """The virtual moment of an RFC 3339 time (with or without a fraction). ValueError if it is none."""
        moment = datetime.fromisoformat(stamp)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - self.epoch).total_seconds()

    def nanoseconds(self) -> int:
        """Nanoseconds since 1970 at ``now``."""
        return self._epoch_nanoseconds + int(self.now * 1_000_000) * 1000
