"""NetworkPolicies: which connections they let through, case by case and against a reference; and connections that they drop."""
# ruff: noqa: E501 -- a case is a row

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_world import NODES, OUTSIDE, PODS, POLICIES, World, allowed

from server.cluster.cluster import Cluster
from server.cluster.network.source import OUTSIDE as INTERNET
from server.cluster.network.source import in_pod, on_node

WEB, DB, BARE, SHOP_WEB, SHOP_DB, CLIENT, AGENT = PODS
FROM_WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
TEAM_A = {"namespaceSelector": {"matchLabels": {"team": "a"}}}


@pytest.fixture
def world() -> World:
    return World()


def test_without_a_policy_everything_passes_and_nothing_is_watched(world):
    assert all(world.verdict(source, target) is None for source in (*PODS, OUTSIDE) for target in PODS)
    before = world.told
    world.client.patch("pods", *WEB, {"metadata": {"labels": {"app": "other"}}})
    assert world.told == before


DENIED = {"ingress": [], "policyTypes": ["Ingress"]}
# the spec of a policy for default/db, who asks it for what, whether that passes
INTO_DB = [
    ({}, WEB, 80, "TCP", False), ({"ingress": []}, WEB, 80, "TCP", False), ({"ingress": [{}]}, CLIENT, 80, "TCP", True),
    ({"policyTypes": ["Egress"]}, WEB, 80, "TCP", True), ({"podSelector": {"matchLabels": {"app": "other"}}}, WEB, 80, "TCP", True),
    ({"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}}, WEB, 80, "TCP", False),
    ({"podSelector": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}}, WEB, 80, "TCP", False),
    # peers
    ({"ingress": [{"from": [FROM_WEB]}]}, WEB, 80, "TCP", True), ({"ingress": [{"from": [FROM_WEB]}]}, BARE, 80, "TCP", False),
    ({"ingress": [{"from": [FROM_WEB]}]}, SHOP_WEB, 80, "TCP", False), ({"ingress": [{"from": [{"podSelector": {}}]}]}, BARE, 80, "TCP", True),
    ({"ingress": [{"from": [{"podSelector": {}}]}]}, CLIENT, 80, "TCP", False), ({"ingress": [{"from": [TEAM_A]}]}, SHOP_DB, 80, "TCP", True),
    ({"ingress": [{"from": [TEAM_A]}]}, CLIENT, 80, "TCP", False), ({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, CLIENT, 80, "TCP", True),
    ({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, OUTSIDE, 80, "TCP", False),
    ({"ingress": [{"from": [{**TEAM_A, **FROM_WEB}]}]}, SHOP_WEB, 80, "TCP", True),
    ({"ingress": [{"from": [{**TEAM_A, **FROM_WEB}]}]}, SHOP_DB, 80, "TCP", False),
    ({"ingress": [{"from": [TEAM_A, FROM_WEB]}]}, SHOP_DB, 80, "TCP", True),
    ({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "lab"}}}]}]}, CLIENT, 80, "TCP", True),
    # addresses
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}, OUTSIDE, 80, "TCP", True),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}, WEB, 80, "TCP", False),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/28"]}}]}]}, OUTSIDE, 80, "TCP", False),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/30"]}}]}]}, OUTSIDE, 80, "TCP", True),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.244.1.0/24"}}]}]}, WEB, 80, "TCP", True),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}]}, OUTSIDE, 80, "TCP", False),
    # ports
    ({"ingress": [{"ports": [{"port": 80}]}]}, WEB, 80, "TCP", True), ({"ingress": [{"ports": [{"port": 80}]}]}, WEB, 81, "TCP", False),
    ({"ingress": [{"ports": [{"port": 80}]}]}, WEB, 80, "UDP", False), ({"ingress": [{"ports": [{"protocol": "UDP"}]}]}, WEB, 9999, "UDP", True),
    ({"ingress": [{"ports": [{"protocol": "UDP"}]}]}, WEB, 9999, "TCP", False),
    ({"ingress": [{"ports": [{"port": 9000, "endPort": 9200}]}]}, WEB, 9100, "TCP", True),
    ({"ingress": [{"ports": [{"port": 9000, "endPort": 9200}]}]}, WEB, 9201, "TCP", False),
    ({"ingress": [{"ports": [{"port": "metrics"}]}]}, WEB, 9100, "TCP", True), ({"ingress": [{"ports": [{"port": "metrics"}]}]}, WEB, 80, "TCP", False),
    ({"ingress": [{"ports": [{"port": "dns"}]}]}, WEB, 53, "TCP", False), ({"ingress": [{"ports": [{"port": "dns", "protocol": "UDP"}]}]}, WEB, 53, "UDP", True),
    ({"ingress": [{"ports": [{"port": "nosuch"}]}]}, WEB, 80, "TCP", False), ({"ingress": [{"ports": [{"port": 80}]}]}, WEB, 0, "ICMP", False),
    ({"ingress": [{}]}, WEB, 0, "ICMP", True),
    ({"ingress": [{"from": [FROM_WEB], "ports": [{"port": 80}]}]}, WEB, 81, "TCP", False),
    ({"ingress": [{"from": [FROM_WEB], "ports": [{"port": 80}]}, {"ports": [{"port": 81}]}]}, BARE, 81, "TCP", True),
    # who is beyond it
    (DENIED, DB, 80, "TCP", True), (DENIED, "192.168.1.102", 80, "TCP", True), (DENIED, "192.168.1.101", 80, "TCP", False),
    (DENIED, "10.244.2.1", 80, "TCP", True), (DENIED, AGENT, 80, "TCP", False),
    ({"ingress": [{"from": [{"podSelector": {}}]}]}, AGENT, 80, "TCP", False),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "192.168.1.0/24"}}]}]}, AGENT, 80, "TCP", True),
]


@pytest.mark.parametrize(("spec", "source", "port", "protocol", "passes"), INTO_DB)
def test_who_reaches_the_pods_of_a_policy(world, spec, source, port, protocol, passes):
    made = world.policy("p", **{"podSelector": {"matchLabels": {"app": "db"}}, **spec})
    assert (world.verdict(source, DB, port, protocol) is None) == passes
    assert allowed([made], source, DB, port, protocol) == passes


# the spec of a policy for default/web, whom it asks for what, whether that passes
OUT_OF_WEB = [
    ({"egress": []}, DB, 80, "TCP", True), ({"policyTypes": ["Egress"]}, DB, 80, "TCP", False), ({"egress": [{}]}, DB, 80, "TCP", True),
    ({"egress": [{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]}, DB, 80, "TCP", True),
    ({"egress": [{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]}, SHOP_DB, 80, "TCP", False),
    ({"egress": [{"to": [{"namespaceSelector": {"matchLabels": {"stage": "prod"}}}]}]}, SHOP_DB, 80, "TCP", True),
    ({"egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}, OUTSIDE, 443, "TCP", True),
    ({"egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}, DB, 443, "TCP", False),
    ({"egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}, DB, 53, "UDP", True),
    ({"egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}, DB, 53, "TCP", False),
    ({"egress": [{"ports": [{"port": "metrics"}]}]}, DB, 9100, "TCP", True), ({"egress": [{"ports": [{"port": "metrics"}]}]}, OUTSIDE, 9100, "TCP", False),
    ({"policyTypes": ["Egress"]}, WEB, 80, "TCP", True), ({"policyTypes": ["Egress"]}, "192.168.1.101", 80, "TCP", True),
    ({"policyTypes": ["Egress"]}, "192.168.1.102", 80, "TCP", False), ({"policyTypes": ["Egress"]}, AGENT, 80, "TCP", True),
]


@pytest.mark.parametrize(("spec", "target", "port", "protocol", "passes"), OUT_OF_WEB)
def test_whom_the_pods_of_a_policy_reach(world, spec, target, port, protocol, passes):
    made = world.policy("p", **{"podSelector": {"matchLabels": {"app": "web"}}, **spec})
    assert (world.verdict(WEB, target, port, protocol) is None) == passes
    assert allowed([made], WEB, target, port, protocol) == passes


def test_policies_add_up_and_those_of_one_direction_leave_the_other_open(world):
    world.policy("deny", policyTypes=["Ingress"])
    assert world.verdict(WEB, DB).direction == "ingress" and world.verdict(WEB, OUTSIDE) is None
    world.policy("web", podSelector={"matchLabels": {"app": "db"}}, ingress=[{"from": [FROM_WEB]}])
    assert world.verdict(WEB, DB) is None and world.verdict(BARE, DB) is not None
    world.policy("bare", podSelector={"matchLabels": {"app": "db"}}, ingress=[{"from": [{"podSelector": {"matchExpressions": [
        {"key": "app", "operator": "DoesNotExist"}]}}]}])
    assert world.verdict(BARE, DB) is None
    assert world.policies.selecting(DB) == (("default", "bare"), ("default", "deny"), ("default", "web"))


def test_both_ends_have_a_say_and_a_denial_names_who_and_why(world):
    world.policy("no-out", podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Egress"])
    world.policy("no-in", "shop", policyTypes=["Ingress"])
    denial = world.verdict(WEB, SHOP_DB, 5432)
    assert (denial.direction, denial.policies) == ("egress", (("default", "no-out"),))
    denial = world.verdict(DB, SHOP_DB, 5432)
    assert denial == ("ingress", (("shop", "no-in"),), "shop/db is isolated for ingress by shop/no-in, and no rule allows TCP port 5432 from "
                                                       "default/db (10.244.2.2)")


def test_a_policy_works_from_when_it_is_made_until_it_is_deleted_and_follows_labels(world):
    world.policy("deny", podSelector={"matchLabels": {"app": "db"}}, ingress=[{"from": [TEAM_A]}])
    assert (world.verdict(CLIENT, DB), world.told) != (None, 0)
    world.client.patch("namespaces", "", "lab", {"metadata": {"labels": {"team": "a"}}})
    assert world.verdict(CLIENT, DB) is None
    world.client.patch("namespaces", "", "lab", {"metadata": {"labels": {"team": "c"}}})
    world.client.patch("pods", *DB, {"metadata": {"labels": {"app": "queue"}}})
    assert world.verdict(CLIENT, DB) is None
    world.client.patch(POLICIES, "default", "deny", {"spec": {"podSelector": {"matchLabels": {"app": "queue"}}}})
    assert world.verdict(CLIENT, DB) is not None
    told = world.told
    world.client.patch(POLICIES, "default", "deny", {"metadata": {"labels": {"a": "b"}}})
    world.client.patch("pods", *DB, {"metadata": {"annotations": {"a": "b"}}})
    assert world.told == told == 5
    world.client.delete(POLICIES, "default", "deny")
    assert world.verdict(CLIENT, DB) is None and world.told == told + 1


LABELS = st.sampled_from([{}, {"matchLabels": {"app": "web"}}, {"matchLabels": {"app": "db", "tier": "back"}},
                          {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
                          {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web", "client"]}]}])
TEAMS = st.sampled_from([{}, {"matchLabels": {"team": "a"}}, {"matchLabels": {"stage": "prod"}}, {"matchLabels": {"kubernetes.io/metadata.name": "lab"}},
                         {"matchExpressions": [{"key": "team", "operator": "In", "values": ["b"]}]}])
BLOCKS = st.sampled_from([{"cidr": "0.0.0.0/0"}, {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16", "203.0.113.0/24"]}, {"cidr": "10.244.1.0/24"},
                          {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}, {"cidr": "192.168.1.0/24"}, {"cidr": "203.0.113.7/32"}])
PEERS = st.one_of(st.builds(lambda pods: {"podSelector": pods}, LABELS), st.builds(lambda teams: {"namespaceSelector": teams}, TEAMS),
                  st.builds(lambda teams, pods: {"namespaceSelector": teams, "podSelector": pods}, TEAMS, LABELS),
                  st.builds(lambda block: {"ipBlock": block}, BLOCKS))
PORT_RULES = st.sampled_from([{"port": 80}, {"port": 53, "protocol": "UDP"}, {"protocol": "UDP"}, {"port": 9000, "endPort": 9200}, {"port": "metrics"},
                              {"port": "dns", "protocol": "UDP"}, {}])


def rules(field: str) -> st.SearchStrategy:
    return st.lists(st.fixed_dictionaries({}, optional={field: st.lists(PEERS, max_size=2), "ports": st.lists(PORT_RULES, max_size=2)}), max_size=2)


SPECS = st.fixed_dictionaries({"podSelector": LABELS}, optional={
    "ingress": rules("from"), "egress": rules("to"), "policyTypes": st.sampled_from([[], ["Ingress"], ["Egress"], ["Ingress", "Egress"]])})
ENDS = [*PODS, OUTSIDE, *NODES.values(), "10.244.1.1", "10.244.2.1", "10.244.2.9"]
KINDS_OF = [(80, "TCP"), (9100, "TCP"), (53, "UDP"), (53, "TCP"), (9999, "TCP"), (0, "ICMP")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["default", "shop", "lab"]), SPECS), min_size=1, max_size=4))
def test_any_policies_decide_as_the_documentation_says(specs):
    world = World()
    made = [world.policy(f"p{number}", namespace, **spec) for number, (namespace, spec) in enumerate(specs)]
    for source in ENDS:
        for target in ENDS:
            for port, protocol in KINDS_OF:
                if isinstance(source, str) and isinstance(target, str):
                    continue
                found = world.verdict(source, target, port, protocol)
                assert (found is None) == allowed(made, source, target, port, protocol), (source, target, port, protocol, found)


# connections


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(seed=4)
    client = cluster.client()
    for name, labels in (("web", {"app": "web"}), ("client", {"run": "client"})):
        client.create("pods", {"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": {
            "nodeName": "w1-k8s" if name == "web" else "w2-k8s", "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}],
            "terminationGracePeriodSeconds": 0}})
    client.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [
        {"port": 80, "nodePort": 30080}]}})
    cluster.clock.run_for(15)
    return cluster


def deny(cluster: Cluster, **spec: object) -> None:
    cluster.client().create(POLICIES, {"metadata": {"name": "deny", "namespace": "default"}, "spec": {"podSelector": {}, **spec}})


def test_a_denied_connection_is_dropped_and_the_client_times_out(cluster):
    source = in_pod("default", "client")
    address = cluster.api.lister("services").get("default", "web")["spec"]["clusterIP"]
    assert cluster.network.request(source, address, 80).status == 200
    deny(cluster, policyTypes=["Ingress"])
    walk = cluster.network.request(source, address, 80, timeout=3)
    assert (walk.exit_code, walk.error_text) == (28, "curl: (28) Connection timed out after 3000 milliseconds")
    assert walk.error["hop"] == "policy" and walk.hops[-1].what == "default/deny"
    assert "default/web is isolated for ingress by default/deny" in walk.hops[-1].decision


def test_a_policy_for_the_way_out_stops_names_too_until_dns_is_allowed(cluster):
    source = in_pod("default", "client")
    deny(cluster, podSelector={"matchLabels": {"run": "client"}}, egress=[{"to": [FROM_WEB]}], policyTypes=["Egress"])
    walk = cluster.network.request(source, "web", 80, timeout=30)
    assert walk.error["hop"] == "dns"
    address = cluster.api.lister("services").get("default", "web")["spec"]["clusterIP"]
    assert cluster.network.request(source, address, 80).status == 200
    cluster.client().create(POLICIES, {"metadata": {"name": "dns", "namespace": "default"}, "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}], "ports": [{"port": 53, "protocol": "UDP"}]}]}})
    assert cluster.network.request(source, "web", 80).status == 200


def test_the_machine_of_a_pod_and_its_probes_always_reach_it(cluster):
    cluster.client().create("pods", {"metadata": {"name": "probed", "namespace": "default"}, "spec": {"containers": [
        {"name": "c", "image": "nginx", "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1}}]}})
    deny(cluster, policyTypes=["Ingress"])
    cluster.clock.run_for(20)
    pod = cluster.api.lister("pods").get("default", "probed")
    assert pod["status"]["containerStatuses"][0]["ready"]
    address = cluster.api.lister("pods").get("default", "web")["status"]["podIP"]
    assert cluster.network.request(on_node("w1-k8s"), address, 80).status == 200
    assert cluster.network.request(on_node("w2-k8s"), address, 80, timeout=2).exit_code == 28


def test_clients_from_outside_are_let_in_by_the_address_that_the_pods_machine_sees(cluster):
    nodes = {"own": "192.168.1.101", "other": "192.168.1.102"}

    def asks() -> dict[str, bool]:
        return {name: cluster.network.request(INTERNET, node, 30080, timeout=2).status == 200 for name, node in nodes.items()}

    deny(cluster, policyTypes=["Ingress"])
    assert asks() == {"own": False, "other": False}
    for name, cidr, let_in in (("clients", "203.0.113.0/24", {"own": True, "other": False}), ("nodes", "192.168.1.0/24", {"own": True, "other": True})):
        cluster.client().create(POLICIES, {"metadata": {"name": name, "namespace": "default"}, "spec": {"podSelector": {}, "ingress": [
            {"from": [{"ipBlock": {"cidr": cidr}}]}]}})
        assert asks() == let_in


def test_policies_are_as_they_were_after_a_restart(cluster):
    deny(cluster, policyTypes=["Ingress"])
    again = Cluster.restore(json.loads(json.dumps(cluster.snapshot())))
    address = again.api.lister("pods").get("default", "web")["status"]["podIP"]
    assert again.network.request(in_pod("default", "client"), address, 80, timeout=2).exit_code == 28


def test_traffic_is_worked_out_again_when_a_policy_comes_and_goes(cluster):
    traffic = cluster.network.traffic
    traffic.set("users", "default/web", 80, 10)
    cluster.clock.run_for(2)
    assert traffic.sources()[0]["failed"] == 0
    deny(cluster, policyTypes=["Ingress"])
    cluster.clock.run_for(2)
    record = traffic.sources()[0]
    assert record["failed"] > 0 and record["error"]["hop"] == "policy"
    cluster.client().delete(POLICIES, "default", "deny")
    cluster.clock.run_for(2)
    assert traffic.sources()[0]["failed"] == 0
