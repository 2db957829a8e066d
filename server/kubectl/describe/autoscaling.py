"""HorizontalPodAutoscalers: every metric as current / target, the behavior, the size of what is scaled, conditions."""

from __future__ import annotations

from server.kubectl.describe.events import describe_events_of
from server.kubectl.describe.layout import Page
from server.kubectl.describe.scope import Object, Scope
from server.kubectl.describe.values import date

AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
UNKNOWN, AUTO, UNSET = "<unknown>", "<auto>", "<unset>"


def describe_autoscaler(autoscaler: Object, scope: Scope, page: Page) -> None:
    """Whatever version it was asked for in, it is described as of autoscaling/v2."""
    meta = autoscaler["metadata"]
    if autoscaler["apiVersion"] != "autoscaling/v2":
        autoscaler = scope.api.read(AUTOSCALERS, meta["namespace"], meta["name"])
    meta, spec, status = autoscaler["metadata"], autoscaler["spec"], autoscaler.get("status") or {}
    target = spec["scaleTargetRef"]
    page.fields((("Name", meta["name"]), ("Namespace", meta["namespace"])))
    page.labels("Labels", meta.get("labels"))
    page.annotations(meta.get("annotations"))
    page.fields((("CreationTimestamp", date(meta.get("creationTimestamp"))), ("Reference", f"{target['kind']}/{target['name']}")))
    _metrics(spec.get("metrics") or [], status.get("currentMetrics") or [], page)
    page.field("Min replicas", UNSET if spec.get("minReplicas") is None else spec["minReplicas"])
    page.field("Max replicas", spec["maxReplicas"])
    if spec.get("behavior") is not None:
        page.row(0, "Behavior:")
        for name, direction in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
            _rules(name, spec["behavior"].get(direction), page)
    page.row(0, f"{target['kind']} pods:", f"{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired")
    if status.get("conditions"):
        page.row(0, "Conditions:")
        rows = ((entry["type"], entry["status"], entry.get("reason", ""), entry.get("message", "")) for entry in status["conditions"])
        page.table(("Type", "Status", "Reason", "Message"), ("----", "------", "------", "-------"), rows)
    describe_events_of(autoscaler, scope, page)


def _metrics(metrics: list[Object], current: list[Object], page: Page) -> None:
    page.row(0, "Metrics:", "( current / target )")
    for index, metric in enumerate(metrics):
        kind = metric["type"]
        field = kind[:1].lower() + kind[1:]
        status = (current[index] if index < len(current) else {}).get(field) or {}
        name, words = _LINES.get(kind, _unknown)(metric, status)
        page.row(1, name, words)


def _amount(now: Object, target: Object, field: str) -> str:
    return f"{now.get(field, UNKNOWN)} / {target.get(field)}"


def _external(metric: Object, status: Object) -> tuple[str, str]:
    source, now = metric["external"], status.get("current") or {}
    if source["target"].get("averageValue") is not None:
        return f"\"{source['metric']['name']}\" (target average value):", _amount(now, source["target"], "averageValue")
    return f"\"{source['metric']['name']}\" (target value):", _amount(now, source["target"], "value")


def _pods(metric: Object, status: Object) -> tuple[str, str]:
    source, now = metric["pods"], status.get("current") or {}
    return f"\"{source['metric']['name']}\" on pods:", _amount(now, source["target"], "averageValue")


def _object(metric: Object, status: Object) -> tuple[str, str]:
    source, now = metric["object"], status.get("current") or {}
    about = source["describedObject"]
    field = "averageValue" if source["target"].get("averageValue") is not None else "value"
    average = "average " if field == "averageValue" else ""
    return (f"\"{source['metric']['name']}\" on {about['kind']}/{about['name']} (target {average}value):", _amount(now, source["target"], field))


def _resource(metric: Object, status: Object) -> tuple[str, str]:
    source = metric["resource"]
    return _used(f"resource {source['name']} on pods", source["target"], status.get("current") or {})


def _container_resource(metric: Object, status: Object) -> tuple[str, str]:
    source = metric["containerResource"]
    name = f"resource {source['name']} of container \"{source['container']}\" on pods"
    return _used(name, source["target"], status.get("current") or {})


def _used(name: str, target: Object, now: Object) -> tuple[str, str]:
    if target.get("averageValue") is not None:
        return f"{name}:", _amount(now, target, "averageValue")
    used, wanted = now.get("averageUtilization"), target.get("averageUtilization")
    shown = UNKNOWN if used is None else f"{used}% ({now.get('averageValue')})"
    return f"{name}  (as a percentage of request):", f"{shown} / {AUTO if wanted is None else f'{wanted}%'}"


def _unknown(metric: Object, status: Object) -> tuple[str, str]:
    return f"<unknown metric type \"{metric['type']}\">", ""


_LINES = {"External": _external, "Pods": _pods, "Object": _object, "Resource": _resource, "ContainerResource": _container_resource}


def _rules(name: str, rules: Object | None, page: Page) -> None:
    if rules is None:
        return
    page.row(1, f"{name}:")
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        page.row(2, f"Stabilization Window: {window} seconds")
    if not rules.get("policies"):
        return
    if rules.get("selectPolicy") is not None:
        page.row(2, f"Select Policy: {rules['selectPolicy']}")
    page.row(2, "Policies:")
    for policy in rules["policies"]:
        page.row(3, f"- Type: {policy['type']}\tValue: {policy['value']}\tPeriod: {policy['periodSeconds']} seconds")
