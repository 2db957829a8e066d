"""The scheduler alone: 10,000 waiting pods on 1,000 nodes in three zones, with affinity and spread in a share of them; pods per second.

API server, store and scheduler are real, with every binding and Event written; there are no kubelets and no controllers. Half of the pods
ask for resources only, the rest also for what ``KINDS`` says. They are created before the time begins.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from statistics import median
from typing import Any

from server.cluster.apiserver.server import ApiServer
from server.cluster.clock import Clock
from server.cluster.objects import Object
from server.cluster.parts import Parts
from server.cluster.scheduler.scheduler import Scheduler
from server.cluster.store import Store

ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
TEMPLATES = 20


def _spread(labels: dict[str, str], when: str) -> Object:
    return {"topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": labels}}]}


def _near(labels: dict[str, str], field: str) -> Object:
    return {"affinity": {field: {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": labels}, "topologyKey": ZONE if field == "podAffinity" else HOSTNAME}]}}}


def _liked_zone(_: dict[str, str]) -> Object:
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 10, "preference": {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-b"]}]}}]}}}


KINDS = (  # of every ten templates
    *[lambda labels: {}] * 5,
    lambda labels: _spread(labels, "DoNotSchedule"),
    lambda labels: _spread(labels, "ScheduleAnyway"),
    lambda labels: _near(labels, "podAntiAffinity"),
    lambda labels: _near(labels, "podAffinity"),
    _liked_zone,
)


def plane(nodes: int, pods: int) -> tuple[Clock, ApiServer, Scheduler]:
    """A control plane whose scheduler has not begun, with its nodes and waiting pods."""
    clock, store, chance = Clock(), Store(), random.Random(1)
    api = ApiServer(clock, store, chance)
    parts = Parts(clock, api, chance, store.state)
    client = parts.client("kubectl", "kubernetes-admin")
    client.create("namespaces", {"metadata": {"name": "default"}})
    client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    amounts = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "64Gi"}
    for number in range(nodes):
        name = f"node-{number}"
        node = client.create("nodes", {"metadata": {"name": name, "labels": {HOSTNAME: name, ZONE: f"zone-{'abc'[number % 3]}"}}})
        client.update("nodes", {**node, "status": {"capacity": amounts, "allocatable": amounts}}, "status")
    templates = []
    for number in range(TEMPLATES):
        labels = {"app": f"app-{number}"}
        container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": f"{100 + 10 * number}m", "memory": "256Mi"}}}
        templates.append((labels, {"containers": [container], **KINDS[number % len(KINDS)](labels)}))
    for number in range(pods):
        labels, spec = templates[number % TEMPLATES]
        client.create("pods", {"metadata": {"name": f"pod-{number}", "namespace": "default", "labels": labels}, "spec": spec})
    return clock, api, Scheduler(parts)


def once(nodes: int, pods: int) -> tuple[float, float]:
    """Seconds, of the wall and of this process, from the scheduler's start until every pod has its node."""
    clock, api, scheduler = plane(nodes, pods)
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    scheduler.start()
    clock.run_for(pods * 0.01)
    seconds = time.perf_counter() - began, time.process_time() - cpu
    waiting = sum("nodeName" not in pod["spec"] for pod in api.lister("pods").list())
    if waiting:
        raise SystemExit(f"{waiting} of {pods} pods were not scheduled")
    return seconds


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench sched")
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    rounds = [once(options.nodes, options.pods) for _ in range(options.rounds)]
    wall, cpu = zip(*rounds, strict=True)
    return {"pods": options.pods, "nodes": options.nodes, "rounds": options.rounds, "pods_per_second": round(options.pods / median(wall)),
            "best": round(options.pods / min(wall)), "pods_per_cpu_second": round(options.pods / median(cpu)),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
