"""Lists that Kubernetes leaves to the size of a request end somewhere here, in words; what real ones run out of runs out as there."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError


@pytest.fixture(scope="module")
def client():
    return Cluster(seed=1).client()


def pod(name, **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "nginx"}], **spec}}


def container(**more):
    return [{"name": "c", "image": "nginx", **more}]


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
FAR_TOO_MUCH = {
    "spec.containers": (256, pod("x", containers=[{"name": f"c{n}", "image": "nginx"} for n in range(257)])),
    "spec.initContainers": (256, pod("x", initContainers=[{"name": f"i{n}", "image": "nginx"} for n in range(257)])),
    "spec.volumes": (256, pod("x", volumes=[{"name": f"v{n}", "emptyDir": {}} for n in range(257)])),
    "spec.tolerations": (1000, pod("x", tolerations=[{"key": f"k{n}", "operator": "Exists"} for n in range(1001)])),
    "spec.topologySpreadConstraints": (100, pod("x", topologySpreadConstraints=[
        {"maxSkew": 1, "topologyKey": f"k{n}", "whenUnsatisfiable": "DoNotSchedule"} for n in range(101)])),
    "spec.nodeSelector": (1000, pod("x", nodeSelector={f"k{n}": "v" for n in range(1001)})),
    "spec.containers[0].env": (5000, pod("x", containers=container(env=[{"name": f"e{n}"} for n in range(5001)]))),
    "spec.containers[0].ports": (1000, pod("x", containers=container(ports=[{"containerPort": n + 1} for n in range(1001)]))),
    f"spec.affinity.podAntiAffinity.{REQUIRED}": (100, pod("x", affinity={"podAntiAffinity": {REQUIRED: [
        {"topologyKey": "k", "labelSelector": {}} for _ in range(101)]}})),
    f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms": (1000, pod("x", affinity={"nodeAffinity": {REQUIRED: {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]} for _ in range(1001)]}}})),
    "metadata.labels": (1000, {**pod("x"), "metadata": {"name": "x", "namespace": "default", "labels": {f"k{n}": "v" for n in range(1001)}}}),
}


@pytest.mark.parametrize("field", FAR_TOO_MUCH)
def test_a_pod_of_far_too_much_is_refused_before_anything_looks_at_it(client, field):
    most, obj = FAR_TOO_MUCH[field]
    with pytest.raises(ApiError) as refused:
        client.create("pods", obj)
    assert refused.value.message == f'Pod "x" is invalid: {field}: Too many: {most + 1}: must have at most {most} items'


def test_a_template_has_the_same_bounds_and_a_set_one_of_its_claims(client):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("x", volumes=[{"name": f"v{n}", "emptyDir": {}} for n in range(257)])["spec"]}
    workload = {"metadata": {"name": "w", "namespace": "default"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
    with pytest.raises(ApiError, match=r"spec\.template\.spec\.volumes: Too many: 257: must have at most 256 items"):
        client.create("deployments.apps", workload)
    claims = [{"metadata": {"name": f"v{n}"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
              for n in range(65)]
    workload["spec"] |= {"template": {**template, "spec": pod("x")["spec"]}, "volumeClaimTemplates": claims}
    with pytest.raises(ApiError, match=r"spec\.volumeClaimTemplates: Too many: 65: must have at most 64 items"):
        client.create("statefulsets.apps", workload)


def test_ephemeral_containers_are_bounded_as_well(client):
    client.create("pods", pod("host"))
    added = {"spec": {"ephemeralContainers": [{"name": f"e{n}", "image": "busybox"} for n in range(257)]}}
    with pytest.raises(ApiError, match=r"spec\.ephemeralContainers: Too many: 257: must have at most 256 items"):
        client.patch("pods", "default", "host", added, "strategic", "ephemeralcontainers")


def test_when_the_node_ports_are_used_up_a_service_is_told_so_and_takes_none(client):
    def service(name, count):
        ports = [{"name": f"p{number}", "port": number + 1} for number in range(count)]
        return {"metadata": {"name": name, "namespace": "default"}, "spec": {"type": "NodePort", "ports": ports}}

    with pytest.raises(ApiError) as refused:
        client.create("services", service("greedy", 2769))
    assert (refused.value.code, refused.value.message) == (500, "Internal error occurred: failed to allocate a nodePort: range is full")
    made = client.create("services", service("full", 2768))
    assert len({port["nodePort"] for port in made["spec"]["ports"]}) == 2768
    with pytest.raises(ApiError, match="range is full"):
        client.create("services", service("late", 1))
    client.delete("services", "default", "full")
    assert client.create("services", service("late", 1))["spec"]["ports"][0]["nodePort"]
