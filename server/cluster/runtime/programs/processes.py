"""ps, pstree: the processes of a machine, looked at.

In: the machine's process table (``System.procs``). Out: a table in busybox's or procps' columns.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ps.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.cluster.runtime.figures import MEBI
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import facts_of, processes
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Misuse, Names, Options, Run, busybox, plain, tool
from server.cluster.runtime.tty import Tty

MOST_WIDE = 10_000


def words_of(proc: Any) -> str:
    return " ".join(proc.argv) if proc.argv else f"[{proc.name}]"


def tty_of(proc: Any) -> str:
    return next(("pts/0" for fd in (0, 1, 2) if isinstance(proc.fds.get(fd), Tty)), "?")


def state_of(viewer: Proc, proc: Any) -> str:
    """As ps and top show it in STAT."""
    if not proc.alive:
        return "Z"
    text = "T" if proc.stopped is not None else "R" if proc is viewer or proc.burn is not None else "S"
    return text + ("s" if proc.group == proc.pid else "") + ("+" if tty_of(proc) != "?" and proc.group != 1 else "")


def seconds_used(proc: Any) -> float:
    """Of CPU, as far as it is known: of what it computes."""
    burn = proc.burn
    return (proc.system.clock.now - burn["since"]) * burn.get("cpu", 0) / 1e9 if burn is not None else 0.0


def memory_of(proc: Any) -> int:
    """Resident bytes."""
    burn, least = proc.burn, int(1.1 * MEBI)
    if burn is None or "memory" not in burn:
        return least
    return least + int(min(burn["memory"], (proc.system.clock.now - burn["since"]) * burn.get("growth", 0)))


def elapsed(seconds: float) -> str:
    """
    >>> elapsed(59), elapsed(3661), elapsed(90061)
    ('00:59', '01:01:01', '1-01:01:01')
    """
    total = int(seconds)
    days, hours, minutes = total // 86400, total // 3600 % 24, total // 60 % 60
    text = f"{minutes:02d}:{total % 60:02d}"
    text = f"{hours:02d}:{text}" if total >= 3600 else text
    return f"{days}-{text}" if days else text


def user_name(proc: Any, names: Names) -> str:
    """``user`` of a process is a name or a number."""
    user = getattr(proc, "user", "root")
    if user == "root" and proc.machine.files.user:
        return names.user(proc.machine.files.user)
    return names.user(int(user)) if str(user).isdigit() else str(user)


def started(proc: Any, viewer: Proc) -> str:
    """When, as STIME and START show it."""
    when = viewer.machine.time()
    from datetime import timedelta
    began = when - timedelta(seconds=max(0.0, viewer.system.clock.now - proc.started))
    return f"{began:%H:%M}" if began.date() == when.date() else f"{began:%b%d}" if began.year == when.year else f"{began:%Y}"


def cpu_percent(proc: Any) -> float:
    age = max(0.01, proc.system.clock.now - proc.started)
    return min(9999.0, 100 * seconds_used(proc) / age)


def clock_time(seconds: float) -> str:
    total = int(seconds)
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"


# what ps -o knows: name -> (header, width, aligned right, how)
Column = tuple[str, int, bool, Callable[[Any, Proc, Names], str]]
BUSYBOX_COLUMNS: dict[str, Column] = {
    "pid": ("PID", 5, True, lambda p, v, n: str(p.pid)), "ppid": ("PPID", 5, True, lambda p, v, n: str(p.ppid)),
    "pgid": ("PGID", 5, True, lambda p, v, n: str(p.group)), "user": ("USER", 8, False, lambda p, v, n: user_name(p, n)[:8]),
    "ruser": ("RUSER", 8, False, lambda p, v, n: user_name(p, n)[:8]),
    "group": ("GROUP", 8, False, lambda p, v, n: n.group((p.machine.files.groups or (0,))[0])[:8]),
    "rgroup": ("RGROUP", 8, False, lambda p, v, n: n.group((p.machine.files.groups or (0,))[0])[:8]),
    "comm": ("COMMAND", 16, False, lambda p, v, n: p.name[:15]), "args": ("COMMAND", 256, False, lambda p, v, n: words_of(p)),
    "etime": ("ELAPSED", 7, True, lambda p, v, n: "{}:{:02d}".format(*divmod(int(v.system.clock.now - p.started), 60))),
    "time": ("TIME", 5, True, lambda p, v, n: "{}:{:02d}".format(*divmod(int(seconds_used(p)), 60))),
    "nice": ("NI", 5, True, lambda p, v, n: "0"), "tty": ("TT", 6, False, lambda p, v, n: "136,0" if tty_of(p) != "?" else "?"),
    "vsz": ("VSZ", 4, True, lambda p, v, n: _scaled(memory_of(p) + 3 * MEBI)), "rss": ("RSS", 4, True, lambda p, v, n: _scaled(memory_of(p))),
    "stat": ("STAT", 4, False, lambda p, v, n: state_of(v, p).rstrip("s+")), "sid": ("SID", 5, True, lambda p, v, n: str(p.group)),
}


def _scaled(size: int) -> str:
    kibi = size // 1024
    return str(kibi) if kibi < 10_000 else f"{kibi // 1024}m" if kibi < 10_000 * 1024 else f"{kibi // 1024**2}g"


def _share(proc: Any) -> float:
    return 100 * memory_of(proc) / facts_of(proc.machine).memory


GNU_COLUMNS: dict[str, Column] = {
    "pid": ("PID", 7, True, lambda p, v, n: str(p.pid)), "ppid": ("PPID", 7, True, lambda p, v, n: str(p.ppid)),
    "pgid": ("PGID", 7, True, lambda p, v, n: str(p.group)), "sid": ("SID", 7, True, lambda p, v, n: str(p.group)),
    "user": ("USER", 8, False, lambda p, v, n: user_name(p, n)), "uid": ("UID", 5, True, lambda p, v, n: str(p.machine.files.user)),
    "group": ("GROUP", 8, False, lambda p, v, n: n.group((p.machine.files.groups or (0,))[0])),
    "comm": ("COMMAND", 15, False, lambda p, v, n: p.name[:15]), "args": ("COMMAND", 27, False, lambda p, v, n: words_of(p)),
    "pcpu": ("%CPU", 4, True, lambda p, v, n: f"{cpu_percent(p):.1f}"), "pmem": ("%MEM", 4, True, lambda p, v, n: f"{_share(p):.1f}"),
    "vsz": ("VSZ", 6, True, lambda p, v, n: str((memory_of(p) + 3 * MEBI) // 1024)),
    "rss": ("RSS", 5, True, lambda p, v, n: str(memory_of(p) // 1024)),
    "tty": ("TT", 8, False, lambda p, v, n: tty_of(p)), "stat": ("STAT", 4, False, lambda p, v, n: state_of(v, p)),
    "s": ("S", 1, False, lambda p, v, n: state_of(v, p)[0]), "start": ("STARTED", 8, True, lambda p, v, n: started(p, v)),
    "stime": ("STIME", 5, True, lambda p, v, n: started(p, v)), "time": ("TIME", 8, True, lambda p, v, n: clock_time(seconds_used(p))),
    "etime": ("ELAPSED", 11, True, lambda p, v, n: elapsed(v.system.clock.now - p.started)),
    "etimes": ("ELAPSED", 7, True, lambda p, v, n: str(int(v.system.clock.now - p.started))), "ni": ("NI", 3, True, lambda p, v, n: "0"),
    "pri": ("PRI", 3, True, lambda p, v, n: "19"), "c": ("C", 2, True, lambda p, v, n: str(int(min(99, cpu_percent(p))))),
    "nlwp": ("NLWP", 4, True, lambda p, v, n: "1"),
}
SAME = {"cmd": "args", "command": "args", "%cpu": "pcpu", "%mem": "pmem", "tt": "tty", "tname": "tty", "ruser": "user", "euser": "user",
        "uname": "user", "ucmd": "comm", "pgrp": "pgid", "cputime": "time", "nice": "ni", "rss": "rss", "rsz": "rss", "vsize": "vsz",
        "state": "s", "thcount": "nlwp", "egroup": "group", "euid": "uid", "sess": "sid", "start_time": "stime", "lstart": "start"}
AUX = (("user", "USER", 8), ("pid", "PID", 7), ("pcpu", "%CPU", 4), ("pmem", "%MEM", 4), ("vsz", "VSZ", 6), ("rss", "RSS", 5),
       ("tty", "TTY", 8), ("stat", "STAT", 4), ("stime", "START", 5), ("bsdtime", "TIME", 6), ("args", "COMMAND", 0))
FULL = (("user", "UID", 8), ("pid", "PID", 7), ("ppid", "PPID", 7), ("c", "C", 2), ("stime", "STIME", 5), ("tty", "TTY", 8), ("time", "TIME", 8),
        ("args", "CMD", 0))
SHORT = (("pid", "PID", 7), ("tty", "TTY", 8), ("time", "TIME", 8), ("comm", "CMD", 0))
BSD = (("pid", "PID", 7), ("tty", "TTY", 8), ("stat", "STAT", 4), ("bsdtime", "TIME", 6), ("args", "COMMAND", 0))
LONG = (("s", "S", 1), ("uid", "UID", 5), *FULL[1:3], ("c", "C", 2), ("pri", "PRI", 3), ("ni", "NI", 3), ("vsz", "SZ", 5), ("tty", "TTY", 8),
        ("time", "TIME", 8), ("comm", "CMD", 0))
GNU_COLUMNS["bsdtime"] = ("TIME", 6, True, lambda p, v, n: "{}:{:02d}".format(*divmod(int(seconds_used(p)), 60)))


def table(proc: Proc, shown: list[Any], columns: list[tuple[str, str, int]], known: dict[str, Column]) -> None:
    """Prints rows in columns of (name, header, width)."""
    names = Names(proc)
    if any(header for _, header, _ in columns):
        heads = [header.rjust(width) if known[name][2] and known is GNU_COLUMNS else header.ljust(width)
                 for name, header, width in columns]
        proc.out(" ".join(heads).rstrip(" ") + "\n")
    for each in shown:
        fields = []
        for at, (name, _, width) in enumerate(columns):
            text = known[name][3](each, proc, names)
            if known is GNU_COLUMNS and name == "user" and len(text) > 8:
                text = text[:7] + "+"
            last = at == len(columns) - 1
            fields.append(text.rjust(width) if known[name][2] else text if last else text[:width].ljust(width))
        tty = proc.fds.get(1)
        line = " ".join(fields)
        proc.out((line[:tty.columns] if isinstance(tty, Tty) else line[:MOST_WIDE]) + "\n")


def _asked(proc: Proc, texts: list[str], known: dict[str, Column], same: dict[str, str]) -> list[tuple[str, str, int]]:
    """The columns of ``-o``. Misuse."""
    columns = []
    for text in texts:
        for part in re.split(r"[,\s]+", text.partition("=")[0]) if "=" in text else re.split(r"[,\s]+", text):
            if not part:
                continue
            name = same.get(part.lower(), part.lower()) if known is GNU_COLUMNS else {"nice": "nice", "cmd": "args"}.get(part, part)
            if name not in known:
                raise Misuse(f"ps: bad -o argument '{part}', supported arguments: {','.join(known)}\n" if known is BUSYBOX_COLUMNS
                             else f"error: unknown user-defined format specifier \"{part}\"\n\nUsage:\n ps [options]\n", 1)
            header = "CMD" if part in ("cmd",) else known[name][0] if known is BUSYBOX_COLUMNS else {
                "cmd": "CMD", "%cpu": "%CPU", "tty": "TT", "state": "S", "ruser": "RUSER"}.get(part, known[name][0])
            columns.append((name, header, max(known[name][1], len(header))))
        if "=" in text and columns:
            name, _, width = columns[-1]
            header = text.partition("=")[2]
            columns[-1] = (name, header, max(known[name][1], len(header)))
    return columns


def ps(proc: Proc) -> Run:
    run = tool(BUSYBOX_PS, _ps_busybox) if busybox(proc) else _ps_gnu
    return (yield from run(proc))


def _ps_busybox(proc: Proc, options: Options) -> Run:
    columns = _asked(proc, options.values("o") or ["pid,user,time,args"], BUSYBOX_COLUMNS, {})
    columns = [(name, header, width if name != "args" or at < len(columns) - 1 else 0) for at, (name, header, width) in enumerate(columns)]
    table(proc, processes(proc.machine), columns, BUSYBOX_COLUMNS)
    yield from proc.flush()
    return 0


def _ps_gnu(proc: Proc) -> Run:
    every, form, formats, pids, sorting, headers, users, names, tree = False, "", [], [], "", True, [], [], False
    left, bsd = list(proc.args), False
    try:
        while left:
            word = left.pop(0)
            if word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                if name in ("sort", "pid", "format", "ppid", "user") and not equals:
                    value = left.pop(0) if left else ""
                if name == "sort":
                    sorting = value
                elif name in ("pid", "ppid"):
                    pids += [(name, part) for part in re.split("[, ]+", value)]
                elif name == "format":
                    formats.append(value)
                elif name in ("no-headers", "no-heading"):
                    headers = False
                elif name == "forest":
                    tree = True
                elif name == "user":
                    users += value.split(",")
                else:
                    raise Misuse(f"error: unknown gnu long option\n\n{USAGE}", 1)
                continue
            if word.isdigit():
                pids.append(("pid", word))
                continue
            dashed = word.startswith("-")
            letters = word.lstrip("-")
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in "opOCuUk" and (dashed or letter in "opOk") and not (letter in "uU" and not dashed):
                    value = letters or (left.pop(0) if left else "")
                    letters = ""
                    if letter == "o" or letter == "O":
                        formats.append(value)
                    elif letter == "p":
                        pids += [("pid", part) for part in re.split("[, ]+", value)]
                    elif letter == "C":
                        names += value.split(",")
                    elif letter == "k":
                        sorting = value
                    else:
                        users += value.split(",")
                elif letter in ("e", "A") and dashed:
                    every = True
                elif letter in ("f", "F") and dashed:
                    form = "f"
                elif letter == "f":
                    tree = True
                elif letter == "l":
                    form = "l"
                elif letter == "H" and dashed:
                    tree = True
                elif letter in "ax":
                    every = True
                    bsd = bsd or not dashed
                elif letter == "u" and not dashed:
                    form = "u"
                elif letter == "h" and not dashed:
                    headers = False
                elif letter in ("w", "d", "T", "j", "M", "L", "r", "g", "e", "c", "m"):
                    if letter not in "wdge":
                        raise Misuse(f"error: unsupported option\n\n{USAGE}", 1)
                    every = every or letter == "d"
                else:
                    raise Misuse(f"error: unsupported option ({'BSD' if not dashed else 'SysV'} syntax)\n\n{USAGE}", 1)
        columns = _asked(proc, formats, GNU_COLUMNS, SAME) if formats else list(
            AUX if form == "u" else FULL if form == "f" else LONG if form == "l" else BSD if bsd else SHORT)
    except Misuse as misuse:
        proc.err(misuse.text)
        return misuse.code
    shown = [each for each in processes(proc.machine) if every or pids or users or names or tty_of(each) == tty_of(proc)]
    if pids:
        shown = [each for each in shown if any(text == str(each.pid if kind == "pid" else each.ppid) for kind, text in pids)]
    if names:
        shown = [each for each in shown if each.name in names]
    if users:
        known = Names(proc)
        shown = [each for each in shown if user_name(each, known) in users or str(each.machine.files.user) in users]
    for key in reversed(sorting.split(",") if sorting else []):
        name = SAME.get(key.lstrip("+-").lower(), key.lstrip("+-").lower())
        value = {"pcpu": cpu_percent, "pmem": memory_of, "rss": memory_of, "vsz": memory_of, "pid": lambda each: each.pid,
                 "time": seconds_used, "stime": lambda each: each.started, "start": lambda each: each.started, "ppid": lambda each: each.ppid,
                 "etime": lambda each: each.started, "comm": lambda each: each.name, "args": words_of, "user": lambda each: 0}.get(name)
        if value is None:
            proc.err("error: unknown sort specifier\n\n" + USAGE)
            return 1
        shown.sort(key=value, reverse=key.startswith("-"))
    if not headers:
        columns = [(name, "", width) for name, _, width in columns]
    if tree:
        shown = [each for each, _ in _forest(shown)]
    table(proc, shown, columns, GNU_COLUMNS)
    yield from proc.flush()
    return 0 if shown else 1


def _forest(shown: list[Any]) -> list[tuple[Any, int]]:
    """Children behind their parents, with their depth."""
    pids = {each.pid for each in shown}
    found: list[tuple[Any, int]] = []

    def grow(parent: int | None, depth: int) -> None:
        for each in shown:
            if (each.ppid == parent if parent is not None else each.ppid not in pids):
                found.append((each, depth))
                grow(each.pid, depth + 1)

    grow(None, 0)
    return found


def pstree(proc: Proc, options: Options) -> int:
    rows = _forest([each for each in processes(proc.machine) if each is not proc])
    for each, depth in rows:
        proc.out(f"{'   ' * (depth - 1) + '`-' if depth else ''}{each.name}{f'({each.pid})' if options.has('p') else ''}\n")
    return 0


USAGE = ("Usage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n"
         " for additional help text.\n\nFor more details see ps(1).\n")
BUSYBOX_PS = Line("[-o COL1,COL2=HEADER] [-T]", "o:aAdeflT")
PROGRAMS: dict[str, Program] = {"ps": Program(ps), "pstree": Program(plain(Line("[-p] [PID|USER]", "p"), pstree))}
