"""diff and cmp: what is not the same.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/diff.html; the algorithm: E. Myers, An O(ND) Difference Algorithm
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, number, split, tool

MOST_EDITS = 1500
DIFF = Line("[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2", "abdiL:NqrsS:tTU:wupBE", "abBcC:dEiL:nNqrsStTU:uwyW:0", {
    "ignore-space-change": "b", "ignore-all-space": "w", "ignore-blank-lines": "B", "ignore-case": "i", "unified": "unified::", "brief": "q",
    "report-identical-files": "s", "recursive": "r", "new-file": "N", "text": "a", "label": "L", "minimal": "d", "context": "context::",
    "strip-trailing-cr": "strip", "color": "color::", "exclude": "exclude:"}, 2, "[OPTION]... FILES", "diff: ")


class Change(NamedTuple):
    """Lines ``start`` to ``end`` of one file became lines ``low`` to ``high`` of the other."""

    start: int
    end: int
    low: int
    high: int


def changes(one: list[str], other: list[str]) -> list[Change]:
    """The shortest way from one list to the other.

    >>> changes(["a", "b", "c"], ["a", "x", "c", "d"])
    [Change(start=1, end=2, low=1, high=2), Change(start=3, end=3, low=3, high=4)]
    """
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    left, right = one[head:len(one) - tail], other[head:len(other) - tail]
    deleted, added = _marks(left, right)
    _slide(left, deleted)
    _slide(right, added)
    found, at, place = [], 0, 0
    while at < len(left) or place < len(right):
        start, low = at, place
        while at < len(left) and deleted[at]:
            at += 1
        while place < len(right) and added[place]:
            place += 1
        if at > start or place > low:
            found.append(Change(start + head, at + head, low + head, place + head))
        else:
            at, place = at + 1, place + 1
    return found


def _marks(one: list[str], other: list[str]) -> tuple[list[bool], list[bool]]:
    """Which lines are deleted and which are added: all of them, if there is more between the two than can be searched."""
    count, size = len(one), len(other)
    furthest: dict[int, int] = {1: 0}
    trace = []
    for edits in range(min(count + size, MOST_EDITS) + 1):
        trace.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            at = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            place = at - diagonal
            while at < count and place < size and one[at] == other[place]:
                at, place = at + 1, place + 1
            furthest[diagonal] = at
            if at >= count and place >= size:
                return _walked(trace, count, size)
    return [True] * count, [True] * size


def _walked(trace: list[dict[int, int]], at: int, place: int) -> tuple[list[bool], list[bool]]:
    deleted, added = [False] * at, [False] * place
    for edits in range(len(trace) - 1, 0, -1):
        furthest, diagonal = trace[edits], at - place
        down = diagonal == -edits or diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        before = diagonal + 1 if down else diagonal - 1
        last = furthest[before]
        at, place = last, last - before
        if down:
            added[place] = True
        else:
            deleted[at] = True
    return deleted, added


def _slide(lines: list[str], marks: list[bool]) -> None:
    """Moves each run of changed lines down as far as it goes, which is where it reads best."""
    at = 0
    while at < len(lines):
        if not marks[at]:
            at += 1
            continue
        end = at
        while end < len(lines) and marks[end]:
            end += 1
        while end < len(lines) and lines[at] == lines[end] and not marks[end]:
            marks[at], marks[end] = False, True
            at, end = at + 1, end + 1
            while end < len(lines) and marks[end]:
                end += 1
        at = end


class _Side(NamedTuple):
    name: str
    lines: list[str]
    time: datetime


class _Diff:
    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc, self.options, self.text = proc, options, Text(proc)
        self.gnu = not busybox(proc)
        context = next((value for name, value in reversed(options.given) if name in ("U", "C", "unified", "context") and value), "3")
        lines = number(context)
        if lines is None:
            raise Misuse(f"diff: invalid context length '{context}'\nTry 'diff --help' for more information.\n" if self.gnu else
                         f"diff: invalid number '{context}'\n", 2)
        self.context = lines
        self.form = "context" if options.has("c", "C", "context") else (
            "unified" if options.has("u", "U", "unified") or not self.gnu else "normal")
        if options.has("y", "n"):
            raise Misuse(f"diff: -{options.last('y', 'n')} is not simulated\n", 2)
        self.code = 0

    def flags(self) -> str:
        """The options as a recursive diff repeats them."""
        return "".join(f" -{name}{value}" for name, value in self.options.given if len(name) == 1)

    def read(self, path: str) -> Generator[Any, Any, list[str] | None]:
        if path == "-":
            text = Text(self.proc, ["-"])
            text.next_file()
            return split((yield from text.whole()))
        found = self.proc.files.read(self.proc.path(path))
        if self.proc.spins(1 + len(found or "") // 4096):
            yield from self.proc.breathe()
        return split(found) if found is not None else None

    def time(self, path: str) -> datetime:
        """When a file was last changed, now for what is none."""
        found = self.proc.files.stat(self.proc.path(path)) if path != "-" else None
        return datetime.fromtimestamp(found.mtime, UTC) if found is not None and found.mtime else self.proc.machine.time()

    def key(self, line: str) -> str:
        options = self.options
        if options.has("strip"):
            line = line.replace("\r\n", "\n")
        if options.has("w"):
            line = re.sub(r"\s", "", line)
        elif options.has("b"):
            line = re.sub(r"[ \t]+", " ", line.rstrip())
        return line.lower() if options.has("i") else line

    def files(self, one: str, other: str, headed: bool = False) -> Generator[Any, Any, None]:
        """Compares two files, of which one may be missing with -N."""
        if one == other and not self.gnu:
            return
        left, right = (yield from self.read(one)), (yield from self.read(other))
        left, right = left if left is not None else [], right if right is not None else []
        found = changes([self.key(line) for line in left], [self.key(line) for line in right])
        if self.options.has("B"):
            found = [change for change in found if "".join(left[change.start:change.end] + right[change.low:change.high]).strip("\n")]
        if not found:
            if self.options.has("s"):
                self.text.put(f"Files {one} and {other} are identical\n")
            return
        self.code = max(self.code, 1)
        if self.options.has("q"):
            self.text.put(f"Files {one} and {other} differ\n")
            return
        if any("\0" in line for line in left[:100] + right[:100]) and not self.options.has("a"):
            self.text.put(f"Binary files {one} and {other} differ\n" if self.gnu else f"Binary files {one} and {other} differ\n")
            return
        if headed and self.gnu:
            self.text.put(f"diff{self.flags()} {one} {other}\n")
        labels = self.options.values("L")
        sides = (_Side(labels[0] if labels else one, left, self.time(one)), _Side(labels[1] if len(labels) > 1 else other, right, self.time(other)))
        shown = {"normal": self.normal, "unified": self.unified, "context": self.contexts}[self.form]
        for piece in shown(sides, found, bool(labels)):
            self.text.put(piece)
            if self.text.due:
                yield from self.text.sent()

    @staticmethod
    def marked(mark: str, lines: list[str]) -> str:
        return "".join(mark + (line if line.endswith("\n") else line + "\n\\ No newline at end of file\n") for line in lines)

    def normal(self, sides: tuple[_Side, _Side], found: list[Change], labelled: bool) -> Generator[str, None, None]:
        left, right = sides[0].lines, sides[1].lines

        def numbers(start: int, end: int) -> str:
            return str(start) if end <= start else f"{start + 1}" if end == start + 1 else f"{start + 1},{end}"

        for start, end, low, high in found:
            letter = "c" if end > start and high > low else "d" if end > start else "a"
            yield f"{numbers(start, end)}{letter}{numbers(low, high)}\n"
            yield self.marked("< ", left[start:end])
            if letter == "c":
                yield "---\n"
            yield self.marked("> ", right[low:high])

    def hunks(self, found: list[Change]) -> list[list[Change]]:
        groups: list[list[Change]] = []
        for change in found:
            if groups and change.start - groups[-1][-1].end <= 2 * self.context:
                groups[-1].append(change)
            else:
                groups.append([change])
        return groups

    def headers(self, sides: tuple[_Side, _Side], marks: tuple[str, str], labelled: bool) -> str:
        stamp = "" if labelled or not self.gnu else f"\t{sides[0].time:%Y-%m-%d %H:%M:%S}.{sides[0].time.microsecond * 1000:09d} +0000"
        return "".join(f"{mark} {side.name}{stamp}\n" for mark, side in zip(marks, sides, strict=True))

    def unified(self, sides: tuple[_Side, _Side], found: list[Change], labelled: bool) -> Generator[str, None, None]:
        left, right = sides[0].lines, sides[1].lines
        yield self.headers(sides, ("---", "+++"), labelled)
        for group in self.hunks(found):
            start, low = max(0, group[0].start - self.context), max(0, group[0].low - self.context)
            end, high = min(len(left), group[-1].end + self.context), min(len(right), group[-1].high + self.context)
            yield f"@@ -{_counted(start, end)} +{_counted(low, high)} @@\n"
            at = start
            for change in group:
                yield self.marked(" ", left[at:change.start])
                yield self.marked("-", left[change.start:change.end])
                yield self.marked("+", right[change.low:change.high])
                at = change.end
            yield self.marked(" ", left[at:end])

    def contexts(self, sides: tuple[_Side, _Side], found: list[Change], labelled: bool) -> Generator[str, None, None]:
        left, right = sides[0].lines, sides[1].lines
        yield self.headers(sides, ("***", "---"), labelled)
        for group in self.hunks(found):
            start, low = max(0, group[0].start - self.context), max(0, group[0].low - self.context)
            end, high = min(len(left), group[-1].end + self.context), min(len(right), group[-1].high + self.context)
            yield f"***************\n*** {_ranged(start, end)} ****\n"
            for lines, begin, stop, mark, places in (
                    (left, start, end, "-", [(change.start, change.end, change.high > change.low) for change in group]),
                    (right, low, high, "+", [(change.low, change.high, change.end > change.start) for change in group])):
                if mark == "+":
                    yield f"--- {_ranged(low, high)} ----\n"
                if all(first == last for first, last, _ in places):
                    continue
                at = begin
                for first, last, both in places:
                    yield self.marked("  ", lines[at:first])
                    yield self.marked("! " if both else mark + " ", lines[first:last])
                    at = last
                yield self.marked("  ", lines[at:stop])

    def directories(self, one: str, other: str) -> Generator[Any, Any, None]:
        files, options = self.proc.files, self.options
        names = [set(files.names(self.proc.path(path)) or ()) for path in (one, other)]
        for name in sorted(names[0] | names[1]):
            left, right = posixpath.join(one, name), posixpath.join(other, name)
            kinds = [files.kind(self.proc.path(path)) if name in held else "" for path, held in ((left, names[0]), (right, names[1]))]
            if "" in kinds and not (options.has("N") and "directory" not in kinds):
                if self.gnu or not options.has("r") or "directory" not in kinds:
                    self.text.put(f"Only in {one if kinds[0] else other}: {name}\n")
                    self.code = max(self.code, 1)
            elif kinds == ["directory", "directory"]:
                if options.has("r"):
                    yield from self.directories(left, right)
                else:
                    self.text.put(f"Common subdirectories: {left} and {right}\n")
            elif "directory" in kinds:
                shown = {"directory": "directory", "file": "regular file"}
                self.text.put(f"File {left} is a {shown[kinds[0]]} while file {right} is a {shown[kinds[1]]}\n")
                self.code = max(self.code, 1)
            else:
                yield from self.files(left, right, headed=True)
            yield from self.text.sent()


def _counted(start: int, end: int) -> str:
    return str(start + 1) if end == start + 1 else f"{start if end == start else start + 1},{end - start}"


def _ranged(start: int, end: int) -> str:
    return str(end) if end <= start + 1 else f"{start + 1},{end}"


def diff(proc: Proc, options: Options) -> Run:
    words, small = options.operands, busybox(proc)
    if len(words) != 2:
        raise DIFF.misuse(proc, "" if small else f"extra operand '{words[2]}'" if len(words) > 2 else
                          f"missing operand after '{words[-1] if words else 'diff'}'", 1 if small else 2)
    run = _Diff(proc, options)
    kinds = ["file" if word == "-" else proc.files.kind(proc.path(word)) for word in words]
    if kinds[0] != kinds[1] and "directory" in kinds and "" not in kinds:
        folder, file = (0, 1) if kinds[0] == "directory" else (1, 0)
        words[folder] = posixpath.join(words[folder], posixpath.basename(words[file]))
        kinds[folder] = proc.files.kind(proc.path(words[folder]))
    for word, kind in zip(words, kinds, strict=True):
        if not kind and not (options.has("N") and any(kinds)):
            run.text.complain(f"can't stat '{word}': No such file or directory" if small else f"{word}: No such file or directory")
            run.code = 2
            if small:
                return 2
    if run.code:
        return run.code
    if kinds == ["directory", "directory"]:
        yield from run.directories(*words)
    else:
        yield from run.files(*words)
    yield from run.text.sent()
    return run.code


CMP = Line("[-ls] [-n NUM] FILE1 [FILE2 [SKIP1 [SKIP2]]]", "lsn:", "bi:ln:s", {
    "print-bytes": "b", "ignore-initial": "i", "verbose": "l", "bytes": "n", "quiet": "s", "silent": "s"}, 2,
    "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]", "cmp: ")


def cmp(proc: Proc, options: Options) -> Run:
    words, small = options.operands, busybox(proc)
    if not words or len(words) > 4:
        raise CMP.misuse(proc, "" if small else "missing operand after 'cmp'" if not words else f"extra operand '{words[4]}'", 1 if small else 2)
    text, sides = Text(proc), []
    silent, every = options.has("s"), options.has("l")
    names = [words[0], words[1] if len(words) > 1 else "-"]
    for at, name in enumerate(names):
        one = Text(proc, [name], reading=("{path}: I/O error", "{path}: {fault}"))
        if silent:
            one.complain = lambda text: None
        if not one.next_file():
            return 2
        skip = number(words[2 + at]) or 0 if len(words) > 2 + at else number(options.value("i", "0").split(":")[0]) or 0
        sides.append(data((yield from one.whole()))[skip:])
    most = number(options.value("n")) if options.has("n") else None
    left, right = (side[:most] for side in sides)
    place = next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    if proc.spins(1 + len(left) // 10_000):
        yield from proc.breathe()
    if place is not None and silent:
        return 1
    if place is not None and not every:
        text.put(f"{names[0]} {names[1]} differ: char {place + 1}, line {left[:place].count(10) + 1}\n")
        yield from text.sent()
        return 1
    if every:
        width = len(str(min(len(left), len(right)))) if not small else 1
        for at, (one, other) in enumerate(zip(left, right, strict=False), 1):
            if one != other:
                text.put(f"{at:>{width}} {one:3o} {other:3o}\n")
                if text.due:
                    yield from text.sent()
    if len(left) != len(right):
        shorter, name = (left, names[0]) if len(left) < len(right) else (right, names[1])
        if not silent:
            where = "" if small else " which is empty" if not shorter else f" after byte {len(shorter)}" + (
                "" if every else f", in line {shorter.count(10) + 1}" if not shorter.endswith(b"\n") else f", line {shorter.count(10)}")
            text.complain(f"EOF on {name}{where}")
        return 1
    yield from text.sent()
    return 1 if place is not None else 0


PROGRAMS: dict[str, Program] = {"diff": Program(tool(DIFF, diff)), "cmp": Program(tool(CMP, cmp))}
