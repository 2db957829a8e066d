"""Deployments, ReplicaSets and ReplicationControllers: strategy, counts, pod template, conditions, and which ReplicaSets are new and old."""

from __future__ import annotations

from collections import Counter
from typing import Any

from server.cluster import printing, selectors
from server.cluster.errors import ApiError
from server.cluster.objects import controller_of
from server.kubectl.client import ApiClient
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.pod import describe_pod_template
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, selector_text

PHASES = (("Running", "Running"), ("Waiting", "Pending"), ("Succeeded", "Succeeded"), ("Failed", "Failed"))
HASH_LABEL = "pod-template-hash"


def describe_deployment(deployment: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("CreationTimestamp", date(meta.get("creationTimestamp")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("Selector", selector_text(spec.get("selector")))
    counts = (spec.get("replicas", 1), *(status.get(field) or 0 for field in
              ("updatedReplicas", "replicas", "availableReplicas", "unavailableReplicas")))
    page.field("Replicas", "{} desired | {} updated | {} total | {} available | {} unavailable".format(*counts))
    strategy = spec.get("strategy") or {}
    page.field("StrategyType", strategy.get("type", ""))
    page.field("MinReadySeconds", spec.get("minReadySeconds") or 0)
    rolling = strategy.get("rollingUpdate")
    if rolling:
        page.field("RollingUpdateStrategy", f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge")
    describe_pod_template(spec["template"], page)
    _conditions(page, status)
    try:
        old, new = replica_sets_of(scope.api, deployment)
    except ApiError:
        old, new = [], None
    if old or new:
        page.field("OldReplicaSets", _created(old))
        page.field("NewReplicaSet", _created([new] if new else []))
    describe_events_of(deployment, scope, page)


def _conditions(page: Page, status: Object) -> None:
    if status.get("conditions"):
        page.row(0, "Conditions:")
        rows = ((f"{each['type']} ", each["status"], each.get("reason", "")) for each in status["conditions"])
        page.table(("Type", "Status", "Reason"), ("----", "------", "------"), rows)


def _created(replica_sets: list[Object]) -> str:
    return ", ".join(
        f"{each['metadata']['name']} ({(each.get('status') or {}).get('replicas') or 0}/{each['spec'].get('replicas', 1)} replicas created)"
        for each in replica_sets
    ) or NONE


def describe_replica_set(replica_set: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = replica_set["metadata"], replica_set["spec"], replica_set.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("Selector", printing.selector(spec.get("selector")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    owner = controller_of(replica_set)
    if owner:
        page.field("Controlled By", f"{owner['kind']}/{owner['name']}")
    page.field("Replicas", f"{status.get('replicas') or 0} current / {spec.get('replicas', 1)} desired")
    page.field("Pods Status", pods_status(scope.api, replica_set))
    describe_pod_template(spec.get("template"), page)
    _conditions(page, status)
    describe_events_of(replica_set, scope, page)


def describe_replication_controller(controller: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = controller["metadata"], controller["spec"], controller.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("Selector", printing.labels(spec.get("selector")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("Replicas", f"{status.get('replicas') or 0} current / {spec.get('replicas', 1)} desired")
    page.field("Pods Status", pods_status(scope.api, controller))
    describe_pod_template(spec.get("template"), page)
    _conditions(page, status)
    describe_events_of(controller, scope, page)


def pods_status(api: ApiClient, owner: Object) -> str:
    try:
        pods = api.items("pods", owner["metadata"]["namespace"], label_selector=str(selectors.of_workload(owner)))
    except ApiError as error:
        return f"error in fetching pods: {error.message}"
    phases = Counter((pod.get("status") or {}).get("phase") for pod in pods if _controlled(pod, owner))
    return " / ".join(f"{phases[phase]} {label}" for label, phase in PHASES)


def _controlled(obj: Object, owner: Object) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def replica_sets_of(api: ApiClient, deployment: Object) -> tuple[list[Object], Object | None]:
    """(old, new): the ReplicaSets the Deployment controls, oldest first; new is the one that runs its present template."""
    selector = selector_text(deployment["spec"].get("selector"))
    listed = api.items("replicasets.apps", deployment["metadata"]["namespace"], label_selector=selector)
    owned = sorted((each for each in listed if _controlled(each, deployment)),
                   key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"]))
    wanted = comparable_template(deployment["spec"]["template"])
    new = next((each for each in owned if comparable_template(each["spec"]["template"]) == wanted), None)
    return [each for each in owned if each is not new], new


def comparable_template(template: Object) -> Any:
    """The template without its hash label and without empty parts, which mean the same as absent ones."""
    labels = {key: value for key, value in ((template.get("metadata") or {}).get("labels") or {}).items() if key != HASH_LABEL}
    return _solid({**template, "metadata": {**(template.get("metadata") or {}), "labels": labels, "creationTimestamp": None}})


def _solid(value: Any) -> Any:
    if isinstance(value, dict):
        parts = {key: _solid(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not None and part != [] and part != {}}
    return [_solid(part) for part in value] if isinstance(value, list) else value
