"""The scene: a browser that applies what it is told has what the server has, whatever happens on the way."""

from __future__ import annotations

import gc
import json
import random
import weakref
from datetime import UTC, datetime

import pytest

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.live import records
from server.live.scene import MAX_OPS, MAX_PROJECTED, Scene

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def deployment(name, replicas=3, image="nginx", **spec):
    labels = {"app": name}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels}, **spec,
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}}}


def pod(name, labels=None, image="nginx", **spec):
    container = {"name": "c", "image": image, **spec.pop("container", {})}
    return {"metadata": {"name": name, "namespace": "default", "labels": labels or {}}, "spec": {"containers": [container], **spec}}


def service(name, selector):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": selector, "ports": [{"port": 80}]}}


@pytest.fixture
def cluster():
    return Cluster(3, EPOCH)


def whole(scene):
    """All diffs until the scene is no longer behind."""
    diffs = []
    while scene.behind:
        diffs += scene.flush()
    return diffs


def over_the_wire(value):
    return json.loads(json.dumps(value))


class Browser:
    """What the page does with diffs; ``lost`` when one does not join on."""

    def __init__(self):
        self.lost = True
        self.things, self.revision = {}, None

    def shown(self, snapshot):
        snapshot = over_the_wire(snapshot)
        self.things, self.revision, self.lost = snapshot["things"], snapshot["revision"], False

    def told(self, diff):
        if self.lost or diff["to"] <= self.revision:
            return
        if diff["from"] != self.revision:
            self.lost = True
            return
        for op in over_the_wire(diff["ops"]):
            if op[0] == "set":
                self.things[op[1]] = op[2]
            else:
                del self.things[op[1]]
        self.revision = diff["to"]


def act(cluster, chance):
    """One random thing that a person or the world does."""
    client = cluster.client()
    name = f"d{chance.randrange(4)}"
    what = chance.randrange(9)
    try:
        if what == 0:
            client.create("deployments.apps", deployment(name, chance.randrange(6)))
        elif what == 1:
            client.patch("deployments.apps", "default", name, {"spec": {"replicas": chance.randrange(8)}})
        elif what == 2:
            client.patch("deployments.apps", "default", name, {"spec": {"template": {"spec": {"containers": [
                {"name": "c", "image": chance.choice(("nginx:1.27", "nginx:1.200", "busybox"))}]}}}}, type="strategic")
        elif what == 3:
            client.delete("deployments.apps", "default", name, propagation="Background")
        elif what == 4:
            client.create("services", service(name, {"app": chance.choice((name, f"{name}x"))}))
        elif what == 5:
            client.delete("services", "default", name)
        elif what == 6:
            client.patch("nodes", "", "w1-k8s", {"spec": {"unschedulable": chance.random() < 0.5 or None}})
        elif what == 7:
            pods = cluster.api.lister("pods").list("default")
            if pods:
                client.patch("pods", "default", chance.choice(pods)["metadata"]["name"], {"metadata": {"labels": {"app": name}}})
        else:
            cluster.network.traffic.aim(f"default/{name}", 80, chance.choice((0, 5, 50)))
    except (ApiError, ValueError):
        pass
    cluster.clock.run_for(chance.choice((0, 0.01, 0.5, 5)))


@pytest.mark.parametrize("seed", range(6))
def test_browsers_agree_with_the_server_after_drops_doubles_and_reconnects(seed):
    chance = random.Random(seed)
    cluster = Cluster(seed, EPOCH)
    scene = Scene(cluster)
    faithful, unlucky = Browser(), Browser()
    faithful.shown(scene.snapshot())
    for _ in range(60):
        act(cluster, chance)
        for diff in scene.flush():
            assert not faithful.lost
            faithful.told(diff)
            for _ in range(chance.choice((0, 1, 1, 1, 2))):
                unlucky.told(diff)
        assert not faithful.lost
        if unlucky.lost and chance.random() < 0.5:
            unlucky.shown(scene.snapshot())
    for diff in whole(scene):
        faithful.told(diff)
        unlucky.told(diff)
    if unlucky.lost:
        unlucky.shown(scene.snapshot())
    truth = over_the_wire(scene.snapshot())
    assert faithful.things == unlucky.things == truth["things"]
    assert faithful.revision == unlucky.revision == truth["revision"]
    fresh = Scene(cluster)
    whole(fresh)
    assert fresh.snapshot()["things"] == truth["things"]


def test_a_scene_told_late_is_the_one_told_early(cluster):
    early, late = Scene(cluster), Scene(cluster)
    chance = random.Random(1)
    for _ in range(40):
        act(cluster, chance)
        early.flush()
    whole(early)
    whole(late)
    assert early.snapshot()["things"] == late.snapshot()["things"]


def test_a_flush_is_bounded_in_work_and_in_size(cluster):
    scene = Scene(cluster)
    whole(scene)
    for number in range(MAX_PROJECTED + 20):
        cluster.client().create("namespaces", {"metadata": {"name": f"n{number}"}})
    first = scene.flush()
    assert sum(len(diff["ops"]) for diff in first) <= MAX_PROJECTED <= MAX_OPS
    assert scene.behind
    rest = whole(scene)
    assert sum(len(diff["ops"]) for diff in [*first, *rest]) == MAX_PROJECTED + 20
    revisions = [(diff["from"], diff["to"]) for diff in [*first, *rest]]
    assert all(before[1] == after[0] for before, after in zip(revisions, revisions[1:], strict=False))


def test_what_would_be_drawn_the_same_is_not_told(cluster):
    scene = Scene(cluster)
    whole(scene)
    cluster.client().patch("nodes", "", "w1-k8s", {"metadata": {"annotations": {"a": "b"}}})
    assert [diff["ops"] for diff in whole(scene)] == [[]]


def test_a_closed_scene_hears_nothing_and_holds_nothing(cluster):
    scene = Scene(cluster)
    whole(scene)
    known = weakref.ref(scene)
    scene.close()
    cluster.client().create("namespaces", {"metadata": {"name": "n"}})
    assert not scene.behind
    del scene
    gc.collect()
    assert known() is None


# marks


def mark(cluster, name):
    return records.pod(cluster, cluster.api.lister("pods").get("default", name))["state"]


def marks_seen(cluster, name, seconds=120, step=0.25):
    """Each mark in the order in which it came."""
    seen = []
    for _ in range(int(seconds / step)):
        if cluster.api.lister("pods").get("default", name) is None:
            break
        state = mark(cluster, name)
        if not seen or seen[-1] != state:
            seen.append(state)
        cluster.clock.run_for(step)
    return seen


BUSYBOX = {"image": "busybox"}
READY_LATER = {"container": {"readinessProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 10}}}


@pytest.mark.parametrize(("wishes", "marks"), [
    ({}, ["pulling", "ready"]),
    (READY_LATER, ["running", "ready"]),
    ({"nodeSelector": {"no": "where"}}, ["unscheduled"]),
    ({"image": "nginx:1.200"}, ["imagepull"]),
    ({"image": "busybox", "container": {"command": ["sh", "-c", "sleep 2; exit 1"]}}, ["ready", "crashloop"]),
    ({"image": "busybox", "container": {"command": ["true"]}, "restartPolicy": "Never"}, ["succeeded"]),
    ({"image": "busybox", "container": {"command": ["false"]}, "restartPolicy": "Never"}, ["failed"]),
])
def test_a_pods_marks_come_in_order(cluster, wishes, marks):
    cluster.client().create("pods", pod("p", **wishes))
    seen = marks_seen(cluster, "p")
    places = [seen.index(state) for state in marks]
    assert places == sorted(places), seen


def test_a_pod_being_deleted_is_terminating(cluster):
    cluster.client().create("pods", pod("p"))
    cluster.clock.run_for(60)
    cluster.client().delete("pods", "default", "p")
    assert mark(cluster, "p") == "terminating"


def test_a_pod_on_a_node_that_is_gone_silent_is_lost(cluster):
    cluster.client().create("pods", pod("p", nodeName="w1-k8s"))
    cluster.clock.run_for(60)
    assert mark(cluster, "p") == "ready"
    node = cluster.api.lister("nodes").get("", "w1-k8s")
    conditions = [{**one, "status": "Unknown"} if one["type"] == "Ready" else one for one in node["status"]["conditions"]]
    cluster.client().update("nodes", {**node, "status": {**node["status"], "conditions": conditions}}, "status")
    assert mark(cluster, "p") == "lost"


@pytest.mark.parametrize(("printed", "phase", "ready", "work", "state"), [
    ("ContainerCreating", "Pending", False, {}, "creating"), ("ContainerCreating", "Pending", False, {"pull": {}}, "pulling"),
    ("Running", "Running", False, {}, "running"), ("Running", "Running", True, {}, "ready"), ("OOMKilled", "Running", False, {}, "oom"),
    ("Init:OOMKilled", "Pending", False, {}, "oom"), ("CrashLoopBackOff", "Running", False, {}, "crashloop"),
    ("Error", "Running", False, {"backoff": {}}, "crashloop"), ("Error", "Failed", False, {}, "failed"),
    ("ErrImagePull", "Pending", False, {}, "imagepull"), ("Init:ImagePullBackOff", "Pending", False, {}, "imagepull"),
    ("InvalidImageName", "Pending", False, {}, "imagepull"), ("Completed", "Succeeded", False, {}, "succeeded"),
    ("CreateContainerConfigError", "Pending", False, {}, "failed")])
def test_every_mark_has_its_cause(cluster, printed, phase, ready, work, state):
    obj = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"nodeName": "w1-k8s"}, "status": {"phase": phase}}
    assert records.pod_state(cluster, obj, printed, ready, work) == state
    assert records.pod_state(cluster, {**obj, "spec": {}}, printed, ready, work) == "unscheduled"
    assert records.pod_state(cluster, {**obj, "spec": {"nodeName": "gone"}}, printed, ready, work) == "lost"


# near misses


def near(cluster, name):
    return records.service(cluster, cluster.api.lister("services").get("default", name)).get("near")


def test_one_label_mistyped_is_a_near_miss_and_the_likest_come_first(cluster):
    for name, labels in (("close", {"app": "ngnix"}), ("closer", {"app": "nginxx"}), ("far", {"app": "zzzz"}), ("without", {"tier": "web"})):
        cluster.client().create("pods", pod(name, labels))
    cluster.client().create("services", service("web", {"app": "nginx"}))
    cluster.clock.run_for(60)
    assert [(entry["pod"], entry["key"], entry["want"], entry["have"]) for entry in near(cluster, "web")] == [
        ("Pod/default/closer", "app", "nginx", "nginxx"), ("Pod/default/close", "app", "nginx", "ngnix")]


def test_of_several_labels_one_may_be_missing_altogether(cluster):
    cluster.client().create("pods", pod("p", {"app": "web"}))
    cluster.client().create("pods", pod("q", {"app": "other", "tier": "back"}))
    cluster.client().create("services", service("web", {"app": "web", "tier": "front"}))
    cluster.clock.run_for(60)
    assert near(cluster, "web") == [{"pod": "Pod/default/p", "key": "tier", "want": "front"}]


def test_a_service_with_endpoints_has_no_near_misses(cluster):
    cluster.client().create("pods", pod("p", {"app": "web"}))
    cluster.client().create("pods", pod("q", {"app": "wen"}))
    cluster.client().create("services", service("web", {"app": "web"}))
    cluster.clock.run_for(60)
    record = records.service(cluster, cluster.api.lister("services").get("default", "web"))
    assert record["near"] == [] and record["endpoints"] == [{"pod": "Pod/default/p", "ready": True}]


# bounds


@pytest.mark.parametrize(("replicas", "strategy", "bounds"), [
    (10, {}, (3, 2)), (4, {}, (1, 1)), (1, {}, (1, 0)), (0, {}, (0, 0)), (3, {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}, (2, 1)),
    (10, {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"}}, (0, 1)),
    (2, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "1%"}}, (0, 1)),
    (3, {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 9}}, (1, 3)), (5, {"type": "Recreate"}, (0, 5)),
    (7, {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "33%"}}, (7, 2))])
def test_surge_is_rounded_up_and_unavailable_down_and_not_both_are_nothing(replicas, strategy, bounds):
    assert records.bounds({"spec": {"replicas": replicas, "strategy": strategy}}) == bounds


def test_a_rollout_stays_within_its_ceiling_and_floor(cluster):
    cluster.client().create("deployments.apps", deployment("web", 8))
    cluster.clock.run_for(120)
    cluster.client().patch("deployments.apps", "default", "web", {"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}})
    for _ in range(400):
        cluster.clock.run_for(0.25)
        record = records.deployment(cluster, cluster.api.lister("deployments.apps").get("default", "web"))
        assert (record["ceiling"], record["floor"]) == (10, 6)
        pods = [one for one in cluster.api.lister("pods").list("default") if "deletionTimestamp" not in one["metadata"]]
        assert len(pods) <= record["ceiling"]
        assert sum(records.pod(cluster, one)["state"] == "ready" for one in pods) >= record["floor"]
    assert record["updated"] == record["available"] == 8
