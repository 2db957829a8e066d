"""etcd: every object at its revision, the history of what happened to it, and who watches.

A write goes in with its cause and gives the object a new revision; every watcher of that resource hears of it in the same
virtual instant, in order of revision. Objects are never mutated: history, caches and watchers hold references, and an object
is encoded to JSON at most once. ``State`` beside it holds the run-time state of containers and such as plain data: it lives and
dies with the store, and what it was at a kept revision can be told (``Store.at``). Dump and load are the whole of a cluster's memory.

Source: https://etcd.io/docs/v3.5/learning/data_model/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from server.cluster.errors import gone
from server.cluster.objects import Key, Object

ADDED, MODIFIED, DELETED, BOOKMARK = "ADDED", "MODIFIED", "DELETED", "BOOKMARK"
BREATH = 200  # values or changes that are copied before others have their turn
HISTORY, NOTE = 24 * 1024 * 1024, 200  # bytes that are kept of what run-time state was, and what one value takes besides itself


def _go_on() -> None:
    """Nobody waits."""


class Cause(NamedTuple):
    """Who did it, when, and what made them: ``because`` is the revision of the event that the client reacted to, or the id of an act of
    chaos (None: a person), ``at`` the virtual moment, ``asked`` the request as the API server got it, to look at and not to touch."""

    client: str = ""
    user: str = ""
    verb: str = ""
    because: int | str | None = None
    at: float = 0.0
    asked: Any = None


class Record:
    """An object at one revision, with its JSON once somebody has asked for it."""

    __slots__ = ("object", "revision", "_json")

    def __init__(self, obj: Object, revision: int) -> None:
        self.object = obj
        self.revision = revision
        self._json: bytes | None = None

    def json(self) -> bytes:
        if self._json is None:
            self._json = orjson.dumps(self.object)
        return self._json


class Event:
    """One change, to the object at ``key``: what a watcher gets."""

    __slots__ = ("type", "resource", "key", "revision", "record", "object", "previous", "cause", "_wire")

    def __init__(self, type_: str, resource: str, key: Key, record: Record, previous: Object | None, cause: Cause) -> None:
        self.type = type_
        self.resource = resource
        self.key = key
        self.revision = record.revision
        self.record = record
        self.object = record.object
        self.previous = previous
        self.cause = cause
        self._wire: bytes | None = None

    def json(self) -> bytes:
        return self.record.json()

    def wire(self) -> bytes:
        """The line of a watch response, encoded once for all watchers."""
        if self._wire is None:
            self._wire = b'{"type":"%b","object":%b}\n' % (self.type.encode(), self.record.json())
        return self._wire

    def as_type(self, type_: str, obj: Object | None = None) -> Event:
        """The same change as somebody sees it for whom the object comes into view or leaves it."""
        record = self.record if obj is None else Record(obj, self.revision)
        return Event(type_, self.resource, self.key, record, self.previous, self.cause)


class State:
    """Run-time state as plain data by key, journalled with the store. A value is replaced, never mutated.

    What values were before is kept by the revision (``revision()``) in which they were replaced, the first of each key and revision, so
    that ``at`` can give them back; beyond ``HISTORY`` bytes the older half is forgotten, and ``earliest`` says what is left."""

    def __init__(self, revision: Callable[[], int] = lambda: 0) -> None:
        self._values: dict[str, Any] = {}
        self._revision = revision
        self._replaced: list[tuple[int, str, bytes | None]] = []
        self._noted: dict[str, int] = {}
        self._size = 0
        self.dropped = self.remembered = 0
        self.earliest = 0
        self.on_change: Callable[[str, Any], None] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """``None`` removes the key."""
        before = self._values.get(key)
        if value is None and before is None:
            return
        revision = self._revision()
        if self._noted.get(key) != revision:
            self._note(key, revision, before)
        if value is None:
            del self._values[key]
        else:
            self._values[key] = value
        if self.on_change is not None:
            self.on_change(key, value)

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        return [(key, value) for key, value in sorted(self._values.items()) if key.startswith(prefix)]

    def _note(self, key: str, revision: int, before: Any) -> None:
        kept = orjson.dumps(before) if before is not None else None
        self._noted[key] = revision
        self._replaced.append((revision, key, kept))
        self._size += NOTE if kept is None else NOTE + len(kept)
        if self._size > HISTORY:
            self.forget(self._replaced[len(self._replaced) // 2][0])

    @property
    def replaced(self) -> list[tuple[int, str, bytes | None]]:
        """What is kept of what values were: (revision in which it was replaced, key, JSON or None for none), the oldest first."""
        return self._replaced

    @replaced.setter
    def replaced(self, notes: list[tuple[int, str, bytes | None]]) -> None:
        self._replaced = notes
        self._noted = {key: number for number, key, _ in notes}
        self._size = sum(NOTE if kept is None else NOTE + len(kept) for _, _, kept in notes)

    def forget(self, revision: int) -> None:
        """Forgets what values were before ``revision``."""
        self.earliest = max(self.earliest, revision)
        before = len(self._replaced)
        self.replaced = [note for note in self._replaced if note[0] > revision]
        self.dropped += before - len(self._replaced)

    @property
    def noted(self) -> int:
        """How many values were replaced, with those that are forgotten."""
        return self.dropped + len(self._replaced)

    def noted_since(self, number: int) -> list[tuple[int, str, bytes | None]]:
        """What of ``replaced`` came after the first so many."""
        return self._replaced[max(0, number - self.dropped):]

    def at(self, revision: int, breathe: Callable[[], None] = _go_on) -> dict[str, Any]:
        """The values as they were when the next revision was about to be, shared with nobody. What is taken is taken at once; ``breathe()`` is
        called while it is copied."""
        now = dict(self._values)
        before: dict[str, bytes | None] = {}
        for number, key, kept in reversed(self._replaced):
            if number <= revision:
                break
            before[key] = kept
        values: dict[str, Any] = {}
        for number, (key, value) in enumerate(now.items()):
            if key not in before:
                values[key] = orjson.loads(orjson.dumps(value))
            if not number % BREATH:
                breathe()
        for number, (key, kept) in enumerate(before.items()):
            if kept is not None:
                values[key] = orjson.loads(kept)
            if not number % BREATH:
                breathe()
        return values


Watcher = Callable[[Event], None]


class Watch:
    """A standing order; ``stop`` ends it."""

    __slots__ = ("_watchers", "_resource", "_callback", "active")

    def __init__(self, watchers: dict[str | None, tuple[Watcher, ...]], resource: str | None, callback: Watcher) -> None:
        self._watchers = watchers
        self._resource = resource
        self._callback = callback
        self.active = True

    def stop(self) -> None:
        if self.active:
            self.active = False
            left = list(self._watchers[self._resource])
            left.remove(self._callback)
            self._watchers[self._resource] = tuple(left)


def told(events: Iterable[Event], notes: Iterable[tuple[int, str, bytes | None]], known: set[tuple[str, Key]]) -> dict[str, Any]:
    """A part of a history as ``Store.remember`` takes it. What an object was before goes with the first of its events that ``known`` has not,
    which is added to."""
    rows = []
    for event in events:
        fresh = (event.resource, event.key) not in known
        known.add((event.resource, event.key))
        rows.append([event.type, event.resource, event.key[0], event.key[1], orjson.Fragment(event.json()),
                     event.previous if fresh else None, event.cause[:5]])
    return {"events": rows, "state": [[revision, key, kept.decode() if kept is not None else None] for revision, key, kept in notes]}


class Store:
    """``history`` is how many revisions are kept at least; older ones are compacted and a watch from them answers 410. ``count`` is how
    many objects there are."""

    def __init__(self, history: int = 20_000) -> None:
        self.revision = 0
        self.history = history
        self.count = 0
        self.state = State(lambda: self.revision)
        self._tables: dict[str, dict[Key, Record]] = {}
        self._watchers: dict[str | None, tuple[Watcher, ...]] = {None: ()}
        self._log: list[Event] = []
        self._compacted = 0

    def get(self, resource: str, key: Key) -> Record | None:
        table = self._tables.get(resource)
        return table.get(key) if table is not None else None

    def resources(self) -> list[str]:
        """Those of which there are, or were, any."""
        return sorted(self._tables)

    def table(self, resource: str) -> dict[Key, Record]:
        """Every record of a resource, in no particular order."""
        return self._tables.setdefault(resource, {})

    def put(self, resource: str, key: Key, obj: Object, cause: Cause) -> Record:
        """Stores a new version, with ``metadata.resourceVersion`` set to the new revision."""
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = {}
        old = table.get(key)
        if old is None:
            self.count += 1
        self.revision += 1
        record = Record({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.revision)}}, self.revision)
        table[key] = record
        self._publish(Event(MODIFIED if old is not None else ADDED, resource, key, record, old.object if old is not None else None, cause))
        return record

    def delete(self, resource: str, key: Key, cause: Cause) -> Record:
        """Removes an object; the event carries its last state at the revision of the removal. KeyError if there is none."""
        old = self._tables[resource].pop(key)
        self.count -= 1
        self.revision += 1
        last = {**old.object, "metadata": {**old.object["metadata"], "resourceVersion": str(self.revision)}}
        record = Record(last, self.revision)
        self._publish(Event(DELETED, resource, key, record, old.object, cause))
        return record

    def _publish(self, event: Event) -> None:
        log = self._log
        log.append(event)
        if len(log) > 2 * self.history:
            self.compact(self.revision - self.history)
        for watcher in self._watchers.get(event.resource, ()):
            watcher(event)
        for watcher in self._watchers[None]:
            watcher(event)

    def compact(self, revision: int) -> None:
        """Forgets history up to and including ``revision``."""
        drop = revision - self._compacted
        if drop > 0:
            del self._log[:drop]
            self._compacted = revision
            self.state.forget(revision)

    @property
    def earliest(self) -> int:
        """The oldest revision that ``at`` can give."""
        return max(self._compacted, self.state.earliest)

    def moment(self, revision: int) -> float | None:
        """When a kept revision was written; of the oldest only the end of its time is known. None for the newest if it is the oldest."""
        event = self.event_at(revision) or self.event_at(revision + 1)
        return event.cause.at if event is not None else None

    def at(self, revision: int, breathe: Callable[[], None] = _go_on) -> Store:
        """A store of its own that is as this one was at a kept revision, with the history before it; objects are shared. ApiError 410
        if that is compacted away. What is taken of this one is taken at once; ``breathe()`` is called while the other is made of it."""
        if not self.earliest <= revision <= self.revision:
            raise gone(revision, self.earliest)
        past = Store(self.history)
        past.revision, past._compacted = revision, self._compacted
        past._log = self._log[:revision - self._compacted]
        past._tables = {resource: dict(table) for resource, table in self._tables.items()}
        later = self._log[len(past._log):]
        past.state._values = self.state.at(revision, breathe)
        undone: dict[tuple[str, Key], Object | None] = {}
        for number, event in enumerate(reversed(later)):
            undone[event.resource, event.key] = event.previous
            if not number % BREATH:
                breathe()
        for number, ((resource, key), obj) in enumerate(undone.items()):
            if obj is None:
                past._tables[resource].pop(key, None)
            else:
                past._tables[resource][key] = Record(obj, int(obj["metadata"]["resourceVersion"]))
            if not number % BREATH:
                breathe()
        past.count = sum(map(len, past._tables.values()))
        past.state.earliest = revision
        return past

    def since(self, revision: int, resource: str | None = None) -> Iterator[Event]:
        """What happened after ``revision``. ApiError 410 if that is compacted away."""
        if revision < self._compacted:
            raise gone(revision, self._compacted + 1)
        start = revision - self._compacted
        return (event for event in self._log[start:] if resource is None or event.resource == resource)

    def latest(self, most: int) -> Iterator[Event]:
        """The newest changes that are kept, so many at most, the newest first."""
        return reversed(self._log[max(0, len(self._log) - most):])

    def event_at(self, revision: int) -> Event | None:
        """The change that made a revision, while it is kept."""
        index = revision - self._compacted - 1
        return self._log[index] if 0 <= index < len(self._log) else None

    def table_at(self, resource: str, revision: int) -> dict[Key, Record]:
        """A resource's records as they were at a kept revision. ApiError 410 if that is compacted away."""
        table = dict(self.table(resource))
        for event in reversed(list(self.since(revision, resource))):
            if event.previous is None:
                table.pop(event.key, None)
            else:
                table[event.key] = Record(event.previous, int(event.previous["metadata"]["resourceVersion"]))
        return table

    def watch(self, resource: str | None, callback: Watcher) -> Watch:
        """``callback(event)`` for every change from now on, of one resource or (None) of all. It may note and schedule, not write."""
        self._watchers[resource] = (*self._watchers.get(resource, ()), callback)
        return Watch(self._watchers, resource, callback)

    def watchers(self, resource: str) -> tuple[Watcher, ...]:
        """Who hears of a resource's changes now, those of all resources last."""
        return (*self._watchers.get(resource, ()), *self._watchers[None])

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON-able data in a fixed order: equal clusters give equal bytes."""
        return {
            "revision": self.revision,
            "objects": {
                resource: [record.object for _, record in sorted(table.items())]
                for resource, table in sorted(self._tables.items())
                if table
            },
            "state": dict(self.state.items()),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Takes what ``dump`` gave, into an empty store. History before it is compacted; nobody is told."""
        self.revision = self._compacted = data["revision"]
        for resource, objects in data["objects"].items():
            table = self.table(resource)
            for obj in objects:
                meta = obj["metadata"]
                table[meta.get("namespace", ""), meta["name"]] = Record(obj, int(meta["resourceVersion"]))
            self.count += len(objects)
        self.state._values = dict(data["state"])
        self.state.earliest = self.revision

    def memory(self, revisions: int, size: int) -> bytes:
        """The newest part of the history as JSON: so many revisions at most, of about so many bytes. What was asked is not in it."""
        begin, room = len(self._log), size
        while begin > max(0, len(self._log) - revisions) and self._log[begin - 1].revision > self.state.earliest and room > 0:
            begin -= 1
            room -= len(self._log[begin].json())
        first = self.revision - (len(self._log) - begin)
        notes = [note for note in self.state.replaced if note[0] > first]
        return orjson.dumps({"revision": self.revision, "first": first, **told(self._log[begin:], notes, set())})

    def remember(self, history: bytes) -> None:
        """Takes what ``memory`` gave of a store that was as this one is; that of another moment is of no use and forgotten."""
        data = orjson.loads(history)
        if data["revision"] != self.revision or self._log:
            return
        self._compacted = self.state.earliest = revision = data["first"]
        last: dict[tuple[str, Key], Object] = {}
        for type_, resource, namespace, name, obj, previous, cause in data["events"]:
            revision += 1
            key = (namespace, name)
            record = self.get(resource, key)
            if record is None or record.revision != revision:
                record = Record(obj, revision)
            before = last.get((resource, key), previous)
            self._log.append(Event(type_, resource, key, record, before, Cause(*cause)))
            last[resource, key] = record.object
            if type_ == DELETED:
                del last[resource, key]
        self.state.replaced = [(revision, key, kept.encode() if kept is not None else None) for revision, key, kept in data["state"]]
        self.state.remembered = self.state.noted
