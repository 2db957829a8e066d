"""The profiles of `kubectl debug`: what a debugging container may do, and what of the pod is changed for it.

In: a pod with the debugging container in it. Out: the pod as the profile wants it: for a node (host namespaces, its disk at /host), for a copy
(processes shared, probes and labels gone unless they are kept), for an ephemeral container (capabilities only).

Source: https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#debugging-profiles and KEP-1441
"""

from __future__ import annotations

from typing import Any, NamedTuple

Object = dict[str, Any]
NODE, COPY, EPHEMERAL = "node", "copy", "ephemeral"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
              "seccompProfile": {"type": "RuntimeDefault"}}


class Profile(NamedTuple):
    """`context` is the debugging container's securityContext, by what is debugged; `host` and `root` hold for nodes."""

    context: dict[str, Object]
    host: bool
    root: bool
    shares: bool = True


def _everywhere(context: Object) -> dict[str, Object]:
    return {NODE: context, COPY: context, EPHEMERAL: context}


_TRACE = {"capabilities": {"add": ["SYS_PTRACE"]}}
PROFILES = {
    "legacy": Profile({}, True, True, shares=False),
    "general": Profile({COPY: _TRACE, EPHEMERAL: _TRACE}, True, True),
    "baseline": Profile({}, False, False),
    "restricted": Profile(_everywhere(RESTRICTED), False, False),
    "netadmin": Profile(_everywhere({"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}), True, False),
    "sysadmin": Profile(_everywhere({"privileged": True}), True, True),
}
PROBES = {"keep-liveness": "livenessProbe", "keep-readiness": "readinessProbe", "keep-startup": "startupProbe"}


def secured(container: Object, profile: Profile, what: str) -> Object:
    """The debugging container with what the profile lets it do; a container that is there already keeps what it has besides."""
    context = profile.context.get(what)
    if not context:
        return container
    given = container.get("securityContext") or {}
    added = [*((given.get("capabilities") or {}).get("add") or ()), *((context.get("capabilities") or {}).get("add") or ())]
    merged = {**given, **context}
    if added and "drop" not in (context.get("capabilities") or {}):
        merged["capabilities"] = {**(given.get("capabilities") or {}), "add": added}
    return {**container, "securityContext": merged}


def on_node(spec: Object, profile: Profile) -> Object:
    if profile.host:
        spec = {**spec, "hostNetwork": True, "hostPID": True, "hostIPC": True}
    if profile.root:
        container = {**spec["containers"][0], "volumeMounts": [{"name": "host-root", "mountPath": "/host"}]}
        spec = {**spec, "containers": [container], "volumes": [{"name": "host-root", "hostPath": {"path": "/"}}]}
    return spec


def of_copy(pod: Object, profile: Profile, keep: dict[str, bool]) -> Object:
    """The copy without what is not kept; ``keep`` is by flag."""
    meta, spec = dict(pod["metadata"]), dict(pod["spec"])
    if not keep["keep-labels"]:
        meta.pop("labels", None)
    if not keep["keep-annotations"] and profile.shares:
        meta.pop("annotations", None)
    gone = {field for flag, field in PROBES.items() if not keep[flag]}
    spec["containers"] = [{key: value for key, value in each.items() if key not in gone} for each in spec["containers"]]
    if not keep["keep-init-containers"]:
        spec.pop("initContainers", None)
    if profile.shares and spec.get("shareProcessNamespace") is None:
        spec["shareProcessNamespace"] = True
    return {**pod, "metadata": meta, "spec": spec}
