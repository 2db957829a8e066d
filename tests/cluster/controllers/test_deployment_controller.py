from __future__ import annotations

from controllers_world import DEPLOYMENT, World, conditions

from server.cluster.objects import replaced

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"


def sizes(world):
    """Pods wanted by image."""
    return {entry["spec"]["template"]["spec"]["containers"][0]["image"]: entry["spec"]["replicas"] for entry in world.replica_sets()}


def short(messages):
    """What the events say, with replica sets called a, b, c in the order of their coming."""
    known: dict[str, str] = {}
    told = []
    for message in messages:
        words = message.split()
        name = words[4] if words[0] == "Scaled" else words[-1]
        letter = known.setdefault(name, "abcdefgh"[len(known)])
        told.append(message.replace(name, letter).replace("Scaled ", "").replace("replica set ", ""))
    return told


def test_a_deployment_makes_a_replica_set_named_after_its_template(world):
    world.apply(DEPLOYMENT)
    world.run()
    (replica_set,) = world.replica_sets()
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{digest}"
    assert replica_set["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": digest}}
    assert replica_set["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert replica_set["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4", REVISION: "1"}
    assert world.deployment()["metadata"]["annotations"] == {REVISION: "1"}
    assert world.deployment()["metadata"]["generation"] == 1
    assert world.messages("Deployment") == [f"Scaled up replica set web-{digest} from 0 to 3"]


def test_the_status_of_a_finished_deployment(world):
    world.apply(DEPLOYMENT)
    world.run()
    status = dict(world.deployment()["status"])
    assert [(entry["type"], entry["status"], entry["reason"]) for entry in status.pop("conditions")] == [
        ("Available", "True", "MinimumReplicasAvailable"), ("Progressing", "True", "NewReplicaSetAvailable")]
    assert status == {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
                      "terminatingReplicas": 0}


def test_while_pods_start_it_is_progressing_and_not_available(world):
    world.apply(DEPLOYMENT)
    world.run(0.5)
    found = conditions(world.deployment())
    assert found["Progressing"]["reason"] == "ReplicaSetUpdated"
    assert found["Progressing"]["message"] == f'ReplicaSet "{world.replica_sets()[0]["metadata"]["name"]}" is progressing.'
    assert (found["Available"]["status"], found["Available"]["reason"]) == ("False", "MinimumReplicasUnavailable")
    assert world.deployment()["status"]["unavailableReplicas"] == 3


def test_a_new_image_rolls_out_one_up_one_down(world):
    """Two replicas at 25%: one may come on top, none may be missing."""
    world.apply(DEPLOYMENT, replicas=2)
    world.run()
    world.set_image("nginx:1.28")
    world.run()
    assert short(world.messages("Deployment")) == [
        "up a from 0 to 2", "up b from 0 to 1", "down a from 2 to 1", "up b from 1 to 2", "down a from 1 to 0"]
    assert sizes(world) == {"nginx:1.27": 0, "nginx:1.28": 2}
    assert world.deployment()["metadata"]["annotations"][REVISION] == "2"


def test_four_replicas_may_have_one_more_and_one_less(world):
    world.apply(DEPLOYMENT, replicas=4)
    world.run()
    world.set_image("nginx:1.28")
    world.run(0.5)
    assert short(world.messages("Deployment"))[1:] == ["up b from 0 to 1", "down a from 4 to 3", "up b from 1 to 2"]


def test_conditions_move_to_the_end_when_they_change(world):
    """Scaled from 2 to 3 it is for a moment short of what must be available: Available changes twice, Progressing does not."""
    world.apply(DEPLOYMENT, replicas=2)
    world.run()
    world.scale(3)
    world.run()
    assert list(conditions(world.deployment())) == ["Progressing", "Available"]
    world.set_image("nginx:1.28")
    world.run()
    assert list(conditions(world.deployment())) == ["Available", "Progressing"]


def test_a_bad_image_stops_the_rollout_and_the_old_pods_stay(world):
    world.apply(DEPLOYMENT, replicas=2)
    world.run()
    world.broken = ("nginx:1.200",)
    world.set_image("nginx:1.200")
    world.run(60)
    assert sizes(world) == {"nginx:1.27": 2, "nginx:1.200": 1}
    status = world.deployment()["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["unavailableReplicas"]) == (2, 1, 1)
    assert conditions(world.deployment())["Progressing"]["reason"] == "ReplicaSetUpdated"


def test_the_progress_deadline_passes_once_nothing_has_moved_for_so_long(world):
    world.apply(DEPLOYMENT, replicas=6, progressDeadlineSeconds=5)
    world.run()
    world.broken = ("nginx:9.99",)
    world.set_image("nginx:9.99")
    started = world.clock.now
    world.run(5)
    assert conditions(world.deployment())["Progressing"]["status"] == "True"
    world.run(2)
    progressing = conditions(world.deployment())["Progressing"]
    name = next(entry["metadata"]["name"] for entry in world.replica_sets() if entry["metadata"]["annotations"][REVISION] == "2")
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert progressing["message"] == f'ReplicaSet "{name}" has timed out progressing.'
    assert 5 <= world.clock.seconds(progressing["lastTransitionTime"]) - started <= 7
    status = world.deployment()["status"]
    assert [status.get(field) for field in ("replicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")] == [8, 3, 5, 3]
    world.broken = ()
    world.set_image("nginx:1.28")
    world.run(60)
    assert conditions(world.deployment())["Progressing"]["reason"] == "NewReplicaSetAvailable"


def test_rolling_back_takes_up_the_old_replica_set_under_a_new_revision(world):
    world.apply(DEPLOYMENT)
    world.run()
    first = world.replica_sets()[0]["metadata"]["name"]
    world.set_image("nginx:1.28")
    world.run()
    world.set_image("nginx:1.27")
    world.run()
    assert len(world.replica_sets()) == 2
    annotations = world.get("replicasets.apps", first)["metadata"]["annotations"]
    assert (annotations[REVISION], annotations[HISTORY]) == ("3", "1")
    assert world.deployment()["metadata"]["annotations"][REVISION] == "3"
    world.set_image("nginx:1.28")
    world.run()
    world.set_image("nginx:1.27")
    world.run()
    assert world.get("replicasets.apps", first)["metadata"]["annotations"][HISTORY] == "1,3"


def test_annotations_of_the_deployment_are_copied_to_its_replica_set_but_for_its_own(world):
    world.apply(DEPLOYMENT.replace("labels: {app: web}}\nspec", "annotations: {kubernetes.io/change-cause: first, "
                                   "kubectl.kubernetes.io/last-applied-configuration: x}, labels: {app: web}}\nspec", 1))
    world.run()
    annotations = world.replica_sets()[0]["metadata"]["annotations"]
    assert annotations["kubernetes.io/change-cause"] == "first" and "kubectl.kubernetes.io/last-applied-configuration" not in annotations
    world.patch("deployments.apps", "web", {"metadata": {"annotations": {"kubernetes.io/change-cause": "second"}}})
    world.run()
    assert world.replica_sets()[0]["metadata"]["annotations"]["kubernetes.io/change-cause"] == "second"


def test_old_replica_sets_beyond_the_history_limit_are_deleted(world):
    world.apply(DEPLOYMENT, revisionHistoryLimit=2)
    for image in ("1.1", "1.2", "1.3", "1.4"):
        world.run()
        world.set_image(f"nginx:{image}")
    world.run()
    assert sorted(entry["metadata"]["annotations"][REVISION] for entry in world.replica_sets()) == ["3", "4", "5"]


def test_scaling_scales_the_one_replica_set(world):
    world.apply(DEPLOYMENT, replicas=2)
    world.run()
    world.scale(5)
    world.run()
    assert short(world.messages("Deployment")) == ["up a from 0 to 2", "up a from 2 to 5"]
    assert world.deployment()["metadata"]["annotations"][REVISION] == "1"
    assert world.replica_sets()[0]["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"] == "7"


def test_scaling_in_mid_rollout_scales_all_in_proportion(world):
    world.apply(DEPLOYMENT, replicas=10, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})
    world.run()
    world.broken = ("nginx:bad",)
    world.set_image("nginx:bad")
    world.run()
    assert sizes(world) == {"nginx:1.27": 8, "nginx:bad": 5}
    world.scale(15)
    world.run()
    assert sizes(world) == {"nginx:1.27": 11, "nginx:bad": 7}


def test_a_paused_deployment_scales_but_does_not_roll_out(world):
    world.apply(DEPLOYMENT)
    world.run()
    world.patch("deployments.apps", "web", {"spec": {"paused": True}})
    world.set_image("nginx:1.28")
    world.run()
    world.scale(4)
    world.run()
    assert sizes(world) == {"nginx:1.27": 4}
    progressing = conditions(world.deployment())["Progressing"]
    assert (progressing["status"], progressing["reason"], progressing["message"]) == ("Unknown", "DeploymentPaused", "Deployment is paused")
    assert "updatedReplicas" not in world.deployment()["status"]
    world.patch("deployments.apps", "web", {"spec": {"paused": False}})
    world.run(0.006)
    assert conditions(world.deployment())["Progressing"]["reason"] in ("DeploymentResumed", "NewReplicaSetCreated")
    world.run()
    assert sizes(world) == {"nginx:1.27": 0, "nginx:1.28": 4}
    assert conditions(world.deployment())["Progressing"]["reason"] == "NewReplicaSetAvailable"


def test_recreate_waits_until_the_last_old_pod_is_gone(world):
    world.apply(DEPLOYMENT, replicas=6, strategy={"type": "Recreate"})
    world.run()
    world.set_image("nginx:1.28")
    world.run(0.5)
    assert len(world.pods()) == 6 and world.active() == []
    world.run()
    assert short(world.messages("Deployment")) == ["up a from 0 to 6", "down a from 6 to 0", "up b from 0 to 6"]
    images = [pod["spec"]["containers"][0]["image"] for pod in world.pods()]
    assert images == ["nginx:1.28"] * 6
    created = min(pod["metadata"]["creationTimestamp"] for pod in world.pods())
    assert world.clock.seconds(created) >= 31


def test_a_replica_set_that_somebody_scales_is_put_right(world):
    world.apply(DEPLOYMENT)
    world.run()
    name = world.replica_sets()[0]["metadata"]["name"]
    world.scale(7, name, "replicasets.apps")
    world.run()
    assert world.replica_sets()[0]["spec"]["replicas"] == 3 and len(world.active()) == 3


def test_a_replica_set_that_is_deleted_comes_back(world):
    world.apply(DEPLOYMENT)
    world.run()
    before = world.replica_sets()[0]["metadata"]
    world.kubectl.delete("replicasets.apps", "default", before["name"])
    world.run()
    (after,) = world.replica_sets()
    assert after["metadata"]["name"] == before["name"] and after["metadata"]["uid"] != before["uid"] and len(world.active()) == 3


def test_orphaned_replica_sets_are_adopted_by_a_new_deployment(world):
    world.apply(DEPLOYMENT)
    world.run()
    pods = {pod["metadata"]["uid"] for pod in world.pods()}
    world.kubectl.delete("deployments.apps", "default", "web", propagation="Orphan")
    world.run()
    assert world.deployment() is None and "ownerReferences" not in world.replica_sets()[0]["metadata"]
    world.apply(DEPLOYMENT)
    world.run()
    assert {pod["metadata"]["uid"] for pod in world.pods()} == pods and len(world.replica_sets()) == 1


def test_a_hash_that_is_taken_is_avoided_with_another(world):
    world.apply(DEPLOYMENT)
    world.run()
    taken = world.replica_sets()[0]
    world.kubectl.delete("deployments.apps", "default", "web")
    world.run()
    world.kubectl.create("replicasets.apps", {
        "metadata": {"name": taken["metadata"]["name"], "namespace": "default"},
        "spec": {**taken["spec"], "replicas": 0, "selector": {"matchLabels": {"app": "other"}},
                 "template": replaced(taken["spec"]["template"], {("metadata", "labels"): {"app": "other"}})}})
    world.apply(DEPLOYMENT)
    world.run()
    assert world.deployment()["status"]["collisionCount"] == 1 and world.deployment()["status"]["readyReplicas"] == 3
    assert len(world.replica_sets()) == 2


def test_refused_pods_show_in_the_deployment(world):
    world.apply(DEPLOYMENT.replace("spec: {containers", "spec: {serviceAccountName: robot, containers"))
    world.run(5)
    found = conditions(world.deployment())
    assert (found["ReplicaFailure"]["status"], found["ReplicaFailure"]["reason"]) == ("True", "FailedCreate")
    world.kubectl.create("serviceaccounts", {"metadata": {"name": "robot", "namespace": "default"}})
    world.run(60)
    assert list(conditions(world.deployment())) == ["Available", "Progressing"]


def test_min_ready_seconds_hold_up_the_rollout(world):
    world.apply(DEPLOYMENT, replicas=2, minReadySeconds=10)
    world.run()
    world.set_image("nginx:1.28")
    world.run(8)
    assert sizes(world) == {"nginx:1.27": 2, "nginx:1.28": 1}
    world.run(30)
    assert sizes(world) == {"nginx:1.27": 0, "nginx:1.28": 2}


def test_without_a_deadline_there_is_no_progressing_condition(world):
    world.apply(DEPLOYMENT, progressDeadlineSeconds=2**31 - 1)
    world.run()
    assert list(conditions(world.deployment())) == ["Available"]


def test_a_settled_deployment_costs_nothing(world):
    world.apply(DEPLOYMENT)
    assert world.clock.run_until_idle()
    revision = world.store.revision
    again = world.restarted()
    again.run(3600)
    assert again.store.revision == revision and again.clock.next_due() is None


def test_restarted_in_mid_rollout_it_carries_on():
    world = World()
    world.apply(DEPLOYMENT, replicas=8)
    world.run()
    world.set_image("nginx:1.28")
    world.run(0.05)
    again = world.restarted()
    for pod in again.active():
        if not pod["spec"].get("nodeName"):
            again.clock.call_later(0, again._bind, ("default", pod["metadata"]["name"]))
        elif "podIP" not in pod["status"]:
            again.clock.call_later(0, again._run_pod, ("default", pod["metadata"]["name"]), pod["metadata"]["uid"])
    for pod in again.pods():
        if "deletionTimestamp" in pod["metadata"]:
            again.clock.call_later(0, again._end, ("default", pod["metadata"]["name"]), pod["metadata"]["uid"])
    again.run(60)
    assert sizes(again) == {"nginx:1.27": 0, "nginx:1.28": 8} and again.deployment()["status"]["readyReplicas"] == 8


def test_the_counts_stay_as_they_were_until_the_new_replica_set_exists(world):
    world.apply(DEPLOYMENT)
    world.run()
    seen = []
    world.api.watch("deployments.apps", lambda event: seen.append(event.object))
    world.set_image("nginx:1.28")
    world.run(0.006)
    said = [(entry["status"]["observedGeneration"], entry["status"]["updatedReplicas"]) for entry in seen]
    assert said == [(1, 3), (1, 3)] and conditions(seen[-1])["Progressing"]["reason"] == "NewReplicaSetCreated"
    world.run(0.01)
    assert seen[-1]["status"]["observedGeneration"] == 2
