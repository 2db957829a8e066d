"""Acts on the canvas: each is a kubectl command that is shown, runs in the terminal, changes the cluster and has a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hands import WEB, bar, begin, choose, done, history, labels, menu, selected
from tests.browser.page import centre, pods, post, things, until
from tests.browser.test_sight import deployment

pytestmark = pytest.mark.browser


def test_the_menu_runs_in_the_terminal_and_the_bar_takes_it_back(visit: Callable[..., Any], room: dict[str, str],
                                                                picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room)
    assert "kubectl cordon w1-k8s" not in history(page)
    items = menu(page, "Node//w1-k8s")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    items.get_by_role("menuitem", name="Cordon", exact=True).focus()
    picture(page, "interact-menu-node")
    items.get_by_role("menuitem", name="Cordon", exact=True).click()
    done(page)
    assert history(page)[-1] == "kubectl cordon w1-k8s"
    assert "node/w1-k8s cordoned" in page.locator("#terminal-log").inner_text()
    until(page, lambda: things(page, "Node")["Node//w1-k8s"]["unschedulable"], "the node to be cordoned")
    picture(page, "interact-done")
    page.keyboard.press("Control+z")
    until(page, lambda: not things(page, "Node")["Node//w1-k8s"]["unschedulable"], "the node to be open again")
    assert history(page)[-1] == "kubectl uncordon w1-k8s"


def test_every_family_of_the_menu_really_runs(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 2, image="nginx:1.25"), count=2)
    choose(page, WEB, "Set image…")
    bar(page).get_by_label("image").fill("nginx:1.27")
    assert bar(page).locator("code.line").inner_text() == "kubectl set image deployment/web main=nginx:1.27"
    page.keyboard.press("Enter")
    done(page)
    post(room, "clock", {"advance": 20})
    until(page, lambda: things(page, "Deployment")[WEB]["revision"] == "2", "the rollout")
    choose(page, WEB, "Expose as a Service…")
    bar(page).get_by_label("type").select_option("NodePort")
    bar(page).get_by_role("button", name="Run").click()
    done(page)
    assert history(page)[-1] == "kubectl expose deployment web --port=80 --type=NodePort"
    until(page, lambda: "Service/default/web" in things(page, "Service"), "the Service")
    choose(page, "Node//w3-k8s", "Taint…")
    bar(page).get_by_label("key").fill("gpu")
    page.keyboard.press("Enter")
    done(page)
    until(page, lambda: "gpu:NoSchedule" in things(page, "Node")["Node//w3-k8s"]["taints"], "the taint")
    choose(page, "Node//w3-k8s", "Remove taint gpu:NoSchedule")
    until(page, lambda: "gpu:NoSchedule" not in things(page, "Node")["Node//w3-k8s"]["taints"], "no taint")
    done(page)
    choose(page, WEB, "Roll back to the revision before")
    until(page, lambda: things(page, "Deployment")[WEB]["revision"] == "3", "the rollback")


def test_a_cron_job_is_run_and_suspended_from_its_menu(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl create cronjob hi --image=busybox --schedule='0 0 1 1 *' -- date"})
    page = visit(room["url"])
    until(page, lambda: things(page, "CronJob"), "the CronJob")
    choose(page, "CronJob/default/hi", "Run it now as a Job")
    done(page)
    until(page, lambda: "Job/default/hi-manual-1" in things(page, "Job"), "the Job")
    choose(page, "CronJob/default/hi", "Suspend")
    until(page, lambda: things(page, "CronJob")["CronJob/default/hi"].get("suspended"), "suspended")
    done(page)
    assert history(page)[-1] == """kubectl patch cronjob hi -p '{"spec":{"suspend":true}}'"""


def test_a_dangerous_act_asks_first_and_has_only_a_room_from_before_as_its_way_back(
        visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1)
    name = next(iter(pods(page)))
    choose(page, name, "Delete…")
    assert bar(page).locator("code.line").inner_text() == f"kubectl delete pod {name.split('/')[2]}"
    assert "Its controller makes a new one" in bar(page).inner_text()
    picture(page, "interact-confirm")
    page.keyboard.press("Escape")
    assert not bar(page).is_visible() and name in pods(page) and not history(page)
    choose(page, name, "Delete…")
    page.keyboard.press("Enter")
    done(page)
    until(page, lambda: name not in pods(page) or pods(page)[name]["state"] == "terminating", "the pod to go")
    page.keyboard.press("Control+z")
    assert "Kubernetes has no undo for this" in bar(page).inner_text()
    page.get_by_role("button", name="Open a room from before").click()
    link = bar(page).get_by_role("link")
    until(page, link.count, "the other room")
    other = visit(link.get_attribute("href"))
    until(other, lambda: pods(other).get(name, {}).get("state") == "ready", "the pod in the room from before")


def test_dragging_the_handle_scales(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 2), count=2)
    page.mouse.move(*centre(page, WEB))
    handle = page.get_by_role("slider", name="Replicas of web")
    until(page, handle.is_visible, "the handle")
    at = handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 28, steps=4)
    assert bar(page).locator("code.line").inner_text() == "kubectl scale deployment/web --replicas=4"
    picture(page, "interact-scale")
    page.keyboard.press("Escape")
    page.mouse.up()
    assert not bar(page).is_visible() and not history(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 42, steps=4)
    page.mouse.up()
    done(page)
    assert history(page)[-1] == "kubectl scale deployment/web --replicas=5"
    until(page, lambda: things(page, "Deployment")[WEB]["replicas"] == 5, "five replicas")
    bar(page).get_by_role("button", name="Back: kubectl scale deployment/web --replicas=2").click()
    until(page, lambda: things(page, "Deployment")[WEB]["replicas"] == 2, "two replicas")


def test_r_scales_what_is_selected_by_plus_and_minus_which_otherwise_zoom(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 2), count=2)
    page.mouse.click(*centre(page, WEB))
    zoom = page.evaluate("podium.stage.camera.zoom")
    page.keyboard.press("=")
    assert page.evaluate("podium.stage.camera.zoom") > zoom and not bar(page).is_visible()
    page.keyboard.press("-")
    page.keyboard.press("r")
    until(page, lambda: bar(page).locator("code.line").inner_text().endswith("--replicas=2"), "the command")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert bar(page).locator("code.line").inner_text().endswith("--replicas=4")
    page.keyboard.press("Enter")
    until(page, lambda: things(page, "Deployment")[WEB]["replicas"] == 4, "four replicas")


def test_labels_are_edited_in_place_and_brought_back(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1)
    name = next(iter(pods(page)))
    page.mouse.click(*centre(page, name))
    page.keyboard.press("l")
    box = page.get_by_role("dialog", name="Edit labels")
    until(page, box.is_visible, "the labels")
    box.get_by_label("Value of app").fill("other thing")
    box.get_by_role("button", name="Add one").click()
    page.keyboard.type("tier")
    page.keyboard.press("Tab")
    page.keyboard.type("front")
    assert "'app=other thing' tier=front --overwrite" in box.locator("code.line").inner_text()
    assert "lets it go and makes another in its place" in box.locator(".effects").inner_text()
    box.get_by_label("Value of app").fill("other")
    picture(page, "interact-labels")
    page.keyboard.press("Enter")
    done(page)
    until(page, lambda: labels(page, name).get("tier") == "front" and labels(page, name)["app"] == "other", "the labels to change")
    page.keyboard.press("Control+z")
    until(page, lambda: labels(page, name).get("app") == "web" and "tier" not in labels(page, name), "the labels to be as before")
    assert history(page)[-1] == f"kubectl label pod {name.split('/')[2]} app=web tier- --overwrite"


def test_several_are_boxed_and_deleted_with_one_command(visit: Callable[..., Any], room: dict[str, str],
                                                        picture: Callable[[Any, str], None]) -> None:
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%s}\nspec: {nodeName: w1-k8s, containers: [{name: c, image: nginx}]}\n"
    page = begin(visit, room, *(pod % i for i in range(3)), count=3)
    boxes = [page.evaluate("id => podium.stage.camera.box(podium.stage.layout.box(id))", name) for name in pods(page)]
    stage = page.locator("#stage").bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(stage["x"] + min(one["x"] for one in boxes) - 5, stage["y"] + min(one["y"] for one in boxes) - 3)
    page.mouse.down()
    page.mouse.move(stage["x"] + max(one["x"] + one["w"] for one in boxes) + 4, stage["y"] + max(one["y"] + one["h"] for one in boxes) + 4, steps=5)
    picture(page, "interact-box")
    page.mouse.up()
    page.keyboard.up("Shift")
    assert sorted(selected(page)) == [f"Pod/default/p{i}" for i in range(3)]
    page.keyboard.down("Shift")
    page.mouse.click(*centre(page, "Pod/default/p1"))
    page.keyboard.up("Shift")
    assert sorted(selected(page)) == ["Pod/default/p0", "Pod/default/p2"]
    toolbar = page.get_by_role("toolbar", name="2 selected")
    until(page, toolbar.is_visible, "the bar of several")
    picture(page, "interact-several")
    toolbar.get_by_role("button", name="Delete…").click()
    until(page, bar(page).is_visible, "the question")
    assert bar(page).locator("code.line").inner_text() in ("kubectl delete pod p0 p2", "kubectl delete pod p2 p0")
    page.keyboard.press("Enter")
    until(page, lambda: {one["name"] for one in pods(page).values() if one["state"] != "terminating"} == {"p1"}, "two to go")


def test_the_past_lets_nobody_act(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room)
    page.evaluate("podium.past.look(200)")
    until(page, lambda: page.evaluate("podium.live.past") == 200, "the past")
    items = menu(page, "Node//w1-k8s").get_by_role("menuitem")
    assert all(item.get_attribute("aria-disabled") or item.inner_text() == "Edit the YAML" for item in items.all())
    page.keyboard.press("Home")
    assert "The past is looked at" in page.locator("#menu-foot").inner_text()


def test_a_command_that_holds_the_terminal_is_not_typed_into(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = begin(visit, room, deployment("web", 1), count=1)
    name = next(iter(pods(page)))
    choose(page, name, "Follow the logs")
    until(page, lambda: page.evaluate("podium.terminal.running !== null && podium.terminal.command.startsWith('kubectl logs -f')"), "the logs")
    choose(page, "Node//w1-k8s", "Cordon")
    stop = page.get_by_role("button", name="Stop it and go on")
    until(page, stop.is_visible, "the question")
    assert not things(page, "Node")["Node//w1-k8s"]["unschedulable"]
    stop.click()
    until(page, lambda: things(page, "Node")["Node//w1-k8s"]["unschedulable"], "the node to be cordoned")
