"""A room as it was: clusters at kept revisions, to be looked at by the page, the inspector and a read-only terminal.

In: a room and a revision. Out: a ``Past``, which is to a terminal what a room is, on a cluster in which nothing happens. What people do
at its workstation stays in it and goes with it. Some are kept on a server's ``Shelf``, the one that was looked at longest ago goes first;
making one costs what waking the room costs, so one is made at a time, and others have their turn meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from server import green, memory
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.rooms.pages import fetcher
from server.rooms.room import Room, RoomError
from server.rooms.workstation import Workstation

log = logging.getLogger(__name__)

KEPT, KEPT_OBJECTS, SHELF_OBJECTS = 12, 60_000, 200_000  # of one room, objects of one room's, and of all rooms'
UNSEEN = 60.0  # wall seconds after which one that nobody looks at goes
MOST_WAITING = 24
TURN, REST = 0.002, 0.002
LEFT = 100  # of what is taken apart one such part lies in circles yet
MOST_OBJECTS = 30_000  # a cluster with more is not looked at as it was: making it would hold up everybody else


class Past:
    """A room's cluster at a revision. Its clock stands: commands run on it, and nothing else does. ``scene`` is what is drawn of it, once
    somebody has asked."""

    paused = True
    outlasted = "it waits for time to pass, and in the past none does"

    def __init__(self, room: Room, cluster: Cluster) -> None:
        self.name = room.name
        self.settings = room.settings
        self.cluster = cluster
        self.objects = cluster.store.count
        self.commands = 0
        self.closed = False
        self.on_close: list[Callable[[], None]] = []
        self.scene: dict[str, Any] | None = None
        self.drawing = green.Lock()
        self.looked = time.monotonic()
        self._room = room
        self._workstation: Workstation | None = None
        self._running = False

    @property
    def revision(self) -> int:
        return self.cluster.store.revision

    def touch(self) -> None:
        self.looked = time.monotonic()
        self._room.touch()

    def instant(self) -> None:
        """Lets the commands go on that run at its workstation. What takes long goes on by itself, and others have their turn."""
        if not self._running and not self._slice():
            self._running = True
            green.soon(self._go_on)

    def _go_on(self) -> None:
        try:
            while not self.closed and not self._slice():
                self._room.pause()
        finally:
            self._running = False

    def _slice(self) -> bool:
        """Whether nothing is due any more."""
        clock, end = self.cluster.clock, time.perf_counter() + TURN
        try:
            return clock.run_until(clock.now, lambda: time.perf_counter() > end)
        except Exception:
            log.exception("room %s at revision %s: something in the cluster broke", self.name, self.revision)
            return False

    def wait(self, done: green.Event) -> bool:
        """Whether what was begun at the workstation comes to its end: what is not done when nothing is due any more never will be."""
        limit = time.monotonic() + self.settings.command_timeout
        while self._running and not done.ready() and time.monotonic() < limit:
            green.sleep(REST)
        return done.ready()

    def after_write(self) -> None:
        """What was done here is not kept."""

    def wait_turn(self) -> None:
        self._room.wait_turn()

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._room.turn():
            yield

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing happens in the past."""
        yield

    def while_still(self, function: Callable[..., Any], *args: Any) -> Any:
        """What ``function`` gives: nothing in the past is half done."""
        return function(*args)

    def workstation(self) -> Workstation:
        """The machine beside the cluster, with its files as they were then."""
        if self._workstation is None:
            self._workstation = Workstation(self.cluster, fetcher(False, self.instant), lambda: True)
        return self._workstation

    def close(self) -> None:
        """It is not kept any more: what ran there ends. Its memory is given back once those are done who look at it still."""
        if not self.closed:
            self.closed = True
            for tell in tuple(self.on_close):
                tell()
            self.cluster.clock.clear()
            self._workstation = self.scene = None

    def __del__(self) -> None:
        green.soon(_taken_apart, self.cluster)


def _taken_apart(cluster: Cluster) -> None:
    objects = cluster.store.count
    cluster.close(green.breather(TURN))
    memory.let_go(objects // LEFT)


class Shelf:
    """The pasts that a server keeps, of all its rooms, and the one that is being made."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[Pasts, int, float | None], Past] = OrderedDict()
        self.making = green.Lock()

    def put(self, key: tuple[Pasts, int, float | None], past: Past) -> None:
        """Keeps one; those that were looked at longest ago make place for it."""
        self.kept[key] = past
        while len(own := self.of(key[0])) > 1 and (len(own) > KEPT or sum(self.kept[one].objects for one in own) > KEPT_OBJECTS):
            self.drop(own[0])
        while len(self.kept) > 1 and sum(one.objects for one in self.kept.values()) > SHELF_OBJECTS:
            self.drop(next(iter(self.kept)))

    def of(self, pasts: Pasts) -> list[tuple[Pasts, int, float | None]]:
        return [key for key in self.kept if key[0] is pasts]

    def drop(self, key: tuple[Pasts, int, float | None]) -> None:
        self.kept.pop(key).close()


class Pasts:
    """What of one room's past is being looked at."""

    def __init__(self, room: Room, shelf: Shelf | None = None) -> None:
        self._room = room
        self._shelf = shelf or Shelf()
        self._turn = green.Lock()
        self._waiting = 0
        self._coming: dict[tuple[int, float | None], green.Event] = {}
        room.on_close.append(self.close)

    def at(self, revision: int, moment: float | None = None) -> Past:
        """The room at a kept revision. RoomError 410 for one that is not kept, 400 for one that is yet to come, 413 if the room is too large,
        429 if too many are asked for at once."""
        self._check(revision)
        if moment is not None:
            moment = self._room.cluster.within(revision, moment)
        found = self._found(revision, moment)
        while found is None and (coming := self._coming.get((revision, moment))) is not None:
            coming.wait()
            found = self._found(revision, moment)
        if found is None:
            found = self._make(revision, moment)
        found.looked = time.monotonic()
        return found

    def of(self, revision: int) -> Past:
        """The room at a kept revision, at whatever moment it is looked at already. RoomError as in ``at``."""
        return self.at(revision, next((key[2] for key in reversed(self._shelf.kept) if key[:2] == (self, revision)), None))

    def fork(self, revision: int | None) -> Cluster:
        """A cluster that goes on from a kept revision, or from now."""
        self._check(revision)
        with self._one_at_a_time():
            return self._made("fork", revision)

    def tidy(self) -> None:
        """Lets go of what nobody has looked at for a while."""
        now = time.monotonic()
        for key in self._shelf.of(self):
            past = self._shelf.kept[key]
            if not past.commands and now - past.looked > UNSEEN:
                self._shelf.drop(key)

    def close(self) -> None:
        for key in self._shelf.of(self):
            self._shelf.drop(key)

    def _make(self, revision: int, moment: float | None) -> Past:
        """Those who ask for the same meanwhile wait for this one."""
        came = self._coming[revision, moment] = green.Event()
        try:
            with self._one_at_a_time():
                past = Past(self._room, self._made("at", revision, moment))
                self._shelf.put((self, revision, moment), past)
                return past
        finally:
            del self._coming[revision, moment]
            came.send()

    def _found(self, revision: int, moment: float | None) -> Past | None:
        key = (self, revision, moment)
        if key in self._shelf.kept:
            self._shelf.kept.move_to_end(key)
        return self._shelf.kept.get(key)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """One of a room, and then one of all rooms: whoever asks for many waits for them, and others wait for one of theirs."""
        if self._waiting >= MOST_WAITING:
            raise RoomError("too many revisions of this room are being asked for at once; try again in a moment", 429)
        self._waiting += 1
        try:
            with self._room.asked(), self._turn, self._shelf.making:
                yield
        finally:
            self._waiting -= 1

    def _check(self, revision: int | None) -> None:
        store = self._room.cluster.store
        if revision is not None and revision > store.revision:
            raise RoomError(f"revision {revision} is yet to come: the cluster is at {store.revision}")
        if store.count > MOST_OBJECTS:
            raise RoomError(f"the past of a cluster of more than {MOST_OBJECTS} objects cannot be looked at", 413)

    def _made(self, how: str, revision: int | None, *args: Any) -> Cluster:
        """What is taken of the room's cluster is taken at once; while the other is made of it, everybody has their turn."""
        room = self._room
        with room.turn():
            room.while_still(lambda: None)
        try:
            return getattr(room.cluster, how)(revision, *args, breathe=green.breather(TURN, room.pause))
        except ApiError as error:
            raise RoomError(f"that revision is no longer kept: {error.message}", error.code) from None
