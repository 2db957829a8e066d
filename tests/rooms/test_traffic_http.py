"""Traffic and the load balancer over a room's HTTP interface."""

import pytest

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, ports: [{port: 80}], selector: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: busybox, command: [sleep, 1d]}]}
"""


@pytest.fixture
def room(server):
    room = server.room(seed=1)
    room.ask("POST", "/apply", WEB)
    room.advance(30)
    return room


def test_a_pod_can_be_the_source_and_every_way_is_counted(room):
    status, made = room.ask("POST", "/traffic", {"target": "default/web", "rate": 50, "source": "Pod/default/client"})
    assert status == 200, made
    room.advance(4)
    [source] = room.ask("GET", "/traffic")[1]["sources"]
    assert (source["source"], source["ok"], source["failed"]) == ("Pod/default/client", 50, 0)
    assert {way["pod"] for way in source["counts"]} == {path["pod"] for path in source["paths"]} and len(source["counts"]) == 2
    assert sum(way["count"] for way in source["counts"]) >= 200
    room.ask("POST", "/traffic", {"target": "default/web", "rate": 0, "source": "Pod/default/client"})
    assert room.ask("GET", "/traffic")[1]["sources"] == []


def test_one_request_can_be_followed(room):
    status, followed = room.ask("POST", "/traffic/follow", {"target": "default/web", "source": "Pod/default/client"})
    assert status == 200 and [hop["kind"] for hop in followed["hops"]] == ["dns", "dns", "service", "pod"] and followed["status"] == 200


@pytest.mark.parametrize("body", [{}, {"target": 3}, {"target": "a/b/c/d"}, {"target": "default/web", "source": "Node//x"},
                                  {"target": "https://x/"}, {"target": "default/web", "port": 70000}])
def test_what_cannot_be_followed_is_told(room, body):
    status, answer = room.ask("POST", "/traffic/follow", body)
    assert status == 400 and answer["error"]


def test_the_load_balancer_can_be_switched_off(room):
    assert room.ask("POST", "/load-balancer", {"on": False})[1] == {"on": False, "pool": ["192.168.1.200", "192.168.1.249"]}
    room.run("kubectl create service loadbalancer late --tcp=80")
    room.advance(2)
    assert "<pending>" in room.run("kubectl get service late")["stdout"]
    assert room.ask("POST", "/load-balancer", {"on": True})[1]["on"] is True
    room.advance(2)
    assert "192.168.1.201" in room.run("kubectl get service late")["stdout"]
