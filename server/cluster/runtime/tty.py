"""A terminal device: the line discipline between what a person types and the processes in front of it.

In canonical mode typed characters are echoed and edited here (backspace, ^U, ^W, arrows, the history that a shell lends), and a line
is read when it is ended; Ctrl-C, Ctrl-\\ and Ctrl-Z send signals to the foreground group, Ctrl-D ends the input. In raw mode all goes
through as it comes. Output gets its carriage returns.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap11.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.cluster.runtime.streams import Fault, Stream

MOST_TYPED = 64 * 1024
MOST_HISTORY = 200
KEY = re.compile(r"\x1b\[[0-9;]*[~A-Za-z]|\x1bO[A-Z]|\x1b.|[^\x1b]|\x1b", re.S)
INTR, QUIT, SUSP = {"\x03": 2}, {"\x1c": 3}, {"\x1a": 20}
SIGNAL_KEYS = {**INTR, **QUIT, **SUSP}


class Tty(Stream):
    """``show(text)`` sends output to the person (False: not now, ``writable`` opens later); ``on_signal(number)`` is for the foreground
    group. A shell that reads commands sets ``prompt`` and lends its ``history`` and ``complete(line) -> (from, candidates)``."""

    kind = "tty"

    def __init__(self, show: Callable[[str], bool | None], columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self._show = show
        self.columns, self.rows = columns, rows
        self.raw = False
        self.foreground = 0
        self.on_signal: Callable[[int], None] = lambda signal: None
        self.on_resize: Callable[[], None] = lambda: None
        self.history: list[str] | None = None
        self.complete: Callable[[str], tuple[int, list[str]]] | None = None
        self.prompt = ""
        self.hung_up = False
        self._line = ""
        self._at = 0
        self._past: int | None = None
        self._ready = ""
        self._ends = 0

    # from the person

    def feed(self, text: str) -> None:
        """What was typed."""
        if self.raw:
            self._ready = (self._ready + text)[-MOST_TYPED:]
            self.readable.open()
            return
        for key in KEY.findall(text):
            self._key(key)

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = max(1, min(columns, 1000)), max(1, min(rows, 1000))
        if self.history is not None and self.prompt:
            self._show(f"\r{self.prompt}{self._line}\x1b[J" + "\b" * (len(self._line) - self._at))
        self.on_resize()

    def hang_up(self) -> None:
        """The person is gone."""
        self.hung_up = True
        self.on_signal(1)
        self.readable.open()
        self.writable.open()

    def _key(self, key: str) -> None:
        if key in SIGNAL_KEYS:
            self._line, self._at, self._past = "", 0, None
            self._show({"\x03": "^C", "\x1c": "^\\", "\x1a": "^Z"}[key])
            if self.history is not None:
                self._show("\r\n")
            self.on_signal(SIGNAL_KEYS[key])
        elif key in ("\r", "\n"):
            self._show("\r\n")
            self._commit("\n")
        elif key == "\x04":
            if not self._line:
                self._ends += 1
                self.readable.open()
            elif self.history is None:
                self._commit("")
        elif key in ("\x7f", "\b"):
            if self._at:
                self._replace(self._line[:self._at - 1] + self._line[self._at:], self._at - 1)
        elif key == "\x15":
            self._replace(self._line[self._at:], 0)
        elif key == "\x17":
            kept = re.sub(r"\S+\s*$", "", self._line[:self._at])
            self._replace(kept + self._line[self._at:], len(kept))
        elif key == "\t" and self.complete is not None:
            self._completed()
        elif self.history is not None and self._moved(key):
            return
        elif (key >= " " and not key.startswith("\x1b") or key == "\t") and len(self._line) < MOST_TYPED // 16:
            self._replace(self._line[:self._at] + key + self._line[self._at:], self._at + len(key))

    def _moved(self, key: str) -> bool:
        """Arrow keys and their friends, for a line that is a command."""
        if key in ("\x1b[D", "\x02", "\x1bOD"):
            self._replace(self._line, max(0, self._at - 1))
        elif key in ("\x1b[C", "\x06", "\x1bOC"):
            self._replace(self._line, min(len(self._line), self._at + 1))
        elif key in ("\x1b[H", "\x01", "\x1b[1~", "\x1bOH"):
            self._replace(self._line, 0)
        elif key in ("\x1b[F", "\x05", "\x1b[4~", "\x1bOF"):
            self._replace(self._line, len(self._line))
        elif key == "\x1b[3~":
            self._replace(self._line[:self._at] + self._line[self._at + 1:], self._at)
        elif key == "\x0b":
            self._replace(self._line[:self._at], self._at)
        elif key == "\x0c":
            self._show("\x1b[H\x1b[J" + self.prompt + self._line + "\b" * (len(self._line) - self._at))
        elif key in ("\x1b[A", "\x10", "\x1bOA", "\x1b[B", "\x0e", "\x1bOB"):
            self._recall(-1 if key in ("\x1b[A", "\x10", "\x1bOA") else 1)
        else:
            return False
        return True

    def _recall(self, step: int) -> None:
        past = len(self.history) if self._past is None else self._past
        past = max(0, min(len(self.history), past + step))
        self._past = past
        line = self.history[past] if past < len(self.history) else ""
        self._replace(line, len(line))

    def _completed(self) -> None:
        start, found = self.complete(self._line[:self._at])
        if not found:
            return
        common = found[0]
        for candidate in found[1:]:
            while not candidate.startswith(common):
                common = common[:-1]
        if len(found) == 1 or len(common) > self._at - start:
            text = common + (" " if len(found) == 1 and not common.endswith("/") else "")
            self._replace(self._line[:start] + text + self._line[self._at:], start + len(text))
        else:
            self._show("\r\n" + "  ".join(found[:200]) + "\r\n" + self.prompt + self._line)

    def _replace(self, line: str, at: int) -> None:
        """Shows another line in place of the one there is, with the cursor at ``at``."""
        if line[:self._at] == self._line[:self._at] and self._at == len(self._line) and at == len(line):
            self._show(line[self._at:])
        else:
            back = "\b" * self._at
            rest = max(0, len(self._line) - len(line))
            self._show(back + line + " " * rest + "\b" * (rest + len(line) - at))
        self._line, self._at = line, at

    def _commit(self, end: str) -> None:
        line, self._line, self._at, self._past = self._line, "", 0, None
        if len(self._ready) < MOST_TYPED:
            self._ready += line + end
        self.readable.open()

    def unread(self) -> str:
        """What was typed and nobody has read."""
        return self._ready + self._line

    # to and from processes

    def read(self, size: int = MOST_TYPED) -> str | None:
        return self._taken(size if self.raw else min(size, self._ready.find("\n") + 1 or size))

    def readline(self) -> str | None:
        if "\n" not in self._ready and not self._ends and not self.hung_up:
            return None
        return self._taken(self._ready.find("\n") + 1 or len(self._ready))

    def _taken(self, size: int) -> str | None:
        if self._ready:
            found, self._ready = self._ready[:size], self._ready[size:]
            return found
        if self._ends:
            self._ends -= 1
            return ""
        return "" if self.hung_up else None

    def write(self, text: str) -> bool:
        if self.hung_up:
            raise Fault("Input/output error")
        return self._show(text if self.raw else re.sub(r"(?<!\r)\n", "\r\n", text)) is not False

    def dump(self) -> dict[str, Any]:
        return {"kind": "null"}
