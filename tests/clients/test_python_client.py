"""The official Python client, which checks that every field the API calls required is there."""

from __future__ import annotations

import pytest
import yaml
from kubernetes import client, config, dynamic, watch

pytestmark = pytest.mark.clients
PATIENCE = 60


@pytest.fixture
def api(room):
    loaded = config.new_client_from_config_dict(yaml.safe_load(room.kubeconfig()))
    yield loaded
    loaded.close()


def deployment(name: str = "web", replicas: int = 2) -> client.V1Deployment:
    labels = {"app": name}
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1DeploymentSpec(
            replicas=replicas, selector=client.V1LabelSelector(match_labels=labels),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels),
                spec=client.V1PodSpec(containers=[client.V1Container(name="web", image="nginx")]))))


def test_it_creates_watches_and_deletes(api):
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    made = apps.create_namespaced_deployment("default", deployment())
    assert made.metadata.uid and made.spec.strategy.type == "RollingUpdate"

    ready = set()
    for event in watch.Watch().stream(core.list_namespaced_pod, "default", label_selector="app=web", timeout_seconds=PATIENCE):
        conditions = {entry.type: entry.status for entry in event["object"].status.conditions or ()}
        if conditions.get("Ready") == "True":
            ready.add(event["object"].metadata.name)
        if len(ready) == 2:
            break
    assert len(ready) == 2

    apps.delete_namespaced_deployment("web", "default", propagation_policy="Foreground")
    gone = set()
    for event in watch.Watch().stream(core.list_namespaced_pod, "default", label_selector="app=web", timeout_seconds=PATIENCE):
        if event["type"] == "DELETED":
            gone.add(event["object"].metadata.name)
        if gone == ready:
            break
    assert gone == ready
    assert core.list_namespaced_pod("default").items == []


def test_it_reads_every_kind(api):
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    apps.create_namespaced_deployment("default", deployment())
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="settings"), data={"a": "1"}))
    core.create_namespaced_secret("default", client.V1Secret(metadata=client.V1ObjectMeta(name="hidden"), string_data={"a": "1"}))
    assert [node.metadata.name for node in core.list_node().items] == ["m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"]
    assert {space.metadata.name for space in core.list_namespace().items} >= {"default", "kube-system"}
    assert core.read_namespaced_service("kubernetes", "default").spec.cluster_ip == "10.96.0.1"
    assert core.read_namespaced_secret("hidden", "default").data == {"a": "MQ=="}
    assert core.list_pod_for_all_namespaces(limit=1).metadata._continue
    assert client.CoordinationV1Api(api).list_namespaced_lease("kube-node-lease").items
    assert client.DiscoveryV1Api(api).list_namespaced_endpoint_slice("default").items
    for listed in (core.list_event_for_all_namespaces, core.list_endpoints_for_all_namespaces, core.list_service_account_for_all_namespaces,
                   apps.list_replica_set_for_all_namespaces, apps.list_deployment_for_all_namespaces):
        assert listed().metadata.resource_version
    assert client.VersionApi(api).get_code().git_version == "v1.36.2"
    assert "apps" in {group.name for group in client.ApisApi(api).get_api_versions().groups}
    assert "pods" in {resource.name for resource in core.get_api_resources().resources}


def test_it_scales_patches_and_is_told_of_conflicts(api):
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment("default", deployment())
    assert apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 3}}).spec.replicas == 3
    patched = apps.patch_namespaced_deployment("web", "default", {"metadata": {"labels": {"tier": "front"}}})
    assert patched.spec.replicas == 3 and patched.metadata.labels == {"tier": "front"}
    apps.patch_namespaced_deployment("web", "default", {"metadata": {"labels": {"tier": "back"}}})
    with pytest.raises(client.ApiException) as refused:
        apps.replace_namespaced_deployment("web", "default", patched)
    assert refused.value.status == 409 and "the object has been modified" in refused.value.body
    with pytest.raises(client.ApiException) as missing:
        apps.read_namespaced_deployment("nosuch", "default")
    assert missing.value.status == 404


def test_it_reads_logs(api, room):
    core = client.CoreV1Api(api)
    container = client.V1Container(name="c", image="busybox", command=["sh", "-c", "echo hello"])
    core.create_namespaced_pod("default", client.V1Pod(
        metadata=client.V1ObjectMeta(name="once"), spec=client.V1PodSpec(restart_policy="Never", containers=[container])))
    room.advance(30)
    assert core.read_namespaced_pod("once", "default").status.phase == "Succeeded"
    assert core.read_namespaced_pod_log("once", "default") == "hello\n"


def test_its_dynamic_client_discovers_what_is_served(api):
    found = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    made = found.create(body={"metadata": {"name": "settings"}, "data": {"a": "1"}}, namespace="default")
    assert made.data.a == "1"
    assert [item.metadata.name for item in found.get(namespace="default", label_selector="nosuch=x").items] == []
