"""Programs that run a program again and again: xargs (over its input) and watch (over time).

Where they are is in ``proc.state``: what has been read and not yet used, the children at work, when the next is due.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/xargs.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.proc import HIDDEN, Proc
from server.cluster.runtime.program import MEMORY, ExecFault, OutOfMemory, Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, busybox, tool
from server.cluster.runtime.programs.runners import ended, why
from server.cluster.runtime.streams import Fault, Pipe
from server.cluster.runtime.system import MOST_ARGUMENTS

LONGEST, MOST_ITEMS = MOST_ARGUMENTS - 2048, 16 * 1024
SHORTEST, MOST_SHOWN = 0.1, 64 * 1024


class Unmatched(Exception):
    """A quote without its end: "single" or "double"."""


def items_of(text: str, ended: bool, line: bool) -> tuple[list[str], str]:
    """The items of a text, and what is left of it; ``line``: each is a line.

    >>> items_of("a 'b c' d\\\\ e f", False, False), items_of("a b\\n c\\n", True, True)
    ((['a', 'b c', 'd e'], 'f'), (['a b', 'c'], ''))
    """
    found, current, at, start, began = [], [], 0, 0, False
    while at < len(text):
        char = text[at]
        if char in "'\"":
            end = text.find(char, at + 1)
            newline = text.find("\n", at + 1)
            if end < 0 and newline < 0 and not ended:
                break
            if end < 0 or 0 <= newline < end:
                raise Unmatched("single" if char == "'" else "double")
            current.append(text[at + 1:end])
            began, at = True, end + 1
        elif char == "\\" and at + 1 < len(text):
            current.append(text[at + 1])
            began, at = True, at + 2
        elif char == "\n" or char in " \t" and not line or char in " \t" and not began:
            if began:
                found.append("".join(current))
            current, began, at = [], False, at + 1
            start = at
        else:
            current.append(char)
            began, at = True, at + 1
    if ended and began:
        found.append("".join(current))
        return found, ""
    return found, "" if ended else text[start:]


def xargs(proc: Proc, options: Options) -> Run:
    words = options.operands or ["echo"]
    replace = options.value("I") or ("{}" if options.has("I", "i") else "")
    numbers = {name: options.value(name) for name in ("n", "P", "s", "L") if options.has(name)}
    for name, text in numbers.items():
        if not re.fullmatch(r"\d{1,9}", text) or int(text) < (name != "P"):
            raise Misuse(f"xargs: invalid number '{text}'\n" if busybox(proc) else f"xargs: invalid number \"{text}\" for -{name} option\n")
    lined = bool(replace) or "L" in numbers
    most = 1 if replace else int(numbers.get("n", numbers.get("L", MOST_ITEMS)))
    side = min(32, int(numbers.get("P", 1)) or 32)
    end = "\0" if options.has("0") else options.value("d").replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0")[:1]
    size = min(LONGEST, int(numbers.get("s", LONGEST)))
    state = _begun(proc, options)
    while True:
        ready = len(state["items"]) >= most or sum(map(len, state["items"])) + len(state["items"]) >= size
        if ready or state["ended"]:
            if not state["items"] and (state["ran"] or replace or options.has("r")):
                break
            if len(state["running"]) >= side:
                yield from _one(proc, state)
            if state["stop"]:
                break
            batch, total = [], sum(map(len, words)) + len(words)
            while state["items"] and len(batch) < most and (not batch or total + len(state["items"][0]) < size):
                batch.append(state["items"].pop(0))
                total += len(batch[-1]) + 1
            argv = [word.replace(replace, batch[0]) for word in words] if replace and batch else [*words, *batch]
            if sum(map(len, argv)) > MOST_ARGUMENTS:
                raise OutOfMemory
            state |= {"ran": True, "name": argv[0]}
            if options.has("t"):
                proc.err(" ".join(argv) + "\n")
                yield from proc.flush()
            if not _started(proc, state, argv):
                break
            continue
        text = yield from _text(proc)
        state["ended"] = not text
        try:
            _taken(state, state["tail"] + text, end, lined)
        except Unmatched as quote:
            proc.err(f"xargs: unmatched {quote} quote" + ("\n" if busybox(proc) else
                     "; by default quotes are special to xargs unless you use the -0 option\n"))
            state["code"] = 1
            break
    while state["running"]:
        yield from _one(proc, state)
    return state["code"]


def _begun(proc: Proc, options: Options) -> dict[str, Any]:
    """What it keeps of itself; with -a the file is its input."""
    state = proc.state
    if "items" not in state:
        state |= {"items": [], "tail": "", "ended": False, "ran": False, "running": [], "code": 0, "stop": False}
        if options.has("a"):
            try:
                stream = proc.open(options.value("a"))
            except Fault as fault:
                raise Misuse(f"xargs: {options.value('a')}: {fault}\n") from None
            proc.fds[HIDDEN] = stream.open()
    return state


def _text(proc: Proc) -> Any:
    """What comes next of the input; it is taken only when it is there, so that a restart loses nothing."""
    stream = proc.fds.get(HIDDEN) or proc.fds.get(0)
    if stream is None:
        return ""
    while (text := stream.read(4096)) is None:
        yield Pass(stream.readable)
    return text


def _taken(state: dict[str, Any], text: str, end: str, lined: bool) -> None:
    if len(text) > MEMORY:
        raise OutOfMemory
    if end:
        found = text.split(end)
        state["tail"] = "" if state["ended"] else found[-1]
        news = found[:-1] + ([found[-1]] if state["ended"] and found[-1] else [])
    else:
        news, state["tail"] = items_of(text, state["ended"], lined)
    state["items"] += news


def _started(proc: Proc, state: dict[str, Any], argv: list[str]) -> bool:
    try:
        fds = {fd: stream for fd, stream in proc.fds.items() if fd not in (0, HIDDEN)} | {0: proc.open("/dev/null")}
        state["running"].append(proc.spawn(argv, fds=fds).pid)
        return True
    except ExecFault as fault:
        proc.err(f"xargs: {argv[0]}: {why(fault)}\n")
        state["code"] = fault.code
    except Fault as fault:
        proc.err(f"xargs: {'vfork' if busybox(proc) else 'cannot fork'}: {fault}\n")
        state["code"] = 1
    state["stop"] = True
    return False


def _one(proc: Proc, state: dict[str, Any]) -> Any:
    """Waits for the first of its children."""
    pid = next((pid for pid in state["running"] if not (child := proc.system.procs.get(pid)) or not child.alive), state["running"][0])
    code = yield from ended(proc, pid)
    state["running"].remove(pid)
    if code == 255:
        proc.err(f"xargs: {state['name']}: exited with status 255; aborting\n")
        state |= {"code": 124, "stop": True, "items": []}
    elif code > 128:
        state |= {"code": 125, "stop": True, "items": []}
    elif code:
        state["code"] = 123


def watch(proc: Proc, options: Options) -> Run:
    state, words, small = proc.state, options.operands, busybox(proc)
    given = options.value("n", "2").replace(",", ".")
    if not words:
        raise WATCH.misuse(proc) if small else Misuse(WATCH_HELP)
    if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?|\.\d{1,6}", given):
        raise Misuse(f"watch: invalid number '{given}'\n" if small else f"watch: failed to parse argument: '{given}'\n")
    interval = max(SHORTEST, float(given))
    argv = words if options.has("x") else ["sh", "-c", " ".join(words)]
    while True:
        if "pid" not in state:
            pipe = Pipe()
            proc.fds[HIDDEN] = pipe.reader.open()
            fds = {fd: stream for fd, stream in proc.fds.items() if fd < HIDDEN} | {1: pipe.writer, 2: pipe.writer}
            state |= {"began": proc.system.clock.now, "got": ""}
            try:
                state["pid"] = proc.spawn(argv, fds=fds).pid
            except Fault as fault:
                pipe.writer.open().close()
                state |= {"pid": 0, "got": f"sh: {argv[-1]}: {fault}\n"}
        if "due" not in state:
            stream = proc.fds[HIDDEN]
            while (text := stream.read()) != "":
                if text is None:
                    yield Pass(stream.readable)
                    continue
                state["got"] = (state["got"] + text)[:MOST_SHOWN]
            proc.fds.pop(HIDDEN).close()
            code = (yield from ended(proc, state["pid"])) if state["pid"] else 127
            _shown(proc, options, interval, words, state)
            if code and options.has("e") or options.has("g") and "before" in state and state["before"] != state["got"]:
                return code if options.has("e") else 0
            state |= {"before": state["got"], "due": proc.system.clock.now + interval}
        yield from proc.flush()
        if (left := state["due"] - proc.system.clock.now) > 0:
            state["until"] = state["due"]
            yield from proc.sleep(left)
        for name in ("pid", "due", "until"):
            state.pop(name, None)


def _shown(proc: Proc, options: Options, interval: float, words: list[str], state: dict[str, Any]) -> None:
    tty, small, now = proc.tty if proc.isatty(0) else None, busybox(proc), proc.machine.time()
    columns, rows = (tty.columns, tty.rows) if tty is not None else (80, 24)
    out = "\x1b[H\x1b[J" if small or proc.isatty(1) else ""
    if not options.has("t"):
        title = f"Every {interval:.1f}s: {' '.join(words)}"
        right = f"{now:%Y-%m-%d %H:%M:%S}" if small else f"{proc.machine.hostname}: {now:%a %b} {now.day:>2} {now:%H:%M:%S %Y}"
        room = columns - len(right) - 1
        out += f"{title[:room]:<{room}} {right}\n\n" if room > 8 else f"{title[:columns]}\n\n"
        rows -= 2
    lines = state["got"].split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if proc.isatty(1):
        left, fitting = max(1, rows - 1 if small else rows), []
        for line in lines:
            left -= max(1, -(-len(line) // max(1, columns)))
            if left < 0 and fitting:
                break
            fitting.append(line)
        lines = fitting
    if options.has("d") and "before" in state:
        before = state["before"].split("\n")
        lines = [_marked(line, before[at] if at < len(before) else "") for at, line in enumerate(lines)]
    proc.out(out + "\n".join(lines) + ("" if not small and proc.isatty(1) else "\n" * bool(lines)))


def _marked(line: str, before: str) -> str:
    """A line whose characters that are not as before are shown inverse.

    >>> _marked("abc", "axc") == "a" + chr(27) + "[7mb" + chr(27) + "[27mc"
    True
    """
    out, inverse = [], False
    for at, char in enumerate(line):
        news = before[at:at + 1] != char
        if news != inverse:
            out.append("\x1b[7m" if news else "\x1b[27m")
            inverse = news
        out.append(char)
    return "".join(out) + ("\x1b[27m" if inverse else "")


XARGS = Line("[OPTIONS] [PROG ARGS]\n\nRun PROG on every item given by stdin\n\n"
             "\t-0\tNUL terminated input\n\t-a FILE\tRead from FILE instead of stdin\n"
             "\t-r\tDon't run command if input is empty\n\t-t\tPrint the command on stderr before execution\n\t-p\tAsk user whether to run each "
             "command\n\t-E STR,-e[STR]\tSTR stops input processing\n\t-I STR\tReplace STR within PROG ARGS with input line\n\t-n N\tPass no more "
             "than N args to PROG\n\t-s N\tPass command line of no more than N bytes\n\t-P N\tRun up to N PROGs in parallel\n\t-x\tExit if size is "
             "exceeded", "+0a:rtI:in:s:P:x", "+0a:rtI:in:s:P:xd:L:",
             {"null": "0", "arg-file": "a", "no-run-if-empty": "r", "verbose": "t", "max-args": "n", "max-procs": "P", "max-chars": "s",
              "delimiter": "d", "max-lines": "L", "exit": "x", "replace": "i"}, 1, "[OPTION]... COMMAND [INITIAL-ARGS]...")
WATCH = Line("[-n SEC] [-t] PROG ARGS\n\nRun PROG periodically\n\n\t-n SEC\tPeriod (default 2)\n\t-t\tDon't print header", "+n:t", "+n:tdegxc",
             {"interval": "n", "no-title": "t", "differences": "d", "errexit": "e", "chgexit": "g", "exec": "x", "color": "c"}, 1,
             "[options] command")
WATCH_HELP = "\nUsage:\n watch [options] command\n\nOptions:\n" + "".join(f"  {line}\n" for line in (
    "-c, --color            interpret ANSI color and style sequences", "-d, --differences      highlight changes between updates",
    "-e, --errexit          exit if command has a non-zero exit", "-g, --chgexit          exit when output from command changes",
    "-n, --interval <secs>  seconds to wait between updates", "-t, --no-title         turn off header",
    "-x, --exec             pass command to exec instead of \"sh -c\"")) + (
    "\n -h, --help     display this help and exit\n\nFor more details see watch(1).\n")
PROGRAMS: dict[str, Program] = {"xargs": Program(tool(XARGS, xargs), "state"), "watch": Program(tool(WATCH, watch), "state")}
