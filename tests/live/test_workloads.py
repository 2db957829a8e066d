"""The records of workloads, storage, autoscalers and budgets: what the canvas says of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.cluster.cluster import Cluster
from server.live.scene import Scene

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
SELECTOR = {"matchLabels": {"app": "x"}}


@pytest.fixture
def cluster():
    return Cluster(3, EPOCH)


@pytest.fixture
def scene(cluster):
    return Scene(cluster)


def named(name, **rest):
    return {"metadata": {"name": name, "namespace": "default"}, **rest}


def seen(cluster, scene, thing, seconds=30):
    cluster.clock.run_for(seconds)
    while scene.behind:
        scene.flush()
    return scene.things[thing]


def claim(name, storage_class):
    return named(name, spec={"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": "1Gi"}}})


def test_a_claim_says_whether_it_waits_for_a_pod_or_for_a_class(cluster, scene):
    client = cluster.client()
    client.create("storageclasses.storage.k8s.io", {"metadata": {"name": "late"}, "provisioner": "rancher.io/local-path",
                                                    "volumeBindingMode": "WaitForFirstConsumer"})
    client.create("persistentvolumeclaims", claim("a", "late"))
    client.create("persistentvolumeclaims", claim("b", "missing"))
    waits, unknown = (seen(cluster, scene, f"PersistentVolumeClaim/default/{name}") for name in "ab")
    assert waits["waits"] is True and "unknownClass" not in waits and waits["phase"] == "Pending"
    assert unknown["unknownClass"] is True and "waits" not in unknown
    client.create("storageclasses.storage.k8s.io", {"metadata": {"name": "missing"}, "provisioner": "example.com/none"})
    assert "unknownClass" not in seen(cluster, scene, "PersistentVolumeClaim/default/b", 0)


def test_an_autoscaler_without_metrics_says_why(cluster, scene):
    client = cluster.client()
    client.create("deployments.apps", named("web", spec={"selector": SELECTOR, "template": TEMPLATE}))
    client.create("horizontalpodautoscalers.autoscaling", named("web", spec={
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]}))
    record = seen(cluster, scene, "HorizontalPodAutoscaler/default/web", 40)
    assert record["blind"] is True and "metric" in record["why"] and record["target"] == "Deployment/default/web" and record["max"] == 3


def test_a_stateful_set_a_daemon_set_and_a_budget_say_how_far_they_are(cluster, scene):
    client = cluster.client()
    client.create("statefulsets.apps", named("db", spec={"replicas": 2, "serviceName": "db", "selector": SELECTOR, "template": TEMPLATE}))
    client.create("daemonsets.apps", named("agent", spec={"selector": SELECTOR, "template": TEMPLATE}))
    first = {"matchLabels": {"apps.kubernetes.io/pod-index": "0"}}
    client.create("poddisruptionbudgets.policy", named("db", spec={"minAvailable": 2, "selector": first}))
    assert seen(cluster, scene, "StatefulSet/default/db").items() >= {
        "replicas": 2, "ready": 2, "updated": 2, "policy": "OrderedReady", "service": "db"}.items()
    assert seen(cluster, scene, "DaemonSet/default/agent").items() >= {"replicas": 3, "ready": 3}.items()
    assert seen(cluster, scene, "PodDisruptionBudget/default/db").items() >= {"allowed": 0, "expected": 1, "current": 1, "minAvailable": 2}.items()
    assert scene.things["Pod/default/db-0"]["owner"] == "StatefulSet/default/db"


def test_a_job_says_which_indexes_are_done_and_lost(cluster, scene):
    shell = "if [ $JOB_COMPLETION_INDEX = 1 ]; then exit 1; fi"
    cluster.client().create("jobs.batch", named("j", spec={
        "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", shell]}]}}}))
    record = seen(cluster, scene, "Job/default/j", 60)
    assert (record["ended"], record["done"], record["lost"], record["succeeded"], record["failed"]) == ("failed", "0,2", "1", 2, 1)
