"""wc, base64 and the checksums: what is computed over the bytes of a file.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/wc.html, cksum.html
"""

from __future__ import annotations

import base64 as coding
import binascii
import hashlib
import re
from collections.abc import Callable, Generator
from typing import Any

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.cats import CANNOT_OPEN
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, burn, busybox, data, number, tool
from server.cluster.runtime.programs.inputs import text as decoded
from server.cluster.runtime.streams import Endless

WC = Line("[-cmlwL] [FILE]...", "cmlwL", "clLmw", {
    "bytes": "c", "chars": "m", "lines": "l", "words": "w", "max-line-length": "L", "files0-from": "files0-from:"},
    gnu_usage="[OPTION]... [FILE]...")
COLUMNS = "lwmcL"


def wc(proc: Proc, options: Options) -> Run:
    wanted = [each for each in COLUMNS if options.has(each)] or ["l", "w", "c"]
    text, rows = Text(proc), []
    paths = options.operands or ["-"]
    failed = False
    for path in paths:
        one = Text(proc, [path])
        totals = dict.fromkeys(COLUMNS, 0)
        if one.next_file():
            yield from _counted(one, totals)
        elif proc.files.kind(proc.path(path)) != "directory":
            failed = True
            continue
        failed = failed or one.failed
        rows.append((totals, path if options.operands else ""))
    if len(paths) > 1:
        total = {each: (max if each == "L" else sum)([row[each] for row, _ in rows] or [0]) for each in COLUMNS}
        rows.append((total, "total"))
    width = 9 if busybox(proc) else _width(proc, wanted, rows, options.operands)
    for row, name in rows:
        shown = [f"{row[each]:{width if len(wanted) > 1 or len(paths) > 1 else 1}}" for each in wanted]
        text.put(" ".join(shown) + (f" {name}" if name else "") + "\n")
    yield from text.sent()
    return 1 if failed else 0


def _width(proc: Proc, wanted: list[str], rows: list[tuple[dict[str, int], str]], paths: list[str]) -> int:
    """GNU's columns are as wide as the sizes of all its files together, 7 if there is anything else among them."""
    if len(wanted) == 1 and len(paths) < 2:
        return 1
    if not paths:
        return 7
    sizes = [proc.files.read(proc.path(path)) for path in paths if path != "-"]
    width = len(str(sum(len(data(size)) for size in sizes if size is not None)))
    kinds = [proc.files.kind(proc.path(path)) if path != "-" else "" for path in paths]
    return max(width, 7) if any(kind != "file" for kind in kinds if kind) or "-" in paths else width


def _counted(text: Text, totals: dict[str, int]) -> Generator[Any, Any, None]:
    inside, column = False, 0
    while piece := (yield from text.read()):
        totals["l"] += piece.count("\n")
        totals["m"] += len(piece)
        totals["c"] += len(data(piece))
        words = len(piece.split())
        starts = not piece[0].isspace()
        totals["w"] += words - (1 if inside and starts else 0)
        inside = not piece[-1].isspace()
        for line in piece.split("\n"):
            column += len(line.expandtabs(8)) if "\t" in line else len(line)
            totals["L"] = max(totals["L"], column)
            column = 0
        column = len(piece) - piece.rfind("\n") - 1
    text.finish_file()


BASE64 = Line("[-d] [-w COL] [FILE]", "dw:", "diw:", {"decode": "d", "ignore-garbage": "i", "wrap": "w"}, gnu_usage="[OPTION]... [FILE]")


def base64(proc: Proc, options: Options) -> Run:
    if len(options.operands) > 1:
        raise BASE64.misuse(proc, "" if busybox(proc) else f"extra operand '{options.operands[1]}'")
    wrap = number(options.value("w", "76"))
    if wrap is None:
        raise Misuse(f"base64: invalid number '{options.value('w')}'\n" if busybox(proc) else f"base64: invalid wrap size: '{options.value('w')}'\n")
    text = Text(proc, options.operands, ("{path}: {fault}", "{path}: {fault}"), ("read error: {fault}", "read error: {fault}"))
    if not text.next_file():
        return 1
    if options.has("d"):
        return (yield from _decoded(text, options.has("i")))
    rest, column = b"", 0
    while True:
        piece = yield from text.read()
        octets = rest + data(piece)
        cut = len(octets) - len(octets) % 3 if piece else len(octets)
        code, rest = coding.b64encode(octets[:cut]).decode(), octets[cut:]
        if wrap:
            line = wrap - column
            parts = [code[:line]] + [code[at:at + wrap] for at in range(line, len(code), wrap)]
            column = (column + len(code) - 1) % wrap + 1 if code else column
            if code:
                text.put(("\n" if line == 0 and code else "").join(["", parts[0]]) if line else "\n".join(parts))
                if line:
                    text.put("".join("\n" + part for part in parts[1:]))
        else:
            text.put(code)
        yield from text.sent()
        if not piece:
            break
    if wrap and column:
        text.put("\n")
    yield from text.sent()
    return 0


def _decoded(text: Text, garbage: bool) -> Run:
    whole = yield from text.whole()
    kept = re.sub(r"[^A-Za-z0-9+/=]", "", whole) if garbage or not text.gnu else whole.replace("\n", "")
    bad = re.search(r"[^A-Za-z0-9+/=]|=[^=]", kept)
    good = kept[:bad.start()] if bad is not None else kept
    spare = len(good) % 4
    partial = coding.b64decode(good[-spare:] + "=" * (4 - spare)) if spare > 1 and "=" not in good[-spare:] else b""
    good = good[:len(good) - spare]
    try:
        octets = b"".join(coding.b64decode(part) for part in re.findall(r"[^=]+=*|=+", good))
    except binascii.Error:
        bad, octets = True, b""
    text.put(decoded(octets + (partial if text.gnu else b"")))
    yield from text.sent()
    if bad is not None or len(kept) % 4:
        text.complain("invalid input" if text.gnu else "truncated input")
        return 1
    return 0


DIGEST = Line("[-c[sw]] [FILE]...", "bcstw", "bctwz", {
    "binary": "b", "check": "c", "text": "t", "warn": "w", "zero": "z", "quiet": "quiet", "status": "status", "strict": "strict",
    "ignore-missing": "ignore-missing", "tag": "tag"}, gnu_usage="[OPTION]... [FILE]...")
ALGORITHMS: dict[str, Callable[[], Any]] = {
    "md5sum": lambda: hashlib.md5(usedforsecurity=False), "sha1sum": lambda: hashlib.sha1(usedforsecurity=False), "sha224sum": hashlib.sha224,
    "sha256sum": hashlib.sha256, "sha384sum": hashlib.sha384, "sha512sum": hashlib.sha512}


def digest(proc: Proc, options: Options) -> Run:
    if options.has("c"):
        return (yield from _checked(proc, options))
    text = Text(proc, options.operands, CANNOT_OPEN, ("can't read '{path}': {fault}", "{path}: {fault}"))
    while text.next_file():
        found = yield from _sum(text)
        name = text.path
        if options.has("tag"):
            text.put(f"{proc.name.removesuffix('sum').upper()} ({name}) = {found}\n")
        else:
            escaped = text.gnu and ("\\" in name or "\n" in name)
            shown = name.replace("\\", "\\\\").replace("\n", "\\n") if escaped else name
            text.put(_line(found, shown, escaped, options.last("b", "t") == "b" and text.gnu))
    yield from text.sent()
    return 1 if text.failed else 0


def _line(found: str, name: str, escaped: bool, binary: bool) -> str:
    return ("\\" if escaped else "") + found + (" *" if binary else "  ") + name + "\n"


def _sum(text: Text) -> Generator[Any, Any, str]:
    running, proc = ALGORITHMS[text.proc.name](), text.proc
    if isinstance(proc.fds.get(text.fd), Endless):
        yield from burn(proc)
    while piece := (yield from text.read()):
        running.update(data(piece))
    text.finish_file()
    return running.hexdigest()


def _checked(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands, CANNOT_OPEN, ("can't read '{path}': {fault}", "{path}: {fault}"))
    size = ALGORITHMS[proc.name]().digest_size * 2
    quiet, silent = options.has("quiet"), options.has("status", "s")
    bad = missing = malformed = seen = 0
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            found = re.fullmatch(rf"\\?([0-9a-fA-F]{{{size}}}) [ *](.+)\n?", line)
            if found is None:
                malformed += 1
                continue
            seen += 1
            one = Text(proc, [found[2]], CANNOT_OPEN)
            if not one.next_file():
                missing += 1
                if not silent:
                    text.put(f"{found[2]}: FAILED{' open or read' if text.gnu else ''}\n")
                continue
            same = (yield from _sum(one)) == found[1].lower()
            bad += not same
            if not silent and (not same or not quiet):
                text.put(f"{found[2]}: {'OK' if same else 'FAILED'}\n")
    if text.failed:
        return 1
    if not seen:
        text.complain(f"{text.path}: no properly formatted checksum lines found" if text.gnu else "no checksum lines found")
        return 1
    if not silent and text.gnu:
        for count, what in ((malformed, "line{} {} improperly formatted"), (missing, "listed file{} could not be read"),
                            (bad, "computed checksum{} did NOT match")):
            if count:
                text.complain(f"WARNING: {count} {what.format('' if count == 1 else 's', 'is' if count == 1 else 'are')}")
    elif not silent and bad + missing:
        text.complain(f"WARNING: {bad + missing} of {seen} computed checksums did NOT match")
    yield from text.sent()
    return 1 if bad or missing or malformed and options.has("strict") else 0


CKSUM = Line("[FILE]...", "", "", {}, gnu_usage="[OPTION]... [FILE]...")


def _table() -> list[int]:
    table = []
    for octet in range(256):
        value = octet << 24
        for _ in range(8):
            value = (value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1
        table.append(value & 0xFFFFFFFF)
    return table


CRC = _table()


def _crc(octets: bytes, value: int) -> int:
    for octet in octets:
        value = ((value << 8) ^ CRC[(value >> 24) ^ octet]) & 0xFFFFFFFF
    return value


def cksum(proc: Proc, options: Options) -> Run:
    text = Text(proc, options.operands)
    while text.next_file():
        value = size = 0
        if isinstance(proc.fds.get(text.fd), Endless):
            yield from burn(proc)
        while piece := (yield from text.read(8192)):
            octets = data(piece)
            value, size = _crc(octets, value), size + len(octets)
            if proc.spins(8):
                yield from proc.breathe()
        length = size.to_bytes((size.bit_length() + 7) // 8, "little")
        text.put(f"{_crc(length, value) ^ 0xFFFFFFFF} {size}{f' {text.path}' if text.path != '-' or options.operands else ''}\n")
    yield from text.sent()
    return 1 if text.failed else 0


PROGRAMS: dict[str, Program] = {
    "wc": Program(tool(WC, wc)), "base64": Program(tool(BASE64, base64)), "cksum": Program(tool(CKSUM, cksum)),
    **dict.fromkeys(ALGORITHMS, Program(tool(DIGEST, digest))),
}
