"""``tail``: the end of a file, and what is written to it afterwards.

``asked(argv)`` is what its words ask for, None for what is not simulated; following is the shell's.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/tail.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

LINES = 10


class Asked(NamedTuple):
    """``count`` lines (or, with ``characters``, characters) from the end, or (``onward``) from that one on; ``retry``: the file may
    come later."""

    path: str
    follow: bool = False
    retry: bool = False
    count: int = LINES
    onward: bool = False
    characters: bool = False


def asked(argv: list[str]) -> Asked | None:
    """
    >>> asked(["tail", "-n+1", "-F", "/var/log/1.log"])
    Asked(path='/var/log/1.log', follow=True, retry=True, count=1, onward=True, characters=False)
    """
    found, paths, words = Asked(""), [], list(argv[1:])
    while words:
        word = words.pop(0)
        if word in ("-n", "-c", "--lines", "--bytes") and words:
            word = f"{'-n' if word in ('-n', '--lines') else '-c'}{words.pop(0)}"
        long = re.fullmatch(r"--(lines|bytes)=(.+)", word)
        if long is not None:
            word = f"-{'n' if long[1] == 'lines' else 'c'}{long[2]}"
        number = re.fullmatch(r"-(f|F)?(n|c)?([+-]?)(\d{1,9})(f|F)?", word)
        if number is not None:
            found = found._replace(count=int(number[4]), onward=number[3] == "+", characters=number[2] == "c",
                                   follow=found.follow or bool(number[1] or number[5]), retry=found.retry or "F" in (number[1], number[5]))
        elif word in ("-f", "-F", "--follow", "--follow=name", "--retry", "-q"):
            found = found._replace(follow=found.follow or word not in ("--retry", "-q"),
                                   retry=found.retry or word in ("-F", "--retry", "--follow=name"))
        elif word.startswith("-"):
            return None
        else:
            paths.append(word)
    return found._replace(path=paths[0]) if len(paths) == 1 else None


def last(text: str, what: Asked) -> str:
    """
    >>> last("a\\nb\\nc\\n", Asked("f", count=2)), last("a\\nb\\nc\\n", Asked("f", count=2, onward=True))
    ('b\\nc\\n', 'b\\nc\\n')
    """
    parts = list(text) if what.characters else text.splitlines(keepends=True)
    if what.onward:
        return "".join(parts[max(0, what.count - 1):])
    return "".join(parts[-what.count:]) if what.count else ""


def missing(path: str) -> str:
    return f"tail: can't open '{path}': No such file or directory\n"
