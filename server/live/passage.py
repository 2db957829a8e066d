"""The passage of one request through the API server, told afterwards: authentication, authorization, admission and defaulting,
validation, etcd, watch.

In: an event of the store with the request that made it, or a request that people made without a revision (``heard``). Out: the stages, each
``{stage, code, ...}``, and on demand the contents: what was sent and what was stored as YAML with the lines marked that the server
filled in. Nothing is guessed: defaulting is run again on what was sent, and what else is there came from admission or the server.

Source: https://kubernetes.io/docs/concepts/security/controlling-access/
"""

from __future__ import annotations

from typing import Any

import orjson

from server.cluster.apiserver import authentication, authorization, decode, defaults
from server.cluster.apiserver.heard import Heard
from server.cluster.apiserver.request import JSON_PATCH, Request
from server.cluster.apiserver.resources import Resource, served
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.cluster.objects import Object
from server.cluster.store import DELETED, Event
from server.kubectl import yamlout
from server.live import onthewire
from server.live.compared import changes, leaves, lines, short
from server.live.watching import watchers

METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE", "bind": "POST"}
REGISTRY = {"services": "services/specs", "endpoints": "services/endpoints", "nodes": "minions", "ingresses": "ingress"}
SERVERS = frozenset(("metadata.uid", "metadata.creationTimestamp", "metadata.generation", "metadata.name", "metadata.namespace", "apiVersion",
                     "kind"))
PLUGINS = (
    ("spec.tolerations", "DefaultTolerationSeconds"), ("spec.priority", "Priority"), ("spec.preemptionPolicy", "Priority"),
    ("spec.serviceAccount", "ServiceAccount"), ("spec.volumes", "ServiceAccount"), ("spec.containers", "ServiceAccount"),
    ("spec.initContainers", "ServiceAccount"), ("spec.ingressClassName", "DefaultIngressClass"), ("spec.storageClassName", "DefaultStorageClass"),
    ("metadata.finalizers", "StorageObjectInUseProtection"),
)
MAX_FILLED = 120


def method(verb: str) -> str:
    return METHODS.get(verb, "GET")


def path(row: Resource, namespace: str, name: str, subresource: str, verb: str) -> str:
    """The URL's path, as a client asks for it."""
    parts = ["/apis" if row.group else "/api", row.api_version]
    if row.namespaced and namespace:
        parts += ["namespaces", namespace]
    parts.append(row.plural)
    if name and (verb != "create" or subresource) and verb not in ("list", "deletecollection"):
        parts.append(name)
    return "/".join([*parts, subresource] if subresource else parts)


def of_request(request: Request) -> dict[str, Any]:
    """The request line, from what the API server got."""
    row = served(request.resource)
    if row is None:
        return {"method": method(request.verb), "path": f"/…/{request.resource}", "verb": request.verb, "subresource": request.subresource}
    name = request.name
    if not name and isinstance(request.body, dict) and request.verb == "update":
        name = request.body["metadata"].get("name", "")
    namespace = request.namespace or (request.body["metadata"].get("namespace", "") if isinstance(request.body, dict) and "metadata" in
                                      request.body else "")
    return {"method": method(request.verb), "path": path(row, namespace, name, request.subresource, request.verb), "verb": request.verb,
            "subresource": request.subresource, "plural": row.plural, "group": row.group, "namespace": namespace,
            **({"manager": request.options.field_manager} if request.options.field_manager else {}),
            **({"type": request.content_type} if request.content_type else {})}


def named(request: Request) -> str:
    """What a request is about, by its URL or, for something new, by its body."""
    if request.name or request.verb != "create":
        return request.name
    try:
        body = orjson.loads(request.raw) if request.raw else request.body
        meta = body["metadata"]
        return str(meta.get("name") or meta.get("generateName") or "")[:253]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ""


# the doors

def authenticated(user: str) -> dict[str, Any]:
    """Who that was, and what stood for it: people come with the room's key, components as themselves, pods with a token."""
    if user == authorization.ADMIN:
        code = "key"
    elif user.startswith(authentication.SERVICE_ACCOUNT):
        code = "token"
    elif not user or user == authentication.ANONYMOUS:
        code = "anonymous"
    else:
        code = "component" if authorization.trusted(user) else "impersonated"
    return {"stage": "authentication", "code": code, "user": user or authentication.ANONYMOUS}


def authorized(user: str, line: dict[str, Any]) -> dict[str, Any]:
    """What the authorizer was asked and why it said yes. Podium evaluates no roles: the administrator and components may everything."""
    resource = f"{line.get('plural', '')}/{line['subresource']}" if line["subresource"] else line.get("plural", "")
    code = "admin" if user == authorization.ADMIN else "component" if authorization.trusted(user) else "nobody"
    return {"stage": "authorization", "code": code, "user": user, "verb": line["verb"], "resource": resource, "group": line.get("group", ""),
            "namespace": line.get("namespace", "")}


def stages(cluster: Cluster, event: Event, line: dict[str, Any], reacted: list[dict[str, Any]], bytes_: bool = False) -> list[dict[str, Any]]:
    """All of a write that was stored; ``reacted`` are the writes that it led to."""
    meta = event.object["metadata"]
    before = event.previous["metadata"].get("resourceVersion") if event.previous is not None else None
    filled = filled_in(event)
    by = sorted({entry["by"] for entry in filled if entry["by"] != "server"})
    etcd = {"stage": "etcd", "code": event.type, "key": registry_key(event), "revision": event.revision, "previous": before and int(before)}
    if bytes_:
        etcd["bytes"] = len(orjson.dumps(event.object))
    return [
        authenticated(event.cause.user), authorized(event.cause.user, line),
        {"stage": "admission", "code": "filled" if filled else "nothing", "count": len(filled), "by": by,
         "filled": filled if bytes_ else [{"path": entry["path"], "by": entry["by"]} for entry in filled[:8]]},
        {"stage": "validation", "code": "deleted" if event.type == DELETED else "passed", "kind": event.object["kind"]},
        etcd,
        {"stage": "watch", "code": event.type, "resource": event.resource, "name": meta["name"], "watchers": watchers(cluster, event),
         "reacted": reacted},
    ]


def registry_key(event: Event) -> str:
    """Where etcd keeps the object, as the API server names it there."""
    row = served(event.resource)
    plural = row.plural if row is not None else event.resource
    return "/".join(part for part in ("/registry", REGISTRY.get(plural, plural), *event.key) if part)


def filled_in(event: Event) -> list[dict[str, Any]]:
    """What a new object has that was not sent: each field with who put it there."""
    if event.previous is not None:
        return []
    given = sent(event)
    if not isinstance(given, dict):
        return []
    known = dict(leaves(given))
    try:
        defaulted = dict(leaves(defaults.apply(event.resource, {**given, "metadata": {**(given.get("metadata") or {}), "name": "x"}})))
    except (KeyError, TypeError, AttributeError):
        defaulted = known
    found = []
    for at, value in leaves(event.object):
        if at in known or at.startswith("metadata.labels") and at in known:
            continue
        found.append({"path": at, "to": short(value), "by": "defaulting" if at in defaulted and at not in SERVERS else _who(event, at)})
        if len(found) >= MAX_FILLED:
            break
    return found


def _who(event: Event, at: str) -> str:
    if at in SERVERS or at.startswith("status"):
        return "server"
    return next((plugin for prefix, plugin in PLUGINS if at.startswith(prefix)), "server")


# the contents

def sent(event: Event) -> Any:
    """What the client sent, decoded; None if nothing was, or it is not kept."""
    request = onthewire.asked(event)
    if request is None:
        return None
    if request.raw is None:
        return onthewire.body(event) if request is not event.cause.asked else request.body
    row = served(request.resource)
    if request.verb == "patch" or request.subresource or row is None or request.verb in ("delete", "deletecollection"):
        try:
            return orjson.loads(request.raw) if request.raw else None
        except orjson.JSONDecodeError:
            return request.raw.decode("utf-8", "replace")
    try:
        return decode.decode(request.raw, request.content_type, row.kind, row.api_version, "Ignore")[0]
    except ApiError:
        return request.raw.decode("utf-8", "replace")


def contents(event: Event) -> dict[str, Any]:
    """What was sent and what was stored, as YAML lines; a stored line is marked with what happened to its field."""
    request, given = onthewire.asked(event), sent(event)
    if event.previous is None:
        marks = {entry["path"]: entry["by"] for entry in filled_in(event)}
    else:
        known = dict(leaves(given)) if isinstance(given, dict) and request.verb != "patch" else None
        old = dict(leaves(event.previous))
        patched = dict(leaves(given)) if isinstance(given, dict) else {}
        marks = {at: "changed" if at in patched or known is not None and known.get(at) == value else "server"
                 for at, value in leaves(event.object) if at not in old or old[at] != value}
    return {
        "kept": request is not None, "sent": given if isinstance(given, str) else yamlout.to_yaml(given) if given else "",
        "form": "json-patch" if request is not None and request.content_type == JSON_PATCH else "patch" if request is not None and
        request.verb == "patch" else "object",
        "stored": [[text, marks.get(at, "")] for text, at in lines(event.object)],
        "changed": changes(event.previous, event.object) if event.previous is not None else [],
        "answer": {"code": 201 if event.previous is None or request is not None and request.verb == "create" else 200,
                   "kind": "Status" if request is not None and (request.subresource in ("binding", "eviction") or event.type == DELETED) else
                   event.object["kind"]},
    }


# what left no revision

def heard_stages(heard: Heard) -> list[dict[str, Any]]:
    """A read, up to the watch cache's answer; or a refused write, up to the door that was shut."""
    request = heard.request
    line = of_request(request)
    doors = [authenticated(request.user), authorized(request.user, line)]
    if heard.error is None:
        kubelets, lasting = request.subresource == "log", request.verb == "watch"
        return [*doors, {"stage": "cache", "code": "subresource" if kubelets else "watch" if lasting else "read",
                         "revision": heard.revision, "count": heard.count, "table": request.table is not None,
                         "found": ["/".join(part for part in one if part) for one in heard.found]},
                {"stage": "answer", "code": heard.code, "count": heard.count}]
    refused = {"stage": "admission" if heard.stage == "decoding" else heard.stage, "code": "refused", "decoding": heard.stage == "decoding",
               "status": heard.code, "reason": heard.error.reason, "message": str(heard.error)}
    if request.verb in ("get", "list", "watch") and refused["stage"] in ("etcd", "admission", "validation"):
        refused["stage"] = "cache"
        return [*doors, refused]
    passed = [*doors, {"stage": "admission", "code": "passed"}, {"stage": "validation", "code": "passed"}, {"stage": "etcd", "code": "passed"}]
    until = next((at for at, stage in enumerate(passed) if stage["stage"] == refused["stage"]), len(passed))
    return [*passed[:until], refused]


def heard_contents(heard: Heard) -> dict[str, Any]:
    request = heard.request
    raw = request.raw.decode("utf-8", "replace") if request.raw else ""
    try:
        raw = yamlout.to_yaml(orjson.loads(raw)) if raw else ""
    except orjson.JSONDecodeError:
        pass
    answer: dict[str, Any] = {"code": heard.code, "kind": "Status" if heard.error is not None else "Table" if request.table is not None else "List"
                              if request.verb == "list" else ""}
    if heard.error is not None:
        answer["status"] = yamlout.to_yaml(_told(heard.error.status()))
    return {"kept": True, "sent": raw, "form": "patch" if request.verb == "patch" else "object", "stored": [], "changed": [], "answer": answer}


def _told(status: Object) -> Object:
    return {name: value for name, value in status.items() if name != "metadata"}
