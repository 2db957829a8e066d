"""The price of doing nothing: 1,000 nodes and 10,000 ready pods, CPU per virtual second."""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

from bench.pods import deployment, ready
from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench idle")
    parser.add_argument("--replicas", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--virtual", type=float, default=1800.0)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    cluster = Cluster(seed=1, nodes=with_workers(options.nodes))
    built = time.perf_counter() - began
    began = time.perf_counter()
    cluster.client("kubectl").create("deployments.apps", deployment(options.replicas))
    if not cluster.run_until(lambda: ready(cluster) == options.replicas, limit=3600):
        raise SystemExit(f"only {ready(cluster)} pods became ready")
    filled = time.perf_counter() - began
    cluster.clock.run_for(120)
    revision, cpu = cluster.store.revision, time.process_time()
    cluster.clock.run_for(options.virtual)
    spent = time.process_time() - cpu
    return {"nodes": options.nodes, "pods": options.replicas, "build_seconds": round(built, 2), "fill_seconds": round(filled, 2),
            "virtual_seconds": options.virtual, "cpu_us_per_virtual_second": round(spent / options.virtual * 1e6, 2),
            "revisions_while_idle": cluster.store.revision - revision,
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
