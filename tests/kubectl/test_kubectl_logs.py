"""kubectl logs: what is told when a log is not there yet, and several logs at once (checked against the real client)."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: multi, labels: {app: multi}}
spec:
  initContainers: [{name: init, image: busybox, command: [sh, -c, echo ready]}]
  containers:
  - {name: a, image: busybox, command: [sh, -c, "for i in 1 2 3; do echo a$i; sleep 4; done; sleep 9999"]}
  - {name: b, image: busybox, command: [sh, -c, "for i in 1 2; do sleep 6; echo b$i; done; sleep 9999"]}
---
apiVersion: v1
kind: Pod
metadata: {name: bad, labels: {app: bad}}
spec: {containers: [{name: bad, image: "nosuch:1"}, {name: good, image: busybox, command: [sh, -c, "echo fine; sleep 9999"]}]}
"""
WAITING = 'container "bad" in pod "bad" is waiting to start: trying and failing to pull image'


@pytest.fixture
def desk() -> Desk:
    made = Desk(Cluster(seed=8), {"pods.yaml": PODS})
    assert made.run("kubectl apply -f pods.yaml").code == 0
    return made


def test_what_cannot_be_followed_yet_is_asked_for_again(desk: Desk) -> None:
    desk.cluster.clock.run_for(16)
    result = desk.run("kubectl logs bad -c bad -f --pod-running-timeout=3s")
    assert (result.stdout, result.code) == ("", 1)
    assert result.stderr == f"{WAITING}\n" * 4 + "error: context deadline exceeded\n"


def test_a_container_that_is_still_being_made_is_waited_for(desk: Desk) -> None:
    desk.run("kubectl run late --image=redis")
    seat = desk.sit("kubectl logs -f late")
    seat.settle(10)
    assert 'container "late" in pod "late" is waiting to start: ContainerCreating\n' in seat.screen
    assert "Ready to accept connections" in seat.screen


def test_errors_may_be_ignored(desk: Desk) -> None:
    desk.cluster.clock.run_for(16)
    for flags in ("", "-f "):
        seat = desk.sit(f"kubectl logs bad {flags}--all-containers --ignore-errors --prefix")
        assert seat.screen == f"error: {WAITING}\n[pod/bad/good] fine\n"
    result = desk.run("kubectl logs bad --all-containers")
    assert (result.stdout, result.stderr, result.code) == ("", f"Error from server (BadRequest): {WAITING}\n", 1)


def test_several_containers_are_followed_together(desk: Desk) -> None:
    seat = desk.sit("kubectl logs -f multi --all-containers --prefix --ignore-errors --pod-running-timeout=60s")
    assert "error: " in seat.screen
    desk.cluster.clock.run_for(30)
    lines = desk.sit("kubectl logs -f multi --all-containers --prefix").screen.splitlines()
    assert sorted(lines) == [f"[pod/multi/{line}" for line in ("a] a1", "a] a2", "a] a3", "b] b1", "b] b2", "init] ready")]


def test_lines_come_in_the_order_in_which_they_are_printed(desk: Desk) -> None:
    desk.cluster.clock.run_for(4)
    seat = desk.sit("kubectl logs -f -l app=multi --all-containers --prefix")
    seat.settle(20)
    later = [line.rpartition(" ")[2] for line in seat.screen.splitlines() if line.rpartition(" ")[2] in ("a2", "b1", "a3", "b2")]
    assert later == ["a2", "b1", "a3", "b2"]
    seat.type("\x03")
    assert seat.code == 130


def test_too_many_logs_at_once(desk: Desk) -> None:
    desk.run("kubectl create deploy d --image=nginx --replicas=6")
    desk.cluster.clock.run_for(8)
    told = "error: you are attempting to follow 6 log streams, but maximum allowed concurrency is 5, use --max-log-requests to increase the limit\n"
    assert desk.run("kubectl logs -f -l app=d").stderr == told
    assert desk.sit("kubectl logs -f -l app=d --max-log-requests=6 --tail=1").code is None
    assert desk.run("kubectl logs deploy/d --tail=1").stderr.startswith("Found 6 pods, using pod/d-")
    assert len(desk.run("kubectl logs deploy/d --all-pods --tail=1").stdout.splitlines()) == 6
