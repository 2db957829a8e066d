"""The compound commands: if, while, until, for, case, functions and their calls.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09_04
"""

from __future__ import annotations

from typing import Any

from server.cluster.runtime.sh import tree
from server.cluster.runtime.sh.children import Children
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.patterns import matches
from server.cluster.runtime.sh.state import MOST_CALLS, Jump, Return, Trouble


class Compound(Children):
    def run(self, node: Any, tail: bool = False) -> Going:
        raise NotImplementedError

    def breathe(self) -> Going:
        raise NotImplementedError

    def condition(self, node: Any) -> Going:
        """Runs what is only asked for its status."""
        self.lenient += 1
        try:
            return (yield self.run(node))
        finally:
            self.lenient -= 1

    def if_(self, node: tree.If, tail: bool) -> Going:
        level = self.level
        frame = self.enter(clause=0)
        try:
            while frame["clause"] < len(node.clauses):
                condition, body = node.clauses[frame["clause"]]
                if not frame.get("body"):
                    if (yield self.condition(condition)) != 0:
                        frame["clause"] += 1
                        continue
                    frame["body"] = True
                return (yield self.run(body, tail))
            return (yield self.run(node.otherwise, tail)) if node.otherwise is not None else 0
        finally:
            self.leave(level)

    def _body(self, body: Any) -> Going:
        """A loop's body, once: whether the loop goes on."""
        level = self.level
        self.state["loops"] += 1
        try:
            yield self.run(body)
        except Jump as jump:
            self.leave(level)
            if jump.levels > 1 and self.state["loops"] > 1:
                raise Jump(jump.kind, jump.levels - 1) from None
            self.state["status"] = 0
            return jump.kind == "continue"
        finally:
            self.state["loops"] -= 1
        return True

    def loop(self, node: tree.Loop, tail: bool) -> Going:
        level = self.level
        frame = self.enter(body=False, status=0)
        self.uncounted(frame)
        try:
            while True:
                if not frame["body"]:
                    yield self.breathe()
                    self.state["loops"] += 1
                    try:
                        going = yield self.condition(node.condition)
                    except Jump as jump:
                        self.leave(level + 1)
                        if jump.levels > 1 and self.state["loops"] > 1:
                            raise Jump(jump.kind, jump.levels - 1) from None
                        if jump.kind == "break":
                            return 0
                        continue
                    finally:
                        self.state["loops"] -= 1
                    if (going != 0) != node.until:
                        return frame["status"]
                    frame["body"] = True
                if not (yield self._body(node.body)):
                    return 0
                frame["body"], frame["status"] = False, self.state["status"]
        finally:
            self.leave(level)

    def uncounted(self, frame: dict[str, Any]) -> None:
        """The number of loops around is that of when this one began, also when it is begun again."""
        self.state["loops"] = frame.setdefault("loops", self.state["loops"])

    def for_(self, node: tree.For, tail: bool) -> Going:
        level = self.level
        frame = self.enter(i=0, status=0)
        self.uncounted(frame)
        try:
            if "words" not in frame:
                frame["words"] = list(self.params) if node.words is None else list((yield self.fields_of(node.words, frame)))
                frame.pop("fields", None)
            words = frame["words"]
            while frame["i"] < len(words):
                if not frame.get("body"):
                    yield self.breathe()
                    if self.flavor == "bash" and self.option("x"):
                        self.proc.err(f"{self.get('PS4')}for {node.name} in {' '.join(words)}\n")
                    self.put(node.name, words[frame["i"]])
                    frame["body"] = True
                if not (yield self._body(node.body)):
                    return self.state["status"]
                frame["body"], frame["status"] = False, self.state["status"]
                frame["i"] += 1
            return frame["status"]
        finally:
            self.leave(level)

    def for_arithmetic(self, node: tree.ForArithmetic, tail: bool) -> Going:
        level = self.level
        frame = self.enter(part=0, status=0)
        self.uncounted(frame)
        try:
            while True:
                if frame["part"] < 3:
                    yield self.breathe()
                    text = yield self.string(node.parts[frame["part"]], frame)
                    value = self.computed(text) if text.strip() else 1
                    frame.pop("subs", None)
                    if frame["part"] == 1 and not value:
                        return frame["status"]
                    frame["part"] = {0: 1, 1: 3, 2: 1}[frame["part"]]
                    continue
                if not (yield self._body(node.body)):
                    return 0
                frame["part"], frame["status"] = 2, self.state["status"]
        finally:
            self.leave(level)

    def case(self, node: tree.Case, tail: bool) -> Going:
        level = self.level
        frame = self.enter(arm=0, through=False)
        try:
            if "word" not in frame:
                frame["word"] = yield self.string(node.word, frame)
                frame.pop("subs", None)
            status = 0
            while frame["arm"] < len(node.arms):
                arm = node.arms[frame["arm"]]
                while not frame["through"] and frame.setdefault("pattern", 0) < len(arm.patterns):
                    self.begin(frame)
                    frame["through"] = matches((yield self.pattern(arm.patterns[frame["pattern"]])), frame["word"])
                    frame.pop("subs", None)
                    frame["pattern"] += 1
                if frame["through"]:
                    status = (yield self.run(arm.body, tail and arm.end == ";;")) if arm.body is not None else 0
                    if arm.end == ";;":
                        return status
                    frame["through"] = arm.end == ";&"
                frame |= {"arm": frame["arm"] + 1, "pattern": 0}
            return status
        finally:
            self.leave(level)

    def function(self, node: tree.Function, tail: bool) -> Going:
        text = self.unit.text
        if text not in self.texts:
            self.texts.append(text)
            self.held += len(text)
        self.functions[node.name] = [self.texts.index(text), node.id, self.base + self.unit.line - 1]
        self.check_memory()
        return 0
        yield

    def group(self, node: tree.Group, tail: bool) -> Going:
        return (yield self.run(node.body, tail))

    def call(self, name: str, argv: list[str], frame: dict[str, Any]) -> Going:
        """Runs a function. ``frame["kept"]`` are the caller's parameters and what ``local`` has covered."""
        level = self.level
        if "kept" not in frame:
            if self.state["calls"] >= MOST_CALLS:
                raise Trouble(f"maximum function recursion depth ({MOST_CALLS}) reached" if self.flavor != "dash"
                              else f"Maximum function recursion depth ({MOST_CALLS}) reached")
            frame["kept"] = {"name": name, "params": self.params, "locals": {}, "loops": self.state["loops"], "at": self.functions[name]}
            self.set_params(argv[1:])
            self.state["calls"] += 1
        kept = frame["kept"]
        self.state["loops"] = 0
        text, number = self.texts[kept["at"][0]], kept["at"][1]
        outer, self.unit = (self.unit, self.base), self.of_text(text)
        self.base = kept["at"][2]
        try:
            return (yield self.run(self.unit.nodes[number].body))
        except Return as back:
            return back.code
        finally:
            self.unit, self.base = outer
            self.leave(level)
            self.state["calls"] -= 1
            self.state["loops"] = kept["loops"]
            for variable, (value, exported) in kept["locals"].items():
                self.uncover(variable, value, exported)
            self.params = self.state["params"] = kept["params"]

    def uncover(self, name: str, value: Any, exported: bool | None) -> None:
        """A variable is again what it was."""
        if value is None and name in self.vars and name not in self.proc.env:
            self.held -= self._weight(name, self.vars.pop(name))
        else:
            self.force(name, value)
        if exported is None:
            self.exported.pop(name, None)
        else:
            self.exported[name] = exported
        self.environment = None
