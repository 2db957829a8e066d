"""The replay of one act: every request that it led to, from the person's to the last status that was reported.

In: a revision (or the number of a request that left none). Out: the steps in the order of their revisions: the chain is walked back by each
event's ``because`` to its first cause, and forward through all that was written because of it. At most ``MAX_STEPS`` are told,
the rest is counted. Everything is read from the store's log, one pass over it, when somebody asks.

Source: https://kubernetes.io/docs/concepts/architecture/
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.heard import COMPONENTS, READS, Heard
from server.cluster.apiserver.resources import served
from server.cluster.cluster import Cluster
from server.cluster.store import Event
from server.live import onthewire, passage
from server.live.compared import changes
from server.live.records import id_of

MAX_STEPS, MAX_ACTS, SEARCHED, MAX_CHANGED, MAX_REACTED, MAX_NODES = 400, 60, 40_000, 12, 12, 12
MINOR = frozenset(("events", "leases.coordination.k8s.io"))
PEOPLE = "people"


def lane(client: str, user: str) -> str:
    """Who that is on the picture: people, a kubelet by its node, or a component by its name."""
    if user.startswith("system:node:"):
        return f"kubelet/{user.removeprefix('system:node:')}"
    return client if user.startswith(COMPONENTS) else PEOPLE


# the chain

def first_cause(cluster: Cluster, revision: int) -> tuple[Event | None, str | None]:
    """The event that began it all, as far back as history is kept, and the act of chaos before it, if it was one."""
    event = cluster.store.event_at(revision)
    while event is not None:
        because = event.cause.because
        if isinstance(because, str):
            return event, because
        before = cluster.store.event_at(because) if because is not None else None
        if before is None:
            return event, None
        event = before
    return None, None


def chain(cluster: Cluster, root: Event, act: str | None) -> tuple[list[Event], int]:
    """The events that follow from a root, in order, and how many more there are than are told."""
    store = cluster.store
    if act is not None:
        known = cluster.chaos.act(act)
        start = max(store.revision - SEARCHED, 0) if known is not None else root.revision - 1
    else:
        start = root.revision - 1
    reached: set[int | str] = {root.revision} if act is None else {act}
    told, more = [], 0
    for event in reversed(list(store.latest(store.revision - start))):
        if event.revision not in reached and event.cause.because not in reached:
            continue
        reached.add(event.revision)
        if len(told) < MAX_STEPS:
            told.append(event)
        else:
            more += 1
    return told, more


def replay(cluster: Cluster, revision: int) -> dict[str, Any] | None:
    """Everything that one act led to; None if that revision is not kept."""
    root, act = first_cause(cluster, revision)
    if root is None:
        return None
    events, more = chain(cluster, root, act)
    led: dict[Any, list[Event]] = {}
    for event in events:
        led.setdefault(event.cause.because, []).append(event)
    steps = []
    for event in events:
        cluster.breathe()
        steps.append(step(cluster, event, led.get(event.revision, [])))
    because = root.cause.because
    return {
        "root": root.revision, "asked": revision, "steps": steps, "lanes": _lanes(steps), "more": more, "at": cluster.clock.now,
        "lost": because is not None and not isinstance(because, str),
        **({"act": _chaos(cluster, act)} if act is not None else {}),
    }


def _lanes(steps: list[dict[str, Any]]) -> list[str]:
    """Who takes part, in the order in which they first do."""
    return list(dict.fromkeys(step["lane"] for step in steps))


def _chaos(cluster: Cluster, identity: str) -> dict[str, Any]:
    act = cluster.chaos.act(identity)
    return {"id": identity, **({name: act[name] for name in ("at", "by", "fault", "target")} if act is not None else {})}


def step(cluster: Cluster, event: Event, led: list[Event]) -> dict[str, Any]:
    """One request that was stored."""
    cause, obj = event.cause, event.object
    line = _line(event)
    changed = changes(event.previous, obj) if event.previous is not None else []
    reacted = [{"lane": lane(one.cause.client, one.cause.user), "revision": one.revision} for one in led if one.resource not in MINOR]
    node = (obj.get("spec") or {}).get("nodeName") if event.resource == "pods" else None
    scheduling = _scheduling(cluster, event)
    return {
        "revision": event.revision, "at": cause.at, "client": cause.client, "user": cause.user, **line, "resource": event.resource,
        "kind": obj["kind"], "name": event.key[1], "thing": id_of(obj), "event": event.type, "because": cause.because,
        "lane": lane(cause.client, cause.user), "minor": event.resource in MINOR, "changed": changed[:MAX_CHANGED], "changes": len(changed),
        **({"node": node} if node else {}), **({"owner": owner} if (owner := _owner(obj)) else {}),
        **({"reason": obj.get("reason"), "message": obj.get("message"), "about": obj["involvedObject"].get("name")} if event.resource == "events"
           else {}),
        **({"scheduling": scheduling} if scheduling else {}), **_told(event),
        "stages": passage.stages(cluster, event, line, reacted[:MAX_REACTED]),
    }


def _line(event: Event) -> dict[str, Any]:
    if (request := onthewire.asked(event)) is not None:
        return passage.of_request(request)
    row = served(event.resource)
    namespace, name = event.key
    verb, subresource = ("create", "binding") if event.cause.verb == "bind" else (event.cause.verb, "")
    return {"method": passage.method(verb), "path": passage.path(row, namespace, name, subresource, verb) if row else "", "verb": verb,
            "subresource": subresource, "plural": row.plural if row else event.resource, "group": row.group if row else "",
            "namespace": namespace}


def _owner(obj: dict[str, Any]) -> str:
    return next((f"{one['kind']} {one['name']}" for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), "")


def _told(event: Event) -> dict[str, Any]:
    """The few numbers and words of a kind that a sentence about it needs."""
    spec, status = event.object.get("spec") or {}, event.object.get("status") or {}
    if event.resource in ("deployments.apps", "replicasets.apps", "statefulsets.apps"):
        return {"replicas": spec.get("replicas", 1), "ready": status.get("readyReplicas", 0), "current": status.get("replicas", 0)}
    if event.resource == "pods":
        ready = next((one["status"] for one in status.get("conditions") or () if one["type"] == "Ready"), "")
        waiting = next((reason for one in status.get("containerStatuses") or () if (reason := ((one.get("state") or {}).get("waiting") or {})
                                                                                   .get("reason"))), "")
        return {"phase": status.get("phase", ""), "isReady": ready == "True", **({"waiting": waiting} if waiting else {}),
                **({"deleting": True} if "deletionTimestamp" in event.object["metadata"] else {})}
    if event.resource == "endpointslices.discovery.k8s.io":
        ends = event.object.get("endpoints") or ()
        return {"ends": len(ends), "ready": sum(1 for one in ends if (one.get("conditions") or {}).get("ready") is not False)}
    return {}


def _scheduling(cluster: Cluster, event: Event) -> dict[str, Any] | None:
    """The attempt that led to a binding or to a pod's PodScheduled=False, if the scheduler still knows it."""
    if event.resource != "pods" or event.cause.client != "kube-scheduler":
        return None
    node = event.object["spec"].get("nodeName") if event.cause.verb == "bind" else None
    tries = [one for one in cluster.scheduler.attempts(event.object["metadata"]["uid"]) if one.node == node and one.time <= event.cause.at + 1e-9]
    if not tries:
        return None
    last = tries[-1]
    scored = sorted(last.feasible.items(), key=lambda item: (item[0] != last.node, -item[1].total, item[0]))
    return {
        "number": last.number, "node": last.node, "nodes": last.nodes, "tried": last.tried, "tied": last.tied, "message": last.message,
        "scores": [{"node": name, "total": score.total, "plugins": {plugin: weighted for plugin, (_, _, weighted) in score.plugins.items()}}
                   for name, score in scored[:MAX_NODES]],
        "refused": [{"node": name, "plugin": plugin, "reasons": list(reasons)}
                    for name, (plugin, reasons) in list(last.rejections.items())[:MAX_NODES]],
        "passed": last.scored, "rejected": len(last.rejections),
    }


def detail(cluster: Cluster, revision: int) -> dict[str, Any] | None:
    """The contents of one step's messages."""
    event = cluster.store.event_at(revision)
    if event is None:
        return None
    return {"revision": revision, "stages": passage.stages(cluster, event, _line(event), [], bytes_=True), **passage.contents(event)}


# what left no revision

def replay_heard(cluster: Cluster, number: int) -> dict[str, Any] | None:
    """The one step of a read, or of a write that was refused."""
    heard = cluster.api.heard.find(number)
    if heard is None:
        return None
    return {"root": f"h{number}", "asked": f"h{number}", "steps": [_heard_step(heard)], "lanes": [PEOPLE], "more": 0, "at": cluster.clock.now,
            "lost": False}


def _heard_step(heard: Heard) -> dict[str, Any]:
    request = heard.request
    row = served(request.resource)
    line = passage.of_request(request)
    return {
        "revision": heard.revision, "heard": heard.number, "at": heard.at, "client": request.client, "user": request.user, **line,
        "resource": request.resource, "kind": row.kind if row else "", "name": passage.named(request), "thing": "", "event": "", "because": None,
        "lane": PEOPLE, "minor": False, "changed": [], "changes": 0, "read": request.verb in READS, "code": heard.code,
        "refused": heard.error is not None, **({"message": str(heard.error)} if heard.error is not None else {}), "count": heard.count,
        "stages": passage.heard_stages(heard),
    }


def detail_heard(cluster: Cluster, number: int) -> dict[str, Any] | None:
    heard = cluster.api.heard.find(number)
    return {"heard": number, "stages": passage.heard_stages(heard), **passage.heard_contents(heard)} if heard is not None else None


# what to choose from

def acts(cluster: Cluster) -> dict[str, Any]:
    """What people did and asked of late, the newest first."""
    store, found = cluster.store, []
    chaos: set[str] = set()
    for event in store.latest(SEARCHED):
        if len(found) >= MAX_ACTS:
            break
        revision, cause = event.revision, event.cause
        if cause.at < 0 or cause.client == "kubeadm":
            continue
        if isinstance(cause.because, str):
            if cause.because not in chaos:
                chaos.add(cause.because)
                act = _chaos(cluster, cause.because)
                found.append({"sort": "fault", "revision": revision, "at": act.get("at", cause.at), "client": "chaos", "user": act.get("by", ""),
                              "verb": act.get("fault", ""), "kind": "", "name": act.get("target", ""), "thing": act.get("target", "")})
        elif cause.because is None and not cause.user.startswith(COMPONENTS):
            line = _line(event)
            found.append({"sort": "write", "revision": revision, "at": cause.at, "client": cause.client, "user": cause.user, "verb": line["verb"],
                          "subresource": line["subresource"], "kind": event.object["kind"], "name": event.key[1], "thing": id_of(event.object)})
    heard = [{"sort": "refused" if one.error is not None else "read", "heard": one.number, "revision": one.revision, "at": one.at,
              "client": one.request.client, "user": one.request.user, "verb": one.request.verb, "subresource": one.request.subresource,
              "kind": row.kind if (row := served(one.request.resource)) else "", "name": passage.named(one.request), "code": one.code,
              "resource": one.request.resource} for one in cluster.api.heard.kept]
    return {"acts": sorted([*found, *heard[-MAX_ACTS:]], key=lambda one: (one["at"], one["revision"], one.get("heard", 0)), reverse=True)}
