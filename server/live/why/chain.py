"""The chain of causes of a thing, oldest first: from a person's act, through each client that reacted to a write, to the thing's own life.

In: the store's history, which names for each write its client, its verb and the revision that the client reacted to. Out: steps of
``{code, params, client, user, verb, thing, revision, time, count}`` that are few enough to read: writes of one client to one thing that
say the same are one step. ``root`` says where the chain begins: a ``person``, ``chaos``, a client's own ``clock``, or ``compacted``
when what was before is no longer kept. Nothing is guessed.

Source: https://etcd.io/docs/v3.5/op-guide/maintenance/#history-compaction-v3-api-key-value-database
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, condition, controller_of, labels
from server.cluster.store import ADDED, DELETED, Event
from server.live.records import id_of, thing_id

KINDS = {row.kind: row for row in RESOURCES.values()}
Step = dict[str, Any]
SEARCHED, MOST_OWN, MOST_BACK, MOST_STEPS = 20_000, 60, 20, 16
UNSAID = ("status", "changed")
LIVES, LOOP = ("started", "exited", "restarted", "waits", "ready", "unready"), 4


def own_events(cluster: Cluster, thing: str, uid: str | None = None) -> list[Event]:
    """What happened to a thing, newest first, back to its creation as far as that is kept: each event names the version before it."""
    store, own = cluster.store, []
    event = _newest(cluster, thing, uid)
    while event is not None and event.revision > store.revision - SEARCHED:
        own.append(event)
        event = store.event_at(int(event.previous["metadata"]["resourceVersion"])) if event.previous is not None else None
    return own


def _newest(cluster: Cluster, thing: str, uid: str | None) -> Event | None:
    kind, _, rest = thing.partition("/")
    namespace, _, name = rest.partition("/")
    row = KINDS.get(kind)
    obj = cluster.api.lister(row.key).get(namespace, name) if row is not None else None
    if obj is not None and uid in (None, obj["metadata"].get("uid")):
        return cluster.store.event_at(int(obj["metadata"]["resourceVersion"]))
    for event in cluster.store.latest(SEARCHED):
        if event.key[1] == name and id_of(event.object) == thing and (uid is None or event.object["metadata"].get("uid") == uid):
            return event
    return None


def chain(cluster: Cluster, own: list[Event]) -> dict[str, Any]:
    """``own``: the thing's events, newest first."""
    if not own:
        return {"steps": [], "root": "compacted"}
    born = own[-1]
    act = next((event for event in own if _intended(event)), born)
    back, root = _back(cluster, born)
    if act is not born:
        more, root_of_act = _back(cluster, act)
        back = back[-MOST_STEPS // 2 :] if back is not None else []
        known = {entry["revision"] for entry in back}
        back += [entry for entry in more if entry["revision"] not in known]
        root = root if born.previous is None else root_of_act
    told = {entry["revision"] for entry in back}
    life = [_step(event) for event in reversed(own[:MOST_OWN]) if event.revision not in told]
    steps = _merged(sorted([*back, *life], key=lambda entry: (entry["time"], entry["revision"])))
    return {"steps": steps, "root": root}


def _intended(event: Event) -> bool:
    """Whether somebody wanted the thing to be otherwise: its spec, its labels or its end."""
    return event.previous is not None and (
        event.type is DELETED
        or event.previous.get("spec") != event.object.get("spec")
        and event.cause.client != "scheduler"
        or labels(event.previous) != labels(event.object)
        or ("deletionTimestamp" in event.object["metadata"]) != ("deletionTimestamp" in event.previous["metadata"])
    )


def _back(cluster: Cluster, event: Event) -> tuple[list[Step], str]:
    """A write and what led to it, oldest first, and where that begins."""
    steps: list[Step] = []
    step: Event | None = event
    while step is not None and len(steps) < MOST_BACK:
        steps.append(_step(step))
        because = step.cause.because
        if because is None:
            return steps[::-1], ("compacted" if step.previous is not None and step.type is ADDED else root_of(step))
        if isinstance(because, str):
            act = cluster.chaos.act(because)
            if act is not None:
                steps.append(
                    {
                        "code": "chaos",
                        "params": {"fault": act["fault"]},
                        "client": "chaos",
                        "user": act["by"],
                        "verb": act["fault"],
                        "thing": _struck(cluster, act["target"]),
                        "revision": steps[-1]["revision"] - 0.5,
                        "time": act["at"],
                        "count": 1,
                    }
                )
            return steps[::-1], "chaos"
        step = cluster.store.event_at(because)
    return steps[::-1], "compacted"


def root_of(event: Event) -> str:
    """Who acted without another write that made them: a person, or a part of Kubernetes when its time had come."""
    return "clock" if event.cause.user.startswith("system:") else "person"


def _struck(cluster: Cluster, target: str) -> str:
    return target if target.count("/") >= 2 else thing_id("Fault", "", target)


def _step(event: Event) -> Step:
    code, params = said(event)
    cause = event.cause
    return {
        "code": code,
        "params": params,
        "client": cause.client,
        "user": cause.user,
        "verb": cause.verb,
        "thing": id_of(event.object),
        "revision": event.revision,
        "time": cause.at,
        "count": 1,
    }


def said(event: Event) -> tuple[str, dict[str, Any]]:
    """What a write says, as a code with parameters."""
    now, before = event.object, event.previous
    if event.type is DELETED:
        return "deleted", {}
    if before is None:
        owner = controller_of(now)
        return ("made", {"owner": owner["name"], "kind": owner["kind"]}) if owner else ("created", {})
    if "deletionTimestamp" in now["metadata"] and "deletionTimestamp" not in before["metadata"]:
        return "deleting", {"seconds": now["metadata"].get("deletionGracePeriodSeconds", 0)}
    if now["kind"] == "Pod" and (told := _pod(now, before)) is not None:
        return told
    if now["kind"] == "Node" and (told := _node(now, before)) is not None:
        return told
    for look in (_spec, _meta, _status):
        if (told := look(now, before)) is not None:
            return told
    return "changed", {}


def _pod(now: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    node = now["spec"].get("nodeName")
    if node and not before["spec"].get("nodeName"):
        return "scheduled", {"node": node}
    scheduled, was = condition(now, "PodScheduled"), condition(before, "PodScheduled")
    if scheduled is not None and scheduled["status"] == "False" and (was is None or was.get("message") != scheduled.get("message")):
        return "refused", {"message": scheduled.get("message", "")[:200]}
    status, old = now.get("status") or {}, before.get("status") or {}
    if status.get("reason") and status.get("reason") != old.get("reason"):
        return "ended", {"reason": status["reason"], "phase": status.get("phase", "")}
    states = {entry["name"]: entry for entry in (*(old.get("initContainerStatuses") or ()), *(old.get("containerStatuses") or ()))}
    for entry in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        told = _container(entry, states.get(entry["name"]) or {})
        if told is not None:
            return told
    ready, wasnt = condition(now, "Ready"), condition(before, "Ready")
    if ready is not None and ready["status"] != (wasnt or {}).get("status"):
        return ("ready", {}) if ready["status"] == "True" else ("unready", {"reason": ready.get("reason", "")}) if wasnt else None
    if status.get("phase") != old.get("phase"):
        return "phase", {"phase": status.get("phase", "")}
    return None


def _container(entry: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    """What has become of one container."""
    state, was = entry.get("state") or {}, before.get("state") or {}
    name = entry["name"]
    ended = state.get("terminated") or {}
    if not ended and entry.get("restartCount", 0) > before.get("restartCount", 0):
        ended = (entry.get("lastState") or {}).get("terminated") or {}
        return "restarted", {"container": name, "count": entry["restartCount"], "code": ended.get("exitCode", "?"), "reason": ended.get("reason", "")}
    if ended and ended != was.get("terminated"):
        return "exited", {"container": name, "code": ended.get("exitCode", 0), "reason": ended.get("reason", "")}
    waiting = (state.get("waiting") or {}).get("reason")
    if waiting and waiting != (was.get("waiting") or {}).get("reason") and waiting not in ("ContainerCreating", "PodInitializing"):
        return "waits", {"container": name, "reason": waiting}
    if "running" in state and "running" not in was:
        return "started", {"container": name}
    return None


def _node(now: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    cordoned, was = bool(now["spec"].get("unschedulable")), bool(before["spec"].get("unschedulable"))
    if cordoned != was:
        return ("cordoned", {}) if cordoned else ("uncordoned", {})
    ready, old = condition(now, "Ready"), condition(before, "Ready")
    if ready is not None and ready["status"] != (old or {}).get("status"):
        return ("ready", {}) if ready["status"] == "True" else ("unready", {"reason": ready.get("reason", "")})
    if now["spec"].get("taints") != before["spec"].get("taints"):
        return "tainted", {"taints": ", ".join(taint["key"] for taint in now["spec"].get("taints") or ()) or "-"}
    return None


def _spec(now: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    spec, old = now.get("spec") or {}, before.get("spec") or {}
    if not isinstance(spec, dict) or spec == old:
        return ("data", {}) if now.get("data") != before.get("data") else None
    if spec.get("replicas") != old.get("replicas"):
        return "scaled", {"from": old.get("replicas", 1), "to": spec.get("replicas", 1)}
    images, others = _images(spec), _images(old)
    if images != others:
        return "image", {"from": ", ".join(others), "to": ", ".join(images)}
    if spec.get("paused") != old.get("paused"):
        return ("paused", {}) if spec.get("paused") else ("resumed", {})
    if spec.get("volumeName") and not old.get("volumeName"):
        return "bound", {"volume": spec["volumeName"]}
    fields = [field for field in (*spec, *(field for field in old if field not in spec)) if spec.get(field) != old.get(field)]
    return "spec", {"fields": ", ".join(fields[:4])}


def _images(spec: Object) -> list[str]:
    template = spec.get("template")
    inner = template.get("spec") if isinstance(template, dict) else spec
    return [container.get("image", "") for container in (inner or {}).get("containers") or ()]


def _meta(now: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    if labels(now) != labels(before):
        changed = sorted(key for key in {*labels(now), *labels(before)} if labels(now).get(key) != labels(before).get(key))
        return "labelled", {"labels": ", ".join(f"{key}={labels(now).get(key, '-')}" for key in changed[:4])}
    owner, was = controller_of(now), controller_of(before)
    if (owner or {}).get("uid") != (was or {}).get("uid"):
        return ("adopted", {"owner": owner["name"], "kind": owner["kind"]}) if owner else ("released", {"owner": was["name"], "kind": was["kind"]})
    return None


def _status(now: Object, before: Object) -> tuple[str, dict[str, Any]] | None:
    status, old = now.get("status"), before.get("status")
    if status == old:
        return None
    ready, was = (status or {}).get("readyReplicas", 0), (old or {}).get("readyReplicas", 0)
    if isinstance(status, dict) and ready != was:
        return "readyReplicas", {"ready": ready, "all": (now.get("spec") or {}).get("replicas", ready)}
    if isinstance(status, dict) and status.get("phase") and status.get("phase") != (old or {}).get("phase"):
        return "phase", {"phase": status["phase"]}
    return "status", {}


def _alike(one: Step, other: Step) -> bool:
    return one["code"] not in ("scaled", "image") and (one["code"], one["thing"], one["client"]) == (other["code"], other["thing"], other["client"])


def _merged(steps: list[Step]) -> list[Step]:
    """Without what says nothing, equal ones that follow each other as one, and of very many the beginning and the end."""
    found: list[Step] = []
    for index, entry in enumerate(steps):
        if entry["code"] in UNSAID and 0 < index < len(steps) - 1 and entry["thing"] == steps[-1]["thing"]:
            continue
        same = next((index for index in range(len(found) - 1, max(len(found) - 1 - LOOP, -1), -1) if _alike(found[index], entry)), None)
        if same is not None and (same == len(found) - 1 or entry["code"] in LIVES):
            entry = {**entry, "count": found.pop(same)["count"] + 1}
        found.append(entry)
    if len(found) <= MOST_STEPS:
        return found
    left = found[len(found) - MOST_STEPS // 2 :]
    skipped = len(found) - MOST_STEPS
    return [*found[: MOST_STEPS // 2], {**left[0], "code": "skipped", "params": {"count": skipped}, "count": 1}, *left]
