from __future__ import annotations

from controllers_world import DEPLOYMENT, SERVICE, World, conditions, node

GRACE = 50


def stop(world, name):
    world.parts.heartbeats.stop(name)


def resume(world, name):
    """As a kubelet does: heartbeats again, and the node's conditions posted."""
    world.parts.heartbeats.resume(name)
    stored = world.get("nodes", name, "")
    world.kubectl.update("nodes", {**stored, "status": {**stored["status"], "conditions": node(name)["status"]["conditions"]}}, "status")


def taints(world, name):
    return [(taint["key"], taint["effect"]) for taint in world.get("nodes", name, "")["spec"].get("taints") or ()]


UNREACHABLE = [("node.kubernetes.io/unreachable", "NoSchedule"), ("node.kubernetes.io/unreachable", "NoExecute")]


def settled() -> World:
    world = World()
    world.apply(DEPLOYMENT, replicas=6)
    world.apply(SERVICE)
    world.run()
    return world


def test_a_silent_node_is_trusted_for_the_grace_period():
    world = settled()
    stop(world, "w3")
    world.run(GRACE - 1)
    assert conditions(world.get("nodes", "w3", ""))["Ready"]["status"] == "True" and taints(world, "w3") == []


def test_then_its_conditions_are_unknown_and_it_is_tainted():
    world = settled()
    stop(world, "w3")
    world.run(GRACE + 1)
    found = conditions(world.get("nodes", "w3", ""))
    assert sorted(found) == ["DiskPressure", "MemoryPressure", "PIDPressure", "Ready"]
    assert {(entry["status"], entry["reason"], entry["message"]) for entry in found.values()} == {
        ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")}
    assert taints(world, "w3") == UNREACHABLE
    assert all(taint["timeAdded"] for taint in world.get("nodes", "w3", "")["spec"]["taints"])
    assert "Node w3 status is now: NodeNotReady" in world.messages("Node", "w3", "NodeNotReady")


def test_its_pods_are_not_ready_but_run_on():
    world = settled()
    stop(world, "w3")
    world.run(GRACE + 1)
    on_node = world.api.lister("pods").by_node("w3")
    assert len(on_node) == 2
    for pod in on_node:
        assert pod["status"]["phase"] == "Running" and conditions(pod)["Ready"]["status"] == "False"
        assert world.messages("Pod", pod["metadata"]["name"], "NodeNotReady") == ["Node is not ready"]
    assert world.deployment()["status"]["readyReplicas"] == 4
    lost = {pod["metadata"]["name"] for pod in on_node}
    endpoints = {endpoint["targetRef"]["name"]: endpoint["conditions"]["ready"] for endpoint in world.slices()[0]["endpoints"]}
    assert {name for name, ready in endpoints.items() if not ready} == lost


def test_after_five_minutes_its_pods_are_evicted_and_replaced():
    world = settled()
    stop(world, "w3")
    world.run(GRACE + 1)
    lost = [pod["metadata"]["name"] for pod in world.api.lister("pods").by_node("w3")]
    world.run(298)
    assert len(world.active()) == 6
    world._on_pod = lambda event: None
    world.run(2)
    assert world.messages("Pod", lost[0], "TaintManagerEviction") == [f"Marking for deletion Pod default/{lost[0]}"]
    assert len(world.active()) == 6 and not set(lost) & {pod["metadata"]["name"] for pod in world.active()}


def test_a_node_that_comes_back_in_time_keeps_its_pods():
    world = settled()
    stop(world, "w3")
    world.run(GRACE + 100)
    kept = {pod["metadata"]["uid"] for pod in world.pods()}
    resume(world, "w3")
    world.run(1000)
    assert taints(world, "w3") == [] and {pod["metadata"]["uid"] for pod in world.pods()} == kept
    name = world.api.lister("pods").by_node("w3")[0]["metadata"]["name"]
    assert world.messages("Pod", name, "TaintManagerEviction") == [f"Cancelling deletion of Pod default/{name}"]
    assert world.store.state.items("taint-eviction/") == []


def test_a_restart_does_not_begin_the_five_minutes_anew():
    world = settled()
    stop(world, "w3")
    world.run(GRACE + 200)
    again = world.restarted()
    lost = [pod["metadata"]["name"] for pod in again.api.lister("pods").by_node("w3")]
    again.run(102)
    assert again.messages("Pod", lost[0], "TaintManagerEviction")


def test_a_node_that_says_it_is_not_ready_is_tainted_so(world):
    stored = world.get("nodes", "w1", "")
    entries = [{**entry, "status": "False"} if entry["type"] == "Ready" else entry for entry in stored["status"]["conditions"]]
    world.kubectl.update("nodes", {**stored, "status": {**stored["status"], "conditions": entries}}, "status")
    world.run(1)
    assert taints(world, "w1") == [("node.kubernetes.io/not-ready", "NoSchedule"), ("node.kubernetes.io/not-ready", "NoExecute")]
    stop(world, "w1")
    world.run(GRACE + 15)
    assert taints(world, "w1") == UNREACHABLE


def test_cordon_and_pressure_are_taints_too_and_others_are_kept(world):
    world.patch("nodes", "w1", {"spec": {"unschedulable": True, "taints": [{"key": "mine", "value": "x", "effect": "NoSchedule"}]}}, "")
    world.run(1)
    assert taints(world, "w1") == [("mine", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule")]
    stored = world.get("nodes", "w1", "")
    entries = [{**entry, "status": "True"} if entry["type"] == "MemoryPressure" else entry for entry in stored["status"]["conditions"]]
    world.kubectl.update("nodes", {**stored, "status": {**stored["status"], "conditions": entries}}, "status")
    world.run(1)
    assert ("node.kubernetes.io/memory-pressure", "NoSchedule") in taints(world, "w1")
    world.patch("nodes", "w1", {"spec": {"unschedulable": None}}, "")
    world.run(1)
    assert ("node.kubernetes.io/unschedulable", "NoSchedule") not in taints(world, "w1") and ("mine", "NoSchedule") in taints(world, "w1")


def test_nodes_lost_together_are_given_up_one_after_the_other():
    world = World(nodes=6)
    stop(world, "w1")
    stop(world, "w2")
    world.run(GRACE + 1)
    assert [taints(world, name) == UNREACHABLE for name in ("w1", "w2")] == [True, False]
    world.run(10)
    assert taints(world, "w2") == UNREACHABLE


def test_when_all_nodes_are_lost_nobody_is_sent_away():
    world = settled()
    for name in ("w1", "w2", "w3"):
        stop(world, name)
    world.run(2000)
    assert all(taints(world, name) == UNREACHABLE[:1] for name in ("w1", "w2", "w3")) and len(world.active()) == 6
    assert world.messages("Pod", reason="TaintManagerEviction").count("Marking") == 0


def test_a_taint_sends_away_pods_that_do_not_tolerate_it(world):
    world.apply(DEPLOYMENT, replicas=6)
    world.run()
    world.patch("nodes", "w1", {"spec": {"taints": [{"key": "bye", "value": "1", "effect": "NoExecute"}]}}, "")
    leaving = {pod["metadata"]["name"] for pod in world.api.lister("pods").by_node("w1")}
    world.run(0.5)
    assert leaving and not leaving & {pod["metadata"]["name"] for pod in world.active()}
    pod = world.pod(sorted(leaving)[0])
    assert conditions(pod)["DisruptionTarget"]["message"] == "Taint manager: deleting due to NoExecute taint"


def test_pods_of_a_node_that_no_longer_exists_are_removed(world):
    world.apply(DEPLOYMENT, replicas=3)
    world.run()
    uids = {pod["metadata"]["uid"] for pod in world.api.lister("pods").by_node("w1")}
    world.kubectl.delete("nodes", "", "w1")
    world.run(30)
    assert uids <= {pod["metadata"]["uid"] for pod in world.pods()}
    world.run(15)
    assert uids and not uids & {pod["metadata"]["uid"] for pod in world.pods()} and len(world.active()) == 3
    assert world.messages("Node", "w1", "RemovingNode") == ["Node w1 event: Removing Node w1 from Controller"]


def test_arriving_nodes_are_registered_once(world):
    assert world.messages("Node", "w1", "RegisteredNode") == ["Node w1 event: Registered Node w1 in Controller"]
    again = world.restarted()
    again.run()
    assert len(again.messages("Node", "w1", "RegisteredNode")) == 1


def test_healthy_nodes_cost_nothing(world):
    assert world.clock.run_until_idle()
    revision = world.store.revision
    world.run(86400)
    assert world.store.revision == revision


def test_the_zone_of_a_lost_node_is_judged_by_itself():
    world = World(nodes=0)
    for number in range(1, 9):
        world.kubectl.create("nodes", node(f"w{number}", "a" if number <= 4 else "b"))
    for name in ("w1", "w2", "w3"):
        stop(world, name)
    stop(world, "w5")
    world.run(GRACE + 100)
    given_up = [name for name in ("w1", "w2", "w3", "w5") if taints(world, name) == UNREACHABLE]
    assert given_up == ["w5"], "three of four down in zone a is more likely the network than three machines"
    resume(world, "w1")
    world.run(60)
    assert taints(world, "w2") == taints(world, "w3") == UNREACHABLE
