"""The records of Ingresses and NetworkPolicies: where requests are let in and led to, and which pods are closed to whom.

As in ``records``: an object in, what the canvas draws of it out. Which pods a policy means, the page finds by their labels.
"""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.cluster import Cluster
from server.cluster.objects import Object
from server.live.records import Record, compact, thing_id

MAX_LISTED = 50


def _named(obj: Object) -> Record:
    meta = obj["metadata"]
    return {"kind": obj["kind"], "ns": meta["namespace"], "name": meta["name"]}


def ingress(cluster: Cluster, obj: Object) -> Record:
    spec, namespace = obj.get("spec") or {}, obj["metadata"]["namespace"]
    routes = [{"host": rule.get("host") or "*", "path": path.get("path") or "/", "type": path["pathType"], **_backend(namespace, path["backend"])}
              for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths") or ()]
    default = spec.get("defaultBackend")
    return compact({
        **_named(obj), "class": spec.get("ingressClassName"), "addresses": printing.balanced_addresses(obj) or None,
        "routes": routes[:MAX_LISTED] or None, "default": _backend(namespace, default) if default is not None else None,
        "tls": [host for entry in spec.get("tls") or () for host in entry.get("hosts") or ()][:MAX_LISTED] or None})


def _backend(namespace: str, backend: Object) -> Record:
    service = backend.get("service")
    if service is None:
        return {}
    port = service.get("port") or {}
    return {"service": thing_id("Service", namespace, service["name"]), "port": port.get("name") or port.get("number")}


def network_policy(cluster: Cluster, obj: Object) -> Record:
    """``ingress`` and ``egress`` are there if the policy isolates in that direction: what its rules allow, none for a closed door."""
    spec = obj["spec"]
    types = spec.get("policyTypes") or ()
    return compact({
        **_named(obj), "pods": spec.get("podSelector") or {},
        "ingress": _rules(spec.get("ingress"), "from") if "Ingress" in types else None,
        "egress": _rules(spec.get("egress"), "to") if "Egress" in types else None})


def _rules(rules: list[Object] | None, peers: str) -> list[Record]:
    return [compact({"peers": [_peer(peer) for peer in (rule.get(peers) or ())[:MAX_LISTED]] or None,
                     "ports": [_port(port) for port in (rule.get("ports") or ())[:MAX_LISTED]] or None}) for rule in (rules or ())[:MAX_LISTED]]


def _peer(peer: Object) -> Record:
    block: dict[str, Any] = peer.get("ipBlock") or {}
    return compact({"pods": peer.get("podSelector"), "namespaces": peer.get("namespaceSelector"), "cidr": block.get("cidr"),
                    "except": block.get("except") or None})


def _port(port: Object) -> str:
    first, last = port.get("port", "*"), port.get("endPort")
    return f"{first}{f'-{last}' if last is not None else ''}/{port.get('protocol', 'TCP')}"


PROJECTIONS = {"ingresses.networking.k8s.io": ingress, "networkpolicies.networking.k8s.io": network_policy}
