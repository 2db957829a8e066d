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
from server.cluster.kubelet.registry import matches as strikes
from server.cluster.objects import Object
from server.cluster.runtime.figures import figures
from server.cluster.runtime.references import InvalidReference, parse
from server.live.records import PULL_FAILURES, thing_id
from server.live.why import configuration, probes, remedies
from server.live.why.telling import Reason, aid, fact, names, reason, scope

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
                or _not_made(cluster, pod, spec, state["waiting"].get("message", ""), at, f"status.{field[:-1]}Statuses[{index}]", base)
            )
        elif waiting in ("RunContainerError", "StartError", "ContainerCannotRun") or (waiting == "CrashLoopBackOff" and _started_badly(status)):
            found.append(_start_failed(cluster, pod, spec, status, at, field, index, base))
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
            found.append(probes.unready(cluster, pod, spec, status, at, base))
        elif waiting == "ContainerCreating" and (pull := _pulling(cluster, pod, spec, at, base)) is not None:
            found.append(pull)
        if found and field == "initContainers":
            break
    order = ("crash-loop", "oom", "oom-more", "liveness-killed", "start-failed", "container-ended", "image-pull")
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
        (one["message"] for one in reversed(probes.events(cluster, pod)) if one.get("reason") == "Failed" and image in one.get("message", "")),
        status["state"]["waiting"].get("message", ""),
    )
    params = {**base, "image": image, "said": (said.partition(": ")[2] or said).rstrip("."), "left": _left(cluster, pod)}
    facts = [fact(pod, f"{at}.image", image), fact(pod, _status_path(at, "state.waiting.reason"), status["state"]["waiting"]["reason"])]
    struck = next((one for one in cluster.chaos.active() if one["fault"] == "image" and _struck(one["target"], image)), None)
    if struck is not None:
        broken = [fact(thing_id("Fault", "", str(struck["number"])), "", struck["target"]), *facts]
        return reason("image-pull", params, broken, [aid("heal"), aid("describe", probes.described(pod))])
    aids = [remedies.set_image(cluster, pod, spec), aid("describe", probes.described(pod))]
    if "InvalidImageName" in status["state"]["waiting"]["reason"]:
        return reason("image-name", params, facts, aids)
    if status["state"]["waiting"]["reason"] == "ErrImageNeverPull":
        pulled = remedies.template(cluster, pod, "let-pull", ("replace", f"{at[5:]}.imagePullPolicy", "IfNotPresent"))
        return reason("image-never", params, [*facts, fact(pod, f"{at}.imagePullPolicy", spec.get("imagePullPolicy", ""))], [pulled])
    return reason("image-pull", params, facts, aids)


def _struck(pattern: str, image: str) -> bool:
    try:
        return strikes(pattern, parse(image))
    except InvalidReference:
        return False


def _pulling(cluster: Cluster, pod: Object, spec: Object, at: str, base: dict[str, Any]) -> Reason | None:
    pull = cluster.kubelets.progress(pod["metadata"]["uid"]).get("pull")
    if pull is None:
        return None
    return reason(
        "pulling",
        {**base, "image": spec.get("image", ""), "left": max(0, round(pull["until"] - cluster.clock.now))},
        [fact(pod, f"{at}.image", spec.get("image", ""))],
    )


def _not_made(cluster: Cluster, pod: Object, spec: Object, message: str, at: str, status: str, base: dict[str, Any]) -> Reason:
    """The kubelet refuses to make it, with the field that it refuses where that is known."""
    facts, aids = [fact(pod, f"{status}.state.waiting.message", message)], []
    if "runAsNonRoot" in message:
        own = (spec.get("securityContext") or {}).get("runAsNonRoot")
        path = f"{at}.securityContext.runAsNonRoot" if own else "spec.securityContext.runAsNonRoot"
        facts.insert(0, fact(pod, path, True))
        held = f"{at[5:]}.securityContext" if own else "securityContext"
        aids.append(remedies.template(cluster, pod, "run-as", ("add", f"{held}.runAsUser", 1000)))
    return reason("config-error", {**base, "message": message}, facts, aids)


def _start_failed(cluster: Cluster, pod: Object, spec: Object, status: Object, at: str, field: str, index: int, base: dict[str, Any]) -> Reason:
    detail = (
        (status.get("lastState") or {}).get("terminated")
        or (status.get("state") or {}).get("waiting")
        or (status.get("state") or {}).get("terminated")
        or {}
    )
    command = [*(spec.get("command") or ()), *(spec.get("args") or ())]
    given = next((name for name in ("command", "args") if spec.get(name)), "")
    return reason(
        "start-failed",
        {**base, "message": detail.get("message", ""), "command": " ".join(command)[:200] or "-"},
        [
            fact(pod, f"{at}.{given or 'image'}", " ".join(spec.get(given) or ()) or spec.get("image", "")),
            fact(pod, f"status.{field[:-1]}Statuses[{index}].lastState.terminated.message", detail.get("message", "")),
        ],
        [remedies.template(cluster, pod, "drop-command", ("remove", f"{at[5:]}.{given}", None)) if given else None],
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
        f"kubectl logs {pod['metadata']['name']}{probes.container_flag(pod, spec)} --previous{scope(pod)}"
        if status.get("restartCount")
        else f"kubectl logs {pod['metadata']['name']}{probes.container_flag(pod, spec)}{scope(pod)}",
    )
    if ended.get("reason") == "OOMKilled":
        return _oom(cluster, pod, spec, at, params, facts, logs)
    probe = probes.killed(cluster, pod, spec)
    if probe is not None:
        return reason(
            "liveness-killed",
            {**params, "probe": probe[0], "said": probe[1], "times": probe[2]},
            [probes.asked(pod, spec, at, probe[0]), *facts],
            [probes.fix(cluster, pod, spec, at, probe[0], probe[1]), logs],
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
    known = limit and wanted > quantity.value(limit)
    asked = {**params, "limit": limit or "-", "used": f"{wanted // MEBI}Mi"}
    facts = [fact(pod, f"{at}.resources.limits.memory", limit or "-"), *facts]
    if not limit:
        return reason("oom-node", asked, facts, [logs])
    enough = f"{-(-max(wanted, 2 * quantity.value(limit)) * 5 // 4 // (64 * MEBI)) * 64}Mi"
    target, _ = remedies.changeable(cluster, pod)
    raise_ = f"kubectl set resources {target} -c {spec['name']} --limits=memory={enough}{scope(pod)}"
    aids = [aid("raise-limit", raise_) if target else remedies.remake(pod), logs]
    return reason("oom", asked, facts, aids) if known else reason("oom-more", asked, facts, aids)


def restarted(cluster: Cluster, pod: Object) -> list[Reason]:
    """A pod that is well, but was not always."""
    found = []
    for field, index, spec, status in each(pod):
        ended = (status.get("lastState") or {}).get("terminated")
        if not status.get("restartCount") or not ended:
            continue
        base = f"status.{field[:-1]}Statuses[{index}]"
        ago = round(cluster.clock.now - cluster.clock.seconds(ended["finishedAt"])) if ended.get("finishedAt") else 0
        probe = probes.killed(cluster, pod, spec)
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
        aids = [aid("logs-previous", f"kubectl logs {pod['metadata']['name']}{probes.container_flag(pod, spec)} --previous{scope(pod)}")]
        if probe is not None and ended.get("reason") != "OOMKilled":
            found.append(
                reason(
                    "restarted-probe",
                    {**params, "probe": probe[0], "said": probe[1]},
                    [probes.asked(pod, spec, f"spec.{field}[{index}]", probe[0]), *facts],
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


def _last_lines(cluster: Cluster, pod: Object, container: str) -> str:
    lines = list(cluster.kubelets.runtime.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], container))
    return "\n".join(line[2][:LINE_LIMIT] for line in lines[-LAST_LINES:])


def _left(cluster: Cluster, pod: Object) -> int:
    """Seconds until its kubelet tries again."""
    waits = cluster.kubelets.progress(pod["metadata"]["uid"]).get("backoff")
    return max(0, round(waits["until"] - cluster.clock.now)) if waits else 0


def _status_path(at: str, rest: str) -> str:
    return f"status.{at.removeprefix('spec.').replace('initContainers', 'initContainerStatuses').replace('containers[', 'containerStatuses[')}.{rest}"
