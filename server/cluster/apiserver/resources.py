"""The table of kinds: everything the API server serves, as data.

A new kind is one row here, its defaults and validation in its group's file, its columns in ``tables.py`` and its behaviour in one
controller. A resource is named all over Podium by its group-resource string: ``pods``, ``deployments.apps``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Subresource:
    """``kind`` and its ``api_version`` are what is sent and answered."""

    name: str
    kind: str
    api_version: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One row: how a kind is named, where it lives and what can be done with it."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    singular: str = ""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL_VERBS
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    returns_deleted: bool = False
    deprecated: str = ""
    key: str = field(init=False)
    api_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.plural}.{self.group}" if self.group else self.plural)
        object.__setattr__(self, "api_version", f"{self.group}/{self.version}" if self.group else self.version)
        if not self.singular:
            object.__setattr__(self, "singular", self.kind.lower())

    def subresource(self, name: str) -> Subresource | None:
        for entry in self.subresources:
            if entry.name == name:
                return entry
        return None


def _status(kind: str, api_version: str) -> Subresource:
    return Subresource("status", kind, api_version, STATUS_VERBS)


SCALE = Subresource("scale", "Scale", "autoscaling/v1", STATUS_VERBS)

_ROWS = (
    Resource("configmaps", "ConfigMap", short_names=("cm",)),
    Resource("endpoints", "Endpoints", short_names=("ep",), singular="endpoints",
             deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    Resource("events", "Event", short_names=("ev",)),
    Resource("namespaces", "Namespace", short_names=("ns",), namespaced=False, has_status=True,
             verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
             subresources=(Subresource("finalize", "Namespace", "v1", ("update",)), _status("Namespace", "v1"))),
    Resource("nodes", "Node", short_names=("no",), namespaced=False, has_status=True, subresources=(_status("Node", "v1"),)),
    Resource("pods", "Pod", short_names=("po",), categories=("all",), has_status=True, has_generation=True, returns_deleted=True,
             subresources=(
                 Subresource("binding", "Binding", "v1", ("create",)),
                 Subresource("eviction", "Eviction", "policy/v1", ("create",)),
                 Subresource("log", "Pod", "v1", ("get",)),
                 _status("Pod", "v1"))),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", short_names=("sa",), returns_deleted=True),
    Resource("services", "Service", short_names=("svc",), categories=("all",), has_status=True, returns_deleted=True,
             subresources=(_status("Service", "v1"),)),
    Resource("deployments", "Deployment", group="apps", short_names=("deploy",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("Deployment", "apps/v1"))),
    Resource("replicasets", "ReplicaSet", group="apps", short_names=("rs",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("ReplicaSet", "apps/v1"))),
    Resource("leases", "Lease", group="coordination.k8s.io"),
    Resource("endpointslices", "EndpointSlice", group="discovery.k8s.io", has_generation=True),
)

RESOURCES: dict[str, Resource] = {row.key: row for row in _ROWS}
_BY_KIND = {(row.api_version, row.kind): row for row in _ROWS}
_BY_PLURAL = {(row.group, row.version, row.plural): row for row in _ROWS}


def by_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))


def find(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PLURAL.get((group, version, plural))
