"""The control-plane view: the replay of one act, step by step, in the picture, in the list and in what each message holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.axe import findings
from tests.browser.page import post, until

DEPLOY = "kubectl create deployment web --image=nginx --replicas=2"


def terminal(room: dict[str, str], line: str) -> dict[str, Any]:
    return post(room, "terminal", {"line": line})


@pytest.fixture
def deployed(room: dict[str, str]) -> dict[str, str]:
    """A room in which a Deployment was made and has become ready."""
    terminal(room, DEPLOY)
    post(room, "clock", {"paused": True, "advance": 20})
    return room


def opened(page: Any, kind: str = "") -> None:
    """The control-plane view with a story, standing at the first message of a kind."""
    page.get_by_role("button", name="Control plane").click()
    until(page, lambda: page.evaluate("!!podium.replay.view?.data"), "a replay")
    page.evaluate("podium.replay.view.playing = false")
    if kind:
        page.evaluate("kind => { const { view } = podium.replay; view.go(view.messages.findIndex(one => one.kind === kind)); }", kind)
        arrived(page)


def arrived(page: Any) -> None:
    until(page, lambda: page.evaluate("podium.replay.view.part >= 1"), "the message to arrive")


def current(page: Any) -> str:
    return page.locator("#panel-replay [aria-current=step]").inner_text()


def painted(page: Any) -> list[str]:
    """Every text of the picture, painted anew."""
    return page.evaluate("""() => new Promise(done => {
        const texts = [], pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
        requestAnimationFrame(() => {
            pen.fillText = function (text, ...rest) {
                if (this.canvas.className === 'replay-picture') texts.push(text);
                return write.call(this, text, ...rest);
            };
            podium.replay.view.paint();
            requestAnimationFrame(() => requestAnimationFrame(() => { pen.fillText = write; done(texts); }));
        });
    })""")


def test_the_switch_shows_the_last_act_and_its_doors_one_after_the_other(visit, deployed, picture):
    page = visit(deployed["url"])
    opened(page, "validation")
    texts = painted(page)
    assert {"Authentication", "Authorization", "Admission", "Validation", "etcd", "Scheduler", "deploy", "web"} <= set(texts)
    assert "this is a valid Deployment" in page.locator(".replay-say").inner_text() and "this is a valid Deployment" in current(page)
    picture(page, "replay_doors_dark_en")
    page.keyboard.press("v")
    assert page.locator(".replay").is_hidden() and page.get_by_role("tab", name="Replay").count() == 0


def test_it_is_gone_through_by_keyboard_and_the_log_of_etcd_grows(visit, deployed, picture):
    page = visit(deployed["url"], motion="reduce", theme="light", locale="ko-KR")
    page.keyboard.press("v")
    until(page, lambda: page.evaluate("!!podium.replay.view?.data"), "a replay")
    page.evaluate("{ const { view } = podium.replay; view.playing = false; view.go(0); }")
    seen = [page.evaluate("podium.replay.view.state().log.length")]
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        seen.append(page.evaluate("podium.replay.view.state().log.length"))
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] >= 3
    assert page.evaluate("podium.replay.view.index") == 12
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("podium.replay.view.index") == 11 and page.locator("#panel-replay [aria-current=step]").count() == 1
    picture(page, "replay_keys_light_ko")
    page.locator(".replay-steps").focus()
    page.keyboard.press("End")
    assert page.evaluate("podium.replay.view.index === podium.replay.view.messages.length - 1")


def test_played_it_goes_on_by_itself_to_the_end(visit, deployed):
    page = visit(deployed["url"], motion="reduce")
    opened(page)
    page.evaluate("{ const { view } = podium.replay; view.setSpeed(4); view.go(view.messages.length - 3); }")
    page.get_by_role("button", name="Play", exact=True).click()
    at_the_end = "(({ index, messages, playing }) => index === messages.length - 1 && !playing)(podium.replay.view)"
    until(page, lambda: page.evaluate(at_the_end), "the end")
    assert "status of Deployment web" in page.locator("#panel-replay .replay-step").last.inner_text()


def test_a_messages_contents_mark_what_was_filled_in_and_who_did(visit, deployed, picture):
    page = visit(deployed["url"])
    opened(page, "admission")
    inside = page.get_by_role("region", name="What is in this message")
    until(page, lambda: "POST /apis/apps/v1/namespaces/default/deployments" in inside.inner_text(), "the contents")
    assert inside.locator("[data-by=defaulting]", has_text="revisionHistoryLimit: 10").count() == 1
    assert inside.locator("[data-by=server]", has_text="uid:").count() == 1
    assert "/registry/deployments/default/web" in inside.inner_text() and "kubectl-create" in inside.inner_text()
    picture(page, "replay_contents_dark_en")


def test_the_schedulers_choice_is_drawn_with_scores_and_refusals(visit, deployed, picture):
    page = visit(deployed["url"])
    opened(page, "schedule")
    texts = painted(page)
    assert {"Nodes that fit: 3, that do not: 1", "node(s) had untolerated taint(s)", "w1-k8s", "w2-k8s", "w3-k8s"} <= set(texts)
    picture(page, "replay_scheduler_dark_en")


def test_a_step_that_is_clicked_is_gone_to_and_so_are_an_envelope_and_a_line_of_etcd(visit, deployed):
    page = visit(deployed["url"], motion="reduce")
    opened(page)
    row = page.locator("#panel-replay .replay-step", has_text="binds Pod").first
    row.click()
    assert page.evaluate("podium.replay.view.data.steps[podium.replay.view.messages[podium.replay.view.index].step].subresource") == "binding"
    cause = page.evaluate("podium.replay.view.data.steps[podium.replay.view.messages[podium.replay.view.index].step].because")
    page.get_by_role("region", name="What is in this message").get_by_role("button", name=f"revision {cause}").click()
    assert page.evaluate("podium.replay.view.data.steps[podium.replay.view.messages[podium.replay.view.index].step].revision") == cause
    target = page.evaluate("""() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
        const { picture, canvas } = podium.replay.view, at = canvas.getBoundingClientRect();
        const { box, what } = picture.targets.find(one => one.what.message !== undefined);
        done({ x: at.left + box.x + box.w / 2, y: at.top + box.y + box.h / 2, message: what.message });
    })))""")
    page.mouse.click(target["x"], target["y"])
    assert page.evaluate("podium.replay.view.index") == target["message"]


def test_the_read_flow_runs_kubectl_get_pods_and_ends_at_the_watch_cache(visit, deployed, picture):
    page = visit(deployed["url"], motion="reduce")
    opened(page)
    page.get_by_role("button", name="What happens when I run kubectl get pods").click()
    until(page, lambda: "asks for the list of pods" in page.locator(".replay-steps").inner_text(), "the read")
    assert "The watch cache answers: 2 objects" in page.locator(".replay-steps").inner_text()
    page.evaluate("{ const { view } = podium.replay; view.playing = false; view.go(3); }")
    assert page.evaluate("podium.replay.view.state().doors") == ["passed", "passed", "skipped", "skipped"]
    picture(page, "replay_read_dark_en")


def test_the_basic_flow_makes_a_deployment_where_there_is_none_and_follows_it_while_it_goes_on(visit, room):
    page = visit(room["url"], motion="reduce")
    page.keyboard.press("v")
    until(page, lambda: page.locator("#replay-guideApply").count(), "the cards")
    page.get_by_role("button", name="What happens when I apply a Deployment").click()
    until(page, lambda: page.evaluate("podium.replay.view.data?.steps[0].name") == "hello", "the example")
    page.evaluate("{ const { view } = podium.replay; view.setSpeed(4); view.go(view.messages.length - 1, true); }")
    until(page, lambda: "Running and Ready" in page.locator(".replay-steps").inner_text(), "more of the story")


def test_a_refused_request_ends_at_the_door_that_was_shut(visit, room, picture):
    terminal(room, "kubectl create deployment web --image=nginx")
    terminal(room, "kubectl scale deployment web --replicas=-1")
    terminal(room, "kubectl create namespace Not_valid")
    page = visit(room["url"], motion="reduce", theme="light")
    opened(page)
    choice = page.get_by_role("combobox", name="Act")
    choice.focus()
    until(page, lambda: choice.locator("optgroup[label=Refused] option").count(), "what was refused")
    choice.select_option(choice.locator("optgroup[label=Refused] option", has_text="create Namespace").first.get_attribute("value"))
    until(page, lambda: "Validation refuses" in page.locator(".replay-steps").inner_text(), "the refusal")
    page.evaluate("{ const { view } = podium.replay; view.playing = false; view.go(view.messages.length - 1); }")
    assert page.evaluate("podium.replay.view.state().doors") == ["passed", "passed", "passed", "refused"]
    picture(page, "replay_refused_light_en")


def test_what_happens_now_travels_and_an_envelope_opens_its_story(visit, deployed):
    page = visit(deployed["url"])
    opened(page)
    page.get_by_role("combobox", name="Act").select_option("")
    terminal(deployed, "kubectl scale deployment web --replicas=3")
    hit = until(page, lambda: page.evaluate("""() => {
        const { picture, canvas, now } = podium.replay.view, at = canvas.getBoundingClientRect();
        const found = picture.targets.findLast(one => one.what.revision !== undefined);
        return found && { x: at.left + found.box.x + found.box.w / 2, y: at.top + found.box.y + found.box.h / 2 };
    }"""), "an envelope")
    page.mouse.click(hit["x"], hit["y"])
    until(page, lambda: page.evaluate("podium.replay.view.data?.steps[0].changed.some(one => one.path === 'spec.replicas')"), "its story")


def test_an_envelope_on_the_rail_rests_while_the_room_does_and_opens_its_story(visit, deployed, picture):
    page = visit(deployed["url"])
    post(deployed, "clock", {"paused": False, "speed": 0.1})
    until(page, lambda: page.evaluate("!podium.time.paused && podium.time.speed < 0.5"), "slow motion")
    terminal(deployed, "kubectl scale deployment web --replicas=3")
    until(page, lambda: page.evaluate("podium.stage.motion.envelopes.drawn.length"), "an envelope on the rail")
    post(deployed, "clock", {"paused": True})
    until(page, lambda: page.evaluate("podium.stage.frozen"), "the pause")
    place = """() => {
        const { stage } = podium, at = stage.host.getBoundingClientRect(), one = stage.motion.envelopes.drawn.at(-1);
        return { x: at.left + one.x, y: at.top + one.y };
    }"""
    page.wait_for_timeout(500)
    hit = page.evaluate(place)
    page.wait_for_timeout(200)
    assert page.evaluate(place) == hit
    picture(page, "replay_rail_dark_en")
    page.mouse.click(hit["x"], hit["y"])
    until(page, lambda: page.evaluate("podium.replay.on && podium.replay.view?.data?.steps[0].name") == "web", "its story")


def test_what_happened_in_one_instant_goes_in_the_order_of_its_revisions(visit, deployed):
    page = visit(deployed["url"])
    terminal(deployed, "kubectl scale deployment web --replicas=4")
    post(deployed, "clock", {"advance": 0.02})
    sent = until(page, lambda: (found := page.evaluate("podium.stage.motion.envelopes.all.map(one => [one.signal.revision, one.born])")) and
                 len(found) > 3 and found, "envelopes")
    born = [at for _, at in sorted(sent)]
    assert born == sorted(born) and len(set(born)) == len(born)


def test_nothing_in_the_view_is_a_serious_barrier(visit, deployed):
    page = visit(deployed["url"], motion="reduce")
    opened(page, "admission")
    inside = page.get_by_role("region", name="What is in this message")
    until(page, lambda: "revisionHistoryLimit" in inside.inner_text(), "the contents")
    assert findings(page, ".replay", "#panel-replay", "#bar-view") == []
    assert page.locator("#panel-replay").aria_snapshot().count("- listitem") > 20
