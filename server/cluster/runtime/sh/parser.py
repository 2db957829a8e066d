"""Reads a script: characters -> tokens -> the tree, a recursive descent over the grammar of POSIX with bash's additions.

``parse`` gives the complete commands (``Unit``) of a text in order, and the fault that ended the reading, if one did: what stands before
a line that is wrong runs all the same, as in a shell that reads line by line. Aliases are replaced in the text as it is read.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_10
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from server.cluster.runtime.sh.conditional import ConditionalParser
from server.cluster.runtime.sh.tokens import ASSIGNED, NAME, REDIRECTIONS, RESERVED, Token
from server.cluster.runtime.sh.tree import (
    AndOr,
    Arm,
    Assignment,
    Case,
    Compute,
    For,
    ForArithmetic,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirect,
    Sequence,
    Simple,
    Subshell,
    Text,
    Unit,
    Word,
)
from server.cluster.runtime.sh.words import SyntaxFault

LONGEST = 128 * 1024


class Parsed(NamedTuple):
    units: tuple[Unit, ...]
    fault: SyntaxFault | None


@lru_cache(maxsize=512)
def parse(text: str, dialect: str = "ash", aliases: tuple[tuple[str, str], ...] = ()) -> Parsed:
    """
    >>> [len(unit.root.items) for unit in parse("a; b\\nc").units], parse("if a; then").fault.incomplete
    ([2, 1], True)
    """
    if len(text) > LONGEST:
        return Parsed((), SyntaxFault(text="script too long"))
    reader, units = Parser(text, dialect, dict(aliases)), []
    try:
        while (unit := reader.unit()) is not None:
            units.append(unit)
    except SyntaxFault as fault:
        return Parsed(tuple(units), fault)
    except RecursionError:
        return Parsed(tuple(units), SyntaxFault(text="nested too deep", line=reader.line))
    return Parsed(tuple(units), None)


class Parser(ConditionalParser):
    def unit(self) -> Unit | None:
        """The next complete command; None at the end."""
        self.fresh()
        while self.peek().kind == "newline":
            self.next()
        token = self.peek()
        if token.kind == "end":
            return None
        start, line = token.at, self.line
        items = self.items(top=True)
        token = self.peek()
        if token.kind not in ("newline", "end"):
            self.unexpected()
        end = token.at if token.kind == "end" else self.pos
        root = self.add(Sequence, tuple(items))
        return Unit(self.text[start:end], root, tuple(self.nodes), tuple(self.documents), len(self.text) - end, line, self.open_document)

    def items(self, top: bool = False, ends: frozenset[str] = frozenset()) -> list[tuple[Any, bool]]:
        items = []
        while True:
            if not top:
                self.newlines()
            token = self.peek()
            if token.kind in ("end", "newline"):
                return items
            if token.kind == "op" and token.text in (")", ";;", ";&", ";;&") and not top:
                return items
            if token.kind == "word" and token.text in ends:
                return items
            command = self.and_or()
            token = self.peek()
            background = token.kind == "op" and token.text == "&"
            items.append((command, background))
            if token.kind == "op" and token.text in (";", "&") or token.kind == "newline" and not top:
                self.next()
            else:
                return items

    def body(self, *ends: str) -> Any:
        """A list up to one of the words ``ends``, which is left to the caller."""
        self.deeper()
        items = self.items(ends=frozenset(ends))
        if not items or self.peek().text not in ends or self.peek().kind == "newline":
            self.unexpected(f'"{ends[0]}"' if items or self.peek().kind == "end" else "")
        self.depth -= 1
        return self.add(Sequence, tuple(items))

    def and_or(self) -> Any:
        first, rest = self.pipeline(), []
        while (token := self.peek()).kind == "op" and token.text in ("&&", "||"):
            self.next()
            self.newlines()
            rest.append((token.text, self.pipeline()))
        return self.add(AndOr, first, tuple(rest)) if rest else first

    def pipeline(self) -> Any:
        negated, timed = False, ""
        while self.peek().kind == "word" and (self.peek().text == "!" or self.peek().text == "time" and self.bash):
            if self.next().text == "!":
                negated = not negated
            else:
                timed = "real"
                if self.peek().text == "-p":
                    self.next()
                    timed = "posix"
        if timed and self.peek().kind != "word" and self.peek().text != "(":
            commands = [self.add(Simple, (), (), (), self.line)]
        else:
            commands = [self.command()]
        while (token := self.peek()).kind == "op" and token.text in ("|", "|&"):
            self.next()
            self.newlines()
            if token.text == "|&":
                commands[-1] = self._with_stderr(commands[-1])
            commands.append(self.command())
        if len(commands) == 1 and not negated and not timed:
            return commands[0]
        return self.add(Pipeline, tuple(commands), negated, timed)

    def _with_stderr(self, command: Any) -> Any:
        both = Redirect(2, ">&", Word((Text("1"),)))
        if isinstance(command, Function):
            return command
        command = command._replace(redirects=(*command.redirects, both))
        self.nodes[command.id] = command
        return command

    def command(self) -> Any:
        self._alias()
        token = self.peek()
        self.deeper()
        try:
            if token.kind == "word":
                if token.text in COMPOUND:
                    self.next()
                    return getattr(self, COMPOUND[token.text])()
                if token.text in BASH_COMPOUND and (self.bash or token.text == "function" and self.dialect == "ash"):
                    self.next()
                    return self.conditional() if token.text == "[[" else self._function()
                if token.text in RESERVED:
                    self.unexpected()
                return self.simple()
            if token.kind == "op" and token.text == "(":
                if self.bash and self.text.startswith("((", token.at) and (compute := self._compute()) is not None:
                    return compute
                self.next()
                body = self.body(")")
                self.expect(")")
                return self.add(Subshell, body, self.redirects())
            if token.kind == "op" and token.text in REDIRECTIONS:
                return self.simple()
            self.unexpected()
        finally:
            self.depth -= 1

    def simple(self) -> Any:
        assignments, words, redirects, line = [], [], [], self.line_at(self.peek().at)
        while True:
            redirect = self.redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            token = self.peek()
            if token.kind == "op" and token.text in ("&&", "||") and self.dialect == "ash" and words and words[0].literal == "[[" and (
                    words[-1].literal != "]]"):
                words.append(Word((Text("-a" if token.text == "&&" else "-o"),)))
                self.next()
                continue
            if token.kind != "word":
                break
            found = ASSIGNED.match(token.text) if not words else None
            if found is not None and (found[2] is None and not found[3] or self.bash):
                assignments.append(self._assignment(token, found))
                continue
            if not words and not assignments and not redirects and self.bash and token.text == "[[":
                break
            words.append(self.word_at(token.at))
            self.token = None
            if len(words) == 1 and not assignments and self.peek().text == "(" and self.peek().kind == "op":
                name = words[0].literal
                self.next()
                if self.peek().text != ")":
                    self.unexpected('")"')
                self.next()
                if name is None or not (NAME.fullmatch(name) or self.bash):
                    raise SyntaxFault(text="bad function name", line=line)
                return self._defined(name)
        if not (assignments or words or redirects):
            self.unexpected()
        return self.add(Simple, tuple(assignments), tuple(words), tuple(redirects), line)

    def _assignment(self, token: Token, found: re.Match[str]) -> Assignment:
        at = token.at + found.end()
        index = self.inner(found[2]) if found[2] is not None else None
        if self.bash and self.text.startswith("(", at) and self.pos == at:
            self.token, self.pos = None, at + 1
            items = []
            self.newlines()
            while self.peek().kind == "word":
                items.append(self.word_at(self.peek().at))
                self.token = None
                self.newlines()
            self.expect(")")
            return Assignment(found[1], Word(()), bool(found[3]), index, tuple(items))
        self.token = None
        return Assignment(found[1], self.assigned(at), bool(found[3]), index)

    def _defined(self, name: str) -> Function:
        self.newlines()
        token = self.peek()
        if token.kind == "end":
            self.unexpected()
        return self.add(Function, name, self.command())

    def _function(self) -> Function:
        token = self.next()
        if token.kind != "word":
            self.unexpected()
        if self.peek().text == "(" and self.peek().kind == "op":
            self.next()
            self.expect(")")
        return self._defined(token.text)

    def _if(self) -> If:
        clauses, otherwise = [], None
        while True:
            condition = self.body("then")
            self.next()
            clauses.append((condition, self.body("fi", "elif", "else")))
            if (token := self.next()).text != "elif":
                break
        if token.text == "else":
            otherwise = self.body("fi")
            self.next()
        return self.add(If, tuple(clauses), otherwise, self.redirects())

    def _while(self, until: bool = False) -> Loop:
        condition = self.body("do")
        self.next()
        body = self.body("done")
        self.next()
        return self.add(Loop, until, condition, body, self.redirects())

    def _until(self) -> Loop:
        return self._while(True)

    def _for(self) -> Any:
        token, line = self.peek(), self.line
        if self.bash and token.kind == "op" and self.text.startswith("((", token.at):
            return self._for_arithmetic()
        if token.kind != "word" or not NAME.fullmatch(token.text):
            raise SyntaxFault(text="bad for loop variable", line=line, quote=token.text, incomplete=False)
        name, words = token.text, None
        self.next()
        self.newlines()
        if self.peek().text == "in" and self.peek().kind == "word":
            self.next()
            words = []
            while self.peek().kind == "word":
                words.append(self.word_at(self.peek().at))
                self.token = None
            if self.peek().text != ";" and self.peek().kind != "newline":
                self.unexpected()
            self.next()
        elif self.peek().text == ";":
            self.next()
        self.newlines()
        return self.add(For, name, None if words is None else tuple(words), self._do(), self.redirects(), line)

    def _do(self) -> Any:
        self.newlines()
        if self.bash and self.peek().text == "{":
            self.next()
            body = self.body("}")
            self.next()
            return body
        self.expect("do")
        body = self.body("done")
        self.next()
        return body

    def _for_arithmetic(self) -> ForArithmetic:
        text = self._double_parens()
        parts = (text or "").split(";")
        if text is None or len(parts) != 3:
            self.unexpected()
        if self.peek().text == ";":
            self.next()
        return self.add(ForArithmetic, tuple(self.inner(part) for part in parts), self._do(), self.redirects())

    def _double_parens(self) -> str | None:
        """The text between ``((`` and ``))``, None if it is something else."""
        start, depth, at = self.peek().at + 2, 0, self.peek().at + 2
        while at < len(self.text):
            if self.text[at] == "(":
                depth += 1
            elif self.text[at] == ")":
                if depth == 0:
                    if not self.text.startswith("))", at):
                        return None
                    self.token, self.pos = None, at + 2
                    return self.text[start:at]
                depth -= 1
            at += 1
        return None

    def _compute(self) -> Compute | None:
        text = self._double_parens()
        return self.add(Compute, self.inner(text), self.redirects()) if text is not None else None

    def _case(self) -> Case:
        token = self.peek()
        if token.kind != "word":
            self.unexpected()
        word = self.word_at(token.at)
        self.token = None
        self.newlines()
        self.expect("in")
        arms = []
        while True:
            self.newlines()
            token = self.peek()
            if token.text == "esac" and token.kind == "word":
                break
            if token.text == "(" and token.kind == "op":
                self.next()
            patterns = []
            while True:
                if self.peek().kind != "word":
                    self.unexpected('")"' if self.peek().kind == "end" else "")
                patterns.append(self.word_at(self.peek().at))
                self.token = None
                if self.peek().text != "|":
                    break
                self.next()
            self.expect(")")
            self.deeper()
            items = self.items(ends=frozenset({"esac"}))
            self.depth -= 1
            body = self.add(Sequence, tuple(items)) if items else None
            token = self.peek()
            if token.kind == "op" and token.text in (";;", ";&", ";;&"):
                self.next()
                arms.append(Arm(tuple(patterns), body, token.text))
            elif token.text == "esac" and token.kind == "word":
                arms.append(Arm(tuple(patterns), body, ";;"))
            else:
                self.unexpected('";;"')
        self.next()
        return self.add(Case, word, tuple(arms), self.redirects())

    def _group(self) -> Group:
        body = self.body("}")
        self.next()
        return self.add(Group, body, self.redirects())


COMPOUND = {"if": "_if", "while": "_while", "until": "_until", "for": "_for", "case": "_case", "{": "_group"}
BASH_COMPOUND = frozenset({"[[", "function"})
