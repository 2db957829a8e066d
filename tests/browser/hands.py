"""What is done on the canvas, in the words of the browser tests: menus, the command bar, the terminal's history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.page import centre, post, ready, things, until

WEB = "Deployment/default/web"


def history(page: Any) -> list[str]:
    """The commands that the terminal has run, the last one last."""
    return page.evaluate("[...podium.terminal.line.history]")


def menu(page: Any, thing: str) -> Any:
    """Right-clicks a thing and gives its menu."""
    page.mouse.click(*centre(page, thing), button="right")
    found = page.get_by_role("menu")
    until(page, found.is_visible, "the menu")
    return found


def choose(page: Any, thing: str, entry: str) -> None:
    menu(page, thing).get_by_role("menuitem", name=entry, exact=True).click()


def bar(page: Any) -> Any:
    return page.locator("#command-bar")


def done(page: Any) -> None:
    until(page, lambda: bar(page).get_attribute("data-tone") == "done" and bar(page).is_visible(), "the act to be done")


def labels(page: Any, thing: str) -> dict[str, str]:
    return page.evaluate("id => podium.scene.get(id)?.labels ?? {}", thing)


def selected(page: Any) -> list[str]:
    return page.evaluate("podium.interact.selection.ids")


def begin(visit: Callable[..., Any], room: dict[str, str], *manifests: str, count: int = 0, **how: Any) -> Any:
    post(room, "apply", "".join(manifests))
    post(room, "clock", {"advance": 15})
    page = visit(room["url"], **how)
    until(page, lambda: things(page, "Node"), "the nodes")
    if count:
        ready(page, count)
    page.evaluate("podium.stage.fit()")
    return page
