"""Kubernetes' JSONPath templates: `{.items[*].metadata.name}`, `{range .items[*]}...{end}`, filters, slices, unions.

In: a template's text and an object. Out: the text it gives, or the values it finds. Grammar and failures follow kubectl's own parser,
which knows less than the RFC and says so in its own words.

>>> JsonPath("{.a[*].b}").text({"a": [{"b": 1}, {"b": 2}]})
'1 2'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from server.kubectl.breath import Breathe, alone
from server.kubectl.client import compact
from server.kubectl.govalue import sprint, type_name
from server.kubectl.yamlout import to_json

_TERMINATORS = frozenset(" \t\r\n.,[]$@{}")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?\Z")
_KEY = re.compile(r"'([^']*)'\Z")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)\Z")
_RELAXED = re.compile(r"\{\.?([^{}]+)\}\Z|\.?([^{}]+)\Z")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


MOST_STEPS, BREATH = 500_000, 500


class JsonPathError(ValueError):
    """A template that cannot be parsed, or a path that cannot be walked."""


@dataclass
class Node:
    """`kind`: text, list, field, array, filter, value, wildcard, recursive, union, identifier."""

    kind: str
    value: Any = None
    nodes: list[Node] = field(default_factory=list)


class JsonPath:
    def __init__(self, template: str, allow_missing: bool = True):
        self.template = template
        self.allow_missing = allow_missing
        self.root = _Parser(template).root

    def results(self, data: Any, breathe: Breathe = alone) -> list[list[Any]]:
        """The values of each part of the template in order."""
        return _Walk(self.allow_missing, breathe).run(self.root.nodes, data)

    def text(self, data: Any, as_json: bool = False, breathe: Breathe = alone) -> str:
        results = self.results(data, breathe)
        if as_json:
            return to_json([value for part in results for value in part], breathe=breathe)
        return "".join(" ".join(_shown(value) for value in part) for part in results)


def relaxed(expression: str) -> str:
    """`name`, `.name`, `{name}` and `{.name}` all as `{.name}`, for custom columns and --sort-by."""
    if not expression:
        return expression
    match = _RELAXED.match(expression)
    if not match:
        raise JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return "{." + (match.group(1) or match.group(2)) + "}"


def _shown(value: Any) -> str:
    return compact(value) if isinstance(value, dict | list) else sprint(value)


class _Parser:
    def __init__(self, text: str):
        self.input = text
        self.pos = 0
        self.start = 0
        self.root = Node("list")
        self._text()

    def _next(self) -> str:
        """The next letter, or "" at the end."""
        letter = self.input[self.pos : self.pos + 1]
        self.pos += len(letter)
        return letter

    def _consume(self) -> str:
        text = self.input[self.start : self.pos]
        self.start = self.pos
        return text

    def _text(self) -> None:
        while True:
            opening = self.input.find("{", self.pos)
            self.pos = len(self.input) if opening < 0 else opening
            text = self._consume()
            if text:
                self.root.nodes.append(Node("text", text))
            if opening < 0:
                return
            self.pos += 1
            self._consume()
            action = Node("list")
            self.root.nodes.append(action)
            while self._inside(action):
                pass

    def _inside(self, current: Node) -> bool:
        """One step inside { }; False at its end."""
        rest = self.input[self.pos :]
        if rest.startswith("}"):
            self.pos += 1
            self._consume()
            return False
        if rest.startswith("[?("):
            self._filter(current)
            return True
        if rest.startswith(".."):
            self._recursive(current)
            return True
        letter = self._next()
        if letter in ("", "\r", "\n"):
            raise JsonPathError("unclosed action")
        if letter in " @$":
            self._consume()
        elif letter == "[":
            self._array(current)
        elif letter in "\"'":
            self._quote(current, letter)
        elif letter == ".":
            self._field(current)
        elif letter in "+-" or letter.isdigit():
            self.pos -= 1
            self._number(current)
        elif letter == "_" or letter.isalnum():
            self.pos -= 1
            self._identifier(current)
        else:
            raise JsonPathError(f"unrecognized character in action: U+{ord(letter):04X} '{letter}'")
        return True

    def _recursive(self, current: Node) -> None:
        if current.nodes and current.nodes[-1].kind == "recursive":
            raise JsonPathError("invalid multiple recursive descent")
        self.pos += 2
        self._consume()
        current.nodes.append(Node("recursive"))
        following = self.input[self.pos : self.pos + 1]
        if following and (following == "_" or following.isalnum()):
            self._field(current)

    def _field(self, current: Node) -> None:
        self._consume()
        while True:
            letter = self._next()
            if letter == "\\":
                self._next()
            elif not letter or letter in _TERMINATORS:
                self.pos -= len(letter)
                break
        name = self._consume()
        current.nodes.append(Node("wildcard") if name == "*" else Node("field", name.replace("\\", "")))

    def _identifier(self, current: Node) -> None:
        while (letter := self._next()) and letter not in _TERMINATORS:
            pass
        self.pos -= len(letter)
        word = self._consume()
        if word in ("true", "false"):
            current.nodes.append(Node("value", word == "true"))
        else:
            current.nodes.append(Node("identifier", word))

    def _number(self, current: Node) -> None:
        match = re.compile(r"[+-]?[.\d]*").match(self.input, self.pos)
        self.pos = match.end()
        text = self._consume()
        try:
            current.nodes.append(Node("value", float(text) if "." in text else int(text)))
        except ValueError:
            raise JsonPathError(f"cannot parse number {text}") from None

    def _quote(self, current: Node, end: str) -> None:
        while True:
            letter = self._next()
            if letter in ("", "\n"):
                raise JsonPathError("unterminated quoted string")
            if letter == end and self.input[self.pos - 2] != "\\":
                break
        current.nodes.append(Node("text", _unquote(self._consume())))

    def _array(self, current: Node) -> None:
        while (letter := self._next()) != "]":
            if letter in ("", "\n"):
                raise JsonPathError("unterminated array")
        text = self._consume()[1:-1]
        if text == "*":
            text = ":"
        parts = text.split(",")
        if len(parts) > 1:
            current.nodes.append(Node("union", nodes=[_action(f"[{part.strip(' ')}]") for part in parts]))
            return
        key = _KEY.match(text)
        if key:
            current.nodes.extend(_action(f".{key.group(1)}").nodes)
            return
        match = _SLICE.match(text)
        if not match:
            raise JsonPathError(f"invalid array index {text}")
        current.nodes.append(Node("array", _bounds(match)))

    def _filter(self, current: Node) -> None:
        self.pos += 3
        self._consume()
        pair, closed = "", False
        while True:
            letter = self._next()
            if letter in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if letter in "\"'":
                if not pair:
                    pair = letter
                elif letter == pair and self.input[self.pos - 2] != "\\":
                    closed = True
            elif letter == ")" and bool(pair) == closed:
                break
        if self._next() != "]":
            raise JsonPathError("unclosed array expect ]")
        text = self._consume()[:-2]
        match = _COMPARISON.match(text)
        if match:
            sides = [_action(match.group(1)), _action(match.group(3))]
            current.nodes.append(Node("filter", match.group(2), sides))
        else:
            current.nodes.append(Node("filter", "exists", [_action(text)]))


def _action(text: str) -> Node:
    return _Parser("{" + text + "}").root.nodes[0]


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(0)), text[1:-1], flags=re.DOTALL)


def _bounds(match: re.Match) -> tuple[int | None, int | None, int | None, bool]:
    """(start, end, step, derived): None is not given; `derived` when the end follows from a single index."""
    first, second, third = match.group(1), match.group(2), match.group(3)
    start = int(first) if first else None
    derived = not second
    end = (start or 0) + 1 if derived else int(second[1:]) if second[1:] else None
    return start, end, int(third[1:]) if third and third[1:] else None, derived


class _Walk:
    """One evaluation; `range` and `end` are marks among the template's parts, so the state of loops lives here."""

    def __init__(self, allow_missing: bool, breathe: Breathe):
        self.allow_missing = allow_missing
        self.breathe = breathe
        self.rest = BREATH
        self.begin = self.inside = self.end = 0
        self.last_end: Node | None = None
        self.steps = 0

    def run(self, nodes: list[Node], data: Any) -> list[list[Any]]:
        full: list[list[Any]] = []
        position = 0
        while position < len(nodes):
            node = nodes[position]
            results = self.walk([data], node)
            if 0 < self.end <= self.inside:
                self.end -= 1
                self.last_end = node
                break
            if self.begin:
                self.begin -= 1
                self.inside += 1
                rest = nodes[position + 1 :]
                for value in results:
                    full.extend(self.run(rest, value))
                if not results:
                    self.run(rest, None)
                self.inside -= 1
                position += next((k for k, other in enumerate(rest) if other is self.last_end), -1) + 1
            else:
                full.append(results)
            position += 1
        return full

    def walk(self, values: list[Any], node: Node) -> list[Any]:
        found = getattr(self, f"_{node.kind}")(values, node)
        self.steps += 1 + len(found)
        if self.steps > MOST_STEPS:
            raise JsonPathError("the path finds too much")
        if self.steps > self.rest:
            self.rest = self.steps + BREATH
            self.breathe()
        return found

    def _list(self, values: list[Any], node: Node) -> list[Any]:
        for child in node.nodes:
            values = self.walk(values, child)
        return values

    def _text(self, values: list[Any], node: Node) -> list[Any]:
        return [node.value]

    _value = _text

    def _identifier(self, values: list[Any], node: Node) -> list[Any]:
        if node.value == "range":
            self.begin += 1
            return values
        if node.value == "end":
            if not self.inside:
                raise JsonPathError("not in range, nothing to end")
            self.end += 1
            return []
        raise JsonPathError(f"unrecognized identifier {node.value}")

    def _field(self, values: list[Any], node: Node) -> list[Any]:
        found = [value[node.value] for value in values if isinstance(value, dict) and node.value in value]
        if not found and not self.allow_missing:
            raise JsonPathError(f"{node.value} is not found")
        return found

    def _wildcard(self, values: list[Any], node: Node) -> list[Any]:
        return [child for value in values for child in _children(value)]

    def _recursive(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            children = _children(value)
            if children:
                found += [value, *self._recursive(children, node)]
            elif isinstance(value, str) and value:
                found.append(value)
        return found

    def _union(self, values: list[Any], node: Node) -> list[Any]:
        return [result for child in node.nodes for result in self._list(values, child)]

    def _array(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathError(f"{type_name(value)} is not array or slice")
            found += _sliced(value, *node.value)
        return found

    def _filter(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not isinstance(value, list):
                raise JsonPathError(f"{sprint(value)} is not array or slice and cannot be filtered")
            found += [item for item in value if self._passes(item, node)]
        return found

    def _passes(self, item: Any, node: Node) -> bool:
        if node.value == "exists":
            return bool(_Walk(True).walk([item], node.nodes[0]))
        sides = []
        for side in node.nodes:
            found = self.walk([item], side)
            if not found:
                return False
            if len(found) > 1:
                raise JsonPathError("can only compare one element at a time")
            sides.append(found[0])
        return _compare(sides[0], node.value, sides[1])


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _sliced(items: list[Any], start: int | None, end: int | None, step: int | None, derived: bool) -> list[Any]:
    length = len(items)
    first = start or 0
    first += length if first < 0 else 0
    last = length if end is None else end
    last += length if last < 0 or (last == 0 and derived) else 0
    if first == last:
        return []
    if not 0 <= first < length:
        raise JsonPathError(f"array index out of bounds: index {first}, length {length}")
    if not 0 <= last <= length:
        raise JsonPathError(f"array index out of bounds: index {last - 1}, length {length}")
    if first > last:
        raise JsonPathError(f"starting index {first} is greater than ending index {last}")
    if step is not None and step <= 0:
        raise JsonPathError("step must be > 0")
    return items[first:last:step]


def _compare(left: Any, operator: str, right: Any) -> bool:
    kinds = [("bool" if isinstance(side, bool) else "number" if isinstance(side, int | float) else "string" if isinstance(side, str) else "")
             for side in (left, right)]
    if not all(kinds):
        raise JsonPathError("invalid type for comparison")
    if kinds[0] != kinds[1] or type(left) is not type(right):
        raise JsonPathError("incompatible types for comparison")
    if operator in ("==", "=", "!="):
        if operator == "=":
            raise JsonPathError(f"unrecognized filter operator {operator}")
        return (left == right) is (operator == "==")
    if operator not in ("<", "<=", ">", ">="):
        raise JsonPathError(f"unrecognized filter operator {operator}")
    if kinds[0] == "bool":
        raise JsonPathError("invalid type for comparison")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


