"""sed's cycle: the pattern and hold space, the ranges, the lines to come, what is written.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sed.html
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import OutOfMemory
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.inputs import LONGEST_LINE, Misuse, Run, Text, busybox, split
from server.cluster.runtime.programs.sedlines import Lines, filled, unambiguous
from server.cluster.runtime.programs.sedscript import Address, BadScript, Command
from server.cluster.runtime.streams import Fault, Stream

OPENING = ("{path}: {fault}", "can't read {path}: {fault}")
READING = ("{path}: {fault}", "couldn't edit {path}: not a regular file")
STEPS = 25  # commands that count as one step of a process


class Quit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Editor:
    def __init__(self, proc: Proc, commands: list[Command], quiet: bool, separate: bool, in_place: str | None, end: str, width: int) -> None:
        self.proc, self.commands = proc, commands
        self.quiet, self.separate, self.in_place, self.end, self.width = quiet, separate, in_place, end, width
        self.hold = ""
        self.number = 0
        self.pattern = ""
        self.ended = True
        self.appended: list[tuple[str, str]] = []
        self.replaced = False
        self.last_regex: regex.Regex | None = None
        self.sinks: dict[str, int] = {}
        self.readers: dict[str, Lines] = {}
        self.edited: list[str] | None = None
        self.missing = False
        self.steps = 0
        self.failed = False
        self.lines: Lines
        self.text: Text

    # its output

    def put(self, line: str, ended: bool = True) -> None:
        piece = (self.end if self.missing else "") + line + (self.end if ended else "")
        self.missing = not ended
        if self.edited is not None:
            self.text.hold(len(piece))
            self.edited.append(piece)
        else:
            self.text.put(piece)

    def save(self, path: str, line: str) -> None:
        if path == "/dev/stdout":
            self.put(line)
            return
        self.text.push()
        self.proc.write(self.sinks[path], line + self.end)

    def open_sinks(self) -> None:
        """All files that are written are made, and emptied, before the first line."""
        for command in self.commands:
            path = command.text
            if (command.name in "wW" or command.name == "s" and path) and path not in self.sinks and path != "/dev/stdout":
                try:
                    stream: Stream = self.proc.open(path, "w")
                except Fault as fault:
                    raise Misuse(f"sed: {path}: {fault}\n" if busybox(self.proc) else f"sed: couldn't open file {path}: {fault}\n",
                                 1 if busybox(self.proc) else 4) from None
                fd = max(2, *self.proc.fds) + 1
                self.proc.fds[fd] = stream.open()
                self.sinks[path] = fd

    # its cycle

    def run(self, paths: list[str]) -> Run:
        groups = [[path] for path in paths] if self.separate else [paths]
        self.text = Text(self.proc)
        code = 0
        try:
            for group in groups:
                yield from self.files(group)
        except Quit as quit_:
            code = quit_.code
        yield from self.text.sent()
        return code or (0 if not self.failed else 1 if busybox(self.proc) else 4 if self.in_place is not None else 2)

    def files(self, paths: list[str]) -> Generator[Any, Any, None]:
        proc = self.proc
        reading = READING if self.in_place is not None else (READING[0], "read error on {path}: {fault}")
        text = self.text = Text(proc, paths, OPENING, reading, self.end)
        if not text.gnu and any(proc.files.kind(proc.path(path)) == "directory" for path in paths):
            text.paths = [path for path in paths if proc.files.kind(proc.path(path)) != "directory"]
        self.lines = Lines(text, self.end)
        if self.separate:
            self.number = 0
        self.edited, self.missing = ([], False) if self.in_place is not None else (None, False)
        try:
            yield from self.cycles()
        except Quit:
            if self.edited is not None:
                while (rest := (yield from self.lines.next())) is not None:
                    self.put(rest.removesuffix(self.end), rest.endswith(self.end))
            raise
        finally:
            self.failed = self.failed or text.failed
            if self.edited is not None and not text.failed:
                self.rewrite(paths[0])
        yield from text.sent()

    def rewrite(self, path: str) -> None:
        files, full = self.proc.files, self.proc.path(path)
        if self.in_place:
            name = self.in_place.replace("*", path.rpartition("/")[2]) if "*" in self.in_place else path.rpartition("/")[2] + self.in_place
            files.write(self.proc.path(path.rpartition("/")[0] + "/" + name if "/" in path else name), files.read(full) or "")
        if fault := files.write(full, "".join(self.edited)):
            self.failed = True
            self.text.complain(f"{path}: {fault}" if busybox(self.proc) else f"couldn't open temporary file {path}: {fault}")

    def fetch(self) -> Generator[Any, Any, str | None]:
        line = yield from self.lines.next()
        if line is not None:
            self.number += 1
            self.ended = line.endswith(self.end)
            if self.text.due:
                yield from self.text.sent()
            return line.removesuffix(self.end)
        return None

    def cycles(self) -> Generator[Any, Any, None]:
        again = False
        while True:
            if not again:
                line = yield from self.fetch()
                if line is None:
                    return
                self.pattern = line
                self.replaced = False
            try:
                again = yield from self.cycle()
            except Quit as quit_:
                if quit_.code >= 0:
                    yield from self.finish()
                    raise
                raise Quit(-1 - quit_.code) from None
            if not again:
                yield from self.finish()
            elif self.appended:
                yield from self.flush_appended()

    def finish(self) -> Generator[Any, Any, None]:
        if not self.quiet and self.pattern is not None:
            self.put(self.pattern, self.ended)
        yield from self.flush_appended()

    def flush_appended(self) -> Generator[Any, Any, None]:
        queue, self.appended = self.appended, []
        for kind, what in queue:
            if kind == "text":
                self.put(what.removesuffix("\n"))
            elif kind == "file":
                text = None if what.startswith("/dev/") and what != "/dev/stdin" else self.proc.files.read(self.proc.path(what))
                if what == "/dev/stdin":
                    text = yield from self.proc.read(0)
                if text and self.text.gnu and self.edited is None:
                    self.text.put(("\n" if self.missing else "") + text)
                    self.missing = False
                    continue
                for line in split(text or ""):
                    self.put(line.removesuffix("\n"), line.endswith("\n") or not self.text.gnu)

    def cycle(self) -> Generator[Any, Any, bool]:
        """Runs the script over the pattern space: whether to begin again without reading a line (D)."""
        at, commands = 0, self.commands
        while at < len(commands):
            command = commands[at]
            at += 1
            self.steps += 1
            if self.steps >= STEPS:
                self.steps = 0
                if self.proc.spins():
                    yield from self.proc.breathe()
            if not (yield from self.selected(command)):
                if command.name == "{":
                    at = command.target
                continue
            name = command.name
            if name == "s":
                if self.substitute(command):
                    self.replaced = True
            elif name in "bt":
                if name == "b" or self.replaced:
                    at = command.target
                if name == "t":
                    self.replaced = False
            elif name == "T":
                if not self.replaced:
                    at = command.target
                self.replaced = False
            elif name == "d":
                self.pattern = None
                return False
            elif name == "D":
                head, newline, rest = self.pattern.partition("\n")
                if not newline:
                    self.pattern = None
                    return False
                self.pattern = rest
                return True
            elif name == "c":
                if command.second is None or command.negated or not command.active:
                    self.put(command.text.removesuffix("\n"))
                self.pattern = None
                return False
            elif name in "nN":
                if not (yield from self.more(name)):
                    return False
            else:
                yield from self.simple(command)
        return False

    def more(self, name: str) -> Generator[Any, Any, bool]:
        if (yield from self.lines.last()):
            if name == "n" and not self.text.gnu or name == "N" and not self.text.gnu:
                return False
            raise Quit(0)
        if name == "n" and not self.quiet:
            self.put(self.pattern, self.ended)
        yield from self.flush_appended()
        line = yield from self.fetch()
        self.pattern = line if name == "n" else self.grown(self.pattern, line)
        return True

    def grown(self, one: str, other: str) -> str:
        if len(one) + len(other) > LONGEST_LINE:
            raise OutOfMemory
        return one + self.end + other

    def simple(self, command: Command) -> Generator[Any, Any, None]:
        """The commands that neither jump nor end the cycle."""
        match command.name:
            case "p":
                self.put(self.pattern, self.ended)
            case "P":
                self.put(self.pattern.partition("\n")[0])
            case "h":
                self.hold = self.pattern
            case "H":
                self.hold = self.grown(self.hold, self.pattern)
            case "g":
                self.pattern = self.hold
            case "G":
                self.pattern = self.grown(self.pattern, self.hold)
            case "x":
                self.pattern, self.hold = self.hold, self.pattern
            case "y":
                self.pattern = self.pattern.translate(command.table)
            case "z":
                self.pattern = ""
            case "=":
                self.put(str(self.number))
            case "F":
                self.put(self.text.path)
            case "a":
                self.appended.append(("text", command.text))
            case "i":
                self.put(command.text.removesuffix("\n"))
            case "r":
                self.appended.append(("file", command.text))
            case "R":
                lines = self.readers.get(command.text)
                if lines is None:
                    lines = self.readers[command.text] = Lines(Text(self.proc, [command.text]), "\n")
                    lines.over = not self.proc.files.kind(self.proc.path(command.text))
                line = yield from lines.next()
                if line is not None:
                    self.appended.append(("text", line))
            case "w":
                self.save(command.text, self.pattern)
            case "W":
                self.save(command.text, self.pattern.partition("\n")[0])
            case "l":
                for line in unambiguous(self.pattern, self.width if command.number is None else command.number):
                    self.put(line)
            case "q":
                raise Quit(command.number or 0)
            case "Q":
                raise Quit(-1 - (command.number or 0))

    # which lines

    def selected(self, command: Command) -> Generator[Any, Any, bool]:
        if command.first is None:
            return not command.negated
        if command.second is None:
            return (yield from self.matches(command.first)) != command.negated
        return (yield from self.within(command)) != command.negated

    def matches(self, address: Address) -> Generator[Any, Any, bool]:
        match address.kind:
            case "line":
                return self.number == address.number
            case "last":
                return (yield from self.lines.last())
            case "step":
                if address.other <= 0:
                    return self.number == address.number
                return self.number >= address.number and (self.number - address.number) % address.other == 0
        return self.search(address.regex, self.pattern, 0, False) is not None

    def within(self, command: Command) -> Generator[Any, Any, bool]:
        """A range: it goes on where it was."""
        first, second = command.first, command.second
        if not command.active:
            zero = self.text.gnu and first.kind == "line" and first.number == 0 and not command.until
            if not zero and not (yield from self.matches(first)):
                return False
            command.active, command.until = True, -1
            if second.kind == "line":
                command.active = self.number < second.number
            elif second.kind == "more":
                command.until = self.number + second.number
                command.active = second.number > 0
            elif second.kind == "multiple":
                step = second.number
                command.until = -(-self.number // step) * step if step else self.number
                command.active = command.until > self.number
            elif second.kind == "last":
                command.active = not (yield from self.lines.last())
            elif zero and (yield from self.matches(second)):
                command.active = False
            return True
        if second.kind == "line":
            command.active = self.number < second.number
            if self.number > second.number:
                return (yield from self.matches(first)) if first.kind != "line" else False
            return True
        if second.kind in ("more", "multiple"):
            command.active = self.number < command.until
        elif (yield from self.matches(second)):
            command.active = False
        return True

    def search(self, wanted: regex.Regex | None, text: str, at: int, spans: bool = True) -> list[tuple[int, int]] | None:
        if wanted is None:
            wanted = self.last_regex
            if wanted is None:
                raise BadScript("no previous regexp" if busybox(self.proc) else "-e expression #1, char 0: no previous regular expression")
        self.last_regex = wanted
        found = wanted.search(text, at, spans)
        self.steps += wanted.taken() * STEPS
        return found

    # s

    def substitute(self, command: Command) -> bool:
        text, at, count = self.pattern, 0, 0
        pieces: list[str] = []
        behind, size, before, done = 0, 0, -1, False
        wanted, everywhere = command.number or 1, "g" in command.flags
        while at <= len(text) and (found := self.search(command.regex, text, at)) is not None:
            start, end = found[0]
            if start == end == before:
                at = start + 1
                continue
            count, before = count + 1, end
            if count >= wanted:
                pieces += [text[behind:start], filled(command.parts, text, found)]
                size += len(pieces[-1]) + start - behind
                if size > LONGEST_LINE:
                    raise OutOfMemory
                behind, done = end, True
                if not everywhere:
                    break
            at = end if end > start else end + 1
        self.steps += count // 4
        if not done:
            return False
        pieces.append(text[behind:])
        self.pattern = "".join(pieces)
        if "p" in command.flags:
            self.put(self.pattern, self.ended)
        if command.text:
            self.save(command.text, self.pattern)
        return True
