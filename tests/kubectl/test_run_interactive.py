"""kubectl run in front of a pod: -i, -t, --rm, --attach and what becomes of the exit code."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.test_exec import PROMPTED

RECORDED = PROMPTED.partition("enter.")[0] + "enter."


@pytest.fixture
def desk() -> Desk:
    return Desk(Cluster(seed=6))


def said(desk: Desk, line: str, stdin: str = "") -> tuple[str, str, int]:
    result = desk.run(line, stdin)
    return result.stdout, result.stderr, result.code


def test_a_shell_to_type_into_that_is_gone_afterwards(desk: Desk) -> None:
    seat = desk.sit("kubectl run -it --image busybox testdns --restart Never --rm /bin/sh")
    assert seat.screen.startswith(PROMPTED)
    assert "hostname\ntestdns\n/ # " in seat.type("hostname\r")
    assert seat.type("exit\r", 5).endswith("exit\nSession ended, resume using 'kubectl attach testdns -c testdns -n default -i -t' command\n"
                                           'pod "testdns" deleted from default namespace\n')
    assert seat.code == 0
    desk.cluster.clock.run_for(40)
    assert desk.run("kubectl get pods").stderr == "No resources found in default namespace.\n"


def test_a_command_that_is_quickly_over_is_seen_running_and_then_cannot_be_attached_to(desk: Desk) -> None:
    shown = "hi\nhi\npod \"net2\" deleted from default namespace\n"
    late = (f"{RECORDED}\nwarning: couldn't attach to pod/{{0}}, falling back to streaming logs: unable to upgrade connection: container {{0}} "
            "not found in pod {0}_default\n")
    assert said(desk, "kubectl run net2 --image=busybox --restart=Never --rm -i -- echo hi") == (shown, late.format("net2"), 0)
    assert said(desk, "kubectl run net3 --image=busybox --restart=Never --rm -i -- sh -c 'echo out; exit 4'") == (
        'out\nout\npod "net3" deleted from default namespace\n', late.format("net3") + "pod default/net3 terminated (Error)\n", 4)


def test_what_is_piped_in_reaches_the_pod_and_the_exit_code_comes_back(desk: Desk) -> None:
    stdout, stderr, code = said(desk, "printf 'hostname\\nexit 3\\n' | kubectl run in1 --image=busybox --restart=Never --rm -i -- sh")
    assert (stdout, code) == ('in1\npod "in1" deleted from default namespace\n', 3)
    assert stderr == f"{PROMPTED}pod default/in1 terminated (Error)\n"


def test_what_was_printed_before_comes_first(desk: Desk) -> None:
    stdout, stderr, code = said(desk, "kubectl run slow --image=busybox --restart=Never --attach -- sh -c 'echo first; sleep 5; echo last'")
    assert (stdout, stderr, code) == ("first\nlast\n", PROMPTED, 0)
    assert said(desk, "kubectl run quiet --image=busybox --restart=Never --attach -q --rm -- sh -c 'sleep 2; echo x'") == ("x\n", "", 0)


def test_stdin_is_open_once_or_for_longer(desk: Desk) -> None:
    spec = '{.spec.containers[0].stdin} {.spec.containers[0].stdinOnce} {.spec.containers[0].tty}'
    desk.run("kubectl run once --image=busybox -it --attach=false; kubectl run open --image=busybox -i --leave-stdin-open --attach=false")
    assert desk.run(f"kubectl get pod once -o jsonpath='{spec}'").stdout == "true true true"
    assert desk.run(f"kubectl get pod open -o jsonpath='{spec}'").stdout.split() == ["true"]


def test_detached_from_a_pod_that_starts_again_it_stays(desk: Desk) -> None:
    seat = desk.sit("kubectl run stays -it --image=busybox")
    assert seat.type("\x10\x11").endswith("Session ended, resume using 'kubectl attach stays -c stays -n default -i -t' command\n")
    assert seat.code == 0
    assert desk.run("kubectl get pod stays -o jsonpath={.status.phase}").stdout == "Running"


def test_a_pod_that_never_runs_is_waited_for_so_long(desk: Desk) -> None:
    assert said(desk, "kubectl run bad --image=nosuch:1 -i --rm --pod-running-timeout=3s") == (
        'pod "bad" deleted from default namespace\n', "error: timed out waiting for the condition\n", 1)


@pytest.mark.parametrize(("flags", "stderr"), [
    ("--rm", "--rm should only be used for attached containers"), ("-t", "-i/--stdin is required for containers with -t/--tty=true"),
    ("-i --dry-run=client", "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"),
    ("-i --pod-running-timeout=0s", "--pod-running-timeout must be higher than zero")])
def test_what_it_refuses(desk: Desk, flags: str, stderr: str) -> None:
    assert said(desk, f"kubectl run r --image=nginx {flags}") == ("", f"error: {stderr}\nSee 'kubectl run -h' for help and examples\n", 1)
    assert desk.run("kubectl get pods").stdout == ""
