"""Whatever is asked of the scheduler in whatever order: no node is ever overcommitted, what fits is placed in the end, and preemption
takes from no equal and no more than it must."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scheduler_plane import Plane

from server.cluster.errors import ApiError
from server.cluster.scheduler.framework import Placement
from server.cluster.scheduler.podinfo import PodInfo, demand

CLASSES = {"low": -10, "mid": 0, "high": 100}
HOST = "kubernetes.io/hostname"
FAST = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ACTS = st.lists(st.one_of(
    st.tuples(st.just("pod"), st.integers(1, 12), st.sampled_from(sorted(CLASSES)), st.sampled_from(["", "spread", "apart", "port", "gate"])),
    st.tuples(st.sampled_from(["delete", "finish", "ungate", "cordon", "uncordon", "grow", "shrink", "restart", "wait"]), st.integers(0, 20))),
    min_size=3, max_size=30)


class Watched(Plane):
    """Kills deleted pods after their grace period, and looks at every moment a pod gets its node or is preempted."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.made = 0
        for name, value in CLASSES.items():
            self.client.create("priorityclasses.scheduling.k8s.io", {"metadata": {"name": name}, "value": value})
        for number in range(3):
            self.node(f"n{number}", cpu="1", pods="4", labels={"zone": "ab"[number % 2]})
        self.api.watch("pods", self._on_pod)
        self.api.watch("events", self._on_event)
        self.broken: list[str] = []
        self.shrunk = False

    def _on_pod(self, event) -> None:
        pod, before = event.object, event.previous
        if event.type == "MODIFIED" and "deletionTimestamp" in pod["metadata"] and "deletionTimestamp" not in before["metadata"]:
            meta = pod["metadata"]
            self.clock.call_later(2, self._end, meta["name"], meta["uid"])
        if event.type != "DELETED" and pod["spec"].get("nodeName") and not (before and before["spec"].get("nodeName")):
            self._check(pod["spec"]["nodeName"])

    def _end(self, name: str, uid: str) -> None:
        try:
            self.client.delete("pods", "default", name, grace_period=0, uid=uid)
        except ApiError:
            return

    def _check(self, name: str) -> None:
        node = self.api.lister("nodes").get("", name)
        there = [pod for pod in self.api.lister("pods").by_node(name) if pod["status"].get("phase") not in ("Succeeded", "Failed")]
        used = sum(demand(pod["spec"]).cpu for pod in there)
        allocatable = node["status"]["allocatable"]
        if used > float(allocatable["cpu"].removesuffix("m")) * (1 if allocatable["cpu"].endswith("m") else 1000):
            self.broken.append(f"{name} has {used}m of {allocatable['cpu']}")
        if len(there) > int(allocatable["pods"]):
            self.broken.append(f"{name} has {len(there)} pods")
        ports = [port["hostPort"] for pod in there for c in pod["spec"]["containers"] for port in c.get("ports") or () if port.get("hostPort")]
        if len(ports) != len(set(ports)):
            self.broken.append(f"{name} has a port twice")

    def _on_event(self, event) -> None:
        told = event.object
        if event.type == "ADDED" and told["reason"] == "Preempted":
            victim, by = self.get(told["involvedObject"]["name"]), self.get(told["related"]["name"])
            if victim is not None and victim["spec"]["priority"] >= by["spec"]["priority"]:
                self.broken.append(f"{victim['metadata']['name']} gave way to its equal")

    def act(self, act: tuple) -> None:
        kind, number = act[0], act[1]
        pods = [pod["metadata"]["name"] for pod in self.api.lister("pods").list() if "deletionTimestamp" not in pod["metadata"]]
        name, node = pods[number % len(pods)] if pods else "", f"n{number % 3}"
        if kind == "pod":
            self.make(number, act[2], act[3])
        elif kind == "wait":
            self.settle(number)
        elif kind == "restart":
            self.scheduler.stop()
            self.scheduler.start()
        elif kind in ("cordon", "uncordon"):
            self.client.patch("nodes", "", node, {"spec": {"unschedulable": kind == "cordon"}})
        elif kind in ("grow", "shrink"):
            found = self.api.lister("nodes").get("", node)
            amounts = {**found["status"]["allocatable"], "cpu": "2" if kind == "grow" else "1"}
            self.client.update("nodes", {**found, "status": {**found["status"], "allocatable": amounts}}, "status")
        elif name and kind == "delete":
            self.client.delete("pods", "default", name)
        elif name and kind == "finish" and self.where(name):
            self.finish(name)
        elif name and kind == "ungate" and self.get(name)["spec"].get("schedulingGates"):
            self.client.patch("pods", "default", name, {"spec": {"schedulingGates": []}})

    def make(self, size: int, priority: str, kind: str) -> None:
        self.made += 1
        labels = {"matchLabels": {"kind": kind}}
        extra: dict = {
            "": {}, "gate": {"schedulingGates": [{"name": "example.com/wait"}]},
            "spread": {"topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": labels}]},
            "apart": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": HOST, "labelSelector": labels}]}}},
            "port": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 80}],
                                     "resources": {"requests": {"cpu": f"{size}00m"}}}]}}[kind]
        self.pod(f"p{self.made}", labels={"kind": kind} if kind else None, requests={"cpu": f"{size}00m"}, priorityClassName=priority,
                 terminationGracePeriodSeconds=2, **extra)


@FAST
@given(seed=st.integers(0, 5), acts=ACTS)
def test_no_node_is_overcommitted_at_any_moment_and_what_fits_is_placed(seed, acts):
    plane = Watched(seed)
    for act in acts:
        plane.act(act)
        plane.settle(0.05)
    plane.settle(700)
    assert plane.broken == []
    for pod in plane.api.lister("pods").list():
        if not pod["spec"].get("nodeName") and not pod["spec"].get("schedulingGates"):
            found = plane.scheduler.framework.place(PodInfo(pod))
            assert not isinstance(found, Placement), f"{pod['metadata']['name']} would fit {found.node.name}"
            assert any(entry["type"] == "PodScheduled" and entry["status"] == "False" for entry in pod["status"]["conditions"])


@FAST
@given(sizes=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["low", "mid", "high"])), min_size=1, max_size=8),
       wanted=st.integers(1, 12), priority=st.sampled_from(["mid", "high"]))
def test_preemption_takes_no_more_than_it_must(sizes, wanted, priority):
    plane = Watched()
    for size, cls in sizes:
        plane.make(size, cls, "")
        plane.settle(0.02)
    plane.settle(400)
    before = {pod["metadata"]["name"]: pod for pod in plane.api.lister("pods").list()}
    plane.make(wanted, priority, "")
    plane.settle(0.5)
    gone = [name for name, pod in before.items() if pod["spec"].get("nodeName")
            and (plane.get(name) is None or "deletionTimestamp" in plane.get(name)["metadata"])]
    assert plane.broken == []
    pod = plane.get(f"p{plane.made}")
    if pod["spec"].get("nodeName"):
        assert not gone
        return
    if gone:
        node = pod["status"]["nominatedNodeName"]
        assert {before[name]["spec"]["nodeName"] for name in gone} == {node}
        assert all(before[name]["spec"]["priority"] < CLASSES[priority] for name in gone)
        free = 1000 - sum(demand(other["spec"]).cpu for name, other in before.items()
                          if other["spec"].get("nodeName") == node and name not in gone)
        assert free >= wanted * 100
        for name in gone:
            assert free - demand(before[name]["spec"]).cpu < wanted * 100 or len(
                [other for other in before.values() if other["spec"].get("nodeName") == node]) - len(gone) + 1 >= 4
