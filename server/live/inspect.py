"""Everything about one thing, fetched when somebody clicks it: its YAML, ``kubectl describe``, its events, and why it is as it is.

``causes`` is the chain of writes that led here, newest first: each names its client, verb and object, and the revision that made the
client act, back to a person's command. Nothing is guessed: it is read from the store's history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from heapq import nlargest
from itertools import islice
from typing import Any

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.objects import Object
from server.cluster.printing import event_source, event_times
from server.cluster.process import Process
from server.cluster.store import Event
from server.kubectl import main as kubectl
from server.kubectl import yamlout
from server.kubectl.context import Context
from server.live import about, why
from server.live.records import id_of, thing_id
from server.live.why import chain
from server.rooms.files import GivenFiles

KINDS = {row.kind: row for row in RESOURCES.values()}
PARTS = ("about", "yaml", "describe", "events", "why")
MADE = {"Deployment": ("replicasets.apps",), "ReplicaSet": ("pods",), "StatefulSet": ("pods", "persistentvolumeclaims"), "DaemonSet": ("pods",),
        "ReplicationController": ("pods",), "CronJob": ("jobs.batch",), "Job": ("pods",)}
MAX_FAMILY = 500
MAX_CHAIN, MAX_EVENTS, MAX_NODES, MAX_LOOKED_AT = 40, 50, 100, 1_000


def inspect(cluster: Cluster, thing: str, parts: Collection[str] = PARTS) -> dict[str, Any] | None:
    """What the inspector shows of a thing id (Kind/namespace/name): the ``parts`` that are asked for; None if it is not there."""
    kind, _, rest = thing.partition("/")
    namespace, _, name = rest.partition("/")
    row = KINDS.get(kind)
    obj = cluster.api.lister(row.key).get(namespace, name) if row is not None else None
    if obj is None:
        return None
    told: dict[str, Any] = {"id": thing, "revision": cluster.store.revision, "time": cluster.clock.now}
    if "about" in parts:
        told["about"] = about.about(cluster, row, obj)
    if "yaml" in parts:
        told["yaml"] = yamlout.to_yaml(obj)
    if "describe" in parts:
        told["describe"] = describe(cluster, row.key, namespace, name)
    if "events" in parts:
        told["events"] = events(cluster, obj)
    if "why" in parts:
        answer = why.explain(cluster, thing) or {}
        told.update({"causes": causes(cluster, thing), "why": answer.get("reasons", []), "question": answer.get("question"),
                     "chain": answer.get("chain")})
        if kind == "Pod":
            told["attempt"] = attempt(cluster, obj)
    return told


def attempt(cluster: Cluster, pod: Object) -> dict[str, Any] | None:
    """How the scheduler came to its last decision about a pod: each node's verdict and scores, best nodes first, and the attempts before."""
    told = cluster.scheduler.attempts(pod["metadata"]["uid"])
    if not told:
        return None
    last = told[-1]
    scored = sorted(last.feasible.items(), key=lambda item: (item[0] != last.node, -item[1].total, item[0]))
    refused = [{"node": node, "plugin": plugin, "reasons": reasons} for node, (plugin, reasons) in last.rejections.items()]
    reasons = Counter(reason for _, found in last.rejections.values() for reason in found)
    return {
        "number": last.number, "time": last.time, "node": last.node, "message": last.message, "nominated": last.nominated,
        "victims": [{"namespace": namespace, "name": name, "priority": priority} for namespace, name, priority in last.victims],
        "nodes": last.nodes, "tried": last.tried, "untried": last.untried, "scored": last.scored, "tied": last.tied,
        "weights": {plugin: weight for plugin, (_, weight) in last.scores.items()},
        "feasible": [{"node": node, "total": score.total, "plugins": {
            plugin: {"raw": raw, "score": normalized, "weighted": weighted}
            for plugin, (raw, normalized, weighted) in score.plugins.items()}} for node, score in scored[:MAX_NODES]],
        "refused": refused[:MAX_NODES], "reasons": dict(sorted(reasons.items())),
        "earlier": [{"number": one.number, "time": one.time, "node": one.node, "message": one.message} for one in told[:-1]],
    }


def describe(cluster: Cluster, resource: str, namespace: str, name: str) -> str:
    """What ``kubectl describe`` prints."""
    parts: list[str] = []
    context = Context(cluster.api, cluster.clock, GivenFiles({}), _Writer(parts), _Writer([]))
    arguments = ["describe", resource, name, *(["-n", namespace] if namespace else [])]
    process = Process(cluster.clock, kubectl.run(arguments, context))
    with cluster.api.heard.quietly():
        cluster.clock.run_until(cluster.clock.now, lambda: not process.alive)
    return "".join(parts)


class _Writer:
    def __init__(self, parts: list[str]) -> None:
        self.write = parts.append


def events(cluster: Cluster, obj: Object) -> list[dict[str, Any]]:
    """The Events about the thing and about what it made, oldest first; of a namespace all that are in it."""
    meta, clock = obj["metadata"], cluster.clock
    lister = cluster.api.lister("events")
    if obj["kind"] == "Namespace":
        found = nlargest(MAX_LOOKED_AT, lister.list(meta["name"]), key=lambda event: int(event["metadata"]["resourceVersion"]))
    else:
        where = meta.get("namespace") or "default"
        found = [event for uid in _family(cluster, meta["uid"], obj["kind"]) for event in lister.by_involved(uid)
                 if event["metadata"]["namespace"] == where]
    found.sort(key=lambda event: (_last(event), int(event["metadata"]["resourceVersion"])))
    told = []
    for event in found[-MAX_EVENTS:]:
        about_, times = event["involvedObject"], event_times(event)
        told.append({"name": event["metadata"]["name"], "type": event.get("type"), "reason": event.get("reason"), "message": event.get("message"),
                     "count": times.count, "last": clock.seconds(_last(event)), "first": clock.seconds(times.first or _last(event)),
                     "from": event_source(event),
                     "thing": thing_id(about_.get("kind", ""), about_.get("namespace", ""), about_.get("name", "")),
                     "field": about_.get("fieldPath")})
    return told


def _family(cluster: Cluster, uid: str, kind: str) -> set[str]:
    """The uids of a thing and of what it made, down to the pods."""
    found = {uid}
    edge = [(uid, kind)]
    while edge and len(found) < MAX_FAMILY:
        owner, owner_kind = edge.pop()
        for resource in MADE.get(owner_kind, ()):
            for child in islice(cluster.api.lister(resource).by_owner(owner), MAX_FAMILY):
                found.add(child["metadata"]["uid"])
                edge.append((child["metadata"]["uid"], child["kind"]))
    return found


def _last(event: Object) -> str:
    return event_times(event).last or event["metadata"]["creationTimestamp"]


def causes(cluster: Cluster, thing: str) -> list[dict[str, Any]]:
    """The writes that made the thing what it is, newest first, each with the chain that led to it."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    for event in chain.own_events(cluster, thing):
        step: Event | None = event
        while step is not None and step.revision not in seen and len(found) < MAX_CHAIN:
            seen.add(step.revision)
            cause = step.cause
            found.append({"revision": step.revision, "time": cause.at, "client": cause.client, "user": cause.user, "verb": cause.verb,
                          "thing": id_of(step.object), "because": cause.because})
            step = _before(cluster, cause.because, found)
    return sorted(found, key=lambda entry: (-entry["revision"], -entry["time"]))


def _before(cluster: Cluster, because: int | str | None, found: list[dict[str, Any]]) -> Event | None:
    """The write that made somebody act; an act of chaos is no write, and is told as what it was."""
    if not isinstance(because, str):
        return cluster.store.event_at(because) if because is not None else None
    act = cluster.chaos.act(because)
    if act is not None and all(entry.get("act") != because for entry in found):
        found.append({"revision": found[-1]["revision"], "time": act["at"], "client": "chaos", "user": act["by"], "verb": act["fault"],
                      "thing": act["target"], "because": None, "act": because})
    return None
