from __future__ import annotations

from controllers_world import DEPLOYMENT, SERVICE, World, conditions

IN_DEV = "namespace: dev"


def dev(world: World) -> None:
    world.kubectl.create("namespaces", {"metadata": {"name": "dev"}})
    world.run(1)
    world.apply(DEPLOYMENT.replace("namespace: default", IN_DEV))
    world.apply(SERVICE.replace("namespace: default", IN_DEV))
    world.run()


def test_every_namespace_gets_its_service_account_and_root_certificate(world):
    for namespace in ("default", "kube-system"):
        assert world.get("serviceaccounts", "default", namespace) is not None
        config_map = world.get("configmaps", "kube-root-ca.crt", namespace)
        assert config_map["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----\n")
        assert config_map["metadata"]["annotations"]["kubernetes.io/description"].startswith("Contains a CA bundle")


def test_they_come_back_when_deleted_or_changed(world):
    world.kubectl.delete("serviceaccounts", "default", "default")
    world.kubectl.delete("configmaps", "default", "kube-root-ca.crt")
    world.run(1)
    assert world.get("serviceaccounts", "default") is not None and world.get("configmaps", "kube-root-ca.crt") is not None
    world.patch("configmaps", "kube-root-ca.crt", {"data": {"ca.crt": "mine"}})
    world.run(1)
    assert world.get("configmaps", "kube-root-ca.crt")["data"]["ca.crt"].startswith("-----BEGIN")


def test_a_deleted_namespace_goes_with_everything_in_it(world):
    dev(world)
    world.kubectl.delete("namespaces", "", "dev")
    assert world.get("namespaces", "dev", "")["status"]["phase"] == "Terminating"
    world.run(4)
    assert len(world.active("dev")) == 3
    world.run(1.5)
    assert world.active("dev") == [] and len(world.pods("dev")) == 3
    world.run(60)
    assert world.get("namespaces", "dev", "") is None
    assert all(not world.api.lister(resource).list("dev") for resource in world.api._listers)


def test_pods_go_first_and_the_conditions_say_what_remains(world):
    dev(world)
    world.kubectl.delete("namespaces", "", "dev")
    world.run(5.5)
    found = conditions(world.get("namespaces", "dev", ""))
    assert list(found) == ["NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure",
                           "NamespaceDeletionContentFailure", "NamespaceContentRemaining", "NamespaceFinalizersRemaining"]
    remaining = found["NamespaceContentRemaining"]
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert remaining["message"].startswith("Some resources are remaining: configmaps. has 1 resource instances, deployments.apps has 1 ")
    assert found["NamespaceFinalizersRemaining"]["message"] == "All content-preserving finalizers finished"


def test_a_finalizer_inside_holds_the_namespace_and_is_named(world):
    dev(world)
    world.kubectl.create("configmaps", {"metadata": {"name": "held", "namespace": "dev", "finalizers": ["example.com/hold"]}})
    world.kubectl.delete("namespaces", "", "dev")
    world.run(120)
    found = conditions(world.get("namespaces", "dev", ""))
    assert found["NamespaceFinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances")
    world.patch("configmaps", "held", {"metadata": {"finalizers": None}}, "dev")
    world.run(60)
    assert world.get("namespaces", "dev", "") is None


def test_a_dying_namespace_gets_no_new_pods_and_no_complaints(world):
    dev(world)
    world.kubectl.delete("namespaces", "", "dev")
    for pod in world.pods("dev"):
        world.kubectl.delete("pods", "dev", pod["metadata"]["name"])
    world.run(4)
    assert world.pods("dev") == [] and world.messages("ReplicaSet", reason="FailedCreate") == []


def test_an_idle_cluster_schedules_nothing(world):
    assert world.clock.run_until_idle() and world.clock.next_due() is None
