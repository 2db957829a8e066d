"""df, du, mount, umount: file systems, and what takes their room.

In: the mounts of a machine and what each says of itself (``Files.mount_of``). Out: tables. Nothing is mounted by hand in a container.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/df.html
"""

from __future__ import annotations

import posixpath

from server.cluster.disks import Space
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.procfs import facts_of, mounts
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Options, Run, busybox, complain, human, human_busybox, plain, sent, stat_of, tool, why_not

MEBI = 1024**2
MOST_DEPTH = 64
NO_DISKS = frozenset(("proc", "devpts", "mqueue", "sysfs", "cgroup2"))


def space_of(proc: Proc, path: str) -> Space:
    """The file system that a path lies on; what does not say how big it is is the node's disk, or in memory half of its memory."""
    return _sized(proc, proc.files.mount_of(proc.path(path))[1])


def _sized(proc: Proc, space: Space) -> Space:
    facts = facts_of(proc.machine)
    if space.size:
        return space
    if space.type == "tmpfs":
        return space._replace(size=facts.memory)
    return space._replace(size=facts.disk, used=max(facts.disk_used, space.used))


def all_of(proc: Proc) -> list[tuple[Space, str]]:
    """(file system, where) of all that df shows."""
    found = []
    for line in mounts(proc.machine).splitlines():
        device, top, kind = line.split()[:3]
        if kind in NO_DISKS:
            continue
        if top in ("/dev", "/dev/shm"):  # noqa: S108
            found.append((Space(device, kind, 64 * MEBI, 0), top))
        else:
            found.append((_sized(proc, proc.files.mount_of(top)[1])._replace(device=device, type=kind), top))
    return found


class Sizes:
    """How sizes are shown."""

    def __init__(self, proc: Proc, options: Options) -> None:
        self.small = busybox(proc)
        self.letter = options.last("h", "m", "k", "H", "g", "b", "B")
        self.unit = {"m": MEBI, "g": 1024 * MEBI, "b": 1}.get(self.letter, 1024)

    def text(self, size: int) -> str:
        if self.letter == "h":
            return human_busybox(size) if self.small else human(size)
        if self.letter == "H":
            return human(size, 1000, "k")
        return str(-(-size // self.unit) if not self.small else (size + self.unit // 2) // self.unit)

    @property
    def head(self) -> str:
        if self.small:
            return {"h": "Size", "m": "1M-blocks"}.get(self.letter, "1K-blocks")
        return {"h": "Size", "H": "Size", "m": "1M-blocks", "g": "1G-blocks"}.get(self.letter, "1K-blocks")


def df(proc: Proc, options: Options) -> Run:
    small, failed, sizes = busybox(proc), False, Sizes(proc, options)
    if options.operands:
        rows = []
        for path in options.operands:
            if stat_of(proc, path) is None:
                failed = True
                complain(proc, f"{path}: {'can' + chr(39) + 't find mount point' if small else why_not(proc, path)}")
                continue
            top = proc.files.mount_of(proc.path(path))[0]
            live = next(((space, where) for space, where in all_of(proc) if where != "/" and (proc.path(path) + "/").startswith(where + "/")), None)
            rows.append(live if live is not None and top == "/" else (space_of(proc, path), top))
        if failed and not rows:
            yield from proc.flush()
            return 1
    else:
        rows = all_of(proc)
    if options.has("t"):
        rows = [row for row in rows if row[0].type == options.value("t")]
    total = sum(space.size for space, _ in rows), sum(space.used for space, _ in rows)
    if options.has("total"):
        rows.append((Space("total", "-", *total), "-"))
    inodes, posix = options.has("i"), options.has("P")
    human_ = sizes.letter in ("h", "H")
    table = [["Filesystem", *(["Type"] if options.has("T") else []), *(
        ["Inodes", "Used" if small else "IUsed", "Available" if small else "IFree", "Use%" if small else "IUse%"] if inodes else
        [sizes.head if not posix else "1024-blocks", "Used", "Avail" if human_ and not small else "Available", "Capacity" if posix else "Use%"]),
        "Mounted on"]]
    for space, where in rows:
        size, used = space.size, min(space.size, space.used)
        free = size - used
        if inodes:
            size, used = size // 16384, used // 65536 + 12
            free = size - used
        percent = -(-used * 100 // (used + free)) if used + free else 0
        show = (lambda number: human(number) if human_ else str(number)) if inodes else sizes.text
        table.append([space.device, *([space.type] if options.has("T") else []), show(size), show(used), show(free), f"{percent}%", where])
    proc.out(_busybox_rows(table, options) if small else _gnu_rows(table, options))
    yield from proc.flush()
    return 1 if failed else 0


def _busybox_rows(table: list[list[str]], options: Options) -> str:
    text, posix = "", options.has("P")
    wide = 9 if options.last("h", "m", "k") == "h" else 9
    for row in table:
        device, *rest, where = row
        kind = f"{rest.pop(0):<11}" if options.has("T") else ""
        if row is table[0]:
            text += f"{device:<20} {kind}{rest[0]:>{wide if not posix else 11}} {rest[1]:>9} {rest[2]:>9} {rest[3]:>4} {where}\n"
            continue
        if len(device) > 20 and not posix:
            text += f"{device}\n{'':<20}"
        else:
            text += f"{device:<20}"
        text += f" {kind}{rest[0]:>9} {rest[1]:>9} {rest[2]:>9} {rest[3]:>4} {where}\n"
    return text


def _gnu_rows(table: list[list[str]], options: Options) -> str:
    least = [14, *([4] if options.has("T") else []), 5, 5, 5, 4, 0]
    widths = [max(least[at], *(len(row[at]) for row in table)) for at in range(len(table[0]))]
    left = {0, 1} if options.has("T") else {0}
    return "".join(" ".join(text.ljust(width) if at in left else text if at == len(row) - 1 else text.rjust(width)
                            for at, (text, width) in enumerate(zip(row, widths, strict=True))) + "\n" for row in table)


class Usage:
    """du: sums of blocks, deepest first."""

    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc, self.options, self.sizes = proc, options, Sizes(proc, options)
        self.failed = False
        text = "0" if options.has("s") else options.value("d", str(MOST_DEPTH))
        self.depth = int(text) if text.isdigit() else MOST_DEPTH
        self.device = options.has("x")

    def show(self, size: int, path: str) -> None:
        self.proc.out(f"{self.sizes.text(size)}\t{path}\n")

    def walk(self, path: str, depth: int = 0) -> Run:
        proc = self.proc
        found = stat_of(proc, path, follow=self.options.has("L") or depth == 0 and self.options.has("H", "D"))
        if found is None:
            self.failed = True
            fault = why_not(proc, path)
            complain(proc, f"{path}: {fault}" if busybox(proc) else f"cannot access '{path}': {fault}")
            return 0
        size = found.size if self.options.has("b", "apparent-size") else found.blocks * 512
        if found.kind == "directory" and depth < MOST_DEPTH and not proc.path(path).startswith(("/proc", "/sys")):
            if busybox(proc) and not self.options.has("b"):
                size = found.blocks * 512
            for name in proc.files.names(proc.path(path)) or ():
                below = posixpath.join(path, name)
                if self.device and proc.files.mount_of(proc.path(below))[0] != proc.files.mount_of(proc.path(path))[0]:
                    continue
                size += yield from self.walk(below, depth + 1)
        if depth <= self.depth and (found.kind == "directory" or depth == 0 or self.options.has("a")):
            self.show(size, path)
        yield from sent(proc)
        return size


def du(proc: Proc, options: Options) -> Run:
    usage, total = Usage(proc, options), 0
    if options.has("d") and not options.value("d").isdigit():
        complain(proc, f"invalid number '{options.value('d')}'" if busybox(proc) else f"invalid maximum depth '{options.value('d')}'")
        return 1
    for path in options.operands or ["."]:
        total += yield from usage.walk(path)
    if options.has("c"):
        usage.show(total, "total")
    yield from proc.flush()
    return 1 if usage.failed else 0


def mount(proc: Proc, options: Options) -> int:
    if not options.operands and not options.has("a"):
        for line in mounts(proc.machine).splitlines():
            device, top, kind, how = line.split()[:4]
            if not options.has("t") or kind in options.value("t").split(","):
                proc.out(f"{device} on {top} type {kind} ({how})\n")
        return 0
    place = options.operands[-1] if options.operands else ""
    if proc.files.user:
        proc.err("mount: permission denied (are you root?)\n" if busybox(proc) else f"mount: {place}: must be superuser to use mount.\n")
        return 1
    if busybox(proc):
        proc.err(f"mount: mounting {options.operands[0] if options.operands else 'all'} on {place} failed: Permission denied\n")
        return 255
    proc.err(f"mount: {place}: permission denied.\n")
    return 32


def umount(proc: Proc, options: Options) -> int:
    if not options.operands:
        raise UMOUNT.misuse(proc, "" if busybox(proc) else "bad usage")
    small = busybox(proc)
    for path in options.operands:
        top = proc.files.mount_of(proc.path(path))[0]
        if top != proc.path(path):
            proc.err(f"umount: can't unmount {path}: Invalid argument\n" if small else f"umount: {path}: not mounted.\n" if stat_of(proc, path)
                     else f"umount: {path}: no mount point specified.\n")
        else:
            proc.err(f"umount: can't unmount {path}: Operation not permitted\n" if small else f"umount: {path}: must be superuser to unmount.\n")
    return 1 if small else 32


LONG = {"human-readable": "h", "si": "H", "print-type": "T", "inodes": "i", "portability": "P", "all": "a", "total": "total", "type": "t"}
DF = Line("[-PkmhTi] [-t TYPE] [FILESYSTEM]...", "PkmhTit:", "PkmhTit:aH", LONG, 1, "[OPTION]... [FILE]...")
DU = Line("[-aHLdsxhmkc] [FILE]...", "aHLd:sxhmkcb", "aHLDd:sxhmkcb", {
    "human-readable": "h", "summarize": "s", "all": "a", "max-depth": "d", "total": "c", "bytes": "b", "one-file-system": "x",
    "apparent-size": "apparent-size", "dereference": "L"}, 1, "[OPTION]... [FILE]...")
MOUNT = Line("[OPTIONS] [-o OPTS] DEVICE NODE", "at:o:rwnv", "at:o:rwnvl", {"bind": "bind", "types": "t", "options": "o"}, 1,
             "[options] <source> <directory>")
UMOUNT = Line("[-rlfaD] FILESYSTEM|DIRECTORY", "rlfad", "", {"force": "f", "lazy": "l", "all": "a"}, 1, "[options] <source> | <directory>")
PROGRAMS: dict[str, Program] = {"df": Program(tool(DF, df)), "du": Program(tool(DU, du)), "mount": Program(plain(MOUNT, mount)),
                                "umount": Program(plain(UMOUNT, umount))}
