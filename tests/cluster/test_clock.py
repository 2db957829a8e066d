from datetime import UTC, datetime

from server.cluster.clock import Clock
from server.cluster.process import Channel, Closed, Interrupted, Process, Sleep, Take, TimedOut


def test_callbacks_come_in_order_of_due_and_then_of_arrival():
    clock, seen = Clock(), []
    clock.call_later(2, seen.append, "late")
    clock.call_later(1, seen.append, "first")
    clock.call_later(1, seen.append, "second")
    clock.run_for(3)
    assert seen == ["first", "second", "late"]
    assert clock.now == 3


def test_a_cancelled_timer_never_fires_and_leaves_the_clock_idle():
    clock, seen = Clock(), []
    clock.call_later(1, seen.append, "no").cancel()
    assert clock.next_due() is None
    clock.run_for(5)
    assert seen == []


def test_a_run_stops_where_it_was_told_that_it_is_enough():
    clock, seen = Clock(), []
    for moment in range(1, 6):
        clock.call_at(moment, seen.append, moment)
    assert clock.run_until(10, lambda: len(seen) == 3) is False
    assert (seen, clock.now) == ([1, 2, 3], 3)
    assert clock.run_until(10) is True
    assert clock.now == 10


def test_time_never_goes_back():
    clock, seen = Clock(), []
    clock.run_until(5)
    clock.call_at(1, lambda: seen.append(clock.now))
    clock.run_until(2)
    clock.run_for(0)
    assert seen == [5]


def test_timestamps_are_utc_seconds_of_the_epoch():
    clock = Clock(datetime(2026, 11, 21, 2, 53, tzinfo=UTC), 18.123456)
    assert clock.timestamp() == "2026-11-21T02:53:18Z"
    assert clock.microtime() == "2026-11-21T02:53:18.123456Z"
    assert clock.seconds("2026-11-21T02:53:18Z") == 18


def test_a_program_sleeps_takes_and_returns():
    clock, channel, results = Clock(), Channel(), []

    def program():
        yield Sleep(2)
        item = yield Take(channel)
        try:
            yield Take(channel, timeout=3)
        except TimedOut:
            return item, clock.now

    process = Process(clock, program(), results.append)
    clock.call_at(4, channel.put, "x")
    clock.run_for(10)
    assert results == [("x", 7)]
    assert not process.alive


def test_an_interrupt_reaches_a_program_that_waits():
    clock, results = Clock(), []

    def program():
        try:
            yield Sleep(1000)
        except Interrupted:
            return 130

    process = Process(clock, program(), results.append)
    clock.run_for(1)
    process.interrupt()
    assert results == [130]
    assert clock.next_due() is None


def test_a_full_channel_closes_and_its_reader_hears_why():
    clock, channel, results = Clock(), Channel(limit=2), []

    def program():
        got = []
        try:
            while True:
                got.append((yield Take(channel)))
        except Closed as closed:
            return got, closed.reason

    for number in range(5):
        channel.put(number)
    Process(clock, program(), results.append)
    clock.run_for(1)
    assert results == [([0, 1], "too slow")]
