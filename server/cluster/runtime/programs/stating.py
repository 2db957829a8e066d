"""stat, readlink, realpath, basename, dirname, file, mountpoint: what a path is.

Source: https://www.gnu.org/software/coreutils/manual/html_node/stat-invocation.html
"""

from __future__ import annotations

import posixpath
import re

from server.cluster.errno import TOO_MANY_LINKS
from server.cluster.inodes import TYPES, Stat
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import (
    Line,
    Names,
    Options,
    busybox,
    complain,
    mode_text,
    moment,
    plain,
    quoted,
    stat_of,
    why_not,
)

KINDS = {"file": "regular file", "directory": "directory", "link": "symbolic link", "char": "character special file",
         "block": "block special file", "fifo": "fifo", "socket": "socket"}
DIRECTIVE = re.compile(r"%([-#+ 0]*)(\d{0,3})(?:\.\d*)?([HL]?)([a-zA-Z%])")
SIZES = "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "a": "\a", "r": "\r"}


def kind_text(found: Stat) -> str:
    return "regular empty file" if found.kind == "file" and not found.size else KINDS[found.kind]


def stamp(mtime: float, small: bool) -> str:
    when = moment(mtime)
    return f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond * 1000:09d} +0000"


class Facts:
    """The directives of ``-c`` for one path."""

    def __init__(self, proc: Proc, path: str, found: Stat) -> None:
        self.proc, self.path, self.found, self.names, self.small = proc, path, found, Names(proc), busybox(proc)

    def text(self, form: str) -> str:
        return DIRECTIVE.sub(self._field, form)

    def _field(self, match: re.Match[str]) -> str:
        flags, width, _, letter = match.groups()
        value = self._value(letter)
        if value is None:
            return match[0] if self.small else "?"
        if "#" in flags and letter == "a":
            value = "0" + value
        if width:
            value = value.ljust(int(width)) if "-" in flags else value.zfill(int(width)) if "0" in flags else value.rjust(int(width))
        return value

    def _value(self, letter: str) -> str | None:
        found = self.found
        if letter in "xyzwXYZW":
            return (("-" if letter == "w" else "0") if letter in "wW" else stamp(found.mtime, self.small) if letter.islower()
                    else str(int(found.mtime)))
        values = {"a": f"{found.mode:o}", "A": mode_text(found), "b": str(found.blocks), "B": "512", "d": "88", "D": "58",
                  "f": f"{TYPES[found.kind] | found.mode:x}", "F": kind_text(found), "g": str(found.gid), "G": self.names.group(found.gid),
                  "h": str(found.links), "i": str(found.inode), "n": self.path, "o": "4096", "s": str(found.size), "t": f"{found.device[0]:x}",
                  "T": f"{found.device[1]:x}", "u": str(found.uid), "U": self.names.user(found.uid), "%": "%",
                  "m": self.proc.files.mount_of(self.proc.path(self.path))[0],
                  "N": self._named()}
        return values.get(letter)

    def _named(self) -> str:
        name = f"'{self.path}'" if self.small else quoted(self.path) if self.path != quoted(self.path) else f"'{self.path}'"
        return f"{name} -> '{self.found.link}'" if self.found.kind == "link" else name


def stat(proc: Proc, options: Options) -> int:
    small, failed = busybox(proc), False
    if not options.operands:
        raise STAT.misuse(proc, "" if small else "missing operand")
    form = options.value("c") if options.has("c") else unescaped(options.value("printf")) if options.has("printf") else None
    for path in options.operands:
        found = stat_of(proc, path, follow=options.has("L"))
        if found is None:
            failed = True
            fault = why_not(proc, path)
            complain(proc, f"can't stat '{path}': {fault}" if small else f"cannot statx '{path}': {fault}"
                     if not options.has("f") else f"cannot read file system information for '{path}': {fault}")
            continue
        if options.has("f"):
            proc.out(file_system(proc, path))
            continue
        facts = Facts(proc, path, proc.files.stat(proc.path(path), True, True) if found.kind == "directory" else found)
        if form is not None:
            proc.out(facts.text(form) + ("" if options.has("printf") else "\n"))
            continue
        if options.has("t"):
            proc.out(facts.text("%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n"))
            continue
        special = found.kind in ("char", "block")
        device = "\t  Device type: %t,%T" if special else ""
        if small:
            name = "%N" if found.kind == "link" else "%n"
            proc.out(facts.text(f"  File: {name}\n{SIZES}Device: 3ah/58d\tInode: %-10i  Links: %-5h")
                     + (f" Device type: {found.device[0]:x},{found.device[1]:x}" if special else "")
                     + facts.text("\nAccess: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"))
        else:
            name = "%N" if found.kind == "link" else "%n"
            text = facts.text(f"  File: {name}\n{SIZES}Device: 0,58\tInode: %-11i Links: %-5h{device}").rstrip(" ")
            proc.out(re.sub(r"File: '(.*?)' -> '(.*)'", lambda m: f"File: {m[1]} -> {m[2]}", text)
                     + facts.text("\nAccess: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"))
        if small:
            proc.out(f"Access: {stamp(found.mtime, True)}\nModify: {stamp(found.mtime, True)}\nChange: {stamp(found.mtime, True)}\n")
        else:
            proc.out(f"Access: {stamp(found.mtime, False)}\nModify: {stamp(found.mtime, False)}\nChange: {stamp(found.mtime, False)}\n"
                     f" Birth: {stamp(found.mtime, False)}\n")
    return 1 if failed else 0


def file_system(proc: Proc, path: str) -> str:
    """``stat -f``."""
    from server.cluster.runtime.programs.space import space_of
    space = space_of(proc, path)
    kind = {"overlay": "overlayfs", "ext4": "ext2/ext3"}.get(space.type, space.type)
    blocks, free = space.size // 4096, (space.size - space.used) // 4096
    return (f"  File: \"{path}\"\n    ID: 1f2e3d4c5b6a7980 Namelen: 255     Type: {kind}\nBlock size: 4096       Fundamental block size: 4096\n"
            f"Blocks: Total: {blocks:<10} Free: {free:<10} Available: {free}\nInodes: Total: {blocks // 4:<10} Free: {blocks // 4 - 4096}\n")


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), text)


def readlink(proc: Proc, options: Options) -> int:
    small, failed = busybox(proc), False
    if not options.operands:
        raise READLINK.misuse(proc, "" if small else "missing operand")
    end = "" if options.has("n") and len(options.operands) == 1 else "\0" if options.has("z") else "\n"
    for path in options.operands:
        if options.has("f", "e", "m"):
            real = resolved(proc, path, "m" if options.has("m") else "e" if options.has("e") else "f")
            if real is None:
                failed = True
                if options.has("v"):
                    complain(proc, f"{path}: {why_not(proc, path)}")
                continue
            proc.out(real + end)
            continue
        found = stat_of(proc, path, follow=False)
        if found is None or found.kind != "link":
            failed = True
            if options.has("v"):
                complain(proc, f"{path}: {'Invalid argument' if found is not None else why_not(proc, path)}")
            continue
        proc.out(found.link + end)
    return 1 if failed else 0


def resolved(proc: Proc, path: str, how: str) -> str | None:
    """The path without links: "e" must be there, "f" its directory must, "m" nothing must."""
    full = proc.path(path)
    if not full or proc.files.loops(full):
        return None
    real = proc.files.resolve(full)
    if how == "e" and not proc.files.kind(real) or how == "f" and proc.files.kind(posixpath.dirname(real)) != "directory":
        return None
    return real


def realpath(proc: Proc, options: Options) -> int:
    small, failed = busybox(proc), False
    if not options.operands:
        raise REALPATH.misuse(proc, "" if small else "missing operand")
    for path in options.operands:
        real = proc.path(path) if options.has("s") else resolved(proc, path, "m" if options.has("m") else "e" if options.has("e") or small else "f")
        if real is None:
            failed = True
            fault = TOO_MANY_LINKS if proc.files.loops(proc.path(path)) else why_not(proc, path)
            if not options.has("q"):
                complain(proc, f"{path}: {fault}")
            continue
        if options.has("relative-to"):
            real = posixpath.relpath(real, proc.files.resolve(proc.path(options.value("relative-to"))))
        proc.out(real + ("\0" if options.has("z") else "\n"))
    return 1 if failed else 0


def base(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else "")


def basename(proc: Proc, options: Options) -> int:
    small, words = busybox(proc), list(options.operands)
    if not words:
        raise BASENAME.misuse(proc, "" if small else "missing operand")
    suffix, end = options.value("s"), "\0" if options.has("z") else "\n"
    if not options.has("a", "s"):
        if len(words) > 2:
            raise BASENAME.misuse(proc, "" if small else f"extra operand '{words[2]}'")
        suffix = words.pop() if len(words) == 2 else ""
    for word in words:
        name = base(word)
        proc.out((name.removesuffix(suffix) if suffix and name != suffix else name) + end)
    return 0


def dirname(proc: Proc, options: Options) -> int:
    if not options.operands or busybox(proc) and len(options.operands) > 1:
        raise DIRNAME.misuse(proc, "" if busybox(proc) else "missing operand")
    for word in options.operands:
        stripped = word.rstrip("/")
        folder = stripped.rpartition("/")[0].rstrip("/") if "/" in stripped else "." if stripped else "/" if word else "."
        if "/" in stripped and not folder:
            folder = "/"
        proc.out(folder + ("\0" if options.has("z") else "\n"))
    return 0


MAGIC = (("\x7fELF",
          "ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), dynamically linked, interpreter /lib64/ld-linux-x86-64.so.2, stripped"),
         ("#!/bin/sh", "POSIX shell script, ASCII text executable"), ("#!/bin/bash", "Bourne-Again shell script, ASCII text executable"),
         ("#!/usr/bin/env bash", "Bourne-Again shell script, ASCII text executable"),
         ("#!/usr/bin/env python", "Python script, ASCII text executable"),
         ("\x1f\udc8b", "gzip compressed data"), ("PK\x03\x04", "Zip archive data, at least v2.0 to extract, compression method=deflate"),
         ("{", "JSON text data"), ("<!DOCTYPE html", "HTML document, ASCII text"), ("<html", "HTML document, ASCII text"),
         ("<?xml", "XML 1.0 document, ASCII text"))


def file(proc: Proc, options: Options) -> int:
    if not options.operands:
        raise FILE.misuse(proc, "Usage: file [-bL] FILE...")
    width = max(map(len, options.operands)) + 1
    for path in options.operands:
        found = stat_of(proc, path, follow=options.has("L"))
        text = f"cannot open `{path}' ({why_not(proc, path)})" if found is None else describe(proc, path, found)
        proc.out(f"{text}\n" if options.has("b") else f"{path + ':':<{width}} {text}\n")
    return 0


def describe(proc: Proc, path: str, found: Stat) -> str:
    """What a file's beginning says that it is."""
    if found.kind == "directory":
        return "sticky, directory" if found.mode & 0o1000 else "directory"
    if found.kind == "link":
        broken = proc.files.stat(proc.path(path)) is None
        return f"{'broken ' if broken else ''}symbolic link to {found.link}"
    if found.kind in ("char", "block"):
        return f"{'character' if found.kind == 'char' else 'block'} special ({found.device[0]}/{found.device[1]})"
    if found.kind != "file":
        return found.kind
    if not found.size:
        return "empty"
    text = (proc.files.read(proc.path(path)) or "")[:65536]
    if text.startswith("{") and not text.rstrip().endswith("}"):
        return "ASCII text"
    known = next((what for start, what in MAGIC if text.startswith(start)), "")
    if known:
        return known
    if "\0" in text or any("\udc80" <= char <= "\udcff" for char in text):
        return "data"
    name = "ASCII text" if text.isascii() else "Unicode text, UTF-8 text"
    long = any(len(line) > 300 for line in text.split("\n"))
    ends = ", with CRLF line terminators" if "\r\n" in text else ", with no line terminators" if "\n" not in text else ""
    return name + (", with very long lines" if long else "") + ends


def mountpoint(proc: Proc, options: Options) -> int:
    if len(options.operands) != 1:
        raise MOUNTPOINT.misuse(proc, "" if busybox(proc) else "bad usage")
    path = options.operands[0]
    found = stat_of(proc, path)
    if found is None:
        if not options.has("q"):
            complain(proc, f"{path}: {why_not(proc, path)}")
        return 1
    is_one = proc.files.mount_of(proc.path(path))[0] == proc.path(path)
    if not options.has("q"):
        proc.out(f"{path} is {'' if is_one else 'not '}a mountpoint\n")
    return 0 if is_one else 1 if busybox(proc) else 32


STAT = Line("[-ltf] [-c FMT] FILE...", "ltfLc:", "ltfLc:", {"format": "c", "dereference": "L", "terse": "t", "file-system": "f", "printf": "printf:"},
            1, "[OPTION]... FILE...")
READLINK = Line("[-fnv] FILE", "fnv", "fnvemzqs", {"canonicalize": "f", "canonicalize-existing": "e", "canonicalize-missing": "m", "no-newline": "n",
                                                   "verbose": "v", "zero": "z"}, 1, "[OPTION]... FILE...")
REALPATH = Line("FILE...", "", "emsqzLP", {"canonicalize-existing": "e", "canonicalize-missing": "m", "no-symlinks": "s", "strip": "s", "quiet": "q",
                                           "zero": "z", "relative-to": "relative-to:"}, 1, "[OPTION]... FILE...")
BASENAME = Line("FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...", "as:", "as:z", {"multiple": "a", "suffix": "s", "zero": "z"}, 1, "NAME [SUFFIX]")
DIRNAME = Line("FILENAME", "", "z", {"zero": "z"}, 1, "[OPTION] NAME...")
FILE = Line("[-bL] FILE...", "bL", "", {"brief": "b", "dereference": "L"}, 1, "[OPTION...] [FILE...]")
MOUNTPOINT = Line("[-q] DIR", "q", "", {"quiet": "q"}, 1, "[-qd] /path/to/directory")
PROGRAMS: dict[str, Program] = {
    "stat": Program(plain(STAT, stat)), "readlink": Program(plain(READLINK, readlink)), "realpath": Program(plain(REALPATH, realpath)),
    "basename": Program(plain(BASENAME, basename)), "dirname": Program(plain(DIRNAME, dirname)), "file": Program(plain(FILE, file)),
    "mountpoint": Program(plain(MOUNTPOINT, mountpoint)),
}
