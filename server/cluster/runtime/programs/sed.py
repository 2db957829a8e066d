"""sed: a script run over each line.

``sedscript`` is the script's grammar, ``sededitor`` the cycle; here are the options, and where the script is read from.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sed.html
"""

from __future__ import annotations

from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs import regex
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, busybox, number, tool
from server.cluster.runtime.programs.sededitor import Editor
from server.cluster.runtime.programs.sedscript import BadScript, parse
from server.cluster.runtime.streams import Fault

LINE = Line("[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]...", "i::rEne:f:", "bsnrzuEe:f:l:i::V:", {
    "expression": "e", "file": "f", "in-place": "i", "regexp-extended": "r", "quiet": "n", "silent": "n", "separate": "s",
    "null-data": "z", "line-length": "l", "unbuffered": "u", "posix": "posix", "sandbox": "sandbox"},
    1, "[OPTION]... {script-only-if-no-other-script} [input-file]...",
    "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n")


def run(proc: Proc, options: Options) -> Run:
    pieces, operands, gnu = [], list(options.operands), not busybox(proc)
    for name, value in options.given:
        if name == "e":
            pieces.append(value)
        elif name == "f":
            try:
                stream = proc.open(value) if value != "-" else proc.fds[0]
                pieces.append((stream.read(1 << 20) or "").removesuffix("\n"))
            except Fault as fault:
                raise Misuse(f"sed: {value}: {fault}\n" if not gnu else f"sed: couldn't open file {value}: {fault}\n") from None
    if not options.has("e", "f"):
        if not operands:
            raise LINE.misuse(proc, code=1)
        pieces.append(operands.pop(0))
    script = "\n".join(pieces)
    width = number(options.value("l", "70"))
    if width is None:
        raise Misuse(f"sed: invalid line length: {options.value('l')}\n")
    if script.startswith("#!"):
        script = "#" + script[1:]
    quiet = options.has("n") or script == "#n" or script.startswith("#n\n")
    try:
        commands = parse(script, options.has("r", "E"), gnu)
        in_place = options.value("i") if options.has("i") else None
        sed = Editor(proc, commands, quiet, options.has("s") or in_place is not None, in_place, "\0" if options.has("z") else "\n", width)
        sed.open_sinks()
        if in_place is not None and not operands:
            if not gnu:
                raise LINE.misuse(proc)
            raise Misuse("sed: no input files\n", 1)
        return (yield from sed.run(operands or ["-"]))
    except BadScript as bad:
        proc.err(f"sed: {bad}\n")
        return bad.code
    except regex.TooComplex:
        proc.err("sed: the pattern is too complex for a line of this length\n")
        return 4 if gnu else 1


PROGRAMS: dict[str, Program] = {"sed": Program(tool(LINE, run))}
