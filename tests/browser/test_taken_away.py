"""The picture as a file and on paper, and the menu under Share that gives it."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import drawn, pods, post, until
from tests.browser.plights import WELL, deployment

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shown(visit: Callable[..., Any], room: dict[str, str]) -> Any:
    post(room, "clock", {"paused": True})
    post(room, "apply", WELL + deployment("shop", 3, "nginx:nosuch9"))
    post(room, "clock", {"advance": 60})
    page = visit(room["url"], width=1366, height=768, motion="reduce")
    until(page, lambda: len(pods(page)) == 7, "the pods")
    until(page, page.locator(".callout").first.is_visible, "what is wrong")
    page.wait_for_timeout(400)
    return page


def saved(page: Any, entry: str, path: Path) -> bytes:
    page.locator("#share").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=entry).click()
    assert re.fullmatch(r"podium-\w+-\d+\.(png|svg)", download.value.suggested_filename)
    download.value.save_as(path)
    return path.read_bytes()


def test_svg_is_a_drawing_whose_words_are_words(shown: Any, tmp_path: Path) -> None:
    on_canvas = {text for text in drawn(shown) if text.strip()}
    root = ElementTree.fromstring(saved(shown, "Save as SVG", tmp_path / "a.svg"))
    texts = {one.text for one in root.iter(f"{SVG}text")}
    assert on_canvas <= texts, on_canvas - texts
    assert {"w1-k8s", "shop", "web"} <= texts
    assert any("ImagePullBackOff" in text for text in texts)
    assert len(list(root.iter(f"{SVG}path"))) > 60
    assert not list(root.iter(f"{SVG}image"))
    assert "NaN" not in (tmp_path / "a.svg").read_text()
    room, revision = shown.evaluate("[document.body.dataset.room, podium.stage.revision]")
    assert f"Podium · {room} · 00:01:00 · revision {revision}" in texts


def test_what_a_callout_cuts_off_is_cut_off_in_the_file_too(visit: Callable[..., Any], room: dict[str, str], tmp_path: Path) -> None:
    post(room, "clock", {"paused": True})
    claim = "volumes: [{name: v, persistentVolumeClaim: {claimName: nowhere}}]"
    post(room, "apply", "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: nowhere}\nspec: {accessModes: [ReadWriteOnce], "
         "storageClassName: standard, resources: {requests: {storage: 1Gi}}}\n"
         f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: db}}\nspec: {{containers: [{{name: m, image: nginx}}], {claim}}}\n")
    post(room, "clock", {"advance": 30})
    page = visit(room["url"], motion="reduce")
    cut = "[...document.querySelectorAll('.callout:not([hidden]) .call-why')].some(one => one.scrollHeight > one.clientHeight + 8)"
    until(page, lambda: page.evaluate(cut), "a text that is longer than its callout")
    root = ElementTree.fromstring(saved(page, "Save as SVG", tmp_path / "a.svg"))
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    assert any("0/4 nodes are available" in text for text in texts) and not any("Preemption is not helpful" in text for text in texts), texts
    assert any(text.endswith("…") and len(text) > 8 for text in texts)


def test_svg_looks_as_the_canvas_does(shown: Any, tmp_path: Path) -> None:
    """Both pictures are drawn into pixels and compared: few may differ by much (letters stand a fraction of a pixel elsewhere)."""
    saved(shown, "Save as SVG", tmp_path / "a.svg")
    different = shown.evaluate("""async text => {
        const { stage } = podium, { width, height } = stage, head = 58;
        const image = new Image();
        image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text);
        await image.decode();
        const pixels = draw => {
            const canvas = document.createElement('canvas');
            Object.assign(canvas, { width, height });
            const c = canvas.getContext('2d');
            draw(c);
            return c.getImageData(0, 0, width, height).data;
        };
        const svg = pixels(c => c.drawImage(image, 0, -head));
        const page = pixels(c => document.querySelectorAll('#stage > canvas')
            .forEach(one => c.drawImage(one, 0, 0, one.clientWidth, one.clientHeight)));
        const boxes = [...document.querySelectorAll('.callout:not([hidden])')].map(one => one.getBoundingClientRect());
        const host = stage.host.getBoundingClientRect();
        let off = 0, all = 0;
        for (let y = 60; y < height; y++) for (let x = 0; x < width; x++) {
            const [px, py] = [x + host.left, y + host.top];
            if (boxes.some(b => px > b.left - 2 && px < b.right + 2 && py > b.top - 2 && py < b.bottom + 2)) continue;
            const i = (y * width + x) * 4;
            all++;
            if (Math.abs(svg[i] - page[i]) + Math.abs(svg[i + 1] - page[i + 1]) + Math.abs(svg[i + 2] - page[i + 2]) > 90) off++;
        }
        return off / all;
    }""", (tmp_path / "a.svg").read_text())
    assert different < 0.04


def test_png_has_twice_the_points_and_a_line_above(shown: Any, tmp_path: Path) -> None:
    data = saved(shown, "Save as PNG", tmp_path / "a.png")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert [width, height] == shown.evaluate("[podium.stage.width * 2, (podium.stage.height + 58) * 2]")
    assert len(data) > 30_000


def test_saving_leaves_the_page_as_it_was(shown: Any, tmp_path: Path) -> None:
    state = "[podium.stage.ratio, podium.stage.colours.ground, document.documentElement.dataset.theme, String(window.Path2D)]"
    before = shown.evaluate(state)
    saved(shown, "Save as PNG", tmp_path / "a.png")
    saved(shown, "Save as SVG", tmp_path / "a.svg")
    assert shown.evaluate(state) == before


def test_paper_is_light_with_what_the_marks_mean_and_nothing_else(shown: Any, picture: Callable[[Any, str], None]) -> None:
    shown.evaluate("window.print = () => { window.printed = true; }")
    shown.keyboard.press("Control+p")
    until(shown, lambda: shown.evaluate("window.printed === true"), "the print")
    shown.emulate_media(media="print")
    until(shown, shown.locator("#paper svg").is_visible, "the picture on paper")
    assert shown.locator("#paper .marks li").count() > 12
    assert not shown.locator("#side").is_visible() and not shown.locator("#terminal").is_visible() and not shown.locator("#topbar").is_visible()
    ground = shown.evaluate("document.querySelector('#paper svg > path').getAttribute('fill')")
    assert ground.lower() == "#fafaf7"
    picture(shown, "65-paper")


def test_the_menu_gives_both_links_and_goes_by_key(shown: Any) -> None:
    shown.locator("#share").focus()
    shown.keyboard.press("Enter")
    menu = shown.get_by_role("menu", name="Share")
    until(shown, menu.is_visible, "the menu")
    assert menu.get_by_role("menuitem").count() == 5
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Enter")
    until(shown, lambda: "?key=" in shown.evaluate("navigator.clipboard.readText()"), "a link")
    assert not menu.is_visible()
    assert shown.evaluate("document.activeElement.id") == "share"


def test_the_control_plane_is_exported_when_it_is_what_one_sees(shown: Any, tmp_path: Path) -> None:
    shown.keyboard.press("v")
    until(shown, shown.locator(".replay-picture").is_visible, "the control plane")
    shown.wait_for_timeout(500)
    root = ElementTree.fromstring(saved(shown, "Save as SVG", tmp_path / "c.svg"))
    texts = {one.text for one in root.iter(f"{SVG}text")}
    assert {"API server", "Authentication", "Admission"} <= texts and "Unscheduled" not in texts
