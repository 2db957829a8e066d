"""The inspector: a thing from every side, live, without anybody losing their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import open_tab, post, run, select, things, until

pytestmark = pytest.mark.browser
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: nginx, ports: [{containerPort: 80}], resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
data: {password: aHVudGVyMg==}
"""


def told(page: Any) -> str:
    body = page.locator("#inspect-body")
    return body.inner_text() if body.count() else ""


def look(page: Any, view: str) -> None:
    page.locator(f"#view-{view}").click()


@pytest.fixture
def page(visit: Callable[..., Any], room: dict[str, str]) -> Any:
    post(room, "apply", WEB)
    post(room, "clock", {"advance": 20})
    opened = visit(room["url"])
    until(opened, lambda: len([one for one in things(opened, "Pod").values() if one["ns"] == "default" and one["state"] == "ready"]) == 2, "two pods")
    return opened


def pod(page: Any) -> str:
    return next(name for name, one in things(page, "Pod").items() if one["ns"] == "default")


def test_the_head_says_what_it_is_and_whose_and_owners_are_a_click_away(page: Any) -> None:
    select(page, pod(page))
    head = page.locator(".inspect-head")
    until(page, lambda: "Deployment web" in head.inner_text() and " old" in head.inner_text(), "the owners and the age")
    assert "Running" in head.inner_text() and "default" in head.inner_text()
    head.get_by_role("button", name="Deployment web").click()
    until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "web" and "Available" in told(page), "the Deployment with its conditions")


def test_yaml_is_live_keeps_ones_place_and_marks_what_changed(page: Any, room: dict[str, str]) -> None:
    select(page, "Deployment/default/web")
    look(page, "yaml")
    until(page, lambda: "replicas: 2" in told(page), "the YAML")
    page.evaluate("""window.first = [...document.querySelectorAll('.yaml .line')]
        .find(line => line.textContent.includes('kind: Deployment'))""")
    page.locator(".yaml").evaluate("code => { code.scrollTop = 60; getSelection().selectAllChildren(window.first); }")
    post(room, "terminal", {"line": "kubectl scale deployment web --replicas=3"})
    until(page, lambda: page.locator(".yaml .changed", has_text="replicas: 3").count(), "the changed line")
    assert not page.locator(".yaml .changed", has_text="kind: Deployment").count()
    assert page.evaluate("window.first.isConnected && getSelection().toString().includes('Deployment')")
    assert page.locator(".yaml").evaluate("code => code.scrollTop") == 60


def test_yaml_folds_finds_and_goes_to_a_field(page: Any) -> None:
    thing = pod(page)
    select(page, thing)
    look(page, "yaml")
    until(page, lambda: "nodeName" in told(page), "the YAML")
    status = page.locator(".yaml .line.folded", has_text="status:")
    assert "hostIP" not in told(page) and "lines" in status.evaluate("row => getComputedStyle(row, '::after').content")
    page.evaluate("id => podium.inspector.field(id, 'status.conditions[type=Ready].status')", thing)
    until(page, lambda: page.locator(".yaml .pointed").count(), "the field")
    assert 'status: "True"' in page.locator(".yaml .pointed").inner_text() and page.locator(".yaml .pointed").is_visible()
    page.locator("#yaml-find").fill("cpu: ")
    assert page.locator(".find .hits").inner_text().startswith("1/")
    page.keyboard.press("Enter")
    assert page.locator(".find .hits").inner_text().startswith("2/")


def test_a_secret_is_covered_until_somebody_asks(page: Any) -> None:
    page.evaluate("podium.show('Secret/default/login')")
    until(page, lambda: "password" in told(page), "its key")
    assert "hunter2" not in told(page) and "aHVudGVyMg" not in page.locator("#panel-inspector").inner_html()
    page.locator("#reveal-password").click()
    until(page, lambda: "hunter2" in told(page), "the value")
    look(page, "yaml")
    until(page, lambda: "password: ••••" in told(page), "the YAML")
    assert "aHVudGVyMg" not in page.locator(".yaml").inner_html()
    page.locator("#yaml-reveal").click()
    assert "password: aHVudGVyMg==" in told(page)


def test_events_of_a_workload_lead_to_what_they_are_about(page: Any) -> None:
    select(page, "Deployment/default/web")
    look(page, "events")
    until(page, lambda: "Container started" in told(page) and " ago" in told(page), "its pods' Events")
    page.locator(".events li", has_text="Container started").first.get_by_role("button").click()
    until(page, lambda: page.locator("#panel-inspector h2").inner_text().startswith("web-"), "the pod")


def test_logs_are_followed_beside_the_terminal_and_end_when_one_looks_away(page: Any, room: dict[str, str]) -> None:
    run(page, "MINE=1")
    post(room, "terminal", {"line": "kubectl run talk --image=busybox -- sh -c 'i=0; while true; do i=$((i+1)); echo line $i; sleep 1; done'"})
    until(page, lambda: things(page, "Pod").get("Pod/default/talk", {}).get("state") == "ready", "the talker")
    select(page, "Pod/default/talk")
    look(page, "logs")
    until(page, lambda: "line 2" in told(page) and "Following" in told(page), "its log")
    last = page.locator(".log .line").count()
    until(page, lambda: page.locator(".log .line").count() > last, "a line more")
    assert "line 2" not in page.locator("#terminal-log").inner_text() and page.evaluate("podium.terminal.running") is None
    page.locator("#logs-find").fill("line 1")
    assert page.locator(".log .hit").count() >= 1
    page.locator("#logs-times").check()
    until(page, lambda: "Z line 1" in told(page), "times")
    look(page, "overview")
    until(page, lambda: page.evaluate("podium.inspector.panel.views.logs.run === null"), "the end of it")
    assert run(page, "echo it is $MINE").strip().startswith("it is 1")


def test_a_shell_opens_in_the_panel_and_says_why_it_cannot(page: Any, room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    select(page, pod(page))
    look(page, "shell")
    here = page.locator("#shell-here")
    until(page, here.is_enabled, "its container")
    here.click()
    until(page, lambda: page.evaluate("document.activeElement.closest('.screen') !== null"), "the shell")
    page.wait_for_timeout(300)
    page.keyboard.type("echo $((6*7)) from $HOSTNAME\n")
    text = "[...Array(20).keys()].map(y => podium.inspector.panel.views.shell.screen.buffer.active.getLine(y)?.translateToString(true)).join('\\n')"
    until(page, lambda: "42 from web-" in page.evaluate(text), "its answer")
    picture(page, "40-shell")
    post(room, "terminal", {"line": "kubectl run stuck --image=nosuch/image:1"})
    until(page, lambda: things(page, "Pod").get("Pod/default/stuck", {}).get("state") == "imagepull", "a pod that waits")
    select(page, "Pod/default/stuck")
    until(page, lambda: "does not run" in told(page), "why not")
    assert not here.is_enabled()


@pytest.mark.parametrize(("theme", "locale", "words"), [
    ("dark", "en-US", ("used", "↑ limit 200m", "reach it")), ("light", "ko-KR", ("사용", "↑ 제한 200m", "도착"))])
def test_metrics_are_small_plots_told_in_words_too(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None], theme: str,
                                                   locale: str, words: tuple[str, ...]) -> None:
    post(room, "apply", WEB)
    post(room, "traffic", {"target": "default/web", "port": 80, "rate": 80})
    post(room, "clock", {"advance": 60})
    page = visit(room["url"], theme=theme, locale=locale)
    until(page, lambda: things(page, "Traffic"), "the scene")
    select(page, pod(page))
    look(page, "metrics")
    plots = page.locator(".plot")
    until(page, lambda: plots.count() == 3, "CPU, memory and requests")
    samples = "name => [...podium.inspector.panel.views.metrics.histories.all.values()].at(-1).samples.get(name).length"
    until(page, lambda: page.evaluate(samples, "memory") > 2, "some samples")
    assert all(word in told(page) for word in words), told(page)
    assert "m" in plots.first.get_attribute("aria-label") and plots.first.get_attribute("role") == "img"
    assert page.evaluate(samples, "cpu") > 8
    picture(page, f"41-metrics-{theme}")
    look(page, "overview")
    assert page.evaluate("podium.inspector.panel.views.metrics.timer") == 0


def test_everything_can_be_browsed_drawn_or_not(page: Any, picture: Callable[[Any, str], None]) -> None:
    page.keyboard.press("b")
    page.locator("[data-resource='leases.coordination.k8s.io']").click()
    row = page.get_by_role("option", name="w1-k8s")
    until(page, row.count, "the Leases")
    picture(page, "42-browse")
    row.click()
    until(page, lambda: "Holder" in told(page), "the Lease")
    page.locator("#inspect-browse").click()
    page.locator("#browse-kind").select_option("pods")
    page.locator("#browse-namespace").select_option("default")
    until(page, lambda: page.locator(".browse .hits").inner_text() == "2 objects", "the pods of a namespace")
    page.locator("#browse-name").fill("nothing-like-it")
    until(page, lambda: page.locator(".browse .hits").inner_text() == "0 objects", "none")


def test_an_update_leaves_focus_and_open_details_alone(page: Any, room: dict[str, str]) -> None:
    thing = pod(page)
    select(page, thing)
    until(page, lambda: page.locator("#placed").count(), "why it is there")
    page.locator("#placed").click()
    page.locator("#inspect-body .facts .link").first.focus()
    page.evaluate("document.activeElement.dataset.mine = 'yes'")
    post(room, "terminal", {"line": f"kubectl label pod {thing.split('/')[2]} seen=yes"})
    until(page, lambda: "seen=yes" in told(page), "the label")
    assert page.evaluate("document.activeElement.dataset.mine") == "yes" and page.locator(".placed").get_attribute("open") is not None


def test_several_things_are_summed_up_by_state(page: Any, picture: Callable[[Any, str], None]) -> None:
    open_tab(page, "Inspector")
    own = [name for name, one in things(page, "Pod").items() if one["ns"] == "default"]
    page.evaluate("""ids => { podium.select(ids[0]); for (const id of ids.slice(1)) podium.stage.parts.onSelect(id, true); }""",
                  [*own, "Service/default/web"])
    until(page, lambda: "3 selected" in page.locator("#panel-inspector").inner_text(), "the summary")
    text = page.locator("#panel-inspector").inner_text()
    assert "Pod 2" in text and "Running 2" in text and "200m CPU" in text
    picture(page, "43-several")


def test_what_is_deleted_says_so(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", WEB)
    page = visit(room["url"], refused=True)
    page.evaluate("podium.show('Secret/default/login')")
    until(page, lambda: "password" in told(page), "the Secret")
    post(room, "terminal", {"line": "kubectl delete secret login"})
    until(page, lambda: "No longer there" in page.locator(".inspect-head").inner_text(), "that it is gone")
    head = page.locator(".inspect-head")
    until(page, lambda: "ago, " in head.inner_text(), "when it went")
    lived = head.locator(".age").inner_text().split(", ")[1]
    post(room, "clock", {"advance": 300})
    until(page, lambda: "gone 5m" in head.inner_text(), "five minutes later")
    assert head.locator(".age").inner_text().split(", ")[1] == lived, "its age stands still"
    for view in ("yaml", "describe", "events"):
        look(page, view)
        until(page, lambda: "no longer there" in told(page), f"that there is nothing to read in {view}")
    look(page, "causes")
    until(page, lambda: "It was deleted, by kubectl" in told(page), "by whom")
