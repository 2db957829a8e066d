"""cat, tac, rev, nl and tee: text as it comes, or nearly.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cat.html, nl.html, tee.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, tool
from server.cluster.runtime.signals import INT
from server.cluster.runtime.streams import Fault

CAT = Line("[-nbvteA] [FILE]...", "nbvteA", "AbeEnstTuv", {
    "show-all": "A", "number-nonblank": "b", "show-ends": "E", "number": "n", "squeeze-blank": "s", "show-tabs": "T", "show-nonprinting": "v"},
    gnu_usage="[OPTION]... [FILE]...")
CANNOT_OPEN = ("can't open '{path}': {fault}", "{path}: {fault}")
READ_ERROR = ("read error: {fault}", "{path}: {fault}")


def cat(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands, CANNOT_OPEN, READ_ERROR)
    nonblank, numbers = options.has("b"), options.has("n", "b")
    ends, tabs = options.has("E", "e", "A") or options.has("e"), options.has("T", "A") or options.has("t")
    visible, squeeze = options.has("v", "e", "t", "A"), options.has("s")
    if not (numbers or ends or tabs or visible or squeeze):
        while text.next_file():
            while piece := (yield from text.read()):
                text.put(piece)
                yield from text.sent()
        return 1 if text.failed else 0
    count, blank, begun = 0, False, True
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            body, newline = (line[:-1], "\n") if line.endswith("\n") else (line, "")
            if squeeze and blank and not body and begun:
                continue
            blank = not body
            if numbers and begun and not (nonblank and blank and newline):
                count += 1
                text.put(f"{count:6}\t")
            text.put((_visible(body, tabs) if visible else body.replace("\t", "^I") if tabs else body) + ("$" if ends and newline else "") + newline)
            begun = bool(newline)
            if not begun and not text.gnu:
                text.put("\n")
                begun = True
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


def _visible(text: str, tabs: bool) -> str:
    """Control characters as ^X, bytes above 127 as M-x."""
    found = []
    for octet in data(text):
        high, low = ("M-", octet - 128) if octet >= 128 else ("", octet)
        if low == 9 and not high and not tabs:
            found.append("\t")
        else:
            found.append(high + (f"^{chr(low ^ 64)}" if low < 32 or low == 127 else chr(low)))
    return "".join(found)


TAC = Line("[FILE]...", "", "bs:", {"separator": "s", "before": "b"}, gnu_usage="[OPTION]... [FILE]...")


def tac(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands, ("{path}: {fault}", "failed to open '{path}' for reading: {fault}"),
                ("{path}: {fault}", "{path}: read error: Invalid argument"), options.value("s", "\n"))
    before = options.has("b")
    held: list[str] = []
    while text.next_file():
        while (lines := (yield from text.lines())) is not None:
            text.hold(sum(map(len, lines)) + 50 * len(lines))
            held += lines
        if text.gnu:
            yield from _backwards(text, held, before)
            held = []
    yield from _backwards(text, held, before)
    return 1 if text.failed else 0


def _backwards(text: Text, lines: list[str], before: bool) -> Run:
    if before:
        separator = text.separator
        whole = "".join(lines)
        first, *rest = whole.split(separator)
        lines = [first, *(separator + part for part in rest)]
    for line in reversed(lines):
        text.put(line)
        if text.due:
            yield from text.sent()
    yield from text.sent()
    return 0


REV = Line("[FILE]...", "", "0", {"zero": "0"}, gnu_usage="[options] [<file> ...]")


def rev(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands, ("{path}: {fault}", "cannot open {path}: {fault}"), ("{path}: {fault}", "{path}: 0: {fault}"))
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            text.put(line[-2::-1] + "\n" if line.endswith("\n") else line[::-1])
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


NL = Line("[OPTIONS] [FILE]...", "b:i:ps:v:w:", "b:d:f:h:i:l:n:ps:v:w:", {
    "body-numbering": "b", "footer-numbering": "f", "header-numbering": "h", "line-increment": "i", "join-blank-lines": "l",
    "number-format": "n", "no-renumber": "p", "number-separator": "s", "starting-line-number": "v", "number-width": "w",
    "section-delimiter": "d"}, gnu_usage="[OPTION]... [FILE]...")
FORMATS: dict[str, Callable[[int, int], str]] = {
    "ln": lambda count, width: f"{count:<{width}}", "rn": lambda count, width: f"{count:>{width}}",
    "rz": lambda count, width: f"{count:0{width}}"}


def _numbering(proc: Proc, options: Options, name: str, default: str) -> Callable[[str], bool]:
    """Which lines of a section are numbered. Misuse."""
    style = options.value(name, default)
    if style in ("a", "t", "n"):
        return {"a": lambda line: True, "t": lambda line: line != "", "n": lambda line: False}[style]
    if style.startswith("p"):
        try:
            wanted = regex.compile(style[1:])
        except regex.BadPattern as bad:
            raise Misuse(f"{proc.name}: {bad}\n") from None
        return lambda line: wanted.search(line, spans=False) is not None
    section = {"b": "body", "h": "header", "f": "footer"}[name]
    raise Misuse(f"{proc.name}: invalid {section} numbering style: '{style}'\nTry '{proc.name} --help' for more information.\n")


def nl(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands)
    styles = {"b": _numbering(proc, options, "b", "t"), "h": _numbering(proc, options, "h", "n"), "f": _numbering(proc, options, "f", "n")}
    figures = {}
    for name, default, what in (("i", 1, "line number increment"), ("v", 1, "starting line number"), ("w", 6, "line number field width"),
                                ("l", 1, "line number of blank lines")):
        word = options.value(name, str(default))
        if not re.fullmatch(r"-?\d{1,9}", word) or name in "wl" and int(word) < 1:
            raise Misuse(f"{proc.name}: invalid number '{word}'\n" if busybox(proc) else f"{proc.name}: invalid {what}: '{word}'\n")
        figures[name] = int(word)
    width, separator = min(figures["w"], 1000), options.value("s", "\t")
    shape = FORMATS.get(options.value("n", "rn"))
    if shape is None:
        raise Misuse(f"{proc.name}: invalid line numbering format: '{options.value('n')}'\nTry '{proc.name} --help' for more information.\n")
    mark = (options.value("d") + ":")[:2] if len(options.value("d")) == 1 else options.value("d", "\\:")
    sections = {mark * 3: "h", mark * 2: "b", mark: "f"} if text.gnu else {}
    count, section, blanks = figures["v"], "b", 0
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            body = line.removesuffix("\n")
            if body in sections:
                section = sections[body]
                count = count if options.has("p") or not text.gnu else figures["v"]
                text.put("\n")
                continue
            numbered = styles[section](body)
            if numbered and not body and figures["l"] > 1:
                blanks += 1
                numbered = blanks % figures["l"] == 0
            elif body:
                blanks = 0
            if numbered:
                text.put(shape(count, width) + separator + body + "\n")
                count += figures["i"]
            else:
                text.put(" " * (width + len(separator)) + body + "\n")
            if text.due:
                yield from text.sent()
    return 1 if text.failed else 0


TEE = Line("[-ai] [FILE]...", "ai", "aip", {"append": "a", "ignore-interrupts": "i", "output-error": "output-error::"},
           gnu_usage="[OPTION]... [FILE]...")


def tee(proc: Proc, options: Options) -> Run:
    text, targets, failed = Text(proc), [1], False
    if options.has("i"):
        proc.traps[INT] = "ignore"
    for path in options.operands:
        try:
            stream = proc.open(path, "a" if options.has("a") or proc.resumed else "w") if path != "-" or text.gnu else proc.fds[1]
        except Fault as fault:
            failed = True
            text.complain(f"{path}: {fault}")
            continue
        fd = max(2, *proc.fds) + 1
        proc.fds[fd] = stream.open()
        targets.append(fd)
    text.next_file()
    while piece := (yield from text.read()):
        for fd in list(targets):
            try:
                proc.write(fd, piece)
                yield from proc.flush()
            except Fault as fault:
                failed = True
                targets.remove(fd)
                text.complain(f"write error: {fault}" if fd == 1 else f"{options.operands[targets.index(fd) - 1] if fd in targets else fd}: {fault}")
    return 1 if failed or text.failed else 0


PROGRAMS: dict[str, Program] = {
    "cat": Program(tool(CAT, cat)), "tac": Program(tool(TAC, tac)), "rev": Program(tool(REV, rev)), "nl": Program(tool(NL, nl)),
    "tee": Program(tool(TEE, tee), "input"),
}
