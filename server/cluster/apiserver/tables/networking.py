"""Columns of the networking.k8s.io group."""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.apiserver.tables.table import AGE, NAME, Column, TableOf, When
from server.cluster.objects import Object

NETWORKING = "io.k8s.api.networking.v1."
SHOWN_HOSTS = 3


def _ingress(obj: Object, when: When) -> list[Any]:
    spec = obj.get("spec") or {}
    return [obj["metadata"]["name"], spec.get("ingressClassName") or printing.NONE, _hosts(spec.get("rules") or []),
            ",".join(printing.balanced_addresses(obj)), "80, 443" if spec.get("tls") else "80", when.born(obj)]


def _hosts(rules: list[Object]) -> str:
    """The first three hosts, and how many rules there are beyond."""
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == SHOWN_HOSTS:
            return f"{','.join(hosts)} + {len(rules) - SHOWN_HOSTS} more..."
        if rule.get("host"):
            hosts.append(rule["host"])
    return ",".join(hosts) or "*"


def _ingress_class(obj: Object, when: When) -> list[Any]:
    spec = obj.get("spec") or {}
    shown, reference = printing.NONE, spec.get("parameters")
    if reference is not None:
        group = f".{reference['apiGroup']}" if reference.get("apiGroup") is not None else ""
        shown = f"{reference.get('kind', '')}{group}/{reference.get('name', '')}"
    return [obj["metadata"]["name"], spec.get("controller", ""), shown, when.born(obj)]


def _network_policy(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], printing.selector((obj.get("spec") or {}).get("podSelector")), when.born(obj)]


TABLES: dict[str, TableOf] = {
    "ingresses.networking.k8s.io": TableOf((
        NAME,
        Column("Class", f"{NETWORKING}IngressSpec:ingressClassName"),
        Column("Hosts", "The hosts that requests are told apart by."),
        Column("Address", "Where the controller that serves the Ingress can be reached."),
        Column("Ports", "The ports that are served: 443 too where there is TLS."),
        AGE,
    ), _ingress),
    "ingressclasses.networking.k8s.io": TableOf((
        NAME,
        Column("Controller", f"{NETWORKING}IngressClassSpec:controller"),
        Column("Parameters", f"{NETWORKING}IngressClassSpec:parameters"),
        AGE,
    ), _ingress_class),
    "networkpolicies.networking.k8s.io": TableOf((
        NAME, Column("Pod-Selector", f"{NETWORKING}NetworkPolicySpec:podSelector"), AGE,
    ), _network_policy),
}
