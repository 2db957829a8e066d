"""sort: lines put in order.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sort.html
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, NamedTuple

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, tool

SORT = Line("[-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]...", "ngMucszbrdfihVo:k:t:S:T:m",
            "bdfgiMhnRrVcCmk:o:sS:t:T:uz", {
                "ignore-leading-blanks": "b", "dictionary-order": "d", "ignore-case": "f", "general-numeric-sort": "g",
                "ignore-nonprinting": "i", "month-sort": "M", "human-numeric-sort": "h", "numeric-sort": "n", "random-sort": "R",
                "reverse": "r", "version-sort": "V", "check": "check::", "merge": "m", "key": "k", "output": "o", "stable": "s",
                "field-separator": "t", "unique": "u", "zero-terminated": "z", "buffer-size": "S", "parallel": "parallel:",
                "temporary-directory": "T"}, 2, "[OPTION]... [FILE]...", "", 2)
ORDERS = "bdfgiMhnRrV"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
UNITS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6, "Z": 7, "Y": 8}


class Key(NamedTuple):
    """From character ``start[1]`` of field ``start[0]`` to ``end`` (None: the line's end), compared with ``orders``."""

    start: tuple[int, int]
    end: tuple[int, int] | None
    orders: str
    blanks_start: bool
    blanks_end: bool


def _key(proc: Proc, word: str, default: str) -> Key:
    """Misuse."""
    found = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?([a-zA-Z]*)(?:,(\d{1,9})(?:\.(\d{1,9}))?([a-zA-Z]*))?", word)
    if found is None:
        if busybox(proc):
            raise Misuse("sort: bad field specification\n" if re.match(r"\d", word) else f"sort: invalid number '{word}'\n", 2)
        if re.match(r"\d", word):
            raise Misuse(f"sort: stray character in field spec: invalid field specification '{word}'\n", 2)
        raise Misuse(f"sort: invalid number at field start: invalid count at start of '{word}'\n", 2)
    field, offset, first, last, end, second = found.groups()
    if not int(field):
        raise Misuse("sort: bad field specification\n" if busybox(proc) else f"sort: field number is zero: invalid field specification '{word}'\n", 2)
    if offset is not None and not int(offset):
        raise Misuse(f"sort: character offset is zero: invalid field specification '{word}'\n", 2)
    orders = (first or "") + (second or "")
    if set(orders) - set(ORDERS):
        raise Misuse(f"sort: stray character in field spec: invalid field specification '{word}'\n", 2)
    return Key((int(field) - 1, int(offset or 1) - 1), (int(last) - 1, int(end or 0)) if last is not None else None,
               orders or default, "b" in ((first or "") if orders else default), "b" in ((second or "") if orders else default))


def _fields(line: str, mark: str) -> list[tuple[int, int]]:
    """Where the fields of a line are: without a separator, each with the blanks before it."""
    if mark:
        found, at = [], 0
        for part in line.split(mark):
            found.append((at, at + len(part)))
            at += len(part) + len(mark)
        return found
    return [match.span() for match in re.finditer(r"[ \t]*[^ \t]+|[ \t]+$", line)]


def _part(line: str, key: Key, mark: str) -> str:
    places = _fields(line, mark)

    def place(field: int, offset: int, blanks: bool) -> int:
        if field >= len(places):
            return len(line)
        start, end = places[field]
        if blanks:
            while start < end and line[start] in " \t":
                start += 1
        return min(start + offset, len(line)) if offset else start

    start = place(*key.start, key.blanks_start)
    if key.end is None:
        return line[start:]
    field, offset = key.end
    end = (places[field][1] if field < len(places) else len(line)) if not offset else place(field, offset, key.blanks_end)
    return line[start:end]


NUMERIC = re.compile(r"[ \t]*(-?\d*\.?\d*)")
GENERAL = re.compile(r"\s*([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?|inf(?:inity)?|nan))", re.I)


def _numeric(text: str) -> Any:
    digits = NUMERIC.match(text)[1]
    if not digits.strip("-."):
        return 0
    return int(digits) if "." not in digits and len(digits) < 4000 else Decimal(digits[:4000])


def _general(text: str) -> tuple[int, float]:
    found = GENERAL.match(text)
    if found is None:
        return 0, 0.0
    value = float(found[1])
    return (1, 0.0) if value != value else (2, value)


def _human(text: str) -> tuple[int, int, Any]:
    found = re.match(r"[ \t]*(-?)(\d*\.?\d*)([kKMGTPEZY]?)", text)
    value = _numeric(found[2])
    sign = 0 if not value else -1 if found[1] else 1
    return sign, sign * UNITS[found[3]], sign * value


def _version(text: str) -> list[Any]:
    """Digits as numbers, letters before other characters, "~" before everything."""
    found: list[Any] = []
    for letters, digits in re.findall(r"([^0-9]*)([0-9]*)", text):
        found.append([(-1 if letter == "~" else ord(letter) if letter.isalpha() else ord(letter) + 256) for letter in letters] + [0])
        found.append(int(digits or 0))
    return found


def _month(text: str) -> int:
    name = text.lstrip()[:3].upper()
    return MONTHS.index(name) + 1 if name in MONTHS else 0


def _valued(orders: str) -> Callable[[str], Any]:
    """What a key with these orders is compared by."""
    for letter, value in (("n", _numeric), ("g", _general), ("h", _human), ("M", _month), ("V", _version)):
        if letter in orders:
            return value

    def plain(text: str) -> bytes:
        if "b" in orders:
            text = text.lstrip(" \t")
        if "d" in orders:
            text = re.sub(r"[^A-Za-z0-9 \t]", "", text)
        if "i" in orders:
            text = re.sub(r"[^ -~]", "", text)
        return data(text.upper() if "f" in orders else text)

    return plain


def _order(proc: Proc, options: Options) -> tuple[Callable[[str], list[Any]], Callable[[Any, Any], int], bool]:
    """(what a line is sorted by, how that compares, whether the line itself is the last resort)."""
    whole = "".join(name for name, _ in options.given if name in ORDERS)
    mark = options.value("t")
    mark = "\0" if mark == "\\0" else mark
    if options.has("t") and len(mark) != 1:
        raise Misuse("sort: empty tab\n" if not mark and not busybox(proc) else
                     f"sort: multi-character tab '{mark}'\n" if not busybox(proc) else "sort: bad -t parameter\n", 2)
    keys = [_key(proc, word, whole) for word in options.values("k")]
    clash = next((orders for orders in [whole, *(key.orders for key in keys)] if sum(each in orders for each in "nghMV") > 1), None)
    if clash is not None and not busybox(proc):
        raise Misuse(f"sort: options '-{''.join(sorted(each for each in 'nghMV' if each in clash))}' are incompatible\n", 2)
    parts = [(_valued(key.orders), "r" in key.orders, key) for key in keys]
    plain = _valued(whole)

    def sorted_by(line: str) -> list[Any]:
        if not parts:
            return [plain(line)]
        return [value(_part(line, key, mark)) for value, _, key in parts]

    reverse = [flag for _, flag, _ in parts] or ["r" in whole]

    def compare(left: list[Any], right: list[Any]) -> int:
        for one, other, flag in zip(left, right, reverse, strict=True):
            if one != other:
                return (1 if one > other else -1) * (-1 if flag else 1)
        return 0

    resort = not options.has("s") and not options.has("u") and (bool(parts) or whole.strip("r") != "")
    return sorted_by, compare, resort


def sort(proc: Proc, options: Options) -> Run:
    sorted_by, compare, resort = _order(proc, options)
    backwards = options.has("r")
    end = "\0" if options.has("z") else "\n"
    text = Text(proc, options.operands, ("{path}: {fault}", "cannot read: {path}: {fault}"), ("{path}: {fault}", "read failed: {path}: {fault}"), end)
    if options.has("c", "C", "check"):
        return (yield from _check(text, options, sorted_by, compare, resort, backwards))
    lines: list[str] = []
    while (block := (yield from text.all_lines())) is not None:
        text.hold(sum(map(len, block)) + 100 * len(block))
        lines += [line.removesuffix(end) for line in block]
        if text.failed:
            return 2
    if text.failed:
        return 2
    if proc.spins(len(lines) // 100):
        yield from proc.breathe()
    if options.has("R"):
        lines.sort()
        proc_random(proc).shuffle(lines)
    else:
        if resort:
            lines.sort(key=data, reverse=backwards)
        rows = [(sorted_by(line), line) for line in lines]
        rows.sort(key=cmp_to_key(lambda one, other: compare(one[0], other[0])))
        if options.has("u"):
            rows = [row for at, row in enumerate(rows) if not at or compare(rows[at - 1][0], row[0])]
        lines = [line for _, line in rows]
    if options.has("o"):
        fault = proc.files.write(proc.path(options.value("o")), "".join(line + end for line in lines))
        if fault:
            text.complain(f"{options.value('o')}: {fault}" if busybox(proc) else f"open failed: {options.value('o')}: {fault}")
            return 2
        return 0
    for line in lines:
        text.put(line + end)
        if text.due:
            yield from text.sent()
    yield from text.sent()
    return 0


def _check(text: Text, options: Options, sorted_by: Callable[[str], Any], compare: Callable[[Any, Any], int], resort: bool, backwards: bool) -> Run:
    before, line_before, at = None, "", 0
    while (block := (yield from text.all_lines())) is not None:
        for line in block:
            at += 1
            body = line.removesuffix("\n")
            value = sorted_by(body)
            if before is not None:
                order = compare(before, value) or (0 if not resort else (data(line_before) > data(body)) - (data(line_before) < data(body)))
                order = -order if backwards and compare(before, value) == 0 else order
                if order > 0 or order == 0 and options.has("u"):
                    if not options.has("C"):
                        text.complain(f"{text.path}:{at}: disorder: {body}") if text.gnu else text.proc.err(f"Check line {at - 1}\n")
                    return 1
            before, line_before = value, body
    return 2 if text.failed else 0


def proc_random(proc: Proc) -> random.Random:
    """Chance that is the same each time the same happens."""
    return random.Random(f"{proc.machine.hostname} {proc.pid} {proc.started}")  # noqa: S311


PROGRAMS: dict[str, Program] = {"sort": Program(tool(SORT, sort))}
