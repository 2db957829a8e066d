"""Steady requests to a Service."""

import pytest

from server.cluster.cluster import Cluster


def source(world):
    [record] = world.network.traffic.sources()
    return record


def test_a_flow_divides_evenly_over_ready_pods(web):
    identity = web.network.traffic.aim("default/web", None, 10)
    record = source(web)
    assert (identity, record["name"], record["target"], record["port"], record["rate"]) == (
        "web.default:8080", "web.default:8080", "Service/default/web", 8080, 10)
    assert (record["ok"], record["failed"]) == (10, 0) and "error" not in record and 1 < record["latency"] < 10
    assert sorted((path["pod"], path["rate"]) for path in record["paths"]) == sorted(
        (f"Pod/default/{pod['metadata']['name']}", 5.0) for pod in web.pods())


def test_a_flow_follows_the_endpoints(web):
    web.network.traffic.aim("default/web", 8080, 9)
    changes = []
    web.network.traffic.on_change(lambda: changes.append(source(web)["ok"]))
    web.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 3}})
    web.settle()
    assert len(source(web)["paths"]) == 3 and changes
    web.client.patch("deployments.apps", "default", "web", {"spec": {"replicas": 0}})
    web.settle(60)
    record = source(web)
    assert (record["ok"], record["failed"], record["paths"]) == (0, 9, [])
    assert record["error"]["hop"] == "endpoints" and record["error"]["rate"] == 9


def test_walks_come_at_the_rate_and_are_real_requests(web):
    walks = []
    web.network.traffic.on_walk(walks.append)
    web.network.traffic.aim("default/web", 8080, 5)
    web.settle(10)
    assert len(walks) == 50
    assert {walk["status"] for walk in walks} == {200}
    walk = walks[0]
    assert walk["source"] == "Traffic//web.default:8080" and walk["service"] == "Service/default/web"
    assert walk["node"].startswith("Node//w") and walk["pod"].startswith("Pod/default/web-") and walk["error"] is None
    assert walk["numbers"] == [web.node_port(), 8080, 80]
    name = walk["pod"].split("/")[2]
    logged = [line for line in web.cluster.kubelets.runtime.logs("default", name, "c") if "GET / HTTP/1.1" in line.text]
    assert len(logged) == sum(other["pod"] == walk["pod"] for other in walks)


def test_many_requests_are_counted_and_few_are_walked(web):
    walks = []
    web.network.traffic.on_walk(walks.append)
    identity = web.network.traffic.aim("default/web", 8080, 5000)
    web.settle(10)
    assert len(walks) == 200
    assert sum(way["count"] for way in web.network.traffic.counts(identity)) == pytest.approx(50_000)


def test_sources_share_the_bound_on_walks(web):
    walks = []
    web.network.traffic.on_walk(walks.append)
    web.network.traffic.aim("default/web", 8080, 100)
    web.network.traffic.set("second", "default/web", 8080, 300)
    web.settle(10)
    shares = [sum(walk["source"] == f"Traffic//{name}" for walk in walks) for name in ("web.default:8080", "second")]
    assert shares == pytest.approx([50, 150], abs=2)


def test_a_rate_of_nothing_ends_it_and_leaves_an_idle_cluster(web):
    web.settle(600)
    before = web.cluster.clock.next_due()
    web.network.traffic.aim("default/web", None, 5)
    web.settle(1)
    web.network.traffic.aim("default/web", None, 0)
    assert web.network.traffic.sources() == []
    web.settle(1)
    assert web.cluster.clock.next_due() == before


def test_what_cannot_be_aimed_at_is_refused(web):
    aim = web.network.traffic.aim
    for target, port, rate, words in (("default/nosuch", 80, 1, 'services "nosuch" not found'), ("default/web", 0, 1, "port"),
                                      ("default/web", 8080, float("inf"), "rate"), ("default/web", 8080, 1e9, "rate"),
                                      ("", 80, 1, "namespace/name")):
        with pytest.raises(ValueError, match=words):
            aim(target, port, rate)


def test_there_are_not_too_many_sources(web):
    for number in range(50):
        web.network.traffic.set(f"s{number}", "default/web", 8080, 1)
    with pytest.raises(ValueError, match="at most 50"):
        web.network.traffic.set("one more", "default/web", 8080, 1)


def test_a_deleted_service_fails_at_its_name(web):
    web.network.traffic.aim("default/web", 8080, 3)
    web.client.delete("services", "default", "web")
    web.settle(2)
    assert source(web)["error"] == {"hop": "dns", "text": "curl: (6) Could not resolve host: web", "rate": 3.0, "what": "web",
                                    "why": "no such name"}


def test_a_restored_cluster_has_its_sources(web):
    web.network.traffic.aim("default/web", 8080, 4)
    web.settle(1)
    restored = Cluster.restore(web.cluster.snapshot())
    walks = []
    restored.network.traffic.on_walk(walks.append)
    restored.clock.run_for(5)
    assert restored.network.traffic.sources() == web.network.traffic.sources()
    assert len(walks) == 20 and {walk["status"] for walk in walks} == {200}


def test_a_listener_that_went_away_is_called_no_more(web):
    calls = []
    web.network.traffic.on_walk(calls.append)
    web.network.traffic.off(calls.append)
    web.network.traffic.aim("default/web", 8080, 5)
    web.settle(2)
    assert calls == []
