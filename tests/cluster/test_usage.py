"""What containers use, worked out and never looked at; what the metrics server says of it."""

from __future__ import annotations

import pytest

from server.cluster import quantity
from server.cluster.apiserver.request import Request
from server.cluster.cluster import Cluster
from server.cluster.errors import ApiError

MEBI = 1024**2


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(seed=7, metrics_server=True)


def run_pod(cluster: Cluster, name: str, image: str, command: list[str] | None = None, node: str = "", seconds: float = 12.0,
            **resources: dict[str, str]):
    """A pod with one container ``main``, which runs by the time this returns."""
    container = {"name": "main", "image": image, "resources": resources, **({"command": command} if command else {})}
    spec = {"containers": [container], **({"nodeName": node} if node else {})}
    cluster.client().create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": name}}, "spec": spec})
    cluster.clock.run_for(seconds)
    found = cluster.kubelets.runtime.container("default", name, "main")
    assert found is not None and found.running
    return found


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


def metrics_of(cluster: Cluster, name: str) -> dict:
    return cluster.client().get("pods.metrics.k8s.io", "default", name)


# CPU


def test_a_server_without_requests_uses_next_to_nothing(cluster):
    container = run_pod(cluster, "web", "nginx")
    assert 0 < container.cpu() < 5 and MEBI < container.memory() < 20 * MEBI


@pytest.mark.parametrize("command", [
    shell("while true; do :; done"), shell("while :; do true; done"), shell("i=0; while true; do i=$((i+1)); done"),
    shell("yes > /dev/null"), ["dd", "if=/dev/zero", "of=/dev/null"], ["md5sum", "/dev/zero"], shell("cat /dev/urandom > /dev/null")])
def test_a_program_that_burns_cpu_takes_one_core(cluster, command):
    assert run_pod(cluster, "burner", "busybox", command).cpu() == pytest.approx(1000, abs=1)


def test_a_program_cannot_use_more_than_its_limit(cluster):
    assert run_pod(cluster, "burner", "busybox", shell("while true; do :; done"), limits={"cpu": "150m"}).cpu() == 150


def test_the_documentations_stress_burns_up_to_its_limit(cluster):
    cluster.client().create("pods", {"metadata": {"name": "cpu-demo", "namespace": "default"}, "spec": {"containers": [{
        "name": "c", "image": "vish/stress", "args": ["-cpus", "2"], "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}}}]}})
    cluster.clock.run_for(20)
    assert cluster.kubelets.runtime.container("default", "cpu-demo", "c").cpu() == 1000


def test_a_script_that_sleeps_uses_nothing_and_one_that_wakes_up_to_work_does(cluster):
    container = run_pod(cluster, "napper", "busybox", shell("sleep 30; while true; do :; done"))
    assert container.cpu() < 1
    cluster.clock.run_for(30)
    assert container.cpu() == pytest.approx(1000, abs=1)


def test_a_loop_that_changes_nothing_costs_no_events(cluster):
    run_pod(cluster, "burner", "busybox", shell("while true; do if [ 1 = 1 ]; then :; fi; done"), seconds=30)
    before, saves = cluster.store.revision, []
    cluster.store.state.on_change = lambda key, value: saves.append(key)
    cluster.clock.run_for(1200)
    assert cluster.store.revision == before and not saves


def test_a_loop_that_counts_ends_when_it_has_counted(cluster):
    run_pod(cluster, "counter", "busybox", shell("i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; sleep 1000"))
    container = cluster.kubelets.runtime.container("default", "counter", "main")
    cluster.clock.run_for(60)
    assert container.running and container.cpu() < 1


def test_stress_ends_by_itself_and_says_so(cluster):
    cluster.client().create("pods", {"metadata": {"name": "hogs", "namespace": "default"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "polinux/stress", "command": ["stress"], "args": ["--cpu", "1", "--timeout", "20s"]}]}})
    cluster.clock.run_for(15)
    container = cluster.kubelets.runtime.container("default", "hogs", "main")
    assert container.cpu() == pytest.approx(1000, abs=1)
    cluster.clock.run_for(30)
    assert cluster.client().get("pods", "default", "hogs")["status"]["phase"] == "Succeeded"
    assert [line.text for line in container.log.all()] == ["stress: info: [1] dispatching hogs: 1 cpu, 0 io, 0 vm, 0 hdd",
                                                           "stress: info: [1] successful run completed in 20s"]


def test_where_cores_run_short_they_are_shared_by_requests(cluster):
    small = run_pod(cluster, "small", "busybox", shell("yes > /dev/null"), node="w1-k8s", requests={"cpu": "100m"})
    large = run_pod(cluster, "large", "polinux/stress", ["stress", "--cpu", "4"], node="w1-k8s", requests={"cpu": "300m"})
    idle = run_pod(cluster, "idle", "nginx", node="w1-k8s")
    assert large.cpu() == pytest.approx(3 * small.cpu(), rel=0.01)
    assert idle.cpu() == pytest.approx(0.03, abs=0.01)
    everything = sum(found.cpu() for found in (small, large, idle))
    assert 1850 < everything < 2000
    cluster.client().delete("pods", "default", "large", grace_period=0)
    cluster.clock.run_for(5)
    assert small.cpu() == pytest.approx(1000, abs=1)


def test_traffic_costs_cpu_where_it_arrives_and_only_there(cluster):
    php = run_pod(cluster, "php", "registry.k8s.io/hpa-example", limits={"cpu": "500m"})
    other = run_pod(cluster, "other", "registry.k8s.io/hpa-example")
    cluster.client().create("services", {"metadata": {"name": "php", "namespace": "default"}, "spec": {
        "selector": {"app": "php"}, "ports": [{"port": 80}]}})
    cluster.clock.run_for(2)
    quiet = php.cpu()
    cluster.network.traffic.aim("default/php", 80, 5)
    assert php.cpu() - quiet == pytest.approx(5 * 60)
    assert other.cpu() == quiet
    cluster.network.traffic.aim("default/php", 80, 50)
    assert php.cpu() == 500
    cluster.network.traffic.aim("default/php", 80, 0)
    assert php.cpu() == quiet


# memory


def test_a_hog_takes_its_memory_bit_by_bit_and_tells_when_a_limit_is_passed(cluster):
    container = run_pod(cluster, "hog", "polinux/stress", ["stress", "--vm", "1", "--vm-bytes", "900M", "--vm-hang", "0"])
    usage, moments = cluster.kubelets.runtime.usage, []
    passed = usage.passes(container, 600 * MEBI)
    assert passed is not None and container.started < passed < container.started + 2
    assert usage.memory(container, passed) == pytest.approx(600 * MEBI, rel=0.001)
    assert usage.passes(container, 1000 * MEBI) is None
    assert container.memory() == pytest.approx(900 * MEBI, rel=0.01)
    usage.on_change(moments.append)
    container.end(137)
    assert container.memory() == 0


def test_the_hook_tells_in_the_instant_of_the_change(cluster):
    told = []
    cluster.kubelets.runtime.usage.on_change(lambda container: told.append((container.launch.name, cluster.clock.now, container.cpu())))
    run_pod(cluster, "napper", "busybox", shell("sleep 5; yes > /dev/null"), seconds=30)
    (_, began, _), *_, (_, woke, cpu) = told
    assert woke == pytest.approx(began + 5, abs=0.01) and cpu > 999


# metrics.k8s.io


def test_metrics_are_those_of_the_last_scrape_and_cpu_is_averaged_over_it(cluster):
    run_pod(cluster, "napper", "busybox", shell("sleep 45; yes > /dev/null"), seconds=30)
    container = cluster.kubelets.runtime.container("default", "napper", "main")
    awake = container.started + 45
    scrape = (awake // 15 + 1) * 15
    cluster.clock.run_until(scrape - 1)
    assert metrics_of(cluster, "napper")["containers"][0]["usage"]["cpu"] == "10u"
    cluster.clock.run_until(scrape + 1)
    found = metrics_of(cluster, "napper")
    assert found["window"] == "15s" and cluster.clock.seconds(found["timestamp"]) == scrape
    cpu = quantity.parse(found["containers"][0]["usage"]["cpu"]).nano / 1e6
    assert cpu == pytest.approx(1000 * (scrape - awake) / 15, rel=0.01)


def test_a_pod_has_no_metrics_until_it_is_ten_seconds_old_at_a_scrape(cluster):
    cluster.clock.run_until((cluster.clock.now // 15 + 1) * 15 + 1)
    container = run_pod(cluster, "web", "nginx", seconds=13)
    first = (container.started // 15 + 1) * 15
    if first - container.started < 10:
        first += 15
    cluster.clock.run_until(first - 0.5)
    with pytest.raises(ApiError) as caught:
        metrics_of(cluster, "web")
    assert caught.value.message == 'podmetrics.metrics.k8s.io "default/web" not found'
    cluster.clock.run_until(first + 0.5)
    assert metrics_of(cluster, "web")["containers"][0]["name"] == "main"


def test_names_that_do_not_exist_are_not_found(cluster):
    for resource, namespace, message in (("pods.metrics.k8s.io", "default", 'pods "default/x" not found'),
                                         ("nodes.metrics.k8s.io", "", 'nodes "x" not found')):
        with pytest.raises(ApiError) as caught:
            cluster.client().get(resource, namespace, "x")
        assert (caught.value.code, caught.value.message) == (404, message)


def test_a_node_uses_what_its_pods_use_and_its_system_besides(cluster):
    run_pod(cluster, "burner", "busybox", shell("yes > /dev/null"), node="w2-k8s", seconds=60)
    nodes = {entry["metadata"]["name"]: entry["usage"] for entry in cluster.client().list("nodes.metrics.k8s.io")}
    assert set(nodes) == {"m-k8s", "w1-k8s", "w2-k8s", "w3-k8s"}
    cpu = {name: quantity.parse(usage["cpu"]).milli() for name, usage in nodes.items()}
    assert cpu["w2-k8s"] - cpu["w1-k8s"] > 950 and quantity.value(nodes["w2-k8s"]["memory"]) > 400 * MEBI
    at, since = cluster.metrics.scraped(), cluster.metrics.scraped() - 15
    assert 1_040e6 < cluster.kubelets.runtime.usage.node("w2-k8s", since, at)[0] < 1_100e6


def test_a_node_whose_kubelet_is_silent_has_no_metrics_and_neither_have_its_pods(cluster):
    run_pod(cluster, "web", "nginx", node="w3-k8s", seconds=60)
    assert metrics_of(cluster, "web")
    cluster.kubelets.stop_kubelet("w3-k8s")
    cluster.clock.run_for(16)
    assert "w3-k8s" not in {entry["metadata"]["name"] for entry in cluster.client().list("nodes.metrics.k8s.io")}
    with pytest.raises(ApiError):
        metrics_of(cluster, "web")


def test_selectors_choose_among_pod_metrics(cluster):
    run_pod(cluster, "one", "nginx")
    run_pod(cluster, "two", "nginx", seconds=45)
    listed = cluster.client().list("pods.metrics.k8s.io", "default", label_selector="app=two")
    assert [entry["metadata"]["name"] for entry in listed] == ["two"]
    listed = cluster.client().list("pods.metrics.k8s.io", "default", field_selector="metadata.name=one")
    assert [entry["metadata"]["name"] for entry in listed] == ["one"]


def test_without_the_add_on_there_is_no_such_resource():
    bare = Cluster(seed=1)
    with pytest.raises(ApiError) as caught:
        bare.client().list("pods.metrics.k8s.io", "default")
    assert (caught.value.code, caught.value.message) == (404, "the server could not find the requested resource")
    assert bare.api.extended() == ()


def test_while_its_pods_are_gone_the_api_is_unavailable(cluster):
    cluster.client().patch("deployments.apps", "kube-system", "metrics-server", {"spec": {"replicas": 0}}, subresource="scale")
    cluster.clock.run_for(60)
    assert cluster.api.extended() == ("metrics.k8s.io",)
    with pytest.raises(ApiError) as caught:
        cluster.client().list("nodes.metrics.k8s.io")
    assert caught.value.code == 503 and caught.value.reason == "ServiceUnavailable"
    cluster.client().patch("deployments.apps", "kube-system", "metrics-server", {"spec": {"replicas": 1}}, subresource="scale")
    cluster.clock.run_for(90)
    assert cluster.client().list("nodes.metrics.k8s.io")


def test_metrics_can_be_read_and_nothing_else(cluster):
    for verb in ("create", "delete", "watch", "patch"):
        with pytest.raises(ApiError) as caught:
            cluster.api.request(Request(verb, "pods.metrics.k8s.io", "default", "x", user="kubernetes-admin", body={}))
        assert caught.value.code == 405


def test_use_is_the_same_after_a_restart(cluster):
    run_pod(cluster, "php", "registry.k8s.io/hpa-example")
    cluster.client().create("services", {"metadata": {"name": "php", "namespace": "default"}, "spec": {
        "selector": {"app": "php"}, "ports": [{"port": 80}]}})
    cluster.network.traffic.aim("default/php", 80, 3)
    run_pod(cluster, "hog", "polinux/stress", ["stress", "--vm", "1", "--vm-bytes", "100M", "--vm-hang", "0"])
    run_pod(cluster, "burner", "busybox", shell("yes > /dev/null"), seconds=60)
    restored = Cluster.restore(cluster.snapshot())
    for each in (cluster, restored):
        each.clock.run_for(1)
    before, after = (({name: metrics_of(each, name)["containers"] for name in ("php", "hog", "burner")}, each.client().list("nodes.metrics.k8s.io"))
                     for each in (cluster, restored))
    assert before == after


def test_a_machine_that_gets_more_cores_gives_more(cluster):
    hog = run_pod(cluster, "hog", "polinux/stress", ["stress", "--cpu", "4"], node="w1-k8s")
    assert 1900 < hog.cpu() < 2000
    cluster.kubelets.resize("w1-k8s", cpu=8)
    assert hog.cpu() == pytest.approx(4000, abs=1)
    cluster.kubelets.resize("w1-k8s", cpu=1)
    assert hog.cpu() < 1000
