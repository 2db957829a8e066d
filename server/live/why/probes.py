"""Why a probe fails or has killed: what it asks, what was answered, and where something listens.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.kubelet.backoff import duration
from server.cluster.objects import Object
from server.cluster.printing import event_times
from server.cluster.runtime.images import PullError, image
from server.cluster.runtime.references import InvalidReference
from server.live.why import remedies
from server.live.why.telling import Reason, aid, fact, names, reason, scope


def unready(cluster: Cluster, pod: Object, spec: Object, status: Object, at: str, base: dict[str, Any]) -> Reason:
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
    aids = [
        fix(cluster, pod, spec, at, kind, event["message"] if event is not None else ""),
        aid("describe", described(pod)),
        aid("logs", f"kubectl logs {pod['metadata']['name']}{container_flag(pod, spec)}{scope(pod)}"),
    ]
    if event is None:
        return reason("probe-waits", params, facts, aids)
    times = event_times(event)
    since = round(cluster.clock.now - cluster.clock.seconds(times.first)) if times.first else 0
    params |= {
        "said": (event["message"].partition(": ")[2] or event["message"]).rstrip(". \n"),
        "count": times.count,
        "since": duration(max(0, since)),
        "listens": listening(cluster, pod),
    }
    return reason("probe-fails", params, facts, aids) if port != "" and params["listens"] else reason("probe-says", params, facts, aids)


def fix(cluster: Cluster, pod: Object, spec: Object, at: str, kind: str, said: str) -> Any:
    """Asks where something listens, if that is what is wrong with it."""
    probe = spec.get(f"{kind}Probe") or {}
    how = next((name for name in ("httpGet", "tcpSocket", "grpc") if name in probe), "")
    named = [entry.get("containerPort") for entry in spec.get("ports") or () if entry.get("name") == (probe.get(how) or {}).get("port")]
    port = named[0] if named else (probe.get(how) or {}).get("port")
    heard = [int(text) for text in (listening(cluster, pod) or _usual(pod, spec)).split(", ") if text.isdigit()]
    if how and heard and port not in heard:
        return remedies.template(cluster, pod, "fix-probe", ("replace", f"{at[5:]}.{kind}Probe.{how}.port", heard[0]), port=heard[0])
    if how == "httpGet" and heard and "statuscode: 404" in said:
        return remedies.template(cluster, pod, "fix-path", ("replace", f"{at[5:]}.{kind}Probe.{how}.path", "/"))
    return None


def _usual(pod: Object, spec: Object) -> str:
    """Where its image would listen, if it ran."""
    try:
        return names(str(port) for port in image(spec.get("image", "")).ports)
    except (PullError, InvalidReference):
        return ""


def asked(pod: Object, spec: Object, at: str, kind: str) -> Any:
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


def killed(cluster: Cluster, pod: Object, spec: Object) -> tuple[str, str, int] | None:
    """(probe, what was answered, how often) of the probe for which the kubelet killed the container last."""
    for kind in ("liveness", "startup"):
        if not spec.get(f"{kind}Probe"):
            continue
        killed = any(
            event.get("reason") == "Killing" and f"Container {spec['name']} failed {kind} probe" in event.get("message", "")
            for event in events(cluster, pod)
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
            for event in reversed(events(cluster, pod))
            if event.get("reason") == "Unhealthy"
            and event.get("message", "").lower().startswith(kind)
            and f"{{{spec['name']}}}" in event["involvedObject"].get("fieldPath", f"{{{spec['name']}}}")
        ),
        None,
    )


def events(cluster: Cluster, pod: Object) -> list[Object]:
    """The pod's Events, oldest first."""
    uid = pod["metadata"]["uid"]
    found = cluster.api.lister("events").by_involved(uid)
    return sorted(found, key=lambda event: (event_times(event).last or "", int(event["metadata"]["resourceVersion"])))


def described(pod: Object) -> str:
    return f"kubectl describe pod {pod['metadata']['name']}{scope(pod)}"


def container_flag(pod: Object, spec: Object) -> str:
    many = len(pod["spec"]["containers"]) + len(pod["spec"].get("initContainers") or ()) > 1
    return f" -c {spec['name']}" if many else ""
