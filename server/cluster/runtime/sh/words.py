"""Reads the words of a script: quotes, ``$name``, ``${...}``, ``$(...)``, ``$((...))``, backquotes and tildes become parts.

Where a word ends depends on all of them, so they are read in full as the word is; a command substitution is read by the parser itself
(``nested``), which alone knows where it ends.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.sh.tree import Arithmetic, Parameter, Substitution, Text, Tilde, Word

META = frozenset(" \t\n;&|()<>")
BRACE, SLASH = frozenset("}"), frozenset("/}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPECIAL = "@*#?-$!"
OPERATIONS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "##", "#", "%%", "%")
TILDE = re.compile(r"~[A-Za-z0-9_.-]*(?=[/:\s;&|()<>}]|$)")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b", "\\": "\\", "'": "'",
           '"': '"', "?": "?"}
ELEMENT = re.compile(r"[A-Za-z_]\w*\[[^]\n]*\]\+?=", re.A)
ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|c(.)|(.))", re.S)


class SyntaxFault(Exception):
    """``found`` is the token in the way ("" for none), ``wanted`` what would have been right, ``text`` another fault;
    ``incomplete`` tells that more text could make it right."""

    def __init__(self, found: str = "", wanted: str = "", text: str = "", incomplete: bool = False, line: int = 1, quote: str = "") -> None:
        super().__init__(text or found)
        self.found, self.wanted, self.text, self.incomplete, self.line, self.quote = found, wanted, text, incomplete, line, quote


def ansi(text: str) -> str:
    """What ``$'text'`` means.

    >>> ansi(r"a\\tb\\x41\\101")
    'a\\tbAA'
    """
    def one(found: re.Match[str]) -> str:
        octal, digits, code, control, plain = found.groups()
        if octal:
            return chr(int(octal, 8) & 255)
        if digits or code:
            return chr(int(digits or code, 16))
        return chr(ord(control) & 31) if control else ESCAPES.get(plain, "\\" + plain)
    return ESCAPE.sub(one, text)


class Words:
    def __init__(self, text: str, dialect: str = "ash") -> None:
        self.text = text
        self.dialect = dialect
        self.bash = dialect == "bash"
        self.pos = 0
        self._counted = (0, 1)

    def nested(self) -> str:
        raise NotImplementedError

    def line_at(self, at: int) -> int:
        known, line = self._counted if self._counted[0] <= at else (0, 1)
        self._counted = (at, line + self.text.count("\n", known, at))
        return self._counted[1]

    @property
    def line(self) -> int:
        return self.line_at(self.pos)

    def open_quote(self, quote: str) -> SyntaxFault:
        texts = {"'": "unterminated quoted string", '"': "unterminated quoted string", "`": "EOF in backquote substitution",
                 "}": "missing '}'", "))": "missing '))'"}
        return SyntaxFault(text=texts[quote], incomplete=True, line=self.line_at(len(self.text)), quote=quote)

    def word(self, ends: frozenset[str] = META, begins: bool = False) -> Word:
        """The word that begins here, up to one of the characters ``ends``; ``begins``: it may be an assignment to an array's element."""
        parts: list[Any] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)

        def add(*more: Any) -> None:
            if plain:
                parts.append(Text("".join(plain)))
                plain.clear()
            parts.extend(more)

        if begins and self.bash and (found := ELEMENT.match(text, self.pos)):
            plain.append(found[0])
            self.pos = found.end()
        if text.startswith("~", self.pos) and (found := TILDE.match(text, self.pos)):
            add(Tilde(found[0][1:]))
            self.pos = found.end()
        while self.pos < size:
            char = text[self.pos]
            if char in ends:
                if char in "<>" and self.dialect != "dash" and ends is META and text.startswith("(", self.pos + 1):
                    self.pos += 2
                    add(Substitution(self.nested(), False, char))
                    continue
                break
            self.pos += 1
            if char == "\\":
                following = text[self.pos:self.pos + 1]
                self.pos += 1
                if following != "\n":
                    add(Text(following or "\\", True))
            elif char == "'":
                end = text.find("'", self.pos)
                if end < 0:
                    raise self.open_quote("'")
                add(Text(text[self.pos:end], True))
                self.pos = end + 1
            elif char == '"':
                add(*self.double())
            elif char == "`":
                add(Substitution(self.backquoted(False), False))
            elif char == "$":
                if text.startswith("'", self.pos) and self.dialect != "dash":
                    add(Text(self._ansi(), True))
                elif text.startswith('"', self.pos) and self.bash:
                    continue
                elif (part := self.dollar(False)) is not None:
                    add(part)
                else:
                    plain.append("$")
            else:
                plain.append(char)
        add()
        return Word(tuple(parts))

    def _ansi(self) -> str:
        found = re.compile(r"'((?:[^'\\]|\\.)*)'", re.S).match(self.text, self.pos)
        if found is None:
            raise self.open_quote("'")
        self.pos = found.end()
        return ansi(found[1])

    def double(self) -> list[Any]:
        """What stands between double quotes, the first of which has been read."""
        parts = self.quoted('"')
        if self.pos >= len(self.text):
            raise self.open_quote('"')
        self.pos += 1
        return parts or [Text("", True)]

    def quoted(self, ends: str, escaped: str = '$`"\\', strings: bool = False) -> list[Any]:
        """Parts as in double quotes, up to one of ``ends``; ``strings``: double quotes may stand within."""
        parts: list[Any] = []
        plain: list[str] = []
        text, size = self.text, len(self.text)
        while self.pos < size and text[self.pos] not in ends:
            char = text[self.pos]
            self.pos += 1
            part = None
            if char == "\\":
                following = text[self.pos:self.pos + 1]
                if following == "\n":
                    self.pos += 1
                elif following and (following in escaped or following in ends):
                    plain.append(following)
                    self.pos += 1
                else:
                    plain.append("\\")
                continue
            if char == '"' and strings:
                if plain:
                    parts.append(Text("".join(plain), True))
                    plain = []
                parts.extend(self.double())
                continue
            if char == "`":
                part = Substitution(self.backquoted('"' in escaped), True)
            elif char == "$":
                part = self.dollar(True)
            if part is None:
                plain.append(char)
                continue
            if plain:
                parts.append(Text("".join(plain), True))
                plain = []
            parts.append(part)
        if plain:
            parts.append(Text("".join(plain), True))
        return parts

    def backquoted(self, quoted: bool) -> str:
        out, text = [], self.text
        while self.pos < len(text):
            char = text[self.pos]
            self.pos += 1
            if char == "`":
                return "".join(out)
            if char == "\\" and text[self.pos:self.pos + 1] in ("$", "`", "\\", *(('"',) if quoted else ())):
                char = text[self.pos]
                self.pos += 1
            out.append(char)
        raise self.open_quote("`")

    def dollar(self, quoted: bool) -> Any:
        """What follows a ``$``: None if nothing does."""
        text, at = self.text, self.pos
        following = text[at:at + 1]
        if text.startswith("((", at) and (part := self._arithmetic(quoted)) is not None:
            return part
        if following == "(":
            self.pos += 1
            return Substitution(self.nested(), quoted)
        if following == "{":
            self.pos += 1
            return self._braced(quoted)
        if found := NAME.match(text, at):
            self.pos = found.end()
            return Parameter(found[0], quoted)
        if following and (following in SPECIAL or following.isdigit() and following.isascii()):
            self.pos += 1
            return Parameter(following, quoted)
        return None

    def _arithmetic(self, quoted: bool) -> Arithmetic | None:
        at, depth, text = self.pos + 2, 0, self.text
        while at < len(text):
            char = text[at]
            if char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    if not text.startswith("))", at):
                        return None
                    inside, self.pos = text[self.pos + 2:at], at + 2
                    return Arithmetic(self.inner(inside), quoted)
                depth -= 1
            at += 1
        raise self.open_quote("))")

    def _braced(self, quoted: bool) -> Parameter:
        text = self.text
        if found := re.compile(r"#([A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[([^]]*)\])?\}").match(text, self.pos):
            self.pos = found.end()
            return Parameter(found[1], quoted, "length", index=self._index(found[2]))
        op = ""
        if self.bash and (found := re.compile(r"!([A-Za-z_]\w*)(?:\[([@*])\])?(?=\})").match(text, self.pos)):
            self.pos = found.end() + 1
            return Parameter(found[1], quoted, "keys" if found[2] else "indirect", index=self._index(found[2]))
        found = re.compile(r"([A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[([^]\n]*)\])?", re.A).match(text, self.pos)
        if found is None or found[2] is not None and not self.bash:
            return self._bad(quoted)
        name, index, self.pos = found[1], self._index(found[2]), found.end()
        if text.startswith("}", self.pos):
            self.pos += 1
            return Parameter(name, quoted, "", index=index)
        for op in OPERATIONS:
            if text.startswith(op, self.pos):
                self.pos += len(op)
                word = self._operand(quoted and op[0] not in "#%")
                return self._closed(Parameter(name, quoted, op, word, index=index))
        if text.startswith("/", self.pos):
            op = re.compile(r"/[/#%]?" if self.bash else "//?").match(text, self.pos)[0]
            self.pos += len(op)
            pattern, other = self.word(SLASH), None
            if text.startswith("/", self.pos):
                self.pos += 1
                other = self._operand(quoted)
            return self._closed(Parameter(name, quoted, op, pattern, other, index))
        if text.startswith(":", self.pos):
            self.pos += 1
            start, other = Word(tuple(self.quoted(":}"))), None
            if text.startswith(":", self.pos):
                self.pos += 1
                other = Word(tuple(self.quoted("}")))
            return self._closed(Parameter(name, quoted, "slice", start, other, index))
        if self.bash and (found := re.compile(r"\^\^?|,,?").match(text, self.pos)):
            self.pos = found.end()
            return self._closed(Parameter(name, quoted, found[0], self.word(BRACE), index=index))
        return self._bad(quoted)

    def _operand(self, quoted: bool) -> Word:
        return Word(tuple(self.quoted("}", strings=True))) if quoted else self.word(BRACE)

    def _closed(self, part: Parameter) -> Parameter:
        if not self.text.startswith("}", self.pos):
            raise self.open_quote("}")
        self.pos += 1
        return part

    def _bad(self, quoted: bool) -> Parameter:
        start, end = self.pos - 2, self.text.find("}", self.pos)
        if end < 0:
            raise self.open_quote("}")
        self.pos = end + 1
        return Parameter(self.text[start:end + 1], quoted, "bad")

    def _index(self, text: str | None) -> Word | None:
        return self.inner(text) if text is not None else None

    # texts that are words of their own

    def _of(self, text: str) -> Words:
        inside = type(self)(text, self.dialect)
        inside.level = getattr(self, "level", 0) + 1
        return inside

    def inner(self, text: str) -> Word:
        """The text of an arithmetic expression."""
        return Word(tuple(self._of(text).quoted("")))

    def document(self, text: str) -> Word:
        """The text of a here-document."""
        return Word(tuple(self._of(text).quoted("", "$`\\")))

    def assigned(self, at: int) -> Word:
        """The value of an assignment, in which a tilde may also follow a colon."""
        self.pos = at
        word = self.word()
        parts: list[Any] = []
        for part in word.parts:
            if isinstance(part, Text) and not part.quoted and ":~" in part.text:
                pieces = re.split(r"(?<=:)~([\w.-]*)(?=[/:]|$)", part.text)
                for place, piece in enumerate(pieces):
                    if place % 2:
                        parts.append(Tilde(piece))
                    elif piece:
                        parts.append(Text(piece))
            else:
                parts.append(part)
        return Word(tuple(parts))

    def unquoted(self, raw: str) -> tuple[str, bool]:
        """A here-document's end, and whether it was quoted."""
        plain = re.sub(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)", lambda found: next(g for g in found.groups() if g is not None), raw, flags=re.S)
        return plain, plain != raw

    def pattern_word(self) -> Word:
        """The word behind ``=~``, in which parentheses and bars are plain."""
        return self.word(frozenset(" \t\n"))
