"""tar: many files in one.

In: files, or an archive as text whose bytes are carried with ``surrogateescape`` (a file, or standard input: ``kubectl cp`` pipes one).
Out: real ustar bytes, written and read by Python's ``tarfile``; how much fits is bounded, and an archive that is larger is refused, zeros
that are only counted among them.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
"""

from __future__ import annotations

import fnmatch
import io
import posixpath
import tarfile
from collections.abc import Generator
from typing import Any

from server.cluster import inodes
from server.cluster.inodes import Stat
from server.cluster.runtime.mount_namespace import LIMIT
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import (
    Line,
    Misuse,
    Names,
    Options,
    Run,
    busybox,
    complain,
    mode_text,
    moment,
    sent,
    stat_of,
    tool,
    why_not,
)
from server.cluster.runtime.programs.compression import LARGEST, TooLarge, compressed, content, expanded
from server.cluster.runtime.streams import BLOCK, Fault

MOST_MEMBERS, MOST_DEPTH = 2048, 64
NO_TAR = "This does not look like a tar archive\ntar: Exiting with failure status due to previous errors"


# tar

def minus(words: list[str]) -> list[str]:
    """``tar xzf a.tgz``: the first word without a dash is options, too, whose values follow in order."""
    if not words or words[0].startswith("-"):
        return words
    letters, left, made = words[0], words[1:], []
    for letter in letters:
        made.append(f"-{letter}")
        if letter in "fCTXb" and left:
            made.append(left.pop(0))
    return [*made, *left]


def members(proc: Proc, path: str, follow: bool, skip: list[str], depth: int = 0) -> list[tuple[str, Stat]]:
    """A path and all below it."""
    found = stat_of(proc, path, follow=follow)
    if found is None or any(fnmatch.fnmatchcase(part, pattern) for pattern in skip for part in (path, posixpath.basename(path))):
        return []
    whole = [(path, found)]
    if found.kind == "directory" and depth < MOST_DEPTH:
        for name in proc.files.names(proc.path(path)) or ():
            whole += members(proc, posixpath.join(path, name), follow, skip, depth + 1)
            if len(whole) > MOST_MEMBERS:
                raise TooLarge
    return whole


class Tar:
    def __init__(self, proc: Proc, options: Options) -> None:
        self.proc, self.options, self.small = proc, options, busybox(proc)
        self.failed = False
        self.names = Names(proc)
        self.archive = options.value("f", "-")
        self.listing = options.has("v")

    def fail(self, text: str) -> None:
        self.failed = True
        complain(self.proc, text)

    def say(self, text: str) -> None:
        """Names of what it packs go where the archive does not."""
        self.proc.write(2 if self.archive == "-" and self.options.has("c") else 1, text + "\n")

    # packing

    def create(self) -> Run:
        proc, options = self.proc, self.options
        if not options.operands:
            self.fail("empty archive" if self.small else "Cowardly refusing to create an empty archive\n"
                      "Try 'tar --help' or 'tar --usage' for more information.")
            return 1 if self.small else 2
        packed = io.BytesIO()
        stripped = False
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as archive:
            for word in options.operands:
                found = members(proc, word, options.has("h"), options.values("exclude"))
                if not found:
                    if stat_of(proc, word, follow=False) is None:
                        fault = why_not(proc, word)
                        self.fail(f"{word}: {fault}" if self.small else f"{word}: Cannot stat: {fault}")
                    continue
                if word.startswith("/") and not stripped:
                    stripped = True
                    complain(proc, "removing leading '/' from member names" if self.small else "Removing leading `/' from member names")
                for path, stat in found:
                    self.add(archive, path, stat)
                    if packed.tell() > LARGEST:
                        raise TooLarge
                    if proc.spins():
                        yield from proc.breathe()
        data = packed.getvalue()
        if options.has("z"):
            data = compressed(data)
        text = inodes.decoded(data)
        if self.archive == "-":
            for at in range(0, len(text), BLOCK):
                proc.out(text[at:at + BLOCK])
                yield from sent(proc)
        else:
            if len(text) > LIMIT:
                raise TooLarge
            fault = proc.files.write(proc.path(self.archive), text)
            if fault:
                self.fail(f"can't open '{self.archive}': {fault}" if self.small else f"{self.archive}: Cannot open: {fault}")
        yield from proc.flush()
        if self.failed and not self.small:
            complain(proc, "Exiting with failure status due to previous errors")
        elif self.failed:
            complain(proc, "error exit delayed from previous errors")
        return (1 if self.small else 2) if self.failed else 0

    def add(self, archive: tarfile.TarFile, path: str, stat: Stat) -> None:
        proc, name = self.proc, path.lstrip("/") or "./"
        if proc.path(path) == proc.path(self.archive) and self.archive != "-":
            return
        member = tarfile.TarInfo(name)
        member.mode, member.mtime, member.uid, member.gid = stat.mode, int(stat.mtime), stat.uid, stat.gid
        member.uname, member.gname = self.names.user(stat.uid), self.names.group(stat.gid)
        data = b""
        if stat.kind == "directory":
            member.type = tarfile.DIRTYPE
        elif stat.kind == "link":
            member.type, member.linkname = tarfile.SYMTYPE, stat.link
        elif stat.kind in ("char", "block"):
            member.type = tarfile.CHRTYPE if stat.kind == "char" else tarfile.BLKTYPE
            member.devmajor, member.devminor = stat.device
        elif stat.kind == "file":
            if not proc.files.may(proc.path(path), 4):
                self.fail(f"can't open '{path}': Permission denied" if self.small else f"{path}: Cannot open: Permission denied")
                return
            data = content(proc, path)
            member.size = len(data)
        else:
            return
        archive.addfile(member, io.BytesIO(data))
        if self.listing:
            self.say(name + ("/" if stat.kind == "directory" and not name.endswith("/") else ""))

    # unpacking

    def data(self) -> Generator[Any, Any, bytes | None]:
        """The archive's bytes; None when it cannot be read, which is said."""
        proc = self.proc
        fd = 0
        if self.archive != "-":
            try:
                stream = proc.open(self.archive)
            except Fault as fault:
                self.fail(f"can't open '{self.archive}': {fault}" if self.small else f"{self.archive}: Cannot open: {fault}\n"
                          "tar: Error is not recoverable: exiting now")
                return None
            fd = next(number for number in range(3, 100) if number not in proc.fds)
            proc.fds[fd] = stream.open()
        pieces, size = [], 0
        while text := (yield from proc.read(fd)):
            pieces.append(text)
            size += len(text)
            if size > LARGEST:
                raise TooLarge
        if fd:
            proc.fds.pop(fd).close()
        data = inodes.encoded("".join(pieces))
        if data[:2] == b"\x1f\x8b":
            if not self.options.has("z") and self.archive == "-" and not self.small:
                self.fail("Archive is compressed. Use -z option\ntar: Error is not recoverable: exiting now")
                return None
            data = expanded(data)
            if data is None:
                self.fail("corrupted data" if self.small else "Child returned status 1\ntar: Error is not recoverable: exiting now")
                return None
        elif self.options.has("z"):
            self.fail("invalid magic" if self.small else "Child returned status 1\ntar: Error is not recoverable: exiting now")
            return None
        return data

    def read(self, extract: bool) -> Run:
        proc, options, code = self.proc, self.options, 1 if self.small else 2
        data = yield from self.data()
        if data is None:
            return code
        if not data:
            self.fail("short read" if self.small else NO_TAR)
            return code
        wanted = [word.rstrip("/") for word in options.operands]
        seen = dict.fromkeys(wanted, False)
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
                for count, member in enumerate(archive):
                    if count > MOST_MEMBERS:
                        raise TooLarge
                    name = member.name.rstrip("/")
                    chosen = next((word for word in wanted if name == word or name.startswith(word + "/")), None)
                    if wanted and chosen is None or any(fnmatch.fnmatchcase(name, pattern) for pattern in options.values("exclude")):
                        continue
                    if chosen is not None:
                        seen[chosen] = True
                    body = archive.extractfile(member)
                    self.one(member, body.read() if body is not None else b"", extract)
                    yield from sent(proc)
        except (tarfile.TarError, EOFError, UnicodeError, ValueError):
            self.fail("invalid tar magic" if self.small else NO_TAR)
            return code
        for word in (word for word, there in seen.items() if not there):
            self.fail(f"{word}: not found in archive" if self.small else f"{word}: Not found in archive")
        yield from proc.flush()
        if self.failed and not self.small:
            complain(proc, "Exiting with failure status due to previous errors")
        return code if self.failed else 0

    def one(self, member: tarfile.TarInfo, body: bytes, extract: bool) -> None:
        name = member.name + ("/" if member.isdir() and not member.name.endswith("/") else "")
        if not extract:
            self.say(self.described(member, name) if self.listing else name)
            return
        parts = [part for part in posixpath.normpath(name).split("/") if part not in ("", ".")]
        parts = parts[int(self.options.value("strip-components", "0") or 0):]
        if ".." in parts:
            self.fail(f"name with '..' skipped: '{name}'" if self.small else f"{name}: Member name contains '..'")
            return
        if not parts:
            return
        if self.options.has("O"):
            self.proc.out(inodes.decoded(body))
            return
        folder = self.proc.path(self.options.value("C", "."))
        target = posixpath.join(folder, *parts)
        fault = self.unpack(member, body, target)
        if fault:
            name, verb = name.rstrip("/"), "mkdir" if member.isdir() else "open"
            self.fail(f"can't open '{name}': {fault}" if self.small else f"{name}: Cannot {verb}: {fault}")
        elif self.listing:
            self.say(name)

    def unpack(self, member: tarfile.TarInfo, body: bytes, target: str) -> str:
        files = self.proc.files
        found = files.stat(target, follow=False)
        if member.isdir():
            fault = "" if files.kind(target) == "directory" else files.make_directory(target, parents=True)
            if not fault and found is None and not self.options.has("no-same-permissions"):
                files.chmod(target, member.mode & ~0o022 if files.user else member.mode)
            return fault
        parent = posixpath.dirname(target)
        if not files.kind(parent) and (fault := files.make_directory(parent, parents=True)):
            return fault
        if member.issym():
            if found is not None and (fault := files.remove(target)):
                return fault
            return files.symlink(member.linkname, target)
        if member.islnk() or not member.isfile():
            return "Operation not supported"
        if found is not None and found.kind == "directory":
            return "Is a directory"
        if found is not None and found.kind == "link" and (fault := files.remove(target)):
            return fault
        if self.options.has("k") and found is not None:
            return "File exists"
        fault = files.write(target, inodes.decoded(body))
        if fault:
            return fault
        if found is None or found.mode != member.mode:
            masked = files.user and not self.options.has("p") or self.options.has("no-same-permissions")
            files.chmod(target, member.mode & ~0o022 if masked else member.mode)
        if not files.user and not self.options.has("o", "no-same-owner"):
            files.chown(target, member.uid, member.gid)
        files.touch(target, float(self.proc.machine.time().timestamp()) if self.options.has("m") else float(member.mtime), create=False)
        return ""

    def described(self, member: tarfile.TarInfo, name: str) -> str:
        kind = "directory" if member.isdir() else "link" if member.issym() else "file"
        stat = Stat(kind, member.mode, member.size, member.mtime, member.uid, member.gid, member.linkname)
        owner = f"{member.uname or member.uid}/{member.gname or member.gid}"
        when = moment(member.mtime)
        tail = f" -> {member.linkname}" if member.issym() else ""
        if self.small:
            return f"{mode_text(stat)} {owner} {member.size:>9} {when:%Y-%m-%d %H:%M:%S} {name}{tail}"
        return f"{mode_text(stat)} {owner} {member.size:>{max(1, 18 - len(owner))}} {when:%Y-%m-%d %H:%M} {name}{tail}"


def tar(proc: Proc, options: Options) -> Run:
    job, small = Tar(proc, options), busybox(proc)
    what = [letter for letter in "cxt" if options.has(letter)]
    if len(what) != 1:
        if small:
            raise TAR.misuse(proc)
        text = "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option" if what else (
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")
        raise Misuse(f"tar: {text}\nTry 'tar --help' or 'tar --usage' for more information.\n", 2)
    if options.has("C") and what[0] != "x":
        folder = proc.path(options.value("C"))
        if proc.files.kind(folder) != "directory":
            fault = why_not(proc, options.value("C"))
            complain(proc, f"can't change directory to '{options.value('C')}': {fault}" if small else f"{options.value('C')}: Cannot open: {fault}\n"
                     "tar: Error is not recoverable: exiting now")
            return 1 if small else 2
        proc.cwd, job.archive = folder, job.archive if job.archive == "-" else proc.path(job.archive)
    elif options.has("C") and proc.files.kind(proc.path(options.value("C"))) != "directory":
        fault = why_not(proc, options.value("C"))
        complain(proc, f"can't change directory to '{options.value('C')}': {fault}" if small else f"{options.value('C')}: Cannot open: {fault}\n"
                 "tar: Error is not recoverable: exiting now")
        return 1 if small else 2
    try:
        return (yield from (job.create() if what[0] == "c" else job.read(what[0] == "x")))
    except TooLarge:
        complain(proc, "archive too large: No space left on device")
        return 1 if small else 2


TAR = Line("c|x|t [-zhmvokO] [-f TARFILE] [-C DIR] [LONGOPT]... [FILE]...", "cxtzhmvokOpf:C:", "", {
    "create": "c", "extract": "x", "get": "x", "list": "t", "gzip": "z", "file": "f", "directory": "C", "verbose": "v", "dereference": "h",
    "to-stdout": "O", "strip-components": "strip-components:", "exclude": "exclude:", "no-same-owner": "no-same-owner",
    "same-permissions": "p", "preserve-permissions": "p", "touch": "m", "keep-old-files": "k",
    "no-same-permissions": "no-same-permissions"}, 2, "[OPTION...] [FILE]...")
PROGRAMS: dict[str, Program] = {"tar": Program(tool(TAR, tar, minus))}
