"""Columns aligned as Go's text/tabwriter aligns them.

In: lines with cells ended by tabs. Out: the lines with blanks. A column block is a run of consecutive lines that have a cell in that
column; a cell without a tab after it belongs to no column. `get` remembers widths from one flush to the next, so that rows of a
watch stay under their header.
"""

from __future__ import annotations

import unicodedata

from server.kubectl.breath import Breathe, alone

GET = (6, 3)
DESCRIBE = (0, 2)


def width(text: str) -> int:
    return len(text) if text.isascii() else sum(not unicodedata.combining(letter) for letter in text)


class Tabs:
    """Collects text; `render()` gives it aligned. `minwidth` and `padding` as in tabwriter.NewWriter."""

    def __init__(self, minwidth: int = 6, padding: int = 3, remember: bool = False):
        self.minwidth = minwidth
        self.padding = padding
        self.remember = remember
        self._text: list[str] = []
        self._remembered: list[int] = []

    def write(self, text: str) -> None:
        self._text.append(text)

    def row(self, *cells: object) -> None:
        self.write("\t".join(str(cell) for cell in cells) + "\n")

    def render(self, breathe: Breathe = alone) -> str:
        """The aligned text written since the last render."""
        text = "".join(self._text)
        self._text.clear()
        lines = [line.split("\t") for line in text.split("\n")]
        out: list[str] = []
        self._format(lines, 0, len(lines), [], out, breathe)
        return "\n".join(out)

    def _format(self, lines: list[list[str]], start: int, end: int, widths: list[int], out: list[str], breathe: Breathe) -> None:
        column = len(widths)
        this = start
        while this < end:
            if column >= len(lines[this]) - 1:
                this += 1
                continue
            self._lines(lines[start:this], widths, out, breathe)
            start = this
            block = self.minwidth
            while this < end and column < len(lines[this]) - 1:
                block = max(block, width(lines[this][column]) + self.padding)
                this += 1
            self._format(lines, start, this, [*widths, self._kept(column, block)], out, breathe)
            start = this
        self._lines(lines[start:end], widths, out, breathe)

    def _lines(self, lines: list[list[str]], widths: list[int], out: list[str], breathe: Breathe) -> None:
        for line in lines:
            breathe()
            out.append(self._line(line, widths))

    def _kept(self, column: int, block: int) -> int:
        if not self.remember:
            return block
        if column < len(self._remembered):
            block = self._remembered[column] = max(block, self._remembered[column])
        else:
            self._remembered.append(block)
        return block

    def _line(self, cells: list[str], widths: list[int]) -> str:
        padded = [cell + " " * (widths[index] - width(cell)) if index < len(widths) else cell for index, cell in enumerate(cells)]
        return "".join(padded)


def align(text: str, minwidth: int = 0, padding: int = 2) -> str:
    tabs = Tabs(minwidth, padding)
    tabs.write(text)
    return tabs.render()
