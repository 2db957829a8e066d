"""How containers are described: what they run, their state, resources, probes, environment and mounts.

Used for a running pod, where statuses are known and field references can be resolved, and for a pod template, where they are not
and everything stands one space further in.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from server.cluster import quantity
from server.cluster.printing import host_port
from server.kubectl.describe.layout import NONE, Page
from server.kubectl.describe.scope import Object
from server.kubectl.describe.values import date, go_bool, go_list

PROBES = (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe"))


def describe_containers(
    page: Page, title: str, containers: list[Object], statuses: list[Object] | None = None, pod: Object | None = None, space: str = ""
) -> None:
    by_name = {status["name"]: status for status in statuses or ()}
    page.row(0, f"{space}{title}:{'' if containers else ' ' + NONE}")
    for container in containers:
        status = by_name.get(container["name"])
        page.row(1, f"{' ' if space else ''}{container['name']}:")
        _basics(page, container, status)
        _command(page, container)
        if status is not None:
            _status(page, status)
        describe_resources(page, container.get("resources"), 2)
        for label, field in PROBES:
            if container.get(field):
                page.field(label, probe_text(container[field]), 2)
        _env_from(page, container)
        _env(page, container, pod)
        _mounts(page, container)


def _basics(page: Page, container: Object, status: Object | None) -> None:
    if status is not None:
        page.field("Container ID", status.get("containerID", ""), 2)
    page.field("Image", container.get("image", ""), 2)
    if status is not None:
        page.field("Image ID", status.get("imageID", ""), 2)
    ports = container.get("ports") or ()
    for label, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        texts = [_port(port, field) for port in ports]
        page.field(label + "s" if len(texts) > 1 else label, ", ".join(texts) or NONE, 2)
    profile = (container.get("securityContext") or {}).get("seccompProfile")
    if profile:
        page.field("SeccompProfile", profile["type"], 2)
        if profile["type"] == "Localhost":
            page.field("LocalhostProfile", profile.get("localhostProfile", ""), 3)


def _port(port: Object, field: str) -> str:
    text = f"{port.get(field) or 0}/{port.get('protocol', 'TCP')}"
    return f"{text} ({port['name']})" if port.get("name") else text


def _command(page: Page, container: Object) -> None:
    for label, field in (("Command", "command"), ("Args", "args")):
        if container.get(field):
            page.row(2, f"{label}:")
            for word in container[field]:
                for line in word.split("\n"):
                    page.row(3, line)


def _status(page: Page, status: Object) -> None:
    _state(page, "State", status.get("state") or {})
    last = status.get("lastState") or {}
    if last.get("terminated"):
        _state(page, "Last State", last)
    page.field("Ready", str(bool(status.get("ready"))), 2)
    page.field("Restart Count", status.get("restartCount") or 0, 2)


def _state(page: Page, label: str, state: Object) -> None:
    running, waiting, terminated = state.get("running"), state.get("waiting") or {}, state.get("terminated")
    if running is not None:
        page.field(label, "Running", 2)
        page.field("Started", date(running.get("startedAt")), 3)
    elif terminated is None or state.get("waiting") is not None:
        page.field(label, "Waiting", 2)
        if waiting.get("reason"):
            page.field("Reason", waiting["reason"], 3)
    else:
        page.field(label, "Terminated", 2)
        for name in ("Reason", "Message"):
            if terminated.get(name.lower()):
                page.field(name, terminated[name.lower()], 3)
        page.field("Exit Code", terminated.get("exitCode") or 0, 3)
        if terminated.get("signal"):
            page.field("Signal", terminated["signal"], 3)
        page.field("Started", date(terminated.get("startedAt")), 3)
        page.field("Finished", date(terminated.get("finishedAt")), 3)


def describe_resources(page: Page, resources: Object | None, level: int) -> None:
    for label, field in (("Limits", "limits"), ("Requests", "requests")):
        amounts = (resources or {}).get(field)
        if amounts:
            page.row(level, f"{label}:")
            page.fields(((name, quantity.canonical(amounts[name])) for name in sorted(amounts)), level + 1)


def probe_text(probe: Object) -> str:
    """
    >>> probe_text({"tcpSocket": {"port": 80}, "periodSeconds": 2})
    'tcp-socket :80 delay=0s timeout=0s period=2s #success=0 #failure=0'
    """
    number = {field: probe.get(field) or 0 for field in
              ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")}
    timing = (f"delay={number['initialDelaySeconds']}s timeout={number['timeoutSeconds']}s period={number['periodSeconds']}s "
              f"#success={number['successThreshold']} #failure={number['failureThreshold']}")
    if probe.get("exec") is not None:
        return f"exec {go_list(probe['exec'].get('command'))} {timing}"
    if probe.get("httpGet") is not None:
        return f"http-get {_probe_url(probe['httpGet'])} {timing}"
    if probe.get("tcpSocket") is not None:
        return f"tcp-socket {probe['tcpSocket'].get('host', '')}:{probe['tcpSocket']['port']} {timing}"
    if probe.get("grpc") is not None:
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service') or ''} {timing}"
    return f"unknown {timing}"


def _probe_url(get: Object) -> str:
    path = get.get("path") or ""
    if path and not path.startswith("/"):
        path = "/" + path
    return f"{get.get('scheme', 'HTTP').lower()}://{host_port(get.get('host', ''), get['port'])}{quote(path, safe='/$&+,:;=@')}"


def _env_from(page: Page, container: Object) -> None:
    if not container.get("envFrom"):
        return
    page.row(2, "Environment Variables from:")
    for source in container["envFrom"]:
        kind, ref = ("ConfigMap", source["configMapRef"]) if source.get("configMapRef") else ("Secret", source.get("secretRef") or {})
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        page.row(3, ref.get("name", ""), f"{kind}{prefix}", f"Optional: {go_bool(ref.get('optional'))}")


def _env(page: Page, container: Object, pod: Object | None) -> None:
    variables = container.get("env")
    if not variables:
        page.field("Environment", NONE, 2)
        return
    page.row(2, "Environment:")
    for variable in variables:
        source = variable.get("valueFrom")
        if source is None:
            first, *more = str(variable.get("value") or "").split("\n")
            page.field(variable["name"], first, 3)
            for line in more:
                page.row(3, "", line)
        else:
            _sourced(page, variable["name"], source, container, pod)


def _sourced(page: Page, name: str, source: Object, container: Object, pod: Object | None) -> None:
    if source.get("fieldRef"):
        ref = source["fieldRef"]
        path = ref["fieldPath"]
        page.field(name, f"{_known_field(pod, path)} ({ref.get('apiVersion', 'v1')}:{path})", 3)
    elif source.get("resourceFieldRef"):
        ref = source["resourceFieldRef"]
        page.field(name, f"{_resource_value(ref, container)} ({ref['resource']})", 3)
    elif source.get("secretKeyRef"):
        ref = source["secretKeyRef"]
        page.row(3, f"{name}:", f"<set to the key '{ref['key']}' in secret '{ref.get('name', '')}'>",
                 f"Optional: {go_bool(ref.get('optional'))}")
    elif source.get("configMapKeyRef"):
        ref = source["configMapKeyRef"]
        page.row(3, f"{name}:", f"<set to the key '{ref['key']}' of config map '{ref.get('name', '')}'>",
                 f"Optional: {go_bool(ref.get('optional'))}")


def _known_field(pod: Object | None, path: str) -> str:
    """kubectl resolves only the two fields that every kind has."""
    if pod is None or path not in ("metadata.name", "metadata.namespace"):
        return ""
    return pod["metadata"].get(path.removeprefix("metadata."), "")


def _resource_value(ref: Object, container: Object) -> str:
    value = resource_value(ref, container)
    return "node allocatable" if value == "0" and ref["resource"] in ("limits.cpu", "limits.memory") else value


def resource_value(ref: Object, container: Object) -> str:
    """What a resourceFieldRef gives, counted in its divisor and rounded up."""
    part, _, resource = ref["resource"].partition(".")
    amounts: dict[str, Any] = (container.get("resources") or {}).get(part) or {}
    divisor = quantity.parse(ref.get("divisor") or "1").nano or quantity.NANO
    return str(-(-quantity.parse(amounts.get(resource, "0")).nano // divisor))


def _mounts(page: Page, container: Object) -> None:
    mounts = container.get("volumeMounts")
    if mounts:
        page.row(2, "Mounts:")
    else:
        page.field("Mounts", NONE, 2)
    for mount in sorted(mounts or (), key=lambda mount: mount["mountPath"]):
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f',path="{mount["subPath"]}"'
        page.row(3, f"{mount['mountPath']} from {mount['name']} ({flags})")
    if container.get("volumeDevices"):
        if mounts:
            page.row(2, "Devices:")
        else:
            page.field("Devices", NONE, 2)
        for device in sorted(container["volumeDevices"], key=lambda device: device["devicePath"]):
            page.row(3, f"{device['devicePath']} from {device['name']}")
