"""The page's canvas in headless Chromium: milliseconds a frame with so many pods, 1 % of them changing in every frame, and 2,000 requests on
their way; at fit, among glyphs, near, and while the eye moves. The scene is made in the page and goes in as the server's would.

``gestures_cpu_ms`` is what a person does there with ``--gestures`` so many pods: the longest task in each, the least of some rounds, in CPU time.
``first_load`` is a real room's page over loopback: when there is something, when the canvas shows the nodes, and what came over the wire.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from bench.gestures import measured
from bench.server import new_room, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
CHROMIUM = os.environ.get("PODIUM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NODES_SHOWN = """(() => {
  const look = () => {
    const stage = window.podium?.stage;
    if (stage && stage.layout.nodes.size && !stage.whole) window.nodesShown = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();"""


def _first_load(browser: Any, url: str) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    received = []
    wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.add_init_script(NODES_SHOWN)
    page.goto(url)
    page.wait_for_selector("body[data-ready=true]")
    for _ in range(200):
        if page.evaluate("window.nodesShown ?? 0"):
            break
        page.wait_for_timeout(50)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    shown = round(page.evaluate("window.nodesShown"))
    figures = {"first_contentful_ms": painted and round(painted), "nodes_shown_ms": shown, "bytes": round(sum(received)), "requests": len(received)}
    context.close()
    return figures


def opened(browser: Any, url: str) -> Any:
    page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
    page.goto(url)
    page.wait_for_selector("body[data-ready=true]")
    page.wait_for_timeout(1000)
    return page


def run(arguments: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m bench canvas")
    parser.add_argument("--pods", type=int, nargs="*", default=[100, 1_000, 10_000, 150_000])
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--particles", type=int, default=2_000)
    parser.add_argument("--gestures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright
    script = (Path(__file__).parent / "canvas.js").read_text()
    with running() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        url = new_room(base, seed=7)["url"]
        first = [_first_load(browser, url) for _ in range(3)]
        sizes = []
        for pods in options.pods:
            page = opened(browser, url)
            page.evaluate(script)
            sizes.append(page.evaluate("([pods, frames, particles]) => measure(pods, frames, particles)", [pods, options.frames, options.particles]))
            page.context.close()
        done: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds if options.gestures else 0):
            page = opened(browser, url)
            page.evaluate(script)
            for name, figures in measured(browser, page, options.gestures).items():
                done[name] = min(done.get(name, figures), figures, key=lambda one: one["longest"])
            page.context.close()
        browser.close()
    return {"first_load": min(first, key=lambda one: one["nodes_shown_ms"]), "frames_ms": sizes, "gestures_cpu_ms": done}
