"""Validation of StatefulSets and of the ControllerRevisions that keep their templates.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/
"""

from __future__ import annotations

from server.cluster import names
from server.cluster.apiserver.validation import bounds, meta, storage
from server.cluster.apiserver.validation.apps import (
    amount,
    never_ending,
    not_more_than_all,
    number_or_percent,
    parsed_selector,
    selected_template,
    workload_selector,
)
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    forbidden,
    immutable,
    invalid,
    label_1123,
    not_negative,
    required,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind

CHANGEABLE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy",
              "minReadySeconds")
_QUOTED = [f"'{field}'" for field in CHANGEABLE]
ONLY_CHANGEABLE = f"updates to statefulset spec for fields other than {', '.join(_QUOTED[:-1])} and {_QUOTED[-1]} are forbidden"
COUNTS = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount")
PARTS_OF_REPLICAS = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


def stateful_set(obj: Object) -> Errors:
    yield from meta.create(obj, names.label, namespaced=True)
    spec = obj.get("spec") or {}
    yield from _spec(spec, check_template=True, check_service=True)


def stateful_set_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    was_right = not list(_spec(was, check_template=True, check_service=False))
    yield from _spec(spec, check_template=was_right, check_service=False)
    if _fixed(spec) != _fixed(was):
        yield forbidden("spec", ONLY_CHANGEABLE)


def _fixed(spec: Object) -> Object:
    """What of a spec never changes; what is empty is as good as absent."""
    return {field: value for field, value in spec.items() if field not in CHANGEABLE and value not in (None, "", [], {})}


def stateful_set_status(new: Object, old: Object) -> Errors:
    status, was = new.get("status") or {}, old.get("status") or {}
    for field in COUNTS:
        yield from not_negative(f"status.{field}", status.get(field))
    for field in PARTS_OF_REPLICAS:
        if status.get(field, 0) > status.get("replicas", 0):
            yield invalid(f"status.{field}", status[field], "cannot be greater than status.replicas")
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        yield invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than status.readyReplicas")
    if was.get("collisionCount", 0) > status.get("collisionCount", 0):
        yield invalid("status.collisionCount", status.get("collisionCount", 0), "cannot be decremented")


def _spec(spec: Object, *, check_template: bool, check_service: bool) -> Errors:
    policy = spec.get("podManagementPolicy")
    if not policy:
        yield required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _update_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field, value in retention.items():
        if value not in ("Retain", "Delete"):
            yield unsupported(f"spec.persistentVolumeClaimRetentionPolicy.{field}", value, ("Delete", "Retain"))
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if check_service and spec.get("serviceName"):
        yield from label_1123("spec.serviceName", spec["serviceName"])
    yield from workload_selector(spec, "spec", "statefulset")
    if parsed_selector(spec.get("selector")) is None:
        yield invalid("spec.selector", spec["selector"], "")
    elif check_template:
        yield from selected_template({**spec, "template": _with_claims(spec)}, "spec")
        yield from bounds.of_list(spec.get("volumeClaimTemplates"), "spec.volumeClaimTemplates", bounds.CLAIM_TEMPLATES)
        for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            yield from storage.claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    yield from never_ending(spec.get("template") or {}, "spec.template", "StatefulSet")


def _with_claims(spec: Object) -> Object:
    """The template with a volume for every claim template, as its pods will have them."""
    template = spec.get("template") or {}
    claims = [name for claim in spec.get("volumeClaimTemplates") or () if (name := (claim.get("metadata") or {}).get("name"))]
    if not claims:
        return template
    pod = template.get("spec") or {}
    volumes = [volume for volume in pod.get("volumes") or () if volume.get("name") not in claims]
    volumes += [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**template, "spec": {**pod, "volumes": volumes}}


def _update_strategy(strategy: Object, path: str) -> Errors:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if not kind:
        yield required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            yield invalid(f"{path}.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        yield invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from not_negative(f"{path}.rollingUpdate.partition", rolling.get("partition"))
        yield from _max_unavailable(rolling.get("maxUnavailable"), f"{path}.rollingUpdate.maxUnavailable")


def _max_unavailable(value: int | str | None, path: str) -> Errors:
    if value is None:
        return
    faults = list(number_or_percent(value, path))
    yield from faults
    if not faults and amount(value) == 0:
        yield invalid(path, value, "cannot be 0")
    yield from not_more_than_all(value, path)


# revisions ---------------------------------------------------------------------------------------------------------------

def controller_revision(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _revision(obj)


def controller_revision_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    yield from _revision(new)
    yield from immutable("data", new.get("data"), old.get("data"))


def _revision(obj: Object) -> Errors:
    if obj.get("data") is None:
        yield required("data", "data is mandatory")
    yield from not_negative("revision", obj.get("revision"))


KINDS: dict[str, Kind] = {
    "statefulsets.apps": Kind(stateful_set, stateful_set_update, stateful_set_status),
    "controllerrevisions.apps": Kind(controller_revision, controller_revision_update),
}
