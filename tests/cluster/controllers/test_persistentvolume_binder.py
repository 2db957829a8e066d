"""Claims and volumes find each other, and part."""

from __future__ import annotations

import pytest

from server.cluster.errors import ApiError
from tests.storage_room import ATTACHMENTS, Room


@pytest.fixture
def room():
    return Room()


def test_a_claim_gets_the_smallest_volume_that_is_big_enough(room):
    for name, size in (("big", "10Gi"), ("fitting", "2Gi"), ("small", "500Mi")):
        room.volume(name, size)
    room.claim("data", "1Gi")
    room.run(1)
    assert room.bound("data") == "fitting"
    volume, claim = room.volume_of("data"), room.get("persistentvolumeclaims", "data")
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"] and volume["status"]["phase"] == "Bound"
    assert claim["status"]["capacity"] == {"storage": "2Gi"}
    assert claim["metadata"]["annotations"] == {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
    assert volume["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] == "yes"
    assert {room.phase("persistentvolumes", name) for name in ("big", "small")} == {"Available"}


@pytest.mark.parametrize(("volume", "claim"), [
    ({"modes": ["ReadWriteOnce"]}, {"modes": ["ReadWriteMany"]}),
    ({"storage_class": "fast"}, {}),
    ({}, {"storage_class": "fast"}),
    ({"size": "1Gi"}, {"size": "2Gi"}),
    ({}, {"volumeMode": "Block"}),
    ({"labels": {"disk": "hdd"}}, {"selector": {"matchLabels": {"disk": "ssd"}}}),
])
def test_a_claim_waits_for_a_volume_that_suits_it(room, volume, claim):
    room.volume("pv", **volume)
    room.claim("data", **claim)
    room.run(1)
    assert room.bound("data") is None and room.phase("persistentvolumeclaims", "data") == "Pending"
    assert room.phase("persistentvolumes", "pv") == "Available"


def test_a_volume_with_fewer_access_modes_is_taken_first(room):
    room.volume("a-shared", "1Gi", ("ReadWriteOnce", "ReadWriteMany"))
    room.volume("single", "5Gi", ("ReadWriteOnce",))
    room.claim("data")
    room.run(1)
    assert room.bound("data") == "single"


def test_a_selector_picks_by_label(room):
    room.volume("hdd", "1Gi", labels={"disk": "hdd"})
    room.volume("ssd", "2Gi", labels={"disk": "ssd"})
    room.claim("data", selector={"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]})
    room.run(1)
    assert room.bound("data") == "ssd"


def test_a_claim_that_came_first_is_bound_when_a_volume_comes(room):
    room.claim("data")
    room.run(1)
    assert room.events("data", "FailedBinding") == ["no persistent volumes available for this claim and no storage class is set"]
    room.volume("pv")
    room.run(1)
    assert room.bound("data") == "pv"


def test_a_claim_may_name_its_volume(room):
    room.volume("first")
    room.volume("second", "5Gi")
    room.claim("data", volumeName="second")
    room.run(1)
    assert room.bound("data") == "second"
    assert "pv.kubernetes.io/bound-by-controller" not in room.get("persistentvolumeclaims", "data")["metadata"]["annotations"]


@pytest.mark.parametrize(("size", "storage_class", "why"), [
    ("5Gi", "", "requested PV is too small"), ("1Gi", "fast", "storageClassName does not match")])
def test_a_named_volume_must_satisfy_the_claim(room, size, storage_class, why):
    room.volume("pv", "1Gi")
    room.claim("data", size, storage_class=storage_class, volumeName="pv")
    room.run(1)
    assert room.events("data", "VolumeMismatch") == [f'Cannot bind to requested volume "pv": {why}']
    assert room.phase("persistentvolumeclaims", "data") == "Pending"


def test_a_named_volume_that_is_taken_is_not_taken_away(room):
    room.volume("pv")
    room.claim("one")
    room.run(1)
    room.claim("two", volumeName="pv")
    room.run(1)
    assert room.events("two", "FailedBinding") == ['volume "pv" already bound to a different claim.']
    assert room.bound("one") == "pv" and room.bound("two") is None


def test_a_volume_that_is_reserved_waits_for_its_claim_and_takes_no_other(room):
    room.volume("mine", claimRef={"namespace": "default", "name": "late"})
    room.claim("early")
    room.run(1)
    assert room.bound("early") is None and room.phase("persistentvolumes", "mine") == "Available"
    room.claim("late", storage_class="")
    room.run(1)
    assert room.bound("late") == "mine"
    assert "pv.kubernetes.io/bound-by-controller" not in (room.volume_of("late")["metadata"].get("annotations") or {})


def test_what_a_deleted_claim_had_is_retained_and_not_given_to_the_next(room):
    room.volume("pv")
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    assert room.phase("persistentvolumes", "pv") == "Released"
    room.claim("data")
    room.run(1)
    assert room.bound("data") is None


def test_a_released_volume_is_free_again_when_its_claim_reference_is_removed(room):
    room.volume("pv")
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    room.kubectl.patch("persistentvolumes", "", "pv", [{"op": "remove", "path": "/spec/claimRef"}], "json")
    room.claim("next")
    room.run(1)
    assert room.bound("next") == "pv"


def test_a_recycled_volume_is_emptied_and_available(room):
    room.volume("pv", modes=["ReadWriteMany"], persistentVolumeReclaimPolicy="Recycle", nfs={"server": "211.183.3.100", "path": "/shared"})
    room.claim("data", modes=["ReadWriteMany"])
    room.pod("writer", "echo secret > /data/x; sleep 1000", {"v": ("data", "/data")})
    room.run(20)
    assert room.execute("writer", "cat /data/x") == "secret\n"
    room.kubectl.delete("pods", "default", "writer", grace_period=0)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(5)
    assert room.phase("persistentvolumes", "pv") == "Available" and room.events("pv", "VolumeRecycled") == ["Volume recycled"]
    assert "claimRef" not in room.get("persistentvolumes", "pv")["spec"]
    assert not room.cluster.parts.disks.names("nfs/")


@pytest.mark.parametrize(("policy", "source", "why"), [
    ("Delete", {"nfs": {"server": "1.2.3.4", "path": "/x"}},
     'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched'),
    ("Delete", {"hostPath": {"path": "/srv/x"}}, "host_path deleter only supports /tmp/.+ but received provided /srv/x"),
    ("Recycle", {"local": {"path": "/mnt/data"}}, "No recycler plugin found for the volume!"),
])
def test_a_volume_that_cannot_be_reclaimed_has_failed(room, policy, source, why):
    if "local" in source:
        source["nodeAffinity"] = {"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1-k8s"]}]}]}}
    room.volume("pv", persistentVolumeReclaimPolicy=policy, **source)
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    status = room.get("persistentvolumes", "pv")["status"]
    assert (status["phase"], status["message"]) == ("Failed", why)
    assert room.events("pv", f"VolumeFailed{policy}") == [why]


def test_a_host_path_volume_below_tmp_can_be_deleted(room):
    room.volume("pv", persistentVolumeReclaimPolicy="Delete", hostPath={"path": "/tmp/x"})  # noqa: S108
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    assert room.get("persistentvolumes", "pv") is None


def test_a_claim_whose_volume_was_removed_by_force_is_lost(room):
    room.volume("pv")
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumes", "", "pv")
    room.run(1)
    assert "deletionTimestamp" in room.get("persistentvolumes", "pv")["metadata"]
    room.kubectl.patch("persistentvolumes", "", "pv", {"metadata": {"finalizers": None}})
    room.run(1)
    assert room.phase("persistentvolumeclaims", "data") == "Lost"
    assert room.events("data", "ClaimLost") == ["Bound claim has lost its PersistentVolume. Data on the volume is lost!"]


def test_a_bound_volume_goes_only_when_its_claim_has_gone(room):
    room.volume("pv")
    room.claim("data")
    room.run(1)
    room.kubectl.delete("persistentvolumes", "", "pv")
    room.run(60)
    assert room.get("persistentvolumes", "pv") is not None
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    assert room.get("persistentvolumes", "pv") is None


def test_a_claim_in_use_goes_only_when_its_pod_has_gone(room):
    room.volume("pv")
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(60)
    assert room.get("persistentvolumeclaims", "data")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    room.pod("late", volumes={"v": ("data", "/data")})
    room.run(5)
    assert 'persistentvolumeclaim "data" is being deleted' in room.unschedulable("late")
    room.kubectl.delete("pods", "default", "user")
    room.run(10)
    assert room.get("persistentvolumeclaims", "data") is None
    assert room.phase("persistentvolumes", "pv") == "Released"


def test_a_pod_that_has_ended_does_not_hold_its_claim(room):
    room.volume("pv")
    room.claim("data")
    room.pod("job", "true", {"v": ("data", "/data")}, restartPolicy="Never")
    room.run(20)
    assert room.phase("pods", "job") == "Succeeded"
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(1)
    assert room.get("persistentvolumeclaims", "data") is None


def test_a_class_that_waits_binds_nothing_before_there_is_a_pod(room):
    room.storage_class("local", "kubernetes.io/no-provisioner", wait=True)
    room.volume("pv", storage_class="local")
    room.claim("data", storage_class="local")
    room.run(5)
    assert room.bound("data") is None
    assert room.events("data", "WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    assert room.bound("data") == "pv" and room.running("user")


def test_a_class_that_is_not_there_and_one_that_nobody_provisions_for_are_told(room):
    room.claim("nowhere", storage_class="nope")
    room.storage_class("by-hand", "kubernetes.io/no-provisioner")
    room.claim("manual", storage_class="by-hand")
    room.storage_class("foreign", "example.com/disks")
    room.claim("stranger", storage_class="foreign")
    room.run(1)
    assert room.events("nowhere", "ProvisioningFailed") == ['storageclass.storage.k8s.io "nope" not found']
    assert room.events("manual", "ProvisioningFailed") == ["no volume plugin matched name: kubernetes.io/no-provisioner"]
    assert room.events("stranger", "ExternalProvisioning") == [
        "Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. "
        "If volume creation is delayed, please verify that the provisioner is running and correctly registered."]


def test_the_default_class_is_given_to_new_claims_and_to_those_that_were_there(room):
    room.claim("before", storage_class=None)
    room.claim("none", storage_class="")
    room.run(1)
    assert "storageClassName" not in room.get("persistentvolumeclaims", "before")["spec"]
    room.storage_class("standard", default=True)
    room.run(1)
    room.claim("after", storage_class=None)
    assert [room.get("persistentvolumeclaims", name)["spec"]["storageClassName"] for name in ("before", "after", "none")] == [
        "standard", "standard", ""]


def test_no_volume_is_attached_that_needs_no_attaching(room):
    room.volume("pv")
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    assert room.list(ATTACHMENTS) == []


def test_a_binding_that_was_cut_short_is_finished(room):
    binder = room.controller("persistentvolume-controller")
    binder.stop()
    volume = room.volume("pv")
    claim = room.claim("data")
    room.kubectl.patch("persistentvolumes", "", "pv", {"spec": {"claimRef": {
        "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "default", "name": "data", "uid": claim["metadata"]["uid"]}}})
    room.run(5)
    assert room.phase("persistentvolumeclaims", "data") == "Pending" and volume["status"]["phase"] == "Pending"
    binder.start()
    room.run(1)
    assert room.bound("data") == "pv" and room.phase("persistentvolumes", "pv") == "Bound"


def test_an_idle_room_with_volumes_has_nothing_to_do(room):
    room.volume("pv")
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.claim("waiting", "100Gi")
    room.run(400)
    before = room.cluster.store.revision
    room.run(3000)
    assert room.cluster.store.revision == before


def test_a_volume_cannot_be_bound_twice_by_a_user_either(room):
    room.volume("pv")
    room.claim("data")
    room.run(1)
    with pytest.raises(ApiError) as fault:
        room.kubectl.patch("persistentvolumeclaims", "default", "data", {"spec": {"volumeName": "other"}})
    assert "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims" in fault.value.message


def test_a_new_volume_wakes_no_more_claims_than_can_take_one(room):
    for number in range(200):
        room.claim(f"data-{number}", "1Gi")
    room.run(5)
    binder = next(controller for controller in room.cluster.controllers if controller.name == "persistentvolume-controller")
    looked, reconcile = [], binder.reconcile
    binder.reconcile = lambda key: (looked.append(key), reconcile(key))
    for number in range(20):
        room.volume(f"pv-{number}", "1Gi")
        room.run(1)
    assert {room.phase("persistentvolumes", f"pv-{number}") for number in range(20)} == {"Bound"}
    assert len(looked) < 200
    for number in range(20, 60):
        room.volume(f"pv-{number}", "1Gi")
    room.run(1)
    assert {room.phase("persistentvolumes", f"pv-{number}") for number in range(60)} == {"Bound"}
