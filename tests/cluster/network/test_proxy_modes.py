"""Which endpoint a node picks, in each of kube-proxy's modes and under each policy; and what the rules look like on the node."""

from collections import Counter

import pytest
from matrix_world import MatrixWorld

from server.cluster.cluster import Cluster
from server.cluster.machines import PRESETS
from server.cluster.network.source import OUTSIDE, in_pod, on_node

NODE = on_node("w1-k8s")


def configure(world, mode, scheduler=""):
    """As one edits the ConfigMap and restarts the DaemonSet."""
    text = world.cluster.api.lister("configmaps").get("kube-system", "kube-proxy")["data"]["config.conf"]
    before = next(line for line in text.splitlines() if line.startswith("mode:"))
    more = f'\nipvs:\n  scheduler: "{scheduler}"' if scheduler else ""
    world.client.patch("configmaps", "kube-system", "kube-proxy", {"data": {"config.conf": text.replace(before, f'mode: "{mode}"{more}')}})


def restart(world):
    world.client.patch("daemonsets.apps", "kube-system", "kube-proxy", {"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": f"{world.cluster.clock.now}"}}}}})
    world.cluster.clock.run_for(180)


@pytest.fixture
def three(world):
    world.deployment(replicas=3)
    world.service(kind="ClusterIP", port=80)
    world.settle()
    return world


def picks(world, count, source=NODE, port=80):
    address = world.get_service()["spec"]["clusterIP"]
    return [world.curl(address, port, source).pod for _ in range(count)]


def test_iptables_picks_at_random_and_evenly(three):
    seen = picks(three, 600)
    counts = Counter(seen)
    assert len(counts) == 3 and all(150 < count < 250 for count in counts.values())
    assert any(first == second for first, second in zip(seen, seen[1:], strict=False)), "chance repeats itself"


def test_a_new_mode_takes_effect_when_kube_proxy_is_restarted(three):
    configure(three, "ipvs")
    three.settle(60)
    assert three.network.proxy.mode("w1-k8s").name == "iptables"
    restart(three)
    assert {three.network.proxy.mode(node).name for node in ("m-k8s", "w1-k8s", "w2-k8s", "w3-k8s")} == {"ipvs"}
    seen = picks(three, 9)
    assert len(set(seen[:3])) == 3 and seen == seen[:3] * 3, "each in turn"
    other = picks(three, 3, on_node("w2-k8s"))
    assert len(set(other)) == 3, "each node has turns of its own"


def test_only_the_node_whose_kube_proxy_was_restarted_changes(three):
    configure(three, "ipvs")
    pod = next(pod for pod in three.cluster.api.lister("pods").list("kube-system")
               if pod["metadata"]["name"].startswith("kube-proxy") and pod["spec"]["nodeName"] == "w1-k8s")
    three.client.delete("pods", "kube-system", pod["metadata"]["name"])
    three.settle(60)
    assert [three.network.proxy.mode(node).name for node in ("w1-k8s", "w2-k8s")] == ["ipvs", "iptables"]
    restored = Cluster.restore(three.cluster.snapshot())
    assert [restored.network.proxy.mode(node).name for node in ("w1-k8s", "w2-k8s")] == ["ipvs", "iptables"]


def test_ipvs_with_source_hashing_sends_a_client_to_one_endpoint(three):
    configure(three, "ipvs", "sh")
    restart(three)
    assert len(set(picks(three, 10))) == 1 and "sh" in three.network.rules_text.ipvsadm("w1-k8s")


@pytest.mark.parametrize("mode", ["nonsense", "{"])
def test_a_mode_that_there_is_not_changes_nothing(three, mode):
    configure(three, mode)
    restart(three)
    assert three.network.proxy.mode("w1-k8s").name == "iptables"


@pytest.mark.parametrize(("mode", "answers", "outcome"), [("iptables", False, "Connection timed out"), ("ipvs", True, "Connection refused"),
                                                          ("nftables", False, "Connection refused")])
def test_a_cluster_address_is_nobodys_but_in_ipvs_mode(three, mode, answers, outcome):
    configure(three, mode)
    restart(three)
    address = three.get_service()["spec"]["clusterIP"]
    reach = three.network.of(NODE)
    assert (reach.ping(address).ms is not None) == answers
    assert (reach.ping(address).fault == "Destination Port Unreachable") == (mode == "nftables")
    assert reach.connect(address, 81).fault == outcome, "a port that the Service has not"
    assert any(link.name == "kube-ipvs0" and link.address == f"{address}/32" for link in reach.interfaces()) == answers


def test_affinity_lasts_as_long_as_it_is_set_and_over_a_restart(world):
    world.deployment(replicas=3)
    world.service(kind="ClusterIP", port=80, sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}})
    world.settle()
    client = world.inside()
    [first] = set(picks(world, 10, client))
    restored = Cluster.restore(world.cluster.snapshot())
    again = {restored.network.request(client, world.get_service()["spec"]["clusterIP"], 80).pod for _ in range(5)}
    assert again == {first}
    rounds = []
    for _ in range(12):
        world.settle(61)
        rounds.append(picks(world, 1, client)[0])
    assert len(set(rounds)) > 1, "forgotten after a minute of silence"


def test_an_internal_local_policy_keeps_to_the_node_or_drops(world):
    world.deployment(replicas=1)
    world.service(kind="ClusterIP", port=80, internalTrafficPolicy="Local")
    world.settle()
    home = world.pods()[0]["spec"]["nodeName"]
    address = world.get_service()["spec"]["clusterIP"]
    for node in ("w1-k8s", "w2-k8s", "w3-k8s"):
        walk = world.curl(address, 80, on_node(node), timeout=2)
        assert (walk.status == 200) == (node == home) and (walk.error is None or walk.error["hop"] == "endpoints")


def test_a_health_check_port_tells_load_balancers_where_endpoints_are(world):
    world.deployment(replicas=1)
    world.service(kind="LoadBalancer", port=80, externalTrafficPolicy="Local")
    world.settle()
    port, home = world.get_service()["spec"]["healthCheckNodePort"], world.pods()[0]["spec"]["nodeName"]
    for node in ("w1-k8s", "w2-k8s", "w3-k8s"):
        walk = world.curl(world.network.places.address_of(node), port, path="/healthz")
        assert walk.status == (200 if node == home else 503)
        assert walk.body == ('{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "web"\n\t},\n'
                             f'\t"localEndpoints": {int(node == home)},\n\t"serviceProxyHealthy": true\n}}')
        assert walk.headers["X-Load-Balancing-Endpoint-Weight"] == str(int(node == home)) and walk.headers["X-Content-Type-Options"] == "nosniff"
    seen = {world.curl("192.168.1.200", 80, OUTSIDE).node for _ in range(10)}
    assert seen == {home}, "and clients from outside come to that node only"


def test_clients_keep_their_address_with_a_local_policy_only(world):
    world.deployment(replicas=3)
    world.service(kind="LoadBalancer", port=80, externalTrafficPolicy="Local")
    world.service("cluster", kind="LoadBalancer", port=80)
    world.client.patch("services", "default", "cluster", {"spec": {"selector": {"app": "web"}}})
    world.settle()
    def clients(address):
        before = {pod["metadata"]["name"]: len(list(world.cluster.kubelets.runtime.logs("default", pod["metadata"]["name"], "c")))
                  for pod in world.pods()}
        for _ in range(20):
            assert world.curl(address, 80, OUTSIDE).status == 200
        return {line.text.split()[0] for name, count in before.items()
                for line in list(world.cluster.kubelets.runtime.logs("default", name, "c"))[count:]}
    assert clients("192.168.1.200") == {"203.0.113.10"}
    assert clients("192.168.1.201") <= {"192.168.1.101", "192.168.1.102", "192.168.1.103"}


def test_terminating_endpoints_serve_while_there_are_no_others():
    world = MatrixWorld("terminating")
    walk = world.ask("pod", "cluster-ip")
    assert walk.status == 200 and walk.hops[0].detail["terminating"] is True
    world.run(60)
    assert world.ask("pod", "cluster-ip").fault == "Connection refused"


@pytest.mark.parametrize(("distribution", "same"), [("PreferSameZone", "zone"), ("PreferClose", "zone"), ("PreferSameNode", "node")])
def test_traffic_stays_near_where_the_service_asks_for_it(world, distribution, same):
    world.cluster = Cluster(seed=1, nodes=PRESETS["three-zones"])
    world.client, world.network = world.cluster.client(), world.cluster.network
    world.deployment(replicas=6, topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                                                            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}])
    world.service(kind="ClusterIP", port=80)
    world.settle(40)
    nodes = {node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
             for node in world.cluster.api.lister("nodes").list()}
    where = {("default", pod["metadata"]["name"]): pod["spec"]["nodeName"] for pod in world.pods()}
    assert len(set(picks(world, 60))) == 6
    world.client.patch("services", "default", "web", {"spec": {"trafficDistribution": distribution}})
    world.settle(5)
    hosts = {where[pod] for pod in picks(world, 60)}
    assert hosts == ({"w1-k8s"} if same == "node" else {node for node in where.values() if nodes[node] == nodes["w1-k8s"]})


def test_named_target_ports_may_differ_from_pod_to_pod(world):
    for name, image, port in (("old", "nginx", 80), ("new", "hashicorp/http-echo", 5678)):
        world.client.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}}, "spec": {
            "containers": [{"name": "c", "image": image, "ports": [{"name": "serving", "containerPort": port}]}]}})
    world.service(kind="ClusterIP", port=80, target="serving")
    world.settle()
    address = world.get_service()["spec"]["clusterIP"]
    seen = {(walk.pod[1], walk.numbers[-1]) for walk in (world.curl(address, 80) for _ in range(40)) if walk.status == 200}
    assert seen == {("old", 80), ("new", 5678)}


def test_two_ports_of_a_service_lead_to_their_own(world):
    world.client.create("pods", {"metadata": {"name": "both", "namespace": "default", "labels": {"app": "web"}}, "spec": {"containers": [
        {"name": "a", "image": "nginx"}, {"name": "b", "image": "hashicorp/http-echo"}]}})
    world.client.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}, "ports": [
        {"name": "page", "port": 80}, {"name": "echo", "port": 8080, "targetPort": 5678}]}})
    world.settle()
    address = world.get_service()["spec"]["clusterIP"]
    assert "Welcome to nginx!" in world.curl(address, 80).body and "hello-world" in world.curl(address, 8080).body


def test_udp_is_a_port_of_its_own(world):
    reach = world.network.of(world.inside())
    assert reach.connect("10.96.0.10", 53, protocol="UDP").error is None
    assert reach.connect("10.96.0.10", 9153, protocol="UDP").fault == "Connection timed out"
    assert reach.connect("10.96.0.10", 9153).error is None


def test_load_balancers_let_in_whom_the_service_names(world):
    world.deployment()
    world.service(kind="LoadBalancer", port=80, loadBalancerSourceRanges=["203.0.113.0/24"])
    world.settle()
    assert world.curl("192.168.1.200", 80, OUTSIDE).status == 200
    for source in (NODE, world.inside()):
        walk = world.curl("192.168.1.200", 80, source)
        assert walk.fault == "Connection timed out" and walk.error["hop"] == "service"
    assert world.curl(world.get_service()["spec"]["clusterIP"], 80, world.inside()).status == 200


def test_external_addresses_lead_to_the_service(world):
    world.deployment()
    world.service(kind="ClusterIP", port=80, externalIPs=["192.168.1.77"])
    world.settle()
    assert {world.curl("192.168.1.77", 80, source).status for source in (OUTSIDE, NODE, world.inside())} == {200}


def test_services_wait_for_an_address_when_the_pool_is_used_up_or_switched_off(world):
    balancer = world.network.load_balancer
    for number in range(len(balancer.pool) + 1):
        world.service(f"s{number}", kind="LoadBalancer")
    world.settle(5)
    waiting = [service["metadata"]["name"] for service in world.cluster.api.lister("services").list("default")
               if service["spec"].get("type") == "LoadBalancer" and not service["status"]["loadBalancer"]]
    assert waiting == ["s50"]
    events = [event["message"] for event in world.cluster.api.lister("events").list("default") if event["reason"] == "AllocationFailed"]
    assert events == ['Failed to allocate IP for "default/s50": no available IPs']
    world.client.delete("services", "default", "s7")
    world.settle(5)
    assert world.get_service("s50")["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.168.1.207"
    balancer.switch(False)
    world.client.delete("services", "default", "s8")
    world.service("late", kind="LoadBalancer")
    world.settle(5)
    assert not world.get_service("late")["status"]["loadBalancer"]
    restored = Cluster.restore(world.cluster.snapshot())
    restored.clock.run_for(5)
    assert not restored.network.load_balancer.on and not restored.api.lister("services").get("default", "late")["status"]["loadBalancer"]
    restored.network.load_balancer.switch(True)
    restored.clock.run_for(5)
    assert restored.api.lister("services").get("default", "late")["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.168.1.208"


def test_a_pod_that_asks_its_own_service_may_meet_itself(world):
    world.deployment(replicas=1)
    world.service(kind="ClusterIP", port=80)
    world.settle()
    own = world.pods()[0]["metadata"]["name"]
    assert world.curl("web", 80, in_pod("default", own)).pod == ("default", own)
