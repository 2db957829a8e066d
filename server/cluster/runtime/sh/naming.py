"""The builtins about what a name of a command means: alias, type, command, hash; and of what Tab offers behind it: complete.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/command.html
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from server.cluster.runtime.program import ExecFault, OutOfMemory
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.state import MOST_ALIASES
from server.cluster.runtime.streams import Fault

SPECIAL = frozenset([":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset"])
KEYWORDS = frozenset([
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while", "[[", "]]", "function",
    "time", "select",
])


def single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def alias(sh: Any, argv: list[str], frame: Any) -> int:
    aliases, code = sh.state["aliases"], 0
    if len(argv) == 1:
        for name in sorted(aliases):
            sh.proc.out(f"{'alias ' if sh.flavor == 'bash' else ''}{name}={single(aliases[name])}\n")
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if equals:
            if len(aliases) >= MOST_ALIASES or len(word) > 4096:
                raise OutOfMemory
            sh.state["aliases"] = aliases = {**aliases, name: value}
        elif name in aliases:
            sh.proc.out(f"{'alias ' if sh.flavor == 'bash' else ''}{name}={single(aliases[name])}\n")
        else:
            if sh.flavor == "bash":
                sh.complain(f"{name}: not found", "alias")
            else:
                sh.proc.err(f"alias: {name} not found\n")
            code = 1
    return code


def unalias(sh: Any, argv: list[str], frame: Any) -> int:
    aliases = dict(sh.state["aliases"])
    code = 0
    for word in argv[1:]:
        if word == "-a":
            aliases.clear()
        elif aliases.pop(word, None) is None:
            sh.complain(f"{word}: not found", "unalias") if sh.flavor == "bash" else sh.proc.err(f"unalias: {word} not found\n")
            code = 1
    sh.state["aliases"] = aliases
    return code


def found(sh: Any, name: str) -> str | None:
    """The path of a command that is a program."""
    proc = sh.proc
    if "/" in name:
        path = proc.path(name)
        known = proc.machine.where(posixpath.basename(path)) == path
        return name if known or proc.files.kind(path) == "file" and proc.files.executable(path) else None
    if path := proc.machine.where(name):
        return path
    for folder in (sh.get("PATH") or "").split(":"):
        path = posixpath.join(folder, name)
        if folder and proc.files.kind(path) == "file" and proc.files.executable(path):
            return path
    return None


def type_(sh: Any, argv: list[str], frame: Any) -> int:
    words, short = argv[1:], False
    if words and words[0].startswith("-") and sh.flavor == "ash":
        return sum(bool(command(sh, ["command", "-v", word], frame)) for word in words[1:])
    if words[:1] == ["-t"] and sh.flavor == "bash":
        words, short = words[1:], True
    code = 0
    for name in words:
        text, kind = described(sh, name)
        if kind == "":
            code = 1 if sh.flavor == "bash" else 127
            if short:
                continue
            if sh.flavor == "bash":
                sh.complain(f"{name}: not found", "type")
            else:
                sh.proc.out(f"{name}: not found\n")
        else:
            sh.proc.out((kind if short else f"{name} is {text}") + "\n")
    return code


def described(sh: Any, name: str) -> tuple[str, str]:
    if name in sh.expanding():
        value = sh.state["aliases"][name]
        return (f"aliased to `{value}'" if sh.flavor == "bash" else f"an alias for {value}"), "alias"
    if name in KEYWORDS and (sh.flavor == "bash" or name not in ("[[", "]]", "function", "time", "select")):
        return "a shell keyword", "keyword"
    if name in sh.functions:
        return "a function" if sh.flavor == "bash" else "a function" if sh.flavor == "ash" else "a shell function", "function"
    if name in sh.builtins:
        special = name in SPECIAL and sh.flavor != "bash"
        return ("a special shell builtin" if special else "a shell builtin"), "builtin"
    path = found(sh, name)
    return (path or "", "file" if path else "")


def command(sh: Any, argv: list[str], frame: Any) -> Any:
    words, mode = argv[1:], ""
    while words and re.fullmatch(r"-[pvV]+|--", words[0]):
        mode = words.pop(0)[-1]
    if not words:
        return 0
    if mode in ("v", "V"):
        code = 1 if sh.flavor == "bash" else 127
        for name in words if sh.flavor == "bash" else words[:1]:
            text, kind = described(sh, name)
            if not kind:
                if mode == "V":
                    sh.complain(f"{name}: not found", "command") if sh.flavor == "bash" else sh.proc.err(f"{name}: not found\n")
                continue
            code = 0
            if mode == "V":
                sh.proc.out(f"{name} is {text}\n")
            elif kind == "alias":
                sh.proc.out(f"alias {name}={single(sh.state['aliases'][name])}\n")
            else:
                sh.proc.out((text if kind == "file" else name) + "\n")
        return code
    if words[0] in sh.builtins:
        return sh.builtins[words[0]](sh, words, frame)
    return outside(sh, words, frame)


def outside(sh: Any, words: list[str], frame: Any) -> Going:
    if "pid" not in frame:
        try:
            child = sh.proc.spawn(words, env=sh.environ(), fds=sh.visible())
        except ExecFault as fault:
            return sh.missing(words, fault)
        except Fault as fault:
            sh.complain(f"can't fork: {fault}")
            return 2
        sh._prepared(child)
        frame["pid"] = child.pid
    return (yield sh.ended(frame["pid"]))


def hash_(sh: Any, argv: list[str], frame: Any) -> int:
    if len(argv) == 1:
        sh.proc.out("hash: hash table empty\n")
    return 0


def complete(sh: Any, argv: list[str], frame: Any) -> int:
    """bash's ``complete [-o OPTION] (-F FUNCTION | -W WORDS) NAME...``: who prompts reads ``state["completions"]``. Only those two ways
    are known; a function's name says whose completion it is, the function is not run."""
    known: dict[str, list[str]] = sh.state.get("completions") or {}
    words, way, printing, removing = list(argv[1:]), [], False, False
    while words and words[0][:1] == "-" and words[0] != "-":
        option = words.pop(0)
        if option in ("-o", "-F", "-W") and words:
            way = way if option == "-o" else [option, words[0]]
            words.pop(0)
        elif option in ("-p", "-r"):
            printing, removing = option == "-p", option == "-r"
        else:
            sh.complain(f"{option}: invalid option" if len(option) != 2 or option[1] not in "abcdefgjksuvACGPSXDEIoFW" else
                        f"{option}: not known here, only -F and -W are", "complete")
            return 2
    if removing:
        sh.state["completions"] = {name: how for name, how in known.items() if words and name not in words}
    elif printing or not words:
        for name in words or sorted(known):
            if name not in known:
                sh.complain(f"{name}: no completion specification", "complete")
                return 1
            option, value = known[name]
            sh.proc.out(f"complete {option} {single(value) if option == '-W' else value} {name}\n")
    elif not way:
        sh.complain("only -F and -W are known here", "complete")
        return 2
    else:
        known = {**known, **dict.fromkeys(words, way)}
        if len(known) > MOST_ALIASES or sum(map(len, (*words, *way))) > 4096:
            raise OutOfMemory
        sh.state["completions"] = known
    return 0


def history(sh: Any, argv: list[str], frame: Any) -> int:
    """The lines that were typed to this shell, numbered; the last so many; -c forgets them. A subshell, as in a pipeline, has its parent's."""
    proc = sh.proc
    while "node" in proc.state and proc.ppid in proc.system.procs:
        proc = proc.system.procs[proc.ppid]
    lines: list[str] = proc.state.get("history") or []
    if argv[1:] == ["-c"] and sh.flavor == "bash":
        if proc is sh.proc:
            lines.clear()
        return 0
    if len(argv) > 1 and not argv[1].isdigit():
        sh.complain(f"{argv[1]}: numeric argument required", "history")
        return 1
    first = max(0, len(lines) - int(argv[1][:9])) if len(argv) > 1 else 0
    sh.proc.out("".join(f"{number + 1:5d}  {line}\n" for number, line in enumerate(lines) if number >= first))
    return 0


BUILTINS = {"alias": alias, "unalias": unalias, "type": type_, "command": command, "hash": lambda sh, argv, frame: 0}
MORE: dict[str, dict[str, Any]] = {"ash": {"history": history}, "bash": {"hash": hash_, "history": history, "complete": complete}, "dash": {}}
