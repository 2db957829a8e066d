"""What a node's conditions mean for its taints: tables, and the few rules that read them.

A condition that has turned bad keeps new pods away by a NoSchedule taint; not being ready, or not being heard of, also sends pods
away by a NoExecute taint.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from __future__ import annotations

from server.cluster.objects import Object, condition

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"

# (condition, status): key of the NoSchedule taint
CONDITION_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
KUBELET_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
NO_EXECUTE_KEYS = {"False": NOT_READY, "Unknown": UNREACHABLE}
ZONE_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
UNHEALTHY_ZONE = 0.55
LARGE_CLUSTER = 50
NORMAL, PARTIAL, FULL = "Normal", "PartialDisruption", "FullDisruption"


def readiness(node: Object) -> str:
    """``True``, ``False`` or ``Unknown``; a node that never said anything is Unknown."""
    entry = condition(node, "Ready")
    return entry["status"] if entry is not None else "Unknown"


def scheduling_taints(node: Object) -> list[str]:
    """Keys of the NoSchedule taints that a node should have for its conditions and for being cordoned."""
    found = [CONDITION_TAINTS[entry["type"], entry["status"]] for entry in (node.get("status") or {}).get("conditions") or ()
             if (entry["type"], entry["status"]) in CONDITION_TAINTS]
    return [*found, UNSCHEDULABLE] if node["spec"].get("unschedulable") else found


def swapped(taints: list[Object], effect: str, managed: tuple[str, ...], wanted: list[str], now: str) -> list[Object]:
    """``taints`` with exactly ``wanted`` of the ``managed`` keys in that effect; those that stay keep their place and time."""
    kept = [taint for taint in taints if taint.get("effect") != effect or taint["key"] not in managed or taint["key"] in wanted]
    there = {taint["key"] for taint in kept if taint.get("effect") == effect}
    return [*kept, *({"key": key, "effect": effect, "timeAdded": now} for key in wanted if key not in there)]


def zone(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    return ":".join(labels.get(label, "") for label in ZONE_LABELS)


def zone_state(down: int, total: int) -> str:
    """How bad it is: all down, so many down that it is more likely the network, or nothing out of the ordinary.

    >>> zone_state(1, 4), zone_state(3, 4), zone_state(4, 4), zone_state(0, 0)
    ('Normal', 'PartialDisruption', 'FullDisruption', 'Normal')
    """
    if down and down == total:
        return FULL
    return PARTIAL if down > 2 and down / total >= UNHEALTHY_ZONE else NORMAL


class Zones:
    """How many nodes of each zone there are and which are down, kept up node by node."""

    def __init__(self) -> None:
        self._zone_of: dict[str, str] = {}
        self._total: dict[str, int] = {}
        self._down: dict[str, dict[str, None]] = {}

    def put(self, node: Object) -> None:
        self.remove(node)
        name, where = node["metadata"]["name"], zone(node)
        self._zone_of[name] = where
        self._total[where] = self._total.get(where, 0) + 1
        if readiness(node) != "True":
            self._down.setdefault(where, {})[name] = None

    def remove(self, node: Object) -> None:
        name = node["metadata"]["name"]
        where = self._zone_of.pop(name, None)
        if where is not None:
            self._total[where] -= 1
            self._down.get(where, {}).pop(name, None)
            if not self._total[where]:
                del self._total[where]

    def states(self) -> dict[str, str]:
        return {where: zone_state(len(self._down.get(where, ())), total) for where, total in self._total.items()}

    def size(self, where: str) -> int:
        return self._total.get(where, 0)

    def down(self) -> list[str]:
        return sorted(name for names in self._down.values() for name in names)

    def all_down(self) -> bool:
        return all(state == FULL for state in self.states().values())


def seconds_between_evictions(state: str, nodes_in_zone: int) -> float | None:
    """How long after one node's pods are sent away the next one's may be; None for not at all."""
    if state != PARTIAL:
        return 10.0
    return 100.0 if nodes_in_zone > LARGE_CLUSTER else None
