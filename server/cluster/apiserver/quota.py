"""How much one cluster may hold: objects, and bytes that came off the wire. Past it the answer is etcd's when its disk is full.

Objects made by controllers share their parts and are small; what clients send is charged by its size, as stored and as history: a
client that writes the same large object over and over pushes out history, not memory.

Source: https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota
"""

from __future__ import annotations

from server.cluster.errors import ApiError
from server.cluster.objects import Key
from server.cluster.store import DELETED, Event, Store

MAX_REQUEST = 1536 * 1024


class Quota:
    """``objects`` and ``size`` (bytes) are the limits."""

    def __init__(self, store: Store, objects: int, size: int) -> None:
        self._store = store
        self.objects = objects
        self.size = size
        self._sizes: dict[tuple[str, Key], int] = {}
        self._held = 0
        self._written = 0
        store.watch(None, self._on_event)

    def admit_object(self) -> None:
        """ApiError if there is no place for one more object."""
        if self._store.count >= self.objects:
            raise ApiError(500, "", "etcdserver: mvcc: database space exceeded")

    def admit_bytes(self, resource: str, key: Key, size: int) -> None:
        """Charges ``size`` bytes to an object; ApiError if it, or all, becomes too large."""
        if size > MAX_REQUEST:
            raise ApiError(500, "", "etcdserver: request is too large")
        held = self._held + size - self._sizes.get((resource, key), 0)
        if held > self.size:
            raise ApiError(500, "", "etcdserver: mvcc: database space exceeded")
        self._held = held
        self._sizes[resource, key] = size
        self._written += size
        if self._written > self.size:
            self._written = 0
            self._store.compact(self._store.revision)

    def _on_event(self, event: Event) -> None:
        if event.type == DELETED and self._sizes:
            meta = event.object["metadata"]
            self._held -= self._sizes.pop((event.resource, (meta.get("namespace", ""), meta["name"])), 0)
