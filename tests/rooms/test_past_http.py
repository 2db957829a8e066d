"""A room's past over HTTP and the live wire: the scene, the inspector and a terminal at a revision, forks, and running until something."""

from __future__ import annotations

from tests.live.test_hub import Browser
from tests.rooms.test_rooms_http import NGINX


def grown(server, **options):
    """A room with a Deployment of two that became five; the revisions before either."""
    room = server.room(seed=11, **options)
    before = room.ask("GET", "/timeline")[1]["last"]
    room.ask("POST", "/apply", NGINX)
    room.advance(30)
    two = room.ask("GET", "/timeline")[1]["last"]
    room.run("kubectl scale deployment nginx-deploy --replicas=5")
    room.advance(30)
    return room, before, two


def pods(scene):
    return [thing for thing in scene["things"].values() if thing["kind"] == "Pod" and thing["ns"] == "default"]


def test_the_scene_of_a_revision_is_that_of_then(server):
    room, before, two = grown(server)
    for revision, count in ((before, 0), (two, 2)):
        status, then = room.ask("GET", "/scene", revision=revision)
        assert status == 200 and len(pods(then)) == count
        assert then["storeRevision"] == revision == then["past"]["revision"] and then["clock"]["paused"]
        assert then["time"] == then["past"]["time"]
    assert len(pods(room.ask("GET", "/scene")[1])) == 5


def test_the_terminal_of_a_revision_reads_and_does_not_write(server):
    room, _, two = grown(server)

    def then(line):
        return room.ask("POST", "/terminal", {"line": line, "revision": two})[1]

    assert len(then("kubectl get pods --no-headers")["stdout"].splitlines()) == 2
    refused = then("kubectl delete deployment nginx-deploy")
    assert refused["exit_code"] == 1 and f"as it was at revision {two}" in refused["stderr"]
    for _ in range(40):
        assert then("kubectl get deploy -o name | wc -l")["stdout"] == "1\n"
    assert len(room.run("kubectl get pods --no-headers")["stdout"].splitlines()) == 5


def test_a_browser_types_in_the_past_beside_its_own_session(server):
    room, _, two = grown(server)
    one = Browser(room)
    try:
        one.client.emit("terminal.start", {"id": "a", "line": "kubectl get deploy nginx-deploy --no-headers", "revision": two})
        one.until(lambda: one.exits("a"), "the end")
        assert "2/2" in one.printed("a")
        assert "5/5" in one.run("b", "kubectl get deploy nginx-deploy --no-headers")
        one.client.emit("terminal.start", {"id": "c", "line": "ls", "revision": 10**9})
        one.until(lambda: one.exits("c") == [1], "a refusal")
        assert "yet to come" in one.printed("c")
    finally:
        one.client.disconnect()


def test_a_revision_that_is_not_kept_or_not_yet_there_is_refused_in_words(server):
    room = server.room()
    last = room.ask("GET", "/timeline")[1]["last"]
    for revision, code in ((last + 1, 400), ("x", 400), ("-1", 400), ("9" * 40, 400)):
        status, answer = room.ask("GET", "/scene", revision=revision)
        assert status == code and answer["error"], revision
    assert room.ask("GET", "/scene", revision=last)[0] == 200


def test_the_timeline_tells_acts_warnings_and_faults_and_where_it_was_busy(server):
    room, before, two = grown(server)
    room.run("kubectl run bad --image=nginx:nosuch9")
    room.advance(30)
    room.ask("POST", "/chaos", {"fault": "power", "target": "Node//w1-k8s"})
    room.advance(60)
    told = room.ask("GET", "/timeline")[1]
    kinds = {mark["kind"] for mark in told["marks"]}
    assert {"act", "warning", "node", "fault"} <= kinds
    acts = [mark for mark in told["marks"] if mark["kind"] == "act"]
    assert any(mark["thing"] == "Deployment/default/nginx-deploy" and mark["verb"] == "create" for mark in acts)
    assert any(mark["thing"] == "Pod/default/bad" for mark in acts)
    assert any("nosuch9" in mark.get("text", "") and mark["thing"] == "Pod/default/bad" for mark in told["marks"])
    assert 0 <= told["firstTime"] <= told["density"][0][0] and told["density"][-1][0] <= told["time"]
    assert sum(count for _, count in told["density"]) <= told["last"]
    assert all(mark["revision"] > two for mark in room.ask("GET", "/timeline", since=two)[1]["marks"] if mark["kind"] != "fault")
    times = [mark["time"] for mark in told["marks"]]
    assert times == sorted(times) and len(told["marks"]) <= 400


def test_a_fork_is_a_room_of_its_own_that_goes_on_from_then(server):
    room, _, two = grown(server)
    status, made = room.ask("POST", "/fork", {"revision": two, "paused": True})
    assert status == 201 and made["room"] != room.name
    fork = type(room)(server, made)
    assert "2/2" in fork.run("kubectl get deploy nginx-deploy --no-headers")["stdout"]
    fork.run("kubectl scale deployment nginx-deploy --replicas=1")
    fork.advance(30)
    assert "1/1" in fork.run("kubectl get deploy nginx-deploy --no-headers")["stdout"]
    assert "5/5" in room.run("kubectl get deploy nginx-deploy --no-headers")["stdout"]
    status, made = room.ask("POST", "/fork", {})
    assert status == 201 and "5/5" in type(room)(server, made).run("kubectl get deploy nginx-deploy --no-headers")["stdout"]
    assert room.ask("POST", "/fork", {"revision": 10**9})[0] == 400


def test_a_fork_survives_a_restart(own_server):
    room, _, two = grown(own_server)
    made = room.ask("POST", "/fork", {"revision": two})[1]
    own_server.kill()
    own_server.start()
    assert "2/2" in type(room)(own_server, made).run("kubectl get deploy nginx-deploy --no-headers")["stdout"]


def test_a_room_that_slept_still_knows_its_past(own_server):
    room, before, two = grown(own_server)
    own_server.stop()
    own_server.start()
    told = room.ask("GET", "/timeline")[1]
    assert told["first"] <= before and any(mark["thing"] == "Deployment/default/nginx-deploy" for mark in told["marks"])
    assert len(pods(room.ask("GET", "/scene", revision=two)[1])) == 2


def test_a_room_whose_server_was_killed_still_knows_its_past(own_server):
    room, before, two = grown(own_server)
    own_server.kill()
    own_server.start()
    told = room.ask("GET", "/timeline")[1]
    assert told["first"] <= before and any(mark["thing"] == "Deployment/default/nginx-deploy" for mark in told["marks"])
    assert len(pods(room.ask("GET", "/scene", revision=two)[1])) == 2


def test_a_step_goes_to_the_next_change(server):
    room = server.room(seed=2)
    room.ask("POST", "/clock", {"paused": True})
    room.ask("POST", "/apply", NGINX)
    for _ in range(5):
        before = room.ask("GET", "/timeline")[1]["last"]
        assert room.ask("POST", "/clock", {"step": True})[0] == 200
        assert room.ask("GET", "/timeline")[1]["last"] > before


def test_a_room_runs_until_what_is_asked_for_and_pauses_there(server):
    room = server.room(seed=2)
    room.ask("POST", "/clock", {"paused": True})
    room.ask("POST", "/apply", NGINX)
    status, told = room.ask("POST", "/clock", {"until": {"what": "condition", "thing": "Deployment/default/nginx-deploy", "condition": "Available"}})
    assert status == 200 and told["reached"] and told["paused"]
    status, told = room.ask("POST", "/clock", {"until": {"what": "ready"}})
    assert told["reached"] and "2/2" in room.run("kubectl get deploy nginx-deploy --no-headers")["stdout"]
    status, told = room.ask("POST", "/clock", {"until": {"what": "idle"}})
    assert told["reached"]
    room.run("kubectl run bad --image=nginx:nosuch9")
    status, told = room.ask("POST", "/clock", {"until": {"what": "ready", "thing": "Pod/default/bad", "limit": 120}})
    assert status == 200 and told["reached"] is False
    for wish in ({"what": "nonsense"}, {"what": "ready", "thing": "Pod/default/none"}, {"what": "condition", "thing": "Pod/default/bad"},
                 {"what": "ready", "limit": -1}):
        assert room.ask("POST", "/clock", {"until": wish})[0] == 400, wish


def test_the_inspector_of_a_revision_tells_what_was_then(server):
    room, before, two = grown(server)
    status, then = room.ask("GET", "/inspect", id="Deployment/default/nginx-deploy", revision=two)
    assert status == 200 and "replicas: 2" in then["yaml"] and "2 desired" in then["describe"]
    assert room.ask("GET", "/inspect", id="Deployment/default/nginx-deploy", revision=before)[0] == 404
    assert "replicas: 5" in room.ask("GET", "/inspect", id="Deployment/default/nginx-deploy")[1]["yaml"]
