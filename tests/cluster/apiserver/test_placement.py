"""What the API server does to pods for where they go."""

from __future__ import annotations

import pytest
from bare_api import Api

from server.cluster.apiserver.request import Request
from server.cluster.errors import ApiError

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


@pytest.fixture
def api() -> Api:
    return Api()


def pod(api: Api, name: str = "web", labels: dict | None = None, **spec: object) -> dict:
    return api.client.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": labels or {"app": "web", "rev": "2"}},
                                      "spec": {"containers": [{"name": "c", "image": "nginx"}], **spec}})


def test_label_keys_become_part_of_the_selectors(api):
    constraint = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}},
                  "matchLabelKeys": ["rev", "absent"]}
    term = {"topologyKey": ZONE, "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "mismatchLabelKeys": ["rev"]}
    made = pod(api, topologySpreadConstraints=[constraint], affinity={"podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [term],
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}})["spec"]
    assert made["topologySpreadConstraints"][0]["labelSelector"] == {
        "matchLabels": {"app": "web"}, "matchExpressions": [{"key": "rev", "operator": "In", "values": ["2"]}]}
    away = made["affinity"]["podAntiAffinity"]
    expressions = [{"key": "app", "operator": "Exists"}, {"key": "rev", "operator": "NotIn", "values": ["2"]}]
    assert away["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]["matchExpressions"] == expressions
    assert away["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]["labelSelector"]["matchExpressions"] == expressions


def test_a_bound_pod_learns_its_nodes_zone_and_region(api):
    api.client.create("nodes", {"metadata": {"name": "n", "labels": {ZONE: "a", REGION: "r", "disk": "ssd"}}})
    api.client.create("nodes", {"metadata": {"name": "plain"}})
    pod(api, labels={"app": "web", ZONE: "lie"})
    api.client.bind("default", "web", "n")
    assert api.client.get("pods", "default", "web")["metadata"]["labels"] == {"app": "web", ZONE: "a", REGION: "r"}
    pod(api, "other")
    api.client.bind("default", "other", "plain")
    assert api.client.get("pods", "default", "other")["metadata"]["labels"] == {"app": "web", "rev": "2"}


def test_a_nomination_ends_with_the_binding_and_gates_forbid_one(api):
    api.client.create("nodes", {"metadata": {"name": "n"}})
    made = pod(api)
    api.client.update("pods", {**made, "status": {**made["status"], "nominatedNodeName": "n"}}, "status")
    api.client.bind("default", "web", "n")
    assert "nominatedNodeName" not in api.client.get("pods", "default", "web")["status"]
    pod(api, "gated", schedulingGates=[{"name": "example.com/wait"}])
    with pytest.raises(ApiError, match="pod gated has non-empty .spec.schedulingGates"):
        api.client.bind("default", "gated", "n")


def test_only_a_node_can_be_bound_to(api):
    pod(api)
    with pytest.raises(ApiError) as caught:
        api.api.request(Request("create", "pods", "default", "web", "binding", {"target": {"kind": "Pod"}}, user="kubernetes-admin"))
    assert [cause["field"] for cause in caught.value.details["causes"]] == ["target.kind", "target.name"]
