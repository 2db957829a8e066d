"""kubectl exec and attach: what the real client prints and how it ends, at the workstation."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_golden import transcript

PROMPTED = ("All commands and output from this session will be recorded in container logs, including credentials and sensitive information "
            "passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n")
MULTI = """
apiVersion: v1
kind: Pod
metadata: {name: multi}
spec:
  initContainers: [{name: init, image: busybox, command: ["true"]}]
  containers:
  - {name: web, image: busybox, command: [sleep, "99999"]}
  - {name: sidecar, image: busybox, command: [sleep, "99999"], stdin: true}
---
apiVersion: v1
kind: Pod
metadata: {name: chosen, annotations: {kubectl.kubernetes.io/default-container: sidecar}}
spec:
  containers:
  - {name: web, image: busybox, command: [sleep, "99999"]}
  - {name: sidecar, image: busybox, command: [sleep, "99999"], env: [{name: WHO, value: sidecar}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shell}
spec:
  containers: [{name: shell, image: busybox, stdin: true, tty: true}]
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: ["true"]}]
"""


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk(Cluster(seed=3), {"multi.yaml": MULTI})
    assert made.run("kubectl apply -f multi.yaml; kubectl run web --image=nginx; kubectl create deploy d --image=nginx --replicas=2; "
                    "kubectl expose pod web --port=8080 --target-port=80").code == 0
    made.cluster.clock.run_for(15)
    return made


def said(desk: Desk, line: str, stdin: str = "") -> tuple[str, str, int]:
    result = desk.run(line, stdin)
    return result.stdout, result.stderr, result.code


def test_a_commands_output_and_exit_code_come_back(desk: Desk) -> None:
    assert said(desk, "kubectl exec web -- hostname") == ("web\n", "", 0)
    assert said(desk, "kubectl exec web -- sh -c 'echo x; echo e >&2; exit 3'") == ("x\n", "e\ncommand terminated with exit code 3\n", 3)
    assert said(desk, "kubectl exec web -- sh -c 'kill -9 $$'") == ("", "command terminated with exit code 137\n", 137)


@pytest.mark.parametrize(("number", "line"), [
    ("129", "kubectl exec web -- sh -c 'exit 3'"), ("131", "kubectl exec web ls"), ("132", "kubectl exec web"), ("142", "kubectl attach nosuch"),
    ("412", "kubectl exec done -- ls"), ("123", "kubectl logs web -c nosuch"), ("124", "kubectl logs nosuchpod"),
    ("135", "echo id | kubectl exec -i web -- sh"), ("136", "echo id | kubectl exec -it web -- sh")])
def test_it_reads_as_on_a_real_cluster(desk: Desk, number: str, line: str) -> None:
    _, code, stdout, stderr = transcript(number)
    named = stderr.replace("nginx-deploy-59c4c87bc6-bzqgn", "web").replace("out of: nginx", "out of: web")
    assert said(desk, line) == (stdout, named, code)


def test_a_command_that_the_container_does_not_have_is_the_runtimes_error(desk: Desk) -> None:
    stdout, stderr, code = said(desk, "kubectl exec web -- nosuchcmd")
    assert (stdout, code) == ("", 1)
    before, after = transcript("130")[3].split("ac6d83bb159a17da4eaf18897cda66bef4051946bac518484e3bebea330f4763")
    assert stderr.startswith(before) and stderr.endswith(after)


def test_which_container_is_meant(desk: Desk) -> None:
    told = 'Defaulted container "web" out of: web, sidecar, init (init)\n'
    assert said(desk, "kubectl exec multi -- echo a") == ("a\n", told, 0)
    assert said(desk, "kubectl exec multi -q -- echo a") == ("a\n", "", 0)
    assert said(desk, "kubectl exec multi -c sidecar -- echo a") == ("a\n", "", 0)
    assert said(desk, "kubectl exec chosen -- sh -c 'echo $WHO'") == ("sidecar\n", "", 0)
    assert said(desk, "kubectl exec multi -c nope -- ls")[1:] == (
        "error: container nope is not valid for pod multi out of: web, sidecar, init (init)\n", 1)
    assert said(desk, "kubectl exec multi -c init -- ls")[1:] == ('error: unable to upgrade connection: container not found ("init")\n', 1)


def test_a_type_and_a_name_stand_for_one_of_their_pods(desk: Desk) -> None:
    assert said(desk, "kubectl exec deploy/d -- hostname")[0].startswith("d-")
    assert said(desk, "kubectl exec svc/web -- hostname") == ("web\n", "", 0)
    assert said(desk, "kubectl exec node/w1-k8s -- ls")[1:] == ("error: cannot attach to *v1.Node: selector for *v1.Node not implemented\n", 1)
    assert said(desk, "kubectl exec deploy/nosuch -- ls")[1:] == ('Error from server (NotFound): deployments.apps "nosuch" not found\n', 1)
    assert said(desk, "kubectl exec -- ls")[1:] == ("error: pod, type/name or --filename must be specified\n", 1)


def test_a_pipe_goes_through_the_container(desk: Desk) -> None:
    assert said(desk, "seq 3 | kubectl exec -i web -- cat | tail -n 1") == ("3\n", "", 0)
    big = "x" * 300_000
    assert said(desk, "kubectl exec -i web -- sh -c 'wc -c'", big)[0].strip() == "300000"


def test_a_shell_in_front_of_a_terminal(desk: Desk) -> None:
    seat = desk.sit("kubectl exec -it multi -c web -- sh")
    assert seat.tty.raw
    assert "/ # hostname\nmulti\n/ # " in seat.type("hostname\r")
    seat.type("sleep 100\r")
    assert "^C" in seat.type("\x03") and seat.code is None
    assert seat.type("exit 3\r").endswith("exit 3\ncommand terminated with exit code 3\n")
    assert (seat.code, seat.tty.raw) == (3, False)


def test_ctrl_c_ends_a_command_that_has_no_terminal(desk: Desk) -> None:
    seat = desk.sit("kubectl exec web -- sleep 1000")
    seat.type("\x03")
    assert seat.code == 130


def test_attach_shows_what_comes_and_detach_keys_leave(desk: Desk) -> None:
    seat = desk.sit("kubectl attach -it shell")
    assert seat.screen.startswith(PROMPTED)
    assert "hostname\nshell\n" in seat.type("hostname\r")
    again = "Session ended, resume using 'kubectl attach shell -c shell -n default -i -t' command\n"
    assert seat.type("\x10\x11").endswith(again)
    assert (seat.code, seat.tty.raw) == (0, False)
    assert "hostname\nshell\n" in desk.sit("kubectl attach -it shell").type("hostname\r")


def test_attach_without_a_terminal_of_its_own(desk: Desk) -> None:
    assert said(desk, "kubectl attach shell --detach-keys=foo -i")[1].endswith("error: could not bind detach keys: Unknown character: 'foo'\n")
    seat = desk.sit("kubectl attach -it multi -c sidecar")
    assert seat.screen == "error: Unable to use a TTY - container sidecar did not allocate one\n" + PROMPTED
    seat.type("\x03")
    assert seat.code == 130


@pytest.mark.parametrize(("line", "stderr"), [
    ("kubectl attach", "error: at least 1 argument is required for attach\n"),
    ("kubectl attach a b c", "error: expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw 3: [a b c]\n"),
    ("kubectl attach web two", 'error: the server doesn\'t have a resource type "web"\n'),
    ("kubectl attach multi -c zz", "error: cannot attach to the container: container zz is not valid for pod multi out of: web, sidecar, "
                                   "init (init)\n"),
    ("kubectl attach done", "error: cannot attach a container in a completed pod; current phase is Succeeded\n"),
    ("kubectl exec web --pod-running-timeout=0s -- ls", "error: --pod-running-timeout must be higher than zero\nSee 'kubectl exec -h' for help "
                                                        "and examples\n")])
def test_what_attach_and_exec_refuse(desk: Desk, line: str, stderr: str) -> None:
    assert said(desk, line) == ("", stderr, 1)


def test_a_machine_without_power_cannot_be_reached() -> None:
    desk = Desk(Cluster(seed=3))
    desk.run("kubectl run web --image=nginx")
    desk.cluster.clock.run_for(8)
    node = desk.cluster.api.lister("pods").get("default", "web")["spec"]["nodeName"]
    desk.cluster.chaos.inject("power", node)
    stdout, stderr, code = said(desk, "kubectl exec web -- ls")
    assert (stdout, code) == ("", 1)
    assert stderr.startswith("error: unable to upgrade connection: error dialing backend: dial tcp ")
