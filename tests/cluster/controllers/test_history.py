"""Revisions as data: names, order, equality."""

from __future__ import annotations

from server.cluster.controllers import history

WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web", "namespace": "default", "uid": "u"},
       "spec": {"template": {"spec": {"restartPolicy": "Always", "containers": [{"name": "a", "image": "nginx"}]},
                             "metadata": {"labels": {"app": "web"}}}}}


def revision(number: int, name: str, created: str = "2026-01-01T00:00:00Z") -> dict:
    return {"metadata": {"name": name, "creationTimestamp": created}, "revision": number, "data": {}}


def test_a_draft_is_named_after_its_owner_and_its_hash_and_carries_the_labels_of_the_template():
    made = history.draft(WEB, "abc", history.HASH_LABEL, {"why": "x"})
    assert made["metadata"] == {
        "name": "web-abc", "namespace": "default", "labels": {"app": "web", "controller.kubernetes.io/hash": "abc"}, "annotations": {"why": "x"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "u", "controller": True,
                             "blockOwnerDeletion": True}]}
    assert history.template(made) == WEB["spec"]["template"] and history.template(made) is history.template(made)


def test_a_long_name_is_cut_so_that_the_hash_has_room():
    long = {**WEB, "metadata": {**WEB["metadata"], "name": "w" * 250}}
    assert history.draft(long, "abc", history.HASH_LABEL, {})["metadata"]["name"] == "w" * 223 + "-abc"


def test_data_are_in_order_so_that_equal_templates_are_equal_to_the_byte():
    template = history.template_patch(WEB)["spec"]["template"]
    assert list(template) == ["$patch", "metadata", "spec"] and list(template["spec"]) == ["containers", "restartPolicy"]
    assert list(template["spec"]["containers"][0]) == ["image", "name"]


def test_the_hash_depends_on_the_data_and_the_collisions_but_not_on_the_order_of_fields():
    one, other = {"a": 1, "b": [{"c": "<&>"}]}, {"b": [{"c": "<&>"}], "a": 1}
    assert history.data_hash(one, 0) == history.data_hash(other, 0) != history.data_hash(one, 1)
    assert history.data_hash({"a": 2}, 0) != history.data_hash(one, 0)
    assert set(history.data_hash(one, 0)) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_revisions_are_in_order_of_number_then_age_then_name():
    found = [revision(2, "b"), revision(1, "z"), revision(2, "a"), revision(2, "c", "2025-01-01T00:00:00Z")]
    assert [entry["metadata"]["name"] for entry in history.ordered(found)] == ["z", "c", "a", "b"]


def test_what_is_empty_is_as_good_as_absent_between_templates():
    assert history.equal({"data": {"spec": {"a": {}}}}, {"data": {"spec": {}}})
    assert not history.equal({"data": {"spec": {"a": 1}}}, {"data": {"spec": {}}})
