"""From apply to done for the other workloads, at full speed: ``statefulset``, ``daemonset``, ``job``; each is a bench of its own name."""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

from bench.pods import service
from server.cluster.cluster import Cluster
from server.cluster.machines import GIBI, with_workers, workers

TEMPLATE = {"containers": [{"name": "nginx", "image": "nginx", "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}]}
TASK = {"restartPolicy": "Never", "containers": [{"name": "task", "image": "busybox", "command": ["sh", "-c", "sleep 5"]}]}


class Workload(NamedTuple):
    """``pods`` is how many pods it comes to, ``nodes`` on how many workers; ``counted`` is the status field that reaches ``pods``."""

    resource: str
    pods: int
    nodes: int
    counted: str
    spec: Callable[[int], dict[str, Any]]


def _selecting(template: dict[str, Any]) -> dict[str, Any]:
    return {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": template}}


WORKLOADS = {
    "statefulset": Workload("statefulsets.apps", 1000, 20, "readyReplicas", lambda pods: {
        "replicas": pods, "serviceName": "web", "podManagementPolicy": "Parallel", **_selecting(TEMPLATE)}),
    "ordered": Workload("statefulsets.apps", 200, 20, "readyReplicas", lambda pods: {
        "replicas": pods, "serviceName": "web", **_selecting(TEMPLATE)}),
    "daemonset": Workload("daemonsets.apps", 1000, 1000, "numberReady", lambda _: _selecting(TEMPLATE)),
    "job": Workload("jobs.batch", 1000, 20, "succeeded", lambda pods: {
        "completions": pods, "parallelism": 100, "template": {"spec": TASK}}),
}


def once(workload: Workload, pods: int) -> dict[str, float]:
    """One run on a new cluster: {seconds of wall time, virtual seconds, revisions written}."""
    gc.collect()
    nodes = pods if workload.resource == "daemonsets.apps" else workload.nodes
    cluster = Cluster(seed=1, nodes=[with_workers(0)[0], *workers(nodes, cpu=16, memory=64 * GIBI)])
    kubectl, lister = cluster.client("kubectl"), cluster.api.lister(workload.resource)
    kubectl.create("services", service())

    def counted() -> int:
        return ((lister.get("default", "web") or {}).get("status") or {}).get(workload.counted, 0)

    revision, virtual, began = cluster.store.revision, cluster.clock.now, time.perf_counter()
    kubectl.create(workload.resource, {"metadata": {"name": "web", "namespace": "default"}, "spec": workload.spec(pods)})
    if not cluster.run_until(lambda: counted() == pods, limit=36_000):
        raise SystemExit(f"only {counted()} of {pods} pods")
    return {"seconds": time.perf_counter() - began, "virtual": cluster.clock.now - virtual, "revisions": cluster.store.revision - revision}


def run(name: str, arguments: list[str]) -> dict[str, Any]:
    workload = WORKLOADS[name]
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}")
    parser.add_argument("--pods", type=int, default=workload.pods)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    rounds = [once(workload, options.pods) for _ in range(options.rounds)]
    seconds = median(one["seconds"] for one in rounds)
    return {"pods": options.pods, "rounds": options.rounds, "pods_per_second": round(options.pods / seconds), "seconds": round(seconds, 2),
            "virtual_seconds": round(rounds[0]["virtual"], 1), "revisions_per_pod": round(rounds[0]["revisions"] / options.pods, 1),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
