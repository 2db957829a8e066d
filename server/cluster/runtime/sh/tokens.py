"""Tokens of a script, redirections and here-documents, and aliases, which are replaced in the text as it is read.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_03
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from server.cluster.runtime.sh.tree import (
    Redirect,
    Text,
    Word,
)
from server.cluster.runtime.sh.words import SyntaxFault, Words

LONGEST, DEEPEST, MOST_ALIASED = 128 * 1024, 60, 64
OPERATORS = ("<<<", "<<-", "&>>", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "|&",
             ";", "&", "|", "(", ")", "<", ">")
LACKING = {"ash": frozenset({"<<<", "|&", ";;&", "&>>"}), "dash": frozenset({"<<<", "&>>", "&>", "|&", ";;&", ";&"}), "bash": frozenset()}
REDIRECTIONS = frozenset({"<<<", "<<-", "&>>", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "<", ">"})
RESERVED = frozenset(["!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while"])
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^]\n]*)\])?(\+?)=")
NUMBER = re.compile(r"\d{1,3}(?=[<>])")
BLANK = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")


class Token(NamedTuple):
    """``kind`` is op, word, newline or end; ``at`` is where it begins."""

    kind: str
    text: str
    at: int


class Tokens(Words):
    def __init__(self, text: str, dialect: str = "ash", aliases: dict[str, str] | None = None) -> None:
        super().__init__(text, dialect)
        self.aliases = aliases or {}
        self.aliased = 0
        self._alias_ends: list[tuple[str, int]] = []
        self.level = 0
        self._read: tuple[int, Word, int] | None = None
        self.fresh()

    def fresh(self) -> None:
        self.token: Token | None = None
        self.nodes: list[Any] = []
        self.documents: list[Word] = []
        self.pending: list[tuple[int, str, bool, bool]] = []
        self.open_document = False
        self.depth = 0

    def add(self, kind: type, *fields: Any) -> Any:
        node = kind(len(self.nodes), *fields)
        self.nodes.append(node)
        return node

    def peek(self) -> Token:
        if self.token is None:
            self.token = self._scan()
        return self.token

    def next(self) -> Token:
        token = self.peek()
        self.token = None
        return token

    def _scan(self) -> Token:
        self.pos = BLANK.match(self.text, self.pos).end()
        at, text = self.pos, self.text
        if at >= len(text):
            if self.pending:
                self._documents()
            return Token("end", "", at)
        if text[at] == "\n":
            self.pos += 1
            if self.pending:
                self._documents()
            return Token("newline", "\n", at)
        for operator in OPERATORS:
            if text.startswith(operator, at) and operator not in LACKING[self.dialect]:
                if operator in "<>" and text.startswith("(", at + 1) and self.dialect != "dash":
                    break
                self.pos += len(operator)
                return Token("op", operator, at)
        self._read = (at, self.word(begins=True), self.pos)
        return Token("word", text[at:self.pos], at)

    def word_at(self, at: int) -> Word:
        """The word that the token there is."""
        if self._read is None or self._read[0] != at:
            self.pos = at
            self._read = (at, self.word(begins=True), self.pos)
        self.pos = self._read[2]
        return self._read[1]

    def nested(self) -> str:
        """The text of a command substitution that begins here, behind which ``pos`` is left."""
        inside = type(self)(self.text, self.dialect)
        inside.pos, inside.level, start = self.pos, self.level + 1, self.pos
        if inside.level > DEEPEST // 2:
            raise SyntaxFault(text="nested too deep", line=self.line)
        inside.items(ends=frozenset())
        inside.newlines()
        if inside.peek().kind == "end":
            raise SyntaxFault("end of file", '")"', incomplete=True, line=self.line, quote=")")
        inside.expect(")")
        self.pos = inside.pos
        return self.text[start:self.pos - 1]

    def name_of(self, token: Token) -> str:
        """How faults call a token."""
        if token.kind == "end":
            return "end of file"
        if token.kind == "newline":
            return "newline"
        if token.kind == "word":
            return f'"{token.text}"' if token.text in RESERVED else "word"
        return "redirection" if token.text in REDIRECTIONS else f'"{token.text}"'

    def unexpected(self, wanted: str = "") -> None:
        token = self.peek()
        raise SyntaxFault(self.name_of(token), wanted, incomplete=token.kind == "end", line=self.line_at(token.at), quote=token.text)

    def expect(self, word: str) -> None:
        token = self.peek()
        if token.text != word or token.kind not in ("word", "op"):
            self.unexpected(f'"{word}"')
        self.next()

    def newlines(self) -> None:
        while self.peek().kind == "newline":
            self.next()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxFault(text="nested too deep", line=self.line)

    def redirects(self) -> tuple[Redirect, ...]:
        found = []
        while (redirect := self.redirect()) is not None:
            found.append(redirect)
        return tuple(found)

    def redirect(self) -> Redirect | None:
        token, number = self.peek(), None
        if token.kind == "word":
            digits = NUMBER.match(self.text, token.at)
            if digits is None or digits.end() != self.pos:
                return None
            self.next()
            number = int(digits[0])
            token = self.peek()
        elif token.kind != "op" or token.text not in REDIRECTIONS:
            return None
        self.next()
        target = self.peek()
        if target.kind != "word":
            self.unexpected()
        word = self.word_at(target.at)
        if token.text in ("<<", "<<-"):
            raw = self.text[target.at:self.pos]
            delimiter, quoted = self.unquoted(raw)
            self.documents.append(Word(()))
            self.pending.append((len(self.documents) - 1, delimiter, quoted, token.text == "<<-"))
            self.token = None
            return Redirect(number, "<<", word, len(self.documents) - 1)
        self.token = None
        return Redirect(number, token.text, word)

    def _documents(self) -> None:
        """The here-documents that begin after the line that ends here."""
        pending, self.pending = self.pending, []
        for number, delimiter, quoted, stripped in pending:
            lines = []
            while True:
                if self.pos >= len(self.text):
                    self.open_document = True
                    break
                end = self.text.find("\n", self.pos)
                end = len(self.text) if end < 0 else end
                line = self.text[self.pos:end]
                self.pos = min(end + 1, len(self.text))
                if stripped:
                    line = line.lstrip("\t")
                if line == delimiter:
                    break
                lines.append(line + "\n" if end < len(self.text) else line)
            body = "".join(lines)
            self.documents[number] = Word((Text(body, True),)) if quoted else self.document(body)

    def _alias(self) -> None:
        """The first word of a command is replaced in the text if it is an alias, and what it becomes is read again."""
        while self.aliases and (token := self.peek()).kind == "word" and token.text in self.aliases and self.aliased < MOST_ALIASED:
            self._alias_ends = [(name, left) for name, left in self._alias_ends if len(self.text) - token.at > left]
            if any(name == token.text for name, _ in self._alias_ends):
                return
            value = self.aliases[token.text]
            self._alias_ends.append((token.text, len(self.text) - self.pos))
            self.text = self.text[:token.at] + value + self.text[self.pos:]
            self.pos, self.token = token.at, None
            self.aliased += 1
