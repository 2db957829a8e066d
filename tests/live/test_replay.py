"""The replay of one act: what it led to, and how each of its requests passed through the API server."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml

from bench.pods import deployment, service
from server.cluster import schema
from server.cluster.apiserver.request import MERGE_PATCH, STRATEGIC_PATCH, Options, Request
from server.cluster.apiserver.strategic import merge_strategic
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.live import replay
from server.live.compared import changes, lines


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=1)


def made(cluster: Cluster, replicas: int = 2, seconds: float = 30) -> int:
    """The revision at which a Deployment was made."""
    cluster.client().create("deployments.apps", deployment(replicas))
    revision = cluster.store.revision
    cluster.clock.run_for(seconds)
    return revision


def story(cluster: Cluster, revision: int) -> dict[str, Any]:
    told = replay.replay(cluster, revision)
    assert told is not None
    return orjson.loads(orjson.dumps(told))


def main(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in told["steps"] if not step["minor"]]


def stage(step: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in step["stages"] if one["stage"] == name)


def wire(cluster: Cluster, verb: str, resource: str, name: str = "", body: Any = None, user: str = "kubernetes-admin", **more: Any) -> Any:
    """A request as it comes off the wire."""
    raw = orjson.dumps(body) if body is not None else None
    return cluster.api.request(Request(verb, resource, "default", name, raw=raw, client="kubectl", user=user, **more))


def test_a_deployment_leads_to_its_replicasets_pods_bindings_and_statuses_each_by_who_did_it(cluster):
    revision = made(cluster)
    steps = main(story(cluster, revision))
    seen = [(step["lane"], step["method"], step["plural"], step["subresource"]) for step in steps]
    assert seen[:4] == [("people", "POST", "deployments", ""), ("deployment-controller", "POST", "replicasets", ""),
                        ("deployment-controller", "PUT", "deployments", "status"), ("replicaset-controller", "POST", "pods", "")]
    assert ("kube-scheduler", "POST", "pods", "binding") in seen
    assert any(lane.startswith("kubelet/w") and (verb, what, sub) == ("PATCH", "pods", "status") for lane, verb, what, sub in seen)
    assert seen[-1] == ("deployment-controller", "PUT", "deployments", "status") and steps[-1]["ready"] == 2


def test_from_any_revision_of_it_the_story_is_walked_back_to_the_persons_act(cluster):
    revision = made(cluster)
    whole = story(cluster, revision)
    for step in (whole["steps"][-1], whole["steps"][len(whole["steps"]) // 2]):
        again = story(cluster, step["revision"])
        assert again["root"] == revision and again["asked"] == step["revision"] and again["steps"] == whole["steps"]


def test_each_step_is_because_of_an_earlier_one_and_the_first_of_nothing(cluster):
    steps = story(cluster, made(cluster))["steps"]
    known = [step["revision"] for step in steps]
    assert steps[0]["because"] is None and known == sorted(known)
    assert all(step["because"] in known[:at] for at, step in enumerate(steps) if at)


def test_what_another_person_did_meanwhile_is_not_part_of_it(cluster):
    revision = made(cluster, seconds=0)
    cluster.client().create("services", service("other"))
    cluster.clock.run_for(30)
    assert not [step for step in story(cluster, revision)["steps"] if step["kind"] in ("Service", "EndpointSlice")]


def test_scaling_is_a_story_of_its_own_with_the_field_that_changed(cluster):
    made(cluster)
    cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": 3}})
    revision = cluster.store.revision
    cluster.clock.run_for(30)
    steps = main(story(cluster, revision))
    assert {"path": "spec.replicas", "from": 2, "to": 3} in steps[0]["changed"] and steps[0]["method"] == "PATCH"
    assert len([step for step in steps if step["plural"] == "pods" and step["event"] == "ADDED"]) == 1


def test_deleting_a_deployment_goes_on_to_the_garbage_collector_and_the_last_word_of_the_kubelet(cluster):
    made(cluster)
    cluster.client().delete("deployments.apps", "default", "web")
    revision = cluster.store.revision
    cluster.clock.run_for(120)
    steps = main(story(cluster, revision))
    assert (steps[0]["event"], steps[0]["method"]) == ("DELETED", "DELETE")
    assert ("garbage-collector-controller", "ReplicaSet") in [(step["lane"], step["kind"]) for step in steps]
    assert [step["event"] for step in steps if step["lane"].startswith("kubelet/") and step["method"] == "DELETE"] == ["DELETED", "DELETED"]


def test_a_binding_tells_what_the_scheduler_weighed(cluster):
    steps = main(story(cluster, made(cluster)))
    told = next(step["scheduling"] for step in steps if step["subresource"] == "binding")
    assert told["node"] == told["scores"][0]["node"] and told["passed"] == 3
    assert told["refused"] == [{"node": "m-k8s", "plugin": "TaintToleration", "reasons": ["node(s) had untolerated taint(s)"]}]


def test_a_pod_that_fits_nowhere_ends_with_the_schedulers_verdict(cluster):
    big = deployment(1)
    big["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "64"
    cluster.client().create("deployments.apps", big)
    revision = cluster.store.revision
    cluster.clock.run_for(10)
    step = next(step for step in main(story(cluster, revision)) if step["lane"] == "kube-scheduler")
    assert (step["plural"], step["subresource"], step["scheduling"]["node"]) == ("pods", "status", None)
    assert step["scheduling"]["rejected"] == 4 and "Insufficient cpu" in step["scheduling"]["message"]


def test_a_request_passes_the_doors_in_order_and_says_honestly_why(cluster):
    steps = main(story(cluster, made(cluster)))
    assert [one["stage"] for one in steps[0]["stages"]] == ["authentication", "authorization", "admission", "validation", "etcd", "watch"]
    assert (stage(steps[0], "authentication")["code"], stage(steps[0], "authorization")["code"]) == ("key", "admin")
    kubelet = next(step for step in steps if step["lane"].startswith("kubelet/"))
    assert stage(kubelet, "authentication") == {"stage": "authentication", "code": "component", "user": f"system:node:{kubelet['node']}"}
    assert stage(kubelet, "authorization")["resource"] == "pods/status"
    etcd = stage(steps[1], "etcd")
    assert etcd["key"].startswith("/registry/replicasets/default/web-") and etcd["previous"] is None and etcd["code"] == "ADDED"


def test_what_was_filled_in_is_told_with_who_filled_it(cluster):
    steps = main(story(cluster, made(cluster)))
    pod = next(step for step in steps if step["kind"] == "Pod")
    told = replay.detail(cluster, pod["revision"])
    by = {entry["path"]: entry["by"] for entry in next(one for one in told["stages"] if one["stage"] == "admission")["filled"]}
    assert by["spec.priority"] == "Priority" and by["spec.serviceAccountName"] == "ServiceAccount" and by["metadata.uid"] == "server"
    assert by["spec.tolerations[node.kubernetes.io/not-ready].effect"] == "DefaultTolerationSeconds"
    deployed = {entry["path"]: entry["by"] for entry in next(
        one for one in replay.detail(cluster, steps[0]["revision"])["stages"] if one["stage"] == "admission")["filled"]}
    assert deployed["spec.revisionHistoryLimit"] == "defaulting" and "spec.replicas" not in deployed


def test_the_contents_of_a_step_are_what_was_sent_and_what_was_stored_line_by_line(cluster):
    wire(cluster, "create", "configmaps", body={"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c"}, "data": {"a": "1"}},
         options=Options(field_manager="kubectl-create"))
    wire(cluster, "patch", "configmaps", "c", {"data": {"a": "2"}}, content_type=MERGE_PATCH)
    made_, patched = (replay.detail(cluster, cluster.store.revision - back) for back in (1, 0))
    assert 'a: "1"' in made_["sent"] and ["metadata:", ""] in made_["stored"]
    assert any(text.startswith("  uid:") and by == "server" for text, by in made_["stored"]) and ["  a: \"1\"", ""] in made_["stored"]
    assert patched["sent"] == 'data:\n  a: "2"\n' and patched["form"] == "patch"
    assert patched["changed"] == [{"path": "data.a", "from": "1", "to": "2"}] and ["  a: \"2\"", "changed"] in patched["stored"]
    assert story(cluster, cluster.store.revision)["steps"][0]["type"] == MERGE_PATCH
    assert story(cluster, cluster.store.revision - 1)["steps"][0]["manager"] == "kubectl-create"


def test_components_send_patches_where_real_ones_do_with_what_they_change_and_nothing_else(cluster):
    steps = story(cluster, made(cluster))["steps"]
    started = next(step for step in steps if step["lane"].startswith("kubelet/") and step["subresource"] == "status" and step.get("isReady"))
    assert (started["method"], started["verb"], started["type"]) == ("PATCH", "patch", STRATEGIC_PATCH)
    told = replay.detail(cluster, started["revision"])
    sent = yaml.safe_load(told["sent"])
    assert told["form"] == "patch" and set(sent) == {"metadata", "status"} and set(sent["metadata"]) == {"uid"}
    assert [one["type"] for one in sent["status"]["$setElementOrder/conditions"]][-1:] == ["PodScheduled"]
    assert "PodScheduled" not in [one["type"] for one in sent["status"]["conditions"]] and sent["status"]["phase"] == "Running"
    event = cluster.store.event_at(started["revision"])
    assert merge_strategic(event.previous, sent, schema.for_kind("v1", "Pod"))["status"] == event.object["status"]
    written = [(step["lane"].partition("/")[0], step["method"], step["plural"], step["subresource"]) for step in steps]
    assert ("replicaset-controller", "PUT", "replicasets", "status") in written and ("kubelet", "PUT", "pods", "status") not in written
    cluster.client().patch("nodes", "", "w1-k8s", {"spec": {"unschedulable": True}})
    cluster.clock.run_for(5)
    tainted = next(event for event in cluster.store.latest(20) if event.cause.client == "node-controller")
    assert replay.detail(cluster, tainted.revision)["sent"].startswith("spec:\n  taints:\n  - effect: NoSchedule\n")


def test_the_watch_names_who_hears_and_who_acted(cluster):
    steps = main(story(cluster, made(cluster)))
    watch = stage(steps[0], "watch")
    assert "deployment-controller" in watch["watchers"] and [one["lane"] for one in watch["reacted"]] == ["deployment-controller"] * 2
    bound = next(step for step in steps if step["subresource"] == "binding")
    hears = stage(bound, "watch")["watchers"]
    assert f"kubelet/{bound['node']}" in hears and "replicaset-controller" in hears and "statefulset-controller" not in hears
    cluster.components.stop("kube-scheduler")
    assert "kube-scheduler" not in stage(main(story(cluster, steps[0]["revision"]))[3], "watch")["watchers"]


def test_a_persons_watch_is_one_of_those_who_hear(cluster):
    wire(cluster, "watch", "deployments.apps")
    assert "watch" in stage(main(story(cluster, made(cluster)))[0], "watch")["watchers"]


def test_no_more_steps_are_told_than_the_bound_and_the_rest_is_counted(cluster, monkeypatch):
    revision = made(cluster)
    whole = story(cluster, revision)
    monkeypatch.setattr(replay, "MAX_STEPS", 10)
    cut = story(cluster, revision)
    assert len(cut["steps"]) == 10 and cut["more"] == len(whole["steps"]) - 10


def test_history_that_is_compacted_takes_the_beginning_away_and_says_so(cluster):
    revision = made(cluster)
    later = story(cluster, revision)["steps"][-1]
    cluster.store.compact(revision)
    cut = story(cluster, later["revision"])
    assert cut["lost"] and cut["root"] > revision and replay.replay(cluster, revision) is None and replay.detail(cluster, revision) is None


def test_what_a_client_sent_is_kept_as_it_is_and_not_when_it_is_large(cluster):
    body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "big"}, "data": {"a": "x" * 70_000}}
    wire(cluster, "create", "configmaps", body=body)
    told = replay.detail(cluster, cluster.store.revision)
    assert not told["kept"] and told["sent"] == "" and story(cluster, cluster.store.revision)["steps"][0]["method"] == "POST"
    given = deployment(1, "kept")
    cluster.client().create("deployments.apps", given)
    assert cluster.store.event_at(cluster.store.revision).cause.asked.body is given and given == deployment(1, "kept")


def test_a_read_is_a_story_of_one_step_that_ends_at_the_watch_cache(cluster):
    wire(cluster, "list", "pods", table="Metadata")
    heard = replay.acts(cluster)["acts"][0]
    assert (heard["sort"], heard["verb"], heard["resource"]) == ("read", "list", "pods")
    told = replay.replay_heard(cluster, heard["heard"])
    assert [one["stage"] for one in told["steps"][0]["stages"]] == ["authentication", "authorization", "cache", "answer"]
    assert told["steps"][0]["path"] == "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(("asked", "door"), [
    ({"verb": "create", "resource": "pods", "body": {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": {
        "containers": []}}}, "validation"),
    ({"verb": "create", "resource": "pods", "body": {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": {
        "serviceAccountName": "no", "containers": [{"name": "c", "image": "nginx"}]}}}, "admission"),
    ({"verb": "create", "resource": "pods", "body": {"kind": "Pod"}, "user": "jane"}, "authorization"),
    ({"verb": "patch", "resource": "pods", "name": "gone", "body": {}, "content_type": MERGE_PATCH}, "etcd"),
])
def test_what_was_refused_ends_at_the_door_that_was_shut(cluster, asked, door):
    with pytest.raises(ApiError):
        wire(cluster, **asked)
    act = replay.acts(cluster)["acts"][0]
    stages = replay.replay_heard(cluster, act["heard"])["steps"][0]["stages"]
    assert act["name"] in ("a", "gone", "") and act["sort"] == "refused" and (stages[-1]["stage"], stages[-1]["code"]) == (door, "refused")
    assert orjson.dumps(replay.detail_heard(cluster, act["heard"]))


def test_a_refused_dry_run_and_what_components_or_the_page_look_up_are_nobodys_acts(cluster):
    with pytest.raises(ApiError):
        wire(cluster, "create", "pods", body={"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}, options=Options(dry_run=True))
    with cluster.api.heard.quietly():
        wire(cluster, "list", "pods")
    cluster.client("kubelet", "system:node:w1-k8s").list("pods")
    assert replay.acts(cluster)["acts"] == []


def test_acts_are_what_people_did_the_newest_first_and_never_too_many(cluster):
    revision = made(cluster)
    cluster.clock.run_for(1)
    cluster.client().delete("deployments.apps", "default", "web")
    acts = replay.acts(cluster)["acts"]
    assert [(one["verb"], one["kind"], one["name"]) for one in acts] == [("delete", "Deployment", "web"), ("create", "Deployment", "web")]
    assert acts[1]["revision"] == revision
    for number in range(2 * replay.MAX_ACTS):
        cluster.client().create("configmaps", {"metadata": {"name": f"c{number}", "namespace": "default"}})
        wire(cluster, "list", "pods")
    assert len(replay.acts(cluster)["acts"]) == 2 * replay.MAX_ACTS


def test_a_fault_is_an_act_too_and_its_story_begins_with_it(cluster):
    made(cluster)
    cluster.chaos.inject("power", "Node//w1-k8s", "teacher")
    cluster.clock.run_for(120)
    act = next(one for one in replay.acts(cluster)["acts"] if one["sort"] == "fault")
    told = story(cluster, act["revision"])
    assert told["act"]["fault"] == "power" and told["act"]["target"] == "Node//w1-k8s"
    assert any(step["lane"] == "node-controller" for step in told["steps"])


def test_an_item_of_a_list_that_moved_has_not_changed():
    old = {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "True"}]}
    new = {"conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}]}
    assert changes(old, new) == [{"path": "conditions[Ready].status", "from": "True", "to": "False"}]
    assert lines(new)[3:5] == [('- status: "False"', "conditions[Ready].status"), ("  type: Ready", "conditions[Ready].type")]


def test_looking_back_leaves_every_object_as_it_was(cluster):
    revision = made(cluster)
    before = orjson.dumps(cluster.store.dump())
    for step in story(cluster, revision)["steps"]:
        assert replay.detail(cluster, step["revision"])
    assert orjson.dumps(cluster.store.dump()) == before
