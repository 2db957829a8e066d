"""What a room does with those who mean it harm, and what others notice of it: nothing."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from server.cluster.cluster import Cluster
from server.cluster.machines import with_workers
from server.rooms import machines
from server.rooms.journal import Journal, all_rows, clock_of
from server.rooms.storage import Storage
from tests.rooms.conftest import ROOT, Server
from tests.rooms.test_rooms_http import NGINX, SERVICE


@pytest.mark.parametrize("body", ['{"target":"default/nginx-svc","rate":NaN}', '{"target":"default/nginx-svc","rate":-1}',
                                  '{"target":"default/nginx-svc","rate":Infinity}', '{"target":"default/nginx-svc","rate":1e9}',
                                  '{"target":"default/nginx-svc","rate":1' + "0" * 400 + "}", '{"target":"\\ud800/x","rate":1}', "[]", "{"])
def test_traffic_of_no_sensible_rate_is_refused(server, body):
    room = server.room()
    room.ask("POST", "/apply", SERVICE)
    status, answer = room.ask("POST", "/traffic", body)
    assert status == 400 and answer["error"]


@pytest.mark.parametrize("body", ['{"speed":NaN}', '{"advance":NaN}', '{"speed":Infinity}', '{"advance":1' + "0" * 400 + "}", '{"speed":true}'])
def test_a_clock_takes_only_numbers(server, body):
    assert server.room().ask("POST", "/clock", body)[0] == 400


@pytest.mark.parametrize("wishes", ['{"seed":1' + "0" * 30 + "}", '{"seed":1' + "0" * 5000 + "}", '{"seed":NaN}', '{"nodes":[{"name":"a..b"}]}',
                                    '{"nodes":[{"labels":{"a b":"c"}}]}'])
def test_wishes_that_no_cluster_can_have_are_refused_in_words(server, wishes):
    status, answer = server.ask("POST", "/api/rooms", wishes)
    assert status == 400 and answer["error"]


def test_stepping_does_not_run_off_to_the_end_of_time(server):
    room = server.room()
    room.ask("POST", "/clock", {"paused": True})
    room.begin("sleep 99999999999999")
    for _ in range(30):
        status, answer = room.ask("POST", "/clock", {"step": True})
    assert status == 400 and "nothing happens for a long time" in answer["error"]
    assert room.run("kubectl get nodes -o name")["exit_code"] == 0


@pytest.mark.parametrize("line", [
    """kubectl get pods -A -o go-template='{{printf "%1000000000d" 5}}'""", """kubectl get pods -A -o go-template='{{printf "%.1000000000f" 5.0}}'""",
    "kubectl get pods -A -o go-template='" + '{{$x := "aaaaaaaaaa"}}' + "{{$x = print $x $x $x $x $x $x $x $x}}" * 12 + "{{len $x}}'",
    "kubectl get pods -A -o go-template='" + "{{range $.items}}" * 9 + "x" + "{{end}}" * 9 + "'",
    "kubectl get pods -A -o go-template='{{range 1000000000}}{{end}}'",
    "kubectl get pods -A -o jsonpath='" + "{range .items[*]}{..[*]}" * 6 + "{end}" * 6 + "'",
    "curl -m abc http://x", "curl 'http://[::1'", "curl --max-time 1e400 http://x"])
def test_a_bomb_in_a_command_ends_in_words(server, line):
    answer = server.room().run(line)
    assert len(answer["stdout"]) < 5_000_000
    assert "failed inside Podium" not in answer["stderr"]
    assert server.ask("GET", "/healthz")[0] == 200


def test_half_a_surrogate_is_stored_as_go_stores_it_and_the_room_can_still_be_kept(server):
    room = server.room()
    room.run("kubectl create configmap c")
    path = f"/r/{room.name}/k8s/{room.key}/api/v1/namespaces/default/configmaps/c"
    for kind in ("merge-patch", "strategic-merge-patch"):
        status, answer = server.ask("PATCH", path, '{"data":{"a":"x\\ud800"}}', {"Content-Type": f"application/{kind}+json"})
        assert status == 200 and answer["data"]["a"] == "x\N{REPLACEMENT CHARACTER}"
    assert room.run("kubectl label cm c a=b")["exit_code"] == 0


def test_a_number_of_a_million_digits_is_refused_in_words(server):
    status, answer = server.room().ask("POST", "/apply", "a: " + "9" * 900_000)
    assert status == 200 and not answer["results"][0]["ok"]


def test_pages_of_other_sites_make_nothing_here(server):
    status, answer = server.ask("POST", "/api/rooms", "{}", {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"})
    assert status == 403 and answer["error"]


@pytest.mark.parametrize("path", ["/static/../server/app.py", "/static/..%2f..%2fetc/passwd", "/static//etc/passwd", "/%ff%fe/../../etc/passwd"])
def test_no_file_beside_the_pages_is_served(server, path):
    where = urlsplit(server.base)
    with socket.create_connection((where.hostname, where.port), timeout=20) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert line.recv(4096).split(b"\r\n")[0].split(b" ")[1] in (b"404", b"308")


def test_chunked_bodies_are_read_and_bounded_too(server):
    room, where = server.room(), urlsplit(server.base)
    for chunks, status in ((b"5\r\na: 1\n\r\n0\r\n\r\n", b" 200 "), ((b"100000\r\n" + b"x" * 0x100000 + b"\r\n") * 3 + b"80000\r\n" + b"x" * 0x80000
                                                                 + b"\r\n0\r\n\r\n", b" 413 ")):
        with socket.create_connection((where.hostname, where.port), timeout=20) as line:
            head = f"POST /r/{room.name}/apply?key={room.key} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            line.sendall(head.encode() + chunks)
            answer = line.recv(4096)
            assert status in answer.split(b"\r\n")[0] and b"no objects passed" not in answer


def test_the_headers_keep_other_scripts_out(server):
    import urllib.request

    room = server.room()
    with urllib.request.urlopen(room.made["url"]) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy and "unsafe-eval" not in policy and "frame-ancestors 'self'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    with urllib.request.urlopen(f"{room.made['kubernetes']}/api/v1/pods") as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_line_of_many_commands_in_a_paused_room_holds_up_nobody(server):
    room, innocent = server.room(), server.room()
    room.ask("POST", "/clock", {"paused": True})
    greedy = room.begin("kubectl get pods,nodes -A -o yaml;" * 12)
    served = 0
    while greedy.is_alive():
        assert innocent.run("echo hi")["stdout"] == "hi\n"
        served += 1
    assert served >= 10


def test_a_room_of_many_nodes_is_made_while_others_are_served(server):
    innocent = server.room()
    made = []
    maker = threading.Thread(target=lambda: made.append(server.room(nodes=500)))
    maker.start()
    served = 0
    while maker.is_alive():
        assert innocent.run("echo hi")["stdout"] == "hi\n"
        served += 1
    assert served >= 10
    assert sum(name.startswith("Node/") for name in made[0].scene()) == 501


@pytest.mark.parametrize("body", ['{"op":[]}', '{"op":{}}', '{"memory":"999999999999999Ti"}', '{"disk":"999999999999999Ti"}',
                                  '{"memory":1' + "0" * 30 + "}", '{"name":"a..b"}', '{"labels":{"a b":"c"}}', '{"labels":{"a":"c d"}}',
                                  '{"labels":{"a":"' + "v" * 64 + '"}}', '{"cpu":NaN}'])
def test_a_machine_that_cannot_be_is_refused_and_the_room_can_still_be_kept(server, body):
    room = server.room()
    status, answer = room.ask("POST", "/nodes", body)
    assert status == 400 and answer["error"]
    assert room.run("kubectl label node w1-k8s a=b")["exit_code"] == 0
    wishes = '{"nodes":[' + body + "]}"
    assert server.ask("POST", "/api/rooms", wishes)[0] == 400


def test_five_thousand_machines_are_described_in_one_go(monkeypatch):
    asked = []
    monkeypatch.setattr(machines, "with_workers", lambda count: (asked.append(count), with_workers(count))[1])
    assert len({spec.address for spec in machines.wanted("", [{}] * 5000, 5000)}) == 5000
    assert asked == [5000]


def test_thousands_of_objects_deleted_at_once_hold_up_nobody(server):
    room, innocent = server.room(), server.room()
    one = '{"metadata":{"name":"%s"},"data":{"a":"b"}}'
    path = f"/r/{room.name}/k8s/{room.key}/api/v1/namespaces/default/configmaps"
    for delete in (lambda: server.ask("DELETE", path), lambda: room.run("kubectl delete configmaps --all --wait=false")):
        for number in range(1500):
            assert server.ask("POST", path, one % f"c{number}")[0] == 201
        deleting = threading.Thread(target=delete)
        deleting.start()
        served = 0
        while deleting.is_alive():
            assert innocent.run("echo hi")["stdout"] == "hi\n"
            served += 1
        assert served >= 10
        assert len(server.ask("GET", path)[1]["items"]) <= 1


def test_what_could_not_be_written_is_written_the_next_time(tmp_path, monkeypatch):
    storage, cluster = Storage(str(tmp_path)), Cluster(1)
    storage.create("room", {"key": "k"}, clock_of(cluster, exact=True), all_rows(cluster))
    journal = Journal(storage, "room", cluster)
    cluster.client().create("configmaps", {"metadata": {"name": "kept", "namespace": "default"}})
    write = storage._write

    def full(room, rows):
        write(room, rows)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(storage, "_write", full)
    for flush in (journal.flush, journal.flush_exactly):
        with pytest.raises(sqlite3.OperationalError):
            flush()
    monkeypatch.setattr(storage, "_write", write)
    assert not any(name == "kept" for _, _, name, _ in storage.load("room")[2])
    journal.flush()
    assert any(name == "kept" for _, _, name, _ in storage.load("room")[2])


def test_a_data_folder_of_no_use_is_told_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    done = subprocess.run([sys.executable, "-m", "server", "--port", "0", "--data", str(tmp_path / "file" / "data")], capture_output=True, text=True,
                          timeout=60, cwd=ROOT)
    assert done.returncode == 1
    assert "rooms cannot be kept in" in done.stderr and "--data" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def crowded(tmp_path):
    running = Server(tmp_path / "data", "--max-awake-rooms", "1")
    yield running
    running.kill()


def _watch(room):
    where = urlsplit(room.server.base)
    line = socket.create_connection((where.hostname, where.port), timeout=20)
    line.sendall(f"GET /r/{room.name}/k8s/{room.key}/api/v1/configmaps?watch=1&resourceVersion=0 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"200 OK" in line.recv(100)
    return line


def test_a_watch_ends_in_order_when_its_room_has_to_make_place(crowded):
    room = crowded.room(seed=1)
    with _watch(room) as line:
        other = crowded.room(seed=2)
        heard = b""
        while not heard.endswith(b"0\r\n\r\n"):
            piece = line.recv(65_536)
            assert piece, "cut off without an end"
            heard += piece
    assert other.run("echo hi")["stdout"] == "hi\n"
    assert room.run("kubectl create configmap back")["exit_code"] == 0


def test_only_the_key_wakes_a_room(crowded):
    asleep, awake = crowded.room(seed=1), crowded.room(seed=2)
    with _watch(awake) as line:
        assert crowded.ask("GET", f"/r/{asleep.name}/scene?key=wrong")[0] == 403
        line.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while not line.recv(65_536).endswith(b"0\r\n\r\n"):
                pass
        assert asleep.ask("GET", "/scene")[0] == 200


def test_a_stopped_server_ends_its_watches_in_order(own_server):
    with _watch(own_server.room()) as line:
        assert own_server.stop() == 0
        heard = b""
        while piece := line.recv(65_536):
            heard += piece
        assert heard.endswith(b"0\r\n\r\n")


def test_a_power_cut_in_the_middle_of_a_rollout_loses_nothing(own_server):
    room = own_server.room(seed=9, speed=20)
    room.ask("POST", "/apply", NGINX.replace("replicas: 2", "replicas: 40"))
    room.run("kubectl set image deployment/nginx-deploy nginx=nginx:1.27")
    own_server.kill()
    own_server.start()
    room.advance(300)
    assert room.run("kubectl get deploy nginx-deploy --no-headers")["stdout"].split()[:4] == ["nginx-deploy", "40/40", "40", "40"]
    assert set(room.run("kubectl get pods -o jsonpath='{.items[*].spec.containers[0].image}'")["stdout"].split()) == {"nginx:1.27"}
