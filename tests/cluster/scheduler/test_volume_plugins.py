"""Pods go where their volumes are, can be, or can be made."""

from __future__ import annotations

import pytest

from tests.storage_room import CLASSES, DISK, LOCAL, Room

HOST = "kubernetes.io/hostname"


@pytest.fixture
def room():
    return Room()


def on(*nodes):
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": HOST, "operator": "In", "values": list(nodes)}]}]}}


def unhelpful(reason):
    return (f"0/4 nodes are available: {reason}. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not "
            "helpful for scheduling.")


def test_a_pod_waits_for_a_claim_that_is_not_there(room):
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(2)
    assert room.unschedulable("user") == unhelpful('persistentvolumeclaim "data" not found')
    assert room.events("user", "FailedScheduling") == [room.unschedulable("user")]
    room.volume("pv")
    room.claim("data")
    room.run(15)
    assert room.running("user")


def test_a_pod_waits_for_a_claim_that_must_be_bound_first(room):
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(2)
    assert room.unschedulable("user") == unhelpful("pod has unbound immediate PersistentVolumeClaims")
    room.volume("pv")
    room.run(15)
    assert room.running("user")


def test_a_pod_goes_to_the_node_of_its_volume(room):
    room.volume("pv", local={"path": "/mnt/data"}, nodeAffinity=on("w2-k8s"))
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(15)
    assert room.node_of("user") == "w2-k8s" and room.running("user")


def test_a_pod_is_refused_where_its_volume_is_not(room):
    room.volume("pv", local={"path": "/mnt/data"}, nodeAffinity=on("w2-k8s"))
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")}, nodeSelector={HOST: "w1-k8s"})
    room.run(2)
    assert "1 node(s) had volume node affinity conflict" in room.unschedulable("user")


def test_a_class_that_waits_is_bound_where_the_pod_can_go(room):
    room.storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    for number in (1, 2, 3):
        room.volume(f"pv-{number}", storage_class="local", local={"path": "/mnt/data"}, nodeAffinity=on(f"w{number}-k8s"))
    room.claim("data", storage_class="local")
    room.pod("user", volumes={"v": ("data", "/data")}, nodeSelector={HOST: "w3-k8s"})
    room.run(15)
    assert (room.bound("data"), room.node_of("user")) == ("pv-3", "w3-k8s")


def test_a_pod_waits_when_no_volume_can_be_found_for_it(room):
    room.storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    room.claim("data", storage_class="local")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(2)
    said = room.unschedulable("user")
    assert "3 node(s) didn't find available persistent volumes to bind" in said and "untolerated taint" in said
    room.volume("pv", storage_class="local", local={"path": "/mnt/data"}, nodeAffinity=on("w1-k8s"))
    room.run(20)
    assert room.node_of("user") == "w1-k8s"


def test_two_claims_of_a_pod_get_two_volumes_of_one_node(room):
    room.storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    for name, node, size in (("a", "w1-k8s", "1Gi"), ("b", "w2-k8s", "1Gi"), ("c", "w2-k8s", "5Gi")):
        room.volume(name, size, storage_class="local", local={"path": "/mnt/data"}, nodeAffinity=on(node))
    room.claim("one", "1Gi", storage_class="local")
    room.claim("two", "1Gi", storage_class="local")
    room.pod("user", volumes={"v": ("one", "/one"), "w": ("two", "/two")})
    room.run(20)
    assert room.node_of("user") == "w2-k8s" and sorted((room.bound("one"), room.bound("two"))) == ["b", "c"]


def test_a_class_may_be_kept_to_some_nodes(room):
    room.storage_class("local-path", LOCAL, wait=True,
                       allowedTopologies=[{"matchLabelExpressions": [{"key": HOST, "values": ["w3-k8s"]}]}])
    room.claim("data", storage_class="local-path")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    assert room.node_of("user") == "w3-k8s"


def test_a_volume_for_one_pod_is_not_given_to_a_second(room):
    room.volume("pv", modes=["ReadWriteOncePod"])
    room.claim("data", modes=["ReadWriteOncePod"])
    room.pod("one", volumes={"v": ("data", "/data")})
    room.run(20)
    room.pod("two", volumes={"v": ("data", "/data")})
    room.run(3)
    assert "3 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode" in room.unschedulable("two")
    room.kubectl.delete("pods", "default", "one")
    room.run(30)
    assert room.running("two")


def test_a_node_takes_no_more_volumes_than_its_driver_can_attach(room):
    room.storage_class("disk", DISK)
    room.run(1)
    for entry in room.list("csinodes.storage.k8s.io"):
        drivers = [{**driver, "allocatable": {"count": 1}} for driver in entry["spec"]["drivers"]]
        room.kubectl.patch("csinodes.storage.k8s.io", "", entry["metadata"]["name"], {"spec": {"drivers": drivers}})
    for name in ("a", "b"):
        room.claim(name, storage_class="disk")
    room.run(5)
    room.pod("one", volumes={"v": ("a", "/data")}, nodeSelector={HOST: "w1-k8s"})
    room.pod("same", volumes={"v": ("a", "/data")}, nodeSelector={HOST: "w1-k8s"})
    room.pod("two", volumes={"v": ("b", "/data")}, nodeSelector={HOST: "w1-k8s"})
    room.run(20)
    assert room.running("one") and room.running("same")
    assert "1 node(s) exceed max volume count" in room.unschedulable("two")
    for name in ("one", "same"):
        room.kubectl.delete("pods", "default", name)
    room.run(40)
    assert room.running("two")


def test_a_volume_of_another_zone_is_out_of_reach(room):
    for number, zone in ((1, "a"), (2, "b"), (3, "b")):
        room.kubectl.patch("nodes", "", f"w{number}-k8s", {"metadata": {"labels": {"topology.kubernetes.io/zone": zone}}})
    room.volume("pv", labels={"topology.kubernetes.io/zone": "a"})
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.pod("other", volumes={"v": ("data", "/data")}, nodeSelector={"topology.kubernetes.io/zone": "b"})
    room.run(20)
    assert room.node_of("user") == "w1-k8s"
    assert "2 node(s) had no available volume zone" in room.unschedulable("other")


def test_a_pod_that_waits_for_its_volume_holds_its_place_and_is_bound_once_it_has_it(room):
    room.storage_class("foreign", "example.com/disks", wait=True)
    room.claim("data", storage_class="foreign")
    room.pod("user", volumes={"v": ("data", "/data")}, nodeSelector={HOST: "w1-k8s"})
    room.run(30)
    claim = room.get("persistentvolumeclaims", "data")
    assert claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "w1-k8s" and room.node_of("user") is None
    room.kubectl.patch("pods", "default", "user", {"metadata": {"labels": {"seen": "yes"}}})
    room.cluster.scheduler.stop()
    room.cluster.scheduler.start()
    room.run(30)
    room.volume("made", storage_class="foreign", claimRef={"namespace": "default", "name": "data", "uid": claim["metadata"]["uid"]})
    room.run(20)
    assert room.running("user") and room.bound("data") == "made"


def test_a_pod_whose_volume_does_not_come_is_told_after_ten_minutes(room):
    room.storage_class("foreign", "example.com/disks", wait=True)
    room.claim("data", storage_class="foreign")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(610)
    assert 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded' in room.events("user", "FailedScheduling")


def test_a_class_that_comes_late_wakes_the_pods_that_need_it(room):
    room.claim("data", storage_class="late")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(5)
    assert "unbound immediate" in room.unschedulable("user")
    room.storage_class("late", LOCAL, wait=True)
    room.run(30)
    assert room.running("user") and room.get(CLASSES, "late")
