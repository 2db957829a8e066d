"""What a container finds in its volumes, and what the kubelet says when it cannot mount them."""

from __future__ import annotations

import pytest

from tests.storage_room import SERVER, Room


@pytest.fixture
def room():
    return Room()


def config(room, name="cfg", kind="configmaps", **data):
    encoded = {"stringData": data} if kind == "secrets" else {"data": data}
    return room.kubectl.create(kind, {"metadata": {"name": name, "namespace": "default"}, **encoded})


# volumes of the pod's own

def test_containers_share_an_empty_dir_which_goes_with_the_pod(room):
    mounts = [{"name": "v", "mountPath": "/data"}]
    room.pod("user", volumes={"v": ({"emptyDir": {}}, "/x")}, containers=[
        {"name": "writer", "image": "busybox", "command": ["sh", "-c", "echo hi > /data/x; sleep 1000"], "volumeMounts": mounts},
        {"name": "c", "image": "busybox", "command": ["sleep", "1000"], "volumeMounts": mounts}])
    room.run(20)
    assert room.execute("user", "cat /data/x; ls /data") == "hi\nx\n"
    room.reload()
    assert room.execute("user", "cat /data/x") == "hi\n"
    room.kubectl.delete("pods", "default", "user")
    room.run(10)
    assert room.cluster.parts.disks.names("pod/") == []


def test_an_empty_dir_outlives_its_container(room):
    room.pod("user", "date >> /data/x; sleep 30; exit 1", {"v": ({"emptyDir": {}}, "/data")})
    room.run(60)
    assert room.get("pods", "user")["status"]["containerStatuses"][0]["restartCount"] == 1
    assert room.execute("user", "cat /data/x").count("\n") == 2


def test_an_empty_dir_on_disk_that_grows_too_big_costs_the_pod_its_life(room):
    room.pod("user", "seq 1 1000 > /data/x; sleep 1000", {"v": ({"emptyDir": {"sizeLimit": "2Ki"}}, "/data")})
    room.pod("fine", "seq 1 10 > /data/x; sleep 1000", {"v": ({"emptyDir": {"sizeLimit": "2Ki"}}, "/data")})
    room.run(40)
    status = room.get("pods", "user")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["message"] == 'Usage of EmptyDir volume "v" exceeds the limit "2Ki". '
    assert room.events("user", "Evicted") == [status["message"]] and room.running("fine")


def test_an_empty_dir_in_memory_is_full_at_its_limit(room):
    room.pod("user", "seq 1 1000 > /data/x; sleep 1000", {"v": ({"emptyDir": {"medium": "Memory", "sizeLimit": "2Ki"}}, "/data")})
    room.run(40)
    assert room.running("user") and room.logs("user") == ["seq: write error: No space left on device"]


def test_a_host_path_is_the_nodes_and_outlives_pods(room):
    source = {"hostPath": {"path": "/data", "type": "DirectoryOrCreate"}}
    room.pod("one", "echo hi > /here/x; sleep 1000", {"v": (source, "/here")}, node="w1-k8s")
    room.run(10)
    room.kubectl.delete("pods", "default", "one", grace_period=0)
    room.reload()
    room.pod("same", volumes={"v": (source, "/there")}, node="w1-k8s")
    room.pod("else", volumes={"v": (source, "/there")}, node="w2-k8s")
    room.run(10)
    assert room.execute("same", "cat /there/x") == "hi\n"
    assert room.execute("else", "cat /there/x") == "cat: can't open '/there/x': No such file or directory\n"


@pytest.mark.parametrize(("path", "type_", "why"), [
    ("/nowhere", "Directory", "hostPath type check failed: /nowhere is not a directory"),
    ("/etc/hosts", "Directory", "hostPath type check failed: /etc/hosts is not a directory"),
    ("/etc/hosts", "DirectoryOrCreate", "hostPath type check failed: /etc/hosts is not a directory"),
    ("/nowhere", "File", "hostPath type check failed: /nowhere is not a file"),
    ("/tmp", "FileOrCreate", "hostPath type check failed: /tmp is not a file"),  # noqa: S108
    ("/nowhere/x", "FileOrCreate", "open /nowhere/x: no such file or directory"),
    ("/var/run/docker.sock", "Socket", "hostPath type check failed: /var/run/docker.sock is not a socket file"),
    ("/etc/hosts", "CharDevice", "hostPath type check failed: /etc/hosts is not a character device"),
    ("/etc/hosts", "BlockDevice", "hostPath type check failed: /etc/hosts is not a block device"),
    ("/nowhere", "", None), ("/nowhere", "DirectoryOrCreate", None), ("/tmp/new", "FileOrCreate", None), ("/etc", "Directory", None),  # noqa: S108
    ("/etc/hosts", "File", None), ("/run/containerd/containerd.sock", "Socket", None), ("/dev/null", "CharDevice", None),
])
def test_a_host_path_must_be_what_it_is_said_to_be(room, path, type_, why):
    room.pod("user", volumes={"v": ({"hostPath": {"path": path, "type": type_}}, "/here")}, node="w1-k8s")
    room.run(10)
    assert room.running("user") == (why is None)
    assert set(room.events("user", "FailedMount")) == ({f'MountVolume.SetUp failed for volume "v" : {why}'} if why else set())


def test_read_only_means_it(room):
    source = {"hostPath": {"path": "/data"}}
    room.pod("user", volumes={"v": (source, "/here", {"readOnly": True})}, node="w1-k8s")
    room.run(10)
    assert room.execute("user", "echo x > /here/x") == "sh: can't create /here/x: Read-only file system\n"
    assert room.execute("user", "mkdir /here/d") == "mkdir: can't create directory '/here/d': Read-only file system\n"


def test_a_sub_path_is_a_part_of_the_volume(room):
    source = {"hostPath": {"path": "/data"}}
    room.pod("whole", "mkdir -p /here/a/b; echo deep > /here/a/b/x; sleep 1000", {"v": (source, "/here")}, node="w1-k8s")
    room.pod("part", volumes={"v": (source, "/there", {"subPath": "a/b"})}, node="w1-k8s")
    room.run(10)
    assert room.execute("part", "cat /there/x; echo more > /there/y; ls /there") == "deep\nx\ny\n"
    assert room.execute("whole", "cat /here/a/b/y; echo z > /here/nowhere/z") == "more\nsh: can't create /here/nowhere/z: nonexistent directory\n"


def test_a_sub_path_may_be_made_of_variables(room):
    source = {"hostPath": {"path": "/data"}}
    room.pod("user", volumes={"v": (source, "/here")}, node="w1-k8s", containers=[{
        "name": "c", "image": "busybox", "command": ["sh", "-c", "echo hi > /logs/x; sleep 1000"],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "volumeMounts": [{"name": "v", "mountPath": "/logs", "subPathExpr": "of-$(POD)"}, {"name": "v", "mountPath": "/all"}]}])
    room.run(10)
    assert room.execute("user", "cat /all/of-user/x") == "hi\n"


# NFS

def test_the_notes_share_is_one_for_all_nodes(room):
    room.volume("nfs-pv", "100Mi", ["ReadWriteMany"], nfs={"server": SERVER, "path": "/shared"})
    room.claim("nfs-pvc", "10Mi", ["ReadWriteMany"])
    for number in (1, 2):
        room.pod(f"web-{number}", volumes={"v": ("nfs-pvc", "/usr/share/nginx/html")}, node=f"w{number}-k8s")
    room.run(15)
    room.execute("web-1", "echo hello > /usr/share/nginx/html/index.html")
    assert room.execute("web-2", "cat /usr/share/nginx/html/index.html") == "hello\n"


def test_a_path_that_is_not_exported_fails_at_once_and_again(room):
    room.pod("user", volumes={"v": ({"nfs": {"server": SERVER, "path": "/wrong"}}, "/data")}, node="w1-k8s")
    room.run(60)
    uid = room.get("pods", "user")["metadata"]["uid"]
    assert room.events("user", "FailedMount") == [
        'MountVolume.SetUp failed for volume "v" : mount failed: exit status 32\nMounting command: mount\n'
        f"Mounting arguments: -t nfs {SERVER}:/wrong /var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~nfs/v\n"
        f"Output: mount.nfs: mounting {SERVER}:/wrong failed, reason given by server: No such file or directory\n"]
    count = next(event["count"] for event in room.list("events") if event["reason"] == "FailedMount")
    assert 6 <= count <= 8


def test_a_server_that_does_not_answer_hangs_the_mount(room):
    room.pod("user", volumes={"v": ({"nfs": {"server": "10.9.9.9", "path": "/x"}}, "/data")}, node="w1-k8s")
    room.run(120)
    assert room.events("user", "FailedMount") == []
    room.run(10)
    assert room.events("user", "FailedMount") == [
        "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]: "
        "context deadline exceeded"]
    room.reload()
    room.run(60)
    assert "Output: mount.nfs: Connection timed out" in room.events("user", "FailedMount")[1]


@pytest.mark.parametrize(("server", "why"), [
    ("192.168.1.101", "mount.nfs: Connection refused"),
    ("nas.example.com", "mount.nfs: Failed to resolve server nas.example.com: Name or service not known")])
def test_other_servers_fail_as_they_would(room, server, why):
    room.pod("user", volumes={"v": ({"nfs": {"server": server, "path": "/x"}}, "/data")}, node="w1-k8s")
    room.run(5)
    assert f"Output: {why}\n" in room.events("user", "FailedMount")[0]


# volumes by way of a claim

def test_a_local_volume_must_exist_on_its_node(room):
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1-k8s"]}]}]}}
    room.volume("pv", local={"path": "/mnt/new"}, nodeAffinity=affinity)
    room.claim("data")
    room.pod("user", volumes={"v": ("data", "/data")})
    room.run(10)
    assert room.events("user", "FailedMount") == [
        'MountVolume.NewMounter initialization failed for volume "pv" : path "/mnt/new" does not exist']
    room.pod("maker", volumes={"v": ({"hostPath": {"path": "/mnt/new", "type": "DirectoryOrCreate"}}, "/x")}, node="w1-k8s")
    room.run(130)
    assert room.running("user")


def test_a_pod_that_was_sent_by_hand_to_the_wrong_node_cannot_have_its_volume(room):
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1-k8s"]}]}]}}
    room.volume("pv", local={"path": "/mnt/data"}, nodeAffinity=affinity)
    room.claim("data")
    room.run(1)
    room.pod("user", volumes={"v": ("data", "/data")}, node="w2-k8s")
    room.run(10)
    assert room.events("user", "FailedMount") == ['MountVolume.NodeAffinity check failed for volume "pv" : no matching NodeSelectorTerms']


@pytest.mark.parametrize(("source", "why"), [
    ("data", 'error processing PVC default/data: failed to fetch PVC from API server: persistentvolumeclaims "data" not found'),
    ({"awsElasticBlockStore": {"volumeID": "v"}}, 'failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched')])
def test_what_the_kubelet_cannot_make_out_is_told(room, source, why):
    room.pod("user", volumes={"v": (source, "/data")}, node="w1-k8s")
    room.run(1)
    assert room.events("user", "FailedMount") == [
        f"Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: {why}"]


def test_a_disk_is_full_at_its_size(room):
    room.storage_class("disk", "hostpath.csi.k8s.io")
    room.claim("data", "1Ki", storage_class="disk")
    room.pod("user", "seq 1 1000 > /data/x; echo rest > /data/y; sleep 1000", {"v": ("data", "/data")})
    room.run(20)
    assert room.logs("user") == ["seq: write error: No space left on device"] and room.execute("user", "cat /data/y") == "rest\n"


def test_a_claim_may_be_mounted_read_only(room):
    room.volume("pv", modes=["ReadWriteMany"])
    room.claim("data", modes=["ReadWriteMany"])
    room.pod("user", volumes={"v": ({"persistentVolumeClaim": {"claimName": "data", "readOnly": True}}, "/data")})
    room.run(15)
    assert room.execute("user", "touch /data/x") == "touch: /data/x: Read-only file system\n"


# volumes made of objects

def test_config_maps_and_secrets_are_files(room):
    config(room, a="one", b="two")
    config(room, "key", "secrets", token="open")
    room.pod("user", volumes={
        "cfg": ({"configMap": {"name": "cfg"}}, "/cfg"),
        "some": ({"configMap": {"name": "cfg", "items": [{"key": "b", "path": "deep/b.txt"}]}}, "/some"),
        "key": ({"secret": {"secretName": "key"}}, "/key"),
        "maybe": ({"configMap": {"name": "missing", "optional": True}}, "/maybe"),
        "all": ({"projected": {"sources": [{"configMap": {"name": "cfg"}}, {"secret": {"name": "key"}}, {"downwardAPI": {"items": [
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}, "/all"),
        "down": ({"downwardAPI": {"items": [
            {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
            {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "requests.cpu", "divisor": "1m"}}]}}, "/down")})
    room.run(15)
    assert room.execute("user", "ls /cfg; cat /cfg/a; ls /some/deep; cat /some/deep/b.txt; cat /key/token; ls /maybe") == (
        "a\nb\noneb.txt\ntwoopen")
    assert room.execute("user", "ls /all; cat /all/labels; cat /down/name; cat /down/cpu") == 'a\nb\nlabels\ntoken\napp="user"user0'
    assert room.execute("user", "echo x > /cfg/a").endswith("Read-only file system\n")


@pytest.mark.parametrize(("source", "why"), [
    ({"configMap": {"name": "cfg"}}, 'configmap "cfg" not found'),
    ({"secret": {"secretName": "key"}}, 'secret "key" not found'),
    ({"configMap": {"name": "there", "items": [{"key": "x", "path": "x"}]}}, "references non-existent config key: x")])
def test_a_pod_waits_for_the_objects_that_its_volumes_are_made_of(room, source, why):
    config(room, "there", a="one")
    room.pod("user", volumes={"v": (source, "/data")}, node="w1-k8s")
    room.run(30)
    assert room.events("user", "FailedMount") == [f'MountVolume.SetUp failed for volume "v" : {why}']
    assert room.get("pods", "user")["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


@pytest.mark.parametrize("restarted", [False, True])
def test_an_edited_config_map_is_seen_about_a_minute_later_but_not_by_sub_path(room, restarted):
    config(room, a="one")
    room.pod("user", volumes={"v": ({"configMap": {"name": "cfg"}}, "/cfg"), "w": ({"configMap": {"name": "cfg"}}, "/sub", {"subPath": "a"})})
    room.run(15)
    room.kubectl.patch("configmaps", "default", "cfg", {"data": {"a": "two", "b": "new"}})
    assert room.execute("user", "cat /cfg/a; ls /cfg") == "onea\n"
    if restarted:
        room.run(0.5)
        room.reload()
    started = room.cluster.clock.now
    assert room.cluster.run_until(lambda: room.execute("user", "cat /cfg/a") == "two", 200)
    assert 0 < room.cluster.clock.now - started <= 91
    room.run(100)
    if restarted:
        room.reload()
    assert room.execute("user", "cat /cfg/a; ls /cfg; cat /sub") == "twoa\nb\none"
    room.kubectl.delete("configmaps", "default", "cfg")
    room.run(200)
    assert room.execute("user", "cat /cfg/a") == "two"


def test_a_pod_made_after_an_edit_has_the_new_content_at_once(room):
    config(room, a="one")
    room.pod("old", volumes={"v": ({"configMap": {"name": "cfg"}}, "/cfg")})
    room.run(15)
    room.kubectl.patch("configmaps", "default", "cfg", {"data": {"a": "two"}})
    room.pod("new", volumes={"v": ({"configMap": {"name": "cfg"}}, "/cfg", {"subPath": ""})})
    room.cluster.run_until(lambda: room.running("new"), 60)
    assert room.execute("new", "cat /cfg/a") == "two"


def test_refreshing_costs_nothing_but_at_an_edit(room):
    config(room, a="one")
    room.pod("user", volumes={"v": ({"configMap": {"name": "cfg"}}, "/cfg")})
    room.run(400)
    assert room.cluster.clock.next_due() is None or room.cluster.clock.next_due() > room.cluster.clock.now + 300
    assert not any("refresh" in str(value) or "frozen" in str(value) for _, value in room.cluster.store.state.items("pod/"))
    room.kubectl.patch("configmaps", "default", "cfg", {"data": {"a": "two"}})
    room.run(100)
    assert room.execute("user", "cat /cfg/a") == "two"
    assert not any("refresh" in str(value) or "frozen" in str(value) for _, value in room.cluster.store.state.items("pod/"))


def test_a_probe_sees_what_another_pod_wrote_to_a_shared_volume(room):
    room.volume("pv", modes=["ReadWriteMany"])
    room.claim("data", modes=["ReadWriteMany"])
    room.pod("writer", "sleep 60; touch /data/ready; sleep 1000", {"v": ("data", "/data")})
    room.pod("reader", volumes={"v": ("data", "/data")}, containers=[{
        "name": "c", "image": "busybox", "command": ["sleep", "1000"], "volumeMounts": [{"name": "v", "mountPath": "/data"}],
        "readinessProbe": {"exec": {"command": ["cat", "/data/ready"]}, "periodSeconds": 5}}])
    room.run(40)
    ready = lambda: room.get("pods", "reader")["status"]["containerStatuses"][0]["ready"]  # noqa: E731
    assert not ready()
    room.run(50)
    assert ready()
