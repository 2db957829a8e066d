"""podFailurePolicy: what the end of a failed pod means for its Job.

In: the policy and a failed pod. Out: a verdict: the first rule that its exit codes or conditions match says whether the failure counts
towards the back-off limit (``Count``), does not (``Ignore``), fails the pod's index (``FailIndex``) or the whole Job (``FailJob``).

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.objects import Object, name, namespace

FAIL_JOB, FAIL_INDEX, IGNORE = "FailJob", "FailIndex", "Ignore"


class Verdict(NamedTuple):
    """``action`` is that of the rule that matched, "" if none did; ``message`` says why the Job fails."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        return self.action != IGNORE


NO_RULE = Verdict()


def verdict(policy: Object | None, pod: Object) -> Verdict:
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        action = rule["action"]
        if rule.get("onExitCodes") is not None:
            container = _exited(pod, rule["onExitCodes"])
            if container is not None:
                return Verdict(action, f"Container {container['name']} for pod {namespace(pod)}/{name(pod)} failed with exit code "
                                       f"{container['state']['terminated']['exitCode']} matching {action} rule at index {index}")
        elif (condition := _conditioned(pod, rule.get("onPodConditions") or ())) is not None:
            return Verdict(action, f"Pod {namespace(pod)}/{name(pod)} has condition {condition['type']} matching {action} rule at index {index}")
    return NO_RULE


def _exited(pod: Object, wanted: Object) -> Object | None:
    """The first container that ended with a code that the rule is about."""
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(field) or ():
            ended = (container.get("state") or {}).get("terminated")
            if not ended or not ended.get("exitCode") or wanted.get("containerName", container["name"]) != container["name"]:
                continue
            if (ended["exitCode"] in wanted["values"]) == (wanted["operator"] == "In"):
                return container
    return None


def _conditioned(pod: Object, patterns: list[Object]) -> Object | None:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        for pattern in patterns:
            if condition["type"] == pattern["type"] and condition["status"] == pattern["status"]:
                return condition
    return None
