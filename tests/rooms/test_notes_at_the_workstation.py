"""The notes' commands that enter a pod or the network, typed at the workstation."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.rooms.desk import Desk


@pytest.fixture(scope="module")
def desk():
    desk = Desk(Cluster(seed=4))
    desk.run("kubectl run nginx --image=nginx; k apply -f pod.yaml")
    desk.pass_(60)
    return desk


def test_exec_cp_and_port_forward(desk):
    screen = desk.sit("kubectl exec -it nginx -- sh")
    address = desk.said("kubectl get pod nginx -o jsonpath='{.status.podIP}'")
    assert address in screen.type("hostname -i\r")
    screen.type("exit\r")
    assert screen.code == 0
    assert desk.run("kubectl cp nginx:/usr/share/nginx/html/index.html /tmp/index.html").code == 0
    assert "Welcome to nginx!" in desk.said("cat /tmp/index.html")
    said = desk.run("kubectl port-forward nginx 8000:80 &\nsleep 1; curl -s localhost:8000 | head -4; kill %1")
    assert "Forwarding from 127.0.0.1:8000 -> 80" in said.stdout and "Welcome to nginx!" in said.stdout
    desk.pass_(1)
    assert desk.run("curl -s localhost:8000").code == 7


def test_run_it_with_a_shell_and_exit(desk):
    screen = desk.sit("k run -it --image busybox testdns --restart Never --rm /bin/sh", 20)
    assert screen.text.rstrip("\x1b[J").endswith("/ # ")
    assert "testdns\n" in screen.type("hostname\r")
    screen.type("exit\r", 20)
    assert screen.code == 0 and desk.run("kubectl get pod testdns").code == 1


def test_nslookup_of_the_net_tools(desk):
    said = desk.run("k run net --image=sysnet4admin/net-tools --restart Never --rm -it -- nslookup kubernetes")
    assert "10.96.0.1" in said.stdout and said.code == 0


def test_the_containers_of_a_node_by_their_label(desk):
    node = desk.said("kubectl get pod hello-kiamol-3 -o jsonpath='{.spec.nodeName}'")
    assert len(desk.said(f"ssh {node} docker container ls -q --filter label=io.kubernetes.container.name=web").split()) == 1
