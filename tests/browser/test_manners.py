"""How the page behaves as a page: accessible, keyboard first, one screen, two themes, two languages, quiet when asked to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import every_finding
from tests.browser.page import apply, centre, pods, ready, run, things, until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str], theme: str) -> None:
    page = visit(room["url"], theme=theme)
    apply(page, manifests["nginx-deploy.yml"])
    found = ready(page, 2)
    for tab in ("YAML", "Inspector", "Traffic", "Browser", "Chaos"):
        page.get_by_role("tab", name=tab, exact=True).first.click()
        if tab == "Inspector":
            page.mouse.click(*centre(page, next(iter(found))))
            until(page, page.locator("#panel-inspector .facts").count, "its facts")
        if tab == "Traffic":
            page.locator("#traffic-target").fill("Node//w1-k8s")
            page.locator("#traffic-port").fill("30999")
            page.locator("#follow-other").click()
            until(page, page.locator(".follow li").count, "the hops")
        assert every_finding(page) == []


def test_the_page_never_scrolls(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    for width, height in ((1600, 1000), (1280, 720), (1024, 640)):
        page = visit(room["url"], width=width, height=height, theme="light")
        until(page, lambda page=page: len(things(page, "Node")) == 4, "the scene")
        assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [width, height]
        picture(page, f"7-{width}x{height}")


def test_the_tree_says_what_the_canvas_shows_and_is_walked_with_the_keyboard(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    run(page, "kubectl run web --image=nginx")
    ready(page, 1)
    page.keyboard.press("Escape")
    tree = page.get_by_role("tree")
    until(page, lambda: tree.get_by_text("Pod web, Running").count(), "the pod in the tree")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "treeitem"
    for _ in range(60):
        if "Pod web" in page.evaluate("document.activeElement.textContent"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#panel-inspector h2").all_inner_texts() == ["web"], "the pod")


def test_the_command_palette_finds_a_thing_and_a_command(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.keyboard.press("Control+k")
    page.keyboard.type("w2-k8s")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#panel-inspector h2").all_inner_texts() == ["w2-k8s"], "the node")
    page.keyboard.press("Control+k")
    page.keyboard.type("theme light")
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("document.documentElement.dataset.theme") == "light", "the light theme")


def test_korean_speaks_korean_but_for_kubectl(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"], locale="ko-KR")
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert page.get_by_role("button", name="공유").is_visible()
    assert run(page, "kubectl get nodes").startswith("NAME")


def test_with_reduced_motion_nothing_travels(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str]) -> None:
    page = visit(room["url"], motion="reduce")
    apply(page, manifests["nginx-deploy.yml"])
    until(page, lambda: len(pods(page)) == 2, "pods")
    for _ in range(10):
        assert page.evaluate("podium.stage.motion.envelopes.all.length + podium.stage.motion.walks.length + podium.stage.motion.moves.size") == 0
        page.wait_for_timeout(50)


def test_hovering_a_service_lights_the_pods_it_selects(visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str]) -> None:
    page = visit(room["url"])
    apply(page, manifests["nginx-deploy.yml"])
    apply(page, manifests["nginx-svc.yml"])
    run(page, "kubectl run other --image=nginx")
    ready(page, 3)
    page.mouse.move(*centre(page, "Service/default/nginx-svc"))
    lit = page.evaluate("[...podium.stage.related(podium.stage.hovered)].sort()")
    assert lit == sorted(name for name, pod in pods(page).items() if pod["labels"].get("app") == "nginx")
    assert len(lit) == 2


def test_the_eye_moves_by_wheel_drag_and_keys_and_fit_brings_it_back(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    until(page, lambda: page.evaluate("!!podium.past.timeline") and page.locator("#situations").inner_text(), "all that lies around the canvas")
    camera = "[podium.stage.camera.x, podium.stage.camera.y, podium.stage.camera.zoom]"
    page.evaluate("podium.stage.fit()")
    first = page.evaluate(camera)
    page.mouse.move(500, 400)
    page.mouse.wheel(0, -400)
    until(page, lambda: page.evaluate(camera)[2] > first[2], "a closer view")
    page.mouse.down()
    page.mouse.move(560, 440, steps=4)
    page.mouse.up()
    page.keyboard.press("f")
    assert page.evaluate(camera) == pytest.approx(first)
