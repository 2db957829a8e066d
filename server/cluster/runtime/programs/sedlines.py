"""What sed reads and makes of its lines: a look ahead at the input, the replacement of ``s``, the visible form of ``l``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sed.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator
from typing import Any

from server.cluster.runtime.programs.inputs import Text


class Lines:
    """The lines of one file after the other, with a look ahead when it is asked whether one is the last."""

    def __init__(self, text: Text, end: str) -> None:
        self.text = text
        self.end = end
        self.queue: deque[str] = deque()
        self.over = False

    def _filled(self) -> Generator[Any, Any, bool]:
        while not self.queue and not self.over:
            block = yield from self.text.all_lines()
            if block is None:
                self.over = True
            else:
                self.queue.extend(block)
        return bool(self.queue)

    def next(self) -> Generator[Any, Any, str | None]:
        return self.queue.popleft() if (yield from self._filled()) else None

    def last(self) -> Generator[Any, Any, bool]:
        return not (yield from self._filled())


def filled(parts: list[str | int], text: str, found: list[tuple[int, int]]) -> str:
    """A replacement with its groups, and with the case that GNU's escapes ask for."""
    if not any(isinstance(part, str) and len(part) == 2 and part[0] == "\\" and part[1] in "ULulE" for part in parts):
        return "".join(part if isinstance(part, str) else text[found[part][0]:found[part][1]] if part < len(found) and found[part][0] >= 0 else ""
                       for part in parts)
    pieces, lasting, once = [], "", ""
    for part in parts:
        if isinstance(part, str) and len(part) == 2 and part[0] == "\\" and part[1] in "ULulE":
            if part[1] in "ul":
                once = part[1]
            else:
                lasting = part[1].replace("E", "")
            continue
        piece = part if isinstance(part, str) else text[found[part][0]:found[part][1]] if found[part][0] >= 0 else ""
        piece = piece.upper() if lasting == "U" else piece.lower() if lasting == "L" else piece
        if once and piece:
            piece = (piece[0].upper() if once == "u" else piece[0].lower()) + piece[1:]
            once = ""
        pieces.append(piece)
    return "".join(pieces)


NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}


def unambiguous(text: str, width: int) -> list[str]:
    """The lines of ``l``."""
    lines, line = [], ""
    for letter in text:
        octets = letter.encode("utf-8", "surrogateescape")
        shown = NAMED.get(letter) or (letter if " " <= letter <= "~" else "".join(f"\\{octet:03o}" for octet in octets))
        for part in re.findall(r"\\\d{3}|.+", shown) if len(octets) > 1 else (shown,):
            if width > 1 and len(line) + len(part) > width - 1:
                lines.append(line + "\\")
                line = ""
            line += part
    return [*lines, line + "$"]
