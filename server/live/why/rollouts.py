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
from server.live.why import pods
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
        return "rollout", [_refused(obj, refused)]
    done = updated == wanted and total == wanted and ready >= wanted and status.get("observedGeneration", 0) >= meta.get("generation", 0)
    if spec.get("paused") and not (done and revision):
        return "rollout", [
            reason("paused", {}, [fact(obj, "spec.paused", True)], [aid("resume", f"kubectl rollout resume deployment {name}{scope(obj)}")])
        ]
    if not cluster.components.healthy("kube-controller-manager") and not done:
        return "rollout", [reason("no-controllers", {}, [fact("Component//kube-controller-manager", "", "stopped")], [aid("heal-component")])]
    if done:
        found = [
            reason(
                "complete",
                {"count": wanted, "revision": revision or "1"},
                [fact(obj, "spec.replicas", wanted), fact(obj, "status.availableReplicas", ready)],
            )
        ]
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


def _refused(obj: Object, refused: Object) -> Reason:
    """The API server does not let its pods be made."""
    message = refused.get("message", "")
    return reason("refused-create", {"message": message}, [fact(obj, "status.conditions[ReplicaFailure].message", message)])


def _finalizers(obj: Object) -> Reason:
    found = obj["metadata"].get("finalizers") or []
    return reason("finalizers" if found else "deleting", {"finalizers": names(found)}, [fact(obj, "metadata.finalizers", names(found))])


def replica_set(cluster: Cluster, obj: Object) -> Told:
    owner, wanted = controller_of(obj), rollout.size(obj)
    status = obj.get("status") or {}
    refused = condition(obj, "ReplicaFailure")
    if refused is not None and refused["status"] == "True":
        return "rollout", [_refused(obj, refused)]
    if status.get("readyReplicas", 0) < wanted:
        return "rollout", _waiting(cluster, obj, obj["spec"].get("minReadySeconds", 0), obj) or [
            reason("making-pods", {"have": status.get("replicas", 0), "wanted": wanted}, [fact(obj, "spec.replicas", wanted)])
        ]
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
                found.append(reason("refused-create", {"message": failed["message"]}, [fact(obj, "spec.replicas", wanted)]))
            break
        inner = pods.first(cluster, pod)
        params = {"pod": pod["metadata"]["name"], "next": f"{meta['name']}-{after[0]}" if after else "-", "count": len(after)}
        facts = [
            fact(obj, "spec.podManagementPolicy", spec.get("podManagementPolicy", "OrderedReady")),
            fact(pod, "status.conditions[Ready].status", "False"),
        ]
        found.append(
            (reason("ordinal", params, facts) if after and ordered else reason("member-waits", params, facts))
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
                    [aid("label-node", f"kubectl label node {nodes[0]['metadata']['name']} {what}")],
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
