"""kill, killall, pgrep, pkill, pidof: processes found by number, name or pattern, and told something.

In: the machine's process table (``System.procs``). Out: signals, or the numbers of what was found.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/kill.html
"""

from __future__ import annotations

import re

from server.cluster.runtime.pids import tell
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import processes
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Misuse, Names, Options, Run, busybox, complain, plain
from server.cluster.runtime.programs.processes import user_name, words_of
from server.cluster.runtime.signals import SIGNALS, TERM

NUMBERS = {number: name for name, number in SIGNALS.items()}


def signal_number(text: str) -> int | None:
    """
    >>> signal_number("9"), signal_number("SIGTERM"), signal_number("hup"), signal_number("x")
    (9, 15, 1, None)
    """
    if text.isdigit():
        return int(text) if int(text) <= 64 else None
    name = text.upper().removeprefix("SIG")
    return 0 if name == "EXIT" else SIGNALS.get(name)


def _signal_words(proc: Proc, words: list[str]) -> tuple[int, list[str]]:
    """(signal, the other words) of ``-9 ...``, ``-s NAME ...``, ``-TERM ...``. Misuse."""
    number, left = TERM, list(words)
    while left and left[0].startswith("-") and len(left[0]) > 1 and left[0] != "--":
        word = left.pop(0)
        text = left.pop(0) if word in ("-s", "--signal", "-n") and left else word.partition("=")[2] if word.startswith("--signal=") else word[1:]
        found = signal_number(text)
        if found is None:
            raise Misuse(f"{proc.name}: bad signal name '{text}'\n" if busybox(proc) else f"{proc.name}: unknown signal name {text}\n", 1)
        number = found
        if not word.startswith(("-s", "--")) or word.startswith("--signal"):
            break
    if left and left[0] == "--":
        left.pop(0)
    return number, left


def kill(proc: Proc) -> Run:
    small, words = busybox(proc), proc.args
    yield from ()
    if words and words[0] in ("-l", "-L", "--list"):
        return _list(proc, words[1:])
    try:
        number, left = _signal_words(proc, words)
    except Misuse as misuse:
        proc.err(misuse.text)
        return misuse.code
    if not left:
        proc.err("kill: you need to specify whom to kill\n" if small else "\nUsage:\n kill [options] <pid> [...]\n")
        return 1
    failed = False
    for word in left:
        if not re.fullmatch(r"-?\d{1,9}", word):
            failed = True
            complain(proc, f"invalid number '{word}'" if small else f"failed to parse argument: '{word}'")
            continue
        fault = send(proc, int(word), number)
        if fault:
            failed = True
            complain(proc, f"can't kill pid {word}: {fault}" if small else f"({word}): {fault}")
    yield from proc.flush()
    return 1 if failed else 0


def send(proc: Proc, pid: int, number: int) -> str:
    """Sends a signal to a process, a group (below zero) or all (-1); "" or why not."""
    system = proc.system
    if pid <= 0:
        group = proc.group if pid == 0 else -pid
        found = [each for each in system.seen() if each.alive and (each.group == group or pid == -1 and each.pid not in (1, proc.pid))]
    else:
        found = [each for each in system.seen() if each.pid == pid]
    if not found:
        return "No such process"
    for each in found:
        if number and each.alive:
            tell(each, number)
    return ""


def _list(proc: Proc, words: list[str]) -> int:
    small = busybox(proc)
    if not words:
        if small:
            proc.out("".join(f"{number:>2}) {name}\n" for number, name in sorted(NUMBERS.items())))
        else:
            names = [name for _, name in sorted(NUMBERS.items())]
            proc.out("".join(" ".join(names[at:at + 16]) + "\n" for at in range(0, len(names), 16)))
        return 0
    for word in words:
        number = signal_number(str(int(word) & 127) if word.isdigit() and small else word)
        if number is None:
            complain(proc, f"unknown signal '{word}'" if small else f"unknown signal name {word}")
            return 1 if small else 0
        proc.out(f"{NUMBERS.get(number & 127, number)}\n" if word.isdigit() else f"{number}\n")
    return 0


def killall(proc: Proc) -> Run:
    small = busybox(proc)
    yield from ()
    if proc.args[:1] == ["-l"]:
        return _list(proc, proc.args[1:])
    quiet = "-q" in proc.args
    try:
        number, left = _signal_words(proc, [word for word in proc.args if word not in ("-q", "-v", "-e")])
    except Misuse as misuse:
        proc.err(misuse.text)
        return misuse.code
    if not left:
        proc.err("killall: you need to specify whom to kill\n" if small else "Usage: killall [OPTION]... [--] NAME...\n")
        return 1
    failed = False
    for word in left:
        found = [each for each in processes(proc.machine) if each.alive and each.name == word.rpartition("/")[2] and each is not proc]
        if not found:
            failed = True
            if not quiet:
                proc.err(f"killall: {word}: no process killed\n" if small else f"{word}: no process found\n")
        for each in found:
            send(proc, each.pid, number)
    yield from proc.flush()
    return 1 if failed else 0


def pgrep(proc: Proc, options: Options) -> int:
    """pgrep and pkill: processes by a pattern."""
    kills, small = proc.name == "pkill", busybox(proc)
    if len(options.operands) > 1:
        raise PGREP.misuse(proc, "" if small else "only one pattern can be provided")
    if not options.operands and not options.has("P", "u"):
        raise PGREP.misuse(proc, "" if small else "no matching criteria specified")
    text = options.operands[0] if options.operands else ""
    try:
        pattern = re.compile(f"(?:{text})$" if options.has("x") else text)
    except re.error:
        complain(proc, f"bad regex '{text}'")
        return 2
    names = Names(proc)
    found = []
    for each in processes(proc.machine):
        subject = words_of(each) if options.has("f") else each.name[:15]
        matches = bool(pattern.match(subject) if options.has("x") else pattern.search(subject))
        if options.has("P") and str(each.ppid) not in options.value("P").split(","):
            continue
        if options.has("u") and user_name(each, names) not in options.value("u").split(","):
            continue
        if each is not proc and each.alive and matches != options.has("v"):
            found.append(each)
    if options.has("n", "o") and found:
        found = [max(found, key=lambda each: (each.started, each.pid)) if options.has("n") else min(found, key=lambda each: (each.started, each.pid))]
    if kills:
        number = signal_number(options.value("signal", "15"))
        if number is None:
            complain(proc, f"bad signal name '{options.value('signal')}'")
            return 2
        for each in found:
            send(proc, each.pid, number)
    elif options.has("c"):
        proc.out(f"{len(found)}\n")
    else:
        joint = options.value("d", "\n")
        proc.out(joint.join(f"{each.pid} {words_of(each) if options.has('a') else each.name}" if options.has("l", "a") else str(each.pid)
                            for each in found) + ("\n" if found else ""))
    return 0 if found else 1


def pkill_words(words: list[str]) -> list[str]:
    """``pkill -9 name``: a signal that looks like options."""
    def named(word: str) -> bool:
        return word.startswith("-") and (word[1:].isdigit() or len(word) > 2 and signal_number(word[1:]) is not None)

    return [f"--signal={word[1:]}" if named(word) else word for word in words]


def pidof(proc: Proc, options: Options) -> int:
    omitted = options.value("o").replace("%PPID", str(proc.ppid)).split(",")
    found = [str(each.pid) for each in reversed(processes(proc.machine)) if each.alive and each is not proc and str(each.pid) not in omitted
             and any(each.name == word.rpartition("/")[2] for word in options.operands)]
    if options.has("s"):
        found = found[:1]
    if found:
        proc.out(" ".join(found) + "\n")
    return 0 if found else 1


PGREP = Line("[-flanovx] [-s SID|-P PPID|PATTERN]", "flanovxcP:u:d:", "", {
    "full": "f", "list-name": "l", "list-full": "a", "newest": "n", "oldest": "o", "inverse": "v", "exact": "x", "count": "c", "parent": "P",
    "euid": "u", "delimiter": "d", "signal": "signal:"}, 2, "[options] <pattern>")
PROGRAMS: dict[str, Program] = {
    "kill": Program(kill), "killall": Program(killall), "pgrep": Program(plain(PGREP, pgrep)), "pkill": Program(plain(PGREP, pgrep, pkill_words)),
    "pidof": Program(plain(Line("[OPTIONS] [NAME]...", "so:", "", {}, 1, "[options] [program [...]]"), pidof)),
}
