"""A container's log: the last lines that it wrote, each with its virtual moment and stream.

What a server says when it starts is a function of its image and start, so it is made only when somebody reads (``banner``); what a
container says by itself is kept in a ring and written in chunks to the cluster's run-time state, which outlives the process. A log is bounded in
lines and in characters, and so are all logs of a cluster together: whoever writes when they are full loses its own oldest lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from server.cluster.store import State

CHUNK, CHUNKS, WIDTH = 64, 32, 4_096
LARGEST, LEAST, OVERHEAD = 256 * 1024, 16 * 1024, 32


class Line(NamedTuple):
    time: float
    stream: str
    text: str


class Budget:
    """Characters that containers of one cluster have written, and may write; ``bytes`` is what that takes of their nodes' disks."""

    __slots__ = ("used", "limit", "bytes")

    def __init__(self, limit: int = 32 * 1024 * 1024) -> None:
        self.used = 0
        self.bytes = 0
        self.limit = limit

    @property
    def full(self) -> bool:
        return self.used > self.limit


class Log:
    """``key`` is where its chunks lie in ``state``; ``banner()`` gives the lines that come first."""

    __slots__ = ("key", "state", "banner", "budget", "lines", "total", "size", "_flushed", "_first", "listeners")

    def __init__(self, key: str, state: State, banner: Callable[[], list[Line]] | None = None, budget: Budget | None = None) -> None:
        self.key = key
        self.state = state
        self.banner = banner
        self.budget = budget if budget is not None else Budget()
        self.lines: deque[Line] = deque()
        self.total = 0
        self.size = 0
        self._flushed = 0
        self._first = 0
        self.listeners: list[Callable[[Line | None], None]] = []

    def add(self, time: float, text: str, stream: str = "stdout") -> None:
        """One or more lines of text; ``flush`` makes them last."""
        for row in text.removesuffix("\n").split("\n"):
            line = Line(time, stream, row[:WIDTH])
            self._keep(line)
            for listener in tuple(self.listeners):
                listener(line)

    def _keep(self, line: Line) -> None:
        self.lines.append(line)
        self.total += 1
        self._account(len(line.text) + OVERHEAD)
        while len(self.lines) > CHUNK * CHUNKS or self.size > LARGEST or self.size > LEAST and self.budget.full:
            self._account(-len(self.lines.popleft().text) - OVERHEAD)

    def _account(self, more: int) -> None:
        self.size += more
        self.budget.used += more

    def flush(self) -> None:
        if self._flushed == self.total:
            return
        first = self.total - len(self.lines)
        for chunk in range(max(self._flushed, first) // CHUNK, (self.total - 1) // CHUNK + 1):
            rows = [list(self.lines[number - first]) for number in range(max(chunk * CHUNK, first), min((chunk + 1) * CHUNK, self.total))]
            self.state.set(f"{self.key}/{chunk:08d}", rows)
        for chunk in range(self._first, first // CHUNK):
            self.state.set(f"{self.key}/{chunk:08d}", None)
        self._flushed, self._first = self.total, first // CHUNK

    def forget(self) -> None:
        """Removes what is kept of it in the state."""
        if self._flushed:
            for chunk in range(self._first, (self._flushed - 1) // CHUNK + 1):
                self.state.set(f"{self.key}/{chunk:08d}", None)
        self.budget.used -= self.size
        self.size = 0

    def load(self, chunks: dict[int, list[list]]) -> None:
        """Takes the chunks that ``flush`` wrote."""
        for number in sorted(chunks):
            self.total = number * CHUNK
            for row in chunks[number]:
                self._keep(Line(*row))
        self._flushed, self._first = self.total, min(chunks, default=0)

    def all(self) -> list[Line]:
        """What is kept, oldest first."""
        begun = self.banner() if self.banner is not None and self.total == len(self.lines) else []
        return [*begun, *self.lines]

    def close(self) -> None:
        """The container has ended: followers hear None."""
        listeners, self.listeners = self.listeners, []
        for listener in listeners:
            listener(None)
        self.flush()

    def subscribe(self, listener: Callable[[Line | None], None]) -> Callable[[], None]:
        """``listener(line)`` for every line from now on and ``listener(None)`` at the end; the answer ends it."""
        self.listeners.append(listener)

        def stop() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return stop
