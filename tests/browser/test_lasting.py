"""The page after hours of a lesson: what is looked at and gone leaves nothing behind, and what only changes its figures stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import open_tab, pods, post, rest, things, until
from tests.browser.plights import deployment, service

pytestmark = pytest.mark.browser
FRAMES = """async count => {
    const { stage } = podium, later = window.setTimeout;
    let waiting = 0, most = 0;
    window.setTimeout = (run, wait, ...rest) => {
        const ticks = wait === 100 && String(run).includes("invalidate");
        if (ticks) most = Math.max(most, ++waiting);
        return later(() => { if (ticks) waiting--; run(...rest); }, wait);
    };
    stage.ticking.add("Pod/default/any");
    for (let i = 0; i < count; i++) {
        stage.invalidate();
        await new Promise(requestAnimationFrame);
    }
    stage.ticking.clear();
    window.setTimeout = later;
    return most;
}"""


def test_what_was_looked_at_and_is_gone_is_forgotten(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], motion="reduce")
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable")

    def lesson(number: int) -> None:
        name = f"web{number}"
        post(room, "apply", deployment(name, 1) + service(name))
        ids = [f"Deployment/default/{name}", f"Service/default/{name}", "Node//w1-k8s"]
        until(page, lambda: page.evaluate("ids => ids.every(id => podium.scene.get(id))", ids), "the things")
        for one in ids:
            page.evaluate("id => podium.select(id)", one)
            until(page, lambda one=one: page.locator("#panel-inspector h2").inner_text() == one.rsplit("/", 1)[1], one)
        post(room, "terminal", {"line": f"kubectl delete deployment,service {name}"})
        post(room, "clock", {"advance": 90})
        until(page, lambda: ids[1] not in things(page, "Service") and not pods(page), "them to be gone")
        page.evaluate("podium.select('Node//w2-k8s')")
        until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "w2-k8s", "another node")
        rest(page)

    def known() -> float:
        wire.send("HeapProfiler.collectGarbage")
        return next(one["value"] for one in wire.send("Performance.getMetrics")["metrics"] if one["name"] == "JSEventListeners")

    for number in range(3):
        lesson(number)
    before = known()
    for number in range(3, 9):
        lesson(number)
    assert known() - before < 6


def test_while_a_mark_counts_down_the_canvas_is_not_drawn_ever_more_often(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: things(page, "Node"), "the nodes")
    rest(page)
    assert page.evaluate(FRAMES, 12) == 1


def test_a_button_of_a_source_is_the_same_while_its_figures_change(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", deployment("web", 1) + service("web"))
    page = visit(room["url"])
    open_tab(page, "Traffic")
    card = page.locator("[data-service='Service/default/web']")
    card.get_by_role("button", name="Start").click()
    stop = card.get_by_role("button", name="Stop")
    until(page, stop.count, "the traffic")
    stop.evaluate("one => (window.stop = one)")
    figures = card.locator("[data-figures]")
    until(page, lambda: [len(one["paths"]) for one in things(page, "Traffic").values()] == [1] and figures.inner_text(), "figures of one pod")
    before = figures.inner_text()
    post(room, "terminal", {"line": "kubectl scale deployment web --replicas=2"})
    until(page, lambda: figures.inner_text() != before, "other figures")
    assert page.evaluate("window.stop.isConnected")
    stop.click()
    until(page, lambda: not things(page, "Traffic"), "no traffic")
    until(page, lambda: card.get_by_role("button", name="Start").count(), "a start again")


def test_large_text_leaves_the_tip_at_the_pointer_and_every_dialog_in_the_window(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], width=1366, height=768)
    until(page, lambda: things(page, "Node"), "the nodes")
    page.evaluate("podium.actions.all.get('text').run()")
    page.evaluate("podium.stage.parts.onHover('Node//w2-k8s', 300, 200)")
    left = page.locator(".tooltip").evaluate("one => one.getBoundingClientRect().left - one.parentElement.getBoundingClientRect().left")
    assert 290 < left < 330
    for name in ("help", "examples", "palette"):
        page.evaluate("name => podium.actions.all.get(name).run()", name)
        dialog = page.locator("dialog[open]")
        until(page, dialog.count, name)
        top, bottom = dialog.evaluate("one => [one.getBoundingClientRect().top, one.getBoundingClientRect().bottom]")
        assert top >= 0 and bottom <= 768, name
        page.keyboard.press("Escape")
        until(page, lambda dialog=dialog: not dialog.count(), f"{name} to go")
