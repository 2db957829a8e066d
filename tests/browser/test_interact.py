"""Going about the canvas: what is found, selected and gone to by keyboard, kept in the address, and offered by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import every_finding
from tests.browser.hands import WEB, bar, begin, done, history, menu, selected
from tests.browser.page import centre, post, until
from tests.browser.test_sight import deployment, service

pytestmark = pytest.mark.browser


def test_a_filter_leaves_what_matches_and_counts_it_and_enter_goes_round(visit: Callable[..., Any], room: dict[str, str],
                                                                        picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 3), deployment("db", 1), count=4)
    page.keyboard.press("/")
    page.keyboard.type("app=web kind:pod")
    count = page.locator("#search-count")
    total = page.evaluate("[...podium.scene.things.values()].filter(one => !['Component', 'Namespace', 'Fault'].includes(one.kind)).length")
    until(page, lambda: count.inner_text() == f"3 of {total}", "the count")
    passes = page.evaluate("[...podium.scene.things].filter(([id, one]) => podium.stage.passes(id, one)).map(([id]) => id)")
    assert len(passes) == 3 and all(name.startswith("Pod/default/web-") for name in passes)
    order = []
    for key in ("Enter", "Enter", "Enter", "Enter", "Shift+Enter"):
        page.keyboard.press(key)
        order.append(selected(page)[0])
    assert sorted(order[:3]) == sorted(passes) and order[3] == order[0] and order[4] == order[2]
    picture(page, "interact-filter")
    post(room, "terminal", {"line": "kubectl scale deployment web --replicas=2"})
    until(page, lambda: count.inner_text().startswith("2 of"), "the count to follow the cluster")
    page.keyboard.press("Escape")
    assert page.evaluate("podium.stage.passes") is None and page.locator("#search").input_value() == ""


def test_what_may_be_typed_in_the_filter_is_offered(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room)
    page.keyboard.press("/")
    page.keyboard.type("kin")
    offers = page.get_by_role("listbox", name="What may be typed").get_by_role("option")
    until(page, lambda: offers.count() == 1, "the offer")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("no")
    until(page, lambda: offers.count() == 1 and "kind:node" in offers.inner_text(), "the kinds")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    until(page, lambda: page.locator("#search-count").inner_text().startswith("4 of"), "four nodes")


def test_the_keyboard_alone_goes_about_the_canvas_and_acts(visit: Callable[..., Any], room: dict[str, str],
                                                           picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 2), service("web"), count=2)
    page.keyboard.press("g")
    spoken = page.locator("#spoken")
    at = lambda: page.evaluate("podium.interact.travel.at")  # noqa: E731
    until(page, at, "the ring")
    page.evaluate("podium.interact.travel.to('Node//m-k8s')")
    assert spoken.inner_text() == "Node m-k8s, Ready"
    page.keyboard.press("ArrowRight")
    assert at() == "Node//w1-k8s"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert at() == "Service/default/web"
    page.keyboard.press("c")
    pod = at()
    assert pod.startswith("Pod/default/web-") and "Running" in spoken.inner_text()
    page.keyboard.press("Space")
    page.keyboard.press("n")
    assert at().startswith("Node//w")
    page.evaluate("id => podium.interact.travel.to(id)", pod)
    page.keyboard.press("o")
    assert at() == WEB
    picture(page, "interact-travel")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "web", "the inspector")
    page.keyboard.press("Shift+F10")
    items = page.get_by_role("menu")
    until(page, items.is_visible, "the menu")
    page.keyboard.type("restart")
    assert page.evaluate("document.activeElement.innerText") == "Restart the rollout"
    page.keyboard.press("Enter")
    done(page)
    assert history(page)[-1] == "kubectl rollout restart deployment/web"
    assert page.evaluate("document.activeElement.id") == "eye"


def test_the_address_holds_the_view_and_brings_it_back(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 2), count=2)
    page.keyboard.press("/")
    page.keyboard.type("app=web kind:pod")
    until(page, lambda: page.locator("#search-count").inner_text().startswith("2 of"), "the filter")
    page.keyboard.press("Enter")
    one = selected(page)[0]
    page.evaluate("podium.stage.zoomBy(2.5)")
    until(page, lambda: all(word in page.url for word in ("eye=", "select=Pod/default/", "filter=app", "panel=inspector")), "the address")
    page.evaluate("podium.interact.copy()")
    link = until(page, lambda: page.evaluate("navigator.clipboard.readText()"), "the link")
    other = visit(link)
    until(other, lambda: selected(other) == [one] and other.evaluate("podium.stage.auto") is False, "the same view")
    until(other, lambda: other.locator("#search-count").inner_text().startswith("2 of"), "the same filter")
    eyes = [each.evaluate("""(() => {
        const { x, y, zoom, view } = podium.stage.camera;
        return [x + view.w / 2 / zoom, y + view.h / 2 / zoom, view.w / zoom];
    })()""") for each in (page, other)]
    assert all(abs(a - b) < 1 for a, b in zip(*eyes, strict=True))
    assert other.get_by_role("tab", name="Inspector").get_attribute("aria-selected") == "true"


def test_palette_and_help_are_made_from_what_the_page_can_do(visit: Callable[..., Any], room: dict[str, str],
                                                             picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1)
    page.mouse.click(*centre(page, WEB))
    page.keyboard.press("Control+k")
    until(page, page.locator("#palette").is_visible, "the palette")
    picture(page, "interact-palette")
    page.keyboard.type("rstrt")
    first = page.locator("#palette").get_by_role("option").first
    assert first.inner_text().startswith("Restart the rollout") and "kubectl rollout restart deployment/web" in first.inner_text()
    page.keyboard.press("Enter")
    done(page)
    page.keyboard.press("Control+k")
    assert page.locator("#palette").get_by_role("option").first.inner_text().startswith("Restart the rollout")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    until(page, page.locator("#help").is_visible, "the help")
    told = page.locator("#help .keys").inner_text()
    for label in page.evaluate("[...podium.actions.all.values()].filter(one => one.key && one.label()).map(one => one.label())"):
        assert label in told, label


def test_no_two_acts_share_a_key(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room)
    shared = page.evaluate("""() => {
        const of = {};
        for (const one of podium.actions.all.values()) for (const key of [one.key ?? []].flat()) (of[key] ??= []).push(one);
        const always = all => all.filter(one => !one.when || one.where === "everywhere");
        return Object.entries(of).filter(([, all]) => always(all).length > 1).map(([key, all]) => [key, all.map(one => one.id)]);
    }""")
    assert not shared


def test_a_long_press_asks_for_the_menu(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room)
    x, y = centre(page, "Node//w1-k8s")
    wire = page.context.new_cdp_session(page)
    wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    items = page.get_by_role("menu", name="What can be done with Node w1-k8s")
    until(page, items.is_visible, "the menu")
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert items.is_visible() and not selected(page)


def test_the_parts_of_hands_are_told_to_a_screen_reader(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room)
    tree = page.locator("#stage").aria_snapshot()
    for line in ('combobox "Find and filter"', 'application "Canvas of the cluster"'):
        assert line in tree, tree
    items = menu(page, "Node//w1-k8s")
    assert '- menuitem "Cordon"' in items.aria_snapshot()


@pytest.mark.parametrize(("theme", "locale"), [("dark", "en-US"), ("light", "ko-KR")])
def test_axe_finds_nothing_in_menu_bar_labels_and_filter(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None],
                                                         theme: str, locale: str) -> None:
    page = begin(visit, room, deployment("web", 2), count=2, theme=theme, locale=locale, width=1366, height=768)

    def violations(name: str) -> list[str]:
        picture(page, f"acts-{name}-{theme}")
        return every_finding(page, "#stage", "#menu")

    menu(page, WEB)
    assert violations("menu") == []
    page.keyboard.press("Escape")
    page.mouse.click(*centre(page, WEB))
    page.keyboard.press("r")
    until(page, bar(page).is_visible, "the bar")
    assert violations("scale") == []
    page.keyboard.press("Enter")
    done(page)
    page.keyboard.press("l")
    until(page, page.locator("#labels").is_visible, "the labels")
    assert violations("labels") == []
    page.keyboard.press("Escape")
    page.evaluate("podium.interact.selection.set([...podium.scene.kinds.get('Pod')].slice(0, 3))")
    page.keyboard.press("/")
    until(page, page.locator("#search-list li").count, "the suggestions")
    assert violations("several") == []
