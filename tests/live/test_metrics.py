"""What is told of a thing's use: the simulation's own figures, with the bounds that matter beside them."""

from __future__ import annotations

import orjson
import pytest

from server.cluster.cluster import Cluster
from server.live import metrics as measuring
from server.live.metrics import metrics

CONTAINER = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}],
             "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=1)


def deployment(cluster: Cluster, replicas: int, container: dict = CONTAINER) -> None:
    cluster.client().create("deployments.apps", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}})
    cluster.client().create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"port": 80}]}})
    cluster.clock.run_for(20)


def of(cluster: Cluster, thing: str, since: float | None = None) -> dict:
    told = orjson.loads(orjson.dumps(metrics(cluster, thing, since)))
    return {**told, **{plot["key"]: plot for plot in told["plots"]}}


def first(cluster: Cluster) -> str:
    return "Pod/default/" + cluster.api.lister("pods").list("default")[0]["metadata"]["name"]


def test_a_pod_tells_its_cpu_and_memory_between_request_and_limit(cluster):
    deployment(cluster, 1)
    told = of(cluster, first(cluster))
    assert told["cpu"]["lines"] == {"request": 100, "limit": 200} and told["memory"]["lines"] == {"request": 64 * 2**20, "limit": 128 * 2**20}
    pod = cluster.api.lister("pods").list("default")[0]
    [container] = cluster.kubelets.runtime.pod(pod).containers.values()
    assert told["cpu"]["values"]["used"] == round(container.cpu(), 3) and told["memory"]["values"]["used"] == container.memory() > 0


def test_cpu_follows_the_traffic_and_its_last_two_minutes_are_told_once(cluster):
    deployment(cluster, 1)
    calm = of(cluster, first(cluster))["cpu"]["values"]["used"]
    cluster.network.traffic.aim("default/web", 80, 300.0)
    cluster.clock.run_for(60)
    busy = of(cluster, first(cluster), since=0.0)
    assert busy["cpu"]["values"]["used"] > calm and busy["requests"]["values"]["reach"] == 300
    past = busy["past"]
    assert past[0][1] < past[-1][1] == pytest.approx(busy["cpu"]["values"]["used"], rel=0.01)
    assert [at for at, _ in past] == [5.0 * step for step in range(1, len(past) + 1)] and past[-1][0] < cluster.clock.now
    assert "past" not in of(cluster, first(cluster), since=cluster.clock.now)


def test_a_limit_is_a_line_only_where_every_container_has_one(cluster):
    deployment(cluster, 1, {**CONTAINER, "resources": {"requests": {"cpu": "50m"}}})
    assert of(cluster, first(cluster))["cpu"]["lines"] == {"request": 50}


def test_a_service_tells_rate_errors_and_latency_of_the_traffic_to_it(cluster):
    deployment(cluster, 2)
    assert of(cluster, "Service/default/web")["requests"]["values"] == {"ok": 0, "failed": 0}
    name = cluster.network.traffic.aim("default/web", 80, 40.0)
    cluster.clock.run_for(1)
    told = of(cluster, "Service/default/web")
    assert told["requests"]["values"] == {"ok": 40, "failed": 0} and told["requests"]["lines"] == {"rate": 40}
    assert told["latency"]["values"]["mean"] > 0
    assert of(cluster, f"Traffic//{name}")["plots"] == told["plots"]
    cluster.client().delete("deployments.apps", "default", "web")
    cluster.clock.run_for(60)
    assert of(cluster, "Service/default/web")["requests"]["values"] == {"ok": 0, "failed": 40}


def test_a_workload_tells_how_many_it_wants_and_has_and_what_they_use_together(cluster):
    deployment(cluster, 3)
    told = of(cluster, "Deployment/default/web")
    assert told["replicas"]["values"] == {"ready": 3, "updated": 3, "available": 3} and told["replicas"]["lines"] == {"desired": 3}
    assert told["cpu"]["lines"]["request"] == 300 and told["pods"] == 3


def test_of_a_workload_with_too_many_pods_only_the_counts_are_told(cluster, monkeypatch):
    monkeypatch.setattr(measuring, "MAX_PODS", 2)
    deployment(cluster, 3)
    told = of(cluster, "Deployment/default/web")
    assert told["cut"] == 2 and [plot["key"] for plot in told["plots"]] == ["replicas"]


def test_a_node_tells_what_is_used_beside_what_is_requested_and_allocatable(cluster):
    deployment(cluster, 3)
    told = of(cluster, "Node//w1-k8s", since=0.0)
    assert 0 < told["cpu"]["values"]["used"] < told["cpu"]["lines"]["allocatable"] and told["cpu"]["lines"]["request"] >= 100
    assert told["memory"]["values"]["used"] > 400 * 2**20 and told["pods"] == {
        "key": "pods", "unit": "count", "values": {"running": told["pods"]["values"]["running"]}, "lines": {"allocatable": 110}}
    assert told["past"]


def test_an_autoscaler_tells_its_metric_beside_the_target():
    cluster = Cluster(seed=1, metrics_server=True)
    deployment(cluster, 1)
    cluster.client().create("horizontalpodautoscalers.autoscaling", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]}})
    cluster.network.traffic.aim("default/web", 80, 1000.0)
    cluster.clock.run_for(180)
    told = of(cluster, "HorizontalPodAutoscaler/default/web")
    assert told["replicas"]["lines"] == {"least": 1, "most": 5} and told["replicas"]["values"]["current"] > 1
    assert told["metric cpu"]["lines"] == {"target": 50} and told["metric cpu"]["values"]["current"] > 0


def test_what_is_not_measured_or_not_there_has_no_metrics(cluster):
    assert metrics(cluster, "ConfigMap/kube-system/kubeadm-config") is None and metrics(cluster, "Pod/default/none") is None
    assert metrics(cluster, "Traffic//none") is None and metrics(cluster, "nonsense") is None
