"""Defaults of pods and pod templates.

A template gets what every pod spec gets; a pod, besides, requests from its limits, host ports and service links.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from server.cluster import quantity
from server.cluster.apiserver.defaults.filling import Memory, each, filled, with_field

Object = dict[str, Any]

_SPEC = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "securityContext": {},
         "schedulerName": "default-scheduler"}
_CONTAINER = {"resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_PORT = {"protocol": "TCP"}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_HTTP_GET = {"path": "/", "scheme": "HTTP"}
_MODE = {"defaultMode": 420}
COMPUTE = ("cpu", "memory")
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def pod(obj: Object) -> Object:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        spec = {}
    new = _pod_specs.get(spec)
    return obj if new is obj.get("spec") else {**obj, "spec": new}


def template(obj: Object) -> Object:
    """A pod template inside a workload."""
    obj = filled(obj, {"metadata": {}})
    new = _template_specs.get(obj.get("spec") or {})
    return obj if new is obj.get("spec") else {**obj, "spec": new}


def _pod_spec(spec: Object) -> Object:
    spec = filled(_template_specs.get(spec), {"enableServiceLinks": True})
    spec = with_field(spec, "containers", _requests)
    spec = with_field(spec, "initContainers", _requests)
    if spec.get("resources"):
        spec = {**spec, "resources": _pod_requests(spec)}
    if spec.get("hostNetwork"):
        spec = with_field(spec, "containers", _host_ports)
        spec = with_field(spec, "initContainers", _host_ports)
    _pod_specs.put(spec, spec)
    return spec


def _template_spec(spec: Object) -> Object:
    spec = filled(spec, _SPEC)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account and not (spec.get("serviceAccountName") == spec.get("serviceAccount") == account):
        spec = {**spec, "serviceAccountName": account, "serviceAccount": account}
    for field in CONTAINER_LISTS:
        spec = with_field(spec, field, _containers)
    spec = with_field(spec, "volumes", _volumes)
    _template_specs.put(spec, spec)
    return spec


_pod_specs = Memory(_pod_spec)
_template_specs = Memory(_template_spec)


# containers --------------------------------------------------------------------------------------------------------------

@lru_cache(maxsize=1024)
def pull_policy(image: str) -> str:
    """
    >>> pull_policy("nginx"), pull_policy("localhost:5000/nginx"), pull_policy("nginx:1.27"), pull_policy("nginx@sha256:ab")
    ('Always', 'Always', 'IfNotPresent', 'IfNotPresent')
    """
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _container(container: Object) -> Object:
    container = filled(container, _CONTAINER)
    if not container.get("imagePullPolicy"):
        container = {**container, "imagePullPolicy": pull_policy(container.get("image", ""))}
    container = with_field(container, "ports", _ports)
    container = with_field(container, "env", _env)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        container = with_field(container, probe, _probe)
    return with_field(container, "lifecycle", _lifecycle)


_containers = each(_container)
_ports = each(lambda port: filled(port, _PORT))


def _env_variable(variable: Object) -> Object:
    return with_field(variable, "valueFrom", lambda source: _resource_ref(_field_ref(source)))


_env = each(_env_variable)


def _field_ref(source: Object) -> Object:
    return with_field(source, "fieldRef", lambda ref: filled(ref, {"apiVersion": "v1"}))


def _resource_ref(source: Object) -> Object:
    return with_field(source, "resourceFieldRef", lambda ref: filled(ref, {"divisor": "0"}))


def _handler(handler: Object) -> Object:
    handler = with_field(handler, "httpGet", lambda get: filled(get, _HTTP_GET))
    return with_field(handler, "grpc", lambda grpc: filled(grpc, {"service": ""}))


def _probe(probe: Object) -> Object:
    return filled(_handler(probe), _PROBE)


def _lifecycle(lifecycle: Object) -> Object:
    """A ``stopSignal`` goes: the feature gate ContainerStopSignals is off in v1.36."""
    if "stopSignal" in lifecycle:
        lifecycle = {field: value for field, value in lifecycle.items() if field != "stopSignal"}
    return with_field(with_field(lifecycle, "postStart", _handler), "preStop", _handler)


def _requests_of(container: Object) -> Object:
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return container
    requests = filled(resources.get("requests") or {}, limits)
    return container if requests is resources.get("requests") else {**container, "resources": {**resources, "requests": requests}}


def _pod_requests(spec: Object) -> Object:
    """What the pod as a whole asks for, where it says only its limits: what its containers ask for together, else the limit."""
    resources = spec["resources"]
    requests = dict(resources.get("requests") or {})
    lasting = [*spec["containers"], *(entry for entry in spec.get("initContainers") or () if entry.get("restartPolicy") == "Always")]
    for name in COMPUTE:
        asked = [entry["resources"]["requests"][name] for entry in lasting if name in ((entry.get("resources") or {}).get("requests") or {})]
        if name not in requests and asked:
            requests[name] = quantity.add(*asked)
        elif name not in requests and name in (resources.get("limits") or {}):
            requests[name] = resources["limits"][name]
    return {**resources, "requests": requests} if requests and requests != resources.get("requests") else resources


def _host_port(port: Object) -> Object:
    return port if port.get("hostPort") or "containerPort" not in port else {**port, "hostPort": port["containerPort"]}


_requests = each(_requests_of)
_host_ports = each(lambda container: with_field(container, "ports", each(_host_port)))


# volumes -----------------------------------------------------------------------------------------------------------------

_VOLUME_FIELDS = {
    "secret": _MODE,
    "configMap": _MODE,
    "downwardAPI": _MODE,
    "projected": _MODE,
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
_items = each(lambda item: _resource_ref(_field_ref(item)))


def _volume(volume: Object) -> Object:
    if len(volume) <= 1 and "name" in volume:
        return {**volume, "emptyDir": {}}
    for source, defaults in _VOLUME_FIELDS.items():
        if source in volume:
            volume = with_field(volume, source, lambda value, defaults=defaults: filled(value, defaults))
    volume = with_field(volume, "downwardAPI", lambda source: with_field(source, "items", _items))
    volume = with_field(volume, "projected", lambda source: with_field(source, "sources", _projections))
    volume = with_field(volume, "image", _image)
    return with_field(volume, "ephemeral", lambda source: with_field(source, "volumeClaimTemplate", _claim_template))


def _projection(source: Object) -> Object:
    source = with_field(source, "downwardAPI", lambda value: with_field(value, "items", _items))
    return with_field(source, "serviceAccountToken", lambda token: filled(token, {"expirationSeconds": 3600}))


def _image(source: Object) -> Object:
    return source if source.get("pullPolicy") else {**source, "pullPolicy": pull_policy(source.get("reference", ""))}


def _claim_template(claim: Object) -> Object:
    return with_field(filled(claim, {"metadata": {}}), "spec", lambda spec: filled(spec, {"volumeMode": "Filesystem", "resources": {}}))


_volumes = each(_volume)
_projections = each(_projection)
