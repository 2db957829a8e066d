"""StatefulSets: update strategy, counts, the pod template and the claim templates."""

from __future__ import annotations

from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.pod import describe_pod_template
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date, selector_text
from server.kubectl.describe.workloads import pods_status

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def describe_stateful_set(stateful_set: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = stateful_set["metadata"], stateful_set["spec"], stateful_set.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("CreationTimestamp", date(meta.get("creationTimestamp"))),
                 ("Selector", selector_text(spec.get("selector")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.field("Replicas", f"{spec.get('replicas', 1)} desired | {status.get('replicas') or 0} total")
    strategy = spec.get("updateStrategy") or {}
    page.field("Update Strategy", strategy.get("type", ""))
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        page.field("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            page.field("MaxUnavailable", rolling["maxUnavailable"], 1)
    page.field("Pods Status", pods_status(scope.api, stateful_set))
    describe_pod_template(spec["template"], page)
    _claims(spec.get("volumeClaimTemplates"), page)
    describe_events_of(stateful_set, scope, page)


def _claims(templates: list[Object] | None, page: Page) -> None:
    if not templates:
        page.field("Volume Claims", NONE)
        return
    page.row(0, "Volume Claims:")
    for template in templates:
        meta, spec = template.get("metadata") or {}, template.get("spec") or {}
        noted = meta.get("annotations") or {}
        page.field("Name", meta.get("name", ""), 1)
        page.field("StorageClass", noted.get(CLASS_ANNOTATION, spec.get("storageClassName") or ""), 1)
        _pairs("Labels", meta.get("labels"), page)
        _pairs("Annotations", noted, page)
        page.field("Capacity", ((spec.get("resources") or {}).get("requests") or {}).get("storage", "<default>"), 1)
        page.field("Access Modes", f"[{' '.join(spec.get('accessModes') or ())}]", 1)


def _pairs(label: str, values: dict[str, str] | None, page: Page) -> None:
    lines = [f"{key}={values[key]}" for key in sorted(values)] if values else [NONE]
    page.field(label, lines[0], 1)
    for line in lines[1:]:
        page.row(1, "", line)
