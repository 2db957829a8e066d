"""``test``, ``[``, ``[[ ]]`` and ``(( ))``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/test.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.devices import device
from server.cluster.runtime.mount_namespace import READ, WRITE
from server.cluster.runtime.sh import tree
from server.cluster.runtime.sh.expansion import Expansion, Going
from server.cluster.runtime.sh.fields import Fields
from server.cluster.runtime.sh.patterns import matches, tokens
from server.cluster.runtime.sh.regex import quoted as quoted_pattern
from server.cluster.runtime.sh.regex import search
from server.cluster.runtime.streams import Fault

UNARY = frozenset([
    "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-L", "-n", "-p", "-r", "-s", "-S", "-t", "-u", "-w", "-x", "-z", "-O", "-G", "-o",
    "-v", "-N", "-a",
])
NUMERIC = {"-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b, "-le": lambda a, b: a <= b,
           "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b}
BINARY = frozenset({*NUMERIC, "=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", "=~"})
LONGEST = 4096


class TestFault(Exception):
    """``kind``: number, operand, missing, closing, argument; ``word`` is what is wrong."""

    __test__ = False

    def __init__(self, kind: str, word: str = "") -> None:
        super().__init__(kind)
        self.kind, self.word = kind, word


class Conditions(Expansion):
    def test(self, words: list[str]) -> bool:
        """What ``test WORDS`` says. TestFault."""
        size = len(words)
        if size == 0:
            return False
        if size == 1:
            return words[0] != ""
        if size == 2 and words[0] == "!":
            return words[1] == ""
        if size == 3 and words[1] in BINARY:
            return self.binary(words[0], words[1], words[2])
        if size == 3 and words[1] in ("-a", "-o"):
            return (words[0] != "" and words[2] != "") if words[1] == "-a" else (words[0] != "" or words[2] != "")
        if size == 3 and words[0] == "!":
            return not self.test(words[1:])
        if size == 3 and words[0] == "(" and words[2] == ")":
            return words[1] != ""
        if size == 4 and words[0] == "!":
            return not self.test(words[1:])
        if size == 4 and words[0] == "(" and words[3] == ")":
            return self.test(words[1:3])
        at, value = self._or(words, 0, 0)
        if at < size:
            raise TestFault("operand", words[at] if self.flavor == "ash" else words[max(0, at - 1)])
        return value

    def _or(self, words: list[str], at: int, depth: int) -> tuple[int, bool]:
        at, value = self._and(words, at, depth)
        while at < len(words) and words[at] == "-o":
            at, other = self._and(words, at + 1, depth)
            value = value or other
        return at, value

    def _and(self, words: list[str], at: int, depth: int) -> tuple[int, bool]:
        at, value = self._not(words, at, depth)
        while at < len(words) and words[at] == "-a":
            at, other = self._not(words, at + 1, depth)
            value = value and other
        return at, value

    def _not(self, words: list[str], at: int, depth: int) -> tuple[int, bool]:
        if at >= len(words):
            raise TestFault("argument")
        if depth > 200:
            raise TestFault("operand", words[at])
        if words[at] == "!" and not (at + 1 < len(words) and words[at + 1] in BINARY):
            at, value = self._not(words, at + 1, depth + 1)
            return at, not value
        if at + 2 < len(words) and words[at + 1] in BINARY:
            return at + 3, self.binary(words[at], words[at + 1], words[at + 2])
        if words[at] == "(":
            at, value = self._or(words, at + 1, depth + 1)
            if at >= len(words) or words[at] != ")":
                raise TestFault("closing")
            return at + 1, value
        if words[at] in UNARY and at + 1 < len(words):
            return at + 2, self.unary(words[at], words[at + 1])
        return at + 1, words[at] != ""

    def unary(self, op: str, word: str) -> bool:
        files, proc = self.proc.files, self.proc
        if op == "-n":
            return word != ""
        if op == "-z":
            return word == ""
        if op == "-t":
            return proc.isatty(self.number(word))
        if op == "-o":
            return word in OPTION_LETTERS and self.option(OPTION_LETTERS[word])
        if op == "-v":
            return self.get(word) is not None
        if not word:
            return False
        if word.startswith("/dev/"):
            try:
                special = device(proc, proc.path(word))
            except Fault:
                return False
            if special is not None:
                return op in ("-e", "-r", "-w", "-c", "-a")
        path = proc.path(word)
        kind = files.kind(path)
        if op in ("-h", "-L"):
            return (found := files.stat(path, follow=False)) is not None and found.kind == "link"
        if op == "-r":
            return kind != "" and files.may(path, READ)
        if op in ("-b", "-c", "-p", "-S"):
            found = files.stat(path)
            return found is not None and found.kind == {"-b": "block", "-c": "char", "-p": "fifo", "-S": "socket"}[op]
        if op in ("-u", "-g", "-k"):
            found = files.stat(path)
            return found is not None and bool(found.mode & {"-u": 0o4000, "-g": 0o2000, "-k": 0o1000}[op])
        if op in ("-e", "-a", "-O", "-G", "-N"):
            return kind != ""
        if op == "-w":
            return kind != "" and files.may(path, WRITE)
        if op == "-d":
            return kind == "directory"
        if op == "-f":
            return (found := files.stat(path)) is not None and found.kind == "file"
        if op == "-s":
            found = files.stat(path)
            return found is not None and found.size > 0
        if op == "-x":
            return kind == "directory" or kind == "file" and files.executable(path) or not kind and self._program(path)
        return False

    def _program(self, path: str) -> bool:
        machine = self.proc.machine
        return machine.where(path.rpartition("/")[2]) == path

    def number(self, word: str) -> int:
        if not re.fullmatch(r"\s*[-+]?\d{1,19}\s*", word):
            raise TestFault("number", word)
        return int(word)

    patterned = False  # ``[[`` of ash: ``test`` whose right sides are patterns

    def binary(self, left: str, op: str, right: str) -> bool:
        if self.patterned and op in ("=", "==", "!="):
            return matches(tokens([(right, False)]), left) == (op != "!=")
        if op == "=~":
            return self.matched(right, left)
        if op in ("=", "=="):
            return left == right
        if op == "!=":
            return left != right
        if op in NUMERIC:
            return NUMERIC[op](self.number(left), self.number(right))
        if op == "<":
            return left < right
        if op == ">":
            return left > right
        one, other = modified(self.proc, left), modified(self.proc, right)
        if op == "-nt":
            return one is not None and (other is None or one > other)
        if op == "-ot":
            return other is not None and (one is None or one < other)
        return self.proc.path(left) == self.proc.path(right) and one is not None

    # the compound commands

    def compute_(self, node: tree.Compute, tail: bool) -> Going:
        level = self.level
        frame = self.enter()
        try:
            text = yield self.string(node.word, frame)
            return int(self.computed(text) == 0)
        finally:
            self.leave(level)

    def conditional(self, node: tree.Conditional, tail: bool) -> Going:
        level = self.level
        frame = self.enter()
        try:
            self.begin(frame)
            try:
                return int(not (yield self._tested(node.test)))
            except TestFault as fault:
                self.complain(f"[[: {fault.word}: integer expression expected")
                return 2
        finally:
            self.leave(level)

    def _tested(self, test: Any) -> Going:
        kind = test[0]
        if kind == "!":
            return not (yield self._tested(test[1]))
        if kind in ("&&", "||"):
            left = yield self._tested(test[1])
            return (yield self._tested(test[2])) if left == (kind == "&&") else left
        if kind == "-":
            return self.unary(test[1], (yield self.joined(test[2])))
        _, op, left, right = test
        text = yield self.joined(left)
        if op == "=~":
            return (yield self._regex(text, right))
        if op in ("=", "==", "!="):
            pattern = yield self.pattern(right)
            return matches(pattern, text) == (op != "!=")
        other = yield self.joined(right)
        if op in NUMERIC:
            return NUMERIC[op](self.computed(text or "0"), self.computed(other or "0"))
        return self.binary(text, op, other)

    def _regex(self, text: str, word: tree.Word) -> Going:
        into = Fields(None)
        yield self.parts(word, into)
        pattern = "".join(quoted_pattern(piece) if quoted else piece for field in into.all() for piece, quoted in field)
        return self.matched(pattern, text)

    def matched(self, pattern: str, text: str) -> bool:
        found = search(pattern, text[:LONGEST])
        if self.flavor == "bash":
            self.put("BASH_REMATCH", {str(at): group or "" for at, group in enumerate(found)} if found else {})
        return found is not None


OPTION_LETTERS = {"errexit": "e", "noglob": "f", "nounset": "u", "xtrace": "x", "noclobber": "C", "pipefail": "p", "allexport": "a"}


def modified(proc: Any, path: str) -> float | None:
    found = proc.files.stat(proc.path(path)) if path else None
    return found.mtime if found is not None else None
