"""Any other kind: every field of the object in order of name, its words spaced, nested as the object is."""

from __future__ import annotations

import json
import re
from typing import Any

from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import Page
from server.kubectl.describe.scope import Object, Scope

SHOWN_ABOVE = frozenset(f".metadata.{field}" for field in ("managedFields", "name", "namespace", "labels", "annotations"))
ACRONYMS = ("API", "URL", "UID", "GUID")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|-+")


def describe_generic(obj: Object, scope: Scope, page: Page) -> None:
    meta = obj["metadata"]
    page.fields((("Name", meta.get("name", "")), ("Namespace", meta.get("namespace", ""))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    _content(page, 0, obj, "")
    describe_events_of(obj, scope, page)


def _content(page: Page, level: int, content: dict[str, Any], prefix: str) -> None:
    for field in sorted(content):
        path, value = f"{prefix}.{field}", content[field]
        if path in SHOWN_ABOVE:
            continue
        if isinstance(value, dict):
            page.row(level, f"{label(field)}:")
            _content(page, level + 1, value, path)
        elif isinstance(value, list):
            page.row(level, f"{label(field)}:")
            for item in value:
                if isinstance(item, dict):
                    _content(page, level + 1, item, path)
                else:
                    page.row(level + 1, _plain(item))
        else:
            page.field(label(field), _plain(value), level)


def _plain(value: Any) -> str:
    if value is None:
        return "<nil>"
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def label(field: str) -> str:
    """
    >>> [label(name) for name in ("apiVersion", "leaseDurationSeconds", "uid", "podCIDR", "x.y/z", "clientIPConfig")]
    ['API Version', 'Lease Duration Seconds', 'UID', 'Pod CIDR', 'x.y/z', 'Client IP Config']
    """
    if not all(letter.isalpha() or letter == "-" for letter in field):
        return field
    return " ".join(_word(word) for word in WORDS.findall(field))


def _word(word: str) -> str:
    if word.upper() in ACRONYMS:
        return word.upper()
    return word.capitalize() if word == word.lower() else word
