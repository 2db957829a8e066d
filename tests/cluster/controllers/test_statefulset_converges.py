"""Whatever is done to a StatefulSet and its pods, in whatever order: its promises hold at every moment, and in the end it has what it asks for.

Random scales, templates, partitions, deletions, failures and restarts of the controller. What is looked at whenever a pod comes or goes:
an ordered set starts a pod only when all below are available and removes a surplus pod only when none is above it; a rolling update never
has more pods unavailable than it may and never touches what is below the partition.
"""

from __future__ import annotations

import yaml
from controllers_world import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from test_statefulset import CLAIMS, STATEFUL_SET, set_image, status, the_set

from server.cluster.controllers import podfacts
from server.cluster.controllers.history import POD_LABEL
from server.cluster.controllers.statefulset import StatefulSetController
from server.cluster.controllers.statefulset_identity import ordinal_in, ordinals, start
from server.cluster.objects import Object, deleting
from server.cluster.store import DELETED, Event

BROKEN = "nginx:broken"
images = st.sampled_from(("nginx:1", "nginx:2", "nginx:3", BROKEN))


class StatefulSetLife(RuleBasedStateMachine):
    @initialize(ordered=st.booleans(), replicas=st.integers(0, 4), first=st.sampled_from((0, 3)), ready_for=st.sampled_from((0, 0, 4)),
                unavailable=st.sampled_from((None, 1, 2, "50%")), claims=st.booleans(), delete=st.booleans())
    def begin(self, ordered: bool, replicas: int, first: int, ready_for: int, unavailable: int | str | None, claims: bool,
              delete: bool) -> None:
        self.world, self.wrong, self.ordered, self.unready = World(), [], ordered, set()
        self.world.broken = (BROKEN,)
        self.controller = next(each for each in self.world.controllers if isinstance(each, StatefulSetController))
        manifest = yaml.safe_load(STATEFUL_SET)
        rolling = {} if unavailable is None else {"maxUnavailable": unavailable}
        spec = {"replicas": replicas, "podManagementPolicy": "OrderedReady" if ordered else "Parallel", "ordinals": {"start": first},
                "minReadySeconds": ready_for, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
        if claims:
            spec["volumeClaimTemplates"] = CLAIMS
            spec["persistentVolumeClaimRetentionPolicy"] = {"whenScaled": "Delete" if delete else "Retain"}
        self.world.kubectl.create("statefulsets.apps", {**manifest, "spec": {**manifest["spec"], **spec}})
        self.world.api.watch("pods", self.look)

    # at every moment

    def pods(self) -> dict[int, Object]:
        found = {ordinal_in(the_set(self.world), pod["metadata"]["name"]): pod for pod in self.world.pods()}
        assert len(found) == len(self.world.pods()) and None not in found
        return found

    def available(self, pod: Object | None) -> bool:
        if pod is None or deleting(pod) or podfacts.phase(pod) != "Running":
            return False
        moment = podfacts.available_at(pod, the_set(self.world)["spec"].get("minReadySeconds", 0), self.world.clock)
        return moment is not None and moment <= self.world.clock.now

    def look(self, event: Event) -> None:
        if event.cause.client != StatefulSetController.name:
            return
        ordinal, pods = ordinal_in(the_set(self.world), event.object["metadata"]["name"]), self.pods()
        if event.previous is None:
            self.look_at_start(ordinal, pods)
        elif event.type != DELETED and deleting(event.object) and not deleting(event.previous):
            self.look_at_end(ordinal, {**pods, ordinal: event.previous})

    def look_at_start(self, ordinal: int, pods: dict[int, Object]) -> None:
        if ordinal not in ordinals(the_set(self.world)):
            self.wrong.append(f"{ordinal} is not wanted")
        below = range(start(the_set(self.world)), ordinal)
        if self.ordered and not all(self.available(pods.get(other)) for other in below):
            self.wrong.append(f"{ordinal} started before one below was available")
        claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pods[ordinal]["spec"].get("volumes") or ()
                  if "persistentVolumeClaim" in volume]
        if any(self.world.get("persistentvolumeclaims", claim) is None for claim in claims):
            self.wrong.append(f"{ordinal} has no claim")

    def look_at_end(self, ordinal: int, pods: dict[int, Object]) -> None:
        pod, stateful_set = pods[ordinal], the_set(self.world)
        wanted = ordinals(stateful_set)
        if podfacts.terminal(pod):
            return
        if ordinal not in wanted:
            if self.ordered and not all(self.available(pods.get(other)) for other in wanted):
                self.wrong.append(f"{ordinal} went while a pod that stays was not available")
            if self.ordered and any(other > ordinal and other not in wanted for other in pods):
                self.wrong.append(f"{ordinal} went before a higher one")
            return
        rolling = stateful_set["spec"]["updateStrategy"].get("rollingUpdate") or {}
        if pod["metadata"]["labels"][POD_LABEL] == self.latest():
            self.wrong.append(f"{ordinal} went for nothing")
        if ordinal < wanted.start + rolling.get("partition", 0):
            self.wrong.append(f"{ordinal} is below the partition")
        limit = rolling.get("maxUnavailable", 1)
        limit = max(1, len(wanted) * int(limit[:-1]) // 100) if isinstance(limit, str) else limit
        away = sum(not self.available(pods.get(other)) for other in wanted if other != ordinal and (
            self.ordered or "maxUnavailable" in rolling or other > ordinal))
        if self.available(pod) and away + 1 > limit:
            self.wrong.append(f"{ordinal} went though {away} were unavailable")

    def latest(self) -> str:
        newest = max(self.world.api.lister("controllerrevisions.apps").list("default"), key=lambda entry: entry["revision"])
        return newest["metadata"]["name"]

    # what is done

    def patch(self, spec: Object) -> None:
        self.world.patch("statefulsets.apps", "web", {"spec": spec})

    @rule(replicas=st.integers(0, 5))
    def scale(self, replicas: int) -> None:
        self.patch({"replicas": replicas})

    @rule(image=images)
    def change_template(self, image: str) -> None:
        set_image(self.world, image)

    @rule(partition=st.integers(0, 4))
    def divide(self, partition: int) -> None:
        if the_set(self.world)["spec"]["updateStrategy"]["type"] == "RollingUpdate":
            self.patch({"updateStrategy": {"rollingUpdate": {"partition": partition}}})

    @rule(on_delete=st.booleans())
    def change_strategy(self, on_delete: bool) -> None:
        self.patch({"updateStrategy": {"type": "OnDelete", "rollingUpdate": None} if on_delete else {"type": "RollingUpdate"}})

    @rule(first=st.sampled_from((0, 1, 3)))
    def move(self, first: int) -> None:
        self.patch({"ordinals": {"start": first}})

    def one(self, number: int) -> str | None:
        pods = [pod for pod in self.world.pods() if not deleting(pod)]
        return pods[number % len(pods)]["metadata"]["name"] if pods else None

    @rule(number=st.integers(0, 9))
    def delete_pod(self, number: int) -> None:
        if name := self.one(number):
            self.world.kubectl.delete("pods", "default", name)

    @rule(number=st.integers(0, 9), phase=st.sampled_from(("Failed", "Succeeded")))
    def end_pod(self, number: int, phase: str) -> None:
        if name := self.one(number):
            self.world.set_status(name, phase=phase, ready=False)

    @rule(number=st.integers(0, 9), ready=st.booleans())
    def change_readiness(self, number: int, ready: bool) -> None:
        name = self.one(number)
        if name and podfacts.phase(self.world.pod(name)) == "Running":
            self.world.set_status(name, ready=ready)

    @rule(seconds=st.sampled_from((0.004, 0.02, 0.5, 1.02, 3.0, 20.0)))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(seconds=st.sampled_from((0.0, 0.5, 5.0)))
    def restart_the_controller(self, seconds: float) -> None:
        self.controller.stop()
        self.world.run(seconds)
        self.controller.start()

    # in the end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.broken = ()
        for _ in range(40):
            for pod in self.world.pods():
                if not deleting(pod) and podfacts.phase(pod) in ("Pending", "Running") and not podfacts.ready(pod):
                    self.world.set_status(pod["metadata"]["name"], phase="Running", ready=True)
            self.world.run(6)
        assert not self.wrong, self.wrong
        stateful_set, pods, wanted = the_set(self.world), self.pods(), ordinals(the_set(self.world))
        assert sorted(pods) == list(wanted) and all(self.available(pod) for pod in pods.values())
        said = status(self.world)
        assert said["replicas"] == said.get("readyReplicas", 0) == said["availableReplicas"] == len(wanted)
        assert said["updateRevision"] == self.latest() and said["observedGeneration"] == stateful_set["metadata"]["generation"]
        current = [ordinal for ordinal, pod in pods.items() if pod["metadata"]["labels"][POD_LABEL] == self.latest()]
        assert said.get("updatedReplicas", 0) == len(current)
        strategy = stateful_set["spec"]["updateStrategy"]
        if strategy["type"] == "RollingUpdate":
            partition = strategy["rollingUpdate"].get("partition", 0)
            assert set(wanted[partition:]) <= set(current)
            assert len(current) < len(wanted) or said["currentRevision"] == said["updateRevision"]


def test_a_stateful_set_keeps_its_promises_whatever_happens_and_comes_to_rest_as_asked():
    run_state_machine_as_test(StatefulSetLife, settings=settings(
        max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]))
