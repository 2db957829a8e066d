"""What a kubelet checks before it takes a pod that is bound to it: that its node fits, whoever bound it.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.cluster import quantity
from server.cluster.kubelet.template import Template, pod_resources
from server.cluster.objects import Object
from server.cluster.scheduler.plugins import node_affinity, node_ports, taint_toleration
from server.cluster.scheduler.podinfo import requirements
from server.cluster.scheduler.snapshot import NodeInfo

if TYPE_CHECKING:
    from server.cluster.kubelet.kubelet import Kubelet

SOURCE = "kubernetes.io/config.source"
REASONS = {"NodeAffinity": "node(s) didn't match Pod's node affinity/selector",
           "NodePorts": "node(s) didn't have free ports for the requested pod ports",
           "TaintToleration": "node(s) had taints that the pod didn't tolerate"}


class Request(NamedTuple):
    """What a pod takes of a node: millicores and bytes."""

    cpu: int
    memory: int


NOTHING = Request(0, 0)


def request_of(templates: list[Template], given: Object | None = None) -> Request:
    """What a pod with these long-running containers and resources of its own asks for."""
    _, requests = pod_resources(templates, given)
    if not requests:
        return NOTHING
    return Request(quantity.milli(requests.get("cpu", "0")), quantity.value(requests.get("memory", "0")))


def _predicate(kubelet: Kubelet, pod: Object) -> str:
    """Which of the scheduler's own filters refuses the pod; they count for pods that no scheduler has seen, too."""
    node, spec = kubelet.api.lister("nodes").get("", kubelet.name), pod["spec"]
    if node is None:
        return ""
    if spec.get("nodeSelector") or "nodeAffinity" in (spec.get("affinity") or ()):
        info = NodeInfo(0, kubelet.name)
        info.set_node(node)
        if not node_affinity.matches(requirements(spec), info):
            return "NodeAffinity"
    if any(port.get("hostPort") for container in spec["containers"] for port in container.get("ports") or ()):
        wanted = requirements(spec).host_ports
        for key, worker in kubelet.workers.items():
            other = kubelet.pods.get(*key) if worker.taken is not None else None
            if other is not None and other["metadata"]["uid"] != pod["metadata"]["uid"] \
                    and node_ports.conflicting(wanted, requirements(other["spec"]).host_ports):
                return "NodePorts"
    for taint in node["spec"].get("taints") or ():
        static = SOURCE in (pod["metadata"].get("annotations") or ())
        if taint["effect"] == "NoExecute" and not static and not taint_toleration.tolerated(taint, requirements(spec).tolerations):
            return "TaintToleration"
    return ""


def fault(kubelet: Kubelet, pod: Object, wanted: Request) -> tuple[str, str] | None:
    """(reason, message) why the pod cannot run here; None if it can."""
    refused = kubelet.manager.shutdowns.fault(kubelet) or kubelet.manager.evictions.fault(kubelet, pod)
    if refused is not None:
        return refused
    predicate = _predicate(kubelet, pod)
    if predicate:
        return predicate, f"Predicate {predicate} failed: {REASONS[predicate]}"
    used_cpu, used_memory, count = kubelet.used
    cpu, memory, pods = kubelet.allocatable
    if count < pods and used_cpu + wanted.cpu <= cpu and used_memory + wanted.memory <= memory:
        return None
    for resource, asked, used, capacity in (("pods", 1, count, pods), ("cpu", wanted.cpu, used_cpu, cpu),
                                            ("memory", wanted.memory, used_memory, memory)):
        if asked and used + asked > capacity:
            return (f"OutOf{resource}",
                    f"Node didn't have enough resource: {resource}, requested: {asked}, used: {used}, capacity: {capacity}")
    return None
