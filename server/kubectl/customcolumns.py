"""-o custom-columns=NAME:.metadata.name,IP:.status.podIP: a table made of paths.

In: the specification and objects. Out: aligned rows under one header; `<none>` where a path leads nowhere.
"""

from __future__ import annotations

from typing import Any

from server.kubectl.breath import Breathe, alone
from server.kubectl.errors import CommandError
from server.kubectl.govalue import sprint
from server.kubectl.jsonpath import JsonPath, JsonPathError, relaxed
from server.kubectl.tabwriter import Tabs

Object = dict[str, Any]


class CustomColumns:
    def __init__(self, spec: str, no_headers: bool = False, from_file: bool = False):
        pairs = _from_file(spec) if from_file else _pairs(spec)
        try:
            self._paths = [JsonPath(relaxed(path)) for _, path in pairs]
        except JsonPathError as error:
            raise CommandError(str(error)) from None
        self._headers = None if no_headers else [header for header, _ in pairs]
        self._tabs = Tabs(remember=True)

    def add(self, objects: list[Object], breathe: Breathe = alone) -> str:
        if self._headers is not None:
            self._tabs.row(*self._headers)
            self._headers = None
        for obj in objects:
            breathe()
            self._tabs.row(*[_cell(path, obj) for path in self._paths])
        return ""

    def flush(self, breathe: Breathe = alone) -> str:
        return self._tabs.render(breathe)


def _cell(path: JsonPath, obj: Object) -> str:
    try:
        parts = path.results(obj)
    except JsonPathError as error:
        raise CommandError(str(error)) from None
    values = [sprint(value) for part in parts for value in part]
    return ",".join(values) if parts and parts[0] else "<none>"


def _pairs(spec: str) -> list[tuple[str, str]]:
    pairs = []
    for part in spec.split(","):
        header, colon, path = part.partition(":")
        if not colon:
            raise CommandError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        pairs.append((header, path))
    return pairs


def _from_file(text: str) -> list[tuple[str, str]]:
    lines = text.splitlines()
    if len(lines) < 2:
        raise CommandError("invalid template, missing second line." if lines else
                           "invalid template, missing first line. Two lines are expected, headers and paths.")
    headers, paths = lines[0].split(), lines[1].split()
    if len(headers) != len(paths):
        raise CommandError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return list(zip(headers, paths, strict=True))
