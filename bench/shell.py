"""The price of containers' own processes: scripts run, and misbehaved programs that go on for ever.

``scripts``: small scripts with a pipe, run one after the other (per CPU second). ``sleepers``: many containers in a loop that sleeps.
``abuse``: for each way to misbehave, CPU per virtual second of one container that does, and the longest that the clock stood still.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from server.cluster.cluster import Cluster
from server.cluster.machines import GIBI, with_workers, workers
from server.cluster.runtime.session import Session

SCRIPT = "for i in 1 2 3 4 5; do echo $i; done | grep -c 3"
ABUSE = {
    "endless_loop": "while true; do :; done",
    "counting_loop": "i=0; while true; do i=$((i+1)); done",
    "fork_bomb": "b() { b | b & }; b; while true; do b; done",
    "log_flood": "while true; do echo a line of some forty characters, or so; done",
    "gigabyte": "while true; do dd if=/dev/zero of=/big bs=1M count=1024 2>/dev/null; rm /big; done",
    "pipe_flood": "yes | cat > /dev/null",
    "endless_string": "a=x; while true; do a=$a$a; done",
}


def _pod(name: str, script: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", script]}]}}


def _cluster(nodes: int = 1) -> Cluster:
    cluster = Cluster(seed=1, nodes=[with_workers(0)[0], *workers(nodes, cpu=64, memory=256 * GIBI)])
    cluster.clock.run_for(60)
    return cluster


def _scripts(count: int) -> float:
    cluster = _cluster()
    cluster.client("kubectl").create("pods", _pod("box", "sleep 86400"))
    cluster.clock.run_for(30)
    container = cluster.kubelets.runtime.container("default", "box", "c")
    began = time.process_time()
    for _ in range(count):
        session = Session()
        container.execute(["sh", "-c", SCRIPT], session)
        while session.exit_code is None:
            cluster.clock.step()
    return count / (time.process_time() - began)


def _sleepers(count: int, virtual: float) -> float:
    cluster = _cluster(max(1, count // 100))
    client = cluster.client("kubectl")
    for number in range(count):
        client.create("pods", _pod(f"sleeper-{number}", "while true; do date > /tmp/now; sleep 10; done"))
    cluster.clock.run_for(120)
    began = time.process_time()
    cluster.clock.run_for(virtual)
    return (time.process_time() - began) / (count * virtual / 10) * 1e6


def _abuse(script: str, virtual: int) -> dict[str, float]:
    cluster = _cluster()
    cluster.client("kubectl").create("pods", _pod("abuse", script))
    cluster.clock.run_for(30)
    began, longest = time.process_time(), 0.0
    for _ in range(virtual):
        one = time.perf_counter()
        cluster.clock.run_for(1)
        longest = max(longest, time.perf_counter() - one)
    return {"cpu_ms_per_virtual_second": round((time.process_time() - began) / virtual * 1000, 2), "longest_ms": round(longest * 1000, 1)}


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench shell")
    parser.add_argument("--scripts", type=int, default=500)
    parser.add_argument("--sleepers", type=int, default=200)
    parser.add_argument("--virtual", type=int, default=120)
    options = parser.parse_args(arguments)
    return {"scripts_per_cpu_second": round(_scripts(options.scripts)),
            "us_per_round_of_a_sleeping_loop": round(_sleepers(options.sleepers, options.virtual), 1),
            "abuse": {name: _abuse(script, options.virtual) for name, script in ABUSE.items()}}
