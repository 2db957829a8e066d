"""The same seed and the same requests at the same virtual times give the same bytes; a snapshot carries on to the same end."""

import subprocess
import sys
from pathlib import Path

import orjson

from server.cluster.cluster import Cluster

ROOT = Path(__file__).parent.parent.parent
DEPLOYMENT = {
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"replicas": 5, "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}},
                          "spec": {"containers": [{"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}]}]}}}}
SERVICE = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]}}


def play(cluster):
    kubectl = cluster.client("kubectl")
    kubectl.create("deployments.apps", DEPLOYMENT)
    kubectl.create("services", SERVICE)
    cluster.clock.run_for(7)
    kubectl.patch("deployments.apps", "default", "web", {"spec": {"replicas": 8}})
    cluster.clock.run_for(20)
    kubectl.patch("deployments.apps", "default", "web", {"spec": {"template": {"spec": {"containers": [
        {"name": "nginx", "image": "nginx:1.27"}]}}}}, type="strategic")
    cluster.clock.run_for(5)
    kubectl.delete("pods", "default", cluster.api.lister("pods").list("default")[0]["metadata"]["name"])
    cluster.clock.run_for(120)


def bytes_of(cluster):
    return orjson.dumps(cluster.snapshot(), option=orjson.OPT_SORT_KEYS)


def settled(cluster):
    """What a person would compare: every object's wish and health, without the names and numbers that chance gives."""
    pods = sorted((pod["metadata"]["labels"].get("app", ""), pod["spec"]["containers"][0]["image"], pod["status"]["phase"])
                  for pod in cluster.api.lister("pods").list("default"))
    sets = sorted((rs["metadata"]["name"], rs["spec"]["replicas"], rs["status"].get("readyReplicas", 0))
                  for rs in cluster.api.lister("replicasets.apps").list())
    endpoints = sum(len(one.get("endpoints") or ()) for one in cluster.api.lister("endpointslices.discovery.k8s.io").list("default"))
    deployment = cluster.api.lister("deployments.apps").get("default", "web")["status"]
    return pods, sets, endpoints, {field: value for field, value in deployment.items() if field != "conditions"}


def test_equal_seeds_and_requests_give_equal_bytes():
    first, second = Cluster(seed=42), Cluster(seed=42)
    play(first)
    play(second)
    assert bytes_of(first) == bytes_of(second)


def test_another_seed_gives_other_names():
    first, second = Cluster(seed=1), Cluster(seed=2)
    play(first)
    play(second)
    assert bytes_of(first) != bytes_of(second)
    assert settled(first) == settled(second)


def test_another_process_with_other_hash_seeds_gives_the_same_bytes():
    program = ("import hashlib; from tests.cluster.test_determinism import *; c = Cluster(seed=3); play(c);"
               "print(hashlib.sha256(bytes_of(c)).hexdigest())")
    digests = {subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": ""}, check=True,
                              capture_output=True, text=True).stdout for seed in ("1", "2")}
    assert len(digests) == 1


def test_a_quiet_cluster_restored_goes_on_to_the_same_bytes():
    cluster = Cluster(seed=5)
    copy = Cluster.restore(orjson.loads(orjson.dumps(cluster.snapshot())))
    assert bytes_of(copy) == bytes_of(cluster)
    play(cluster)
    play(copy)
    assert bytes_of(copy) == bytes_of(cluster)


def test_a_restored_cluster_forgets_events_at_the_same_moments():
    cluster = Cluster(seed=5)
    play(cluster)
    cluster.clock.run_for(600.37)
    copy = Cluster.restore(orjson.loads(orjson.dumps(cluster.snapshot())))
    events = len(cluster.api.lister("events").list())
    moment = cluster.clock.next_due() - 1.5
    for step in range(40):
        for each in (cluster, copy):
            each.clock.run_until(moment + step / 10)
        assert bytes_of(copy) == bytes_of(cluster)
    assert len(copy.api.lister("events").list()) < events


def test_a_cluster_restored_in_the_middle_of_a_rollout_comes_to_the_same_end():
    cluster = Cluster(seed=6)
    kubectl = cluster.client("kubectl")
    kubectl.create("deployments.apps", DEPLOYMENT)
    kubectl.create("services", SERVICE)
    copies = []
    for _ in range(12):
        cluster.clock.run_for(0.4)
        copies.append(Cluster.restore(orjson.loads(orjson.dumps(cluster.snapshot()))))
    cluster.clock.run_for(120)
    for copy in copies:
        copy.clock.run_until(cluster.clock.now)
        assert settled(copy) == settled(cluster)


def test_a_quiet_cluster_has_nothing_due_but_events_to_forget():
    cluster = Cluster(seed=7)
    cluster.clock.run_for(3700)
    revision = cluster.store.revision
    assert cluster.clock.next_due() is None
    cluster.clock.run_for(86_400)
    assert cluster.store.revision == revision
