"""The rooms' HTTP interface, as its clients see it."""

import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest

NGINX = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deploy
spec:
  replicas: 2
  selector:
    matchLabels: {app: nginx}
  template:
    metadata:
      labels: {app: nginx}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: nginx-svc
spec:
  type: NodePort
  ports:
  - port: 8080
    nodePort: 31472
    targetPort: 80
  selector:
    app: nginx
"""


def test_a_new_room_is_a_kubeadm_cluster(server):
    room = server.room(seed=7)
    assert room.made["url"] == f"{server.base}/r/{room.name}?key={room.key}"
    assert room.made["kubernetes"] == f"{server.base}/r/{room.name}/k8s/{room.key}"
    nodes = room.run("kubectl get nodes -o name")["stdout"].split()
    assert nodes == ["node/m-k8s", "node/w1-k8s", "node/w2-k8s", "node/w3-k8s"]


def test_apply_answers_a_result_a_document_and_the_pods_come_up(server):
    room = server.room(seed=1)
    status, answer = room.ask("POST", "/apply", NGINX + "---\n" + SERVICE)
    assert status == 200
    assert [result["message"] for result in answer["results"]] == ["deployment.apps/nginx-deploy created", "service/nginx-svc created"]
    assert [result["line"] for result in answer["results"]] == [1, 19]
    room.advance(30)
    things = room.scene()
    pods = [thing for name, thing in things.items() if name.startswith("Pod/default/")]
    assert [pod["state"] for pod in pods] == ["ready", "ready"]
    assert [endpoint["ready"] for endpoint in things["Service/default/nginx-svc"]["endpoints"]] == [True, True]
    assert room.ask("POST", "/apply", NGINX)[1]["results"][0]["message"] == "deployment.apps/nginx-deploy unchanged"


def test_curl_reaches_the_pods_through_a_node_port(server):
    room = server.room(seed=1)
    room.ask("POST", "/apply", NGINX + "---\n" + SERVICE)
    room.advance(30)
    assert "Welcome to nginx!" in room.run("curl 192.168.1.102:31472")["stdout"]
    refused = room.run("curl 192.168.1.102:31473")
    assert refused["exit_code"] == 7 and "Couldn't connect to server" in refused["stderr"]


def test_traffic_is_counted_where_it_goes_and_where_it_fails(server):
    room = server.room(seed=1)
    room.ask("POST", "/apply", NGINX + "---\n" + SERVICE)
    room.advance(30)
    status, made = room.ask("POST", "/traffic", {"target": "default/nginx-svc", "rate": 100})
    assert status == 200
    room.advance(2)
    source = room.scene()[f"Traffic//{made['id']}"]
    assert source["ok"] == 100 and source["failed"] == 0
    assert sum(path["rate"] for path in source["paths"]) == pytest.approx(100)
    room.run("kubectl scale deploy nginx-deploy --replicas=0")
    room.advance(60)
    source = room.scene()[f"Traffic//{made['id']}"]
    assert source["failed"] == 100 and source["error"]["text"]
    room.ask("POST", "/traffic", {"target": "default/nginx-svc", "rate": 0})
    assert not any(name.startswith("Traffic/") for name in room.scene())


def test_the_clock_pauses_steps_and_runs_ahead(server):
    room = server.room()
    assert room.ask("POST", "/clock", {"paused": True})[1]["paused"] is True
    before = room.ask("POST", "/clock", {})[1]["time"]
    assert room.ask("POST", "/clock", {"advance": 1000})[1]["time"] == pytest.approx(before + 1000)
    assert room.ask("POST", "/clock", {"speed": 5})[1]["speed"] == 5
    for wrong in ({"speed": 0}, {"speed": "fast"}, {"advance": -1}, {"advance": 1e12}, {"paused": "yes"}):
        status, answer = room.ask("POST", "/clock", wrong)
        assert status == 400 and answer["error"], wrong


def test_a_paused_room_still_takes_commands(server):
    room = server.room()
    room.ask("POST", "/clock", {"paused": True})
    assert room.run("kubectl run web --image=nginx")["stdout"] == "pod/web created\n"
    assert "Pending" in room.run("kubectl get pod web")["stdout"]


def test_only_the_key_opens_a_room(server):
    room = server.room()
    assert server.ask("GET", f"/r/{room.name}/scene")[0] == 403
    assert server.ask("GET", f"/r/{room.name}/scene?key=wrong")[0] == 403
    assert server.ask("GET", "/r/nosuchroom/scene?key=x")[0] == 404
    assert server.ask("GET", f"/r/{room.name}/k8s/wrong/api/v1/pods")[0] == 401


@pytest.mark.parametrize("wishes", [{"preset": "nosuch"}, {"nodes": 0}, {"nodes": "many"}, {"nodes": [{"cpu": "x"}]}, {"seed": "x"}, {"speed": -1},
                                    {"nodes": [{"name": "Bad_Name"}]}, {"nodes": 10**9}])
def test_bad_wishes_for_a_room_are_refused_in_words(server, wishes):
    status, answer = server.ask("POST", "/api/rooms", wishes)
    assert status == 400 and answer["error"]


def test_nodes_may_be_described(server):
    room = server.room(nodes=[{"name": "big", "cpu": 64, "memory": "256Gi", "labels": {"disk": "ssd"}}, {}])
    nodes = {name: thing for name, thing in room.scene().items() if name.startswith("Node/")}
    assert nodes["Node//big"]["cpu"] == 64_000 and nodes["Node//big"]["labels"]["disk"] == "ssd"
    assert len(nodes) == 2


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8))


@pytest.mark.parametrize(("text", "says"), [
    ("a: b\n\tc: d", "tab"),
    ("kind: Pod\nmetadata:\n name: x\n  labels: y", "yaml: line"),
    (BOMB, ""),
    ("[" * 50_000, ""),
    ("{" * 5000, ""),
    ("just text", ""),
    ("", "no objects passed to apply"),
    ("apiVersion: v1\nkind: Nosuch\nmetadata: {name: x}", 'no matches for kind "Nosuch" in version "v1"'),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 5}", "cannot unmarshal"),
    (NGINX.replace("replicas: 2", "replicas: -2"), "must be greater than or equal to 0"),
    (NGINX.replace("replicas: 2", "replicsa: 2"), 'unknown field "spec.replicsa"'),
])
def test_bad_yaml_gets_the_real_error_and_changes_nothing(server, text, says):
    room = server.room()
    before = room.run("kubectl get all -A -o name")["stdout"]
    status, answer = room.ask("POST", "/apply", text)
    assert status == 200
    assert answer["results"][0]["ok"] is False
    assert says in answer["results"][0]["error"]
    assert answer["results"][0]["line"] >= 1
    assert room.run("kubectl get all -A -o name")["stdout"] == before


def test_errors_name_the_place(server):
    room = server.room()
    result = room.ask("POST", "/apply", NGINX.replace("replicas: 2", "replicas: many"))[1]["results"][0]
    assert (result["line"], result["field"]) == (6, "spec.replicas")
    result = room.ask("POST", "/apply", NGINX.replace("containerPort: 80", "containerPort: 80000"))[1]["results"][0]
    assert (result["line"], result["field"]) == (17, "spec.template.spec.containers[0].ports[0].containerPort")


def test_a_dry_run_checks_and_changes_nothing(server):
    room = server.room()
    answer = room.ask("POST", "/apply", NGINX, dry_run=1)[1]
    assert answer["results"][0]["ok"] is True
    assert "not found" in room.run("kubectl get deploy nginx-deploy")["stderr"]


def test_bodies_that_are_too_large_are_refused(server):
    room = server.room()
    assert room.ask("POST", "/apply", "#" * 2_000_000)[0] == 413
    assert room.ask("POST", "/apply", b"x" * 4_000_000)[0] == 413
    assert room.ask("POST", "/terminal", {"line": "x" * 100_000})[0] == 413
    assert room.ask("POST", "/terminal", {"line": 5})[0] == 400
    assert room.ask("POST", "/terminal", b"\xff\xfe")[0] == 400
    assert room.ask("POST", "/apply", b"\xff\xfe")[0] == 400


def test_a_waiting_command_holds_up_nobody(server):
    room, other = server.room(), server.room()
    room.ask("POST", "/clock", {"paused": True})
    waiting = room.begin("kubectl wait --for=condition=Ready pod/nosuch --timeout=5s; timeout 2 kubectl get pods -w")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: other.run("kubectl get nodes -o name")["exit_code"], range(16)))
    assert answers == [0] * 16
    room.ask("POST", "/clock", {"advance": 10})
    waiting.join(30)
    assert not waiting.is_alive()


def test_too_many_commands_at_once_are_refused(server):
    room = server.room()
    room.ask("POST", "/clock", {"paused": True})
    with ThreadPoolExecutor(24) as pool:
        running = [pool.submit(room.ask, "POST", "/terminal", {"line": "sleep 3"}) for _ in range(24)]
        refused = list(islice(as_completed(running, timeout=30), 8))
        assert [future.result()[0] for future in refused] == [429] * 8
        room.ask("POST", "/clock", {"advance": 5})
        room_statuses = sorted(future.result()[0] for future in running)
    assert room_statuses.count(200) == 16 and room_statuses.count(429) == 8


@pytest.mark.parametrize(("line", "says", "code"), [
    ("nosuch", "bash: nosuch: command not found", 127), ("kubectl get pods | grep x", "No resources found in default namespace.", 1),
    ("echo 'a", "unexpected EOF while looking for matching", 2), ("cat nosuch", "No such file or directory", 1), ("; ls", "syntax error", 2),
    ("curl", "try 'curl --help'", 2), ("curl ftp://x", "is not simulated", 1), ("kubectl nosuch", 'unknown command "nosuch"', 1)])
def test_the_terminal_says_what_it_cannot_do(server, line, says, code):
    answer = server.room().run(line)
    assert says in answer["stderr"] and answer["exit_code"] == code


def test_the_terminal_joins_commands_and_stops_them(server):
    room = server.room()
    assert room.run("echo a && echo b; false; echo c || echo d")["stdout"] == "a\nb\nc\n"
    assert room.run("cat > m.yml <<EOF\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}\nEOF\nkubectl apply -f m.yml\n"
                    "for i in 1 2; do kubectl get cm m -o name; done")["stdout"] == "configmap/m created\nconfigmap/m\nconfigmap/m\n"
    answer = room.run("timeout 3 kubectl get pods -A -w")
    assert answer["exit_code"] == 124 and "kube-system" in answer["stdout"]


def test_the_workstations_files_survive_a_power_cut_and_are_the_editors(own_server):
    room = own_server.room()
    room.run("echo kept > note; rm pod.yaml; cd /tmp")
    assert room.ask("PUT", "/files/dir/a.yaml", "kind: Pod\n")[0] == 200
    own_server.kill()
    own_server.start()
    assert room.run("pwd; cat note dir/a.yaml")["stdout"] == "/root\nkept\nkind: Pod\n"
    assert room.ask("GET", "/files/pod.yaml")[0] == 404 and room.ask("GET", "/files/note") == (200, "kept\n")
    names = [entry["name"] for entry in room.ask("GET", "/files")[1]["files"]]
    assert "note" in names and "dir/a.yaml" in names and "pod.yaml" not in names
    assert room.ask("DELETE", "/files/note")[0] == 200 and room.run("cat note")["exit_code"] == 1
    assert room.ask("PUT", "/files/..%2F..%2Fetc%2Fpasswd", "x")[0] in (400, 404)
    assert room.ask("PUT", "/files/large", "x" * 2_000_000)[0] == 413


def test_the_address_bar_opens_what_a_browser_outside_would(server):
    room = server.room()
    room.run("kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80 --type=NodePort")
    room.advance(20)
    port = room.run("kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}'")["stdout"]
    status, seen = room.ask("POST", "/browse", {"url": f"192.168.1.102:{port}"})
    assert (status, seen["status"]) == (200, 200) and "Welcome to nginx!" in seen["body"] and seen["hops"][0]["what"] == "w2-k8s"
    assert room.ask("POST", "/browse", {"url": "192.168.1.102:30001"})[1]["error"]["code"] == "ERR_CONNECTION_REFUSED"
    for wrong in ({}, {"url": 5}, {"url": "ftp://x"}, {"url": "x" * 5000}, {"url": "x", "insecure": 3}):
        assert room.ask("POST", "/browse", wrong)[0] == 400


def test_the_kubeconfig_leads_to_the_rooms_api(server):
    room = server.room()
    status, text = room.ask("GET", "/kubeconfig")
    assert status == 200 and room.made["kubernetes"] in text


def test_inspecting_a_pod_tells_whose_act_it_goes_back_to(server):
    room = server.room()
    room.ask("POST", "/apply", NGINX)
    room.advance(20)
    pod = next(name for name in room.scene() if name.startswith("Pod/default/"))
    status, found = room.ask("GET", "/inspect", id=pod)
    assert status == 200
    assert "Successfully assigned" in found["describe"] and found["yaml"].startswith("apiVersion: v1\n")
    assert "Scheduled" in [event["reason"] for event in found["events"]]
    first = found["causes"][-1]
    assert (first["client"], first["thing"], first["because"]) == ("kubectl", "Deployment/default/nginx-deploy", None)
    assert {"kube-scheduler", "kubelet", "replicaset-controller"} <= {cause["client"] for cause in found["causes"]}
    assert room.ask("GET", "/inspect", id="Pod/default/nosuch")[0] == 404
    assert room.ask("GET", "/inspect", id="nonsense")[0] == 404


def test_equal_seeds_give_equal_rooms(server):
    rooms = [server.room(seed=11) for _ in range(2)]
    names = []
    for room in rooms:
        room.ask("POST", "/clock", {"paused": True})
        room.ask("POST", "/apply", NGINX)
        room.advance(30)
        names.append(room.run("kubectl get pods -o name")["stdout"])
    assert names[0] == names[1]
    assert json.dumps(sorted(rooms[0].scene())) == json.dumps(sorted(rooms[1].scene()))
