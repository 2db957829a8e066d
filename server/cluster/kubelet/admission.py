"""What a kubelet checks before it takes a pod that is bound to it: that its node fits, whoever bound it.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from server.cluster import quantity
from server.cluster.kubelet.template import Template, pod_resources
from server.cluster.objects import Object

if TYPE_CHECKING:
    from server.cluster.kubelet.kubelet import Kubelet

NODE_AFFINITY = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"


class Request(NamedTuple):
    """What a pod takes of a node: millicores and bytes."""

    cpu: int
    memory: int


NOTHING = Request(0, 0)


def request_of(templates: list[Template]) -> Request:
    """What a pod with these long-running containers asks for."""
    _, requests = pod_resources(templates)
    if not requests:
        return NOTHING
    return Request(quantity.milli(requests.get("cpu", "0")), quantity.value(requests.get("memory", "0")))


def fault(kubelet: Kubelet, pod: Object, wanted: Request) -> tuple[str, str] | None:
    """(reason, message) why the pod cannot run here; None if it can."""
    selector = pod["spec"].get("nodeSelector")
    if selector:
        labels = kubelet.labels()
        if any(labels.get(key) != value for key, value in selector.items()):
            return "NodeAffinity", NODE_AFFINITY
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
