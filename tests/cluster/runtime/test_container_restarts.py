"""Whole clusters put down as data and taken up again, at any moment and in the middle of an instant: what runs in containers goes on as if
nothing had been."""

from __future__ import annotations

import json

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers


def _restarted(cluster: Cluster) -> Cluster:
    return Cluster.restore(json.loads(json.dumps(cluster.snapshot())))


def _one(script: str, seconds: float) -> Cluster:
    cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
    cluster.client().create("pods", {"metadata": {"name": "p", "namespace": "default"}, "spec": {
        "restartPolicy": "Never", "volumes": [{"name": "data", "emptyDir": {}}], "containers": [
            {"name": "c", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}})
    cluster.clock.run_for(seconds)
    return cluster


def _said(cluster: Cluster) -> list[str]:
    return [line.text for line in cluster.kubelets.runtime.logs("default", "p", "c")]


@pytest.mark.parametrize("script", [
    "echo a > /data/a; for i in 1 2 3; do echo $i >> /data/a; sleep 1; done; cat /data/a",
    "trap 'echo usr' USR1; for i in 1 2 3; do kill -USR1 $$$$; sleep 1; done", "(trap 'echo term; exit' TERM; while true; do sleep 1; done) & "
    "sleep 2.5; kill $!; wait; echo over", "for i in 1 2 3; do echo $i; sleep 1; done | tee /data/b; cat /data/b",
    "for i in 1 2 3 4; do echo n$i; sleep 1; done | grep -v 4; echo $?"])
def test_a_restart_between_steps_of_the_clock_loses_nothing_and_does_nothing_twice(script) -> None:
    whole = _one(script, 20)
    cluster = _one(script, 1)
    for number in range(60):
        cluster.clock.step()
        if number % 3 == 0:
            cluster = _restarted(cluster)
    cluster.clock.run_until(whole.clock.now)
    assert _said(cluster) == _said(whole) and len(_said(whole)) >= 2


@pytest.mark.parametrize("filter_", ["cat", "grep -v x", "tr a b", "cut -c 1-200", "sed s/a/b/", "awk '{print $1}'", "tee /data/t"])
def test_a_filter_that_has_read_much_keeps_little_and_goes_on(filter_) -> None:
    line = "a" * 100
    script = f"for i in $(seq 1 1000); do echo {line}$i; done | {filter_}; sleep 1000"
    live = f"while true; do for i in $(seq 1 200); do echo {line}$i; done; sleep 1; done | {filter_} | tail -n 1 > /dev/null"
    cluster = _one(live, 12)
    kept = len(json.dumps(cluster.kubelets.runtime.container("default", "p", "c").dump()))
    assert kept < 40_000
    whole, parts = _one(script, 30), _one(script, 2)
    for _ in range(5):
        parts.clock.run_for(0.3)
        parts.clock.step()
        parts = _restarted(parts)
    parts.clock.run_until(whole.clock.now)
    assert _said(parts) == _said(whole)
