"""Go templates for `-o go-template`: fields, variables, pipelines, if, range, with, and the built-in functions.

In: a template's text and an object in JSON's shape. Out: the text it gives. What is beyond this (define, template, block, call) is
refused by name instead of printed wrong.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from server.kubectl.flags import quoted
from server.kubectl.govalue import sprint, type_name

_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/|(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<char>'(?:\\.|[^'\\])')|(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?))"""
    r"""|(?P<variable>\$\w*)|(?P<field>\.\w+)|(?P<dot>\.)|(?P<word>\w+)|(?P<declare>:=)|(?P<mark>[|(),=])""",
    re.DOTALL,
)
_ACTION = re.compile(r"\{\{(- )?\s*(.*?)\s*( -)?\}\}", re.DOTALL)
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_UNSUPPORTED = ("define", "template", "block", "call")
MISSING = object()


class TemplateError(ValueError):
    """A template that cannot be parsed or executed."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


@dataclass
class Operand:
    """`kind`: literal, dot, variable, function, pipe; then `fields` are looked up in turn. `text` and `place` are for errors."""

    kind: str
    value: Any = None
    fields: list[str] = field(default_factory=list)
    text: str = ""
    place: str = ""


@dataclass
class Pipe:
    """`declares` variables get the value; `assign` says = instead of :=."""

    commands: list[list[Operand]]
    declares: list[str] = field(default_factory=list)
    assign: bool = False


@dataclass
class Block:
    kind: str
    text: str = ""
    pipe: Pipe | None = None
    body: list[Block] = field(default_factory=list)
    otherwise: list[Block] = field(default_factory=list)


class GoTemplate:
    def __init__(self, text: str, allow_missing: bool = True):
        self.text = text
        self.allow_missing = allow_missing
        self.body = _Reader(text).blocks()

    def render(self, data: Any) -> str:
        out: list[str] = []
        _Run(self.allow_missing, out).blocks(self.body, data, [{"$": data}])
        return "".join(out)


class _Reader:
    """Text to blocks."""

    def __init__(self, text: str):
        self.text = text
        self.pieces = self._pieces(text)
        self.position = 0

    def _pieces(self, text: str) -> list[tuple[str, str, int]]:
        """("text" or "action", its text, where it begins)"""
        pieces: list[tuple[str, str, int]] = []
        start, trim = 0, False
        while True:
            match = _ACTION.search(text, start)
            plain = text[start : match.start()] if match else text[start:]
            if match is None and "{{" in plain:
                raise TemplateError(f"template: output:{self._line(text, start)}: unclosed action")
            if trim:
                plain = plain.lstrip()
            if match and match.group(1):
                plain = plain.rstrip()
            if plain:
                pieces.append(("text", plain, start))
            if match is None:
                return pieces
            action = match.group(2)
            if not (action.startswith("/*") and action.endswith("*/")):
                pieces.append(("action", action, match.start(2)))
            trim = bool(match.group(3))
            start = match.end()

    @staticmethod
    def _line(text: str, position: int) -> int:
        return text.count("\n", 0, position) + 1

    def blocks(self) -> list[Block]:
        body, ended = self._until()
        if ended:
            raise TemplateError(f"template: output:1: unexpected {{{{{ended}}}}}")
        return body

    def _until(self) -> tuple[list[Block], str]:
        """Blocks up to an `end` or `else` at this level, and that word with what follows it."""
        body: list[Block] = []
        while self.position < len(self.pieces):
            kind, text, begin = self.pieces[self.position]
            self.position += 1
            if kind == "text":
                body.append(Block("text", text))
                continue
            word, _, rest = text.partition(" ")
            if word in ("end", "else"):
                return body, text
            if word in _UNSUPPORTED:
                raise TemplateError(f"{{{{{word}}}}} is not supported by Podium's go-template")
            body.append(self._block(word, rest.strip(), text, begin))
        return body, ""

    def _block(self, word: str, rest: str, text: str, begin: int) -> Block:
        if word in ("break", "continue"):
            return Block(word)
        if word not in ("if", "range", "with"):
            return Block("print", pipe=self._pipe(text, begin))
        if not rest:
            raise TemplateError(f"template: output:1: missing value for {word}")
        end = begin + len(text)
        block = Block(word, pipe=self._pipe(rest, end - len(rest)))
        block.body, ended = self._until()
        after = self.pieces[self.position - 1][2] + len(ended)
        if ended.startswith("else"):
            following = ended[4:].strip()
            if following:
                inner, _, condition = following.partition(" ")
                block.otherwise = [self._block(inner, condition.strip(), following, after - len(following))]
                return block
            block.otherwise, ended = self._until()
        if ended != "end":
            raise TemplateError("template: output:1: unexpected EOF")
        return block


    def _pipe(self, text: str, begin: int) -> Pipe:
        tokens = [(kind, token, spaced, self._place(begin + at)) for kind, token, spaced, at in _tokens(text)]
        pipe, rest = _read_pipe(tokens)
        if rest:
            raise TemplateError(f"template: output:1: unexpected {quoted(rest[0][1])} in operand")
        return pipe

    def _place(self, position: int) -> str:
        return f"{self._line(self.text, position)}:{position - self.text.rfind(chr(10), 0, position) - 1}"


def _tokens(text: str) -> Iterator[tuple[str, str, bool, int]]:
    """(kind, text, whether a blank stands before it, where)"""
    position, spaced = 0, True
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise TemplateError(f"template: output:1: unexpected {quoted(text[position])} in operand")
        if match.lastgroup:
            yield match.lastgroup, match.group(), spaced, position
        spaced = match.lastgroup is None
        position = match.end()


def _read_pipe(tokens: list) -> tuple[Pipe, list]:
    pipe = Pipe([])
    marks = [token[1] for token in tokens[:4]]
    for width in (1, 3):
        if tokens and tokens[0][0] == "variable" and len(marks) > width and marks[width] in (":=", "="):
            if width == 1 or (marks[1] == "," and tokens[2][0] == "variable"):
                pipe.declares = [token[1] for token in tokens[:width:2]]
                pipe.assign = marks[width] == "="
                tokens = tokens[width + 1 :]
                break
    command: list[Operand] = []
    while tokens and tokens[0][1] != ")":
        if tokens[0][0] == "mark" and tokens[0][1] == "|":
            if not command:
                raise TemplateError("template: output:1: missing value for command")
            pipe.commands.append(command)
            command, tokens = [], tokens[1:]
            continue
        operand, tokens = _operand(tokens)
        command.append(operand)
    if not command:
        raise TemplateError("template: output:1: missing value for command")
    pipe.commands.append(command)
    return pipe, tokens


def _operand(tokens: list) -> tuple[Operand, list]:
    kind, text, _, place = tokens[0]
    tokens = tokens[1:]
    if kind == "string":
        operand = Operand("literal", text[1:-1] if text[0] == "`" else unescape(text[1:-1]))
    elif kind == "char":
        operand = Operand("literal", ord(unescape(text[1:-1])))
    elif kind == "number":
        operand = Operand("literal", int(text, 0) if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)", text) else float(text))
    elif kind == "variable":
        operand = Operand("variable", text)
    elif kind == "field":
        operand = Operand("dot", fields=[text[1:]])
    elif kind == "dot":
        operand = Operand("dot")
    elif kind == "word":
        operand = _word(text)
    elif text == "(":
        inner, tokens = _read_pipe(tokens)
        if not tokens:
            raise TemplateError("template: output:1: unclosed left paren")
        operand, tokens = Operand("pipe", inner), tokens[1:]
    else:
        raise TemplateError(f"template: output:1: unexpected {quoted(text)} in operand")
    operand.text, operand.place = text, place
    while tokens and tokens[0][0] == "field" and not tokens[0][2]:
        if operand.text == text:
            operand.place = tokens[0][3]
        operand.fields.append(tokens[0][1][1:])
        operand.text += tokens[0][1]
        tokens = tokens[1:]
    return operand, tokens


def _word(text: str) -> Operand:
    if text in ("true", "false", "nil"):
        return Operand("literal", {"true": True, "false": False, "nil": None}[text])
    if text not in FUNCTIONS:
        raise TemplateError(f'template: output:1: function "{text}" not defined')
    return Operand("function", text)


def unescape(text: str) -> str:
    def one(match: re.Match) -> str:
        code = match.group(1) or match.group(2)
        return chr(int(code, 16)) if code else _LETTERS.get(match.group(3), match.group(3))

    return _ESCAPES.sub(one, text)


class _Run:
    def __init__(self, allow_missing: bool, out: list[str]):
        self.allow_missing = allow_missing
        self.out = out

    def blocks(self, body: list[Block], dot: Any, scopes: list[dict[str, Any]]) -> None:
        scopes = [*scopes, {}]
        for block in body:
            getattr(self, f"_{block.kind}")(block, dot, scopes)

    def _text(self, block: Block, dot: Any, scopes: list) -> None:
        self.out.append(block.text)

    def _print(self, block: Block, dot: Any, scopes: list) -> None:
        value = self.pipe(block.pipe, dot, scopes)
        if not block.pipe.declares:
            self.out.append("<no value>" if value is MISSING or value is None else sprint(value))

    def _if(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        chosen = block.body if truth(self.pipe(block.pipe, dot, scopes)) else block.otherwise
        self.blocks(chosen, dot, scopes)

    def _with(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        value = self.pipe(block.pipe, dot, scopes)
        self.blocks(block.body, value, scopes) if truth(value) else self.blocks(block.otherwise, dot, scopes)

    def _range(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        value = self.pipe(Pipe(block.pipe.commands), dot, scopes)
        pairs = _pairs(value)
        names = block.pipe.declares
        for key, item in pairs:
            inner = dict(zip(names[-2:], (item,) if len(names) == 1 else (key, item), strict=False))
            try:
                self.blocks(block.body, item, [*scopes, inner])
            except _Continue:
                continue
            except _Break:
                break
        if not pairs:
            self.blocks(block.otherwise, dot, scopes)

    def _break(self, block: Block, dot: Any, scopes: list) -> None:
        raise _Break

    def _continue(self, block: Block, dot: Any, scopes: list) -> None:
        raise _Continue

    def pipe(self, pipe: Pipe, dot: Any, scopes: list) -> Any:
        value: Any = None
        for position, command in enumerate(pipe.commands):
            value = self._command(command, dot, scopes, () if position == 0 else (value,))
        for name in pipe.declares:
            home = next((scope for scope in reversed(scopes) if name in scope), scopes[-1]) if pipe.assign else scopes[-1]
            home[name] = value
        return value

    def _command(self, command: list[Operand], dot: Any, scopes: list, piped: tuple) -> Any:
        first = command[0]
        if first.kind == "function":
            if first.value in ("and", "or"):
                return self._shortcut(first.value, command[1:], dot, scopes, piped)
            args = [self._value(operand, dot, scopes) for operand in command[1:]]
            return self._called(command, [*args, *piped])
        if len(command) > 1 or piped:
            raise TemplateError(f"can't give argument to non-function {quoted(first.value if isinstance(first.value, str) else '.')}")
        return self._value(first, dot, scopes)

    def _called(self, command: list[Operand], args: list[Any]) -> Any:
        try:
            return _call(command[0].value, args)
        except TemplateError as error:
            raise _at(command[0].place, " ".join(operand.text for operand in command), error) from None

    def _shortcut(self, name: str, operands: list[Operand], dot: Any, scopes: list, piped: tuple) -> Any:
        value: Any = None
        for operand in operands:
            value = self._value(operand, dot, scopes)
            if truth(value) is (name == "or"):
                return value
        return piped[0] if piped else value

    def _value(self, operand: Operand, dot: Any, scopes: list) -> Any:
        if operand.kind == "literal":
            value = operand.value
        elif operand.kind == "dot":
            value = dot
        elif operand.kind == "variable":
            scope = next((scope for scope in reversed(scopes) if operand.value in scope), None)
            if scope is None:
                raise TemplateError(f"undefined variable {quoted(operand.value)}")
            value = scope[operand.value]
        elif operand.kind == "pipe":
            value = self.pipe(operand.value, dot, scopes)
        else:
            value = _call(operand.value, [])
        for name in operand.fields:
            try:
                value = self._look_up(value, name)
            except TemplateError as error:
                raise _at(operand.place, operand.text, error) from None
        return value

    def _look_up(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            if name in value:
                return value[name]
            if not self.allow_missing:
                raise TemplateError(f'map has no entry for key "{name}"')
            return MISSING
        if value is MISSING:
            if not self.allow_missing:
                raise TemplateError(f'nil data; no entry for key "{name}"')
            return MISSING
        if value is None:
            raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
        raise TemplateError(f"can't evaluate field {name} in type interface {{}}")


def _at(place: str, text: str, error: TemplateError) -> TemplateError:
    return TemplateError(f'template: output:{place}: executing "output" at <{text}>: {error}')


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return [(number, number) for number in range(value)]
    if value is None or value is MISSING:
        return []
    raise TemplateError(f"range can't iterate over {sprint(value)}")


def truth(value: Any) -> bool:
    return value is not MISSING and bool(value)


def _plain(value: Any) -> Any:
    return None if value is MISSING else value


def _call(name: str, args: list[Any]) -> Any:
    try:
        return FUNCTIONS[name](*[_plain(arg) for arg in args])
    except TemplateError as error:
        raise TemplateError(f"error calling {name}: {error}") from None
    except TypeError:
        raise TemplateError(f"wrong number of args for {name}: got {len(args)}") from None


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
