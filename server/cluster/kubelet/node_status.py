"""The Node object that a kubelet registers, and the heartbeats that cost nothing.

``node`` and ``lease`` build what a machine's kubelet writes when it joins. A kubelet that is well does not write again: ``present``
fills in, when somebody reads, the heartbeat that it would have sent last (its Lease every 10 seconds, its status every 5 minutes).

Source: https://kubernetes.io/docs/reference/node/node-status/
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

from server.cluster.clock import Clock
from server.cluster.machines import CONTROL_PLANE_TAINT, NodeSpec
from server.cluster.objects import Object

VERSION, RUNTIME, KERNEL, OS_IMAGE = "v1.36.2", "containerd://2.1.4", "6.1.0-28-amd64", "Debian GNU/Linux 12 (bookworm)"
LEASE_PERIOD, STATUS_PERIOD = 10.0, 300.0
LEASE_SECONDS = 40
LEASE_NAMESPACE = "kube-node-lease"
EVICTION_RESERVE = 100 * 1024 * 1024
KIBI = 1024
KERNEL_MEMORY, FILE_SYSTEM = 41_964_000, 0.9134  # what a machine's kernel keeps of its memory, and what a file system leaves of its disk
CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
PRESSED = {row[0]: row for row in (
    ("MemoryPressure", "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
    ("PIDPressure", "True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
)}
SHUTTING_DOWN = ("Ready", "False", "KubeletNotReady", "node is shutting down")
Fact = tuple[str, str, str, str]
TURNS = {  # (condition, status): reason of the Event that tells of it
    ("MemoryPressure", "False"): "NodeHasSufficientMemory", ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
    ("DiskPressure", "False"): "NodeHasNoDiskPressure", ("DiskPressure", "True"): "NodeHasDiskPressure",
    ("PIDPressure", "False"): "NodeHasSufficientPID", ("PIDPressure", "True"): "NodeHasInsufficientPID",
    ("Ready", "True"): "NodeReady", ("Ready", "False"): "NodeNotReady",
}
FEATURES = ["ExtendWebSocketsToKubelet", "InPlacePodLevelResourcesVerticalScaling", "InPlacePodVerticalScalingInitContainers",
            "RestartAllContainersOnContainerExits"]


def node(spec: NodeSpec, index: int, clock: Clock, images: list[Object]) -> Object:
    """The Node of the ``index``-th machine, which gets the ``index``-th pod network."""
    labels = {"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
              "kubernetes.io/hostname": spec.name, "kubernetes.io/os": "linux", **spec.labels}
    taints = list(spec.taints)
    if spec.control_plane:
        labels |= {"node-role.kubernetes.io/control-plane": "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
        taints = taints or [CONTROL_PLANE_TAINT]
    network = pod_network(index)
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": spec.name, "labels": dict(sorted(labels.items())), "annotations": {
            "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
        "spec": {"podCIDR": network, "podCIDRs": [network], **({"taints": taints} if taints else {})},
        "status": {
            "addresses": [{"address": spec.address, "type": "InternalIP"}, {"address": spec.name, "type": "Hostname"}],
            **capacity(spec),
            "conditions": conditions(clock.timestamp()),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "declaredFeatures": FEATURES,
            "images": images,
            "nodeInfo": _info(spec.name),
        },
    }


def pod_network(index: int) -> str:
    """
    >>> pod_network(0), pod_network(3), pod_network(300)
    ('10.244.0.0/24', '10.244.3.0/24', '10.245.44.0/24')
    """
    block, number = divmod(index, 256)
    return f"10.{244 + block if block < 12 else 100 + block}.{number}.0/24"


def capacity(spec: NodeSpec) -> dict[str, dict[str, str]]:
    """What the machine has, and what of that is for pods."""
    memory, disk = spec.memory - KERNEL_MEMORY, int(spec.disk * FILE_SYSTEM) // KIBI
    fixed = {"hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": str(spec.max_pods)}
    return {
        "capacity": {"cpu": str(spec.cpu), "ephemeral-storage": f"{disk}Ki", "memory": f"{memory // KIBI}Ki", **fixed},
        "allocatable": {"cpu": str(spec.cpu), "ephemeral-storage": str(disk * KIBI * 9 // 10),
                        "memory": f"{(memory - EVICTION_RESERVE) // KIBI}Ki", **fixed},
    }


def _info(name: str) -> dict[str, str]:
    machine = hashlib.sha256(f"machine {name}".encode()).hexdigest()[:32]
    return {"architecture": "amd64", "bootID": boot_id(name, 0), "containerRuntimeVersion": RUNTIME, "kernelVersion": KERNEL,
            "kubeProxyVersion": "", "kubeletVersion": VERSION, "machineID": machine, "operatingSystem": "linux", "osImage": OS_IMAGE,
            "systemUUID": machine}


def boot_id(name: str, boots: int) -> str:
    digits = hashlib.sha256(f"boot {boots} of {name}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def conditions(now: str, before: list[Object] | None = None, facts: tuple[Fact, ...] = CONDITIONS) -> list[Object]:
    """The conditions of a node, by default a healthy one; what has not changed since ``before`` keeps its transition time."""
    known = {entry["type"]: entry for entry in before or ()}
    made = []
    for type_, status, reason, message in facts:
        old = known.get(type_)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
        made.append({"lastHeartbeatTime": now, "lastTransitionTime": since, "message": message, "reason": reason, "status": status,
                     "type": type_})
    return [*(entry for entry in before or () if entry["type"] not in {row[0] for row in facts}), *made]


def facts(pressure: dict[str, float], shutting_down: bool) -> tuple[Fact, ...]:
    """The conditions of a node under these pressures, and on its way down."""
    found = tuple(PRESSED[row[0]] if row[0] in pressure else row for row in CONDITIONS[:-1])
    return (*found, SHUTTING_DOWN if shutting_down else CONDITIONS[-1])


def lease(obj: Object, clock: Clock) -> Object:
    """The Lease of a Node: its only heartbeat that is stored."""
    meta = obj["metadata"]
    return {
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": meta["name"], "namespace": LEASE_NAMESPACE, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}]},
        "spec": {"holderIdentity": meta["name"], "leaseDurationSeconds": LEASE_SECONDS, "renewTime": clock.microtime()},
    }


def present(clock: Clock, resource: str, obj: Object, stopped: float | None) -> Object:
    """``obj`` with the heartbeat that its kubelet sent last; ``stopped`` is when the kubelet fell silent, None if it has not."""
    now = clock.now if stopped is None else min(stopped, clock.now)
    if resource == "nodes":
        return _shown_node(clock, obj, now)
    if resource == "leases.coordination.k8s.io" and obj["metadata"].get("namespace") == LEASE_NAMESPACE:
        stored = obj["spec"].get("renewTime")
        base = clock.seconds(stored) if stored else None
        if base is None or now < base + LEASE_PERIOD:
            return obj
        return {**obj, "spec": {**obj["spec"], "renewTime": clock.microtime(_last(base, now, LEASE_PERIOD))}}
    return obj


def _shown_node(clock: Clock, obj: Object, now: float) -> Object:
    entries: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    shown, changed = [], False
    for entry in entries:
        stored = entry.get("lastHeartbeatTime")
        if stored and entry["status"] != "Unknown" and now >= (base := clock.seconds(stored)) + STATUS_PERIOD:
            entry = {**entry, "lastHeartbeatTime": clock.timestamp(_last(base, now, STATUS_PERIOD))}
            changed = True
        shown.append(entry)
    return {**obj, "status": {**obj["status"], "conditions": shown}} if changed else obj


def _last(base: float, now: float, period: float) -> float:
    return base + math.floor((now - base) / period) * period
