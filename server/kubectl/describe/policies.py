"""PodDisruptionBudgets and PriorityClasses."""

from __future__ import annotations

from server.cluster import printing
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import NONE, UNSET, Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import go_bool

COUNTS = (("Allowed disruptions", "disruptionsAllowed"), ("Current", "currentHealthy"), ("Desired", "desiredHealthy"),
          ("Total", "expectedPods"))


def describe_disruption_budget(budget: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = budget["metadata"], budget.get("spec") or {}, budget.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    if spec.get("minAvailable") is not None:
        page.field("Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        page.field("Max unavailable", spec["maxUnavailable"])
    page.field("Selector", printing.selector(spec["selector"]) if spec.get("selector") is not None else UNSET)
    page.row(0, "Status:")
    page.fields(((label, status.get(field, 0)) for label, field in COUNTS), 2)
    describe_events_of(budget, scope, page)


def describe_priority_class(priority: Object, scope: Scope, page: Page) -> None:
    meta = priority["metadata"]
    page.fields((
        ("Name", meta["name"]), ("Value", priority["value"]), ("GlobalDefault", go_bool(priority.get("globalDefault"))),
        ("PreemptionPolicy", priority.get("preemptionPolicy", "")), ("Description", priority.get("description", "")),
        ("Annotations", ",".join(f"{key}={value}" for key, value in sorted((meta.get("annotations") or {}).items())) or NONE)))
    describe_events_of(priority, scope, page)
