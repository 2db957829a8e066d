"""A pod of higher priority makes room for itself."""

CRITICAL = {"priorityClassName": "system-cluster-critical"}


def full(plane, cpu="800m", nodes=("one",), grace=None):
    for node in nodes:
        plane.node(node, cpu="1")
        plane.pod(f"low-{node}", requests={"cpu": cpu}, nodeSelector={"kubernetes.io/hostname": node},
                  **({"terminationGracePeriodSeconds": grace} if grace is not None else {}))
    plane.settle()


def test_victims_are_deleted_and_the_pod_is_nominated(plane):
    full(plane)
    high = plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(1)
    victim = plane.get("low-one")
    assert "deletionTimestamp" in victim["metadata"]
    target = next(entry for entry in victim["status"]["conditions"] if entry["type"] == "DisruptionTarget")
    assert (target["reason"], target["message"]) == (
        "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod")
    assert [(event["reason"], event["message"]) for event in plane.events("low-one")][-1] == (
        "Preempted", f"Preempted by pod {high['metadata']['uid']} on node one")
    assert plane.get("high")["status"]["nominatedNodeName"] == "one"
    assert plane.message("high") == "0/1 nodes are available: 1 Insufficient cpu."
    plane.client.delete("pods", "default", "low-one", grace_period=0)
    plane.settle(2)
    assert plane.where("high") == "one"


def test_a_nominated_node_is_kept_free_for_the_pod(plane):
    full(plane)
    plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(1)
    plane.scheduler.stop()
    plane.client.delete("pods", "default", "low-one", grace_period=0)
    plane.scheduler.start()
    plane.pod("small", requests={"cpu": "800m"})
    plane.settle(2)
    assert plane.where("high") == "one" and plane.where("small") is None


def test_no_more_pods_go_than_must(plane):
    plane.node("one", cpu="1")
    for name in ("a", "b", "c"):
        plane.pod(name, requests={"cpu": "300m"})
    plane.settle()
    plane.pod("high", requests={"cpu": "300m"}, **CRITICAL)
    plane.settle()
    assert sum("deletionTimestamp" in plane.get(name)["metadata"] for name in ("a", "b", "c")) == 1


def test_a_pod_that_never_preempts_says_so(plane):
    full(plane)
    plane.client.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": "patient"}, "value": 1000, "preemptionPolicy": "Never"})
    plane.pod("high", requests={"cpu": "500m"}, priorityClassName="patient")
    plane.settle()
    assert "deletionTimestamp" not in plane.get("low-one")["metadata"]
    assert plane.message("high") == ("0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible "
                                     "due to preemptionPolicy=Never.")


def test_preemption_does_not_help_against_taints_and_size(plane):
    full(plane)
    plane.node("tainted", cpu="8", taints=[{"key": "a", "value": "b", "effect": "NoSchedule"}])
    plane.pod("huge", requests={"cpu": "4"}, **CRITICAL)
    plane.settle()
    assert "deletionTimestamp" not in plane.get("low-one")["metadata"]
    assert plane.message("huge") == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: "
        "0/2 nodes are available: 2 Preemption is not helpful for scheduling.")


def test_the_node_with_the_fewest_victims_is_chosen(plane):
    plane.node("two-pods", cpu="1")
    plane.node("one-pod", cpu="1")
    for name, node, cpu in (("a", "two-pods", "450m"), ("b", "two-pods", "450m"), ("c", "one-pod", "900m")):
        plane.pod(name, requests={"cpu": cpu}, nodeSelector={"kubernetes.io/hostname": node})
    plane.settle()
    plane.pod("high", requests={"cpu": "900m"}, **CRITICAL)
    plane.settle()
    assert [name for name in ("a", "b", "c") if "deletionTimestamp" in plane.get(name)["metadata"]] == ["c"]


BUDGETS = "poddisruptionbudgets.policy"


def allow(plane, name, number, **labels):
    """A budget that allows so many disruptions, as its controller would have said."""
    made = plane.client.create(BUDGETS, {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "minAvailable": 1, "selector": {"matchLabels": labels}}})
    plane.client.update(BUDGETS, {**made, "status": {**made["status"], "disruptionsAllowed": number}}, "status")


def test_victims_that_no_budget_protects_are_preferred_on_a_node(plane):
    plane.node("one", cpu="1")
    allow(plane, "kept", 0, app="kept")
    for name in ("kept", "free"):
        plane.pod(name, labels={"app": name}, requests={"cpu": "500m"})
    plane.settle()
    plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(0.1)
    assert "deletionTimestamp" in plane.get("free")["metadata"] and "deletionTimestamp" not in plane.get("kept")["metadata"]


def test_the_node_where_no_budget_is_broken_is_chosen_though_more_pods_go(plane):
    allow(plane, "kept", 0, app="kept")
    for name in ("a", "b"):
        plane.node(name, cpu="1")
    plane.pod("kept", labels={"app": "kept"}, requests={"cpu": "800m"}, nodeSelector={"kubernetes.io/hostname": "a"})
    for name in ("x", "y"):
        plane.pod(name, requests={"cpu": "500m"}, nodeSelector={"kubernetes.io/hostname": "b"})
    plane.settle()
    plane.pod("high", requests={"cpu": "1"}, **CRITICAL)
    plane.settle(0.1)
    assert plane.get("high")["status"]["nominatedNodeName"] == "b"
    assert "deletionTimestamp" not in plane.get("kept")["metadata"]


def test_a_budget_is_broken_when_nothing_else_helps(plane):
    plane.node("one", cpu="1")
    allow(plane, "kept", 0, app="kept")
    plane.pod("kept", labels={"app": "kept"}, requests={"cpu": "800m"})
    plane.settle()
    plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(0.1)
    assert "deletionTimestamp" in plane.get("kept")["metadata"]


def test_what_a_budget_allows_is_used_up_by_the_most_important_pods(plane):
    plane.node("one", cpu="1")
    allow(plane, "web", 1, app="web")
    for name, value in (("less", 1), ("more", 2)):
        plane.client.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": name}, "value": value})
        plane.pod(name, labels={"app": "web"}, requests={"cpu": "500m"}, priorityClassName=name)
        plane.settle()
    plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(0.1)
    assert "deletionTimestamp" in plane.get("more")["metadata"] and "deletionTimestamp" not in plane.get("less")["metadata"]


def test_a_lesser_pod_loses_its_nomination_to_one_that_takes_the_node(plane):
    full(plane, grace=30)
    plane.client.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": "middle"}, "value": 1000})
    plane.pod("middle", requests={"cpu": "600m"}, priorityClassName="middle")
    plane.settle(0.1)
    assert plane.get("middle")["status"]["nominatedNodeName"] == "one"
    plane.pod("high", requests={"cpu": "600m"}, **CRITICAL)
    plane.settle(0.1)
    assert plane.get("high")["status"]["nominatedNodeName"] == "one"
    plane.client.delete("pods", "default", "low-one", grace_period=0)
    plane.settle(1)
    assert plane.where("high") == "one" and "nominatedNodeName" not in plane.get("high")["status"]
    plane.settle(400)
    assert plane.where("middle") is None and "nominatedNodeName" not in plane.get("middle")["status"]


def test_of_very_many_nodes_only_some_are_tried(plane):
    for number in range(160):
        plane.node(f"n{number}", cpu="1")
        plane.pod(f"low-{number}", requests={"cpu": "800m"}, nodeSelector={"kubernetes.io/hostname": f"n{number}"})
    plane.settle(2)
    calls = []
    framework = plane.scheduler.framework
    original = framework.check
    framework.check = lambda info, node: calls.append(node.name) or original(info, node)
    plane.pod("high", requests={"cpu": "500m"}, **CRITICAL)
    plane.settle(0.1)
    assert plane.get("high")["status"]["nominatedNodeName"] and len(set(calls)) == 100
