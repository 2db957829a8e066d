"""Nodes: roles, taints, lease, conditions, what they have, and what the pods on them ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.cluster import quantity
from server.cluster.errors import ApiError
from server.cluster.printing import node_roles
from server.kubectl.describe.amounts import Amounts, pod_limits, pod_requests, total
from server.kubectl.describe.events import events_about, write_events
from server.kubectl.describe.layout import NONE, UNSET, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, go_bool, since

NOT_ENDED = "spec.nodeName={},status.phase!=Succeeded,status.phase!=Failed"
CONDITION_COLUMNS = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
CONDITION_RULES = ("----", "------", "-----------------", "------------------", "------", "-------")
POD_COLUMNS = ("Namespace", "Name", "", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
POD_RULES = ("---------", "----", "", "------------", "----------", "---------------", "-------------", "---")
SYSTEM_INFO = (
    ("Machine ID", "machineID"), ("System UUID", "systemUUID"), ("Boot ID", "bootID"), ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"), ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion"),
)
MEASURED = ("cpu", "memory", "ephemeral-storage")


def describe_node(node: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    page.field("Name", meta["name"])
    page.field("Roles", ",".join(node_roles(node)) or NONE)
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("CreationTimestamp", date(meta.get("creationTimestamp")))
    page.many("Taints", taints(spec))
    page.field("Unschedulable", go_bool(spec.get("unschedulable")))
    _lease(page, meta["name"], scope)
    if status.get("conditions"):
        page.row(0, "Conditions:")
        page.table(CONDITION_COLUMNS, CONDITION_RULES, (
            (f"{each['type']} ", f"{each['status']} ", f"{date(each.get('lastHeartbeatTime'))} ",
             f"{date(each.get('lastTransitionTime'))} ", f"{each.get('reason', '')} ", each.get("message", ""))
            for each in status["conditions"]))
    page.row(0, "Addresses:")
    page.fields(((each["type"], each["address"]) for each in status.get("addresses") or ()), 1)
    for label, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        if status.get(field):
            page.row(0, f"{label}:")
            page.fields(((name, quantity.canonical(status[field][name])) for name in sorted(status[field])), 1)
    info = status.get("nodeInfo") or {}
    page.row(0, "System Info:")
    page.fields(((label, info.get(field, "")) for label, field in SYSTEM_INFO), 1)
    for label, value in (("PodCIDR", spec.get("podCIDR")), ("PodCIDRs", ",".join(spec.get("podCIDRs") or ())),
                         ("ProviderID", spec.get("providerID"))):
        if value:
            page.field(label, value)
    _pods(page, node, scope)
    if scope.show_events:
        about = [events_about(scope, "", {"kind": "Node", "name": meta["name"], "namespace": "", "uid": uid})
                 for uid in (meta["uid"], meta["name"])]
        write_events(about[0] + about[1], scope, page)


def taints(spec: Object) -> list[str]:
    return [taint_text(taint) for taint in sorted(spec.get("taints") or (), key=lambda each: f"{each['effect']},{each['key']}")]


def taint_text(taint: Object) -> str:
    """
    >>> taint_text({"key": "a", "value": "b", "effect": "NoSchedule"}), taint_text({"key": "a", "effect": "NoExecute"})
    ('a=b:NoSchedule', 'a:NoExecute')
    """
    text = f"{taint['key']}={taint['value']}" if taint.get("value") else taint["key"]
    return f"{text}:{taint['effect']}" if taint.get("effect") else text + (":" if taint.get("value") else "")


def _lease(page: Page, name: str, scope: Scope) -> None:
    try:
        spec = scope.api.read("leases.coordination.k8s.io", "kube-node-lease", name).get("spec") or {}
    except ApiError as error:
        page.field("Lease", f"Failed to get lease: {error.message}")
        return
    page.row(0, "Lease:")
    page.field("HolderIdentity", spec.get("holderIdentity", UNSET), 1)
    for label, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        page.field(label, date(spec[field]) if spec.get(field) else UNSET, 1)


def _pods(page: Page, node: Object, scope: Scope) -> None:
    try:
        pods = scope.api.items("pods", field_selector=NOT_ENDED.format(node["metadata"]["name"]))
    except ApiError as error:
        if error.code != 403:
            raise
        page.field("Pods", "not authorized")
        return
    status = node.get("status") or {}
    have = status.get("allocatable") or status.get("capacity") or {}
    needs = [(pod, pod_requests(pod), pod_limits(pod)) for pod in pods]
    page.field("Non-terminated Pods", f"({len(pods)} in total)")
    page.table(POD_COLUMNS, POD_RULES, (
        (pod["metadata"]["namespace"], pod["metadata"]["name"], "",
         *(_share(amounts, resource, have) for resource in ("cpu", "memory") for amounts in (requests, limits)),
         since(scope.now, pod["metadata"].get("creationTimestamp")))
        for pod, requests, limits in needs))
    page.row(0, "Allocated resources:")
    page.row(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    requested, limited = total(each[1] for each in needs), total(each[2] for each in needs)
    page.table(("Resource", "Requests", "Limits"), ("--------", "--------", "------"), _allocated(requested, limited, have))


def _allocated(requested: Amounts, limited: Amounts, have: dict[str, str]) -> Iterator[Iterable[str]]:
    huge = sorted(name for name in have if name.startswith("hugepages-"))
    others = sorted(name for name in have if name not in MEASURED and name not in ("pods", "storage") and name not in huge)
    for resource in (*MEASURED, *huge):
        yield resource, _share(requested, resource, have), _share(limited, resource, have)
    for resource in others:
        yield resource, requested.text(resource), limited.text(resource)


def _share(amounts: Amounts, resource: str, have: dict[str, str]) -> str:
    """An amount and how many percent of the node it is, rounded down."""
    measure = quantity.milli if resource == "cpu" else quantity.value
    of = measure(have.get(resource, "0"))
    percent = int(measure(amounts.text(resource)) / of * 100) if of else 0
    return f"{amounts.text(resource)} ({percent}%)"
