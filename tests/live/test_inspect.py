"""What the inspector is told of the scheduler's decision about a pod."""

from __future__ import annotations

import orjson
import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
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
