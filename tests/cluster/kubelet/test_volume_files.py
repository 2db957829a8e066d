"""What a container finds in its volumes and who it is there: the kubelet's links, modes, groups; and what it may keep on its node's disk."""

from __future__ import annotations

import re

import pytest

from server.cluster.apiserver.request import Options, Request
from server.cluster.cluster import Cluster


class Room:
    def __init__(self):
        self.cluster = Cluster(seed=1)
        self.client = self.cluster.client()

    def pod(self, name, volumes=None, spec=None, **container):
        mounts = [{"name": title, "mountPath": path, **more} for title, (_, path, more) in (volumes or {}).items()]
        self.client.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {
            "volumes": [{"name": title, **source} for title, (source, _, _) in (volumes or {}).items()],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "100000"], "volumeMounts": mounts, **container}],
            **(spec or {})}})
        self.cluster.clock.run_for(20)

    def run(self, pod, *words, seconds=20.0):
        session = self.cluster.api.request(Request(
            verb="create", resource="pods", subresource="exec", namespace="default", name=pod, user="kubernetes-admin",
            options=Options(command=list(words), stdout=True, stderr=True))).session
        self.cluster.clock.run_for(seconds)
        return "".join(text for _, text in session.output.items)

    def status(self, pod):
        return self.cluster.client().get("pods", "default", pod)["status"]


@pytest.fixture
def room():
    made = Room()
    made.client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"},
                                      "data": {"a.conf": "x=1\n"}, "binaryData": {"raw": "/wA="}})
    return made


def test_a_config_map_shows_the_links_of_the_atomic_writer(room):
    room.pod("user", {"v": ({"configMap": {"name": "settings", "defaultMode": 0o640}}, "/etc/config", {})})
    listed = room.run("user", "ls", "-la", "/etc/config")
    folder = re.search(r"\.\.data -> (\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+)\n", listed)[1]
    assert "drwxrwxrwx    3 root     root" in listed and "a.conf -> ..data/a.conf" in listed
    assert room.run("user", "stat", "-L", "-c", "%a %s", "/etc/config/raw") == "640 2\n"
    assert room.run("user", "readlink", "-f", "/etc/config/a.conf") == f"/etc/config/{folder}/a.conf\n"
    assert room.run("user", "touch", "/etc/config/new") == "touch: /etc/config/new: Read-only file system\n"


def test_after_an_edit_the_links_lead_to_a_new_directory(room):
    room.pod("user", {"v": ({"configMap": {"name": "settings"}}, "/etc/config", {})})
    before = room.run("user", "readlink", "/etc/config/..data")
    room.client.update("configmaps", {**room.client.get("configmaps", "default", "settings"), "data": {"a.conf": "x=2\n"}})
    room.cluster.clock.run_for(120)
    assert room.run("user", "cat", "/etc/config/a.conf") == "x=2\n" and room.run("user", "readlink", "/etc/config/..data") != before


def test_a_security_context_says_who_a_container_is_and_where_it_may_write(room):
    room.pod("user", {"e": ({"emptyDir": {}}, "/data", {})}, {"securityContext": {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}})
    assert room.run("user", "id") == "uid=1000 gid=3000 groups=3000,2000\n"
    assert room.run("user", "whoami") == "whoami: unknown uid 1000\n"
    assert room.run("user", "touch", "/etc/x") == "touch: /etc/x: Permission denied\n" and room.run("user", "touch", "/data/x") == ""
    assert room.run("user", "stat", "-c", "%u %g", "/data/x") == "1000 2000\n"
    room.pod("fixed", securityContext={"readOnlyRootFilesystem": True})
    assert room.run("fixed", "touch", "/tmp/x") == "touch: /tmp/x: Read-only file system\n"


def test_a_container_that_keeps_more_than_its_limit_on_the_disk_is_evicted(room):
    room.pod("user", resources={"limits": {"ephemeral-storage": "100Mi"}})
    room.run("user", "dd", "if=/dev/zero", "of=/x", "bs=1M", "count=99")
    assert room.status("user")["phase"] == "Running"
    room.run("user", "dd", "if=/dev/zero", "of=/y", "bs=1M", "count=9", seconds=40)
    assert room.status("user")["reason"] == "Evicted"
    assert room.status("user")["message"] == "Pod ephemeral local storage usage exceeds the total limit of containers 100Mi. "


def test_a_disk_that_is_filled_brings_its_node_under_pressure(room):
    room.pod("greedy")
    node = room.client.get("pods", "default", "greedy")["spec"]["nodeName"]
    room.run("greedy", "dd", "if=/dev/zero", "of=/x", "bs=1M", seconds=300)
    conditions = {entry["type"]: entry["status"] for entry in room.client.get("nodes", "", node)["status"]["conditions"]}
    assert conditions["DiskPressure"] == "True" and room.status("greedy")["reason"] == "Evicted"


def test_files_and_their_facts_survive_a_restart(room):
    room.pod("user", {"e": ({"emptyDir": {}}, "/data", {})})
    for words in (("touch", "-d", "2001-02-03 04:05:06", "/data/x"), ("chmod", "700", "/data/x"), ("ln", "-s", "x", "/data/l"), ("rm", "/etc/group"),
                  ("dd", "if=/dev/zero", "of=/big", "bs=1M", "count=64")):
        room.run("user", *words)
    room.cluster = Cluster.restore(room.cluster.snapshot())
    assert room.run("user", "stat", "-c", "%a %Y", "/data/x") == "700 981173106\n" and room.run("user", "readlink", "/data/l") == "x\n"
    assert "group" not in room.run("user", "ls", "/etc").split() and room.run("user", "stat", "-c", "%s", "/big") == "67108864\n"
