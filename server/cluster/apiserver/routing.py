"""Paths: what a URL below the API server's root names.

In: the method and path. Out: a ``Target`` (a resource, with namespace, name, subresource and the verb the method means), None
where nothing is served, so that the answer is a 404, or ApiError for a method that makes no sense there.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.apiserver.resources import Resource, find
from server.cluster.errors import method_not_allowed

ITEM_VERBS = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
LIST_VERBS = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
NAMESPACE_SUBRESOURCES = ("status", "finalize")


class Target(NamedTuple):
    """What a request is aimed at. ``watched`` if the path itself (the old ``/watch/`` form) asks for a watch."""

    resource: Resource
    verb: str
    namespace: str
    name: str
    subresource: str
    watched: bool


def target(method: str, path: str) -> Target | None:
    """``path`` is below the API server's root, such as ``/api/v1/namespaces/default/pods/web/log``."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    watched = rest[0] == "watch" and len(rest) > 1
    if watched:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in NAMESPACE_SUBRESOURCES):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3 or "" in rest:
        return None
    resource = find(group, version, rest[0])
    if resource is None or (namespace and not resource.namespaced):
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    if resource.namespaced and not namespace and name:
        return None
    if subresource and resource.subresource(subresource) is None:
        return None
    return Target(resource, _verb(method, resource, namespace, name, subresource), namespace, name, subresource, watched)


def _verb(method: str, resource: Resource, namespace: str, name: str, subresource: str) -> str:
    if subresource and method == "POST":
        return "create"
    verb = (ITEM_VERBS if name else LIST_VERBS).get(method)
    if verb is None or (resource.namespaced and not namespace and verb != "list"):
        raise method_not_allowed(resource.plural, method)
    return verb
