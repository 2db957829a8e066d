"""Field splitting: the outcome of expansions becomes fields at the characters of IFS.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06_05
"""

from __future__ import annotations

from server.cluster.runtime.program import MEMORY, OutOfMemory

MOST_FIELDS = 16 * 1024
BLANKS = " \t\n"


class Fields:
    """Fields in the making; ``ifs`` None: what is expanded is not split. Each is a list of (text, quoted)."""

    def __init__(self, ifs: str | None) -> None:
        self.ifs = ifs
        self.done: list[list[tuple[str, bool]]] = []
        self.current: list[tuple[str, bool]] | None = None
        self.size = 0
        self._blank = False  # the last field was ended by a blank, so a delimiter that follows belongs to it

    def put(self, text: str, quoted: bool) -> None:
        self.size += len(text) + 1
        if self.size > MEMORY:
            raise OutOfMemory
        if self.current is None:
            self.current = []
        self.current.append((text, quoted))
        self._blank = False

    def end(self) -> None:
        """The field is over."""
        if self.current is not None:
            self.done.append(self.current)
            if len(self.done) > MOST_FIELDS:
                raise OutOfMemory
        self.current = None

    def split(self, text: str) -> None:
        """The outcome of an expansion outside quotes."""
        ifs = self.ifs
        if ifs is None or not ifs:
            if text:
                self.put(text, False)
            return
        start = 0
        for at, char in enumerate(text):
            if char not in ifs:
                continue
            if at > start:
                self.put(text[start:at], False)
            start = at + 1
            if char in BLANKS:
                if self.current is not None:
                    self.end()
                    self._blank = True
            elif self.current is not None:
                self.end()
            elif self._blank:
                self._blank = False
            else:
                self.put("", False)
                self.end()
        if start < len(text):
            self.put(text[start:], False)

    def all(self) -> list[list[tuple[str, bool]]]:
        self.end()
        return self.done
