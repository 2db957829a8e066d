"""Ingresses, their classes and NetworkPolicies: who may reach what, and by which name and path."""

from __future__ import annotations

from datetime import datetime

from server.cluster import printing
from server.cluster.errors import ApiError
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.service import SERVICE_NAME, endpoints_of

DEFAULT = "<default>"
DIRECTIONS = (("ingress", "from"), ("egress", "to"))


def describe_ingress(ingress: Object, scope: Scope, page: Page) -> None:
    meta, spec = ingress["metadata"], ingress.get("spec") or {}
    page.field("Name", meta["name"])
    page.labels("Labels", meta.get("labels"))
    page.field("Namespace", meta["namespace"])
    page.field("Address", ",".join(printing.balanced_addresses(ingress)))
    page.field("Ingress Class", spec.get("ingressClassName", NONE))
    default = _backend(spec["defaultBackend"], meta["namespace"], scope) if spec.get("defaultBackend") is not None else DEFAULT
    page.field("Default backend", default)
    if spec.get("tls"):
        page.row(0, "TLS:")
        for entry in spec["tls"]:
            hosts = ",".join(entry.get("hosts") or ())
            page.row(1, f"{entry['secretName']} terminates {hosts}" if entry.get("secretName") else f"SNI routes {hosts}")
    page.row(0, "Rules:")
    page.row(1, "Host", "Path", "Backends")
    page.row(1, "----", "----", "--------")
    rules = [rule for rule in spec.get("rules") or () if rule.get("http") is not None]
    for rule in rules:
        page.row(1, rule.get("host") or "*", "")
        for path in rule["http"].get("paths") or ():
            page.row(2, "", f"{path.get('path', '')} ", _backend(path["backend"], meta["namespace"], scope))
    if not rules:
        page.row(1, "*", "*", default)
    page.annotations(meta.get("annotations"))
    describe_events_of(ingress, scope, page)


def _backend(backend: Object, namespace: str, scope: Scope) -> str:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None:
        port = service.get("port") or {}
        return f"{service['name']}:{port.get('number') or port.get('name', '')} ({_endpoints(service['name'], port, namespace, scope)})"
    if resource is not None:
        return f"APIGroup: {resource.get('apiGroup', NONE)}, Kind: {resource['kind']}, Name: {resource['name']}"
    return ""


def _endpoints(name: str, port: Object, namespace: str, scope: Scope) -> str:
    """The ready endpoints behind a Service's port, or why there are none to show."""
    try:
        slices = scope.api.items("endpointslices.discovery.k8s.io", namespace, label_selector=f"{SERVICE_NAME}={name}")
        service = scope.api.read("services", namespace, name)
    except ApiError as error:
        return f"<error: {error.message}>"
    named = ""
    for each in service["spec"].get("ports") or ():
        if port.get("number") == each["port"] or port.get("name") and port["name"] == each.get("name"):
            named = each.get("name") or ""
    return endpoints_of(slices, named)


def describe_ingress_class(ingress_class: Object, scope: Scope, page: Page) -> None:
    meta, spec = ingress_class["metadata"], ingress_class.get("spec") or {}
    page.field("Name", meta["name"])
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("Controller", spec.get("controller", ""))
    if (parameters := spec.get("parameters")) is not None:
        page.row(0, "Parameters:")
        if parameters.get("apiGroup") is not None:
            page.field("APIGroup", parameters["apiGroup"], 1)
        page.fields((("Kind", parameters.get("kind", "")), ("Name", parameters.get("name", ""))), 1)
    describe_events_of(ingress_class, scope, page)


def describe_network_policy(policy: Object, scope: Scope, page: Page) -> None:
    meta, spec = policy["metadata"], policy.get("spec") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]),
                 ("Created on", datetime.fromisoformat(meta["creationTimestamp"]).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.row(0, "Spec:")
    page.row(1, f"PodSelector:     {_selected(spec.get('podSelector') or {})}")
    types = spec.get("policyTypes") or []
    for direction, peers in DIRECTIONS:
        if direction.capitalize() in types:
            page.row(1, f"Allowing {direction} traffic:")
            _rules(page, spec.get(direction) or [], direction, peers)
        else:
            page.row(1, f"Not affecting {direction} traffic")
    page.row(1, f"Policy Types: {', '.join(types)}")


def _selected(selector: Object) -> str:
    if selector.get("matchLabels") or selector.get("matchExpressions"):
        return printing.selector(selector)
    return "<none> (Allowing the specific traffic to all pods in this namespace)"


def _rules(page: Page, rules: list[Object], direction: str, peers: str) -> None:
    if not rules:
        page.row(2, f"<none> (Selected pods are isolated for {direction} connectivity)")
    for index, rule in enumerate(rules):
        if index:
            page.row(2, "----------")
        for port in rule.get("ports") or ():
            first, last = port.get("port", "<nil>"), port.get("endPort")
            numbers = f"To Port: {first}" if last is None else f"To Port Range: {first}-{last}"
            page.row(2, f"{numbers}/{port.get('protocol', 'TCP')}")
        if not rule.get("ports"):
            page.row(2, "To Port: <any> (traffic allowed to all ports)")
        for peer in rule.get(peers) or ():
            page.row(2, f"{peers.capitalize()}:")
            _peer(page, peer)
        if not rule.get(peers):
            page.row(2, f"{peers.capitalize()}: <any> (traffic not restricted by {'source' if direction == 'ingress' else 'destination'})")


def _peer(page: Page, peer: Object) -> None:
    for label, field in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(field) is not None:
            page.row(3, f"{label}: {printing.selector(peer[field])}")
    if (block := peer.get("ipBlock")) is not None:
        page.row(3, "IPBlock:")
        page.row(4, f"CIDR: {block['cidr']}")
        page.row(4, f"Except: {', '.join(block.get('except') or ())}")
