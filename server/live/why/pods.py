"""Why a pod is as it is: waiting, restarting, not ready, ending, ended, or simply here.

In: a pod and what its kubelet knows of it. Out: (question, reasons), the decisive reason first. One look at the pod decides its family;
what its containers do is in ``containers``, why it has no node in ``pending``.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.controllers.taint_eviction import STATE as EVICTION
from server.cluster.controllers.taint_eviction import executing_taints, tolerated_for
from server.cluster.objects import Object, condition, condition_true, controller_of, labels
from server.cluster.store import DELETED, Event
from server.live.records import thing_id
from server.live.why import configuration, containers, machines, pending, remedies
from server.live.why.telling import Reason, aid, fact, names, owner_of, reason, scope, step

Told = tuple[str, list[Reason]]


def explain(cluster: Cluster, pod: Object, own: list[Event]) -> Told:
    meta, status = pod["metadata"], pod.get("status") or {}
    question, found = _state(cluster, pod, own)
    if "deletionTimestamp" not in meta and status.get("phase") not in ("Succeeded", "Failed"):
        found += [*_relabelled(cluster, pod, own), *_returned(cluster, pod, own), *configuration.stale(cluster, pod)]
    if question == "here":
        found = [*found[1:], found[0]] if len(found) > 1 and found[1]["code"] in ("released", "came-back", "stale-env", "restarted") else found
    return question, found


def _state(cluster: Cluster, pod: Object, own: list[Event]) -> Told:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    if "deletionTimestamp" in meta:
        lost = _lost(cluster, pod)
        told = _terminating(cluster, pod, own)
        return "terminating", [*lost, *told[1:]] if lost and told[0]["code"] in ("terminating", "pre-stop") else [*told, *lost]
    if not spec.get("nodeName"):
        return "pending", pending.explain(cluster, pod)
    if lost := _lost(cluster, pod):
        return "lost", lost
    phase = status.get("phase", "Pending")
    if phase == "Failed":
        return "failed", _failed(cluster, pod)
    if phase == "Succeeded":
        return "ended", [
            reason(
                "succeeded",
                {"policy": spec.get("restartPolicy", "Always")},
                [fact(pod, "status.phase", phase), fact(pod, "spec.restartPolicy", spec.get("restartPolicy", "Always"))],
            )
        ]
    troubles = [*containers.troubles(cluster, pod), *configuration.volumes(cluster, pod)]
    if troubles:
        first = troubles[0]["code"]
        return (
            "restarts"
            if first in ("crash-loop", "oom", "oom-more", "liveness-killed", "start-failed", "container-ended")
            else "notReady"
            if phase == "Running"
            else "waits"
        ), troubles
    deaf = bool(cluster.kubelets.standing(spec["nodeName"]))
    if phase == "Pending" and deaf:
        return "waits", [reason("kubelet-deaf", {"node": spec["nodeName"]}, [fact(pod, "spec.nodeName", spec["nodeName"])], [aid("heal")])]
    if phase == "Pending":
        return "waits", [reason("starting", {"node": spec["nodeName"]}, [fact(pod, "spec.nodeName", spec["nodeName"])])]
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or () if not condition_true(pod, gate["conditionType"])]
    if gates:
        return "notReady", [reason("readiness-gate", {"gates": names(gates)}, [fact(pod, "spec.readinessGates", names(gates))])]
    if not condition_true(pod, "Ready"):
        ready = condition(pod, "Ready") or {}
        return "notReady", [
            reason(
                "not-ready",
                {"message": ready.get("message", "") or ready.get("reason", "")},
                [fact(pod, "status.conditions[Ready].status", ready.get("status", ""))],
            )
        ]
    if deaf:
        return "lost", [reason("node-not-noticed", {"node": spec["nodeName"]}, [fact(pod, "spec.nodeName", spec["nodeName"])], [aid("heal")])]
    return "here", [_here(cluster, pod), *containers.restarted(cluster, pod)]


def _here(cluster: Cluster, pod: Object) -> Reason:
    """A pod that is well: whose it is, and which node was chosen."""
    owner, node = controller_of(pod), pod["spec"]["nodeName"]
    facts = [fact(pod, "spec.nodeName", node)]
    if owner is not None:
        facts.append(fact(pod, "metadata.ownerReferences[0].name", owner["name"]))
        found = remedies.owner(cluster, pod)
        if found is not None and "replicas" in (found.get("spec") or {}):
            facts.append(fact(found, "spec.replicas", found["spec"]["replicas"]))
        return reason("owned", {"kind": owner["kind"], "owner": owner["name"], "node": node}, facts)
    if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
        return reason("static", {"node": node}, facts)
    return reason("bare", {"node": node}, facts, [aid("bare")])


def _terminating(cluster: Cluster, pod: Object, own: list[Event]) -> list[Reason]:
    meta, spec, clock = pod["metadata"], pod["spec"], cluster.clock
    grace = meta.get("deletionGracePeriodSeconds", 0)
    left = max(0, round(clock.seconds(meta["deletionTimestamp"]) - clock.now))
    facts = [fact(pod, "metadata.deletionTimestamp", meta["deletionTimestamp"]), fact(pod, "metadata.deletionGracePeriodSeconds", grace)]
    found = []
    hooks = [index for index, one in enumerate(spec["containers"]) if (one.get("lifecycle") or {}).get("preStop")]
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted is not None and disrupted["status"] == "True":
        found.append(_disrupted(pod, disrupted))
    if meta.get("finalizers") and left == 0:
        held = names(meta["finalizers"])
        return [reason("finalizers", {"finalizers": held}, [fact(pod, "metadata.finalizers", held)], [remedies.unhold(pod)]), *found]
    if hooks:
        found.insert(
            0,
            reason(
                "pre-stop",
                {"left": left, "grace": grace, "container": spec["containers"][hooks[0]]["name"]},
                [fact(pod, f"spec.containers[{hooks[0]}].lifecycle.preStop", "preStop"), *facts],
            ),
        )
    else:
        found.insert(0, reason("terminating", {"left": left, "grace": grace}, facts))
    return [*found, *_successor(cluster, pod, own)]


def _successor(cluster: Cluster, pod: Object, own: list[Event]) -> list[Reason]:
    """Whether its owner puts another in its place: not one that wanted fewer itself, or goes too."""
    reference, held = controller_of(pod), remedies.owner(cluster, pod)
    if reference is None or reference["kind"] == "Job":
        return []
    params, facts = {"kind": reference["kind"], "owner": reference["name"]}, [fact(pod, "metadata.ownerReferences[0].name", reference["name"])]
    if held is None or "deletionTimestamp" in held["metadata"]:
        return [reason("goes-with-owner", params, facts)]
    mark = _mark(own)
    if mark is not None and mark.cause.client == "replicaset-controller":
        return [reason("scaled-away", params, [*facts, fact(held, "spec.replicas", held["spec"].get("replicas", 1))])]
    target, _ = remedies.changeable(cluster, pod)
    down = aid("scale-down", f"kubectl scale {target} --replicas=0{scope(pod)}") if reference["kind"] != "DaemonSet" and target else None
    return [reason("will-return", params, facts, [down])]


def _mark(own: list[Event]) -> Event | None:
    """The write by which it was asked to go."""
    return next(
        (
            event
            for event in own
            if "deletionTimestamp" in event.object["metadata"] and (event.previous is None or "deletionTimestamp" not in event.previous["metadata"])
        ),
        own[0] if own else None,
    )


def _disrupted(pod: Object, given: Object) -> Reason:
    """Somebody asked it to go: a drain, a taint, a pod of higher priority, its kubelet."""
    params = {"reason": given.get("reason", ""), "message": given.get("message", "")}
    return reason("disrupted", params, [fact(pod, "status.conditions[DisruptionTarget].reason", given.get("reason", ""))])


def _lost(cluster: Cluster, pod: Object) -> list[Reason]:
    """Its node is not heard of: until when its tolerations keep it there."""
    name = pod["spec"].get("nodeName")
    node = cluster.api.lister("nodes").get("", name) if name else None
    if name and node is None:
        return [reason("node-gone", {"node": name}, [fact(pod, "spec.nodeName", name)], [remedies.remake(pod)] if controller_of(pod) is None else [])]
    ready = condition(node, "Ready") if node is not None else None
    if ready is None or ready["status"] == "True":
        return []
    facts = [fact(node, "status.conditions[Ready].status", ready["status"])]
    inner = {"inner": machines.node(cluster, node)[1][:1]}
    if "deletionTimestamp" in pod["metadata"]:
        return [
            reason(
                "lost-terminating",
                {"node": name},
                facts,
                [aid("force-delete", f"kubectl delete pod {pod['metadata']['name']}{scope(pod)} --grace-period=0 --force")],
            )
            | inner
        ]
    seconds = tolerated_for(pod, executing_taints(node))
    kept = cluster.parts.state.get(f"{EVICTION}{pod['metadata']['namespace']}/{pod['metadata']['name']}")
    if seconds is None:
        return [reason("node-lost-stays", {"node": name, "status": ready["status"]}, [*facts, fact(pod, "spec.tolerations", "-")]) | inner]
    since = kept["since"] if kept is not None else cluster.clock.now
    left = max(0, round(since + seconds - cluster.clock.now))
    index = next((index for index, each in enumerate(pod["spec"].get("tolerations") or ()) if each.get("tolerationSeconds") is not None), 0)
    params = {"node": name, "left": left, "seconds": round(seconds), "status": ready["status"]}
    facts.append(fact(pod, f"spec.tolerations[{index}].tolerationSeconds", round(seconds)))
    aids = [aid("describe", f"kubectl describe node {name}")]
    return [(reason("node-lost", params, facts, aids) if controller_of(pod) is not None else reason("node-lost-bare", params, facts, aids)) | inner]


def _failed(cluster: Cluster, pod: Object) -> list[Reason]:
    status = pod.get("status") or {}
    why, message = status.get("reason", ""), status.get("message", "")
    facts = [fact(pod, "status.reason", why) if why else None, fact(pod, "status.message", message) if message else None]
    disrupted = condition(pod, "DisruptionTarget")
    if why == "Evicted":
        return [reason("evicted", {"message": message, "node": pod["spec"].get("nodeName", "")}, facts, [aid("lower-use")])]
    if why == "DeadlineExceeded":
        return [
            reason(
                "pod-deadline",
                {"seconds": pod["spec"].get("activeDeadlineSeconds", "")},
                [*facts, fact(pod, "spec.activeDeadlineSeconds", pod["spec"].get("activeDeadlineSeconds"))],
            )
        ]
    if disrupted is not None and disrupted["status"] == "True":
        return [_disrupted(pod, disrupted)]
    if why:
        facts.insert(0, fact(pod, "spec.nodeName", pod["spec"].get("nodeName", "")))
        return [reason("rejected", {"reason": why, "message": message}, facts, [remedies.remake(pod)] if controller_of(pod) is None else [])]
    return containers.ended(cluster, pod) or [reason("failed", {"message": message}, facts)]


def _relabelled(cluster: Cluster, pod: Object, own: list[Event]) -> list[Reason]:
    """Who let go of it, or took it up, since its labels changed."""
    for event in own:
        if event.previous is None or event.type is DELETED:
            continue
        now, was = controller_of(event.object), controller_of(event.previous)
        if was is not None and now is None and controller_of(pod) is None:
            resource = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps", "DaemonSet": "daemonsets.apps"}.get(was["kind"])
            held = cluster.api.lister(resource).get(pod["metadata"]["namespace"], was["name"]) if resource else None
            wanted = ((held or {}).get("spec") or {}).get("selector", {}).get("matchLabels") or {}
            differs = [key for key, value in wanted.items() if labels(pod).get(key) != value]
            key = differs[0] if differs else ""
            return [
                reason(
                    "released",
                    {"kind": was["kind"], "owner": was["name"], "key": key, "want": wanted.get(key, ""), "have": labels(pod).get(key, "-")},
                    [
                        fact(pod, f"metadata.labels{step(key)}", labels(pod).get(key, "-")) if key else None,
                        fact(held, f"spec.selector.matchLabels{step(key)}", wanted[key]) if key and held is not None else None,
                    ],
                    [aid("relabel", f"kubectl label pod {pod['metadata']['name']} {key}={wanted[key]} --overwrite{scope(pod)}") if key else None],
                )
            ]
        if was is None and now is not None:
            return [reason("adopted", {"kind": now["kind"], "owner": now["name"]}, [fact(pod, "metadata.ownerReferences[0].name", now["name"])])]
    return []


def _returned(cluster: Cluster, pod: Object, own: list[Event]) -> list[Reason]:
    """It was made because another pod of its owner went."""
    if not own or own[-1].previous is not None:
        return []
    because = own[-1].cause.because
    event = cluster.store.event_at(because) if isinstance(because, int) else None
    owner = controller_of(pod)
    if event is None or event.resource != "pods" or owner is None or owner_of(event.object) != owner_of(pod):
        return []
    gone = event.object["metadata"]
    ended = (event.object.get("status") or {}).get("phase") in ("Failed", "Succeeded")
    if event.type is not DELETED and "deletionTimestamp" not in gone and not ended or event.previous is None:
        return []
    return [
        reason(
            "came-back",
            {"pod": gone["name"], "kind": owner["kind"], "owner": owner["name"]},
            [
                fact(pod, "metadata.ownerReferences[0].name", owner["name"]),
                fact(thing_id(owner["kind"], pod["metadata"]["namespace"], owner["name"]), "spec.replicas", _replicas(cluster, pod)),
            ],
        )
    ]


def _replicas(cluster: Cluster, pod: Object) -> Any:
    held = remedies.owner(cluster, pod)
    return ((held or {}).get("spec") or {}).get("replicas", "")


def gone(cluster: Cluster, thing: str, own: list[Event]) -> Told:
    """A thing that is no more, as far as its end is kept."""
    last, mark = own[0].object, _mark(own) or own[0]
    found = [reason("gone", {"client": mark.cause.client, "user": mark.cause.user, "revision": mark.revision})]
    if last["kind"] == "Pod":
        disrupted = condition(last, "DisruptionTarget")
        if disrupted is not None and disrupted["status"] == "True":
            found.append(_disrupted(last, disrupted))
        found += _successor(cluster, last, own)
    return "gone", found


def first(cluster: Cluster, pod: Object) -> Reason | None:
    """The one thing that is the matter with a pod, for those who wait for it."""
    question, found = _state(cluster, pod, [])
    if question == "pending" and found[0]["code"] == "unschedulable" and len(found) > 1:
        return found[1]
    return found[0] if question != "here" and found else None


def unready(cluster: Cluster, pods: list[Object]) -> list[Object]:
    return [pod for pod in pods if not condition_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]]
