"""A conversation with a process in a container, as ``exec`` and ``attach`` have it: typed input in, output and an end out.

Whoever holds the other end (the terminal's kubectl, a WebSocket) takes ``(stream, text)`` pairs from ``output`` and says so with
``took``; a process whose output nobody takes waits. When ``output`` is closed, ``status`` is the Kubernetes Status of how it ended.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (exec, attach) and KEP-4006
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.process import Channel, Closed, Take
from server.cluster.runtime.streams import PIPE_SIZE, BrokenPipe, Pipe, Sink
from server.cluster.runtime.tty import Tty

UNREAD = 256 * 1024
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


class Session:
    """``stdin`` is what the process reads from (None: nothing is given to it), ``tty`` the terminal if it has one."""

    def __init__(self, *, stdin: bool = False, stdout: bool = True, stderr: bool = True, tty: bool = False) -> None:
        self.output = Channel(1 << 30)
        self.status: dict[str, Any] | None = None
        self.exit_code: int | None = None
        self.on_close: Callable[[], None] = lambda: None
        self.gone = False
        self._unread = 0
        self._wanted = {"stdout": stdout, "stderr": stderr}
        self.tty = Tty(lambda text: self._take("stdout", text)) if tty else None
        self.stdin = Pipe() if stdin and not tty else None
        self.stdout = Sink("stdout", lambda text: self._take("stdout", text))
        self.stderr = Sink("stderr", lambda text: self._take("stderr", text))

    # the person's end

    def send(self, text: str) -> bool:
        """What is typed or piped in; False if the process has not read what came before (say it again after ``drained`` opens)."""
        if self.gone:
            return True
        if self.tty is not None:
            self.tty.feed(text)
            return True
        if self.stdin is None or self.stdin.written or self.stdin.gone:
            return True
        if len(self.stdin.text) >= PIPE_SIZE:
            return False
        self.stdin.text += text
        self.stdin.reader.readable.open()
        return True

    @property
    def drained(self) -> Any:
        """The gate that opens when ``send`` may work again."""
        return (self.stdin or Pipe()).writer.writable

    def close_stdin(self) -> None:
        """Nothing more will be sent."""
        if self.stdin is not None and not self.stdin.written:
            self.stdin.written = True
            self.stdin.reader.readable.open()

    def resize(self, columns: int, rows: int) -> None:
        if self.tty is not None and not self.gone:
            self.tty.resize(columns, rows)

    def took(self, item: tuple[str, str]) -> None:
        """An item of ``output`` has been dealt with: the process may say more."""
        before, self._unread = self._unread, self._unread - len(item[1])
        if before >= UNREAD > self._unread:
            for stream in (self.stdout, self.stderr, self.tty):
                if stream is not None:
                    stream.writable.open()

    def read(self) -> Generator[Any, Any, tuple[str, str] | None]:
        """The next piece of output, None at the end (for programs on the clock)."""
        try:
            item = yield Take(self.output)
        except Closed:
            return None
        self.took(item)
        return item

    def close(self) -> None:
        """The person is gone: input ends, ``on_close`` sees to the rest, and who prints from now on finds that nobody reads."""
        if self.gone or self.status is not None:
            return
        self.gone = True
        self.close_stdin()
        self.on_close()
        self.output.close()
        self.output.items.clear()
        for stream in (self.stdout, self.stderr, self.tty):
            if stream is not None:
                stream.writable.open()

    # the process's end

    def hear(self, stream: str, text: str) -> None:
        """What a process prints that does not wait for this session: one that is too slow misses some."""
        if not self.gone:
            self._take(stream, text)

    def _take(self, stream: str, text: str) -> bool:
        if self.gone:
            raise BrokenPipe
        if self.output.closed or not self._wanted[stream]:
            return True
        if self._unread >= UNREAD:
            return False
        self._unread += len(text)
        self.output.put((stream, text))
        return True

    def end(self, exit_code: int, status: dict[str, Any] | None = None) -> None:
        """The process is over."""
        if self.status is not None:
            return
        self.exit_code = exit_code
        self.status = status or (SUCCESS if exit_code == 0 else non_zero(exit_code))
        self.output.close()


def non_zero(code: int) -> dict[str, Any]:
    """The Status of a command that ended with another exit code than 0."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": f"command terminated with non-zero exit code: command terminated with exit code {code}", "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
