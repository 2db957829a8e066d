"""The functions of Go's templates: eq, len, index, printf, html and the rest, and kubectl's base64decode and exists.

In: values in JSON's shape (MISSING for what is not there). Out: values, or a TemplateError in Go's words.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from server.kubectl.govalue import sprint, type_name

MISSING = object()
MOST_LETTERS = 4 << 20  # of what one template gives, and of each value on the way
MOST_STEPS = 100_000
WIDEST = 10_000


class TemplateError(ValueError):
    """A template that cannot be parsed or executed; ``given`` is the text it gave until then."""

    given = ""


def truth(value: Any) -> bool:
    return value is not MISSING and bool(value)


def _basic(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "string" if isinstance(value, str) else ""


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    for other in others:
        if first is not None and other is not None and _basic(first) != _basic(other):
            raise TemplateError(f"incompatible types for comparison: {_basic(first)} and {_basic(other)}")
        if isinstance(first, dict | list):
            raise TemplateError("non-comparable type")
        if first == other:
            return True
    return False


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(first: Any, second: Any) -> bool:
        if _basic(first) in ("", "bool"):
            raise TemplateError("invalid type for comparison")
        if _basic(first) != _basic(second):
            raise TemplateError("incompatible types for comparison")
        return compare(first, second)

    return ordered


def _index(item: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(item, dict):
            item = item.get(key, MISSING)
        elif isinstance(item, list | str):
            if not isinstance(key, int):
                raise TemplateError(f"cannot index slice/array with type {type_name(key)}")
            if not 0 <= key < len(item):
                raise TemplateError(f"index out of range: {key}")
            item = item[key] if isinstance(item, list) else item.encode()[key]
        else:
            raise TemplateError("index of untyped nil" if item in (None, MISSING) else f"can't index item of type {type_name(item)}")
    return item


def _slice(item: Any, *bounds: int) -> Any:
    if not isinstance(item, list | str):
        raise TemplateError(f"can't slice item of type {type_name(item)}")
    start, end = (*bounds, *(0, len(item))[len(bounds) :])[:2]
    if not 0 <= start <= end <= len(item):
        raise TemplateError(f"index out of range: {end}")
    return item[start:end]


def _len(item: Any) -> int:
    if isinstance(item, str):
        return len(item.encode())
    if isinstance(item, dict | list):
        return len(item)
    raise TemplateError("reflect: call of reflect.Value.Type on zero Value" if item is None else f"len of type {type_name(item)}")


def _base64decode(text: Any) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError, TypeError) as problem:
        raise TemplateError(f"illegal base64 data: {problem}") from None


def _print(*values: Any) -> str:
    """fmt.Sprint: a blank between two operands of which neither is a string."""
    text = ""
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            text += " "
        text += sprint(value)
    return text


_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


def printf(pattern: str, *values: Any) -> str:
    """fmt.Sprintf for %v %s %d %q %t %f %x %%."""
    rest = list(values)

    def one(match: re.Match) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        if any(len(number) > 5 or int(number) > WIDEST for number in (width or "0", precision or "0")):
            return f"%!{verb}(BADWIDTH)"
        text = _formatted(verb, flags, precision, rest.pop(0))
        width = int(width or 0)
        if "-" in flags:
            return text.ljust(width)
        return text.rjust(width, "0" if "0" in flags and verb in "dfx" else " ")

    text = _VERB.sub(one, pattern)
    if rest:
        text += "%!(EXTRA " + ", ".join(f"{type_name(value)}={sprint(value)}" for value in rest) + ")"
    return text


def _formatted(verb: str, flags: str, precision: str | None, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb == "v" or (verb == "s" and isinstance(value, str)):
        text = sprint(value)
        return text[: int(precision)] if precision and isinstance(value, str) else text
    if verb == "q" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if verb == "d" and isinstance(value, int) and number:
        return f"{value:+d}" if "+" in flags else str(value)
    if verb == "f" and isinstance(value, float):
        return f"{value:.{precision or 6}f}"
    if verb == "x" and isinstance(value, str | int):
        return value.encode().hex() if isinstance(value, str) else f"{value:x}"
    if verb == "t" and isinstance(value, bool):
        return sprint(value)
    return f"%!{verb}({type_name(value)}={sprint(value)})"


def _html(*values: Any) -> str:
    text = _print(*values)
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        text = text.replace(letter, entity)
    return text


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *values: values,
    "or": lambda *values: values,
    "not": lambda value: not truth(value),
    "eq": _eq,
    "ne": lambda first, second: not _eq(first, second),
    "lt": _ordered(lambda a, b: a < b),
    "le": _ordered(lambda a, b: a <= b),
    "gt": _ordered(lambda a, b: a > b),
    "ge": _ordered(lambda a, b: a >= b),
    "len": _len,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "println": lambda *values: " ".join(map(sprint, values)) + "\n",
    "printf": printf,
    "html": _html,
    "js": lambda *values: json.dumps(_print(*values))[1:-1].replace("'", "\\'"),
    "urlquery": lambda *values: quote(_print(*values), safe="-_.~").replace("%20", "+"),
    "base64decode": _base64decode,
    "exists": lambda item, *keys: _exists(item, keys),
}


def _exists(item: Any, keys: tuple) -> bool:
    for key in keys:
        if isinstance(item, dict) and key in item or isinstance(item, list) and isinstance(key, int) and 0 <= key < len(item):
            item = item[key]
        else:
            return False
    return True
