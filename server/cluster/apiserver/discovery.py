"""Discovery: what the API server serves, told to clients that ask before they do anything else.

In: the table of kinds. Out: the documents behind ``/api``, ``/apis``, ``/api/v1``, ``/apis/GROUP/VERSION`` and their aggregated form,
as plain data, built once. Nothing is listed that cannot be asked for.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from server.cluster.apiserver.resources import EXTENSIONS, RESOURCES, VERSIONS, Resource, Subresource
from server.cluster.objects import Object

AGGREGATED = "apidiscovery.k8s.io/v2"
# the order that clients resolve an ambiguous name in
GROUP_ORDER = (
    "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
    "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io",
    "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io",
)


Extended = tuple[str, ...]
"""The groups of the servers behind this one that are there; each function that lists groups is told."""


@cache
def groups(extended: Extended = ()) -> dict[str, tuple[str, ...]]:
    """The named groups that have a kind here, with their versions, in order of preference."""
    found: dict[str, list[str]] = {}
    for row in (*RESOURCES.values(), *VERSIONS.values(), *(row for row in EXTENSIONS.values() if row.group in extended)):
        if row.group and row.version not in found.setdefault(row.group, []):
            found[row.group].append(row.version)
    rank = {name: index for index, name in enumerate(GROUP_ORDER)}
    return {name: tuple(found[name]) for name in sorted(found, key=lambda name: (rank.get(name, len(rank)), name))}


def served(group: str, version: str) -> list[Resource]:
    """The kinds of a group and version, by plural."""
    everything = (*RESOURCES.values(), *VERSIONS.values(), *EXTENSIONS.values())
    rows = (row for row in everything if row.group == group and row.version == version)
    return sorted(rows, key=lambda row: row.plural)


def api_versions(address: str) -> Object:
    """``/api``; ``address`` is where the client reached us."""
    return {"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]}


@cache
def api_group_list(extended: Extended = ()) -> Object:
    """``/apis``."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, extended) for name in groups(extended)]}


def api_group(name: str, extended: Extended = ()) -> Object | None:
    """``/apis/GROUP``; None if there is no such group."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, extended)} if name in groups(extended) else None


def _group(name: str, extended: Extended) -> Object:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in groups(extended)[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


@cache
def api_resource_list(group: str, version: str, extended: Extended = ()) -> Object | None:
    """``/api/v1`` and ``/apis/GROUP/VERSION``; None if nothing is served there."""
    rows = served(group, version) if not group or group in groups(extended) else []
    if not rows:
        return None
    entries = [entry for row in rows for entry in (_resource(row), *(_subresource(row, sub) for sub in _subresources(row)))]
    answer: Object = {"kind": "APIResourceList"}
    if group:
        answer["apiVersion"] = "v1"
    return {**answer, "groupVersion": f"{group}/{version}" if group else version, "resources": entries}


def _subresources(row: Resource) -> list[Subresource]:
    return sorted(row.subresources, key=lambda sub: sub.name)


def _resource(row: Resource) -> Object:
    entry: Object = {"name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind,
                     "verbs": list(row.verbs)}
    if row.short_names:
        entry["shortNames"] = list(row.short_names)
    if row.categories:
        entry["categories"] = list(row.categories)
    if "list" in row.verbs and "create" in row.verbs:
        entry["storageVersionHash"] = _storage_version_hash(row)
    return entry


def _subresource(row: Resource, sub: Subresource) -> Object:
    entry: Object = {"name": f"{row.plural}/{sub.name}", "singularName": "", "namespaced": row.namespaced}
    if sub.api_version != row.api_version:
        group, _, version = sub.api_version.rpartition("/")
        entry.update(group=group, version=version)
    return {**entry, "kind": sub.kind, "verbs": list(sub.verbs)}


def _storage_version_hash(row: Resource) -> str:
    """Tells clients when the stored form changes: the start of a digest of its group, version and kind."""
    digest = hashlib.sha256(f"{row.group}/{row.version}/{row.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


@cache
def aggregated(core: bool, extended: Extended = ()) -> Object:
    """Everything of ``/api`` (``core``) or of ``/apis`` in one document."""
    if core:
        items = [{"metadata": {}, "versions": [_aggregated_version("", "v1")]}]
    else:
        items = [{"metadata": {"name": name}, "versions": [_aggregated_version(name, version) for version in versions]}
                 for name, versions in groups(extended).items()]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": AGGREGATED, "metadata": {}, "items": items}


def _aggregated_version(group: str, version: str) -> Object:
    return {"version": version, "resources": [_aggregated_resource(row) for row in served(group, version)], "freshness": "Current"}


def _aggregated_resource(row: Resource) -> Object:
    entry: Object = {
        "resource": row.plural,
        "responseKind": {"group": "", "version": "", "kind": row.kind},
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        entry["shortNames"] = list(row.short_names)
    if row.categories:
        entry["categories"] = list(row.categories)
    if row.subresources:
        entry["subresources"] = [_aggregated_subresource(row, sub) for sub in _subresources(row)]
    return entry


def _aggregated_subresource(row: Resource, sub: Subresource) -> Object:
    group, _, version = sub.api_version.rpartition("/") if sub.api_version != row.api_version else ("", "", "")
    return {"subresource": sub.name, "responseKind": {"group": group, "version": version, "kind": sub.kind}, "verbs": list(sub.verbs)}


@cache
def paths(extended: Extended = ()) -> tuple[str, ...]:
    """The paths of ``/``: where there is something to be had."""
    found = {"/api", "/api/v1", "/apis", "/healthz", "/healthz/etcd", "/healthz/ping", "/livez", "/livez/etcd", "/livez/ping",
             "/openapi/v2", "/openapi/v3", "/readyz", "/readyz/etcd", "/readyz/ping", "/version"}
    for name, versions in groups(extended).items():
        found.add(f"/apis/{name}")
        found.update(f"/apis/{name}/{version}" for version in versions)
    for group_version in ("api/v1", *(f"apis/{name}/{version}" for name, versions in groups().items() for version in versions)):
        found.add(f"/openapi/v3/{group_version}")
    return tuple(sorted(found))
