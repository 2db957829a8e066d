"""Validation of containers: names, images, ports, environment, mounts, probes, lifecycle.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
"""

from __future__ import annotations

import re
from typing import NamedTuple

from server.cluster import names
from server.cluster.apiserver.validation import security
from server.cluster.apiserver.validation.downward import field_ref, resource_ref
from server.cluster.apiserver.validation.fields import (
    PROTOCOLS,
    Errors,
    Object,
    duplicate,
    each,
    faults,
    forbidden,
    invalid,
    label_1123,
    not_found,
    not_negative,
    one_of,
    port_number,
    port_or_name,
    required,
    subdomain_1123,
    unsupported,
)
from server.cluster.apiserver.validation.resources import requirements
from server.cluster.apiserver.validation.volumes import local_path, no_backsteps

ENV_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
              "status.hostIPs", "status.podIP", "status.podIPs")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"
NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container"
EPHEMERAL_FIELDS = ("name", "image", "command", "args", "workingDir", "envFrom", "env", "volumeMounts", "volumeDevices",
                    "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "securityContext", "stdin", "stdinOnce",
                    "tty", "targetContainerName")
_HTTP_HEADER = re.compile("[-A-Za-z0-9]+")
_HTTP_HEADER_FAULT = names.not_matching("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+",
                                        "X-Header-Name")


class Pod(NamedTuple):
    """What a container's validity depends on besides itself."""

    volumes: dict[str, Object]
    claims: frozenset[str]
    grace_period: int | None
    restart_policy: str
    host_users: bool


def containers(items: list[Object], path: str, pod: Pod) -> Errors:
    """The regular containers."""
    if not items:
        yield required(path)
        return
    seen: set[str] = set()
    for index, container in enumerate(items):
        at = f"{path}[{index}]"
        yield from _common(container, at, pod)
        name = container.get("name", "")
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        yield from _lifecycle(container, at, pod)
        yield from _probes(container, at, pod)
        if container.get("restartPolicy") not in (None, "Always", "OnFailure", "Never"):
            yield unsupported(f"{at}.restartPolicy", container["restartPolicy"], ("Always", "OnFailure", "Never"))
        yield from _restart_rules(container, at)
    yield from _host_ports(items, path)


def init_containers(items: list[Object], path: str, regular: list[Object], pod: Pod) -> Errors:
    seen = {container.get("name", "") for container in regular}
    for index, container in enumerate(items):
        at, name = f"{path}[{index}]", container.get("name", "")
        yield from _common(container, at, pod)
        policy = container.get("restartPolicy")
        if policy not in (None, "Always", "OnFailure", "Never"):
            yield unsupported(f"{at}.restartPolicy", policy, ("Always", "OnFailure", "Never"))
        if name in seen:
            yield duplicate(f"{at}.name", name)
        elif name:
            seen.add(name)
        yield from _host_ports([container], path)
        if policy == "Always":
            yield from _lifecycle(container, at, pod)
            yield from _probes(container, at, pod)
        else:
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(field) is not None:
                    yield forbidden(f"{at}.{field}", NOT_FOR_INIT)
        yield from _restart_rules(container, at)


def ephemeral_containers(items: list[Object], path: str, others: list[Object], pod: Pod) -> Errors:
    targets = {container.get("name", "") for container in others}
    seen = set(targets)
    for index, container in enumerate(items):
        at, name = f"{path}[{index}]", container.get("name", "")
        yield from _common(container, at, pod)
        yield from trimmed_image(container, at)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        target = container.get("targetContainerName", "")
        if target and target not in targets:
            yield not_found(f"{at}.targetContainerName", target)
        for field, value in container.items():
            if field not in EPHEMERAL_FIELDS and value not in ({}, []):
                yield forbidden(f"{at}.{field}", NOT_FOR_EPHEMERAL)
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield forbidden(f"{at}.volumeMounts[{number}].{field}", NOT_FOR_EPHEMERAL)


def trimmed_image(container: Object, path: str) -> Errors:
    """What is asked of an image's name in a pod, but not in a template."""
    image = container.get("image", "")
    if image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _common(container: Object, path: str, pod: Pod) -> Errors:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from label_1123(f"{path}.name", name)
    if not container.get("image"):
        yield required(f"{path}.image")
    yield from one_of(f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), MESSAGE_POLICIES)
    yield from _ports(container.get("ports") or [], f"{path}.ports")
    yield from each(container.get("env"), f"{path}.env", _env)
    yield from _env_from(container.get("envFrom") or [], f"{path}.envFrom")
    yield from _mounts(container, f"{path}.volumeMounts", pod)
    yield from _devices(container, f"{path}.volumeDevices", pod)
    yield from one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    if resources := container.get("resources"):
        yield from requirements(resources, f"{path}.resources", pod.claims)
    yield from _resize(container.get("resizePolicy") or [], f"{path}.resizePolicy", pod.restart_policy)
    if context := container.get("securityContext"):
        yield from security.container(context, f"{path}.securityContext", pod.host_users)


# ports and environment ---------------------------------------------------------------------------------------------------

def _ports(ports: list[Object], path: str) -> Errors:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"{path}[{index}]", port.get("name", "")
        if name:
            found = names.port_name(name)
            yield from faults(f"{at}.name", name, found)
            if not found and name in seen:
                yield duplicate(f"{at}.name", name)
            seen.add(name)
        if not port.get("containerPort"):
            yield required(f"{at}.containerPort")
        else:
            yield from port_number(f"{at}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            yield from port_number(f"{at}.hostPort", port["hostPort"])
        yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)


def _host_ports(items: list[Object], path: str) -> Errors:
    seen: set[str] = set()
    for index, container in enumerate(items):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            taken = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if taken in seen:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", taken)
            seen.add(taken)


def _env(variable: Object, path: str) -> Errors:
    name = variable.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from faults(f"{path}.name", name, names.env_name(name))
    source = variable.get("valueFrom")
    if source is None:
        return
    at, kinds = f"{path}.valueFrom", [kind for kind in source if kind in _ENV_SOURCES]
    for kind in kinds:
        yield from _ENV_SOURCES[kind](source[kind], f"{at}.{kind}")
    if not kinds:
        yield invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")
    elif variable.get("value"):
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif len(kinds) > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")


def _key_ref(reference: Object, path: str) -> Errors:
    yield from subdomain_1123(f"{path}.name", reference.get("name", ""))
    if not reference.get("key"):
        yield required(f"{path}.key")
    else:
        yield from faults(f"{path}.key", reference["key"], names.config_key(reference["key"]))


def _file_ref(reference: Object, path: str) -> Errors:
    for field in ("key", "volumeName", "path"):
        if not reference.get(field):
            yield required(f"{path}.{field}")


_ENV_SOURCES = {
    "fieldRef": lambda reference, path: field_ref(reference, path, ENV_FIELDS),
    "resourceFieldRef": resource_ref,
    "configMapKeyRef": _key_ref,
    "secretKeyRef": _key_ref,
    "fileKeyRef": _file_ref,
}


def _env_from(sources: list[Object], path: str) -> Errors:
    for index, source in enumerate(sources):
        at = f"{path}[{index}]"
        if source.get("prefix"):
            yield from faults(f"{at}.prefix", source["prefix"], names.env_name(source["prefix"]))
        kinds = [kind for kind in ("configMapRef", "secretRef") if kind in source]
        for kind in kinds:
            name = source[kind].get("name", "")
            if not name:
                yield required(f"{at}.{kind}.name")
            else:
                yield from subdomain_1123(f"{at}.{kind}.name", name)
        if not kinds:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(kinds) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


# mounts ------------------------------------------------------------------------------------------------------------------

def _mounts(container: Object, path: str, pod: Pod) -> Errors:
    devices = {device.get("name", ""): device.get("devicePath", "") for device in container.get("volumeDevices") or ()}
    points: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        at, name, point = f"{path}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{at}.name")
        if name not in pod.volumes:
            yield not_found(f"{at}.name", name)
        if not point:
            yield required(f"{at}.mountPath")
        if point in points:
            yield invalid(f"{at}.mountPath", point, "must be unique")
        points.add(point)
        if name in devices:
            yield invalid(f"{at}.name", name, "must not already exist in volumeDevices")
        if point in devices.values():
            yield invalid(f"{at}.mountPath", point, "must not already exist as a path in volumeDevices")
        if sub := mount.get("subPath"):
            yield from local_path(f"{path}.subPath", sub)
        if expression := mount.get("subPathExpr"):
            if mount.get("subPath"):
                yield invalid(f"{at}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
            yield from local_path(f"{path}.subPathExpr", expression)
        yield from _mount_modes(mount, container, path)


def _mount_modes(mount: Object, container: Object, path: str) -> Errors:
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        if propagation not in ("Bidirectional", "HostToContainer", "None"):
            yield unsupported(f"{path}.mountPropagation", propagation, ("Bidirectional", "HostToContainer", "None"))
        elif propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
            yield forbidden(f"{path}.mountPropagation", "Bidirectional mount propagation is available only to privileged containers")
    recursive = mount.get("recursiveReadOnly")
    if recursive is not None:
        at = f"{path}.recursiveReadOnly"
        if recursive not in ("Disabled", "Enabled", "IfPossible"):
            yield unsupported(at, recursive, ("Disabled", "IfPossible", "Enabled"))
        elif recursive != "Disabled":
            if not mount.get("readOnly"):
                yield forbidden(at, "may only be specified when readOnly is true")
            if propagation not in (None, "None"):
                yield forbidden(at, "may only be specified when mountPropagation is None or not specified")


def _devices(container: Object, path: str, pod: Pod) -> Errors:
    mounts = {mount.get("name", ""): mount.get("mountPath", "") for mount in container.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container.get("volumeDevices") or ()):
        at, name, point = f"{path}[{index}]", device.get("name", ""), device.get("devicePath", "")
        volume = pod.volumes.get(name)
        if not name:
            yield required(f"{at}.name")
        if name in seen_names:
            yield invalid(f"{at}.name", name, "must be unique")
        if volume is None:
            yield not_found(f"{at}.name", name)
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            yield invalid(f"{at}.name", name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")
        if not point:
            yield required(f"{at}.devicePath")
        if point in seen_paths:
            yield invalid(f"{at}.devicePath", point, "must be unique")
        if any(no_backsteps(path, point)):
            yield invalid(f"{at}.devicePath", point, "can not contain backsteps ('..')")
        if name in mounts:
            yield invalid(f"{at}.name", name, "must not already exist in volumeMounts")
        if point and point in mounts.values():
            yield invalid(f"{at}.devicePath", point, "must not already exist as a path in volumeMounts")
        seen_names.add(name)
        seen_paths.add(point)


# probes and lifecycle ----------------------------------------------------------------------------------------------------

def _probes(container: Object, path: str, pod: Pod) -> Errors:
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(field)
        if probe is None:
            continue
        at = f"{path}.{field}"
        yield from _handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), at, pod.grace_period)
        for number in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
            yield from not_negative(f"{at}.{number}", probe.get(number))
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and grace <= 0:
            yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        if field == "readinessProbe":
            if grace is not None:
                yield invalid(f"{at}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
        elif probe.get("successThreshold", 0) != 1:
            yield invalid(f"{at}.successThreshold", probe.get("successThreshold", 0), "must be 1")


def _lifecycle(container: Object, path: str, pod: Pod) -> Errors:
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if hook in lifecycle:
            yield from _handler(lifecycle[hook], ("exec", "httpGet", "tcpSocket", "sleep"), f"{path}.lifecycle.{hook}", pod.grace_period)


def _handler(handler: Object, kinds: tuple[str, ...], path: str, grace_period: int | None) -> Errors:
    given = [kind for kind in kinds if handler.get(kind) is not None]
    for index, kind in enumerate(given):
        at, action = f"{path}.{kind}", handler[kind]
        if index:
            yield forbidden(at, "may not specify more than 1 handler type")
        elif kind == "exec":
            if not action.get("command"):
                yield required(f"{at}.command")
        elif kind == "httpGet":
            yield from _http_get(action, at)
        elif kind == "sleep":
            seconds = action.get("seconds", 0)
            if grace_period is not None and not 0 <= seconds <= grace_period:
                yield invalid(at, seconds, f"must be non-negative and less than terminationGracePeriodSeconds ({grace_period})")
        else:
            yield from port_or_name(f"{at}.port", action.get("port"))
    if not given:
        yield required(path, "must specify a handler type")


def _http_get(action: Object, path: str) -> Errors:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from port_or_name(f"{path}.port", action.get("port"))
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        yield unsupported(f"{path}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        if not _HTTP_HEADER.fullmatch(header.get("name", "")):
            yield invalid(f"{path}.httpHeaders", header.get("name", ""), _HTTP_HEADER_FAULT)


def _restart_rules(container: Object, path: str) -> Errors:
    rules = container.get("restartPolicyRules") or []
    if rules and container.get("restartPolicy") is None:
        yield required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
    if len(rules) > 20:
        yield invalid(f"{path}.restartPolicyRules", len(rules), "must have at most 20 items")
    for index, rule in enumerate(rules):
        at = f"{path}.restartPolicyRules[{index}]"
        yield from one_of(f"{at}.action", rule.get("action"), ("Restart", "RestartAllContainers"))
        if rule.get("exitCodes") is None:
            yield required(f"{at}.exitCodes", "must be specified")


def _resize(policies: list[Object], path: str, restart_policy: str) -> Errors:
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.get("resourceName", ""), policy.get("restartPolicy", "")
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        yield from one_of(path, name, ("cpu", "memory"))
        yield from one_of(path, restart, ("NotRequired", "RestartContainer"))
        if restart_policy == "Never" and restart != "NotRequired":
            yield invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")
