"""What awk's operators and built-in functions do with values that are there.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html#tag_20_06_13_12
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from server.cluster.runtime.program import OutOfMemory
from server.cluster.runtime.programs.awk.machine import AwkError, Machine
from server.cluster.runtime.programs.awk.values import BadFormat, Value, formatted, number, string
from server.cluster.runtime.programs.inputs import LONGEST_LINE

MASK = (1 << 53) - 1


def key(machine: Machine, value: Any) -> str:
    if isinstance(value, dict):
        raise AwkError("attempt to use array in a scalar context")
    return string(value, machine.vars["CONVFMT"])


def arithmetic(operator: str, one: float, other: float, gnu: bool) -> float:
    try:
        if operator == "+":
            return one + other
        if operator == "-":
            return one - other
        if operator == "*":
            return one * other
        if operator == "/":
            if not other and gnu:
                return math.nan if not one or one != one else math.copysign(math.inf, one)
            if not other:
                raise AwkError("Division by zero")
            return one / other
        if operator == "%":
            if not other and gnu:
                return math.nan
            if not other:
                raise AwkError("Division by zero")
            return math.fmod(one, other)
        return math.pow(one, other)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def substituted(machine: Machine, pattern: Any, replacement: str, text: str, everywhere: bool) -> tuple[str, int]:
    parts, at = [], 0
    while at < len(replacement):
        letter = replacement[at]
        if letter == "\\" and replacement[at + 1:at + 2] in ("&", "\\"):
            parts.append(replacement[at + 1])
            at += 2
            continue
        parts.append(None if letter == "&" else letter)
        at += 1
    plain = "".join(parts) if None not in parts else None
    pieces, behind, at, before, count, size = [], 0, 0, -1, 0, 0
    while at <= len(text) and (found := machine.search(pattern, text, at)) is not None:
        start, end = found[0]
        if start == end == before:
            at = start + 1
            continue
        count, before = count + 1, end
        piece = plain if plain is not None else "".join(text[start:end] if part is None else part for part in parts)
        pieces += [text[behind:start], piece]
        size += len(piece) + start - behind
        if size > LONGEST_LINE:
            raise OutOfMemory
        behind = end
        at = end if end > start else end + 1
        if not everywhere:
            break
    machine.steps += count // 4
    return "".join(pieces) + text[behind:], count


def _substr(machine: Machine, value: Value, start: Value, length: Value | None = None) -> str:
    text, first = string(value, machine.vars["CONVFMT"]), number(start)
    begin = round(first) if math.isfinite(first) else 0
    if not machine.gnu:
        begin = max(1, begin)
    if length is None:
        return text[max(0, begin - 1):]
    amount = number(length)
    if amount != amount or amount <= 0 and begin > 0:
        return ""
    end = begin + round(amount) if math.isfinite(amount) else len(text) + 1
    return text[max(0, begin - 1):max(0, end - 1)]


def _sprintf(machine: Machine, shape: Value, *values: Value) -> str:
    try:
        text = formatted(string(shape), list(values))
    except BadFormat as bad:
        raise AwkError(f"bad format: {bad}") from None
    if len(text) > LONGEST_LINE:
        raise OutOfMemory
    return text


def _srand(machine: Machine, *values: Value) -> float:
    before = machine.seed
    machine.seed = number(values[0]) if values else float(int(machine.proc.machine.time().timestamp()))
    machine.chance = random.Random(machine.seed)  # noqa: S311
    return before


def _time(machine: Machine, value: Value | None) -> datetime:
    moment = machine.proc.machine.time() if value is None else None
    try:
        return moment if moment is not None else datetime.fromtimestamp(number(value), UTC)
    except (OverflowError, ValueError, OSError):
        raise AwkError("time out of range") from None


def _strftime(machine: Machine, shape: Value = "%a %b %e %H:%M:%S %Z %Y", value: Value | None = None, *rest: Value) -> str:
    moment = _time(machine, value)
    return moment.strftime(string(shape).replace("%Z", "UTC").replace("%s", str(int(moment.timestamp()))))


def _mktime(machine: Machine, text: Value) -> float:
    words = string(text).split()
    try:
        return datetime(*(int(word) for word in words[:6]), tzinfo=UTC).timestamp()
    except (ValueError, TypeError):
        return -1.0


def _bits(apply: Callable[[int, int], int]) -> Callable[..., float]:
    return lambda machine, one, other: float(apply(int(number(one)) & MASK, int(number(other)) & MASK))


def _safe(apply: Callable[[float], float]) -> Callable[..., float]:
    def run(machine: Machine, value: Value) -> float:
        try:
            return apply(number(value))
        except OverflowError:
            return math.inf
        except ValueError:
            return -math.inf if apply is math.log and number(value) == 0 else math.nan

    return run


SIMPLE: dict[str, Callable[..., Any]] = {
    "substr": _substr, "sprintf": _sprintf, "srand": _srand, "strftime": _strftime, "mktime": _mktime,
    "index": lambda machine, text, part: float(string(text, machine.vars["CONVFMT"]).find(string(part, machine.vars["CONVFMT"])) + 1
                                               if string(part) or machine.gnu else 0),
    "sin": _safe(math.sin), "cos": _safe(math.cos), "exp": _safe(math.exp), "log": _safe(math.log), "sqrt": _safe(math.sqrt),
    "atan2": lambda machine, one, other: math.atan2(number(one), number(other)),
    "int": lambda machine, value: float(math.trunc(number(value))) if math.isfinite(number(value)) else number(value),
    "rand": lambda machine: machine.chance.random(), "systime": lambda machine: float(int(machine.proc.machine.time().timestamp())),
    "tolower": lambda machine, value: string(value, machine.vars["CONVFMT"]).lower(),
    "toupper": lambda machine, value: string(value, machine.vars["CONVFMT"]).upper(),
    "and": _bits(lambda one, other: one & other), "or": _bits(lambda one, other: one | other), "xor": _bits(lambda one, other: one ^ other),
    "lshift": _bits(lambda one, other: (one << min(other, 63)) & MASK), "rshift": _bits(lambda one, other: one >> min(other, 63)),
    "compl": lambda machine, value: float(~int(number(value)) & MASK),
}
ARITIES = {"length": (0, 1), "substr": (2, 3), "index": (2, 2), "split": (2, 3), "sub": (2, 3), "gsub": (2, 3), "match": (2, 2),
           "sprintf": (1, 1000), "sin": (1, 1), "cos": (1, 1), "atan2": (2, 2), "exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "int": (1, 1),
           "rand": (0, 0), "srand": (0, 1), "tolower": (1, 1), "toupper": (1, 1), "system": (1, 1), "close": (1, 2), "fflush": (0, 1),
           "and": (2, 2), "or": (2, 2), "xor": (2, 2), "lshift": (2, 2), "rshift": (2, 2), "compl": (1, 1), "strftime": (0, 3),
           "systime": (0, 0), "mktime": (1, 1)}
