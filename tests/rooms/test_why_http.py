"""Why? over a room's HTTP interface, now and as it was."""

from urllib.parse import quote

POD = "{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 1900m}}}]}}"


def test_the_answer_about_a_thing_is_given_and_what_is_not_there_is_404(server):
    room = server.room(seed=1)
    room.ask("POST", "/apply", POD)
    room.advance(10)
    status, told = room.ask("GET", "/why", id=quote("Pod/default/big"))
    assert status == 200 and (told["question"], told["reasons"][0]["code"]) == ("pending", "unschedulable")
    assert [one["client"] for one in told["chain"]["steps"]] == ["kubectl", "kube-scheduler"] and told["chain"]["root"] == "person"
    for thing in ("Pod/default/nope", "Nonsense", "", "x" * 5000):
        status, answer = room.ask("GET", "/why", id=quote(thing))
        assert status == 404 and answer["error"]


def test_an_answer_can_be_had_of_a_kept_revision(server):
    room = server.room(seed=1)
    room.ask("POST", "/apply", POD)
    room.advance(10)
    _, then = room.ask("GET", "/why", id=quote("Pod/default/big"))
    room.ask("POST", "/terminal", {"line": "kubectl delete pod big"})
    room.advance(5)
    assert room.ask("GET", "/why", id=quote("Pod/default/big"))[1]["question"] == "gone"
    status, past = room.ask("GET", "/why", id=quote("Pod/default/big"), revision=then["revision"])
    assert status == 200 and past["question"] == "pending" and past["revision"] == then["revision"]
    assert [one["code"] for one in past["chain"]["steps"]] == [one["code"] for one in then["chain"]["steps"]]
