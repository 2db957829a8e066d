"""Chaos and machines over HTTP: what the page and lessons ask for, and what real clients then see."""

import json
import urllib.error
import urllib.request

import pytest

from server.cluster.machines import PRESETS


@pytest.fixture(scope="module")
def room(server):
    made = server.room(seed=1)
    pause(made)
    return made


def pause(room):
    assert room.ask("POST", "/clock", {"paused": True})[0] == 200


def ask(room, method, path, body=None, **query):
    return room.ask(method, f"/{path}", body, **query)


def kubernetes(room, path):
    try:
        with urllib.request.urlopen(f"{room.server.base}/r/{room.name}/k8s/{room.key}{path}", timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def advance(room, seconds):
    room.advance(seconds)


def node(room, name):
    status, found = kubernetes(room, f"/api/v1/nodes/{name}")
    return found if status == 200 else None


def ready(room, name):
    return next(entry["status"] for entry in node(room, name)["status"]["conditions"] if entry["type"] == "Ready")


def things(room, kind):
    _, scene = ask(room, "GET", "scene")
    return {thing["name"]: thing for thing in scene["things"].values() if thing["kind"] == kind}


def test_kinds_are_listed_for_a_form(room):
    status, told = ask(room, "GET", "chaos")
    assert status == 200 and told["active"] == []
    disk = next(kind for kind in told["kinds"] if kind["fault"] == "disk")
    assert disk["on"] == "Node" and disk["params"][0] == {
        "name": "percent", "kind": "number", "default": 95.0, "about": "how full the disk gets", "least": 1.0, "most": 100.0}


def test_a_fault_is_made_seen_and_healed(room):
    status, fault = ask(room, "POST", "chaos", {"fault": "power", "target": "Node//w3-k8s", "by": "teacher"})
    assert status == 200 and fault["target"] == "Node//w3-k8s" and fault["by"] == "teacher"
    advance(room, 60)
    assert ready(room, "w3-k8s") == "Unknown"
    assert things(room, "Node")["w3-k8s"]["off"] is True
    assert [thing["fault"] for thing in things(room, "Fault").values()] == ["power"]
    status, told = ask(room, "GET", "chaos")
    assert [record["id"] for record in told["active"]] == [fault["id"]]
    status, healed = ask(room, "DELETE", "chaos", id=fault["id"])
    assert status == 200 and [record["id"] for record in healed["healed"]] == [fault["id"]]
    advance(room, 20)
    assert ready(room, "w3-k8s") == "True" and things(room, "Fault") == {} and "off" not in things(room, "Node")["w3-k8s"]


def test_without_the_api_server_real_clients_and_the_terminal_are_refused(room):
    ask(room, "POST", "chaos", {"fault": "component", "target": "kube-apiserver"})
    words = "The connection to the server 192.168.1.10:6443 was refused - did you specify the right host or port?"
    for path in ("/api/v1/pods", "/api", "/openapi/v2", "/apis/apps/v1"):
        status, answer = kubernetes(room, path)
        assert status == 503 and answer["message"] == words
    _, said = ask(room, "POST", "terminal", {"line": "kubectl get pods"})
    assert said["stderr"] == words + "\n" and said["exit_code"] == 1
    assert things(room, "Component")["kube-apiserver"]["healthy"] is False
    ask(room, "DELETE", "chaos")
    assert things(room, "Component")["kube-apiserver"]["healthy"] is True
    _, said = ask(room, "POST", "terminal", {"line": "kubectl get pods"})
    assert said["stderr"] == "No resources found in default namespace.\n"


def test_a_watch_ends_with_the_api_server(room):
    url = f"{room.server.base}/r/{room.name}/k8s/{room.key}/api/v1/namespaces/default/pods?watch=1&resourceVersion=0"
    with urllib.request.urlopen(url, timeout=30) as stream:
        ask(room, "POST", "chaos", {"fault": "component", "target": "kube-apiserver"})
        assert stream.read() == b""
    ask(room, "DELETE", "chaos")


@pytest.mark.parametrize("body", [
    {}, {"fault": "power"}, {"fault": 3, "target": "w1-k8s"}, {"fault": "power", "target": "nowhere"},
    {"fault": "power", "target": "x" * 10_000}, {"fault": "no-such", "target": "w1-k8s"},
    {"fault": "disk", "target": "w1-k8s", "percent": 1000}, {"fault": "disk", "target": "w1-k8s", "self": 1},
    {"fault": "disk", "target": "w1-k8s", "percent": [1]}, {"fault": "kill", "target": "Pod/default/nobody"},
    {"fault": "power", "target": "w1-k8s", "by": 1}])
def test_bad_wishes_are_told_why(room, body):
    status, answer = ask(room, "POST", "chaos", body)
    assert status == 400 and answer["error"]
    assert ask(room, "GET", "chaos")[1]["active"] == []


def test_machines_are_added_resized_switched_and_removed(room):
    status, added = ask(room, "POST", "nodes", {"op": "add", "cpu": 4, "memory": "8Gi", "labels": {"disktype": "ssd"}})
    assert status == 200 and added["name"] == "w4-k8s"
    advance(room, 5)
    assert node(room, "w4-k8s")["status"]["capacity"]["cpu"] == "4" and node(room, "w4-k8s")["metadata"]["labels"]["disktype"] == "ssd"
    status, _ = ask(room, "POST", "nodes", {"op": "resize", "name": "w4-k8s", "cpu": 8, "pods": 10})
    assert status == 200 and node(room, "w4-k8s")["status"]["allocatable"]["pods"] == "10"
    listed = {machine["name"]: machine for machine in ask(room, "GET", "nodes")[1]["nodes"]}
    assert listed["w4-k8s"]["cpu"] == 8 and listed["m-k8s"]["control_plane"] is True
    assert ask(room, "POST", "nodes", {"op": "power", "name": "w4-k8s", "on": False})[0] == 200
    advance(room, 60)
    assert ready(room, "w4-k8s") == "Unknown"
    assert ask(room, "POST", "nodes", {"op": "power", "name": "w4-k8s", "on": True})[0] == 200
    assert ask(room, "GET", "chaos")[1]["active"] == []
    advance(room, 10)
    assert ready(room, "w4-k8s") == "True"
    assert ask(room, "POST", "nodes", {"op": "remove", "name": "w4-k8s"})[0] == 200
    assert node(room, "w4-k8s") is None
    for body in ({"op": "remove", "name": "m-k8s"}, {"op": "explode"}, {"op": "add", "name": "UPPER"}, {"op": "add", "name": "w1-k8s"},
                 {"op": "resize", "name": "w1-k8s"}, {"op": "resize", "name": "w1-k8s", "cpu": 0}, {"op": "power", "name": "w1-k8s", "on": "no"},
                 {"op": "add", "control_plane": True}, {"op": "remove", "name": "w1-k8s", "now": 1}):
        status, answer = ask(room, "POST", "nodes", body)
        assert status == 400 and answer["error"], body
    assert ask(room, "POST", "nodes", {"op": "remove", "name": "nobody"})[0] == 404


def test_every_preset_makes_a_room(server):
    for preset, machines in PRESETS.items():
        made = server.room(preset=preset)
        pause(made)
        status, listed = kubernetes(made, "/api/v1/nodes")
        assert sorted(entry["metadata"]["name"] for entry in listed["items"]) == sorted(spec.name for spec in machines)
    status, answer = server.ask("POST", "/api/rooms", {"preset": "no-such"})
    assert status == 400 and "three-zones" in answer["error"]


def test_a_fault_outlasts_the_death_of_the_server(own_server):
    made = own_server.room(seed=2)
    pause(made)
    ask(made, "POST", "chaos", {"fault": "network", "target": "w1-k8s"})
    ask(made, "POST", "chaos", {"fault": "component", "target": "kube-scheduler"})
    own_server.kill()
    own_server.start()
    status, told = ask(made, "GET", "chaos")
    assert [(record["fault"], record["target"]) for record in told["active"]] == [
        ("network", "Node//w1-k8s"), ("component", "Component//kube-scheduler")]
    advance(made, 60)
    assert ready(made, "w1-k8s") == "Unknown"
    assert len(ask(made, "DELETE", "chaos")[1]["healed"]) == 2
    advance(made, 30)
    assert ready(made, "w1-k8s") == "True"


def test_a_room_can_begin_with_the_metrics_server(server):
    made = server.room(seed=3, metrics_server=True)
    made.advance(60)
    assert "m-k8s" in made.run("kubectl top nodes")["stdout"]
    plain = server.room(seed=3)
    assert plain.run("kubectl top nodes")["stderr"] == "error: Metrics API not available\n"
    status, answer = server.ask("POST", "/api/rooms", {"metrics_server": "yes"})
    assert status == 400 and answer["error"] == "metrics_server must be true or false"
