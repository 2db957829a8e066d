"""Flags of docker and crictl, as cobra and urfave/cli read them: declared as data, read in one place.

In: a command's words and its declared flags. Out: values by long name and what is left; ``Wrong`` in the program's own words.
"""

from __future__ import annotations

from typing import NamedTuple


class Wrong(Exception):
    """The command line is wrong."""


class Flag(NamedTuple):
    """``kind`` is switch, value or list."""

    name: str
    short: str = ""
    kind: str = "switch"


def parse(words: list[str], flags: tuple[Flag, ...], interspersed: bool = True) -> tuple[dict[str, object], list[str]]:
    """(values, arguments).

    >>> parse(["-aq", "--filter=a=b", "x", "--filter", "c"], (Flag("all", "a"), Flag("quiet", "q"), Flag("filter", "f", "list")))
    ({'all': True, 'quiet': True, 'filter': ['a=b', 'c']}, ['x'])
    """
    long = {flag.name: flag for flag in flags}
    short = {flag.short: flag for flag in flags if flag.short}
    given: dict[str, object] = {}
    arguments: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            return given, [*arguments, *words]
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            flag = long.get(name)
            if flag is None:
                raise Wrong(f"unknown flag: --{name}")
            _take(given, flag, f"--{name}", value if equals else None, words)
        elif word.startswith("-") and word != "-":
            letters = word[1:]
            while letters:
                flag, rest = short.get(letters[0]), letters[1:]
                if flag is None:
                    raise Wrong(f"unknown shorthand flag: '{letters[0]}' in {word}")
                if flag.kind == "switch":
                    given[flag.name] = True
                    letters = rest
                else:
                    _take(given, flag, f"'{flag.short}' in {word}", rest.removeprefix("=") if rest else None, words)
                    letters = ""
        else:
            arguments.append(word)
            if not interspersed:
                return given, [*arguments, *words]
    return given, arguments


def _take(given: dict[str, object], flag: Flag, called: str, value: str | None, words: list[str]) -> None:
    if flag.kind == "switch":
        if value not in (None, "true", "false"):
            raise Wrong(f'invalid argument "{value}" for "--{flag.name}" flag: strconv.ParseBool: parsing "{value}": invalid syntax')
        given[flag.name] = value != "false"
        return
    if value is None:
        if not words:
            raise Wrong(f"flag needs an argument: {called}")
        value = words.pop(0)
    if flag.kind == "list":
        given.setdefault(flag.name, []).append(value)
    else:
        given[flag.name] = value
