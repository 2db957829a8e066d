"""A restored cluster goes on exactly where it was: objects and run-time state agree with one that was never stopped."""

import json

import pytest
from conftest import Bench

from server.cluster.cluster import Cluster

TROUBLE = {
    "web": {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 4}},
    "crash": {"command": ["sh", "-c", "echo boom; exit 3"]},
    "loop": {"command": ["sh", "-c", "i=0; while true; do echo $i; i=$((i+1)); sleep 3; done"]},
    "badimage": {"image": "nginx:1.200"},
    "nocmd": {"command": ["nosuchcmd"]},
    "unlive": {"image": "nginx", "livenessProbe": {"exec": {"command": ["cat", "/x"]}, "periodSeconds": 3, "failureThreshold": 2}},
    "file": {"command": ["sh", "-c", "touch /tmp/a; sleep 20; rm /tmp/a; sleep 600"], "livenessProbe": {
        "exec": {"command": ["cat", "/tmp/a"]}, "periodSeconds": 5}},
    "notready": {"image": "nginx", "readinessProbe": {"httpGet": {"path": "/nosuch", "port": 80}, "periodSeconds": 2}},
}


def what_is(cluster, resource):
    """Objects without what is counted cluster-wide."""
    found = {}
    for obj in cluster.api.lister(resource).list():
        meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        found[meta["name"]] = {**obj, "metadata": meta}
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("moment", [0.005, 0.5, 2.6, 4.4, 7.0, 13.3, 21.0, 38.7])
def test_a_restored_cluster_carries_on(bench, moment):
    for name, container in TROUBLE.items():
        bench.pod(name, container)
    bench.pod("done", {"command": ["sh", "-c", "sleep 6"]}, restartPolicy="Never")
    bench.run(moment)
    if moment > 10:
        bench.kubectl.delete("pods", "default", "loop")
        bench.run(1)
    other = Bench(Cluster.restore(json.loads(json.dumps(bench.cluster.snapshot()))))
    assert other.cluster.snapshot()["store"] == json.loads(json.dumps(bench.cluster.snapshot()["store"]))
    for one in (bench, other):
        one.run(40)
    for resource in ("pods", "nodes"):
        assert what_is(other.cluster, resource) == what_is(bench.cluster, resource)
    mine, theirs = (dict(json.loads(json.dumps(one.cluster.store.state.items()))) for one in (bench, other))
    assert theirs == mine


def test_a_restored_server_listens_and_keeps_its_log(bench):
    bench.pod("web", {"image": "nginx"})
    bench.run(10)
    bench.cluster.kubelets.runtime.http(bench.get("web"), 80, "GET", "/", {})
    other = Bench(Cluster.restore(json.loads(json.dumps(bench.cluster.snapshot()))))
    runtime = other.cluster.kubelets.runtime
    assert runtime.listening(other.get("web"), 80)
    assert [line.text for line in runtime.logs("default", "web", "c")][-1].endswith('"GET / HTTP/1.1" 200 615 "-" "-" "-"')
    other.kubectl.delete("pods", "default", "web")
    other.run(3)
    assert other.get("web") is None and not other.cluster.store.state.items("log/")


def test_nothing_is_left_in_the_state_when_pods_are_gone(bench):
    before = {key for key, _ in bench.cluster.store.state.items()}
    for name, container in TROUBLE.items():
        bench.pod(name, container)
    bench.run(60)
    for name in TROUBLE:
        bench.kubectl.delete("pods", "default", name)
    bench.run(60)
    after = {key for key, _ in bench.cluster.store.state.items()}
    assert {key for key in after - before if not key.startswith(("images/", "pulls/", "last-address/"))} == set()


def test_pressure_that_could_not_be_told_before_the_process_ended_is_told_after_it():
    cluster = Cluster(seed=1)
    for fault, target in (("component", "kube-apiserver"), ("disk", "w2-k8s")):
        cluster.chaos.inject(fault, target)
        cluster.clock.run_for(30)
    again = Cluster.restore(json.loads(json.dumps(cluster.snapshot())))
    again.chaos.heal_all()
    again.clock.run_for(30)
    node = again.client().get("nodes", "", "w2-k8s")
    assert {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}["DiskPressure"] == "True"
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["node.kubernetes.io/disk-pressure"]
