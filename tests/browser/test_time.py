"""Time as a learner uses it: the timeline and the past, a room of one's own from then, the clock, and a wire that breaks."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import findings
from tests.browser.page import apply, pods, post, ready, run, select, things, until

pytestmark = pytest.mark.browser
TRACK = "#timeline-track"
DIFFERENCE = """told => [...podium.scene.things].filter(([id, thing]) => JSON.stringify(told[id]) !== JSON.stringify(thing)).map(([id]) => id)
    .concat(Object.keys(told).filter(id => !podium.scene.get(id)))"""


def get(room: dict[str, str], path: str) -> Any:
    with urllib.request.urlopen(room["url"].replace("?", f"/{path}{'&' if '?' in path else '?'}", 1)) as response:
        return json.load(response)


def clock(room: dict[str, str], **change: Any) -> Any:
    return post(room, "clock", change)


def story(room: dict[str, str]) -> None:
    """Half a minute in which somebody acts thrice, and one act goes wrong."""
    clock(room, paused=True)
    for line in ("kubectl create deployment web --image=nginx --replicas=2", "kubectl create deployment bad --image=nginx:nope",
                 "kubectl scale deployment web --replicas=4"):
        assert post(room, "terminal", {"line": line})["exit_code"] == 0
        clock(room, advance=10)


def known(page: Any) -> Any:
    """Waits until the timeline knows all that happened."""
    return until(page, lambda: page.evaluate("podium.past.timeline && podium.past.chronicle.marks"), "the timeline")


def looked_at(page: Any) -> int | None:
    return page.evaluate("podium.past.loading ? -1 : podium.live.past")


def act(page: Any, thing: str, verb: str) -> dict[str, Any]:
    return next(mark for mark in known(page) if (mark["kind"], mark["thing"], mark["verb"]) == ("act", thing, verb))


def place(page: Any, time: float) -> tuple[float, float]:
    """Where a moment is on the strip, in pixels of the page."""
    return page.evaluate("""time => {
        const { timeline } = podium.past, v = timeline.view, box = timeline.track.getBoundingClientRect();
        return [box.left + v.left + (time - v.from) / (v.until - v.from) * (v.width - v.left - v.right), box.top + 20];
    }""", time)


def test_the_timeline_shows_what_happened_and_tells_it_under_the_pointer(visit: Callable[..., Any], room: dict[str, str],
                                                                          picture: Callable[[Any, str], None]) -> None:
    story(room)
    page = visit(room["url"])
    assert {(mark["verb"], mark["thing"]) for mark in known(page) if mark["kind"] == "act"} == {
        ("create", "Deployment/default/web"), ("create", "Deployment/default/bad"), ("patch", "Deployment/default/web")}
    page.mouse.move(*place(page, act(page, "Deployment/default/bad", "create")["time"]))
    tip = page.locator(".timeline-tip")
    until(page, lambda: "kubectl created Deployment bad" in tip.inner_text(), "the tip to tell of the act")
    assert re.search(r"00:00:1\d\.\d, revision \d+", tip.inner_text())
    page.get_by_role("button", name="Unfold the timeline").click()
    assert page.locator("#timeline").bounding_box()["height"] > 120
    assert page.locator(".timeline .rows").inner_text().split("\n") == ["Acts", "Chaos", "Nodes", "Failed pods", "Warnings", "Writes"]
    picture(page, "30-timeline")
    before = len(known(page))
    post(room, "terminal", {"line": "kubectl delete deployment bad"})
    until(page, lambda: len(known(page)) > before and known(page)[-1]["verb"] == "delete", "the mark of what happens now")


def test_scrubbing_back_shows_the_whole_page_as_it_was_and_escape_returns(visit: Callable[..., Any], room: dict[str, str],
                                                                          picture: Callable[[Any, str], None]) -> None:
    story(room)
    page = visit(room["url"])
    now = ready(page, 4)
    scaled = act(page, "Deployment/default/web", "patch")
    page.mouse.click(*place(page, scaled["time"]))
    until(page, lambda: looked_at(page) == scaled["revision"], "the moment of the scaling")
    assert len(pods(page)) == 3
    assert things(page, "Deployment")["Deployment/default/web"]["replicas"] == 4
    assert page.evaluate(DIFFERENCE, get(room, f"scene?revision={scaled['revision']}")["things"]) == []
    assert page.locator("#clock output").inner_text() == "00:00:20"
    banner = page.locator("#past-banner")
    assert f"00:00:20.0, revision {scaled['revision']}" in banner.inner_text()
    assert "before deployment-controller updated ReplicaSet web-" in banner.inner_text()
    slider = page.get_by_role("slider", name="Look at the cluster at a time")
    assert "kubectl patched Deployment web" in slider.get_attribute("aria-valuetext")
    picture(page, "31-past")

    select(page, "Deployment/default/bad")
    page.locator("#panel-inspector").get_by_role("tab", name="YAML", exact=True).click()
    until(page, lambda: "nginx:nope" in page.locator("#panel-inspector").inner_text(), "the YAML of then")
    printed = run(page, "kubectl get deployment web")
    assert re.search(r"^web +2/4 +2 ", printed, re.MULTILINE)
    assert f"@{scaled['revision']}" in page.evaluate("podium.terminal.screen.buffer.active.getLine(podium.terminal.screen.buffer.active.cursorY)"
                                                     ".translateToString()")
    assert "it can be read, not changed" in run(page, "kubectl delete deployment web")
    page.locator("#stage").click(position={"x": 4, "y": 300})
    page.keyboard.press("Escape")
    until(page, lambda: looked_at(page) is None and not banner.is_visible(), "now")
    assert set(pods(page)) >= set(now)
    assert things(page, "Deployment")["Deployment/default/web"]["ready"] == 4
    assert page.evaluate("podium.api.at") is None


def test_nothing_can_be_changed_in_the_past(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    story(room)
    page = visit(room["url"], width=1366, height=768, theme="light", locale="ko-KR")
    page.evaluate("revision => void podium.past.look(revision)", act(page, "Deployment/default/bad", "create")["revision"])
    until(page, lambda: (looked_at(page) or 0) > 0, "the past")
    assert all(page.locator(selector).is_disabled() for selector in ("#pause", "#step", "#speed", "#faster", "#until"))
    assert page.locator("#panel-editor .button.primary").first.is_disabled()
    for tab, control in (("traffic", "button[type=submit]"), ("chaos", "#chaos-start"), ("browser", "button[type=submit]")):
        page.locator(f"#tab-{tab}").click()
        assert page.locator(f"#panel-{tab} {control}").is_disabled()
        assert "읽기 전용" in page.locator(f"#panel-{tab} .only-past").inner_text()
    refused = page.evaluate("Promise.all([podium.api.apply('a'), podium.api.clock({paused: false}), podium.api.heal(), podium.api.write('a', 'b')]"
                            ".map(one => one.then(() => 'done', error => error.message)))")
    assert len(refused) == 4 and all("읽기 전용" in one for one in refused)
    page.wait_for_timeout(300)
    picture(page, "32-past-ko")
    page.locator("#past-now").click()
    until(page, lambda: page.locator("#pause").is_enabled() and page.locator("#panel-browser button[type=submit]").is_enabled(), "now")


def test_the_timeline_is_a_slider_for_the_keyboard(visit: Callable[..., Any], room: dict[str, str]) -> None:
    story(room)
    page = visit(room["url"])
    marks = known(page)
    last = page.evaluate("podium.past.chronicle.last")
    page.locator(TRACK).focus()

    def press(key: str, then: Callable[[int | None], bool]) -> int | None:
        page.keyboard.press(key)
        return until(page, lambda: (at := looked_at(page)) != -1 and then(at) and (at or True), f"what {key} does")

    press("PageUp", lambda at: at == marks[-1]["revision"])
    press("Shift+ArrowLeft", lambda at: at == marks[-1]["revision"] - 1)
    press("Shift+ArrowRight", lambda at: at == marks[-1]["revision"])
    press("Home", lambda at: at == page.evaluate("podium.past.chronicle.first"))
    assert page.locator(TRACK).get_attribute("aria-valuenow") == str(looked_at(page))
    press("PageDown", lambda at: at == marks[0]["revision"])
    time = page.evaluate("podium.time.now")
    press("ArrowRight", lambda at: page.evaluate("podium.time.now") > time)
    press("End", lambda at: at is None)
    until(page, lambda: page.locator(TRACK).get_attribute("aria-valuetext") == f"now, revision {last}", "the slider to say that it is now")


def test_a_drag_along_the_strip_asks_for_one_moment_at_a_time_and_ends_where_it_ends(visit: Callable[..., Any], room: dict[str, str]) -> None:
    story(room)
    page = visit(room["url"])
    known(page)
    page.evaluate("""() => {
        window.asked = { now: 0, most: 0, count: 0 };
        const { api } = podium, scene = api.scene.bind(api);
        api.scene = async (when) => {
            asked.most = Math.max(asked.most, ++asked.now);
            asked.count++;
            try { return await scene(when); } finally { asked.now--; }
        };
    }""")
    page.mouse.move(*place(page, 29))
    page.mouse.down()
    for step in range(60):
        page.mouse.move(*place(page, 28 - step * 0.3))
    page.mouse.up()
    until(page, lambda: looked_at(page) not in (-1, None), "the past")
    assert abs(page.evaluate("podium.past.shown.time") - 10.3) < 0.1
    counted = page.evaluate("asked")
    assert counted["most"] == 1 and 1 <= counted["count"] < 60


def test_a_room_of_ones_own_goes_on_from_then(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    story(room)
    page = visit(room["url"])
    page.evaluate("revision => void podium.past.look(revision)", act(page, "Deployment/default/bad", "create")["revision"])
    until(page, lambda: (looked_at(page) or 0) > 0, "the past")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Fork a room from here").click()
    link = page.get_by_label("Link to the new room").input_value()
    picture(page, "33-fork")
    other = opened.value
    other.wait_for_selector("body[data-ready=true]")
    assert other.url.split("#")[0] == link != room["url"]
    until(other, lambda: "Deployment/default/bad" in things(other, "Deployment"), "the cluster of then")
    assert things(other, "Deployment")["Deployment/default/web"]["replicas"] == 2
    assert other.evaluate("podium.time.paused")
    other.close()


def test_the_clock_steps_to_changes_goes_slower_and_faster_and_runs_until_something_is_so(
        visit: Callable[..., Any], room: dict[str, str], manifests: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.locator("#stage").click(position={"x": 4, "y": 300})
    for key, speed in (("]", 2), ("]", 5), ("[", 2), ("[", 1), ("[", 0.5)):
        page.keyboard.press(key)
        until(page, lambda speed=speed: page.evaluate("podium.time.speed") == speed, f"speed {speed}")
    page.keyboard.press("p")
    until(page, lambda: page.evaluate("podium.time.paused"), "the pause")
    apply(page, manifests["nginx-deploy.yml"])
    before = get(room, "scene")["storeRevision"]
    page.get_by_role("button", name="Step to the next change").click()
    until(page, lambda: get(room, "scene")["storeRevision"] > before, "a change")

    page.get_by_role("button", name="Run until").click()
    menu = page.get_by_role("menu", name="Run until")
    until(page, lambda: menu.is_visible(), "the menu")
    picture(page, "34-until")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    toast = page.locator(".toast").last
    until(page, lambda: page.locator(".toast").count() and "Reached: everything is ready" in toast.inner_text(), "what came of it")
    ready(page, 2)
    assert page.evaluate("podium.time.paused")

    post(room, "terminal", {"line": "kubectl create deployment busy --image=busybox --replicas=20 -- sh -c 'while true; do sleep 0.2; done'"})
    clock(room, advance=10)
    select(page, "Deployment/default/nginx-deploy")
    page.get_by_role("button", name="Run until").click()
    page.get_by_role("menuitem", name="nginx-deploy is ReplicaFailure").click()
    stop = page.get_by_role("button", name="Stop running")
    until(page, lambda: stop.is_visible(), "that it runs")
    stop.click()
    until(page, lambda: "Stopped before it was so: nginx-deploy is ReplicaFailure" in page.locator(".toast").last.inner_text(), "that it was stopped")


def test_under_churn_a_wire_that_breaks_again_and_again_leaves_the_page_with_the_servers_scene(visit: Callable[..., Any],
                                                                                               room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    post(room, "terminal", {"line": "kubectl create deployment web --image=nginx --replicas=4"})
    clock(room, speed=10)
    for turn in range(6):
        page.evaluate("podium.live.socket.io.engine?.close()")
        if turn % 2:
            page.evaluate("void podium.past.look(podium.past.chronicle.last - 5)")
        post(room, "terminal", {"line": f"kubectl scale deployment web --replicas={1 + turn % 5}"})
        post(room, "terminal", {"line": "kubectl rollout restart deployment web"})
        page.wait_for_timeout(150)
        if turn % 2:
            page.evaluate("podium.past.now()")
    clock(room, paused=True)
    until(page, lambda: page.evaluate("podium.live.socket.connected && podium.live.sync.past === null"), "the wire")
    until(page, lambda: page.evaluate(DIFFERENCE, get(room, "scene")["things"]) == [], "the server's scene")
    assert page.evaluate("podium.scene.instance") == get(room, "scene")["scene"]


def test_a_lost_connection_says_so_calmly_and_comes_back_by_hand(visit: Callable[..., Any], room: dict[str, str],
                                                                 picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.evaluate("""() => {
        const { io } = podium.live.socket;
        io.reconnectionDelay(60000);
        io.reconnectionDelayMax(60000);
        io.engine.close();
    }""")
    over = page.locator("#gone")
    until(page, lambda: over.is_visible() and "The connection is lost" in over.inner_text(), "that it is lost")
    assert re.search(r"Lost \d+s ago, and being tried again", over.inner_text())
    stood = page.evaluate("podium.time.now")
    picture(page, "35-lost")
    assert page.evaluate("podium.time.now") == stood
    over.get_by_role("button", name="Try now").click()
    until(page, lambda: not over.is_visible() and page.locator("#connection").inner_text() == "Live", "the connection")


def test_for_those_who_want_no_motion_the_timeline_marks_what_would_have_moved(visit: Callable[..., Any], room: dict[str, str]) -> None:
    still, moving = visit(room["url"], motion="reduce"), visit(room["url"])
    for page in (still, moving):
        until(page, lambda page=page: page.evaluate("!!podium.past.timeline"), "the timeline")
    post(room, "terminal", {"line": "kubectl create deployment web --image=nginx --replicas=2"})
    ready(still, 2)
    ready(moving, 2)
    clock(room, paused=True)
    until(still, lambda: still.evaluate("podium.time.paused"), "the pause")
    moved = still.evaluate("podium.past.timeline.moved")
    assert sum(one["count"] for one in moved) >= 2 and any("web-" in name for name in moved[0]["names"])
    assert moving.evaluate("podium.past.timeline.moved") == []
    still.mouse.move(*place(still, moved[-1]["time"]))
    until(still, lambda: "would have moved: web-" in still.locator(".timeline-tip").inner_text(), "what would have moved")


def test_axe_finds_nothing_serious_in_the_timeline_the_clock_and_the_past(visit: Callable[..., Any], room: dict[str, str]) -> None:
    story(room)
    for theme in ("dark", "light"):
        page = visit(room["url"], theme=theme)
        known(page)
        page.locator("#timeline-fold").click()
        for action, parts in (("podium.actions.all.get('until.more').run()", ["#timeline", "#clock", "#until-menu"]),
                              ("void podium.past.look(podium.past.chronicle.first + 20)", ["#timeline", "#clock", "#past-banner"])):
            page.evaluate(action)
            until(page, lambda page=page, parts=parts: page.locator(parts[-1]).is_visible(), parts[-1])
            assert findings(page, *parts) == []
