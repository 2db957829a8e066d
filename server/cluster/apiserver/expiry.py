"""Events live for an hour and are then forgotten, as etcd's leases do it: one timer, set for the oldest.

Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--event-ttl)
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING

from server.cluster.clock import Timer
from server.cluster.objects import Key, Object, key
from server.cluster.store import DELETED, Cause, Event

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

EVENT_TTL, FRACTION = 3600.0, 0.9
BREATH = 200  # events that are taken up before others have their turn


class EventExpiry:
    """Keeps the events in order of their last write. ``start`` rebuilds it from the store; it is also what goes on after etcd was down."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._due: OrderedDict[Key, float] = OrderedDict()
        self._timer: Timer | None = None
        api.store.watch("events", self._on_event)

    def start(self) -> None:
        clock = self._api.clock
        found = []
        for number, event in enumerate(self._api.lister("events").list()):
            found.append((_due(min(clock.seconds(_written(event)), clock.now)), key(event)))
            if self._api.breathe is not None and not number % BREATH:
                self._api.breathe()
        self._due = OrderedDict((name, due) for due, name in sorted(found))
        self._schedule()

    def _on_event(self, event: Event) -> None:
        name = event.key
        if event.type == DELETED:
            self._due.pop(name, None)
            return
        self._due[name] = _due(self._api.clock.now)
        self._due.move_to_end(name)
        if self._timer is None:
            self._schedule()

    def _schedule(self) -> None:
        if self._due and self._timer is None:
            self._timer = self._api.clock.call_at(next(iter(self._due.values())), self._expire)

    def _expire(self) -> None:
        self._timer = None
        if not self._api.storing():
            return
        now = self._api.clock.now
        while self._due and next(iter(self._due.values())) <= now:
            name = next(iter(self._due))
            self._api.store.delete("events", name, Cause("etcd", "system:apiserver", "delete", None, now))
        self._schedule()


def _due(written: float) -> float:
    """When what was written then is forgotten: the same moment whether one knows its fraction of a second or not."""
    return math.floor(written) + EVENT_TTL + FRACTION


def _written(event: Object) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
