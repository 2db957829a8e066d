"""The API server's HTTPS door inside the cluster: what ``curl https://kubernetes.default.svc/...`` gets in a pod.

In: method, path with its query, headers and body of one request. Out: status, headers and text. Who asks is told by the token
(``authentication``); everybody may read health and version, whoever has a token discovery, and of the resources each what
``authorization`` lets him. What goes on for ever (watch, a followed log, exec) is not answered here.

Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import orjson

from server.cluster.apiserver import authentication, discovery, query, routing
from server.cluster.apiserver.authorization import trusted
from server.cluster.apiserver.health import CHECKS, health
from server.cluster.apiserver.request import Request
from server.cluster.errors import ApiError, bad_request, no_such_resource

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

Answer = tuple[int, dict[str, str], str]
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
EVERYBODYS = (*(f"/{name}" for name in CHECKS), "/version")
DISCOVERY = ("/api", "/apis", "/openapi")
UPGRADED = ("exec", "attach", "portforward")
WRITES = frozenset(("create", "update", "patch", "delete", "deletecollection"))
VERSION = {"major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
           "minCompatibilityMinor": "35", "gitVersion": "v1.36.2", "gitCommit": "podium", "gitTreeState": "clean",
           "buildDate": "1970-01-01T00:00:00Z", "goVersion": f"python{platform.python_version()}",
           "compiler": platform.python_implementation().lower(), "platform": "linux/amd64"}


def answer(api: ApiServer, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
    """What one request is told."""
    given = {name.lower(): value for name, value in headers.items()}
    route, _, asked = path.partition("?")
    parameters = query.parse(asked)
    indent = route in ("/", "/version") or query.pretty(parameters, given.get("user-agent", ""))
    try:
        code, value = _answer(api, method, route, parameters, given, body)
    except ApiError as error:
        code, value = error.code, error.status()
    if isinstance(value, str):
        return code, _headers(TEXT), value
    option = orjson.OPT_INDENT_2 if indent else 0
    return code, _headers(JSON), orjson.dumps(value, option=option).decode() + ("" if indent else "\n")


def _headers(kind: str) -> dict[str, str]:
    return {"Cache-Control": "no-cache, private", "Content-Type": kind, "X-Content-Type-Options": "nosniff"}


def _answer(api: ApiServer, method: str, route: str, parameters: dict[str, list[str]], headers: dict[str, str], body: str,
            ) -> tuple[int, Any]:
    user = authentication.user(api, headers.get("authorization", ""))
    if api.outage is not None and (error := api.outage(Request("get", "namespaces", user=user))) is not None:
        raise error
    target = routing.target(method, route)
    if target is not None:
        return _resource(api, target, parameters, headers, body, user)
    if not _may_read(user, method, route):
        raise ApiError(403, "Forbidden", f'forbidden: User "{user}" cannot {method.lower()} path "{route}"', {})
    if method in ("GET", "HEAD") and (told := health(route, parameters, lambda: None)) is not None:
        return told
    found = _document(api, route, headers) if method in ("GET", "HEAD") else None
    if found is not None:
        return 200, found
    if _in_served_group(route):
        raise no_such_resource()
    return 404, "404 page not found\n"


def _may_read(user: str, method: str, route: str) -> bool:
    if trusted(user):
        return True
    first = "/" + route.strip("/").partition("/")[0]
    return method in ("GET", "HEAD") and (first in EVERYBODYS or user != authentication.ANONYMOUS and first in DISCOVERY)


def _in_served_group(route: str) -> bool:
    first, group, *_ = *route.strip("/").split("/"), ""
    return first == "api" and bool(group) or first == "apis" and group in discovery.groups()


def _document(api: ApiServer, route: str, headers: dict[str, str]) -> Any:
    match [part for part in route.split("/") if part]:
        case []:
            return {"paths": list(discovery.paths(api.extended()))}
        case ["version"]:
            return VERSION
        case ["api"]:
            return discovery.api_versions(headers.get("host", ""))
        case ["apis"]:
            return discovery.api_group_list(api.extended())
        case ["api", version]:
            return discovery.api_resource_list("", version)
        case ["apis", group]:
            return discovery.api_group(group, api.extended())
        case ["apis", group, version]:
            return discovery.api_resource_list(group, version, api.extended())
    return None


def _resource(api: ApiServer, target: routing.Target, parameters: dict[str, list[str]], headers: dict[str, str], body: str, user: str,
              ) -> tuple[int, Any]:
    watching = target.verb == "list" and (target.watched or query.wants_watch(parameters))
    verb = "watch" if watching else target.verb
    options = query.options(parameters, verb)
    request = Request(verb, target.resource.key, target.namespace, target.name, target.subresource, options=options, user=user,
                      client=headers.get("user-agent", "").partition("/")[0] or "http")
    if verb in WRITES:
        request.raw = body.encode("utf-8", "surrogateescape")
        request.content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if trusted(user) and (watching or options.follow or target.subresource in UPGRADED):
        raise bad_request("what goes on for ever (watch, follow, exec) is not available to programs inside this cluster")
    response = api.request(request)
    return response.code, response.text if response.text is not None else json.loads(response.json())
