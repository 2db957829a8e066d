"""Objects as YAML and JSON text, as kubectl prints them.

In: an object in JSON's shape. Out: text in the style of Go's yaml.v2 behind sigs.k8s.io/yaml (sorted keys, lists not indented, plain
where it can be, block literals for several lines) and of Go's json.MarshalIndent. Which strings need quotes follows yaml.v2's own
resolver and emitter, because a class compares what it sees with a real cluster's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from functools import cmp_to_key, lru_cache
from typing import Any

from server.kubectl.breath import Breathe, alone

_WORDS = frozenset(
    word
    for base in ("y", "yes", "on", "n", "no", "off", "true", "false", "null", ".nan", ".inf", "-.inf", "+.inf")
    for word in (base, base.capitalize(), base.upper(), ".Inf", ".NaN", "-.Inf", "+.Inf", "~")
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)\Z")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_TIMESTAMP = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?\Z"
)
_ESCAPES = {"\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\e",
            '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P"}
WIDTH, PARTS, FEW = 80, 2_000, 30
_FIRST_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
_BREAKS = frozenset("\r\n\x85\u2028\u2029")


def to_yaml(value: Any, breathe: Breathe = alone) -> str:
    """The document, ending in a newline."""
    lines: list[str] = []
    items = value.get("items") if isinstance(value, dict) else None
    if isinstance(items, list) and items:
        for key in sorted_keys(value):
            _mapping({key: value[key] if key != "items" else items[:1]}, 0, "", lines)
            for item in items[1:] if key == "items" else ():
                breathe()
                _sequence([item], 0, "", lines)
    else:
        _node(value, 0, "", lines)
    return "\n".join(lines) + "\n"


def to_json(value: Any, indent: int = 4, in_order: bool = False, breathe: Breathe = alone) -> str:
    """Indented JSON, ending in a newline; keys sorted unless `in_order`."""
    parts: list[str] = []
    for part in json.JSONEncoder(indent=indent, sort_keys=not in_order, ensure_ascii=False).iterencode(value):
        parts.append(part)
        if not len(parts) % PARTS:
            breathe()
    text = "".join(parts)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e") + "\n"


def sorted_keys(mapping: dict[str, Any]) -> list[str]:
    return _in_order(tuple(mapping)) if len(mapping) <= FEW else _sorted(mapping)


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=cmp_to_key(_compare))


_in_order = lru_cache(maxsize=1024)(_sorted)


def _node(value: Any, indent: int, lead: str, lines: list[str]) -> None:
    """Append a value: `lead` is what already stands on its first line (`key:` or dashes), `indent` where its own lines start."""
    if isinstance(value, dict) and value:
        _mapping(value, indent, lead, lines)
    elif isinstance(value, list) and value:
        _sequence(value, indent, lead, lines)
    else:
        text = _scalar(value, indent)
        lines.append(f"{lead} {_folded(text, len(lead) + 1, indent + 2)}" if lead else text)


def _mapping(mapping: dict[str, Any], indent: int, lead: str, lines: list[str]) -> None:
    pad = " " * indent
    if lead.endswith(":"):
        lines.append(lead)
        lead = ""
    for key in sorted_keys(mapping):
        head = f"{lead} " if lead else pad
        lead = ""
        value = mapping[key]
        name = _key(str(key))
        if isinstance(value, dict) and value:
            _node(value, indent + 2, f"{head}{name}:", lines)
        else:
            _node(value, indent, f"{head}{name}:", lines)


def _sequence(items: list[Any], indent: int, lead: str, lines: list[str]) -> None:
    pad = " " * indent
    if lead.endswith(":"):
        lines.append(lead)
        lead = ""
    for item in items:
        head = f"{lead} -" if lead else f"{pad}-"
        lead = ""
        if isinstance(item, dict | list) and item:
            _node(item, indent + 2, head, lines)
        else:
            _node(item, indent, head, lines)


def _scalar(value: Any, indent: int) -> str:
    if isinstance(value, str):
        return _string(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else str(value)


def _folded(text: str, column: int, indent: int) -> str:
    """A long scalar goes on in the next line at the first single blank past the width."""
    if column + len(text) <= WIDTH or "\n" in text:
        return text
    double, last, after_blank = text[0] == '"', len(text) - 1, False
    edges = (0, 1, last - 1, last) if text[0] in "'\"" else ()
    out: list[str] = []
    for at, letter in enumerate(text):
        blank = letter == " "
        followed = at < last and text[at + 1] == " "
        if blank and not after_blank and column > WIDTH and at not in edges and (double or not followed):
            out.append("\n" + " " * indent + ("\\" if followed else ""))
            column = indent + followed
        else:
            out.append(letter)
            column += 1
        after_blank = blank
    return "".join(out)


def _float(value: float) -> str:
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if math.isinf(value) or math.isnan(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return re.sub(r"e([-+])(\d)$", r"e\g<1>0\2", repr(value))


@lru_cache(maxsize=1024)
def _key(text: str) -> str:
    if not text:
        return '""'
    plain_allowed, single_allowed, _ = _analyse(text)
    if "\n" in text or not _is_string(text):
        return _double(text)
    return text if plain_allowed else _single(text) if single_allowed else _double(text)


def _string(text: str, indent: int) -> str:
    plain_allowed, single_allowed, block_allowed = _analyse(text)
    if "\n" in text:
        return _literal(text, indent) if block_allowed else _double(text)
    if not _is_string(text):
        return _double(text)
    return text if plain_allowed else _single(text) if single_allowed else _double(text)


def _is_string(text: str) -> bool:
    """Whether the plain scalar would be read back as a string."""
    if not text or text in _WORDS:
        return False
    if text[0] not in "+-.0123456789":
        return True
    bare = text.replace("_", "")
    number = _INT.match(bare) or (_FLOAT.match(bare) and not math.isinf(float(bare)))
    return not (number or _TIMESTAMP.match(text) or _BASE60.match(text))


def _analyse(text: str) -> tuple[bool, bool, bool]:
    """Whether a plain, a single-quoted and a block literal scalar can hold the text (yaml_emitter_analyze_scalar)."""
    if not text:
        return True, True, False
    indicators = text.startswith(("---", "..."))
    special = line_breaks = break_space = space_break = previous_space = previous_break = False
    blank_before = True
    last = len(text) - 1
    for index, letter in enumerate(text):
        blank_after = index == last or text[index + 1] in " \t" or text[index + 1] in _BREAKS
        if index == 0:
            indicators |= letter in _FIRST_INDICATORS or (letter in "?:-" and blank_after)
        else:
            indicators |= (letter == ":" and blank_after) or (letter == "#" and blank_before)
        if not _printable(letter):
            special = True
        if letter == " ":
            break_space |= previous_break
            previous_space, previous_break = True, False
        elif letter in _BREAKS:
            line_breaks = True
            space_break |= previous_space
            previous_space, previous_break = False, True
        else:
            previous_space = previous_break = False
        blank_before = letter in " \t" or letter in _BREAKS
    edge = text[0] == " " or text[0] in _BREAKS or text[-1] == " " or text[-1] in _BREAKS
    hard = space_break or special
    plain = not (edge or break_space or hard or line_breaks or indicators)
    return plain, not (break_space or hard), not (hard or text[-1] == " ")


def _printable(letter: str) -> bool:
    code = ord(letter)
    return code == 0x0A or 0x20 <= code <= 0x7E or (0xA0 <= code < 0xFFFE and code != 0xFEFF and not 0xD800 <= code <= 0xDFFF)


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    return '"' + "".join(_escape(letter) for letter in text) + '"'


def _escape(letter: str) -> str:
    if letter not in '"\\' and letter not in _BREAKS and _printable(letter):
        return letter
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    code = ord(letter)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _literal(text: str, indent: int) -> str:
    hint = "2" if text[0] in " \n" else ""
    chomp = "-" if not text.endswith("\n") else "+" if text == "\n" or text.endswith("\n\n") else ""
    body = text[:-1] if text.endswith("\n") else text
    pad = " " * (indent + 2)
    return f"|{hint}{chomp}\n" + "\n".join(pad + line if line else "" for line in body.split("\n"))


def _compare(a: str, b: str) -> int:
    """yaml.v2's order of keys: letters after the rest, runs of digits by value."""
    for i in range(min(len(a), len(b))):
        if a[i] == b[i]:
            continue
        letter_a, letter_b = a[i].isalpha(), b[i].isalpha()
        if letter_a and letter_b:
            return -1 if a[i] < b[i] else 1
        if letter_a or letter_b:
            return -1 if letter_b else 1
        return _compare_numbers(a, b, i)
    return len(a) - len(b)


def _compare_numbers(a: str, b: str, i: int) -> int:
    start = 0
    if a[i] == "0" or b[i] == "0":
        j = i - 1
        while j >= 0 and a[j].isdigit():
            if a[j] != "0":
                start = 1
                break
            j -= 1
    number_a, end_a = _digits(a, i, start)
    number_b, end_b = _digits(b, i, start)
    if number_a != number_b:
        return -1 if number_a < number_b else 1
    if end_a != end_b:
        return end_a - end_b
    return -1 if a[i] < b[i] else 1


def _digits(text: str, start: int, number: int) -> tuple[int, int]:
    end = start
    while end < len(text) and text[end].isdigit():
        number = number * 10 + int(text[end])
        end += 1
    return number, end
