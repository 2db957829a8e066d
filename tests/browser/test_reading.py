"""The page as it is read aloud and walked by keyboard: the tree beside the canvas, what is announced, and no serious finding of axe-core."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import axe
from tests.browser.page import pods, post, run, things, until

pytestmark = pytest.mark.browser
TREE = Path(__file__).parent / "tree.aria.yaml"
ROOM = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {nodeName: w1-k8s, containers: [{name: main, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: big}
spec: {containers: [{name: main, image: nginx, resources: {requests: {cpu: "64"}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: typo}
spec: {nodeName: w3-k8s, containers: [{name: main, image: "ngnix:none"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: none}}, policyTypes: [Ingress]}
"""


def findings(page: Any, where: str = "fresh") -> list[str]:
    """What axe-core calls serious or critical, and where."""
    return [f"{where}: {one}" for one in axe.findings(page)]


@pytest.fixture
def busy(room: dict[str, str]) -> dict[str, str]:
    post(room, "apply", ROOM)
    post(room, "traffic", {"target": "default/web", "port": 80, "rate": 5})
    post(room, "clock", {"advance": 30, "paused": True})
    return room


def test_the_tree_reads_as_it_should(visit: Callable[..., Any], busy: dict[str, str]) -> None:
    """The snapshot in tree.aria.yaml is compared line by line; only the random ends of pods' names are set aside."""
    page = visit(busy["url"], height=1600)
    until(page, lambda: len(pods(page)) == 4, "the pods")
    page.keyboard.press("t")
    tree = page.get_by_role("tree", name="What the cluster holds")
    until(page, lambda: tree.get_by_role("treeitem", name=re.compile("Pod typo")).count(), "the rows")
    text = re.sub(r"web-[0-9a-f]+-\w{5}", "web-HASH-NAME", tree.aria_snapshot())
    assert text + "\n" == TREE.read_text()


def test_a_row_says_its_place_and_every_row_is_reached_by_key(visit: Callable[..., Any], busy: dict[str, str],
                                                              picture: Callable[[Any, str], None]) -> None:
    page = visit(busy["url"])
    until(page, lambda: len(pods(page)) == 4, "the pods")
    page.keyboard.press("t")

    def focused() -> str:
        return page.evaluate("document.activeElement.textContent")

    until(page, lambda: "Services" in focused(), "the first row")
    page.keyboard.type("typo")
    assert "Pod typo" in focused()
    row = page.locator("[role=treeitem]:focus")
    assert row.get_attribute("aria-level") == "2" and int(row.get_attribute("aria-posinset")) <= int(row.get_attribute("aria-setsize"))
    page.keyboard.press("ArrowLeft")
    assert re.search(r"w\d-k8s, Ready", focused())
    page.keyboard.press("ArrowLeft")
    assert page.locator("[role=treeitem]:focus").get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Pod " in focused()
    picture(page, "44-list")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#panel-inspector h2").count(), "the inspector")
    page.keyboard.press("Home")
    assert "Services" in focused()
    page.keyboard.press("Escape")
    assert page.evaluate("getComputedStyle(document.querySelector('.tree-panel')).clipPath") != "none"


def test_of_many_pods_only_the_rows_in_view_exist(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.evaluate("""() => {
        const { scene } = podium, things = Object.fromEntries(scene.things);
        for (let i = 0; i < 3000; i++) things[`Pod/default/many-${i}`] = {
            kind: "Pod", ns: "default", name: `many-${i}`, node: "w1-k8s", state: "ready", status: "Running", ready: "1/1" };
        scene.load({ revision: scene.revision, time: scene.time, scene: scene.instance, things });
    }""")
    page.keyboard.press("t")
    until(page, lambda: page.get_by_role("treeitem", name="w1-k8s, Ready, 3000 pods").count(), "the count")
    assert page.locator("[role=treeitem]").count() < 80
    page.keyboard.type("many-2999")
    until(page, lambda: "many-2999" in page.evaluate("document.activeElement.textContent"), "a pod far down")
    assert page.locator("[role=treeitem]").count() < 80


def test_much_news_is_told_in_counts_not_one_by_one(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    run(page, "kubectl create deployment many --image=nosuch/image:1 --replicas=6")
    said = page.locator("#announcer")
    until(page, lambda: re.search(r"\d pods: (ErrImagePull|ImagePullBackOff|ContainerCreating)", said.inner_text()), "the counts")
    assert said.get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(("theme", "locale"), [("dark", "en-US"), ("light", "ko-KR")])
def test_axe_finds_nothing_serious(visit: Callable[..., Any], busy: dict[str, str], base: str, theme: str, locale: str) -> None:
    page = visit(base, theme=theme, locale=locale)
    found = findings(page, "landing")
    page = visit(busy["url"], theme=theme, locale=locale)
    until(page, lambda: len(pods(page)) == 4, "the pods")
    page.wait_for_timeout(500)
    found += findings(page, "busy")
    page.evaluate("podium.show(Object.keys(Object.fromEntries(podium.scene.ofKind('Pod'))).find(id => id.includes('/web-')))")
    until(page, lambda: page.locator(".inspect-head .age").count(), "the inspector")
    for view in ("overview", "causes", "yaml", "describe", "events", "logs", "shell", "metrics"):
        page.locator(f"#view-{view}").click()
        page.wait_for_timeout(700)
        found += findings(page, view)
    for tab in ("traffic", "browser", "chaos"):
        page.locator(f"#tab-{tab}").click()
        page.wait_for_timeout(300)
        found += findings(page, tab)
    page.evaluate("podium.actions.all.get('browse').run()")
    page.wait_for_timeout(700)
    found += findings(page, "browse")
    page.keyboard.press("t")
    page.wait_for_timeout(500)
    found += findings(page, "tree")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_timeout(500)
    found += findings(page, "palette")
    page.keyboard.press("Escape")
    page.evaluate("podium.actions.all.get('help').run()")
    page.wait_for_timeout(500)
    found += findings(page, "help")
    seen = {one.split(": ", 1)[1]: one for one in reversed(found)}
    assert not seen, "\n".join(seen.values())


def test_axe_finds_nothing_serious_in_a_fresh_room(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Node")) == 4, "the scene")
    page.wait_for_timeout(500)
    found = findings(page)
    assert not found, "\n".join(found)
