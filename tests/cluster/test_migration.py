"""A store that an earlier version wrote goes on in this one: ``stores/issue2.json.gz`` is a cluster of issue 2 in the middle of a scale-up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import orjson
import pytest

from server.cluster.cluster import Cluster
from server.cluster.inodes import text_of
from server.cluster.objects import name
from server.rooms.journal import Journal, all_rows, clock_of, restored
from server.rooms.storage import Storage

OLD = Path(__file__).parent / "stores" / "issue2.json.gz"


def old():
    return json.loads(gzip.decompress(OLD.read_bytes()))


@pytest.fixture
def cluster():
    cluster = Cluster.restore(old())
    cluster.clock.run_for(60)
    return cluster


def test_its_nodes_have_machines_again_of_the_same_size(cluster):
    assert [spec.name for spec in (kubelet.spec for kubelet in cluster.kubelets.nodes.values())] == ["m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"]
    before = {name(node): node["status"]["capacity"] for node in old()["store"]["objects"]["nodes"]}
    assert {name(node): node["status"]["capacity"] for node in cluster.client().list("nodes")} == before
    assert all(node["status"]["conditions"][-1]["status"] == "True" for node in cluster.client().list("nodes"))


def test_its_pods_run_on_without_a_restart_and_what_was_under_way_is_finished(cluster):
    pods = cluster.client().list("pods", "default")
    assert len(pods) == 5 and {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert not any(status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"])


def test_what_was_written_to_an_empty_dir_is_still_there_and_grows(cluster):
    disks = cluster.parts.disks
    lines = [len(text_of(disks.files(disk)["/f"]).splitlines()) for disk in disks.names("pod/")]
    assert len(lines) == 5 and max(lines) > 15


def test_the_agents_and_the_control_plane_are_what_they_are_today(cluster):
    daemons = {name(entry): entry["status"]["numberReady"] for entry in cluster.client().list("daemonsets.apps", "kube-system")}
    assert daemons == {"calico-node": 4, "kube-proxy": 4}
    owners = {(pod["metadata"].get("ownerReferences") or [{}])[0].get("kind") for pod in cluster.client().list("pods", "kube-system")}
    assert owners == {"DaemonSet", "ReplicaSet", "Node"}
    assert sum(name(pod).endswith("-m-k8s") for pod in cluster.client().list("pods", "kube-system")) == 4


def test_it_is_brought_up_to_date_once(cluster):
    again = Cluster.restore(json.loads(json.dumps(cluster.snapshot())))
    uids = {pod["metadata"]["uid"] for pod in cluster.client().list("pods")}
    again.clock.run_for(30)
    assert {pod["metadata"]["uid"] for pod in again.client().list("pods")} == uids


def test_what_taking_up_has_changed_reaches_the_disk(tmp_path):
    storage, written = Storage(str(tmp_path)), old()
    storage.create("room", {"key": "k"}, {field: written[field] for field in ("seed", "epoch", "time", "random")} | {
        "revision": written["store"]["revision"]}, _rows(written))
    _, clock, rows = storage.load("room")
    cluster = restored(clock, rows)
    journal = Journal(storage, "room", cluster)
    journal.catch_up(clock, rows)
    journal.flush()
    assert sorted(storage.load("room")[2]) == sorted(all_rows(cluster))
    assert storage.load("room")[1]["revision"] == clock_of(cluster, exact=False)["revision"] > clock["revision"]


def _rows(snapshot):
    for resource, objects in snapshot["store"]["objects"].items():
        for obj in objects:
            yield resource, obj["metadata"].get("namespace", ""), name(obj), orjson.dumps(obj)
    for key, value in snapshot["store"]["state"].items():
        yield "#state", "", key, orjson.dumps(value)
