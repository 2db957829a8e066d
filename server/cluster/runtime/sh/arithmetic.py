"""``$((expression))``: C's integer arithmetic on 64 bits, with the shell's variables.

The expression is compiled by precedence climbing into nested tuples, then computed, so that ``&&``, ``||`` and ``?:`` leave out what they
must. A variable's text may be an expression itself.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06_04
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

TOKEN = re.compile(r"\s*(?:(0[xX][0-9a-fA-F]+|\d+#[0-9a-zA-Z@_]+|\d[0-9a-zA-Z]*)|([A-Za-z_]\w*)(?:\[([^\]]*)\])?"
                   r"|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&^|]=|[-+*/%<>=!~&^|?:(),]))", re.A)
LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"), ("**",))
ASSIGNMENTS = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "<<=", ">>="])
LONGEST, DEEPEST = 16 * 1024, 64


class ArithmeticFault(Exception):
    """``kind`` is syntax, zero, recursion or base; ``at`` the text from the fault on."""

    def __init__(self, kind: str, text: str, at: str = "") -> None:
        super().__init__(kind)
        self.kind, self.text, self.at = kind, text, at


def wrapped(value: int) -> int:
    """As 64 bits hold it."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, Any, int]] = []
        self.at = 0
        self.depth = 0
        end, stripped = 0, text.rstrip()
        if len(text) > LONGEST:
            raise ArithmeticFault("syntax", text)
        while end < len(stripped):
            found = TOKEN.match(stripped, end)
            if found is None:
                raise ArithmeticFault("syntax", text, stripped[end:].lstrip())
            number, name, index, operator = found.groups()
            start = found.end() - len(found[0].lstrip())
            if number:
                self.tokens.append(("number", self._number(number), start))
            elif name:
                self.tokens.append(("name", (name, index), start))
            else:
                self.tokens.append(("op", operator, start))
            end = found.end()

    def _number(self, text: str) -> int:
        try:
            if "#" in text:
                base, _, digits = text.partition("#")
                return wrapped(int(digits, int(base)))
            if text[:2] in ("0x", "0X"):
                return wrapped(int(text, 16))
            return wrapped(int(text, 8 if text.startswith("0") else 10))
        except ValueError:
            raise ArithmeticFault("base", text, text) from None

    def fault(self) -> ArithmeticFault:
        place = self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text)
        if self.at >= len(self.tokens) and self.tokens:
            place = self.tokens[-1][2]
        return ArithmeticFault("syntax", self.text, self.text[place:])

    def op(self, *wanted: str) -> str:
        if self.at < len(self.tokens):
            kind, value, _ = self.tokens[self.at]
            if kind == "op" and value in wanted:
                self.at += 1
                return value
        return ""

    def need(self, wanted: str) -> None:
        if not self.op(wanted):
            raise self.fault()

    def whole(self) -> Any:
        if not self.tokens:
            return 0
        tree = self.comma()
        if self.at < len(self.tokens):
            raise self.fault()
        return tree

    def comma(self) -> Any:
        tree = self.assignment()
        while self.op(","):
            tree = (",", tree, self.assignment())
        return tree

    def assignment(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ArithmeticFault("recursion", self.text, self.text)
        start = self.at
        if self.at + 1 < len(self.tokens) and self.tokens[self.at][0] == "name" and self.tokens[self.at + 1][0] == "op" and (
                self.tokens[self.at + 1][1] in ASSIGNMENTS):
            name, operator = self.tokens[self.at][1], self.tokens[self.at + 1][1]
            self.at += 2
            tree: Any = ("=", operator[:-1], name, self.assignment())
        else:
            self.at = start
            tree = self.binary(0)
            if self.op("?"):
                yes = self.comma()
                self.need(":")
                tree = ("?", tree, yes, self.assignment())
        self.depth -= 1
        return tree

    def binary(self, level: int) -> Any:
        if level == len(LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while operator := self.op(*LEVELS[level]):
            right = self.binary(level if operator == "**" else level + 1)
            tree = (operator, tree, right)
        return tree

    def unary(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ArithmeticFault("recursion", self.text, self.text)
        try:
            if step := self.op("++", "--"):
                if self.at < len(self.tokens) and self.tokens[self.at][0] == "name":
                    self.at += 1
                    return ("pre", step[0], self.tokens[self.at - 1][1])
                inner = self.unary()
                return inner if step == "++" else inner
            if sign := self.op("-", "+", "!", "~"):
                return ("unary", sign, self.unary())
            return self.primary()
        finally:
            self.depth -= 1

    def primary(self) -> Any:
        if self.op("("):
            tree = self.comma()
            self.need(")")
            return tree
        if self.at >= len(self.tokens) or self.tokens[self.at][0] == "op":
            raise self.fault()
        kind, value, _ = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return value
        if step := self.op("++", "--"):
            return ("post", step[0], value)
        return ("name", value)


@lru_cache(maxsize=512)
def compiled(text: str) -> Any:
    return _Parser(text).whole()


def compute(text: str, get: Callable[[str, str | None], str], put: Callable[[str, str | None, str], None], depth: int = 0,
            eager: bool = False) -> int:
    """The value of an expression; ``get`` and ``put`` are the shell's variables (with an array's index). ``eager``: what ``&&``, ``||`` and
    ``?:`` need not know is computed all the same, as busybox does.

    >>> compute("1 + 2 * (3 > 2) ? x : 9", lambda name, index: "5", lambda *_: None)
    5
    """
    if depth > DEEPEST // 2:
        raise ArithmeticFault("recursion", text, text)

    def value_of(name: tuple[str, str | None]) -> int:
        found = get(*name).strip()
        if re.fullmatch(r"-?(0|[1-9]\d{0,17})", found):
            return int(found)
        return compute(found, get, put, depth + 1, eager) if found else 0

    def run(tree: Any) -> int:
        if isinstance(tree, int):
            return tree
        kind = tree[0]
        if kind == "name":
            return value_of(tree[1])
        if eager and kind in ("&&", "||"):
            left, right = run(tree[1]), run(tree[2])
            return int(bool(left and right if kind == "&&" else left or right))
        if eager and kind == "?":
            test, yes, no = run(tree[1]), run(tree[2]), run(tree[3])
            return yes if test else no
        if kind == "&&":
            return int(bool(run(tree[1]) and run(tree[2])))
        if kind == "||":
            return int(bool(run(tree[1]) or run(tree[2])))
        if kind == "?":
            return run(tree[2]) if run(tree[1]) else run(tree[3])
        if kind == ",":
            run(tree[1])
            return run(tree[2])
        if kind == "=":
            result = run(tree[3])
            if tree[1]:
                result = apply(tree[1], value_of(tree[2]), result)
            put(*tree[2], str(result))
            return result
        if kind in ("pre", "post"):
            before = value_of(tree[2])
            after = wrapped(before + (1 if tree[1] == "+" else -1))
            put(*tree[2], str(after))
            return after if kind == "pre" else before
        if kind == "unary":
            inner = run(tree[2])
            return {"-": lambda: wrapped(-inner), "+": lambda: inner, "!": lambda: int(not inner), "~": lambda: ~inner}[tree[1]]()
        return apply(kind, run(tree[1]), run(tree[2]))

    def apply(operator: str, left: int, right: int) -> int:
        if operator in ("/", "%"):
            if right == 0:
                raise ArithmeticFault("zero", text, text.rstrip().rpartition(operator)[2].strip())
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return wrapped(quotient if operator == "/" else left - quotient * right)
        if operator == "**":
            if right < 0:
                raise ArithmeticFault("exponent", text, str(right))
            return wrapped(pow(left, right, 1 << 64))
        return wrapped(OPERATIONS[operator](left, right))

    return run(compiled(text))


OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63),
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), ">": lambda a, b: int(a > b), "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b),
}
