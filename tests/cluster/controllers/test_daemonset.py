"""DaemonSets: one pod on every node that fits, through whatever happens to nodes, pods and the template."""

from __future__ import annotations

import pytest
from daemon_world import DaemonWorld, digest, images, name

from server.cluster.errors import ApiError
from server.cluster.objects import deleting, labels

TAINT = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
FATAL = {"key": "dedicated", "value": "db", "effect": "NoExecute"}


@pytest.fixture
def world() -> DaemonWorld:
    return DaemonWorld()


# where pods are ----------------------------------------------------------------------------------------------------------

def test_every_node_gets_one_pod_and_the_status_counts_them(world):
    world.create()
    world.run(0.05)
    assert world.counts() == {"desired": 3, "current": 3, "ready": 0, "updated": 3, "available": 0, "unavailable": 3, "misscheduled": 0}
    world.run()
    assert world.nodes_with_pods() == ["w1", "w2", "w3"]
    assert world.counts() == {"desired": 3, "current": 3, "ready": 3, "updated": 3, "available": 3, "unavailable": 0, "misscheduled": 0}
    assert world.daemon_set()["status"]["observedGeneration"] == 1
    assert sorted(world.messages("DaemonSet", "agent", "SuccessfulCreate")) == sorted(f"Created pod: {name(pod)}" for pod in world.active())


def test_a_pod_is_tied_to_its_node_and_tolerates_a_node_in_trouble(world):
    world.create(pod={"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "DoesNotExist"}]}]}}}})
    world.run()
    pod = world.active()[0]
    assert pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [pod["spec"]["nodeName"]]}]}]}
    assert [(entry["key"], entry["effect"]) for entry in pod["spec"]["tolerations"]] == [
        ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"), ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule")]
    assert all("tolerationSeconds" not in entry for entry in pod["spec"]["tolerations"])
    assert labels(pod) == {"app": "agent", "pod-template-generation": "1", "controller-revision-hash": digest(pod)}
    assert world.revisions()[0]["metadata"]["name"] == f"agent-{digest(pod)}"


def test_on_the_host_network_a_pod_also_tolerates_a_missing_network(world):
    world.create(pod={"hostNetwork": True})
    world.run()
    assert world.active()[0]["spec"]["tolerations"][-1] == {
        "key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"}


def test_a_toleration_of_the_template_that_is_the_same_is_not_added_twice(world):
    world.create(pod={"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
                                       "tolerationSeconds": 5}]})
    world.run()
    found = [entry for entry in world.active()[0]["spec"]["tolerations"] if entry["key"] == "node.kubernetes.io/not-ready"]
    assert found == [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]


def test_a_new_node_gets_its_pod_and_a_removed_one_loses_it(world):
    world.create()
    world.run()
    world.add_node("w4")
    world.run()
    assert world.nodes_with_pods() == ["w1", "w2", "w3", "w4"]
    world.kubectl.delete("nodes", "", "w1")
    world.run(0.1)
    assert world.counts()["desired"] == 3
    world.run(300)
    assert world.nodes_with_pods() == ["w2", "w3", "w4"]
    assert world.counts()["current"] == 3


def test_a_pod_that_waits_for_a_node_that_is_removed_is_deleted(world):
    world.create(pod={"schedulerName": "nobody"})
    world.controller.stop()
    world.controller.start()
    for pod in world.active():
        assert not pod["spec"].get("nodeName")
    world.run(0.006)
    waiting = [pod for pod in world.active() if not pod["spec"].get("nodeName")]
    assert len(waiting) == 3
    world.kubectl.delete("nodes", "", "w2")
    world.run(0.2)
    assert world.nodes_with_pods() == ["w1", "w3"]


@pytest.mark.parametrize("spec, fitting", [
    ({"nodeSelector": {"disk": "ssd"}}, ["w2"]),
    ({"nodeName": "w3"}, ["w3"]),
    ({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]},
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1"]}]}]}}}}, ["w1", "w2"]),
])
def test_only_nodes_that_the_template_selects_get_a_pod(world, spec, fitting):
    world.label_node("w2", disk="ssd")
    world.create(pod=spec)
    world.run()
    assert world.nodes_with_pods() == fitting
    assert world.counts()["desired"] == len(fitting)


def test_relabelling_a_node_brings_and_takes_its_pod(world):
    world.create(pod={"nodeSelector": {"disk": "ssd"}})
    world.run()
    assert world.nodes_with_pods() == [] and world.counts()["desired"] == 0
    world.label_node("w2", disk="ssd")
    world.run()
    assert world.nodes_with_pods() == ["w2"]
    world.label_node("w2", disk="hdd")
    world.run()
    assert world.nodes_with_pods() == []
    assert world.messages("DaemonSet", "agent", "SuccessfulDelete")


def test_a_node_tainted_against_scheduling_keeps_its_pod_which_then_counts_as_misscheduled(world):
    world.create()
    world.run()
    before = name(world.on("w1")[0])
    world.edit_node("w1", taints=[TAINT])
    world.run()
    assert [name(pod) for pod in world.on("w1")] == [before]
    assert world.counts() == {"desired": 2, "current": 2, "ready": 2, "updated": 2, "available": 2, "unavailable": 0, "misscheduled": 1}
    world.kubectl.delete("pods", "default", before)
    world.run()
    assert world.on("w1") == []
    assert world.counts()["misscheduled"] == 0


def test_a_node_tainted_against_running_loses_its_pod(world):
    world.create()
    world.run()
    world.edit_node("w1", taints=[FATAL])
    world.run()
    assert world.nodes_with_pods() == ["w2", "w3"]
    world.edit_node("w1", taints=[])
    world.run()
    assert world.nodes_with_pods() == ["w1", "w2", "w3"]


def test_a_tolerated_taint_and_a_cordon_change_nothing(world):
    world.edit_node("w1", taints=[TAINT])
    world.create(pod={"tolerations": [{"key": "dedicated", "operator": "Exists"}]})
    world.edit_node("w2", unschedulable=True)
    world.run()
    assert world.nodes_with_pods() == ["w1", "w2", "w3"]


# what happens to pods ----------------------------------------------------------------------------------------------------

def test_a_deleted_pod_comes_back_on_the_same_node_after_it_is_gone(world):
    world.create()
    world.run()
    victim = world.on("w2")[0]
    world.kubectl.delete("pods", "default", name(victim))
    world.run(0.5)
    assert world.on("w2") == []
    world.run()
    assert len(world.on("w2")) == 1 and name(world.on("w2")[0]) != name(victim)


def test_failed_pods_are_deleted_with_an_event_and_a_growing_backoff(world):
    world.create()
    world.run()
    deleted = []
    world.api.watch("pods", lambda event: deleted.append(world.clock.now) if event.type == "DELETED" else None)
    for _ in range(6):
        before = len(deleted)
        world.set_status(name(world.on("w1")[0]), phase="Failed", ready=False)
        while len(deleted) == before:
            world.run(0.1)
        world.run(1.5)
    gaps = [round(after - before) for before, after in zip(deleted, deleted[1:], strict=False)]
    assert gaps == [2, 2, 4, 8, 16]
    told = world.messages("DaemonSet", "agent", "FailedDaemonPod")
    assert told[0].startswith("Found failed daemon pod default/agent-") and told[0].endswith(" on node w1, will try to kill it")
    assert len(told) == 6 and world.clock.run_until_idle()


def test_a_pod_that_has_ended_is_replaced(world):
    world.create()
    world.run()
    pod = world.on("w1")[0]
    world.set_status(name(pod), phase="Succeeded", ready=False)
    world.run()
    assert len(world.on("w1")) == 1
    assert world.messages("DaemonSet", "agent", "SucceededDaemonPod") == [
        f"Found succeeded daemon pod default/{name(pod)} on node w1, will try to delete it"]


def test_a_released_pod_is_replaced_and_when_labelled_again_the_older_one_stays(world):
    world.create()
    world.run()
    pod = name(world.on("w1")[0])
    world.patch("pods", pod, {"metadata": {"labels": {"app": "other"}}})
    world.run()
    assert not world.pod(pod)["metadata"].get("ownerReferences")
    assert len(world.on("w1")) == 2
    world.patch("pods", pod, {"metadata": {"labels": {"app": "agent"}}})
    world.run()
    assert [name(entry) for entry in world.on("w1")] == [pod]
    assert world.pod(pod)["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"


def test_orphaned_pods_are_adopted_again(world):
    world.create()
    world.run()
    before = sorted(name(pod) for pod in world.active())
    world.kubectl.delete("daemonsets.apps", "default", "agent", propagation="Orphan")
    world.run()
    assert world.daemon_set() is None and sorted(name(pod) for pod in world.active()) == before
    world.create()
    world.run()
    assert sorted(name(pod) for pod in world.active()) == before
    assert len(world.revisions()) == 1


def test_deleting_the_set_deletes_its_pods_and_revisions(world):
    world.create()
    world.run()
    world.kubectl.delete("daemonsets.apps", "default", "agent", propagation="Background")
    world.run()
    assert world.active() == [] and world.revisions() == []


def test_a_refusal_is_told_and_tried_again_later(world):
    world.create(pod={"serviceAccountName": "missing"})
    world.run(5)
    told = world.messages("DaemonSet", "agent", "FailedCreate")
    assert told and told[0].startswith("Error creating: pods \"agent-") and 'serviceaccount "missing" not found' in told[0]
    assert world.count_writes("pods") == 0
    world.kubectl.create("serviceaccounts", {"metadata": {"name": "missing", "namespace": "default"}})
    world.run(1100)
    assert len(world.active()) == 3


# the rolling update ------------------------------------------------------------------------------------------------------

def test_by_default_one_node_after_the_other_gets_the_new_template(world):
    world.create()
    world.run()
    least = []
    world.api.watch("pods", lambda event: least.append(sum(world.is_available(pod) for pod in world.active())))
    world.set_image("agent:2")
    world.run(0.1)
    assert world.counts()["updated"] == 0 and world.daemon_set()["status"]["observedGeneration"] == 2
    world.run(60)
    assert images(world.active()) == ["agent:2"] * 3
    assert min(least) == 2
    assert world.counts()["updated"] == 3
    assert {labels(pod)["pod-template-generation"] for pod in world.active()} == {"2"}
    assert world.daemon_set()["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "2"


@pytest.mark.parametrize("nodes, allowed, least_available", [(5, 2, 3), (5, "50%", 2), (5, "1%", 4), (4, "100%", 0)])
def test_no_more_than_max_unavailable_nodes_are_without_a_pod_at_a_time(nodes, allowed, least_available):
    world = DaemonWorld(nodes=nodes)
    world.create({"maxUnavailable": allowed})
    world.run()
    least = []
    world.api.watch("pods", lambda event: least.append(sum(world.is_available(pod) for pod in world.active())))
    world.set_image("agent:2")
    world.run(120)
    assert images(world.active()) == ["agent:2"] * nodes
    assert min(least) == least_available


@pytest.mark.parametrize("surge, most", [(1, 6), ("40%", 7), ("100%", 10)])
def test_with_surge_the_new_pod_is_available_before_the_old_one_goes(surge, most):
    world = DaemonWorld(nodes=5)
    world.create({"maxUnavailable": 0, "maxSurge": surge})
    world.run()
    seen = []
    world.api.watch("pods", lambda event: seen.append((len(world.active()), sum(world.is_available(pod) for pod in world.active()))))
    world.set_image("agent:2")
    world.run(120)
    assert images(world.active()) == ["agent:2"] * 5
    assert max(count for count, _ in seen) == most
    assert min(available for _, available in seen) == 5


def test_a_bad_template_stops_at_the_bound_and_undoing_it_heals(world):
    world.broken = ("agent:bad",)
    world.create()
    world.run()
    world.set_image("agent:bad")
    world.run(60)
    assert images(world.active()) == ["agent:1", "agent:1", "agent:bad"]
    assert world.counts()["unavailable"] == 1
    world.set_image("agent:1")
    world.run(60)
    assert images(world.active()) == ["agent:1"] * 3
    assert [revision["revision"] for revision in world.revisions()] == [2, 3]


def test_min_ready_seconds_hold_the_next_node_back(world):
    world.create(minReadySeconds=10)
    world.run(5)
    assert (world.counts()["ready"], world.counts()["available"]) == (3, 0)
    world.run(10)
    assert world.counts()["available"] == 3
    world.set_image("agent:2")
    world.run(8)
    assert images(world.active()) == ["agent:1", "agent:1", "agent:2"]
    world.run(60)
    assert images(world.active()) == ["agent:2"] * 3


def test_on_delete_waits_for_somebody_to_delete_the_pods(world):
    world.create({"type": "OnDelete"})
    world.run()
    world.set_image("agent:2")
    world.run(60)
    assert images(world.active()) == ["agent:1"] * 3 and world.counts()["updated"] == 0
    world.kubectl.delete("pods", "default", name(world.on("w1")[0]))
    world.run()
    assert images(world.on("w1")) == ["agent:2"] and world.counts()["updated"] == 1


def test_a_change_that_is_not_the_templates_restarts_nothing(world):
    world.create()
    world.run()
    before = world.active()
    world.edit(("minReadySeconds",), 1)
    world.run()
    assert world.active() == before
    assert world.daemon_set()["metadata"]["generation"] == 2
    assert world.daemon_set()["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "1"


# history -----------------------------------------------------------------------------------------------------------------

def test_revisions_are_kept_up_to_the_limit_and_a_template_taken_up_again_gets_the_newest_number(world):
    world.create(revisionHistoryLimit=2)
    for number in range(2, 6):
        world.run(60)
        world.set_image(f"agent:{number}")
    world.run(60)
    assert [revision["revision"] for revision in world.revisions()] == [3, 4, 5]
    world.set_image("agent:4")
    world.run(60)
    assert [revision["revision"] for revision in world.revisions()] == [3, 5, 6]
    assert {digest(pod) for pod in world.active()} == {labels(world.revisions()[-1])["controller-revision-hash"]}


def test_a_revision_that_pods_are_of_is_kept_past_the_limit(world):
    world.create({"type": "OnDelete"}, revisionHistoryLimit=0)
    for number in (2, 3):
        world.run(30)
        world.set_image(f"agent:{number}")
    world.run(30)
    assert [revision["revision"] for revision in world.revisions()] == [1, 3]
    for pod in world.active():
        world.kubectl.delete("pods", "default", name(pod))
    world.run(30)
    assert [revision["revision"] for revision in world.revisions()] == [3]


def test_a_deleted_present_revision_is_made_again(world):
    world.create()
    world.run()
    kept = name(world.revisions()[0])
    world.kubectl.delete("controllerrevisions.apps", "default", kept)
    world.run()
    assert [name(revision) for revision in world.revisions()] == [kept]


def test_a_name_that_is_taken_is_counted_as_a_collision(world):
    world.create()
    world.run()
    taken = world.revisions()[0]
    world.kubectl.delete("daemonsets.apps", "default", "agent", propagation="Background")
    world.run()
    meta = {"name": name(taken), "namespace": "default"}
    world.kubectl.create("controllerrevisions.apps", {"metadata": meta, "data": {"spec": {"template": {}}}, "revision": 7})
    world.create()
    world.run()
    assert world.daemon_set()["status"]["collisionCount"] == 1
    assert len(world.active()) == 3
    assert all(f"agent-{digest(pod)}" != name(taken) for pod in world.active())


# restart and cost --------------------------------------------------------------------------------------------------------

def test_a_restarted_controller_takes_up_a_half_done_update(world):
    world.create()
    world.run()
    world.set_image("agent:2")
    world.run(0.5)
    world = world.restarted()
    for pod in [pod for pod in world.pods() if deleting(pod)]:
        world.kubectl.delete("pods", "default", name(pod), grace_period=0)
    world.run(60)
    assert images(world.active()) == ["agent:2"] * 3
    assert world.counts()["updated"] == 3


def test_a_settled_set_has_no_timers_and_heartbeats_and_conditions_wake_nobody():
    world = DaemonWorld(nodes=20)
    world.create(minReadySeconds=3)
    world.run(60)
    assert world.clock.run_until_idle()
    controller, reconciled = world.controller, []
    reconcile = controller.reconcile
    controller.reconcile = lambda key: (reconciled.append(key), reconcile(key))
    present = world.get("nodes", "w1", "")
    world.kubectl.update("nodes", {**present, "status": {**present["status"], "addresses": [{"type": "Hostname", "address": "w1"}]}}, "status")
    world.label_node("w1", colour="blue")
    world.run(60)
    assert reconciled == []


def test_one_pod_on_one_of_many_nodes_costs_one_look():
    world = DaemonWorld(nodes=60)
    world.create()
    world.run(60)
    looked = []
    census = next(iter(world.controller._censuses.values()))
    look = census._look
    census._look = lambda node: (looked.append(node), look(node))
    world.kubectl.delete("pods", "default", name(world.on("w7")[0]))
    world.run(60)
    assert set(looked) == {"w7"} and len(world.active()) == 60


# the API -----------------------------------------------------------------------------------------------------------------

def refused(world: DaemonWorld, *strategy, **spec) -> list[str]:
    with pytest.raises(ApiError) as caught:
        world.create(*strategy, **spec)
    return [f"{cause['field']}: {cause['message']}" for cause in caught.value.details["causes"]]


def test_defaults_are_filled_in(world):
    spec = world.create()["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    assert spec["revisionHistoryLimit"] == 10
    assert "rollingUpdate" not in DaemonWorld().create({"type": "OnDelete"})["spec"]["updateStrategy"]


@pytest.mark.parametrize("strategy, spec, messages", [
    ({"maxUnavailable": 1, "maxSurge": 1}, {},
     ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"]),
    ({"maxUnavailable": 0, "maxSurge": 0}, {},
     ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
    ({"maxUnavailable": "200%"}, {}, ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%']),
    ({"type": "Recreate"}, {}, ['spec.updateStrategy: Unsupported value: {"type":"Recreate"}: supported values: "RollingUpdate", "OnDelete"']),
    (None, {"minReadySeconds": -1}, ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"]),
    (None, {"revisionHistoryLimit": -1}, ["spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"]),
    (None, {"selector": {"matchLabels": {"app": "x"}}},
     ['spec.template.metadata.labels: Invalid value: {"app":"agent"}: `selector` does not match template `labels`']),
    (None, {"pod": {"restartPolicy": "Never"}}, ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    (None, {"pod": {"activeDeadlineSeconds": 5}},
     ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported"]),
])
def test_what_cannot_be_is_refused_in_kubernetes_words(world, strategy, spec, messages):
    assert refused(world, strategy, **spec) == messages


def test_the_selector_is_immutable_and_the_template_generation_is_the_servers(world):
    world.create()
    with pytest.raises(ApiError, match="field is immutable"):
        world.patch("daemonsets.apps", "agent", {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {
            "metadata": {"labels": {"app": "x"}}}}})
    changed = world.patch("daemonsets.apps", "agent", {"metadata": {"annotations": {"deprecated.daemonset.template.generation": "9"}}})
    assert changed["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "1"
    assert changed["metadata"]["generation"] == 1
