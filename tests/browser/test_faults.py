"""Chaos from the page: a fault is chosen, drawn, told in words, and healed, by pointer and by keyboard, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.cluster.machines import PRESETS
from tests.browser.axe import every_finding
from tests.browser.page import centre, drawn, open_tab, post, select, things, until

pytestmark = pytest.mark.browser
NODE = "Node//w2-k8s"
EXAMPLES = Path(__file__).parents[2] / "server" / "rooms" / "examples"


def tab(page: Any) -> Any:
    return page.locator("#tab-chaos")


def test_a_node_is_cut_off_drawn_told_and_healed(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page, other = visit(room["url"]), visit(room["url"], locale="ko-KR", theme="light")
    until(page, lambda: len(things(page, "Node")) == 4, "the nodes")
    tab(page).click()
    page.mouse.click(*centre(page, NODE))
    panel = page.locator("#panel-chaos")
    assert panel.is_visible() and page.locator("#chaos-target").input_value() == NODE
    page.locator("#chaos-fault").select_option("network")
    assert "its containers go on" in panel.inner_text()
    post(room, "clock", {"paused": True})
    page.locator("#chaos-start").press("Enter")
    until(page, lambda: things(page, "Node")[NODE].get("cut"), "the cut")
    assert "network cut" in drawn(page) and "Unreachable" not in drawn(page)
    assert tab(page).get_attribute("data-count") == "1"
    until(page, lambda: "Network cut, w2-k8s" in page.locator("#announcer").inner_text(), "the news in words")
    until(other, lambda: things(other, "Node").get(NODE, {}).get("cut"), "the other browser to see it")
    select(other, NODE)
    until(other, lambda: "하트비트가 없으면 쿠버네티스가 알아챕니다" in other.locator("#inspect-body").inner_text(),
          "that the cluster does not know yet")
    post(room, "clock", {"advance": 70})
    until(page, lambda: things(page, "Node")[NODE]["ready"] == "Unknown", "the cluster to notice")
    assert {"network cut", "Unreachable"} <= set(drawn(page)) and {"네트워크 끊김", "Unreachable"} <= set(drawn(other))
    picture(page, "16-chaos")
    picture(other, "17-chaos-ko")
    panel.get_by_role("button", name="Heal: Network cut, w2-k8s").click()
    until(page, lambda: not things(page, "Node")[NODE].get("cut") and not things(page, "Fault"), "the way back")
    assert "network cut" not in drawn(page) and "Nothing is broken." in panel.inner_text()


def test_a_stopped_component_is_crossed_out_on_the_rail_and_explained(visit: Callable[..., Any], room: dict[str, str],
                                                                      picture: Callable[[Any, str], None]) -> None:
    for locale, stopped, sentence in (("en-US", "stopped", "new pods stay unscheduled"), ("ko-KR", "멈춤", "새 파드는 스케줄 대기로 남고")):
        page = visit(room["url"], locale=locale)
        until(page, lambda page=page: len(things(page, "Component")) == 4, "the components")
        assert stopped not in drawn(page)
        at = page.locator("#stage").bounding_box()
        station = page.evaluate("""async () => {
            const { componentBox } = await import("/static/js/canvas/rail.js"), b = componentBox(podium.stage.width, "Component//kube-scheduler");
            return [b.x + b.w / 2, b.y + b.h / 2];
        }""")
        page.mouse.click(at["x"] + station[0], at["y"] + station[1])
        body = page.locator("#inspect-body")
        until(page, lambda page=page: page.locator("#panel-inspector h2").inner_text() == "kube-scheduler", "the component in the inspector")
        page.locator("#break").click()
        assert page.locator("#chaos-fault").input_value() == "component"
        assert page.locator("#chaos-target").input_value() == "Component//kube-scheduler"
        page.locator("#chaos-start").click()
        until(page, lambda page=page: things(page, "Component")["Component//kube-scheduler"]["healthy"] is False, "the stop")
        assert stopped in drawn(page)
        open_tab(page, "Inspector" if locale == "en-US" else "상세 보기")
        until(page, lambda body=body, sentence=sentence: sentence in body.inner_text(), "the sentence")
        picture(page, f"18-component-{locale}")
        body.locator("[id^='heal-']").click()
        until(page, lambda page=page: things(page, "Component")["Component//kube-scheduler"]["healthy"], "the start")


def test_every_fault_has_its_form_in_words_and_what_cannot_be_is_told(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl run web --image=nginx"})
    post(room, "clock", {"advance": 5})
    for locale in ("en-US", "ko-KR"):
        page = visit(room["url"], locale=locale, refused=True)
        until(page, lambda page=page: things(page, "Pod").get("Pod/default/web", {}).get("state") == "ready", "a pod")
        tab(page).click()
        form = page.locator("#panel-chaos form").first
        faults = [one.get_attribute("value") for one in page.locator("#chaos-fault option").all()]
        assert len(faults) == 11
        for fault in faults:
            page.locator("#chaos-fault").select_option(fault)
            text = form.inner_text()
            assert "chaos." not in text and "undefined" not in text and fault.isalpha(), text
    page.locator("#chaos-fault").select_option("probe")
    page.locator("#chaos-target").select_option("Pod/default/web")
    assert page.locator("#chaos-container").input_value() == "web"
    page.locator("#chaos-start").click()
    until(page, lambda: "liveness probe" in page.locator("#toasts").inner_text(), "why not")
    page.locator("#chaos-fault").select_option("kill")
    page.locator("#chaos-start").click()
    until(page, lambda: things(page, "Pod")["Pod/default/web"].get("restarts") == 1, "the container to be started again")
    page.locator("#chaos-fault").select_option("image")
    page.locator("#chaos-target").fill("nginx")
    page.locator("#chaos-error").select_option("unreachable")
    page.locator("#chaos-start").click()
    until(page, lambda: "레지스트리 연결 안 됨" in page.locator(".wrongs").inner_text(), "the broken image")
    assert "nginx" in page.locator(".wrongs").inner_text()


def test_many_faults_are_healed_at_once_and_machines_come_and_go(visit: Callable[..., Any], room: dict[str, str]) -> None:
    for fault, target in (("disk", "w1-k8s"), ("power", "w3-k8s"), ("component", "etcd")):
        post(room, "chaos", {"fault": fault, "target": target})
    post(room, "clock", {"advance": 2})
    page = visit(room["url"])
    tab(page).click()
    until(page, lambda: page.locator(".wrongs li").count() == 3, "three faults")
    until(page, lambda: {"no power", "stopped"} <= set(drawn(page)), "their marks")
    page.get_by_role("button", name="Heal all").click()
    until(page, lambda: not things(page, "Fault") and not page.locator(".wrongs").count(), "everything healed")
    page.locator("#machine-cpu").fill("4")
    page.locator("#machine-add").click()
    until(page, lambda: things(page, "Node").get("Node//w4-k8s", {}).get("cpu") == 4000, "a fourth worker")
    page.locator("#machine").select_option("Node//w4-k8s")
    assert page.locator("#machine-cpu").input_value() == "4"
    page.locator("#machine-remove").click()
    until(page, lambda: "Node//w4-k8s" not in things(page, "Node"), "it to go again")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_chaos_and_in_the_matrix(visit: Callable[..., Any], room: dict[str, str], theme: str) -> None:
    post(room, "chaos", {"fault": "power", "target": "w3-k8s"})
    post(room, "apply", (EXAMPLES / "trouble-pending.yaml").read_text())
    page = visit(room["url"], theme=theme)
    until(page, lambda: things(page, "Fault"), "the fault")
    tab(page).click()
    for _ in range(2):
        assert every_finding(page) == []
        open_tab(page, "Inspector")
        select(page, "Pod/default/too-big")
        until(page, lambda: page.locator(".matrix").count(), "the matrix")


def test_the_start_page_offers_every_cluster_in_both_languages(browser: Any, base: str) -> None:
    for locale, name in (("en-US", "Three zones: six workers, two in each"), ("ko-KR", "영역 3개: 워커 6대, 영역마다 2대")):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale=locale)
        page = context.new_page()
        page.goto(base)
        page.wait_for_selector("body[data-ready]")
        choice = page.locator("#preset")
        assert {one.get_attribute("value") for one in choice.locator("option").all()} == set(PRESETS)
        assert all(one.inner_text().strip() for one in choice.locator("option").all())
        choice.select_option(label=name)
        page.locator("#start").click()
        page.wait_for_selector("#stage")
        page.wait_for_selector("body[data-ready]")
        until(page, lambda page=page: len(things(page, "Node")) == 7, "seven nodes")
        assert {"kr-central-b", "kr-central-c"} <= set(drawn(page))
        context.close()


def test_how_long_a_fault_has_lasted_is_told_as_time_passes(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "chaos", {"fault": "network", "target": NODE})
    page = visit(room["url"])
    tab(page).click()
    panel = page.locator("#panel-chaos")
    until(page, lambda: "Network cut" in panel.inner_text(), "the fault")
    post(room, "clock", {"advance": 600})
    until(page, lambda: "for 10m" in panel.inner_text(), "its age")
