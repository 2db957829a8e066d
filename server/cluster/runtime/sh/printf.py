"""``printf``: a format, applied until its arguments are used up.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/printf.html
"""

from __future__ import annotations

import re

from server.cluster.runtime.program import MEMORY, OutOfMemory

DIRECTIVE = re.compile(r"%([-+ #0']*)(\*|\d{1,6})?(\.(?:\*|\d{0,6}))?(?:hh|h|ll|l|j|z|t|L)?([a-zA-Z%(]?)")
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "e": "\x1b", '"': '"', "'": "'"}
ESCAPE = re.compile(r"\\(?:(0[0-7]{1,3}|[0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(c)|(.)|$)", re.S)
NUMBER = re.compile(r"\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)")
REAL = re.compile(r"\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|nan)", re.I)


class Stop(Exception):
    """``\\c`` or a fault: nothing more is printed than its text."""


def unescaped(text: str, zero: bool = False) -> tuple[str, bool]:
    """What backslashes stand for, and whether ``\\c`` ended it; ``zero``: octal numbers begin with 0, as in echo and %b."""
    out, at = [], 0
    for found in ESCAPE.finditer(text):
        out.append(text[at:found.start()])
        at = found.end()
        octal, digits, stop, plain = found.groups()
        if octal:
            if zero and octal.startswith("0"):
                out.append(byte(int(octal[1:] or "0", 8)))
            else:
                out.append(byte(int(octal[:3], 8)) + octal[3:])
        elif digits:
            out.append(byte(int(digits, 16)))
        elif stop:
            return text_of("".join(out)), True
        elif plain is None:
            out.append("\\")
        else:
            out.append(ESCAPES.get(plain, "\\" + plain))
    out.append(text[at:])
    return text_of("".join(out)), False


def byte(value: int) -> str:
    value &= 255
    return chr(value) if value < 128 else chr(0xDC00 + value)


def text_of(text: str) -> str:
    """Single bytes that together are UTF-8 become characters."""
    if not any("\udc80" <= char <= "\udcff" for char in text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def formatted(form: str, words: list[str], flavor: str, faults: list[str]) -> str:
    """
    >>> formatted("%s-%03d\\\\n", ["a", "7", "b", "8"], "ash", [])
    'a-007\\nb-008\\n'
    """
    out: list[str] = []
    rest, size = list(words), 0
    while True:
        before = len(rest)
        text = _once(form, rest, flavor, faults, out)
        out.append(text)
        size += len(text)
        if size > MEMORY:
            raise OutOfMemory
        if not rest or len(rest) == before:
            return "".join(out)


def _once(form: str, rest: list[str], flavor: str, faults: list[str], before: list[str]) -> str:
    out, at = [], 0
    while at < len(form):
        char = form[at]
        if char == "\\":
            found = ESCAPE.match(form, at)
            text, stopped = (found[0], False) if found[3] and flavor != "ash" else unescaped(found[0])
            out.append(text)
            if stopped:
                raise Stop("".join([*before, *out]))
            at = found.end()
            continue
        if char != "%":
            end = min((place for place in (form.find("%", at), form.find("\\", at)) if place >= 0), default=len(form))
            out.append(form[at:end])
            at = end
            continue
        found = DIRECTIVE.match(form, at)
        flags, width, precision, kind = found.groups()
        at = found.end()
        if kind == "%":
            out.append("%")
            continue
        if not kind or kind not in "diouxXfFeEgGaAcsbq(":
            faults.append({"ash": f"%{form[at - len(kind or ''):]}: invalid format",
                           "dash": f"{form[found.start():at or None]}: invalid directive",
                           "bash": f"`{kind or '%'}': invalid format character" if kind else f"`{found[0]}': missing format character"}[flavor])
            raise Stop("".join([*before, *out]))
        if width == "*":
            width = str(_number(rest.pop(0) if rest else "0", flavor, faults))
            if width.startswith("-"):
                flags, width = flags + "-", width[1:]
        if precision == ".*":
            precision = "." + str(max(0, _number(rest.pop(0) if rest else "0", flavor, faults)))
        if int(width or 0) > MEMORY or int((precision or ".")[1:] or 0) > MEMORY:
            raise OutOfMemory
        out.append(_field(kind, flags, width or "", precision, rest, flavor, faults, [*before, *out]))
    return "".join(out)


def _field(kind: str, flags: str, width: str, precision: str | None, rest: list[str], flavor: str, faults: list[str], before: list[str]) -> str:
    given = rest.pop(0) if rest else None
    left = "-" in flags
    if kind in "scbq":
        text, stopped = given or "", False
        if kind == "b":
            text, stopped = unescaped(text, True)
        elif kind == "c":
            text = text[:1]
        elif kind == "q":
            text = _shell(text)
        if precision is not None and kind != "c":
            text = text[:int(precision[1:] or 0)]
        text = text.ljust(int(width)) if left and width else text.rjust(int(width)) if width else text
        if stopped:
            raise Stop("".join([*before, text]))
        return text
    spec = "%" + "".join(dict.fromkeys(flags.replace("'", ""))) + width + (precision or "")
    if kind in "diouxX":
        value = _number(given, flavor, faults)
        if kind in "ouxX" and value < 0:
            value += 1 << 64
        if kind == "u":
            kind = "d"
        text = (spec + kind) % value
        return text if kind != "o" or "#" not in flags else text.replace("0o", "0")
    return (spec + kind.replace("a", "e").replace("A", "E")) % _real(given, flavor, faults)


def _bad(word: str, flavor: str, faults: list[str], partly: bool) -> None:
    if flavor == "ash":
        faults.append(f"invalid number '{word}'")
    elif flavor == "dash":
        faults.append(f"{word}: not completely converted" if partly else f"{word}: expected numeric value")
    else:
        faults.append(f"{word}: invalid number")


def _number(word: str | None, flavor: str, faults: list[str]) -> int:
    if word is None and flavor != "ash" or word == "" and flavor != "ash":
        return 0
    word = word or ""
    if word[:1] in ("'", '"'):
        return ord(word[1]) if len(word) > 1 else 0
    found = NUMBER.match(word)
    if found is None or found.end() != len(word):
        _bad(word, flavor, faults, found is not None)
        if found is None or flavor == "ash":
            return 0
    digits = found[2]
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits, 8) if digits.startswith("0") else int(digits)
    value = -value if found[1] == "-" else value
    return max(-(1 << 63), min(value, (1 << 64) - 1))


def _real(word: str | None, flavor: str, faults: list[str]) -> float:
    if word is None or word == "":
        return 0.0
    if word[:1] in ("'", '"'):
        return float(ord(word[1])) if len(word) > 1 else 0.0
    found = REAL.match(word)
    if found is None or found.end() != len(word):
        _bad(word, flavor, faults, found is not None)
        if found is None or flavor == "ash":
            return 0.0
    return float(found[0])


def _shell(text: str) -> str:
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text, re.A) else "''" if not text else re.sub(r"([^\w@%+=:,./-])", r"\\\1", text, flags=re.A)
