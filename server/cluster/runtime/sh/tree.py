"""The small tree that a script becomes: what ``parser`` makes and ``interpreter`` walks.

Every command has an ``id``, its number in the unit of text that it was read from, so that a place in a script is plain data: the text of
the unit and a number. The names are those of the grammar.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_10
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Text(NamedTuple):
    """Characters as they stand; ``quoted`` ones are never a pattern."""

    text: str
    quoted: bool = False


class Parameter(NamedTuple):
    """``${name OP word}``; ``index`` is that of an array."""

    name: str
    quoted: bool
    op: str = ""
    word: Word | None = None
    other: Word | None = None
    index: Word | None = None


class Substitution(NamedTuple):
    """``$(text)``; with a ``way`` ("<" or ">") a process substitution."""

    text: str
    quoted: bool
    way: str = ""


class Arithmetic(NamedTuple):
    word: Word
    quoted: bool


class Tilde(NamedTuple):
    user: str


class Word(NamedTuple):
    parts: tuple[Any, ...]

    @property
    def literal(self) -> str | None:
        """Its text, if it is nothing but unquoted characters."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Text) and not self.parts[0].quoted:
            return self.parts[0].text
        return None


class Redirect(NamedTuple):
    """``document`` is the number of a here-document in the unit, -1 for none."""

    fd: int | None
    op: str
    target: Word
    document: int = -1


class Assignment(NamedTuple):
    name: str
    value: Word
    append: bool = False
    index: Word | None = None
    items: tuple[Word, ...] | None = None


class Simple(NamedTuple):
    id: int
    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int


class Pipeline(NamedTuple):
    id: int
    commands: tuple[Any, ...]
    negated: bool
    timed: str = ""


class AndOr(NamedTuple):
    """``rest`` are pairs of "&&" or "||" and a pipeline."""

    id: int
    first: Any
    rest: tuple[tuple[str, Any], ...]


class Sequence(NamedTuple):
    """``items`` are pairs of a command and whether it runs in the background."""

    id: int
    items: tuple[tuple[Any, bool], ...]


class If(NamedTuple):
    id: int
    clauses: tuple[tuple[Any, Any], ...]
    otherwise: Any
    redirects: tuple[Redirect, ...]


class Loop(NamedTuple):
    id: int
    until: bool
    condition: Any
    body: Any
    redirects: tuple[Redirect, ...]


class For(NamedTuple):
    """``words`` None: over the positional parameters."""

    id: int
    name: str
    words: tuple[Word, ...] | None
    body: Any
    redirects: tuple[Redirect, ...]
    line: int


class ForArithmetic(NamedTuple):
    id: int
    parts: tuple[Word, Word, Word]
    body: Any
    redirects: tuple[Redirect, ...]


class Arm(NamedTuple):
    patterns: tuple[Word, ...]
    body: Any
    end: str


class Case(NamedTuple):
    id: int
    word: Word
    arms: tuple[Arm, ...]
    redirects: tuple[Redirect, ...]


class Function(NamedTuple):
    id: int
    name: str
    body: Any


class Subshell(NamedTuple):
    id: int
    body: Any
    redirects: tuple[Redirect, ...]


class Group(NamedTuple):
    id: int
    body: Any
    redirects: tuple[Redirect, ...]


class Compute(NamedTuple):
    """``(( expression ))``."""

    id: int
    word: Word
    redirects: tuple[Redirect, ...]


class Conditional(NamedTuple):
    """``[[ ... ]]``: ``test`` is nested tuples of "!", "&&", "||", a unary or binary operator, and words."""

    id: int
    test: Any
    redirects: tuple[Redirect, ...]


class Unit(NamedTuple):
    """A complete command: what a shell reads before it runs anything of it. ``left`` is how much of what was parsed is behind it, ``line`` where
    it begins; ``open`` tells that a here-document in it lacked its end."""

    text: str
    root: Any
    nodes: tuple[Any, ...]
    documents: tuple[Word, ...]
    left: int
    line: int
    open: bool = False
