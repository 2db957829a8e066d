"""What programs about files share: names of users and groups, modes and sizes as they are shown, dates, and their errors.

``plain`` makes a program of a body that never waits; it sends on what it printed now and then.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ls.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

from server.cluster.errno import NOT_DIRECTORY, NOT_FOUND
from server.cluster.inodes import Stat
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.programs.inputs import Line, Misuse, Options, Run, busybox, tool

HALF_YEAR = 365.2425 * 86400 / 2
TYPE_LETTERS = {"file": "-", "directory": "d", "link": "l", "char": "c", "block": "b", "fifo": "p", "socket": "s"}
UNITS = "KMGTPE"
MOST_SHOWN = 64 * 1024


def plain(line: Line, body: Callable[[Proc, Options], int], words: Callable[[list[str]], list[str]] | None = None) -> Callable[[Proc], Run]:
    """A program of its command line and a body that answers at once."""

    def run(proc: Proc, options: Options) -> Run:
        code = body(proc, options)
        yield from proc.flush()
        return code

    return tool(line, run, words)


def complain(proc: Proc, text: str) -> None:
    proc.err(f"{proc.name}: {text}\n")


def sent(proc: Proc) -> Generator[Any, Any, None]:
    """What it has printed so far goes out; its work is counted."""
    yield from proc.flush()
    if proc.spins():
        yield from proc.breathe()


def why_not(proc: Proc, path: str) -> str:
    """Why a path that cannot be found cannot be found."""
    full = proc.path(path)
    if path.endswith("/") and proc.files.kind(full) == "file":
        return NOT_DIRECTORY
    return proc.files.why_not(full) if full else NOT_FOUND


def stat_of(proc: Proc, path: str, follow: bool = True) -> Stat | None:
    """``stat`` of a path as the program names it; a final slash asks for a directory."""
    found = proc.files.stat(proc.path(path), follow or path.endswith("/") and path != "/") if path else None
    if found is not None and path.endswith("/") and found.kind != "directory":
        return None
    return found


def accounts(proc: Proc, path: str) -> dict[str, int]:
    """Names by number's place in /etc/passwd or /etc/group."""
    found = {}
    for row in (proc.files.read(path) or "").splitlines():
        fields = row.split(":")
        if len(fields) > 2 and fields[2].isdigit():
            found.setdefault(fields[0], int(fields[2]))
    return found


class Names:
    """Users and groups by number, read once."""

    def __init__(self, proc: Proc) -> None:
        self.users = {number: name for name, number in reversed(accounts(proc, "/etc/passwd").items())} or {0: "root"}
        self.groups = {number: name for name, number in reversed(accounts(proc, "/etc/group").items())} or {0: "root"}

    def user(self, uid: int) -> str:
        return self.users.get(uid, str(uid))

    def group(self, gid: int) -> str:
        return self.groups.get(gid, str(gid))


def permissions(mode: int) -> str:
    """
    >>> permissions(0o755), permissions(0o1777), permissions(0o4644)
    ('rwxr-xr-x', 'rwxrwxrwt', 'rwSr--r--')
    """
    text = ""
    for shift, bit, letters in ((6, 0o4000, "sS"), (3, 0o2000, "sS"), (0, 0o1000, "tT")):
        part = mode >> shift
        run = "x" if part & 1 else "-"
        if mode & bit:
            run = letters[0] if part & 1 else letters[1]
        text += ("r" if part & 4 else "-") + ("w" if part & 2 else "-") + run
    return text


def mode_text(found: Stat) -> str:
    return TYPE_LETTERS[found.kind] + permissions(found.mode)


def human(size: int, base: int = 1024, kilo: str = "K") -> str:
    """A size as ``-h`` of GNU shows it, rounded up.

    >>> human(1023), human(1536), human(10 * 1024 + 1), human(1 << 30)
    ('1023', '1.5K', '11K', '1.0G')
    """
    if size < base:
        return str(size)
    power, value = 0, size
    while value >= base * base ** power and power < len(UNITS):
        power += 1
    while True:
        unit = base ** power
        tenths = -(-size * 10 // unit)
        if tenths < 100:
            return f"{tenths // 10}.{tenths % 10}{(kilo + UNITS[1:])[power - 1]}"
        whole = -(-size // unit)
        if whole < base:
            return f"{whole}{(kilo + UNITS[1:])[power - 1]}"
        power += 1


def human_busybox(size: int, block: int = 1, unit: int = 0) -> str:
    """A size as ``-h`` of busybox shows it, rounded to the nearest.

    >>> human_busybox(1536), human_busybox(4096), human_busybox(100), human_busybox(0)
    ('1.5K', '4.0K', '100', '0')
    """
    value = size * block
    if unit:
        return str((value + unit // 2) // unit)
    tenths, letter, letters = 0, "", iter("KMGTPEZY")
    while value >= 1024 and (after := next(letters, "")):
        letter = after
        tenths = (value % 1024 * 10 + 512) // 1024
        value //= 1024
    if tenths >= 10:
        value, tenths = value + 1, 0
    return f"{value}.{tenths}{letter}" if letter else str(value)


def moment(seconds: float) -> datetime:
    """A Unix time; what lies outside of the calendar is its edge."""
    return datetime.fromtimestamp(max(-62_135_596_800, min(253_402_300_799, seconds)), UTC)


def now(proc: Proc) -> float:
    """Unix time."""
    return proc.machine.time().timestamp()


def short_date(proc: Proc, mtime: float) -> str:
    """As ``ls -l`` shows it: with the hour if it is not long ago."""
    when, age = moment(mtime), now(proc) - mtime
    recent = -900 < age < 365 * 86400 / 2 if busybox(proc) else 0 <= age < HALF_YEAR
    return f"{when:%b} {when.day:2d} {when:%H:%M}" if recent else f"{when:%b} {when.day:2d}  {when.year}"


def quoted(name: str) -> str:
    """A name as GNU programs quote it in messages on a terminal: only where a shell would need it."""
    if name and all(char.isalnum() or char in "%+,-./:=@_^~#{}[]" and not (char in "#~" and name.startswith(char)) for char in name):
        return name
    return f'"{name}"' if "'" in name and not set(name) & set('"$`\\!') else "'" + name.replace("'", "'\\''") + "'"


__all__ = ["HALF_YEAR", "Line", "Misuse", "Names", "Options", "Run", "accounts", "busybox", "complain", "human", "human_busybox", "mode_text",
           "moment", "now", "permissions", "plain", "quoted", "sent", "short_date", "stat_of", "tool", "why_not"]
