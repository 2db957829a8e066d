"""A sed script as a list of commands, each with its addresses and what it works with.

``parse`` reads POSIX's commands and GNU's common ones; what is wrong is told in the words of the flavour.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sed.html and https://www.gnu.org/software/sed/manual/sed.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from server.cluster.runtime.programs import regex

LONGEST, MOST_COMMANDS = 64 * 1024, 2000
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
NO_ADDRESS, ONE_ADDRESS = frozenset(":#}"), {"gnu": frozenset("qQ"), "busybox": frozenset("aiqrQ=") - {"="}}
KNOWN = {"gnu": frozenset("{}abcdDFgGhHilnNpPqQrRstTvwWxyz=:#"), "busybox": frozenset("{}abcdDgGhHilnNpPqrstTwxy=:#") - {"l"}}


class BadScript(Exception):
    """``code`` is sed's exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Address(NamedTuple):
    """``kind``: line | last | regex | step (``number`` ~ ``other``) | more (+N) | multiple (~N). A ``regex`` None is the last one used."""

    kind: str
    number: int = 0
    other: int = 0
    regex: regex.Regex | None = None


class Command:
    """``target`` is where { and b go on; ``text`` a label, a path or lines to print; ``number`` a code or a width."""

    __slots__ = ("name", "first", "second", "negated", "text", "number", "target", "regex", "parts", "flags", "table", "active", "until")

    def __init__(self, name: str) -> None:
        self.name = name
        self.first: Address | None = None
        self.second: Address | None = None
        self.negated = False
        self.text = ""
        self.number: int | None = None
        self.target = 0
        self.regex: regex.Regex | None = None
        self.parts: list[str | int] = []
        self.flags = ""
        self.table: dict[int, str] = {}
        self.active = False
        self.until = 0


class _Parser:
    def __init__(self, script: str, extended: bool, gnu: bool) -> None:
        if len(script) > LONGEST:
            raise BadScript("script too large")
        self.text, self.at = script, 0
        self.extended, self.gnu = extended, gnu
        self.flavour = "gnu" if gnu else "busybox"
        self.commands: list[Command] = []
        self.open: list[int] = []

    def fail(self, gnu: str, busybox: str = "", at: int | None = None) -> BadScript:
        if self.gnu:
            return BadScript(f"-e expression #1, char {self.at if at is None else at}: {gnu}")
        return BadScript(busybox or gnu)

    def whole(self) -> list[Command]:
        text = self.text
        while True:
            self.skip("; \t\n")
            if self.at >= len(text):
                break
            if len(self.commands) >= MOST_COMMANDS:
                raise BadScript("too many commands")
            self.command()
        if self.open:
            raise self.fail("unmatched `{'", "unterminated {", 0)
        labels: dict[str, int] = {}
        for at, command in enumerate(self.commands):
            if command.name == ":":
                labels[command.text] = at
        for command in self.commands:
            if command.name in "btT":
                if command.text and command.text not in labels:
                    left, right = ("`", "'") if self.gnu else ("'", "'")
                    raise BadScript(f"can't find label for jump to {left}{command.text}{right}", 4 if self.gnu else 1)
                command.target = labels[command.text] if command.text else len(self.commands)
        return self.commands

    def skip(self, letters: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in letters:
            self.at += 1

    def take(self) -> str:
        letter = self.text[self.at:self.at + 1]
        self.at += 1
        return letter

    def command(self) -> None:
        text, command = self.text, Command("")
        command.first = self.address()
        if command.first is not None:
            self.skip(" \t")
            if text.startswith(",", self.at):
                self.at += 1
                self.skip(" \t")
                command.second = self.address(second=True)
                if command.second is None:
                    raise self.fail("unexpected `,'", "no address after comma")
        elif text.startswith(",", self.at) and not self.gnu:
            raise BadScript("no address after comma")
        self.skip(" \t")
        while text.startswith("!", self.at):
            if command.negated:
                self.at += 1
                raise self.fail("multiple `!'s", "unsupported command !")
            command.negated = True
            self.at += 1
            self.skip(" \t")
        if self.at >= len(text):
            raise self.fail("missing command", "missing command")
        name = command.name = self.take()
        if name not in KNOWN[self.flavour]:
            raise self.fail(f"unknown command: `{name}'", f"unsupported command {name}")
        if name in NO_ADDRESS and command.first is not None:
            raise self.fail({":": ": doesn't want any addresses", "#": "comments don't accept any addresses"}.get(
                name, "} doesn't want any addresses"))
        if name in ONE_ADDRESS[self.flavour] and command.second is not None:
            raise self.fail("command only uses one address", f"command '{name}' uses only one address")
        zero = command.first is not None and command.first.kind == "line" and command.first.number == 0
        if zero and self.gnu and (command.second is None or command.second.kind != "regex"):
            raise self.fail("invalid usage of line address 0")
        self.rest(command)

    def rest(self, command: Command) -> None:
        """What follows a command's letter."""
        name, text = command.name, self.text
        if name == "#":
            end = text.find("\n", self.at)
            self.at = len(text) if end < 0 else end
            return
        if name == "}":
            if not self.open:
                raise self.fail("unexpected `}'")
            self.commands[self.open.pop()].target = len(self.commands)
            self.ended()
            return
        if name == "{":
            self.open.append(len(self.commands))
        elif name in "aic":
            command.text = self.lines()
        elif name in ":btT":
            command.text = self.label(name)
        elif name in "rRwW":
            self.skip(" \t")
            end = text.find("\n", self.at)
            command.text = text[self.at:len(text) if end < 0 else end]
            if not command.text:
                raise self.fail("missing filename in r/R/w/W commands", "empty filename")
            self.at += len(command.text)
        elif name == "s":
            self.substitution(command)
        elif name == "y":
            self.transliteration(command)
        elif name in "qQlL":
            self.skip(" \t")
            digits = re.compile(r"\d{0,9}").match(text, self.at)[0]
            self.at += len(digits)
            command.number = int(digits) if digits else None
        elif name == "v":
            self.skip(" \t0123456789.")
        self.commands.append(command)
        if name not in "{aic:rRwW":
            self.ended()

    def ended(self) -> None:
        """A command's end: a newline, ``;``, ``}`` or a comment."""
        self.skip(" \t")
        if self.at < len(self.text) and self.text[self.at] not in ";\n}#":
            self.at += 1
            if self.gnu:
                raise self.fail("extra characters after command")
            self.at -= 1

    def label(self, name: str) -> str:
        self.skip(" \t")
        stop = re.compile(r"[\n; ]" if name == ":" or not self.gnu else r"[\n;} ]").search(self.text, self.at)
        end = stop.start() if stop else len(self.text)
        label = self.text[self.at:end].strip()
        self.at = end
        if not label and name == ":":
            raise self.fail("\":\" lacks a label")
        return label

    def lines(self) -> str:
        """The text of a, i and c: from the next line if a backslash ends this one, else from here."""
        text = self.text
        self.skip(" \t")
        if text.startswith("\\", self.at):
            self.at += 1
            place = self.at
            self.skip(" \t")
            if text.startswith("\n", self.at):
                self.at += 1
            else:
                self.at = place
                if self.at >= len(text):
                    raise self.fail("expected \\ after `a', `c' or `i'")
        elif (self.at >= len(text) or text[self.at] == "\n") and self.gnu:
            raise self.fail("expected \\ after `a', `c' or `i'")
        pieces = []
        while self.at < len(text) and text[self.at] != "\n":
            letter = self.take()
            if letter == "\\" and self.at < len(text):
                letter = self.take()
                letter = ESCAPES.get(letter, letter) if letter in "t" else letter
            pieces.append(letter)
        self.at += 1
        return "".join(pieces) + "\n"

    # addresses and expressions

    def address(self, second: bool = False) -> Address | None:
        text = self.text
        found = re.compile(r"(\d{1,18})(?:[ \t]*~[ \t]*(\d{1,18}))?").match(text, self.at)
        if found is not None:
            self.at = found.end() if self.gnu else found.end(1)
            if found[2] is not None and self.gnu:
                return Address("step", int(found[1]), int(found[2]))
            return Address("line", int(found[1]))
        found = re.compile(r"([+~])(\d{1,18})").match(text, self.at) if second else None
        if found is not None:
            self.at = found.end()
            return Address("more" if found[1] == "+" else "multiple", int(found[2]))
        if text.startswith("$", self.at):
            self.at += 1
            return Address("last")
        if text.startswith(("/", "\\"), self.at):
            if self.take() == "\\":
                self.at += 1
            source = self.delimited(text[self.at - 1:self.at], "unterminated address regex")
            flags = ""
            while self.at < len(text) and text[self.at] in "IM":
                flags += self.take()
            return Address("regex", regex=self.compiled(source, "I" in flags, "M" in flags))
        return None

    def delimited(self, mark: str, unterminated: str, replacement: bool = False) -> str:
        """Up to the next unescaped delimiter, outside brackets."""
        text, pieces = self.text, []
        while True:
            if self.at >= len(text) or not mark:
                self.at = len(text)
                raise self.fail(unterminated, f"unmatched '{mark}'")
            letter = self.take()
            if letter == mark:
                return "".join(pieces)
            if letter == "\\" and self.at < len(text):
                following = self.take()
                if following == mark:
                    pieces.append(following if not replacement or mark != "&" else "\\&")
                else:
                    pieces.append(letter + following)
                continue
            if letter == "[" and not replacement:
                found = re.compile(r"\^?\]?(?:\[[:.=].*?[:.=]\]|[^\]])*\]").match(text, self.at)
                if found is None:
                    self.at = len(text)
                    raise self.fail(unterminated, f"unmatched '{mark}'")
                letter += found[0]
                self.at = found.end()
            if letter == "\n" and not replacement and self.gnu:
                raise self.fail(unterminated, f"unmatched '{mark}'")
            pieces.append(letter)

    def compiled(self, source: str, insensitive: bool, multiline: bool = False) -> regex.Regex | None:
        if not source:
            return None
        try:
            return regex.compile(source, self.extended, insensitive, True, multiline)
        except regex.BadPattern as bad:
            raise self.fail(str(bad), f"bad regex '{source}': {bad}") from None

    def substitution(self, command: Command) -> None:
        mark = self.take()
        source = self.delimited(mark, "unterminated `s' command")
        written = self.delimited(mark, "unterminated `s' command", replacement=True)
        text = self.text
        while self.at < len(text) and (letter := text[self.at]) not in ";\n}# \t":
            self.at += 1
            if letter in "gpiIMme":
                if letter in "gp" and letter in command.flags and self.gnu:
                    raise self.fail(f"multiple `{letter}' options to `s' command")
                if letter == "e":
                    raise self.fail("unknown option to `s'", "bad option in substitution expression")
                command.flags += letter
            elif letter.isdigit():
                digits = letter + re.compile(r"\d{0,9}").match(text, self.at)[0]
                self.at += len(digits) - 1
                command.number = int(digits)
                if not command.number and self.gnu:
                    raise self.fail("number option to `s' command may not be zero")
            elif letter == "w":
                self.skip(" \t")
                end = text.find("\n", self.at)
                command.text = text[self.at:len(text) if end < 0 else end]
                self.at += len(command.text)
            else:
                raise self.fail("unknown option to `s'", "bad option in substitution expression")
        command.regex = self.compiled(source, "i" in command.flags.lower(), "M" in command.flags or "m" in command.flags)
        command.parts = self.replacement(written)
        highest = max((part for part in command.parts if isinstance(part, int)), default=0)
        if command.regex is not None and highest > command.regex.groups and self.gnu:
            raise self.fail(f"invalid reference \\{highest} on `s' command's RHS")

    def replacement(self, written: str) -> list[str | int]:
        """Text, numbers of groups, and (GNU) "\\U" "\\L" "\\u" "\\l" "\\E" for what changes the case."""
        parts: list[str | int] = []
        for found in re.finditer(r"\\(.)|&|[^\\&]+|\\", written, re.S):
            letter = found[1]
            if found[0] == "&":
                parts.append(0)
            elif letter is None:
                parts.append(found[0])
            elif letter.isdigit():
                parts.append(int(letter))
            elif letter in "ULulE" and self.gnu:
                parts.append("\\" + letter)
            else:
                parts.append(ESCAPES.get(letter, letter))
        return parts

    def transliteration(self, command: Command) -> None:
        mark = self.take()
        source, target = (self.delimited(mark, "unterminated `y' command", replacement=True) for _ in range(2))
        sides = [[ESCAPES.get(found[1], found[1]) if found[1] else found[0] for found in re.finditer(r"\\(.)|.", side, re.S)]
                 for side in (source, target)]
        if len(sides[0]) != len(sides[1]) and self.gnu:
            raise self.fail("strings for `y' command are different lengths")
        for one, other in zip(*sides, strict=False):
            command.table.setdefault(ord(one), other)


def parse(script: str, extended: bool, gnu: bool) -> list[Command]:
    """BadScript."""
    return _Parser(script, extended, gnu).whole()
