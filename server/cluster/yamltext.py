"""YAML as Kubernetes' clients read it: text in; plain JSON values, the place of every field, and go-yaml's own error messages out.

``load_yaml`` serves the editor and the terminal (many documents, marks, kubectl's wording), ``load_document`` a request's body. Scalars
resolve as in sigs.k8s.io/yaml: YAML 1.1 booleans (``y``, ``no``, ``on``), octal ``0644``, but neither dates nor sexagesimal numbers.
Everything is bounded (size, depth, nodes, expansion of aliases) before any object is built, so no text can hurt the process.

>>> [document.obj for document in load_yaml("a: no\\nb: 0644\\n---\\nc: 12:30:45\\nd: 2001-01-01\\n")]
[{'a': False, 'b': 420}, {'c': '12:30:45', 'd': '2001-01-01'}]
>>> load_yaml("a:\\n\\tb: 1\\n")[0].error
YamlError('error converting YAML to JSON: yaml: line 2: found character that cannot start any token', line=2, column=1)
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from server.cluster import gojson

MAX_BYTES = 3 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 50_000
MAX_MERGES = 1_000
BREATH = 400  # events or nodes that are read before others have their turn

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]
Mark = tuple[int, int]


def _go_on() -> None:
    """Nobody waits."""


class YamlError(ValueError):
    """What kubectl says of the text, and where in it (both counted from 1)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __repr__(self) -> str:
        return f"YamlError({self.message!r}, line={self.line}, column={self.column})"


class Repeated(NamedTuple):
    """A key that a mapping has twice; the last one wins."""

    path: Path
    key: str
    line: int
    column: int


class Document:
    """One document: its value, where it starts, and where its fields are. ``error`` is set on the last one when the text breaks off."""

    __slots__ = ("error", "line", "marks", "obj", "repeated")

    def __init__(self, obj: Any, line: int, marks: dict[Path, Mark], repeated: list[Repeated], error: YamlError | None = None) -> None:
        self.obj = obj
        self.line = line
        self.marks = marks
        self.repeated = repeated
        self.error = error

    def position(self, field: str) -> Mark:
        """(line, column) of a field path as validation prints it, or of its nearest ancestor that is there.

        >>> load_yaml("spec:\\n  ports:\\n  - port: 80\\n")[0].position("spec.ports[0].nodePort")
        (3, 5)
        """
        path: Path = parse_path(field)
        while path:
            if path in self.marks:
                return self.marks[path]
            path = path[:-1]
        return self.marks.get((), (self.line, 1))


_PATH_STEP = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|([^.\[\]]+)")


def parse_path(field: str) -> Path:
    """
    >>> parse_path("spec.containers[0].resources.limits[cpu]")
    ('spec', 'containers', 0, 'resources', 'limits', 'cpu')
    """
    return tuple(int(m[1]) if m[1] else (m[2] if m[2] is not None else m[3]) for m in _PATH_STEP.finditer(field))


# documents ---------------------------------------------------------------------------------------------------------------

def load_yaml(text: str, max_bytes: int = MAX_BYTES, breathe: Callable[[], None] = _go_on) -> list[Document]:
    """Every document of a file, in order. Like kubectl it stops at the first it cannot read; that one carries the error. ``breathe()`` is
    called now and then: a large file takes a while."""
    if len(text) > max_bytes:
        return [Document(None, 1, {}, [], YamlError(f"the text is larger than {max_bytes} bytes"))]
    documents: list[Document] = []
    nodes = MAX_NODES
    for first_line, chunk in _chunks(text):
        breathe()
        try:
            if isinstance(chunk, YamlError):
                raise chunk
            loaded = _Loaded(chunk, first_line, nodes, breathe)
        except YamlError as error:
            documents.append(Document(None, first_line, {}, [], _as_json(chunk, error, documents)))
            return documents
        nodes -= loaded.nodes
        if loaded.obj is not None:
            documents.append(Document(loaded.obj, loaded.marks.get((), (first_line, 1))[0], loaded.marks, loaded.repeated))
    return documents


def _as_json(chunk: Any, error: YamlError, before: list[Document]) -> YamlError:
    """A file that starts as JSON gets JSON's error."""
    if not before and isinstance(chunk, str) and chunk.lstrip()[:1] == "{":
        try:
            gojson.loads(chunk)
        except gojson.JsonError as fault:
            if fault.offset >= len(chunk):
                return YamlError("unexpected EOF", error.line, error.column)
            line = chunk.count("\n", 0, fault.offset) + 1
            return YamlError(f"json: offset {fault.offset + 1}: {fault}", line, fault.offset - chunk.rfind("\n", 0, fault.offset))
    return error


def load_document(text: str) -> tuple[Any, list[Repeated]]:
    """The one document of a request's body."""
    loaded = _Loaded(text, 1, MAX_NODES)
    return loaded.obj, loaded.repeated


_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def _chunks(text: str) -> Iterator[tuple[int, str | YamlError]]:
    lines: list[str] = []
    first = 1
    for number, line in enumerate(_LINE.findall(text), start=1):
        if line.startswith("---"):
            rest = line[3:].strip()
            if rest and not rest.startswith("#"):
                yield number, YamlError(f"invalid Yaml document separator: {rest}", number)
                return
            if lines:
                yield first, "".join(lines)
            lines, first = [], number + 1
        else:
            lines.append(line)
    if lines:
        yield first, "".join(lines)


# one document ------------------------------------------------------------------------------------------------------------

class _Loaded:
    """The value of one chunk of text, built from the parser's events without recursion into untrusted depth."""

    def __init__(self, text: str, first_line: int, max_nodes: int, breathe: Callable[[], None] = _go_on) -> None:
        self.breathe = breathe
        self.first_line = first_line
        self.max_nodes = max_nodes
        self.marks: dict[Path, Mark] = {}
        self.repeated: list[Repeated] = []
        self.nodes = 0
        self.merges = 0
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open: list[str] = []
        try:
            self.events = iter(self._events(text if text.endswith("\n") else text + "\n"))
            self.obj = self._document()
        except yaml.MarkedYAMLError as error:
            raise self._fault(error) from None
        except yaml.YAMLError as error:
            raise self._reader_fault(error, text) from None
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start)
            raise YamlError("error converting YAML to JSON: yaml: invalid Unicode character", first_line + line) from None

    def _events(self, text: str) -> list[Any]:
        """The first document's events: all of them before anything is built, so that a syntax fault further down comes first."""
        events: list[Any] = []
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            events.append(event)
            if not len(events) % BREATH:
                self.breathe()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise self._say(f"exceeded max depth of {MAX_DEPTH}", event)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if isinstance(event, yaml.DocumentEndEvent) and event.explicit:
                break
            if len(events) > 2 * self.max_nodes:
                raise self._say("document has too many nodes", event)
        return events

    def _document(self) -> Any:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._value(next(self.events), ())
                if self.anchors and _deeper(value, MAX_DEPTH):
                    raise self._say(f"exceeded max depth of {MAX_DEPTH}", event)
                return value
        return None

    def _say(self, problem: str, event: Any, *, numbered: bool = False) -> YamlError:
        line, column = event.start_mark.line, event.start_mark.column
        where = f"line {line + 1}: " if numbered else ""
        return YamlError(f"error converting YAML to JSON: yaml: {where}{problem}", self.first_line + line, column + 1)

    def _fault(self, error: yaml.MarkedYAMLError) -> YamlError:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or "unknown problem parsing YAML content").strip()
        line = mark.line if mark else 0
        if not line and error.context_mark is not None:
            line = error.context_mark.line
        elif line and isinstance(error, yaml.scanner.ScannerError):
            line += 1
        where = f"line {line}: " if line else ""
        shown = (self.first_line + mark.line, mark.column + 1) if mark else (self.first_line, 1)
        return YamlError(f"error converting YAML to JSON: yaml: {where}{problem}", *shown)

    def _reader_fault(self, error: yaml.YAMLError, text: str) -> YamlError:
        reason = getattr(error, "reason", str(error))
        position = getattr(error, "position", 0) or 0
        line = text.count("\n", 0, position)
        if "special characters" in reason:
            reason = "control characters are not allowed"
        return YamlError(f"error converting YAML to JSON: yaml: {reason}", self.first_line + line, position - text.rfind("\n", 0, position))

    def _count(self, event: Any, number: int = 1) -> None:
        self.nodes += number
        if self.nodes > self.max_nodes:
            raise self._say("document contains excessive aliasing" if isinstance(event, yaml.AliasEvent) else "document has too many nodes",
                            event)

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.open:
                raise self._say(f"anchor '{event.anchor}' value contains itself", event)
            if event.anchor not in self.anchors:
                raise self._say(f"unknown anchor '{event.anchor}' referenced", event)
            value, size = self.anchors[event.anchor]
            self._count(event, size)
            self._mark(event, path)
            return value
        self._count(event)
        if not self.nodes % BREATH:
            self.breathe()
        self._mark(event, path)
        if isinstance(event, yaml.ScalarEvent):
            value = resolve(event)
            if isinstance(value, yaml.YAMLError):
                raise self._say(str(value), event)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1)
            return value
        before = self.nodes
        if event.anchor:
            self.open.append(event.anchor)
        value = self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path)
        if event.anchor:
            self.open.remove(event.anchor)
            self.anchors[event.anchor] = (value, self.nodes - before + 1)
        return value

    def _mark(self, event: Any, path: Path) -> None:
        if path not in self.marks:
            self.marks[path] = (self.first_line + event.start_mark.line, event.start_mark.column + 1)

    def _forget(self, place: Path, value: Any) -> None:
        """Where the fields of a value are is of no use any more: another stands in its place."""
        waiting = [(place, value)]
        while waiting:
            path, inner = waiting.pop()
            self.marks.pop(path, None)
            if isinstance(inner, dict | list):
                waiting.extend(((*path, step), below) for step, below in (inner.items() if isinstance(inner, dict) else enumerate(inner)))

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if _is_merge(event):
                self._merge(self._value(next(self.events), (*path, "<<")), merged, event)
                continue
            key = self._key(event, path)
            place = (*path, key)
            if key is None:
                value = self._value(next(self.events), place)
                shown = "<nil>" if value is None else go_syntax(value)
                raise YamlError(f"error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}",
                                self.first_line + event.start_mark.line, event.start_mark.column + 1)
            if key in fields:
                mark = event.start_mark
                self.repeated.append(Repeated(path, key, self.first_line + mark.line, mark.column + 1))
                self._forget(place, fields[key])
            self._mark(event, place)
            fields[key] = self._value(next(self.events), place)
        return {**merged, **fields} if merged else fields

    def _key(self, event: Any, path: Path) -> str | None:
        value = self._value(event, (*path, "\0key"))
        if isinstance(value, dict | list):
            raise self._say(f"invalid map key: {go_syntax(value)}", event)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if value is None or isinstance(value, str) else str(value)

    def _merge(self, value: Any, into: dict[str, Any], event: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        self.merges += len(sources)
        if self.merges > MAX_MERGES or not all(isinstance(source, dict) for source in sources):
            raise self._say("map merge requires map or sequence of maps as the value", event)
        for source in sources:
            self._count(event, len(source))
            for key, field in source.items():
                into.setdefault(key, field)


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0] and event.style in (None, "")


def _deeper(value: Any, limit: int) -> bool:
    """Whether a value nests deeper than that: aliases make depth that no bracket shows."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if not isinstance(item, dict | list):
            continue
        if depth > limit:
            return True
        waiting.extend((inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item))
    return False


# scalars -----------------------------------------------------------------------------------------------------------------

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS = ((re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16), (re.compile(r"[-+]?0[bB][01]+"), 2), (re.compile(r"[-+]?0[oO]?[0-7]+"), 8),
             (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10))
_TAG = "tag:yaml.org,2002:"


def resolve(event: Any) -> Any:
    """The value of a scalar; a YAMLError as a value says that it has none."""
    text, tag = event.value, event.tag or ""
    if tag.startswith(_TAG):
        return _tagged(tag[len(_TAG):], text)
    if tag or not event.implicit[0]:
        return text
    return _plain(text)


def _tagged(tag: str, text: str) -> Any:
    if tag == "binary":
        try:
            return base64.b64decode(text, validate=False).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return yaml.YAMLError("!!binary value contains invalid base64 data")
    if tag not in ("int", "float", "bool", "null"):
        return text
    value = _plain(text)
    fits = {"int": isinstance(value, int) and not isinstance(value, bool), "float": isinstance(value, int | float),
            "bool": isinstance(value, bool), "null": value is None}[tag]
    return value if fits else yaml.YAMLError(f"cannot decode !!str `{text}` as a !!{tag}")


LONGEST_INTEGER = 400


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "+-.0123456789":
        return text
    if _INFINITE.fullmatch(text):
        return yaml.YAMLError(f"json: unsupported value: {'NaN' if 'n' in text.lower()[1:3] else '+Inf'}")
    digits = text.replace("_", "")
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(digits) and len(digits) <= LONGEST_INTEGER:
            number = int(re.sub(r"0[xXbBoO]", "", digits, count=1), base)
            if -(1 << 63) <= number < 1 << 64:
                return number
            break
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if number in (float("inf"), float("-inf")):
            return text
        return int(number) if number.is_integer() and abs(number) < 1e21 else number
    return text


def go_syntax(value: Any) -> str:
    """A value as Go's ``%#v`` prints it.

    >>> go_syntax({".Values.x": None})
    'map[interface {}]interface {}{".Values.x":interface {}(nil)}'
    """
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, dict):
        return "map[interface {}]interface {}{" + ", ".join(f"{go_syntax(k)}:{go_syntax(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
