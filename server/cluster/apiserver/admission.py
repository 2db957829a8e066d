"""Admission: what the server refuses, and what it adds, between authorization and validation.

NamespaceLifecycle keeps new objects out of missing and dying namespaces, and the system's own namespaces from being deleted; for
pods, ServiceAccount gives each its account and token volume, Priority its number, and DefaultTolerationSeconds the five minutes that
pods stay on a lost node. ``check_*`` refuse; ``mutate`` adds, and what is the same for all pods of one template is worked out once.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from server.cluster.apiserver.resources import Resource
from server.cluster.errors import forbidden, not_found
from server.cluster.names import generate
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")
PRIORITY_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOLERATION_SECONDS = 300
FATAL_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TEMPLATES_KEPT = 4096


def check_delete(resource: Resource, name: str) -> None:
    """ApiError if admission says no."""
    if resource.key == "namespaces" and name in IMMORTAL_NAMESPACES:
        raise forbidden(resource.key, name, "this namespace may not be deleted")


def check_create(api: ApiServer, resource: Resource, obj: Object) -> None:
    """ApiError if admission says no."""
    if resource.namespaced:
        _check_namespace(api, resource, obj)
    if resource.key == "pods":
        _check_pod(api, obj)


def _check_namespace(api: ApiServer, resource: Resource, obj: Object) -> None:
    name = obj["metadata"]["namespace"]
    namespace = api.lister("namespaces").get("", name)
    if namespace is None:
        raise not_found("namespaces", name)
    if namespace["status"].get("phase") == "Terminating" and resource.key != "events":
        error = forbidden(resource.key, obj["metadata"].get("name", ""),
                          f"unable to create new content in namespace {name} because it is being terminated")
        error.details = {**(error.details or {}), "causes": [
            {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated", "field": "metadata.namespace"}]}
        raise error


def _check_pod(api: ApiServer, pod: Object) -> None:
    meta, spec = pod["metadata"], pod.get("spec") or {}
    account = spec.get("serviceAccountName") or "default"
    if api.lister("serviceaccounts").get(meta["namespace"], account) is None and not _mirror(pod):
        raise forbidden("pods", meta.get("name", ""), f"error looking up service account {meta['namespace']}/{account}: "
                                                      f'serviceaccount "{account}" not found')
    priority_class = spec.get("priorityClassName")
    if priority_class and priority_class not in PRIORITY_CLASSES:
        raise forbidden("pods", meta.get("name", ""), f"no PriorityClass with name {priority_class} was found")
    if not priority_class and spec.get("priority"):
        raise forbidden("pods", meta.get("name", ""), "the integer value of priority "
                        f"({spec['priority']}) must not be provided in pod spec; priority admission controller computed 0 "
                        "from the given PriorityClass name")


def _mirror(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


def mutate(api: ApiServer, resource: Resource, obj: Object) -> Object:
    """The object with what admission adds; valid by construction, so it runs after validation and templates stay recognisable."""
    if resource.key != "pods":
        return obj
    prepared = _PREPARED.get(obj["spec"])
    spec = prepared.spec
    if not _mirror(obj):
        account = api.lister("serviceaccounts").get(obj["metadata"]["namespace"], spec["serviceAccountName"])
        automount = spec.get("automountServiceAccountToken", (account or {}).get("automountServiceAccountToken", True))
        if automount is not False:
            spec = prepared.with_token(f"{generate(api.random, 'kube-api-access-')}")
    return {**obj, "spec": spec}


class _Template:
    """A pod spec with what admission adds to every pod of it."""

    def __init__(self, spec: Object) -> None:
        self.source = spec
        account = spec.get("serviceAccountName") or "default"
        priority_class = spec.get("priorityClassName")
        self.spec = {
            **spec,
            "serviceAccountName": account,
            "serviceAccount": account,
            "priority": PRIORITY_CLASSES.get(priority_class, 0),
            "preemptionPolicy": spec.get("preemptionPolicy", "PreemptLowerPriority"),
            "tolerations": _with_default_tolerations(spec.get("tolerations") or []),
        }
        self.volumes = spec.get("volumes") or []

    def with_token(self, volume: str) -> Object:
        mount = {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}
        spec = {**self.spec, "volumes": [*self.volumes, {"name": volume, "projected": _TOKEN_SOURCES}]}
        for field in ("containers", "initContainers"):
            if containers := spec.get(field):
                spec[field] = [_mounting(container, mount) for container in containers]
        return spec


_TOKEN_SOURCES = {
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ],
    "defaultMode": 420,
}


def _mounting(container: Object, mount: Object) -> Object:
    mounts = container.get("volumeMounts") or []
    if any(entry.get("mountPath") == TOKEN_PATH for entry in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


def _with_default_tolerations(tolerations: list[Object]) -> list[Object]:
    added = [
        {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
        for taint in FATAL_TAINTS
        if not any(_tolerates(toleration, taint) for toleration in tolerations)
    ]
    return [*tolerations, *added]


def _tolerates(toleration: Object, taint: str) -> bool:
    return toleration.get("effect") in (None, "", "NoExecute") and toleration.get("key") in (None, "", taint)


class _Templates:
    """The most recent templates by identity; each is held, so that an id cannot come to mean another spec. The table is shared by
    all rooms and holds nothing but what its key says."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Template] = OrderedDict()

    def get(self, spec: Object) -> _Template:
        template = self._known.get(id(spec))
        if template is None:
            template = self._known[id(spec)] = _Template(spec)
            if len(self._known) > TEMPLATES_KEPT:
                self._known.popitem(last=False)
        return template


_PREPARED = _Templates()
