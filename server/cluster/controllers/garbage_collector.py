"""Garbage collection: what is owned goes when its owners are gone.

In: deletions, and owner references of every kind. Out: dependents deleted, and the two finalizers of deletion policies worked off.
Background: the owner is gone, its dependents follow. Foreground: the owner waits, marked, until those dependents that block it are
gone. Orphan: dependents lose their reference first and stay. An owner whose uid is another's is as good as missing.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from server.cluster.apiserver.deletion import FOREGROUND, ORPHAN
from server.cluster.apiserver.resources import RESOURCES, stored_kind
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Object, deleting, key, owners, replaced, uid, without_finalizer
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

NEVER_OWNED = ("events",)
Node = tuple[str, str, str]


class GarbageCollector(Controller):
    """Keys are (resource, namespace, name)."""

    name = "garbage-collector-controller"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._listers = {resource: self.lister(resource) for resource in RESOURCES if resource not in NEVER_OWNED}
        for resource in self._listers:
            self.watch(resource, self._on_event)

    def rebuild(self) -> None:
        for resource, lister in self._listers.items():
            for obj in lister.list():
                if _finalizing(obj) or self._has_lost_owner(obj):
                    self.enqueue((resource, *key(obj)))

    # what wakes it

    def _on_event(self, event: Event) -> None:
        obj, before = event.object, event.previous
        if event.type == DELETED:
            for resource, dependent in self._dependents(uid(obj)):
                self.enqueue((resource, *key(dependent)), event)
            if owners(obj):
                self._enqueue_waiting_owners(obj, event)
            return
        if _finalizing(obj):
            self.enqueue((event.resource, *key(obj)), event)
        references = obj["metadata"].get("ownerReferences")
        was = before["metadata"].get("ownerReferences") if before is not None else None
        if references is was:
            return
        if references and self._has_lost_owner(obj):
            self.enqueue((event.resource, *key(obj)), event)
        if was:
            self._enqueue_waiting_owners(before, event)

    def _enqueue_waiting_owners(self, dependent: Object, event: Event) -> None:
        for reference in owners(dependent):
            found = self._owner(reference, key(dependent)[0])
            if found is not None and _finalizing(found[1]):
                self.enqueue((found[0], *key(found[1])), event)

    # the graph, which is the watch cache's index by owner

    def _dependents(self, owner_uid: str) -> list[tuple[str, Object]]:
        return [(resource, obj) for resource, lister in self._listers.items() for obj in lister.by_owner(owner_uid)]

    def _owner(self, reference: Object, namespace: str) -> tuple[str, Object] | None:
        """The resource and object a reference means, if that very object exists."""
        resource = stored_kind(reference["apiVersion"], reference["kind"])
        if resource is None or resource.key not in self._listers:
            return None
        owner = self._listers[resource.key].get(namespace if resource.namespaced else "", reference["name"])
        return (resource.key, owner) if owner is not None and uid(owner) == reference["uid"] else None

    def _known_kind(self, reference: Object) -> bool:
        return stored_kind(reference["apiVersion"], reference["kind"]) is not None

    def _has_lost_owner(self, obj: Object) -> bool:
        return any(self._known_kind(reference) and self._owner(reference, key(obj)[0]) is None for reference in owners(obj))

    # what it does

    def reconcile(self, key: Node) -> None:  # type: ignore[override]
        resource, namespace, name = key
        obj = self._listers[resource].get(namespace, name)
        if obj is None:
            return
        if deleting(obj):
            finalizers = obj["metadata"].get("finalizers") or ()
            if ORPHAN in finalizers:
                self._orphan_dependents(resource, obj)
                return
            if FOREGROUND in finalizers:
                self._delete_dependents(resource, obj)
                return
        self._collect(resource, obj)

    def _collect(self, resource: str, obj: Object) -> None:
        """Deletes an object that nobody alive owns, or takes the dead owners off one that somebody does."""
        namespace = key(obj)[0]
        alive, lost, waiting = [], [], []
        for reference in owners(obj):
            found = self._owner(reference, namespace)
            if found is None and self._known_kind(reference):
                lost.append(reference)
            elif found is not None and _waits_for(found[1], reference):
                waiting.append(reference)
            else:
                alive.append(reference)
        if alive:
            if lost or waiting:
                self.client.update(resource, replaced(obj, {("metadata", "ownerReferences"): alive}))
        elif waiting and self._dependents(uid(obj)):
            self._delete(resource, obj, "Foreground")
        elif waiting or lost:
            self._delete(resource, obj, _policy(obj))

    def _delete(self, resource: str, obj: Object, policy: str) -> None:
        if deleting(obj) and policy != "Foreground":
            return
        try:
            self.client.delete(resource, *key(obj), propagation=policy, uid=uid(obj))
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _delete_dependents(self, resource: str, owner: Object) -> None:
        """Foreground: dependents are deleted, and the owner's finalizer comes off once none blocks it."""
        for kind, dependent in self._dependents(uid(owner)):
            if not _finalizing(dependent):
                self._collect(kind, dependent)
        if not any(_waits_for(owner, reference) for _, dependent in self._dependents(uid(owner))
                   for reference in owners(dependent) if reference["uid"] == uid(owner)):
            self._finish(resource, owner, FOREGROUND)

    def _orphan_dependents(self, resource: str, owner: Object) -> None:
        """Orphan: dependents forget their owner, then it may go."""
        for kind, dependent in self._dependents(uid(owner)):
            others = [entry for entry in owners(dependent) if entry["uid"] != uid(owner)]
            self.client.update(kind, replaced(dependent, {("metadata", "ownerReferences"): others or None}))
        self._finish(resource, owner, ORPHAN)

    def _finish(self, resource: str, owner: Object, finalizer: str) -> None:
        current = self._listers[resource].get(*key(owner))
        if current is None or uid(current) != uid(owner):
            return
        self.client.update(resource, without_finalizer(current, finalizer))


def _finalizing(obj: Object) -> bool:
    """Marked for deletion, and waiting for this controller."""
    finalizers = obj["metadata"].get("finalizers")
    return bool(finalizers) and deleting(obj) and (FOREGROUND in finalizers or ORPHAN in finalizers)


def _waits_for(owner: Object, reference: Object) -> bool:
    """The owner is being deleted in the foreground and this dependent holds it."""
    return (deleting(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ())
            and bool(reference.get("blockOwnerDeletion")))


def _policy(obj: Object) -> str:
    """The policy that the object's own finalizers ask for."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
