"""Commands that wait and follow, on a whole cluster in virtual time: rollouts, waits, logs, events, drains."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.terminal import Result, Terminal

SLOW = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: slow, labels: {app: slow}}
spec:
  replicas: 4
  minReadySeconds: 3
  selector: {matchLabels: {app: slow}}
  template:
    metadata: {labels: {app: slow}}
    spec:
      containers:
      - name: web
        image: nginx
        readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 2, periodSeconds: 1}
"""
TALKER = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: talker}}
spec:
  containers:
  - {name: say, image: busybox, command: [sh, -c, "while true; do echo NAME; sleep 2; done"]}
"""
Run = Callable[..., Result]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=11)


@pytest.fixture
def run(cluster: Cluster) -> Run:
    terminal = Terminal(cluster, {"slow.yaml": SLOW, "a.yaml": TALKER.replace("NAME", "a"), "b.yaml": TALKER.replace("NAME", "b")})

    def command(line: str, then: float = 0.0, **more: float) -> Result:
        result = terminal.run(line, **more)
        cluster.clock.run_for(then)
        return result

    return command


def test_rollout_status_follows_a_rollout_to_its_end(run: Run) -> None:
    run("kubectl apply -f slow.yaml", then=1)
    first = run("kubectl rollout status deploy/slow")
    assert first.code == 0
    lines = first.stdout.splitlines()
    waiting = 'Waiting for deployment "slow" rollout to finish: {} of 4 updated replicas are available...'
    assert set(lines[:-1]) <= {waiting.format(number) for number in range(4)}
    assert lines[-1] == 'deployment "slow" successfully rolled out'
    run("kubectl set image deploy/slow web=nginx:1.28", then=1)
    told = run("kubectl rollout status deploy/slow").stdout
    assert "out of 4 new replicas have been updated..." in told
    assert "old replicas are pending termination..." in told
    assert told.endswith('deployment "slow" successfully rolled out\n')


def test_rollout_status_gives_up_in_virtual_time(run: Run, cluster: Cluster) -> None:
    run("kubectl create deployment web --image=nginx", then=5)
    run("kubectl set image deploy/web nginx=nginx:1.200", then=5)
    began = cluster.clock.now
    result = run("kubectl rollout status deploy/web --timeout=20s")
    assert (result.code, result.stderr) == (1, "error: timed out waiting for the condition\n")
    assert cluster.clock.now == pytest.approx(began + 20, abs=0.1)
    run("""kubectl patch deploy web -p '{"spec":{"progressDeadlineSeconds":3}}'""", then=10)
    assert run("kubectl rollout status deploy/web").stderr == 'error: deployment "web" exceeded its progress deadline\n'


def test_ctrl_c_ends_what_waits_with_130(run: Run) -> None:
    run("kubectl apply -f slow.yaml")
    assert run("kubectl rollout status deploy/slow", interrupt_after=1).code == 130
    assert run("kubectl wait --for=delete deploy/slow", interrupt_after=1).code == 130
    assert run("kubectl events -w", interrupt_after=1).code == 130


def test_undo_puts_an_earlier_template_back_under_a_new_revision(run: Run) -> None:
    run("kubectl create deployment web --image=nginx:1.27", then=5)
    run("kubectl set image deploy/web nginx=nginx:1.28", then=5)
    run("kubectl annotate deploy web kubernetes.io/change-cause=newer", then=1)
    assert run("kubectl rollout history deploy web").stdout == (
        "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         newer\n\n")
    assert run("kubectl rollout undo deploy web", then=5).stdout == "deployment.apps/web rolled back\n"
    assert run("kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'").stdout == "nginx:1.27"
    assert [line.split()[0] for line in run("kubectl rollout history deploy web").stdout.splitlines()[2:-1]] == ["2", "3"]
    again = run("kubectl rollout undo deploy web --to-revision=3")
    assert again.stdout == "deployment.apps/web skipped rollback (current template already matches revision 3)\n"


def test_restart_replaces_every_pod(run: Run) -> None:
    run("kubectl create deployment web --image=nginx --replicas=2", then=8)
    before = set(run("kubectl get pods -o name").stdout.split())
    run("kubectl rollout restart deploy web")
    assert run("kubectl rollout status deploy web").code == 0
    run("kubectl get pods", then=5)
    assert not before & set(run("kubectl get pods -o name").stdout.split())


def test_wait_ends_when_the_condition_comes_true(run: Run, cluster: Cluster) -> None:
    run("kubectl apply -f slow.yaml")
    assert run("kubectl wait --for=condition=Available deploy/slow --timeout=60s").stdout == "deployment.apps/slow condition met\n"
    assert run("kubectl wait --for=jsonpath='{.status.availableReplicas}'=4 deploy/slow").code == 0
    pods = run("kubectl get pods -o name").stdout.split()
    run("kubectl delete deploy slow")
    gone = run("kubectl wait --for=delete pod -l app=slow --timeout=60s")
    assert sorted(gone.stdout.splitlines()) == [f"{pod} condition met" for pod in sorted(pods)]


def test_wait_for_creation_waits_for_what_is_not_there_yet(run: Run, cluster: Cluster) -> None:
    client = cluster.client()
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late", "namespace": "default"}}
    cluster.clock.call_later(4, lambda: client.create("configmaps", made))
    began = cluster.clock.now
    assert run("kubectl wait --for=create cm/late --timeout=30s").stdout == "configmap/late condition met\n"
    assert 4 <= cluster.clock.now - began < 5


def test_followed_logs_come_as_they_are_printed(run: Run) -> None:
    run("kubectl apply -f a.yaml", then=10)
    before = run("kubectl logs a").stdout.count("a\n")
    followed = run("kubectl logs -f a", interrupt_after=6.5)
    assert (followed.code, followed.stdout.count("a\n")) == (130, before + 3)
    assert run("kubectl logs a --tail=2").stdout == "a\na\n"
    assert run("kubectl logs a --since=3s --timestamps").stdout.count("Z a\n") in (1, 2)


def test_several_followed_logs_are_told_apart(run: Run) -> None:
    run("kubectl apply -f a.yaml -f b.yaml", then=10)
    told = run("kubectl logs -f -l app=talker --prefix --tail=0", interrupt_after=5).stdout.splitlines()
    assert sorted(set(told)) == ["[pod/a/say] a", "[pod/b/say] b"]
    assert len(told) >= 4
    refused = run("kubectl logs -f -l app=talker --max-log-requests=1")
    assert refused.stderr == ("error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, use "
                              "--max-log-requests to increase the limit\n")


def test_logs_say_why_there_are_none(run: Run) -> None:
    run("kubectl run bad --image=nginx:1.200", then=20)
    assert run("kubectl logs bad").stderr == (
        'Error from server (BadRequest): container "bad" in pod "bad" is waiting to start: trying and failing to pull image\n')
    run("kubectl run good --image=nginx", then=10)
    assert run("kubectl logs good -p").stderr == (
        'Error from server (BadRequest): previous terminated container "good" in pod "good" not found\n')


def test_events_are_told_in_order_of_time_and_of_one_object(run: Run) -> None:
    run("kubectl create deployment web --image=nginx", then=5)
    run("kubectl scale deploy web --replicas=2", then=5)
    rows = run("kubectl events --for deploy/web --no-headers").stdout.splitlines()
    assert ["from 0 to 1" in rows[0], "from 1 to 2" in rows[1]] == [True, True]
    assert run("kubectl events --types=Warning").stderr == "No events found in default namespace.\n"


def test_describe_counts_repeated_events_and_names_the_container(run: Run) -> None:
    run("kubectl run bad --image=nginx:1.200", then=40)
    told = run("kubectl describe pod bad").stdout
    assert "      Reason:       ImagePullBackOff\n" in told
    assert any(" (x" in line and 'spec.containers{bad}: Pulling image "nginx:1.200"' in line for line in told.splitlines())
    assert "Events:" not in run("kubectl describe pod ba").stdout
    assert "Events:" in run("kubectl describe pod ba --show-events=true").stdout


def test_describing_many_puts_two_empty_lines_between_them(run: Run) -> None:
    run("kubectl create deployment web --image=nginx --replicas=3", then=8)
    told = run("kubectl describe pods -l app=web").stdout
    assert told.count("\n\n\nName:") == 2
    assert "Events:" not in told


def test_drain_moves_pods_elsewhere_and_refuses_what_would_be_lost(run: Run, cluster: Cluster) -> None:
    run("kubectl create deployment web --image=nginx --replicas=6", then=10)
    run("kubectl run alone --image=nginx", then=5)
    node = cluster.api.lister("pods").get("default", "alone")["spec"]["nodeName"]
    refused = run(f"kubectl drain {node}")
    assert refused.code == 1
    assert "cannot delete Pods that declare no controller (use --force to override): default/alone" in refused.stderr
    assert cluster.api.lister("pods").get("default", "alone") is not None
    drained = run(f"kubectl drain {node} --force --ignore-daemonsets", then=10)
    assert drained.stdout.endswith(f"node/{node} drained\n")
    assert "pod/alone evicted\n" in drained.stdout
    pods = cluster.api.lister("pods").list("default")
    assert len(pods) == 6
    assert node not in {pod["spec"]["nodeName"] for pod in pods}
    assert run(f"kubectl uncordon {node}").stdout == f"node/{node} uncordoned\n"


def test_a_no_execute_taint_drives_pods_away(run: Run, cluster: Cluster) -> None:
    run("kubectl create deployment web --image=nginx --replicas=6", then=10)
    run("kubectl taint node w3-k8s bye=1:NoExecute", then=10)
    assert "w3-k8s" not in {pod["spec"]["nodeName"] for pod in cluster.api.lister("pods").list("default")}
    assert "Taints:             bye=1:NoExecute\n" in run("kubectl describe node w3-k8s").stdout


def test_scale_waits_for_its_size_when_told_to(run: Run) -> None:
    run("kubectl create deployment web --image=nginx", then=5)
    assert run("kubectl scale deploy web --replicas=3 --current-replicas=1 --timeout=30s").stdout == "deployment.apps/web scaled\n"
    assert run("kubectl get deploy web -o jsonpath='{.status.replicas}'").stdout == "3"
