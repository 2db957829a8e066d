"""The one thing that perl is asked for in Kubernetes' own example of a Job: ``perl -Mbignum=bpi -wle "print bpi(2000)"``.

In: the words of a command. Out: the number's text and about how long perl takes for it; everything else perl can do is not simulated.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#running-an-example-job
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

PRINT = re.compile(r"\s*print\s+bpi\s*\((\d{1,4})\)\s*;?\s*")
FLAGS = re.compile("-[a-zA-Z]*e")
MOST_DIGITS = 4000
GUARD = 10


class Answer(NamedTuple):
    text: str
    seconds: float


def answer(argv: list[str]) -> Answer | None:
    """None if the command is another one."""
    flags = next((word for word in argv[1:] if FLAGS.fullmatch(word)), None)
    if flags is None or "-Mbignum=bpi" not in argv or argv[-2:-1] != [flags]:
        return None
    found = PRINT.fullmatch(argv[-1])
    if found is None or not 1 <= int(found[1]) <= MOST_DIGITS:
        return None
    digits = int(found[1])
    return Answer(pi(digits) + ("\n" if "l" in flags else ""), 1.0 + (digits / 1000) ** 2)


@lru_cache(maxsize=16)
def pi(digits: int) -> str:
    """Pi, rounded to so many digits, by Machin's formula.

    >>> pi(5), pi(1), pi(10)
    ('3.1416', '3', '3.141592654')
    """
    unit = 10 ** (digits - 1 + GUARD)
    exact = 4 * (4 * _arc_tangent(5, unit) - _arc_tangent(239, unit))
    rounded = str((exact + 10**GUARD // 2) // 10**GUARD)
    return f"{rounded[0]}.{rounded[1:]}" if digits > 1 else rounded


def _arc_tangent(inverse: int, unit: int) -> int:
    """arctan(1/inverse), in units."""
    term = unit // inverse
    total, sign, divisor = term, -1, 3
    while term:
        term //= inverse * inverse
        total += sign * (term // divisor)
        sign, divisor = -sign, divisor + 2
    return total
