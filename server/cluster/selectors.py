"""Label selectors: a client's string or a LabelSelector object in, a ``Selector`` that answers ``matches`` out.

``Selector.exact`` gives the (key, value) pairs every match must carry, so that a label index can serve the selector without
a scan. Parse errors are worded as the API server words them. Parsing is cached by text; a LabelSelector object by identity.

>>> parse("app in (a,b),tier,!x,a!=b").matches({"app": "a", "tier": ""})
True
>>> parse("app=web").exact
(('app', 'web'),)
>>> parse("app in multi")
Traceback (most recent call last):
    ...
server.cluster.selectors.SelectorError: unable to parse requirement: found 'multi' expected: '('
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from server.cluster import names

IN, NOT_IN, EXISTS, ABSENT, GREATER, LESS = "in", "notin", "exists", "!", "gt", "lt"
EQUALS, DOUBLE_EQUALS, NOT_EQUALS = "=", "==", "!="
_SYMBOLS = {")": "close", ",": "comma", "!": "not", "==": DOUBLE_EQUALS, "=": EQUALS, ">": GREATER, "<": LESS,
            "!=": NOT_EQUALS, "(": "open"}
_WORDS = {"in": IN, "notin": NOT_IN}
_OPERATORS = (IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER, LESS)
_EXPECTED_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_SPECIAL = frozenset("=!(),><")
_INTEGER = re.compile(r"[+-]?[0-9]+")
MAX_TEXT = 100_000


class SelectorError(ValueError):
    """The selector cannot be parsed; the message is the API server's."""


class Requirement(NamedTuple):
    """One condition on one label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        operator = self.operator
        if operator in (IN, EQUALS, DOUBLE_EQUALS):
            return value is not None and value in self.values
        if operator in (NOT_IN, NOT_EQUALS):
            return value is None or value not in self.values
        if operator == EXISTS:
            return value is not None
        if operator == ABSENT:
            return value is None
        if value is None or not _INTEGER.fullmatch(value):
            return False
        return int(value) > int(self.values[0]) if operator == GREATER else int(value) < int(self.values[0])

    def __str__(self) -> str:
        if self.operator == EXISTS:
            return self.key
        if self.operator == ABSENT:
            return f"!{self.key}"
        if self.operator in (IN, NOT_IN):
            return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        sign = {GREATER: ">", LESS: "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{self.values[0]}"


class Selector:
    """A conjunction of requirements. No requirement matches everything; ``NOTHING`` matches nothing.

    >>> str(parse("b,a=1")), parse("").empty, parse("x notin (a)").matches({})
    ('a=1,b', True, True)
    """

    __slots__ = ("_rest", "empty", "exact", "nothing", "requirements")

    def __init__(self, requirements: tuple[Requirement, ...] = (), nothing: bool = False) -> None:
        self.requirements = requirements
        self.nothing = nothing
        self.empty = not requirements and not nothing
        self.exact: tuple[tuple[str, str], ...] = tuple(
            (r.key, r.values[0]) for r in requirements if r.operator in (IN, EQUALS, DOUBLE_EQUALS) and len(r.values) == 1
        )
        pairs = set(self.exact)
        self._rest = tuple(r for r in requirements if len(r.values) != 1 or (r.key, r.values[0]) not in pairs
                           or r.operator not in (IN, EQUALS, DOUBLE_EQUALS))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        labels = labels or {}
        for key, value in self.exact:
            if labels.get(key) != value:
                return False
        return all(requirement.matches(labels) for requirement in self._rest)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in sorted(self.requirements, key=lambda r: r.key))

    def __repr__(self) -> str:
        return f"Selector({'nothing' if self.nothing else str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and (self.requirements, self.nothing) == (other.requirements, other.nothing)

    def __hash__(self) -> int:
        return hash((self.requirements, self.nothing))


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


# strings -----------------------------------------------------------------------------------------------------------------

def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, end = [], 0, len(text)
    while at < end:
        char = text[at]
        if char in " \t\r\n":
            at += 1
        elif char in _SPECIAL:
            longest = 2 if text[at:at + 2] in _SYMBOLS else 1
            symbol = text[at:at + longest]
            tokens.append((_SYMBOLS[symbol], symbol))
            at += longest
        else:
            start = at
            while at < end and text[at] not in _SPECIAL and text[at] not in " \t\r\n":
                at += 1
            word = text[start:at]
            tokens.append((_WORDS.get(word, "identifier"), word))
    tokens.append(("end", ""))
    return tokens


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def look(self, values: bool = True) -> tuple[str, str]:
        token, literal = self.tokens[min(self.at, len(self.tokens) - 1)]
        return ("identifier", literal) if values and token in (IN, NOT_IN) else (token, literal)

    def take(self, values: bool = True) -> tuple[str, str]:
        found = self.look(values)
        self.at += 1
        return found

    def parse(self) -> tuple[Requirement, ...]:
        requirements = []
        while True:
            token, literal = self.look()
            if token == "end":
                return tuple(requirements)
            if token not in ("identifier", "not"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                requirements.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token, literal = self.take()
            if token == "end":
                return tuple(requirements)
            if token != "comma":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            token, literal = self.look()
            if token not in ("identifier", "not"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        token, key = self.take()
        absent = token == "not"
        if absent:
            token, key = self.take()
        if token != "identifier":
            raise SelectorError(f"found '{key}', expected: identifier")
        _check_key(key)
        if absent:
            return Requirement(key, ABSENT)
        if self.look()[0] in ("end", "comma"):
            return Requirement(key, EXISTS)
        operator, literal = self.take(values=False)
        if operator not in _OPERATORS:
            raise SelectorError(f"found '{literal}', expected: {_EXPECTED_OPERATORS}")
        values = self.values() if operator in (IN, NOT_IN) else (self.exact_value(),)
        return _checked(Requirement(key, operator, values))

    def values(self) -> tuple[str, ...]:
        token, literal = self.take()
        if token != "open":
            raise SelectorError(f"found '{literal}' expected: '('")
        token, first = self.look()
        if token == "close":
            self.take()
            return ("",)
        if token not in ("identifier", "comma"):
            raise SelectorError(f"found '{first}', expected: ',', ')' or identifier")
        found = self.identifiers()
        if self.take()[0] != "close":
            raise SelectorError(f"found '{first}', expected: ')'")
        return tuple(sorted(found))

    def identifiers(self) -> set[str]:
        found: set[str] = set()
        while True:
            token, literal = self.take()
            if token == "identifier":
                found.add(literal)
                token, literal = self.look()
                if token == "close":
                    return found
                if token != "comma":
                    raise SelectorError(f"found '{literal}', expected: ',' or ')'")
            elif token == "comma":
                if not found:
                    found.add("")
                token, _ = self.look()
                if token == "close":
                    found.add("")
                    return found
                if token == "comma":
                    self.take()
                    found.add("")
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")

    def exact_value(self) -> str:
        if self.look()[0] in ("end", "comma"):
            return ""
        token, literal = self.take()
        if token != "identifier":
            raise SelectorError(f"found '{literal}', expected: identifier")
        return literal


def _check_key(key: str) -> None:
    faults = names.qualified_name(key)
    if faults:
        raise SelectorError(f'<nil>: Invalid value: "{key}": {"; ".join(faults)}')


def _checked(requirement: Requirement) -> Requirement:
    if requirement.operator in (GREATER, LESS) and not _INTEGER.fullmatch(requirement.values[0]):
        raise SelectorError(f'values[0]: Invalid value: "{requirement.values[0]}": for \'Gt\', \'Lt\' operators, the value must be '
                            "an integer")
    for index, value in enumerate(requirement.values):
        faults = names.label_value(value)
        if faults:
            raise SelectorError(f'values[{index}][{requirement.key}]: Invalid value: "{value}": {"; ".join(faults)}')
    return requirement


@lru_cache(maxsize=4096)
def parse(text: str) -> Selector:
    """A label selector's string."""
    if len(text) > MAX_TEXT:
        raise SelectorError(f"selector is longer than {MAX_TEXT} characters")
    requirements = _Parser(text).parse()
    return Selector(requirements) if requirements else EVERYTHING


# objects -----------------------------------------------------------------------------------------------------------------

_OBJECT_OPERATORS = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": ABSENT, "Gt": GREATER, "Lt": LESS}
_by_identity: OrderedDict[int, tuple[dict, Selector]] = OrderedDict()


def from_labels(labels: Mapping[str, str] | None) -> Selector:
    """A plain map, as in a Service's selector.

    >>> from_labels({"app": "web"}).matches({"app": "web", "x": "y"})
    True
    """
    return Selector(tuple(Requirement(key, EQUALS, (value,)) for key, value in sorted((labels or {}).items())))


def from_object(selector: dict[str, Any] | None) -> Selector:
    """A LabelSelector; None selects nothing, {} everything.

    >>> from_object({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}).matches({"a": "c"})
    True
    """
    if selector is None:
        return NOTHING
    cached = _by_identity.get(id(selector))
    if cached is not None and cached[0] is selector:
        return cached[1]
    requirements = [Requirement(key, EQUALS, (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        requirements.append(from_expression(expression))
    built = Selector(tuple(requirements)) if requirements else EVERYTHING
    _by_identity[id(selector)] = (selector, built)
    if len(_by_identity) > 2048:
        _by_identity.popitem(last=False)
    return built


def of_workload(workload: dict[str, Any]) -> Selector:
    """What selects a workload's pods: a LabelSelector or, in a ReplicationController, a plain map.

    >>> str(of_workload({"kind": "ReplicationController", "spec": {"selector": {"app": "web"}}}))
    'app=web'
    """
    selector = workload["spec"].get("selector")
    return from_labels(selector) if workload["kind"] == "ReplicationController" else from_object(selector)


def from_expression(expression: dict[str, Any]) -> Requirement:
    """One of matchExpressions, of a LabelSelector or of a node selector term."""
    operator = _OBJECT_OPERATORS.get(expression.get("operator", ""))
    if operator is None:
        raise SelectorError(f'"{expression.get("operator", "")}" is not a valid label selector operator')
    return Requirement(expression.get("key", ""), operator, tuple(sorted(expression.get("values") or ())))


def node_term_holds(term: Mapping[str, Any] | tuple, labels: Mapping[str, str], node: str) -> bool:
    """A node selector term (frozen or not) against a node's labels and name. All that it says must hold; one that says nothing holds
    nowhere.

    >>> node_term_holds({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1"]}]}, {}, "w1")
    True
    """
    term = dict(term)
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    try:
        return bool(expressions or fields) and (
            all(from_expression(dict(entry)).matches(labels) for entry in expressions)
            and all(from_expression(dict(entry)).matches({"metadata.name": node}) for entry in fields))
    except SelectorError:
        return False
