"""Pods, and the pod template inside everything that makes pods."""

from __future__ import annotations

from server.cluster import printing
from server.cluster.objects import controller_of
from server.kubectl.describe.containers import describe_containers, describe_resources
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, since
from server.kubectl.describe.volumes import describe_volumes

ENDED = ("Failed", "Succeeded")


def describe_pod(pod: Object, scope: Scope, page: Page) -> None:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    _identity(page, pod, spec, status)
    _phase(page, pod, spec, status, scope)
    _addresses(page, status)
    owner = controller_of(pod)
    if owner:
        page.field("Controlled By", f"{owner['kind']}/{owner['name']}")
    if status.get("nominatedNodeName"):
        page.field("NominatedNodeName", status["nominatedNodeName"])
    if spec.get("resources"):
        page.row(0, "Resources:")
        describe_resources(page, spec["resources"], 1)
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], status.get("initContainerStatuses"), pod)
    describe_containers(page, "Containers", spec.get("containers") or [], status.get("containerStatuses"), pod)
    if spec.get("ephemeralContainers"):
        describe_containers(page, "Ephemeral Containers", spec["ephemeralContainers"], status.get("ephemeralContainerStatuses"), pod)
    _conditions(page, spec, status)
    describe_volumes(page, spec.get("volumes"))
    page.field("QoS Class", status.get("qosClass") or "BestEffort")
    page.labels("Node-Selectors", spec.get("nodeSelector"))
    page.many("Tolerations", tolerations(spec))
    _spread(page, spec)
    describe_events_of(pod, scope, page, any_kind=True)


def _identity(page: Page, pod: Object, spec: Object, status: Object) -> None:
    page.field("Name", pod["metadata"]["name"])
    page.field("Namespace", pod["metadata"].get("namespace", ""))
    if spec.get("priority") is not None:
        page.field("Priority", spec["priority"])
    for label, field in (("Priority Class Name", "priorityClassName"), ("Runtime Class Name", "runtimeClassName"),
                         ("Service Account", "serviceAccountName")):
        if spec.get(field):
            page.field(label, spec[field])
    page.field("Node", f"{spec['nodeName']}/{status.get('hostIP', '')}" if spec.get("nodeName") else NONE)
    if status.get("startTime"):
        page.field("Start Time", date(status["startTime"]))
    page.labels("Labels", pod["metadata"].get("labels"))
    page.annotations(pod["metadata"].get("annotations"))


def _phase(page: Page, pod: Object, spec: Object, status: Object, scope: Scope) -> None:
    deleted = pod["metadata"].get("deletionTimestamp")
    if deleted and status.get("phase") not in ENDED:
        page.field("Status", f"Terminating (lasts {since(scope.now, deleted)})")
        page.field("Termination Grace Period", f"{pod['metadata'].get('deletionGracePeriodSeconds') or 0}s")
    else:
        page.field("Status", status.get("phase", ""))
    for label, field in (("Reason", "reason"), ("Message", "message")):
        if status.get(field):
            page.field(label, status[field])
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if profile:
        page.field("SeccompProfile", profile["type"])
        if profile["type"] == "Localhost":
            page.field("LocalhostProfile", profile.get("localhostProfile", ""))


def _addresses(page: Page, status: Object) -> None:
    page.field("IP", status.get("podIP", ""))
    if not status.get("podIPs"):
        page.field("IPs", NONE)
        return
    page.row(0, "IPs:")
    for address in status["podIPs"]:
        page.field("IP", address["ip"], 1)


def _conditions(page: Page, spec: Object, status: Object) -> None:
    conditions = status.get("conditions") or ()
    known = {condition["type"]: condition["status"] for condition in reversed(conditions)}
    gates = [(f"{gate['conditionType']} ", f"{known.get(gate['conditionType'], NONE)} ") for gate in spec.get("readinessGates") or ()]
    rows = [(f"{condition['type']} ", f"{condition['status']} ") for condition in conditions]
    for title, lines in (("Readiness Gates:", gates), ("Conditions:", rows)):
        if lines:
            page.row(0, title)
            page.row(1, "Type", "Status")
            for line in lines:
                page.row(1, *line)


def tolerations(spec: Object) -> list[str]:
    """
    >>> tolerations({"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 3}]})
    ['op=Exists', 'a=b:NoExecute for 3s']
    """
    return [_toleration(toleration) for toleration in sorted(spec.get("tolerations") or (), key=lambda each: each.get("key", ""))]


def _toleration(toleration: Object) -> str:
    key, value, effect = (toleration.get(field) or "" for field in ("key", "value", "effect"))
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if toleration.get("operator") == "Exists" and not value:
        text = f"{text} op=Exists" if text else "op=Exists"
    seconds = toleration.get("tolerationSeconds")
    return text if seconds is None else f"{text} for {seconds}s"


def _spread(page: Page, spec: Object, space: str = "") -> None:
    constraints = sorted(spec.get("topologySpreadConstraints") or (), key=lambda each: each["topologyKey"])
    for at, constraint in enumerate(constraints):
        text = f"{constraint['topologyKey']}:{constraint['whenUnsatisfiable']} when max skew {constraint['maxSkew']} is exceeded"
        if constraint.get("labelSelector") is not None:
            text += f" for selector {printing.selector(constraint['labelSelector'])}"
        page.row(0, space if at else f"{space}Topology Spread Constraints:", text)


def describe_pod_template(template: Object | None, page: Page) -> None:
    page.row(0, "Pod Template:")
    if template is None:
        page.row(1, "<unset>")
        return
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.labels("  Labels", meta.get("labels"))
    if meta.get("annotations"):
        page.annotations(meta["annotations"], "  Annotations")
    if spec.get("serviceAccountName"):
        page.field("Service Account", spec["serviceAccountName"], 1)
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], space="  ")
    describe_containers(page, "Containers", spec.get("containers") or [], space="  ")
    describe_volumes(page, spec.get("volumes"), "  ")
    _spread(page, spec, "  ")
    if spec.get("priorityClassName"):
        page.field("Priority Class Name", spec["priorityClassName"], 1)
    page.labels("  Node-Selectors", spec.get("nodeSelector"))
    page.many("  Tolerations", tolerations(spec))
