"""Whatever happens to a Job and its pods, nothing is counted twice, never too many pods run, and it ends once."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from job_world import JobWorld

from server.cluster.errors import ApiError
from server.cluster.objects import key, uid

TERMINAL = ("Complete", "Failed")


class JobMachine(RuleBasedStateMachine):
    """One Job under edits, deletions, lost nodes and restarts of the controllers. What really became of each pod is noted beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = JobWorld()
        self.world.ends = lambda pod: None
        self.watched = None
        self.allowed = 0

    @initialize(indexed=st.booleans(), completions=st.one_of(st.none(), st.integers(1, 6)), parallelism=st.integers(0, 4),
                backoff=st.integers(0, 4), per_index=st.booleans(), replacement=st.sampled_from(("TerminatingOrFailed", "Failed")),
                restart=st.sampled_from(("Never", "OnFailure")))
    def begin(self, indexed, completions, parallelism, backoff, per_index, replacement, restart) -> None:
        spec: dict = {"parallelism": parallelism, "podReplacementPolicy": replacement}
        if indexed:
            spec |= {"completionMode": "Indexed", "completions": completions or 2}
            spec |= {"backoffLimitPerIndex": min(backoff, 2)} if per_index else {"backoffLimit": backoff}
        else:
            spec |= {"backoffLimit": backoff}
            if completions is not None:
                spec["completions"] = completions
        self.ends: dict[str, str] = {}
        self.seen: dict[str, dict] = {}
        self.job = self.world.job(template={"spec": {"restartPolicy": restart, "containers": [{"name": "c", "image": "busybox"}]}}, **spec)
        self.allowed = parallelism
        self._watch()

    def _watch(self) -> None:
        self.world.api.watch("pods", self._note)

    def _note(self, event) -> None:
        pod = event.object
        self.seen[uid(pod)] = pod
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            self.ends.setdefault(uid(pod), pod["status"]["phase"])
        if event.type == "ADDED":
            running = self.world.pods("Pending", "Running") if self.job_spec()["podReplacementPolicy"] == "Failed" else self.world.active()
            others = [each for each in running if uid(each) != uid(pod)]
            assert len(others) + 1 <= self.job_spec()["parallelism"], "more pods than parallelism allows"

    def job_spec(self) -> dict:
        return self.world.get()["spec"]

    def over(self) -> bool:
        return any(kind in self.world.conditions() for kind in TERMINAL)

    # what happens

    @rule(seconds=st.sampled_from((0.2, 1.0, 3.0, 15.0)))
    def time_passes(self, seconds) -> None:
        self.world.run(seconds)

    @rule(code=st.sampled_from((0, 0, 1, 3)), which=st.integers(0, 9))
    def a_pod_ends(self, code, which) -> None:
        running = [pod for pod in self.world.pods("Running") if "deletionTimestamp" not in pod["metadata"]]
        if running:
            self.world.end(running[which % len(running)]["metadata"]["name"], code)

    @rule(which=st.integers(0, 9))
    def somebody_deletes_a_pod(self, which) -> None:
        pods = self.world.pods()
        if pods:
            self.world.kubectl.delete("pods", *key(pods[which % len(pods)]))

    @rule(which=st.integers(0, 9))
    def a_node_is_lost(self, which) -> None:
        """As the pod garbage collector does it: failed, and gone at once."""
        running = self.world.pods("Running")
        if running:
            pod = running[which % len(running)]
            self.world.set_status(pod["metadata"]["name"], phase="Failed", conditions=[
                {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC", "lastTransitionTime": self.world.clock.timestamp()}])
            self.world.kubectl.delete("pods", *key(pod), grace_period=0)

    @rule(parallelism=st.integers(0, 5))
    def parallelism_changes(self, parallelism) -> None:
        self.world.patch(parallelism=parallelism)

    @precondition(lambda self: self.job_spec().get("completionMode") == "Indexed" and not self.over())
    @rule(size=st.integers(1, 6))
    def the_whole_size_changes(self, size) -> None:
        self.world.patch(completions=size, parallelism=size)

    @rule(suspend=st.booleans())
    def it_is_suspended_or_resumed(self, suspend) -> None:
        self.world.patch(suspend=suspend)

    @rule(gap=st.sampled_from((0.0, 2.0)))
    def the_controllers_are_restarted(self, gap) -> None:
        for controller in self.world.controllers:
            controller.stop()
        self.world.run(gap)
        for controller in self.world.controllers:
            controller.start()

    @rule(left=st.integers(0, 6), restart=st.booleans(), seconds=st.sampled_from((0.5, 2.0)))
    def a_reconcile_is_cut_short(self, left, restart, seconds) -> None:
        """After so many more requests the controller gets no answer any more; perhaps it is then started again."""
        client = next(controller for controller in self.world.controllers if controller.name == "job-controller").client
        ask, budget = client._ask, [left]

        def failing(*args, **more):
            budget[0] -= 1
            if budget[0] < 0:
                raise ApiError(500, "InternalError", "etcd does not answer")
            return ask(*args, **more)

        client._ask = failing
        self.world.run(seconds)
        client._ask = ask
        if restart:
            self.the_controllers_are_restarted(0.0)

    @rule()
    def the_cluster_is_restored(self) -> None:
        self.world = self.world.restart()
        self._watch()

    # what must hold at any moment

    @invariant()
    def no_end_is_counted_twice(self) -> None:
        status, indexed = self.world.get().get("status") or {}, self.job_spec().get("completionMode") == "Indexed"
        succeeded = [uid(pod) for pod in self.seen.values() if self.ends.get(uid(pod)) == "Succeeded"]
        if indexed:
            done = {self.seen[each]["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for each in succeeded}
            assert status.get("succeeded", 0) <= len(done)
        else:
            assert status.get("succeeded", 0) <= len(succeeded)
        assert status.get("succeeded", 0) + status.get("failed", 0) <= len(self.seen)

    @invariant()
    def it_ends_in_one_way_only(self) -> None:
        kinds = self.world.conditions()
        assert not all(kind in kinds for kind in TERMINAL)
        assert not ("SuccessCriteriaMet" in kinds and "FailureTarget" in kinds)

    def teardown(self) -> None:
        """Left alone, with pods that succeed, every Job ends, and lets go of every pod."""
        if not self.seen and "job" not in self.__dict__:
            return
        world = self.world
        world.ends = lambda pod: 0
        try:
            world.patch(suspend=False, parallelism=max(1, self.job_spec()["parallelism"]))
        except ApiError:
            raise AssertionError("the Job could not be resumed") from None
        for _ in range(40):
            world.run(60)
            for pod in world.pods("Running"):
                if "deletionTimestamp" not in pod["metadata"]:
                    world.end(pod["metadata"]["name"], 0)
            if self.over() and not world.held():
                break
        world.run(60)
        assert self.over(), (world.status(), world.pods())
        assert world.held() == []
        assert world.active() == []
        status = world.status()
        assert not status.get("uncountedTerminatedPods") and not status.get("active") and not status.get("terminating")
        spec = self.job_spec()
        if "Complete" in world.conditions() and spec.get("completions") is not None:
            assert status["succeeded"] >= spec["completions"]
        ends = [event for event in world.events() if event[1] == "Completed" or event[0] == "Warning"]
        assert sum(count for *_, count in ends) <= 1, ends
        self.no_end_is_counted_twice()
        self.it_ends_in_one_way_only()
        assert world.parts.state.items("job-backoff/") == []


TestJobMachine = JobMachine.TestCase
TestJobMachine.settings = settings(max_examples=80, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
