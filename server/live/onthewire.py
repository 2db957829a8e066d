"""A component's write as it goes over the wire in a real cluster. Within Podium a typed client hands over whole objects; the real components send
many of these as patches, and this tells which, and what is in them.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-or-update
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.cluster import schema
from server.cluster.apiserver.heard import COMPONENTS
from server.cluster.apiserver.request import STRATEGIC_PATCH, Request
from server.cluster.apiserver.resources import served
from server.cluster.store import Event
from server.kubectl.threeway import two_way

EVENTS = {("events", "")}
POD_STATUS = {("pods", "status")}
ADOPTING = {("pods", ""), ("replicasets.apps", ""), ("controllerrevisions.apps", "")}
PATCHED: dict[str, set[tuple[str, str]]] = {
    "kubelet": POD_STATUS | {("nodes", "status"), ("persistentvolumeclaims", "status")},
    "kube-scheduler": POD_STATUS,
    "node-controller": {("nodes", "")},
    "taint-eviction-controller": POD_STATUS,
    "pod-garbage-collector-controller": POD_STATUS,
    "disruption-controller": POD_STATUS,
    "job-controller": {("pods", "")},
    "replicaset-controller": ADOPTING,
    "replication-controller": ADOPTING,
    "daemonset-controller": ADOPTING,
    "volume_expand": {("persistentvolumeclaims", "status"), ("persistentvolumes", "")},
}


def asked(event: Event) -> Request | None:
    """The request that made an event, as a real client sends it; None if it is not kept."""
    request = event.cause.asked
    if request is None or request.verb != "update" or not request.user.startswith(COMPONENTS):
        return request
    what = request.resource, request.subresource
    return replace(request, verb="patch", content_type=STRATEGIC_PATCH) if what in EVENTS or what in PATCHED.get(request.client, ()) else request


def body(event: Event) -> Any:
    """What such a patch says: the fields that change, and which pod or node it is meant for."""
    given, before, row = event.cause.asked.body, event.previous, served(event.resource)
    if before is None or row is None:
        return given
    plain = [{**one, "metadata": {name: value for name, value in one["metadata"].items() if name not in ("managedFields", "resourceVersion")}}
             for one in (before, given)]
    patch = two_way(*plain, schema.for_kind(row.api_version, row.kind))
    return {"metadata": {"uid": before["metadata"]["uid"], **patch.pop("metadata", {})}, **patch} if event.resource == "pods" else patch
