"""The tokens and expressions of awk: text as a tree of tuples, whose first item says what they are.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html#tag_20_06_13_16
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

LONGEST, DEEPEST = 64 * 1024, 150
KEYWORDS = frozenset(("BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile", "exit",
                      "return", "delete", "in", "getline", "print", "printf"))
BUILTINS = frozenset(("length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp", "log", "sqrt", "int",
                      "rand", "srand", "tolower", "toupper", "system", "close", "fflush", "and", "or", "xor", "lshift", "rshift", "compl",
                      "strftime", "systime", "mktime"))
TOKEN = re.compile(r"""(?P<space>(?:[ \t\r]|\\\r?\n|\#[^\n]*)+)|(?P<newline>\n)|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:\\.|[^"\\\n])*")|(?P<name>[A-Za-z_]\w*)
    |(?P<mark>&&|\|\||\+\+|--|\*\*=|\*\*|\+=|-=|\*=|/=|%=|\^=|==|<=|>=|!=|!~|>>|[-+*/%^!<>|?:~$=(){}\[\];,&])""", re.X | re.S | re.A)
REGEX = re.compile(r"/((?:\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\n\\])*\]|[^/\n\\\[])*)/")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
Tree = tuple[Any, ...]


class BadProgram(Exception):
    """``str()`` says what is unexpected, in busybox's words; ``line`` where, ``near`` what stands there; ``mawk`` are that one's words, if
    they are others, and ``late`` how many lines later it tells."""

    def __init__(self, text: str, line: int = 1, near: str = "", mawk: str = "", late: int = 0) -> None:
        super().__init__(text)
        self.line = line
        self.near = near
        self.mawk = mawk
        self.late = late


class Function(NamedTuple):
    name: str
    params: list[str]
    body: Tree


def unescaped(text: str) -> str:
    """What a string means.

    >>> unescaped(r"a\\tb\\.")
    'a\\tb\\\\.'
    """

    def one(found: re.Match[str]) -> str:
        letter = found[1]
        if letter[0] in "01234567":
            return chr(int(letter, 8) & 255)
        return ESCAPES.get(letter, "" if letter == "\n" else "\\" + letter)

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.S)


class Operators:
    """A recursive descent, from the operator that binds loosest to the one that binds tightest."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise BadProgram("program too large")
        self.text, self.at, self.line = text, 0, 1
        self.kind, self.value, self.spaced = "", "", False
        self.functions: dict[str, Function] = {}
        self.depth = 0
        self.no_in = self.no_gt = False
        self.locals: list[str] = []
        self.move()

    # tokens

    def move(self) -> None:
        self.spaced = False
        self.line += self.value.count("\n")
        while True:
            if self.at >= len(self.text):
                self.kind, self.value = "end", ""
                return
            found = TOKEN.match(self.text, self.at)
            if found is None:
                raise BadProgram("Unexpected token", self.line)
            self.at = found.end()
            if found.lastgroup == "space":
                self.line += found[0].count("\n")
                self.spaced = True
                continue
            self.kind, self.value = found.lastgroup, found[0]
            return

    def is_(self, *values: str) -> bool:
        return self.kind in ("mark", "name", "newline") and self.value in values

    def accept(self, *values: str) -> str:
        if self.is_(*values):
            value = self.value
            self.move()
            return value
        return ""

    def expect(self, value: str) -> None:
        if not self.accept(value):
            raise self.unexpected()

    def unexpected(self) -> BadProgram:
        if self.kind == "end":
            mawk = "missing } near end of file" if self.text.count("{") > self.text.count("}") else "syntax error at or near end of file"
            return BadProgram("Unexpected token", self.line, "", mawk, 1)
        return BadProgram("Unexpected token", self.line, "end of line" if self.kind == "newline" else self.value)

    def newlines(self) -> None:
        while self.kind == "newline":
            self.move()

    # expressions, from the loosest to the tightest

    def expressions(self, end: str) -> list[Tree]:
        found: list[Tree] = []
        self.newlines()
        outer = self.no_in, self.no_gt
        self.no_in = self.no_gt = False
        while not self.accept(end):
            found.append(self.expression())
            self.newlines()
            if not self.is_(end):
                self.expect(",")
                self.newlines()
        self.no_in, self.no_gt = outer
        return found

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadProgram("program too deep", self.line)
        left = self.ternary()
        if self.is_("=", "+=", "-=", "*=", "/=", "%=", "^=", "**="):
            outer = left if left[0] in ("and", "or", "match") else None
            left = outer[-1] if outer is not None else left
            if left[0] not in ("name", "field", "index"):
                raise self.unexpected()
            operator = self.value.replace("**", "^")
            self.move()
            self.newlines()
            right = self.expression()
            left = ("assign", left, right) if operator == "=" else ("update", operator[0], left, right)
            left = left if outer is None else (*outer[:-1], left)
        self.depth -= 1
        return left

    def ternary(self) -> Tree:
        left = self.or_()
        if self.accept("?"):
            self.newlines()
            then = self.expression()
            self.newlines()
            self.expect(":")
            self.newlines()
            return "choose", left, then, self.expression()
        return left

    def or_(self) -> Tree:
        left = self.and_()
        while self.accept("||"):
            self.newlines()
            left = "or", left, self.and_()
        return left

    def and_(self) -> Tree:
        left = self.in_()
        while self.accept("&&"):
            self.newlines()
            left = "and", left, self.in_()
        return left

    def in_(self) -> Tree:
        left = self.match()
        while not self.no_in and self.is_("in"):
            self.move()
            left = "in", left[1] if left[0] == "list" else [left], self.name()
        return left

    def match(self) -> Tree:
        left = self.comparison()
        while self.is_("~", "!~"):
            operator = self.accept("~", "!~")
            left = "match", operator, left, self.comparison()
        return left

    def comparison(self) -> Tree:
        left = self.concatenation()
        while True:
            if self.is_("|") and self._getline_follows():
                self.move()
                self.move()
                left = "pipe", left, self._target()
            elif self.is_("<", "<=", "==", "!=", ">=") or self.is_(">") and not self.no_gt:
                operator = self.value
                self.move()
                left = "compare", operator, left, self.concatenation()
            else:
                return left

    def _getline_follows(self) -> bool:
        return re.compile(r"\s*getline\b").match(self.text, self.at) is not None

    def _target(self) -> Tree | None:
        """The variable that getline fills, if one follows."""
        if self.is_("$") or self.kind == "name" and self.value not in KEYWORDS and self.value not in BUILTINS:
            return self.postfix(plain=True)
        return None

    def concatenation(self) -> Tree:
        left = self.additive()
        while self._operand():
            left = "concat", left, self.additive()
        return left

    def _operand(self) -> bool:
        if self.kind in ("number", "string"):
            return True
        if self.kind == "name":
            return self.value not in KEYWORDS
        return self.is_("$", "!", "(", "-", "+", "++", "--") and not (self.is_("!") and self.text.startswith(("~", "="), self.at))

    def additive(self) -> Tree:
        left = self.multiplicative()
        while self.is_("+", "-"):
            operator = self.accept("+", "-")
            left = "binary", operator, left, self.multiplicative()
        return left

    def multiplicative(self) -> Tree:
        left = self.unary()
        while self.is_("*", "/", "%"):
            operator = self.accept("*", "/", "%")
            self.newlines()
            left = "binary", operator, left, self.unary()
        return left

    def unary(self) -> Tree:
        operator = self.accept("!", "-", "+")
        if operator:
            self.depth += 1
            if self.depth > DEEPEST:
                raise BadProgram("program too deep", self.line)
            found = "unary", operator, self.unary()
            self.depth -= 1
            return found
        return self.power()

    def power(self) -> Tree:
        left = self.postfix()
        if self.accept("^", "**"):
            operator = self.accept("-", "+", "!")
            right = self.power() if not operator else ("unary", operator, self.power())
            return "binary", "^", left, right
        return left

    def postfix(self, plain: bool = False) -> Tree:
        if self.is_("++", "--"):
            operator = self.accept("++", "--")
            target = self.postfix(plain=True)
            if target[0] not in ("name", "field", "index"):
                raise self.unexpected()
            return "before", operator[0], target
        found = self.primary()
        if not plain and found[0] in ("name", "field", "index") and self.is_("++", "--"):
            return "after", self.accept("++", "--")[0], found
        return found

    def primary(self) -> Tree:
        kind, value = self.kind, self.value
        if kind == "number":
            self.move()
            return "number", float(int(value, 16)) if value[:2].lower() == "0x" else float(value)
        if kind == "string":
            self.move()
            return "string", unescaped(value[1:-1])
        if self.is_("/", "/="):
            found = REGEX.match(self.text, self.at - len(value))
            if found is None:
                raise BadProgram("Unexpected token", self.line)
            self.at = found.end()
            self.move()
            return "regex", found[1].replace("\\/", "/")
        if self.accept("$"):
            if self.is_("++", "--"):
                return "field", self.postfix(plain=True)
            if self.is_("-", "+", "!"):
                operator = self.accept("-", "+", "!")
                return "field", ("unary", operator, self.primary())
            return "field", self.primary()
        if self.accept("("):
            found = self.expressions(")")
            if len(found) == 1:
                return "group", found[0]
            if not found or not self.is_("in") and not (self.no_gt):
                raise self.unexpected()
            return "list", found
        if self.accept("-", "+"):
            return "unary", value, self.unary()
        if self.accept("!"):
            return "unary", "!", self.unary()
        if self.accept("getline"):
            target = self._target()
            if self.accept("<"):
                return "getline", target, self.postfix(plain=True)
            return "getline", target, None
        if kind == "name" and value not in KEYWORDS:
            return self.named(value)
        raise self.unexpected()

    def named(self, name: str) -> Tree:
        called = self.text.startswith("(", self.at)
        self.move()
        if name in BUILTINS:
            if self.is_("("):
                self.move()
                return "builtin", name, self.expressions(")")
            if name != "length":
                raise self.unexpected()
            return "builtin", name, []
        if called:
            self.expect("(")
            return "call", name, self.expressions(")"), self.line
        if self.accept("["):
            return "index", name, self.expressions("]")
        return "name", name
