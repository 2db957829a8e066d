from __future__ import annotations

import pytest
from controllers_world import REPLICA_SET, World, conditions

from server.cluster.clock import Clock
from server.cluster.controllers.replicaset_ranking import first_to_go


def names(pods):
    return [pod["metadata"]["name"] for pod in pods]


def test_a_replica_set_makes_its_pods_from_the_template(world):
    replica_set = world.apply(REPLICA_SET)
    world.run(0.5)
    pods = world.pods()
    assert len(pods) == 3
    for pod in pods:
        assert pod["metadata"]["generateName"] == "web-" and len(pod["metadata"]["name"]) == len("web-xxxxx")
        assert pod["metadata"]["ownerReferences"] == [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": replica_set["metadata"]["uid"],
             "controller": True, "blockOwnerDeletion": True}]
    assert sorted(world.messages("ReplicaSet", "web", "SuccessfulCreate")) == sorted(f"Created pod: {name}" for name in names(pods))


def test_status_counts_pods_as_they_become_ready(world):
    world.apply(REPLICA_SET)
    world.run(0.5)
    assert world.replica_set()["status"] == {
        "replicas": 3, "fullyLabeledReplicas": 3, "observedGeneration": 1, "terminatingReplicas": 0}
    world.run(5)
    assert world.replica_set()["status"] == {
        "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1,
        "terminatingReplicas": 0}


def test_deleting_a_pod_brings_a_new_one_at_once_and_counts_the_old_as_terminating(world):
    world.apply(REPLICA_SET)
    world.run(5)
    victim = world.pods()[0]
    world.kubectl.delete("pods", "default", victim["metadata"]["name"])
    world.run(0.5)
    assert len(world.pods()) == 4 and len(world.active()) == 3
    assert world.replica_set()["status"]["terminatingReplicas"] == 1
    world.run(5)
    assert len(world.pods()) == 3 and world.replica_set()["status"]["terminatingReplicas"] == 0


def test_a_failed_pod_is_replaced_and_kept(world):
    world.apply(REPLICA_SET)
    world.run(5)
    failed = world.pods()[0]["metadata"]["name"]
    world.set_status(failed, phase="Failed", ready=False)
    world.run(5)
    assert world.pod(failed) is not None and len(world.active()) == 3 and world.replica_set()["status"]["replicas"] == 3


def test_a_pod_that_is_relabelled_is_released_and_replaced(world):
    world.apply(REPLICA_SET)
    world.run(5)
    freed = world.pods()[0]["metadata"]["name"]
    world.patch("pods", freed, {"metadata": {"labels": {"app": "debug"}}})
    world.run(5)
    assert "ownerReferences" not in world.pod(freed)["metadata"]
    assert len(world.pods()) == 4 and world.replica_set()["status"]["replicas"] == 3


def test_a_bare_pod_that_matches_is_adopted_and_makes_another_superfluous(world):
    world.apply(REPLICA_SET)
    world.run(5)
    world.kubectl.create("pods", {"metadata": {"name": "bare", "namespace": "default", "labels": {"app": "web"}},
                                  "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}})
    world.run(5)
    assert len(world.active()) == 3
    assert len(world.messages("ReplicaSet", "web", "SuccessfulDelete")) == 1
    assert world.messages("ReplicaSet", "web", "SuccessfulDelete") == ["Deleted pod: bare"]


def test_pods_that_are_there_first_are_adopted_instead_of_created(world):
    for name in ("one", "two"):
        world.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
                                      "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}})
    world.run(5)
    replica_set = world.apply(REPLICA_SET)
    world.run(5)
    assert {"one", "two"} < set(names(world.pods())) and len(world.pods()) == 3
    assert world.pod("one")["metadata"]["ownerReferences"][0]["uid"] == replica_set["metadata"]["uid"]


def test_pods_of_another_owner_are_left_alone(world):
    world.apply(REPLICA_SET)
    world.apply(REPLICA_SET.replace("name: web,", "name: twin,"))
    world.run(5)
    assert len(world.active()) == 6


def test_refused_pods_are_reported_and_tried_again(world):
    world.run(1)
    world.apply(REPLICA_SET.replace("spec: {containers", "spec: {serviceAccountName: robot, containers"))
    world.run(1)
    refusal = 'pods "web-" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found'
    failure = conditions(world.replica_set())["ReplicaFailure"]
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate") and "serviceaccount \"robot\" not found" in failure["message"]
    assert all(message.startswith("Error creating: pods ") for message in world.messages("ReplicaSet", "web", "FailedCreate"))
    assert refusal.split(": ", 1)[1] in failure["message"]
    world.kubectl.create("serviceaccounts", {"metadata": {"name": "robot", "namespace": "default"}})
    world.run(60)
    assert len(world.active()) == 3 and "ReplicaFailure" not in conditions(world.replica_set())


def test_a_refusal_is_met_once_a_try_and_not_for_every_missing_pod(world):
    world.apply(REPLICA_SET.replace("spec: {containers", "spec: {serviceAccountName: robot, containers"), replicas=100)
    world.run(0.006)
    assert len(world.messages("ReplicaSet", "web", "FailedCreate")) == 1


def test_available_means_ready_for_min_ready_seconds(world):
    world.apply(REPLICA_SET, minReadySeconds=10)
    world.run(5)
    assert world.replica_set()["status"]["readyReplicas"] == 3 and "availableReplicas" not in world.replica_set()["status"]
    world.run(10)
    assert world.replica_set()["status"]["availableReplicas"] == 3


def test_more_than_a_burst_of_pods_comes_in_bursts():
    world = World(nodes=1)
    world.apply(REPLICA_SET, replicas=1200)
    world.run(20)
    assert len(world.active()) == 1200 and world.replica_set()["status"]["readyReplicas"] == 1200


def test_a_thousand_pods_becoming_ready_are_few_status_writes():
    world = World(nodes=1)
    world.apply(REPLICA_SET, replicas=400)
    world.run(20)
    assert world.replica_set()["status"]["readyReplicas"] == 400
    assert world.count_writes("replicasets.apps") < 10


def test_a_settled_replica_set_costs_nothing(world):
    world.apply(REPLICA_SET)
    assert world.clock.run_until_idle()
    revision = world.store.revision
    world.run(3600)
    assert world.store.revision == revision and world.clock.next_due() is None


def test_scaling_to_zero_deletes_all(world):
    world.apply(REPLICA_SET)
    world.run(5)
    world.scale(0, resource="replicasets.apps")
    world.run(5)
    assert world.pods() == [] and world.replica_set()["status"] == {
        "replicas": 0, "observedGeneration": 2, "terminatingReplicas": 0}


def test_restarted_in_mid_creation_it_carries_on(world):
    world.apply(REPLICA_SET)
    world.clock.step()
    again = world.restarted()
    again.run(5)
    assert len(again.active()) == 3


# which pods go first


def pod(name, node="w1", phase="Running", ready=True, ready_since=100, created=100, restarts=0, cost=None):
    clock = Clock()
    status = {"phase": phase, "containerStatuses": [{"restartCount": restarts}], "conditions": [
        {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": clock.timestamp(ready_since)}]}
    annotations = {"controller.kubernetes.io/pod-deletion-cost": str(cost)} if cost is not None else {}
    return {"metadata": {"name": name, "uid": name, "creationTimestamp": clock.timestamp(created), "annotations": annotations},
            "spec": {"nodeName": node} if node else {}, "status": status}


@pytest.mark.parametrize(("first", "then"), [
    ({"node": "", "phase": "Pending", "ready": False}, {"phase": "Pending", "ready": False}),
    ({"phase": "Pending", "ready": False}, {"phase": "Running", "ready": False}),
    ({"ready": False}, {"ready": True}),
    ({"cost": -5}, {"cost": 3}),
    ({"node": "w2"}, {"node": "w1"}),
    ({"ready_since": 990}, {"ready_since": 100}),
    ({"restarts": 4}, {"restarts": 1}),
    ({"created": 990}, {"created": 100}),
])
def test_pods_that_do_least_go_first(first, then):
    """w2 is the node with more siblings on it."""
    clock = Clock(now=1000.0)
    related = [pod("x", node="w2"), pod("y", node="w2")]
    for names_ in (("a", "b"), ("b", "a")):
        pods = [pod(names_[0], **then), pod(names_[1], **first)]
        assert [entry["metadata"]["name"] for entry in first_to_go(pods, [*pods, *related], clock)] == [names_[1], names_[0]]


def test_of_pods_about_equally_old_not_always_the_newest_goes():
    clock = Clock(now=1000.0)
    pods = [pod("a", ready_since=100), pod("b", ready_since=130)]
    assert [entry["metadata"]["name"] for entry in first_to_go(pods, pods, clock)] == ["a", "b"]
