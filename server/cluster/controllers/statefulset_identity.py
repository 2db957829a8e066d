"""Who a StatefulSet's pods are: an ordinal gives a pod its name, its host name, its labels and its claims, and it keeps them for good.

Pure questions and answers about names and objects: what the pod of an ordinal looks like, which claims are its own, and whether a pod
that is there is what it should be.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
"""

from __future__ import annotations

from server.cluster.controllers.history import POD_LABEL
from server.cluster.controllers.pod_control import pod_from_template
from server.cluster.objects import Object, labels, name, namespace

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def size(stateful_set: Object) -> int:
    replicas = stateful_set["spec"].get("replicas")
    return 1 if replicas is None else replicas


def start(stateful_set: Object) -> int:
    """The first ordinal."""
    return (stateful_set["spec"].get("ordinals") or {}).get("start", 0)


def ordinals(stateful_set: Object) -> range:
    first = start(stateful_set)
    return range(first, first + size(stateful_set))


def ordinal_in(stateful_set: Object, pod_name: str) -> int | None:
    """
    >>> web = {"metadata": {"name": "web"}}
    >>> ordinal_in(web, "web-10"), ordinal_in(web, "web-01"), ordinal_in(web, "webs-1"), ordinal_in(web, "web-x-1")
    (10, None, None, None)
    """
    before, _, digits = pod_name.rpartition("-")
    if before != stateful_set["metadata"]["name"] or not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        return None
    return int(digits) if str(int(digits)) == digits else None


def pod_name(stateful_set: Object, ordinal: int) -> str:
    return f"{name(stateful_set)}-{ordinal}"


def claim_templates(stateful_set: Object) -> list[Object]:
    return stateful_set["spec"].get("volumeClaimTemplates") or []


def claim_name(template: Object, stateful_set: Object, ordinal: int) -> str:
    return f"{name(template)}-{name(stateful_set)}-{ordinal}"


def claims(stateful_set: Object, ordinal: int) -> list[Object]:
    """The PersistentVolumeClaims of an ordinal's pod."""
    selected = stateful_set["spec"]["selector"].get("matchLabels") or {}
    found: list[Object] = []
    for template in claim_templates(stateful_set):
        metadata = {**template["metadata"], "name": claim_name(template, stateful_set, ordinal), "namespace": namespace(stateful_set)}
        if labelled := {**labels(template), **selected}:
            metadata["labels"] = labelled
        found.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]})
    return found


def pod(stateful_set: Object, template: Object, ordinal: int, revision: str) -> Object:
    """The pod of an ordinal as a template makes it."""
    pod, called = pod_from_template(stateful_set, template), pod_name(stateful_set, ordinal)
    spec: Object = {**pod["spec"], "hostname": called}
    if stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = stateful_set["spec"]["serviceName"]
    if volumes := _volumes(stateful_set, spec, ordinal):
        spec["volumes"] = volumes
    labelled = {**labels(pod), **_identity(stateful_set, ordinal), POD_LABEL: revision}
    return {**pod, "metadata": {**pod["metadata"], "name": called, "labels": labelled}, "spec": spec}


def _identity(stateful_set: Object, ordinal: int) -> dict[str, str]:
    return {POD_NAME: pod_name(stateful_set, ordinal), POD_INDEX: str(ordinal)}


def _volumes(stateful_set: Object, spec: Object, ordinal: int) -> list[Object]:
    """The claims' volumes, then those of the pod that no claim takes the name of."""
    ours = {name(template): claim_name(template, stateful_set, ordinal) for template in claim_templates(stateful_set)}
    claimed: list[Object] = [{"name": volume, "persistentVolumeClaim": {"claimName": claim}} for volume, claim in ours.items()]
    return [*claimed, *(volume for volume in spec.get("volumes") or () if volume["name"] not in ours)]


def is_itself(stateful_set: Object, pod: Object) -> bool:
    """The pod carries its name in its labels and has its claims as volumes."""
    return _named(pod) and _stored(stateful_set, pod)


def _named(pod: Object) -> bool:
    return labels(pod).get(POD_NAME) == name(pod)


def _stored(stateful_set: Object, pod: Object) -> bool:
    ordinal = ordinal_in(stateful_set, name(pod))
    mounted = {volume["name"]: (volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in pod["spec"].get("volumes") or ()}
    return all(mounted.get(name(template)) == claim_name(template, stateful_set, ordinal) for template in claim_templates(stateful_set))


def as_itself(stateful_set: Object, pod: Object) -> Object:
    """The pod with what ``is_itself`` found missing."""
    ordinal = ordinal_in(stateful_set, name(pod))
    if not _named(pod):
        pod = {**pod, "metadata": {**pod["metadata"], "labels": {**labels(pod), **_identity(stateful_set, ordinal)}}}
    if not _stored(stateful_set, pod):
        pod = {**pod, "spec": {**pod["spec"], "volumes": _volumes(stateful_set, pod["spec"], ordinal)}}
    return pod
