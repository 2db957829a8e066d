"""All rooms: making them, finding them, waking them from disk and putting to sleep those that nobody watches."""

from __future__ import annotations

import logging
import re
import secrets
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from server import green, memory
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.cluster.machines import NodeSpec
from server.rooms import journal
from server.rooms.machines import wanted
from server.rooms.room import SPEEDS, Room, RoomError, same_key
from server.rooms.storage import Storage
from server.settings import Settings

LETTERS = "bcdfghjkmnpqrstvwxz23456789"
NAME = re.compile(r"[a-z0-9]{4,32}")
HOUSEKEEPING, QUIET = 5.0, 10.0
MOST_WAITING = 32
TURN = 0.002
LARGEST_SEED = 2**63 - 1
log = logging.getLogger(__name__)


WRONG_KEY = "this link's key does not open the room"


class Rooms:
    """``on_open(room)`` is called for every room that comes to life, made or woken."""

    def __init__(self, settings: Settings, on_open: Callable[[Room], None] = lambda room: None) -> None:
        self.settings = settings
        self.storage = Storage(settings.data)
        self.on_open = on_open
        self._awake: dict[str, Room] = {}
        self._known = set(self.storage.rooms())
        self._made: dict[str, deque[float]] = defaultdict(deque)
        self._building = green.Lock()
        self._planned = 0
        green.spawn(self._keep_house)

    def create(self, preset: str = "", seed: int | None = None, speed: float = 1.0, nodes: Any = None, who: str = "",
               metrics_server: bool = False) -> Room:
        """A new room with a new cluster. RoomError for bad wishes, or when there are too many rooms."""
        self._check_rate(who)
        machines = wanted(preset, nodes, self.settings.max_nodes)
        if seed is None:
            seed = secrets.randbelow(2**31)
        if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) > LARGEST_SEED:
            raise RoomError("seed must be a whole number of at most 63 bits")
        return self._add(lambda: self._built(seed, machines, metrics_server), speed, paused=False)

    def fork(self, make: Callable[[], Cluster], speed: float, paused: bool, who: str = "") -> Room:
        """A new room with the cluster that ``make`` gives. RoomError as in ``create``, and whatever ``make`` raises."""
        self._check_rate(who)
        return self._add(make, speed, paused)

    def _add(self, make: Callable[[], Cluster], speed: float, paused: bool) -> Room:
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not SPEEDS[0] <= speed <= SPEEDS[1]:
            raise RoomError(f"speed must be a number from {SPEEDS[0]} to {SPEEDS[1]:g}")
        if len(self._known) + self._planned >= self.settings.max_rooms:
            raise RoomError(f"this server holds at most {self.settings.max_rooms} rooms", 503)
        if self._planned >= MOST_WAITING:
            raise RoomError("too many rooms are being made right now; try again in a minute", 503)
        name = "".join(secrets.choice(LETTERS) for _ in range(8))
        key = "".join(secrets.choice(LETTERS) for _ in range(24))
        meta = {"key": key, "speed": float(speed), "paused": paused, "created": time.time()}
        self._planned += 1
        try:
            cluster = make()
            self._make_place()
            self.storage.create(name, meta, journal.clock_of(cluster, exact=True), journal.all_rows(cluster))
        except sqlite3.Error as error:
            raise RoomError(f"the room cannot be kept on the server's disk: {error}", 503) from error
        finally:
            self._planned -= 1
        self._known.add(name)
        return self._open(name, meta, cluster)

    def _built(self, seed: int, machines: list[NodeSpec], metrics_server: bool) -> Cluster:
        """A new cluster. One is built at a time, and while it is, everybody else has their turn."""
        with self._building:
            try:
                return Cluster(seed, datetime.now(UTC), machines, metrics_server=metrics_server,
                               breathe=green.breather(TURN))
            except ApiError as error:
                raise RoomError(f"such a cluster cannot be made: {error.message}") from error

    def get(self, name: str, key: str | None) -> Room:
        """The room behind a link; woken if it sleeps. RoomError 404 for an unknown room, 403 for a wrong key."""
        room = self._awake.get(name)
        if room is None:
            room = self._wake(name, key)
        if not room.opens(key):
            raise RoomError(WRONG_KEY, 403)
        room.touch()
        return room

    def awake(self, name: str) -> Room | None:
        """The room of that name, if it is awake; nobody is let in by this."""
        return self._awake.get(name)

    def _open(self, name: str, meta: dict[str, Any], cluster: Cluster) -> Room:
        room = self._awake[name] = Room(name, meta, cluster, self.storage, self.settings)
        self.on_open(room)
        return room

    def _wake(self, name: str, key: str | None) -> Room:
        kept = self.storage.meta(name) if NAME.fullmatch(name) and name in self._known else None
        if kept is None:
            raise RoomError("there is no such room", 404)
        if not same_key(key, kept["key"]):
            raise RoomError(WRONG_KEY, 403)
        self._make_place()
        found = self.storage.load(name)
        if found is None:
            raise RoomError("there is no such room", 404)
        meta, clock, rows = found
        room = self._open(name, meta, journal.restored(clock, rows, journal.history(self.storage, name, clock["revision"])))
        room.journal.catch_up(clock, rows)
        return room

    def _make_place(self) -> None:
        """Puts the room that was not used for longest to sleep when too many are awake. People in it keep a room awake; a client's
        watches do only as long as another can go: they end, and the client that comes back wakes the room."""
        while len(self._awake) >= self.settings.max_awake_rooms:
            idle = [room for room in self._awake.values() if not room.busy]
            if not idle:
                raise RoomError("too many rooms are busy right now; try again in a minute", 503)
            self._sleep(min(idle, key=lambda room: (bool(room.feeds), room.used)))

    def _sleep(self, room: Room) -> None:
        """Nothing in between lets others run: nobody can find the room half away. What cannot be kept stays awake."""
        room.close()
        del self._awake[room.name]
        memory.let_go(room.cluster.store.count)

    def _keep_house(self) -> None:
        while True:
            green.sleep(HOUSEKEEPING)
            now = time.monotonic()
            for room in list(self._awake.values()):
                if not (room.busy or room.feeds) and now - room.used > self.settings.sleep_after:
                    try:
                        self._sleep(room)
                    except sqlite3.Error as error:
                        log.error("room %s cannot be put to sleep: %s", room.name, error)
            memory.tidy(all(now - room.used > QUIET for room in self._awake.values()))

    def _check_rate(self, who: str) -> None:
        now = time.monotonic()
        made = self._made[who]
        while made and now - made[0] > 60:
            made.popleft()
        if len(made) >= self.settings.new_rooms_per_minute:
            raise RoomError("too many new rooms from this address; try again in a minute", 429)
        made.append(now)
        if len(self._made) > 10_000:
            self._made.clear()

    def close(self) -> None:
        """Puts every room away."""
        for room in list(self._awake.values()):
            try:
                self._sleep(room)
            except sqlite3.Error as error:
                log.error("room %s cannot be kept: %s", room.name, error)
        self.storage.close()
