"""The pods of a Job, as they are made: the template, the tracking finalizer, and for an indexed Job all that tells a pod its index.

In: a Job, an index, the failed pod that is replaced. Out: a pod to create. Spec, labels and owner are the same objects for all pods of a
Job without indexes, which keeps making many of them cheap.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
"""

from __future__ import annotations

from server.cluster.controllers import job_indexes as indexes
from server.cluster.controllers.job_pods import FINALIZER, tracked
from server.cluster.controllers.pod_control import pod_from_template
from server.cluster.controllers.pod_failure_policy import verdict
from server.cluster.objects import Object, finalizers, name, replaced

LONGEST_PREFIX = 58
_FROM_LABEL = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{indexes.INDEX}']"}}


def pod_of(job: Object) -> Object:
    """What every pod of a Job without indexes is created from."""
    pod = pod_from_template(job, job["spec"]["template"])
    return pod if tracked(pod) else replaced(pod, {("metadata", "finalizers"): [*finalizers(pod), FINALIZER]})


def indexed(job: Object, pod: Object) -> Object:
    """The common part of an indexed Job's pods: every container hears of its index."""
    spec = dict(pod["spec"])
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_hearing(container) for container in spec[field]]
    return {**pod, "spec": spec}


def _hearing(container: Object) -> Object:
    env = container.get("env") or []
    if any(variable["name"] == indexes.VARIABLE for variable in env):
        return container
    return {**container, "env": [*env, {"name": indexes.VARIABLE, "valueFrom": _FROM_LABEL}]}


def pod_for_index(job: Object, pod: Object, index: int, predecessor: Object | None) -> Object:
    """The pod of one index; ``predecessor`` is the failed one whose place it takes."""
    meta = pod["metadata"]
    annotations = {**(meta.get("annotations") or {}), indexes.INDEX: str(index)}
    if indexes.limited_per_index(job):
        annotations.update(_failures(job, predecessor))
    ending = f"-{index}-"
    return {**pod, "spec": {**pod["spec"], "hostname": f"{name(job)}-{index}"}, "metadata": {
        **meta, "generateName": f"{name(job)[:LONGEST_PREFIX - len(ending)]}{ending}", "annotations": annotations,
        "labels": {**(meta.get("labels") or {}), indexes.INDEX: str(index)}}}


def _failures(job: Object, predecessor: Object | None) -> dict[str, str]:
    """How often the index has failed up to now."""
    if predecessor is None:
        return {indexes.FAILURES: "0"}
    counted, ignored = indexes.failures(predecessor), indexes.all_failures(predecessor) - indexes.failures(predecessor)
    if verdict(job["spec"].get("podFailurePolicy"), predecessor).counts:
        counted += 1
    else:
        ignored += 1
    return {indexes.FAILURES: str(counted), **({indexes.IGNORED_FAILURES: str(ignored)} if ignored else {})}
