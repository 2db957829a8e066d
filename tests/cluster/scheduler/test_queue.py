"""When a pod is tried again, what is kept of attempts, and how the scheduler is stopped and started."""

import pytest

RS = "replicasets.apps"


def warnings(plane, name):
    return [event for event in plane.events(name) if event["reason"] == "FailedScheduling"]


def test_an_event_that_changes_nothing_for_the_pod_brings_no_new_attempt(four_nodes):
    pod = four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle(5)
    four_nodes.client.patch("nodes", "", "w1-k8s", {"metadata": {"labels": {"disktype": "ssd"}}})
    four_nodes.settle(5)
    assert four_nodes.scheduler.attempt(pod["metadata"]["uid"]).number == 1


def test_a_pod_that_ends_brings_a_new_attempt_and_a_second_event(four_nodes):
    four_nodes.pod("job")
    pod = four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle(10)
    four_nodes.finish("job")
    four_nodes.settle(1)
    assert four_nodes.scheduler.attempt(pod["metadata"]["uid"]).number == 2
    first, second = warnings(four_nodes, "unsched")
    assert first["message"] == second["message"] and "series" not in second


def test_the_third_failure_without_a_change_of_the_pod_becomes_a_series(four_nodes):
    for number in range(2):
        four_nodes.pod(f"job-{number}")
    four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle(10)
    for number in range(2):
        four_nodes.finish(f"job-{number}")
        four_nodes.settle(30)
    first, second = warnings(four_nodes, "unsched")
    assert second["series"]["count"] == 2


def test_five_minutes_bring_a_new_attempt_whatever_happens(four_nodes):
    pod = four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle(299)
    uid = pod["metadata"]["uid"]
    assert four_nodes.scheduler.attempt(uid).number == 1
    four_nodes.settle(3)
    assert four_nodes.scheduler.attempt(uid).number == 2


def test_freed_room_is_taken_by_the_pod_that_waited_for_it(plane):
    plane.node("one", cpu="1")
    plane.pod("first", requests={"cpu": "800m"})
    plane.pod("second", requests={"cpu": "800m"})
    plane.settle(5)
    assert plane.where("second") is None
    plane.client.delete("pods", "default", "first", grace_period=0)
    plane.settle(1)
    assert plane.where("second") == "one"


def test_a_new_node_takes_the_pods_that_waited(plane):
    plane.node("one", pods="1")
    for number in range(3):
        plane.pod(f"web-{number}")
    plane.settle(5)
    assert plane.spread("web-") == {"one": 1, None: 2}
    plane.node("two")
    plane.settle(2)
    assert plane.spread("web-") == {"one": 1, "two": 2}


def test_higher_priority_goes_first(plane):
    plane.pod("low")
    plane.pod("high", priorityClassName="system-cluster-critical")
    plane.settle()
    plane.node("one", pods="1")
    plane.settle(2)
    assert plane.where("high") == "one" and plane.where("low") is None


def test_gates_hold_a_pod_back_in_silence_until_they_are_gone(four_nodes):
    four_nodes.pod("gated", schedulingGates=[{"name": "example.com/wait"}])
    four_nodes.settle(400)
    assert four_nodes.where("gated") is None and four_nodes.events("gated") == []
    pod = four_nodes.get("gated")
    four_nodes.client.update("pods", {**pod, "spec": {k: v for k, v in pod["spec"].items() if k != "schedulingGates"}})
    four_nodes.settle()
    assert four_nodes.where("gated") is not None


def test_a_deleted_pod_is_forgotten(plane):
    plane.pod("web")
    plane.settle()
    plane.client.delete("pods", "default", "web", grace_period=0)
    plane.node("one")
    plane.settle(400)
    assert plane.scheduler.queue.entries == {} and plane.scheduler.queue.unschedulable == {}


def test_nothing_is_scheduled_while_the_scheduler_is_stopped_and_everything_after(four_nodes):
    four_nodes.scheduler.stop()
    four_nodes.pod("web")
    four_nodes.settle(10)
    assert four_nodes.where("web") is None
    four_nodes.scheduler.start()
    four_nodes.settle()
    assert four_nodes.where("web") is not None


def test_a_restarted_scheduler_knows_what_is_in_use(plane):
    plane.node("one", cpu="1")
    plane.pod("first", requests={"cpu": "800m"})
    plane.settle()
    plane.scheduler.stop()
    plane.scheduler.start()
    plane.pod("second", requests={"cpu": "800m"})
    plane.settle()
    assert plane.where("second") is None
    assert plane.message("second").startswith("0/1 nodes are available: 1 Insufficient cpu. ")


def test_the_attempt_says_who_refused_which_node(four_nodes):
    pod = four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle()
    attempt = four_nodes.scheduler.attempt(pod["metadata"]["uid"])
    assert attempt.pod == ("default", "unsched") and attempt.node is None
    assert attempt.rejections == {
        "m-k8s": ("TaintToleration", ("node(s) had untolerated taint(s)",)),
        **{f"w{n}-k8s": ("NodeResourcesFit", ("Insufficient cpu",)) for n in (1, 2, 3)}}
    assert attempt.message == four_nodes.message("unsched")
    assert four_nodes.scheduler.attempt("nosuch") is None


def test_a_binding_made_by_someone_else_is_left_alone(four_nodes):
    four_nodes.pod("web")
    four_nodes.client.bind("default", "web", "w3-k8s")
    four_nodes.settle(5)
    assert four_nodes.where("web") == "w3-k8s" and four_nodes.events("web") == []


def test_bindings_name_the_event_that_made_them(four_nodes):
    created = four_nodes.pod("web")
    seen = []
    four_nodes.api.watch("pods", lambda event: seen.append(event))
    four_nodes.settle()
    assert seen[0].cause.client == "kube-scheduler"
    assert seen[0].cause.because == int(created["metadata"]["resourceVersion"])


def test_pods_are_placed_one_after_another_in_virtual_time(four_nodes):
    uids = [four_nodes.pod(f"web-{number}")["metadata"]["uid"] for number in range(5)]
    four_nodes.settle()
    times = [four_nodes.scheduler.attempt(uid).time for uid in uids]
    assert times == sorted(times) and len(set(times)) == 5 and times[-1] < 0.02


@pytest.mark.parametrize("restart", [False, True])
def test_a_pending_pod_costs_nothing_while_nothing_happens(four_nodes, restart):
    four_nodes.pod("unsched", requests={"cpu": "100"})
    four_nodes.settle(2)
    if restart:
        four_nodes.scheduler.stop()
        four_nodes.scheduler.start()
        four_nodes.settle(2)
    assert four_nodes.clock.next_due() - four_nodes.clock.now > 200
