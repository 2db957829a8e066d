"""Services, Endpoints and EndpointSlices: addresses, ports and who stands behind them."""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.errors import ApiError
from server.cluster.printing import NONE, UNSET, host_port, labels, short_list
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import go_bool

SERVICE_NAME = "kubernetes.io/service-name"
PORT_COLUMNS = ("Name", "Port", "Protocol")
PORT_RULES = ("----", "----", "--------")


def describe_service(service: Object, scope: Scope, page: Page) -> None:
    meta, spec = service["metadata"], service["spec"]
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("Selector", labels(spec.get("selector")))
    page.field("Type", spec.get("type", ""))
    _optional(page, spec, ("IP Family Policy", "ipFamilyPolicy"))
    page.field("IP Families", ",".join(spec.get("ipFamilies") or ()) or NONE)
    page.field("IP", spec.get("clusterIP", ""))
    page.field("IPs", ",".join(spec.get("clusterIPs") or ()) or NONE)
    if spec.get("externalIPs"):
        page.field("External IPs", ",".join(spec["externalIPs"]))
    _optional(page, spec, ("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName"))
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    if ingress:
        page.field("LoadBalancer Ingress", ", ".join(_ingress(each) for each in ingress))
    slices = _slices(scope, meta)
    for port in spec.get("ports") or ():
        _port(page, port, slices)
    page.field("Session Affinity", spec.get("sessionAffinity", ""))
    _optional(page, spec, ("External Traffic Policy", "externalTrafficPolicy"), ("Internal Traffic Policy", "internalTrafficPolicy"),
              ("HealthCheck NodePort", "healthCheckNodePort"))
    if spec.get("loadBalancerSourceRanges"):
        page.field("LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))
    _optional(page, spec, ("Traffic Distribution", "trafficDistribution"))
    describe_events_of(service, scope, page)


def _optional(page: Page, spec: Object, *fields: tuple[str, str]) -> None:
    page.fields((label, spec[field]) for label, field in fields if spec.get(field))


def _ingress(point: Object) -> str:
    if not point.get("ip"):
        return point.get("hostname", "")
    return f"{point['ip']} ({point['ipMode']})" if point.get("ipMode") else point["ip"]


def _slices(scope: Scope, meta: Object) -> list[Object]:
    try:
        return scope.api.items("endpointslices.discovery.k8s.io", meta["namespace"], label_selector=f"{SERVICE_NAME}={meta['name']}")
    except ApiError:
        return []


def _port(page: Page, port: Object, slices: list[Object]) -> None:
    name, protocol = port.get("name") or UNSET, port.get("protocol", "TCP")
    page.row(0, "Port:", name, f"{port['port']}/{protocol}")
    page.field("TargetPort", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol") is not None:
        page.field("AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        page.row(0, "NodePort:", name, f"{port['nodePort']}/{protocol}")
    page.field("Endpoints", endpoints_of(slices, port.get("name") or ""))


def endpoints_of(slices: list[Object], port_name: str) -> str:
    """The first ready addresses of one of a Service's ports."""
    return short_list(list(_ready(slices, port_name))) if slices else NONE


def _ready(slices: list[Object], port_name: str) -> Iterator[str]:
    """The ready addresses of one port, or bare addresses where a slice has no ports."""
    for each in slices:
        addresses = [endpoint["addresses"][0] for endpoint in each.get("endpoints") or ()
                     if (endpoint.get("conditions") or {}).get("ready") is not False]
        if not each.get("ports"):
            yield from addresses
        for port in each.get("ports") or ():
            if (port.get("name") or "") == port_name:
                yield from (host_port(address, port["port"]) for address in addresses)


def describe_endpoints(endpoints: Object, scope: Scope, page: Page) -> None:
    meta = endpoints["metadata"]
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.row(0, "Subsets:")
    for subset in endpoints.get("subsets") or ():
        for label, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            page.field(label, ",".join(address["ip"] for address in subset.get(field) or ()) or NONE, 1)
        if subset.get("ports"):
            page.row(1, "Ports:")
            _ports(page, subset["ports"], 2)
        page.row(0, "")
    describe_events_of(endpoints, scope, page)


def _ports(page: Page, ports: list[Object], level: int) -> None:
    page.table(PORT_COLUMNS, PORT_RULES, (
        (port.get("name") or UNSET, UNSET if port.get("port") is None else port["port"], port.get("protocol", "TCP")) for port in ports
    ), level)


def describe_endpoint_slice(endpoint_slice: Object, scope: Scope, page: Page) -> None:
    meta = endpoint_slice["metadata"]
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("AddressType", endpoint_slice.get("addressType", ""))
    if endpoint_slice.get("ports"):
        page.row(0, "Ports:")
        _ports(page, endpoint_slice["ports"], 1)
    else:
        page.row(0, "Ports: <unset>")
    page.row(0, "Endpoints:" if endpoint_slice.get("endpoints") else "Endpoints: <none>")
    for endpoint in endpoint_slice.get("endpoints") or ():
        _endpoint(page, endpoint)
    describe_events_of(endpoint_slice, scope, page)


def _endpoint(page: Page, endpoint: Object) -> None:
    page.field("- Addresses", ", ".join(endpoint.get("addresses") or ()) or NONE, 1)
    page.row(2, "Conditions:")
    ready = (endpoint.get("conditions") or {}).get("ready")
    page.field("Ready", UNSET if ready is None else go_bool(ready), 3)
    page.field("Hostname", endpoint.get("hostname", UNSET), 2)
    target = endpoint.get("targetRef")
    if target:
        page.field("TargetRef", f"{target.get('kind', '')}/{target.get('name', '')}", 2)
    page.field("NodeName", endpoint.get("nodeName", UNSET), 2)
    page.field("Zone", endpoint.get("zone", UNSET), 2)
