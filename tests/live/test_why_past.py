"""Why? in the past: what was said then is said again, word for word; of a scheduler that has forgotten, too."""

from __future__ import annotations

from typing import Any

import orjson

from server.cluster.cluster import Cluster
from server.live import why
from server.live.inspect import attempt
from tests.live.test_why import create, every, pod, pods_of, workload

BIG = pod("big", "image: nginx, resources: {requests: {cpu: 3}}", "nodeSelector: {disk: ssd},")


def reasons(cluster: Cluster, thing: str) -> list[dict[str, Any]]:
    return orjson.loads(orjson.dumps(why.explain(cluster, thing)))["reasons"]


def plain(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what a machine uses, which is of a moment and not of a revision."""
    for one in every(told):
        one["params"].pop("used", None)
        one["facts"] = [fact for fact in one["facts"] if fact.get("label") != "used"]
        for row in one["params"].get("rows", []):
            for bar in row.get("bars", []):
                bar.pop("used")
    return told


def test_a_pending_pods_matrix_is_that_of_then_though_it_was_another_later() -> None:
    cluster, seen = Cluster(seed=1), {}
    create(cluster, BIG)
    for act in (lambda: None, lambda: cluster.client().patch("nodes", "", "w1-k8s", {"metadata": {"labels": {"disk": "ssd"}}}, "merge"),
                lambda: cluster.client().patch("nodes", "", "w2-k8s", {"metadata": {"labels": {"disk": "ssd"}}}, "merge")):
        act()
        cluster.clock.run_for(15)
        seen[cluster.store.revision] = plain(reasons(cluster, "Pod/default/big")), attempt(cluster, cluster.api.lister("pods").get("default", "big"))
    assert len({orjson.dumps(told) for told, _ in seen.values()}) == 3
    for revision, (told, tried) in seen.items():
        past = cluster.at(revision)
        assert plain(reasons(past, "Pod/default/big")) == told
        assert attempt(past, past.api.lister("pods").get("default", "big")) == tried


def test_how_a_nodes_choice_came_about_is_known_in_the_past_and_not_before_it_was_made() -> None:
    cluster = Cluster(seed=1)
    begun = cluster.store.revision
    create(cluster, workload("Deployment", "web", 1))
    cluster.clock.run_for(20)
    name, moments = pods_of(cluster, "web")[0], {}
    for revision in range(begun + 1, cluster.store.revision + 1):
        past = cluster.at(revision)
        one = past.api.lister("pods").get("default", name)
        if one is not None:
            moments[revision] = one["spec"].get("nodeName"), (attempt(past, one) or {}).get("node")
    assert {node for node, _ in moments.values()} > {None} and all(node == told for node, told in moments.values())


def test_a_restarted_scheduler_is_asked_again_and_says_what_the_pod_was_told_or_nothing() -> None:
    cluster = Cluster(seed=1)
    create(cluster, BIG)
    cluster.clock.run_for(15)
    before = plain(reasons(cluster, "Pod/default/big"))
    again = Cluster.restore({**orjson.loads(orjson.dumps(cluster.snapshot()))})
    asked = orjson.dumps(again.snapshot())
    assert again.scheduler.attempt(again.api.lister("pods").get("default", "big")["metadata"]["uid"]) is None
    assert plain(reasons(again, "Pod/default/big")) == before
    assert orjson.dumps(again.snapshot()) == asked
    again.chaos.inject("component", "kube-scheduler")
    again.client().patch("nodes", "", "w1-k8s", {"metadata": {"labels": {"disk": "ssd"}}}, "merge")
    assert [one["code"] for one in reasons(again, "Pod/default/big")][0] == "no-scheduler"
