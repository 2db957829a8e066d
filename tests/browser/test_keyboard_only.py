"""A lesson without a mouse: every step by key, every focus in sight, and no place that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hands import bar, history
from tests.browser.page import open_tab, pods, post, ready, things, until
from tests.browser.plights import deployment, service

pytestmark = pytest.mark.browser
FOCUS = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect(), look = getComputedStyle(one);
    return {
        name: one.id || one.getAttribute('aria-label') || one.textContent.slice(0, 30), tag: one.tagName,
        terminal: !!one.closest('#terminal'), editor: !!one.closest('.editor'),
        seen: box.width > 0 && box.height > 0 && (look.outlineStyle !== 'none' || look.boxShadow !== 'none'
            || !!one.closest('.editor') && getComputedStyle(one.closest('.editor')).boxShadow !== 'none'
            || !!one.closest('#terminal, .search, #tree, #eye, .palette')),
    };
}"""


def focus(page: Any) -> dict[str, Any]:
    return page.evaluate(FOCUS)


@pytest.fixture
def lesson(visit: Callable[..., Any], room: dict[str, str]) -> Any:
    post(room, "apply", deployment("web", 2) + service("web") + deployment("shop", 1, "nginx:nosuch9"))
    post(room, "clock", {"advance": 40})
    page = visit(room["url"], motion="reduce")
    until(page, lambda: len(pods(page)) == 3, "the pods")
    return page


def test_the_first_tab_offers_to_skip_and_each_stop_is_in_sight(lesson: Any) -> None:
    lesson.keyboard.press("Tab")
    assert focus(lesson)["name"] == "skip"
    lesson.keyboard.press("Enter")
    assert lesson.evaluate("document.activeElement.getAttribute('role')") == "treeitem"
    lesson.evaluate("document.activeElement.blur(); document.getElementById('skip').focus()")
    stops: list[dict[str, Any]] = []
    for _ in range(60):
        lesson.keyboard.press("Tab")
        stop = focus(lesson)
        if stop["tag"] == "BODY" or stop["name"] == "skip":
            break
        stops.append(stop)
        if stop["terminal"] or stop["editor"]:
            lesson.keyboard.press("Escape")
            if stop["editor"]:
                lesson.keyboard.press("Tab")
            assert not (focus(lesson)["terminal"] or focus(lesson)["editor"]), f"{stop['name']} holds the focus"
            if stop["terminal"]:
                break
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
    order = [stop["name"] for stop in stops]
    assert order.index("pause") < order.index("share") < order.index("view-cluster") < order.index("search")
    assert any(stop["editor"] for stop in stops), order


def test_what_fails_is_found_explained_and_mended(lesson: Any, picture: Callable[[Any, str], None]) -> None:
    press = lesson.keyboard.press
    press("/")
    lesson.keyboard.type("is:wrong")
    until(lesson, lambda: "of" in lesson.locator("#search-count").inner_text(), "the matches")
    for _ in range(4):
        press("Enter")
        if until(lesson, lambda: lesson.evaluate("podium.stage.selected"), "a match").startswith("Pod/default/shop"):
            break
    assert lesson.evaluate("podium.stage.selected").startswith("Pod/default/shop")
    press("Tab")
    press("w")
    until(lesson, lambda: "nosuch9" in lesson.locator("#panel-inspector").inner_text(), "the reason")
    picture(lesson, "66-keys-why")
    press("Control+e")
    until(lesson, lambda: focus(lesson)["editor"], "the editor")
    lesson.evaluate("text => navigator.clipboard.writeText(text)", deployment("shop", 1, "nginx:1.27"))
    press("Control+a")
    press("Control+v")
    press("Control+Enter")
    ready(lesson, 3)
    press("Escape")
    press("Tab")
    assert not focus(lesson)["editor"]


def test_it_is_scaled_travelled_and_looked_at_in_the_past(lesson: Any) -> None:
    press = lesson.keyboard.press
    lesson.evaluate("podium.select('Deployment/default/web')")
    lesson.evaluate("document.getElementById('eye').focus()")
    press("r")
    until(lesson, lambda: bar(lesson).is_visible(), "the command")
    press("+")
    press("Enter")
    until(lesson, lambda: any("kubectl scale deployment" in line for line in history(lesson)), "the scaling")
    until(lesson, lambda: things(lesson, "Deployment")["Deployment/default/web"]["replicas"] == 3, "three of them")
    lesson.evaluate("document.activeElement.blur()")
    press("g")
    until(lesson, lambda: lesson.evaluate("podium.interact.travel.at"), "the ring")
    press("ArrowRight")
    assert focus(lesson)["name"] == "eye"
    lesson.locator("#timeline [role=slider]").first.focus()
    press("ArrowLeft")
    until(lesson, lambda: lesson.evaluate("podium.live.past !== null"), "the past")
    assert lesson.locator("#pause").is_disabled()
    lesson.locator("#timeline-now").focus()
    press("Enter")
    until(lesson, lambda: lesson.evaluate("podium.live.past === null"), "now")
    lesson.evaluate("document.activeElement.blur()")
    press("v")
    until(lesson, lesson.locator(".replay-picture").is_visible, "the control plane")
    press("v")
    until(lesson, lambda: not lesson.locator(".replay-picture").is_visible(), "the cluster")
    press("?")
    until(lesson, lesson.get_by_role("dialog").is_visible, "the help")
    press("Escape")
    assert not lesson.get_by_role("dialog").is_visible()


def test_traffic_is_sent_by_the_palette_and_keys(lesson: Any) -> None:
    press = lesson.keyboard.press
    press("Control+k")
    until(lesson, lambda: lesson.locator("#palette-list [role=option]").count(), "the palette")
    lesson.keyboard.type("traffic")
    press("Enter")
    until(lesson, lesson.locator("#panel-traffic").is_visible, "the panel")
    button = lesson.locator("#panel-traffic button[id^='toggle-']").first
    button.focus()
    press("Enter")
    until(lesson, lambda: things(lesson, "Traffic"), "traffic")


def test_terminal_and_tabs_are_left_by_key(lesson: Any) -> None:
    press = lesson.keyboard.press
    press("Control+`")
    until(lesson, lambda: focus(lesson)["terminal"], "the terminal")
    press("Escape")
    until(lesson, lambda: not focus(lesson)["terminal"], "out again")
    open_tab(lesson, "Traffic")
    press("ArrowRight")
    assert focus(lesson)["name"] == "tab-browser"
    press("Tab")
    assert focus(lesson)["name"] != "tab-browser"
