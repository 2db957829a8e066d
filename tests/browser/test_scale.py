"""The canvas at every scale: levels of zoom, groups, fences, the map of all, and work that follows change. Clusters of thousands of pods are made in
the page, as the server's snapshot would; work is counted, never timed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.browser.page import drawn, rest, until

MAKER = (Path(__file__).parents[2] / "bench" / "canvas.js").read_text()
LOAD = """([pods, zones]) => {
    for (const event of ["diff", "snapshot", "clock"]) podium.live.socket.off(event);
    const made = window.made = clusterOf(pods);
    for (const thing of Object.values(made.things)) {
        if (thing.kind !== "Node") continue;
        const number = +thing.name.split("-")[1];
        if (zones) thing.labels = { "topology.kubernetes.io/zone": `zone-${"abc"[number % 3]}` };
        if (zones && number % 5 === 2) thing.taints = ["dedicated=gpu:NoSchedule"];
        if (zones && number % 7 === 4) thing.ready = "Unknown";
    }
    podium.scene.load({ revision: 1, time: 100, things: made.things, scene: "made", storeRevision: 1 });
    podium.stage.fit();
}"""
PIXELS = """box => {
    const { stage } = podium, still = stage.parts.still, b = stage.camera.box(box ?? stage.layout.bounds), r = stage.ratio;
    const [x, y, w, h] = [b.x, b.y, b.w, b.h].map(v => Math.round(v * r));
    const data = still.getContext("2d").getImageData(x, y, Math.max(1, w), Math.max(1, h)).data;
    const seen = {};
    for (let i = 0; i < data.length; i += 4) {
        const key = "#" + [data[i], data[i + 1], data[i + 2]].map(v => v.toString(16).padStart(2, "0")).join("");
        seen[key] = (seen[key] ?? 0) + 1;
    }
    return seen;
}"""
SET = """([from, ids, state]) => podium.scene.apply({ from, to: from + 1, time: 100 + from,
    ops: (ids ? made.ids.slice(...ids) : made.ids.filter(id => podium.scene.get(id).state !== "ready"))
        .map(id => ["set", id, { ...podium.scene.get(id), state }]) })"""
KEEP = """() => { const { still } = podium.stage.parts; window.kept = still.getContext("2d").getImageData(0, 0, still.width, still.height).data; }"""
OTHER = """() => {
    const { still } = podium.stage.parts, now = still.getContext("2d").getImageData(0, 0, still.width, still.height).data;
    let other = 0;
    for (let i = 0; i < now.length; i += 4) if ([0, 1, 2].reduce((sum, at) => sum + Math.abs(now[i + at] - kept[i + at]), 0) > 24) other++;
    return other;
}"""
NEAR = """([id, pixels]) => {
    const { stage } = podium, pod = stage.layout.podBox(id), view = stage.camera.view;
    stage.auto = false;
    stage.camera.zoom = pixels / pod.w;
    stage.camera.x = pod.x + pod.w / 2 - view.w / 2 / stage.camera.zoom;
    stage.camera.y = pod.y + pod.h / 2 - view.h / 2 / stage.camera.zoom;
    stage.repaint();
}"""


def counts(page: Any) -> dict[str, int]:
    return page.evaluate("({ ...podium.stage.picture.counts, placed: podium.stage.intake.placed, lines: podium.stage.lines.count })")


@pytest.fixture
def crowd(visit: Callable[..., Any], room: dict[str, str]) -> Callable[..., Any]:
    def open_crowd(pods: int, zones: bool = False, **wishes: Any) -> Any:
        page = visit(room["url"], **wishes)
        until(page, lambda: page.evaluate("podium.scene.revision >= 0"), "the first snapshot")
        page.evaluate(MAKER)
        page.evaluate(LOAD, [pods, zones])
        rest(page)
        return page

    return open_crowd


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_each_level_shows_what_its_distance_can_bear(crowd: Callable[..., Any], picture: Callable[[Any, str], None], theme: str) -> None:
    page = crowd(3_000, zones=True, theme=theme)
    pod = page.evaluate("made.ids[1501]")
    before = counts(page)
    page.evaluate("podium.stage.zoomBy(0.35)")
    rest(page)
    assert counts(page)["images"] > before["images"], "far out, pods are an image"
    picture(page, f"scale-{theme}-density")
    for pixels, level in ((7, "rectangles"), (20, "glyphs"), (64, "names"), (160, "containers")):
        page.evaluate(NEAR, [pod, pixels])
        rest(page)
        if level == "rectangles":
            colours = page.evaluate(PIXELS, page.evaluate("id => podium.stage.layout.podBox(id)", pod))
            ready = page.evaluate("podium.stage.colours.ready")
            assert colours.get(ready, 0) >= 16 and len(colours) == 2, "one flat rectangle and its gap"
        if level == "containers":
            until(page, lambda: page.evaluate("podium.stage.near !== null"), "the close look")
            rest(page)
            texts = drawn(page)
            assert "app" in texts and any(text.startswith("registry.") and text.endswith("/app:1.4") for text in texts)
        texts = drawn(page)
        suffix = pod.rsplit("-", 1)[1]
        assert any(text.endswith(suffix) for text in texts) == (level in ("names", "containers")), level
        assert any(text.startswith("10.") for text in texts) == (level == "containers"), level
        picture(page, f"scale-{theme}-{level}")


def test_one_failing_pod_among_ten_thousand_is_seen_from_afar(crowd: Callable[..., Any]) -> None:
    page = crowd(10_000)
    page.evaluate(SET, [1, None, "ready"])
    page.evaluate("podium.stage.zoomBy(0.2)")
    rest(page)
    failing = page.evaluate("podium.stage.colours.failing")
    pod = page.evaluate("made.ids[4321]")
    box = page.evaluate("id => podium.stage.layout.podBox(id)", pod)
    assert failing not in page.evaluate(PIXELS, box)
    page.evaluate(SET, [2, [4321, 4322], "crashloop"])
    rest(page)
    assert page.evaluate(PIXELS, box).get(failing, 0) >= 1
    page.evaluate(SET, [3, [4321, 4322], "ready"])
    rest(page)
    assert failing not in page.evaluate(PIXELS, box)


def test_work_follows_change_at_ten_thousand_pods(crowd: Callable[..., Any]) -> None:
    page = crowd(10_000)
    page.evaluate(NEAR, [page.evaluate("made.ids[5000]"), 20])
    rest(page)
    before = counts(page)
    page.evaluate(SET, [1, [4950, 5050], "running"])
    rest(page)
    after = counts(page)
    assert after["whole"] == before["whole"], "no whole picture for a hundred changes"
    assert after["cells"] - before["cells"] <= 100 and after["bins"] == before["bins"] and after["lines"] == before["lines"]
    page.evaluate("podium.stage.panBy(-9, 5)")
    rest(page)
    panned = counts(page)
    assert panned["whole"] == after["whole"], "a pan moves the picture"
    shown = page.evaluate("podium.stage.width * podium.stage.height / 400")
    assert panned["cells"] - after["cells"] < shown / 2, "and paints the edge that came into view"
    page.evaluate("podium.stage.repaint()")
    rest(page)
    assert counts(page)["whole"] == panned["whole"] + 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_moves_and_changes_the_picture_is_as_one_made_anew(crowd: Callable[..., Any], seed: int) -> None:
    random = Random(seed)
    page = crowd(2_000, zones=seed == 2, motion="reduce")
    revision = 1
    for mode in ("node", random.choice(["namespace", "owner", "label:tier"])):
        page.evaluate("mode => podium.stage.group(mode)", mode)
        for pixels in random.sample([2.5, 5, 7, 11, 13, 20, 31, 64, 130], 3):
            page.evaluate(NEAR, [page.evaluate("made.ids[700]"), pixels])
            rest(page)
            did = []
            for _ in range(4):
                kind = random.choice(["pan", "pan", "zoom", "change"])
                if kind == "pan":
                    by = [random.randint(-300, 300) * random.choice([0.1, 1]), random.randint(-200, 200) * random.choice([0.1, 1])]
                    page.evaluate("([dx, dy]) => podium.stage.panBy(dx, dy)", by)
                elif kind == "zoom":
                    by = random.uniform(0.8, 1.25)
                    page.evaluate("factor => podium.stage.zoomBy(factor, 300, 400)", by)
                else:
                    by = random.randrange(1900)
                    page.evaluate(SET, [revision, [by, by + 60], random.choice(["ready", "running", "creating", "imagepull", "succeeded"])])
                    revision += 1
                did.append((kind, by))
                if random.random() < 0.5:
                    rest(page)
            rest(page)
            page.evaluate(KEEP)
            page.evaluate("podium.stage.repaint()")
            rest(page)
            assert page.evaluate(OTHER) < 200, (mode, pixels, did)


def test_while_one_zooms_the_picture_there_is_is_stretched_and_then_made_anew(crowd: Callable[..., Any]) -> None:
    page = crowd(3_000)
    page.evaluate(NEAR, [page.evaluate("made.ids[1500]"), 16])
    rest(page)
    page.evaluate("podium.stage.picture.share = 900")
    shown = page.evaluate("""() => {
        const { stage } = podium, { still } = stage.parts, before = stage.picture.counts.cells;
        stage.zoomBy(1.1, 400, 300);
        stage.picture.paint(0);
        return [still.style.transform, stage.picture.counts.cells - before];
    }""")
    assert shown == [shown[0], 0] and shown[0].startswith("matrix(1.1"), "nothing is painted for a turn of the wheel"
    rest(page)
    assert page.evaluate("podium.stage.parts.still.style.transform") == ""
    page.evaluate(KEEP)
    page.evaluate("podium.stage.repaint()")
    rest(page)
    assert page.evaluate(OTHER) < 200


def test_a_groups_count_follows_its_pods(crowd: Callable[..., Any]) -> None:
    page = crowd(300)
    page.evaluate("podium.stage.group('namespace')")
    rest(page)
    page.evaluate(KEEP)
    pod, count = page.evaluate("[made.ids[3], podium.stage.layout.bin('Group/Namespace//team-3').grid.slots.size]")
    texts = page.evaluate("""id => {
        const pen = CanvasRenderingContext2D.prototype, write = pen.fillText, found = [];
        pen.fillText = function (text, ...rest) { found.push(text); return write.call(this, text, ...rest); };
        podium.scene.apply({ from: 1, to: 2, time: 101, ops: [["set", `${id}x`, { ...podium.scene.get(id), name: "another" }]] });
        podium.stage.picture.paint(0);
        pen.fillText = write;
        return found;
    }""", pod)
    assert str(count + 1) in texts and str(count) not in texts


@pytest.mark.parametrize(("theme", "locale", "words"), [("dark", "en-US", "By namespace"), ("light", "ko-KR", "네임스페이스별")])
def test_pods_are_grouped_by_what_one_chooses(crowd: Callable[..., Any], picture: Callable[[Any, str], None], theme: str, locale: str,
                                              words: str) -> None:
    page = crowd(2_000, theme=theme, locale=locale)
    choice = page.locator("#bar-group select")
    choice.select_option(label=words)
    rest(page)
    texts = drawn(page)
    for number in range(12):
        assert f"team-{number}" in texts
    count = page.evaluate("Object.values(made.things).filter(one => one.kind === 'Pod' && one.ns === 'team-3').length")
    assert str(count) in texts
    picture(page, f"scale-{theme}-by-namespace")
    choice.select_option(value="label:tier")
    rest(page)
    assert {"web", "job"} <= set(drawn(page))
    pod = page.evaluate("made.ids[100]")
    home = page.evaluate("id => podium.stage.layout.pods.get(id).place", pod)
    page.evaluate("""id => podium.scene.apply({ from: 1, to: 2, time: 101,
        ops: [["set", id, { ...podium.scene.get(id), labels: { tier: "other" } }]] })""", pod)
    rest(page)
    assert page.evaluate("id => podium.stage.layout.pods.get(id).place", pod) == "Group/=other" != home
    choice.select_option(value="node")
    rest(page)
    assert page.evaluate("id => podium.stage.layout.pods.get(id).place", pod).startswith("Node/")
    assert "worker-3" in drawn(page)


def test_zones_and_taints_are_fences(crowd: Callable[..., Any], picture: Callable[[Any, str], None]) -> None:
    page = crowd(900, zones=True)
    assert {"zone-a", "zone-b", "zone-c"} <= set(drawn(page))
    picture(page, "scale-fences")
    page.evaluate("podium.stage.fitTo(['Node//worker-2'])")
    rest(page)
    assert "⊘ dedicated=gpu:NoSchedule" in drawn(page)
    page.evaluate("podium.stage.fitTo(['Node//worker-4'])")
    rest(page)
    assert "Unreachable" in drawn(page)
    picture(page, "scale-fences-near")


def test_the_map_shows_where_one_is_and_takes_one_elsewhere(crowd: Callable[..., Any], picture: Callable[[Any, str], None]) -> None:
    page = crowd(3_000)
    assert page.locator(".minimap:visible").count() == 0, "there is none while everything fits"
    page.evaluate(NEAR, [page.evaluate("made.ids[1500]"), 30])
    page.wait_for_selector(".minimap-view", state="visible")
    rest(page)
    picture(page, "scale-map")
    before = page.evaluate("[podium.stage.camera.x, podium.stage.camera.y]")
    box = page.locator(".minimap-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.9)
    rest(page)
    after = page.evaluate("[podium.stage.camera.x, podium.stage.camera.y]")
    assert after[1] > before[1] + 50
    page.keyboard.press("x")
    assert page.locator(".minimap-map:visible").count() == 0
    page.keyboard.press("x")
    assert page.locator(".minimap-map:visible").count() == 1
    page.keyboard.press("f")
    until(page, lambda: page.locator(".minimap:visible").count() == 0, "the map to go")


def test_the_eye_reaches_from_everything_to_one_pod(crowd: Callable[..., Any], picture: Callable[[Any, str], None]) -> None:
    page = crowd(3_000)
    pod = page.evaluate("made.ids[700]")
    page.evaluate("id => podium.stage.select(id)", pod)
    page.keyboard.press("z")
    rest(page)
    width, view = page.evaluate("id => [podium.stage.camera.box(podium.stage.layout.podBox(id)).w, podium.stage.camera.view.h]", pod)
    assert view * 0.6 < width <= view
    until(page, lambda: page.evaluate("podium.stage.near !== null"), "the close look")
    rest(page)
    picture(page, "scale-one-pod")
    for _ in range(40):
        page.evaluate("podium.stage.zoomBy(0.7)")
    rest(page)
    assert page.evaluate("podium.stage.camera.box(podium.stage.layout.bounds).h < podium.stage.camera.view.h")
    page.evaluate("podium.stage.zoomBy(1.4, 500, 400)")
    point = page.evaluate("podium.stage.camera.world(500, 400)")
    page.evaluate("podium.stage.zoomBy(1.4, 500, 400)")
    again = page.evaluate("podium.stage.camera.world(500, 400)")
    assert abs(point["x"] - again["x"]) < 1e-6 * abs(point["x"] or 1) + 1e-6


def test_what_the_filter_does_not_let_pass_is_faint_at_every_level(crowd: Callable[..., Any]) -> None:
    page = crowd(1_000)
    page.evaluate("podium.stage.filter((id, thing) => thing.ns === 'team-3')")
    rest(page)
    inside, outside = page.evaluate("""["team-3", "team-4"].map(ns =>
        made.ids.find(id => id.startsWith(`Pod/${ns}/`) && podium.scene.get(id).state === "ready"))""")
    ready = page.evaluate("podium.stage.colours.ready")
    box = "id => podium.stage.layout.podBox(id)"
    for pixels in (5, 20, 60):
        for pod, full in ((inside, True), (outside, False)):
            page.evaluate(NEAR, [pod, pixels])
            rest(page)
            assert (ready in page.evaluate(PIXELS, page.evaluate(box, pod))) == full, (pixels, full)
