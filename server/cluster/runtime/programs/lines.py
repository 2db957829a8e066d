"""uniq, shuf, tsort and split: lines told apart, put in another order, or into other files.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/uniq.html, tsort.html, split.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, number, tool
from server.cluster.runtime.programs.sorting import proc_random
from server.cluster.runtime.streams import Fault

UNIQ = Line("[-cdui] [-f,s,w N] [FILE [OUTFILE]]", "cdDuf:s:w:iz", "cdDuf:s:w:iz", {
    "count": "c", "repeated": "d", "all-repeated": "all-repeated::", "unique": "u", "skip-fields": "f", "skip-chars": "s",
    "check-chars": "w", "ignore-case": "i", "zero-terminated": "z"}, gnu_usage="[OPTION]... [INPUT [OUTPUT]]")


def uniq(proc: Proc, options: Options) -> Run:
    figures = {}
    for name, what in (("f", "number of fields to skip"), ("s", "number of bytes to skip"), ("w", "number of bytes to compare")):
        value = number(options.value(name)) if options.has(name) else None
        if options.has(name) and value is None:
            word = options.value(name)
            raise Misuse(f"uniq: invalid number '{word}'\n" if busybox(proc) else f"uniq: {word}: invalid {what}\n")
        figures[name] = value
    if len(options.operands) > 2:
        raise UNIQ.misuse(proc, "" if busybox(proc) else f"extra operand '{options.operands[2]}'")
    text = Text(proc, options.operands[:1], ("can't open '{path}': {fault}", "{path}: {fault}"), ("{path}: I/O error", "error reading '{path}'"))
    if len(options.operands) == 2 and options.operands[1] != "-":
        try:
            stream = proc.open(options.operands[1], "w")
        except Fault as fault:
            raise Misuse(f"uniq: {options.operands[1]}: {fault}\n") from None
        proc.fds[1].close()
        proc.fds[1] = stream.open()
    skip = re.compile(rf"(?:[ \t]*[^ \t]+){{0,{min(figures['f'] or 0, 1000)}}}")

    def compared(line: str) -> str:
        line = line[skip.match(line).end():] if figures["f"] else line
        line = line[figures["s"] or 0:]
        line = line[:figures["w"]] if figures["w"] is not None else line
        return line.lower() if options.has("i") else line

    repeated, unique, counted, every = options.has("d"), options.has("u"), options.has("c"), options.has("D", "all-repeated")
    group: list[str] = []
    count, value = 0, ""

    def show() -> None:
        if count and not (repeated and count < 2) and not (unique and count > 1) and not (every and count < 2):
            if every:
                text.put("".join(f"{line}\n" for line in group))
            else:
                text.put((f"{count:7} " if counted else "") + group[0] + "\n")

    while (block := (yield from text.all_lines())) is not None:
        for line in block:
            body = line.removesuffix("\n")
            key = compared(body)
            if count and key == value:
                count += 1
                if every:
                    text.hold(len(body) + 50)
                    group.append(body)
                continue
            show()
            group, count, value = [body], 1, key
            if text.due:
                yield from text.sent()
    show()
    yield from text.sent()
    return 1 if text.failed else 0


SHUF = Line("[-n NUM] [-o FILE] [-z] [FILE | -e [ARG...] | -i L-H]", "ei:n:o:z", "ei:n:o:rz", {
    "echo": "e", "input-range": "i", "head-count": "n", "output": "o", "repeat": "r", "random-source": "random-source:",
    "zero-terminated": "z"}, gnu_usage="[OPTION]... [FILE]")
LARGEST_RANGE = 100_000


def shuf(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands if not options.has("e", "i") else [])
    chance = proc_random(proc)
    most = number(options.value("n")) if options.has("n") else None
    if options.has("n") and most is None:
        raise Misuse(f"shuf: invalid number '{options.value('n')}'\n" if busybox(proc) else f"shuf: invalid line count: '{options.value('n')}'\n")
    if options.has("e"):
        lines = list(options.operands)
    elif options.has("i"):
        found = re.fullmatch(r"(\d{1,15})-(\d{1,15})", options.value("i"))
        if found is None or int(found[2]) < int(found[1]):
            raise Misuse(f"shuf: {options.value('i')}: invalid range\n" if busybox(proc) else f"shuf: invalid input range: '{options.value('i')}'\n")
        low, high = int(found[1]), int(found[2])
        if most is None and high - low >= LARGEST_RANGE:
            raise Misuse("shuf: memory exhausted\n")
        count = min(most, high - low + 1, LARGEST_RANGE) if most is not None else high - low + 1
        lines = [str(each) for each in chance.sample(range(low, high + 1), count)]
    else:
        lines = []
        while (block := (yield from text.all_lines())) is not None:
            text.hold(sum(map(len, block)) + 50 * len(block))
            lines += [line.removesuffix("\n") for line in block]
        if text.failed:
            return 1
    if options.has("r"):
        while lines and (most is None or most > 0):
            text.put(chance.choice(lines) + "\n")
            most = most - 1 if most is not None else None
            if text.due:
                yield from text.sent()
                if proc.spins(16):
                    yield from proc.breathe()
        yield from text.sent()
        return 0
    chance.shuffle(lines)
    for line in lines[:most]:
        text.put(line + "\n")
    if options.has("o"):
        whole, text._pieces = "".join(text._pieces), []
        if fault := proc.files.write(proc.path(options.value("o")), whole):
            raise Fault(fault)
    yield from text.sent()
    return 0


TSORT = Line("[FILE]", "", "", {}, gnu_usage="[OPTION] [FILE]")


def tsort(proc: Proc, options: Options) -> Run:
    if len(options.operands) > 1:
        raise TSORT.misuse(proc, "" if busybox(proc) else f"extra operand '{options.operands[1]}'")
    text = Text(proc, options.operands)
    if not text.next_file():
        return 1
    words = (yield from text.whole()).split()
    name = options.operands[0] if options.operands else "-"
    if len(words) % 2:
        text.complain(f"{name}: input contains an odd number of tokens" if text.gnu else f"{name}: odd input")
        return 1
    before: dict[str, int] = {}
    behind: dict[str, list[str]] = {}
    for one, other in zip(words[::2], words[1::2], strict=True):
        for word in (one, other):
            before.setdefault(word, 0)
            behind.setdefault(word, [])
        if one != other:
            before[other] += 1
            behind[one].append(other)
    ready, left, code = sorted(word for word, count in before.items() if not count), dict(before), 0
    while left:
        if not ready:
            code = 1
            cycle = _cycle(left, behind)
            text.complain(f"{name}: input contains a loop:")
            for word in cycle:
                text.complain(word)
            ready = [cycle[0]]
        word = ready.pop(0)
        if left.pop(word, None) is None:
            continue
        text.put(word + "\n")
        for each in behind[word]:
            if each in left:
                left[each] -= 1
                if not left[each]:
                    ready.append(each)
        if text.due:
            yield from text.sent()
    yield from text.sent()
    return code


def _cycle(left: dict[str, int], behind: dict[str, list[str]]) -> list[str]:
    path: dict[str, None] = {}
    word = next(iter(left))
    origin: dict[str, str] = {}
    for each in left:
        for other in behind[each]:
            if other in left:
                origin.setdefault(other, each)
    while word not in path:
        path[word] = None
        word = origin.get(word, word)
    names = list(path)
    return names[names.index(word):][::-1]


SPLIT = Line("[-b N[k|m]] [-l N] [-a N] [FILE [PREFIX]]", "b:l:a:", "a:b:C:dl:n:ex", {
    "suffix-length": "a", "bytes": "b", "numeric-suffixes": "d", "lines": "l", "hex-suffixes": "x", "number": "n",
    "additional-suffix": "additional-suffix:"}, gnu_usage="[OPTION]... [FILE [PREFIX]]")
SIZES = {"b": 512, "k": 1024, "K": 1024, "m": 1024 ** 2, "M": 1024 ** 2, "KB": 1000, "MB": 1000 ** 2}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def split(proc: Proc, options: Options) -> Run:
    kind = options.last("b", "l") or "l"
    size = number(options.value(kind, "1000"), SIZES)
    if not size:
        raise Misuse(f"split: invalid number of {'bytes' if kind == 'b' else 'lines'}: '{options.value(kind)}'\n")
    if options.has("C", "n"):
        raise Misuse(f"split: -{options.last('C', 'n')} is not simulated\n")
    length, prefix = number(options.value("a", "2")) or 2, options.operands[1] if len(options.operands) > 1 else "x"
    digits = "0123456789" if options.has("d") else "0123456789abcdef" if options.has("x") else LETTERS
    text = Text(proc, options.operands[:1], ("{path}: {fault}", "cannot open '{path}' for reading: {fault}"))
    if not text.next_file():
        return 1
    count, room = 0, 0
    path = ""

    def following() -> str:
        name, left = "", count
        for _ in range(min(length, 20)):
            name, left = digits[left % len(digits)] + name, left // len(digits)
        if left:
            raise Misuse("split: output file suffixes exhausted\n" if text.gnu else "split: suffixes exhausted\n")
        return prefix + name + options.value("additional-suffix")

    def write(piece: str, fresh: bool) -> None:
        if fault := proc.files.write(proc.path(path), piece, append=not fresh):
            raise Misuse(f"split: {path}: {fault}\n")

    while (piece := (yield from (text.read(8192) if kind == "b" else text.lines()))):
        units: Any = data(piece) if kind == "b" else piece
        while units:
            fresh = room == 0
            if fresh:
                path, room, count = following(), size, count + 1
            taken, units = units[:room], units[room:]
            room -= len(taken)
            write(taken.decode("utf-8", "surrogateescape") if kind == "b" else "".join(taken), fresh)
    return 1 if text.failed else 0


PROGRAMS: dict[str, Program] = {
    "uniq": Program(tool(UNIQ, uniq)), "shuf": Program(tool(SHUF, shuf)), "tsort": Program(tool(TSORT, tsort)),
    "split": Program(tool(SPLIT, split)),
}
