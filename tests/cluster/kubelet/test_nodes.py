"""Nodes: what a kubelet registers, its heartbeats, power."""

from server.cluster.machines import NodeSpec

SERVER = {"image": "nginx"}


def node(bench, name="w1-k8s"):
    return bench.kubectl.get("nodes", "", name)


def ready(bench, name="w1-k8s"):
    return next(entry for entry in node(bench, name)["status"]["conditions"] if entry["type"] == "Ready")


def test_a_node_registers_as_a_kubeadm_one_does(bench):
    made = node(bench)
    assert made["metadata"]["labels"]["kubernetes.io/hostname"] == "w1-k8s"
    assert made["status"]["addresses"] == [{"address": "192.168.1.101", "type": "InternalIP"}, {"address": "w1-k8s", "type": "Hostname"}]
    assert made["status"]["capacity"]["memory"] == "4153323Ki" and made["status"]["allocatable"]["memory"] == "4050923Ki"
    assert made["status"]["capacity"]["pods"] == "110" and made["spec"]["podCIDR"] == "10.244.1.0/24"
    assert made["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.2"
    assert node(bench, "m-k8s")["spec"]["taints"] == [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]


def test_heartbeats_are_seen_but_never_written(bench):
    bench.run(3600)
    before = bench.cluster.store.revision
    bench.run(3600)
    lease = bench.kubectl.get("leases.coordination.k8s.io", "kube-node-lease", "w1-k8s")
    clock = bench.cluster.clock
    assert bench.cluster.store.revision - before <= 20
    assert 0 <= clock.now - clock.seconds(lease["spec"]["renewTime"]) <= 10
    assert 0 <= clock.now - clock.seconds(ready(bench)["lastHeartbeatTime"]) <= 300


def test_images_that_were_pulled_are_listed_on_the_node(bench):
    bench.pod("web", SERVER)
    bench.run(30)
    names = [entry["names"] for entry in node(bench)["status"]["images"]]
    assert any(texts[1] == "docker.io/library/nginx:latest" and texts[0].startswith("docker.io/library/nginx@sha256:") for texts in names)
    sizes = [entry["sizeBytes"] for entry in node(bench)["status"]["images"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_dead_kubelet_leaves_its_containers_running_and_comes_back_to_them(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    bench.cluster.kubelets.stop_kubelet("w1-k8s")
    bench.run(60)
    assert ready(bench)["status"] == "Unknown" and bench.conditions("web")["Ready"] == "False"
    assert bench.cluster.kubelets.runtime.listening(bench.get("web"), 80)
    bench.kubectl.delete("pods", "default", "web")
    bench.run(60)
    assert bench.get("web") is not None
    bench.cluster.kubelets.start_kubelet("w1-k8s")
    bench.run(5)
    assert ready(bench)["status"] == "True" and bench.get("web") is None


def test_a_resumed_kubelet_makes_its_pods_ready_again(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    bench.cluster.kubelets.stop_kubelet("w1-k8s")
    bench.run(60)
    bench.cluster.kubelets.start_kubelet("w1-k8s")
    bench.run(5)
    assert bench.conditions("web")["Ready"] == "True" and bench.container("web")["restartCount"] == 0


def test_a_machine_without_power_answers_nothing_and_restarts_its_containers_when_it_is_back(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    bench.cluster.kubelets.power_off("w1-k8s")
    assert not bench.cluster.kubelets.reachable("w1-k8s")
    assert not bench.cluster.kubelets.runtime.listening(bench.get("web"), 80)
    boot = node(bench)["status"]["nodeInfo"]["bootID"]
    bench.run(60)
    bench.cluster.kubelets.power_on("w1-k8s")
    bench.run(10)
    assert bench.container("web")["restartCount"] == 1 and bench.conditions("web")["Ready"] == "True"
    assert bench.container("web")["lastState"]["terminated"]["exitCode"] == 255
    assert node(bench)["status"]["nodeInfo"]["bootID"] != boot
    assert any(reason == "Rebooted" for reason, _ in bench.events("w1-k8s"))


def test_a_killed_container_is_restarted(bench):
    bench.pod("web", SERVER)
    bench.run(10)
    assert bench.cluster.kubelets.kill_container("default", "web", "c")
    bench.run(5)
    assert bench.container("web")["restartCount"] == 1
    assert bench.container("web")["lastState"]["terminated"]["exitCode"] == 137


def test_a_machine_that_joins_later_takes_pods_and_says_that_it_is_ready(bench):
    bench.run(60)
    bench.cluster.add_node(NodeSpec("new", "192.168.1.200"))
    bench.pod("web", SERVER, node="new")
    bench.run(10)
    assert bench.status("web")["hostIP"] == "192.168.1.200" and bench.status("web")["phase"] == "Running"
    assert any(reason == "NodeReady" for reason, _ in bench.events("new"))


def test_a_node_that_has_no_address_left_says_so(bench):
    addresses = bench.cluster.network.addresses
    taken = [addresses.allocate("w1-k8s") for _ in range(253)]
    bench.pod("web", SERVER)
    bench.run(3)
    assert any(reason == "FailedCreatePodSandBox" for reason, _ in bench.events("web"))
    addresses.release(taken[0])
    bench.run(20)
    assert bench.status("web")["phase"] == "Running"
