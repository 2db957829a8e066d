"""What the canvas shows of a pod that one is near to and the scene does not tell: every container of it with its probes' last answers, its
environment's size, ports, mounts and resources, and what its volumes are. Pods of the view are asked for, a bounded number at once.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.kubelet.cell import Cell
from server.cluster.kubelet.pod_worker import PodWorker
from server.cluster.kubelet.probes import Probe, probes_of
from server.cluster.objects import Object
from server.cluster.quantity import parse
from server.live.records import Record, compact

MAX_PODS, MAX_CONTAINERS, MAX_LISTED = 60, 20, 12
FIELDS = (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses"), ("ephemeralContainers", "ephemeralContainerStatuses"))
SORTS = {"initContainers": "init", "containers": "container", "ephemeralContainers": "ephemeral"}


def near(cluster: Cluster, things: Iterable[str]) -> dict[str, Record]:
    """By thing id (Pod/namespace/name), of those that are there; of the first ``MAX_PODS`` at most."""
    told = {}
    for thing in list(things)[:MAX_PODS]:
        kind, _, rest = thing.partition("/")
        namespace, _, name = rest.partition("/")
        obj = cluster.api.lister("pods").get(namespace, name) if kind == "Pod" else None
        if obj is not None:
            told[thing] = _pod(cluster, obj)
    return told


def _pod(cluster: Cluster, obj: Object) -> Record:
    spec, status, meta = obj["spec"], obj.get("status") or {}, obj["metadata"]
    worker = cluster.kubelets.worker(meta["namespace"], meta["name"])
    cells = {cell.name: cell for cell in worker.cells()} if worker is not None else {}
    containers = []
    for field, statuses in FIELDS:
        shown = {entry["name"]: entry for entry in status.get(statuses) or ()}
        for one in spec.get(field) or ():
            kind = "sidecar" if field == "initContainers" and one.get("restartPolicy") == "Always" else SORTS[field]
            containers.append(_container(one, kind, shown.get(one["name"]) or {}, worker, cells.get(one["name"])))
    volumes = [_volume(one) for one in spec.get("volumes") or () if not one["name"].startswith("kube-api-access-")]
    return {"containers": containers[:MAX_CONTAINERS], "volumes": volumes[:MAX_LISTED]}


def _container(spec: Object, kind: str, status: Object, worker: PodWorker | None, cell: Cell | None) -> Record:
    state = next(iter(status.get("state") or {"waiting": {}}))
    detail = (status.get("state") or {}).get(state) or {}
    resources = spec.get("resources") or {}
    mounts = [mount for mount in spec.get("volumeMounts") or () if not mount["mountPath"].startswith("/var/run/secrets/kubernetes.io/")]
    return compact({
        "name": spec["name"], "kind": kind, "image": spec.get("image", ""), "state": state, "reason": detail.get("reason"),
        "exit": detail.get("exitCode"), "ready": bool(status.get("ready")), "restarts": status.get("restartCount", 0),
        "env": len(spec.get("env") or ()) + len(spec.get("envFrom") or ()),
        "ports": [_port(port) for port in (spec.get("ports") or ())[:MAX_LISTED]],
        "mounts": [f"{mount['mountPath']} ← {mount['name']}{' (ro)' if mount.get('readOnly') else ''}" for mount in mounts[:MAX_LISTED]],
        "requests": _amounts(resources.get("requests") or {}), "limits": _amounts(resources.get("limits") or {}),
        "probes": [_probe(probe, worker, cell) for probe in probes_of(spec)],
    })


def _port(port: Object) -> str:
    name = f"{port['name']}:" if port.get("name") else ""
    protocol = port.get("protocol", "TCP")
    return f"{name}{port['containerPort']}{'' if protocol == 'TCP' else '/' + protocol}"


def _amounts(given: dict[str, Any]) -> Record:
    cpu, memory = given.get("cpu"), given.get("memory")
    return compact({"cpu": parse(cpu).milli() if cpu is not None else None, "memory": parse(memory).value() if memory is not None else None})


def _probe(probe: Probe, worker: PodWorker | None, cell: Cell | None) -> Record:
    """``ok`` is the last answer, null before the first; ``failures`` in a row, of as many as count."""
    told: Record = {"kind": probe.kind, "how": probe.how, "ok": None, "failures": 0, "of": probe.failures}
    if worker is None or cell is None or not cell.running:
        return told
    if probe.kind in cell.counts:
        _, failures = cell.counts[probe.kind]
        return {**told, "ok": not failures, "failures": failures}
    waits = f"probe:{probe.kind}:{cell.name}" in worker.due or (probe.kind != "startup" and not cell.started)
    return told if waits else {**told, "ok": True}


def _volume(volume: Object) -> str:
    """What it is and of what: ``data: pvc web-0``."""
    source = next((name for name in volume if name != "name"), "emptyDir")
    detail = volume.get(source) or {}
    name = detail.get("claimName") or detail.get("name") or detail.get("secretName") or detail.get("path") or ""
    sort = {"persistentVolumeClaim": "pvc"}.get(source, source)
    return f"{volume['name']}: {sort} {name}".rstrip()
