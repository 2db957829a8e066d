"""The table of kinds: everything the API server serves, as data.

A new kind is one row here, its defaults and validation in its group's file, its columns in ``tables.py`` and its behaviour in one
controller. A resource is named all over Podium by its group-resource string: ``pods``, ``deployments.apps``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STREAMS = ("create", "get")
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
    """One row: how a kind is named, where it lives and what can be done with it. ``stored`` is the key of the kind as which one that is
    served in another version or group is kept."""

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
    stored: str = ""
    key: str = field(init=False)
    api_version: str = field(init=False)

    def __post_init__(self) -> None:
        version = f".{self.version}" if self.stored else ""
        object.__setattr__(self, "key", f"{self.plural}{version}.{self.group}" if self.group else self.plural)
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
    Resource("componentstatuses", "ComponentStatus", singular="componentstatus", short_names=("cs",), namespaced=False,
             verbs=("get", "list"), deprecated="v1 ComponentStatus is deprecated in v1.19+"),
    Resource("configmaps", "ConfigMap", short_names=("cm",)),
    Resource("endpoints", "Endpoints", short_names=("ep",), singular="endpoints",
             deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    Resource("events", "Event", short_names=("ev",)),
    Resource("namespaces", "Namespace", short_names=("ns",), namespaced=False, has_status=True,
             verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
             subresources=(Subresource("finalize", "Namespace", "v1", ("update",)), _status("Namespace", "v1"))),
    Resource("persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), has_status=True, returns_deleted=True,
             subresources=(_status("PersistentVolumeClaim", "v1"),)),
    Resource("persistentvolumes", "PersistentVolume", short_names=("pv",), namespaced=False, has_status=True, returns_deleted=True,
             subresources=(_status("PersistentVolume", "v1"),)),
    Resource("podtemplates", "PodTemplate", has_generation=True, returns_deleted=True),
    Resource("replicationcontrollers", "ReplicationController", short_names=("rc",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("ReplicationController", "v1"))),
    Resource("nodes", "Node", short_names=("no",), namespaced=False, has_status=True, subresources=(_status("Node", "v1"),)),
    Resource("pods", "Pod", short_names=("po",), categories=("all",), has_status=True, has_generation=True, returns_deleted=True,
             subresources=(
                 Subresource("attach", "PodAttachOptions", "v1", STREAMS),
                 Subresource("binding", "Binding", "v1", ("create",)),
                 Subresource("ephemeralcontainers", "Pod", "v1", STATUS_VERBS),
                 Subresource("eviction", "Eviction", "policy/v1", ("create",)),
                 Subresource("exec", "PodExecOptions", "v1", STREAMS),
                 Subresource("log", "Pod", "v1", ("get",)),
                 Subresource("portforward", "PodPortForwardOptions", "v1", STREAMS),
                 Subresource("resize", "Pod", "v1", STATUS_VERBS),
                 _status("Pod", "v1"))),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", short_names=("sa",), returns_deleted=True),
    Resource("services", "Service", short_names=("svc",), categories=("all",), has_status=True, returns_deleted=True,
             subresources=(_status("Service", "v1"),)),
    Resource("deployments", "Deployment", group="apps", short_names=("deploy",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("Deployment", "apps/v1"))),
    Resource("replicasets", "ReplicaSet", group="apps", short_names=("rs",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("ReplicaSet", "apps/v1"))),
    Resource("controllerrevisions", "ControllerRevision", group="apps"),
    Resource("daemonsets", "DaemonSet", group="apps", short_names=("ds",), categories=("all",), has_status=True,
             has_generation=True, subresources=(_status("DaemonSet", "apps/v1"),)),
    Resource("statefulsets", "StatefulSet", group="apps", short_names=("sts",), categories=("all",), has_status=True,
             has_generation=True, subresources=(SCALE, _status("StatefulSet", "apps/v1"))),
    Resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", group="autoscaling", version="v2", short_names=("hpa",),
             categories=("all",), has_status=True, subresources=(_status("HorizontalPodAutoscaler", "autoscaling/v2"),)),
    Resource("cronjobs", "CronJob", group="batch", short_names=("cj",), categories=("all",), has_status=True, has_generation=True,
             subresources=(_status("CronJob", "batch/v1"),)),
    Resource("jobs", "Job", group="batch", categories=("all",), has_status=True, has_generation=True,
             subresources=(_status("Job", "batch/v1"),)),
    Resource("ingressclasses", "IngressClass", group="networking.k8s.io", namespaced=False, has_generation=True),
    Resource("ingresses", "Ingress", group="networking.k8s.io", short_names=("ing",), has_status=True, has_generation=True,
             subresources=(_status("Ingress", "networking.k8s.io/v1"),)),
    Resource("networkpolicies", "NetworkPolicy", group="networking.k8s.io", short_names=("netpol",), has_generation=True),
    Resource("poddisruptionbudgets", "PodDisruptionBudget", group="policy", short_names=("pdb",), has_status=True, has_generation=True,
             subresources=(_status("PodDisruptionBudget", "policy/v1"),)),
    Resource("priorityclasses", "PriorityClass", group="scheduling.k8s.io", short_names=("pc",), namespaced=False, has_generation=True),
    Resource("csidrivers", "CSIDriver", group="storage.k8s.io", namespaced=False, has_generation=True, returns_deleted=True),
    Resource("csinodes", "CSINode", group="storage.k8s.io", namespaced=False, returns_deleted=True),
    Resource("storageclasses", "StorageClass", group="storage.k8s.io", short_names=("sc",), namespaced=False, returns_deleted=True),
    Resource("volumeattachments", "VolumeAttachment", group="storage.k8s.io", namespaced=False, has_status=True, returns_deleted=True,
             subresources=(_status("VolumeAttachment", "storage.k8s.io/v1"),)),
    Resource("leases", "Lease", group="coordination.k8s.io"),
    Resource("endpointslices", "EndpointSlice", group="discovery.k8s.io", has_generation=True),
)

RESOURCES: dict[str, Resource] = {row.key: row for row in _ROWS}
# kinds in another version than the one that they are kept in: ``versions`` converts
VERSIONS: dict[str, Resource] = {row.key: row for row in (
    Resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", group="autoscaling", short_names=("hpa",), categories=("all",),
             has_status=True, subresources=(_status("HorizontalPodAutoscaler", "autoscaling/v1"),),
             stored="horizontalpodautoscalers.autoscaling"),
    Resource("events", "Event", group="events.k8s.io", short_names=("ev",), stored="events"),
)}
# kinds that a server behind ours answers for, as long as there is one: ``ApiServer.extensions``
EXTENSIONS: dict[str, Resource] = {row.key: row for row in (
    Resource("nodes", "NodeMetrics", group="metrics.k8s.io", version="v1beta1", namespaced=False, verbs=("get", "list")),
    Resource("pods", "PodMetrics", group="metrics.k8s.io", version="v1beta1", verbs=("get", "list")),
)}
_BY_KIND = {(row.api_version, row.kind): row for row in (*_ROWS, *VERSIONS.values(), *EXTENSIONS.values())}
_BY_PLURAL = {(row.group, row.version, row.plural): row for row in _BY_KIND.values()}


def served(key: str) -> Resource | None:
    """The row of whatever can be asked for."""
    return RESOURCES.get(key) or VERSIONS.get(key) or EXTENSIONS.get(key)


def by_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))


def stored_kind(api_version: str, kind: str) -> Resource | None:
    """The row of a kind as it is kept."""
    row = _BY_KIND.get((api_version, kind))
    return RESOURCES.get(row.stored or row.key) if row is not None else None


def find(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PLURAL.get((group, version, plural))
