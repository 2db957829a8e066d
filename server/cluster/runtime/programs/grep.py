"""grep, egrep and fgrep: the lines that match.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/grep.html and https://www.gnu.org/software/grep/manual/grep.html
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Generator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from server.cluster.errno import IS_DIRECTORY
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, number, tool
from server.cluster.runtime.streams import Fault

LINE = Line("[-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...",
            "lnqvscFiHhe:f:LorRm:A:B:C:EIwxz", "A:B:C:EFGHILPRabce:f:hilm:noqrsvwxyzZ", {
                "after-context": "A", "before-context": "B", "context": "C", "extended-regexp": "E", "fixed-strings": "F",
                "basic-regexp": "G", "with-filename": "H", "files-without-match": "L", "perl-regexp": "P", "dereference-recursive": "R",
                "text": "a", "byte-offset": "b", "count": "c", "regexp": "e", "file": "f", "no-filename": "h", "ignore-case": "i",
                "files-with-matches": "l", "max-count": "m", "line-number": "n", "only-matching": "o", "quiet": "q", "silent": "q",
                "recursive": "r", "no-messages": "s", "invert-match": "v", "word-regexp": "w", "line-regexp": "x", "null-data": "z",
                "null": "Z", "color": "color::", "colour": "color::", "include": "include:", "exclude": "exclude:",
                "exclude-dir": "exclude-dir:", "line-buffered": "line-buffered", "label": "label:"},
            2, "[OPTION]... PATTERNS [FILE]...", "Usage: grep [OPTION]... PATTERNS [FILE]...\n", 2)
WORD = re.compile(r"\w", re.A)
MOST_FILES = 10_000


class Pattern(NamedTuple):
    """All patterns of one command: the first place at which one of them matches counts, the longest there."""

    regexes: list[regex.Regex]
    word: bool
    line: bool

    def find(self, text: str, at: int = 0, spans: bool = True) -> tuple[int, int] | None:
        best = None
        for each in self.regexes:
            found = self._find(each, text, at, spans)
            if found is not None and (best is None or (found[0], -found[1]) < (best[0], -best[1])):
                best = found
                if not spans:
                    return best
        return best

    def _find(self, each: regex.Regex, text: str, at: int, spans: bool) -> tuple[int, int] | None:
        while at <= len(text):
            found = each.search(text, at, spans or self.word or self.line)
            if found is None:
                return None
            start, end = found[0]
            if self.line:
                return (start, end) if start == 0 and end == len(text) else None
            if not self.word:
                return start, end
            while end > start or start == found[0][0]:
                if not (start and WORD.match(text[start - 1])) and not WORD.match(text[end:end + 1]):
                    return start, end
                shorter = each.search(text[:end - 1], start) if end - 1 > start else None
                if shorter is None or shorter[0][0] != start:
                    break
                end = shorter[0][1]
            at = start + 1
        return None

    def taken(self) -> int:
        return sum(each.taken() for each in self.regexes)


def _pattern(proc: Proc, options: Options, texts: list[str]) -> Pattern:
    """Misuse."""
    kind = {"egrep": "E", "fgrep": "F"}.get(proc.name) or options.last("E", "F", "G", "P") or "G"
    insensitive, line = options.has("i", "y"), options.has("x")
    found = []
    for text in texts:
        try:
            if kind == "F":
                compiled = regex.compile(regex.quoted(f"{text}"), False, insensitive)
            else:
                if not busybox(proc) and re.fullmatch(r"\[:.*:\]", text):
                    raise Misuse(f"{proc.name}: character class syntax is [[:space:]], not [:space:]\n", 2)
                if not busybox(proc) and kind == "E" and text[:1] in ("*", "+", "?"):
                    proc.err(f"{proc.name}: warning: {text[0]} at start of expression\n")
                wrapped = text if not line else f"^({text})$" if kind in "EP" else f"^\\({text}\\)$"
                if kind == "P":
                    wrapped = re.sub(r"\\d", "[0-9]", re.sub(r"\(\?:", "(", wrapped))
                    if re.search(r"\(\?|[*+?}]\?|\\[DAZzKpP]", wrapped):
                        raise Misuse("grep: support for this part of -P is not compiled into this grep\n", 2)
                compiled = regex.compile(wrapped, kind in "EP", insensitive, kind == "P")
        except regex.BadPattern as bad:
            words = f"bad regex '{text}': {bad}" if busybox(proc) else str(bad)
            raise Misuse(f"{proc.name}: {words}\n", 2) from None
        found.append(compiled)
    return Pattern(found, options.has("w"), line)


def _given(proc: Proc, options: Options) -> tuple[list[str], list[str]]:
    """(the patterns, the files). Misuse."""
    texts = []
    for name, value in options.given:
        if name == "e":
            texts += value.split("\n")
        elif name == "f":
            try:
                stream = proc.open(value) if value != "-" else proc.fds[0]
                text = stream.read(1 << 20) or ""
            except Fault as fault:
                raise Misuse(f"{proc.name}: {value}: {fault}\n", 2) from None
            texts += text.removesuffix("\n").split("\n") if text else []
    if options.has("e", "f"):
        return texts, options.operands
    if not options.operands:
        raise LINE.misuse(proc, code=2)
    return options.operands[0].split("\n"), options.operands[1:]


class _Show(NamedTuple):
    """What of each file is printed, and how."""

    names: bool
    numbers: bool
    offsets: bool
    only: bool
    count: bool
    listing: str
    quiet: bool
    invert: bool
    most: int
    before: int
    after: int
    colored: bool
    separator: str

    def prefix(self, name: str, at: int, offset: int, mark: str) -> str:
        if self.colored:
            mark = f"\x1b[36m\x1b[K{mark}\x1b[m\x1b[K"
            name, shown = f"\x1b[35m\x1b[K{name}\x1b[m\x1b[K", f"\x1b[32m\x1b[K{at}\x1b[m\x1b[K"
        else:
            shown = str(at)
        return (name + mark if self.names else "") + (shown + mark if self.numbers else "") + (f"{offset}{mark}" if self.offsets else "")


def _number(proc: Proc, options: Options, name: str, default: int, what: str) -> int:
    word = options.value(name)
    if not word:
        return default
    value = number(word)
    if value is None:
        raise Misuse(f"{proc.name}: invalid number '{word}'\n" if busybox(proc) else f"{proc.name}: {word}: invalid {what}\n", 2)
    return value


def _show(proc: Proc, options: Options, many: bool) -> _Show:
    both = _number(proc, options, "C", 0, "context length argument")
    when = options.value("color", "auto" if options.has("color") else "never")
    return _Show(options.last("h", "H") == "H" or many and options.last("h", "H") != "h", options.has("n"), options.has("b"),
                 options.has("o"), options.has("c"), options.last("l", "L"), options.has("q"), options.has("v"),
                 _number(proc, options, "m", 1 << 60, "max count"),
                 _number(proc, options, "B", both, "context length argument"), _number(proc, options, "A", both, "context length argument"),
                 not busybox(proc) and (when == "always" or when == "auto" and proc.isatty(1)), "\0" if options.has("z") else "\n")


def _walk(text: Text, options: Options, path: str, recursive: bool, top: bool = True) -> Generator[str, None, None]:
    """The files that an operand stands for."""
    proc = text.proc
    small = not text.gnu
    if path == "-" or proc.files.kind(proc.path(path)) != "directory":
        base = posixpath.basename(path)
        included, excluded = options.values("include"), options.values("exclude")
        if not (included and not any(fnmatchcase(base, each) for each in included) or any(fnmatchcase(base, each) for each in excluded)):
            yield path
    elif recursive:
        if not top and any(fnmatchcase(posixpath.basename(path), each) for each in options.values("exclude-dir")):
            return
        for name in proc.files.names(proc.path(path)) or ():
            inner = name if path == "." and text.paths == [] else posixpath.join(path, name)
            yield from _walk(text, options, inner, recursive, False)
    elif not small and not options.has("s"):
        text.complain(f"{path}: {IS_DIRECTORY}")


def run(proc: Proc, options: Options) -> Run:
    texts, paths = _given(proc, options)
    pattern = _pattern(proc, options, texts)
    recursive = options.has("r", "R")
    text = Text(proc, paths)
    text.paths = paths
    if not paths:
        paths = ["."] if recursive else ["-"]
    show = _show(proc, options, len(paths) > 1 or recursive and any(proc.files.kind(proc.path(path)) == "directory" for path in paths))
    matched = failed = False
    for count, path in enumerate(each for operand in paths for each in _walk(text, options, operand, recursive)):
        if count >= MOST_FILES:
            break
        reader = Text(proc, [path])
        silent = options.has("s")
        if path != "-" and not proc.files.kind(proc.path(path)) and not path.startswith("/dev/"):
            failed = True
            if not silent:
                text.complain(f"{path}: No such file or directory")
            continue
        if not reader.next_file():
            failed = True
            continue
        try:
            found = yield from _file(reader, pattern, show, "(standard input)" if path == "-" else path)
        except regex.TooComplex:
            reader.complain("the pattern is too complex for a line of this length")
            return 2
        matched = matched or found
        failed = failed or reader.failed
        if show.quiet and matched:
            return 0
        if proc.spins():
            yield from proc.breathe()
    if any(proc.files.kind(proc.path(path)) == "directory" for path in paths) and not recursive and text.gnu:
        failed = True
    return 2 if failed and not (show.quiet and matched) else 0 if matched else 1


def _file(text: Text, pattern: Pattern, show: _Show, name: str) -> Generator[Any, Any, bool]:
    """Prints what of one file is to be printed: whether a line of it was selected."""
    hits = at = offset = 0
    trailing, last = 0, 0
    before: deque[tuple[int, int, str]] = deque(maxlen=show.before or 1)
    plain = not (show.quiet or show.listing or show.count)
    context = bool(show.before or show.after) and not show.only
    enough = show.most <= 0
    while not enough or trailing:
        block = yield from text.lines()
        if block is None:
            break
        for line in block:
            at += 1
            body = line.removesuffix(show.separator)
            selected = not enough and (pattern.find(body, spans=False) is not None) != show.invert
            if selected:
                hits += 1
                if plain:
                    text.proc.state["selected"] = True
                if plain:
                    if context and last and at - len(before if show.before else ()) > last + 1:
                        text.put("\x1b[36m\x1b[K--\x1b[m\x1b[K\n" if show.colored else "--\n")
                    if show.before:
                        for number_, place, earlier in before:
                            text.put(f"{show.prefix(name, number_, place, '-')}{earlier}\n")
                        before.clear()
                    _print(text, pattern, show, name, at, offset, body)
                    last, trailing = at, show.after if context else 0
                enough = hits >= show.most
                if show.quiet or show.listing or enough and not trailing:
                    enough, trailing = True, 0
                    break
            elif trailing and plain and context:
                text.put(f"{show.prefix(name, at, offset, '-')}{body}\n")
                last, trailing = at, trailing - 1
                if enough and not trailing:
                    break
            elif show.before and plain:
                before.append((at, offset, body))
            if show.offsets:
                offset += len(line.encode("utf-8", "surrogateescape"))
            if text.due:
                yield from text.sent()
        if text.proc.spins(pattern.taken()):
            yield from text.proc.breathe()
    text.finish_file()
    if show.count and not show.listing and not show.quiet:
        text.put(f"{name + ':' if show.names else ''}{hits}\n")
    if show.listing and not show.quiet and bool(hits) == (show.listing == "l"):
        text.put(f"{name}\n")
    yield from text.sent()
    return bool(hits or plain and text.proc.state.get("selected")) if show.listing != "L" else not hits


def _print(text: Text, pattern: Pattern, show: _Show, name: str, number_: int, offset: int, body: str) -> None:
    if not show.only and (not show.colored or show.invert):
        text.put(f"{show.prefix(name, number_, offset, ':')}{body}\n")
        return
    if show.invert:
        return
    at, shown, behind = 0, [], 0
    while at <= len(body) and (found := pattern.find(body, at)) is not None:
        start, end = found
        if end > start:
            part = body[start:end]
            if show.colored:
                part = f"\x1b[01;31m\x1b[K{part}\x1b[m\x1b[K"
            if show.only:
                place = offset + len(body[:start].encode("utf-8", "surrogateescape")) if show.offsets else 0
                text.put(f"{show.prefix(name, number_, place, ':')}{part}\n")
            else:
                shown.append(body[behind:start] + part)
                behind = end
        at = max(end, start + 1) if end == start else end
    if not show.only:
        text.put(f"{show.prefix(name, number_, offset, ':')}{''.join(shown)}{body[behind:]}\n")


def _numbers(words: list[str]) -> list[str]:
    """``-3`` is ``-C 3``."""
    return [f"-C{word[1:]}" if re.fullmatch(r"-\d{1,9}", word) else word for word in words]


PROGRAMS: dict[str, Program] = dict.fromkeys(("grep", "egrep", "fgrep"), Program(tool(LINE, run, _numbers)))
