"""How many pods a PodDisruptionBudget gives away, and the eviction that asks for them."""

from __future__ import annotations

import pytest
from controllers_world import DEPLOYMENT, World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.cluster.apiserver.request import Options, Request
from server.cluster.errors import ApiError
from server.cluster.objects import condition

BUDGETS = "poddisruptionbudgets.policy"


def budget(world: World, selector: object = None, name: str = "web", **spec: object) -> dict:
    return world.kubectl.create(BUDGETS, {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}} if selector is None else selector, **spec}})


def status(world: World, name: str = "web") -> dict:
    return world.api.lister(BUDGETS).get("default", name)["status"]


def counts(world: World, name: str = "web") -> tuple[int, int, int, int]:
    """(allowed, healthy, desired, expected)."""
    now = status(world, name)
    return now["disruptionsAllowed"], now["currentHealthy"], now["desiredHealthy"], now["expectedPods"]


def evict(world: World, name: str, dry_run: bool = False, **options: object) -> dict:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"},
            **({"deleteOptions": options} if options else {})}
    return world.api.request(Request("create", "pods", "default", name, "eviction", body, options=Options(dry_run=dry_run), client="kubectl",
                                     user="kubernetes-admin")).object


def names(world: World) -> list[str]:
    return [pod["metadata"]["name"] for pod in world.api.lister("pods").list("default") if "deletionTimestamp" not in pod["metadata"]]


def events(world: World, reason: str) -> list[dict]:
    return [event for event in world.api.lister("events").list() if event["reason"] == reason]


@pytest.fixture
def web(world: World) -> World:
    world.apply(DEPLOYMENT)
    world.run(30)
    return world


def test_a_new_budget_allows_nothing_until_its_controller_has_seen_it(web):
    budget(web, minAvailable=1)
    assert counts(web) == (0, 0, 0, 0)
    with pytest.raises(ApiError) as caught:
        evict(web, names(web)[0])
    assert (caught.value.code, caught.value.reason, caught.value.message) == (
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")
    assert caught.value.details == {"retryAfterSeconds": 10, "causes": [
        {"reason": "DisruptionBudget", "message": "The disruption budget web is still being processed by the server."}]}
    web.run(1)
    evict(web, names(web)[0])


@pytest.mark.parametrize(("spec", "expected"), [
    ({"minAvailable": 2}, (1, 3, 2, 3)), ({"minAvailable": 5}, (0, 3, 5, 3)), ({"minAvailable": "50%"}, (1, 3, 2, 3)),
    ({"minAvailable": "100%"}, (0, 3, 3, 3)), ({"minAvailable": 0}, (3, 3, 0, 3)), ({"maxUnavailable": 1}, (1, 3, 2, 3)),
    ({"maxUnavailable": "34%"}, (2, 3, 1, 3)), ({"maxUnavailable": 7}, (3, 3, 0, 3)), ({"maxUnavailable": 0}, (0, 3, 3, 3)), ({}, (0, 3, 0, 0))])
def test_numbers_and_shares_of_what_the_owner_asks_for(web, spec, expected):
    budget(web, **spec)
    web.run(1)
    assert counts(web) == expected
    entry = condition(web.api.lister(BUDGETS).get("default", "web"), "DisruptionAllowed")
    assert (entry["status"], entry["reason"]) == (("True", "SufficientPods") if expected[0] else ("False", "InsufficientPods"))


def test_a_share_counts_the_pods_that_should_be_there_not_those_that_are(web):
    web.broken = ("nginx:1.200",)
    budget(web, minAvailable="50%")
    web.scale(10)
    web.set_image("nginx:1.200")
    web.run(30)
    assert counts(web)[2:] == (5, 10)


def test_the_status_follows_pods_as_they_become_unready_and_ready(web):
    budget(web, minAvailable=2)
    web.run(1)
    web.set_status(names(web)[0], ready=False)
    web.run(1)
    assert counts(web) == (0, 2, 2, 3)
    web.set_status(names(web)[0], ready=True)
    web.run(1)
    assert counts(web) == (1, 3, 2, 3)


def test_a_changed_budget_and_pods_that_change_labels_are_counted_anew(web):
    budget(web, minAvailable=1)
    web.run(1)
    web.patch(BUDGETS, "web", {"spec": {"minAvailable": 3}})
    assert status(web)["observedGeneration"] == 1
    web.run(1)
    assert counts(web) == (0, 3, 3, 3) and status(web)["observedGeneration"] == 2
    web.patch("pods", names(web)[0], {"metadata": {"labels": {"app": "other"}}})
    web.run(0.5)
    web.patch(BUDGETS, "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}, "minAvailable": 1}})
    web.run(1)
    assert counts(web) == (0, 1, 1, 1)


def test_an_empty_selector_means_all_pods_and_none_means_none(web):
    budget(web, selector={}, minAvailable=1)
    web.kubectl.create(BUDGETS, {"metadata": {"name": "none", "namespace": "default"}, "spec": {"minAvailable": 1}})
    web.run(1)
    assert counts(web) == (2, 3, 1, 3) and counts(web, "none") == (0, 0, 1, 0)
    assert [event["involvedObject"]["name"] for event in events(web, "NoPods")] == ["none"]
    assert events(web, "NoPods")[0]["source"] == {"component": "controllermanager"}


def test_an_evicted_pod_is_marked_noted_and_no_longer_counted(web):
    budget(web, minAvailable=2)
    web.run(1)
    first, second, _ = names(web)
    assert evict(web, first) == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    pod = web.pod(first)
    assert "deletionTimestamp" in pod["metadata"]
    target = condition(pod, "DisruptionTarget")
    assert (target["status"], target["reason"], target["message"]) == ("True", "EvictionByEvictionAPI", "Eviction API: evicting")
    assert status(web)["disruptedPods"] == {first: web.clock.timestamp()} and counts(web)[0] == 0
    with pytest.raises(ApiError) as caught:
        evict(web, second)
    assert caught.value.details == {"causes": [
        {"reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 3 currently"}]}
    web.run(0.1)
    assert "disruptedPods" not in status(web)
    web.run(30)
    assert counts(web) == (1, 3, 2, 3) and len(names(web)) == 3


def test_a_dry_run_changes_nothing_but_is_refused_alike(web):
    budget(web, minAvailable=2)
    web.run(1)
    revision = web.store.revision
    evict(web, names(web)[0], dry_run=True)
    assert web.store.revision == revision
    web.patch(BUDGETS, "web", {"spec": {"minAvailable": 3}})
    web.run(1)
    with pytest.raises(ApiError):
        evict(web, names(web)[0], dry_run=True)


def test_two_budgets_for_one_pod_are_an_error(web):
    budget(web, minAvailable=1)
    budget(web, name="web2", minAvailable=1)
    web.run(1)
    with pytest.raises(ApiError) as caught:
        evict(web, names(web)[0])
    assert (caught.value.code, caught.value.message) == (
        500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
    told = events(web, "MultiplePodDisruptionBudgets")
    assert len(told) == 3 and told[0]["message"].endswith('matches multiple PodDisruptionBudgets.  Chose "web" arbitrarily.')


def test_pending_and_ended_pods_go_whatever_the_budget_says(web):
    budget(web, minAvailable=3)
    web.run(1)
    first, second, third = names(web)
    web.set_status(first, phase="Failed", ready=False)
    evict(web, first)
    web.set_status(second, phase="Pending", ready=False)
    evict(web, second)
    with pytest.raises(ApiError):
        evict(web, third)


def test_unready_pods_go_while_enough_are_healthy_or_always(web):
    budget(web, maxUnavailable=1)
    web.run(1)
    first, second, third = names(web)
    web.set_status(first, ready=False)
    web.run(1)
    assert counts(web) == (0, 2, 2, 3)
    evict(web, first)
    web.set_status(second, ready=False)
    web.run(0.1)
    with pytest.raises(ApiError):
        evict(web, second)
    web.patch(BUDGETS, "web", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})
    web.run(0.1)
    evict(web, second)
    with pytest.raises(ApiError):
        evict(web, third)


def test_a_pod_whose_eviction_came_to_nothing_counts_again_after_two_minutes(web):
    budget(web, minAvailable=2)
    web.run(1)
    name = names(web)[0]
    old = web.api.lister(BUDGETS).get("default", "web")
    web.kubectl.update(BUDGETS, {**old, "status": {**old["status"], "disruptionsAllowed": 0, "disruptedPods": {name: web.clock.timestamp()}}},
                       "status")
    web.run(100)
    assert counts(web) == (0, 2, 2, 3) and status(web)["disruptedPods"]
    web.run(25)
    assert counts(web) == (1, 3, 2, 3) and "disruptedPods" not in status(web)
    assert events(web, "NotDeleted")[0]["message"] == "Pod was expected by PDB default/web to be deleted but it wasn't"


def test_a_share_of_pods_without_a_size_cannot_be_told(world):
    template = {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    thing = world.kubectl.create("configmaps", {"metadata": {"name": "j", "namespace": "default"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "j", "uid": thing["metadata"]["uid"], "controller": True}
    world.kubectl.create("pods", {"metadata": {"name": "alone", "namespace": "default", "labels": {"app": "web"}, "ownerReferences": [owner]},
                                  **template})
    budget(world, maxUnavailable=1)
    world.run(0.5)
    entry = condition(world.api.lister(BUDGETS).get("default", "web"), "DisruptionAllowed")
    assert (entry["status"], entry["reason"], entry["message"]) == (
        "False", "SyncFailed", "configmaps does not implement the scale subresource")
    assert events(world, "CalculateExpectedPodCountFailed")[0]["message"] == (
        "Failed to calculate the number of expected pods: configmaps does not implement the scale subresource")


def test_a_disruption_that_does_not_come_is_taken_back_after_two_minutes(web):
    name = names(web)[0]
    pod = web.pod(name)
    target = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "x",
              "lastTransitionTime": web.clock.timestamp()}
    web.kubectl.update("pods", {**pod, "status": {**pod["status"], "conditions": [*pod["status"]["conditions"], target]}}, "status")
    web.run(119)
    assert condition(web.pod(name), "DisruptionTarget")["status"] == "True"
    web.run(2)
    entry = condition(web.pod(name), "DisruptionTarget")
    assert (entry["status"], entry["reason"]) == ("False", "PreemptionByScheduler")


def test_a_restarted_controller_goes_on_from_what_is_stored(web):
    budget(web, minAvailable=2)
    web.run(1)
    evict(web, names(web)[0])
    for controller in web.controllers:
        controller.stop()
    web.set_status(names(web)[0], ready=False)
    for controller in web.controllers:
        controller.start()
    web.run(30)
    assert counts(web) == (0, 2, 2, 3)


def test_a_settled_budget_costs_nothing(web):
    budget(web, minAvailable=2)
    web.run(1)
    revision = web.store.revision
    web.run(1800)
    assert web.store.revision == revision


ACTS = st.lists(st.tuples(st.sampled_from(["evict", "evict", "evict", "unready", "ready", "wait", "scale", "restart"]), st.integers(0, 9)),
                max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(least=st.sampled_from([1, 2, "50%"]), size=st.integers(2, 5), acts=ACTS)
def test_evictions_never_break_a_budget_however_they_fall(least, size, acts):
    world = World(start_delay=3.0)
    world.apply(DEPLOYMENT, replicas=size)
    world.run(20)
    budget(world, minAvailable=least)
    world.run(1)
    controller = next(one for one in world.controllers if one.name == "disruption-controller")

    def healthy() -> int:
        return sum(condition(pod, "Ready") is not None and condition(pod, "Ready")["status"] == "True"
                   for pod in world.api.lister("pods").list("default") if "deletionTimestamp" not in pod["metadata"])

    for act, number in acts:
        alive = names(world)
        name = alive[number % len(alive)] if alive else None
        if act == "evict" and name:
            before, desired = healthy(), status(world)["desiredHealthy"]
            ready = condition(world.pod(name), "Ready")
            try:
                evict(world, name)
            except ApiError as error:
                assert error.code == 429
            else:
                if ready is not None and ready["status"] == "True":
                    assert healthy() == before - 1 >= desired
        elif act in ("unready", "ready") and name and world.pod(name)["status"].get("phase") == "Running":
            world.set_status(name, ready=act == "ready")
            world.run(0.02)
        elif act == "wait":
            world.run(number / 3)
        elif act == "scale":
            world.scale(2 + number % 4)
            world.run(0.02)
        elif act == "restart":
            controller.stop()
            controller.start()
    world.run(60)
    for pod in names(world):
        world.set_status(pod, ready=True)
    world.run(10)
    allowed, current, desired, expected = counts(world)
    assert current == expected == len(names(world)) and allowed == current - desired
