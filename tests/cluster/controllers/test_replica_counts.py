from __future__ import annotations

import random

import pytest
from controllers_world import REPLICA_SET, World

from server.cluster.controllers.replica_counts import Counts, ReplicaCounts
from server.cluster.objects import replaced


def follow(world: World) -> ReplicaCounts:
    counts = ReplicaCounts(world.api.lister("pods"))
    world.api.watch("pods", counts.note)
    return counts


def test_a_set_without_pods_counts_none(world):
    replica_set = world.apply(REPLICA_SET, replicas=0)
    assert follow(world).of(replica_set) == Counts(0, 0, 0, 0, 0)


def test_a_pod_that_is_controlled_and_not_selected_is_a_stranger(world):
    counts, replica_set = follow(world), world.apply(REPLICA_SET)
    world.run(5)
    for controller in world.controllers:
        controller.stop()
    assert counts.of(replica_set) == Counts(3, 3, 3, 0, 0)
    world.kubectl.update("pods", replaced(world.pods()[0], {("metadata", "labels"): {"app": "other"}}))
    assert counts.of(replica_set) == Counts(2, 2, 2, 0, 1)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_counted_as_it_changes_is_what_a_look_at_all_pods_finds(world, seed):
    chance, counts = random.Random(seed), follow(world)
    world.apply(REPLICA_SET)
    template = world.replica_set()["spec"]["template"]

    def relabel(pod):
        label = chance.choice([{"app": "web"}, {"app": "web", "more": "1"}, {"app": "db"}])
        world.kubectl.update("pods", replaced(pod, {("metadata", "labels"): label}))

    acts = [
        relabel,
        lambda pod: world.kubectl.update("pods", replaced(pod, {("metadata", "ownerReferences"): None})),
        lambda pod: world.set_status(pod["metadata"]["name"], ready=chance.random() < 0.5),
        lambda pod: world.set_status(pod["metadata"]["name"], phase=chance.choice(["Running", "Failed"])),
        lambda pod: world.kubectl.delete("pods", "default", pod["metadata"]["name"]),
        lambda pod: world.scale(chance.randrange(8), resource="replicasets.apps"),
        lambda pod: world.patch("replicasets.apps", "web", {"spec": {"template": {"metadata": {"labels": {
            **template["metadata"]["labels"], "more": str(chance.randrange(2))}}}}}),
    ]
    for _ in range(60):
        if world.pods():
            chance.choice(acts)(chance.choice(world.pods()))
        world.run(chance.choice([0.001, 0.02, 1.5]))
        replica_set = world.replica_set()
        assert counts.of(replica_set) == ReplicaCounts(world.api.lister("pods")).of(replica_set)
        if not world.pods():
            world.scale(3, resource="replicasets.apps")
