"""seq, yes, expr, factor and cal: what is computed from words alone.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/expr.html, cal.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, burn, busybox, hidden, tool

SEQ = Line("[-w] [-s SEP] [FIRST [INC]] LAST", "+ws:", "+f:s:w", {"format": "f", "separator": "s", "equal-width": "w"},
           gnu_usage="[OPTION]... [FIRST [INCREMENT]] LAST")


def _negatives(words: list[str]) -> list[str]:
    """A negative number is no option."""
    for at, word in enumerate(words):
        value = at > 0 and words[at - 1] in ("-s", "-f")
        if word == "--" or not word.startswith("-") and not value:
            break
        if re.match(r"-[.\d]", word) and not value:
            return [*words[:at], "--", *words[at:]]
    return words


def seq(proc: Proc, options: Options) -> Run:
    text, words = Text(proc), options.operands
    if not words:
        raise SEQ.misuse(proc, "" if busybox(proc) else "missing operand")
    if len(words) > 3:
        raise SEQ.misuse(proc, "" if busybox(proc) else f"extra operand '{words[3]}'")
    values = []
    for word in words:
        try:
            value = Decimal(word if len(word) < 40 else "x")
            if not value.is_finite() or abs(value.adjusted()) > 30:
                raise InvalidOperation
            values.append(value)
        except InvalidOperation:
            raise SEQ.misuse(proc, "" if busybox(proc) else f"invalid floating point argument: '{word}'") from None
    first, step, last = (Decimal(1), Decimal(1), *values) if len(values) == 1 else (values[0], Decimal(1), values[1]) if len(values) == 2 else values
    if not step:
        if busybox(proc):
            yield from burn(proc) if hidden(proc) else _same(text, first)
        raise SEQ.misuse(proc, f"invalid Zero increment value: '{words[1]}'")
    digits = max(0, *(-value.as_tuple().exponent for value in (first, step)))
    shape: Callable[[Decimal], str] = lambda value: f"{value:.{digits}f}"  # noqa: E731
    if options.has("f"):
        found = re.fullmatch(r"((?:[^%]|%%)*)%([-+ 0#']*)(\d{0,3})(\.\d{0,2})?([efgEFG])((?:[^%]|%%)*)", options.value("f"))
        if found is None:
            raise Misuse(f"seq: format '{options.value('f')}' has no % directive\n")
        before, flags, width, precision, kind, after = (part or "" for part in found.groups())
        shape = lambda value: f"{before.replace('%%', '%')}{f'%{flags}{width}{precision}{kind}' % value}{after.replace('%%', '%')}"  # noqa: E731
    elif options.has("w"):
        width = max(len(shape(first)), len(shape(last)))
        shape = lambda value: f"{value:0{width}.{digits}f}"  # noqa: E731
    separator, value, begun = options.value("s", "\n"), first, False
    if hidden(proc) and abs((last - first) / step) > 1_000_000:
        yield from burn(proc)
    while value <= last if step > 0 else value >= last:
        text.put((separator if begun else "") + shape(value))
        value, begun = value + step, True
        if text.due:
            yield from text.sent()
            if proc.spins(16):
                yield from proc.breathe()
    if begun:
        text.put("\n")
    yield from text.sent()
    return 0


def _same(text: Text, value: Decimal) -> Run:
    while True:
        text.put(f"{value}\n" * 1000)
        yield from text.sent()
        if text.proc.spins(16):
            yield from text.proc.breathe()


YES = Line("[STRING]", "", gnu_usage="[STRING]...\n  or:  yes OPTION")


def yes(proc: Proc) -> Run:
    words = proc.args
    if not busybox(proc):
        words = words[1:] if words[:1] == ["--"] else words
        if words and re.match(r"-.", words[0]) and words == proc.args:
            try:
                YES.parse(proc, words[:1])
            except Misuse as misuse:
                proc.write(2 if misuse.code else 1, misuse.text)
                return misuse.code
    if hidden(proc):
        yield from burn(proc)
    line = (" ".join(words) or "y") + "\n"
    block = line * max(1, 4096 // len(line))
    while True:
        proc.out(block)
        if proc.spins(4):
            yield from proc.breathe()
        yield from proc.flush()


class _Expression:
    """A recursive descent over the words of expr."""

    LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, proc: Proc, words: list[str]) -> None:
        self.proc, self.words, self.at = proc, words, 0
        self.gnu = not busybox(proc)
        self.depth = 0

    def fail(self, gnu: str, small: str = "syntax error") -> Misuse:
        return Misuse(f"expr: {gnu if self.gnu else small}\n", 2)

    def value(self) -> str:
        found = self.level(0)
        if self.at < len(self.words):
            raise self.fail(f"syntax error: unexpected argument '{self.words[self.at]}'")
        return found

    def level(self, depth: int) -> str:
        if depth == len(self.LEVELS):
            return self.primary()
        left = self.level(depth + 1)
        while self.at < len(self.words) and self.words[self.at] in self.LEVELS[depth]:
            operator = self.words[self.at]
            self.at += 1
            left = self.combined(operator, left, self.level(depth + 1))
        return left

    def primary(self) -> str:
        if self.at >= len(self.words):
            raise self.fail(f"syntax error: missing argument after '{self.words[-1]}'")
        word = self.words[self.at]
        self.at += 1
        if word == "(":
            self.depth += 1
            if self.depth > 50:
                raise self.fail("memory exhausted", "out of memory")
            found = self.level(0)
            if self.words[self.at:self.at + 1] != [")"]:
                raise self.fail(f"syntax error: expecting ')' instead of '{self.words[self.at]}'" if self.at < len(self.words)
                                else f"syntax error: expecting ')' after '{self.words[-1]}'")
            self.at += 1
            self.depth -= 1
            return found
        if word == ")":
            raise self.fail("syntax error: unexpected ')'")
        rest = len(self.words) - self.at
        if word == "+" and self.gnu and rest or word == "quote" and not self.gnu and rest:
            return self.primary_word()
        if word == "length" and rest:
            return str(len(self.level(6)))
        if word == "match" and rest >= 2:
            return self.matched(self.level(6), self.level(6))
        if word == "index" and rest >= 2:
            string, wanted = self.level(6), self.level(6)
            return str(next((at for at, letter in enumerate(string, 1) if letter in wanted), 0))
        if word == "substr" and rest >= 3:
            string, start, length = self.level(6), self.level(6), self.level(6)
            if not self.is_number(start) or not self.is_number(length) or int(start) < 1 or int(length) < 1:
                return ""
            return string[int(start) - 1:int(start) - 1 + int(length)]
        return word

    def primary_word(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    @staticmethod
    def is_number(word: str) -> bool:
        return re.fullmatch(r"-?[0-9]{1,4000}", word) is not None

    def combined(self, operator: str, left: str, right: str) -> str:
        null = [not value or self.is_number(value) and int(value) == 0 for value in (left, right)]
        if operator == "|":
            return left if not null[0] else right if not null[1] else "0"
        if operator == "&":
            return left if not any(null) else "0"
        if operator == ":":
            return self.matched(left, right)
        numbers = self.is_number(left) and self.is_number(right)
        if operator in ("<", "<=", "=", "==", "!=", ">=", ">"):
            one, other = (int(left), int(right)) if numbers else (left, right)
            return str(int({"<": one < other, "<=": one <= other, "=": one == other, "==": one == other, "!=": one != other,
                            ">=": one >= other, ">": one > other}[operator]))
        if not numbers:
            raise self.fail("non-integer argument", "non-numeric argument")
        one, other = int(left), int(right)
        if operator in "/%":
            if not other:
                raise self.fail("division by zero", "division by zero")
            quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
            return str(quotient if operator == "/" else one - quotient * other)
        return str(one + other if operator == "+" else one - other if operator == "-" else one * other)

    def matched(self, string: str, pattern: str) -> str:
        try:
            compiled = regex.compile(f"^{pattern.removeprefix('^')}" if not pattern.startswith("*") else f"^\\{pattern}")
            found = compiled.search(string)
        except regex.BadPattern as bad:
            raise self.fail(str(bad), str(bad)) from None
        except regex.TooComplex:
            raise self.fail("memory exhausted", "out of memory") from None
        if compiled.groups:
            return string[found[1][0]:found[1][1]] if found is not None and found[1][0] >= 0 else ""
        return str(found[0][1]) if found is not None else "0"


def expr(proc: Proc) -> int:
    words = proc.args
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        proc.err("expr: too few arguments\n" if busybox(proc) else "expr: missing operand\nTry 'expr --help' for more information.\n")
        return 2
    try:
        value = _Expression(proc, words).value()
    except Misuse as misuse:
        proc.err(misuse.text)
        return misuse.code
    proc.out(value + "\n")
    return 1 if not value or _Expression.is_number(value) and int(value) == 0 else 0


FACTOR = Line("[NUMBER]...", "", "", {}, gnu_usage="[NUMBER]...")
LARGEST_FACTORED = 10 ** 12


def factor(proc: Proc, options: Options) -> Run:
    words, failed = options.operands, False
    text = Text(proc)
    if not words:
        while (lines := (yield from text.all_lines())) is not None:
            words = [*words, *" ".join(lines).split()][:10_000]
    for word in words:
        if not word.isascii() or not word.isdigit() or len(word) > 30:
            failed = True
            text.complain(f"invalid number '{word}'" if busybox(proc) else f"'{word}' is not a valid positive integer")
            if busybox(proc):
                return 1
            continue
        left, found, each = int(word), [], 2
        if left > LARGEST_FACTORED:
            failed = True
            text.complain(f"{word} is too large")
            continue
        while each * each <= left:
            while left % each == 0:
                found.append(each)
                left //= each
            each += 1 + each % 2
        if proc.spins(1 + each // 5000):
            yield from proc.breathe()
        if left > 1:
            found.append(left)
        text.put(f"{word}:{''.join(f' {part}' for part in found)}\n" if text.gnu else f"{int(word)}:{''.join(f' {part}' for part in found)}\n")
    yield from text.sent()
    return 1 if failed else 0


CAL = Line("[-jmy] [[MONTH] YEAR]", "jmy", "jmy13", {"monday": "m", "year": "y"}, gnu_usage="[options] [[[day] month] year]")


def cal(proc: Proc, options: Options) -> Run:
    yield from ()
    today = proc.machine.time()
    words, year, month = options.operands, today.year, 0 if options.has("y") else today.month
    if len(words) > 2:
        raise CAL.misuse(proc)
    for word, low, high in zip(words[::-1], (1, 1), (9999, 12), strict=False):
        if not word.isdigit() or not low <= int(word) <= high:
            raise Misuse(f"cal: number {word} is not in {low}..{high} range\n")
    if words:
        year, month = int(words[-1]), int(words[0]) if len(words) == 2 else 0
    days, julian = calendar.Calendar(0 if options.has("m") else 6), options.has("j")
    size = 3 if julian else 2
    width = 7 * (size + 1) - 1

    def block(each: int, title: str) -> list[str]:
        names = [("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[day].rjust(size) for day in days.iterweekdays()]
        lines = [f"{title:^{width}}", " ".join(names)]
        before = sum(calendar.monthrange(year, earlier)[1] for earlier in range(1, each)) if julian else 0
        lines += [" ".join(f"{day + before:{size}}" if day else " " * size for day in week) for week in days.monthdayscalendar(year, each)]
        return lines + [""] * (8 - len(lines))

    if month:
        title, *rows = block(month, f"{calendar.month_name[month]} {year}")
        proc.out("\n".join([title.rstrip(), *(row.rstrip() or " " * 7 * (size + 1) for row in rows)]) + "\n")
        return 0
    across = 2 if julian else 3
    proc.out(f"{year:^{across * width + 2 * (across - 1)}}\n\n")
    for first in range(1, 13, across):
        titles, *rows = zip(*(block(each, calendar.month_name[each]) for each in range(first, first + across)), strict=True)
        proc.out("  ".join(titles) + "\n")
        proc.out("".join(("  ".join(f"{line:<{width}}" for line in row).rstrip() or " " * 79) + "\n" for row in rows))
    return 0


PROGRAMS: dict[str, Program] = {
    "seq": Program(tool(SEQ, seq, _negatives)), "yes": Program(yes, "state"), "expr": Program(expr), "factor": Program(tool(FACTOR, factor)),
    "cal": Program(tool(CAL, cal)),
}
