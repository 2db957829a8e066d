"""Manifests that the tests of the API server share, and ways to put them through it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from server.cluster import yamltext
from server.cluster.apiserver import decode, defaults, validation
from server.cluster.apiserver.resources import RESOURCES

RESOURCE_OF = {(resource.api_version, resource.kind): resource for resource in RESOURCES.values()}


def made(text: str) -> tuple[str, dict[str, Any]]:
    """A manifest as the server has it before validation, and its resource."""
    body = yamltext.load_yaml(text)[0].obj
    resource = RESOURCE_OF[body["apiVersion"], body["kind"]]
    obj, _ = decode.decode(json.dumps(body, sort_keys=True).encode(), "application/json", resource.kind, resource.api_version, "Strict")
    if resource.namespaced:
        obj = {**obj, "metadata": {"namespace": "default", **obj.get("metadata", {})}}
    return resource.key, defaults.apply(resource.key, obj)


def errors(text: str) -> list[str]:
    """What validation says of a manifest."""
    key, obj = made(text)
    before = json.dumps(obj)
    found = [error.message() for error in validation.validate_create(key, obj)]
    assert json.dumps(obj) == before, "validation changed the object"
    return found


def pod(spec: str = "", container: str = "", meta: str = "{name: t}") -> str:
    """A pod's manifest in flow style, with more in its spec or in its container."""
    container = f"name: c, image: nginx{', ' + container if container else ''}"
    return f"{{apiVersion: v1, kind: Pod, metadata: {meta}, spec: {{containers: [{{{container}}}]{', ' + spec if spec else ''}}}}}"


def deployment(spec: str = "", strategy: str = "") -> str:
    more = (", " + spec if spec else "") + (f", strategy: {{{strategy}}}" if strategy else "")
    return ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: t}, spec: {selector: {matchLabels: {app: x}}, template: "
            f"{{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: c, image: nginx}}]}}}}{more}}}}}")


def service(spec: str, name: str = "t") -> str:
    return f"{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{{spec}}}}}"


_TEXT = st.sampled_from(["", "a", "web", "A_b", "nginx:1.27", "x" * 70])
_NUMBERS = st.sampled_from([-1, 0, 1, 80, 70000])
_CONTAINERS = st.fixed_dictionaries({}, optional={
    "name": _TEXT, "image": _TEXT, "imagePullPolicy": st.sampled_from(["Always", "Sometimes"]),
    "ports": st.lists(st.fixed_dictionaries({}, optional={
        "containerPort": _NUMBERS, "hostPort": _NUMBERS, "name": _TEXT, "protocol": _TEXT}), max_size=2),
    "env": st.lists(st.fixed_dictionaries({}, optional={
        "name": _TEXT, "value": _TEXT, "valueFrom": st.sampled_from([{}, {"fieldRef": {"fieldPath": "metadata.name"}},
                                                                     {"configMapKeyRef": {"name": "a", "key": "b"}}])}), max_size=2),
    "resources": st.sampled_from([{}, {"limits": {"cpu": "1"}}, {"limits": {"cpu": "1"}, "requests": {"cpu": "2", "x": "1"}}]),
    "livenessProbe": st.sampled_from([{}, {"httpGet": {"port": "http"}}, {"exec": {}, "tcpSocket": {"port": 0}}]),
    "volumeMounts": st.lists(st.fixed_dictionaries({}, optional={"name": _TEXT, "mountPath": _TEXT}), max_size=2),
    "securityContext": st.sampled_from([{}, {"runAsUser": -1}, {"privileged": True, "allowPrivilegeEscalation": False}]),
    "lifecycle": st.sampled_from([{}, {"preStop": {}}, {"postStart": {"sleep": {"seconds": 99}}}]),
})
POD_SPECS = st.fixed_dictionaries({}, optional={
    "containers": st.lists(_CONTAINERS, max_size=2), "initContainers": st.lists(_CONTAINERS, max_size=1),
    "volumes": st.lists(st.sampled_from([{"name": "a"}, {"name": "web", "secret": {}}, {"emptyDir": {}, "hostPath": {"path": "../x"}},
                                         {"name": "a", "projected": {"sources": [{}, {"downwardAPI": {"items": [{}]}}]}}]), max_size=2),
    "restartPolicy": _TEXT, "nodeSelector": st.dictionaries(_TEXT, _TEXT, max_size=2), "hostNetwork": st.booleans(),
    "tolerations": st.lists(st.fixed_dictionaries({}, optional={"key": _TEXT, "operator": st.sampled_from(["Exists", "Gt"])}), max_size=2),
    "affinity": st.sampled_from([{}, {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
                                 {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}}]),
    "topologySpreadConstraints": st.lists(st.fixed_dictionaries({}, optional={"maxSkew": _NUMBERS, "topologyKey": _TEXT}), max_size=2),
    "terminationGracePeriodSeconds": _NUMBERS, "activeDeadlineSeconds": _NUMBERS, "serviceAccountName": _TEXT,
})
"""Pod specs of right types and wrong values."""
