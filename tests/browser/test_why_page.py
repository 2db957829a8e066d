"""Why? as a person asks it: the answer in a sentence, the field that proves it, the command that helps, and the chain back to who began it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import every_finding
from tests.browser.page import post, select, until

SCENE = """
apiVersion: v1
kind: Pod
metadata: {name: big}
spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 1900m}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "echo no database; exit 3"]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: wep}, ports: [{port: 80}]}
"""


def ask(page: Any, thing: str) -> Any:
    """Opens a thing's Why? and gives it, with its answer."""
    select(page, thing)
    page.evaluate("podium.inspector.to('causes')")
    whole = page.locator(".whole-why")
    name = page.locator("#panel-inspector h2")
    until(page, lambda: whole.locator(".answer").count() and (thing.startswith("Traffic") or name.inner_text() == thing.split("/")[2]),
          f"the answer about {thing}")
    return whole


def begin(room: dict[str, str]) -> None:
    post(room, "apply", SCENE)
    post(room, "clock", {"advance": 60})
    post(room, "terminal", {"line": "kubectl set image deployment web c=nginx:typo"})
    post(room, "clock", {"advance": 30, "paused": True})


def test_each_thing_answers_its_own_question_in_both_languages_and_themes(visit: Callable[..., Any], room: dict[str, str],
                                                                   picture: Callable[[Any, str], None]) -> None:
    begin(room)
    told = {
        "Pod/default/big": (
            ("Why is it Pending?", "the pod requests 1900m", "Requests count, not use"), ("왜 Pending인가요?", "요청 1900m", "노드 4개")),
        "Pod/default/crash": (
            ("Why does it keep restarting?", "exit code 3", "no database"), ("왜 계속 다시 시작하나요?", "종료 코드 3", "no database")),
        "Deployment/default/web": (
            ("Why does the rollout wait?", "nginx:typo", "rounds up to 1: 5 of 5"), ("롤아웃이 왜 기다리나요?", "nginx:typo", "올림 1")),
        "Service/default/web": (
            ("Why does nothing answer?", "one label away", "app is web"), ("왜 아무도 응답하지 않나요?", "레이블 하나만", "wep")),
    }
    for index, (locale, theme) in enumerate((("en-US", "dark"), ("ko-KR", "light"))):
        page = visit(room["url"], locale=locale, theme=theme, width=1600, height=1000)
        for thing, words in told.items():
            whole = ask(page, thing)
            until(page, lambda words=words[index], whole=whole: all(word in whole.inner_text() for word in words), f"{words[index]} of {thing}")
            assert "because." not in whole.inner_text() and "{" not in whole.locator(".answer > p").first.inner_text()
            picture(page, f"why-{thing.split('/')[0].lower()}-{thing.split('/')[2]}-{theme}-{locale[:2]}")


def test_the_bars_of_a_pending_pod_show_what_is_requested_used_and_wanted(visit: Callable[..., Any], room: dict[str, str]) -> None:
    begin(room)
    whole = ask(visit(room["url"]), "Pod/default/big")
    bar = whole.get_by_role("img").first
    assert "requested" in bar.get_attribute("aria-label") and "the pod wants 1900m" in bar.get_attribute("aria-label")
    widths = [bar.locator(f"b.{name}").evaluate("b => b.getBoundingClientRect().width") for name in ("requested", "wanted")]
    assert 0 < widths[0] < widths[1]


def test_a_field_opens_the_yaml_and_a_command_lies_ready_at_the_prompt(visit: Callable[..., Any], room: dict[str, str]) -> None:
    begin(room)
    page = visit(room["url"])
    whole = ask(page, "Service/default/web")
    whole.get_by_role("button", name="To the terminal").first.click()
    until(page, lambda: page.evaluate("podium.terminal.line.line") == "kubectl set selector service web 'app=web'", "the command at the prompt")
    whole.locator(".path").first.click()
    until(page, lambda: page.locator("#view-yaml").get_attribute("aria-selected") == "true", "the YAML")


def test_the_chain_begins_with_a_person_and_each_step_opens_its_thing(visit: Callable[..., Any], room: dict[str, str]) -> None:
    begin(room)
    page = visit(room["url"])
    pod = next(id_ for id_, one in page.evaluate("podium.scene.ofKind('Pod')") if one["name"].startswith("web-") and one["state"] == "ready")
    chain = ask(page, pod).locator("ol.chain > li")
    until(page, lambda: chain.count() == 3, "Deployment, ReplicaSet and Pod")
    assert "a person, with kubectl" in chain.first.inner_text()
    assert all(word in chain.nth(2).inner_text() for word in ("scheduled to", "container c started", "rev."))
    chain.first.get_by_role("button", name="web", exact=True).click()
    until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "web", "the Deployment")


def test_a_failed_request_tells_the_policy_and_the_rule_that_is_lacking(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", """
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shell, labels: {app: shell}}, spec: {containers: [{name: c, image: busybox, command: [sleep, "9999"]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
""")
    post(room, "clock", {"advance": 20})
    source = post(room, "traffic", {"target": "default/web", "port": 80, "rate": 5, "source": "default/shell"})["id"]
    page = visit(room["url"])
    thing = f"Traffic//{source.removeprefix('Traffic//')}"
    until(page, lambda: page.evaluate("id => podium.scene.get(id)?.error?.hop", thing) == "policy", "the policy to drop its requests")
    whole = ask(page, thing)
    text, words = whole.inner_text(), ("Why is there no answer?", "NetworkPolicy default/closed isolates web for ingress", "app=shell", "port 80")
    assert all(word in text for word in words), text


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_the_answers(visit: Callable[..., Any], room: dict[str, str], theme: str) -> None:
    begin(room)
    page = visit(room["url"], theme=theme)
    for thing in ("Pod/default/big", "Pod/default/crash", "Deployment/default/web"):
        ask(page, thing)
        assert every_finding(page, ".whole-why") == [], thing
