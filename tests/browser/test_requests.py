"""Requests on the page: who sends them, by whom they are passed on, where and why they die, and one of them followed hop by hop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import drawn, open_tab, post, run, select, things, until

pytestmark = pytest.mark.browser
EXAMPLES = Path(__file__).parents[2] / "server" / "rooms" / "examples"
CONTROLLER = "https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.13.3/deploy/static/provider/cloud/deploy.yaml"
DATABASE = "Service/default/database"


def blocked(room: dict[str, str]) -> str:
    """A stranger that a policy keeps from the database; its source."""
    post(room, "apply", (EXAMPLES / "network-policy.yaml").read_text())
    post(room, "terminal", {"line": "kubectl run stranger --image=busybox -- sleep infinity"})
    post(room, "clock", {"advance": 30})
    answer = post(room, "traffic", {"target": "default/database", "source": "Pod/default/stranger", "rate": 2})
    return f"Traffic//{answer['id']}"


def cross(page: Any, source: str) -> list[float] | None:
    """Where on the page the source's requests die."""
    return page.evaluate("""id => {
        const { stage } = podium, at = stage.crosses.find(one => one.id === id), host = stage.host.getBoundingClientRect();
        return at ? [host.left + stage.camera.sx(at.x), host.top + stage.camera.sy(at.y)] : null;
    }""", source)


def within(page: Any, at: list[float], thing: str) -> bool:
    box = page.evaluate("""id => {
        const { stage } = podium, b = stage.camera.box(stage.layout.box(id)), host = stage.host.getBoundingClientRect();
        return [host.left + b.x, host.top + b.y, b.w, b.h];
    }""", thing)
    return box[0] <= at[0] <= box[0] + box[2] and box[1] <= at[1] <= box[1] + box[3]


def test_what_a_policy_blocks_dies_at_the_pod_and_the_cross_names_the_policy(visit: Callable[..., Any], room: dict[str, str],
                                                                            picture: Callable[[Any, str], None]) -> None:
    source = blocked(room)
    page = visit(room["url"])
    at = until(page, lambda: cross(page, source), "a cross")
    assert within(page, at, "Pod/default/database")
    assert page.evaluate("id => podium.stage.layout.sourceBox(id)", source) is None
    page.mouse.move(*at)
    tip = page.locator("#tooltip")
    until(page, lambda: tip.is_visible() and "isolated for ingress by default/database" in tip.inner_text(), "the tip to name the policy")
    assert "stranger → database:6379" in tip.inner_text()
    picture(page, "21-blocked")
    page.mouse.click(*at)
    until(page, lambda: page.locator("#panel-inspector h2").inner_text() == "stranger → database:6379", "the source in the inspector")
    page.get_by_role("button", name="Follow one request").click()
    hops = page.locator("#panel-inspector .follow li")
    until(page, hops.count, "the hops")
    assert [hop.locator(".kind").inner_text() for hop in hops.all()] == ["DNS", "DNS", "Service", "NetworkPolicy"]
    assert "here it ended" in hops.last.inner_text() and "policy forbids" in page.locator("#panel-inspector .follow").inner_text()
    steps = page.get_by_role("group", name="The request on the canvas, step by step")
    until(page, lambda: "hop 4 of 4" in steps.inner_text(), "the way to be walked to its end")
    until(page, lambda: "policy forbids" in drawn(page), "the words where it died")
    picture(page, "22-followed")
    steps.get_by_role("button", name="One hop back").click()
    assert hops.nth(2).get_attribute("aria-current") == "step"
    until(page, lambda: "6379 → 6379" in drawn(page), "the number at the Service's door")
    hops.first.click()
    assert page.evaluate("podium.stage.guide.owner.way.stops[0].at").startswith("Pod/kube-system/coredns-")
    assert page.evaluate("podium.stage.guide.owner.way.stops[1].at") == "Service/kube-system/kube-dns"
    hops.last.get_by_role("button", name="default/database").click()
    facts = page.locator("#inspect-body")
    until(page, lambda: "pods app=shop · 6379/TCP" in facts.inner_text(), "what the policy lets in")
    assert page.evaluate("[...podium.stage.related('NetworkPolicy/default/database')]") == ["Pod/default/database"]
    until(page, lambda: page.evaluate("podium.stage.guide") is None, "the canvas to be as it was")


def test_a_pod_that_asks_by_name_asks_dns_first(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80"})
    post(room, "clock", {"advance": 20})
    post(room, "terminal", {"line": "kubectl run asker --image=busybox -- sh -c 'while true; do wget -q -O- http://web; sleep 1; done'"})
    page = visit(room["url"])
    page.evaluate("""() => {
        globalThis.asked = [];
        podium.scene.listen(() => {
            for (const { asks, service } of podium.stage.motion.walks) if (asks) asked.push([asks.points.length, service]);
        });
    }""")
    until(page, lambda: page.evaluate("asked.some(([points, service]) => points > 1 && service === 'Service/default/web')"), "a name asked of DNS")


def test_requests_to_an_ingress_host_go_by_its_controller(visit: Callable[..., Any], room: dict[str, str],
                                                          picture: Callable[[Any, str], None]) -> None:
    post(room, "terminal", {"line": f"kubectl apply -f {CONTROLLER}"})
    post(room, "apply", (EXAMPLES / "ingress.yaml").read_text())
    post(room, "clock", {"advance": 60})
    source = f"Traffic//{post(room, 'traffic', {'target': 'http://shop.example/', 'rate': 4})['id']}"
    page = visit(room["url"], locale="ko-KR", theme="light")
    outer = until(page, lambda: things(page, "Traffic").get(source, {}).get("through") and things(page, "Traffic")[source], "the controller")
    controller = outer["through"][0]
    assert controller.startswith("Pod/ingress-nginx/") and outer["service"] == "Service/ingress-nginx/ingress-nginx-controller"
    inner = until(page, lambda: len(found := [one for one in things(page, "Traffic").values() if one.get("source") == controller]) == 2 and found,
                  "what the controller asks of both pods")
    assert {one["target"].rsplit("-", 2)[0] for one in inner} == {"Pod/default/shop"}
    lines = page.evaluate("""async () => {
        const { outset } = await import("/static/js/canvas/tethers.js"), { layout, scene } = podium.stage;
        return [...layout.flows].map(id => outset(layout, id, scene.get(id)).length);
    }""")
    assert all(count > 1 for count in lines) and len(lines) == 3
    select(page, source)
    page.get_by_role("button", name="요청 하나 따라가기").click()
    hops = page.locator("#panel-inspector .follow li")
    until(page, hops.count, "the hops")
    assert [hop.locator(".kind").inner_text() for hop in hops.all()] == ["노드", "Service", "파드", "Ingress", "파드"]
    assert "Ingress default/shop: 경로 /(prefix) 일치" in hops.nth(3).inner_text()
    picture(page, "23-ingress-ko")
    select(page, "Ingress/default/shop")
    facts = page.locator("#inspect-body")
    until(page, lambda: "shop.example/hello → hello:80" in facts.inner_text(), "its routes")
    page.locator("#terminal").click()
    page.keyboard.press("Escape")
    tree = page.get_by_role("tree")
    until(page, lambda: tree.get_by_text("Ingress shop, shop.example").count(), "the Ingress in the tree")


def test_any_source_may_ask_anything_and_stops_again(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl run web --image=nginx; kubectl run client --image=busybox -- sleep infinity"})
    post(room, "clock", {"advance": 20})
    page = visit(room["url"])
    open_tab(page, "Traffic")
    form = page.get_by_role("form", name="From anywhere to anything")
    until(page, lambda: form.get_by_label("From").locator("option").count() == 3, "the pods to choose from")
    form.get_by_label("From").select_option("Pod/default/client")
    form.get_by_label("To:").fill("Pod/default/web")
    form.get_by_label("Port").fill("80")
    form.get_by_role("button", name="Follow one request").click()
    until(page, lambda: "HTTP 200" in form.locator(".follow").inner_text(), "the answer")
    form.get_by_role("button", name="Start").click()
    card = page.get_by_role("region", name="client → web:80")
    until(page, lambda: card.count() and "5/s answered" in card.inner_text(), "answered requests")
    card.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    until(page, lambda: not things(page, "Traffic"), "the end of it")


def test_a_source_that_asks_no_service_says_what_it_asks_and_why_it_fails(visit: Callable[..., Any], room: dict[str, str]) -> None:
    for target in ({"target": "Node//w2-k8s", "port": 30999}, {"target": "http://nowhere.example/"}):
        post(room, "traffic", {**target, "rate": 1})
    page = visit(room["url"])
    until(page, lambda: len(things(page, "Traffic")) == 2, "the sources")
    at = until(page, lambda: cross(page, "Traffic//node.w2-k8s:30999"), "the cross")
    node = page.evaluate("podium.stage.camera.box(podium.stage.layout.box('Node//w2-k8s')).x + podium.stage.host.getBoundingClientRect().left")
    assert abs(at[0] - node) < 1
    assert any(text.startswith("w2-k8s:") for text in drawn(page))
    callouts = page.get_by_role("group", name="What is wrong, and where")
    why = {"nothing listens on port 30999", "name not found"}
    until(page, lambda: why <= {line.strip("✕ ") for line in callouts.inner_text().splitlines()}, "why they die")


def test_the_load_balancer_can_be_switched_off_and_services_then_wait(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    open_tab(page, "Chaos")
    switch = page.get_by_role("switch", name="There is a load balancer")
    until(page, lambda: switch.count() and switch.is_checked(), "the switch")
    switch.uncheck()
    until(page, lambda: post(room, "load-balancer", {})["on"] is False, "the room without one")
    run(page, "kubectl create service loadbalancer web --tcp=80:80")
    assert "<pending>" in run(page, "kubectl get svc web")
    switch.check()
    until(page, lambda: "192.168.1.2" in run(page, "kubectl get svc web"), "its address")


def test_a_services_long_name_leaves_room_for_its_type(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl create service loadbalancer a-service-with-a-rather-long-name --tcp=80:80"})
    page = visit(room["url"])
    until(page, lambda: "Service/default/a-service-with-a-rather-long-name" in things(page, "Service"), "the Service")
    edges = page.evaluate("""() => new Promise(done => {
        const edges = {}, pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
        pen.fillText = function (text, x, ...rest) {
            const width = this.measureText(text).width;
            if (text === "LoadBalancer") edges.type = x - (this.textAlign === "right" ? width : 0);
            if (text.startsWith("a-serv")) edges.name = x + width;
            return write.call(this, text, x, ...rest);
        };
        const again = () => {
            if (edges.name && edges.type) { pen.fillText = write; return done(edges); }
            podium.stage.repaint();
            requestAnimationFrame(again);
        };
        again();
    })""")
    assert edges["name"] < edges["type"]
