"""The shell as a program: its command line, where its commands come from (``-c``, a file, input, a person), and its end.

A person's terminal is lent a history and a completion while a command is awaited. What the shell knows is in ``proc.state``, so the page's
terminal can run each line in a shell of its own that begins with what the last one left (``begin``, ``carry``).

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import OutOfMemory, Program
from server.cluster.runtime.sh import builtins, inout, jobs, naming, variables
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.interpreter import Interpreter
from server.cluster.runtime.sh.parser import parse
from server.cluster.runtime.sh.state import LETTERS, OPTIONS, Broken, Exec, Exit, Jump, Return, Trouble
from server.cluster.runtime.signals import INT, QUIT, SIGNALS, TERM, TSTP
from server.cluster.runtime.streams import Fault
from server.cluster.runtime.tty import MOST_HISTORY

CARRIED = ("vars", "exported", "readonly", "functions", "texts", "params", "options", "aliases", "jobs", "traps", "status", "background", "mask",
           "reaped", "random", "zero", "flavor", "maps", "cwd", "completions", "history")
TABLES = (builtins, variables, naming)
BUILTINS = {flavor: {name: function for table in (*(table.BUILTINS for table in (*TABLES, inout, jobs)), *(table.MORE[flavor] for table in TABLES))
                     for name, function in table.items()} for flavor in ("ash", "dash", "bash")}


class Shell(Interpreter):
    def arm(self, signal: int, how: str | None) -> None:
        """What a signal does from now on: "catch", "ignore", or None for what it did at first."""
        if self.option("i") and how is None:
            how = {INT: "catch", QUIT: "ignore", TERM: "ignore", TSTP: "ignore"}.get(signal)
        if how is None:
            self.proc.traps.pop(signal, None)
        else:
            self.proc.traps[signal] = how

    def interrupted(self) -> bool:
        return bool(self.pending)

    # beginning and end

    def main(self) -> Going:
        state = self.state
        if "ending" not in state:
            try:
                code = yield self._whole()
            except Exit as end:
                code = end.code
            except Trouble as trouble:
                if str(trouble):
                    self.complain(str(trouble))
                code = trouble.code
            except Return as back:
                code = back.code
            except Jump:
                code = 0
            except Broken:
                code = 128 + INT
            self.leave(0)
            state["ending"] = state["status"] = code
        if "EXIT" in self.traps:
            script = self.traps["EXIT"]
            try:
                yield self.run_text(script)
            except (Exit, Return) as end:
                state["ending"] = end.code
            except Trouble as trouble:
                if str(trouble):
                    self.complain(str(trouble))
        return state["ending"]

    def _whole(self) -> Going:
        state = self.state
        if "mode" not in state:
            code = self._started()
            if code is not None:
                return code
        mode = state["mode"]
        if mode == "node":
            unit = self.unit = self.of_text(state["text"])
            node = unit.nodes[state["node"]]
            if state.get("inside"):
                if node.redirects:
                    return (yield self.redirected(node.redirects, lambda: self.run(node.body)))
                return (yield self.run(node.body, True))
            return (yield self.run(node, True))
        if mode == "text":
            status = yield self.run_text(state["text"], True)
            return status
        return (yield self._lines())

    def _started(self) -> int | None:
        """Reads the command line. An exit code if that is the end of it."""
        state, proc = self.state, self.proc
        if state.get("forked") or "text" in state:
            state["mode"] = "node" if "node" in state else "text"
            proc.cwd = state.get("cwd", proc.cwd)
            for name, text in self.traps.items():
                if name in SIGNALS:
                    self.arm(SIGNALS[name], "ignore" if text == "" else "catch")
            for name in state.pop("ignored", ()):
                self.traps[name] = ""
            return None
        words, text, forced = list(proc.args), False, False
        while words and words[0][:1] in "-+" and len(words[0]) > 1:
            word = words.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                if word == "--version" and self.flavor == "bash":
                    proc.out("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n")
                    return 0
                if self.flavor == "bash" and word in ("--login", "--norc", "--noprofile", "--posix"):
                    continue
                proc.err(f"{proc.argv[0]}: {word}: invalid option\n" if self.flavor == "bash" else f"{proc.argv[0]}: unrecognized option '{word}'\n")
                return 2
            for letter in word[1:]:
                if letter == "c":
                    text = True
                elif letter == "i":
                    forced = True
                elif letter in "sl":
                    continue
                elif letter == "o" and words and (known := LETTERS.get(words[0])) is not None:
                    words.pop(0)
                    self.set_option(known, word[0] == "-")
                elif letter in OPTIONS:
                    self.set_option(letter, word[0] == "-")
                elif not (letter in "hBEHPpkt" and self.flavor == "bash"):
                    name = posixpath.basename(proc.argv[0])
                    proc.err(f"{name}: -{letter}: invalid option\n" if self.flavor == "bash" else
                             f"{name}: {'il' if self.flavor == 'ash' else '0: Il'}legal option -{letter}\n")
                    return 2
        state["zero"] = proc.argv[0]
        if text:
            if not words:
                name = posixpath.basename(proc.argv[0])
                proc.err({"ash": f"{name}: -c requires an argument\n", "dash": f"{name}: 0: -c requires an argument\n",
                          "bash": f"{name}: -c: option requires an argument\n"}[self.flavor])
                return 2
            state |= {"mode": "text", "text": words[0]}
            if len(words) > 1:
                state["zero"] = words[1]
                self.set_params(words[2:])
            return None
        if words and "-s" not in proc.args:
            return self._script(words)
        self.set_params(words)
        state["mode"] = "lines"
        if forced or proc.isatty(0) and proc.isatty(2):
            self.set_option("i", True)
            self.set_option("m", proc.isatty(0))
            for signal in (INT, QUIT, TERM, TSTP):
                self.arm(signal, None)
            self._profile()
        return None

    def _script(self, words: list[str]) -> int | None:
        path, files = self.proc.path(words[0]), self.proc.files
        if files.kind(path) != "file":
            name = posixpath.basename(self.proc.argv[0])
            why = "Is a directory" if files.kind(path) else "No such file or directory"
            self.proc.err({"ash": f"{name}: can't open '{words[0]}': {why}\n", "dash": f"{name}: 0: cannot open {words[0]}: "
                           f"{'No such file' if why.startswith('No') else why}\n", "bash": f"{name}: {words[0]}: {why}\n"}[self.flavor])
            return 126 if files.kind(path) and self.flavor == "bash" else 2 if self.flavor != "bash" else 127
        self.state |= {"mode": "text", "text": files.read(path) or "", "zero": words[0], "script": True}
        self.set_params(words[1:])
        return None

    def _profile(self) -> None:
        """A bash of Debian's images has root's prompt."""
        if self.flavor == "bash" and self.get("PS1") is None:
            self.vars["PS1"] = "\\u@\\h:\\w\\$ "

    # commands from input

    def _lines(self) -> Going:
        """Reads and runs commands, line by line."""
        level, interactive = self.level, self.option("i")
        frame = self.enter(got="")
        history: list[str] = self.state.setdefault("history", []) if interactive else []
        while True:
            if "run" not in frame:
                line = yield self._line(frame, history)
                if line is None:
                    self.leave(level + 1)
                    frame["got"] = ""
                    continue
                frame["got"] += line
                if line and self.unfinished(frame["got"]):
                    continue
                if not line and not frame["got"]:
                    if interactive and self.proc.isatty(0):
                        self.proc.err(self.farewell() if self.flavor == "bash" else "\n")
                    return self.state["status"]
                frame["run"], frame["got"] = frame["got"], ""
            try:
                yield self.run_text(frame["run"])
            except Trouble as trouble:
                if str(trouble):
                    self.complain(str(trouble))
                if not interactive:
                    return trouble.code
                self.state["status"] = trouble.code
            except Broken:
                self.proc.out("\n")
                self.state["status"] = 130
            except (Jump, Return):
                pass
            except OutOfMemory:
                if not interactive:
                    raise
                self.complain("out of memory")
            self.leave(level + 1)
            del frame["run"]
            if interactive:
                self._told()

    def farewell(self) -> str:
        """What an interactive bash says when it goes."""
        return "logout\n" if self.state["zero"].startswith("-") else "exit\n"

    def unfinished(self, text: str) -> bool:
        return unfinished(text, self.flavor, self.expanding())

    def _told(self) -> None:
        """Tells of the jobs that have ended."""
        self.collect()
        kept = []
        for place, job in enumerate(self.jobs):
            if jobs.running(self, job):
                kept.append(job)
                continue
            mark = "+" if place == len(self.jobs) - 1 else "-" if place == len(self.jobs) - 2 else " "
            self.proc.err(f"[{job['id']}]{mark}  {jobs.state_of(self, job):<{24 if self.flavor == 'bash' else 27}}{job['text']}\n")
        self.jobs[:] = kept

    def _line(self, frame: dict[str, Any], history: list[str]) -> Going:
        """The next line, "" at the end, None if it was broken off."""
        proc, stream, interactive = self.proc, self.proc.fds.get(0), self.option("i")
        if stream is None:
            return ""
        tty = proc.tty if interactive else None
        if interactive and self.state.get("prompted") is None:
            prompt = self.prompt("PS2" if frame["got"] else "PS1")
            proc.err(prompt)
            if tty is not None:
                tty.prompt, tty.history, tty.complete, tty.foreground = prompt, history, self._complete, proc.group
        try:
            while True:
                try:
                    text = stream.readline()
                except Fault:
                    return ""
                if text is not None:
                    break
                if interactive and self.pending:
                    try:
                        yield self.signals()
                    except Broken:
                        self.state["status"] = 130
                        return None
                yield Pass(stream.readable)
        finally:
            if tty is not None:
                tty.history, tty.complete, tty.prompt = None, None, ""
        line = text.rstrip("\n")
        if interactive and line.strip() and (not history or history[-1] != line):
            history.append(line)
            del history[:-MOST_HISTORY]
        return text + ("\n" if text and not text.endswith("\n") else "")

    def prompt(self, name: str) -> str:
        text, proc = self.get(name) or "", self.proc
        home = self.get("HOME") or ""
        where = "~" + proc.cwd[len(home):] if home not in ("", "/") and (proc.cwd + "/").startswith(home + "/") else proc.cwd
        short = posixpath.basename(where) or where
        now = proc.machine.time()
        values = {"w": where, "W": short, "u": self.get("USER") or "root", "h": proc.machine.hostname.split(".")[0], "H": proc.machine.hostname,
                  "$": "#", "n": "\n", "r": "\r", "e": "\x1b", "a": "\a", "[": "", "]": "", "\\": "\\", "t": f"{now:%H:%M:%S}",
                  "A": f"{now:%H:%M}", "T": f"{now:%I:%M:%S}", "d": f"{now:%a %b %d}", "s": posixpath.basename(self.state["zero"])}
        text = re.sub(r"\\(.)", lambda found: values.get(found[1], found[0]), text, flags=re.S)
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: self.parameter(found[1] or found[2]) or "", text)

    def _complete(self, line: str) -> tuple[int, list[str]]:
        """The words that the last one of a line may become."""
        start = max((line.rfind(char) for char in " \t;|&<>()`\"'="), default=-1) + 1
        word, first = line[start:], re.search(r"(^|[;|&(`]|\b(do|then|else|if|while)\b)\s*$", line[:start]) is not None
        found: list[str] = []
        if word.startswith("$"):
            return start, [f"${name}" for name in self.names() if name.startswith(word[1:])]
        if first and "/" not in word:
            found = sorted({*self.builtins, *self.functions, *self.state["aliases"], *self._programs()})
            return start, [name for name in found if name.startswith(word)]
        folder, name = posixpath.split(word)
        base = self.home("") + folder[1:] if folder.startswith("~") else folder
        for each in self._names(base or ".") or []:
            if each.startswith(name) and (name or not each.startswith(".")):
                path = posixpath.join(folder, each)
                found.append(path + "/" if self._kind(posixpath.join(base, each)) == "directory" else path)
        return start, found

    def _programs(self) -> list[str]:
        from server.cluster.runtime.programs import PROGRAMS
        return [name for name in PROGRAMS if self.proc.machine.where(name)]


def unfinished(text: str, dialect: str, aliases: dict[str, str] | None = None) -> bool:
    """Whether more lines are needed."""
    stripped = text.rstrip("\n")
    if text.endswith("\n") and (len(stripped) - len(stripped.rstrip("\\"))) % 2 and text.count("\n") and text[len(stripped):] == "\n":
        parsed = parse(text, dialect, tuple((aliases or {}).items()))
        commented = parse(f"{stripped[:-1]}'\n", dialect).fault is None
        if not commented and (parsed.fault is None or parsed.fault.incomplete):
            return True
    parsed = parse(text, dialect, tuple((aliases or {}).items()))
    if parsed.fault is not None:
        return parsed.fault.incomplete
    return bool(parsed.units) and parsed.units[-1].open


def flavor_of(proc: Proc) -> str:
    """Whose words it speaks."""
    name, kit = posixpath.basename(proc.argv[0]).lstrip("-"), proc.machine.kit
    if name in ("bash", "rbash"):
        return "bash"
    if name in ("ash", "busybox") or kit == "busybox":
        return "ash"
    return "dash" if name == "dash" or kit != "workstation" else "bash"


def run(proc: Proc) -> Going:
    proc.state.setdefault("flavor", flavor_of(proc))
    shell = Shell(proc, SHELL, BUILTINS[proc.state["flavor"]])
    try:
        return (yield from shell.drive(shell.main()))
    except Exec as other:
        argv, env = other.argv, other.env
    return (yield from proc.become(argv, env))


def begin(text: str, carried: dict[str, Any] | None = None) -> dict[str, Any]:
    """The state of a shell that runs ``text`` with what another has left (``carry``); for ``spawn(..., program=SHELL, state=...)``."""
    return {**(carried or {}), "text": text, "expands": True}


def carry(state: dict[str, Any]) -> dict[str, Any]:
    """What of a shell's state goes on: variables, functions, options, jobs, traps."""
    return {name: state[name] for name in CARRIED if name in state}


def incomplete(text: str) -> bool:
    """
    >>> incomplete("if true; then\\n"), incomplete("cat <<E\\nx\\n"), incomplete("echo a\\n"), incomplete("fi\\n")
    (True, True, False, False)
    """
    return unfinished(text, "bash")


SHELL = Program(run, "state")
