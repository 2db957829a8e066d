"""What chance decides, tried in every way that it may: a choice's options with their shares, and the shares of what they lead to.

In: a walk that asks ``pick`` at each choice. Out: the walk again and again (``turn``), each time with other choices, until all have been
made; ``share`` is how often that combination comes up.
"""

from __future__ import annotations

import random as random_module
from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
Options = Sequence[tuple[T, float]]


class Chance(Protocol):
    """``rate`` is how many such requests a second there are; None for one that is really made."""

    rate: float | None

    def pick(self, options: Options[T]) -> T: ...


class Drawn:
    """One request, decided by lot; ``rate`` is that of the many that it stands for, if it does."""

    def __init__(self, random: random_module.Random, rate: float | None = None) -> None:
        self._random = random
        self.rate = rate

    def pick(self, options: Options[T]) -> T:
        if len(options) == 1:
            return options[0][0]
        left = self._random.random() * sum(share for _, share in options)
        for option, share in options:
            left -= share
            if left < 0:
                return option
        return options[-1][0]


class Branches:
    """Every request of many.

    >>> branches, seen = Branches(10.0), []
    >>> while True:
    ...     seen.append((branches.pick([("a", 1), ("b", 3)]) + branches.pick([("x", 1), ("y", 1)]), branches.share))
    ...     if not branches.turn():
    ...         break
    >>> seen
    [('ax', 0.125), ('ay', 0.125), ('bx', 0.375), ('by', 0.375)]
    """

    def __init__(self, rate: float = 1.0) -> None:
        self.rate: float | None = rate
        self.share = 1.0
        self._taken: list[tuple[int, int]] = []
        self._at = 0

    def pick(self, options: Options[T]) -> T:
        if self._at == len(self._taken):
            self._taken.append((0, len(options)))
        index, _ = self._taken[self._at]
        self._at += 1
        whole = sum(share for _, share in options)
        self.share *= options[index][1] / whole
        return options[index][0]

    def turn(self) -> bool:
        """On to the next combination; False after the last."""
        while self._taken and self._taken[-1][0] + 1 == self._taken[-1][1]:
            self._taken.pop()
        if not self._taken:
            return False
        index, count = self._taken.pop()
        self._taken.append((index + 1, count))
        self._at, self.share = 0, 1.0
        return True
