"""Recording Events as client-go does: similar ones are counted, floods are aggregated and then dropped.

An Event that says the same again raises the count of the first; the eleventh of one kind within ten minutes becomes "(combined from
similar events)"; and one object gets from one source a burst of 25, then one every five minutes.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ and client-go's event correlator.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from server.cluster.errors import ApiError
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.client import Client
    from server.cluster.clock import Clock

SIMILAR, SIMILAR_WINDOW = 10, 600.0
BURST, REFILL = 25, 1 / 300
KEPT = 4096


class _Recent(OrderedDict):
    """A table that forgets what was used longest ago."""

    def touch(self, key: Any) -> Any:
        """The value, which is now the last to be forgotten; None if there is none."""
        value = self.get(key)
        if value is not None:
            self.move_to_end(key)
        return value

    def put(self, key: Any, value: Any) -> Any:
        """A new value."""
        self[key] = value
        if len(self) > KEPT:
            self.popitem(last=False)
        return value


class EventRecorder:
    """One source's events: ``component`` (and ``host``, for kubelets) is who says it."""

    def __init__(self, clock: Clock, client: Client, component: str, host: str = "") -> None:
        self._clock = clock
        self._client = client
        self.source = {"component": component, "host": host} if host else {"component": component}
        self._similar = _Recent()
        self._known = _Recent()
        self._buckets = _Recent()

    def record(self, obj: Object, type_: str, reason: str, message: str, field_path: str = "") -> None:
        """Says something about ``obj``: ``type_`` is Normal or Warning. Never raises: an event that cannot be written is lost."""
        meta = obj["metadata"]
        about = (meta.get("uid", ""), meta["name"], field_path)
        if not self._allowed(about):
            return
        same, message = self._aggregated(about, type_, reason, message)
        name = self._known.touch(same)
        try:
            if name is None or not self._again(name, message):
                self._known.put(same, self._first(obj, type_, reason, message, field_path))
        except ApiError:
            return

    def _allowed(self, about: tuple) -> bool:
        now, bucket = self._clock.now, self._buckets.touch(about[:2])
        if bucket is None:
            self._buckets.put(about[:2], [BURST - 1.0, now])
            return True
        filled, at = bucket
        filled = min(BURST, filled + (now - at) * REFILL)
        bucket[:] = (filled if filled < 1 else filled - 1, now)
        return filled >= 1

    def _aggregated(self, about: tuple, type_: str, reason: str, message: str) -> tuple[tuple, str]:
        """The key under which the event is counted, and what it says."""
        group = (about, type_, reason)
        messages, now = self._similar.touch(group), self._clock.now
        if messages is None:
            self._similar.put(group, {message: now})
            return (*group, message), message
        if now - max(messages.values()) > SIMILAR_WINDOW:
            messages.clear()
        messages.pop(message, None)
        messages[message] = now
        if len(messages) < SIMILAR:
            return (*group, message), message
        while len(messages) > SIMILAR:
            del messages[next(iter(messages))]
        return group, f"(combined from similar events): {message}"

    def _first(self, obj: Object, type_: str, reason: str, message: str, field_path: str) -> tuple[str, str]:
        meta = obj["metadata"]
        namespace = meta.get("namespace") or "default"
        now = self._clock.timestamp()
        moment = self._clock.nanoseconds() + self._client.api.store.revision
        name = f"{meta['name']}.{moment:016x}"
        about = {"kind": obj["kind"], "name": meta["name"], "uid": meta.get("uid", ""), "apiVersion": obj["apiVersion"],
                 "resourceVersion": meta.get("resourceVersion", "")}
        if "namespace" in meta:
            about["namespace"] = meta["namespace"]
        if field_path:
            about["fieldPath"] = field_path
        self._client.create("events", {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about, "reason": reason, "message": message, "source": self.source, "firstTimestamp": now,
            "lastTimestamp": now, "count": 1, "type": type_, "eventTime": None,
            "reportingComponent": self.source["component"], "reportingInstance": self.source.get("host", "")})
        return namespace, name

    def _again(self, name: tuple[str, str], message: str) -> bool:
        """Counts the event up; False when it has been forgotten meanwhile."""
        event = self._client.api.lister("events").get(*name)
        if event is None:
            return False
        self._client.update("events", {**event, "count": event.get("count", 1) + 1, "lastTimestamp": self._clock.timestamp(),
                                       "message": message})
        return True
