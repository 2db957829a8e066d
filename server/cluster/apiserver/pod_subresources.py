"""Two doors of a pod beside its main one: ``ephemeralcontainers`` puts containers for debugging into it, ``resize`` gives its
containers other cpu and memory while they run.

What a request says beyond the field that its door is for is left as it was, before validation looks at it.

Source: https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ and
https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.apiserver.request import Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.apiserver.validation import pod_subresources as validation
from server.cluster.objects import Object, replaced

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

RESIZABLE = ("resources", "resizePolicy")


def ephemeral_containers(api: ApiServer, resource: Resource, request: Request) -> Response:
    return _through(api, resource, request, _only_ephemeral, validation.ephemeral_containers)


def resize(api: ApiServer, resource: Resource, request: Request) -> Response:
    return _through(api, resource, request, _only_resources, validation.resize)


def _through(api: ApiServer, resource: Resource, request: Request, munge: Callable[[Object, Object], Object],
             validate: Callable[[Object, Object], list]) -> Response:
    record = api.current(resource, request.namespace, request.name)
    if request.verb == "get":
        return api.answer(resource, request, record)
    if request.verb == "patch":
        obj, warnings = api.patched(resource, request, record.object, resource.kind, resource.api_version)
    else:
        obj, warnings = api.decoded(request, resource.kind, resource.api_version)

    def prepare(new: Object, old: Object) -> Object:
        kept = munge(new, old)
        if kept["spec"] != old["spec"]:
            kept = replaced(kept, {("metadata", "generation"): old["metadata"].get("generation", 0) + 1})
        return kept

    return api.replace(resource, request, record, obj, warnings, prepare=prepare, validate=validate)


def _only_ephemeral(new: Object, old: Object) -> Object:
    spec = dict(old["spec"])
    if asked := new["spec"].get("ephemeralContainers"):
        spec["ephemeralContainers"] = asked
    else:
        spec.pop("ephemeralContainers", None)
    return {**old, "metadata": {**old["metadata"], "resourceVersion": new["metadata"]["resourceVersion"]}, "spec": spec}


def _only_resources(new: Object, old: Object) -> Object:
    spec = dict(old["spec"])
    for field in ("containers", "initContainers"):
        if field in new["spec"] or field in spec:
            spec[field] = _with_resources(new["spec"].get(field) or [], spec.get(field) or [])
    if "resources" in new["spec"]:
        spec["resources"] = new["spec"]["resources"]
    return {**old, "spec": spec}


def _with_resources(asked: list[Object], before: list[Object]) -> list[Object]:
    """The containers as they were, with what may be resized of them; unless they are others, which validation then says."""
    if [entry.get("name") for entry in asked] != [entry["name"] for entry in before]:
        return asked
    return [entry if all(new.get(field) == entry.get(field) for field in RESIZABLE) else
            {**{name: value for name, value in entry.items() if name not in RESIZABLE},
             **{field: new[field] for field in RESIZABLE if field in new}} for new, entry in zip(asked, before, strict=True)]
