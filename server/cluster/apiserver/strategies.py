"""What each kind does to itself on its way into the store: the fields that the server owns, and the generation.

Creating drops what a client may not set and fills what only the server knows; updating keeps the status and counts spec changes;
a status write keeps everything but the status.

Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.cluster.apiserver import jobs, placement, storage
from server.cluster.apiserver.qos import qos_class
from server.cluster.apiserver.resources import Resource
from server.cluster.errors import bad_request
from server.cluster.objects import Object, annotations, replaced

if TYPE_CHECKING:
    from server.cluster.apiserver.server import ApiServer

SERVER_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName",
                 "namespace", "name")
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
Undo = Callable[[], None]


def _nothing() -> None:
    return None


def prepare_create(api: ApiServer, resource: Resource, obj: Object) -> Object:
    """The object as it is before validation: status reset, generation 1."""
    if resource.has_generation:
        obj["metadata"]["generation"] = 1
    prepare = _PREPARE_CREATE.get(resource.key)
    if prepare is not None:
        return prepare(api, obj)
    if resource.has_status and resource.key != "nodes":
        return {**obj, "status": {}}
    return obj


def _pod(api: ApiServer, pod: Object) -> Object:
    status: Object = {"phase": "Pending", "qosClass": qos_class(pod.get("spec") or {})}
    if (pod.get("spec") or {}).get("schedulingGates"):
        status["conditions"] = [{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": None,
            "lastTransitionTime": None, "message": "Scheduling is blocked due to non-empty scheduling gates",
            "observedGeneration": 1}]
    return {**placement.with_selectors(obj_without_node_status(pod)), "status": status}


def obj_without_node_status(pod: Object) -> Object:
    return {field: value for field, value in pod.items() if field != "status"}


def _namespace(api: ApiServer, namespace: Object) -> Object:
    finalizers = (namespace.get("spec") or {}).get("finalizers") or []
    if "kubernetes" not in finalizers:
        finalizers = [*finalizers, "kubernetes"]
    return replaced(namespace, {"spec": {"finalizers": finalizers}, "status": {"phase": "Active"}})


def _served(api: ApiServer, service: Object) -> Object:
    return {**service, "status": {"loadBalancer": {}}}


def _job(api: ApiServer, job: Object) -> Object:
    return jobs.prepare(job)


def _autoscaler(api: ApiServer, autoscaler: Object) -> Object:
    return {**autoscaler, "status": {"currentMetrics": None, "desiredReplicas": 0}}


def _replica_set(api: ApiServer, replica_set: Object) -> Object:
    return {**replica_set, "status": {"replicas": 0}}


def _stateful_set(api: ApiServer, stateful_set: Object) -> Object:
    return {**stateful_set, "status": {"replicas": 0, "availableReplicas": 0}}


def _replication_controller(api: ApiServer, controller: Object) -> Object:
    return {**controller, "status": {"replicas": 0}}


def _daemon_set(api: ApiServer, daemon_set: Object) -> Object:
    status = {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0}
    return with_template_generation({**daemon_set, "status": status}, max(1, template_generation(daemon_set)))


def template_generation(daemon_set: Object) -> int:
    """How often a DaemonSet's template has changed, which apps/v1 keeps in an annotation."""
    text = annotations(daemon_set).get(TEMPLATE_GENERATION)
    try:
        return 0 if text is None else int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def with_template_generation(daemon_set: Object, generation: int) -> Object:
    """The annotation is the server's: whatever the client says of it is forgotten."""
    if annotations(daemon_set).get(TEMPLATE_GENERATION) == str(generation):
        return daemon_set
    return replaced(daemon_set, {("metadata", "annotations", TEMPLATE_GENERATION): str(generation)})


def _disruption_budget(api: ApiServer, budget: Object) -> Object:
    return {**budget, "status": {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}}


_PREPARE_CREATE = {
    "poddisruptionbudgets.policy": _disruption_budget,
    "ingresses.networking.k8s.io": _served,
    "pods": _pod,
    "replicationcontrollers": _replication_controller,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "namespaces": _namespace,
    "services": _served,
    "replicasets.apps": _replica_set, "horizontalpodautoscalers.autoscaling": _autoscaler,
    "statefulsets.apps": _stateful_set,
                   "persistentvolumes": storage.new_volume, "persistentvolumeclaims": storage.new_claim}


def complete_create(api: ApiServer, resource: Resource, obj: Object, dry_run: bool) -> tuple[Object, Undo]:
    """The last step before storage, after validation: addresses are handed out. The second value takes them back."""
    if resource.key == "services":
        return api.services.allocate(obj, None, dry_run)
    return obj, _nothing


def complete_update(api: ApiServer, resource: Resource, new: Object, old: Object, dry_run: bool) -> Undo:
    """What must be handed out or back when an update is stored."""
    if resource.key == "services":
        return api.services.claim(new, old, dry_run)
    if resource.key == "persistentvolumeclaims":
        storage.check_resize(api, new, old)
    return _nothing


def removed(api: ApiServer, resource: Resource, obj: Object) -> None:
    """What an object gives back when it leaves the store."""
    if resource.key == "services":
        api.services.release(obj)


def kept_metadata(meta: Object, was: Object) -> Object:
    """The metadata of an update: what the client may change is its own, the rest is as it was."""
    kept = dict(meta)
    for field in SERVER_FIELDS:
        if field in was:
            kept[field] = was[field]
        else:
            kept.pop(field, None)
    kept.pop("managedFields", None)
    kept.pop("selfLink", None)
    kept["resourceVersion"] = was["resourceVersion"]
    return kept


def prepare_update(api: ApiServer, resource: Resource, new: Object, old: Object) -> Object:
    """The new version as it is before validation: old status, generation counted up when what is desired changed."""
    if resource.has_status:
        new = replaced(new, {"status": old.get("status")}) if new.get("status") is not old.get("status") else new
    if resource.key == "services":
        new = api.services.prepare(new, old)
    if resource.key == "namespaces":
        new = {**new, "spec": old.get("spec", {})}
    if resource.key == "daemonsets.apps":
        template_generation(new)
        changed = new["spec"].get("template") != old["spec"].get("template")
        new = with_template_generation(new, template_generation(old) + changed)
    if resource.has_generation and _desired(resource, new) != _desired(resource, old):
        new = replaced(new, {("metadata", "generation"): old["metadata"].get("generation", 0) + 1})
    return new


def _desired(resource: Resource, obj: Object) -> object:
    """What a change of counts as a new generation."""
    if resource.key == "deployments.apps":
        return obj.get("spec"), obj["metadata"].get("annotations") or {}
    if resource.key == "endpointslices.discovery.k8s.io":
        return obj.get("endpoints"), obj.get("ports"), obj["metadata"].get("labels") or {}
    if resource.key == "podtemplates":
        return obj.get("template")
    return obj.get("spec")


def with_status(resource: Resource, obj: Object, old: Object) -> Object:
    """``old`` with the status of ``obj``, and for Deployments with its annotations, where their controller notes the revision."""
    status = obj.get("status") or {}
    if resource.key == "deployments.apps" and (noted := obj["metadata"].get("annotations")) != old["metadata"].get("annotations"):
        old = replaced(old, {("metadata", "annotations"): noted})
    if status == old.get("status"):
        return old
    return {**old, "status": status}
