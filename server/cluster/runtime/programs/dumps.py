"""od, hexdump, xxd and strings: bytes made visible.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/od.html
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, number, tool
from server.cluster.runtime.programs.inputs import text as decoded

NAMES = ["nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr", "so", "si", "dle",
         "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp"]
LETTERS = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
SUFFIXES = {"b": 512, "k": 1024, "K": 1024, "m": 1024 ** 2, "M": 1024 ** 2}
INTEGERS = {1: "b", 2: "h", 4: "i", 8: "q"}
WIDTHS = {"o": {1: 3, 2: 6, 4: 11, 8: 22}, "x": {1: 2, 2: 4, 4: 8, 8: 16}, "d": {1: 4, 2: 6, 4: 11, 8: 20}, "u": {1: 3, 2: 5, 4: 10, 8: 20}}


class Format(NamedTuple):
    """One way to print a line: units of ``size`` bytes, each in ``width`` columns."""

    size: int
    width: int
    show: Callable[[bytes], str]
    text: bool = False


def _integer(kind: str, size: int) -> Format:
    code = INTEGERS[size] if kind == "d" else INTEGERS[size].upper()
    width = WIDTHS[kind][size]

    def show(unit: bytes) -> str:
        value = struct.unpack("<" + code, unit)[0]
        return f"{value:0{width}o}" if kind == "o" else f"{value:0{width}x}" if kind == "x" else str(value)

    return Format(size, width, show)


def _letter(unit: bytes) -> str:
    octet = unit[0]
    return LETTERS.get(octet) or (chr(octet) if 32 <= octet < 127 else f"{octet:03o}")


def _named(unit: bytes) -> str:
    octet = unit[0] & 127
    return NAMES[octet] if octet < len(NAMES) else "del" if octet == 127 else chr(octet)


def _real(size: int) -> Format:
    code, digits = ("f", 8) if size == 4 else ("d", 17)
    return Format(size, 15 if size == 4 else 24, lambda unit: f"{struct.unpack('<' + code, unit)[0]:.{digits}g}")


OD = Line("[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w WIDTH] [FILE]...", "A:N:abcdDeFfHhIij:lLOoS:st:vw::xX",
          "A:N:abcdDeFfHhIij:lLOoS:st:vw::xX", {"address-radix": "A", "skip-bytes": "j", "read-bytes": "N", "format": "t", "strings": "S",
                                              "output-duplicates": "v", "width": "w"}, gnu_usage="[OPTION]... [FILE]...")
OLD = {"a": "a", "b": "o1", "c": "c", "d": "u2", "f": "fF", "h": "x2", "i": "dI", "l": "dL", "o": "o2", "s": "d2", "x": "x2", "D": "u4",
       "e": "fD", "F": "fD", "H": "x4", "X": "x4", "I": "dL", "L": "dL", "O": "o4"}
OLD_BUSYBOX = OLD | {"i": "d2", "l": "d4", "I": "d4", "L": "d4"}
SIZES = {"C": 1, "S": 2, "I": 4, "L": 8, "F": 4, "D": 8}


def _formats(proc: Proc, word: str) -> list[Format]:
    """The types of one -t. Misuse."""
    found, at = [], 0
    shape = re.compile(r"([acdoux]|f)(\d+|[CSILFD])?(z?)")
    while at < len(word):
        match = shape.match(word, at)
        if match is None:
            raise Misuse(f"od: invalid character '{word[at]}' in type string '{word}'\n")
        kind, size, text = match.groups()
        count = SIZES[size] if size in SIZES else int(size) if size else 8 if kind == "f" else 4
        if kind in "ac":
            found.append(Format(1, 3, _letter if kind == "c" else _named, bool(text)))
        elif kind == "f":
            if count not in (4, 8):
                raise Misuse(f"od: invalid type string '{word}';\nthis system doesn't provide a {count}-byte floating point type\n")
            found.append(_real(count)._replace(text=bool(text)))
        else:
            if count not in INTEGERS:
                raise Misuse(f"od: invalid type string '{word}';\nthis system doesn't provide a {count}-byte integral type\n")
            found.append(_integer(kind, count)._replace(text=bool(text)))
        at = match.end()
    return found


def _amount(proc: Proc, options: Options, name: str, default: int | None) -> int | None:
    if not options.has(name):
        return default
    word = options.value(name)
    value = int(word, 16) if re.fullmatch(r"0[xX][0-9a-fA-F]{1,12}", word) else int(word, 8) if re.fullmatch(r"0[0-7]{1,15}", word) else (
        number(word, SUFFIXES))
    if value is None:
        raise Misuse(f"{proc.name}: invalid number '{word}'\n" if busybox(proc) else f"{proc.name}: invalid -{name} argument '{word}'\n")
    return value


def od(proc: Proc, options: Options) -> Run:
    old = OLD_BUSYBOX if busybox(proc) else OLD
    formats = [each for name, value in options.given if name == "t" or name in old
               for each in _formats(proc, value if name == "t" else old[name])] or [_integer("o", 2)]
    radix = options.value("A", "o")
    if radix not in ("d", "o", "x", "n"):
        raise Misuse(f"od: invalid output address radix '{radix}'; it must be one character from [doxn]\n" if not busybox(proc) else
                     f"od: bad output address radix '{radix}' (must be [doxn])\n")
    if options.has("S"):
        raise Misuse("od: -S is not simulated: see strings\n")
    width = 16
    if options.has("w"):
        width = number(options.value("w") or "32") or 0
        if not width or width > 4096 or any(width % each.size for each in formats):
            raise Misuse(f"od: invalid -w argument '{options.value('w')}'\n")
    address = {"o": lambda at: f"{at:07o}", "d": lambda at: f"{at:07d}", "x": lambda at: f"{at:06x}", "n": lambda at: ""}[radix]
    columns = max(width // each.size * (each.width + 1) for each in formats)

    def show(at: int, octets: bytes, text: Text) -> None:
        lead = address(at)
        for each in formats:
            units = [octets[place:place + each.size].ljust(each.size, b"\0") for place in range(0, len(octets), each.size)]
            cell = columns // (width // each.size)
            line = "".join(f"{each.show(unit):>{cell}}" for unit in units)
            if each.text:
                visible = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)
                line = f"{line:<{columns}}  >{visible}<"
            text.put(f"{lead}{line}\n")
            lead = " " * len(lead)

    text = Text(proc, options.operands, ("{path}: {fault}", "{path}: {fault}"), ("{path}: read error", "{path}: {fault}"))
    end = yield from _dumped(text, width, _amount(proc, options, "j", 0), _amount(proc, options, "N", None), options.has("v"), show)
    if radix != "n" and (end or not text.failed):
        text.put(address(end) + "\n")
    yield from text.sent()
    return 1 if text.failed else 0


def _dumped(text: Text, width: int, skip: int, most: int | None, all_lines: bool, show: Callable[[int, bytes, Text], None],
            squeeze: bool = True) -> Generator[Any, Any, int]:
    """Shows the bytes of all operands line by line, equal ones as ``*``: where they end."""
    at, rest, last, starred = skip, b"", None, False
    left, passed = most, skip
    while left is None or left > 0:
        if text.fd is None and not text.next_file():
            break
        octets = data((yield from text.read(8192)))
        if not octets:
            text.finish_file()
            continue
        cut = min(passed, len(octets))
        passed, octets = passed - cut, octets[cut:]
        if left is not None:
            octets = octets[:left]
            left -= len(octets)
        rest += octets
        whole = len(rest) // width * width
        for place in range(0, whole, width):
            line = rest[place:place + width]
            if line == last and not all_lines and squeeze:
                if not starred:
                    text.put("*\n")
                starred = True
            else:
                show(at, line, text)
                last, starred = line, False
            at += width
            if text.due:
                yield from text.sent()
                if text.proc.spins(8):
                    yield from text.proc.breathe()
        rest = rest[whole:]
    text.finish_file()
    if rest:
        show(at, rest, text)
        at += len(rest)
    return at


HEXDUMP = Line("[-bcdoxCv] [-n LEN] [-s OFS] [FILE]...", "bcdoxCvn:s:", "bcdoxCvn:s:", {
    "one-byte-octal": "b", "one-byte-char": "c", "canonical": "C", "two-bytes-decimal": "d", "two-bytes-octal": "o", "two-bytes-hex": "x",
    "length": "n", "skip": "s", "no-squeezing": "v"}, gnu_usage="[options] <file>...")
DUMPS: dict[str, tuple[int, str]] = {"": (2, " {:04x}"), "x": (2, "    {:04x}"), "d": (2, "   {:05d}"), "o": (2, "  {:06o}"), "b": (1, " {:03o}")}


def hexdump(proc: Proc, options: Options) -> Run:
    kinds = [name for name, _ in options.given if name in "bcdoxC"] or [""]
    if proc.name == "hd":
        kinds = ["C"]

    def show(at: int, octets: bytes, text: Text) -> None:
        for kind in kinds:
            if kind == "C":
                cells = [f"{octet:02x}" for octet in octets] + ["  "] * (16 - len(octets))
                visible = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)
                text.put(f"{at:08x}  {' '.join(cells[:8])}  {' '.join(cells[8:])}  |{visible}|\n")
                continue
            if kind == "c":
                line, full = "".join(f"{_letter(bytes([octet])):>4}" for octet in octets), 64
            else:
                size, shape = DUMPS[kind]
                units = [int.from_bytes(octets[place:place + size], "little") for place in range(0, len(octets), size)]
                line, full = "".join(shape.format(unit) for unit in units), len(shape.format(0)) * (16 // size)
            text.put(f"{at:07x}{line:<{full}}\n")

    text = Text(proc, options.operands)
    skip, most = _amount(proc, options, "s", 0), _amount(proc, options, "n", None)
    begun = 0
    end = yield from _dumped(text, 16, skip, most, options.has("v"), show)
    if end or not text.failed:
        text.put("" if end == begun else f"{end:08x}\n" if "C" in kinds else f"{end:07x}\n")
    yield from text.sent()
    if text.failed and text.gnu and not end:
        text.complain("all input file arguments failed")
    return 1 if text.failed else 0


XXD = Line("[-pri] [-g N] [-c N] [-n LEN] [-s OFS] [-o OFS] [FILE]", "g:c:n:l:s:o:pri", "abc:eg:il:o:prs:u", {})


def _old_xxd(words: list[str]) -> list[str]:
    return [{"-ps": "-p", "-plain": "-p", "-postscript": "-p", "-cols": "-c", "-len": "-l", "-seek": "-s", "-revert": "-r", "-include": "-i",
             "-bits": "-b", "-groupsize": "-g", "-u": "-u"}.get(word, word) for word in words]


def xxd(proc: Proc, options: Options) -> Run:
    plain, bits, include = options.has("p"), options.has("b") and not busybox(proc), options.has("i")
    columns = _amount(proc, options, "c", 30 if plain else 12 if include else 6 if bits else 16)
    group = _amount(proc, options, "g", 1 if bits else 2)
    skip, most, shift = (_amount(proc, options, name, default) for name, default in (("s", 0), ("l", _amount(proc, options, "n", None) if
                         busybox(proc) else None), ("o", 0)))
    if not columns or columns > 256:
        raise Misuse("xxd: invalid number of columns (max. 256).\n")
    if len(options.operands) > 1:
        raise Misuse("xxd: an output file is not simulated: use >\n")
    text = Text(proc, options.operands)
    if options.has("r"):
        return (yield from _reverted(text, plain))
    shape = "08b" if bits else "02X" if options.has("u") else "02x"

    def show(at: int, octets: bytes, text: Text) -> None:
        cells = [format(octet, shape) for octet in octets]
        if plain:
            text.put("".join(cells) + "\n")
            return
        step = group or columns
        parts = ["".join(cells[place:place + step]) for place in range(0, len(cells), step)]
        full = columns * len(format(0, shape)) + (columns - 1) // step
        visible = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)
        text.put(f"{at + shift:08x}: {' '.join(parts):<{full}}  {visible}\n")

    if include:
        if not text.next_file():
            return 1 if busybox(proc) else 2
        octets = data((yield from text.whole()))[skip:]
        octets = octets[:most] if most is not None else octets
        name = re.sub(r"[^A-Za-z0-9_]", "_", text.path)
        rows = ["  " + ", ".join(f"0x{octet:02x}" for octet in octets[place:place + columns]) for place in range(0, len(octets), columns)]
        body = ",\n".join(rows) + ("," if not text.gnu and rows else "")
        text.put(f"unsigned char {name}[] = {{\n{body}\n}};\nunsigned int {name}_len = {len(octets)};\n" if options.operands else body + "\n")
    else:
        yield from _dumped(text, columns, skip, most, True, show)
    yield from text.sent()
    return 0 if not text.failed else 1 if busybox(proc) else 2


def _reverted(text: Text, plain: bool) -> Run:
    while (lines := (yield from text.all_lines())) is not None:
        for line in lines:
            body = line.rstrip("\n")
            if not plain:
                body = body.partition(":")[2].lstrip().partition("  ")[0]
            digits = re.match(r"(?:[0-9a-fA-F]{2}|\s)*", body)[0]
            text.put(decoded(bytes.fromhex(digits)))
        yield from text.sent()
    return 1 if text.failed else 0


STRINGS = Line("[-fo] [-t o|d|x] [-n LEN] [FILE]...", "an:fot:", "an:fot:", {"bytes": "n", "radix": "t", "all": "a", "print-file-name": "f"},
               gnu_usage="[option(s)] [file(s)]")


def _lengths(words: list[str]) -> list[str]:
    return [f"-n{word[1:]}" if re.fullmatch(r"-\d{1,5}", word) else word for word in words]


def strings(proc: Proc, options: Options) -> Run:
    least = number(options.value("n", "4"))
    if not least:
        raise Misuse(f"strings: invalid number '{options.value('n')}'\n" if busybox(proc) else
                     f"strings: invalid minimum string length {options.value('n')}\n")
    radix = options.value("t", "o" if options.has("o") else "")
    if radix and radix not in "odx":
        raise STRINGS.misuse(proc)
    text = Text(proc, options.operands, ("{path}: {fault}", "'{path}': No such file"), ("{path}: {fault}", "Warning: '{path}' is a directory"))
    while text.next_file():
        at = count = 0
        run = ""
        name = f"{text.path}: " if options.has("f") else ""

        def show(run: str, at: int, name: str = name) -> None:
            if len(run) >= least:
                text.put(name + (f"{at - len(run):7{radix}} " if radix else "") + run + "\n")

        while piece := (yield from text.read()):
            for octet in data(piece):
                if 32 <= octet < 127 or octet == 9:
                    run += chr(octet)
                    if len(run) > 65536:
                        show(run, at + count + 1)
                        run = ""
                else:
                    show(run, at + count)
                    run = ""
                count += 1
            if proc.spins(16):
                yield from proc.breathe()
            yield from text.sent()
        show(run, at + count)
        yield from text.sent()
    return 1 if text.failed else 0


PROGRAMS: dict[str, Program] = {
    "od": Program(tool(OD, od)), "hexdump": Program(tool(HEXDUMP, hexdump)), "hd": Program(tool(HEXDUMP, hexdump)),
    "xxd": Program(tool(XXD, xxd, _old_xxd)), "strings": Program(tool(STRINGS, strings, _lengths)),
}
