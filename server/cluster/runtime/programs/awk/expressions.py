"""The expressions of an awk program as functions of its ``Machine``.

An expression becomes a plain function, or, if it may wait (it reads, calls a function of the program, runs a command), a generator
function: ``Code.waits`` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.runtime.program import OutOfMemory
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.awk.functions import arithmetic, key
from server.cluster.runtime.programs.awk.grammar import BadProgram, Script, Tree
from server.cluster.runtime.programs.awk.machine import AwkError, Machine
from server.cluster.runtime.programs.awk.values import UNSET, Input, Value, compared, number, string, truth
from server.cluster.runtime.programs.inputs import LONGEST_LINE


class Code(NamedTuple):
    run: Callable[[], Any]
    waits: bool = False


class Expressions:
    """The expressions of a program; ``functions`` are those that it defines, ``arrays`` which of their parameters are arrays."""

    machine: Machine
    script: Script
    locals: list[str]
    functions: dict[str, Code]
    arrays: dict[str, set[int]]

    # building blocks

    def eager(self, parts: list[Code], apply: Callable[..., Any], waits: bool = False) -> Code:
        """Evaluates the parts in order and applies a function to what they are; ``waits``: that one is a generator function."""
        runs = [part.run for part in parts]
        if not waits and not any(part.waits for part in parts):
            if not runs:
                return Code(apply)
            if len(runs) == 1:
                one = runs[0]
                return Code(lambda: apply(one()))
            if len(runs) == 2:
                one, other = runs
                return Code(lambda: apply(one(), other()))
            return Code(lambda: apply(*[run() for run in runs]))

        def run() -> Generator[Any, Any, Any]:
            values = []
            for part in parts:
                values.append((yield part.run()) if part.waits else part.run())
            return (yield apply(*values)) if waits else apply(*values)

        return Code(run, True)

    def slot(self, name: str) -> int | None:
        return self.locals.index(name) if name in self.locals else None

    def array(self, name: str) -> Callable[[], dict[str, Any]]:
        machine, slot = self.machine, self.slot(name)
        if slot is None:
            if name in self.script.functions:
                raise BadProgram("Unexpected token")
            return lambda: machine.array(name)

        def local() -> dict[str, Any]:
            frame = machine.frames[-1]
            if not isinstance(frame[slot], dict):
                if frame[slot] is not UNSET:
                    raise AwkError(f"attempt to use scalar '{name}' as array")
                frame[slot] = {}
            return frame[slot]

        return local

    def subscript(self, parts: list[Tree]) -> Code:
        machine = self.machine
        if len(parts) == 1:
            return self.eager([self.expression(parts[0])], lambda value: value if type(value) is str else key(machine, value))
        return self.eager([self.expression(part) for part in parts],
                          lambda *values: string(machine.vars["SUBSEP"]).join(key(machine, value) for value in values))

    # expressions

    def expression(self, tree: Tree) -> Code:
        return getattr(self, "_" + tree[0])(*tree[1:])

    def _number(self, value: float) -> Code:
        return Code(lambda: value)

    def _string(self, value: str) -> Code:
        return Code(lambda: value)

    def _group(self, inner: Tree) -> Code:
        return self.expression(inner)

    def _list(self, parts: list[Tree]) -> Code:
        raise BadProgram("Unexpected token")

    def _regex(self, source: str) -> Code:
        machine, wanted = self.machine, self.compiled(source)
        return Code(lambda: float(machine.search(wanted, machine.field(0), 0, False) is not None))

    def compiled(self, source: str) -> regex.Regex:
        try:
            return regex.compile(source, True, False, 2)
        except regex.BadPattern as bad:
            raise BadProgram(f"bad regex '{source}': {bad}") from None

    def pattern(self, tree: Tree) -> Code:
        """A regular expression where one is meant: a literal one is not matched with $0."""
        if tree[0] == "regex":
            wanted = self.compiled(tree[1])
            return Code(lambda: wanted)
        return self.expression(tree)

    def _name(self, name: str) -> Code:
        machine, slot = self.machine, self.slot(name)
        if slot is not None:
            return Code(lambda: machine.frames[-1][slot])
        if name in self.script.functions:
            raise BadProgram("Unexpected token")
        if name == "NF":
            return Code(lambda: float(len(machine.fields)))
        variables = machine.vars
        return Code(lambda: variables.get(name, UNSET))

    def _field(self, place: Tree) -> Code:
        machine = self.machine
        if place[0] == "number":
            at = int(place[1])
            return Code(lambda: machine.field(at))
        return self.eager([self.expression(place)], lambda value: machine.field(int(number(value))))

    def _index(self, name: str, subscripts: list[Tree]) -> Code:
        machine, array = self.machine, self.array(name)

        def found(key: str) -> Value:
            entries = array()
            value = entries.get(key)
            if value is None:
                machine.hold(len(key) + 60)
                value = entries[key] = UNSET
            return value

        return self.eager([self.subscript(subscripts)], found)

    def store(self, target: Tree) -> tuple[list[Code], Callable[..., Any]]:
        """What an assignment needs to be evaluated before its value, and the function that stores the value behind that."""
        machine = self.machine
        if target[0] == "group":
            return self.store(target[1])
        if target[0] == "name":
            name, slot = target[1], self.slot(target[1])
            if slot is not None:
                def local(value: Value) -> None:
                    machine.frames[-1][slot] = value
                return [], local
            if name in self.script.functions:
                raise BadProgram("Unexpected token")
            return [], lambda value: machine.set(name, value)
        if target[0] == "field":
            return [self.expression(target[1])], lambda place, value: machine.set_field(int(number(place)), value)
        if target[0] == "index":
            array = self.array(target[1])

            def entry(key: str, value: Value) -> None:
                machine.hold(len(key) + 60 + (len(value) if isinstance(value, str) else 0))
                array()[key] = value

            return [self.subscript(target[2])], entry
        raise BadProgram("Unexpected token")

    def _assign(self, target: Tree, value: Tree) -> Code:
        places, store = self.store(target)

        def assigned(*values: Any) -> Value:
            if isinstance(values[-1], dict):
                raise AwkError("attempt to use array in a scalar context")
            store(*values)
            return values[-1]

        return self.eager([*places, self.expression(value)], assigned)

    def _changed(self, operator: str, target: Tree, value: Code, old: bool) -> Code:
        places, store = self.store(target)
        count, gnu = len(places), self.machine.gnu

        def changed(*values: Any) -> Value:
            before = number(values[count])
            after = arithmetic(operator, before, number(values[count + 1]), gnu)
            store(*values[:count], after)
            return before if old else after

        return self.eager([*places, self.expression(target), value], changed)

    def _update(self, operator: str, target: Tree, value: Tree) -> Code:
        return self._changed(operator, target, self.expression(value), False)

    def _before(self, operator: str, target: Tree) -> Code:
        return self._changed(operator, target, Code(lambda: 1.0), False)

    def _after(self, operator: str, target: Tree) -> Code:
        return self._changed(operator, target, Code(lambda: 1.0), True)

    def _binary(self, operator: str, left: Tree, right: Tree) -> Code:
        gnu = self.machine.gnu
        return self.eager([self.expression(left), self.expression(right)],
                          lambda one, other: arithmetic(operator, number(one), number(other), gnu))

    def _unary(self, operator: str, inner: Tree) -> Code:
        apply: dict[str, Callable[[Value], float]] = {"-": lambda value: -number(value), "+": number, "!": lambda value: float(not truth(value))}
        return self.eager([self.expression(inner)], apply[operator])

    def _concat(self, left: Tree, right: Tree) -> Code:
        machine = self.machine

        def joined(one: Value, other: Value) -> str:
            shape = machine.vars["CONVFMT"]
            text = string(one, shape) + string(other, shape)
            if len(text) > LONGEST_LINE:
                raise OutOfMemory
            return text

        return self.eager([self.expression(left), self.expression(right)], joined)

    def _compare(self, operator: str, left: Tree, right: Tree) -> Code:
        machine = self.machine
        wanted = {"<": (-1,), "<=": (-1, 0), "==": (0,), "!=": (-1, 1), ">": (1,), ">=": (0, 1)}[operator]
        return self.eager([self.expression(left), self.expression(right)],
                          lambda one, other: float(compared(one, other, machine.vars["CONVFMT"]) in wanted))

    def _match(self, operator: str, left: Tree, right: Tree) -> Code:
        machine, wanted = self.machine, operator == "~"
        return self.eager([self.expression(left), self.pattern(right)], lambda text, pattern: float(
            (machine.search(pattern, string(text, machine.vars["CONVFMT"]), 0, False) is not None) == wanted))

    def _in(self, subscripts: list[Tree], name: str) -> Code:
        array = self.array(name)
        return self.eager([self.subscript(subscripts)], lambda key: float(key in array()))

    def lazy(self, left: Tree, choose: Callable[[Any], Code | None], rest: list[Code], result: Callable[[Any], Value]) -> Code:
        """Evaluates the first part; ``choose`` says which of the rest decides, None if its own value does."""
        first = self.expression(left)
        if not first.waits and not any(part.waits for part in rest):
            def plain() -> Value:
                value = first.run()
                following = choose(value)
                return result(value if following is None else following.run())
            return Code(plain)

        def run() -> Generator[Any, Any, Value]:
            value = (yield first.run()) if first.waits else first.run()
            following = choose(value)
            if following is not None:
                value = (yield following.run()) if following.waits else following.run()
            return result(value)

        return Code(run, True)

    def _and(self, left: Tree, right: Tree) -> Code:
        other = self.expression(right)
        return self.lazy(left, lambda value: other if truth(value) else None, [other], lambda value: float(truth(value)))

    def _or(self, left: Tree, right: Tree) -> Code:
        other = self.expression(right)
        return self.lazy(left, lambda value: None if truth(value) else other, [other], lambda value: float(truth(value)))

    def _choose(self, condition: Tree, then: Tree, otherwise: Tree) -> Code:
        one, other = self.expression(then), self.expression(otherwise)
        return self.lazy(condition, lambda value: one if truth(value) else other, [one, other], lambda value: value)

    def _call(self, name: str, arguments: list[Tree], line: int) -> Code:
        function = self.script.functions.get(name)
        if function is None:
            raise BadProgram("Call to undefined function", line, "", f"function {name} never defined", 1)
        if len(arguments) > len(function.params):
            raise BadProgram("Unexpected token", line)
        parts = []
        for at, argument in enumerate(arguments):
            if argument[0] == "name" and at in self.arrays[name]:
                parts.append(Code(self.array(argument[1])))
            else:
                parts.append(self.expression(argument))
        functions = self.functions
        return self.eager(parts, lambda *values: functions[name].run(list(values)), waits=True)

    # input

    def _read(self, parts: list[Code], source: Callable[..., Any], target: Tree | None) -> Code:
        machine = self.machine
        places, store = self.store(target) if target is not None else ([], None)
        count = len(parts)

        def run(*values: Any) -> Generator[Any, Any, float]:
            records = yield source(*values[:count])
            record = (yield records.next(machine)) if records is not None else None
            if records is None:
                return -1.0
            if record is None:
                return 0.0
            if store is not None:
                store(*values[count:], Input(record))
            else:
                machine.set_record(record)
            return 1.0

        return self.eager([*parts, *places], run, waits=True)

    def _getline(self, target: Tree | None, path: Tree | None) -> Code:
        machine = self.machine
        if path is not None:
            return self._read([self.expression(path)], lambda value: machine.source("file", string(value)), target)
        places, store = self.store(target) if target is not None else ([], None)

        def run(*values: Any) -> Generator[Any, Any, float]:
            kept = machine.record, machine._fields, machine._stale
            if not (yield machine.next_main()):
                return 0.0
            if store is not None:
                record = machine.record
                machine.record, machine._fields, machine._stale = kept
                store(*values, Input(record))
            return 1.0

        return self.eager(places, run, waits=True)

    def _pipe(self, command: Tree, target: Tree | None) -> Code:
        machine = self.machine

        def source(value: Value) -> Generator[Any, Any, Any]:
            found = yield machine.source("command", string(value))
            if found is not None and target is None:
                machine.vars["NR"] = number(machine.vars["NR"]) + 1
            return found

        return self._read([self.expression(command)], source, target)

    def _builtin(self, name: str, arguments: list[Tree]) -> Code:
        raise NotImplementedError
