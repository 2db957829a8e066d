"""head and tail: the beginning and the end of files, and (``tail -f``) what is written to them afterwards.

Following waits for the file to change, and for nothing else: a ``tail -f /dev/null`` is one wait that never ends. Where it is in each file
is in ``proc.state``, so it goes on from there.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/tail.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, NamedTuple

from server.cluster.errno import NOT_FOUND
from server.cluster.inodes import text_of
from server.cluster.process import Gate, Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import OutOfMemory, Program
from server.cluster.runtime.programs.inputs import HELD, Line, Misuse, Options, Run, Text, busybox, data, split, tool
from server.cluster.runtime.programs.inputs import text as decoded
from server.cluster.runtime.streams import BLOCK, BrokenPipe

SUFFIXES = {"b": 512, "k": 1024, "K": 1024, "m": 1024 ** 2, "M": 1024 ** 2, "kB": 1000, "MB": 1000 ** 2, "G": 1024 ** 3, "GB": 1000 ** 3}
HEAD = Line("[OPTIONS] [FILE]...", "n:c:qv", "c:n:qvz", {
    "bytes": "c", "lines": "n", "quiet": "q", "silent": "q", "verbose": "v", "zero-terminated": "z"}, gnu_usage="[OPTION]... [FILE]...")
TAIL = Line("[OPTIONS] [FILE]...", "fFc:n:qvs:", "c:fFn:qs:vz", {
    "bytes": "c", "lines": "n", "quiet": "q", "silent": "q", "verbose": "v", "zero-terminated": "z", "sleep-interval": "s",
    "follow": "follow::", "retry": "retry", "pid": "pid:"}, gnu_usage="[OPTION]... [FILE]...")


class Amount(NamedTuple):
    """``count`` lines, or bytes; ``sign`` is "+" or "-" if it was written so."""

    count: int = 10
    octets: bool = False
    sign: str = ""


def amount(proc: Proc, options: Options) -> Amount:
    """Misuse."""
    name = options.last("n", "c") or "n"
    word = options.value(name, "10")
    found = re.fullmatch(r"([+-]?)(\d{1,18})([A-Za-z]*)", word)
    if found is None or found[3] and found[3] not in SUFFIXES:
        what = "bytes" if name == "c" else "lines"
        raise Misuse(f"{proc.name}: invalid number '{word}'\n" if busybox(proc) else f"{proc.name}: invalid number of {what}: '{word}'\n")
    return Amount(int(found[2]) * SUFFIXES.get(found[3], 1), name == "c", found[1])


def _old(words: list[str]) -> list[str]:
    """``-5`` is ``-n 5``; ``tail +5``, ``tail -5f``."""
    found = []
    for at, word in enumerate(words):
        old = re.fullmatch(r"-(\d{1,18})([kmbc]?)([fqv]*)", word)
        if old is not None and (at == 0 or words[at - 1] not in ("-n", "-c", "-s")):
            found += [f"-{'c' if old[2] == 'c' else 'n'}{old[1]}{old[2] if old[2] != 'c' else ''}"] + ([f"-{old[3]}"] if old[3] else [])
        else:
            found.append(word)
    return found


def _header(path: str, first: bool) -> str:
    return f"{'' if first else chr(10)}==> {'standard input' if path == '-' else path} <==\n"


def head(proc: Proc, options: Options) -> Run:
    what = amount(proc, options)
    text = Text(proc, options.operands, ("{path}: {fault}", "cannot open '{path}' for reading: {fault}"),
                ("{path}: Input/output error", "error reading '{path}': {fault}"), "\0" if options.has("z") else "\n")
    shown = options.last("q", "v") == "v" or len(text.paths) > 1 and options.last("q", "v") != "q"
    first = True
    while text.next_file():
        if shown:
            text.put(_header(text.path, first))
            first = False
        if what.sign == "-":
            whole = yield from text.whole()
            lines = data(whole) if what.octets else split(whole, text.separator)
            kept = lines[:max(0, len(lines) - what.count)]
            text.put(decoded(kept) if what.octets else "".join(kept))
            yield from text.sent()
            continue
        yield from (_octets if what.octets else _lines)(text, what.count)
    return 1 if text.failed else 0


def _octets(text: Text, left: int) -> Generator[Any, Any, None]:
    while left > 0 and (piece := (yield from text.read(min(left, 64 * 1024)))):
        octets = data(piece)
        if len(octets) > left:
            kept = octets[:left]
            text.give_back(decoded(octets[left:]))
            piece = decoded(kept)
        left -= min(left, len(octets))
        text.put(piece)
        yield from text.sent()
    text.finish_file()


def _lines(text: Text, left: int) -> Generator[Any, Any, None]:
    while left > 0 and (piece := (yield from text.read(64 * 1024))):
        lines = split(piece, text.separator)
        if len(lines) > left or len(lines) == left and piece.endswith(text.separator):
            text.give_back("".join(lines[left:]))
            text.put("".join(lines[:left]))
            break
        left -= len(lines) if piece.endswith(text.separator) else len(lines) - 1
        text.put(piece)
        yield from text.sent()
    text.finish_file()
    yield from text.sent()


def end(whole: str, what: Amount, separator: str = "\n") -> str:
    """
    >>> end("a\\nb\\nc\\n", Amount(2)), end("a\\nb\\nc\\n", Amount(2, sign="+"))
    ('b\\nc\\n', 'b\\nc\\n')
    """
    if what.octets:
        octets = data(whole)
        return decoded(octets[max(0, what.count - 1):] if what.sign == "+" else octets[len(octets) - min(what.count, len(octets)):])
    lines = split(whole, separator)
    return "".join(lines[max(0, what.count - 1):] if what.sign == "+" else lines[len(lines) - min(what.count, len(lines)):])


class _Tail:
    """``state``: {"begun": paths that were printed, "at": place by path, "last": the path printed last, "kept": input kept so far}."""

    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc = proc
        self.what = amount(proc, options)
        self.text = Text(proc, options.operands, ("can't open '{path}': {fault}", "cannot open '{path}' for reading: {fault}"),
                         ("read error: {fault}", "error reading '{path}': {fault}"), "\0" if options.has("z") else "\n")
        self.paths = self.text.paths
        self.retry = options.has("F", "retry") or options.value("follow") == "name" and options.has("retry")
        self.follow = options.has("f", "F", "follow")
        self.shown = options.last("q", "v") == "v" or len(self.paths) > 1 and options.last("q", "v") != "q"
        self.state = proc.state
        self.state.setdefault("at", {})
        self.state.setdefault("begun", 0)
        self.gate = Gate()

    def show(self, at: int, piece: str) -> None:
        if self.shown and self.state.get("last") != at:
            self.proc.out(_header(self.paths[at], "last" not in self.state))
        self.state["last"] = at
        self.proc.out(piece)

    def first(self) -> Generator[Any, Any, None]:
        """The end of each operand as it is now."""
        text = self.text
        while self.state["begun"] < len(self.paths):
            path = self.paths[self.state["begun"]]
            full = self.proc.path(path)
            text._next = self.state["begun"]
            text.paths = self.paths[:text._next + 1]
            if text.next_file():
                piece = yield from (self._input() if path == "-" or text.proc.files.read(full) is None else self._file(full))
                if self.follow and path != "-":
                    self.state["at"][path] = self._place(full)
                self.show(self.state["begun"], piece)
            elif self.follow and (self.retry or self.proc.files.kind(full) == "directory"):
                self.state["at"][path] = None
            self.state["begun"] += 1
            yield from self.proc.flush()

    def _place(self, full: str) -> list[int]:
        """Where a file ends: [the place behind its last character, its size in bytes]."""
        node, found = self.proc.files.node(full), self.proc.files.stat(full)
        size = found.size if found is not None else 0
        if node is None or isinstance(node, str):
            return [len(node or ""), size]
        return [node.get("lost", 0) + node.get("hole", 0) + len(text_of(node)) + node.get("pad", 0), size]

    def _file(self, full: str) -> Generator[Any, Any, str]:
        whole = self.proc.files.read(full) or ""
        if self.proc.spins(1 + len(whole) // 1024):
            yield from self.proc.breathe()
        self.text.finish_file()
        return end(whole, self.what, self.text.separator)

    def _input(self) -> Generator[Any, Any, str]:
        """What is read to its end: of it only so much is kept as can be asked for."""
        text, what, state = self.text, self.what, self.state
        kept = state.get("kept", "")
        if what.sign == "+":
            kept, passed, needed = "", state.get("passed", 0), max(0, what.count - 1)
            while piece := (yield from text.read()):
                if passed < needed:
                    units = data(piece) if what.octets else split(piece, text.separator)
                    whole = len(units) if what.octets or piece.endswith(text.separator) else len(units) - 1
                    rest = units[needed - passed:]
                    passed = state["passed"] = passed + whole
                    piece = decoded(rest) if what.octets else "".join(rest)
                self.show(state["begun"], piece)
                yield from self.proc.flush()
            return ""
        while True:
            yield from text.swallowed()
            piece = yield from text.read()
            if not piece:
                text.finish_file()
                state.pop("kept", None)
                return end(kept, what, text.separator)
            kept = end(kept + piece, what._replace(count=what.count + 1), text.separator)
            if len(kept) > HELD:
                raise OutOfMemory
            state["kept"] = kept

    def watch(self) -> Generator[Any, Any, int]:
        """Prints what is written from now on."""
        proc, output = self.proc, self.proc.fds.get(1)
        files = [path for path in self.paths if path in self.state["at"]]
        if not files:
            if self.text.failed and not self.text.gnu or self.text.gnu and "-" not in self.paths:
                self.text.complain("no files" if not self.text.gnu else "no files remaining")
            return 1 if self.text.failed else 0
        ends = [proc.files.follow(proc.path(path), self.gate.open) for path in files if not proc.path(path).startswith("/dev/")]
        pipe = getattr(output, "pipe", None)
        try:
            for path in files if proc.resumed else ():
                yield from self._more(path)
            yield from proc.flush()
            while True:
                if pipe is not None:
                    if pipe.gone:
                        raise BrokenPipe
                    output.writable.wait(self.gate.open)
                yield Pass(self.gate)
                for path in files:
                    yield from self._more(path)
                yield from proc.flush()
        finally:
            if pipe is not None:
                output.writable.forget(self.gate.open)
            for stop in ends:
                stop()

    def _more(self, path: str) -> Generator[Any, Any, None]:
        proc, places, gnu = self.proc, self.state["at"], self.text.gnu
        full = proc.path(path)
        kind = proc.files.kind(full)
        at = places[path]
        if kind != "file":
            if self.retry and at is not None:
                places[path] = None
                self.text.complain(f"'{path}' has become inaccessible: {NOT_FOUND}" if gnu else f"{path} has become inaccessible: {NOT_FOUND}")
            return
        start, size = at or (0, 0)
        end = self._place(full)
        if at is None:
            self.text.complain(f"'{path}' has appeared;  following new file" if gnu else f"{path} has appeared; following end of new file")
        elif end[1] < size:
            if gnu:
                self.text.complain(f"{path}: file truncated")
            start = 0
        while start < end[0]:
            piece, start = proc.files.chunk(full, start, BLOCK)
            if not piece:
                break
            self.show(self.paths.index(path), piece)
            yield from proc.flush()
        places[path] = end


def tail(proc: Proc, options: Options) -> Run:
    run = _Tail(proc, options)
    yield from run.first()
    if run.follow:
        return (yield from run.watch())
    if run.text.failed and not run.text.gnu and "last" not in run.state and len(run.paths) == 1 and (
            proc.files.kind(proc.path(run.paths[0])) != "directory"):
        run.text.complain("no files")
    return 1 if run.text.failed else 0


PROGRAMS: dict[str, Program] = {"head": Program(tool(HEAD, head, _old)), "tail": Program(tool(TAIL, tail, _old), "state")}
