"""The arithmetic of autoscalers against a second opinion: written from the documentation's sentences, one rule at a time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cluster.controllers.replica_calculator import Groups, NoMetrics, Sample, Tolerances, by_utilization, by_value, grouped
from server.cluster.controllers.scaling_behavior import History, down_limit, size, up_limit


def pod(name: str, cpu: str | None = "100m", phase: str = "Running", ready: str = "True", since: float = 0.0, start: float = 0.0, **meta) -> dict:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    return {"metadata": {"name": name, **meta}, "spec": {"containers": [{"name": "main", "resources": resources}]},
            "status": {"phase": phase, "startTime": str(start), "conditions": [
                {"type": "Ready", "status": ready, "lastTransitionTime": str(since)}]}}


# which samples count


def kinds(pods: list[dict], samples: dict[str, Sample], now: float = 1000.0, resource: str = "cpu") -> Groups:
    return grouped(pods, samples, resource, now, float)


def test_pods_that_go_or_failed_are_ignored():
    pods = [pod("going", deletionTimestamp="x"), pod("failed", phase="Failed"), pod("fine")]
    assert kinds(pods, {name: Sample(1, 990, 15) for name in ("going", "failed", "fine")}) == Groups(1, [], [], ["going", "failed"])


def test_pending_pods_are_not_ready_and_running_ones_without_sample_are_missing():
    assert kinds([pod("waits", phase="Pending"), pod("silent")], {}) == Groups(0, ["waits"], ["silent"], [])


@pytest.mark.parametrize(("ready", "since", "sampled", "counted"), [
    ("True", 900, 990, True), ("True", 980, 990, False), ("True", 975, 990, True), ("False", 900, 990, False)])
def test_in_its_first_five_minutes_a_pod_must_be_ready_for_the_length_of_its_sample(ready, since, sampled, counted):
    found = kinds([pod("young", ready=ready, since=since, start=800)], {"young": Sample(1, sampled, 15)})
    assert (found.ready == 1) is counted


@pytest.mark.parametrize(("ready", "since", "counted"), [("True", 990, True), ("False", 20, False), ("False", 31, True)])
def test_later_a_pod_counts_unless_it_never_was_ready(ready, since, counted):
    found = kinds([pod("old", ready=ready, since=since, start=0)], {"old": Sample(1, 990, 15)})
    assert (found.ready == 1) is counted


def test_memory_counts_whether_ready_or_not():
    assert kinds([pod("young", ready="False", start=990)], {"young": Sample(1, 995, 15)}, resource="memory").ready == 1


# requests


def test_a_container_that_requests_nothing_is_named():
    with pytest.raises(NoMetrics, match="^missing request for cpu in container main of Pod b$"):
        by_utilization(2, [pod("a"), pod("b", cpu=None)], {"a": Sample(50, 0, 15), "b": Sample(50, 0, 15)}, Groups(2, [], [], []), 50,
                       Tolerances(), "cpu")


def test_a_container_that_is_not_there_is_named():
    with pytest.raises(NoMetrics, match="^container side not found in Pod a$"):
        by_utilization(1, [pod("a")], {"a": Sample(50, 0, 15)}, Groups(1, [], [], []), 50, Tolerances(), "cpu", "side")


def test_requests_of_the_whole_pod_come_first_and_sidecars_count():
    both = pod("a")
    both["spec"]["initContainers"] = [{"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "300m"}}},
                                      {"name": "once"}]
    assert by_utilization(1, [both], {"a": Sample(200, 0, 15)}, Groups(1, [], [], []), 50, Tolerances(), "cpu").utilization == 50
    both["spec"]["resources"] = {"requests": {"cpu": "200m"}}
    assert by_utilization(1, [both], {"a": Sample(200, 0, 15)}, Groups(1, [], [], []), 50, Tolerances(), "cpu").utilization == 100


# how many


def opinion(current: int, used: dict[str, int], full: dict[str, int], ready: set[str], unready: set[str], missing: set[str],
            ratio_of, down: float, up: float) -> int:
    """The documentation, sentence by sentence."""
    known = {name: used[name] for name in ready}
    ratio = ratio_of(known)

    def within(value: float) -> bool:
        return 1 - down <= value <= 1 + up

    if not missing and not (unready and ratio > 1):
        return current if within(ratio) else math.ceil(ratio * len(ready))
    guess = dict(known)
    for name in missing:
        if ratio < 1:
            guess[name] = full[name]
        elif ratio > 1:
            guess[name] = 0
    if ratio > 1:
        guess.update(dict.fromkeys(unready, 0))
    again = ratio_of(guess)
    count = math.ceil(again * len(guess))
    reversed_ = (ratio < 1 and again > 1) or (ratio > 1 and again < 1)
    against = (again < 1 and count > current) or (again > 1 and count < current)
    return current if within(again) or reversed_ or against else count


amounts = st.integers(0, 5_000)
pods_of = st.dictionaries(st.sampled_from([f"p{n}" for n in range(12)]), st.tuples(amounts, st.integers(1, 2_000), st.sampled_from("rrrum")),
                          min_size=1)
tenths = st.integers(0, 9)


@given(pods_of, st.integers(1, 12), st.integers(1, 300), tenths, tenths)
def test_the_count_by_utilization_is_the_second_opinions(given_pods, current, target, down, up):
    pods = [pod(name, f"{requested}m") for name, (_, requested, _) in given_pods.items()]
    samples = {name: Sample(used, 0, 15) for name, (used, _, kind) in given_pods.items() if kind != "m"}
    ready, unready, missing = ([name for name, (*_, kind) in given_pods.items() if kind == wanted] for wanted in "rum")
    groups = Groups(len(ready), unready, missing, [])
    asked = {name: requested for name, (_, requested, _) in given_pods.items()}

    def ratio_of(values: dict[str, int]) -> float:
        return sum(values.values()) * 100 // sum(asked[name] for name in values) / target

    if not ready:
        with pytest.raises(NoMetrics, match="did not receive metrics"):
            by_utilization(current, pods, samples, groups, target, Tolerances(down / 10, up / 10), "cpu")
        return
    full = {name: asked[name] * max(100, target) // 100 for name in asked}
    expected = opinion(current, {name: used for name, (used, *_) in given_pods.items()}, full, set(ready), set(unready), set(missing),
                       ratio_of, down / 10, up / 10)
    found = by_utilization(current, pods, samples, groups, target, Tolerances(down / 10, up / 10), "cpu").replicas
    assert found == expected


@given(pods_of, st.integers(1, 12), st.integers(1, 5_000))
def test_the_count_by_value_brings_the_average_to_the_target(given_pods, current, target):
    samples = {name: Sample(used, 0, 15) for name, (used, *_) in given_pods.items()}
    found = by_value(current, [pod(name) for name in given_pods], samples, Groups(len(samples), [], [], []), target, Tolerances())
    average = sum(sample.value for sample in samples.values()) // len(samples)
    assert found.average == average
    if 0.9 <= average / target <= 1.1:
        assert found.replicas == current
    else:
        assert found.replicas == math.ceil(average / target * len(samples))


@given(pods_of, st.integers(1, 300))
def test_not_knowing_of_some_pods_never_moves_the_wrong_way(given_pods, target):
    """Pods that use too much are not made fewer, pods that use too little not more, whatever is not known of the others."""
    current = len(given_pods)
    pods = [pod(name, f"{requested}m") for name, (_, requested, _) in given_pods.items()]
    kinds_ = {name: kind for name, (*_, kind) in given_pods.items()}
    ready = [name for name in kinds_ if kinds_[name] == "r"]
    if not ready:
        return
    samples = {name: Sample(given_pods[name][0], 0, 15) for name in kinds_ if kinds_[name] != "m"}
    groups = Groups(len(ready), [name for name in kinds_ if kinds_[name] == "u"], [name for name in kinds_ if kinds_[name] == "m"], [])
    asked = sum(given_pods[name][1] for name in ready)
    ratio = sum(given_pods[name][0] for name in ready) * 100 // asked / target
    found = by_utilization(current, pods, samples, groups, target, Tolerances(), "cpu").replicas
    if ratio > 1:
        assert found >= current or not (groups.unready or groups.missing)
    elif groups.missing:
        assert found <= current


# how far and how fast

RULES = st.fixed_dictionaries({
    "selectPolicy": st.sampled_from(["Max", "Min", "Disabled"]),
    "policies": st.lists(st.fixed_dictionaries({
        "type": st.sampled_from(["Pods", "Percent"]), "value": st.integers(1, 300), "periodSeconds": st.sampled_from([15, 30, 60, 300])}),
        min_size=1, max_size=3)})
CHANGES = st.lists(st.tuples(st.integers(-20, 20).filter(bool), st.sampled_from([0.0, 15.0, 30.0, 45.0, 100.0, 400.0])), max_size=6)
NOW = 1000.0


def history_of(changes: list[tuple[int, float]]) -> History:
    history = History()
    history.changes = [[change, NOW - ago] for change, ago in changes]
    return history


def began(changes: list[tuple[int, float]], current: int, period: float) -> int:
    return current - sum(change for change, ago in changes if ago < period)


@given(RULES, CHANGES, st.integers(1, 100))
def test_policies_bound_the_change_within_their_period(rules, changes, current):
    up = [began(changes, current, policy["periodSeconds"]) + policy["value"] if policy["type"] == "Pods"
          else math.ceil(began(changes, current, policy["periodSeconds"]) * (1 + policy["value"] / 100)) for policy in rules["policies"]]
    down = [began(changes, current, policy["periodSeconds"]) - policy["value"] if policy["type"] == "Pods"
            else math.trunc(began(changes, current, policy["periodSeconds"]) * (1 - policy["value"] / 100)) for policy in rules["policies"]]
    expected = {"Disabled": (current, current), "Max": (max(up), min(down)), "Min": (min(up), max(down))}[rules["selectPolicy"]]
    assert (up_limit(history_of(changes), rules, current, NOW), down_limit(history_of(changes), rules, current, NOW)) == expected


@given(st.integers(1, 50), st.integers(0, 200), st.integers(1, 20), st.integers(0, 100), st.one_of(st.none(), st.tuples(RULES, RULES)))
def test_the_size_is_between_least_and_most_and_moves_towards_what_is_asked(current, desired, least, more, rules):
    most = least + more
    current = min(max(current, least), most)
    behavior = None if rules is None else {
        "scaleUp": {**rules[0], "stabilizationWindowSeconds": 0}, "scaleDown": {**rules[1], "stabilizationWindowSeconds": 0}}
    history = History({"runs": [[current, NOW, NOW]]})
    history.runs = []
    found = size(history, behavior, current, desired, least, most, NOW)
    assert least <= found.replicas <= most
    if behavior is None:
        assert found.replicas <= max(2 * current, 4)
    wanted = min(max(desired, least), most)
    assert min(current, wanted) <= found.replicas <= max(current, wanted)
    assert found.limited.status == (found.replicas != desired)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.sampled_from([0, 30, 60, 300]), st.sampled_from([0, 30, 60, 300]))
def test_stabilization_takes_the_safest_of_what_was_recommended_within_the_window(recommendations, up, down):
    """A history of runs says the same as a list of every recommendation, one each 15 seconds."""
    rules = {"selectPolicy": "Max", "policies": [{"type": "Pods", "value": 1_000, "periodSeconds": 15}]}
    behavior = {"scaleUp": {**rules, "stabilizationWindowSeconds": up}, "scaleDown": {**rules, "stabilizationWindowSeconds": down}}
    history, told, current = History(), [], 10
    for step, desired in enumerate(recommendations):
        now = 15.0 * step
        low = min([desired, *(value for value, at in told if at > now - up)])
        high = max([desired, *(value for value, at in told if at > now - down)])
        expected = min(max(current, low), high)
        told.append((desired, now))
        history = History(history.dump())
        found = size(history, behavior, current, desired, 0, 1000, now).replicas
        history.forget(now, max(up, down), 15)
        assert found == min(max(expected, 0), 1000)
        current = found
