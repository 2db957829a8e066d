"""An awk program's tree as functions of its ``Machine``: its statements and the functions that it defines.

A statement is a generator function whose value says how it ended: None, or "break", "continue", "return". What is generated calls what
it contains by yielding it (``machine.driven``).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from server.cluster.runtime.programs.awk.calls import Calls
from server.cluster.runtime.programs.awk.expressions import Code
from server.cluster.runtime.programs.awk.grammar import Function, Script, Tree
from server.cluster.runtime.programs.awk.machine import DEEPEST_CALL, AwkError, Exit, Machine, Next
from server.cluster.runtime.programs.awk.values import UNSET, Input, Value, number, string, truth


class Compiler(Calls):
    def __init__(self, machine: Machine, script: Script) -> None:
        self.machine, self.script = machine, script
        self.locals: list[str] = []
        self.functions: dict[str, Code] = {}
        self.arrays = self._array_params()
        for function in script.functions.values():
            self.functions[function.name] = self._function(function)
        self.locals = []

    # functions of the program

    def _array_params(self) -> dict[str, set[int]]:
        """Which parameters of each function are arrays, as far as its body shows."""
        functions = self.script.functions
        found: dict[str, set[int]] = {name: set() for name in functions}
        changed = True
        while changed:
            changed = False
            for name, function in functions.items():
                used = {function.params.index(each) for each in _arrays(function.body, found) if each in function.params}
                if used - found[name]:
                    found[name] |= used
                    changed = True
        return found

    def _function(self, function: Function) -> Code:
        self.locals = function.params
        body = self.statement(function.body)
        machine, count = self.machine, len(function.params)

        def run(arguments: list[Any]) -> Generator[Any, Any, Value]:
            if len(machine.frames) >= DEEPEST_CALL:
                raise AwkError("function call nesting too deep")
            frame = arguments[:count] + [UNSET] * (count - len(arguments)) + [UNSET]
            machine.frames.append(frame)
            try:
                if body.waits:
                    yield body.run()
                else:
                    body.run()
                return frame[-1]
            finally:
                machine.frames.pop()

        return Code(run, True)

    # statements

    def statement(self, tree: Tree) -> Code:
        return getattr(self, "_s_" + tree[0])(*tree[1:])

    def condition(self, tree: Tree | None) -> Code:
        return self.eager([self.expression(tree)], truth) if tree is not None else Code(lambda: True)

    def _s_block(self, parts: list[Tree]) -> Code:
        codes = [self.statement(part) for part in parts]
        if not any(code.waits for code in codes):
            runs = [code.run for code in codes]

            def plain() -> str | None:
                for each in runs:
                    how = each()
                    if how is not None:
                        return how
                return None

            return Code(plain)

        def run() -> Generator[Any, Any, str | None]:
            for code in codes:
                how = (yield code.run()) if code.waits else code.run()
                if how is not None:
                    return how
            return None

        return Code(run, True)

    def _s_expression(self, tree: Tree) -> Code:
        machine = self.machine

        def counted(value: Any) -> None:
            machine.steps += 1

        return self.eager([self.expression(tree)], counted)

    def _s_if(self, condition: Tree, then: Tree, otherwise: Tree | None) -> Code:
        test, one = self.condition(condition), self.statement(then)
        other = self.statement(otherwise) if otherwise is not None else Code(lambda: None)
        if not (test.waits or one.waits or other.waits):
            return Code(lambda: one.run() if test.run() else other.run())

        def run() -> Generator[Any, Any, str | None]:
            chosen = one if ((yield test.run()) if test.waits else test.run()) else other
            return (yield chosen.run()) if chosen.waits else chosen.run()

        return Code(run, True)

    def _loop(self, test: Code, body: Code, step: Code, first: bool) -> Code:
        machine = self.machine

        def run() -> Generator[Any, Any, str | None]:
            tested = first
            while not tested or ((yield test.run()) if test.waits else test.run()):
                tested = True
                if (pause := machine.tick()) is not None:
                    yield pause
                how = (yield body.run()) if body.waits else body.run()
                if how == "break":
                    return None
                if how == "return":
                    return how
                if step.waits:
                    yield step.run()
                else:
                    step.run()
            return None

        return Code(run, True)

    def _s_while(self, condition: Tree, body: Tree) -> Code:
        return self._loop(self.condition(condition), self.statement(body), Code(lambda: None), True)

    def _s_do(self, body: Tree, condition: Tree) -> Code:
        return self._loop(self.condition(condition), self.statement(body), Code(lambda: None), False)

    def _s_for(self, first: Tree | None, condition: Tree | None, step: Tree | None, body: Tree) -> Code:
        begin, following = (self.statement(each) if each is not None else Code(lambda: None) for each in (first, step))
        loop = self._loop(self.condition(condition), self.statement(body), following, True)

        def run() -> Generator[Any, Any, str | None]:
            if begin.waits:
                yield begin.run()
            else:
                begin.run()
            return (yield loop.run())

        return Code(run, True)

    def _s_each(self, variable: str, name: str, body: Tree) -> Code:
        machine, array, code = self.machine, self.array(name), self.statement(body)
        _, store = self.store(("name", variable))

        def run() -> Generator[Any, Any, str | None]:
            for key in list(array()):
                if (pause := machine.tick()) is not None:
                    yield pause
                store(Input(key))
                how = (yield code.run()) if code.waits else code.run()
                if how == "break":
                    return None
                if how == "return":
                    return how
            return None

        return Code(run, True)

    def _s_break(self) -> Code:
        return Code(lambda: "break")

    def _s_continue(self) -> Code:
        return Code(lambda: "continue")

    def _s_next(self, file: bool = False) -> Code:
        def run() -> None:
            raise Next(file)

        return Code(run)

    def _s_nextfile(self) -> Code:
        return self._s_next(file=True)

    def _s_exit(self, value: Tree | None) -> Code:
        def leave(*values: Value) -> None:
            raise Exit(int(number(values[0])) & 255 if values else None)

        return self.eager([self.expression(value)] if value is not None else [], leave)

    def _s_return(self, value: Tree | None) -> Code:
        machine = self.machine

        def leave(found: Value) -> str:
            machine.frames[-1][-1] = found
            return "return"

        return self.eager([self.expression(value) if value is not None else Code(lambda: UNSET)], leave)

    def _s_delete(self, name: str, subscripts: list[Tree] | None) -> Code:
        array = self.array(name)
        if subscripts is None:
            return Code(lambda: array().clear())

        def remove(key: str) -> None:
            array().pop(key, None)

        return self.eager([self.subscript(subscripts)], remove)

    def _s_print(self, arguments: list[Tree], target: tuple[str, Tree] | None) -> Code:
        machine = self.machine

        def line(*values: Value) -> str:
            variables = machine.vars
            if not values:
                return string(machine.field(0)) + string(variables["ORS"])
            shape = variables["OFMT"]
            return string(variables["OFS"]).join([string(value, shape) for value in values]) + string(variables["ORS"])

        return self._output(self.eager([self.expression(argument) for argument in arguments], line), target)

    def _s_printf(self, arguments: list[Tree], target: tuple[str, Tree] | None) -> Code:
        return self._output(self._simple("sprintf", arguments), target)

    def _output(self, code: Code, target: tuple[str, Tree] | None) -> Code:
        machine = self.machine
        if target is None:
            def put(text: str) -> None:
                machine.steps += 1
                machine.text.put(text)

            return self.eager([code], put)
        kind = target[0]

        def redirected(text: str, name: Value) -> Generator[Any, Any, None]:
            fd = yield machine.sink(kind, string(name))
            machine.text.push()
            machine.proc.write(fd, text)
            yield machine.proc.flush()

        return self.eager([code, self.expression(target[1])], redirected, waits=True)


def _arrays(tree: Any, functions: dict[str, set[int]]) -> Generator[str, None, None]:
    """The names that are used as arrays below a tree."""
    if isinstance(tree, list):
        for part in tree:
            yield from _arrays(part, functions)
    elif isinstance(tree, tuple) and tree:
        if tree[0] in ("index", "delete"):
            yield tree[1]
        elif tree[0] in ("in", "each"):
            yield tree[2]
        elif tree[0] == "builtin" and tree[1] == "split" and len(tree[2]) > 1 and tree[2][1][0] == "name":
            yield tree[2][1][1]
        elif tree[0] == "call":
            for at, argument in enumerate(tree[2]):
                if argument[0] == "name" and at in functions.get(tree[1], ()):
                    yield argument[1]
        for part in tree[1:]:
            yield from _arrays(part, functions)
