"""Whose processes a container sees: its own, its pod's, those of the container that it was sent to, or all of the node's."""

from __future__ import annotations

import json

import pytest

from server.cluster.cluster import Cluster
from tests.cluster.runtime.containers_world import Containers

SLEEP = ["sleep", "36000"]


def _shared() -> Containers:
    world = Containers()
    world.pod("p", "nginx", shareProcessNamespace=True, containers=[
        {"name": "web", "image": "nginx"}, {"name": "c", "image": "busybox", "command": SLEEP}])
    world.pod("alone", "busybox", SLEEP)
    world.settle(30)
    return world


def _restarted(world: Containers) -> Containers:
    cluster = Cluster.restore(json.loads(json.dumps(world.cluster.snapshot())))
    other = Containers.__new__(Containers)
    other.cluster, other.client = cluster, cluster.client()
    return other


def _pids(world: Containers, pod: str = "p", **where: str) -> dict[str, int]:
    """By the first word and the last one of each row but ps's own."""
    rows = world.run(pod, ["ps", "-o", "pid,args"], **where)[0].splitlines()[1:]
    return {row.split(None, 1)[1]: int(row.split()[0]) for row in rows if "ps -o" not in row}


def _status(world: Containers, pod: str, name: str, field: str = "containerStatuses") -> dict:
    return next(each for each in world.client.get("pods", "default", pod)["status"][field] if each["name"] == name)


def test_containers_that_share_see_pause_and_each_other():
    world = _shared()
    assert world.run("p", "ps")[0].splitlines() == [
        "PID   USER     TIME  COMMAND", "    1 65535     0:00 /pause", "    8 root      0:00 nginx: master process nginx -g daemon off;",
        "    9 101       0:00 nginx: worker process", "   10 101       0:00 nginx: worker process", "   17 root      0:00 sleep 36000",
        "   18 root      0:00 ps"]
    assert world.run("p", "cat /proc/8/comm; ls -d /proc/[0-9]* | wc -l; echo $$", container="web")[0].split()[0] == "nginx"
    assert "pause" not in world.run("alone", "ps")[0] and "    1 root      0:00 sleep 36000" in world.run("alone", "ps")[0]


def test_the_files_of_another_container_are_below_its_process():
    world = _shared()
    assert "worker_processes" in world.run("p", "head /proc/8/root/etc/nginx/nginx.conf")[0]
    assert world.run("p", "echo hi > /proc/8/root/tmp/said && ls /proc/8/root | grep -c docker-entrypoint") == ("2\n", 0)
    assert world.run("p", "cat /tmp/said", container="web") == ("hi\n", 0)
    assert world.run("p", "cat /tmp/said")[1] == 1
    assert world.run("p", "ls /proc/99/root")[1] == 1
    assert world.run("p", "mv /proc/8/root/tmp/said /tmp/here && cat /tmp/here; ls /proc/8/root/tmp")[0] == "hi\n"
    kept = _restarted(world)
    assert kept.run("p", "cat /tmp/here; ls /proc/8/root/tmp")[0] == "hi\n"


def test_who_walks_all_files_does_not_go_round_in_circles():
    world = _shared()
    assert world.run("p", "find / -name nginx.conf; find /proc/8/root/etc -name nginx.conf") == ("/proc/8/root/etc/nginx/nginx.conf\n", 0)
    assert world.run("p", "ls -ld /proc/8/root | grep -o 'root -> .*'; test -d /proc/8/root && echo there") == ("root -> /\nthere\n", 0)
    host = _on_the_host()
    assert host.run("p", "find / -name nginx.conf -not -path '/host/*' | wc -l") == ("0\n", 0)


def test_who_is_not_the_owner_may_not_look_into_another_container():
    world = Containers()
    world.pod("p", "nginx", shareProcessNamespace=True, containers=[
        {"name": "web", "image": "nginx"}, {"name": "c", "image": "busybox", "command": SLEEP, "securityContext": {"runAsUser": 1000}}])
    world.settle(30)
    said, code = world.run("p", "cat /proc/8/root/etc/passwd")
    assert code == 1 and said == "cat: can't open '/proc/8/root/etc/passwd': Permission denied\n"


def test_a_signal_reaches_the_other_container_and_ends_it():
    world = _shared()
    assert world.run("p", "kill -TERM 8; kill -0 99") == ("sh: can't kill pid 99: No such process\n", 1)
    world.settle(10)
    assert _status(world, "p", "web")["restartCount"] == 1 and _status(world, "p", "c")["restartCount"] == 0
    pids = _pids(world)
    assert pids["sleep 36000"] == 17 and pids["nginx: master process nginx -g daemon off;"] > 18
    assert world.run("p", "killall sleep")[1] == 0
    world.settle(10)
    assert _status(world, "p", "c")["lastState"]["terminated"]["exitCode"] == 143


def test_numbers_are_the_same_after_a_restart_and_no_two_are_alike():
    world = _shared()
    world.run("p", "kill 8")
    world.settle(10)
    before = _pids(world)
    after = _restarted(world)
    assert _pids(after) == before
    assert len(set(before.values())) == len(before)
    assert int(after.run("p", "echo $$")[0]) > max(before.values())


@pytest.fixture
def aimed():
    world = Containers()
    world.pod("p", "nginx")
    world.settle(30)
    pod = world.client.get("pods", "default", "p")
    pod = {**pod, "spec": {**pod["spec"], "ephemeralContainers": [
        {"name": "dbg", "image": "busybox", "command": SLEEP, "targetContainerName": "c"}]}}
    world.client.update("pods", pod, subresource="ephemeralcontainers")
    world.settle(10)
    return world


def test_an_ephemeral_container_is_among_the_processes_of_its_target(aimed):
    pids = _pids(aimed, container="dbg")
    assert pids["nginx: master process nginx -g daemon off;"] == 1 and pids["sleep 36000"] > 3
    assert "sleep 36000" in aimed.run("p", "cat /proc/*/cmdline | tr '\\0' ' '")[0]
    assert "Welcome" in aimed.run("p", "cat /proc/1/root/usr/share/nginx/html/index.html", container="dbg")[0]
    assert aimed.run("p", "kill -9 1; echo $?", container="dbg") == ("0\n", 0)
    aimed.settle(5)
    assert _status(aimed, "p", "c")["restartCount"] == 0
    assert _pids(_restarted(aimed), container="dbg") == pids


def test_it_dies_with_its_target(aimed):
    aimed.run("p", "kill 1", container="dbg")
    aimed.settle(10)
    assert _status(aimed, "p", "c")["restartCount"] == 1
    assert _status(aimed, "p", "dbg", "ephemeralContainerStatuses")["state"]["terminated"]["exitCode"] == 137


def _on_the_host(**container) -> Containers:
    world = Containers()
    for name, spec in (("web", {"image": "nginx"}), ("p", {"image": "busybox", "command": SLEEP, "container": {
            "volumeMounts": [{"name": "root", "mountPath": "/host"}], **container}, "hostPID": True, "volumes": [
                {"name": "root", "hostPath": {"path": "/"}}]})):
        world.pod(name, nodeName="w1-k8s", **spec)
    world.settle(30)
    return world


def test_a_pod_with_the_hosts_processes_sees_the_nodes_own_and_every_pods():
    world = _on_the_host()
    pids = _pids(world)
    assert pids["/sbin/init"] == 1 and any(words.startswith("/usr/bin/kubelet ") for words in pids) and "/pause" in pids
    number = pids["nginx: master process nginx -g daemon off;"]
    assert number > 4000
    assert "worker_processes" in world.run("p", f"cat /proc/{number}/root/etc/nginx/nginx.conf")[0]
    assert world.run("p", "cat /proc/1/root/etc/hostname")[0] == "w1-k8s\n"
    assert _pids(_restarted(world)) == pids
    world.run("p", f"kill {number}")
    world.settle(10)
    assert _status(world, "web", "c")["restartCount"] == 1


def test_the_nodes_root_below_a_mount_can_be_lived_in():
    world = _on_the_host()
    assert world.run("p", "chroot /host hostname; chroot /host crictl ps | grep -c web; cat /host/etc/hostname") == ("w1-k8s\n1\nw1-k8s\n", 0)
    assert world.run("p", "echo 'ls -d /var/lib/kubelet; exit 3' | chroot /host sh") == ("/var/lib/kubelet\n", 3)
    assert world.run("p", "chroot /nope") == ("chroot: can't change root directory to '/nope': No such file or directory\n", 1)
    assert world.run("p", "chroot /tmp ls") == ("chroot: can't execute 'ls': No such file or directory\n", 127)
    assert world.run("p", "chroot / echo same") == ("same\n", 0)
    assert world.run("web", "chroot /tmp ls")[0] == "chroot: 'ls': No such file or directory\n"


def test_only_the_privileged_enter_another_name_space():
    world = _on_the_host()
    assert world.run("p", "nsenter -t 1 -m hostname") == ("nsenter: can't open '/proc/1/ns/mnt': Permission denied\n", 1)
    world = _on_the_host(securityContext={"privileged": True})
    assert world.run("p", "nsenter -t 1 -m -u -i -n -p -- hostname") == ("w1-k8s\n", 0)
    assert world.run("p", "nsenter -t 4000000 -m hostname")[0].endswith("No such file or directory\n")
    number = _pids(world)["nginx: master process nginx -g daemon off;"]
    assert world.run("p", f"nsenter -t {number} -n ip -4 addr show eth0 | grep -o '10[.][0-9.]*'")[0].strip() == world.address("web")
    assert "docker-entrypoint.sh" in world.run("p", f"nsenter -t {number} -a ls /")[0]


def test_from_one_processes_files_to_the_next_is_a_link_and_links_have_an_end():
    world = _shared()
    here, there = _pids(world, container="c")["sleep 36000"], _pids(world, container="c")["nginx: master process nginx -g daemon off;"]
    door = f"/proc/{there}/root/proc/{here}/root"
    assert world.run("p", f"cat {door * 2}/etc/hostname", container="c") == ("p\n", 0)
    said, code = world.run("p", f"ls {door * 60}/etc", container="c")
    assert code == 1 and said.endswith("Too many levels of symbolic links\n")
    said, code = world.run("p", f"ls {door * 200}/etc", container="c")
    assert code == 1 and said.endswith("File name too long\n")


@pytest.mark.parametrize(("context", "rows"), [
    ({}, ("0000000000000000", "00000000a80425fb", "00000000a80425fb", "0", "0")),
    ({"capabilities": {"add": ["NET_ADMIN", "SYS_TIME"]}}, ("0000000000000000", "00000000aa0435fb", "00000000aa0435fb", "0", "0")),
    ({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}, ("0000000000000000", "0000000000000400", "0000000000000400", "0", "0")),
    ({"privileged": True}, ("0000000000000000", "000001ffffffffff", "000001ffffffffff", "0", "0")),
    ({"runAsUser": 1000, "allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}},
     ("0000000000000000", "0000000000000000", "00000000a80425fb", "1", "2"))])
def test_capabilities_are_shown_in_a_processes_status(context, rows):
    world = Containers()
    world.pod("p", "busybox", SLEEP, container={"securityContext": context})
    world.settle(30)
    said, _ = world.run("p", "grep -E '^(CapInh|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status")
    assert tuple(row.split("\t")[1] for row in said.splitlines()) == rows
