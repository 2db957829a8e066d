"""Shell text to tokens: words with their quoting and expansions, redirections, operators and keywords.

``tokens`` is what ``shell`` compiles from. Nothing is expanded here: a word is a tuple of ``Part``s, which the interpreter turns into
text when it comes to them.
"""

from __future__ import annotations

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


KEYWORDS = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "in", "{", "}", "!", "case", "esac",
                      "function"})
OPERATORS = ("&&", "||", ";;", ";", "|", "&", "(", ")", "\n")


class Token(NamedTuple):
    kind: str
    text: str
    word: Word = ()
    redirect: Redirect | None = None


def tokens(script: str) -> list[Token]:
    found: list[Token] = []
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
            found.append(token)
        elif (operator := next((text for text in OPERATORS if script.startswith(text, at)), None)) is not None:
            found.append(Token("operator", ";" if operator == "\n" else operator))
            at += len(operator)
        elif char == "<":
            raise Unsupported("input redirection")
        else:
            word, end = _word(script, at)
            text = script[at:end]
            plain = len(word) == 1 and word[0].kind == "text" and not word[0].quoted
            found.append(Token("keyword" if plain and text in KEYWORDS else "word", text, word))
            at = end
    return found


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
