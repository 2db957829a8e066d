"""Why a pod's containers do not run, do not stay, or are not ready.

In: containers' statuses, specs, Events and logs; of the runtime what listens and what memory it wants. Out: reasons, the container that
is worst off first. Each names the container and the field that decides.

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.cluster import quantity
from server.cluster.cluster import Cluster
from server.cluster.kubelet.backoff import duration
from server.cluster.objects import Object
from server.cluster.printing import event_times
from server.cluster.runtime.figures import figures
from server.live.records import PULL_FAILURES
from server.live.why import configuration
from server.live.why.telling import Reason, aid, fact, names, reason, scope, workload_of

SIGNALS = {129: "SIGHUP", 130: "SIGINT", 134: "SIGABRT", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}
LAST_LINES, LINE_LIMIT = 3, 200
MEBI = 2**20


def each(pod: Object) -> Iterator[tuple[str, int, Object, Object]]:
    """(field, index, spec, status) of every container, init containers first."""
    status = pod.get("status") or {}
    for field in ("initContainers", "containers"):
        states = {entry["name"]: entry for entry in status.get(f"{field[:-1]}Statuses") or ()}
        for index, spec in enumerate(pod["spec"].get(field) or ()):
            yield field, index, spec, states.get(spec["name"]) or {}


def troubles(cluster: Cluster, pod: Object) -> list[Reason]:
    """What keeps its containers from being ready."""
    found = []
    for field, index, spec, status in each(pod):
        state = status.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason", "")
        at = f"spec.{field}[{index}]"
        base = {"container": spec["name"]}
        if waiting in PULL_FAILURES:
            found.append(_pull(cluster, pod, spec, status, at, base))
        elif waiting in ("CreateContainerConfigError", "CreateContainerError"):
            found.append(
                configuration.missing(cluster, pod, spec, at)
                or reason(
                    "config-error",
                    {**base, "message": state["waiting"].get("message", "")},
                    [fact(pod, f"status.{field[:-1]}Statuses[{index}].state.waiting.message", state["waiting"].get("message", ""))],
                )
            )
        elif waiting in ("RunContainerError", "StartError", "ContainerCannotRun") or (waiting == "CrashLoopBackOff" and _started_badly(status)):
            found.append(_start_failed(pod, spec, status, at, field, index, base))
        elif waiting == "CrashLoopBackOff" or state.get("terminated") and not _done(pod, field, spec, state["terminated"]):
            found.append(_crashed(cluster, pod, spec, status, at, field, index, base))
        elif field == "initContainers" and "running" in state and spec.get("restartPolicy") != "Always":
            waits = names(one["name"] for one in pod["spec"]["containers"])
            found.append(
                reason(
                    "init-runs",
                    {**base, "others": waits, "number": index + 1, "count": len(pod["spec"]["initContainers"])},
                    [fact(pod, f"{at}.name", spec["name"])],
                    [aid("logs", f"kubectl logs {pod['metadata']['name']} -c {spec['name']}{scope(pod)}")],
                )
            )
        elif "running" in state and not status.get("ready") and field == "containers":
            found.append(_unready(cluster, pod, spec, status, at, base))
        elif waiting == "ContainerCreating" and (pull := _pulling(cluster, pod, spec, at, base)) is not None:
            found.append(pull)
        if found and field == "initContainers":
            break
    order = ("crash-loop", "oom", "liveness-killed", "start-failed", "container-ended", "image-pull")
    return sorted(found, key=lambda one: order.index(one["code"]) if one["code"] in order else len(order))


def _done(pod: Object, field: str, spec: Object, ended: Object) -> bool:
    """An end that is no trouble: an init container's, or of a pod that may end."""
    well = not ended.get("exitCode")
    return well and (field == "initContainers" or pod["spec"].get("restartPolicy", "Always") != "Always")


def _started_badly(status: Object) -> bool:
    ended = (status.get("lastState") or {}).get("terminated") or {}
    return ended.get("reason") in ("StartError", "ContainerCannotRun")


def _pull(cluster: Cluster, pod: Object, spec: Object, status: Object, at: str, base: dict[str, Any]) -> Reason:
    image = spec.get("image", "")
    said = next(
        (event["message"] for event in reversed(_events(cluster, pod)) if event.get("reason") == "Failed" and image in event.get("message", "")),
        status["state"]["waiting"].get("message", ""),
    )
    params = {**base, "image": image, "said": (said.partition(": ")[2] or said).rstrip("."), "left": _left(cluster, pod)}
    facts = [fact(pod, f"{at}.image", image), fact(pod, _status_path(at, "state.waiting.reason"), status["state"]["waiting"]["reason"])]
    aids = [
        aid("set-image", f"kubectl set image {workload_of(pod)} {spec['name']}={image.rpartition(':')[0] or image}:TAG{scope(pod)}"),
        aid("describe", _describe(pod)),
    ]
    if "InvalidImageName" in status["state"]["waiting"]["reason"]:
        return reason("image-name", params, facts, aids)
    if status["state"]["waiting"]["reason"] == "ErrImageNeverPull":
        return reason("image-never", params, [*facts, fact(pod, f"{at}.imagePullPolicy", spec.get("imagePullPolicy", ""))], aids)
    return reason("image-pull", params, facts, aids)


def _pulling(cluster: Cluster, pod: Object, spec: Object, at: str, base: dict[str, Any]) -> Reason | None:
    pull = cluster.kubelets.progress(pod["metadata"]["uid"]).get("pull")
    if pull is None:
        return None
    return reason(
        "pulling",
        {**base, "image": spec.get("image", ""), "left": max(0, round(pull["until"] - cluster.clock.now))},
        [fact(pod, f"{at}.image", spec.get("image", ""))],
    )


def _start_failed(pod: Object, spec: Object, status: Object, at: str, field: str, index: int, base: dict[str, Any]) -> Reason:
    detail = (
        (status.get("lastState") or {}).get("terminated")
        or (status.get("state") or {}).get("waiting")
        or (status.get("state") or {}).get("terminated")
        or {}
    )
    command = [*(spec.get("command") or ()), *(spec.get("args") or ())]
    return reason(
        "start-failed",
        {**base, "message": detail.get("message", ""), "command": " ".join(command)[:200] or "-"},
        [
            fact(pod, f"{at}.command", " ".join(spec.get("command") or ())),
            fact(pod, f"status.{field[:-1]}Statuses[{index}].lastState.terminated.message", detail.get("message", "")),
        ],
    )


def _crashed(cluster: Cluster, pod: Object, spec: Object, status: Object, at: str, field: str, index: int, base: dict[str, Any]) -> Reason:
    """A container that ended and is to run again: how it ended, its last words, and when it is tried next."""
    state = status.get("state") or {}
    ended, where = (
        (state["terminated"], "state") if state.get("terminated") else ((status.get("lastState") or {}).get("terminated") or {}, "lastState")
    )
    path = f"status.{field[:-1]}Statuses[{index}].{where}.terminated"
    params = {
        **base,
        "exit": ended.get("exitCode", "?"),
        "reason": ended.get("reason", ""),
        "restarts": status.get("restartCount", 0),
        "signal": SIGNALS.get(ended.get("exitCode", 0), "-"),
        "left": _left(cluster, pod),
        "lines": _last_lines(cluster, pod, spec["name"]),
    }
    facts = [
        fact(pod, f"{path}.exitCode", ended.get("exitCode", "?")),
        fact(pod, f"{path}.reason", ended.get("reason", "")),
        fact(pod, f"status.{field[:-1]}Statuses[{index}].restartCount", status.get("restartCount", 0)),
    ]
    logs = aid(
        "logs-previous",
        f"kubectl logs {pod['metadata']['name']}{_c(pod, spec)} --previous{scope(pod)}"
        if status.get("restartCount")
        else f"kubectl logs {pod['metadata']['name']}{_c(pod, spec)}{scope(pod)}",
    )
    if ended.get("reason") == "OOMKilled":
        return _oom(cluster, pod, spec, at, params, facts, logs)
    probe = _killed_by_probe(cluster, pod, spec)
    if probe is not None:
        return reason(
            "liveness-killed",
            {**params, "probe": probe[0], "said": probe[1], "times": probe[2]},
            [_probe_fact(pod, spec, at, probe[0]), *facts],
            [logs],
        )
    if state.get("waiting", {}).get("reason") == "CrashLoopBackOff" or "backoff" in cluster.kubelets.progress(pod["metadata"]["uid"]):
        if ended.get("exitCode") == 0:
            return reason(
                "crash-completed",
                params,
                [*facts, fact(pod, "spec.restartPolicy", pod["spec"].get("restartPolicy", "Always"))],
                [aid("use-job"), logs],
            )
        return reason("crash-loop", params, facts, [logs])
    return reason("container-ended", params, facts, [logs])


def _oom(cluster: Cluster, pod: Object, spec: Object, at: str, params: dict[str, Any], facts: list[Any], logs: Any) -> Reason:
    limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory", "")
    container = cluster.kubelets.runtime.container(pod["metadata"]["namespace"], pod["metadata"]["name"], spec["name"])
    wanted = 0
    if container is not None:
        wanted = figures(container.launch.image, container.launch.plan).memory + ((container.burn or {}).get("memory") or 0)
    used = f"{wanted // MEBI}Mi" if limit and wanted > quantity.value(limit) else "-"
    asked = {**params, "limit": limit or "-", "used": used}
    return reason(
        "oom" if limit else "oom-node",
        asked,
        [fact(pod, f"{at}.resources.limits.memory", limit or "-"), *facts],
        [aid("raise-limit", f"kubectl set resources {workload_of(pod)} -c {spec['name']} --limits=memory=SIZE{scope(pod)}"), logs],
    )


def restarted(cluster: Cluster, pod: Object) -> list[Reason]:
    """A pod that is well, but was not always."""
    found = []
    for field, index, spec, status in each(pod):
        ended = (status.get("lastState") or {}).get("terminated")
        if not status.get("restartCount") or not ended:
            continue
        base = f"status.{field[:-1]}Statuses[{index}]"
        ago = round(cluster.clock.now - cluster.clock.seconds(ended["finishedAt"])) if ended.get("finishedAt") else 0
        probe = _killed_by_probe(cluster, pod, spec)
        params = {
            "container": spec["name"],
            "restarts": status["restartCount"],
            "exit": ended.get("exitCode", "?"),
            "reason": ended.get("reason", ""),
            "signal": SIGNALS.get(ended.get("exitCode", 0), "-"),
            "ago": duration(max(0, ago)),
        }
        facts = [
            fact(pod, f"{base}.lastState.terminated.exitCode", ended.get("exitCode", "?")),
            fact(pod, f"{base}.lastState.terminated.reason", ended.get("reason", "")),
            fact(pod, f"{base}.restartCount", status["restartCount"]),
        ]
        aids = [aid("logs-previous", f"kubectl logs {pod['metadata']['name']}{_c(pod, spec)} --previous{scope(pod)}")]
        if probe is not None and ended.get("reason") != "OOMKilled":
            found.append(
                reason(
                    "restarted-probe",
                    {**params, "probe": probe[0], "said": probe[1]},
                    [_probe_fact(pod, spec, f"spec.{field}[{index}]", probe[0]), *facts],
                    aids,
                )
            )
        elif ended.get("reason") == "OOMKilled":
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory", "-")
            found.append(
                reason(
                    "restarted-oom", {**params, "limit": limit}, [fact(pod, f"spec.{field}[{index}].resources.limits.memory", limit), *facts], aids
                )
            )
        else:
            found.append(reason("restarted", params, facts, aids))
    return found


def ended(cluster: Cluster, pod: Object) -> list[Reason]:
    """The containers by which a pod has failed."""
    return [
        _crashed(cluster, pod, spec, status, f"spec.{field}[{index}]", field, index, {"container": spec["name"]})
        for field, index, spec, status in each(pod)
        if ((status.get("state") or {}).get("terminated") or {}).get("exitCode")
    ]


def _unready(cluster: Cluster, pod: Object, spec: Object, status: Object, at: str, base: dict[str, Any]) -> Reason:
    """Runs, but its startup or readiness probe has not said yes."""
    kind = "startup" if spec.get("startupProbe") and not status.get("started") else "readiness"
    probe = spec.get(f"{kind}Probe") or {}
    event = _unhealthy(cluster, pod, spec, kind)
    how = next((name for name in ("httpGet", "tcpSocket", "exec", "grpc") if name in probe), "")
    target = probe.get(how) or {}
    port = target.get("port", "")
    params = {
        **base,
        "probe": kind,
        "how": how,
        "port": port,
        "path": target.get("path", "-"),
        "every": probe.get("periodSeconds", 10),
        "threshold": probe.get("failureThreshold", 3),
        "delay": probe.get("initialDelaySeconds", 0),
    }
    facts = [
        fact(pod, f"{at}.{kind}Probe.{how}", f"{target.get('path', '')}:{port}" if port != "" else " ".join(target.get("command") or ()))
        if how
        else None,
        fact(pod, f"{at}.{kind}Probe.periodSeconds", probe.get("periodSeconds", 10)),
    ]
    aids = [aid("describe", _describe(pod)), aid("logs", f"kubectl logs {pod['metadata']['name']}{_c(pod, spec)}{scope(pod)}")]
    if event is None:
        return reason("probe-waits", params, facts, aids)
    times = event_times(event)
    since = round(cluster.clock.now - cluster.clock.seconds(times.first)) if times.first else 0
    return reason(
        "probe-fails",
        {
            **params,
            "said": (event["message"].partition(": ")[2] or event["message"]).rstrip(". \n"),
            "count": times.count,
            "since": duration(max(0, since)),
            "listens": listening(cluster, pod) or "-",
        },
        facts,
        aids,
    )


def _probe_fact(pod: Object, spec: Object, at: str, kind: str) -> Any:
    probe = spec.get(f"{kind}Probe") or {}
    how = next((name for name in ("httpGet", "tcpSocket", "exec", "grpc") if name in probe), "")
    target = probe.get(how) or {}
    shown = " ".join(target.get("command") or ()) if how == "exec" else f"{target.get('path', '')}:{target.get('port', '')}"
    return fact(pod, f"{at}.{kind}Probe.{how}", shown)


def listening(cluster: Cluster, pod: Object) -> str:
    """The ports on which something listens in a pod now."""
    sandbox = cluster.kubelets.runtime.pod(pod)
    running = [one for one in sandbox.containers.values() if one.running] if sandbox is not None else []
    return names(
        str(port) for port in sorted({port for one in running for each in one.listeners.values() for port in each.ports if one.listens(port)})
    )


def _killed_by_probe(cluster: Cluster, pod: Object, spec: Object) -> tuple[str, str, int] | None:
    """(probe, what was answered, how often) of the probe for which the kubelet killed the container last."""
    for kind in ("liveness", "startup"):
        if not spec.get(f"{kind}Probe"):
            continue
        killed = any(
            event.get("reason") == "Killing" and f"Container {spec['name']} failed {kind} probe" in event.get("message", "")
            for event in _events(cluster, pod)
        )
        event = _unhealthy(cluster, pod, spec, kind)
        if killed:
            said = event["message"] if event is not None else ""
            return kind, said.partition(": ")[2] or said, event_times(event).count if event is not None else 1
    return None


def _unhealthy(cluster: Cluster, pod: Object, spec: Object, kind: str) -> Object | None:
    return next(
        (
            event
            for event in reversed(_events(cluster, pod))
            if event.get("reason") == "Unhealthy"
            and event.get("message", "").lower().startswith(kind)
            and f"{{{spec['name']}}}" in event["involvedObject"].get("fieldPath", f"{{{spec['name']}}}")
        ),
        None,
    )


def _events(cluster: Cluster, pod: Object) -> list[Object]:
    """The pod's Events, oldest first."""
    uid = pod["metadata"]["uid"]
    found = cluster.api.lister("events").by_involved(uid)
    return sorted(found, key=lambda event: (event_times(event).last or "", int(event["metadata"]["resourceVersion"])))


def _last_lines(cluster: Cluster, pod: Object, container: str) -> str:
    lines = list(cluster.kubelets.runtime.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], container))
    return "\n".join(line[2][:LINE_LIMIT] for line in lines[-LAST_LINES:])


def _left(cluster: Cluster, pod: Object) -> int:
    """Seconds until its kubelet tries again."""
    waits = cluster.kubelets.progress(pod["metadata"]["uid"]).get("backoff")
    return max(0, round(waits["until"] - cluster.clock.now)) if waits else 0


def _status_path(at: str, rest: str) -> str:
    return f"status.{at.removeprefix('spec.').replace('initContainers', 'initContainerStatuses').replace('containers[', 'containerStatuses[')}.{rest}"


def _describe(pod: Object) -> str:
    return f"kubectl describe pod {pod['metadata']['name']}{scope(pod)}"


def _c(pod: Object, spec: Object) -> str:
    many = len(pod["spec"]["containers"]) + len(pod["spec"].get("initContainers") or ()) > 1
    return f" -c {spec['name']}" if many else ""
