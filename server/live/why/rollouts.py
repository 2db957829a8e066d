"""Why a rollout waits, and why a ReplicaSet, StatefulSet or DaemonSet has the pods it has: which bound holds it, with its arithmetic.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.controllers import rollout
from server.cluster.controllers.daemonset_placement import Placement
from server.cluster.controllers.taint_eviction import tolerates
from server.cluster.objects import Object, condition, condition_true, controller_of, controller_uid, labels, uid
from server.live.why import pods, remedies
from server.live.why.telling import Reason, aid, fact, names, reason, scope, step

Told = tuple[str, list[Reason]]
MOST_PODS = 500


def deployment(cluster: Cluster, obj: Object) -> Told:
    spec, meta, status = obj["spec"], obj["metadata"], obj.get("status") or {}
    wanted = rollout.size(obj)
    name = meta["name"]
    held = [one for one in cluster.api.lister("replicasets.apps").by_owner(uid(obj)) if controller_uid(one) == uid(obj)]
    revision = (meta.get("annotations") or {}).get("deployment.kubernetes.io/revision", "")
    new = next((one for one in held if (one["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision") == revision), None)
    total, ready, updated = status.get("replicas", 0), status.get("availableReplicas", 0), status.get("updatedReplicas", 0)
    if "deletionTimestamp" in meta:
        return "terminating", [_finalizers(obj)]
    refused = condition(obj, "ReplicaFailure")
    if refused is None or refused["status"] != "True":
        refused = next((found for one in held if (found := condition(one, "ReplicaFailure")) is not None and found["status"] == "True"), None)
    if refused is not None:
        return "rollout", [_refused(cluster, obj, refused)]
    done = updated == wanted and total == wanted and ready >= wanted and status.get("observedGeneration", 0) >= meta.get("generation", 0)
    if spec.get("paused") and not (done and revision):
        return "rollout", [
            reason("paused", {}, [fact(obj, "spec.paused", True)], [aid("resume", f"kubectl rollout resume deployment {name}{scope(obj)}")])
        ]
    if not cluster.components.healthy("kube-controller-manager") and not done:
        return "rollout", [standstill()]
    if done:
        facts = [fact(obj, "spec.replicas", wanted), fact(obj, "status.availableReplicas", ready)]
        found = [reason("complete", {"count": wanted, "revision": revision or "1"}, facts)] if wanted else [_asleep(obj)]
        if spec.get("paused"):
            found.insert(
                0, reason("paused", {}, [fact(obj, "spec.paused", True)], [aid("resume", f"kubectl rollout resume deployment {name}{scope(obj)}")])
            )
        return "here", found
    found = []
    progress = condition(obj, "Progressing")
    if progress is not None and progress.get("reason") == "ProgressDeadlineExceeded":
        found.append(
            reason(
                "deadline",
                {"seconds": spec.get("progressDeadlineSeconds", 600)},
                [
                    fact(obj, "spec.progressDeadlineSeconds", spec.get("progressDeadlineSeconds", 600)),
                    fact(obj, "status.conditions[Progressing].reason", progress["reason"]),
                ],
                [aid("undo", f"kubectl rollout undo deployment {name}{scope(obj)}") if len(held) > 1 else None],
            )
        )
    found += _bound(cluster, obj, held, new, wanted, total, ready, updated)
    waiting = _waiting(cluster, new if new is not None else obj, spec.get("minReadySeconds", 0), obj)
    return "rollout", [*waiting, *found] if found and found[0]["code"] != "deadline" else [*found[:1], *waiting, *found[1:]]


def standstill() -> Reason:
    """Nobody acts on what is asked for."""
    return reason("no-controllers", {}, [fact("Component//kube-controller-manager", "", "stopped")], [aid("heal-component")])


def _asleep(obj: Object) -> Reason:
    kind, name = obj["kind"].lower(), obj["metadata"]["name"]
    return reason("wants-none", {}, [fact(obj, "spec.replicas", 0)], [aid("scale-up", f"kubectl scale {kind} {name} --replicas=1{scope(obj)}")])


def _alive(cluster: Cluster, obj: Object) -> int:
    held = (pod for pod in cluster.api.lister("pods").by_owner(uid(obj))[:MOST_PODS] if controller_uid(pod) == uid(obj))
    return sum("deletionTimestamp" not in pod["metadata"] for pod in held)


def told(cluster: Cluster, obj: Object) -> list[Reason]:
    """Why a workload has no pods, if that is known."""
    family = {"Deployment": deployment, "StatefulSet": stateful_set, "DaemonSet": daemon_set}.get(obj["kind"], replica_set)
    return family(cluster, obj)[1]


def _bound(cluster: Cluster, obj: Object, held: list[Object], new: Object | None, wanted: int, total: int, ready: int, updated: int) -> list[Reason]:
    """The ceiling and the floor between which a rolling update moves."""
    old = sum(rollout.size(one) for one in held if one is not new)
    if not old:
        return []
    if not rollout.rolling(obj):
        return [reason("recreate", {"old": old}, [fact(obj, "spec.strategy.type", "Recreate")])]
    strategy = (obj["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge, unavailable = rollout.max_surge(obj), rollout.max_unavailable(obj)
    params = {
        "replicas": wanted,
        "surgeGiven": strategy.get("maxSurge", "25%"),
        "surge": surge,
        "ceiling": wanted + surge,
        "unavailableGiven": strategy.get("maxUnavailable", "25%"),
        "unavailable": unavailable,
        "floor": wanted - unavailable,
        "total": sum(rollout.size(one) for one in held),
        "available": ready,
        "updated": updated,
        "old": old,
    }
    facts = [
        fact(obj, "spec.strategy.rollingUpdate.maxSurge", params["surgeGiven"]),
        fact(obj, "spec.strategy.rollingUpdate.maxUnavailable", params["unavailableGiven"]),
        fact(obj, "spec.replicas", wanted),
        fact(obj, "status.availableReplicas", ready),
        fact(obj, "status.updatedReplicas", updated),
    ]
    aids = [
        aid("status", f"kubectl rollout status deployment {obj['metadata']['name']}{scope(obj)}"),
        aid("undo", f"kubectl rollout undo deployment {obj['metadata']['name']}{scope(obj)}"),
    ]
    if params["total"] >= params["ceiling"] and ready <= params["floor"]:
        return [reason("both-bounds", params, facts, aids)]
    if params["total"] >= params["ceiling"]:
        return [reason("max-surge", params, facts, aids)]
    if ready <= params["floor"]:
        return [reason("max-unavailable", params, facts, aids)]
    return [reason("rolling", params, facts, aids)]


def _waiting(cluster: Cluster, owner: Object, seconds: int, obj: Object) -> list[Reason]:
    """Pods of the new template that are not there yet: the first one's trouble stands for them."""
    found = [pod for pod in cluster.api.lister("pods").by_owner(uid(owner))[:MOST_PODS] if controller_uid(pod) == uid(owner)]
    bad = pods.unready(cluster, found)
    if bad:
        inner = pods.first(cluster, bad[0])
        one = reason(
            "waits-for-pods",
            {"count": len(bad), "pods": names(pod["metadata"]["name"] for pod in bad)},
            [fact(pod, "status.conditions[Ready].status", "False") for pod in bad[:4]],
        )
        return [{**one, "inner": [inner]}] if inner is not None else [one]
    young = [
        pod
        for pod in found
        if seconds
        and condition_true(pod, "Ready")
        and cluster.clock.now
        - cluster.clock.seconds((condition(pod, "Ready") or {}).get("lastTransitionTime") or pod["metadata"]["creationTimestamp"])
        < seconds
    ]
    if young:
        since = max(cluster.clock.seconds((condition(pod, "Ready") or {})["lastTransitionTime"]) for pod in young)
        return [
            reason(
                "min-ready",
                {
                    "seconds": seconds,
                    "left": max(0, round(since + seconds - cluster.clock.now)),
                    "pods": names(pod["metadata"]["name"] for pod in young),
                },
                [fact(obj, "spec.minReadySeconds", seconds)],
            )
        ]
    return []


def _refused(cluster: Cluster, obj: Object, refused: Object) -> Reason:
    """The API server does not let its pods be made."""
    facts, aids = _missing(cluster, obj, refused.get("message", ""))
    facts.append(fact(obj, "status.conditions[ReplicaFailure].message", refused.get("message", "")))
    return reason("refused-create", {"message": refused.get("message", "")}, facts, aids)


def _missing(cluster: Cluster, obj: Object, message: str) -> tuple[list[Any], list[Any]]:
    """The field of a template that names what is not there, and what makes it."""
    spec = obj["spec"]["template"].get("spec") or {}
    for field, part, command in (
        ("serviceAccountName", "serviceaccount", "kubectl create serviceaccount {}"),
        ("priorityClassName", "PriorityClass", "kubectl create priorityclass {} --value=1000"),
        ("runtimeClassName", "RuntimeClass", ""),
    ):
        name = spec.get(field, "")
        if name and part in message and name in message:
            where = scope(obj) if field == "serviceAccountName" else ""
            kind = "PriorityClass" if field == "priorityClassName" else "ServiceAccount"
            make = aid("make-named", command.format(name) + where, kind=kind) if command else aid("leave-out", field=field)
            return [fact(obj, f"spec.template.spec.{field}", name)], [make]
    return [], []


def _finalizers(obj: Object) -> Reason:
    found = obj["metadata"].get("finalizers") or []
    return reason("finalizers" if found else "deleting", {"finalizers": names(found)}, [fact(obj, "metadata.finalizers", names(found))])


def replica_set(cluster: Cluster, obj: Object) -> Told:
    owner, wanted = controller_of(obj), rollout.size(obj)
    status = obj.get("status") or {}
    refused = condition(obj, "ReplicaFailure")
    if refused is not None and refused["status"] == "True":
        return "rollout", [_refused(cluster, obj, refused)]
    if not cluster.components.healthy("kube-controller-manager") and _alive(cluster, obj) != wanted:
        return "rollout", [standstill()]
    if status.get("readyReplicas", 0) < wanted:
        return "rollout", _waiting(cluster, obj, obj["spec"].get("minReadySeconds", 0), obj) or [
            reason("making-pods", {"have": status.get("replicas", 0), "wanted": wanted}, [fact(obj, "spec.replicas", wanted)])
        ]
    above = cluster.api.lister("deployments.apps").get(obj["metadata"]["namespace"], owner["name"]) if owner is not None else None
    if not wanted and (owner is None or above is not None and not rollout.size(above)):
        return "here", [_asleep(above if above is not None else obj)]
    if not wanted and owner is not None:
        return "here", [
            reason(
                "old-revision",
                {"deployment": owner["name"]},
                [fact(obj, "spec.replicas", 0)],
                [aid("undo", f"kubectl rollout undo deployment {owner['name']}{scope(obj)}")],
            )
        ]
    if owner is not None:
        return "here", [
            reason(
                "of-deployment",
                {"deployment": owner["name"], "count": wanted},
                [fact(obj, "metadata.ownerReferences[0].name", owner["name"]), fact(obj, "spec.replicas", wanted)],
            )
        ]
    return "here", [reason("keeps", {"count": wanted}, [fact(obj, "spec.replicas", wanted)])]


def stateful_set(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    wanted, start = spec.get("replicas", 1), (spec.get("ordinals") or {}).get("start", 0)
    update = spec.get("updateStrategy") or {}
    held = {pod["metadata"]["name"]: pod for pod in cluster.api.lister("pods").by_owner(uid(obj))[:MOST_PODS] if controller_uid(pod) == uid(obj)}
    members = [(number, held.get(f"{meta['name']}-{number}")) for number in range(start, start + min(wanted, MOST_PODS))]
    ordered = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
    found: list[Reason] = []
    for number, pod in members:
        if pod is not None and condition_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]:
            continue
        after = [other for other, one in members if other > number and one is None]
        if pod is None:
            failed = next(
                (
                    event
                    for event in reversed(cluster.api.lister("events").by_involved(uid(obj)))
                    if event.get("reason") == "FailedCreate"
                ),
                None,
            )
            if failed is not None:
                facts, aids = _missing(cluster, obj, failed["message"])
                found.append(reason("refused-create", {"message": failed["message"]}, [*facts, fact(obj, "spec.replicas", wanted)], aids))
            break
        inner = pods.first(cluster, pod)
        if ordered and _outdated(pod, status) and inner is not None and "deletionTimestamp" not in pod["metadata"]:
            held_back = [fact(pod, "metadata.labels.controller-revision-hash", labels(pod).get("controller-revision-hash", ""))]
            held_back.append(fact(obj, "status.updateRevision", status.get("updateRevision", "")))
            delete = aid("delete-pod", f"kubectl delete pod {pod['metadata']['name']}{scope(obj)}")
            found.append(reason("stuck-revision", {"pod": pod["metadata"]["name"]}, held_back, [delete]) | {"inner": [inner]})
            break
        params = {"pod": pod["metadata"]["name"], "next": f"{meta['name']}-{after[0]}" if after else "-", "count": len(after)}
        facts = [
            fact(obj, "spec.podManagementPolicy", spec.get("podManagementPolicy", "OrderedReady")),
            fact(pod, "status.conditions[Ready].status", "False"),
        ]
        newer = status.get("currentRevision") != status.get("updateRevision")
        aids = [aid("undo", f"kubectl rollout undo statefulset {meta['name']}{scope(obj)}")] if newer else []
        found.append(
            (reason("ordinal", params, facts, aids) if after and ordered else reason("member-waits", params, facts, aids))
            | ({"inner": [inner]} if inner is not None else {})
        )
        break
    behind = [pod for _, pod in members if pod is not None and labels(pod).get("controller-revision-hash") != status.get("updateRevision")]
    if behind and status.get("updateRevision"):
        partition = (update.get("rollingUpdate") or {}).get("partition", 0)
        if update.get("type") == "OnDelete":
            found.append(
                reason(
                    "on-delete",
                    {"pods": names(pod["metadata"]["name"] for pod in behind)},
                    [fact(obj, "spec.updateStrategy.type", "OnDelete")],
                    [aid("delete-pod", f"kubectl delete pod {behind[-1]['metadata']['name']}{scope(obj)}")],
                )
            )
        elif partition and all(int(pod["metadata"]["name"].rpartition("-")[2]) < start + partition for pod in behind):
            found.append(
                reason(
                    "partition",
                    {"partition": partition, "pods": names(pod["metadata"]["name"] for pod in behind)},
                    [fact(obj, "spec.updateStrategy.rollingUpdate.partition", partition)],
                )
            )
        elif not found:
            found.append(
                reason(
                    "reverse-order",
                    {"pod": behind[-1]["metadata"]["name"], "count": len(behind)},
                    [fact(obj, "status.updateRevision", status["updateRevision"])],
                )
            )
    if found:
        return "rollout", found
    if status.get("readyReplicas", 0) < wanted:
        return "rollout", [reason("making-pods", {"have": status.get("replicas", 0), "wanted": wanted}, [fact(obj, "spec.replicas", wanted)])]
    return "here", [reason("keeps-named", {"count": wanted, "first": f"{meta['name']}-{start}"}, [fact(obj, "spec.replicas", wanted)])]


def _outdated(pod: Object, status: Object) -> bool:
    """Whether it was made of neither the template that runs nor the one that comes: of one that was taken back."""
    return labels(pod).get("controller-revision-hash") not in (status.get("updateRevision"), None)


def _welcoming(nodes: list[Object], placement: Placement) -> Object:
    """One whose taints its pods tolerate, if there is any."""
    tainted = [[one for one in (node.get("spec") or {}).get("taints") or () if not any(tolerates(each, one) for each in placement.tolerations)]
               for node in nodes]
    return next((node for node, taints in zip(nodes, tainted, strict=True) if not taints), nodes[0])


def daemon_set(cluster: Cluster, obj: Object) -> Told:
    """Which nodes it skips, and by what."""
    placement, spec = Placement(obj), obj["spec"]["template"].get("spec") or {}
    by_cause: dict[tuple[str, str], list[Object]] = {}
    on = []
    for node in cluster.api.lister("nodes").list():
        if placement.on(node).run:
            on.append(node)
            continue
        lacks = [f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items() if labels(node).get(key) != value]
        taint = next(
            (
                one
                for one in (node.get("spec") or {}).get("taints") or ()
                if one["effect"] != "PreferNoSchedule" and not any(tolerates(each, one) for each in placement.tolerations)
            ),
            None,
        )
        cause = ("label", lacks[0]) if lacks else ("taint", f"{taint['key']}:{taint['effect']}") if taint else ("affinity", "")
        by_cause.setdefault(cause, []).append(node)
    skipped = []
    for (kind, what), nodes in sorted(by_cause.items(), key=lambda entry: len(entry[1])):
        params = {"nodes": names(node["metadata"]["name"] for node in nodes), "count": len(nodes), "what": what}
        if kind == "label":
            key = what.partition("=")[0]
            skipped.append(
                reason(
                    "skips-label",
                    params,
                    [
                        fact(obj, f"spec.template.spec.nodeSelector{step(key)}", what),
                        *(fact(node, f"metadata.labels{step(key)}", labels(node).get(key, "-")) for node in nodes[:3]),
                    ],
                    [remedies.label_node(_welcoming(nodes, placement), key, what.partition("=")[2])],
                )
            )
        elif kind == "taint":
            skipped.append(reason("skips-taint", params, [fact(node, "spec.taints", what) for node in nodes[:4]], [aid("tolerate")]))
        else:
            skipped.append(reason("skips-affinity", params, [fact(obj, "spec.template.spec.affinity.nodeAffinity", "")]))
    waiting = _waiting(cluster, obj, obj["spec"].get("minReadySeconds", 0), obj)
    status: dict[str, Any] = obj.get("status") or {}
    behind = status.get("desiredNumberScheduled", 0) - status.get("updatedNumberScheduled", 0)
    if behind > 0 and (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        waiting.append(reason("on-delete", {"pods": str(behind)}, [fact(obj, "spec.updateStrategy.type", "OnDelete")]))
    covers = reason(
        "daemons",
        {"count": len(on), "nodes": names(node["metadata"]["name"] for node in on) or "-"},
        [fact(obj, "status.desiredNumberScheduled", len(on))],
    )
    return ("rollout", [*waiting, *skipped, covers]) if waiting else ("here", [*skipped, covers] if not on else [covers, *skipped])
