"""Server-printed tables: the columns `kubectl get` shows, made by the API server as ``meta.k8s.io/v1`` Tables.

In: a resource's key, its objects and the virtual time. Out: a Table (columns and rows as data) that real clients print.
A kind is one row of ``_TABLES``: its columns, each with where its description stands in the schema, and a function from object to
cells. The words in the cells come from ``server.cluster.printing``.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from server.cluster import printing, schema
from server.cluster.apiserver.resources import RESOURCES
from server.cluster.clock import Clock
from server.cluster.objects import Object
from server.cluster.printing import NONE, UNKNOWN, UNSET

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
CORE = "io.k8s.api.core.v1."
APPS = "io.k8s.api.apps.v1."
CONTAINERS_SAID = "The containers of the pod template, by name."
IMAGES_SAID = "The image of each container of the pod template."


class Column(NamedTuple):
    """``said`` is ``definition:field`` for a description that the schema has, else the description itself.
    Columns of priority 1 are shown only with `-o wide`."""

    name: str
    said: str
    priority: int = 0
    type: str = "string"
    format: str = ""


class When(NamedTuple):
    """The moment that ages are reckoned at."""

    now: float
    clock: Clock

    def age(self, stamp: str | None) -> str:
        return printing.age(stamp, self.now, self.clock)

    def born(self, obj: Object) -> str:
        return printing.age(obj["metadata"].get("creationTimestamp"), self.now, self.clock)


class TableOf(NamedTuple):
    columns: tuple[Column, ...]
    cells: Callable[[Object, When], list[Any]]
    conditions: Callable[[Object], list[Object] | None] | None = None


NAME = Column("Name", f"{META}:name", format="name")
AGE = Column("Age", f"{META}:creationTimestamp")


def render(resource_key: str, objects: Iterable[Object], now: float, clock: Clock, include_object: str = "Metadata") -> Object:
    """The Table of some objects. ``include_object`` says what of each object its row carries: None, Metadata or Object."""
    table = _TABLES.get(resource_key, _DEFAULT)
    when = When(now, clock)
    row = RESOURCES.get(resource_key)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": _definitions(resource_key),
        "rows": [_row(table, obj, when, include_object, row.kind if row else "", row.api_version if row else "") for obj in objects],
    }


def _row(table: TableOf, obj: Object, when: When, include_object: str, kind: str, api_version: str) -> Object:
    row: Object = {"cells": table.cells(obj, when)}
    if table.conditions is not None and (conditions := table.conditions(obj)):
        row["conditions"] = conditions
    if include_object == "Metadata":
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    elif include_object == "Object":
        row["object"] = obj if "kind" in obj else {"kind": kind, "apiVersion": api_version, **obj}
    else:
        row["object"] = None
    return row


@cache
def _definitions(resource_key: str) -> list[Object]:
    return [
        {"name": column.name, "type": column.type, "format": column.format, "description": _description(column.said),
         "priority": column.priority}
        for column in _TABLES.get(resource_key, _DEFAULT).columns
    ]


def _description(said: str) -> str:
    if not said.startswith("io.k8s."):
        return said
    definition, _, field = said.partition(":")
    return schema.definition(definition).field(field).description


# cells by kind


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


def _lease(obj: Object, when: When) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity") or "", when.born(obj)]


def _template(spec: Object) -> list[str]:
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container.get("image", "") for container in containers),
        printing.selector(spec.get("selector")),
    ]


def _deployment(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        when.born(obj),
        *_template(spec),
    ]


def _replica_set(obj: Object, when: When) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        when.born(obj),
        *_template(spec),
    ]


def _anything(obj: Object, _: When) -> list[Any]:
    return [obj["metadata"].get("name", ""), obj["metadata"].get("creationTimestamp")]


_DEFAULT = TableOf((NAME, Column("Created At", f"{META}:creationTimestamp", type="date")), _anything)

_TABLES: dict[str, TableOf] = {
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
    "deployments.apps": TableOf((
        NAME,
        Column("Ready", "How many pods are ready, of how many that are wanted."),
        Column("Up-to-date", f"{APPS}DeploymentStatus:updatedReplicas"),
        Column("Available", f"{APPS}DeploymentStatus:availableReplicas"),
        AGE,
        Column("Containers", CONTAINERS_SAID, 1),
        Column("Images", IMAGES_SAID, 1),
        Column("Selector", f"{APPS}DeploymentSpec:selector", 1),
    ), _deployment),
    "replicasets.apps": TableOf((
        NAME,
        Column("Desired", f"{APPS}ReplicaSetSpec:replicas", type="integer"),
        Column("Current", f"{APPS}ReplicaSetStatus:replicas", type="integer"),
        Column("Ready", f"{APPS}ReplicaSetStatus:readyReplicas", type="integer"),
        AGE,
        Column("Containers", CONTAINERS_SAID, 1),
        Column("Images", IMAGES_SAID, 1),
        Column("Selector", f"{APPS}ReplicaSetSpec:selector", 1),
    ), _replica_set),
}
