"""PodDisruptionBudgets as the API takes them."""

from __future__ import annotations

import pytest
from bare_api import Api

from server.cluster.apiserver.request import Request
from server.cluster.errors import ApiError

BUDGETS = "poddisruptionbudgets.policy"


@pytest.fixture
def api() -> Api:
    return Api()


def make(api: Api, name: str = "web", **spec: object) -> dict:
    return api.client.create(BUDGETS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec, "status": {"disruptionsAllowed": 9}})


def test_a_new_budget_has_an_empty_status_and_a_generation_that_counts_its_spec(api):
    made = make(api, minAvailable=1)
    assert made["status"] == {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
    assert made["metadata"]["generation"] == 1
    assert api.client.patch(BUDGETS, "default", "web", {"spec": {"minAvailable": 2}})["metadata"]["generation"] == 2
    assert api.client.patch(BUDGETS, "default", "web", {"metadata": {"labels": {"a": "b"}}})["metadata"]["generation"] == 2


@pytest.mark.parametrize(("spec", "message"), [
    ({"minAvailable": 1, "maxUnavailable": "1%", "selector": {"matchLabels": {"a": "b"}}},
     'spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":"1%","UnhealthyPodEvictionPolicy":null}: '
     "minAvailable and maxUnavailable cannot be both set"),
    ({"minAvailable": -1}, "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
    ({"maxUnavailable": "101%"}, 'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
    ({"minAvailable": "ten"}, "spec.minAvailable: Invalid value: \"ten\": a valid percent string must be a numeric string followed by an ending "
                              "'%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
    ({"minAvailable": 1, "unhealthyPodEvictionPolicy": "Never"},
     'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"'),
    ({"minAvailable": 1, "selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
     'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator'),
])
def test_faults_of_a_budget(api, spec, message):
    with pytest.raises(ApiError) as caught:
        make(api, **spec)
    assert caught.value.message == f'PodDisruptionBudget.policy "web" is invalid: {message}'


def test_faults_of_a_status(api):
    made = make(api, minAvailable=1)
    entry = {"type": "DisruptionAllowed", "status": "Maybe", "reason": "1", "message": ""}
    with pytest.raises(ApiError) as caught:
        api.client.update(BUDGETS, {**made, "status": {**made["status"], "disruptionsAllowed": -1, "conditions": [entry, entry]}}, "status")
    fields = [cause["field"] for cause in caught.value.details["causes"]]
    first = ["status.conditions[0].status", "status.conditions[0].lastTransitionTime", "status.conditions[0].reason"]
    assert fields == [*first, "status.conditions[1].type", *[field.replace("[0]", "[1]") for field in first], "status.disruptionsAllowed"]


def test_the_printed_columns(api):
    make(api, minAvailable=1)
    make(api, "z", maxUnavailable="25%")
    shown = api.api.request(Request("list", BUDGETS, "default", client="kubectl", user="kubernetes-admin", table="None")).object
    assert [column["name"] for column in shown["columnDefinitions"]] == [
        "Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"]
    assert [row["cells"] for row in shown["rows"]] == [["web", "1", "N/A", 0, "0s"], ["z", "N/A", "25%", 0, "0s"]]
