"""What a first visit costs: bytes on the wire, what must be there before the nodes are seen, and what waits for somebody to want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import run, things, until

pytestmark = pytest.mark.browser
PAGE_WEIGHT = 350 * 1024


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_a_first_visit_until_nothing_is_loaded_any_more_is_light(browser: Any, room: dict[str, str], locale: str) -> None:
    """As the network counts them: with headers, compressed as the server sends them, the WebSocket's handshake among them."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, locale=locale)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    addresses: dict[str, str] = {}
    weights: dict[str, int] = {}
    wire.on("Network.requestWillBeSent", lambda event: addresses.__setitem__(event["requestId"], event["request"]["url"]))
    wire.on("Network.loadingFinished", lambda event: weights.__setitem__(event["requestId"], event["encodedDataLength"]))
    page.goto(room["url"])
    page.wait_for_selector("body[data-ready=true]")
    page.wait_for_load_state("networkidle")
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    whole = sum(weights.values())
    context.close()
    assert len(weights) > 30
    heaviest = sorted(((weight, addresses.get(one, "?")) for one, weight in weights.items()), reverse=True)[:12]
    assert whole < PAGE_WEIGHT, f"{whole:,} bytes; the heaviest: {heaviest}"
    assert not [address for address in addresses.values() if "codemirror" in address or "xterm.js" in address]


def test_modules_come_all_at_once_and_only_what_changed_comes_again(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    named = set(page.evaluate("[...document.querySelectorAll('link[rel=modulepreload]')].map(link => link.href)"))
    loaded = page.evaluate("performance.getEntriesByType('resource').filter(one => one.name.includes('/static/js/')).map(one => one.name)")
    early = [name for name in loaded if name in named]
    assert len(early) > 25
    answers: list[int] = []
    page.on("response", lambda response: "/static/js/" in response.url and answers.append(response.status))
    page.evaluate("fetch('/static/js/room.js', { cache: 'no-cache' }).then(answer => answer.text())")
    tag = page.evaluate("fetch('/static/js/room.js').then(answer => answer.headers.get('etag'))")
    again = "tag => fetch('/static/js/room.js', { headers: { 'If-None-Match': tag }, cache: 'no-store' }).then(answer => answer.status)"
    status = page.evaluate(again, tag)
    assert status == 304


def test_the_nodes_are_drawn_before_and_without_the_rest_of_the_page(browser: Any, room: dict[str, str]) -> None:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.route("**/js/room.js", lambda route: route.abort())
    page.route("**/*.woff2", lambda route: route.abort())
    page.goto(room["url"])
    drawn = """() => {
        const stage = window.podium?.stage, box = stage?.layout.nodeBox("Node//w1-k8s");
        if (!box || stage.whole || stage.busy) return false;
        const b = stage.camera.box(box), pen = stage.parts.still.getContext("2d");
        const colours = new Set();
        const { data } = pen.getImageData(b.x * stage.ratio, b.y * stage.ratio, b.w * stage.ratio, b.h * stage.ratio);
        for (let i = 0; i < data.length; i += 4) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
        return colours.size > 8;
    }"""
    until(page, lambda: page.evaluate(drawn), "a node with its words, on the canvas")
    assert page.locator("#tools").inner_html() == "" and page.get_attribute("body", "data-ready") is None
    context.close()


def test_a_page_whose_room_cannot_be_reached_is_made_all_the_same(browser: Any, room: dict[str, str]) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/socket.io/**", lambda route: route.abort())
    page.route_web_socket("**/socket.io/**", lambda socket: socket.close())
    page.goto(room["url"])
    page.wait_for_selector("body[data-ready=true]")
    until(page, lambda: page.locator("#gone").is_visible(), "word that the cluster is not there yet")
    context.close()


def test_who_comes_late_sees_what_the_scene_had_told_before(visit: Callable[..., Any], room: dict[str, str]) -> None:
    """The panels are made after the snapshot came: they know it, and the connection, and who is here."""
    page = visit(room["url"])
    assert "4 nodes" in page.locator("#situations").inner_text()
    assert page.locator("#tree [role=treeitem]").count() > 3
    assert page.locator("#connection").inner_text() == "Live"


def test_the_terminal_waits_for_somebody_and_loses_nothing_that_is_typed(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    held: list[Any] = []
    page.route("**/vendor/xterm.js", lambda route: held.append(route))
    assert page.locator(".xterm").count() == 0 and "podium:~$" in page.locator("#terminal").text_content()
    page.locator("#terminal textarea").focus()
    page.keyboard.type("kubectl get nodes")
    page.keyboard.press("Enter")
    page.keyboard.type("kubectl get n")
    until(page, lambda: held, "the terminal's library to be asked for")
    held[0].continue_()
    until(page, lambda: "m-k8s" in page.locator("#terminal-log").inner_text(), "what was typed to run")
    until(page, lambda: page.evaluate("podium.terminal.line.line") == "kubectl get n", "the line that was not ended")
    assert page.evaluate("document.activeElement.className") == "xterm-helper-textarea" and page.locator(".prompt").count() == 0
    page.keyboard.press("Control+c")
    assert "default" in run(page, "kubectl get ns")


def test_a_pointer_that_comes_by_has_the_terminal_made_when_the_page_is_idle(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    page.evaluate("() => void (window.requestIdleCallback = (done, { timeout }) => void (window.later = done, window.atMost = timeout))")
    page.mouse.move(300, 300)
    until(page, lambda: page.evaluate("!!window.later"), "a place in idle time")
    assert page.evaluate("window.atMost") and page.locator(".xterm").count() == 0 and page.evaluate("podium.terminal.screen") is None
    page.evaluate("window.later()")
    page.locator(".xterm").wait_for()
