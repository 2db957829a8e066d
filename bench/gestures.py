"""What a person does on the canvas, gesture by gesture: the longest task of the page's main thread in each, in milliseconds of CPU, so that what
else the machine does is not counted. The tasks and their thread times come from Chromium's own trace.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

TRACED = ["-*", "toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"]
RESTED = """(({ busy, whole, cached, shift, dirty, urgent }) =>
    !busy && !whole && !cached && !shift.x && !shift.y && !dirty.size && !urgent.size)(podium.stage)"""
LOAD = """podium.scene.load({ revision: 1, time: 100, things: window.made.things, scene: "bench", storeRevision: 1 })"""
MADE = """pods => {
    for (const event of ["diff", "snapshot", "clock"]) podium.live.socket.off(event);
    window.made = clusterOf(pods);
}"""
NEAR = """pixels => {
    const { stage } = podium, pod = stage.layout.podBox(made.ids[made.ids.length >> 1]), view = stage.camera.view;
    stage.auto = false;
    stage.camera.zoom = pixels / pod.w;
    stage.camera.x = pod.x + pod.w / 2 - view.w / 2 / stage.camera.zoom;
    stage.camera.y = pod.y + pod.h / 2 - view.h / 2 / stage.camera.zoom;
    stage.repaint();
}"""
STATE = """from => podium.scene.apply({ from, to: from + 1, time: 100 + from,
    ops: made.ids.slice(from * 97, from * 97 + 100).map(id => ["set", id, { ...podium.scene.get(id), state: "running" }]) })"""


def longest(trace: bytes) -> dict[str, float]:
    """The CPU time of the page's longest task in milliseconds, of its longest but one, and of all of them."""
    events = json.loads(trace)["traceEvents"]
    mains = {(one["pid"], one["tid"]) for one in events if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"}
    spent: dict[tuple[int, int], list[float]] = {}
    for one in events:
        if one["name"] == "RunTask" and one.get("ph") == "X" and (one["pid"], one["tid"]) in mains:
            spent.setdefault((one["pid"], one["tid"]), []).append(one.get("tdur", 0) / 1000)
    tasks = sorted(max(spent.values(), key=sum, default=[0.0]), reverse=True)
    return {"longest": round(tasks[0], 1), "next": round(tasks[1], 1) if len(tasks) > 1 else 0.0, "sum": round(sum(tasks), 1)}


def rest(page: Any) -> None:
    for _ in range(200):
        page.wait_for_timeout(50)
        if page.evaluate(RESTED):
            break
    page.wait_for_timeout(400)


def gestures(page: Any) -> dict[str, Callable[[], Any]]:
    """Each by name, in the order in which they may be done."""
    middle = page.evaluate("(({ left, top, width, height }) => [left + width / 2, top + height / 2])(podium.stage.host.getBoundingClientRect())")
    mouse, keyboard = page.mouse, page.keyboard

    def wheel(turns: int, by: int) -> None:
        mouse.move(*middle)
        for _ in range(turns):
            mouse.wheel(0, by)

    def drag(dx: int, dy: int) -> None:
        mouse.move(*middle)
        mouse.down()
        mouse.move(middle[0] + dx, middle[1] + dy, steps=20)
        mouse.up()

    def box() -> None:
        keyboard.down("Shift")
        mouse.move(middle[0] - 250, middle[1] - 150)
        mouse.down()
        mouse.move(middle[0] + 250, middle[1] + 200, steps=12)
        mouse.up()
        keyboard.up("Shift")

    def press(key: str) -> None:
        page.evaluate("document.getElementById('eye').focus()")
        keyboard.press(key)

    def group(mode: str) -> None:
        page.evaluate("mode => podium.stage.group(mode)", mode)

    def search(text: str) -> None:
        page.evaluate("document.getElementById('search').focus()")
        keyboard.type(text, delay=30)

    def near(pixels: int) -> None:
        page.evaluate(NEAR, pixels)
        rest(page)
        drag(-180, 90)

    def act(name: str) -> None:
        page.evaluate("name => podium.actions.all.get(name).run()", name)

    return {
        "first picture": lambda: page.evaluate(LOAD),
        "hover": lambda: mouse.move(*middle, steps=30),
        "select all": lambda: press("Control+a"),
        "zoom with all selected": lambda: wheel(10, -60),
        "select none": lambda: press("Escape"),
        "fit": lambda: page.evaluate("podium.stage.fit()"),
        "box": box,
        "select none again": lambda: press("Escape"),
        "wheel in": lambda: wheel(20, -90),
        "wheel out": lambda: wheel(24, 90),
        "pan among glyphs": lambda: near(20),
        "pan near": lambda: near(60),
        "fit again": lambda: page.evaluate("podium.stage.fit()"),
        "by namespace": lambda: group("namespace"),
        "by owner": lambda: group("owner"),
        "by label": lambda: group("label:tier"),
        "by node": lambda: group("node"),
        "to light": lambda: act("theme.light"),
        "to dark": lambda: act("theme.dark"),
        "callouts": lambda: page.evaluate("podium.stage.plaques.lay()"),
        "a hundred changes": lambda: page.evaluate(STATE, 1),
        "filter": lambda: search("ns:team-3 ready"),
        "filter off": lambda: [keyboard.press("Backspace") for _ in range(15)],
        "to Korean": lambda: act("language.ko"),
        "arrow keys": lambda: [press("g"), *[press("ArrowRight") for _ in range(8)]],
    }


def measured(browser: Any, page: Any, pods: int, wanted: list[str] | None = None, each: Callable[[str, bytes], None] | None = None) -> dict[str, Any]:
    """Does every gesture on a page in which ``bench/canvas.js`` runs; `each` is given the traces."""
    page.evaluate(MADE, pods)
    found: dict[str, Any] = {}
    for name, act in gestures(page).items():
        browser.start_tracing(page=page, categories=TRACED)
        act()
        rest(page)
        trace = browser.stop_tracing()
        if not wanted or name in wanted:
            found[name] = longest(trace)
            if each:
                each(name, trace)
    return found
