"""The numbers of a rollout, without a cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cluster.controllers import revisions, rollout


def deployment(replicas, surge="25%", unavailable="25%", strategy="RollingUpdate", **status):
    how = {"type": strategy}
    if strategy == "RollingUpdate":
        how["rollingUpdate"] = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"metadata": {"name": "web", "generation": 1}, "spec": {"replicas": replicas, "strategy": how}, "status": status}


def replica_set(name, replicas, available=None, created="2026-01-01T00:00:00Z", allowed=None):
    annotations = {rollout.MAX_REPLICAS: str(allowed)} if allowed is not None else {}
    return {"metadata": {"name": name, "creationTimestamp": created, "annotations": annotations},
            "spec": {"replicas": replicas}, "status": {"availableReplicas": replicas if available is None else available}}


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "most_surge", "most_unavailable"), [
    (10, "25%", "25%", 3, 2),
    (2, "25%", "25%", 1, 0),
    (4, "25%", "25%", 1, 1),
    (10, 0, "5%", 0, 1),
    (1, "0%", "0%", 0, 1),
    (3, 2, 5, 2, 3),
    (0, "25%", "25%", 0, 0),
])
def test_surge_rounds_up_and_unavailable_down_and_one_of_them_is_at_least_one(replicas, surge, unavailable, most_surge, most_unavailable):
    subject = deployment(replicas, surge, unavailable)
    assert (rollout.max_surge(subject), rollout.max_unavailable(subject)) == (most_surge, most_unavailable)


def test_recreate_has_neither_surge_nor_unavailability():
    assert rollout.max_surge(deployment(4, strategy="Recreate")) == rollout.max_unavailable(deployment(4, strategy="Recreate")) == 0


def test_the_new_replica_set_grows_into_the_surge_only():
    assert rollout.new_size(deployment(4), [replica_set("old", 4), replica_set("new", 0)], 0) == 1
    assert rollout.new_size(deployment(4), [replica_set("old", 3), replica_set("new", 1)], 1) == 2
    assert rollout.new_size(deployment(4), [replica_set("old", 5), replica_set("new", 1)], 1) == 1


def test_unhealthy_old_pods_go_first_and_oldest_replica_set_first():
    old = [replica_set("b", 3, available=1, created="2026-01-01T00:00:05Z"), replica_set("a", 2, available=1)]
    assert rollout.cleaned_up(old, 2) == {"a": 1, "b": 2}


def test_healthy_old_pods_go_down_to_what_must_stay_available():
    old, new = replica_set("old", 4), replica_set("new", 1, available=0)
    assert rollout.scaled_down(deployment(4), [old, new], [old]) == {"old": 3}
    assert rollout.scaled_down(deployment(4), [replica_set("old", 3, available=4), new], [replica_set("old", 3, available=4)]) == {}


def test_scaling_in_mid_rollout_is_shared_out_in_proportion():
    """The example of the Kubernetes docs: 10 replicas, maxSurge 3, maxUnavailable 2, scaled to 15 while 8 are old and 5 new."""
    sizes = rollout.proportional(deployment(15, 3, 2), [replica_set("old", 8, allowed=13), replica_set("new", 5, 0, allowed=13)])
    assert {entry["metadata"]["name"]: size for entry, size in sizes} == {"old": 11, "new": 7}


def test_scaling_to_nothing_in_mid_rollout_takes_all():
    sizes = rollout.proportional(deployment(0), [replica_set("old", 3, allowed=5), replica_set("new", 2, allowed=5)])
    assert sorted(size for _, size in sizes) == [0, 0]


@given(st.integers(0, 60), st.lists(st.integers(1, 40), min_size=2, max_size=5), st.integers(1, 80))
def test_proportional_scaling_comes_to_exactly_what_is_allowed(replicas, sizes, allowed):
    sets = [replica_set(f"rs{number}", size, allowed=allowed) for number, size in enumerate(sizes)]
    subject = deployment(replicas)
    result = [size for _, size in rollout.proportional(subject, sets)]
    assert all(size >= 0 for size in result)
    total = replicas + rollout.max_surge(subject) if replicas else 0
    assert sum(result) >= total
    if total >= sum(sizes):
        assert sum(result) == total


@given(st.integers(0, 30), st.sampled_from(["0%", "25%", "50%", "100%", 0, 1, 3]), st.sampled_from(["0%", "25%", "50%", 0, 1, 3]),
       st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_one_step_never_leaves_the_bounds(replicas, surge, unavailable, old_size, new_size, old_available, new_available):
    subject = deployment(replicas, surge, unavailable)
    old, new = replica_set("old", old_size, min(old_size, old_available)), replica_set("new", new_size, min(new_size, new_available))
    grown = rollout.new_size(subject, [old, new], new_size)
    assert grown == new_size or old_size + grown <= replicas + rollout.max_surge(subject)
    limit = rollout.may_scale_down(subject, [old, new], new)
    if limit > 0:
        left = rollout.scaled_down(subject, [old, new], [old]).get("old", old_size)
        gone_at_worst = old_size - left
        available = rollout.available(old) + rollout.available(new)
        assert gone_at_worst == 0 or available - gone_at_worst >= rollout.min_available(subject)


def test_a_template_is_the_same_without_its_hash_and_with_empty_fields_left_out():
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "resources": {}}]}}
    hashed = {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}, "annotations": {}}, "spec": {"containers": [{"name": "a"}]}}
    assert revisions.same_template(template, hashed)
    other = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "b"}]}}
    assert not revisions.same_template(template, other)


def test_a_revision_history_that_is_too_long_forgets_its_beginning():
    before = ",".join(str(number) for number in range(1, 530))
    noted = revisions.revision_annotations(
        {"metadata": {}}, {"metadata": {"annotations": {revisions.REVISION: "600", revisions.REVISION_HISTORY: before}}}, 601)
    history = noted[revisions.REVISION_HISTORY]
    assert len(history) <= revisions.LONGEST_HISTORY and history.endswith(",529,600") and not history.startswith("1,")
