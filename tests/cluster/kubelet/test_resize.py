"""In-place resize through pods/resize."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError

RESOURCES = {"requests": {"cpu": "500m", "memory": "100Mi"}, "limits": {"cpu": "1", "memory": "200Mi"}}
SERVER = {"image": "nginx", "resources": RESOURCES}


def resize(bench, name, resources, container="c"):
    patch = {"spec": {"containers": [{"name": container, "resources": resources}]}}
    return bench.kubectl.patch("pods", "default", name, patch, "strategic", "resize")


def kinds(bench, name):
    return {entry["type"]: entry for entry in bench.status(name)["conditions"] if entry["type"].startswith("PodResize")}


def test_cpu_changes_without_a_restart_and_the_status_follows(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    id_ = bench.container("web")["containerID"]
    answer = resize(bench, "web", {"requests": {"cpu": "800m"}})
    assert answer["metadata"]["generation"] == 2 and answer["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "800m"
    bench.run(0.02)
    assert kinds(bench, "web")["PodResizeInProgress"]["observedGeneration"] == 2
    assert bench.container("web")["allocatedResources"]["cpu"] == "800m" and bench.container("web")["resources"]["requests"]["cpu"] == "500m"
    bench.run(2)
    status = bench.container("web")
    assert status["containerID"] == id_ and status["restartCount"] == 0
    assert status["resources"]["requests"] == {"cpu": "800m", "memory": "100Mi"} and not kinds(bench, "web")
    said = ('{"containers":[{"name":"c","resources":{"limits":{"cpu":"1","memory":"200Mi"},"requests":{"cpu":"800m","memory":"100Mi"}}}],'
            '"generation":2}')
    assert ("ResizeStarted", f"Pod resize started: {said}") in bench.events("web")
    assert ("ResizeCompleted", f"Pod resize completed: {said}") in bench.events("web")
    assert bench.cluster.kubelets.nodes["w1-k8s"].used[0] == 800
    assert bench.status("web")["observedGeneration"] == 2


def test_a_policy_of_restart_restarts_the_container_for_what_it_names(bench):
    bench.pod("web", {**SERVER, "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]})
    bench.run(10)
    resize(bench, "web", {"requests": {"cpu": "600m"}})
    bench.run(3)
    assert bench.container("web")["restartCount"] == 0
    resize(bench, "web", {"limits": {"memory": "300Mi"}})
    bench.run(5)
    assert bench.container("web")["restartCount"] == 1 and bench.container("web")["resources"]["limits"]["memory"] == "300Mi"
    assert ("Killing", "Container c resize requires restart") in bench.events("web") and not kinds(bench, "web")
    assert not any(reason == "BackOff" for reason, _ in bench.events("web"))


def test_what_the_node_can_never_give_is_infeasible(bench):
    bench.pod("web", {"image": "nginx", "resources": {"requests": {"cpu": "100m"}}})
    bench.run(10)
    resize(bench, "web", {"requests": {"cpu": "1000"}})
    bench.run(1)
    pending = kinds(bench, "web")["PodResizePending"]
    capacity = bench.cluster.kubelets.nodes["w1-k8s"].allocatable[0]
    message = f"Node didn't have enough capacity: cpu, requested: 1000000, capacity: {capacity}"
    assert (pending["reason"], pending["status"], pending["message"]) == ("Infeasible", "True", message)
    assert bench.container("web")["allocatedResources"] == {"cpu": "100m"}
    assert ("ResizeInfeasible", 'Pod resize Infeasible: {"containers":[{"name":"c","resources":{"requests":{"cpu":"1k"}}}],"generation":2,'
            f'"error":"{message}"}}') in bench.events("web")
    resize(bench, "web", {"requests": {"cpu": "100m"}})
    bench.run(1)
    assert not kinds(bench, "web")


def test_what_the_node_cannot_give_now_is_deferred_until_a_pod_goes(bench):
    capacity = bench.cluster.kubelets.nodes["w1-k8s"].allocatable[0]
    bench.pod("other", {"image": "nginx", "resources": {"requests": {"cpu": f"{capacity - 400}m"}}})
    bench.pod("web", {"image": "nginx", "resources": {"requests": {"cpu": "200m"}}})
    bench.run(15)
    resize(bench, "web", {"requests": {"cpu": "900m"}})
    bench.run(1)
    pending = kinds(bench, "web")["PodResizePending"]
    assert pending["reason"] == "Deferred" and pending["message"].startswith("Node didn't have enough resource: cpu, requested: 900, used: ")
    bench.cluster = Cluster.restore(bench.cluster.snapshot())
    bench.kubectl = bench.cluster.client()
    bench.kubectl.delete("pods", "default", "other")
    bench.run(5)
    assert not kinds(bench, "web") and bench.container("web")["resources"]["requests"]["cpu"] == "900m"


def test_a_resize_survives_a_restart_of_the_process_at_any_moment(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    resize(bench, "web", {"requests": {"cpu": "700m"}})
    for moment in (0.0, 0.005, 0.02, 0.5, 2.0):
        bench.run(moment)
        bench.cluster = Cluster.restore(bench.cluster.snapshot())
        bench.kubectl = bench.cluster.client()
    bench.run(3)
    assert bench.container("web")["resources"]["requests"]["cpu"] == "700m" and not kinds(bench, "web")
    assert bench.cluster.kubelets.nodes["w1-k8s"].used[0] == 700
    completed = [message for reason, message in bench.events("web") if reason == "ResizeCompleted"]
    assert len(completed) == 1


def test_memory_that_is_in_use_is_not_taken_away(bench):
    bench.pod("big", {"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "150M", "--vm-hang", "1"],
                      "resources": {"limits": {"memory": "400Mi"}, "requests": {"memory": "50Mi"}}})
    bench.run(20)
    resize(bench, "big", {"limits": {"memory": "100Mi"}})
    bench.run(3)
    progress = kinds(bench, "big")["PodResizeInProgress"]
    assert progress["reason"] == "Error" and "below current usage" in progress["message"]
    assert bench.container("big")["resources"]["limits"]["memory"] == "400Mi" and bench.container("big")["restartCount"] == 0


@pytest.mark.parametrize(("resources", "message"), [
    ({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}, None),
    ({"limits": {"cpu": None}}, "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"),
    ({"requests": {"cpu": "2"}}, 'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'),
    ({"limits": {"ephemeral-storage": "1Gi"}}, "spec: Forbidden: only cpu and memory resources are mutable"),
])
def test_what_may_be_asked_for(bench, resources, message):
    bench.pod("web", SERVER)
    bench.run(10)
    if message is None:
        resize(bench, "web", resources)
        return
    with pytest.raises(ApiError) as caught:
        resize(bench, "web", resources)
    assert message in caught.value.message


def test_a_request_cannot_be_removed(bench):
    bench.pod("web", {"image": "nginx", "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}}})
    bench.run(10)
    with pytest.raises(ApiError) as caught:
        resize(bench, "web", {"requests": {"cpu": None}})
    assert "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed" in caught.value.message


def test_the_quality_of_service_may_not_change(bench):
    bench.pod("web", {"image": "nginx"})
    bench.run(10)
    with pytest.raises(ApiError) as caught:
        resize(bench, "web", {"requests": {"memory": "40Mi"}})
    assert caught.value.message == ('Pod "web" is invalid: spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of '
                                    "resizing")


def test_containers_may_not_be_renamed_and_nothing_else_is_touched(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    pod = bench.get("web")
    renamed = {**pod, "spec": {**pod["spec"], "containers": [{**pod["spec"]["containers"][0], "name": "x"}]}}
    with pytest.raises(ApiError) as caught:
        bench.kubectl.update("pods", renamed, "resize")
    assert "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize" in caught.value.message
    other = {**pod, "spec": {**pod["spec"], "containers": [{**pod["spec"]["containers"][0], "image": "httpd"}]}}
    bench.kubectl.update("pods", other, "resize")
    assert bench.get("web")["spec"]["containers"][0]["image"] == "nginx"


def test_the_resources_of_a_whole_pod_can_be_resized(bench):
    bench.pod("web", {"image": "nginx"}, resources={"requests": {"cpu": "200m"}, "limits": {"cpu": "400m"}})
    bench.run(10)
    assert bench.status("web")["qosClass"] == "Burstable" and bench.status("web")["allocatedResources"] == {"cpu": "200m"}
    bench.kubectl.patch("pods", "default", "web", {"spec": {"resources": {"requests": {"cpu": "300m"}}}}, "strategic", "resize")
    bench.run(3)
    assert bench.status("web")["allocatedResources"] == {"cpu": "300m"} and bench.cluster.kubelets.nodes["w1-k8s"].used[0] == 300


def test_the_scheduler_counts_the_most_of_what_is_asked_and_what_is_held(bench):
    def counted():
        return bench.cluster.scheduler.snapshot.nodes["w1-k8s"].used_cpu

    bench.pod("web", SERVER)
    bench.run(10)
    assert counted() == 500
    resize(bench, "web", {"requests": {"cpu": "200m"}})
    assert counted() == 500
    bench.run(3)
    assert counted() == 200
    resize(bench, "web", {"requests": {"cpu": "900m"}})
    assert counted() == 900
    bench.run(3)
    resize(bench, "web", {"requests": {"cpu": "1000"}, "limits": {"cpu": "1000"}})
    bench.run(1)
    assert kinds(bench, "web")["PodResizePending"]["reason"] == "Infeasible" and counted() == 900
