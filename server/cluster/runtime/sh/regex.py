"""``[[ text =~ pattern ]]``: POSIX extended regular expressions, matched in bounded time by the matcher that grep has.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap09.html
"""

from __future__ import annotations

import re

from server.cluster.runtime.sh.state import Trouble

LONGEST = 512


def quoted(text: str) -> str:
    """A pattern that means just this text."""
    return re.sub(r"([.\[\]*^$\\+?(){}|])", r"\\\1", text)


def search(pattern: str, text: str) -> list[str | None] | None:
    """The match and its groups. Trouble for a pattern that cannot be matched."""
    from server.cluster.runtime.programs import regex

    if len(pattern) > LONGEST:
        raise Trouble("regular expression too complex", 2)
    try:
        found = regex.compile(pattern, extended=True).search(text)
    except regex.TooComplex:
        raise Trouble("regular expression too complex", 2) from None
    except regex.BadPattern:
        raise Trouble("", 2) from None
    return None if found is None else [text[start:end] if start >= 0 else None for start, end in found]
