"""kubectl port-forward: ports of the workstation that lead into pods, as the real client tells of them."""

from __future__ import annotations

import re

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_golden import transcript

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: named, labels: {app: named}}
spec: {containers: [{name: c, image: nginx, ports: [{name: http, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: named}
spec: {selector: {app: named}, ports: [{name: web, port: 8080, targetPort: http}, {name: other, port: 9090, targetPort: gone}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: named}, ports: [{port: 80, targetPort: 8888}]}
"""


@pytest.fixture
def desk() -> Desk:
    made = Desk(Cluster(seed=4), {"pods.yaml": PODS})
    assert made.run("kubectl apply -f pods.yaml; kubectl create deployment nginx-deploy --image=nginx; "
                    "kubectl expose deploy nginx-deploy --name nginx-svc --port=8080 --target-port=80; kubectl run waits --image=nosuch:1").code == 0
    made.cluster.clock.run_for(15)
    return made


@pytest.mark.parametrize("number", ["114", "115"])
def test_a_forwarded_port_reads_as_on_a_real_cluster(desk: Desk, number: str) -> None:
    line, _, stdout, _ = transcript(number)
    line = re.sub(r"timeout 4 (.*); wait", r"\1; kill %1; wait", line)
    result = desk.run(line)
    assert (result.stdout, result.stderr) == (stdout, "")


def test_several_ports_and_any_free_one(desk: Desk) -> None:
    result = desk.run("kubectl port-forward named 8081:80 :80 & sleep 1; curl -s localhost:8081 | head -n 1; kill %1")
    forwards = re.findall(r"^Forwarding from (\S+):(\d+) -> 80$", result.stdout, re.M)
    assert [host for host, _ in forwards] == ["127.0.0.1", "[::1]"] * 2
    assert [port for _, port in forwards[:2]] == ["8081"] * 2 and 30000 <= int(forwards[2][1]) < 61000
    assert "Handling connection for 8081\n<!DOCTYPE html>\n" in result.stdout


def test_names_of_ports_and_ports_of_services_are_translated(desk: Desk) -> None:
    def told(target: str) -> str:
        return desk.run(f"kubectl port-forward {target} & sleep 1; kill %1").stdout.partition("\n")[0]

    assert told("named 9000:http") == "Forwarding from 127.0.0.1:9000 -> 80"
    assert told("svc/named 9000:8080") == "Forwarding from 127.0.0.1:9000 -> 80"
    assert told("svc/named web") == "Forwarding from 127.0.0.1:8080 -> 80"
    assert told("svc/headless 9000:80") == "Forwarding from 127.0.0.1:9000 -> 80"


def test_the_first_connection_that_fails_ends_it(desk: Desk) -> None:
    result = desk.run("kubectl port-forward named 8081:81 & sleep 1; curl -s localhost:8081; echo $?; wait %1; echo $?")
    assert result.stdout.endswith("Handling connection for 8081\n52\n1\n")
    log, lost = result.stderr.splitlines()
    assert re.fullmatch(r'E\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ portforward\.go:522\] "Unhandled Error" err="an error occurred forwarding 8081 -> 81: '
                        r'error forwarding port 81 to pod \w{64}, uid : failed to execute portforward in network namespace .* connect: connection '
                        r'refused "', log)
    assert lost == "error: lost connection to pod"


def test_a_pod_that_is_gone_is_noticed_at_the_next_connection(desk: Desk) -> None:
    result = desk.run("kubectl port-forward named 8081:80 & kubectl delete pod named --now; sleep 5; curl -s localhost:8081; echo $?; "
                      "wait %1; echo $?")
    assert result.stdout.endswith("Handling connection for 8081\n52\n1\n")
    assert result.stderr.splitlines()[-1] == "error: lost connection to pod"


def test_a_port_that_is_taken(desk: Desk) -> None:
    result = desk.run("kubectl port-forward named 8081:80 >/dev/null & sleep 1; kubectl port-forward named 8081:80; echo $?; kill %1")
    why = " ".join(f"unable to create listener: Error listen {family} {address}:8081: bind: address already in use"
                   for family, address in (("tcp4", "127.0.0.1"), ("tcp6", "[::1]")))
    assert result.stderr == (f"Unable to listen on port 8081: Listeners failed to create with the following errors: [{why}]\n"
                             "error: unable to listen on any of the requested ports: [{8081 80}]\n")
    assert result.stdout == "1\n"


def test_ctrl_c_ends_it_and_frees_the_port(desk: Desk) -> None:
    seat = desk.sit("kubectl port-forward named 8081:80")
    seat.type("\x03")
    assert seat.code == 0
    assert desk.run("curl -s localhost:8081").code == 7


@pytest.mark.parametrize(("line", "stderr"), [
    ("named", "error: TYPE/NAME and list of ports are required for port-forward\nSee 'kubectl port-forward -h' for help and examples\n"),
    ("named abc", "error: Pod 'named' does not have a named port 'abc'\n"),
    ("named dns", "error: UDP protocol is not supported for dns\n"),
    ("named 99999", "error: error parsing local port '99999': strconv.ParseUint: parsing \"99999\": value out of range\n"),
    ("named x:80", "error: error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax\n"),
    ("named 80:0", "error: remote port must be > 0\n"),
    ("named 80 --address=foo", "error: foo is not a valid IP\n"),
    ("svc/named 9999", "error: Service named does not have a service port 9999\n"),
    ("svc/named zz", "error: Service 'named' does not have a named port 'zz'\n"),
    ("svc/named other", "error: Pod 'named' does not have a named port 'gone'\n"),
    ("waits 80", "error: unable to forward port because pod is not running. Current status=Pending\n"),
    ("nosuch 80", 'Error from server (NotFound): pods "nosuch" not found\n'),
    ("node/w1-k8s 80", "error: cannot attach to *v1.Node: selector for *v1.Node not implemented\n")])
def test_what_it_refuses(desk: Desk, line: str, stderr: str) -> None:
    result = desk.run(f"kubectl port-forward {line}")
    assert (result.stdout, result.stderr, result.code) == ("", stderr, 1)
