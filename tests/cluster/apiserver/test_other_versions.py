"""Kinds asked for in another version than the one they are kept in: every verb, watches, tables, faults; and groups that come and go."""

from __future__ import annotations

import json

import pytest

from server.cluster.apiserver import discovery
from server.cluster.apiserver.request import MERGE_PATCH, Options, Request
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError

V1, V2 = "horizontalpodautoscalers.v1.autoscaling", "horizontalpodautoscalers.autoscaling"


def v1(**spec) -> dict:
    return {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 4, **spec}}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=2)


def ask(cluster: Cluster, verb: str, resource: str = V1, name: str = "", raw: dict | None = None, **more):
    return cluster.api.request(Request(verb, resource, "default", name, raw=json.dumps(raw).encode() if raw is not None else None,
                                       user="kubernetes-admin", **{"content_type": "application/json", **more}))


def test_what_is_made_in_one_version_is_there_in_both(cluster):
    made = ask(cluster, "create", raw=v1(targetCPUUtilizationPercentage=60)).object
    assert (made["apiVersion"], made["spec"]["targetCPUUtilizationPercentage"], made["spec"]["minReplicas"]) == ("autoscaling/v1", 60, 1)
    assert "metrics" not in made["spec"] and "annotations" not in made["metadata"]
    kept = cluster.client().get(V2, "default", "web")
    assert kept["apiVersion"] == "autoscaling/v2" and kept["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 60
    assert json.loads(ask(cluster, "get", name="web").json()) == made


def test_a_target_that_is_left_out_is_eighty_percent(cluster):
    assert ask(cluster, "create", raw=v1()).object["spec"]["targetCPUUtilizationPercentage"] == 80


def test_lists_tables_and_watches_are_converted(cluster):
    watch = ask(cluster, "watch").stream
    ask(cluster, "create", raw=v1())
    event = watch.items.popleft()
    assert event.type == "ADDED" and event.object["apiVersion"] == "autoscaling/v1"
    assert json.loads(event.wire())["object"]["spec"]["targetCPUUtilizationPercentage"] == 80
    listed = ask(cluster, "list").object
    assert listed["apiVersion"] == "autoscaling/v1" and listed["items"][0]["apiVersion"] == "autoscaling/v1"
    table = ask(cluster, "list", table="Object").object
    assert table["rows"][0]["cells"][:3] == ["web", "Deployment/web", "cpu: <unknown>/80%"]
    assert table["rows"][0]["object"]["apiVersion"] == "autoscaling/v1"
    before = len(cluster.store._watchers[V2])
    watch.close()
    assert len(cluster.store._watchers[V2]) == before - 1


def test_patches_and_updates_change_what_is_kept(cluster):
    ask(cluster, "create", raw=v1())
    ask(cluster, "patch", name="web", raw={"spec": {"maxReplicas": 9}}, content_type=MERGE_PATCH)
    assert cluster.client().get(V2, "default", "web")["spec"]["maxReplicas"] == 9
    stale = ask(cluster, "get", name="web").object
    ask(cluster, "update", name="web", raw={**stale, "spec": {**stale["spec"], "maxReplicas": 5}})
    with pytest.raises(ApiError) as caught:
        ask(cluster, "update", name="web", raw={**stale, "spec": {**stale["spec"], "maxReplicas": 6}})
    assert caught.value.code == 409
    assert ask(cluster, "delete", name="web").object["status"] == "Success"
    assert cluster.client().list(V2, "default") == []


def test_faults_are_those_of_the_version_that_was_sent(cluster):
    with pytest.raises(ApiError) as caught:
        ask(cluster, "create", raw=v1(metrics=[]), options=Options(field_validation="Strict"))
    assert 'HorizontalPodAutoscaler in version "v1" cannot be handled' in caught.value.message and "spec.metrics" in caught.value.message
    with pytest.raises(ApiError) as caught:
        ask(cluster, "create", raw=v1(minReplicas=7))
    assert "spec.maxReplicas: Invalid value: 4: must be greater than or equal to `minReplicas`" in caught.value.message
    with pytest.raises(ApiError) as caught:
        ask(cluster, "get", name="nope")
    assert caught.value.message == 'horizontalpodautoscalers.autoscaling "nope" not found'
    with pytest.raises(ApiError) as caught:
        ask(cluster, "create", raw={**v1(), "apiVersion": "autoscaling/v2"})
    assert caught.value.code == 400


def test_annotations_that_hold_nonsense_are_left_aside(cluster):
    body = v1()
    body["metadata"]["annotations"] = {"autoscaling.alpha.kubernetes.io/metrics": '[1, {"type": "Resource"}]', "mine": "kept",
                                       "autoscaling.alpha.kubernetes.io/behavior": "{",
                                       "autoscaling.alpha.kubernetes.io/conditions": "[" * 100_000}
    made = ask(cluster, "create", raw=body).object
    assert made["metadata"]["annotations"] == {"mine": "kept"} and made["spec"]["targetCPUUtilizationPercentage"] == 80


def test_nobody_else_may(cluster):
    with pytest.raises(ApiError) as caught:
        cluster.api.request(Request("list", V1, "default", user="jane"))
    assert caught.value.code == 403


def test_a_group_behind_the_server_is_listed_only_when_it_is_there(cluster):
    assert "metrics.k8s.io" not in discovery.groups(cluster.api.extended())
    extended = Cluster(seed=2, metrics_server=True).api.extended()
    assert discovery.groups(extended)["metrics.k8s.io"] == ("v1beta1",)
    listed = discovery.api_resource_list("metrics.k8s.io", "v1beta1", extended)["resources"]
    kinds = {entry["name"]: (entry["kind"], entry["verbs"]) for entry in listed}
    assert kinds == {"nodes": ("NodeMetrics", ["get", "list"]), "pods": ("PodMetrics", ["get", "list"])}
    assert discovery.api_resource_list("metrics.k8s.io", "v1beta1") is None
    assert discovery.groups()["autoscaling"] == ("v2", "v1")
