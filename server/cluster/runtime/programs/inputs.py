"""What text programs share: their command line, the files they read (or their standard input), and what they print on the way.

A ``Line`` says which options a program takes, as getopt(3) does; ``tool`` makes a program of it and a body. ``Text`` gives the body the
lines of its operands block by block, so that it holds one block at a time, and sends on what it prints before it waits for more. Two
flavours of words: busybox (with musl's getopt) and GNU.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap12.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.errno import IS_DIRECTORY
from server.cluster.runtime.burners import SPIN
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import MEMORY, OutOfMemory
from server.cluster.runtime.streams import BLOCK, Endless, Fault, FileReader, Given, Null, Stream

HELD = 8 * MEMORY  # characters of input that a program may keep (sort, tac)
LONGEST_LINE = 256 * 1024
PIECE = 16 * 1024
BANNER = "BusyBox v1.36.1 multi-call binary.\n\nUsage: "
PACKAGES = {"grep": "GNU grep 3.8", "egrep": "GNU grep 3.8", "fgrep": "GNU grep 3.8", "sed": "GNU sed 4.8", "diff": "GNU diffutils 3.8",
            "cmp": "GNU diffutils 3.8"}
Run = Generator[Any, Any, int]


class Misuse(Exception):
    """A command line that the program does not take: what it prints of that, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Options(NamedTuple):
    """``given`` in the order of the command line; ``operands`` are the words that are no options."""

    given: list[tuple[str, str]]
    operands: list[str]

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.given)

    def value(self, name: str, default: str = "") -> str:
        """The last value given."""
        return next((value for each, value in reversed(self.given) if each == name), default)

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.given if each == name]

    def last(self, *names: str) -> str:
        """Which of these was given last, "" for none."""
        return next((each for each, _ in reversed(self.given) if each in names), "")


def busybox(proc: Proc) -> bool:
    return proc.machine.kit == "busybox"


class Line(NamedTuple):
    """The options of a program: ``short`` as in getopt, with "+" in front if the first operand ends them; ``long`` names to a letter or
    to a name of their own (with ":" or "::" for a value). ``usage`` is the synopsis, for busybox; ``code`` that of GNU's usage error,
    ``asks`` what stands before its last line; ``small_code`` is that of busybox's."""

    usage: str
    short: str
    gnu: str = ""
    long: dict[str, str] = {}
    code: int = 1
    gnu_usage: str = ""
    asks: str = ""
    small_code: int = 1

    def misuse(self, proc: Proc, reason: str = "", code: int | None = None) -> Misuse:
        """The usage error with its reason, if it has one."""
        name, first = proc.name, f"{proc.name}: {reason}\n" if reason else ""
        if busybox(proc):
            return Misuse(f"{first}{BANNER}{name} {self.usage}\n".rstrip(" \n") + "\n", self.small_code if code is None else code)
        return Misuse(f"{first}{self.asks}Try '{name} --help' for more information.\n", self.code if code is None else code)

    def parse(self, proc: Proc, words: list[str] | None = None) -> Options:
        """Misuse."""
        small = busybox(proc)
        short = self.short if small or not self.gnu else self.gnu
        ordered, short = short.startswith("+"), short.lstrip("+")
        given: list[tuple[str, str]] = []
        operands: list[str] = []
        left = list(proc.args if words is None else words)
        while left:
            word = left.pop(0)
            if word == "--":
                operands += left
                break
            if word.startswith("--"):
                given.append(self._long(proc, word[2:], left, short))
            elif word.startswith("-") and word != "-":
                self._letters(proc, word, left, short, given)
            else:
                operands.append(word)
                if ordered:
                    operands += left
                    break
        return Options(given, operands)

    def _letters(self, proc: Proc, word: str, left: list[str], short: str, given: list[tuple[str, str]]) -> None:
        small, at = busybox(proc), 1
        while at < len(word):
            letter, at = word[at], at + 1
            place = short.find(letter)
            if place < 0 or letter == ":":
                raise self.misuse(proc, f"unrecognized option: {letter}" if small else f"invalid option -- '{letter}'")
            if short[place + 1:place + 2] != ":":
                given.append((letter, ""))
            elif at < len(word) or short[place + 2:place + 3] == ":":
                given.append((letter, word[at:]))
                return
            elif left:
                given.append((letter, left.pop(0)))
            else:
                raise self.misuse(proc, f"option requires an argument: {letter}" if small else f"option requires an argument -- '{letter}'")

    def _long(self, proc: Proc, word: str, left: list[str], short: str) -> tuple[str, str]:
        small = busybox(proc)
        name, equals, value = word.partition("=")
        letters = [each for each, target in self.long.items() if not small or len(target) == 1 or each == "color"]
        found = [each for each in letters if each.startswith(name)]
        if name not in self.long and len({self.long[each] for each in found}) > 1:
            shown = " ".join(f"'--{each}'" for each in found)
            raise self.misuse(proc, f"option is ambiguous: {name}" if small else f"option '--{word}' is ambiguous; possibilities: {shown}")
        if not found and word == "help":
            raise Misuse(BANNER + f"{proc.name} {self.usage}\n" if small else f"Usage: {proc.name} {self.gnu_usage or self.usage}\n", 0)
        if not found and word == "version" and not small:
            raise Misuse(f"{proc.name} ({PACKAGES.get(proc.name, 'GNU coreutils 9.1').rpartition(' ')[0]}) "
                         f"{PACKAGES.get(proc.name, 'GNU coreutils 9.1').rpartition(' ')[2]}\n", 0)
        target = self.long[name if name in found else found[0]] if found else ""
        own = target.rstrip(":")
        if not target or len(own) == 1 and own not in short:
            raise self.misuse(proc, f"unrecognized option: {word}" if small else f"unrecognized option '--{word}'")
        name = name if name in found else found[0]
        spec = short[short.index(own) + 1:short.index(own) + 3] if len(own) == 1 and target == own else target[len(own):]
        wants = "::" if spec.startswith("::") else ":" if spec.startswith(":") else ""
        if equals and not wants:
            raise self.misuse(proc, f"option does not take an argument: {name}" if small else f"option '--{name}' doesn't allow an argument")
        if wants == ":" and not equals:
            if not left:
                raise self.misuse(proc, f"option requires an argument: {name}" if small else f"option '--{name}' requires an argument")
            value = left.pop(0)
        return own, value


def tool(line: Line, body: Callable[[Proc, Options], Run], words: Callable[[list[str]], list[str]] | None = None) -> Callable[[Proc], Run]:
    """A program of its command line and its body. ``words`` rewrites obsolete spellings (``head -5``) first."""

    def run(proc: Proc) -> Run:
        try:
            return (yield from body(proc, line.parse(proc, words(proc.args) if words is not None else None)))
        except Misuse as misuse:
            proc.write(2 if misuse.code else 1, misuse.text)
            return misuse.code

    return run


class Text:
    """The operands of a program, read one after the other, and its output. ``path`` is the one that is read now ("-" standard input),
    ``failed`` whether one could not be. ``opening`` and ``reading`` are how errors are worded ({path}, {fault})."""

    def __init__(self, proc: Proc, paths: list[str] = (), opening: tuple[str, str] = ("{path}: {fault}", "{path}: {fault}"),
                 reading: tuple[str, str] = ("{path}: {fault}", "{path}: {fault}"), separator: str = "\n") -> None:
        self.proc = proc
        self.paths = list(paths) or ["-"]
        self.path = ""
        self.failed = False
        self.held = 0
        self.gnu = not busybox(proc)
        self.opening, self.reading = opening[self.gnu], reading[self.gnu]
        self._next = 0
        self.fd: int | None = None
        self._rest = ""
        self.separator = separator
        self._pieces: list[str] = []
        self._size = 0

    # what it prints

    def put(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)

    @property
    def due(self) -> bool:
        """Whether so much is gathered that it should be ``sent``."""
        return self._size >= PIECE

    def push(self) -> None:
        """Hands what is gathered to the process: it goes out at the next wait."""
        if self._pieces:
            text = "".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self.proc.out(text)

    def sent(self) -> Generator[Any, Any, None]:
        self.push()
        yield from self.proc.flush()

    def complain(self, text: str) -> None:
        """``NAME: TEXT`` among its errors, behind what it has printed before."""
        self.push()
        self.proc.err(f"{self.proc.name}: {text}\n")

    def hold(self, size: int) -> None:
        """It keeps so much more of what it reads. OutOfMemory."""
        self.held += size
        if self.held > HELD:
            raise OutOfMemory

    # what it reads

    def fail(self, path: str, fault: object, opening: bool = True) -> None:
        self.failed = True
        self.complain((self.opening if opening else self.reading).format(path=path, fault=fault))

    def open(self, path: str) -> int | None:
        """A descriptor for an operand; None when there is none, which was complained about."""
        if path == "-":
            return 0
        proc = self.proc
        try:
            if proc.files.kind(proc.path(path)) == "directory":
                self.fail(path, IS_DIRECTORY, opening=False)
                return None
            stream = proc.open(path)
        except Fault as fault:
            self.fail(path, fault)
            return None
        fd = next(number for number in range(3, 1000) if number not in proc.fds)
        proc.fds[fd] = stream.open()
        return fd

    def close(self, fd: int) -> None:
        if fd > 2 and fd in self.proc.fds:
            self.proc.fds.pop(fd).close()

    def next_file(self) -> bool:
        """Goes on to the next operand that can be opened: False if there is none."""
        self.push()
        self.finish_file()
        while self._next < len(self.paths):
            self.path = self.paths[self._next]
            self._next += 1
            self.fd = self.open(self.path)
            if self.fd is not None:
                return True
        return False

    def finish_file(self) -> None:
        """Leaves the rest of the operand unread."""
        if self.fd is not None:
            self.close(self.fd)
        self.fd, self._rest = None, ""

    def read(self, size: int = BLOCK) -> Generator[Any, Any, str]:
        """Some of the operand that is open; "" at its end. A read error is complained about and ends it."""
        if self.fd is None:
            return ""
        self.push()
        proc = self.proc
        try:
            if self._endless(proc.fds.get(self.fd)):
                yield from burn(proc)
            return (yield from proc.read(self.fd, size))
        except Fault as fault:
            self.fail(self.path, fault, opening=False)
            return ""

    def _endless(self, stream: Stream | None) -> bool:
        """Whether it reads without end what nobody sees."""
        if not isinstance(stream, Endless):
            return False
        return type(self.proc.fds.get(1)) is Null

    def lines(self) -> Generator[Any, Any, list[str] | None]:
        """The next whole lines of the operand that is open, each with its newline; None at its end. The last one may lack it."""
        while self.fd is not None:
            text = yield from self.read()
            if not text:
                rest, self._rest = self._rest, ""
                self.finish_file()
                return [rest] if rest else None
            head, newline, tail = text.rpartition(self.separator)
            if not newline:
                self._rest += text
                if len(self._rest) > LONGEST_LINE:
                    raise OutOfMemory
                continue
            whole, self._rest = self._rest + head + newline, tail
            return split(whole, self.separator)
        return None

    def all_lines(self) -> Generator[Any, Any, list[str] | None]:
        """The next lines of all operands; None at the end of the last."""
        while True:
            if self.fd is not None:
                found = yield from self.lines()
                if found is not None:
                    return found
            if not self.next_file():
                return None

    def whole(self) -> Generator[Any, Any, str]:
        """The rest of the operand that is open. OutOfMemory."""
        pieces = []
        while text := (yield from self.read()):
            yield from self.swallowed()
            self.hold(len(text))
            pieces.append(text)
        self.finish_file()
        return "".join(pieces)

    def swallowed(self) -> Generator[Any, Any, None]:
        """It keeps all that it reads; of what never ends that is all the memory there is."""
        if isinstance(self.proc.fds.get(self.fd), Endless):
            if self.proc.burn is None:
                self.proc.compute(SPIN._replace(memory=1 << 60).state(self.proc.system.clock.now))
            yield from self.proc.sleep(float("inf"))

    def give_back(self, text: str) -> None:
        """Leaves what was read too far to the next reader of the same descriptor, where it can be sought."""
        stream = self.proc.fds.get(self.fd) if self.fd is not None else None
        if text and isinstance(stream, (FileReader, Given)):
            stream.at -= len(text)


def split(text: str, separator: str = "\n") -> list[str]:
    """
    >>> split("a\\nb"), split("")
    (['a\\n', 'b'], [])
    """
    parts = text.split(separator)
    last = parts.pop()
    lines = [part + separator for part in parts]
    if last:
        lines.append(last)
    return lines


def burn(proc: Proc) -> Generator[Any, Any, None]:
    """It computes for ever, and nobody sees what: one wait, with a core busy."""
    if proc.burn is None:
        proc.compute(SPIN.state(proc.system.clock.now))
    yield from proc.flush()
    yield from proc.sleep(float("inf"))


def hidden(proc: Proc, fd: int = 1) -> bool:
    """Whether what it prints is seen by nobody."""
    return type(proc.fds.get(fd)) is Null


def data(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def number(word: str, suffixes: dict[str, int] | None = None) -> int | None:
    """A decimal number with a suffix, None for what is none.

    >>> number("2k", {"k": 1024}), number("x")
    (2048, None)
    """
    digits = word.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    factor = 1 if digits == word else (suffixes or {}).get(word[len(digits):])
    if factor is None or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return int(digits) * factor

