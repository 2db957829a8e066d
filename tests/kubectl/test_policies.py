"""PodDisruptionBudgets and PriorityClasses at the terminal, and a drain that has to wait for one."""

from __future__ import annotations

import pytest
from terminal import Terminal

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(Cluster(seed=1, nodes=with_workers(2)))


def run(terminal: Terminal, *lines: str, seconds: float = 0) -> str:
    printed = [terminal.run(f"kubectl {line}") for line in lines]
    assert [one.stderr for one in printed if one.code] == []
    terminal.cluster.clock.run_for(seconds)
    return "".join(one.stdout for one in printed)


def test_a_budget_is_made_shown_and_described(terminal):
    run(terminal, "create deployment nginx --image=nginx --replicas=3", seconds=20)
    assert run(terminal, "create pdb p1 --selector=app=nginx --min-available=2", seconds=3) == "poddisruptionbudget.policy/p1 created\n"
    assert run(terminal, "get pdb") == (
        "NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE\n"
        "p1     2               N/A               1                     3s\n")
    assert run(terminal, "describe pdb p1") == (
        "Name:           p1\nNamespace:      default\nMin available:  2\nSelector:       app=nginx\nStatus:\n"
        "    Allowed disruptions:  1\n    Current:              3\n    Desired:              2\n    Total:                3\n"
        "Events:                   <none>\n")


@pytest.mark.parametrize(("flags", "said"), [
    ("", "error: a selector must be specified\n"),
    ("--selector=a=b", "error: one of min-available or max-unavailable must be specified\n"),
    ("--selector=a=b --min-available=1 --max-unavailable=1", "error: min-available and max-unavailable cannot be both specified\n"),
    ("--selector=a=b --min-available=foo", "error: invalid format specified for min-available\n"),
    ("--selector=a=b --max-unavailable=-1", "error: invalid format specified for max-unavailable\n"),
    ("--selector=a,,b --min-available=1",
     "error: couldn't parse the selector string \"a,,b\": found ',', expected: identifier after ','\n"),
])
def test_a_budget_needs_a_selector_and_one_limit(terminal, flags, said):
    printed = terminal.run(f"kubectl create pdb x {flags}")
    assert (printed.stderr, printed.code) == (said, 1)


def test_what_the_flags_make_of_a_budget(terminal):
    made = run(terminal, "create pdb x --selector='a=b,c in (d,e),!f' --max-unavailable=10% --dry-run=client -o yaml")
    assert made == (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: x\nspec:\n  maxUnavailable: 10%\n  selector:\n"
        "    matchExpressions:\n    - key: c\n      operator: In\n      values:\n      - d\n      - e\n    - key: f\n"
        "      operator: DoesNotExist\n    matchLabels:\n      a: b\nstatus:\n  currentHealthy: 0\n  desiredHealthy: 0\n"
        "  disruptionsAllowed: 0\n  expectedPods: 0\n")


def test_priority_classes_at_the_terminal(terminal):
    assert run(terminal, 'create priorityclass high --value=1000 --description="high one"') == (
        "priorityclass.scheduling.k8s.io/high created\n")
    assert run(terminal, "get pc") == (
        "NAME                      VALUE        GLOBAL-DEFAULT   AGE   PREEMPTIONPOLICY\n"
        "high                      1000         false            0s    PreemptLowerPriority\n"
        "system-cluster-critical   2000000000   false            61m   PreemptLowerPriority\n"
        "system-node-critical      2000001000   false            61m   PreemptLowerPriority\n")
    assert run(terminal, "describe pc high") == (
        "Name:              high\nValue:             1000\nGlobalDefault:     false\nPreemptionPolicy:  PreemptLowerPriority\n"
        "Description:       high one\nAnnotations:       <none>\nEvents:            <none>\n")
    printed = terminal.run("kubectl create pc system-x --value=1")
    assert printed.stderr.startswith("error: failed to create priorityclass: PriorityClass.scheduling.k8s.io \"system-x\" is invalid: ")


def test_a_drain_waits_for_the_budget_and_tries_again_every_five_seconds(terminal):
    run(terminal, "cordon w2-k8s", "create deployment web --image=nginx --replicas=2", seconds=20)
    run(terminal, "uncordon w2-k8s", "create pdb web --selector=app=web --min-available=2", seconds=2)
    terminal.cluster.clock.call_later(12, lambda: terminal.cluster.client().patch(
        "poddisruptionbudgets.policy", "default", "web", {"spec": {"minAvailable": 1}}))
    first, second = sorted(pod["metadata"]["name"] for pod in terminal.cluster.api.lister("pods").list("default"))
    printed = terminal.run("kubectl drain w1-k8s --ignore-daemonsets")
    assert printed.code == 0
    refused = ('error when evicting pods/"{}" -n "default" (will retry after 5s): Cannot evict pod as it would violate the pod\'s '
               "disruption budget.\n").format
    lines = printed.stderr.splitlines(keepends=True)[1:]
    assert lines[:6] == [refused(name) for name in (first, second) * 3] and lines.count(refused(first)) == 3
    assert printed.stdout.splitlines()[-1] == "node/w1-k8s drained"
    assert printed.stdout.count(f"evicting pod default/{first}\n") == 4
    assert all(f"pod/{name} evicted\n" in printed.stdout for name in (first, second))


def test_a_drain_gives_up_when_its_time_is_over(terminal):
    run(terminal, "cordon w2-k8s", "create deployment web --image=nginx", seconds=20)
    run(terminal, "uncordon w2-k8s", "create pdb web --selector=app=web --max-unavailable=0", seconds=2)
    name = terminal.cluster.api.lister("pods").list("default")[0]["metadata"]["name"]
    printed = terminal.run("kubectl drain w1-k8s --ignore-daemonsets --timeout=12s")
    assert printed.code == 1
    assert f'error when evicting pods/"{name}" -n "default": global timeout reached: 12s' in printed.stderr
    assert terminal.cluster.api.lister("pods").get("default", name) is not None
