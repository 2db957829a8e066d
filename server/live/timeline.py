"""The timeline: where a cluster's kept history was busy, and what stands out in it.

In: a cluster. Out: plain data for a scrubber, read from the store's history. Marks are what people did, what chaos did,
Warnings, nodes that came, went or changed their readiness, and pods that failed.
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.store import Event, Store
from server.live.records import id_of

MOST_MARKS, BUCKETS = 400, 200
Mark = dict[str, Any]
RANK = {"act": 0, "fault": 0, "node": 1, "pod": 2, "warning": 3}


class Timeline:
    """Follows one cluster's history, and reads each revision once however often it is asked."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read = 0
        self._marks: list[Mark] = []

    def tell(self, since: int = 0) -> dict[str, Any]:
        """What a scrubber over the kept history shows: its ends, where it was busy, and what stands out in it after ``since``. It begins with
        the cluster's birth at virtual time 0 at the earliest.

        {first, last, firstTime, time, density: [[time, writes]...], marks: [{revision, time, kind, client, verb, thing, text?}...]}; kinds are act
        (a person's write), fault (chaos), warning (an Event of that type), node (one comes, goes or changes its readiness), pod (one fails)."""
        cluster, store = self._cluster, self._cluster.store
        first = _before(store, -1e-9, store.earliest)
        begins = max(0.0, cluster.moment(first))
        self._catch_up(max(first, self._read))
        acts = [{"revision": _before(store, act["at"], first), "time": act["at"], "kind": "fault", "client": "chaos", "verb": act["fault"],
                 "thing": act["target"]} for act in cluster.chaos.acts() if act["at"] >= begins]
        marks = [mark for mark in self._marks if mark["revision"] > max(first, since)]
        return {"first": first, "last": store.revision, "firstTime": begins, "time": cluster.clock.now,
                "marks": _fewer(sorted([*marks, *acts], key=lambda mark: (mark["time"], mark["revision"]))),
                "density": _density(store, first, begins, cluster.clock.now)}

    def _catch_up(self, read: int) -> None:
        for event in self._cluster.store.since(read):
            if (mark := _mark(event)) is not None:
                self._marks.append({"revision": event.revision, "time": event.cause.at, "client": event.cause.client, "verb": event.cause.verb,
                                    "thing": id_of(event.object), **mark})
        self._marks = _fewer(self._marks)
        self._read = self._cluster.store.revision


def _density(store: Store, first: int, begins: float, ends: float) -> list[list[float]]:
    """How many revisions were written in each part of the time that had any. Revisions lie in order of time."""
    width = max(ends - begins, 1e-9) / BUCKETS
    found, last = [], first
    for index in range(BUCKETS):
        upto = _before(store, begins + (index + 1) * width if index < BUCKETS - 1 else ends, last)
        if upto > last:
            found.append([begins + index * width, upto - last])
        last = upto
    return found


def newest(cluster: Cluster, moment: float) -> int:
    """The kept revision that was the newest at a moment; the oldest kept one if that is later."""
    return _before(cluster.store, moment, cluster.store.earliest)


def write(cluster: Cluster, revision: int) -> dict[str, Any] | None:
    """What made a kept revision: {revision, client, verb, thing}; None for one that is not kept or yet to come."""
    event = cluster.store.event_at(revision)
    return None if event is None else {"revision": revision, "client": event.cause.client, "verb": event.cause.verb, "thing": id_of(event.object)}


def _before(store: Store, moment: float, first: int) -> int:
    """The revision that was the newest at a moment."""
    low, high = first, store.revision
    while low < high:
        middle = (low + high + 1) // 2
        if store.event_at(middle).cause.at <= moment:
            low = middle
        else:
            high = middle - 1
    return low


def _mark(event: Event) -> dict[str, Any] | None:
    cause, obj, before = event.cause, event.object, event.previous
    if event.resource == "events":
        if obj.get("type") != "Warning" or before is not None:
            return None
        about = obj["involvedObject"]
        return {"kind": "warning", "text": f"{obj.get('reason', '')}: {obj.get('message', '')}"[:200],
                "thing": f"{about.get('kind', '')}/{about.get('namespace', '')}/{about.get('name', '')}"}
    if cause.because is None and not cause.user.startswith("system:"):
        return {"kind": "act"}
    if event.resource == "nodes" and (before is None or event.type == "DELETED" or _ready(before) != _ready(obj)):
        return {"kind": "node"}
    if event.resource == "pods" and before is not None and _phase(obj) == "Failed" != _phase(before):
        return {"kind": "pod"}
    return None


def _ready(node: dict[str, Any]) -> str:
    return next((one["status"] for one in (node.get("status") or {}).get("conditions") or () if one["type"] == "Ready"), "")


def _phase(pod: dict[str, Any]) -> str:
    return (pod.get("status") or {}).get("phase", "")


def _fewer(marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most so many: what people did before all else, and of a kind the newest."""
    if len(marks) <= MOST_MARKS:
        return marks
    chosen = sorted(range(len(marks)), key=lambda index: (RANK[marks[index]["kind"]], -index))[:MOST_MARKS]
    return [marks[index] for index in sorted(chosen)]
