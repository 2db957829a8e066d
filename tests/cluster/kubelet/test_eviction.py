"""Node pressure: conditions, whom it strikes first, what is said, and how it passes."""

import pytest

from server.cluster.kubelet.eviction import DISK, MEMORY
from server.cluster.machines import NodeSpec

SLEEPS = {"command": ["sleep", "100000"]}
MEBI = 1024**2


def stress(mebi):
    return {"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", f"{mebi}M", "--vm-hang", "1"]}


def requests(**amounts):
    return {"resources": {"requests": amounts}}


def pressure(bench, name="w1-k8s"):
    return {entry["type"]: (entry["status"], entry["reason"], entry["message"]) for entry in
            bench.kubectl.get("nodes", "", name)["status"]["conditions"]}


def evicted(bench, *names):
    return [name for name in names if bench.status(name).get("reason") == "Evicted"]


def test_a_node_short_of_memory_says_so_and_ends_the_pod_that_is_furthest_above_its_request(bench):
    bench.pod("modest", SLEEPS)
    bench.pod("asked", {**stress(300), **requests(memory="400Mi")})
    bench.pod("greedy", stress(300))
    bench.run(30)
    assert pressure(bench)[MEMORY] == ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
    bench.cluster.chaos.inject("memory", "w1-k8s")
    bench.run(11)
    assert pressure(bench)[MEMORY] == ("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
    bench.run(2)
    assert evicted(bench, "modest", "asked", "greedy") == ["greedy"]
    status = bench.status("greedy")
    assert status["phase"] == "Failed"
    assert status["message"].startswith("The node was low on resource: memory. Threshold quantity: 100Mi, available: ")
    assert status["message"].endswith("request is 0, has larger consumption of memory. ")
    disrupted = next(entry for entry in status["conditions"] if entry["type"] == "DisruptionTarget")
    assert (disrupted["status"], disrupted["reason"], disrupted["message"]) == ("True", "TerminationByKubelet", status["message"])
    assert ("Evicted", status["message"]) in bench.events("greedy") and ("Killing", "Stopping container c") in bench.events("greedy")
    assert ("EvictionThresholdMet", "Attempting to reclaim memory") in bench.events("w1-k8s")
    assert ("NodeHasInsufficientMemory", "Node w1-k8s status is now: NodeHasInsufficientMemory") in bench.events("w1-k8s")


def test_one_pod_goes_at_a_time_and_no_more_than_needed(bench):
    for name in ("a", "b", "c"):
        bench.pod(name, stress(100))
    bench.run(30)
    bench.cluster.chaos.inject("memory", "w1-k8s", percent=98)
    bench.run(400)
    assert len(evicted(bench, "a", "b", "c")) == 1


def test_the_less_important_goes_before_the_greedier(bench):
    bench.kubectl.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": "high"}, "value": 1000})
    bench.pod("important", stress(400), priorityClassName="high")
    bench.pod("plain", stress(100))
    bench.run(30)
    bench.cluster.chaos.inject("memory", "w1-k8s")
    bench.run(13)
    assert evicted(bench, "important", "plain") == ["plain"]


def test_critical_pods_stay_whatever_happens(bench):
    bench.pod("vital", stress(500), priorityClassName="system-node-critical")
    bench.run(30)
    bench.cluster.chaos.inject("memory", "w1-k8s", percent=100)
    bench.run(600)
    assert evicted(bench, "vital") == [] and pressure(bench)[MEMORY][0] == "True"


def test_a_program_that_takes_more_and_more_brings_its_node_into_need(bench):
    bench.cluster.kubelets.resize("w1-k8s", memory=1024 * MEBI)
    bench.pod("greedy", stress(900))
    bench.run(120)
    assert evicted(bench, "greedy") == ["greedy"]


def test_under_memory_pressure_only_pods_that_ask_for_nothing_are_turned_away(bench):
    bench.cluster.chaos.inject("memory", "w1-k8s", percent=97.9)
    bench.cluster.kubelets.evictions.fill("w1-k8s", "memory", 100.0)
    bench.run(11)
    bench.pod("nothing", SLEEPS)
    bench.pod("tolerant", SLEEPS, tolerations=[{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}])
    bench.run(0.5)
    assert bench.status("nothing")["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert bench.status("nothing")["reason"] == "Evicted" and bench.status("tolerant").get("reason") is None


def test_a_full_disk_first_loses_images_that_nobody_uses(bench):
    bench.pod("once", {"image": "nginx"})
    bench.pod("stays", SLEEPS)
    bench.run(20)
    bench.kubectl.delete("pods", "default", "once")
    bench.run(20)
    size = bench.cluster.kubelets.nodes["w1-k8s"].images.present["docker.io/library/nginx:latest"]
    disk = bench.cluster.kubelets.evictions.disk(bench.cluster.kubelets.nodes["w1-k8s"])
    full = 100 - 100 * (disk.threshold - size / 2) / (disk.threshold / 0.15)
    bench.cluster.chaos.inject("disk", "w1-k8s", percent=full)
    bench.run(25)
    assert pressure(bench)[DISK] == ("True", "KubeletHasDiskPressure", "kubelet has disk pressure")
    assert "docker.io/library/nginx:latest" not in bench.cluster.kubelets.nodes["w1-k8s"].images.present
    assert evicted(bench, "stays") == [], "that was enough"
    bench.run(320)
    assert pressure(bench)[DISK][0] == "False"


def test_a_disk_that_stays_full_ends_pods_and_takes_none(bench):
    bench.pod("a", {"image": "busybox", "command": ["sh", "-c", "while true; do echo hello; sleep 1; done"]})
    bench.run(30)
    bench.cluster.chaos.inject("disk", "w1-k8s")
    bench.run(15)
    assert evicted(bench, "a") == ["a"]
    message = bench.status("a")["message"]
    assert message.startswith("The node was low on resource: ephemeral-storage. Threshold quantity: 9194585Ki, available: ")
    bench.pod("late", {**SLEEPS, **requests(memory="10Mi")})
    bench.run(2)
    assert bench.status("late")["message"] == "Pod was rejected: The node had condition: [DiskPressure]. "
    taints = [(taint["key"], taint["effect"]) for taint in bench.kubectl.get("nodes", "", "w1-k8s")["spec"]["taints"]]
    assert taints == [("node.kubernetes.io/disk-pressure", "NoSchedule")]


def test_pressure_is_shown_for_five_minutes_after_it_has_passed(bench):
    fault = bench.cluster.chaos.inject("disk", "w1-k8s")
    bench.run(30)
    bench.cluster.chaos.heal(fault["id"])
    bench.run(295)
    assert pressure(bench)[DISK][0] == "True"
    again = type(bench)(type(bench.cluster).restore(bench.cluster.snapshot()))
    for each in (bench, again):
        each.run(20)
        assert pressure(each)[DISK][0] == "False" and "taints" not in each.kubectl.get("nodes", "", "w1-k8s")["spec"]
        assert ("NodeHasNoDiskPressure", "Node w1-k8s status is now: NodeHasNoDiskPressure") in each.events("w1-k8s")


def test_a_node_in_need_that_nothing_can_be_done_for_costs_nothing(bench):
    bench.cluster.chaos.inject("disk", "w1-k8s")
    bench.run(4000)
    revision = bench.cluster.store.revision
    bench.run(4000)
    assert bench.cluster.store.revision == revision


@pytest.mark.parametrize("disk", [16, 64])
def test_the_threshold_is_a_share_of_the_disk(bench, disk):
    bench.cluster.add_node(NodeSpec("other", "192.168.9.9", disk=disk * 1024**3))
    signal = bench.cluster.kubelets.evictions.disk(bench.cluster.kubelets.nodes["other"])
    assert signal.threshold == int(int(disk * 1024**3 * 0.9134) * 0.15) // 1024 * 1024 and not signal.met
