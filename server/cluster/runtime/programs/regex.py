"""POSIX regular expressions, basic and extended, with GNU's additions (``\\+ \\? \\| \\w \\s \\b \\<``).

``compile`` parses one into a tree. A tree that Python's ``re`` matches alike, and in time, is handed to it; any other is run by
``matcher``, whose time is bounded by the pattern times the line. So no pattern can hang, and alternatives match leftmost-longest.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap09.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from server.cluster.runtime.programs.matcher import Matcher, TooComplex

LONGEST, MOST_REPEATS, MOST_NODES, DEEPEST = 8 * 1024, 32767, 4000, 100
WORK = 4_000_000  # steps of Python's engine, at worst, that one search may cost
CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": " \\t\\n\\r\\f\\v",
           "blank": " \\t", "punct": r"!-/:-@\[-`{-~", "print": " -~", "graph": "!-~", "cntrl": "\\x00-\\x1f\\x7f", "xdigit": "0-9A-Fa-f"}
SHORTHANDS = {"w": "[A-Za-z0-9_]", "W": "[^A-Za-z0-9_]", "s": "[ \\t\\n\\r\\f\\v]", "S": "[^ \\t\\n\\r\\f\\v]"}
ASSERTIONS = {"b": "\\b", "B": "\\B", "<": "\\b(?=\\w)", ">": "\\b(?<=\\w)", "`": "\\A", "'": "\\Z"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
Span = tuple[int, int]


class BadPattern(Exception):
    """``str()`` is the reason in regcomp(3)'s words."""


class Node(NamedTuple):
    """``kind``: one (a character: ``text`` is the fragment for ``re``) | assert | group (number ``low``) | back (number ``low``) | cat |
    alt | repeat (``low`` to ``high``, None without end)."""

    kind: str
    text: str = ""
    parts: tuple[Node, ...] = ()
    low: int = 0
    high: int | None = 0


EMPTY = Node("cat")


class _Parser:
    def __init__(self, pattern: str, extended: bool, escapes: int, multiline: bool) -> None:
        if len(pattern) > LONGEST:
            raise BadPattern("Regular expression too big")
        self.text, self.at = pattern, 0
        self.extended, self.escapes, self.multiline = extended, escapes, multiline
        self.groups = 0
        self.closed: set[int] = set()
        self.nodes = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.alternatives()
        if self.at < len(self.text):
            raise BadPattern("Unmatched ) or \\)")
        return node

    def node(self, *fields: object) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise BadPattern("Regular expression too big")
        return Node(*fields)

    def peek(self, operator: str) -> bool:
        """Whether an operator stands here: ``(`` is ``(`` in an extended and ``\\(`` in a basic expression."""
        return self.text.startswith(operator if self.extended else "\\" + operator, self.at)

    def skip(self) -> None:
        self.at += 1 if self.extended else 2

    def alternatives(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadPattern("Regular expression too big")
        parts = [self.sequence()]
        while self.peek("|"):
            self.skip()
            parts.append(self.sequence())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else self.node("alt", "", tuple(parts))

    def sequence(self) -> Node:
        parts: list[Node] = []
        start = True
        while self.at < len(self.text) and not self.peek("|") and not (self.peek(")") and (self.depth > 1 or self.extended and self.escapes)):
            if self.peek(")") and not self.extended:
                raise BadPattern("Unmatched ) or \\)")
            node = self.atom(start)
            if node is None:
                continue
            anchored = node.kind == "assert" and node.text in ("\\A", "(?m:^)")
            parts.append(self.repeated(node, anchored))
            start = anchored and not self.extended
        return parts[0] if len(parts) == 1 else self.node("cat", "", tuple(parts))

    def atom(self, start: bool) -> Node | None:
        text, at = self.text, self.at
        letter = text[at]
        if self.peek("("):
            return self.group()
        if self.extended and letter == ")" and not self.escapes and self.depth == 1:
            self.at += 1
            return self.node("one", "\\)")
        self.at += 1
        if letter == "\\":
            return self.escaped()
        if letter == "[":
            return self.node("one", self.bracket())
        if letter == ".":
            return self.node("one", ".")
        if letter == "^" and (self.extended or start and not self._after_anchor(at)):
            return self.node("assert", "(?m:^)" if self.multiline else "\\A")
        if letter == "$" and (self.extended or self.at == len(text) or text.startswith(("\\)", "\\|"), self.at)):
            return self.node("assert", "(?m:$)" if self.multiline else "\\Z")
        if self.extended and letter in "*+?" and start:
            if self.escapes:
                raise BadPattern("Invalid preceding regular expression")
            return None
        if self.extended and letter == "{" and start and self._interval():
            raise BadPattern("Invalid preceding regular expression")
        return self.node("one", re.escape(letter))

    def _after_anchor(self, at: int) -> bool:
        return at > 0 and self.text[at - 1] == "^" and (at < 2 or self.text[at - 2] != "\\")

    def group(self) -> Node:
        self.skip()
        self.groups += 1
        number = self.groups
        inner = self.alternatives()
        if not self.peek(")"):
            raise BadPattern("Unmatched ( or \\(")
        self.skip()
        self.closed.add(number)
        return self.node("group", "", (inner,), number)

    def escaped(self) -> Node:
        if self.at >= len(self.text):
            raise BadPattern("Trailing backslash")
        letter = self.text[self.at]
        self.at += 1
        if letter in "123456789":
            if int(letter) not in self.closed:
                raise BadPattern("Invalid back reference")
            return self.node("back", "", (), int(letter))
        if letter in SHORTHANDS:
            return self.node("one", SHORTHANDS[letter])
        if letter in ASSERTIONS:
            return self.node("assert", ASSERTIONS[letter])
        if self.escapes and letter in ESCAPES:
            return self.node("one", re.escape(ESCAPES[letter]))
        if letter == "{" and not self.extended:
            raise BadPattern("Invalid preceding regular expression")
        return self.node("one", re.escape(letter))

    def bracket(self) -> str:
        """A bracket expression, as ``re`` writes it."""
        text = self.text
        negated = text.startswith("^", self.at)
        self.at += negated
        pieces, first = [], True
        while True:
            if self.at >= len(text):
                raise BadPattern("Unmatched [, [^, [:, [., or [=")
            letter = text[self.at]
            if letter == "]" and not first:
                self.at += 1
                break
            first = False
            if text.startswith("[:", self.at):
                end = text.find(":]", self.at + 2)
                if end < 0:
                    raise BadPattern("Unmatched [, [^, [:, [., or [=")
                name = text[self.at + 2:end]
                if name not in CLASSES:
                    raise BadPattern("Invalid character class name")
                pieces.append(CLASSES[name])
                self.at = end + 2
                continue
            low = self._member()
            if text.startswith("-", self.at) and self.at + 1 < len(text) and text[self.at + 1] != "]":
                self.at += 1
                high = self._member()
                if high < low:
                    raise BadPattern("Invalid range end")
                pieces.append(f"{re.escape(low)}-{re.escape(high)}")
            else:
                pieces.append(re.escape(low))
        return f"[{'^' if negated else ''}{''.join(pieces)}]"

    def _member(self) -> str:
        text = self.text
        for mark in (".", "="):
            if text.startswith("[" + mark, self.at):
                end = text.find(mark + "]", self.at + 2)
                if end < 0:
                    raise BadPattern("Unmatched [, [^, [:, [., or [=")
                inner = text[self.at + 2:end]
                if len(inner) != 1:
                    raise BadPattern("Invalid collation character")
                self.at = end + 2
                return inner
        letter = text[self.at]
        self.at += 1
        if letter == "\\" and self.escapes and self.at < len(text) and text[self.at] in ESCAPES:
            letter = ESCAPES[text[self.at]]
            self.at += 1
        elif letter == "\\" and self.escapes == 2 and self.at < len(text):
            letter = text[self.at]
            self.at += 1
        return letter

    def _interval(self) -> re.Match[str] | None:
        return re.compile(r"\{(\d*)(,?)(\d*)\}" if self.extended else r"\\\{(\d*)(,?)(\d*)\\\}").match(self.text, self.at - 1)

    def repeated(self, node: Node, anchored: bool) -> Node:
        text = self.text
        while self.at < len(text):
            letter = text[self.at]
            if anchored and not self.extended:
                return node
            if letter == "*":
                low, high = 0, None
                self.at += 1
            elif self.peek("+") or self.peek("?"):
                low, high = (1, None) if self.peek("+") else (0, 1)
                self.skip()
            elif self.peek("{"):
                self.at += 1
                found = self._interval()
                if found is None and self.extended:
                    self.at -= 1
                    return node
                if found is None:
                    raise BadPattern("Unmatched \\{" if "\\}" not in text[self.at:] else "Invalid content of \\{\\}")
                if not found[1] and not found[2]:
                    raise BadPattern("Invalid content of \\{\\}")
                low = int(found[1] or 0)
                high = int(found[3]) if found[3] else None if found[2] else low
                if high is not None and high < low:
                    raise BadPattern("Invalid content of \\{\\}")
                if max(low, high or 0) > MOST_REPEATS:
                    raise BadPattern("Regular expression too big")
                self.at = found.end()
            else:
                return node
            if node.kind == "assert":
                continue
            node = self.node("repeat", "", (node,), low, high)
        return node


class Regex:
    """A compiled expression. ``steps`` counts the work that its searches have taken, beyond what reading the line takes."""

    def __init__(self, pattern: str, extended: bool = False, ignore_case: bool = False, escapes: int = 0, multiline: bool = False) -> None:
        parser = _Parser(pattern, extended, escapes, multiline)
        self.tree = parser.whole()
        self.groups = parser.groups
        self.steps = 0
        self._flags = re.S | re.A | (re.I if ignore_case else 0)
        self._ambiguous, self._wild = _ambiguous(self.tree), _wild(self.tree)
        self._leading = _leading(self.tree)
        self._unbounded = max(1, _unbounded(self.tree) + (0 if self._leading or _anchored(self.tree) else 1) - _leading(self.tree, -1))
        self._python = re.compile(_written(self.tree), self._flags) if not self._wild else None
        self._own: Matcher | None = None

    def search(self, text: str, at: int = 0, spans: bool = True) -> list[Span] | None:
        """The leftmost longest match from ``at`` on: the places of the whole and of each group ((-1, -1): took no part). Without
        ``spans`` any answer says that there is one. TooComplex."""
        if self._python is not None and not (spans and self._ambiguous) and (len(text) - at + 1) ** self._unbounded <= WORK:
            found = (self._python.match if self._leading else self._python.search)(text, at)
            return None if found is None else list(found.regs)
        if self._own is None:
            self._own = Matcher(self.tree, self.groups, self._flags)
        answer, steps = self._own.search(text, at, spans)
        self.steps += steps
        return answer

    def taken(self) -> int:
        """The work since this was asked last, in the steps that processes are counted by."""
        steps, self.steps = self.steps // 500, self.steps % 500
        return steps


def _written(node: Node) -> str:
    """The tree as ``re`` writes it."""
    match node.kind:
        case "one" | "assert":
            return node.text
        case "back":
            return f"(?:\\{node.low})"
        case "group":
            return f"({_written(node.parts[0])})"
        case "cat":
            return "".join(_written(part) for part in node.parts)
        case "alt":
            return f"(?:{'|'.join(_written(part) for part in node.parts)})"
    return f"(?:{_written(node.parts[0])}){{{node.low},{'' if node.high is None else node.high}}}"


def _single(node: Node) -> bool:
    return node.kind == "one" or node.kind == "group" and _single(node.parts[0])


def _fixed(node: Node) -> bool:
    """Whether all that it matches is of one length, in one way."""
    return node.kind in ("one", "assert") or node.kind in ("group", "cat") and all(_fixed(part) for part in node.parts)


def _first(node: Node) -> frozenset[str] | None:
    """The characters that it can begin with, if they are few and known."""
    if node.kind == "one":
        plain = re.fullmatch(r"\\?(.)", node.text, re.S)
        return frozenset(plain[1]) if plain and node.text != "." else None
    if node.kind == "group" or node.kind == "cat" and node.parts:
        return _first(node.parts[0])
    return None


def _ambiguous(node: Node) -> bool:
    """Whether a first match need not be the longest."""
    if node.kind == "alt":
        firsts = [_first(part) for part in node.parts]
        known = [first for first in firsts if first is not None]
        if len(known) < len(firsts) or len(frozenset().union(*known)) < sum(len(first) for first in known):
            return True
    if node.kind == "repeat" and not _single(node.parts[0]) and not (node.low == node.high and _fixed(node.parts[0])):
        return True
    return any(_ambiguous(part) for part in node.parts)


def _wild(node: Node) -> bool:
    """Whether it repeats what can itself match in many ways: exponential for a matcher that tries them all."""
    if node.kind == "repeat":
        inner = node.parts[0]
        if not _single(inner) and not (_fixed(inner) and node.high is not None and node.high <= 64) and not (
                (node.low, node.high) == (0, 1) and not _wild(inner)):
            return True
    return any(_wild(part) for part in node.parts)


def _unbounded(node: Node) -> int:
    own = node.kind == "repeat" and (node.high is None or node.high > 64) or node.kind == "back"
    return own + sum(_unbounded(part) for part in node.parts)


def _anchored(node: Node) -> bool:
    if node.kind in ("cat", "group"):
        return bool(node.parts) and _anchored(node.parts[0])
    return node.kind == "assert" and node.text == "\\A"


def _leading(node: Node, end: int = 0) -> bool:
    """Whether it begins (``end`` -1: stops) with ``.*``, so that it matches at once or nowhere."""
    if node.kind in ("cat", "group"):
        return bool(node.parts) and _leading(node.parts[end], end)
    return node.kind == "repeat" and node.parts[0].text == "." and not node.low and node.high is None


@lru_cache(maxsize=512)
def compile(pattern: str, extended: bool = False, ignore_case: bool = False, escapes: int = 0, multiline: bool = False) -> Regex:  # noqa: A001
    """``escapes``: 1, \\n, \\t and their like stand for those characters, as in sed; 2, and brackets have escapes, as in awk. BadPattern."""
    return Regex(pattern, extended, ignore_case, escapes, multiline)


def quoted(text: str) -> str:
    """A basic expression that matches this text."""
    return re.sub(r"([.\[\]*^$\\])", r"\\\1", text)


__all__ = ["BadPattern", "Node", "Regex", "TooComplex", "compile", "quoted"]
