"""Defaults of the networking.k8s.io group: a NetworkPolicy's types and protocols, the scope of an IngressClass's parameters.

Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.defaults.filling import each, filled, with_field

Object = dict[str, Any]


def network_policy(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _policy_spec)


def _policy_spec(spec: Object) -> Object:
    spec = filled(spec, {"podSelector": {}})
    for direction in ("ingress", "egress"):
        spec = with_field(spec, direction, _rules)
    return spec if spec.get("policyTypes") else {**spec, "policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]}


_ports = each(lambda port: filled(port, {"protocol": "TCP"}))
_rules = each(lambda rule: with_field(rule, "ports", _ports))


def ingress_class(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec",
                      lambda spec: with_field(spec, "parameters", lambda parameters: filled(parameters, {"scope": "Cluster"})))


DEFAULTS: dict[str, Callable[[Object], Object]] = {
    "networkpolicies.networking.k8s.io": network_policy,
    "ingressclasses.networking.k8s.io": ingress_class,
    "ingresses.networking.k8s.io": lambda obj: filled(obj, {"spec": {}}),
}
