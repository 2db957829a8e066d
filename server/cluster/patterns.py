"""Regular expressions that users give, made safe to try: a pattern in, what may be matched with it and how long a text may be out.

Python's engine tries one way after another, so a pattern can take longer than anybody waits. Here a part that repeats may hold neither a
choice nor another repetition, and the more there is to try, the shorter the text; what is left takes ``MOST_STEPS`` at the most.

>>> compiled("/api(/|$)(.*)")[0].match("/API/x")[2], compiled("/(a+)+$")
('x', None)
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_PATTERN, LONGEST_SUBJECT, SHORTEST_SUBJECT = 512, 8192, 50
MOST_STEPS = 300_000  # each choice doubles them, each repetition multiplies them by the text's length


@lru_cache(maxsize=1024)
def compiled(pattern: str, flags: int = re.IGNORECASE) -> tuple[re.Pattern[str], int] | None:
    """The regular expression and the longest text that it may be held against; None for one that might take for ever, or is none."""
    variety = _variety(pattern)
    if variety is None or len(pattern) > LONGEST_PATTERN:
        return None
    repeats, choices = variety
    longest = min(LONGEST_SUBJECT, int((MOST_STEPS / 2 ** choices) ** (1 / max(1, repeats))))
    if longest < SHORTEST_SUBJECT:
        return None
    try:
        return re.compile(pattern, flags), longest
    except (re.error, OverflowError, RecursionError):
        return None


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^)a-zA-Z]?)?|\)|[*+?|]|\{\d*,?\d*\}|.", re.DOTALL)


def _variety(pattern: str) -> tuple[int, int] | None:
    """How many parts of a pattern repeat, and how many choices it has; None where a repeated part has either, so that trying could take
    for ever.

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
        if token == ")":
            closed = groups.pop() if len(groups) > 1 else False
        else:
            closed = False
            if token.startswith("("):
                groups.append(False)
    return repeats, choices
