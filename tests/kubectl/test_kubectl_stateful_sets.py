"""kubectl on StatefulSets: rollouts, revisions, describe and tables, on a whole cluster in virtual time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.terminal import Result, Terminal

WEB = """
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {selector: {app: nginx}, ports: [{port: 80}], clusterIP: None}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  serviceName: nginx
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec: {containers: [{name: nginx, image: nginx}]}
"""
DB = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 0
  serviceName: db
  updateStrategy: {rollingUpdate: {partition: 1, maxUnavailable: 2}}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: redis, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data, labels: {tier: db, zone: a}}
    spec: {accessModes: [ReadWriteOnce, ReadOnlyMany], storageClassName: manual, resources: {requests: {storage: 500Mi}}}
  - metadata: {name: logs}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
Run = Callable[..., Result]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=11)


@pytest.fixture
def run(cluster: Cluster) -> Run:
    terminal = Terminal(cluster, {"web.yaml": WEB, "db.yaml": DB})

    def command(line: str, then: float = 0.0, **more: float) -> Result:
        result = terminal.run(line, **more)
        cluster.clock.run_for(then)
        return result

    return command


def test_rollout_status_follows_the_pods_as_they_become_ready_and_are_renewed(run: Run) -> None:
    run("kubectl apply -f web.yaml", then=1)
    assert run("kubectl rollout status sts/web").stdout.splitlines() == [
        "Waiting for 2 pods to be ready...", "Waiting for 1 pods to be ready...", "Waiting for 1 pods to be ready...",
        "partitioned roll out complete: 2 new pods have been updated..."]
    run("kubectl scale sts web --replicas=1", then=10)
    assert run("kubectl rollout restart sts/web", then=0.1).stdout == "statefulset.apps/web restarted\n"
    assert run("kubectl rollout status sts/web").stdout.splitlines() == [
        "Waiting for partitioned roll out to finish: 0 out of 1 new pods have been updated...",
        *["Waiting for 1 pods to be ready..."] * 3, "partitioned roll out complete: 1 new pods have been updated..."]


def test_rollout_status_needs_a_rolling_update(run: Run) -> None:
    run("kubectl apply -f web.yaml")
    run("""kubectl patch sts web -p '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}'""", then=20)
    assert run("kubectl rollout status sts/web").stderr == "error: rollout status is only available for RollingUpdate strategy type\n"


def test_history_shows_each_template_and_undo_goes_back_to_one(run: Run) -> None:
    run("kubectl apply -f web.yaml", then=20)
    run("kubectl annotate sts web kubernetes.io/change-cause=older")
    run("kubectl set image sts/web nginx=nginx:1.27", then=30)
    assert run("kubectl rollout history sts/web").stdout == (
        "statefulset.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         older\n\n")
    assert "    Image:\tnginx:1.27\n" in run("kubectl rollout history sts/web --revision=2").stdout
    assert run("kubectl rollout history sts/web --revision=7").stderr == "error: unable to find the specified revision\n"
    assert run("kubectl rollout undo sts/web --dry-run=client").stdout.startswith("statefulset.apps/web will roll back to Pod Template:\n")
    assert run("kubectl rollout undo sts/web --to-revision=2").stdout == (
        "statefulset.apps/web skipped rollback (current template already matches revision 2)\n")
    assert run("kubectl rollout undo sts/web", then=30).stdout == "statefulset.apps/web rolled back\n"
    assert re.findall("^[0-9]+", run("kubectl rollout history sts/web").stdout, re.MULTILINE) == ["2", "3"]
    assert run("kubectl get pods -o jsonpath={.items[*].spec.containers[*].image}").stdout == "nginx nginx"
    assert run("kubectl rollout undo sts/web --to-revision=1").stderr.endswith("error: unable to find specified revision 1 in history\n")


def test_a_set_with_one_template_has_nothing_to_go_back_to_and_none_can_be_paused(run: Run) -> None:
    run("kubectl apply -f web.yaml", then=20)
    assert run("kubectl rollout undo sts/web").stderr.endswith("error: no last revision to roll back to\n")
    assert run("kubectl rollout pause sts/web").stderr == 'error: statefulsets.apps "web" pausing is not supported\n'
    assert run("kubectl rollout resume sts/web").stderr == 'error: statefulsets.apps "web" resuming is not supported\n'


def test_tables_of_sets_and_of_revisions(run: Run) -> None:
    run("kubectl apply -f web.yaml", then=20)
    assert run("kubectl get sts -o wide").stdout == "NAME   READY   AGE   CONTAINERS   IMAGES\nweb    2/2     20s   nginx        nginx\n"
    header, row = run("kubectl get controllerrevisions").stdout.splitlines()
    assert header.split() == ["NAME", "CONTROLLER", "REVISION", "AGE"]
    assert re.fullmatch(r"web-[bcdf-hj-np-tv-xz2456789]{8,10} +statefulset\.apps/web +1 +20s", row)


def test_describe_tells_the_strategy_the_pods_and_the_claims(run: Run) -> None:
    run("kubectl apply -f db.yaml", then=5)
    shown = run("kubectl describe sts db").stdout
    assert shown[shown.index("Replicas:"):shown.index("Pod Template:")] == (
        "Replicas:           0 desired | 0 total\nUpdate Strategy:    RollingUpdate\n  Partition:        1\n  MaxUnavailable:   2\n"
        "Pods Status:        0 Running / 0 Waiting / 0 Succeeded / 0 Failed\n")
    assert shown[shown.index("Volume Claims:"):] == (
        "Volume Claims:\n"
        "  Name:          data\n  StorageClass:  manual\n  Labels:        tier=db\n                 zone=a\n  Annotations:   <none>\n"
        "  Capacity:      500Mi\n  Access Modes:  [ReadWriteOnce ReadOnlyMany]\n"
        "  Name:          logs\n  StorageClass:  \n  Labels:        <none>\n  Annotations:   <none>\n"
        "  Capacity:      1Gi\n  Access Modes:  [ReadWriteOnce]\n"
        "Events:          <none>\n")


def test_max_unavailable_is_accepted_with_a_word_about_its_feature_gate(run: Run) -> None:
    assert "MaxUnavailableStatefulSet" in run("kubectl apply -f db.yaml").stderr


def test_each_pod_has_a_name_of_its_own_in_dns(run: Run, cluster: Cluster) -> None:
    run("kubectl apply -f web.yaml", then=20)
    addresses = run("kubectl get pods -o jsonpath={.items[*].status.podIP}").stdout.split()
    for number, address in enumerate(addresses):
        assert cluster.network.dns.lookup(f"web-{number}.nginx", "default").addresses == (address,)
    assert sorted(cluster.network.dns.lookup("nginx", "default").addresses) == sorted(addresses)
