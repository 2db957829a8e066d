"""Walks a compiled script inside a container: expands words, runs commands, sleeps on the virtual clock, ends with an exit code.

The point it has reached (``state``: counter, last status, variables, loops, when a sleep ends) is plain data and is handed to
``box.save`` before every wait, so ``interpret`` with a saved state goes on exactly there.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, Protocol

from server.cluster.disks import NO_SPACE
from server.cluster.process import Channel, Sleep, Take
from server.cluster.runtime import burners, tails
from server.cluster.runtime.arithmetic import arithmetic
from server.cluster.runtime.clients import CLIENTS
from server.cluster.runtime.commands import COMMANDS, MEMORY, SHELLS, Done, Machine, OutOfMemory, Text
from server.cluster.runtime.files import NotSimulated
from server.cluster.runtime.shell import (
    Drop,
    Jump,
    Loop,
    Next,
    Operation,
    Redirect,
    Run,
    ShellSyntax,
    Status,
    Unsupported,
    Word,
    compile_script,
)

BURST, BREATH, MOST_SEEN, PATIENCE = 200, 1.0, 16, 10.0
MOST_EXPORTED, MOST_TRAPS = 1_000, 64
DEEPEST, OVERHEAD = 16, 32  # levels of $(...); characters that a variable takes beside its own
# what depends on nothing but the script's own variables, and changes nothing else
PURE = frozenset({":", "true", "false", "test", "["})
OF_FILES = frozenset({"-f", "-e", "-s", "-r", "-d"})
NOT_FOUND, OUT_OF_MEMORY = 127, 2
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
BUILTINS = frozenset({"exit", "export", "set", "cd", "trap", "exec", "wait", "read", "unset", "shift", "umask", "eval", ".", "source",
                      "return"})


class Box(Machine, Protocol):
    """The container as its main program sees it."""

    def write(self, text: str, stream: str) -> None: ...

    def save(self, state: dict[str, Any]) -> None: ...

    def now(self) -> float: ...

    def program(self, argv: list[str]) -> str: ...

    def serve(self, argv: list[str]) -> None: ...

    def signalled(self) -> bool: ...


class Exit(Exception):
    """The script ends here."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def loud(what: str) -> str:
    """What a container says that asks for something which is not simulated."""
    return f"podium: {what} is not simulated; the container stops here\n"


def seconds(words: list[str]) -> float | None:
    """How long ``sleep WORDS`` takes: None is no duration.

    >>> seconds(["1.5m"]), seconds(["infinity"]), seconds(["x"])
    (90.0, inf, None)
    """
    total = 0.0
    for word in words:
        if word in ("infinity", "inf"):
            return float("inf")
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", word)
        if found is None:
            return None
        total += float(found[1]) * UNITS[found[2]]
    return total if words else None


def interpret(box: Box, operations: tuple[Operation, ...], state: dict[str, Any] | None = None) -> Generator[Any, Any, int]:
    """Runs from ``state`` (None: from the beginning) to the exit code."""
    walker = _Walker(box, dict(state) if state else {"pc": 0, "status": 0, "vars": {}, "loops": [], "flags": "", "traps": {}, "wait": None})
    try:
        return (yield from walker.walk(operations))
    except Exit as end:
        return end.code
    except (Unsupported, NotSimulated) as fault:
        box.write(loud(str(fault)), "stderr")
        return NOT_FOUND
    except OutOfMemory:
        box.write("sh: out of memory\n", "stderr")
        return OUT_OF_MEMORY


class _Walker:
    def __init__(self, box: Box, state: dict[str, Any], depth: int = 0) -> None:
        self.box = box
        self.depth = depth
        self.state = state
        self.vars: dict[str, str] = state["vars"]
        self.held = sum(len(name) + len(value) + OVERHEAD for name, value in self.vars.items())
        self.operations: tuple[Operation, ...] = ()
        self.alone = False
        self.pure = True
        self.seen: list[dict[str, Any]] = []

    def walk(self, operations: tuple[Operation, ...]) -> Generator[Any, Any, int]:
        state, burst, began = self.state, 0, self.box.now()
        self.alone = len(operations) == 1
        self.operations = operations
        if state["wait"] is not None:
            yield from self._waiting()
            if (last := state.pop("last", None)) is not None:
                out, redirects = (last[2], operations[state["pc"]].redirects) if len(last) > 2 else ("", ())
                state["status"] = self._emit(Done(last[0], out, last[1]), redirects)
            state["pc"] += 1
        while state["pc"] < len(operations):
            if state["traps"] and self.box.signalled():
                yield from self._trapped()
            step = operations[state["pc"]]
            if isinstance(step, Run):
                state["status"] = yield from self._run(step)
                if "e" in state["flags"] and state["status"] and not self._tested(operations):
                    return state["status"]
                burst, began = (burst + 1, began) if self.box.now() - began < BREATH else (1, self.box.now())
            state["pc"] = self._after(step)
            if burst >= BURST:
                yield from self._spin()
                burst, began = 0, self.box.now()
        return state["status"]

    def _spin(self) -> Generator[Any, Any, None]:
        """It computes without end: a core is busy. One that comes round to where it was before has nothing else to do for ever."""
        state = self.state
        here = {field: value for field, value in state.items() if field not in ("burn", "vars")} | {"vars": dict(self.vars)}
        again = self.pure and not state["traps"] and here in self.seen
        self.seen = [*self.seen[-MOST_SEEN:], here] if self.pure else []
        self.pure = True
        if "burn" not in state:
            state["burn"] = burners.SPIN.state(self.box.now())
        if again:
            state["wait"] = "ever"
            yield from self._waiting()
        self.box.save(dict(state))
        yield Sleep(BREATH)

    def _burn(self, burn: burners.Burn) -> Generator[Any, Any, int]:
        if burn.first:
            self.box.write(burn.first, "stdout")
        self.state["last"] = [burn.code, burn.last]
        yield from self._wait(burn.seconds, burn.state(self.box.now()))
        code, text = self.state.pop("last")
        return self._emit(Done(code, "", text), ())

    def _tested(self, operations: tuple[Operation, ...]) -> bool:
        following = operations[self.state["pc"] + 1:self.state["pc"] + 2]
        return bool(following) and isinstance(following[0], Jump) and following[0].when is not None

    def _after(self, step: Operation) -> int:
        state = self.state
        here = state["pc"] + 1
        if isinstance(step, Jump):
            return step.to if step.when is None or step.when == (state["status"] == 0) else here
        if isinstance(step, Loop):
            state["loops"] = [*state["loops"], self._words(step.words)]
        elif isinstance(step, Next):
            *outer, words = state["loops"]
            if not words:
                state["loops"] = outer
                return step.end
            self._assign(step.name, words[0])
            state["loops"] = [*outer, words[1:]]
        elif isinstance(step, Status):
            state["status"] = int(not state["status"]) if step.value is None else step.value
        elif isinstance(step, Drop):
            state["loops"] = state["loops"][:-step.count]
        return here

    def _waiting(self) -> Generator[Any, Any, None]:
        until = self.state["wait"]
        self.box.save(dict(self.state))
        if "follow" in self.state:
            yield from self._followed()
        elif until == "ever":
            yield Take(Channel())
        elif until > self.box.now():
            yield Sleep(until - self.box.now())
        self.state["wait"] = None
        self.state.pop("burn", None)

    def _wait(self, length: float, burn: dict[str, Any] | None = None) -> Generator[Any, Any, None]:
        self.state.pop("burn", None)
        if burn is not None:
            self.state["burn"] = burn
        self.state["wait"] = "ever" if length == float("inf") else self.box.now() + length
        yield from self._waiting()

    def _trapped(self) -> Generator[Any, Any, None]:
        script = self.state["traps"].get("TERM")
        self.state["traps"] = {}
        if script is not None:
            inner = _Walker(self.box, {**self.state, "pc": 0, "loops": [], "wait": None}, self.depth)
            yield from inner.walk(compile_script(script))

    def _run(self, step: Run) -> Generator[Any, Any, int]:
        argv = self._words(step.words)
        self.pure = self.pure and _is_pure(step, argv)
        if not argv:
            for name, word in step.assignments:
                self._assign(name, self._text(word))
            return 0
        if argv[0] == "exec" and len(argv) > 1:
            raise Exit((yield from self._command(argv[1:], step, main=True)))
        return (yield from self._command(argv, step))

    def _command(self, argv: list[str], step: Run, main: bool = False) -> Generator[Any, Any, int]:
        name = argv[0].rpartition("/")[2] if argv[0].startswith("/") else argv[0]
        if name in BUILTINS:
            return self._builtin(name, argv)
        if name in ("sleep", "usleep"):
            length = seconds(argv[1:])
            if length is None:
                self.box.write(f"sleep: invalid time interval '{' '.join(argv[1:])}'\n", "stderr")
                return 1
            yield from self._wait(length / 1e6 if name == "usleep" else length)
            return 0
        burn = burners.burn(argv, self._hidden(step))
        if burn is not None and self.box.program(argv[2:] if name == "timeout" else argv) != "missing":
            return (yield from self._burn(burn))
        if name == "tail":
            return (yield from self._tail(argv, step))
        if name in COMMANDS and self.box.program([name]) == "command":
            return self._emit(COMMANDS[name](self, argv), step.redirects)
        kind = self.box.program(argv)
        if kind == "client":
            return (yield from self._client(name, argv, step))
        if kind == "server":
            self.state["main"] = main or self.alone
            self.box.serve(argv)
            yield from self._wait(float("inf"))
            return 0
        if kind == "missing":
            return self._emit(Done(NOT_FOUND, "", f"sh: {argv[0]}: not found\n"), step.redirects)
        raise Unsupported("a shell inside a shell" if name in SHELLS else f'"{name}"')

    def _client(self, name: str, argv: list[str], step: Run) -> Generator[Any, Any, int]:
        """What it prints is seen when the network has answered."""
        said = CLIENTS[name](self, argv)
        if said.seconds:
            self.state["last"] = [said.code, said.err, said.out]
            yield from self._wait(said.seconds)
            del self.state["last"]
        return self._emit(Done(said.code, said.out, said.err), step.redirects)

    def _tail(self, argv: list[str], step: Run) -> Generator[Any, Any, int]:
        asked = tails.asked(argv)
        if asked is None:
            raise Unsupported(f'"{" ".join(argv)}"')
        text = self.box.files.read(asked.path)
        if text is None:
            status = self._emit(Done(1, "", tails.missing(asked.path)), step.redirects)
            if not asked.retry:
                return status
        status = self._emit(Done(0, tails.last(text or "", asked)), step.redirects)
        if asked.follow:
            self.state["follow"] = [asked.path, len(text or "")]
            yield from self._wait(float("inf"))
        return status

    def _followed(self) -> Generator[Any, Any, None]:
        """What is written to a file from now on is printed, for ever."""
        path, seen = self.state["follow"]
        redirects, news = self.operations[self.state["pc"]].redirects, Channel()
        stop = self.box.files.follow(path, lambda: news.items or news.put(None))
        try:
            while True:
                text = self.box.files.read(path) or ""
                seen = 0 if len(text) < seen else seen
                if len(text) > seen:
                    self._emit(Done(0, text[seen:]), redirects)
                    self.state["follow"], seen = [path, len(text)], len(text)
                    self.box.save(dict(self.state))
                yield Take(news)
        finally:
            stop()

    # what commands see of this shell: the container's machine with the shell's variables

    def __getattr__(self, name: str) -> Any:
        return getattr(self.box, name)

    def environment(self) -> dict[str, str]:
        return {**self.box.environment(), **{name: value for name, value in self.vars.items() if name in self.state.get("exported", ())}}

    def _builtin(self, name: str, argv: list[str]) -> int:
        state = self.state
        if name == "exit":
            raise Exit((int(argv[1]) & 255 if argv[1].lstrip("-").isdigit() else 2) if len(argv) > 1 else state["status"])
        if name == "export":
            for word in argv[1:]:
                key, equals, value = word.partition("=")
                if equals:
                    self._assign(key, value)
                if key not in state.get("exported", ()):
                    if len(state.get("exported", ())) >= MOST_EXPORTED:
                        raise OutOfMemory
                    state["exported"] = [*state.get("exported", ()), key]
        elif name == "set":
            for word in argv[1:]:
                if not re.fullmatch(r"[-+][eu]+|-o|pipefail", word):
                    raise Unsupported(f"set {word}")
                if word[0] in "-+":
                    letters = set(word[1:])
                    flags = set(state["flags"])
                    state["flags"] = "".join(sorted(flags | letters if word[0] == "-" else flags - letters))
        elif name == "trap":
            for signal in argv[2:]:
                if len(state["traps"]) >= MOST_TRAPS:
                    raise OutOfMemory
                state["traps"] = {**state["traps"], signal.removeprefix("SIG").replace("15", "TERM"): argv[1]}
        elif name == "unset":
            for key in argv[1:]:
                if key in self.vars:
                    self.held -= len(key) + len(self.vars.pop(key)) + OVERHEAD
        elif name == "read":
            return 1
        elif name not in ("cd", "wait", "umask", "exec"):
            raise Unsupported(f'"{name}"')
        return 0

    def _emit(self, done: Done, redirects: tuple[Redirect, ...]) -> int:
        """Sends a command's output where its redirections say."""
        targets: dict[int, tuple[str, bool] | int] = {1: 1, 2: 2}
        for redirect in redirects:
            target = self._text(redirect.target)
            targets[redirect.stream] = targets[int(target[1])] if target in ("&1", "&2") else (target, redirect.append)
        for stream, text in ((1, done.out), (2, done.err)):
            target = targets[stream]
            if isinstance(target, tuple) and target[0] in ("/dev/stdout", "/dev/stderr", "/proc/1/fd/1", "/proc/1/fd/2"):
                target = 2 if target[0][-1] in "r2" else 1
            if isinstance(target, int):
                if text:
                    self.box.write(text, "stdout" if target == 1 else "stderr")
            elif (text or stream == 1) and (fault := self.box.files.write(target[0], text, target[1])):
                self.box.write(f"sh: write error: {fault}\n" if fault == NO_SPACE else f"sh: can't create {target[0]}: {fault}\n", "stderr")
                return 1
        return done.status

    def _hidden(self, step: Run) -> bool:
        return any(redirect.stream == 1 and self._text(redirect.target) == burners.NULL for redirect in step.redirects)

    # words

    def _assign(self, name: str, value: str) -> None:
        before = self.vars.get(name)
        self.held += len(value) - len(before) if before is not None else len(name) + len(value) + OVERHEAD
        if self.held > MEMORY:
            raise OutOfMemory
        self.vars[name] = value

    def _text(self, word: Word) -> str:
        text = Text()
        for part in word:
            text += self._part(part.kind, part.text)
        return str(text)

    def _words(self, words: tuple[Word, ...]) -> list[str]:
        found: list[str] = []
        size = 0
        for word in words:
            fields = self._fields(word)
            size += sum(map(len, fields))
            if size > MEMORY:
                raise OutOfMemory
            found.extend(fields)
        return found

    def _fields(self, word: Word) -> list[str]:
        """A word after expansion: unquoted results are split at white space."""
        fields: list[str] = []
        current: str | None = None
        size = 0
        for part in word:
            text = self._part(part.kind, part.text)
            size += len(text)
            if size > MEMORY:
                raise OutOfMemory
            if part.quoted or part.kind == "text":
                current = (current or "") + text
                continue
            pieces = text.split()
            if text[:1].isspace() and current is not None:
                fields.append(current)
                current = None
            for number, piece in enumerate(pieces):
                if number:
                    fields.append(current or "")
                    current = None
                current = (current or "") + piece
        return fields if current is None else [*fields, current]

    def _part(self, kind: str, text: str) -> str:
        if kind == "text":
            return text
        if kind == "var":
            return self._variable(text)
        if kind == "arithmetic":
            return str(arithmetic(text, self._variable))
        return self._substituted(text)

    def _variable(self, name: str) -> str:
        if name == "?":
            return str(self.state["status"])
        if name == "$":
            return "1"
        name, _, default = name.partition(":-")
        value = self.vars.get(name)
        if value is None:
            value = self.box.environment().get(name, "")
        return value or default

    def _substituted(self, script: str) -> str:
        """``$(script)``, of commands that answer at once."""
        if self.depth >= DEEPEST:
            raise Unsupported("$(...) nested so deep")
        inner = _Captured(self.box, {**self.state, "pc": 0, "loops": [], "wait": None, "vars": dict(self.vars), "traps": {}}, self.depth + 1)
        try:
            for _ in inner.walk(compile_script(script)):
                raise Unsupported("waiting inside $(...)")
        except Exit:
            pass
        except ShellSyntax as fault:
            self.box.write(f"{fault}\n", "stderr")
        return str(inner.text).rstrip("\n")


class _Captured(_Walker):
    """A shell whose output is kept."""

    def __init__(self, box: Box, state: dict[str, Any], depth: int) -> None:
        super().__init__(box, state, depth)
        self.text = Text()

    def _client(self, name: str, argv: list[str], step: Run) -> Generator[Any, Any, int]:
        """The moment that an answer takes is left out."""
        said = CLIENTS[name](self, argv)
        if said.seconds > PATIENCE:
            raise Unsupported("waiting inside $(...)")
        return self._emit(Done(said.code, said.out, said.err), step.redirects)
        yield

    def _emit(self, done: Done, redirects: tuple[Redirect, ...]) -> int:
        if not redirects:
            self.text += done.out
            done = Done(done.status, "", done.err)
        return super()._emit(done, redirects)


def _is_pure(step: Run, argv: list[str]) -> bool:
    words = (*step.words, *(word for _, word in step.assignments))
    if step.redirects or any(part.kind not in ("text", "var", "arithmetic") for word in words for part in word):
        return False
    return not argv or (argv[0] in PURE and OF_FILES.isdisjoint(argv))
