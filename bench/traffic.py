"""Traffic: how many single requests are walked in a second of CPU, and what a flow costs per virtual second at several rates.

A flow's price must not follow its rate: 10 and 1,000,000 requests a second over the same pods cost the same.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

from bench.pods import deployment, ready
from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers

SLOW, FAST = 10.0, 1_000_000.0


def cluster_with(replicas: int, nodes: int) -> Cluster:
    """A Deployment of nginx behind a Service with a node port, and a pod to ask from."""
    cluster = Cluster(seed=1, nodes=with_workers(nodes))
    kubectl = cluster.client("kubectl")
    kubectl.create("deployments.apps", deployment(replicas))
    kubectl.create("services", {"metadata": {"name": "front", "namespace": "default"}, "spec": {
        "type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]}})
    kubectl.create("pods", {"metadata": {"name": "client", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
    if not cluster.run_until(lambda: ready(cluster) == replicas, limit=3600):
        raise SystemExit(f"only {ready(cluster)} pods became ready")
    cluster.clock.run_for(60)
    return cluster


def walks_per_second(cluster: Cluster, requests: int) -> tuple[float, int]:
    """Requests by name from a pod: DNS, kube-proxy, policies, the container's answer."""
    reach = cluster.network.of_pod(("default", "client"))
    began = time.process_time()
    answered = sum(reach.request("front", 80).ok for _ in range(requests))
    return requests / (time.process_time() - began), answered


def flow(cluster: Cluster, rate: float, virtual: float) -> tuple[float, float]:
    """(CPU microseconds per virtual second, requests counted) of one source."""
    traffic = cluster.network.traffic
    name = traffic.aim("default/front", 80, rate)
    cluster.clock.run_for(5)
    before, cpu = sum(way["count"] for way in traffic.counts(name)), time.process_time()
    cluster.clock.run_for(virtual)
    spent = time.process_time() - cpu
    counted = sum(way["count"] for way in traffic.counts(name)) - before
    traffic.aim("default/front", 80, 0)
    cluster.clock.run_for(5)
    return spent / virtual * 1e6, counted


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench traffic")
    parser.add_argument("--replicas", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--virtual", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    cluster = cluster_with(options.replicas, options.nodes)
    walked, answered = walks_per_second(cluster, options.requests)
    rounds = [(flow(cluster, SLOW, options.virtual), flow(cluster, FAST, options.virtual)) for _ in range(options.rounds)]
    slow, fast = median(slow[0] for slow, _ in rounds), median(fast[0] for _, fast in rounds)
    return {"pods": options.replicas, "nodes": options.nodes, "walks_per_second": round(walked), "answered": answered,
            "flow_10_us_per_virtual_second": round(slow, 1), "flow_1000000_us_per_virtual_second": round(fast, 1),
            "ratio": round(fast / slow, 2), "counted_10": round(rounds[0][0][1]), "counted_1000000": round(rounds[0][1][1])}
