"""Schedules are read as robfig/cron's standard parser reads them, and mean what it makes of them in every time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cluster import cron


def moments(text: str, after: str, zone: str = "", count: int = 3) -> list[str]:
    """The next moments, as a clock on the wall there shows them."""
    moment, where = datetime.fromisoformat(after).astimezone(UTC), cron.location(zone)
    found = []
    for _ in range(count):
        moment = cron.parse(text).next(moment, where)
        found.append(moment.astimezone(where).isoformat() if moment else None)
        if moment is None:
            break
    return found


@pytest.mark.parametrize(("text", "expected"), [
    ("*/15 * * * *", ["2026-11-21T03:00:00+00:00", "2026-11-21T03:15:00+00:00", "2026-11-21T03:30:00+00:00"]),
    ("  */1 * * * * ", ["2026-11-21T02:56:00+00:00", "2026-11-21T02:57:00+00:00", "2026-11-21T02:58:00+00:00"]),
    ("5 4 * * SUN", ["2026-11-22T04:05:00+00:00", "2026-11-29T04:05:00+00:00", "2026-12-06T04:05:00+00:00"]),
    ("0 0 1 jan,JUL ?", ["2027-01-01T00:00:00+00:00", "2027-07-01T00:00:00+00:00", "2028-01-01T00:00:00+00:00"]),
    ("30 6-16/4 * * 1-5", ["2026-11-23T06:30:00+00:00", "2026-11-23T10:30:00+00:00", "2026-11-23T14:30:00+00:00"]),
    ("50/5 * * * *", ["2026-11-21T03:50:00+00:00", "2026-11-21T03:55:00+00:00", "2026-11-21T04:50:00+00:00"]),
    ("0 0 29 2 *", ["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00", "2036-02-29T00:00:00+00:00"]),
    ("@hourly", ["2026-11-21T03:00:00+00:00", "2026-11-21T04:00:00+00:00", "2026-11-21T05:00:00+00:00"]),
    ("@every 1h30m10s", ["2026-11-21T04:25:22+00:00", "2026-11-21T05:55:32+00:00", "2026-11-21T07:25:42+00:00"]),
])
def test_the_next_moments(text, expected):
    assert moments(text, "2026-11-21T02:55:12+00:00") == expected


def test_a_day_of_the_month_and_a_day_of_the_week_mean_either_but_a_star_leaves_it_to_the_other():
    assert moments("0 0 1 * 0", "2026-11-21T00:00:00+00:00", count=4) == [
        "2026-11-22T00:00:00+00:00", "2026-11-29T00:00:00+00:00", "2026-12-01T00:00:00+00:00", "2026-12-06T00:00:00+00:00"]
    assert moments("0 0 * * 0", "2026-11-21T00:00:00+00:00", count=2) == ["2026-11-22T00:00:00+00:00", "2026-11-29T00:00:00+00:00"]


def test_a_step_makes_a_star_a_list_of_days():
    assert moments("0 0 */10 * MON", "2026-11-21T00:00:00+00:00") == [
        "2026-11-23T00:00:00+00:00", "2026-11-30T00:00:00+00:00", "2026-12-01T00:00:00+00:00"]


@pytest.mark.parametrize("text", ["0 0 30 2 *", "59 23 31 2 *", ", * * * *"])
def test_what_never_comes_has_no_next_moment(text):
    assert moments(text, "2026-11-21T00:00:00+00:00") == [None]


def test_an_hour_that_clocks_skip_has_no_moments():
    assert moments("30 2 * * *", "2026-03-07T12:00:00-05:00", "America/New_York", 2) == [
        "2026-03-09T02:30:00-04:00", "2026-03-10T02:30:00-04:00"]
    assert moments("0 * * * *", "2026-03-08T00:30:00-05:00", "America/New_York", 2) == [
        "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"]


def test_an_hour_that_clocks_repeat_has_each_moment_twice():
    assert moments("30 1 * * *", "2026-11-01T00:00:00-04:00", "America/New_York") == [
        "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"]


def test_a_midnight_that_does_not_exist_is_left_out():
    assert moments("0 0 * * *", "2018-11-02T12:00:00-03:00", "America/Sao_Paulo") == [
        "2018-11-03T00:00:00-03:00", "2018-11-05T00:00:00-02:00", "2018-11-06T00:00:00-02:00"]


def test_a_zone_moves_the_day():
    assert moments("0 9 * * *", "2026-11-21T00:30:00+00:00", "Asia/Seoul", 1) == ["2026-11-22T09:00:00+09:00"]


@pytest.mark.parametrize(("text", "fault"), [
    ("", "empty spec string"),
    ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
    ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
    ("60 * * * *", "end of range (60) above maximum (59): 60"),
    ("* 24 * * *", "end of range (24) above maximum (23): 24"),
    ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
    ("* * * * 7", "end of range (7) above maximum (6): 7"),
    ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
    ("*/0 * * * *", "step of range should be a positive number: */0"),
    ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
    ("1/2/3 * * * *", "too many slashes: 1/2/3"),
    ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
    ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
    ("@fortnightly", "unrecognized descriptor: @fortnightly"),
    ("@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
    ("TZ=Mars/Base * * * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"),
])
def test_what_is_wrong_is_said_in_the_parsers_words(text, fault):
    with pytest.raises(cron.ScheduleError) as raised:
        cron.parse(text)
    assert str(raised.value) == fault


@pytest.mark.parametrize("name", ["Mars/Base", "America", "../etc/passwd", "/etc/localtime", "asia/seoul", "tzdata.zi", "-/x", "Local"])
def test_zones_that_are_none(name):
    with pytest.raises(cron.UnknownTimeZone, match=r"unknown time zone"):
        cron.location(name)


NUMBERS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}


@st.composite
def fields(draw):
    """A field of each kind, and what numbers it stands for (None: any)."""
    words, meant = [], []
    for low, high in NUMBERS.values():
        if draw(st.booleans()):
            words.append("*")
            meant.append(None)
        else:
            chosen = draw(st.lists(st.integers(low, high), min_size=1, max_size=4))
            words.append(",".join(map(str, chosen)))
            meant.append(set(chosen))
    return " ".join(words), meant


@settings(max_examples=60, deadline=None)
@given(fields(), st.integers(0, 400_000))
def test_the_next_moment_is_the_first_that_matches(given_fields, minutes):
    """Held against a calendar that tries every minute."""
    text, (minute, hour, day, month, weekday) = given_fields
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    def fits(moment: datetime) -> bool:
        in_month, in_week = day is None or moment.day in day, weekday is None or moment.isoweekday() % 7 in weekday
        right_day = in_month and in_week if day is None or weekday is None else in_month or in_week
        return (right_day and (month is None or moment.month in month) and (hour is None or moment.hour in hour)
                and (minute is None or moment.minute in minute))

    within = 3 * 24 * 60
    expected = next((moment for offset in range(1, within) if fits(moment := start + timedelta(minutes=offset))), None)
    found = cron.parse(text).next(start)
    if expected is not None:
        assert found == expected
    elif found is not None:
        assert found >= start + timedelta(minutes=within) and fits(found)
