"""Priorities: which number and which right to preempt a pod gets from its PriorityClass.

In: PriorityClasses by watch, a pod's ``priorityClassName``. Out: the class that admission writes into the pod (one that names none gets
the smallest ``globalDefault``, or 0), the refusals of admission, and the two classes that every cluster has and nobody may delete.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.cluster.errors import forbidden
from server.cluster.objects import Object
from server.cluster.store import Event

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

RESOURCE = "priorityclasses.scheduling.k8s.io"
POLICIES = PREEMPT, NEVER = "PreemptLowerPriority", "Never"
SYSTEM_PREFIX = "system-"
HIGHEST = 1_000_000_000


class PriorityClass(NamedTuple):
    name: str
    value: int
    policy: str
    description: str = ""


NONE = PriorityClass("", 0, PREEMPT)
SYSTEM = {row.name: row for row in (
    PriorityClass("system-cluster-critical", 2 * HIGHEST, PREEMPT,
                  "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
    PriorityClass("system-node-critical", 2 * HIGHEST + 1000, PREEMPT,
                  "Used for system critical pods that must not be moved from their current node."))}


def system_classes() -> list[Object]:
    """The two classes as the API server makes them when it starts."""
    return [{"metadata": {"name": row.name}, "value": row.value, "description": row.description} for row in reversed(SYSTEM.values())]


class Priorities:
    """One cluster's; the default is looked for once after every change of a class."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._default: PriorityClass | None = None
        self._known: dict[str, tuple[Object, PriorityClass]] = {}
        api.watch(RESOURCE, self._on_class)

    def _on_class(self, _: Event) -> None:
        self._default = None
        self._known.clear()

    def of(self, spec: Object) -> PriorityClass | None:
        """The class of a pod; None for one that does not exist."""
        name = spec.get("priorityClassName")
        return self._named(name) if name else self.default()

    def _named(self, name: str) -> PriorityClass | None:
        known = self._known.get(name)
        obj = self._api.lister(RESOURCE).get("", name)
        if obj is None:
            return None
        if known is None or known[0] is not obj:
            known = self._known[name] = obj, PriorityClass(name, obj["value"], obj.get("preemptionPolicy", PREEMPT))
        return known[1]

    def default(self) -> PriorityClass:
        """What pods get that name no class."""
        if self._default is None:
            defaults = [obj for obj in self._api.lister(RESOURCE).list() if obj.get("globalDefault")]
            least = min(defaults, key=lambda obj: obj["value"], default=None)
            self._default = NONE if least is None else self._named(least["metadata"]["name"])
        return self._default

    def check_pod(self, pod: Object) -> None:
        """ApiError 403 for a pod whose class there is not, or who says other than its class."""
        name, spec = pod["metadata"].get("name", ""), pod.get("spec") or {}
        found = self.of(spec)
        if found is None:
            raise forbidden("pods", name, f"no PriorityClass with name {spec['priorityClassName']} was found")
        if (priority := spec.get("priority")) is not None and priority != found.value:
            raise forbidden("pods", name, f"the integer value of priority ({priority}) must not be provided in pod spec; priority admission "
                                          f"controller computed {found.value} from the given PriorityClass name")
        if (policy := spec.get("preemptionPolicy")) is not None and policy != found.policy:
            raise forbidden("pods", name, f"the string value of PreemptionPolicy ({policy}) must not be provided in pod spec; priority "
                                          f"admission controller computed {found.policy} from the given PriorityClass name")

    def check_class(self, obj: Object) -> None:
        """ApiError 403 for a second default."""
        if not obj.get("globalDefault"):
            return
        name, default = obj["metadata"]["name"], self.default()
        if default is not NONE and default.name != name:
            raise forbidden(RESOURCE, name, f"PriorityClass {default.name} is already marked as default. Only one default can exist")


def check_delete(name: str) -> None:
    """ApiError 403 for one of the system's."""
    if name in SYSTEM:
        raise forbidden(RESOURCE, name, "this is a system priority class and cannot be deleted")
