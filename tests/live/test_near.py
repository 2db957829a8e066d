"""What one who is near to a pod is told of it: containers of every sort, probes with their last answers, and never more pods than a view has."""

from __future__ import annotations

import orjson
import pytest

from server.cluster.cluster import Cluster
from server.live.near import MAX_PODS, near

SPEC = {
    "initContainers": [
        {"name": "first", "image": "busybox", "command": ["true"]},
        {"name": "helper", "image": "busybox", "command": ["sleep", "9999"], "restartPolicy": "Always"},
    ],
    "containers": [{
        "name": "web", "image": "nginx", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}],
        "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 10, "failureThreshold": 30},
        "startupProbe": {"exec": {"command": ["true"]}},
    }],
    "volumes": [{"name": "data", "emptyDir": {}}],
}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=1)


def create(cluster: Cluster, name: str, spec: dict) -> None:
    cluster.client().create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def told(cluster: Cluster, name: str) -> dict:
    return orjson.loads(orjson.dumps(near(cluster, [f"Pod/default/{name}"])))[f"Pod/default/{name}"]


def test_every_container_is_told_with_its_sort_state_and_what_it_has(cluster):
    create(cluster, "web", SPEC)
    cluster.clock.run_for(60)
    first, helper, web = told(cluster, "web")["containers"]
    assert (first["kind"], first["state"], first["reason"]) == ("init", "terminated", "Completed")
    assert (helper["kind"], helper["state"]) == ("sidecar", "running")
    assert (web["kind"], web["state"], web["ready"], web["env"]) == ("container", "running", True, 2)
    assert web["ports"] == ["http:80", "53/UDP"] and web["mounts"] == ["/data ← data (ro)"]
    assert web["requests"] == {"cpu": 250, "memory": 64 << 20} and web["limits"] == {"memory": 128 << 20}
    assert told(cluster, "web")["volumes"] == ["data: emptyDir"]


def test_probes_tell_their_last_answer_and_how_often_they_failed(cluster):
    create(cluster, "web", SPEC)
    cluster.clock.run_for(60)
    probes = {probe["kind"]: probe for probe in told(cluster, "web")["containers"][2]["probes"]}
    assert probes["startup"]["ok"] is True and probes["readiness"]["ok"] is True
    assert probes["liveness"]["ok"] is False and probes["liveness"]["of"] == 30
    before = probes["liveness"]["failures"]
    cluster.clock.run_for(10)
    again = {probe["kind"]: probe for probe in told(cluster, "web")["containers"][2]["probes"]}
    assert again["liveness"]["failures"] == before + 1 >= 2


def test_a_probe_that_has_not_been_asked_has_no_answer(cluster):
    container = {"name": "c", "image": "nginx", "livenessProbe": {"tcpSocket": {"port": 80}, "initialDelaySeconds": 600}}
    create(cluster, "slow", {"containers": [container]})
    cluster.clock.run_for(60)
    assert told(cluster, "slow")["containers"][0]["probes"][0]["ok"] is None


def test_a_pod_without_a_node_is_told_and_what_is_not_there_is_left_out(cluster):
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "64"}}, "readinessProbe": {"tcpSocket": {"port": 1}}}
    create(cluster, "big", {"containers": [container]})
    cluster.clock.run_for(5)
    assert told(cluster, "big")["containers"][0]["probes"][0]["ok"] is None
    assert near(cluster, ["Pod/default/none", "Node//m-k8s", "Pod", ""]) == {}


def test_no_more_pods_are_told_than_a_view_has(cluster):
    for number in range(MAX_PODS + 5):
        create(cluster, f"p{number}", {"containers": [{"name": "c", "image": "nginx"}]})
    assert len(near(cluster, (f"Pod/default/p{number}" for number in range(MAX_PODS + 5)))) == MAX_PODS
