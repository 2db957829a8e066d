"""gzip, gunzip, zcat: fewer bytes.

In: files or standard input. Out: real gzip, by Python's zlib; what unpacks to more than fits is refused.

Source: https://www.rfc-editor.org/rfc/rfc1952
"""

from __future__ import annotations

import zlib
from collections.abc import Generator
from typing import Any

from server.cluster import inodes
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Options, Run, busybox, complain, sent, stat_of, tool, why_not
from server.cluster.runtime.streams import BLOCK

LARGEST = 4 * 1024 * 1024
WBITS_GZIP = 31


class TooLarge(Exception):
    """More than fits into a program here."""


def content(proc: Proc, path: str) -> bytes:
    """A file's bytes. TooLarge."""
    found = proc.files.node(proc.path(path))
    if found is None:
        return b""
    if inodes.size_of(found) > LARGEST:
        raise TooLarge
    data = inodes.encoded(inodes.text_of(found))
    if isinstance(found, str):
        return data
    return bytes(found.get("hole", 0)) + data + bytes(found.get("pad", 0))


def compressed(data: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, WBITS_GZIP)
    return packer.compress(data) + packer.flush()


def expanded(data: bytes) -> bytes | None:
    """None for what is no gzip. TooLarge."""
    whole = b""
    while data:
        unpacker = zlib.decompressobj(WBITS_GZIP)
        try:
            whole += unpacker.decompress(data, LARGEST + 1 - len(whole))
        except zlib.error:
            return None
        if len(whole) > LARGEST or unpacker.unconsumed_tail:
            raise TooLarge
        if not unpacker.eof:
            return None
        data = unpacker.unused_data
    return whole


def gzip(proc: Proc, options: Options) -> Run:
    small, failed = busybox(proc), 0
    undo = proc.name in ("gunzip", "zcat") or options.has("d")
    keep = proc.name == "zcat" or options.has("c")
    try:
        for word in options.operands or ["-"]:
            if word == "-":
                pieces, size = [], 0
                while text := (yield from proc.read()):
                    pieces.append(text)
                    size += len(text)
                    if size > LARGEST:
                        raise TooLarge
                data = inodes.encoded("".join(pieces))
            else:
                if undo and proc.name == "zcat" and stat_of(proc, word) is None and stat_of(proc, word + ".gz") is not None:
                    word += ".gz"
                found = stat_of(proc, word)
                fault = why_not(proc, word) if found is None else "Is a directory" if found.kind == "directory" else ""
                if fault:
                    failed = max(failed, 2 if found is not None and not small else 1)
                    if found is not None:
                        complain(proc, f"{word}: Is a directory" if small else f"{word} is a directory -- ignored")
                    else:
                        complain(proc, f"{word}: {fault}")
                    continue
                data = content(proc, word)
            failed = max(failed, (yield from one(proc, options, word, data, undo, keep or word == "-")))
    except TooLarge:
        complain(proc, "out of memory")
        return 1
    yield from proc.flush()
    return failed


def one(proc: Proc, options: Options, word: str, data: bytes, undo: bool, keep: bool) -> Generator[Any, Any, int]:
    """One file or standard input: its exit code, 2 for a mere warning of GNU's."""
    small, files = busybox(proc), proc.files
    name = "stdin" if word == "-" else word
    if undo and not keep and not word.endswith((".gz", ".tgz")):
        if small:
            complain(proc, f"{word}: unknown suffix - ignored")
        else:
            proc.err(f"gzip: {word}: unknown suffix -- ignored\n")
        return 1 if small else 2
    if not undo and not keep and word.endswith(".gz") and not small:
        complain(proc, f"{word} already has .gz suffix -- unchanged")
        return 0
    made = expanded(data) if undo else compressed(data, int(options.last(*"123456789") or 6))
    if made is None:
        if small:
            complain(proc, "invalid magic" if word == "-" else f"{word}: invalid magic")
        else:
            proc.err(f"\n{proc.name if proc.name != 'zcat' else 'gzip'}: {name}: not in gzip format\n")
        return 1
    if options.has("t"):
        return 0
    text = inodes.decoded(made)
    if keep:
        for at in range(0, len(text), BLOCK):
            proc.out(text[at:at + BLOCK])
            yield from sent(proc)
        return 0
    target = word.removesuffix(".gz") if word.endswith(".gz") else word[:-4] + ".tar" if undo else word + ".gz"
    if files.kind(proc.path(target)) and not options.has("f"):
        complain(proc, f"can't open '{target}': File exists" if small else f"{target} already exists; not overwritten")
        return 1
    found = stat_of(proc, word)
    fault = files.write(proc.path(target), text)
    if fault:
        complain(proc, f"can't open '{target}': {fault}" if small else f"{target}: {fault}")
        return 1
    files.chmod(proc.path(target), found.mode)
    files.touch(proc.path(target), found.mtime)
    if options.has("v"):
        ratio = 100 * (1 - len(made) / len(data)) if data and not undo else 0.0
        proc.err(f"{word}:\t{ratio:5.1f}% -- {'created' if options.has('k') else 'replaced with'} {target}\n")
    if not options.has("k"):
        files.remove(proc.path(word))
    return 0


GZIP = Line("[-cfkdt123456789] [FILE]...", "cfkdtvn123456789", "", {"stdout": "c", "to-stdout": "c", "force": "f", "keep": "k", "decompress": "d",
                                                                   "uncompress": "d", "test": "t", "verbose": "v", "best": "9", "fast": "1"},
            1, "[OPTION]... [FILE]...")
PROGRAMS: dict[str, Program] = dict.fromkeys(("gzip", "gunzip", "zcat"), Program(tool(GZIP, gzip)))
