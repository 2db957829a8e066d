"""PriorityClasses: what they may be, and what pods get from them."""

from __future__ import annotations

import pytest
from bare_api import CLASSES, Api

from server.cluster.apiserver.request import Request
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError


@pytest.fixture
def api() -> Api:
    return Api()


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    return caught.value.message


def test_every_cluster_has_the_systems_two_and_keeps_them(api):
    found = {obj["metadata"]["name"]: obj for obj in api.client.list(CLASSES)}
    assert {name: (obj["value"], obj["preemptionPolicy"]) for name, obj in found.items()} == {
        "system-cluster-critical": (2000000000, "PreemptLowerPriority"), "system-node-critical": (2000001000, "PreemptLowerPriority")}
    assert refused(api.client.delete, CLASSES, "", "system-node-critical") == (
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted')


def test_a_restored_cluster_without_them_gets_them_back():
    cluster = Cluster(seed=1, nodes=[], system_pods=False)
    snapshot = cluster.snapshot()
    restored = Cluster.restore(snapshot)
    assert restored.store.revision == cluster.store.revision and len(restored.api.lister(CLASSES)) == 2


def test_a_class_is_defaulted_and_has_a_generation(api):
    made = api.make("high", value=1000)
    assert (made["value"], made["preemptionPolicy"], made["metadata"]["generation"]) == (1000, "PreemptLowerPriority", 1)
    assert api.make("zero")["value"] == 0


@pytest.mark.parametrize(("name", "fields", "message"), [
    ("high", {"value": 1000000001}, "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
    ("system-x", {"value": 1}, "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
                               "system-x is not a known system priority class"),
    ("high", {"preemptionPolicy": "Maybe"}, 'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"'),
])
def test_faults_of_a_class(api, name, fields, message):
    assert refused(api.make, name, **fields) == f'PriorityClass.scheduling.k8s.io "{name}" is invalid: {message}'


def test_neither_value_nor_policy_of_a_class_may_change(api):
    api.make("high", value=1000)
    assert refused(api.client.patch, CLASSES, "", "high", {"value": 1, "preemptionPolicy": "Never"}) == (
        'PriorityClass.scheduling.k8s.io "high" is invalid: [value: Forbidden: may not be changed in an update., '
        'preemptionPolicy: Invalid value: "Never": field is immutable]')
    assert api.client.patch(CLASSES, "", "high", {"description": "for what matters"})["description"] == "for what matters"


def test_there_is_one_default_and_pods_without_a_class_get_it(api):
    assert (api.pod("before")["priority"], "priorityClassName" in api.pod("before2")) == (0, False)
    api.make("usual", value=7, globalDefault=True)
    spec = api.pod("after")
    assert (spec["priority"], spec["priorityClassName"], spec["preemptionPolicy"]) == (7, "usual", "PreemptLowerPriority")
    assert refused(api.make, "other", value=8, globalDefault=True) == (
        'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist')
    api.make("other", value=8)
    assert "already marked as default" in refused(api.client.patch, CLASSES, "", "other", {"globalDefault": True})
    api.client.patch(CLASSES, "", "usual", {"globalDefault": False})
    assert api.pod("last")["priority"] == 0


def test_a_pod_gets_its_classs_number_and_policy(api):
    api.make("patient", value=-5, preemptionPolicy="Never")
    spec = api.pod(priorityClassName="patient", priority=-5)
    assert (spec["priority"], spec["preemptionPolicy"]) == (-5, "Never")
    api.client.delete(CLASSES, "", "patient")
    assert api.client.get("pods", "default", "web")["spec"]["priority"] == -5


@pytest.mark.parametrize(("spec", "message"), [
    ({"priorityClassName": "nosuch"}, "no PriorityClass with name nosuch was found"),
    ({"priority": 3}, "the integer value of priority (3) must not be provided in pod spec; priority admission controller computed 0 from the "
                      "given PriorityClass name"),
    ({"preemptionPolicy": "Never"}, "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission "
                                    "controller computed PreemptLowerPriority from the given PriorityClass name"),
])
def test_a_pod_may_not_say_other_than_its_class(api, spec, message):
    assert refused(api.pod, **spec) == f'pods "web" is forbidden: {message}'


def test_one_template_gives_each_pod_the_class_of_its_moment(api):
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    first = api.client.create("pods", {"metadata": {"name": "a", "namespace": "default"}, "spec": spec})
    api.make("usual", value=7, globalDefault=True)
    second = api.client.create("pods", {"metadata": {"name": "b", "namespace": "default"}, "spec": spec})
    assert (first["spec"]["priority"], second["spec"]["priority"]) == (0, 7)


def test_the_printed_columns(api):
    api.make("high", value=1000)
    request = Request("list", CLASSES, client="kubectl", user="kubernetes-admin", table="None")
    shown = api.api.request(request).object
    assert [(column["name"], column["type"]) for column in shown["columnDefinitions"]] == [
        ("Name", "string"), ("Value", "integer"), ("Global-Default", "boolean"), ("Age", "string"), ("PreemptionPolicy", "string")]
    assert [row["cells"] for row in shown["rows"]][0] == ["high", 1000, False, "0s", "PreemptLowerPriority"]
