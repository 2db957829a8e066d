"""Why a node takes no pods or is not ready, why a component of the control plane does not run, what a fault does, why a namespace stays.

Source: https://kubernetes.io/docs/reference/node/node-status/
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.cluster import Cluster
from server.cluster.components import COMPONENTS
from server.cluster.objects import Object, condition
from server.live.records import thing_id
from server.live.why import remedies
from server.live.why.telling import Reason, aid, fact, names, reason

Told = tuple[str, list[Reason]]
MOST_LEFT = 20


def node(cluster: Cluster, obj: Object) -> Told:
    meta, spec = obj["metadata"], obj.get("spec") or {}
    name, clock = meta["name"], cluster.clock
    found: list[Reason] = []
    ready = condition(obj, "Ready")
    standing = cluster.kubelets.standing(name)
    question, faults = "here", cluster.chaos.active()
    if ready is None or ready["status"] != "True":
        question = "node"
        last = (ready or {}).get("lastHeartbeatTime") or (ready or {}).get("lastTransitionTime")
        stopped = cluster.parts.heartbeats.stopped_at(name)
        silent = round(clock.now - (stopped if stopped is not None else clock.seconds(last) if last else clock.now))
        facts = [
            fact(obj, "status.conditions[Ready].status", (ready or {}).get("status", "Unknown")),
            fact(obj, "status.conditions[Ready].reason", (ready or {}).get("reason", "")),
        ]
        params = {"seconds": silent, "reason": (ready or {}).get("reason", ""), "message": (ready or {}).get("message", "")}
        if standing.get("gone"):
            found.append(reason("no-machine", params, facts))
        elif standing.get("off"):
            found.append(reason("node-off", params, facts, [aid("heal")]))
        elif standing.get("cut"):
            found.append(reason("node-cut", params, facts, [aid("heal")]))
        elif standing.get("silent"):
            found.append(reason("kubelet-silent", params, facts, [aid("heal")]))
        else:
            found.append(reason("node-not-ready", params, facts))
    elif standing.get("off") or standing.get("cut") or standing.get("silent"):
        question = "node"
        found.append(
            reason(
                "node-soon-lost",
                {"grace": 50},
                [fact(obj, "status.conditions[Ready].lastHeartbeatTime", ready.get("lastHeartbeatTime", ""))],
                [aid("heal")],
            )
        )
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry["type"].endswith("Pressure") and entry["status"] == "True":
            question = "node"
            found.append(
                reason(
                    "pressure",
                    {"kind": entry["type"], "message": entry.get("message", "").rstrip(".")},
                    [fact(obj, f"status.conditions[{entry['type']}].status", "True")],
                    [aid("heal")] if any(one["target"].split("/")[-1] == name and one["fault"] in ("memory", "disk") for one in faults) else [],
                )
            )
    if spec.get("unschedulable"):
        question = "node" if question == "here" else question
        held = [pod for pod in cluster.api.lister("pods").by_node(name) if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
        found.append(
            reason("node-cordoned", {"count": len(held)}, [fact(obj, "spec.unschedulable", True)], [aid("uncordon", f"kubectl uncordon {name}")])
        )
    taints = [
        f"{taint['key']}{'=' + taint['value'] if taint.get('value') else ''}:{taint['effect']}"
        for taint in spec.get("taints") or ()
        if not taint["key"].startswith("node.kubernetes.io/")
    ]
    if taints:
        own = [taint for taint in taints if not taint.startswith("node-role.kubernetes.io/")]
        away = [aid("untaint", f"kubectl taint node {name} {own[0]}-")] if own else []
        found.append(reason("node-tainted", {"taints": names(taints)}, [fact(obj, "spec.taints", names(taints))], away))
    return question, found or [
        reason("node-ready", {}, [fact(obj, "status.conditions[Ready].status", "True"), fact(obj, "status.conditions[Ready].reason", "KubeletReady")])
    ]


def component(cluster: Cluster, name: str) -> Told | None:
    if name not in COMPONENTS:
        return None
    if cluster.components.healthy(name):
        return "here", [reason("component-runs", {"name": name})]
    fault = next((record for record in cluster.chaos.active() if record["fault"] == "component" and record["target"].split("/")[-1] == name), None)
    told = [fact(thing_id("Fault", "", str(fault["number"])), "", fault["fault"])] if fault is not None else []
    match name:
        case "kube-scheduler":
            one = reason("scheduler-down", {}, told, [aid("heal-component")])
        case "kube-controller-manager":
            one = reason("controllers-down", {}, told, [aid("heal-component")])
        case "etcd":
            one = reason("etcd-down", {}, told, [aid("heal-component")])
        case _:
            one = reason("apiserver-down", {}, told, [aid("heal-component")])
    return "component", [one]


def fault(cluster: Cluster, number: str) -> Told | None:
    record = next((record for record in cluster.chaos.active() if str(record["number"]) == number), None)
    if record is None:
        return None
    since = round(cluster.clock.now - record["at"])
    told = [fact(record["target"], "", record["fault"])] if record["target"].count("/") >= 2 else []
    return "fault", [
        reason(
            "fault",
            {"fault": record["fault"], "target": record["target"].split("/")[-1], "by": record["by"] or "-", "seconds": since},
            told,
            [aid("heal")],
        )
    ]


def namespace(cluster: Cluster, obj: Object) -> Told:
    if (obj.get("status") or {}).get("phase") != "Terminating":
        return "here", [reason("namespace-active", {}, [fact(obj, "status.phase", "Active")])]
    told = {entry["type"]: entry.get("message", "") for entry in (obj.get("status") or {}).get("conditions") or () if entry["status"] == "True"}
    left = told.get("NamespaceFinalizersRemaining") or next((text for kind, text in told.items() if kind.startswith("Namespace")), "")
    inside = list(_inside(cluster, obj["metadata"]["name"]))
    held = [one for one in inside if one["metadata"].get("finalizers") and "deletionTimestamp" in one["metadata"]]
    return "terminating", [
        reason(
            "namespace-left",
            {"message": left, "things": names(f"{one['kind']} {one['metadata']['name']}" for one in held or inside) or "-"},
            [*(fact(one, "metadata.finalizers", names(one["metadata"]["finalizers"])) for one in held[:4]), fact(obj, "status.phase", "Terminating")],
            [remedies.unhold(one) for one in held[:3]],
        )
    ]


def _inside(cluster: Cluster, namespace: str) -> Iterator[Object]:
    """What is left in a namespace, of each kind a few; Events do not hold it."""
    for resource in cluster.store.resources():
        if resource not in ("events", "leases.coordination.k8s.io"):
            for obj in cluster.api.lister(resource).list(namespace)[:MOST_LEFT]:
                if obj["metadata"].get("namespace") == namespace:
                    yield obj
