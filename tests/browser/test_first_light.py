"""The main job: a person pastes the notes' manifests and watches them become pods that answer; another person sees the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import apply, centre, open_tab, paste, pods, ready, run, things, until

pytestmark = pytest.mark.browser
SERVICE = "Service/default/nginx-svc"


def test_notes_manifests_become_pods_that_answer_traffic_and_everyone_sees_it(
        visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    other = visit(room["url"], width=1280, height=720, theme="light", locale="ko-KR")
    until(page, lambda: len(things(page, "Node")) == 4, "four nodes")
    picture(page, "1-new-cluster")

    assert "deployment.apps/nginx-deploy created" in apply(page, manifests["nginx-deploy.yml"])
    until(page, lambda: len(pods(page)) == 2, "two pods")
    assert "service/nginx-svc created" in apply(page, manifests["nginx-svc.yml"])
    page.wait_for_timeout(300)
    picture(page, "2-pulling")
    running = ready(page, 2)
    until(page, lambda: {one["pod"] for one in things(page, "Service")[SERVICE]["endpoints"] if one["ready"]} == set(running),
          "both pods as endpoints")
    ports = things(page, "Service")[SERVICE]["ports"][0]
    assert (ports["nodePort"], ports["port"], ports["targetPort"]) == (31472, 8080, 80)

    open_tab(page, "Traffic")
    page.locator(f"[data-service='{SERVICE}']").get_by_role("button", name="Start").click()
    until(page, lambda: any(source["ok"] > 0 for source in things(page, "Traffic").values()), "answered traffic")
    until(page, lambda: page.evaluate("podium.stage.motion.walks.length > 0"), "a request on its way")
    page.wait_for_timeout(700)
    picture(page, "3-traffic")

    until(other, lambda: things(other, "Traffic") and things(other, "Pod") == things(page, "Pod"), "the other browser to see the same")
    picture(other, "4-the-other-browser")
    assert page.locator("#people").inner_text() == "2"

    printed = run(page, "kubectl get pods")
    assert re.match(r"NAME +READY +STATUS +RESTARTS +AGE\n", printed)
    for thing in running:
        assert re.search(rf"^{thing.rsplit('/', 1)[1]} +1/1 +Running +0 ", printed, re.MULTILINE)

    page.mouse.click(*centre(page, next(iter(running))))
    head = page.locator("#panel-inspector h2")
    assert head.inner_text() in next(iter(running))
    page.get_by_role("tab", name="Why?").click()
    causes = page.locator(".chain li")
    until(page, lambda: causes.count() >= 3, "a chain of causes")
    assert any("nginx-deploy" in text and "Deployment" in text for text in causes.all_inner_texts())
    picture(page, "5-causes")


def test_an_image_that_does_not_exist_is_seen_and_explained(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str],
                                                            picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    apply(page, manifests["nginx-deploy.yml"].replace("nginx:latest", "nginx:1.200"))
    failing = until(page, lambda: [name for name, pod in pods(page).items() if pod["state"] == "imagepull"], "a failing pull")[0]
    page.mouse.move(*centre(page, failing))
    tip = page.locator("#tooltip")
    until(page, lambda: tip.is_visible() and "not found" in tip.inner_text(), "the tip to say why")
    picture(page, "6-image-pull")


def test_a_mistake_is_marked_while_typing_and_nothing_is_applied(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str]) -> None:
    page = visit(room["url"])
    paste(page, manifests["nginx-deploy.yml"].replace("replicas: 2", "replicas: two"))
    until(page, lambda: page.locator(".cm-lint-marker-error").count() == 1, "a mark in the gutter")
    assert not pods(page)
    assert "replicas" in apply(page, manifests["nginx-deploy.yml"].replace("replicas: 2", "replicas: two"))
    assert not things(page, "Deployment").get("Deployment/default/nginx-deploy")


def test_pause_stops_everything_for_everyone_and_a_second_can_be_let_pass(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page, other = visit(room["url"]), visit(room["url"])
    page.get_by_role("button", name="Pause").click()
    for each in (page, other):
        until(each, lambda each=each: each.evaluate("podium.time.paused"), "the clock to stop")
    before = page.evaluate("podium.time.now")
    page.get_by_role("button", name="Run until").click()
    page.get_by_role("menuitem", name="1 s", exact=True).click()
    until(page, lambda: abs(page.evaluate("podium.time.now") - before - 1) < 0.2, "one second to pass")
    page.get_by_role("button", name="Continue").click()
    until(other, lambda: not other.evaluate("podium.time.paused"), "the other clock to go on")


def test_a_browser_that_was_cut_off_catches_up(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str]) -> None:
    page, other = visit(room["url"]), visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.evaluate("podium.terminal.socket.io.engine.close()")
    apply(other, manifests["nginx-deploy.yml"])
    ready(other, 2)
    ready(page, 2)
    until(page, lambda: things(page, "Pod") == things(other, "Pod"), "the same scene again")


def test_the_terminal_completes_recalls_and_takes_a_paste(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    assert "m-k8s" in run(page, "k get nodes")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("podium.terminal.line.line") == "k get nodes"
    page.keyboard.press("Control+u")
    page.keyboard.type("kubectl get no")
    page.keyboard.press("Tab")
    until(page, lambda: page.evaluate("podium.terminal.line.line").startswith("kubectl get node"), "a completion")
    page.keyboard.press("Control+c")
    page.evaluate("podium.terminal.screen.paste('kubectl get ns\\nkubectl get svc\\n')")
    log = page.locator("#terminal-log")
    until(page, lambda: "kube-system" in log.inner_text() and "10.96.0.1" in log.inner_text(), "both answers")


def test_a_streaming_command_prints_as_it_happens_and_stops_on_ctrl_c(visit: Callable[..., Any], room: dict[str, str],
                                                                      manifests: dict[str, str]) -> None:
    page = visit(room["url"])
    page.locator("#terminal").click()
    page.keyboard.type("kubectl get pods -w\n")
    until(page, lambda: page.evaluate("podium.terminal.running !== null"), "the watch to run")
    apply(page, manifests["nginx-deploy.yml"])
    until(page, lambda: "ContainerCreating" in page.locator("#terminal-log").inner_text(), "the watch to print")
    page.locator("#terminal").click()
    page.keyboard.press("Control+c")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "the watch to end")


def test_the_start_page_makes_a_room_and_goes_there(browser: Any, base: str, picture: Callable[[Any, str], None]) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", locale="en-US")
    page = context.new_page()
    page.goto(base)
    page.wait_for_selector("body[data-ready]")
    picture(page, "0-start")
    page.get_by_role("button", name="Start a cluster").click()
    page.wait_for_selector("#stage")
    page.wait_for_selector("body[data-ready]")
    until(page, lambda: len(things(page, "Node")) == 4, "a cluster")
    context.close()
