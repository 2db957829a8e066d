"""The doors beside the main one: status, scale, binding, eviction, finalize, log, and those through which people come in.

Each takes its own kind of body and changes one part of the object, so that a kubelet cannot touch a pod's spec and an autoscaler
needs to know nothing of a Deployment but its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster import selectors
from server.cluster.apiserver import eviction, listing, placement, pod_subresources
from server.cluster.apiserver.request import MERGE_PATCH, STRATEGIC_PATCH, Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import FieldError, bad_request, conflict, invalid, modified
from server.cluster.objects import Object, replaced
from server.cluster.store import Record

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer


def handle(api: ApiServer, resource: Resource, request: Request) -> Response:
    return _HANDLERS[request.subresource](api, resource, request)


def _status(api: ApiServer, resource: Resource, request: Request) -> Response:
    record = api.current(resource, request.namespace or _namespace_of_body(request), request.name or _name_of_body(request))
    if request.verb == "get":
        return api.answer(resource, request, record)
    if request.verb == "patch":
        obj, warnings = api.patched(resource, request, record.object, resource.kind, resource.api_version)
    else:
        obj, warnings = api.decoded(request, resource.kind, resource.api_version)
    return api.replace(resource, request, record, obj, warnings, status=True)


def _name_of_body(request: Request) -> str:
    return request.body["metadata"]["name"] if isinstance(request.body, dict) else ""


def _namespace_of_body(request: Request) -> str:
    return request.body["metadata"].get("namespace", "") if isinstance(request.body, dict) else ""


def _scale(api: ApiServer, resource: Resource, request: Request) -> Response:
    record = api.current(resource, request.namespace, request.name)
    scale = _scale_of(record.object)
    if request.verb == "get":
        return _scale_answer(api, request, scale)
    if request.verb == "patch":
        if request.content_type == STRATEGIC_PATCH:
            request.content_type = MERGE_PATCH
        wanted, warnings = api.patched(resource, request, scale, "Scale", "autoscaling/v1")
    else:
        wanted, warnings = api.decoded(request, "Scale", "autoscaling/v1")
    if (asked := (wanted.get("metadata") or {}).get("resourceVersion")) and asked != scale["metadata"]["resourceVersion"]:
        raise modified(resource.key, record.object["metadata"]["name"])
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        raise invalid("Scale", request.name, [FieldError("Invalid value", "spec.replicas", replicas, "must be greater than or equal to 0")],
                      "autoscaling")
    new = replaced(record.object, {("spec", "replicas"): replicas})
    answer = api.replace(resource, request, record, new, warnings)
    return _scale_answer(api, request, _scale_of(answer.object), answer.warnings)


def _scale_answer(api: ApiServer, request: Request, scale: Object, warnings: list[str] | None = None) -> Response:
    if request.table is not None:
        return Response(200, listing.tables.render("scales.autoscaling", [scale], now=api.clock.now, clock=api.clock,
                                                   include_object=request.table), warnings or [])
    return Response(200, scale, warnings or [])


def _scale_of(obj: Object) -> Object:
    meta = obj["metadata"]
    kept = {field: meta[field] for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if field in meta}
    selector = selectors.of_workload(obj)
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept,
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {"replicas": (obj.get("status") or {}).get("replicas", 0), "selector": str(selector)},
    }


def _binding_faults(target: Object) -> list[FieldError]:
    faults = []
    if target.get("kind") not in ("Node", "", None):
        faults.append(FieldError("Unsupported value", "target.kind", target["kind"], 'supported values: "Node", "<empty>"'))
    return faults if target.get("name") else [*faults, FieldError("Required value", "target.name")]


def _binding(api: ApiServer, resource: Resource, request: Request) -> Response:
    """The scheduler's word: this pod goes to that node."""
    binding, _ = api.decoded(request, "Binding", "v1")
    record = api.current(resource, request.namespace, request.name)
    pod = record.object
    to = binding.get("target") or {}
    target = to.get("name")
    if not target or to.get("kind") not in ("Node", "", None):
        raise invalid("Binding", request.name, _binding_faults(to))
    if (uid := (binding.get("metadata") or {}).get("uid")) and uid != pod["metadata"]["uid"]:
        raise conflict("pods/binding", request.name,
                       f"Precondition failed: UID in precondition: {uid}, UID in object meta: {pod['metadata']['uid']}")
    if "deletionTimestamp" in pod["metadata"]:
        raise conflict("pods/binding", request.name, f"pod {request.name} is being deleted, cannot be assigned to a host")
    if assigned := pod["spec"].get("nodeName"):
        raise conflict("pods/binding", request.name, f'pod {request.name} is already assigned to node "{assigned}"')
    if pod["spec"].get("schedulingGates"):
        raise conflict("pods/binding", request.name, f"pod {request.name} has non-empty .spec.schedulingGates")
    status = pod["status"]
    if "nominatedNodeName" in status:
        status = {field: value for field, value in status.items() if field != "nominatedNodeName"}
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": api.clock.timestamp(),
                 "observedGeneration": pod["metadata"].get("generation", 1)}
    others = [entry for entry in status.get("conditions") or () if entry["type"] != "PodScheduled"]
    pod = placement.with_topology(api, pod, target)
    new = {**pod, "spec": {**pod["spec"], "nodeName": target}, "status": {**status, "conditions": [*others, scheduled]}}
    if not request.options.dry_run:
        api.store.put(resource.key, (request.namespace, request.name), new, api.cause(request, "bind"))
    return Response(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})


def _finalize(api: ApiServer, resource: Resource, request: Request) -> Response:
    """The namespace controller says that a namespace is empty."""
    record = api.current(resource, "", request.name)
    obj, warnings = api.decoded(request, resource.kind, resource.api_version)
    finalizers = (obj.get("spec") or {}).get("finalizers") or []
    return api.replace(resource, request, record, obj, warnings, prepare=lambda new, old: {
        **old, "metadata": new["metadata"], "spec": {**old.get("spec", {}), "finalizers": finalizers}})


def _log(api: ApiServer, resource: Resource, request: Request) -> Response:
    record: Record = api.current(resource, request.namespace, request.name)
    if api.logs is None:
        raise bad_request("no kubelet serves logs in this cluster")
    return api.logs(record.object, request.options)


def _stream(api: ApiServer, resource: Resource, request: Request) -> Response:
    record: Record = api.current(resource, request.namespace, request.name)
    if api.sessions is None:
        raise bad_request("no kubelet serves streams in this cluster")
    return api.sessions(request.subresource, record.object, request.options)


_HANDLERS = {"exec": _stream, "attach": _stream, "portforward": _stream,
             "ephemeralcontainers": pod_subresources.ephemeral_containers, "resize": pod_subresources.resize,
             "status": _status, "scale": _scale, "binding": _binding, "eviction": eviction.evict, "finalize": _finalize, "log": _log}
