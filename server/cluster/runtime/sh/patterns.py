"""Shell patterns: ``*``, ``?`` and ``[...]`` against a text, in time that grows with the two lengths and nothing worse.

A pattern comes as (text, quoted) pieces, of which quoted ones are plain characters, and becomes a tuple of tokens. All ends of a match
are found at once by following every possibility together, so nothing is ever tried again.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_14
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

Pieces = Iterable[tuple[str, bool]]
STAR, ANY = "*", "?"
CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": " \\t\\n\\r\\f\\v", "blank": " \\t",
           "punct": "!-/:-@\\[-`{-~", "print": " -~", "graph": "!-~", "cntrl": "\\x00-\\x1f\\x7f", "xdigit": "0-9A-Fa-f"}
MAGIC = re.compile(r"[*?\[]")


def magic(pieces: Pieces) -> bool:
    """Whether there is anything but plain characters; a bracket that nothing closes is one.

    >>> magic([("a*", False)]), magic([("[", False)]), magic([("[a]", False)])
    (True, False, True)
    """
    return any(not quoted and (found := MAGIC.search(text)) is not None and (
        "*" in text or "?" in text or "]" in text[found.start():] or any("]" in after for after, _ in pieces[place + 1:]))
        for place, (text, quoted) in enumerate(pieces))


def plain(pieces: Pieces) -> str:
    """
    >>> plain([("a*", False), ("b", True)])
    'a*b'
    """
    return "".join(text for text, _ in pieces)


@lru_cache(maxsize=1024)
def _class(inside: str) -> Callable[[str], Any]:
    negated = inside[:1] in ("!", "^")
    body = inside[1:] if negated else inside
    out, at = [], 0
    while at < len(body):
        if body.startswith("[:", at) and (end := body.find(":]", at)) > 0:
            out.append(CLASSES.get(body[at + 2:end], ""))
            at = end + 2
        elif at + 2 < len(body) and body[at + 1] == "-":
            low, high = body[at], body[at + 2]
            if low <= high:
                out.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
        else:
            out.append(re.escape(body[at]))
            at += 1
    if not "".join(out):
        return lambda char: negated
    return re.compile(f"[{'^' if negated else ''}{''.join(out)}]", re.S).match


def tokens(pieces: Pieces) -> tuple[Any, ...]:
    """Each is (STAR,), (ANY,), (None, test of a character) or a character."""
    chars = [(char, quoted) for text, quoted in pieces for char in text]
    found: list[Any] = []
    at = 0
    while at < len(chars):
        char, quoted = chars[at]
        at += 1
        if quoted:
            found.append(char)
        elif char == "\\" and at < len(chars):
            found.append(chars[at][0])
            at += 1
        elif char == "*":
            if not found or found[-1] != (STAR,):
                found.append((STAR,))
        elif char == "?":
            found.append((ANY,))
        elif char == "[" and (end := _closing(chars, at)) is not None:
            found.append((None, _class("".join(each for each, _ in chars[at:end]))))
            at = end + 1
        else:
            found.append(char)
    return tuple(found)


def _closing(chars: list[tuple[str, bool]], at: int) -> int | None:
    place = at + 1 if at < len(chars) and chars[at][0] in "!^" else at
    first = place
    while place < len(chars):
        char = chars[place][0]
        if char == "[" and place + 1 < len(chars) and chars[place + 1][0] == ":":
            end = next((each for each in range(place + 2, len(chars) - 1) if chars[each][0] == ":" and chars[each + 1][0] == "]"), None)
            if end is not None:
                place = end + 2
                continue
        if char == "]" and place > first:
            return place
        if char == "/":
            return None
        place += 1
    return None


def ends(pattern: tuple[Any, ...], text: str) -> Iterator[int]:
    """Where a match that begins with the text may end, from the shortest to the longest."""
    size = len(pattern)
    last = 1 << size
    stars = sum(1 << at for at, token in enumerate(pattern) if token == (STAR,))
    masks: dict[str, int] = {}

    def through(states: int) -> int:
        return states | (states & stars) << 1

    states = through(1)
    if states & last:
        yield 0
    for at, char in enumerate(text):
        mask = masks.get(char)
        if mask is None:
            mask = masks[char] = sum(1 << place for place, token in enumerate(pattern) if (
                token == char if isinstance(token, str) else token[0] == ANY or token[0] is None and token[1](char)))
        states = through((states & mask) << 1 | states & stars)
        if not states:
            return
        if states & last:
            yield at + 1


def matches(pattern: tuple[Any, ...], text: str) -> bool:
    """
    >>> matches(tokens([("a*[0-9]", False)]), "abc7"), matches(tokens([("a*", True)]), "abc")
    (True, False)
    """
    if all(isinstance(token, str) for token in pattern):
        return "".join(pattern) == text
    if pattern == ((STAR,),):
        return True
    return max(ends(pattern, text), default=-1) == len(text)


def trimmed(text: str, pattern: tuple[Any, ...], op: str) -> str:
    """``${text OP pattern}`` for #, ##, %, %%.

    >>> trimmed("a/b/c", tokens([("*/", False)]), "##"), trimmed("a.b.c", tokens([(".*", False)]), "%")
    ('c', 'a.b')
    """
    if op[0] == "%":
        return trimmed(text[::-1], tuple(reversed(pattern)), "#" * len(op))[::-1]
    found = ends(pattern, text)
    return text[next(found, 0) if len(op) == 1 else max(found, default=0):]


def replaced(text: str, pattern: tuple[Any, ...], op: str, other: str, most: int) -> str:
    """``${text/pattern/other}``: op is / (first), // (all), /# (at the beginning) or /% (at the end)."""
    if not pattern:
        return text
    if op == "/#":
        found = list(ends(pattern, text))
        return other + text[found[-1]:] if found else text
    if op == "/%":
        found = list(ends(tuple(reversed(pattern)), text[::-1]))
        return text[:len(text) - found[-1]] + other if found else text
    out, at, tried = [], 0, 0
    literal = "".join(pattern) if all(isinstance(token, str) for token in pattern) else ""
    if literal:
        return text.replace(literal, other, 1 if op == "/" else -1)
    while at <= len(text):
        end = max(ends(pattern, text[at:]), default=0)
        tried += len(text) - at
        if tried > most:
            break
        if end:
            out.append(other)
            at += end
            if op == "/":
                break
        else:
            out.append(text[at:at + 1])
            at += 1
    return "".join(out) + text[at:]


def paths(pieces: list[tuple[str, bool]], names: Callable[[str], list[str] | None], kind: Callable[[str], str], most: int) -> list[str]:
    """The paths that match, sorted; ``names(directory)`` lists one ("" is where we are)."""
    segments: list[list[tuple[str, bool]]] = [[]]
    for text, quoted in pieces:
        for place, part in enumerate(text.split("/")):
            if place:
                segments.append([])
            if part:
                segments[-1].append((part, quoted))
    found, at = [""], 0
    if not segments[0] and len(segments) > 1:
        found, at = ["/"], 1
    for place in range(at, len(segments)):
        segment, final = segments[place], place == len(segments) - 1
        following: list[str] = []
        for base in found:
            if not segment:
                if final and kind(base) == "directory":
                    following.append(base)
                elif not final:
                    following.append(base + "/" if not base.endswith("/") else base)
                continue
            if not magic(segment):
                path = base + plain(segment)
                if kind(path):
                    following.append(path if final else path + "/")
                continue
            pattern = tokens(segment)
            hidden = pattern[0] == "."
            listed = names(base) or []
            if hidden:
                listed = [".", "..", *listed]
            for name in listed:
                if name.startswith(".") and not hidden or not matches(pattern, name):
                    continue
                path = base + name
                if final:
                    following.append(path)
                elif kind(path) == "directory":
                    following.append(path + "/")
            if len(following) > most:
                return sorted(following)[:most]
        found = following
    return sorted(found)
