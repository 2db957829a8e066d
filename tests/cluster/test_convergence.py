"""Whatever is asked and whatever breaks, in whatever order: once all is healed the cluster comes to what its objects ask for.

A machine of random requests (workloads made, resized, changed, deleted in each way; pods deleted, evicted, relabelled), faults (containers
killed, nodes dark, components stopped, the process restored from its snapshot) and passing time. What must hold at every moment is looked
at whenever a pod changes; what must hold in the end, when everything works again and time has passed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from server.cluster import quantity
from server.cluster.apiserver.authorization import ADMIN
from server.cluster.apiserver.request import Request
from server.cluster.cluster import Cluster
from server.cluster.components import COMPONENTS
from server.cluster.controllers import podfacts
from server.cluster.errors import ApiError
from server.cluster.objects import Object, controller_of, deleting, labels
from server.cluster.selectors import from_object
from server.cluster.store import DELETED, Event

WORKLOADS = {"deployments.apps": "Deployment", "replicasets.apps": "ReplicaSet", "statefulsets.apps": "StatefulSet",
             "daemonsets.apps": "DaemonSet", "replicationcontrollers": "ReplicationController", "jobs.batch": "Job"}
OWNERS = {**{kind: resource for resource, kind in WORKLOADS.items()}, "CronJob": "cronjobs.batch"}
SIZED = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers")
NAMES, IMAGES = ("a", "b"), ("nginx", "nginx:1.27", "httpd", "nginx:1.200")
WORKERS = ("w1-k8s", "w2-k8s", "w3-k8s")
PATIENCE = 3600.0
REFUSALS = (404, 409, 422, 429, 500, 503, 504)
names, resources, workers = st.sampled_from(NAMES), st.sampled_from(sorted(WORKLOADS)), st.sampled_from(WORKERS)


def workload(resource: str, name: str, replicas: int, image: str) -> Object:
    """A workload of any kind, told apart by its labels."""
    own = {"app": name, "kind": WORKLOADS[resource]}
    container: Object = {"name": "main", "image": image, "resources": {"requests": {"cpu": "50m"}}}
    spec: Object = {"selector": {"matchLabels": own}, "template": {"metadata": {"labels": own}, "spec": {"containers": [container]}}}
    if resource in SIZED:
        spec["replicas"] = replicas
    if resource == "replicationcontrollers":
        spec["selector"] = own
    if resource == "statefulsets.apps":
        spec["serviceName"] = name
    if resource == "jobs.batch":
        container.update(image="busybox", command=["sh", "-c", "sleep 7"])
        spec["template"]["spec"]["restartPolicy"] = "Never"
        spec = {"completions": replicas, "parallelism": 2, "backoffLimit": 1000, "template": spec["template"]}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def static(pod: Object) -> bool:
    """The mirror of a static pod: its kubelet may run it again under the same uid."""
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


class Life(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.follow(Cluster(seed=seed))

    def follow(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.wrong: list[str] = []
        self.dark: set[str] = set()
        self.cut: set[str] = set()
        cluster.api.watch("pods", self.look)

    # at every moment

    def look(self, event: Event) -> None:
        pod, before = event.object, event.previous
        owners = [reference for reference in pod["metadata"].get("ownerReferences") or () if reference.get("controller")]
        if len(owners) > 1:
            self.wrong.append(f"{pod['metadata']['name']} has two controllers")
        if before is not None and event.type != DELETED:
            if before["spec"].get("nodeName") and before["spec"]["nodeName"] != pod["spec"].get("nodeName"):
                self.wrong.append(f"{pod['metadata']['name']} moved from node to node")
            was, now = (obj.get("status", {}).get("phase") for obj in (before, pod))
            if was in ("Succeeded", "Failed") and now != was and not static(pod):
                self.wrong.append(f"{pod['metadata']['name']} came back from {was} to {now}")
        if node := pod["spec"].get("nodeName"):
            self.look_at_node(node)

    def look_at_node(self, name: str) -> None:
        node = self.cluster.api.lister("nodes").get("", name)
        if node is None:
            return
        asked = sum(quantity.milli(((container.get("resources") or {}).get("requests") or {}).get("cpu", "0"))
                    for pod in self.cluster.api.lister("pods").by_node(name)
                    if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed") for container in pod["spec"]["containers"])
        if asked > quantity.milli(node["status"]["allocatable"]["cpu"]):
            self.wrong.append(f"{name} has promised {asked}m")

    # requests

    def ask(self, verb: str, *arguments: Any, **options: Any) -> None:
        """A client's request; refusals are answers too."""
        try:
            getattr(self.cluster.client(), verb)(*arguments, **options)
        except ApiError as error:
            assert error.code in REFUSALS, error

    @rule(resource=resources, name=names, replicas=st.integers(0, 4), image=st.sampled_from(IMAGES[:3]))
    def make(self, resource: str, name: str, replicas: int, image: str) -> None:
        self.ask("create", resource, workload(resource, name, replicas, image))

    @rule(resource=st.sampled_from(SIZED), name=names, replicas=st.integers(0, 6))
    def resize(self, resource: str, name: str, replicas: int) -> None:
        self.ask("patch", resource, "default", name, {"spec": {"replicas": replicas}}, "merge")

    @rule(resource=st.sampled_from(("deployments.apps", "statefulsets.apps", "daemonsets.apps")), name=names, image=st.sampled_from(IMAGES))
    def change(self, resource: str, name: str, image: str) -> None:
        self.ask("patch", resource, "default", name, {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}},
                 "strategic")

    @rule(resource=resources, name=names, propagation=st.sampled_from(("Background", "Foreground", "Orphan")))
    def remove(self, resource: str, name: str, propagation: str) -> None:
        self.ask("delete", resource, "default", name, propagation=propagation)

    @rule(resource=resources, name=names, least=st.integers(0, 3))
    def protect(self, resource: str, name: str, least: int) -> None:
        spec = {"minAvailable": least, "selector": {"matchLabels": {"app": name, "kind": WORKLOADS[resource]}}}
        self.ask("create", "poddisruptionbudgets.policy", {"metadata": {"name": f"{WORKLOADS[resource].lower()}-{name}", "namespace": "default"},
                                                           "spec": spec})

    @rule(number=st.integers(0, 50))
    def evict(self, number: int) -> None:
        """A ready pod goes only where its budget has some left."""
        if not (pod := self.pod(number)):
            return
        ready = podfacts.ready(pod) and not deleting(pod)
        budgets = [budget["status"].get("disruptionsAllowed", 0) for budget in self.cluster.api.lister("poddisruptionbudgets.policy").list()
                   if from_object(budget["spec"]["selector"]).matches(labels(pod))]
        eviction = {"metadata": {"name": pod["metadata"]["name"], "namespace": "default"}}
        try:
            self.cluster.api.request(Request("create", "pods", "default", pod["metadata"]["name"], "eviction", eviction, user=ADMIN))
        except ApiError as error:
            assert error.code in REFUSALS, error
        else:
            assert not ready or all(allowed > 0 for allowed in budgets), budgets

    def pod(self, number: int) -> Object | None:
        pods = self.cluster.api.lister("pods").list("default")
        return pods[number % len(pods)] if pods else None

    @rule(number=st.integers(0, 50), grace=st.sampled_from((None, 0)))
    def delete_pod(self, number: int, grace: int | None) -> None:
        if pod := self.pod(number):
            self.ask("delete", "pods", "default", pod["metadata"]["name"], grace_period=grace)

    @rule(number=st.integers(0, 50), back=st.booleans())
    def relabel(self, number: int, back: bool) -> None:
        if pod := self.pod(number):
            name = labels(pod).get("app", "a").removeprefix("other-")
            self.ask("patch", "pods", "default", pod["metadata"]["name"], {"metadata": {"labels": {"app": name if back else f"other-{name}"}}},
                     "merge")

    @rule(node=workers, taken=st.booleans())
    def cordon(self, node: str, taken: bool) -> None:
        self.ask("patch", "nodes", "", node, {"spec": {"unschedulable": taken or None}}, "merge")

    # faults

    @rule(number=st.integers(0, 50))
    def kill(self, number: int) -> None:
        if pod := self.pod(number):
            self.cluster.kubelets.kill_container("default", pod["metadata"]["name"], pod["spec"]["containers"][0]["name"])

    @precondition(lambda self: len(self.dark) < 2)
    @rule(node=workers)
    def power_cut(self, node: str) -> None:
        self.dark.add(node)
        self.cluster.kubelets.power_off(node)

    @precondition(lambda self: self.dark)
    @rule()
    def power_back(self) -> None:
        self.cluster.kubelets.power_on(min(self.dark))
        self.dark.discard(min(self.dark))

    @precondition(lambda self: len(self.cut) < 2)
    @rule(node=workers)
    def network_cut(self, node: str) -> None:
        self.cut.add(node)
        self.cluster.kubelets.cut_network(node)

    @precondition(lambda self: self.cut)
    @rule()
    def network_back(self) -> None:
        self.cluster.kubelets.heal_network(min(self.cut))
        self.cut.discard(min(self.cut))

    @rule(name=st.sampled_from(COMPONENTS))
    def stop_component(self, name: str) -> None:
        self.cluster.components.stop(name)

    @rule()
    def start_components(self) -> None:
        for name in COMPONENTS:
            self.cluster.components.begin(name)

    @rule()
    def restore(self) -> None:
        dark, cut = self.dark, self.cut
        self.check()
        self.follow(Cluster.restore(self.cluster.snapshot()))
        self.dark, self.cut = dark, cut

    @rule(seconds=st.sampled_from((0.02, 0.3, 2.0, 15.0, 100.0, 700.0)))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)
        self.check()

    def check(self) -> None:
        assert not self.wrong, self.wrong

    # in the end

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        self.start_components()
        while self.cut:
            self.network_back()
        while self.dark:
            self.power_back()
        self.cluster.clock.run_for(60)
        for node in WORKERS:
            self.cordon(node, False)
        for resource in ("deployments.apps", "statefulsets.apps", "daemonsets.apps"):
            for obj in self.cluster.api.lister(resource).list("default"):
                self.change(resource, obj["metadata"]["name"], "nginx")
        self.unstick()
        self.cluster.clock.run_for(PATIENCE)
        self.check()
        self.settled()

    def unstick(self) -> None:
        """A StatefulSet waits for a pod that cannot become ready until somebody deletes it: as the documentation tells one to."""
        for pod in self.cluster.api.lister("pods").list("default"):
            if any(container["image"] == "nginx:1.200" for container in pod["spec"]["containers"]):
                self.ask("delete", "pods", "default", pod["metadata"]["name"])

    def settled(self) -> None:
        lister = self.cluster.api.lister
        pods = lister("pods").list("default")
        assert not [pod["metadata"]["name"] for pod in pods if deleting(pod)]
        owned: Counter[tuple[str, str]] = Counter()
        for pod in pods:
            if (reference := controller_of(pod)) is None:
                continue
            owner = lister(OWNERS[reference["kind"]]).get("default", reference["name"])
            assert owner is not None and owner["metadata"]["uid"] == reference["uid"], f"{pod['metadata']['name']} is an orphan"
            if pod["status"]["phase"] not in ("Succeeded", "Failed"):
                owned[reference["kind"], reference["name"]] += 1
        for resource in SIZED:
            for obj in lister(resource).list("default"):
                self.sized(resource, obj, owned)
        for obj in lister("daemonsets.apps").list("default"):
            assert owned["DaemonSet", obj["metadata"]["name"]] == len(WORKERS) == obj["status"]["numberReady"], obj["status"]
        for obj in lister("jobs.batch").list("default"):
            assert obj["status"].get("succeeded", 0) == obj["spec"]["completions"], obj["status"]
            assert [entry["type"] for entry in obj["status"]["conditions"] if entry["status"] == "True"][-1] == "Complete"
        for pod in pods:
            assert not [name for name in pod["metadata"].get("finalizers") or () if name == "batch.kubernetes.io/job-tracking"]
        running = {container["containerID"].removeprefix("containerd://") for pod in lister("pods").list()
                   for container in pod["status"].get("containerStatuses") or () if "running" in container["state"]}
        sandboxes = self.cluster.kubelets.runtime._sandboxes.values()
        assert running == {container.id for sandbox in sandboxes for container in sandbox.containers.values() if container.running}

    def sized(self, resource: str, obj: Object, owned: Counter[tuple[str, str]]) -> None:
        name, wanted, status = obj["metadata"]["name"], obj["spec"]["replicas"], obj["status"]
        if resource == "deployments.apps":
            current = [one for one in self.cluster.api.lister("replicasets.apps").by_owner(obj["metadata"]["uid"]) if one["spec"]["replicas"]]
            assert sum(one["status"].get("readyReplicas", 0) for one in current) == wanted and len(current) <= 1, obj["status"]
            assert status.get("updatedReplicas", 0) == wanted
        else:
            assert owned[WORKLOADS[resource], name] == wanted, (resource, name, owned, wanted)
        assert status.get("readyReplicas", 0) == wanted, (resource, name, status)
        if resource in ("replicasets.apps", "deployments.apps"):
            selector = from_object(obj["spec"]["selector"])
            assert all(selector.matches(labels(pod)) for pod in self.cluster.api.lister("pods").by_owner(obj["metadata"]["uid"]))


def test_the_cluster_comes_to_what_is_asked() -> None:
    run_state_machine_as_test(Life, settings=settings(
        max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)))
