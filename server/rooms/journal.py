"""What of a cluster has changed since it was last on disk. Objects are written as the bytes the store has encoded once already."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import orjson

from server.cluster.cluster import Cluster
from server.cluster.objects import Key
from server.cluster.store import DELETED, Event, told
from server.rooms.storage import PARTS, Past, Row, Storage

STATE = "#state"
HISTORY, HISTORY_BYTES = 2_000, 6 * 1024 * 1024  # revisions that are kept of a room's past while it sleeps, and their bytes


class Journal:
    """Follows a cluster's store; ``flush`` brings the disk up to it."""

    def __init__(self, storage: Storage, room: str, cluster: Cluster) -> None:
        self._storage = storage
        self._room = room
        self._cluster = cluster
        self._changed: dict[tuple[str, str, str], Any] = {}
        self._past = Recorder(cluster, storage.last_part(room) + 1)
        self._watch = cluster.store.watch(None, self._on_event)
        cluster.store.state.on_change = self._on_state

    def catch_up(self, clock: dict[str, Any], rows: list[Row]) -> None:
        """What taking the cluster up again has changed already: ``clock`` and ``rows`` are as they came off the disk."""
        self._past.begin(clock["revision"])
        state = dict(self._cluster.store.state.items())
        for resource, namespace, name, body in rows:
            if resource == STATE:
                if name not in state or orjson.dumps(state[name]) != body:
                    self._changed[STATE, "", name] = state.get(name)
                state.pop(name, None)
            elif self._cluster.store.get(resource, (namespace, name)) is None:
                self._changed[resource, namespace, name] = None
        self._changed.update(((STATE, "", name), value) for name, value in state.items())
        for resource in self._cluster.store.resources():
            for (namespace, name), record in self._cluster.store.table(resource).items():
                if record.revision > clock["revision"]:
                    self._changed[resource, namespace, name] = record

    def _on_event(self, event: Event) -> None:
        meta = event.object["metadata"]
        self._changed[event.resource, meta.get("namespace", ""), meta["name"]] = None if event.type == DELETED else event.record

    def _on_state(self, key: str, value: Any) -> None:
        self._changed[STATE, "", key] = value

    def flush(self) -> None:
        """Writes what changed; cheap when nothing did. What cannot be written is kept for the next time."""
        if self._changed:
            self._storage.flush(self._room, clock_of(self._cluster, exact=False), _rows(self._changed), self._past.news())
            self._past.kept()
            self._changed = {}

    def flush_exactly(self) -> None:
        """Also keeps the state of chance, what is half done and what was before, so that the room goes on as if it had never stopped."""
        self._cluster.kubelets.runtime.settle()
        self._storage.flush(self._room, clock_of(self._cluster, exact=True), _rows(self._changed), self._past.news())
        self._past.kept()
        self._changed = {}
        self._storage.keep_history(self._room, self._cluster.store.memory(HISTORY, HISTORY_BYTES))

    def close(self) -> None:
        self._watch.stop()
        self._cluster.store.state.on_change = None


class Recorder:
    """What of a cluster's history is not yet on disk. It is kept in parts, each of which can be told without those before it; one ends when it is
    large, or when a piece of it could not be kept."""

    def __init__(self, cluster: Cluster, part: int) -> None:
        self._store = cluster.store
        self._part, self._number, self._size = part, 0, 0
        self._known: set[tuple[str, Key]] = set()
        self._told, self._noted, self._opened = self._store.revision, self._store.state.noted, self._store.revision
        self._lost = False

    def begin(self, revision: int) -> None:
        """Tells from a revision on, with what was remembered on disk already."""
        self._told, self._noted, self._opened = revision, self._store.state.remembered, revision

    def news(self) -> Past | None:
        """What has come since ``kept()`` was called last; None if that is nothing."""
        store, oldest = self._store, max(self._store.earliest, self._store.revision - HISTORY)
        full = self._size > HISTORY_BYTES // (PARTS - 1) or self._told - self._opened > HISTORY // (PARTS - 1)
        if self._lost or full or self._told < oldest:
            self._told = self._opened = max(self._told, oldest)
            self._part, self._number, self._size, self._known = self._part + 1, 0, 0, set()
        notes = store.state.noted_since(self._noted)
        if self._told == store.revision and not notes:
            return None
        self._lost = True
        body = orjson.dumps({"first": self._told, "opens": not self._number, **told(store.since(self._told), notes, self._known)})
        self._number += 1
        self._size += len(body)
        return self._part, self._number, body

    def kept(self) -> None:
        """What ``news()`` told is on disk."""
        self._told, self._noted, self._lost = self._store.revision, self._store.state.noted, False


def history(storage: Storage, room: str, revision: int) -> bytes | None:
    """What is known of a room's past as ``Store.remember`` takes it: of its orderly end, and of what was flushed since then."""
    kept, want, pieces = storage.history(room), revision, []
    for body in reversed(storage.pasts(room)):
        piece = orjson.loads(body)
        if piece["first"] + len(piece["events"]) != want:
            break
        pieces.insert(0, piece)
        want = piece["first"]
    if not pieces:
        return kept
    before = orjson.loads(kept) if kept is not None else None
    if before is not None and before["revision"] == want:
        pieces.insert(0, before)
    else:
        while pieces and not pieces[0]["opens"]:
            pieces.pop(0)
    if not pieces:
        return None
    first = pieces[0]["first"]
    notes = sorted((note for piece in pieces for note in piece["state"] if note[0] > first), key=itemgetter(0))
    return orjson.dumps({"revision": revision, "first": first, "events": [event for piece in pieces for event in piece["events"]], "state": notes})


def _rows(changed: dict[tuple[str, str, str], Any]) -> list[Row]:
    rows: list[Row] = []
    for (resource, namespace, name), value in changed.items():
        if value is None:
            body = None
        elif resource == STATE:
            body = orjson.dumps(value)
        else:
            body = value.json()
        rows.append((resource, namespace, name, body))
    return rows


def all_rows(cluster: Cluster) -> list[Row]:
    """Every object and every state of a cluster."""
    snapshot = cluster.store.dump()
    rows: list[Row] = []
    for resource in snapshot["objects"]:
        for (namespace, name), record in sorted(cluster.store.table(resource).items()):
            rows.append((resource, namespace, name, record.json()))
    rows.extend((STATE, "", key, orjson.dumps(value)) for key, value in snapshot["state"].items())
    return rows


def clock_of(cluster: Cluster, *, exact: bool) -> dict[str, Any]:
    """The part of a snapshot that is no object. Chance has a large state: it is kept when a room is put away in order; after a crash
    it is drawn anew from the seed and the revision."""
    clock: dict[str, Any] = {"seed": cluster.seed, "epoch": cluster.clock.epoch.isoformat(), "time": cluster.clock.now,
                             "revision": cluster.store.revision}
    if exact:
        clock["random"] = cluster.snapshot_random()
    return clock


def restored(clock: dict[str, Any], rows: list[Row], history: bytes | None = None) -> Cluster:
    """A cluster from what ``Storage.load`` and ``history`` gave."""
    objects: dict[str, list[Any]] = {}
    state: dict[str, Any] = {}
    for resource, _, name, body in rows:
        if resource == STATE:
            state[name] = orjson.loads(body)
        else:
            objects.setdefault(resource, []).append(orjson.loads(body))
    store = {"revision": clock["revision"], "objects": objects, "state": state}
    return Cluster.restore({"seed": clock["seed"], "epoch": clock["epoch"], "time": clock["time"], "random": clock.get("random"),
                            "store": store, "history": history})
