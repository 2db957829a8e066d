"""column, fold, expand and unexpand: where text stands on its line.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/fold.html, expand.html, unexpand.html
"""

from __future__ import annotations

import re
from collections.abc import Generator

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, number, tool

WIDEST = 10_000
COLUMN = Line("[-t] [-s SEP] [-c WIDTH] [FILE]...", "tc:s:", "tc:s:o:nxN:R:", {
    "table": "t", "separator": "s", "output-separator": "o", "output-width": "c", "fillrows": "x", "table-columns": "N", "table-right": "R"},
    gnu_usage="[options] [<file>...]")


def column(proc: Proc, options: Options) -> Run:
    text, lines = Text(proc, options.operands), []
    while (block := (yield from text.all_lines())) is not None:
        kept = [line.removesuffix("\n") for line in block if line.strip()]
        text.hold(sum(map(len, kept)) + 50 * len(kept))
        lines += kept
    if not lines:
        return 1 if text.failed else 0
    if options.has("t"):
        _table(text, lines, options)
    else:
        width = min(number(options.value("c", "80")) or 80, WIDEST)
        longest = (max(map(len, lines)) // 8 + 1) * 8
        across = max(1, width // longest)
        if across < 2 or max(map(len, lines)) >= width:
            text.put("".join(f"{line}\n" for line in lines))
        elif options.has("x"):
            for at in range(0, len(lines), across):
                text.put(_tabbed(lines[at:at + across], longest))
        else:
            down = -(-len(lines) // across)
            for at in range(down):
                text.put(_tabbed(lines[at::down], longest))
    yield from text.sent()
    return 1 if text.failed else 0


def _tabbed(row: list[str], width: int) -> str:
    """Entries at multiples of ``width``, reached by tabs."""
    return "".join(part + "\t" * -(-(width - len(part)) // 8) for part in row[:-1]) + row[-1] + "\n"


def _table(text: Text, lines: list[str], options: Options) -> None:
    marks, between = options.value("s"), options.value("o", "  ")
    rows = [re.split(f"[{re.escape(marks)}]", line) if marks else line.split() for line in lines]
    if options.has("N"):
        rows.insert(0, options.value("N").split(","))
    widths = [max(len(row[at]) if at < len(row) else 0 for row in rows) for at in range(max(map(len, rows)))]
    right = {int(each) for each in options.value("R").split(",") if each.isdigit()}
    for row in rows:
        cells = [cell.rjust(widths[at]) if at + 1 in right else cell.ljust(widths[at]) for at, cell in enumerate(row)]
        if cells and len(row) not in right:
            cells[-1] = row[-1] if len(row) == len(widths) else row[-1].ljust(widths[len(row) - 1])
        cells += [" " * width for width in widths[len(row):]]
        text.put(between.join(cells) + "\n")


FOLD = Line("[-bs] [-w WIDTH] [FILE]...", "bsw:", "bsw:", {"bytes": "b", "spaces": "s", "width": "w"}, gnu_usage="[OPTION]... [FILE]...")


def _widths(words: list[str]) -> list[str]:
    return [f"-w{word[1:]}" if re.fullmatch(r"-\d{1,9}", word) else word for word in words]


def fold(proc: Proc, options: Options) -> Run:
    width = number(options.value("w", "80"))
    if not width:
        raise Misuse(f"fold: number {width} is not in 1..2147483647 range\n" if busybox(proc) and width is not None else
                     f"fold: invalid number '{options.value('w')}'\n" if busybox(proc) else
                     f"fold: invalid number of columns: '{options.value('w')}'\n")
    text = Text(proc, options.operands)
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            for part in _folded(line, width, options.has("s"), options.has("b")):
                text.put(part)
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


def _folded(line: str, width: int, spaces: bool, octets: bool) -> Generator[str, None, None]:
    start = column_ = 0
    at, space = 0, 0
    while at < len(line):
        letter = line[at]
        if letter == "\n":
            at += 1
            break
        if octets:
            wider = column_ + len(data(letter))
        else:
            wider = max(0, column_ - 1) if letter == "\b" else 0 if letter == "\r" else (column_ // 8 + 1) * 8 if letter == "\t" else column_ + 1
        if wider > width and at > start:
            cut_ = space if spaces and space > start else at
            yield line[start:cut_] + "\n"
            start = at = cut_
            column_ = 0
            continue
        at, column_ = at + 1, wider
        if letter in " \t":
            space = at
    yield line[start:at]


EXPAND = Line("[-i] [-t N] [FILE]...", "it:", "it:", {"initial": "i", "tabs": "t"}, gnu_usage="[OPTION]... [FILE]...")
UNEXPAND = Line("[-fa][-t N] [FILE]...", "aft:", "at:", {"all": "a", "first-only": "f", "tabs": "t"}, gnu_usage="[OPTION]... [FILE]...")


def _stops(proc: Proc, options: Options) -> list[int]:
    """Misuse."""
    found = []
    for word in re.split(r"[, ]", options.value("t", "8")):
        value = number(word)
        if value is None:
            raise Misuse(f"{proc.name}: invalid number '{word}'\n" if busybox(proc) else
                         f"{proc.name}: tab size contains invalid character(s): '{word}'\n")
        if not value or found and value <= found[-1]:
            raise Misuse(f"{proc.name}: {'tab size cannot be 0' if not value else 'tab sizes must be ascending'}\n")
        found.append(min(value, WIDEST))
    return found


def _next_stop(stops: list[int], column_: int) -> int | None:
    if len(stops) == 1:
        return (column_ // stops[0] + 1) * stops[0]
    return next((stop for stop in stops if stop > column_), None)


def expand(proc: Proc, options: Options) -> Run:
    text, stops = Text(proc, options.operands), _stops(proc, options)
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            column_, initial = 0, True
            for letter in line:
                if letter == "\t" and (initial or not options.has("i")):
                    stop = _next_stop(stops, column_) or column_ + 1
                    text.put(" " * (stop - column_))
                    column_ = stop
                    continue
                initial = initial and letter == " "
                column_ = max(0, column_ - 1) if letter == "\b" else column_ + 1
                text.put(letter)
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


def unexpand(proc: Proc, options: Options) -> Run:
    text, stops = Text(proc, options.operands), _stops(proc, options)
    everywhere = options.has("a") or options.has("t") and not options.has("f")
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            column_, blanks, initial, at = 0, 0, True, 0
            while at < len(line):
                letter = line[at]
                if letter in " \t" and (initial or everywhere):
                    start = column_
                    while at < len(line) and line[at] in " \t":
                        column_ = column_ + 1 if line[at] == " " else _next_stop(stops, column_) or column_ + 1
                        at += 1
                        blanks += 1
                    text.put(_blank(stops, start, column_, blanks if text.gnu else 0))
                    blanks = 0
                    continue
                initial = False
                text.put(letter)
                at, column_ = at + 1, column_ + 1
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


def _blank(stops: list[int], start: int, end: int, count: int) -> str:
    """White space from one column to another, of tabs as far as they reach."""
    pieces, at = "", start
    while (stop := _next_stop(stops, at)) is not None and stop <= end:
        if count == 1 and stop - at == 1 and start == at and stop == end:
            return " "
        pieces += "\t"
        at = stop
    return pieces + " " * (end - at)


PROGRAMS: dict[str, Program] = {
    "column": Program(tool(COLUMN, column)), "fold": Program(tool(FOLD, fold, _widths)), "expand": Program(tool(EXPAND, expand)),
    "unexpand": Program(tool(UNEXPAND, unexpand)),
}
