"""The picture as a whole: at fit every text of the canvas can be read, none lies on another, and nothing lies under the bars."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.browser import plights
from tests.browser.page import centre, post, until

pytestmark = pytest.mark.browser
SIZES = {"laptop": (1366, 768, 10), "projector": (1600, 1000, 12)}
BIG = ", resources: {requests: {cpu: '9'}}"
CRASHES = ", command: [sh, -c, 'sleep 2; exit 1']"
# what is drawn on the still layer as words: a glyph that is part of a mark is none
TEXTS = """() => new Promise(done => {
    const { stage } = podium, pen = CanvasRenderingContext2D.prototype, write = pen.fillText, found = [];
    pen.fillText = function (text, x, y, ...rest) {
        if ((this.canvas === stage.parts.still || this.canvas === stage.rail) && /[\\p{L}\\p{N}]/u.test(text)) {
            const m = this.measureText(text), t = this.getTransform();
            found.push({ text, size: parseFloat(/([\\d.]+)px/.exec(this.font)[1]),
                x: (x * t.a + t.e) / stage.ratio - m.actualBoundingBoxLeft, y: (y * t.d + t.f) / stage.ratio - m.actualBoundingBoxAscent,
                w: m.actualBoundingBoxLeft + m.actualBoundingBoxRight, h: m.actualBoundingBoxAscent + m.actualBoundingBoxDescent });
        }
        return write.call(this, text, x, y, ...rest);
    };
    stage.fit();
    const wait = frames => frames && stage.parts ? requestAnimationFrame(() => wait(frames - 1)) : (pen.fillText = write, done(found));
    wait(6);
})"""
THINGS = """() => {
    const { stage } = podium, { layout, camera } = stage;
    const slots = [layout.services, layout.systemServices, layout.sources, layout.workloads].flatMap(one => [...one.of.keys()]);
    return Object.fromEntries([...layout.bins.keys(), ...layout.pods.keys(), ...slots].map(id => {
        const b = camera.box(layout.box(id));
        return [id, [b.x, b.y, b.w, b.h]];
    }));
}"""
OVER = """() => {
    const host = document.getElementById("stage").getBoundingClientRect();
    return [...document.querySelectorAll(".stage-bar > *, .plight, .stage-tools, .legend")].map(one => one.getBoundingClientRect())
        .filter(at => at.width && at.height).map(at => [at.left - host.left, at.top - host.top, at.width, at.height]);
}"""


@pytest.fixture
def mixed(room: dict[str, str]) -> dict[str, str]:
    """A room in which something of everything is the matter; its time stands still."""
    ask = partial(post, room)
    ask("clock", {"paused": True})
    spec = "{restartPolicy: Never, containers: [{name: j, image: busybox, command: ['true']}]}"
    job = f"---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: j}}\nspec: {{template: {{spec: {spec}}}}}\n"
    ask("apply", plights.deployment("web", 6) + plights.service("web", kind="NodePort") + plights.deployment("bad", 2, "nginx:nosuch9")
        + plights.deployment("crash", 2, "busybox", CRASHES) + plights.deployment("big", 1, more=BIG) + plights.service("api-svc") + job)
    ask("traffic", {"target": "default/web", "rate": 50})
    ask("clock", {"advance": 400})
    ask("clock", {"advance": 60})
    return room


def meet(a: list[float], b: list[float], slack: float = 0.5) -> bool:
    return a[0] < b[0] + b[2] - slack and b[0] < a[0] + a[2] - slack and a[1] < b[1] + b[3] - slack and b[1] < a[1] + a[3] - slack


@pytest.mark.parametrize("name", SIZES)
def test_at_fit_every_text_is_large_enough_and_none_lies_on_another(name: str, visit: Callable[..., Any], mixed: dict[str, str],
                                                                  picture: Callable[[Any, str], None]) -> None:
    width, height, least = SIZES[name]
    for locale, theme in (("en-US", "light"), ("ko-KR", "dark")):
        page = visit(mixed["url"], width=width, height=height, locale=locale, theme=theme, motion="reduce")
        until(page, lambda page=page: page.evaluate("podium.stage.layout.pods.size >= 12 && !podium.stage.busy"), "the picture")
        texts = page.evaluate(TEXTS)
        names = {one["text"] for one in texts}
        assert {"w1-k8s", "web", "api-svc", "crash"} <= names
        pods = page.evaluate("""[...podium.stage.layout.pods].filter(([, at]) => !at.system && at.place !== 'tray')
            .map(([id]) => id.split('-').at(-1))""")
        assert len(pods) >= 10
        assert {name for name in pods if len(name) == 5} <= names, "every pod's name"
        assert min(one["size"] for one in texts) >= least
        boxes = [(one["text"], [one[side] for side in "xywh"]) for one in texts]
        assert not [(a, b) for i, (a, at) in enumerate(boxes) for b, to in boxes[i + 1:] if meet(at, to)]
        picture(page, f"legible-{name}-{locale[:2]}-{theme}")


@pytest.mark.parametrize("name", SIZES)
def test_at_fit_all_is_in_view_and_nothing_lies_under_the_bars(name: str, visit: Callable[..., Any], mixed: dict[str, str]) -> None:
    width, height, _ = SIZES[name]
    page = visit(mixed["url"], width=width, height=height, motion="reduce")
    until(page, lambda: page.evaluate("podium.stage.layout.pods.size >= 12 && document.querySelectorAll('.plight').length >= 4"), "the picture")
    page.evaluate("podium.stage.fit()")
    things, over = page.evaluate(THINGS), page.evaluate(OVER)
    wide, high, top = page.evaluate("[podium.stage.width, podium.stage.height, podium.stage.camera.view.y]")
    assert len(over) >= 8
    for thing, box in things.items():
        assert box[0] >= 0 and box[1] >= top and box[0] + box[2] <= wide and box[1] + box[3] <= high, thing
        assert not any(meet(box, one) for one in over), thing
    rows = page.evaluate("""new Set([...document.querySelectorAll('.plight, .stage-tools, .legend')].filter(one => one.checkVisibility())
        .map(one => one.getBoundingClientRect()).map(at => Math.round((at.top + at.bottom) / 2))).size""")
    assert rows == 1, "one row of chips, tools and legend"


def test_a_wide_flat_stage_shows_its_nodes_in_one_row(visit: Callable[..., Any], mixed: dict[str, str]) -> None:
    page = visit(mixed["url"], width=1366, height=768, motion="reduce")
    until(page, lambda: page.evaluate("podium.stage.layout.nodes.size") == 4, "the nodes")
    rows = "new Set(['m', 'w1', 'w2', 'w3'].map(name => podium.stage.layout.nodeBox(`Node//${name}-k8s`).y)).size"
    assert page.evaluate(rows) == 2
    before = page.evaluate("podium.stage.camera.zoom")
    page.get_by_role("button", name="Fold the side dock").click()
    until(page, lambda: page.evaluate(rows) == 1, "one row")
    assert page.evaluate("podium.stage.camera.zoom") > before
    assert centre(page, "Node//w3-k8s")[0] > centre(page, "Node//w2-k8s")[0]


def test_chips_that_have_no_room_are_shortened_then_counted_and_unfold(visit: Callable[..., Any], mixed: dict[str, str]) -> None:
    page = visit(mixed["url"], width=1366, height=768, motion="reduce")
    until(page, lambda: page.locator(".plight").count() >= 5, "the chips")
    words = page.locator("#situations .plights").inner_text
    assert "2 CrashLoop" in words() and "keep crashing" not in words()
    page.set_viewport_size({"width": 900, "height": 768})
    more = page.get_by_role("button", name=re.compile(r"\d+ more$"))
    more.wait_for()
    shown = page.locator(".plights li:visible").count()
    more.click()
    assert page.locator(".plights li:visible").count() > shown
    page.set_viewport_size({"width": 1900, "height": 900})
    until(page, lambda: "2 pods keep crashing" in words(), "the whole words")
    assert more.count() == 0


def test_bounds_that_are_the_same_and_a_selector_that_nobody_answers_are_whole(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "clock", {"paused": True})
    post(room, "apply", plights.deployment("zero", 0) + plights.deployment("api", 2, label="api-service")
         + plights.service("api", "api-svc", "NodePort"))
    post(room, "clock", {"advance": 60})
    page = visit(room["url"], width=1366, height=768, motion="reduce")
    seen = "(({ layout, busy }) => layout.workloads.of.size === 2 && layout.services.of.size && !busy)(podium.stage)"
    until(page, lambda: page.evaluate(seen), "the picture")
    texts = page.evaluate(TEXTS)
    assert {"ceiling 0", "floor 0", "app=api-svc", "app=api-service?"} <= {one["text"] for one in texts}
    boxes = [(one["text"], [one[side] for side in "xywh"]) for one in texts]
    assert not [(a, b) for i, (a, at) in enumerate(boxes) for b, to in boxes[i + 1:] if meet(at, to)]


def test_what_a_taint_says_does_not_lie_under_the_flow_of_a_service(visit: Callable[..., Any], mixed: dict[str, str]) -> None:
    post(mixed, "traffic", {"target": "default/web", "rate": 900})
    post(mixed, "clock", {"advance": 5})
    page = visit(mixed["url"], motion="reduce")
    until(page, lambda: page.evaluate("podium.stage.layout.pods.size >= 12 && !podium.stage.busy"), "the picture")
    said = next(one for one in page.evaluate(TEXTS) if "control-plane:" in one["text"])
    widest, level = page.evaluate("""() => new Promise(done => {
        const { stage } = podium, pen = CanvasRenderingContext2D.prototype, draw = pen.stroke, went = pen.lineTo;
        const top = stage.camera.box(stage.layout.nodeBox("Node//m-k8s")).y;
        let last = 0, found = [0, 0];
        pen.lineTo = function (x, y) { last = y; return went.call(this, x, y); };
        pen.stroke = function (...rest) {
            if (this.canvas.id === "moving" && this.strokeStyle === stage.colours.flow && Math.abs(last - top) < 26 && this.lineWidth > found[0])
                found = [this.lineWidth, last];
            return draw.apply(this, rest);
        };
        stage.movingDirty = true;
        stage.invalidate();
        setTimeout(() => (pen.stroke = draw, pen.lineTo = went, done(found)), 600);
    })""")
    assert widest > 3 and level + widest / 2 < said["y"], (widest, level, said)


def test_on_a_laptop_the_terminal_has_room_for_an_answer_and_the_canvas_for_its_numbers(visit: Callable[..., Any], mixed: dict[str, str]) -> None:
    page = visit(mixed["url"], width=1366, height=768, motion="reduce")
    until(page, lambda: page.evaluate("podium.stage.layout.pods.size >= 12 && !podium.stage.busy"), "the picture")
    page.evaluate("podium.terminal.open()")
    assert page.evaluate("podium.terminal.screen.rows") >= 7
    assert page.evaluate("podium.stage.height") >= 498
