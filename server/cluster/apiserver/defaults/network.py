"""Defaults of Services, Endpoints and EndpointSlices. Addresses and node ports are handed out later, when the Service is stored.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
"""

from __future__ import annotations

from typing import Any

from server.cluster.apiserver.defaults.filling import each, filled, with_field

Object = dict[str, Any]

AFFINITY_SECONDS = 10800
EXTERNAL = ("NodePort", "LoadBalancer")


def service(obj: Object) -> Object:
    return with_field(filled(obj, {"spec": {}}), "spec", _service_spec)


def _service_spec(spec: Object) -> Object:
    spec = filled(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["sessionAffinity"] == "ClientIP":
        spec = with_field(filled(spec, {"sessionAffinityConfig": {}}), "sessionAffinityConfig", _affinity)
    elif spec["sessionAffinity"] == "None" and "sessionAffinityConfig" in spec:
        spec = {field: value for field, value in spec.items() if field != "sessionAffinityConfig"}
    spec = with_field(spec, "ports", each(_service_port))
    kind = spec["type"]
    if externally_accessible(spec):
        spec = filled(spec, {"externalTrafficPolicy": "Cluster"})
    if kind in ("ClusterIP", *EXTERNAL):
        spec = filled(spec, {"internalTrafficPolicy": "Cluster"})
    if kind == "LoadBalancer":
        spec = filled(spec, {"allocateLoadBalancerNodePorts": True})
    return spec


def externally_accessible(spec: Object) -> bool:
    """Whether clients outside the cluster can reach the Service."""
    return spec.get("type") in EXTERNAL or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def _affinity(config: Object) -> Object:
    return with_field(filled(config, {"clientIP": {}}), "clientIP", lambda client: filled(client, {"timeoutSeconds": AFFINITY_SECONDS}))


def _service_port(port: Object) -> Object:
    port = filled(port, {"protocol": "TCP"})
    if port.get("targetPort") in (None, 0, "") and "port" in port:
        return {**port, "targetPort": port["port"]}
    return port


_endpoint_ports = each(lambda port: filled(port, {"protocol": "TCP"}))


def endpoints(obj: Object) -> Object:
    return with_field(obj, "subsets", each(lambda subset: with_field(subset, "ports", _endpoint_ports)))


_slice_ports = each(lambda port: filled(port, {"name": "", "protocol": "TCP"}))


def endpoint_slice(obj: Object) -> Object:
    obj = filled(obj, {"endpoints": []})
    return with_field(filled(obj, {"ports": []}), "ports", _slice_ports)
