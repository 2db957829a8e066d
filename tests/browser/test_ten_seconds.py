"""The ten-second test: of each of eight situations a picture alone tells a stranger what is wrong. The pictures are kept in the artifacts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.browser import plights
from tests.browser.page import centre, post, rest, until

pytestmark = pytest.mark.browser
LOOKS = [("en", "dark"), ("en", "light"), ("ko", "dark")]
# what the strip and the callout say, in English and in Korean
SAID = {
    "healthy": (["All well: 4 pods ready"], ["모두 정상: 파드 4개 준비됨"]),
    "bad-image": (["3 pods cannot pull their image", "ImagePullBackOff", "3 pods of shop", "nginx:nosuch9 not found"],
                  ["파드 3개가 이미지를 받지 못함", "ImagePullBackOff", "nginx:nosuch9 이미지를 찾을 수 없음"]),
    "pending-for-cpu": (["2 pods fit on no node", "Pending", "no node has 4 CPU free (3 Insufficient cpu, 1 untolerated taint(s))"],
                        ["파드 2개가 들어갈 노드 없음", "Pending", "여유가 4 CPU인 노드 없음"]),
    "crash-loop": (["2 pods keep crashing", "CrashLoopBackOff", "2 pods of worker", "exit 1", "next try in 21s"],
                   ["파드 2개가 계속 비정상 종료", "CrashLoopBackOff", "종료 코드 1", "21s 뒤 재시도"]),
    "no-endpoints": (["Service api has no endpoints", "selector app=api-svc, pods have app=api-service"],
                     ["Service api: 엔드포인트 없음", "셀렉터는 app=api-svc, 파드는 app=api-service"]),
    "rollout-half-way": (["web is rolling out", "Rollout 3/6", "waits: 3 not ready; at least 5 must be available, at most 8 in all"],
                         ["web: 롤아웃 진행 중", "롤아웃 3/6", "대기 중: 3개 준비 안 됨; 최소 5개 사용 가능, 최대 8개"]),
    "node-lost": (["Node w2-k8s is lost", "NotReady", "for 40s, no power; its pods are evicted in 4m20s"],
                  ["노드 w2-k8s 응답 없음", "NotReady", "40s째", "4m20s 뒤 파드 축출"]),
    "policy-blocks": (["A NetworkPolicy blocks requests", "NetworkPolicy", "deny-all blocks", "shop → db:6379 · ✕ 5/s"],
                      ["NetworkPolicy가 요청을 막음", "deny-all: 차단", "shop → db:6379 · ✕ 5/s"]),
}


def boxes(page: Any) -> dict[str, list[list[float]]]:
    """What may not meet: the callouts, the pods, the strip's chips and the page's view of the canvas."""
    return page.evaluate("""() => {
        const { stage } = podium, host = stage.host.getBoundingClientRect();
        const box = at => [at.left, at.top, at.width, at.height];
        const of = query => [...document.querySelectorAll(query)].filter(one => !one.hidden).map(one => box(one.getBoundingClientRect()));
        const pods = [...stage.layout.pods.keys()].map(id => stage.camera.box(stage.layout.box(id)))
            .map(b => [host.left + b.x + b.w * 0.2, host.top + b.y + b.h * 0.1, b.w * 0.6, b.h * 0.6]);
        return { callouts: of(".callout"), chips: of(".plight"), tools: of(".stage-tools, .legend"), pods, host: [box(host)] };
    }""")


def meet(a: list[float], b: list[float]) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def within(a: list[float], b: list[float]) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[0] + a[2] <= b[0] + b[2] and a[1] + a[3] <= b[1] + b[3]


@pytest.mark.parametrize("name", plights.PLIGHTS)
def test_a_stranger_can_tell_from_the_picture_what_is_the_matter(name: str, visit: Callable[..., Any], room: dict[str, str],
                                                                 picture: Callable[[Any, str], None]) -> None:
    plights.make(name, partial(post, room))
    page = visit(room["url"])
    stage = page.locator("#stage")
    for language, theme in LOOKS:
        for action in (f"language.{language}", f"theme.{theme}"):
            page.evaluate("action => podium.actions.all.get(action).run()", action)
        words = SAID[name][language == "ko"]
        until(page, lambda words=words: all(word in stage.inner_text() for word in words), f"the words {words}")
        rest(page)
        until(page, lambda: page.evaluate("!podium.stage.plaques?.laid"), "every callout to have its place")
        tree = stage.aria_snapshot()
        assert words[0] in tree and (name == "healthy" or words[1] in tree)
        found = boxes(page)
        assert len(found["callouts"]) == (name != "healthy")
        for callout in found["callouts"]:
            assert within(callout, found["host"][0])
            assert not any(meet(callout, other) for other in (*found["pods"], *found["chips"], *found["tools"]))
        assert all(within(chip, found["host"][0]) and not any(meet(chip, tool) for tool in found["tools"]) for chip in found["chips"])
        sizes = page.evaluate("[...document.querySelectorAll('.callout *, .plight')].map(one => parseFloat(getComputedStyle(one).fontSize))")
        assert min(sizes) >= 12
        picture(page, f"10s-{name}-{language}-{theme}")


def test_a_chip_goes_from_one_to_the_next_and_a_callout_to_what_it_is_about(visit: Callable[..., Any], room: dict[str, str]) -> None:
    plights.make("bad-image", partial(post, room))
    page = visit(room["url"], motion="reduce")
    chip = page.get_by_role("button", name="3 pods cannot pull their image")
    seen = []
    for _ in range(4):
        chip.click()
        seen.append(page.evaluate("podium.stage.selected"))
    assert len(set(seen[:3])) == 3 and seen[3] == seen[0] and all(one.startswith("Pod/default/shop-") for one in seen)
    page.evaluate("podium.select(null)")
    callout = page.locator("button.callout")
    assert callout.get_attribute("title") == "ImagePullBackOff · 3 pods of shop · nginx:nosuch9 not found"
    callout.click()
    assert page.evaluate("podium.stage.selected").startswith("Pod/default/shop-")


def test_callouts_go_along_with_the_eye_and_leave_with_what_they_are_about(visit: Callable[..., Any], room: dict[str, str]) -> None:
    plights.make("bad-image", partial(post, room))
    page = visit(room["url"], motion="reduce")
    callout = page.locator("button.callout")
    until(page, callout.count, "a callout")
    before = callout.bounding_box()
    page.evaluate("podium.stage.panBy(-40, 0)")
    until(page, lambda: callout.bounding_box() != before, "the callout to go along")
    pod = until(page, lambda: page.evaluate("[...podium.strip.situations.worst(1)[0].members][0]"), "its pod")
    assert centre(page, pod)
    post(room, "terminal", {"line": "kubectl delete deployment shop"})
    post(room, "clock", {"advance": 40})
    until(page, lambda: callout.count() == 0 or not callout.first.is_visible(), "the callout to go")
    until(page, lambda: "cannot pull" not in page.locator("#situations").inner_text(), "the chip to go")
