"""Why requests fail: the hop where they died, in a code, with the field that decides there.

In: a traffic source's record, whose worst failure names its hop, its place and the decision; NetworkPolicies where those dropped it.
Out: reasons. Nothing is sent for this: the answer is of the requests that have been.
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.objects import Object, labels
from server.live.records import thing_id
from server.live.why import remedies
from server.live.why.telling import Reason, aid, fact, names, pairs, reason

POLICIES = "networkpolicies.networking.k8s.io"
DENIED = re.compile(
    r"(?P<pod>\S+) is isolated for (?P<direction>ingress|egress) by (?P<policies>.+), and no rule allows "
    r"(?P<protocol>\S+) port (?P<port>\d+) (?:from|to) (?P<peer>.+)$"
)
PORT = re.compile(r"nothing listens on port (\d+)")
STATUS = re.compile(r"HTTP (\d+)")


def source(cluster: Cluster, thing: str) -> tuple[str, list[Reason]] | None:
    """A traffic source: why its requests fail, if they do."""
    record = next((one for one in cluster.network.traffic.sources() if thing_id("Traffic", "", one["name"]) == thing), None)
    if record is None:
        return None
    if "error" not in record:
        return "here", [
            reason(
                "answered",
                {"rate": record["rate"], "latency": record.get("latency", 0), "target": record["target"]},
                [fact(record["target"], "", record["target"])],
            )
        ]
    return "noAnswer", [failure(cluster, record["error"], record)]


def at(cluster: Cluster, thing: str) -> list[Reason]:
    """What fails of the requests that go to a Service, or come from a pod."""
    return [
        failure(cluster, one["error"], one)
        for one in cluster.network.traffic.sources()
        if "error" in one and thing in (one["target"], one.get("service"), one.get("source"))
    ][:3]


def failure(cluster: Cluster, error: dict[str, Any], record: dict[str, Any]) -> Reason:
    """``error``: {hop, text, what, why} as a walk tells it."""
    hop, what, why, text = error["hop"], error.get("what", ""), error.get("why", ""), error.get("text", "")
    target = record.get("service") or record["target"]
    params = {
        "what": what,
        "said": text,
        "rate": error.get("rate", record.get("failed", 0)),
        "target": target.split("/")[-1],
        "port": record.get("port", ""),
    }
    facts = [fact(target, "", text)]
    denied = DENIED.search(why)
    if denied is not None:
        return _denied(cluster, denied, params, record)
    if hop == "dns":
        return reason("dns-failed", params, facts, [aid("look-up", f"kubectl run look --rm -it --image=busybox -- nslookup {what}")])
    if "no ready endpoint" in why or "no active endpoint" in why:
        return reason("no-endpoints", params, [fact(target, "spec.selector", _selector(cluster, target)), *facts], [aid("see-service")])
    if "traffic policy is Local" in why:
        return reason("no-local-endpoint", params, [fact(target, "spec.externalTrafficPolicy", "Local"), *facts])
    if (port := PORT.search(why)) is not None:
        return reason(
            "refused",
            {**params, "port": port[1]},
            [fact(target, "spec.ports[0].targetPort", port[1]), fact(_pod(what), "spec.containers[0].ports", "") if "/" in what else None, *facts],
        )
    if "nothing is served" in why or hop == "service" and not why:
        return reason("unserved-port", params, [fact(target, "spec.ports", params["port"]), *facts])
    if "loadBalancerSourceRanges" in why:
        return reason("source-ranges", params, [fact(target, "spec.loadBalancerSourceRanges", ""), *facts])
    if "does not answer" in why or "cut off" in why:
        return reason("node-silent", params, [fact(thing_id("Node", "", what), "status.conditions[Ready].status", ""), *facts])
    if "nobody outside knows the way" in why:
        return reason("inside-only", params, [fact(target, "spec.type", "ClusterIP"), *facts], [aid("expose")])
    if "is gone" in why or "is no more" in why or "no pod has" in why:
        return reason("pod-gone", params, facts)
    if "full line" in why:
        return reason("overloaded", params, facts, [aid("scale-up")])
    if (status := STATUS.search(text)) is not None:
        return reason(
            "http-error",
            {**params, "status": status[1]},
            facts,
            [aid("logs-of", f"kubectl logs {what.split('/')[-1]} -n {what.split('/')[0]}") if "/" in what else None],
        )
    if "TLS" in why:
        return reason("not-tls", params, facts)
    return reason("timed-out" if "timed out" in text else "request-failed", {**params, "why": why}, facts)


def _denied(cluster: Cluster, denied: re.Match[str], params: dict[str, Any], record: dict[str, Any]) -> Reason:
    """Packets that NetworkPolicies drop: which, and which rule would let them through."""
    direction = denied["direction"]
    policies = [policy.split("/", 1) for policy in denied["policies"].split(", ") if "/" in policy]
    facts = []
    for namespace, name in policies[:4]:
        policy = cluster.api.lister(POLICIES).get(namespace, name)
        if policy is not None:
            facts += [
                fact(policy, "spec.podSelector", pairs((policy["spec"].get("podSelector") or {}).get("matchLabels") or {}) or "{}"),
                fact(policy, f"spec.{direction}", len(policy["spec"].get(direction) or ())),
            ]
    peer, where = denied["peer"].split(" ")[0], denied["pod"].split("/")[-1]
    found = cluster.api.lister("pods").get(*peer.split("/")) if peer.count("/") == 1 else None
    who = pairs(_own(labels(found))) if found is not None else peer
    told = {
        **params,
        "policies": names("/".join(policy) for policy in policies),
        "pod": where,
        "peer": peer.split("/")[-1],
        "labels": who or "-",
        "port": denied["port"],
        "protocol": denied["protocol"],
    }
    first = cluster.api.lister(POLICIES).get(*policies[0]) if policies else None
    edit = remedies.allow(cluster, first, direction, found, denied["protocol"], denied["port"], who or peer) if first is not None else None
    return reason("policy-ingress" if direction == "ingress" else "policy-egress", told, facts, [edit])


def _own(found: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if key != "pod-template-hash"}


def _selector(cluster: Cluster, target: str) -> str:
    kind, namespace, name = target.split("/", 2)
    obj: Object | None = cluster.api.lister("services").get(namespace, name) if kind == "Service" else None
    return pairs((obj or {"spec": {}})["spec"].get("selector") or {}) or "-"


def _pod(what: str) -> str:
    namespace, _, name = what.partition("/")
    return thing_id("Pod", namespace, name)
