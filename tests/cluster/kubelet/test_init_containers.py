"""Init containers and sidecars: order, what is printed, how they end."""

import pytest

from tests.kubectl.terminal import Terminal


def shell(script, **more):
    return {"image": "busybox", "command": ["sh", "-c", script], **more}


SERVER = {"image": "nginx:1.27", "ports": [{"containerPort": 80}]}


def printed(bench, name):
    return Terminal(bench.cluster).run(f"kubectl get pod {name}").stdout.splitlines()[1].split()[1:3]


def texts(bench, name, seconds, step=0.25):
    """(READY, STATUS) over time, without repetitions."""
    found = []
    for _ in range(int(seconds / step)):
        bench.run(step)
        now = tuple(printed(bench, name))
        if not found or found[-1] != now:
            found.append(now)
    return found


def test_init_containers_run_one_after_the_other_before_the_others(bench):
    bench.pod("web", SERVER, initContainers=[{"name": "one", **shell("sleep 4")}, {"name": "two", **shell("sleep 4")}])
    seen = texts(bench, "web", 25)
    assert seen == [("0/1", "Init:0/2"), ("0/1", "Init:1/2"), ("0/1", "PodInitializing"), ("1/1", "Running")]
    one, two = (entry["state"]["terminated"] for entry in bench.status("web")["initContainerStatuses"])
    assert one["finishedAt"] <= two["startedAt"] and two["finishedAt"] <= bench.container("web")["state"]["running"]["startedAt"]
    assert [entry["ready"] for entry in bench.status("web")["initContainerStatuses"]] == [True, True]


def test_an_init_container_that_fails_is_tried_again_with_back_off(bench):
    bench.pod("bad", SERVER, initContainers=[{"name": "i", **shell("exit 1")}])
    seen = texts(bench, "bad", 60)
    assert ("0/1", "Init:Error") in seen and ("0/1", "Init:CrashLoopBackOff") in seen and ("0/1", "Init:0/1") in seen
    assert bench.status("bad")["phase"] == "Pending" and bench.container("bad", field="initContainerStatuses")["restartCount"] >= 2
    assert bench.conditions("bad")["Initialized"] == "False" and "running" not in bench.container("bad")["state"]


def test_an_init_container_that_may_not_run_again_fails_the_pod(bench):
    bench.pod("bad", SERVER, initContainers=[{"name": "i", **shell("exit 1")}], restartPolicy="Never")
    bench.run(15)
    assert bench.status("bad")["phase"] == "Failed" and printed(bench, "bad") == ["0/1", "Init:Error"]


def test_a_sidecar_lets_the_next_begin_once_its_startup_probe_has_succeeded(bench):
    sidecar = {"name": "side", "restartPolicy": "Always", **shell("sleep 6; touch /tmp/up; sleep 1000"),
               "startupProbe": {"exec": {"command": ["cat", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 30}}
    bench.pod("web", SERVER, initContainers=[sidecar, {"name": "after", **shell("true")}])
    bench.run(5)
    side, after = bench.status("web")["initContainerStatuses"]
    assert side["started"] is False and "waiting" in after["state"]
    bench.run(15)
    side, after = bench.status("web")["initContainerStatuses"]
    assert side["started"] is True and side["ready"] is True and after["state"]["terminated"]["exitCode"] == 0
    began = bench.cluster.clock.seconds(side["state"]["running"]["startedAt"])
    assert bench.cluster.clock.seconds(after["state"]["terminated"]["startedAt"]) >= began + 6
    assert printed(bench, "web") == ["2/2", "Running"]


def test_a_sidecars_readiness_counts_for_the_pods(bench):
    sidecar = {"name": "side", "restartPolicy": "Always", "image": "nginx:1.27",
               "readinessProbe": {"httpGet": {"path": "/nosuch", "port": 80}, "periodSeconds": 2}}
    bench.pod("web", {"image": "redis"}, initContainers=[sidecar])
    bench.run(20)
    assert printed(bench, "web") == ["1/2", "Running"] and bench.conditions("web")["Ready"] == "False"
    message = next(entry["message"] for entry in bench.status("web")["conditions"] if entry["type"] == "ContainersReady")
    assert message == "containers with unready status: [side]"


def test_a_sidecar_that_ends_is_started_again_whatever_the_pods_policy(bench):
    bench.pod("job", shell("sleep 60"), initContainers=[{"name": "side", "restartPolicy": "Always", **shell("sleep 3")}], restartPolicy="Never")
    bench.run(30)
    assert bench.container("job", field="initContainerStatuses")["restartCount"] >= 1 and bench.status("job")["phase"] == "Running"


def test_a_pod_is_done_although_its_sidecar_runs(bench):
    bench.pod("job", shell("sleep 3"), initContainers=[{"name": "side", "restartPolicy": "Always", "image": "nginx:1.27"}], restartPolicy="Never")
    bench.run(20)
    assert bench.status("job")["phase"] == "Succeeded"
    assert "terminated" in bench.container("job", field="initContainerStatuses")["state"]


def test_sidecars_end_in_reverse_order_after_the_others(bench):
    slow = "trap 'sleep 2; exit 0' TERM; while true; do sleep 1; done"
    bench.pod("web", {"name": "main", **shell(slow)}, initContainers=[
        {"name": name, "restartPolicy": "Always", **shell(slow)} for name in ("first", "second")])
    bench.run(20)
    ends = bench.seen("web", lambda event: tuple(entry["name"] for field in ("containerStatuses", "initContainerStatuses")
                                                 for entry in event.object["status"][field] if "terminated" in entry["state"]))
    bench.kubectl.delete("pods", "default", "web")
    bench.run(25)
    assert ends == [(), ("main",), ("main", "second"), ("main", "first", "second")] and bench.get("web") is None


def test_sidecars_get_two_seconds_when_the_grace_period_is_used_up(bench):
    bench.pod("web", {"name": "main", **shell("sleep 1000")}, initContainers=[{"name": "side", "restartPolicy": "Always", **shell("sleep 1000")}],
              terminationGracePeriodSeconds=5)
    bench.run(15)
    bench.kubectl.delete("pods", "default", "web")
    bench.run(6.5)
    assert bench.get("web") is not None
    bench.run(2.5)
    assert bench.get("web") is None


@pytest.mark.parametrize("field", ["livenessProbe", "lifecycle"])
def test_only_sidecars_have_probes_and_hooks(bench, field):
    value = {"livenessProbe": {"tcpSocket": {"port": 1}}, "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}[field]
    with pytest.raises(Exception, match="may not be set for init containers without restartPolicy=Always"):
        bench.pod("web", SERVER, initContainers=[{"name": "i", "image": "busybox", field: value}])
