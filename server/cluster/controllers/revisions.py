"""A Deployment's revisions: one ReplicaSet for each pod template it has had.

The new ReplicaSet is the one whose template equals the Deployment's; all others are old and are kept, up to
``revisionHistoryLimit``, to roll back to. Which came when is in annotations: ``deployment.kubernetes.io/revision`` counts up, and a
template that is taken up again remembers in ``revision-history`` the numbers it had.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment
"""

from __future__ import annotations

from typing import Any

from server.cluster.controllers.rollout import DESIRED_REPLICAS, MAX_REPLICAS, by_age, max_surge, new_size, number, size
from server.cluster.names import template_hash
from server.cluster.objects import Object, annotations, deleting, name, namespace, owner_reference, replaced

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
LONGEST_HISTORY = 2000
LONGEST_NAME = 253
NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS,
              "deprecated.deployment.rollback.to")


def split(deployment: Object, replica_sets: list[Object]) -> tuple[Object | None, list[Object]]:
    """The ReplicaSet of the Deployment's present template, if there is one, and the others, oldest first."""
    ordered = by_age(replica_sets)
    new = next((entry for entry in ordered if same_template(entry["spec"]["template"], deployment["spec"]["template"])), None)
    return new, [entry for entry in ordered if entry is not new]


def same_template(one: Object, other: Object) -> bool:
    """Equal but for the hash label."""
    return same(_metadata(one), _metadata(other)) and (one["spec"] is other["spec"] or same(one["spec"], other["spec"]))


def _metadata(template: Object) -> Object:
    metadata = template.get("metadata") or {}
    labelled = {label: value for label, value in (metadata.get("labels") or {}).items() if label != HASH_LABEL}
    return {**metadata, "labels": labelled}


def same(one: Any, other: Any) -> bool:
    """Equality for which what is empty is as good as absent."""
    if one == other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(field), other.get(field)) for field in {**one, **other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    empty = (None, {}, [])
    return one in empty and other in empty


def revision(obj: Object) -> int:
    return number(annotations(obj).get(REVISION)) or 0


def next_revision(old: list[Object]) -> int:
    return max((revision(replica_set) for replica_set in old), default=0) + 1


def new_replica_set(deployment: Object, old: list[Object]) -> Object:
    """The ReplicaSet for a template that has none: named after the template's hash and with as many pods as the rollout allows."""
    template = deployment["spec"]["template"]
    digest = template_hash(template, (deployment.get("status") or {}).get("collisionCount", 0))
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    selector = deployment["spec"]["selector"]
    spec: Object = {
        "replicas": new_size(deployment, old, 0),
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
        "template": replaced(template, {("metadata", "labels"): labels}),
    }
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    replica_set = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": f"{name(deployment)[:LONGEST_NAME - 1 - len(digest)]}-{digest}", "namespace": namespace(deployment),
                     "labels": labels, "ownerReferences": [owner_reference(deployment)]},
        "spec": spec,
    }
    noted = {**revision_annotations(deployment, replica_set, next_revision(old)), **replica_annotations(deployment)}
    return replaced(replica_set, {("metadata", "annotations"): noted})


def replica_annotations(deployment: Object) -> dict[str, str]:
    """What a ReplicaSet remembers of the Deployment's size, so that a later change of it can be told and shared out."""
    return {DESIRED_REPLICAS: str(size(deployment)), MAX_REPLICAS: str(size(deployment) + max_surge(deployment))}


def revision_annotations(deployment: Object, replica_set: Object, number_now: int) -> dict[str, str]:
    """The annotations of the Deployment's new ReplicaSet: the Deployment's own, the revision, and the revisions it had before."""
    noted = dict(annotations(replica_set))
    noted.update((field, value) for field, value in annotations(deployment).items() if field not in NOT_COPIED)
    had = noted.get(REVISION)
    if (number(had) or 0) < number_now:
        noted[REVISION] = str(number_now)
        if had is not None:
            noted[REVISION_HISTORY] = _history(noted.get(REVISION_HISTORY, ""), had)
    return noted


def _history(history: str, latest: str) -> str:
    """The list with one more, without the first ones if it would be too long."""
    kept = [entry for entry in history.split(",") if entry]
    while kept and len(",".join([*kept, latest])) > LONGEST_HISTORY:
        kept.pop(0)
    return ",".join([*kept, latest])


def surplus(deployment: Object, old: list[Object]) -> list[Object]:
    """Old ReplicaSets beyond ``revisionHistoryLimit``: those of the lowest revisions, unless they still have pods."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None or limit == 2**31 - 1:
        return []
    alive = [replica_set for replica_set in old if not deleting(replica_set)]
    beyond = len(alive) - limit
    if beyond <= 0:
        return []
    return [replica_set for replica_set in sorted(alive, key=revision)[:beyond] if _unused(replica_set)]


def _unused(replica_set: Object) -> bool:
    status = replica_set.get("status") or {}
    observed = status.get("observedGeneration", 0) >= replica_set["metadata"].get("generation", 0)
    return observed and not status.get("replicas") and size(replica_set) == 0
