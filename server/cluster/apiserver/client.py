"""A typed client inside the process: what controllers, the scheduler and kubelets use to ask the API server.

It goes through the same ``ApiServer.request`` as everyone; it only skips the wire. ``because`` is the revision that made the client
act and is set by whoever runs it, so that every write can be traced back to a person's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.apiserver.request import DEFAULT_OPTIONS, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Options, Request
from server.cluster.errors import Unreachable
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

PATCH_TYPES = {"merge": MERGE_PATCH, "json": JSON_PATCH, "strategic": STRATEGIC_PATCH}


class Client:
    """Every method raises ``ApiError``; objects that come back are the stored ones: look, do not touch. ``severed`` is what a client
    hears whose machine cannot reach the API server's."""

    def __init__(self, api: ApiServer, name: str, user: str) -> None:
        self.api = api
        self.name = name
        self.user = user
        self.because: int | str | None = None
        self.severed: Unreachable | None = None

    def _ask(self, verb: str, resource: str, namespace: str = "", name: str = "", body: Any = None, subresource: str = "",
             content_type: str = "", options: Options = DEFAULT_OPTIONS) -> Object:
        if self.api.breathe is not None:
            self.api.breathe()
        if self.severed is not None:
            raise self.severed
        return self.api.request(Request(verb, resource, namespace, name, subresource, body, None, content_type, options,
                                        self.name, self.user, self.because)).object

    def get(self, resource: str, namespace: str, name: str, subresource: str = "") -> Object:
        return self._ask("get", resource, namespace, name, subresource=subresource)

    def list(self, resource: str, namespace: str = "", label_selector: str = "", field_selector: str = "") -> list[Object]:
        options = Options(label_selector=label_selector, field_selector=field_selector)
        return self._ask("list", resource, namespace, options=options)["items"]

    def create(self, resource: str, obj: Object) -> Object:
        return self._ask("create", resource, obj["metadata"].get("namespace", ""), body=obj)

    def update(self, resource: str, obj: Object, subresource: str = "") -> Object:
        """Conflicts (409) when the object has changed since it was read."""
        meta = obj["metadata"]
        return self._ask("update", resource, meta.get("namespace", ""), meta["name"], obj, subresource)

    def patch(self, resource: str, namespace: str, name: str, patch: Any, type: str = "merge", subresource: str = "") -> Object:  # noqa: A002
        return self._ask("patch", resource, namespace, name, patch, subresource, PATCH_TYPES[type])

    def delete(self, resource: str, namespace: str, name: str, grace_period: int | None = None, propagation: str | None = None,
               uid: str | None = None) -> Object:
        options = DEFAULT_OPTIONS
        if grace_period is not None or propagation or uid:
            options = Options(grace_period_seconds=grace_period, propagation_policy=propagation or "",
                              preconditions={"uid": uid} if uid else {})
        return self._ask("delete", resource, namespace, name, options=options)

    def bind(self, namespace: str, pod: str, node: str) -> None:
        self._ask("create", "pods", namespace, pod, {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod, "namespace": namespace},
            "target": {"kind": "Node", "name": node}}, "binding")
