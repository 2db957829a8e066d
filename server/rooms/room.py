"""A room: one cluster, the pace of its clock, its people, its terminals, and its place on disk.

This is the only place where virtual and wall time meet: a green thread runs the clock forward by wall time times speed, in slices
of about a millisecond between which everyone else gets a turn. A room that cannot keep up falls behind; it never holds others up.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from server import green
from server.cluster.cluster import Cluster
from server.rooms.journal import Journal
from server.rooms.storage import Storage
from server.settings import Settings

TICK = 0.025
SLICE = 0.002
SHARE = 0.6
SPEEDS = (0.01, 1000.0)
FLUSH_EVERY = 1.0


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
        self.streams = 0
        self.awake = True
        self.used = time.monotonic()
        self.changed: list[Callable[[], None]] = []
        self.on_tick: list[Callable[[], None]] = []
        self._advancing = 0
        self._flushed = time.monotonic()
        self._thread = green.spawn(self._drive)

    # what others may ask

    def opens(self, key: str | None) -> bool:
        return key is not None and secrets.compare_digest(key.encode(), self.key.encode())

    def touch(self) -> None:
        """Somebody is here."""
        self.used = time.monotonic()

    def after_write(self) -> None:
        """To be called before a write is acknowledged: it is on disk when this returns."""
        self.touch()
        self.journal.flush()

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
        if speed is not None:
            self.meta["speed"] = float(speed)
        self.storage.save_meta(self.name, self.meta)
        for tell in self.changed:
            tell()

    def advance(self, seconds: float) -> None:
        """Runs virtual seconds as fast as it goes and returns when they have passed."""
        if not 0 <= seconds <= self.settings.max_advance:
            raise RoomError(f"advance must be from 0 to {self.settings.max_advance:g} seconds")
        self._advancing += 1
        try:
            target = self.cluster.clock.now + seconds
            while not self._slice(target):
                green.sleep(0)
        finally:
            self._advancing -= 1
        self.after_write()

    def step(self) -> None:
        """Runs the clock to the next thing that happens, and a moment beyond."""
        due = self.cluster.clock.next_due()
        if due is not None:
            self._slice(due)
        self.after_write()

    def instant(self) -> None:
        """Lets happen what is due now: in a paused room commands still run, only time does not pass."""
        self._slice(self.cluster.clock.now)

    # the driver

    def _slice(self, target: float) -> bool:
        """Runs up to ``target`` for about a slice of wall time; whether it got there."""
        clock = self.cluster.clock
        if target <= clock.now:
            due = clock.next_due()
            if due is None or due > clock.now:
                return True
            target = clock.now
        end = time.perf_counter() + SLICE
        return clock.run_until(target, lambda: time.perf_counter() > end)

    def _drive(self) -> None:
        last = time.monotonic()
        while self.awake:
            green.sleep(TICK)
            now = time.monotonic()
            passed, last = min(now - last, 1.0), now
            if not self._advancing:
                self._pace(passed, now)
            for tick in self.on_tick:
                tick()
            if now - self._flushed > FLUSH_EVERY:
                self._flushed = now
                self.journal.flush()

    def _pace(self, passed: float, now: float) -> None:
        target = self.cluster.clock.now + (0.0 if self.paused else passed * self.speed)
        enough = now + passed * SHARE
        while not self._slice(target) and time.monotonic() < enough and self.awake:
            green.sleep(0)

    def close(self) -> None:
        """Puts the room away, whole."""
        if self.awake:
            self.awake = False
            self._thread.kill()
            self.journal.flush_exactly()
            self.journal.close()
