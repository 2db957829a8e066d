"""etcd: every object at its revision, the history of what happened to it, and who watches.

A write goes in with its cause and gives the object a new revision; every watcher of that resource hears of it in the same
virtual instant, in order of revision. Objects are never mutated: history, caches and watchers hold references, and an object
is encoded to JSON at most once. ``State`` beside it holds the run-time state of containers and such as plain data: it has no
revisions, but lives and dies with the store. Dump and load are the whole of a cluster's memory.

Source: https://etcd.io/docs/v3.5/learning/data_model/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

from server.cluster.errors import gone
from server.cluster.objects import Key, Object

ADDED, MODIFIED, DELETED, BOOKMARK = "ADDED", "MODIFIED", "DELETED", "BOOKMARK"


class Cause(NamedTuple):
    """Who did it, when, and what made them: ``because`` is the revision of the event that the client reacted to, or the id of an act of
    chaos (None: a person), ``at`` the virtual moment."""

    client: str = ""
    user: str = ""
    verb: str = ""
    because: int | str | None = None
    at: float = 0.0


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
    """Run-time state as plain data by key, journalled with the store. A value is replaced, never mutated."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self.on_change: Callable[[str, Any], None] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """``None`` removes the key."""
        if value is None:
            if self._values.pop(key, None) is None:
                return
        else:
            self._values[key] = value
        if self.on_change is not None:
            self.on_change(key, value)

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        return [(key, value) for key, value in sorted(self._values.items()) if key.startswith(prefix)]


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


class Store:
    """``history`` is how many revisions are kept at least; older ones are compacted and a watch from them answers 410. ``count`` is how
    many objects there are."""

    def __init__(self, history: int = 20_000) -> None:
        self.revision = 0
        self.history = history
        self.count = 0
        self.state = State()
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

    def since(self, revision: int, resource: str | None = None) -> Iterator[Event]:
        """What happened after ``revision``. ApiError 410 if that is compacted away."""
        if revision < self._compacted:
            raise gone(revision, self._compacted + 1)
        start = revision - self._compacted
        return (event for event in self._log[start:] if resource is None or event.resource == resource)

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
