"""What a pod may ask for and nothing follows from here: said in a Warning, so that nobody waits for it.

A pod's spec in, texts out; their paths are the pod's.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster.apiserver.validation.fields import Object

POD = ("shareProcessNamespace", "hostPID", "hostIPC", "setHostnameAsFQDN", "hostAliases", "dnsConfig")
CONTAINER = ("workingDir",)
MOUNT = ("mountPropagation", "recursiveReadOnly")
FOLLOWED = ("runAsNonRoot", "runAsUser")  # a container that may not be root is not made
MODE, NONE = 0o644, ("", "None", "Disabled")


def warnings(spec: Object) -> Iterator[str]:
    for path in _fields(spec):
        yield f"podium: spec.{path} is accepted, but nothing follows from it here"
    for path in _modes(spec):
        yield f"podium: spec.{path} is accepted, but files have no modes here"


def _fields(spec: Object) -> Iterator[str]:
    yield from (field for field in POD if spec.get(field))
    if spec.get("hostUsers") is False:
        yield "hostUsers"
    yield from _security(spec, "")
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            at = f"{kind}[{index}]."
            yield from (at + field for field in CONTAINER if container.get(field))
            yield from _security(container, at)
            if (container.get("lifecycle") or {}).get("stopSignal"):
                yield f"{at}lifecycle.stopSignal"
            for number, mount in enumerate(container.get("volumeMounts") or ()):
                yield from (f"{at}volumeMounts[{number}].{field}" for field in MOUNT if (mount.get(field) or "") not in NONE)


def _security(spec: Object, at: str) -> Iterator[str]:
    for field, value in (spec.get("securityContext") or {}).items():
        if value not in (None, False, {}, []) and field not in FOLLOWED:
            yield f"{at}securityContext.{field}"


def _modes(spec: Object) -> Iterator[str]:
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind in ("configMap", "secret", "downwardAPI", "projected"):
            source = volume.get(kind) or {}
            if source.get("defaultMode", MODE) != MODE:
                yield f"volumes[{index}].{kind}.defaultMode"
            yield from _items(source, f"volumes[{index}].{kind}")
            for number, part in enumerate(source.get("sources") or ()):
                for name, inner in part.items():
                    yield from _items(inner, f"volumes[{index}].projected.sources[{number}].{name}")


def _items(source: Object, at: str) -> Iterator[str]:
    for number, item in enumerate(source.get("items") or ()):
        if item.get("mode", MODE) != MODE:
            yield f"{at}.items[{number}].mode"
