"""Regular expressions that users give, made safe to try: a pattern in, what may be matched with it and how long a text may be out.

Python's engine tries one way after another, so a pattern can take longer than anybody waits. Here a part that repeats may hold neither a
choice nor another repetition, and the more there is to try, the shorter the text; what is left takes ``MOST_STEPS`` at the most. One request
may meet many patterns: its ``Trials`` end when all together have taken so many. What would hide a repetition from who reads a pattern
(comments, the verbose syntax) is refused, and what takes long to compile: sets of more letters than ASCII has.

>>> compiled("/api(/|$)(.*)").regex.match("/API/x")[2], compiled("/(a+)+$"), compiled("(?x)/(a+) +$")
('x', None, None)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LONGEST_PATTERN, LONGEST_SUBJECT, SHORTEST_SUBJECT = 512, 8192, 50
MOST_STEPS = 300_000  # each choice doubles them, each repetition multiplies them by the text's length
MOST_STEPS_TOGETHER = 2_000_000
MOST_TOGETHER, LONGEST_TOGETHER = 128, 8192  # patterns of one place, of which a request meets all, and their letters: compiling takes time


class Compiled(NamedTuple):
    """``longest`` is the longest text that it may be held against."""

    regex: re.Pattern[str]
    longest: int
    repeats: int
    choices: int


def compiled(pattern: str, flags: int = re.IGNORECASE) -> Compiled | None:
    """None for a pattern that might take for ever, or is none."""
    return _compiled(pattern, flags) if len(pattern) <= LONGEST_PATTERN else None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, flags: int) -> Compiled | None:
    variety = _variety(pattern) if pattern.isascii() and not _REFUSED.search(pattern) else None
    if variety is None:
        return None
    repeats, choices = variety
    longest = min(LONGEST_SUBJECT, int((MOST_STEPS / 2 ** choices) ** (1 / max(1, repeats))))
    if longest < SHORTEST_SUBJECT:
        return None
    try:
        return Compiled(re.compile(pattern, flags), longest, repeats, choices)
    except (re.error, OverflowError, RecursionError):
        return None


class Trials:
    """All that one request is held against."""

    def __init__(self) -> None:
        self._left = MOST_STEPS_TOGETHER

    def match(self, pattern: str, text: str, flags: int = re.IGNORECASE) -> re.Match[str] | None:
        """How a text begins with a pattern; None also where that is not tried."""
        known = compiled(pattern, flags)
        if known is None or len(text) > known.longest:
            return None
        self._left -= 2 ** known.choices * max(1, len(text)) ** known.repeats
        return known.regex.match(text) if self._left >= 0 else None


_REFUSED = re.compile(r"\(\?(?:#|P=|[aiLmsu-]*x)|\\[uUN]")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^)a-zA-Z]?)?|\)|[*+?|]|\{\d*,?\d*\}|.", re.DOTALL)


def _variety(pattern: str) -> tuple[int, int] | None:
    """How many parts of a pattern repeat, one that refers to another among them, and how many choices it has; None where a repeated part has
    either, so that trying could take for ever.

    >>> _variety("/api(/|$)(.*)"), _variety("/(a+)+$"), _variety("/(a|ab)*"), _variety(r"/v\\d+/(.*)/[a-z*]+"), _variety("(a?){50}")
    ((1, 1), None, None, (3, 0), None)
    """
    repeats = choices = 0
    groups, closed = [False], False
    for token in _TOKEN.findall(pattern):
        if token in ("*", "+") or token.startswith("{") and token.endswith("}"):
            if closed:
                return None
            repeats += 1
            groups = [True] * len(groups)
        elif token in ("|", "?"):
            choices += 1
            groups = [True] * len(groups)
        elif token[0] == "\\" and token[1:].isdigit():
            repeats += 1
            groups = [True] * len(groups)
        if token == ")":
            closed = groups.pop() if len(groups) > 1 else False
        else:
            closed = False
            if token.startswith("("):
                groups.append(False)
    return repeats, choices
