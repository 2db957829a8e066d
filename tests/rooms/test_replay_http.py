"""Replays and acts over a room's HTTP interface."""


def test_what_a_person_did_is_listed_and_replayed_from_any_of_its_revisions(server):
    room = server.room(seed=1)
    room.run("kubectl create deployment web --image=nginx")
    room.run("kubectl get pods")
    room.advance(10)
    status, told = room.ask("GET", "/acts")
    made = next(one for one in told["acts"] if one["sort"] == "write")
    assert status == 200 and (made["client"], made["verb"], made["thing"]) == ("kubectl", "create", "Deployment/default/web")
    status, story = room.ask("GET", "/replay", revision=made["revision"])
    assert status == 200 and story["root"] == made["revision"] and len(story["steps"]) > 10
    assert room.ask("GET", "/replay", revision=story["steps"][-1]["revision"])[1]["root"] == made["revision"]
    status, step = room.ask("GET", "/replay", step=made["revision"])
    assert status == 200 and "image: nginx" in step["sent"] and any(by == "defaulting" for _, by in step["stored"])
    read = next(one for one in told["acts"] if one["sort"] == "read" and one["resource"] == "pods")
    assert room.ask("GET", "/replay", heard=read["heard"])[1]["steps"][0]["read"]
    assert room.ask("GET", "/replay", heard=read["heard"], step="")[1]["answer"]["code"] == 200


def test_what_is_not_kept_and_what_is_no_number_is_refused_with_a_reason(server):
    room = server.room(seed=1)
    assert [room.ask("GET", "/replay", **{name: 9_999_999})[0] for name in ("revision", "step", "heard")] == [410, 410, 410]
    for name in ("revision", "step", "heard"):
        for value in ("abc", "-1", "9" * 40):
            status, answer = room.ask("GET", "/replay", **{name: value})
            assert status == 400 and "number" in answer["error"]
    assert server.ask("GET", f"/r/{room.name}/acts?key=wrong")[0] in (401, 403)


def test_what_the_page_looks_up_by_itself_is_nobodys_act(server):
    room = server.room(seed=1)
    room.ask("GET", "/inspect", id="Node//w1-k8s", part="describe")
    room.ask("POST", "/apply", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", dry_run="1")
    assert room.ask("GET", "/acts")[1]["acts"] == []
