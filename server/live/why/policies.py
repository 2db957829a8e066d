"""What a NetworkPolicy does: which pods it closes, what it lets through, and which requests it drops now.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from server.cluster.cluster import Cluster
from server.cluster.objects import Object, labels
from server.cluster.printing import selector as as_text
from server.cluster.selectors import from_object
from server.live.networking import network_policy
from server.live.records import thing_id
from server.live.why import requests
from server.live.why.telling import MOST_LOOKED_AT, Reason, fact, names, reason


def explain(cluster: Cluster, obj: Object) -> tuple[str, list[Reason]]:
    meta, spec = obj["metadata"], obj["spec"]
    selector = from_object(spec.get("podSelector") or {})
    held = [pod["metadata"]["name"] for pod in cluster.api.lister("pods").list(meta["namespace"])[:MOST_LOOKED_AT] if selector.matches(labels(pod))]
    record = network_policy(cluster, obj)
    shown = as_text(spec.get("podSelector"))
    found: list[Reason] = []
    blocked = [
        one for one in cluster.network.traffic.sources() if f"{meta['namespace']}/{meta['name']}" in str((one.get("error") or {}).get("why", ""))
    ]
    for one in blocked[:3]:
        found.append(requests.failure(cluster, one["error"], one))
    if not held:
        found.append(reason("policy-nobody", {"selector": shown}, [fact(obj, "spec.podSelector", shown)]))
    else:
        found.append(
            reason(
                "policy-isolates",
                {"pods": names(held), "count": len(held), "selector": shown, "directions": names(spec.get("policyTypes") or ())},
                [
                    fact(obj, "spec.podSelector", shown),
                    *(fact(thing_id("Pod", meta["namespace"], name), "metadata.labels", shown) for name in held[:4]),
                ],
            )
        )
    for direction in ("ingress", "egress"):
        rules = record.get(direction)
        if rules is None:
            continue
        path = f"spec.{direction}"
        if not rules:
            found.append(reason("policy-closed-in" if direction == "ingress" else "policy-closed-out", {}, [fact(obj, path, "[]")]))
        for index, rule in enumerate(rules[:4]):
            peers = names(_peer(peer) for peer in rule.get("peers") or ()) or "*"
            ports = names(rule.get("ports") or ()) or "*"
            found.append(
                reason(
                    "policy-lets-in" if direction == "ingress" else "policy-lets-out",
                    {"peers": peers, "ports": ports},
                    [fact(obj, f"{path}[{index}]", f"{peers} {ports}")],
                )
            )
    return ("blocks" if blocked else "here"), found


def _peer(peer: dict) -> str:
    if "cidr" in peer:
        return str(peer["cidr"])
    parts = [f"{kind} {as_text(peer[field])}" for field, kind in (("pods", "pod"), ("namespaces", "namespace")) if field in peer]
    return " + ".join(parts)
