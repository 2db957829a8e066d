"""What a thing uses or does right now, as figures for small plots: a thing id comes in, plots of current values and their bounds go out.

CPU and memory are the simulation's own (``runtime.usage``), the same that the metrics server tells later and coarser; CPU is also told of
the last two minutes, which is as long as it is kept. Requests are the traffic's true rates, an autoscaler's values those of its status.
Nothing is sampled here: who wants a history asks again. Units: ``millicores``, ``bytes``, ``per second``, ``milliseconds``, ``count``.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from server.cluster import quantity
from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.objects import Object
from server.cluster.runtime.container import Container
from server.cluster.runtime.figures import MILLI
from server.cluster.runtime.usage import KEPT
from server.live.records import compact, requests

KINDS = {row.kind: row for row in RESOURCES.values()}
MADE = {"Deployment": ("replicasets.apps",), "CronJob": ("jobs.batch",)}
COUNTED = {  # kind -> (what a plot's value is called, the field of its status), and the field that says how many there should be
    "Deployment": ((("ready", "readyReplicas"), ("updated", "updatedReplicas"), ("available", "availableReplicas")), ("spec", "replicas")),
    "ReplicaSet": ((("ready", "readyReplicas"), ("available", "availableReplicas")), ("spec", "replicas")),
    "StatefulSet": ((("ready", "readyReplicas"), ("updated", "updatedReplicas")), ("spec", "replicas")),
    "ReplicationController": ((("ready", "readyReplicas"), ("available", "availableReplicas")), ("spec", "replicas")),
    "DaemonSet": ((("ready", "numberReady"), ("updated", "updatedNumberScheduled")), ("status", "desiredNumberScheduled")),
    "Job": ((("active", "active"), ("succeeded", "succeeded"), ("failed", "failed")), ("spec", "completions")),
}
STEP, MAX_PODS, MAX_PODS_PAST = 5.0, 500, 50
Plot = dict[str, Any]


def metrics(cluster: Cluster, thing: str, since: float | None = None) -> dict[str, Any] | None:
    """``{id, time, plots, past?, pods?}`` of a thing, ``past`` being its CPU (virtual second, millicores) after ``since``; None if nothing is
    measured of it."""
    kind, _, rest = thing.partition("/")
    namespace, _, name = rest.partition("/")
    told: dict[str, Any] = {"id": thing, "time": cluster.clock.now}
    if kind == "Traffic":
        source = next((source for source in cluster.network.traffic.sources() if source["name"] == name), None)
        return {**told, "plots": _asked([source])} if source is not None else None
    row = KINDS.get(kind)
    obj = cluster.api.lister(row.key).get(namespace, name) if row is not None else None
    if obj is None:
        return None
    if kind == "Node":
        return {**told, **_node(cluster, obj, since)}
    if kind == "Service":
        sources = cluster.network.traffic.sources()
        return {**told, "plots": _asked([source for source in sources if thing in (source.get("service"), source.get("target"))])}
    if kind == "HorizontalPodAutoscaler":
        return {**told, "plots": _autoscaler(obj)}
    if kind == "Pod":
        return {**told, **_pods(cluster, [obj], since, thing)}
    if kind in COUNTED:
        return {**told, **_workload(cluster, obj, since)}
    return None


def _plot(key: str, unit: str, values: dict[str, float | None], lines: dict[str, float | None] | None = None) -> Plot:
    return {"key": key, "unit": unit, "values": compact(values), "lines": compact(lines or {})}


# CPU and memory


def _bounds(pods: list[Object]) -> dict[str, dict[str, float | None]]:
    """Requests of all, and limits where each container has one."""
    asked = [requests(pod["spec"]) for pod in pods]
    limits: dict[str, float | None] = {}
    for resource in ("cpu", "memory"):
        given = [((container.get("resources") or {}).get("limits") or {}).get(resource) for pod in pods for container in pod["spec"]["containers"]]
        whole = bool(given) and all(given)
        limits[resource] = sum(quantity.milli(value) if resource == "cpu" else quantity.parse(value).value() for value in given) if whole else None
    return {"cpu": {"request": sum(cpu for cpu, _ in asked) or None, "limit": limits["cpu"]},
            "memory": {"request": sum(memory for _, memory in asked) or None, "limit": limits["memory"]}}


def _running(cluster: Cluster, pods: list[Object]) -> list[Container]:
    runtime = cluster.kubelets.runtime
    return [container for pod in pods if (sandbox := runtime.pod(pod)) is not None for container in sandbox.containers.values() if container.running]


def _pods(cluster: Cluster, pods: list[Object], since: float | None, thing: str = "") -> dict[str, Any]:
    """The CPU and memory of some pods together, and of one the requests that reach it."""
    usage = cluster.kubelets.runtime.usage
    found, bounds = _running(cluster, pods), _bounds(pods)
    plots = [_plot("cpu", "millicores", {"used": round(sum(usage.cpu(container) for container in found), 3)}, bounds["cpu"]),
             _plot("memory", "bytes", {"used": sum(usage.memory(container) for container in found)}, bounds["memory"])]
    sources = cluster.network.traffic.sources() if thing else []
    if served := [path["rate"] for source in sources for path in source.get("paths") or () if path["pod"] == thing]:
        plots.append(_plot("requests", "per second", {"reach": round(sum(served), 3)}))
    past = _past(cluster, since, lambda start, end: sum(
        usage.average(container, max(start, container.started), end) for container in found if container.started < end)) \
        if len(pods) <= MAX_PODS_PAST else []
    return {"plots": plots, **({"past": past} if past else {})}


def _past(cluster: Cluster, since: float | None, used: Any) -> list[list[float]]:
    """[virtual second, millicores] at every step that is kept."""
    now = cluster.clock.now
    if since is None:
        return []
    at = (max(0.0, since, now - KEPT) // STEP + 1) * STEP
    found = []
    while at < now:
        found.append([at, round(used(max(0.0, at - STEP), at) / MILLI, 3)])
        at += STEP
    return found


def _node(cluster: Cluster, node: Object, since: float | None) -> dict[str, Any]:
    usage, now, name = cluster.kubelets.runtime.usage, cluster.clock.now, node["metadata"]["name"]
    pods = [pod for pod in cluster.api.lister("pods").by_node(name) if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    asked = [requests(pod["spec"]) for pod in pods]
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    cpu, memory = usage.node(name, max(0.0, now - 1), now)
    past = _past(cluster, since, lambda start, end: usage.node(name, start, end)[0]) if len(pods) <= MAX_PODS_PAST else []
    return {"plots": [
        _plot("cpu", "millicores", {"used": round(cpu / MILLI, 3)},
              {"request": sum(cpu for cpu, _ in asked), "allocatable": quantity.milli(allocatable.get("cpu", "0"))}),
        _plot("memory", "bytes", {"used": memory},
              {"request": sum(memory for _, memory in asked), "allocatable": quantity.parse(allocatable.get("memory", "0")).value()}),
        _plot("pods", "count", {"running": len(pods)}, {"allocatable": quantity.parse(allocatable.get("pods", "0")).value()})],
        **({"past": past} if past else {})}


def _workload(cluster: Cluster, obj: Object, since: float | None) -> dict[str, Any]:
    fields, (where, field) = COUNTED[obj["kind"]]
    status = obj.get("status") or {}
    desired = (obj.get(where) or {}).get(field)
    plots = [_plot("replicas", "count", {name: status.get(at, 0) for name, at in fields}, {"desired": desired})]
    owners, pods = [obj["metadata"]["uid"]], []
    for resource in MADE.get(obj["kind"], ()):
        owners = [child["metadata"]["uid"] for uid in owners for child in cluster.api.lister(resource).by_owner(uid)]
    for uid in owners:
        pods.extend(islice(cluster.api.lister("pods").by_owner(uid), MAX_PODS + 1 - len(pods)))
    if len(pods) > MAX_PODS:
        return {"plots": plots, "cut": MAX_PODS}
    used = _pods(cluster, pods, since)
    return {**used, "plots": plots + used["plots"], "pods": len(pods)}


# requests and autoscalers


def _asked(sources: list[dict[str, Any]]) -> list[Plot]:
    """What some sources send, what of it succeeds and how long that takes on average."""
    ok, failed = sum(source["ok"] for source in sources), sum(source["failed"] for source in sources)
    took = sum(source["latency"] * source["ok"] for source in sources if source.get("latency"))
    return [_plot("requests", "per second", {"ok": round(ok, 3), "failed": round(failed, 3)},
                  {"rate": round(sum(source["rate"] for source in sources), 3) or None}),
            _plot("latency", "milliseconds", {"mean": round(took / ok, 3) if ok else None})]


def _autoscaler(obj: Object) -> list[Plot]:
    spec, status = obj["spec"], obj.get("status") or {}
    plots = [_plot("replicas", "count", {"current": status.get("currentReplicas", 0), "desired": status.get("desiredReplicas", 0)},
                   {"least": spec.get("minReplicas", 1), "most": spec["maxReplicas"]})]
    for wanted, seen in zip(spec.get("metrics") or (), (status.get("currentMetrics") or ()), strict=False):
        kind = wanted["type"][0].lower() + wanted["type"][1:]
        source, now = wanted.get(kind) or {}, seen.get(kind) or {}
        target, current = source.get("target") or {}, now.get("current") or {}
        name = source.get("name") or (source.get("metric") or {}).get("name", "")
        if target.get("type") == "Utilization":
            field = "averageUtilization"
            plots.append(_plot(f"metric {name}", "percent", {"current": current.get(field)}, {"target": target.get(field)}))
        else:
            field = "averageValue" if "averageValue" in target else "value"
            plots.append(_plot(f"metric {name}", "amount", {"current": _amount(current.get(field))}, {"target": _amount(target.get(field))}))
    return plots


def _amount(value: Any) -> float | None:
    return quantity.milli(value) / 1000 if value not in (None, "") else None
