"""The page on a phone and an upright tablet: the canvas over the full width, one sheet at a time, and everything large enough for a finger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import AXE, findings
from tests.browser.page import pods, post, things, until
from tests.browser.plights import WELL

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
SMALL = """() => [...document.querySelectorAll('button, a[href], select, input, summary, [role=tab]')].filter(one => {
    const box = one.getBoundingClientRect(), look = getComputedStyle(one);
    const shown = box.width && box.height && look.visibility !== 'hidden'
        && !one.closest('[inert], .sr-only, .sr-only-focusable, .skip, .cm-editor, .xterm')
        && box.top < innerHeight && box.bottom > 0 && box.left < innerWidth && !one.matches('.skip, .link, .chip');
    return shown && (box.width < 43.5 || box.height < 43.5);
}).map(one => [one, one.getBoundingClientRect()])
    .map(([one, box]) => `${one.tagName} ${one.id || one.className || one.textContent} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


@pytest.fixture
def phone(visit: Callable[..., Any], room: dict[str, str]) -> Any:
    post(room, "apply", WELL)
    post(room, "clock", {"advance": 30, "paused": True})
    page = visit(room["url"], **PHONE)
    until(page, lambda: len(pods(page)) == 4, "the pods")
    return page


def wide(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def height(page: Any, selector: str) -> float:
    return page.evaluate("one => document.querySelector(one).getBoundingClientRect().height", selector)


def test_a_phone_shows_the_canvas_first_and_nothing_runs_over_its_edge(phone: Any, picture: Callable[[Any, str], None]) -> None:
    assert wide(phone) <= 0
    assert height(phone, "#stage") > 844 * 0.6
    assert phone.evaluate("document.getElementById('stage').clientWidth") == 390
    assert height(phone, "#timeline") <= 52
    picture(phone, "62-phone")


def test_one_sheet_opens_at_a_time_and_the_canvas_stays_in_sight(phone: Any, picture: Callable[[Any, str], None]) -> None:
    panel = phone.locator("#panel-traffic")
    assert not panel.is_visible()
    phone.locator("#tab-traffic").click()
    assert panel.is_visible() and height(phone, "#stage") > 180
    phone.locator("#fold-bottom").click()
    assert phone.locator("#terminal").is_visible() and height(phone, "#side") < 50 and height(phone, "#stage") > 180
    phone.locator("#tab-traffic").click()
    assert not phone.locator("#terminal").is_visible() and panel.is_visible()
    phone.locator("#tab-traffic").click()
    assert height(phone, "#side") < 50
    phone.evaluate("podium.show(Object.keys(Object.fromEntries(podium.scene.ofKind('Pod'))).find(id => id.startsWith('Pod/default')))")
    until(phone, phone.locator("#panel-inspector h2").is_visible, "the pod in the sheet")
    assert wide(phone) <= 0
    picture(phone, "63-phone-sheet")


@pytest.mark.parametrize("panel", ["", "editor", "inspector", "traffic", "browser", "chaos"])
def test_what_is_touched_on_a_phone_is_44_pixels(phone: Any, panel: str) -> None:
    if panel:
        phone.locator(f"#tab-{panel}").click()
        phone.wait_for_timeout(400)
    assert phone.evaluate(SMALL) == []
    assert wide(phone) <= 0


def test_a_tablet_upright_has_the_canvas_over_terminal_and_panels(visit: Callable[..., Any], room: dict[str, str],
                                                                  picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"], width=820, height=1180, theme="light", locale="ko-KR")
    until(page, lambda: len(things(page, "Node")) == 4, "the nodes")
    assert page.evaluate("document.getElementById('stage').clientWidth") == 820
    boxes = page.evaluate("""['stage', 'bottom', 'side'].map(id => {
        const b = document.getElementById(id).getBoundingClientRect();
        return [b.left, b.top, b.right, b.bottom];
    })""")
    stage, bottom, side = boxes
    assert bottom[1] >= stage[3] - 1 and side[1] >= stage[3] - 1 and bottom[2] <= side[0] and wide(page) <= 0
    picture(page, "64-tablet")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in tests/frontend")
def test_axe_finds_nothing_serious_on_a_phone(phone: Any) -> None:
    found = findings(phone)
    phone.locator("#tab-traffic").click()
    found += findings(phone)
    phone.locator("#share").click()
    until(phone, phone.get_by_role("menu").is_visible, "the menu")
    found += findings(phone)
    assert not found, "\n".join(found)


def test_a_phone_opens_and_applies_examples(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], width=360, height=640)
    page.evaluate("() => void podium.editor.gallery()")
    page.locator(".gallery-list li", has_text="nginx-deploy.yml").first.click()
    page.get_by_role("button", name="Open and apply").click()
    until(page, lambda: "Deployment/default/nginx-deploy" in page.evaluate("[...podium.scene.things.keys()]"), "the Deployment")


def test_a_phone_on_its_side_leaves_the_canvas_its_height(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], width=844, height=390)
    assert page.locator("#terminal").is_hidden()
    assert page.locator("#stage").bounding_box()["height"] >= 200
    bar = page.locator("#stage-bar").bounding_box()
    assert bar["height"] < 60 and bar["x"] + bar["width"] <= page.locator("#side").bounding_box()["x"]
