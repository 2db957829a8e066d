"""Pod events told by who controls the pod: one look at a pod serves every controller that has pods.

In: every change of a pod. Out: to those who asked for a kind, the events of pods that an object of that kind controls or controlled, and
of pods that nobody controls, which anyone may adopt.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
"""

from __future__ import annotations

from server.cluster.objects import Object, controller_of
from server.cluster.store import Event, Store, Watch, Watcher

ANYBODY = None


class OwnedPods:
    def __init__(self, store: Store) -> None:
        self._watchers: dict[str | None, tuple[Watcher, ...]] = {ANYBODY: ()}
        store.watch("pods", self._on_pod)

    def watch(self, kind: str, callback: Watcher) -> Watch:
        """``callback(event)`` for pods of ``kind`` and for pods without a controller."""
        self._watchers[ANYBODY] = (*self._watchers[ANYBODY], callback)
        self._watchers[kind] = (*self._watchers.get(kind, ()), callback)
        return _Both(Watch(self._watchers, ANYBODY, callback), Watch(self._watchers, kind, callback))

    def watchers(self, pod: Object) -> tuple[Watcher, ...]:
        """Who hears of that pod's changes."""
        return self._watchers.get(_kind(pod), ())

    def _on_pod(self, event: Event) -> None:
        kind, before = _kind(event.object), event.previous
        was = kind if before is None or before["metadata"].get("ownerReferences") is event.object["metadata"].get("ownerReferences") \
            else _kind(before)
        told = self._watchers.get(kind, ())
        if was != kind:
            told = self._watchers[ANYBODY] if kind is None or was is None else (*told, *self._watchers.get(was, ()))
        for callback in told:
            callback(event)


class _Both(Watch):
    __slots__ = ("_watches",)

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches

    def stop(self) -> None:
        for watch in self._watches:
            watch.stop()


def _kind(pod: Object) -> str | None:
    reference = controller_of(pod)
    return reference["kind"] if reference is not None else ANYBODY
