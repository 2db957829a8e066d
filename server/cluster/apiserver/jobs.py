"""What a Job is given when it is made: a selector and labels of its own, so that no other controller's pods can be taken for its.

In: a Job with its defaults. Out: the same with the pod template labelled by the Job's name and uid, under the present names and the
old ones, and a selector for the uid. With ``manualSelector`` the selector is the client's affair.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#specifying-your-own-pod-selector
"""

from __future__ import annotations

from server.cluster.apiserver.defaults.batch import labelled
from server.cluster.objects import Object, replaced

PREFIX = "batch.kubernetes.io/"
JOB_NAME, CONTROLLER_UID = f"{PREFIX}job-name", f"{PREFIX}controller-uid"
OLD_JOB_NAME, OLD_CONTROLLER_UID = "job-name", "controller-uid"


def expected_labels(job: Object) -> dict[str, str]:
    """The labels that tie a pod to the Job."""
    name, uid = job["metadata"].get("name", ""), job["metadata"].get("uid", "")
    return {CONTROLLER_UID: uid, JOB_NAME: name, OLD_CONTROLLER_UID: uid, OLD_JOB_NAME: name}


def prepare(job: Object) -> Object:
    """A new Job, before it is validated."""
    job = {**job, "status": {}}
    if job["spec"].get("manualSelector"):
        return job
    template = job["spec"].get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = job["spec"].get("selector") or {}
    chosen = selector.get("matchLabels") or {}
    return labelled(replaced(job, {
        ("spec", "template", "metadata", "labels"): {**expected_labels(job), **labels},
        ("spec", "selector"): {**selector, "matchLabels": {CONTROLLER_UID: job["metadata"]["uid"], **chosen}}}))
