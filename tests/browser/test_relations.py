"""What belongs with what on the canvas: policies' reach and fences, Ingresses, what a pod reads, whose selectors hold it, and traffic's presets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import plights
from tests.browser.page import centre, drawn, open_tab, post, select, things, until

pytestmark = pytest.mark.browser
READING = ", envFrom: [{configMapRef: {name: settings}}]"
HEADLESS = """
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 6379}]}
"""
GOVERNED = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 8
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: store}
"""
CART = """
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: store}
spec: {containers: [{name: main, image: nginx}]}
"""
RELATED = plights.WELL + plights.deployment("db", 1, "redis", READING) + plights.service("db", port=6379) + """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: db.example.com}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db-from-web}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
"""


@pytest.fixture
def related(room: dict[str, str]) -> dict[str, str]:
    post(room, "clock", {"paused": True})
    post(room, "apply", RELATED)
    post(room, "clock", {"advance": 60})
    return room


def test_relations_are_drawn_of_what_one_looks_at(visit: Callable[..., Any], related: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(related["url"])
    until(page, lambda: things(page, "Ingress"), "the scene")
    texts = drawn(page)
    assert {"shop", "shop.example", "→ web:80", "CNAME db.example.com", "ExternalName"} <= set(texts)
    post(related, "terminal", {"line": "kubectl delete service elsewhere"})
    post(related, "apply", HEADLESS)
    until(page, lambda: {"Headless", "clusterIP: None"} <= set(drawn(page)), "a headless Service")
    database = next(name for name in things(page, "Pod") if name.startswith("Pod/default/db-"))
    assert page.evaluate("[...podium.stage.policies.fences]") == [[database, {"ingress": True, "egress": False}]]
    select(page, "NetworkPolicy/default/db-from-web")
    until(page, lambda: "Lets in: 4 pods" in drawn(page), "whom the policy lets in")
    picture(page, "31-policy-reach")
    select(page, database)
    until(page, lambda: "ConfigMap settings" in drawn(page), "what the pod reads")
    page.mouse.move(*centre(page, database))
    tip = page.locator("#tooltip")
    until(page, lambda: "Chosen by Service db, Service peers, Deployment db." in tip.inner_text(), "whose selectors hold it")
    page.mouse.move(*centre(page, "Deployment/default/web"))
    until(page, lambda: "25% × 4 = 1 → 1" in tip.inner_text(), "how its bounds round")
    post(related, "terminal", {"line": "kubectl delete networkpolicy db-from-web"})
    until(page, lambda: page.evaluate("podium.stage.policies.fences.size") == 0, "the fence to go")


def test_traffic_has_presets_and_a_small_history(visit: Callable[..., Any], related: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(related["url"], theme="light", locale="ko-KR")
    open_tab(page, "트래픽")
    card = page.get_by_role("region", name="web")
    card.get_by_role("button", name="20/s").click()
    until(page, lambda: [one for one in things(page, "Traffic").values() if one["rate"] == 20], "twenty a second")
    assert card.get_by_role("button", name="20/s").get_attribute("aria-pressed") == "true"
    post(related, "clock", {"advance": 5})
    card.get_by_role("button", name="1000/s").click()
    post(related, "clock", {"advance": 5})
    history = card.get_by_role("img")
    until(page, lambda: history.count() and "최대 1000/s" in (history.get_attribute("aria-label") or ""), "its history")
    assert card.get_by_role("slider").get_attribute("aria-valuetext") == "1000/s"
    picture(page, "32-traffic-ko")


def test_who_sizes_and_guards_a_workload_stands_on_its_card_and_namespaces_on_pods(visit: Callable[..., Any], related: dict[str, str],
                                                                                  picture: Callable[[Any, str], None]) -> None:
    post(related, "apply", GOVERNED)
    post(related, "clock", {"advance": 5})
    post(related, "apply", CART)
    post(related, "clock", {"advance": 40})
    page = visit(related["url"])
    until(page, lambda: things(page, "HorizontalPodAutoscaler") and len(things(page, "Pod")) > 5, "the scene")
    page.evaluate("podium.stage.fitTo(['Deployment/default/web', 'Service/default/web'])")
    texts = until(page, lambda: (found := drawn(page)) and "HPA" in found and found, "the autoscaler on its target")
    start = texts.index("HPA")
    assert any("<unknown>" in text for text in texts[start:start + 5]) and {"2", "8"} <= set(texts[start:start + 5])
    assert texts[start - 1] == "1", "the disruptions that its budget allows"
    picture(page, "33-governed")
    page.evaluate("podium.stage.fitTo(['Pod/store/cart'])")
    until(page, lambda: drawn(page).count("store") == 1, "the namespace of the one pod that is not in default")
    page.evaluate("podium.stage.group('namespace')")
    page.evaluate("podium.stage.fit()")
    until(page, lambda: {"default", "store", "kube-system"} <= set(drawn(page)), "a region a namespace")


def test_a_service_is_tethered_to_every_pod_as_soon_as_it_is_ready(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    until(page, lambda: things(page, "Node"), "the nodes")
    for count in (3, 5):
        post(room, "terminal", {"line": f"""kubectl create deployment web --image=nginx --replicas=3; kubectl expose deployment web --port=80
            kubectl scale deployment web --replicas={count}"""})
        until(page, lambda count=count: [one["ready"] for one in things(page, "Service").get("Service/default/web", {}).get("endpoints", [])]
              == [True] * count, "the endpoints")
        until(page, lambda: page.evaluate("!podium.stage.motion.moves.size && !podium.stage.busy && !podium.stage.framed"), "rest")
        picture = "podium.stage.lines.canvas.toDataURL()"
        shown = page.evaluate(picture)
        page.evaluate("podium.stage.repaint()")
        until(page, lambda: page.evaluate("!podium.stage.whole && !podium.stage.framed"), "a picture made anew")
        assert page.evaluate(picture) == shown
