"""A container's log: the last lines that it wrote, each with its virtual moment and stream.

What a server says when it starts is a function of its image and start, so it is made only when somebody reads (``banner``); what a
container says by itself is kept in a ring and written in chunks to the cluster's run-time state, which outlives the process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from server.cluster.store import State

CHUNK, CHUNKS, WIDTH = 64, 32, 4_096


class Line(NamedTuple):
    time: float
    stream: str
    text: str


class Log:
    """``key`` is where its chunks lie in ``state``; ``banner()`` gives the lines that come first."""

    __slots__ = ("key", "state", "banner", "lines", "total", "_flushed", "listeners")

    def __init__(self, key: str, state: State, banner: Callable[[], list[Line]] | None = None) -> None:
        self.key = key
        self.state = state
        self.banner = banner
        self.lines: deque[Line] = deque(maxlen=CHUNK * CHUNKS)
        self.total = 0
        self._flushed = 0
        self.listeners: list[Callable[[Line | None], None]] = []

    def add(self, time: float, text: str, stream: str = "stdout") -> None:
        """One or more lines of text; ``flush`` makes them last."""
        for row in text.removesuffix("\n").split("\n"):
            line = Line(time, stream, row[:WIDTH])
            self.lines.append(line)
            self.total += 1
            for listener in tuple(self.listeners):
                listener(line)

    def flush(self) -> None:
        if self._flushed == self.total:
            return
        for chunk in range(max(self._flushed // CHUNK, (self.total - 1) // CHUNK - CHUNKS + 1), (self.total - 1) // CHUNK + 1):
            first = self.total - len(self.lines)
            rows = [list(self.lines[number - first]) for number in range(max(chunk * CHUNK, first), min((chunk + 1) * CHUNK, self.total))]
            self.state.set(f"{self.key}/{chunk:08d}", rows)
            if chunk >= CHUNKS:
                self.state.set(f"{self.key}/{chunk - CHUNKS:08d}", None)
        self._flushed = self.total

    def forget(self) -> None:
        """Removes what is kept of it in the state."""
        if self._flushed:
            last = (self._flushed - 1) // CHUNK
            for chunk in range(max(0, last - CHUNKS), last + 1):
                self.state.set(f"{self.key}/{chunk:08d}", None)

    def load(self, chunks: dict[int, list[list]]) -> None:
        """Takes the chunks that ``flush`` wrote."""
        for number in sorted(chunks):
            self.total = number * CHUNK
            for row in chunks[number]:
                self.lines.append(Line(*row))
                self.total += 1
        self._flushed = self.total

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
