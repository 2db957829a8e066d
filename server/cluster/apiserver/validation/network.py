"""Validation of Services, Endpoints and EndpointSlices.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.defaults.network import externally_accessible
from server.cluster.apiserver.validation import meta
from server.cluster.apiserver.validation.fields import (
    PROTOCOLS,
    Errors,
    Object,
    cidr,
    duplicate,
    each,
    faults,
    forbidden,
    identities,
    immutable,
    invalid,
    ip,
    label_1123,
    labels,
    one_of,
    parsed_ip,
    port_number,
    port_or_name,
    required,
    subdomain_1123,
    unsupported,
    usable_ip,
)

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
ADDRESS_LISTS = ("addresses", "notReadyAddresses")
MAX_AFFINITY = 86400


def service(obj: Object) -> Errors:
    yield from meta.create(obj, names.label, namespaced=True)
    yield from _service(obj)


def service_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    if "ExternalName" not in (spec.get("type"), was.get("type")):
        yield from _kept_addresses(spec, was)
    if was.get("type") == spec.get("type") == "LoadBalancer" and spec.get("loadBalancerClass") != was.get("loadBalancerClass"):
        yield invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set")
    if _needs_health_port(spec) and _needs_health_port(was) and spec.get("healthCheckNodePort") != was.get("healthCheckNodePort"):
        yield forbidden("spec.healthCheckNodePort", "field is immutable")
    yield from _service(new)


def _kept_addresses(spec: Object, was: Object) -> Errors:
    for field in ("clusterIPs", "ipFamilies"):
        now, before = spec.get(field) or [], was.get(field) or []
        if field == "clusterIPs":
            now, before = _addresses(spec), _addresses(was)
            if now == before == ["None"]:
                continue
        if before and not now:
            yield invalid(f"spec.{field}[0]", now, "primary clusterIP can not be unset" if field == "clusterIPs"
                          else "primary ipFamily can not be removed")
        for index, (value, kept) in enumerate(zip(now, before, strict=False)):
            if value != kept:
                yield invalid(f"spec.{field}[{index}]", now, "may not change once set")


def _addresses(spec: Object) -> list[str]:
    return spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])


def _needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _service(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    path, kind, ports = "spec", spec.get("type", ""), spec.get("ports") or []
    addresses = _addresses(spec)
    headless = addresses[:1] == ["None"]
    if not ports and not headless and kind != "ExternalName":
        yield required(f"{path}.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        yield invalid(f"{path}.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec, addresses)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, f"{path}.ports[{index}]", len(ports) > 1, seen)
    yield from labels(f"{path}.selector", spec.get("selector"))
    yield from _affinity(spec, path)
    yield from _cluster_addresses(spec, addresses, kind)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        at = f"{path}.externalIPs[{index}]"
        yield from usable_ip(at, address) if parsed_ip(address) else ip(at, address)
    yield from one_of(f"{path}.type", kind, TYPES)
    yield from _port_sets(ports, f"{path}.ports", kind)
    yield from _load_balancer(spec, path, kind)
    yield from _traffic(spec, path, kind)


def _external_name(spec: Object, addresses: list[str]) -> Errors:
    if addresses:
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    if spec.get("ipFamilies"):
        yield forbidden("spec.ipFamilies", "may not be set for ExternalName services")
    if spec.get("ipFamilyPolicy") is not None:
        yield forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services")
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        yield from subdomain_1123("spec.externalName", name)
    else:
        yield required("spec.externalName")


def _port(port: Object, path: str, named: bool, seen: set[str]) -> Errors:
    name = port.get("name", "")
    if name:
        yield from label_1123(f"{path}.name", name)
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    elif named:
        yield required(f"{path}.name")
    yield from port_number(f"{path}.port", port.get("port", 0))
    yield from one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    yield from port_or_name(f"{path}.targetPort", port.get("targetPort"))
    if port.get("appProtocol") is not None:
        yield from faults(f"{path}.appProtocol", port["appProtocol"], names.qualified_name(port["appProtocol"]))


def _port_sets(ports: list[Object], path: str, kind: str) -> Errors:
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                yield forbidden(f"{path}[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("nodePort", 0))
        if key[1] and key in node_ports:
            yield duplicate(f"{path}[{index}].nodePort", key[1])
        node_ports.add(key)
    numbers: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in numbers:
            yield duplicate(f"{path}[{index}]", {"protocol": key[0], "port": key[1], "targetPort": 0})
        numbers.add(key)


def _affinity(spec: Object, path: str) -> Errors:
    affinity, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    yield from one_of(f"{path}.sessionAffinity", affinity, ("ClientIP", "None"))
    at = f"{path}.sessionAffinityConfig"
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is None:
            yield required(f"{at}.clientIP.timeoutSeconds", "when session affinity type is ClientIP")
        elif not 0 < seconds <= MAX_AFFINITY:
            yield invalid(f"{at}.clientIP.timeoutSeconds", seconds, f"must be greater than 0 and less than {MAX_AFFINITY}")
    elif affinity == "None" and config is not None:
        yield forbidden(at, "must not be set when session affinity is None")


def _cluster_addresses(spec: Object, addresses: list[str], kind: str) -> Errors:
    if kind == "ExternalName":
        return
    at = "spec.clusterIPs"
    if spec.get("clusterIPs") and spec.get("clusterIP") and spec["clusterIP"] != spec["clusterIPs"][0]:
        yield invalid(at, spec["clusterIPs"], "first value must match `clusterIP`")
    elif spec.get("clusterIPs") and not spec.get("clusterIP"):
        yield required("spec.clusterIP", "must be set when `clusterIPs` is specified")
    for index, address in enumerate(addresses):
        if address == "None" and index == 0:
            if len(addresses) > 1:
                yield invalid(at, addresses, "'None' must be the first and only value")
        else:
            yield from ip(f"{at}[{index}]", address)
    if len(addresses) > 2:
        yield invalid(at, addresses, "may only hold up to 2 values")
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            yield unsupported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
    if len(families) == 2 and families[0] == families[1]:
        yield duplicate("spec.ipFamilies[1]", families[1])
    if spec.get("ipFamilyPolicy") is not None:
        yield from one_of("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], ("PreferDualStack", "RequireDualStack", "SingleStack"))


def _load_balancer(spec: Object, path: str, kind: str) -> Errors:
    only = "may only be used when `type` is 'LoadBalancer'"
    if ranges := spec.get("loadBalancerSourceRanges"):
        at = f"{path}.LoadBalancerSourceRanges"
        if kind != "LoadBalancer":
            yield forbidden(at, only)
        for index, value in enumerate(ranges):
            yield from cidr(f"{at}[{index}]", value.strip())
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        yield forbidden(f"{path}.allocateLoadBalancerNodePorts", only)
    if spec.get("loadBalancerClass") is not None:
        if kind != "LoadBalancer":
            yield forbidden(f"{path}.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
        else:
            yield from faults(f"{path}.loadBalancerClass", spec["loadBalancerClass"], names.qualified_name(spec["loadBalancerClass"]))


def _traffic(spec: Object, path: str, kind: str) -> Errors:
    external = spec.get("externalTrafficPolicy")
    if not externally_accessible(spec):
        if external:
            yield invalid(f"{path}.externalTrafficPolicy", external, "may only be set for externally-accessible services")
    else:
        yield from one_of(f"{path}.externalTrafficPolicy", external, ("Cluster", "Local"))
    health = spec.get("healthCheckNodePort", 0)
    if health and not _needs_health_port(spec):
        yield invalid(f"{path}.healthCheckNodePort", health,
                      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")
    elif health:
        yield from port_number(f"{path}.healthCheckNodePort", health)
    internal = spec.get("internalTrafficPolicy")
    yield from one_of(f"{path}.internalTrafficPolicy", internal, ("Cluster", "Local"),
                      needed=kind in ("NodePort", "LoadBalancer", "ClusterIP"))
    if spec.get("trafficDistribution") is not None and spec["trafficDistribution"] not in DISTRIBUTIONS:
        yield unsupported(f"{path}.trafficDistribution", spec["trafficDistribution"], DISTRIBUTIONS)


# endpoints ---------------------------------------------------------------------------------------------------------------

def endpoints(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from each(obj.get("subsets"), "subsets", _subset)


def endpoints_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    known = frozenset().union(*(identities(subset.get(field)) for subset in old.get("subsets") or () for field in ADDRESS_LISTS))
    for index, subset in enumerate(new.get("subsets") or ()):
        yield from _subset(subset, f"subsets[{index}]", known)


def _subset(subset: Object, path: str, known: frozenset[int] = frozenset()) -> Errors:
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        yield required(path, "must specify `addresses` or `notReadyAddresses`")
    for field in ADDRESS_LISTS:
        yield from each(subset.get(field), f"{path}.{field}", _address, known)
    ports = subset.get("ports") or []
    for index, port in enumerate(ports):
        at = f"{path}.ports[{index}]"
        if port.get("name"):
            yield from label_1123(f"{at}.name", port["name"])
        elif len(ports) > 1:
            yield required(f"{at}.name")
        yield from port_number(f"{at}.port", port.get("port", 0))
        yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from faults(f"{at}.appProtocol", port["appProtocol"], names.qualified_name(port["appProtocol"]))


def _address(address: Object, path: str) -> Errors:
    yield from ip(f"{path}.ip", address.get("ip", ""))
    if address.get("hostname"):
        yield from label_1123(f"{path}.hostname", address["hostname"])
    if address.get("nodeName") is not None:
        yield from subdomain_1123(f"{path}.nodeName", address["nodeName"])
    yield from usable_ip(f"{path}.ip", address.get("ip", ""))


def endpoint_slice(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    kind = obj.get("addressType", "")
    yield from one_of("addressType", kind, ADDRESS_TYPES)
    yield from _slice(obj, kind)


def endpoint_slice_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _slice(new, new.get("addressType", ""), identities(old.get("endpoints")))
    yield from immutable("addressType", new.get("addressType"), old.get("addressType"))


def _slice(obj: Object, kind: str, known: frozenset[int] = frozenset()) -> Errors:
    items, ports = obj.get("endpoints") or [], obj.get("ports") or []
    if len(items) > 1000:
        yield invalid("endpoints", len(items), "must have at most 1000 items")
    yield from each(items, "endpoints", lambda endpoint, path: _slice_endpoint(endpoint, path, kind), known)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"ports[{index}]", port.get("name") or ""
        if name:
            yield from label_1123(f"{at}.name", name)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("port") is not None:
            yield from port_number(f"{at}.port", port["port"])


def _slice_endpoint(endpoint: Object, path: str, kind: str) -> Errors:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield required(f"{path}.addresses", "must contain at least 1 address")
    for index, address in enumerate(addresses):
        at, parsed = f"{path}.addresses[{index}]", parsed_ip(address)
        if kind == "FQDN":
            yield from subdomain_1123(at, address)
        elif kind in ("IPv4", "IPv6"):
            if parsed is None or f"IPv{parsed.version}" != kind:
                yield invalid(at, address, f"must be a valid {kind} address")
            else:
                yield from usable_ip(at, address)
    if endpoint.get("hostname"):
        yield from label_1123(f"{path}.hostname", endpoint["hostname"])
    if endpoint.get("nodeName") is not None:
        yield from subdomain_1123(f"{path}.nodeName", endpoint["nodeName"])
