"""What a pod may ask for and nothing follows from here: said in a Warning, so that nobody waits for it.

A pod's spec in, texts out; their paths are the pod's.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.apiserver.validation.fields import Object

POD = ("setHostnameAsFQDN",)
MOUNT = ("mountPropagation", "recursiveReadOnly")
FOLLOWED = ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "readOnlyRootFilesystem", "privileged",
            "allowPrivilegeEscalation")
NONE = ("", "None", "Disabled")


def warnings(spec: Object) -> Iterator[str]:
    for path in _fields(spec):
        yield f"podium: spec.{path} is accepted, but nothing follows from it here"


def _fields(spec: Object) -> Iterator[str]:
    yield from (field for field in POD if spec.get(field))
    if spec.get("hostUsers") is False:
        yield "hostUsers"
    yield from _security(spec, "")
    whole = spec.get("securityContext") or {}
    root = not (whole.get("runAsNonRoot") or whole.get("runAsUser"))
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            at = f"{kind}[{index}]."
            yield from _security(container, at, root)
            if (container.get("lifecycle") or {}).get("stopSignal"):
                yield f"{at}lifecycle.stopSignal"
            for number, mount in enumerate(container.get("volumeMounts") or ()):
                yield from (f"{at}volumeMounts[{number}].{field}" for field in MOUNT if (mount.get(field) or "") not in NONE)


def _security(spec: Object, at: str, root: bool = True) -> Iterator[str]:
    given = spec.get("securityContext") or {}
    for field, value in given.items():
        if field == "capabilities":
            if (value or {}).get("drop") and root and not given.get("runAsNonRoot") and not given.get("runAsUser"):
                yield f"{at}securityContext.capabilities.drop"
        elif field == "seccompProfile":
            if (value or {}).get("type") == "Localhost":
                yield f"{at}securityContext.seccompProfile"
        elif value not in (None, False, {}, []) and field not in FOLLOWED:
            yield f"{at}securityContext.{field}"
