"""Why a pod has no node yet: who refuses it, what is short, what nearly fits, who would have to go.

In: a pod and the scheduler's last attempt. Out: reasons, the decisive one first. What is short is told three times over: requested,
really used, and allocatable, for a node that looks idle may be full.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from server.cluster import quantity, volumes
from server.cluster.cluster import Cluster
from server.cluster.controllers.taint_eviction import tolerates
from server.cluster.objects import Object, condition, labels
from server.cluster.printing import selector as as_text
from server.cluster.selectors import node_term_holds
from server.live import records
from server.live.records import thing_id
from server.live.why import remedies
from server.live.why.telling import Reason, aid, fact, names, reason, scope, step

AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"
MOST_ROWS, MOST_IN_ROW, MOST_BARS, MOST_MEASURED = 12, 100, 4, 200
UNITS, HOSTNAME = ("cpu", "memory"), "kubernetes.io/hostname"


def explain(cluster: Cluster, pod: Object) -> list[Reason]:
    found: list[Reason] = []
    spec, meta = pod["spec"], pod["metadata"]
    if gates := spec.get("schedulingGates"):
        return [
            reason(
                "gated",
                {"gates": names(gate["name"] for gate in gates)},
                [fact(pod, "spec.schedulingGates", names(gate["name"] for gate in gates))],
                [aid("ungate", remedies.patch(f"pod/{meta['name']}", pod, ("remove", "/spec/schedulingGates", None)))],
            )
        ]
    if not cluster.components.healthy("kube-scheduler"):
        found.append(reason("no-scheduler", {}, [fact("Component//kube-scheduler", "", "stopped")], [aid("heal-component")]))
    if (name := spec.get("schedulerName", "default-scheduler")) != "default-scheduler":
        usual = remedies.template(cluster, pod, "usual-scheduler", ("remove", "schedulerName", None))
        found.append(reason("other-scheduler", {"name": name}, [fact(pod, "spec.schedulerName", name)], [usual]))
    last = cluster.scheduler.attempt(meta["uid"]) or cluster.scheduler.again(pod)
    if last is None or last.node is not None:
        scheduled = condition(pod, "PodScheduled")
        if scheduled is not None and scheduled["status"] == "False" and not found:
            found.append(
                reason(
                    "unschedulable-told",
                    {"message": scheduled.get("message", "")},
                    [fact(pod, "status.conditions[PodScheduled].message", scheduled.get("message", ""))],
                )
            )
        return found or [reason("untried", {})]
    rows = _rows(cluster, pod, last)
    head = reason(
        "unschedulable",
        {"rows": rows, "message": last.message, "count": last.nodes},
        [fact(pod, "status.conditions[PodScheduled].message", last.message)],
    )
    plugins = Counter(plugin for plugin, _ in last.rejections.values())
    told = [each for plugin, count in plugins.most_common() if (each := _plugin(cluster, pod, plugin, count, last)) is not None]
    told.sort(key=lambda each: _rank(cluster, pod, each))
    if last.nominated:
        victims = names(f"{name} ({priority})" for _, name, priority in last.victims)
        found.append(
            reason(
                "preempts",
                {"node": last.nominated, "victims": victims, "count": len(last.victims)},
                [
                    fact(pod, "status.nominatedNodeName", last.nominated),
                    fact(pod, "spec.priority", spec.get("priority", 0)),
                    *(fact(thing_id("Pod", namespace, name), "spec.priority", priority) for namespace, name, priority in last.victims[:4]),
                ],
            )
        )
    return [*found, head, *told]


def _rank(cluster: Cluster, pod: Object, each: Reason) -> int:
    """Nodes that could never be meant come after those that could: all but the one that is named, another's, then the control plane."""
    if _pinned(cluster, pod):
        return int(each["code"] == "selector-near")
    if each["code"] == "taints" and all(name in _control_plane(cluster) for name in each["params"]["nodes"].split(", ")):
        return 2
    return int(each["code"] in ("volume-elsewhere", "for-node"))


def _pinned(cluster: Cluster, pod: Object) -> bool:
    """Whether its nodeSelector names a machine that there is."""
    wanted = (pod["spec"].get("nodeSelector") or {}).get(HOSTNAME)
    return wanted is not None and cluster.api.lister("nodes").get("", wanted) is not None


def _rows(cluster: Cluster, pod: Object, last: Any) -> list[dict[str, Any]]:
    """Nodes with the same verdict in one row, what is particular first: {plugin, reasons, detail, nodes, count, bars?}."""
    grouped: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for name, (plugin, reasons) in last.rejections.items():
        node = cluster.api.lister("nodes").get("", name) if plugin == "TaintToleration" else None
        detail = ", ".join(text for text, _ in _untolerated(pod, node)) if node is not None else ""
        grouped.setdefault((plugin, tuple(reasons), detail), []).append(name)
    rows = sorted(grouped.items(), key=lambda entry: len(entry[1]))
    return [
        {
            "plugin": plugin,
            "reasons": list(reasons),
            "detail": detail,
            "nodes": _ends(found),
            "count": len(found),
            **({"bars": _bars(cluster, pod, reasons, found)} if plugin == "NodeResourcesFit" else {}),
        }
        for (plugin, reasons, detail), found in rows[:MOST_ROWS]
    ]


def _ends(nodes: list[str]) -> list[str]:
    """In the order people count in; of very many the first and the very last.

    >>> _ends(["w10", "w9", "w1"])
    ['w1', 'w9', 'w10']
    """
    ordered = sorted(nodes, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
    return ordered if len(ordered) <= MOST_IN_ROW else [*ordered[: MOST_IN_ROW - 1], ordered[-1]]


def _untolerated(pod: Object, node: Object) -> list[tuple[str, Object]]:
    """(text, taint) of each taint that keeps the pod away."""
    tolerations = pod["spec"].get("tolerations") or ()
    return [
        (f"{taint['key']}{'=' + taint['value'] if taint.get('value') else ''}:{taint['effect']}", taint)
        for taint in node["spec"].get("taints") or ()
        if taint["effect"] != "PreferNoSchedule" and not any(tolerates(each, taint) for each in tolerations)
    ]


def _bars(cluster: Cluster, pod: Object, reasons: tuple[str, ...], nodes: list[str]) -> list[dict[str, Any]]:
    """What is requested, used and there, of the nodes with the most room: {node, resource, wanted, requested, used, allocatable}."""
    what = next((each.removeprefix("Insufficient ") for each in reasons if each.removeprefix("Insufficient ") in UNITS), "")
    if not what:
        return []
    found = []
    wanted = records.requests(pod["spec"])[what == "memory"]
    for name in nodes[:MOST_MEASURED]:
        node = cluster.api.lister("nodes").get("", name)
        if node is not None:
            record = records.node(cluster, node)
            found.append({"node": name, "resource": what, "wanted": wanted, "requested": record["requested"][what], "allocatable": record[what]})
    found.sort(key=lambda bar: bar["requested"] - bar["allocatable"])
    return [{**bar, "used": used(cluster, bar["node"], what)} for bar in found[:MOST_BARS]]


def used(cluster: Cluster, node: str, what: str) -> int:
    """Millicores or bytes that a node really uses, over the last 15 seconds."""
    now = cluster.clock.now
    cpu, memory = cluster.kubelets.runtime.usage.node(node, now - 15, now)
    return memory if what == "memory" else cpu // 10**6


def _control_plane(cluster: Cluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.api.lister("nodes").list() if "node-role.kubernetes.io/control-plane" in labels(node)][:5]


def _plugin(cluster: Cluster, pod: Object, plugin: str, count: int, last: Any) -> Reason | None:
    nodes = [name for name, (other, _) in last.rejections.items() if other == plugin]
    objects = [node for name in nodes if (node := cluster.api.lister("nodes").get("", name)) is not None]
    if not objects:
        return None
    return {
        "NodeResourcesFit": _short,
        "TaintToleration": _tainted,
        "NodeAffinity": _elsewhere,
        "NodeUnschedulable": _cordoned,
        "VolumeBinding": _unbound,
        "PodTopologySpread": _spread,
        "InterPodAffinity": _apart,
        "NodePorts": _ports,
    }.get(plugin, _other)(cluster, pod, objects, last) | {"plugin": plugin}


def _short(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    """Requests against allocatable, and beside it what is used: of the node that has the most left."""
    reasons = Counter(each for name in (node["metadata"]["name"] for node in nodes) for each in last.rejections[name][1])
    what = next((each.removeprefix("Insufficient ") for each, _ in reasons.most_common() if each.startswith("Insufficient ")), "")
    if what not in UNITS:
        if not what:
            full = nodes[0]
            return reason(
                "too-many-pods",
                {"node": full["metadata"]["name"], "most": full["status"]["allocatable"].get("pods", "?")},
                [fact(full, "status.allocatable.pods", full["status"]["allocatable"].get("pods", "?"))],
            )
        return reason(
            "short-extended",
            {"resource": what, "count": len(nodes)},
            [fact(node, f"status.allocatable{step(what)}", (node["status"].get("allocatable") or {}).get(what, 0)) for node in nodes[:4]],
            [aid("no-device")],
        )
    wanted = records.requests(pod["spec"])[what == "memory"]
    seen = [(records.node(cluster, node), node) for node in nodes[:200]]
    record, best = max(seen, key=lambda entry: entry[0][what] - entry[0]["requested"][what])
    requested, all_ = record["requested"][what], record[what]
    taken = used(cluster, best["metadata"]["name"], what)
    show = lambda amount: _cpu(amount) if what == "cpu" else f"{amount // 2**20}Mi"  # noqa: E731
    name = best["metadata"]["name"]
    path = f"spec.containers[{_asking(pod, what)}].resources.requests.{what}"
    params = {
        "resource": what,
        "wanted": show(wanted),
        "free": show(max(0, all_ - requested)),
        "requested": show(requested),
        "used": show(taken),
        "allocatable": show(all_),
        "node": name,
        "count": len(nodes),
    }
    facts = [
        fact(pod, path, show(wanted)),
        fact(best, f"status.allocatable.{what}", show(all_)),
        fact(best, "", show(requested), "requested"),
        fact(best, "", show(taken), "used"),
    ]
    aids = [_less(cluster, pod, what, min(wanted, all_ - requested), path), aid("requests-of-node", f"kubectl describe node {name}"), aid("add-node")]
    return reason("too-big", params, facts, aids) if wanted > all_ else reason("short", params, facts, aids)


def _less(cluster: Cluster, pod: Object, what: str, most: int, path: str) -> Any:
    """A request that fits, if any does: that of its largest container, when the others keep theirs."""
    index = int(path.partition("[")[2].partition("]")[0])
    others = records.requests({"containers": [one for at, one in enumerate(pod["spec"]["containers"]) if at != index]})[what == "memory"]
    fits = most - others
    if fits <= 0:
        return aid("lower-requests")
    shown = _cpu(fits) if what == "cpu" else f"{fits // 2**20}Mi"
    target, _ = remedies.changeable(cluster, pod)
    if not target:
        return remedies.remake(pod)
    one = pod["spec"]["containers"][index]["name"]
    return aid("lower-requests", f"kubectl set resources {target} -c {one} --requests={what}={shown}{scope(pod)}")


def _cpu(milli: int) -> str:
    """Cores as people write them.

    >>> _cpu(3000), _cpu(250)
    ('3', '250m')
    """
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def _asking(pod: Object, what: str) -> int:
    """The container that requests the most."""
    asked = [quantity.milli(((one.get("resources") or {}).get("requests") or {}).get(what, 0)) for one in pod["spec"]["containers"]]
    return asked.index(max(asked))


def _tainted(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    tolerations = pod["spec"].get("tolerations") or ()
    repelling: dict[str, list[Object]] = {}
    for node in nodes:
        for text, _ in _untolerated(pod, node):
            repelling.setdefault(text, []).append(node)
    shown = names(repelling, 3)
    near = next(
        (
            f"{each.get('key', '')}{'=' + each['value'] if each.get('value') else ''}:{each.get('effect', '')}"
            for each in tolerations
            if not str(each.get("key", "")).startswith("node.kubernetes.io/")
        ),
        "",
    )
    return reason(
        "taints-near" if near else "taints",
        {"taints": shown, "nodes": names(node["metadata"]["name"] for node in nodes), "count": len(nodes), "has": near},
        [*(fact(found[0], "spec.taints", text) for text, found in list(repelling.items())[:4]), fact(pod, "spec.tolerations", near or "-")],
        [
            *(remedies.tolerate(cluster, pod, taint) for node in nodes[:1] for _, taint in _untolerated(pod, node)[:1]),
            *(
                [
                    aid("untaint", f"kubectl taint node {found[0]['metadata']['name']} {text}-")
                    for text, found in list(repelling.items())[:1]
                    if not text.startswith("node-role.kubernetes.io/")
                ]
            ),
        ],
    )


def _elsewhere(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    """nodeSelector and affinity: the node that misses least, and what it has instead."""
    selector = pod["spec"].get("nodeSelector") or {}
    if selector:
        missing = lambda node: [key for key, value in selector.items() if labels(node).get(key) != value]  # noqa: E731
        nearest = min(nodes, key=lambda node: (len(missing(node)), not any(key in labels(node) for key in missing(node)), node["metadata"]["name"]))
        lacks = missing(nearest)
        if lacks:
            key = lacks[0]
            have, name = labels(nearest).get(key), nearest["metadata"]["name"]
            elsewhere = names(sorted({labels(node)[key] for node in cluster.api.lister("nodes").list()[:1000] if key in labels(node)}))
            return reason(
                "selector-near" if have is not None else "selector-none",
                {"key": key, "want": selector[key], "have": have or "", "node": name, "known": elsewhere or "-", "count": len(nodes)},
                [fact(pod, f"spec.nodeSelector{step(key)}", selector[key]), fact(nearest, f"metadata.labels{step(key)}", have or "-")],
                [remedies.label_node(nearest, key, selector[key])] if key != HOSTNAME else [],
            )
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(AFFINITY) or {}
    terms = required.get("nodeSelectorTerms") or ()
    path = f"spec.affinity.nodeAffinity.{AFFINITY}.nodeSelectorTerms"
    named = [value for term in terms for entry in term.get("matchFields") or () for value in entry.get("values") or ()]
    if named:
        return reason("for-node", {"node": names(named), "count": len(nodes)}, [fact(pod, path, names(named))])
    near, why, wanted = "", "", ""
    for term in terms:
        for entry in term.get("matchExpressions") or ():
            alone = {"matchExpressions": [entry]}
            if not any(node_term_holds(alone, labels(node), node["metadata"]["name"]) for node in nodes):
                near, why = entry["key"], f"{entry['key']} {entry['operator']} ({', '.join(entry.get('values') or ())})"
                wanted = entry["values"][0] if entry["operator"] == "In" else ""
                break
    ordinary = next((node for node in nodes if not _untolerated(pod, node)), nodes[0])
    has = names(sorted({labels(node)[near] for node in nodes if near in labels(node)})) if near else ""
    return reason(
        "affinity",
        {"rule": why or "nodeSelectorTerms", "have": has or "-", "count": len(nodes)},
        [fact(pod, path, why), *(fact(node, f"metadata.labels{step(near)}", labels(node).get(near, "-")) for node in nodes[:3] if near)],
        [remedies.label_node(ordinary, near, wanted)] if wanted and not near.startswith("kubernetes.io/") else [],
    )


def _cordoned(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    listed = [node["metadata"]["name"] for node in nodes]
    return reason(
        "cordoned",
        {"nodes": names(listed), "count": len(nodes)},
        [fact(node, "spec.unschedulable", True) for node in nodes[:4]],
        [aid("uncordon", f"kubectl uncordon {listed[0]}")],
    )


def _unbound(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    from server.live.why import storage

    claims = cluster.api.lister("persistentvolumeclaims")
    namespace = pod["metadata"]["namespace"]
    where = {volume["name"]: index for index, volume in enumerate(pod["spec"].get("volumes") or ())}
    for volume, name in volumes.claims_of(pod):
        claim = claims.get(namespace, name)
        sort = "persistentVolumeClaim.claimName" if "persistentVolumeClaim" in pod["spec"]["volumes"][where[volume]] else "ephemeral"
        path = f"spec.volumes[{where[volume]}].{sort}"
        if claim is None:
            return reason("claim-missing", {"claim": name}, [fact(pod, path, name)], [aid("claims", f"kubectl get pvc{scope(pod)}")])
        if not volumes.fully_bound(claim):
            inner = storage.claim(cluster, claim)
            return reason(
                "claim-unbound",
                {"claim": name, "inner": inner[0]["code"] if inner else ""},
                [fact(pod, path, name), fact(claim, "status.phase", (claim.get("status") or {}).get("phase", "Pending"))],
            ) | {"inner": inner[:1]}
    held = names(last.rejections[nodes[0]["metadata"]["name"]][1])
    bound = [
        volume
        for _, name in volumes.claims_of(pod)
        if (claim := claims.get(namespace, name)) is not None
        and (volume := cluster.api.lister(volumes.VOLUMES).get("", claim["spec"].get("volumeName", ""))) is not None
    ]
    return reason(
        "volume-elsewhere",
        {"nodes": names(node["metadata"]["name"] for node in nodes), "message": held, "count": len(nodes)},
        [fact(volume, "spec.nodeAffinity.required.nodeSelectorTerms", _terms(volume)) for volume in bound if volume["spec"].get("nodeAffinity")],
    )


def _terms(volume: Object) -> str:
    """Where a volume can be reached."""
    terms = (volume["spec"]["nodeAffinity"].get("required") or {}).get("nodeSelectorTerms") or ()
    each = (entry for term in terms for entry in term.get("matchExpressions") or ())
    return names(f"{entry['key']} {entry['operator']} ({', '.join(entry.get('values') or ())})" for entry in each)


def _spread(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    one = next((each for each in pod["spec"].get("topologySpreadConstraints") or () if each.get("whenUnsatisfiable") != "ScheduleAnyway"), {})
    return reason(
        "spread",
        {"key": one.get("topologyKey", ""), "skew": one.get("maxSkew", 1), "count": len(nodes)},
        [fact(pod, "spec.topologySpreadConstraints[0].maxSkew", one.get("maxSkew", 1))],
    )


def _apart(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    affinity = pod["spec"].get("affinity") or {}
    for field in ("podAntiAffinity", "podAffinity"):
        if terms := (affinity.get(field) or {}).get(AFFINITY):
            selector = as_text(terms[0].get("labelSelector"))
            params = {"selector": selector, "key": terms[0].get("topologyKey", ""), "count": len(nodes)}
            facts = [fact(pod, f"spec.affinity.{field}.{AFFINITY}[0]", selector)]
            return reason("pod-affinity", params, facts) if field == "podAffinity" else reason("anti-affinity", params, facts, [aid("add-node")])
    return reason("anti-affinity-of-others", {"count": len(nodes)})


def _ports(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    ports = [
        (index, port["hostPort"]) for index, one in enumerate(pod["spec"]["containers"]) for port in one.get("ports") or () if port.get("hostPort")
    ]
    return reason(
        "host-port",
        {"port": names(str(port) for _, port in ports), "count": len(nodes)},
        [fact(pod, f"spec.containers[{index}].ports[0].hostPort", port) for index, port in ports[:2]],
        [aid("add-node")],
    )


def _other(cluster: Cluster, pod: Object, nodes: list[Object], last: Any) -> Reason:
    plugin, reasons = last.rejections[nodes[0]["metadata"]["name"]]
    return reason("plugin", {"plugin": plugin, "message": names(reasons), "count": len(nodes)})
