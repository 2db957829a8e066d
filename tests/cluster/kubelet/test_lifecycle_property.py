"""Random pods and random interference: what must hold at every moment, whatever happens."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError
from server.cluster.machines import with_workers

NODE, LAG = "w1-k8s", 3.5
SCRIPTS = ("sleep 5", "sleep 5; exit 3", "exit 1", "sleep 1000", "trap 'exit 0' TERM; while true; do sleep 1; done",
           "sleep 12; exit 42")
probes = st.sampled_from([
    {}, {"readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 2}},
    {"livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 3, "failureThreshold": 2}},
    {"startupProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}, "livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 5}},
])
hooks = st.sampled_from([{}, {"lifecycle": {"preStop": {"sleep": {"seconds": 2}}}}, {"lifecycle": {"postStart": {"sleep": {"seconds": 2}}}},
                         {"lifecycle": {"postStart": {"exec": {"command": ["false"]}}}}])
rules = st.sampled_from([
    {}, {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]},
    {"restartPolicy": "OnFailure", "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42, 3]}}]}])
programs = st.one_of(st.just({"image": "nginx"}), st.builds(lambda script: {"image": "busybox", "command": ["sh", "-c", script]},
                                                           st.sampled_from(SCRIPTS)))
containers = st.builds(lambda *parts: {name: value for part in parts for name, value in part.items()}, programs, probes, hooks, rules)
sidecars = st.builds(lambda *parts: {**{name: value for part in parts for name, value in part.items()}, "restartPolicy": "Always"},
                     programs, probes, hooks)
inits = st.one_of(sidecars, st.builds(lambda script: {"image": "busybox", "command": ["sh", "-c", script]}, st.sampled_from(SCRIPTS[:3])))
pods = st.fixed_dictionaries({
    "containers": st.lists(containers, min_size=1, max_size=2), "initContainers": st.lists(inits, max_size=2),
    "restartPolicy": st.sampled_from(["Always", "OnFailure", "Never"]), "terminationGracePeriodSeconds": st.sampled_from([2, 5, 10])})


class Lifecycle(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.cluster = Cluster(seed=1, nodes=with_workers(1), system_pods=False)
        self.made = 0
        self.up = True
        self.counts, self.ended, self.deadlines = {}, {}, {}
        self.wrong = []
        self.connect()

    def connect(self):
        self.kubectl = self.cluster.client()
        self.cluster.api.watch("pods", self.note)

    def note(self, event):
        pod = event.object
        uid, status = pod["metadata"]["uid"], pod["status"]
        for field in ("initContainerStatuses", "containerStatuses"):
            for entry in status.get(field) or ():
                key = (uid, entry["name"])
                if entry["restartCount"] < self.counts.get(key, 0):
                    self.wrong.append(f"{key} went back to {entry['restartCount']}")
                self.counts[key] = entry["restartCount"]
        if uid in self.ended and event.type == "MODIFIED":
            if status["phase"] != self.ended[uid]:
                self.wrong.append(f"{uid} was {self.ended[uid]} and is {status['phase']}")
            if any("running" in entry["state"] for entry in status.get("containerStatuses") or ()):
                self.wrong.append(f"{uid} had ended and runs again")
        if status["phase"] in ("Succeeded", "Failed"):
            self.ended[uid] = status["phase"]
        if event.type == "DELETED":
            self.deadlines.pop(uid, None)

    def names(self):
        return [pod["metadata"]["name"] for pod in self.cluster.api.lister("pods").list("default")]

    @rule(spec=pods)
    def create(self, spec):
        self.made += 1
        named = {**spec, "nodeName": NODE}
        for field, prefix in (("containers", "c"), ("initContainers", "i")):
            named[field] = [{**entry, "name": f"{prefix}{number}"} for number, entry in enumerate(spec[field])]
        self.kubectl.create("pods", {"metadata": {"name": f"p{self.made}", "namespace": "default"}, "spec": named})

    @rule(seconds=st.sampled_from([0.003, 0.2, 1.0, 3.0, 8.0, 30.0, 400.0]))
    def run(self, seconds):
        self.cluster.clock.run_for(seconds)

    @precondition(lambda self: self.names())
    @rule(data=st.data(), grace=st.sampled_from([None, 0, 1, 4]))
    def delete(self, data, grace):
        name = data.draw(st.sampled_from(self.names()))
        pod = self.cluster.api.lister("pods").get("default", name)
        self.kubectl.delete("pods", "default", name, grace_period=grace)
        whole = grace if grace is not None else pod["spec"]["terminationGracePeriodSeconds"]
        sidecars = [entry for entry in pod["spec"].get("initContainers") or () if entry.get("restartPolicy") == "Always"]
        due = self.cluster.clock.now + max(whole, 2) + 2 * len(sidecars) + LAG
        self.deadlines[pod["metadata"]["uid"]] = min(due, self.deadlines.get(pod["metadata"]["uid"], due))
        if self.cluster.api.lister("pods").get("default", name) is None:
            self.deadlines.pop(pod["metadata"]["uid"], None)

    @precondition(lambda self: self.names())
    @rule(data=st.data(), container=st.sampled_from(["c0", "c1", "i0"]))
    def kill(self, data, container):
        self.cluster.kubelets.kill_container("default", data.draw(st.sampled_from(self.names())), container)

    @precondition(lambda self: self.names())
    @rule(data=st.data())
    def debug(self, data):
        name = data.draw(st.sampled_from(self.names()))
        try:
            self.kubectl.patch("pods", "default", name, {"spec": {"ephemeralContainers": [
                {"name": "debugger", "image": "busybox", "command": ["sleep", "20"]}]}}, "strategic", "ephemeralcontainers")
        except ApiError as fault:
            assert fault.code == 422

    @precondition(lambda self: self.up)
    @rule()
    def kubelet_stops(self):
        self.cluster.kubelets.stop_kubelet(NODE)
        self.up = False

    @precondition(lambda self: not self.up)
    @rule()
    def kubelet_starts(self):
        self.cluster.kubelets.start_kubelet(NODE)
        self.up = True
        self.deadlines = {uid: max(due, self.cluster.clock.now + 20 + LAG) for uid, due in self.deadlines.items()}

    @rule()
    def restore(self):
        self.cluster = Cluster.restore(self.cluster.snapshot())
        self.connect()

    @invariant()
    def nothing_went_wrong(self):
        assert not getattr(self, "wrong", [])

    @invariant()
    def grace_periods_are_honoured(self):
        if getattr(self, "up", False):
            late = {uid: due for uid, due in self.deadlines.items() if due < self.cluster.clock.now}
            assert not late

    @invariant()
    def no_container_outlives_its_pod(self):
        if getattr(self, "up", False):
            stored = {pod["metadata"]["uid"] for pod in self.cluster.api.lister("pods").list("default")}
            running = [sandbox.key for sandbox in self.cluster.kubelets.runtime._sandboxes.values()
                       if sandbox.uid not in stored and any(container.running for container in sandbox.containers.values())]
            kubelet = self.cluster.kubelets.nodes[NODE]
            assert not running or kubelet._queue

    def teardown(self):
        if not hasattr(self, "cluster"):
            return
        if not self.up:
            self.kubelet_starts()
        self.cluster.clock.run_for(5)
        for pod in self.cluster.api.lister("pods").list("default"):
            for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
                for entry in pod["status"].get(field) or ():
                    found = self.cluster.kubelets.runtime.container("default", pod["metadata"]["name"], entry["name"])
                    started = entry["state"].get("running", {}).get("startedAt")
                    worker = self.cluster.kubelets.worker("default", pod["metadata"]["name"])
                    if started and (found is None or not found.running) and not worker.cell(entry["name"]).again:
                        assert found is not None and self.cluster.clock.now - found.finished <= 1.1
        for name in self.names():
            self.kubectl.delete("pods", "default", name)
        self.cluster.clock.run_for(40)
        assert self.names() == [] and self.cluster.kubelets.nodes[NODE].used == (0, 0, 0)
        assert not [key for key, _ in self.cluster.store.state.items("pod/")]
        assert not self.wrong


Lifecycle.TestCase.settings = settings(max_examples=int(os.environ.get("PODIUM_EXAMPLES", "25")), stateful_step_count=25, deadline=None,
                                       suppress_health_check=list(HealthCheck))
TestLifecycle = Lifecycle.TestCase
