"""An awk program as it runs: its variables and arrays, the record and its fields, the files and commands that it has open.

The input, the record and the output are here; ``compiler`` turns the tree into functions of this. It is run by a trampoline, so that a
function of the program may call itself without using up Python's stack.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import OutOfMemory
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.awk.grammar import unescaped
from server.cluster.runtime.programs.awk.values import UNSET, Input, Value, number, string
from server.cluster.runtime.programs.inputs import HELD, LONGEST_LINE, Text
from server.cluster.runtime.streams import Fault, Pipe

MOST_FIELDS, MOST_OPEN, DEEPEST_CALL, STEPS = 20_000, 30, 1000, 25
SPECIAL = frozenset({"NF", "FS", "RS", "CONVFMT", "OFMT", "SUBSEP", "OFS", "ORS"})


class AwkError(Exception):
    """An error of the running program; ``str()`` is its text."""


class Next(Exception):
    """The next record; ``file``: of the next file."""

    def __init__(self, file: bool = False) -> None:
        super().__init__()
        self.file = file


class Exit(Exception):
    def __init__(self, code: int | None) -> None:
        super().__init__()
        self.code = code


class Source:
    """Records of a stream of text. ``fill`` gives more of it, "" at the end."""

    def __init__(self, fill: Any) -> None:
        self._fill = fill
        self._text, self._at, self._over = "", 0, False

    def next(self, machine: Machine) -> Generator[Any, Any, str | None]:
        """The next record, None behind the last."""
        while True:
            found = machine.separated(self._text, self._at, self._over)
            if found is not None:
                record, self._at = found
                return record
            if self._over:
                return None
            more = yield self._fill()
            self._text, self._at = self._text[self._at:] + more, 0
            self._over = not more
            if len(self._text) > LONGEST_LINE + 65536:
                raise OutOfMemory


class Machine:
    def __init__(self, proc: Proc, gnu: bool) -> None:
        self.proc, self.gnu = proc, gnu
        self.text = Text(proc)
        self.vars: dict[str, Any] = {"FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NR": 0.0, "FNR": 0.0, "SUBSEP": "\x1c", "CONVFMT": "%.6g",
                                     "OFMT": "%.6g", "RSTART": 0.0, "RLENGTH": -1.0, "FILENAME": UNSET,
                                     "ENVIRON": {name: Input(value) for name, value in proc.env.items()}}
        self.record: str = ""
        self._fields: list[Value] | None = []
        self._stale = False  # the record is to be put together from its fields
        self.sources: dict[str, tuple[Source, int, Any]] = {}
        self.sinks: dict[str, tuple[int, Any]] = {}
        self.held = 0
        self.steps = 0
        self.depth = 0
        self.frames: list[list[Any]] = []
        self.chance = random.Random(0)  # noqa: S311
        self.seed = 0.0
        self.main: Source | None = None
        self._place = 0
        self._any = False
        self.failed = False
        self.skip_file = False

    def hold(self, size: int) -> None:
        self.held += size
        if self.held > HELD:
            raise OutOfMemory

    # the record

    def set_record(self, text: str) -> None:
        self.record, self._fields, self._stale = text, None, False

    @property
    def fields(self) -> list[Value]:
        if self._fields is None:
            self._fields = list(map(Input, self.split(self.record, self.vars["FS"])))
            if len(self._fields) > MOST_FIELDS:
                raise OutOfMemory
        return self._fields

    def field(self, at: int) -> Value:
        if at == 0:
            if self._stale:
                self.record, self._stale = string(self.vars["OFS"]).join(string(each, self.vars["CONVFMT"]) for each in self._fields), False
            return Input(self.record)
        if at < 0:
            raise AwkError("Access to negative field" if not self.gnu else "trying to access out of range field " + str(at))
        fields = self.fields
        return fields[at - 1] if at <= len(fields) else UNSET

    def set_field(self, at: int, value: Value) -> None:
        if at == 0:
            self.set_record(string(value, self.vars["CONVFMT"]))
            return
        if at < 0 or at > MOST_FIELDS:
            raise AwkError("Access to negative field" if at < 0 else "out of memory")
        fields = self.fields
        while len(fields) < at:
            fields.append(UNSET)
        fields[at - 1] = Input(value) if isinstance(value, Input) else value
        self._stale = True

    def get(self, name: str) -> Any:
        if name == "NF":
            return float(len(self.fields))
        return self.vars.get(name, UNSET)

    def set(self, name: str, value: Value) -> None:
        if name in SPECIAL:
            if name == "NF":
                count = int(number(value))
                if not 0 <= count <= MOST_FIELDS:
                    raise AwkError("NF set to a bad value")
                fields = self.fields
                del fields[count:]
                fields += [UNSET] * (count - len(fields))
                self._stale = True
                return
            if name == "FS" and self._fields is None:
                _ = self.fields
            value = string(value)
        elif len(name) > 1 and isinstance(self.vars.get(name), dict):
            raise AwkError(f"attempt to use array '{name}' in a scalar context")
        self.vars[name] = value

    def array(self, name: str) -> dict[str, Any]:
        found = self.vars.get(name)
        if not isinstance(found, dict):
            if found is not None and found is not UNSET:
                raise AwkError(f"attempt to use scalar '{name}' as array")
            found = self.vars[name] = {}
        return found

    # regular expressions

    def regex(self, value: Any) -> regex.Regex:
        if isinstance(value, regex.Regex):
            return value
        try:
            return regex.compile(string(value, self.vars["CONVFMT"]), True, False, 2)
        except regex.BadPattern as bad:
            raise AwkError(f"bad regex '{value}': {bad}") from None

    def search(self, value: Any, text: str, at: int = 0, spans: bool = True) -> list[tuple[int, int]] | None:
        wanted = self.regex(value)
        try:
            found = wanted.search(text, at, spans)
        except regex.TooComplex:
            raise AwkError("the pattern is too complex for text of this length") from None
        self.steps += wanted.taken() * STEPS
        return found

    def split(self, text: str, separator: Any) -> list[str]:
        if not isinstance(separator, regex.Regex):
            separator = string(separator)
            if separator == " ":
                return text.split(None) if text.isascii() else re.split(r"[ \t\n\r\f\v]+", text.strip(" \t\n\r\f\v")) if text.strip() else []
            if not text:
                return []
            if not separator:
                return list(text)
            if len(separator) == 1 and separator != "\\" and self.vars["RS"] != "":
                return text.split(separator)
            if len(separator) == 1:
                return re.split(f"[{re.escape(separator)}\n]", text)
        elif not text:
            return []
        found, behind, at = [], 0, 0
        while at <= len(text) and (match := self.search(separator, text, at)) is not None:
            start, end = match[0]
            if end == start:
                at = end + 1
                continue
            found.append(text[behind:start])
            behind = at = end
        return [*found, text[behind:]]

    def separated(self, text: str, at: int, over: bool) -> tuple[str, int] | None:
        """The record that begins at a place and the place behind it; None if its end is not there yet."""
        mark = string(self.vars["RS"])
        if len(mark) == 1:
            end = text.find(mark, at)
            if end >= 0:
                return text[at:end], end + 1
        elif not mark:
            while text.startswith("\n", at):
                at += 1
            found = re.compile(r"\n\n+").search(text, at)
            if found is not None and (found.end() < len(text) or over):
                return text[at:found.start()], found.end()
            if over:
                rest = text[at:].removesuffix("\n")
                return (rest, len(text)) if rest else None
            return None
        else:
            found = self.search(mark, text, at)
            if found is not None and found[0][1] > found[0][0] and (found[0][1] < len(text) or over):
                return text[at:found[0][0]], found[0][1]
        return (text[at:], len(text)) if over and at < len(text) else None

    # input

    def next_main(self) -> Generator[Any, Any, bool]:
        """Reads the next record of the operands into $0."""
        while True:
            if self.main is None and not (yield self._next_operand()):
                return False
            if self.skip_file:
                self.skip_file, self.main = False, None
                self.text.finish_file()
                continue
            record = yield self.main.next(self)
            if record is not None:
                self.set_record(record)
                self.vars["NR"] = number(self.vars["NR"]) + 1
                self.vars["FNR"] = number(self.vars["FNR"]) + 1
                return True
            self.main = None

    def _next_operand(self) -> Generator[Any, Any, bool]:
        """Opens the next operand of ARGV, or standard input if there is none; assignments on the way are made."""
        arguments = self.array("ARGV")
        while True:
            self._place += 1
            if self._place >= int(number(self.vars["ARGC"])):
                if self._any:
                    return False
                path = "-"
            else:
                path = string(arguments.get(str(self._place), ""))
            if not path:
                continue
            if (assigned := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", path, re.S | re.A)) is not None:
                self.set(assigned[1], Input(unescaped(assigned[2])))
                continue
            self._any = True
            text = Text(self.proc, [path], ("{path}: {fault}", "cannot open {path} ({fault})"), ("cmd. line:1: {fault}", "read error ({fault})"))
            text.put("")
            self.text.push()
            if not text.next_file():
                self.failed = True
                continue
            self.reading = text
            self.vars["FILENAME"] = Input(path) if path != "-" else UNSET
            self.vars["FNR"] = 0.0
            self.main = Source(self._more)
            return True
        yield

    def _more(self) -> Generator[Any, Any, str]:
        self.text.push()
        return (yield from self.reading.read())

    def source(self, kind: str, name: str) -> Generator[Any, Any, Source | None]:
        """The records of a file, or of what a command prints."""
        known = self.sources.get(name)
        if known is not None:
            return known[0]
        if len(self.sources) + len(self.sinks) >= MOST_OPEN:
            raise AwkError("too many open files")
        proc, child = self.proc, None
        self.text.push()
        yield from proc.flush()
        try:
            if kind == "file":
                stream = proc.open(name) if name not in ("-", "/dev/stdin") else proc.fds[0]
                if name not in ("-", "/dev/stdin") and proc.files.kind(proc.path(name)) == "directory":
                    return None
            else:
                pipe = Pipe()
                child = proc.spawn(["sh", "-c", name], fds={**{fd: proc.fds[fd] for fd in (0, 2) if fd in proc.fds}, 1: pipe.writer})
                stream = pipe.reader
        except Fault:
            return None
        fd = max(2, *proc.fds) + 1
        proc.fds[fd] = stream.open()

        def fill() -> Generator[Any, Any, str]:
            self.text.push()
            return (yield from proc.read(fd))

        source = Source(fill)
        self.sources[name] = source, fd, child
        return source

    # output

    def sink(self, kind: str, name: str) -> Generator[Any, Any, int]:
        """The descriptor that leads to a file or to a command's input."""
        known = self.sinks.get(name)
        if known is not None:
            return known[0]
        if len(self.sources) + len(self.sinks) >= MOST_OPEN:
            raise AwkError("too many open files")
        proc, child = self.proc, None
        self.text.push()
        yield from proc.flush()
        if kind != "|" and name in ("/dev/stdout", "-", "/dev/stderr"):
            return 2 if name == "/dev/stderr" else 1
        try:
            if kind == "|":
                pipe = Pipe()
                child = proc.spawn(["sh", "-c", name], fds={**{fd: proc.fds[fd] for fd in (1, 2) if fd in proc.fds}, 0: pipe.reader})
                stream: Any = pipe.writer
            else:
                stream = proc.open(name, "w" if kind == ">" else "a")
        except Fault as fault:
            raise AwkError(f"can't open '{name}': {fault}" if not self.gnu else f"cannot open \"{name}\" for output ({fault})") from None
        fd = max(2, *proc.fds) + 1
        proc.fds[fd] = stream.open()
        self.sinks[name] = fd, child
        return fd

    def close(self, name: str) -> Generator[Any, Any, int]:
        """Closes a file or a command: its exit code, -1 if nothing of that name is open."""
        proc, code = self.proc, -1
        self.text.push()
        yield from proc.flush()
        for fd, child in [*([self.sources.pop(name)[1:]] if name in self.sources else []), *([self.sinks.pop(name)] if name in self.sinks else [])]:
            if fd > 2:
                proc.fds.pop(fd).close()
            code = (yield from proc.wait(child)) if child is not None else 0
        return code

    def close_all(self) -> Generator[Any, Any, None]:
        for name in [*self.sinks, *self.sources]:
            yield from self.close(name)

    def system(self, command: str) -> Generator[Any, Any, int]:
        self.text.push()
        yield from self.proc.flush()
        try:
            child = self.proc.spawn(["sh", "-c", command], fds={fd: self.proc.fds[fd] for fd in (0, 1, 2) if fd in self.proc.fds})
        except Fault:
            return 127
        return (yield from self.proc.wait(child))

    # work

    def tick(self) -> Generator[Any, Any, None] | None:
        """Counts one statement: something to wait for when it is time."""
        self.steps += 1
        if self.text.due:
            return self.text.sent()
        if self.steps < STEPS:
            return None
        taken, self.steps = self.steps // STEPS, self.steps % STEPS
        return self.proc.breathe() if self.proc.spins(taken) else None


def driven(program: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Runs a generator that yields generators to call; what else it yields is waited for."""
    stack, send, error = [program], None, None
    while True:
        try:
            if error is not None:
                caught, error = error, None
                item = stack[-1].throw(caught)
            else:
                item = stack[-1].send(send)
        except StopIteration as stop:
            stack.pop()
            if not stack:
                return stop.value
            send = stop.value
            continue
        except Exception as raised:
            stack.pop()
            if not stack:
                raise
            error = raised
            continue
        if isinstance(item, Generator):
            stack.append(item)
            send = None
        else:
            try:
                send = yield item
            except Exception as raised:
                error = raised
