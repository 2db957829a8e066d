"""Programs that an image does not hold: from its distribution's mirror, or as a copied file."""

from __future__ import annotations

import json

import pytest

from server.cluster.cluster import Cluster
from tests.cluster.runtime.containers_world import Containers

SLEEP = ["sleep", "36000"]


@pytest.fixture
def world():
    made = Containers()
    made.pod("web", "nginx")
    made.pod("alpine", "alpine", SLEEP)
    made.pod("box", "busybox", SLEEP)
    made.settle(30)
    return made


def test_apt_installs_what_the_mirror_has_once_its_lists_are_there(world):
    said, code = world.run("web", "apt-get install -y procps tree")
    assert code == 100 and said.endswith("E: Unable to locate package procps\n")
    assert world.run("web", "ps")[1] == 127
    said, code = world.run("web", "apt-get update")
    assert code == 0 and said.startswith("Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]\n")
    said, code = world.run("web", "apt-get install -y procps tree && tree -L 1 /etc/nginx && ps aux")
    assert code == 0 and "Setting up procps (2:4.0.2-3) ...\nSetting up tree (2.1.0-1) ...\n/etc/nginx\n" in said
    assert "nginx: worker process" in said and "\nnginx " in said
    said, code = world.run("web", "which ps; apt-get install -y tree")
    assert code == 0 and said.startswith("/usr/bin/ps\n") and "\ntree is already the newest version (2.1.0-1).\n0 upgraded, 0 newly" in said


def test_what_was_installed_is_the_containers_own(world):
    world.run("web", "apt-get update; apt-get install -y tree")
    cluster = Cluster.restore(json.loads(json.dumps(world.cluster.snapshot())))
    world.cluster, world.client = cluster, cluster.client()
    assert world.run("web", "tree /etc/nginx/conf.d")[1] == 0
    world.run("web", "kill 1")
    world.settle(30)
    assert world.run("web", "tree /etc/nginx/conf.d") == ("sh: 1: tree: not found\n", 127)


def test_apt_asks_and_removes(world):
    world.run("web", "apt-get update")
    said, code = world.run("web", "apt-get install tree < /dev/null")
    assert code == 1 and said.endswith("Do you want to continue? [Y/n] Abort.\n") and world.run("web", "tree")[1] == 127
    assert world.run("web", "echo y | apt install tree")[1] == 0 and world.run("web", "tree /etc/nginx")[1] == 0
    assert "Removing tree" in world.run("web", "apt-get remove -y tree")[0] and world.run("web", "tree")[1] == 127


def test_a_package_that_is_not_simulated_is_refused_in_so_many_words(world):
    world.run("web", "apt-get update")
    said, code = world.run("web", "apt-get install -y emacs")
    assert code == 100 and "podium: emacs is none of the packages that are simulated: bash bind9-dnsutils" in said
    said, code = world.run("alpine", "apk add emacs")
    assert code == 1 and "podium: emacs is none of the packages that are simulated: " in said


def test_apk_adds_programs(world):
    assert world.run("alpine", "curl -s http://example.com")[1] == 127
    assert world.run("alpine", "apk add --no-cache curl bind-tools") == (
        "fetch https://dl-cdn.alpinelinux.org/alpine/v3.22/main/x86_64/APKINDEX.tar.gz\n"
        "fetch https://dl-cdn.alpinelinux.org/alpine/v3.22/community/x86_64/APKINDEX.tar.gz\n(1/2) Installing curl (8.14.1-r2)\n"
        "(2/2) Installing bind-tools (9.20.15-r0)\nExecuting busybox-1.37.0-r19.trigger\nOK: 14 MiB in 18 packages\n", 0)
    assert world.run("alpine", f"curl -s http://{world.address('web')}/ | grep -c nginx")[1] == 0
    assert world.run("alpine", "dig +short kubernetes.default.svc.cluster.local")[0] == "10.96.0.1\n"
    assert world.run("alpine", "apk del curl; curl")[1] == 127


def test_what_somebody_wrote_into_the_managers_books_is_no_package(world):
    said, code = world.run("alpine", "echo mine >> /etc/apk/world; apk add tree curl >/dev/null; apk del mine tree curl")
    assert code == 0 and [row[:14] for row in said.splitlines()] == ["(1/2) Purging ", "(2/2) Purging ", "OK: 8 MiB in 1"]
    assert world.run("web", "echo /etc/hosts > /var/lib/dpkg/info/mine.list; apt-get remove -y mine; ls /etc/hosts")[0].endswith(
        "Package 'mine' is not installed, so not removed\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n/etc/hosts\n")


def test_without_a_way_out_the_mirror_is_not_reached(world):
    world.client.create("networkpolicies.networking.k8s.io", {"metadata": {"name": "none", "namespace": "default"}, "spec": {
        "podSelector": {}, "policyTypes": ["Egress"]}})
    world.settle(5)
    said, code = world.run("web", "apt-get update")
    assert code == 0 and "Err:1 http://deb.debian.org/debian bookworm InRelease\n  Temporary failure resolving 'deb.debian.org'\n" in said
    said, code = world.run("alpine", "apk add curl")
    assert code == 1 and said.endswith("ERROR: unable to select packages:\n  curl (no such package):\n    required by: world[curl]\n")


def test_only_root_installs(world):
    world.pod("user", "nginx", SLEEP, container={"securityContext": {"runAsUser": 1000}})
    world.settle(10)
    assert world.run("user", "apt-get update") == (
        "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/\n", 100)


def test_a_copied_program_is_the_same_program(world):
    assert world.run("box", "cp /bin/wc /tmp/wc && printf 'a b' | /tmp/wc -w") == ("2\n", 0)
    assert world.run("box", "cp /bin/wc /tmp/other && /tmp/other") == ("sh: /tmp/other: applet not found\n", 127)
    assert world.run("web", "cp /usr/bin/wc /tmp/count && printf 'a b' | /tmp/count -w") == ("2\n", 0)
    assert world.run("box", "chmod -x /tmp/wc; /tmp/wc") == ("sh: /tmp/wc: Permission denied\n", 126)


def test_a_program_handed_on_in_a_volume_runs_in_the_other_container():
    world = Containers()
    mount = [{"name": "bin", "mountPath": "/shared"}]
    world.pod("p", "x", volumes=[{"name": "bin", "emptyDir": {}}], initContainers=[
        {"name": "copy", "image": "curlimages/curl", "command": ["sh", "-c", "cp $(which curl) /shared/"], "securityContext": {"runAsUser": 0},
         "volumeMounts": mount}], containers=[{"name": "c", "image": "busybox", "command": SLEEP, "volumeMounts": mount}])
    world.settle(40)
    assert world.run("p", "/shared/curl --version")[0].startswith("curl 8.") and world.run("p", "PATH=$PATH:/shared; curl -V")[1] == 0


def test_busybox_runs_its_applets_by_their_names(world):
    assert world.run("box", "busybox echo hi; busybox nope") == ("hi\nnope: applet not found\n", 127)
    assert "wget" in world.run("box", "/bin/busybox --list")[0].split()
