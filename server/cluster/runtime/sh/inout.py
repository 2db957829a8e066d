"""The builtins that read and print: echo, printf, read, getopts.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/printf.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.process import Pass
from server.cluster.runtime.program import MEMORY, OutOfMemory
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.fields import BLANKS
from server.cluster.runtime.sh.printf import Stop, formatted, unescaped
from server.cluster.runtime.streams import Fault

NAME = re.compile(r"[A-Za-z_]\w*", re.A)


def wrote(sh: Any, text: str, command: str) -> int:
    if 1 not in sh.proc.fds:
        sh.complain("write error: Bad file descriptor", "" if sh.flavor == "ash" else command)
        return 1
    sh.proc.out(text)
    return 0


def echo(sh: Any, argv: list[str], frame: Any) -> int:
    words, newline, escapes = argv[1:], True, sh.flavor == "dash"
    if sh.flavor == "dash":
        if words[:1] == ["-n"]:
            newline, words = False, words[1:]
    else:
        while words and re.fullmatch(r"-[neE]+", words[0]):
            for letter in words.pop(0)[1:]:
                newline, escapes = newline and letter != "n", letter == "e" if letter in "eE" else escapes
    text = " ".join(words)
    if escapes:
        text, stopped = unescaped(text, True)
        newline = newline and not stopped
    return wrote(sh, text + "\n" * newline, "echo")


def printf(sh: Any, argv: list[str], frame: Any) -> int:
    words, target = argv[1:], None
    if words[:1] == ["-v"] and sh.flavor == "bash" and len(words) > 1:
        target, words = words[1], words[2:]
    if words[:1] == ["--"]:
        words.pop(0)
    if not words:
        if sh.flavor == "bash":
            sh.proc.err("printf: usage: printf [-v var] format [arguments]\n")
        else:
            sh.complain("usage: printf FORMAT [ARGUMENT...]" if sh.flavor == "ash" else "usage: printf format [arg ...]",
                        "" if sh.flavor == "ash" else "printf")
        return 2
    faults: list[str] = []
    try:
        text = formatted(words[0], words[1:], sh.flavor, faults)
    except Stop as stop:
        text = str(stop)
    for fault in faults:
        sh.complain(fault, "" if sh.flavor == "ash" else "printf")
    if target is not None:
        sh.put(target, text)
        return int(bool(faults))
    return wrote(sh, text, "printf") or int(bool(faults)) * (2 if sh.flavor == "dash" and any("directive" in fault for fault in faults) else 1)


def read(sh: Any, argv: list[str], frame: Any) -> Going:
    """Reads a line, waiting for it; what it has read so far is in frame["got"]."""
    words, raw, prompt, count, timeout, fd, end, array = argv[1:], False, "", None, None, 0, "\n", ""
    sh.pure = False
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        rest = option[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter in "rse":
                raw = raw or letter == "r"
                continue
            if letter not in "pntudNa" or sh.flavor == "dash" and letter != "p" or letter in "aN" and sh.flavor != "bash":
                return badly(sh, letter)
            value = rest or (words.pop(0) if words else "")
            rest = ""
            if letter == "p":
                prompt = value
            elif letter == "d":
                end = value[:1] or "\0"
            elif letter == "a":
                array = value
            elif letter in "nNu":
                if not value.isdigit():
                    sh.complain(f"{value}: invalid number" if sh.flavor == "bash" else f"invalid count '{value}'", "read")
                    return 1
                if letter == "u":
                    fd = int(value)
                else:
                    count = int(value)
            else:
                if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value):
                    sh.complain(f"{value}: invalid timeout specification" if sh.flavor == "bash" else "invalid timeout", "read")
                    return 1
                timeout = float(value)
    for name in words:
        if not NAME.fullmatch(name):
            if sh.flavor == "bash":
                sh.complain(f"`{name}': not a valid identifier", "read")
                return 1
            if sh.flavor == "dash":
                raise sh.trouble(f"{name}: bad variable name", "read")
            sh.complain(f"read: '{name}': bad variable name")
            return 1
    proc = sh.proc
    if prompt and proc.isatty(fd) and "got" not in frame:
        proc.err(prompt)
    frame.setdefault("got", "")
    if timeout is not None:
        frame.setdefault("until", proc.system.clock.now + timeout)
    stream = proc.fds.get(fd)
    if stream is None:
        sh.complain(f"{fd}: invalid file descriptor: Bad file descriptor" if sh.flavor == "bash" else "read error: Bad file descriptor", "read")
        return 1
    status = 0
    while True:
        got = frame["got"]
        if count is not None and len(got) >= count:
            break
        if got.endswith(end) and (raw or not continued(got)) and count is None:
            break
        if got.endswith(end) and count is not None:
            break
        try:
            text = stream.readline() if end == "\n" and count is None else stream.read(1)
        except Fault as fault:
            sh.complain(f"read error: {fault}", "read")
            return 1
        if text is None:
            if "until" in frame and proc.system.clock.now >= frame["until"]:
                status = 142 if sh.flavor == "bash" else 1
                break
            if sh.interrupted():
                return 128 + sh.pending[0]
            yield Pass(stream.readable, max(0.0, frame["until"] - proc.system.clock.now) if "until" in frame else None)
            continue
        if text == "":
            status = 1
            break
        if len(got) + len(text) > MEMORY:
            raise OutOfMemory
        frame["got"] = got + text
    text = frame.pop("got")
    frame.pop("until", None)
    if text.endswith(end):
        text = text[:-1]
    assign(sh, words, text.replace("\0", ""), raw, array)
    return status


def continued(text: str) -> bool:
    """Whether the newline at the end is escaped."""
    body = text[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


def badly(sh: Any, letter: str) -> int:
    if sh.flavor == "bash":
        sh.complain(f"-{letter}: invalid option", "read")
        return 2
    raise sh.trouble(f"{'il' if sh.flavor == 'ash' else 'Il'}legal option -{letter}", "read")


def assign(sh: Any, names: list[str], text: str, raw: bool, array: str) -> None:
    """Splits a line by IFS over the variables; the last takes what is left."""
    chars: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and not raw:
            at += 1
            if at < len(text) and text[at] != "\n":
                chars.append((text[at], True))
        else:
            chars.append((text[at], False))
        at += 1
    ifs = sh.get("IFS") or ""
    if not names and not array:
        sh.put("REPLY", "".join(char for char, _ in (chars if sh.flavor == "bash" else trim(chars, ifs))))
        return
    chars = trim(chars, ifs)
    values: list[str] = []
    limit = len(names) if not array else None
    while chars and (limit is None or len(values) < limit - 1):
        cut = next((place for place, (char, quoted) in enumerate(chars) if not quoted and char in ifs), None)
        if cut is None:
            values.append("".join(char for char, _ in chars))
            chars = []
            break
        values.append("".join(char for char, _ in chars[:cut]))
        place = cut
        while place < len(chars) and not chars[place][1] and chars[place][0] in ifs and chars[place][0] in BLANKS:
            place += 1
        if place < len(chars) and not chars[place][1] and chars[place][0] in ifs:
            place += 1
            while place < len(chars) and not chars[place][1] and chars[place][0] in ifs and chars[place][0] in BLANKS:
                place += 1
        chars = chars[place:]
    if array:
        sh.put(array, {str(at): value for at, value in enumerate(values)})
        return
    if chars:
        rest = "".join(char for char, _ in chars)
        if chars[-1][0] in ifs and not chars[-1][1] and chars[-1][0] not in BLANKS and sum(char in ifs for char, quoted in chars) == 1:
            rest = rest[:-1]
        values.append(rest)
    for place, name in enumerate(names):
        sh.put(name, values[place] if place < len(values) else "")


def trim(chars: list[tuple[str, bool]], ifs: str) -> list[tuple[str, bool]]:
    start, end = 0, len(chars)
    while start < end and chars[start][0] in ifs and chars[start][0] in BLANKS and not chars[start][1]:
        start += 1
    while end > start and chars[end - 1][0] in ifs and chars[end - 1][0] in BLANKS and not chars[end - 1][1]:
        end -= 1
    return chars[start:end]


def getopts(sh: Any, argv: list[str], frame: Any) -> int:
    if len(argv) < 3:
        if sh.flavor == "bash":
            sh.proc.err("getopts: usage: getopts optstring name [arg ...]\n")
            return 2
        raise sh.trouble("usage: getopts optstring var [arg...]" if sh.flavor == "ash" else "Usage: getopts optstring var [arg]", "getopts")
    options, name, words = argv[1], argv[2], argv[3:] or sh.params
    index = int(sh.get("OPTIND") or "1") if (sh.get("OPTIND") or "1").isdigit() else 1
    inside = sh.state.get("getopts", 0) if sh.state.get("getopts_at") == index else 0
    silent = options.startswith(":")
    word = words[index - 1] if 0 < index <= len(words) else ""
    if not inside and (not word.startswith("-") or word == "-" or word == "--"):
        if word == "--":
            index += 1
        sh.put("OPTIND", str(index))
        sh.put(name, "?")
        sh.state["getopts"] = 0
        return 1
    at = inside or 1
    letter = word[at]
    place = options.find(letter) if letter != ":" else -1
    at += 1
    if at >= len(word):
        index, at = index + 1, 0
    argument = None
    who = sh.state["zero"] + ": " if sh.flavor == "bash" else ""
    if place < 0:
        found = "?"
        if silent:
            argument = letter
        else:
            sh.proc.err(f"{who}illegal option -- {letter}\n" if sh.flavor == "bash" else f"Illegal option -{letter}\n")
    elif options[place + 1:place + 2] == ":":
        found = letter
        if at:
            argument, index, at = word[at:], index + 1, 0
        elif index <= len(words):
            argument, index = words[index - 1], index + 1
        else:
            found = ":" if silent else "?"
            if silent:
                argument = letter
            else:
                sh.proc.err(f"{who}option requires an argument -- {letter}\n" if sh.flavor == "bash" else f"No arg for -{letter} option\n")
    else:
        found = letter
    sh.state["getopts"], sh.state["getopts_at"] = at, index
    sh.put("OPTIND", str(index))
    sh.put(name, found)
    if argument is None:
        if sh.flavor != "bash":
            sh.put("OPTARG", "")
        elif sh.get("OPTARG") is not None:
            sh.unset("OPTARG")
    else:
        sh.put("OPTARG", argument)
    return 0


BUILTINS = {"echo": echo, "printf": printf, "read": read, "getopts": getopts}
