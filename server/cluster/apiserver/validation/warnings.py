"""Warnings: an object that is valid but hardly meant that way in, the API server's ``Warning`` texts out.

Source: https://kubernetes.io/blog/2020/09/03/warnings/
"""

from __future__ import annotations

from collections.abc import Iterator

from server.cluster import names
from server.cluster.apiserver.defaults.filling import Memory
from server.cluster.apiserver.validation import networking, storage_warnings, unsimulated
from server.cluster.apiserver.validation.fields import Object
from server.cluster.quantity import parse

DEPRECATED_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
DEPRECATED_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_AFFINITY = "preferredDuringSchedulingIgnoredDuringExecution"


def warnings(resource_key: str, obj: Object) -> list[str]:
    """What the API server would warn of; paths are those of the object."""
    spec = obj.get("spec") or {}
    if resource_key == "pods":
        return list(_pod_specs.get(spec))
    if resource_key in _WITH_TEMPLATES:
        inner = (spec.get("template") or {}).get("spec") or {}
        return [_moved(text) for text in _pod_specs.get(inner)]
    if resource_key in _TEMPLATE_PATHS:
        template = obj.get("template") if resource_key == "podtemplates" else spec.get("template")
        told = [text.replace("spec.", "template.spec.") for text in _pod_specs.get((template or {}).get("spec") or {})]
        return [*_long_name(obj), *told] if resource_key == "replicationcontrollers" else told
    if resource_key == "services":
        return list(_service(spec))
    if resource_key == "ingresses.networking.k8s.io":
        return list(networking.warnings(obj))
    if resource_key == "statefulsets.apps":
        return list(_stateful_set(spec))
    if resource_key in storage_warnings.RESOURCES:
        return storage_warnings.warnings(resource_key, obj)
    if resource_key in _WITH_JOBS:
        return list(_job(obj, _WITH_JOBS[resource_key]))
    return []


_WITH_TEMPLATES = ("deployments.apps", "replicasets.apps", "daemonsets.apps")


_WITH_JOBS = {"jobs.batch": "spec", "cronjobs.batch": "spec.jobTemplate.spec"}
_MANY_INDEXES, _MANY_AT_ONCE = 100_000, 10_000


def _job(obj: Object, path: str) -> Iterator[str]:
    """A Job, or a CronJob, whose Job is at ``path``."""
    if obj["metadata"].get("generation") == 1 and (found := names.label(obj["metadata"].get("name", ""))):
        yield ("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
               f"recommended: [{' '.join(found)}]")
    spec = obj["spec"]["jobTemplate"]["spec"] if "jobTemplate" in obj["spec"] else obj["spec"]
    if (spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > _MANY_INDEXES
            and (spec.get("parallelism") or 0) > _MANY_AT_ONCE):
        yield (f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might "
               "not be able to track completedIndexes when a big number of indexes fail")
    for text in _pod_specs.get((spec.get("template") or {}).get("spec") or {}):
        yield text.replace("spec.", f"{path}.template.spec.")
_TEMPLATE_PATHS = ("replicationcontrollers", "podtemplates")


def _long_name(obj: Object) -> Iterator[str]:
    if faults := names.label(obj["metadata"].get("name", "")):
        yield ("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
               f"recommended: [{' '.join(faults)}]")


def _moved(text: str) -> str:
    return text.replace("spec.", "spec.template.spec.")


def _pod(spec: Object) -> Iterator[str]:
    for key in spec.get("nodeSelector") or {}:
        if key in DEPRECATED_NODE_LABELS:
            yield f"spec.nodeSelector[{key}]: {DEPRECATED_NODE_LABELS[key]}"
    yield from _spread(spec)
    seen: set[str] = set()
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        if alias.get("ip") in seen:
            yield f'spec.hostAliases[{index}].ip: duplicate ip "{alias["ip"]}"'
        seen.add(alias.get("ip", ""))
    pulls: set[str] = set()
    for index, reference in enumerate(spec.get("imagePullSecrets") or ()):
        name = reference.get("name", "")
        if not name:
            yield f'spec.imagePullSecrets[{index}].name: invalid empty name ""'
        elif name in pulls:
            yield f'spec.imagePullSecrets[{index}].name: duplicate name "{name}"'
        pulls.add(name)
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind, text in DEPRECATED_VOLUMES.items():
            if kind in volume:
                yield f"spec.volumes[{index}].{kind}: {text}"
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from _container(container, f"spec.{field}[{index}]")
    yield from _ports(spec)
    yield from unsimulated.warnings(spec)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        yield "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"


def _stateful_set(spec: Object) -> Iterator[str]:
    for text in _pod_specs.get((spec.get("template") or {}).get("spec") or {}):
        yield _moved(text)
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        yield "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
    if ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("maxUnavailable") is not None:
        yield ("spec.updateStrategy.rollingUpdate.maxUnavailable: honoured here; in a Kubernetes v1.36 cluster it is dropped unless the "
               "feature gate MaxUnavailableStatefulSet is turned on")


def _spread(spec: Object) -> Iterator[str]:
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        if constraint.get("labelSelector") is None:
            yield f"spec.topologySpreadConstraints[{index}].labelSelector: a null labelSelector results in matching no pod"
    affinity = spec.get("affinity") or {}
    for field in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(field) or {}
        for index, term in enumerate(pods.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            if term.get("labelSelector") is None:
                yield (f"spec.affinity.{field}.requiredDuringSchedulingIgnoredDuringExecution[{index}].labelSelector: a null labelSelector "
                       "results in matching no pod")
        for index, term in enumerate(pods.get(_AFFINITY) or ()):
            if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield (f"spec.affinity.{field}.{_AFFINITY}[{index}].podAffinityTerm.labelSelector: a null labelSelector results in "
                       "matching no pod")


def _container(container: Object, path: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for field in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            value = (resources.get(field) or {}).get(name)
            if value is not None and parse(value).milli() % 1000:
                yield f'{path}.resources.{field}[{name}]: fractional byte value "{value}" is invalid, must be an integer'
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name = variable.get("name", "")
        if name in seen:
            yield f'{path}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _ports(spec: Object) -> Iterator[str]:
    """Ports that two containers, or one container twice, lay claim to."""
    seen: dict[tuple[object, ...], str] = {}
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            at = f"spec.containers[{index}].ports[{number}]"
            key = (port.get("containerPort"), port.get("protocol", "TCP"), port.get("hostPort", 0), port.get("hostIP", ""))
            if key in seen:
                yield f"{at}: duplicate port definition with {seen[key]}"
            else:
                seen[key] = at


def _service(spec: Object) -> Iterator[str]:
    if spec.get("clusterIP") == "None" and spec.get("sessionAffinity") not in (None, "None"):
        yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("clusterIP") == "None" and spec.get("loadBalancerIP"):
        yield "spec.loadBalancerIP is ignored for headless services"
    if spec.get("type") == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if spec.get("type") != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield "spec.trafficDistribution: PreferClose is deprecated in v1.34+; use PreferSameZone instead"


_pod_specs = Memory(lambda spec: list(_pod(spec)))
