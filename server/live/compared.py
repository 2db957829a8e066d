"""Two versions of an object, field by field, and an object's YAML with what is said about each line.

In: objects in JSON's shape. Out: ``changes`` gives the fields that differ (``path``, ``from``, ``to``), ``leaves`` every value by its path,
``lines`` the YAML as kubectl prints it, a row for each line with its path. Items of a list are named by their ``type``, ``name``, ``key``,
``ip`` or ``mountPath`` where all have one, else by number, so that an item that moved has not changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.kubectl import yamlout

NAMES = ("type", "name", "mountPath", "key", "ip", "uid", "containerPort", "port")
UNTOLD = frozenset(("metadata.managedFields", "metadata.resourceVersion"))
MAX_CHANGES, MAX_LINES, LONGEST = 200, 2000, 300
_MISSING = object()


def named(items: list[Any]) -> list[str]:
    """What each item of a list is called."""
    for name in NAMES:
        said = [item.get(name) if isinstance(item, dict) else None for item in items]
        if all(isinstance(one, str | int) for one in said) and len(set(said)) == len(said):
            return [str(one) for one in said]
    return [str(index) for index in range(len(items))]


def changes(old: Any, new: Any) -> list[dict[str, Any]]:
    """At most ``MAX_CHANGES`` fields that differ, in the order of the new object. A whole part that came or went is one change."""
    found: list[dict[str, Any]] = []
    _compare(old, new, "", found)
    return found


def _compare(old: Any, new: Any, path: str, found: list[dict[str, Any]]) -> None:
    if old is new or len(found) >= MAX_CHANGES or path in UNTOLD:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*new, *(name for name in old if name not in new)):
            _compare(old.get(name, _MISSING), new.get(name, _MISSING), f"{path}.{name}" if path else name, found)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        before, after = dict(zip(named(old), old, strict=True)), dict(zip(named(new), new, strict=True))
        for name in (*after, *(name for name in before if name not in after)):
            _compare(before.get(name, _MISSING), after.get(name, _MISSING), f"{path}[{name}]", found)
    elif old != new:
        found.append({"path": path, **({} if old is _MISSING else {"from": short(old)}), **({} if new is _MISSING else {"to": short(new)})})


def short(value: Any) -> Any:
    """A value as it can be told in a line."""
    if isinstance(value, dict | list):
        return f"{{{len(value)}}}" if isinstance(value, dict) else f"[{len(value)}]"
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar and empty collection with its path."""
    if path in UNTOLD:
        return
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for name, inner in zip(named(value), value, strict=True):
            yield from leaves(inner, f"{path}[{name}]")
    else:
        yield path, value


def lines(value: Any) -> list[tuple[str, str]]:
    """(text, path) of each line of YAML, at most ``MAX_LINES``; the lines of a block have their field's path."""
    found: list[tuple[str, str]] = []
    _write(value, "", 0, "", found)
    return found[:MAX_LINES]


def _write(value: Any, path: str, indent: int, lead: str, found: list[tuple[str, str]]) -> None:
    if path in UNTOLD or len(found) > MAX_LINES:
        return
    if isinstance(value, dict) and value:
        for name in yamlout.sorted_keys(value):
            inner, at = value[name], f"{path}.{name}" if path else name
            head, lead = f"{lead or ' ' * indent}{yamlout.to_yaml(str(name)).rstrip()}:", ""
            if isinstance(inner, dict | list) and inner:
                if at not in UNTOLD:
                    found.append((head, at))
                _write(inner, at, indent + 2 if isinstance(inner, dict) else indent, "", found)
            else:
                _scalar(inner, at, f"{head} ", found)
    elif isinstance(value, list) and value:
        for name, inner in zip(named(value), value, strict=True):
            at, head = f"{path}[{name}]", f"{lead or ' ' * indent}- "
            if isinstance(inner, dict | list) and inner:
                _write(inner, at, indent + 2, head, found)
            else:
                _scalar(inner, at, head, found)
    else:
        _scalar(value, path, lead, found)


def _scalar(value: Any, path: str, head: str, found: list[tuple[str, str]]) -> None:
    if path in UNTOLD:
        return
    first, *rest = yamlout.to_yaml(value).rstrip("\n").split("\n")
    found.append((head + first, path))
    pad = " " * (len(head) - len(head.lstrip(" -")) + 2)
    found.extend((pad + line.strip(), path) for line in rest)
