"""Walks the tree: lists, pipelines, loops, functions, redirections, children, traps.

Every method that may wait is a generator; one that calls another yields it, and ``drive`` keeps them on a stack of its own, so scripts
may recurse as deep as they like. Every construct in progress keeps a frame of plain data (``State.enter``) that says how far it is; a shell
begun again walks down its frames and goes on exactly there.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime.burners import SPIN
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program, Signalled
from server.cluster.runtime.sh import tree
from server.cluster.runtime.sh.compound import Compound
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.parser import SyntaxFault
from server.cluster.runtime.sh.state import MOST_REMEMBERED, NUMBERS, Broken, Exit, Trouble
from server.cluster.runtime.signals import INT
from server.cluster.runtime.streams import Pipe

MOST_SEEN, PATIENCE, CROWD = 16, 16 * 1024, 8




class Interpreter(Compound):
    """``program`` is the shell itself, which its subshells run."""

    def __init__(self, proc: Proc, program: Program, builtins: dict[str, Any]) -> None:
        super().__init__(proc)
        self.program = program
        self.builtins = builtins
        self.lenient = int(self.state.get("lenient", 0))
        self.pure = True
        self.trapping = False
        self.seen: list[Any] = []

    def drive(self, going: Going) -> Going:
        """Runs a generator and those that it yields. A signal that the shell catches is noted, and what waits looks again."""
        stack, value, error = [going], None, None
        try:
            while stack:
                try:
                    wait = stack[-1].send(value) if error is None else stack[-1].throw(error)
                except StopIteration as stop:
                    stack.pop()
                    value, error = stop.value, None
                    continue
                except Exception as fault:
                    stack.pop()
                    if not stack:
                        raise
                    value, error = None, fault
                    continue
                value, error = None, None
                if isinstance(wait, Generator):
                    stack.append(wait)
                    continue
                try:
                    value = yield wait
                except Signalled as caught:
                    if self.proc.traps.get(caught.signal) != "catch":
                        raise
                    if len(self.pending) < MOST_REMEMBERED:
                        self.pending.append(caught.signal)
            return value
        finally:
            for each in reversed(stack):
                each.close()

    def breathe(self) -> Going:
        """A step of work. One that comes round to where it was, having done nothing that anybody could see, does so for ever."""
        proc = self.proc
        if proc._held > PATIENCE:
            yield proc.flush()
        if self.state.get("ever"):
            yield from self._for_ever()
        if not proc.spins():
            return
        if self.pure and not self.traps and not self.pending:
            here = [[dict(frame) for frame in self.frames], dict(self.vars), self.state["status"], list(self.params)]
            if here in self.seen:
                self.state["ever"] = True
                proc.compute(SPIN.state(proc.system.clock.now))
                yield from self._for_ever()
            self.seen = [*self.seen[-MOST_SEEN:], here]
        else:
            self.seen = []
        self.pure = True
        yield proc.breathe()

    def _for_ever(self) -> Going:
        while not self.pending:
            yield Pass(Gate())
        self.state.pop("ever")
        self.proc.compute(None)

    def run(self, node: Any, tail: bool = False) -> Going:
        """Runs a command: its status. ``tail``: nothing follows it in this process."""
        method, frames = METHODS[type(node)]
        if getattr(node, "redirects", ()) and type(node) is not tree.Simple and type(node) is not tree.Subshell:
            status = yield self.redirected(node.redirects, lambda: method(self, node, False))
        else:
            status = yield method(self, node, tail)
        self.state["status"] = status
        return status

    def run_text(self, text: str, tail: bool = False) -> Going:
        """Runs a script, one complete command after the other."""
        level = self.level
        frame = self.enter(text=text, at=0, aliases=self.expanding(), line=self.base if not self.level else 0)
        outer, status = (self.unit, self.base), 0
        try:
            while True:
                self.base = frame["line"]
                parsed = self.read(frame["text"], frame["aliases"])
                if frame["at"] >= len(parsed.units):
                    break
                unit = parsed.units[frame["at"]]
                self.unit = unit
                if "n" in self.state["options"]:
                    frame["at"] += 1
                    continue
                last = tail and self.state["flavor"] != "dash" and parsed.fault is None and frame["at"] + 1 == len(parsed.units)
                status = yield self.run(unit.root, last)
                frame["at"] += 1
                if frame["aliases"] != self.expanding():
                    rest = frame["text"][len(frame["text"]) - unit.left:]
                    lines = frame["text"].count("\n") - rest.count("\n")
                    frame |= {"text": rest, "at": 0, "aliases": self.expanding(), "line": frame["line"] + lines}
            if parsed.fault is not None:
                raise self.syntax(parsed.fault, frame["text"])
            return status
        finally:
            self.unit, self.base = outer
            self.leave(level)

    def expanding(self) -> dict[str, str]:
        """The aliases that are replaced; bash does so only for a person."""
        return dict(self.state["aliases"]) if self.flavor != "bash" or self.option("i") or "expands" in self.state else {}

    def syntax(self, fault: SyntaxFault, text: str) -> Trouble:
        self.line = fault.line + self.base
        if self.flavor == "bash" and fault.incomplete and (not fault.quote or fault.quote == ")"):
            self.line += text.count("\n") + 1 - text.endswith("\n") - fault.line + 1
        for line in self.syntax_words(fault, text):
            self.proc.err(line + "\n")
        self.state["status"] = code = 1 if self.flavor == "bash" and fault.text == "bad for loop variable" else 2
        return Trouble("", code)

    def syntax_words(self, fault: SyntaxFault, text: str) -> list[str]:
        prefix = self.prefix()
        if self.flavor == "bash":
            if fault.text == "bad for loop variable":
                return [f"{prefix}`{fault.quote}': not a valid identifier"]
            if self.command or not (self.option("i") or "script" in self.state):
                prefix = prefix.replace(": line", f": {self.command or '-c'}: line")
            if fault.incomplete:
                what = f"unexpected EOF while looking for matching `{fault.quote}'" if fault.quote else "syntax error: unexpected end of file"
                return [prefix + what]
            quote = "newline" if fault.found == "newline" else fault.quote
            lines = text.splitlines() or [""]
            near = f"syntax error near unexpected token `{quote}'" if fault.found else fault.text
            return [prefix + near, *([f"{prefix}`{lines[min(fault.line, len(lines)) - 1]}'"] if fault.found else [])]
        if self.flavor == "dash":
            text = fault.text[:1].upper() + fault.text[1:] if fault.text else f"{fault.found} unexpected" + (
                f" (expecting {fault.wanted})" if fault.wanted else "")
            return [f"{prefix}Syntax error: {text}"]
        return [f"{prefix}syntax error: " + (fault.text or f"unexpected {fault.found}" + (f" (expecting {fault.wanted})" if fault.wanted else ""))]

    def signals(self) -> Going:
        """Runs the traps of the signals that have come. Broken."""
        level = self.level
        if self.trapping:
            return
        if INT in self.pending and self.option("i") and "INT" not in self.traps:
            self.pending.clear()
            raise Broken
        frame = self.enter(status=self.state["status"]) if self.pending or self.resuming and "signal" in self.frames[self.level] else None
        if frame is None:
            return
        self.trapping = True
        try:
            while self.pending or "signal" in frame:
                if "signal" not in frame:
                    frame["signal"] = self.pending.pop(0)
                    frame["script"] = self.traps.get(NUMBERS[frame["signal"]], "")
                yield self.breathe()
                yield self.run_text(frame["script"])
                del frame["signal"]
        finally:
            self.trapping = False
        self.state["status"] = frame["status"]
        self.leave(level)

    def sequence(self, node: tree.Sequence, tail: bool) -> Going:
        level, status = self.level, 0
        frame = self.enter(i=0)
        try:
            while frame["i"] < len(node.items):
                item, background = node.items[frame["i"]]
                if "done" not in frame:
                    yield self.breathe()
                    if background:
                        status = self._background(item)
                        frame["done"] = status
                        if len(self.jobs) >= CROWD:
                            yield Pass(Gate(), 0.0)
                    else:
                        status = yield self.run(item, tail and frame["i"] + 1 == len(node.items))
                    frame["done"] = status
                status = frame["done"]
                if self.pending or self.resuming:
                    yield self.signals()
                del frame["done"]
                frame["i"] += 1
            return status
        finally:
            self.leave(level)

    def and_or(self, node: tree.AndOr, tail: bool) -> Going:
        level = self.level
        frame = self.enter(i=0, status=0)
        try:
            commands = (node.first, *(command for _, command in node.rest))
            while frame["i"] < len(commands):
                at = frame["i"]
                if at == 0 or (node.rest[at - 1][0] == "&&") == (frame["status"] == 0):
                    final = at + 1 == len(commands)
                    self.lenient += not final
                    try:
                        frame["status"] = yield self.run(commands[at], tail and final)
                    finally:
                        self.lenient -= not final
                    frame["skipped"] = not final
                else:
                    frame["skipped"] = True
                frame["i"] += 1
            return frame["status"]
        finally:
            self.leave(level)

    def pipeline(self, node: tree.Pipeline, tail: bool) -> Going:
        level = self.level
        frame = self.enter()
        try:
            if len(node.commands) == 1:
                self.lenient += node.negated
                frame.setdefault("began", self.proc.system.clock.now)
                try:
                    status = yield self.run(node.commands[0])
                finally:
                    self.lenient -= node.negated
            else:
                if "pids" not in frame:
                    frame |= {"began": self.proc.system.clock.now, "pids": self._stages(node, False), "codes": []}
                while len(frame["codes"]) < len(frame["pids"]):
                    frame["codes"].append((yield self.ended(frame["pids"][len(frame["codes"])])))
                codes = frame["codes"]
                status = codes[-1]
                if self.option("p"):
                    status = next((code for code in reversed(codes) if code), 0)
                self.state["piped_codes"] = codes
                yield self._stopped_by(status)
            if node.timed:
                self._timed(self.proc.system.clock.now - frame["began"], node.timed)
            if node.negated:
                return int(status == 0)
        finally:
            self.leave(level)
        if len(node.commands) > 1:
            self.errexit(status)
        return status

    def _timed(self, real: float, style: str) -> None:
        if style == "posix":
            self.proc.err(f"real {real:.2f}\nuser 0.00\nsys 0.00\n")
        else:
            self.proc.err(f"\nreal\t{int(real // 60)}m{real % 60:.3f}s\nuser\t0m0.000s\nsys\t0m0.000s\n")

    def _stages(self, node: tree.Pipeline, background: bool) -> list[int]:
        """Starts a pipeline's commands: their processes."""
        self.pure = False
        pids, before, group = [], None, 0
        for place, command in enumerate(node.commands):
            fds = dict(self.visible())
            if before is not None:
                fds[0] = before.reader
            after = Pipe() if place + 1 < len(node.commands) else None
            if after is not None:
                fds[1] = after.writer
            child = self.fork(self._subshell_of(command), fds=fds, group=group, background=background)
            if child is None:
                for pipe in (before, after):
                    if pipe is not None:
                        pipe.reader.open().close()
                        pipe.writer.open().close()
                if not pids:
                    raise Trouble("", 2)
                return pids
            group = child.group if self.option("m") else 0
            pids.append(child.pid)
            before = after
        return pids

    def _subshell_of(self, node: Any) -> dict[str, Any]:
        """What a subshell of its own needs to run a command: one in parentheses needs no second."""
        return {"text": self.unit.text, "node": node.id, **({"inside": True} if isinstance(node, tree.Subshell) else {})}

    def _background(self, node: Any) -> int:
        """``node &``."""
        self.collect()
        self.pure = False
        if isinstance(node, tree.Pipeline) and len(node.commands) > 1 and not node.negated:
            pids = self._stages(node, True)
        else:
            child = self.fork(self._subshell_of(node), fds=self.visible(), background=True)
            if child is None:
                raise Trouble("", 2)
            pids = [child.pid]
        number = max((job["id"] for job in self.jobs), default=0) + 1
        self.state["background"] = pids[-1]
        self.jobs.append({"id": number, "pids": pids, "text": self.words_of(node)})
        if self.option("i") and self.option("m") and self.flavor == "bash":
            self.proc.err(f"[{number}] {pids[-1]}\n")
        return 0

    def subshell(self, node: tree.Subshell, tail: bool) -> Going:
        level = self.level
        frame = self.enter()
        try:
            if "pid" not in frame:
                child = self.fork({"text": self.unit.text, "node": node.id, "inside": True}, fds=self.visible())
                if child is None:
                    raise Trouble("", 2)
                frame["pid"] = child.pid
            status = yield self.ended(frame["pid"])
            yield self._stopped_by(status)
        finally:
            self.leave(level)
        self.errexit(status)
        return status

    def errexit(self, status: int) -> None:
        if status and self.option("e") and not self.lenient:
            self.state["status"] = status
            raise Exit(status)


METHODS: dict[type, tuple[Any, bool]] = {
    tree.Sequence: (Interpreter.sequence, True), tree.AndOr: (Interpreter.and_or, True), tree.Pipeline: (Interpreter.pipeline, True),
    tree.If: (Interpreter.if_, True), tree.Loop: (Interpreter.loop, True), tree.For: (Interpreter.for_, True),
    tree.ForArithmetic: (Interpreter.for_arithmetic, True), tree.Case: (Interpreter.case, True), tree.Function: (Interpreter.function, True),
    tree.Subshell: (Interpreter.subshell, True), tree.Group: (Interpreter.group, True),
    tree.Simple: (Interpreter.simple, True), tree.Compute: (Interpreter.compute_, True), tree.Conditional: (Interpreter.conditional, True),
}
__all__ = ["Interpreter"]
