"""Where a DaemonSet's pods belong, and what a pod for one of those nodes looks like.

In: a DaemonSet and a Node. Out: whether a pod should be there, and whether one that is there may stay. A pod is kept for its node by a
required node affinity on ``metadata.name``, so that the default scheduler binds it; tolerations for the taints of a node in trouble
are added, so that daemons stay where other pods would be driven away.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
"""

from __future__ import annotations

from typing import NamedTuple

from server.cluster.controllers import history
from server.cluster.controllers.pod_control import pod_from_template
from server.cluster.controllers.taint_eviction import tolerates
from server.cluster.objects import Object, annotations, labels, name, replaced
from server.cluster.selectors import node_term_holds

GENERATION_LABEL = "pod-template-generation"
GENERATION = "deprecated.daemonset.template.generation"
NODE_NAME = "metadata.name"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TOLERATED = (("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"), ("memory-pressure", "NoSchedule"),
             ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"))
TOLERATED_ON_HOST_NETWORK = (("network-unavailable", "NoSchedule"),)


class Verdict(NamedTuple):
    """``run``: a pod belongs on the node; ``stay``: one that is there need not go."""

    run: bool
    stay: bool


AWAY = Verdict(False, False)


class Placement:
    """Of one version of a DaemonSet's template."""

    def __init__(self, daemon_set: Object) -> None:
        self._spec = (daemon_set["spec"]["template"].get("spec")) or {}
        self.tolerations = with_tolerations(self._spec)

    def on(self, node: Object) -> Verdict:
        if self._spec.get("nodeName", "") not in ("", name(node)) or not self._selects(node):
            return AWAY
        taints = (node.get("spec") or {}).get("taints") or ()
        driven = [taint["effect"] for taint in taints if not any(tolerates(toleration, taint) for toleration in self.tolerations)]
        return Verdict("NoSchedule" not in driven and "NoExecute" not in driven, "NoExecute" not in driven)

    def _selects(self, node: Object) -> bool:
        """nodeSelector, and one of the required affinity's terms."""
        labelled = labels(node)
        if any(labelled.get(key) != value for key, value in (self._spec.get("nodeSelector") or {}).items()):
            return False
        required = ((self._spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
        return required is None or any(node_term_holds(term, labelled, name(node)) for term in required.get("nodeSelectorTerms") or ())


def with_tolerations(spec: Object) -> list[Object]:
    """The template's tolerations and those that every daemon has."""
    found = list(spec.get("tolerations") or ())
    for condition, effect in (*TOLERATED, *(TOLERATED_ON_HOST_NETWORK if spec.get("hostNetwork") else ())):
        added = {"key": f"node.kubernetes.io/{condition}", "operator": "Exists", "effect": effect}
        for index, toleration in enumerate(found):
            if all((toleration.get(field) or "") == added.get(field, "") for field in ("key", "operator", "effect", "value")):
                found[index] = added
                break
        else:
            found.append(added)
    return found


def pod_of(daemon_set: Object, digest: str, tolerations: list[Object]) -> Object:
    """What all pods of the DaemonSet's present template have in common; the parts are the same objects for all of them."""
    pod = pod_from_template(daemon_set, daemon_set["spec"]["template"])
    noted = {**labels(pod), history.POD_LABEL: digest}
    if generation := annotations(daemon_set).get(GENERATION):
        noted[GENERATION_LABEL] = generation
    return replaced(pod, {("metadata", "labels"): noted, ("spec", "tolerations"): tolerations})


def for_node(pod: Object, node: str) -> Object:
    """The pod, tied to a node: whatever nodes the template's required affinity names, this is one of them."""
    affinity = pod["spec"].get("affinity") or {}
    tied = {"nodeSelectorTerms": [{"matchFields": [{"key": NODE_NAME, "operator": "In", "values": [node]}]}]}
    return {**pod, "spec": {**pod["spec"], "affinity": {**affinity, "nodeAffinity": {**(affinity.get("nodeAffinity") or {}), REQUIRED: tied}}}}


def node_of(pod: Object) -> str | None:
    """The node a daemon runs on or is meant for; None if it does not say."""
    bound = pod["spec"].get("nodeName")
    if bound:
        return bound
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            values = field.get("values") or ()
            if field.get("key") == NODE_NAME and field.get("operator") == "In" and len(values) == 1:
                return values[0]
    return None
