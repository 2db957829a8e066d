"""Flows against the single requests they stand for, what load does to them, and what is counted."""

from collections import Counter

import pytest
from matrix_world import FAULTS, SOURCES, MatrixWorld

from server.cluster.cluster import Cluster
from server.cluster.network.flows import parse_source, parse_target
from server.cluster.network.load import waiting

SEPARATE = (("none", "pod"), ("none", "outside"), ("policy ingress", "pod-other-ns"), ("node down", "outside"), ("no endpoints", "outside"),
            ("wrong port", "pod"), ("terminating", "outside"))


def flow_of(world, target, port=80, rate=100.0, source=""):
    name = world.network.traffic.aim(target, port, rate, source)
    return name, next(record for record in world.network.traffic.sources() if record["name"] == name)


def pod_source(name):
    source = SOURCES[name]
    return f"Pod/{source.namespace}/{source.name}" if source.kind == "pod" else ""


@pytest.mark.parametrize(("fault", "source"), SEPARATE)
def test_a_flow_says_what_single_requests_meet(fault, source):
    """The shares of every outcome are those of many single requests."""
    world = MatrixWorld(fault)
    for number, node in enumerate(("w1-k8s", "w3-k8s")):
        world.pod(f"more-{number}", {"app": "web"}, node)
    world.run(20)
    name, _ = flow_of(world, "default/web", source=pod_source(source))
    traffic = world.network.traffic
    shares = Counter()
    for path in traffic._flows[name].paths:
        shares[path.pod, path.error and path.error["hop"]] += path.share
    seen = Counter()
    for _ in range(600):
        walk = traffic._request(traffic._flows[name])
        seen[walk.pod, walk.error and walk.error["hop"]] += 1
    assert set(seen) == set(shares) and sum(shares.values()) == pytest.approx(1)
    for way, share in shares.items():
        assert seen[way] / 600 == pytest.approx(share, abs=0.08), way


@pytest.fixture
def world():
    return MatrixWorld("none")


@pytest.mark.parametrize(("target", "port", "source", "fine"), [
    ("Pod/default/server", 80, "Pod/default/client", True), ("Pod/default/server", 80, "", False), ("Node//w3-k8s", "node", "", True),
    ("Node//w3-k8s", 31999, "", False), ("http://192.168.1.200/", None, "", True), ("http://web.default/", None, "Pod/default/client", True),
    ("http://web.default/", None, "", False), ("default/headless", 80, "Pod/default/client", True), ("default/web", None, "", True)])
def test_sources_aim_at_services_pods_nodes_and_urls(world, target, port, source, fine):
    port = world.target("node-port")[1] if port == "node" else port
    _, record = flow_of(world, target, port, 10.0, source)
    assert (record["ok"], record["failed"]) == ((10, 0) if fine else (0, 10))
    assert [path["pod"] for path in record["paths"]] == (["Pod/default/server"] if fine else [])
    assert record.get("source") == (source or None)


def test_what_can_not_be_aimed_is_told(world):
    for target, source, words in (("Job/default/x", "", "must be a Service, a Pod or a Node"), ("https://x/", "", "only http://"),
                                  ("http://a b/", "", "has no host"), ("default/web", "Pod/default/nobody", 'pods "nobody" not found'),
                                  ("default/web", "Node//w1-k8s", "must be outside or a pod"), ("x" * 600, "", "at most 500")):
        with pytest.raises(ValueError, match=words):
            world.network.traffic.aim(target, 80, 1, source)
    assert parse_target("Service/default/web", 80).id == "Service/default/web" and parse_source("Pod/a/b").namespace == "a"


def test_counts_are_true_for_every_way_and_outcome(world):
    name, _ = flow_of(world, "default/web", rate=1000.0)
    world.run(10)
    world.client.patch("services", "default", "web", {"spec": {"selector": {"app": "nobody"}}})
    world.run(10)
    counts = world.network.traffic.counts(name)
    assert sum(way["count"] for way in counts) == pytest.approx(20_000)
    good = sum(way["count"] for way in counts if way["ok"])
    assert good == pytest.approx(10_000, rel=0.05)
    [bad] = [way for way in counts if not way["ok"]]
    assert bad["error"].startswith("curl: (7) Failed to connect to 192.168.1.200 port 80 after 1 ms") and bad["pod"] is None


def test_what_was_under_way_when_a_pod_died_was_reset(world):
    name, record = flow_of(world, "default/web", rate=100_000.0)
    world.run(10)
    world.cluster.chaos.inject("kill", "Pod/default/server")
    world.run(3)
    lost = [way["count"] for way in world.network.traffic.counts(name) if way["error"] == "curl: (56) Recv failure: Connection reset by peer"]
    assert lost and lost[0] == pytest.approx(record["ok"] * record["latency"] / 1000, rel=0.05)


def test_counts_and_sources_survive_a_restart(world):
    name, _ = flow_of(world, "Pod/default/server", rate=500.0, source="Pod/default/client")
    world.run(10.5)
    restored = Cluster.restore(world.cluster.snapshot())
    restored.clock.run_for(5)
    world.run(5)
    assert restored.network.traffic.sources() == world.network.traffic.sources()
    assert restored.network.traffic.counts(name) == world.network.traffic.counts(name)
    assert sum(way["count"] for way in restored.network.traffic.counts(name)) == pytest.approx(500 * 15.5)


def test_a_source_of_an_older_room_is_taken_up(world):
    world.cluster.parts.state.set("traffic/web.default:80", {"namespace": "default", "service": "web", "port": 80, "rate": 5.0})
    world.cluster.parts.state.set("traffic/client.default>web.default:80", {"namespace": "default", "service": "web", "port": 80, "rate": 2.0,
                                                                           "pod": ["default", "client"]})
    restored = Cluster.restore(world.cluster.snapshot())
    restored.clock.run_for(1)
    assert [(source["rate"], source["ok"], source.get("source")) for source in restored.network.traffic.sources()] == [
        (2.0, 2.0, "Pod/default/client"), (5.0, 5.0, None)]


def test_latency_grows_with_load_until_the_line_is_full():
    world = MatrixWorld("none")
    world.client.delete("pods", "default", "server", grace_period=0)
    world.pod("slow", {"app": "web"}, "w2-k8s", image="registry.k8s.io/hpa-example", resources={"limits": {"cpu": "500m"}})
    world.run(30)
    latency, failed = [], []
    for rate in (1, 4, 7, 8, 16, 80):
        _, record = flow_of(world, "default/web", rate=float(rate))
        latency.append(record.get("latency", 0.0))
        failed.append(record["failed"] / rate)
    assert latency == sorted(latency) and latency[0] < 200 < latency[3] and latency[4] > 10_000
    assert failed[:3] == [0, 0, 0] and 0.4 < failed[4] < 0.6 and 0.85 < failed[5] < 0.95, "what it cannot do is never taken"
    _, record = flow_of(world, "default/web", rate=80.0)
    assert record["error"]["hop"] == "pod" and "after 131072 ms" in record["error"]["text"]
    walks = []
    world.network.traffic.on_walk(walks.append)
    world.run(20)
    lost = sum(walk["error"] is not None for walk in walks) / len(walks)
    assert 0.8 < lost < 1.0, "single requests share that fate"


def test_a_line_is_worked_off_faster_by_more_cores():
    assert waiting(0.9, 100, 4) < waiting(0.9, 100, 1) < waiting(0.99, 100, 1) <= waiting(2, 100, 1)
    assert waiting(0.9, float("inf"), 1) == 0


def test_a_loop_that_asks_a_pods_address_loads_it(world):
    reach = world.network.of_pod(("default", "client"))
    for _ in range(200):
        reach.request(world.address, 80)
        world.run(0.1)
    [record] = world.network.traffic.sources()
    assert (record["target"], record["source"], record["rate"]) == ("Pod/default/server", "Pod/default/client", pytest.approx(10, rel=0.1))
    assert world.cluster.kubelets.runtime.usage._loads == {("default", "server"): {80: pytest.approx(10, rel=0.1)}}
    world.run(20)
    assert world.network.traffic.sources() == []


def test_a_followed_request_tells_every_decision(world):
    followed = world.network.traffic.follow("default/web", None, "Pod/default/client")
    assert [hop["kind"] for hop in followed["hops"]] == ["dns", "dns", "service", "pod"]
    assert followed["hops"][1]["detail"]["addresses"] == [followed["address"]] == [world.target("cluster-ip")[0]]
    assert followed["hops"][2]["detail"]["why"] == "at random" and followed["status"] == 200 and followed["port"] == 80
    outside = world.network.traffic.follow("default/web")
    assert [hop["kind"] for hop in outside["hops"]] == ["node", "service", "pod"] and outside["hops"][0]["detail"]["entries"] == 3
    world.policy("closed", {"app": "web"}, ingress=[])
    denied = world.network.traffic.follow("default/web", 80, "Pod/other/client")
    assert denied["hops"][-1]["kind"] == "policy" and denied["hops"][-1]["detail"]["policies"] == ["default/closed"]
    assert denied["exitCode"] == 28


def test_policies_change_flows_at_once(world):
    _, record = flow_of(world, "default/web", rate=10.0, source="Pod/other/client")
    assert record["ok"] == 10
    FAULTS["policy ingress"](world)
    [record] = world.network.traffic.sources()
    assert record["failed"] == 10 and record["error"]["hop"] == "policy"


def test_a_pod_as_source_ends_when_it_is_gone(world):
    flow_of(world, "default/web", rate=10.0, source="Pod/default/client")
    world.client.delete("pods", "default", "client", grace_period=0)
    world.run(2)
    [record] = world.network.traffic.sources()
    assert record["failed"] == 10


def test_a_flow_to_an_ingress_is_divided_by_the_controller():
    from test_ingress import INGRESSES, ingress, path
    from test_ingress import World as WithIngress

    world = WithIngress()
    world.client.create(INGRESSES, ingress("site", ("shop.example", [path("/", "web"), path("/who", "who")])))
    world.run(90)
    traffic = world.cluster.network.traffic
    traffic.aim("http://shop.example/", None, 100)
    traffic.aim("http://shop.example/who", None, 10)
    traffic.aim("http://nosuch.example/", None, 10)
    whole, who, nothing = traffic.sources()
    assert sorted(entry["rate"] for entry in whole["paths"]) == [50, 50] and whole["ok"] == 100
    assert all(entry["pod"].startswith("Pod/default/web-") for entry in whole["paths"])
    assert [entry["pod"].split("-")[0] for entry in who["paths"]] == ["Pod/default/who"]
    assert nothing["failed"] == 10
    loads = world.cluster.kubelets.runtime.usage._loads
    controller = next(pod for pod in loads if pod[0] == "ingress-nginx")
    assert sum(loads[controller].values()) == pytest.approx(110), "the controller works for all of it"
    world.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    world.run(60)
    assert traffic.sources()[0]["error"]["text"] == "HTTP 503"
    walks = []
    traffic.on_walk(walks.append)
    world.run(5)
    assert {walk["status"] for walk in walks} >= {200, 503}


# a pod asks DNS before it sends

def test_steady_traffic_of_a_pod_asks_dns_and_says_whom(world):
    seen = []
    world.network.traffic.on_walk(seen.append)
    _, record = flow_of(world, "default/web", rate=10.0, source="Pod/default/client")
    world.run(1)
    assert seen and all(walk["resolver"] == "10.96.0.10" and walk["status"] == 200 for walk in seen)
    assert record["ok"] == 10 and record["latency"] > 2.4, "three questions and their answers take their time too"
    seen.clear()
    _, outside = flow_of(world, "default/web", rate=10.0)
    world.run(1)
    assert any("resolver" not in walk for walk in seen) and outside["latency"] != record["latency"]


def test_without_dns_a_pods_traffic_ends_at_the_name_and_comes_back_with_it(world):
    name, record = flow_of(world, "default/web", rate=10.0, source="Pod/default/client")
    assert record["ok"] == 10
    FAULTS["no CoreDNS"](world)
    [record] = world.network.traffic.sources()
    assert (record["ok"], record["failed"], record["error"]["hop"], record["error"]["why"]) == (0, 10, "dns", "no DNS server answers")
    assert record["error"]["text"] == "curl: (6) Could not resolve host: web.default.svc"
    world.client.patch("deployments.apps", "kube-system", "coredns", {"spec": {"replicas": 2}})
    world.run(30)
    assert world.network.traffic.sources()[0]["ok"] == 10
    failed = sum(each["count"] for each in world.network.traffic.counts(name) if not each["ok"])
    assert 500 < failed < 900


def test_one_of_two_dns_servers_silent_fails_a_share_that_can_be_worked_out(world):
    """Each of three names is asked twice at most, each time of either server: (1 - 1/4) ** 3 of the requests find their way."""
    first = min(pod["metadata"]["name"] for pod in world.cluster.api.lister("pods").list("kube-system")
                if pod["metadata"]["name"].startswith("coredns-"))
    world.client.patch("pods", "kube-system", first, {"metadata": {"labels": {"silent": "yes"}}})
    world.client.create("networkpolicies.networking.k8s.io", {"metadata": {"name": "silence", "namespace": "kube-system"}, "spec": {
        "podSelector": {"matchLabels": {"silent": "yes"}}, "policyTypes": ["Ingress"]}})
    world.run(1)
    _, record = flow_of(world, "default/web", rate=1000.0, source="Pod/default/client")
    assert (record["ok"], record["failed"]) == (421.875, 578.125) and record["error"]["hop"] == "dns"
    assert record["latency"] > 2000, "those that asked the silent one first have waited five seconds"


def test_a_pods_traffic_to_another_name_goes_where_the_name_leads(world):
    world.client.create("services", {"metadata": {"name": "alias", "namespace": "default"}, "spec": {
        "type": "ExternalName", "externalName": "web.default.svc.cluster.local"}})
    world.run(1)
    _, record = flow_of(world, "default/alias", rate=10.0, source="Pod/default/client", port=80)
    assert record["ok"] == 10
