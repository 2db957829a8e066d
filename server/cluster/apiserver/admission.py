"""Admission: what the server refuses, and what it adds, between authorization and validation.

NamespaceLifecycle keeps new objects out of missing and dying namespaces, and the system's own namespaces from being deleted; for
pods, ServiceAccount gives each its account and token volume, Priority its number, and DefaultTolerationSeconds the five minutes that
pods stay on a lost node. ``check_*`` refuse; ``mutate`` adds, and what is the same for all pods of one template is worked out once.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from server.cluster.apiserver import ingress_classes, priorities, storage
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import forbidden, not_found
from server.cluster.names import generate
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.priorities import PriorityClass
    from server.cluster.apiserver.server import ApiServer

IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOLERATION_SECONDS = 300
FATAL_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TEMPLATES_KEPT = 4096


def check_delete(resource: Resource, name: str) -> None:
    """ApiError if admission says no."""
    if resource.key == "namespaces" and name in IMMORTAL_NAMESPACES:
        raise forbidden(resource.key, name, "this namespace may not be deleted")
    if resource.key == priorities.RESOURCE:
        priorities.check_delete(name)


def check_create(api: ApiServer, resource: Resource, obj: Object) -> None:
    """ApiError if admission says no."""
    if resource.namespaced:
        _check_namespace(api, resource, obj)
    if resource.key == "pods":
        _check_pod(api, obj)
        api.priorities.check_pod(obj)
    elif resource.key == priorities.RESOURCE:
        api.priorities.check_class(obj)


def check_update(api: ApiServer, resource: Resource, obj: Object) -> None:
    """ApiError if admission does not want the object as it is to be."""
    if resource.key == priorities.RESOURCE:
        api.priorities.check_class(obj)


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
    if spec.get("runtimeClassName"):
        raise forbidden("pods", meta.get("name", ""), f'pod rejected: RuntimeClass "{spec["runtimeClassName"]}" not found')


def _mirror(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


def mutate(api: ApiServer, resource: Resource, obj: Object) -> Object:
    """The object with what admission adds; valid by construction, so it runs after validation and templates stay recognisable."""
    if resource.key in storage.FINALIZERS:
        return storage.admit(api, resource.key, obj)
    if resource.key == ingress_classes.INGRESSES:
        return ingress_classes.admit(api, obj)
    if resource.key != "pods":
        return obj
    prepared = _PREPARED.get(obj["spec"], api.priorities.of(obj["spec"]))
    spec = prepared.spec
    if _mirror(obj):
        spec = {field: value for field, value in spec.items() if field not in ("serviceAccountName", "serviceAccount")}
    else:
        account = api.lister("serviceaccounts").get(obj["metadata"]["namespace"], spec["serviceAccountName"])
        automount = spec.get("automountServiceAccountToken", (account or {}).get("automountServiceAccountToken", True))
        if automount is not False:
            spec = prepared.with_token(f"{generate(api.random, 'kube-api-access-')}")
    return {**obj, "spec": spec}


class _Template:
    """A pod spec with what admission adds to every pod of it."""

    def __init__(self, spec: Object, priority: PriorityClass) -> None:
        self.source = spec
        account = spec.get("serviceAccountName") or "default"
        self.spec = {
            **spec,
            "serviceAccountName": account,
            "serviceAccount": account,
            **({"priorityClassName": priority.name} if priority.name else {}),
            "priority": priority.value,
            "preemptionPolicy": priority.policy,
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
        self._known: OrderedDict[tuple[int, PriorityClass], _Template] = OrderedDict()

    def get(self, spec: Object, priority: PriorityClass) -> _Template:
        key = id(spec), priority
        template = self._known.get(key)
        if template is None:
            template = self._known[key] = _Template(spec, priority)
            if len(self._known) > TEMPLATES_KEPT:
                self._known.popitem(last=False)
        return template


_PREPARED = _Templates()
