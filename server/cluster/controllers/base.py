"""The loop every controller runs: watch events name keys, keys wait a moment in a queue, ``reconcile(key)`` makes the world agree.

A key is queued at most once, so a burst of events is one reconcile; each reconcile reads the world afresh and may run at any time.
One that fails is tried again with a growing back-off. Nothing here survives a restart, and nothing needs to: ``start`` makes
the caches anew (``rebuild``) and queues everything that exists.

Source: https://kubernetes.io/docs/concepts/architecture/controller/
"""

from __future__ import annotations

from collections.abc import Callable

from server.cluster.apiserver.cache import Lister
from server.cluster.clock import Timer
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, key
from server.cluster.parts import Parts
from server.cluster.store import Event, Watch

FIRST_RETRY, LAST_RETRY = 0.005, 1000.0


class Controller:
    """``name`` signs its writes and events; ``reaction`` is the virtual time from an event to the reconcile it leads to;
    ``reconciles`` is the resource whose keys it reconciles; ``component`` is the process that it is a part of."""

    name = "controller"
    component = "kube-controller-manager"
    reaction = 0.005
    first_retry, last_retry = FIRST_RETRY, LAST_RETRY
    reconciles = ""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.clock = parts.clock
        self.api = parts.api
        self.random = parts.random
        self.client = parts.client(self.name)
        self.events = parts.recorder(self.client, self.name)
        self.running = False
        self._watches: list[Callable[[], Watch]] = []
        self._active: list[Watch] = []
        self._queue: dict[Key, tuple[Timer, int | None]] = {}
        self._failures: dict[Key, int] = {}

    def reconcile(self, key: Key) -> None:
        """Makes the world agree with the object at ``key`` = (namespace, name), which may be gone."""
        raise NotImplementedError

    def lister(self, resource: str) -> Lister:
        return self.api.lister(resource)

    def watch(self, resource: str, callback: Callable[[Event], None]) -> None:
        """``callback(event)`` at every change of ``resource`` while the controller runs; it may only enqueue."""
        self._watches.append(lambda: self.api.watch(resource, callback))

    def watch_pods_of(self, kind: str, callback: Callable[[Event], None]) -> None:
        """As ``watch``, of the pods that an object of ``kind`` controls or controlled, and of those without a controller."""
        self._watches.append(lambda: self.api.owned_pods.watch(kind, callback))

    def start(self) -> None:
        """Begins (again): watches, looks at what there is, and queues every object of ``reconciles``."""
        if self.running:
            return
        self.running = True
        self._active = [watch() for watch in self._watches]
        self.parts.breathe()
        self.rebuild()
        if self.reconciles:
            for obj in self.lister(self.reconciles).list():
                self.enqueue(key(obj))

    def rebuild(self) -> None:
        """Makes a controller's caches anew from what is stored, and queues what is not of ``reconciles``."""

    def stop(self) -> None:
        """Ends: what was queued is forgotten, as when a real one is killed."""
        self.running = False
        for watch in self._active:
            watch.stop()
        for timer, _ in self._queue.values():
            timer.cancel()
        self._active, self._queue, self._failures = [], {}, {}

    def enqueue(self, key: Key, event: Event | None = None, after: float = 0.0) -> None:
        """Reconciles ``key`` after the reaction time, and not before ``after`` seconds; sooner wins over later."""
        if not self.running:
            return
        due = self.clock.now + max(self.reaction, after)
        because = event.revision if event is not None else None
        waiting = self._queue.get(key)
        if waiting is not None:
            timer, known = waiting
            if because is None:
                because = known
            if timer.due <= due:
                self._queue[key] = (timer, because)
                return
            timer.cancel()
        self._queue[key] = (self.clock.call_at(due, self._run, key), because)

    def _run(self, key: Key) -> None:
        _, because = self._queue.pop(key)
        self.client.because = because
        try:
            self.reconcile(key)
        except ApiError:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self._queue_again(key, because, min(self.first_retry * 2 ** min(failures - 1, 60), self.last_retry))
        else:
            self._failures.pop(key, None)
        finally:
            self.client.because = None

    def _queue_again(self, key: Key, because: int | None, delay: float) -> None:
        if key not in self._queue:
            self._queue[key] = (self.clock.call_later(delay, self._run, key), because)

    def record(self, obj: Object, type_: str, reason: str, message: str) -> None:
        """An Event about ``obj``."""
        self.events.record(obj, type_, reason, message)
