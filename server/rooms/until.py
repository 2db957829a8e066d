"""What a room can be run until: a change, quiet, everything (or one thing) ready, or a condition of one thing.

In: a cluster and a wish in words. Out: a ``Goal``: ``reached()`` is asked after each thing that happens, ``next()`` says when to ask again if
nothing does. Asking is cheap however large the cluster: what stood in the way the last time is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.cluster import Cluster
from server.cluster.objects import Object, condition

LIMIT = 3600.0
QUIET = 30.0
KINDS = {row.kind: row.key for row in RESOURCES.values()}
WORKLOADS = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers")
GOALS = ("change", "idle", "ready", "condition")


class Goal(Protocol):
    def reached(self) -> bool: ...

    def next(self) -> float | None: ...


class Change:
    """Something in the cluster is written."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.store
        self._begun = cluster.store.revision

    def reached(self) -> bool:
        return self._store.revision > self._begun

    def next(self) -> float | None:
        return None


class Idle:
    """Nothing is written for a while."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._revision, self._since = cluster.store.revision, cluster.clock.now

    def reached(self) -> bool:
        if self._cluster.store.revision != self._revision:
            self._revision, self._since = self._cluster.store.revision, self._cluster.clock.now
        return self._cluster.clock.now >= self._since + QUIET

    def next(self) -> float | None:
        return self._since + QUIET


class Fulfilled:
    """``hindrance()`` finds nothing any more; asked only when something was written."""

    def __init__(self, cluster: Cluster, hindrance: Callable[[], Any]) -> None:
        self._store = cluster.store
        self._hindrance = hindrance
        self._seen = -1
        self._reached = False

    def reached(self) -> bool:
        if self._store.revision != self._seen:
            self._seen = self._store.revision
            self._reached = not self._hindrance()
        return self._reached

    def next(self) -> float | None:
        return None


def goal(cluster: Cluster, what: str, thing: str = "", name: str = "") -> Goal:
    """ValueError, with what is wrong, for a wish that means nothing here."""
    if what == "change":
        return Change(cluster)
    if what == "idle":
        return Idle(cluster)
    if what == "ready" and not thing:
        return Fulfilled(cluster, _Unready(cluster))
    if what not in GOALS:
        raise ValueError(f"what must be one of {', '.join(GOALS)}")
    kind, _, rest = thing.partition("/")
    namespace, _, called = rest.partition("/")
    key = KINDS.get(kind)
    if key is None or cluster.api.lister(key).get(namespace, called) is None:
        raise ValueError(f"there is no {thing or 'thing named'} to wait for")
    if what == "condition" and not name:
        raise ValueError("condition is missing: the type of a condition, such as Available")

    def unfulfilled() -> bool:
        obj = cluster.api.lister(key).get(namespace, called)
        if obj is None:
            return True
        found = condition(obj, name) if what == "condition" else None
        return not (found is not None and found["status"] == "True" if what == "condition" else ready(key, obj))

    return Fulfilled(cluster, unfulfilled)


def ready(resource: str, obj: Object) -> bool:
    """Whether a thing is what it should be: a pod is ready or has done its work, a workload has all of its replicas."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if resource in WORKLOADS:
        wanted = spec.get("replicas", 1)
        current = status.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0)
        updated = status.get("updatedReplicas", wanted if resource in ("replicasets.apps", "replicationcontrollers") else 0)
        return current and status.get("replicas", 0) == wanted == status.get("readyReplicas", 0) and updated == wanted
    if resource == "daemonsets.apps":
        wanted = status.get("desiredNumberScheduled", 0)
        return status.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0) and status.get("numberReady", 0) == wanted
    if resource == "jobs.batch":
        return (found := condition(obj, "Complete")) is not None and found["status"] == "True"
    if resource in ("persistentvolumeclaims", "persistentvolumes"):
        return status.get("phase") == "Bound"
    if resource == "pods" and status.get("phase") == "Succeeded":
        return True
    if "deletionTimestamp" in obj["metadata"]:
        return False
    found = condition(obj, "Ready")
    return resource not in ("pods", "nodes") if found is None else found["status"] == "True"


class _Unready:
    """The first pod or workload that is not ready, looked for where it was found before."""

    def __init__(self, cluster: Cluster) -> None:
        self._api = cluster.api
        self._last: tuple[str, str, str] | None = None

    def __call__(self) -> tuple[str, str, str] | None:
        if self._last is not None:
            resource, namespace, name = self._last
            obj = self._api.lister(resource).get(namespace, name)
            if obj is not None and not _well(resource, obj):
                return self._last
        for resource in (*WORKLOADS, "daemonsets.apps", "pods"):
            for obj in self._api.lister(resource).list():
                if not _well(resource, obj):
                    self._last = resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
                    return self._last
        return None


def _well(resource: str, obj: Object) -> bool:
    return ready(resource, obj) or resource == "pods" and (obj.get("status") or {}).get("phase") == "Failed"
