"""From apply to Ready: a Deployment of 1,000 replicas on 20 nodes at full speed, with every write, Event and endpoint."""

from __future__ import annotations

import argparse
import gc
import resource
import time
from statistics import median
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.machines import GIBI, with_workers
from server.cluster.machines import workers as machines


def deployment(replicas: int, name: str = "web") -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}],
                 "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    return {"metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}


def service(name: str = "web") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}


def ready(cluster: Cluster, name: str = "web") -> int:
    return ((cluster.api.lister("deployments.apps").get("default", name) or {}).get("status") or {}).get("readyReplicas", 0)


def rollout(replicas: int, nodes: int) -> dict[str, Any]:
    """One run: {seconds of wall time, virtual seconds, revisions written}. The run before is cleared away first, outside the time."""
    gc.collect()
    cluster = Cluster(seed=1, nodes=[with_workers(0)[0], *machines(nodes, cpu=16, memory=64 * GIBI)])
    kubectl = cluster.client("kubectl")
    kubectl.create("services", service())
    revision, virtual, began = cluster.store.revision, cluster.clock.now, time.perf_counter()
    kubectl.create("deployments.apps", deployment(replicas))
    if not cluster.run_until(lambda: ready(cluster) == replicas, limit=600):
        raise SystemExit(f"only {ready(cluster)} of {replicas} pods became ready")
    return {"seconds": time.perf_counter() - began, "virtual": cluster.clock.now - virtual, "revisions": cluster.store.revision - revision}


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench pods")
    parser.add_argument("--replicas", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    rounds = [rollout(options.replicas, options.nodes) for _ in range(options.rounds)]
    seconds = median(one["seconds"] for one in rounds)
    return {"replicas": options.replicas, "nodes": options.nodes, "rounds": options.rounds, "pods_per_second": round(options.replicas / seconds),
            "best": round(options.replicas / min(one["seconds"] for one in rounds)), "virtual_seconds": round(rounds[0]["virtual"], 1),
            "revisions_per_pod": round(rounds[0]["revisions"] / options.replicas, 1),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
