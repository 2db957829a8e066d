"""Words become fields: tilde, parameters, command substitution, arithmetic, field splitting, pathnames, in that order.

Each method is a generator, as a substitution waits for a child. What has been computed of a word and must not be computed twice (a
substitution's output, an assignment's outcome) is noted in order in the frame's ``subs`` and taken from there when a restart
begins the word again.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.program import MEMORY, OutOfMemory
from server.cluster.runtime.sh.arithmetic import ArithmeticFault, compute
from server.cluster.runtime.sh.fields import MOST_FIELDS, Fields
from server.cluster.runtime.sh.patterns import magic, matches, paths, plain, replaced, tokens, trimmed
from server.cluster.runtime.sh.state import Broken, State, Trouble
from server.cluster.runtime.sh.tree import Arithmetic, Parameter, Substitution, Text, Tilde, Word
from server.cluster.runtime.streams import Fault, Pipe

Going = Generator[Any, Any, Any]
MOST_TRIED = 4 * 1024 * 1024


class Expansion(State):
    def __init__(self, proc: Any) -> None:
        super().__init__(proc)
        self.subs: list[Any] = []
        self.sub = 0
        self.substituted: int | None = None

    # words

    def fields_of(self, words: tuple[Word, ...], frame: dict[str, Any], key: str = "fields") -> Going:
        """The fields of words in a row; ``frame`` keeps those of the words done."""
        fields = frame.setdefault(key, [])
        at = key + "_at"
        while frame.setdefault(at, 0) < len(words):
            word = words[frame[at]]
            literal = word.literal
            if literal is not None and not ("*" in literal or "?" in literal or "[" in literal or self.flavor == "bash" and "{" in literal):
                fields.append(literal)
            else:
                for each in self.braces(word):
                    fields.extend((yield self.fields(each, frame)))
                    if sum(map(len, fields)) > MEMORY or len(fields) > MOST_FIELDS:
                        raise OutOfMemory
            frame.pop("subs", None)
            frame[at] += 1
        return fields

    def braces(self, word: Word) -> list[Word]:
        """bash's {a,b} and {1..5}."""
        if self.flavor != "bash" or not any(isinstance(part, Text) and not part.quoted and "{" in part.text for part in word.parts):
            return [word]
        from server.cluster.runtime.sh.braces import expanded
        return expanded(word)

    def begin(self, frame: dict[str, Any]) -> None:
        self.subs, self.sub = frame.setdefault("subs", []), 0

    def fields(self, word: Word, frame: dict[str, Any]) -> Going:
        self.begin(frame)
        into = Fields(self.get("IFS") or "")
        yield self.parts(word, into)
        found: list[str] = []
        for field in into.all():
            if magic(field) and not self.option("f"):
                matching = paths(field, self._names, self._kind, MOST_FIELDS)
                found.extend(matching or [self._unescaped(field)])
            else:
                found.append(plain(field))
        return found

    @staticmethod
    def _unescaped(field: list[tuple[str, bool]]) -> str:
        return plain(field)

    def _names(self, path: str) -> list[str] | None:
        full = self.proc.path(path or ".")
        return self.proc.files.names(full) if self.proc.files.kind(full) == "directory" else None

    def _kind(self, path: str) -> str:
        return self.proc.files.kind(self.proc.path(path or "."))

    def string(self, word: Word, frame: dict[str, Any]) -> Going:
        """A word as one text: an assignment's value, a redirection's target."""
        self.begin(frame)
        return (yield self.joined(word))

    def joined(self, word: Word) -> Going:
        literal = word.literal
        if literal is not None:
            return literal
        into = Fields(None)
        yield self.parts(word, into)
        return " ".join(plain(field) for field in into.all())

    def pattern(self, word: Word) -> Going:
        """A word as a pattern's tokens."""
        into = Fields(None)
        yield self.parts(word, into)
        return tokens(piece for at, field in enumerate(into.all()) for piece in ([(" ", True)] * (at > 0) + field))

    # parts

    def parts(self, word: Word, into: Fields, splits: bool = False) -> Going:
        """Puts what a word stands for; ``splits``: its plain text is split too, as it is the word of an expansion outside quotes."""
        for part in word.parts:
            if isinstance(part, Text):
                if splits and not part.quoted:
                    into.split(part.text)
                else:
                    into.put(part.text, part.quoted)
            elif isinstance(part, Tilde):
                into.put(self.home(part.user), True)
            elif isinstance(part, Parameter):
                yield self._parameter(part, into)
            else:
                if isinstance(part, Arithmetic):
                    text = yield self._arithmetic(part)
                else:
                    text = yield self._substitution(part)
                if part.quoted:
                    into.put(text, True)
                else:
                    into.split(text)

    def home(self, user: str) -> str:
        if not user:
            home = self.get("HOME")
            return "~" if home is None else home
        if self.flavor == "bash" and user in "+-":
            return self.get("PWD" if user == "+" else "OLDPWD") or f"~{user}"
        text = self.proc.files.read("/etc/passwd") or "root:x:0:0:root:/root:/bin/sh\n"
        for line in text.splitlines():
            entry = line.split(":")
            if len(entry) > 5 and entry[0] == user:
                return entry[5]
        return f"~{user}"

    def _noted(self, value: Callable[[], Any]) -> Any:
        """A value that is computed once, whatever restarts come."""
        if self.sub < len(self.subs):
            self.sub += 1
            return self.subs[self.sub - 1]
        found = value()
        self.subs.append(found)
        self.sub += 1
        return found

    def _arithmetic(self, part: Arithmetic) -> Going:
        text = yield self.joined(part.word)
        return str(self._noted(lambda: self.computed(text)))

    def computed(self, text: str) -> int:
        try:
            if self.flavor == "dash" and not text.strip():
                raise ArithmeticFault("syntax", text)
            return compute(text.replace('"', ""), self._read_scalar, self._write_scalar, eager=self.flavor == "ash")
        except ArithmeticFault as fault:
            raise Trouble(self._arithmetic_fault(fault, text), 1 if self.flavor == "bash" else 2) from None

    def _read_scalar(self, name: str, index: str | None) -> str:
        return self.scalar(name, self.key(name, index))

    def _write_scalar(self, name: str, index: str | None, value: str) -> None:
        if index is not None:
            self.put_element(name, self.key(name, index) or "0", value)
        else:
            self.put(name, value)

    def key(self, name: str, index: str | None) -> str | None:
        """An array's index, computed if it is a number's."""
        if index is None or name in self.state.get("maps", ()):
            return index
        number = self.computed(index) if index.strip() else 0
        if number < 0 and isinstance(self.vars.get(name), dict):
            number += max((int(each) for each in self.vars[name]), default=-1) + 1
        return str(number)

    def _arithmetic_fault(self, fault: ArithmeticFault, text: str) -> str:
        if self.flavor == "ash":
            return {"zero": "divide by zero", "recursion": "expression recursion loop detected", "exponent": "exponent less than 0"}.get(
                fault.kind, "arithmetic syntax error")
        if self.flavor == "dash":
            return "arithmetic expression: " + {"zero": f'division by zero: "{fault.text}"', "base": f'expecting EOF: "{text}"'}.get(
                fault.kind, f'expecting primary: "{fault.text}"')
        words = {"zero": "division by 0", "base": "value too great for base", "recursion": "expression recursion level exceeded",
                 "exponent": "exponent less than 0"}.get(fault.kind, "syntax error: operand expected")
        return f'{fault.text}: {words} (error token is "{fault.at}")'

    # command substitution

    def _substitution(self, part: Substitution) -> Going:
        if self.sub < len(self.subs):
            self.sub += 1
            text, self.substituted = self.subs[self.sub - 1]
            if self.flavor == "bash" and self.substituted is not None:
                self.state["status"] = self.substituted
            return text
        level = self.level
        frame = self.enter()
        if part.way:
            text, status = self._piped(part), None
        else:
            text, status = yield self._captured(part.text, frame)
        self.leave(level)
        self.subs.append([text, status])
        self.sub += 1
        self.substituted = status
        if self.flavor == "bash" and status is not None:
            self.state["status"] = status
        return text

    def _piped(self, part: Substitution) -> str:
        """bash's <(command): the path of a pipe's end."""
        pipe = Pipe()
        mine, other = (pipe.reader, pipe.writer) if part.way == "<" else (pipe.writer, pipe.reader)
        fd = next(number for number in range(63, 0, -1) if number not in self.proc.fds)
        self.proc.fds[fd] = mine.open()
        self.state.setdefault("piped", []).append(fd)
        fds = {number: stream for number, stream in self.visible().items() if number != fd}
        self.fork({"text": part.text}, fds={**fds, 1 if part.way == "<" else 0: other})
        return f"/dev/fd/{fd}"

    def _captured(self, text: str, frame: dict[str, Any]) -> Going:
        """What a child prints, without the newlines at its end, and its status."""
        if "pid" not in frame:
            pipe = Pipe()
            fd = self.hide(pipe.reader)
            fds = {**self.visible(), 1: pipe.writer}
            child = self.fork({"text": text}, fds=fds)
            if child is None:
                self.close(fd)
                raise Trouble("", 2)
            frame |= {"pid": child.pid, "fd": fd, "got": ""}
        stream = self.proc.fds[frame["fd"]]
        while (news := stream.read()) != "":
            if news is None:
                yield Pass(stream.readable)
                continue
            frame["got"] += news
            if len(frame["got"]) > MEMORY:
                raise OutOfMemory
        if frame["fd"] in self.proc.fds:
            self.close(frame["fd"])
        status = yield self.ended(frame["pid"])
        if self.option("i") and status == 130:
            raise Broken
        return frame["got"].replace("\0", "").rstrip("\n"), status

    def fork(self, state: dict[str, Any], fds: Any) -> Any:
        raise NotImplementedError

    def ended(self, pid: int) -> Going:
        raise NotImplementedError

    # parameters

    def _parameter(self, part: Parameter, into: Fields) -> Going:
        name, op, quoted = part.name, part.op, part.quoted
        if op == "bad":
            raise Trouble("syntax error: bad substitution" if self.flavor == "ash" else "Bad substitution" if self.flavor == "dash"
                          else f"{name}: bad substitution", 1 if self.flavor == "bash" else 2)
        value: Any
        if part.index is not None:
            index = yield self.joined(part.index)
            value = self._array(name, index) if index in ("@", "*") or op == "keys" else self.element(name, self.key(name, index) or "0")
            if index == "@":
                name = "@"
            elif index == "*":
                name = "*"
        elif name in ("@", "*"):
            value = self.params
        elif name == "RANDOM":
            value = self._noted(lambda: self.parameter(name))
        else:
            value = self.parameter(name)
        if op == "indirect":
            value = self.parameter(value) if value else None
        elif op == "keys":
            held = self.vars.get(part.name)
            value = list(held) if isinstance(held, dict) else ["0"] if held is not None else []
        if op == "length":
            into_text = str(len(value)) if isinstance(value, list) else self._length(part, value)
            (into.put(into_text, True) if quoted else into.split(into_text))
            return
        if op.lstrip(":") in ("-", "=", "?", "+") and op:
            missing = value is None or value == [] and self.flavor == "bash" or op[0] == ":" and (value in ("", [], [""]))
            if op[-1] == "+":
                if missing:
                    value = ""
                else:
                    yield self._word(part, into)
                    return
            elif missing:
                if op[-1] == "-":
                    yield self._word(part, into)
                    return
                text = yield self.joined(part.word)
                if op[-1] == "?":
                    default = ("parameter not set or null" if op[0] == ":" else "parameter not set") if self.flavor != "bash" else (
                        "parameter null or not set" if op[0] == ":" else "parameter not set")
                    raise Trouble(f"{part.name}: {text or default}", self.fatal_code())
                self._noted(lambda: self.put(part.name, text))
                value = text
        elif value is None:
            if self.option("u") and name not in ("@", "*"):
                raise Trouble(self.unbound(part.name), self.fatal_code())
            value = ""
        if op and op[0] in "#%/^,s":
            value = yield self._changed(part, value)
        if isinstance(value, list):
            self._listed(name, value, quoted, into)
        elif quoted:
            into.put(value or "", True)
        else:
            into.split(value or "")

    def fatal_code(self) -> int:
        return 2 if self.flavor != "bash" else 1 if self.state.get("forked") else 127

    def _length(self, part: Parameter, value: str | None) -> str:
        if value is None and self.option("u"):
            raise Trouble(self.unbound(part.name))
        return str(len(value or ""))

    def _word(self, part: Parameter, into: Fields) -> Going:
        if part.quoted and not part.word.parts:
            into.put("", True)
        yield self.parts(part.word, into, splits=not part.quoted)

    def _array(self, name: str, index: str) -> list[str]:
        value = self.vars.get(name)
        if isinstance(value, dict):
            keys = value if name in self.state.get("maps", ()) else sorted(value, key=int)
            return [value[key] for key in keys]
        text = self.get(name)
        return [] if text is None else [text]

    def _listed(self, name: str, values: list[str], quoted: bool, into: Fields) -> None:
        if quoted and name == "*":
            ifs = self.get("IFS")
            into.put((ifs[:1] if ifs is not None else " ").join(values), True)
            return
        if into.ifs is None:
            if values:
                into.put(" ".join(values), quoted)
            return
        for at, value in enumerate(values):
            if at:
                into.end()
            if quoted:
                into.put(value, True)
            else:
                into.split(value)

    def _changed(self, part: Parameter, value: Any) -> Going:
        """``#``, ``%``, ``/``, ``:n:m``, ``^`` and ``,`` of a value, or of each of a list."""
        op = part.op
        if op == "slice":
            start = self._noted(lambda text=(yield self.joined(part.word)): self.computed(text))
            length = None
            if part.other is not None:
                length = self._noted(lambda text=(yield self.joined(part.other)): self.computed(text))
            if isinstance(value, list) and part.name == "@" or part.name == "*":
                value = [self.state["zero"], *value]
            return self._slice(value, start, length)
        pattern = yield self.pattern(part.word)
        if op[0] in "^,":
            change = str.upper if op[0] == "^" else str.lower
            wanted = (lambda char: matches(pattern, char)) if pattern else (lambda char: True)

            def one(text: str) -> str:
                if len(op) == 2:
                    return "".join(change(char) if wanted(char) else char for char in text)
                return change(text[:1]) + text[1:] if text and wanted(text[0]) else text
        elif op[0] == "/":
            other = (yield self.joined(part.other)) if part.other is not None else ""

            def one(text: str) -> str:
                if len(other) * (len(text) + 1) > MEMORY * 16:
                    raise OutOfMemory
                return replaced(text, pattern, op, other, MOST_TRIED)
        else:
            def one(text: str) -> str:
                return trimmed(text, pattern, op)
        return [one(each) for each in value] if isinstance(value, list) else one(value)

    def _slice(self, value: Any, start: int, length: int | None) -> Any:
        size = len(value)
        start = max(0, start + size) if start < 0 else start
        if length is None:
            return value[start:]
        if length < 0:
            return value[start:max(start, size + length)]
        return value[start:start + length]


__all__ = ["Expansion", "Fault", "Fields", "Going"]
