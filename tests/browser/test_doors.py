"""The page where something is in the way: no such room, no place, a browser that keeps nothing, a server out of reach; and the back row."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT
from tests.browser.page import open_tab, post, run, until
from tests.browser.test_editor import DEPLOYMENT

pytestmark = pytest.mark.browser
KEEPS_NOTHING = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""
KEEPS_RUBBISH = """for (const name of ["podium.dock.side", "podium.recent", "podium.language", "podium.theme", "podium.text"])
    localStorage.setItem(name, "{rubbish");"""


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[str]:
    """A server whose rooms hold one browser each."""
    process = subprocess.Popen([sys.executable, "-m", "server", "--port", "0", "--data", str(tmp_path), "--max-people", "1"], cwd=ROOT,
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        yield re.search(r"https?://\S+", process.stdout.readline()).group()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.mark.parametrize(("path", "locale", "words"), [
    ("/r/nosuchroom?key=x", "en-US", "no room behind this link"), ("/r/nosuchroom/?key=x", "ko-KR", "링크의 방은 이제 없습니다"),
    ("/r/{room}?key=wrong", "en-US", "its key is not right"), ("/r/{room}", "ko-KR", "키가 맞지 않습니다"),
])
def test_a_link_that_opens_no_room_says_so_on_the_start_page(visit: Callable[..., Any], base: str, room: dict[str, str], path: str,
                                                             locale: str, words: str) -> None:
    page = visit(base + path.format(room=room["room"]), locale=locale, refused=True)
    notice = page.get_by_role("alert")
    assert words in notice.inner_text()
    assert page.locator("#start").is_enabled()
    other = "en" if locale == "ko-KR" else "ko"
    page.locator("#language").select_option(other)
    until(page, lambda: words not in notice.inner_text() and notice.inner_text(), "the other language")


def test_a_room_that_is_full_is_joined_when_there_is_a_place(narrow: str, visit: Callable[..., Any]) -> None:
    request = urllib.request.Request(f"{narrow}/api/rooms", data=b'{"seed": 7}', headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        url = json.load(response)["url"]
    first = visit(url)
    second = visit(url)
    card = second.locator("#gone")
    until(second, lambda: "There is no place just now" in card.inner_text(), "that it is full")
    assert second.locator("#connection").inner_text() == "Waiting"
    first.close()
    until(second, lambda: second.evaluate("document.body.dataset.connection") == "live" and not card.is_visible(), "a place")


@pytest.mark.parametrize("script", [KEEPS_NOTHING, KEEPS_RUBBISH], ids=["nothing", "rubbish"])
def test_a_browser_that_remembers_nothing_of_use_shows_the_whole_page(browser: Any, room: dict[str, str], script: str) -> None:
    context = browser.new_context(locale="en-US")
    complaints: list[str] = []
    try:
        context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(room["url"])
        page.wait_for_selector("body[data-ready=true]")
        assert "NAME" in run(page, "kubectl get nodes")
        page.locator("#fold-bottom").click()
        until(page, lambda: page.locator("#terminal").is_hidden(), "a folded terminal")
        page.get_by_role("button", name=re.compile("^Theme")).click()
        until(page, lambda: page.evaluate("document.documentElement.dataset.theme") == "dark", "the dark theme")
    finally:
        context.close()
    assert not complaints


def test_what_is_loaded_late_comes_when_the_server_answers_again(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], refused=True)
    page.route(re.compile(r"/(gallery|view)\.js$"), lambda route: route.abort())
    page.evaluate("() => void podium.editor.gallery()")
    until(page, lambda: "not here yet" in page.locator("#toasts").inner_text(), "that it is not here")
    assert page.evaluate("podium.editor.open().then(() => true, () => false)") is False
    page.unroute(re.compile(r"/(gallery|view)\.js$"))
    page.evaluate("() => void podium.editor.gallery()")
    until(page, page.locator("dialog.gallery").is_visible, "the gallery")
    page.keyboard.press("Escape")
    page.evaluate("podium.editor.open()")
    until(page, page.locator(".cm-editor").count, "the editor")


def test_the_palette_obeys_enter_after_it_could_not_be_loaded_at_first(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], refused=True)
    page.route(re.compile(r"/palette\.js$"), lambda route: route.abort())
    page.keyboard.press("Control+k")
    until(page, lambda: "not here yet" in page.locator("#toasts").inner_text(), "that it is not here")
    page.keyboard.press("Escape")
    page.unroute(re.compile(r"/palette\.js$"))
    page.keyboard.press("Control+k")
    until(page, page.locator("#palette-list [role=option]").count, "the palette")
    page.keyboard.type("theme: dark")
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("document.documentElement.dataset.theme") == "dark", "the dark theme")


def test_over_plain_http_links_are_copied_too(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.locator("#share").click()
    page.get_by_role("menuitem", name="Copy link to the room").click()
    until(page, lambda: "Link copied" in page.locator("#toasts").inner_text(), "that it is copied")
    page.locator("#search").click()
    page.keyboard.press("Control+v")
    assert page.locator("#search").input_value() == room["url"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Help").click()
    page.locator("#help").get_by_role("button", name="Copy").click()
    until(page, lambda: "Copied." in page.locator("#toasts").inner_text(), "that the command is copied")


def test_text_is_large_for_the_back_row_and_stays_so(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"], width=1280, height=720)
    run(page, "kubectl get nodes")
    small = page.evaluate("podium.terminal.screen.options.fontSize")
    high = page.locator("#panel-editor .standin, #panel-editor .cm-line").first.bounding_box()["height"]
    page.get_by_role("button", name=re.compile("^Larger text")).click()
    assert page.evaluate("podium.terminal.screen.options.fontSize") > 1.3 * small
    page.reload()
    page.wait_for_selector("body[data-ready=true]")
    assert page.evaluate("document.documentElement.dataset.text") == "large"
    assert high
    for tab in ("YAML", "Inspector", "Traffic", "Browser", "Chaos"):
        open_tab(page, tab)
        page.wait_for_timeout(100)
        wide = page.evaluate("""() => [...document.querySelectorAll("#side :is(button, input, select)")].map(one => one.getBoundingClientRect())
            .filter(at => at.width && at.right > innerWidth + 1).length""")
        assert wide == 0, tab
    picture(page, "70-large-text")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Text of usual size")).click()
    assert page.evaluate("document.documentElement.dataset.text") == ""


def test_a_kind_or_version_that_there_is_not_is_marked_at_its_line_and_repaired(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    post(room, "apply", DEPLOYMENT)
    mark, repair = page.locator(".cm-lintRange-error"), page.locator(".cm-diagnosticAction")
    for right, wrong in (("Deployment", "Deploiment"), ("apps/v1", "v1")):
        page.evaluate("async text => { const view = await podium.editor.open(); await view.ready; podium.editor.set(text); }",
                      DEPLOYMENT.replace(right, wrong))
        until(page, lambda wrong=wrong: mark.count() and mark.first.inner_text().endswith(f": {wrong}"), wrong)
        mark.first.hover()
        until(page, repair.count, "a repair")
        assert repair.first.inner_text() == right
        repair.first.click()
        assert page.evaluate("podium.editor.text") == DEPLOYMENT
        page.mouse.move(5, 5)
        until(page, lambda: not mark.count(), "no mark")
    page.evaluate("text => podium.editor.set(text)", DEPLOYMENT.replace("replicas: 2", "replicas: two"))
    until(page, lambda: mark.count() and mark.first.inner_text() == "replicas: two", "a mark")
    mark.first.hover()
    until(page, page.locator(".cm-diagnostic").count, "what is wrong")
    assert page.locator(".cm-diagnostic").inner_text() == 'The request is invalid: patch: Invalid value: "map[…]": unrecognized type: int32'
