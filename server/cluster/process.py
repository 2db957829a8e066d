"""Programs as generators on the virtual clock.

A program (a container's, or a command in the terminal) yields what it waits for, ``Sleep``, ``Take`` or ``Pass``, and is resumed when
it has come; ``yield from`` calls a sub-program and ``return`` gives the exit value. ``Channel`` is the bounded queue between what
happens in the cluster (watch events, log lines, typed input) and a program that waits for it; a ``Gate`` is where programs wait for
a change that more than one of them may care about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.clock import Clock, Timer


class TimedOut(Exception):
    """A ``Take`` waited as long as it was told to."""


class Closed(Exception):
    """The channel is closed and empty; ``reason`` says why it was closed."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Interrupted(Exception):
    """Ctrl-C: raised inside the program at the point where it waits."""


class Sleep(NamedTuple):
    """Wait for virtual seconds."""

    seconds: float


class Take(NamedTuple):
    """Wait for a channel's next item, at most ``timeout`` virtual seconds (None: for ever)."""

    channel: Channel
    timeout: float | None = None


class Gate:
    """Where processes wait until something may have changed; ``open()`` wakes all of them, in the order in which they came."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Callable[[], None], None] = {}

    def open(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for wake in waiting:
                wake()

    def wait(self, wake: Callable[[], None]) -> None:
        self._waiting[wake] = None

    def forget(self, wake: Callable[[], None]) -> None:
        self._waiting.pop(wake, None)


class Pass(NamedTuple):
    """Wait until the gate opens: the answer is True; False when ``timeout`` virtual seconds were over before."""

    gate: Gate
    timeout: float | None = None


class Channel:
    """A bounded queue. What is put while it is full closes it: a reader too slow for its source is told so instead of
    being fed with gaps."""

    def __init__(self, limit: int = 10_000) -> None:
        self.items: deque[Any] = deque()
        self.limit = limit
        self.closed = False
        self.reason = ""
        self._wake: Callable[[], None] | None = None
        self.on_close: Callable[[], None] | None = None

    def put(self, item: Any) -> bool:
        if self.closed:
            return False
        if len(self.items) >= self.limit:
            self.close("too slow")
            return False
        self.items.append(item)
        if self._wake is not None:
            self._wake()
        return True

    def close(self, reason: str = "") -> None:
        if self.closed:
            return
        self.closed, self.reason = True, reason
        if self.on_close is not None:
            self.on_close()
        if self._wake is not None:
            self._wake()

    def notify(self, wake: Callable[[], None] | None) -> None:
        """``wake()`` is called at every put and at the close; None forgets it. One waiter at a time."""
        self._wake = wake


Program = Generator[Any, Any, Any]


class Process:
    """Runs one program. ``on_exit(value)`` is called once, with what it returned, or with the exception it died of."""

    def __init__(self, clock: Clock, program: Program, on_exit: Callable[[Any], None] | None = None) -> None:
        self.clock = clock
        self.program = program
        self.on_exit = on_exit
        self.alive = True
        self.value: Any = None
        self._timer: Timer | None = clock.call_later(0, self._resume)
        self._channel: Channel | None = None
        self._gate: Gate | None = None

    def interrupt(self) -> None:
        """Raises ``Interrupted`` in the program."""
        self._throw(Interrupted())

    def throw(self, error: Exception) -> None:
        """Raises ``error`` in the program at the point where it waits."""
        self._throw(error)

    def kill(self) -> None:
        """Ends the program without asking; its ``finally`` blocks run."""
        if self.alive:
            self._forget()
            self.program.close()
            self._finish(None)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._channel is not None:
            self._channel.notify(None)
            self._channel = None
        if self._gate is not None:
            self._gate.forget(self._opened)
            self._gate = None

    def _finish(self, value: Any) -> None:
        self.alive, self.value = False, value
        if self.on_exit is not None:
            self.on_exit(value)

    def _throw(self, error: Exception) -> None:
        if self.alive:
            self._forget()
            self._advance(lambda: self.program.throw(error))

    def _resume(self, value: Any = None) -> None:
        self._forget()
        self._advance(lambda: self.program.send(value))

    def _advance(self, go: Callable[[], Any]) -> None:
        while True:
            try:
                wait = go()
            except StopIteration as stop:
                return self._finish(stop.value)
            except Exception as error:  # a program's crash is its exit value, never the clock's
                return self._finish(error)
            if isinstance(wait, Sleep):
                self._timer = self.clock.call_later(wait.seconds, self._resume)
                return None
            if isinstance(wait, Pass):
                self._gate = wait.gate
                wait.gate.wait(self._opened)
                if wait.timeout is not None:
                    self._timer = self.clock.call_later(wait.timeout, self._resume, False)
                return None
            channel = wait.channel
            if channel.items:
                item = channel.items.popleft()
                go = lambda item=item: self.program.send(item)  # noqa: E731
            elif channel.closed:
                go = lambda channel=channel: self.program.throw(Closed(channel.reason))  # noqa: E731
            else:
                self._wait_for(channel, wait.timeout)
                return None

    def _opened(self) -> None:
        """In a callback of its own, as with channels."""
        self._forget()
        self._timer = self.clock.call_later(0, self._resume, True)

    def _wait_for(self, channel: Channel, timeout: float | None) -> None:
        self._channel = channel
        channel.notify(self._woken)
        if timeout is not None:
            self._timer = self.clock.call_later(timeout, self._throw, TimedOut())

    def _woken(self) -> None:
        """The channel has something: take it in a callback of its own, so that a put never runs a program inside itself."""
        channel = self._channel
        if channel is None:
            return
        self._forget()
        self._timer = self.clock.call_later(0, self._deliver, channel)

    def _deliver(self, channel: Channel) -> None:
        self._timer = None
        self._advance(lambda: self._taken(channel))

    def _taken(self, channel: Channel) -> Any:
        if channel.items:
            return self.program.send(channel.items.popleft())
        return self.program.throw(Closed(channel.reason))
