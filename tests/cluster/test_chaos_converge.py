"""Whatever goes wrong, in whatever order: once all is healed the cluster is what its objects ask for, and nothing is left over."""

from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.cluster.cluster import Cluster
from server.cluster.components import CONTROLLER_MANAGER, SCHEDULER
from server.cluster.errors import ApiError

NODES = ("m-k8s", "w1-k8s", "w2-k8s", "w3-k8s")
NODE_FAULTS = ("power", "network", "kubelet", "disk", "memory", "shutdown")
COMPONENTS = ("kube-apiserver", "etcd", SCHEDULER, CONTROLLER_MANAGER)
WAITS = st.sampled_from((0.001, 0.3, 1.0, 7.0, 20.0, 55.0, 130.0, 400.0))
WRITERS = ("replicaset-controller", "deployment-controller", "endpointslice-controller", "node-controller", "taint-eviction-controller")


@cache
def begun():
    cluster = Cluster(seed=3)
    cluster.client().create("deployments.apps", {"metadata": {"name": "web", "namespace": "default"}, "spec": {
        "replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
            "terminationGracePeriodSeconds": 5, "containers": [{"name": "c", "image": "nginx"}]}}}})
    cluster.clock.run_for(20)
    return cluster.snapshot()


class Faults(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.take(Cluster.restore(begun()))
        self.wanted = 4

    def take(self, cluster):
        self.cluster = cluster
        self.wrong = []
        cluster.store.watch(None, self.look)

    def look(self, event):
        """Nothing is written that could not be."""
        components, cause = self.cluster.components, event.cause
        if not components.serving() and cause.client != "etcd":
            self.wrong.append(("nobody can write now", cause, event.key))
        if cause.client in WRITERS and not components.healthy(CONTROLLER_MANAGER):
            self.wrong.append(("there is no controller manager", cause, event.key))
        if cause.verb == "bind" and not components.healthy(SCHEDULER):
            self.wrong.append(("there is no scheduler", cause, event.key))
        if cause.user.startswith("system:node:") and not self.cluster.kubelets.nodes[cause.user.removeprefix("system:node:")].alive:
            self.wrong.append(("this kubelet is dead", cause, event.key))

    @rule(fault=st.sampled_from(NODE_FAULTS), node=st.sampled_from(NODES))
    def strike(self, fault, node):
        self.cluster.chaos.inject(fault, node)

    @rule(component=st.sampled_from(COMPONENTS))
    def stop(self, component):
        self.cluster.chaos.inject("component", component)

    @rule(number=st.integers(0, 20))
    def heal(self, number):
        active = self.cluster.chaos.active()
        if active:
            self.cluster.chaos.heal(active[number % len(active)]["id"])

    @rule(seconds=WAITS)
    def wait(self, seconds):
        self.cluster.clock.run_for(seconds)

    @rule(replicas=st.integers(0, 6))
    def scale(self, replicas):
        try:
            self.cluster.client().patch("deployments.apps", "default", "web", {"spec": {"replicas": replicas}})
            self.wanted = replicas
        except ApiError as error:
            assert error.code in (500, 503) and not self.cluster.components.serving()

    @rule(number=st.integers(0, 20), force=st.booleans())
    def delete(self, number, force):
        pods = self.cluster.api.lister("pods").list("default")
        if pods:
            try:
                self.cluster.client().delete("pods", "default", pods[number % len(pods)]["metadata"]["name"], grace_period=0 if force else None)
            except ApiError as error:
                assert error.code in (404, 500, 503)

    @rule(node=st.sampled_from(NODES[1:]))
    def delete_node(self, node):
        try:
            self.cluster.client().delete("nodes", "", node)
        except ApiError as error:
            assert error.code in (404, 500, 503)

    @rule()
    def restart(self):
        self.take(Cluster.restore(self.cluster.snapshot()))

    @invariant()
    def nothing_was_written_that_could_not_be(self):
        assert self.wrong == []

    def teardown(self):
        cluster = self.cluster
        cluster.chaos.heal_all()
        for node in NODES:  # a kubelet that starts registers the Node that somebody deleted
            cluster.kubelets.stop_kubelet(node)
            cluster.clock.run_for(1)
            cluster.kubelets.start_kubelet(node)
        cluster.clock.run_for(1500)
        assert self.wrong == [] and cluster.chaos.active() == []
        nodes = {node["metadata"]["name"]: node for node in cluster.api.lister("nodes").list()}
        assert sorted(nodes) == sorted(NODES)
        for node in nodes.values():
            conditions = {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}
            assert conditions == {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}, conditions
            assert not [taint for taint in node["spec"].get("taints") or () if taint["key"].startswith("node.kubernetes.io/")]
        pods = cluster.api.lister("pods").list()
        assert not [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" in pod["metadata"]]
        mine = [pod for pod in pods if pod["metadata"]["namespace"] == "default" and pod["status"]["phase"] not in ("Failed", "Succeeded")]
        assert len(mine) == self.wanted and {pod["status"]["phase"] for pod in mine} <= {"Running"}
        assert all(entry["ready"] for pod in mine for entry in pod["status"]["containerStatuses"])
        assert (cluster.client().get("deployments.apps", "default", "web")["status"].get("readyReplicas") or 0) == self.wanted
        assert {node: set(kubelet.workers) for node, kubelet in cluster.kubelets.nodes.items()} == {
            node: {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in cluster.api.lister("pods").by_node(node)} for node in NODES}
        known = {pod["metadata"]["uid"] for pod in pods}
        assert {sandbox.uid for sandbox in cluster.kubelets.runtime._sandboxes.values()} <= known
        leased = {key.removeprefix("address/") for key, _ in cluster.store.state.items("address/")}
        assert leased == {pod["status"]["podIP"] for pod in pods if not pod["spec"].get("hostNetwork") and pod["status"].get("podIP")
                          and pod["status"]["phase"] == "Running"}
        for prefix in ("unheard/", "cut/", "power/", "agent/", "pressure/", "heartbeat/", "taint-eviction/", "pod-gc/", "shutdown/", "component/"):
            assert cluster.store.state.items(prefix) == [], prefix


TestFaults = Faults.TestCase
TestFaults.settings = settings(max_examples=25, stateful_step_count=14, deadline=None,
                               suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
