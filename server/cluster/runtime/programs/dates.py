"""date: the moment that it is, in any form; and what a person may write for a moment.

In: the machine's clock, which is the cluster's virtual time in UTC. Out: text. It cannot be set: containers may not, and neither may the
machines of a simulation.

Source: https://www.gnu.org/software/coreutils/manual/html_node/date-invocation.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from server.cluster.errno import NOT_FOUND
from server.cluster.runtime.proc import Proc
from server.cluster.runtime.program import Program
from server.cluster.runtime.programs.common import Line, Misuse, Options, busybox, complain, moment, now, plain, stat_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
UNITS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "fortnight": 1209600}
ALIASES = {"D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M", "T": "%H:%M:%S", "r": "%I:%M:%S %p", "c": "%a %b %e %H:%M:%S %Y", "x": "%m/%d/%y",
           "X": "%H:%M:%S", "h": "%b", "+": "%a %b %e %H:%M:%S %Z %Y"}
NUMBERS = {"d": 2, "e": 2, "H": 2, "I": 2, "j": 3, "k": 2, "l": 2, "m": 2, "M": 2, "S": 2, "U": 2, "V": 2, "W": 2, "y": 2, "C": 2, "g": 2,
           "Y": 0, "G": 0, "u": 1, "w": 1, "s": 0, "N": 9, "q": 1}
BLANK = frozenset("ekl")
ISO = {"date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%:z", "minutes": "%Y-%m-%dT%H:%M%:z", "seconds": "%Y-%m-%dT%H:%M:%S%:z",
       "ns": "%Y-%m-%dT%H:%M:%S,%N%:z"}
DIRECTIVE = re.compile(r"%([-_0^#]*)(\d{0,3})(:{0,3})([a-zA-Z%+])")


def shown(when: datetime, text: str, small: bool = False) -> str:
    """strftime(3), with GNU's flags.

    >>> shown(datetime(2026, 1, 5, 7, 8, 9, tzinfo=UTC), "%F %T %-d %_H %j %V %:z %N %s %^a")
    '2026-01-05 07:08:09 5  7 005 02 +00:00 000000000 1767596889 MON'
    """
    return DIRECTIVE.sub(lambda found: _field(when, found, small), text)


def _field(when: datetime, found: re.Match[str], small: bool) -> str:
    flags, width, colons, letter = found.groups()
    if letter in ALIASES:
        return shown(when, ALIASES[letter], small)
    plain_texts = {"%": "%", "n": "\n", "t": "\t", "Z": "UTC", "z": "+00:00" if colons else "+0000", "a": f"{when:%a}", "A": f"{when:%A}",
                   "b": f"{when:%b}", "B": f"{when:%B}", "p": f"{when:%p}", "P": f"{when:%p}".lower()}
    if letter in plain_texts:
        text = plain_texts[letter]
        return text.upper() if "^" in flags else text.swapcase() if "#" in flags else text
    if letter not in NUMBERS or small and letter in ("N", "q"):
        return found[0]
    year, week, day = when.isocalendar()
    value = {"d": when.day, "e": when.day, "H": when.hour, "k": when.hour, "I": when.hour % 12 or 12, "l": when.hour % 12 or 12,
             "j": when.timetuple().tm_yday, "m": when.month, "M": when.minute, "S": when.second, "U": int(f"{when:%U}"), "W": int(f"{when:%W}"),
             "V": week, "G": year, "g": year % 100, "y": when.year % 100, "C": when.year // 100, "Y": when.year, "u": day, "w": day % 7,
             "s": int(when.timestamp()), "N": when.microsecond * 1000, "q": (when.month + 2) // 3}[letter]
    size = int(width) if width else NUMBERS[letter]
    if letter == "N":
        digits = f"{value:09d}"
        return digits[:size] if width else digits.rstrip("0") or "0" if "-" in flags else digits
    if "-" in flags:
        return str(value)
    pad = " " if "_" in flags or letter in BLANK and "0" not in flags else "0"
    return str(value).rjust(min(size, 100), pad)


def parse_date(text: str, at: float, stamp: bool = False, small: bool = False) -> float | None:
    """The Unix time that a person means at ``at``; ``stamp``: in the form of ``touch -t``. None for what is none.

    >>> at = 1767596889.0
    >>> [parse_date(text, at) for text in ("@5", "2026-01-05", "2026-01-05 07:08", "2026-01-05T07:08:09Z", "1 hour ago", "tomorrow", "?")]
    [5.0, 1767571200.0, 1767596880.0, 1767596889.0, 1767593289.0, 1767683289.0, None]
    """
    text = text.strip()
    try:
        if stamp or small and re.fullmatch(r"\d{8,12}(\.\d\d)?", text):
            return _stamp(text, moment(at))
        if found := re.fullmatch(r"@(-?\d{1,12}(?:\.\d{1,9})?)", text):
            return float(found[1])
        return _written(text, moment(at), small)
    except (ValueError, OverflowError):
        return None


def _stamp(text: str, today: datetime) -> float | None:
    found = re.fullmatch(r"(\d{2}|\d{4})?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?", text)
    if found is None:
        return None
    year = int(found[1]) if found[1] else today.year
    year += (1900 if year >= 69 else 2000) if found[1] and len(found[1]) == 2 else 0
    month, day, hour, minute = (int(found[number]) for number in (2, 3, 4, 5))
    return datetime(year, month, day, hour, minute, int(found[6] or 0), tzinfo=UTC).timestamp()


def _written(text: str, when: datetime, small: bool) -> float | None:
    """A date, a time, and what is to be added to them, in any order; for busybox a date and a time only."""
    left = text.lower().replace(",", " ")
    dated = timed = False
    ago = left.endswith(" ago")
    left = left.removesuffix(" ago")
    shift = timedelta()
    months = 0
    while left := left.strip():
        if found := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?=$|[\st])t?" if not small else r"(\d{4})-(\d{1,2})-(\d{1,2})(?=$|\s)", left):
            when, dated = when.replace(year=int(found[1]), month=int(found[2]), day=int(found[3])), True
        elif found := re.match(r"(\d{1,2})/(\d{1,2})/(\d{4})\b", left):
            when, dated = when.replace(year=int(found[3]), month=int(found[1]), day=int(found[2])), True
        elif found := re.match(r"(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?:\s*(am|pm)\b)?(?![\d:])", left):
            hour = int(found[1]) % 12 + (12 if found[5] == "pm" else 0) if found[5] else int(found[1])
            when = when.replace(hour=hour, minute=int(found[2]), second=int(found[3] or 0), microsecond=int(float(found[4] or 0) * 1e6))
            timed = True
        elif found := re.match(r"(utc|gmt|z)\b", left):
            pass
        elif found := re.match(r"([+-])(\d\d):?(\d\d)(?=$|\s)", left) if timed else None:
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            shift += -offset if found[1] == "+" else offset
        elif small:
            return None
        elif found := re.match(r"(now|today|yesterday|tomorrow)\b", left):
            shift += timedelta(days={"yesterday": -1, "tomorrow": 1}.get(found[1], 0))
        elif found := re.match(r"(?:([+-]?)\s*(\d{1,9})\s*|(next|last)\s+)?(sec|second|min|minute|hour|day|week|fortnight|month|year)s?\b", left):
            count = {"next": 1, "last": -1}.get(found[3] or "", int(found[2] or 1) * (-1 if found[1] == "-" else 1))
            count = -count if ago else count
            if found[4] in ("month", "year"):
                months += count * (12 if found[4] == "year" else 1)
            else:
                shift += timedelta(seconds=count * UNITS[found[4]])
        elif found := re.match(r"(?:(next|last)\s+)?([a-z]{3,9})\b", left):
            day = next((number for number, name in enumerate(DAYS) if name.startswith(found[2])), None)
            month = next((number for number, name in enumerate(MONTHS) if found[2].startswith(name)), None)
            if day is not None:
                ahead = (day - when.weekday()) % 7
                shift += timedelta(days=ahead + (7 if found[1] == "next" and not ahead else -7 if found[1] == "last" else 0))
                dated = True
            elif month is not None and (more := re.match(r"[a-z]+\s+(\d{1,2})(?:\s+(\d{4}))?(?=$|\s)", left)):
                when, dated, found = when.replace(month=month + 1, day=int(more[1]), year=int(more[2] or when.year)), True, more
            else:
                return None
        elif found := re.match(r"(\d{1,2})\s+([a-z]{3,9})(?:\s+(\d{4}))?(?=$|\s)", left):
            month = next((number for number, name in enumerate(MONTHS) if found[2].startswith(name)), None)
            if month is None:
                return None
            when, dated = when.replace(day=int(found[1]), month=month + 1, year=int(found[3] or when.year)), True
        elif found := re.match(r"(\d{4})(\d\d)(\d\d)(?=$|\s)", left):
            when, dated = when.replace(year=int(found[1]), month=int(found[2]), day=int(found[3])), True
        else:
            return None
        left = left[found.end():]
    if dated and not timed:
        when = when.replace(hour=0, minute=0, second=0, microsecond=0)
    elif timed and "." not in text:
        when = when.replace(microsecond=0)
    if months:
        total = when.year * 12 + when.month - 1 + months
        when = when.replace(year=total // 12, month=total % 12 + 1, day=1) + timedelta(days=when.day - 1)
    return (when + shift).timestamp() if text else when.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def date(proc: Proc, options: Options) -> int:
    small, at = busybox(proc), now(proc)
    if options.has("d"):
        text = options.value("d")
        parsed = parse_date(text, at, small=small)
        if parsed is None:
            complain(proc, f"invalid date '{text}'")
            return 1
        at = parsed
    elif options.has("r"):
        path = options.value("r")
        found = stat_of(proc, path)
        if found is None:
            complain(proc, f"{path}: {NOT_FOUND}")
            return 1
        at = found.mtime
    words = options.operands
    form = next((word[1:] for word in words if word.startswith("+")), None)
    other = [word for word in words if not word.startswith("+")]
    if options.has("s") or other:
        text = options.value("s") or other[0]
        if parse_date(text, at, small=small) is None and _stamp_of(text) is None:
            complain(proc, f"invalid date '{text}'")
            return 1
        if form is None:
            form = "%a %b %e %H:%M:%S UTC %Y"
        complain(proc, "can't set date: Operation not permitted" if small else "cannot set date: Operation not permitted")
        proc.out(shown(moment(parse_date(text, at, small=small) or at), form, small) + "\n")
        return 1
    if len(words) > 1 and small:
        raise DATE.misuse(proc)
    if len(words) > 1:
        raise DATE.misuse(proc, f"extra operand '{words[1]}'")
    if options.has("I", "rfc-3339"):
        given = options.value("I") or "date"
        name = next((each for each in ISO if each.startswith(given)), "") if options.has("I") else options.value("rfc-3339")
        if name not in ISO:
            raise Misuse(f"date: invalid argument '{given}' for '--iso-8601'\n" if not small else f"date: invalid argument '{given}'\n", 1)
        form = ISO[name] if options.has("I") else ISO[name].replace("T", " ").replace(",", ".")
        if small:
            form = form.replace(",%N", f",{moment(at).microsecond * 1000:09d}")
    elif options.has("R"):
        form = "%a, %d %b %Y %H:%M:%S %z"
    elif form is None:
        form = "%a %b %e %H:%M:%S UTC %Y"
    proc.out(shown(moment(at), form, small) + "\n")
    return 0


def _stamp_of(text: str) -> re.Match[str] | None:
    return re.fullmatch(r"\d{8}(\d\d(\d\d)?)?(\.\d\d)?", text)


DATE = Line("[OPTIONS] [+FMT] [[-s] TIME]", "s:ud:r:RI::", "", {
    "date": "d", "set": "s", "utc": "u", "universal": "u", "uct": "u", "reference": "r", "rfc-2822": "R", "rfc-email": "R",
    "iso-8601": "I", "rfc-3339": "rfc-3339:"}, 1, "[OPTION]... [+FORMAT]")
PROGRAMS: dict[str, Program] = {"date": Program(plain(DATE, date))}
