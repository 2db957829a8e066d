"""The bounds of looking at the past: who asks for much waits, what makes no sense is refused in words, and the room itself stays as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.test_hub import Browser
from tests.rooms.test_past_http import grown

ODD = ("", "x", "-1", "nan", "inf", "1e400", "9" * 15, "9" * 400, "%C2%B2", "%00", "%FF", "%F0%9F%98%80", "Pod/", "Pod/default/", "//", "Fault//x",
       "Pod/default/a/b/c", "a" * 20_000)
READS = (("/scene", "revision"), ("/scene", "time"), ("/timeline", "since"), ("/replay", "revision"), ("/replay", "step"), ("/replay", "heard"),
         ("/why", "id"), ("/inspect", "id"), ("/inspect", "parts"), ("/metrics", "id"), ("/objects", "resource"), ("/objects", "offset"),
         ("/near", "ids"), ("/near", "revision"), ("/schema", "definition"), ("/names", "kind"), ("/export", "id"), ("/export", "namespace"))


@pytest.fixture(scope="module")
def old(server):
    """A paused room with some history, and a revision of it."""
    room, _, two = grown(server)
    room.ask("POST", "/clock", {"paused": True})
    return room, two


def kept(room):
    return room.run("kubectl get all,cm,secrets,nodes,events,leases,pv,pvc -A -o yaml")["stdout"], room.ask("GET", "/files")[1]


@pytest.mark.parametrize("path, name", READS)
def test_what_makes_no_sense_is_answered_in_words(old, path, name):
    room, _ = old
    for odd in ODD:
        status, answer = room.ask("GET", path, **{name: odd})
        assert status in (200, 400, 404, 410, 413) and (status == 200 or answer["error"]), (odd[:20], status, answer)


@pytest.mark.parametrize("value", ["NaN", "1e400", "-1", "true", "[]", '"x"', "1" + "0" * 400])
def test_a_wish_that_means_nothing_is_refused_in_words(old, value):
    room, _ = old
    for path, body in (("/clock", '{"speed": %s}'), ("/clock", '{"advance": %s}'), ("/clock", '{"until": {"what": "idle", "limit": %s}}'),
                       ("/terminal", '{"line": "ls", "revision": %s}'), ("/fork", '{"revision": %s}')):
        status, answer = room.ask("POST", path, body % value)
        assert status in (400, 410) and answer["error"], (path, status, answer)


def test_who_asks_for_one_revision_at_once_gets_it_and_who_asks_for_too_many_is_told(old):
    room, two = old

    def status(revision):
        return room.ask("GET", "/scene", revision=revision)[0]

    with ThreadPoolExecutor(40) as asking:
        assert set(asking.map(status, [two] * 40)) == {200}
        assert set(asking.map(status, range(two - 40, two))) <= {200, 429}
    assert status(two) == 200


@pytest.mark.parametrize("line", [
    "kubectl apply -f web-deploy.yaml", "kubectl delete deployment nginx-deploy", "kubectl edit deployment nginx-deploy",
    "kubectl patch deployment nginx-deploy -p '{\"spec\":{\"replicas\":9}}'", "kubectl run x --image=nginx",
    "kubectl drain w1-k8s --ignore-daemonsets",
    "kubectl exec deploy/nginx-deploy -- touch /x", "kubectl cp web-deploy.yaml $(kubectl get pods -o name | head -1 | cut -d/ -f2):/x",
    "kubectl port-forward deploy/nginx-deploy 8080:80", "kubectl expose deployment nginx-deploy --port=80",
    "kubectl taint node w1-k8s a=b:NoSchedule",
    "kubectl rollout restart deployment nginx-deploy", "kubectl create token default", "kubectl set image deploy/nginx-deploy '*=nginx:1'",
    "kubectl debug w1-k8s --image=busybox", "kubectl replace --force -f web-deploy.yaml"])
def test_nothing_that_is_typed_in_the_past_changes_it_or_the_room(old, line):
    room, two = old
    before = kept(room)
    told = f"echo x > web-deploy.yaml; kubectl get deploy nginx-deploy -o yaml > web-deploy.yaml; {line}"
    status, answer = room.ask("POST", "/terminal", {"line": told, "revision": two})
    assert status == 200 and answer["exit_code"] != 0 and answer["stderr"], answer
    assert "2/2" in room.ask("POST", "/terminal", {"line": "kubectl get deploy nginx-deploy --no-headers", "revision": two})[1]["stdout"]
    assert kept(room) == before


def test_a_dry_run_in_the_past_is_answered_as_it_would_have_been(old):
    room, two = old
    line = ("kubectl scale deployment nginx-deploy --replicas=7 --dry-run=server -o jsonpath='{.spec.replicas}';"
            "kubectl create configmap a --dry-run=server")
    told = room.ask("POST", "/terminal", {"line": line, "revision": two})[1]
    assert told["stdout"].startswith("7") and "configmap/a created (server dry run)" in told["stdout"], told
    assert "NotFound" in room.ask("POST", "/terminal", {"line": "kubectl get configmap a", "revision": two})[1]["stderr"]


@pytest.mark.parametrize("line", ["sleep 100", "while :; do :; done", "yes > /dev/null", "kubectl get pods --watch",
                                  "kubectl wait --for=delete deploy/nginx-deploy"])
def test_what_waits_for_time_to_pass_in_the_past_ends_at_once_with_words(old, line):
    room, two = old
    answer = room.ask("POST", "/terminal", {"line": line, "revision": two})[1]
    assert answer["exit_code"] == 124 and "in the past" in answer["stderr"], answer


def test_a_browser_that_names_no_revision_types_nowhere(old):
    room, _ = old
    one = Browser(room)
    try:
        for number, revision in enumerate(("5", 1.5, True, [1], -1)):
            one.client.emit("terminal.start", {"id": f"n{number}", "line": "touch wrong", "revision": revision})
            one.until(lambda: one.exits(f"n{number}") == [1], "a refusal")  # noqa: B023 - asked at once
    finally:
        one.client.disconnect()
    assert "wrong" not in room.run("ls")["stdout"]


def test_directories_lie_in_one_another_only_so_deep(old):
    room, _ = old
    status, answer = room.ask("PUT", "/files/" + "a/" * 1900 + "b", "x")
    assert status == 400 and "File name too long" in answer["error"]
    assert "File name too long" in room.run("mkdir -p " + "b/" * 1900)["stderr"]
    assert room.ask("PUT", "/files/c/" + "d/" * 40 + "e", "x")[0] == 200
