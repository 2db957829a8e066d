"""Simple commands: assignments, redirections, and what a name stands for (a function, a builtin, a program).

Assignments before a builtin or a function are covered for its time and given back after it; before a program they are its own. The frame
says how far it has come, so that it goes on there after a restart.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09_01
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from server.cluster.runtime.program import ExecFault
from server.cluster.runtime.sh import tree
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.redirection import BadRedirect, Redirection
from server.cluster.runtime.sh.state import Exec, Trouble
from server.cluster.runtime.signals import QUIT, SIGNALS, TERM, TSTP
from server.cluster.runtime.streams import Fault

OWN = frozenset({QUIT, TERM, TSTP})  # what an interactive shell ignores for itself alone
PURE = frozenset({":", "true", "false", "test", "[", "[[", "continue", "let"})
SPECIAL = frozenset([
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset",
    "source", "local",
])


class SimpleCommands(Redirection):
    builtins: dict[str, Any]

    def simple(self, node: tree.Simple, tail: bool) -> Going:
        level = self.level
        frame = self.enter()
        self.line = node.line + self.base
        try:
            if "argv" not in frame:
                self.substituted = None
                frame["argv"] = list((yield self.fields_of(node.words, frame)))
                frame.pop("fields")
                frame["code"] = self.substituted
            argv = frame["argv"]
            if node.redirects:
                yield self.targets(node.redirects, frame)
            yield self._assignments(node, frame, bool(argv))
            if not frame.get("traced") and self.option("x"):
                self._traced(argv, frame.get("assigned", {}))
            frame["traced"] = True
            if not argv:
                status = self._nothing(node, frame)
            elif argv[0] in self.functions:
                status = yield self._inside(node, frame, lambda: self.call(argv[0], argv, frame))
            elif argv[0] in self.builtins:
                status = yield self._builtin(node, frame, tail)
            else:
                status = yield self._outside(node, frame, tail)
        finally:
            for fd in self.state.pop("piped", ()):
                self.close(fd)
            self.leave(level)
        self.errexit(status)
        return status

    def errexit(self, status: int) -> None:
        raise NotImplementedError

    def call(self, name: str, argv: list[str], frame: dict[str, Any]) -> Going:
        raise NotImplementedError

    def _traced(self, argv: list[str], assigned: dict[str, str]) -> None:
        from server.cluster.runtime.sh.printing import traced
        words = [*(f"{name}={traced(value, self.flavor)}" for name, value in assigned.items()), *(traced(word, self.flavor) for word in argv)]
        self.proc.err(f"{self.get('PS4') or ''}{' '.join(words)}\n")

    def _assignments(self, node: tree.Simple, frame: dict[str, Any], command: bool) -> Going:
        """Expands the assignments: each takes effect at once if there is no command, else they are frame["assigned"]."""
        assigned = frame.setdefault("assigned", {}) if node.assignments else {}
        while frame.setdefault("assigned_at", 0) < len(node.assignments):
            each = node.assignments[frame["assigned_at"]]
            if command:
                self.overlay = assigned
            try:
                if each.items is not None:
                    items = yield self.fields_of(each.items, frame, "items")
                    self._array_set(each, items, frame)
                else:
                    value = yield self.string(each.value, frame)
                    index = (yield self.joined(each.index)) if each.index is not None else None
                    if not command:
                        frame["code"] = self.substituted if self.substituted is not None else frame.get("code")
                        self._assign(each, index, value)
                    assigned[each.name] = value
            finally:
                self.overlay = {}
            frame.pop("subs", None)
            frame["assigned_at"] += 1

    def _assign(self, each: tree.Assignment, index: str | None, value: str) -> None:
        if index is not None:
            key = self.key(each.name, index) or "0"
            self.put_element(each.name, key, (self.element(each.name, key) or "") + value if each.append else value)
        elif isinstance(self.vars.get(each.name), dict):
            self.put_element(each.name, "0", (self.element(each.name, "0") or "") + value if each.append else value)
        else:
            self.put(each.name, (self.get(each.name) or "") + value if each.append else value)

    def _array_set(self, each: tree.Assignment, items: list[str], frame: dict[str, Any]) -> None:
        held = self.vars.get(each.name)
        values = dict(held) if each.append and isinstance(held, dict) else {"0": held} if each.append and isinstance(held, str) else {}
        at = max((int(key) for key in values if key.isdigit()), default=-1) + 1
        for item in items:
            key, equals, text = item.partition("]=")
            if equals and key.startswith("["):
                name = key[1:] if each.name in self.state.get("maps", ()) else str(self.computed(key[1:]))
                values[name] = text
                at = int(name) + 1 if name.isdigit() else at
            else:
                values[str(at)] = item
                at += 1
        self.put(each.name, values)
        for key in ("items", "items_at"):
            frame.pop(key, None)

    def _nothing(self, node: tree.Simple, frame: dict[str, Any]) -> int:
        if node.redirects:
            self.pure = False
            try:
                self.restore(self.redirect(node.redirects, frame["targets"]))
            except BadRedirect:
                return 2 if self.flavor == "dash" else 1
        return frame.get("code") or 0

    def cover(self, assigned: dict[str, str], frame: dict[str, Any], export: bool) -> None:
        """Sets variables for one command; what they covered is in frame["covered"]."""
        covered = frame.setdefault("covered", {})
        for name, value in assigned.items():
            covered.setdefault(name, [self.vars.get(name), self.exported.get(name)])
            self.put(name, value)
            if export:
                self.exported[name] = True

    def _inside(self, node: tree.Simple, frame: dict[str, Any], body: Callable[[], Going]) -> Going:
        """Runs a function or a builtin in this process."""
        argv = frame["argv"]
        special = argv[0] in SPECIAL and argv[0] not in self.functions
        if node.redirects or argv[0] not in PURE:
            self.pure = False
        if node.redirects and "saved" not in frame:
            yield self.proc.flush()
            try:
                frame["saved"] = self.redirect(node.redirects, frame["targets"])
            except BadRedirect:
                code = 2 if self.flavor == "dash" else 1
                if special and self.flavor != "bash":
                    raise Trouble("", code) from None
                return code
        if node.assignments and "covered" not in frame:
            if special and self.flavor != "bash":
                for name, value in frame["assigned"].items():
                    self.put(name, value)
                frame["covered"] = {}
            else:
                self.cover(frame["assigned"], frame, True)
        try:
            if "status" not in frame:
                frame["status"] = yield body()
            if node.redirects:
                yield self.proc.flush()
            return frame["status"]
        except Exec:
            self.settle(frame.pop("saved", {}))
            raise
        except Fault as fault:
            self.complain(f"write error: {fault}", argv[0] if self.flavor != "ash" else "")
            return 1
        except Exception:
            if node.redirects:
                yield self.proc.flush()
            raise
        finally:
            for name, (value, exported) in frame.pop("covered", {}).items():
                self.uncover(name, value, exported)
            if "saved" in frame:
                saved = frame.pop("saved")
                self.settle(saved) if frame.get("settled") else self.restore(saved)

    def uncover(self, name: str, value: Any, exported: bool | None) -> None:
        raise NotImplementedError

    def _builtin(self, node: tree.Simple, frame: dict[str, Any], tail: bool) -> Going:
        function = self.builtins[frame["argv"][0]]

        def body() -> Going:
            level = self.level
            try:
                done = function(self, frame["argv"], frame)
                return (yield done) if isinstance(done, Generator) else done
            except Trouble as trouble:
                self.leave(level)
                if str(trouble):
                    self.complain(str(trouble), frame["argv"][0] if self.flavor != "bash" else "")
                if frame["argv"][0] in SPECIAL and self.flavor != "bash":
                    raise Trouble("", trouble.code) from None
                return trouble.code
        return (yield self._inside(node, frame, body))

    def _outside(self, node: tree.Simple, frame: dict[str, Any], tail: bool) -> Going:
        """Runs a program."""
        argv, proc = frame["argv"], self.proc
        self.pure = False
        if "pid" not in frame:
            env = self.environ()
            if frame.get("assigned"):
                env = {**env, **frame["assigned"]}
            try:
                saved = self.redirect(node.redirects, frame["targets"]) if node.redirects else {}
            except BadRedirect:
                return 2 if self.flavor == "dash" else 1
            try:
                if tail and not any(self.traps.values()) and not self.option("i") and "ending" not in self.state:
                    proc.system.program_of(argv, proc.cwd, env)
                    self.settle(saved)
                    saved = {}
                    raise Exec(argv, env)
                child = proc.spawn(argv, env=env, fds=self.visible())
            except ExecFault as fault:
                return self.missing(argv, fault)
            except Fault as fault:
                self.complain(f"can't fork: {fault}" if self.flavor == "ash" else f"Cannot fork: {fault}" if self.flavor == "dash"
                              else f"fork: {fault}")
                raise Trouble("", 2 if self.flavor != "bash" else 254) from None
            finally:
                self.restore(saved)
            self._prepared(child)
            frame["pid"] = child.pid
        status = yield self.ended(frame["pid"])
        yield self._stopped_by(status)
        return status

    def _prepared(self, child: Any) -> None:
        for name, text in self.traps.items():
            if text == "" and name in SIGNALS:
                child.traps[SIGNALS[name]] = "ignore"
        for number, how in self.proc.traps.items():
            if how == "ignore" and not (number in OWN and self.option("i")):
                child.traps[number] = "ignore"
        if self.option("m"):
            child.group = child.pid
        self.foreground(child)

    def foreground(self, child: Any, background: bool = False) -> None:
        raise NotImplementedError

    def missing(self, argv: list[str], fault: ExecFault, command: str = "") -> int:
        raise NotImplementedError
