"""OpenAPI: the schema of what the API server serves, which `kubectl explain`, `apply` and `edit` read.

In: the table of kinds and the schema's definitions. Out: the v3 document of a group and version, and the v2 document of all, as plain
data: each kind's paths with their parameters and patch types, and every definition they reach. Built from data, nothing is
written twice; who serves them keeps them encoded.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.cluster import enums, schema
from server.cluster.apiserver import discovery
from server.cluster.apiserver.request import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from server.cluster.apiserver.resources import Resource, Subresource
from server.cluster.objects import Object

V3_REF, V2_REF, OWN_REF = "#/components/schemas/", "#/definitions/", "#/$defs/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
INFO = {"title": "Kubernetes", "version": "1.36"}
ANSWERS = ("application/json", "application/yaml")
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)

_INT, _BOOL, _STRING = "integer", "boolean", "string"
_PRETTY = (("pretty", _STRING),)
_LIST = (
    ("allowWatchBookmarks", _BOOL), ("continue", _STRING), ("fieldSelector", _STRING), ("labelSelector", _STRING), ("limit", _INT),
    ("resourceVersion", _STRING), ("resourceVersionMatch", _STRING), ("sendInitialEvents", _BOOL), ("timeoutSeconds", _INT),
    ("watch", _BOOL),
)
_WRITE = (("dryRun", _STRING), ("fieldManager", _STRING), ("fieldValidation", _STRING))
_DELETE = (("dryRun", _STRING), ("gracePeriodSeconds", _INT), ("orphanDependents", _BOOL), ("propagationPolicy", _STRING))
_LOG = (
    ("container", _STRING), ("follow", _BOOL), ("limitBytes", _INT), ("previous", _BOOL), ("sinceSeconds", _INT), ("sinceTime", _STRING),
    ("tailLines", _INT), ("timestamps", _BOOL),
)
# what turns a request into a conversation, with its query
_STREAMS = (("container", _STRING), ("stderr", _BOOL), ("stdin", _BOOL), ("stdout", _BOOL), ("tty", _BOOL))
_CONNECT: dict[str, tuple[tuple[str, str], ...]] = {
    "attach": _STREAMS, "exec": (("command", _STRING), *_STREAMS), "portforward": (("ports", _INT),)}
# verb: HTTP method, what it is called in an operation's id and in x-kubernetes-action, its query
_VERBS: dict[str, tuple[str, str, str, tuple[tuple[str, str], ...]]] = {
    "get": ("get", "read", "get", ()),
    "list": ("get", "list", "list", _LIST),
    "create": ("post", "create", "post", _WRITE),
    "update": ("put", "replace", "put", _WRITE),
    "patch": ("patch", "patch", "patch", (*_WRITE, ("force", _BOOL))),
    "delete": ("delete", "delete", "delete", _DELETE),
    "deletecollection": ("delete", "delete", "deletecollection", (*_DELETE, *_LIST[:-1])),
}
_COLLECTION = ("list", "create", "deletecollection")
_ITEM = ("get", "update", "patch", "delete")


def document_v3(group: str, version: str) -> Object | None:
    """The OpenAPI v3 document of a group and version; None if nothing is served there."""
    rows = discovery.served(group, version)
    if not rows:
        return None
    paths = {path: _path_v3(row, sub, verbs, path) for row in rows for path, sub, verbs in _paths(row)}
    return {
        "openapi": "3.0.0",
        "info": INFO,
        "paths": paths,
        "components": {"schemas": _schemas(rows, V3_REF)},
    }


def document_v2() -> Object:
    """The OpenAPI v2 document of everything."""
    rows = [row for group, version in group_versions() for row in discovery.served(group, version)]
    paths = {path: _path_v2(row, sub, verbs, path) for row in rows for path, sub, verbs in _paths(row)}
    return {"swagger": "2.0", "info": INFO, "paths": paths, "definitions": _schemas(rows, V2_REF)}


def group_versions() -> list[tuple[str, str]]:
    """Every (group, version) that has a document."""
    return [("", "v1"), *((group, version) for group, versions in discovery.groups().items() for version in versions)]


def prefix(group: str, version: str) -> str:
    """``api/v1``, ``apis/apps/v1``."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


# paths


def _paths(row: Resource) -> Iterable[tuple[str, Subresource | None, tuple[str, ...]]]:
    """Every path of a kind, with its subresource and the verbs it takes."""
    root = "/" + prefix(row.group, row.version)
    home = f"{root}/namespaces/{{namespace}}/{row.plural}" if row.namespaced else f"{root}/{row.plural}"
    if row.namespaced and "list" in row.verbs:
        yield f"{root}/{row.plural}", None, ("list",)
    yield home, None, tuple(verb for verb in _COLLECTION if verb in row.verbs)
    yield f"{home}/{{name}}", None, tuple(verb for verb in _ITEM if verb in row.verbs)
    for sub in row.subresources:
        yield f"{home}/{{name}}/{sub.name}", sub, sub.verbs


def _gvk(row: Resource, sub: Subresource | None) -> Object:
    api_version, kind = (sub.api_version, sub.kind) if sub else (row.api_version, row.kind)
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _operation(row: Resource, sub: Subresource | None, verb: str, path: str) -> Object:
    """What both versions say of an operation."""
    method, called, action, _ = _VERBS[verb]
    group = (row.group.split(".")[0] or "core").title()
    scope = "Namespaced" if "{namespace}" in path else ""
    everywhere = "ForAllNamespaces" if row.namespaced and not scope else ""
    suffix = sub.name.title() if sub else ""
    collection = "Collection" if verb == "deletecollection" else ""
    if suffix and sub.name in _CONNECT:
        called, action, collection = "connect", "connect", method.title()
    return {
        "tags": [f"{row.group.split('.')[0] or 'core'}_{row.version}"],
        "operationId": f"{called}{group}{row.version.title()}{collection}{scope}{row.kind}{suffix}{everywhere}",
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(row, sub),
    }


def _query(verb: str, sub: Subresource | None) -> tuple[tuple[str, str], ...]:
    if sub is not None and sub.name in _CONNECT:
        return ()
    return _LOG if sub is not None and sub.name == "log" else _VERBS[verb][3]


def _of_path(sub: Subresource | None) -> tuple[tuple[str, str], ...]:
    """Parameters that all operations of a path share."""
    return _CONNECT[sub.name] if sub is not None and sub.name in _CONNECT else _PRETTY


def _plain(sub: Subresource | None) -> str:
    """The media type of an answer that is text; "" for objects."""
    return {"log": "text/plain"}.get(sub.name, "*/*" if sub.name in _CONNECT else "") if sub is not None else ""


def _path_parameters(path: str) -> list[str]:
    return [name for name in ("name", "namespace") if f"{{{name}}}" in path]


def _bodies(row: Resource, sub: Subresource | None, verb: str) -> tuple[str, str]:
    """The definitions of what is sent ("" for nothing) and what is answered."""
    if sub is not None and sub.name in _CONNECT:
        return "", ""
    name = _definition(_gvk(row, sub))
    if verb in ("delete", "deletecollection"):
        return f"{META}DeleteOptions", f"{META}Status"
    if verb == "list":
        return "", f"{name}List"
    if verb == "patch":
        return f"{META}Patch", name
    return (name if verb in ("create", "update") else ""), name


def _path_v3(row: Resource, sub: Subresource | None, verbs: tuple[str, ...], path: str) -> Object:
    item: Object = {_VERBS[verb][0]: _operation_v3(row, sub, verb, path) for verb in verbs}
    item["parameters"] = [
        *({**_parameter_v3(name, _STRING), "in": "path", "required": True} for name in _path_parameters(path)),
        *(_parameter_v3(name, type_) for name, type_ in _of_path(sub)),
    ]
    return item


def _operation_v3(row: Resource, sub: Subresource | None, verb: str, path: str) -> Object:
    sent, answered = _bodies(row, sub, verb)
    plain = _plain(sub)
    content = {plain: {"schema": {"type": _STRING}}} if plain else _content(ANSWERS, answered)
    operation = _operation(row, sub, verb, path)
    operation["parameters"] = [_parameter_v3(name, type_) for name, type_ in _query(verb, sub)]
    if sent:
        types = PATCHES if verb == "patch" else ("*/*",)
        operation["requestBody"] = {"content": _content(types, sent), **({} if verb.startswith("delete") else {"required": True})}
    operation["responses"] = {str(code): {"description": text, "content": content} for code, text in _codes(verb)}
    return operation


def _parameter_v3(name: str, type_: str) -> Object:
    return {"name": name, "in": "query", "schema": {"type": type_, "uniqueItems": True}}


def _content(types: tuple[str, ...], definition: str) -> Object:
    return {type_: {"schema": {"$ref": V3_REF + definition}} for type_ in types}


def _codes(verb: str) -> tuple[tuple[int, str], ...]:
    created = ((201, "Created"),) if verb in ("create", "update") else ()
    return (200, "OK"), *created


def _path_v2(row: Resource, sub: Subresource | None, verbs: tuple[str, ...], path: str) -> Object:
    item: Object = {_VERBS[verb][0]: _operation_v2(row, sub, verb, path) for verb in verbs}
    item["parameters"] = [
        *({**_parameter_v2(name, _STRING), "in": "path", "required": True} for name in _path_parameters(path)),
        *(_parameter_v2(name, type_) for name, type_ in _of_path(sub)),
    ]
    return item


def _operation_v2(row: Resource, sub: Subresource | None, verb: str, path: str) -> Object:
    sent, answered = _bodies(row, sub, verb)
    plain = _plain(sub)
    answer = {"type": _STRING} if plain else {"$ref": V2_REF + answered}
    operation = _operation(row, sub, verb, path)
    operation["consumes"] = list(PATCHES) if verb == "patch" else ["*/*"]
    operation["produces"] = [plain] if plain else list(ANSWERS)
    operation["parameters"] = [_parameter_v2(name, type_) for name, type_ in _query(verb, sub)]
    if sent:
        required = {} if verb.startswith("delete") else {"required": True}
        operation["parameters"].insert(0, {"name": "body", "in": "body", **required, "schema": {"$ref": V2_REF + sent}})
    operation["responses"] = {str(code): {"description": text, "schema": answer} for code, text in _codes(verb)}
    return operation


def _parameter_v2(name: str, type_: str) -> Object:
    return {"name": name, "in": "query", "type": type_, "uniqueItems": True}


# definitions


def _definition(gvk: Object) -> str:
    found = schema.for_gvk(gvk["group"], gvk["version"], gvk["kind"])
    if found is None:
        raise KeyError(f"the schema has no {gvk}")
    return found.name


def _schemas(rows: Iterable[Resource], reference: str) -> Object:
    """Every definition that the kinds and their requests reach, by name."""
    wanted = [f"{META}{name}" for name in ("DeleteOptions", "Patch", "Status", "WatchEvent")]
    for row in rows:
        wanted.append(_definition(_gvk(row, None)))
        wanted.append(wanted[-1] + "List")
        wanted += [_definition(_gvk(row, sub)) for sub in row.subresources if sub.name not in _CONNECT]
    found: Object = {}
    while wanted:
        name = wanted.pop()
        if name not in found and name in schema.definitions():
            found[name] = _published(name, reference, wanted)
    return dict(sorted(found.items()))


def _published(name: str, reference: str, reached: list[str]) -> Object:
    """A definition as the API server publishes it: without the nulls and constants that are there to check manifests with."""
    raw = schema.definitions()[name]
    if name == QUANTITY:
        return {"type": _STRING} if reference == V2_REF else {"oneOf": [{"type": _STRING}, {"type": "number"}]}
    if name == INT_OR_STRING:
        return ({"type": _STRING, "format": "int-or-string"} if reference == V2_REF
                else {"format": "int-or-string", "oneOf": [{"type": _INT}, {"type": _STRING}]})
    published = {key: value for key, value in raw.items() if key not in ("properties", "type", "oneOf")}
    if declared := _plain_type(raw):
        published["type"] = declared
    if "properties" in raw:
        short = name.rpartition(".")[2]
        published["properties"] = {
            field: _property(spec, reference, reached, enums.values(short, field)) for field, spec in raw["properties"].items()
        }
    return published


def _property(spec: Object, reference: str, reached: list[str], values: tuple[str, ...] = ()) -> Object:
    published: dict[str, Any] = {"enum": list(values)} if values else {}
    for key, value in spec.items():
        if key == "$ref":
            name = value.removeprefix(OWN_REF)
            reached.append(name)
            if reference == V2_REF or len(spec) == 1:
                published["$ref"] = reference + name
            else:
                published["allOf"] = [{"$ref": reference + name}]
        elif key == "type":
            published["type"] = _plain_type(spec)
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            published[key] = _property(value, reference, reached)
        elif key != "enum":
            published[key] = value
    return published


def _plain_type(spec: Object) -> str | None:
    declared = spec.get("type")
    if isinstance(declared, list):
        return next((entry for entry in declared if entry != "null"), None)
    return declared
