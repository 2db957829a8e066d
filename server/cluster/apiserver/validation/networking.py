"""Validation of the networking.k8s.io group: NetworkPolicy, Ingress, IngressClass.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from server.cluster import names
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    cidr,
    each,
    faults,
    forbidden,
    immutable,
    invalid,
    ip,
    label_1123,
    label_selector,
    network,
    parsed_ip,
    port_number,
    port_or_name,
    required,
    subdomain_1123,
    too_long,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind
from server.cluster.patterns import LONGEST_PATTERN, LONGEST_TOGETHER, MOST_TOGETHER, compiled

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
PROTOCOLS, POLICY_TYPES = ("TCP", "UDP", "SCTP"), ("Ingress", "Egress")
PATH_TYPES, SCOPES = ("Exact", "ImplementationSpecific", "Prefix"), ("Cluster", "Namespace")
NOT_WITHIN, NOT_AT_END = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
MAX_CONTROLLER = 250
NGINX = "nginx.ingress.kubernetes.io/"
MOST_WARNINGS = 10
FOLLOWED = frozenset({
    "rewrite-target", "use-regex", "app-root", "ssl-redirect", "force-ssl-redirect", "permanent-redirect", "permanent-redirect-code",
    "temporal-redirect", "whitelist-source-range", "allowlist-source-range", "denylist-source-range", "service-upstream", "upstream-vhost",
    "backend-protocol", "proxy-connect-timeout", "proxy-read-timeout", "canary", "canary-by-header", "canary-by-header-value",
    "canary-by-header-pattern", "canary-by-cookie", "canary-weight", "canary-weight-total", "limit-rps", "limit-rpm", "limit-burst-multiplier",
    "limit-whitelist", "limit-allowlist", "proxy-body-size", "auth-type", "auth-secret", "auth-secret-type", "auth-realm", "enable-cors",
    "cors-allow-origin", "cors-allow-methods", "cors-allow-headers", "cors-allow-credentials", "cors-expose-headers", "cors-max-age", "affinity",
    "session-cookie-name", "session-cookie-path", "session-cookie-domain", "session-cookie-expires", "session-cookie-max-age",
    "session-cookie-secure", "session-cookie-samesite", "upstream-hash-by", "server-alias", "from-to-www-redirect", "x-forwarded-prefix",
    "default-backend", "custom-http-errors"})
VALUES = {"auth-type": ("basic",), "affinity": ("cookie",), "backend-protocol": ("HTTP", "HTTPS", "AUTO_HTTP")}
DOMAIN_PATH = 'must be a domain-prefixed path (such as "acme.io/foo")'
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_http_path = re.compile(_HTTP_PATH)


# NetworkPolicy -----------------------------------------------------------------------------------------------------------

def network_policy(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _policy(obj.get("spec") or {})


def network_policy_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _policy(new.get("spec") or {})


def _policy(spec: Object) -> Errors:
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            at = f"spec.{direction}[{index}]"
            yield from each(rule.get("ports"), f"{at}.ports", _policy_port)
            yield from each(rule.get(peers), f"{at}.{peers}", _peer)
    types = spec.get("policyTypes") or []
    if len(types) > len(POLICY_TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, value in enumerate(types):
        if value not in POLICY_TYPES:
            yield unsupported(f"spec.policyTypes[{index}]", value, POLICY_TYPES)


def _policy_port(port: Object, path: str) -> Errors:
    protocol, first, last = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, PROTOCOLS)
    if isinstance(first, int):
        yield from port_number(f"{path}.port", first)
        if last is not None:
            if last < first:
                yield invalid(f"{path}.endPort", last, "must be greater than or equal to `port`")
            yield from port_number(f"{path}.endPort", last)
        return
    if last is not None:
        yield invalid(f"{path}.endPort", last, f"may not be specified when `port` is {'not specified' if first is None else 'non-numeric'}")
    if first is not None:
        yield from port_or_name(f"{path}.port", first)


def _peer(peer: Object, path: str) -> Errors:
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(field) is not None]
    for field in given:
        if field == "ipBlock":
            yield from _block(peer[field], f"{path}.{field}")
        else:
            yield from label_selector(peer[field], f"{path}.{field}")
    if not given:
        yield required(path, "must specify a peer")
    elif len(given) > 1 and "ipBlock" in given:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block(block: Object, path: str) -> Errors:
    value = block.get("cidr", "")
    if not value:
        yield required(f"{path}.cidr")
        return
    yield from cidr(f"{path}.cidr", value)
    whole = network(value)
    if whole is None:
        return
    for index, excepted in enumerate(block.get("except") or ()):
        at = f"{path}.except[{index}]"
        yield from cidr(at, excepted)
        part = network(excepted)
        if part is not None and (part.version != whole.version or part.prefixlen <= whole.prefixlen or not part.subnet_of(whole)):
            yield invalid(at, excepted, "must be a strict subset of `cidr`")


# Ingress -----------------------------------------------------------------------------------------------------------------

def ingress(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    spec = obj.get("spec") or {}
    yield from _ingress(spec)
    annotated, named = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION), spec.get("ingressClassName")
    if annotated is not None and named is not None and annotated != named:
        yield invalid(f"annotations.{CLASS_ANNOTATION}", annotated, "must match `ingressClassName` when both are specified")


def ingress_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _ingress(new.get("spec") or {})


def _ingress(spec: Object) -> Errors:
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        yield invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if default is not None:
        yield from _backend(default, "spec.defaultBackend")
    yield from each(rules, "spec.rules", _rule)
    yield from each(spec.get("tls"), "spec.tls", _tls)
    if spec.get("ingressClassName") is not None:
        yield from subdomain_1123("spec.ingressClassName", spec["ingressClassName"])


def _host(path: str, host: str) -> Errors:
    yield from faults(path, host, names.wildcard_subdomain(host)) if "*" in host else subdomain_1123(path, host)


def _rule(rule: Object, path: str) -> Errors:
    host, http = rule.get("host"), rule.get("http")
    if host:
        if parsed_ip(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from _host(f"{path}.host", host)
    if http is not None:
        if not http.get("paths"):
            yield required(f"{path}.http.paths")
        yield from each(http.get("paths"), f"{path}.http.paths", _path)


def _path(entry: Object, path: str) -> Errors:
    kind, value = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    if kind not in PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, PATH_TYPES)
    else:
        if not value.startswith("/") and (value or kind != "ImplementationSpecific"):
            yield invalid(f"{path}.path", value, "must be an absolute path")
        if kind != "ImplementationSpecific":
            yield from (invalid(f"{path}.path", value, f"must not contain '{part}'") for part in NOT_WITHIN if part in value)
            yield from (invalid(f"{path}.path", value, f"cannot end with '{part}'") for part in NOT_AT_END if value.endswith(part))
    yield from _backend(entry.get("backend") or {}, f"{path}.backend")


def _backend(backend: Object, path: str) -> Errors:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _reference(resource, f"{path}.resource")
    elif service is not None:
        yield from _service_backend(service, path)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _service_backend(service: Object, path: str) -> Errors:
    if service.get("name"):
        yield from label_1123(f"{path}.service.name", service["name"])
    else:
        yield required(f"{path}.service.name")
    port = service.get("port") or {}
    name, number = port.get("name"), port.get("number")
    if name and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif name:
        yield from faults(f"{path}.service.port.name", name, names.port_name(name))
    elif number:
        yield from port_number(f"{path}.service.port.number", number)
    else:
        yield required(path, "port name or number is required")


def _tls(entry: Object, path: str) -> Errors:
    for index, host in enumerate(entry.get("hosts") or ()):
        yield from _host(f"{path}.hosts[{index}]", host)
    if entry.get("secretName"):
        yield from subdomain_1123(f"{path}.secretName", entry["secretName"])


def ingress_status(new: Object, old: Object) -> Errors:
    points = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    yield from each(points, "status.loadBalancer.ingress", _point)


def _point(point: Object, path: str) -> Errors:
    if point.get("ip"):
        yield from ip(f"{path}.ip", point["ip"])
    if host := point.get("hostname"):
        yield from subdomain_1123(f"{path}.hostname", host)
        if parsed_ip(host) is not None:
            yield invalid(f"{path}.hostname", host, "must be a DNS name, not an IP address")


# IngressClass ------------------------------------------------------------------------------------------------------------

def ingress_class(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=False)
    yield from _class(obj.get("spec") or {})


def ingress_class_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    yield from immutable("spec.controller", spec.get("controller", ""), was.get("controller", ""))
    yield from _class(spec)


def _class(spec: Object) -> Errors:
    controller = spec.get("controller", "")
    if not controller:
        yield required("spec.controller")
    else:
        if len(controller.encode("utf-8", "surrogatepass")) > MAX_CONTROLLER:
            yield too_long("spec.controller", MAX_CONTROLLER)
        yield from _domain_path("spec.controller", controller)
    if spec.get("parameters") is not None:
        yield from _parameters(spec["parameters"], "spec.parameters")


def _domain_path(path: str, value: str) -> Errors:
    host, _, rest = value.partition("/")
    if not host or not rest:
        yield invalid(path, value, DOMAIN_PATH)
        return
    yield from subdomain_1123(path, host)
    if not _http_path.fullmatch(rest):
        yield invalid(path, rest, names.not_matching("Invalid path", _HTTP_PATH))


def _reference(reference: Object, path: str) -> Errors:
    if reference.get("apiGroup") is not None:
        yield from subdomain_1123(f"{path}.apiGroup", reference["apiGroup"])
    for field in ("kind", "name"):
        value = reference.get(field, "")
        if value:
            yield from faults(f"{path}.{field}", value, names.path_segment(value))
        else:
            yield required(f"{path}.{field}")


def _parameters(parameters: Object, path: str) -> Errors:
    yield from _reference(parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope not in SCOPES:
        yield unsupported(f"{path}.scope", scope, SCOPES)
    elif scope == "Cluster":
        if namespace is not None:
            yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")
    elif namespace is None:
        yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    else:
        yield from label_1123(f"{path}.namespace", namespace)


def warnings(obj: Object) -> Iterator[str]:
    """What is said of an Ingress when it is made, and of what nothing follows from whenever it is written."""
    noted, spec = obj["metadata"].get("annotations") or {}, obj.get("spec") or {}
    if "resourceVersion" not in obj["metadata"] and CLASS_ANNOTATION in noted and spec.get("ingressClassName") is None:
        yield f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"
    for name in noted:
        if name.startswith(NGINX) and name.removeprefix(NGINX) not in FOLLOWED:
            yield f"podium: annotation {name} is accepted, but nothing follows from it here"
        elif (known := VALUES.get(name.removeprefix(NGINX))) is not None and noted[name].upper() not in map(str.upper, known):
            yield f"podium: annotation {name}: nothing follows from {noted[name]!r} here, only from {' or '.join(known)}"
    if f"{NGINX}rewrite-target" in noted or noted.get(f"{NGINX}use-regex") == "true":
        yield from islice(_unfollowed(spec), MOST_WARNINGS)


def _unfollowed(spec: Object) -> Iterator[str]:
    """Paths that are no regular expressions, among the first that a server block may have."""
    paths = ((f"spec.rules[{index}].http.paths[{number}].path", path.get("path") or "/") for index, rule in enumerate(spec.get("rules") or ())
             for number, path in enumerate((rule.get("http") or {}).get("paths") or ()))
    left = LONGEST_TOGETHER
    for where, path in islice(paths, MOST_TOGETHER):
        left -= min(len(path), LONGEST_PATTERN)
        if left >= 0 and compiled(path) is None:
            yield f"podium: {where}: \"{path[:LONGEST_PATTERN]}\" is no regular expression that can be followed here"


KINDS: dict[str, Kind] = {
    "networkpolicies.networking.k8s.io": Kind(network_policy, network_policy_update),
    "ingresses.networking.k8s.io": Kind(ingress, ingress_update, ingress_status),
    "ingressclasses.networking.k8s.io": Kind(ingress_class, ingress_class_update),
}
