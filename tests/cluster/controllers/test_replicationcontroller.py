"""ReplicationControllers: the ReplicaSet's mechanism with a plain selector, which may change."""

from __future__ import annotations

import pytest
import yaml
from controllers_world import World, conditions

from server.cluster.errors import ApiError
from server.cluster.objects import labels, name, owners

REPLICATION_CONTROLLER = """
apiVersion: v1
kind: ReplicationController
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
"""


def create(world: World, **spec) -> dict:
    manifest = yaml.safe_load(REPLICATION_CONTROLLER)
    return world.kubectl.create("replicationcontrollers", {**manifest, "spec": {**manifest["spec"], **spec}})


def controller(world: World) -> dict:
    return world.get("replicationcontrollers", "web")


def test_selector_and_labels_default_to_the_templates(world):
    made = create(world)
    assert made["spec"]["selector"] == {"app": "web"} and labels(made) == {"app": "web"}
    assert made["status"] == {"replicas": 0}


def test_as_many_pods_as_asked_for_with_its_own_events(world):
    create(world)
    world.run()
    assert len(world.active()) == 3
    assert {(owners(pod)[0]["kind"], owners(pod)[0]["apiVersion"]) for pod in world.active()} == {("ReplicationController", "v1")}
    assert controller(world)["status"] == {"replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
                                           "observedGeneration": 1}
    assert sorted(world.messages("ReplicationController", "web", "SuccessfulCreate")) == sorted(
        f"Created pod: {name(pod)}" for pod in world.active())
    event = next(entry for entry in world.api.lister("events").list() if entry["involvedObject"]["kind"] == "ReplicationController")
    assert event["source"]["component"] == "replication-controller"


def test_the_scale_subresource_has_the_selector_as_text_and_changes_the_size(world):
    create(world)
    world.run()
    scale = world.kubectl.patch("replicationcontrollers", "default", "web", {"spec": {"replicas": 1}}, subresource="scale")
    assert scale["status"] == {"replicas": 3, "selector": "app=web"}
    world.run()
    assert len(world.active()) == 1


def test_deleted_and_relabelled_pods_are_replaced(world):
    create(world)
    world.run()
    one, other, _ = (name(pod) for pod in world.active())
    world.kubectl.delete("pods", "default", one)
    world.patch("pods", other, {"metadata": {"labels": {"app": "x"}}})
    world.run()
    assert len([pod for pod in world.active() if labels(pod)["app"] == "web"]) == 3
    assert not owners(world.pod(other))


def test_a_change_of_the_selector_lets_pods_go_and_takes_others(world):
    create(world, replicas=1)
    world.run()
    old = name(world.active()[0])
    world.patch("replicationcontrollers", "web", {"spec": {"selector": {"app": "db"}, "template": {"metadata": {"labels": {"app": "db"}}}}})
    world.run()
    assert not owners(world.pod(old))
    assert [labels(pod)["app"] for pod in world.active() if owners(pod)] == ["db"]


def test_a_replica_set_and_a_replication_controller_never_share_a_pod(world):
    create(world, replicas=2)
    world.run()
    world.kubectl.create("replicasets.apps", {"metadata": {"name": "set", "namespace": "default"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": controller(world)["spec"]["template"]}})
    world.run()
    kinds = sorted(owners(pod)[0]["kind"] for pod in world.active())
    assert kinds == ["ReplicaSet", "ReplicaSet", "ReplicationController", "ReplicationController"]


def test_orphans_are_adopted_and_deleting_it_deletes_its_pods(world):
    create(world)
    world.run()
    before = sorted(name(pod) for pod in world.active())
    world.kubectl.delete("replicationcontrollers", "default", "web", propagation="Orphan")
    world.run()
    create(world)
    world.run()
    assert sorted(name(pod) for pod in world.active()) == before
    world.kubectl.delete("replicationcontrollers", "default", "web", propagation="Background")
    world.run()
    assert world.active() == []


def test_refused_pods_are_a_condition(world):
    create(world, template={"metadata": {"labels": {"app": "web"}},
                            "spec": {"serviceAccountName": "missing", "containers": [{"name": "c", "image": "nginx"}]}})
    world.run(5)
    failure = conditions(controller(world))["ReplicaFailure"]
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")


@pytest.mark.parametrize("spec, messages", [
    ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    ({"selector": {"app": "x"}}, ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ({"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}},
     ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
])
def test_what_cannot_be_is_refused(world, spec, messages):
    with pytest.raises(ApiError) as caught:
        create(world, **spec)
    assert [f"{cause['field']}: {cause['message']}" for cause in caught.value.details["causes"]] == messages


def test_without_a_template_the_selector_and_the_template_are_required(world):
    with pytest.raises(ApiError) as caught:
        world.kubectl.create("replicationcontrollers", {"metadata": {"name": "web", "namespace": "default"}, "spec": {}})
    assert [cause["field"] for cause in caught.value.details["causes"]] == ["spec.selector", "spec.template"]


def test_a_pod_template_is_defaulted_validated_and_counts_its_generations(world):
    made = world.kubectl.create("podtemplates", {"metadata": {"name": "t", "namespace": "default"}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}})
    assert made["template"]["spec"]["restartPolicy"] == "Always" and made["metadata"]["generation"] == 1
    changed = world.patch("podtemplates", "t", {"template": {"metadata": {"labels": {"app": "db"}}}})
    assert changed["metadata"]["generation"] == 2
    with pytest.raises(ApiError) as caught:
        world.kubectl.create("podtemplates", {"metadata": {"name": "u", "namespace": "default"}, "template": {"spec": {"containers": []}}})
    assert [cause["field"] for cause in caught.value.details["causes"]] == ["template.spec.containers"]
