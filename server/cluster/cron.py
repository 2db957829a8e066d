"""Cron schedules, as a CronJob has them: a text and a time zone in, the next moment out.

The text is read by the rules of robfig/cron's standard parser, which is Kubernetes' own, with its words for what is wrong: five fields
of numbers, names, ranges and steps, ``?`` for ``*``, ``@hourly`` and the like, ``@every 90m``. The calendar is cronsim's (BSD), asked in
the zone's own time: an hour that clocks skip has no moments, one that they repeat has each twice. Zones are those of the ``tzdata``
package, so that every machine agrees.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from importlib import resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

YEARS_AHEAD = 5
_INTEGER = re.compile(r"[+-]?[0-9]+")
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")
_DURATION = re.compile(r"([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)([a-zµμ]+)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class ScheduleError(ValueError):
    """The text is no schedule; the message is the parser's."""


class UnknownTimeZone(ValueError):
    """There is no such zone; the message is Go's."""


class Bounds(NamedTuple):
    """The numbers a field may have, and the names of some of them."""

    low: int
    high: int
    names: dict[str, int]


FIELDS = (
    Bounds(0, 59, {}),
    Bounds(0, 23, {}),
    Bounds(1, 31, {}),
    Bounds(1, 12, {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}),
    Bounds(0, 6, {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}),
)
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}
EVERY = "@every "


class Schedule(NamedTuple):
    """``fields`` are a cron expression of plain numbers and stars; or ``every`` so many seconds after the last time."""

    fields: str = ""
    every: int = 0

    def next(self, after: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first moment after ``after`` (both UTC, whole seconds); None if there is none within five years.

        >>> parse("*/5 9-17 * * MON-FRI").next(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
        datetime.datetime(2026, 11, 23, 9, 0, tzinfo=datetime.timezone.utc)
        """
        after = after.replace(microsecond=0)
        if self == NEVER:
            return None
        if self.every:
            return after + timedelta(seconds=self.every)
        try:
            moments = CronSim(f"0 {self.fields}", after.astimezone(zone))
            for moment in moments:
                found = moment.astimezone(UTC)
                if found.year > after.year + YEARS_AHEAD:
                    return None
                if found.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
                    return found
        except CronSimError:
            return None
        return None


NEVER = Schedule()


@lru_cache(maxsize=4096)
def parse(text: str) -> Schedule:
    """ScheduleError if it is none.

    >>> parse("0 0 1,15 * ?"), parse("@every 1h30m")
    (Schedule(fields='0 0 1,15 * *', every=0), Schedule(fields='', every=5400))
    >>> parse("* * * *")
    Traceback (most recent call last):
        ...
    server.cluster.cron.ScheduleError: expected exactly 5 fields, found 4: [* * * *]
    """
    if not text:
        raise ScheduleError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, blank, rest = text.partition("=")[2].partition(" ")
        if not blank:
            raise ScheduleError("invalid schedule format: runtime error: slice bounds out of range [:-1]")
        try:
            location(zone)
        except UnknownTimeZone as fault:
            raise ScheduleError(f"provided bad location {zone}: {fault}") from None
        text = rest.strip()
    if text.startswith("@"):
        return _descriptor(text)
    words = text.split()
    if len(words) != len(FIELDS):
        raise ScheduleError(f"expected exactly {len(FIELDS)} fields, found {len(words)}: [{' '.join(words)}]")
    fields = [_field(word, bounds) for word, bounds in zip(words, FIELDS, strict=True)]
    return Schedule(" ".join(fields)) if all(fields) else NEVER


def _descriptor(text: str) -> Schedule:
    if text in DESCRIPTORS:
        return Schedule(DESCRIPTORS[text])
    if text.startswith(EVERY):
        try:
            return Schedule(every=max(1, int(_seconds(text.removeprefix(EVERY)))))
        except ValueError as fault:
            raise ScheduleError(f"failed to parse duration {text}: {fault}") from None
    raise ScheduleError(f"unrecognized descriptor: {text}")


def _field(text: str, bounds: Bounds) -> str:
    """A field as a star or a list of its numbers, "" if it has none; a step makes even ``*`` a list, which matters for days."""
    star, numbers = False, set()
    for part in text.split(","):
        if part:
            chosen, free = _range(part, bounds)
            star = star or free
            numbers.update(chosen)
    return "*" if star else ",".join(map(str, sorted(numbers)))


def _range(text: str, bounds: Bounds) -> tuple[range, bool]:
    """What ``2-10/4`` means, and whether it stands for "any"."""
    span, *steps = text.split("/")
    low, *rest = span.split("-")
    free = low in ("*", "?")
    if free:
        start, end = bounds.low, bounds.high
    else:
        start = end = _number(low, bounds.names)
        if len(rest) > 1:
            raise ScheduleError(f"too many hyphens: {text}")
        if rest:
            end = _number(rest[0], bounds.names)
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    if steps and not rest:
        end = bounds.high
    if start < bounds.low:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({bounds.low}): {text}")
    if end > bounds.high:
        raise ScheduleError(f"end of range ({end}) above maximum ({bounds.high}): {text}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if not step:
        raise ScheduleError(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step), free and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if not _INTEGER.fullmatch(text):
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if len(text) > 18:
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": value out of range')
    number = int(text)
    if number < 0:
        raise ScheduleError(f"negative number ({number}) not allowed: {text}")
    return number


def _seconds(text: str) -> float:
    """A Go duration. ValueError in Go's words."""
    if text in ("0", "+0", "-0"):
        return 0.0
    found = _DURATION.fullmatch(text)
    if found is None:
        bare, unit = re.fullmatch(r"[+-]?[\d.]*\d\.?", text), re.fullmatch(r"[+-]?[\d.]+([^\d.]+).*", text)
        if bare:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit and unit[1] not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit[1]}" in duration "{text}"')
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))
    if total >= 1 << 33:
        raise ValueError(f'time: invalid duration "{text}"')
    return -total if found[1] == "-" else total


def is_zone_name(name: str) -> bool:
    """Whether the text is formed as the IANA's zone names are."""
    return all(part not in (".", "..") and not part.startswith("-") and _ZONE_PART.fullmatch(part) for part in name.split("/"))


@lru_cache(maxsize=1024)
def location(name: str) -> tzinfo:
    """A zone by its IANA name, UTC for none. UnknownTimeZone if there is no such zone.

    >>> location("Asia/Seoul").utcoffset(datetime(2026, 1, 1))
    datetime.timedelta(seconds=32400)
    """
    if name in ("", "UTC"):
        return UTC
    try:
        if not is_zone_name(name):
            raise ValueError(name)
        with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError):
        raise UnknownTimeZone(f"unknown time zone {name}") from None
