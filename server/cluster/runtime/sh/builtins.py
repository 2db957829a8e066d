"""The builtins that steer the shell: exit, return, loops' jumps, eval, ``.``, exec, trap, cd, test.

Each is ``f(shell, argv, frame)``: an exit code, or a generator when it waits; ``frame`` is the command's own, where it keeps how far it is.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_15
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.program import MEMORY, ExecFault, OutOfMemory
from server.cluster.runtime.sh.conditions import TestFault
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.naming import single
from server.cluster.runtime.sh.state import NUMBERS, Exec, Exit, Jump, Return
from server.cluster.runtime.signals import SIGNALS
from server.cluster.runtime.streams import Fault

MOST_TRAPS = 64
DESCRIPTOR = re.compile(r"/dev/(?:stdin|fd/\d+)")


def nothing(sh: Any, argv: list[str], frame: Any) -> int:
    return 0


def false(sh: Any, argv: list[str], frame: Any) -> int:
    return 1


def number(sh: Any, argv: list[str], default: int) -> int:
    if len(argv) < 2:
        return default
    if not re.fullmatch(r"-?\d{1,18}" if sh.flavor == "bash" else r"\d{1,18}", argv[1]):
        trouble = sh.trouble(f"{argv[1]}: numeric argument required" if sh.flavor == "bash" else f"Illegal number: {argv[1]}", argv[0], 2)
        raise trouble if sh.flavor != "bash" else Exit(2)
    return int(argv[1])


def exit_(sh: Any, argv: list[str], frame: Any) -> int:
    if sh.option("i") and sh.flavor == "bash":
        sh.proc.err(sh.farewell())
    raise Exit(number(sh, argv, sh.state.get("trapped_status", sh.state["status"])))


def return_(sh: Any, argv: list[str], frame: Any) -> int:
    code = number(sh, argv, sh.state["status"])
    if sh.frame_of_call() is None and not any("sourced" in each for each in sh.frames[:sh.level]):
        if sh.flavor == "bash":
            sh.complain("can only `return' from a function or sourced script", "return")
            return 2
        raise Exit(code)
    raise Return(code & 255)


def jump(sh: Any, argv: list[str], frame: Any) -> int:
    levels = number(sh, argv, 1)
    if levels < 1:
        raise sh.trouble(f"{argv[1]}: loop count out of range" if sh.flavor == "bash" else f"Illegal number: {argv[1]}", argv[0])
    if not sh.state["loops"]:
        if sh.flavor == "bash":
            sh.complain("only meaningful in a `for', `while', or `until' loop", argv[0])
        return 0
    raise Jump(argv[0], levels)


def eval_(sh: Any, argv: list[str], frame: Any) -> Going:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    outer, sh.command = sh.command, "eval"
    try:
        return (yield sh.run_text(" ".join(words)))
    finally:
        sh.command = outer


def _heard(sh: Any, path: str, frame: Any) -> Going:
    """All that comes through a descriptor, as of ``. <(command)``; None if there is none of that number."""
    try:
        stream = sh.proc.open(path)
        while (part := stream.read()) != "":
            if part is None:
                yield Pass(stream.readable)
                continue
            frame["heard"] = frame.get("heard", "") + part
            if len(frame["heard"]) > MEMORY:
                raise OutOfMemory
    except Fault:
        return None
    return frame.pop("heard", "")


def dot(sh: Any, argv: list[str], frame: Any) -> Going:
    if "text" not in frame:
        if len(argv) < 2:
            if sh.flavor == "bash":
                sh.complain("filename argument required", argv[0])
                sh.proc.err(f"{argv[0]}: usage: {argv[0]} filename [arguments]\n")
            return 2
        name = argv[1]
        path = name
        if "/" not in name:
            found = [posixpath.join(folder, name) for folder in (sh.get("PATH") or "").split(":")]
            path = next((each for each in found if sh.proc.files.kind(each) == "file"), name if sh.flavor == "bash" else "")
        if DESCRIPTOR.fullmatch(path):
            text = yield _heard(sh, path, frame)
        else:
            text = sh.proc.files.read(sh.proc.path(path)) if path and sh.proc.files.kind(sh.proc.path(path)) == "file" else None
        if text is None:
            if sh.flavor == "bash":
                sh.complain(f"{name}: No such file or directory")
                return 1
            if sh.flavor == "dash":
                raise sh.trouble(f"cannot open {name}: No such file" if "/" in name else f"{name}: not found", argv[0])
            raise sh.trouble(f"can't open '{name}': No such file or directory" if "/" in name else f"{name}: not found", argv[0])
        frame |= {"text": text, "sourced": True}
        if len(argv) > 2 and sh.flavor != "dash":
            frame["outer"] = sh.params
            sh.set_params(argv[2:])
    level = sh.level
    outer, sh.command = sh.command, argv[1]
    try:
        return (yield sh.run_text(frame["text"]))
    except Return as back:
        sh.leave(level)
        return back.code
    finally:
        sh.command = outer
        frame.pop("text")
        frame.pop("sourced")
        if "outer" in frame:
            sh.set_params(frame.pop("outer"))


def exec_(sh: Any, argv: list[str], frame: Any) -> int:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        frame["settled"] = True
        return 0
    env = sh.environ()
    try:
        sh.proc.system.program_of(words, sh.proc.cwd, env)
    except ExecFault as fault:
        code = sh.missing(words, fault, "exec")
        if sh.option("i"):
            return code
        raise Exit(code) from None
    raise Exec(words, env)


def shift(sh: Any, argv: list[str], frame: Any) -> int:
    count = number(sh, argv, 1)
    if count > len(sh.params):
        if sh.flavor == "dash":
            raise sh.trouble("can't shift that many", "shift")
        return 1
    sh.set_params(sh.params[count:])
    return 0


def signal_of(word: str) -> str | None:
    """The name of a signal, "EXIT" for 0; None if there is none."""
    name = word.upper().removeprefix("SIG")
    if name.isdigit():
        return "EXIT" if int(name) == 0 else NUMBERS.get(int(name))
    return name if name in SIGNALS or name in ("EXIT", "ERR", "DEBUG", "RETURN") else None


def trap(sh: Any, argv: list[str], frame: Any) -> int:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if words[:1] == ["-l"]:
        return kill_list(sh)
    if not words or words == ["-p"]:
        order = sorted(sh.traps, key=lambda name: SIGNALS.get(name, 0))
        for name in order:
            shown = f"SIG{name}" if sh.flavor == "bash" and name in SIGNALS else name
            sh.proc.out(f"trap -- {single(sh.traps[name])} {shown}\n")
        return 0
    script, names = (None, words) if len(words) == 1 or words[0].isdigit() else (words[0], words[1:])
    code = 0
    for word in names:
        name = signal_of(word)
        if name is None or name in ("ERR", "DEBUG", "RETURN"):
            if sh.flavor == "dash":
                sh.proc.err(f"trap: {word}: bad trap\n")
            else:
                sh.complain(f"{word}: invalid signal specification", "trap")
            code = 1
            continue
        if script is None or script == "-":
            sh.traps.pop(name, None)
            how = None
        else:
            if len(sh.traps) >= MOST_TRAPS or len(script) > 64 * 1024:
                raise OutOfMemory
            sh.traps[name] = script
            how = "ignore" if script == "" else "catch"
        if name in SIGNALS:
            sh.arm(SIGNALS[name], how)
    return code


def kill_list(sh: Any) -> int:
    for value, name in sorted(NUMBERS.items()):
        sh.proc.out(f"{value:>2}) {'SIG' if sh.flavor == 'bash' else ''}{name}\n")
    return 0


def cd(sh: Any, argv: list[str], frame: Any) -> int:
    words = [word for word in argv[1:] if word not in ("-L", "-P", "--")]
    target, show = (words[0] if words else sh.get("HOME") or "", False)
    if not words and not target:
        if sh.flavor == "bash":
            sh.complain("HOME not set", "cd")
            return 1
        return 0
    if sh.flavor == "bash" and len(words) > 1:
        sh.complain("too many arguments", "cd")
        return 1
    if target == "-":
        target, show = sh.get("OLDPWD") or "", True
        if not target:
            if sh.flavor == "bash":
                sh.complain("OLDPWD not set", "cd")
                return 1
            target = sh.proc.cwd
    path = sh.proc.path(target or ".")
    if path.startswith("//"):
        path = path[1:]
    kind = sh.proc.files.kind(path)
    if kind != "directory":
        why = "Not a directory" if kind else "No such file or directory"
        if sh.flavor == "bash":
            sh.complain(f"{target}: {why}", "cd")
            return 1
        raise sh.trouble(f"can't cd to {target}" + (f": {why}" if sh.flavor == "ash" else ""), "cd")
    sh.put("OLDPWD", sh.proc.cwd)
    sh.proc.cwd = sh.state["cwd"] = path
    sh.put("PWD", path)
    if show:
        sh.proc.out(path + "\n")
    return 0


def pwd(sh: Any, argv: list[str], frame: Any) -> int:
    sh.proc.out(sh.proc.cwd + "\n")
    return 0


def test(sh: Any, argv: list[str], frame: Any) -> int:
    words = argv[1:]
    if argv[0] == "[[":
        sh.patterned = True
        try:
            return test(sh, ["[", *(words[:-1] + ["]"] if words[-1:] == ["]]"] else words)], frame)
        finally:
            sh.patterned = False
    if argv[0] == "[":
        if words[-1:] != ["]"]:
            sh.complain("missing `]'" if sh.flavor == "bash" else "missing ]", "" if sh.flavor == "ash" else "[")
            return 2
        words = words[:-1]
    try:
        return int(not sh.test(words))
    except TestFault as fault:
        texts = {"ash": {"number": f"{fault.word}: bad number", "operand": f"{fault.word}: unknown operand", "argument": "argument expected",
                         "closing": "closing paren expected"},
                 "dash": {"number": f"Illegal number: {fault.word}", "operand": f"{fault.word}: unexpected operator",
                          "argument": "argument expected", "closing": "closing paren expected"},
                 "bash": {"number": f"{fault.word}: integer expression expected", "operand": "too many arguments" if len(words) > 3 else
                          f"{words[1] if len(words) == 3 else words[0]}: {'binary' if len(words) == 3 else 'unary'} operator expected",
                          "argument": "argument expected", "closing": "`)' expected"}}
        sh.complain(texts[sh.flavor][fault.kind], "" if sh.flavor == "ash" else argv[0])
        return 2


def times(sh: Any, argv: list[str], frame: Any) -> int:
    places = 3 if sh.flavor != "dash" else 6
    line = f"0m{0:.{places}f}s 0m{0:.{places}f}s\n"
    sh.proc.out(line * 2)
    return 0


BUILTINS = {
    ":": nothing, "true": nothing, "false": false, "exit": exit_, "return": return_, "break": jump, "continue": jump, "eval": eval_, ".": dot,
    "exec": exec_, "shift": shift, "trap": trap, "cd": cd, "pwd": pwd, "test": test, "[": test, "times": times,
}
MORE: dict[str, dict[str, Any]] = {"ash": {"source": dot, "chdir": cd, "[[": test}, "bash": {"source": dot}, "dash": {"chdir": cd}}
