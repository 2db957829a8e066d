"""chroot, nsenter: a command where another process, or the node, is at home; busybox: one by its first word.

In: the machine's processes and mounts. Out: a program that runs on the machine whose root file system that is: the node's below a mounted
``/``, another container's below /proc/NUMBER/root. A directory of one's own that holds no programs has nothing to run.

Source: https://man7.org/linux/man-pages/man1/chroot.1.html and https://man7.org/linux/man-pages/man1/nsenter.1.html
"""

from __future__ import annotations

import textwrap
from typing import Any

from server.cluster.errno import DENIED, NOT_DIRECTORY, NOT_FOUND, NOT_PERMITTED
from server.cluster.runtime import kits, lending
from server.cluster.runtime.capabilities import Rights
from server.cluster.runtime.pids import root_of
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import ExecFault, Program
from server.cluster.runtime.programs.inputs import BANNER, Line, Options, Run, busybox, tool
from server.cluster.runtime.programs.runners import becoming, cannot

SPACES = {"U": "user", "i": "ipc", "u": "uts", "n": "net", "p": "pid", "m": "mnt"}


def _may(proc: Proc, what: str) -> bool:
    return not proc.files.user and getattr(proc.machine, "rights", Rights()).has(what)


def _at(proc: Proc, machine: Any, argv: list[str], **how: Any) -> Run:
    """Runs a command on another machine, in front of what stands before ours."""
    fds = lending.descriptors(proc, proc.tty is not None)
    try:
        return (yield from lending.run(proc, machine.system, argv, fds, env=proc.env, **how))
    except ExecFault as fault:
        return cannot(proc, argv[0], fault)


def _home(proc: Proc, path: str) -> Any:
    """The machine whose root directory a path is; None if it is nobody's."""
    if path == "/":
        return proc.machine
    if path.endswith("/root") and (other := root_of(proc.machine, path)) is not None:
        return next(each.machine for each in proc.system.seen() if each.machine.files is other[0])
    below = getattr(proc.machine, "node_below", None)
    return below(*proc.files.disk_of(path)) if below is not None else None


def chroot(proc: Proc, options: Options) -> Run:
    words, small = options.operands, busybox(proc)
    if not words:
        raise CHROOT.misuse(proc, "" if small else "missing operand")
    kind = proc.files.kind(proc.path(words[0]))
    if fault := NOT_PERMITTED if not _may(proc, "SYS_CHROOT") else "" if kind == "directory" else NOT_DIRECTORY if kind else NOT_FOUND:
        proc.err(f"chroot: can't change root directory to '{words[0]}': {fault}\n" if small else
                 f"chroot: cannot change root directory to '{words[0]}': {fault}\n")
        return 1 if small else 125
    path = proc.files.resolve(proc.path(words[0]))
    argv = words[1:] or [proc.env.get("SHELL") or "/bin/sh", "-i"]
    home = _home(proc, path)
    if home is proc.machine:
        return (yield from becoming(proc, argv))
    if home is not None:
        return (yield from _at(proc, home, argv, cwd="/"))
    if proc.files.kind(f"{path}/{argv[0].lstrip('/')}" if "/" in argv[0] else f"{path}/bin/{argv[0]}") == "file":
        proc.err(f"podium: chroot into a copy of a file system ({words[0]}) is not simulated\n")
        return 1
    return cannot(proc, argv[0], ExecFault(NOT_FOUND))


def nsenter(proc: Proc, options: Options) -> Run:
    wanted = [name for letter, name in SPACES.items() if options.has(letter, "a")]
    target, argv = options.value("t"), options.operands or [proc.env.get("SHELL") or "/bin/sh"]
    if not target.isdigit():
        proc.err("nsenter: no target PID specified\n" if not target else f"nsenter: invalid number '{target}'\n" if busybox(proc) else
                 f"nsenter: failed to parse pid: '{target}'\n")
        return 1
    if not wanted:
        return (yield from becoming(proc, argv))
    found = next((each for each in proc.system.seen() if each.pid == int(target) and each.alive), None)
    fault = NOT_FOUND if found is None else "" if _may(proc, "SYS_ADMIN") else DENIED
    if fault:
        path = f"/proc/{target}/ns/{wanted[0]}"
        proc.err(f"nsenter: can't open '{path}': {fault}\n" if busybox(proc) else f"nsenter: cannot open {path}: {fault}\n")
        return 1
    if "mnt" in wanted:
        return (yield from _at(proc, found.machine, argv, cwd=proc.cwd if options.has("w") else "/"))
    try:
        program, words = proc.system.program_of(argv, proc.cwd, proc.env)
    except ExecFault as missing:
        return cannot(proc, argv[0], missing)
    return (yield from _at(proc, found.machine, words, cwd=proc.cwd, program=program))


def multicall(proc: Proc) -> Run:
    """busybox by its own name: the applet that its first word names."""
    if not proc.args or proc.args[0] in ("--help", "--list"):
        names = sorted(kits.APPLETS)
        proc.out("\n".join(names) + "\n" if proc.args == ["--list"] else
                 f"{BANNER.partition(chr(10))[0]}\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list\n\n"
                 "Currently defined functions:\n"
                 f"{textwrap.fill(', '.join(names), 78, initial_indent=chr(9), subsequent_indent=chr(9))}\n")
        return 0
    if proc.args[0] not in kits.APPLETS:
        proc.err(f"{proc.args[0]}: applet not found\n")
        return 127
    return (yield from becoming(proc, proc.args))


CHROOT = Line("NEWROOT [PROG ARGS]", "+", "", {}, 125, "[OPTION] NEWROOT [COMMAND [ARG]...]")
NSENTER = Line("[OPTIONS] [PROG ARGS]", "+t:muinpUaCTFrw", "", {
    "target": "t", "mount": "m", "uts": "u", "ipc": "i", "net": "n", "pid": "p", "user": "U", "all": "a", "cgroup": "C", "time": "T",
    "no-fork": "F", "root": "r", "wd": "w", "preserve-credentials": "P"}, 1, "[options] [<program> [<argument>...]]")
PROGRAMS: dict[str, Program] = {"chroot": Program(tool(CHROOT, chroot)), "nsenter": Program(tool(NSENTER, nsenter)),
                                "busybox": Program(multicall, "state")}
