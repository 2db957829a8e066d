"""A room: one cluster, the pace of its clock, its people, its terminals, and its place on disk.

This is the only place where virtual and wall time meet: a green thread runs the clock forward by wall time times speed, in slices
of about a millisecond between which everyone else gets a turn. A room that cannot keep up falls behind; it never holds others up:
what takes longer than a slice lets others have their turn at each request to its API server, and rests as long as it has overrun.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from server import green
from server.cluster.cluster import Cluster
from server.rooms.journal import Journal
from server.rooms.storage import Storage
from server.rooms.until import Change, Goal
from server.settings import Settings

log = logging.getLogger(__name__)

TICK = 0.025
SLICE = 0.002
SHARE = 0.6
SPEEDS = (0.01, 1000.0)
FLUSH_EVERY = 1.0
LONGEST_REST = 0.5
MOST_COMING, MOST_SEATED = 1_000, 100  # requests of a room that wait for their turn, and of them those that take long
OLDEST = 50 * 366 * 86_400.0  # virtual seconds after which a room's calendar ends


class RoomError(Exception):
    """What a person asked of a room that it does not do; ``code`` is the HTTP status."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.code = code


class Room:
    """``meta`` is what a room keeps beside its cluster: key, speed, paused."""

    def __init__(self, name: str, meta: dict[str, Any], cluster: Cluster, storage: Storage, settings: Settings) -> None:
        self.name = name
        self.meta = meta
        self.key: str = meta["key"]
        self.cluster = cluster
        self.settings = settings
        cluster.api.quota.objects, cluster.api.quota.size = settings.max_objects, settings.max_bytes
        self.storage = storage
        self.journal = Journal(storage, name, cluster)
        self.people: dict[str, Any] = {}
        self.commands = 0
        self.feeds: set[Any] = set()
        self.asking = 0
        self.awake = True
        self.used = time.monotonic()
        self.changed: list[Callable[[], None]] = []
        self.on_tick: list[Callable[[], None]] = []
        self.on_close: list[Callable[[], None]] = []
        self._share = green.Share(SLICE)
        self._seat = green.Lock()
        self._seated = 0
        self._turn = green.Lock()
        self._slice_ends = 0.0
        self._give = self.pause
        self._advancing = 0
        self._told = 0
        self._flushed = time.monotonic()
        cluster.api.breathe = self._breathe
        green.spawn(self._drive)

    # what others may ask

    def opens(self, key: str | None) -> bool:
        return same_key(key, self.key)

    @property
    def busy(self) -> bool:
        """Whether somebody is in the middle of something that ends by itself, or is here in person."""
        return bool(self.people or self.commands or self.asking or self._advancing or self._turn.locked())

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Keeps the room awake while somebody's request is under way."""
        self.touch()
        self.asking += 1
        try:
            yield
        finally:
            self.asking -= 1

    def touch(self) -> None:
        """Somebody is here."""
        self.used = time.monotonic()

    def come_in(self) -> None:
        """The first that is done with a request: it waits until the room's others, who came before, had their turn. A hundred of them take
        no more of everybody's time than one of another room's. RoomError 429 if too many wait."""
        if len(self._share) >= MOST_COMING:
            raise RoomError(f"{MOST_COMING} requests of this room are waiting already; try again in a moment", 429)
        self.pause()

    def pause(self) -> None:
        """Lets others have their turn: other rooms', and what else is asked of this one. It does not go to sleep under who waits."""
        with self.asked():
            self._share.pause()

    def wait_turn(self) -> None:
        """Waits for the room's turn, and while one of the cluster's reactions is half done: a request meets it before or after, never in
        it."""
        with self.asked():
            self._share.wait()
            if self._turn.locked():
                with self._turn:
                    pass

    @contextmanager
    def turn(self) -> Iterator[None]:
        """What is done in the room's turn."""
        self.wait_turn()
        yield

    @contextmanager
    def seat(self) -> Iterator[None]:
        """What takes long, one after the other: others of the room come in between, and other rooms do not notice. RoomError 429 if too many
        wait for it."""
        if self._seated >= MOST_SEATED:
            raise RoomError(f"{MOST_SEATED} requests of this room that take long are waiting already; try again in a moment", 429)
        self._seated += 1
        try:
            with self.asked(), self._seat:
                self._share.wait()
                yield
        finally:
            self._seated -= 1

    def after_write(self) -> None:
        """To be called before a write is acknowledged: it is on disk when this returns. RoomError 503 if it could not be kept."""
        self.touch()
        if not self.awake:
            raise RoomError("this room was just put to sleep, and what was written is not kept; try again", 503)
        try:
            self.journal.flush()
        except sqlite3.Error as error:
            log.error("room %s cannot be kept: %s", self.name, error)
            raise RoomError(f"what was written cannot be kept on the server's disk: {error}", 503) from error

    def wait(self, done: green.Event) -> bool:
        """Waits in wall time for the end of a command; False if it takes too long."""
        return green.wait_for(done, self.settings.command_timeout)

    @property
    def outlasted(self) -> str:
        """Why a command was not waited for any longer."""
        return f"it took longer than {self.settings.command_timeout:g} seconds"

    @property
    def paused(self) -> bool:
        return self.meta["paused"]

    @property
    def speed(self) -> float:
        return self.meta["speed"]

    def clock(self) -> dict[str, Any]:
        return {"paused": self.paused, "speed": self.speed, "time": self.cluster.clock.now}

    def set_clock(self, paused: bool | None = None, speed: float | None = None) -> None:
        """Pauses, resumes, or sets how many virtual seconds a wall second is."""
        if speed is not None and not SPEEDS[0] <= speed <= SPEEDS[1]:
            raise RoomError(f"speed must be from {SPEEDS[0]} to {SPEEDS[1]:g}")
        if paused is not None:
            self.meta["paused"] = paused
            self._told += 1
        if speed is not None:
            self.meta["speed"] = float(speed)
        self.storage.save_meta(self.name, self.meta)
        for tell in self.changed:
            tell()

    def advance(self, seconds: float) -> None:
        """Runs virtual seconds as fast as it goes and returns when they have passed."""
        if not 0 <= seconds <= self.settings.max_advance:
            raise RoomError(f"advance must be from 0 to {self.settings.max_advance:g} seconds")
        target = self._in_time(self.cluster.clock.now + seconds)
        self._advancing += 1
        try:
            while not self._slice(target) and self.awake:
                self.pause()
        finally:
            self._advancing -= 1
        self.after_write()

    def step(self) -> None:
        """Runs the clock to the next change of the cluster. RoomError if there is none for a long time."""
        if not self.run_until(Change(self.cluster), self.settings.max_advance):
            raise RoomError("nothing happens for a long time yet: set the speed, or advance by so many seconds")

    def run_until(self, goal: Goal, limit: float) -> bool:
        """Runs as fast as it goes until a goal is reached, for at most so many virtual seconds, and pauses there; whether it was. Whoever
        pauses or resumes the room meanwhile ends it."""
        if not 0 <= limit <= self.settings.max_advance:
            raise RoomError(f"limit must be from 0 to {self.settings.max_advance:g} seconds")
        clock = self.cluster.clock
        end, reached, asked = self._in_time(clock.now + limit), False, self._told
        self._advancing += 1
        try:
            while self.awake and self._told == asked and not (reached := goal.reached()) and clock.now < end:
                due = min((moment for moment in (clock.next_due(), goal.next()) if moment is not None), default=end)
                self._slice(min(max(due, clock.now), end), goal.reached)
                self.pause()
        finally:
            self._advancing -= 1
        if self.awake and self._told == asked and not self.paused:
            self.set_clock(paused=True)
        self.after_write()
        return reached

    def instant(self) -> None:
        """Lets happen what is due now: in a paused room commands still run, only time does not pass."""
        self._slice(self.cluster.clock.now)

    @contextmanager
    def long_turn(self) -> Iterator[None]:
        """A turn for a request that takes long: the room stands still meanwhile, and others have their turn in between. RoomError as in
        ``seat``."""
        with self.seat(), self.still():
            yield

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing in the cluster is half done, and nothing happens meanwhile; what asks it for much lets others have their turn."""
        with self._turn:
            self._give, self._slice_ends = self.pause, time.perf_counter() + SLICE
            try:
                yield
            finally:
                self._slice_ends = 0.0

    def while_still(self, function: Callable[..., Any], *args: Any) -> Any:
        """What ``function`` gives, asked while nothing in the cluster is half done."""
        with self._turn:
            return function(*args)

    # the driver

    @staticmethod
    def _in_time(moment: float) -> float:
        if moment > OLDEST:
            raise RoomError("this room has come to the end of its calendar: make a new one")
        return moment

    def _slice(self, target: float, enough: Callable[[], bool] | None = None, give: Callable[[], None] | None = None) -> bool:
        """Runs up to ``target``, or until ``enough()``, for about a slice of wall time; whether it got there. One at a time, whoever asks;
        ``give`` is how what takes long lets others have their turn."""
        with self._turn:
            self._give = give or self.pause
            clock = self.cluster.clock
            if target <= clock.now:
                due = clock.next_due()
                if due is None or due > clock.now:
                    return True
                target = clock.now
            end = self._slice_ends = time.perf_counter() + SLICE
            try:
                return clock.run_until(target, lambda: time.perf_counter() > end or enough is not None and enough())
            except Exception:
                log.exception("room %s: something in the cluster broke", self.name)
                return False
            finally:
                self._slice_ends = 0.0

    def _breathe(self) -> None:
        """Asked by the cluster's parts between two of their requests: a reaction that takes long lets others have their turn."""
        if 0.0 < self._slice_ends < time.perf_counter():
            self._give()
            self._slice_ends = time.perf_counter() + SLICE

    def _drive(self) -> None:
        last = time.monotonic()
        while True:
            green.sleep(TICK)
            if not self.awake:
                return
            now = time.monotonic()
            passed, last = min(now - last, 1.0), now
            try:
                self._beat(passed, now)
            except Exception:
                log.exception("room %s: a beat of its clock failed", self.name)

    def _beat(self, passed: float, now: float) -> None:
        if not self._advancing:
            self._pace(passed, now)
        for tick in self.on_tick:
            tick()
        if now - self._flushed > FLUSH_EVERY:
            self._flushed = now
            self.journal.flush()

    def _pace(self, passed: float, now: float) -> None:
        target = min(self.cluster.clock.now + (0.0 if self.paused else passed * self.speed), OLDEST)
        enough = now + passed * SHARE
        while True:
            began = time.monotonic()
            done = self._slice(target, give=_next_round)
            ended = time.monotonic()
            if done or ended >= enough or not self.awake:
                return
            overrun = ended - began - SLICE
            green.sleep(min(overrun, LONGEST_REST) if overrun > SLICE else 0)

    def close(self) -> None:
        """Puts the room away, whole, without a moment in between at which anybody could find it half away."""
        if self.awake:
            self.journal.flush_exactly()
            self.awake = False
            self.journal.close()
            for tell in self.on_close:
                tell()
            for feed in tuple(self.feeds):
                feed.end()


def _next_round() -> None:
    green.sleep(0)


def same_key(given: str | None, key: str) -> bool:
    return given is not None and secrets.compare_digest(given.encode(errors="replace"), key.encode())
