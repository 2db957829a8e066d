"""tr and dos2unix: characters for characters. They go by bytes, as in the POSIX locale.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/tr.html
"""

from __future__ import annotations

import re
import string

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, Text, busybox, data, tool
from server.cluster.runtime.programs.inputs import text as decoded
from server.cluster.runtime.streams import Fault

TR = Line("[-cds] STRING1 [STRING2]", "+cCds", "+cCdst", {"complement": "c", "delete": "d", "squeeze-repeats": "s", "truncate-set1": "t"},
          gnu_usage="[OPTION]... STRING1 [STRING2]")
CLASSES = {"alpha": string.ascii_letters, "digit": string.digits, "alnum": string.digits + string.ascii_letters,
           "upper": string.ascii_uppercase, "lower": string.ascii_lowercase, "space": "\t\n\v\f\r ", "blank": "\t ",
           "punct": string.punctuation, "xdigit": "0123456789ABCDEFabcdef", "cntrl": "".join(map(chr, (*range(32), 127))),
           "print": "".join(map(chr, range(32, 127))), "graph": "".join(map(chr, range(33, 127)))}
ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
TOKEN = re.compile(rb"\[:([a-z]+):\]|\[=(.)=\]|\[(\\[0-7]{1,3}|\\.|[^\\])\*(\d*)\]|\\([0-7]{1,3})|\\(.)|(.)", re.S)
MOST = 100_000


class _Set:
    """The bytes of a string, in order. ``filler`` is where ``[x*]`` stands in it; ``cases`` where upper or lower stand."""

    def __init__(self, proc: Proc, word: str) -> None:
        self.octets: list[int] = []
        self.filler: int | None = None
        self.cases: list[tuple[int, str]] = []
        self.classes = False
        text, at = data(word), 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                break
            at = found.end()
            if found[1] is not None:
                name = found[1].decode()
                if name not in CLASSES and busybox(proc):
                    self.octets += found[0]
                    continue
                if name not in CLASSES:
                    raise Misuse(f"tr: invalid character class '{name}'\n")
                if name in ("upper", "lower"):
                    self.cases.append((len(self.octets), name))
                else:
                    self.classes = True
                self.octets += sorted(map(ord, CLASSES[name]))
            elif found[2] is not None:
                self.octets.append(found[2][0])
            elif found[3] is not None:
                count = int(found[4], 8 if found[4].startswith(b"0") else 10) if found[4] else 0
                if count:
                    self.octets += [self._octet(found[3])] * min(count, MOST)
                else:
                    self.filler = len(self.octets)
                    self.octets.append(self._octet(found[3]))
            else:
                low = self._octet(found[0])
                high = TOKEN.match(text, at + 1) if text[at:at + 1] == b"-" and at + 1 < len(text) else None
                if high is not None and high[1] is None and high[2] is None:
                    at = high.end() if high[3] is None else at + 2
                    last = self._octet(high[0] if high[3] is None else b"[")
                    if last < low and not busybox(proc):
                        raise Misuse(f"tr: range-endpoints of '{chr(low)}-{chr(last)}' are in reverse collating sequence order\n")
                    self.octets += range(low, last + 1)
                else:
                    self.octets.append(low)

    @staticmethod
    def _octet(token: bytes) -> int:
        if token[:1] != b"\\" or len(token) == 1:
            return token[0]
        if token[1:].isdigit() and token[1] < 56:
            return int(token[1:], 8) & 255
        return ESCAPES.get(chr(token[1]), token[1])


def tr(proc: Proc, options: Options) -> Run:
    words, gnu = options.operands, not busybox(proc)
    delete, squeeze, complement = options.has("d"), options.has("s"), options.has("c", "C")
    fewest = 1 if not gnu else 2 if not (delete or squeeze) or delete and squeeze else 1
    if len(words) < fewest or len(words) > (2 if not delete or squeeze else 1):
        raise TR.misuse(proc, _counts(words, fewest, delete, squeeze) if gnu else "")
    first = _Set(proc, words[0])
    chosen = [octet for octet in range(256) if octet not in set(first.octets)] if complement else first.octets
    second = _Set(proc, words[1]) if len(words) > 1 else None
    table = list(range(256))
    if second is not None and not delete:
        _map(table, chosen, first, second, options.has("t"), gnu)
    kept = [not (delete and octet in set(chosen)) for octet in range(256)]
    squeezed = bytearray(256)
    for octet in (second.octets if second is not None else chosen) if squeeze else ():
        squeezed[octet] = 1
    mapping, dropped = bytes(table), bytes(octet for octet in range(256) if not kept[octet])
    runs = re.compile(b"([" + b"".join(re.escape(bytes([octet])) for octet in range(256) if squeezed[octet]) + b"])\\1+") if any(squeezed) else None
    text, last = Text(proc), b""
    text.next_file()
    while piece := (yield from text.read()):
        octets = data(piece).translate(mapping, dropped)
        if runs is not None and octets:
            octets = runs.sub(rb"\1", octets)
            if octets[:1] == last and squeezed[octets[0]]:
                octets = octets[1:]
            last = octets[-1:] or last
        text.put(decoded(octets))
        yield from text.sent()
    return 0


def _counts(words: list[str], fewest: int, delete: bool, squeeze: bool) -> str:
    if not words:
        return "missing operand"
    if len(words) < fewest:
        what = "deleting and squeezing repeats" if delete and squeeze else "translating"
        return f"missing operand after '{words[-1]}'\nTwo strings must be given when {'both ' if delete else ''}{what}."
    extra = words[1 if delete and not squeeze else 2]
    return f"extra operand '{extra}'" + ("\nOnly one string may be given when deleting without squeezing repeats." if delete and not squeeze else "")


def _map(table: list[int], chosen: list[int], first: _Set, second: _Set, truncate: bool, gnu: bool) -> None:
    target = list(second.octets)
    if not target:
        if gnu and not truncate:
            raise Misuse("tr: when not truncating set1, string2 must be non-empty\n")
        return
    if gnu and second.classes:
        raise Misuse("tr: when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'\n")
    if second.filler is not None:
        missing = len(chosen) - len(target)
        target[second.filler:second.filler] = [target[second.filler]] * max(0, missing)
    if truncate:
        chosen = chosen[:len(target)]
    target += [target[-1]] * (len(chosen) - len(target))
    for octet, other in zip(chosen, target, strict=False):
        table[octet] = other


DOS = Line("[-ud] [FILE]", "ud", "", {}, gnu_usage="[options] [file ...]")


def dos2unix(proc: Proc, options: Options) -> Run:
    to_dos = options.last("u", "d") == "d" if options.has("u", "d") else proc.name == "unix2dos"

    def turned(text: str) -> str:
        plain = text.replace("\r\n", "\n")
        return plain.replace("\n", "\r\n") if to_dos else plain

    if options.operands:
        for path in options.operands:
            text = proc.files.read(proc.path(path))
            if text is None:
                proc.err(f"{proc.name}: can't open '{path}': No such file or directory\n" if busybox(proc) else
                         f"{proc.name}: {path}: No such file or directory\n{proc.name}: Skipping {path}, not a regular file.\n")
                return 1
            if fault := proc.files.write(proc.path(path), turned(text)):
                raise Fault(fault)
            if not busybox(proc):
                proc.err(f"{proc.name}: converting file {path} to {'DOS' if to_dos else 'Unix'} format...\n")
        return 0
    text = Text(proc)
    while (lines := (yield from text.all_lines())) is not None:
        text.put(turned("".join(lines)))
        yield from text.sent()
    return 0


PROGRAMS: dict[str, Program] = {"tr": Program(tool(TR, tr)), **dict.fromkeys(("dos2unix", "unix2dos"), Program(tool(DOS, dos2unix)))}
