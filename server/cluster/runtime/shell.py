"""A first shell: ``sh -c SCRIPT`` compiled to a flat list of operations.

Script text comes in, operations that ``programs`` walks come out. A flat list and a counter, instead of a tree and Python's stack,
make the point that a container's script has reached plain data, so that it survives a restart of the process. What the compiler
cannot run right (pipes, background jobs, functions, here-documents...) is ``Unsupported``: it says so and runs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from server.cluster.runtime.shellwords import Part, Redirect, ShellSyntax, Token, Unsupported, Word, tokens

LONGEST, REMEMBERED, DEEPEST = 64 * 1024, 4096, 100


class Run(NamedTuple):
    words: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...]
    redirects: tuple[Redirect, ...]


class Jump(NamedTuple):
    """``when`` is None (always), True (the last status is 0) or False (it is not)."""

    to: int
    when: bool | None


class Loop(NamedTuple):
    """Pushes the words of a ``for``."""

    words: tuple[Word, ...]


class Next(NamedTuple):
    """Gives ``name`` the next word of the innermost ``for``, or drops it and jumps to ``end``."""

    name: str
    end: int


class Status(NamedTuple):
    """Sets (``value``) or inverts (None) the last status."""

    value: int | None


class Drop(NamedTuple):
    """Leaves ``count`` loops: for ``break``."""

    count: int


Operation = Run | Jump | Loop | Next | Status | Drop
def compile_script(script: str) -> tuple[Operation, ...]:
    """The operations of a script. Unsupported or ShellSyntax if there are none."""
    if len(script) > LONGEST:
        raise Unsupported(f"a script of more than {LONGEST} characters")
    return _short(script) if len(script) <= REMEMBERED else _Compiler(tuple(tokens(script))).compile()


@lru_cache(maxsize=512)
def _short(script: str) -> tuple[Operation, ...]:
    return _Compiler(tuple(tokens(script))).compile()


class _Compiler:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.at = 0
        self.out: list[Operation | None] = []
        self.loops: list[tuple[int, bool, list[int]]] = []
        self.depth = 0

    def compile(self) -> tuple[Operation, ...]:
        self._list(())
        if self.at < len(self.tokens):
            raise self._unexpected()
        return tuple(self.out)

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _is(self, kind: str, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == kind and token.text in texts

    def _unexpected(self) -> Exception:
        token = self._peek()
        if token is None:
            return ShellSyntax("sh: syntax error: unexpected end of file (expecting \"done\")" if self.loops
                               else "sh: syntax error: unexpected end of file")
        if token.text == "|":
            return Unsupported("pipes (|)")
        if token.text == "&":
            return Unsupported("background jobs (&)")
        if token.text in ("(", ")"):
            return Unsupported("subshells and functions")
        if token.text in ("case", "function", ";;"):
            return Unsupported(token.text)
        return ShellSyntax(f'sh: syntax error: unexpected "{token.text}"')

    def _expect(self, keyword: str) -> None:
        while self._is("operator", ";"):
            self.at += 1
        if not self._is("keyword", keyword):
            raise self._unexpected()
        self.at += 1

    def _list(self, ends: tuple[str, ...]) -> None:
        """Commands up to one of the keywords ``ends``, which stays."""
        while True:
            while self._is("operator", ";"):
                self.at += 1
            token = self._peek()
            if token is None or (token.kind == "keyword" and token.text in ends):
                return
            self._and_or()
            if not (self._peek() is None or self._is("operator", ";") or self._is("keyword", *ends)):
                raise self._unexpected()

    def _and_or(self) -> None:
        self._command()
        while self._is("operator", "&&", "||"):
            when = self._peek().text == "||"
            self.at += 1
            while self._is("operator", ";"):
                self.at += 1
            hole = self._hole()
            self._command()
            self.out[hole] = Jump(len(self.out), when)

    def _hole(self) -> int:
        self.out.append(None)
        return len(self.out) - 1

    def _command(self) -> None:
        token = self._peek()
        if token is None:
            raise self._unexpected()
        if token.kind == "keyword":
            if self.depth >= DEEPEST:
                raise Unsupported("a script nested so deep")
            self.depth += 1
            self._compound(token)
            self.depth -= 1
        elif token.kind == "operator":
            raise self._unexpected()
        else:
            self._simple()

    def _compound(self, token: Token) -> None:
        self.at += 1
        if token.text == "if":
            self._if()
        elif token.text in ("while", "until"):
            self._while(token.text == "until")
        elif token.text == "for":
            self._for()
        elif token.text == "{":
            self._list(("}",))
            self._expect("}")
        elif token.text == "!":
            self._command()
            self.out.append(Status(None))
        else:
            self.at -= 1
            raise self._unexpected()

    def _if(self) -> None:
        ends = []
        self._list(("then",))
        self._expect("then")
        skip = self._hole()
        self._list(("elif", "else", "fi"))
        while True:
            ends.append(self._hole())
            self.out[skip] = Jump(len(self.out), False)
            if self._is("keyword", "elif"):
                self.at += 1
                self._list(("then",))
                self._expect("then")
                skip = self._hole()
                self._list(("elif", "else", "fi"))
                continue
            if self._is("keyword", "else"):
                self.at += 1
                self._list(("fi",))
            else:
                self.out.append(Status(0))
            self._expect("fi")
            break
        for end in ends:
            self.out[end] = Jump(len(self.out), None)

    def _while(self, until: bool) -> None:
        start = len(self.out)
        self.loops.append((start, False, []))
        self._list(("do",))
        self._expect("do")
        leave = self._hole()
        self._list(("done",))
        self._expect("done")
        self.out.append(Jump(start, None))
        self.out[leave] = Jump(len(self.out), until)
        self.out.append(Status(0))
        self._close_loop()

    def _for(self) -> None:
        name = self._peek()
        if name is None or name.kind != "word" or not name.text.isidentifier():
            raise self._unexpected()
        self.at += 1
        while self._is("operator", ";"):
            self.at += 1
        if not self._is("keyword", "in"):
            raise Unsupported("for without in")
        self.at += 1
        words = []
        while (token := self._peek()) is not None and token.kind in ("word", "keyword") and token.text != "do":
            words.append(token.word)
            self.at += 1
        self._expect("do")
        self.out.append(Loop(tuple(words)))
        start = self._hole()
        self.loops.append((start, True, []))
        self._list(("done",))
        self._expect("done")
        self.out.append(Jump(start, None))
        self.out[start] = Next(name.text, len(self.out))
        self.out.append(Status(0))
        self._close_loop()

    def _close_loop(self) -> None:
        for hole in self.loops.pop()[2]:
            self.out[hole] = Jump(len(self.out), None)

    def _simple(self) -> None:
        words: list[Word] = []
        assignments: list[tuple[str, Word]] = []
        redirects: list[Redirect] = []
        while (token := self._peek()) is not None and token.kind in ("word", "keyword", "redirect"):
            if token.kind == "redirect":
                redirects.append(token.redirect)
                if token.text == "both":
                    redirects.append(Redirect(2, (Part("text", "&1", False),), False))
            else:
                name, equals, _ = token.text.partition("=")
                if not words and equals and name.isidentifier():
                    assignments.append((name, _after_equals(token.word, len(name) + 1)))
                else:
                    words.append(token.word)
            self.at += 1
        if self._is("operator", "("):
            raise self._unexpected()
        plain = words[0][0].text if words and len(words[0]) == 1 and words[0][0].kind == "text" else ""
        if plain in ("break", "continue"):
            return self._leave(plain)
        self.out.append(Run(tuple(words), tuple(assignments), tuple(redirects)))
        return None

    def _leave(self, how: str) -> None:
        if not self.loops:
            return self.out.append(Status(0))
        start, is_for, holes = self.loops[-1]
        if how == "continue":
            return self.out.append(Jump(start, None))
        if is_for:
            self.out.append(Drop(1))
        holes.append(self._hole())
        return None


def _after_equals(word: Word, cut: int) -> Word:
    """A word without its first ``cut`` characters, which are text."""
    parts = list(word)
    while parts and cut:
        text = parts[0].text
        if len(text) > cut:
            parts[0] = Part("text", text[cut:], parts[0].quoted)
            break
        cut -= len(text)
        parts.pop(0)
    return tuple(parts)
