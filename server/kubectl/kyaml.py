"""-o kyaml: the strict dialect of YAML with braces, brackets, quoted strings and trailing commas.

In: an object in JSON's shape. Out: its text, one document. Keys are bare where YAML cannot take them for anything but a string.
"""

from __future__ import annotations

import json
import re
from typing import Any

from server.kubectl.breath import Breathe, alone
from server.kubectl.yamlout import sorted_keys, to_yaml

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")


def to_kyaml(value: Any, in_order: bool = False, breathe: Breathe = alone) -> str:
    """`in_order` keeps the keys as they come: a typed object has its fields in their own order."""
    return "---\n" + _value(value, 0, in_order, breathe) + "\n"


def _value(value: Any, indent: int, in_order: bool, breathe: Breathe) -> str:
    pad = " " * indent
    if isinstance(value, dict):
        breathe()
        if not value:
            return "{}"
        keys = list(value) if in_order else sorted_keys(value)
        lines = [f"{pad}  {_key(key)}: {_value(value[key], indent + 2, in_order, breathe)},\n" for key in keys]
        return "{\n" + "".join(lines) + pad + "}"
    if isinstance(value, list):
        return _list(value, indent, in_order, breathe)
    if isinstance(value, str):
        return _string(value, indent)
    return json.dumps(value)


def _list(items: list[Any], indent: int, in_order: bool, breathe: Breathe) -> str:
    if not items:
        return "[]"
    if all(isinstance(item, dict) and item for item in items):
        return "[" + ", ".join(_value(item, indent, in_order, breathe) for item in items) + "]"
    pad = " " * indent
    return "[\n" + "".join(f"{pad}  {_value(item, indent + 2, in_order, breathe)},\n" for item in items) + pad + "]"


def _key(key: str) -> str:
    bare = _BARE.match(key) and to_yaml(key) == key + "\n"
    return key if bare else json.dumps(key, ensure_ascii=False)


def _string(text: str, indent: int) -> str:
    if "\n" not in text.rstrip("\n") and not text.endswith("\n"):
        return json.dumps(text, ensure_ascii=False)
    pad = " " * indent
    lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in text.split("\n")]
    lead = [f"{pad}  \\" if line[:1] in (" ", "\t") else f"{pad}   " for line in lines]
    body = "".join(f"{start}{line}\\n\\\n" for start, line in zip(lead, lines[:-1], strict=False))
    last = f"{lead[-1]}{lines[-1]}\\\n" if lines[-1] else ""
    return '"\\\n' + body + last + pad + '  "'
