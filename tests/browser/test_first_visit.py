"""A student's first minute: one button brings a cluster to life, three things to try follow, and each empty place says what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hands import history
from tests.browser.page import open_tab, ready, run, things, until

pytestmark = pytest.mark.browser


def fresh(visit: Callable[..., Any], room: dict[str, str], **how: Any) -> Any:
    page = visit(room["url"], **how)
    until(page, page.locator("#show-me").is_visible, "the offer")
    return page


def test_one_button_types_kubectl_letter_by_letter_and_traffic_reaches_pods(visit: Callable[..., Any], room: dict[str, str],
                                                                            picture: Callable[[Any, str], None]) -> None:
    page = fresh(visit, room, width=1366, height=768)
    picture(page, "60-first-visit")
    page.locator("#show-me").click()
    seen: set[str] = set()

    def typing() -> bool:
        seen.add(page.evaluate("podium.terminal.line.line"))
        return "kubectl create deployment web" in page.locator("#terminal-log").inner_text()

    until(page, typing, "the first line")
    assert any(line and "kubectl create deployment web --image=nginx".startswith(line) for line in seen), seen
    ready(page, 3)
    until(page, lambda: sum(one.get("ok") or 0 for one in things(page, "Traffic").values()) > 0, "answers")
    assert history(page)[-2:] == ["kubectl create deployment web --image=nginx --port=80 --replicas=3", "kubectl expose deployment web --port=80"]
    assert page.locator("#empty li").count() == 3
    picture(page, "61-first-life")
    page.get_by_role("button", name="Scale it to six pods").click()
    ready(page, 6)
    assert history(page)[-1] == "kubectl scale deployment web --replicas=6"
    assert page.locator("#empty li[data-done]").count() == 1


def test_the_pointers_once_closed_stay_away(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = fresh(visit, room, motion="reduce")
    page.locator("#show-me").click()
    until(page, page.locator("#empty ol").is_visible, "the pointers")
    page.locator("#empty").get_by_role("button", name="Close").click()
    assert not page.locator("#empty").is_visible()
    run(page, "kubectl delete deployment,service web")
    until(page, lambda: not [one for one in things(page, "Pod").values() if not one.get("system")], "an empty room")
    page.reload()
    until(page, page.locator("#show-me").is_visible, "the offer again")
    page.locator("#show-me").click()
    ready(page, 3)
    until(page, lambda: things(page, "Traffic"), "traffic")
    assert not page.locator("#empty").is_visible()


def test_the_start_page_shows_life_with_one_click(visit: Callable[..., Any], base: str) -> None:
    page = visit(base)
    page.get_by_role("button", name="Show me").click()
    page.wait_for_selector("body.room[data-ready=true]")
    ready(page, 3)


def test_what_is_empty_says_what_comes_there(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = fresh(visit, room)
    for tab, panel, words in (("Inspector", "inspector", "Click a pod, node or Service"), ("Traffic", "traffic", "Service"),
                              ("Chaos", "chaos", "Nothing is broken")):
        open_tab(page, tab)
        until(page, lambda panel=panel, words=words: words in page.locator(f"#panel-{panel}").inner_text(), f"{words!r} in {tab}")
