"""Chaos: each fault does what it says, its end undoes it, and a restart changes nothing of that."""

import pytest

from server.cluster.apiserver.authorization import ADMIN
from server.cluster.apiserver.request import Options, Request
from server.cluster.chaos import FAULTS, LOGGED, MOST_ACTIVE
from server.cluster.cluster import Cluster
from server.cluster.components import COMPONENTS
from server.cluster.errors import ApiError
from server.cluster.machines import with_workers
from server.cluster.network.source import in_pod
from server.live import inspect

LEASES = "leases.coordination.k8s.io"


class World:
    """A whole cluster with a Deployment in it, and short ways to look at it."""

    def __init__(self, cluster=None):
        self.cluster = cluster or Cluster(seed=1)
        self.kubectl = self.cluster.client()
        self.chaos = self.cluster.chaos

    def run(self, seconds):
        self.cluster.clock.run_for(seconds)
        return self

    def deploy(self, name="web", replicas=3, image="nginx", **container):
        labels = {"app": name}
        self.kubectl.create("deployments.apps", {"metadata": {"name": name, "namespace": "default"}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image, **container}]}}}})
        return self

    def lister(self, resource):
        return self.cluster.api.lister(resource)

    def pods(self, namespace="default"):
        return self.lister("pods").list(namespace)

    def pod(self, name, *containers, **spec):
        self.kubectl.create("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": list(containers), **spec}})
        return self

    def get(self, name):
        return self.lister("pods").get("default", name)

    def node(self, name):
        return self.lister("nodes").get("", name)

    def conditions(self, name):
        return {entry["type"]: entry["status"] for entry in self.node(name)["status"]["conditions"]}

    def taints(self, name):
        return [taint["key"].removeprefix("node.kubernetes.io/") + ":" + taint["effect"] for taint in self.node(name)["spec"].get("taints") or ()]

    def events(self, name):
        return [(event["reason"], event["message"]) for event in self.lister("events").list() if event["involvedObject"]["name"] == name]

    def running(self):
        return [pod for pod in self.pods() if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]]

    def restarted(self):
        return World(Cluster.restore(self.cluster.snapshot()))

    def holder(self, name):
        return self.kubectl.get(LEASES, "kube-system", name)["spec"]["holderIdentity"]


@pytest.fixture
def world():
    return World()


# components


def test_without_the_scheduler_new_pods_stay_pending_until_it_is_back(world):
    fault = world.chaos.inject("component", "kube-scheduler")
    world.deploy().run(120)
    assert {pod["status"]["phase"] for pod in world.pods()} == {"Pending"} and len(world.pods()) == 3
    assert not any(pod["spec"].get("nodeName") for pod in world.pods())
    assert world.lister("pods").get("kube-system", "kube-scheduler-m-k8s") is None
    assert world.holder("kube-scheduler") == "", "a scheduler that is stopped in order gives its Lease back"
    world.chaos.heal(fault["id"])
    world.run(20)
    assert len(world.running()) == 3 and world.holder("kube-scheduler").startswith("m-k8s_")
    assert world.lister("pods").get("kube-system", "kube-scheduler-m-k8s")["status"]["phase"] == "Running"


def test_without_the_controller_manager_nothing_heals_and_nobody_misses_a_node(world):
    world.deploy().run(30)
    world.chaos.inject("component", "kube-controller-manager")
    world.run(1)
    lost = world.running()[0]
    world.kubectl.delete("pods", "default", lost["metadata"]["name"], grace_period=0)
    world.chaos.inject("power", "w3-k8s")
    world.run(600)
    assert len(world.pods()) == 2 and world.conditions("w3-k8s")["Ready"] == "True"
    world.chaos.heal(world.chaos.active()[0]["id"])
    back = world.cluster.clock.now
    world.run(40)
    assert len(world.pods()) == 3, "it makes up for what it missed"
    assert world.conditions("w3-k8s")["Ready"] == "True", "a controller manager that comes new gives every node the grace period"
    world.run(back + 17 + 51 - world.cluster.clock.now)
    assert world.conditions("w3-k8s")["Ready"] == "Unknown"


def test_a_new_leader_waits_until_the_lease_of_the_old_one_has_run_out(world):
    before = world.holder("kube-controller-manager")
    fault = world.chaos.inject("component", "kube-controller-manager")
    world.run(5)
    world.chaos.heal(fault["id"])
    world.deploy().run(15)
    assert world.pods() == [] and world.holder("kube-controller-manager") == before
    world.run(5)
    assert len(world.pods()) == 3 and world.holder("kube-controller-manager") != before
    assert world.kubectl.get(LEASES, "kube-system", "kube-controller-manager")["spec"]["leaseTransitions"] == 1


def test_leases_of_leaders_are_renewed_every_two_seconds_without_a_write(world):
    revision = world.cluster.store.revision
    world.run(1001)
    lease = world.kubectl.get(LEASES, "kube-system", "kube-scheduler")
    assert 0 <= world.cluster.clock.now - world.cluster.clock.seconds(lease["spec"]["renewTime"]) <= 2
    assert world.cluster.store.revision == revision


def test_the_api_server_has_a_lease_of_its_own(world):
    leases = [lease for lease in world.kubectl.list(LEASES, "kube-system") if lease["metadata"]["name"].startswith("apiserver-")]
    assert len(leases) == 1 and leases[0]["spec"]["holderIdentity"].startswith(leases[0]["metadata"]["name"] + "_")
    world.kubectl.delete(LEASES, "kube-system", leases[0]["metadata"]["name"])
    world.run(15)
    again = world.kubectl.get(LEASES, "kube-system", leases[0]["metadata"]["name"])
    assert 0 <= world.cluster.clock.now - world.cluster.clock.seconds(again["spec"]["renewTime"]) <= 10


def test_a_deleted_lease_comes_back(world):
    world.kubectl.delete(LEASES, "kube-system", "kube-scheduler")
    world.kubectl.delete(LEASES, "kube-node-lease", "w1-k8s")
    world.run(11)
    assert world.holder("kube-scheduler") and world.kubectl.get(LEASES, "kube-node-lease", "w1-k8s")["spec"]["holderIdentity"] == "w1-k8s"


def test_without_the_api_server_clients_are_refused_watches_end_and_containers_run_on(world):
    world.deploy().run(30)
    name = world.running()[0]["metadata"]["name"]
    stream = world.cluster.api.request(Request("watch", "pods", "default", user=ADMIN)).stream
    fault = world.chaos.inject("component", "kube-apiserver")
    with pytest.raises(ApiError, match="The connection to the server 192.168.1.10:6443 was refused - did you specify the right host or port?"):
        world.kubectl.list("pods", "default")
    assert stream.closed
    revision = world.cluster.store.revision
    assert world.cluster.kubelets.kill_container("default", name, "c")
    world.run(60)
    assert world.cluster.store.revision == revision, "nobody can write"
    assert world.cluster.kubelets.runtime.listening(world.get(name), 80), "its kubelet has started it again all the same"
    world.chaos.heal(fault["id"])
    world.run(5)
    assert world.get(name)["status"]["containerStatuses"][0]["restartCount"] == 1


def test_after_a_long_outage_scheduler_and_controllers_lead_anew_and_no_node_is_given_up(world):
    world.deploy().run(30)
    fault = world.chaos.inject("component", "kube-apiserver")
    world.run(600)
    world.chaos.heal(fault["id"])
    world.run(1)
    world.kubectl.patch("deployments.apps", "default", "web", {"spec": {"replicas": 5}})
    world.run(10)
    assert len(world.pods()) == 3
    world.run(60)
    assert len(world.running()) == 5 and all(world.conditions(name)["Ready"] == "True" for name in ("w1-k8s", "w2-k8s", "w3-k8s"))


def test_a_short_outage_ends_no_term(world):
    before = world.holder("kube-scheduler")
    fault = world.chaos.inject("component", "kube-apiserver")
    world.run(8)
    world.chaos.heal(fault["id"])
    world.deploy().run(10)
    assert len(world.running()) == 3 and world.holder("kube-scheduler") == before


def test_without_etcd_the_api_server_times_out_but_answers_from_its_cache(world):
    world.deploy().run(30)
    fault = world.chaos.inject("component", "etcd")
    for ask in (lambda: world.kubectl.list("pods", "default"), lambda: world.kubectl.delete("pods", "default", "x")):
        with pytest.raises(ApiError, match="etcdserver: request timed out"):
            ask()
    cached = world.cluster.api.request(Request("list", "pods", "default", user=ADMIN, options=Options(resource_version="0"))).object
    assert len(cached["items"]) == 3
    statuses = {entry["metadata"]["name"]: entry["conditions"][0]["status"] for entry in world.kubectl.list("componentstatuses")}
    assert statuses == {"scheduler": "True", "controller-manager": "True", "etcd-0": "False"}
    world.chaos.heal(fault["id"])
    assert len(world.kubectl.list("pods", "default")) == 3


def test_events_do_not_expire_while_there_is_no_etcd(world):
    world.deploy().run(30)
    count = len(world.lister("events"))
    fault = world.chaos.inject("component", "etcd")
    world.run(4000)
    assert len(world.lister("events")) == count
    world.chaos.heal(fault["id"])
    world.run(60)
    assert not any(event["reason"] == "Scheduled" for event in world.lister("events").list())


def test_a_killed_component_is_started_again_by_its_kubelet(world):
    world.chaos.inject("kill", "kube-system/kube-scheduler-m-k8s")
    assert not world.cluster.components.healthy("kube-scheduler")
    world.deploy().run(10)
    assert world.cluster.components.healthy("kube-scheduler") and not world.running(), "it does not lead yet"
    world.run(20)
    assert len(world.running()) == 3


def test_a_control_plane_without_power_is_gone_as_a_whole(world):
    world.deploy().run(30)
    fault = world.chaos.inject("power", "m-k8s")
    assert not any(world.cluster.components.healthy(name) for name in COMPONENTS)
    with pytest.raises(ApiError, match="i/o timeout"):
        world.kubectl.list("nodes")
    revision = world.cluster.store.revision
    world.run(900)
    assert world.cluster.store.revision == revision
    world.chaos.heal(fault["id"])
    world.run(60)
    assert all(world.conditions(name)["Ready"] == "True" for name in ("m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"))
    assert all(world.cluster.components.healthy(name) for name in COMPONENTS)
    kept = {pod["status"]["containerStatuses"][0]["restartCount"] for pod in world.running()}
    assert kept == {0}, "workers never noticed"


# machines


def test_a_node_whose_network_is_cut_is_given_up_and_its_lost_pods_are_ended_when_it_is_back(world):
    world.deploy(replicas=3).run(30)
    node = world.running()[0]["spec"]["nodeName"]
    lost = [pod["metadata"]["name"] for pod in world.running() if pod["spec"]["nodeName"] == node]
    fault = world.chaos.inject("network", node)
    world.run(60)
    assert world.conditions(node)["Ready"] == "Unknown" and not world.cluster.kubelets.reachable(node)
    world.run(310)
    assert len(world.running()) == 3 and not set(lost) & {pod["metadata"]["name"] for pod in world.running()}
    assert all("deletionTimestamp" in world.get(name)["metadata"] for name in lost)
    for name in lost:
        assert world.cluster.kubelets.runtime.listening(world.get(name), 80), "on the node itself it still runs"
    world.chaos.heal(fault["id"])
    world.run(35)
    assert all(world.get(name) is None for name in lost) and world.conditions(node)["Ready"] == "True" and world.taints(node) == []


def test_a_pod_removed_by_force_runs_on_until_its_cut_node_is_back(world):
    world.deploy(replicas=1).run(30)
    pod = world.running()[0]
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    runtime = world.cluster.kubelets.runtime
    fault = world.chaos.inject("network", node)
    world.kubectl.delete("pods", "default", name, grace_period=0)
    world.run(30)
    assert world.get(name) is None and runtime.listening(pod, 80)
    world = World(Cluster.restore(world.cluster.snapshot()))
    runtime = world.cluster.kubelets.runtime
    assert runtime.listening(pod, 80), "a restart of the server does not help it either"
    world.chaos.heal(fault["id"])
    world.run(5)
    assert not runtime.listening(pod, 80)


def test_packets_neither_reach_a_cut_node_nor_leave_it(world):
    world.pod("a", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").pod("b", {"name": "c", "image": "nginx"}, nodeName="w2-k8s")
    world.pod("near", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").run(20)
    request = world.cluster.network.request
    address = {name: world.get(name)["status"]["podIP"] for name in ("a", "b", "near")}
    assert request(in_pod("default", "a"), address["b"], 80).ok
    world.chaos.inject("network", "w1-k8s")
    assert not request(in_pod("default", "a"), address["b"], 80).ok and not request(in_pod("default", "b"), address["a"], 80).ok
    assert request(in_pod("default", "a"), address["near"], 80).ok


def test_the_control_plane_cut_off_makes_all_others_unknown_but_sends_nobody_away(world):
    world.deploy().run(30)
    fault = world.chaos.inject("network", "m-k8s")
    world.run(900)
    assert {name: world.conditions(name)["Ready"] for name in ("m-k8s", "w1-k8s", "w2-k8s", "w3-k8s")} == {
        "m-k8s": "True", "w1-k8s": "Unknown", "w2-k8s": "Unknown", "w3-k8s": "Unknown"}
    assert len(world.running()) == 3, "most of the zone is down: it is more likely the network"
    world.chaos.heal(fault["id"])
    world.run(30)
    assert all(world.conditions(name)["Ready"] == "True" for name in ("w1-k8s", "w2-k8s", "w3-k8s"))


def test_a_deleted_node_is_registered_again_when_its_kubelet_starts(world):
    world.deploy().run(30)
    before = world.node("w1-k8s")["metadata"]["uid"]
    world.kubectl.delete("nodes", "", "w1-k8s")
    world.run(70)
    assert world.node("w1-k8s") is None and not any(pod["spec"].get("nodeName") == "w1-k8s" for pod in world.pods())
    assert len(world.running()) == 3
    fault = world.chaos.inject("kubelet", "w1-k8s")
    world.run(1)
    world.chaos.heal(fault["id"])
    world.run(10)
    assert world.node("w1-k8s")["metadata"]["uid"] != before and world.conditions("w1-k8s")["Ready"] == "True"
    assert world.kubectl.get(LEASES, "kube-node-lease", "w1-k8s")["metadata"]["ownerReferences"][0]["uid"] == world.node("w1-k8s")["metadata"]["uid"]


def test_a_destroyed_machine_leaves_a_node_that_falls_silent(world):
    world.deploy().run(30)
    world.cluster.kubelets.remove_node("w1-k8s")
    world.run(400)
    assert world.conditions("w1-k8s")["Ready"] == "Unknown" and len(world.running()) == 3
    world.kubectl.delete("nodes", "", "w1-k8s")
    world.run(60)
    assert not any(pod["spec"].get("nodeName") == "w1-k8s" for pod in world.lister("pods").list())
    assert world.cluster.store.state.items("heartbeat/w1-k8s") == world.cluster.store.state.items("machine/w1-k8s") == []


def test_a_machine_that_grows_takes_what_did_not_fit(world):
    world.pod("big", {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "3"}}}).run(10)
    assert world.get("big")["status"]["phase"] == "Pending"
    world.cluster.kubelets.resize("w2-k8s", cpu=4)
    world.run(20)
    assert world.get("big")["spec"]["nodeName"] == "w2-k8s" and world.get("big")["status"]["phase"] == "Running"
    assert world.node("w2-k8s")["status"]["capacity"]["cpu"] == world.node("w2-k8s")["status"]["allocatable"]["cpu"] == "4"


def test_a_machine_that_shrinks_turns_away_the_newest(world):
    for name in ("first", "second"):
        world.pod(name, {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "400m"}}}, nodeName="w1-k8s").run(5)
    world.cluster.kubelets.resize("w1-k8s", cpu=1)
    world.run(40)
    assert world.get("first")["status"]["phase"] == "Running"
    assert world.get("second")["status"]["phase"] == "Failed" and world.get("second")["status"]["reason"] == "OutOfcpu"


def test_a_graceful_shutdown_ends_ordinary_pods_first_and_critical_ones_after(world):
    script = ["sh", "-c", "trap : TERM; sleep 1000"]
    world.pod("plain", {"name": "c", "image": "busybox", "command": script}, nodeName="w1-k8s")
    world.pod("vital", {"name": "c", "image": "busybox", "command": script}, nodeName="w1-k8s", priorityClassName="system-node-critical")
    world.run(10)
    world.chaos.inject("shutdown", "w1-k8s", grace=30, critical=10)
    world.run(1)
    assert world.conditions("w1-k8s")["Ready"] == "False"
    ready = next(entry for entry in world.node("w1-k8s")["status"]["conditions"] if entry["type"] == "Ready")
    assert (ready["reason"], ready["message"]) == ("KubeletNotReady", "node is shutting down")
    world.pod("late", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").run(2)
    assert world.get("late")["status"]["reason"] == "NodeShutdown"
    world.run(20)
    assert world.get("plain")["status"]["phase"] == "Failed" and world.get("vital")["status"]["phase"] == "Running"
    assert (world.get("plain")["status"]["reason"], world.get("plain")["status"]["message"]) == (
        "Terminated", "Pod was terminated in response to imminent node shutdown.")
    disrupted = next(entry for entry in world.get("plain")["status"]["conditions"] if entry["type"] == "DisruptionTarget")
    assert disrupted["reason"] == "TerminationByKubelet"
    world.run(12)
    assert not world.cluster.kubelets.powered("w1-k8s") and world.get("vital")["status"]["reason"] == "Terminated"
    world.chaos.heal_all()
    world.run(30)
    assert world.conditions("w1-k8s")["Ready"] == "True" and world.taints("w1-k8s") == []


def test_a_machine_whose_shutdown_is_called_off_stays_on_and_takes_pods_again(world):
    world.pod("plain", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").run(10)
    fault = world.chaos.inject("shutdown", "w1-k8s", grace=60)
    world.run(0.5)
    world.chaos.heal(fault["id"])
    world.run(90)
    assert world.cluster.kubelets.powered("w1-k8s") and world.conditions("w1-k8s")["Ready"] == "True"
    assert world.get("plain")["status"]["reason"] == "Terminated", "what has been ended stays so"
    world.pod("late", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").run(10)
    assert world.get("late")["status"]["phase"] == "Running"


def test_a_machine_whose_kubelet_dies_on_its_way_down_goes_down_without_it(world):
    world.chaos.inject("shutdown", "w1-k8s", grace=20)
    world.run(0.5)
    world.chaos.inject("kubelet", "w1-k8s")
    world.run(30)
    assert not world.cluster.kubelets.powered("w1-k8s")
    world.chaos.heal_all()
    world.run(30)
    assert world.conditions("w1-k8s")["Ready"] == "True"


@pytest.mark.parametrize("after", [0.5, 5, 300])
def test_a_control_plane_that_was_shut_down_in_order_runs_again_when_its_machine_does(world, after):
    fault = world.chaos.inject("shutdown", "m-k8s", grace=20, critical=10)
    world.run(after)
    world.chaos.heal(fault["id"])
    world.run(120)
    assert all(world.cluster.components.healthy(name) for name in COMPONENTS)
    mirrors = [pod for pod in world.lister("pods").by_node("m-k8s") if "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {})]
    assert len(mirrors) == 4 and {pod["status"]["phase"] for pod in mirrors} == {"Running"}
    assert not any(pod["status"].get("reason") for pod in mirrors)
    assert "DisruptionTarget" not in {entry["type"] for pod in mirrors for entry in pod["status"]["conditions"]}
    world.deploy().run(60)
    assert len(world.running()) == 3


def test_a_kubelet_that_is_not_set_to_it_ends_nothing_at_a_shutdown(world):
    world.deploy().run(30)
    world.chaos.inject("shutdown", "w1-k8s")
    world.run(1)
    assert not world.cluster.kubelets.powered("w1-k8s")
    assert {pod["status"]["phase"] for pod in world.pods()} == {"Running"}


# images and probes


def test_an_image_that_cannot_be_pulled_heals_when_the_registry_does(world):
    fault = world.chaos.inject("image", "nginx", error="unreachable")
    world.deploy(replicas=1).run(5)
    name = world.pods()[0]["metadata"]["name"]
    assert any(reason == "Failed" and "dial tcp: lookup registry-1.docker.io: i/o timeout" in message for reason, message in world.events(name))
    world.pod("other", {"name": "c", "image": "busybox", "command": ["sleep", "1000"]}).run(20)
    assert world.get("other")["status"]["phase"] == "Running", "another image is not concerned"
    assert world.get(name)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    world.chaos.heal(fault["id"])
    world.run(60)
    assert world.get(name)["status"]["phase"] == "Running"


def test_a_slow_registry_takes_so_many_times_as_long():
    def seconds(factor):
        world = World(Cluster(seed=1))
        if factor > 1:
            world.chaos.inject("slow", "docker.io", factor=factor)
        world.pod("a", {"name": "c", "image": "nginx"}).run(1)
        assert world.cluster.run_until(lambda: world.get("a")["status"]["phase"] == "Running")
        return world.cluster.clock.now

    assert seconds(20) > 10 * (seconds(1) - 1)


def test_a_probe_made_to_fail_restarts_its_container_until_it_is_healed(world):
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2, "failureThreshold": 2}
    world.pod("a", {"name": "c", "image": "nginx", "livenessProbe": probe, "readinessProbe": probe}).run(30)
    fault = world.chaos.inject("probe", "a", probe="liveness")
    world.run(15)
    assert world.get("a")["status"]["containerStatuses"][0]["restartCount"] >= 1
    assert ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500") in world.events("a")
    world.chaos.heal(fault["id"])
    world.run(200)
    count = world.get("a")["status"]["containerStatuses"][0]["restartCount"]
    world.run(300)
    assert world.get("a")["status"]["containerStatuses"][0] | {"restartCount": count} == world.get("a")["status"]["containerStatuses"][0]
    assert world.get("a")["status"]["containerStatuses"][0]["ready"]
    world.chaos.inject("probe", "a", probe="readiness")
    world.run(10)
    assert not world.get("a")["status"]["containerStatuses"][0]["ready"]
    world.kubectl.delete("pods", "default", "a")
    world.run(40)
    assert world.chaos.active() == [], "a pod that goes takes its faults with it"


# the table


def test_what_cannot_be_is_refused_and_changes_nothing(world):
    world.pod("a", {"name": "c", "image": "nginx"}).run(10)
    before = world.cluster.snapshot()["store"]
    for fault, target, params in (
        ("flood", "w1-k8s", {}), ("power", "nowhere", {}), ("power", "", {}), ("component", "kube-proxy", {}), ("kill", "nobody", {}),
        ("kill", "a", {"container": "other"}), ("kill", "a", {"code": 1000}), ("probe", "a", {"probe": "liveness"}), ("probe", "a", {"probe": "x"}),
        ("disk", "w1-k8s", {"percent": "much"}), ("disk", "w1-k8s", {"percent": float("nan")}), ("slow", "nginx", {"factor": 1e9}),
        ("image", "ngi nx", {}), ("image", "docker.io/nginx*", {}), ("slow", "Nginx", {}), ("power", "w1-k8s", {"self": 1}),
        ("shutdown", "w1-k8s", {"grace": 5, "critical": 10})):
        with pytest.raises(ValueError):
            world.chaos.inject(fault, target, **params)
    assert world.chaos.active() == []
    assert before["objects"] == world.cluster.snapshot()["store"]["objects"]
    with pytest.raises(ValueError):
        world.chaos.heal("chaos/1000")
    with pytest.raises(ValueError):
        world.cluster.kubelets.remove_node("m-k8s")


def test_faults_are_bounded_and_the_same_again_replaces_itself(world):
    for _ in range(3):
        world.chaos.inject("slow", "nginx", factor=2)
    assert len(world.chaos.active()) == 1
    for number in range(MOST_ACTIVE - 1):
        world.chaos.inject("slow", f"image{number}")
    with pytest.raises(ValueError, match="at most"):
        world.chaos.inject("slow", "one-more")
    assert len(world.chaos.heal_all()) == MOST_ACTIVE and world.chaos.active() == []
    assert len(world.chaos.acts()) <= LOGGED


def test_every_fault_can_be_described_for_a_form(world):
    kinds = {kind["fault"]: kind for kind in world.chaos.kinds()}
    assert set(kinds) == set(FAULTS)
    for kind in kinds.values():
        assert kind["on"] in ("Pod", "Node", "Image", "Component") and kind["about"]
        assert all(param["kind"] in ("string", "number", "choice") for param in kind["params"])
        assert hasattr(world.chaos, f"_start_{kind['fault']}") and (not kind["lasting"] or hasattr(world.chaos, f"_stop_{kind['fault']}"))


def test_what_follows_from_an_act_names_it_as_its_cause(world):
    world.pod("a", {"name": "c", "image": "nginx"}, nodeName="w1-k8s").run(10)
    killed = world.chaos.inject("kill", "a", "teacher")
    world.run(5)
    causes = inspect.causes(world.cluster, "Pod/default/a")
    assert any(entry["because"] == killed["id"] and entry["client"] == "kubelet" for entry in causes)
    assert any((entry["client"], entry["verb"], entry["user"], entry["thing"]) == ("chaos", "kill", "teacher", "Pod/default/a") for entry in causes)
    cut = world.chaos.inject("power", "w1-k8s")
    world.run(60)
    causes = inspect.causes(world.cluster, "Node//w1-k8s")
    assert any(entry["client"] == "node-controller" and entry["because"] == cut["id"] for entry in causes)


def told(world):
    """Everything but Events, and the revisions at which it was written."""
    kept = world.cluster.snapshot()["store"]
    return {**kept, "objects": {resource: objects for resource, objects in kept["objects"].items() if resource != "events"}}


def test_faults_survive_a_restart_and_go_on_as_if_there_had_been_none(world):
    probe = {"httpGet": {"path": "/", "port": 80}}
    world.deploy(livenessProbe=probe).run(30)
    name = world.running()[0]["metadata"]["name"]
    for fault, target, params in (("network", "w1-k8s", {}), ("power", "w2-k8s", {}), ("probe", name, {}), ("image", "busybox", {}),
                                  ("disk", "w3-k8s", {}), ("component", "kube-scheduler", {})):
        world.chaos.inject(fault, target, **params)
    world.run(33)
    again = world.restarted()
    assert again.chaos.active() == world.chaos.active() and len(again.chaos.active()) == 6
    for _ in range(3):
        world.run(100)
        again.run(100)
        assert again.cluster.snapshot() == world.cluster.snapshot()
    for each in (world, again):
        each.chaos.heal_all()
        each.run(500)
    assert told(again) == told(world), "who counts Events has forgotten those before its restart; all else is the same"
    assert len(again.running()) == 3 and again.chaos.active() == []


def test_faults_that_rest_cost_nothing():
    world = World(Cluster(seed=1, nodes=with_workers(20), system_pods=False))
    world.deploy(replicas=20).run(60)
    for fault, target in (("power", "w1-k8s"), ("network", "w2-k8s"), ("kubelet", "w3-k8s"), ("component", "kube-scheduler"),
                          ("disk", "w4-k8s"), ("slow", "*")):
        world.chaos.inject(fault, target)
    world.run(7200)
    revision, due = world.cluster.store.revision, world.cluster.clock.next_due()
    world.run(7200)
    assert world.cluster.store.revision == revision and (due is None or due > world.cluster.clock.now - 3600)
