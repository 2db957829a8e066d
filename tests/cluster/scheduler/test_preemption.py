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
    plane.pod("high", requests={"cpu": "500m"}, preemptionPolicy="Never", **CRITICAL)
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
