"""Deleting: grace periods, finalizers and what happens to dependents.

A delete either removes an object at once or only marks it: with ``deletionTimestamp`` while a pod's containers get their grace
period, or while finalizers (those of the ``Foreground`` and ``Orphan`` policies included) have work to do. Whoever removes the last
finalizer, or the kubelet with a grace period of 0, completes it.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cluster.apiserver.request import Options, Request, Response
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import bad_request, conflict
from server.cluster.objects import Object
from server.cluster.store import Record

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
POLICIES = ("Background", "Foreground", "Orphan")
DEFAULT_GRACE = 30
ORPHANED = ("jobs.batch", "replicationcontrollers")
PRESERVED = ("child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
             "propagationPolicy=Orphan to suppress this warning")


def options(request: Request, body: Any) -> Options:
    """The request's options, with those that a DeleteOptions body sets."""
    given = request.options
    body = body if isinstance(body, dict) else {}
    merged = Options(
        dry_run=given.dry_run or bool(body.get("dryRun")),
        grace_period_seconds=body.get("gracePeriodSeconds", given.grace_period_seconds),
        propagation_policy=body.get("propagationPolicy") or given.propagation_policy,
        orphan_dependents=body.get("orphanDependents", given.orphan_dependents),
        preconditions=body.get("preconditions") or given.preconditions,
    )
    if merged.grace_period_seconds is not None and merged.grace_period_seconds < 0:
        merged.grace_period_seconds = 1
    if merged.propagation_policy and merged.propagation_policy not in POLICIES:
        raise bad_request(f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{merged.propagation_policy}": '
                          'supported values: "Background", "Foreground", "Orphan", "nil"')
    return merged


def finished(resource: Resource, obj: Object) -> bool:
    """A marked object that nothing holds any more."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers"):
        return False
    if resource.key == "namespaces" and obj["spec"].get("finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds")


def delete(api: ApiServer, resource: Resource, request: Request, record: Record, opts: Options) -> Response:
    """Removes or marks; the answer is the object where it lives on or its kind says so, else a success Status."""
    obj = record.object
    meta = obj["metadata"]
    check_preconditions(resource, obj, opts.preconditions)
    grace = _grace(resource, obj, opts)
    finalizers = _finalizers(resource, meta, opts)
    warnings = [PRESERVED] if resource.key == "jobs.batch" and not opts.propagation_policy and opts.orphan_dependents is None else []
    marked = dict(meta)
    if "deletionTimestamp" not in meta or grace < meta.get("deletionGracePeriodSeconds", 0):
        marked["deletionTimestamp"] = api.clock.timestamp(_marked_at(api, meta) + grace)
        marked["deletionGracePeriodSeconds"] = grace
        if "generation" in meta and (grace or finalizers):
            marked["generation"] = meta["generation"] + 1
    if finalizers:
        marked["finalizers"] = finalizers
    else:
        marked.pop("finalizers", None)
    new = {**obj, "metadata": marked}
    if resource.key == "namespaces":
        new["status"] = {**obj["status"], "phase": "Terminating"}
    cause = api.cause(request, "delete")
    key = (meta.get("namespace", ""), meta["name"])
    if finished(resource, new):
        if not opts.dry_run:
            record = api.remove(resource, obj if "deletionTimestamp" in meta else new, cause)
        if resource.returns_deleted:
            return Response(200, record.object, record=record)
        return Response(200, _success(resource, obj), warnings)
    if new == obj or opts.dry_run:
        return Response(200, new, warnings)
    stored = api.store.put(resource.key, key, new, cause)
    return Response(200, stored.object, warnings, stored)


def _marked_at(api: ApiServer, meta: Object) -> float:
    """When the deletion began: a shorter grace period counts from there."""
    if "deletionTimestamp" not in meta:
        return api.clock.now
    return min(api.clock.now, api.clock.seconds(meta["deletionTimestamp"]) - meta.get("deletionGracePeriodSeconds", 0))


def check_preconditions(resource: Resource, obj: Object, preconditions: dict[str, str]) -> None:
    for field, shown in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, actual = preconditions.get(field), obj["metadata"][field]
        if wanted and wanted != actual:
            raise conflict(resource.key, obj["metadata"]["name"],
                           f"Precondition failed: {shown} in precondition: {wanted}, {shown} in object meta: {actual}")


def _grace(resource: Resource, obj: Object, opts: Options) -> int:
    """Only pods have a grace period: 0 when nothing runs yet or any more."""
    if resource.key != "pods":
        return 0
    spec, status = obj["spec"], obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    if opts.grace_period_seconds is not None:
        return opts.grace_period_seconds
    return spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE)


def _finalizers(resource: Resource, meta: Object, opts: Options) -> list[str]:
    """The finalizers after the deletion policy has put in or taken out its own."""
    finalizers = list(meta.get("finalizers") or ())
    policy = opts.propagation_policy
    if not policy and opts.orphan_dependents is not None:
        policy = "Orphan" if opts.orphan_dependents else "Background"
    if not policy and resource.key in ORPHANED and FOREGROUND not in finalizers:
        policy = "Orphan"
    if not policy:
        return finalizers
    finalizers = [entry for entry in finalizers if entry not in (FOREGROUND, ORPHAN)]
    if policy == "Foreground":
        finalizers.append(FOREGROUND)
    elif policy == "Orphan":
        finalizers.append(ORPHAN)
    return finalizers


def _success(resource: Resource, obj: Object) -> Object:
    details = {"name": obj["metadata"]["name"], "kind": resource.plural, "uid": obj["metadata"]["uid"]}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
