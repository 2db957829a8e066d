"""Why an autoscaler does what it does, or nothing; why a PodDisruptionBudget lets nobody go.

Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.controllers.horizontalpodautoscaler import STATE
from server.cluster.controllers.scaling_behavior import PERIOD, History, windows
from server.cluster.objects import Object, condition, uid
from server.cluster.printing import selector as as_text
from server.cluster.selectors import from_object
from server.live.records import thing_id
from server.live.why import pods, remedies
from server.live.why.telling import Aid, Reason, aid, fact, names, reason, scope

Told = tuple[str, list[Reason]]
MOST_PODS = 50


def autoscaler(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    target = spec["scaleTargetRef"]
    active, able, limited = (condition(obj, kind) for kind in ("ScalingActive", "AbleToScale", "ScalingLimited"))
    aimed = thing_id(target["kind"], meta["namespace"], target["name"])
    if able is not None and able["status"] == "False":
        return "scaling", [
            reason(
                "hpa-no-target",
                {"kind": target["kind"], "name": target["name"], "message": able.get("message", "")},
                [fact(obj, "spec.scaleTargetRef.name", target["name"])],
            )
        ]
    if active is not None and active["status"] == "False":
        return "scaling", [_blind(cluster, obj, active, aimed)]
    current, desired = status.get("currentReplicas", 0), status.get("desiredReplicas", 0)
    facts = [fact(obj, "spec.minReplicas", spec.get("minReplicas", 1)), fact(obj, "spec.maxReplicas", spec["maxReplicas"])]
    found = _arithmetic(obj, current, desired)
    if able is not None and able.get("reason") in ("ScaleDownStabilized", "ScaleUpStabilized"):
        up, down = windows(spec.get("behavior"))
        down_now = able["reason"] == "ScaleDownStabilized"
        window = down if down_now else up
        kept = cluster.parts.state.get(STATE + uid(obj))
        runs = History(kept).runs if kept else []
        high = [last for value, _, last in runs if last is not None and value >= current]
        left = max(0, round(max(high) + window - cluster.clock.now)) if high else "-"
        found.insert(
            0,
            reason(
                "stabilized-down" if down_now else "stabilized-up",
                {"window": round(window), "left": left, "current": current},
                [
                    fact(
                        obj,
                        "spec.behavior.scaleDown.stabilizationWindowSeconds" if down_now else "spec.behavior.scaleUp.stabilizationWindowSeconds",
                        round(window),
                    ),
                    *facts,
                ],
            ),
        )
    if limited is not None and limited["status"] == "True":
        params = {"max": spec["maxReplicas"], "min": spec.get("minReplicas", 1), "desired": desired}
        match limited.get("reason"):
            case "TooManyReplicas":
                found.insert(0, reason("hpa-max", params, [facts[1]]))
            case "TooFewReplicas":
                found.insert(0, reason("hpa-min", params, [facts[0]]))
            case _:
                found.insert(0, reason("hpa-rate", params, facts))
    if active is None:
        return "scaling", [reason("hpa-new", {"period": round(PERIOD)}, facts)]
    return "scaling", found or [reason("hpa-steady", {"current": current}, facts)]


def _blind(cluster: Cluster, obj: Object, active: Object, aimed: str) -> Reason:
    """``<unknown>``: nothing measures, or there is nothing to measure by."""
    message, why = active.get("message", ""), active.get("reason", "")
    told = [fact(obj, "status.conditions[ScalingActive].message", message)]
    if why == "ScalingDisabled":
        return reason("hpa-zero", {}, [fact(aimed, "spec.replicas", 0), *told])
    if not cluster.metrics.available():
        return reason(
            "no-metrics-server" if not cluster.metrics.installed() else "metrics-not-ready",
            {},
            told,
            [aid("metrics-server"), aid("look-metrics", "kubectl get pods -n kube-system -l k8s-app=metrics-server")],
        )
    if "missing request for" in message:
        what = message.partition("missing request for ")[2].split(" ")[0]
        return reason(
            "no-requests",
            {"resource": what or "cpu", "target": aimed.split("/")[2]},
            [fact(aimed, f"spec.template.spec.containers[0].resources.requests.{what or 'cpu'}", "-"), *told],
            [
                aid(
                    "set-requests",
                    f"kubectl set resources {'/'.join(aimed.lower().split('/')[::2])} --requests={what or 'cpu'}=100m{scope(obj)}",
                )
            ],
        )
    if why == "AmbiguousSelector":
        return reason("hpa-ambiguous", {"message": message}, told)
    return reason("hpa-no-metrics", {"message": message}, told)


def _arithmetic(obj: Object, current: int, desired: int) -> list[Reason]:
    """ceil(current x measured / target), with the numbers."""
    found = []
    measured = {
        (entry.get("resource") or entry.get("containerResource") or {}).get("name", ""): (
            entry.get("resource") or entry.get("containerResource") or {}
        ).get("current")
        or {}
        for entry in (obj.get("status") or {}).get("currentMetrics") or ()
    }
    for index, metric in enumerate(obj["spec"].get("metrics") or ()):
        resource: dict[str, Any] = metric.get("resource") or metric.get("containerResource") or {}
        goal, now = resource.get("target") or {}, measured.get(resource.get("name", ""), {})
        wanted, has = goal.get("averageUtilization"), now.get("averageUtilization")
        unit = "%"
        if wanted is None:
            wanted, has, unit = goal.get("averageValue"), now.get("averageValue"), ""
        if wanted is None or has is None:
            continue
        raw = -(-current * has // wanted) if unit else "-"
        within = bool(unit) and abs(has / wanted - 1) <= 0.1
        params = {
            "resource": resource["name"],
            "current": current,
            "has": f"{has}{unit}",
            "wanted": f"{wanted}{unit}",
            "raw": raw,
            "desired": desired,
        }
        facts = [
            fact(obj, f"spec.metrics[{index}].resource.target", f"{wanted}{unit}"),
            fact(obj, f"status.currentMetrics[{index}].resource.current", f"{has}{unit}"),
            fact(obj, "status.desiredReplicas", desired),
        ]
        found.append(
            reason("hpa-within", params, facts) if within else reason("hpa-formula", params, facts) if unit else reason("hpa-average", params, facts)
        )
    return found


def budget(cluster: Cluster, obj: Object) -> Told:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    allowed, healthy, desired, expected = (
        status.get(field, 0) for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    )
    rule = "minAvailable" if spec.get("minAvailable") is not None else "maxUnavailable"
    given = spec.get(rule, 1)
    params = {"allowed": allowed, "healthy": healthy, "desired": desired, "expected": expected, "rule": rule, "given": given}
    facts = [
        fact(obj, f"spec.{rule}", given),
        fact(obj, "status.currentHealthy", healthy),
        fact(obj, "status.desiredHealthy", desired),
        fact(obj, "status.disruptionsAllowed", allowed),
    ]
    selector = from_object(spec.get("selector"))
    held = cluster.api.lister("pods").select(meta["namespace"], selector)[:MOST_PODS] if spec.get("selector") is not None else []
    if not held:
        return "here", [
            reason("budget-nobody", {"selector": as_text(spec.get("selector"))}, [fact(obj, "spec.selector", as_text(spec.get("selector")))])
        ]
    if allowed:
        return "here", [reason("budget-allows", params, facts)]
    bad = pods.unready(cluster, held)
    if bad and desired < expected:
        return "blocks", [
            reason(
                "budget-unhealthy",
                {**params, "pods": names(pod["metadata"]["name"] for pod in bad)},
                [*facts, *(fact(pod, "status.conditions[Ready].status", "False") for pod in bad[:3])],
            )
        ]
    return "blocks", [reason("budget-zero", params, facts, [*_room(cluster, obj, held), aid("budget-room")])]


def _room(cluster: Cluster, obj: Object, held: list[Object]) -> list[Aid]:
    """One more replica, where the budget asks for a number; or one fewer that must stay."""
    least, meta = obj["spec"].get("minAvailable"), obj["metadata"]
    if not isinstance(least, int):
        return []
    targets = {remedies.changeable(cluster, pod)[0] for pod in held}
    target = targets.pop() if len(targets) == 1 else ""
    more = aid("scale-up", f"kubectl scale {target} --replicas={least + 1}{scope(obj)}") if target and not target.startswith("daemonset/") else None
    less = f"kubectl patch pdb {meta['name']}{scope(obj)} --type=merge -p '{{\"spec\":{{\"minAvailable\":{max(0, least - 1)}}}}}'"
    return [*([more] if more else []), aid("budget-less", less)]
