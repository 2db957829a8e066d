"""Containers that are put into a running pod to look into it."""

import pytest

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError

SERVER = {"image": "nginx", "ports": [{"containerPort": 80}]}
DEBUGGER = {"name": "debugger", "image": "busybox:1.36", "command": ["sleep", "100"], "targetContainerName": "c"}


def add(bench, name, *containers):
    return bench.kubectl.patch("pods", "default", name, {"spec": {"ephemeralContainers": list(containers)}}, "strategic", "ephemeralcontainers")


def test_an_ephemeral_container_runs_beside_the_others_and_ends_for_good(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    answer = add(bench, "web", DEBUGGER)
    assert answer["metadata"]["generation"] == 2 and answer["spec"]["ephemeralContainers"][0]["terminationMessagePolicy"] == "File"
    bench.run(5)
    status = bench.container("web", field="ephemeralContainerStatuses")
    assert status["name"] == "debugger" and "running" in status["state"] and status["ready"] is False and "started" not in status
    assert bench.status("web")["phase"] == "Running" and bench.conditions("web")["Ready"] == "True"
    paths = [event["involvedObject"].get("fieldPath") for event in bench.cluster.api.lister("events").list()]
    assert "spec.ephemeralContainers{debugger}" in paths
    bench.run(120)
    status = bench.container("web", field="ephemeralContainerStatuses")
    assert status["state"]["terminated"]["exitCode"] == 0 and status["restartCount"] == 0
    assert bench.conditions("web")["Ready"] == "True"


def test_it_goes_with_its_pod_and_survives_a_restart_of_the_process(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    add(bench, "web", DEBUGGER)
    for moment in (0.005, 0.5, 3.0):
        bench.run(moment)
        bench.cluster = Cluster.restore(bench.cluster.snapshot())
        bench.kubectl = bench.cluster.client()
    assert "running" in bench.container("web", field="ephemeralContainerStatuses")["state"]
    bench.kubectl.delete("pods", "default", "web")
    bench.run(35)
    assert bench.get("web") is None


def test_its_image_can_be_missing_without_harm_to_the_pod(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    add(bench, "web", {**DEBUGGER, "image": "nginx:1.200"})
    bench.run(30)
    assert bench.reason("web", field="ephemeralContainerStatuses") == "ImagePullBackOff"
    assert bench.status("web")["phase"] == "Running" and bench.conditions("web")["Ready"] == "True"


@pytest.mark.parametrize(("change", "message"), [
    ({"name": "c"}, 'spec.ephemeralContainers[0].name: Duplicate value: "c"'),
    ({"targetContainerName": "nosuch"}, 'spec.ephemeralContainers[0].targetContainerName: Not found: "nosuch"'),
    ({"ports": [{"containerPort": 1}]}, "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container"),
])
def test_what_an_ephemeral_container_may_be(bench, change, message):
    bench.pod("web", SERVER)
    bench.run(10)
    with pytest.raises(ApiError) as caught:
        add(bench, "web", {**DEBUGGER, **change})
    assert message in caught.value.message


def test_what_was_put_in_stays_as_it_is(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    add(bench, "web", DEBUGGER)
    pod = bench.get("web")
    for containers, message in (([], 'existing ephemeral containers "debugger" may not be removed'),
                                ([{**pod["spec"]["ephemeralContainers"][0], "image": "x"}],
                                 'existing ephemeral containers "debugger" may not be changed')):
        with pytest.raises(ApiError) as caught:
            bench.kubectl.update("pods", {**pod, "spec": {**pod["spec"], "ephemeralContainers": containers}}, "ephemeralcontainers")
        assert message in caught.value.message


def test_they_come_in_through_no_other_door(bench):
    with pytest.raises(ApiError) as caught:
        bench.pod("web", SERVER, ephemeralContainers=[DEBUGGER])
    assert "spec.ephemeralContainers: Forbidden: cannot be set on create" in caught.value.message


def test_a_pod_is_not_over_while_its_debugger_has_still_to_end(bench):
    bench.pod("web", {"command": ["sleep", "20"]}, restartPolicy="Never")
    phases = bench.seen("web", lambda event: (event.object["status"].get("phase"), any(
        "running" in entry["state"] for entry in event.object["status"].get("ephemeralContainerStatuses") or ())))
    bench.run(10)
    add(bench, "web", {**DEBUGGER, "command": ["sleep", "1000"]})
    bench.run(60)
    assert phases[-1] == ("Succeeded", False) and ("Running", True) in phases and ("Succeeded", True) not in phases
