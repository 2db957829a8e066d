"""Command-line flags with pflag's and cobra's behaviour.

In: a table of `Flag` declarations and the words of a command line. Out: `Flags`, the values with attribute access and
`changed()`, plus the remaining arguments and where `--` stood. It exists because what students mistype must fail with
the words kubectl fails with; a declaration is data, so help and completion read the same table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from server.kubectl.errors import CommandError

_DURATION_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_INT_BITS = {"int": 64, "int64": 64, "int32": 32, "uint16": 16}


@dataclass(frozen=True)
class Flag:
    """One flag. `kind` is inferred from the default: bool, int, string, slice (list); give it for duration, array, count."""

    name: str
    short: str = ""
    default: object = ""
    usage: str = ""
    kind: str = ""
    no_value: str | None = None
    required: bool = False
    deprecated: str = ""
    hidden: bool = False

    @property
    def type(self) -> str:
        if self.kind:
            return self.kind
        if isinstance(self.default, bool):
            return "bool"
        if isinstance(self.default, int):
            return "int"
        return "slice" if isinstance(self.default, list | tuple) else "string"

    @property
    def value_when_bare(self) -> str | None:
        """What the flag means without a value (pflag's NoOptDefVal), or None when it takes one."""
        if self.no_value is not None:
            return self.no_value
        return {"bool": "true", "count": "+1"}.get(self.type)

    @property
    def attribute(self) -> str:
        return self.name.replace("-", "_")


class Flags:
    """Values by name; `flags.dry_run`, `flags["dry-run"]`, `flags.changed("dry-run")`, `flags.dash` (args before `--`)."""

    def __init__(self, declared: Iterable[Flag]):
        self._declared = {flag.name: flag for flag in declared}
        self._by_short = {flag.short: flag for flag in self._declared.values() if flag.short}
        self._values = {name: _initial(flag) for name, flag in self._declared.items()}
        self._attributes = {flag.attribute: name for name, flag in self._declared.items()}
        self._changed: list[str] = []
        self.dash: int | None = None

    def __getattr__(self, attribute: str):
        try:
            return self._values[self._attributes[attribute]]
        except KeyError:
            raise AttributeError(attribute) from None

    def __getitem__(self, name: str):
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[Flag]:
        return iter(self._declared.values())

    def get(self, name: str, default=None):
        return self._values.get(name, default)

    def changed(self, name: str) -> bool:
        return name in self._changed

    def lookup(self, name: str) -> Flag | None:
        return self._declared.get(name)

    def lookup_short(self, short: str) -> Flag | None:
        return self._by_short.get(short)

    def set(self, flag: Flag, text: str) -> None:
        try:
            value = _parse(flag, text)
        except ValueError as problem:
            shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
            raise FlagError(f"invalid argument {quoted(text)} for {quoted(shown)} flag: {problem}") from None
        first = flag.name not in self._changed
        current = self._values[flag.name]
        if flag.type in ("slice", "array"):
            value = value if first else current + value
        elif flag.type == "map":
            value = value if first else {**current, **value}
        elif flag.type == "count":
            value = current + 1 if text == "+1" else value
        self._values[flag.name] = value
        if first:
            self._changed.append(flag.name)

    def parse(self, words: list[str], interspersed: bool = True) -> list[str]:
        """Set values from the words; return the arguments."""
        arguments: list[str] = []
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            if len(word) < 2 or word[0] != "-":
                if not interspersed:
                    return arguments + words[position - 1 :]
                arguments.append(word)
            elif word == "--":
                self.dash = len(arguments)
                return arguments + words[position:]
            elif word.startswith("--"):
                position = self._long(word, words, position)
            else:
                position = self._short(word, words, position)
        return arguments

    def _long(self, word: str, words: list[str], position: int) -> int:
        name, equals, value = word[2:].partition("=")
        if not name or name[0] == "-":
            raise FlagError(f"bad flag syntax: {word}")
        flag = self._declared.get(name)
        if flag is None:
            if name == "help":
                raise HelpRequested
            raise FlagError(f"unknown flag: --{name}")
        if equals:
            self.set(flag, value)
        elif flag.value_when_bare is not None:
            self.set(flag, flag.value_when_bare)
        elif position < len(words):
            self.set(flag, words[position])
            position += 1
        else:
            raise FlagError(f"flag needs an argument: --{name}")
        return position

    def _short(self, word: str, words: list[str], position: int) -> int:
        letters = word[1:]
        while letters:
            letter, rest = letters[0], letters[1:]
            flag = self._by_short.get(letter)
            if flag is None:
                if letter == "h":
                    raise HelpRequested
                raise FlagError(f"unknown shorthand flag: '{letter}' in -{letters}")
            if len(letters) > 2 and rest[0] == "=":
                self.set(flag, rest[1:])
                return position
            if flag.value_when_bare is not None:
                self.set(flag, flag.value_when_bare)
                letters = rest
                continue
            if rest:
                self.set(flag, rest)
                return position
            if position < len(words):
                self.set(flag, words[position])
                return position + 1
            raise FlagError(f"flag needs an argument: '{letter}' in -{letters}")
        return position


class FlagError(CommandError):
    """A flag that cannot be parsed; main adds the pointer to --help."""


class HelpRequested(Exception):
    """-h or --help stood on the command line."""


def quoted(text: str) -> str:
    """Go's %q for the texts that occur here."""
    return json.dumps(text, ensure_ascii=False)


def parse_duration(text: str) -> float:
    """Go's time.ParseDuration, in seconds."""
    sign, rest = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    total = 0.0
    while rest:
        match = re.match(r"(\d+\.?\d*|\.\d+)([^\d.]*)", rest)
        if not match:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        number, unit = match.groups()
        if not unit:
            raise ValueError(f"time: missing unit in duration {quoted(text)}")
        if unit not in _DURATION_UNITS:
            raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
        total += float(number) * _DURATION_UNITS[unit]
        rest = rest[match.end() :]
    return sign * total


def format_duration(seconds: float) -> str:
    """Go's Duration.String()."""
    if not seconds:
        return "0s"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 1:
        for unit, scale in (("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
            if seconds * scale >= 1:
                return f"{sign}{_trimmed(seconds * scale)}{unit}"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    if hours or minutes:
        text += f"{int(minutes)}m"
    return f"{sign}{text}{_trimmed(rest)}s"


def _trimmed(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")


def _initial(flag: Flag):
    if isinstance(flag.default, list | tuple):
        return list(flag.default)
    if isinstance(flag.default, dict):
        return dict(flag.default)
    return flag.default


def _parse(flag: Flag, text: str):
    kind = flag.type
    if kind == "bool":
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise ValueError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")
    if kind in _INT_BITS:
        return parse_int(text, _INT_BITS[kind])
    if kind == "count":
        return text if text == "+1" else parse_int(text, 64)
    if kind == "duration":
        return parse_duration(text)
    if kind == "slice":
        return text.split(",") if text else []
    if kind == "array":
        return [text]
    if kind == "map":
        return _parse_map(text)
    return text


def parse_int(text: str, bits: int = 64) -> int:
    """Go's strconv.ParseInt with base 0."""
    if not re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[1-9][0-9_]*|0)", text):
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    digits = re.sub(r"^([+-]?)0([0-7_]+)$", r"\g<1>0o\2", text)
    number = int(digits, 0)
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise ValueError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return number


def _parse_map(text: str) -> dict[str, str]:
    pairs = {}
    for part in text.split(",") if text else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part} must be formatted as key=value")
        pairs[key] = value
    return pairs
