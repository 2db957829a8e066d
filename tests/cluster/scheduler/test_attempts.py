"""What is kept of every attempt: verdicts and scores by node and plugin, victims, and how many nodes were never looked at."""

from __future__ import annotations

from server.cluster.scheduler import attempts

HOST = "kubernetes.io/hostname"
LIKES = {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
    {"weight": 40, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]}}}


def last(plane, pod):
    return plane.scheduler.attempt(pod["metadata"]["uid"])


def test_each_node_has_its_verdict_and_each_feasible_one_its_scores(plane):
    plane.node("a", labels={"disk": "ssd"}, taints=[{"key": "x", "value": "", "effect": "PreferNoSchedule"}])
    plane.node("b")
    plane.node("c", cpu="100m")
    pod = plane.pod("web", requests={"cpu": "1", "memory": "1Gi"}, **LIKES)
    plane.settle()
    found = last(plane, pod)
    assert found.rejections == {"c": ("NodeResourcesFit", ("Insufficient cpu",))}
    assert set(found.feasible) == {"a", "b"} and (found.nodes, found.tried, found.untried) == (3, 3, 0)
    assert found.feasible["a"].plugins == {
        "TaintToleration": (1, 0, 0), "NodeAffinity": (40, 100, 200), "NodeResourcesFit": (62, 62, 62),
        "NodeResourcesBalancedAllocation": (87, 87, 87)}
    assert found.feasible["b"].plugins["TaintToleration"] == (0, 100, 300) and found.feasible["b"].plugins["NodeAffinity"] == (0, 0, 0)
    assert found.node == "b" and found.total == found.feasible["b"].total == 300 + 62 + 87
    assert all(score.total == sum(weighted for _, _, weighted in score.plugins.values()) for score in found.feasible.values())


def test_spread_and_affinity_tell_their_raw_scores(plane):
    for name in ("a", "b"):
        plane.node(name)
    labels = {"app": "web"}
    near = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 7, "podAffinityTerm": {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}}}]}}
    spread = [{"maxSkew": 2, "topologyKey": HOST, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": labels}}]
    plane.pod("first", labels=labels, nodeSelector={HOST: "a"})
    plane.settle()
    pod = plane.pod("second", labels=labels, affinity=near, topologySpreadConstraints=spread)
    plane.settle()
    found = last(plane, pod).feasible
    assert found["a"].plugins["InterPodAffinity"] == (7, 100, 200) and found["b"].plugins["InterPodAffinity"] == (0, 0, 0)
    assert found["a"].plugins["PodTopologySpread"] == (2, 50, 100) and found["b"].plugins["PodTopologySpread"] == (1, 100, 200)


def test_refusals_by_pods_elsewhere_are_told_too(plane):
    for name in ("a", "b"):
        plane.node(name)
    labels = {"app": "web"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}}]}}
    for name in ("one", "two"):
        pod = plane.pod(name, labels=labels, affinity=apart)
        plane.settle()
    found = last(plane, pod)
    assert list(found.rejections.values()) == [("InterPodAffinity", ("node(s) didn't match pod anti-affinity rules",))]
    assert found.node not in found.rejections and found.scored == 1


def test_of_many_nodes_those_never_tried_are_counted_not_judged(plane):
    for number in range(250):
        plane.node(f"n{number:03}", cpu="0" if number % 5 == 0 else "2")
    pods = [plane.pod(f"p{number}", requests={"cpu": "1m"}) for number in range(2)]
    plane.settle()
    first, second = (last(plane, pod) for pod in pods)
    assert first.scored == len(first.feasible) == 120 and (first.nodes, first.tried, first.untried) == (250, 150, 100)
    assert len(first.rejections) == 30 and len(first.rejections) + len(first.feasible) == first.tried
    assert second.tried == 150 and not set(first.feasible) >= set(second.feasible)


def test_a_failed_attempt_names_whom_it_deletes_and_where(plane):
    plane.node("one", cpu="1")
    plane.pod("low", requests={"cpu": "800m"})
    plane.settle()
    pod = plane.pod("high", requests={"cpu": "500m"}, priorityClassName="system-node-critical")
    plane.settle(0.1)
    found = last(plane, pod)
    assert (found.node, found.nominated, found.victims) == (None, "one", (("default", "low", 0),))
    assert found.message == "0/1 nodes are available: 1 Insufficient cpu."


def test_the_attempts_before_are_remembered_but_not_for_ever(plane):
    plane.default_nodes()
    pod = plane.pod("big", requests={"cpu": "64"})
    plane.settle(1)
    for number in range(7):
        plane.node(f"more-{number}", cpu="1")
        plane.settle(400)
    told = plane.scheduler.attempts(pod["metadata"]["uid"])
    assert len(told) == attempts.PER_POD
    assert [one.number for one in told] == list(range(told[-1].number - 4, told[-1].number + 1)) and told[-1].nodes == 11


def test_scores_are_kept_within_bounds_and_the_outcome_beyond(plane, monkeypatch):
    monkeypatch.setattr(attempts, "CELLS", 60)
    monkeypatch.setattr(attempts, "KEPT", 12)
    for name in ("a", "b", "c"):
        plane.node(name)
    pods = [plane.pod(f"p{number}", requests={"cpu": "10m"}) for number in range(20)]
    plane.settle()
    told = [last(plane, pod) for pod in pods]
    assert told[:8] == [None] * 8 and all(one is not None for one in told[8:])
    assert told[-1].feasible and not told[8].feasible
    assert told[8].node == plane.where("p8") and told[8].total > 0 and told[8].scores["TaintToleration"] == (100, 3)
