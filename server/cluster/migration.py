"""Stores of earlier versions, brought up to this one when they are taken up again.

In: a store as it was written. Out: the same with what this version keeps beside it: each Node's machine (it once was the Node itself),
the data of emptyDirs on their disks (it once lay with the pod), kubeadm's DaemonSets and the machines' own manifests in the place of the
pods that stood for them. ``before`` comes ahead of all parts, ``after`` when they run.
"""

from __future__ import annotations

from typing import Any

from server.cluster import quantity
from server.cluster.kubelet import system_daemons
from server.cluster.kubelet.machine_room import MACHINE
from server.cluster.kubelet.node_status import FILE_SYSTEM, KERNEL_MEMORY
from server.cluster.kubelet.system_pods import static_manifests
from server.cluster.machines import CONTROL_PLANE_ROLE, CONTROL_PLANE_TAINT
from server.cluster.objects import Object, annotations, key, uid
from server.cluster.parts import Parts
from server.cluster.store import Cause, Store

MIRROR, DAEMON_SETS = "kubernetes.io/config.mirror", "daemonsets.apps"
CAUSE = Cause("podium", "system:podium")


def before(store: Store) -> bool:
    """Whether there was anything to do, and so will be ``after``."""
    nodes = [record.object for record in store.table("nodes").values()]
    if not nodes or store.state.items(MACHINE):
        return False
    for number, node in enumerate(sorted(nodes, key=_network)):
        store.state.set(MACHINE + node["metadata"]["name"], _machine(node, number))
    for record in list(store.table("pods").values()):
        pod = record.object
        kept = store.state.get(f"pod/{uid(pod)}")
        if MIRROR in annotations(pod):
            store.state.set(f"pod/{uid(pod)}", None)
            store.delete("pods", key(pod), CAUSE)
        elif kept is not None and "volumes" in kept:
            for volume, files in kept["volumes"].items():
                for path, text in files.items():
                    store.state.set(f"disk/pod/{uid(pod)}/{volume}\0/{path.lstrip('/')}", text)
            store.state.set(f"pod/{uid(pod)}", {field: value for field, value in kept.items() if field != "volumes"})
    return True


def after(parts: Parts, kubelets: Any) -> None:
    """What kubeadm's own pods are made of from now on."""
    kubeadm = parts.client("kubeadm", "kubernetes-admin")
    for node in parts.api.lister("nodes").list():
        for manifest in static_manifests(node):
            kubelets.static.put(node["metadata"]["name"], manifest)
    if parts.api.lister("configmaps").get("kube-system", "kube-proxy") is None:
        kubeadm.create("configmaps", system_daemons.config_map())
    for daemon_set in system_daemons.daemon_sets():
        if parts.api.lister(DAEMON_SETS).get(*key(daemon_set)) is None:
            kubeadm.create(DAEMON_SETS, daemon_set)


def _network(node: Object) -> tuple[int, ...]:
    return tuple(int(part) for part in (node["spec"].get("podCIDR") or "10.244.0.0/24").partition("/")[0].split("."))


def _machine(node: Object, number: int) -> dict[str, Any]:
    meta, status = node["metadata"], node["status"]
    has, labels = status["capacity"], meta.get("labels") or {}
    taints = node["spec"].get("taints") or []
    first = _network(node)
    index = (first[1] - 244) * 256 + first[2] if 244 <= first[1] < 256 else number
    address = next((entry["address"] for entry in status["addresses"] if entry["type"] == "InternalIP"), f"192.168.250.{number % 250 + 1}")
    return {"name": meta["name"], "address": address, "control_plane": CONTROL_PLANE_TAINT in taints and CONTROL_PLANE_ROLE in labels,
            "cpu": quantity.value(has["cpu"]), "memory": quantity.value(has["memory"]) + KERNEL_MEMORY,
            "disk": round(quantity.value(has["ephemeral-storage"]) / FILE_SYSTEM), "max_pods": quantity.value(has["pods"]),
            "labels": {name: labels[name] for name in labels if not name.startswith(("beta.", "kubernetes.io/"))}, "taints": [], "index": index}
