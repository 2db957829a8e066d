"""The grammar of awk: a program's rules, functions and statements, whose expressions are read by ``operators``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html#tag_20_06_13_16
"""

from __future__ import annotations

import re
from typing import NamedTuple

from server.cluster.runtime.programs.awk.operators import BUILTINS, DEEPEST, KEYWORDS, BadProgram, Function, Operators, Tree, unescaped


class Script(NamedTuple):
    """``rules``: (pattern, action), the pattern a tree, ("range", from, to) or None."""

    begin: list[Tree]
    rules: list[tuple[Tree | None, Tree | None]]
    end: list[Tree]
    functions: dict[str, Function]


class Parser(Operators):
    # the program

    def whole(self) -> Script:
        script = Script([], [], [], self.functions)
        while True:
            while self.kind == "newline" or self.is_(";"):
                self.move()
            if self.kind == "end":
                return script
            if self.accept("BEGIN"):
                self.newlines()
                script.begin.append(self.block())
            elif self.accept("END"):
                self.newlines()
                script.end.append(self.block())
            elif self.is_("function", "func"):
                self.function()
            else:
                pattern = None
                if not self.is_("{"):
                    pattern = self.expression()
                    if self.accept(","):
                        self.newlines()
                        pattern = ("range", pattern, self.expression())
                script.rules.append((pattern, self.block() if self.is_("{") else None))

    def function(self) -> None:
        self.move()
        name = self.name()
        if name in self.functions or name in BUILTINS:
            raise BadProgram("Duplicate function" if name in self.functions else "Unexpected token", self.line)
        self.expect("(")
        params = []
        while not self.accept(")"):
            params.append(self.name())
            if not self.is_(")"):
                self.expect(",")
            self.newlines()
        self.newlines()
        self.functions[name] = Function(name, params, ("block", []))
        self.functions[name] = Function(name, params, self.block())

    def name(self) -> str:
        if self.kind != "name" or self.value in KEYWORDS:
            raise self.unexpected()
        value = self.value
        self.move()
        return value

    # statements

    def block(self) -> Tree:
        self.expect("{")
        found = []
        while True:
            while self.kind == "newline" or self.is_(";"):
                self.move()
            if self.accept("}"):
                return "block", found
            found.append(self.statement())

    def body(self) -> Tree:
        self.newlines()
        if self.accept(";"):
            return "block", []
        return self.statement()

    def ended(self) -> None:
        if self.kind == "newline" or self.is_(";"):
            self.move()
        elif not self.is_("}") and self.kind != "end":
            raise self.unexpected()

    def statement(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadProgram("program too deep", self.line)
        found = self._statement()
        self.depth -= 1
        return found

    def _statement(self) -> Tree:
        if self.is_("{"):
            return self.block()
        if self.accept("if"):
            self.expect("(")
            condition = self.expression()
            self.expect(")")
            then = self.body()
            place = self.at, self.line, self.kind, self.value, self.spaced
            while self.kind == "newline" or self.is_(";"):
                self.move()
            if self.accept("else"):
                return "if", condition, then, self.body()
            self.at, self.line, self.kind, self.value, self.spaced = place
            return "if", condition, then, None
        if self.accept("while"):
            self.expect("(")
            condition = self.expression()
            self.expect(")")
            if self.accept(";"):
                return "while", condition, ("block", [])
            return "while", condition, self.body()
        if self.accept("do"):
            body = self.body()
            while self.kind == "newline" or self.is_(";"):
                self.move()
            self.expect("while")
            self.expect("(")
            condition = self.expression()
            self.expect(")")
            self.ended()
            return "do", body, condition
        if self.accept("for"):
            return self.loop()
        found = self.simple()
        self.ended()
        return found

    def loop(self) -> Tree:
        self.expect("(")
        if self.kind == "name" and self.value not in KEYWORDS:
            found = re.compile(r"\s+in\s+([A-Za-z_]\w*)\s*\)").match(self.text, self.at)
            if found is not None:
                variable = self.name()
                self.move()
                array = self.name()
                self.expect(")")
                return "each", variable, array, self.body()
        first = None if self.is_(";") else self.simple()
        self.expect(";")
        self.newlines()
        condition = None if self.is_(";") else self.expression()
        self.expect(";")
        self.newlines()
        step = None if self.is_(")") else self.simple()
        self.expect(")")
        if self.accept(";"):
            return "for", first, condition, step, ("block", [])
        return "for", first, condition, step, self.body()

    def simple(self) -> Tree:
        word = self.value if self.kind == "name" else ""
        if word in ("print", "printf"):
            return self.print_(word)
        if word in ("next", "nextfile", "break", "continue"):
            self.move()
            return (word,)
        if word in ("exit", "return"):
            self.move()
            return word, None if self.kind in ("newline", "end") or self.is_(";", "}") else self.expression()
        if word == "delete":
            self.move()
            array = self.name()
            if self.accept("["):
                subscripts = self.expressions("]")
                return "delete", array, subscripts
            return "delete", array, None
        return "expression", self.expression()

    def print_(self, word: str) -> Tree:
        self.move()
        arguments: list[Tree] = []
        target = None
        if not (self.kind in ("newline", "end") or self.is_(";", "}", ">", ">>", "|")):
            outer, self.no_gt = self.no_gt, True
            arguments = [self.expression()]
            while self.accept(","):
                self.newlines()
                arguments.append(self.expression())
            self.no_gt = outer
            if len(arguments) == 1 and arguments[0][0] == "list":
                arguments = arguments[0][1]
        if self.is_(">", ">>", "|"):
            kind = self.accept(">", ">>", "|")
            outer, self.no_gt = self.no_gt, True
            target = kind, self.concatenation()
            self.no_gt = outer
        if word == "printf" and not arguments:
            raise self.unexpected()
        return word, arguments, target


def parse(text: str) -> Script:
    """BadProgram."""
    return Parser(text).whole()


__all__ = ["BadProgram", "Function", "Script", "Tree", "parse", "unescaped"]
