"""DaemonSets: how many nodes have their pod, and the pod template."""

from __future__ import annotations

from server.cluster import printing
from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import Page
from server.kubectl.describe.pod import describe_pod_template
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import selector_text
from server.kubectl.describe.workloads import pods_status

COUNTS = (
    ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
    ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
    ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
    ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
    ("Number of Nodes Misscheduled", "numberMisscheduled"),
)


def describe_daemon_set(daemon_set: Object, scope: Scope, page: Page) -> None:
    meta, spec, status = daemon_set["metadata"], daemon_set["spec"], daemon_set.get("status") or {}
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"]), ("Selector", selector_text(spec.get("selector"))),
                 ("Node-Selector", printing.labels((spec["template"].get("spec") or {}).get("nodeSelector")))))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    for label, field in COUNTS:
        page.row(0, f"{label}: {status.get(field) or 0}")
    page.field("Pods Status", pods_status(scope.api, daemon_set))
    describe_pod_template(spec["template"], page)
    describe_events_of(daemon_set, scope, page)
