"""awk's built-in functions that are more than a value of their arguments': they change a variable, an array, or wait for a command.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/awk.html#tag_20_06_13_12
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime.programs.awk.expressions import Code, Expressions
from server.cluster.runtime.programs.awk.functions import ARITIES, SIMPLE, substituted
from server.cluster.runtime.programs.awk.grammar import BadProgram, Tree
from server.cluster.runtime.programs.awk.values import Input, Value, string


class Calls(Expressions):
    def _builtin(self, name: str, arguments: list[Tree]) -> Code:
        low, high = ARITIES[name]
        if not low <= len(arguments) <= high:
            raise BadProgram("Too few arguments" if len(arguments) < low else "Unexpected token")
        return getattr(self, "_do_" + name, None)(arguments) if hasattr(self, "_do_" + name) else self._simple(name, arguments)

    def _simple(self, name: str, arguments: list[Tree]) -> Code:
        machine, apply = self.machine, SIMPLE[name]
        return self.eager([self.expression(argument) for argument in arguments], lambda *values: apply(machine, *values))

    def _do_length(self, arguments: list[Tree]) -> Code:
        machine = self.machine
        if not arguments:
            return Code(lambda: float(len(machine.field(0))))
        tree = arguments[0]
        if tree[0] == "name":
            value = self.expression(tree)

            def measured() -> float:
                found = value.run()
                return float(len(found if isinstance(found, dict) else string(found, machine.vars["CONVFMT"])))

            return Code(measured)
        return self.eager([self.expression(tree)], lambda value: float(len(string(value, machine.vars["CONVFMT"]))))

    def _do_split(self, arguments: list[Tree]) -> Code:
        if arguments[1][0] != "name":
            raise BadProgram("Unexpected token")
        machine, array = self.machine, self.array(arguments[1][1])
        separator = self.pattern(arguments[2]) if len(arguments) > 2 else Code(lambda: machine.vars["FS"])

        def parted(text: Value, mark: Any) -> float:
            parts = machine.split(string(text, machine.vars["CONVFMT"]), mark)
            entries = array()
            entries.clear()
            machine.hold(sum(len(part) + 60 for part in parts))
            entries.update((str(at), Input(part)) for at, part in enumerate(parts, 1))
            return float(len(parts))

        return self.eager([self.expression(arguments[0]), separator], parted)

    def _substitution(self, arguments: list[Tree], everywhere: bool) -> Code:
        machine = self.machine
        target = arguments[2] if len(arguments) > 2 else ("field", ("number", 0.0))
        assignable = target[0] in ("name", "field", "index")
        places, store = self.store(target) if assignable else ([], lambda *values: None)

        def replaced(*values: Any) -> float:
            pattern, replacement, text = values[-3:]
            result, count = substituted(machine, pattern, string(replacement, machine.vars["CONVFMT"]),
                                         string(text, machine.vars["CONVFMT"]), everywhere)
            if count:
                store(*values[:-3], result)
            return float(count)

        return self.eager([*places, self.pattern(arguments[0]), self.expression(arguments[1]), self.expression(target)], replaced)

    def _do_sub(self, arguments: list[Tree]) -> Code:
        return self._substitution(arguments, False)

    def _do_gsub(self, arguments: list[Tree]) -> Code:
        return self._substitution(arguments, True)

    def _do_match(self, arguments: list[Tree]) -> Code:
        machine = self.machine

        def matched(text: Value, pattern: Any) -> float:
            found = machine.search(pattern, string(text, machine.vars["CONVFMT"]))
            start, end = found[0] if found is not None else (-1, -2)
            machine.vars["RSTART"], machine.vars["RLENGTH"] = float(start + 1), float(end - start)
            return float(start + 1)

        return self.eager([self.expression(arguments[0]), self.pattern(arguments[1])], matched)

    def _do_system(self, arguments: list[Tree]) -> Code:
        machine = self.machine

        def run(command: Value) -> Generator[Any, Any, float]:
            return float((yield machine.system(string(command))))

        return self.eager([self.expression(arguments[0])], run, waits=True)

    def _do_close(self, arguments: list[Tree]) -> Code:
        machine = self.machine

        def run(name: Value, *rest: Value) -> Generator[Any, Any, float]:
            return float((yield machine.close(string(name))))

        return self.eager([self.expression(argument) for argument in arguments], run, waits=True)

    def _do_fflush(self, arguments: list[Tree]) -> Code:
        machine = self.machine

        def run(*values: Value) -> Generator[Any, Any, float]:
            yield machine.text.sent()
            return 0.0

        return self.eager([self.expression(argument) for argument in arguments], run, waits=True)
