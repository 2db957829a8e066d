"""Whatever happens to nodes, pods, the template and the controller, a DaemonSet settles to one pod on every node that fits, and on the way
keeps its bounds."""

from __future__ import annotations

from daemon_world import DaemonWorld, digest, images, name
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.cluster.controllers import podfacts
from server.cluster.controllers.daemonset_census import surge, unavailable
from server.cluster.controllers.daemonset_placement import Placement, node_of
from server.cluster.objects import deleting, labels
from server.cluster.store import ADDED, MODIFIED

NODES = tuple(f"w{number}" for number in range(1, 8))
BY_DAEMON_SET = "daemonset-controller"
strategies = st.sampled_from([{"maxUnavailable": 1}, {"maxUnavailable": "50%"}, {"maxUnavailable": 3}, {"maxUnavailable": 0, "maxSurge": 1},
                              {"maxUnavailable": 0, "maxSurge": "50%"}, {"type": "OnDelete"}])
waits = st.sampled_from([0.0, 0.003, 0.02, 0.7, 1.2, 6.0, 60.0])


class Daemons(RuleBasedStateMachine):
    @initialize(strategy=strategies, min_ready=st.sampled_from([0, 0, 2]))
    def begin(self, strategy, min_ready):
        self.world = DaemonWorld()
        self.world.create(strategy, minReadySeconds=min_ready)
        self.number = 1
        self.world.api.watch("pods", self.look)
        self.world.run(0.5)

    # the bounds, looked at whenever the controller creates or deletes a pod

    def look(self, event) -> None:
        if event.cause.client != BY_DAEMON_SET:
            return
        if event.type == ADDED:
            self.after_creating(node_of(event.object), event.object)
        elif event.type == MODIFIED and deleting(event.object) and not deleting(event.previous):
            self.after_deleting(event.previous)

    def eligible(self) -> list[str]:
        placement = Placement(self.world.daemon_set())
        return [name(node) for node in self.world.api.lister("nodes").list() if placement.on(node).run]

    def after_creating(self, node: str, pod: dict) -> None:
        others = [other for other in self.world.pods() if node_of(other) == node and name(other) != name(pod) and labels(other)["app"] == "agent"
                  and not (deleting(other) and podfacts.terminal(other))]
        allowed = surge(self.world.daemon_set()["spec"], len(self.eligible()))
        assert node in self.eligible()
        assert len([other for other in others if not deleting(other)]) <= (1 if allowed else 0)
        assert allowed or not others
        if others and self.world.is_available(others[0]):
            doubled = [node for node in NODES if len(found := self.world.on(node)) > 1 and any(
                self.world.is_available(each) and digest(each) != digest(pod) for each in found)]
            assert len(doubled) <= allowed

    def after_deleting(self, pod: dict) -> None:
        """An available pod that an update takes from a node leaves no more nodes without one than may be."""
        spec, node, eligible = self.world.daemon_set()["spec"], node_of(pod), self.eligible()
        if node not in eligible or not podfacts.active(pod) or not self.world.is_available(pod) or self.world.on(node):
            return
        without = [each for each in eligible if not any(self.world.is_available(other) for other in self.world.on(each))]
        assert len(without) <= max(1, unavailable(spec, len(eligible)))
        assert not surge(spec, len(eligible))

    # what happens

    def pick(self, number: int) -> str | None:
        pods = [pod for pod in self.world.active() if labels(pod).get("app") == "agent"]
        return name(pods[number % len(pods)]) if pods else None

    def present(self, node: str) -> bool:
        return self.world.get("nodes", node, "") is not None

    @rule(node=st.sampled_from(NODES), disk=st.sampled_from(["", "ssd"]))
    def add_or_remove_a_node(self, node, disk):
        if self.present(node):
            self.world.kubectl.delete("nodes", "", node)
        else:
            self.world.add_node(node)
            self.world.label_node(node, disk=disk or None)

    @rule(node=st.sampled_from(NODES), effect=st.sampled_from(["", "NoSchedule", "NoExecute", "PreferNoSchedule"]))
    def taint_a_node(self, node, effect):
        if self.present(node):
            self.world.edit_node(node, taints=[{"key": "x", "effect": effect}] if effect else [])

    @rule(node=st.sampled_from(NODES), disk=st.sampled_from([None, "ssd"]))
    def relabel_a_node(self, node, disk):
        if self.present(node):
            self.world.label_node(node, disk=disk)

    @rule(node=st.sampled_from(NODES), cordoned=st.booleans())
    def cordon_a_node(self, node, cordoned):
        if self.present(node):
            self.world.edit_node(node, unschedulable=cordoned)

    @rule(number=st.integers(1, 3))
    def edit_the_template(self, number):
        self.world.set_image(f"agent:{number}")

    @rule(selector=st.sampled_from([{}, {"disk": "ssd"}]))
    def select_other_nodes(self, selector):
        self.world.edit(("template", "spec", "nodeSelector"), selector or None)

    @rule(strategy=strategies)
    def change_the_strategy(self, strategy):
        self.world.edit(("updateStrategy",), strategy if "type" in strategy else {"type": "RollingUpdate", "rollingUpdate": strategy})

    @rule(number=st.integers(0, 9))
    def kill_a_pod(self, number):
        if (pod := self.pick(number)) is not None:
            self.world.kubectl.delete("pods", "default", pod)

    @rule(number=st.integers(0, 9), phase=st.sampled_from(["Failed", "Succeeded"]))
    def end_a_pod(self, number, phase):
        if (pod := self.pick(number)) is not None:
            self.world.set_status(pod, phase=phase, ready=False)

    @rule(number=st.integers(0, 9))
    def sicken_a_pod(self, number):
        if (pod := self.pick(number)) is not None and podfacts.phase(self.world.pod(pod)) == "Running":
            self.world.set_status(pod, ready=False)

    @rule(number=st.integers(0, 9))
    def let_go_of_a_pod(self, number):
        if (pod := self.pick(number)) is not None:
            self.world.patch("pods", pod, {"metadata": {"labels": {"app": "other"}}})

    @rule(number=st.integers(0, 9))
    def stop_and_start_the_controller(self, number):
        self.world.controller.stop()
        self.world.run(number / 3)
        self.world.controller.start()

    @rule(seconds=waits)
    def wait(self, seconds):
        self.world.run(seconds)

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def no_pod_is_of_two_nodes_or_none(self):
        assert all(node_of(pod) for pod in self.world.active() if labels(pod).get("app") == "agent")

    def teardown(self):
        if not hasattr(self, "world"):
            return
        for pod in self.world.pods():
            if labels(pod).get("app") == "other":
                self.world.kubectl.delete("pods", "default", name(pod), grace_period=0)
        for _ in range(3):
            for pod in self.world.active():
                if podfacts.phase(pod) == "Running" and not podfacts.ready(pod):
                    self.world.set_status(name(pod), ready=True)
            self.world.run(2000)
        daemon_set, eligible = self.world.daemon_set(), self.eligible()
        placement, found = Placement(daemon_set), self.world.nodes_with_pods()
        staying = [name(node) for node in self.world.api.lister("nodes").list() if placement.on(node).stay and name(node) not in eligible]
        assert [node for node in found if node not in staying] == sorted(eligible)
        assert all(found.count(node) == 1 for node in found)
        if daemon_set["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            wanted = daemon_set["spec"]["template"]["spec"]["containers"][0]["image"]
            assert images([pod for node in eligible for pod in self.world.on(node)]) == [wanted] * len(eligible)
            assert self.world.counts()["updated"] == len(eligible)
        counts = self.world.counts()
        assert (counts["desired"], counts["current"], counts["available"]) == (len(eligible),) * 3
        assert counts["misscheduled"] == len([node for node in found if node in staying])
        assert self.world.clock.run_until_idle()


Daemons.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
TestDaemons = Daemons.TestCase
