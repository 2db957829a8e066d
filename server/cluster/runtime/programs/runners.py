"""Programs that run other programs: env, nice, nohup, setsid, timeout, time, which.

What only changes the process's surroundings becomes the other program in its own place (``Proc.become``); the others wait for a child, whose
number is in ``proc.state``.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/env.html and .../timeout.html
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.programs.basics import UNITS, seconds
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, busybox, tool
from server.cluster.runtime.signals import HUP, KILL, SIGNALS
from server.cluster.runtime.streams import Fault

NOT_SUCH = "No such file or directory"


def why(fault: Fault) -> str:
    """exec's own words."""
    return NOT_SUCH if str(fault) == "not found" else str(fault)


def cannot(proc: Proc, name: str, fault: Fault) -> int:
    """Says that a command cannot be run: 127 or 126."""
    if busybox(proc):
        proc.err(f"{proc.name}: can't execute '{name}': {why(fault)}\n")
    else:
        proc.err(f"{proc.name}: {'failed to run command ' if proc.name in ('timeout', 'nohup', 'time') else ''}'{name}': {why(fault)}\n")
    return fault.code if isinstance(fault, ExecFault) else 126


def becoming(proc: Proc, argv: list[str], env: dict[str, str] | None = None) -> Run:
    env = proc.env if env is None else env
    try:
        proc.system.program_of(argv, proc.cwd, env)
    except ExecFault as fault:
        return cannot(proc, argv[0], fault)
    return (yield from proc.become(argv, env))


def ended(proc: Proc, pid: int, until: float | None = None) -> Generator[Any, Any, int | None]:
    """Waits for a child of one's own: its exit code, None if that took longer than ``until``."""
    child = proc.system.procs.get(pid)
    if child is None or child.ppid != proc.pid:
        return 128 + KILL
    while child.alive:
        left = None if until is None else until - proc.system.clock.now
        if left is not None and left <= 0:
            return None
        yield Pass(child.done, left)
    proc.system.reap(child)
    return child.status or 0


def env(proc: Proc, options: Options) -> Run:
    words = list(options.operands)
    bare = options.has("i") or words[:1] == ["-"]
    words = words[1:] if words[:1] == ["-"] else words
    around = {} if bare else {name: value for name, value in proc.env.items() if name not in options.values("u")}
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        around[name] = value
    if options.has("C"):
        path = proc.path(options.value("C"))
        if proc.files.kind(path) != "directory":
            proc.err(f"env: cannot change directory to '{options.value('C')}': {NOT_SUCH}\n")
            return 125
        proc.cwd = path
    if words:
        return (yield from becoming(proc, words, around))
    end = "\0" if options.has("0") else "\n"
    proc.out("".join(f"{name}={value}{end}" for name, value in around.items()))
    return 0


def nice(proc: Proc, options: Options) -> Run:
    given = options.value("n", "10")
    if not re.fullmatch(r"[-+]?\d{1,3}", given):
        raise Misuse(f"nice: invalid number '{given}'\n" if busybox(proc) else f"nice: invalid adjustment '{given}'\n", 1 if busybox(proc) else 125)
    if not options.operands:
        if options.has("n") and not busybox(proc):
            raise Misuse("nice: a command must be given with an adjustment\nTry 'nice --help' for more information.\n", 125)
        proc.out("0\n")
        return 0
    return (yield from becoming(proc, options.operands))


def nohup(proc: Proc, options: Options) -> Run:
    if not options.operands:
        raise NOHUP.misuse(proc, "" if busybox(proc) else "missing operand")
    proc.traps[HUP] = "ignore"
    if proc.isatty(1):
        try:
            stream = proc.open("nohup.out", "a")
        except Fault as fault:
            proc.err(f"nohup: can't open 'nohup.out': {fault}\n")
            return 127
        proc.err("nohup: appending output to nohup.out\n" if busybox(proc) else "nohup: ignoring input and appending output to 'nohup.out'\n")
        yield from proc.flush()
        for fd in (1, 2):
            if proc.isatty(fd):
                proc.fds[fd].close()
                proc.fds[fd] = stream.open()
    return (yield from becoming(proc, options.operands))


def setsid(proc: Proc, options: Options) -> Run:
    if not options.operands:
        raise SETSID.misuse(proc, "" if busybox(proc) else "no command specified")
    proc.group = proc.pid
    return (yield from becoming(proc, options.operands))


def duration(text: str) -> float | None:
    return seconds([text]) if re.fullmatch(rf"(\d+\.?\d*|\.\d+)[{''.join(UNITS)}]?|inf(inity)?", text) else None


def timeout(proc: Proc, options: Options) -> Run:
    small, state, words = busybox(proc), proc.state, options.operands
    if len(words) < 2:
        raise TIMEOUT.misuse(proc)
    lengths = [duration(words[0]), duration(options.value("k", "0"))]
    for text, length in zip((words[0], options.value("k", "0")), lengths, strict=True):
        if length is None:
            raise (Misuse(f"timeout: invalid number '{text}'\n") if small else TIMEOUT.misuse(proc, f"invalid time interval '{text}'"))
    name = options.value("s", "TERM").upper().removeprefix("SIG")
    signal = int(name) if name.isdigit() and int(name) < 65 else SIGNALS.get(name)
    if signal is None:
        raise Misuse(f"timeout: bad signal name '{options.value('s')}'\n") if small else TIMEOUT.misuse(
            proc, f"'{options.value('s')}': invalid signal")
    if "pid" not in state:
        try:
            state["pid"] = proc.spawn(words[1:]).pid
        except Fault as fault:
            return cannot(proc, words[1], fault)
        state["until"] = proc.system.clock.now + lengths[0] if lengths[0] and lengths[0] != float("inf") else None
    code = yield from ended(proc, state["pid"], state["until"])
    if code is not None and "sent" not in state:
        return code
    child = proc.system.procs.get(state["pid"])
    if "sent" not in state and child is not None:
        state["sent"] = signal
        if options.has("v"):
            proc.err(f"timeout: sending signal {name} to command '{words[1]}'\n")
        proc.system.signal(child, signal)
        state["until"] = proc.system.clock.now + lengths[1] if lengths[1] else None
        code = yield from ended(proc, state["pid"], state["until"])
    if code is None and child is not None and child.alive:
        state["sent"], state["until"] = KILL, None
        proc.system.signal(child, KILL)
        code = yield from ended(proc, state["pid"])
    if small or options.has("preserve-status"):
        return code
    return 128 + KILL if state["sent"] == KILL else 124


def time(proc: Proc, options: Options) -> Run:
    small, state, words = busybox(proc), proc.state, options.operands
    if not words:
        raise TIME.misuse(proc)
    if "pid" not in state:
        state["began"] = proc.system.clock.now
        try:
            state["pid"] = proc.spawn(words).pid
        except Fault as fault:
            code = cannot(proc, words[0], fault)
            proc.err(f"Command exited with non-zero status {code}\n")
            state |= {"pid": 0, "code": code}
    code = state["code"] if "code" in state else (yield from ended(proc, state["pid"]))
    real = proc.system.clock.now - state["began"]
    if code and "code" not in state:
        proc.err(f"Command exited with non-zero status {code}\n" if code <= 128 else f"Command terminated by signal {code - 128}\n")
    minutes, rest = int(real // 60), real % 60
    if options.has("p"):
        proc.err(f"real {real:.2f}\nuser 0.00\nsys 0.00\n")
    elif small:
        proc.err(f"real\t{minutes}m {rest:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n")
    else:
        proc.err(f"0.00user 0.00system {minutes}:{rest:05.2f}elapsed 0%CPU (0avgtext+0avgdata 1780maxresident)k\n"
                 "0inputs+0outputs (0major+81minor)pagefaults 0swaps\n")
    return code


def which(proc: Proc, options: Options) -> Run:
    if not options.operands and busybox(proc):
        raise WHICH.misuse(proc)
    code = 0 if options.operands else 1
    for name in options.operands:
        found = []
        if "/" in name:
            path = proc.path(name)
            if proc.machine.where(path.rpartition("/")[2]) == path or proc.files.stat(path) is not None and proc.files.kind(path) == "file" and (
                    proc.files.executable(path)):
                found.append(name)
        else:
            if path := proc.machine.where(name):
                found.append(path)
            for folder in proc.env.get("PATH", "").split(":"):
                path = f"{folder.rstrip('/')}/{name}"
                if folder and path not in found and proc.files.kind(path) == "file" and proc.files.executable(path):
                    found.append(path)
        for path in found if options.has("a") else found[:1]:
            proc.out(path + "\n")
        code = code if found else 1
    return code
    yield


ENV = Line("[-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]\n\nPrint current environment or run PROG after setting up environment\n\n"
           "\t-, -i\tStart with empty environment\n\t-0\tNUL terminated output\n\t-u NAME\tRemove variable from environment", "+i0u:", "+i0u:C:v",
           {"ignore-environment": "i", "null": "0", "unset": "u", "chdir": "C"}, 125, "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]")
NICE = Line("[-n ADJUST] [PROG ARGS]\n\nChange scheduling priority, run PROG\n\n\t-n ADJUST\tAdjust priority by ADJUST", "+n:", "+n:",
            {"adjustment": "n"}, 125, "[OPTION] [COMMAND [ARG]...]")
NOHUP = Line("PROG ARGS\n\nRun PROG immune to hangups, with output to a non-tty", "+", "", {}, 125, "COMMAND [ARG]...")
SETSID = Line("[-c] PROG ARGS\n\nRun PROG in a new session. PROG will have no controlling terminal\nand will not be affected by keyboard signals "
              "(^C etc).\n\n\t-c\tSet controlling terminal to stdin", "+c", "+cfw", {"ctty": "c", "fork": "f", "wait": "w"}, 1,
              "[options] <program> [arguments ...]")
TIMEOUT = Line("[-s SIG] [-k KILL_SECS] SECS PROG ARGS\n\nRun PROG. Send SIG to it if it is not gone in SECS seconds.\nDefault SIG: TERM."
               "If it still exists in KILL_SECS seconds, send KILL.\n", "+s:k:", "+s:k:v",
               {"signal": "s", "kill-after": "k", "verbose": "v", "preserve-status": "preserve-status", "foreground": "foreground"}, 125,
               "[OPTION] DURATION COMMAND [ARG]...")
TIME = Line("[-vpa] [-o FILE] PROG ARGS\n\nRun PROG, display resource usage when it exits\n\n\t-v\tVerbose\n\t-p\tPOSIX output format\n"
            "\t-f FMT\tCustom format\n\t-o FILE\tWrite result to FILE\n\t-a\tAppend (else overwrite)", "+p", "+p", {"portability": "p"}, 125,
            "[options] COMMAND [ARG]...")
WHICH = Line("[-a] COMMAND...\n\nLocate COMMAND\n\n\t-a\tShow all matches", "a", "a", {}, 2, "[-a] args")
PROGRAMS: dict[str, Program] = {name: Program(tool(line, run), "state") for name, line, run in (
    ("env", ENV, env), ("nice", NICE, nice), ("nohup", NOHUP, nohup), ("setsid", SETSID, setsid), ("timeout", TIMEOUT, timeout),
    ("time", TIME, time), ("which", WHICH, which))}
