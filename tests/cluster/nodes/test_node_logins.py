"""Nodes as machines one logs in to: ssh and its failures, what docker and crictl show, the kubelet as a service, static pods as files."""

from __future__ import annotations

import json

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import PRESETS
from tests.rooms.desk import Desk


@pytest.fixture(scope="module")
def shared():
    desk = Desk(Cluster(seed=12))
    desk.run("kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeName\":\"w1-k8s\"}}'\n"
             "kubectl run once --image=busybox --restart=Never --overrides='{\"spec\":{\"nodeName\":\"w1-k8s\"}}' -- sh -c 'echo said; exit 3'")
    desk.pass_(30)
    return desk


@pytest.fixture
def desk():
    desk = Desk(Cluster(seed=13))
    desk.run("kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeName\":\"w1-k8s\"}}'")
    desk.pass_(30)
    return desk


# ssh


def test_ssh_runs_a_command_or_a_shell_and_comes_back(shared):
    assert shared.run("ssh w1-k8s hostname") == ("w1-k8s\n", "", 0)
    assert shared.run("ssh root@192.168.1.102 'hostname; exit 7'") == ("w2-k8s\n", "", 7)
    assert shared.said("echo 'echo from $(hostname)' | ssh -T w3-k8s") == "from w3-k8s\n"
    screen = shared.sit("ssh w1-k8s")
    assert screen.text.endswith("root@w1-k8s:~# ")
    assert screen.type("cd /etc; ls -d kube*\r") == "cd /etc; ls -d kube*\nkubernetes\nroot@w1-k8s:/etc# "
    assert screen.type("ssh m-k8s hostname\r").split("\n")[1] == "m-k8s"
    assert screen.type("exit\r").endswith("Connection to w1-k8s closed.\n") and screen.code == 0
    assert shared.said("hostname") == "podium\n"


def test_ctrl_c_goes_to_the_other_machine(shared):
    screen = shared.sit("ssh w1-k8s")
    screen.type("sleep 1000\r")
    assert "^C" in screen.type("\x03") and screen.code is None
    assert "still" in screen.type("echo still\r")
    screen.type("\x04")
    assert screen.code is not None


def test_ssh_fails_as_it_does(shared):
    assert shared.run("ssh nosuch") == ("", "ssh: Could not resolve hostname nosuch: Name or service not known\n", 255)
    assert shared.run("ssh kim@w1-k8s") == ("", "kim@w1-k8s: Permission denied (publickey,password).\n", 255)
    assert shared.run("ssh -p 2222 w1-k8s") == ("", "ssh: connect to host w1-k8s port 2222: Connection refused\n", 255)
    assert shared.run("ssh").stderr.startswith("usage: ssh [-46AaCf") and shared.run("ssh").code == 255
    assert shared.run("ssh -Z w1-k8s").stderr.startswith("unknown option -- Z\nusage: ssh")
    assert shared.run("docker ps").code == 127


def test_a_machine_without_power_or_network_is_not_reached_and_throws_people_out(desk):
    screen = desk.sit("ssh w2-k8s")
    fault = desk.cluster.chaos.inject("power", "w2-k8s")
    desk.pass_(1)
    assert screen.text.endswith("Connection to w2-k8s closed by remote host.\nConnection to w2-k8s closed.\n") and screen.code == 255
    assert desk.run("ssh w2-k8s").stderr == "ssh: connect to host w2-k8s port 22: No route to host\n"
    desk.cluster.chaos.heal(fault["id"])
    assert desk.run("ssh w2-k8s true").code == 0
    desk.cluster.chaos.inject("network", "w3-k8s")
    assert desk.run("ssh w3-k8s").stderr in ("ssh: connect to host w3-k8s port 22: Connection timed out\n",
                                             "ssh: connect to host w3-k8s port 22: No route to host\n")


# docker and crictl


def test_docker_lists_containers_with_the_labels_that_the_notes_filter_by(shared):
    ids = shared.said("ssh w1-k8s docker container ls -q --filter label=io.kubernetes.container.name=web").split()
    assert len(ids) == 1 and len(ids[0]) == 12
    assert shared.said("ssh w1-k8s docker ps --filter label=io.kubernetes.container.name=nothing -q") == ""
    head, *rows = shared.said("ssh w1-k8s docker ps").splitlines()
    assert head.split("  ")[0] == "CONTAINER ID" and head.endswith("NAMES")
    assert any("k8s_web_web_default_" in row and row.endswith("_0") for row in rows) and any("k8s_POD_web_default_" in row for row in rows)
    labels = '{{.Label "io.kubernetes.pod.name"}}/{{.Label "io.kubernetes.pod.namespace"}} {{.State}}'
    assert "web/default running" in shared.said(f"ssh w1-k8s <<'E'\ndocker ps --format '{labels}'\nE")
    assert "once" not in shared.said("ssh w1-k8s docker ps --format '{{.Names}}'").replace("k8s_POD_once", "")
    assert shared.said("ssh w1-k8s \"docker ps -a --filter name=k8s_once_ --format '{{.Status}}'\"").startswith("Exited (3) ")


def test_docker_shows_logs_and_configuration_and_enters_containers(shared):
    name = shared.said("ssh w1-k8s docker ps -aq --filter name=k8s_once_").strip()
    assert shared.said(f"ssh w1-k8s docker logs {name}") == "said\n"
    seen = json.loads(shared.said(f"ssh w1-k8s docker inspect {name}"))[0]
    assert seen["State"]["ExitCode"] == 3 and seen["Config"]["Labels"]["io.kubernetes.pod.namespace"] == "default"
    assert shared.said(f"ssh w1-k8s \"docker inspect -f '{{{{.State.Status}}}}' {name}\"") == "exited\n"
    web = shared.said("ssh w1-k8s docker ps -q --filter name=k8s_web_").strip()
    assert shared.said(f"ssh w1-k8s docker exec {web} hostname") == "web\n"
    assert shared.run(f"ssh w1-k8s docker exec {web} nosuch").code == 127
    screen = shared.sit("ssh w1-k8s")
    screen.type(f"docker exec -it {web} sh\r")
    assert "web" in screen.type("hostname\r") and "w1-k8s" in screen.type("exit\r")
    screen.type("exit\r")
    assert shared.run(f"ssh w1-k8s docker exec {name} ls").stderr.endswith("is not running\n")
    assert shared.run("ssh w1-k8s docker logs nosuch").stderr == "Error response from daemon: No such container: nosuch\n"
    assert "is not simulated on a node" in shared.run("ssh w1-k8s docker run nginx").stderr
    assert shared.run("ssh w1-k8s docker nosuch").stderr.startswith("docker: unknown command: docker nosuch\n")
    assert shared.run("ssh w1-k8s docker ps --wrong").stderr.startswith("unknown flag: --wrong\n\nUsage:  docker ps [OPTIONS]\n")


def test_a_container_that_is_killed_is_started_again_by_the_kubelet(desk):
    before = desk.said("ssh w1-k8s docker ps -q --filter name=k8s_web_").strip()
    assert desk.said(f"ssh w1-k8s docker kill {before}") == f"{before}\n"
    desk.pass_(30)
    after = desk.said("ssh w1-k8s docker ps -q --filter name=k8s_web_").strip()
    assert after not in ("", before)
    assert desk.said("kubectl get pod web -o jsonpath='{.status.containerStatuses[0].restartCount}'") == "1"
    assert "Exited (137)" in desk.said("ssh w1-k8s docker ps -a --filter name=k8s_web_")
    assert desk.run(f"ssh w1-k8s docker rm {after}").stderr.endswith("stop the container before removing or force remove\n")
    assert desk.said(f"ssh w1-k8s docker rm {before}") == f"{before}\n" and before not in desk.said("ssh w1-k8s docker ps -aq")


def test_crictl_shows_the_same(shared):
    head, *rows = shared.said("ssh w1-k8s crictl ps --name '^web$'").splitlines()
    assert head.split() == ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD", "ID", "POD", "NAMESPACE"]
    assert len(rows) == 1 and rows[0].split()[-2:] == ["web", "default"]
    id_ = shared.said("ssh w1-k8s crictl ps -aq --label io.kubernetes.container.name=once").strip()
    assert len(id_) == 64 and shared.said(f"ssh w1-k8s crictl logs {id_}") == "said\n"
    assert json.loads(shared.said(f"ssh w1-k8s crictl inspect {id_}"))["status"]["exitCode"] == 3
    assert "web" in shared.said("ssh w1-k8s crictl pods") and "Ready" in shared.said("ssh w1-k8s crictl pods --name web")
    assert any(row.split()[:2] == ["docker.io/library/nginx", "latest"] for row in shared.said("ssh w1-k8s crictl images").splitlines())
    assert json.loads(shared.said("ssh w1-k8s crictl inspecti nginx"))["status"]["repoTags"] == ["docker.io/library/nginx:latest"]
    web = shared.said("ssh w1-k8s crictl ps -q --name '^web$'").strip()
    assert shared.said(f"ssh w1-k8s crictl exec {web} hostname") == "web\n"
    assert shared.run("ssh w1-k8s crictl logs nosuch").stderr.startswith("FATA[0000] ")
    assert "is not simulated" in shared.run("ssh w1-k8s crictl runp x").stderr


# services


def test_the_kubelet_is_a_service_that_can_be_stopped_and_started(desk):
    assert "Active: active (running)" in desk.said("ssh w1-k8s systemctl status kubelet")
    assert desk.run("ssh w1-k8s systemctl stop kubelet") == ("", "", 0)
    assert desk.run("ssh w1-k8s systemctl is-active kubelet") == ("inactive\n", "", 3)
    assert desk.run("ssh w1-k8s systemctl status kubelet").code == 3
    assert [(record["fault"], record["target"]) for record in desk.cluster.chaos.active()] == [("kubelet", "Node//w1-k8s")]
    desk.pass_(60)
    assert "NotReady" in desk.said("kubectl get node w1-k8s")
    desk.run("ssh w1-k8s systemctl restart kubelet")
    desk.pass_(20)
    assert desk.cluster.chaos.active() == [] and "NotReady" not in desk.said("kubectl get node w1-k8s")
    assert desk.run("ssh w1-k8s systemctl stop containerd").code == 1
    assert desk.run("ssh w1-k8s systemctl status nosuch").stderr == "Unit nosuch.service could not be found.\n"


def test_the_kubelets_journal_is_what_it_recorded(desk):
    lines = desk.said("ssh w1-k8s journalctl -u kubelet --no-pager").splitlines()
    assert any(" w1-k8s kubelet[" in line and 'object="default/web"' in line and 'reason="Pulled"' in line for line in lines)
    assert len(desk.said("ssh w1-k8s journalctl -u kubelet -n 2").splitlines()) == 2
    assert desk.run("ssh w1-k8s journalctl -u nginx").code == 1


def test_static_pods_are_files_in_the_manifest_folder(desk):
    assert desk.said("ssh m-k8s ls /etc/kubernetes/manifests").split() == [
        "etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"]
    assert "kind: Pod" in desk.said("ssh m-k8s cat /etc/kubernetes/manifests/kube-scheduler.yaml")
    desk.run("ssh w2-k8s 'cat > /etc/kubernetes/manifests/mine.yaml' <<EOF\napiVersion: v1\nkind: Pod\nmetadata:\n  name: mine\nspec:\n"
             "  containers:\n  - name: web\n    image: nginx\nEOF")
    desk.pass_(30)
    assert desk.said("kubectl get pod mine-w2-k8s --no-headers").split()[1:3] == ["1/1", "Running"]
    assert desk.said("ssh w2-k8s ls /etc/kubernetes/manifests") == "mine.yaml\n"
    desk.run("ssh w2-k8s sed -i s/nginx/httpd/ /etc/kubernetes/manifests/mine.yaml")
    desk.pass_(60)
    assert desk.said("kubectl get pod mine-w2-k8s -o jsonpath='{.spec.containers[0].image}'") == "httpd"
    desk.run("ssh w2-k8s rm /etc/kubernetes/manifests/mine.yaml")
    desk.pass_(60)
    assert desk.run("kubectl get pod mine-w2-k8s").code == 1


def test_moving_the_schedulers_manifest_away_stops_the_scheduler(desk):
    desk.run("ssh m-k8s mv /etc/kubernetes/manifests/kube-scheduler.yaml /tmp/")
    desk.pass_(60)
    assert desk.run("kubectl get pod -n kube-system kube-scheduler-m-k8s").code == 1
    desk.run("kubectl run waits --image=nginx")
    desk.pass_(10)
    assert "Pending" in desk.said("kubectl get pod waits")
    desk.run("ssh m-k8s mv /tmp/kube-scheduler.yaml /etc/kubernetes/manifests/")
    desk.pass_(60)
    assert "Running" in desk.said("kubectl get pod waits")


def test_a_broken_manifest_leaves_what_runs_as_it_is(desk):
    desk.run("ssh m-k8s 'echo broken: [ >> /etc/kubernetes/manifests/kube-scheduler.yaml'")
    desk.pass_(60)
    assert "1/1" in desk.said("kubectl get pod -n kube-system kube-scheduler-m-k8s")


# the rest


def test_kubectl_works_on_the_control_plane_only(shared):
    assert "w3-k8s" in shared.said("ssh m-k8s kubectl get nodes")
    said = shared.run("ssh w1-k8s kubectl get nodes")
    assert said == ("", "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n", 1)


def test_the_nfs_server_lists_its_exports(shared):
    assert shared.said("ssh 211.183.3.100 showmount -e localhost") == "Export list for localhost:\n/shared *\n"
    assert shared.run("ssh w1-k8s showmount -e localhost").code == 1
    manager = Desk(Cluster(seed=1, nodes=PRESETS["manager"]))
    assert manager.said("ssh manager showmount -e localhost") == "Export list for localhost:\n/shared *\n"


def test_a_nodes_disk_is_its_pods_host_path(desk):
    desk.run("ssh w1-k8s 'mkdir -p /data; echo kept > /data/f'")
    desk.run("kubectl apply -f - <<EOF\napiVersion: v1\nkind: Pod\nmetadata: {name: reads}\nspec:\n  nodeName: w1-k8s\n  containers:\n"
             "  - {name: a, image: busybox, command: [sh, -c, cat /d/f; sleep 1000], volumeMounts: [{name: d, mountPath: /d}]}\n"
             "  volumes:\n  - {name: d, hostPath: {path: /data}}\nEOF")
    desk.pass_(20)
    assert desk.said("kubectl logs reads") == "kept\n"


def test_nobody_who_looks_at_a_node_costs_nothing():
    cluster = Cluster(seed=1)
    assert cluster.hosts._hosts == {}
    Desk(cluster).run("ssh w1-k8s true")
    assert list(cluster.hosts._hosts) == ["w1-k8s"]


def test_a_nodes_packet_rules_can_be_read(shared):
    shared.run("kubectl expose pod web --port=80 --name=ruled")
    address = shared.said("kubectl get svc ruled -o jsonpath='{.spec.clusterIP}'")
    assert address in shared.said("ssh w1-k8s iptables -t nat -L KUBE-SERVICES -n")
    assert address in shared.said("ssh w1-k8s 'iptables-save | grep default/ruled'")
    assert shared.said("ssh w1-k8s iptables -t nat -S | grep -c ruled").strip() != "0"
    assert shared.run("ssh w1-k8s iptables -L NOSUCH").stderr == "iptables: No chain/target/match by that name.\n"
    assert "is not simulated" in shared.run("ssh w1-k8s iptables -F").stderr
    assert shared.said("ssh w1-k8s ipvsadm -Ln").startswith("IP Virtual Server version")
