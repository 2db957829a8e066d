"""Columns of the core group, of endpoint slices and of leases."""

from __future__ import annotations

from typing import Any

from server.cluster import printing
from server.cluster.apiserver.tables.table import AGE, CORE, NAME, Column, TableOf, When
from server.cluster.objects import Object
from server.cluster.printing import NONE, UNKNOWN, UNSET


def _namespace(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", ""), when.born(obj)]


def _node(obj: Object, when: When) -> list[Any]:
    info = (obj.get("status") or {}).get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or UNKNOWN
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [
        obj["metadata"]["name"],
        printing.node_status(obj),
        ",".join(printing.node_roles(obj)) or NONE,
        when.born(obj),
        info.get("kubeletVersion", ""),
        printing.node_address(obj, "InternalIP"),
        printing.node_address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _pod(obj: Object, when: When) -> list[Any]:
    said, status, spec = printing.pod_status(obj), obj.get("status") or {}, obj["spec"]
    addresses = status.get("podIPs")
    gates = spec.get("readinessGates") or ()
    first = {entry["type"]: entry["status"] for entry in reversed(status.get("conditions") or ())}
    passed = sum(first.get(gate["conditionType"]) == "True" for gate in gates)
    return [
        obj["metadata"]["name"],
        said.ready,
        said.status,
        said.restarts_column(when.now, when.clock),
        when.born(obj),
        (addresses[0].get("ip") if addresses else "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


_ENDED = {
    "Succeeded": {"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."},
    "Failed": {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."},
}


def _pod_conditions(obj: Object) -> list[Object] | None:
    ended = _ENDED.get((obj.get("status") or {}).get("phase", ""))
    return [ended] if ended else None


def _service(obj: Object, when: When) -> list[Any]:
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return [
        obj["metadata"]["name"],
        spec.get("type", ""),
        addresses[0] if addresses else NONE,
        printing.service_external_ip(obj),
        printing.service_ports(obj),
        when.born(obj),
        printing.labels(spec.get("selector")),
    ]


def _endpoints(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], printing.endpoints(obj), when.born(obj)]


def _endpoint_slice(obj: Object, when: When) -> list[Any]:
    ports = ["*" if port.get("port") is None and port.get("name") is None else str(port.get("port") or port.get("name"))
             for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        obj["metadata"]["name"],
        obj.get("addressType", ""),
        printing.short_list(ports) or UNSET,
        printing.short_list(addresses) or UNSET,
        when.born(obj),
    ]


def _config_map(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), when.born(obj)]


def _secret(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or ()), when.born(obj)]


def _service_account(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], when.born(obj)]


def _event(obj: Object, when: When) -> list[Any]:
    times = printing.event_times(obj)
    return [
        when.age(times.last),
        obj.get("type", ""),
        obj.get("reason", ""),
        printing.event_object(obj),
        (obj.get("involvedObject") or {}).get("fieldPath", ""),
        printing.event_source(obj),
        obj.get("message", "").strip(),
        when.age(times.first),
        times.count,
        obj["metadata"]["name"],
    ]


def _component_status(obj: Object, when: When) -> list[Any]:
    healthy = next((entry for entry in obj.get("conditions") or () if entry["type"] == "Healthy"), {})
    return [obj["metadata"]["name"], "Healthy" if healthy.get("status") == "True" else "Unhealthy", healthy.get("message", ""),
            healthy.get("error", "")]


def _lease(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity") or "", when.born(obj)]


TABLES: dict[str, TableOf] = {
    "componentstatuses": TableOf((
        NAME,
        Column("Status", "Whether the component says that it is well."),
        Column("Message", f"{CORE}ComponentCondition:message"),
        Column("Error", f"{CORE}ComponentCondition:error"),
    ), _component_status),
    "namespaces": TableOf((NAME, Column("Status", "Whether the namespace is in use or being deleted."), AGE), _namespace),
    "nodes": TableOf((
        NAME,
        Column("Status", "Whether the node takes pods."),
        Column("Roles", "What the node is for, from its role labels."),
        AGE,
        Column("Version", f"{CORE}NodeSystemInfo:kubeletVersion"),
        Column("Internal-IP", f"{CORE}NodeStatus:addresses", 1),
        Column("External-IP", f"{CORE}NodeStatus:addresses", 1),
        Column("OS-Image", f"{CORE}NodeSystemInfo:osImage", 1),
        Column("Kernel-Version", f"{CORE}NodeSystemInfo:kernelVersion", 1),
        Column("Container-Runtime", f"{CORE}NodeSystemInfo:containerRuntimeVersion", 1),
    ), _node),
    "pods": TableOf((
        NAME,
        Column("Ready", "How many of the pod's containers are ready."),
        Column("Status", "The pod's state, summed up from its containers."),
        Column("Restarts", "How often the pod's containers were restarted, and when the last of them was."),
        AGE,
        Column("IP", f"{CORE}PodStatus:podIP", 1),
        Column("Node", f"{CORE}PodSpec:nodeName", 1),
        Column("Nominated Node", f"{CORE}PodStatus:nominatedNodeName", 1),
        Column("Readiness Gates", f"{CORE}PodSpec:readinessGates", 1),
    ), _pod, _pod_conditions),
    "services": TableOf((
        NAME,
        Column("Type", f"{CORE}ServiceSpec:type"),
        Column("Cluster-IP", f"{CORE}ServiceSpec:clusterIP"),
        Column("External-IP", f"{CORE}ServiceSpec:externalIPs"),
        Column("Port(s)", f"{CORE}ServiceSpec:ports"),
        AGE,
        Column("Selector", f"{CORE}ServiceSpec:selector", 1),
    ), _service),
    "endpoints": TableOf((NAME, Column("Endpoints", f"{CORE}Endpoints:subsets"), AGE), _endpoints),
    "endpointslices.discovery.k8s.io": TableOf((
        NAME,
        Column("AddressType", "io.k8s.api.discovery.v1.EndpointSlice:addressType"),
        Column("Ports", "io.k8s.api.discovery.v1.EndpointSlice:ports"),
        Column("Endpoints", "io.k8s.api.discovery.v1.EndpointSlice:endpoints"),
        AGE,
    ), _endpoint_slice),
    "configmaps": TableOf((NAME, Column("Data", f"{CORE}ConfigMap:data"), AGE), _config_map),
    "secrets": TableOf((NAME, Column("Type", f"{CORE}Secret:type"), Column("Data", f"{CORE}Secret:data"), AGE), _secret),
    "serviceaccounts": TableOf((NAME, AGE), _service_account),
    "events": TableOf((
        Column("Last Seen", f"{CORE}Event:lastTimestamp"),
        Column("Type", f"{CORE}Event:type"),
        Column("Reason", f"{CORE}Event:reason"),
        Column("Object", f"{CORE}Event:involvedObject"),
        Column("Subobject", f"{CORE}ObjectReference:fieldPath", 1),
        Column("Source", f"{CORE}Event:source", 1),
        Column("Message", f"{CORE}Event:message"),
        Column("First Seen", f"{CORE}Event:firstTimestamp", 1),
        Column("Count", f"{CORE}Event:count", 1),
        NAME._replace(priority=1),
    ), _event),
    "leases.coordination.k8s.io": TableOf((NAME, Column("Holder", "io.k8s.api.coordination.v1.LeaseSpec:holderIdentity"), AGE), _lease),
}
