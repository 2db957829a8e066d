"""Languages and ways of seeing: Korean that does not break in its words, states told without colour, high contrast, a small window."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe
from tests.browser.hands import begin
from tests.browser.page import post, run, until
from tests.browser.plights import deployment, service

pytestmark = pytest.mark.browser
MARKS = """() => {
    const grey = ([r, g, b]) => r * 0.299 + g * 0.587 + b * 0.114;
    const open = document.querySelector('dialog[open]');
    if (!open) return null;
    const ground = grey(getComputedStyle(open).backgroundColor.match(/[0-9.]+/g).map(Number));
    return [...document.querySelectorAll('dialog .marks canvas')].slice(0, 12).map(one => {
        const { data } = one.getContext('2d').getImageData(0, 0, one.width, one.height), seen = [];
        for (let i = 0; i < data.length; i += 4) seen.push(ground + (grey(data.slice(i, i + 3)) - ground) * data[i + 3] / 255);
        return seen;
    });
}"""
BUDGET = """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
"""


def act(page: Any, name: str) -> None:
    page.evaluate("name => podium.actions.all.get(name).run()", name)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_two_states_of_a_pod_look_alike_without_colour(theme: str, visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], theme=theme)
    act(page, "help")
    marks = until(page, lambda: page.evaluate(MARKS), "the marks")
    assert len(marks) == 12 and all(max(mark) - min(mark) > 60 for mark in marks)
    alike = []
    for first, one in enumerate(marks):
        for second, other in enumerate(marks[:first]):
            differ = sum(abs(a - b) > 40 for a, b in zip(one, other, strict=True)) / len(one)
            if differ < 0.04:
                alike.append((first, second, differ))
    assert alike == []


def test_the_language_is_changed_on_the_whole_page_and_kubectl_stays_english(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1)
    assert page.evaluate("document.documentElement.lang") == "en"
    page.locator("#panel-editor .editor").hover()
    editor = page.locator("#panel-editor .editor [data-i18n-label]")
    until(page, lambda: editor.get_attribute("aria-label") == "Manifest in YAML", "the editor's name")
    act(page, "language.ko")
    until(page, lambda: page.evaluate("document.documentElement.lang") == "ko", "Korean")
    assert editor.get_attribute("aria-label") == "YAML 매니페스트"
    described = page.evaluate("id => document.getElementById(id).textContent", editor.get_attribute("aria-describedby"))
    assert "Escape" in described and re.search("[가-힣]", described)
    assert page.evaluate("getComputedStyle(document.querySelector('.callouts') ?? document.getElementById('situations')).wordBreak") == "keep-all"
    run(page, "kubectl get pods")
    until(page, lambda: "READY" in page.locator("#terminal-log").inner_text(), "the table")


def test_the_end_of_a_fault_is_told_in_words(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], locale="ko-KR")
    fault = post(room, "chaos", {"fault": "network", "target": "w2-k8s"})
    assert fault
    page.evaluate("podium.api.heal()")
    said = page.evaluate("""async () => (await import(document.querySelector('script[src$="first.js"]').src.replace('first.js', 'said.js')))
        .said({ kind: 'fault', verb: 'heal-network', thing: 'Node//w2-k8s' })""")
    assert said == "카오스: 복구: 네트워크 끊김, Node w2-k8s"


def test_a_long_name_of_a_kind_does_not_run_into_its_value(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 2), BUDGET, count=2, width=1366, height=768)
    page.evaluate("podium.show('Deployment/default/web')")
    fact = page.locator(".fact", has_text="PodDisruptionBudget")
    until(page, fact.count, "the budget")
    assert fact.locator("dt").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_high_contrast_shows_edges_focus_and_what_is_current(visit: Callable[..., Any], room: dict[str, str],
                                                             picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 1), service("web"), count=1)
    page.emulate_media(forced_colors="active")
    page.keyboard.press("Control+k")
    until(page, lambda: page.locator("#palette-list [role=option]").count(), "the palette")
    assert page.evaluate("getComputedStyle(document.getElementById('palette')).borderTopStyle") == "solid"
    assert page.evaluate("getComputedStyle(document.querySelector('#palette [aria-selected=true]')).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    page.evaluate("podium.select('Deployment/default/web')")
    page.keyboard.press("m")
    until(page, lambda: page.evaluate("document.activeElement.getAttribute('role')") == "menuitem", "the menu")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    picture(page, "67-forced-colours")


def test_at_twice_the_size_nothing_of_the_bar_lies_over_the_cluster(visit: Callable[..., Any], room: dict[str, str],
                                                                   picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1, width=800, height=500, locale="ko-KR")
    boxes = page.evaluate("""() => [...document.querySelectorAll('#bar-view, #bar-group, #bar-search')].map(one => one.getBoundingClientRect())
        .map(one => [one.left, one.top, one.right])""")
    assert len({round(top) // 8 for _, top, _ in boxes}) == 1
    assert all(boxes[i][2] <= boxes[i + 1][0] for i in range(len(boxes) - 1))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "68-twice-the-size")


@pytest.mark.parametrize(("theme", "locale"), [("dark", "ko-KR"), ("light", "en-US")])
def test_states_that_come_and_go_have_no_serious_finding(visit: Callable[..., Any], room: dict[str, str], theme: str, locale: str) -> None:
    page = begin(visit, room, deployment("web", 2), service("web"), service("lost", "nobody"), count=2, theme=theme, locale=locale, motion="reduce")
    found: list[str] = []

    def look(where: str) -> None:
        found.extend(f"{where}: {one}" for one in axe.findings(page))

    page.locator("#tab-traffic").click()
    page.locator(".traffic .card .link").first.click()
    until(page, lambda: page.locator(".follow li[aria-current]").count(), "the step")
    look("a request that failed, followed")
    page.locator(".traffic .card").nth(1).locator(".link").first.click()
    until(page, lambda: page.locator(".follow").nth(1).locator("li").count() > 1, "the way")
    look("a followed request")
    page.keyboard.press("Control+k")
    until(page, lambda: page.locator("#palette-list [role=option]").count(), "the palette")
    page.keyboard.type("qqqq")
    look("nothing found in the palette")
    page.keyboard.press("Escape")
    act(page, "examples")
    until(page, lambda: page.locator(".gallery-list li").count(), "the gallery")
    look("gallery")
    page.keyboard.type("qqqq")
    look("empty gallery")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    until(page, lambda: page.locator("dialog[open]").count() == 0, "the gallery to go")
    act(page, "view")
    act(page, "replay.apply")
    until(page, lambda: page.locator(".replay-steps li[aria-current]").count(), "the steps")
    page.locator(".replay-steps li").nth(1).hover()
    look("replay")
    act(page, "view")
    act(page, "past.previous")
    until(page, lambda: page.evaluate("podium.live.past !== null"), "the past")
    for tab in ("traffic", "chaos"):
        page.locator(f"#tab-{tab}").click()
        look(f"the past: {tab}")
    seen = {one.split(": ", 1)[1]: one for one in reversed(found)}
    assert not seen, "\n".join(seen.values())
