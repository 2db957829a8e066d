"""cut, paste, comm and join: text by its fields.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cut.html, paste.html, join.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, number, tool
from server.cluster.runtime.programs.inputs import text as decoded

CUT = Line("[OPTIONS] [FILE]...", "b:c:d:f:nsD", "b:c:d:f:nsz", {
    "bytes": "b", "characters": "c", "delimiter": "d", "fields": "f", "only-delimited": "s", "zero-terminated": "z",
    "complement": "complement", "output-delimiter": "output-delimiter:"}, gnu_usage="OPTION... [FILE]...")


def _ranges(proc: Proc, word: str, kind: str) -> list[tuple[int, int]]:
    """Misuse."""
    found, gnu = [], not busybox(proc)
    what = "fields are numbered from 1" if kind == "f" else "byte/character positions are numbered from 1"
    for part in re.split(r"[, ]", word):
        match = re.fullmatch(r"(\d{0,18})(-?)(\d{0,18})", part)
        if match is None or not part:
            if gnu and not part:
                raise CUT.misuse(proc, what)
            if gnu and re.search(r"\d-\d*-", part):
                raise CUT.misuse(proc, f"invalid {'field' if kind == 'f' else 'byte or character'} range")
            if gnu:
                raise CUT.misuse(proc, f"invalid {'field value' if kind == 'f' else 'byte/character position'} '{part.strip('-')}'")
            raise Misuse(f"cut: invalid number '{part}'\n" if part else "cut: bad list\n")
        low, dash, high = match.groups()
        if not low and not high:
            raise CUT.misuse(proc, "invalid range with no endpoint: -") if gnu else Misuse(f"cut: invalid range {word}\n")
        first, last = int(low or 1), int(high) if high else 1 << 60 if dash else int(low)
        if first < 1 or last < 1:
            raise CUT.misuse(proc, what) if gnu else Misuse(f"cut: invalid number '{0}'\n")
        if last < first:
            raise CUT.misuse(proc, "invalid decreasing range") if gnu else Misuse(f"cut: invalid range {first}-{last}\n")
        found.append((first, last))
    return found


def _merged(ranges: list[tuple[int, int]], complement: bool) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    if not complement:
        return merged
    turned, at = [], 1
    for low, high in merged:
        if low > at:
            turned.append((at, low - 1))
        at = high + 1
    return [*turned, (at, 1 << 60)] if at < 1 << 60 else turned


def cut(proc: Proc, options: Options) -> Run:
    kinds = [name for name, _ in options.given if name in "bcf"]
    gnu = not busybox(proc)
    if not kinds:
        raise CUT.misuse(proc, "you must specify a list of bytes, characters, or fields") if gnu else Misuse(
            "cut: expected a list of bytes, characters, or fields\n")
    if len(kinds) > 1:
        raise CUT.misuse(proc, "only one list may be specified" if gnu else "")
    kind, delimiter = kinds[0], options.value("d", "\t")
    ranges = _merged(_ranges(proc, options.value(kind), kind), options.has("complement"))
    if kind != "f" and (options.has("d") or options.has("s")):
        what = "an input delimiter may be specified only when operating on fields" if options.has("d") else (
            "suppressing non-delimited lines makes sense\n\tonly when operating on fields")
        if gnu:
            raise CUT.misuse(proc, what)
        raise Misuse("cut: " + ("suppressing non-delimited lines makes sense only when operating on fields" if options.has("s") else
                                "a delimiter may be specified only when operating on fields") + "\n")
    if gnu and options.has("d") and len(data(delimiter)) > 1:
        raise CUT.misuse(proc, "the delimiter must be a single character")
    if not gnu and options.has("d"):
        delimiter = delimiter[:1]
    delimiter = delimiter or "\0"
    separator = options.value("output-delimiter", delimiter if kind == "f" else "")
    end = "\0" if options.has("z") else "\n"
    text = Text(proc, options.operands, separator=end)
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            body = line.removesuffix(end)
            if kind != "f":
                octets = data(body)
                text.put(separator.join(decoded(octets[low - 1:high]) for low, high in ranges if low <= len(octets)) + end)
            elif delimiter in body:
                fields = body.split(delimiter)
                text.put(separator.join(separator.join(fields[low - 1:high]) for low, high in ranges if low <= len(fields)) + end)
            elif not options.has("s"):
                text.put(body + end)
        yield from text.sent()
    return 1 if text.failed else 0


class _Side:
    """The lines of one of several files that are read side by side."""

    def __init__(self, text: Text, path: str, end: str = "\n") -> None:
        self.text = Text(text.proc, [path], separator=end)
        self.ready = self.text.next_file()
        self.end = end
        self._lines: list[str] = []
        self._at = 0

    def next(self) -> Generator[Any, Any, str | None]:
        """The next line without its end, None behind the last."""
        if self._at == len(self._lines):
            found = yield from self.text.lines()
            if found is None:
                return None
            self._lines, self._at = found, 0
        self._at += 1
        return self._lines[self._at - 1].removesuffix(self.end)


def _opened(text: Text, paths: list[str]) -> list[_Side] | None:
    """All of them, or None if one is not there."""
    sides = []
    for path in paths:
        side = _Side(text, path)
        if not side.ready:
            return None
        sides.append(side)
    return sides


PASTE = Line("[-d LIST] [-s] [FILE]...", "d:s", "d:sz", {"delimiters": "d", "serial": "s", "zero-terminated": "z"},
             gnu_usage="[OPTION]... [FILE]...")
DELIMITERS = {"n": "\n", "t": "\t", "\\": "\\", "0": ""}


def paste(proc: Proc, options: Options) -> Run:
    text, paths = Text(proc), options.operands or ["-"]
    given = options.value("d", "\t")
    marks = [DELIMITERS.get(found[1], found[1]) if found[1] else found[0] for found in re.finditer(r"\\(.)|.", given, re.S)] or [""]
    sides: list[_Side] = []
    stdin: _Side | None = None
    failed = False
    for path in paths:
        if path == "-" and stdin is not None:
            sides.append(stdin)
            continue
        side = _Side(text, path)
        stdin = side if path == "-" else stdin
        if side.ready:
            sides.append(side)
        elif not options.has("s") or not text.gnu:
            return 1
        failed = failed or not side.ready
    if options.has("s"):
        for side in sides:
            count = 0
            while (line := (yield from side.next())) is not None:
                text.put((marks[(count - 1) % len(marks)] if count else "") + line)
                count += 1
                if text.due:
                    yield from text.sent()
            text.put("\n")
        yield from text.sent()
        return 1 if failed else 0
    while True:
        row: list[str | None] = []
        for side in sides:
            row.append((yield from side.next()))
        if all(each is None for each in row):
            break
        for at, each in enumerate(row):
            text.put((marks[(at - 1) % len(marks)] if at else "") + (each or ""))
        text.put("\n")
        if text.due:
            yield from text.sent()
    yield from text.sent()
    return 1 if failed else 0


COMM = Line("[-123] FILE1 FILE2", "123", "123z", {"check-order": "check", "nocheck-order": "nocheck", "output-delimiter": "output-delimiter:",
            "total": "total"}, gnu_usage="[OPTION]... FILE1 FILE2")


def comm(proc: Proc, options: Options) -> Run:
    text = Text(proc)
    if len(options.operands) != 2:
        words = options.operands
        raise COMM.misuse(proc, "" if busybox(proc) else f"extra operand '{words[2]}'" if len(words) > 2 else
                          f"missing operand after '{words[0]}'" if words else "missing operand")
    sides = _opened(text, options.operands)
    if sides is None:
        return 1
    mark = options.value("output-delimiter", "\t")
    shown = [not options.has(each) for each in "123"]
    lead = ["", mark * shown[0], mark * (shown[0] + shown[1])]
    one, other = (yield from sides[0].next()), (yield from sides[1].next())
    unsorted, totals = [False, False], [0, 0, 0]
    while one is not None or other is not None:
        column = 0 if other is None or one is not None and one < other else 1 if one is None or one > other else 2
        totals[column] += 1
        if shown[column]:
            text.put(lead[column] + (other if column == 1 else one) + "\n")
        for at, side in enumerate(sides):
            line = one if at == 0 else other
            if column in (at, 2):
                following = yield from side.next()
                if following is not None and following < line and not unsorted[at] and text.gnu and not options.has("nocheck"):
                    unsorted[at] = True
                    text.complain(f"file {at + 1} is not in sorted order")
                one, other = (following, other) if at == 0 else (one, following)
        if text.due:
            yield from text.sent()
    if options.has("total"):
        text.put(mark.join([*map(str, totals), "total"]) + "\n")
    yield from text.sent()
    if any(unsorted):
        text.complain("input is not in sorted order")
    return 1 if any(unsorted) else 0


JOIN = Line("[-a FILENUM] [-e EMPTY] [-i] [-1 N] [-2 N] [-j N] [-o FORMAT] [-t CHAR] [-v FILENUM] FILE1 FILE2", "a:e:i1:2:j:o:t:v:",
            "a:e:i1:2:j:o:t:v:z", {"ignore-case": "i", "header": "header", "check-order": "check", "nocheck-order": "nocheck"},
            gnu_usage="[OPTION]... FILE1 FILE2")


def join(proc: Proc, options: Options) -> Run:
    text = Text(proc)
    if len(options.operands) != 2:
        words = options.operands
        raise JOIN.misuse(proc, "" if busybox(proc) else f"extra operand '{words[2]}'" if len(words) > 2 else
                          f"missing operand after '{words[-1]}'" if words else "missing operand")
    keys = []
    for name in "12":
        word = options.value(name) or options.value("j") or "1"
        if not number(word):
            raise Misuse(f"join: invalid field number: '{word}'\n")
        keys.append(number(word))
    mark, empty, fold = options.value("t"), options.value("e"), options.has("i")
    alone = options.values("a") + options.values("v")
    shape = [part for word in options.values("o") for part in re.split(r"[, ]+", word)]
    if any(part != "auto" and not re.fullmatch(r"0|[12]\.[1-9]\d{0,3}", part) for part in shape):
        raise Misuse(f"join: invalid field specifier: '{shape[0]}'\n")
    sides = _opened(text, options.operands)
    if sides is None:
        return 1
    rows: list[list[list[str]]] = [[], []]
    for at, side in enumerate(sides):
        while (line := (yield from side.next())) is not None:
            text.hold(len(line) + 100)
            rows[at].append(line.split(mark) if mark else line.split())
    out = mark or " "

    def key(at: int, row: list[str]) -> str:
        found = row[keys[at] - 1] if len(row) >= keys[at] else ""
        return found.lower() if fold else found

    def show(left: list[str] | None, right: list[str] | None) -> None:
        both = (left, right)
        if shape and shape != ["auto"]:
            fields = []
            for part in shape:
                if part == "0":
                    at = 0 if left is not None else 1
                    fields.append(both[at][keys[at] - 1] if len(both[at]) >= keys[at] else empty)
                else:
                    at, place = int(part[0]) - 1, int(part[2:])
                    row = both[at]
                    fields.append(row[place - 1] if row is not None and len(row) >= place and row[place - 1] else empty)
        else:
            at = 0 if left is not None else 1
            fields = [both[at][keys[at] - 1] if len(both[at]) >= keys[at] else ""]
            for each, row in enumerate(both):
                fields += [field for place, field in enumerate(row or (), 1) if place != keys[each]]
        text.put(out.join(fields) + "\n")

    one = other = 0
    if options.has("header") and rows[0] and rows[1]:
        show(rows[0][0], rows[1][0])
        one = other = 1
    while one < len(rows[0]) or other < len(rows[1]):
        left = key(0, rows[0][one]) if one < len(rows[0]) else None
        right = key(1, rows[1][other]) if other < len(rows[1]) else None
        if right is None or left is not None and left < right:
            if "1" in alone:
                show(rows[0][one], None)
            one += 1
        elif left is None or left > right:
            if "2" in alone:
                show(None, rows[1][other])
            other += 1
        else:
            last = other
            while last < len(rows[1]) and key(1, rows[1][last]) == left:
                last += 1
            while one < len(rows[0]) and key(0, rows[0][one]) == left:
                for each in range(other, last):
                    if not options.has("v"):
                        show(rows[0][one], rows[1][each])
                    if text.due:
                        yield from text.sent()
                        if proc.spins(4):
                            yield from proc.breathe()
                one += 1
            other = last
    yield from text.sent()
    return 0


PROGRAMS: dict[str, Program] = {
    "cut": Program(tool(CUT, cut)), "paste": Program(tool(PASTE, paste)), "comm": Program(tool(COMM, comm)), "join": Program(tool(JOIN, join)),
}
