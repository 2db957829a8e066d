"""The small programs that a container's shell and probes call: each takes its words and a ``Machine`` and answers at once.

``COMMANDS`` maps a name to a function (machine, argv) -> Done(status, stdout, stderr). What takes time (``sleep``, ``tail -f``) and
what never ends (servers) is not here but in ``programs``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from server.cluster.disks import IS_DIRECTORY, NOT_FOUND
from server.cluster.runtime.files import NO_DIRECTORY, Files


class Done(NamedTuple):
    """``outside``: it may come out otherwise without anything in the pod having changed."""

    status: int
    out: str = ""
    err: str = ""
    outside: bool = False


MEMORY = 256 * 1024  # characters that a program may hold at once: a word, its variables, what it prints
WIDEST = 1_000


class OutOfMemory(Exception):
    """A program needs more than that."""


class Text:
    """Text that grows piece by piece, up to what a program can hold."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def __iadd__(self, piece: str) -> Text:
        self._size += len(piece)
        if self._size > MEMORY:
            raise OutOfMemory
        self._pieces.append(piece)
        return self

    def __str__(self) -> str:
        return "".join(self._pieces)


class Machine(Protocol):
    """What a program sees of the container that it runs in."""

    hostname: str
    ip: str
    files: Files

    def environment(self) -> dict[str, str]: ...

    def time(self) -> datetime: ...


def _echo(machine: Machine, argv: list[str]) -> Done:
    words, newline, escapes = argv[1:], "\n", False
    while words and re.fullmatch("-[neE]+", words[0]):
        newline = "" if "n" in words[0] else newline
        escapes = escapes or "e" in words[0]
        words = words[1:]
    text = " ".join(words)
    return Done(0, (_unescaped(text) if escapes else text) + newline)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([ntr\\])", lambda found: {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}[found[1]], text)


def _printf(machine: Machine, argv: list[str]) -> Done:
    if len(argv) < 2:
        return Done(1, "", "usage: printf FORMAT [ARG]...\n")
    values = iter(argv[2:])
    shape = re.compile(r"%([-0]?\d*)([sdi%])")

    def fill(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        if found[1] and abs(int(found[1].lstrip("-0") or 0)) > WIDEST:
            raise OutOfMemory
        value = next(values, "")
        return f"%{found[1]}s" % value if found[2] == "s" else f"%{found[1]}d" % int(value or 0)

    return Done(0, shape.sub(fill, _unescaped(argv[1])))


def _date(machine: Machine, argv: list[str]) -> Done:
    formats = [word[1:] for word in argv[1:] if word.startswith("+")]
    moment = machine.time()
    if not formats:
        return Done(0, f"{moment:%a %b} {moment.day:2d} {moment:%H:%M:%S} UTC {moment:%Y}\n")
    text = formats[0].replace("%s", str(int(moment.timestamp()))).replace("%N", f"{moment.microsecond * 1000:09d}")
    text = text.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%Z", "UTC").replace("%z", "+0000").replace("%R", "%H:%M")
    return Done(0, moment.strftime(text) + "\n")


def _status(code: int) -> Callable[[Machine, list[str]], Done]:
    return lambda machine, argv: Done(code)


def _hostname(machine: Machine, argv: list[str]) -> Done:
    return Done(0, f"{machine.ip if '-i' in argv or '-I' in argv else machine.hostname}\n")


def _env(machine: Machine, argv: list[str]) -> Done:
    if len(argv) > 1:
        values = machine.environment()
        missing = [name for name in argv[1:] if name not in values]
        return Done(1 if missing else 0, "".join(f"{values[name]}\n" for name in argv[1:] if name in values))
    return Done(0, "".join(f"{name}={value}\n" for name, value in machine.environment().items()))


def _paths(argv: list[str]) -> list[str]:
    return [word for word in argv[1:] if not word.startswith("-")]


def _cat(machine: Machine, argv: list[str]) -> Done:
    out, err = Text(), ""
    for path in _paths(argv):
        text = machine.files.read(path)
        if text is not None:
            out += text
        elif machine.files.kind(path) == "directory":
            err += f"cat: read error: {IS_DIRECTORY}\n"
        else:
            err += f"cat: can't open '{path}': {NOT_FOUND}\n"
    return Done(1 if err else 0, str(out), err)


def _touch(machine: Machine, argv: list[str]) -> Done:
    err = ""
    for path in _paths(argv):
        fault = "" if machine.files.kind(path) else machine.files.write(path, "", append=False)
        if fault:
            err += f"touch: {path}: {NOT_FOUND if fault == NO_DIRECTORY else fault}\n"
    return Done(1 if err else 0, "", err)


def _mkdir(machine: Machine, argv: list[str]) -> Done:
    parents, err = any(word.startswith("-") and "p" in word for word in argv[1:]), ""
    for path in _paths(argv):
        fault = machine.files.make_directory(path, parents)
        if fault:
            err += f"mkdir: can't create directory '{path}': {fault}\n"
    return Done(1 if err else 0, "", err)


def _rm(machine: Machine, argv: list[str]) -> Done:
    flags = "".join(word[1:] for word in argv[1:] if word.startswith("-"))
    err = ""
    for path in _paths(argv):
        fault = machine.files.remove(path, recursive="r" in flags or "R" in flags)
        if fault == IS_DIRECTORY:
            err += f"rm: '{path}' is a directory\n"
        elif fault and not (fault == NOT_FOUND and "f" in flags):
            err += f"rm: can't remove '{path}': {fault}\n"
    return Done(1 if err else 0, "", err)


def _ls(machine: Machine, argv: list[str]) -> Done:
    out, err, paths = Text(), "", _paths(argv) or ["/"]
    for path in paths:
        names = machine.files.names(path)
        if names is None:
            err += f"ls: {path}: {NOT_FOUND}\n"
            continue
        if len(paths) > 1 and machine.files.kind(path) == "directory":
            out += f"{'' if path == paths[0] else chr(10)}{path}:\n"
        out += "".join(f"{name}\n" for name in names if not name.startswith(".") or any("a" in word for word in argv[1:] if word[0] == "-"))
    return Done(1 if err else 0, str(out), err)


def _rev(machine: Machine, argv: list[str]) -> Done:
    done = _cat(machine, argv)
    return done._replace(out="".join(f"{line[::-1]}\n" for line in done.out.splitlines()), err=done.err.replace("cat:", "rev:"))


def _test(machine: Machine, argv: list[str]) -> Done:
    words = argv[1:]
    if argv[0] == "[":
        if not words or words[-1] != "]":
            return Done(2, "", "sh: missing ]\n")
        words = words[:-1]
    negated = False
    while words and words[0] == "!":
        negated, words = not negated, words[1:]
    value = _tested(machine, words)
    if value is None:
        return Done(2, "", f"sh: {words[1] if len(words) > 1 else words[0]}: unknown operand\n")
    return Done(0 if value != negated else 1)


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b, "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b}


def _tested(machine: Machine, words: list[str]) -> bool | None:
    if not words:
        return False
    if len(words) == 1:
        return words[0] != ""
    if len(words) == 2:
        flag, value = words
        if flag in ("-z", "-n"):
            return (value == "") == (flag == "-z")
        if flag in ("-e", "-r"):
            return machine.files.kind(value) != ""
        if flag in ("-f", "-s"):
            text = machine.files.read(value)
            return text is not None and (flag != "-s" or text != "")
        return machine.files.kind(value) == "directory" if flag == "-d" else None
    if len(words) == 3:
        left, operator, right = words
        if operator in ("=", "=="):
            return left == right
        if operator == "!=":
            return left != right
        if operator in COMPARISONS and _is_number(left) and _is_number(right):
            return COMPARISONS[operator](int(left), int(right))
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+", text) is not None


def _seq(machine: Machine, argv: list[str]) -> Done:
    numbers = [int(word) for word in argv[1:] if _is_number(word)]
    if len(numbers) != len(argv) - 1 or not 1 <= len(numbers) <= 3:
        return Done(1, "", "usage: seq [FIRST [INC]] LAST\n")
    first, step, last = (1, 1, *numbers) if len(numbers) == 1 else (numbers[0], 1, numbers[1]) if len(numbers) == 2 else numbers
    if not step or abs((last - first) // step) > 10_000:
        return Done(1, "", "seq: too many numbers\n")
    return Done(0, "".join(f"{number}\n" for number in range(first, last + (1 if step > 0 else -1), step)))


def _uname(machine: Machine, argv: list[str]) -> Done:
    fields = {"-s": "Linux", "-n": machine.hostname, "-r": "6.1.0-28-amd64", "-m": "x86_64", "-o": "GNU/Linux"}
    if "-a" in argv:
        return Done(0, f"Linux {machine.hostname} 6.1.0-28-amd64 #1 SMP x86_64 GNU/Linux\n")
    return Done(0, " ".join(fields.get(word, "Linux") for word in argv[1:] or ["-s"]) + "\n")


def _prints(text: str) -> Callable[[Machine, list[str]], Done]:
    return lambda machine, argv: Done(0, text)


COMMANDS: dict[str, Callable[[Machine, list[str]], Done]] = {
    "echo": _echo, "printf": _printf, "date": _date, "true": _status(0), "false": _status(1), ":": _status(0), "hostname": _hostname,
    "env": _env, "printenv": _env, "cat": _cat, "rev": _rev, "touch": _touch, "rm": _rm, "ls": _ls, "test": _test, "[": _test, "seq": _seq,
    "uname": _uname, "mkdir": _mkdir, "sync": _status(0), "whoami": _prints("root\n"),
    "id": _prints("uid=0(root) gid=0(root) groups=0(root)\n"),
    "pwd": _prints("/\n"), "chmod": _status(0), "chown": _status(0),
}
TIMED = frozenset({"sleep", "usleep", "tail", "timeout"})
SHELLS = frozenset({"sh", "bash", "ash", "dash"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_APPLETS = _words("""
    adduser arch awk base64 basename bc blkid cal chgrp chroot clear cmp comm cp crond crontab cut dc dd df diff dirname
    dmesg dnsdomainname du egrep expand expr fdisk fgrep find fold free ftpd getopt grep groups gunzip gzip head hexdump
    id ifconfig install ip ipcalc iostat kill killall less ln logger login md5sum mkfifo mknod mktemp more mount mpstat mv
    nc netstat nice nohup nproc nslookup ntpd od passwd patch pgrep pidof ping ping6 pkill pmap ps pstree readlink
    realpath renice reset rev rmdir route sed setsid sha1sum sha256sum sha512sum shuf sort split stat strings stty su sum
    sysctl tac tar tee telnet telnetd tftp time top tr traceroute tty ulimit umount uniq unlink unzip uptime vi watch wc
    wget which who xargs xxd yes zcat httpd
""")
_COREUTILS = _words("""
    apt apt-get arch awk base64 basename chgrp chroot cksum comm cp csplit curl cut dd df diff dirname dpkg du expr factor
    find fold getent grep groups gunzip gzip head hostid id install join kill less link ln logger logname mawk md5sum
    mkfifo mknod mktemp more mount mv nice nl nohup nproc od openssl passwd paste perl pr ptx readlink realpath rev rmdir
    sed sha1sum sha256sum shred shuf sort split stat stdbuf strings stty su sum tac tar tee time tr truncate tsort tty
    umount uniq unlink users vdir wc which who xargs yes
""")
# Programs that each kind of image holds but that only a fuller shell and network can run.
UNSIMULATED: dict[str, frozenset[str]] = {
    "scratch": frozenset(),
    "busybox": _APPLETS,
    "debian": _COREUTILS,
    "python": _COREUTILS | {"pip", "python", "python3"},
    "node": _COREUTILS | {"npm", "npx", "yarn", "node"},
    "application": _COREUTILS | _APPLETS,
}


def moment_of(epoch: datetime, seconds: float) -> datetime:
    return epoch + timedelta(seconds=seconds)
