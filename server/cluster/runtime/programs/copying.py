"""cp, mv, install, ln, link: files come to other places, with their contents, or by name.

In: sources and a target. Out: files written through ``Files``, or the error that each program words in its own way. Contents are carried
as nodes, so a file of a gigabyte of zeros is copied at once; how long a real disk would take for it is waited.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cp.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from server.cluster import inodes
from server.cluster.errno import CROSS_DEVICE, DENIED, EXISTS, IS_DIRECTORY, NOT_DIRECTORY
from server.cluster.inodes import Stat
from server.cluster.runtime.mount_namespace import READ
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Misuse, Options, Run, busybox, complain, sent, stat_of, tool, why_not
from server.cluster.runtime.programs.modes import parse_mode
from server.cluster.runtime.streams import Endless, Fault, Null

MOST_DEPTH = 64
DISK_SPEED = 400 * 1024 * 1024  # bytes that a disk takes in a second


class Copy:
    """Copies trees; ``failed`` whether something could not be."""

    def __init__(self, proc: Proc, options: Options, keep: bool, recursive: bool, links: bool) -> None:
        self.proc, self.options = proc, options
        self.keep, self.recursive, self.links = keep, recursive, links
        self.small = busybox(proc)
        self.failed = False
        self.bytes = 0
        self.made: set[str] = set()

    def complain(self, text: str) -> None:
        self.failed = True
        complain(self.proc, text)

    def copy(self, source: str, target: str, depth: int = 0) -> Generator[Any, Any, None]:
        proc, files = self.proc, self.proc.files
        found = stat_of(proc, source, follow=not self.links)
        if found is None:
            fault = why_not(proc, source)
            self.complain(f"can't stat '{source}': {fault}" if self.small else f"cannot stat '{source}': {fault}")
            return
        there = stat_of(proc, target)
        if found.kind == "directory":
            yield from self.directory(source, target, found, there, depth)
            return
        if there is not None and there.kind == "directory":
            self.complain(f"cannot overwrite directory '{target}' with non-directory '{source}'")
            return
        if there is not None and there.inode == found.inode and proc.path(source) == proc.path(target):
            self.complain(f"'{source}' and '{target}' are the same file")
            return
        if self.options.has("n") and there is not None:
            return
        if self.options.has("u") and there is not None and there.mtime >= found.mtime:
            return
        fault = self.file(source, target, found, there)
        if fault is None:
            return
        if fault and self.options.has("f") and there is not None and not files.remove(proc.path(target)):
            fault = self.file(source, target, found, None)
        if fault:
            if self.small and fault == NOT_DIRECTORY and not target.endswith("/"):
                self.complain(f"can't stat '{target}': Path has non-directory component")
                return
            self.complain(f"can't create '{target}': {fault}" if self.small else f"cannot stat '{target}': {fault}"
                          if fault == NOT_DIRECTORY and not target.endswith("/") else f"cannot create regular file '{target}': {fault}")
        elif self.options.has("v"):
            proc.out(f"'{source}' -> '{target}'\n")
        self.bytes += found.size
        yield from sent(proc)

    def directory(self, source: str, target: str, found: Stat, there: Stat | None, depth: int) -> Generator[Any, Any, None]:
        proc, files = self.proc, self.proc.files
        if not self.recursive:
            self.complain(f"omitting directory '{source}'" if self.small else f"-r not specified; omitting directory '{source}'")
            return
        if there is not None and there.kind != "directory":
            self.complain(f"target '{target}' is not a directory" if self.small
                          else f"cannot overwrite non-directory '{target}' with directory '{source}'")
            return
        full = proc.path(source)
        if full in self.made:
            self.complain(f"recursion detected, omitting directory '{source}'" if self.small
                          else f"cannot copy a directory, '{posixpath.dirname(source)}', into itself, '{source}'")
            return
        if there is None and (fault := files.make_directory(proc.path(target), mode=found.mode)):
            self.complain(f"can't create directory '{target}': {fault}" if self.small else f"cannot create directory '{target}': {fault}")
            return
        if there is None:
            self.made.add(proc.path(target))
            if self.options.has("v"):
                proc.out(f"'{source}' -> '{target}'\n")
        for name in files.names(full) or () if depth < MOST_DEPTH else ():
            yield from self.copy(posixpath.join(source, name), posixpath.join(target, name), depth + 1)
        if self.keep:
            self.facts(target, found)

    def file(self, source: str, target: str, found: Stat, there: Stat | None) -> str | None:
        """Why it could not be written, "" if it was; None if it could not be read, which was said."""
        proc, files = self.proc, self.proc.files
        full, to = proc.path(source), proc.path(target)
        if not files.may(full, READ) and found.kind != "link":
            self.complain(f"can't open '{source}': {DENIED}" if self.small else f"cannot open '{source}' for reading: {DENIED}")
            return None
        if target.endswith("/"):
            return NOT_DIRECTORY if there is not None else IS_DIRECTORY if self.small else NOT_DIRECTORY
        if found.kind == "link" and self.links:
            if there is not None and (fault := files.remove(to)):
                return fault
            return files.symlink(found.link, to)
        if found.kind != "file":
            return self.stream(source, to)
        node = files.node(full)
        if there is not None or files.stat(to, follow=False) is not None:
            if there is not None and there.kind != "file":
                return ""
            facts = there if there is not None else None
            fault = files.truncate(to, 0)
            if fault:
                return fault
            to = files.resolve(to)
        else:
            facts = None
        kept = {} if isinstance(node, str) else {name: node[name] for name in ("hole", "pad", "lost", "bytes", "text") if name in node}
        if isinstance(node, str):
            kept = {"text": node} if node else {}
        stamp = round(self.proc.machine.time().timestamp(), 3)
        mode, uid, gid = (facts.mode, facts.uid, facts.gid) if facts is not None else (
            found.mode if self.keep else found.mode & 0o755, files.user, files.groups[0] if files.groups else 0)
        new = inodes.changed(kept, mtime=stamp, uid=uid, gid=gid, mode=mode)
        if mode == inodes.FILE_MODE:
            new.pop("mode", None)
        fault = files.put(to, new)
        if not fault and self.keep:
            self.facts(target, found)
        return fault

    def facts(self, target: str, found: Stat) -> None:
        files, full = self.proc.files, self.proc.path(target)
        files.chown(full, found.uid, found.gid)
        files.chmod(full, found.mode)
        files.touch(full, found.mtime, create=False)

    def stream(self, source: str, to: str) -> str:
        """What is no plain file is read to its end, if it has one."""
        try:
            opened = self.proc.open(source)
        except Fault as fault:
            return str(fault)
        if isinstance(opened, Endless):
            return "No space left on device"
        text = "" if isinstance(opened, Null) else opened.read() or ""
        return self.proc.files.write(to, text)


def destination(proc: Proc, options: Options, line: Line) -> tuple[list[str], str, bool]:
    """(sources, target, whether it is a directory to copy into). Misuse."""
    words, small = options.operands, busybox(proc)
    if options.has("t"):
        target, words, into = options.value("t"), words, True
        if not words:
            raise line.misuse(proc, "missing file operand" if not small else "")
        found = stat_of(proc, target)
        if found is None or found.kind != "directory":
            what = "is not a directory" if small else f"{NOT_DIRECTORY if found is not None else why_not(proc, target)}"
            raise Misuse(f"{proc.name}: target '{target}' {what}\n" if small else f"{proc.name}: target directory '{target}': {what}\n", 1)
        return words, target, into
    if len(words) < 2:
        if small:
            raise line.misuse(proc)
        raise line.misuse(proc, f"missing destination file operand after '{words[0]}'" if words else "missing file operand")
    *sources, target = words
    found = stat_of(proc, target)
    into = found is not None and found.kind == "directory" and not options.has("T")
    if small and len(sources) > 1 and found is None:
        into = True
    if len(sources) > 1 and not into:
        if options.has("T"):
            raise line.misuse(proc, f"extra operand '{words[2]}'" if not small else "")
        fault = NOT_DIRECTORY if found is not None else why_not(proc, target)
        raise Misuse(f"{proc.name}: target '{target}'{' is not a directory' if small else ': ' + fault}\n", 1)
    return sources, target, into


def cp(proc: Proc, options: Options) -> Run:
    sources, target, into = destination(proc, options, CP)
    archive = options.has("a")
    recursive = options.has("R", "r", "a")
    follow = options.last("L", "P", "d", "a", "H")
    links = follow in ("P", "d", "a") or recursive and follow == ""
    if options.has("s", "l"):
        return (yield from _linked(proc, options, sources, target, into))
    copy = Copy(proc, options, archive or options.has("p", "preserve"), recursive, links)
    for source in sources:
        place = posixpath.join(target, posixpath.basename(source.rstrip("/"))) if into and posixpath.basename(source.rstrip("/")) not in (
            "", ".", "..") else target
        if options.has("parents") and into:
            place = posixpath.join(target, source.lstrip("/"))
            proc.files.make_directory(posixpath.dirname(proc.path(place)), parents=True)
        if options.has("i") and stat_of(proc, place) is not None and not (yield from agreed(proc, f"overwrite '{place}'")):
            continue
        yield from copy.copy(source, place)
    yield from worked(proc, copy.bytes)
    return 1 if copy.failed else 0


def worked(proc: Proc, size: int) -> Generator[Any, Any, None]:
    """Waits as long as a disk takes for so many bytes, where that is to be noticed."""
    yield from proc.flush()
    if size > DISK_SPEED // 10:
        yield from proc.sleep(size / DISK_SPEED)


def agreed(proc: Proc, question: str) -> Generator[Any, Any, bool]:
    """Asks, and reads the answer."""
    proc.err(f"{proc.name}: {question}? ")
    return (yield from proc.readline()).lstrip().lower().startswith("y")


def mv(proc: Proc, options: Options) -> Run:
    sources, target, into = destination(proc, options, MV)
    files, small, failed, size = proc.files, busybox(proc), False, 0
    for source in sources:
        place = posixpath.join(target, posixpath.basename(source.rstrip("/"))) if into else target
        found, there = stat_of(proc, source, follow=False), stat_of(proc, place)
        if found is None:
            failed = True
            fault = why_not(proc, source)
            complain(proc, f"can't rename '{source}': {fault}" if small else f"cannot stat '{source}': {fault}")
            continue
        if there is not None and (options.has("n") or options.has("u") and there.mtime >= found.mtime):
            continue
        if there is not None and options.last("i", "f") == "i" and not (yield from agreed(proc, f"overwrite '{place}'")):
            continue
        if proc.path(source) == proc.path(place):
            failed = True
            complain(proc, f"'{source}' and '{place}' are the same file")
            continue
        fault = NOT_DIRECTORY if place.endswith("/") and there is None and found.kind != "directory" else (
            files.rename(proc.path(source), proc.path(place)))
        if fault == CROSS_DEVICE:
            copy = Copy(proc, Options([("f", "")], []), True, True, True)
            yield from copy.copy(source, place)
            failed = failed or copy.failed
            size += copy.bytes
            fault = "" if copy.failed else files.remove(proc.path(source), recursive=True)
            if fault:
                failed = True
                complain(proc, f"can't remove '{source}': {fault}" if small else f"cannot remove '{source}': {fault}")
        elif fault == "Invalid argument" and not small:
            failed = True
            complain(proc, f"cannot move '{source}' to a subdirectory of itself, '{place}'")
        elif fault == IS_DIRECTORY and not small:
            failed = True
            complain(proc, f"cannot overwrite directory '{place}' with non-directory")
        elif fault:
            failed = True
            complain(proc, f"can't rename '{source}': {fault}" if small else f"cannot move '{source}' to '{place}': {fault}")
        if options.has("v") and not fault:
            proc.out(f"renamed '{source}' -> '{place}'\n" if not small else f"'{source}' -> '{place}'\n")
        yield from sent(proc)
    yield from worked(proc, size)
    return 1 if failed else 0


def _linked(proc: Proc, options: Options, sources: list[str], target: str, into: bool) -> Run:
    failed = False
    for source in sources:
        place = posixpath.join(target, posixpath.basename(source)) if into else target
        fault = _link(proc, options, source, place, options.has("s"))
        failed = failed or bool(fault)
    yield from proc.flush()
    return 1 if failed else 0


def _link(proc: Proc, options: Options, target: str, place: str, symbolic: bool) -> str:
    """One link; what was wrong is said."""
    files, small, full = proc.files, busybox(proc), proc.path(place)
    there = files.stat(full, follow=False)
    kind = "symbolic" if symbolic else "hard"
    fault = "" if symbolic else (why_not(proc, target) if stat_of(proc, target, follow=False) is None else "Operation not supported")
    if not symbolic and fault and fault != "Operation not supported":
        complain(proc, f"{target}: {fault}" if small else f"failed to access '{target}': {fault}")
        return fault
    if not fault and there is not None:
        fault = EXISTS
        if options.has("f") and there.kind != "directory":
            fault = files.remove(full)
    fault = fault or files.symlink(target, full)
    if fault:
        complain(proc, f"{place}: {fault}" if small else f"failed to create {kind} link '{place}': {fault}" if symbolic
                 else f"failed to create {kind} link '{place}' => '{target}': {fault}")
    elif options.has("v"):
        proc.out(f"'{place}' -> '{target}'\n")
    return fault


def ln(proc: Proc, options: Options) -> Run:
    words, small = options.operands, busybox(proc)
    if not words:
        raise LN.misuse(proc, "missing file operand" if not small else "")
    if options.has("t"):
        words = [*words, options.value("t")]
    *targets, place = words if len(words) > 1 else (words[0], ".")
    found = stat_of(proc, place)
    last = stat_of(proc, place, follow=False)
    into = found is not None and found.kind == "directory" and not options.has("T") and not (
        options.has("n") and last is not None and last.kind == "link")
    if len(targets) > 1 and not into:
        complain(proc, f"'{place}' is not a directory" if small else f"target '{place}': {NOT_DIRECTORY if found else why_not(proc, place)}")
        return 1
    failed = False
    for target in targets:
        there = posixpath.join(place, posixpath.basename(target.rstrip("/"))) if into else place
        made = target
        if options.has("r") and options.has("s"):
            made = posixpath.relpath(proc.files.resolve(proc.path(target)), posixpath.dirname(proc.files.resolve(proc.path(there), last=False)))
        failed = bool(_link(proc, options, made, there, options.has("s"))) or failed
    yield from proc.flush()
    return 1 if failed else 0


def install(proc: Proc, options: Options) -> Run:
    """Copies with a mode, and makes directories."""
    small, files, failed = busybox(proc), proc.files, False
    mode = 0o755
    if options.has("m"):
        given = parse_mode(options.value("m"), 0, False)
        if given is None:
            raise Misuse(f"install: invalid mode '{options.value('m')}'\n", 1)
        mode = given
    if options.has("d"):
        for word in options.operands:
            fault = files.make_directory(proc.path(word), parents=True)
            if fault:
                failed = True
                complain(proc, f"can't create directory '{word}': {fault}" if small else f"cannot create directory '{word}': {fault}")
            else:
                files.chmod(proc.path(word), mode)
        yield from proc.flush()
        return 1 if failed else 0
    if options.has("D") and len(options.operands) == 2:
        files.make_directory(posixpath.dirname(proc.path(options.operands[1])), parents=True)
    sources, target, into = destination(proc, options, INSTALL)
    copy = Copy(proc, options, options.has("p"), False, False)
    for source in sources:
        place = posixpath.join(target, posixpath.basename(source)) if into else target
        yield from copy.copy(source, place)
        if not copy.failed:
            files.chmod(proc.path(place), mode)
    return 1 if copy.failed else 0


COPY_LONG = {"archive": "a", "recursive": "R", "force": "f", "verbose": "v", "no-clobber": "n", "update": "u", "interactive": "i",
             "target-directory": "t", "no-target-directory": "T", "symbolic-link": "s", "link": "l", "dereference": "L",
             "no-dereference": "P", "preserve": "preserve::", "parents": "parents"}
CP = Line("[-afpPRrdLHinuvsltT] SOURCE... DEST", "afpPRrdLHinuvslt:T", "", COPY_LONG, 1, "[OPTION]... [-T] SOURCE DEST")
MV = Line("[-finuvTt] SOURCE... DEST", "finuvTt:", "", {
    "force": "f", "verbose": "v", "no-clobber": "n", "update": "u", "interactive": "i", "target-directory": "t", "no-target-directory": "T"},
    1, "[OPTION]... [-T] SOURCE DEST")
LN = Line("[-sfnvTt] TARGET... LINK|DIR", "sfnvTt:", "sfnvTt:r", {
    "symbolic": "s", "force": "f", "no-dereference": "n", "verbose": "v", "target-directory": "t", "no-target-directory": "T", "relative": "r"},
    1, "[OPTION]... [-T] TARGET LINK_NAME")
INSTALL = Line("[-cdDpm:] [SOURCE]... DEST", "cdDpvm:t:T", "", {"mode": "m", "directory": "d", "verbose": "v", "preserve-timestamps": "p"},
               1, "[OPTION]... [-T] SOURCE DEST")
PROGRAMS: dict[str, Program] = {"cp": Program(tool(CP, cp)), "mv": Program(tool(MV, mv)), "ln": Program(tool(LN, ln)),
                                "install": Program(tool(INSTALL, install))}
