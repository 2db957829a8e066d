"""The API server's watch cache: every object by name and by index, kept by the store's own events.

Controllers, the scheduler and kubelets read here (as informers' listers let them in a real cluster) and lists with selectors are
answered from here, so that nothing ever scans all pods. What comes out are references to stored objects: look, do not touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from server.cluster.objects import Key, Object
from server.cluster.store import ADDED, DELETED, Event, Record, Store
from server.cluster.volumes import claims_of

if TYPE_CHECKING:
    from server.cluster.selectors import Selector

_NONE: dict = {}
BREATH = 200  # objects that are read at the start before others have their turn


class Lister:
    """One resource. Whatever comes out is in order of (namespace, name), so that runs and restored runs agree."""

    def __init__(self, store: Store, resource: str, breathe: Callable[[], None] | None = None) -> None:
        self._table = store.table(resource)
        self._namespaces: dict[str, _Bucket] = {}
        self._labels: dict[tuple[str, str, str], _Bucket] = {}
        self._owners: dict[str, _Bucket] = {}
        self._nodes: dict[str, _Bucket] = {}
        self._claims: dict[tuple[str, str], _Bucket] = {}
        self._involved: dict[str, _Bucket] = {}
        self._on_node = resource == "pods"
        self._of_events = resource == "events"
        self._sorted: list[Key] | None = None
        for number, (key, record) in enumerate(self._table.items()):
            self._add(key, record.object)
            if breathe is not None and number % BREATH == 0:
                breathe()
        store.watch(resource, self._on_event)

    def get(self, namespace: str, name: str) -> Object | None:
        record = self._table.get((namespace, name))
        return record.object if record is not None else None

    def record(self, namespace: str, name: str) -> Record | None:
        return self._table.get((namespace, name))

    def __len__(self) -> int:
        return len(self._table)

    def count(self, namespace: str) -> int:
        return len(self._namespaces.get(namespace, _NONE))

    def list(self, namespace: str | None = None) -> list[Object]:
        """Objects in order of (namespace, name)."""
        return [record.object for record in self.records(namespace)]

    def records(self, namespace: str | None = None, selector: Selector | None = None) -> list[Record]:
        table = self._table
        if selector is not None:
            keys = self._candidates(namespace, selector)
            return [table[key] for key in sorted(keys) if selector.matches(table[key].object["metadata"].get("labels") or _NONE)]
        if namespace:
            return [table[key] for key in _ordered(self._namespaces, namespace)]
        if self._sorted is None:
            self._sorted = sorted(table)
        return [table[key] for key in self._sorted]

    def select(self, namespace: str | None, selector: Selector) -> list[Object]:
        """What matches a label selector, in order of name."""
        return [record.object for record in self.records(namespace, selector)]

    def by_owner(self, uid: str) -> list[Object]:
        """Objects with an owner reference to that uid, in order of name."""
        table = self._table
        return [table[key].object for key in _ordered(self._owners, uid)]

    def by_node(self, node: str) -> list[Object]:
        """Pods bound to a node, in order of name."""
        table = self._table
        return [table[key].object for key in _ordered(self._nodes, node)]

    def by_claim(self, namespace: str, claim: str) -> list[Object]:
        """Pods that use a PersistentVolumeClaim, in order of name."""
        table = self._table
        return [table[key].object for key in _ordered(self._claims, (namespace, claim))]

    def by_involved(self, uid: str) -> list[Object]:
        """Events about the object with that uid, in order of (namespace, name)."""
        return [record.object for record in self.records_about(uid)]

    def records_about(self, uid: str, namespace: str | None = None) -> list[Record]:
        table = self._table
        return [table[key] for key in _ordered(self._involved, uid) if not namespace or key[0] == namespace]

    def _candidates(self, namespace: str | None, selector: Selector) -> Iterable[Key]:
        """The smallest index that holds every match."""
        if not namespace:
            return self._table
        best = self._namespaces.get(namespace, _NONE)
        for key, value in selector.exact:
            found = self._labels.get((namespace, key, value), _NONE)
            if len(found) < len(best):
                best = found
        return best

    def _on_event(self, event: Event) -> None:
        key = event.key
        if event.type is ADDED:
            self._add(key, event.object)
            self._sorted = None
        elif event.type is DELETED:
            self._remove(key, event.previous)
            self._sorted = None
        else:
            self._update(key, event.previous, event.object)

    def _add(self, key: Key, obj: Object) -> None:
        meta = obj["metadata"]
        _into(self._namespaces, key[0], key)
        if labels := meta.get("labels"):
            for label in labels.items():
                _into(self._labels, (key[0], *label), key)
        for reference in meta.get("ownerReferences") or ():
            _into(self._owners, reference["uid"], key)
        if self._on_node:
            if node := obj["spec"].get("nodeName"):
                _into(self._nodes, node, key)
            for _, claim in claims_of(obj):
                _into(self._claims, (key[0], claim), key)
        elif self._of_events and (uid := (obj.get("involvedObject") or _NONE).get("uid")):
            _into(self._involved, uid, key)

    def _remove(self, key: Key, obj: Object) -> None:
        meta = obj["metadata"]
        _out(self._namespaces, key[0], key)
        for label in (meta.get("labels") or _NONE).items():
            _out(self._labels, (key[0], *label), key)
        for reference in meta.get("ownerReferences") or ():
            _out(self._owners, reference["uid"], key)
        if self._on_node:
            if node := obj["spec"].get("nodeName"):
                _out(self._nodes, node, key)
            for _, claim in claims_of(obj):
                _out(self._claims, (key[0], claim), key)
        elif self._of_events and (uid := (obj.get("involvedObject") or _NONE).get("uid")):
            _out(self._involved, uid, key)

    def _update(self, key: Key, old: Object, new: Object) -> None:
        was, now = old["metadata"], new["metadata"]
        if was.get("labels") is not now.get("labels"):
            for label in (was.get("labels") or _NONE).items():
                _out(self._labels, (key[0], *label), key)
            for label in (now.get("labels") or _NONE).items():
                _into(self._labels, (key[0], *label), key)
        if was.get("ownerReferences") is not now.get("ownerReferences"):
            for reference in was.get("ownerReferences") or ():
                _out(self._owners, reference["uid"], key)
            for reference in now.get("ownerReferences") or ():
                _into(self._owners, reference["uid"], key)
        if self._on_node and old["spec"] is not new["spec"]:
            before, after = old["spec"].get("nodeName"), new["spec"].get("nodeName")
            if before != after:
                if before:
                    _out(self._nodes, before, key)
                if after:
                    _into(self._nodes, after, key)
        elif self._of_events and old.get("involvedObject") is not new.get("involvedObject"):
            if before := (old.get("involvedObject") or _NONE).get("uid"):
                _out(self._involved, before, key)
            if after := (new.get("involvedObject") or _NONE).get("uid"):
                _into(self._involved, after, key)


class _Bucket(dict):
    """The keys under one value of an index, and their order while nothing has changed since it was last asked for."""

    __slots__ = ("order",)


def _ordered(index: dict[Any, _Bucket], value: object) -> list[Key]:
    bucket = index.get(value)
    if bucket is None:
        return []
    if bucket.order is None:
        bucket.order = sorted(bucket)
    return bucket.order


def _into(index: dict[Any, _Bucket], value: object, key: Key) -> None:
    bucket = index.get(value)
    if bucket is None:
        bucket = index[value] = _Bucket()
    bucket[key] = None
    bucket.order = None


def _out(index: dict[Any, _Bucket], value: object, key: Key) -> None:
    bucket = index.get(value)
    if bucket is not None:
        bucket.pop(key, None)
        bucket.order = None
        if not bucket:
            del index[value]
