"""The controllers among the other parts of a whole cluster: scheduler, kubelets, network."""

from __future__ import annotations

import yaml
from controllers_world import DEPLOYMENT, SERVICE, conditions

from server.cluster.cluster import Cluster
from server.cluster.objects import replaced


def a_cluster(**spec) -> Cluster:
    cluster = Cluster(seed=1)
    kubectl = cluster.client("kubectl")
    deployment = yaml.safe_load(DEPLOYMENT)
    kubectl.create("deployments.apps", {**deployment, "spec": {**deployment["spec"], **spec}})
    kubectl.create("services", yaml.safe_load(SERVICE))
    cluster.clock.run_for(60)
    return cluster


def ready(cluster: Cluster) -> int:
    return cluster.api.lister("deployments.apps").get("default", "web")["status"].get("readyReplicas", 0)


def endpoints(cluster: Cluster) -> dict[str, bool]:
    return {endpoint["targetRef"]["name"]: endpoint["conditions"]["ready"]
            for entry in cluster.api.lister("endpointslices.discovery.k8s.io").list("default")
            if entry["metadata"]["labels"]["kubernetes.io/service-name"] == "web" for endpoint in entry["endpoints"]}


def test_a_deployment_becomes_ready_and_its_service_finds_it():
    cluster = a_cluster()
    assert ready(cluster) == 3 and list(endpoints(cluster).values()) == [True] * 3


def test_a_bad_tag_stops_a_rollout_and_an_undo_mends_it():
    cluster = a_cluster(replicas=2)
    kubectl, lister = cluster.client("kubectl"), cluster.api.lister("deployments.apps")
    for image, updated in (("nginx:1.200", 1), ("nginx:1.27", 2)):
        containers = [{**lister.get("default", "web")["spec"]["template"]["spec"]["containers"][0], "image": image}]
        kubectl.update("deployments.apps", replaced(lister.get("default", "web"), {("spec", "template", "spec", "containers"): containers}))
        cluster.clock.run_for(60)
        assert ready(cluster) == 2 and lister.get("default", "web")["status"]["updatedReplicas"] == updated
    assert lister.get("default", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_a_node_without_power_loses_its_pods_and_gets_work_again_when_it_is_back():
    cluster = a_cluster(replicas=6)
    cluster.kubelets.power_off("w3-k8s")
    cluster.clock.run_for(55)
    node = cluster.api.lister("nodes").get("", "w3-k8s")
    assert conditions(node)["Ready"]["status"] == "Unknown" and ready(cluster) == 4
    assert sorted(endpoints(cluster).values()) == [False] * 2 + [True] * 4
    cluster.clock.run_for(330)
    assert ready(cluster) == 6
    cluster.kubelets.power_on("w3-k8s")
    cluster.clock.run_for(120)
    node = cluster.api.lister("nodes").get("", "w3-k8s")
    assert conditions(node)["Ready"]["status"] == "True" and not node["spec"].get("taints")
    assert len(cluster.api.lister("pods").list("default")) == 6


def test_every_write_of_a_rollout_leads_back_to_the_person_who_asked():
    cluster = a_cluster()
    pods = [event for event in cluster.store.since(0, "pods")
            if event.type == "ADDED" and event.object["metadata"]["namespace"] == "default"]
    assert len(pods) == 3
    for event in pods:
        trail = [event]
        while trail[-1].cause.because is not None:
            trail.append(cluster.store.event_at(trail[-1].cause.because))
        assert [(step.resource, step.cause.client) for step in trail] == [
            ("pods", "replicaset-controller"), ("replicasets.apps", "deployment-controller"), ("deployments.apps", "kubectl")]
