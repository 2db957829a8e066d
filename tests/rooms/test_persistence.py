"""Rooms outlive the server: an ordered stop, and a power cut."""

import subprocess
import sys

from tests.rooms.conftest import ROOT, Server


def test_a_room_comes_back_after_a_stop_and_goes_on(own_server):
    room = own_server.room(seed=3)
    room.run("kubectl create deployment web --image=nginx --replicas=3")
    room.advance(2)
    before = room.run("kubectl get deploy,rs,pods,svc -A -o name")["stdout"]
    assert own_server.stop() == 0
    own_server.start()
    assert room.run("kubectl get deploy,rs,pods,svc -A -o name")["stdout"] == before
    room.advance(60)
    assert room.run("kubectl get deploy web --no-headers")["stdout"].split()[:2] == ["web", "3/3"]


def test_every_acknowledged_write_survives_a_power_cut(own_server):
    room = own_server.room(seed=4, speed=1)
    for number in range(20):
        assert room.run(f"kubectl create configmap c{number} --from-literal=a={number}")["exit_code"] == 0
    assert room.ask("POST", "/apply", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: nginx}]}")[0] == 200
    status, _ = own_server.ask("POST", f"/r/{room.name}/k8s/{room.key}/api/v1/namespaces/default/configmaps",
                               {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "raw"}})
    assert status == 201
    own_server.kill()
    own_server.start()
    names = room.run("kubectl get cm,pods -o name")["stdout"].split()
    assert {f"configmap/c{number}" for number in range(20)} | {"configmap/raw", "pod/web"} <= set(names)
    room.advance(60)
    assert "1/1" in room.run("kubectl get pod web")["stdout"]


def test_what_was_deleted_stays_deleted_after_a_power_cut(own_server):
    room = own_server.room(seed=4)
    room.run("kubectl create configmap gone --from-literal=a=1")
    room.run("kubectl delete configmap gone")
    own_server.kill()
    own_server.start()
    assert room.run("kubectl get cm gone")["exit_code"] == 1


def test_a_second_server_does_not_share_the_port(own_server):
    port = own_server.base.rsplit(":", 1)[1]
    second = subprocess.run([sys.executable, "-m", "server", "--port", port, "--data", str(own_server.data) + "2"], capture_output=True, text=True,
                            timeout=60, cwd=ROOT)
    assert second.returncode == 1 and "choose another with --port" in second.stderr


def test_a_room_that_nobody_uses_sleeps_and_wakes_when_asked(tmp_path):
    server = Server(tmp_path / "data", "--max-awake-rooms", "2")
    try:
        rooms = [server.room(seed=number) for number in range(4)]
        for number, room in enumerate(rooms):
            room.run(f"kubectl create configmap mine{number}")
        for number, room in enumerate(rooms):
            assert f"configmap/mine{number}" in room.run("kubectl get cm -o name")["stdout"]
    finally:
        server.kill()
