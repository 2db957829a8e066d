"""What is asked before any resource: discovery, OpenAPI, version and health, encoded once and served from memory.

In: a path and the Accept header. Out: a ``Document`` (bytes, type, ETag and the gzipped form of big ones), or None where there is none.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import orjson

from server.cluster.apiserver import discovery, openapi
from server.cluster.apiserver.door import VERSION
from server.cluster.apiserver.health import NOT_FOUND as NOT_FOUND
from server.cluster.apiserver.health import health
from server.cluster.objects import Object
from server.kubeapi import media, openapi_protobuf

GZIP_FROM = 128 * 1024
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TEXT = "text/plain; charset=utf-8"
# not in discovery, but kubectl looks here before it says that there is no such kind: there are no custom resources
CUSTOM_RESOURCES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True, slots=True)
class Document:
    """``zipped`` is there for what is big enough to be worth it; ``public`` ones may be kept by the client as long as the ETag holds."""

    body: bytes
    type: str = media.JSON
    code: int = 200
    etag: str = ""
    zipped: bytes | None = None


def find(path: str, query: dict[str, list[str]], accept: str, host: str, revision: int, ask: Callable[[], Any],
         extended: tuple[str, ...] = ()) -> Document | None:
    """The document at a path below the API server's root; None if it is none of ours. ``revision`` is the cluster's, and ``ask()``
    asks the API server something it must know; ``extended`` are the groups of servers behind it."""
    path = path.rstrip("/")
    first = path.lstrip("/").partition("/")[0]
    if (told := health(path, query, ask)) is not None:
        return Document(told[1].encode(), TEXT, told[0])
    if path == "":
        return Document(orjson.dumps({"paths": discovery.paths(extended)}, option=orjson.OPT_INDENT_2))
    if path == CUSTOM_RESOURCES:
        return _json({"kind": "CustomResourceDefinitionList", "apiVersion": "apiextensions.k8s.io/v1",
                      "metadata": {"resourceVersion": str(revision)}, "items": []})
    if path in ("/api", "/apis") and (wanted := _wants_aggregated(accept)) is not None:
        return _aggregated(path == "/api", extended) if wanted else _plain(path, host, extended)
    if first in ("api", "apis", "version", "openapi"):
        return _plain(path, host, extended) if first != "openapi" else _openapi(path, accept)
    return None


def in_served_group(path: str) -> bool:
    """Whether a path is below an API group of ours, so that what is not there is missing from an API and not a page."""
    first, group, *_ = *path.strip("/").split("/"), ""
    return first == "api" and bool(group) or first == "apis" and group in discovery.groups()


def _wants_aggregated(accept: str) -> bool | None:
    """Whether the first acceptable form is the aggregated one."""
    for clause in accept.split(","):
        type_, *parameters = (part.strip() for part in clause.split(";"))
        if type_ != media.JSON:
            continue
        wanted = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        if "as" not in wanted:
            return False
        if (wanted["as"], wanted.get("g"), wanted.get("v")) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2"):
            return True
    return False


def _json(obj: Object, type_: str = media.JSON, tagged: bool = False) -> Document:
    return _document(orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE), type_, tagged)


def _document(body: bytes, type_: str, tagged: bool) -> Document:
    etag = f'"{hashlib.sha512(body).hexdigest().upper()}"' if tagged else ""
    return Document(body, type_, 200, etag, gzip.compress(body, 6) if len(body) >= GZIP_FROM else None)


@cache
def _aggregated(core: bool, extended: tuple[str, ...]) -> Document:
    return _json(discovery.aggregated(core, extended), AGGREGATED_TYPE, tagged=True)


@lru_cache(maxsize=256)
def _plain(path: str, host: str, extended: tuple[str, ...]) -> Document | None:
    parts = path.strip("/").split("/")
    found: Object | None = None
    match parts:
        case ["version"]:
            return Document(orjson.dumps(VERSION, option=orjson.OPT_INDENT_2))
        case ["api"]:
            found = discovery.api_versions(host)
        case ["api", version_name]:
            found = discovery.api_resource_list("", version_name)
        case ["apis"]:
            found = discovery.api_group_list(extended)
        case ["apis", group]:
            found = discovery.api_group(group, extended)
        case ["apis", group, version_name]:
            found = discovery.api_resource_list(group, version_name, extended) if group else None
    return _json(found) if found is not None else None


# OpenAPI


def _openapi(path: str, accept: str) -> Document | None:
    if path == "/openapi/v2":
        if _first(accept) in (openapi_protobuf.ACCEPTED, openapi_protobuf.MEDIA_TYPE):
            return _openapi_v2_protobuf()
        _check_json(accept)
        return _openapi_v2()
    if path == "/openapi/v3":
        return _openapi_index()
    if path.startswith("/openapi/v3/"):
        _check_json(accept)
        return _openapi_v3(path.removeprefix("/openapi/v3/"))
    return None


def _first(accept: str) -> str:
    return accept.partition(",")[0].partition(";")[0].strip()


def _check_json(accept: str) -> None:
    """Those that take nothing but what we do not have are told so."""
    types = [clause.partition(";")[0].strip() for clause in accept.split(",")]
    if accept and not any(type_ in (media.JSON, "*/*", "application/*") for type_ in types):
        raise media.not_acceptable((media.JSON,))


@cache
def _openapi_v2() -> Document:
    return _json(openapi.document_v2(), tagged=True)


@cache
def _openapi_v2_protobuf() -> Document:
    return _document(openapi_protobuf.encode(openapi.document_v2()), openapi_protobuf.MEDIA_TYPE, tagged=True)


@cache
def _openapi_v3(prefix: str) -> Document | None:
    for group, version_name in openapi.group_versions():
        if openapi.prefix(group, version_name) == prefix:
            document = openapi.document_v3(group, version_name)
            return _json(document, tagged=True) if document is not None else None
    return None


@cache
def _openapi_index() -> Document:
    paths = {}
    for group, version_name in openapi.group_versions():
        prefix = openapi.prefix(group, version_name)
        document = _openapi_v3(prefix)
        assert document is not None
        paths[prefix] = {"serverRelativeURL": f"/openapi/v3/{prefix}?hash={document.etag.strip(chr(34))}"}
    return _json({"paths": paths}, tagged=True)
