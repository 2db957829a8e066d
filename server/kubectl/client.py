"""The commands' way to the API server: the one door, as the person at the terminal.

In: calls from commands (`get`, `list`, `create`, `patch`, ...). Out: objects, or an ApiError. What a command sends goes as bytes,
as off the wire, so that unknown fields and wrong types are found as for any real client. Warnings of the server are printed on
stderr once each, as kubectl does, whatever the command.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Options, Request, Response
from server.cluster.apiserver.resources import EXTENSIONS, RESOURCES, Resource
from server.cluster.errors import ApiError
from server.cluster.process import Channel

PATCH_TYPES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_PATCH}
Object = dict[str, Any]


def compact(value: Any, in_order: bool = False) -> str:
    """JSON as Go's encoder writes a map: compact, sorted keys (unless `in_order`), <, > and & escaped."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=not in_order, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


class ApiClient:
    """`resource` is a Resource or its key (`deployments.apps`); options are fields of request.Options."""

    def __init__(self, api: Any, warn: Callable[[str], None], client: str = "kubectl", user: str = "kubernetes-admin"):
        self.server = api
        self.client = client
        self.user = user
        self._warn = warn
        self._warned: set[str] = set()

    @property
    def resources(self) -> dict[str, Resource]:
        """What the server prefers to be asked for, by key."""
        extended = self.server.extended()
        return RESOURCES if not extended else {**RESOURCES, **{key: row for key, row in EXTENSIONS.items() if row.group in extended}}

    def request(
        self,
        verb: str,
        resource: Resource | str,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        body: Any = None,
        content_type: str = "application/json",
        table: str | None = None,
        **options: Any,
    ) -> Response:
        key = resource if isinstance(resource, str) else resource.key
        self.breathe()
        response = self.server.request(
            Request(
                verb,
                key,
                namespace=namespace,
                name=name,
                subresource=subresource,
                raw=None if body is None else _bytes(body),
                content_type=content_type,
                options=Options(**options),
                client=self.client,
                user=self.user,
                table=table,
            )
        )
        for warning in response.warnings:
            self._say(warning)
        return response

    def breathe(self) -> None:
        """Called in the middle of what takes long: others may have their turn."""
        if self.server.breathe is not None:
            self.server.breathe()

    def get(self, resource: Resource | str, namespace: str, name: str, **more: Any) -> Object:
        """An object that the user named: where it is not, kubectl looks whether its namespace is, and tells that."""
        try:
            return self.read(resource, namespace, name, **more)
        except ApiError as error:
            if error.reason == "NotFound" and namespace not in ("", "default"):
                self.request("get", "namespaces", "", namespace)
            raise

    def read(self, resource: Resource | str, namespace: str, name: str, **more: Any) -> Object:
        """An object that kubectl wants for itself."""
        return self.request("get", resource, namespace, name, **more).object

    def find(self, resource: Resource | str, namespace: str, name: str) -> Object | None:
        """The object, or None if there is none."""
        try:
            return self.get(resource, namespace, name)
        except ApiError as error:
            if error.reason == "NotFound":
                return None
            raise

    def list(self, resource: Resource | str, namespace: str = "", **more: Any) -> Object:
        return self.request("list", resource, namespace, **more).object

    def items(self, resource: Resource | str, namespace: str = "", **more: Any) -> list[Object]:
        return self.list(resource, namespace, **more)["items"]

    def create(self, resource: Resource | str, namespace: str, obj: Object, **more: Any) -> Object:
        """The version that a written object bears is not sent: what is created has none yet."""
        if (obj.get("metadata") or {}).get("resourceVersion"):
            obj = {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}}
        return self.request("create", resource, namespace, body=obj, **more).object

    def update(self, resource: Resource | str, namespace: str, name: str, obj: Object, **more: Any) -> Object:
        return self.request("update", resource, namespace, name, body=obj, **more).object

    def patch(self, resource: Resource | str, namespace: str, name: str, patch: Any, type: str = "merge", **more: Any) -> Object:
        content_type = PATCH_TYPES.get(type, type)
        return self.request("patch", resource, namespace, name, body=patch, content_type=content_type, **more).object

    def delete(self, resource: Resource | str, namespace: str, name: str, **more: Any) -> Object:
        return self.request("delete", resource, namespace, name, **more).object

    def watch(self, resource: Resource | str, namespace: str = "", name: str = "", **more: Any) -> Channel:
        """The channel of a watch; take from it with `yield Take(channel)`, close it when done."""
        return self.request("watch", resource, namespace, name, **more).stream

    def _say(self, warning: str) -> None:
        if warning not in self._warned:
            self._warned.add(warning)
            self._warn(warning)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else compact(body).encode()
