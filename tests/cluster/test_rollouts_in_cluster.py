"""While nothing is broken, a rollout keeps its bounds at every moment, and a drain those of the budgets.

A whole cluster with a Deployment, a StatefulSet and a DaemonSet whose images are changed in the middle of anything, also to one that does
not exist; the process is restored; nodes are drained with kubectl. Looked at whenever a pod changes: how many there are, how many can serve.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from server.cluster.cluster import Cluster
from server.cluster.controllers import podfacts
from server.cluster.controllers.rollout import max_surge, max_unavailable
from server.cluster.objects import Object, deleting, labels
from server.cluster.store import Event
from tests.cluster.convergence_world import ENDED, FLAVOURS, PDB, UPDATED, WORKERS, named, workload
from tests.kubectl.terminal import Terminal

GOOD, BROKEN = ("nginx", "nginx:1.27", "nginx:1.26", "httpd"), "nginx:1.200"
LEAST = 2
DEPLOYMENT, STATEFUL_SET, DAEMON_SET = UPDATED
KINDS = {"Deployment": DEPLOYMENT, "StatefulSet": STATEFUL_SET, "DaemonSet": DAEMON_SET}


@cache
def begun() -> bytes:
    return orjson.dumps(Cluster(seed=8).snapshot())


class Rollouts(RuleBasedStateMachine):
    @initialize(surge=st.sampled_from((0, 1, "25%", "100%")), unavailable=st.sampled_from((0, 1, "50%")), order=st.booleans(),
                surging=st.booleans(), flavour=st.sampled_from(("plain", "hooked", "probed", "slow")), ready_for=st.sampled_from((0, 6)))
    def begin(self, surge: Any, unavailable: Any, order: bool, surging: bool, flavour: str, ready_for: int) -> None:
        cluster = Cluster.restore(orjson.loads(begun()))
        client = cluster.client()
        if not surge and not unavailable:
            surge = 1
        strategies = {
            DEPLOYMENT: {"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}},
            STATEFUL_SET: {"podManagementPolicy": "OrderedReady" if order else "Parallel"},
            DAEMON_SET: {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0} if surging else {"maxUnavailable": 1}}}}
        for resource in UPDATED:
            made = workload(resource, "default", "web", 4, "nginx", flavour if flavour in FLAVOURS else "plain")
            client.create(resource, {**made, "spec": {**made["spec"], **strategies[resource], "minReadySeconds": ready_for}})
        client.create(PDB, named("web", "default", {"minAvailable": LEAST, "selector": {"matchLabels": {"app": "web", "kind": "Deployment"}}}))
        cluster.clock.run_for(200)
        self.surging, self.disturbed, self.draining = surging, False, False
        self.follow(cluster)

    def follow(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.wrong: list[str] = []
        cluster.api.watch("pods", self.look)
        self.look_at_all()
        assert not self.wrong, self.wrong

    # at every moment

    def look(self, event: Event) -> None:
        if event.object["metadata"]["namespace"] == "default":
            self.look_at_all()

    def look_at_all(self) -> None:
        pods: dict[str, list[Object]] = {kind: [] for kind in KINDS}
        for pod in self.cluster.api.lister("pods").list("default"):
            if not deleting(pod) and pod["status"].get("phase") not in ENDED:
                pods[labels(pod)["kind"]].append(pod)
        ready = {kind: sum(podfacts.ready(pod) for pod in found) for kind, found in pods.items()}
        deployment, stateful_set, _ = (self.cluster.api.lister(resource).get("default", "web") for resource in UPDATED)
        surge, unavailable = max_surge(deployment), max_unavailable(deployment)
        self.must(not self.draining or ready["Deployment"] >= LEAST, f"the drain leaves {ready['Deployment']}")
        if self.disturbed:
            return
        wanted = deployment["spec"]["replicas"]
        self.must(len(pods["Deployment"]) <= wanted + surge, f"{len(pods['Deployment'])} pods of a Deployment of {wanted} and {surge}")
        self.must(ready["Deployment"] >= wanted - unavailable, f"{ready['Deployment']} ready pods of a Deployment of {wanted} less {unavailable}")
        self.must(ready["StatefulSet"] >= stateful_set["spec"]["replicas"] - 1, f"{ready['StatefulSet']} ready pods of a StatefulSet")
        serving = {pod["spec"]["nodeName"] for pod in pods["DaemonSet"] if podfacts.ready(pod)}
        self.must(len(serving) >= len(WORKERS) - (not self.surging), f"a DaemonSet serves only on {sorted(serving)}")
        self.must(len(pods["DaemonSet"]) <= len(WORKERS) * (1 + self.surging), f"{len(pods['DaemonSet'])} pods of a DaemonSet")

    def must(self, so: bool, otherwise: str) -> None:
        if not so:
            self.wrong.append(f"{self.cluster.clock.now:.2f}: {otherwise}")

    def check(self) -> None:
        assert not self.wrong, self.wrong[:5]

    # what happens

    @rule(resource=st.sampled_from(UPDATED), image=st.sampled_from((*GOOD, BROKEN)))
    def change(self, resource: str, image: str) -> None:
        self.cluster.client().patch(resource, "default", "web", {"spec": {"template": {"spec": {"containers": [
            {"name": "main", "image": image}]}}}}, "strategic")

    @rule(seconds=st.sampled_from((0.02, 0.5, 3.0, 12.0, 60.0)))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)
        self.check()

    @rule()
    def restore(self) -> None:
        self.check()
        self.follow(Cluster.restore(orjson.loads(orjson.dumps(self.cluster.snapshot()))))

    @rule(replicas=st.integers(LEAST + 1, 6))
    def resize(self, replicas: int) -> None:
        self.settle()
        self.disturbed = True
        for resource in (DEPLOYMENT, STATEFUL_SET):
            self.cluster.client().patch(resource, "default", "web", {"spec": {"replicas": replicas}}, "merge")
        self.settle()

    @rule(node=st.sampled_from(WORKERS))
    def drain(self, node: str) -> None:
        self.settle()
        self.disturbed = self.draining = True
        result = Terminal(self.cluster).run(f"kubectl drain {node} --ignore-daemonsets --timeout=600s")
        assert result.code == 0 and result.stdout.endswith(f"node/{node} drained\n"), result
        assert {labels(pod)["kind"] for pod in self.cluster.api.lister("pods").by_node(node) if pod["metadata"]["namespace"] == "default"} == {
            "DaemonSet"}
        self.check()
        Terminal(self.cluster).run(f"kubectl uncordon {node}")
        self.settle()

    def settle(self) -> None:
        """Every rollout ends well."""
        for resource in UPDATED:
            self.change(resource, GOOD[0])
        broken = [pod["metadata"]["name"] for pod in self.cluster.api.lister("pods").list("default")
                  if pod["spec"]["containers"][0]["image"] == BROKEN and labels(pod)["kind"] == "StatefulSet"]
        for name in broken:
            self.cluster.client().delete("pods", "default", name)
        self.cluster.clock.run_for(300)
        self.check()
        self.disturbed = self.draining = False
        self.look_at_all()
        self.check()

    def teardown(self) -> None:
        if hasattr(self, "cluster"):
            self.check()
            self.settle()
            for resource in UPDATED:
                status = self.cluster.api.lister(resource).get("default", "web")["status"]
                updated = status.get("updatedReplicas", status.get("updatedNumberScheduled"))
                assert updated == status.get("readyReplicas", status.get("numberReady")), status


def test_a_rollout_keeps_its_bounds_and_a_drain_the_budgets() -> None:
    run_state_machine_as_test(Rollouts, settings=settings(
        max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)))
