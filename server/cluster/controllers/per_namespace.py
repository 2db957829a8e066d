"""One object of a kind in every namespace: the shape that the service account and root certificate controllers share.

In: namespaces, and changes of that object. Out: the object, made again whenever it is missing or not as it should be, until the
namespace is being deleted.

Source: https://kubernetes.io/docs/concepts/architecture/controller/
"""

from __future__ import annotations

from server.cluster.controllers.base import Controller
from server.cluster.errors import ApiError
from server.cluster.objects import Key, Object, key, name
from server.cluster.parts import Parts
from server.cluster.store import DELETED, Event


class PerNamespaceController(Controller):
    """``resource`` and ``wanted`` are what there must be; the keys are those of namespaces."""

    reconciles = "namespaces"
    resource = ""
    wanted: Object = {}

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._namespaces = self.lister("namespaces")
        self._objects = self.lister(self.resource)
        self.watch("namespaces", self._on_namespace)
        self.watch(self.resource, self._on_object)

    def _on_namespace(self, event: Event) -> None:
        if event.type != DELETED:
            self.enqueue(key(event.object), event)

    def _on_object(self, event: Event) -> None:
        if name(event.object) == name(self.wanted) and event.cause.client != self.name:
            self.enqueue(("", key(event.object)[0]), event)

    def reconcile(self, key: Key) -> None:
        namespace = self._namespaces.get(*key)
        if namespace is None or (namespace.get("status") or {}).get("phase") == "Terminating":
            return
        current = self._objects.get(name(namespace), name(self.wanted))
        try:
            if current is None:
                self.client.create(self.resource, {**self.wanted, "metadata": {**self.wanted["metadata"], "namespace": name(namespace)}})
            elif "data" in self.wanted and current.get("data") != self.wanted["data"]:
                self.client.update(self.resource, {**current, "data": self.wanted["data"]})
        except ApiError as error:
            if error.reason not in ("AlreadyExists", "Forbidden", "NotFound"):
                raise
