"""Everything about one thing, fetched when somebody clicks it: its YAML, ``kubectl describe``, its events, and why it is as it is.

``causes`` is the chain of writes that led here, newest first: each names its client, verb and object, and the revision that made the
client act, back to a person's command. Nothing is guessed: it is read from the store's history.
"""

from __future__ import annotations

from collections import Counter
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
from server.live.records import id_of, pod, service
from server.rooms.files import GivenFiles

KINDS = {row.kind: row for row in RESOURCES.values()}
MAX_CHAIN, MAX_EVENTS, SEARCHED, MAX_NODES = 40, 50, 20_000, 100


def inspect(cluster: Cluster, thing: str) -> dict[str, Any] | None:
    """What the inspector shows of a thing id (Kind/namespace/name); None if it is not there."""
    kind, _, rest = thing.partition("/")
    namespace, _, name = rest.partition("/")
    row = KINDS.get(kind)
    obj = cluster.api.lister(row.key).get(namespace, name) if row is not None else None
    if obj is None:
        return None
    shown = {**obj, "metadata": {field: value for field, value in obj["metadata"].items() if field != "managedFields"}}
    return {
        "id": thing, "yaml": yamlout.to_yaml(shown), "describe": describe(cluster, row.key, namespace, name),
        "events": events(cluster, obj), "causes": causes(cluster, thing), "why": why(cluster, kind, obj),
        **({"attempt": attempt(cluster, obj)} if kind == "Pod" else {}),
    }


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
    cluster.clock.run_until(cluster.clock.now, lambda: not process.alive)
    return "".join(parts)


class _Writer:
    def __init__(self, parts: list[str]) -> None:
        self.write = parts.append


def events(cluster: Cluster, obj: Object) -> list[dict[str, Any]]:
    """The thing's Events, oldest first."""
    meta, clock = obj["metadata"], cluster.clock
    found = [event for event in cluster.api.lister("events").list(meta.get("namespace") or "default")
             if event["involvedObject"].get("uid") == meta["uid"]]
    found.sort(key=lambda event: (_last(event), int(event["metadata"]["resourceVersion"])))
    return [{"type": event.get("type"), "reason": event.get("reason"), "message": event.get("message"), "count": event_times(event).count,
             "last": clock.seconds(_last(event)), "from": event_source(event)} for event in found[-MAX_EVENTS:]]


def _last(event: Object) -> str:
    return event_times(event).last or event["metadata"]["creationTimestamp"]


def causes(cluster: Cluster, thing: str) -> list[dict[str, Any]]:
    """The writes that made the thing what it is, newest first, each with the chain that led to it."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    for event in _own_events(cluster, thing):
        step: Event | None = event
        while step is not None and step.revision not in seen and len(chain) < MAX_CHAIN:
            seen.add(step.revision)
            cause = step.cause
            chain.append({"revision": step.revision, "time": cause.at, "client": cause.client, "user": cause.user, "verb": cause.verb,
                          "thing": id_of(step.object), "because": cause.because})
            step = _before(cluster, cause.because, chain)
    return sorted(chain, key=lambda entry: (-entry["revision"], -entry["time"]))


def _before(cluster: Cluster, because: int | str | None, chain: list[dict[str, Any]]) -> Event | None:
    """The write that made somebody act; an act of chaos is no write, and is told as what it was."""
    if not isinstance(because, str):
        return cluster.store.event_at(because) if because is not None else None
    act = cluster.chaos.act(because)
    if act is not None and all(entry.get("act") != because for entry in chain):
        chain.append({"revision": chain[-1]["revision"], "time": act["at"], "client": "chaos", "user": act["by"], "verb": act["fault"],
                      "thing": act["target"], "because": None, "act": because})
    return None


def _own_events(cluster: Cluster, thing: str) -> list[Event]:
    """The thing's last changes and its creation, newest first."""
    store = cluster.store
    own = []
    for revision in range(store.revision, max(store.revision - SEARCHED, 0), -1):
        event = store.event_at(revision)
        if event is None:
            break
        if id_of(event.object) == thing:
            own.append(event)
            if event.previous is None:
                break
    return own


def why(cluster: Cluster, kind: str, obj: Object) -> list[dict[str, Any]]:
    """Reasons as codes with parameters; the page has the sentences."""
    if kind == "Pod":
        return _why_pod(cluster, obj)
    if kind == "Service" and obj["spec"].get("selector"):
        record = service(cluster, obj)
        if not record["endpoints"]:
            return [{"code": "near-miss", "params": near} for near in record["near"]] or [
                {"code": "no-match", "params": {"selector": obj["spec"]["selector"]}}]
    return []


def _why_pod(cluster: Cluster, obj: Object) -> list[dict[str, Any]]:
    record = pod(cluster, obj)
    reasons = []
    if record["state"] == "unscheduled":
        last = cluster.scheduler.attempt(obj["metadata"]["uid"])
        if last is not None:
            reasons.append({"code": "unschedulable", "params": {"rejections": last.rejections, "message": last.message}})
    if record.get("message"):
        reasons.append({"code": record["state"], "params": {"message": record["message"]}})
    return reasons
