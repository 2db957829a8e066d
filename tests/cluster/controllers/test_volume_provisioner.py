"""Volumes that are made when they are asked for, attached where they are needed, and that grow."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from server.cluster.errors import ApiError
from tests.storage_room import ATTACHMENTS, DISK, LOCAL, SERVER, SHARE, Room


@pytest.fixture
def room():
    return Room()


def attached(room):
    return [(entry["spec"]["nodeName"], (entry.get("status") or {}).get("attached", False)) for entry in room.list(ATTACHMENTS)]


def test_local_path_makes_a_directory_on_the_node_of_the_first_pod(room):
    room.storage_class("local-path", LOCAL, wait=True, default=True)
    room.claim("data", "128Mi", storage_class=None)
    room.run(5)
    assert room.bound("data") is None
    room.pod("writer", "date >> /data/starts; sleep 100000", {"v": ("data", "/data")})
    room.run(20)
    claim, node = room.get("persistentvolumeclaims", "data"), room.node_of("writer")
    volume = room.volume_of("data")
    assert volume["metadata"]["name"] == f"pvc-{claim['metadata']['uid']}"
    assert volume["metadata"]["annotations"] == {"pv.kubernetes.io/provisioned-by": LOCAL}
    assert volume["spec"]["capacity"] == {"storage": "128Mi"} and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert volume["spec"]["hostPath"] == {
        "path": f"/opt/local-path-provisioner/{volume['metadata']['name']}_default_data", "type": "DirectoryOrCreate"}
    assert volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == [node]
    assert claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == node
    assert room.events("data", "Provisioning") == ['External provisioner is provisioning volume for claim "default/data"']
    assert room.events("data", "ProvisioningSucceeded") == [f"Successfully provisioned volume {volume['metadata']['name']}"]


def test_data_outlives_the_pod_and_the_next_pod_goes_where_it_is(room):
    room.storage_class("local-path", LOCAL, wait=True)
    room.claim("data", storage_class="local-path")
    room.pod("first", "echo kept > /data/x; sleep 100000", {"v": ("data", "/data")})
    room.run(20)
    node = room.node_of("first")
    room.kubectl.delete("pods", "default", "first")
    room.run(10)
    room.reload()
    for number in range(3):
        room.pod(f"filler-{number}", nodeSelector={"kubernetes.io/hostname": node})
    room.pod("second", volumes={"v": ("data", "/data")})
    room.run(20)
    assert room.node_of("second") == node and room.execute("second", "cat /data/x") == "kept\n"


def test_a_deleted_claim_takes_its_provisioned_volume_and_the_data_with_it(room):
    room.storage_class("local-path", LOCAL, wait=True)
    room.claim("data", storage_class="local-path")
    room.pod("user", "echo kept > /data/x; sleep 100000", {"v": ("data", "/data")})
    room.run(20)
    assert room.cluster.parts.disks.names("node/")
    room.kubectl.delete("pods", "default", "user")
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(30)
    assert room.list("persistentvolumes") == room.list("persistentvolumeclaims") == []
    assert not room.cluster.parts.disks.names("node/")


def test_a_class_that_retains_leaves_the_volume(room):
    room.storage_class("keep", DISK, reclaimPolicy="Retain")
    room.claim("data", storage_class="keep")
    room.run(5)
    name = room.bound("data")
    room.kubectl.delete("persistentvolumeclaims", "default", "data")
    room.run(30)
    assert room.phase("persistentvolumes", name) == "Released"


@pytest.mark.parametrize(("provisioner", "modes", "parameters", "why"), [
    (LOCAL, ["ReadWriteMany"], {}, "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes"),
    (LOCAL, ["ReadWriteOnce"], {}, "configuration error, no node was specified"),
    (DISK, ["ReadWriteMany"], {}, "rpc error: code = InvalidArgument desc = cannot have multi-node writer access with a filesystem volume"),
    (SHARE, ["ReadWriteMany"], {}, "rpc error: code = InvalidArgument desc = server is a required parameter"),
    (SHARE, ["ReadWriteMany"], {"server": SERVER, "share": "/else"}, "reason given by server: No such file or directory"),
])
def test_what_cannot_be_made_is_told(room, provisioner, modes, parameters, why):
    room.storage_class("class", provisioner, parameters=parameters)
    room.claim("data", modes=modes, storage_class="class")
    room.run(10)
    assert room.phase("persistentvolumeclaims", "data") == "Pending"
    said = room.events("data", "ProvisioningFailed")
    assert len(said) == 1 and said[0].startswith('failed to provision volume with StorageClass "class": ') and said[0].endswith(why)


def test_a_disk_is_attached_before_its_pod_runs_and_detached_after_it(room):
    room.storage_class("disk", DISK)
    room.claim("data", storage_class="disk")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.cluster.run_until(lambda: bool(room.list(ATTACHMENTS)), 60)
    assert attached(room) == [(room.node_of("user"), False)] and not room.running("user")
    room.run(20)
    assert attached(room) == [(room.node_of("user"), True)] and room.running("user")
    assert room.events("user", "SuccessfulAttachVolume") == [f'AttachVolume.Attach succeeded for volume "{room.bound("data")}" ']
    attachment = room.list(ATTACHMENTS)[0]
    assert attachment["metadata"]["name"].startswith("csi-")
    assert attachment["metadata"]["finalizers"] == ["external-attacher/hostpath-csi-k8s-io"]
    room.kubectl.delete("pods", "default", "user")
    room.run(20)
    assert attached(room) == []


def test_a_disk_on_one_node_is_refused_to_another_until_it_is_let_go(room):
    room.storage_class("disk", DISK)
    room.claim("data", storage_class="disk")
    room.pod("one", "echo mine > /data/x; sleep 100000", {"v": ("data", "/data")}, node="w1-k8s")
    room.run(20)
    room.pod("two", volumes={"v": ("data", "/data")}, node="w2-k8s")
    room.run(130)
    volume = room.bound("data")
    assert attached(room) == [("w1-k8s", True)] and not room.running("two")
    assert room.events("two", "FailedAttachVolume") == [f'Multi-Attach error for volume "{volume}" Volume is already used by pod(s) one']
    assert room.events("two", "FailedMount") == [
        "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v], failed to process volumes=[]: "
        "context deadline exceeded"]
    room.kubectl.delete("pods", "default", "one")
    room.run(60)
    assert attached(room) == [("w2-k8s", True)] and room.execute("two", "cat /data/x") == "mine\n"


def test_the_disk_of_a_silent_node_is_taken_away_after_six_minutes(room):
    room.storage_class("disk", DISK)
    room.claim("data", storage_class="disk")
    room.pod("one", volumes={"v": ("data", "/data")}, node="w1-k8s")
    room.run(20)
    room.cluster.kubelets.power_off("w1-k8s")
    room.run(60)
    room.kubectl.delete("pods", "default", "one", grace_period=0)
    room.pod("two", volumes={"v": ("data", "/data")}, node="w2-k8s")
    room.run(300)
    assert attached(room) == [("w1-k8s", True)]
    assert room.events("two", "FailedAttachVolume")[0].endswith(
        "Volume is already exclusively attached to one node and can't be attached to another")
    room.reload()
    room.run(120)
    assert attached(room) == [("w2-k8s", True)] and room.running("two")


def test_a_driver_that_nobody_runs_never_attaches(room):
    room.volume("pv", csi={"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"})
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")}, node="w1-k8s")
    room.run(150)
    assert room.events("user", "FailedAttachVolume") == [
        'AttachVolume.Attach failed for volume "pv" : timed out waiting for external-attacher of ebs.csi.aws.com CSI driver to attach volume '
        "vol-1"]
    assert not room.running("user")


def test_a_share_is_written_and_read_on_many_nodes(room):
    room.storage_class("nfs", SHARE, parameters={"server": SERVER, "share": "/shared"})
    room.claim("data", modes=["ReadWriteMany"], storage_class="nfs")
    for number in (1, 2, 3):
        room.pod(f"user-{number}", f"echo {number} > /data/{number}; sleep 100000", {"v": ("data", "/data")}, node=f"w{number}-k8s")
    room.run(30)
    assert room.execute("user-2", "cat /data/1 /data/2 /data/3") == "1\n2\n3\n" and attached(room) == []


def test_a_claim_grows_with_its_file_system(room):
    room.storage_class("disk", DISK, allowVolumeExpansion=True)
    room.claim("data", "1Gi", storage_class="disk")
    room.run(5)
    room.kubectl.patch("persistentvolumeclaims", "default", "data", {"spec": {"resources": {"requests": {"storage": "3Gi"}}}})
    room.run(5)
    claim = room.get("persistentvolumeclaims", "data")
    assert claim["status"]["capacity"] == {"storage": "1Gi"} and room.volume_of("data")["spec"]["capacity"] == {"storage": "3Gi"}
    assert [(entry["type"], entry["message"]) for entry in claim["status"]["conditions"]] == [
        ("FileSystemResizePending", "Waiting for user to (re-)start a pod to finish file system resize of volume on node.")]
    room.run(600)
    assert room.get("persistentvolumeclaims", "data")["status"]["capacity"] == {"storage": "1Gi"}
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    status = room.get("persistentvolumeclaims", "data")["status"]
    assert status == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "3Gi"},
                      "allocatedResources": {"storage": "3Gi"}}
    assert room.events("user", "FileSystemResizeSuccessful")


def test_a_claim_in_use_grows_while_its_pod_runs_and_a_share_needs_no_node(room):
    room.storage_class("disk", DISK, allowVolumeExpansion=True)
    room.storage_class("nfs", SHARE, allowVolumeExpansion=True, parameters={"server": SERVER, "share": "/shared"})
    room.claim("data", storage_class="disk")
    room.claim("files", storage_class="nfs")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(20)
    for claim in ("data", "files"):
        room.kubectl.patch("persistentvolumeclaims", "default", claim, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    room.run(1.5)
    room.reload()
    room.run(20)
    assert [room.get("persistentvolumeclaims", claim)["status"]["capacity"]["storage"] for claim in ("data", "files")] == ["2Gi", "2Gi"]


@pytest.mark.parametrize("grows", [False, None])
def test_a_class_that_does_not_let_its_claims_grow_refuses(room, grows):
    fields = {} if grows is None else {"allowVolumeExpansion": grows}
    room.storage_class("disk", DISK, **fields)
    room.claim("data", storage_class="disk")
    room.run(5)
    with pytest.raises(ApiError) as fault:
        room.kubectl.patch("persistentvolumeclaims", "default", "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    assert fault.value.message == (
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the '
        "pvc must support resize")


def test_an_ephemeral_volume_lives_with_its_pod(room):
    room.storage_class("disk", DISK)
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "disk", "resources": {"requests": {"storage": "1Gi"}}}}
    room.pod("user", volumes={"scratch": ({"ephemeral": {"volumeClaimTemplate": template}}, "/scratch")})
    room.run(30)
    claim = room.get("persistentvolumeclaims", "user-scratch")
    assert room.running("user") and claim["metadata"]["ownerReferences"][0]["name"] == "user"
    room.kubectl.delete("pods", "default", "user")
    room.run(60)
    assert room.list("persistentvolumeclaims") == room.list("persistentvolumes") == []


def test_a_claim_of_somebody_else_is_not_taken_for_an_ephemeral_volume(room):
    room.storage_class("disk", DISK)
    room.claim("user-scratch", storage_class="disk")
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "disk", "resources": {"requests": {"storage": "1Gi"}}}}
    room.pod("user", volumes={"scratch": ({"ephemeral": {"volumeClaimTemplate": template}}, "/scratch")})
    room.run(30)
    assert room.events("user", "FailedBinding") == [
        "ephemeral volume scratch: PVC default/user-scratch was not created for pod default/user (pod is not owner)"]
    assert not room.running("user")


def test_without_the_controller_manager_nothing_is_bound_though_provisioners_run(room):
    room.storage_class("disk", DISK)
    room.claim("before", storage_class="disk")
    room.run(0.5)
    room.cluster.components.stop("kube-controller-manager")
    room.claim("data", storage_class="disk")
    room.run(30)
    assert [room.phase("persistentvolumeclaims", name) for name in ("before", "data")] == ["Pending", "Pending"]
    assert len(room.list("persistentvolumes")) == 1
    room.cluster.components.begin("kube-controller-manager")
    room.run(120)
    assert room.bound("before") and room.bound("data")


def test_every_node_lists_the_drivers_that_are_used(room):
    room.run(1)
    assert [(entry["metadata"]["name"], entry["spec"]["drivers"]) for entry in room.list("csinodes.storage.k8s.io")] == [
        (name, []) for name in sorted(node["metadata"]["name"] for node in room.list("nodes"))]
    room.storage_class("disk", DISK)
    room.run(1)
    for entry in room.list("csinodes.storage.k8s.io"):
        assert [driver["name"] for driver in entry["spec"]["drivers"]] == [DISK]
        assert entry["metadata"]["ownerReferences"][0]["kind"] == "Node"


def test_the_examples_work_as_they_are_applied():
    room, folder = Room(), Path(__file__).parents[3] / "server/rooms/examples"
    resources = {"StorageClass": "storageclasses.storage.k8s.io", "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods"}
    for name in ("local-path-class.yaml", "csi-class.yaml", "local-path-pod.yaml"):
        for obj in yaml.safe_load_all((folder / name).read_text()):
            if obj["kind"] != "StorageClass":
                obj["metadata"]["namespace"] = "default"
            room.kubectl.create(resources[obj["kind"]], obj)
    room.claim("disk", storage_class="csi-hostpath-sc")
    room.claim("files", modes=["ReadWriteMany"], storage_class="nfs-csi")
    room.run(30)
    assert room.running("volume-test") and room.bound("local-path-pvc") and room.bound("disk") and room.bound("files")
    assert len(room.logs("volume-test", "volume-test")) == 1
