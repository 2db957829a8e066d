"""What the inspector is told of the scheduler's decision about a pod."""

from __future__ import annotations

import orjson
import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from server.live import about
from server.live.inspect import MAX_NODES, inspect


def pod(cluster: Cluster, name: str, cpu: str = "100m") -> None:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
    cluster.client().create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container]}})
    cluster.clock.run_for(5)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=1)


def test_a_placed_pod_tells_each_nodes_scores_the_chosen_one_first(cluster):
    pod(cluster, "web")
    told = orjson.loads(orjson.dumps(inspect(cluster, "Pod/default/web")))["attempt"]
    assert told["node"] == told["feasible"][0]["node"] and (told["nodes"], told["tried"], told["untried"], told["scored"]) == (4, 4, 0, 3)
    assert told["weights"]["TaintToleration"] == 3
    for entry in told["feasible"]:
        assert entry["total"] == sum(plugin["weighted"] for plugin in entry["plugins"].values())
        assert set(entry["plugins"]["NodeResourcesFit"]) == {"raw", "score", "weighted"}
    assert told["refused"] == [{"node": "m-k8s", "plugin": "TaintToleration", "reasons": ["node(s) had untolerated taint(s)"]}]


def test_a_pending_pod_tells_who_refused_and_how_often_it_was_tried(cluster):
    pod(cluster, "big", cpu="64")
    cluster.clock.run_for(301)
    told = orjson.loads(orjson.dumps(inspect(cluster, "Pod/default/big")))["attempt"]
    assert told["node"] is None and told["number"] == 2 and [one["number"] for one in told["earlier"]] == [1]
    assert told["reasons"] == {"Insufficient cpu": 3, "node(s) had untolerated taint(s)": 1}
    assert told["message"].startswith("0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu.")


def test_of_a_large_cluster_only_so_many_nodes_are_listed():
    cluster = Cluster(seed=1, nodes=with_workers(300), system_pods=False)
    pod(cluster, "web")
    told = inspect(cluster, "Pod/default/web")["attempt"]
    assert len(told["feasible"]) == MAX_NODES < told["scored"] and told["untried"] > 0


def test_only_pods_have_attempts(cluster):
    pod(cluster, "web")
    assert "attempt" not in inspect(cluster, "Node//w1-k8s")
    bound = {"metadata": {"name": "by-hand", "namespace": "default"}, "spec": {"nodeName": "w1-k8s", "containers": [
        {"name": "c", "image": "nginx"}]}}
    cluster.client().create("pods", bound)
    assert inspect(cluster, "Pod/default/by-hand")["attempt"] is None


def test_only_the_parts_that_are_asked_for_are_told(cluster):
    pod(cluster, "web")
    assert set(inspect(cluster, "Pod/default/web", ("about",))) == {"id", "revision", "time", "about"}
    assert {"yaml", "describe", "events", "why", "attempt", "causes", "about"} < set(inspect(cluster, "Pod/default/web"))


def test_any_object_tells_what_kubectl_prints_of_it_and_who_owns_it(cluster):
    cluster.client().create("deployments.apps", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
    cluster.clock.run_for(20)
    [web] = cluster.api.lister("pods").list("default")
    [owner] = cluster.api.lister("replicasets.apps").list("default")
    told = inspect(cluster, f"Pod/default/{web['metadata']['name']}", ("about",))["about"]
    assert told["owners"] == [f"ReplicaSet/default/{owner['metadata']['name']}", "Deployment/default/web"] and told["short"] == "po"
    assert told["containers"][0]["state"] == "running" and {one["type"] for one in told["conditions"]} >= {"Ready", "PodScheduled"}
    lease = inspect(cluster, "Lease/kube-node-lease/w1-k8s", ("about",))["about"]
    assert lease["columns"] == [{"name": "Holder", "value": "w1-k8s"}]


def test_a_secret_tells_its_keys_with_the_size_of_what_base64_stands_for(cluster):
    cluster.client().create("secrets", {"metadata": {"name": "s", "namespace": "default"}, "data": {"password": "aHVudGVyMg=="}})
    cluster.client().create("configmaps", {"metadata": {"name": "c", "namespace": "default"}, "data": {"mode": "dark", "long": "x" * 5000}})
    assert inspect(cluster, "Secret/default/s", ("about",))["about"]["data"] == [{"key": "password", "size": 7, "secret": "aHVudGVyMg=="}]
    assert inspect(cluster, "ConfigMap/default/c", ("about",))["about"]["data"] == [
        {"key": "mode", "size": 4, "text": "dark"}, {"key": "long", "size": 5000}]


def test_a_workloads_events_are_also_those_of_what_it_made(cluster):
    pod(cluster, "stranger")
    cluster.client().create("deployments.apps", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
    cluster.clock.run_for(20)
    told = inspect(cluster, "Deployment/default/web", ("events",))["events"]
    assert {(one["thing"].split("/")[0], one["reason"]) for one in told} >= {
        ("Deployment", "ScalingReplicaSet"), ("ReplicaSet", "SuccessfulCreate"), ("Pod", "Scheduled"), ("Pod", "Started")}
    assert all(one["first"] <= one["last"] <= cluster.clock.now for one in told)
    assert len(told) < len(inspect(cluster, "Namespace//default", ("events",))["events"])


def test_every_kind_can_be_listed_page_by_page_and_by_name(cluster):
    for number in range(5):
        cluster.client().create("configmaps", {"metadata": {"name": f"c-{number}", "namespace": "default"}, "data": {"a": "1"}})
    known = {entry["kind"]: entry for entry in about.kinds(cluster)}
    assert known["Node"]["count"] == 4 and "Lease" in known and "ComponentStatus" not in known
    row = about.RESOURCES["configmaps"]
    page = about.objects(cluster, row, "default", "c-", 3, 10)
    assert page["total"] == 5 and page["columns"] == ["Data", "Age"]
    assert [entry["id"] for entry in page["rows"]] == ["ConfigMap/default/c-3", "ConfigMap/default/c-4"] and page["rows"][0]["cells"][0] == "1"
