"""Go templates for `-o go-template`: fields, variables, pipelines, if, range, with, and the built-in functions.

In: a template's text and an object in JSON's shape. Out: the text it gives. What is beyond this (define, template, block, call) is
refused by name instead of printed wrong.
"""

from __future__ import annotations

from typing import Any

from server.kubectl.flags import quoted
from server.kubectl.gofunctions import FUNCTIONS, MISSING, MOST_LETTERS, MOST_STEPS, TemplateError, truth
from server.kubectl.goparse import Block, Operand, Pipe, Reader
from server.kubectl.govalue import sprint


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class GoTemplate:
    def __init__(self, text: str, allow_missing: bool = True):
        self.text = text
        self.allow_missing = allow_missing
        self.body = Reader(text).blocks()

    def render(self, data: Any) -> str:
        """Its text; a TemplateError has what it gave until then as ``given``."""
        out: list[str] = []
        try:
            _Run(self.allow_missing, out).blocks(self.body, data, [{"$": data}])
        except TemplateError as error:
            error.given = "".join(out)
            raise
        return "".join(out)


class _Run:
    def __init__(self, allow_missing: bool, out: list[str]):
        self.allow_missing = allow_missing
        self.out = out
        self.steps = self.letters = 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TemplateError("the template takes too many steps")

    def _give(self, text: str) -> None:
        self.letters += len(text)
        if self.letters > MOST_LETTERS:
            raise TemplateError("the template gives too much text")
        self.out.append(text)

    def blocks(self, body: list[Block], dot: Any, scopes: list[dict[str, Any]]) -> None:
        scopes = [*scopes, {}]
        for block in body:
            self._step()
            getattr(self, f"_{block.kind}")(block, dot, scopes)

    def _text(self, block: Block, dot: Any, scopes: list) -> None:
        self._give(block.text)

    def _print(self, block: Block, dot: Any, scopes: list) -> None:
        value = self.pipe(block.pipe, dot, scopes)
        if not block.pipe.declares:
            self._give("<no value>" if value is MISSING or value is None else sprint(value))

    def _if(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        chosen = block.body if truth(self.pipe(block.pipe, dot, scopes)) else block.otherwise
        self.blocks(chosen, dot, scopes)

    def _with(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        value = self.pipe(block.pipe, dot, scopes)
        self.blocks(block.body, value, scopes) if truth(value) else self.blocks(block.otherwise, dot, scopes)

    def _range(self, block: Block, dot: Any, scopes: list) -> None:
        scopes = [*scopes, {}]
        value = self.pipe(Pipe(block.pipe.commands), dot, scopes)
        pairs = _pairs(value)
        names = block.pipe.declares
        for key, item in pairs:
            self._step()
            inner = dict(zip(names[-2:], (item,) if len(names) == 1 else (key, item), strict=False))
            try:
                self.blocks(block.body, item, [*scopes, inner])
            except _Continue:
                continue
            except _Break:
                break
        if not pairs:
            self.blocks(block.otherwise, dot, scopes)

    def _break(self, block: Block, dot: Any, scopes: list) -> None:
        raise _Break

    def _continue(self, block: Block, dot: Any, scopes: list) -> None:
        raise _Continue

    def pipe(self, pipe: Pipe, dot: Any, scopes: list) -> Any:
        value: Any = None
        for position, command in enumerate(pipe.commands):
            value = self._command(command, dot, scopes, () if position == 0 else (value,))
        for name in pipe.declares:
            home = next((scope for scope in reversed(scopes) if name in scope), scopes[-1]) if pipe.assign else scopes[-1]
            home[name] = value
        return value

    def _command(self, command: list[Operand], dot: Any, scopes: list, piped: tuple) -> Any:
        first = command[0]
        if first.kind == "function":
            if first.value in ("and", "or"):
                return self._shortcut(first.value, command[1:], dot, scopes, piped)
            args = [self._value(operand, dot, scopes) for operand in command[1:]]
            return self._called(command, [*args, *piped])
        if len(command) > 1 or piped:
            raise TemplateError(f"can't give argument to non-function {quoted(first.value if isinstance(first.value, str) else '.')}")
        return self._value(first, dot, scopes)

    def _called(self, command: list[Operand], args: list[Any]) -> Any:
        try:
            return _call(command[0].value, args)
        except TemplateError as error:
            raise _at(command[0].place, " ".join(operand.text for operand in command), error) from None

    def _shortcut(self, name: str, operands: list[Operand], dot: Any, scopes: list, piped: tuple) -> Any:
        value: Any = None
        for operand in operands:
            value = self._value(operand, dot, scopes)
            if truth(value) is (name == "or"):
                return value
        return piped[0] if piped else value

    def _value(self, operand: Operand, dot: Any, scopes: list) -> Any:
        if operand.kind == "literal":
            value = operand.value
        elif operand.kind == "dot":
            value = dot
        elif operand.kind == "variable":
            scope = next((scope for scope in reversed(scopes) if operand.value in scope), None)
            if scope is None:
                raise TemplateError(f"undefined variable {quoted(operand.value)}")
            value = scope[operand.value]
        elif operand.kind == "pipe":
            value = self.pipe(operand.value, dot, scopes)
        else:
            value = _call(operand.value, [])
        for name in operand.fields:
            try:
                value = self._look_up(value, name)
            except TemplateError as error:
                raise _at(operand.place, operand.text, error) from None
        return value

    def _look_up(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            if name in value:
                return value[name]
            if not self.allow_missing:
                raise TemplateError(f'map has no entry for key "{name}"')
            return MISSING
        if value is MISSING:
            if not self.allow_missing:
                raise TemplateError(f'nil data; no entry for key "{name}"')
            return MISSING
        if value is None:
            raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
        raise TemplateError(f"can't evaluate field {name} in type interface {{}}")


def _at(place: str, text: str, error: TemplateError) -> TemplateError:
    return TemplateError(f'template: output:{place}: executing "output" at <{text}>: {error}')


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return [(number, number) for number in range(min(value, MOST_STEPS + 1))]
    if value is None or value is MISSING:
        return []
    raise TemplateError(f"range can't iterate over {sprint(value)}")


def _plain(value: Any) -> Any:
    return None if value is MISSING else value


def _call(name: str, args: list[Any]) -> Any:
    try:
        value = FUNCTIONS[name](*[_plain(arg) for arg in args])
        if isinstance(value, str) and len(value) > MOST_LETTERS:
            raise TemplateError("the text is too long")
        return value
    except TemplateError as error:
        raise TemplateError(f"error calling {name}: {error}") from None
    except TypeError:
        raise TemplateError(f"wrong number of args for {name}: got {len(args)}") from None
