"""Go templates read: text to blocks of text, pipelines, if, range and with.

In: a template's text. Out: `Block`s for gotemplate.py to run, or a TemplateError. Every operand knows where it stands, because Go says so
in its errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from server.kubectl.flags import quoted
from server.kubectl.gofunctions import FUNCTIONS, TemplateError

_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/|(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<char>'(?:\\.|[^'\\])')|(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?))"""
    r"""|(?P<variable>\$\w*)|(?P<field>\.\w+)|(?P<dot>\.)|(?P<word>\w+)|(?P<declare>:=)|(?P<mark>[|(),=])""",
    re.DOTALL,
)
_ACTION = re.compile(r"\{\{(- )?\s*(.*?)\s*( -)?\}\}", re.DOTALL)
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_UNSUPPORTED = ("define", "template", "block", "call")
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


class Reader:
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
        declared = tokens[:width:2]
        if len(marks) > width and marks[width] in (":=", "=") and all(token[0] == "variable" for token in declared):
            pipe.declares = [token[1] for token in declared]
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
