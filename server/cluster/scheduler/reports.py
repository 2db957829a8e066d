"""What the scheduler tells about a pod: Events in the newer form, which counts repetitions in a ``series``.

The first of a kind is written at once, the second turns it into a series; further ones are only counted, and the count is written when
it is half an hour old or the series ends, as client-go does. What is the same is decided by reason and by the pod at its
resourceVersion, not by the message.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

from collections import OrderedDict

from server.cluster.apiserver.client import Client
from server.cluster.clock import Clock
from server.cluster.errors import ApiError
from server.cluster.objects import Object

COMPONENT = "default-scheduler"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
SERIES_ENDS, REFRESH, KEPT, LONGEST = 360.0, 1800.0, 4096, 1024


class _Series:
    __slots__ = ("event", "count", "last", "written")

    def __init__(self, event: Object, now: float) -> None:
        self.event = event
        self.count = 1
        self.last = self.written = now


class Reports:
    def __init__(self, clock: Clock, client: Client) -> None:
        self._clock = clock
        self._client = client
        self._instance = ""
        self._nodes = -1
        self._known: OrderedDict[tuple, _Series] = OrderedDict()

    def say(self, obj: Object, type_: str, reason: str, action: str, message: str, related: Object | None = None) -> None:
        """An Event about ``obj``. Never raises: one that cannot be written is lost."""
        meta = obj["metadata"]
        now = self._clock.now
        key = (meta["uid"], meta.get("resourceVersion", ""), type_, reason, action, related and related["metadata"]["uid"])
        known = self._known.get(key)
        if known is not None and now - known.last <= SERIES_ENDS:
            self._again(known)
            return
        if len(message) > LONGEST:
            message = f"{message[:LONGEST - 4]} ..."
        moment = self._clock.nanoseconds() + self._client.api.store.revision % 1000
        event = {
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": f"{meta['name']}.{moment:016x}", "namespace": meta.get("namespace") or "default"},
            "involvedObject": reference(obj), "type": type_, "reason": reason, "action": action, "message": message, "source": {},
            "firstTimestamp": None, "lastTimestamp": None, "eventTime": self._clock.microtime(), "reportingComponent": COMPONENT,
            "reportingInstance": self._instance or self._find_instance()}
        if related is not None:
            event["related"] = reference(related)
        try:
            self._client.create("events", event)
        except ApiError:
            return
        if reason != "Scheduled":
            self._known[key] = _Series(event, now)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _find_instance(self) -> str:
        """The component and the machine it runs on: the control plane's first."""
        nodes = self._client.api.lister("nodes")
        if len(nodes) == self._nodes:
            return COMPONENT
        self._nodes = len(nodes)
        for node in nodes.list():
            if CONTROL_PLANE in (node["metadata"].get("labels") or {}):
                self._instance = f"{COMPONENT}-{node['metadata']['name']}"
                return self._instance
        return COMPONENT

    def _again(self, known: _Series) -> None:
        known.count += 1
        known.last = self._clock.now
        if known.count > 2 and known.last - known.written < REFRESH:
            return
        known.written = known.last
        meta = known.event["metadata"]
        current = self._client.api.lister("events").get(meta["namespace"], meta["name"])
        if current is None:
            return
        series = {"count": known.count, "lastObservedTime": self._clock.microtime()}
        try:
            self._client.update("events", {**current, "series": series})
        except ApiError:
            return


def reference(obj: Object) -> Object:
    meta = obj["metadata"]
    found = {"kind": obj["kind"], "name": meta["name"], "uid": meta["uid"], "apiVersion": obj["apiVersion"],
             "resourceVersion": meta.get("resourceVersion", "")}
    if "namespace" in meta:
        found["namespace"] = meta["namespace"]
    return found
