"""What a person reads off the page: why a pod waits, where traffic goes, what to do first, and all of it in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import open_tab, pods, post, ready, run, select, things, until

pytestmark = pytest.mark.browser


def deployment(name: str, replicas: int = 1, requests: str = "{}", image: str = "nginx", label: str = "") -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {label or name}}}}}
  template:
    metadata: {{labels: {{app: {label or name}}}}}
    spec:
      containers: [{{name: main, image: "{image}", resources: {{requests: {requests}}}}}]
"""


def service(name: str, label: str = "") -> str:
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {label or name}}}, ports: [{{port: 80}}]}}
"""


def box(page: Any, thing: str) -> dict[str, float]:
    return page.evaluate("id => podium.stage.camera.box(podium.stage.layout.box(id))", thing)


def test_a_pod_that_no_node_takes_is_explained_by_node_and_plugin(visit: Callable[..., Any], room: dict[str, str],
                                                            picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", deployment("big", requests='{cpu: "3"}'))
    for locale, heading, words in (("en-US", "Why", ("requests 3", "taint", "node-role.kubernetes.io/control-plane")),
                                   ("ko-KR", "이유", ("요청 3", "테인트", "node-role.kubernetes.io/control-plane"))):
        page = visit(room["url"], locale=locale, width=1280, height=720)
        waiting = until(page, lambda page=page: [name for name, pod in pods(page).items() if pod["state"] == "unscheduled"], "a pod in the tray")
        select(page, waiting[0])
        why = page.get_by_role("region", name=heading)
        until(page, lambda why=why: why.locator("tbody").count() == 2, "a row a verdict")
        text = why.inner_text()
        assert all(word in text for word in (*words, "m-k8s", "w3-k8s", "0/4 nodes are available")), text
        marks = [[cell.get_attribute("class") for cell in row.locator("tr").first.locator("td").all()] for row in why.locator("tbody").all()]
        assert marks == [["refused", "unasked"], ["passed", "refused"]]
        picture(page, f"8-why-{locale}")


def test_a_crashing_pod_shows_why_and_its_logs(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl run crash --image=busybox -- sh -c 'echo I start; exit 1'"})
    post(room, "clock", {"advance": 66})
    page = visit(room["url"])
    until(page, lambda: [pod for pod in pods(page).values() if pod["state"] == "crashloop"], "a crash loop")
    select(page, "Pod/default/crash")
    until(page, lambda: "keeps ending" in page.locator(".why").inner_text() if page.locator(".why").count() else False, "the sentence")
    page.get_by_role("tab", name="Logs").click()
    until(page, lambda: "I start" in page.locator("#inspect-body").inner_text(), "its log")


def test_a_service_one_label_off_names_the_pods_it_misses(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", deployment("api", 2, label="api-service") + service("api-svc"))
    post(room, "clock", {"advance": 10})
    page = visit(room["url"])
    ready(page, 2)
    select(page, "Service/default/api-svc")
    until(page, lambda: page.locator(".why li").count() == 2, "both pods")
    assert "api-service" in page.locator(".why").inner_text()
    select(page, "Service/default/kubernetes")
    until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "kubernetes", "the other Service")
    assert "0/0" not in page.locator("#panel-inspector").inner_text()


def test_traffic_stands_beside_the_service_it_asks_and_says_where_it_dies(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", service("first") + service("second"))
    post(room, "traffic", {"target": "default/second", "port": 80, "rate": 2})
    page = visit(room["url"])
    source = until(page, lambda: next((name for name, one in things(page, "Traffic").items() if one.get("error")), None), "failing traffic")
    there, here = box(page, "Service/default/second"), box(page, source)
    assert abs((there["y"] + there["h"] / 2) - (here["y"] + here["h"] / 2)) < 1
    open_tab(page, "Traffic")
    assert "fail" in page.locator("[data-service='Service/default/second']").inner_text()


def test_everything_is_in_view_and_nothing_overlaps_however_much_there_is(visit: Callable[..., Any], room: dict[str, str],
                                                                          picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", "".join(service(f"a-service-with-a-long-name-{i}") for i in range(20)) + "".join(deployment(f"web-{i}", 0) for i in range(9)))
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Deployment")) >= 9, "the workloads")
    names = [name for kind in ("Service", "Deployment", "Node") for name, one in things(page, kind).items()
             if kind == "Node" or (one["ns"] == "default" and not one.get("system"))]
    assert len(names) == 33
    view = page.evaluate("podium.stage.camera.view")
    boxes = [box(page, name) for name in names]
    for one in boxes:
        assert one["x"] >= 0 and one["y"] >= view["y"] and one["x"] + one["w"] <= view["w"] and one["y"] + one["h"] <= view["y"] + view["h"]
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert (one["x"] >= other["x"] + other["w"] or other["x"] >= one["x"] + one["w"] or one["y"] >= other["y"] + other["h"]
                    or other["y"] >= one["y"] + one["h"])
    picture(page, "9-many")


def test_an_empty_cluster_says_what_to_do_and_then_steps_aside(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    hint = page.locator("#empty")
    until(page, hint.is_visible, "the hint")
    hint.get_by_role("button", name="kubectl run").click()
    ready(page, 1)
    assert not hint.is_visible()


def test_help_tells_the_marks_and_how_to_come_in_with_ones_own_kubectl(visit: Callable[..., Any], room: dict[str, str],
                                                                       picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"], width=1280, height=720)
    page.get_by_role("button", name="Help").click()
    dialog = page.get_by_role("dialog")
    text = dialog.inner_text()
    download = room["url"].replace("?", "/kubeconfig?", 1)
    for word in ("Marks", "Lines", "Traffic", "Terminal", "Clock", "Crash loop", "Node lost", f"curl -o podium.yaml '{download}'"):
        assert word in text, word
    picture(page, "10-help")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_phone_gets_one_column_that_does_not_scroll(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"], width=390, height=844)
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [390, 844]
    stage, side = (page.locator(name).bounding_box() for name in ("#stage", "#side"))
    assert stage["width"] == side["width"] == 390 and side["y"] >= stage["y"] + stage["height"]
    page.locator("#fold-bottom").click()
    assert run(page, "kubectl get nodes").startswith("NAME")
    picture(page, "11-phone")


def test_a_room_that_cannot_be_joined_any_more_says_so(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.evaluate("podium.terminal.socket.auth.key = 'another'; podium.terminal.socket.disconnect().connect()")
    gone = page.locator("#gone")
    until(page, gone.is_visible, "the notice")
    assert gone.get_by_role("link").get_attribute("href") == "/"


def test_show_me_deploys_a_web_app_by_kubectl_and_sends_it_traffic(visit: Callable[..., Any], room: dict[str, str],
                                                                  picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    until(page, page.locator("#show-me").is_visible, "the offer")
    page.locator("#show-me").click()
    until(page, lambda: [one for one in things(page, "Traffic").values() if one["ok"] > 0], "answered traffic")
    log = page.locator("#terminal-log").inner_text()
    assert "deployment.apps/web created" in log and "service/web exposed" in log
    hint = page.locator("#empty")
    picture(page, "45-first-visit")
    hint.get_by_role("button", name="Delete its pods").click()
    until(page, lambda: "deleted" in page.locator("#terminal-log").inner_text(), "the command")
    hint.get_by_role("button", name="Close").click()
    assert not hint.is_visible()
