"""A running server and a real Chromium for the browser tests; pictures go to tests/artifacts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
CHROMIUM = os.environ.get("PODIUM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of our own."""
    data = tmp_path_factory.mktemp("data")
    log = (data / "server.log").open("w")
    process = subprocess.Popen([sys.executable, "-u", "-m", "server", "--port", "0", "--data", str(data)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=log)
    try:
        for line in process.stdout:
            if found := re.search(r"https?://\S+", line):
                yield found.group().rstrip("/.")
                break
        else:
            pytest.fail(f"the server did not start: {(data / 'server.log').read_text()[-2000:]}")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def room(base: str) -> dict[str, str]:
    request = urllib.request.Request(f"{base}/api/rooms", data=b'{"seed": 7}', headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser context of its own. What the console complains of fails the test, but for the browser's own note of a
    request that is meant to be ``refused``."""
    complaints: list[str] = []
    contexts = []

    def open_page(url: str, *, width: int = 1600, height: int = 1000, theme: str = "dark", locale: str = "en-US",
                  motion: str = "no-preference", refused: bool = False) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, locale=locale,
                                      reduced_motion=motion)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text)
                if message.type == "error" and not (refused and re.search("status of 40[034]|net::ERR_FAILED", message.text)) else None)
        page.goto(url)
        page.wait_for_selector("body[data-ready=true]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
    ARTIFACTS.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=str(ARTIFACTS / f"{name}.png"))


@pytest.fixture
def manifests() -> dict[str, str]:
    """The study notes' own manifests, as students paste them."""
    folder = Path(__file__).parent / "manifests"
    return {path.name: path.read_text() for path in folder.iterdir()}
