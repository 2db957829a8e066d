"""The values of awk: numbers, strings, and strings that look like numbers; how they become each other, compare and are printed.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html#tag_20_06_13_02
"""

from __future__ import annotations

import re
from typing import Any

NUMBER = re.compile(r"[ \t\n\r\f\v]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-](?:inf|nan)\b)", re.A | re.I)
SHAPE = re.compile(r"%(?:([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?(?:hh|h|ll|l|L|q|j|z|t)?([a-zA-Z%])|$)")
WIDEST = 16 * 1024


class Input(str):
    """Text that came from outside: it is a number, too, if it looks like one."""

    __slots__ = ()


class BadFormat(Exception):
    """A printf format that is none."""


UNSET = Input("")
Value = float | str


def number(value: Any) -> float:
    """
    >>> number("12abc"), number(" -1e2"), number("x")
    (12.0, -100.0, 0.0)
    """
    if isinstance(value, float):
        return value
    found = NUMBER.match(value)
    return float(found[1]) if found is not None else 0.0


def is_number(value: Value) -> bool:
    """Whether it counts as a number when it is compared."""
    if isinstance(value, float):
        return True
    if not isinstance(value, Input) or value is UNSET:
        return value is UNSET
    found = NUMBER.match(value)
    return found is not None and not value[found.end():].strip(" \t\n\r\f\v")


def string(value: Any, shape: str = "%.6g") -> str:
    """
    >>> string(3.0), string(0.1), string(1e30)
    ('3', '0.1', '1e+30')
    """
    if isinstance(value, str):
        return value
    if value != value or value in (float("inf"), float("-inf")):
        return ("-" if str(value).startswith("-") else "") + ("nan" if value != value else "inf")
    if value == int(value) and abs(value) < 1e18:
        return str(int(value))
    return formatted(shape, [value])


def truth(value: Value) -> bool:
    if isinstance(value, float):
        return value != 0
    if value is UNSET:
        return False
    return number(value) != 0 if is_number(value) else value != ""


def compared(left: Value, right: Value, shape: str) -> int:
    """-1, 0 or 1; as numbers if both may be."""
    if is_number(left) and is_number(right):
        one: Any = number(left)
        other: Any = number(right)
    else:
        one, other = string(left, shape), string(right, shape)
    return (one > other) - (one < other)


def formatted(shape: str, values: list[Value]) -> str:
    """printf's formatting. BadFormat."""
    left = iter(values)
    given = len(values)
    used = 0

    def following() -> Value:
        nonlocal used
        used += 1
        return next(left, UNSET)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, kind = found.groups()
        if kind is None:
            return "%"
        if kind == "%":
            return "%"
        if width == "*":
            amount = int(number(following()))
            flags, width = (flags + "-", str(-amount)) if amount < 0 else (flags, str(amount))
        if precision == "*":
            precision = str(max(0, int(number(following()))))
        if len(width) > 5 or int(width or 0) > WIDEST or precision and (len(precision) > 5 or int(precision) > WIDEST):
            raise BadFormat("out of memory")
        head = "%" + flags + width
        if kind == "c":
            value = following()
            letter = chr(min(int(value), 0x10FFFF)) if isinstance(value, float) and 0 <= value < 1e9 else str(value)[:1]
            return ("%" + flags.replace("0", "") + width + "s") % letter
        if kind == "s":
            text = string(following())
            return ("%" + flags.replace("0", "").replace("#", "") + width + "s") % (text[:int(precision or 0)] if precision is not None else text)
        value = number(following())
        if kind in "dioxXu":
            if value != value or value in (float("inf"), float("-inf")):
                return ("%" + flags.replace("0", "") + width + "s") % string(value)
            whole = int(value)
            if kind in "oxXu" and whole < 0:
                whole += 1 << 64
            dot = "" if precision is None else f".{precision or 0}"
            if dot:
                flags = flags.replace("0", "")
            return f"%{flags}{width}{dot}{'d' if kind in 'iu' else kind}" % whole if kind != "o" or "#" not in flags else (
                f"%{flags.replace('#', '')}{width}s" % f"0{whole:o}")
        if kind in "eEfFgG":
            return f"{head}{'' if precision is None else f'.{precision or 0}'}{kind}" % value
        if kind in "aA":
            return value.hex()
        raise BadFormat(f"%{kind}" if given else "%")

    return SHAPE.sub(one, shape)
