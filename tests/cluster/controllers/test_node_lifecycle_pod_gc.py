"""Pods that no kubelet will clear away: of nodes out of service, without a node, or one of far too many that have ended."""

import pytest
from controllers_world import DEPLOYMENT, World

from server.cluster.controllers import pod_gc
from server.cluster.objects import replaced

OUT_OF_SERVICE = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}


def silence(world, node):
    world.parts.heartbeats.stop(node)
    world.run(60)


def terminating(world, node):
    """The node's pods after they were told to go, with nobody there to end them."""
    world._end = lambda where, uid: None
    names = [pod["metadata"]["name"] for pod in world.api.lister("pods").by_node(node)]
    for name in names:
        world.kubectl.delete("pods", "default", name)
    return names


@pytest.fixture
def world():
    made = World()
    made.apply(DEPLOYMENT, replicas=6)
    made.run()
    return made


def test_pods_of_a_node_that_is_down_and_out_of_service_are_let_go(world):
    silence(world, "w1")
    names = terminating(world, "w1")
    world.run(60)
    assert names and all(world.pod(name) for name in names), "without the taint they hang"
    world.patch("nodes", "w1", {"spec": {"taints": [*world.get("nodes", "w1", "")["spec"]["taints"], OUT_OF_SERVICE]}}, "")
    world.run(25)
    assert not any(world.pod(name) for name in names)


def test_a_node_that_is_well_keeps_its_pods_whatever_its_taint_says(world):
    names = terminating(world, "w1")
    world.patch("nodes", "w1", {"spec": {"taints": [{**OUT_OF_SERVICE, "effect": "NoSchedule"}]}}, "")
    world.run(60)
    assert names and all(world.pod(name) for name in names)


def test_only_so_many_finished_pods_are_kept_the_oldest_go_first(world, monkeypatch):
    monkeypatch.setattr(pod_gc, "TERMINATED_THRESHOLD", 3)
    for number in range(6):
        name = f"done-{number}"
        world.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}})
        world.run(5)
        reason = {"reason": "Evicted"} if number == 5 else {}
        pod = world.pod(name)
        world.kubectl.update("pods", replaced(pod, {"status": {**pod["status"], "phase": "Failed", **reason}}), "status")
    world.run(45)
    assert [pod["metadata"]["name"] for pod in world.pods() if pod["metadata"]["name"].startswith("done-")] == ["done-2", "done-3", "done-4"]


def test_the_forty_seconds_of_a_missed_node_are_not_begun_anew_by_a_restart(world):
    world.kubectl.delete("nodes", "", "w1")
    uids = {pod["metadata"]["uid"] for pod in world.api.lister("pods").by_node("w1")}
    world.run(30)
    again = world.restarted()
    again.run(11)
    assert uids and not uids & {pod["metadata"]["uid"] for pod in again.pods()}
    assert again.store.state.items("pod-gc/") == []


def test_a_node_that_comes_back_under_its_name_keeps_its_pods(world):
    kept = {pod["metadata"]["uid"] for pod in world.api.lister("pods").by_node("w1")}
    node = world.get("nodes", "w1", "")
    world.kubectl.delete("nodes", "", "w1")
    world.run(20)
    world.kubectl.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w1"}, "spec": {}, "status": node["status"]})
    world.run(60)
    assert kept and kept == {pod["metadata"]["uid"] for pod in world.api.lister("pods").by_node("w1")}
