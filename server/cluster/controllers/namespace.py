"""Namespaces: a deleted one is emptied, then let go.

In: namespaces marked for deletion. Out: everything in them deleted, pods first and the rest when they are gone, with conditions
that say what remains; at last the ``kubernetes`` finalizer comes off through the ``finalize`` subresource. The wait of five seconds
before each look is a real cluster's too.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
"""

from __future__ import annotations

from server.cluster.apiserver.resources import RESOURCES
from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, deleting, key, name
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event

PATIENCE = 5.0
FINALIZER = "kubernetes"

# type: (reason and message when all is well, reason when it is not)
CONDITIONS = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered", "DiscoveryFailed"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions", "All legacy kube types successfully parsed", "GroupVersionParsingFailed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted", "All content successfully deleted, may be waiting on finalization", "ContentDeletionFailed"),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed", "SomeResourcesRemain"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers", "All content-preserving finalizers finished", "SomeFinalizersRemain"),
}


class NamespaceController(Controller):
    name = "namespace-controller"
    reconciles = "namespaces"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._namespaces = self.lister("namespaces")
        self._contents = {row.key: self.lister(row.key) for row in sorted(RESOURCES.values(), key=lambda row: row.key) if row.namespaced}
        self.watch("namespaces", self._on_namespace)

    def _on_namespace(self, event: Event) -> None:
        if event.type != DELETED and deleting(event.object):
            self.enqueue(key(event.object), event, after=PATIENCE)

    def reconcile(self, key: Key) -> None:
        namespace = self._namespaces.get(*key)
        if namespace is None or not deleting(namespace) or FINALIZER not in (namespace["spec"].get("finalizers") or ()):
            return
        failure = self._empty(name(namespace))
        remaining = {resource: left for resource, lister in self._contents.items() if (left := lister.list(name(namespace)))}
        namespace = self._report(namespace, remaining, failure)
        if remaining:
            self.enqueue(key, after=_until_pods_are_gone(remaining.get("pods", [])))
        else:
            left = [entry for entry in namespace["spec"]["finalizers"] if entry != FINALIZER]
            self.client.update("namespaces", {**namespace, "spec": {**namespace["spec"], "finalizers": left}}, "finalize")

    def _empty(self, namespace: str) -> str:
        """Deletes the pods or, when there are none, all else; the answer is the first refusal."""
        failure = ""
        for resource in ("pods",) if self._contents["pods"].count(namespace) else self._contents:
            for obj in self._contents[resource].list(namespace):
                if deleting(obj):
                    continue
                try:
                    self.client.delete(resource, namespace, name(obj), propagation="Background")
                except ApiError as error:
                    if error.code != 404:
                        failure = failure or error.message
        return failure

    def _report(self, namespace: Object, remaining: dict[str, list[Object]], failure: str) -> Object:
        said = {
            "NamespaceDeletionContentFailure": failure,
            "NamespaceContentRemaining": _some_remain(remaining),
            "NamespaceFinalizersRemaining": _some_finalizers(remaining),
        }
        known = {entry["type"]: entry for entry in namespace["status"].get("conditions") or ()}
        conditions = [self._condition(type_, said.get(type_, ""), known.get(type_)) for type_ in CONDITIONS]
        status = {**namespace["status"], "phase": "Terminating", "conditions": conditions}
        return namespace if status == namespace["status"] else self.client.update("namespaces", {**namespace, "status": status}, "status")

    def _condition(self, type_: str, message: str, known: Object | None) -> Object:
        good, well, bad = CONDITIONS[type_]
        status, reason = ("True", bad) if message else ("False", good)
        if known is not None and (known["status"], known["message"]) == (status, message or well):
            return known
        same = known is not None and known["status"] == status
        since = known["lastTransitionTime"] if known is not None and same else self.clock.timestamp()
        return {"type": type_, "status": status, "lastTransitionTime": since, "reason": reason, "message": message or well}


def _until_pods_are_gone(pods: list[Object]) -> float:
    """Half the longest grace period, and a second."""
    longest = max((pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in pods), default=0)
    return longest // 2 + 1 if pods else PATIENCE


def _some_remain(remaining: dict[str, list[Object]]) -> str:
    if not remaining:
        return ""
    return "Some resources are remaining: " + ", ".join(
        f"{resource}{'' if '.' in resource else '.'} has {len(left)} resource instances" for resource, left in remaining.items())


def _some_finalizers(remaining: dict[str, list[Object]]) -> str:
    counts: dict[str, int] = {}
    for left in remaining.values():
        for obj in left:
            for finalizer in obj["metadata"].get("finalizers") or ():
                counts[finalizer] = counts.get(finalizer, 0) + 1
    if not counts:
        return ""
    return "Some content in the namespace has finalizers remaining: " + ", ".join(
        f"{finalizer} in {count} resource instances" for finalizer, count in sorted(counts.items()))
