"""Why a pod is as it is: waiting, restarting, not ready, ending, ended, or simply here.

In: a pod and what its kubelet knows of it. Out: (question, reasons), the decisive reason first. One look at the pod decides its family;
what its containers do is in ``containers``, why it has no node in ``pending``.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from server.cluster.cluster import Cluster
from server.cluster.controllers.taint_eviction import STATE as EVICTION
from server.cluster.controllers.taint_eviction import executing_taints, tolerated_for
from server.cluster.objects import Object, condition, condition_true, controller_of, labels
from server.cluster.store import DELETED, Event
from server.live.records import thing_id
from server.live.why import configuration, containers, pending
from server.live.why.telling import Reason, aid, fact, names, owner_of, reason, scope, step, workload_of

Told = tuple[str, list[Reason]]


def explain(cluster: Cluster, pod: Object, own: list[Event]) -> Told:
    meta, status = pod["metadata"], pod.get("status") or {}
    question, found = _state(cluster, pod)
    if "deletionTimestamp" not in meta and status.get("phase") not in ("Succeeded", "Failed"):
        found += [*_relabelled(cluster, pod, own), *_returned(cluster, pod, own), *configuration.stale(cluster, pod)]
    if question == "here":
        found = [*found[1:], found[0]] if len(found) > 1 and found[1]["code"] in ("released", "came-back", "stale-env", "restarted") else found
    return question, found


def _state(cluster: Cluster, pod: Object) -> Told:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    if "deletionTimestamp" in meta:
        return "terminating", [*_terminating(cluster, pod), *_lost(cluster, pod)]
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
            if first in ("crash-loop", "oom", "liveness-killed", "start-failed", "container-ended")
            else "notReady"
            if phase == "Running"
            else "waits"
        ), troubles
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
    return "here", [_here(cluster, pod), *containers.restarted(cluster, pod)]


def _here(cluster: Cluster, pod: Object) -> Reason:
    """A pod that is well: whose it is, and which node was chosen."""
    owner, node = controller_of(pod), pod["spec"]["nodeName"]
    facts = [fact(pod, "spec.nodeName", node)]
    if owner is not None:
        facts.append(fact(pod, "metadata.ownerReferences[0].name", owner["name"]))
        held = cluster.api.lister(
            {
                "ReplicaSet": "replicasets.apps",
                "StatefulSet": "statefulsets.apps",
                "DaemonSet": "daemonsets.apps",
                "Job": "jobs.batch",
                "ReplicationController": "replicationcontrollers",
            }.get(owner["kind"], "nodes")
        )
        found = held.get(pod["metadata"]["namespace"], owner["name"])
        if found is not None and "replicas" in (found.get("spec") or {}):
            facts.append(fact(found, "spec.replicas", found["spec"]["replicas"]))
        return reason("owned", {"kind": owner["kind"], "owner": owner["name"], "node": node}, facts)
    if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
        return reason("static", {"node": node}, facts)
    return reason("bare", {"node": node}, facts, [aid("bare")])


def _terminating(cluster: Cluster, pod: Object) -> list[Reason]:
    meta, spec, clock = pod["metadata"], pod["spec"], cluster.clock
    grace = meta.get("deletionGracePeriodSeconds", 0)
    left = max(0, round(clock.seconds(meta["deletionTimestamp"]) - clock.now))
    facts = [fact(pod, "metadata.deletionTimestamp", meta["deletionTimestamp"]), fact(pod, "metadata.deletionGracePeriodSeconds", grace)]
    found = []
    hooks = [index for index, one in enumerate(spec["containers"]) if (one.get("lifecycle") or {}).get("preStop")]
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted is not None and disrupted["status"] == "True":
        found.append(
            reason(
                "disrupted",
                {"reason": disrupted.get("reason", ""), "message": disrupted.get("message", "")},
                [fact(pod, "status.conditions[DisruptionTarget].reason", disrupted.get("reason", ""))],
            )
        )
    if meta.get("finalizers") and left == 0:
        return [
            reason("finalizers", {"finalizers": names(meta["finalizers"])}, [fact(pod, "metadata.finalizers", names(meta["finalizers"]))]),
            *found,
        ]
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
    if (owner := controller_of(pod)) is not None and owner["kind"] != "Job":
        found.append(
            reason(
                "will-return",
                {"kind": owner["kind"], "owner": owner["name"]},
                [fact(pod, "metadata.ownerReferences[0].name", owner["name"])],
                [aid("scale-down", f"kubectl scale {workload_of(pod)} --replicas=0{scope(pod)}") if owner["kind"] != "DaemonSet" else None],
            )
        )
    return found


def _lost(cluster: Cluster, pod: Object) -> list[Reason]:
    """Its node is not heard of: until when its tolerations keep it there."""
    name = pod["spec"].get("nodeName")
    node = cluster.api.lister("nodes").get("", name) if name else None
    if name and node is None:
        return [reason("node-gone", {"node": name}, [fact(pod, "spec.nodeName", name)])]
    ready = condition(node, "Ready") if node is not None else None
    if ready is None or ready["status"] == "True":
        return []
    facts = [fact(node, "status.conditions[Ready].status", ready["status"])]
    if "deletionTimestamp" in pod["metadata"]:
        return [
            reason(
                "lost-terminating",
                {"node": name},
                facts,
                [aid("force-delete", f"kubectl delete pod {pod['metadata']['name']}{scope(pod)} --grace-period=0 --force")],
            )
        ]
    seconds = tolerated_for(pod, executing_taints(node))
    kept = cluster.parts.state.get(f"{EVICTION}{pod['metadata']['namespace']}/{pod['metadata']['name']}")
    if seconds is None:
        return [reason("node-lost-stays", {"node": name, "status": ready["status"]}, [*facts, fact(pod, "spec.tolerations", "-")])]
    since = kept["since"] if kept is not None else cluster.clock.now
    left = max(0, round(since + seconds - cluster.clock.now))
    index = next((index for index, each in enumerate(pod["spec"].get("tolerations") or ()) if each.get("tolerationSeconds") is not None), 0)
    return [
        reason(
            "node-lost",
            {"node": name, "left": left, "seconds": round(seconds), "status": ready["status"]},
            [*facts, fact(pod, f"spec.tolerations[{index}].tolerationSeconds", round(seconds))],
            [aid("describe", f"kubectl describe node {name}")],
        )
    ]


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
        return [
            reason(
                "disrupted",
                {"reason": disrupted.get("reason", ""), "message": disrupted.get("message", "")},
                [fact(pod, "status.conditions[DisruptionTarget].reason", disrupted.get("reason", ""))],
            )
        ]
    if why:
        return [reason("rejected", {"reason": why, "message": message}, facts)]
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
                fact(thing_id(owner["kind"], pod["metadata"]["namespace"], owner["name"]), "spec.replicas", ""),
            ],
        )
    ]


def gone(cluster: Cluster, thing: str, own: list[Event]) -> Told:
    """A thing that is no more, as far as its end is kept."""
    last = own[0].object
    meta, owner = last["metadata"], controller_of(last)
    mark = next(
        (
            event
            for event in own
            if "deletionTimestamp" in event.object["metadata"] and (event.previous is None or "deletionTimestamp" not in event.previous["metadata"])
        ),
        own[0],
    )
    found = [reason("gone", {"client": mark.cause.client, "user": mark.cause.user, "revision": mark.revision})]
    if owner is not None and last["kind"] == "Pod":
        found.append(
            reason(
                "will-return",
                {"kind": owner["kind"], "owner": owner["name"]},
                [fact(thing_id(owner["kind"], meta.get("namespace", ""), owner["name"]), "spec.replicas", "")],
            )
        )
    return "gone", found


def first(cluster: Cluster, pod: Object) -> Reason | None:
    """The one thing that is the matter with a pod, for those who wait for it."""
    question, found = _state(cluster, pod)
    return found[0] if question != "here" and found else None


def unready(cluster: Cluster, pods: list[Object]) -> list[Object]:
    return [pod for pod in pods if not condition_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]]
