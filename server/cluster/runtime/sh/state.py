"""What a shell knows: variables, functions, options, parameters, jobs, all of it plain data in ``proc.state``, and its descriptors.

The state is what survives a restart and what a forked subshell starts with a copy of. Variables lie over the process's environment:
only what differs from it is kept. The words of its complaints are those of ash, dash or bash, whichever it is.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_12
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from server.cluster.runtime.proc import HIDDEN, Proc
from server.cluster.runtime.program import MEMORY, OutOfMemory
from server.cluster.runtime.sh.parser import Parsed, parse
from server.cluster.runtime.sh.tree import Unit
from server.cluster.runtime.signals import SIGNALS
from server.cluster.runtime.streams import Stream

OVERHEAD = 32
MOST_CALLS, MOST_REMEMBERED, MOST_ALIASES = 1000, 64, 256
OPTIONS = {"e": "errexit", "f": "noglob", "I": "ignoreeof", "m": "monitor", "n": "noexec", "x": "xtrace", "v": "verbose", "C": "noclobber",
           "a": "allexport", "b": "notify", "u": "nounset"}
LETTERS = {name: letter for letter, name in OPTIONS.items()} | {"pipefail": "p"}
PROMPTS = {"ash": "\\w \\$ ", "bash": "\\u@\\h:\\w\\$ ", "dash": "# "}
NUMBERS = {number: name for name, number in SIGNALS.items()}
COPIED = ("zero", "flavor", "options", "status", "pid", "ppid", "began", "random", "loops", "calls", "mask", "aliases", "lenient", "background")


class Exit(Exception):
    """The shell ends."""

    def __init__(self, code: int, quiet: bool = False) -> None:
        super().__init__(code)
        self.code, self.quiet = code & 255, quiet


class Jump(Exception):
    """break and continue: ``levels`` are left to go."""

    def __init__(self, kind: str, levels: int) -> None:
        super().__init__(kind)
        self.kind, self.levels = kind, levels


class Return(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Trouble(Exception):
    """An error that ends a shell that is not interactive: expansion, a special builtin's, syntax."""

    def __init__(self, text: str, code: int = 2) -> None:
        super().__init__(text)
        self.code = code


class Broken(Exception):
    """Ctrl-C: a person's shell gives up what it does."""


class Exec(Exception):
    """The process becomes another program."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        super().__init__(argv)
        self.argv, self.env = argv, env


class State:
    def __init__(self, proc: Proc) -> None:
        self.proc = proc
        self.state = state = proc.state
        self.vars: dict[str, Any] = state.setdefault("vars", {})
        self.exported: dict[str, bool] = state.setdefault("exported", {})
        self.readonly: list[str] = state.setdefault("readonly", [])
        self.functions: dict[str, list[int]] = state.setdefault("functions", {})
        self.texts: list[str] = state.setdefault("texts", [])
        self.params: list[str] = state.setdefault("params", [])
        self.frames: list[dict[str, Any]] = state.setdefault("frames", [])
        self.jobs: list[list[Any]] = state.setdefault("jobs", [])
        self.traps: dict[str, str] = state.setdefault("traps", {})
        self.pending: list[int] = state.setdefault("pending", [])
        for name, value in (("options", ""), ("status", 0), ("zero", "sh"), ("flavor", "ash"), ("pid", proc.pid), ("ppid", proc.ppid),
                            ("began", proc.started), ("loops", 0), ("calls", 0), ("mask", 0o22), ("aliases", {}), ("background", 0)):
            state.setdefault(name, value)
        self.level = 0
        self.unit: Unit | None = None
        self.line = 1
        self.base = int(state.get("line", 0))  # lines before the text that the unit's lines are counted in
        self.command = ""  # eval, or the file that is sourced
        self.held = sum(self._weight(name, value) for name, value in self.vars.items()) + sum(map(len, self.texts)) + sum(map(len, self.params))
        self.flavor: str = state["flavor"]
        self.environment: dict[str, str] | None = None
        self.overlay: dict[str, str] = {}  # assignments before a command, while they are expanded

    # frames: where every construct in progress has got to

    def enter(self, **fresh: Any) -> dict[str, Any]:
        """The frame of a construct that begins, or that is begun again after a restart."""
        if self.level == len(self.frames):
            self.frames.append(fresh)
        self.level += 1
        return self.frames[self.level - 1]

    def leave(self, level: int) -> None:
        """Back to ``level``: what was deeper is over."""
        self.level = level
        del self.frames[level:]

    @property
    def resuming(self) -> bool:
        return self.level < len(self.frames)

    # texts

    def read(self, text: str, aliases: dict[str, str] | None = None) -> Parsed:
        return parse(text, self.flavor, tuple((aliases or {}).items()))

    def of_text(self, text: str) -> Unit:
        """The unit that a text was: it has been read without fault before."""
        return self.read(text).units[0]

    # variables

    def _weight(self, name: str, value: Any) -> int:
        if isinstance(value, dict):
            return OVERHEAD * 2 + len(name) + sum(len(key) + len(each) + OVERHEAD for key, each in value.items())
        return len(name) + len(value or "") + OVERHEAD

    def get(self, name: str) -> str | None:
        """A variable's text, None if it is not set."""
        if name in self.overlay:
            return self.overlay[name]
        if name in self.vars:
            value = self.vars[name]
            return value.get("0") if isinstance(value, dict) else value
        if name in self.proc.env:
            return self.proc.env[name]
        return self._special(name)

    def _special(self, name: str) -> str | None:
        if name == "FUNCNAME" and self.flavor == "bash":
            call = self.frame_of_call()
            return call["kept"]["name"] if call is not None else None
        if name == "PPID":
            return str(self.state["ppid"])
        if name == "PWD":
            return self.proc.cwd
        if name == "OPTIND":
            return "1"
        if name == "IFS":
            return " \t\n"
        if name in ("PS1", "PS2", "PS4"):
            return PROMPTS[self.flavor] if name == "PS1" else {"PS2": "> ", "PS4": "+ "}[name]
        if name == "LINENO":
            return str(self.line)
        if self.flavor == "dash":
            return None
        if name == "RANDOM":
            return str(self.random())
        if name == "SECONDS" and self.flavor == "bash":
            return str(int(self.proc.system.clock.now - self.state["began"]))
        if name == "EPOCHSECONDS":
            return str(int(self.proc.machine.time().timestamp()))
        if name == "HOSTNAME":
            return self.proc.machine.hostname
        if self.flavor == "bash":
            return {"UID": "0", "EUID": "0", "BASH": "/bin/bash", "BASH_VERSION": "5.2.15(1)-release", "SHELL": "/bin/bash", "OSTYPE": "linux-gnu",
                    "BASHPID": str(self.proc.pid), "SHLVL": "1", "HOSTTYPE": "x86_64", "MACHTYPE": "x86_64-pc-linux-gnu"}.get(name)
        return None

    def frame_of_call(self) -> dict[str, Any] | None:
        """The innermost function's frame."""
        return next((frame for frame in reversed(self.frames[:self.level]) if "kept" in frame), None)

    def random(self) -> int:
        """The next number of a generator that began with the machine's name, the process and its moment."""
        seed = self.state.get("random")
        if seed is None:
            seed = 1
            for char in f"{self.proc.machine.hostname} {self.proc.pid} {self.state['began']}":
                seed = (seed * 31 + ord(char)) & 0x7FFFFFFF
        for _ in range(2):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        self.state["random"] = seed
        return seed >> 16 & 0x7FFF

    def put(self, name: str, value: Any) -> None:
        """Sets a variable (None: it is no longer set). Trouble if it is read-only."""
        if name in self.readonly:
            raise Trouble(f"{name}: readonly variable" if self.flavor == "bash" else f"{name}: is read only", 1 if self.flavor == "bash" else 2)
        self.force(name, value)

    def force(self, name: str, value: Any) -> None:
        before = self.vars.get(name)
        self.held += self._weight(name, value) - (self._weight(name, before) if name in self.vars else 0)
        if self.held > MEMORY:
            raise OutOfMemory
        if name == "RANDOM" and isinstance(value, str) and self.flavor != "dash":
            self.state["random"] = int(value) & 0x7FFFFFFF if value.isdigit() else 0
            self.held -= self._weight(name, value)
            return
        self.vars[name] = value
        self.environment = None
        if "a" in self.state["options"]:
            self.exported[name] = True

    def check_memory(self) -> None:
        if self.held > MEMORY:
            raise OutOfMemory

    def unset(self, name: str) -> None:
        self.put(name, None)
        self.exported[name] = False
        if name not in self.proc.env:
            self.held -= self._weight(name, None)
            del self.vars[name]
            del self.exported[name]

    def export(self, name: str) -> None:
        self.exported[name] = True
        self.environment = None
        if len(self.exported) > MEMORY // 256:
            raise OutOfMemory

    def is_exported(self, name: str) -> bool:
        return self.exported.get(name, name in self.proc.env)

    def names(self) -> list[str]:
        """The names of all variables that are set."""
        return sorted(name for name in {**self.proc.env, **self.vars} if self.get(name) is not None)

    def environ(self) -> dict[str, str]:
        """The environment of what it starts: the very one that it has itself, if nothing has changed."""
        if self.environment is None:
            env = {name: value for name, value in self.proc.env.items() if name not in self.vars and self.is_exported(name)}
            env |= {name: value for name, value in self.vars.items() if isinstance(value, str) and self.is_exported(name)}
            self.environment = self.proc.env if env == self.proc.env else env
        return self.environment

    def scalar(self, name: str, index: str | None = None) -> str:
        """For arithmetic: "" is not set."""
        if index is not None:
            return self.element(name, index) or ""
        if name.isdigit():
            return self.parameter(name) or ""
        value = self.get(name)
        if value is None and "u" in self.state["options"]:
            raise Trouble(self.unbound(name))
        return value or ""

    def unbound(self, name: str) -> str:
        return f"{'$' if name.isdigit() else ''}{name}: unbound variable" if self.flavor == "bash" else f"{name}: parameter not set"

    def element(self, name: str, index: str) -> str | None:
        value = self.vars.get(name)
        if isinstance(value, dict):
            return value.get(index)
        return self.get(name) if index == "0" else None

    def put_element(self, name: str, index: str, text: str) -> None:
        value = self.vars.get(name)
        if not isinstance(value, dict):
            value = {"0": value} if isinstance(value, str) else {}
        self.put(name, {**value, index: text})

    def parameter(self, name: str) -> str | None:
        """The value of ``$name`` but for ``$@`` and ``$*``."""
        if name.isdigit():
            number = int(name)
            if number == 0:
                return self.state["zero"]
            return self.params[number - 1] if number <= len(self.params) else None
        if name == "?":
            return str(self.state["status"])
        if name == "#":
            return str(len(self.params))
        if name == "$":
            return str(self.state["pid"])
        if name == "!":
            return str(self.state["background"]) if self.state["background"] else None
        if name == "-":
            return self.state["options"].replace("p", "")
        return self.get(name)

    def set_params(self, params: list[str]) -> None:
        self.held += sum(map(len, params)) - sum(map(len, self.params))
        if self.held > MEMORY:
            raise OutOfMemory
        self.params = self.state["params"] = params

    def option(self, letter: str) -> bool:
        return letter in self.state["options"]

    def set_option(self, letter: str, on: bool) -> None:
        options = self.state["options"].replace(letter, "")
        self.state["options"] = options + letter if on else options

    # complaints

    def prefix(self, command: str = "") -> str:
        """What a complaint begins with; ``command`` is the builtin that complains."""
        name, flavor = self.state["zero"] if self.flavor != "bash" or "script" in self.state else posixpath.basename(self.state["zero"]), self.flavor
        interactive = self.option("i")
        command = command or self.command if flavor != "bash" else command
        if flavor == "dash":
            text = f"{name}: {self.line}: "
        elif flavor == "bash":
            name = self.command if self.command not in ("", "eval") else name
            text = f"{name}: " if interactive and not self.command else f"{name}: line {self.line}: "
        elif (command or "script" in self.state) and not interactive:
            line = self.line if "script" in self.state or self.command not in ("", "eval") else 0
            return f"{name}: {command + ': ' if command else ''}line {line}: "
        else:
            text = f"{name}: "
        return text + (f"{command}: " if command else "")

    def complain(self, text: str, command: str = "") -> None:
        self.proc.err(f"{self.prefix(command)}{text}\n")

    def trouble(self, text: str, command: str = "", code: int | None = None) -> Trouble:
        """A builtin's error that ends the shell (in bash it is a status)."""
        self.complain(text, command)
        return Trouble("", (1 if self.flavor == "bash" else 2) if code is None else code)

    # descriptors

    def visible(self) -> dict[int, Stream]:
        """What is handed to a child."""
        fds = self.proc.fds
        return {fd: stream for fd, stream in fds.items() if fd < HIDDEN} if any(fd >= HIDDEN for fd in fds) else fds

    def hide(self, stream: Stream) -> int:
        """Keeps a stream as one of its own."""
        fd = HIDDEN
        while fd in self.proc.fds:
            fd += 1
        self.proc.fds[fd] = stream.open()
        return fd

    def close(self, fd: int) -> None:
        stream = self.proc.fds.pop(fd, None)
        if stream is not None:
            stream.close()

    def install(self, fd: int, stream: Stream) -> None:
        """Makes a stream the descriptor ``fd``."""
        stream.open()
        self.close(fd)
        self.proc.fds[fd] = stream

    # what a child starts with

    def copied(self) -> dict[str, Any]:
        state = {name: self.state[name] for name in COPIED if name in self.state}
        return state | {"vars": dict(self.vars), "exported": dict(self.exported), "readonly": list(self.readonly),
                        "functions": dict(self.functions), "texts": list(self.texts), "params": list(self.params),
                        "aliases": dict(self.state["aliases"]), "options": re.sub("[im]", "", self.state["options"]), "forked": True,
                        **({"script": True} if "script" in self.state else {}),
                        "ignored": [name for name, text in self.traps.items() if text == ""]}
