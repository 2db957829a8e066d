"""A matcher of regular expressions whose time is bounded: each place of the pattern is tried at each place of the text once.

The tree of ``regex`` becomes a list of instructions; a depth-first search with a table of what was tried runs it. It goes on after the
first match to find the longest. With back-references a place may be worth a second visit, so there the steps are bounded instead.

Source: https://swtch.com/~rsc/regexp/regexp3.html (a bounded backtracker)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.cluster.runtime.programs.regex import Node, Span

MOST_INSTRUCTIONS, MOST_STEPS, LARGEST_TABLE = 20_000, 100_000, 32 * 1024 * 1024
ONE, ASSERT, BACK, SAVE, SPLIT, JUMP, MATCH = range(7)


class TooComplex(Exception):
    """The expression takes too long on this text."""


class Matcher:
    def __init__(self, tree: Node, groups: int, flags: int) -> None:
        self.groups = groups
        self._flags = flags
        self._code: list[tuple] = []
        self._back = False
        self._known: dict[str, dict[str, bool]] = {}
        self._emit(tree)
        self._code.append((MATCH,))
        first = _firsts(tree)
        self._start = re.compile("|".join(sorted(first)), flags) if first else None

    def _add(self, *instruction: object) -> int:
        if len(self._code) >= MOST_INSTRUCTIONS:
            raise TooComplex
        self._code.append(instruction)
        return len(self._code) - 1

    def _emit(self, node: Node) -> None:
        code = self._code
        match node.kind:
            case "one":
                self._add(ONE, re.compile(node.text, self._flags).match, self._known.setdefault(node.text, {}))
            case "assert":
                self._add(ASSERT, re.compile(node.text, self._flags).match)
            case "back":
                self._back = True
                self._add(BACK, node.low)
            case "group":
                self._add(SAVE, 2 * node.low)
                self._emit(node.parts[0])
                self._add(SAVE, 2 * node.low + 1)
            case "cat":
                for part in node.parts:
                    self._emit(part)
            case "alt":
                ends = []
                for part in node.parts[:-1]:
                    fork = self._add(SPLIT, 0, 0)
                    self._emit(part)
                    ends.append(self._add(JUMP, 0))
                    code[fork] = (SPLIT, fork + 1, len(code))
                self._emit(node.parts[-1])
                for end in ends:
                    code[end] = (JUMP, len(code))
            case "repeat":
                self._repeat(node)

    def _repeat(self, node: Node) -> None:
        code, inner = self._code, node.parts[0]
        for _ in range(node.low):
            self._emit(inner)
        if node.high is None:
            fork = self._add(SPLIT, 0, 0)
            self._emit(inner)
            self._add(JUMP, fork)
            code[fork] = (SPLIT, fork + 1, len(code))
            return
        forks = []
        for _ in range(node.high - node.low):
            forks.append(self._add(SPLIT, 0, 0))
            self._emit(inner)
        for fork in forks:
            code[fork] = (SPLIT, fork + 1, len(code))

    def search(self, text: str, at: int, spans: bool) -> tuple[list[Span] | None, int]:
        """(the places of the match and its groups, or None; the steps it took). TooComplex."""
        width = len(text) + 1
        if width * len(self._code) > LARGEST_TABLE:
            raise TooComplex
        seen = None if self._back else bytearray(width * len(self._code))
        steps, start = 0, at
        while start < width:
            if self._start is not None:
                found = self._start.search(text, start)
                if found is None:
                    break
                start = found.start()
            best, took = self._from(text, start, seen, steps, spans)
            steps = took
            if best is not None:
                return [(best[at], best[at + 1]) if best[at + 1] >= 0 else (-1, -1) for at in range(0, 2 * self.groups + 2, 2)], steps
            start += 1
        return None, steps

    def _from(self, text: str, start: int, seen: bytearray | None, steps: int, spans: bool) -> tuple[tuple[int, ...] | None, int]:
        code, width, size = self._code, len(text) + 1, len(text)
        best: tuple[int, ...] | None = None
        saved = (start, -1) + (-1, -1) * self.groups
        stack: list[tuple[int, int, tuple[int, ...]]] = [(0, start, saved)]
        while stack:
            place, at, saved = stack.pop()
            while True:
                steps += 1
                if seen is not None:
                    cell = place * width + at
                    if seen[cell]:
                        break
                    seen[cell] = 1
                if steps > MOST_STEPS or len(stack) > MOST_STEPS // 10:
                    raise TooComplex
                instruction = code[place]
                kind = instruction[0]
                if kind == ONE:
                    if at >= size:
                        break
                    known = instruction[2].get(text[at])
                    if known is None:
                        known = instruction[2][text[at]] = instruction[1](text[at]) is not None
                    if not known:
                        break
                    place, at = place + 1, at + 1
                elif kind == SPLIT:
                    stack.append((instruction[2], at, saved))
                    place = instruction[1]
                elif kind == JUMP:
                    place = instruction[1]
                elif kind == SAVE:
                    slot = instruction[1]
                    saved = saved[:slot] + (at,) + saved[slot + 1:]
                    place += 1
                elif kind == ASSERT:
                    if instruction[1](text, at) is None:
                        break
                    place += 1
                elif kind == BACK:
                    low, high = saved[2 * instruction[1]:2 * instruction[1] + 2]
                    if high < 0 or not self._same(text[low:high], text[at:at + high - low]):
                        break
                    place, at = place + 1, at + high - low
                else:
                    if best is None or at > best[1]:
                        best = (saved[0], at) + saved[2:]
                    if not spans or at == size:
                        return best, steps
                    break
        return best, steps

    def _same(self, one: str, other: str) -> bool:
        return one == other or bool(self._flags & re.I) and one.lower() == other.lower()


def _firsts(node: Node) -> set[str] | None:
    """The fragments that a match can begin with; None if that may be anything."""
    if node.kind == "one":
        return {node.text}
    if node.kind == "group":
        return _firsts(node.parts[0])
    if node.kind == "cat":
        return next((_firsts(part) for part in node.parts if part.kind != "assert"), None)
    if node.kind == "alt":
        found = [_firsts(part) for part in node.parts]
        return None if any(each is None for each in found) else set().union(*found)
    return _firsts(node.parts[0]) if node.kind == "repeat" and node.low else None
