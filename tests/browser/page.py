"""What the browser tests do on a room's page, in the words of a person."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0


def until(page: Any, what: Callable[[], Any], said: str) -> Any:
    """Asks again until the answer is true; a strict CSP forbids Playwright's own ``wait_for_function``."""
    end = time.monotonic() + PATIENCE
    while not (answer := what()):
        assert time.monotonic() < end, f"never happened: {said}"
        page.wait_for_timeout(60)
    return answer


def things(page: Any, kind: str) -> dict[str, dict[str, Any]]:
    return page.evaluate("kind => Object.fromEntries(podium.scene.ofKind(kind))", kind)


def pods(page: Any, namespace: str = "default") -> dict[str, dict[str, Any]]:
    return {name: pod for name, pod in things(page, "Pod").items() if pod["ns"] == namespace}


def ready(page: Any, count: int) -> dict[str, dict[str, Any]]:
    def those() -> dict[str, dict[str, Any]] | None:
        found = {name: pod for name, pod in pods(page).items() if pod["state"] == "ready"}
        return found if len(found) == count else None

    return until(page, those, f"{count} pods ready")


def paste(page: Any, text: str) -> None:
    """Replaces the editor's text by way of the clipboard."""
    editor = page.get_by_role("textbox", name="Manifest in YAML")
    editor.click()
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")


def apply(page: Any, text: str) -> str:
    """Pastes, applies with the keyboard and gives what the results say."""
    results = page.get_by_role("log", name="Results")
    page.evaluate("document.querySelector('.results').replaceChildren()")
    paste(page, text)
    page.keyboard.press("Control+Enter")
    until(page, lambda: results.locator("p").count(), "a result")
    return results.inner_text()


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def run(page: Any, line: str) -> str:
    """Types a line in the terminal and gives all that it printed."""
    before = page.locator("#terminal-log pre").count()
    page.locator("#terminal").click()
    page.keyboard.type(line)
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#terminal-log pre").count() > before and page.evaluate("podium.terminal.running === null"), f"{line} to end")
    return "".join(page.locator("#terminal-log pre").all_text_contents()[before + 1:])


def centre(page: Any, thing: str) -> tuple[float, float]:
    """Where a thing is drawn, in pixels of the page."""
    x, y = page.evaluate("""id => {
        const { stage } = podium, b = stage.camera.box(stage.layout.box(id)), at = stage.host.getBoundingClientRect();
        return [at.left + b.x + b.w / 2, at.top + b.y + b.h / 2];
    }""", thing)
    return x, y


def post(room: dict[str, str], path: str, body: str | dict[str, Any]) -> Any:
    """Asks the room's server, without the page."""
    url = room["url"].replace("?", f"/{path}?", 1)
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data, headers={
            "Content-Type": "application/yaml" if isinstance(body, str) else "application/json"})) as response:
        return json.load(response)


def select(page: Any, thing: str) -> None:
    """As a click on it does."""
    page.evaluate("id => podium.stage.parts.onSelect(id)", thing)


def rest(page: Any) -> None:
    """Everything of the canvas is placed and painted."""
    whole = """(({ busy, whole, cached, shift, dirty, urgent }) =>
        !busy && !whole && !cached && !shift.x && !shift.y && !dirty.size && !urgent.size)(podium.stage)"""
    until(page, lambda: page.evaluate(whole), "a whole picture")


def drawn(page: Any) -> list[str]:
    """Every text of a picture made anew, however many frames it takes."""
    page.evaluate("""() => {
        window.texts = [];
        for (const pen of [CanvasRenderingContext2D.prototype, OffscreenCanvasRenderingContext2D.prototype]) {
            pen.wrote ??= pen.fillText;
            pen.fillText = function (text, ...rest) { window.texts.push(text); return this.wrote(text, ...rest); };
        }
        podium.stage.repaint();
        return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""")
    rest(page)
    return page.evaluate("window.texts")
