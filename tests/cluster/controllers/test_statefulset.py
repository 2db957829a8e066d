"""StatefulSets, against the hand that plays scheduler and kubelets (controllers_world)."""

from __future__ import annotations

import pytest
import yaml
from controllers_world import World

from server.cluster.cluster import Cluster
from server.cluster.controllers import history
from server.cluster.errors import ApiError
from server.cluster.objects import deleting, replaced

STATEFUL_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  serviceName: nginx
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {note: one}}
    spec: {containers: [{name: nginx, image: "nginx:1"}]}
"""
CLAIMS = [{"metadata": {"name": "data", "labels": {"tier": "db"}},
           "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]


def create(world: World, **spec) -> dict:
    manifest = yaml.safe_load(STATEFUL_SET)
    return world.kubectl.create("statefulsets.apps", {**manifest, "spec": {**manifest["spec"], **spec}})


def change(world: World, **spec) -> dict:
    return world.patch("statefulsets.apps", "web", {"spec": spec})


def set_image(world: World, image: str) -> None:
    world.kubectl.update("statefulsets.apps", replaced(the_set(world), {
        ("spec", "template", "spec", "containers"): [{**the_set(world)["spec"]["template"]["spec"]["containers"][0], "image": image}]}))


def the_set(world: World) -> dict:
    return world.get("statefulsets.apps", "web")


def status(world: World) -> dict:
    return the_set(world)["status"]


def names(objects) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def there(world: World) -> list[str]:
    return names(world.pods())


def images(world: World) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in world.pods()}


def claims(world: World) -> list[dict]:
    return world.api.lister("persistentvolumeclaims").list("default")


def revisions(world: World) -> list[dict]:
    return history.ordered(world.api.lister("controllerrevisions.apps").list("default"))


def watched(world: World) -> list[tuple[str, str]]:
    """What happens to pods from now on: (what, name)."""
    seen: list[tuple[str, str]] = []

    def note(event) -> None:
        name = event.object["metadata"]["name"]
        if event.type != "MODIFIED":
            seen.append((event.type, name))
        elif deleting(event.object) and not deleting(event.previous):
            seen.append(("DELETING", name))

    world.api.watch("pods", note)
    return seen


# order

def test_pods_start_one_by_one_each_when_the_one_before_is_ready(world):
    create(world)
    world.run(0.5)
    assert there(world) == ["web-0"]
    world.run(1)
    assert there(world) == ["web-0", "web-1"]
    world.run(1)
    assert there(world) == ["web-0", "web-1", "web-2"]


def test_a_pod_that_does_not_become_ready_keeps_the_next_from_starting(world):
    world.broken = ("nginx:1",)
    create(world)
    world.run(60)
    assert there(world) == ["web-0"]
    assert status(world) == {"observedGeneration": 1, "replicas": 1, "currentReplicas": 1, "updatedReplicas": 1, "collisionCount": 0,
                             "availableReplicas": 0, **dict.fromkeys(("currentRevision", "updateRevision"), names(revisions(world))[0])}


def test_pods_go_one_by_one_from_the_highest_ordinal(world):
    create(world)
    world.run(10)
    seen = watched(world)
    change(world, replicas=0)
    world.run(20)
    assert seen == [(what, name) for name in ("web-2", "web-1", "web-0") for what in ("DELETING", "DELETED")]


def test_nothing_goes_while_a_pod_below_is_not_ready(world):
    create(world)
    world.run(10)
    world.set_status("web-0", ready=False)
    change(world, replicas=1)
    world.run(20)
    assert there(world) == ["web-0", "web-1", "web-2"] and not [pod for pod in world.pods() if deleting(pod)]
    world.set_status("web-0", ready=True)
    world.run(20)
    assert there(world) == ["web-0"]


def test_a_surplus_pod_waits_for_a_lower_surplus_pod_that_is_broken_but_the_broken_one_need_not_wait_for_itself(world):
    create(world)
    world.run(10)
    world.set_status("web-2", ready=False)
    change(world, replicas=1)
    world.run(20)
    assert there(world) == ["web-0"]


def test_a_middle_pod_that_is_deleted_comes_back_before_anything_else_happens(world):
    create(world)
    world.run(10)
    seen = watched(world)
    world.kubectl.delete("pods", "default", "web-1")
    change(world, replicas=4)
    world.run(20)
    assert seen == [("DELETING", "web-1"), ("DELETED", "web-1"), ("ADDED", "web-1"), ("ADDED", "web-3")]


def test_a_parallel_set_starts_and_stops_all_at_once(world):
    create(world, podManagementPolicy="Parallel", replicas=5)
    world.run(0.5)
    assert len(world.pods()) == 5
    change(world, replicas=1)
    world.run(0.5)
    assert names(world.active()) == ["web-0"]


def test_a_parallel_set_that_is_refused_does_not_ask_for_all_its_pods_in_vain(world):
    template = yaml.safe_load(STATEFUL_SET)["spec"]["template"]
    template["spec"]["priorityClassName"] = "missing"
    create(world, podManagementPolicy="Parallel", replicas=100, template=template)
    world.run(5)
    assert [message.split(" in ")[0] for message in world.messages("StatefulSet", "web", "FailedCreate")] == ["Create Pod web-0"]


def test_a_large_parallel_set_is_complete_and_no_ordinal_is_missing(world):
    create(world, podManagementPolicy="Parallel", replicas=620)
    world.run(30)
    assert len(world.pods()) == 620 and status(world)["readyReplicas"] == 620


def test_a_set_of_absurd_size_costs_no_more_than_the_pods_it_has(world):
    world.broken = ("nginx:1",)
    create(world, replicas=2**31 - 1)
    world.run(10)
    assert there(world) == ["web-0"] and status(world)["replicas"] == 1


def test_ordinals_may_start_anywhere(world):
    create(world, ordinals={"start": 5}, replicas=2)
    world.run(10)
    assert there(world) == ["web-5", "web-6"]
    change(world, ordinals={"start": 6})
    world.run(20)
    assert there(world) == ["web-6", "web-7"]


def test_a_pod_counts_as_available_after_min_ready_seconds_and_the_next_waits_for_that(world):
    create(world, minReadySeconds=10, replicas=2)
    world.run(5)
    assert there(world) == ["web-0"] and status(world)["readyReplicas"] == 1 and status(world)["availableReplicas"] == 0
    world.run(10)
    assert there(world) == ["web-0", "web-1"]
    world.run(20)
    assert status(world)["availableReplicas"] == 2


# identity

def test_a_pod_carries_its_place_in_its_name_its_host_name_and_its_labels(world):
    owner = create(world, replicas=1)
    world.run(5)
    pod, [revision] = world.pod("web-0"), revisions(world)
    assert pod["metadata"]["generateName"] == "web-" and pod["metadata"]["annotations"] == {"note": "one"}
    assert pod["metadata"]["labels"] == {
        "app": "web", "statefulset.kubernetes.io/pod-name": "web-0", "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": revision["metadata"]["name"]}
    assert pod["metadata"]["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": owner["metadata"]["uid"], "controller": True,
         "blockOwnerDeletion": True}]
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "nginx")


def test_a_pod_comes_back_under_its_name_on_its_claim(world):
    create(world, volumeClaimTemplates=CLAIMS)
    world.run(10)
    before = world.pod("web-1")
    world.kubectl.delete("pods", "default", "web-1")
    world.run(10)
    after = world.pod("web-1")
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert after["spec"]["volumes"][0] == before["spec"]["volumes"][0] == {
        "name": "data", "persistentVolumeClaim": {"claimName": "data-web-1"}}


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_deleted_and_made_again(world, phase):
    create(world)
    world.run(10)
    ended = world.pod("web-1")["metadata"]["uid"]
    world.set_status("web-1", phase=phase, ready=False)
    world.run(10)
    assert world.pod("web-1")["metadata"]["uid"] != ended and status(world)["readyReplicas"] == 3
    assert world.messages("StatefulSet", "web", "SuccessfulDelete") == ["Delete Pod web-1 in StatefulSet web successful"]


def test_a_pod_that_loses_its_name_label_gets_it_back(world):
    create(world, replicas=1)
    world.run(5)
    world.patch("pods", "web-0", {"metadata": {"labels": {"statefulset.kubernetes.io/pod-name": None}}})
    world.run(1)
    assert world.pod("web-0")["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "web-0"
    assert world.messages("StatefulSet", "web", "SuccessfulUpdate") == ["Update Pod web-0 in StatefulSet web successful"]


def test_deleting_with_orphan_leaves_pods_and_revisions_to_be_adopted_by_the_next_set(world):
    create(world)
    world.run(10)
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in world.pods()}
    world.kubectl.delete("statefulsets.apps", "default", "web", propagation="Orphan")
    world.run(5)
    assert there(world) == ["web-0", "web-1", "web-2"] and "ownerReferences" not in world.pod("web-0")["metadata"]
    owner = create(world)
    world.run(10)
    assert {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in world.pods()} == before
    assert {pod["metadata"]["ownerReferences"][0]["uid"] for pod in [*world.pods(), *revisions(world)]} == {owner["metadata"]["uid"]}
    assert len(revisions(world)) == 1 and status(world)["currentReplicas"] == 3


def test_a_pod_that_is_called_otherwise_is_not_adopted(world):
    for name in ("web-x", "web-01", "other-0"):
        world.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
                                      "spec": {"containers": [{"name": "nginx", "image": "nginx:1"}]}})
    create(world, replicas=1)
    world.run(10)
    assert [name for name in there(world) if world.pod(name)["metadata"].get("ownerReferences")] == ["web-0"]


def test_a_pod_that_is_relabelled_away_is_released_and_its_name_stays_taken(world):
    create(world, replicas=1)
    world.run(5)
    world.patch("pods", "web-0", {"metadata": {"labels": {"app": "other"}}})
    world.run(5)
    assert not world.pod("web-0")["metadata"].get("ownerReferences") and status(world)["replicas"] == 0


def test_deleting_a_set_deletes_its_pods_and_revisions_but_not_its_claims(world):
    create(world, volumeClaimTemplates=CLAIMS)
    world.run(10)
    world.kubectl.delete("statefulsets.apps", "default", "web", propagation="Background")
    world.run(10)
    assert not world.pods() and not revisions(world)
    assert names(claims(world)) == ["data-web-0", "data-web-1", "data-web-2"]


def test_a_set_being_deleted_in_the_foreground_starts_nothing_and_counts_down(world):
    create(world)
    world.run(10)
    seen = watched(world)
    world.kubectl.delete("statefulsets.apps", "default", "web", propagation="Foreground")
    world.run(20)
    assert the_set(world) is None and not world.pods() and not [entry for entry in seen if entry[0] == "ADDED"]


# claims

def test_each_pod_gets_its_own_claim_before_it_starts(world):
    create(world, volumeClaimTemplates=CLAIMS, replicas=2)
    world.run(10)
    for claim, name in zip(claims(world), ("data-web-0", "data-web-1"), strict=True):
        assert claim["metadata"]["name"] == name and claim["metadata"]["labels"] == {"tier": "db", "app": "web"}
        assert claim["spec"]["resources"] == {"requests": {"storage": "1Gi"}} and "ownerReferences" not in claim["metadata"]
    assert world.messages("StatefulSet", "web", "SuccessfulCreate") == [
        "Create Claim data-web-0 Pod web-0 in StatefulSet web success", "Create Pod web-0 in StatefulSet web successful",
        "Create Claim data-web-1 Pod web-1 in StatefulSet web success", "Create Pod web-1 in StatefulSet web successful"]


def test_a_volume_of_the_template_gives_way_to_the_claim_of_the_same_name(world):
    manifest = yaml.safe_load(STATEFUL_SET)
    template = manifest["spec"]["template"]
    template["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    create(world, replicas=1, volumeClaimTemplates=CLAIMS, template=template)
    world.run(5)
    assert world.pod("web-0")["spec"]["volumes"][:2] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}, {"name": "tmp", "emptyDir": {}}]


def test_a_claim_deleted_under_a_pod_that_has_not_started_is_made_again(world):
    world.broken = ("nginx:1",)
    create(world, volumeClaimTemplates=CLAIMS, replicas=1)
    world.run(5)
    [claim] = claims(world)
    world.kubectl.patch("persistentvolumeclaims", "default", "data-web-0", {"metadata": {"finalizers": None}})
    world.kubectl.delete("persistentvolumeclaims", "default", "data-web-0")
    world.run(5)
    assert [entry["metadata"]["uid"] != claim["metadata"]["uid"] for entry in claims(world)] == [True]


def test_a_pod_is_not_made_while_its_claim_is_being_deleted(world):
    create(world, volumeClaimTemplates=CLAIMS, replicas=1)
    world.run(5)
    world.patch("persistentvolumeclaims", "data-web-0", {"metadata": {"finalizers": ["example.com/held"]}})
    world.kubectl.delete("persistentvolumeclaims", "default", "data-web-0")
    world.kubectl.delete("pods", "default", "web-0")
    world.run(5)
    assert not world.pods()
    assert set(world.messages("StatefulSet", "web", "FailedCreate")) == {
        "Create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted"}
    world.patch("persistentvolumeclaims", "data-web-0", {"metadata": {"finalizers": None}})
    world.run(20)
    assert there(world) == ["web-0"] and names(claims(world)) == ["data-web-0"]


def owner_kinds(world: World) -> dict[str, list[str]]:
    return {claim["metadata"]["name"]: [reference["kind"] for reference in claim["metadata"].get("ownerReferences") or ()]
            for claim in claims(world)}


def test_claims_go_with_the_set_if_the_policy_says_so(world):
    create(world, volumeClaimTemplates=CLAIMS, replicas=2, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    world.run(10)
    assert owner_kinds(world) == {"data-web-0": ["StatefulSet"], "data-web-1": ["StatefulSet"]}
    change(world, replicas=1)
    world.run(10)
    assert owner_kinds(world) == {"data-web-0": ["StatefulSet"], "data-web-1": ["StatefulSet"]}
    world.kubectl.delete("statefulsets.apps", "default", "web", propagation="Background")
    world.run(10)
    assert not claims(world)


def test_claims_go_with_surplus_pods_if_the_policy_says_so(world):
    create(world, volumeClaimTemplates=CLAIMS, persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})
    world.run(10)
    assert owner_kinds(world) == {"data-web-0": [], "data-web-1": [], "data-web-2": []}
    world.kubectl.delete("pods", "default", "web-2")
    world.run(10)
    assert len(claims(world)) == 3
    change(world, replicas=1)
    world.run(10)
    assert there(world) == ["web-0"] and names(claims(world)) == ["data-web-0"]


def test_scaling_down_and_up_again_at_once_waits_for_the_old_claim_to_go(world):
    create(world, volumeClaimTemplates=CLAIMS, replicas=2, persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})
    world.run(10)
    old = world.get("persistentvolumeclaims", "data-web-1")["metadata"]["uid"]
    change(world, replicas=1)
    world.run(0.5)
    change(world, replicas=2)
    world.run(20)
    assert there(world) == ["web-0", "web-1"] and world.get("persistentvolumeclaims", "data-web-1")["metadata"]["uid"] != old


def test_a_change_of_the_policy_reaches_the_claims_that_are_there(world):
    create(world, volumeClaimTemplates=CLAIMS, replicas=1)
    world.run(10)
    change(world, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    world.run(5)
    assert owner_kinds(world) == {"data-web-0": ["StatefulSet"]}
    change(world, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain"})
    world.run(5)
    assert owner_kinds(world) == {"data-web-0": []}


def test_a_claim_that_someone_else_controls_is_left_alone_with_a_warning(world):
    other = world.kubectl.create("configmaps", {"metadata": {"name": "other", "namespace": "default"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": other["metadata"]["uid"], "controller": True}
    world.kubectl.create("persistentvolumeclaims", {
        "metadata": {"name": "data-web-0", "namespace": "default", "ownerReferences": [reference]}, "spec": CLAIMS[0]["spec"]})
    create(world, volumeClaimTemplates=CLAIMS, replicas=1, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    world.run(10)
    assert owner_kinds(world) == {"data-web-0": ["ConfigMap"]} and there(world) == ["web-0"]
    assert world.messages("StatefulSet", "web", "ConflictingController")


# updates

def test_a_rolling_update_renews_pods_one_by_one_from_the_highest(world):
    create(world)
    world.run(10)
    first = status(world)["currentRevision"]
    seen = watched(world)
    set_image(world, "nginx:2")
    world.run(0.5)
    assert status(world)["updateRevision"] != first and status(world)["currentRevision"] == first
    world.run(30)
    assert seen == [(what, name) for name in ("web-2", "web-1", "web-0") for what in ("DELETING", "DELETED", "ADDED")]
    assert set(images(world).values()) == {"nginx:2"}
    assert status(world)["currentRevision"] == status(world)["updateRevision"] == world.pod("web-0")["metadata"]["labels"][history.POD_LABEL]
    assert (status(world)["currentReplicas"], status(world)["updatedReplicas"]) == (3, 3)


def test_a_rolling_update_stops_at_a_pod_that_does_not_become_ready_and_a_good_template_mends_it(world):
    create(world)
    world.run(10)
    world.broken = ("nginx:bad",)
    set_image(world, "nginx:bad")
    world.run(60)
    assert images(world) == {"web-0": "nginx:1", "web-1": "nginx:1", "web-2": "nginx:bad"}
    set_image(world, "nginx:1")
    world.run(60)
    assert images(world)["web-2"] == "nginx:bad", "an ordered set waits for the broken pod for ever, as a real one does"
    world.kubectl.delete("pods", "default", "web-2")
    world.run(30)
    assert set(images(world).values()) == {"nginx:1"} and status(world)["readyReplicas"] == 3


def test_pods_below_the_partition_keep_the_old_template_even_when_made_again(world):
    create(world, updateStrategy={"rollingUpdate": {"partition": 2}})
    world.run(10)
    set_image(world, "nginx:2")
    world.run(30)
    assert images(world) == {"web-0": "nginx:1", "web-1": "nginx:1", "web-2": "nginx:2"}
    assert (status(world)["currentReplicas"], status(world)["updatedReplicas"]) == (2, 1)
    world.kubectl.delete("pods", "default", "web-1")
    world.run(10)
    assert images(world)["web-1"] == "nginx:1"
    change(world, updateStrategy={"rollingUpdate": {"partition": 0}})
    world.run(30)
    assert set(images(world).values()) == {"nginx:2"} and status(world)["currentRevision"] == status(world)["updateRevision"]


def test_on_delete_renews_only_what_is_deleted(world):
    create(world, updateStrategy={"type": "OnDelete"})
    world.run(10)
    set_image(world, "nginx:2")
    world.run(30)
    assert set(images(world).values()) == {"nginx:1"}
    world.kubectl.delete("pods", "default", "web-1")
    world.run(30)
    assert images(world) == {"web-0": "nginx:1", "web-1": "nginx:2", "web-2": "nginx:1"}
    assert status(world)["updatedReplicas"] == 1 and status(world)["currentReplicas"] == 2


def test_max_unavailable_renews_that_many_at_once(world):
    create(world, replicas=5, podManagementPolicy="Parallel", updateStrategy={"rollingUpdate": {"maxUnavailable": 2}})
    world.run(10)
    fewest = [5]
    world.api.watch("pods", lambda event: fewest.append(sum(
        not deleting(pod) and any(entry["type"] == "Ready" and entry["status"] == "True" for entry in pod["status"]["conditions"])
        for pod in world.pods() if pod["status"].get("conditions"))))
    seen = watched(world)
    set_image(world, "nginx:2")
    world.run(0.5)
    assert seen == [("DELETING", "web-4"), ("DELETING", "web-3")]
    world.run(30)
    assert set(images(world).values()) == {"nginx:2"} and min(fewest) == 3


def test_a_percentage_of_unavailable_pods_rounds_down_but_not_to_nothing(world):
    create(world, replicas=3, podManagementPolicy="Parallel", updateStrategy={"rollingUpdate": {"maxUnavailable": "10%"}})
    world.run(10)
    seen = watched(world)
    set_image(world, "nginx:2")
    world.run(0.5)
    assert seen == [("DELETING", "web-2")]
    world.run(30)
    assert set(images(world).values()) == {"nginx:2"}


def test_scaling_comes_before_updating(world):
    create(world)
    world.run(10)
    seen = watched(world)
    set_image(world, "nginx:2")
    change(world, replicas=4)
    world.run(5)
    assert seen[0] == ("ADDED", "web-3")
    world.run(60)
    assert set(images(world).values()) == {"nginx:2"} and len(world.pods()) == 4


# revisions

def test_each_template_has_a_revision_and_one_taken_up_again_gets_the_next_number(world):
    create(world, replicas=1)
    world.run(5)
    set_image(world, "nginx:2")
    world.run(10)
    first, second = revisions(world)
    assert (first["revision"], second["revision"]) == (1, 2)
    assert second["data"]["spec"]["template"]["$patch"] == "replace"
    assert second["data"]["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    set_image(world, "nginx:1")
    world.run(10)
    assert [(entry["metadata"]["name"], entry["revision"]) for entry in revisions(world)] == [
        (second["metadata"]["name"], 2), (first["metadata"]["name"], 3)]
    assert set(images(world).values()) == {"nginx:1"}


def test_old_revisions_are_forgotten_beyond_the_limit(world):
    create(world, replicas=1, revisionHistoryLimit=2)
    world.run(5)
    for number in range(2, 7):
        set_image(world, f"nginx:{number}")
        world.run(10)
    assert [entry["revision"] for entry in revisions(world)] == [4, 5, 6]


def test_a_negative_limit_keeps_every_revision(world):
    create(world, replicas=1, revisionHistoryLimit=-1)
    world.run(5)
    for number in range(2, 6):
        set_image(world, f"nginx:{number}")
        world.run(10)
    assert len(revisions(world)) == 5


def test_a_revision_that_pods_still_have_is_kept(world):
    create(world, revisionHistoryLimit=0, updateStrategy={"type": "OnDelete"})
    world.run(10)
    for number in (2, 3):
        set_image(world, f"nginx:{number}")
        world.run(5)
    assert [entry["revision"] for entry in revisions(world)] == [1, 3]


def test_a_name_that_another_template_has_taken_is_a_collision(world):
    digest = history.data_hash(history.template_patch(create(world, replicas=0)), 0)
    name = f"web-{digest}"
    assert revisions(world) == []
    world.kubectl.create("controllerrevisions.apps", {"metadata": {"name": name, "namespace": "default"}, "data": {"other": 1}, "revision": 9})
    world.run(5)
    assert status(world)["collisionCount"] == 1 and status(world)["updateRevision"] != name
    assert status(world)["updateRevision"] in names(revisions(world))


def test_a_revision_deleted_by_hand_is_made_again(world):
    create(world, replicas=1)
    world.run(5)
    [revision] = revisions(world)
    world.kubectl.delete("controllerrevisions.apps", "default", revision["metadata"]["name"])
    world.run(5)
    assert names(revisions(world)) == [revision["metadata"]["name"]]


def test_a_set_made_again_at_once_has_a_revision_of_its_own(world):
    create(world, replicas=1)
    world.run(5)
    world.kubectl.delete("statefulsets.apps", "default", "web", propagation="Background")
    owner = create(world, replicas=1)
    world.run(20)
    assert [entry["metadata"]["ownerReferences"][0]["uid"] for entry in revisions(world)] == [owner["metadata"]["uid"]]
    assert status(world)["currentRevision"] == names(revisions(world))[0] and status(world)["readyReplicas"] == 1


# refusals and restarts

def test_a_pod_that_is_refused_is_told_and_tried_again(world):
    template = yaml.safe_load(STATEFUL_SET)["spec"]["template"]
    template["spec"]["priorityClassName"] = "missing"
    create(world, replicas=1, template=template)
    world.run(5)
    assert not world.pods()
    assert world.messages("StatefulSet", "web", "FailedCreate")[0].startswith("Create Pod web-0 in StatefulSet web failed error: ")


def test_the_name_of_a_pod_may_be_taken_by_a_stranger(world):
    world.kubectl.create("pods", {"metadata": {"name": "web-0", "namespace": "default"},
                                  "spec": {"containers": [{"name": "nginx", "image": "nginx:1"}]}})
    create(world, replicas=1)
    world.run(5)
    assert status(world)["replicas"] == 0 and not world.messages("StatefulSet", "web", "FailedCreate")


def test_a_new_process_carries_on_where_the_old_one_was(world):
    create(world)
    world.run(1.5)
    assert len(world.pods()) == 2
    after = world.restarted()
    for pod in after.pods():
        if pod["status"]["phase"] == "Pending":
            after.set_status(pod["metadata"]["name"], phase="Running", ready=True)
    after.run(10)
    assert there(after) == ["web-0", "web-1", "web-2"] and status(after)["readyReplicas"] == 3
    assert [pod["metadata"]["uid"] for pod in after.pods()[:2]] == [pod["metadata"]["uid"] for pod in world.pods()]


def test_a_set_that_is_as_it_should_be_causes_no_event(world):
    create(world, minReadySeconds=5)
    world.run(60)
    before = world.store.revision
    world.run(1000)
    assert world.store.revision == before


def test_only_some_fields_of_a_set_may_change(world):
    create(world)
    with pytest.raises(ApiError) as refused:
        change(world, serviceName="other")
    assert refused.value.message == (
        "StatefulSet.apps \"web\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
        "'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")


# among the other parts of a whole cluster

def test_a_pod_on_a_lost_node_is_not_replaced_until_it_is_deleted_by_force():
    cluster = Cluster(seed=1)
    kubectl, pods = cluster.client("kubectl"), cluster.api.lister("pods")
    kubectl.create("statefulsets.apps", yaml.safe_load(STATEFUL_SET.replace("nginx:1", "nginx:1.27")))
    cluster.clock.run_for(30)
    lost = pods.get("default", "web-1")
    cluster.kubelets.power_off(lost["spec"]["nodeName"])
    cluster.clock.run_for(1000)
    assert pods.get("default", "web-1")["metadata"]["uid"] == lost["metadata"]["uid"] and deleting(pods.get("default", "web-1"))
    kubectl.delete("pods", "default", "web-1", grace_period=0)
    cluster.clock.run_for(60)
    back = pods.get("default", "web-1")
    assert back["metadata"]["uid"] != lost["metadata"]["uid"] and back["status"]["phase"] == "Running"
    assert back["spec"]["nodeName"] != lost["spec"]["nodeName"]


def test_a_cluster_taken_up_from_its_snapshot_in_mid_rollout_ends_it():
    cluster = Cluster(seed=3)
    kubectl = cluster.client("kubectl")
    kubectl.create("statefulsets.apps", yaml.safe_load(STATEFUL_SET.replace("nginx:1", "nginx:1.27")))
    cluster.clock.run_for(40)
    kubectl.patch("statefulsets.apps", "default", "web", {"spec": {"template": {"metadata": {"annotations": {"note": "two"}}}}})
    cluster.clock.run_for(3)
    again = Cluster.restore(cluster.snapshot())
    again.clock.run_for(60)
    pods = again.api.lister("pods").list("default")
    assert [pod["metadata"]["annotations"]["note"] for pod in pods] == ["two"] * 3
    said = again.api.lister("statefulsets.apps").get("default", "web")["status"]
    assert said["currentRevision"] == said["updateRevision"] and said["readyReplicas"] == 3
