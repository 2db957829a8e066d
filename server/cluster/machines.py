"""The machines a cluster is made of, as data: what a node brings before its kubelet has said anything.

``PRESETS`` are the clusters one can begin with; ``workers(n)`` adds as many like machines as asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

GIBI = 1024**3
CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"
OLD_CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}
REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """``cpu`` in cores, ``memory`` and ``disk`` in bytes; ``address`` is its InternalIP. A control plane has kubeadm's taint unless it
    is given others. ``shutdown_grace`` and ``shutdown_grace_critical`` are its kubelet's shutdownGracePeriod and
    shutdownGracePeriodCriticalPods, in seconds: without them a shutdown is not announced to pods."""

    name: str
    address: str
    control_plane: bool = False
    cpu: int = 2
    memory: int = 4 * GIBI
    disk: int = 64 * GIBI
    max_pods: int = 110
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()
    shutdown_grace: float = 0.0
    shutdown_grace_critical: float = 0.0


def workers(count: int, start: int = 1, **kwargs: object) -> list[NodeSpec]:
    """``w1-k8s``, ``w2-k8s``, ... at 192.168.1.101 and on (192.168.2.x and further past 100 of them)."""
    return [NodeSpec(f"w{number}-k8s", _address(number), **kwargs) for number in range(start, start + count)]


def _address(number: int) -> str:
    if number <= 99:
        return f"192.168.1.{100 + number}"
    block, last = divmod(number - 100, 250)
    return f"192.168.{2 + block}.{1 + last}"


CONTROL_PLANE = NodeSpec("m-k8s", "192.168.1.10", control_plane=True)


def with_workers(count: int) -> list[NodeSpec]:
    """A control plane and ``count`` workers."""
    return [CONTROL_PLANE, *workers(count)]


def _in_zones(zones: tuple[str, ...], each: int) -> list[NodeSpec]:
    """A control plane in the first zone, and ``each`` workers in every one of them, in turn."""
    where = [{REGION: "kr-central", ZONE: f"kr-central-{zone}"} for zone in zones]
    spread = [replace(spec, labels=where[number % len(zones)]) for number, spec in enumerate(workers(each * len(zones)))]
    return [replace(CONTROL_PLANE, labels=where[0]), *spread]


PRESETS: dict[str, list[NodeSpec]] = {
    "default": with_workers(3),
    "one-node": [NodeSpec("m-k8s", "192.168.1.10", cpu=4, memory=8 * GIBI, labels={
        CONTROL_PLANE_ROLE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""})],
    "manager": [NodeSpec("manager", "211.183.3.100", control_plane=True, taints=(OLD_CONTROL_PLANE_TAINT,)),
                *(NodeSpec(f"worker{number}", f"211.183.3.{100 + number}") for number in (1, 2, 3))],
    "three-zones": _in_zones(("a", "b", "c"), 2),
    "hundred": with_workers(100),
}
