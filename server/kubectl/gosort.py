"""Go's sort.Sort: an order that is not stable, yet always the same, so that equal elements stand where kubectl puts them.

In: a list and a key. Out: a new list in the order Go's pattern-defeating quicksort leaves it (Go 1.19 and later). kubectl sorts events
by whole seconds with it, so many are equal. Lists of up to twelve are simply inserted, which is stable.

Source: https://arxiv.org/abs/2106.05123 (Orson Peters, Pattern-defeating Quicksort)

>>> gosort([3, 1, 2], key=lambda n: n)
[1, 2, 3]
>>> gosort(range(100), key=lambda n: -n) == list(range(99, -1, -1))
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from server.kubectl.breath import Breathe, alone

T = TypeVar("T")
INSERTED, NINTHER, SHIFTED, STEPS, ALL_SWAPPED = 12, 50, 50, 5, 12
WORD = (1 << 64) - 1


def gosort(items: Iterable[T], key: Callable[[T], Any], breathe: Breathe = alone) -> list[T]:
    sorter = _Sort([(key(item), item) for item in items], breathe)
    sorter.run()
    return [item for _, item in sorter.data]


class _Sort:
    def __init__(self, data: list[tuple[Any, Any]], breathe: Breathe) -> None:
        self.data = data
        self.breathe = breathe
        self.swaps = 0

    def less(self, i: int, j: int) -> bool:
        return self.data[i][0] < self.data[j][0]

    def swap(self, i: int, j: int) -> None:
        self.data[i], self.data[j] = self.data[j], self.data[i]

    def run(self) -> None:
        self._sort(0, len(self.data), len(self.data).bit_length())

    def _sort(self, a: int, b: int, limit: int) -> None:
        balanced = partitioned = True
        while True:
            length = b - a
            self.breathe()
            if length <= INSERTED:
                return self._insert(a, b)
            if not limit:
                return self._heap(a, b)
            if not balanced:
                self._shuffle(a, b)
                limit -= 1
            pivot, rising, falling = self._pivot(a, b)
            if falling:
                self.data[a:b] = self.data[a:b][::-1]
                pivot, rising = (b - 1) - (pivot - a), True
            if balanced and partitioned and rising and self._nearly_sorted(a, b):
                return None
            if a > 0 and not self.less(a - 1, pivot):
                a = self._partition_equal(a, b, pivot)
                continue
            middle, partitioned = self._partition(a, b, pivot)
            left, right = middle - a, b - middle
            balanced = min(left, right) >= length // 8
            if left < right:
                self._sort(a, middle, limit)
                a = middle + 1
            else:
                self._sort(middle + 1, b, limit)
                b = middle

    def _insert(self, a: int, b: int) -> None:
        for i in range(a + 1, b):
            self._shift_left(i, a)

    def _shift_left(self, j: int, floor: int) -> None:
        while j > floor and self.less(j, j - 1):
            self.swap(j, j - 1)
            j -= 1

    def _heap(self, a: int, b: int) -> None:
        size = b - a
        for root in range((size - 1) // 2, -1, -1):
            self._sift(root, size, a)
        for last in range(size - 1, -1, -1):
            self.swap(a, a + last)
            self._sift(0, last, a)

    def _sift(self, root: int, size: int, first: int) -> None:
        while (child := 2 * root + 1) < size:
            if child + 1 < size and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def _shuffle(self, a: int, b: int) -> None:
        """Three swaps with places drawn by xorshift from the length, to break what made the last partition lopsided."""
        length = state = b - a
        if length < 8:
            return
        mask, at = (1 << length.bit_length()) - 1, a + length // 4 * 2 - 1
        for i in range(3):
            state ^= state << 13 & WORD
            state ^= state >> 7
            state ^= state << 17 & WORD
            other = state & mask
            self.swap(at + i, a + (other - length if other >= length else other))

    def _pivot(self, a: int, b: int) -> tuple[int, bool, bool]:
        """A pivot's place, whether all looked at were rising, whether all were falling."""
        length, self.swaps = b - a, 0
        i, j, k = (a + length // 4 * part for part in (1, 2, 3))
        if length >= NINTHER:
            i, j, k = (self._median(at - 1, at, at + 1) for at in (i, j, k))
        if length >= 8:
            j = self._median(i, j, k)
        return j, not self.swaps, self.swaps == ALL_SWAPPED

    def _median(self, a: int, b: int, c: int) -> int:
        a, b = self._ordered(a, b)
        b, c = self._ordered(b, c)
        a, b = self._ordered(a, b)
        return b

    def _ordered(self, a: int, b: int) -> tuple[int, int]:
        if self.less(b, a):
            self.swaps += 1
            return b, a
        return a, b

    def _nearly_sorted(self, a: int, b: int) -> bool:
        """Mends a few places; True when that was all there was to do."""
        i = a + 1
        for _ in range(STEPS):
            while i < b and not self.less(i, i - 1):
                i += 1
            if i == b:
                return True
            if b - a < SHIFTED:
                return False
            self.swap(i, i - 1)
            if i - a >= 2:
                self._shift_left(i - 1, 0)
            if b - i >= 2:
                j = i + 1
                while j < b and self.less(j, j - 1):
                    self.swap(j, j - 1)
                    j += 1
        return False

    def _partition(self, a: int, b: int, pivot: int) -> tuple[int, bool]:
        """Smaller ones left of the pivot, whose new place is given; True if it was so already."""
        self.swap(a, pivot)
        i, j, clean = a + 1, b - 1, True
        while True:
            while i <= j and self.less(i, a):
                i += 1
            while i <= j and not self.less(j, a):
                j -= 1
            if i > j:
                break
            self.swap(i, j)
            i, j, clean = i + 1, j - 1, False
        self.swap(j, a)
        return j, clean

    def _partition_equal(self, a: int, b: int, pivot: int) -> int:
        """Those equal to the pivot left of the rest, where the rest begins."""
        self.swap(a, pivot)
        i, j = a + 1, b - 1
        while True:
            while i <= j and not self.less(a, i):
                i += 1
            while i <= j and self.less(a, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i, j = i + 1, j - 1
