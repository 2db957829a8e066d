"""From one part of the page to another: each mark, word and sentence is a way to what it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import centre, post, run, select, things, until
from tests.browser.test_time import act, looked_at, place

pytestmark = pytest.mark.browser
WEB = "Deployment/default/web"
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: wep}, ports: [{port: 80}]}
"""


@pytest.fixture
def story(room: dict[str, str]) -> dict[str, str]:
    """A Deployment that was scaled, a Service whose selector has a slip, a pod whose image does not exist."""
    post(room, "clock", {"paused": True})
    for line in ("kubectl create deployment web --image=nginx --replicas=2", "kubectl run bad --image=nginx:nope"):
        assert post(room, "terminal", {"line": line})["exit_code"] == 0
        post(room, "clock", {"advance": 15})
    post(room, "apply", SERVICE)
    post(room, "clock", {"advance": 5})
    assert post(room, "terminal", {"line": "kubectl scale deployment web --replicas=3"})["exit_code"] == 0
    post(room, "clock", {"advance": 15})
    return room


def shown(page: Any) -> str:
    return page.locator("#panel-inspector h2").inner_text()


def test_every_part_of_the_page_leads_to_the_others(visit: Callable[..., Any], story: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(story["url"])
    until(page, lambda: len(things(page, "Pod")) > 3, "the scene")

    callouts = page.get_by_role("group", name="What is wrong, and where")
    until(page, callouts.get_by_role("button").count, "the callouts")
    callouts.get_by_role("button").filter(has_text="web").first.click()
    whole = page.locator(".whole-why")
    until(page, lambda: whole.locator(".answer").count() and shown(page) == "web", "Why? of what a callout is about")

    whole.locator(".proof button.path").first.click()
    line = page.locator("#inspect-body .pointed")
    until(page, line.count, "the field in the YAML")
    assert "wep" in line.first.inner_text()
    picture(page, "links-field")

    page.get_by_role("tab", name="Why?").click()
    until(page, lambda: whole.locator("button.rev").count(), "the chain")
    step = whole.locator("button.rev").first
    revision = int("".join(filter(str.isdigit, step.inner_text())))
    step.click()
    replay = page.locator(".replay")
    until(page, replay.is_visible, "the replay")
    until(page, lambda: f"revision {revision}" in page.locator("[role=tabpanel]:visible").inner_text(), "the step's revision in the replay")
    picture(page, "links-replay")
    page.keyboard.press("v")
    until(page, replay.is_hidden, "the canvas again")

    select(page, WEB)
    page.get_by_role("tab", name="Events").click()
    about = page.locator("#inspect-body .events button[data-show^='ReplicaSet/']")
    until(page, about.count, "an event of its ReplicaSet")
    about.first.click()
    until(page, lambda: shown(page).startswith("web-"), "the ReplicaSet")

    run(page, "kubectl get pods")
    pod = next(iter(sorted(name for name in things(page, "Pod") if name.startswith("Pod/default/web-"))))
    x, y = page.evaluate("""name => {
        const { screen } = podium.terminal;
        const box = document.querySelector("#terminal .xterm-screen").getBoundingClientRect();
        const { buffer: { active }, rows, cols } = screen;
        for (let row = 0; row < rows; row++) {
            const at = active.getLine(active.viewportY + row)?.translateToString(true).indexOf(name) ?? -1;
            if (at >= 0) return [box.left + (at + 3) * box.width / cols, box.top + (row + 0.5) * box.height / rows];
        }
    }""", pod.split("/")[2])

    def pointed() -> int:
        page.mouse.move(x, y + 60)
        page.mouse.move(x, y, steps=3)
        return page.locator("#terminal .xterm-cursor-pointer").count()

    until(page, pointed, "the word to be a link")
    page.mouse.click(x, y)
    until(page, lambda: shown(page) == pod.split("/")[2], "the pod that the terminal named")
    assert page.evaluate("podium.stage.selected") == pod

    mark = act(page, "Pod/default/bad", "create")
    page.mouse.click(*place(page, mark["time"]))
    until(page, lambda: looked_at(page) == mark["revision"], "the past of the mark")
    until(page, lambda: shown(page) == "bad", "the thing of the mark")
    assert page.evaluate("podium.stage.selected") == "Pod/default/bad"
    picture(page, "links-mark")


def test_in_the_past_a_thing_that_was_not_yet_says_so_and_escape_leaves_one_thing_at_a_time(visit: Callable[..., Any], story: dict[str, str]) -> None:
    page = visit(story["url"], refused=True)
    until(page, lambda: "Service/default/web" in things(page, "Service"), "the scene")
    select(page, "Service/default/web")
    until(page, lambda: shown(page) == "web", "the Service")
    mark = act(page, "Pod/default/bad", "create")
    page.evaluate("revision => podium.past.look(revision)", mark["revision"])
    until(page, lambda: looked_at(page) == mark["revision"], "the past")
    body = page.locator("#panel-inspector")
    until(page, lambda: "It did not exist at this moment" in body.inner_text(), "that it was not there then")
    select(page, "Deployment/default/web")
    for tab in ("Why?", "YAML", "Events", "Metrics"):
        page.get_by_role("tab", name=tab, exact=True).last.click()
        until(page, lambda: len(page.locator("#inspect-body").inner_text().strip()) > 10, f"{tab} in the past")
    page.mouse.click(*centre(page, "Deployment/default/web"), button="right")
    until(page, page.locator("#menu").is_visible, "the menu")
    page.keyboard.press("Escape")
    assert not page.locator("#menu").is_visible() and page.evaluate("podium.stage.selected") and looked_at(page)
    page.keyboard.press("Escape")
    assert page.evaluate("podium.stage.selected") is None and looked_at(page)
    page.keyboard.press("Escape")
    until(page, lambda: looked_at(page) is None, "now")
