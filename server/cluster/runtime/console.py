"""The console of a container: the input and output of its first process, its log, and who is attached to it.

What the process prints goes line by line to the log, as the runtime writes it down, and as it comes to every attached ``Session``. Input
is there when the spec asks for it (``stdin``): a pipe, or with ``tty`` a terminal; with ``stdinOnce`` it ends with the first who attached.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#debugging
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from server.cluster.process import Pass, Process
from server.cluster.runtime.streams import Null, Pipe, Sink, Stream, readable
from server.cluster.runtime.tty import Tty

if TYPE_CHECKING:
    from server.cluster.runtime.container import Container
    from server.cluster.runtime.session import Session

LONGEST_LINE = 16 * 1024


class Console:
    """``partial`` is what was printed after the last newline, by stream."""

    def __init__(self, container: Container) -> None:
        self._container = container
        launch = container.launch
        self.partial: dict[str, str] = {}
        self.sessions: list[Session] = []
        self.tty = Tty(lambda text: self._say("stdout", text)) if launch.tty else None
        self.pipe = Pipe() if launch.stdin and not launch.tty else None
        self._once = launch.stdin_once
        self._sinks = {1: Sink("stdout", lambda text: self._say("stdout", text)), 2: Sink("stderr", lambda text: self._say("stderr", text))}

    @property
    def stdin(self) -> Stream:
        if self.tty is not None and self._container.launch.stdin:
            return self.tty
        return self.pipe.reader if self.pipe is not None else Null()

    def output(self, fd: int) -> Stream:
        return self.tty if self.tty is not None else self._sinks[2 if fd == 2 else 1]

    def descriptors(self) -> dict[int, Stream]:
        return {0: self.stdin, 1: self.output(1), 2: self.output(2)}

    def _say(self, stream: str, text: str) -> None:
        whole = self.partial.pop(stream, "") + text
        *lines, rest = whole.split("\n")
        while len(rest) >= LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        if rest:
            self.partial[stream] = rest
        if lines:
            self._container.write(readable("\n".join(lines)) + "\n", stream)
        for session in tuple(self.sessions):
            session.hear(stream, text)

    def close(self) -> None:
        """The process is over: what it left without a newline is written down, and whoever is attached hears of its end."""
        for stream, text in self.partial.items():
            self._container.write(readable(text), stream)
        self.partial.clear()
        sessions, self.sessions = self.sessions, []
        for session in sessions:
            session.end(0)

    def attach(self, session: Session) -> None:
        """From now on the session hears what is printed; what it sends is typed here."""
        self.sessions.append(session)
        feeder: Process | None = None
        if session.tty is not None and self.tty is not None:
            session.tty = self.tty
        elif session.stdin is not None and self.pipe is not None:
            feeder = Process(self._container.runtime.clock, self._feeding(session))

        def left() -> None:
            if session in self.sessions:
                self.sessions.remove(session)
                if feeder is not None and feeder.alive:
                    feeder.kill()
                if self._once:
                    self._end_input()

        session.on_close = left

    def _feeding(self, session: Session) -> Generator[Any, Any, None]:
        """Carries what an attached session sends to the process."""
        source, target = session.stdin.reader, self.pipe.writer
        while True:
            text = source.read()
            if text is None:
                yield Pass(source.readable)
            elif not text:
                break
            else:
                while not self.pipe.gone and not target.write(text):
                    yield Pass(target.writable)
        if self._once:
            self._end_input()

    def _end_input(self) -> None:
        """A terminal stays as it is: a pipe alone has an end."""
        if self.pipe is not None:
            self.pipe.written = True
            self.pipe.reader.readable.open()
