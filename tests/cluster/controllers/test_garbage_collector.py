from __future__ import annotations

from controllers_world import DEPLOYMENT, REPLICA_SET


def config_map(name, owner=None, block=False, **metadata):
    references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                   "blockOwnerDeletion": block}] if owner is not None else []
    return {"metadata": {"name": name, "namespace": "default", "ownerReferences": references, **metadata}}


def test_deleting_a_deployment_takes_its_replica_sets_and_pods_along(world):
    world.apply(DEPLOYMENT)
    world.run()
    world.kubectl.delete("deployments.apps", "default", "web", propagation="Background")
    assert world.deployment() is None and len(world.replica_sets()) == 1
    world.run(0.5)
    assert world.replica_sets() == [] and world.active() == []
    world.run(5)
    assert world.pods() == []


def test_in_the_foreground_the_owner_goes_last(world):
    world.apply(DEPLOYMENT)
    world.run()
    world.kubectl.delete("deployments.apps", "default", "web", propagation="Foreground")
    world.run(0.5)
    assert world.deployment()["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert world.replica_sets()[0]["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert len(world.pods()) == 3 and world.active() == []
    gone = []
    world.api.watch(None, lambda event: event.type == "DELETED" and gone.append(event.resource))
    world.run(5)
    assert [resource for resource in gone if resource != "events"] == ["pods"] * 3 + ["replicasets.apps", "deployments.apps"]


def test_orphaned_pods_stay_and_lose_their_owner(world):
    world.apply(REPLICA_SET)
    world.run()
    world.kubectl.delete("replicasets.apps", "default", "web", propagation="Orphan")
    world.run(5)
    assert world.replica_set() is None
    assert len(world.active()) == 3 and all("ownerReferences" not in pod["metadata"] for pod in world.pods())


def test_what_is_created_with_a_dead_owner_is_collected(world):
    ghost = {"metadata": {"name": "ghost", "uid": "11111111-2222-4333-8444-555555555555"}}
    world.kubectl.create("configmaps", config_map("child", ghost))
    world.run(1)
    assert world.get("configmaps", "child") is None


def test_an_owner_of_the_same_name_but_another_uid_does_not_count(world):
    world.kubectl.create("configmaps", config_map("parent"))
    world.kubectl.create("configmaps", config_map("child", {"metadata": {"name": "parent", "uid": "11111111-2222-4333-8444-555555555555"}}))
    world.run(1)
    assert world.get("configmaps", "child") is None and world.get("configmaps", "parent") is not None


def test_one_living_owner_is_enough_and_the_dead_reference_is_taken_off(world):
    first = world.kubectl.create("configmaps", config_map("first"))
    second = world.kubectl.create("configmaps", config_map("second"))
    child = config_map("child", first)
    child["metadata"]["ownerReferences"] += config_map("", second)["metadata"]["ownerReferences"]
    world.kubectl.create("configmaps", child)
    world.kubectl.delete("configmaps", "default", "first")
    world.run(1)
    assert [reference["name"] for reference in world.get("configmaps", "child")["metadata"]["ownerReferences"]] == ["second"]


def test_in_the_foreground_only_dependents_that_block_are_waited_for(world):
    parent = world.kubectl.create("configmaps", config_map("parent"))
    world.kubectl.create("configmaps", config_map("held", parent, block=False, finalizers=["example.com/hold"]))
    world.kubectl.create("configmaps", config_map("blocking", parent, block=True, finalizers=["example.com/hold"]))
    world.kubectl.delete("configmaps", "default", "parent", propagation="Foreground")
    world.run(1)
    assert world.get("configmaps", "parent") is not None
    world.patch("configmaps", "blocking", {"metadata": {"finalizers": None}})
    world.run(1)
    assert world.get("configmaps", "parent") is None and world.get("configmaps", "blocking") is None
    assert "deletionTimestamp" in world.get("configmaps", "held")["metadata"]


def test_a_kind_that_the_server_does_not_know_is_no_dead_owner(world):
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "11111111-2222-4333-8444-555555555555"}
    world.kubectl.create("configmaps", {"metadata": {"name": "child", "namespace": "default", "ownerReferences": [reference]}})
    world.run(1)
    assert world.get("configmaps", "child") is not None


def test_restarted_it_finishes_what_was_begun(world):
    world.apply(REPLICA_SET)
    world.run()
    world.kubectl.delete("replicasets.apps", "default", "web", propagation="Orphan")
    again = world.restarted()
    again.run(5)
    assert again.replica_set() is None and len(again.active()) == 3
