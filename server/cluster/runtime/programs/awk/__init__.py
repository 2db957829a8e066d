"""awk: a program of patterns and actions run over each record.

``grammar`` makes a tree of its text, ``compiler`` functions of that, ``machine`` is what they work on; here is the command line, and the
order in which rules run.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.awk.compiler import Compiler
from server.cluster.runtime.programs.awk.expressions import Code
from server.cluster.runtime.programs.awk.grammar import BadProgram, parse, unescaped
from server.cluster.runtime.programs.awk.machine import AwkError, Exit, Machine, Next, driven
from server.cluster.runtime.programs.awk.values import Input
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, busybox, tool
from server.cluster.runtime.streams import Fault

LINE = Line("[OPTIONS] [AWK_PROGRAM] [FILE]...", "+F:v:f:e:", "+F:v:f:W:", {"field-separator": "F", "assign": "v", "file": "f"}, 2,
            "[-F value] [-v var=value] [--] 'program text' [file ...]")


def run(proc: Proc, options: Options) -> Run:
    gnu, operands = not busybox(proc), list(options.operands)
    pieces = []
    for name, value in options.given:
        if name == "e":
            pieces.append(value)
        elif name == "f":
            try:
                pieces.append((proc.open(value) if value != "-" else proc.fds[0]).read(1 << 20) or "")
            except Fault as fault:
                raise Misuse(f"awk: {value}: {fault}\n" if not gnu else f"awk: cannot open \"{value}\" ({fault})\n", 1 if not gnu else 2) from None
    if not options.has("e", "f"):
        if not operands:
            raise LINE.misuse(proc) if not gnu else Misuse("Usage: mawk [Options] [Program] [file ...]\n", 2)
        pieces.append(operands.pop(0))
    machine = Machine(proc, gnu)
    machine.vars["ARGV"] = {str(at): Input(word) for at, word in enumerate(["awk", *operands])}
    machine.vars["ARGC"] = float(len(operands) + 1)
    for name, value in options.given:
        if name == "F":
            machine.vars["FS"] = unescaped(value)
        elif name == "v":
            found = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", value, re.S | re.A)
            if found is None:
                raise LINE.misuse(proc) if not gnu else Misuse(f"awk: improper assignment: -v {value}\n", 2)
            machine.set(found[1], Input(unescaped(found[2])))
    try:
        script = parse("\n".join(pieces))
        rules = _Rules(machine, Compiler(machine, script))
    except BadProgram as bad:
        proc.err(f"awk: cmd. line:{bad.line}: {bad}\n" if not gnu else f"awk: line {bad.line + bad.late}: {_mawk(bad)}\n")
        return 1 if not gnu else 2
    except RecursionError:
        proc.err("awk: program too deep\n")
        return 1 if not gnu else 2
    try:
        return (yield from driven(rules.run()))
    except RecursionError:
        proc.err("awk: program too deep\n")
        return 1 if not gnu else 2
    except AwkError as error:
        machine.text.push()
        proc.err(f"awk: cmd. line:1: {error}\n" if not gnu else f"awk: {error}\n")
        return 1 if not gnu else 2


def _mawk(bad: BadProgram) -> str:
    return bad.mawk or f"syntax error at or near {bad.near}".rstrip() if str(bad) == "Unexpected token" or bad.mawk else str(bad)


class _Rules:
    def __init__(self, machine: Machine, compiler: Compiler) -> None:
        self.machine = machine
        script = compiler.script
        self.begin = [compiler.statement(block) for block in script.begin]
        self.end = [compiler.statement(block) for block in script.end]
        self.rules: list[tuple[Code, Code]] = []
        for pattern, action in script.rules:
            body = compiler.statement(action if action is not None else ("print", [], None))
            if pattern is not None and pattern[0] == "range":
                self.rules.append((_ranged(compiler.condition(pattern[1]), compiler.condition(pattern[2])), body))
            else:
                self.rules.append((compiler.condition(pattern), body))

    def run(self) -> Generator[Any, Any, int]:
        machine, code = self.machine, 0
        try:
            for block in self.begin:
                yield from _called(block)
            if self.rules or self.end:
                yield self._records()
        except Exit as exit_:
            code = exit_.code or 0
        except Next:
            raise AwkError("next used in BEGIN or END") from None
        else:
            code = -1
        try:
            if self.rules or self.end:
                for block in self.end:
                    yield from _called(block)
        except Exit as exit_:
            code = exit_.code if exit_.code is not None else max(code, 0)
        except Next:
            raise AwkError("next used in BEGIN or END") from None
        yield machine.text.sent()
        yield machine.close_all()
        return code if code >= 0 else (2 if machine.gnu else 1) if machine.failed else 0

    def _records(self) -> Generator[Any, Any, None]:
        machine = self.machine
        while (yield machine.next_main()):
            if (pause := machine.tick()) is not None:
                yield pause
            try:
                for pattern, body in self.rules:
                    if (yield pattern.run()) if pattern.waits else pattern.run():
                        if body.waits:
                            yield body.run()
                        else:
                            body.run()
            except Next as following:
                machine.skip_file = following.file


def _called(code: Code) -> Generator[Any, Any, None]:
    if code.waits:
        yield code.run()
    else:
        code.run()


def _ranged(first: Code, last: Code) -> Code:
    """A range of records: from one that matches the first pattern to one that matches the second."""
    active = False

    def run() -> Generator[Any, Any, bool]:
        nonlocal active
        if not active:
            active = (yield first.run()) if first.waits else first.run()
            if not active:
                return False
        active = not ((yield last.run()) if last.waits else last.run())
        return True

    return Code(run, True)


PROGRAMS: dict[str, Program] = dict.fromkeys(("awk", "mawk"), Program(tool(LINE, run)))
