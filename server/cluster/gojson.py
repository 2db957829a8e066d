"""JSON as Go reads it: text in, values out, with repeated keys kept and faults worded as Go's encoding/json words them.

>>> loads('{"a": 1, "a": 2}').pairs
[('a', 1), ('a', 2)]
>>> loads('{bad')
Traceback (most recent call last):
    ...
server.cluster.gojson.JsonError: invalid character 'b' looking for beginning of object key string
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 200
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A syntax fault, in Go's words; ``offset`` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Repeating(dict):
    """An object that had a key more than once: the last value is the dict's, ``pairs`` has them all in order."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else Repeating(pairs)


def _constant(name: str) -> Any:
    raise ValueError(name)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def loads(text: str) -> Any:
    """The value; JsonError in Go's words."""
    if _depth(text) > MAX_DEPTH:
        raise JsonError("exceeded max depth", 0)
    try:
        value = _decoder.decode(text)
        return _whole(value) if _ESCAPED_SURROGATE.search(text) else value
    except json.JSONDecodeError as error:
        raise _worded(text, error) from None
    except ValueError as error:
        offset = text.find(str(error))
        raise JsonError(f"invalid character '{str(error)[0]}' looking for beginning of value", offset) from None


def _whole(value: Any) -> Any:
    """A value without halves of surrogate pairs, which are no text: Go puts U+FFFD in their place."""
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, Repeating):
        return Repeating([(_whole(key), _whole(item)) for key, item in value.pairs])
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def _depth(text: str) -> int:
    """How deep brackets nest, strings left out."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = at = 0
    end = len(text)
    while at < end:
        char = text[at]
        if char == '"':
            at += 1
            while at < end and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                return deepest
        elif char in "]}":
            depth -= 1
        at += 1
    return deepest


_LITERALS = ("true", "false", "null")
_WHERE = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
}


def _worded(text: str, error: json.JSONDecodeError) -> JsonError:
    at, message = error.pos, error.msg
    if message.startswith("Illegal trailing comma"):
        at += 1
    while at < len(text) and text[at] in " \t\r\n" and message != "Invalid control character at":
        at += 1
    if message.startswith("Unterminated string") or at >= len(text):
        return JsonError("unexpected end of JSON input", len(text))
    if message.startswith("Invalid \\"):
        at = min(at + 1, len(text) - 1) if text[at] == "\\" else at
        where = "in \\u hexadecimal character escape" if "\\u" in message else "in string escape code"
    elif message == "Expecting ',' delimiter":
        where = "after object key:value pair" if _inside_object(text, at) else "after array element"
    else:
        where = _WHERE.get(message, "looking for beginning of value")
    if message == "Expecting value" and (literal := next((word for word in _LITERALS if word[0] == text[at]), "")):
        same = 0
        while same < len(literal) and text[at + same:at + same + 1] == literal[same]:
            same += 1
        at += same
        if at >= len(text):
            return JsonError("unexpected end of JSON input", len(text))
        where = f"in literal {literal} (expecting '{literal[same]}')"
    return JsonError(f"invalid character {quoted(text[at])} {where}", at)


def quoted(char: str) -> str:
    """A character as Go's errors quote it."""
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    escaped = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}.get(char)
    if escaped is None:
        escaped = char if char.isprintable() else f"\\x{ord(char):02x}"
    return f"'{escaped}'"


def _inside_object(text: str, at: int) -> bool:
    stack, index = [], 0
    while index < at:
        char = text[index]
        if char == '"':
            index += 1
            while index < at and text[index] != '"':
                index += 2 if text[index] == "\\" else 1
        elif char in "[{":
            stack.append(char)
        elif char in "]}" and stack:
            stack.pop()
        index += 1
    return not stack or stack[-1] == "{"
