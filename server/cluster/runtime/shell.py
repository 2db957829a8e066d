"""A first shell: ``sh -c SCRIPT`` compiled to a flat list of operations.

Script text comes in, operations that ``programs`` walks come out. A flat list and a counter, instead of a tree and Python's stack,
make the point that a container's script has reached plain data, so that it survives a restart of the process. What the compiler
cannot run right (pipes, background jobs, functions, here-documents...) is ``Unsupported``: it says so and runs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Unsupported(Exception):
    """The script uses something that this shell cannot run."""


class ShellSyntax(Exception):
    """The script is no shell script; the text is what the shell prints."""


class Part(NamedTuple):
    """A piece of a word: kind is text, var, command or arithmetic; ``quoted`` pieces are not split."""

    kind: str
    text: str
    quoted: bool


Word = tuple[Part, ...]


class Redirect(NamedTuple):
    """``stream`` 1 or 2 goes to the file that ``target`` names (``append``) or, with "&1" and "&2", where that stream goes."""

    stream: int
    target: Word
    append: bool


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
KEYWORDS = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "in", "{", "}", "!", "case", "esac",
                      "function"})
OPERATORS = ("&&", "||", ";;", ";", "|", "&", "(", ")", "\n")


class Token(NamedTuple):
    kind: str
    text: str
    word: Word = ()
    redirect: Redirect | None = None


@lru_cache(maxsize=512)
def compile_script(script: str) -> tuple[Operation, ...]:
    """The operations of a script. Unsupported or ShellSyntax if there are none."""
    return _Compiler(tuple(_tokens(script))).compile()


def _tokens(script: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(script):
        char = script[at]
        if char in " \t\r":
            at += 1
        elif script.startswith("\\\n", at):
            at += 2
        elif char == "#":
            end = script.find("\n", at)
            at = len(script) if end < 0 else end
        elif (redirected := _redirect(script, at)) is not None:
            token, at = redirected
            tokens.append(token)
        elif (operator := next((text for text in OPERATORS if script.startswith(text, at)), None)) is not None:
            tokens.append(Token("operator", ";" if operator == "\n" else operator))
            at += len(operator)
        elif char == "<":
            raise Unsupported("input redirection")
        else:
            word, end = _word(script, at)
            text = script[at:end]
            plain = len(word) == 1 and word[0].kind == "text" and not word[0].quoted
            tokens.append(Token("keyword" if plain and text in KEYWORDS else "word", text, word))
            at = end
    return tokens


def _redirect(script: str, at: int) -> tuple[Token, int] | None:
    stream, start = 1, at
    if script[at] in "12" and script.startswith(">", at + 1):
        stream, start = int(script[at]), at + 1
    both = script.startswith("&>", at)
    if both:
        start = at + 1
    if not script.startswith(">", start):
        return None
    append = script.startswith(">>", start)
    start += 2 if append else 1
    if script.startswith("&", start):
        if both or script[start + 1:start + 2] not in ("1", "2"):
            raise Unsupported("this redirection")
        return Token("redirect", "", redirect=Redirect(stream, (Part("text", script[start:start + 2], False),), False)), start + 2
    while start < len(script) and script[start] in " \t":
        start += 1
    if start >= len(script) or script[start] in "\n;|&()":
        raise ShellSyntax('sh: syntax error: unexpected end of file')
    word, end = _word(script, start)
    return Token("redirect", "both" if both else "", redirect=Redirect(stream, word, append)), end


def _word(script: str, at: int) -> tuple[Word, int]:
    parts: list[Part] = []
    text = ""

    def flush(quoted: bool = False) -> None:
        nonlocal text
        if text:
            parts.append(Part("text", text, quoted))
            text = ""

    while at < len(script) and script[at] not in " \t\r\n;|&()<>":
        char = script[at]
        if char == "'":
            flush()
            end = script.find("'", at + 1)
            if end < 0:
                raise ShellSyntax("sh: syntax error: unterminated quoted string")
            parts.append(Part("text", script[at + 1:end], True))
            at = end + 1
        elif char == '"':
            flush()
            at = _double_quoted(script, at + 1, parts)
        elif char == "\\":
            flush()
            if at + 1 < len(script) and script[at + 1] != "\n":
                parts.append(Part("text", script[at + 1], True))
            at += 2
        elif char == "$" or char == "`":
            flush()
            part, at = _expansion(script, at, False)
            parts.append(part)
        elif char in "*?":
            raise Unsupported("file name patterns")
        else:
            text += char
            at += 1
    flush()
    return tuple(parts), at


def _double_quoted(script: str, at: int, parts: list[Part]) -> int:
    text = ""
    start = len(parts)
    while True:
        if at >= len(script):
            raise ShellSyntax("sh: syntax error: unterminated quoted string")
        char = script[at]
        if char == '"':
            break
        if char == "\\" and script[at + 1:at + 2] in ('"', "\\", "$", "`", "\n"):
            text += "" if script[at + 1] == "\n" else script[at + 1]
            at += 2
        elif char in "$`":
            if text:
                parts.append(Part("text", text, True))
                text = ""
            part, at = _expansion(script, at, True)
            parts.append(part)
        else:
            text += char
            at += 1
    if text or len(parts) == start:
        parts.append(Part("text", text, True))
    return at + 1


def _expansion(script: str, at: int, quoted: bool) -> tuple[Part, int]:
    if script[at] == "`":
        end = script.find("`", at + 1)
        if end < 0:
            raise ShellSyntax("sh: syntax error: unterminated quoted string")
        return Part("command", script[at + 1:end], quoted), end + 1
    if script.startswith("$((", at):
        end = _closing(script, at + 3)
        if not script.startswith("))", end):
            raise Unsupported(script[at:end + 1])
        return Part("arithmetic", script[at + 3:end], quoted), end + 2
    if script.startswith("$(", at):
        end = _closing(script, at + 2)
        return Part("command", script[at + 2:end], quoted), end + 1
    if script.startswith("${", at):
        end = script.find("}", at)
        if end < 0:
            raise ShellSyntax("sh: syntax error: bad substitution")
        name = script[at + 2:end]
        if not name.partition(":-")[0].isidentifier():
            raise Unsupported(f"${{{name}}}")
        return Part("var", name, quoted), end + 1
    end = at + 1
    if end < len(script) and script[end] in "?$#@*!-0123456789":
        end += 1
    else:
        while end < len(script) and (script[end].isalnum() or script[end] == "_"):
            end += 1
    if end == at + 1:
        return Part("text", "$", True), end
    name = script[at + 1:end]
    if name in ("#", "@", "*", "!", "-"):
        raise Unsupported(f"${name}")
    return Part("var", name, quoted), end


def _closing(script: str, at: int) -> int:
    depth, quote = 1, ""
    while at < len(script):
        char = script[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise ShellSyntax("sh: syntax error: unterminated quoted string")


class _Compiler:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.at = 0
        self.out: list[Operation | None] = []
        self.loops: list[tuple[int, bool, list[int]]] = []

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
            self.at += 1
            if token.text == "if":
                return self._if()
            if token.text in ("while", "until"):
                return self._while(token.text == "until")
            if token.text == "for":
                return self._for()
            if token.text == "{":
                self._list(("}",))
                return self._expect("}")
            if token.text == "!":
                self._command()
                self.out.append(Status(None))
                return None
            self.at -= 1
            raise self._unexpected()
        if token.kind == "operator":
            raise self._unexpected()
        return self._simple()

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
