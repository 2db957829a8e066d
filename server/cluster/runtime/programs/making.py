"""rm, rmdir, mkdir, touch, mktemp, unlink, truncate, fallocate, sync: files begin and end.

In: paths. Out: what ``Files`` makes or removes; and each program's words when it cannot.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/rm.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from server.cluster.errno import IS_DIRECTORY, NOT_EMPTY, NOT_FOUND
from server.cluster.runtime.mount_namespace import WRITE
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import (
    Line,
    Misuse,
    Options,
    Run,
    busybox,
    complain,
    now,
    plain,
    sent,
    stat_of,
    tool,
    why_not,
)
from server.cluster.runtime.programs.copying import agreed
from server.cluster.runtime.programs.dates import parse_date
from server.cluster.runtime.programs.modes import parse_mode

SIZES = {"": 1, "c": 1, "b": 512, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4,
         "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MOST_DEPTH = 64


def size_in_bytes(text: str) -> int | None:
    """
    >>> size_in_bytes("1G"), size_in_bytes("10kB"), size_in_bytes("x")
    (1073741824, 10000, None)
    """
    found = re.fullmatch(r"(\d{1,18})([a-zA-Z]{0,3})", text)
    return int(found[1]) * SIZES[found[2].lower()] if found and found[2].lower() in SIZES else None


class Removal:
    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc = proc
        self.small = busybox(proc)
        self.recursive = options.has("r", "R")
        self.force = options.last("f", "i") == "f"
        self.asks = options.last("f", "i") == "i"
        self.says = options.has("v")
        self.folders = options.has("d")
        self.failed = False

    def fail(self, path: str, fault: str) -> None:
        self.failed = True
        complain(self.proc, f"can't remove '{path}': {fault}" if self.small else f"cannot remove '{path}': {fault}")

    def remove(self, path: str, depth: int = 0) -> Generator[Any, Any, None]:
        proc, files, full = self.proc, self.proc.files, self.proc.path(path)
        found = stat_of(proc, (path.rstrip("/") or path) if self.small else path, follow=False)
        if found is None:
            fault = why_not(proc, path)
            if self.small and fault != NOT_FOUND:
                self.failed = True
                complain(proc, f"can't stat '{path}': {fault}")
            elif not self.force or fault != NOT_FOUND:
                self.fail(path, fault)
            return
        if found.kind == "directory":
            if not self.recursive and not (self.folders and not files.names(full)):
                if self.small:
                    self.failed = True
                    complain(proc, f"'{path}' is a directory")
                else:
                    self.fail(path, NOT_EMPTY if self.folders else IS_DIRECTORY)
                return
            if self.asks and files.names(full) and not (yield from agreed(proc, f"descend into directory '{path}'")):
                return
            if files.may(full, WRITE) or not files.names(full):
                for name in files.names(full) or () if self.says or self.asks or self._mixed(full) else ():
                    if depth < MOST_DEPTH:
                        yield from self.remove(posixpath.join(path, name), depth + 1)
            elif files.user:
                for name in files.names(full) or ():
                    self.fail(posixpath.join(path, name), "Permission denied")
                return
        if self.asks and not (yield from agreed(proc, f"remove {'directory' if found.kind == 'directory' else 'regular file' if found.size else 'regular empty file'} '{path}'")):  # noqa: E501
            return
        fault = files.remove(full, recursive=self.recursive or self.folders)
        if fault:
            self.fail(path, fault)
        elif self.says:
            proc.out(f"removed {('directory: ' if self.small else 'directory ') if found.kind == 'directory' else ''}'{path}'\n")
        yield from sent(proc)

    def _mixed(self, full: str) -> bool:
        """Whether volumes are mounted below, or another user's directories may lie there."""
        return bool(self.proc.files.user) or any(
            top.startswith(full.rstrip("/") + "/") for top in self.proc.files.points)


def rm(proc: Proc, options: Options) -> Run:
    small = busybox(proc)
    if not options.operands:
        if options.has("f"):
            return 0
        raise RM.misuse(proc, "" if small else "missing operand")
    removal = Removal(proc, options)
    for path in options.operands:
        if proc.path(path) == "/" and removal.recursive and not options.has("no-preserve-root"):
            if small:
                complain(proc, "can't remove '/': it is dangerous to operate recursively on it")
            else:
                complain(proc, "it is dangerous to operate recursively on '/'")
                complain(proc, "use --no-preserve-root to override this failsafe")
            removal.failed = True
            continue
        if posixpath.basename(path.rstrip("/")) in (".", ".."):
            if small:
                complain(proc, "can't remove '.' or '..'")
            elif not removal.recursive:
                removal.fail(path, IS_DIRECTORY)
            else:
                complain(proc, f"refusing to remove '.' or '..' directory: skipping '{path}'")
            removal.failed = True
            continue
        yield from removal.remove(path)
    return 1 if removal.failed else 0


def rmdir(proc: Proc, options: Options) -> int:
    small, failed = busybox(proc), False
    if not options.operands:
        raise RMDIR.misuse(proc, "" if small else "missing operand")
    for path in options.operands:
        while path:
            fault = why_not(proc, path) if stat_of(proc, path, follow=False) is None else proc.files.remove_directory(proc.path(path))
            if fault:
                if not (fault == NOT_EMPTY and options.has("ignore-fail-on-non-empty")):
                    failed = True
                    complain(proc, f"'{path}': {fault}" if small else f"failed to remove '{path}': {fault}")
                break
            if options.has("v"):
                proc.out(f"rmdir: removing directory, '{path}'\n")
            path = posixpath.dirname(path.rstrip("/")) if options.has("p") else ""
    return 1 if failed else 0


def mkdir(proc: Proc, options: Options) -> int:
    small, failed = busybox(proc), False
    if not options.operands:
        raise MKDIR.misuse(proc, "" if small else "missing operand")
    mode = parse_mode(options.value("m"), 0o777, True) if options.has("m") else None
    if options.has("m") and mode is None:
        raise Misuse(f"mkdir: invalid mode '{options.value('m')}'\n", 1)
    for path in options.operands:
        full = proc.path(path)
        missing = []
        if options.has("p"):
            folder = full
            while folder != "/" and not proc.files.kind(folder):
                missing.append(folder)
                folder = posixpath.dirname(folder)
        fault = proc.files.make_directory(full, options.has("p"), mode) if full else NOT_FOUND
        if fault:
            failed = True
            path = blocked(proc, path, small) if options.has("p") else path
            complain(proc, f"can't create directory '{path}': {fault}" if small else f"cannot create directory '{path}': {fault}")
        elif options.has("v"):
            for folder in reversed(missing or [full]):
                shown = path if folder == full else folder if path.startswith("/") else posixpath.relpath(folder, proc.cwd)
                proc.out(f"created directory: '{shown}'\n" if small else f"mkdir: created directory '{shown}'\n")
    return 1 if failed else 0


def blocked(proc: Proc, path: str, small: bool) -> str:
    """How far of a path ``mkdir -p`` came when a file was in its way."""
    parts = path.split("/")
    for at in range(1, len(parts)):
        front = "/".join(parts[:at])
        if front and proc.files.kind(proc.path(front)) == "file":
            return front + "/" if small else front
    return path


def touch(proc: Proc, options: Options) -> int:
    small, failed, when = busybox(proc), False, None
    if not options.operands:
        raise TOUCH.misuse(proc, "" if small else "missing file operand")
    if options.has("a") and not options.has("m"):
        complain(proc, "-a: access times are not simulated")
        return 1
    if options.has("r"):
        found = stat_of(proc, options.value("r"))
        if found is None:
            complain(proc, f"{options.value('r')}: {NOT_FOUND}" if small else f"failed to get attributes of '{options.value('r')}': {NOT_FOUND}")
            return 1
        when = found.mtime
    elif options.has("d", "t"):
        text = options.value("d") if options.has("d") else options.value("t")
        when = parse_date(text, now(proc), stamp=options.has("t") and not options.has("d"), small=small)
        if when is None:
            complain(proc, f"invalid date '{text}'" if small else f"invalid date format '{text}'")
            return 1
    for path in options.operands:
        if path.endswith("/") and stat_of(proc, path) is None:
            fault = NOT_FOUND if not small else IS_DIRECTORY
            fault = "" if options.has("c") else fault if proc.files.kind(posixpath.dirname(path.rstrip("/"))) else NOT_FOUND
        else:
            fault = proc.files.touch(proc.path(path), when, not options.has("c", "h"), not options.has("h")) if path else NOT_FOUND
        if fault:
            failed = True
            there = stat_of(proc, path) is not None
            complain(proc, f"{path}: {fault}" if small else f"setting times of '{path}': {fault}" if there and fault != "Permission denied"
                     else f"cannot touch '{path}': {fault}")
    return 1 if failed else 0


def mktemp(proc: Proc, options: Options) -> int:
    small = busybox(proc)
    if len(options.operands) > 1:
        raise MKTEMP.misuse(proc, "" if small else "too many templates")
    folder = options.value("p") or proc.env.get("TMPDIR", "/tmp")  # noqa: S108
    template = options.operands[0] if options.operands else "tmp.XXXXXX" if small else "tmp.XXXXXXXXXX"
    body, suffix = template, options.value("suffix")
    marks = len(body) - len(body.rstrip("X"))
    if marks < (6 if small else 3):
        complain(proc, "(null): Invalid argument" if small else f"too few X's in template '{template}'")
        return 1
    if not options.operands or options.has("p", "t"):
        body = posixpath.join(folder, body)
    for attempt in range(100):
        path = body[:-marks] + _letters(proc, marks, attempt) + suffix
        full = proc.path(path)
        if proc.files.stat(full, follow=False) is None:
            break
    if not options.has("u"):
        fault = proc.files.make_directory(full, mode=0o700) if options.has("d") else proc.files.touch(full) or proc.files.chmod(full, 0o600)
        if fault:
            if not options.has("q"):
                complain(proc, f"{body}: {fault}" if small else f"failed to create {'directory' if options.has('d') else 'file'} via template "
                         f"'{body}': {fault}")
            return 1
    proc.out(f"{path}\n")
    return 0


def _letters(proc: Proc, count: int, attempt: int) -> str:
    """Letters that look as if by chance; the same machine at the same moment gives the same."""
    from hashlib import sha256
    digest = sha256(f"{proc.machine.hostname} {proc.pid} {proc.system.clock.now} {attempt}".encode()).digest() * (count // 32 + 1)
    return "".join(LETTERS[octet % len(LETTERS)] for octet in digest[:count])


def unlink(proc: Proc, options: Options) -> int:
    if len(options.operands) != 1:
        raise UNLINK.misuse(proc, "" if busybox(proc) else "missing operand" if not options.operands else f"extra operand '{options.operands[1]}'")
    path = options.operands[0]
    fault = proc.files.remove(proc.path(path))
    if fault:
        complain(proc, f"can't remove file '{path}': {fault}" if busybox(proc) else f"cannot unlink '{path}': {fault}")
    return 1 if fault else 0


def truncate(proc: Proc, options: Options) -> int:
    small, failed, text = busybox(proc), False, options.value("s")
    if not options.operands or not options.has("s", "r"):
        raise TRUNCATE.misuse(proc, "" if small else "missing file operand" if options.has("s", "r")
                              else "you must specify either '--size' or '--reference'")
    sign = text[:1] if text[:1] in "+-<>/%" and text else ""
    size = size_in_bytes(text[len(sign):]) if text else 0
    if options.has("r"):
        found = stat_of(proc, options.value("r"))
        if found is None:
            complain(proc, f"cannot stat '{options.value('r')}': {NOT_FOUND}")
            return 1
        size = found.size
    if size is None or small and sign:
        complain(proc, f"invalid number '{text}'" if small else f"Invalid number: '{text}'")
        return 1
    for path in options.operands:
        there = stat_of(proc, path)
        if there is None and options.has("c"):
            continue
        before = there.size if there is not None else 0
        wanted = {"+": before + size, "-": max(0, before - size), "<": min(before, size), ">": max(before, size),
                  "/": before // size * size if size else 0, "%": -(-before // size) * size if size else 0}.get(sign, size)
        fault = proc.files.truncate(proc.path(path), wanted)
        if fault:
            failed = True
            complain(proc, f"{path}: {fault}" if small else f"cannot open '{path}' for writing: {fault}")
    return 1 if failed else 0


def fallocate(proc: Proc, options: Options) -> int:
    small = busybox(proc)
    length, offset = size_in_bytes(options.value("l")), size_in_bytes(options.value("o", "0"))
    if len(options.operands) != 1:
        raise FALLOCATE.misuse(proc, "" if small else "no filename specified")
    if not options.has("l"):
        raise FALLOCATE.misuse(proc, "" if small else "no length argument specified")
    if not length or offset is None:
        complain(proc, f"invalid number '{options.value('l')}'" if small else "invalid length value specified")
        return 1
    path = options.operands[0]
    there = stat_of(proc, path)
    if there is not None and there.size >= offset + length:
        return 0
    fault = proc.files.truncate(proc.path(path), offset + length, allocate=True)
    if fault:
        complain(proc, f"fallocate '{path}': {fault}" if small else f"fallocate failed: {fault}" if fault == "No space left on device"
                 else f"cannot open {path}: {fault}")
    return 1 if fault else 0


def sync(proc: Proc, options: Options) -> int:
    """What is written is on the disk at once: all that can go wrong is that a file is not there."""
    if not busybox(proc) and options.has("d") and (options.has("f") or not options.operands):
        complain(proc, "cannot specify both --data and --file-system" if options.has("f") else "--data needs at least one argument")
        return 1
    failed = False
    for path in options.operands:
        if stat_of(proc, path) is None:
            failed = True
            complain(proc, f"can't open '{path}': {NOT_FOUND}" if busybox(proc) else f"error opening '{path}': {NOT_FOUND}")
    return 1 if failed else 0


RM = Line("[-irf] FILE...", "irRfvd", "irRfvdI", {"recursive": "r", "force": "f", "verbose": "v", "dir": "d",
                                                   "no-preserve-root": "no-preserve-root", "preserve-root": "preserve-root"},
          1, "[OPTION]... [FILE]...")
RMDIR = Line("[-p] DIRECTORY...", "p", "pv", {"parents": "p", "ignore-fail-on-non-empty": "ignore-fail-on-non-empty", "verbose": "v"}, 1,
             "[OPTION]... DIRECTORY...")
MKDIR = Line("[-m MODE] [-p] DIRECTORY...", "pm:v", "", {"parents": "p", "mode": "m", "verbose": "v"}, 1, "[OPTION]... DIRECTORY...")
TOUCH = Line("[-cham] [-d DATE] [-t DATE] [-r FILE] FILE...", "chamd:t:r:", "", {"no-create": "c", "date": "d", "reference": "r",
                                                                                 "no-dereference": "h"}, 1, "[OPTION]... FILE...")
MKTEMP = Line("[-dtqu] [-p DIR] [TEMPLATE]", "dtqup:", "", {"directory": "d", "quiet": "q", "dry-run": "u", "tmpdir": "p", "suffix": "suffix:"},
              1, "[OPTION]... [TEMPLATE]")
UNLINK = Line("FILE", "", "", {}, 1, "FILE")
TRUNCATE = Line("[-c] -s SIZE FILE...", "cs:", "cs:r:", {"no-create": "c", "size": "s", "reference": "r"}, 1, "OPTION... FILE...")
FALLOCATE = Line("[-o OFS] -l LEN FILE", "o:l:", "o:l:", {"length": "l", "offset": "o"}, 1, "[options] <filename>")
SYNC = Line("[-df] [FILE]...", "df", "", {"data": "d", "file-system": "f"}, 1, "[OPTION] [FILE]...")
PROGRAMS: dict[str, Program] = {
    "rm": Program(tool(RM, rm)), "rmdir": Program(plain(RMDIR, rmdir)), "mkdir": Program(plain(MKDIR, mkdir)),
    "touch": Program(plain(TOUCH, touch)), "mktemp": Program(plain(MKTEMP, mktemp)), "unlink": Program(plain(UNLINK, unlink)),
    "truncate": Program(plain(TRUNCATE, truncate)), "fallocate": Program(plain(FALLOCATE, fallocate)), "sync": Program(plain(SYNC, sync)),
}
