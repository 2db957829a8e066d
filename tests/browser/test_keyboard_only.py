"""A lesson without a mouse and without a script's help: every step by key, every focus in sight, and no place that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hands import bar, history, labels
from tests.browser.page import pods, post, ready, things, until
from tests.browser.plights import deployment, service

pytestmark = pytest.mark.browser
WEB = "Deployment/default/web"
FOCUS = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect(), look = getComputedStyle(one);
    return {
        name: one.id || one.getAttribute('aria-label') || one.textContent.slice(0, 30), tag: one.tagName, role: one.getAttribute('role'),
        terminal: !!one.closest('#terminal'), editor: !!one.closest('.editor'),
        seen: box.width > 0 && box.height > 0 && (look.outlineStyle !== 'none' || look.boxShadow !== 'none'
            || !!one.closest('.editor') && getComputedStyle(one.closest('.editor')).boxShadow !== 'none'
            || !!one.closest('#terminal, .search, .palette')),
    };
}"""


def focus(page: Any) -> dict[str, Any]:
    return page.evaluate(FOCUS)


def at(page: Any, name: str) -> None:
    until(page, lambda: focus(page)["name"] == name, f"the focus on {name}")


def tab_to(page: Any, name: str, key: str = "Tab", most: int = 60) -> None:
    """Goes on by Tab until the focus is on what has this id or name."""
    for _ in range(most):
        page.keyboard.press(key)
        if focus(page)["name"] == name:
            return
    raise AssertionError(f"{name} is not reached by {key}")


def command(page: Any, words: str) -> None:
    """Chooses in the palette by what is typed."""
    page.keyboard.press("Control+k")
    until(page, lambda: page.locator("#palette-list [role=option]").count(), "the palette")
    page.keyboard.type(words)
    until(page, lambda: words.lower() in page.locator("#palette-list [aria-selected=true]").inner_text().lower(), f"{words} in the palette")
    page.keyboard.press("Enter")


def find(page: Any, words: str, thing: str) -> None:
    """Selects by the search field what begins so, and goes back to the canvas."""
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type(words)
    until(page, lambda: "of" in page.locator("#search-count").inner_text(), "the matches")
    for _ in range(6):
        page.keyboard.press("Enter")
        if until(page, lambda: page.evaluate("podium.stage.selected"), "a match").startswith(thing):
            break
    assert page.evaluate("podium.stage.selected").startswith(thing)
    page.keyboard.press("Escape")
    at(page, "eye")


@pytest.fixture
def lesson(visit: Callable[..., Any], room: dict[str, str]) -> Any:
    post(room, "apply", deployment("web", 2) + service("web") + deployment("shop", 1, "nginx:nosuch9"))
    post(room, "clock", {"advance": 40})
    page = visit(room["url"], motion="reduce")
    until(page, lambda: len(pods(page)) == 3, "the pods")
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_first_tab_offers_to_skip_and_each_stop_is_in_sight(theme: str, lesson: Any) -> None:
    command(lesson, f"Theme: {theme}")
    lesson.reload()
    until(lesson, lambda: len(pods(lesson)) == 3, "the pods")
    lesson.keyboard.press("Tab")
    assert focus(lesson)["name"] == "skip"
    stops: list[dict[str, Any]] = []
    for _ in range(70):
        lesson.keyboard.press("Tab")
        stop = focus(lesson)
        if stop["tag"] == "BODY" or stop["name"] == "skip":
            break
        stops.append(stop)
        if stop["terminal"]:
            lesson.keyboard.press("Escape")
            assert not focus(lesson)["terminal"], "the terminal holds the focus"
            break
        if stop["editor"]:
            lesson.keyboard.press("Escape")
            lesson.keyboard.press("Tab")
            assert not focus(lesson)["editor"], "the editor holds the focus"
            stops.append(focus(lesson))
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
    order = [stop["name"] for stop in stops]
    landmarks = [order.index(name) for name in ("pause", "share", "view-cluster", "search", "eye", "tab-editor")]
    assert landmarks == sorted(landmarks)
    assert any(stop["editor"] for stop in stops) and stops[-1]["terminal"], order


def test_skip_goes_to_the_list_and_escape_from_there_to_the_canvas(lesson: Any) -> None:
    lesson.keyboard.press("Tab")
    lesson.keyboard.press("Enter")
    assert focus(lesson)["role"] == "treeitem"
    lesson.keyboard.press("Escape")
    assert focus(lesson)["name"] == "eye" and focus(lesson)["seen"]
    lesson.keyboard.press("t")
    until(lesson, lambda: focus(lesson)["role"] == "treeitem", "the list")
    lesson.keyboard.press("Escape")
    assert focus(lesson)["name"] == "eye"


def test_what_fails_is_found_explained_and_mended(lesson: Any, picture: Callable[[Any, str], None]) -> None:
    press = lesson.keyboard.press
    find(lesson, "is:wrong", "Pod/default/shop")
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


def test_it_is_scaled_by_keys_and_travelled(lesson: Any) -> None:
    press = lesson.keyboard.press
    find(lesson, "kind:deploy web", WEB)
    press("r")
    until(lesson, lambda: bar(lesson).is_visible(), "the command")
    press("+")
    press("Enter")
    until(lesson, lambda: things(lesson, "Deployment")[WEB]["replicas"] == 3, "three of them")
    at(lesson, "eye")
    tab_to(lesson, "scaler", most=8)
    press("ArrowUp")
    until(lesson, lambda: bar(lesson).is_visible(), "the command of the handle")
    press("Enter")
    until(lesson, lambda: things(lesson, "Deployment")[WEB]["replicas"] == 4, "four of them")
    assert sum("kubectl scale deployment" in line for line in history(lesson)) == 2
    press("Escape")
    at(lesson, "eye")
    press("g")
    until(lesson, lambda: lesson.evaluate("podium.interact.travel.at"), "the ring")
    press("ArrowRight")
    assert focus(lesson)["name"] == "eye"


def test_labels_are_edited_from_the_menu(lesson: Any) -> None:
    press = lesson.keyboard.press
    find(lesson, "kind:deploy web", WEB)
    press("m")
    until(lesson, lambda: focus(lesson)["role"] == "menuitem", "the menu")
    lesson.keyboard.type("Edit lab")
    press("Enter")
    until(lesson, lambda: focus(lesson)["tag"] == "INPUT", "the first field")
    lesson.keyboard.type("tier")
    press("Tab")
    lesson.keyboard.type("front")
    press("Enter")
    until(lesson, lambda: labels(lesson, WEB).get("tier") == "front", "the label")
    at(lesson, "eye")
    press("m")
    until(lesson, lambda: focus(lesson)["role"] == "menuitem", "the menu again")
    press("Escape")
    assert lesson.get_by_role("menu").count() == 0
    at(lesson, "eye")


def test_the_past_is_looked_at_and_forked_from(lesson: Any) -> None:
    press = lesson.keyboard.press
    command(lesson, "Go to the timeline")
    at(lesson, "timeline-track")
    press("ArrowLeft")
    until(lesson, lambda: lesson.evaluate("podium.live.past !== null"), "the past")
    assert lesson.locator("#pause").is_disabled()
    with lesson.context.expect_page() as opened:
        command(lesson, "Fork a room from here")
    opened.value.close()
    until(lesson, lesson.get_by_role("dialog").is_visible, "the new room's link")
    link = lesson.locator("#fork-link").input_value()
    assert "/r/" in link and link != lesson.url
    tab_to(lesson, "fork-open", most=4)
    lesson.keyboard.press("Escape")
    until(lesson, lambda: lesson.get_by_role("dialog").count() == 0, "the dialog to go")
    at(lesson, "timeline-track")
    press("Escape")
    until(lesson, lambda: lesson.evaluate("podium.live.past === null"), "now")
    until(lesson, lambda: focus(lesson)["tag"] != "BODY", "the focus to be kept")


def test_the_focus_is_not_lost_with_a_button_that_is_switched_off(lesson: Any) -> None:
    command(lesson, "Go to the timeline")
    lesson.keyboard.press("ArrowLeft")
    until(lesson, lambda: lesson.evaluate("podium.live.past !== null"), "the past")
    tab_to(lesson, "timeline-next", most=3)
    lesson.keyboard.press("Escape")
    until(lesson, lambda: lesson.evaluate("podium.live.past === null"), "now")
    at(lesson, "timeline-track")


def test_time_is_let_run_until_all_is_ready(lesson: Any) -> None:
    press = lesson.keyboard.press
    press("u")
    until(lesson, lambda: focus(lesson)["role"] == "menuitem", "what can be waited for")
    press("ArrowDown")
    press("ArrowDown")
    press("Enter")
    until(lesson, lambda: "Reached" in lesson.locator("#toasts").inner_text(), "the next change")
    press("u")
    press("Escape")
    until(lesson, lambda: focus(lesson)["tag"] != "BODY", "the focus to be kept")
    assert lesson.locator("[role=menu]").count() == 0


def test_an_example_is_chosen_and_all_is_exported(lesson: Any) -> None:
    press = lesson.keyboard.press
    command(lesson, "Examples and files")
    until(lesson, lesson.get_by_role("dialog").is_visible, "the gallery")
    lesson.keyboard.type("replicaset")
    until(lesson, lambda: "replicaset" in lesson.locator(".gallery-list [aria-selected=true]").inner_text().lower(), "the example")
    press("Enter")
    until(lesson, lambda: lesson.get_by_role("dialog").count() == 0, "the gallery to go")
    until(lesson, lambda: "ReplicaSet" in lesson.evaluate("podium.editor.text"), "its text")
    until(lesson, lambda: focus(lesson)["editor"], "the editor")
    command(lesson, "Export everything as YAML")
    until(lesson, lambda: "kind: Service" in lesson.evaluate("podium.editor.text"), "the export")
    with lesson.expect_download() as saved:
        command(lesson, "Save as SVG")
    assert saved.value.suggested_filename.endswith(".svg")
    command(lesson, "Copy link to this view")
    until(lesson, lambda: "Link to this view copied" in lesson.locator("#toasts").inner_text(), "the link")


def test_escape_closes_a_dialog_whatever_was_clicked_in_it(lesson: Any) -> None:
    lesson.keyboard.press("?")
    dialog = lesson.get_by_role("dialog")
    until(lesson, dialog.is_visible, "the help")
    dialog.locator("p").first.click()
    lesson.keyboard.press("v")
    assert dialog.is_visible() and not lesson.locator(".replay-picture").is_visible(), "keys act behind the dialog"
    lesson.keyboard.press("Escape")
    until(lesson, lambda: not dialog.is_visible(), "the help to go")
    lesson.keyboard.press("v")
    until(lesson, lesson.locator(".replay-picture").is_visible, "the control plane")
    lesson.keyboard.press("v")
    until(lesson, lambda: not lesson.locator(".replay-picture").is_visible(), "the cluster")


def test_traffic_is_sent_and_chaos_made_and_healed(lesson: Any) -> None:
    press = lesson.keyboard.press
    command(lesson, "Aim traffic")
    at(lesson, "tab-traffic")
    tab_to(lesson, "toggle-Service/default/web", most=4)
    press("Enter")
    until(lesson, lambda: things(lesson, "Traffic"), "traffic")
    command(lesson, "Break something")
    at(lesson, "chaos-fault")
    tab_to(lesson, "chaos-start", most=5)
    press("Enter")
    until(lesson, lambda: things(lesson, "Fault"), "the fault")
    lesson.keyboard.press("Shift+Tab")
    for _ in range(8):
        if focus(lesson)["name"].startswith("Heal: "):
            break
        lesson.keyboard.press("Shift+Tab")
    press("Enter")
    until(lesson, lambda: not things(lesson, "Fault"), "it to be healed")
    until(lesson, lambda: focus(lesson)["tag"] != "BODY", "the focus to be kept")


def test_terminal_and_tabs_are_left_by_key(lesson: Any) -> None:
    press = lesson.keyboard.press
    press("Control+`")
    until(lesson, lambda: focus(lesson)["terminal"], "the terminal")
    press("Escape")
    until(lesson, lambda: not focus(lesson)["terminal"], "out again")
    command(lesson, "Aim traffic")
    at(lesson, "tab-traffic")
    press("ArrowRight")
    assert focus(lesson)["name"] == "tab-browser"
    press("Tab")
    assert focus(lesson)["name"] != "tab-browser"


def test_a_file_is_closed_and_the_focus_goes_to_the_one_beside_it(lesson: Any) -> None:
    command(lesson, "New file")
    until(lesson, lambda: lesson.locator(".file-tabs [role=tab]").count() == 2, "the second file")
    until(lesson, lambda: focus(lesson)["editor"], "the editor")
    for _ in range(12):
        lesson.keyboard.press("Shift+Tab")
        if focus(lesson)["role"] == "tab":
            break
    lesson.keyboard.press("Delete")
    until(lesson, lambda: lesson.locator(".file-tabs [role=tab]").count() == 1, "it to be closed")
    until(lesson, lambda: focus(lesson)["tag"] != "BODY", "the focus to be kept")
