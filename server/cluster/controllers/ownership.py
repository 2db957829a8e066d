"""Claiming: how a controller comes to own what its selector matches.

An object that matches and has no controller is adopted (gets a controller reference); one that is owned and no longer matches is
released (loses it). What belongs to another controller is left alone, and an owner that is being deleted claims nothing new.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#how-a-replicaset-works
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.cluster import selectors
from server.cluster.apiserver.cache import Lister
from server.cluster.apiserver.client import Client
from server.cluster.errors import ApiError
from server.cluster.objects import (
    Key,
    Object,
    controller_of,
    deleting,
    finalizers,
    key,
    labels,
    namespace,
    owner_reference,
    owners,
    replaced,
    uid,
    without_finalizer,
)
from server.cluster.selectors import Selector
from server.cluster.store import DELETED, Event


def claim(client: Client, resource: str, owner: Object, selector: Selector, owned: Iterable[Object],
          orphans: Iterable[Object], finalizer: str = "") -> list[Object]:
    """Those of ``owned`` that still match and those of ``orphans`` that now do; the others are released. A ``finalizer`` comes and goes
    with the reference. Objects that share their references and labels, as the pods of one template do, are judged together."""
    owner_uid, owner_deleting = uid(owner), deleting(owner)
    claimed: list[Object] = []
    judged: dict[tuple[int, int], tuple[bool, bool]] = {}
    for obj in owned:
        metadata = obj["metadata"]
        alike = id(metadata.get("ownerReferences")), id(metadata.get("labels"))
        verdict = judged.get(alike)
        if verdict is None:
            reference = controller_of(obj)
            verdict = judged[alike] = (reference is not None and reference["uid"] == owner_uid, selector.matches(labels(obj)))
        ours, matches = verdict
        if ours and matches:
            claimed.append(obj)
        elif ours and not owner_deleting:
            _release(client, resource, obj, owner_uid, finalizer)
    if not owner_deleting:
        for obj in orphans:
            if not deleting(obj) and controller_of(obj) is None and selector.matches(labels(obj)):
                claimed.append(_adopt(client, resource, obj, owner, finalizer))
    return claimed


def _adopt(client: Client, resource: str, obj: Object, owner: Object, finalizer: str) -> Object:
    others = [reference for reference in owners(obj) if reference["uid"] != uid(owner)]
    if finalizer and finalizer not in finalizers(obj):
        obj = replaced(obj, {("metadata", "finalizers"): [*finalizers(obj), finalizer]})
    return client.update(resource, replaced(obj, {("metadata", "ownerReferences"): [*others, owner_reference(owner)]}))


def _release(client: Client, resource: str, obj: Object, owner_uid: str, finalizer: str) -> None:
    others = [reference for reference in owners(obj) if reference["uid"] != owner_uid]
    if finalizer:
        obj = without_finalizer(obj, finalizer)
    try:
        client.update(resource, replaced(obj, {("metadata", "ownerReferences"): others or None}))
    except ApiError as error:
        if error.code != 404:
            raise


def owner_of(lister: Lister, kind: str, dependent: Object) -> Object | None:
    """The very object of ``kind`` that controls the dependent; None if another does, or if it is gone."""
    reference = controller_of(dependent)
    if reference is None or reference["kind"] != kind:
        return None
    owner = lister.get(namespace(dependent), reference["name"])
    return owner if owner is not None and uid(owner) == reference["uid"] else None


def adopters(lister: Lister, orphan: Object) -> Iterator[Object]:
    """The workloads that select an object which no controller owns."""
    for workload in lister.list(namespace(orphan)):
        if selectors.of_workload(workload).matches(labels(orphan)):
            yield workload


class Orphans:
    """Objects of a resource that no controller owns, by namespace: the few that an adopter has to look at.

    ``note`` takes every watch event; ``rebuild`` begins anew from what is stored.
    """

    def __init__(self, lister: Lister) -> None:
        self._lister = lister
        self._names: dict[str, dict[str, None]] = {}

    def rebuild(self) -> None:
        self._names = {}
        for obj in self._lister.list():
            if controller_of(obj) is None:
                self._add(key(obj))

    def note(self, event: Event) -> None:
        if event.type != DELETED and controller_of(event.object) is None:
            self._add(key(event.object))
        elif event.previous is not None and controller_of(event.previous) is None:
            namespace, name = key(event.object)
            self._names.get(namespace, {}).pop(name, None)

    def list(self, namespace: str) -> list[Object]:
        found = (self._lister.get(namespace, name) for name in sorted(self._names.get(namespace, ())))
        return [obj for obj in found if obj is not None]

    def _add(self, key: Key) -> None:
        self._names.setdefault(key[0], {})[key[1]] = None
