"""The machines that somebody asks for in JSON, checked: for a new room, and one by one for a room that is there.

In: a preset, a number or a list of machines; acts like ``{"op": "resize", "name": "w1-k8s", "cpu": 4}``. Out: ``NodeSpec`` values, and
what is done to the room's cluster. RoomError says what is wrong with a wish.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import Any

from server.cluster import names
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.cluster.machines import PRESETS, NodeSpec, with_workers, workers
from server.rooms.room import RoomError

UNITS = {"": 1, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}
MOST_LABELS, MOST_CORES, MOST_PODS, LONGEST_GRACE = 50, 1024, 10_000, 3600
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?")
FIELDS = ("name", "cpu", "memory", "disk", "pods", "labels", "control_plane", "shutdownGracePeriod", "shutdownGracePeriodCriticalPods")


def wanted(preset: str, nodes: Any, most: int) -> list[NodeSpec]:
    """The machines of a new room: a preset, or a number of workers, or a list of machines."""
    if nodes is None:
        if preset and preset not in PRESETS:
            raise RoomError(f"unknown preset {preset!r}; there are: {', '.join(PRESETS)}")
        return PRESETS[preset or "default"]
    if isinstance(nodes, int) and not isinstance(nodes, bool):
        if not 0 < nodes <= most:
            raise RoomError(f"nodes must be from 1 to {most}")
        return with_workers(nodes)
    if not isinstance(nodes, list) or not nodes or len(nodes) > most:
        raise RoomError(f"nodes must be a number or a list of at most {most} machines")
    specs = [machine(default, entry) for default, entry in zip(with_workers(len(nodes))[1:], nodes, strict=True)]
    if len({spec.name for spec in specs}) != len(specs):
        raise RoomError("two nodes have the same name")
    return specs


def machine(default: NodeSpec, entry: Any) -> NodeSpec:
    """``default`` with what ``entry`` says instead."""
    if not isinstance(entry, dict) or not set(entry) <= set(FIELDS):
        raise RoomError(f"a node is an object with any of: {', '.join(FIELDS)}")
    name, labels = entry.get("name", default.name), entry.get("labels", default.labels)
    if not isinstance(name, str) or not NAME.fullmatch(name) or names.subdomain(name):
        raise RoomError(f"{name!r} is no node name")
    if not isinstance(labels, dict) or len(labels) > MOST_LABELS or not all(isinstance(value, str) for value in labels.values()):
        raise RoomError(f"labels must be an object of at most {MOST_LABELS} strings")
    for fault in (fault for key, value in labels.items() for fault in (*names.qualified_name(key), *names.label_value(value))):
        raise RoomError(f"labels: {fault}")
    return replace(default, name=name, labels=labels, control_plane=bool(entry.get("control_plane", default.control_plane)), **sizes(entry))


def sizes(entry: dict[str, Any]) -> dict[str, Any]:
    """What ``entry`` says of a machine's size and of its kubelet's settings."""
    found: dict[str, Any] = {}
    if "cpu" in entry:
        found["cpu"] = _whole("cpu", entry["cpu"], 1, MOST_CORES, "cores")
    if "pods" in entry:
        found["max_pods"] = _whole("pods", entry["pods"], 1, MOST_PODS, "pods")
    if "memory" in entry:
        found["memory"] = _bytes("memory", entry["memory"], "64Mi", "64Ti")
    if "disk" in entry:
        found["disk"] = _bytes("disk", entry["disk"], "8Gi", "1024Ti")
    for field, name in (("shutdown_grace", "shutdownGracePeriod"), ("shutdown_grace_critical", "shutdownGracePeriodCriticalPods")):
        if name in entry:
            found[field] = float(_whole(name, entry[name], 0, LONGEST_GRACE, "seconds"))
    if found.get("shutdown_grace_critical", 0) > found.get("shutdown_grace", LONGEST_GRACE):
        raise RoomError("shutdownGracePeriodCriticalPods is a part of shutdownGracePeriod and cannot be longer")
    return found


def _whole(name: str, value: Any, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RoomError(f"{name} must be a whole number of {what} from {least} to {most}")
    return value


def _bytes(name: str, value: Any, least: str, most: str) -> int:
    size = _size(value)
    if size is None or not _size(least) <= size <= _size(most):
        raise RoomError(f"{name} must be a number of bytes, or one with Ki, Mi, Gi or Ti, from {least} to {most}")
    return size


def _size(value: Any) -> int | None:
    match = re.fullmatch(r"(\d{1,15})(Ki|Mi|Gi|Ti)?", str(value)[:20])
    return int(match[1]) * UNITS[match[2] or ""] if match else None


# in a room that is there


def shown(cluster: Cluster) -> list[dict[str, Any]]:
    """Every machine: its size, and how it stands."""
    return [{"name": spec.name, "address": spec.address, "cpu": spec.cpu, "memory": spec.memory, "disk": spec.disk, "pods": spec.max_pods,
             "control_plane": spec.control_plane, "shutdownGracePeriod": spec.shutdown_grace,
             "shutdownGracePeriodCriticalPods": spec.shutdown_grace_critical, **cluster.kubelets.standing(spec.name)}
            for spec in (kubelet.spec for kubelet in cluster.kubelets.nodes.values())]


def act(cluster: Cluster, data: dict[str, Any], most: int, by: str = "") -> dict[str, Any]:
    """Does what ``data`` says: adds a machine, removes, resizes or switches one."""
    op = data.get("op", "add")
    if not isinstance(op, str) or op not in OPS:
        raise RoomError(f"op must be one of: {', '.join(OPS)}")
    entry = {name: value for name, value in data.items() if name not in ("op", "by")}
    try:
        return OPS[op](cluster, entry, most, by)
    except ValueError as error:
        raise RoomError(str(error)) from None
    except ApiError as error:
        raise RoomError(error.message, error.code) from None


def _add(cluster: Cluster, entry: dict[str, Any], most: int, by: str) -> dict[str, Any]:
    if len(cluster.kubelets.nodes) >= most:
        raise RoomError(f"a room has at most {most} nodes")
    if entry.get("control_plane"):
        raise RoomError("a control plane cannot be joined later")
    spec = machine(_next(cluster), entry)
    identity = cluster.chaos.note("add-node", f"Node//{spec.name}", by)["id"]
    cluster.kubelets.add_node(spec, identity)
    return {"name": spec.name, "id": identity}


def _next(cluster: Cluster) -> NodeSpec:
    """The next worker in the manner of those that are there."""
    machines = cluster.kubelets.nodes
    taken = {kubelet.address for kubelet in machines.values()}
    pattern = PRESETS["manager"][1] if "manager" in machines else None

    def numbered(number: int) -> NodeSpec:
        if pattern is None:
            return workers(1, number)[0]
        return replace(pattern, name=f"worker{number}", address=f"211.183.{3 + number // 150}.{100 + number % 150}")

    return next(spec for spec in map(numbered, count(1)) if spec.name not in machines and spec.address not in taken
                and cluster.api.lister("nodes").get("", spec.name) is None)


def _named(cluster: Cluster, entry: dict[str, Any]) -> str:
    name = entry.pop("name", None)
    if not isinstance(name, str) or name not in cluster.kubelets.nodes:
        raise RoomError(f"there is no machine {name!r}", 404)
    return name


def _remove(cluster: Cluster, entry: dict[str, Any], most: int, by: str) -> dict[str, Any]:
    """The machine goes; so does its Node, unless it is to be left for others to find out."""
    name, keep = _named(cluster, entry), entry.pop("keep_object", False)
    _nothing_else(entry)
    cluster.kubelets.remove_node(name)
    record = cluster.chaos.note("remove-node", f"Node//{name}", by)
    cluster.chaos.forget(f"Node//{name}")
    if keep is not True and cluster.api.lister("nodes").get("", name) is not None:
        cluster.chaos.client.because = record["id"]
        cluster.chaos.client.delete("nodes", "", name)
    return {"name": name, "id": record["id"]}


def _resize(cluster: Cluster, entry: dict[str, Any], most: int, by: str) -> dict[str, Any]:
    name = _named(cluster, entry)
    unknown = [field for field in entry if field not in FIELDS or field in ("labels", "control_plane")]
    if unknown or not entry:
        raise RoomError("resize takes any of: cpu, memory, disk, pods, shutdownGracePeriod, shutdownGracePeriodCriticalPods")
    record = cluster.chaos.note("resize-node", f"Node//{name}", by, entry)
    cluster.kubelets.resize(name, record["id"], **sizes(entry))
    return {"name": name, "id": record["id"]}


def _power(cluster: Cluster, entry: dict[str, Any], most: int, by: str) -> dict[str, Any]:
    name, on = _named(cluster, entry), entry.pop("on", None)
    _nothing_else(entry)
    if not isinstance(on, bool):
        raise RoomError("on must be true or false")
    if not on:
        return {"name": name, "id": cluster.chaos.inject("power", name, by)["id"]}
    record = cluster.chaos.note("power-on", f"Node//{name}", by)
    cluster.chaos.heal_on(f"Node//{name}", "power", "shutdown", by=by)
    cluster.kubelets.power_on(name, record["id"])
    return {"name": name, "id": record["id"]}


def _shutdown(cluster: Cluster, entry: dict[str, Any], most: int, by: str) -> dict[str, Any]:
    name = _named(cluster, entry)
    _nothing_else(entry)
    return {"name": name, "id": cluster.chaos.inject("shutdown", name, by)["id"]}


def _nothing_else(entry: dict[str, Any]) -> None:
    if entry:
        raise RoomError(f"this takes no {next(iter(entry))!r}")


OPS = {"add": _add, "remove": _remove, "resize": _resize, "power": _power, "shutdown": _shutdown}
