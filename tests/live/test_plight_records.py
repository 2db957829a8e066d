"""What records tell for the page to say what is wrong: the exit of a crash, a lost node's time left, what a pod reads, how bounds round."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.cluster.cluster import Cluster
from server.live.scene import Scene

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cluster():
    return Cluster(3, EPOCH)


def things(cluster):
    scene = Scene(cluster)
    while scene.behind:
        scene.flush()
    scene.close()
    return scene.things


def pod(name, labels=None, container=None, **spec):
    return {"metadata": {"name": name, "namespace": "default", "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "image": "nginx", **(container or {})}], **spec}}


def service(name, spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"port": 80}], **spec}}


def test_a_crash_tells_its_exit_code_and_reason(cluster):
    cluster.client("test").create("pods", pod("p", container={"image": "busybox", "command": ["sh", "-c", "exit 3"]}))
    cluster.clock.run_for(30)
    container = things(cluster)["Pod/default/p"]["containers"][0]
    assert (container["exit"], container["ended"]) == (3, "Error")


def test_a_lost_node_tells_since_when_and_when_the_first_of_its_pods_is_evicted(cluster):
    cluster.client("test").create("pods", pod("patient", nodeName="w1-k8s", tolerations=[
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]))
    cluster.clock.run_for(20)
    assert not {"since", "leave"} & things(cluster)["Node//w1-k8s"].keys()
    cluster.chaos.inject("power", "w1-k8s", "test")
    cluster.clock.run_for(70)
    node = things(cluster)["Node//w1-k8s"]
    assert node["ready"] == "Unknown" and 40 <= node["since"] - 20 <= 60
    assert node["leave"] == pytest.approx(node["since"] + 60, abs=10)
    cluster.client("test").delete("pods", "default", "patient", grace_period=0)
    cluster.clock.run_for(1)
    later = things(cluster)["Node//w1-k8s"].get("leave")
    assert later is None or later == pytest.approx(node["since"] + 300, abs=10)


def test_a_service_whose_pods_have_no_address_yet_counts_them(cluster):
    client = cluster.client("test")
    client.create("services", service("s", {"selector": {"app": "a"}}))
    assert "matched" not in things(cluster)["Service/default/s"]
    client.create("pods", pod("p", {"app": "a"}, nodeSelector={"no": "node"}))
    cluster.clock.run_for(5)
    assert things(cluster)["Service/default/s"]["matched"] == 1


def test_headless_and_external_name_services_say_so(cluster):
    client = cluster.client("test")
    client.create("services", service("h", {"clusterIP": "None", "selector": {"app": "a"}}))
    client.create("services", service("e", {"type": "ExternalName", "externalName": "db.example.com"}))
    found = things(cluster)
    assert found["Service/default/h"]["headless"] is True
    assert found["Service/default/e"]["externalName"] == "db.example.com" and "headless" not in found["Service/default/e"]


def test_a_pod_names_every_config_map_and_secret_that_it_reads_once(cluster):
    client = cluster.client("test")
    client.create("pods", pod("p", container={
        "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}], "envFrom": [{"secretRef": {"name": "keys"}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, volumes=[{"name": "v", "configMap": {"name": "settings"}}]))
    assert things(cluster)["Pod/default/p"]["uses"] == ["ConfigMap/default/settings", "Secret/default/keys"]
    client.create("pods", pod("q"))
    assert "uses" not in things(cluster)["Pod/default/q"]


def test_a_deployment_tells_the_shares_that_its_bounds_were_rounded_from(cluster):
    def deployment(name, **strategy):
        labels = {"app": name}
        return {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "replicas": 6, "selector": {"matchLabels": labels}, **strategy,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}

    client = cluster.client("test")
    client.create("deployments.apps", deployment("share"))
    client.create("deployments.apps", deployment("whole", strategy={
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": "50%"}}))
    client.create("deployments.apps", deployment("anew", strategy={"type": "Recreate"}))
    found = things(cluster)
    share, whole, anew = (found[f"Deployment/default/{name}"] for name in ("share", "whole", "anew"))
    assert (share["surgeShare"], share["maxSurge"], share["unavailableShare"], share["maxUnavailable"]) == ("25%", 2, "25%", 1)
    assert "surgeShare" not in whole and whole["unavailableShare"] == "50%"
    assert not {"surgeShare", "unavailableShare"} & anew.keys()


def test_a_namespace_tells_its_labels_that_policies_choose_by(cluster):
    assert things(cluster)["Namespace//default"]["labels"]["kubernetes.io/metadata.name"] == "default"
