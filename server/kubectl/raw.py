"""--raw PATH: a path of the REST API asked for as it stands.

In: `/api/v1/namespaces/default/pods/web?x=y` and the like. Out: what the server answers, as text. Discovery, version and health paths are
answered from the same data the HTTP API serves.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from server.cluster.apiserver import discovery
from server.cluster.apiserver.door import VERSION
from server.cluster.apiserver.health import health
from server.cluster.apiserver.resources import Resource, find
from server.cluster.errors import ApiError, bad_request, no_such_resource
from server.kubectl.context import Context
from server.kubectl.errors import CommandError

_OPTIONS = {"labelSelector": ("label_selector", str), "fieldSelector": ("field_selector", str), "limit": ("limit", int),
            "continue": ("continue_", str), "container": ("container", str), "tailLines": ("tail_lines", int),
            "resourceVersion": ("resource_version", str), "gracePeriodSeconds": ("grace_period_seconds", int)}


def raw_get(ctx: Context, path: str) -> str:
    return _request(ctx, "get", path)


def raw_write(ctx: Context, verb: str, path: str, body: str | None) -> str:
    return _request(ctx, verb, path, body)


def _request(ctx: Context, verb: str, path: str, body: str | None = None) -> str:
    answer = raw_request(ctx, verb, path, body)
    return answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False) + "\n"


def raw_request(ctx: Context, verb: str, path: str, body: str | None = None, content_type: str = "") -> Any:
    """What the server answers: text, or an object."""
    if not path.startswith("/"):
        raise CommandError(f'--raw must be a valid URL path: parse "{path}": invalid URI for request')
    address = urlsplit(path)
    parts = [part for part in address.path.split("/") if part]
    query = parse_qs(address.query, keep_blank_values=True)
    if verb == "get" and (answer := _discovery(ctx, parts)) is not None:
        return answer
    if verb == "get" and (told := health(address.path, query, lambda: ctx.api.get("namespaces", "", "kube-system"))) is not None:
        return _passed(*told)
    row, namespace, name, subresource = _target(parts)
    options = _options(query)
    if "watch" in query or "follow" in query:
        raise bad_request("what goes on for ever (watch, follow) is not available this way in Podium's terminal: kubectl get -w, kubectl logs -f")
    verb = {"get": "get" if name else "list", "delete": "delete" if name else "deletecollection"}.get(verb, verb)
    typed = {"content_type": content_type} if content_type and verb == "patch" else {}
    response = ctx.api.request(verb, row, namespace, name, subresource=subresource, body=body, **typed, **options)
    return response.text if response.text is not None else response.object


def _passed(code: int, text: str) -> str:
    if code == 404:
        raise no_such_resource()
    if code != 200:
        raise ApiError(code, "InternalError", f"an error on the server ({json.dumps(text.strip())[1:-1]}) has prevented the request from succeeding")
    return text


def _options(query: dict[str, list[str]]) -> dict[str, Any]:
    try:
        return {_OPTIONS[key][0]: _OPTIONS[key][1](values[-1]) for key, values in query.items() if key in _OPTIONS}
    except ValueError as error:
        raise bad_request(str(error)) from None


def _discovery(ctx: Context, parts: list[str]) -> Any:
    match parts:
        case []:
            return json.dumps({"paths": discovery.paths(ctx.api.server.extended())}, indent=2)
        case ["version"]:
            return json.dumps(VERSION, indent=2)
        case ["api"]:
            return discovery.api_versions(ctx.kubeconfig.server.partition("://")[2])
        case ["apis"]:
            return discovery.api_group_list(ctx.api.server.extended())
        case ["api", version]:
            return _found(discovery.api_resource_list("", version))
        case ["apis", group]:
            return _found(discovery.api_group(group))
        case ["apis", group, version]:
            return _found(discovery.api_resource_list(group, version))
    return None


def _found(answer: Any) -> Any:
    if answer is None:
        raise no_such_resource()
    return answer


def _target(parts: list[str]) -> tuple[Resource, str, str, str]:
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_resource()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and find(group, version, rest[2]) is not None:
        namespace, rest = rest[1], rest[2:]
    row = find(group, version, rest[0])
    if row is None or len(rest) > 3:
        raise no_such_resource()
    return row, namespace, rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else ""
