"""Whatever is asked and whatever breaks, in whatever order: once all is healed the cluster comes to what its objects ask for.

A machine of random requests (workloads of every kind made, resized, changed, deleted in each way, with claims, Services, budgets and
autoscalers, in namespaces that come and go; pods deleted, evicted, relabelled), faults (all that chaos can do; machines that join, leave and
shrink; the process restored from its snapshot) and passing time. What must hold at every moment is looked at whenever a pod changes; what
must hold in the end, when everything works again and time has passed, is in ``convergence_world``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from server.cluster import quantity
from server.cluster.apiserver.authorization import ADMIN
from server.cluster.apiserver.request import Request
from server.cluster.cluster import Cluster
from server.cluster.components import COMPONENTS
from server.cluster.controllers import podfacts
from server.cluster.errors import ApiError
from server.cluster.machines import GIBI, workers
from server.cluster.objects import Object, deleting, labels
from server.cluster.selectors import from_object
from server.cluster.store import DELETED, Event
from tests.cluster.convergence_world import (
    AGREEMENTS,
    CLAIM,
    CRONJOBS,
    ENDED,
    FLAVOURS,
    HPA,
    LOCAL_PATH,
    PDB,
    SIZED,
    UPDATED,
    WORKERS,
    WORKLOADS,
    autoscaler,
    cron_job,
    differences,
    lone_pod,
    named,
    service,
    static,
    workload,
)

NAMES, IMAGES, SPACES = ("a", "b"), ("nginx", "nginx:1.27", "httpd", "nginx:1.200"), ("default", "default", "team")
NODE_FAULTS = ("power", "network", "kubelet", "disk", "memory", "shutdown")
EXTRA = workers(1, start=4)[0]
NODES = ("m-k8s", *WORKERS, EXTRA.name)
PATIENCE = 3600.0
REFUSALS = (403, 404, 409, 422, 429, 500, 503, 504)
names, resources, nodes, spaces = (st.sampled_from(values) for values in (NAMES, sorted(WORKLOADS), NODES, SPACES))
numbers = st.integers(0, 50)


@cache
def begun(seed: int) -> bytes:
    cluster = Cluster(seed=seed, metrics_server=True)
    cluster.client().create("storageclasses.storage.k8s.io", LOCAL_PATH)
    cluster.client().create("namespaces", {"metadata": {"name": "team"}})
    cluster.clock.run_for(30)
    return orjson.dumps(cluster.snapshot())


def act(**given: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that is written down when it is followed."""
    def noted(function: Callable[..., None]) -> Any:
        @wraps(function)
        def noting(self: Life, **chosen: Any) -> None:
            self.acts.append((function, chosen))
            function(self, **chosen)

        return rule(**given)(noting)

    return noted


class Life(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 5))
    def begin(self, seed: int) -> None:
        self.seed, self.acts = seed, []
        self.follow(Cluster.restore(orjson.loads(begun(seed))))

    def follow(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.wrong: list[str] = []
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
            if was in ENDED and now != was and not static(pod):
                self.wrong.append(f"{pod['metadata']['name']} came back from {was} to {now}")
            if deleting(before) and not deleting(pod):
                self.wrong.append(f"{pod['metadata']['name']} is not being deleted any more")
            for old, new in zip(before["status"].get("containerStatuses") or (), pod["status"].get("containerStatuses") or (), strict=False):
                if new["restartCount"] < old["restartCount"] and not static(pod):
                    self.wrong.append(f"{pod['metadata']['name']} has restarted {new['restartCount']} times after {old['restartCount']}")
        if (node := pod["spec"].get("nodeName")) and (before is None or not before["spec"].get("nodeName")):
            self.look_at_node(node)

    def look_at_node(self, name: str) -> None:
        node = self.cluster.api.lister("nodes").get("", name)
        if node is None:
            return
        asked = sum(quantity.milli(((container.get("resources") or {}).get("requests") or {}).get("cpu", "0"))
                    for pod in self.cluster.api.lister("pods").by_node(name)
                    if pod.get("status", {}).get("phase") not in ENDED for container in pod["spec"]["containers"])
        if asked > quantity.milli(node["status"]["allocatable"]["cpu"]):
            self.wrong.append(f"{name} has promised {asked}m")

    # requests

    def ask(self, verb: str, *arguments: Any, **options: Any) -> None:
        """A client's request; refusals are answers too."""
        try:
            getattr(self.cluster.client(), verb)(*arguments, **options)
        except ApiError as error:
            assert error.code in REFUSALS, error

    @act(resource=resources, space=spaces, name=names, replicas=st.integers(0, 4), image=st.sampled_from(IMAGES[:3]),
          flavour=st.sampled_from(sorted(FLAVOURS)), claims=st.booleans())
    def make(self, resource: str, space: str, name: str, replicas: int, image: str, flavour: str, claims: bool) -> None:
        self.ask("create", resource, workload(resource, space, name, replicas, image, flavour, claims))

    @act(resource=st.sampled_from(SIZED), space=spaces, name=names, replicas=st.integers(0, 6))
    def resize(self, resource: str, space: str, name: str, replicas: int) -> None:
        self.ask("patch", resource, space, name, {"spec": {"replicas": replicas}}, "merge")

    @act(resource=st.sampled_from(UPDATED), space=spaces, name=names, image=st.sampled_from(IMAGES))
    def change(self, resource: str, space: str, name: str, image: str) -> None:
        self.ask("patch", resource, space, name, {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}, "strategic")

    @act(resource=st.sampled_from((*sorted(WORKLOADS), CRONJOBS, HPA, "services", "persistentvolumeclaims")), space=spaces, name=names,
          propagation=st.sampled_from(("Background", "Foreground", "Orphan")))
    def remove(self, resource: str, space: str, name: str, propagation: str) -> None:
        self.ask("delete", resource, space, name, propagation=propagation)

    @act(space=spaces, name=names, policy=st.sampled_from(("Allow", "Forbid", "Replace")))
    def schedule(self, space: str, name: str, policy: str) -> None:
        self.ask("create", CRONJOBS, cron_job(space, name, policy))

    @act(space=spaces, name=names)
    def lone(self, space: str, name: str) -> None:
        self.ask("create", "persistentvolumeclaims", named(name, space, CLAIM))
        self.ask("create", "pods", lone_pod(space, f"lone-{name}", name))

    @act(space=spaces, name=names)
    def expose(self, space: str, name: str) -> None:
        self.ask("create", "services", service(space, name))

    @act(space=spaces, name=names, least=st.integers(1, 2), more=st.integers(0, 2))
    def autoscale(self, space: str, name: str, least: int, more: int) -> None:
        self.ask("create", HPA, autoscaler(space, name, least, least + more))

    @act(resource=resources, space=spaces, name=names, least=st.integers(0, 3))
    def protect(self, resource: str, space: str, name: str, least: int) -> None:
        spec = {"minAvailable": least, "selector": {"matchLabels": {"app": name, "kind": WORKLOADS[resource]}}}
        self.ask("create", PDB, named(f"{WORKLOADS[resource].lower()}-{name}", space, spec))

    @act(there=st.booleans())
    def namespace(self, there: bool) -> None:
        if there:
            self.ask("create", "namespaces", {"metadata": {"name": "team"}})
        else:
            self.ask("delete", "namespaces", "", "team")

    @act(number=numbers)
    def evict(self, number: int) -> None:
        """A ready pod goes only where its budget has some left."""
        if not (pod := self.pod(number)):
            return
        ready = podfacts.ready(pod) and not deleting(pod)
        meta = pod["metadata"]
        budgets = [budget["status"].get("disruptionsAllowed", 0) for budget in self.cluster.api.lister(PDB).list(meta["namespace"])
                   if from_object(budget["spec"]["selector"]).matches(labels(pod))]
        eviction = {"metadata": {"name": meta["name"], "namespace": meta["namespace"]}}
        try:
            self.cluster.api.request(Request("create", "pods", meta["namespace"], meta["name"], "eviction", eviction, user=ADMIN))
        except ApiError as error:
            assert error.code in REFUSALS, error
        else:
            assert not ready or all(allowed > 0 for allowed in budgets), budgets

    def pod(self, number: int) -> Object | None:
        pods = [pod for pod in self.cluster.api.lister("pods").list() if pod["metadata"]["namespace"] in SPACES]
        return pods[number % len(pods)] if pods else None

    @act(number=numbers, grace=st.sampled_from((None, 0)))
    def delete_pod(self, number: int, grace: int | None) -> None:
        if pod := self.pod(number):
            self.ask("delete", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], grace_period=grace)

    @act(number=numbers, back=st.booleans())
    def relabel(self, number: int, back: bool) -> None:
        if pod := self.pod(number):
            name = labels(pod).get("app", "a").removeprefix("other-")
            self.ask("patch", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"],
                     {"metadata": {"labels": {"app": name if back else f"other-{name}"}}}, "merge")

    @act(node=st.sampled_from(WORKERS), taken=st.booleans())
    def cordon(self, node: str, taken: bool) -> None:
        self.ask("patch", "nodes", "", node, {"spec": {"unschedulable": taken or None}}, "merge")

    # faults

    def strike(self, fault: str, target: str, **params: Any) -> None:
        try:
            self.cluster.chaos.inject(fault, target, **params)
        except ValueError:
            return  # there is no such pod, container or machine now

    @act(number=numbers, code=st.sampled_from((0, 1, 137)))
    def kill(self, number: int, code: int) -> None:
        if pod := self.pod(number):
            self.strike("kill", f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", code=code)

    @act(number=numbers, probe=st.sampled_from(("liveness", "readiness", "startup")))
    def fail_probe(self, number: int, probe: str) -> None:
        if pod := self.pod(number):
            self.strike("probe", f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", probe=probe)

    @act(node=nodes, fault=st.sampled_from(NODE_FAULTS))
    def break_node(self, node: str, fault: str) -> None:
        self.strike(fault, node, **({"grace": 20} if fault == "shutdown" else {}))

    @act(pattern=st.sampled_from(("*", "nginx")), fault=st.sampled_from(("image", "slow")))
    def break_registry(self, pattern: str, fault: str) -> None:
        self.strike(fault, pattern)

    @act(name=st.sampled_from(COMPONENTS))
    def stop_component(self, name: str) -> None:
        self.strike("component", name)

    @act(number=numbers)
    def heal(self, number: int) -> None:
        if active := self.cluster.chaos.active():
            self.cluster.chaos.heal(active[number % len(active)]["id"])

    @act(there=st.booleans(), told=st.booleans())
    def machine(self, there: bool, told: bool) -> None:
        """One more joins, or leaves; then its Node is deleted at once or not."""
        if there and EXTRA.name not in self.cluster.kubelets.nodes:
            self.cluster.add_node(EXTRA)
        elif not there and EXTRA.name in self.cluster.kubelets.nodes:
            self.cluster.kubelets.remove_node(EXTRA.name)
            self.cluster.chaos.forget(f"Node//{EXTRA.name}")
        if told:
            self.ask("delete", "nodes", "", EXTRA.name)

    @act(node=st.sampled_from(WORKERS), cpu=st.sampled_from((1, 2)), memory=st.sampled_from((1, 4)), most=st.sampled_from((8, 110)))
    def resize_machine(self, node: str, cpu: int, memory: int, most: int) -> None:
        self.cluster.kubelets.resize(node, cpu=cpu, memory=memory * GIBI, max_pods=most)

    @act(node=nodes)
    def delete_node(self, node: str) -> None:
        self.ask("delete", "nodes", "", node)

    @act()
    def restore(self) -> None:
        self.check()
        self.follow(Cluster.restore(orjson.loads(orjson.dumps(self.cluster.snapshot()))))

    @act(seconds=st.sampled_from((0.02, 0.3, 2.0, 15.0, 100.0, 700.0)))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.run_for(seconds)
        self.check()

    def check(self) -> None:
        assert not self.wrong, self.wrong

    # in the end

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        if self.seed == 0:
            self.again()
        self.mend()
        self.cluster.clock.run_for(PATIENCE)
        self.check()
        for agree in AGREEMENTS:
            agree(self.cluster)
        self.goes_on()

    def again(self) -> None:
        """Whoever does the same from the same beginning comes to the same bytes."""
        twin = Life()
        twin.begin(self.seed)
        for function, chosen in self.acts:
            function(twin, **chosen)
        mine, its = (orjson.dumps(life.cluster.snapshot()) for life in (self, twin))
        assert its == mine, differences(orjson.loads(its), orjson.loads(mine))[:9]

    def mend(self) -> None:
        """What an administrator does: faults are healed, machines are as they were, every Node is registered, no image is missing."""
        kubelets = self.cluster.kubelets
        self.cluster.chaos.heal_all()
        self.cluster.clock.run_for(60)
        for node in list(kubelets.nodes):
            kubelets.resize(node, cpu=2, memory=4 * GIBI, max_pods=110)
            kubelets.stop_kubelet(node)
            kubelets.start_kubelet(node)
        if EXTRA.name not in kubelets.nodes:
            self.ask("delete", "nodes", "", EXTRA.name)
        for node in WORKERS:
            self.cordon(node=node, taken=False)
        for resource in UPDATED:
            for obj in self.cluster.api.lister(resource).list():
                if obj["metadata"]["namespace"] in SPACES:
                    self.change(resource=resource, space=obj["metadata"]["namespace"], name=obj["metadata"]["name"], image="nginx")
        self.unstick()

    def unstick(self) -> None:
        """A StatefulSet waits for a pod that cannot become ready until somebody deletes it: as the documentation tells one to."""
        for pod in self.cluster.api.lister("pods").list():
            if any(container["image"] == "nginx:1.200" for container in pod["spec"]["containers"]):
                self.ask("delete", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def goes_on(self) -> None:
        """Nothing is left to be done, and a copy goes on to the same bytes."""
        self.hush()
        self.cluster.clock.run_for(30)
        copy = Cluster.restore(orjson.loads(orjson.dumps(self.cluster.snapshot())))
        for cluster in (self.cluster, copy):
            cluster.client().create("deployments.apps", workload("deployments.apps", "default", "last", 3, "nginx"))
            cluster.clock.run_for(20)
            cluster.client().delete("deployments.apps", "default", "last")
            cluster.clock.run_for(400)
            for field, _ in cluster.store.state.items("autoscaler/"):
                cluster.store.state.set(field, None)  # it is forgotten at the next look only, even when it does not matter any more
        mine, its = (orjson.dumps(cluster.snapshot()) for cluster in (self.cluster, copy))
        assert its == mine, differences(orjson.loads(its), orjson.loads(mine))[:9]

    def hush(self) -> None:
        """What works on, or says at each start of its controller what it lacks, is taken away."""
        client, lister = self.cluster.client(), self.cluster.api.lister
        for obj in lister(CRONJOBS).list():
            client.patch(CRONJOBS, obj["metadata"]["namespace"], obj["metadata"]["name"], {"spec": {"suspend": True}}, "merge")
        for obj in lister(HPA).list():
            if lister("deployments.apps").get(obj["metadata"]["namespace"], obj["metadata"]["name"]) is None:
                client.delete(HPA, obj["metadata"]["namespace"], obj["metadata"]["name"])
        for obj in lister(PDB).list():
            if not obj["status"]["expectedPods"]:
                client.delete(PDB, obj["metadata"]["namespace"], obj["metadata"]["name"])
        for obj in lister("persistentvolumeclaims").list():
            if obj["status"]["phase"] == "Pending":
                client.delete("persistentvolumeclaims", obj["metadata"]["namespace"], obj["metadata"]["name"])


def test_the_cluster_comes_to_what_is_asked() -> None:
    run_state_machine_as_test(Life, settings=settings(
        max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)))
