"""Open files: what a process reads from and writes to, whatever lies behind.

Each ``Stream`` is one open file description: processes share it by their descriptors, and with it its place, so what one has read the
other does not see again. Text goes through; bytes that are no UTF-8 are carried as lone surrogates (``surrogateescape``), so nothing is
lost. ``read``, ``readline`` and ``write`` never wait: they answer None or False when the caller has to, at ``readable`` or ``writable``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html#tag_16_05
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from server.cluster.process import Gate

if TYPE_CHECKING:
    from server.cluster.runtime.files import Files

PIPE_SIZE = 64 * 1024
BLOCK = 64 * 1024
LONGEST_LINE = 4 * BLOCK


class Fault(Exception):
    """What the system refuses; ``str()`` is the error's text as perror prints it ("No such file or directory")."""


class BrokenPipe(Exception):
    """Nobody reads any more: the writer ends with SIGPIPE."""


# bytes that are no UTF-8, as characters that can be kept in JSON while a machine is put down as data
_KEPT = {0xDC80 + number: 0x10FE80 + number for number in range(128)}
_GIVEN_BACK = {there: here for here, there in _KEPT.items()}


def kept(data: Any, table: dict[int, int] = _KEPT) -> Any:
    """Plain data whose texts may have such bytes in them, as data whose texts have none."""
    if isinstance(data, str):
        return data if data.isascii() else data.translate(table)
    if isinstance(data, dict):
        return {kept(name, table): kept(value, table) for name, value in data.items()}
    return [kept(value, table) for value in data] if isinstance(data, list | tuple) else data


def given_back(data: Any) -> Any:
    """What ``kept`` was given."""
    return kept(data, _GIVEN_BACK)


def readable(text: str) -> str:
    """Text to look at: what is no UTF-8 shows as the replacement character."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Stream:
    """``kind`` says what it is in a dump; ``users`` counts the descriptors that lead to it."""

    kind = "null"
    path = ""

    def __init__(self) -> None:
        self.readable = Gate()
        self.writable = Gate()
        self.users = 0

    def read(self, size: int = BLOCK) -> str | None:
        """Up to ``size`` characters; "" at the end; None if there is nothing yet."""
        return ""

    def readline(self) -> str | None:
        """A line with its newline, what is left before the end, "" at the end, None if there is no whole line yet."""
        return ""

    def write(self, text: str) -> bool:
        """False if it is full now. Fault, BrokenPipe."""
        return True

    def open(self) -> Stream:
        self.users += 1
        return self

    def close(self) -> None:
        self.users -= 1
        if self.users == 0:
            self.closed()

    def closed(self) -> None:
        """The last descriptor is gone."""

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind}


class Null(Stream):
    """/dev/null."""


class Endless(Stream):
    """/dev/zero and /dev/urandom: as much as is asked for."""

    kind = "endless"

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def read(self, size: int = BLOCK) -> str | None:
        return "\0" * min(size, BLOCK)

    def readline(self) -> str | None:
        return "\0" * BLOCK

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path}


class Given(Stream):
    """Text that is there from the beginning: a here-document, the input of a command sent over HTTP."""

    kind = "given"

    def __init__(self, text: str, at: int = 0) -> None:
        super().__init__()
        self.text = text
        self.at = at

    def read(self, size: int = BLOCK) -> str | None:
        found = self.text[self.at:self.at + size]
        self.at += len(found)
        return found

    def readline(self) -> str | None:
        end = self.text.find("\n", self.at)
        found = self.text[self.at:end + 1 if end >= 0 else len(self.text)]
        self.at += len(found)
        return found

    def write(self, text: str) -> bool:
        raise Fault("Bad file descriptor")

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text[self.at:]}


class FileReader(Stream):
    """A file, read as it is at each moment."""

    kind = "reader"

    def __init__(self, files: Files, path: str, at: int = 0) -> None:
        super().__init__()
        self._files = files
        self.path = path
        self.at = at

    def read(self, size: int = BLOCK) -> str | None:
        found, self.at = self._files.chunk(self.path, self.at, size)
        return found

    def readline(self) -> str | None:
        found = ""
        while len(found) < LONGEST_LINE:
            part, after = self._files.chunk(self.path, self.at, BLOCK)
            end = part.find("\n") + 1 or len(part)
            found += part[:end]
            self.at = after - len(part) + end
            if not part or found.endswith("\n"):
                break
        return found

    def write(self, text: str) -> bool:
        raise Fault("Bad file descriptor")

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "at": self.at}


class FileWriter(Stream):
    """A file that is written to its end; opening it (``>``) has emptied it already."""

    kind = "writer"

    def __init__(self, files: Files, path: str) -> None:
        super().__init__()
        self._files = files
        self.path = path

    def read(self, size: int = BLOCK) -> str | None:
        raise Fault("Bad file descriptor")

    readline = read

    def write(self, text: str) -> bool:
        if fault := self._files.write(self.path, text, append=True):
            raise Fault(fault)
        return True

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path}


class Sink(Stream):
    """Where output leaves the machine: a log, a session, a page. ``write`` answers False when it takes no more for now."""

    kind = "sink"

    def __init__(self, name: str, take: Callable[[str], bool | None]) -> None:
        super().__init__()
        self.name = name
        self._take = take

    def write(self, text: str) -> bool:
        return self._take(text) is not False

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name}


class Pipe:
    """Two streams, ``reader`` and ``writer``, and what is on the way between them."""

    def __init__(self, text: str = "", id_: int = 0) -> None:
        self.id = id_
        self.text = text
        self.reader = _PipeReader(self)
        self.writer = _PipeWriter(self)
        self.written = False
        self.gone = False


class _PipeReader(Stream):
    kind = "pipe-reader"

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe

    def read(self, size: int = BLOCK) -> str | None:
        pipe = self.pipe
        if not pipe.text:
            return "" if pipe.written else None
        return self._taken(min(size, len(pipe.text)))

    def readline(self) -> str | None:
        pipe = self.pipe
        end = pipe.text.find("\n")
        if end < 0:
            full = len(pipe.text) >= PIPE_SIZE
            return self._taken(len(pipe.text)) if pipe.written or full else None
        return self._taken(end + 1)

    def _taken(self, size: int) -> str:
        pipe = self.pipe
        found, pipe.text = pipe.text[:size], pipe.text[size:]
        pipe.writer.writable.open()
        return found

    def closed(self) -> None:
        self.pipe.gone = True
        self.pipe.text = ""
        self.pipe.writer.writable.open()

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "pipe": self.pipe.id}


class _PipeWriter(Stream):
    kind = "pipe-writer"

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe

    def write(self, text: str) -> bool:
        pipe = self.pipe
        if pipe.gone:
            raise BrokenPipe
        if len(pipe.text) >= PIPE_SIZE:
            return False
        pipe.text += text
        pipe.reader.readable.open()
        return True

    def closed(self) -> None:
        self.pipe.written = True
        self.pipe.reader.readable.open()

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "pipe": self.pipe.id}
